/* SPDX-License-Identifier: MIT
 *
 * RSA signatures: PKCS#1 v1.5 byte by byte as BearSSL makes them, PSS by a verifier written here after RFC 8017, and
 * Wycheproof's vectors, which say of that verifier and of both encodings that they are right.
 */
#include "tests/unit/test.h"
#include "crypto/impl.h"
#include "crypto/rsa_m64.h"
#include "tests/unit/crypto/rsa_keys.h"
#include "tests/unit/crypto/wycheproof.h"

#include <stdlib.h>

static const char *const keys[] = {"1024",          "1024-e3", "1025", "2047", "2048",
                                   "2048-1536-512", "2049",    "3072", "4096"};

/* What signs, by its own name. */
static const struct {
    const char *name;
    br_rsa_pkcs1_sign pkcs1;
    rsa_pss_sign pss;
} signers[] = {
    {"i31", rsa_i31_pkcs1_sign, rsa_i31_pss_sign},
#ifdef __SIZEOF_INT128__
    {"m64", rsa_m64_pkcs1_sign, rsa_m64_pss_sign},
#endif
};

enum { SIGNERS = sizeof signers / sizeof signers[0], KEYS = sizeof keys / sizeof keys[0] };

static const struct {
    const br_hash_class *class;
    const unsigned char *oid;
    size_t len;
} hashes[] = {
    {&br_sha1_vtable,   BR_HASH_OID_SHA1,   20},
    {&br_sha224_vtable, BR_HASH_OID_SHA224, 28},
    {&br_sha256_vtable, BR_HASH_OID_SHA256, 32},
    {&br_sha384_vtable, BR_HASH_OID_SHA384, 48},
    {&br_sha512_vtable, BR_HASH_OID_SHA512, 64},
};

enum { HASHES = sizeof hashes / sizeof hashes[0] };

/* ---- a verifier: RFC 8017 §9.1.2 ----------------------------------------------------------------------- */

/* dbMask: MGF1 of H. */
static void mgf1(const br_hash_class *class, size_t hash_len, const uint8_t *seed, uint8_t *mask, size_t len)
{
    for (size_t i = 0; i < len; i += hash_len) {
        uint8_t input[64 + 4] = {0}, hash[64];

        memcpy(input, seed, hash_len);
        input[hash_len + 3] = (uint8_t)(i / hash_len);
        rsa_key_hash(class, input, hash_len + 4, hash);
        memcpy(mask + i, hash, len - i < hash_len ? len - i : hash_len);
    }
}

/* EMSA-PSS-VERIFY, in the RFC's steps and names. The salt, if it holds, goes to `salt`. */
static bool emsa_pss_verify(const br_hash_class *class, size_t h_len, const uint8_t *m_hash,
                            const uint8_t *em, size_t em_bits, uint8_t *salt)
{
    size_t em_len = (em_bits + 7) / 8, s_len = h_len, db_len = em_len - h_len - 1;
    uint8_t db[520], mask[520], m_prime[8 + 64 + 64] = {0}, h_prime[64];
    const uint8_t *masked_db = em, *h = em + db_len;
    uint8_t unused = (uint8_t)(0xff00 >> (8 * em_len - em_bits)); /* the leftmost 8 * em_len - em_bits bits */

    if (em_len < h_len + s_len + 2) /* 3 */
        return false;
    if (em[em_len - 1] != 0xbc) /* 4 */
        return false;
    if ((masked_db[0] & unused) != 0) /* 6 */
        return false;
    mgf1(class, h_len, h, mask, db_len); /* 7 */
    for (size_t i = 0; i < db_len; i++)  /* 8 */
        db[i] = masked_db[i] ^ mask[i];
    db[0] &= (uint8_t)~unused;                      /* 9 */
    for (size_t i = 0; i < db_len - s_len - 1; i++) /* 10 */
        if (db[i] != 0)
            return false;
    if (db[db_len - s_len - 1] != 1)
        return false;
    memcpy(salt, db + db_len - s_len, s_len); /* 11 */
    memcpy(m_prime + 8, m_hash, h_len);       /* 12 */
    memcpy(m_prime + 8 + h_len, salt, s_len);
    rsa_key_hash(class, m_prime, 8 + h_len + s_len, h_prime); /* 13 */
    return memcmp(h, h_prime, h_len) == 0;                    /* 14 */
}

static unsigned bit_length(const uint8_t *n, size_t len)
{
    unsigned bits;

    while (len > 0 && *n == 0) {
        n++;
        len--;
    }
    bits = (unsigned)len * 8;
    for (uint8_t top = len > 0 ? n[0] : 0; bits > 0 && (top & 0x80) == 0; top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

/* RSASSA-PSS-VERIFY, §8.1.2. */
static bool pss_verify(const br_hash_class *class, size_t h_len, const uint8_t *m_hash,
                       const uint8_t *signature, size_t len, const br_rsa_public_key *pk, uint8_t *salt)
{
    uint8_t em[520];
    unsigned em_bits = bit_length(pk->n, pk->nlen) - 1;
    size_t em_len = (em_bits + 7) / 8;

    if (len > sizeof em)
        return false;
    memcpy(em, signature, len);
    if (br_rsa_i31_public(em, len, pk) != 1)
        return false;
    if (em_len < len && em[0] != 0)
        return false;
    return emsa_pss_verify(class, h_len, m_hash, em + len - em_len, em_bits, salt);
}

/* ---- Wycheproof ---------------------------------------------------------------------------------------- */

struct vector {
    uint8_t n[520], e[16], msg[4096], sig[1024], hash[32];
    br_rsa_public_key pk;
    size_t sig_len;
};

static void read_vector(const struct wycheproof *w, struct vector *v)
{
    size_t n_len = wycheproof_hex(w, "modulus", v->n, sizeof v->n), zeros = 0;

    while (zeros < n_len && v->n[zeros] == 0)
        zeros++;
    v->pk = (br_rsa_public_key){.n = v->n + zeros, .nlen = n_len - zeros, .e = v->e};
    v->pk.elen = wycheproof_hex(w, "publicExponent", v->e, sizeof v->e);
    v->sig_len = wycheproof_hex(w, "sig", v->sig, sizeof v->sig);
    rsa_key_hash(&br_sha256_vtable, v->msg, wycheproof_hex(w, "msg", v->msg, sizeof v->msg), v->hash);
}

/* The verifier says what the file says; and what is in a valid signature, the encoding makes anew from its salt. */
TEST(wycheproof_pss)
{
    struct wycheproof *w = wycheproof_open("rsa_pss_2048_sha256_mgf1_32_test.json");
    unsigned valid = 0, invalid = 0;

    while (wycheproof_next(w)) {
        struct vector v;
        uint8_t salt[32], em[520], encoded[520];
        bool good;

        read_vector(w, &v);
        good = pss_verify(&br_sha256_vtable, 32, v.hash, v.sig, v.sig_len, &v.pk, salt);
        if (!CHECK_EQ(good, wycheproof_result(w) == WYCHEPROOF_VALID))
            printf("    test %u\n", wycheproof_id(w));
        valid += good;
        invalid += !good;
        if (!good)
            continue;
        memcpy(em, v.sig, v.sig_len);
        br_rsa_i31_public(em, v.sig_len, &v.pk);
        CHECK_EQ(rsa_pss_encode(&br_sha256_vtable, v.hash, salt,
                                bit_length(v.n, v.pk.nlen + (size_t)(v.pk.n - v.n)), encoded),
                 1);
        if (!CHECK_MEM(encoded, v.sig_len, em, v.sig_len))
            printf("    test %u\n", wycheproof_id(w));
    }
    wycheproof_close(w);
    printf("    %u valid, %u not\n", valid, invalid);
    CHECK(valid > 40 && invalid > 40);
}

/* A signature is good when it leads to the encoding, and there is but one. What lacks the NULL is called
 * acceptable or invalid there, and is not made here. */
TEST(wycheproof_pkcs1)
{
    struct wycheproof *w = wycheproof_open("rsa_signature_2048_sha256_test.json");
    unsigned valid = 0, invalid = 0;

    while (wycheproof_next(w)) {
        struct vector v;
        uint8_t em[1024], encoded[520];
        bool good;

        read_vector(w, &v);
        memcpy(em, v.sig, v.sig_len);
        good =
            v.sig_len == v.pk.nlen && br_rsa_i31_public(em, v.sig_len, &v.pk) == 1 &&
            rsa_pkcs1_encode(BR_HASH_OID_SHA256, v.hash, 32, bit_length(v.pk.n, v.pk.nlen), encoded) == 1 &&
            memcmp(em, encoded, v.sig_len) == 0;
        if (!CHECK_EQ(good, wycheproof_result(w) == WYCHEPROOF_VALID))
            printf("    test %u\n", wycheproof_id(w));
        valid += good;
        invalid += !good;
    }
    wycheproof_close(w);
    printf("    %u valid, %u not\n", valid, invalid);
    CHECK(valid > 5 && invalid > 200);
}

/* ---- encodings ----------------------------------------------------------------------------------------- */

/* All lengths that an encoding may have, and those that are too short: as BearSSL's public operation, which
 * decodes, has it; here by way of a key that does nothing, e = 1. */
TEST(pkcs1_of_every_length)
{
    uint8_t hash[64], n[520], encoded[520], got[64];
    static const uint8_t one[1] = {1};

    memset(hash, 0x5a, sizeof hash);
    memset(n, 0xff, sizeof n);
    for (size_t h = 0; h < HASHES; h++)
        for (uint32_t bits = 8; bits <= 4096; bits += bits < 1100 ? 1 : 61) {
            size_t len = (bits + 7) / 8, least = hashes[h].len + hashes[h].oid[0] + 21;
            br_rsa_public_key pk = {.n = n, .nlen = len, .e = (unsigned char *)(uintptr_t)one, .elen = 1};

            memset(encoded, 0x77, sizeof encoded);
            if (!CHECK_EQ(rsa_pkcs1_encode(hashes[h].oid, hash, hashes[h].len, bits, encoded), len >= least))
                return;
            CHECK_EQ(encoded[len], 0x77);
            if (len < least)
                continue;
            CHECK_EQ(br_rsa_i31_pkcs1_vrfy(encoded, len, hashes[h].oid, hashes[h].len, &pk, got), 1);
            CHECK_MEM(got, hashes[h].len, hash, hashes[h].len);
        }
}

TEST(pss_of_every_length)
{
    uint8_t hash[64], salt[64], got[64], encoded[520];

    memset(hash, 0x5a, sizeof hash);
    memset(salt, 0xa5, sizeof salt);
    for (size_t h = 0; h < HASHES; h++)
        for (uint32_t bits = 0; bits <= 4096; bits += bits < 1100 ? 1 : 13) {
            size_t len = (bits + 7) / 8, em_len = bits > 0 ? (bits - 1 + 7) / 8 : 0,
                   least = 2 * hashes[h].len + 2;

            memset(encoded, 0x77, sizeof encoded);
            if (!CHECK_EQ(rsa_pss_encode(hashes[h].class, hash, salt, bits, encoded), em_len >= least))
                return;
            CHECK_EQ(encoded[len], 0x77);
            if (em_len < least)
                continue;
            CHECK(em_len == len || encoded[0] == 0);
            CHECK(
                emsa_pss_verify(hashes[h].class, hashes[h].len, hash, encoded + len - em_len, bits - 1, got));
            CHECK_MEM(got, hashes[h].len, salt, hashes[h].len);
        }
}

/* ---- signatures ---------------------------------------------------------------------------------------- */

TEST(pkcs1_signatures_are_bearssls)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct rsa_key k;

        rsa_key_load(&k, keys[i]);
        for (size_t h = 0; h <= HASHES; h++) { /* the last is TLS 1.0's, MD5 and SHA-1 without a name */
            const unsigned char *oid = h < HASHES ? hashes[h].oid : NULL;
            uint8_t hash[64], model[520], got[520];
            size_t hash_len = h < HASHES ? hashes[h].len : 36;

            if (i > 0 && h != i % HASHES && h != HASHES)
                continue;
            rsa_key_hash(&br_sha512_vtable, keys[i], strlen(keys[i]), hash);
            CHECK_EQ(br_rsa_i31_pkcs1_sign(oid, hash, hash_len, &k.sk, model), 1);
            for (size_t s = 0; s < SIGNERS; s++) {
                memset(got, 0x77, sizeof got);
                CHECK_EQ(signers[s].pkcs1(oid, hash, hash_len, &k.sk, got), 1);
                if (!CHECK_MEM(got, k.pk.nlen, model, k.pk.nlen))
                    printf("    %s, %s\n", keys[i], signers[s].name);
                CHECK_EQ(got[k.pk.nlen], 0x77);
            }
        }
    }
}

TEST(pss_signatures_are_verified)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct rsa_key k;

        rsa_key_load(&k, keys[i]);
        for (size_t h = 0; h < HASHES; h++) {
            uint8_t hash[64], salt[64], got_salt[64], got[SIGNERS][520];
            size_t hash_len = hashes[h].len;
            /* 1024 bits are too few for SHA-512, by one byte; 1025 make no more bytes of encoding. */
            bool fits = k.sk.n_bitlen - 1 > 8 * (2 * hash_len + 1);

            if (i > 1 && h != 2 + i % 3)
                continue;
            rsa_key_hash(&br_sha512_vtable, keys[i], strlen(keys[i]), hash);
            rsa_key_hash(&br_sha512_vtable, hash, sizeof hash, salt);
            for (size_t s = 0; s < SIGNERS; s++) {
                memset(got[s], 0x77, sizeof got[s]);
                CHECK_EQ(signers[s].pss(hashes[h].class, hash, salt, &k.sk, got[s]), fits);
                if (!fits)
                    continue;
                CHECK_EQ(got[s][k.pk.nlen], 0x77);
                CHECK(pss_verify(hashes[h].class, hash_len, hash, got[s], k.pk.nlen, &k.pk, got_salt));
                CHECK_MEM(got_salt, hash_len, salt, hash_len);
                CHECK_MEM(got[s], k.pk.nlen, got[0], k.pk.nlen); /* the salt decides all */
                hash[0] ^= 1;
                CHECK(!pss_verify(hashes[h].class, hash_len, hash, got[s], k.pk.nlen, &k.pk, got_salt));
                hash[0] ^= 1;
            }
        }
    }
}

TEST(nothing_of_a_damaged_key)
{
    static const uint8_t zeros[520];
    struct rsa_key k;
    uint8_t hash[32] = {1}, salt[32] = {2}, x[520];

    rsa_key_load(&k, "2048");
    k.part[RSA_KEY_DP][77] ^= 0x10;
    for (size_t s = 0; s < SIGNERS; s++) {
        memset(x, 0x77, sizeof x);
        CHECK_EQ(signers[s].pkcs1(BR_HASH_OID_SHA256, hash, sizeof hash, &k.sk, x), 0);
        CHECK_MEM(x, k.pk.nlen, zeros, k.pk.nlen);
        memset(x, 0x77, sizeof x);
        CHECK_EQ(signers[s].pss(&br_sha256_vtable, hash, salt, &k.sk, x), 0);
        CHECK_MEM(x, k.pk.nlen, zeros, k.pk.nlen);
    }
}

TEST(what_is_chosen_signs)
{
    const struct crypto_impl *const impls[] = {crypto_impl(), crypto_impl_portable()};
    struct rsa_key k;
    uint8_t hash[32] = {1}, salt[32] = {2}, got_salt[32], model[520], x[520];

    rsa_key_load(&k, "2048");
    CHECK_EQ(br_rsa_i31_pkcs1_sign(BR_HASH_OID_SHA256, hash, sizeof hash, &k.sk, model), 1);
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQ(impls[i]->rsa_sign(BR_HASH_OID_SHA256, hash, sizeof hash, &k.sk, x), 1);
        CHECK_MEM(x, k.pk.nlen, model, k.pk.nlen);
        CHECK_EQ(impls[i]->rsa_pss_sign(&br_sha256_vtable, hash, salt, &k.sk, x), 1);
        CHECK(pss_verify(&br_sha256_vtable, 32, hash, x, k.pk.nlen, &k.pk, got_salt));
    }
}

TEST_MAIN(RUN(wycheproof_pss), RUN(wycheproof_pkcs1), RUN(pkcs1_of_every_length), RUN(pss_of_every_length),
          RUN(pkcs1_signatures_are_bearssls), RUN(pss_signatures_are_verified), RUN(nothing_of_a_damaged_key),
          RUN(what_is_chosen_signs))
