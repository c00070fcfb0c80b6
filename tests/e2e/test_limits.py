# SPDX-License-Identifier: MIT
"""What a slow, greedy or silent peer can hold, and for how long."""
import os
import ssl
import subprocess
import threading
import time

import pytest

from ports import free_port
from rawhttp import CLOSE_NOTIFY, FIN, RESET, Client, Ended
from test_supervised import handed
from upstreams import echo, reply
from waiting import Clock, until

END = (CLOSE_NOTIFY, FIN, RESET)


def ends_within(c, low, high):
    with Clock() as t:
        end = c.wait_end()
    assert end in END
    assert low <= t.seconds <= high, "ended after %g s" % t.seconds
    return end


# At the top of the file, or in the site that was asked for.
set_in = pytest.mark.parametrize("where", ["globals", "extra"])

# --- timeouts ---


def test_handshake_timeout(site):
    p, u = site(echo, globals="handshake-timeout 300ms")
    with Client(("127.0.0.1", p.port)) as c:
        ends_within(c, 0.15, 3)
    with p.connect(handshake=False) as c:
        try:
            c.tls.do_handshake()
        except Exception:
            pass
        hello = c.outgoing.read()
        c.send_wire(hello[:50])
        ends_within(c, 0.15, 3)
    p.wait_log("handshake.*timeout")


def test_handshake_timeout_is_not_renewed_by_bytes(site):
    """One byte now and then does not keep it open."""
    p, u = site(echo, globals="handshake-timeout 400ms")
    c = Client(("127.0.0.1", p.port))
    with Clock() as t:
        c.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        while t.so_far() < 5 and c.try_send(b"a") and c.is_silent(0.03):
            pass
    assert t.seconds < 3
    c.close()


def test_header_timeout(site):
    """The whole head has so long: slowloris gets nowhere."""
    p, u = site(echo, globals="header-timeout 400ms")
    with p.connect() as c:
        with Clock() as t:
            c.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
            i = 0
            while t.so_far() < 5 and c.try_send("X-%d: y\r\n" % i) and c.is_silent(0.03):
                i += 1
            got = c.rest()
        assert 0.2 < t.seconds < 3
        assert got == b"" or got.startswith(b"HTTP/1.1 408")
    assert u.requests == []
    p.wait_log("request head.*timeout|header.*timeout|408")


@pytest.mark.full
def test_many_slowloris_do_not_hold_up_others(site):
    p, u = site(echo, globals="header-timeout 1s")
    slow = [p.connect() for _ in range(100)]
    for c in slow:
        c.send("GET / HTTP/1.1\r\nX")
    with Clock() as t:
        assert p.get().status == 200
    assert t.seconds < 2
    for c in slow:
        assert c.wait_end() in END


@set_in
def test_body_timeout(site, where):
    p, u = site(echo, **{where: "body-timeout 300ms"})
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123")
        with Clock() as t:
            got = c.rest()
        assert 0.15 < t.seconds < 3 and (got == b"" or got.startswith(b"HTTP/1.1 408"))
    assert u.whole == []


def test_idle_timeout(site):
    p, u = site(echo, globals="idle-timeout 300ms\nheader-timeout 300ms")
    with p.connect() as c:
        c.get()
        assert ends_within(c, 0.15, 3) == CLOSE_NOTIFY
    with p.connect() as c:  # without a single request
        assert ends_within(c, 0.15, 3) in END  # its first head has the header's time


@set_in
def test_idle_timeout_begins_anew_with_each_request(site, where):
    p, u = site(echo, **{where: "idle-timeout 400ms"})
    with p.connect() as c, Clock() as t:
        while t.so_far() < 1.0:
            assert c.get().status == 200
            assert c.is_silent(0.1)


@set_in
def test_min_rate_of_a_request_body(site, where):
    p, u = site(echo, **{where: "min-rate 10000 200ms\nbody-timeout 5s"})
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
        with Clock() as t:
            while t.so_far() < 8 and c.try_send("x") and c.is_silent(0.02):
                pass
            c.rest()
        assert t.seconds < 5
    p.wait_log("min-rate|slow")


@set_in
def test_min_rate_of_a_reader(site, where):
    """Reads all the time, but at a quarter of the rate: no stall that another limit would end."""
    p, u = site(reply(b"x" * (64 << 20)), **{where: "min-rate 4000000 300ms\nresponse-timeout 1s"})
    c = p.connect(rcvbuf=65536)
    c.request()
    c.until(b"\r\n\r\n")
    with Clock() as t:
        while t.so_far() < 15 and "min-rate" not in p.log():
            try:
                c.sock.recv(20000)
            except OSError:
                break
            time.sleep(0.02)  # the rate of this reader
    p.wait_log("slower than min-rate", timeout=2)
    c.reset()


@set_in
def test_reader_that_reads_nothing(site, where):
    p, u = site(reply(b"x" * (16 << 20)), **{where: "response-timeout 400ms"})
    c = p.connect(rcvbuf=4096)
    c.request()
    until(lambda: u.requests, 5, "the request")
    with Clock() as t:
        p.wait_log("not read|timeout|min-rate", timeout=5)
    assert t.seconds < 4
    c.close()


def test_fast_enough_is_left_alone(site):
    p, u = site(echo, globals="min-rate 240 100ms\nbody-timeout 500ms")
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(19):
            c.send("x" * 50)
            assert c.is_silent(0.03)
        c.send("x" * 50)
        assert c.response().status == 200


# --- behind the last byte of a response ---

REST = b"x" * 65000  # more than the kernels of `narrow` take, and less than the proxy has room for


@pytest.fixture
def narrow(proxy, upstream):
    """narrow(directives): a proxy whose connections have little room in the kernel: the most of REST waits in it, long
    after the exchange is over."""
    def start(directives):
        u, port = upstream(reply(REST)), free_port()
        p = handed(proxy, [port], "site localhost { tls self-signed\n upstream %s }" % u.address, tls=False,
                   globals="listen 127.0.0.1:%d\n%s" % (port, directives), env={"SNDBUF": "8192"})
        until(lambda: p.listens(port), 10, "listening")
        p.port = port
        return p
    return start


def last_request(p):
    """A reader that has its answer's head when the exchange is over for the proxy."""
    c = p.connect(rcvbuf=4096)
    c.request(fields=[("Connection", "close")])
    c.until(b"\r\n\r\n")
    p.wait_log('"GET / HTTP/1.1" 200 ')
    return c


def sip(c, pause, enough=1 << 30):
    """Reads what there is at this pace, until its end or until it has enough; how much it was."""
    got = 0
    while got < enough:
        data = c.some()
        if not data:
            break
        got += len(data)
        time.sleep(pause)  # the rate of this reader
    return got


@pytest.mark.full
@pytest.mark.parametrize("directives, pause", [("response-timeout 200ms\nmin-rate 1000 100ms", 0.1), pytest.param(
    "", 4, marks=pytest.mark.long)])
def test_slow_reader_of_the_last_response_gets_all_of_it(narrow, directives, pause):
    c = last_request(narrow(directives))
    with Clock() as t:
        assert sip(c, pause) == len(REST)
    assert c.ended == CLOSE_NOTIFY
    assert t.seconds > 9 * pause  # so much longer than the limits that look at it, and than 30 s


@pytest.mark.full
@pytest.mark.parametrize("directives, pause, said", [
    ("response-timeout 300ms", None, "response not read: timeout after 300 ms"),
    ("min-rate 1000000 300ms\nresponse-timeout 5s", 0.2, "slower than min-rate 1000000 bytes/s")])
def test_reader_of_the_last_response_that_is_too_slow(narrow, directives, pause, said):
    p = narrow(directives)
    c = last_request(p)
    if pause:
        with pytest.raises(Ended), Clock() as t:
            while t.so_far() < 5:
                sip(c, pause, 1)
                if c.ended:
                    raise Ended(c.ended, b"")
        assert c.ended == RESET
    p.wait_log(said)


@set_in
def test_idle_begins_when_the_response_has_been_read(site, where):
    p, u = site(reply(REST), **{where: "idle-timeout 600ms"})
    c = p.connect(rcvbuf=4096).request()
    c.until(b"\r\n\r\n")
    with Clock() as t:
        assert sip(c, 0.1, len(REST)) == len(REST)
        assert t.so_far() > 0.9
    assert c.get().status == 200
    assert ends_within(c, 0.3, 4) == CLOSE_NOTIFY


@set_in
def test_response_in_the_kernel_that_nobody_reads(site, where):
    p, u = site(reply(REST), **{where: "response-timeout 300ms"})
    c = p.connect(rcvbuf=4096).request()
    c.until(b"\r\n\r\n")
    p.wait_log("response not read: timeout after 300 ms")


def test_pipelined_after_what_has_not_been_read(site):
    """What is read of the first responses, which the kernel has, is progress while a later one waits."""
    p, u = site(reply(REST), globals="response-timeout 400ms\nmin-rate off")
    c = p.connect(rcvbuf=4096)
    c.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
    with Clock() as t:
        while t.so_far() < 1.5:
            assert sip(c, 0.05, 1), "ended after %g s" % t.so_far()
    c.reset()


def test_idle_timeout_is_that_of_the_site_asked_last(proxy, upstream):
    u = upstream(echo)
    p = proxy("site a.test { tls off\n upstream %s\n idle-timeout 200ms }\n"
              "site b.test { tls off\n upstream %s }" % (u.address, u.address), http=True, tls=False)
    with p.connect(tls=False) as c:
        assert c.get(host="a.test").status == 200
        assert c.get(host="b.test").status == 200
        assert c.is_silent(0.6)
        assert c.get(host="a.test").status == 200
        assert ends_within(c, 0.1, 3) == FIN


# --- sizes ---


def test_max_body(site):
    p, u = site(echo, globals="max-body 1000")
    assert p.get(method="POST", body=b"x" * 1000).status == 200
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n")
        assert c.response().status == 413
        assert c.wait_end() in END
    with p.connect() as c:
        c.try_send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1f4\r\n%s\r\n" % (
            b"x" * 500) * 3 + b"0\r\n\r\n")
        try:
            assert c.response().status == 413
        except Ended:
            pass
    assert len(u.whole) == 1


def test_limits_by_site(proxy, upstream):
    u = upstream(echo)
    p = proxy("site a.test { tls self-signed\n upstream %s\n max-body 10 }\n"
              "site b.test { tls self-signed\n upstream %s }" % (u.address, u.address), globals="max-body 100")
    for name, status in (("a.test", 413), ("b.test", 200)):
        assert p.get(sni=name, host=name, method="POST", body=b"x" * 50).status == status


# --- connections ---


def test_connections_per_address(site):
    p, u = site(echo, globals="max-connections-per-address 5")
    held = [p.connect() for _ in range(5)]
    with pytest.raises((Ended, OSError)):
        p.connect(timeout=3).get()
    other = p.connect(source="127.0.0.2")
    assert other.get().status == 200
    for c in held:
        assert c.get().status == 200  # those that are there go on
    held.pop().close()

    def again():
        try:
            with p.connect(timeout=3) as c:
                return c.get().status == 200
        except (Ended, OSError):
            return False
    until(again, 5, "a place is free again")
    assert len(p.wait_log("per-address").group(0)) > 0


def test_max_connections(site):
    p, u = site(echo, globals="max-connections 10")
    held = [p.connect() for _ in range(10)]
    for c in held:
        assert c.get().status == 200
    extra = p.connect(handshake=False)
    result = []

    def late():
        try:
            extra.handshake()
            result.append(extra.get().status)
        except (Ended, OSError) as e:
            result.append(e)
    t = threading.Thread(target=late, daemon=True)
    t.start()
    for c in held:
        assert c.get().status == 200
    p.wait_log("max-connections")
    assert not [r for r in result if r == 200]
    held.pop().close()
    t.join(5)
    # It waited and is served, or was refused; then a new one is served now.
    if result != [200]:
        until(lambda: p.get().status == 200, 5, "served again")


def test_log_says_it_once_a_second_at_most(site):
    p, u = site(echo, globals="max-connections-per-address 1")
    held = p.connect()
    held.get()
    with Clock() as t:
        for _ in range(60):
            try:
                with Client(("127.0.0.1", p.port)) as c:
                    c.wait_end()
            except OSError:
                pass  # refused before it was seen
    assert p.log().count("per-address") <= t.seconds + 2


@pytest.mark.real
def test_out_of_descriptors(site):
    """At EMFILE it goes on with what it has, says so, and recovers by itself."""
    p, u = site(reply(b"x"), prefix=("prlimit", "--nofile=64:64"))
    clients = []
    for _ in range(100):
        clients.append(Client(("127.0.0.1", p.port), timeout=5))
    alive = p.alive()
    assert alive
    p.wait_log("max-connections|descriptor|too many open files|EMFILE|not accepting")
    for c in clients:
        c.close()

    def served():
        try:
            return p.get().status == 200
        except (Ended, OSError):
            return False
    until(served, 10, "it recovers")
    with open("/proc/%d/stat" % p.pid) as f:
        before = sum(map(int, f.read().split()[13:15]))
    assert p.get().status == 200
    with open("/proc/%d/stat" % p.pid) as f:
        assert sum(map(int, f.read().split()[13:15])) - before < 20  # it does not spin


@pytest.mark.real
@pytest.mark.full
def test_descriptors_run_out_under_it(site):
    """The limit sinks below what is in use: accept fails with EMFILE itself."""
    same_user = "user root" if os.geteuid() == 0 else ""  # so that its limits may be set
    p, u = site(reply(b"x"), globals=same_user)
    with p.connect() as c:
        assert c.get().status == 200
        n = p.descriptors()
        subprocess.run(["prlimit", "--pid", str(p.pid), "--nofile=%d:" % n], check=True)
        waiting = Client(("127.0.0.1", p.port), p.context(), handshake=False)
        p.wait_log("not accepting|descriptor|too many open files")
        assert c.get().status == 200  # the upstream connection is reused
        used = cpu(p)
        assert c.is_silent(0.3)
        assert cpu(p) - used < 0.2, "it spins while it cannot accept"
        subprocess.run(["prlimit", "--pid", str(p.pid), "--nofile=4096:"], check=True)
        waiting.handshake()
        assert waiting.get().status == 200
        waiting.close()


def cpu(p):
    """Seconds of CPU that it has used."""
    with open("/proc/%d/stat" % p.pid) as f:
        parts = f.read().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.real
@pytest.mark.full
def test_no_spinning_when_idle(site):
    p, u = site(echo)
    held = [p.connect() for _ in range(20)]
    for c in held:
        c.get()
    half = p.connect()
    half.truncate()
    used = cpu(p)
    assert held[0].is_silent(0.5)
    assert cpu(p) - used < 0.1


def test_connections_of_tls12_have_a_cap_of_their_own(site):
    """Also over a reload, which counts those that there are; TLS 1.3 goes on, and so does 1.2 when one has ended."""
    p, u = site(echo, globals="max-tls12-connections 2")
    old = p.context(version="TLSv1.2")
    held = [p.connect(context=old) for _ in range(2)]
    assert all(c.get().status == 200 for c in held)
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        p.connect(context=old)
    p.wait_log("too many connections of TLS 1.2")
    assert p.get().status == 200
    p.preamble = p.preamble.replace("max-tls12-connections 2", "max-tls12-connections 3")
    assert p.reload("site localhost { tls self-signed\n upstream %s }" % u.address)["ok"]
    held.append(p.connect(context=old))
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        p.connect(context=old)
    held.pop().close()

    def served():
        try:
            return p.get(context=old).status == 200
        except OSError:
            return False
    until(served, 10, "room for another")
    assert all(c.get().status == 200 for c in held)


@pytest.mark.real
@pytest.mark.full
def test_memory_cap_is_a_clean_refusal(site):
    p, u = site(echo, globals="max-memory 1500000\nmax-connections 4000")
    held = []
    refused = 0
    for _ in range(300):
        try:
            c = p.connect(timeout=3)
            c.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
            held.append(c)
        except (Ended, OSError):
            refused += 1
            if refused > 5:
                break
    assert p.alive()
    for c in held:
        c.close()

    def served():
        try:
            return p.get(timeout=3).status == 200
        except (Ended, OSError):
            return False
    until(served, 10, "it recovers")


# --- what is left behind ---


@pytest.mark.real
def test_descriptors_come_back(site):
    p, u = site(echo)
    p.get()
    before = p.descriptors()
    for how in ("close", "reset", "truncate"):
        for _ in range(20):
            c = p.connect()
            c.get()
            getattr(c, how)()
    until(lambda: p.descriptors() <= before + 1, 8, "descriptors back at %d" % before)


STAGES = {
    "connect": lambda p: Client(("127.0.0.1", p.port)),
    "half a hello": lambda p: Client(("127.0.0.1", p.port)).send(b"\x16\x03\x01\x02\x00\x01"),
    "handshake": lambda p: p.connect(),
    "half a head": lambda p: p.connect().send("GET / HTTP/1.1\r\nHo"),
    "half a body": lambda p: p.connect().send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"),
    "waiting": lambda p: p.connect().send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "in a response": lambda p: p.connect(rcvbuf=4096).send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "idle": lambda p: p.connect().request(),
}


@pytest.mark.real
@pytest.mark.parametrize("count", [40, pytest.param(100000 // len(STAGES), marks=pytest.mark.long)])
@pytest.mark.parametrize("stage", STAGES)
def test_connections_ended_at_every_stage_leave_nothing(site, stage, count):
    def script(c):
        while True:
            r = c.read_request()
            if r.target == "/wait":
                c.drain()
                return
            c.send(reply(b"x" * (4 << 20) if r.target == "/big" else b"ok"))
    p, u = site(script=script, globals="max-connections-per-address off")

    def round_of(n):
        for i in range(n):
            c = STAGES[stage](p)
            p.clients[:] = []
            (c.reset if i % 2 else c.close)()
        until(lambda: p.descriptors() <= fds + 2, 20, "descriptors come back")
    p.get()
    fds = p.descriptors()
    round_of(count // 2 + 1)
    before = p.memory("VmRSS")
    round_of(count)
    assert p.memory("VmRSS") - before < 300, "memory grew by %d KiB" % (p.memory("VmRSS") - before)
