/* SPDX-License-Identifier: MIT
 *
 * Numbers modulo p = 2^255 - 19 for crypto/x25519.c: five limbs of 51 bits, for any machine that multiplies 64 bits
 * by 64. The limbs have room above, so that additions carry nothing:
 *
 *   tight   limbs below 2^51 + 2^15: what fe_mul, fe_sqr, fe_mul_small, fe_load and fe_tighten give
 *   loose   limbs below 2^53: what fe_add and fe_sub give
 *
 * Everything takes loose numbers, but fe_add and fe_sub take tight ones. A result may stand where an operand does.
 * Constant-time as far as the machine's multiplication is: no branch and no address depends on a number.
 */
#ifndef CRYPTO_FE25519_M64_H
#define CRYPTO_FE25519_M64_H

#ifdef __SIZEOF_INT128__

#include <stdint.h>

#define FE_INLINE __attribute__((always_inline)) static inline
/* Long ones; a call costs them nothing that could be measured. */
#define FE_CALLED __attribute__((noinline)) static

typedef unsigned __int128 fe_wide;

struct fe {
    uint64_t v[5]; /* the lowest first */
};

enum { FE_BITS = 51 };
#define FE_MASK (((uint64_t)1 << FE_BITS) - 1)

/* Keeps the compiler from adding two limbs at once: such a pair is loaded slowly after it was stored limb by limb. */
FE_INLINE uint64_t fe_scalar(uint64_t limb)
{
    __asm__("" : "+r"(limb));
    return limb;
}

FE_INLINE fe_wide fe_product(uint64_t a, uint64_t b)
{
    return (fe_wide)a * b;
}

/* Columns below 2^115, the highest below 2^110. Every carry is made at once, and once more; what is carried out of the
 * highest comes back 19-fold. From limb to limb would take fewer steps, but each would wait for the one before. */
FE_INLINE void fe_carry(struct fe *r, fe_wide c0, fe_wide c1, fe_wide c2, fe_wide c3, fe_wide c4)
{
    uint64_t z0 = ((uint64_t)c0 & FE_MASK) + (uint64_t)(c4 >> FE_BITS) * 19;
    uint64_t z1 = ((uint64_t)c1 & FE_MASK) + (uint64_t)(c0 >> FE_BITS);
    uint64_t z2 = ((uint64_t)c2 & FE_MASK) + (uint64_t)(c1 >> FE_BITS);
    uint64_t z3 = ((uint64_t)c3 & FE_MASK) + (uint64_t)(c2 >> FE_BITS);
    uint64_t z4 = ((uint64_t)c4 & FE_MASK) + (uint64_t)(c3 >> FE_BITS);

    r->v[0] = (z0 & FE_MASK) + (z4 >> FE_BITS) * 19;
    r->v[1] = (z1 & FE_MASK) + (z0 >> FE_BITS);
    r->v[2] = (z2 & FE_MASK) + (z1 >> FE_BITS);
    r->v[3] = (z3 & FE_MASK) + (z2 >> FE_BITS);
    r->v[4] = (z4 & FE_MASK) + (z3 >> FE_BITS);
}

FE_CALLED void fe_mul(struct fe *r, const struct fe *a, const struct fe *b)
{
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    uint64_t b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
    uint64_t d1 = 19 * b1, d2 = 19 * b2, d3 = 19 * b3, d4 = 19 * b4;

    fe_carry(r,
             fe_product(a0, b0) + fe_product(a1, d4) + fe_product(a2, d3) + fe_product(a3, d2) +
                 fe_product(a4, d1),
             fe_product(a0, b1) + fe_product(a1, b0) + fe_product(a2, d4) + fe_product(a3, d3) +
                 fe_product(a4, d2),
             fe_product(a0, b2) + fe_product(a1, b1) + fe_product(a2, b0) + fe_product(a3, d4) +
                 fe_product(a4, d3),
             fe_product(a0, b3) + fe_product(a1, b2) + fe_product(a2, b1) + fe_product(a3, b0) +
                 fe_product(a4, d4),
             fe_product(a0, b4) + fe_product(a1, b3) + fe_product(a2, b2) + fe_product(a3, b1) +
                 fe_product(a4, b0));
}

FE_CALLED void fe_sqr(struct fe *r, const struct fe *a)
{
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    uint64_t twice0 = 2 * a0, twice1 = 2 * a1, d3 = 19 * a3, d4 = 19 * a4;

    fe_carry(r, fe_product(a0, a0) + fe_product(twice1, d4) + fe_product(2 * a2, d3),
             fe_product(twice0, a1) + fe_product(2 * a2, d4) + fe_product(a3, d3),
             fe_product(twice0, a2) + fe_product(a1, a1) + fe_product(2 * a3, d4),
             fe_product(twice0, a3) + fe_product(twice1, a2) + fe_product(a4, d4),
             fe_product(twice0, a4) + fe_product(twice1, a3) + fe_product(a2, a2));
}

/* r = a + small * b */
FE_INLINE void fe_mul_small(struct fe *r, const struct fe *a, const struct fe *b, uint32_t small)
{
    fe_carry(r, fe_product(b->v[0], small) + a->v[0], fe_product(b->v[1], small) + a->v[1],
             fe_product(b->v[2], small) + a->v[2], fe_product(b->v[3], small) + a->v[3],
             fe_product(b->v[4], small) + a->v[4]);
}

FE_INLINE void fe_add(struct fe *r, const struct fe *a, const struct fe *b)
{
#pragma GCC unroll 5
    for (unsigned i = 0; i < 5; i++)
        r->v[i] = fe_scalar(a->v[i] + b->v[i]);
}

/* With 2p added, so that no limb is negative. */
FE_INLINE void fe_sub(struct fe *r, const struct fe *a, const struct fe *b)
{
    r->v[0] = fe_scalar(a->v[0] + 2 * (FE_MASK - 18) - b->v[0]);
#pragma GCC unroll 5
    for (unsigned i = 1; i < 5; i++)
        r->v[i] = fe_scalar(a->v[i] + 2 * FE_MASK - b->v[i]);
}

FE_INLINE void fe_tighten(struct fe *r, const struct fe *a)
{
    fe_carry(r, a->v[0], a->v[1], a->v[2], a->v[3], a->v[4]);
}

/* r = choose ? b : a; choose is 0 or 1. */
FE_INLINE void fe_select(struct fe *r, const struct fe *a, const struct fe *b, uint64_t choose)
{
    uint64_t mask = 0 - choose;

    /* So that the compiler sees no condition that it could branch on. */
    __asm__("" : "+r"(mask));
#pragma GCC unroll 5
    for (unsigned i = 0; i < 5; i++)
        r->v[i] = a->v[i] ^ (mask & (a->v[i] ^ b->v[i]));
}

/* Of words, the lowest first; below 2^255. */
FE_INLINE void fe_load(struct fe *r, const uint64_t words[4])
{
    r->v[0] = words[0] & FE_MASK;
    r->v[1] = (words[0] >> 51 | words[1] << 13) & FE_MASK;
    r->v[2] = (words[1] >> 38 | words[2] << 26) & FE_MASK;
    r->v[3] = (words[2] >> 25 | words[3] << 39) & FE_MASK;
    r->v[4] = words[3] >> 12;
}

/* The one below p that a tight number stands for: it is below 2p, and at least p when 19 more reach bit 255. */
FE_INLINE void fe_store(uint64_t words[4], const struct fe *a)
{
    struct fe t = *a;
    uint64_t carry = 19;

    for (unsigned i = 0; i < 5; i++)
        carry = (t.v[i] + carry) >> FE_BITS;
    carry *= 19;
    for (unsigned i = 0; i < 5; i++) {
        t.v[i] += carry;
        carry = t.v[i] >> FE_BITS;
        t.v[i] &= FE_MASK;
    }
    words[0] = t.v[0] | t.v[1] << 51;
    words[1] = t.v[1] >> 13 | t.v[2] << 38;
    words[2] = t.v[2] >> 26 | t.v[3] << 25;
    words[3] = t.v[3] >> 39 | t.v[4] << 12;
}

#endif
#endif
