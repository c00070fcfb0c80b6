/* SPDX-License-Identifier: MIT
 *
 * Each class of SHA-256 that this processor has beside BearSSL's: against published vectors, and against BearSSL's in
 * every way that BearSSL uses a class: pieces of any length, states taken out and put back, HMAC, HKDF, several hashes
 * at once.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/impl.h"
#include "crypto/sha256_x86.h"

#include <bearssl.h>
#include <stdlib.h>

enum { OUT = br_sha256_SIZE, STATE = 32 };

/* The next class after the first `*i`; NULL at the end. */
static const br_hash_class *next(unsigned *i)
{
    switch ((*i)++) {
    case 0: return crypto_impl()->sha256;
#if defined __x86_64__ || defined __i386__
    case 1: return sha256_x86_works() ? &sha256_x86 : NULL;
#endif
    default: return NULL;
    }
}

#define EACH(hash)             \
    unsigned each = 0;         \
    const br_hash_class *hash; \
    while ((hash = next(&each)) != NULL)

static size_t unhex(uint8_t *to, const char *text)
{
    size_t n = strlen(text) / 2;

    for (size_t i = 0; i < n; i++)
        sscanf(text + 2 * i, "%2hhx", &to[i]);
    return n;
}

static void hash_whole(const br_hash_class *hash, const void *data, size_t len, uint8_t *to)
{
    br_hash_compat_context c;

    hash->init(&c.vtable);
    hash->update(&c.vtable, data, len);
    hash->out(&c.vtable, to);
}

/* ---- published vectors ----------------------------------------------------------------------------------------- */

/* RFC 6234 §8.5: a text, so many times. */
TEST(rfc6234_vectors)
{
    static const struct {
        const char *text;
        size_t len, times;
        const char *expected;
    } vectors[] = {
        {"",                                                                 0,  1,       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",                                                              3,  1,       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",         56, 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                                                 },
        {"a",                                                                1,  1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {"0123456701234567012345670123456701234567012345670123456701234567", 64, 10,
         "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5"                                                                                 },
        {"\x19",                                                             1,  1,       "68aa2e2ee5dff96e3355e6c7ee373e3d6a4e17f75f9518d843709c0c9bc3e3d4"},
        {"\xe3\xd7\x25\x70\xdc\xdd\x78\x7c\xe3\x88\x7a\xb2\xcd\x68\x46\x52", 16, 1,
         "175ee69b02ba9b58e2b0a5fd13819cea573f3940a94f825128cf4209beabb4e8"                                                                                 },
    };
    uint8_t expected[OUT], out[OUT];
    br_hash_compat_context c;

    EACH(hash)
    {
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
            unhex(expected, vectors[i].expected);
            hash->init(&c.vtable);
            for (size_t n = 0; n < vectors[i].times; n++)
                hash->update(&c.vtable, vectors[i].text, vectors[i].len);
            hash->out(&c.vtable, out);
            CHECK_MEM(out, OUT, expected, OUT);
        }
    }
}

static void hmac(const br_hash_class *hash, const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t *to)
{
    br_hmac_key_context keyed;
    br_hmac_context c;

    br_hmac_key_init(&keyed, hash, key, key_len);
    br_hmac_init(&c, &keyed, 0);
    br_hmac_update(&c, data, len);
    CHECK_EQ(br_hmac_out(&c, to), OUT);
}

/* RFC 4231 §4, cases 1 to 7 but 5, which is cut short: key and data are texts, or one byte so many times. */
TEST(rfc4231_vectors)
{
    static const struct {
        const char *key;
        size_t key_len;
        const char *data;
        size_t data_len;
        const char *expected;
    } vectors[] = {
        {"\x0b",                                                                                                 20,  "Hi There",                                               0,  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe",                                                                                                 0,   "what do ya want for nothing?",                           0,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"                                                                                                                                                                           },
        {"\xaa",                                                                                                 20,  "\xdd",                                                   50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19",
         0,                                                                                                           "\xcd",                                                   50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"\xaa",                                                                                                 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"                                                                                                                                                                           },
        {"\xaa",                                                                                                 131,
         "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
         "hashed before being used by the HMAC algorithm.",                                                                                                                     0,  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    uint8_t key[256], data[256], expected[OUT], out[OUT];

    EACH(hash)
    {
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
            size_t key_len = vectors[i].key_len, data_len = vectors[i].data_len;

            memset(key, vectors[i].key[0], key_len);
            if (key_len == 0)
                memcpy(key, vectors[i].key, key_len = strlen(vectors[i].key));
            memset(data, vectors[i].data[0], data_len);
            if (data_len == 0)
                memcpy(data, vectors[i].data, data_len = strlen(vectors[i].data));
            unhex(expected, vectors[i].expected);
            hmac(hash, key, key_len, data, data_len, out);
            CHECK_MEM(out, OUT, expected, OUT);
        }
    }
}

TEST(wycheproof_hmac)
{
    struct wycheproof *w = wycheproof_open("hmac_sha256_test.json");
    uint8_t key[256], msg[1024], tag[OUT], out[OUT];
    unsigned n = 0;

    while (wycheproof_next(w)) {
        size_t key_len = wycheproof_hex(w, "key", key, sizeof key);
        size_t msg_len = wycheproof_hex(w, "msg", msg, sizeof msg);
        size_t tag_len = wycheproof_hex(w, "tag", tag, sizeof tag);

        n++;
        EACH(hash)
        {
            hmac(hash, key, key_len, msg, msg_len, out);
            if (!CHECK_EQ(memcmp(out, tag, tag_len) == 0, wycheproof_result(w) == WYCHEPROOF_VALID))
                printf("    test %u\n", wycheproof_id(w));
        }
    }
    wycheproof_close(w);
    CHECK_EQ(n, 174);
}

/* ---- against BearSSL ------------------------------------------------------------------------------------------- */

TEST(described_as_bearssl)
{
    EACH(hash)
    {
        CHECK_EQ(hash->desc, br_sha256_vtable.desc);
        CHECK_EQ(hash->context_size, br_sha256_vtable.context_size);
    }
}

enum { LENGTHS = 301 };

/* Every length and, of each, every split in two. */
TEST(lengths_and_splits)
{
    uint8_t data[LENGTHS], expected[OUT], out[OUT];
    br_hash_compat_context c;

    input_bytes(data, sizeof data);
    EACH(hash)
    {
        for (size_t len = 0; len < LENGTHS; len++) {
            hash_whole(&br_sha256_vtable, data, len, expected);
            for (size_t split = 0; split <= len; split++) {
                hash->init(&c.vtable);
                hash->update(&c.vtable, data, split);
                hash->update(&c.vtable, data + split, len - split);
                hash->out(&c.vtable, out);
                if (!CHECK_MEM(out, OUT, expected, OUT)) {
                    printf("    length %zu, split at %zu\n", len, split);
                    return;
                }
            }
        }
    }
}

/* In a block of memory of just that size, whose bounds the sanitizer watches; data, output and context begin anywhere
 * that they may. */
TEST(alignments)
{
    EACH(hash)
    {
        for (size_t shift = 0; shift < 64; shift++) {
            for (size_t len = 0; len < LENGTHS; len += len < 140 ? 1 : 23) {
                uint8_t *data = malloc(shift + len), *out = malloc(shift + OUT), expected[OUT];

                if (data == NULL || out == NULL)
                    abort();
                input_bytes(data, shift + len);
                hash_whole(&br_sha256_vtable, data + shift, len, expected);
                hash_whole(hash, data + shift, len, out + shift);
                CHECK_MEM(out + shift, OUT, expected, OUT);
                free(data);
                free(out);
            }
        }
    }
}

/* Both hash the same pieces, and out() ends nothing; in between they go on from each other's state, and once in the
 * midst of a block with each other's context. */
static bool same_under_way(const br_hash_class *hash)
{
    const br_hash_class *classes[2] = {hash, &br_sha256_vtable};
    br_hash_compat_context c[2], other;
    uint8_t data[1000], out[2][OUT], state[2][STATE];
    uint64_t count[2];

    input_bytes(data, sizeof data);
    for (unsigned i = 0; i < 2; i++)
        classes[i]->init(&c[i].vtable);
    for (unsigned pieces = 1 + (unsigned)input_below(8); pieces > 0; pieces--) {
        size_t len = input_below(input_below(4) == 0 ? sizeof data : 130);

        for (unsigned i = 0; i < 2; i++) {
            c[i].vtable->update(&c[i].vtable, data, len);
            c[i].vtable->out(&c[i].vtable, out[i]);
            count[i] = c[i].vtable->state(&c[i].vtable, state[i]);
        }
        if (!CHECK_MEM(out[0], OUT, out[1], OUT) | !CHECK_MEM(state[0], STATE, state[1], STATE) |
            !CHECK_EQ(count[0], count[1]))
            return false;
        if (count[0] % 64 == 0) {
            for (unsigned i = 0; i < 2; i++)
                c[i].vtable->set_state(&c[i].vtable, state[1 - i], count[1 - i]);
        } else if (input_below(4) == 0) {
            other = c[0];
            c[0] = c[1];
            c[1] = other;
            for (unsigned i = 0; i < 2; i++)
                c[i].vtable = classes[i];
        }
    }
    return true;
}

TEST(states)
{
    size_t n = input_count(5000, 200000);

    EACH(hash)
    {
        for (size_t i = 0; i < n; i++)
            if (!same_under_way(hash))
                return;
    }
}

/* Long messages count in 64 bits. */
TEST(long_counts)
{
    static const uint64_t counts[] = {(uint64_t)1 << 29, (uint64_t)1 << 32, ((uint64_t)1 << 61) - 64,
                                      0 - (uint64_t)128};
    uint8_t state[STATE], data[70], expected[OUT], out[OUT];
    br_hash_compat_context c;

    input_bytes(state, sizeof state);
    input_bytes(data, sizeof data);
    EACH(hash)
    {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            br_sha256_vtable.init(&c.vtable);
            br_sha256_vtable.set_state(&c.vtable, state, counts[i]);
            br_sha256_vtable.update(&c.vtable, data, sizeof data);
            br_sha256_vtable.out(&c.vtable, expected);
            hash->init(&c.vtable);
            hash->set_state(&c.vtable, state, counts[i]);
            hash->update(&c.vtable, data, sizeof data);
            hash->out(&c.vtable, out);
            CHECK_MEM(out, OUT, expected, OUT);
        }
    }
}

TEST(hmac_and_hkdf)
{
    size_t n = input_count(1000, 50000);
    uint8_t key[200], data[300], expected[200], out[200];

    EACH(hash)
    {
        const br_hash_class *classes[2] = {&br_sha256_vtable, hash};

        for (size_t i = 0; i < n; i++) {
            size_t key_len = input_below(sizeof key), len = input_below(sizeof data);
            size_t most = len + input_below(sizeof data - len), least = input_below(len + 1);

            input_bytes(key, key_len);
            input_bytes(data, sizeof data);
            for (unsigned j = 0; j < 2; j++) {
                uint8_t *to = j == 0 ? expected : out;
                br_hmac_key_context keyed;
                br_hmac_context c;
                br_hkdf_context kdf;

                hmac(classes[j], key, key_len, data, len, to);
                br_hmac_key_init(&keyed, classes[j], key, key_len);
                br_hmac_init(&c, &keyed, 20);
                br_hmac_update(&c, key, key_len);
                CHECK_EQ(br_hmac_outCT(&c, data, len, least, most, to + OUT), 20);
                br_hkdf_init(&kdf, classes[j], key, key_len);
                br_hkdf_inject(&kdf, data, len);
                br_hkdf_flip(&kdf);
                CHECK_EQ(br_hkdf_produce(&kdf, key, key_len, to + OUT + 20, 100), 100);
            }
            if (!CHECK_MEM(out, OUT + 20 + 100, expected, OUT + 20 + 100))
                return;
        }
    }
}

/* As a TLS engine hashes a handshake while it does not know yet by what. */
TEST(multihash)
{
    size_t n = input_count(1000, 20000);
    uint8_t data[600], expected[OUT], out[OUT];

    EACH(hash)
    {
        for (size_t i = 0; i < n; i++) {
            br_multihash_context c;
            size_t len = input_below(sizeof data), split = input_below(len + 1);

            input_bytes(data, len);
            hash_whole(&br_sha256_vtable, data, len, expected);
            br_multihash_zero(&c);
            br_multihash_setimpl(&c, br_sha256_ID, hash);
            br_multihash_setimpl(&c, br_sha384_ID, &br_sha384_vtable);
            br_multihash_init(&c);
            br_multihash_update(&c, data, split);
            br_multihash_update(&c, data + split, len - split);
            CHECK_EQ(br_multihash_out(&c, br_sha256_ID, out), OUT);
            if (!CHECK_MEM(out, OUT, expected, OUT))
                return;
        }
    }
}

TEST_MAIN(RUN(rfc6234_vectors), RUN(rfc4231_vectors), RUN(wycheproof_hmac), RUN(described_as_bearssl),
          RUN(lengths_and_splits), RUN(alignments), RUN(states), RUN(long_counts), RUN(hmac_and_hkdf),
          RUN(multihash))
