/* SPDX-License-Identifier: MIT
 *
 * TLS as bytes in, bytes out: one face, behind which an engine is chosen (a server's, once its ClientHello is
 * parsed; a client's at once). No socket, no HTTP.
 *
 * Input is pushed: tls_recv takes ciphertext and stops at the first application data, which tls_data shows and
 * tls_consume releases. Output goes to a queue of sealed records (tls_output); application data is written into
 * a span that the engine lends inside the record under construction, so nothing is copied to be sealed.
 *
 *     while (n && status is not over) { k = tls_recv(t, p, n); p += k; n -= k; use tls_data, tls_consume; }
 *     span = tls_lend(t); fill; tls_commit(t, m); ...; tls_seal(t); writev tls_output(t)
 *
 * The first error sticks. Buffers come from the pool when bytes arrive and go back when they are drained: a
 * connection with nothing under way holds none (tls_is_idle).
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include "base/buf.h"
#include "base/bytes.h"
#include "tls/client_hello.h"
#include "tls/identity.h"
#include "tls/session_cache.h"
#include "tls/ticket.h"

struct tls;

enum tls_status {
    TLS_HANDSHAKE, /* not yet */
    TLS_OPEN,
    TLS_PEER_CLOSED, /* close_notify received. 1.3: we may still send (RFC 8446 §6.1) and TLS_CAN_LEND says so. 1.2: what
                      * was committed and our own close_notify are queued already, and tls_lend gives nothing (RFC
                      * 5246 §7.2.1) */
    TLS_CLOSED, /* close_notify sent; nothing can be sent any more */
    TLS_FAILED, /* tls_alert says why */
};

/* The application protocols we speak, first is preferred (RFC 7301). */
struct tls_alpn {
    const char *const *names;
    unsigned n;
};

/* Shared by all connections of a listener; outlives them. */
struct tls_server {
    /* The identity for this hello (the SNI in hello->server_name may be empty); NULL sends unrecognized_name.
     * The engine takes a reference for the connection's life. */
    struct tls_identity *(*select)(void *ctx, const struct client_hello *hello);
    void *ctx;
    struct tls_session_cache *sessions; /* TLS 1.2; NULL: no resumption by session id */
    struct tls_tickets *tickets;        /* TLS 1.3; NULL: no resumption by ticket */
    bool only_13;                       /* refuses TLS 1.2 */
    unsigned max_12;   /* connections of TLS 1.2 at once, which take more memory; 0: as many as come */
    unsigned *open_12; /* how many there are; outlives them. NULL is fine when max_12 is 0 */
    uint64_t key_update_after; /* records that one key of 1.3 seals; 0: 2^23 */
    struct tls_alpn alpn;
    struct pool *pool;
};

/* NULL when out of memory. */
struct tls *tls_server_new(const struct tls_server *server);

struct tls_trust; /* anchors; tls/client.h */
/* A client for `name` (a DNS name or an IP address; sent as SNI when a name). Handshake bytes are in tls_output.
 * NULL when out of memory, or when the name is empty or longer than 255 bytes. `alpn`'s names outlive it. */
struct tls *tls_client_new(const struct tls_trust *trust, const char *name, struct tls_alpn alpn,
                           struct pool *pool);
void tls_free(struct tls *t); /* wipes keys; NULL is fine */

/* Pushes n bytes from the wire; may decrypt in place. Returns how many it took: fewer than n only when application
 * data waits in tls_data, or the connection is over. */
size_t tls_recv(struct tls *t, uint8_t *p, size_t n);
/* The peer's TCP stream ended. Without a close_notify before it, that is a truncation: TLS_FAILED with no alert. */
void tls_recv_eof(struct tls *t);
/* Application data received and not consumed. Valid until tls_consume, tls_recv or tls_free, whatever is sent meanwhile,
 * or until the memory given to tls_recv goes: tls_hold before that. */
struct bytes tls_data(const struct tls *t);
void tls_consume(struct tls *t, size_t n);
/* Takes what tls_data shows into a buffer of its own. False when out of memory (the connection fails). */
bool tls_hold(struct tls *t);

/* Room in the record under construction, at least one byte; {NULL, 0} when not open or out of memory. How much
 * output may pile up is the caller's rule, by tls_output()->bytes. */
struct span tls_lend(struct tls *t);
void tls_commit(struct tls *t, size_t n);
/* Seals what was committed. Called once a turn, before writing. */
void tls_seal(struct tls *t);
/* Sealed records, handshake messages and alerts, to be written in order and dropped with bufq_drop; after tls_seal, for
 * the record under construction lies behind the last of them. */
struct bufq *tls_output(struct tls *t);
/* Seals, queues close_notify. */
void tls_close(struct tls *t);
/* Ends a handshake or connection from our side with an alert (RFC 8446 §6.2). */
void tls_abort(struct tls *t, uint8_t alert);

enum tls_status tls_status(const struct tls *t);
/* Pure: what moves this connection on. */
enum { TLS_WANTS_RECV = 1, TLS_WANTS_SEND = 2, TLS_HAS_DATA = 4, TLS_CAN_LEND = 8 };
unsigned tls_wants(const struct tls *t);
/* Nothing under way in either direction, no buffer held. */
bool tls_is_idle(const struct tls *t);

/* What the access log and the built-in page show. Strings are static; "" or 0 before they are known. */
struct tls_info {
    const char *version; /* "TLSv1.2", "TLSv1.3" */
    const char *cipher;  /* OpenSSL's name: "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256" */
    const char *alpn;    /* the negotiated protocol */
    bool resumed;
};
struct tls_info tls_info(const struct tls *t);
/* The SNI as the client sent it, lower case; "" if none. */
const char *tls_server_name(const struct tls *t);
/* The identity that was chosen; NULL before. */
struct tls_identity *tls_identity_of(const struct tls *t);

/* Why it failed. sent or received: the alert (RFC 8446 §6, 0 is none). text: "no common cipher suite",
 * "peer sent alert unknown_ca", "connection closed in the handshake", "plain HTTP request". Static. */
struct tls_failure {
    uint8_t alert;
    bool received;
    bool plain_http; /* the first bytes were an HTTP request: the caller answers in the clear */
    const char *text;
};
struct tls_failure tls_failure(const struct tls *t);
const char *tls_alert_name(uint8_t alert); /* "handshake_failure" */

#endif
