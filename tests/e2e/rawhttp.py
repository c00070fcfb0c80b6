# SPDX-License-Identifier: MIT
"""A client that sends exactly the bytes it is told, over TCP or TLS, and says exactly how the other side ended.

TLS runs over memory BIOs, so every byte on the wire can be seen and held: sent one at a time, cut off in the
middle of a record, or ended without close_notify.
"""
import socket
import ssl
import struct
import time

# How a connection ended, from the client's side.
CLOSE_NOTIFY = "close_notify"  # TLS: a clean end
FIN = "fin"                    # TCP's end; on TLS that is a truncation
RESET = "reset"

TIMEOUT = 10.0

# By the names that Python, the log and the built-in page have for them.
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


class Ended(Exception):
    """The connection ended while more was expected."""

    def __init__(self, how, got):
        super().__init__("connection ended (%s) after %r" % (how, got[-200:]))
        self.how = how
        self.got = got


class Response:
    def __init__(self):
        self.version = self.status = self.reason = None
        self.fields = []      # [(name, value)], bytes decoded as latin-1, names as sent
        self.body = b""
        self.trailers = []
        self.interim = []     # 1xx responses before this one
        self.head_bytes = b""
        self.framing = None   # "none", "length", "chunked", "close"
        self.complete = False
        self.ended = None     # how the connection ended, if it did

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def __repr__(self):
        return "<%s %s %r %r>" % (self.status, self.reason, self.fields, self.body[:100])


def parse_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        assert colon and name and not name[-1:].isspace(), "bad field line %r" % line
        fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return fields


def client_context(alpn=("http/1.1",), version=None, ciphers=None, curve=None, ca=None):
    """version: a name of VERSIONS; None for whichever both sides like best. ca: verifies by that file."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        ctx.load_verify_locations(ca)
    else:
        ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE
    if alpn:
        ctx.set_alpn_protocols(list(alpn))
    if version:
        ctx.minimum_version = ctx.maximum_version = VERSIONS[version]
    if ciphers:
        ctx.set_ciphers(ciphers)
    if curve:
        ctx.set_ecdh_curve(curve)
    return ctx


class Client:
    """One connection. tls: None for plain TCP, or an ssl.SSLContext; sni: the server name, or None for none."""

    def __init__(self, address, tls=None, sni="localhost", handshake=True, timeout=TIMEOUT, rcvbuf=None, session=None,
                 source=None):
        self.timeout = timeout
        self.buffer = bytearray()  # decrypted, not yet read
        self.ended = None
        family = socket.AF_UNIX if isinstance(address, str) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        try:
            if source:
                self.sock.bind((source, 0))
            self.sock.connect(address)
            if family != socket.AF_UNIX:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.tls = None
            if tls is not None:
                self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                self.tls = tls.wrap_bio(self.incoming, self.outgoing, server_hostname=sni, session=session)
                if handshake:
                    self.handshake()
        except BaseException:
            self.sock.close()
            raise

    # --- TLS ---

    def handshake(self, piece=None):
        """piece: send in pieces of so many bytes, each in a segment of its own."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(piece)
                if not self._fill():
                    raise Ended(self.ended, b"") from None
                continue
            except ssl.SSLError:
                self._flush()
                raise
            self._flush(piece)
            return self

    def _flush(self, piece=None):
        data = self.outgoing.read()
        if data:
            self.send_wire(data, piece)

    def _fill(self):
        """Reads from the wire once. False at its end."""
        data = self._recv_wire()
        if data:
            if self.tls:
                self.incoming.write(data)
            else:
                self.buffer += data
        return bool(data)

    def _recv_wire(self):
        if self.ended:
            return b""
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            self.ended = RESET
            return b""
        if not data:
            self.ended = FIN
        return data

    def _decrypt(self):
        if not self.tls or self.ended == CLOSE_NOTIFY:
            return
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                self.ended = CLOSE_NOTIFY
                return
            self.buffer += data

    # --- bytes ---

    def send_wire(self, data, piece=None):
        if not piece:
            self.sock.sendall(data)
            return
        for i in range(0, len(data), piece):
            self.sock.sendall(data[i:i + piece])

    def send(self, data, piece=None):
        """piece: in pieces of so many bytes, each a TLS record and a segment of its own."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        for i in range(0, len(data), piece or len(data) or 1):
            part = data[i:i + piece] if piece else data
            if self.tls:
                self.tls.write(part)
                self._flush()
            else:
                self.sock.sendall(part)
        return self

    def try_send(self, data):
        """As send, but the other side may have closed. False if it had."""
        try:
            self.send(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def wire_of(self, data):
        """The bytes that would carry data, without sending them."""
        if not self.tls:
            return data
        self.tls.write(data)
        return self.outgoing.read()

    def some(self, timeout=None):
        """Whatever comes next, at least one byte; b"" at the end."""
        self.sock.settimeout(timeout or self.timeout)
        self._decrypt()
        while not self.buffer and not self.ended:
            if not self._fill() and not self.tls:
                break
            self._decrypt()
        data = bytes(self.buffer)
        del self.buffer[:]
        return data

    def _more(self):
        """Adds to the buffer; Ended at the end."""
        before = len(self.buffer)
        self._decrypt()
        while len(self.buffer) == before:
            if self.ended:
                raise Ended(self.ended, bytes(self.buffer))
            self._fill()
            self._decrypt()

    def until(self, mark):
        start = 0
        while True:
            at = self.buffer.find(mark, start)
            if at >= 0:
                data = bytes(self.buffer[:at + len(mark)])
                del self.buffer[:at + len(mark)]
                return data
            start = max(0, len(self.buffer) - len(mark) + 1)
            self._more()

    def exactly(self, n):
        while len(self.buffer) < n:
            self._more()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def rest(self):
        """Everything up to the end, which is then in `ended`."""
        try:
            while True:
                self._more()
        except Ended:
            pass
        data = bytes(self.buffer)
        del self.buffer[:]
        return data

    def count_rest(self, limit=None):
        """As rest, but only counts."""
        n = len(self.buffer)
        del self.buffer[:]
        try:
            while limit is None or n < limit:
                self._more()
                n += len(self.buffer)
                del self.buffer[:]
        except Ended:
            pass
        return n

    def is_silent(self, seconds):
        """Nothing comes within that time."""
        try:
            return not self.some(seconds) and not self.ended
        except (socket.timeout, TimeoutError):
            return True
        finally:
            self.sock.settimeout(self.timeout)

    # --- HTTP ---

    def request(self, method="GET", target="/", fields=(), body=b"", host="localhost"):
        lines = ["%s %s HTTP/1.1" % (method, target)]
        if host is not None:
            lines.append("Host: " + host)
        lines += ["%s: %s" % f for f in fields]
        if body and not any(n.lower() in ("content-length", "transfer-encoding") for n, _ in fields):
            lines.append("Content-Length: %d" % len(body))
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return self

    def get(self, target="/", fields=(), host="localhost", method="GET", body=b""):
        return self.request(method, target, fields, body, host).response(method)

    def head(self):
        """One response head, interim or not."""
        r = Response()
        r.head_bytes = self.until(b"\r\n\r\n")
        lines = r.head_bytes[:-4].split(b"\r\n")
        version, _, rest = lines[0].partition(b" ")
        status, _, reason = rest.partition(b" ")
        assert version in (b"HTTP/1.1", b"HTTP/1.0"), "bad status line %r" % lines[0]
        r.version, r.status, r.reason = version.decode(), int(status), reason.decode("latin-1")
        r.fields = parse_fields(lines[1:])
        return r

    def response(self, method="GET"):
        """The next final response, whole. Ended if the connection ends before its end can be told."""
        interim = []
        while True:
            r = self.head()
            if r.status >= 200 or r.status == 101:
                break
            interim.append(r)
        r.interim = interim
        lengths, codings = r.all("Content-Length"), r.all("Transfer-Encoding")
        assert len(lengths) <= 1 and not (lengths and codings), "ambiguous framing: %r" % r.fields
        if method == "HEAD" or r.status in (101, 204, 304):
            r.framing = "none"
        elif codings:
            assert codings == ["chunked"], codings
            r.framing = "chunked"
            self._chunked(r)
        elif lengths:
            r.framing = "length"
            r.body = self.exactly(int(lengths[0]))
        else:
            r.framing = "close"
            r.body = self.rest()
            r.ended = self.ended
            if self.ended != (CLOSE_NOTIFY if self.tls else FIN):
                raise Ended(self.ended, r.body)
        r.complete = True
        return r

    def _chunked(self, r):
        parts = []
        while True:
            line = self.until(b"\r\n")[:-2]
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            parts.append(self.exactly(size))
            assert self.exactly(2) == b"\r\n", "chunk does not end with CRLF"
        trailer = []
        while True:
            line = self.until(b"\r\n")[:-2]
            if not line:
                break
            trailer.append(line)
        r.trailers = parse_fields(trailer)
        r.body = b"".join(parts)

    # --- ends ---

    def close(self):
        """Cleanly: close_notify on TLS, then FIN."""
        if self.sock.fileno() < 0:
            return
        if self.tls and not self.ended:
            try:
                self.tls.unwrap()
            except (ssl.SSLError, ValueError, OSError):
                pass
            try:
                self._flush()
            except OSError:
                pass
        self.sock.close()

    def truncate(self):
        """TCP's end without close_notify; the connection can still be read."""
        self.sock.shutdown(socket.SHUT_WR)

    def close_notify(self):
        """The clean end of our direction; the connection can still be read."""
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        self._flush()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait_end(self, timeout=TIMEOUT):
        """How the other side ended; what came before is dropped."""
        self.sock.settimeout(timeout)
        deadline = time.monotonic() + timeout
        while not self.ended and time.monotonic() < deadline:
            self.some(timeout)
        self.sock.settimeout(self.timeout)
        return self.ended

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
