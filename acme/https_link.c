/* SPDX-License-Identifier: MIT
 *
 * The glue between a conn and an HTTP session, as relay/upstream.c has it for upstreams, with TLS. The invariant: a link
 * has a user, or is the context's idle one, or is on its way out (dead, or being reset).
 */
#include "acme/https_link.h"

#include "base/mem.h"
#include "conn/conn.h"
#include "http/h1.h"
#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IDLE_MS 10000u

static const struct http_limits LIMITS = {.line = 4096, .fields = 32768, .count = 100};

struct https_link {
    struct loop *loop;
    struct https_context *context; /* of its user, or that it waits in; NULL on its way out */
    const struct https_link_events *events;
    void *user; /* NULL: none */
    struct conn *conn;
    struct h1_client *h1;
    struct timer idle;
    struct task destroy;
    bool is_https, is_given, dead, used;
    char host[256], text[ADDR_TEXT];
    uint16_t port;
    struct addr to;
};

#define OF(member, p) ((struct https_link *)(void *)((char *)(p)-offsetof(struct https_link, member)))

static void forget_idle(struct https_link *l)
{
    if (l->context == NULL || l->context->idle != l)
        return;
    l->context->idle = NULL;
    timer_clear(l->loop, &l->idle);
}

/* ---- the connection's calls ---- */

static void on_opened(void *owner)
{
    struct https_link *l = owner;

    if (l->user != NULL)
        l->events->opened(l->user);
}

static bool wants_input(const void *owner)
{
    return h1_client_wants_recv(((const struct https_link *)owner)->h1);
}

/* Bytes that nobody asked for end an idle connection. */
static size_t on_input(void *owner, const uint8_t *p, size_t n)
{
    struct https_link *l = owner;
    size_t took = h1_client_recv(l->h1, p, n);

    if (l->user == NULL && !l->dead && !h1_client_is_idle(l->h1))
        https_link_reset(l);
    return took;
}

static void on_eof(void *owner, bool clean)
{
    struct https_link *l = owner;

    /* A TLS stream that is cut says nothing of what is missing; without TLS the end is all there is. */
    if (clean || !l->is_https)
        h1_client_eof(l->h1);
    else
        h1_client_abort(l->h1, "the connection broke");
    if (l->user == NULL && !l->dead)
        https_link_reset(l);
}

static void on_writable(void *owner)
{
    h1_client_writable(((struct https_link *)owner)->h1);
}

static void destroy(struct task *task)
{
    struct https_link *l = OF(destroy, task);

    h1_client_free(l->h1);
    mem_free(l);
}

static void on_closed(void *owner, const struct conn_end *end)
{
    struct https_link *l = owner;
    void *user;
    bool is_tls = end->reason == CONN_TLS;
    enum https_failure kind = end->reason == CONN_MEMORY ? HTTPS_MEMORY
                              : is_tls                   ? HTTPS_TLS
                              : end->opened              ? HTTPS_PROTOCOL
                                                         : HTTPS_CONNECT;
    const char *why = is_tls       ? end->tls.text
                      : end->error ? socket_reason(end->error)
                                   : "the connection was closed";

    l->dead = true;
    l->conn = NULL;
    forget_idle(l);
    h1_client_abort(l->h1, why); /* whose stream's owner may leave us at that */
    user = l->user;
    l->user = NULL;
    if (user != NULL)
        l->events->closed(user, kind, why);
    loop_defer(l->loop, &l->destroy);
}

static const struct conn_handler HANDLER = {
    .opened = on_opened,
    .wants_input = wants_input,
    .input = on_input,
    .eof = on_eof,
    .writable = on_writable,
    .closed = on_closed,
};

/* ---- the session's sink ---- */

static struct span sink_lend(void *ctx, size_t want)
{
    struct https_link *l = ctx;
    return l->dead ? (struct span){NULL, 0} : conn_lend(l->conn, want);
}

static void sink_commit(void *ctx, size_t n)
{
    struct https_link *l = ctx;
    if (!l->dead)
        conn_commit(l->conn, n);
}

static bool sink_put(void *ctx, const void *p, size_t n)
{
    struct https_link *l = ctx;
    return !l->dead && conn_put(l->conn, p, n);
}

static void sink_resume(void *ctx)
{
    struct https_link *l = ctx;
    if (!l->dead)
        conn_resume(l->conn);
}

static void sink_close(void *ctx, bool clean)
{
    struct https_link *l = ctx;

    if (l->dead)
        return;
    forget_idle(l);
    if (l->user == NULL)
        l->context = NULL;
    if (clean)
        conn_close(l->conn);
    else
        conn_reset(l->conn);
}

/* ---- the life of a link ---- */

static void on_idle(struct timer *timer)
{
    struct https_link *l = OF(idle, timer);

    l->context->idle = NULL;
    l->context = NULL;
    conn_close(l->conn);
}

/* A conn of that descriptor, which is closed when it cannot be made. */
static struct conn *connect_with(struct https_link *l, int fd)
{
    static const char *const protocols[] = {"http/1.1"};
    const struct https_context *c = l->context;
    struct tls *tls = NULL;

    if (l->is_https) {
        tls = tls_client_new(&c->trust, l->host, (struct tls_alpn){protocols, 1}, loop_pool(c->loop));
        if (tls == NULL) {
            socket_close(fd);
            return NULL;
        }
    }
    return conn_new(c->loop, fd, tls, true, &HANDLER, l);
}

struct https_link *https_link_new(struct https_context *c, const struct url *url, const struct addr *to,
                                  bool is_given, const struct https_link_events *events, void *user)
{
    int fd = socket_connect(to);
    struct https_link *l = fd >= 0 ? mem_zalloc(sizeof *l) : NULL;
    struct http_sink sink = {l, sink_lend, sink_commit, sink_put, sink_resume, sink_close};

    if (fd < 0)
        return NULL;
    if (l != NULL) {
        l->loop = c->loop;
        l->context = c;
        l->events = events;
        l->user = user;
        l->idle.fired = on_idle;
        l->destroy.run = destroy;
        l->is_https = url->is_https;
        l->is_given = is_given;
        l->port = url->port;
        l->to = *to;
        snprintf(l->host, sizeof l->host, "%s", url->host);
        addr_format(to, l->text);
        l->h1 = h1_client_new(&sink, &LIMITS);
    }
    if (l == NULL || l->h1 == NULL)
        socket_close(fd);
    else if ((l->conn = connect_with(l, fd)) != NULL)
        return l;
    if (l != NULL)
        h1_client_free(l->h1);
    mem_free(l);
    errno = ENOMEM;
    return NULL;
}

static bool is_good(const struct https_link *l)
{
    return !l->dead && conn_is_open(l->conn) && h1_client_is_idle(l->h1);
}

/* Who asks at an address wants to know what is there, and at a name what the name leads to. */
static bool leads_to(const struct https_link *l, const struct url *url, const struct addr *given)
{
    return l->is_https == url->is_https && l->port == url->port && strcmp(l->host, url->host) == 0 &&
           (given != NULL ? addr_equal(&l->to, given) : !l->is_given);
}

struct https_link *https_link_take(struct https_context *c, const struct url *url, const struct addr *given,
                                   const struct https_link_events *events, void *user)
{
    struct https_link *l = c->idle;

    if (l == NULL)
        return NULL;
    forget_idle(l);
    if (is_good(l) && leads_to(l, url, given)) {
        l->events = events;
        l->user = user;
        return l;
    }
    https_link_reset(l);
    return NULL;
}

void https_link_give_back(struct https_link *l)
{
    struct https_context *c = l->context;

    l->user = NULL;
    l->used = true;
    if (c->idle == NULL && is_good(l) && timer_set(c->loop, &l->idle, loop_now(c->loop) + IDLE_MS))
        c->idle = l;
    else
        l->context = NULL;
    if (c->idle != l && !l->dead)
        conn_close(l->conn);
}

void https_link_reset(struct https_link *l)
{
    l->user = NULL;
    forget_idle(l);
    l->context = NULL;
    if (!l->dead)
        conn_reset(l->conn);
}

void https_context_release(struct https_context *c)
{
    if (c->idle != NULL)
        https_link_reset(c->idle);
}

struct http_stream *https_link_request(struct https_link *l)
{
    return l->dead ? NULL : h1_client_request(l->h1);
}

bool https_link_was_used(const struct https_link *l)
{
    return l->used;
}

bool https_link_got_response(const struct https_link *l)
{
    return h1_client_got_response(l->h1);
}

uint64_t https_link_bytes_in(const struct https_link *l)
{
    return l->dead ? 0 : conn_bytes_in(l->conn);
}

const char *https_link_address(const struct https_link *l)
{
    return l->text;
}
