# SPDX-License-Identifier: MIT
"""Certificates by ACME, from Pebble: obtained, renewed, and what is said when they cannot be had."""
import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from acme_ca import (ISSUED, SITE, Answers, SmallCA, certificate, openssl_text, renew, restart_with, schedule,
                     served_by_pebble)
from certificates import openssl
from ports import free_port
from upstreams import reply
from waiting import until

pytestmark = pytest.mark.skipif(not shutil.which("pebble"), reason="pebble is not installed")


def test_first_certificate(ca):
    pebble, p = ca(start=False)
    p.start()
    assert "self-signed" in openssl_text(certificate(p), "-issuer") or served_by_pebble(p)
    p.wait_log(ISSUED, 20)
    text = openssl_text(certificate(p))
    assert "DNS:a.test" in text and "Pebble" in text
    assert pebble.issued() == 1
    assert p.get("/", host="a.test", sni="a.test").status == 200
    for path, mode in (("private/key.pem", 0o600), ("private/a.test/key.pem", 0o600), ("a.test/cert.pem", 0o644)):
        assert os.stat(os.path.join(p.state, path)).st_mode & 0o777 == mode
    assert os.stat(os.path.join(p.state, "private")).st_mode & 0o077 == 0
    assert os.listdir(os.path.join(p.state, "challenge")) == []


def test_chain_and_key_are_what_openssl_takes(ca, tmp):
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    root = os.path.join(tmp, "root.pem")
    with open(root, "w") as f:
        f.write(pebble.issuer())
    chain = os.path.join(p.state, "a.test", "cert.pem")
    openssl("verify", "-CAfile", root, "-untrusted", chain, "-verify_hostname", "a.test", chain)
    of_key = openssl("pkey", "-in", os.path.join(p.state, "private", "a.test", "key.pem"), "-pubout")
    assert of_key == openssl("x509", "-in", chain, "-noout", "-pubkey")


@pytest.mark.parametrize("percent", ["50", "90"])
def test_nonces_that_are_refused(ca, percent):
    pebble, p = ca(env={"PEBBLE_WFE_NONCEREJECT": percent})
    p.wait_log(ISSUED + "|try 1 failed", 60)
    assert percent == "90" or pebble.issued() == 1


@pytest.mark.parametrize("good", [0, 1])
def test_nonces_that_are_refused_for_ever(proxy, authority, good):
    """The first of them, or that of the account's request and all after; each asked for anew, as none comes with the answer."""
    def answer(h, n):
        if h.path == "/dir":
            h.reply(200, ('{"newNonce":"%(u)s/n","newAccount":"%(u)s/a","newOrder":"%(u)s/o"}' % {"u": a.url}).encode())
        elif h.path == "/n":
            h.reply(200, Replay_Nonce="abc")
        elif h.path == "/a" and good:
            h.reply(201, b"{}", Location=a.url + "/a/1")
        else:
            h.reply(400, b'{"type":"urn:ietf:params:acme:error:badNonce","detail":"not this one"}',
                    Content_Type="application/problem+json")

    a = Answers(authority, answer)
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True)
        until(lambda: "try 1 failed" in p.log() or len(a.requests) > 100, 30, "the end of it")
        assert re.search(r"acme: a\.test: .*not this one.*try 1 failed", p.log())
        assert 20 < len(a.requests) <= 50
    finally:
        a.close()


def test_account_is_found_again(ca):
    """The account's key is kept; a second site is ordered under the same account."""
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.write_conf(SITE + "\nsite b.test { respond 200 }")
    p.start()
    p.wait_log(r"acme: b\.test: a new certificate", 20)
    assert p.log().count("acme: a new account") == 1


def test_connections_outlive_a_renewal(ca):
    pebble, p = ca(config={"certificateValidityPeriod": 6})
    p.wait_log(ISSUED, 20)
    with p.connect(sni="a.test") as c:
        assert c.get("/", (), "a.test", "GET", b"").status == 200
        n = pebble.issued()
        until(lambda: pebble.issued() > n, 20, "another certificate")
        assert c.get("/", (), "a.test", "GET", b"").status == 200


def test_certificate_that_another_program_renewed(ca, authority):
    """uacme by hand, say, on the same folder: served without a restart, and not ordered again."""
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    cert, key = authority.leaf("a.test")
    for source, target in ((key, "private/a.test/key.pem"), (cert, "a.test/cert.pem")):
        shutil.copy(source, os.path.join(p.state, target + ".new"))
        os.rename(os.path.join(p.state, target + ".new"), os.path.join(p.state, target))
    # It looks once a minute; a reload looks at once.
    assert p.reload()["ok"]
    assert "CN = Test Intermediate" in openssl_text(certificate(p), "-issuer") or \
        "CN=Test Intermediate" in openssl_text(certificate(p), "-issuer")
    p.admin("status")
    assert pebble.issued() == 1


@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed")
def test_no_request_is_lost_in_a_swap(ca):
    pebble, p = ca(config={"certificateValidityPeriod": 4}, asan=False)
    p.wait_log(ISSUED, 20)
    n = pebble.issued()
    r = subprocess.run(["h2load", "--h1", "-t1", "-c8", "-D6", "--connect-to=127.0.0.1:%d" % p.port,
                        "https://a.test:%d/" % p.port], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    assert pebble.issued() > n
    m = re.search(r"(\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", r.stdout)
    assert m and int(m.group(3)) > 100 and m.group(4) == m.group(5) == "0", r.stdout


# --- challenges ---


def token_under_way(p):
    def look():
        m = re.search(r"GET /\.well-known/acme-challenge/(\S+) HTTP", p.log())
        return m and m.group(1)
    return until(look, 20, "a challenge")


def test_challenges_are_not_answered_over_tls_nor_when_they_are_over(ca):
    pebble, p = ca()
    token = token_under_way(p)
    p.wait_log(ISSUED, 20)
    assert p.get("/.well-known/acme-challenge/" + token, tls=False, host="a.test").status == 404
    assert p.get("/.well-known/acme-challenge/" + token, host="a.test", sni="a.test").status == 200  # the site's own


@pytest.mark.parametrize("host", ["a.test", "other.test", "127.0.0.1"])
def test_challenge_of_another_replica(ca, host):
    """Whatever asks under whatever name gets the answer that another process left in the folder."""
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    token = "A" * 43
    with open(os.path.join(p.state, "challenge", token), "w") as f:
        f.write(token + "." + "B" * 43)
    r = p.get("/.well-known/acme-challenge/" + token, tls=False, host=host)
    assert r.status == 200 and r.body == (token + "." + "B" * 43).encode()
    assert r.get("Content-Type") == "application/octet-stream"


@pytest.mark.parametrize("path", ["..%2fprivate%2fkey.pem", "../private/key.pem", "a/b", "", "A" * 200, "key.pem", "%00"])
def test_tokens_that_are_none(ca, path):
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    with open(os.path.join(p.state, "challenge", "key.pem"), "w") as f:
        f.write("key.pem.secret")
    r = p.get("/.well-known/acme-challenge/" + path, tls=False, host="a.test")
    assert r.status in (400, 404, 308) and b"secret" not in r.body and b"PRIVATE" not in r.body


# --- what goes wrong ---


def test_failures_are_kept_over_a_restart(ca):
    pebble, p = ca(start=False)
    pebble.close()
    p.start()
    p.wait_log(r"try 1 failed", 20)
    until(lambda: os.path.exists(os.path.join(p.state, "a.test", "schedule")), 5, "the schedule")
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.start()
    p.wait_log(r"started[\s\S]*started", 20)
    p.admin("status")
    assert p.log().count("acme: ordering") == 1


def test_port_80_leads_elsewhere(ca):
    """The authority cannot reach us: it says so, and so do we."""
    pebble, p = ca(http_port=free_port())
    line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 30).group(0)
    assert "connection refused" in line and "port 80 of that address must lead here" in line
    assert pebble.issued() == 0


def test_another_server_answers(ca, upstream):
    u = upstream(reply(b"not here", 404, reason="Not Found"))
    pebble, p = ca(http_port=int(u.address.rsplit(":", 1)[1]))
    line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 30).group(0)
    assert "another server answered" in line


def test_a_name_that_fails_holds_up_no_other(ca):
    pebble, p = ca("site bad.test { respond 200 }\nsite a.test { respond 200 }", start=False)
    pebble.dns_set("add-a", host="bad.test", addresses=["127.0.0.99"])
    p.start()
    p.wait_log(r"acme: bad\.test: .*try 1 failed", 30)
    p.wait_log(ISSUED, 30)


def test_wrong_root(ca, authority, tmp):
    """The authority's server is verified: by another root it is not trusted."""
    pebble, p = ca(start=False)
    other = os.path.join(tmp, "other.pem")
    shutil.copy(authority._issue("other", ["CN=Other Root"], ["-algorithm", "EC", "-pkeyopt",
                                                              "ec_paramgen_curve:P-256"], None, ca=True)[0], other)
    p.preamble = p.preamble.replace(pebble.root, other)
    p.write_conf(SITE)
    p.start()
    line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 20).group(0)
    assert "certificate chain ends at no known CA" in line


@pytest.mark.parametrize("gone", [False, True])
def test_reload_during_an_order(small, authority, tmp, gone):
    """The order goes on as it began; what comes after it is done as the new configuration says, or not before it can be."""
    c, p = small(start=False)
    other, asked, go_on, order = os.path.join(tmp, "other.pem"), threading.Event(), threading.Event(), c._new_order
    shutil.copy(authority._issue("other", ["CN=Other Root"], ["-algorithm", "EC", "-pkeyopt",
                                                              "ec_paramgen_curve:P-256"], None, ca=True)[0], other)

    def hold(*args):
        asked.set()
        assert go_on.wait(20)
        order(*args)
    c._new_order = hold
    p.start()
    assert asked.wait(20)
    p.preamble = p.preamble.replace(c.root, other)
    assert p.reload(SITE)["ok"]
    if gone:
        os.rename(other, other + ".gone")
    go_on.set()
    p.wait_log(ISSUED, 20)
    if gone:
        p.wait_log("acme: ca-roots: No such file or directory; nothing is ordered before that can be used", 20)
        os.rename(other + ".gone", other)
    renew(p)
    assert "certificate chain ends at no known CA" in p.wait_log(r"acme: a\.test: .*try 1 failed.*", 20).group(0)
    assert len(c.orders) == 1


def test_roots_that_cannot_be_read(proxy, tmp):
    p = proxy("acme { ca-roots %s/none.pem }\nsite a.test { tls acme; respond 200 }" % tmp, http=True, wait=None)
    p.expect_status = 1
    p.start(wait=False)
    assert p.wait() == 1
    assert "ca-roots" in p.err() and "none.pem: No such file" in p.err()


GARBAGE = {
    "html": lambda h, n: h.reply(200, b"<html>hello</html>"),
    "empty": lambda h, n: h.reply(200, b""),
    "no urls": lambda h, n: h.reply(200, b"{}"),
    "half json": lambda h, n: h.reply(200, b'{"newNonce":"https://'),
    "deep": lambda h, n: h.reply(200, b"[" * 100000),
    "error": lambda h, n: h.reply(500, b"oops"),
    "huge": lambda h, n: h.reply(200, b'{"a":"' + b"x" * 50_000_000 + b'"}'),
    "cut": lambda h, n: (h.send_response(200), h.send_header("Content-Length", "1000"), h.end_headers(),
                         h.wfile.write(b"{"), setattr(h, "close_connection", True)),
    "not http": lambda h, n: (h.wfile.write(b"hello\r\n\r\n"), setattr(h, "close_connection", True)),
    "http urls": lambda h, n: h.reply(200, b'{"newNonce":"http://127.0.0.1/n","newAccount":"http://127.0.0.1/a",'
                                           b'"newOrder":"http://127.0.0.1/o"}'),
}


@pytest.mark.parametrize("what", list(GARBAGE))
def test_authority_that_answers_garbage(proxy, authority, what):
    a = Answers(authority, GARBAGE[what])
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True)
        p.wait_log(r"acme: a\.test: .*try 1 failed", 30)
        assert p.get("/", host="a.test", sni="a.test").status == 200
        assert p.memory() < 400_000
    finally:
        a.close()


def test_authority_that_never_answers(proxy, authority):
    """Meanwhile the sites are served, and the program can be stopped at once."""
    gate = threading.Event()
    a = Answers(authority, lambda h, n: gate.wait(30))
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True)
        until(lambda: a.requests, 20, "the request")
        assert p.get("/", host="a.test", sni="a.test").status == 200
        assert p.admin("acme status")["certificates"][0]["state"] == "ordering"
        p.signal(signal.SIGTERM)
        assert p.wait() == 0
    finally:
        gate.set()
        a.close()


def test_rate_limit_is_obeyed(proxy, authority):
    """What the authority asks for is waited for, and kept."""
    def answer(h, n):
        if h.path == "/dir":
            h.reply(200, ('{"newNonce":"%(u)s/n","newAccount":"%(u)s/a","newOrder":"%(u)s/o"}' % {"u": a.url}).encode())
        elif h.path == "/n":
            h.reply(200, Replay_Nonce="abc")
        elif h.path == "/a":
            h.reply(201, b"{}", Location=a.url + "/a/1", Replay_Nonce="abd")
        else:
            h.reply(429, b'{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates already"}',
                    Retry_After="86400", Replay_Nonce="abe", Content_Type="application/problem+json")

    a = Answers(authority, answer)
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True)
        line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 20).group(0)
        assert "too many certificates already" in line
        assert schedule(p)["next-try"] > time.time() + 80000
    finally:
        a.close()


@pytest.mark.parametrize("moment", range(1, 16, 2))
def test_killed_at_any_request(ca, moment):
    """kill -9 after the authority's Nth request: it goes on, and what it has is not ordered again."""
    pebble, p = ca(start=False)
    p.start()
    until(lambda: pebble.count("calling handler") >= moment or re.search(ISSUED, p.log()), 20, "the request")
    p.signal(signal.SIGKILL)
    p.process.wait()
    had = os.path.exists(os.path.join(p.state, "a.test", "cert.pem"))
    n = pebble.issued()
    p.start()
    until(lambda: served_by_pebble(p), 30, "a certificate")
    assert pebble.issued() <= n + (0 if had else 1)


def test_two_processes_on_one_folder(ca, proxy):
    """One issues, the other picks up what was issued."""
    pebble, p = ca(start=False)
    q = proxy(SITE, http=True, wait=None)
    q.preamble = re.sub(r"(?m)^state .*$", "state " + p.state, q.preamble) + pebble.conf() + "\n"
    q.write_conf(SITE)
    p.start()
    q.start()
    until(lambda: served_by_pebble(p) and served_by_pebble(q), 40, "both have it")
    assert certificate(p) == certificate(q)
    assert pebble.issued() == 1


def is_free(p):
    """No process issues for its folder."""
    with open(os.path.join(p.state, ".lock")) as f:
        try:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.mark.parametrize("fails", [False, True])
def test_what_another_process_did_meanwhile(small, proxy, fails):
    """q asks about the one certificate while p orders the other, and gets the lock only then: what it knows is old."""
    sites = "site a.test { respond 200 }\nsite b.test { respond 200 }"
    c, p = small(sites, start=False, window=lambda n: (iso(86400 * 20), iso(86400 * 21)))
    q = proxy(sites, http=True, wait=None)
    q.preamble = re.sub(r"(?m)^state .*$", "state " + p.state, q.preamble) + c.conf() + "\n"
    q.write_conf(sites)
    order, inform, tries, asks = c._new_order, c._renewal_info, [], threading.Event()

    def for_b_later(h, header, payload, n):
        tries.append(payload["identifiers"][0]["value"])
        if tries[-1] == "b.test":
            assert asks.wait(20)
            if fails:
                return c._problem(h, "rejectedIdentifier", "not that one")
        return order(h, header, payload, n)

    def inform_q_later(h, identifier):
        if len(c.asked) == 1 and not asks.is_set():
            asks.set()
            until(lambda: is_free(p), 20, "p is done")
        inform(h, identifier)
    c._new_order, c._renewal_info = for_b_later, inform_q_later
    p.start()
    p.wait_log(r"acme: ordering a certificate for b\.test", 20)
    os.unlink(os.path.join(p.state, "a.test", "schedule")) # it says when to ask again
    q.start()
    if fails:
        until(lambda: "next_try" in q.admin("acme status")["certificates"][1], 20, "q knows of the pause")
        assert q.admin("acme status")["certificates"][1]["failures"] == schedule(p, "b.test")["failures"] == 1
    else:
        q.wait_log(r"acme: b\.test: the certificate in \S+ was renewed by another program", 20)
        assert certificate(q, "b.test") == certificate(p, "b.test")
    assert tries == ["a.test", "b.test"]


def test_folder_that_cannot_be_written(ca):
    if os.geteuid() == 0:
        pytest.skip("root writes anywhere")
    pebble, p = ca(start=False)
    os.chmod(p.state, 0o500)
    p.start()
    p.wait_log(r"acme: .*permission denied", 20)
    os.chmod(p.state, 0o700)


def test_certificate_that_cannot_be_written(ca):
    """It is not lost, nor ordered again, and not served before it is on the disk."""
    pebble, p = ca(start=False)
    path = os.path.join(p.state, "a.test", "cert.pem")
    os.makedirs(path) # a folder in its place: so may no file be there
    p.start()
    p.wait_log(r"the new certificate cannot be written to \S+/a\.test: Is a directory; it is kept in memory", 20)
    assert not served_by_pebble(p)
    assert p.admin("acme status")["certificates"][0]["state"] == "ordering"
    os.rmdir(path)
    p.wait_log(ISSUED, 20)
    assert served_by_pebble(p) and pebble.issued() == 1


def test_nothing_is_ordered_that_cannot_be_remembered(ca):
    pebble, p = ca(start=False)
    os.makedirs(os.path.join(p.state, "a.test", "schedule"))
    p.start()
    p.wait_log(r"a\.test/schedule: Is a directory; nothing is ordered before it can be written; try 1 failed", 20)
    assert pebble.count("new-order") + pebble.count("order-plz") == 0


# --- renewal information, profiles, addresses: from an authority of the tests' own ---


def test_key_that_cannot_be_read(ca):
    """The file is named."""
    pebble, p = ca(start=False)
    path = os.path.join(p.state, "private", "a.test", "key.pem")
    os.makedirs(path)
    p.start()
    p.wait_log(r"acme: a\.test: %s: .*Is a directory; try 1 failed" % re.escape(path), 20)
    assert pebble.issued() == 0


@pytest.mark.parametrize("error, said", [
    ({"type": "urn:ietf:params:acme:error:badCSR", "detail": "the key is on a list of weak ones"}, "the key is on a list of weak"),
    (None, "the authority gave the order up")])
def test_order_that_becomes_invalid(small, error, said):
    """After all is proved. The next try is another order."""
    c, p = small(start=False)
    finalize, orders = c._finalize, c._order_text

    def give_up(h, header, payload, n):
        if n > 0:
            return finalize(h, header, payload, n)
        c.orders[n]["state"] = "invalid"
        return c._json(h, c._order_text(n))
    c._finalize = give_up
    c._order_text = lambda n: dict(orders(n), error=error) if error and n == 0 else orders(n)
    p.start()
    p.wait_log(r"acme: a\.test: %s.*try 1 failed" % said, 20)
    assert len(c.orders) == 1
    assert p.admin("acme issue")["ok"]
    p.wait_log(ISSUED, 20)
    assert len(c.orders) == 2


def one_order_suffices(c, p):
    """In spite of what goes wrong at its end."""
    p.start()
    p.wait_log(ISSUED + "|try 1 failed", 30)
    assert "try 1 failed" not in p.log() and len(c.orders) == 1
    assert "CN = Test Intermediate" in openssl_text(certificate(p), "-issuer") or \
        "CN=Test Intermediate" in openssl_text(certificate(p), "-issuer")


def cut(h):
    """The answer, with the connection."""
    h.send_response(200)
    h.send_header("Content-Length", "1000")
    h.end_headers()
    h.wfile.write(b"{")
    h.close_connection = True


@pytest.mark.parametrize("what", ["_finalize", "_order", "_certificate"])
@pytest.mark.parametrize("how", ["busy", "cut"])
def test_authority_that_fails_for_a_moment_after_all_is_proved(small, what, how):
    """What can be had for asking once more is not ordered anew."""
    c, p = small(start=False)
    give, failed = getattr(c, what), []

    def once(h, *args):
        if failed:
            return give(h, *args)
        failed.append(h.path)
        if how == "cut":
            return cut(h)
        h.reply(503, b"busy", Retry_After="1", Replay_Nonce=c._nonce())
    setattr(c, what, once)
    one_order_suffices(c, p)
    assert failed


def test_answer_to_the_certificate_request_that_is_lost(small):
    """The authority has taken it: it is not asked to do so again."""
    c, p = small(start=False)
    finalize, taken = c._finalize, []

    def lose(h, header, payload, n):
        if taken:
            return c._problem(h, "orderNotReady", "it is valid already", 403)
        taken.append(n)
        answer, c._json = c._json, lambda *_, **__: None
        finalize(h, header, payload, n)
        c._json = answer
        cut(h)
    c._finalize = lose
    one_order_suffices(c, p)


@pytest.mark.parametrize("busy", [False, True])
def test_authority_that_needs_longer_than_an_order_has(small, busy):
    """Its wish is passed on, and said."""
    c, p = small(start=False)

    def finalize(h, header, payload, n):
        c.orders[n]["state"] = "processing"
        if busy:
            return h.reply(503, b"busy", Retry_After="900", Replay_Nonce=c._nonce())
        c._json(h, c._order_text(n), Retry_After="900")
    c._finalize = finalize
    p.start()
    line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 20).group(0)
    assert ("HTTP status 503" if busy else "the authority wants more time than the ten minutes that an order has") in line
    assert schedule(p)["next-try"] > time.time() + 850


def order(p, renewal):
    if renewal:
        renew(p)
    else:
        p.start()


def with_a_stranger(c):
    """From now on its chains have another certificate than the issuer's behind the leaf."""
    finalize = c._finalize

    def other(h, header, payload, n):
        finalize(h, header, payload, n)
        c.orders[n]["chain"] = c.orders[n]["chain"].split("-----END")[0] + "-----END CERTIFICATE-----\n" + open(c.root).read()
    c._finalize = other


@pytest.mark.parametrize("renewal", [False, True])
def test_chain_that_is_not_in_order(small, renewal):
    """What could not be loaded is not written over what is there, and is a failure."""
    c, p = small(start=renewal)
    path = os.path.join(p.state, "a.test", "cert.pem")
    if renewal:
        p.wait_log(ISSUED, 20)
        before = open(path).read()
    with_a_stranger(c)
    order(p, renewal)
    p.wait_log(r"acme: a\.test: the chain is not in order; try 1 failed", 20)
    assert p.admin("acme status")["certificates"][0]["state"] == "failing"
    assert open(path).read() == before if renewal else not os.path.exists(path)
    assert len(c.orders) == 1 + renewal and schedule(p)["failures"] == 1


@pytest.mark.parametrize("renewal", [False, True])
def test_certificate_that_cannot_be_loaded(small, renewal):
    """Its key was taken away while the order was under way: no success, and not tried in a circle."""
    c, p = small(start=renewal)
    if renewal:
        p.wait_log(ISSUED, 20)
    give = c._certificate

    def take_away(*args):
        os.rename(os.path.join(p.state, "private", "a.test", "key.pem"), os.path.join(p.dir, "gone.pem"))
        give(*args)
    c._certificate = take_away
    order(p, renewal)
    p.wait_log(r"acme: a\.test: the certificate came, and cannot be used; try 1 failed", 20)
    assert p.admin("acme status")["certificates"][0]["state"] == "failing"
    assert len(c.orders) == 1 + renewal and schedule(p)["failures"] == 1
    assert p.get("/", host="a.test", sni="a.test").status == 200


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_profile_is_asked_for(small):
    c, p = small(acme="profile shortlived")
    p.wait_log(ISSUED, 20)
    assert c.orders[0]["profile"] == "shortlived" and len(c.orders) == 1


@pytest.mark.parametrize("role, profiles, goes", [
    ("fallback", {"shortlived": "6 days"}, False), ("staging", {"shortlived": "6 days"}, True), ("staging", {}, False),
    ("staging", None, False)])
def test_profile_where_it_may_be_unknown(small, authority, tmp, role, profiles, goes):
    """It is one of ca's: never asked for at a fallback, whose may mean something else, and at staging if offered there."""
    c, p = small(acme="profile shortlived", start=False)
    c.directory = {"meta": {}} # what it does not list is asked for all the same: its refusal says what is wrong
    other = SmallCA(authority, tmp, p.http_port)
    other.directory = {"meta": {"profiles": profiles} if profiles is not None else None}
    try:
        p.preamble = p.preamble.replace("ca-roots", "%s %s/dir; ca-roots" % (role, other.url))
        p.write_conf(SITE)
        os.makedirs(os.path.join(p.state, "a.test"))
        with open(os.path.join(p.state, "a.test", "schedule"), "w") as f:
            f.write("failures 3\n")
        p.start()
        p.wait_log(ISSUED, 20)
        assert [o.get("profile") for o in other.orders] == ["shortlived" if goes else None]
        assert [o.get("profile") for o in c.orders] == ([] if role == "fallback" else ["shortlived"])
        assert not other.complaints
    finally:
        other.close()


def test_certificate_for_an_address(small):
    c, p = small("site 192.0.2.1 { tls acme; respond 200 }")
    p.wait_log(r"acme: 192\.0\.2\.1: a new certificate", 20)
    assert c.orders[0]["identifiers"] == [{"type": "ip", "value": "192.0.2.1"}]
    assert "IP Address:192.0.2.1" in openssl_text(certificate(p, None))


def past_at_first(n):
    return (iso(-7200), iso(-3600)) if n == 1 else (iso(86400 * 20), iso(86400 * 21))


def test_renewal_information_is_obeyed(small):
    """A window that is past: renewed when the pause allows it, as a replacement of the certificate that is there."""
    c, p = small(window=past_at_first)
    p.wait_log(ISSUED + r"[\s\S]*to be renewed at .*by the authority's wish: https://ca\.test/why#window\n", 30)
    restart_with(p, next_try=None)
    p.wait_log(ISSUED + r"[\s\S]*" + ISSUED + r"[\s\S]*to be renewed at", 30)
    key_id, serial = c.asked[0].split(".")
    assert key_id and serial and len(c.asked) == 2 and c.asked[0] != c.asked[1]
    assert "replaces" not in c.orders[0] and c.orders[1]["replaces"] == c.asked[0]
    until(lambda: schedule(p).get("ask-at"), 5, "it is kept")
    assert time.time() + 86400 * 19 < schedule(p)["renew-at"] < time.time() + 86400 * 22
    restart_with(p)
    p.admin("status")
    assert len(c.orders) == 2 and len(c.asked) == 2


def test_window_that_stays_in_the_past(small):
    """Nothing is ordered in a circle: a certificate that has just come stays for an hour, over a restart too."""
    c, p = small(window=lambda n: (iso(-7200), iso(-3600)))
    p.wait_log(ISSUED + r"[\s\S]*to be renewed at", 20)
    for _ in range(2):
        s = p.admin("acme status")["certificates"][0]
        assert s["state"] == "valid" and s["renewal"] < s["next_try"], s
        restart_with(p)
    assert len(c.orders) == 1 and time.time() + 3500 < schedule(p)["next-try"] < time.time() + 3601
    renew(p) # but by hand
    until(lambda: len(c.orders) == 2, 20, "another")


def test_replacement_that_is_refused(small):
    c, p = small(window=past_at_first, refuse_replaces=True)
    p.wait_log(ISSUED + r"[\s\S]*to be renewed at", 30)
    restart_with(p, next_try=None)
    p.wait_log(ISSUED + r"[\s\S]*" + ISSUED, 30)
    assert "replaces" not in c.orders[1] and "this certificate was replaced before" in p.log()


def test_replacement_where_nobody_asked_for_it(small):
    """An authority without renewal information is not told what is replaced (RFC 9773 §5)."""
    c, p = small(window=past_at_first)
    p.wait_log(ISSUED + r"[\s\S]*to be renewed at", 30)
    c.directory = {"renewalInfo": None}
    restart_with(p, next_try=None)
    p.wait_log(ISSUED + r"[\s\S]*" + ISSUED, 30)
    assert len(c.orders) == 2 and "replaces" not in c.orders[1]


def test_authority_that_knows_no_window(small):
    c, p = small()
    p.wait_log(ISSUED, 20)
    until(lambda: c.asked, 10, "the question")
    assert len(c.orders) == 1 and p.get("/", host="a.test", sni="a.test").status == 200
