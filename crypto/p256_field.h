/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: what an element of its field is: an integer modulo
 *
 *     p = 2^256 - 2^224 + 2^192 + 2^96 - 1
 *
 * in four words, the lowest first, in Montgomery form (x stands as x * 2^256 mod p) and always below p.
 *
 * Two headers have the same functions on it, fe_mul, fe_sqr, fe_add, fe_sub and fe_half, all constant-time, and each
 * may write its result over an operand: p256_field_portable.h and p256_field_x86.h. Both reduce word by word. The form
 * of p makes that cheap: its lowest word is 2^64 - 1, so what clears the lowest word t of a number is to add t * p
 * itself, and of
 *
 *     t * p = t * 2^192 * (2^64 - 2^32 + 1) + t * 2^96 - t
 *
 * the last term does the clearing, t * 2^96 is two shifts, and the first is one product with the highest word of p.
 */
#ifndef CRYPTO_P256_FIELD_H
#define CRYPTO_P256_FIELD_H

#ifdef __SIZEOF_INT128__

#include "crypto/p256_words.h"

struct p256_fe {
    uint64_t w[4];
};

/* The words of p are 2^64 - 1, P256_P1, 0, P256_P3. */
#define P256_P1 UINT64_C(0x00000000ffffffff)
#define P256_P3 UINT64_C(0xffffffff00000001)

#endif
#endif
