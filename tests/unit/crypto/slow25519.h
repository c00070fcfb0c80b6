/* SPDX-License-Identifier: MIT
 *
 * Numbers modulo 2^255 - 19 and points of edwards25519 as school teaches them, for tests to hold the fast code
 * against. Always the number below p, as words, the lowest first. Slow, and not constant-time.
 */
#ifndef TESTS_UNIT_CRYPTO_SLOW25519_H
#define TESTS_UNIT_CRYPTO_SLOW25519_H

#include <stdbool.h>
#include <stdint.h>

struct slow {
    uint64_t w[4];
};

struct slow slow_small(uint64_t v);
struct slow slow_of_words(const uint64_t *words, unsigned n); /* of any size up to 8 words */
struct slow slow_add(struct slow a, struct slow b);
struct slow slow_sub(struct slow a, struct slow b);
struct slow slow_mul(struct slow a, struct slow b);
struct slow slow_invert(struct slow a); /* 0 for 0 */
bool slow_equal(struct slow a, struct slow b);

/* x, y of RFC 8032 §5.1's curve. */
struct slow_point {
    struct slow x, y;
};

struct slow_point slow_base(void);
struct slow slow_d(void);
struct slow_point slow_point_add(struct slow_point a, struct slow_point b);
struct slow_point slow_point_negate(struct slow_point a);
struct slow_point slow_point_double(struct slow_point a, unsigned times);
bool slow_point_on_curve(struct slow_point a);

#endif
