# SPDX-License-Identifier: MIT
"""What is another way on a unikernel: addresses, and stopping and reloading without signals."""
import json

import pytest

from ports import free_port
from proxy import UNIKERNEL
from upstreams import reply
from waiting import until

pytestmark = pytest.mark.skipif(not UNIKERNEL, reason="./build.sh test unikernel runs it")
SITE = "site localhost { respond 200 \"%s\" }"


def test_all_addresses_without_ipv6(proxy):
    port = free_port()
    p = proxy(SITE % "here", globals="listen :%d" % port, tls=False)
    until(lambda: p.listens(port), 10, "listening")
    p.port = port
    assert p.get("/", host="localhost").body == b"here"


def test_reload_and_stop_by_the_admin_listener(proxy):
    p = proxy(SITE % "one")
    assert p.get("/", host="localhost").body == b"one"
    assert p.reload(SITE % "two")["ok"]
    assert p.get("/", host="localhost").body == b"two"
    assert p.admin("stop") == {"ok": True}
    assert p.process.wait(10) == 0


def test_what_is_not_there_is_a_line(proxy):
    p = proxy(SITE % "here")
    for line in ("landlock: not on this kernel", "seccomp: not on this kernel"):
        p.wait_log(line)


def test_without_a_control_socket(proxy, tmp):
    """Which is what there is where no admin listener is named."""
    port = free_port()
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % port, "--state", tmp, "localhost=127.0.0.1:1"])
    p.wait_log("admin: no control socket at .*: address family not supported")
    p.wait_log("started")
    p.port = port
    assert p.get("/", host="localhost").status == 502


def test_more_clients_than_descriptors(proxy, upstream):
    """Those who find none wait; when some are free again they are served."""
    u = upstream(lambda r: reply(b"here"))
    p = proxy("site localhost { upstream %s }" % u.address, globals="max-connections 4000")
    held = []
    for _ in range(70):
        held.append(p.connect(tls=False, port=p.port))
    for c in held:
        c.close()
    assert p.get("/", host="localhost").body == b"here"

def test_uacme_is_refused(proxy):
    """At the start with a line that says why; by who serves, who serves on."""
    uacme = SITE % "two" + "\nacme { client uacme }"
    p = proxy(uacme, wait=False)
    p.expect_status = 1
    assert p.wait() == 1
    assert "client: uacme cannot be helped: Function not implemented" in p.log()
    p = proxy(SITE % "one")
    answer = p.reload(uacme)
    assert not answer["ok"] and "restart" in json.dumps(answer), answer
    assert p.get("/", host="localhost").body == b"one"
