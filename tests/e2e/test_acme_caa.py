# SPDX-License-Identifier: MIT
"""Who may issue for a name: what --check says, with a name server of the test's own, and what the log says of an order that
is refused for it."""
import json
import subprocess

import pytest

from acme_ca import Answers
from dns_server import CAA, NameServer, caa, usable
from proxy import binary, environment

SITE = "site a.test { respond 200 }"


@pytest.fixture
def check(proxy, authority, tmp):
    """check(zone, ...): what --check says of www.a.test (or another name), with an authority whose directory is that."""
    if not usable():
        pytest.skip("needs root, to have a name server asked")
    started = []

    def look(zone, directory={"meta": {"caaIdentities": ["ca.test"]}}, ca="", failing=(), name="www.a.test"):
        ns = NameServer(tmp, zone, failing)
        a = Answers(authority, lambda h, n: h.reply(200, json.dumps(directory).encode()))
        started.extend([ns, a])
        p = proxy((a.conf() if not ca else "acme { ca %s; ca-roots %s }" % (ca, a.root)) + "\n" + SITE, http=True, wait=None)
        r = subprocess.run(ns.prefix + [binary(), "--config", p.conf_path, "--check", "%s:%d" % (name, p.http_port)],
                           capture_output=True, text=True, timeout=60, env=environment({}))
        assert r.stderr == "", r.stderr
        lines = [line for line in r.stdout.splitlines() if "CAA" in line]
        assert (r.returncode == 1) == ("BAD" in r.stdout)
        look.server, look.out = ns, r.stdout
        return "\n".join(lines)

    yield look
    for s in started:
        s.close()


def test_none(check):
    assert check({}) == "ok   CAA: none, any authority may issue"
    assert [n for n, kind in check.server.asked if kind == CAA] == ["www.a.test", "a.test", "test"]
    assert "BAD" not in check.out


def test_allowed_by_a_parent(check):
    assert check({("a.test", CAA): [caa(0, "issue", "x.test"), caa(0, "ISSUE", "CA.test; validationmethods=http-01")]}) == \
        "ok   CAA: CA.test is allowed (at a.test)"


def test_others_are_allowed(check):
    assert check({("a.test", CAA): [caa(0, "issue", "x.test")]}) == \
        'BAD  CAA at a.test allows only x.test; add `a.test. CAA 0 issue "ca.test"` or take another authority'


def test_another_method(check):
    assert check({("www.a.test", CAA): [caa(0, "issue", "ca.test; validationmethods=dns-01")]}) == \
        "BAD  CAA at www.a.test allows ca.test, but not http-01 (validationmethods=dns-01); add it there"


def test_critical(check):
    assert "BAD  CAA at a.test has the critical property tbs" in check({("a.test", CAA): [caa(128, "tbs", "x")]})


def test_it_cannot_be_found_out(check):
    said = check({}, failing=[("a.test", CAA)])
    assert said.startswith("BAD  CAA: name lookup failed; an authority that finds it so refuses"), said


@pytest.mark.parametrize("directory", [{}, [], {"meta": {"caaIdentities": "ca.test"}}, {"meta": {"caaIdentities": [1, "a b", ""]}}])
def test_an_authority_that_does_not_say_its_name(check, directory):
    assert check({("a.test", CAA): [caa(0, "issue", "x.test")]}, directory) == \
        "ok   CAA at a.test allows only x.test; what this authority is called there, it does not say"


@pytest.mark.parametrize("ca, called", [("letsencrypt", "letsencrypt.org"), ("letsencrypt-staging", "letsencrypt.org"),
                                        ("zerossl", "sectigo.com")])
def test_authorities_that_are_known(check, ca, called):
    """Also where they are not reached."""
    assert "ok   CAA: %s is allowed (at a.test)" % called in check({("a.test", CAA): [caa(0, "issue", called)]}, ca=ca)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_what_has_none(check, name):
    assert check({("localhost", CAA): [caa(0, "issue", ";")]}, name=name) == ""
    assert ("localhost", CAA) not in check.server.asked


# --- an order that is refused for it ---


def test_refused_order_names_the_cause(proxy, authority):
    def answer(h, n):
        if h.path == "/dir":
            h.reply(200, json.dumps({k: "%s/%s" % (a.url, k) for k in ("newNonce", "newAccount", "newOrder")}).encode())
        elif h.path == "/newNonce":
            h.reply(200, Replay_Nonce="abc")
        elif h.path == "/newAccount":
            h.reply(201, b"{}", Location=a.url + "/a/1", Replay_Nonce="abd")
        else:
            h.reply(403, b'{"type":"urn:ietf:params:acme:error:caa","detail":"CAA record for a.test prevents issuance"}',
                    Replay_Nonce="abe", Content_Type="application/problem+json")

    a = Answers(authority, answer)
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True)
        line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 20).group(0)
        assert "CAA record for a.test prevents issuance; likely: a CAA record of the name or of a parent forbids" in line
        assert "proxy --check NAME says where and what to add there" in line
    finally:
        a.close()
