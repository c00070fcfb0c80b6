/* SPDX-License-Identifier: MIT
 *
 * SHA-256 by ARMv8's instructions: NIST's examples, Wycheproof's vectors of HMAC, and BearSSL's own code, which
 * must find the same digest, state and context after the same calls.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/sha256_armv8.h"

#include <stdlib.h>

#ifdef __AARCH64EL__

enum { OUT = 32, LONGEST = 20000 };

static void digest(const void *p, size_t len, uint8_t out[OUT])
{
    br_sha256_context c;

    sha256_armv8.init(&c.vtable);
    sha256_armv8.update(&c.vtable, p, len);
    sha256_armv8.out(&c.vtable, out);
}

TEST(the_processor_has_the_instructions)
{
    printf("SHA2: %s\n", sha256_armv8_has() ? "here" : "not here, nothing is tested");
    CHECK_EQ(sha256_armv8.context_size, br_sha256_vtable.context_size);
    CHECK_EQ(sha256_armv8.desc, br_sha256_vtable.desc);
}

/* FIPS 180-4's examples, and what it says of a million letters. */
TEST(published_digests)
{
    static const struct {
        const char *text;
        size_t times;
        uint8_t digest[OUT];
    } examples[] = {
        {"",                                                         1,
         "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24"
         "\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55"},
        {"abc",                                                      1,
         "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
         "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "\x24\x8d\x6a\x61\xd2\x06\x38\xb8\xe5\xc0\x26\x93\x0c\x3e\x60\x39"
         "\xa3\x3c\xe4\x59\x64\xff\x21\x67\xf6\xec\xed\xd4\x19\xdb\x06\xc1"},
        {"aaaaaaaaaaaaaaaaaaaa",                                     50000,
         "\xcd\xc7\x6e\x5c\x99\x14\xfb\x92\x81\xa1\xc7\xe2\x84\xd7\x3e\x67"
         "\xf1\x80\x9a\x48\xa4\x97\x20\x0e\x04\x6d\x39\xcc\xc7\x11\x2c\xd0"},
    };
    uint8_t out[OUT];

    if (!sha256_armv8_has())
        return;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        br_sha256_context c;

        sha256_armv8.init(&c.vtable);
        for (size_t n = 0; n < examples[i].times; n++)
            sha256_armv8.update(&c.vtable, examples[i].text, strlen(examples[i].text));
        c.vtable->out(&c.vtable, out);
        CHECK_MEM(out, OUT, examples[i].digest, OUT);
    }
}

TEST(wycheproof_hmac)
{
    struct wycheproof *w = wycheproof_open("hmac_sha256_test.json");
    uint8_t key[128], msg[256], tag[OUT], out[OUT];
    unsigned used = 0;

    while (sha256_armv8_has() && wycheproof_next(w)) {
        size_t key_len = wycheproof_hex(w, "key", key, sizeof key);
        size_t msg_len = wycheproof_hex(w, "msg", msg, sizeof msg);
        size_t tag_len = wycheproof_hex(w, "tag", tag, sizeof tag);
        br_hmac_key_context kc;
        br_hmac_context c;

        br_hmac_key_init(&kc, &sha256_armv8, key, key_len);
        br_hmac_init(&c, &kc, 0);
        br_hmac_update(&c, msg, msg_len);
        br_hmac_out(&c, out);
        if (!CHECK_EQ(memcmp(out, tag, tag_len) == 0, wycheproof_result(w) == WYCHEPROOF_VALID))
            printf("    test %u\n", wycheproof_id(w));
        /* As TLS 1.2 takes it of records whose length is secret: it goes through the states. */
        br_hmac_init(&c, &kc, 0);
        br_hmac_outCT(&c, msg, msg_len, 0, sizeof msg, out);
        CHECK_EQ(memcmp(out, tag, tag_len) == 0, wycheproof_result(w) == WYCHEPROOF_VALID);
        used++;
    }
    wycheproof_close(w);
    CHECK_EQ(used, sha256_armv8_has() ? 174 : 0);
}

/* Padding takes a second block from 56 bytes on; text is hashed where it lies, at any address. */
TEST(every_short_length_at_every_address)
{
    uint8_t *end = input_fence(400), out[OUT], model[OUT];

    if (!sha256_armv8_has())
        return;
    input_bytes(end - 400, 400);
    for (size_t len = 0; len <= 300; len++) {
        for (size_t behind = 0; behind < 16; behind++) {
            br_sha256_context c;

            br_sha256_init(&c);
            br_sha256_update(&c, end - behind - len, len);
            br_sha256_out(&c, model);
            digest(end - behind - len, len, out);
            if (!CHECK_MEM(out, OUT, model, OUT))
                return;
        }
    }
}

/* Both contexts hold the same: so either class may go on where the other stopped. */
static bool contexts_agree(const br_sha256_context *ours, const br_sha256_context *model)
{
    uint8_t state[32], model_state[32], out[OUT], model_out[OUT];

    return CHECK_EQ(sha256_armv8.state(&ours->vtable, state),
                    br_sha256_vtable.state(&model->vtable, model_state)) &&
           CHECK_MEM(state, sizeof state, model_state, sizeof model_state) &&
           CHECK_EQ(ours->count, model->count) &&
           CHECK_MEM(ours->buf, ours->count % 64, model->buf, ours->count % 64) &&
           (sha256_armv8.out(&ours->vtable, out), br_sha256_out(model, model_out), true) &&
           CHECK_MEM(out, OUT, model_out, OUT);
}

TEST(random_texts_in_random_parts)
{
    uint8_t *end = input_fence(LONGEST);
    br_sha256_context c, model;

    if (!sha256_armv8_has())
        return;
    input_bytes(end - LONGEST, LONGEST);
    for (size_t i = 0; i < input_count(1000, 100000); i++) {
        size_t longest = i % 50 == 0 ? LONGEST : 400;

        sha256_armv8.init(&c.vtable);
        br_sha256_init(&model);
        CHECK(c.vtable == &sha256_armv8);
        for (size_t parts = input_below(5); parts > 0; parts--) {
            size_t len = input_below(longest);

            c.vtable->update(&c.vtable, end - len, len);
            br_sha256_update(&model, end - len, len);
        }
        if (!contexts_agree(&c, &model))
            return;
        end[-1 - (ptrdiff_t)input_below(LONGEST)] ^= (uint8_t)input_number();
    }
}

TEST(a_state_is_taken_up_by_the_other)
{
    uint8_t state[32], text[200];
    br_sha256_context c, model;
    static const uint64_t counts[] = {0, 64, 128, 1 << 20, (uint64_t)1 << 32, ((uint64_t)1 << 61) - 64};

    if (!sha256_armv8_has())
        return;
    for (size_t i = 0; i < input_count(200, 2000); i++) {
        uint64_t count = counts[i % (sizeof counts / sizeof *counts)];
        size_t len = input_below(sizeof text);

        input_bytes(state, sizeof state);
        input_bytes(text, sizeof text);
        sha256_armv8.init(&c.vtable);
        br_sha256_init(&model);
        c.vtable->set_state(&c.vtable, state, count);
        br_sha256_set_state(&model, state, count);
        c.vtable->update(&c.vtable, text, len);
        br_sha256_update(&model, text, len);
        if (!contexts_agree(&c, &model))
            return;
        c.vtable->update(&c.vtable, NULL, 0);
        br_sha256_update(&model, NULL, 0);
        if (!contexts_agree(&c, &model))
            return;
    }
}

TEST_MAIN(RUN(the_processor_has_the_instructions), RUN(published_digests), RUN(wycheproof_hmac),
          RUN(every_short_length_at_every_address), RUN(random_texts_in_random_parts),
          RUN(a_state_is_taken_up_by_the_other))

#else

TEST(only_on_64_bit_arm)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_on_64_bit_arm))

#endif
