/* SPDX-License-Identifier: MIT
 *
 * NIST P-256 (secp256r1; SP 800-186 §3.2.1.3) for 64-bit processors, as BearSSL takes a curve. For BR_EC_secp256r1
 * alone, which is not checked. Constant-time: time depends on the lengths of multipliers and on nothing else.
 *
 * As bearssl_ec.h says, and where that leaves it open:
 * - mul() and mulgen() take any multiplier, also one that is not below the order. The point at infinity is written
 *   with 0 for both coordinates, and is no error.
 * - muladd() answers 0 where a multiplier is 0 modulo the order, or the sum is the point at infinity.
 * - A point is 65 bytes that begin with 0x04, with both coordinates below p, on the curve; else mul() and muladd()
 *   answer 0.
 */
#ifndef CRYPTO_P256_H
#define CRYPTO_P256_H

#include <bearssl.h>

#ifdef __SIZEOF_INT128__

#include "crypto/p256_curve.h"

extern const br_ec_impl p256_m64;

/* The fastest arithmetic that this processor has: for p256_curve.h. */
const struct p256_ops *p256_best(void);

#endif
#endif
