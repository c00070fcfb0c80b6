/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: points of the curve y^2 = x^3 - 3x + b, and what is done with them where time goes, once for
 * each implementation of the field. A result may be the same object as the first operand. Constant-time.
 */
#ifndef CRYPTO_P256_POINT_H
#define CRYPTO_P256_POINT_H

#include "crypto/p256_field.h"

#ifdef __SIZEOF_INT128__

#include <stddef.h>

/* Jacobian coordinates: (x / z^2, y / z^3), and z = 0 for the point at infinity. */
struct p256_point {
    struct p256_fe x, y, z;
};

/* z is 1. Aligned for loads of vectors, as the next. */
struct p256_affine {
    _Alignas(16) struct p256_fe x;
    struct p256_fe y;
};

/* A point that is often added: with the powers of z. */
struct p256_addend {
    _Alignas(16) struct p256_fe x;
    struct p256_fe y, z, zz, zzz;
};

struct p256_ops {
    void (*fe_mul)(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b);
    void (*fe_sqr)(struct p256_fe *r, const struct p256_fe *a);
    void (*fe_add)(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b);
    void (*fe_sub)(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b);
    /* p + p. The point at infinity is its own double. */
    void (*twice)(struct p256_point *r, const struct p256_point *p);
    /* p + q, or p - q where `minus` is all ones and not 0, for points of which neither is at infinity. Returns all ones
     * if what was to be added was p itself: then the sum is wrong; else 0. Of p and -p the sum is the point at
     * infinity, as it should be. */
    uint64_t (*add)(struct p256_point *r, const struct p256_point *p, const struct p256_addend *q,
                    uint64_t minus);
    uint64_t (*add_affine)(struct p256_point *r, const struct p256_point *p, const struct p256_affine *q,
                           uint64_t minus);
    /* One of n entries, of which all are read. */
    void (*pick)(struct p256_addend *r, const struct p256_addend *table, size_t n, uint32_t index);
    void (*pick_affine)(struct p256_affine *r, const struct p256_affine *table, size_t n, uint32_t index);
};

/* For every processor; not in a program that has another. */
extern const struct p256_ops p256_portable;
#ifdef __x86_64__
extern const struct p256_ops p256_x86;
extern const struct p256_ops p256_adx; /* needs ADX, BMI2 and AVX2 */
#endif

#endif
#endif
