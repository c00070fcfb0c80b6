# SPDX-License-Identifier: MIT
"""Programs that speak TLS, each with a request on its standard input: OpenSSL's, GnuTLS's and NSS's."""
import os
import re
import subprocess
import tempfile
import threading

from waiting import until

FLAG = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}


def request(host, target="/", *fields):
    """A request after which the server closes."""
    return "\r\n".join(["GET %s HTTP/1.1" % target, "Host: " + host, "Connection: close", *fields, "", ""])


def output(argv, stdin="", timeout=30, hold=False):
    """What a program says, on both of its outputs. Its input is a file, as NSS's client does not see the end of a
    pipe; with hold it is a pipe without an end."""
    def run(f):
        return subprocess.run(argv, stdin=f, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout).stdout.decode("latin-1")
    if hold:
        end, start = os.pipe()
        with open(end, "rb") as f, open(start, "wb", buffering=0) as w:
            w.write(stdin.encode("latin-1"))
            return run(f)
    with tempfile.TemporaryFile() as f:
        f.write(stdin.encode("latin-1"))
        f.seek(0)
        return run(f)


def s_client_argv(port, *args, sni="localhost"):
    return ["openssl", "s_client", "-connect", "127.0.0.1:%d" % port,
            *(["-servername", sni] if sni else ["-noservername"]), *args]


def s_client(port, *args, stdin="", sni="localhost"):
    """openssl s_client: its output. It ends at the end of stdin, without waiting for an answer."""
    return output(s_client_argv(port, *args, sni=sni), stdin)


def s_client_get(port, *args, sni="localhost", target="/"):
    """As s_client, with a request; it ends when the server does."""
    return s_client(port, "-ign_eof", *args, sni=sni, stdin=request(sni, target))


def gnutls(port, *args, sni, authority, before=""):
    """gnutls-cli with a request, and what is typed before; it ends when the server does. At the end of its input it would close its direction,
    before the answer has come."""
    return output(["gnutls-cli", "--x509cafile", authority.root[0], "--sni-hostname", sni, "--verify-hostname", sni,
                   *args, "--port", str(port), "127.0.0.1"], before + request(sni), hold=True)


class Nss:
    """NSS's client, with a folder in which its certificates are."""

    def __init__(self, folder, authority):
        self.db = "sql:" + folder
        for args in (["-N", "--empty-password"], ["-A", "-n", "root", "-t", "C,,", "-i", authority.root[0]]):
            subprocess.run(["certutil", "-d", self.db, *args], check=True, stdin=subprocess.DEVNULL)

    def get(self, port, *args, sni):
        return output(["tstclnt", "-h", "127.0.0.1", "-a", sni, "-p", str(port), "-d", self.db, "-v", *args],
                      request(sni))


class Talk:
    """openssl s_client with its input held open: lines are typed, and what it answers is waited for. `out` is what
    came from the server, mixed with what it says itself; `messages` the handshake messages that it saw."""

    def __init__(self, port, folder, *args, sni="localhost"):
        self.messages_path = os.path.join(folder, "messages")
        self.process = subprocess.Popen(
            s_client_argv(port, "-msg", "-msgfile", self.messages_path, *args, sni=sni), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self.out = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            data = self.process.stdout.read(65536)
            if not data:
                return
            self.out += data

    def type(self, data):
        data = data.encode("latin-1") if isinstance(data, str) else data
        while data:
            data = data[self.process.stdin.write(data):]
        return self

    def wait(self, pattern, n=1, timeout=10):
        """Until the output holds that n times."""
        rx = re.compile(pattern.encode(), re.M)
        try:
            until(lambda: len(rx.findall(self.out)) >= n, timeout, "%d of %r from s_client" % (n, pattern))
        except AssertionError as e:
            raise AssertionError("%s; it said:\n%s" % (e, self.out[-3000:].decode("latin-1"))) from None
        return self

    def wait_messages(self, name, n, came=True):
        """Until n handshake messages of that name came, or were sent: what s_client says of one comes before it."""
        until(lambda: os.path.exists(self.messages_path) and self.messages(name, came) >= n, 10, "%d %s" % (n, name))
        return self

    def messages(self, name, came=True):
        """How many handshake messages of that name came, or were sent."""
        with open(self.messages_path) as f:
            return len(re.findall(r"^%s .*, %s$" % ("<<<" if came else ">>>", name), f.read(), re.M))

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join(5)
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
