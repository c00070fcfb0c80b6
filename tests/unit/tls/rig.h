/* SPDX-License-Identifier: MIT
 *
 * What the tests of tls/ share: identities and anchors from tests/vectors/certs, a client that is BearSSL as its
 * manual says to use it (an independent peer for our server), and the wire between it and a struct tls.
 */
#ifndef TESTS_UNIT_TLS_RIG_H
#define TESTS_UNIT_TLS_RIG_H

#include "tls/client.h"
#include "tls/tls.h"

/* Loads a chain and a key; ends the program when it cannot. */
struct tls_identity *rig_identity(const char *site, const char *cert, const char *key);
/* The certificates of a file as anchors; rig_trust_free releases them. */
struct tls_trust rig_trust(const char *cert);
void rig_trust_free(struct tls_trust *trust);

/* Bytes that grow. */
struct sink {
    uint8_t *p;
    size_t n, cap;
};
void sink_add(struct sink *s, const void *p, size_t n);
void sink_free(struct sink *s);

/* A server that picks the identity by SNI: `named` when the name is its site, else `fallback`. */
struct rig {
    struct tls_server server;
    struct tls_identity *named, *fallback;
    struct pool *pool;
    unsigned selected; /* how often it was asked */
};
void rig_init(struct rig *r, struct tls_identity *fallback); /* takes the reference */
void rig_release(struct rig *r);

struct peer {
    br_ssl_client_context cc;
    br_x509_minimal_context x509;
    uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
    struct sink got;
};
/* Ready for changes to cc before peer_start; `resume`: the session left in cc is offered. */
void peer_init(struct peer *p, const struct tls_trust *trust);
void peer_start(struct peer *p, const char *name, bool resume);
void peer_write(struct peer *p, const void *data, size_t n); /* pumps nothing; n fits one record */
int peer_error(const struct peer *p);
void peer_free(struct peer *p);

/* Moves bytes both ways in pieces of at most `piece` until neither side has any to move. What the server receives
 * goes to `got`. Each piece is memory of its own, gone right after, so that nothing may be kept in it; with `hold`,
 * data is held first, as a slow reader has to. */
struct wire {
    size_t piece;
    bool hold;
    struct sink *got;
};
void wire_pump(const struct wire *w, struct peer *p, struct tls *t);
/* Bytes into a connection, in pieces; returns how many it took before it stopped. */
size_t wire_push(const struct wire *w, struct tls *t, const void *bytes, size_t n);

/* All that waits in the output, taken out. */
struct sink rig_take_output(struct tls *t);
/* A ClientHello message as record(s): version 1.2, our suites, what `extensions` writes (NULL: none). */
size_t rig_hello(uint8_t *out, size_t cap, uint16_t version, void (*extensions)(struct writer *w));
/* Extensions enough for a handshake to go on: signature_algorithms with SHA-256. */
void rig_ordinary(struct writer *w);

#endif
