/* SPDX-License-Identifier: MIT
 *
 * Modular inverses: what comes out, times what went in, is 1.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/p256_numbers.h"
#include "crypto/inverse256.h"

#ifdef __SIZEOF_INT128__

static struct inverse256_modulus modulus_of(struct number m)
{
    struct inverse256_modulus r = {.inverse = 1};

    memcpy(r.m, m.w, sizeof r.m);
    for (size_t i = 0; i < 6; i++) /* Newton's method doubles the bits that are right */
        r.inverse *= 2 - r.m[0] * r.inverse;
    return r;
}

static struct number inverse(struct number a, const struct inverse256_modulus *m)
{
    struct number r;

    inverse256(r.w, a.w, m);
    return r;
}

static bool is_right(struct number a, struct number m)
{
    const struct inverse256_modulus modulus = modulus_of(m);
    const struct number one = {{1}};
    struct number r = inverse(a, &modulus);

    return CHECK(number_below(r, m)) && CHECK(number_same(number_mul(a, r, m), one)) &&
           CHECK(number_same(inverse(r, &modulus), a));
}

TEST(of_0_it_is_0)
{
    const struct inverse256_modulus p = modulus_of(number_p), n = modulus_of(number_n);
    const struct number zero = {{0}};

    CHECK(number_same(inverse(zero, &p), zero));
    CHECK(number_same(inverse(zero, &n), zero));
}

TEST(of_edges)
{
    for (size_t i = 0; i < NUMBER_EDGES; i++) {
        struct number a = number_mod(number_edge(i), number_p), b = number_mod(number_edge(i), number_n);
        struct number zero = {{0}};

        if (!number_same(a, zero) && !is_right(a, number_p))
            printf("    edge %zu modulo p\n", i);
        if (!number_same(b, zero) && !is_right(b, number_n))
            printf("    edge %zu modulo n\n", i);
    }
}

TEST(of_powers_of_2_and_their_neighbours)
{
    for (size_t i = 0; i < 256; i++) {
        struct number a = {{0}}, one = {{1}};

        a.w[i / 64] = UINT64_C(1) << i % 64;
        is_right(a, number_p);
        is_right(a, number_n);
        if (i > 0)
            is_right(number_sub(a, one, number_p), number_p);
        is_right(number_add(a, one, number_n), number_n);
    }
}

TEST(of_random_numbers)
{
    for (size_t i = number_of_tests(2000, 50000); i > 0; i--) {
        struct number a = number_random_below(i % 2 ? number_p : number_n), zero = {{0}};

        if (!number_same(a, zero) && !is_right(a, i % 2 ? number_p : number_n))
            return;
    }
}

/* 2^255 - 19, 2^256 - 189 (both primes), and small ones. */
TEST(modulo_others)
{
    const struct number moduli[] = {
        {{0xffffffffffffffed, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1}},
        {{UINT64_MAX - 188, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
        {{0xffffffffffffffc5, 0, 0, 0}},
        {{65537, 0, 0, 0}},
        {{3, 0, 0, 0}},
    };

    for (size_t i = 0; i < sizeof moduli / sizeof moduli[0]; i++)
        for (size_t j = 0; j < 200; j++) {
            struct number a = number_random(), zero = {{0}};

            if (moduli[i].w[3] == 0)
                a = (struct number){{a.w[0] % moduli[i].w[0]}};
            while (!number_below(a, moduli[i]))
                a = number_mod(a, moduli[i]);
            if (!number_same(a, zero) && !is_right(a, moduli[i]))
                return;
        }
}

TEST(result_over_operand)
{
    const struct inverse256_modulus p = modulus_of(number_p);
    struct number a = {{12345}}, r = inverse(a, &p);

    inverse256(a.w, a.w, &p);
    CHECK(number_same(a, r));
}

TEST_MAIN(RUN(of_0_it_is_0), RUN(of_edges), RUN(of_powers_of_2_and_their_neighbours), RUN(of_random_numbers),
          RUN(modulo_others), RUN(result_over_operand))

#else

TEST(only_with_128_bits)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_128_bits))

#endif
