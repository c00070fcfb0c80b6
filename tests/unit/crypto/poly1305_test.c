/* SPDX-License-Identifier: MIT
 *
 * Poly1305 on 64-bit limbs: the vectors of RFC 8439 A.3 that are whole blocks, Wycheproof's of ChaCha20-Poly1305, and
 * BearSSL's two other implementations on every short length and random input. A cipher that does nothing, but chooses
 * the key of the hash, brings keys and texts to the edges of the arithmetic; a plain sum brings the hash itself there.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/poly1305_portable.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/poly1305_m64.h"

#include <bearssl.h>
#include <stdlib.h>

#ifdef __SIZEOF_INT128__

enum { LONGEST = 17000, AAD_LONGEST = 80, TAG = POLY1305_M64_TAG, BLOCK = POLY1305_M64_BLOCK };

typedef unsigned __int128 wide;

/* ---- vectors ----------------------------------------------------------------------------------------- */

#define TIMES_8(x)  x x x x x x x x
#define TIMES_15(x) TIMES_8(x) x x x x x x x
#define TIMES_16(x) TIMES_8(x) TIMES_8(x)
#define ZEROS       TIMES_16("\0")
#define ONES        TIMES_16("\xff")
/* A small number, in the order of bytes of the standard. */
#define SMALL(x) x TIMES_15("\0")

#define ONE_AND_FOUR "\x01\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0"
/* clang-format off */
#define LONG_CARRY                           \
    "\xe3\x35\x94\xd7\x50\x5e\x43\xb9"       \
    TIMES_8("\0")                            \
    "\x33\x94\xd7\x50\x5e\x43\x79\xcd\x01\0\0\0\0\0\0\0" ZEROS

/* RFC 8439 A.3 */
static const struct published {
    const char *why, *r, *s, *message;
    size_t blocks;
    const char *tag;
} published[] = {
    {"all is zero",
     ZEROS, ZEROS, ZEROS ZEROS ZEROS ZEROS, 4, ZEROS},
    {"one reduction is not enough",
     SMALL("\x02"), ZEROS, ONES, 1, SMALL("\x03")},
    {"the addition of s passes 2^128",
     SMALL("\x02"), ONES, SMALL("\x02"), 1, SMALL("\x03")},
    {"a limb of ones, and a carry from below",
     SMALL("\x01"), ZEROS, ONES "\xf0" TIMES_15("\xff") SMALL("\x11"), 3, SMALL("\x05")},
    {"the hash is 2^130 - 5",
     SMALL("\x01"), ZEROS, ONES "\xfb" TIMES_15("\xfe") TIMES_16("\x01"), 3, ZEROS},
    {"the hash is 2^130 - 6",
     SMALL("\x02"), ZEROS, "\xfd" TIMES_15("\xff"), 1, "\xfa" TIMES_15("\xff")},
    {"5 * H + L on the way",
     ONE_AND_FOUR, ZEROS, LONG_CARRY SMALL("\x01"), 4, "\x14\0\0\0\0\0\0\0\x55\0\0\0\0\0\0\0"},
    {"5 * H + L in the end",
     ONE_AND_FOUR, ZEROS, LONG_CARRY, 3, SMALL("\x13")},
};
/* clang-format on */

TEST(published_vectors)
{
    for (const struct published *v = published; v < published + sizeof published / sizeof *published; v++) {
        struct poly1305_m64 p;
        uint8_t key[POLY1305_M64_KEY], tag[TAG];

        memcpy(key, v->r, 16);
        memcpy(key + 16, v->s, 16);
        poly1305_m64_init(&p, key);
        poly1305_m64_update(&p, v->message, v->blocks * BLOCK);
        poly1305_m64_tag(&p, tag);
        if (!CHECK_MEM(tag, TAG, v->tag, TAG))
            printf("    %s\n", v->why);
    }
}

TEST(wycheproof_with_chacha20)
{
    struct wycheproof *w = wycheproof_open("chacha20_poly1305_test.json");
    uint8_t key[32], nonce[32], aad[1024], msg[1024], ct[1024], tag[TAG], got[TAG];
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
        poly1305_m64_run(key, nonce, msg, len, aad, aad_len, got, br_chacha20_ct_run, 1);
        same = memcmp(msg, ct, len) == 0 && memcmp(got, tag, TAG) == 0;
        if (!CHECK_EQ(same, valid))
            printf("    test %u\n", wycheproof_id(w));
        poly1305_m64_run(key, nonce, ct, len, aad, aad_len, got, br_chacha20_ct_run, 0);
        CHECK_EQ(memcmp(got, tag, TAG) == 0, valid);
    }
    wycheproof_close(w);
    CHECK_EQ(all, 325);
    CHECK_EQ(used, 316);
}

/* ---- against BearSSL --------------------------------------------------------------------------------- */

/* What the cipher makes of the block for the key of the hash is the beginning of its own key; the text it leaves. */
static uint32_t no_cipher(const void *key, const void *nonce, uint32_t counter, void *data, size_t len)
{
    (void)nonce;
    if (counter == 0)
        memcpy(data, key, len);
    return counter + 1;
}

static uint8_t *fence;

static bool agrees_on(const uint8_t *key, const uint8_t *aad, size_t aad_len, uint8_t *text, size_t len,
                      br_chacha20_run cipher)
{
    static uint8_t model[LONGEST];
    uint8_t nonce[12] = {0}, tag[TAG], same[TAG], got[TAG];

    memcpy(model, text, len);
    br_poly1305_ctmul_run(key, nonce, model, len, aad, aad_len, tag, cipher, 1);
    poly1305_m64_run(key, nonce, text, len, aad, aad_len, got, cipher, 1);
    if (!CHECK(memcmp(text, model, len) == 0) || !CHECK_MEM(got, TAG, tag, TAG)) {
        printf("    %zu bytes, %zu of additional data\n", len, aad_len);
        return false;
    }
    br_poly1305_i15_run(key, nonce, model, len, aad, aad_len, same, cipher, 0);
    poly1305_m64_run(key, nonce, text, len, aad, aad_len, got, cipher, 0);
    return CHECK_MEM(same, TAG, tag, TAG) && CHECK_MEM(got, TAG, tag, TAG) &&
           CHECK(memcmp(text, model, len) == 0);
}

static bool agrees(size_t len, size_t aad_len)
{
    uint8_t key[32], aad[AAD_LONGEST];

    if (fence == NULL)
        fence = input_fence(LONGEST);
    input_bytes(key, sizeof key);
    input_bytes(aad, aad_len);
    input_bytes(fence - len, len);
    return agrees_on(key, aad, aad_len, fence - len, len,
                     input_below(2) == 0 ? no_cipher : br_chacha20_ct_run);
}

TEST(every_short_length)
{
    for (size_t len = 0; len <= 2100; len++)
        if (!agrees(len, 13))
            return;
}

TEST(every_length_of_additional_data)
{
    for (size_t aad_len = 0; aad_len <= AAD_LONGEST; aad_len++)
        for (size_t len = 0; len < 40; len++)
            if (!agrees(len, aad_len))
                return;
}

TEST(random_inputs)
{
    for (size_t i = 0; i < input_count(1000, 100000); i++)
        if (!agrees(input_below(i % 50 == 0 ? LONGEST + 1 : 600), input_below(AAD_LONGEST + 1)))
            return;
    CHECK(agrees(16384, 13));
}

/* ---- at the edges ------------------------------------------------------------------------------------ */

/* clang-format off */
static const uint64_t edges[] = {
    0, 1, 2, 3, 4, 5,
    0x0ffffffc0fffffff, 0x0ffffffc0ffffffc, 0x0000000100000000, 0x8000000000000000, 0x7fffffffffffffff,
    0xfffffffffffffffa, 0xfffffffffffffffb, 0xfffffffffffffffc, 0xfffffffffffffffe, 0xffffffffffffffff,
};
/* clang-format on */

enum { EDGES = sizeof edges / sizeof *edges };

static uint64_t edge_or_any(void)
{
    size_t n = input_below(EDGES + 2);

    return n < EDGES ? edges[n] : input_number();
}

/* Keys and texts of words at the edges, in words of this machine: which order does not matter. */
static void edge_words(uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len; at += 8) {
        uint64_t v = edge_or_any();

        memcpy(p + at, &v, len - at < 8 ? len - at : 8);
    }
}

TEST(words_at_the_edges)
{
    static uint8_t text[2100];
    uint8_t key[32], aad[AAD_LONGEST];

    for (size_t i = 0; i < input_count(5000, 100000); i++) {
        size_t len = input_below(i % 20 == 0 ? sizeof text + 1 : 200), aad_len = input_below(AAD_LONGEST + 1);

        edge_words(key, sizeof key);
        edge_words(aad, aad_len);
        if (i % 3 == 0)
            memset(text, i % 2 == 0 ? 0xff : 0, len);
        else
            edge_words(text, len);
        if (!agrees_on(key, aad, aad_len, text, len, no_cipher))
            return;
    }
}

/* Each r of edges, the greatest among them, with texts of ones. */
TEST(every_key_at_the_edges)
{
    static uint8_t text[1100];
    uint64_t key[4];

    for (size_t n = 0; n < EDGES * EDGES * 3; n++) {
        key[0] = edges[n % EDGES];
        key[1] = edges[n / EDGES % EDGES];
        key[2] = key[3] = n / EDGES / EDGES == 0 ? 0 : n / EDGES / EDGES == 1 ? 1 : ~(uint64_t)0;
        memset(text, 0xff, sizeof text);
        if (!agrees_on((const uint8_t *)key, NULL, 0, text, n % 2 == 0 ? sizeof text : 64, no_cipher))
            return;
    }
}

/* Takes a hash down by the prime as often as it goes, and answers the lower 128 bits. */
static wide reduced(struct poly1305_m64_number h)
{
    wide low = (wide)h.h1 << 64 | h.h0;

    while (h.h2 > 3 || (h.h2 == 3 && low >= (wide)0 - 5)) {
        h.h2 -= low >= (wide)0 - 5 ? 3 : 4;
        low += 5;
    }
    return low;
}

/* From 10 below each multiple of 2^128, so too of the prime, to 10 above, and what is added in the end. */
TEST(hashes_at_the_edges)
{
    for (uint64_t h2 = 0; h2 <= 6; h2++) {
        for (int around = -10; around <= 10; around++) {
            for (size_t pad = 0; pad < EDGES * EDGES; pad++) {
                struct poly1305_m64 p = {.pad0 = edges[pad % EDGES], .pad1 = edges[pad / EDGES]};
                uint8_t tag[TAG];
                wide expected;

                if (around < 0 && h2 == 0)
                    continue;
                p.hash = (struct poly1305_m64_number){.h0 = (uint64_t)around, .h1 = 0, .h2 = h2};
                if (around < 0)
                    p.hash = (struct poly1305_m64_number){(uint64_t)around, ~(uint64_t)0, h2 - 1};
                expected = reduced(p.hash) + ((wide)p.pad1 << 64 | p.pad0);
                poly1305_m64_tag(&p, tag);
                CHECK_EQ(poly1305_m64_load(tag), (uint64_t)expected);
                CHECK_EQ(poly1305_m64_load(tag + 8), (uint64_t)(expected >> 64));
            }
        }
    }
}

/* ---- the parts --------------------------------------------------------------------------------------- */

static struct poly1305_m64 any_hash(void)
{
    struct poly1305_m64 p;
    uint64_t key[4] = {edge_or_any(), edge_or_any(), 0, 0};

    poly1305_m64_init(&p, (const uint8_t *)key);
    p.hash = (struct poly1305_m64_number){edge_or_any(), edge_or_any(), input_below(6)};
    return p;
}

TEST(a_block_is_the_same_on_every_machine)
{
    for (size_t i = 0; i < input_count(100000, 2000000); i++) {
        struct poly1305_m64 p = any_hash();
        struct poly1305_m64_number portable = p.hash;
        uint8_t block[BLOCK];

        edge_words(block, sizeof block);
        poly1305_m64_block(&p.hash, &p, block);
        poly1305_portable_block(&portable, &p, block);
        if (!CHECK_EQ(p.hash.h0, portable.h0) || !CHECK_EQ(p.hash.h1, portable.h1) ||
            !CHECK_EQ(p.hash.h2, portable.h2) || !CHECK(p.hash.h2 <= 5))
            return;
    }
}

/* Two halves, of any length, give what one run of blocks gives. */
TEST(halves_join)
{
    static uint8_t text[2 * 64 * BLOCK];

    for (unsigned half = 1; half <= 64; half *= 2) {
        for (size_t i = 0; i < input_count(500, 20000); i++) {
            struct poly1305_m64 whole = any_hash(), halves = whole;
            uint8_t tag[TAG], expected[TAG];

            if (i % 4 == 0)
                memset(text, 0xff, sizeof text);
            else
                edge_words(text, sizeof text);
            poly1305_m64_update(&whole, text, 2 * half * BLOCK);
            poly1305_m64_prepare(&halves, half);
            poly1305_m64_update(&halves, text, 2 * half * BLOCK);
            CHECK(halves.hash.h2 <= 5);
            poly1305_m64_tag(&whole, expected);
            poly1305_m64_tag(&halves, tag);
            if (!CHECK_MEM(tag, TAG, expected, TAG))
                return;
        }
    }
}

TEST_MAIN(RUN(published_vectors), RUN(wycheproof_with_chacha20), RUN(every_short_length),
          RUN(every_length_of_additional_data), RUN(random_inputs), RUN(words_at_the_edges),
          RUN(every_key_at_the_edges), RUN(hashes_at_the_edges), RUN(a_block_is_the_same_on_every_machine),
          RUN(halves_join))

#else

TEST(only_with_128_bits)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_128_bits))

#endif
