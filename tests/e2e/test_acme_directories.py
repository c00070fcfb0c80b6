# SPDX-License-Identifier: MIT
"""Where an order goes: to the authority, to the one to fall back on, or to staging, as a trial."""
import os
import re
import shutil
import socket
import time

import pytest

from acme_ca import ISSUED, SITE, Answers, SmallCA, certificate, renew, restart_with, schedule
from dns_server import A, NameServer, usable
from waiting import until

pytestmark = pytest.mark.skipif(not shutil.which("pebble"), reason="pebble is not installed")


def test_falls_back_on_another_authority(ca, proxy, authority, tmp):
    """One failed before, so the other has its turn."""
    pebble, p = ca(start=False)
    pebble.close()
    other = SmallCA(authority, tmp, p.http_port)
    try:
        p.preamble = p.preamble.replace("ca-roots", "fallback %s/dir; ca-roots" % other.url)
        p.write_conf(SITE)
        p.start()
        p.wait_log("try 1 failed", 20)
        assert p.admin("acme renew a.test")["ok"]
        p.wait_log(ISSUED, 20)
        assert len(other.orders) == 1 and not other.complaints
    finally:
        other.close()


def test_rate_limit_of_one_authority_does_not_hold_up_the_other(small, authority, tmp):
    """It is kept, over a restart too, for the one that set it: that one is not asked before, the other may be."""
    c, p = small(start=False)
    other, tries = SmallCA(authority, tmp, p.http_port), []
    issue = other._new_order

    def limit(h, *_):
        tries.append("ca")
        h.reply(429, b'{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}', Retry_After="7200",
                Replay_Nonce=c._nonce())

    def fail_once(h, *args):
        tries.append("other")
        if len(tries) > 2:
            return issue(h, *args)
        other._problem(h, "serverInternal", "not now", 500)
    c._new_order, other._new_order = limit, fail_once
    try:
        p.preamble = p.preamble.replace("ca-roots", "fallback %s/dir; ca-roots" % other.url)
        p.write_conf(SITE)
        p.start()
        p.wait_log(r"try 1 failed", 20)
        until(lambda: schedule(p).get("failures") == 1, 10, "it is kept")
        assert schedule(p)["next-try"] < time.time() + 100
        restart_with(p, next_try=None)
        p.wait_log(r"try 2 failed", 20)
        until(lambda: schedule(p).get("failures") == 2, 10, "it is kept")
        assert schedule(p)["next-try"] < time.time() + 800
        restart_with(p, next_try=None)
        p.wait_log(ISSUED, 20)
        assert tries == ["ca", "other", "other"] and not other.complaints
        renew(p) # which is not the other's turn, but for the limit
        until(lambda: len(tries) == 4, 20, "another")
        assert tries[3] == "other"
    finally:
        other.close()


def test_fallback_by_name_is_not_trusted_by_the_roots_of_another(proxy, authority, tmp):
    """ca-roots are for ca: who has the key of an authority inside must not pass for Let's Encrypt."""
    if not usable():
        pytest.skip("needs root, to have a name server asked")
    name, address = "acme-v02.api.letsencrypt.org", "127.0.%d.%d" % tuple(1 + b % 254 for b in os.urandom(2))
    ns = NameServer(tmp, {(name, A): [socket.inet_aton(address)]})
    own = Answers(authority, lambda h, n: h.reply(200, b"{}"))
    false = Answers(authority, lambda h, n: h.reply(200, b"{}"), name, (address, 443))
    try:
        p = proxy(own.conf("fallback letsencrypt") + "\nsite a.test { tls acme; respond 200 }", http=True, wait=None)
        p.argv = ns.prefix + p.argv
        p.start()
        p.wait_log(r"acme: a\.test: .*no ACME directory.*try 1 failed", 20)
        assert p.admin("acme renew a.test")["ok"]
        line = p.wait_log(r"acme: a\.test: .*try 2 failed.*", 20).group(0)
        assert "%s: certificate chain ends at no known CA" % name in line and not false.requests
        assert p.admin("acme renew a.test")["ok"] # ca has its turn, by its own roots
        assert "no ACME directory" in p.wait_log(r"acme: a\.test: .*try 3 failed.*", 20).group(0)
    finally:
        for s in ns, own, false:
            s.close()


def test_state_in_memory(ca, authority, tmp):
    if not os.path.isdir("/dev/shm"):
        pytest.skip("no /dev/shm")
    pebble, p = ca(start=False)
    state = "/dev/shm/proxy-e2e-%d" % os.getpid()
    try:
        p.preamble = re.sub(r"(?m)^state .*$", "state " + state, p.preamble)
        p.write_conf(SITE)
        p.start()
        p.wait_log("the state folder %s is in memory" % re.escape(state), 20)
        p.wait_log(ISSUED, 20)
        assert p.reload()["ok"]
        p.preamble += "state ephemeral\n"
        p.write_conf(SITE)
        assert p.reload()["ok"]
        assert p.log().count("is in memory") == 1
    finally:
        shutil.rmtree(state, ignore_errors=True)


def test_staging_never_takes_the_place_of_a_certificate(proxy, authority, tmp):
    """While the state will be lost it is tried there once a day; and what comes is kept apart, whatever there is."""
    if not os.path.isdir("/dev/shm"):
        pytest.skip("no /dev/shm")
    p = proxy(SITE, http=True, wait=None)
    real, staging = (SmallCA(authority, tmp, p.http_port) for _ in range(2))
    kept, p.state = p.state, "/dev/shm/proxy-e2e-staging-%d" % os.getpid()
    path = os.path.join(p.state, "a.test", "cert.pem")
    try:
        p.preamble = p.preamble.replace("state %s\n" % kept, "state %s\n" % p.state) + \
            real.conf("staging %s/dir" % staging.url) + "\n"
        p.write_conf(SITE)
        p.start()
        p.wait_log(r"from %s/dir\n[\s\S]*acme: a\.test: the trial passed; the state folder has to last for more" % staging.url, 20)
        restart_with(p)
        s = p.admin("acme status")["certificates"][0]
        assert s["state"] == "waiting" and len(staging.orders) == 1 and real.orders == []
        assert os.path.exists(os.path.join(p.state, ".trial", "a.test", "cert.pem")) and not os.path.exists(path)

        p.preamble += "state ephemeral\n" # the other directory: at once
        p.write_conf(SITE)
        assert p.reload()["ok"]
        p.wait_log(ISSUED, 20)
        before = open(path).read()
        assert certificate(p).strip() in before and len(real.orders) == len(staging.orders) == 1

        p.preamble = p.preamble.replace("state ephemeral\n", "")
        p.write_conf(SITE)
        assert p.reload()["ok"]
        renew(p)
        until(lambda: p.log().count("the trial passed") == 2, 20, "another trial")
        assert certificate(p).strip() in before and open(path).read() == before
        assert p.admin("acme status")["certificates"][0]["state"] == "valid" and len(real.orders) == 1
        assert not real.complaints and not staging.complaints
    finally:
        real.close()
        staging.close()
        shutil.rmtree(p.state, ignore_errors=True)
