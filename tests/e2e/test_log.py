# SPDX-License-Identifier: MIT
"""The log: one line for each request, in each format, and nothing a client can write into it by itself."""
import json
import re
import ssl

import pytest

from rawhttp import Client
from upstreams import echo, reply
from waiting import until


def entries(p, n=1, mark='"id"'):
    """The access lines of the JSON log, once there are n."""
    def read():
        found = []
        for line in p.out().splitlines():
            doc = json.loads(line)  # every line is JSON, not only these
            if "target" in doc:
                found.append(doc)
        return found if len(found) >= n else None
    return until(read, 5, "%d lines in the log" % n)


def access_lines(p, n=1, pattern=r" HTTP/1\.[01]\" "):
    return until(lambda: (lambda x: x if len(x) >= n else None)(
        [line for line in p.out().splitlines() if re.search(pattern, line)]), 5, "%d lines in the log" % n)


def test_json(site, version):
    p, u = site(reply(b"hello"), globals="log json")
    with p.connect(context=p.context(version=version)) as c:
        c.get("/a?b=c", method="POST", body=b"12345", host="localhost:%d" % p.port)
        cipher = c.tls.cipher()[0]
    e = entries(p)[0]
    assert e["client"] == "127.0.0.1" and e["site"] == "localhost" and e["status"] == 200
    assert e["method"] == "POST" and e["target"] == "/a?b=c" and e["protocol"] == "HTTP/1.1"
    assert e["bytes_in"] >= 5 and e["bytes_out"] >= 5
    assert u.address in e["upstream"] and e["time_us"] >= e["first_byte_us"] > 0
    assert e["tls"] == version and e["cipher"] == cipher and len(e["id"]) >= 8
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", e["time"])


def test_text(site, version):
    p, u = site(reply(b"hello"), globals="log text")
    with p.connect(context=p.context(version=version)) as c:
        c.get("/a?b=c")
        cipher = c.tls.cipher()[0]
    line = access_lines(p)[0]
    for said in ("127.0.0.1", "localhost", '"GET /a?b=c HTTP/1.1"', " 200 ", u.address, version, cipher):
        assert said in line, line


def test_combined(site):
    p, u = site(reply(b"hello"), globals="log combined")
    p.get("/a", fields=[("User-Agent", "test/1"), ("Referer", "https://r.test/")])
    line = access_lines(p)[0]
    assert re.fullmatch(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a HTTP/1\.1" 200 \d+ '
                        r'"https://r\.test/" "test/1"', line), line


def test_combined_without_agent(site):
    p, u = site(echo, globals="log combined")
    p.get("/a")
    assert access_lines(p)[0].endswith('"-" "-"')


def test_off(site):
    p, u = site(echo, globals="log off")
    for _ in range(5):
        p.get("/secret-path")
    p.admin("status")
    assert "/secret-path" not in p.log()


@pytest.mark.parametrize("old", ["log format json", "log json"])
def test_spelling_with_format(site, old):
    p, u = site(echo, globals=old)
    p.get("/x")
    assert entries(p)[0]["target"] == "/x"


def test_one_line_for_each_request_and_ids_differ(site):
    p, u = site(echo, globals="log json")
    with p.connect() as c:
        for i in range(20):
            c.get("/%d" % i)
    found = entries(p, 20)
    assert [e["target"] for e in found] == ["/%d" % i for i in range(20)]
    assert len({e["id"] for e in found}) == 20


def test_answers_made_here_are_logged_too(site):
    p, u = site(echo, globals="log json", http=True)
    p.get("/redirected", tls=False)
    p.get("/climb/../../x")
    with p.connect() as c:
        c.send("BROKEN\r\n\r\n")
        c.rest()
    assert sorted(e["status"] for e in entries(p, 3)) == [308, 400, 400]


EVIL = [
    b"GET /\"%20200%20x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\" \"b\r\nReferer: \"\r\n\r\n",
    b"GET /%0d%0a2026-01-01T00:00:00Z%20forged HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /\\\" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \\\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \x1b[31m\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\xfe\xc3(\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\nforged line\r\n\r\n",
    b"GET /\x1b[2Jx HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \"evil\nhost\"\r\n\r\n",
    b"GET / HTTP/1.1\nforged: yes\n\n",
]


@pytest.mark.parametrize("format", ["text", "json", "combined"])
def test_no_line_can_be_forged(site, format):
    p, u = site(echo, globals="log " + format)
    for request in EVIL:
        with p.connect() as c:
            c.try_send(request)
            c.response()
    p.get("/last", fields=[("User-Agent", "\xe2\x80\xa8line separator")])
    until(lambda: "/last" in p.out(), 5, "the last line")
    raw = p.out()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", raw.encode("utf-8", "surrogateescape").decode("latin-1")
                         if format != "json" else raw)
    assert not [line for line in raw.split("\n") if line.startswith(("forged", "2026-01-01T00:00:00Z forged"))]
    if format == "json":
        assert len(entries(p, 5)) <= len(EVIL) + 1
    elif format == "combined":
        for line in access_lines(p, 5):
            if " - - [" in line:
                quoted = re.sub(r"\\.", "", line)
                assert quoted.count('"') == 6, line


def test_upstream_text_cannot_forge_a_line(site):
    p, u = site(b"HTTP/1.1 abc\r\n\r\n2026 forged\n", globals="log json")
    assert p.get("/x").status == 502
    assert entries(p)[0]["status"] == 502


def test_long_target_is_one_bounded_line(site):
    p, u = site(echo, globals="log json")
    p.get("/" + "\"" * 10 + "a" * 8000)
    p.get("/" + "%ff" * 2500)
    assert all(len(json.dumps(e)) < 20000 for e in entries(p, 2))


WORST = ["GET /%s HTTP/1.1\r\nHost: localhost\r\n" % ("\"" * 7000),
         "GET / HTTP/1.1\r\nHost: %s\r\n" % ("\xff\t" * 3000),
         "%s / HTTP/1.1\r\nHost: localhost\r\n" % ("M" * 7000)]
FIELDS = "Referer: %s\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n" % ("\"\xff" * 2000, "\\\xff" * 2000)


@pytest.mark.parametrize("form", ["text", "json", "combined"])
def test_the_longest_lines_are_whole(site, form):
    """What is cut is a field, never the line: its end, quotes and braces are there."""
    p, u = site(echo, globals="log " + form)
    ends = {"text": r'(id=[0-9a-f]{16}|error="[^"]*")$', "json": r"^{.*}$", "combined": r'" \d+ \d+ "[^"]*" "[^"]*"$'}
    for worst in WORST:
        before = len(access_lines(p, 0, ""))
        p.raw((worst + FIELDS).encode("latin1"))
        line = access_lines(p, before + 1, "")[before:][-1]
        assert len(line) < 8192 and re.search(ends[form], line), line
        if form == "json":
            json.loads(line)


def test_handshake_failure_is_one_line(site):
    p, u = site(echo)
    before = p.out().count("\n")
    with Client(("127.0.0.1", p.port)) as c:
        c.send(b"\x16\x03\x01\x00\x05junk!")
        c.wait_end()
    p.wait_log("127.0.0.1.*handshake|handshake.*127.0.0.1")
    new = [x for x in p.out().splitlines()[before:] if "handshake" in x.lower()]
    assert len(new) == 1, new


def test_alert_is_named(site):
    p, u = site(echo)
    with pytest.raises(ssl.SSLError):
        p.connect(context=p.context(ciphers="ECDHE-RSA-AES128-SHA256", version="TLSv1.2"))
    p.wait_log("handshake.*(alert|handshake.failure|cipher)")


def test_start_says_what_is_served(site):
    p, u = site(echo, http=True)
    out = p.wait_log("started").string
    for said in ("localhost", u.address, str(p.port), str(p.http_port)):
        assert said in out


def test_start_in_json_is_json(site):
    p, u = site(echo, globals="log json")
    p.get()
    entries(p)


def test_level(site):
    p, u = site(echo, globals="log-level error")
    p.get("/shown")
    access_lines(p)
    assert "started" not in p.out()


def test_aborted_is_said(site):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        c.drain()
    p, u = site(script=script, globals="log json")
    c = p.connect()
    c.request()
    c.until(b"\r\n\r\n")
    c.reset()
    assert entries(p)[0].get("aborted") or entries(p)[0].get("error")


def test_keys_and_secrets_are_not_logged(site):
    p, u = site(echo, globals="log json\nlog-level debug")
    p.get(fields=[("Authorization", "Basic c2VjcmV0"), ("Cookie", "session=s3cr3t")])
    entries(p)
    assert "c2VjcmV0" not in p.log() and "s3cr3t" not in p.log() and "PRIVATE KEY" not in p.log()
