# SPDX-License-Identifier: MIT
"""Certificate authorities to ask: Pebble with its DNS, and one of our own that answers as a test tells it to."""
import base64
import http.server
import json
import os
import signal
import ssl
import subprocess
import threading
import urllib.request

from certificates import openssl
from ports import free_port
from proxy import is_listening
from waiting import until

# Pebble does each of these by chance where it is not told: wait, refuse a nonce, take an old authorization for the new order.
CONSTANT = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}

EAB = ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")

SITE = "site a.test { respond 200 \"a\\n\" }"
UACME = "client uacme"
ISSUED = r"acme: a\.test: a new certificate"


def certificate(p, name="a.test"):
    """The leaf that is served for that name, in PEM."""
    with p.connect(sni=name) as c:
        return ssl.DER_cert_to_PEM_cert(c.tls.getpeercert(True))


def renew(p):
    """Once nothing else is under way, as a question for renewal information."""
    until(lambda: p.admin("acme renew a.test")["ok"], 10, "the renewal")


def schedule(p, name="a.test"):
    with open(os.path.join(p.state, name, "schedule")) as f:
        return {word: int(number) for word, number in map(str.split, f)}


def restart_with(p, **changes):
    """The proxy, once more, on another schedule; a number that is None is left out."""
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    numbers = dict(schedule(p), **{k.replace("_", "-"): v for k, v in changes.items()})
    with open(os.path.join(p.state, "a.test", "schedule"), "w") as f:
        f.writelines("%s %d\n" % (k, v) for k, v in numbers.items() if v is not None)
    p.start()


def served_by_pebble(p, name="a.test"):
    return "Pebble" in openssl_text(certificate(p, name))


def openssl_text(pem, *args):
    r = subprocess.run(["openssl", "x509", "-noout", *(args or ("-text",))], input=pem.encode(), capture_output=True,
                       timeout=20)
    assert r.returncode == 0, r.stderr
    return r.stdout.decode()


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
        self.command = ["pebble", "-strict", "-config", path, "-dnsserver", "127.0.0.1:%d" % self.dns]
        self.env = dict(CONSTANT, **(env or {}))
        self.open()

    def open(self):
        """Again after close(): another authority on the same ports, which knows nothing of before."""
        self._start(["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                     "-dns01", "127.0.0.1:%d" % self.dns, "-http01", "", "-https01", "", "-tlsalpn01", "",
                     "-management", "127.0.0.1:%d" % self.control], self.control)
        self._start(self.command, self.port, self.env)

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
        self.processes = []


class Answers:
    """An HTTPS server that answers each request by answer(handler, number), in a thread of its own."""

    def __init__(self, authority, answer, name="127.0.0.1", address=("127.0.0.1", 0)):
        certificate, key = authority.leaf(name)
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

        self.server = http.server.ThreadingHTTPServer(address, Handler)
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


class SmallCA:
    """What Pebble does not have: renewal information (RFC 9773), profiles, IP identifiers (RFC 8738). It reads what a
    client sends, and what it does not like of it is in `complaints`; it validates by HTTP, and signs with openssl."""

    def __init__(self, authority, folder, http_port, window=None, refuse_replaces=False, days=90):
        self.authority, self.dir, self.http_port, self.window = authority, folder, http_port, window
        self.refuse_replaces, self.days = refuse_replaces, days
        self.directory = {} # what it offers beside, or in place of the usual; None takes away
        self.orders, self.asked, self.complaints, self.nonces, self.accounts = [], [], [], set(), {}
        self.answers = Answers(authority, lambda h, n: self._answer(h, n))
        self.url, self.root = self.answers.url, self.answers.root

    def conf(self, more=""):
        return self.answers.conf(more)

    def close(self):
        self.answers.close()

    # --- one request ---

    def _nonce(self):
        n = "n%d-%s" % (len(self.nonces), os.urandom(6).hex())
        self.nonces.add(n)
        return n

    def _read(self, h):
        jws = json.loads(h.body)
        header, payload = (json.loads(self._decode(jws[k]) or b"null") for k in ("protected", "payload"))
        if header["nonce"] not in self.nonces:
            self.complaints.append("a nonce twice")
        self.nonces.discard(header["nonce"])
        if header["url"] != self.url + h.path:
            self.complaints.append("url %s at %s" % (header["url"], h.path))
        if ("jwk" in header) == ("kid" in header) or ("jwk" in header) != (h.path == "/account"):
            self.complaints.append("kid and jwk at %s" % h.path)
        if h.headers.get("Content-Type") != "application/jose+json" or not h.headers.get("User-Agent"):
            self.complaints.append("fields of %s" % h.path)
        return header, payload

    @staticmethod
    def _decode(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def _json(self, h, value, status=200, **fields):
        h.reply(status, json.dumps(value).encode(), Replay_Nonce=self._nonce(), Content_Type="application/json", **fields)

    def _problem(self, h, kind, detail, status=400):
        self._json(h, {"type": "urn:ietf:params:acme:error:" + kind, "detail": detail}, status)

    def _answer(self, h, n):
        parts = h.path.strip("/").split("/")
        if parts[0] == "renewal-info":
            return self._renewal_info(h, parts[1])
        if parts[0] in ("dir", "nonce"):
            offers = dict({
                "newNonce": self.url + "/nonce", "newAccount": self.url + "/account", "newOrder": self.url + "/new-order",
                "revokeCert": self.url + "/revoke", "renewalInfo": self.url + "/renewal-info",
                "meta": {"profiles": {"shortlived": "6 days", "classic": "90 days"}}}, **self.directory)
            return self._json(h, {k: v for k, v in offers.items() if v is not None})
        header, payload = self._read(h)
        return getattr(self, "_" + parts[0].replace("-", "_"))(h, header, payload, int(parts[1]) if len(parts) > 1 else None)

    def _account(self, h, header, payload, _):
        key = json.dumps(header["jwk"], sort_keys=True)
        known = key in self.accounts
        if not known and payload.get("onlyReturnExisting"):
            return self._problem(h, "accountDoesNotExist", "no account has this key")
        n = self.accounts.setdefault(key, len(self.accounts) + 1)
        self._json(h, {"status": "valid"}, 200 if known else 201, Location="%s/accounts/%d" % (self.url, n))

    def _new_order(self, h, header, payload, _):
        if payload.get("replaces") and self.refuse_replaces:
            return self._problem(h, "alreadyReplaced", "this certificate was replaced before", 409)
        n = len(self.orders)
        self.orders.append(dict(payload, state="pending", token=[os.urandom(32).hex() for _ in payload["identifiers"]],
                                valid=set()))
        self._json(h, self._order_text(n), 201, Location="%s/order/%d" % (self.url, n))

    def _order_text(self, n):
        o = self.orders[n]
        text = {"status": o["state"], "identifiers": o["identifiers"], "finalize": "%s/finalize/%d" % (self.url, n),
                "authorizations": ["%s/authorization/%d" % (self.url, n * 100 + i) for i in range(len(o["identifiers"]))]}
        if o["state"] == "valid":
            text["certificate"] = "%s/certificate/%d" % (self.url, n)
        return text

    def _order(self, h, header, payload, n):
        self._json(h, self._order_text(n))

    def _authorization(self, h, header, payload, k):
        o, i = self.orders[k // 100], k % 100
        status = "valid" if i in o["valid"] else "pending"
        self._json(h, {"status": status, "identifier": o["identifiers"][i], "challenges": [
            {"type": "dns-01", "url": self.url + "/none", "token": "x"},
            {"type": "http-01", "url": "%s/challenge/%d" % (self.url, k), "token": o["token"][i], "status": status}]})

    def _challenge(self, h, header, payload, k):
        o, i = self.orders[k // 100], k % 100
        request = urllib.request.Request("http://127.0.0.1:%d/.well-known/acme-challenge/%s" % (self.http_port, o["token"][i]),
                                         headers={"Host": o["identifiers"][i]["value"]})
        with urllib.request.urlopen(request, timeout=10) as r:
            body = r.read().decode()
        if body.split(".")[0] != o["token"][i] or len(body.split(".")[1]) != 43:
            self.complaints.append("key authorization %r" % body)
        o["valid"].add(i)
        if len(o["valid"]) == len(o["identifiers"]):
            o["state"] = "ready"
        self._json(h, {"type": "http-01", "status": "processing", "token": o["token"][i]})

    def _finalize(self, h, header, payload, n):
        o = self.orders[n]
        base = os.path.join(self.dir, "small-ca-%d-%d" % (self.answers.port, n))
        with open(base + ".der", "wb") as f:
            f.write(self._decode(payload["csr"]))
        openssl("req", "-inform", "DER", "-in", base + ".der", "-verify", "-noout")
        names = ",".join(("IP:" if i["type"] == "ip" else "DNS:") + i["value"] for i in o["identifiers"])
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=%s\nauthorityKeyIdentifier=keyid:always\n" % names)
        issuer = self.authority.intermediate
        openssl("x509", "-req", "-inform", "DER", "-in", base + ".der", "-CA", issuer[0], "-CAkey", issuer[1],
                "-CAcreateserial", "-days", str(self.days), "-extfile", base + ".ext", "-out", base + ".pem")
        o["chain"] = open(base + ".pem").read() + open(issuer[0]).read()
        o["state"] = "valid"
        self._json(h, self._order_text(n), Location="%s/order/%d" % (self.url, n))

    def _certificate(self, h, header, payload, n):
        h.reply(200, self.orders[n]["chain"].encode(), Replay_Nonce=self._nonce(),
                Content_Type="application/pem-certificate-chain")

    def _renewal_info(self, h, identifier):
        self.asked.append(identifier)
        if self.window is None:
            return self._problem(h, "malformed", "unknown certificate", 404)
        start, end = self.window(len(self.asked))
        h.reply(200, json.dumps({"suggestedWindow": {"start": start, "end": end},
                                 "explanationURL": "https://ca.test/why#window"}).encode(),
                Retry_After="21600", Content_Type="application/json")
