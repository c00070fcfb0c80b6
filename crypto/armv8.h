/* SPDX-License-Identifier: MIT
 *
 * What the *_armv8.c files share: the compiler's leave to use the Cryptographic Extension of 64-bit ARM (Arm ARM,
 * FEAT_AES, FEAT_PMULL, FEAT_SHA256), one block of AES, and the field of GHASH. Of no interest to others.
 *
 * Little-endian alone: in big-endian systems, which are rare, lanes do not lie in memory as they are numbered.
 *
 * Constant time: these instructions take as long for one operand as for another.
 */
#ifndef CRYPTO_ARMV8_H
#define CRYPTO_ARMV8_H

#ifdef __AARCH64EL__

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __clang__
/* Up to clang 15 the header hides what the command line's processor lacks, whatever a function's own target. */
#ifndef __ARM_FEATURE_AES
#define __ARM_FEATURE_AES 1
#endif
#ifndef __ARM_FEATURE_SHA2
#define __ARM_FEATURE_SHA2 1
#endif
#define ARMV8_TARGET "aes,sha2"
#else
#define ARMV8_TARGET "+crypto"
#endif
#include <arm_neon.h>

#define ARMV8_CRYPTO __attribute__((target(ARMV8_TARGET)))
#define ARMV8_INLINE __attribute__((target(ARMV8_TARGET), always_inline)) static inline

enum { ARMV8_BLOCK = 16 };

ARMV8_INLINE uint8x16_t armv8_load(const void *p)
{
    return vld1q_u8(p);
}

ARMV8_INLINE void armv8_store(void *p, uint8x16_t v)
{
    vst1q_u8(p, v);
}

/* Of a block of 1 to 16 bytes, those, and zeros. */
ARMV8_INLINE uint8x16_t armv8_load_part(const uint8_t *p, size_t n)
{
    uint8_t block[ARMV8_BLOCK] = {0};

    if (n == ARMV8_BLOCK)
        return armv8_load(p);
    memcpy(block, p, n);
    return armv8_load(block);
}

/* Writes the first n bytes of v, 1 to 16, and answers them with zeros behind. */
ARMV8_INLINE uint8x16_t armv8_store_part(uint8_t *p, size_t n, uint8x16_t v)
{
    uint8_t block[ARMV8_BLOCK];

    if (n == ARMV8_BLOCK) {
        armv8_store(p, v);
        return v;
    }
    armv8_store(block, v);
    memcpy(p, block, n);
    memset(block + n, 0, sizeof block - n);
    return armv8_load(block);
}

/* ---- AES (FIPS 197) ---------------------------------------------------------------------------------- */

/* A round but the last: the instruction adds the key first, so the pair for round i takes the key before it. */
ARMV8_INLINE uint8x16_t armv8_aes_round(uint8x16_t b, uint8x16_t k)
{
    return vaesmcq_u8(vaeseq_u8(b, k));
}

ARMV8_INLINE uint8x16_t armv8_aes(const uint8_t (*rk)[16], unsigned rounds, uint8x16_t b)
{
    for (unsigned i = 0; i < rounds - 1; i++)
        b = armv8_aes_round(b, armv8_load(rk[i]));
    return veorq_u8(vaeseq_u8(b, armv8_load(rk[rounds - 1])), armv8_load(rk[rounds]));
}

/* Counter blocks (NIST SP 800-38A, with a counter of 32 bits as in SP 800-38D) are kept with the bytes of each
 * word reversed, so that the last lane counts. */
ARMV8_INLINE uint32x4_t armv8_counter(const void *iv, uint32_t n)
{
    uint8_t block[ARMV8_BLOCK] = {0};

    memcpy(block, iv, 12);
    return vsetq_lane_u32(n, vreinterpretq_u32_u8(vrev32q_u8(armv8_load(block))), 3);
}

ARMV8_INLINE uint8x16_t armv8_next_counter(uint32x4_t *counter)
{
    uint8x16_t block = vrev32q_u8(vreinterpretq_u8_u32(*counter));

    *counter = vaddq_u32(*counter, vsetq_lane_u32(1, vdupq_n_u32(0), 3));
    return block;
}

/* ---- GHASH (NIST SP 800-38D §6.4) -------------------------------------------------------------------- */

/* A block's first bit is the coefficient of 1, and a byte's first bit its highest: with the bits of every byte
 * reversed, a block is a polynomial as PMULL knows them, x^n in bit n. */
ARMV8_INLINE uint64x2_t armv8_field(uint8x16_t block)
{
    return vreinterpretq_u64_u8(vrbitq_u8(block));
}

ARMV8_INLINE uint8x16_t armv8_from_field(uint64x2_t v)
{
    return vrbitq_u8(vreinterpretq_u8_u64(v));
}

ARMV8_INLINE uint64x2_t armv8_mul_low(uint64x2_t a, uint64x2_t b)
{
    return vreinterpretq_u64_p128(vmull_p64((poly64_t)vgetq_lane_u64(a, 0), (poly64_t)vgetq_lane_u64(b, 0)));
}

ARMV8_INLINE uint64x2_t armv8_mul_high(uint64x2_t a, uint64x2_t b)
{
    return vreinterpretq_u64_p128(vmull_high_p64(vreinterpretq_p64_u64(a), vreinterpretq_p64_u64(b)));
}

ARMV8_INLINE uint64x2_t armv8_swap(uint64x2_t v)
{
    return vextq_u64(v, v, 1);
}

/* A factor, and in both halves the sum of its halves (Karatsuba: three multiplications for four). */
struct armv8_factor {
    uint64x2_t h, halves;
};

ARMV8_INLINE struct armv8_factor armv8_factor(uint64x2_t h)
{
    return (struct armv8_factor){h, veorq_u64(h, armv8_swap(h))};
}

/* A sum of products: the halves', and that of the sums of halves. */
struct armv8_products {
    uint64x2_t low, middle, high;
};

ARMV8_INLINE struct armv8_products armv8_no_products(void)
{
    return (struct armv8_products){vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0)};
}

ARMV8_INLINE void armv8_add_product(struct armv8_products *sum, uint64x2_t a, struct armv8_factor f)
{
    sum->low = veorq_u64(sum->low, armv8_mul_low(a, f.h));
    sum->high = veorq_u64(sum->high, armv8_mul_high(a, f.h));
    sum->middle = veorq_u64(sum->middle, armv8_mul_low(veorq_u64(a, armv8_swap(a)), f.halves));
}

/* Modulo x^128 + x^7 + x^2 + x + 1: 64 bits from the top at a time. */
ARMV8_INLINE uint64x2_t armv8_reduce(struct armv8_products sum)
{
    const uint64x2_t polynomial = vdupq_n_u64(0x87), zero = vdupq_n_u64(0);
    uint64x2_t middle = veorq_u64(sum.middle, veorq_u64(sum.low, sum.high));
    uint64x2_t low = veorq_u64(sum.low, vextq_u64(zero, middle, 1));
    uint64x2_t high = veorq_u64(sum.high, vextq_u64(middle, zero, 1));
    uint64x2_t top = armv8_mul_high(high, polynomial);

    low = veorq_u64(low, vextq_u64(zero, top, 1));
    high = veorq_u64(high, vextq_u64(top, zero, 1));
    return veorq_u64(low, armv8_mul_low(high, polynomial));
}

ARMV8_INLINE uint64x2_t armv8_multiply(uint64x2_t a, struct armv8_factor f)
{
    struct armv8_products sum = armv8_no_products();

    armv8_add_product(&sum, a, f);
    return armv8_reduce(sum);
}

#endif
#endif
