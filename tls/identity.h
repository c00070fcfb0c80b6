/* SPDX-License-Identifier: MIT
 *
 * Who we are to a client: a certificate chain and its private key, counted by reference so that a reload can
 * swap it while connections under way keep theirs.
 */
#ifndef TLS_IDENTITY_H
#define TLS_IDENTITY_H

#include "base/bytes.h"

#include <bearssl.h>

enum tls_key_type { TLS_KEY_EC_P256, TLS_KEY_EC_P384, TLS_KEY_EC_P521, TLS_KEY_RSA };

struct tls_identity {
    unsigned refs;
    uint64_t id;                /* unique for the process; keys the session cache with the site's name */
    char *name;                 /* the site it serves, for the log and to keep sessions apart */
    br_x509_certificate *chain; /* leaf first; each data is owned */
    size_t chain_len;
    struct span certificate;  /* tls_identity_certificate()'s; owned */
    unsigned issuer_key_type; /* BR_KEYTYPE_RSA or BR_KEYTYPE_EC: what signed the leaf (for ECDH suites) */
    enum tls_key_type key_type;
    union {
        br_ec_private_key ec; /* x points to key_data */
        br_rsa_private_key rsa;
    } key;
    uint8_t *key_data; /* the key's bytes; wiped when freed */
    size_t key_data_len;
    int64_t not_before, not_after;
    uint8_t fingerprint[32]; /* SHA-256 of the leaf */
    bool self_signed;
};

struct tls_identity *tls_identity_ref(struct tls_identity *id);
void tls_identity_unref(struct tls_identity *id); /* frees and wipes at the last; NULL is fine */
/* The chain as a whole Certificate message of TLS 1.3 (RFC 8446 §4.4.2), made at the first call and kept. Empty when out
 * of memory. */
struct bytes tls_identity_certificate(struct tls_identity *id);
/* An empty one with one reference; NULL when out of memory. */
struct tls_identity *tls_identity_new(const char *name);

#endif
