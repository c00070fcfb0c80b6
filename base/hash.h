/* SPDX-License-Identifier: MIT
 *
 * A keyed hash for tables whose keys come from outside: who does not know the key cannot make names that all fall
 * into one slot. SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). Not for
 * signatures, and not a digest.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* key: 128 bits from random_bytes, drawn once for each table. p may be NULL when n is 0. The result is the same on
 * every machine for a key read as two little-endian words. */
uint64_t hash_keyed(const uint64_t key[2], const void *p, size_t n);

#endif
