# SPDX-License-Identifier: MIT
"""The other end of a machine's cable: a DHCP server and nobody else. Frames come and go as datagrams, one each."""
import socket
import struct
import threading

from ports import free_port

SERVER = "192.0.2.1"
OUR_MAC = bytes.fromhex("525400000002")
EVERYBODY = b"\xff" * 6
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6


def ip(text):
    return socket.inet_aton(text)


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", ~total & 0xffff)


class Question:
    """type, and where it went: `to`, a broadcast's 255.255.255.255; `holds`, the address that the client has, or None."""

    def __init__(self, destination, message):
        assert len(message) >= 300, "%d bytes: relays drop what is shorter than BOOTP's 300 (RFC 1542)" % len(message)
        self.to = socket.inet_ntoa(destination)
        self.xid, flags = message[4:8], message[10]
        self.wants_broadcast = bool(flags & 0x80)
        self.mac = message[28:34]
        self.holds = None if message[12:16] == bytes(4) else socket.inet_ntoa(message[12:16])
        assert message[236:240] == b"\x63\x82\x53\x63"
        self.options, at = {}, 240
        while message[at] != 255:
            self.options[message[at]] = message[at + 2:at + 2 + message[at + 1]]
            at += 2 + message[at + 1]
        self.type = self.options[53][0]

    def __repr__(self):
        return "%d to %s, holds %s" % (self.type, self.to, self.holds)


class DHCPServer:
    """answer(question) gives None, NAK, or (address, seconds). `asked` has each question."""

    def __init__(self, answer):
        self.answer, self.asked, self.error = answer, [], None
        self.port, self.guest_port = free_port(), free_port()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def net(self):
        """QEMU's words for it."""
        return ("dgram,local.type=inet,local.host=127.0.0.1,local.port=%d,remote.type=inet,remote.host=127.0.0.1,"
                "remote.port=%d" % (self.guest_port, self.port))

    def close(self):
        self.socket.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()

    def _run(self):
        try:
            while True:
                frame = self.socket.recv(65536)
                if not frame:
                    return
                self._take(frame)
        except Exception as e:  # for the test to show
            self.error = e

    def _send(self, to, kind, content):
        self.socket.sendto(to + OUR_MAC + struct.pack(">H", kind) + content, ("127.0.0.1", self.guest_port))

    def _take(self, frame):
        kind = struct.unpack(">H", frame[12:14])[0]
        if kind == 0x0806 and frame[20:22] == b"\0\1" and frame[38:42] == ip(SERVER):
            mac, address = frame[22:28], frame[28:32]
            self._send(mac, kind, frame[14:20] + b"\0\2" + OUR_MAC + ip(SERVER) + mac + address)
        elif kind == 0x0800 and frame[23] == 17:
            udp = frame[14 + 4 * (frame[14] & 15):]
            if udp[2:4] == struct.pack(">H", 67):
                question = Question(frame[30:34], udp[8:])
                self.asked.append(question)
                answer = self.answer(question)
                if answer is not None:
                    self._reply(question, answer)

    def _reply(self, q, answer):
        address, seconds = ("0.0.0.0", None) if answer == NAK else answer
        options = b"\x35\1" + bytes([NAK if answer == NAK else OFFER if q.type == DISCOVER else ACK])
        options += b"\x36\4" + ip(SERVER)
        if seconds is not None:
            options += b"\x33\4" + struct.pack(">I", seconds) + b"\1\4\xff\xff\xff\0" + b"\3\4" + ip(SERVER)
        message = (b"\2\1\6\0" + q.xid + bytes(8) + ip(address) + bytes(8) + q.mac + bytes(202) + b"\x63\x82\x53\x63" +
                   options + b"\xff")
        to_all = q.wants_broadcast or answer == NAK
        destination = b"\xff" * 4 if to_all else ip(q.holds)
        udp = struct.pack(">HHHH", 67, 68, 8 + len(message), 0) + message
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ip(SERVER) + destination
        self._send(EVERYBODY if to_all else q.mac, 0x0800, head[:10] + checksum(head) + head[12:] + udp)
