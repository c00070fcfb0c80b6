/* SPDX-License-Identifier: MIT
 *
 * RSA's private operation by 64-bit arithmetic: each way of computing against BearSSL's 31-bit one, with keys
 * of every shape; what must be refused; and damaged keys, of which no result may leave.
 */
#include "tests/unit/test.h"
#include "crypto/rsa_m64.h"
#include "tests/unit/crypto/rsa_keys.h"

#include <stdlib.h>

#ifdef __SIZEOF_INT128__

static const char *const path_names[] = {"portable", "adx", "ifma"};

#define EACH_PATH(path)                                                           \
    for (enum rsa_m64_path path = RSA_M64_PORTABLE; path <= RSA_M64_IFMA; path++) \
        if (!rsa_m64_has(path)) {                                                 \
            printf("    no %s on this processor\n", path_names[path]);            \
        } else

static const struct {
    const char *name;
    bool supported; /* and not refused for its exponent */
} keys[] = {
    {"256",            true },
    {"1024",           true },
    {"1024-e3",        true },
    {"1024-e5",        true },
    {"1024-e7",        false},
    {"1024-e17",       true },
    {"1024-e257",      true },
    {"1025",           true },
    {"2047",           true },
    {"2048",           true },
    {"2048-p-below-q", true },
    {"2048-512-1536",  true },
    {"2048-1536-512",  true },
    {"2049",           true },
    {"3072",           true },
    {"4096",           true },
    {"4096-2080-2016", true },
};

static bool all_of_them(void)
{
    return getenv("PROXY_TEST_ALL") != NULL;
}

/* The same numbers each time. */
static const br_prng_class **generator(void)
{
    static br_hmac_drbg_context drbg;

    if (drbg.vtable == NULL)
        br_hmac_drbg_init(&drbg, &br_sha256_vtable, "rsa_m64_test", 12);
    return &drbg.vtable;
}

static void random_bytes(void *to, size_t n)
{
    const br_prng_class **g = generator();

    (*g)->generate(g, to, n);
}

/* x: a number below n, as its first byte is. */
static void random_below(uint8_t *x, const struct rsa_key *k)
{
    random_bytes(x, k->pk.nlen);
    x[0] = (uint8_t)(x[0] % k->n[0]);
}

static bool zeros(const uint8_t *x, size_t len)
{
    while (len > 0 && x[len - 1] == 0)
        len--;
    return len == 0;
}

/* x (x_len) = a * factor, big-endian. */
static void small_multiple(uint8_t *x, size_t x_len, const uint8_t *a, size_t a_len, unsigned factor)
{
    unsigned carry = 0;

    memset(x, 0, x_len);
    for (size_t i = 0; i < x_len; i++) {
        carry += i < a_len ? a[a_len - 1 - i] * factor : 0;
        x[x_len - 1 - i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* x += a, both `len` bytes; a may be -1. */
static void add_small(uint8_t *x, size_t len, int a)
{
    for (size_t i = len; i-- > 0 && a != 0;) {
        int sum = x[i] + a;

        x[i] = (uint8_t)sum;
        a = sum < 0 ? -1 : sum >> 8;
    }
}

/* Every path makes of x what BearSSL makes of it. */
static void check_same(const uint8_t *x, const br_rsa_private_key *sk, const char *what)
{
    uint8_t model[520], got[520];
    size_t len = (sk->n_bitlen + 7) / 8;

    memcpy(model, x, len);
    CHECK_EQ(br_rsa_i31_private(model, sk), 1);
    EACH_PATH(path)
    {
        memcpy(got, x, len);
        if (!CHECK_EQ(rsa_m64_private_by(path, false, got, sk), 1) || !CHECK_MEM(got, len, model, len))
            printf("    %s, %s\n", what, path_names[path]);
    }
}

/* Every path makes of x what the public operation makes x of again: there is but one such number, and this takes a
 * hundredth of the time of BearSSL's private operation. */
static void check_leads_back(const uint8_t *x, const struct rsa_key *k, const char *what)
{
    uint8_t got[520];

    EACH_PATH(path)
    {
        memcpy(got, x, k->pk.nlen);
        CHECK_EQ(rsa_m64_private_by(path, false, got, &k->sk), 1);
        CHECK_EQ(br_rsa_i31_public(got, k->pk.nlen, &k->pk), 1);
        if (!CHECK_MEM(got, k->pk.nlen, x, k->pk.nlen))
            printf("    %s, %s\n", what, path_names[path]);
    }
}

TEST(numbers_at_every_edge)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct rsa_key k;
        uint8_t x[520];
        size_t len;

        rsa_key_load(&k, keys[i].name);
        len = k.pk.nlen;
        for (unsigned small = 0; small < 4; small++) {
            memset(x, 0, sizeof x);
            x[len - 1] = (uint8_t)small;
            check_leads_back(x, &k, keys[i].name);
        }
        memcpy(x, k.n, len);
        for (unsigned below = 1; below < 3; below++) {
            add_small(x, len, -1);
            check_leads_back(x, &k, keys[i].name);
        }
        for (unsigned factor = 1; factor < 250; factor += 248) {
            small_multiple(x, len, k.part[RSA_KEY_P], k.sk.plen, factor);
            check_leads_back(x, &k, keys[i].name);
            small_multiple(x, len, k.part[RSA_KEY_Q], k.sk.qlen, factor);
            check_leads_back(x, &k, keys[i].name);
            add_small(x, len, -1);
            check_leads_back(x, &k, keys[i].name);
        }
        memset(x, 0xff, len);
        x[0] = 0;
        check_leads_back(x, &k, keys[i].name);
        memset(x + len / 2, 0, len - len / 2);
        check_leads_back(x, &k, keys[i].name);
        for (unsigned round = !all_of_them() ? 1 : k.sk.n_bitlen == 2048 ? 500 : 50; round > 0; round--) {
            random_below(x, &k);
            check_leads_back(x, &k, keys[i].name);
        }
        check_same(x, &k.sk, keys[i].name);
    }
}

/* More than 100,000 numbers in all, under keys of lengths around one and two blocks of a prime. */
TEST(random_keys_and_numbers)
{
    static const struct {
        unsigned bits;
        size_t every_day, all;
    } sizes[] = {
        {512,  40, 80000},
        {522,  20, 10000},
        {600,  20, 5000 },
        {768,  20, 5000 },
        {1000, 10, 2000 },
        {1024, 10, 2000 },
        {1030, 10, 2000 },
        {1100, 10, 2000 },
    };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        br_rsa_private_key sk;
        br_rsa_public_key pk;
        uint8_t private[BR_RSA_KBUF_PRIV_SIZE(1100)], public[BR_RSA_KBUF_PUB_SIZE(1100)], x[140];

        if (!CHECK(br_rsa_i31_keygen(generator(), &sk, private, &pk, public, sizes[i].bits, 0x10001)))
            return;
        for (size_t round = all_of_them() ? sizes[i].all : sizes[i].every_day; round > 0; round--) {
            random_bytes(x, pk.nlen);
            x[0] = (uint8_t)(x[0] % pk.n[0]);
            check_same(x, &sk, "a random key");
        }
    }
}

TEST(numbers_not_below_the_modulus)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct rsa_key k;

        rsa_key_load(&k, keys[i].name);
        EACH_PATH(path)
        {
            uint8_t x[520];

            for (int above = 0; above < 2; above++) {
                memcpy(x, k.n, k.pk.nlen);
                add_small(x, k.pk.nlen, above);
                CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
                CHECK(zeros(x, k.pk.nlen));
            }
            memset(x, 0xff, sizeof x);
            CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
            CHECK(zeros(x, k.pk.nlen));
        }
    }
}

/* Moves a part to the end of its room, with zeros before it. */
static void widen(struct rsa_key *k, unsigned part, unsigned char **p, size_t *len)
{
    memmove(k->part[part] + sizeof k->part[part] - *len, k->part[part], *len);
    memset(k->part[part], 0, sizeof k->part[part] - *len);
    *p = k->part[part];
    *len = sizeof k->part[part];
}

TEST(zeros_before_a_number)
{
    struct rsa_key k;
    uint8_t x[520];

    rsa_key_load(&k, "2048");
    widen(&k, RSA_KEY_P, &k.sk.p, &k.sk.plen);
    widen(&k, RSA_KEY_Q, &k.sk.q, &k.sk.qlen);
    widen(&k, RSA_KEY_DP, &k.sk.dp, &k.sk.dplen);
    widen(&k, RSA_KEY_DQ, &k.sk.dq, &k.sk.dqlen);
    widen(&k, RSA_KEY_IQ, &k.sk.iq, &k.sk.iqlen);
    random_below(x, &k);
    check_same(x, &k.sk, "zeros");
}

/* BearSSL takes an inverse that is not reduced, and exponents that are greater than need be or of different
 * lengths. */
TEST(numbers_that_are_not_the_smallest)
{
    struct rsa_key k;
    uint8_t x[520];
    unsigned carry = 0;

    rsa_key_load(&k, "1024");
    random_below(x, &k);
    for (size_t i = k.sk.plen; i-- > 0;) { /* iq + p, of which the sum's carry may be a byte more */
        carry += k.part[RSA_KEY_IQ][i] + k.part[RSA_KEY_P][i];
        k.part[RSA_KEY_IQ][i] = (uint8_t)carry;
        carry >>= 8;
    }
    if (k.sk.iqlen == k.sk.plen && carry == 0)
        check_same(x, &k.sk, "iq + p");

    rsa_key_load(&k, "2048");
    random_below(x, &k);
    k.sk.dplen -= 7;
    check_same(x, &k.sk, "dp cut off");
    k.sk.dqlen = 0;
    check_same(x, &k.sk, "no dq");
}

TEST(keys_that_are_refused)
{
    struct rsa_key k;

    EACH_PATH(path)
    {
        uint8_t x[520] = {0};

        rsa_key_load(&k, "2048");
        k.sk.n_bitlen -= 8; /* not the product's length */
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        k.sk.n_bitlen += 16;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        k.sk.n_bitlen = 0;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        k.sk.n_bitlen = 4097; /* x is not touched */
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        k.sk.n_bitlen = UINT32_MAX;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);

        rsa_key_load(&k, "2048"); /* even */
        k.part[RSA_KEY_P][k.sk.plen - 1] &= 0xfe;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        rsa_key_load(&k, "2048");
        k.part[RSA_KEY_Q][k.sk.qlen - 1] &= 0xfe;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);

        rsa_key_load(&k, "2048"); /* small, or none */
        k.sk.plen = 15;
        k.part[RSA_KEY_P][14] |= 1;
        k.sk.n_bitlen = 15 * 8 + 1024;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        k.sk.plen = 0;
        k.sk.n_bitlen = 1024;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        memset(k.part[RSA_KEY_P], 0, sizeof k.part[RSA_KEY_P]);
        k.sk.plen = 128;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);

        rsa_key_load(&k, "2048"); /* a prime of more limbs than there may be */
        uint8_t large[321];
        memset(large, 0xff, sizeof large);
        k.sk.p = large;
        k.sk.plen = sizeof large;
        k.sk.n_bitlen = 321 * 8 + 1024;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);

        rsa_key_load(&k, "256"); /* an inverse that is too long */
        memset(large, 0, sizeof large);
        large[321 - 65] = 1;
        k.sk.iq = large;
        k.sk.iqlen = sizeof large;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 0);
        large[321 - 65] = 0;
        CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 1);
    }
}

TEST(results_are_verified)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct rsa_key k;
        uint8_t x[520], got[520], back[520];

        rsa_key_load(&k, keys[i].name);
        random_below(x, &k);
        EACH_PATH(path)
        {
            memcpy(got, x, sizeof x);
            if (!CHECK_EQ(rsa_m64_private_by(path, true, got, &k.sk), keys[i].supported))
                printf("    %s, %s\n", keys[i].name, path_names[path]);
            if (!keys[i].supported) {
                CHECK(zeros(got, k.pk.nlen));
                continue;
            }
            memcpy(back, got, sizeof back);
            CHECK_EQ(br_rsa_i31_public(back, k.pk.nlen, &k.pk), 1);
            CHECK_MEM(back, k.pk.nlen, x, k.pk.nlen);
        }
        memcpy(got, x, sizeof x);
        CHECK_EQ(rsa_m64_private(got, &k.sk), keys[i].supported);
        memcpy(got, x, sizeof x);
        CHECK_EQ(rsa_i31_private(got, &k.sk), keys[i].supported);
    }
}

/* A bit of the key is wrong: without verification something comes out, with it nothing does. */
static void damage(const char *name, unsigned part, size_t step)
{
    struct rsa_key k;
    size_t len;
    uint8_t x[520], got[520];

    rsa_key_load(&k, name);
    len = (const size_t[]){k.sk.plen, k.sk.qlen, k.sk.dplen, k.sk.dqlen, k.sk.iqlen}[part];
    random_below(x, &k);
    x[0] = 0; /* below any modulus that comes of it */
    for (size_t bit = 0; bit < 8 * len; bit += step) {
        uint8_t *byte = &k.part[part][len - 1 - bit / 8];

        *byte = (uint8_t)(*byte ^ 1 << bit % 8);
        EACH_PATH(path)
        {
            memcpy(got, x, sizeof x);
            if (!CHECK_EQ(rsa_m64_private_by(path, true, got, &k.sk), 0) || !CHECK(zeros(got, k.pk.nlen)))
                printf("    part %u, bit %zu, %s, %s\n", part, bit, name, path_names[path]);
        }
        memcpy(got, x, sizeof x);
        if (bit == 0 || bit + step >= 8 * len) {
            CHECK_EQ(rsa_i31_private(got, &k.sk), 0);
            CHECK(zeros(got, k.pk.nlen));
        }
        *byte = (uint8_t)(*byte ^ 1 << bit % 8);
    }
    memcpy(got, x, sizeof x);
    CHECK_EQ(rsa_m64_private(got, &k.sk), 1);
}

TEST(damaged_keys_make_nothing)
{
    struct rsa_key k;
    uint8_t x[520] = {0};

    for (unsigned part = 0; part < RSA_KEY_PARTS; part++) {
        damage("1024", part, all_of_them() ? 1 : 37);
        damage("2048", part, all_of_them() ? 7 : 509);
    }
    rsa_key_load(&k, "2048");
    k.part[RSA_KEY_DP][9] ^= 4;
    x[100] = 1;
    EACH_PATH(path) CHECK_EQ(rsa_m64_private_by(path, false, x, &k.sk), 1);
}

TEST_MAIN(RUN(numbers_at_every_edge), RUN(random_keys_and_numbers), RUN(numbers_not_below_the_modulus),
          RUN(zeros_before_a_number), RUN(numbers_that_are_not_the_smallest), RUN(keys_that_are_refused),
          RUN(results_are_verified), RUN(damaged_keys_make_nothing))

#else

TEST(only_with_64_bit_multiplication)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_64_bit_multiplication))

#endif
