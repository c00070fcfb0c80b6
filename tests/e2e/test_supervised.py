# SPDX-License-Identifier: MIT
"""Under a supervisor that speaks systemd's protocols: readiness by datagram, listening sockets handed over."""
import os
import signal
import socket
import sys

import pytest

from ports import free_port
from waiting import until

SITE = "site localhost { respond 200 \"here\\n\" }"

# Opens what systemd would, from descriptor 3 on, and becomes the program.
LAUNCHER = """
import os, socket, sys
count = int(sys.argv[1])
for i in range(count):
    port = int(sys.argv[2 + i])
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "SNDBUF" in os.environ:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(os.environ["SNDBUF"]))
    s.bind(("127.0.0.1", port))
    s.listen(10)
    os.dup2(s.fileno(), 100 + i)
for i in range(count):
    os.dup2(100 + i, 3 + i)
    os.close(100 + i)
os.environ["LISTEN_PID"] = str(os.getpid() + int(os.environ.get("PID_OFF", 0)))
os.environ["LISTEN_FDS"] = str(count)
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


def handed(proxy, ports, conf=SITE, **kw):
    return proxy(conf, prefix=[sys.executable, "-c", LAUNCHER, str(len(ports)), *map(str, ports)], **kw)


def inodes(pid):
    return {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)}


def test_listening_sockets_are_taken(proxy):
    """And nothing is bound: the port may be one that only the supervisor has the right to."""
    port = free_port()
    p = handed(proxy, [port], globals="listen 127.0.0.1:%d" % port, tls=False)
    until(lambda: p.listens(port), 10, "listening")
    p.port = port
    assert p.get("/", host="localhost").status == 200
    assert os.readlink("/proc/%d/fd/3" % p.pid).startswith("socket:")
    assert p.reload(SITE)["ok"]
    assert p.get("/", host="localhost").status == 200


def test_socket_that_nothing_asks_for(proxy):
    other = free_port()
    p = handed(proxy, [other])
    p.wait_log(r"warn a socket that listens on 127\.0\.0\.1:%d was handed over, and no listen" % other)
    until(lambda: not p.listens(other), 10, "the other one to be closed")
    assert p.get("/", host="localhost").status == 200


def test_sockets_for_another_process_are_left_alone(proxy):
    other = free_port()
    p = handed(proxy, [other], env={"PID_OFF": "1"})
    assert p.get("/", host="localhost").status == 200
    assert p.listens(other) and "handed over" not in p.log()


@pytest.mark.parametrize("asan", [None, False])
@pytest.mark.parametrize("abstract", [False, True])
def test_readiness(proxy, tmp, abstract, asan):
    """Also from the binary that ships, which is confined."""
    name = "@proxy-%d" % os.getpid() if abstract else os.path.join(tmp, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("\0" + name[1:] if abstract else name)
        s.settimeout(10)
        if not abstract:
            os.chmod(name, 0o777)
        p = proxy(SITE, env={"NOTIFY_SOCKET": name}, asan=asan)
        assert s.recv(100) == b"READY=1"
        assert p.get("/", host="localhost").status == 200
        assert p.reload(SITE)["ok"]
        assert s.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert s.recv(100) == b"READY=1"
        assert not p.reload("site {")["ok"] # and a reload that fails is over too
        assert s.recv(100).startswith(b"RELOADING=1\n") and s.recv(100) == b"READY=1"
        p.signal(signal.SIGTERM)
        assert s.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("name", ["", "relative", "/nonexistent/socket", "@", "/" + "x" * 200])
def test_nobody_to_tell(proxy, name):
    p = proxy(SITE, env={"NOTIFY_SOCKET": name})
    assert p.get("/", host="localhost").status == 200
