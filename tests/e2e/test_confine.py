# SPDX-License-Identifier: MIT
"""What the process may still do once it runs: read from /proc, and tried by making it do what it must not.

These run the binary that ships: a sanitised one needs what confinement takes away."""
import os
import re
import shutil
import subprocess

import pytest

from upstreams import echo, reply

pytestmark = pytest.mark.real
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")

ONE = "site localhost { tls self-signed\n respond 200 one }"


def status(p, what):
    with open("/proc/%d/status" % p.pid) as f:
        return re.search(r"^%s:[ \t]*(.*)$" % what, f.read(), re.M).group(1).split()


def said(p, what):
    """The log line of one step of confinement: 'not on this kernel' counts as said."""
    return p.wait_log(r"^.*%s.*$" % what).group(0)


@root
def test_user_is_dropped(site):
    p, u = site(echo)
    said(p, "user")
    assert p.get().status == 200
    assert set(status(p, "Uid")) == {"65534"} and set(status(p, "Gid")) == {"65534"}
    assert status(p, "Groups") == []
    assert int(status(p, "CapInh")[0], 16) == 0
    keep = 1 << 10 | 1 << 2  # binding ports, and reading keys inside the fence: a reload needs both
    assert int(status(p, "CapEff")[0], 16) & ~keep == 0 and int(status(p, "CapPrm")[0], 16) & ~keep == 0


@root
def test_user_by_number(site):
    p, u = site(echo, globals="user 12345")
    assert p.get().status == 200
    assert status(p, "Uid")[0] == "12345"


@root
def test_unknown_user(proxy):
    p = proxy(ONE, globals="user no-such-user-here", wait=False)
    p.expect_status = 1
    assert p.wait() == 1 and "no-such-user-here" in p.err()


def test_tables_of_addresses_are_read_only(site):
    """RELRO is a promise in the file; here it is kept."""
    p, u = site(echo)
    assert p.get().status == 200
    header = subprocess.run(["readelf", "-lW", p.bin], check=True, capture_output=True, text=True).stdout
    start, size = (int(x, 16) for x in re.search(r"GNU_RELRO +\S+ +(\S+) +\S+ +\S+ +(\S+)", header).groups())
    with open("/proc/%d/maps" % p.pid) as f:
        ours = [(int(a, 16), int(b, 16), mode) for a, b, mode in
                re.findall(r"^(\w+)-(\w+) (\S+) .*%s$" % re.escape(p.bin), f.read(), re.M)]
    base = ours[0][0]
    assert size > 4096 and any(a <= base + start and base + start + size <= b and mode == "r--p" for a, b, mode in ours), ours


def test_no_new_privileges_and_seccomp(site):
    p, u = site(echo)
    line = said(p, "seccomp")
    assert p.get().status == 200
    assert status(p, "NoNewPrivs") == ["1"]
    if "not on this kernel" not in line:
        assert status(p, "Seccomp") == ["2"]


def test_confine_off(site):
    p, u = site(echo, globals="confine off")
    assert p.get().status == 200
    assert status(p, "NoNewPrivs") == ["0"] and status(p, "Seccomp") == ["0"]


def test_each_step_is_one_line(site):
    p, u = site(echo)
    for what in ("seccomp", "landlock"):
        said(p, what)
        assert len([line for line in p.out().splitlines() if what in line.lower()]) == 1


@root
def test_files_outside_are_out_of_reach(proxy, authority, tmp):
    """A reload that points at a key elsewhere is refused by the kernel, though the file is readable for all."""
    p = proxy(ONE)
    if "not on this kernel" in said(p, "landlock"):
        pytest.skip("no Landlock on this kernel")
    cert, key = authority.leaf("localhost")
    for f in (cert, key):
        shutil.copy(f, tmp)
        os.chmod(os.path.join(tmp, os.path.basename(f)), 0o644)
    answer = p.reload("site localhost { tls cert %s key %s\n respond 200 two }" % (
        os.path.join(tmp, os.path.basename(cert)), os.path.join(tmp, os.path.basename(key))))
    assert answer["ok"] is False and "ermission" in answer["error"], answer
    assert "restart" in answer["error"]
    assert p.get().body == b"one"


def test_certificates_inside_can_be_renewed(proxy, authority, tmp):
    """Keys are root's and private; files replaced in their folder are taken up by a reload."""
    cert, key = os.path.join(tmp, "c.pem"), os.path.join(tmp, "k.pem")

    def install(pair):
        for src, dst in zip(pair, (cert, key)):
            shutil.copy(src, dst + ".new")
            os.chmod(dst + ".new", 0o600 if dst == key else 0o644)
            os.rename(dst + ".new", dst)
    install(authority.leaf("localhost"))
    conf = "site localhost { tls cert %s key %s\n respond 200 ok }" % (cert, key)
    p = proxy(conf)
    first = p.connect().tls.getpeercert(True)
    install(authority.other("localhost", "renewed.test"))
    answer = p.reload(conf)
    assert answer["ok"] is True, answer
    assert p.connect().tls.getpeercert(True) != first


def test_self_signed_for_a_new_site_by_reload(proxy):
    p = proxy(ONE)
    answer = p.reload(ONE + "\nsite new.test { tls self-signed\n respond 200 new }")
    assert answer["ok"] is True, answer
    assert p.get(sni="new.test", host="new.test").body == b"new"


def test_works_confined_with_everything(proxy, upstream, tmp):
    """The paths that open things late: a Unix socket, a name from /etc/hosts, IPv6, the control socket."""
    path = os.path.join(tmp, "u.sock")
    a, b = upstream(reply(b"unix"), path=path), upstream(reply(b"name"))
    p = proxy("site localhost { tls self-signed\n upstream unix:%s\n path /name { upstream localhost:%d } }" % (
        path, b.port))
    for _ in range(2):
        assert p.get("/").body == b"unix" and p.get("/name").body == b"name"
        assert p.admin("status")["ok"] is True
        assert p.admin("reload")["ok"] is True
    assert p.alive()


def test_confined_process_stops_cleanly(site):
    p, u = site(echo)
    p.get()
    p.signal(15)
    assert p.wait() == 0
