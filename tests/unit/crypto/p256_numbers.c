/* SPDX-License-Identifier: MIT
 *
 * Numbers for the tests of P-256. A product is added up bit by bit, so that there is little to get wrong.
 */
#include "tests/unit/crypto/p256_numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct number number_p = {
    {0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001}
};
const struct number number_n = {
    {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000}
};

struct number number_read(const uint8_t bytes[32])
{
    struct number r = {{0}};

    for (size_t i = 0; i < 32; i++)
        r.w[3 - i / 8] = r.w[3 - i / 8] << 8 | bytes[i];
    return r;
}

void number_write(uint8_t bytes[32], struct number a)
{
    for (size_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(a.w[3 - i / 8] >> (56 - i % 8 * 8));
}

struct number number_of(const char *hex)
{
    uint8_t bytes[32];
    unsigned byte;

    for (size_t i = 0; i < 32; i++) {
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            abort();
        bytes[i] = (uint8_t)byte;
    }
    return number_read(bytes);
}

bool number_same(struct number a, struct number b)
{
    return memcmp(a.w, b.w, sizeof a.w) == 0;
}

bool number_below(struct number a, struct number b)
{
    for (size_t i = 4; i-- > 0;)
        if (a.w[i] != b.w[i])
            return a.w[i] < b.w[i];
    return false;
}

/* Modulo 2^256; *carry is what comes in and goes out. */
static struct number plus(struct number a, struct number b, bool *carry)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t sum = a.w[i] + b.w[i], with = sum + *carry;

        *carry = sum < a.w[i] || with < sum;
        a.w[i] = with;
    }
    return a;
}

static struct number minus(struct number a, struct number b)
{
    bool carry = true;

    for (size_t i = 0; i < 4; i++)
        b.w[i] = ~b.w[i];
    return plus(a, b, &carry);
}

struct number number_mod(struct number a, struct number m)
{
    return number_below(a, m) ? a : minus(a, m);
}

struct number number_add(struct number a, struct number b, struct number m)
{
    bool carry = false;
    struct number sum = plus(a, b, &carry);

    return carry ? minus(sum, m) : number_mod(sum, m);
}

struct number number_sub(struct number a, struct number b, struct number m)
{
    struct number zero = {{0}};

    return number_add(a, number_same(b, zero) ? b : minus(m, b), m);
}

struct number number_mul(struct number a, struct number b, struct number m)
{
    struct number r = {{0}};

    for (size_t i = 256; i-- > 0;) {
        r = number_add(r, r, m);
        if (b.w[i / 64] >> i % 64 & 1)
            r = number_add(r, a, m);
    }
    return r;
}

/* ---- random ----------------------------------------------------------------------------------------------------- */

static uint64_t random_state = 0x9e3779b97f4a7c15;

uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

size_t random_below(size_t n)
{
    return (size_t)(random_number() >> 32) % n;
}

void random_bytes(void *p, size_t n)
{
    uint8_t *to = p;

    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(random_number() >> 56);
}

static uint64_t special_word(void)
{
    static const uint64_t words[] = {
        0, 1, 2, 0xffffffff, 0x100000000, 0xffffffff00000000, 0xffffffff00000001};
    uint64_t w = words[random_below(sizeof words / sizeof words[0])];

    switch (random_below(4)) {
    case 0: return random_number();
    case 1: return ~w;
    case 2: return w + random_below(3) - 1;
    default: return w;
    }
}

struct number number_random(void)
{
    struct number r;
    uint64_t bits = 0;

    switch (random_below(4)) {
    case 0:
        for (size_t i = 0; i < 4; i++)
            r.w[i] = random_number();
        return r;
    case 1:
        for (size_t i = 0; i < 4; i++)
            r.w[i] = special_word();
        return r;
    case 2:
        memset(&r, 0, sizeof r);
        for (size_t i = 0; i < 256; i++) {
            if (random_below(32) == 0)
                bits ^= 1;
            r.w[i / 64] |= bits << i % 64;
        }
        return r;
    default:
        r = number_edge(random_below(NUMBER_EDGES));
        return number_sub(r, (struct number){{random_below(64)}}, number_p);
    }
}

struct number number_random_below(struct number m)
{
    struct number r = number_random();

    return number_mod(r, m);
}

/* ---- edges ------------------------------------------------------------------------------------------------------ */

struct number number_edge(size_t i)
{
    static const struct number most = {
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}
    };
    const struct number small = {{i % 8}}, zero = {{0}};
    struct number r = zero;

    switch (i / 8) {
    case 0: return small;                               /* 0 to 7 */
    case 1: return minus(number_p, small);              /* p and down */
    case 2: return minus(number_n, small);              /* n and down */
    case 3: return minus(most, small);                  /* 2^256 - 1 and down */
    case 4: return minus(number_p, minus(zero, small)); /* p and up */
    case 5: return minus(number_n, minus(zero, small)); /* n and up */
    case 6:                                             /* powers of 2 */
    case 7: r.w[i % 4] = UINT64_C(1) << (i % 16 < 4 ? 0 : i % 16 < 8 ? 31 : i % 16 < 12 ? 32 : 63); return r;
    case 8: /* words of ones */
        for (size_t j = 0; j < 4; j++)
            r.w[j] = j <= i % 4 ? UINT64_MAX : 0;
        return i % 8 < 4 ? r : minus(most, r);
    default: /* 2^256 and 2^512 modulo p and n, and less 1 */
        r = minus(zero, i % 2 ? number_p : number_n);
        if (i % 4 < 2)
            r = number_mul(r, r, i % 2 ? number_p : number_n);
        return i % 8 < 4 ? r : minus(r, (struct number){{1}});
    }
}

size_t number_of_tests(size_t everyday, size_t all)
{
    return getenv("PROXY_TEST_ALL") != NULL ? all : everyday;
}
