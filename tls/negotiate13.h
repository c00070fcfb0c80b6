/* SPDX-License-Identifier: MIT
 *
 * What a TLS 1.3 server and a ClientHello agree on (RFC 8446 §4.1.1), and every reason to refuse the hello that is
 * in the hello alone. Pure. Private to tls/.
 */
#ifndef TLS_NEGOTIATE13_H
#define TLS_NEGOTIATE13_H

#include "tls/suites13.h"
#include "tls/tls.h"

/* A group for (EC)DHE (§4.2.7). */
struct group13 {
    uint16_t number;
    int curve;        /* BearSSL's number */
    size_t share_len; /* of a public key */
};
enum { GROUP13_SHARE_MAX = 65, GROUP13_SECRET = 32 };

/* A signature algorithm (§4.2.3). */
struct signature13 {
    uint16_t number;
    enum tls_key_type key_type;
    int hash; /* BearSSL's number */
};

struct negotiated13 {
    const struct suite13 *suite;
    const struct group13 *group;
    struct bytes share; /* the client's public key for it; empty: a HelloRetryRequest has to ask */
    const struct signature13 *signature; /* NULL: none that the client takes and our key can make */
    const char *alpn;                    /* "" when the client named none */
    bool resumes;                        /* psk_dhe_ke: PSKs may be taken, tickets are welcome */
};

/* 0, or the alert to refuse with, and why (static text). */
uint8_t negotiate13(struct negotiated13 *n, const struct client_hello *hello, const struct tls_server *server,
                    const struct tls_identity *identity, const char **why);

/* May this hello be the answer to a HelloRetryRequest that asked for `group` (§4.1.2)? Nothing may have changed but
 * what the RFC lists: `before` is client_hello_digest() of the first. 0, or the alert. */
uint8_t negotiate13_retried(const struct client_hello *hello, const uint8_t digest[32],
                            const uint8_t before[32], const struct group13 *group);

/* A fresh key: our share (share_len bytes) and the shared secret. False: the client's share is no good. */
bool group13_agree(const struct group13 *group, struct bytes client_share, uint8_t *share,
                   uint8_t secret[GROUP13_SECRET]);

#endif
