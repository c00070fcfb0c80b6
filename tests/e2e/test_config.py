# SPDX-License-Identifier: MIT
"""The command line and the file: what is accepted, and in which words the rest is refused."""
import hashlib
import json
import os
import re
import socket
import subprocess

import pytest

from ports import free_port
from proxy import BIN_ASAN, ROOT, binary, is_listening, run
from upstreams import echo, reply
from waiting import until

DIRECTIVES = """listen listen-http state user confine admin log log-level trusted-proxies max-connections
max-connections-per-address max-memory max-tls12-connections session-cache shutdown-timeout handshake-timeout header-timeout body-timeout
response-timeout idle-timeout connect-timeout upstream-idle-timeout max-request-line max-header-size max-header-fields
max-body min-rate tls-min ticket-rotation ticket-keys email ca ca-roots profile preferred-chain external-account staging client fallback""".split()
IN_SITES = "acme site upstream tls path redirect respond header request-header".split()
NO_FILE = {"HOME": "/nonexistent", "XDG_STATE_HOME": None}


def validate(tmp, text, *args, env=None):
    path = os.path.join(tmp, "t.conf")
    with open(path, "w") as f:
        f.write(text)
    return run("--config", path, "--validate", *args, env=env)


def valid(tmp, text, *args, env=None):
    r = validate(tmp, "state %s\n%s" % (tmp, text), *args, env=env)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def invalid(tmp, text, *args, env=None):
    r = validate(tmp, text, *args, env=env)
    assert r.returncode == 1, "accepted: %s" % r.stdout
    assert "t.conf:" in r.stderr
    return r.stderr


# --- options ---


def test_help():
    r = run("--help")
    assert r.returncode == 0 and r.stderr == ""
    for o in ("--config", "--validate", "--version", "--help", "--help-config", "--health", "--bench-crypto", "--listen", "--backend",
              "--cert", "--key", "--state", "--log"):
        assert o in r.stdout, o
    assert max(map(len, r.stdout.splitlines())) <= 100


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_every_global_directive_is_an_option_in_help(directive):
    assert re.search(r"--%s\b" % directive, run("--help").stdout)


@pytest.mark.parametrize("directive", DIRECTIVES + IN_SITES)
def test_every_directive_is_in_help_config(directive):
    r = run("--help-config")
    assert r.returncode == 0 and re.search(r"^\s*%s\b" % directive, r.stdout, re.M)


def test_help_config_is_the_grammar_of_the_example():
    """Each directive that --help-config names is in proxy.conf, at least in a comment, and the other way round."""
    known = set(re.findall(r"^\s{0,8}([a-z][a-z0-9-]+)\b", run("--help-config").stdout, re.M))
    with open(os.path.join(ROOT, "proxy.conf")) as f:
        example = f.read()
    missing = [d for d in DIRECTIVES + IN_SITES if not re.search(r"^\s*#?\s*%s\b" % d, example, re.M)]
    assert not missing, "proxy.conf does not show %s" % missing
    assert set(DIRECTIVES + IN_SITES) <= known


def test_example_is_valid():
    r = run("--config", os.path.join(ROOT, "proxy.conf"), "--validate", env={
        "PROXY_EXAMPLE": "x"}, cwd=ROOT)
    assert r.returncode == 0, r.stdout + r.stderr


def test_bench_crypto():
    """A line for each primitive, with both rates and what one is of the other."""
    r = run("--bench-crypto")
    assert r.returncode == 0 and r.stderr == ""
    lines = r.stdout.splitlines()
    assert lines[0].split() == ["proxy", "BearSSL"]
    for name in "ECDSA P-256 sign", "X25519 ", "RSA-2048 sign", "SHA-256", "AES-128-GCM, 16 KiB", "ChaCha20-Poly1305":
        assert any(re.match(r"%s.* [\d.]+( GB)?/s +[\d.]+( GB)?/s +[\d.]+ x$" % re.escape(name), x)
                   for x in lines[1:]), r.stdout


def test_version():
    r = run("--version")
    assert r.returncode == 0
    assert re.match(r"proxy \d+\.\d+", r.stdout)
    for name in ("BearSSL 0.6", "c-ares 1.18", "jsmn 1.1", "musl", "MIT", "ca-certificates 20", "MPL"):
        assert name in r.stdout


@pytest.mark.parametrize("args, said", [
    (["--nonsense"], "--nonsense"), (["--lisen", "127.0.0.1:1"], "--listen"), (["--listen"], "--listen"),
    (["--config"], "--config"), (["--config", "/nonexistent/proxy.conf"], "/nonexistent/proxy.conf"),
    (["-x"], "-x"), (["--validate", "--help=3"], "--help"), (["a=b=c"], "b=c"), (["127.0.0.1:99999"], "99999"),
    (["--listen", "127.0.0.1:http", "127.0.0.1:1"], "http"), (["--cert", "a.pem", "127.0.0.1:80"], "key")])
def test_bad_usage(args, said):
    r = run(*args, env=NO_FILE)
    assert r.returncode in (1, 2) and said in r.stderr and r.stdout == ""
    assert len(r.stderr.splitlines()) <= 4


def test_option_with_equals_sign(tmp):
    out = valid(tmp, "site a.test { respond 200 x }", "--listen=127.0.0.1:1234")
    assert "1234" in out


def test_options_win_over_the_file(tmp):
    out = valid(tmp, "listen 127.0.0.1:1111\nsite a.test { respond 200 x }", "--listen", "127.0.0.1:2222")
    assert "2222" in out and "1111" not in out


# --- one-liners ---


def test_demo_in_front_of_a_service(proxy, upstream, tmp):
    u = upstream(echo)
    a, b = free_port(), free_port()
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % a, "--listen-http", "127.0.0.1:%d" % b,
                                    "--state", tmp, "--shutdown-timeout", "2s", "--admin", "off", u.address, *plain()])
    until(lambda: p.listens(a), 20, "listening")
    p.port, p.http_port = a, b
    assert p.get().status == 200 and u.last.get("X-Forwarded-Proto") == "https"
    assert p.get("/x", tls=False).get("Location") == "https://localhost:%d/x" % a
    out = p.wait_log("curl -k").string
    assert "https://localhost:%d" % a in out
    assert re.search(r"([0-9A-Fa-f]{2}:?){32}", out)


def test_banner_fingerprint(proxy, upstream, tmp):
    u = upstream(echo)
    a = free_port()
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % a, "--state", tmp, "--shutdown-timeout", "2s",
                                    "--admin", "off", u.address, *plain()])
    until(lambda: p.listens(a), 20, "listening")
    p.port = a
    want = hashlib.sha256(p.connect().tls.getpeercert(True)).hexdigest()
    shown = re.search(r"(?:[0-9A-Fa-f]{2}:?){32}", p.wait_log("curl -k").string).group(0)
    assert shown.replace(":", "").lower() == want


@pytest.mark.full  # a Unix socket, though none is named
def test_control_socket_in_a_state_folder_that_was_not_there(proxy, authority, tmp):
    cert, key = authority.leaf("localhost")
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % free_port(), "--backend", "127.0.0.1:1", "--cert", cert,
                                    "--key", key, "--state", os.path.join(tmp, "a", "b"), *plain()])
    p.wait_log("started")
    p.control = os.path.join(tmp, "a", "b", "control.sock")
    assert p.admin("status")["ok"] is True


def test_the_banner_is_json_in_a_log_of_json(proxy, upstream, tmp):
    u = upstream(echo)
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % free_port(), "--state", tmp, "--log", "json",
                                    "--admin", "off", u.address, *plain()])
    p.wait_log("started")
    lines = [json.loads(line)["msg"] for line in p.out().splitlines()]
    assert any(re.search(r"https://localhost:\d+.*(?:[0-9A-F]{2}:){31}", line) for line in lines)


def plain():
    """What the sanitised build needs on the command line; see Proxy."""
    if binary() != BIN_ASAN:
        return []
    return ["--confine", "off"] + (["--user", "root"] if os.geteuid() == 0 else [])


def test_sites_from_the_command_line(proxy, upstream, tmp):
    a, b = upstream(reply(b"A")), upstream(reply(b"B"))
    port = free_port()
    p = proxy(None, tls=False, args=["--listen", "127.0.0.1:%d" % port, "--state", tmp, "--admin", "off",
                                    "--shutdown-timeout", "2s", "a.test=" + a.address, "b.test=" + b.address, *plain()])
    until(lambda: p.listens(port), 20, "listening")
    p.port = port
    for name, body in (("a.test", b"A"), ("b.test", b"B")):
        assert p.get(sni=name, host=name).body == body


def test_listen_backend_cert_key(proxy, upstream, authority, tmp):
    u = upstream(echo)
    cert, key = authority.leaf("localhost")
    port = free_port()
    p = proxy(None, tls=False, args=["--listen", "0.0.0.0:%d" % port, "--backend", u.address, "--cert", cert, "--key",
                                    key, "--admin", "off", "--state", tmp, *plain()])
    until(lambda: p.listens(port), 20, "listening")
    r = subprocess.run(["curl", "-q", "-sS", "--cacert", authority.root[0], "--resolve", "localhost:%d:127.0.0.1" % port,
                        "https://localhost:%d/x" % port], capture_output=True, text=True, timeout=20)
    assert '"target": "/x"' in r.stdout, r.stderr


def test_no_argument_is_the_demo(proxy, tmp):
    if is_listening(8443) or is_listening(8080):
        pytest.skip("ports 8443 and 8080 are in use here")
    if os.path.exists("/etc/proxy.conf") or os.path.exists("/proxy.conf"):
        pytest.skip("there is a configuration on this machine")
    os.chmod(tmp, 0o777)
    p = proxy(None, tls=False, args=["--state", tmp, "--admin", "off", *plain()], cwd=tmp)
    until(lambda: p.listens(8443) and p.listens(8080), 20, "listening")
    p.port, p.http_port = 8443, 8080
    r = p.get("/some/path?q", fields=[("X-Mine", "<b>&")])
    assert r.status == 200 and "text/html" in r.get("Content-Type")
    for shown in ("/some/path?q", "X-Forwarded-For", "TLSv1.3", "TLS_", "localhost", "&lt;b&gt;&amp;"):
        assert shown in r.text, shown
    assert "<b>&" not in r.text
    assert p.get("/a?b", tls=False, host="localhost:8080").get("Location") == "https://localhost:8443/a?b"


def test_demo_of_a_service_on_the_redirects_port(proxy, tmp):
    """The redirect is not worth a demo: a service on port 8080 is the one that people have."""
    if is_listening(8443) or is_listening(8080):
        pytest.skip("ports 8443 and 8080 are in use here")
    with socket.create_server(("127.0.0.1", 8080)):
        os.chmod(tmp, 0o777)
        p = proxy(None, tls=False, args=["127.0.0.1:8080", "--state", tmp, "--admin", "off", *plain()], cwd=tmp)
        p.wait_log("no redirect to HTTPS: port 8080 is in use")
        until(lambda: p.listens(8443), 20, "listening")
        p.wait_log("started")
        assert "HTTP on" not in p.out() and "redirects there" not in p.out()


def test_configuration_in_the_current_folder(proxy, tmp):
    if os.path.exists("/etc/proxy.conf"):
        pytest.skip("there is a configuration on this machine")
    port = free_port()
    with open(os.path.join(tmp, "proxy.conf"), "w") as f:
        f.write("listen 127.0.0.1:%d\nstate %s\nadmin off\nsite localhost { tls self-signed\n respond 200 found }\n" % (
            port, tmp))
    p = proxy(None, tls=False, args=plain(), cwd=tmp)
    until(lambda: p.listens(port), 20, "listening")
    p.port = port
    assert p.get().body == b"found"


# --- validate ---


def test_validate_says_what_would_be_served(tmp):
    out = valid(tmp, "listen 127.0.0.1:1443\nlisten-http 127.0.0.1:1080\n"
                     "site a.test b.test { tls self-signed\n upstream app:8080\n path /x { respond 410 no } }")
    for said in ("a.test", "b.test", "app:8080", "/x", "1443", "1080"):
        assert said in out


def test_validate_binds_and_writes_nothing(tmp, upstream):
    u = upstream(echo)
    valid(tmp, "listen 127.0.0.1:%d\nsite a.test { tls self-signed\n respond 200 x }" % u.port)
    assert sorted(os.listdir(tmp)) == ["t.conf"]


def test_validate_knows_that_a_user_is_missing():
    r = run("--validate", "--user", "no-such-user-here", "a.test=127.0.0.1:1")
    assert r.returncode == 1 and "no-such-user-here" in r.stderr


GOOD = {
    "empty site": "site a.test { respond 200 x }",
    "comments and blanks": "# one\n\n  site a.test { # two\n respond 200 x # three\n }\n\n",
    "semicolons": "site a.test { tls self-signed; respond 200 x; }",
    "one line": "site a.test { upstream app:80 }",
    "quotes": 'site a.test { respond 200 "a b # { } ; \\" \\\\ c" }',
    "wildcard": "site *.a.test { respond 200 x }",
    "ip sites": "site 127.0.0.1 [::1] { tls self-signed\n respond 200 x }",
    "ipv6 upstream": "site a.test { upstream [::1]:8080 }",
    "unix upstream": "site a.test { upstream unix:/run/app.sock }",
    "several upstreams": "site a.test { upstream 127.0.0.1:1 app:2 unix:/x }",
    "crlf": "site a.test {\r\n respond 200 x\r\n}\r\n",
    "tabs": "site\ta.test\t{\n\trespond\t200\tx\n}",
    "limits": "max-body 10m\nmax-header-size 16k\nidle-timeout 5m\nmin-rate 100 5s\nsite a.test { respond 200 x }",
    "site limits": "site a.test { respond 200 x\n idle-timeout 1s\n max-body 1k\n min-rate off }",
    "cidrs": "trusted-proxies 10.0.0.0/8 192.0.2.1 2001:db8::/32\nsite a.test { respond 200 x }",
    "redirects": "site a.test { redirect 301 https://b.test{uri} }",
    "headers": "site a.test { respond 200 x\n header set X-A b\n header add X-A c\n header remove Server\n"
               " request-header set X-B c }",
}


@pytest.mark.parametrize("what", GOOD)
def test_good(tmp, what):
    valid(tmp, GOOD[what])


# What is wrong -> text, place of the error, words that must be in it.
WRONG = {
    "unknown directive": ("sit a.test { respond 200 x }", "1:1", ["sit", "site"]),
    "unknown in a site": ("site a.test {\n  upstraem app:80\n}", "2:3", ["upstraem", "upstream"]),
    "port": ("site a.test {\n  upstream app:99999\n}", "2:12", ["upstream", "99999", "1 and 65535"]),
    "port 0": ("site a.test {\n  upstream app:0\n}", "2:12", ["upstream"]),
    "no port": ("site a.test {\n  upstream app\n}", "2:12", ["upstream", "port"]),
    "no argument": ("site a.test {\n  upstream\n}", "2:3", ["upstream"]),
    "too many arguments": ("state /a /b\nsite a.test { respond 200 x }", "1:10", ["state"]),
    "status": ("site a.test {\n  respond 99 x\n}", "2:11", ["respond", "99"]),
    "bad time": ("idle-timeout 5 parsecs\nsite a.test { respond 200 x }", "1:", ["idle-timeout"]),
    "bad time unit": ("idle-timeout 5y\nsite a.test { respond 200 x }", "1:14", ["idle-timeout", "5y"]),
    "negative": ("max-connections -1\nsite a.test { respond 200 x }", "1:17", ["max-connections"]),
    "huge": ("max-body 99999999999999999999999\nsite a.test { respond 200 x }", "1:10", ["max-body"]),
    "log format": ("log xml\nsite a.test { respond 200 x }", "1:5", ["log", "json", "combined"]),
    "on or off": ("confine maybe\nsite a.test { respond 200 x }", "1:9", ["confine", "on", "off"]),
    "cidr": ("trusted-proxies 10.0.0.0/33\nsite a.test { respond 200 x }", "1:17", ["trusted-proxies", "33"]),
    "listen": ("listen 127.0.0.1\nsite a.test { respond 200 x }", "1:8", ["listen"]),
    "listen on a name": ("listen example.com:443\nsite a.test { respond 200 x }", "1:8", ["listen"]),
    "unclosed block": ("site a.test {\n  respond 200 x\n", "", ["}"]),
    "closed too often": ("site a.test { respond 200 x }\n}\n", "2:1", ["}"]),
    "unclosed quote": ("site a.test {\n  respond 200 \"x\n}\n", "2:15", ["quot"]),
    "no block": ("site a.test\n", "1:", ["site", "{"]),
    "nothing to do": ("site a.test { tls self-signed }", "1:", ["upstream"]),
    "two actions": ("site a.test {\n upstream app:80\n redirect https://b.test\n}", "3:2", ["redirect"]),
    "same site twice": ("site a.test { respond 200 x }\nsite a.test { respond 200 y }", "2:6", ["a.test"]),
    "same path twice": ("site a.test {\n upstream a:1\n path /x { upstream b:1 }\n path /x { upstream c:1 }\n}", "4:",
                        ["/x"]),
    "path without slash": ("site a.test {\n respond 200 x\n path x { respond 200 y }\n}", "3:7", ["path"]),
    "cert without key": ("site a.test {\n tls cert /a.pem\n respond 200 x\n}", "2:", ["key"]),
    "tls word": ("site a.test {\n tls maybe\n respond 200 x\n}", "2:6", ["tls", "self-signed"]),
    "bad site name": ("site a..test { respond 200 x }", "1:6", ["a..test"]),
    "wildcard in the middle": ("site a.*.test { respond 200 x }", "1:6", ["a.*.test"]),
    "header verb": ("site a.test {\n respond 200 x\n header put A b\n}", "3:9", ["header", "set"]),
    "header name": ("site a.test {\n respond 200 x\n header set \"A B\" b\n}", "3:13", ["header"]),
    "header value with CRLF": ("site a.test {\n respond 200 x\n header set A \"b\\r\\nC: d\"\n}", "3:", []),
    "framing header": ("site a.test {\n respond 200 x\n header set Content-Length 5\n}", "3:13", ["Content-Length"]),
    "site inside a site": ("site a.test {\n site b.test { respond 200 x }\n}", "2:2", ["site"]),
    # They act before the site is known.
    **{"%s in a site" % d: ("site a.test {\n respond 200 x\n %s %s\n}" % (d, v), "3:2", [d, "belongs at the top of the file"])
       for d, v in (("header-timeout", "1s"), ("max-request-line", "1k"), ("max-header-size", "1k"),
                    ("max-header-fields", "10"))},
    "global in a site": ("site a.test {\n respond 200 x\n state /x\n}", "3:2", ["state"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong(tmp, what):
    text, place, words = WRONG[what]
    err = invalid(tmp, text)
    assert "t.conf:%s" % place in err, err
    for w in words:
        assert w in err, err
    assert re.search(r"t\.conf:\d+:\d+: \S+", err)


def test_all_errors_in_one_run(tmp):
    err = invalid(tmp, "stat /x\nlog xml\nsite a.test {\n  upstream app:99999\n  respnd 200 x\n}\n"
                       "site b.test { upstream }\n")
    for place in ("1:1", "2:5", "4:12", "5:3", "7:15"):
        assert "t.conf:%s: " % place in err, (place, err)


def test_errors_are_in_the_order_of_the_file(tmp):
    err = invalid(tmp, "\n".join("nonsense%d x" % i for i in range(20)))
    lines = [int(x) for x in re.findall(r"t\.conf:(\d+):", err)]
    assert lines == sorted(lines) and len(lines) >= 20


def test_control_bytes_in_a_file_are_not_echoed(tmp):
    err = invalid(tmp, "site a.test { \x1b[31mred x }")
    assert "\x1b" not in err


def test_nul_in_a_file(tmp):
    invalid(tmp, "site a.test { respond 200 \0 }")


def test_empty_file(tmp):
    r = validate(tmp, "")
    assert r.returncode in (0, 1) and "Sanitizer" not in r.stderr


def test_folder_as_file(tmp):
    r = run("--config", tmp, "--validate")
    assert r.returncode == 1 and "directory" in r.stderr


# --- environment ---


def test_environment(tmp):
    assert "app:8080" in valid(tmp, "site ${NAME}.test { upstream ${UP} }", env={"NAME": "a", "UP": "app:8080"})


def test_unset_environment(tmp):
    err = invalid(tmp, "site a.test {\n  upstream ${NOT_SET_HERE}\n}", env={"NOT_SET_HERE": None})
    assert "t.conf:2:12: " in err and "NOT_SET_HERE" in err


def test_environment_cannot_bring_directives(tmp):
    err = invalid(tmp, "site a.test {\n  upstream ${X}\n}", env={"X": "app:80\n  respond 200 x"})
    assert "t.conf:2:12: " in err


# --- ports ---


def test_port_in_use(proxy, upstream):
    u = upstream(echo)
    p = proxy("site a.test { tls self-signed\n respond 200 x }", tls=False, globals="listen 127.0.0.1:%d" % u.port,
              wait=False)
    p.expect_status = 1
    assert p.wait() == 1
    err = p.err()
    assert re.search(r"proxy\.conf:\d+:\d+: listen: .*port %d" % u.port, err)
    assert "pid" in err or str(os.getpid()) in err or "python" in err  # /proc tells who has it


def test_no_right_to_bind(proxy):
    if os.geteuid() != 0:
        pytest.skip("only root can give rights up for this")
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        if int(f.read()) <= 443:
            pytest.skip("every port is free for all here")
    p = proxy("site a.test { tls self-signed\n respond 200 x }", tls=False, globals="listen 127.0.0.1:443", wait=False,
              prefix=("setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service",
                      "--no-new-privs"))
    p.expect_status = 1
    assert p.wait() == 1
    for said in ("443", "cap_net_bind_service", "ip_unprivileged_port_start"):
        assert said in p.err().lower()


def test_address_not_here(proxy):
    p = proxy("site a.test { tls self-signed\n respond 200 x }", tls=False, globals="listen 203.0.113.1:%d" % free_port(),
              wait=False)
    p.expect_status = 1
    assert p.wait() == 1 and "203.0.113.1" in p.err()


def test_second_instance(proxy):
    p = proxy("site a.test { tls self-signed\n respond 200 x }")
    q = proxy("site a.test { tls self-signed\n respond 200 x }", tls=False, globals="listen 127.0.0.1:%d" % p.port,
              wait=False)
    q.expect_status = 1
    assert q.wait() == 1
    assert "proxy" in q.err() and str(p.port) in q.err()
    with socket.create_connection(("127.0.0.1", p.port), 5):
        pass
    assert p.get(sni="a.test", host="a.test").status == 200


def test_state_folder_that_cannot_be_written(proxy):
    p = proxy("site a.test { tls self-signed\n respond 200 x }", globals="state /proc/nonexistent", wait=False)
    p.expect_status = None
    until(lambda: not p.alive() or is_listening(p.port), 10, "an end or a start")
    if not p.alive():
        assert "/proc/nonexistent" in p.err()


@pytest.mark.parametrize("words, place", [("profile shortlived", "1:22"), ("preferred-chain \"ISRG Root X1\"", "1:22")])
def test_what_uacme_has_no_word_for(tmp, words, place):
    """It would be left out, and nobody would know."""
    conf = "acme { client uacme; %s }\nsite localhost { respond 200 }" % words
    said = invalid(tmp, conf)
    assert "t.conf:%s: %s: uacme cannot ask for it; leave it out, or write client builtin" % (place, words.split()[0]) in said
    valid(tmp, conf.replace("uacme", "builtin"))
    valid(tmp, conf, "--client", "builtin")
    r = validate(tmp, "state %s\nacme { client uacme }\nsite localhost { respond 200 }" % tmp, "--" + words.split()[0], "x")
    assert r.returncode == 1 and "%s: uacme cannot" % words.split()[0] in r.stderr
