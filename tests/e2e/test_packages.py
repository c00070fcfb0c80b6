# SPDX-License-Identifier: MIT
"""The packages for Debian and OpenWrt and the units for systemd: what they bring is what the binary takes, and they come and
go without leaving anything."""
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from ports import free_port
from proxy import BIN, ROOT, environment, is_listening, run
from waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="for Linux")
IMAGE = os.path.join(ROOT, "image")


def sh(*argv, **kw):
    r = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **kw)
    return r


def made(*argv, **kw):
    r = sh(*argv, **kw)
    assert r.returncode == 0, "%s: %s%s" % (argv, r.stdout, r.stderr)
    return r.stdout


# --- Debian ---


def deb(to, version="0.1.0", binary=BIN):
    architecture = made("dpkg", "--print-architecture").strip()
    made(os.path.join(IMAGE, "debian", "build.sh"), binary, version, architecture, to,
         env=dict(os.environ, SOURCE_DATE_EPOCH="1795685400"))
    return to


def test_deb_is_the_same_twice(tmp):
    one, two = (open(deb(os.path.join(tmp, n)), "rb").read() for n in ("one.deb", "two.deb"))
    assert one == two


def test_deb_has_what_it_should(tmp):
    path = deb(os.path.join(tmp, "proxy.deb"))
    listing = {}
    for line in made("dpkg-deb", "-c", path).splitlines():
        mode, owner, *_, name = line.split()
        listing[name.lstrip(".")] = mode
        assert owner == "root/root"
    assert listing["/usr/bin/proxy"] == "-rwxr-xr-x" and listing["/lib/systemd/system/proxy.service"] == "-rw-r--r--"
    assert made("dpkg-deb", "--info", path, "conffiles") == "/etc/proxy.conf\n"
    assert re.search(r"^Version: 0\.1\.0$", made("dpkg-deb", "-f", path), re.M)
    root = os.path.join(tmp, "root")
    made("dpkg-deb", "-x", path, root)
    assert "proxy 0.1.0" in made(os.path.join(root, "usr/bin/proxy"), "--version")
    with open(os.path.join(root, "lib/systemd/system/proxy.service")) as f:
        assert f.read() == unit("proxy.service").replace("\nDynamicUser=yes\n", "\n") != unit("proxy.service")


@pytest.fixture
def chroot(tmp):
    """chroot(command...): in a copy of this system that is thrown away; its root is chroot.root."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a system to install into")
    base = os.path.join(tmp, "chroot")
    os.mkdir(base)
    if sh("mount", "-t", "tmpfs", "tmpfs", base).returncode != 0:
        pytest.skip("cannot mount")
    try:
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(base, name))
        root = os.path.join(base, "root")
        r = sh("mount", "-t", "overlay", "overlay", "-o",
               "lowerdir=/,upperdir=%s/upper,workdir=%s/work" % (base, base), root)
        if r.returncode != 0:
            pytest.skip("cannot lay a file system over this one: " + r.stderr)

        def call(*argv):
            return sh("chroot", root, *argv)
        call.root = root
        call("rm", "-rf", "/var/lib/proxy", "/etc/proxy.conf")
        yield call
        sh("umount", "-l", root)
    finally:
        sh("umount", "-l", base)


def inside(chroot, path):
    return os.path.join(chroot.root, path.lstrip("/"))


def install(chroot, tmp, version):
    path = deb(os.path.join(tmp, version + ".deb"), version)
    shutil.copy(path, inside(chroot, "/root/proxy.deb"))
    r = chroot("dpkg", "--force-confdef", "--force-confold", "-i", "/root/proxy.deb")
    assert r.returncode == 0, r.stdout + r.stderr


def test_install_upgrade_and_purge(chroot, tmp):
    """A changed configuration and the state outlive an upgrade and a removal; a purge leaves nothing."""
    install(chroot, tmp, "0.1.0")
    assert "proxy 0.1.0" in chroot("proxy", "--version").stdout
    assert chroot("proxy", "--validate").stdout.endswith("/etc/proxy.conf: valid\n")
    assert chroot("getent", "passwd", "_httpsproxy").stdout.split(":")[5] == "/var/lib/proxy"
    assert chroot("stat", "-c", "%U %a", "/var/lib/proxy").stdout == "_httpsproxy 700\n"
    with open(inside(chroot, "/etc/proxy.conf"), "a") as f:
        f.write("# mine\n")
    with open(inside(chroot, "/var/lib/proxy/kept"), "w") as f:
        f.write("kept")
    install(chroot, tmp, "0.1.1")
    assert open(inside(chroot, "/etc/proxy.conf")).read().endswith("# mine\n")
    assert os.path.exists(inside(chroot, "/var/lib/proxy/kept"))
    r = chroot("dpkg", "-r", "proxy")
    assert r.returncode == 0, r.stderr
    assert not os.path.exists(inside(chroot, "/usr/bin/proxy"))
    assert os.path.exists(inside(chroot, "/etc/proxy.conf")) and os.path.exists(inside(chroot, "/var/lib/proxy/kept"))
    r = chroot("dpkg", "-P", "proxy")
    assert r.returncode == 0, r.stderr
    for path in ("/etc/proxy.conf", "/var/lib/proxy", "/usr/share/doc/proxy", "/lib/systemd/system/proxy.service"):
        assert not os.path.exists(inside(chroot, path)), path
    assert chroot("getent", "passwd", "_httpsproxy").returncode == 2


def test_keys_that_root_makes_are_the_users(chroot, tmp):
    """And what lay there before the package came."""
    os.makedirs(inside(chroot, "/var/lib/proxy/private"), 0o700)
    install(chroot, tmp, "0.1.0")
    assert chroot("stat", "-c", "%U %a", "/var/lib/proxy/private").stdout == "_httpsproxy 700\n"
    r = chroot("proxy", "keygen", "p256", "a.example")
    assert r.returncode == 0, r.stderr
    assert chroot("stat", "-c", "%U %a", "/var/lib/proxy/private/a.example/key.pem").stdout == "_httpsproxy 600\n"


def move_as_systemd(chroot):
    """What systemd does with StateDirectory=proxy when a service with DynamicUser=yes starts."""
    private = inside(chroot, "/var/lib/private")
    os.makedirs(private, exist_ok=True)
    os.chmod(private, 0o700)
    os.rename(inside(chroot, "/var/lib/proxy"), os.path.join(private, "proxy"))
    os.symlink("private/proxy", inside(chroot, "/var/lib/proxy"))


def test_root_makes_keys_after_a_unit_with_a_dynamic_user(chroot, tmp):
    install(chroot, tmp, "0.1.0")
    with open(inside(chroot, "/var/lib/proxy/kept"), "w") as f:
        f.write("kept")
    move_as_systemd(chroot)
    install(chroot, tmp, "0.1.1")
    r = chroot("proxy", "keygen", "p256", "a.example")
    assert r.returncode == 0, r.stderr
    assert chroot("stat", "-c", "%F %U %a", "/var/lib/proxy").stdout == "directory _httpsproxy 700\n"
    assert os.path.exists(inside(chroot, "/var/lib/proxy/kept"))
    assert not os.path.exists(inside(chroot, "/var/lib/private/proxy"))


def test_purge_takes_the_keys_behind_the_link(chroot, tmp):
    install(chroot, tmp, "0.1.0")
    assert chroot("proxy", "keygen", "p256", "a.example").returncode == 0
    move_as_systemd(chroot)
    assert os.path.exists(inside(chroot, "/var/lib/private/proxy/private/a.example/key.pem"))
    r = chroot("dpkg", "-P", "proxy")
    assert r.returncode == 0, r.stderr
    for path in ("/var/lib/proxy", "/var/lib/private/proxy"):
        assert not os.path.lexists(inside(chroot, path)), path


# A systemctl that remembers, in files, what is enabled and what runs.
SYSTEMCTL = """#!/bin/sh
verb=$1 now=
shift
for unit; do
    case $unit in
    --now) now=yes ;;
    --quiet) ;;
    *)
        case $verb in
        enable) touch "/units/enabled/$unit" ;;
        disable) rm -f "/units/enabled/$unit" ${now:+"/units/running/$unit"} ;;
        is-enabled) [ -e "/units/enabled/$unit" ] || exit 1 ;;
        start) touch "/units/running/$unit" ;;
        try-restart) ;;
        *) echo "$verb is not known here" >&2; exit 1 ;;
        esac ;;
    esac
done
"""


@pytest.fixture
def systemctl(chroot):
    """systemctl(words...) in the chroot, which takes systemd to be there; returns what is (enabled, running) after it."""
    path = inside(chroot, "/usr/bin/systemctl")
    for folder in ("/run/systemd/system", "/units/enabled", "/units/running"):
        os.makedirs(inside(chroot, folder), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w") as f:
        f.write(SYSTEMCTL)
    os.chmod(path, 0o755)

    def call(*argv):
        if argv:
            assert chroot("systemctl", *argv).returncode == 0
        return [set(os.listdir(inside(chroot, "/units/" + what))) for what in ("enabled", "running")]
    return call


def test_the_service_starts_when_the_package_comes_back(chroot, systemctl, tmp):
    """And the socket, where it was enabled: dpkg calls an installation after a removal as it calls an upgrade."""
    install(chroot, tmp, "0.1.0")
    assert systemctl() == [{"proxy.service"}, {"proxy.service"}]
    for units in ({"proxy.service"}, {"proxy.service", "proxy.socket"}):
        systemctl("enable", *units)
        assert chroot("dpkg", "-r", "proxy").returncode == 0
        assert systemctl() == [set(), set()]
        install(chroot, tmp, "0.1.0")
        assert systemctl() == [units, units]
    assert chroot("dpkg", "-P", "proxy").returncode == 0
    assert systemctl() == [set(), set()]
    assert [n for n in os.listdir(inside(chroot, "/var/lib")) if n.startswith("proxy")] == []


def test_what_is_switched_off_stays_so(chroot, systemctl, tmp):
    """Over an upgrade, over a removal, and over an upgrade after one."""
    install(chroot, tmp, "0.1.0")
    for _ in range(2):
        systemctl("disable", "--now", "proxy.service")
        install(chroot, tmp, "0.1.1")
        assert systemctl() == [set(), set()]
        assert chroot("dpkg", "-r", "proxy").returncode == 0
        install(chroot, tmp, "0.1.1")
        assert systemctl() == [set(), set()]
        systemctl("enable", "proxy.service")
        assert chroot("dpkg", "-r", "proxy").returncode == 0
        install(chroot, tmp, "0.1.0")
        assert systemctl() == [{"proxy.service"}, {"proxy.service"}]


# --- systemd ---


def unit(name):
    with open(os.path.join(IMAGE, "systemd", name)) as f:
        return f.read()


@pytest.fixture(params=["by hand", "deb"])
def units(tmp, request):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    folder = os.path.join(IMAGE, "systemd")
    if request.param == "deb":
        made("dpkg-deb", "-x", deb(os.path.join(tmp, "proxy.deb")), tmp)
        folder = os.path.join(tmp, "lib/systemd/system")
    for name in ("proxy.service", "proxy.socket"):
        with open(os.path.join(folder, name)) as f, open(os.path.join(tmp, name), "w") as to:
            to.write(f.read().replace("/usr/bin/proxy", BIN))
    return tmp


def test_systemd_takes_the_units(units):
    r = sh("systemd-analyze", "verify", os.path.join(units, "proxy.service"), os.path.join(units, "proxy.socket"))
    assert r.returncode == 0 and "proxy" not in r.stderr, r.stderr


def test_the_service_may_do_little(units):
    """By systemd's own measure; its step from "OK" to "medium" is at 5."""
    r = sh("systemd-analyze", "security", "--offline=yes", os.path.join(units, "proxy.service"))
    assert float(re.search(r"exposure level for proxy.service: ([\d.]+)", r.stdout).group(1)) < 2.5, r.stdout


def system_call_group(name):
    """The calls of a group of systemd's and of the groups in it."""
    calls = set()
    for word in made("systemd-analyze", "--no-pager", "syscall-filter", name).split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            calls |= system_call_group(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def test_systemd_allows_what_the_binary_allows_itself():
    """Its own list of system calls, and those with which it confines itself to a part of the files."""
    [line] = re.findall(r"^SystemCallFilter=(.*)$", unit("proxy.service"), re.M)
    landlock = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
    allowed = set(line.split())
    assert landlock <= allowed
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for group in {w for w in allowed if w.startswith("@")}:
        allowed |= system_call_group(group)
    with open(os.path.join(ROOT, "admin", "seccomp.c")) as f:
        [table] = re.findall(r"^static const uint32_t ALLOWED\[\] = \{(.*?)^\};", f.read(), re.M | re.S)
    own = set(re.findall(r"^ *SYS_(\w+),$", table, re.M))
    assert len(own) > 100
    # musl's own names for the older of two calls that tell time.
    assert {re.sub(r"(_time|(?<=gettime))32$", "", name) for name in own} <= allowed


def test_unit_starts_what_the_binary_takes(tmp):
    [line] = re.findall(r"^ExecStart=(.*)$", unit("proxy.service"), re.M)
    program, *argv = line.split()
    conf = os.path.join(tmp, "proxy.conf")
    shutil.copy(os.path.join(IMAGE, "debian", "proxy.conf"), conf)
    with open(conf) as f:
        text = re.sub(r"(?m)^user .*$", "user root" if os.geteuid() == 0 else "", f.read())
    with open(conf, "w") as f:
        f.write(text)
    r = run("--validate", *[conf if a == "/etc/proxy.conf" else a for a in argv], asan=False)
    assert program == "/usr/bin/proxy" and r.returncode == 0, r.stderr
    # The socket's ports are those that the configuration listens on.
    assert sorted(re.findall(r"^HTTPS? on \[::\]:(\d+)$", r.stdout, re.M)) == sorted(
        re.findall(r"^ListenStream=(\d+)$", unit("proxy.socket"), re.M))


def test_socket_activation_by_systemd_itself(tmp):
    """The first connection starts it, and is answered."""
    if not shutil.which("systemd-socket-activate"):
        pytest.skip("systemd-socket-activate is not installed")
    port = free_port()
    argv = ["systemd-socket-activate", "-l", "127.0.0.1:%d" % port, BIN, "--listen", "127.0.0.1:%d" % port, "--admin", "off",
            "--state", os.path.join(tmp, "state"), "--demo"]
    with open(os.path.join(tmp, "out"), "wb") as out:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(None))
    try:
        until(lambda: is_listening(port), 10, "systemd listening")
        text = made("curl", "-sk", "--max-time", "20", "https://127.0.0.1:%d/" % port)
        assert "TLS" in text, open(os.path.join(tmp, "out")).read()
    finally:
        p.terminate()
        p.wait(40)


# --- OpenWrt ---

RC_COMMON = """
procd_open_instance() { :; }
procd_close_instance() { :; }
procd_set_param() { for w in "$@"; do printf '%s\\n' "$w"; done; echo; }
"""


def params():
    init = os.path.join(IMAGE, "openwrt", "files", "proxy.init")
    text = made("sh", "-euc", RC_COMMON + '. "$1"; start_service; echo "$USE_PROCD $START" >&2', "sh", init)
    return {p.split("\n")[0]: p.split("\n")[1:] for p in text.strip().split("\n\n")}


def test_openwrt_starts_what_the_binary_takes():
    p = params()
    program, *argv = p["command"]
    conf = os.path.join(IMAGE, "openwrt", "files", "proxy.conf")
    assert p["file"] == ["/etc/proxy.conf"] and p["reload_signal"] == ["HUP"] and "stdout" in p
    r = run("--validate", *[conf if a == "/etc/proxy.conf" else a for a in argv], asan=False)
    assert program == "/usr/sbin/proxy" and r.returncode == 0, r.stderr
    with open(os.path.join(IMAGE, "openwrt", "Makefile")) as f:
        text = f.read()
    for path in (program, "/etc/init.d/proxy", "/etc/proxy.conf"):
        assert "$(1)" + path in text
    with open(os.path.join(ROOT, "VERSION")) as f:
        assert "PKG_VERSION:=" + f.read().strip() + "\n" in text


def test_openwrt_makefile_parses(tmp):
    """By make, with the parts of an SDK that it asks for in stubs: it installs what the package should have."""
    sdk, package = os.path.join(tmp, "sdk"), os.path.join(tmp, "package")
    shutil.copytree(os.path.join(IMAGE, "openwrt"), package)
    shutil.copy(BIN, os.path.join(package, "files", "proxy"))
    os.makedirs(os.path.join(sdk, "include"))
    with open(os.path.join(sdk, "rules.mk"), "w") as f:
        f.write("INCLUDE_DIR:=$(TOPDIR)/include\nINSTALL_DIR:=install -d\nINSTALL_BIN:=install -m 755\nINSTALL_CONF:=install -m 600\n")
    with open(os.path.join(sdk, "include", "package.mk"), "w") as f:
        f.write("define BuildPackage\nall:\n\t$(Build/Prepare)\n\t$(call Package/$(1)/install,%s/out)\nendef\n" % tmp)
    made("make", "-C", package, "TOPDIR=" + sdk)
    found = {os.path.join(d, f)[len(tmp) + 4:] for d, _, names in os.walk(os.path.join(tmp, "out")) for f in names}
    assert found == {"/usr/sbin/proxy", "/etc/init.d/proxy", "/etc/proxy.conf"}


# --- unikernels ---


def bootcmd(name):
    with open(os.path.join(IMAGE, name)) as f:
        text = f.read()
    if name.endswith("Kraftfile"):
        return yaml.safe_load(text)["cmd"]
    return shlex.split(yaml.safe_load(text)["config_set"]["default"]["bootcmd"])


@pytest.mark.parametrize("name", ["unikraft/Kraftfile", "osv/meta/run.yaml"])
def test_unikernels_start_what_the_binary_takes(name):
    """And what they need: no socket of a kind that they lack, and a way to stop without signals."""
    program, *argv = bootcmd(name)
    r = run("--validate", *argv, asan=False)
    assert program == "/proxy" and r.returncode == 0, r.stderr
    assert "example.com -> 10.0.0.2:8080" in r.stdout and "0.0.0.0:443" in r.stdout
    assert argv[argv.index("--admin") + 1].startswith("0.0.0.0:2019 "), "no other process is there to reach loopback"
