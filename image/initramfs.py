#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the initramfs of a microVM: the binary as /init, and those of the kernel's modules that it loads.

    initramfs.py FILE --init BINARY --modules FOLDER --time SECONDS MODULE...

FOLDER is the kernel's, lib/modules/VERSION. A MODULE brings what it depends on; /modules/order names all of them so that
none comes before what it needs; what is built into the kernel needs no file. Nothing comes from the clock, the user or a
folder's order: the same arguments give the same bytes.
"""

import argparse
import gzip
import re
import stat
from pathlib import Path

FOLDERS = ["dev", "etc", "modules", "proc", "state", "sys"]


def name_of(path):
    """The module's: its file may have the other of the two dashes."""
    return Path(path).stem.replace("-", "_")


def in_order(wanted, files, builtin):
    """The files of the modules and of all they depend on, each behind those that it needs."""
    order = []

    def add(name, by):
        name = name.replace("-", "_")
        if name in builtin:
            return
        if name not in files:
            raise SystemExit("initramfs.py: this kernel has no module %s%s" % (name, by))
        if files[name] in order:
            return
        for other in re.search(rb"\0depends=([^\0]*)\0", files[name].read_bytes())[1].decode().split(","):
            if other:
                add(other, ", which %s needs" % name)
        order.append(files[name])

    for name in wanted:
        add(name, "")
    return order


class Cpio:
    """The format "newc", of which Linux's Documentation/driver-api/early-userspace/buffer-format.rst says what it takes."""

    def __init__(self, when):
        self.when = when
        self.out = bytearray()
        self.inode = 0

    def add(self, name, mode, data=b"", when=None):
        self.inode += 1
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self.inode, mode, 0, 0, links, self.when if when is None else when, len(data), 0, 0, 0, 0,
                  len(name) + 1, 0)
        self.out += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        self.out += bytes(-len(self.out) % 4) + data
        self.out += bytes(-len(self.out) % 4)

    def end(self):
        self.add("TRAILER!!!", 0, when=0)
        return bytes(self.out)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("file")
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--modules", type=Path, required=True)
    parser.add_argument("--time", type=int, required=True)
    parser.add_argument("module", nargs="+")
    args = parser.parse_args()

    files = {name_of(p): p for p in sorted(args.modules.rglob("*.ko"))}
    builtin = {name_of(line) for line in (args.modules / "modules.builtin").read_text().split()}
    order = in_order(args.module, files, builtin)

    cpio = Cpio(args.time)
    for folder in FOLDERS:
        cpio.add(folder, stat.S_IFDIR | 0o755)
    cpio.add("init", stat.S_IFREG | 0o755, args.init.read_bytes())
    cpio.add("modules/order", stat.S_IFREG | 0o644, "".join(p.name + "\n" for p in order).encode())
    for path in order:
        cpio.add("modules/" + path.name, stat.S_IFREG | 0o644, path.read_bytes())
    data = gzip.compress(cpio.end(), 9, mtime=0)
    Path(args.file).write_bytes(data)
    print("%s: %d bytes, %d modules" % (args.file, len(data), len(order)))


if __name__ == "__main__":
    main()
