/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: multiples of points, from bytes to bytes. Points stand as SEC 1 §2.3.3 has them uncompressed,
 * 0x04 and both coordinates. All but p256_verify() is constant-time, for what is no point of the curve too.
 */
#ifndef CRYPTO_P256_CURVE_H
#define CRYPTO_P256_CURVE_H

#include "crypto/p256_point.h"
#include "crypto/p256_scalar.h"

#ifdef __SIZEOF_INT128__

#include <stdbool.h>

enum { P256_POINT = 65 }; /* bytes */

/* point = k * point. Returns 1, or 0 if there was no point of the curve. The point at infinity, which k = 0 gives, is
 * written with 0 for both coordinates. */
uint32_t p256_mul(const struct p256_ops *ops, uint8_t point[P256_POINT], const struct p256_scalar *k);

/* point = k * G. */
void p256_mulgen(const struct p256_ops *ops, uint8_t point[P256_POINT], const struct p256_scalar *k);

/* a = x * a + y * b, with G for b if that is NULL. Returns 1, or 0 if a or b was no point of the curve or the sum is
 * the point at infinity. */
uint32_t p256_muladd(const struct p256_ops *ops, uint8_t a[P256_POINT], const uint8_t *b,
                     const struct p256_scalar *x, const struct p256_scalar *y);

/* q is a point of the curve, and u * G + v * q one whose first coordinate is r modulo the order. Time depends on all of
 * them. */
bool p256_verify(const struct p256_ops *ops, const uint8_t q[P256_POINT], const struct p256_scalar *u,
                 const struct p256_scalar *v, const struct p256_scalar *r);

#endif
#endif
