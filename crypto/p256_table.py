#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes crypto/p256_table.c, the multiples of P-256's generator that crypto/p256_curve.h adds up:
#
#     python3 crypto/p256_table.py >crypto/p256_table.c
#
# A multiplier below 2^256 stands as digits -1 and 1 at each of its 256 bits. Its 32 bytes are cut into blocks of
# BLOCKS bytes, from the lowest. What bit r of each byte of a block contributes is 2^r times an entry of the block's
# table or the negative of one. The entry's index has a bit for each byte but the block's highest, 1 for a digit 1,
# with the highest digit taken as 1: entry i of a block that starts at byte b and has n bytes is
#
#     (2^(8 (b + n - 1)) + sum for j < n - 1 of (bit j of i ? 1 : -1) * 2^(8 (b + j))) * G.

BLOCKS = [6, 6, 5, 5, 5, 5]
assert sum(BLOCKS) == 32

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, a):
    r = None
    for bit in bin(k % N)[2:]:
        r = add(r, r)
        if bit == "1":
            r = add(r, a)
    return r


def multiples():
    """The multiplier of each entry."""
    start = 0
    for n in BLOCKS:
        for i in range(2 ** (n - 1)):
            k = 2 ** (8 * (start + n - 1))
            for j in range(n - 1):
                k += (1 if i >> j & 1 else -1) * 2 ** (8 * (start + j))
            yield k
        start += n


def words(v):
    v = v * 2**256 % P
    return ", ".join(f"0x{v >> 64 * i & (2**64 - 1):016x}" for i in range(4))


def main():
    print("/* SPDX-License-Identifier: MIT")
    print(" *")
    print(" * Multiples of P-256's generator, made by p256_table.py, which says of what they are.")
    print(" */")
    print('#include "crypto/p256_table.h"')
    print()
    print("#ifdef __SIZEOF_INT128__")
    print()
    print("/* clang-format off */")
    print(f"const uint8_t p256_table_blocks[{len(BLOCKS)}] = {{{', '.join(map(str, BLOCKS))}}};")
    print()
    print("const struct p256_affine p256_table[P256_TABLE] = {")
    for k in multiples():
        x, y = multiply(k, G)
        print(f"    {{{{{{{words(x)}}}}},")
        print(f"     {{{{{words(y)}}}}}}},")
    print("};")
    print("/* clang-format on */")
    print()
    print("#endif")


if __name__ == "__main__":
    main()
