/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: numbers of four words, the lowest first. Constant-time.
 */
#ifndef CRYPTO_P256_WORDS_H
#define CRYPTO_P256_WORDS_H

#ifdef __SIZEOF_INT128__

#include <stdint.h>

#define P256_INLINE static inline __attribute__((always_inline))

typedef unsigned __int128 p256_u128;

/* a + b + *carry, with the carry that comes out. */
P256_INLINE uint64_t p256_add_carry(uint64_t a, uint64_t b, uint64_t *carry)
{
    p256_u128 sum = (p256_u128)a + b + *carry;

    *carry = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
}

P256_INLINE uint64_t p256_sub_borrow(uint64_t a, uint64_t b, uint64_t *borrow)
{
    p256_u128 difference = (p256_u128)a - b - *borrow;

    *borrow = (uint64_t)(difference >> 64) & 1;
    return (uint64_t)difference;
}

/* a + b * c + *carry, which two words hold, with the high one as the carry. */
P256_INLINE uint64_t p256_mul_carry(uint64_t a, uint64_t b, uint64_t c, uint64_t *carry)
{
    p256_u128 sum = (p256_u128)b * c + a + *carry;

    *carry = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
}

/* All ones when v is 0, else 0. */
P256_INLINE uint64_t p256_mask_zero(uint64_t v)
{
    return ((v | (0 - v)) >> 63) - 1;
}

P256_INLINE void p256_set(uint64_t w[4], uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
    w[0] = w0;
    w[1] = w1;
    w[2] = w2;
    w[3] = w3;
}

/* Four words from 32 bytes of network order, and back. */
P256_INLINE void p256_read(uint64_t w[4], const uint8_t *from)
{
    for (unsigned i = 0; i < 4; i++, from += 8) {
        uint64_t v = 0;

        for (unsigned j = 0; j < 8; j++)
            v = v << 8 | from[j];
        w[3 - i] = v;
    }
}

P256_INLINE void p256_write(uint8_t *to, const uint64_t w[4])
{
    for (unsigned i = 0; i < 4; i++, to += 8)
        for (unsigned j = 0; j < 8; j++)
            to[j] = (uint8_t)(w[3 - i] >> (56 - 8 * j));
}

#endif
#endif
