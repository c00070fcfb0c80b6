# SPDX-License-Identifier: MIT
"""Many requests by the tools that people measure with: bounded in count and time, and without a single error."""
import random
import re
import ssl
import subprocess
import threading

import pytest

from rawhttp import Ended
from upstreams import reply
from waiting import until

pytestmark = pytest.mark.real


def tool(*args, timeout=60):
    r = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       timeout=timeout)
    return r.stdout


@pytest.fixture
def quick(proxy, nginx):
    """A proxy in front of nginx: a service that is not the bottleneck."""
    port, _ = nginx('location / { return 200 "hello"; }',
                    http="keepalive_requests 1000000;")
    return proxy("site localhost { tls self-signed\n upstream 127.0.0.1:%d\n path /here { respond 200 here } }" % port,
                 globals="log off")


@pytest.mark.parametrize("clients", [1, 32])
def test_h2load(quick, clients):
    n = 4000
    out = tool("h2load", "--h1", "-n", str(n), "-c", str(clients), quick.url("/"))
    assert "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in out and "%d 2xx" % n in out, out


def test_h2load_new_connections(quick):
    """One request on each of several hundred connections."""
    n = 300
    out = tool("h2load", "--h1", "-n", str(n), "-c", str(n), quick.url("/"))
    assert "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in out, out


def test_h2load_pipelined_and_answered_here(quick):
    n = 4000
    out = tool("h2load", "--h1", "-m", "8", "-n", str(n), "-c", "8", quick.url("/here"))
    assert "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in out, out


def test_h2load_posts(site, tmp):
    p, u = site(lambda r: reply(b"%d" % len(r.body)), globals="log off")
    path = tmp + "/data"
    with open(path, "wb") as f:
        f.write(b"x" * 20000)
    n = 500
    out = tool("h2load", "--h1", "-n", str(n), "-c", "8", "-d", path, p.url("/"))
    assert "%d succeeded, 0 failed, 0 errored, 0 timeout" % n in out, out
    assert {len(r.body) for r in u.whole} == {20000}


def test_wrk(quick):
    out = tool("wrk", "-t", "1", "-c", "32", "-d", "2", "--timeout", "5", quick.url("/"))
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    assert int(re.search(r"(\d+) requests in", out).group(1)) > 500, out


def test_memory_after_load(quick):
    tool("h2load", "--h1", "-n", "500", "-c", "50", quick.url("/"))
    until(lambda: quick.descriptors() < 40, 10, "the clients are gone")
    before = quick.memory("VmRSS")
    for _ in range(3):
        tool("h2load", "--h1", "-n", "2000", "-c", "50", quick.url("/"))
    assert quick.memory("VmRSS") - before < 400


def anonymous(p):
    """KiB of memory that no file stands behind."""
    with open("/proc/%d/smaps_rollup" % p.pid) as f:
        return int(re.search(r"^Pss_Anon: +(\d+) kB", f.read(), re.M).group(1))


def test_anonymous_memory_is_small_and_given_back(quick):
    """What base/mem.c and the pool keep for the next request is given back too, within seconds."""
    assert anonymous(quick) < 512
    tool("h2load", "--h1", "-n", "4000", "-c", "1000", quick.url("/"))
    assert quick.memory("VmHWM") - quick.memory("RssFile") > 4096
    until(lambda: anonymous(quick) < 512, 20, "memory is given back")


def resident(p):
    """KiB, the program's own pages included."""
    return p.memory("VmRSS")


def test_resident_memory_of_a_board(proxy):
    """Below 1 MiB at the start, below 4 with 500 idle connections of TLS 1.3."""
    p = proxy("site localhost { respond 200 \"x\" }", asan=False, globals="max-connections-per-address 1000")
    assert resident(p) < 1024
    held = []
    for _ in range(500):
        c = p.connect()
        held.append(c)
        assert c.tls.version() == "TLSv1.3" and c.get().status == 200
    assert resident(p) < 4096
    assert all(c.get().status == 200 for c in held[::50])


def test_resident_memory_of_a_small_router(proxy):
    """--small, with all the connections that it has: below 2 MiB, 40 of them of TLS 1.2, which has no more."""
    p = proxy("site localhost { respond 200 \"x\" }", asan=False, args=["--small"],
              globals="max-connections-per-address off")
    old = p.context(version="TLSv1.2")
    held = [p.connect(context=old) for _ in range(40)] + [p.connect() for _ in range(160)]
    for c in held:
        assert c.get().status == 200
    assert resident(p) < 2048
    assert {c.tls.version() for c in held[:40]} == {"TLSv1.2"} and {c.tls.version() for c in held[40:]} == {"TLSv1.3"}
    held.pop().close()
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        p.connect(context=old)


def test_heap_of_an_idle_connection(quick):
    """Buffers went back to the pool: what stays is BearSSL's engine and ours beside it."""
    n, before = 100, quick.admin("status")["memory_bytes"]
    held = [quick.connect() for _ in range(n)]
    for c in held:
        assert c.get().status == 200
    assert (quick.admin("status")["memory_bytes"] - before) / n < 6500


def test_aborting_clients(site):
    """Clients that go away at any moment do no harm to those that stay."""
    p, u = site(lambda r: reply(b"x" * (200000 if r.target == "/big" else 10)))
    rng = random.Random(1)
    stop = threading.Event()
    trouble = []

    def steady():
        try:
            with p.connect() as c:
                while not stop.is_set():
                    assert c.get().body == b"x" * 10
        except (AssertionError, Ended, OSError) as e:
            trouble.append(e)
    t = threading.Thread(target=steady, daemon=True)
    t.start()
    for i in range(150):
        c = p.connect(handshake=False)
        how = rng.randrange(6)
        if how:
            c.handshake()
        if how >= 2:
            c.send("GET /big HTTP/1.1\r\nHost: localhost\r\n" + ("\r\n" if how >= 3 else ""))
        if how >= 4:
            c.exactly(rng.randrange(1, 100000))
        (c.reset if rng.randrange(2) else c.close)()
        p.clients.remove(c)
    stop.set()
    t.join(10)
    assert not trouble, trouble
    assert p.get().status == 200


def test_many_idle_connections(quick):
    held = [quick.connect() for _ in range(200)]
    for c in held:
        assert c.get().status == 200
    before = quick.memory("VmRSS")
    assert before < 64 * 1024
    for c in held:
        assert c.get().status == 200
