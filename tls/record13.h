/* SPDX-License-Identifier: MIT
 *
 * TLS 1.3 records (RFC 8446 §5): one direction's protection, sealed and opened where they lie. No buffers, no
 * queue. Private to tls/.
 */
#ifndef TLS_RECORD13_H
#define TLS_RECORD13_H

#include "crypto/aead.h"
#include "tls/suites13.h"

enum {
    RECORD_CHANGE_CIPHER_SPEC = 20, /* ContentType (§5.1) */
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
};

enum {
    RECORD_HEADER = 5,
    RECORD_TEXT_MAX = 16384,
    RECORD_CIPHERTEXT_MAX = RECORD_TEXT_MAX + 256,  /* §5.2 */
    RECORD_OVERHEAD = RECORD_HEADER + 1 + AEAD_TAG, /* what sealing adds: header, inner type, tag */
};

/* A direction's keys. `aead` is the owner's memory, of aead_size(); it wipes that and this. */
struct record13 {
    struct aead *aead; /* NULL: in the clear */
    uint8_t iv[AEAD_NONCE];
    uint64_t seq;
};

/* Takes the keys of a traffic secret into `aead`; the sequence begins anew. */
void record13_set_key(struct record13 *r, struct aead *aead, const struct suite13 *suite,
                      const uint8_t *secret);

/* Makes a record of the `n` bytes of text at record + RECORD_HEADER, with RECORD_OVERHEAD - RECORD_HEADER bytes of
 * room behind them; in the clear without keys, where nothing is added but the header. Returns its length. */
size_t record13_seal(struct record13 *r, uint8_t type, uint8_t *record, size_t n);

/* Opens the whole protected record of n bytes. 0 with its type and text, which lies in the record; else the alert:
 * bad_record_mac (the sequence stays: a server that skips early data tries again), record_overflow,
 * unexpected_message (no type: nothing but padding, or nothing at all, §5.4). Shorter than a tag is bad_record_mac, too
 * (§5.2). */
uint8_t record13_open(struct record13 *r, uint8_t *record, size_t n, uint8_t *type, struct bytes *text);

#endif
