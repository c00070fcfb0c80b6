/* SPDX-License-Identifier: MIT
 *
 * Integers modulo n, the order of P-256's generator:
 *
 *     n = 2^256 - 2^224 + 2^192 - 0x4319055258e8617b0c46353d039cdaaf
 *
 * Always below n. Constant-time: time depends on lengths alone. A result may be the same object as an operand.
 */
#ifndef CRYPTO_P256_SCALAR_H
#define CRYPTO_P256_SCALAR_H

#ifdef __SIZEOF_INT128__

#include <stddef.h>
#include <stdint.h>

enum { P256_SCALAR = 32 }; /* bytes */

struct p256_scalar {
    uint64_t w[4]; /* the lowest first */
};

extern const uint8_t p256_order[P256_SCALAR]; /* n in network order */

/* The number in `len` bytes of network order, modulo n. Returns 1 if it was below n, else 0. */
uint32_t p256_scalar_read(struct p256_scalar *r, const void *from, size_t len);
void p256_scalar_write(uint8_t to[P256_SCALAR], const struct p256_scalar *a);

uint32_t p256_scalar_is_zero(const struct p256_scalar *a); /* 1 or 0 */
uint32_t p256_scalar_equal(const struct p256_scalar *a, const struct p256_scalar *b);

void p256_scalar_add(struct p256_scalar *r, const struct p256_scalar *a, const struct p256_scalar *b);
void p256_scalar_mul(struct p256_scalar *r, const struct p256_scalar *a, const struct p256_scalar *b);
void p256_scalar_inverse(struct p256_scalar *r, const struct p256_scalar *a); /* of 0 it is 0 */

#endif
#endif
