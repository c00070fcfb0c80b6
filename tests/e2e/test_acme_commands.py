# SPDX-License-Identifier: MIT
"""What people ask for by hand: proxy acme, beside a proxy that runs and without one, proxy --check, proxy keygen."""
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
import urllib.request

import pytest

from acme_ca import ISSUED, SITE, Answers, certificate, openssl_text, served_by_pebble
from certificates import openssl
from ports import free_port
from proxy import run
from upstreams import reply
from waiting import until

pytestmark = pytest.mark.skipif(not shutil.which("pebble"), reason="pebble is not installed")


def acme(p, *words):
    return run("--config", p.conf_path, "acme", *words, timeout=60)


# --- proxy acme ---


def test_status_and_renew(ca):
    pebble, p = ca("site a.test www.a.test { respond 200 }\nsite b.test { tls self-signed; respond 200 }")
    p.wait_log(ISSUED, 20)
    r = p.admin("acme status")
    assert r["ok"] and [c["name"] for c in r["certificates"]] == ["a.test"]
    c = r["certificates"][0]
    assert c["state"] == "valid" and c["not_after"] > c["renewal"] and "problem" not in c
    before = certificate(p)
    assert p.admin("acme renew WWW.a.test") == {"ok": True}
    until(lambda: pebble.issued() == 2 and certificate(p) != before, 20, "another certificate")
    for name in ("b.test", "c.test", "", "../x"):
        assert p.admin("acme renew " + name)["ok"] is False


@pytest.mark.full
@pytest.mark.native  # as test_connect_refused_is_502
def test_status_of_a_failure(ca):
    pebble, p = ca(start=False)
    pebble.close()
    p.start()
    p.wait_log(r"try 1 failed", 20)
    c = p.admin("acme status")["certificates"][0]
    assert c["state"] == "failing" and c["failures"] == 1 and "connection refused" in c["problem"] and "not_after" not in c


def test_command_line(ca):
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    r = run("--config", p.conf_path, "acme", "status")
    assert r.returncode == 0 and json.loads(r.stdout)["certificates"][0]["state"] == "valid"
    r = run("--config", p.conf_path, "acme", "renew", "a.test")
    assert r.returncode == 0, r.stdout + r.stderr
    until(lambda: pebble.issued() == 2, 20, "another certificate")
    r = run("--config", p.conf_path, "acme", "renew", "x.test")
    assert r.returncode == 1 and "acme status lists them" in r.stdout
    for words in (["acme"], ["acme", "renew"], ["acme", "renwe", "a.test"], ["acme", "renew", "a", "b"]):
        r = run("--config", p.conf_path, *words)
        assert r.returncode == 2 and "write acme status, acme issue [NAME], acme renew NAME" in r.stderr
    r = run("--config", p.conf_path, "acme", "renew", "a\nstop")
    assert r.returncode == 2 and "that is no name" in r.stderr
    assert p.admin("status")["state"] == "serving"


def status_at(pebble, pem):
    """What the authority holds of that certificate: "Valid" or "Revoked"."""
    serial = openssl_text(pem, "-serial").strip().split("=")[1].lower()
    with urllib.request.urlopen("https://127.0.0.1:%d/cert-status-by-serial/%s" % (pebble.management, serial),
                                context=ssl._create_unverified_context(), timeout=5) as r:
        return json.load(r)


def test_issue_after_failures(ca):
    """Whatever pause there is; but nothing that is not due."""
    pebble, p = ca(start=False)
    os.makedirs(os.path.join(p.state, "a.test"))
    with open(os.path.join(p.state, "a.test", "schedule"), "w") as f:
        f.write("failures 2\nnext-try %d\n" % (time.time() + 5000))
    p.start()
    assert p.admin("acme status")["certificates"][0]["state"] == "failing"
    assert p.admin("acme issue")["ok"]
    p.wait_log(ISSUED, 20)
    until(lambda: p.admin("acme status")["certificates"][0]["state"] == "valid", 10, "it is served")
    assert p.admin("acme issue") == {"ok": False, "error": "no certificate is due"}
    assert "acme renew asks for one all the same" in p.admin("acme issue a.test")["error"]
    assert "acme status lists them" in p.admin("acme issue b.test")["error"]
    assert pebble.issued() == 1


def test_revoke(ca):
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    before = certificate(p)
    key = open(os.path.join(p.state, "private/a.test/key.pem")).read()
    assert status_at(pebble, before)["Status"] == "Valid"
    r = acme(p, "revoke", "a.test", "keyCompromise")
    assert r.returncode == 0, r.stdout
    p.wait_log("the certificate is revoked, and put away with its key", 20)
    until(lambda: pebble.issued() == 2 and certificate(p) != before, 20, "another certificate")
    at = status_at(pebble, before)
    assert at["Status"] == "Revoked" and at["Reason"] == 1
    assert status_at(pebble, certificate(p))["Status"] == "Valid"
    assert open(os.path.join(p.state, "private/a.test/key.pem")).read() != key
    put_away = [f for f in os.listdir(os.path.join(p.state, "private/a.test")) if f != "key.pem"]
    assert len(put_away) == 1 and re.fullmatch(r"key-\d+\.pem", put_away[0])
    assert os.stat(os.path.join(p.state, "private/a.test", put_away[0])).st_mode & 0o777 == 0o600
    assert any(re.fullmatch(r"revoked-\d+\.pem", f) for f in os.listdir(os.path.join(p.state, "a.test")))


@pytest.mark.parametrize("alone", [False, True])
def test_revoke_waits_for_no_pause(ca, alone):
    """Failures before, as of a renewal, hold up orders alone."""
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    before = certificate(p)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    with open(os.path.join(p.state, "a.test", "schedule"), "w") as f:
        f.write("failures 2\nnext-try %d\n" % (time.time() + 6000))
    if not alone:
        p.start()
    r = acme(p, "revoke", "a.test")
    assert r.returncode == 0, r.stdout
    until(lambda: status_at(pebble, before)["Status"] == "Revoked", 20, "the revocation")


def test_what_is_not_revoked(ca):
    pebble, p = ca("site a.test { respond 200 }\nsite b.test { tls self-signed; respond 200 }", http_port=free_port())
    p.wait_log("try 1 failed", 20)
    assert "no certificate from an authority" in p.admin("acme revoke a.test")["error"]
    assert "acme status lists them" in p.admin("acme revoke b.test")["error"]
    assert "no such reason; one of unspecified" in p.admin("acme revoke a.test cACompromise")["error"]
    assert pebble.count("revoke-cert") == 0


@pytest.mark.full  # that no proxy runs is told by a refused connection
def test_issue_without_a_proxy_that_runs(ca):
    pebble, p = ca("site a.test { respond 200 \"a\\n\" }\nsite b.test { respond 200 }", start=False)
    r = acme(p, "status")
    assert r.returncode == 0, r.stdout + r.stderr
    assert [c["state"] for c in json.loads(r.stdout)["certificates"]] == ["waiting", "waiting"]
    r = acme(p, "issue", "a.test")
    assert r.returncode == 0 and re.search(ISSUED, r.stdout) and r.stdout.endswith('{"ok":true}\n'), r.stdout + r.stderr
    assert pebble.issued() == 1
    r = acme(p, "issue", "a.test")
    assert r.returncode == 1 and "is not due" in r.stdout
    r = acme(p, "issue") # the other one
    assert r.returncode == 0 and pebble.issued() == 2, r.stdout + r.stderr
    states = json.loads(acme(p, "status").stdout)["certificates"]
    assert [c["state"] for c in states] == ["valid", "valid"] and states[0]["renewal"] < states[0]["not_after"]
    p.start() # and it takes what it finds
    assert served_by_pebble(p)
    assert p.get("/", host="a.test", sni="a.test").status == 200
    assert pebble.issued() == 2


@pytest.mark.full
def test_renew_and_revoke_without_a_proxy_that_runs(ca):
    pebble, p = ca(start=False)
    r = acme(p, "revoke", "a.test")
    assert r.returncode == 1 and "there is no certificate" in r.stdout
    for n in (1, 2):
        assert acme(p, "renew", "a.test").returncode == 0
        assert pebble.issued() == n
    pem = open(os.path.join(p.state, "a.test", "cert.pem")).read()
    r = acme(p, "revoke", "a.test", "cessationOfOperation")
    assert r.returncode == 0, r.stdout + r.stderr
    assert status_at(pebble, pem.split("-----END")[0] + "-----END CERTIFICATE-----\n")["Reason"] == 5
    assert json.loads(acme(p, "status").stdout)["certificates"][0]["state"] == "waiting"
    assert pebble.issued() == 2 # nothing is ordered that was not asked for


@pytest.mark.full
def test_issue_that_fails_without_a_proxy_that_runs(ca):
    """Once, with what the authority says; and the next start keeps to the pause."""
    pebble, p = ca(start=False, http_port=free_port())
    r = acme(p, "issue")
    assert r.returncode == 1 and "try 1 failed" in r.stdout and "the lines above say why" in r.stdout, r.stdout
    c = json.loads(acme(p, "status").stdout)["certificates"][0]
    assert c["state"] == "failing" and c["failures"] == 1


def test_control_socket_that_may_not_be_asked(ca):
    """Then nothing is done here: there is a proxy that does."""
    pebble, p = ca(start=False)
    folder = os.path.join(p.state, "not-a-folder")
    open(folder, "w").close()
    r = run("--config", p.conf_path, "--admin", "unix:%s/socket" % folder, "acme", "issue", timeout=60)
    assert r.returncode == 1 and "cannot reach" in r.stderr and pebble.issued() == 0


@pytest.mark.full
def test_preferred_chain(ca):
    """The chain that is asked for by name; the authority's own where it has none such."""
    pebble, p = ca(start=False, env={"PEBBLE_ALTERNATE_ROOTS": "2", "PEBBLE_CHAIN_LENGTH": "2"})
    context = ssl._create_unverified_context()
    roots = []
    for i in range(3):
        with urllib.request.urlopen("https://127.0.0.1:%d/roots/%d" % (pebble.management, i), context=context, timeout=5) as r:
            roots.append(r.read().decode())
    names = [openssl_text(pem, "-subject", "-nameopt", "multiline").split("= ")[-1].strip() for pem in roots]
    conf = p.preamble
    for name, root in ((names[2], 2), (names[0], 0), ("Nobody's Root", 0)):
        p.preamble = conf.replace("ca-roots", "preferred-chain \"%s\"; ca-roots" % name)
        p.write_conf(SITE)
        assert acme(p, "renew", "a.test").returncode == 0
        path = os.path.join(p.state, "root.pem")
        with open(path, "w") as f:
            f.write(roots[root])
        chain = os.path.join(p.state, "a.test/cert.pem")
        openssl("verify", "-CAfile", path, "-untrusted", chain, chain)
    r = acme(p, "renew", "a.test")
    assert "the authority has no chain from Nobody's Root; its own choice is taken" in r.stdout


# --- --check: what would hinder, without a try ---


def check(p, name, *args):
    r = run("--config", p.conf_path, "--check", name, *args, timeout=60)
    assert r.stderr == "", r.stderr
    return r


def test_check_of_a_good_machine(ca):
    pebble, p = ca(start=False)
    r = check(p, "localhost:%d" % p.http_port)
    assert r.returncode == 0 and "BAD" not in r.stdout, r.stdout
    for said in ("the state folder %s lasts" % p.state, "localhost is 127.0.0.1", "127.0.0.1:%d leads here" % p.http_port,
                 "the authority %s is reached" % pebble.url, "the clock is right"):
        assert said in r.stdout, r.stdout
    assert pebble.count("POST") == 0
    assert os.listdir(os.path.join(p.state, "challenge")) == []


def test_check_beside_a_proxy_that_runs(ca):
    pebble, p = ca()
    p.wait_log(ISSUED, 20)
    r = check(p, "localhost:%d" % p.http_port)
    assert r.returncode == 0 and "not listening here" in r.stdout and "leads here" in r.stdout, r.stdout


def test_check_finds_another_server(ca, upstream):
    u = upstream(reply(b"hello", 200, [("Server", "nginx/1.2")]))
    pebble, p = ca(start=False)
    r = check(p, "localhost:" + u.address.rsplit(":", 1)[1])
    assert r.returncode == 1 and "another server answers there (status 200, nginx/1.2)" in r.stdout, r.stdout


def test_check_finds_nothing(ca):
    pebble, p = ca(start=False)
    pebble.close()
    r = check(p, "127.0.0.1:%d" % free_port())
    assert r.returncode == 1 and r.stdout.count("BAD") == 2, r.stdout
    assert "port 80 has to be open there" in r.stdout and "is not reached" in r.stdout


def test_check_of_the_clock(proxy, authority):
    a = Answers(authority, lambda h, n: h.reply(200, b"{}"))
    a.server.RequestHandlerClass.date_time_string = lambda *_: "Sun, 06 Nov 1994 08:49:37 GMT"
    try:
        p = proxy(a.conf() + "\n" + SITE, http=True, wait=None)
        r = check(p, "localhost:%d" % p.http_port)
        assert r.returncode == 1 and re.search(r"BAD +the clock of this machine is \d+ seconds before that", r.stdout), r.stdout
    finally:
        a.close()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "a:0", "[::1"])
def test_check_of_what_is_no_name(ca, name):
    pebble, p = ca(start=False)
    r = run("--config", p.conf_path, "--check", name)
    assert r.returncode == 2 and "is not a name" in r.stderr


# --- proxy keygen ---


@pytest.mark.parametrize("kind, said", [("p256", "256 bit"), ("p384", "384 bit"), ("rsa2048", "2048 bit"),
                                        ("rsa3072", "3072 bit"), ("rsa4096", "4096 bit")])
@pytest.mark.real
def test_keygen_makes_keys_that_openssl_takes(tmp, kind, said):
    r = run("--state", tmp, "keygen", kind, asan=False, timeout=60)
    assert r.returncode == 0 and r.stderr == ""
    text = subprocess.run(["openssl", "pkey", "-check", "-text", "-noout"], input=r.stdout, capture_output=True, text=True,
                          timeout=20)
    assert text.returncode == 0 and "Key is valid" in text.stdout and said in text.stdout, text.stdout + text.stderr
    assert os.listdir(tmp) == []


@pytest.mark.full  # as root, for the user that the proxy becomes
def test_keygen_for_a_site(ca):
    """The certificate is for that key, and the key is not replaced."""
    pebble, p = ca(start=False)
    r = run("--config", p.conf_path, "keygen", "rsa2048", "a.test", timeout=60)
    path = os.path.join(p.state, "private/a.test/key.pem")
    assert r.returncode == 0 and r.stdout.startswith(path + ": "), r.stdout + r.stderr
    assert os.stat(path).st_mode & 0o777 == 0o600
    before = open(path).read()
    r = run("--config", p.conf_path, "keygen", "p256", "a.test")
    assert r.returncode == 1 and "there is one; move it" in r.stderr
    assert open(path).read() == before
    p.start()
    p.wait_log(ISSUED, 20)
    assert "Public-Key: (2048 bit)" in openssl_text(certificate(p))


@pytest.mark.parametrize("words, said", [(["rsa1024"], "one of p256, p384, rsa2048"), (["p256", "../a"], "'../a' is not a name"),
                                         (["p256", ""], "'' is not a name")])
def test_keygen_refuses(tmp, words, said):
    r = run("--state", tmp, "keygen", *words)
    assert r.returncode == 2 and said in r.stderr and r.stdout == ""
    assert os.listdir(tmp) == []
