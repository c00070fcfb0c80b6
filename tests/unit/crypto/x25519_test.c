/* SPDX-License-Identifier: MIT
 *
 * Each X25519 that this processor has: against the RFC's and Wycheproof's vectors, against BearSSL on edge values and
 * random input, and its table against slow arithmetic.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/slow25519.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/ec.h"
#include "crypto/x25519.h"
#include "crypto/x25519_table.h"

#include <bearssl.h>

enum { LEN = 32, CURVE = BR_EC_curve25519 };

#ifdef __SIZEOF_INT128__

/* The next implementation after the first `*i`; NULL at the end. */
static const br_ec_impl *next(unsigned *i)
{
    switch ((*i)++) {
    case 0: return &ec_ecdhe; /* the one that was chosen */
    case 1: return &x25519_m64;
#ifdef __x86_64__
    case 2: return x25519_adx_works() ? &x25519_adx : NULL;
#endif
    default: return NULL;
    }
}

#define EACH(ec)          \
    unsigned each = 0;    \
    const br_ec_impl *ec; \
    while ((ec = next(&each)) != NULL)

static void unhex(uint8_t *to, const char *text)
{
    for (unsigned i = 0; i < LEN; i++)
        sscanf(text + 2 * i, "%2hhx", &to[i]);
}

static bool is_zero(const uint8_t *p)
{
    static const uint8_t zero[LEN];

    return memcmp(p, zero, LEN) == 0;
}

/* The product is as expected, and refused when it is zero. */
static bool product_is(const br_ec_impl *ec, const uint8_t *point, const uint8_t *scalar,
                       const uint8_t *expected)
{
    uint8_t g[LEN];
    uint32_t answer;

    memcpy(g, point, LEN);
    answer = ec->mul(g, LEN, scalar, LEN, CURVE);
    return CHECK_MEM(g, LEN, expected, LEN) & CHECK_EQ(answer, !is_zero(expected));
}

static bool as_bearssl(const br_ec_impl *ec, const uint8_t *point, const uint8_t *scalar)
{
    uint8_t expected[LEN];

    memcpy(expected, point, LEN);
    br_ec_c25519_m31.mul(expected, LEN, scalar, LEN, CURVE);
    return product_is(ec, point, scalar, expected);
}

static bool generator_as_bearssl(const br_ec_impl *ec, const uint8_t *scalar)
{
    uint8_t expected[LEN], r[LEN];

    br_ec_c25519_m31.mulgen(expected, scalar, LEN, CURVE);
    return CHECK_EQ(ec->mulgen(r, scalar, LEN, CURVE), LEN) & CHECK_MEM(r, LEN, expected, LEN);
}

/* ---- published vectors ----------------------------------------------------------------------------------------- */

TEST(rfc7748_vectors)
{
    static const char *const vectors[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493", "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };
    uint8_t scalar[LEN], point[LEN], expected[LEN];

    EACH(ec)
    {
        for (unsigned i = 0; i < 2; i++) {
            unhex(scalar, vectors[i][0]);
            unhex(point, vectors[i][1]);
            unhex(expected, vectors[i][2]);
            product_is(ec, point, scalar, expected);
        }
    }
}

/* §5.2's loop: scalar and point are the last two results. A million takes too long under an emulator. */
#ifdef __aarch64__
#define LAST 1000
#else
#define LAST 1000000
#endif
TEST(rfc7748_iterated)
{
    uint8_t scalar[LEN], point[LEN], result[LEN], expected[LEN];

    EACH(ec)
    {
        size_t last = ec == &ec_ecdhe ? input_count(1000, LAST) : 1000;

        memset(scalar, 0, LEN);
        scalar[0] = 9;
        memcpy(point, scalar, LEN);
        for (size_t i = 1; i <= last; i++) {
            memcpy(result, point, LEN);
            CHECK_EQ(ec->mul(result, LEN, scalar, LEN, CURVE), 1);
            memcpy(point, scalar, LEN);
            memcpy(scalar, result, LEN);
            if (i == 1)
                unhex(expected, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
            else if (i == 1000)
                unhex(expected, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
            else if (i == 1000000)
                unhex(expected, "7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424");
            else
                continue;
            CHECK_MEM(result, LEN, expected, LEN);
        }
    }
}

/* §6.1. */
TEST(rfc7748_diffie_hellman)
{
    uint8_t a[LEN], b[LEN], a_public[LEN], b_public[LEN], shared[LEN], r[LEN];

    unhex(a, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    unhex(a_public, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    unhex(b, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    unhex(b_public, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    unhex(shared, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    EACH(ec)
    {
        CHECK_EQ(ec->mulgen(r, a, LEN, CURVE), LEN);
        CHECK_MEM(r, LEN, a_public, LEN);
        CHECK_EQ(ec->mulgen(r, b, LEN, CURVE), LEN);
        CHECK_MEM(r, LEN, b_public, LEN);
        product_is(ec, b_public, a, shared);
        product_is(ec, a_public, b, shared);
    }
}

/* "Acceptable" are products of points that a library may refuse: here, none but those that are zero. */
TEST(wycheproof)
{
    struct wycheproof *w = wycheproof_open("x25519_test.json");
    uint8_t point[LEN], scalar[LEN], shared[LEN];
    unsigned n = 0, zeros = 0;

    while (wycheproof_next(w)) {
        n += wycheproof_hex(w, "public", point, LEN) == LEN;
        wycheproof_hex(w, "private", scalar, LEN);
        wycheproof_hex(w, "shared", shared, LEN);
        CHECK_EQ(is_zero(shared), wycheproof_flag(w, "ZeroSharedSecret"));
        zeros += is_zero(shared);
        EACH(ec)
        {
            if (!product_is(ec, point, scalar, shared))
                printf("    test %u\n", wycheproof_id(w));
        }
    }
    wycheproof_close(w);
    CHECK_EQ(n, 518);
    CHECK_EQ(zeros, 31);
}

/* ---- against BearSSL ------------------------------------------------------------------------------------------- */

/* Of low order are 0, 1, p - 1 and the two long ones after 1, as often as they can be written. */
static const char *const edge_points[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p - 1 */
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p */
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1 */
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 2^255 - 1 */
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", /* 2p - 1 */
    "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 3, on the curve or its twist */
    "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 9 */
    "0200000000000000000000000000000000000000000000000000000000000000",
    "0300000000000000000000000000000000000000000000000000000000000000",
    "0900000000000000000000000000000000000000000000000000000000000000",
    "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "00000000000000000000000000000000ffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000",
    "0000000000000000ffffffffffffffff0000000000000000ffffffffffffff7f",
    "ffffffffffff0700000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000040",
};

static const char *const edge_scalars[] = {
    "0000000000000000000000000000000000000000000000000000000000000000", /* 2^254, clamped */
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0800000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f8ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f8ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff3f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", /* the group's order */
    "b44fd773698c49605973de8b7ae77b5300000000000000000000000000000040", /* 4 times the order */
    "609faee7d21893c0b2e6bc17f5cef7a600000000000000000000000000000080", /* 8 times, less 8 */
    "00000000000000000000000000000000ffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "5555555555555555555555555555555555555555555555555555555555555555",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TEST(edge_values)
{
    uint8_t point[LEN], scalar[LEN];

    EACH(ec)
    {
        for (size_t i = 0; i < COUNT(edge_scalars); i++) {
            unhex(scalar, edge_scalars[i]);
            if (!generator_as_bearssl(ec, scalar))
                printf("    scalar %zu\n", i);
            for (size_t j = 0; j < COUNT(edge_points); j++) {
                unhex(point, edge_points[j]);
                if (!as_bearssl(ec, point, scalar))
                    printf("    scalar %zu, point %zu\n", i, j);
            }
        }
    }
}

/* Each bit of the scalar alone, and all but it: every digit of the comb, and the ladder's every turn. */
TEST(single_bits)
{
    EACH(ec)
    {
        for (unsigned i = 0; i < 8 * LEN; i++) {
            uint8_t scalar[LEN] = {0};

            scalar[i / 8] = (uint8_t)(1 << i % 8);
            generator_as_bearssl(ec, scalar);
            for (unsigned j = 0; j < LEN; j++)
                scalar[j] ^= 0xff;
            generator_as_bearssl(ec, scalar);
        }
    }
}

TEST(random_input)
{
    size_t n = input_count(500, 20000);
    uint8_t point[LEN], scalar[LEN];

    EACH(ec)
    {
        for (size_t i = 0; i < n; i++) {
            input_bytes(point, sizeof point);
            input_bytes(scalar, sizeof scalar);
            if (!as_bearssl(ec, point, scalar) || !generator_as_bearssl(ec, scalar))
                return;
        }
    }
}

/* Without BearSSL, which is slower than both: the generator as a point like others. */
TEST(generator_by_both_ways)
{
    size_t n = input_count(1000, 50000);
    uint8_t nine[LEN] = {9}, scalar[LEN], r[LEN];

    EACH(ec)
    {
        for (size_t i = 0; i < n; i++) {
            input_bytes(scalar, sizeof scalar);
            CHECK_EQ(ec->mulgen(r, scalar, LEN, CURVE), LEN);
            if (!product_is(ec, nine, scalar, r))
                return;
        }
    }
}

/* ---- lengths and constants ------------------------------------------------------------------------------------- */

TEST(lengths)
{
    uint8_t scalar[LEN + 1], point[LEN + 1], expected[LEN], r[LEN];

    input_bytes(scalar, sizeof scalar);
    input_bytes(point, sizeof point);
    EACH(ec)
    {
        CHECK_EQ(ec->mul(point, LEN - 1, scalar, LEN, CURVE), 0);
        CHECK_EQ(ec->mul(point, LEN + 1, scalar, LEN, CURVE), 0);
        CHECK_EQ(ec->mul(point, 0, scalar, LEN, CURVE), 0);
        CHECK_EQ(ec->mul(point, LEN, scalar, LEN + 1, CURVE), 0);
        CHECK_EQ(ec->mulgen(r, scalar, LEN + 1, CURVE), 0);
        for (size_t len = 0; len <= LEN; len++) {
            memcpy(expected, point, LEN);
            memcpy(r, point, LEN);
            br_ec_c25519_m31.mul(expected, LEN, scalar, len, CURVE);
            CHECK_EQ(ec->mul(r, LEN, scalar, len, CURVE), 1);
            CHECK_MEM(r, LEN, expected, LEN);
            br_ec_c25519_m31.mulgen(expected, scalar, len, CURVE);
            CHECK_EQ(ec->mulgen(r, scalar, len, CURVE), LEN);
            CHECK_MEM(r, LEN, expected, LEN);
        }
    }
}

TEST(constants_as_bearssl)
{
    EACH(ec)
    {
        size_t len, expected_len;
        const uint8_t *expected = br_ec_c25519_m31.generator(CURVE, &expected_len);
        const uint8_t *got = ec->generator(CURVE, &len);

        CHECK_MEM(got, len, expected, expected_len);
        expected = br_ec_c25519_m31.order(CURVE, &expected_len);
        got = ec->order(CURVE, &len);
        CHECK_MEM(got, len, expected, expected_len);
        CHECK_EQ(ec->xoff(CURVE, &len), 0);
        CHECK_EQ(len, LEN);
        CHECK((ec->supported_curves & (uint32_t)1 << CURVE) != 0);
        CHECK_EQ(ec->muladd(NULL, NULL, LEN, NULL, 0, NULL, 0, CURVE), 0);
    }
    CHECK_EQ(x25519_m64.supported_curves, br_ec_c25519_m31.supported_curves);
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static bool entry_is(const struct x25519_entry *entry, struct slow_point p)
{
    struct slow two = slow_small(2), sum, difference, product;

    memcpy(&sum, entry->sum, sizeof sum);
    memcpy(&difference, entry->difference, sizeof difference);
    memcpy(&product, entry->product, sizeof product);
    return CHECK(slow_equal(slow_mul(sum, two), slow_add(p.y, p.x))) &
           CHECK(slow_equal(slow_mul(difference, two), slow_sub(p.y, p.x))) &
           CHECK(slow_equal(product, slow_mul(slow_d(), slow_mul(p.x, p.y))));
}

TEST(table)
{
    struct slow_point first = slow_point_double(slow_base(), 3);

    CHECK(slow_point_on_curve(first));
    for (unsigned t = 0; t < X25519_TABLES; t++, first = slow_point_double(first, X25519_ROWS)) {
        struct slow_point teeth[X25519_TEETH] = {first};

        for (unsigned i = 1; i < X25519_TEETH; i++)
            teeth[i] = slow_point_double(teeth[i - 1], X25519_COLUMNS);
        for (unsigned index = 0; index < X25519_ENTRIES; index++) {
            struct slow_point sum = teeth[X25519_TEETH - 1];

            for (unsigned i = 0; i < X25519_TEETH - 1; i++)
                sum = slow_point_add(sum, index >> i & 1 ? teeth[i] : slow_point_negate(teeth[i]));
            if (!entry_is(&x25519_table[t][index], sum))
                printf("    table %u, entry %u\n", t, index);
        }
    }
}

TEST_MAIN(RUN(rfc7748_vectors), RUN(rfc7748_iterated), RUN(rfc7748_diffie_hellman), RUN(wycheproof),
          RUN(edge_values), RUN(single_bits), RUN(random_input), RUN(generator_by_both_ways), RUN(lengths),
          RUN(constants_as_bearssl), RUN(table))

#else

TEST(nothing_on_this_architecture) {}
TEST_MAIN(RUN(nothing_on_this_architecture))

#endif
