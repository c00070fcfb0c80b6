# SPDX-License-Identifier: MIT
"""Framing that is wrong or can be read in two ways (RFC 9112 §6, §11.2): refused, whoever sends it. From a client
that is a 400 and the end, with nothing at the upstream; from an upstream it is a 502, or a break that the client can
tell from a complete response. In no case does it change the response to another request."""
import threading

import pytest

from rawhttp import CLOSE_NOTIFY, FIN, RESET, Ended
from upstreams import chunked, echo, reply
from waiting import until

HOST = b"Host: localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

# What is wrong -> the request. `%s` is where a valid Host line goes.
BAD = {
    "length and coding": b"POST / HTTP/1.1\r\n%sContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "coding and length": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
    "two lengths": b"POST / HTTP/1.1\r\n%sContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": b"POST / HTTP/1.1\r\n%sContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "length list": b"POST / HTTP/1.1\r\n%sContent-Length: 3, 4\r\n\r\nabcd",
    "equal length list": b"POST / HTTP/1.1\r\n%sContent-Length: 3, 3\r\n\r\nabc",
    "negative length": b"POST / HTTP/1.1\r\n%sContent-Length: -1\r\n\r\n",
    "length with plus": b"POST / HTTP/1.1\r\n%sContent-Length: +3\r\n\r\nabc",
    "hex length": b"POST / HTTP/1.1\r\n%sContent-Length: 0x3\r\n\r\nabc",
    "length with blank inside": b"POST / HTTP/1.1\r\n%sContent-Length: 3 4\r\n\r\nabc",
    "empty length": b"POST / HTTP/1.1\r\n%sContent-Length:\r\n\r\n",
    "length beyond 64 bits": b"POST / HTTP/1.1\r\n%sContent-Length: 18446744073709551617\r\n\r\nx",
    "length at 2^64": b"POST / HTTP/1.1\r\n%sContent-Length: 18446744073709551616\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding identity": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "coding gzip, chunked": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding chunked, gzip": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "coding chunked twice": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two coding fields": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and an empty one": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    "empty coding": b"POST / HTTP/1.1\r\n%sTransfer-Encoding:\r\n\r\n0\r\n\r\n",
    "quoted coding": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "coding with parameter": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "coding with vertical tab": b"POST / HTTP/1.1\r\n%sTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "coding in HTTP/1.0": b"POST / HTTP/1.0\r\n%sTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"POST / HTTP/1.1\r\n%sTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "tab before colon": b"POST / HTTP/1.1\r\n%sContent-Length\t: 3\r\n\r\nabc",
    "folded line": b"GET / HTTP/1.1\r\n%sX-A: b\r\n c\r\n\r\n",
    "folded coding": b"POST / HTTP/1.1\r\n%sTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "space before first field": b"GET / HTTP/1.1\r\n %s\r\n",
    "bare LF ends a field": b"GET / HTTP/1.1\r\n%sX-A: b\nX-B: c\r\n\r\n",
    "bare LF ends the request line": b"GET / HTTP/1.1\n%s\r\n",
    "bare LF ends the head": b"GET / HTTP/1.1\r\n%sX-A: b\r\n\n",
    "all bare LF": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "bare CR in a field": b"GET / HTTP/1.1\r\n%sX-A: b\rX-B: c\r\n\r\n",
    "bare CR in the request line": b"GET /\r HTTP/1.1\r\n%s\r\n",
    "CR CR LF": b"GET / HTTP/1.1\r\n%sX-A: b\r\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\n%sX-A: b\0c\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\n%sX-\0A: b\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\n%s\r\n",
    "control in a value": b"GET / HTTP/1.1\r\n%sX-A: b\x01c\r\n\r\n",
    "DEL in a value": b"GET / HTTP/1.1\r\n%sX-A: b\x7fc\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\n%sX-A\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\n%s: b\r\n\r\n",
    "bad name": b"GET / HTTP/1.1\r\n%sX(A): b\r\n\r\n",
    "name beyond ASCII": b"GET / HTTP/1.1\r\n%sX-\xc3\xa9: b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n%sHost: evil\r\n\r\n",
    "two equal hosts": b"GET / HTTP/1.1\r\n%sHost: localhost\r\n\r\n",
    "no version": b"GET /\r\n%s\r\n",
    "version 2.0": b"GET / HTTP/2.0\r\n%s\r\n",
    "version 1.10": b"GET / HTTP/1.10\r\n%s\r\n",
    "lower-case version": b"GET / http/1.1\r\n%s\r\n",
    "version 1,1": b"GET / HTTP/1,1\r\n%s\r\n",
    "two blanks before target": b"GET  / HTTP/1.1\r\n%s\r\n",
    "two blanks before version": b"GET /  HTTP/1.1\r\n%s\r\n",
    "tab as blank": b"GET\t/\tHTTP/1.1\r\n%s\r\n",
    "blank behind version": b"GET / HTTP/1.1 \r\n%s\r\n",
    "blank before method": b" GET / HTTP/1.1\r\n%s\r\n",
    "bad method": b"GE(T / HTTP/1.1\r\n%s\r\n",
    "no target": b"GET HTTP/1.1\r\n%s\r\n",
    "target beyond ASCII": b"GET /\xc3\xa9 HTTP/1.1\r\n%s\r\n",
    "binary": b"\x80\x81\x82\x83\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "asterisk with GET": b"GET * HTTP/1.1\r\n%s\r\n",
}


@pytest.fixture(scope="module")
def shared():
    """One proxy for the whole table; each row proves that it still serves."""
    from proxy import Proxy
    from upstreams import Upstream
    u = Upstream(echo)
    p = Proxy("site localhost { tls self-signed\n upstream %s }" % u.address)
    yield p, u
    wrong = p.finish()
    u.close()
    if wrong:
        pytest.fail(wrong, pytrace=False)


def refused(p, u, data, piece=None):
    before = len(u.requests)
    with p.connect() as c:
        try:
            c.send(data, piece)
        except OSError:
            pass
        r = c.response()
        assert 400 <= r.status < 600 and r.status in (400, 501, 505), r
        assert c.rest() == b"", "something was answered after the refusal"
        assert c.ended in (CLOSE_NOTIFY, FIN)
        assert r.get("Connection") == "close"
    assert len(u.requests) == before, "it reached the upstream: %r" % u.requests[before:]
    assert p.get("/next").status == 200
    assert u.last.target == "/next"
    assert b"smuggled" not in u.received
    return r


@pytest.mark.parametrize("what", BAD)
def test_bad_request_is_refused(shared, what):
    p, u = shared
    request = BAD[what].replace(b"%s", HOST)
    r = refused(p, u, request + SMUGGLED)
    if not what.startswith(("version", "HTTP/2")):
        assert r.status == (501 if what.startswith(("unknown coding", "coding gzip")) and r.status == 501 else 400)


@pytest.mark.parametrize("what", ["length and coding", "two lengths", "bare LF ends a field", "NUL in a value",
                                  "space before colon", "folded line", "two hosts"])
def test_bad_request_in_single_bytes(shared, what):
    p, u = shared
    refused(p, u, BAD[what].replace(b"%s", HOST), piece=1)


def test_bad_request_behind_a_good_one(shared):
    p, u = shared
    with p.connect() as c:
        c.send(b"GET /good HTTP/1.1\r\n" + HOST + b"\r\n" + BAD["length and coding"].replace(b"%s", HOST) + SMUGGLED)
        assert c.response().status == 200
        assert c.response().status == 400
        assert c.rest() == b""
    assert u.last.target == "/good"


# Wrong once the body has begun: the head may have reached the upstream, a whole request must not.
BAD_CHUNKS = {
    "not hex": b"xyz\r\n",
    "negative": b"-1\r\n",
    "with 0x": b"0x3\r\nabc\r\n",
    "no size": b"\r\nabc\r\n",
    "blank before": b" 3\r\nabc\r\n",
    "bare LF behind the size": b"3\nabc\r\n0\r\n\r\n",
    "bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "bare LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "bare LF behind the data": b"3\r\nabc\n0\r\n\r\n",
    "data too long": b"3\r\nabcd\r\n0\r\n\r\n",
    "no CRLF behind the data": b"3\r\nabc0\r\n\r\n",
    "size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "size of 2^64-1": b"ffffffffffffffff\r\nabc\r\n",
    "many zeros": b"0" * 5000 + b"3\r\nabc\r\n0\r\n\r\n",
    "endless extension": b"3;" + b"a" * 100000 + b"\r\nabc\r\n0\r\n\r\n",
    "NUL in an extension": b"3;\0\r\nabc\r\n0\r\n\r\n",
    "bad trailer": b"0\r\nX A: b\r\n\r\n",
    "folded trailer": b"0\r\nX: b\r\n c\r\n\r\n",
    "bare LF ends the trailers": b"0\r\nX: b\n\r\n",
    "bare LF at the end": b"0\r\n\n",
}


@pytest.mark.parametrize("what", BAD_CHUNKS)
def test_bad_chunk_from_the_client(site, what):
    p, u = site(echo)
    with p.connect() as c:
        c.try_send(b"POST /chunks HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + BAD_CHUNKS[what])
        c.try_send(SMUGGLED)
        r = c.response()
        assert r.status == 400
        assert c.rest() == b""
    assert u.whole == [] and b"smuggled" not in u.received
    assert p.get("/next").status == 200


def test_body_shorter_than_its_length(site):
    p, u = site(echo)
    c = p.connect()
    c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
    u.wait_requests(1)
    c.close()
    assert u.connections[0] and p.get("/next").status == 200
    assert [r.target for r in u.whole] == ["/next"]


def test_body_cut_off_by_a_reset(site):
    p, u = site(echo)
    c = p.connect()
    c.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
    u.wait_requests(1)
    c.reset()
    assert p.get("/next").status == 200
    assert [r.target for r in u.whole] == ["/next"]


# --- upstreams that lie ---


GOOD = reply(b"good")


def lying(bad, finish=True):
    """A script: the first request on the first connection gets the bad bytes; all others a good answer."""
    state = {"told": False}
    lock = threading.Lock()

    def script(c):
        while True:
            c.read_request()
            with lock:
                first, state["told"] = not state["told"], True
            if not first:
                c.send(GOOD)
                continue
            c.send(bad)
            if finish:
                c.finish()
            c.drain()
            return
    return script


# The client has had nothing yet: 502.
LIES = {
    "garbage": b"hello\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a status line": b"HTTP/1.1 2",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/1.2x": b"HTTP/1.2x 200 OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n",
    "status abc": b"HTTP/1.1 abc X\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    "coding gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
    "length with junk": b"HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc",
    "space before colon": b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
    "folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 3\r\n\r\nabc",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 3\r\n\r\nabc",
    "bare CR in a value": b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: x\r\nContent-Length: 3\r\n\r\nabc",
    "no colon": b"HTTP/1.1 200 OK\r\nhello\r\nContent-Length: 3\r\n\r\nabc",
    "headers too large": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200000 + b"\r\nContent-Length: 3\r\n\r\nabc",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 5000 + b"Content-Length: 3\r\n\r\nabc",
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nfree bytes",
    "endless interim": b"HTTP/1.1 102 Processing\r\n\r\n" * 20000,
}


@pytest.mark.parametrize("what", LIES)
def test_lying_upstream_gives_502(site, what):
    p, u = site(script=lying(LIES[what]))
    with p.connect() as c:
        r = c.request("POST", "/lie", body=b"x").response()  # POST: no retry may hide it
        assert r.status == 502 and b"good" not in r.body, r
        n = c.get("/next")
        assert (n.status, n.body) == (200, b"good")


def test_upstream_reset_before_a_response(site):
    state = []

    def script(c):
        while True:
            c.read_request()
            state.append(1)
            if len(state) == 1:
                c.reset()
                return
            c.send(GOOD)
    p, u = site(script=script)
    with p.connect() as c:
        assert c.request("POST", "/", body=b"x").response().status == 502
        assert c.get().body == b"good"


# A response has begun: the connection must break so that the client can tell.
BREAKS = {
    "short of its length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
    "end inside a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n12345",
    "end between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
    "end before the trailers' end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\nX: y\r\n",
    "bad chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\nxyz\r\n",
    "chunk size beyond 64 bits": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"
                                 b"10000000000000001\r\nx\r\n0\r\n\r\n",
    "chunk without CRLF": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345xx0\r\n\r\n",
    "bad trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\nX Y: z\r\n\r\n",
}


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("what", BREAKS)
def test_broken_response_can_be_told(proxy, upstream, what, tls):
    u = upstream(script=lying(BREAKS[what]))
    p = proxy("site localhost { tls %s\n upstream %s }" % ("self-signed" if tls else "off", u.address),
              http=not tls, tls=tls)
    with p.connect(tls=tls) as c:
        c.request("GET", "/lie")
        try:
            r = c.response()
        except Ended as e:
            assert e.how in (FIN, RESET) and b"good" not in e.got, e
        else:
            assert r.status == 502, "taken for complete: %r" % r
    n = p.get("/next", tls=tls)
    assert (n.status, n.body) == (200, b"good")


def test_broken_close_delimited_response_to_http_1_0_can_be_told(site):
    """HTTP/1.0 has no chunks, so only the end of TLS or a reset can tell."""
    p, u = site(script=lying(BREAKS["end inside a chunk"]))
    with p.connect() as c:
        c.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        c.rest()
        assert c.ended in (FIN, RESET)


def test_reset_in_a_close_delimited_response(site):
    gate = threading.Event()

    def script(c):
        c.read_request()
        if c.number > 0:
            c.send(GOOD)
            return
        c.send(b"HTTP/1.1 200 OK\r\n\r\nsome")
        gate.wait(10)
        c.reset()
    p, u = site(script=script)
    with p.connect() as c:
        c.request()
        c.until(b"some")
        gate.set()
        with pytest.raises(Ended) as e:
            c.until(b"0\r\n\r\n")  # the last chunk would say that it is complete
        assert e.value.how in (FIN, RESET)
    assert p.get("/next").body == b"good"


def test_more_than_its_length(site):
    """What follows a response that is complete is nobody's response."""
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        while True:
            c.read_request()
            c.send(GOOD)
    p, u = site(script=script)
    with p.connect() as c:
        bodies = [c.get("/%d" % i).body for i in range(5)]
        assert bodies[0] == b"abc" and b"evil" not in bodies


def test_unasked_response_on_an_idle_connection(site):
    gate = threading.Event()

    def script(c):
        c.read_request()
        c.send(reply(b"first"))
        if c.number == 0:
            gate.wait(10)
            c.send(reply(b"evil"))
            c.drain()  # bytes that nobody asked for: the proxy lets go of the connection
            return
        while True:
            c.read_request()
            c.send(GOOD)
    p, u = site(script=script)
    with p.connect() as c:
        assert c.get().body == b"first"
        gate.set()
        until(lambda: u.connections[0].ended, 5, "the end of the connection that spoke unasked")
        for i in range(5):
            assert c.get("/%d" % i).body in (b"first", b"good")


def test_body_on_a_response_to_head(site):
    """An upstream that sends a body to a HEAD must not have it taken for the next response."""
    p, u = site(lambda r: reply(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") if r.method == "HEAD" else GOOD)
    with p.connect() as c:
        assert c.get(method="HEAD").status == 200
        for _ in range(3):
            assert c.get().body == b"good"


def test_body_on_a_204(site):
    p, u = site(lambda r: b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil" if r.target == "/1" else GOOD)
    with p.connect() as c:
        assert c.get("/1").status in (204, 502)
        for _ in range(3):
            assert c.get().body == b"good"


def test_chunks_are_rewritten_not_copied(site):
    p, u = site(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;secret=1\r\nabc\r\n0\r\n\r\n")
    with p.connect() as c:
        c.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3;mine=2\r\nabc\r\n" +
               chunked(b"de"))
        raw = c.until(b"0\r\n\r\n")
        assert b"secret" not in raw
    assert b"mine" not in u.whole[0].raw_body and u.whole[0].body == b"abcde"
