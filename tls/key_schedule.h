/* SPDX-License-Identifier: MIT
 *
 * TLS 1.3's transcript and key schedule (RFC 8446 §4.4.1, §7): which secrets come of which messages. Pure: no
 * memory but the caller's, nothing can fail. Every output of a hash's length takes up to KEY_SCHEDULE_MAX bytes.
 * Private to tls/.
 */
#ifndef TLS_KEY_SCHEDULE_H
#define TLS_KEY_SCHEDULE_H

#include "base/bytes.h"

#include <bearssl.h>

#define KEY_SCHEDULE_MAX 48u /* SHA-384 */

/* The hash of all handshake messages so far, their headers included. Starts by transcript_init. */
struct transcript {
    br_hash_compat_context context;
};
void transcript_init(struct transcript *t, const br_hash_class *hash);
void transcript_add(struct transcript *t, const void *message, size_t n);
/* Of what was added so far; more may be added after it. */
void transcript_hash(const struct transcript *t, uint8_t *out);
/* After a HelloRetryRequest, the first ClientHello counts by its hash: puts message_hash in its place (§4.4.1). */
void transcript_retry(struct transcript *t);

/* The chain of secrets Early, Handshake, Master (§7.1). Secret: wipe it. */
struct key_schedule {
    const br_hash_class *hash;
    uint8_t secret[KEY_SCHEDULE_MAX];
};
/* Early Secret. `psk` has the hash's length; NULL: none. */
void key_schedule_init(struct key_schedule *k, const br_hash_class *hash, const uint8_t *psk);
/* From Early to Handshake with the shared secret of (EC)DHE, from Handshake to Master with none ({NULL, 0}). */
void key_schedule_advance(struct key_schedule *k, struct bytes input);
/* Derive-Secret(secret, label, messages), with the hash of the messages. */
void key_schedule_derive(const struct key_schedule *k, const char *label, const uint8_t *messages,
                         uint8_t *out);
/* The binder of a resumption PSK (§4.2.11.2): k is at Early Secret, `messages` is the hash of the truncated hello. */
void key_schedule_binder(const struct key_schedule *k, const uint8_t *messages, uint8_t *out);

/* From a traffic secret: its key and IV (§7.3), */
void key_schedule_traffic(const br_hash_class *hash, const uint8_t *secret, uint8_t *key, size_t key_len,
                          uint8_t *iv, size_t iv_len);
/* the verify_data of a Finished over the hash of the messages before it (§4.4.4), */
void key_schedule_finished(const br_hash_class *hash, const uint8_t *secret, const uint8_t *messages,
                           uint8_t *out);
/* and the next one in its place (§7.2). */
void key_schedule_update(const br_hash_class *hash, uint8_t *secret);
/* The PSK that a ticket stands for, from the resumption master secret (§4.6.1). */
void key_schedule_ticket(const br_hash_class *hash, const uint8_t *secret, struct bytes nonce, uint8_t *psk);

#endif
