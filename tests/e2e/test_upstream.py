# SPDX-License-Identifier: MIT
"""The upstream's side: which connection a request takes, and what happens when there is none."""
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from ports import free_port
from rawhttp import Ended
from upstreams import Upstream, echo, reply
from waiting import Clock, until


def conf(*addresses, extra=""):
    return "site localhost { tls self-signed\n upstream %s\n %s }" % (" ".join(addresses), extra)


# --- reuse and retry ---


def test_connections_are_reused(site):
    p, u = site(echo)
    for _ in range(10):  # each from a client connection of its own
        assert p.get().status == 200
    assert len(u.connections) == 1 and len(u.requests) == 10


def test_concurrent_requests_take_a_connection_each(site):
    gate = threading.Barrier(4)

    def answer(r):
        gate.wait(10)
        return reply(b"x")
    p, u = site(answer)
    clients = [p.connect() for _ in range(4)]
    for c in clients:
        c.request()
    assert [c.response().status for c in clients] == [200] * 4
    assert len(u.connections) == 4


def test_idle_connection_is_given_up_in_time(site):
    p, u = site(echo, globals="upstream-idle-timeout 100ms")
    p.get()
    assert u.connections[0].number == 0
    until(lambda: u.connections[0].ended, 5, "the idle connection to the upstream ends")
    assert p.get().status == 200 and len(u.connections) == 2


def test_closed_idle_connection_is_noticed(site):
    """The upstream closes while the connection idles: the next request, even a POST, takes a fresh one."""
    def script(c):
        c.send(echo(c.read_request()))
    p, u = site(script=script)
    with p.connect() as c:
        for i in range(5):
            assert c.get("/%d" % i, method="POST", body=b"x").status == 200
            until(lambda: u.connections[-1].sock.fileno() < 0, 5, "the upstream's close")
    assert len(u.requests) == 5


def dying(first_answers=1, how="close"):
    """A script whose first connection dies on the request after the first, unanswered."""
    def script(c):
        n = 0
        while True:
            r = c.read_request()
            n += 1
            if c.number == 0 and n > first_answers:
                (c.reset if how == "reset" else c.close)()
                return
            c.send(echo(r))
    return script


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
def test_idempotent_request_is_retried_once(site, method, how):
    p, u = site(script=dying(how=how))
    with p.connect() as c:
        assert c.get("/first").status == 200
        assert c.get("/second", method=method).status == 200
    assert [r.target for r in u.requests] == ["/first", "/second", "/second"]
    assert len(u.connections) == 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "OWN"])
def test_other_request_is_not_retried(site, method):
    p, u = site(script=dying())
    with p.connect() as c:
        assert c.get("/first").status == 200
        assert c.get("/second", method=method, body=b"abc").status == 502
        assert c.get("/third").status == 200
    assert [r.target for r in u.requests] == ["/first", "/second", "/third"]


def test_request_on_a_fresh_connection_is_not_retried(site):
    def script(c):
        c.read_request()
    p, u = site(script=script)
    assert p.get().status == 502
    assert len(u.requests) == 1


def test_put_with_a_consumed_body_is_not_retried(site):
    p, u = site(script=dying())
    with p.connect() as c:
        c.get("/first")
        assert c.get("/second", method="PUT", body=b"x" * 1000).status in (502, 200)
    # Whoever retries must send the whole body again.
    assert all(len(r.body) == 1000 for r in u.whole if r.method == "PUT")


def test_no_retry_once_a_byte_of_the_response_came(site):
    def script(c):
        while True:
            c.read_request()
            if len(u.requests) == 2:
                c.send(b"H")
                return
            c.send(reply(b"x"))
    p, u = site(script=script)
    with p.connect() as c:
        assert c.get().status == 200
        assert c.get().status == 502
    assert len(u.requests) == 2


def test_client_gone_ends_the_upstream_request(site):
    ended = threading.Event()

    def script(c):
        c.read_request()
        c.wait_closed()
        ended.set()
    p, u = site(script=script)
    c = p.connect()
    c.request()
    u.wait_requests(1)
    c.reset()
    assert ended.wait(5)


# --- failures ---


@pytest.mark.full
@pytest.mark.native  # of MIPS, where QEMU 7.2 has another error's number
def test_connect_refused_is_502(proxy):
    port = free_port()
    p = proxy(conf("127.0.0.1:%d" % port))
    with Clock() as t:
        r = p.get()
    assert r.status == 502 and t.seconds < 3
    p.wait_log("connect.*refused|refused")


def test_error_page_names_the_request_id(proxy):
    p = proxy(conf("127.0.0.1:%d" % free_port()), globals="log json")
    r = p.get("/why")
    lines = [json.loads(x) for x in p.wait_log(r'^.*"/why".*$').group(0).splitlines()]
    assert lines[0]["status"] == 502 and lines[0]["id"] in r.text and len(r.body) < 2000


def test_no_response_is_504(site):
    def script(c):
        c.read_request()
        c.drain()
    p, u = site(script=script, globals="response-timeout 200ms")
    with p.connect() as c:
        with Clock() as t:
            assert c.get().status == 504
        assert 0.15 < t.seconds < 3
    p.wait_log("no response within|timeout")


def test_stalled_response_is_broken_off(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstart")
        c.drain()
    p, u = site(script=script, globals="response-timeout 200ms")
    with p.connect() as c:
        c.request()
        with pytest.raises(Ended):
            c.response()


def test_connect_timeout_is_504(proxy):
    """A listener whose queue is full answers no SYN."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    fill = []
    try:
        for _ in range(4):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(s.getsockname())
            fill.append(c)
        p = proxy(conf("127.0.0.1:%d" % s.getsockname()[1]), globals="connect-timeout 200ms")
        with Clock() as t:
            assert p.get().status == 504
        assert 0.15 < t.seconds < 3
        p.wait_log("timeout")
    finally:
        for c in fill:
            c.close()
        s.close()


def test_upstream_comes_back(proxy, upstream):
    port = free_port()
    p = proxy(conf("127.0.0.1:%d" % port))
    with p.connect() as c:
        assert c.get().status == 502
        u = upstream(reply(b"back"), port=port)
        r = until(lambda: (lambda x: x.status == 200 and x)(c.get()), 10, "the upstream is used again")
        assert r.body == b"back"
        u.close()


# --- several addresses ---


def test_round_robin(proxy, upstream):
    us = [upstream(reply(b"%d" % i)) for i in range(3)]
    p = proxy(conf(*[u.address for u in us]))
    with p.connect() as c:
        got = [int(c.get().body) for _ in range(30)]
    assert sorted(set(got)) == [0, 1, 2] and all(8 <= got.count(i) <= 12 for i in range(3))


def test_failover(proxy, upstream):
    u = upstream(reply(b"alive"))
    p = proxy(conf("127.0.0.1:%d" % free_port(), u.address, "127.0.0.1:%d" % free_port()))
    with p.connect() as c:
        for i in range(12):
            r = c.get(method="POST" if i % 2 else "GET", body=b"abc" if i % 2 else b"")
            assert (r.status, r.body) == (200, b"alive")


def test_all_refuse(proxy):
    p = proxy(conf(*["127.0.0.1:%d" % free_port() for _ in range(3)]))
    with p.connect() as c:
        assert [c.get().status for _ in range(3)] == [502] * 3


def test_failover_when_one_goes_away(proxy, upstream):
    a, b = upstream(reply(b"a")), upstream(reply(b"b"))
    p = proxy(conf(a.address, b.address))
    with p.connect() as c:
        assert {c.get().body for _ in range(6)} == {b"a", b"b"}
        a.close()
        assert {c.get().body for _ in range(10)} == {b"b"}


# --- kinds of addresses ---


def test_unix_socket(proxy, upstream, tmp):
    path = os.path.join(tmp, "u.sock")
    u = upstream(echo, path=path)
    p = proxy(conf("unix:" + path))
    assert p.get("/x").status == 200 and u.last.get("Host") == "localhost"


def test_unix_socket_missing(proxy, tmp):
    p = proxy(conf("unix:%s/none.sock" % tmp))
    assert p.get().status == 502
    p.wait_log("none.sock")


@pytest.mark.full
def test_ipv6(proxy, upstream):
    u = upstream(echo, host="::1")
    p = proxy(conf(u.address))
    assert p.get().status == 200


def test_name_from_hosts_file(proxy, upstream):
    u = upstream(echo)
    p = proxy(conf("localhost:%d" % u.port))
    assert p.get().status == 200


def test_name_not_found(proxy):
    p = proxy(conf("no-such-name.invalid:80"))
    with Clock() as t:
        assert p.get().status in (502, 504)
    assert t.seconds < 8
    p.wait_log("no-such-name.invalid.*(not found|name|resol|dns)")


def test_name_not_found_is_no_failed_start_and_other_sites_serve(proxy, upstream):
    u = upstream(reply(b"fine"))
    p = proxy("site a.test { tls self-signed\n upstream no-such-name.invalid:80 }\n"
              "site b.test { tls self-signed\n upstream %s }" % u.address)
    c = p.connect(sni="a.test")
    c.request(host="a.test")  # looks a name up meanwhile
    assert p.get(sni="b.test", host="b.test").body == b"fine"
    assert c.response().status in (502, 504)


# --- real services ---


def test_python_http_server(proxy, server, tmp):
    data = os.urandom(500000)
    with open(os.path.join(tmp, "file.bin"), "wb") as f:
        f.write(data)
    os.mkdir(os.path.join(tmp, "sub"))
    port = free_port()
    server([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", tmp, str(port)], port)
    p = proxy(conf("127.0.0.1:%d" % port))
    assert p.curl(path="/file.bin", text=False).out == data
    with p.connect() as c:
        assert c.get("/file.bin").body == data
        assert c.get("/none").status == 404
        assert c.get("/sub").status == 301
        assert c.get("/file.bin", method="HEAD").get("Content-Length") == "500000"
        assert c.get("/file.bin").body == data


def test_nginx(proxy, nginx, tmp):
    data = os.urandom(3000000)
    with open(os.path.join(tmp, "file.bin"), "wb") as f:
        f.write(data)
    port, _ = nginx('location /echo { return 200 "$http_x_forwarded_for $http_host $request_uri"; }\n'
                    "location /gz { gzip on; gzip_types *; gzip_min_length 1; alias %s/; }" % tmp)
    p = proxy(conf("127.0.0.1:%d" % port))
    assert p.curl(path="/file.bin", text=False).out == data
    assert p.curl("-r", "1000-1999", path="/file.bin", text=False).out == data[1000:2000]
    assert p.curl("--compressed", path="/gz/file.bin", text=False).out == data
    assert p.curl(path="/echo?x=1").out == "127.0.0.1 localhost:%d /echo?x=1" % p.port
    with p.connect() as c:
        etag = c.get("/file.bin").get("ETag")
        r = c.get("/file.bin", fields=[("If-None-Match", etag)])
        assert r.status == 304 and r.body == b""
        assert c.get("/echo", method="POST", body=b"x" * 100000).status == 200
        assert c.get("/none").status == 404


def test_curl_large_upload_to_nginx(proxy, nginx, tmp):
    path = os.path.join(tmp, "up")
    with open(path, "wb") as f:
        f.truncate(20000000)
    port, _ = nginx('client_body_in_single_buffer off; location / { return 201 "$request_length"; }')
    p = proxy(conf("127.0.0.1:%d" % port))
    assert int(p.curl("-T", path).out or 0) > 0


def test_flask_like_one_thread_server(proxy, server, tmp):
    """A service that closes every connection and writes its head in pieces."""
    port = free_port()
    code = ("import http.server\n"
            "class H(http.server.BaseHTTPRequestHandler):\n"
            "  def do_POST(self):\n"
            "    b = self.rfile.read(int(self.headers['Content-Length']))\n"
            "    self.send_response(200); self.end_headers()\n"
            "    for i in range(0, len(b), 7): self.wfile.write(b[i:i+7])\n"
            "  def log_message(self, *a): pass\n"
            "http.server.HTTPServer(('127.0.0.1', %d), H).serve_forever()\n" % port)
    server([sys.executable, "-c", code], port)
    p = proxy(conf("127.0.0.1:%d" % port))
    with p.connect() as c:
        for n in (1, 100, 5000):
            assert c.get(method="POST", body=b"y" * n).body == b"y" * n


def test_upstream_class_is_sound():
    """The suite's own upstream, asked by curl directly."""
    u = Upstream(echo)
    try:
        r = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "-d", "abc", "http://" + u.address], capture_output=True,
                           text=True, timeout=10)
        assert '"body": "abc"' in r.stdout
    finally:
        u.close()
