# SPDX-License-Identifier: MIT
"""What is new in TLS 1.3, as OpenSSL sees it: retries, new keys on the way, early data, padding, and what stands
against a downgrade. What both versions have is in test_tls.py and test_resumption.py."""
import os
import re
import subprocess

import pytest

from between import CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, without_extension
from ports import free_port
from rawhttp import CLOSE_NOTIFY
from test_tls import SUITES, chosen, refused
from tlsclients import Talk, gnutls, request, s_client, s_client_get
from upstreams import reply
from waiting import until

SUPPORTED_VERSIONS = 43
RETRY = ["-groups", "P-384:P-256"]  # the client's first share is of a group that we do not have


def messages(out, came=True):
    """The handshake messages that -msg shows."""
    return re.findall(r"^%s TLS [0-9.]+, Handshake \[length [0-9a-f]+\], (\w+)$" % ("<<<" if came else ">>>"), out,
                      re.M)


# --- HelloRetryRequest ---


@pytest.mark.parametrize("groups", ["P-384:P-256", "P-521:X448:P-384:X25519", "ffdhe2048:P-256"])
@pytest.mark.parametrize("suite", SUITES)
def test_retry(sites, groups, suite):
    out = s_client_get(sites.port, "-msg", "-groups", groups, "-ciphersuites", suite, sni="ec.test")
    assert messages(out, came=False)[:2] == ["ClientHello", "ClientHello"]
    assert messages(out)[:3] == ["ServerHello", "ServerHello", "EncryptedExtensions"]
    assert chosen(out) == ("TLSv1.3", suite) and "\n\r\nec" in out
    assert "Server Temp Key: " + ("X25519" if "X25519" in groups else "ECDH, prime256v1") in out


def test_no_retry_when_a_share_fits(sites):
    out = s_client_get(sites.port, "-msg", "-groups", "X25519:P-384", sni="ec.test")
    assert messages(out, came=False)[:2] == ["ClientHello", "Finished"]


@pytest.mark.parametrize("name", ["p384", "rsa"])
def test_retry_with_other_keys(sites, name):
    assert "\n\r\n" + name in s_client_get(sites.port, *RETRY, sni=name + ".test")


# --- as middleboxes see it ---


@pytest.mark.parametrize("retry", [[], RETRY])
def test_looks_like_1_2_on_the_wire(sites, between, retry):
    """RFC 8446 §D.4: a change_cipher_spec in the clear behind the first answer, once; everything after it is
    encrypted."""
    b = between(sites.port)
    assert "\n\r\nec" in s_client_get(b.port, *retry, sni="ec.test")
    kinds = [kind for kind, _ in b.records(b.received)]
    assert kinds[:3] == [HANDSHAKE, CHANGE_CIPHER_SPEC] + ([HANDSHAKE] if retry else kinds[2:3])
    assert set(kinds[3:]) == {DATA}


def test_without_middlebox_compatibility(sites, authority, between):
    """A client that sends no session id sees no change_cipher_spec. OpenSSL has no switch for it on its command line,
    but GnuTLS has."""
    b = between(sites.port)
    out = gnutls(b.port, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE", sni="ec.test",
                 authority=authority)
    assert "(TLS1.3-X.509)" in out and "\n\r\nec" in out
    assert [kind for kind, _ in b.records(b.received)][:2] == [HANDSHAKE, DATA]


@pytest.mark.parametrize("size", [64, 4096, 16384])
def test_padded_records(sites, size):
    assert "\n\r\nec" in s_client_get(sites.port, "-tls1_3", "-record_padding", str(size), sni="ec.test")


def test_everything_in_single_bytes(site, between):
    """Each byte of both directions in a segment of its own."""
    body = os.urandom(20000).hex().encode()
    p, u = site(reply(body))
    b = between(p.port, piece=1)
    assert body.decode() in s_client_get(b.port, "-tls1_3")
    with p.connect(port=b.port, context=p.context(version="TLSv1.3")) as c:
        assert c.get().body == body
        assert c.get(fields=[("Connection", "close")]).body == body
        assert c.wait_end() == CLOSE_NOTIFY


# --- KeyUpdate ---


def test_key_updates_in_an_upload(site, tmp):
    """Between the parts of a body the client takes a new key (k), or asks for one of ours too (K)."""
    part, parts = b"x" * 100000, 20
    got = []

    def script(c):
        c.read_head()
        c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(parts):
            got.append(c.exactly(len(part)) == part)
            c.send(b"8\r\npart %02d.\r\n" % i)
        c.send(b"0\r\n\r\n")
    p, u = site(script=script)
    with Talk(p.port, tmp, "-tls1_3") as t:
        t.type("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (len(part) * parts))
        for i in range(parts):
            # What s_client reads from its input in one piece is one command, so each waits for its turn.
            t.type(part).wait("part %02d" % i)
            t.type("kK"[i % 2] + "\n").wait("KEYUPDATE", i + 1)
        t.wait("^0\r$").wait_messages("KeyUpdate", parts, came=False)
        assert t.messages("KeyUpdate", came=False) == parts
        # Those that were asked for are answered, at the latest before the next data.
        assert t.messages("KeyUpdate") in (parts // 2 - 1, parts // 2)
    assert got == [True] * parts


def test_key_updates_in_a_download(site, tmp):
    """Keys change while a body is on its way."""
    block, blocks, times = b"x" * 65536, 200, 10

    def script(c):
        while True:
            c.read_request()
            c.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(block) * blocks))
            for i in range(blocks):
                c.send(block)
    p, u = site(script=script)
    with Talk(p.port, tmp, "-tls1_3") as t:
        t.type("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for i in range(times):
            # Of the body: what s_client says itself has an x here and there.
            until(lambda: t.out.count(b"x" * 64) * 64 > i * len(block) * blocks // times, 30, "a part of the body")
            t.type("Kk"[i % 2] + "\n").wait("KEYUPDATE", i + 1)
        until(lambda: t.out.count(b"x") >= len(block) * blocks, 30, "the body")
        t.wait_messages("KeyUpdate", times, came=False)
        assert t.messages("KeyUpdate", came=False) == times
        # Those that are asked for while one is still owed are answered by one.
        assert 1 <= t.messages("KeyUpdate") <= times // 2
        t.type("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").wait("HTTP/1.1 200 OK", 2)


def test_key_updates_of_an_idle_connection(sites, tmp):
    with Talk(sites.port, tmp, "-tls1_3", sni="ec.test") as t:
        t.wait_messages("NewSessionTicket", 2)
        for i in range(5):
            t.type("K\n").wait_messages("KeyUpdate", i + 1)
            t.type("GET /%d HTTP/1.1\r\nHost: ec.test\r\n\r\n" % i).wait("HTTP/1.1 200 OK", i + 1)


# --- early data ---


@pytest.fixture
def early(server, authority, tmp):
    """A session with another server that takes early data, which is sent to ours: its options for s_client."""
    cert, key = authority.leaf("ec.test")
    port, path = free_port(), os.path.join(tmp, "session")
    server(["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert", cert, "-key", key, "-early_data",
            "-max_early_data", "100000", "-no_anti_replay"], port, stdin=subprocess.PIPE)

    def options(size):
        data = os.path.join(tmp, "early")
        with open(data, "w") as f:
            f.write(request("ec.test", "/early", "X-Fill: " + "x" * size))
        with Talk(port, tmp, "-sess_out", path, sni="ec.test") as t:
            t.wait_messages("NewSessionTicket", 2)
        return ["-sess_in", path, "-early_data", data, "-msg"]
    return options


@pytest.mark.parametrize("size", [10, 15000])
@pytest.mark.parametrize("retry", [[], RETRY])
def test_early_data_is_refused_and_the_request_answered(sites, early, size, retry):
    """A client may have a ticket from before, of another server behind the same name (RFC 8446 §4.2.10)."""
    options = early(size)
    before = len(re.findall("/early", sites.log()))
    out = s_client_get(sites.port, *options, *retry, sni="ec.test")
    assert "Early data was rejected" in out and chosen(out)[0] == "TLSv1.3"
    assert out.count("HTTP/1.1 200 OK") == 1 and "\n\r\nec" in out
    assert messages(out).count("ServerHello") == (2 if retry else 1)
    assert len(re.findall("/early", sites.log())) == before


def test_too_much_early_data(sites, early):
    out = s_client_get(sites.port, *early(60000), sni="ec.test")
    assert "alert unexpected message" in out and "200 OK" not in out
    assert sites.get(sni="ec.test", host="ec.test").body == b"ec"


def test_our_own_tickets_allow_none(sites, tmp):
    """So a client that would send early data does not."""
    path, data = os.path.join(tmp, "session"), os.path.join(tmp, "early")
    with open(data, "w") as f:
        f.write(request("ec.test", "/early"))
    out = s_client_get(sites.port, "-sess_out", path, sni="ec.test")
    assert "Max Early Data: 0" in out
    out = s_client_get(sites.port, "-sess_in", path, "-early_data", data, sni="ec.test")
    assert "Early data was not sent" in out or "Cannot send early data" in out or "Early data was rejected" in out


# --- against a downgrade ---


def strip(kind, body):
    return without_extension(body, SUPPORTED_VERSIONS) if kind == HANDSHAKE and body[0] == 1 else body


def test_a_downgrade_by_someone_between_is_noticed(sites, between):
    """Our ServerHello says in its random that we would have spoken 1.3 (RFC 8446 §4.1.3)."""
    b = between(sites.port, edit=strip)
    out = s_client(b.port, sni="ec.test")
    assert refused(out) and "inappropriate fallback" in out
    sites.wait_log("peer sent alert illegal_parameter")


def test_a_client_of_1_2_is_none(sites, between):
    b = between(sites.port, edit=strip)
    out = s_client_get(b.port, "-tls1_2", sni="ec.test")
    assert chosen(out)[0] == "TLSv1.2" and "\n\r\nec" in out


def test_1_2_without_1_3_here_is_no_downgrade(sites):
    """A client that offers both and gets 1.3 has nothing to say; one that falls back by itself says so (RFC 7507) and
    is heard only if there was something better."""
    assert chosen(s_client(sites.port, "-fallback_scsv", sni="ec.test"))[0] == "TLSv1.3"
    out = s_client(sites.port, "-fallback_scsv", "-tls1_2", sni="ec.test")
    assert refused(out) and "inappropriate fallback" in out
