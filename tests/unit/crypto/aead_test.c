/* SPDX-License-Identifier: MIT
 *
 * The AEADs, in place as TLS uses them, against Wycheproof; what this processor does best against what any can, on
 * texts of every length; and that no bit may change.
 */
#include "tests/unit/crypto/aead_portable.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "tests/unit/test.h"

#include <stdlib.h>

static const struct {
    const char *name;
    size_t (*size)(enum aead_algorithm algorithm);
    void (*init)(struct aead *a, enum aead_algorithm algorithm, const uint8_t *key);
    void (*seal)(const struct aead *a, const uint8_t *nonce, const void *aad, size_t aad_len, void *data,
                 size_t len, uint8_t *tag);
    bool (*open)(const struct aead *a, const uint8_t *nonce, const void *aad, size_t aad_len, void *data,
                 size_t len, const uint8_t *tag);
} kinds[] = {
    {"chosen",   aead_size,          aead_init,          aead_seal,          aead_open         },
    {"portable", aead_portable_size, aead_portable_init, aead_portable_seal, aead_portable_open},
};

enum { KINDS = 2 };

/* In memory of just the size that it says. */
static struct aead *new_key(unsigned kind, enum aead_algorithm algorithm, const uint8_t *key)
{
    struct aead *a = malloc(kinds[kind].size(algorithm));

    if (!a)
        abort();
    kinds[kind].init(a, algorithm, key);
    return a;
}

/* --- Wycheproof --- */

struct vector {
    uint8_t key[32], iv[512], aad[4096], msg[4096], ct[4096], tag[16];
    size_t key_n, iv_n, aad_n, msg_n, ct_n, tag_n;
};

static void read_vector(const struct wycheproof *w, struct vector *v)
{
    v->key_n = wycheproof_hex(w, "key", v->key, sizeof v->key);
    v->iv_n = wycheproof_hex(w, "iv", v->iv, sizeof v->iv);
    v->aad_n = wycheproof_hex(w, "aad", v->aad, sizeof v->aad);
    v->msg_n = wycheproof_hex(w, "msg", v->msg, sizeof v->msg);
    v->ct_n = wycheproof_hex(w, "ct", v->ct, sizeof v->ct);
    v->tag_n = wycheproof_hex(w, "tag", v->tag, sizeof v->tag);
}

static void one_vector(unsigned kind, enum aead_algorithm algorithm, const struct vector *v, bool valid)
{
    struct aead *a = new_key(kind, algorithm, v->key);
    uint8_t *data = malloc(v->ct_n + 1), tag[16];

    if (valid) {
        memcpy(data, v->msg, v->msg_n);
        kinds[kind].seal(a, v->iv, v->aad, v->aad_n, data, v->msg_n, tag);
        CHECK_MEM(data, v->msg_n, v->ct, v->ct_n);
        CHECK_MEM(tag, 16, v->tag, v->tag_n);
    }
    memcpy(data, v->ct, v->ct_n);
    CHECK_EQ(kinds[kind].open(a, v->iv, v->aad, v->aad_n, data, v->ct_n, v->tag), valid);
    if (valid)
        CHECK_MEM(data, v->ct_n, v->msg, v->msg_n);
    free(data);
    free(a);
}

static void vectors(const char *name, bool aes)
{
    static struct vector v;
    struct wycheproof *w = wycheproof_open(name);
    unsigned tested = 0, failures = test_failures;

    while (wycheproof_next(w)) {
        read_vector(w, &v);
        /* TLS has nonces of 96 bits and no AES-192. */
        if (v.iv_n != AEAD_NONCE || (aes && v.key_n == 24))
            continue;
        enum aead_algorithm algorithm = !aes            ? AEAD_CHACHA20_POLY1305
                                        : v.key_n == 16 ? AEAD_AES_128_GCM
                                                        : AEAD_AES_256_GCM;
        CHECK_EQ(v.key_n, aead_key_len(algorithm));
        for (unsigned kind = 0; kind < KINDS; kind++) {
            one_vector(kind, algorithm, &v, wycheproof_result(w) == WYCHEPROOF_VALID);
            if (test_failures != failures)
                printf("    test %u, %s\n", wycheproof_id(w), kinds[kind].name);
            failures = test_failures;
        }
        tested++;
    }
    CHECK(tested > 100);
    wycheproof_close(w);
}

TEST(wycheproof_aes_gcm)
{
    vectors("aes_gcm_test.json", true);
}

TEST(wycheproof_chacha20_poly1305)
{
    vectors("chacha20_poly1305_test.json", false);
}

/* --- one against the other --- */

/* What one seals, the other opens, and both make the same of it. */
static void same(enum aead_algorithm algorithm, size_t len, size_t aad_len)
{
    static uint8_t text[20000], data[KINDS][20000];
    uint8_t key[AEAD_KEY_MAX], nonce[AEAD_NONCE], aad[64], tag[KINDS][AEAD_TAG];

    input_bytes(key, sizeof key);
    input_bytes(nonce, sizeof nonce);
    input_bytes(aad, sizeof aad);
    input_bytes(text, len);
    struct aead *a[KINDS] = {new_key(0, algorithm, key), new_key(1, algorithm, key)};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        memcpy(data[kind], text, len);
        kinds[kind].seal(a[kind], nonce, aad, aad_len, data[kind], len, tag[kind]);
    }
    CHECK_MEM(data[0], len, data[1], len);
    CHECK_MEM(tag[0], AEAD_TAG, tag[1], AEAD_TAG);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        CHECK(kinds[kind].open(a[kind], nonce, aad, aad_len, data[kind], len, tag[!kind]));
        CHECK_MEM(data[kind], len, text, len);
        free(a[kind]);
    }
}

TEST(chosen_and_portable_agree)
{
    size_t most = input_count(600, 40000);

    for (unsigned algorithm = 0; algorithm < AEAD_ALGORITHMS; algorithm++) {
        for (size_t len = 0; len <= 300; len++)
            same((enum aead_algorithm)algorithm, len, 5);
        for (size_t i = 0; i < most; i++) {
            same((enum aead_algorithm)algorithm, input_below(i % 8 ? 2000 : 17000), input_below(33));
        }
        for (size_t len = 16383; len <= 16386; len++)
            same((enum aead_algorithm)algorithm, len, 5);
    }
}

/* Every bit of the text, the tag, the nonce, the additional data and, for a few, the key. */
TEST(no_bit_may_change)
{
    enum { LEN = 37 };
    struct {
        uint8_t data[LEN], tag[AEAD_TAG], nonce[AEAD_NONCE], aad[5], key[AEAD_KEY_MAX];
    } good, bad;

    for (unsigned i = 0; i < KINDS * AEAD_ALGORITHMS; i++) {
        enum aead_algorithm algorithm = (enum aead_algorithm)(i / KINDS);
        unsigned kind = i % KINDS;
        input_bytes((uint8_t *)&good, sizeof good);
        struct aead *a = new_key(kind, algorithm, good.key);
        kinds[kind].seal(a, good.nonce, good.aad, sizeof good.aad, good.data, LEN, good.tag);
        free(a);
        size_t bytes = sizeof good - AEAD_KEY_MAX + aead_key_len(algorithm);
        for (size_t bit = 0; bit <= 8 * bytes; bit++) {
            bad = good;
            if (bit < 8 * bytes)
                ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1 << bit % 8);
            a = new_key(kind, algorithm, bad.key);
            bool opens = kinds[kind].open(a, bad.nonce, bad.aad, sizeof bad.aad, bad.data, LEN, bad.tag);
            if (!CHECK_EQ(opens, bit == 8 * bytes))
                printf("    %s, bit %zu\n", kinds[kind].name, bit);
            free(a);
        }
    }
}

TEST_MAIN(RUN(wycheproof_aes_gcm), RUN(wycheproof_chacha20_poly1305), RUN(chosen_and_portable_agree),
          RUN(no_bit_may_change))
