/* SPDX-License-Identifier: MIT
 *
 * AES-GCM in one pass by ARMv8's instructions: against Wycheproof's vectors, against BearSSL's portable code on
 * random input of every length, and with something changed, which must be refused.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/aes_armv8.h"
#include "crypto/gcm_armv8.h"

#include <bearssl.h>
#include <stdlib.h>

#ifdef __AARCH64EL__

enum { NONCE = GCM_ARMV8_NONCE, TAG = GCM_ARMV8_TAG, LONGEST = (1 << 20) + 5000, AAD_MAX = 64 };

TEST(the_processor_has_the_instructions)
{
    printf("AES and PMULL: %s\n", aes_armv8_has() ? "here" : "not here, nothing is tested");
    CHECK_EQ(gcm_armv8_key_size(32), sizeof(struct gcm_armv8_key));
    CHECK_EQ(gcm_armv8_key_size(16), sizeof(struct gcm_armv8_key) - 64);
}

TEST(wycheproof)
{
    struct wycheproof *w = wycheproof_open("aes_gcm_test.json");
    uint8_t aes_key[32], iv[1024], aad[1024], msg[1024], ct[1024], tag[TAG], got[TAG];
    unsigned used = 0;

    while (aes_armv8_has() && wycheproof_next(w)) {
        size_t key_len = wycheproof_hex(w, "key", aes_key, sizeof aes_key);
        size_t iv_len = wycheproof_hex(w, "iv", iv, sizeof iv);
        size_t aad_len = wycheproof_hex(w, "aad", aad, sizeof aad);
        size_t len = wycheproof_hex(w, "msg", msg, sizeof msg);
        bool valid = wycheproof_result(w) == WYCHEPROOF_VALID, held;
        uint8_t data[1024];
        struct gcm_armv8_key key;

        wycheproof_hex(w, "ct", ct, sizeof ct);
        wycheproof_hex(w, "tag", tag, sizeof tag);
        if (iv_len != NONCE)
            continue;
        used++;
        gcm_armv8_init(&key, aes_key, key_len);
        memcpy(data, ct, len);
        held = CHECK_EQ(gcm_armv8_open(&key, iv, aad, aad_len, data, len, tag), valid);
        if (valid) {
            held = CHECK_MEM(data, len, msg, len) && held;
            gcm_armv8_seal(&key, iv, aad, aad_len, msg, len, got);
            held = CHECK_MEM(msg, len, ct, len) && CHECK_MEM(got, TAG, tag, TAG) && held;
        }
        if (!held)
            printf("    test %u\n", wycheproof_id(w));
    }
    wycheproof_close(w);
    CHECK_EQ(used, aes_armv8_has() ? 197 : 0);
}

/* ---- against BearSSL --------------------------------------------------------------------------------- */

/* One input and what BearSSL's portable code makes of it. The bytes are before the fences. */
static struct input {
    uint8_t key[32], nonce[NONCE], tag[TAG];
    size_t key_len, aad_len, len;
    uint8_t *aad_end, *text_end, *sealed_end, *work_end;
} in;

static void new_input(size_t key_len, size_t len, size_t aad_len)
{
    br_aes_ct64_ctr_keys aes;
    br_gcm_context gcm;

    if (in.aad_end == NULL) {
        in.aad_end = input_fence(AAD_MAX);
        in.text_end = input_fence(LONGEST);
        in.sealed_end = input_fence(LONGEST);
        in.work_end = input_fence(LONGEST + 1);
    }
    in.key_len = key_len;
    in.len = len;
    in.aad_len = aad_len;
    input_bytes(in.key, sizeof in.key);
    input_bytes(in.nonce, sizeof in.nonce);
    input_bytes(in.aad_end - aad_len, aad_len);
    input_bytes(in.text_end - len, len < 300 ? len : 300);
    memcpy(in.sealed_end - len, in.text_end - len, len);

    br_aes_ct64_ctr_init(&aes, in.key, key_len);
    br_gcm_init(&gcm, &aes.vtable, br_ghash_ctmul64);
    br_gcm_reset(&gcm, in.nonce, sizeof in.nonce);
    br_gcm_aad_inject(&gcm, in.aad_end - aad_len, aad_len);
    br_gcm_flip(&gcm);
    br_gcm_run(&gcm, 1, in.sealed_end - len, len);
    br_gcm_get_tag(&gcm, in.tag);
}

enum change { CHANGE_NOTHING, CHANGE_TAG, CHANGE_NONCE, CHANGE_DATA, CHANGE_AAD, CHANGES };

static bool opens(const struct gcm_armv8_key *key, enum change change)
{
    uint8_t nonce[NONCE], tag[TAG], *aad = in.aad_end - in.aad_len, *data = in.work_end - in.len;
    uint8_t bit = (uint8_t)(1u << input_below(8));
    size_t at = in.aad_len > 0 ? input_below(in.aad_len) : 0;
    bool opened;

    memcpy(nonce, in.nonce, sizeof nonce);
    memcpy(tag, in.tag, sizeof tag);
    memcpy(data, in.sealed_end - in.len, in.len);
    if (change == CHANGE_TAG)
        tag[input_below(sizeof tag)] ^= bit;
    if (change == CHANGE_NONCE)
        nonce[input_below(sizeof nonce)] ^= bit;
    if (change == CHANGE_DATA)
        data[input_below(in.len)] ^= bit;
    if (change == CHANGE_AAD)
        aad[at] ^= bit;
    opened = gcm_armv8_open(key, nonce, aad, in.aad_len, data, in.len, tag);
    if (change == CHANGE_AAD)
        aad[at] ^= bit;
    return opened;
}

/* Seals and opens as BearSSL does, and refuses one thing changed. */
static bool agrees(size_t key_len, size_t len, size_t aad_len)
{
    enum change change = 1 + (enum change)input_below(CHANGES - 1);
    struct gcm_armv8_key key;
    uint8_t *data, tag[TAG];
    bool ok;

    new_input(key_len, len, aad_len);
    data = in.work_end - len;
    data[-1] = 0xa5;
    gcm_armv8_init(&key, in.key, in.key_len);
    memcpy(data, in.text_end - len, len);
    gcm_armv8_seal(&key, in.nonce, in.aad_end - aad_len, aad_len, data, len, tag);
    ok = CHECK(memcmp(data, in.sealed_end - len, len) == 0);
    ok &= CHECK_MEM(tag, sizeof tag, in.tag, sizeof tag);
    ok &= CHECK(opens(&key, CHANGE_NOTHING));
    ok &= CHECK(memcmp(data, in.text_end - len, len) == 0);
    if ((change == CHANGE_DATA && len == 0) || (change == CHANGE_AAD && aad_len == 0))
        change = CHANGE_TAG;
    ok &= CHECK(!opens(&key, change));
    ok &= CHECK_EQ(data[-1], 0xa5);
    if (!ok)
        printf("    key of %zu, %zu bytes, %zu of additional data, change %d\n", key_len, len, aad_len,
               (int)change);
    gcm_armv8_wipe(&key);
    return ok;
}

static size_t random_key_len(void)
{
    return 16 + 8 * input_below(3);
}

TEST(every_short_length)
{
    for (size_t len = 0; aes_armv8_has() && len <= 400; len++)
        for (size_t key_len = 16; key_len <= 32; key_len += 8)
            if (!agrees(key_len, len, 13))
                return;
}

TEST(every_length_of_additional_data)
{
    for (size_t aad_len = 0; aes_armv8_has() && aad_len <= AAD_MAX; aad_len++)
        for (size_t len = 0; len < 40; len += 3)
            if (!agrees(random_key_len(), len, aad_len))
                return;
}

TEST(random_inputs)
{
    for (size_t i = 0; aes_armv8_has() && i < input_count(1000, 100000); i++)
        if (!agrees(random_key_len(), input_below(601), input_below(AAD_MAX + 1)))
            return;
}

TEST(long_random_inputs)
{
    if (!aes_armv8_has())
        return;
    for (size_t i = 0; i < input_count(20, 2000); i++)
        if (!agrees(random_key_len(), input_below(17000), input_below(AAD_MAX + 1)))
            return;
    CHECK(agrees(16, 16384, 13));
    CHECK(agrees(32, 16384 + 1, 5)); /* TLS 1.3: the type is sealed with the text */
    CHECK(agrees(32, 16384 + 256, 5));
}

/* The counter's carry goes beyond 16 bits after 1 MiB. */
TEST(a_message_of_more_than_65536_blocks)
{
    if (aes_armv8_has())
        CHECK(agrees(16, (1 << 20) + 4711, 13));
}

TEST(each_bit_of_the_tag_counts)
{
    struct gcm_armv8_key key;

    if (!aes_armv8_has())
        return;
    new_input(16, 100, 13);
    gcm_armv8_init(&key, in.key, in.key_len);
    for (size_t bit = 0; bit < 128; bit++) {
        in.tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!opens(&key, CHANGE_NOTHING));
        in.tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(opens(&key, CHANGE_NOTHING));
}

TEST(a_key_may_be_moved_and_is_wiped)
{
    struct gcm_armv8_key key, *moved;
    uint8_t *key_end = input_fence(sizeof key + 64);
    size_t set = 0;

    if (!aes_armv8_has())
        return;
    for (size_t key_len = 16; key_len <= 32; key_len += 8) {
        size_t size = gcm_armv8_key_size(key_len);

        new_input(key_len, 1000, 13);
        memset(&key, 0, sizeof key);
        gcm_armv8_init(&key, in.key, in.key_len);
        for (size_t behind = 0; behind < 64; behind++) {
            moved = (struct gcm_armv8_key *)(void *)(key_end - behind - size);
            memcpy(moved, &key, size);
            CHECK(opens(moved, CHANGE_NOTHING));
        }
        gcm_armv8_wipe(&key);
        for (size_t i = 0; i < sizeof key; i++)
            set += ((uint8_t *)&key)[i] != 0;
        CHECK_EQ(set, 0);
    }
}

TEST_MAIN(RUN(the_processor_has_the_instructions), RUN(wycheproof), RUN(every_short_length),
          RUN(every_length_of_additional_data), RUN(random_inputs), RUN(long_random_inputs),
          RUN(a_message_of_more_than_65536_blocks), RUN(each_bit_of_the_tag_counts),
          RUN(a_key_may_be_moved_and_is_wiped))

#else

TEST(only_on_64_bit_arm)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_on_64_bit_arm))

#endif
