/* SPDX-License-Identifier: MIT
 *
 * ChaCha20 by NEON: RFC 8439's example, Wycheproof's vectors of ChaCha20-Poly1305, and BearSSL's portable code on
 * every short length, counters that overflow, and random input.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/chacha20_neon.h"

#include <bearssl.h>
#include <stdlib.h>

#ifdef __AARCH64EL__

enum { LONGEST = 17000 };

/* RFC 8439 §2.4.2 */
TEST(published_example)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
        "the future, sunscreen would be it.";
    static const uint8_t iv[12] = {[7] = 0x4a};
    static const uint8_t expected[] =
        "\x6e\x2e\x35\x9a\x25\x68\xf9\x80\x41\xba\x07\x28\xdd\x0d\x69\x81\xe9\x7e\x7a\xec\x1d\x43\x60\xc2"
        "\x0a\x27\xaf\xcc\xfd\x9f\xae\x0b\xf9\x1b\x65\xc5\x52\x47\x33\xab\x8f\x59\x3d\xab\xcd\x62\xb3\x57"
        "\x16\x39\xd6\x24\xe6\x51\x52\xab\x8f\x53\x0c\x35\x9f\x08\x61\xd8\x07\xca\x0d\xbf\x50\x0d\x6a\x61"
        "\x56\xa3\x8e\x08\x8a\x22\xb6\x5e\x52\xbc\x51\x4d\x16\xcc\xf8\x06\x81\x8c\xe9\x1a\xb7\x79\x37\x36"
        "\x5a\xf9\x0b\xbf\x74\xa3\x5b\xe6\xb4\x0b\x8e\xed\xf2\x78\x5e\x42\x87\x4d";
    uint8_t key[32], data[sizeof text];

    for (uint8_t i = 0; i < sizeof key; i++)
        key[i] = i;
    memcpy(data, text, sizeof text);
    CHECK_EQ(chacha20_neon_run(key, iv, 1, data, sizeof text - 1), 3);
    CHECK_MEM(data, sizeof text - 1, expected, sizeof expected - 1);
    CHECK_EQ(data[sizeof text - 1], 0);
}

TEST(wycheproof_with_poly1305)
{
    struct wycheproof *w = wycheproof_open("chacha20_poly1305_test.json");
    uint8_t key[32], iv[32], aad[1024], msg[1024], ct[1024], tag[16], got[16];
    unsigned all = 0, used = 0;

    while (wycheproof_next(w)) {
        size_t iv_len = wycheproof_hex(w, "iv", iv, sizeof iv);
        size_t aad_len = wycheproof_hex(w, "aad", aad, sizeof aad);
        size_t len = wycheproof_hex(w, "msg", msg, sizeof msg);
        bool valid = wycheproof_result(w) == WYCHEPROOF_VALID, same;

        all++;
        wycheproof_hex(w, "key", key, sizeof key);
        wycheproof_hex(w, "ct", ct, sizeof ct);
        wycheproof_hex(w, "tag", tag, sizeof tag);
        if (iv_len != 12)
            continue;
        used++;
        br_poly1305_ctmul_run(key, iv, msg, len, aad, aad_len, got, chacha20_neon_run, 1);
        same = memcmp(msg, ct, len) == 0 && memcmp(got, tag, sizeof tag) == 0;
        if (!CHECK_EQ(same, valid))
            printf("    test %u\n", wycheproof_id(w));
        br_poly1305_ctmul_run(key, iv, ct, len, aad, aad_len, got, chacha20_neon_run, 0);
        CHECK_EQ(memcmp(got, tag, sizeof tag) == 0, valid);
    }
    wycheproof_close(w);
    CHECK_EQ(all, 325);
    CHECK_EQ(used, 316);
}

static uint8_t *end, *model;

static bool agrees(uint32_t cc, size_t len)
{
    uint8_t key[32], iv[12];
    uint8_t before;

    if (end == NULL) {
        end = input_fence(LONGEST + 1);
        model = input_fence(LONGEST);
    }
    before = end[-(ptrdiff_t)len - 1];
    input_bytes(key, sizeof key);
    input_bytes(iv, sizeof iv);
    input_bytes(end - len, len < 64 ? len : 64);
    memcpy(model - len, end - len, len);
    return CHECK_EQ(chacha20_neon_run(key, iv, cc, end - len, len),
                    br_chacha20_ct_run(key, iv, cc, model - len, len)) &&
           CHECK_MEM(end - len, len, model - len, len) && CHECK_EQ(end[-(ptrdiff_t)len - 1], before);
}

TEST(every_short_length)
{
    for (size_t len = 0; len <= 800; len++)
        if (!agrees((uint32_t)input_number(), len))
            return;
}

/* The counter has 32 bits, and what it overflows into is not the nonce. */
TEST(counters_that_overflow)
{
    for (uint32_t back = 0; back < 20; back++)
        for (size_t len = 1; len <= 1025; len += 64)
            if (!agrees(0 - back, len) || !agrees(back, len) || !agrees(0x80000000 - back, len))
                return;
}

TEST(random_inputs)
{
    for (size_t i = 0; i < input_count(1000, 100000); i++)
        if (!agrees((uint32_t)input_number(), input_below(i % 20 == 0 ? LONGEST + 1 : 700)))
            return;
    CHECK(agrees(1, 16384));
}

TEST_MAIN(RUN(published_example), RUN(wycheproof_with_poly1305), RUN(every_short_length),
          RUN(counters_that_overflow), RUN(random_inputs))

#else

TEST(only_on_64_bit_arm)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_on_64_bit_arm))

#endif
