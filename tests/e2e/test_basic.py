# SPDX-License-Identifier: MIT
"""HTTP/1.1 as it should be: what every client and every service may count on."""
import hashlib
import json
import os
import re

import pytest

from ports import free_port
from proxy import is_listening
from rawhttp import CLOSE_NOTIFY, FIN
from upstreams import chunked, echo, reply
from waiting import until

END = (CLOSE_NOTIFY, FIN)


def fields_of(r):
    """The fields that reached an echo upstream, by lower-case name: a list of values."""
    out = {}
    for n, v in json.loads(r.text)["fields"]:
        out.setdefault(n.lower(), []).append(v)
    return out


# --- methods, with curl ---


def test_curl_get(site):
    p, u = site(reply(b"hello\n", fields=[("X-Own", "1")]))
    r = p.curl("-i", path="/a/b?q=1&r=%20")
    assert r.out.startswith("HTTP/1.1 200 OK\r\n") and r.out.endswith("\r\n\r\nhello\n")
    assert "x-own: 1" in r.out.lower()
    assert u.last.method == "GET" and u.last.target == "/a/b?q=1&r=%20" and u.last.version == "HTTP/1.1"


def test_curl_post(site):
    p, u = site(echo)
    r = p.curl("-d", "a=1&b=2", path="/form")
    doc = json.loads(r.out)
    assert doc["method"] == "POST" and doc["body"] == "a=1&b=2"
    assert u.last.get("Content-Length") == "7"
    assert u.last.get("Content-Type") == "application/x-www-form-urlencoded"


def test_curl_head(site):
    p, u = site(lambda r: b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    r = p.curl("-I")
    assert r.out.startswith("HTTP/1.1 200") and "content-length: 12345" in r.out.lower()
    assert u.last.method == "HEAD"


def test_curl_put_file(site, tmp):
    data = os.urandom(300000)
    path = os.path.join(tmp, "data")
    with open(path, "wb") as f:
        f.write(data)
    p, u = site(lambda r: reply(hashlib.sha256(r.body).hexdigest().encode(), 201, reason="Created"))
    r = p.curl("-T", path, "-w", " %{http_code}", path="/up")
    assert r.out == hashlib.sha256(data).hexdigest() + " 201"
    assert u.last.method == "PUT"


def test_curl_put_chunked(site, tmp):
    data = os.urandom(200000)
    path = os.path.join(tmp, "data")
    with open(path, "wb") as f:
        f.write(data)
    p, u = site(lambda r: reply(hashlib.sha256(r.body).hexdigest().encode()))
    r = p.curl("-T", path, "-H", "Transfer-Encoding: chunked", "-H", "Expect:")
    assert r.out == hashlib.sha256(data).hexdigest()
    assert u.last.get("Transfer-Encoding") == "chunked" and u.last.get("Content-Length") is None


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "PROPFIND", "x-own!"])
def test_any_method_passes(site, method):
    p, u = site(echo)
    assert p.get(method=method).status == 200
    assert u.last.method == method


@pytest.mark.parametrize("request_line", ["CONNECT example.com:443", "CONNECT localhost:80", "TRACE /"])
def test_connect_and_trace_are_refused(site, request_line):
    p, u = site(echo)
    r = p.raw("%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % request_line)
    assert r.status in (400, 405, 501)
    assert u.requests == []


def test_options_star(site):
    p, u = site(echo)
    r = p.get("*", method="OPTIONS")
    assert r.status == 200
    if u.requests:  # answered by the upstream: then it got the asterisk
        assert u.last.target == "*"


# --- the connection ---


def test_keep_alive(site):
    p, u = site(echo)
    with p.connect() as c:
        for i in range(20):
            assert json.loads(c.get("/%d" % i).text)["target"] == "/%d" % i
    assert len(u.connections) == 1


def test_curl_keep_alive(site):
    p, u = site(reply(b"x"))
    r = p.curl(p.url("/1"), p.url("/2"), "-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", path="/3")
    assert r.out.split()[:2] == ["1", "0"] and len(u.requests) == 3


def test_connection_close(site):
    p, u = site(echo)
    with p.connect() as c:
        r = c.get(fields=[("Connection", "close")])
        assert r.status == 200 and r.get("Connection") == "close"
        assert c.wait_end() == CLOSE_NOTIFY


def test_connection_close_by_upstream_does_not_end_the_client(site):
    def script(c):
        c.read_request()
        c.send(reply(b"bye", fields=[("Connection", "close")]))
    p, u = site(script=script)
    with p.connect() as c:
        for _ in range(3):
            r = c.get()
            assert r.body == b"bye" and r.get("Connection") != "close"


def test_http_1_0(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send("GET /old HTTP/1.0\r\nHost: localhost\r\n\r\n")
        r = c.response()
        assert r.status == 200 and json.loads(r.text)["target"] == "/old"
        assert c.wait_end() == CLOSE_NOTIFY
    assert u.last.version == "HTTP/1.1"


def test_http_1_0_without_host(site):
    p, u = site(echo)
    r = p.raw("GET / HTTP/1.0\r\n\r\n")
    assert r.status == 200  # a sole site answers every host
    assert [v for n, v in u.last.fields if n.lower() == "host"] == [u.address]
    assert u.last.get("X-Forwarded-Host") is None


def test_host_is_what_the_configuration_says(site):
    p, u = site(echo, extra="request-header set Host inner.test:81")
    assert p.get("/").status == 200
    assert [v for n, v in u.last.fields if n.lower() == "host"] == ["inner.test:81"]
    assert u.last.get("X-Forwarded-Host").startswith("localhost")


def test_http_1_0_keep_alive(site):
    p, u = site(echo)
    with p.connect() as c:
        for _ in range(2):
            c.send("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
            r = c.response()
            assert r.status == 200
            if c.buffer == b"" and "keep-alive" not in (r.get("Connection") or "").lower():
                assert c.wait_end() == CLOSE_NOTIFY  # one that does not keep it alive says so by closing
                break


def test_http_1_0_gets_no_chunks(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"abc", b"defg"))
    p, u = site(script=script)
    with p.connect() as c:
        c.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        r = c.response()
        assert r.get("Transfer-Encoding") is None and r.body == b"abcdefg"
        assert c.wait_end() == CLOSE_NOTIFY


def test_pipelining(site):
    p, u = site(echo)
    n = 30
    with p.connect() as c:
        c.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % i for i in range(n)))
        assert [json.loads(c.response().text)["target"] for _ in range(n)] == ["/%d" % i for i in range(n)]


def test_pipelining_bodies(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send(b"POST /1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
               b"POST /2 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
               b"GET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert [(d["target"], d["body"]) for d in (json.loads(c.response().text) for _ in range(3))] == [
            ("/1", "abc"), ("/2", "de"), ("/3", "")]


def test_request_in_single_bytes(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send("POST /slow HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", piece=1)
        assert json.loads(c.response().text)["body"] == "abc"


def test_response_in_single_bytes(site):
    def script(c):
        while True:
            c.read_request()
            c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"abc", b"de"), piece=1)
    p, u = site(script=script)
    with p.connect() as c:
        assert c.get().body == b"abcde"
        assert c.get().body == b"abcde"


def test_empty_lines_before_a_request(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send("\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n")  # RFC 9112 §2.2
        assert c.response().status == 200


# --- bodies ---


def test_chunked_response(site):
    p, u = site(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello ", b"world"))
    r = p.get()
    assert r.body == b"hello world" and r.framing == "chunked"


def test_chunk_extensions_and_case(site):
    p, u = site(b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
                b"A;name=value;q=\"a;b\"\r\n0123456789\r\n00a\r\nabcdefghij\r\n000;last\r\n\r\n")
    assert p.get().body == b"0123456789abcdefghij"


def test_close_delimited_response(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end")
    p, u = site(script=script)
    with p.connect() as c:
        for _ in range(2):  # the client's connection goes on
            r = c.get()
            assert r.body == b"until the end" and r.framing == "chunked"


def test_http_1_0_upstream(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.0 200 OK\r\n\r\nold")
    p, u = site(script=script)
    with p.connect() as c:
        assert [c.get().body for _ in range(2)] == [b"old", b"old"]
        assert c.get().version == "HTTP/1.1"


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_body(site, status):
    p, u = site(b"HTTP/1.1 %d X\r\nETag: \"a\"\r\n\r\n" % status)
    with p.connect() as c:
        for _ in range(2):
            r = c.get()
            assert r.status == status and r.get("ETag") == '"a"'
            assert r.get("Transfer-Encoding") is None
        assert c.is_silent(0.05)


def test_304_may_have_a_content_length(site):
    p, u = site(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n")
    with p.connect() as c:
        assert [c.get().status for _ in range(2)] == [304, 304]
    assert len(u.connections) == 1


def test_head_then_get(site):
    p, u = site(lambda r: reply(b"12345")[:-5] if r.method == "HEAD" else reply(b"12345"))
    with p.connect() as c:
        assert c.get(method="HEAD").get("Content-Length") == "5"
        assert c.get().body == b"12345"


def test_head_of_chunked(site):
    p, u = site(lambda r: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                (b"" if r.method == "HEAD" else chunked(b"x")))
    with p.connect() as c:
        assert c.get(method="HEAD").body == b""
        assert c.get().body == b"x"


def test_empty_body_with_length_zero(site):
    p, u = site(echo)
    r = p.raw("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    assert r.status == 200 and u.last.get("Content-Length") == "0"


def test_get_with_a_body(site):
    p, u = site(echo)
    assert json.loads(p.get(body=b"query").text)["body"] == "query"


def test_trailers(site):
    p, u = site(lambda r: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
                chunked(b"abc", trailers=[("X-Sum", "900150")]))
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n"
               "Trailer: X-Up\r\n\r\n3\r\nabc\r\n0\r\nX-Up: 77\r\n\r\n")
        r = c.response()
        assert r.body == b"abc" and ("X-Sum", "900150") in r.trailers
        assert ("X-Up", "77") in u.last.trailers
        assert c.get().body == b"abc"


@pytest.mark.parametrize("head, body", [("Connection: X-Up\r\n", ""), ("", "request-header set X_up nobody")])
def test_trailers_that_end_here(site, head, body):
    """A field of this connection alone is none in a trailer either, and what the configuration sets comes from it."""
    p, u = site(echo, extra=body)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + head +
               "\r\n3\r\nabc\r\n0\r\nX-Up: root\r\n\r\n")
        assert c.response().status == 200
        assert u.last.body == b"abc" and u.last.trailers == []
        assert c.get().status == 200


@pytest.mark.parametrize("head, body", [("Connection: X-Sum\r\n", ""), ("", "header remove X-Sum")])
def test_trailers_of_a_response_that_end_here(site, head, body):
    p, u = site(lambda r: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + head.encode() + b"\r\n" +
                chunked(b"abc", trailers=[("X-Sum", "900150")]), extra=body)
    with p.connect() as c:
        r = c.get()
        assert r.body == b"abc" and r.trailers == []
        assert c.get().status == 200


def test_trailers_cannot_bring_framing_or_routing(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
               "Content-Length: 5\r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\nTransfer-Encoding: x\r\n\r\n")
        r = c.response()
        if r.status == 200:
            assert not [n for n, _ in u.last.trailers
                        if n.lower() in ("content-length", "host", "transfer-encoding", "x-forwarded-for")]
        else:
            assert r.status == 400


# --- 1xx ---


def test_expect_continue_with_curl(site, tmp):
    path = os.path.join(tmp, "data")
    with open(path, "wb") as f:
        f.write(b"x" * 100000)
    p, u = site(lambda r: reply(b"%d" % len(r.body)))
    r = p.curl("-v", "-H", "Expect: 100-continue", "--expect100-timeout", "10", "--data-binary", "@" + path)
    assert r.out == "100000"
    assert "HTTP/1.1 100" in r.error


def test_expect_continue_from_the_upstream(site):
    def script(c):
        r = c.read_head()
        c.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        c.read_body(r)
        c.send(reply(r.body))
        c.drain()
    p, u = site(script=script)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert c.head().status == 100
        c.send("body")
        r = c.response()
        assert r.status == 200 and r.body == b"body"
        assert not r.interim  # one 100 is enough


def test_expect_continue_refused_by_the_upstream(site):
    def script(c):
        c.read_head()
        c.send(reply(b"no", 403, [("Connection", "close")], "Forbidden"))
        c.drain()
    p, u = site(script=script)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
        r = c.response()
        assert r.status == 403 and r.body == b"no"


def test_unknown_expectation(site):
    p, u = site(echo)
    assert p.get(fields=[("Expect", "200-maybe")]).status in (200, 417)  # RFC 9110 §10.1.1 allows both


def test_interim_responses_are_passed_on(site):
    p, u = site(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n"
                b"HTTP/1.1 102 Processing\r\n\r\n" + reply(b"done"))
    with p.connect() as c:
        for _ in range(2):
            r = c.get()
            assert [i.status for i in r.interim] == [103, 102] and r.body == b"done"
            assert r.interim[0].get("Link") == "</s.css>; rel=preload"


def test_interim_responses_are_not_sent_to_http_1_0(site):
    p, u = site(b"HTTP/1.1 103 Early Hints\r\n\r\n" + reply(b"done"))
    r = p.raw("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert r.interim == [] and r.body == b"done"


# --- early and late ends ---


def test_response_before_the_request_is_complete(site):
    def script(c):
        c.read_head()
        c.send(reply(b"too big", 413, [("Connection", "close")], "Content Too Large"))
        c.drain()
    p, u = site(script=script)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + "x" * 1000)
        assert c.response().status == 413


def test_client_half_close_after_the_request(site):
    p, u = site(echo)
    with p.connect(context=p.context()) as c:
        c.send("GET /half HTTP/1.1\r\nHost: localhost\r\n\r\n")
        c.close_notify()
        # Either is right for a client that says no more will come: the answer, or the end. Not a hang.
        c.wait_end()
    p.get()


# --- limits of a head ---


def test_long_request_line_is_414(site):
    p, u = site(echo)
    with p.connect() as c:
        c.try_send("GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % ("a" * 9000))
        assert c.response().status == 414
        assert c.wait_end() in END
    assert u.requests == []


def test_a_request_line_below_the_limit_passes(site):
    p, u = site(echo)
    assert p.get("/" + "a" * 8000).status == 200
    assert u.last.target == "/" + "a" * 8000


def test_endless_request_line_is_414(site):
    p, u = site(echo)
    with p.connect() as c:
        for _ in range(40):
            if not c.try_send("G" * 1000):
                break
        assert c.response().status in (400, 414, 501)


def test_big_headers_are_431(site):
    p, u = site(echo)
    with p.connect() as c:
        c.try_send("GET / HTTP/1.1\r\nHost: localhost\r\n" + "".join("X-%d: %s\r\n" % (i, "v" * 1000)
                                                                  for i in range(40)) + "\r\n")
        assert c.response().status == 431
        assert c.wait_end() in END
    assert u.requests == []


def test_one_big_header_is_431(site):
    p, u = site(echo)
    with p.connect() as c:
        c.try_send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "v" * 40000 + "\r\n\r\n")
        assert c.response().status == 431


def test_many_headers_are_431(site):
    p, u = site(echo)
    with p.connect() as c:
        c.send("GET / HTTP/1.1\r\nHost: localhost\r\n" + "a: b\r\n" * 101 + "\r\n")
        assert c.response().status == 431
    assert u.requests == []


def test_headers_below_the_limits_pass(site):
    p, u = site(echo)
    r = p.get(fields=[("X-%d" % i, "v" * 300) for i in range(95)])
    assert r.status == 200 and u.last.get("X-94") == "v" * 300


def test_limits_can_be_set(site):
    p, u = site(echo, globals="max-request-line 1000\nmax-header-size 2000\nmax-header-fields 10")
    assert p.get("/" + "a" * 1100).status == 414
    assert p.get(fields=[("A", "v" * 2100)]).status == 431
    assert p.get(fields=[("A", "v")] * 12).status == 431
    assert p.get(fields=[("A", "v")] * 3).status == 200


# --- what is forwarded ---


def test_forwarding_fields_are_set(site):
    p, u = site(echo)
    f = fields_of(p.get(host="localhost:%d" % p.port))
    assert f["x-forwarded-for"] == ["127.0.0.1"] and f["x-real-ip"] == ["127.0.0.1"]
    assert f["x-forwarded-proto"] == ["https"]
    assert f["x-forwarded-host"] == ["localhost:%d" % p.port]
    assert f["host"] == ["localhost:%d" % p.port]


SPOOFS = ["X-Forwarded-For", "x-forwarded-for", "X_Forwarded_For", "X-Forwarded_For", "X-Forwarded-Proto",
          "X_FORWARDED_PROTO", "X-Forwarded-Host", "X_Forwarded_Host", "X-Forwarded-Port", "X-Forwarded-Server",
          "X-Real-IP", "X_Real_IP", "X-Real_IP", "Forwarded"]


@pytest.mark.parametrize("name", SPOOFS)
def test_spoofed_forwarding_fields_are_dropped(site, name):
    p, u = site(echo)
    f = fields_of(p.get(fields=[(name, "6.6.6.6"), ("X-Kept", "1")]))
    assert not [n for n, v in f.items() if "6.6.6.6" in " ".join(v)]
    assert f["x-forwarded-for"] == ["127.0.0.1"] and f["x-kept"] == ["1"]


def test_connection_cannot_name_away_what_we_add(site):
    p, u = site(echo)
    f = fields_of(p.get(fields=[("Connection", "X-Forwarded-For, x-real-ip, Host, X-Mine, Content-Length"),
                                ("X-Mine", "1")], body=b"abc", method="POST"))
    assert f["x-forwarded-for"] == ["127.0.0.1"] and f["x-real-ip"] == ["127.0.0.1"]
    assert f["host"] == ["localhost"]
    assert "x-mine" not in f


def test_hop_by_hop_fields_are_removed(site):
    p, u = site(lambda r: reply(b"x", fields=[("Connection", "x-hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                                              ("Proxy-Connection", "keep-alive"), ("X-Stays", "1")]))
    r = p.get(fields=[("Keep-Alive", "300"), ("Proxy-Connection", "keep-alive"), ("TE", "gzip"),
                      ("Connection", "X-A"), ("Connection", "x-b"), ("X-A", "1"), ("X-B", "1"), ("X-C", "1")])
    for gone in ("keep-alive", "proxy-connection", "x-a", "x-b", "upgrade"):
        assert gone not in u.last.names
    assert "gzip" not in (u.last.get("TE") or "")
    assert u.last.get("X-C") == "1"
    assert r.get("X-Hop") is None and r.get("Keep-Alive") is None and r.get("Proxy-Connection") is None
    assert r.get("X-Stays") == "1"


def test_trusted_proxy_is_believed(site):
    p, u = site(echo, globals="trusted-proxies 127.0.0.0/8")
    f = fields_of(p.get(fields=[("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "http"),
                                ("X-Forwarded-Host", "outer.example")]))
    assert f["x-forwarded-for"] == ["203.0.113.9, 127.0.0.1"]
    assert f["x-forwarded-proto"] == ["http"] and f["x-forwarded-host"] == ["outer.example"]


def test_untrusted_among_trusted(site):
    p, u = site(echo, globals="trusted-proxies 10.0.0.0/8 192.0.2.1 ::1")
    f = fields_of(p.get(fields=[("X-Forwarded-For", "203.0.113.9")]))
    assert f["x-forwarded-for"] == ["127.0.0.1"]


def test_fields_pass_unchanged_and_in_order(site):
    mine = [("Accept", "*/*"), ("Cookie", "a=1; b=2"), ("X-Twice", "1"), ("X-Twice", "2"), ("X-Empty", ""),
            ("Authorization", "Basic QQ=="), ("X-UTF8", "\xc3\xa9"), ("Referer", "http://x/?a=1")]
    p, u = site(lambda r: reply(b"x", fields=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Server", "own"),
                                              ("X-Empty", ""), ("Via", "1.1 inner")]))
    r = p.get(fields=mine)
    assert [f for f in u.last.fields if f in mine] == mine
    assert r.all("Set-Cookie") == ["a=1", "b=2"] and r.get("Server") == "own" and r.get("X-Empty") == ""


def test_date_is_added_only_if_missing(site):
    p, u = site(lambda r: reply(b"x", fields=[("Date", "Sun, 06 Nov 1994 08:49:37 GMT")] if r.target == "/1" else []))
    assert p.get("/1").all("Date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", p.get("/2").get("Date"))


def test_header_directives(site):
    p, u = site(lambda r: reply(b"x", fields=[("Server", "secret"), ("X-A", "up")]),
                extra='header set Strict-Transport-Security "max-age=31536000"\n header remove Server\n'
                      ' header add X-A mine\n request-header set X-Who me\n request-header remove Cookie')
    r = p.get(fields=[("Cookie", "a=1"), ("X-Who", "you")])
    assert r.get("Strict-Transport-Security") == "max-age=31536000" and r.get("Server") is None
    assert r.all("X-A") == ["up", "mine"]
    assert u.last.all("X-Who") == ["me"] and u.last.get("Cookie") is None


# --- host and routing ---


TWO = """
site a.test {{ tls self-signed
 upstream {a} }}
site b.test *.w.test {{ tls self-signed
 upstream {b}
 path /api {{ upstream {a} }} }}
"""


@pytest.fixture
def two(proxy, upstream):
    a, b = upstream(reply(b"A")), upstream(reply(b"B"))
    return proxy(TWO.format(a=a.address, b=b.address), http=True), a, b


def test_sites_by_name(two):
    p, a, b = two
    for name, body in (("a.test", b"A"), ("b.test", b"B"), ("x.w.test", b"B"), ("A.TEST", b"A"), ("a.test.", b"A")):
        assert p.get(sni=name.rstrip(".").lower(), host=name).body == body, name


def test_unknown_host_is_421(two):
    p, a, b = two
    with p.connect(sni="a.test") as c:
        assert c.get(host="other.test").status == 421
        assert c.get(host="w.test").status == 421
        assert c.get(host="y.x.w.test").status == 421
        assert c.get(host="a.test").status == 200  # a 421 is an answer, not the end
    assert len(a.requests) == 1 and not b.requests


def test_other_site_than_the_connection_is_421(two):
    p, a, b = two
    with p.connect(sni="a.test") as c:
        assert c.get(host="b.test").status == 421
    assert not b.requests


def test_other_site_under_the_same_certificate_is_fine(proxy, upstream, authority):
    a, b = upstream(reply(b"A")), upstream(reply(b"B"))
    cert, key = authority.leaf("a.test", "b.test")
    p = proxy("site a.test { upstream %s\n tls cert %s key %s }\nsite b.test { upstream %s\n tls cert %s key %s }" % (
        a.address, cert, key, b.address, cert, key))
    with p.connect(sni="a.test") as c:
        assert c.get(host="a.test").body == b"A"
        assert c.get(host="b.test").body == b"B"


def test_sole_site_answers_every_host(site):
    p, u = site(echo, name="example.test")
    for sni, host in (("localhost", "localhost"), (None, "127.0.0.1"), (None, "127.0.0.1:%d" % p.port)):
        assert p.get(sni=sni, host=host).status == 200, host


def test_paths(two):
    p, a, b = two
    want = {"/": b"B", "/api": b"A", "/api/x": b"A", "/apix": b"B", "/x/api": b"B", "//api": b"A", "/x/../api/y": b"A",
            "/x/%2e%2e/api": b"A", "/%61pi": b"A", "/api/../z": b"B", "/api?x=/../": b"A", "/?/api": b"B"}
    got = {}
    with p.connect(sni="b.test") as c:
        for path in want:
            got[path] = c.get(path, host="b.test").body
    assert got == want


@pytest.mark.parametrize("path", ["/..", "/../x", "/%2e%2e/x", "/a/../../x", "/%00", "/%", "/%zz", "/a%2", "/x%2f..%2fy",
                                  "/x/..%5cy", "/x\\..\\y"])
def test_paths_that_climb_or_are_broken_are_400(site, path):
    p, u = site(echo)
    assert p.get(path).status == 400
    assert u.requests == []


def test_absolute_form(two):
    p, a, b = two
    with p.connect(sni="a.test") as c:
        c.send("GET https://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert c.response().body == b"A"
        assert a.last.target == "/x?y" and a.last.get("Host") == "a.test"
        c.send("GET https://other.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert c.response().status in (400, 421)
    assert len(a.requests) == 1


@pytest.mark.parametrize("target", ["http:/x", "x", "", "https://", "https:///x", "https://us er/x", "/a b",
                                    "https://user:pass@localhost/"])
def test_bad_targets(site, target):
    p, u = site(echo)
    with p.connect() as c:
        c.send("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target)
        assert c.response().status == 400
    assert u.requests == []


def test_respond(proxy):
    p = proxy('site localhost { tls self-signed\n respond 200 "hello"\n path /gone { respond 410 "no more" } }')
    with p.connect() as c:
        r = c.get()
        assert (r.status, r.body) == (200, b"hello")
        r = c.get("/gone", method="POST", body=b"x" * 1000)
        assert (r.status, r.body) == (410, b"no more")
        assert c.get("/gone", method="HEAD").get("Content-Length") == "7"


def test_redirect_directive(proxy):
    p = proxy("site localhost { tls self-signed\n redirect https://new.test{uri}\n"
              " path /old { redirect 301 /fixed } }")
    r = p.get("/a?b=1")
    assert r.status in (301, 302, 307, 308) and r.get("Location") == "https://new.test/a?b=1"
    r = p.get("/old/x")
    assert (r.status, r.get("Location")) == (301, "/fixed")


@pytest.mark.full
def test_ipv6_listener(proxy, upstream):
    u = upstream(echo)
    port = free_port()
    p = proxy("site localhost { tls self-signed\n upstream %s }" % u.address, tls=False,
              globals="listen [::1]:%d" % port, wait=False)
    until(lambda: p.listens(port), 10, "listening on [::1]")
    f = fields_of(p.connect(host="::1", port=port, sni=None).get(host="[::1]:%d" % port))
    assert f["x-forwarded-for"] == ["::1"] and f["host"] == ["[::1]:%d" % port]


# --- port 80 ---


def test_plain_port_redirects(two):
    p, a, b = two
    with p.connect(tls=False) as c:
        for host in ("a.test", "a.test:%d" % p.http_port, "A.test"):
            r = c.get("/x/y?q=1&r=%2F", host=host)
            assert r.status == 308
            assert r.get("Location").lower() == ("https://a.test:%d/x/y?q=1&r=%%2F" % p.port).lower()
    assert not a.requests and not b.requests


def test_plain_port_keeps_the_method_with_curl(site):
    p, u = site(echo, http=True)
    r = p.curl("-L", "-d", "a=1", "--resolve", "localhost:%d:127.0.0.1" % p.port, http=True, path="/f?x")
    doc = json.loads(r.out)
    assert doc["method"] == "POST" and doc["body"] == "a=1" and doc["target"] == "/f?x"


def test_plain_port_unknown_host(two):
    p, a, b = two
    r = p.get(tls=False, host="evil.test")
    assert r.status in (404, 421) and r.get("Location") is None


def test_plain_port_leaves_443_out(proxy, upstream):
    if os.geteuid() != 0 or is_listening(443):
        pytest.skip("port 443 is not to be had here")
    u = upstream(echo)
    p = proxy("site localhost { tls self-signed\n upstream %s }" % u.address, http=True, tls=False,
              globals="listen 127.0.0.1:443")
    assert p.get("/x", tls=False).get("Location") == "https://localhost/x"


@pytest.mark.parametrize("request_bytes", [
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a.test:99999\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a.test@b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"])
@pytest.mark.parametrize("tls", [True, False])
def test_missing_or_malformed_host_is_400(site, request_bytes, tls):
    p, u = site(echo, http=True)
    with p.connect(tls=tls) as c:
        c.send(request_bytes)
        assert c.response().status == 400
        assert c.wait_end() in END
    assert u.requests == []


def test_no_host_is_400_where_no_site_is_the_default(proxy, upstream):
    p = proxy("site a.test { respond 200 a }\nsite b.test { respond 200 b }", http=True)
    assert p.raw("GET / HTTP/1.0\r\n\r\n", tls=False).status == 400
    assert p.get("/", host="c.test", tls=False).status == 421


def test_acme_challenge_path_is_reserved(site):
    p, u = site(echo, http=True)
    for path in ("/.well-known/acme-challenge/token", "/.well-known/acme-challenge/"):
        assert p.get(path, tls=False).status == 404
    assert p.get("/.well-known/security.txt", tls=False).status == 308
    assert u.requests == []


def test_tls_off_site_is_served_in_plain(proxy, upstream):
    u = upstream(echo)
    p = proxy("site localhost { tls off\n upstream %s }" % u.address, http=True, tls=False)
    r = p.get("/plain", tls=False)
    assert r.status == 200 and fields_of(r)["x-forwarded-proto"] == ["http"]


def test_no_header_can_be_split_into_the_redirect(site):
    p, u = site(echo, http=True)
    with p.connect(tls=False) as c:
        c.send("GET /%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        r = c.response()
        assert r.get("X-Evil") is None and r.status in (308, 400)
