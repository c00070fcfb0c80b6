/* SPDX-License-Identifier: MIT
 *
 * Owns the context of a direction's TLS 1.2 records under AES-GCM. It lives where BearSSL's engine has room
 * for its own: a static assert holds that it fits, and the engine's owner wipes both.
 */
#include "crypto/gcm_record.h"

#if GCM_BY_INSTRUCTIONS

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct gcm_record {
    union {
        const br_sslrec_in_gcm_class *in;
        const br_sslrec_out_gcm_class *out;
    } vtable;
    uint64_t seq;
    uint8_t salt[4]; /* the part of the nonce that is not sent */
    struct gcm_key key;
};

static_assert(sizeof(struct gcm_record) <= sizeof(((br_ssl_engine_context *)0)->in),
              "must fit the engine's slot");
static_assert(sizeof(struct gcm_record) <= sizeof(((br_ssl_engine_context *)0)->out),
              "must fit the engine's slot");
static_assert(offsetof(struct gcm_record, vtable) == 0, "the engine reads it through a pointer to this");

enum { HEADER = 5, EXPLICIT_NONCE = 8, OVERHEAD = EXPLICIT_NONCE + GCM_TAG, TEXT_MAX = 16384, AAD = 13 };

static void put_number(uint8_t *p, uint64_t v, size_t n)
{
    for (; n > 0; n--, v >>= 8)
        p[n - 1] = (uint8_t)v;
}

static void init(struct gcm_record *r, const void *key, size_t key_len, const void *salt)
{
    r->seq = 0;
    memcpy(r->salt, salt, sizeof r->salt);
    gcm_init(&r->key, key, key_len);
}

static void make_nonce(const struct gcm_record *r, uint8_t nonce[GCM_NONCE], const uint8_t *explicit_nonce)
{
    memcpy(nonce, r->salt, sizeof r->salt);
    memcpy(nonce + sizeof r->salt, explicit_nonce, EXPLICIT_NONCE);
}

/* RFC 5246 §6.2.3.3 */
static void make_aad(struct gcm_record *r, uint8_t aad[AAD], int type, unsigned version, size_t len)
{
    put_number(aad, r->seq++, 8);
    aad[8] = (uint8_t)type;
    put_number(aad + 9, version, 2);
    put_number(aad + 11, len, 2);
}

static void in_init(const br_sslrec_in_gcm_class **ctx, const br_block_ctr_class *ctr, const void *key,
                    size_t key_len, br_ghash ghash, const void *salt)
{
    struct gcm_record *r = (struct gcm_record *)ctx;

    (void)ctr, (void)ghash;
    r->vtable.in = &gcm_record_in;
    init(r, key, key_len, salt);
}

static int check_length(const br_sslrec_in_class *const *ctx, size_t len)
{
    (void)ctx;
    return len >= OVERHEAD && len <= TEXT_MAX + OVERHEAD;
}

/* `data` is what follows the record's header. Answers where the text is, or NULL. */
static unsigned char *decrypt(const br_sslrec_in_class **ctx, int type, unsigned version, void *data,
                              size_t *len)
{
    struct gcm_record *r = (struct gcm_record *)ctx;
    uint8_t *text = (uint8_t *)data + EXPLICIT_NONCE;
    size_t text_len = *len - OVERHEAD;
    uint8_t nonce[GCM_NONCE], aad[AAD];

    make_nonce(r, nonce, data);
    make_aad(r, aad, type, version, text_len);
    if (!gcm_open(&r->key, nonce, aad, sizeof aad, text, text_len, text + text_len))
        return NULL;
    *len = text_len;
    return text;
}

static void out_init(const br_sslrec_out_gcm_class **ctx, const br_block_ctr_class *ctr, const void *key,
                     size_t key_len, br_ghash ghash, const void *salt)
{
    struct gcm_record *r = (struct gcm_record *)ctx;

    (void)ctr, (void)ghash;
    r->vtable.out = &gcm_record_out;
    init(r, key, key_len, salt);
}

/* Of the room from *start to *end, the header not in it, what a record's text may take. */
static void max_plaintext(const br_sslrec_out_class *const *ctx, size_t *start, size_t *end)
{
    size_t len;

    (void)ctx;
    *start += EXPLICIT_NONCE;
    len = *end - *start - GCM_TAG;
    *end = *start + (len < TEXT_MAX ? len : TEXT_MAX);
}

/* Around the text at `data` there is room for what belongs before and behind it. Answers where the record
 * begins. */
static unsigned char *encrypt(const br_sslrec_out_class **ctx, int type, unsigned version, void *data,
                              size_t *len)
{
    struct gcm_record *r = (struct gcm_record *)ctx;
    uint8_t *text = data, *record = text - EXPLICIT_NONCE - HEADER;
    size_t text_len = *len;
    uint8_t nonce[GCM_NONCE], aad[AAD];

    put_number(text - EXPLICIT_NONCE, r->seq, EXPLICIT_NONCE);
    make_nonce(r, nonce, text - EXPLICIT_NONCE);
    make_aad(r, aad, type, version, text_len);
    gcm_seal(&r->key, nonce, aad, sizeof aad, text, text_len, text + text_len);
    record[0] = (uint8_t)type;
    put_number(record + 1, version, 2);
    put_number(record + 3, text_len + OVERHEAD, 2);
    *len = HEADER + OVERHEAD + text_len;
    return record;
}

const br_sslrec_in_gcm_class gcm_record_in = {
    .inner = {.context_size = sizeof(struct gcm_record), .check_length = check_length, .decrypt = decrypt},
    .init = in_init,
};

const br_sslrec_out_gcm_class gcm_record_out = {
    .inner = {.context_size = sizeof(struct gcm_record), .max_plaintext = max_plaintext, .encrypt = encrypt},
    .init = out_init,
};

#endif
