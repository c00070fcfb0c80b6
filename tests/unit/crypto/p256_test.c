/* SPDX-License-Identifier: MIT
 *
 * P-256 by each implementation that this processor has: against Wycheproof's vectors, and against BearSSL's own for
 * random multipliers and points and for all that are special.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/p256_numbers.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/p256.h"

#include <bearssl.h>

#ifdef __SIZEOF_INT128__

enum { CURVE = BR_EC_secp256r1 };

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

struct point {
    uint8_t bytes[P256_POINT];
};

static struct p256_scalar scalar_of(struct number a)
{
    struct p256_scalar r;
    uint8_t bytes[32];

    number_write(bytes, a);
    p256_scalar_read(&r, bytes, sizeof bytes);
    return r;
}

static struct point random_point(void)
{
    struct point r;
    uint8_t k[32];

    random_bytes(k, sizeof k);
    p256_m64.mulgen(r.bytes, k, sizeof k, CURVE);
    return r;
}

static struct point point_of(const char *x, const char *y)
{
    struct point r = {{4}};

    number_write(r.bytes + 1, number_of(x));
    number_write(r.bytes + 33, number_of(y));
    return r;
}

static struct point negative_of(struct point a)
{
    number_write(a.bytes + 33, number_sub((struct number){{0}}, number_read(a.bytes + 33), number_p));
    return a;
}

/* The generator, and points whose first coordinate is 0, 5 or p - 3, or whose second is 1. */
static struct point special_point(size_t i)
{
    struct point g = {{0}};
    size_t len;

    switch (i) {
    case 0: memcpy(g.bytes, br_ec_p256_m31.generator(CURVE, &len), sizeof g.bytes); return g;
    case 1:
        return point_of("0000000000000000000000000000000000000000000000000000000000000000",
                        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    case 2:
        return point_of("0000000000000000000000000000000000000000000000000000000000000005",
                        "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
    case 3:
        return point_of("ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
                        "19719bebf6aea13f25c96dfd7c71f5225d4c8fc09eb5a0ab9f39e9178e55c121");
    default:
        return point_of("6916fac45e568b6b9e2e2ecd611b282e5fcc40a3067d601057f879ce5a8a73cc",
                        "0000000000000000000000000000000000000000000000000000000000000001");
    }
}

enum { SPECIAL_POINTS = 5 };

/* The multipliers for which multiplying the generator adds a point to itself (p256_curve.c), beside those of
 * number_edge(). */
static struct number special_multiplier(size_t i)
{
    const struct number k = number_of("fdfdfdfd02000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

    if (i < NUMBER_EDGES)
        return number_edge(i);
    return i == NUMBER_EDGES ? k : number_sub((struct number){{0}}, k, number_n);
}

enum { SPECIAL_MULTIPLIERS = NUMBER_EDGES + 2 };

/* ---- multiples -------------------------------------------------------------------------------------------------- */

/* BearSSL is asked with what is below the order: its additions do not tell a point from itself, which may happen
 * above. */
static bool mulgen_agrees(struct number k)
{
    struct p256_scalar scalar = scalar_of(k);
    struct point expected, r;
    uint8_t bytes[32];
    bool ok = true;

    number_write(bytes, number_mod(k, number_n));
    br_ec_p256_m31.mulgen(expected.bytes, bytes, sizeof bytes, CURVE);
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        if (!is_here(all[i].ops))
            continue;
        p256_mulgen(all[i].ops, r.bytes, &scalar);
        ok &= CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
    }
    return ok;
}

static bool mul_agrees(struct point a, struct number k)
{
    struct p256_scalar scalar = scalar_of(k);
    struct point expected = a, r;
    uint8_t bytes[32];
    bool ok = true;

    number_write(bytes, number_mod(k, number_n));
    ok &= CHECK_EQ(br_ec_p256_m31.mul(expected.bytes, sizeof expected.bytes, bytes, sizeof bytes, CURVE), 1);
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        if (!is_here(all[i].ops))
            continue;
        r = a;
        ok &= CHECK_EQ(p256_mul(all[i].ops, r.bytes, &scalar), 1);
        ok &= CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
    }
    return ok;
}

TEST(mulgen_special)
{
    for (size_t i = 0; i < SPECIAL_MULTIPLIERS; i++)
        if (!mulgen_agrees(special_multiplier(i)))
            printf("    multiplier %zu\n", i);
}

/* Each digit alone, in both ways of taking a multiplier apart. */
TEST(mulgen_single_bits)
{
    for (size_t i = 0; i < 256; i++) {
        struct number k = {{0}};

        k.w[i / 64] = UINT64_C(1) << i % 64;
        mulgen_agrees(k);
    }
}

TEST(mulgen_random)
{
    for (size_t i = number_of_tests(200, 20000); i > 0; i--)
        if (!mulgen_agrees(number_random()))
            return;
}

TEST(mul_special)
{
    for (size_t i = 0; i < SPECIAL_MULTIPLIERS; i++)
        for (size_t j = 0; j < SPECIAL_POINTS; j++)
            if (!mul_agrees(special_point(j), special_multiplier(i)))
                printf("    multiplier %zu, point %zu\n", i, j);
}

TEST(mul_random)
{
    for (size_t i = number_of_tests(200, 20000); i > 0; i--)
        if (!mul_agrees(random_point(), number_random()))
            return;
}

/* ---- sums ------------------------------------------------------------------------------------------------------- */

/* For multipliers that are not 0 modulo the order: BearSSL does not say what is else. */
static bool muladd_agrees(struct point a, const struct point *b, struct number x, struct number y)
{
    struct p256_scalar u = scalar_of(x), v = scalar_of(y);
    struct point expected = a, r;
    uint8_t x_bytes[32], y_bytes[32];
    uint32_t good;
    bool ok = true;

    number_write(x_bytes, x);
    number_write(y_bytes, y);
    good = br_ec_p256_m31.muladd(expected.bytes, b != NULL ? b->bytes : NULL, sizeof expected.bytes, x_bytes,
                                 32, y_bytes, 32, CURVE);
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        if (!is_here(all[i].ops))
            continue;
        r = a;
        ok &= CHECK_EQ(p256_muladd(all[i].ops, r.bytes, b != NULL ? b->bytes : NULL, &u, &v), good);
        if (good)
            ok &= CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
    }
    return ok;
}

static struct number random_multiplier(void)
{
    struct number k = number_random_below(number_n), zero = {{0}};

    return number_same(k, zero) ? (struct number){{1}} : k;
}

TEST(muladd_random)
{
    for (size_t i = number_of_tests(100, 10000); i > 0; i--) {
        struct point b = random_point();

        if (!muladd_agrees(random_point(), i % 2 ? &b : NULL, random_multiplier(), random_multiplier()))
            return;
    }
}

TEST(muladd_of_a_point_and_itself)
{
    const struct number one = {{1}}, two = {{2}};

    for (size_t i = 0; i < SPECIAL_POINTS; i++) {
        struct point a = special_point(i), b = negative_of(a);
        struct number k = random_multiplier(), less = number_sub((struct number){{0}}, k, number_n);

        muladd_agrees(a, &a, one, one);
        muladd_agrees(a, &a, k, k);
        muladd_agrees(a, &a, k, less); /* the point at infinity */
        muladd_agrees(a, &b, one, one);
        muladd_agrees(a, &b, k, k);
        muladd_agrees(a, &b, k, less);
        muladd_agrees(a, &b, two, one);
        muladd_agrees(a, NULL, one, one);
        muladd_agrees(a, NULL, k, k);
        muladd_agrees(a, NULL, k, less);
    }
}

/* A multiplier that is 0 leaves the other product alone, where BearSSL's interface has an error. */
TEST(muladd_with_0)
{
    const struct p256_scalar zero = {{0}};
    const uint8_t zeros[32] = {0}, ones[32] = {[31] = 1};
    uint8_t order[32];

    number_write(order, number_n);
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        struct point a = random_point(), b = random_point(), r = a, expected = a;
        struct p256_scalar k = scalar_of(random_multiplier());

        if (!is_here(all[i].ops))
            continue;
        p256_mul(all[i].ops, expected.bytes, &k);
        CHECK_EQ(p256_muladd(all[i].ops, r.bytes, b.bytes, &k, &zero), 1);
        CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
        r = b;
        CHECK_EQ(p256_muladd(all[i].ops, r.bytes, a.bytes, &zero, &k), 1);
        CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
        p256_mulgen(all[i].ops, expected.bytes, &k);
        r = b;
        CHECK_EQ(p256_muladd(all[i].ops, r.bytes, NULL, &zero, &k), 1);
        CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
        CHECK_EQ(p256_muladd(all[i].ops, r.bytes, NULL, &zero, &zero), 0);
        CHECK_EQ(p256_muladd(all[i].ops, r.bytes, a.bytes, &zero, &zero), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        struct point a = special_point(i), r = a;

        CHECK_EQ(p256_m64.muladd(r.bytes, NULL, sizeof r.bytes, zeros, 32, ones, 32, CURVE), 0);
        CHECK_EQ(p256_m64.muladd(r.bytes, a.bytes, sizeof r.bytes, ones, 32, zeros, 32, CURVE), 0);
        CHECK_EQ(p256_m64.muladd(r.bytes, NULL, sizeof r.bytes, ones, 32, order, 32, CURVE), 0);
        CHECK_EQ(p256_m64.muladd(r.bytes, a.bytes, sizeof r.bytes, order, 32, ones, 32, CURVE), 0);
    }
}

/* ---- verification ----------------------------------------------------------------------------------------------- */

static bool verifies(const struct p256_ops *ops, const struct point *q, struct number u, struct number v,
                     struct number r)
{
    struct p256_scalar us = scalar_of(u), vs = scalar_of(v), rs = scalar_of(r);

    return p256_verify(ops, q->bytes, &us, &vs, &rs);
}

/* By the constant-time sum, which the tests above know to be right. */
static bool verify_agrees(const struct point *q, struct number u, struct number v)
{
    struct p256_scalar us = scalar_of(u), vs = scalar_of(v);
    struct point sum = *q;
    bool ok = true, finite = p256_muladd(&p256_portable, sum.bytes, NULL, &vs, &us);
    struct number r = number_mod(number_read(sum.bytes + 1), number_n);

    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        if (!is_here(all[i].ops))
            continue;
        ok &= CHECK_EQ(verifies(all[i].ops, q, u, v, r), finite);
        ok &= CHECK(!verifies(all[i].ops, q, u, v, number_add(r, (struct number){{1}}, number_n)));
        ok &= CHECK(!verifies(all[i].ops, q, u, v, number_random_below(number_n)));
    }
    return ok;
}

TEST(verify_random)
{
    for (size_t i = number_of_tests(300, 20000); i > 0; i--) {
        struct point q = random_point();

        if (!verify_agrees(&q, number_random_below(number_n), number_random_below(number_n)))
            return;
    }
}

/* Where sums on the way meet the point at infinity, the same point, or its negative. */
TEST(verify_special)
{
    size_t points = number_of_tests(1, SPECIAL_POINTS);

    for (size_t i = 0; i < points; i++)
        for (size_t j = 0; j < SPECIAL_MULTIPLIERS; j++) {
            struct point q = special_point((i + j) % SPECIAL_POINTS), minus = negative_of(q);
            struct number u = number_mod(special_multiplier(j), number_n);
            struct number v = number_mod(special_multiplier(random_below(SPECIAL_MULTIPLIERS)), number_n);
            struct number zero = {{0}}, less = number_sub(zero, u, number_n);

            if (!verify_agrees(&q, u, v) || !verify_agrees(&q, u, u) || !verify_agrees(&q, u, less) ||
                !verify_agrees(&minus, u, u) || !verify_agrees(&q, u, zero) || !verify_agrees(&q, zero, u))
                printf("    point %zu, multiplier %zu\n", i, j);
        }
}

/* Before the last digit of v is added, and before the last round for u, the sum is what the rounds before made of u:
 * the key, or its negative, or half of what makes it so. */
TEST(verify_where_a_sum_meets_the_key)
{
    for (size_t i = 0; i < 20; i++) {
        struct number u = number_random_below(number_n), rest = u, zero = {{0}}, one = {{1}};
        uint8_t k[32];
        struct point q;

        u.w[0] |= 1;
        rest.w[0] |= 1;
        for (size_t bit = 0; bit < 256; bit += 8) {
            /* The digit is 1 where the bit above is set, else -1; above all there is a 1. */
            bool set = bit == 255 || (u.w[(bit + 1) / 64] >> (bit + 1) % 64 & 1);
            struct number power = {{0}};

            power.w[bit / 64] = UINT64_C(1) << bit % 64;
            rest = set ? number_sub(rest, power, number_n) : number_add(rest, power, number_n);
        }
        if (i % 2)
            rest = number_sub(zero, rest, number_n);
        number_write(k, rest);
        p256_m64.mulgen(q.bytes, k, sizeof k, CURVE);
        verify_agrees(&q, u, one);
        verify_agrees(&q, u, number_sub(zero, one, number_n));
        verify_agrees(&q, number_sub(zero, u, number_n), one);
    }
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static void refuses(const struct point *bad, const char *why)
{
    const struct point good = special_point(0);
    const struct p256_scalar k = {{3}};
    const struct number one = {{1}};

    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        struct point r = *bad;
        bool ok = true;

        if (!is_here(all[i].ops))
            continue;
        ok &= CHECK_EQ(p256_mul(all[i].ops, r.bytes, &k), 0);
        r = *bad;
        ok &= CHECK_EQ(p256_muladd(all[i].ops, r.bytes, NULL, &k, &k), 0);
        r = *bad;
        ok &= CHECK_EQ(p256_muladd(all[i].ops, r.bytes, good.bytes, &k, &k), 0);
        r = good;
        ok &= CHECK_EQ(p256_muladd(all[i].ops, r.bytes, bad->bytes, &k, &k), 0);
        ok &= CHECK(!verifies(all[i].ops, bad, one, one, number_random_below(number_n)));
        if (!ok)
            printf("    %s: %s\n", all[i].name, why);
    }
}

TEST(what_is_no_point)
{
    struct point a;

    for (unsigned first = 0; first < 256; first++) {
        a = special_point(0);
        a.bytes[0] = (uint8_t)first;
        if (first != 4)
            refuses(&a, "first byte");
    }
    for (size_t bit = 0; bit < 512; bit += 7) {
        a = random_point();
        a.bytes[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        refuses(&a, "a bit");
    }
    /* The same numbers modulo p. */
    a = special_point(2);
    number_write(a.bytes + 1, number_of("ffffffff00000001000000000000000000000001000000000000000000000004"));
    CHECK(number_below(number_p, number_read(a.bytes + 1)));
    refuses(&a, "x + p");
    a = special_point(4);
    number_write(a.bytes + 33, number_of("ffffffff00000001000000000000000000000001000000000000000000000000"));
    CHECK(number_below(number_p, number_read(a.bytes + 33)));
    refuses(&a, "y + p");
    a = special_point(1);
    number_write(a.bytes + 1, number_p);
    refuses(&a, "p for 0");
    memset(a.bytes + 1, 0xff, 64);
    refuses(&a, "all ones");
    memset(a.bytes + 1, 0, 64);
    refuses(&a, "zeros, as the point at infinity is written");
    memset(a.bytes, 0, 65);
    refuses(&a, "zeros");
}

/* ---- as BearSSL takes it ---------------------------------------------------------------------------------------- */

TEST(constants)
{
    size_t len, expected_len;
    const uint8_t *p, *expected;

    CHECK_EQ(p256_m64.supported_curves, (uint32_t)1 << CURVE);
    p = p256_m64.generator(CURVE, &len);
    expected = br_ec_p256_m31.generator(CURVE, &expected_len);
    CHECK_MEM(p, len, expected, expected_len);
    p = p256_m64.order(CURVE, &len);
    expected = br_ec_p256_m31.order(CURVE, &expected_len);
    CHECK_MEM(p, len, expected, expected_len);
    CHECK_EQ(p256_m64.xoff(CURVE, &len), br_ec_p256_m31.xoff(CURVE, &expected_len));
    CHECK_EQ(len, expected_len);
}

TEST(multipliers_of_every_length)
{
    uint8_t k[80];

    for (size_t len = 0; len <= sizeof k; len++)
        for (size_t zeros = 0; zeros <= len; zeros += 16) {
            struct point a = random_point(), r = a, expected = a;

            random_bytes(k, sizeof k);
            memset(k, 0, zeros);
            CHECK_EQ(p256_m64.mul(r.bytes, sizeof r.bytes, k, len, CURVE), 1);
            br_ec_p256_m31.mul(expected.bytes, sizeof expected.bytes, k, len, CURVE);
            CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes);
            CHECK_EQ(p256_m64.mulgen(r.bytes, k, len, CURVE), P256_POINT);
            br_ec_p256_m31.mulgen(expected.bytes, k, len, CURVE);
            if (!CHECK_MEM(r.bytes, sizeof r.bytes, expected.bytes, sizeof expected.bytes))
                printf("    %zu bytes, %zu of them 0\n", len, zeros);
        }
}

TEST(points_of_other_lengths)
{
    const uint8_t k[32] = {[31] = 2};
    uint8_t point[100];

    for (size_t len = 0; len < sizeof point; len++) {
        struct point g = special_point(0);

        memset(point, 0, sizeof point);
        memcpy(point, g.bytes, sizeof g.bytes);
        CHECK_EQ(p256_m64.mul(point, len, k, sizeof k, CURVE), len == P256_POINT);
        memcpy(point, g.bytes, sizeof g.bytes);
        CHECK_EQ(p256_m64.muladd(point, NULL, len, k, sizeof k, k, sizeof k, CURVE), len == P256_POINT);
    }
}

TEST(the_best_is_one_that_there_is)
{
    printf("implementations:");
    for (size_t i = 0; i < IMPLEMENTATIONS; i++)
        printf(" %s%s", all[i].name, is_here(all[i].ops) ? "" : " (not here, not tested)");
    printf("\n");
    CHECK(is_here(p256_best()));
}

/* ---- Wycheproof ------------------------------------------------------------------------------------------------- */

static bool ecdh_agrees(const uint8_t *public, const struct p256_scalar *k, const uint8_t *shared)
{
    bool ok = true;

    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        struct point r;

        if (!is_here(all[i].ops))
            continue;
        memcpy(r.bytes, public, sizeof r.bytes);
        ok &= CHECK_EQ(p256_mul(all[i].ops, r.bytes, k), shared != NULL);
        if (shared != NULL)
            ok &= CHECK_MEM(r.bytes + 1, 32, shared, 32);
    }
    return ok;
}

TEST(wycheproof_ecdh)
{
    struct wycheproof *w = wycheproof_open("ecdh_secp256r1_ecpoint_test.json");
    uint8_t public[128], private[64], shared[32];
    unsigned valid = 0, refused = 0, compressed = 0;

    while (wycheproof_next(w)) {
        size_t len = wycheproof_hex(w, "public", public, sizeof public);
        size_t private_len = wycheproof_hex(w, "private", private, sizeof private);
        size_t shared_len = wycheproof_hex(w, "shared", shared, sizeof shared);
        bool is_valid = wycheproof_result(w) == WYCHEPROOF_VALID;
        struct p256_scalar k;

        p256_scalar_read(&k, private, private_len);
        if (len != P256_POINT) {
            /* Compressed points are none to BearSSL. */
            CHECK(!is_valid || wycheproof_flag(w, "CompressedPoint"));
            CHECK_EQ(p256_m64.mul(public, len, private, private_len, CURVE), 0);
            compressed++;
            continue;
        }
        valid += is_valid;
        refused += !is_valid;
        if (!CHECK(!is_valid || shared_len == 32) || !ecdh_agrees(public, &k, is_valid ? shared : NULL))
            printf("    test %u\n", wycheproof_id(w));
    }
    wycheproof_close(w);
    printf("%u valid, %u refused, %u compressed or cut short\n", valid, refused, compressed);
    CHECK(valid > 300);
    CHECK(refused > 10);
}

TEST_MAIN(RUN(the_best_is_one_that_there_is), RUN(constants), RUN(wycheproof_ecdh), RUN(mulgen_special),
          RUN(mulgen_single_bits), RUN(mulgen_random), RUN(mul_special), RUN(mul_random), RUN(muladd_random),
          RUN(muladd_of_a_point_and_itself), RUN(muladd_with_0), RUN(verify_random), RUN(verify_special),
          RUN(verify_where_a_sum_meets_the_key), RUN(what_is_no_point), RUN(multipliers_of_every_length),
          RUN(points_of_other_lengths))

#else

TEST(only_with_128_bits)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_128_bits))

#endif
