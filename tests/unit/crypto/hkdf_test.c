/* SPDX-License-Identifier: MIT
 *
 * HMAC and HKDF against Wycheproof and RFC 5869, with each SHA-256 that there is; HKDF-Expand-Label against its
 * definition. What it makes in a key schedule is held against RFC 8448 in tests/unit/tls/key_schedule_test.c.
 */
#include "tests/unit/crypto/wycheproof.h"
#include "tests/unit/test.h"

#include "crypto/hkdf.h"
#include "crypto/impl.h"

/* BearSSL's, and the one that was chosen. */
static const br_hash_class *sha256(unsigned i)
{
    return i ? crypto_impl()->sha256 : &br_sha256_vtable;
}

static void hkdf_vectors(const br_hash_class *hash, const char *name)
{
    static uint8_t ikm[256], salt[256], info[256], okm[255 * HKDF_HASH_MAX], out[255 * HKDF_HASH_MAX];
    struct wycheproof *w = wycheproof_open(name);
    size_t tested = 0;

    while (wycheproof_next(w)) {
        uint8_t prk[HKDF_HASH_MAX];
        size_t len = wycheproof_number(w, "size");
        if (wycheproof_result(w) == WYCHEPROOF_INVALID) { /* more than there can be: the caller's to see */
            CHECK(len > 255 * hkdf_hash_len(hash));
            continue;
        }
        size_t ikm_len = wycheproof_hex(w, "ikm", ikm, sizeof ikm);
        size_t salt_len = wycheproof_hex(w, "salt", salt, sizeof salt);
        size_t info_len = wycheproof_hex(w, "info", info, sizeof info);
        size_t okm_len = wycheproof_hex(w, "okm", okm, sizeof okm);
        hkdf_extract(hash, salt, salt_len, ikm, ikm_len, prk);
        hkdf_expand(hash, prk, info, info_len, out, len);
        if (!CHECK_MEM(out, len, okm, okm_len))
            printf("    test %u\n", wycheproof_id(w));
        tested++;
    }
    CHECK(tested > 70);
    wycheproof_close(w);
}

TEST(hkdf_sha256)
{
    hkdf_vectors(sha256(0), "hkdf_sha256_test.json");
    hkdf_vectors(sha256(1), "hkdf_sha256_test.json");
}

TEST(hkdf_sha384)
{
    hkdf_vectors(&br_sha384_vtable, "hkdf_sha384_test.json");
}

TEST(hmac_sha256)
{
    uint8_t key[128], msg[256], tag[32], out[HKDF_HASH_MAX];

    for (unsigned i = 0; i < 2; i++) {
        struct wycheproof *w = wycheproof_open("hmac_sha256_test.json");
        while (wycheproof_next(w)) {
            size_t key_len = wycheproof_hex(w, "key", key, sizeof key);
            size_t msg_len = wycheproof_hex(w, "msg", msg, sizeof msg);
            size_t tag_len = wycheproof_hex(w, "tag", tag, sizeof tag);
            hkdf_hmac(sha256(i), key, key_len, msg, msg_len, out);
            bool same = tag_len > 0 && memcmp(out, tag, tag_len) == 0;
            if (!CHECK(same == (wycheproof_result(w) == WYCHEPROOF_VALID)))
                printf("    test %u\n", wycheproof_id(w));
        }
        wycheproof_close(w);
    }
}

/* RFC 5869 §A.1 to §A.3. */
TEST(rfc_5869)
{
    static const struct {
        uint8_t ikm_from, ikm_step, salt_from,
            info_from; /* first byte; each is one more than the one before */
        size_t ikm_n, salt_n, info_n, len;
        const char *prk, *okm;
    } cases[] = {
        {0x0b, 0, 0x00, 0xf0, 22, 13, 10, 42,
         "\x07\x77\x09\x36\x2c\x2e\x32\xdf\x0d\xdc\x3f\x0d\xc4\x7b\xba\x63"
         "\x90\xb6\xc7\x3b\xb5\x0f\x9c\x31\x22\xec\x84\x4a\xd7\xc2\xb3\xe5", "\x3c\xb2\x5f\x25\xfa\xac\xd5\x7a\x90\x43\x4f\x64\xd0\x36\x2f\x2a"
         "\x2d\x2d\x0a\x90\xcf\x1a\x5a\x4c\x5d\xb0\x2d\x56\xec\xc4\xc5\xbf"
         "\x34\x00\x72\x08\xd5\xb8\x87\x18\x58\x65"},
        {0x00, 1, 0x60, 0xb0, 80, 80, 80, 82,
         "\x06\xa6\xb8\x8c\x58\x53\x36\x1a\x06\x10\x4c\x9c\xeb\x35\xb4\x5c"
         "\xef\x76\x00\x14\x90\x46\x71\x01\x4a\x19\x3f\x40\xc1\x5f\xc2\x44", "\xb1\x1e\x39\x8d\xc8\x03\x27\xa1\xc8\xe7\xf7\x8c\x59\x6a\x49\x34"
         "\x4f\x01\x2e\xda\x2d\x4e\xfa\xd8\xa0\x50\xcc\x4c\x19\xaf\xa9\x7c"
         "\x59\x04\x5a\x99\xca\xc7\x82\x72\x71\xcb\x41\xc6\x5e\x59\x0e\x09"
         "\xda\x32\x75\x60\x0c\x2f\x09\xb8\x36\x77\x93\xa9\xac\xa3\xdb\x71"
         "\xcc\x30\xc5\x81\x79\xec\x3e\x87\xc1\x4c\x01\xd5\xc1\xf3\x43\x4f"
         "\x1d\x87"                                },
        {0x0b, 0, 0x00, 0x00, 22, 0,  0,  42,
         "\x19\xef\x24\xa3\x2c\x71\x7b\x16\x7f\x33\xa9\x1d\x6f\x64\x8b\xdf"
         "\x96\x59\x67\x76\xaf\xdb\x63\x77\xac\x43\x4c\x1c\x29\x3c\xcb\x04", "\x8d\xa4\xe7\x75\xa5\x63\xc1\x8f\x71\x5f\x80\x2a\x06\x3c\x5a\x31"
         "\xb8\xa1\x1f\x5c\x5e\xe1\x87\x9e\xc3\x45\x4e\x5f\x3c\x73\x8d\x2d"
         "\x9d\x20\x13\x95\xfa\xa4\xb6\x1a\x96\xc8"},
    };

    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const br_hash_class *hash = sha256(i % 2);
        uint8_t ikm[80], salt[80], info[80], prk[HKDF_HASH_MAX], okm[82];
        for (size_t k = 0; k < 80; k++) {
            ikm[k] = (uint8_t)(cases[i / 2].ikm_from + cases[i / 2].ikm_step * k);
            salt[k] = (uint8_t)(cases[i / 2].salt_from + k);
            info[k] = (uint8_t)(cases[i / 2].info_from + k);
        }
        hkdf_extract(hash, salt, cases[i / 2].salt_n, ikm, cases[i / 2].ikm_n, prk);
        CHECK_MEM(prk, 32, cases[i / 2].prk, 32);
        hkdf_expand(hash, prk, info, cases[i / 2].info_n, okm, cases[i / 2].len);
        CHECK_MEM(okm, cases[i / 2].len, cases[i / 2].okm, cases[i / 2].len);
    }
}

TEST(lengths)
{
    CHECK_EQ(hkdf_hash_len(&br_sha256_vtable), 32);
    CHECK_EQ(hkdf_hash_len(crypto_impl()->sha256), 32);
    CHECK_EQ(hkdf_hash_len(&br_sha384_vtable), 48);
    CHECK_EQ(hkdf_hash_len(&br_sha512_vtable), 64);
}

/* RFC 8446 §7.1: HkdfLabel written out. The longest label and context that it says it takes. */
TEST(expand_label)
{
    static const char label[] = "a label of thirty-two characters";
    uint8_t secret[64], context[64], info[2 + 1 + 6 + 32 + 1 + 64], a[100], b[100];

    memset(secret, 3, sizeof secret);
    memset(context, 4, sizeof context);
    for (size_t n = 0; n <= sizeof context; n += 32) {
        for (size_t k = 0; k <= 32; k++) {
            const char *text = label + 32 - k;
            info[0] = 0;
            info[1] = sizeof a;
            info[2] = (uint8_t)(6 + k);
            memcpy(info + 3, "tls13 ", 6);
            memcpy(info + 9, text, k);
            info[9 + k] = (uint8_t)n;
            memcpy(info + 10 + k, context, n);
            hkdf_expand(&br_sha512_vtable, secret, info, 10 + k + n, a, sizeof a);
            hkdf_expand_label(&br_sha512_vtable, secret, text, context, n, b, sizeof b);
            CHECK_MEM(a, sizeof a, b, sizeof b);
        }
    }
}

/* In place, as the header allows. */
TEST(output_over_an_input)
{
    uint8_t salt[32], secret[32], want[32], bytes[32];

    memset(salt, 5, sizeof salt);
    memset(secret, 6, sizeof secret);
    for (unsigned i = 0; i < 2; i++) {
        hkdf_extract(sha256(i), salt, 32, secret, 32, want);
        memcpy(bytes, salt, 32);
        hkdf_extract(sha256(i), bytes, 32, secret, 32, bytes);
        CHECK_MEM(bytes, 32, want, 32);
        memcpy(bytes, secret, 32);
        hkdf_extract(sha256(i), salt, 32, bytes, 32, bytes);
        CHECK_MEM(bytes, 32, want, 32);
        hkdf_expand_label(sha256(i), secret, "traffic upd", NULL, 0, want, 32);
        memcpy(bytes, secret, 32);
        hkdf_expand_label(sha256(i), bytes, "traffic upd", NULL, 0, bytes, 32);
        CHECK_MEM(bytes, 32, want, 32);
    }
}

TEST_MAIN(RUN(hkdf_sha256), RUN(hkdf_sha384), RUN(hmac_sha256), RUN(rfc_5869), RUN(lengths),
          RUN(expand_label), RUN(output_over_an_input))
