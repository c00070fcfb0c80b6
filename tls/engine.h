/* SPDX-License-Identifier: MIT
 *
 * What stands behind the face. An engine is a struct whose first member is `struct tls_engine`; it reports to the
 * tls_core that the face owns. Private to tls/.
 *
 * The contract: the face calls recv, lend, commit, seal and alert only while core->status is one that allows it
 * (TLS_HANDSHAKE or TLS_OPEN for recv and alert, TLS_OPEN for the other three; with half_close the last four in
 * TLS_PEER_CLOSED too), and data, consume, hold at any time. An engine that finds core->status TLS_FAILED after a step does nothing more.
 */
#ifndef TLS_ENGINE_H
#define TLS_ENGINE_H

#include "tls/tls.h"

/* What the face and its engine share. */
struct tls_core {
    struct pool *pool;
    struct bufq out; /* sealed records */
    enum tls_status status;
    struct tls_failure failure;
};

struct tls_engine;

struct tls_engine_class {
    void (*free)(struct tls_engine *e); /* wipes keys */
    size_t (*recv)(struct tls_engine *e, uint8_t *p, size_t n);
    struct bytes (*data)(const struct tls_engine *e);
    void (*consume)(struct tls_engine *e, size_t n); /* n <= data().n */
    bool (*hold)(struct tls_engine *e);
    struct span (*lend)(struct tls_engine *e);
    void (*commit)(struct tls_engine *e, size_t n); /* n <= what was lent */
    void (*seal)(struct tls_engine *e);
    /* Queues an alert under the present keys; what is committed and not sealed is sealed first with close_notify,
     * dropped with any other. The status is the caller's to change. */
    void (*alert)(struct tls_engine *e, uint8_t alert);
    /* Holds no buffer and no part of a record. */
    bool (*idle)(const struct tls_engine *e);
    struct tls_info (*info)(const struct tls_engine *e);
    bool half_close; /* sends on after the peer's close_notify */
};

struct tls_engine {
    const struct tls_engine_class *vtable;
    struct tls_core *core;
};

/* The first error sticks. Queues nothing. */
void tls_core_fail(struct tls_core *core, uint8_t alert, bool received, const char *text);
/* Queues an alert record in the clear (RFC 8446 §5.1, §6): for failures found before there is an engine. */
void tls_core_plain_alert(struct tls_core *core, uint8_t level, uint8_t alert);

/* The engines. Each returns NULL after it has failed the core with the alert queued. A server's has dealt with the
 * hello when it returns: `records` are those it came in, `message` is what was in them. */
struct tls_engine *tls_server12_new(struct tls_core *core, const struct tls_server *server,
                                    const struct client_hello *hello, struct span records,
                                    const struct tls_identity *identity);
struct tls_engine *tls_server13_new(struct tls_core *core, const struct tls_server *server,
                                    const struct client_hello *hello, struct bytes message,
                                    struct tls_identity *identity);
struct tls_engine *tls_client12_new(struct tls_core *core, const struct tls_trust *trust, const char *name,
                                    struct tls_alpn alpn);

#endif
