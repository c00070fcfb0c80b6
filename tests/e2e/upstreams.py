# SPDX-License-Identifier: MIT
"""HTTP services to put behind the proxy: scripted to the byte, so that they can also be wrong.

An Upstream keeps every byte that reached it, connection by connection, and every request it could parse. What it
answers is given as bytes, as a function of the request, or as a script that owns the whole connection.
"""
import collections
import json
import os
import socket
import struct
import threading

from ports import free_port
from rawhttp import parse_fields
from waiting import until

TIMEOUT = 20.0


def reply(body=b"", status=200, fields=(), reason="OK", length=True):
    """A whole response as bytes."""
    if isinstance(body, str):
        body = body.encode()
    lines = ["HTTP/1.1 %d %s" % (status, reason)] + ["%s: %s" % f for f in fields]
    if length:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*chunks, trailers=()):
    """A body in chunks, whole."""
    out = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks)
    return out + b"0\r\n" + b"".join(b"%s: %s\r\n" % (n.encode(), v.encode()) for n, v in trailers) + b"\r\n"


class Request:
    def __init__(self, head, connection):
        self.head = head            # exact bytes up to and with the empty line
        self.connection = connection  # number of the connection it came on
        lines = head[:-4].split(b"\r\n")
        parts = lines[0].split(b" ")
        assert len(parts) == 3, "the proxy sent a bad request line: %r" % lines[0]
        self.method, self.target, self.version = (p.decode("latin-1") for p in parts)
        self.fields = parse_fields(lines[1:])
        self.body = b""
        self.raw_body = b""
        self.trailers = []

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def names(self):
        return [n.lower() for n, _ in self.fields]

    def __repr__(self):
        return "<%s %s %r %r>" % (self.method, self.target, self.fields, self.body[:100])


class Closed(Exception):
    pass


class Connection:
    """One connection of the proxy to an upstream, in the hands of its script."""

    def __init__(self, upstream, sock, number):
        self.upstream, self.sock, self.number = upstream, sock, number
        self.buffer = bytearray()
        self.total = 0              # bytes read
        self.kept = bytearray()     # the first MiB of them
        self.ended = None           # "fin" or "reset", seen by reading
        sock.settimeout(TIMEOUT)

    def fill(self, size=65536):
        try:
            data = self.sock.recv(size)
        except (ConnectionResetError, BrokenPipeError):
            self.ended = "reset"
            raise Closed() from None
        except OSError:
            raise Closed() from None
        if not data:
            self.ended = "fin"
            raise Closed()
        self.total += len(data)
        if len(self.kept) < 1 << 20:
            self.kept += data
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        at = self.buffer.index(mark) + len(mark)
        data = bytes(self.buffer[:at])
        del self.buffer[:at]
        return data

    def exactly(self, n):
        while len(self.buffer) < n:
            self.fill()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def read_head(self):
        r = Request(self.until(b"\r\n\r\n"), self.number)
        self.upstream._got(r)
        return r

    def read_body(self, r):
        if r.get("Transfer-Encoding"):
            assert r.get("Content-Length") is None, "the proxy sent both framings"
            while True:
                line = self.until(b"\r\n")
                r.raw_body += line
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    break
                data = self.exactly(size + 2)
                r.raw_body += data
                r.body += data[:-2]
            lines = []
            while True:
                line = self.until(b"\r\n")
                r.raw_body += line
                if line == b"\r\n":
                    break
                lines.append(line[:-2])
            r.trailers = parse_fields(lines)
        else:
            r.body = r.raw_body = self.exactly(int(r.get("Content-Length", "0")))
        return r

    def read_request(self):
        """Head and body; a client that asks whether to send the body is told to."""
        r = self.read_head()
        if (r.get("Expect") or "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.read_body(r)
        self.upstream._whole(r)
        return r

    def drain(self, n=None):
        """Reads and drops n bytes, or all until the end. Returns how many."""
        start = self.total - len(self.buffer)
        del self.buffer[:]
        try:
            while n is None or self.total - start < n:
                self.fill(1 << 18)
                del self.buffer[:]
        except Closed:
            if n is not None:
                raise
        return self.total - start

    def send(self, data, piece=None):
        if isinstance(data, str):
            data = data.encode("latin-1")
        try:
            if not piece:
                self.sock.sendall(data)
                return
            for i in range(0, len(data), piece):
                self.sock.sendall(data[i:i + piece])
        except OSError:
            raise Closed() from None

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def finish(self):
        """FIN, while still reading."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            raise Closed() from None

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # shutdown() would send the FIN first.
        self.sock.close()

    def wait_closed(self):
        """Until the proxy has gone; "fin" or "reset"."""
        self.drain()
        return self.ended


class Upstream:
    """answer: bytes, or function(Request) -> bytes. script: function(Connection), owns the connection; after it
    returns the connection is closed. path: listen on a Unix socket there."""

    def __init__(self, answer=None, script=None, path=None, host="127.0.0.1", port=None, backlog=512, rcvbuf=None):
        self.answer = reply(b"ok") if answer is None else answer
        self.script = script or self._serve
        self.connections = []
        self.requests = []       # heads, as they came
        self.whole = []          # requests whose body has come too
        self.errors = []
        self.path, self.host = path, host
        self._lock = threading.Lock()
        if path:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.bind(path)
            os.chmod(path, 0o777)
            self.port, self.address = None, "unix:" + path
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if rcvbuf:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            self.port = port or free_port()
            self.sock.bind((host, self.port))
            self.address = ("[%s]:%d" if ":" in host else "%s:%d") % (host, self.port)
        self.sock.listen(backlog)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            if not self.path:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                c = Connection(self, sock, len(self.connections))
                self.connections.append(c)
            threading.Thread(target=self._run, args=(c,), daemon=True).start()

    def _run(self, c):
        try:
            self.script(c)
        except Closed:
            pass
        except AssertionError as e:
            self.errors.append(e)
        finally:
            c.close()

    def _serve(self, c):
        while True:
            r = c.read_request()
            a = self.answer(r) if callable(self.answer) else self.answer
            if r.method == "HEAD" and not callable(self.answer):
                a = a[:a.index(b"\r\n\r\n") + 4]
            c.send(a)

    def _got(self, r):
        with self._lock:
            self.requests.append(r)

    def _whole(self, r):
        with self._lock:
            self.whole.append(r)

    @property
    def last(self):
        return self.requests[-1]

    @property
    def bytes_received(self):
        return sum(c.total for c in self.connections)

    @property
    def received(self):
        """All bytes that came, joined over the connections (the first MiB of each)."""
        return b"".join(bytes(c.kept) for c in self.connections)

    def wait_requests(self, n, timeout=5.0):
        until(lambda: len(self.requests) >= n, timeout, "%d requests at the upstream" % n)
        return self.requests

    def wait_connections(self, n, timeout=5.0):
        until(lambda: len(self.connections) >= n, timeout, "%d connections at the upstream" % n)
        return self.connections

    def close(self):
        """The port refuses from here on, and every connection ends."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        for c in list(self.connections):
            c.close()
        self._thread.join(5)


def echo(r):
    """An answer that says what arrived, as JSON."""
    doc = collections.OrderedDict(method=r.method, target=r.target, version=r.version, fields=r.fields,
                                  body=r.body.decode("latin-1"), trailers=r.trailers)
    body = json.dumps(doc).encode()
    head = reply(body, fields=[("Content-Type", "application/json")])
    return head[:head.index(b"\r\n\r\n") + 4] if r.method == "HEAD" else head


def sequence(*answers):
    """A script: one answer for each connection in turn, the last one for all that follow. An answer is bytes sent
    after one whole request has been read, then the connection closes."""
    left = list(answers)
    lock = threading.Lock()

    def script(c):
        c.read_request()
        with lock:
            a = left.pop(0) if len(left) > 1 else left[0]
        c.send(a)
        c.finish()
        c.drain()
    return script
