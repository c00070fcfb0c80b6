# SPDX-License-Identifier: MIT
"""Clients that come back: by session id in TLS 1.2, by ticket in TLS 1.3."""
import os
import re
import subprocess

import pytest

from proxy import Proxy
from rawhttp import client_context
from test_tls import SUITES, chosen, refused, subject
from tlsclients import FLAG, s_client_get

RETRY = ["-groups", "P-384:P-256"]  # the client's first share is of a group that we do not have


@pytest.fixture(scope="module")
def pair(authority):
    """Two sites behind one port."""
    p = Proxy("".join("site %s.test { tls cert %s key %s\n respond 200 %s }\n" % (
        n, *authority.leaf(n + ".test"), n) for n in "ab"))
    yield p
    wrong = p.finish()
    if wrong:
        pytest.fail(wrong, pytrace=False)


@pytest.fixture
def session(tmp):
    """The name of a file for a session."""
    return os.path.join(tmp, "session")


def make(p, version, path, *args, sni="a.test"):
    """A connection whose session is kept in that file."""
    out = s_client_get(p.port, FLAG[version], "-sess_out", path, *args, sni=sni)
    assert "\nNew, " in out and os.path.getsize(path) and "\n\r\n" + sni[0] in out, out
    return out


def resumes(p, version, path, *args, sni="a.test"):
    """Is the session in that file resumed? Either way the request is answered."""
    out = s_client_get(p.port, FLAG[version], "-sess_in", path, *args, sni=sni)
    assert not refused(out) and "\n\r\n" + sni[0] in out, out
    return "\nReused, " in out


def test_session_is_resumed(pair, version, session):
    make(pair, version, session)
    assert resumes(pair, version, session)
    assert resumes(pair, version, session)


def test_session_of_one_site_is_not_resumed_at_another(pair, version, session):
    make(pair, version, session)
    assert not resumes(pair, version, session, sni="b.test")
    assert resumes(pair, version, session)


def test_what_a_resumed_connection_says(pair, version):
    ctx = client_context(version=version)
    with pair.connect(sni="a.test", context=ctx) as c:
        assert c.get(host="a.test").body == b"a"
        session = c.tls.session
    before = pair.admin("status")["counters"]
    with pair.connect(sni="a.test", context=ctx, session=session) as c:
        assert c.tls.session_reused and c.get(host="a.test").body == b"a"
    after = pair.admin("status")["counters"]
    assert after["handshakes_resumed"] - before["handshakes_resumed"] == 1
    assert after["handshakes"] == before["handshakes"]


def test_session_of_1_2_is_of_no_use_in_1_3(pair, session):
    make(pair, "TLSv1.2", session)
    out = s_client_get(pair.port, "-sess_in", session, sni="a.test")
    assert "\nNew, TLSv1.3" in out or "\nReused, TLSv1.2" in out


def test_session_after_a_reload(proxy, authority, version, session):
    """Also with a new certificate, as after a renewal."""
    conf = "site a.test { tls cert %s key %s\n respond 200 a }"
    p = proxy(conf % authority.leaf("a.test"))
    make(p, version, session)
    assert p.reload()["ok"] is True
    assert resumes(p, version, session)
    assert p.reload(conf % authority.other("a.test", chain=False))["ok"] is True
    assert resumes(p, version, session)


def test_session_after_a_restart_is_a_new_one(proxy, authority, version, session):
    conf = "site a.test { tls cert %s key %s\n respond 200 a }" % authority.leaf("a.test")
    make(proxy(conf), version, session)
    assert not resumes(proxy(conf), version, session)


def test_session_cache_is_bounded(proxy):
    """In 1.2, where it is the server that keeps sessions."""
    p = proxy("site localhost { tls self-signed\n respond 200 x }", globals="session-cache 4")
    ctx, sessions = client_context(version="TLSv1.2"), []
    for _ in range(12):
        with p.connect(context=ctx) as c:
            c.get()
            sessions.append(c.tls.session)
    reused = []
    for s in sessions:
        with p.connect(context=ctx, session=s) as c:
            reused.append(c.tls.session_reused)
    assert sum(reused[:-4]) == 0


# --- tickets ---


def test_many_tickets(pair):
    """More than a cache would keep, each of them good, and good again."""
    ctx, sessions = client_context(version="TLSv1.3"), []
    for _ in range(60):
        with pair.connect(sni="a.test", context=ctx) as c:
            c.get(host="a.test")
            sessions.append(c.tls.session)
    for s in sessions + sessions[:10]:
        with pair.connect(sni="a.test", context=ctx, session=s) as c:
            assert c.tls.session_reused


def test_a_session_that_goes_on_and_on(pair, session):
    """Each connection resumes with the ticket of the one before."""
    make(pair, "TLSv1.3", session)
    for _ in range(8):
        assert resumes(pair, "TLSv1.3", session, "-sess_out", session)


def test_how_many_tickets(pair, session):
    """Two after a full handshake, for two connections at once; one in place of one used."""
    out = make(pair, "TLSv1.3", session)
    assert out.count("New Session Ticket arrived") == 2
    tickets = re.findall(r"TLS session ticket:((?:\n +[0-9a-f]{4} - .*)+)", out)
    assert len(set(tickets)) == 2
    out = s_client_get(pair.port, "-sess_in", session, sni="a.test")
    assert out.count("New Session Ticket arrived") == 1


def test_lifetime_is_twice_the_rotation(proxy, session):
    p = proxy("site localhost { tls self-signed\n respond 200 l }", globals="ticket-rotation 1h")
    out = make(p, "TLSv1.3", session, sni="localhost")
    assert "TLS session ticket lifetime hint: 7200 (seconds)" in out


@pytest.mark.parametrize("first", [[], RETRY])
@pytest.mark.parametrize("second", [[], RETRY, ["-groups", "P-256"]])
def test_session_and_retry(pair, session, first, second):
    """A HelloRetryRequest before the session, or when it is resumed."""
    make(pair, "TLSv1.3", session, *first)
    assert resumes(pair, "TLSv1.3", session, *second)


@pytest.mark.parametrize("made", SUITES)
@pytest.mark.parametrize("offered", SUITES)
def test_session_with_another_suite(pair, session, made, offered):
    """Good for every suite with the same hash (RFC 8446 §4.6.1)."""
    make(pair, "TLSv1.3", session, "-ciphersuites", made)
    out = s_client_get(pair.port, "-tls1_3", "-sess_in", session, "-ciphersuites", offered, sni="a.test")
    assert chosen(out.replace("\nReused,", "\nNew,")) == ("TLSv1.3", offered) and "\n\r\na" in out
    assert ("\nReused," in out) == (made[-6:] == offered[-6:])


def test_session_needs_no_certificate_again(pair, session):
    make(pair, "TLSv1.3", session)
    out = s_client_get(pair.port, "-sess_in", session, "-msg", sni="a.test")
    assert "Reused, TLSv1.3" in out and "<<< TLS 1.3, Handshake [length" in out
    assert ", Certificate\n" not in out and ", CertificateVerify\n" not in out
    assert subject(out) == "CN=a.test"  # from the session


def test_replicas_with_common_keys(proxy, authority, tmp, session):
    """The second takes the first one's tickets, also when the keys turn over by a reload: the new one in front."""
    keys = [subprocess.run(["openssl", "rand", "-base64", "48"], check=True, stdout=subprocess.PIPE).stdout
            for _ in range(2)]
    path = os.path.join(tmp, "keys")
    with open(path, "wb") as f:
        f.write(keys[0])
    conf = "site a.test { tls cert %s key %s\n respond 200 a }" % authority.leaf("a.test")
    one, other = (proxy(conf, globals="ticket-keys " + path) for _ in range(2))
    make(one, "TLSv1.3", session)
    assert resumes(other, "TLSv1.3", session)
    with open(path, "wb") as f:
        f.write(keys[1] + keys[0])
    assert other.reload()["ok"] is True
    assert resumes(other, "TLSv1.3", session, "-sess_out", session + ".2")
    assert not resumes(one, "TLSv1.3", session + ".2")
    assert one.reload()["ok"] is True
    assert resumes(one, "TLSv1.3", session + ".2")
