/* SPDX-License-Identifier: MIT
 *
 * Two powers at once, each modulo a number of its own, by AVX-512 IFMA: what RSA asks of its two primes. On
 * x86-64 alone, and for moduli of 1024, 1536 and 2048 bits (16, 24 and 32 limbs of 64 bits).
 *
 * Constant time as in crypto/mont64.h.
 */
#ifndef CRYPTO_MONT52_H
#define CRYPTO_MONT52_H

#include "crypto/mont64.h"

#if defined __SIZEOF_INT128__ && defined __x86_64__

/* The processor can, and the system lets it. */
bool mont52_has(void);
/* There is code for moduli of that many limbs of 64 bits. */
bool mont52_fits(size_t limbs);

/* mont64_pow() and mont64_pow_fermat() for two: r[i] is a power of b[i] modulo m[i], where both moduli have the
 * same number of limbs. What they leave on the stack they wipe. */
void mont52_pow(struct mont64 *const m[2], uint64_t *const r[2], uint64_t *const b[2],
                const uint8_t *const e[2], const size_t e_len[2]);
void mont52_pow_fermat(struct mont64 *const m[2], uint64_t *const r[2], uint64_t *const b[2], unsigned k);

#endif
#endif
