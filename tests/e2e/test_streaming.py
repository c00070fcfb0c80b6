# SPDX-License-Identifier: MIT
"""Bodies of any size in bounded memory, both ways, whoever is slow; and small pieces without delay."""
import os
import threading

import pytest

from rawhttp import Client
from upstreams import reply
from waiting import Clock, until

MIB = 1 << 20
SIZE = 64 * MIB
LONG = 10 << 30
# KiB. What one transfer may hold is about 245, in pages: the scratch buffer (64, touched for the first time), an unsent 64 and
# the record on top of it (five buffers of 20), a read of 64 that the other side has not taken (four). What else it
# touches for the first time, the stack and the transfer's own structs, has been seen to pass 256 once in fifteen runs.
GROWTH = 384
BLOCK = os.urandom(1 << 18)

sizes = pytest.mark.parametrize("version, size", [
    ("TLSv1.2", SIZE), ("TLSv1.3", SIZE), pytest.param("TLSv1.3", LONG, marks=pytest.mark.long)])
framings = pytest.mark.parametrize("framing", ["length", "chunked", "close"])


def send_body(send, size, chunked):
    """size bytes in blocks; a sender of bytes."""
    head, tail = (b"%x\r\n" % len(BLOCK), b"\r\n") if chunked else (b"", b"")
    for _ in range(size // len(BLOCK)):
        send(head + BLOCK + tail)
    if chunked:
        send(b"0\r\n\r\n")


def downloads(size, framing):
    head = {"length": b"Content-Length: %d\r\n" % size, "chunked": b"Transfer-Encoding: chunked\r\n",
            "close": b""}[framing]

    def script(c):
        while True:
            r = c.read_request()
            if r.target == "/small":
                c.send(reply(b"small"))
                continue
            c.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
            send_body(c.send, size, framing == "chunked")
            if framing == "close":
                return
    return script


class Counting(Client):
    """Reads a body of which only the size matters."""

    def body_size(self, r):
        if r.get("Content-Length"):
            want = int(r.get("Content-Length"))
            got = 0
            while got < want:
                if not self.buffer:
                    self._more()
                got += len(self.buffer)
                del self.buffer[:]
            return got
        total = 0
        while True:
            n = int(self.until(b"\r\n")[:-2], 16)
            left = n + 2
            while left:
                if not self.buffer:
                    self._more()
                take = min(left, len(self.buffer))
                del self.buffer[:take]
                left -= take
            if n == 0:
                return total
            total += n


def counting(p, version=None, **kw):
    c = Counting(("127.0.0.1", p.port), p.context(version=version), timeout=60, **kw)
    p.clients.append(c)
    return c


@pytest.mark.real
@sizes
@framings
def test_download(site, version, size, framing):
    p, u = site(script=downloads(size, framing))
    c = counting(p, version)
    assert c.get("/small").body == b"small"
    before = p.memory()
    c.request()
    assert c.body_size(c.head()) == size // len(BLOCK) * len(BLOCK)
    assert p.memory() - before < GROWTH
    assert c.get("/small").body == b"small"


@pytest.mark.real
@sizes
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_upload(site, version, size, framing):
    def script(c):
        while True:
            r = c.read_head()
            if r.target == "/small":
                c.send(reply(b"small"))
                continue
            if framing == "length":
                c.drain(size - len(c.buffer))
                c.send(reply(b"%d" % size))
                continue
            total = 0
            while True:
                n = int(c.until(b"\r\n")[:-2], 16)
                c.exactly(n + 2)
                total += n
                if n == 0:
                    break
            c.send(reply(b"%d" % total))
    p, u = site(script=script)
    c = counting(p, version)
    assert c.get("/small").body == b"small"
    before = p.memory()
    c.send("POST /big HTTP/1.1\r\nHost: localhost\r\n" + (
        "Content-Length: %d\r\n\r\n" % size if framing == "length" else "Transfer-Encoding: chunked\r\n\r\n"))
    send_body(c.send, size, framing == "chunked")
    assert c.response().body == b"%d" % size
    assert p.memory() - before < GROWTH


@pytest.mark.real
@framings
@pytest.mark.native
def test_slow_client_stops_the_upstream(site, version, framing):
    """The client reads nothing: what the upstream can send is what the buffers hold, far below the whole."""
    sent = [0]

    def script(c):
        if c.read_request().target == "/small":
            c.send(reply(b"small"))
            return
        c.send(b"HTTP/1.1 200 OK\r\n" + {"length": b"Content-Length: %d\r\n" % SIZE, "close": b"",
                                       "chunked": b"Transfer-Encoding: chunked\r\n"}[framing] + b"\r\n")

        def send(data):
            c.send(data)
            sent[0] += len(data)
        send_body(send, SIZE, framing == "chunked")
    p, u = site(script=script)
    counting(p, version).get("/small")
    before = p.memory()
    c = counting(p, version, rcvbuf=4096)
    c.request()
    c.until(b"\r\n")
    stalled = settle(lambda: sent[0])
    assert 0 < stalled < SIZE // 2
    assert p.memory() - before < GROWTH
    c.until(b"\r\n\r\n")  # and it goes on
    for _ in range(40):
        c._more()
        del c.buffer[:]
    c.reset()
    until(lambda: not u.connections[-1].sock.fileno() >= 0 or u.connections[-1].ended, 10, "the upstream's end")


@pytest.mark.native
@pytest.mark.real
def test_slow_upstream_stops_the_client(site, version):
    gate = threading.Event()

    def script(c):
        if c.read_head().target == "/small":
            c.send(reply(b"small"))
            return
        gate.wait(30)
        c.drain(SIZE - len(c.buffer))
        c.send(reply(b"done"))
    p, u = site(script=script)
    counting(p, version).get("/small")
    before = p.memory()
    c = counting(p, version)
    sent = [0]

    def upload():
        c.send("PUT /big HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % SIZE)

        def send(data):
            c.send(data)
            sent[0] += len(data)
        send_body(send, SIZE, False)
    t = threading.Thread(target=upload, daemon=True)
    t.start()
    stalled = settle(lambda: sent[0])
    assert 0 < stalled < SIZE // 2
    assert p.memory() - before < GROWTH
    gate.set()
    t.join(60)
    assert sent[0] == SIZE and c.response().body == b"done"
    assert p.memory() - before < GROWTH


def settle(value, quiet=0.25, timeout=15):
    """The value once it has begun to grow and then has not for a while."""
    state = {"last": value(), "since": None}
    clock = Clock().__enter__()

    def still():
        now = value()
        if now != state["last"] or now == 0:
            state["last"], state["since"] = now, clock.so_far()
            return False
        return clock.so_far() - (state["since"] or 0) > quiet
    until(still, timeout, "coming to rest")
    return state["last"]


def test_slow_client_does_not_hold_up_others(site):
    p, u = site(script=downloads(SIZE, "length"))
    slow = counting(p, rcvbuf=4096)
    slow.request()
    slow.until(b"\r\n\r\n")
    with Clock() as t:
        for _ in range(20):
            assert p.get("/small").body == b"small"
    assert t.seconds < 5
    slow.reset()


def test_both_directions_at_once(site):
    """An upstream that answers while it reads: the echo of a large body, never held whole."""
    size = 8 * MIB

    def script(c):
        c.read_head()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        left = size
        while left:
            if not c.buffer:
                c.fill()
            data = bytes(c.buffer)
            del c.buffer[:]
            c.send(data)
            left -= len(data)
    p, u = site(script=script)
    c = counting(p)
    c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
    got = []

    # The TLS object serves one thread at a time, so: a block up, then its echo down.
    head_done = False
    for i in range(size // len(BLOCK)):
        c.send(BLOCK)
        if not head_done:
            assert c.head().status == 200
            head_done = True
        got.append(c.exactly(len(BLOCK)) == BLOCK)
    assert all(got)


@framings
def test_small_pieces_come_at_once(site, framing):
    """Server-sent events: the next is written only when the one before has arrived."""
    arrived = threading.Semaphore(0)
    events = [b"data: %d\n\n" % i for i in range(50)]
    head = {"length": b"Content-Length: %d\r\n" % sum(map(len, events)), "close": b"",
            "chunked": b"Transfer-Encoding: chunked\r\n"}[framing]

    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + head + b"\r\n")
        for e in events:
            assert arrived.acquire(timeout=10), "an event was held back"
            c.send(b"%x\r\n%s\r\n" % (len(e), e) if framing == "chunked" else e)
        if framing == "chunked":
            c.send(b"0\r\n\r\n")
    p, u = site(script=script)
    with p.connect() as c:
        c.request()
        with Clock() as t:
            c.until(b"\r\n\r\n")
            for e in events:
                arrived.release()
                c.until(e)
        assert t.seconds < 4  # 50 turns without a timer in any of them


def test_head_comes_before_the_body(site):
    gate = threading.Event()

    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        assert gate.wait(10)
        c.send(b"body")
    p, u = site(script=script)
    with p.connect() as c:
        c.request()
        c.until(b"\r\n\r\n")
        gate.set()
        assert c.exactly(4) == b"body"


def test_request_body_goes_up_at_once(site):
    got = threading.Semaphore(0)

    def script(c):
        c.read_head()
        for _ in range(20):
            c.until(b"piece")
            got.release()
        c.until(b"0\r\n\r\n")
        c.send(reply(b"ok"))
        c.drain()
    p, u = site(script=script)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            c.send(b"5\r\npiece\r\n")
            assert got.acquire(timeout=10), "a piece was held back"
        c.send(b"0\r\n\r\n")
        assert c.response().body == b"ok"


@pytest.mark.parametrize("n", [0, 1, 511, 512, 4095, 4096, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 300001])
def test_sizes_around_the_buffers(site, n):
    data = (BLOCK * 2)[:n]
    p, u = site(lambda r: reply(r.body))
    with p.connect() as c:
        assert c.get(method="POST", body=data).body == data
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (n, data) if n else b"0\r\n\r\n"
        assert c.get(method="POST", fields=[("Transfer-Encoding", "chunked")], body=body).body == data


@pytest.mark.parametrize("piece", [1, 1000, 16384])
def test_chunks_of_a_size(site, piece):
    data = BLOCK[:20000]
    out = b"".join(b"%x\r\n%s\r\n" % (len(data[i:i + piece]), data[i:i + piece]) for i in range(0, len(data), piece))
    p, u = site(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + out + b"0\r\n\r\n")
    assert p.get().body == data
    assert p.get(method="POST", fields=[("Transfer-Encoding", "chunked")], body=out + b"0\r\n\r\n").body == data
    assert u.whole[-1].body == data
