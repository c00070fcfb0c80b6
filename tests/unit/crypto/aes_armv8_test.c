/* SPDX-License-Identifier: MIT
 *
 * AES-CTR and GHASH by ARMv8's instructions: NIST's examples, Wycheproof's vectors of AES-GCM by BearSSL's GCM on
 * the two, and BearSSL's portable code on every short length, counters that overflow, hash keys of one bit, and
 * random input.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/aes_armv8.h"

#include <stdlib.h>

#ifdef __AARCH64EL__

enum { LONGEST = 17000 };

TEST(the_processor_has_the_instructions)
{
    printf("AES and PMULL: %s\n", aes_armv8_has() ? "here" : "not here, nothing is tested");
    CHECK(aes_armv8_ctr.context_size <= sizeof(br_aes_gen_ctr_keys));
    CHECK_EQ(aes_armv8_ctr.block_size, br_aes_ct64_ctr_vtable.block_size);
    CHECK_EQ(aes_armv8_ctr.log_block_size, br_aes_ct64_ctr_vtable.log_block_size);
}

/* NIST SP 800-38A, F.5 */
TEST(published_examples)
{
    static const uint8_t text[64] =
        "\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a\xae\x2d\x8a\x57\x1e\x03\xac\x9c"
        "\x9e\xb7\x6f\xac\x45\xaf\x8e\x51\x30\xc8\x1c\x46\xa3\x5c\xe4\x11\xe5\xfb\xc1\x19\x1a\x0a\x52\xef"
        "\xf6\x9f\x24\x45\xdf\x4f\x9b\x17\xad\x2b\x41\x7b\xe6\x6c\x37\x10";
    static const uint8_t iv[12] = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb";
    static const struct {
        size_t key_len;
        uint8_t key[32], sealed[64];
    } examples[] = {
        {16, "\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c",
         "\x87\x4d\x61\x91\xb6\x20\xe3\x26\x1b\xef\x68\x64\x99\x0d\xb6\xce\x98\x06\xf6\x6b\x79\x70\xfd\xff"
         "\x86\x17\x18\x7b\xb9\xff\xfd\xff\x5a\xe4\xdf\x3e\xdb\xd5\xd3\x5e\x5b\x4f\x09\x02\x0d\xb0\x3e\xab"
         "\x1e\x03\x1d\xda\x2f\xbe\x03\xd1\x79\x21\x70\xa0\xf3\x00\x9c\xee"                                                                                                            },
        {24,
         "\x8e\x73\xb0\xf7\xda\x0e\x64\x52\xc8\x10\xf3\x2b\x80\x90\x79\xe5\x62\xf8\xea\xd2\x52\x2c\x6b\x7b", "\x1a\xbc\x93\x24\x17\x52\x1c\xa2\x4f\x2b\x04\x59\xfe\x7e\x6e\x0b\x09\x03\x39\xec\x0a\xa6\xfa\xef"
         "\xd5\xcc\xc2\xc6\xf4\xce\x8e\x94\x1e\x36\xb2\x6b\xd1\xeb\xc6\x70\xd1\xbd\x1d\x66\x56\x20\xab\xf7"
         "\x4f\x78\xa7\xf6\xd2\x98\x09\x58\x5a\x97\xda\xec\x58\xc6\xb0\x50"},
        {32,
         "\x60\x3d\xeb\x10\x15\xca\x71\xbe\x2b\x73\xae\xf0\x85\x7d\x77\x81"
         "\x1f\x35\x2c\x07\x3b\x61\x08\xd7\x2d\x98\x10\xa3\x09\x14\xdf\xf4",                                 "\x60\x1e\xc3\x13\x77\x57\x89\xa5\xb7\xa7\xf5\x04\xbb\xf3\xd2\x28\xf4\x43\xe3\xca\x4d\x62\xb5\x9a"
         "\xca\x84\xe9\x90\xca\xca\xf5\xc5\x2b\x09\x30\xda\xa2\x3d\xe9\x4c\xe8\x70\x17\xba\x2d\x84\x98\x8d"
         "\xdf\xc9\xc5\x8d\xb6\x7a\xad\xa6\x13\xc2\xdd\x08\x45\x79\x41\xa6"                                },
    };

    if (!aes_armv8_has())
        return;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct aes_armv8_ctr_keys keys;
        uint8_t data[64];

        aes_armv8_ctr.init(&keys.vtable, examples[i].key, examples[i].key_len);
        CHECK(keys.vtable == &aes_armv8_ctr);
        CHECK_EQ(keys.rounds, 6 + examples[i].key_len / 4);
        memcpy(data, text, sizeof data);
        CHECK_EQ(aes_armv8_ctr.run((const br_block_ctr_class *const *)&keys.vtable, iv, 0xfcfdfeff, data,
                                   sizeof data),
                 0xfcfdff03);
        CHECK_MEM(data, sizeof data, examples[i].sealed, sizeof data);
    }
}

TEST(wycheproof_gcm)
{
    struct wycheproof *w = wycheproof_open("aes_gcm_test.json");
    uint8_t key[32], iv[1024], aad[1024], msg[1024], ct[1024], tag[16], got[16];
    unsigned used = 0;

    while (aes_armv8_has() && wycheproof_next(w)) {
        size_t key_len = wycheproof_hex(w, "key", key, sizeof key);
        size_t iv_len = wycheproof_hex(w, "iv", iv, sizeof iv);
        size_t aad_len = wycheproof_hex(w, "aad", aad, sizeof aad);
        size_t len = wycheproof_hex(w, "msg", msg, sizeof msg);
        bool valid = wycheproof_result(w) == WYCHEPROOF_VALID, same;
        struct aes_armv8_ctr_keys keys;
        br_gcm_context gcm;

        wycheproof_hex(w, "ct", ct, sizeof ct);
        wycheproof_hex(w, "tag", tag, sizeof tag);
        if (iv_len == 0)
            continue;
        aes_armv8_ctr.init(&keys.vtable, key, key_len);
        br_gcm_init(&gcm, &keys.vtable, aes_armv8_ghash);
        br_gcm_reset(&gcm, iv, iv_len);
        br_gcm_aad_inject(&gcm, aad, aad_len);
        br_gcm_flip(&gcm);
        br_gcm_run(&gcm, 1, msg, len);
        br_gcm_get_tag(&gcm, got);
        same = memcmp(msg, ct, len) == 0 && memcmp(got, tag, sizeof tag) == 0;
        if (!CHECK_EQ(same, valid))
            printf("    test %u\n", wycheproof_id(w));
        used++;
    }
    wycheproof_close(w);
    CHECK_EQ(used, aes_armv8_has() ? 310 : 0);
}

/* ---- counter mode ------------------------------------------------------------------------------------ */

static uint8_t *end, *model;

static void make_room(void)
{
    if (end == NULL) {
        end = input_fence(LONGEST + 1);
        model = input_fence(LONGEST);
    }
}

static bool ctr_agrees(size_t key_len, uint32_t cc, size_t len)
{
    struct aes_armv8_ctr_keys keys;
    br_aes_ct64_ctr_keys model_keys;
    uint8_t key[32], iv[12], before;

    make_room();
    before = end[-(ptrdiff_t)len - 1];
    input_bytes(key, sizeof key);
    input_bytes(iv, sizeof iv);
    input_bytes(end - len, len < 64 ? len : 64);
    memcpy(model - len, end - len, len);
    aes_armv8_ctr.init(&keys.vtable, key, key_len);
    br_aes_ct64_ctr_init(&model_keys, key, key_len);
    return CHECK_EQ(
               aes_armv8_ctr.run((const br_block_ctr_class *const *)&keys.vtable, iv, cc, end - len, len),
               br_aes_ct64_ctr_run(&model_keys, iv, cc, model - len, len)) &&
           CHECK_MEM(end - len, len, model - len, len) && CHECK_EQ(end[-(ptrdiff_t)len - 1], before);
}

static size_t random_key_len(void)
{
    return 16 + 8 * input_below(3);
}

TEST(ctr_of_every_short_length)
{
    for (size_t len = 0; aes_armv8_has() && len <= 400; len++)
        for (size_t key_len = 16; key_len <= 32; key_len += 8)
            if (!ctr_agrees(key_len, (uint32_t)input_number(), len))
                return;
}

/* The counter has 32 bits, and what it overflows into is not the nonce. */
TEST(ctr_that_overflows)
{
    for (uint32_t back = 0; aes_armv8_has() && back < 20; back++)
        for (size_t len = 1; len <= 321; len += 32)
            if (!ctr_agrees(16, 0 - back, len) || !ctr_agrees(16, back, len) ||
                !ctr_agrees(16, 0x80000000 - back, len))
                return;
}

TEST(ctr_of_random_inputs)
{
    for (size_t i = 0; aes_armv8_has() && i < input_count(1000, 100000); i++)
        if (!ctr_agrees(random_key_len(), (uint32_t)input_number(),
                        input_below(i % 50 == 0 ? LONGEST + 1 : 300)))
            return;
}

/* ---- GHASH ------------------------------------------------------------------------------------------- */

static bool ghash_agrees(const uint8_t y[16], const uint8_t h[16], const void *data, size_t len)
{
    uint8_t ours[16], theirs[16];

    memcpy(ours, y, sizeof ours);
    memcpy(theirs, y, sizeof theirs);
    aes_armv8_ghash(ours, h, data, len);
    br_ghash_ctmul64(theirs, h, data, len);
    return CHECK_MEM(ours, sizeof ours, theirs, sizeof theirs);
}

static bool ghash_agrees_on_random(size_t len)
{
    uint8_t y[16], h[16];

    make_room();
    input_bytes(y, sizeof y);
    input_bytes(h, sizeof h);
    input_bytes(end - len, len < 200 ? len : 200);
    return ghash_agrees(y, h, end - len, len);
}

TEST(ghash_of_every_short_length)
{
    for (size_t len = 0; aes_armv8_has() && len <= 600; len++)
        if (!ghash_agrees_on_random(len) || !ghash_agrees_on_random(len))
            return;
}

/* Every product of two powers of x, in one block and in a group. */
TEST(ghash_of_single_bits)
{
    uint8_t y[16] = {0}, h[16] = {0}, data[80] = {0};

    for (size_t i = 0; aes_armv8_has() && i < 128; i++) {
        h[i / 8] = (uint8_t)(0x80 >> i % 8);
        for (size_t j = 0; j < 128; j++) {
            y[j / 8] = (uint8_t)(0x80 >> j % 8);
            if (!ghash_agrees(y, h, data, 16) || (j % 8 == i % 8 && !ghash_agrees(y, h, data, sizeof data)))
                return;
            y[j / 8] = 0;
        }
        h[i / 8] = 0;
    }
}

TEST(ghash_of_zeros_and_ones)
{
    static const uint8_t fills[] = {0x00, 0xff, 0x80, 0x01};
    uint8_t y[16], h[16], data[256];

    for (size_t i = 0; aes_armv8_has() && i < 64; i++) {
        memset(y, fills[i % 4], sizeof y);
        memset(h, fills[i / 4 % 4], sizeof h);
        memset(data, fills[i / 16], sizeof data);
        for (size_t len = 0; len <= sizeof data; len += 8)
            if (!ghash_agrees(y, h, data, len))
                return;
    }
}

TEST(ghash_of_random_inputs)
{
    for (size_t i = 0; aes_armv8_has() && i < input_count(1000, 100000); i++)
        if (!ghash_agrees_on_random(input_below(i % 50 == 0 ? LONGEST + 1 : 300)))
            return;
}

TEST_MAIN(RUN(the_processor_has_the_instructions), RUN(published_examples), RUN(wycheproof_gcm),
          RUN(ctr_of_every_short_length), RUN(ctr_that_overflows), RUN(ctr_of_random_inputs),
          RUN(ghash_of_every_short_length), RUN(ghash_of_single_bits), RUN(ghash_of_zeros_and_ones),
          RUN(ghash_of_random_inputs))

#else

TEST(only_on_64_bit_arm)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_on_64_bit_arm))

#endif
