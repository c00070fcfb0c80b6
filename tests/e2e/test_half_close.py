# SPDX-License-Identifier: MIT
"""A client that says it will send no more. In TLS 1.3 close_notify ends one direction and the answer can still be read
(RFC 8446 §6.1); in TLS 1.2 it ends both (RFC 5246 §7.2.1). TCP's FIN says that the client has gone, in either."""
import select
import threading

import pytest

from between import DATA
from rawhttp import CLOSE_NOTIFY, FIN, RESET, Ended
from tlsclients import output, request
from upstreams import reply
from waiting import until

BODY = b"0123456789abcdef" * 65536


class Gate:
    """An upstream's script: one answer for each request, once it is let through; notes how the connection ended."""

    def __init__(self, answer=reply(b"late")):
        self.answer, self.open, self.ended = answer, threading.Event(), []

    def __call__(self, c):
        c.read_request()
        if not self.open.is_set() and not self.wait(c):
            self.ended.append(c.wait_closed())
            return
        c.send(self.answer)
        c.finish()
        c.drain()

    def wait(self, c):
        """False when the proxy leaves first."""
        while not self.open.wait(0.01):
            if select.select([c.sock], [], [], 0)[0]:
                return False
        return True


def is_read(client, port):
    """Has the proxy read all that was sent? Asked of /proc."""
    with open("/proc/net/tcp") as f:
        for line in f:
            p = line.split()
            if p[1].endswith(":%04X" % port) and p[2].endswith(":%04X" % client.sock.getsockname()[1]):
                return p[4].endswith(":00000000")
    return False


@pytest.fixture
def waiting(site):
    """waiting(version, answer): a client whose request is at the upstream: (client, proxy, gate)."""
    def start(version, answer=reply(b"late")):
        gate = Gate(answer)
        p, u = site(script=gate)
        c = p.connect(context=p.context(version=version)).request()
        u.wait_requests(1)
        return c, p, gate
    return start


@pytest.mark.parametrize("answer", [reply(b"late"), reply(BODY), b"HTTP/1.1 200 OK\r\n\r\nlate"],
                         ids=["small", "large", "until-close"])
def test_answer_after_close_notify(waiting, answer):
    c, p, gate = waiting("TLSv1.3", answer)
    c.close_notify()
    until(lambda: is_read(c, p.port), 5, "the proxy has read it")
    gate.open.set()
    assert c.response().body == answer.partition(b"\r\n\r\n")[2]
    assert c.wait_end() == CLOSE_NOTIFY


def test_rest_of_an_answer_after_close_notify(site):
    """It had begun."""
    half = threading.Event()

    def script(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(BODY)) + BODY)
        assert half.wait(10)
        c.send(BODY)
        c.drain()
    p, u = site(script=script)
    with p.connect(context=p.context(version="TLSv1.3")) as c:
        c.request().until(b"\r\n\r\n")
        c.close_notify()
        until(lambda: is_read(c, p.port), 5, "the proxy has read it")
        half.set()
        assert c.exactly(2 * len(BODY)) == BODY + BODY
        assert c.wait_end() == CLOSE_NOTIFY


def test_close_notify_in_1_2_ends_both_directions(waiting):
    c, p, gate = waiting("TLSv1.2")
    c.close_notify()
    with pytest.raises(Ended):
        c.response()
    assert c.ended in (CLOSE_NOTIFY, FIN)
    until(lambda: gate.ended, 5, "the upstream sees its connection end")


def test_fin_after_close_notify(waiting):
    """Now it is gone."""
    c, p, gate = waiting("TLSv1.3")
    c.close_notify()
    until(lambda: is_read(c, p.port), 5, "the proxy has read it")
    assert not gate.ended
    c.truncate()
    until(lambda: gate.ended, 5, "the upstream sees its connection end")
    assert c.wait_end() in (CLOSE_NOTIFY, FIN, RESET)


def test_fin_alone(waiting, version):
    c, p, gate = waiting(version)
    c.truncate()
    until(lambda: gate.ended, 5, "the upstream sees its connection end")


def test_several_requests_before_close_notify(site):
    """All of them came before it."""
    p, u = site(lambda r: reply(r.target))
    with p.connect(context=p.context(version="TLSv1.3")) as c:
        c.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % i for i in range(3)))
        c.close_notify()
        assert [c.response().body for _ in range(3)] == [b"/0", b"/1", b"/2"]
        assert c.wait_end() == CLOSE_NOTIFY


def test_close_notify_within_a_body(site, version):
    """The request is not whole and never will be."""
    p, u = site()
    with p.connect(context=p.context(version=version)) as c:
        c.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
        u.wait_requests(1)
        c.close_notify()
        assert c.wait_end() in (CLOSE_NOTIFY, FIN, RESET)
    assert u.whole == []


def test_bytes_after_close_notify(waiting):
    """Nobody's (RFC 8446 §6.1)."""
    c, p, gate = waiting("TLSv1.3")
    c.close_notify()
    c.send_wire(b"\x17\x03\x03\x00\x20" + bytes(32))
    until(lambda: is_read(c, p.port), 5, "the proxy has read it")
    gate.open.set()
    assert c.response().body == b"late"


def test_gnutls_waits_for_its_answer(site, between):
    """As a pipe into gnutls-cli does: close_notify at the end of its input, then it reads on."""
    gate = Gate()
    p, u = site(script=gate)
    b = between(p.port)

    def let_through():
        # change_cipher_spec aside: Finished, request, close_notify.
        until(lambda: sum(kind == DATA for kind, _ in b.records(b.sent)) == 3, 20, "close_notify")
        gate.open.set()
    t = threading.Thread(target=let_through)
    t.start()
    out = output(["gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "--sni-hostname",
                  "localhost", "--port", str(b.port), "127.0.0.1"], request("localhost"))
    t.join()
    assert "\n\r\nlate" in out
