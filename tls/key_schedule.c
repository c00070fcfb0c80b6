/* SPDX-License-Identifier: MIT
 *
 * The key schedule as RFC 8446 §7.1 draws it: one secret, advanced twice. It holds no label's name but those it
 * needs by itself; who derives names the label.
 */
#include "tls/key_schedule.h"

#include "base/mem.h"
#include "crypto/hkdf.h"

#include <string.h>

/* --- the transcript --- */

void transcript_init(struct transcript *t, const br_hash_class *hash)
{
    hash->init(&t->context.vtable);
}

void transcript_add(struct transcript *t, const void *message, size_t n)
{
    t->context.vtable->update(&t->context.vtable, message, n);
}

void transcript_hash(const struct transcript *t, uint8_t *out)
{
    t->context.vtable->out(&t->context.vtable, out);
}

void transcript_retry(struct transcript *t)
{
    const br_hash_class *hash = t->context.vtable;
    uint8_t message[4 + KEY_SCHEDULE_MAX] = {254, 0, 0, (uint8_t)hkdf_hash_len(hash)}; /* message_hash */

    transcript_hash(t, message + 4);
    hash->init(&t->context.vtable);
    transcript_add(t, message, 4 + hkdf_hash_len(hash));
}

/* --- the schedule --- */

static void hash_of_nothing(const br_hash_class *hash, uint8_t *out)
{
    struct transcript empty;

    transcript_init(&empty, hash);
    transcript_hash(&empty, out);
}

void key_schedule_init(struct key_schedule *k, const br_hash_class *hash, const uint8_t *psk)
{
    static const uint8_t zeros[KEY_SCHEDULE_MAX];

    k->hash = hash;
    hkdf_extract(hash, NULL, 0, psk ? psk : zeros, hkdf_hash_len(hash), k->secret);
}

void key_schedule_advance(struct key_schedule *k, struct bytes input)
{
    static const uint8_t zeros[KEY_SCHEDULE_MAX];
    uint8_t nothing[KEY_SCHEDULE_MAX], salt[KEY_SCHEDULE_MAX];
    size_t n = hkdf_hash_len(k->hash);

    hash_of_nothing(k->hash, nothing);
    key_schedule_derive(k, "derived", nothing, salt);
    if (!input.n)
        input = (struct bytes){zeros, n};
    hkdf_extract(k->hash, salt, n, input.p, input.n, k->secret);
    mem_wipe(salt, sizeof salt);
}

void key_schedule_derive(const struct key_schedule *k, const char *label, const uint8_t *messages,
                         uint8_t *out)
{
    size_t n = hkdf_hash_len(k->hash);

    hkdf_expand_label(k->hash, k->secret, label, messages, n, out, n);
}

void key_schedule_binder(const struct key_schedule *k, const uint8_t *messages, uint8_t *out)
{
    uint8_t key[KEY_SCHEDULE_MAX];

    hash_of_nothing(k->hash, key);
    key_schedule_derive(k, "res binder", key, key);
    key_schedule_finished(k->hash, key, messages, out);
    mem_wipe(key, sizeof key);
}

/* --- what comes of a secret --- */

void key_schedule_traffic(const br_hash_class *hash, const uint8_t *secret, uint8_t *key, size_t key_len,
                          uint8_t *iv, size_t iv_len)
{
    hkdf_expand_label(hash, secret, "key", NULL, 0, key, key_len);
    hkdf_expand_label(hash, secret, "iv", NULL, 0, iv, iv_len);
}

void key_schedule_finished(const br_hash_class *hash, const uint8_t *secret, const uint8_t *messages,
                           uint8_t *out)
{
    uint8_t key[KEY_SCHEDULE_MAX];
    size_t n = hkdf_hash_len(hash);

    hkdf_expand_label(hash, secret, "finished", NULL, 0, key, n);
    hkdf_hmac(hash, key, n, messages, n, out);
    mem_wipe(key, sizeof key);
}

void key_schedule_update(const br_hash_class *hash, uint8_t *secret)
{
    hkdf_expand_label(hash, secret, "traffic upd", NULL, 0, secret, hkdf_hash_len(hash));
}

void key_schedule_ticket(const br_hash_class *hash, const uint8_t *secret, struct bytes nonce, uint8_t *psk)
{
    hkdf_expand_label(hash, secret, "resumption", nonce.p, nonce.n, psk, hkdf_hash_len(hash));
}
