/* SPDX-License-Identifier: MIT
 *
 * The face. A server's connection collects its ClientHello here, in the caller's bytes if they hold all of it, else
 * in a pool buffer; then an engine is chosen, is given those same bytes, and everything goes to it. The invariant:
 * `engine` is NULL until the hello is whole and accepted, and `hello` is NULL from then on; what both sides of the
 * vtable must agree on (status, failure, output) is in `core`.
 */
#include "tls/tls.h"
#include "tls/alert.h"
#include "tls/engine.h"

#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

struct tls {
    struct tls_core core;
    struct tls_engine *engine;
    const struct tls_server *server; /* NULL: a client */
    struct buf *hello;               /* the raw records so far */
    struct tls_identity *identity;
    char *server_name;
    unsigned *counted; /* where this connection of TLS 1.2 is counted; NULL: nowhere */
};

/* --- the core --- */

void tls_core_fail(struct tls_core *core, uint8_t alert, bool received, const char *text)
{
    if (core->status == TLS_FAILED)
        return;
    core->status = TLS_FAILED;
    core->failure = (struct tls_failure){.alert = alert, .received = received, .text = text};
}

void tls_core_plain_alert(struct tls_core *core, uint8_t level, uint8_t alert)
{
    const uint8_t record[] = {21, 3, 3, 0, 2, level, alert};
    (void)bufq_put(&core->out, record,
                   sizeof record); /* without memory, the peer sees the connection close */
}

/* Before there is an engine. */
static void refuse(struct tls *t, uint8_t alert, const char *text)
{
    tls_core_plain_alert(&t->core, 2, alert);
    tls_core_fail(&t->core, alert, false, text);
}

/* --- life --- */

static struct tls *make(struct pool *pool)
{
    struct tls *t = mem_zalloc(sizeof *t);

    if (!t)
        return NULL;
    t->core.pool = pool;
    t->core.out.pool = pool;
    t->core.status = TLS_HANDSHAKE;
    return t;
}

struct tls *tls_server_new(const struct tls_server *server)
{
    struct tls *t = make(server->pool);

    if (t)
        t->server = server;
    return t;
}

struct tls *tls_client_new(const struct tls_trust *trust, const char *name, struct tls_alpn alpn,
                           struct pool *pool)
{
    struct tls *t = make(pool);

    if (!t)
        return NULL;
    t->engine = tls_client12_new(&t->core, trust, name, alpn);
    if (!t->engine) {
        tls_free(t);
        return NULL;
    }
    return t;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    if (t->engine)
        t->engine->vtable->free(t->engine);
    if (t->counted)
        (*t->counted)--;
    pool_put(t->core.pool, t->hello);
    bufq_clear(&t->core.out);
    tls_identity_unref(t->identity);
    mem_free(t->server_name);
    mem_free(t);
}

/* --- the ClientHello --- */

static bool keep_server_name(struct tls *t, struct bytes name)
{
    if (!name.n)
        return true;
    t->server_name = mem_strndup(name.p, name.n);
    if (!t->server_name)
        return false;
    for (char *c = t->server_name; *c; c++)
        *c = (char)text_lower((uint8_t)*c);
    return true;
}

enum { VERSION_13 = 0x0304 };

/* False when there are as many of TLS 1.2 as may be. */
static bool count_12(struct tls *t)
{
    const struct tls_server *server = t->server;

    if (server->max_12 > 0 && *server->open_12 >= server->max_12)
        return false;
    t->counted = server->open_12;
    if (t->counted)
        (*t->counted)++;
    return true;
}

/* Parses the message and chooses the engine, which answers it. */
static void choose(struct tls *t, struct span records, struct bytes message)
{
    struct client_hello hello;
    uint8_t alert = client_hello_parse(&hello, message);

    if (alert) {
        refuse(t, alert, "malformed ClientHello");
        return;
    }
    if (!keep_server_name(t, hello.server_name)) {
        refuse(t, ALERT_INTERNAL_ERROR, "out of memory");
        return;
    }
    t->identity = tls_identity_ref(t->server->select(t->server->ctx, &hello));
    if (!t->identity) {
        refuse(t, ALERT_UNRECOGNIZED_NAME, "no certificate for this name");
        return;
    }
    if (client_hello_lists(hello.supported_versions, VERSION_13))
        t->engine = tls_server13_new(&t->core, t->server, &hello, message, t->identity);
    else if (count_12(t))
        t->engine = tls_server12_new(&t->core, t->server, &hello, records, t->identity);
    else
        refuse(t, ALERT_INTERNAL_ERROR, "too many connections of TLS 1.2");
}

static void no_hello(struct tls *t, long why)
{
    switch (why) {
    case CLIENT_HELLO_PLAIN_HTTP:
        tls_core_fail(&t->core, 0, false, "plain HTTP request");
        t->core.failure.plain_http = true;
        break;
    case CLIENT_HELLO_BAD_VERSION: refuse(t, ALERT_PROTOCOL_VERSION, "no common TLS version"); break;
    case CLIENT_HELLO_TOO_LARGE: refuse(t, ALERT_ILLEGAL_PARAMETER, "ClientHello too large"); break;
    case CLIENT_HELLO_OVERFLOW: refuse(t, ALERT_RECORD_OVERFLOW, "record too large"); break;
    case CLIENT_HELLO_UNEXPECTED: refuse(t, ALERT_UNEXPECTED_MESSAGE, "unexpected message"); break;
    default: refuse(t, ALERT_UNEXPECTED_MESSAGE, "not a TLS record"); break;
    }
}

/* Looks for a whole hello; with one, chooses the engine. Returns the length of its records, or 0: it is not whole
 * yet, or the connection has failed. */
static size_t try_hello(struct tls *t, uint8_t *p, size_t n)
{
    struct bytes message;
    struct buf *scratch = pool_get(t->core.pool, BUF_LARGE); /* for a message in several records */
    long len;

    static_assert(BUF_LARGE >= CLIENT_HELLO_MAX + 4, "a buffer takes any hello");
    if (!scratch) {
        refuse(t, ALERT_INTERNAL_ERROR, "out of memory");
        return 0;
    }
    len = client_hello_collect((struct bytes){p, n}, &message, scratch->data);
    if (len < 0)
        no_hello(t, len);
    else if (len > 0)
        choose(t, (struct span){p, (size_t)len}, message);
    pool_put(t->core.pool, scratch);
    return len > 0 ? (size_t)len : 0;
}

/* Returns how many bytes it took. */
static size_t recv_hello(struct tls *t, uint8_t *p, size_t n)
{
    if (!t->hello) {
        size_t len = try_hello(t, p, n);
        if (len || t->core.status == TLS_FAILED)
            return len;
    }
    size_t before = t->hello ? t->hello->end : 0;
    /* Records that are mostly headers: more of them than any client makes. */
    if (before == BUF_LARGE) {
        no_hello(t, CLIENT_HELLO_TOO_LARGE);
        return 0;
    }
    size_t k = n < BUF_LARGE - before ? n : BUF_LARGE - before;
    if (!pool_widen(t->core.pool, &t->hello, before + k)) {
        refuse(t, ALERT_INTERNAL_ERROR, "out of memory");
        return 0;
    }
    memcpy(t->hello->data + before, p, k);
    t->hello->end += (uint32_t)k;
    if (before) {
        size_t len = try_hello(t, t->hello->data, t->hello->end);
        /* What came behind the hello in this call stays with the caller. */
        if (len)
            k = len - before;
    }
    if (t->engine || t->core.status == TLS_FAILED) {
        pool_put(t->core.pool, t->hello);
        t->hello = NULL;
    }
    return k;
}

/* --- receiving --- */

static bool over(const struct tls *t)
{
    return t->core.status > TLS_OPEN;
}

static bool can_send(const struct tls *t)
{
    return t->core.status == TLS_OPEN || (t->core.status == TLS_PEER_CLOSED && t->engine->vtable->half_close);
}

size_t tls_recv(struct tls *t, uint8_t *p, size_t n)
{
    size_t used = 0;

    while (used < n && !over(t) && !tls_data(t).n)
        used += t->engine ? t->engine->vtable->recv(t->engine, p + used, n - used)
                          : recv_hello(t, p + used, n - used);
    return used;
}

void tls_recv_eof(struct tls *t)
{
    if (t->core.status == TLS_HANDSHAKE)
        tls_core_fail(&t->core, 0, false, "connection closed in the handshake");
    else if (t->core.status == TLS_OPEN)
        tls_core_fail(&t->core, 0, false, "closed without close_notify");
}

struct bytes tls_data(const struct tls *t)
{
    return t->engine ? t->engine->vtable->data(t->engine) : (struct bytes){NULL, 0};
}

void tls_consume(struct tls *t, size_t n)
{
    assert(n <= tls_data(t).n);
    if (n)
        t->engine->vtable->consume(t->engine, n);
}

bool tls_hold(struct tls *t)
{
    return !t->engine || t->engine->vtable->hold(t->engine);
}

/* --- sending --- */

struct span tls_lend(struct tls *t)
{
    return can_send(t) ? t->engine->vtable->lend(t->engine) : (struct span){NULL, 0};
}

void tls_commit(struct tls *t, size_t n)
{
    if (can_send(t))
        t->engine->vtable->commit(t->engine, n);
}

void tls_seal(struct tls *t)
{
    if (can_send(t))
        t->engine->vtable->seal(t->engine);
}

struct bufq *tls_output(struct tls *t)
{
    return &t->core.out;
}

/* Seals and queues an alert, and nothing can be sent after it. */
static void last_alert(struct tls *t, uint8_t alert)
{
    if (t->engine)
        t->engine->vtable->alert(t->engine, alert);
    else
        tls_core_plain_alert(&t->core, alert ? 2 : 1, alert);
    pool_put(t->core.pool, t->hello);
    t->hello = NULL;
}

void tls_close(struct tls *t)
{
    if (t->core.status == TLS_PEER_CLOSED && !can_send(t))
        t->core.status = TLS_CLOSED; /* close_notify was answered with ours */
    if (over(t) && !can_send(t))
        return;
    last_alert(t, ALERT_CLOSE_NOTIFY);
    if (t->core.status != TLS_FAILED)
        t->core.status = TLS_CLOSED;
}

void tls_abort(struct tls *t, uint8_t alert)
{
    if (over(t) && !can_send(t))
        return;
    last_alert(t, alert);
    tls_core_fail(&t->core, alert, false, alert_sent_text(alert));
}

/* --- what is known --- */

enum tls_status tls_status(const struct tls *t)
{
    return t->core.status;
}

unsigned tls_wants(const struct tls *t)
{
    unsigned wants = 0;
    bool data = tls_data(t).n > 0;

    if (!over(t) && !data)
        wants |= TLS_WANTS_RECV;
    if (t->core.out.bytes)
        wants |= TLS_WANTS_SEND;
    if (data)
        wants |= TLS_HAS_DATA;
    if (can_send(t))
        wants |= TLS_CAN_LEND;
    return wants;
}

bool tls_is_idle(const struct tls *t)
{
    return t->core.out.bytes == 0 && !t->hello && (!t->engine || t->engine->vtable->idle(t->engine));
}

struct tls_info tls_info(const struct tls *t)
{
    struct tls_info none = {.version = "", .cipher = "", .alpn = ""};

    if (!t->engine || t->core.status == TLS_HANDSHAKE)
        return none;
    return t->engine->vtable->info(t->engine);
}

const char *tls_server_name(const struct tls *t)
{
    return t->server_name ? t->server_name : "";
}

struct tls_identity *tls_identity_of(const struct tls *t)
{
    return t->identity;
}

struct tls_failure tls_failure(const struct tls *t)
{
    struct tls_failure f = t->core.failure;

    if (!f.text)
        f.text = "";
    return f;
}
