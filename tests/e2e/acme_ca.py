# SPDX-License-Identifier: MIT
"""Certificate authorities to ask: Pebble with its DNS, and one of our own that answers as a test tells it to."""
import http.server
import json
import os
import ssl
import subprocess
import threading
import urllib.request

from ports import free_port
from proxy import is_listening
from waiting import until

EAB = ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")


class Pebble:
    """Validation is real: it fetches each challenge from http_port on 127.0.0.1, which all names resolve to."""

    def __init__(self, folder, authority, http_port, env=None, **config):
        self.dir = folder
        self.port, self.management, self.dns, self.control = (free_port() for _ in range(4))
        self.root = authority.root[0]
        self.url = "https://127.0.0.1:%d/dir" % self.port
        certificate, key = authority.leaf("127.0.0.1")
        path = os.path.join(folder, "pebble-%d.json" % self.port)
        with open(path, "w") as f:
            json.dump({"pebble": dict({
                "listenAddress": "127.0.0.1:%d" % self.port,
                "managementListenAddress": "127.0.0.1:%d" % self.management,
                "certificate": certificate, "privateKey": key, "httpPort": http_port, "tlsPort": http_port,
                "ocspResponderURL": "", "externalAccountBindingRequired": False}, **config)}, f)
        self.output = os.path.join(folder, "pebble-%d.log" % self.port)
        self.processes = []
        self._start(["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                     "-dns01", "127.0.0.1:%d" % self.dns, "-http01", "", "-https01", "", "-tlsalpn01", "",
                     "-management", "127.0.0.1:%d" % self.control], self.control)
        self._start(["pebble", "-strict", "-config", path, "-dnsserver", "127.0.0.1:%d" % self.dns], self.port,
                    dict({"PEBBLE_VA_NOSLEEP": "1"}, **(env or {})))

    def _start(self, argv, port, env=None):
        with open(self.output, "ab") as out:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                 env=dict(os.environ, **(env or {})))
        self.processes.append(p)

        def ready():
            assert p.poll() is None, "%s ended: %s" % (argv[0], self.log()[-3000:])
            return is_listening(port)
        until(ready, 20, "%s listening" % argv[0])

    def log(self):
        with open(self.output, errors="replace") as f:
            return f.read()

    def count(self, what):
        return self.log().count(what)

    def issued(self):
        return self.count("Issued certificate")

    def dns_set(self, command, **data):
        """What its DNS answers: dns_set("add-a", host=..., addresses=[...])."""
        urllib.request.urlopen(urllib.request.Request(
            "http://127.0.0.1:%d/%s" % (self.control, command), json.dumps(data).encode(), method="POST"), timeout=5).close()

    def conf(self, more=""):
        return "acme { ca %s; ca-roots %s; %s }" % (self.url, self.root, more)

    def issuer(self):
        """The root that its certificates lead to, in PEM."""
        context = ssl._create_unverified_context()
        with urllib.request.urlopen("https://127.0.0.1:%d/roots/0" % self.management, context=context, timeout=5) as r:
            return r.read().decode()

    def close(self):
        for p in self.processes:
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


class Answers:
    """An HTTPS server that answers each request by answer(handler, number), in a thread of its own."""

    def __init__(self, authority, answer):
        certificate, key = authority.leaf("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        outer = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self):
                n = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(n)
                outer.requests.append((self.command, self.path, self.body))
                try:
                    answer(self, len(outer.requests))
                except (OSError, ssl.SSLError):
                    self.close_connection = True

            do_GET = do_HEAD = do_POST = _any

            def reply(self, status=200, body=b"", **fields):
                self.send_response(status)
                for k, v in fields.items():
                    self.send_header(k.replace("_", "-"), v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = "https://127.0.0.1:%d" % self.port
        self.root = authority.root[0]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def conf(self, more=""):
        return "acme { ca %s/dir; ca-roots %s; %s }" % (self.url, self.root, more)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
