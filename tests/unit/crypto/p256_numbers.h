/* SPDX-License-Identifier: MIT
 *
 * What the tests of P-256 share: random numbers, numbers that lie where carries are lost, and arithmetic that is slow
 * and plain. Numbers have 256 bits: four words with the lowest first, or 32 bytes of network order. The sequence of
 * random numbers is the same in each run.
 */
#ifndef TESTS_UNIT_CRYPTO_P256_NUMBERS_H
#define TESTS_UNIT_CRYPTO_P256_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number {
    uint64_t w[4];
};

extern const struct number number_p, number_n; /* the field's modulus, and the order of the generator */

struct number number_of(const char *hex); /* 64 digits */
struct number number_read(const uint8_t bytes[32]);
void number_write(uint8_t bytes[32], struct number a);
bool number_same(struct number a, struct number b);
bool number_below(struct number a, struct number b);

/* a, or a less m where it is not below m and below 2m. */
struct number number_mod(struct number a, struct number m);
/* Modulo m, of numbers below m. */
struct number number_add(struct number a, struct number b, struct number m);
struct number number_sub(struct number a, struct number b, struct number m);
struct number number_mul(struct number a, struct number b, struct number m);

uint64_t random_number(void);
size_t random_below(size_t n);
void random_bytes(void *p, size_t n);
/* Of four kinds: words of any value; words that are 0, all ones, or beside them; long runs of the same bit; and close
 * to 0, p, n or 2^256. */
struct number number_random(void);
struct number number_random_below(struct number m);

/* The i-th of NUMBER_EDGES: 0 and up, p and n and what is beside them, 2^256 - 1 and down, powers of 2, words of ones,
 * and 2^256 and 2^512 modulo p and n. */
enum { NUMBER_EDGES = 80 };
struct number number_edge(size_t i);

/* As many as `everyday`, or `all` when PROXY_TEST_ALL is set. */
size_t number_of_tests(size_t everyday, size_t all);

#endif
