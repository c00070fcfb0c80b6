/* SPDX-License-Identifier: MIT
 *
 * ChaCha20 and ChaCha20-Poly1305 by each path that this processor has: RFC 8439's examples, Wycheproof's vectors, and
 * BearSSL's portable code on every short length, counters that wrap, and random input. What is hashed beside is held
 * against what is hashed alone on numbers at the edges.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/chacha20_x86.h"
#include "crypto/chacha20_x86_wide.h"

#include <bearssl.h>
#include <stdlib.h>

#ifdef __x86_64__

enum { LONGEST = 17000, AAD_LONGEST = 80, TAG = 16 };

static const char *const path_names[] = {"none", "avx2", "avx512"};

#define FOR_EACH_PATH(path)                                                                    \
    for (enum chacha20_x86_path path = CHACHA20_X86_NONE; path <= CHACHA20_X86_AVX512; path++) \
        if (chacha20_x86_has(path))

static const char sunscreen[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
    "the future, sunscreen would be it.";

/* ---- examples and vectors ---------------------------------------------------------------------------- */

/* RFC 8439 §2.4.2 */
TEST(published_example)
{
    static const uint8_t nonce[12] = {[7] = 0x4a};
    static const uint8_t expected[] =
        "\x6e\x2e\x35\x9a\x25\x68\xf9\x80\x41\xba\x07\x28\xdd\x0d\x69\x81\xe9\x7e\x7a\xec\x1d\x43\x60\xc2"
        "\x0a\x27\xaf\xcc\xfd\x9f\xae\x0b\xf9\x1b\x65\xc5\x52\x47\x33\xab\x8f\x59\x3d\xab\xcd\x62\xb3\x57"
        "\x16\x39\xd6\x24\xe6\x51\x52\xab\x8f\x53\x0c\x35\x9f\x08\x61\xd8\x07\xca\x0d\xbf\x50\x0d\x6a\x61"
        "\x56\xa3\x8e\x08\x8a\x22\xb6\x5e\x52\xbc\x51\x4d\x16\xcc\xf8\x06\x81\x8c\xe9\x1a\xb7\x79\x37\x36"
        "\x5a\xf9\x0b\xbf\x74\xa3\x5b\xe6\xb4\x0b\x8e\xed\xf2\x78\x5e\x42\x87\x4d";
    uint8_t key[32], data[sizeof sunscreen];

    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    FOR_EACH_PATH(path)
    {
        memcpy(data, sunscreen, sizeof data);
        CHECK_EQ(chacha20_x86_add(path, key, nonce, 1, data, sizeof data - 1), 3);
        CHECK_MEM(data, sizeof data - 1, expected, sizeof expected - 1);
        CHECK_EQ(data[sizeof data - 1], 0);
    }
}

/* RFC 8439 §2.8.2 */
TEST(published_example_with_poly1305)
{
    static const uint8_t nonce[12] = {0x07, 0x00, 0x00, 0x00, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47};
    static const uint8_t aad[12] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
    static const uint8_t expected[TAG] = {0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a,
                                          0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91};
    uint8_t key[32], data[sizeof sunscreen - 1], tag[TAG];

    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0x80 + i);
    FOR_EACH_PATH(path)
    {
        memcpy(data, sunscreen, sizeof data);
        chacha20_x86_aead(path, key, nonce, data, sizeof data, aad, sizeof aad, tag, true);
        CHECK_MEM(tag, TAG, expected, TAG);
        chacha20_x86_aead(path, key, nonce, data, sizeof data, aad, sizeof aad, tag, false);
        CHECK_MEM(tag, TAG, expected, TAG);
        CHECK_MEM(data, sizeof data, sunscreen, sizeof data);
    }
}

TEST(wycheproof)
{
    struct wycheproof *w = wycheproof_open("chacha20_poly1305_test.json");
    uint8_t key[32], nonce[32], aad[1024], msg[1024], ct[1024], tag[TAG], data[1024], got[TAG];
    unsigned all = 0, used = 0;

    while (wycheproof_next(w)) {
        size_t nonce_len = wycheproof_hex(w, "iv", nonce, sizeof nonce);
        size_t aad_len = wycheproof_hex(w, "aad", aad, sizeof aad);
        size_t len = wycheproof_hex(w, "msg", msg, sizeof msg);
        bool valid = wycheproof_result(w) == WYCHEPROOF_VALID, same;

        all++;
        wycheproof_hex(w, "key", key, sizeof key);
        wycheproof_hex(w, "ct", ct, sizeof ct);
        wycheproof_hex(w, "tag", tag, sizeof tag);
        if (nonce_len != 12)
            continue;
        used++;
        FOR_EACH_PATH(path)
        {
            memcpy(data, msg, len);
            chacha20_x86_aead(path, key, nonce, data, len, aad, aad_len, got, true);
            same = memcmp(data, ct, len) == 0 && memcmp(got, tag, TAG) == 0;
            memcpy(data, ct, len);
            chacha20_x86_aead(path, key, nonce, data, len, aad, aad_len, got, false);
            if (!CHECK_EQ(same, valid) || !CHECK_EQ(memcmp(got, tag, TAG) == 0, valid) ||
                !CHECK_EQ(memcmp(data, msg, len) == 0 || !valid, true))
                printf("    test %u, %s\n", wycheproof_id(w), path_names[path]);
        }
    }
    wycheproof_close(w);
    CHECK_EQ(all, 325);
    CHECK_EQ(used, 316);
}

/* ---- against BearSSL --------------------------------------------------------------------------------- */

/* Texts end at a fence, or in the middle of memory whose other bytes must stay as they are. */
static uint8_t *fence, *text, *model;

static void prepare_memory(void)
{
    if (fence != NULL)
        return;
    fence = input_fence(LONGEST + 64);
    text = input_fence(LONGEST) - LONGEST;
    model = input_fence(LONGEST) - LONGEST;
    input_bytes(text, LONGEST);
}

/* Where a text of this length goes. */
static uint8_t *place(size_t len)
{
    uint8_t *p = fence - len - (input_below(2) == 0 ? 0 : input_below(64));

    if (p > fence - LONGEST - 64)
        p[-1] = 0xa5;
    return p;
}

static bool is_in_place(const uint8_t *p)
{
    return p == fence - LONGEST - 64 || p[-1] == 0xa5;
}

static bool stream_agrees(uint32_t counter, size_t len)
{
    uint8_t key[32], nonce[12], *p;
    uint32_t next;

    prepare_memory();
    input_bytes(key, sizeof key);
    input_bytes(nonce, sizeof nonce);
    memcpy(model, text, len);
    next = br_chacha20_ct_run(key, nonce, counter, model, len);
    FOR_EACH_PATH(path)
    {
        p = place(len);
        memcpy(p, text, len);
        if (!CHECK_EQ(chacha20_x86_add(path, key, nonce, counter, p, len), next) ||
            !CHECK(memcmp(p, model, len) == 0) || !CHECK(is_in_place(p))) {
            printf("    %s: %zu bytes from %u\n", path_names[path], len, (unsigned)counter);
            return false;
        }
    }
    return true;
}

TEST(every_short_length)
{
    for (size_t len = 0; len <= 2100; len++)
        if (!stream_agrees((uint32_t)input_number(), len))
            return;
}

/* The counter has 32 bits, and what it overflows into is not the nonce. */
TEST(counters_that_wrap)
{
    for (uint32_t back = 0; back < 70; back++)
        for (size_t len = 1; len <= 3000; len += 437)
            if (!stream_agrees(0 - back, len) || !stream_agrees(back, len) ||
                !stream_agrees(0x80000000 - back, len))
                return;
}

TEST(random_inputs)
{
    for (size_t i = 0; i < input_count(1000, 100000); i++)
        if (!stream_agrees((uint32_t)input_number(), input_below(i % 20 == 0 ? LONGEST + 1 : 1200)))
            return;
    CHECK(stream_agrees(1, 16384));
}

static bool aead_agrees(size_t len, size_t aad_len)
{
    uint8_t key[32], nonce[12], aad[AAD_LONGEST], tag[TAG], got[TAG], *p;

    prepare_memory();
    input_bytes(key, sizeof key);
    input_bytes(nonce, sizeof nonce);
    input_bytes(aad, aad_len);
    memcpy(model, text, len);
    br_poly1305_ctmul_run(key, nonce, model, len, aad, aad_len, tag, br_chacha20_ct_run, 1);
    FOR_EACH_PATH(path)
    {
        bool sealed, opened;

        p = place(len);
        memcpy(p, text, len);
        chacha20_x86_aead(path, key, nonce, p, len, aad, aad_len, got, true);
        sealed = CHECK(memcmp(p, model, len) == 0) & CHECK_MEM(got, TAG, tag, TAG);
        chacha20_x86_aead(path, key, nonce, p, len, aad, aad_len, got, false);
        opened = CHECK(memcmp(p, text, len) == 0) & CHECK_MEM(got, TAG, tag, TAG);
        if (!sealed || !opened || !CHECK(is_in_place(p))) {
            printf("    %s: %zu bytes, %zu of additional data\n", path_names[path], len, aad_len);
            return false;
        }
    }
    return true;
}

TEST(every_short_length_with_poly1305)
{
    for (size_t len = 0; len <= 2100; len++)
        if (!aead_agrees(len, 13) || !aead_agrees(len, input_below(AAD_LONGEST + 1)))
            return;
}

TEST(every_length_of_additional_data)
{
    for (size_t aad_len = 0; aad_len <= AAD_LONGEST; aad_len++)
        for (size_t len = 0; len <= 1100; len += 100)
            if (!aead_agrees(len, aad_len))
                return;
}

TEST(random_inputs_with_poly1305)
{
    for (size_t i = 0; i < input_count(1000, 100000); i++)
        if (!aead_agrees(input_below(i % 20 == 0 ? LONGEST + 1 : 1200), input_below(AAD_LONGEST + 1)))
            return;
    CHECK(aead_agrees(16384, 13));
    CHECK(aead_agrees(16384 + 1, 5)); /* TLS 1.3: the type is sealed with the text */
    CHECK(aead_agrees(16384 + 256, 5));
}

/* There may be no memory at all where there are no bytes. */
TEST(nothing)
{
    uint8_t key[32] = {1}, nonce[12] = {2}, tag[TAG], expected[TAG];

    br_poly1305_ctmul_run(key, nonce, NULL, 0, NULL, 0, expected, br_chacha20_ct_run, 1);
    FOR_EACH_PATH(path)
    {
        CHECK_EQ(chacha20_x86_add(path, key, nonce, 5, NULL, 0), 5);
        chacha20_x86_aead(path, key, nonce, NULL, 0, NULL, 0, tag, true);
        CHECK_MEM(tag, TAG, expected, TAG);
        chacha20_x86_aead(path, key, nonce, NULL, 0, NULL, 0, tag, false);
        CHECK_MEM(tag, TAG, expected, TAG);
    }
}

/* ---- what is hashed beside --------------------------------------------------------------------------- */

static void choose_half(uint64_t *limb, uint64_t mask)
{
    static const uint64_t edges[] = {0, 1, 4, 0x0ffffffc, 0x0fffffff, ~(uint64_t)0, ~(uint64_t)0 << 32};
    size_t n = input_below(sizeof edges / sizeof *edges + 1);

    *limb = mask & (n < sizeof edges / sizeof *edges ? edges[n] : input_number());
}

static void choose_text(uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len; at += 16) {
        size_t kind = input_below(4);

        if (kind == 0)
            input_bytes(p + at, 16);
        else
            memset(p + at, kind == 1 ? 0 : 0xff, 16);
        if (kind == 3)
            p[at] = (uint8_t)(0xf0 + input_below(16));
    }
}

static bool hashes_beside(chacha20_x86_groups *run, size_t group)
{
    enum { GROUPS = 3, ROOM = GROUPS * 1024 };
    struct chacha20_x86 s = {
        .lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
    };
    struct poly1305_m64 beside, alone;
    uint64_t key[4];
    uint8_t data[ROOM], hashed[ROOM], tag[TAG], expected[TAG];

    choose_half(&key[0], ~(uint64_t)0);
    choose_half(&key[1], ~(uint64_t)0);
    choose_half(&key[2], ~(uint64_t)0);
    choose_half(&key[3], ~(uint64_t)0);
    choose_text(hashed, sizeof hashed);
    memcpy(data, hashed, sizeof data);
    poly1305_m64_init(&beside, (const uint8_t *)key);
    poly1305_m64_update(&beside, hashed, 16);
    alone = beside;
    poly1305_m64_prepare(&beside, (unsigned)(group / 2 / 16));
    run(&s, data, GROUPS, &beside, hashed);
    poly1305_m64_tag(&beside, tag);
    poly1305_m64_update(&alone, hashed, GROUPS * group);
    poly1305_m64_tag(&alone, expected);
    return CHECK_MEM(tag, TAG, expected, TAG);
}

TEST(hashing_beside_is_hashing)
{
    for (size_t i = 0; i < input_count(2000, 20000); i++) {
        if (chacha20_x86_has(CHACHA20_X86_AVX2) && !hashes_beside(chacha20_x86_groups_avx2, 512))
            return;
        if (chacha20_x86_has(CHACHA20_X86_AVX512) && !hashes_beside(chacha20_x86_groups_avx512, 1024))
            return;
    }
}

/* ---- the choice -------------------------------------------------------------------------------------- */

TEST(the_best_path_is_one_that_there_is)
{
    enum chacha20_x86_path best = chacha20_x86_best();

    printf("paths:");
    for (enum chacha20_x86_path path = CHACHA20_X86_AVX2; path <= CHACHA20_X86_AVX512; path++)
        printf(" %s%s", path_names[path], chacha20_x86_has(path) ? "" : " (not here, not tested)");
    printf("\n");
    CHECK(chacha20_x86_has(best));
    for (enum chacha20_x86_path path = best + 1; path <= CHACHA20_X86_AVX512; path++)
        CHECK(!chacha20_x86_has(path));
}

TEST(bearssls_types_are_the_best_path)
{
    uint8_t key[32], nonce[12], aad[13], data[3000], same[3000], tag[TAG], same_tag[TAG];

    input_bytes(key, sizeof key);
    input_bytes(nonce, sizeof nonce);
    input_bytes(aad, sizeof aad);
    input_bytes(data, sizeof data);
    memcpy(same, data, sizeof data);
    CHECK_EQ(chacha20_x86_run(key, nonce, 7, data, sizeof data),
             br_chacha20_ct_run(key, nonce, 7, same, sizeof same));
    CHECK(memcmp(data, same, sizeof data) == 0);
    for (int encrypt = 0; encrypt <= 1; encrypt++) {
        chacha20_x86_poly1305_run(key, nonce, data, sizeof data, aad, sizeof aad, tag, chacha20_x86_run,
                                  encrypt);
        br_poly1305_ctmul_run(key, nonce, same, sizeof same, aad, sizeof aad, same_tag, br_chacha20_ct_run,
                              encrypt);
        CHECK(memcmp(data, same, sizeof data) == 0);
        CHECK_MEM(tag, TAG, same_tag, TAG);
    }
}

TEST_MAIN(RUN(the_best_path_is_one_that_there_is), RUN(published_example),
          RUN(published_example_with_poly1305), RUN(wycheproof), RUN(every_short_length),
          RUN(counters_that_wrap), RUN(random_inputs), RUN(every_short_length_with_poly1305),
          RUN(every_length_of_additional_data), RUN(random_inputs_with_poly1305), RUN(nothing),
          RUN(hashing_beside_is_hashing), RUN(bearssls_types_are_the_best_path))

#else

TEST(only_on_x86_64)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_on_x86_64))

#endif
