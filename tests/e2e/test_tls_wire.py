# SPDX-License-Identifier: MIT
"""What comes in on the TLS port, in whatever pieces, and how a TLS connection ends."""
import os
import ssl
import subprocess

import pytest

from rawhttp import CLOSE_NOTIFY, FIN, RESET, Client, Ended
from upstreams import echo, reply


# --- what comes in ---


@pytest.mark.parametrize("request_bytes", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /x HTTP/1.0\r\n\r\n",
                                           b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_plain_http_on_the_tls_port(sites, request_bytes):
    with Client(("127.0.0.1", sites.port)) as c:
        c.send(request_bytes)
        r = c.response()
        assert r.status == 400 and "HTTPS" in r.text and r.get("Content-Type").startswith("text/plain")
        assert c.wait_end() == FIN


def test_curl_http_to_the_tls_port(sites):
    r = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "-i", "http://127.0.0.1:%d/" % sites.port],
                       capture_output=True, text=True, timeout=20)
    assert r.stdout.startswith("HTTP/1.1 400") and "HTTPS" in r.stdout


@pytest.mark.parametrize("junk", [b"\0" * 100, b"SSH-2.0-OpenSSH\r\n", b"\x16\x03\x01\xff\xff" + b"a" * 100,
                                  b"\x16\x03\x01\x00\x00", b"\x15\x03\x03\x00\x02\x02\x28", b"\x80\x2e\x01\x00\x02",
                                  b"\x17\x03\x03\x00\x05hello", b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
                                  b"\x14\x03\x03\x00\x01\x01", b"\x16\x03\x03\x40\x01" + b"\x01" * 16385])
def test_junk_ends(sites, junk):
    with Client(("127.0.0.1", sites.port)) as c:
        c.try_send(junk)
        try:
            c.truncate()
        except OSError:
            pass
        assert c.wait_end() in (FIN, RESET)
    assert sites.get(sni="ec.test", host="ec.test").body == b"ec"


def test_handshake_in_single_bytes(sites, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version), handshake=False) as c:
        c.handshake(piece=1)
        assert c.get(host="ec.test").body == b"ec"


def split_records(flight, size):
    """The handshake messages in a flight, in records of so many bytes each."""
    out, i = b"", 0
    while i < len(flight):
        kind, version, n = flight[i:i + 1], flight[i + 1:i + 3], int.from_bytes(flight[i + 3:i + 5], "big")
        body = flight[i + 5:i + 5 + n]
        step = size if kind == b"\x16" else n
        for k in range(0, n, step):
            part = body[k:k + step]
            out += kind + version + len(part).to_bytes(2, "big") + part
        i += 5 + n
    return out


@pytest.mark.parametrize("size", [1, 7, 100])
def test_client_hello_over_several_records(sites, size, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version), handshake=False) as c:
        with pytest.raises(ssl.SSLWantReadError):
            c.tls.do_handshake()
        c.send_wire(split_records(c.outgoing.read(), size))
        c.handshake()
        assert c.get(host="ec.test").body == b"ec"


def test_hello_in_one_piece_with_the_rest_cut(sites, version):
    """Each prefix of a hello, then the end: no crash, no hang, no answer but an alert."""
    with sites.connect(sni="ec.test", context=sites.context(version=version), handshake=False) as c:
        with pytest.raises(ssl.SSLWantReadError):
            c.tls.do_handshake()
        hello = c.outgoing.read()
    for n in range(1, len(hello), max(1, len(hello) // 20)):
        with Client(("127.0.0.1", sites.port)) as c:
            c.send(hello[:n])
            c.truncate()
            assert c.wait_end() in (FIN, RESET)


def test_records_in_single_bytes(sites, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version)) as c:
        c.send_wire(c.wire_of(b"GET / HTTP/1.1\r\nHost: ec.test\r\n\r\n"), piece=1)
        assert c.response().body == b"ec"


def test_many_records_in_one_segment(sites, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version)) as c:
        c.send_wire(b"".join(c.wire_of(bytes([b])) for b in b"GET / HTTP/1.1\r\nHost: ec.test\r\n\r\n"))
        assert c.response().body == b"ec"


def test_empty_records(sites, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version)) as c:
        c.send(b"GET / HTTP/1.1\r\n")
        c.send(b"Host: ec.test\r\n\r\n")
        assert c.response().body == b"ec"


@pytest.mark.parametrize("at", [5, 12, -1])
def test_damaged_record(sites, at, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version)) as c:
        wire = bytearray(c.wire_of(b"GET / HTTP/1.1\r\nHost: ec.test\r\n\r\n"))
        wire[at] ^= 1
        c.send_wire(bytes(wire))
        try:
            got = c.rest()
        except ssl.SSLError as e:  # the alert
            assert "alert bad record mac" in str(e).lower().replace("_", " ")
        else:
            assert got == b"" and c.ended != CLOSE_NOTIFY


# --- how it ends ---


def test_close_notify_is_sent(sites, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version)) as c:
        assert c.get(host="ec.test", fields=[("Connection", "close")]).body == b"ec"
        assert c.wait_end() == CLOSE_NOTIFY


def test_close_notify_is_answered(sites, version):
    with sites.connect(sni="ec.test", context=sites.context(version=version)) as c:
        c.get(host="ec.test")
        c.close_notify()
        assert c.wait_end() in (CLOSE_NOTIFY, FIN)


def test_truncated_request_body_is_not_complete(site, version):
    """A body that ends with the connection is none in a request; a truncation is told from an end in the log."""
    p, u = site(echo)
    c = p.connect(context=p.context(version=version))
    c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
    u.wait_requests(1)
    c.truncate()
    c.wait_end()
    assert u.whole == []


def test_truncation_is_logged(site, version):
    p, u = site(echo)
    with p.connect(context=p.context(version=version)) as c:
        c.get()
        c.truncate()
        assert c.wait_end() in (CLOSE_NOTIFY, FIN)
    p.wait_log(r"truncat|without close_notify")


def test_truncated_response_has_no_close_notify(site, version):
    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    p, u = site(script=script)
    with p.connect(context=p.context(version=version)) as c:
        c.request()
        with pytest.raises(Ended) as e:
            c.response()
        assert e.value.how in (FIN, RESET)


def test_response_over_many_records(proxy, upstream, version):
    body = os.urandom(1 << 20)
    u = upstream(reply(body))
    p = proxy("site localhost { tls self-signed\n upstream %s }" % u.address)
    assert p.get(context=p.context(version=version)).body == body
