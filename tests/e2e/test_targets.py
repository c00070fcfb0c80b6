# SPDX-License-Identifier: MIT
"""What ships for other machines, run here by QEMU: what differs there is alignment, the width of size_t, the system
calls, and the order of bytes. i386 runs without QEMU on most machines that build it, under the kernel's own filter of
system calls."""
import hashlib
import os
import re
import shutil
import signal
import ssl
import subprocess

import pytest

from certificates import openssl
from conftest import ALL
from proxy import ROOT
from upstreams import chunked, reply

# Those that `test` builds, and those of `test --all`. The rest of the suite has the machine's own.
BUILT = ["aarch64", "armv7", "mipsel"] + (["i386", "riscv64", "s390x"] if ALL else [])
CONTENT = bytes(i * 7 % 251 for i in range(16384))


def line_of(target):
    with open(os.path.join(ROOT, "deps", "targets")) as f:
        return next(line.split() for line in f if line.startswith(target + " "))


def runs_here(path):
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


@pytest.fixture(params=BUILT)
def target(request):
    """(name, file, what runs it)"""
    path = os.path.join(ROOT, "build", request.param, "proxy")
    if not os.access(path, os.X_OK):
        pytest.skip("%s is not there: ./build.sh --target %s" % (path, request.param))
    if runs_here(path):
        return request.param, path, ()
    emulator = shutil.which("qemu-" + line_of(request.param)[3])
    if not emulator:
        pytest.skip("no qemu-%s to run it" % line_of(request.param)[3])
    return request.param, path, (emulator,)


@pytest.fixture
def there(target, proxy):
    """proxy(), of the target."""
    def start(conf=None, **kw):
        return proxy(conf, program=target[1], prefix=target[2], asan=False, **kw)
    return start


def test_it_fits_the_flash_of_a_board(target):
    assert target[0] == "s390x" or os.stat(target[1]).st_size < 700_000


def test_kernels_with_any_size_of_pages_load_it(target):
    """What shares a page in the file must in memory, too: 64-bit ARM and MIPS have pages of 4, 16 and 64 KB."""
    largest = 0x10000 if target[0] in ("aarch64", "mipsel") else 0x1000
    headers = subprocess.run(["readelf", "-lW", target[1]], check=True, capture_output=True, text=True).stdout
    segments = [[int(x, 16) for x in g] for g in re.findall(r"LOAD +(\S+) (\S+) \S+ (\S+)", headers)]
    assert len(segments) > 1
    pages = [range(address // largest, (address + size - 1) // largest + 1) for offset, address, size in segments]
    assert all((address - offset) % largest == 0 for offset, address, size in segments)
    assert all(a[-1] < b[0] for a, b in zip(pages, pages[1:]))


def test_it_is_static_and_hardened(target):
    def readelf(*args):
        return subprocess.run(["readelf", "-W", *args, target[1]], check=True, capture_output=True, text=True).stdout

    segments = readelf("-l")
    assert "INTERP" not in segments
    start, size = (int(x, 16) for x in re.search(r"GNU_RELRO +\S+ +(\S+) +\S+ +\S+ +(\S+)", segments).groups())
    tables = re.findall(r" (?:\.got|\.data\.rel\.ro|\.\w+_array) +\w+ +(\S+) \S+ (\S+)", readelf("-S"))
    assert len(tables) >= 3 and all(start <= int(a, 16) and int(a, 16) + int(n, 16) <= start + size for a, n in tables)
    assert re.search(r"GNU_STACK.* RW ", segments)
    assert not re.search(r"LOAD.* RWE ", segments)
    assert ("EXEC (" if target[0] == "mipsel" else "DYN (Position-Independent") in readelf("-h")
    dynamic = readelf("-d")
    assert "NEEDED" not in dynamic and "TEXTREL" not in dynamic
    # Nothing looks symbols up in a file without a loader.
    kinds = set(re.findall(r" (R_[A-Z0-9_]+)", readelf("-r")))
    assert {k for k in kinds if not k.endswith("_RELATIVE")} <= {"R_MIPS_NONE", "R_MIPS_REL32"}


def test_requests_and_bodies(there, upstream, version):
    """16 KiB is a whole record; one byte more or less is two, or one with room."""
    u = upstream(lambda r: reply(hashlib.sha256(r.body).hexdigest().encode() + b" " + r.body))
    p = there("site localhost { tls self-signed\n upstream %s }" % u.address)
    context = p.context(version=version)
    with p.connect(context=context) as c:
        for n in (0, 1, 16383, 16384):
            for body in {CONTENT[:n], (CONTENT + CONTENT)[1:n + 2]}:
                r = c.get("/", method="POST", body=body)
                assert r.status == 200
                assert r.body == hashlib.sha256(body).hexdigest().encode() + b" " + body


def test_redirect_and_chunks(there, upstream):
    u = upstream(lambda r: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                 chunked(CONTENT, b"x", CONTENT[:999]))
    p = there("site localhost { tls self-signed\n upstream %s }" % u.address, http=True)
    r = p.get("/a?b=c", tls=False)
    assert r.status == 308 and r.get("Location").startswith("https://localhost")
    assert p.get("/chunks").body == CONTENT + b"x" + CONTENT[:999]


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                                   "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_suites(there, suite):
    p = there("site localhost { tls self-signed\n respond 200 well }")
    which = ["-tls1_3", "-ciphersuites", suite] if suite.startswith("TLS_") else ["-tls1_2", "-cipher", suite]
    r = subprocess.run(["openssl", "s_client", "-quiet", "-ign_eof", "-connect", "127.0.0.1:%d" % p.port,
                        "-servername", "localhost", *which], input=b"GET / HTTP/1.1\r\nHost: localhost\r\n"
                       b"Connection: close\r\n\r\n", capture_output=True, timeout=30)
    assert r.stdout.endswith(b"\r\n\r\nwell"), r.stderr


def test_a_certificate_that_ends_after_2038(there, target, authority, tmp):
    """Where time had 32 bits it would have ended in 1903."""
    cert, key = authority._issue("late", ["CN=late.test"], ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                                 authority.intermediate, names=["late.test"],
                                 dates=("20260101000000Z", "20400229120000Z"))
    text = "site late.test { tls cert %s key %s\n respond 200 well }" % (cert, key)
    p = there(text)
    assert p.get(host="late.test", sni="late.test").body == b"well"
    served = ssl.get_server_certificate(("127.0.0.1", p.port))
    assert "notAfter=Feb 29 12:00:00 2040 GMT" in openssl("x509", "-noout", "-enddate", "-in", cert)
    with open(cert) as f:
        assert served.strip() in f.read()
    r = subprocess.run([*target[2], target[1], "--validate", "--config", p.conf_path], capture_output=True, text=True,
                       timeout=30)
    assert r.returncode == 0 and re.search(r"certificate until .*2040", r.stdout), r.stdout + r.stderr


def test_a_self_signed_certificate(there, tmp):
    """What it makes itself is encoded, kept, and read again after a restart."""
    state, seen = os.path.join(tmp, "state"), set()
    for _ in range(2):
        p = there("site localhost { tls self-signed\n respond 200 well }", globals="state " + state)
        pem = ssl.get_server_certificate(("127.0.0.1", p.port))
        path = os.path.join(tmp, "pem")
        with open(path, "w") as f:
            f.write(pem)
        assert subprocess.run(["openssl", "x509", "-noout", "-checkend", "86400", "-in", path],
                              capture_output=True).returncode == 0
        seen.add(pem)
        p.signal(signal.SIGTERM)
        p.wait()
    assert len(seen) == 1


def test_health_and_confinement(there, target):
    p = there("site localhost { tls self-signed\n respond 200 well }")
    assert p.get().body == b"well"
    r = subprocess.run([*target[2], target[1], "--health", "--config", p.conf_path], capture_output=True, text=True,
                       timeout=30)
    assert r.returncode == 0, r.stdout + r.stderr
    # QEMU has no filters; where the kernel runs the program itself, it lives on under its own.
    p.wait_log("seccomp: system calls are limited" if not target[2] else "seccomp: ")
    assert p.reload()["ok"]
    assert p.get().body == b"well"
