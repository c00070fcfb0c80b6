# SPDX-License-Identifier: MIT
"""Stopping, reloading and asking: by signal, and by the control socket where there are no signals."""
import json
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

from ports import free_port
from proxy import accepts, run
from rawhttp import CLOSE_NOTIFY, FIN, RESET, Client, Ended
from upstreams import echo, reply
from waiting import Clock, until

ONE = "site localhost { tls self-signed\n respond 200 one }"
TWO = "site localhost { tls self-signed\n respond 200 two }"
BAD = "site localhost { tls self-signed\n respnd 200 three }"


# --- stopping ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_at_once_when_idle(site, number):
    p, u = site(echo, globals="shutdown-timeout 20s")
    with p.connect() as c:
        c.get()
        p.signal(number)
        with Clock() as t:
            assert c.wait_end() == CLOSE_NOTIFY  # the idle connection is told
        assert p.wait() == 0 and t.seconds < 5
    p.wait_log("stop")


def gated(gate):
    def answer(r):
        assert gate.wait(20)
        return reply(b"finished")
    return answer


def test_finishes_what_is_in_flight(site):
    gate = threading.Event()
    p, u = site(gated(gate), globals="shutdown-timeout 20s")
    with p.connect() as c:
        c.request()
        u.wait_requests(1)
        p.signal(signal.SIGTERM)
        until(lambda: not accepts(p.port), 5, "no more is accepted")
        assert p.alive()
        gate.set()
        r = c.response()
        assert r.body == b"finished"
        assert c.wait_end() == CLOSE_NOTIFY
    assert p.wait() == 0


def test_finishes_a_large_response(site):
    body = os.urandom(8 << 20)
    p, u = site(reply(body), globals="shutdown-timeout 20s")
    with p.connect(rcvbuf=8192) as c:
        c.request()
        c.until(b"\r\n\r\n")
        p.signal(signal.SIGTERM)
        until(lambda: not accepts(p.port), 5, "no more is accepted")
        assert c.exactly(len(body)) == body
    assert p.wait() == 0


def test_shutdown_timeout(site):
    gate = threading.Event()
    p, u = site(gated(gate), globals="shutdown-timeout 300ms")
    c = p.connect()
    c.request()
    u.wait_requests(1)
    with Clock() as t:
        p.signal(signal.SIGTERM)
        assert p.wait() == 0
    assert 0.15 < t.seconds < 4
    assert c.wait_end() in (FIN, RESET, CLOSE_NOTIFY)
    gate.set()


def test_second_signal_and_others_do_no_harm(site):
    gate = threading.Event()
    p, u = site(gated(gate), globals="shutdown-timeout 1s")
    c = p.connect()
    c.request()
    u.wait_requests(1)
    p.signal(signal.SIGPIPE)
    p.signal(signal.SIGTERM)
    p.signal(signal.SIGHUP)
    until(lambda: not accepts(p.port), 5, "no more is accepted")
    gate.set()
    assert c.response().body == b"finished"
    assert p.wait() == 0


def test_ends_by_the_control_socket(site):
    p, u = site(echo)
    assert p.admin("stop")["ok"] is True
    assert p.wait() == 0


def test_as_pid_1(site):
    if os.geteuid() != 0 or subprocess.run(["unshare", "--fork", "--pid", "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("a PID namespace is not to be had here")
    p, u = site(echo, prefix=("unshare", "--fork", "--pid", "--kill-child=TERM"))
    assert p.get().status == 200
    assert p.admin("stop")["ok"] is True
    assert p.wait() == 0


def test_closed_standard_output_does_not_end_it(proxy):
    p = proxy(ONE, prefix=("sh", "-c", 'exec "$@" >&-', "sh"))
    for _ in range(5):
        assert p.get().body == b"one"


def test_standard_output_that_nobody_reads(proxy):
    """A full pipe drops log lines; requests go on."""
    r, w = os.pipe()
    try:
        p = proxy(ONE, wait=None)
        p.process = subprocess.Popen(p.argv, stdin=subprocess.DEVNULL, stdout=w, stderr=subprocess.DEVNULL, env=p.env)
        until(lambda: p.listens(p.port), 20, "listening")
        with p.connect() as c:
            for _ in range(600):
                assert c.get("/" + "x" * 200).status == 200
    finally:
        os.close(r)
        os.close(w)
    assert p.get().status == 200  # and with the reader gone, SIGPIPE does not end it


# --- reload ---


@pytest.mark.parametrize("how", ["signal", "admin"])
def test_reload(proxy, how):
    p = proxy(ONE)
    with p.connect() as c:
        assert c.get().body == b"one"
        p.write_conf(TWO)
        if how == "signal":
            p.signal(signal.SIGHUP)
            p.wait_log("reloaded")
        else:
            assert p.admin("reload")["ok"] is True
        assert c.get().body == b"two"  # the connection lives on and takes the new conf
    assert p.get().body == b"two"


def test_reload_of_a_bad_file_changes_nothing(proxy):
    p = proxy(ONE)
    answer = p.reload(BAD)
    assert answer["ok"] is False
    assert re.search(r"proxy\.conf:\d+:\d+: respnd: ", answer["error"]) and "respond" in answer["error"]
    assert p.get().body == b"one"
    p.signal(signal.SIGHUP)
    p.wait_log("reload.*respnd")
    assert p.get().body == b"one"
    assert p.reload(TWO)["ok"] is True
    assert p.get().body == b"two"


def test_reload_with_a_port_in_use_changes_nothing(proxy, upstream):
    u = upstream(echo)
    p = proxy(ONE)
    before = p.preamble
    p.preamble = before + "listen 127.0.0.1:%d\n" % u.port
    answer = p.reload(TWO)
    assert answer["ok"] is False and str(u.port) in answer["error"]
    assert p.get().body == b"one"


def test_reload_adds_and_removes_listeners(proxy):
    p = proxy(ONE)
    first, second = p.port, free_port()
    with p.connect() as c:
        c.get()
        p.preamble = p.preamble.replace("listen 127.0.0.1:%d" % first, "listen 127.0.0.1:%d" % second)
        assert p.reload(TWO)["ok"] is True
        assert not accepts(first)
        p.port = second
        assert p.get().body == b"two"
        assert c.get().body in (b"one", b"two")  # the connection of the closed listener is not cut


def test_reload_with_a_missing_key_changes_nothing(proxy, authority):
    p = proxy(ONE)
    answer = p.reload("site localhost { tls cert /nonexistent/a.pem key /nonexistent/b.key\n respond 200 two }")
    assert answer["ok"] is False and "/nonexistent/a.pem" in answer["error"]
    assert p.get().body == b"one"


def test_reload_takes_a_new_certificate(proxy, authority):
    a, b = authority.leaf("localhost"), authority.other("localhost", "x.test")
    conf = "site localhost { tls cert %s key %s\n respond 200 ok }"
    p = proxy(conf % a)
    with p.connect() as c:
        first = c.tls.getpeercert(True)
        assert p.reload(conf % b)["ok"] is True
        assert c.get().status == 200
    assert p.connect().tls.getpeercert(True) != first


def test_transfers_live_through_a_reload(site):
    gate = threading.Event()
    body = os.urandom(4 << 20)

    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:1000])
        assert gate.wait(20)
        c.send(body[1000:])
    p, u = site(script=script)
    with p.connect() as c:
        c.request()
        assert c.head().status == 200
        for i in range(3):
            assert p.reload(TWO if i % 2 else ONE)["ok"] is True
        gate.set()
        assert c.exactly(len(body)) == body
        assert c.get().body == b"one"


def test_tunnels_live_through_a_reload(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        while True:
            if not c.buffer:
                c.fill()
            data = bytes(c.buffer)
            del c.buffer[:]
            c.send(data)
    p, u = site(script=script)
    with p.connect() as c:
        c.request(fields=[("Connection", "upgrade"), ("Upgrade", "echo")])
        assert c.response().status == 101
        c.send(b"before")
        assert c.exactly(6) == b"before"
        assert p.reload(TWO)["ok"] is True
        c.send(b"after")
        assert c.exactly(5) == b"after"


def test_a_request_keeps_the_conf_it_began_with(site):
    gate = threading.Event()
    p, u = site(gated(gate))
    with p.connect() as c:
        c.request()
        u.wait_requests(1)
        assert p.reload(TWO)["ok"] is True
        gate.set()
        assert c.response().body == b"finished"
        assert c.get().body == b"two"


@pytest.mark.real
def test_ten_reloads_under_load_lose_nothing(site):
    p, u = site(reply(b"x" * 100))
    n = 6000
    load = subprocess.Popen(["h2load", "--h1", "-n", str(n), "-c", "8", "https://127.0.0.1:%d/" % p.port],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = open(p.conf_path).read()
    for i in range(10):
        if load.poll() is None:
            until(lambda k=i: len(u.requests) > 200 * k or load.poll() is not None, 20, "requests")
        with open(p.conf_path, "w") as f:
            f.write(text + "# %d\n" % i)
        assert p.admin("reload")["ok"] is True
    out = load.communicate(timeout=60)[0]
    assert "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in out, out
    assert "status codes: %d 2xx" % n in out, out


@pytest.mark.real
def test_reloads_leave_no_memory(proxy):
    p = proxy(ONE)
    for _ in range(20):
        assert p.admin("reload")["ok"] is True
    before, fds = p.memory("VmRSS"), p.descriptors()
    for _ in range(100):
        assert p.admin("reload")["ok"] is True
    assert p.memory("VmRSS") - before < 200
    assert p.descriptors() <= fds + 1


# --- control ---


def test_status(site):
    p, u = site(echo)
    with p.connect() as c:
        c.get()
        s = p.admin("status")
        assert s["ok"] is True and len(s) > 1


@pytest.mark.parametrize("line", ["", "nonsense", "reload now please", "\0\1\2", "x" * 5000, "STATUS /"])
def test_unknown_line(site, line):
    p, u = site(echo)
    with Client(p.control) as c:
        c.try_send(line + "\n")
        answer = c.some(2) if line else b'{"ok":false}'
        assert not answer or json.loads(answer.split(b"\n")[0])["ok"] is False or answer.startswith(b"HTTP/1.1 4")
    assert p.admin("status")["ok"] is True


def test_several_lines_on_one_connection(site):
    p, u = site(echo)
    with Client(p.control) as c:
        c.send("status\n")
        assert json.loads(c.until(b"\n"))["ok"] is True


def test_health(site):
    p, u = site(echo)
    with Client(p.control) as c:
        c.send("GET /health HTTP/1.1\r\nHost: proxy\r\n\r\n")
        assert c.response().status == 200
    with Client(p.control) as c:
        c.send("GET /other HTTP/1.1\r\nHost: proxy\r\n\r\n")
        assert c.response().status == 404


def test_health_with_curl(site):
    p, u = site(echo)
    r = subprocess.run(["curl", "-q", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", p.control,
                        "http://proxy/health"], capture_output=True, text=True, timeout=10)
    assert r.stdout == "200", r.stderr


def test_health_while_stopping(site):
    gate = threading.Event()
    p, u = site(gated(gate), globals="shutdown-timeout 20s")
    c = p.connect()
    c.request()
    u.wait_requests(1)
    p.signal(signal.SIGTERM)
    until(lambda: not accepts(p.port), 5, "no more is accepted")
    try:
        with Client(p.control) as h:
            h.send("GET /health HTTP/1.1\r\nHost: proxy\r\n\r\n")
            assert h.response().status == 503
    except (FileNotFoundError, ConnectionRefusedError, Ended):
        pass  # no answer is not healthy either
    gate.set()
    assert c.response().status == 200


def test_health_option(site):
    p, u = site(echo)
    assert run("--config", p.conf_path, "--health").returncode == 0
    p.admin("stop")
    p.wait()
    r = run("--config", p.conf_path, "--health")
    assert r.returncode == 1 and r.stderr


def test_admin_on_loopback_tcp(proxy):
    port = free_port()
    p = proxy(ONE, globals="admin 127.0.0.1:%d" % port)
    with Client(("127.0.0.1", port)) as c:
        c.send("status\n")
        assert json.loads(c.until(b"\n"))["ok"] is True


def test_admin_on_tcp_is_not_for_browsers(proxy):
    """A web page can make a browser send a POST to loopback; that must not stop the proxy."""
    port = free_port()
    p = proxy(ONE, globals="admin 127.0.0.1:%d" % port)
    until(lambda: p.listens(port), 10, "the admin listener")
    for request in ("POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: https://evil.test\r\nContent-Type: text/plain\r\n"
                    "Content-Length: 5\r\n\r\nstop\n" % port, "GET /health HTTP/1.1\r\nHost: x\r\n\r\nstop\n"):
        with Client(("127.0.0.1", port)) as c:
            c.try_send(request)
            c.rest() if not c.is_silent(0.2) else None
    assert p.alive() and p.get().status == 200


def test_control_socket_is_private(site):
    p, u = site(echo)
    assert os.stat(p.control).st_mode & 0o007 == 0


def test_stale_control_socket_is_replaced(proxy):
    p = proxy(ONE, wait=None)
    s = socket.socket(socket.AF_UNIX)
    s.bind(p.control)
    s.close()
    p.start()
    until(lambda: p.admin("status")["ok"], 5, "the control socket")


def test_admin_off(proxy):
    p = proxy(ONE, admin=False)
    assert p.get().body == b"one" and not os.path.exists(p.control)
    assert run("--config", p.conf_path, "--health").returncode == 1


def test_reload_to_an_address_that_overlaps(proxy):
    """Whose the port is, which is our own."""
    p = proxy("site localhost { respond 200 x }")
    p.preamble = p.preamble.replace("listen 127.0.0.1:", "listen 0.0.0.0:")
    answer = p.reload("site localhost { respond 200 y }")
    assert not answer["ok"]
    assert "port %d is taken by this proxy's own 127.0.0.1:%d; write one of them" % (p.port, p.port) in answer["error"]
    assert p.get("/").body == b"x"
