# SPDX-License-Identifier: MIT
"""A name server of a test's own, at port 53 of an address of loopback that is its alone. What is to ask it has to see
another resolv.conf, in a mount namespace: that needs root."""
import os
import socket
import socketserver
import struct
import subprocess
import threading

A, CAA = 1, 257


def usable():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


def caa(flags, tag, value):
    return bytes([flags, len(tag)]) + tag.encode() + value.encode()


class NameServer:
    """zone: {("a.test", CAA): [data, ...]}. Every name that is asked for has the address 127.0.0.1, if it is in the zone or
    not; a name in `failing` is answered with SERVFAIL. `asked` has (name, type) of each question."""

    def __init__(self, folder, zone, failing=()):
        self.zone, self.failing, self.asked = zone, failing, []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                message, sock = self.request
                sock.sendto(outer._answer(message), self.client_address)

        while True:
            self.address = "127.53.%d.%d" % tuple(1 + b % 254 for b in os.urandom(2))
            try:
                self.server = socketserver.ThreadingUDPServer((self.address, 53), Handler)
                break
            except OSError as e:
                if e.errno != 98:
                    raise
        self.server.daemon_threads = True
        self.resolv_conf = os.path.join(folder, "resolv.conf")
        with open(self.resolv_conf, "w") as f:
            f.write("nameserver %s\noptions attempts:1\n" % self.address)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def prefix(self):
        """Before a command that is to ask this server."""
        return ["unshare", "-m", "sh", "-c", "mount --bind %s /etc/resolv.conf && exec \"$@\"" % self.resolv_conf, "sh"]

    def _answer(self, q):
        at, labels = 12, []
        while q[at]:
            labels.append(q[at + 1:at + 1 + q[at]].decode())
            at += 1 + q[at]
        name, kind = ".".join(labels).lower(), struct.unpack(">H", q[at + 1:at + 3])[0]
        self.asked.append((name, kind))
        data = self.zone.get((name, kind), [socket.inet_aton("127.0.0.1")] if kind == A else [])
        code = 2 if (name, kind) in self.failing else 0
        head = q[:2] + struct.pack(">5H", 0x8180 | code, 1, 0 if code else len(data), 0, 0)
        return head + q[12:at + 5] + b"".join(
            b"\xc0\x0c" + struct.pack(">2HIH", kind, 1, 60, len(d)) + d for d in ([] if code else data))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
