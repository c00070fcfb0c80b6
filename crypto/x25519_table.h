/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/x25519: multiples of the base point B of edwards25519 (RFC 7748 §4.1), 9 KiB, for the
 * multiplication of the generator by a signed comb (Hamburg, "Fast and compact elliptic-curve cryptography", §3.3).
 *
 * An odd m between -2^255 and 2^255 is the sum of +-2^i for i below 255. These 255 signs are a comb of 5 teeth, 51
 * columns apart: column c has the signs of 2^c, 2^(c+51), ... 2^(c+204). Columns are shared out to 6 tables of 9 rows:
 * table t has every sum that its column 9t can be, and row r of it counts 2^r times as much, by doubling. So a
 * product takes 51 additions and 8 doublings. Of two sums that differ in sign the table has that with +2^(204+9t);
 * the other signs make the index, a bit 1 for plus.
 */
#ifndef CRYPTO_X25519_TABLE_H
#define CRYPTO_X25519_TABLE_H

#ifdef __SIZEOF_INT128__

#include <stdint.h>

enum {
    X25519_TEETH = 5,
    X25519_COLUMNS = 51,
    X25519_TABLES = 6,
    X25519_ROWS = 9,
    X25519_ENTRIES = 1 << (X25519_TEETH - 1),
};

/* A point (x, y), each number below p as words, the lowest first. Halved, they save the addition a doubling. */
struct x25519_entry {
    _Alignas(32) uint64_t sum[4]; /* (y + x) / 2 */
    uint64_t difference[4];       /* (y - x) / 2 */
    uint64_t product[4];          /* d x y */
};

/* Of 8B, since clamped scalars are multiples of 8. */
extern const struct x25519_entry x25519_table[X25519_TABLES][X25519_ENTRIES];

#endif
#endif
