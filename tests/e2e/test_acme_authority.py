# SPDX-License-Identifier: MIT
"""What an authority, the clock and an account made elsewhere do to a first issuance; and where it is broken off."""
import os
import shutil
import subprocess
import time

import pytest

from acme_ca import ISSUED, SITE, UACME, served_by_pebble
from certificates import EC, openssl
from waiting import until

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


# --- an account that was made elsewhere ---


@pytest.mark.parametrize("options, says", [(["-t", "RSA", "-b", "2048"], "RSA"), (["-t", "EC", "-b", "384"], "P-384")])
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


# --- what an authority does that goes on ---


def test_nonces_that_are_refused_as_pebble_does_by_default(ca):
    """One in twenty: over as many requests as four names need, some are."""
    names = ["a.test", "www.a.test", "b.a.test", "c.a.test"]
    pebble, p = ca("site %s { respond 200 }" % " ".join(names), env={"PEBBLE_WFE_NONCEREJECT": "5"})
    p.wait_log(ISSUED + "|try 1 failed", 60)
    assert "try 1 failed" not in p.log() and pebble.issued() == 1 and p.log().count("acme: a new account") == 1
    assert served_by_pebble(p, names[-1])
