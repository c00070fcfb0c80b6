# SPDX-License-Identifier: MIT
"""What is left in the state folder, and what comes of it, when the proxy is killed at any moment of a first issuance, and when
nothing can be written."""
import os
import re
import shutil
import signal
import subprocess

import pytest

from acme_ca import ISSUED, SITE, SmallCA, certificate, openssl_text, served_by_pebble
from certificates import openssl
from rawhttp import Ended
from waiting import until

pytestmark = pytest.mark.skipif(not shutil.which("pebble"), reason="pebble is not installed")

UNCONFINED = "confine off" + ("\nuser root" if os.geteuid() == 0 else "")


def files(folder):
    """Each file and folder in it, with its mode."""
    for path, folders, names in os.walk(folder):
        yield path, os.stat(path).st_mode & 0o777
        for n in names:
            yield os.path.join(path, n), os.lstat(os.path.join(path, n)).st_mode & 0o777


def check_state(p):
    """All that has a name for good is whole, and nothing is open to others that is not for them."""
    for path, mode in files(p.state):
        if os.path.isdir(path):
            assert mode == 0o700, "%s: %o" % (path, mode)
            continue
        name = os.path.basename(path)
        if name == "key.pem":
            assert mode == 0o600, path
            openssl("pkey", "-in", path, "-noout", "-check")
        elif name == "cert.pem":
            assert mode == 0o644, path
            openssl("verify", "-partial_chain", "-trusted", path, path)
            with open(path) as f:
                text = f.read()
            own = "/self-signed/" in path
            assert text.count("BEGIN CERTIFICATE") == text.count("END CERTIFICATE") >= (1 if own else 2)
            key = os.path.join(os.path.dirname(path) if own else os.path.join(
                p.state, "private", os.path.basename(os.path.dirname(path))), "key.pem")
            assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", path, "-noout", "-pubkey")
        elif name == "schedule":
            with open(path) as f:
                assert all(re.fullmatch(r"[a-z-]+ \d+\n", line) for line in f)
        elif name == ".lock":
            assert os.stat(path).st_size == 0
        elif os.path.basename(os.path.dirname(path)) == "challenge" and not name.startswith(".new-"):
            with open(path) as f:
                assert re.fullmatch(re.escape(name) + r"\.[A-Za-z0-9_-]{43}", f.read())
        else:
            assert re.fullmatch(r"\.new-[0-9a-f]{16}", name), path
            assert mode in (0o600, 0o644), path


def read(p, *path):
    try:
        with open(os.path.join(p.state, *path)) as f:
            return f.read()
    except FileNotFoundError:
        return None


def is_valid(p):
    """Says it so? Not if it is just being killed."""
    try:
        return p.admin("acme status")["certificates"][0]["state"] == "valid"
    except (OSError, Ended):
        return False


# --- killed ---


def dies(p, strace):
    """It runs until it was killed, or has a certificate and has said so; true if it was killed."""
    argv, p.argv = p.argv, strace + p.argv
    try:
        p.start(wait=False)
        until(lambda: not p.alive() or re.search(ISSUED, p.log()) and read(p, "a.test", "schedule"), 60, "the end")
        if not p.alive():
            return True
        stop_traced(p)
        return False
    finally:
        p.argv = argv


def stop_traced(p):
    with open("/proc/%d/task/%d/children" % (p.pid, p.pid)) as f:
        os.kill(int(f.read().split()[0]), signal.SIGTERM)
    assert p.wait() == 0


def traced(call, n):
    """Before a command: it is killed when it makes that call for the nth time, before that has done anything."""
    calls = ",".join("?" + c for c in {"rename": ("rename", "renameat", "renameat2"), "fsync": ("fsync",)}[call])
    return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + calls,
            "-e", "inject=%s:signal=KILL:when=%d" % (calls, n)]


def forget(p):
    shutil.rmtree(p.state)
    os.mkdir(p.state, 0o700)
    for name in ("out", "err"):
        os.truncate(os.path.join(p.dir, name), 0)


def can_trace():
    return bool(shutil.which("strace")) and subprocess.run(["strace", "-o", "/dev/null", "true"],
                                                           capture_output=True).returncode == 0


@pytest.mark.native  # strace would see QEMU
@pytest.mark.parametrize("call", ["rename", pytest.param("fsync", marks=pytest.mark.long)])
def test_killed_at_each_write(ca, call):
    """kill -9 before a file gets its name (rename), and before it and its folder are on the disk (fsync), at the first of
    all such calls, the second, and so on until none is left; and then once more from what that has left."""
    if not can_trace():
        pytest.skip("strace is not installed, or may not trace")
    pebble, p = ca(start=False, asan=False, globals=UNCONFINED)
    had = []
    for n in range(1, 40):
        if not dies(p, traced(call, n)):
            break
        check_state(p)
        kept = [read(p, *path) for path in (("private", "key.pem"), ("private", "a.test", "key.pem"), ("a.test", "cert.pem"))]
        orders, said = pebble.count("Added order"), len(p.log())
        p.start()
        until(lambda: served_by_pebble(p) and is_valid(p), 30,
              "a certificate after the kill at call %d" % n)
        check_state(p)
        for before, path in zip(kept, (("private", "key.pem"), ("private", "a.test", "key.pem"), ("a.test", "cert.pem"))):
            assert before in (None, read(p, *path)), "%s after the kill at call %d" % (path, n)
        assert pebble.count("Added order") - orders == (0 if kept[2] else 1), p.log()[said:]
        had.append([k is not None for k in kept])
        p.signal(signal.SIGTERM)
        assert p.wait() == 0
        forget(p)
    else:
        pytest.fail("there is no end of such calls")
    # The kills were where they were meant to be: with nothing there, with the keys alone, and with the certificate.
    assert [False, False, False] in had and [True, True, False] in had and [True, True, True] in had, had


@pytest.mark.native
def test_killed_at_each_write_of_a_renewal(ca):
    """The certificate that is there, or the new one, is served by the next process; and nothing is ordered for that."""
    if not can_trace():
        pytest.skip("strace is not installed, or may not trace")
    pebble, p = ca(asan=False, globals=UNCONFINED)
    p.wait_log(ISSUED, 20)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    key, chains = read(p, "private", "a.test", "key.pem"), []
    for n in range(1, 40):
        chains.append(read(p, "a.test", "cert.pem"))
        argv, p.argv = p.argv, traced("fsync", n) + p.argv
        p.start()
        p.argv = argv
        assert p.admin("acme renew a.test")["ok"]
        until(lambda: not p.alive() or read(p, "a.test", "cert.pem") != chains[-1] and is_valid(p), 30,
              "the end of the renewal")
        if p.alive():
            stop_traced(p)
            break
        check_state(p)
        orders = pebble.count("Added order")
        p.start()
        with open(os.path.join(p.state, "a.test", "cert.pem")) as f:
            chain = f.read()
        assert certificate(p).strip() == chain[:chain.index("-----END") + 25].strip()
        assert key == read(p, "private", "a.test", "key.pem")
        p.admin("status")
        p.signal(signal.SIGTERM)
        assert p.wait() == 0
        assert pebble.count("Added order") == orders
    else:
        pytest.fail("there is no end of such calls")
    assert 1 < len(set(chains)) < len(chains), "killed both before and after the new one had its name"


# --- nothing can be written ---


@pytest.fixture
def disk(tmp):
    """disk(p, size): the state of p is a file system of its own, which can become full or read-only."""
    mounted = []
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")

    class Disk:
        def __init__(self, p, size="64k"):
            self.path = p.state
            r = subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700,size=" + size, "tmpfs", self.path],
                               capture_output=True, text=True)
            if r.returncode != 0:
                pytest.skip("cannot mount: " + r.stderr)
            mounted.append(self.path)
            p.preamble += "state ephemeral\n"
            p.write_conf(SITE)

        def fill(self):
            with open(os.path.join(self.path, "filler"), "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError as e:
                    assert e.errno == 28

        def drain(self):
            os.unlink(os.path.join(self.path, "filler"))

        def make(self, option):
            subprocess.run(["mount", "-o", "remount," + option, self.path], check=True)

    yield Disk
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)


def gets_one_now(p):
    assert p.admin("acme renew a.test")["ok"]
    p.wait_log(ISSUED, 30)
    assert served_by_pebble(p)
    check_state(p)
    until(lambda: is_valid(p), 10, "it says so")


def test_disk_is_full(ca, disk):
    pebble, p = ca(start=False)
    d = disk(p)
    d.fill()
    p.start()
    p.wait_log(r"acme: a\.test: .*No space left on device.*try 1 failed", 30)
    assert p.get("/", host="a.test", sni="a.test").status == 200
    c = p.admin("acme status")["certificates"][0]
    assert c["state"] == "failing" and "No space left on device" in c["problem"]
    assert pebble.count("Added order") == 0  # nothing is asked for that could not be kept
    d.drain()
    gets_one_now(p)
    assert pebble.issued() == 1


def test_disk_is_full_when_the_certificate_comes(proxy, authority, tmp, disk):
    p = proxy(SITE, http=True, wait=None)
    c = SmallCA(authority, tmp, p.http_port)
    try:
        p.preamble += c.conf() + "\n"
        d = disk(p)
        give = c._certificate

        def full(*args):
            if len(c.orders) == 1:
                d.fill()
            give(*args)
        c._certificate = full
        p.start()
        p.wait_log(r"acme: a\.test: the new certificate cannot be written to .*No space left on device; it is kept", 30)
        assert not os.path.exists(os.path.join(p.state, "a.test", "cert.pem"))
        assert p.get("/", host="a.test", sni="a.test").status == 200
        key = read(p, "private", "a.test", "key.pem")
        d.drain()
        check_state(p)
        p.wait_log(ISSUED, 30)
        assert "Test Intermediate" in openssl_text(certificate(p), "-issuer")
        assert read(p, "private", "a.test", "key.pem") == key and len(c.orders) == 1 and not c.complaints
    finally:
        c.close()


def test_disk_is_full_at_a_renewal(ca, disk):
    """What is there is served on, and stays."""
    pebble, p = ca(start=False)
    d = disk(p)
    p.start()
    p.wait_log(ISSUED, 30)
    before, chain = certificate(p), read(p, "a.test", "cert.pem")
    d.fill()
    assert p.admin("acme renew a.test")["ok"]
    p.wait_log(r"acme: a\.test: .*No space left on device.*try 1 failed", 30)
    assert certificate(p) == before and read(p, "a.test", "cert.pem") == chain
    d.drain()
    assert p.admin("acme renew a.test")["ok"]
    until(lambda: certificate(p) != before, 30, "the new one")
    check_state(p)


def test_disk_is_read_only(ca, disk):
    pebble, p = ca(start=False)
    d = disk(p)
    d.make("ro")
    p.start()
    p.wait_log(r"acme: a\.test: .*Read-only file system.*try 1 failed", 30)
    assert p.get("/", host="a.test", sni="a.test").status == 200
    assert pebble.count("Added order") == 0
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.start()
    p.admin("status")
    d.make("rw")
    gets_one_now(p)


def test_disk_becomes_read_only(ca, disk):
    """As when a file system has an error: what is there is served, also after a restart."""
    pebble, p = ca(start=False)
    d = disk(p)
    p.start()
    p.wait_log(ISSUED, 30)
    before = certificate(p)
    d.make("ro")
    assert p.admin("acme renew a.test")["ok"]
    p.wait_log(r"acme: a\.test: .*Read-only file system.*try 1 failed", 30)
    assert certificate(p) == before
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.start()
    assert certificate(p) == before
    d.make("rw")
