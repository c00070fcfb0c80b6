# SPDX-License-Identifier: MIT
"""The proxy as the first process of a microVM: what it brings up, how it ends, and what becomes of its disk when the power
goes."""
import gzip
import json
import os
import random
import re
import socket
import subprocess
from types import SimpleNamespace

import pytest

from dhcp_server import DISCOVER, NAK, REQUEST, DHCPServer
from microvm import HOST, INITRAMFS, Machine, why_not
from ports import free_port
from proxy import BIN, ROOT
from test_acme_durability import check_state
from upstreams import reply
from waiting import until

pytestmark = [pytest.mark.native, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]


@pytest.fixture
def machine(tmp):
    """machine("the proxy's arguments", ...): see Machine."""
    started = []

    def start(*args, **kw):
        started.append(Machine(tmp, *args, **kw))
        return started[-1]

    yield start
    for m in started:
        m.close()


@pytest.fixture
def disk(tmp):
    """An empty volume."""
    path = os.path.join(tmp, "disk")
    with open(path, "wb") as f:
        f.truncate(16 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", path], check=True, stdin=subprocess.DEVNULL)
    return path


def test_it_serves_and_turns_off(machine, upstream, capsys):
    u = upstream(lambda r: reply(b"well"))
    m = machine("localhost=%s:%d" % (HOST, u.port), "ip=10.0.2.15/24,%s,10.0.2.3" % HOST)
    response, _, seconds = m.first_answer()
    with capsys.disabled():
        print("\nfrom QEMU's start to the first answer over HTTPS: %.2f s" % seconds)
    assert response.body == b"well"
    log = m.log()
    assert "eth0 is 10.0.2.15/24, router 10.0.2.2" in log and "/state is in memory" in log
    assert "user: nobody" in log and "landlock: files outside" in log and "seccomp: system calls are" in log, log
    assert m.stop() == 0
    assert "the proxy has ended; turning off" in m.log()
    assert " error " not in m.log(), m.log()


def test_the_sites_from_the_kernels_command_line(machine, upstream):
    """And the address by DHCP."""
    u = upstream(lambda r: reply(b"well"))
    m = machine("", "\"PROXY_SITES=localhost=192.0.2.2:%d a.internal=192.0.2.2:%d\"" % (u.port, u.port),
                net="user,net=192.0.2.0/24,dhcpstart=192.0.2.77,hostfwd=tcp:127.0.0.1:{port}-192.0.2.77:443")
    assert m.first_answer("a.internal")[0].body == b"well"
    assert "eth0 is 192.0.2.77/24, router 192.0.2.2" in m.log()


@pytest.mark.parametrize("who, may", [(HOST, True), ("192.0.2.1", False)])
def test_who_may_tell_it_to_stop(machine, who, may):
    """From another machine, as there is no second process in a unikernel."""
    port = free_port()
    m = machine('"--admin=0.0.0.0:2019 %s" localhost=127.0.0.1:9' % who, "ip=10.0.2.15/24",
                net="user,hostfwd=tcp:127.0.0.1:{port}-:443,hostfwd=tcp:127.0.0.1:%d-:2019" % port)
    m.first_answer()

    def ask(line):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            s.sendall(line)
            return s.makefile("rb").readline()
    if may:
        assert json.loads(ask(b"status\n"))["ok"] and json.loads(ask(b"stop\n")) == {"ok": True}
        assert m.wait() == 0
        return
    try:
        assert ask(b"stop\n") == b""
    except ConnectionError:
        pass
    m.wait_log("admin: %s is in none of the networks that may speak to it" % re.escape(HOST))
    m.first_answer()


def test_what_it_cannot_do_it_says_and_turns_off(machine):
    m = machine("--nonsense", "ip=off")
    assert m.wait(90) == 0
    assert "--nonsense: unknown option" in m.log() and "the proxy ended with status 2; turning off" in m.log()


def test_a_disk_that_is_none_of_ours_stays_as_it_is(machine, tmp):
    path = os.path.join(tmp, "disk")
    content = random.Random(1).randbytes(1 << 20)
    with open(path, "wb") as f:
        f.write(content)
    m = machine("--demo", "ip=off", disk=path)
    assert m.wait(90) == 0
    assert "/dev/vda cannot be mounted as ext4" in m.log()
    with open(path, "rb") as f:
        assert f.read() == content


def test_the_clock_is_the_machines(machine):
    m = machine("--demo", "ip=off", more=["-rtc", "base=2031-05-06T07:08:09"])
    assert m.wait_log("^(.*) info proxy .* started").group(1).startswith("2031-05-06T07:08:")


def test_a_bad_address_is_named_and_an_absent_interface_too(machine):
    bad = machine("--demo", "ip=10.0.2.15")
    none = machine("--demo", net=None)
    for m, words in ((bad, "ip=10.0.2.15 is not ADDRESS/PREFIX"), (none, "there is no interface")):
        m.wait_log("proxy .* started")
        assert words in m.log()


# --- a lease ---

@pytest.fixture
def dhcp():
    """dhcp(answer): see DHCPServer."""
    started = []

    def start(answer):
        started.append(DHCPServer(answer))
        return started[-1]

    yield start
    for s in started:
        s.close()
    assert not [s.error for s in started if s.error]


def steps(asked):
    """What was asked, without what was only repeated."""
    out = []
    for q in asked:
        step = (q.type, q.to, q.holds)
        if not out or out[-1] != step:
            out.append(step)
    return out


EVERYBODY, SERVER = "255.255.255.255", "192.0.2.1"
FIRST = [(DISCOVER, EVERYBODY, None), (REQUEST, EVERYBODY, None)]


def test_a_lease_is_renewed_until_the_server_refuses(machine, dhcp):
    def answer(q):
        if q.type == REQUEST and q.holds and len(server.asked) > 5:
            return NAK
        return ("192.0.2.8" if any(a.holds for a in server.asked) and not q.holds else "192.0.2.7"), 4
    server = dhcp(answer)
    m = machine("--demo", net=server.net)
    m.wait_log(r"eth0 is 192\.0\.2\.7/24, router 192\.0\.2\.1")
    m.wait_log(r"192\.0\.2\.7 is given up: the server says so")
    m.wait_log(r"eth0 is 192\.0\.2\.8/24", 20)
    assert steps(server.asked)[:5] == [*FIRST, (REQUEST, SERVER, "192.0.2.7"), *FIRST]
    assert server.asked[0].options[55] == bytes([1, 3, 6, 51, 58, 59])
    assert server.asked[1].options[50] == bytes([192, 0, 2, 7]) and server.asked[1].options[54] == bytes([192, 0, 2, 1])
    # One is enough for as long as it is answered.
    assert [q.holds for q in server.asked[:6]] == [None, None] + 4 * ["192.0.2.7"]


def test_a_lease_that_nobody_renews_is_given_up(machine, dhcp):
    def answer(q):
        return None if q.holds else ("192.0.2.8" if any(a.holds for a in server.asked) else "192.0.2.7", 12)
    server = dhcp(answer)
    m = machine("--demo", net=server.net)
    m.wait_log(r"192\.0\.2\.7 is given up: its time is over")
    m.wait_log(r"eth0 is 192\.0\.2\.8/24", 20)
    mine = "192.0.2.7"
    assert steps(server.asked)[:6] == [*FIRST, (REQUEST, SERVER, mine), (REQUEST, EVERYBODY, mine), *FIRST]


@pytest.mark.long
def test_it_serves_before_there_is_a_server_and_asks_again(machine, dhcp):
    server = dhcp(lambda q: ("192.0.2.7", 3600) if len(server.asked) > 4 else None)
    m = machine("--demo", net=server.net)
    m.wait_log("nobody answers on eth0")
    m.wait_log("proxy .* started")
    assert "eth0 is" not in m.log()
    m.wait_log(r"eth0 is 192\.0\.2\.7/24", 30)


# --- the power ---

NAMES = ["n%02d.internal" % i for i in range(24)]
ALL = " ".join("%s=%s:80" % (n, HOST) for n in NAMES)


def content(path):
    """What the machine finds there when it is on again: the journal applied, all of it sound, the files in a folder."""
    copy, folder = path + "-copy", path + "-files"
    subprocess.run(["cp", path, copy], check=True)
    assert subprocess.run(["e2fsck", "-p", copy], capture_output=True).returncode in (0, 1)
    r = subprocess.run(["e2fsck", "-fn", copy], capture_output=True, text=True)
    assert r.returncode == 0, r.stdout
    subprocess.run(["rm", "-rf", folder], check=True)
    os.mkdir(folder, 0o700)
    subprocess.run(["debugfs", "-R", "rdump / " + folder, copy], check=True, capture_output=True)
    os.rmdir(os.path.join(folder, "lost+found"))
    os.chmod(folder, 0o700)  # it is as mke2fs has it
    check_state(SimpleNamespace(state=folder))
    return {n: read(os.path.join(folder, "self-signed", n)) for n in NAMES}


def read(folder):
    """(key, certificate), either None"""
    out = []
    for name in ("key.pem", "cert.pem"):
        try:
            with open(os.path.join(folder, name)) as f:
                out.append(f.read())
        except FileNotFoundError:
            out.append(None)
    return tuple(out)


def certificates_on(path):
    with open(path, "rb") as f:
        return f.read().count(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("trial", [pytest.param(i, marks=[pytest.mark.long] if i > 2 else []) for i in range(100)])
def test_the_state_is_whole_after_a_power_cut(machine, disk, trial):
    """On the first boot a key and a certificate are made for each site. Somewhere in there the power goes; what has been
    made by then is what the next boot goes on with."""
    chance = random.Random(trial)
    cut_at = 1 + 9 * trial % (len(NAMES) - 1)
    m = machine(ALL, "ip=off", disk=disk)
    m.wait_log("/dev/vda is /state")
    until(lambda: certificates_on(disk) >= cut_at or not m.running(), 60, "%d certificates" % cut_at, 0.0005)
    for _ in range(chance.randrange(3)):  # a few ms more, or none
        certificates_on(disk)
    m.cut()
    cut = content(disk)
    assert sum(c is not None for _, c in cut.values()) >= cut_at - 1
    if trial % 10 > 2:
        return

    m = machine(ALL, disk=disk)
    _, served, _ = m.first_answer(NAMES[0])
    assert m.stop() == 0
    kept = content(disk)
    assert all(all(pair) for pair in kept.values())
    assert all(kept[n][i] == cut[n][i] for n in NAMES for i in (0, 1) if cut[n][i] is not None)
    assert served.split() == kept[NAMES[0]][1].split()
    assert "another one after a restart" not in m.log() and " error " not in m.log(), m.log()


# --- what it is made of ---

def entries(archive):
    """(name, mode, content) of each in the cpio."""
    at = 0
    while True:
        assert archive[at:at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        start = at + 110 + fields[11]
        name = archive[at + 110:start - 1].decode()
        start += -start % 4
        if name == "TRAILER!!!":
            return
        yield name, fields[1], archive[start:start + fields[6]]
        at = start + fields[6]
        at += -at % 4


def test_the_initramfs(tmp):
    with open(INITRAMFS, "rb") as f:
        packed = f.read()
    files = {name: (mode, data) for name, mode, data in entries(gzip.decompress(packed))}
    assert files["init"][0] == 0o100755 and files["init"][1].startswith(b"\x7fELF")
    order = files["modules/order"][1].decode().split()
    assert {"modules/" + n for n in order} == {n for n in files if n.endswith(".ko")}
    loaded = set()
    for name in order:
        needs = re.search(rb"\0depends=([^\0]*)\0", files["modules/" + name][1])[1].decode()
        assert set(filter(None, needs.split(","))) <= loaded, name
        loaded.add(name[:-3].replace("-", "_"))
    assert {"virtio_net", "virtio_blk", "virtio_pci"} <= loaded


def test_the_same_input_gives_the_same_initramfs(tmp):
    [modules] = [os.path.join(ROOT, "build/deps/linux-image-cloud-amd64/lib/modules", n) for n in os.listdir(
        os.path.join(ROOT, "build/deps/linux-image-cloud-amd64/lib/modules"))]
    out = []
    for name in ("a", "b"):
        path = os.path.join(tmp, name)
        subprocess.run([os.path.join(ROOT, "image/initramfs.py"), path, "--init", BIN, "--modules", modules, "--time",
                        "1700000000", "virtio_net", "virtio_blk"], check=True, capture_output=True)
        with open(path, "rb") as f:
            out.append(f.read())
    assert out[0] == out[1]
    r = subprocess.run([os.path.join(ROOT, "image/initramfs.py"), path, "--init", BIN, "--modules", modules, "--time",
                        "1700000000", "no_such"], capture_output=True, text=True)
    assert r.returncode != 0 and "no module no_such" in r.stderr
