# SPDX-License-Identifier: MIT
"""Many handshakes at once beside a connection that is at work: it keeps its share. What is counted is how many
handshakes are answered while one of its requests waits, not how long that takes."""
import select
import socket
import ssl
import threading

import pytest

N = 400


@pytest.fixture
def busy(proxy):
    return proxy("site localhost { tls self-signed\n respond 200 ok }",
                 globals="max-connections-per-address off\nhandshake-timeout 60s\nlog-level warn")


def client_hello(p, version):
    with p.connect(context=p.context(version=version), handshake=False) as c:
        with pytest.raises(ssl.SSLWantReadError):
            c.tls.do_handshake()
        return c.outgoing.read()


def steps(answered):
    """The largest number of handshakes between the ends of two requests."""
    return max(b - a for a, b in zip(answered, answered[1:]))


def test_hellos(busy, version):
    """Clients that send a ClientHello and then nothing."""
    hello = client_hello(busy, version)
    socks = [socket.create_connection(("127.0.0.1", busy.port), 10) for _ in range(N)]
    try:
        waiting = select.poll()
        for s in socks:
            waiting.register(s, select.POLLIN)
        with busy.connect() as c:
            assert c.get().body == b"ok"
            for s in socks:
                s.sendall(hello)
            answered = [0]
            while answered[-1] < N:
                assert c.get().body == b"ok"
                ready = waiting.poll(0)
                for fd, _ in ready:
                    waiting.unregister(fd)
                answered.append(answered[-1] + len(ready))
        assert steps(answered) < N // 4, answered
    finally:
        for s in socks:
            s.close()


def test_whole_handshakes(busy, version):
    """Clients that finish theirs, leave, and come again."""
    threads, each = 8, 20
    ctx, done, failed = busy.context(version=version), [], []

    def flood():
        try:
            for _ in range(each):
                busy.connect(context=ctx).close()
                done.append(None)
        except Exception as e:
            failed.append(e)
    with busy.connect() as c:
        assert c.get().body == b"ok"
        flooding = [threading.Thread(target=flood) for _ in range(threads)]
        for t in flooding:
            t.start()
        answered = [0]
        while len(done) < threads * each and not failed:
            assert c.get().body == b"ok"
            answered.append(len(done))
        for t in flooding:
            t.join()
        assert c.get().body == b"ok"
    assert not failed
    assert steps(answered) < threads * each // 4, answered
