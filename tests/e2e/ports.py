# SPDX-License-Identifier: MIT
"""Free ports on loopback, never given twice: not by this run, and not to another run on the same machine.

They come from below the kernel's ephemeral range, so no outgoing connection takes one between the choice and the
bind; a lock on a file for each port keeps other runs of this suite off it for as long as this process lives.
"""
import fcntl
import os
import random
import socket
import tempfile

_FIRST, _LAST = 12000, 31999
_locks = []
_folder = os.path.join(tempfile.gettempdir(), "proxy-e2e-ports-%d" % os.getuid())
_next = random.randrange(_FIRST, _LAST)


def _is_free(port):
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            s = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue
        with s:
            try:
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind((host, port))
            except OSError as e:
                if family == socket.AF_INET:
                    return False
                if e.errno == 98:
                    return False
    return True


def free_port():
    global _next
    os.makedirs(_folder, exist_ok=True)
    for _ in range(_LAST - _FIRST):
        _next = _next + 1 if _next < _LAST else _FIRST
        lock = os.open(os.path.join(_folder, str(_next)), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        if _is_free(_next):
            _locks.append(lock)
            return _next
        os.close(lock)
    raise RuntimeError("no free port left between %d and %d" % (_FIRST, _LAST))
