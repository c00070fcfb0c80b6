#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the keys of this folder anew: PKCS#1 in DER, with primes by `openssl prime`."""

import math
import pathlib
import subprocess

# Name, bits of p, bits of q, public exponent, which prime is larger ("p", "q", or as their bits say).
KEYS = [
    ("256", 128, 128, 65537, ""),
    ("1024", 512, 512, 65537, ""),
    ("1024-e3", 512, 512, 3, ""),
    ("1024-e5", 512, 512, 5, ""),
    ("1024-e7", 512, 512, 7, ""),
    ("1024-e17", 512, 512, 17, ""),
    ("1024-e257", 512, 512, 257, ""),
    ("1025", 513, 512, 65537, ""),
    ("2047", 1024, 1023, 65537, ""),
    ("2048", 1024, 1024, 65537, "p"),
    ("2048-p-below-q", 1024, 1024, 65537, "q"),
    ("2048-512-1536", 512, 1536, 65537, ""),
    ("2048-1536-512", 1536, 512, 65537, ""),
    ("2049", 1025, 1024, 65537, ""),
    ("3072", 1536, 1536, 65537, ""),
    ("4096", 2048, 2048, 65537, ""),
    ("4096-2080-2016", 2080, 2016, 65537, ""),
]


def prime(bits):
    out = subprocess.run(["openssl", "prime", "-generate", "-bits", str(bits), "-hex"], check=True,
                         capture_output=True, text=True)
    return int(out.stdout.strip(), 16)


def primes(bits_p, bits_q, e, larger):
    while True:
        p, q = prime(bits_p), prime(bits_q)
        if larger == "p" and p < q or larger == "q" and p > q:
            p, q = q, p
        if (p * q).bit_length() == bits_p + bits_q and math.gcd((p - 1) * (q - 1), e) == 1:
            return p, q


def tlv(tag, content):
    n = len(content)
    length = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes(
        (n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + content


def integer(x):
    return tlv(2, x.to_bytes(x.bit_length() // 8 + 1, "big"))


def main():
    folder = pathlib.Path(__file__).parent
    for name, bits_p, bits_q, e, larger in KEYS:
        p, q = primes(bits_p, bits_q, e, larger)
        d = pow(e, -1, math.lcm(p - 1, q - 1))
        numbers = [0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
        (folder / f"{name}.der").write_bytes(tlv(0x30, b"".join(map(integer, numbers))))


if __name__ == "__main__":
    main()
