/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: a .c file includes this once, behind the field that it is to work with, to define P256_OPS, a
 * struct p256_ops. Formulas are those of Cohen, Miyaji and Ono ("Efficient elliptic curve exponentiation using mixed
 * coordinates", 1998), with the double scaled so that it halves once instead of doubling six times.
 */
#ifndef CRYPTO_P256_FORMULAS_H
#define CRYPTO_P256_FORMULAS_H

#include "base/bytes.h"
#include "crypto/p256_point.h"

P256_INLINE uint64_t fe_mask_zero(const struct p256_fe *a)
{
    return p256_mask_zero(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

/* a, or -a where `minus` is all ones and not 0. The compiler may do the masking by vectors, whose stores a load of a
 * word need not wait for; the other way around it would. */
P256_INLINE void fe_sign(struct p256_fe *r, const struct p256_fe *a, uint64_t minus)
{
    struct p256_fe positive BYTES_UNSET, negative BYTES_UNSET;

    for (unsigned i = 0; i < 4; i++) {
        positive.w[i] = a->w[i] & ~minus;
        negative.w[i] = a->w[i] & minus;
    }
    fe_sub(r, &positive, &negative);
}

static void twice(struct p256_point *r, const struct p256_point *p)
{
    struct p256_fe zz BYTES_UNSET, yy BYTES_UNSET, xyy BYTES_UNSET, m BYTES_UNSET, s BYTES_UNSET,
        t BYTES_UNSET;

    fe_sqr(&zz, &p->z);
    fe_mul(&r->z, &p->y, &p->z);
    fe_sqr(&yy, &p->y);
    fe_sub(&s, &p->x, &zz);
    fe_add(&t, &p->x, &zz);
    fe_mul(&xyy, &p->x, &yy);
    fe_mul(&t, &s, &t);
    fe_half(&m, &t);
    fe_add(&m, &m, &t); /* 3/2 (x^2 - z^4) */
    fe_sqr(&yy, &yy);
    fe_sqr(&t, &m);
    fe_sub(&t, &t, &xyy);
    fe_sub(&r->x, &t, &xyy);
    fe_sub(&t, &xyy, &r->x);
    fe_mul(&t, &t, &m);
    fe_sub(&r->y, &t, &yy);
}

/* What both additions end with: over the common denominator z, the points have x1, y1 and x2, y2. x1 and y1 may be those
 * of r. */
static uint64_t add_common(struct p256_point *r, const struct p256_fe *z, const struct p256_fe *x1,
                           const struct p256_fe *y1, const struct p256_fe *x2, const struct p256_fe *y2)
{
    struct p256_fe h BYTES_UNSET, s BYTES_UNSET, hh BYTES_UNSET, hhh BYTES_UNSET, v BYTES_UNSET,
        t BYTES_UNSET;

    fe_sub(&h, x2, x1);
    fe_sub(&s, y2, y1);
    fe_sqr(&hh, &h);
    fe_mul(&r->z, z, &h);
    fe_mul(&hhh, &hh, &h);
    fe_mul(&v, &hh, x1);
    fe_sqr(&t, &s);
    fe_sub(&t, &t, &hhh);
    fe_sub(&t, &t, &v);
    fe_mul(&hhh, &hhh, y1);
    fe_sub(&r->x, &t, &v);
    fe_sub(&v, &v, &r->x);
    fe_mul(&t, &v, &s);
    fe_sub(&r->y, &t, &hhh);
    return fe_mask_zero(&h) & fe_mask_zero(&s);
}

static uint64_t add(struct p256_point *r, const struct p256_point *p, const struct p256_addend *q,
                    uint64_t minus)
{
    struct p256_fe z BYTES_UNSET, x1 BYTES_UNSET, y1 BYTES_UNSET, x2 BYTES_UNSET, y2 BYTES_UNSET;

    fe_sqr(&z, &p->z);
    fe_sign(&y2, &q->y, minus);
    fe_mul(&x1, &p->x, &q->zz);
    fe_mul(&y1, &p->y, &q->zzz);
    fe_mul(&x2, &q->x, &z);
    fe_mul(&y2, &y2, &z);
    fe_mul(&y2, &y2, &p->z);
    fe_mul(&z, &p->z, &q->z);
    return add_common(r, &z, &x1, &y1, &x2, &y2);
}

static uint64_t add_affine(struct p256_point *r, const struct p256_point *p, const struct p256_affine *q,
                           uint64_t minus)
{
    struct p256_fe zz BYTES_UNSET, x2 BYTES_UNSET, y2 BYTES_UNSET;

    fe_sqr(&zz, &p->z);
    fe_sign(&y2, &q->y, minus);
    fe_mul(&y2, &y2, &p->z);
    fe_mul(&x2, &q->x, &zz);
    fe_mul(&y2, &y2, &zz);
    return add_common(r, &p->z, &p->x, &p->y, &x2, &y2);
}

/* As many words of 32 bits as the processor takes at once. AVX2 is for picking alone: the compiler would leave the
 * upper halves of its registers set where it uses them in passing, and all that follows would be slower for it. */
#ifdef P256_ADX
#define PICK __attribute__((target("avx2"))) static
#define REPEAT(v)              \
    {                          \
        v, v, v, v, v, v, v, v \
    }
enum { VECTOR = 32 };
#else
#define PICK static
#define REPEAT(v)  \
    {              \
        v, v, v, v \
    }
enum { VECTOR = 16 };
#endif
typedef uint32_t vector __attribute__((vector_size(VECTOR), aligned(16), may_alias));

/* Copies of n entries of `size` bytes, at most ten vectors, the one with this index. */
__attribute__((always_inline)) PICK inline void pick_any(void *to, const void *table, size_t n, size_t size,
                                                         uint32_t index)
{
    const vector *entry = table;
    vector wanted = REPEAT(index), at = REPEAT(0), found[10] = {REPEAT(0)};

    for (; n > 0; n--, entry += size / VECTOR, at += 1) {
        vector mask = (vector)(at == wanted);

#pragma GCC unroll 10
        for (size_t i = 0; i < size / VECTOR; i++)
            found[i] |= entry[i] & mask;
    }
#pragma GCC unroll 10
    for (size_t i = 0; i < size / VECTOR; i++)
        ((vector *)to)[i] = found[i];
}

PICK void pick(struct p256_addend *r, const struct p256_addend *table, size_t n, uint32_t index)
{
    pick_any(r, table, n, sizeof *r, index);
}

PICK void pick_affine(struct p256_affine *r, const struct p256_affine *table, size_t n, uint32_t index)
{
    pick_any(r, table, n, sizeof *r, index);
}

const struct p256_ops P256_OPS = {
    .fe_mul = fe_mul,
    .fe_sqr = fe_sqr,
    .fe_add = fe_add,
    .fe_sub = fe_sub,
    .twice = twice,
    .add = add,
    .add_affine = add_affine,
    .pick = pick,
    .pick_affine = pick_affine,
};

#endif
