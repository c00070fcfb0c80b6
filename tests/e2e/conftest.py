# SPDX-License-Identifier: MIT
"""The fixtures: a proxy, upstreams, certificates, nginx. Each owns what it starts and ends it, and a test in which
the proxy crashed, leaked or did not end fails, whatever the test itself has seen."""
import os
import shutil
import subprocess

import pytest

from acme_ca import SITE, UACME, Pebble, SmallCA
from between import Between
from certificates import EC, P384, P521, RSA, Authority
from ports import free_port
from proxy import BIN, EMULATED, UNIKERNEL, Proxy, folder, is_listening
from rawhttp import VERSIONS
from upstreams import Upstream
from waiting import until

ALL = bool(os.environ.get("PROXY_TEST_ALL"))


def pytest_configure(config):
    config.addinivalue_line("markers", "full: needs what a unikernel does not have: IPv6, many sockets, users, errors by name")
    config.addinivalue_line("markers", "long: runs with PROXY_TEST_ALL=1 alone")
    config.addinivalue_line("markers", "native: needs what a process under QEMU does not have, or its speed")
    config.addinivalue_line("markers", "real: runs the binary that ships, not the sanitised one")


def pytest_collection_modifyitems(config, items):
    skipped = {}
    if EMULATED:
        skipped["native"] = "native: not under QEMU"
    if UNIKERNEL:
        skipped["full"] = "full: not on a unikernel"
    if not ALL:
        skipped["long"] = "long: PROXY_TEST_ALL=1 runs it"
    for item in items:
        for mark, reason in skipped.items():
            # The driver of uacme has it start the proxy's own file, which the kernel cannot.
            uacme = "uacme" in item.name or "by_uacme" in item.fixturenames
            if item.get_closest_marker(mark) or mark == "native" and uacme:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(params=list(VERSIONS))
def version(request):
    """Each version of TLS, by its name in rawhttp.VERSIONS."""
    return request.param


@pytest.fixture
def proxy(request):
    """proxy("site localhost { upstream ... }") starts one; see Proxy for what else it takes."""
    started = []
    real = request.node.get_closest_marker("real") is not None

    def start(conf=None, **kw):
        if not os.access(BIN, os.X_OK):
            pytest.fail("%s is not there: ./build.sh builds it, PROXY_BIN names another" % BIN, pytrace=False)
        if real:
            kw.setdefault("asan", False)
        # Known before it starts, so that one that fails to start is cleaned up too.
        p = Proxy(conf, **dict(kw, wait=None))
        started.append(p)
        wait = kw.get("wait", True)
        return p.start(wait) if wait is not None else p

    yield start
    wrong = [w for w in [p.finish() for p in started] if w]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture
def upstream():
    """upstream(answer) or upstream(script=...): see Upstream."""
    started = []

    def start(*args, **kw):
        u = Upstream(*args, **kw)
        started.append(u)
        return u

    yield start
    for u in started:
        u.close()
    errors = [str(e) for u in started for e in u.errors]
    assert not errors, "at the upstream: %s" % errors


@pytest.fixture
def site(proxy, upstream):
    """site(answer=..., script=..., extra="directives") is a proxy with one site and its upstream: (proxy, upstream)."""
    def start(answer=None, script=None, extra="", name="localhost", **kw):
        u = upstream(answer, script)
        p = proxy("site %s {\n    tls self-signed\n    upstream %s\n    %s\n}" % (name, u.address, extra), **kw)
        return p, u
    return start


@pytest.fixture
def tmp():
    """A temporary folder that is open to all users."""
    path = folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def authority():
    """A CA made for this run."""
    path = folder()
    yield Authority(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def sites(authority):
    """A proxy with a site for each kind of key: ec.test (P-256), p384.test, p521.test, rsa.test. Each answers with its
    name."""
    text = ""
    for name, algorithm in (("ec", EC), ("p384", P384), ("p521", P521), ("rsa", RSA)):
        text += "site %s.test { tls cert %s key %s\n respond 200 %s }\n" % (
            (name,) + authority.leaf(name + ".test", algorithm=algorithm) + (name,))
    p = Proxy(text)
    yield p
    wrong = p.finish()
    if wrong:
        pytest.fail(wrong, pytrace=False)


@pytest.fixture
def between():
    """between(port, ...): see Between."""
    started = []

    def start(*args, **kw):
        b = Between(*args, **kw)
        started.append(b)
        return b

    yield start
    for b in started:
        b.close()


@pytest.fixture
def server(request):
    """server([argv], port): another program that serves, ended at the end."""
    started = []

    def start(argv, port, cwd=None, stdin=subprocess.DEVNULL):
        p = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)
        started.append(p)

        def ready():
            assert p.poll() is None, "%s ended: %s" % (argv[0], p.stdout.read().decode())
            return is_listening(port)
        until(ready, 20, "%s listening on port %d" % (argv[0], port))
        return p

    yield start
    for p in started:
        p.terminate()
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        p.stdout.close()
        if p.stdin:
            p.stdin.close()


@pytest.fixture
def nginx(server, tmp):
    """nginx("location / { ... }") on a port of its own, without a worker: the port and its folder."""
    def start(body, listen="", http=""):
        port = free_port()
        conf = os.path.join(tmp, "nginx.conf")
        with open(conf, "w") as f:
            f.write("""
daemon off; master_process off; pid %(d)s/nginx.pid; error_log stderr error;
events { worker_connections 512; }
http {
    access_log off; client_body_temp_path %(d)s/body; proxy_temp_path %(d)s/proxy; fastcgi_temp_path %(d)s/f;
    uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s; client_max_body_size 0; default_type text/plain;
    %(http)s
    server { listen 127.0.0.1:%(port)d %(listen)s; root %(d)s; %(body)s }
}""" % {"d": tmp, "port": port, "body": body, "listen": listen, "http": http})
        server([shutil.which("nginx") or "/usr/sbin/nginx", "-p", tmp, "-e", "stderr", "-c", conf], port)
        return port, tmp
    return start


@pytest.fixture
def ca(proxy, authority, tmp):
    """ca(sites, ...): (pebble, proxy), the proxy not started yet unless start is left true."""
    started = []

    def make(sites=SITE, start=True, acme="", env=None, http_port=None, globals="", config=None, **kw):
        q = proxy(sites, http=True, wait=None, **kw)
        peb = Pebble(tmp, authority, http_port or q.http_port, env, **(config or {}))
        started.append(peb)
        q.preamble += peb.conf(acme) + "\n" + globals + "\n"
        q.write_conf(sites)
        if start:
            q.start()
        return peb, q

    yield make
    for peb in started:
        peb.close()


@pytest.fixture
def small(proxy, authority, tmp):
    """small(sites, ...): (authority, proxy); what the authority had to complain of fails the test."""
    started = []

    def make(sites=SITE, acme="", globals="", start=True, **kw):
        q = proxy(sites, http=True, wait=None)
        c = SmallCA(authority, tmp, q.http_port, **kw)
        started.append(c)
        q.preamble += c.conf(acme) + "\n" + globals + "\n"
        q.write_conf(sites)
        if start:
            q.start()
        return c, q

    yield make
    for c in started:
        c.close()
    assert not [x for c in started for x in c.complaints]


@pytest.fixture
def by_uacme(ca):
    """As ca, with client uacme. It trusts what the system trusts: so the authority's root stands there, for it alone."""
    if not shutil.which("uacme"):
        pytest.skip("uacme is not installed")
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs root, to show uacme another root certificate")

    def make(sites=SITE, start=True, acme="", **kw):
        pebble, p = ca(sites, start=False, acme=acme + "; " + UACME, **kw)
        p.argv = ["unshare", "-m", "sh", "-c",
                  "mount --bind %s /etc/ssl/certs/ca-certificates.crt && exec \"$@\"" % pebble.root, "sh"] + p.argv
        if start:
            p.start()
        return pebble, p

    return make
