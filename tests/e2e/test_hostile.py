# SPDX-License-Identifier: MIT
"""What an attacker tries beyond framing that is plainly wrong: to make the proxy hold memory or time for nothing, to
get past a path's rule, to leave a request or a response behind on a connection that others use, to be taken for
somebody else."""
import os
import random
import socket
import time

import pytest

from rawhttp import Client, Ended
from upstreams import Closed, echo, reply
from waiting import until

SECRET = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


# --- memory and time ---


@pytest.mark.native
@pytest.mark.real
@pytest.mark.parametrize("request_line", ["HEAD /", "OPTIONS *"])
def test_answers_nobody_reads_stop_the_reading(proxy, request_line):
    """Answers without a body, asked for by the thousand and never read, must not pile up."""
    p = proxy('site localhost {\n tls off\n respond 200 "x"\n}', http=True, tls=False, globals="log off")
    one = request_line + " HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 0\r\n\r\n"
    with p.connect(tls=False, rcvbuf=4096) as c:
        c.send(one).response("HEAD")
        before = p.memory("VmRSS")
        c.sock.settimeout(1.0)
        sent = 0
        with pytest.raises(OSError):
            while sent < 64 << 20:
                sent += c.sock.send(one.encode() * 1000)
        assert p.memory("VmRSS") - before < 2048
        assert p.get("/", tls=False).status == 200
        # And it goes on as soon as they are read.
        c.sock.settimeout(10)
        assert c.count_rest(1 << 20) >= 1 << 20


@pytest.mark.real
def test_connection_options_by_the_thousand(site):
    """Each member of Connection names a field: a long list of them is not held against a long list of fields."""
    p, u = site(echo, globals="log off")
    names = ",".join(["aa"] * 8000)
    fields = [("Connection", names)] + [("ab", "c")] * 90
    with p.connect() as c:
        c.get("/")
        before = cpu(p)
        for _ in range(50):
            r = c.get("/", fields)
            assert r.status in (200, 400, 431)
            if r.get("Connection") == "close":
                c = p.connect()
    assert cpu(p) - before < 0.35, "%g s for 50 requests" % (cpu(p) - before)


def cpu(p):
    """Seconds of processor time so far."""
    with open("/proc/%d/stat" % p.pid) as f:
        rest = f.read().rsplit(")", 1)[1].split()
    return (int(rest[11]) + int(rest[12])) / 100


def test_interim_responses_are_bounded(site):
    """They pass without backpressure, so there must not be many of them."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n" % (b"a" * 60000)

    def script(c):
        c.read_request()
        for _ in range(90):
            c.send(early)
        c.send(reply(b"ok"))
        c.drain()
    p, u = site(script=script)
    assert p.get("/").status == 502


# --- paths ---


@pytest.mark.parametrize("target", [
    "/admin", "/admin/", "/admin/x", "//admin/x", "/./admin/x", "/a/../admin/x", "/%61dmin/x", "/a/%2e%2e/admin/x",
    "/a/.%2E/admin", "/admin%2fx", "/admin%2Fx", "/%2fadmin/x", "/%2Fadmin", "/a%2f..%2fadmin/x", "/a/..%2fadmin/x",
    "/a%2f%2e%2e/admin", "/admin\\x", "/\\admin", "/a\\..\\admin", "/admin%5cx", "/a%5c..%5cadmin", "/admin;x/y",
    "/admin;/", "/;x/admin", "/a/..;/admin/x", "/a/..;b=c/admin", "/a/.;/../admin", "/admin%3bx",
    "/a/..%3b/admin", "/.;/admin", "/%2e%2fadmin", "/a/%2e%2e%2fadmin", "/..%2fadmin", "/admin/..;/admin",
    "/admin?x", "http://localhost/admin", "http://localhost/admin%2fx", "http://localhost//admin",
])
def test_no_spelling_gets_past_a_path(shared, target):
    """Whichever way a service behind reads encoded slashes, backslashes and parameters: what it could take for
    /admin is not what another path lets through."""
    p, u = shared
    before = len(u.requests)
    r = p.get(target)
    assert r.status in (403, 400), r
    assert len(u.requests) == before, u.last


@pytest.mark.parametrize("target", ["/a%2fb", "/a%2fb/c;d=e", "/admins", "/adminx%2fy", "/a;b", "/a\\b", "/x?/../admin",
                                    "/x?%2fadmin", "/administration/x", "/api/projects/a%2Fb", "/a%252fb"])
def test_paths_that_are_nobodys_rule_pass(shared, target):
    p, u = shared
    assert p.get(target).status == 200
    assert u.last.target == target


@pytest.fixture(scope="module")
def shared():
    from proxy import Proxy
    from upstreams import Upstream
    u = Upstream(echo)
    p = Proxy("site localhost {\n tls self-signed\n upstream %s\n path /admin { respond 403 \"no\" }\n"
              "path /api { upstream %s }\n}" % (u.address, u.address))
    yield p, u
    wrong = p.finish()
    u.close()
    if wrong:
        pytest.fail(wrong, pytrace=False)


# --- connections that others use ---


def naive(c):
    """A service that reads no body where it expects none, as handlers of GET often do: what the client put there is
    its next request."""
    while True:
        r = c.read_head()
        c.send(reply(r.target.encode()))
        if r.get("Connection") == "close":
            return


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "HEAD"])
def test_a_body_nobody_expects_is_no_request(site, method):
    """RFC 9110 §9.3.1: content in a GET is how requests are smuggled past services that do not read it."""
    p, u = site(script=naive)
    for fields, body in (((), SECRET), ((("Transfer-Encoding", "chunked"),), b"%x\r\n%s\r\n0\r\n\r\n" % (len(SECRET), SECRET))):
        with p.connect() as c:
            c.request(method, "/first", fields, body)
            c.response("HEAD")
        assert p.get("/second").text == "/second"
        assert [r.target for r in u.requests if r.target == "/smuggled"] == []


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_expectation_that_was_not_met_ends_the_connection(site, version):
    """A final response in place of 100: whether the body was then read is anyone's guess (RFC 9110 §10.1.1). HTTP/1.0 has
    no expectations, so the upstream hears of none."""
    seen = []

    def script(c):
        while True:
            r = c.read_head()
            seen.append(r.connection)
            if r.get("Expect"):
                c.send(reply(b"no", 403, reason="Forbidden"))
            else:
                c.exactly(int(r.get("Content-Length") or 0))
                c.send(reply(r.target.encode()))
    p, u = site(script=script)
    with p.connect() as c:
        c.send("POST /a HTTP/%s\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" %
               (version, len(SECRET)) + SECRET.decode())
        assert c.response().status == (403 if version == "1.1" else 200)
    assert p.get("/b").text == "/b"
    if version == "1.1":
        assert seen[0] != seen[-1]


@pytest.mark.parametrize("fields", [
    "Expect: 100-continue\r\nExpect: y", "Expect: y 100-continue", "Expect: 100-continue, y", "Expect: y",
    "Expect:", "Expect: 100-continue\r\nExpect: 100-continue\r\nExpect:\tz"])
def test_an_expectation_in_disguise(shared, fields):
    p, u = shared
    before = len(u.requests)
    r = p.raw("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n%s\r\n\r\nabc" % fields)
    assert r.status in (400, 417)
    assert len(u.requests) == before


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\nContent-Length: 40\r\n\r\n",
                                  b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_no_content_that_announces_some_ends_the_connection(site, head):
    """What a service that sends this sends next may be its body."""
    def script(c):
        r = c.read_request()
        c.send(head)
        c.drain()
    p, u = site(script=script)
    assert p.get("/a").status == 204
    until(lambda: u.connections[0].ended, 2, "the end of that connection")


# --- who is asking ---


@pytest.mark.parametrize("name", ["X-User", "x-user", "X_User", "x_user", "X_USER"])
def test_a_field_the_configuration_sets_has_no_other_spelling(site, name):
    """A service that speaks CGI or WSGI sees X_User and X-User as one."""
    p, u = site(echo, extra="request-header set X-User nobody")
    p.get("/", [(name, "root")])
    assert [(n, v) for n, v in u.last.fields if n.lower().replace("_", "-") == "x-user"] == [("X-User", "nobody")]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Authorization",
                                  "Cookie", "Content-Type", "Content-Encoding", "Content-Range", "Host", "Expect",
                                  "Content-Length", "Transfer_Encoding", "Cache-Control", "Range", "If-Match"])
def test_trailers_cannot_say_what_belongs_in_the_head(site, name):
    """RFC 9110 §6.5.1: some services merge the two."""
    p, u = site(echo)
    with p.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\r\na\r\n0\r\n%s: evil\r\nX-Sum: 1\r\n\r\n" % name)
        assert c.response().status == 200
    assert u.whole[-1].trailers == [("X-Sum", "1")]


# --- the control socket ---


def test_a_command_hidden_in_another_protocol(proxy, upstream):
    """A browser can be made to send bytes of an attacker's choice to a local port within TLS or TURN: the first line
    that is no command must be the last."""
    from ports import free_port
    port = free_port()
    p = proxy('site localhost {\n respond 200 "x"\n}', globals="admin 127.0.0.1:%d" % port)
    until(lambda: p.listens(port), 10, "the admin port")
    for junk in (b"\x16\x03\x01\x02\x00\x01\x00\n", b"nonsense\n", b"\n", b" stop\n"):
        with Client(("127.0.0.1", port)) as c:
            c.send(junk + b"stop\n")
            assert c.rest().count(b"\n") <= 1
    assert p.alive() and p.get("/").status == 200


# --- the state folder ---


@pytest.mark.native
@pytest.mark.real
@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands its files over")
def test_what_is_linked_into_the_state_folder_keeps_its_owner(proxy, tmp):
    """The state folder is the dropped user's, who may have planted links to files that root must not give away."""
    outside = os.path.join(tmp, "outside")
    os.mkdir(outside)
    for name in ("hard", "soft"):
        with open(os.path.join(outside, name), "w") as f:
            f.write("root's")
    p = proxy('site localhost {\n tls self-signed\n respond 200 "x"\n}', wait=None)
    os.mkdir(os.path.join(p.state, "private"))
    os.link(os.path.join(outside, "hard"), os.path.join(p.state, "private", "key.pem"))
    os.symlink(os.path.join(outside, "soft"), os.path.join(p.state, "soft"))
    os.symlink(outside, os.path.join(p.state, "folder"))
    p.start()
    assert p.get("/").status == 200
    assert os.stat(p.state).st_uid != 0
    for name in ("", "hard", "soft"):
        assert os.stat(os.path.join(outside, name)).st_uid == 0, name
    keys = [os.path.join(d, f) for d, _, files in os.walk(p.state) for f in files if f == "key.pem"]
    assert len(keys) > 1
    for key in keys:
        s = os.stat(key)
        assert s.st_nlink == 2 or (s.st_uid != 0 and s.st_mode & 0o777 == 0o600), key


# --- at random ---


PARTS = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"5", b"\x0b", b"\xff", b"chunked", b"Content-Length",
         b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Connection: close\r\n", b"\r\n\r\n", b"0\r\n\r\n",
         b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"ffffffffffffffff", b"GET /evil HTTP/1.1\r\n"]


def mutated(rng, data, most=3):
    data = bytearray(data)
    for _ in range(rng.randrange(most + 1)):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(4)
        if how == 0:
            data[at:at] = rng.choice(PARTS)
        elif how == 1:
            del data[at:at + rng.randrange(1, 6)]
        elif how == 2:
            data[at:at + 1] = bytes([rng.randrange(256)])
        else:
            end = min(len(data), at + rng.randrange(1, 20))
            data[at:at] = data[at:end]
    return bytes(data)


def test_mutated_requests(site):
    """Whatever a client sends: what arrives is well-formed (the recorder insists), and the next client's answer is its
    own."""
    rng = random.Random(20261121)
    seeds = [b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n",
             b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
             b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
             b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"]
    p, u = site(lambda r: reply(r.target.encode()) if r.method != "HEAD" else reply())
    for i in range(300):
        with p.connect() as c:
            c.try_send(b"".join(mutated(rng, rng.choice(seeds)) for _ in range(rng.randrange(1, 4))))
        own = "/own%d" % i
        assert p.get(own).text == own
    for r in u.whole:
        assert r.version == "HTTP/1.1" and len(r.all("Host")) == 1 and r.target[0] in "/*"
        assert "\n" not in r.target and "\0" not in r.head.decode("latin-1")


def test_mutated_responses(site):
    """Whatever an upstream sends: a response that a client can take for complete has the token of its own request."""
    rng = random.Random(20261122)

    def script(c):
        while True:
            r = c.read_request()
            token = r.target.encode()
            whole = rng.choice([reply(token), b"HTTP/1.1 103 Early Hints\r\n\r\n" + reply(token),
                                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nA: b\r\n\r\n"
                                % (len(token), token)])
            c.send(mutated(rng, whole, 2))
            if rng.randrange(3) == 0:
                return
    p, u = site(script=script, extra="response-timeout 150ms")
    good = 0
    for i in range(300):
        token = "/token-%04d-" % i
        try:
            with p.connect() as c:
                c.sock.settimeout(5)
                r = c.get(token)
        except (Ended, OSError):
            continue
        if r.status == 200:
            good += 1
            others = [t for t in ("/token-%04d-" % k for k in range(i)) if t.encode() in r.body]
            assert not others, "%s got %r" % (token, r)
    assert good > 100
