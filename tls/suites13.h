/* SPDX-License-Identifier: MIT
 *
 * The cipher suites of TLS 1.3 (RFC 8446 §B.4) that we speak, and their order. Private to tls/.
 */
#ifndef TLS_SUITES13_H
#define TLS_SUITES13_H

#include "crypto/aead.h"
#include "tls/client_hello.h"

#include <bearssl.h>

struct suite13 {
    uint16_t number;
    enum aead_algorithm aead;
    int hash; /* BearSSL's number: br_sha256_ID or br_sha384_ID */
    const char *name;
};

/* The one to speak with this client: AES first where it is fast, but ChaCha20 for a client that lists it before ours
 * (a phone without AES instructions). NULL: it offers none. */
const struct suite13 *suite13_choose(struct bytes cipher_suites, bool fast_aes);
/* NULL: not one of ours. */
const struct suite13 *suite13_find(uint16_t number);
const br_hash_class *suite13_hash(const struct suite13 *suite);
size_t suite13_hash_len(const struct suite13 *suite);

#endif
