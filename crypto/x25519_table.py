#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes crypto/x25519_table.c: multiples of the base point of edwards25519 (RFC 7748 section 4.1), for the fast
# multiplication of the generator. What is in it and why, crypto/x25519_table.h says.
#
#     python3 crypto/x25519_table.py >crypto/x25519_table.c

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
TEETH, COLUMNS, TABLES, ROWS = 5, 51, 6, 9

HEAD = """\
/* SPDX-License-Identifier: MIT
 *
 * Written by crypto/x25519_table.py. Multiples of the base point: see crypto/x25519_table.h.
 */
#include "crypto/x25519_table.h"

#ifdef __SIZEOF_INT128__

/* clang-format off */
const struct x25519_entry x25519_table[X25519_TABLES][X25519_ENTRIES] = {"""

FOOT = """\
};
/* clang-format on */

#endif"""


def add(a, b):
    """Points (x, y) of -x^2 + y^2 = 1 + D x^2 y^2; the law is complete."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P,
    )


def double(a, times):
    for _ in range(times):
        a = add(a, a)
    return a


def negate(a):
    return -a[0] % P, a[1]


def base():
    """y = 4/5 and the even x (RFC 8032 section 5.1)."""
    y = 4 * pow(5, -1, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    return (x if x % 2 == 0 else P - x), y


def words(v):
    return ", ".join(f"0x{v >> 64 * i & 2**64 - 1:016x}" for i in range(4))


def main():
    print(HEAD)
    for table in range(TABLES):
        first = double(base(), 3 + ROWS * table)  # the 3: clamped scalars are multiples of 8
        teeth = [double(first, COLUMNS * i) for i in range(TEETH)]
        print("    {")
        for index in range(2 ** (TEETH - 1)):
            x, y = teeth[TEETH - 1]
            for i in range(TEETH - 1):
                x, y = add((x, y), teeth[i] if index >> i & 1 else negate(teeth[i]))
            half = pow(2, -1, P)
            print("        {")
            print(f"            {{{words((y + x) * half % P)}}},")
            print(f"            {{{words((y - x) * half % P)}}},")
            print(f"            {{{words(D * x * y % P)}}},")
            print("        },")
        print("    },")
    print(FOOT)


main()
