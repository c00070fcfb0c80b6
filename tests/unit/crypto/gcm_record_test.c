/* SPDX-License-Identifier: MIT
 *
 * TLS 1.2 records under AES-GCM: each record is byte by byte what BearSSL's own class makes, and either opens
 * the other's. Where the processor has no instructions for AES, nothing is tested.
 */
#include "tests/unit/test.h"
#include "crypto/gcm_record.h"

#include <stdlib.h>

#if GCM_BY_INSTRUCTIONS

enum { BEFORE = 13, BEHIND = 16, TEXT_MAX = 16384, APPLICATION_DATA = 23 };

/* As the engine holds them. */
union direction {
    const br_sslrec_in_gcm_class *in;
    const br_sslrec_out_gcm_class *out;
    uint8_t room[sizeof(((br_ssl_engine_context *)0)->in)];
};

static const uint8_t salt[4] = {0xde, 0xad, 0xbe, 0xef};
static uint8_t ours[BEFORE + TEXT_MAX + BEHIND], model[sizeof ours];

static union direction sender(const br_sslrec_out_gcm_class *class, const uint8_t *key, size_t key_len)
{
    union direction d;

    class->init(&d.out, &br_aes_ct64_ctr_vtable, key, key_len, br_ghash_ctmul64, salt);
    return d;
}

static union direction receiver(const br_sslrec_in_gcm_class *class, const uint8_t *key, size_t key_len)
{
    union direction d;

    class->init(&d.in, &br_aes_ct64_ctr_vtable, key, key_len, br_ghash_ctmul64, salt);
    return d;
}

static void fill(uint8_t *p, size_t n, size_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)((i + seed) * 2654435761u >> 11);
}

/* What the engine gives it is the record without its header. Answers the text's length, or -1. */
static long receive(union direction *d, uint8_t *record, size_t len, int type, uint8_t **text)
{
    size_t n = len - 5;

    *text = NULL;
    if (!d->in->inner.check_length((const br_sslrec_in_class *const *)&d->in, n))
        return -1;
    *text = d->in->inner.decrypt((const br_sslrec_in_class **)&d->in, type, BR_TLS12, record + 5, &n);
    return *text != NULL ? (long)n : -1;
}

static size_t send(union direction *d, uint8_t *room, size_t len, uint8_t **record)
{
    *record = d->out->inner.encrypt((const br_sslrec_out_class **)&d->out, APPLICATION_DATA, BR_TLS12,
                                    room + BEFORE, &len);
    return len;
}

static const size_t lengths[] = {0, 1, 15, 16, 17, 63, 127, 128, 255, 256, 257, 1024, 4096, 16383, TEXT_MAX};

static void exchange(size_t key_len)
{
    uint8_t key[32], text[TEXT_MAX], *record, *model_record, *got;
    union direction out, model_out, in, model_in;

    fill(key, sizeof key, key_len);
    out = sender(&gcm_record_out, key, key_len);
    model_out = sender(&br_sslrec_out_gcm_vtable, key, key_len);
    in = receiver(&gcm_record_in, key, key_len);
    model_in = receiver(&br_sslrec_in_gcm_vtable, key, key_len);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t len = lengths[i], sent;

        fill(text, len, i);
        memcpy(ours + BEFORE, text, len);
        memcpy(model + BEFORE, text, len);
        sent = send(&out, ours, len, &record);
        CHECK_EQ(send(&model_out, model, len, &model_record), sent);
        CHECK_MEM(record, sent, model_record, sent);
        CHECK_EQ(receive(&in, model_record, sent, APPLICATION_DATA, &got), len);
        CHECK_MEM(got, got != NULL ? len : 0, text, len);
        CHECK_EQ(receive(&model_in, record, sent, APPLICATION_DATA, &got), len);
        CHECK_MEM(got, got != NULL ? len : 0, text, len);
    }
}

TEST(records_are_bearssls)
{
    if (!gcm_has())
        return;
    exchange(16);
    exchange(32);
}

TEST(what_the_tag_covers_cannot_be_changed)
{
    static const uint8_t key[16] = {1};
    union direction out, in;
    uint8_t *record, *got;
    size_t sent;

    if (!gcm_has())
        return;
    out = sender(&gcm_record_out, key, sizeof key);
    memset(ours, 7, sizeof ours);
    sent = send(&out, ours, 100, &record);
    memcpy(model, record, sent);

    for (size_t i = 5; i < sent; i++) { /* nonce, text, tag */
        in = receiver(&gcm_record_in, key, sizeof key);
        memcpy(ours, model, sent);
        ours[i] ^= 0x10;
        CHECK_EQ(receive(&in, ours, sent, APPLICATION_DATA, &got), -1);
    }

    in = receiver(&gcm_record_in, key, sizeof key);
    memcpy(ours, model, sent);
    CHECK_EQ(receive(&in, ours, sent, APPLICATION_DATA - 1, &got), -1); /* another type */

    in = receiver(&gcm_record_in, key, sizeof key);
    memcpy(ours, model, sent);
    CHECK_EQ(receive(&in, ours, sent - 1, APPLICATION_DATA, &got), -1); /* cut short */

    in = receiver(&gcm_record_in, key, sizeof key);
    memcpy(ours, model, sent);
    CHECK_EQ(receive(&in, ours, sent, APPLICATION_DATA, &got), 100);
    memcpy(ours, model, sent);
    CHECK_EQ(receive(&in, ours, sent, APPLICATION_DATA, &got), -1); /* once more: another sequence number */
}

TEST(lengths_that_a_record_may_have)
{
    static const uint8_t key[16] = {1};
    union direction in, model_in, out, model_out;

    if (!gcm_has())
        return;
    in = receiver(&gcm_record_in, key, sizeof key);
    model_in = receiver(&br_sslrec_in_gcm_vtable, key, sizeof key);
    out = sender(&gcm_record_out, key, sizeof key);
    model_out = sender(&br_sslrec_out_gcm_vtable, key, sizeof key);
    for (size_t n = 0; n < 20000; n++)
        CHECK_EQ(in.in->inner.check_length((const br_sslrec_in_class *const *)&in.in, n),
                 model_in.in->inner.check_length((const br_sslrec_in_class *const *)&model_in.in, n));
    CHECK(!in.in->inner.check_length((const br_sslrec_in_class *const *)&in.in, 23));
    CHECK(in.in->inner.check_length((const br_sslrec_in_class *const *)&in.in, 24));
    CHECK(!in.in->inner.check_length((const br_sslrec_in_class *const *)&in.in, TEXT_MAX + 25));

    for (size_t room = 24; room < 20000; room++) {
        size_t start = 5, end = start + room, model_start = start, model_end = end;

        out.out->inner.max_plaintext((const br_sslrec_out_class *const *)&out.out, &start, &end);
        model_out.out->inner.max_plaintext((const br_sslrec_out_class *const *)&model_out.out, &model_start,
                                           &model_end);
        CHECK_EQ(start, model_start);
        CHECK_EQ(end, model_end);
    }
}

TEST_MAIN(RUN(records_are_bearssls), RUN(what_the_tag_covers_cannot_be_changed),
          RUN(lengths_that_a_record_may_have))

#else

TEST(only_where_there_are_instructions)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_where_there_are_instructions))

#endif
