# SPDX-License-Identifier: MIT
"""What an authority, the clock and an account made elsewhere do to a first issuance; and where it is broken off."""
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from acme_ca import ISSUED, SITE, UACME, Answers, certificate, openssl_text, served_by_pebble
from certificates import EC, P384, RSA, openssl
from proxy import run
from rawhttp import Ended
from waiting import Clock, until

pytestmark = pytest.mark.skipif(not shutil.which("pebble"), reason="pebble is not installed")


# --- the clock ---


def test_nothing_is_ordered_before_the_clock_is_sane(small, authority):
    """A certificate in the folder that begins in a few seconds says that it is later than the clock does. Nobody is asked
    meanwhile, not by hand either; and nobody has to say that the time has come."""
    c, p = small("site a.test { respond 200 }\nsite b.test { respond 200 }", start=False)
    first = []
    answer = c._json
    c._json = lambda *args, **kw: (first.append(time.time()), answer(*args, **kw))
    begins = int(time.time()) + 7
    dates = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t)) for t in (begins, begins + 90 * 86400)]
    cert, key = authority._issue("b", ["CN=b.test"], EC, authority.intermediate, names=["b.test"], dates=dates)
    for source, target in ((cert, "b.test/cert.pem"), (key, "private/b.test/key.pem")):
        os.makedirs(os.path.join(p.state, os.path.dirname(target)), 0o700)
        shutil.copy(source, os.path.join(p.state, target))
    p.start()
    p.wait_log(r"the clock is wrong \(it is before what this machine has seen already\); no certificate is ordered", 5)
    assert p.admin("acme renew a.test")["ok"]
    assert p.get("/", host="a.test", sni="a.test").status == 200
    assert not first and p.admin("acme status")["certificates"][0]["state"] == "waiting"
    p.wait_log(r"acme: the clock is right now\n[\s\S]*" + ISSUED, 30)
    assert p.log().count("the clock is wrong") == 1 and len(c.orders) == 1
    assert min(first) >= begins


def test_certificate_of_the_authority_that_is_over(proxy, authority, tmp):
    """Seen from a clock that is wrong each one is."""
    server = type("Expired", (), {"leaf": lambda self, name: authority.leaf(name, expired=True), "root": authority.root})()
    a = Answers(server, lambda h, n: h.reply(200, b"{}"))
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True)
        p.wait_log(r"certificate expired or not yet valid.*; likely: the clock of this machine is wrong; try 1 failed", 20)
    finally:
        a.close()


def test_check_where_the_authority_sends_no_date(proxy, authority):
    a = Answers(authority, lambda h, n: h.reply(200, b"{}"))
    a.server.RequestHandlerClass.send_response = lambda h, status: h.send_response_only(status)
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True, wait=None)
        r = run("--config", p.conf_path, "--check", "localhost:%d" % p.http_port, timeout=60)
        assert "ok   the clock cannot be compared: the authority sends no time\n" in r.stdout, r.stdout
        assert r.returncode == 0 and "BAD" not in r.stdout
    finally:
        a.close()


# --- an account that was made elsewhere ---


@pytest.mark.parametrize("options, says", [
    (["-t", "RSA", "-b", "2048"], "RSA"), pytest.param(["-t", "EC", "-b", "384"], "P-384", marks=pytest.mark.long)])
def test_account_that_uacme_made_is_found(by_uacme, options, says):
    """By its key, which signs RS256 or ES384: the order is this account's, and there is no other after it."""
    pebble, p = by_uacme(start=False)
    r = subprocess.run([*p.argv[:6], "uacme", "-v", "-y", "-c", p.state, "-a", pebble.url, *options, "new"],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stdout + r.stderr
    path = os.path.join(p.state, "private", "key.pem")
    text = openssl("pkey", "-in", path, "-noout", "-text")
    assert "NIST CURVE: " + says in text or says == "RSA" and "modulus" in text
    with open(path) as f:
        key = f.read()
    assert pebble.count("There are now") == pebble.count("There are now 1 accounts in memory") == 1
    p.preamble = p.preamble.replace(UACME, "client builtin")
    p.write_conf(SITE)
    p.start()
    p.wait_log(ISSUED, 30)
    assert served_by_pebble(p) and "acme: a new account" not in p.log()
    assert pebble.count("There are now 1 accounts in memory") == pebble.count("accounts in memory") == 1
    with open(path) as f:
        assert f.read() == key


@pytest.mark.parametrize("algorithm, alg", [(RSA, "RS256"), (P384, "ES384")])
def test_account_is_asked_for_before_one_is_made(small, algorithm, alg):
    """RFC 8555 §7.3.1, with whatever key stands in the folder."""
    c, p = small(start=False)
    account, asked = c._account, []

    def have_one(h, header, payload, n):
        asked.append((header["alg"], payload))
        c.accounts[json.dumps(header["jwk"], sort_keys=True)] = 7
        account(h, header, payload, n)
    c._account = have_one
    os.mkdir(os.path.join(p.state, "private"), 0o700)
    openssl("genpkey", *algorithm, "-out", os.path.join(p.state, "private", "key.pem"))
    p.start()
    p.wait_log(ISSUED, 20)
    assert asked == [(alg, {"onlyReturnExisting": True})]


# --- what an authority does that goes on ---


def test_nonces_that_are_refused_as_pebble_does_by_default(ca):
    """One in twenty: certificates are ordered until one was, which is seen by what would be asked for once."""
    names = ["a.test"] + ["%d.a.test" % i for i in range(9)]
    pebble, p = ca("site %s { respond 200 }" % " ".join(names), env={"PEBBLE_WFE_NONCEREJECT": "5"})

    def asked():
        """For accounts, orders, challenges and certificates."""
        return len(re.findall(r"POST /(?:sign-me-up|order-plz|chalZ/\S*|finalize-order/\S*|certZ/\S*) ", pebble.log()))
    for n in range(1, 30):
        until(lambda: pebble.issued() == n and p.admin("acme status")["certificates"][0]["state"] == "valid" or
              "failed" in p.log(), 30, "certificate %d" % n)
        if "failed" in p.log() or asked() > 1 + n * (3 + len(names)):
            break
        assert p.admin("acme renew a.test")["ok"]
    else:
        pytest.fail("none was refused")
    assert "failed" not in p.log() and p.log().count("acme: a new account") == 1
    assert served_by_pebble(p, names[-1])


# --- broken off ---


def is_served(p):
    """The certificate, and it is said to be valid. Not while the proxy is just coming up."""
    try:
        return "Test Intermediate" in openssl_text(certificate(p), "-issuer") and \
            p.admin("acme status")["certificates"][0]["state"] == "valid"
    except (OSError, Ended):
        return False


def forget(c, p):
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    shutil.rmtree(p.state)
    os.mkdir(p.state, 0o700)
    for name in ("out", "err"):
        os.truncate(os.path.join(p.dir, name), 0)
    c.orders.clear()
    c.accounts.clear()


def is_broken_off(c, p, how, n):
    """A first issuance, with the nth request the last that one of both has to do with: the proxy is killed, or the connection
    cut, before anything is done about it or after; where the connection is cut after, the answer is lost. In the end there is a
    certificate all the same. False: there is no nth request."""
    what, when = how.split()
    asked, hit = [], []
    answer = type(c)._answer

    def breaks(h, number):
        if h.path.startswith("/renewal-info/"):
            return answer(c, h, number)
        asked.append(h.path)
        is_it = len(asked) == n
        if is_it and what == "cut":
            h.reply = lambda *_, **__: None
        if not is_it or when == "after":
            if h.body and json.loads(c._decode(json.loads(h.body)["protected"]))["nonce"] not in c.nonces:
                c._problem(h, "badNonce", "it was sent before") # as the answer to it was lost
            else:
                answer(c, h, number)
        if is_it:
            if what == "killed":
                p.signal(signal.SIGKILL)
            h.close_connection = True
            hit.append(h.path)

    c._answer = breaks
    p.start()
    until(lambda: hit or re.search(ISSUED, p.log()), 30, "request %d" % n)
    if not hit:
        return False
    where = "%s request %d, %s" % (how, n, hit[0])
    had = False
    if what == "killed":
        p.process.wait()
        had = os.path.exists(os.path.join(p.state, "a.test", "cert.pem"))
        p.start()
    else:
        p.wait_log(ISSUED + "|try 1 failed", 30)
        if "try 1 failed" in p.log():
            assert p.admin("acme issue")["ok"], where
    until(lambda: is_served(p), 30, "a certificate after being " + where)
    assert len(c.accounts) == 1, where
    assert len(c.orders) <= (1 if had else 2), where
    return True


@pytest.mark.parametrize("how, n", [("killed before", 5), ("cut after", 4)])
def test_broken_off(small, how, n):
    c, p = small(start=False)
    assert is_broken_off(c, p, how, n)


@pytest.mark.long
@pytest.mark.parametrize("how", ["killed before", "killed after", "cut before", "cut after"])
def test_broken_off_at_each_request(small, how):
    c, p = small(start=False)
    n = 1
    while is_broken_off(c, p, how, n):
        forget(c, p)
        n += 1
    assert 9 <= n < 20


def test_authority_that_is_slow(small):
    """Each answer comes when the sites have been served meanwhile, the first after two seconds; and each thing that can be
    under way is found to be so first. One order suffices."""
    c, p = small(start=False)
    answer, gates, texts, looks = c._answer, [], c._order_text, []

    def slow(h, n):
        gate = threading.Event()
        gates.append(gate)
        assert gate.wait(30)
        answer(h, n)

    def later(n):
        """An order that is ready, or valid, and not said to be so at the first look."""
        text = texts(n)
        if text["status"] in ("ready", "valid") and (n, text["status"]) not in looks:
            looks.append((n, text["status"]))
            text = dict(text, status={"ready": "pending", "valid": "processing"}[text["status"]])
            text.pop("certificate", None)
        return text
    c._answer, c._order_text = slow, later

    def is_over():
        return re.search(ISSUED + "|try 1 failed", p.log())
    p.start()
    until(lambda: gates, 20, "the first request")
    with Clock() as clock:
        until(lambda: clock.so_far() > 2, 5, "two seconds")
    n = 0
    while not is_over():
        assert p.get("/", host="a.test", sni="a.test").status == 200
        gates[n].set()
        n += 1
        until(lambda: is_over() or len(gates) > n, 30, "the next request")
    c._answer = answer
    for gate in gates:
        gate.set() # whoever asks for renewal information
    assert "try 1 failed" not in p.log() and len(c.orders) == len(c.accounts) == 1 and len(looks) == 2
    assert "Test Intermediate" in openssl_text(certificate(p), "-issuer")
