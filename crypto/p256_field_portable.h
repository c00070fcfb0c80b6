/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: the field in C, for every 64-bit processor; see p256_field.h.
 */
#ifndef CRYPTO_P256_FIELD_PORTABLE_H
#define CRYPTO_P256_FIELD_PORTABLE_H

#include "crypto/p256_field.h"

#ifdef __SIZEOF_INT128__

/* t + carry * 2^256, which is below 2p, modulo p. */
P256_INLINE void fe_reduce_once(struct p256_fe *r, const uint64_t t[4], uint64_t carry)
{
    uint64_t borrow = 0, keep;
    uint64_t d0 = p256_sub_borrow(t[0], UINT64_MAX, &borrow);
    uint64_t d1 = p256_sub_borrow(t[1], P256_P1, &borrow);
    uint64_t d2 = p256_sub_borrow(t[2], 0, &borrow);
    uint64_t d3 = p256_sub_borrow(t[3], P256_P3, &borrow);

    keep = 0 - (borrow & (carry ^ 1));
    r->w[0] = d0 ^ ((d0 ^ t[0]) & keep);
    r->w[1] = d1 ^ ((d1 ^ t[1]) & keep);
    r->w[2] = d2 ^ ((d2 ^ t[2]) & keep);
    r->w[3] = d3 ^ ((d3 ^ t[3]) & keep);
}

P256_INLINE void fe_add(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b)
{
    uint64_t t[4], carry = 0;

    for (unsigned i = 0; i < 4; i++)
        t[i] = p256_add_carry(a->w[i], b->w[i], &carry);
    fe_reduce_once(r, t, carry);
}

P256_INLINE void fe_sub(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b)
{
    uint64_t t[4], borrow = 0, carry = 0, mask;

    for (unsigned i = 0; i < 4; i++)
        t[i] = p256_sub_borrow(a->w[i], b->w[i], &borrow);
    mask = 0 - borrow;
    r->w[0] = p256_add_carry(t[0], mask, &carry);
    r->w[1] = p256_add_carry(t[1], mask & P256_P1, &carry);
    r->w[2] = p256_add_carry(t[2], 0, &carry);
    r->w[3] = t[3] + (mask & P256_P3) + carry;
}

/* a / 2. */
P256_INLINE void fe_half(struct p256_fe *r, const struct p256_fe *a)
{
    uint64_t mask = 0 - (a->w[0] & 1), carry = 0;
    uint64_t t0 = p256_add_carry(a->w[0], mask, &carry);
    uint64_t t1 = p256_add_carry(a->w[1], mask & P256_P1, &carry);
    uint64_t t2 = p256_add_carry(a->w[2], 0, &carry);
    uint64_t t3 = p256_add_carry(a->w[3], mask & P256_P3, &carry);

    r->w[0] = t0 >> 1 | t1 << 63;
    r->w[1] = t1 >> 1 | t2 << 63;
    r->w[2] = t2 >> 1 | t3 << 63;
    r->w[3] = t3 >> 1 | carry << 63;
}

/* Takes the lowest word off t0 to t4, whose sum with the multiple of p stays below 2^320. */
P256_INLINE void fe_reduce_word(uint64_t t0, uint64_t *t1, uint64_t *t2, uint64_t *t3, uint64_t *t4)
{
    p256_u128 high = (p256_u128)t0 * P256_P3;
    uint64_t carry = 0;

    *t1 = p256_add_carry(*t1, t0 << 32, &carry);
    *t2 = p256_add_carry(*t2, t0 >> 32, &carry);
    *t3 = p256_add_carry(*t3, (uint64_t)high, &carry);
    *t4 = (uint64_t)(high >> 64) + carry;
}

/* t / 2^256 modulo p. */
P256_INLINE void fe_reduce(struct p256_fe *r, uint64_t t[8])
{
    uint64_t carry = 0, w0 = t[0], w1 = t[1], w2 = t[2], w3 = t[3];

    fe_reduce_word(w0, &w1, &w2, &w3, &w0);
    fe_reduce_word(w1, &w2, &w3, &w0, &w1);
    fe_reduce_word(w2, &w3, &w0, &w1, &w2);
    fe_reduce_word(w3, &w0, &w1, &w2, &w3);
    t[4] = p256_add_carry(t[4], w0, &carry);
    t[5] = p256_add_carry(t[5], w1, &carry);
    t[6] = p256_add_carry(t[6], w2, &carry);
    t[7] = p256_add_carry(t[7], w3, &carry);
    fe_reduce_once(r, t + 4, carry);
}

/* t[0..4] += a * b, of which t[4] is new. */
P256_INLINE void fe_mul_row(uint64_t t[5], const struct p256_fe *a, uint64_t b)
{
    uint64_t carry = 0;

    t[0] = p256_mul_carry(t[0], a->w[0], b, &carry);
    t[1] = p256_mul_carry(t[1], a->w[1], b, &carry);
    t[2] = p256_mul_carry(t[2], a->w[2], b, &carry);
    t[3] = p256_mul_carry(t[3], a->w[3], b, &carry);
    t[4] = carry;
}

static __attribute__((noinline)) void fe_mul(struct p256_fe *r, const struct p256_fe *a,
                                             const struct p256_fe *b)
{
    uint64_t t[8] = {0};

    fe_mul_row(t, a, b->w[0]);
    fe_mul_row(t + 1, a, b->w[1]);
    fe_mul_row(t + 2, a, b->w[2]);
    fe_mul_row(t + 3, a, b->w[3]);
    fe_reduce(r, t);
}

/* Each product of two different words counts twice. */
static __attribute__((noinline)) void fe_sqr(struct p256_fe *r, const struct p256_fe *a)
{
    uint64_t t[8] = {0}, carry = 0;

    t[1] = p256_mul_carry(0, a->w[0], a->w[1], &carry);
    t[2] = p256_mul_carry(0, a->w[0], a->w[2], &carry);
    t[3] = p256_mul_carry(0, a->w[0], a->w[3], &carry);
    t[4] = carry;
    carry = 0;
    t[3] = p256_mul_carry(t[3], a->w[1], a->w[2], &carry);
    t[4] = p256_mul_carry(t[4], a->w[1], a->w[3], &carry);
    t[5] = carry;
    carry = 0;
    t[5] = p256_mul_carry(t[5], a->w[2], a->w[3], &carry);
    t[6] = carry;
    t[7] = t[6] >> 63;
    t[6] = t[6] << 1 | t[5] >> 63;
    t[5] = t[5] << 1 | t[4] >> 63;
    t[4] = t[4] << 1 | t[3] >> 63;
    t[3] = t[3] << 1 | t[2] >> 63;
    t[2] = t[2] << 1 | t[1] >> 63;
    t[1] = t[1] << 1;
    carry = 0;
    for (unsigned i = 0; i < 4; i++) {
        p256_u128 square = (p256_u128)a->w[i] * a->w[i];

        t[2 * i] = p256_add_carry(t[2 * i], (uint64_t)square, &carry);
        t[2 * i + 1] = p256_add_carry(t[2 * i + 1], (uint64_t)(square >> 64), &carry);
    }
    fe_reduce(r, t);
}

#endif
#endif
