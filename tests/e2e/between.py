# SPDX-License-Identifier: MIT
"""Someone in the middle of a TLS connection: sees every record, may change it, may pass bytes on one at a time."""
import socket
import threading

from ports import free_port

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23


def records(data):
    """The whole records at the start of data, and what is left: ([(type, body)], rest)."""
    out = []
    while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big"):
        n = 5 + int.from_bytes(data[3:5], "big")
        out.append((data[0], data[5:n]))
        data = data[n:]
    return out, data


def record(kind, body):
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


class Between:
    """Listens on `port` and passes everything on to `to`. edit(kind, body) is given each record from the client, and
    what it returns goes on in its place. piece: so many bytes in a segment, both ways. `sent` and `received` are the
    client's two directions of the last connection, as they were on the wire."""

    def __init__(self, to, edit=None, piece=None):
        self.to, self.edit, self.piece = to, edit, piece
        self.sent, self.received = bytearray(), bytearray()
        self.socks = []
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            self.sent, self.received = bytearray(), bytearray()
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socks.append(s)
            for way in ((client, server, self.sent, self.edit), (server, client, self.received, None)):
                self.threads.append(threading.Thread(target=self._pass, args=way, daemon=True))
                self.threads[-1].start()

    def _pass(self, source, sink, kept, edit):
        waiting = b""
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if edit:
                    whole, waiting = records(waiting + data)
                    data = b"".join(record(kind, edit(kind, body)) for kind, body in whole)
                kept += data
                step = self.piece or len(data) or 1
                for i in range(0, len(data), step):
                    sink.sendall(data[i:i + step])
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone, so the other one goes too.
            for s in (source, sink):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @staticmethod
    def records(data):
        """[(type, body)] of what went one way."""
        return records(bytes(data))[0]

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for s in self.socks:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for t in self.threads:
            t.join(5)
        for s in self.socks:
            s.close()


def _extensions(hello):
    """Where the list begins in a ClientHello, and [(number, value)]."""
    at = 4 + 2 + 32
    for width in (1, 2, 1):  # session id, cipher suites, compression methods
        at += width + int.from_bytes(hello[at:at + width], "big")
    found, i = [], at + 2
    while i < len(hello):
        n = int.from_bytes(hello[i + 2:i + 4], "big")
        found.append((int.from_bytes(hello[i:i + 2], "big"), hello[i + 4:i + 4 + n]))
        i += 4 + n
    return at, found


def extension(hello, number):
    """An extension's value, or None."""
    return dict(_extensions(hello)[1]).get(number)


def without_extension(hello, number):
    """A ClientHello without one of its extensions."""
    at, found = _extensions(hello)
    kept = b"".join(n.to_bytes(2, "big") + len(v).to_bytes(2, "big") + v for n, v in found if n != number)
    body = hello[4:at] + len(kept).to_bytes(2, "big") + kept
    return hello[:1] + len(body).to_bytes(3, "big") + body
