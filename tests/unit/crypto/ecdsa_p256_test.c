/* SPDX-License-Identifier: MIT
 *
 * ECDSA on P-256: against Wycheproof's vectors, those of RFC 6979, and BearSSL's own functions, byte for byte.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/p256_numbers.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/ec.h"
#include "crypto/ecdsa_p256.h"

#include <bearssl.h>

#ifdef __SIZEOF_INT128__

enum { CURVE = BR_EC_secp256r1, SIGNATURE = 72 };

static const br_hash_class *const hashes[] = {&br_sha256_vtable, &br_sha1_vtable, &br_sha224_vtable,
                                              &br_sha384_vtable, &br_sha512_vtable};

enum { HASHES = sizeof hashes / sizeof hashes[0] };

static size_t hash_len(const br_hash_class *hf)
{
    return hf->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

static void hash_text(const br_hash_class *hf, const void *text, size_t len, uint8_t hash[64])
{
    br_hash_compat_context c;

    hf->init(&c.vtable);
    hf->update(&c.vtable, text, len);
    hf->out(&c.vtable, hash);
}

struct key {
    uint8_t x[32], q[65];
    br_ec_private_key private;
    br_ec_public_key public;
};

static void key_set(struct key *k, struct number x)
{
    number_write(k->x, x);
    ec_all.mulgen(k->q, k->x, sizeof k->x, CURVE);
    k->private = (br_ec_private_key){CURVE, k->x, sizeof k->x};
    k->public = (br_ec_public_key){CURVE, k->q, sizeof k->q};
}

static struct number random_key(void)
{
    struct number x = number_random_below(number_n), zero = {{0}};

    return number_same(x, zero) ? (struct number){{1}} : x;
}

static size_t sign(const br_hash_class *hf, const uint8_t *hash, const br_ec_private_key *sk, uint8_t *sig)
{
    return ecdsa_p256_sign_asn1(&ec_all, hf, hash, sk, sig);
}

static bool verify(const uint8_t *hash, size_t len, const br_ec_public_key *pk, const uint8_t *sig,
                   size_t sig_len)
{
    return ecdsa_p256_vrfy_asn1(&ec_all, hash, len, pk, sig, sig_len) == 1;
}

/* ---- RFC 6979 §A.2.5 -------------------------------------------------------------------------------------------- */

TEST(rfc_6979)
{
    static const struct {
        const br_hash_class *hf;
        const char *text, *r, *s;
    } vectors[] = {
        {&br_sha1_vtable,   "sample", "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32",
         "6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb"},
        {&br_sha224_vtable, "sample", "53b2fff5d1752b2c689df257c04c40a587fababb3f6fc2702f1343af7ca9aa3f",
         "b9afb64fdc03dc1a131c7d2386d11e349f070aa432a4acc918bea988bf75c74c"},
        {&br_sha256_vtable, "sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
         "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
        {&br_sha384_vtable, "sample", "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719",
         "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954"},
        {&br_sha512_vtable, "sample", "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
         "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe"},
        {&br_sha256_vtable, "test",   "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
         "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
    };
    struct key k;

    key_set(&k, number_of("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"));
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t hash[64], expected[SIGNATURE], sig[SIGNATURE];
        size_t len, expected_len;

        hash_text(vectors[i].hf, vectors[i].text, strlen(vectors[i].text), hash);
        number_write(expected, number_of(vectors[i].r));
        number_write(expected + 32, number_of(vectors[i].s));
        expected_len = br_ecdsa_raw_to_asn1(expected, 64);
        len = sign(vectors[i].hf, hash, &k.private, sig);
        CHECK_MEM(sig, len, expected, expected_len);
        CHECK(verify(hash, hash_len(vectors[i].hf), &k.public, sig, len));
    }
}

/* ---- against BearSSL -------------------------------------------------------------------------------------------- */

static bool signs_alike(const br_hash_class *hf, const uint8_t *hash, const br_ec_private_key *sk)
{
    uint8_t sig[SIGNATURE], expected[SIGNATURE];
    size_t expected_len = br_ecdsa_i31_sign_asn1(&ec_all, hf, hash, sk, expected);

    memset(sig, 0xa5, sizeof sig);
    return CHECK_MEM(sig, sign(hf, hash, sk, sig), expected, expected_len);
}

TEST(sign_random)
{
    for (size_t i = number_of_tests(400, 20000); i > 0; i--) {
        uint8_t hash[64];
        struct key k;

        key_set(&k, random_key());
        random_bytes(hash, sizeof hash);
        if (!signs_alike(hashes[i % HASHES], hash, &k.private))
            return;
    }
}

/* Keys and hashes at the edges; keys of 0, of the order and above are refused. */
TEST(sign_edges)
{
    for (size_t i = 0; i < NUMBER_EDGES; i++)
        for (size_t j = 0; j < NUMBER_EDGES; j += 1 + random_below(8)) {
            uint8_t x[32], hash[64] = {0};
            br_ec_private_key sk = {CURVE, x, sizeof x};

            number_write(x, number_edge(i));
            number_write(hash, number_edge(j));
            if (!signs_alike(hashes[random_below(HASHES)], hash, &sk))
                printf("    key %zu, hash %zu\n", i, j);
        }
}

TEST(keys_of_other_lengths)
{
    const uint8_t hash[64] = {1, 2, 3};
    uint8_t x[80], sig[SIGNATURE];

    for (size_t len = 0; len <= sizeof x; len++)
        for (size_t zeros = 0; zeros <= len; zeros++) {
            br_ec_private_key sk = {CURVE, x, len};

            random_bytes(x, sizeof x);
            memset(x, 0, zeros);
            if (zeros < len)
                x[zeros] |= 1;
            if (len - zeros > 32) /* BearSSL takes its time to find that the number is above the order */
                CHECK_EQ(sign(&br_sha256_vtable, hash, &sk, sig), 0);
            else if (zeros % 8 == len % 8 && !signs_alike(&br_sha256_vtable, hash, &sk))
                printf("    %zu bytes, %zu of them 0\n", len, zeros);
        }
}

/* What BearSSL and this make of a signature with one thing changed. */
static bool verifies_alike(const struct key *k, const uint8_t *hash, size_t len, const uint8_t *sig,
                           size_t sig_len)
{
    uint32_t expected = br_ecdsa_i31_vrfy_asn1(&ec_all, hash, len, &k->public, sig, sig_len);

    return CHECK_EQ(verify(hash, len, &k->public, sig, sig_len), expected);
}

TEST(verify_random)
{
    for (size_t i = number_of_tests(200, 10000); i > 0; i--) {
        const br_hash_class *hf = hashes[i % HASHES];
        size_t len = hash_len(hf), sig_len;
        uint8_t hash[64], raw[64], sig[SIGNATURE];
        struct key k, other;
        bool ok = true;

        key_set(&k, random_key());
        key_set(&other, random_key());
        random_bytes(hash, sizeof hash);
        sig_len = sign(hf, hash, &k.private, sig);
        ok &= CHECK(verify(hash, len, &k.public, sig, sig_len));
        ok &= CHECK(verifies_alike(&k, hash, len, sig, sig_len));
        /* Numbers at the edges are drawn often enough for both keys to be the same one. */
        ok &= CHECK_EQ(verify(hash, len, &other.public, sig, sig_len), !memcmp(k.x, other.x, sizeof k.x));
        /* Bytes that count, and for a longer hash those that do not. */
        hash[random_below(len)] ^= (uint8_t)(1 + random_below(255));
        ok &= verifies_alike(&k, hash, len, sig, sig_len);
        /* Another r or s, each still below the order. */
        number_write(raw, number_random_below(number_n));
        number_write(raw + 32, number_random_below(number_n));
        sig_len = br_ecdsa_raw_to_asn1(memcpy(sig, raw, sizeof raw), sizeof raw);
        ok &= CHECK(!verify(hash, len, &k.public, sig, sig_len));
        if (!ok)
            return;
    }
}

/* With r and s of a good signature at hand: s may be negated, nothing else. */
TEST(verify_other_numbers)
{
    const struct number zero = {{0}};

    for (size_t i = 0; i < 40; i++) {
        uint8_t hash[32], sig[SIGNATURE];
        struct number r, s;
        struct key k;
        size_t len;

        key_set(&k, random_key());
        random_bytes(hash, sizeof hash);
        len = br_ecdsa_asn1_to_raw(sig, sign(&br_sha256_vtable, hash, &k.private, sig));
        if (len != 64)
            continue; /* both begin with a 0 */
        r = number_read(sig);
        s = number_read(sig + 32);

        const struct {
            struct number r, s;
            bool good;
        } cases[] = {
            {r,               s,               true               },
            {r,               number_sub(zero, s,                   number_n), true},
            {number_sub(zero,           r,                          number_n),                               s, false},
            {s,      r,false},
            {zero,               s,                        false                                           },
            {r,            zero,            false  },
            {zero,               zero,               false                 },
            {number_n,            s,         false        },
            {r,        number_n,           false                },
            {number_edge(24),               s,               false                  },
            {r, number_edge(24), false},
        };

        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            number_write(sig, cases[j].r);
            number_write(sig + 32, cases[j].s);
            len = br_ecdsa_raw_to_asn1(sig, 64);
            if (!CHECK_EQ(verify(hash, sizeof hash, &k.public, sig, len), cases[j].good))
                printf("    case %zu\n", j);
        }
    }
}

/* Also 0 modulo the order, where BearSSL's own multiplication has no answer. */
TEST(verify_hashes_at_the_edges)
{
    struct key k;

    key_set(&k, random_key());
    for (size_t i = 0; i < NUMBER_EDGES; i++) {
        uint8_t hash[64] = {0}, sig[SIGNATURE];
        size_t len;

        number_write(hash, number_edge(i));
        len = sign(&br_sha256_vtable, hash, &k.private, sig);
        CHECK(verify(hash, 32, &k.public, sig, len));
        hash[31] ^= 1;
        CHECK(!verify(hash, 32, &k.public, sig, len));
    }
}

TEST(hashes_of_every_length)
{
    uint8_t hash[64], sig[SIGNATURE];
    struct key k;
    size_t len;

    key_set(&k, random_key());
    random_bytes(hash, sizeof hash);
    memset(hash, 0, 12); /* so that 20 bytes behind it are a number of 20 */
    for (size_t n = 0; n <= sizeof hash; n++) {
        len = sign(&br_sha512_vtable, hash, &k.private, sig);
        CHECK_EQ(verify(hash, n, &k.public, sig, len), n >= 32);
        len = sign(&br_sha1_vtable, hash + 12, &k.private, sig);
        if (n <= 52)
            CHECK_EQ(verify(hash + 12, n, &k.public, sig, len), n == 20);
    }
}

TEST(every_byte_of_a_signature_counts)
{
    uint8_t hash[32], sig[SIGNATURE + 1], longer[200] = {0};
    struct key k;
    size_t len;

    key_set(&k, random_key());
    random_bytes(hash, sizeof hash);
    len = sign(&br_sha256_vtable, hash, &k.private, sig);
    for (size_t i = 0; i < 8 * len; i++) {
        sig[i / 8] ^= (uint8_t)(1u << i % 8);
        CHECK(!verify(hash, sizeof hash, &k.public, sig, len));
        sig[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t i = 0; i < len; i++)
        CHECK(!verify(hash, sizeof hash, &k.public, sig, i));
    memcpy(longer, sig, len);
    for (size_t i = len + 1; i <= sizeof longer; i++)
        CHECK(!verify(hash, sizeof hash, &k.public, longer, i));
    CHECK(verify(hash, sizeof hash, &k.public, sig, len));
}

/* ---- keys and curves -------------------------------------------------------------------------------------------- */

TEST(public_keys_that_are_none)
{
    uint8_t hash[32] = {5}, sig[SIGNATURE], longer[66] = {0};
    struct key k;
    size_t len;

    key_set(&k, random_key());
    len = sign(&br_sha256_vtable, hash, &k.private, sig);
    k.q[64] ^= 1;
    CHECK(!verify(hash, sizeof hash, &k.public, sig, len));
    k.q[64] ^= 1;
    k.q[0] = 6;
    CHECK(!verify(hash, sizeof hash, &k.public, sig, len));
    k.q[0] = 4;
    k.public.qlen = 64;
    CHECK(!verify(hash, sizeof hash, &k.public, sig, len));
    memcpy(longer, k.q, sizeof k.q);
    k.public = (br_ec_public_key){CURVE, longer, 66};
    CHECK(!verify(hash, sizeof hash, &k.public, sig, len));
}

TEST(only_with_an_implementation_that_has_the_curve)
{
    br_ec_impl other = ec_all;
    uint8_t hash[32] = {5}, sig[SIGNATURE];
    struct key k;
    size_t len;

    key_set(&k, random_key());
    len = sign(&br_sha256_vtable, hash, &k.private, sig);
    other.supported_curves &= ~((uint32_t)1 << CURVE);
    CHECK_EQ(ecdsa_p256_sign_asn1(&other, &br_sha256_vtable, hash, &k.private, sig), 0);
    CHECK_EQ(ecdsa_p256_vrfy_asn1(&other, hash, sizeof hash, &k.public, sig, len), 0);
}

TEST(other_curves)
{
    static const int curves[] = {BR_EC_secp384r1, BR_EC_secp521r1};

    for (size_t i = 0; i < 2; i++) {
        uint8_t x[66], q[133], hash[64], sig[160], expected[160];
        br_ec_private_key sk = {curves[i], x, i == 0 ? 48 : 66};
        br_ec_public_key pk = {curves[i], q, 0};
        size_t len, expected_len;

        random_bytes(x, sizeof x);
        random_bytes(hash, sizeof hash);
        x[0] = i == 0 ? 1 : 0;
        pk.qlen = ec_all.mulgen(q, x, sk.xlen, curves[i]);
        len = ecdsa_p256_sign_asn1(&ec_all, &br_sha384_vtable, hash, &sk, sig);
        expected_len = br_ecdsa_i31_sign_asn1(&ec_all, &br_sha384_vtable, hash, &sk, expected);
        CHECK_MEM(sig, len, expected, expected_len);
        CHECK_EQ(ecdsa_p256_vrfy_asn1(&ec_all, hash, 48, &pk, sig, len), 1);
        hash[0] ^= 1;
        CHECK_EQ(ecdsa_p256_vrfy_asn1(&ec_all, hash, 48, &pk, sig, len), 0);
    }
    br_ec_private_key sk = {BR_EC_curve25519, (unsigned char[32]){1}, 32};
    uint8_t sig[SIGNATURE];

    CHECK_EQ(ecdsa_p256_sign_asn1(&ec_all, &br_sha256_vtable, sig, &sk, sig), 0);
}

/* ---- Wycheproof ------------------------------------------------------------------------------------------------- */

static bool wycheproof_verifies(const struct wycheproof *w, const uint8_t *sig, size_t sig_len)
{
    uint8_t message[1024], hash[64], q[65];
    br_ec_public_key pk = {CURVE, q, wycheproof_hex(w, "uncompressed", q, sizeof q)};

    hash_text(&br_sha256_vtable, message, wycheproof_hex(w, "msg", message, sizeof message), hash);
    return verify(hash, 32, &pk, sig, sig_len);
}

TEST(wycheproof)
{
    struct wycheproof *w = wycheproof_open("ecdsa_secp256r1_sha256_test.json");
    uint8_t sig[8192];
    unsigned n = 0, valid = 0;

    while (wycheproof_next(w)) {
        size_t len = wycheproof_hex(w, "sig", sig, sizeof sig);
        bool is_valid = wycheproof_result(w) == WYCHEPROOF_VALID;

        n++;
        valid += is_valid;
        if (!CHECK_EQ(wycheproof_verifies(w, sig, len), is_valid))
            printf("    test %u\n", wycheproof_id(w));
    }
    wycheproof_close(w);
    CHECK_EQ(n, 484);
    CHECK_EQ(valid, 174);
}

/* Signatures that are both numbers and nothing else: brought into DER where they have the right length. */
TEST(wycheproof_p1363)
{
    struct wycheproof *w = wycheproof_open("ecdsa_secp256r1_sha256_p1363_test.json");
    uint8_t sig[256 + 9];
    unsigned n = 0, valid = 0;

    while (wycheproof_next(w)) {
        size_t len = wycheproof_hex(w, "sig", sig, 256);
        bool is_valid = wycheproof_result(w) == WYCHEPROOF_VALID;

        if (!CHECK(len == 64 || !is_valid) || len != 64)
            continue;
        n++;
        valid += is_valid;
        len = br_ecdsa_raw_to_asn1(sig, len);
        if (!CHECK_EQ(wycheproof_verifies(w, sig, len), is_valid))
            printf("    test %u\n", wycheproof_id(w));
    }
    wycheproof_close(w);
    printf("%u of 262 have 64 bytes, %u of them are valid\n", n, valid);
    CHECK_EQ(valid, 173);
}

TEST_MAIN(RUN(rfc_6979), RUN(wycheproof), RUN(wycheproof_p1363), RUN(sign_random), RUN(sign_edges),
          RUN(keys_of_other_lengths), RUN(verify_random), RUN(verify_other_numbers),
          RUN(verify_hashes_at_the_edges), RUN(hashes_of_every_length), RUN(every_byte_of_a_signature_counts),
          RUN(public_keys_that_are_none), RUN(only_with_an_implementation_that_has_the_curve),
          RUN(other_curves))

#else

TEST(only_with_128_bits)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_128_bits))

#endif
