# SPDX-License-Identifier: MIT
"""The program under test as a process: its ports, its folder, its log, and how it must end.

Proxy.start() returns once the program listens; that is read from /proc, since a connection made to find out would
show in the log and in the counts. finish() is the check that every test ends with: the process must still live,
must end by itself on SIGTERM with status 0, and must have had nothing to say to a sanitiser.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from ports import free_port
from rawhttp import Client, Ended, client_context
from waiting import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("PROXY_BIN", os.path.join(ROOT, "build", "proxy")))
UNIKERNEL = bool(os.environ.get("PROXY_TEST_UNIKERNEL"))  # BIN has the shim of tests/unikernel
BIN_ASAN = os.path.abspath(os.environ.get("PROXY_BIN_ASAN", os.path.join(ROOT, "build", "asan", "proxy")))

EMULATED = bool(os.environ.get("PROXY_TEST_EMULATED"))

# In any log these are failures, whatever else the test looks at.
TROUBLE = re.compile(r"runtime error:|ERROR: \w*Sanitizer|ERROR: LeakSanitizer|Assertion .* failed|"
                     r"SUMMARY: \w*Sanitizer|stack smashing|double free|Assertion failed")

ASAN_OPTIONS = "exitcode=99:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1"
UBSAN_OPTIONS = "print_stacktrace=1"

DEFAULTS = {"shutdown-timeout": "2s", "log": "text", "log-level": "debug"}


def folder():
    """A temporary folder that a user with no rights can enter too, as the proxy drops its own."""
    path = tempfile.mkdtemp(prefix="proxy-e2e-")
    os.chmod(path, 0o755)
    return path


def environment(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "LISTEN_", "PROXY_TEST_"))}
    env.setdefault("ASAN_OPTIONS", ASAN_OPTIONS)
    env.setdefault("UBSAN_OPTIONS", UBSAN_OPTIONS)
    for k, v in (extra or {}).items():
        if v is None:
            env.pop(k, None)
        else:
            env[k] = v
    return env


def run(*args, asan=None, env=None, timeout=20, cwd=None):
    """The program for one answer (--help, --validate): CompletedProcess with text."""
    return subprocess.run([binary(asan), *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=timeout, cwd=cwd,
                          env=environment(env))


def binary(asan=None):
    """asan: None for whichever is there, sanitised first; False for the one that ships."""
    if asan is not False and os.access(BIN_ASAN, os.X_OK):
        return BIN_ASAN
    return BIN


class Proxy:
    """conf: the text of the sites, to which the listeners and the rest are added unless it names them itself; None:
    no file, everything is in args. program: another file than the one under test."""

    def __init__(self, conf=None, args=(), asan=None, http=False, tls=True, globals="", env=None, prefix=(),
                 wait=True, admin=True, cwd=None, defaults=True, program=None):
        self.dir = folder()
        self.state = os.path.join(self.dir, "state")
        # A unikernel has no Unix sockets.
        self.control = ("127.0.0.1", free_port()) if UNIKERNEL else os.path.join(self.dir, "control.sock")
        if UNIKERNEL and any("unix:" in t for t in (conf or "", globals, *map(str, args))):
            pytest.skip("a unikernel has no Unix sockets")
        self.conf_path = os.path.join(self.dir, "proxy.conf")
        self.bin = program or binary(asan)
        self.is_asan = self.bin == BIN_ASAN
        self.port = free_port() if tls else None
        self.http_port = free_port() if http else None
        self.process = None
        self.clients = []
        self.expect_status = 0
        self.has_admin = admin and conf is not None and "admin " not in globals
        self._contexts = {}
        os.mkdir(self.state, 0o700)
        lines = []
        if conf is not None and defaults:
            said = {line.split()[0] for line in globals.splitlines() if line.strip()}
            if "listen" not in said and self.port:
                lines.append("listen 127.0.0.1:%d" % self.port)
            if "listen-http" not in said and self.http_port:
                lines.append("listen-http 127.0.0.1:%d" % self.http_port)
            if "state" not in said:
                lines.append("state " + self.state)
            if "admin" not in said:
                lines.append("admin " + ("off" if not admin else "%s:%d" % self.control if UNIKERNEL else "unix:" + self.control))
            for k, v in DEFAULTS.items():
                if k not in said:
                    lines.append("%s %s" % (k, v))
            if self.is_asan or EMULATED:
                # The leak check at the end needs what confinement takes away; and an emulator has little of it.
                if "confine" not in said:
                    lines.append("confine off")
                if "user" not in said and os.geteuid() == 0:
                    lines.append("user root")
        self.preamble = "\n".join(lines + [globals.strip(), ""])
        self.args = list(map(str, args))
        if conf is not None:
            self.write_conf(conf)
            self.args = ["--config", self.conf_path] + self.args
        self.argv = [*prefix, self.bin, *self.args]
        self.cwd = cwd
        self.env = environment(env)
        if wait is not None:
            self.start(wait)

    def write_conf(self, conf):
        """The sites anew, under the same globals; for a reload."""
        with open(self.conf_path + ".new", "w") as f:
            f.write(self.preamble + conf.replace("{DIR}", self.dir) + "\n")
        os.rename(self.conf_path + ".new", self.conf_path)

    def start(self, wait=True):
        with open(os.path.join(self.dir, "out"), "ab") as out, open(os.path.join(self.dir, "err"), "ab") as err:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            cwd=self.cwd, env=self.env, start_new_session=True)
        if wait:
            for port in (self.port, self.http_port):
                if port:
                    until(lambda p=port: self.listens(p), 20, "listening on port %d" % port)
            if self.has_admin:
                until(lambda: self.listens(self.control[1]) if UNIKERNEL else self.gone() or takes_connections(self.control),
                      20, "the control socket")
        return self

    def gone(self):
        if self.process.poll() is not None:
            raise AssertionError("the proxy ended with status %s:\n%s" % (self.process.returncode, self.tail()))
        return False

    def listens(self, port):
        self.gone()
        return is_listening(port)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    # --- log ---

    def _read(self, name):
        try:
            with open(os.path.join(self.dir, name), "rb") as f:
                return f.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def out(self):
        return self._read("out")

    def err(self):
        return self._read("err")

    def log(self):
        return self.out() + self.err()

    def tail(self):
        return self.log()[-6000:]

    def wait_log(self, pattern, timeout=5.0):
        """The match of a regular expression in the log, as soon as there is one."""
        rx = re.compile(pattern, re.M | re.I)
        try:
            return until(lambda: rx.search(self.log()), timeout, "a log line matching %r" % pattern)
        except AssertionError as e:
            raise AssertionError("%s; the log:\n%s" % (e, self.tail())) from None

    # --- clients ---

    def connect(self, tls=True, sni="localhost", port=None, context=None, host="127.0.0.1", **kw):
        """A raw connection: to the TLS port, or with tls=False to the plain one if there is one."""
        if port is None:
            port = self.port if tls or not self.http_port else self.http_port
        c = Client((host, port), context or (self.context() if tls else None), sni, **kw)
        self.clients.append(c)
        return c

    def context(self, **kw):
        key = repr(sorted(kw.items()))
        if key not in self._contexts:
            self._contexts[key] = client_context(**kw)
        return self._contexts[key]

    def get(self, target="/", fields=(), host="localhost", method="GET", body=b"", **kw):
        """One request on a connection of its own."""
        with self.connect(**kw) as c:
            return c.get(target, fields, host, method, body)

    def raw(self, request, method="GET", **kw):
        """Sends bytes; the response. Fails if the connection does not end after it when it says close."""
        with self.connect(**kw) as c:
            c.send(request)
            return c.response(method)

    def url(self, path="/", host="localhost", http=False):
        return "%s://%s:%d%s" % ("http" if http else "https", host, self.http_port if http else self.port, path)

    def curl(self, *args, path="/", http=False, host="localhost", timeout=20, check=True, text=True):
        """curl on that path; its standard output. {url} in args is replaced."""
        url = self.url(path, host, http)
        args = [a.replace("{url}", url) if isinstance(a, str) else a for a in args]
        if url not in args:
            args.append(url)
        port = self.http_port if http else self.port
        r = subprocess.run(["curl", "-q", "-sS", "-k", "-4", "--noproxy", "*", "--max-time", str(timeout),
                            "--resolve", "%s:%d:127.0.0.1" % (host, port), *args],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=timeout + 5)
        if check:
            assert r.returncode == 0, "curl ended with %d: %s\n%s" % (r.returncode, r.stderr.decode(), self.tail())
        r.out = r.stdout.decode("utf-8", "replace") if text else r.stdout
        r.error = r.stderr.decode("utf-8", "replace")
        return r

    # --- control ---

    def admin(self, line, timeout=10.0):
        """A line to the control socket, its JSON answer."""
        with Client(self.control, timeout=timeout) as c:
            c.send(line + "\n")
            return json.loads(c.until(b"\n"))

    def signal(self, number):
        if UNIKERNEL:
            pytest.skip("on a unikernel no signal arrives")
        os.kill(self.pid, number)

    def reload(self, conf=None):
        """By the control socket, so that it is over when this returns."""
        if conf is not None:
            self.write_conf(conf)
        return self.admin("reload")

    def memory(self, what="VmHWM"):
        """KiB, from /proc/PID/status."""
        with open("/proc/%d/status" % self.pid) as f:
            for line in f:
                if line.startswith(what + ":"):
                    return int(line.split()[1])
        raise KeyError(what)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    # --- the end ---

    def wait(self, timeout=10.0):
        """Until it has ended by itself; its status."""
        return self.process.wait(timeout)

    def finish(self):
        """Ends it. Returns what was wrong, or None."""
        wrong = []
        for c in self.clients:
            try:
                c.close()
            except OSError:
                pass
        if self.process is not None:
            if self.process.poll() is None:
                self._stop()
                try:
                    self.process.wait(20)
                except subprocess.TimeoutExpired:
                    wrong.append("it did not end within 20 s of SIGTERM")
                    self.process.kill()
                    self.process.wait()
            status = self.process.returncode
            if UNIKERNEL and status == -signal.SIGTERM:
                status = self.expect_status # that is how such a machine is switched off
            if not wrong and self.expect_status is not None and status != self.expect_status:
                wrong.append("it ended with status %d, not %d" % (status, self.expect_status))
            found = TROUBLE.search(self.log())
            if found:
                wrong.append("its log says %r" % found.group(0))
        message = None
        if wrong:
            message = "the proxy: %s\n%s\n%s" % ("; ".join(wrong), " ".join(self.argv), self._evidence())
        shutil.rmtree(self.dir, ignore_errors=True)
        return message

    def _stop(self):
        if UNIKERNEL and self.has_admin:
            try:
                self.admin("stop")
                return
            except (OSError, ValueError, Ended):
                pass
        self.process.send_signal(signal.SIGTERM)

    def _evidence(self):
        log = self.log()
        found = TROUBLE.search(log)
        return log[max(0, found.start() - 1000):found.start() + 6000] if found else log[-6000:]


def takes_connections(path):
    """Its file is there a moment before it listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


def is_listening(port):
    """Does a TCP socket listen on that port? Asked of /proc, so that nobody is connected to."""
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as f:
                for line in f:
                    p = line.split()
                    if p[3] == "0A" and int(p[1].rsplit(":", 1)[1], 16) == port:
                        return True
        except FileNotFoundError:
            pass
    return False


def accepts(port, host="127.0.0.1"):
    """Is a connection to that port accepted?"""
    try:
        socket.create_connection((host, port), 2).close()
        return True
    except OSError:
        return False
