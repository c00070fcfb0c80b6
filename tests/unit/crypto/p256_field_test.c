/* SPDX-License-Identifier: MIT
 *
 * What crypto/p256 builds on: the field of each implementation and numbers modulo the order against slow and plain
 * arithmetic, the table of multiples against BearSSL.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/p256_numbers.h"
#include "crypto/p256.h"

#include <bearssl.h>

#ifdef __SIZEOF_INT128__

#include "crypto/p256_table.h"

static const struct {
    const char *name;
    const struct p256_ops *ops;
} all[] = {
#ifdef __x86_64__
    {"x86",      &p256_x86     },
    {"adx",      &p256_adx     },
#endif
    {"portable", &p256_portable},
};

enum { IMPLEMENTATIONS = sizeof all / sizeof all[0] };

static bool is_here(const struct p256_ops *ops)
{
#ifdef __x86_64__
    return ops != &p256_adx || p256_best() == ops;
#else
    return ops == &p256_portable;
#endif
}

static struct p256_fe fe_of(struct number a)
{
    struct p256_fe r;

    memcpy(r.w, a.w, sizeof r.w);
    return r;
}

static struct number number_of_fe(struct p256_fe a)
{
    struct number r;

    memcpy(r.w, a.w, sizeof r.w);
    return r;
}

/* ---- the field -------------------------------------------------------------------------------------------------- */

/* Of a and b, which are below p: the product that is meant is the one that 2^256 times is a * b. */
struct expected {
    struct number a, b, product, square, sum, difference;
};

static struct expected expect(struct number a, struct number b)
{
    return (struct expected){
        .a = a,
        .b = b,
        .product = number_mul(a, b, number_p),
        .square = number_mul(a, a, number_p),
        .sum = number_add(a, b, number_p),
        .difference = number_sub(a, b, number_p),
    };
}

/* r * 2^256. */
static struct number shifted(struct p256_fe r)
{
    static const struct number one = {
        {0x0000000000000001, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe}
    };

    return number_mul(number_of_fe(r), one, number_p);
}

static bool is_product(struct p256_fe r, struct number expected)
{
    return number_below(number_of_fe(r), number_p) && number_same(shifted(r), expected);
}

static bool field_agrees(const struct p256_ops *ops, const struct expected *e)
{
    const struct p256_fe a = fe_of(e->a), b = fe_of(e->b);
    struct p256_fe r;
    bool ok = true;

    ops->fe_mul(&r, &a, &b);
    ok &= CHECK(is_product(r, e->product));
    ops->fe_sqr(&r, &a);
    ok &= CHECK(is_product(r, e->square));
    ops->fe_add(&r, &a, &b);
    ok &= CHECK(number_same(number_of_fe(r), e->sum));
    ops->fe_sub(&r, &a, &b);
    ok &= CHECK(number_same(number_of_fe(r), e->difference));
    return ok;
}

static bool all_agree(struct number a, struct number b)
{
    struct expected e = expect(a, b);
    bool ok = true;

    for (size_t i = 0; i < IMPLEMENTATIONS; i++)
        if (is_here(all[i].ops) && !field_agrees(all[i].ops, &e)) {
            printf("    %s\n", all[i].name);
            ok = false;
        }
    return ok;
}

TEST(field_edges)
{
    for (size_t i = 0; i < NUMBER_EDGES; i++)
        for (size_t j = 0; j < NUMBER_EDGES; j++)
            if (!all_agree(number_mod(number_edge(i), number_p), number_mod(number_edge(j), number_p)))
                return;
}

TEST(field_random)
{
    for (size_t i = number_of_tests(5000, 100000); i > 0; i--)
        if (!all_agree(number_random_below(number_p), number_random_below(number_p)))
            return;
}

/* As rows of products and what is added for the reduction come to their most. */
TEST(field_words_of_ones)
{
    const uint64_t words[] = {0, 1, 0xffffffff, 0xffffffff00000000, 0xfffffffffffffffe, 0xffffffffffffffff};
    struct number n[6 * 6 * 6 * 6];
    size_t count = 0;

    for (size_t i = 0; i < 6 * 6 * 6 * 6; i++) {
        struct number a = {
            {words[i % 6], words[i / 6 % 6], words[i / 36 % 6], words[i / 216]}
        };

        if (number_below(a, number_p))
            n[count++] = a;
    }
    for (size_t i = 0; i < count; i++)
        if (!all_agree(n[i], n[i]) || !all_agree(n[i], n[random_below(count)]))
            return;
}

TEST(field_result_over_operand)
{
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        const struct p256_ops *ops = all[i].ops;
        const struct p256_fe a = fe_of(number_random_below(number_p)),
                             b = fe_of(number_random_below(number_p));
        void (*const two[])(struct p256_fe *, const struct p256_fe *,
                            const struct p256_fe *) = {ops->fe_mul, ops->fe_add, ops->fe_sub};
        struct p256_fe r, same;

        if (!is_here(ops))
            continue;
        for (size_t j = 0; j < 3; j++) {
            two[j](&r, &a, &b);
            same = a;
            two[j](&same, &same, &b);
            CHECK_MEM(&same, sizeof same, &r, sizeof r);
            same = b;
            two[j](&same, &a, &same);
            CHECK_MEM(&same, sizeof same, &r, sizeof r);
            two[j](&r, &a, &a);
            same = a;
            two[j](&same, &same, &same);
            CHECK_MEM(&same, sizeof same, &r, sizeof r);
        }
        ops->fe_sqr(&r, &a);
        same = a;
        ops->fe_sqr(&same, &same);
        CHECK_MEM(&same, sizeof same, &r, sizeof r);
    }
}

TEST(pick_finds_each_entry)
{
    struct p256_addend table[16], one;
    struct p256_affine affine[16], other;

    random_bytes(table, sizeof table);
    random_bytes(affine, sizeof affine);
    for (size_t i = 0; i < IMPLEMENTATIONS; i++)
        for (size_t n = 1; n <= 16 && is_here(all[i].ops); n++)
            for (uint32_t index = 0; index < n; index++) {
                all[i].ops->pick(&one, table, n, index);
                CHECK_MEM(&one, sizeof one, &table[index], sizeof one);
                all[i].ops->pick_affine(&other, affine, n, index);
                CHECK_MEM(&other, sizeof other, &affine[index], sizeof other);
            }
}

/* ---- modulo the order ------------------------------------------------------------------------------------------- */

static struct p256_scalar scalar_of(struct number a)
{
    struct p256_scalar r;

    memcpy(r.w, a.w, sizeof r.w);
    return r;
}

static bool is_scalar(struct p256_scalar a, struct number expected)
{
    return memcmp(a.w, expected.w, sizeof a.w) == 0;
}

static bool scalars_agree(struct number a, struct number b)
{
    const struct p256_scalar x = scalar_of(a), y = scalar_of(b);
    struct p256_scalar r;
    bool ok = true;

    p256_scalar_mul(&r, &x, &y);
    ok &= CHECK(is_scalar(r, number_mul(a, b, number_n)));
    p256_scalar_add(&r, &x, &y);
    ok &= CHECK(is_scalar(r, number_add(a, b, number_n)));
    r = x;
    p256_scalar_mul(&r, &r, &r);
    ok &= CHECK(is_scalar(r, number_mul(a, a, number_n)));
    ok &= CHECK_EQ(p256_scalar_equal(&x, &y), number_same(a, b));
    ok &= CHECK_EQ(p256_scalar_is_zero(&x), number_same(a, (struct number){{0}}));
    p256_scalar_inverse(&r, &x);
    p256_scalar_mul(&r, &r, &x);
    ok &= CHECK(is_scalar(r, (struct number){{p256_scalar_is_zero(&x) ? 0 : 1}}));
    return ok;
}

TEST(scalar_edges)
{
    for (size_t i = 0; i < NUMBER_EDGES; i++)
        for (size_t j = 0; j < NUMBER_EDGES; j++)
            if (!scalars_agree(number_mod(number_edge(i), number_n), number_mod(number_edge(j), number_n)))
                return;
}

TEST(scalar_random)
{
    for (size_t i = number_of_tests(3000, 50000); i > 0; i--)
        if (!scalars_agree(number_random_below(number_n), number_random_below(number_n)))
            return;
}

/* Digit by digit, in place of 32 at once. */
static struct number modulo_order(const uint8_t *p, size_t len, bool *below)
{
    struct number r = {{0}}, last = r;

    *below = true;
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < 8; j++) {
            struct number twice = number_add(r, r, number_n);

            /* A number that wraps is smaller than its half. */
            *below &= !number_below(twice, r);
            r = twice;
        }
        last = (struct number){{p[i]}};
        r = number_add(r, last, number_n);
        *below &= !number_below(r, last);
    }
    return r;
}

static bool reads(const uint8_t *p, size_t len)
{
    struct p256_scalar r;
    bool below;
    struct number expected = modulo_order(p, len, &below);

    return CHECK_EQ(p256_scalar_read(&r, p, len), below) && CHECK(is_scalar(r, expected));
}

TEST(scalar_read)
{
    uint8_t bytes[100], back[32];
    struct p256_scalar r;

    for (size_t len = 0; len <= sizeof bytes; len++)
        for (size_t i = 0; i < 20; i++) {
            memset(bytes, 0, sizeof bytes);
            random_bytes(bytes, sizeof bytes);
            if (i < 10) /* zeros in front of 32 bytes or less */
                memset(bytes, 0, len < 32 ? random_below(len + 1) : len - random_below(33));
            reads(bytes, len);
        }
    for (size_t i = 0; i < NUMBER_EDGES; i++) {
        memset(bytes, 0, sizeof bytes);
        number_write(bytes + 3, number_edge(i));
        reads(bytes + 3, 32);
        reads(bytes, 35);
        reads(bytes + 3, 40);
        p256_scalar_read(&r, bytes, 35);
        p256_scalar_write(back, &r);
        CHECK(number_same(number_read(back), number_mod(number_edge(i), number_n)));
    }
    number_write(bytes, number_n);
    CHECK_MEM(bytes, 32, p256_order, P256_SCALAR);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* 2^(8 (b + n - 1)) and plus or minus 2^(8 (b + j)) for j < n - 1, as p256_table.py has it. */
static struct number multiplier(unsigned start, unsigned n, unsigned index)
{
    struct number k = {{0}};

    for (unsigned j = 0; j < n; j++) {
        struct number power = {{0}};
        unsigned bit = 8 * (start + j);

        power.w[bit / 64] = UINT64_C(1) << bit % 64;
        k = j == n - 1 || (index >> j & 1) ? number_add(k, power, number_n) : number_sub(k, power, number_n);
    }
    return k;
}

TEST(table_of_multiples)
{
    const struct p256_fe plain_one = {{1}};
    const struct p256_affine *entry = p256_table;
    unsigned start = 0;

    for (unsigned b = 0; b < P256_BLOCKS; b++) {
        unsigned n = p256_table_blocks[b];

        for (unsigned i = 0; i < 1u << (n - 1); i++, entry++) {
            uint8_t k[32], expected[65], point[65] = {4};
            struct p256_fe x, y;

            p256_portable.fe_mul(&x, &entry->x, &plain_one);
            p256_portable.fe_mul(&y, &entry->y, &plain_one);
            number_write(point + 1, number_of_fe(x));
            number_write(point + 33, number_of_fe(y));
            number_write(k, multiplier(start, n, i));
            br_ec_p256_m31.mulgen(expected, k, sizeof k, BR_EC_secp256r1);
            if (!CHECK_MEM(point, sizeof point, expected, sizeof expected))
                printf("    block %u, entry %u\n", b, i);
        }
        start += n;
    }
    CHECK_EQ(start, 32);
    CHECK_EQ(entry - p256_table, P256_TABLE);
}

TEST_MAIN(RUN(field_edges), RUN(field_random), RUN(field_words_of_ones), RUN(field_result_over_operand),
          RUN(pick_finds_each_entry), RUN(scalar_edges), RUN(scalar_random), RUN(scalar_read),
          RUN(table_of_multiples))

#else

TEST(only_with_128_bits)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_128_bits))

#endif
