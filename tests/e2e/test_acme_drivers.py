# SPDX-License-Identifier: MIT
"""Certificates by either driver, the client that is built in and the program uacme: what both have to do, and how one takes
over from the other."""
import os
import re
import shutil
import signal
import subprocess

import pytest

from acme_ca import EAB, ISSUED, SITE, UACME, Pebble, certificate, openssl_text, served_by_pebble
from ports import free_port
from proxy import run
from waiting import until

pytestmark = pytest.mark.skipif(not shutil.which("pebble"), reason="pebble is not installed")

EAB_WANTED = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {EAB[0]: EAB[1]}}


@pytest.fixture(params=["builtin", "uacme"])
def driver(request):
    """As ca, once with each."""
    make = request.getfixturevalue("ca" if request.param == "builtin" else "by_uacme")
    make.name = request.param
    return make


def restart(p):
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.start()


def read(p, path):
    with open(os.path.join(p.state, path)) as f:
        return f.read()


def status(p):
    return p.admin("acme status")["certificates"][0]


def failure(p, name=r"a\.test"):
    return p.wait_log(r"acme: %s: .*try 1 failed, the next is not before .*" % name, 30).group(0)


# --- what both do ---


@pytest.mark.parametrize("asan", [None, False])
def test_issues(driver, asan):
    """Also where the proxy is confined and nobody (asan=False)."""
    pebble, p = driver("site a.test www.a.test { respond 200 }", asan=asan)
    p.wait_log(ISSUED, 30)
    text = openssl_text(certificate(p))
    assert "DNS:a.test" in text and "DNS:www.a.test" in text and "Pebble" in text
    assert certificate(p, "www.a.test") == certificate(p)
    assert pebble.issued() == 1
    assert os.listdir(os.path.join(p.state, "challenge")) == []
    for path, mode in (("private/key.pem", 0o600), ("private/a.test/key.pem", 0o600), ("a.test/cert.pem", 0o644)):
        assert os.stat(os.path.join(p.state, path)).st_mode & 0o777 & ~mode == 0


def test_several_sites(driver):
    pebble, p = driver("site a.test www.a.test b.a.test { respond 200 }\nsite c.test { respond 200 }")
    p.wait_log(ISSUED, 30)
    p.wait_log(r"acme: c\.test: a new certificate", 30)
    assert all("DNS:" + n in openssl_text(certificate(p)) for n in ("a.test", "www.a.test", "b.a.test"))
    assert "DNS:c.test" in openssl_text(certificate(p, "c.test"))
    assert pebble.issued() == 2


def test_new_name_on_reload(driver):
    pebble, p = driver()
    p.wait_log(ISSUED, 30)
    assert p.reload("site a.test www.a.test { respond 200 }")["ok"]
    until(lambda: "DNS:www.a.test" in openssl_text(certificate(p)), 30, "the certificate with both names")
    assert pebble.issued() == 2


def test_renewal(driver):
    """Certificates of 8 seconds: renewed with half of it left, again and again, on the same key."""
    pebble, p = driver(config={"certificateValidityPeriod": 8})
    p.wait_log(ISSUED, 30)
    key = read(p, "private/a.test/key.pem")
    until(lambda: pebble.issued() >= 3, 40, "three certificates")
    assert served_by_pebble(p)
    assert key == read(p, "private/a.test/key.pem")


def test_renewal_by_hand(driver):
    pebble, p = driver()
    p.wait_log(ISSUED, 30)
    before = certificate(p)
    assert p.admin("acme renew a.test") == {"ok": True}
    until(lambda: pebble.issued() == 2 and certificate(p) != before, 30, "another certificate")
    until(lambda: status(p)["state"] == "valid", 10, "it is over")


def test_authorization_that_is_still_valid(driver):
    """RFC 8555 §7.1.3: an order may be ready from its beginning; nobody asks for a challenge then."""
    pebble, p = driver(env={"PEBBLE_AUTHZREUSE": "100"})
    p.wait_log(ISSUED, 30)
    asked = p.log().count("/.well-known/acme-challenge/")
    assert asked > 0
    assert p.admin("acme renew a.test") == {"ok": True}
    until(lambda: pebble.issued() == 2 and status(p)["state"] == "valid", 30, "another certificate")
    assert p.log().count("/.well-known/acme-challenge/") == asked


def test_restart_orders_nothing_that_is_there(driver):
    pebble, p = driver()
    p.wait_log(ISSUED, 30)
    before = certificate(p)
    restart(p)
    assert certificate(p) == before
    p.admin("status")
    assert pebble.issued() == 1
    assert p.log().count("acme: ordering") == 1


def test_external_account(driver):
    pebble, p = driver(acme="external-account %s %s" % EAB, config=EAB_WANTED)
    p.wait_log(ISSUED, 30)


def test_external_account_is_missing(driver):
    pebble, p = driver(config=EAB_WANTED)
    line = failure(p)
    assert "external-account KEY-ID HMAC-KEY" in line or driver.name == "uacme"
    assert pebble.issued() == 0


@pytest.mark.native  # as test_connect_refused_is_502
def test_authority_is_down(driver):
    """The sites are served meanwhile; what failed is known after a restart, and a try by hand mends it."""
    pebble, p = driver(start=False)
    pebble.close()
    p.start()
    line = failure(p)
    if driver.name == "builtin":
        assert "connection refused" in line and "127.0.0.1:%d" % pebble.port in line
    assert p.get("/", host="a.test", sni="a.test").status == 200
    restart(p)
    assert status(p)["state"] == "failing" and p.log().count("acme: ordering") == 1
    pebble.open()
    assert p.admin("acme renew a.test")["ok"]
    p.wait_log(ISSUED, 30)
    assert status(p)["state"] == "valid" and "failures" not in read(p, "a.test/schedule").replace("failures 0", "")


def test_falls_back_on_another_authority(driver, authority, tmp):
    """Which has never heard of the account's key."""
    pebble, p = driver(start=False)
    other = Pebble(tmp, authority, p.http_port)
    try:
        p.preamble = p.preamble.replace("ca-roots", "fallback %s; ca-roots" % other.url)
        p.write_conf(SITE)
        p.start()
        p.wait_log(ISSUED, 30)
        account, before = read(p, "private/key.pem"), certificate(p)
        pebble.close()
        assert p.admin("acme renew a.test")["ok"]
        failure(p)
        assert p.admin("acme renew a.test")["ok"]
        until(lambda: certificate(p) != before, 30, "the other's certificate")
        assert other.issued() == 1 and read(p, "private/key.pem") == account
    finally:
        other.close()


def test_after_failures_a_trial_comes_first(driver, authority, tmp):
    """The fourth try goes to the staging directory, and what it gives is served by nobody; then the real one."""
    pebble, p = driver(start=False)
    trial = Pebble(tmp, authority, p.http_port)
    try:
        p.preamble = p.preamble.replace("ca-roots", "staging %s; ca-roots" % trial.url)
        p.write_conf(SITE)
        os.makedirs(os.path.join(p.state, "a.test"))
        with open(os.path.join(p.state, "a.test", "schedule"), "w") as f:
            f.write("failures 3\n")
        p.start()
        p.wait_log(r"as a trial after failures[\s\S]*(the trial passed[\s\S]*%s|try 4 failed)" % ISSUED, 30)
        assert "try 4 failed" not in p.log()
        assert trial.issued() == pebble.issued() == 1
        served = certificate(p).strip()
        assert served in read(p, "a.test/cert.pem") and served not in read(p, ".trial/a.test/cert.pem")
    finally:
        trial.close()


def test_challenge_that_fails(driver):
    """The order becomes invalid; the next one is a new one."""
    port = free_port()
    pebble, p = driver(http_port=port)
    failure(p)
    assert pebble.issued() == 0
    assert status(p)["state"] == "failing"
    assert p.get("/", host="a.test", sni="a.test").status == 200
    assert os.listdir(os.path.join(p.state, "challenge")) == []
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.preamble = re.sub(r"(?m)^listen-http .*$", "listen-http 127.0.0.1:%d" % port, p.preamble)
    p.http_port = port
    p.write_conf(SITE)
    p.start()
    assert p.admin("acme renew a.test")["ok"]
    p.wait_log(ISSUED, 30)
    assert pebble.issued() == 1


# --- each alone ---


def test_uacme_is_not_there(by_uacme):
    pebble, p = by_uacme(acme="email a@b.test", start=False)
    p.write_conf(SITE)
    p.preamble = p.preamble.replace(UACME, UACME + " /nonexistent/uacme")
    p.write_conf(SITE)
    p.start()
    line = p.wait_log(r"acme: a\.test: .*try 1 failed.*", 30).group(0)
    assert "/nonexistent/uacme: No such file or directory" in line


def test_uacme_that_never_ends(by_uacme, tmp):
    """Its time is ten minutes. This one turns the clock on; what waits behind it has its turn."""
    program = os.path.join(tmp, "uacme")
    with open(program, "w") as f:
        f.write("#!/usr/bin/python3\nimport signal, sys\nif 'b.test' in sys.argv:\n    print('the other one')\n    sys.exit(2)\n"
                "print('left:', signal.alarm(1), flush=True)\nwhile True:\n    signal.pause()\n")
    os.chmod(program, 0o755)
    pebble, p = by_uacme("site a.test { respond 200 }\nsite b.test { respond 200 }", start=False)
    p.preamble = p.preamble.replace(UACME, UACME + " " + program)
    p.write_conf("site a.test { respond 200 }\nsite b.test { respond 200 }")
    os.makedirs(os.path.join(p.state, "private"))
    with open(os.path.join(p.state, "private", "key.pem"), "w"):
        pass # an account, so that the first run is for the certificate
    p.start()
    p.wait_log(r"acme: left: \d+\n", 20)
    assert 590 < int(re.search(r"acme: left: (\d+)", p.log()).group(1)) <= 600
    p.wait_log(r"acme: a\.test: uacme took longer than ten minutes.*; try 1 failed", 20)
    p.wait_log(r"acme: b\.test: the other one; try 1 failed", 20)


@pytest.mark.parametrize("first", ["builtin", "uacme"])
def test_either_takes_over_from_the_other(by_uacme, first):
    """Account, key and certificate of one are the other's: nothing is made twice but what is asked for."""
    pebble, p = by_uacme(start=False)
    if first == "builtin":
        p.preamble = p.preamble.replace(UACME, "client builtin")
        p.write_conf(SITE)
    p.start()
    p.wait_log(ISSUED, 30)
    key = open(os.path.join(p.state, "private", "a.test", "key.pem")).read()
    account = open(os.path.join(p.state, "private", "key.pem")).read()
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    p.preamble = p.preamble.replace("client builtin", UACME) if first == "builtin" else \
        p.preamble.replace(UACME, "client builtin")
    p.write_conf(SITE)
    p.start()
    assert served_by_pebble(p)
    assert p.admin("acme renew a.test")["ok"]
    until(lambda: pebble.issued() == 2, 30, "a second certificate")
    until(lambda: p.admin("acme status")["certificates"][0]["state"] == "valid", 10, "it is served")
    assert key == open(os.path.join(p.state, "private", "a.test", "key.pem")).read()
    assert account == open(os.path.join(p.state, "private", "key.pem")).read()


def test_uacme_by_hand_finds_it_valid(by_uacme):
    """On the folder that the built-in client has filled: nothing is due, and nothing is asked of the authority."""
    pebble, p = by_uacme(start=False)
    p.preamble = p.preamble.replace(UACME, "client builtin")
    p.write_conf(SITE)
    p.start()
    p.wait_log(ISSUED, 30)
    before = read(p, "a.test/cert.pem")
    r = subprocess.run([*p.argv[:6], "uacme", "-v", "-c", p.state, "-a", pebble.url, "issue", "a.test"], capture_output=True,
                       text=True, timeout=60)
    assert r.returncode == 1 and "skipping" in r.stderr + r.stdout, r.stderr + r.stdout
    assert read(p, "a.test/cert.pem") == before and pebble.issued() == 1


def test_uacme_issues_without_a_proxy_that_runs(by_uacme):
    pebble, p = by_uacme(start=False)

    def acme(*words):
        return subprocess.run([*p.argv, "acme", *words], capture_output=True, text=True, timeout=60, env=p.env)
    r = acme("issue")
    assert r.returncode == 0 and re.search(ISSUED, r.stdout), r.stdout + r.stderr
    r = acme("issue")
    assert r.returncode == 1 and "no certificate is due" in r.stdout
    assert acme("renew", "a.test").returncode == 0 and pebble.issued() == 2
    r = acme("revoke", "a.test") # by the built-in client, with uacme's account
    assert r.returncode == 0, r.stdout + r.stderr
    assert pebble.issued() == 2


def test_client_cannot_change_in_a_running_process(ca):
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    p.preamble = p.preamble.replace("acme { ", "acme { client uacme; ")
    r = p.reload(SITE)
    assert not r["ok"] and "client: cannot change in a running process" in r["error"]


@pytest.mark.parametrize("argv, status, there", [
    (["begin", "http-01", "a.test", "T" * 43, "T" * 43 + ".x"], 0, True),
    (["begin", "dns-01", "a.test", "T" * 43, "x"], 1, False),
    (["begin", "http-01", "a.test", "../x", "x"], 1, False),
    (["other", "http-01", "a.test", "T" * 43, "x"], 2, False)])
def test_hook(tmp, argv, status, there):
    r = run(*argv, env={"PROXY_ACME_STATE": tmp})
    assert r.returncode == status, r.stderr
    path = os.path.join(tmp, "challenge", "T" * 43)
    assert os.path.exists(path) == there
    if there:
        assert open(path).read() == argv[4]
        assert run("done", *argv[1:], env={"PROXY_ACME_STATE": tmp}).returncode == 0
        assert not os.path.exists(path)
