# SPDX-License-Identifier: MIT
"""Upgrades: a real WebSocket library on both ends, and the upgrades that must not happen."""
import asyncio
import os
import threading

import pytest
import websockets

from ports import free_port
from rawhttp import CLOSE_NOTIFY, FIN, RESET, client_context
from upstreams import echo, reply
from waiting import Clock, until

ASK = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
       ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


class EchoServer:
    """websockets' own server, echoing, in a thread of its own."""

    def __init__(self):
        self.port = free_port()
        self.paths = []
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._main(started)), daemon=True)
        self.thread.start()
        assert started.wait(10)

    async def _main(self, started):
        self.loop = asyncio.get_running_loop()
        self.stop = asyncio.Event()
        async with websockets.serve(self._echo, "127.0.0.1", self.port, max_size=None):
            started.set()
            await self.stop.wait()

    async def _echo(self, ws, path):
        self.paths.append(path)
        async for message in ws:
            if message == "bye":
                await ws.close(4000, "bye")
                return
            await ws.send(message)

    def close(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)


@pytest.fixture
def ws(proxy):
    server = EchoServer()
    p = proxy("site localhost { tls self-signed\n upstream 127.0.0.1:%d }" % server.port)
    yield p, server
    server.close()


def connect(p, path="/ws", version=None, **kw):
    kw.setdefault("max_size", None)
    return websockets.connect("wss://localhost:%d%s" % (p.port, path), ssl=client_context(version=version),
                              host="127.0.0.1", **kw)


def test_echo(ws, version):
    p, server = ws

    async def main():
        async with connect(p, "/chat?x=1", version) as w:
            for m in ("hello", "\u00e9\u4e16", b"\0\1\2", "", "x" * 100000, os.urandom(1 << 20)):
                await w.send(m)
                assert await w.recv() == m
            await w.ping()
    asyncio.run(asyncio.wait_for(main(), 20))
    assert server.paths == ["/chat?x=1"]


def test_many_at_once(ws):
    p, server = ws

    async def one(i):
        async with connect(p) as w:
            for k in range(20):
                await w.send("%d-%d" % (i, k))
                assert await w.recv() == "%d-%d" % (i, k)

    async def main():
        await asyncio.gather(*[one(i) for i in range(30)])
    asyncio.run(asyncio.wait_for(main(), 30))


def test_both_ways_at_once(ws):
    """Large messages that are not waited for: neither direction may block the other."""
    p, server = ws
    block = os.urandom(200000)

    async def main():
        async with connect(p) as w:
            async def send():
                for _ in range(40):
                    await w.send(block)

            async def receive():
                for _ in range(40):
                    assert await w.recv() == block
            await asyncio.gather(send(), receive())
    asyncio.run(asyncio.wait_for(main(), 30))


def test_close_from_the_server_side(ws):
    p, server = ws

    async def main():
        async with connect(p) as w:
            await w.send("bye")
            with pytest.raises(websockets.ConnectionClosed) as e:
                await w.recv()
            assert e.value.rcvd.code == 4000 and e.value.rcvd.reason == "bye"
    asyncio.run(asyncio.wait_for(main(), 10))


def tunnelling(c):
    c.read_request()
    c.send(SWITCH)
    while True:
        data = bytes(c.buffer)
        del c.buffer[:]
        if data:
            c.send(data.upper())
        c.fill()


def test_upgrade_fields_are_passed(site):
    p, u = site(script=tunnelling)
    with p.connect() as c:
        c.request(fields=ASK)
        r = c.response()
        assert r.status == 101 and r.get("Upgrade") == "websocket"
        assert (r.get("Connection") or "").lower() == "upgrade"
        assert r.get("Sec-WebSocket-Accept") and not r.get("Content-Length") and not r.get("Transfer-Encoding")
        c.send(b"abc")
        assert c.exactly(3) == b"ABC"
    assert u.last.get("Upgrade") == "websocket" and u.last.get("Connection").lower() == "upgrade"
    assert u.last.get("X-Forwarded-For") == "127.0.0.1"


def test_bytes_right_behind_the_request_and_the_101(site):
    def script(c):
        c.read_request()
        c.send(SWITCH + b"early from the server")
        assert c.until(b"early from the client")
        c.drain()
    p, u = site(script=script)
    with p.connect() as c:
        c.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(
            b"%s: %s\r\n" % (n.encode(), v.encode()) for n, v in ASK) + b"\r\nearly from the client")
        assert c.response().status == 101
        assert c.exactly(21) == b"early from the server"
    assert u.errors == []


def test_end_of_either_side_ends_the_tunnel(site, version):
    p, u = site(script=tunnelling)
    c = p.connect(context=p.context(version=version))
    c.request(fields=ASK)
    c.response()
    c.close()
    until(lambda: u.connections[0].ended, 5, "the upstream sees the end")
    with p.connect(context=p.context(version=version)) as c:
        c.request(fields=ASK)
        c.response()
        u.connections[1].close()
        assert c.wait_end() in (CLOSE_NOTIFY, FIN, RESET)


def test_tunnel_outlives_the_idle_timeouts(site):
    """A tunnel that has traffic stays, whatever the time since its head."""
    p, u = site(script=tunnelling, globals="idle-timeout 200ms\nheader-timeout 200ms\nbody-timeout 2s\n"
                                           "response-timeout 2s\nmin-rate off")
    with p.connect() as c:
        c.request(fields=ASK)
        c.response()
        with Clock() as t:
            while t.so_far() < 0.6:
                assert c.is_silent(0.05)
        c.send(b"still")
        assert c.exactly(5) == b"STILL"


def test_refused_upgrade_is_passed(site):
    p, u = site(reply(b"no", 403, reason="Forbidden"))
    with p.connect() as c:
        r = c.get(fields=ASK)
        assert (r.status, r.body) == (403, b"no")
        assert c.get().status == 403  # the connection is HTTP still


def test_refused_upgrade_does_not_let_bytes_through(site):
    """What follows a refused upgrade is the next request, not tunnelled bytes."""
    p, u = site(echo)
    with p.connect() as c:
        c.request(fields=ASK)
        assert c.response().status == 200
        c.send(b"\x81\x05hello\r\n\r\n")
        assert c.response().status == 400
    assert b"\x81\x05hello" not in u.received


@pytest.mark.parametrize("fields", [
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")],
    [("Connection", "upgrade"), ("Upgrade", "H2C")],
    [("Connection", "upgrade"), ("Upgrade", "h2c/1")],
    [("Connection", "upgrade"), ("Upgrade", "websocket, h2c"), ("HTTP2-Settings", "AAMA")],
    [("Upgrade", "websocket")],
    [("HTTP2-Settings", "AAMA")],
    [("Connection", "HTTP2-Settings"), ("HTTP2-Settings", "AAMA")],
])
def test_h2c_and_unnamed_upgrades_are_never_passed(site, fields):
    p, u = site(echo)
    assert p.get(fields=fields).status == 200
    assert "h2c" not in (u.last.get("Upgrade") or "").lower()
    assert "http2-settings" not in u.last.names
    assert "http2-settings" not in (u.last.get("Connection") or "").lower()
    if ("Connection", "upgrade") not in fields:
        assert u.last.get("Upgrade") is None


def test_101_from_an_upstream_that_was_not_asked(site):
    p, u = site(script=lambda c: (c.read_request(), c.send(SWITCH + b"tunnel"), c.drain()))
    with p.connect() as c:
        r = c.get()
        assert r.status == 502
    p2 = p.get(fields=[("Connection", "upgrade"), ("Upgrade", "h2c")])
    assert p2.status == 502


def test_websocket_over_http_1_0_is_not_an_upgrade(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send(b"GET / HTTP/1.0\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert c.response().status == 200
    assert u.last.get("Upgrade") is None  # RFC 9110 §7.8
