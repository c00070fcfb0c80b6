# SPDX-License-Identifier: MIT
"""A microVM in QEMU: what ./build.sh microvm makes, with ports of the machine's forwarded to it and a disk of a file. It
is emulated, as slow as that is; PROXY_TEST_KVM=1 takes KVM, which some machines show and cannot use."""
import os
import re
import shutil
import socket
import ssl
import subprocess
import time

from ports import free_port
from proxy import ROOT, environment
from rawhttp import Client, Ended, client_context
from waiting import until

KERNEL = os.path.join(ROOT, "build", "microvm", "kernel")
INITRAMFS = os.path.join(ROOT, "build", "microvm", "initramfs.cpio.gz")
HOST = "10.0.2.2"  # as the guest sees this machine's loopback
START = 90  # seconds that a boot may take


def why_not():
    if not shutil.which("qemu-system-x86_64"):
        return "no qemu-system-x86_64 here"
    if not os.path.exists(INITRAMFS):
        return "./build.sh microvm has not been run"
    return None


class Machine:
    """args: the proxy's. words: more for the kernel, NAME=VALUE. net: QEMU's own words for the network; {port} in them is
    to become port 443 of the guest. more: QEMU's options."""

    def __init__(self, folder, args, words="", disk=None, net="user,hostfwd=tcp:127.0.0.1:{port}-:443", more=()):
        self.port = free_port()
        self.log_path = os.path.join(folder, "console-%d" % self.port)
        self.monitor = os.path.join(folder, "monitor-%d" % self.port)
        kvm = os.environ.get("PROXY_TEST_KVM")
        argv = ["qemu-system-x86_64", "-accel", "kvm" if kvm else "tcg", "-cpu", "max", "-m", "128", "-nodefaults",
                "-no-user-config", "-no-reboot", "-display", "none", "-serial", "file:" + self.log_path,
                "-monitor", "unix:%s,server=on,wait=off" % self.monitor, "-kernel", KERNEL, "-initrd", INITRAMFS,
                "-append", "console=ttyS0 quiet panic=-1 %s -- %s" % (words, args), *more]
        if net:
            argv += ["-netdev", net.format(port=self.port) + ",id=net", "-device",
                     "virtio-net-pci,netdev=net,romfile=,mac=52:54:00:00:00:01"]
        if disk:
            argv += ["-drive", "if=none,id=state,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=state"]
        self.started = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=environment())

    def log(self):
        try:
            with open(self.log_path, "rb") as f:
                return f.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def running(self):
        assert self.process.poll() is None, "QEMU has ended:\n%s\n%s" % (self.process.stdout.read().decode(),
                                                                          self.log())
        return True

    def wait_log(self, pattern, timeout=START):
        rx = re.compile(pattern, re.M)
        try:
            return until(lambda: rx.search(self.log()) or not self.running(), timeout, pattern)
        except AssertionError as e:
            raise AssertionError("%s; the console:\n%s" % (e, self.log())) from None

    def get(self, host="localhost"):
        """The response, and the certificate in PEM."""
        with Client(("127.0.0.1", self.port), client_context(), host, timeout=10) as c:
            return c.get("/", host=host), ssl.DER_cert_to_PEM_cert(c.tls.getpeercert(True))

    def first_answer(self, host="localhost"):
        """As get, as soon as there is one; and the seconds since QEMU was started. QEMU itself takes connections before
        there is anybody to pass them on to."""
        def one():
            self.running()
            try:
                return self.get(host)
            except (OSError, Ended, ssl.SSLError):
                return None
        answer = until(one, START, "an answer over HTTPS")
        return (*answer, time.monotonic() - self.started)

    def press(self, keys):
        """By the monitor, which echoes the command between two prompts."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.monitor)
            s.sendall(b"sendkey %s\n" % keys.encode())
            seen, more = b"", True
            while more and seen.count(b"(qemu)") < 2:
                more = s.recv(4096)
                seen += more

    def wait(self, timeout=60):
        """Until it has turned itself off: QEMU's status."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("it is still on:\n%s" % self.log()) from None

    def stop(self):
        self.press("ctrl-alt-delete")
        return self.wait()

    def cut(self):
        """The power."""
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.cut()
        self.process.stdout.close()
