/* SPDX-License-Identifier: MIT
 *
 * `proxy --bench-crypto`: how fast the primitives are on this processor, beside BearSSL's own.
 */
#ifndef CRYPTO_BENCH_H
#define CRYPTO_BENCH_H

#include <stdio.h>

/* Measures each for a fraction of a second, in turn with BearSSL's, and prints a line: what crypto_impl() chose, the
 * fastest that BearSSL has for this processor, and how many times as fast the first is. Takes some seconds. */
void crypto_bench(FILE *out);

#endif
