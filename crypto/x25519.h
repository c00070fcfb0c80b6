/* SPDX-License-Identifier: MIT
 *
 * X25519 (RFC 7748 §5) for 64-bit machines, as BearSSL's br_ec_impl for the one curve BR_EC_curve25519: its own is for
 * 32 bits. A point is 32 bytes, of which the highest bit is ignored; a scalar is up to 32 bytes, the lowest first
 * (unlike those of other curves), and is clamped here. As for BearSSL's, the order is said to be 2^255 - 1, and
 * muladd is missing (0): there is no ECDSA on this curve.
 *
 *   mul     1, and the product at `g`; 0 when lengths are wrong, and when the product is 0, as for the few points of
 *           small order: TLS must not use such a secret (RFC 8446 §7.4.2, RFC 8422 §5.11), which BearSSL does
 *           not see. The 32 zeros stand at `g` all the same.
 *   mulgen  the length of the product, 32; 0 when the scalar is too long. It takes a third of mul's time.
 *
 * Constant-time, but for the answer of mul, which is the peer's doing: no branch and no address depends on a scalar or
 * a point, and multiplications take the same time for all operands on the machines that this is for. All that was
 * secret is wiped but registers and what the compiler spilled of them.
 */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#ifdef __SIZEOF_INT128__

#include <bearssl.h>
#include <stdbool.h>

/* Any machine with 64 bits. */
extern const br_ec_impl x25519_m64;

#ifdef __x86_64__
/* Where x25519_adx_works(): BMI2, ADX and AVX2 (Intel since Broadwell, AMD since Zen). */
extern const br_ec_impl x25519_adx;
bool x25519_adx_works(void);
#endif

#endif
#endif
