/* SPDX-License-Identifier: MIT
 *
 * Owns a client's connection and session. Each timeout is computed from timestamps when the one timer fires, so a
 * busy connection never touches the heap: the timer only has to be due no later than the earliest of them.
 */
#include "relay/client.h"

#include "base/mem.h"
#include "relay/address_counts.h"
#include "relay/exchange.h"
#include "relay/listener.h"
#include "net/socket.h"

#include <stdio.h>
#include <string.h>

#define OF(member, p) ((struct client *)(void *)((char *)(p)-offsetof(struct client, member)))
#define LOOK_MS       5000u /* how often a transfer under way is looked at */

static const char PLAIN_HTTP_REPLY[] =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 72\r\n"
    "Connection: close\r\n\r\n"
    "This port speaks HTTPS, and this was plain HTTP. Use https:// instead.\r\n";
_Static_assert(sizeof "This port speaks HTTPS, and this was plain HTTP. Use https:// instead.\r\n" - 1 == 72,
               "Content-Length of the reply");

struct addr client_peer(const struct client *c)
{
    struct addr peer = {.v6 = c->peer};

    peer.len = peer.any.sa_family == AF_INET6 ? sizeof peer.v6 : sizeof peer.v4;
    return peer;
}

/* An address with brackets and port takes 54 bytes at most. */
struct client_name client_name(const struct client *c)
{
    struct addr peer = client_peer(c);
    struct client_name name;
    char text[ADDR_TEXT];

    snprintf(name.text, sizeof name.text, "%.55s", addr_format(&peer, text));
    return name;
}

/* --- what it waits for --- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static const struct conf_timeouts *timeouts(const struct client *c)
{
    return c->site ? &c->site->timeouts : &c->conf->timeouts;
}

static const struct conf_limits *limits(const struct client *c)
{
    return c->site ? &c->site->limits : &c->conf->limits;
}

/* How soon a transfer is looked at again: often enough for the shortest of its limits, and the one of what follows. */
static uint64_t look_interval(const struct client *c)
{
    const struct conf_timeouts *t = timeouts(c);
    const struct conf_limits *l = limits(c);
    uint64_t ms = earlier(earlier(LOOK_MS, t->idle), earlier(t->body, t->response) / 2);
    if (l->min_rate)
        ms = earlier(ms, l->min_rate_grace / 2);
    return ms < 50 ? 50 : ms;
}

static void arm(struct client *c, uint64_t due)
{
    if (!timer_set(c->relay->loop, &c->timer, due))
        conn_reset(c->conn);
}

/* Has the client got less than all that there is for it? */
static bool is_behind(const struct client *c)
{
    return conn_bytes_out(c->conn) + conn_unsent(c->conn) > conn_bytes_acknowledged(c->conn);
}

static bool waits_for_body(const struct client *c)
{
    return h1_server_state(c->h1) == H1_SERVER_EXCHANGE && h1_server_wants_recv(c->h1);
}

static void time_out(struct client *c, const char *what, uint64_t ms)
{
    relay_count(c->relay, COUNT_TIMEOUTS);
    log_info("%s: %s: timeout after %llu ms", client_name(c).text, what, (unsigned long long)ms);
    conn_reset(c->conn);
}

static void head_timeout(struct client *c, uint64_t ms)
{
    static const char REPLY[] =
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    relay_count(c->relay, COUNT_TIMEOUTS);
    log_info("%s: request head: timeout after %llu ms", client_name(c).text, (unsigned long long)ms);
    if (conn_put(c->conn, REPLY, sizeof REPLY - 1))
        conn_close(c->conn);
    else
        conn_reset(c->conn);
}

static void spend_allowance(struct client *c, uint64_t now, bool waits, uint64_t longest)
{
    uint32_t rate = limits(c)->min_rate;
    /* What the kernel's buffer took has not been read by anyone, and a slow reader makes room there in large steps. */
    uint64_t bytes = conn_bytes_in(c->conn) + conn_bytes_acknowledged(c->conn);
    uint64_t moved = bytes > c->looked_bytes ? bytes - c->looked_bytes : 0;
    uint64_t earned = rate ? moved * 1000 / rate : 0;

    if (waits && c->waiting)
        c->allowance_ms -= (int64_t)(now - c->looked_at);
    c->allowance_ms += (int64_t)earlier(earned, longest);
    if (c->allowance_ms > (int64_t)longest)
        c->allowance_ms = (int64_t)longest;
    c->waiting = waits;
    c->looked_at = now;
    if (moved || !waits)
        c->moved_at = now;
    c->looked_bytes = bytes; /* may be less than it was: what came before the exchange had not been read */
}

/* A transfer under way: nothing moved for too long, or less than the minimum rate. */
static void look(struct client *c, uint64_t now, bool sending)
{
    const struct conf_timeouts *t = timeouts(c);
    uint32_t rate = limits(c)->min_rate;
    bool receiving = waits_for_body(c);

    spend_allowance(c, now, sending || receiving, sending ? t->response : t->body);
    if (sending && now - c->moved_at >= t->response) {
        time_out(c, "response not read", t->response);
    } else if (receiving && !sending && now - c->moved_at >= t->body) {
        time_out(c, "request body", t->body);
    } else if (h1_server_state(c->h1) != H1_SERVER_TUNNEL && rate && c->allowance_ms < 0) {
        relay_count(c->relay, COUNT_TIMEOUTS);
        log_info("%s: slower than min-rate %u bytes/s", client_name(c).text, rate);
        conn_reset(c->conn);
    } else {
        arm(c, now + look_interval(c));
    }
}

static void on_timer(struct timer *timer)
{
    struct client *c = OF(timer, timer);
    uint64_t now = loop_now(c->relay->loop);
    const struct conf_timeouts *t = timeouts(c);
    enum h1_server_state state = conn_is_open(c->conn) ? h1_server_state(c->h1) : H1_SERVER_CLOSED;
    /* Answered, but it may not have read all of that: until then it is not idle. */
    bool asked = state == H1_SERVER_IDLE && c->requests;
    bool sending = asked ? is_behind(c) : conn_unsent(c->conn) > 0;

    if (c->handshaking && !conn_is_ending(c->conn)) {
        time_out(c, "handshake", t->handshake);
        return;
    }
    if (state == H1_SERVER_HEAD) {
        if (now - c->head_since < t->head) {
            arm(c, c->head_since + t->head);
            return;
        }
        head_timeout(c, t->head);
    } else if (asked && (sending || c->waiting)) {
        c->since = now;
    } else if (state == H1_SERVER_IDLE) { /* a connection that has never asked gets no longer than a head */
        uint64_t limit = asked ? t->idle : t->head;
        if (now - c->since < limit) {
            arm(c, c->since + limit);
            return;
        }
        conn_close(c->conn); /* not worth a line */
    }
    look(c, now, sending); /* also while the last bytes leave */
}

/* After input or output: a head that began, a request that ended. */
static void note_state(struct client *c)
{
    uint64_t now = loop_now(c->relay->loop);

    if (!c->conn)
        return;
    switch (h1_server_state(c->h1)) {
    case H1_SERVER_IDLE: c->head_since = 0; break;
    case H1_SERVER_HEAD:
        if (!c->head_since) {
            c->head_since = now;
            c->waiting = false;
            arm(c, now + c->conf->timeouts.head);
        }
        break;
    default: c->head_since = 0; break;
    }
}

void client_began(struct client *c)
{
    uint64_t now = loop_now(c->relay->loop);

    c->requests++;
    c->head_since = 0;
    c->waiting = false;
    c->looked_at = c->moved_at = now;
    c->looked_bytes = conn_bytes_in(c->conn) + conn_bytes_out(c->conn);
    client_asks(c, NULL);
}

void client_asks(struct client *c, const struct conf_site *site)
{
    c->site = site;
    c->allowance_ms = (int64_t)limits(c)->min_rate_grace;
    arm(c, loop_now(c->relay->loop) + look_interval(c));
}

void client_finished(struct client *c)
{
    if (!c->conn)
        return;
    c->since = loop_now(c->relay->loop);
    arm(c, c->since + look_interval(c)); /* what is left of the response is still to be sent */
    if (c->relay->draining)
        h1_server_drain(c->h1);
}

/* --- the session --- */

static void take_limits(struct client *c)
{
    const struct conf_limits *l = &c->conf->limits;
    c->limits =
        (struct http_limits){.line = l->request_line, .fields = l->header_bytes, .count = l->header_count};
}

static void on_request(void *owner, struct http_stream *stream, struct http_head *head)
{
    struct client *c = owner;
    if (c->conf != c->relay->conf) {
        conf_unref(c->conf);
        c->conf = conf_ref(c->relay->conf);
        c->site = NULL;
        take_limits(c);
    }
    exchange_start(c, stream, head);
}

static void on_bad_request(void *owner, struct http_stream *stream, struct http_head *head, unsigned status,
                           const char *why)
{
    exchange_refuse(owner, stream, head, status, why);
}

static const struct h1_server_events SESSION = {.request = on_request, .bad_request = on_bad_request};

static struct span sink_lend(void *ctx, size_t want)
{
    struct client *c = ctx;
    return c->conn ? conn_lend(c->conn, want) : (struct span){NULL, 0};
}

static void sink_commit(void *ctx, size_t n)
{
    struct client *c = ctx;
    conn_commit(c->conn, n);
}

static bool sink_put(void *ctx, const void *p, size_t n)
{
    struct client *c = ctx;
    return c->conn && conn_put(c->conn, p, n);
}

static void sink_resume(void *ctx)
{
    struct client *c = ctx;
    if (c->conn)
        conn_resume(c->conn);
}

static void sink_close(void *ctx, bool clean)
{
    struct client *c = ctx;
    if (!c->conn)
        return;
    if (clean)
        conn_close(c->conn);
    else
        conn_reset(c->conn);
}

/* --- the connection --- */

static void on_opened(void *owner)
{
    struct client *c = owner;
    struct tls_info info = tls_info(conn_tls(c->conn));

    c->handshaking = false;
    relay_count(c->relay, info.resumed ? COUNT_HANDSHAKES_RESUMED : COUNT_HANDSHAKES);
    c->since = loop_now(c->relay->loop);
    arm(c, c->since + c->conf->timeouts.head);
}

static bool on_wants_input(const void *owner)
{
    const struct client *c = owner;
    return h1_server_wants_recv(c->h1);
}

static size_t on_input(void *owner, const uint8_t *p, size_t n)
{
    struct client *c = owner;
    size_t took = h1_server_recv(c->h1, p, n);
    note_state(c);
    return took;
}

/* The client sends no more. While its answer is under way that means it has gone (as nginx and Caddy take it), but
 * a close_notify alone says that it reads on, and in a tunnel it is one direction's end. */
static void on_eof(void *owner, bool clean)
{
    struct client *c = owner;
    enum h1_server_state state = h1_server_state(c->h1);

    if (!clean) /* an info line for each would be a line for most browsers */
        log_debug("%s: TLS truncated: closed without close_notify", client_name(c).text);
    if ((state == H1_SERVER_EXCHANGE && !conn_is_half_closed(c->conn)) ||
        (state == H1_SERVER_TUNNEL && !clean))
        conn_reset(c->conn);
    else
        h1_server_eof(c->h1);
    if (c->conn && state != H1_SERVER_TUNNEL && state != H1_SERVER_EXCHANGE)
        conn_close(c->conn);
}

static void on_writable(void *owner)
{
    struct client *c = owner;
    h1_server_writable(c->h1);
}

static void on_destroy(struct task *task)
{
    struct client *c = OF(destroy, task);
    h1_server_free(c->h1);
    conf_unref(c->conf);
    mem_free(c);
}

static void log_end(struct client *c, const struct conn_end *end)
{
    switch (end->reason) {
    case CONN_TLS:
        if (!end->opened || end->tls.alert) {
            relay_count(c->relay, COUNT_HANDSHAKES_FAILED);
            log_info("%s: TLS %s: %s%s%s", client_name(c).text, end->opened ? "connection" : "handshake",
                     end->tls.text, end->tls.alert ? ", alert " : "",
                     end->tls.alert ? tls_alert_name(end->tls.alert) : "");
        }
        break;
    case CONN_MEMORY: log_warn("%s: closed: out of memory", client_name(c).text); break;
    default: break;
    }
}

static void unlink_client(struct client *c)
{
    struct relay *r = c->relay;

    if (c->prev)
        c->prev->next = c->next;
    else
        r->clients = c->next;
    if (c->next)
        c->next->prev = c->prev;
    r->client_count--;
    r->counters.value[COUNT_CONNECTIONS_OPEN]--;
    struct addr peer = client_peer(c);
    if (c->counted)
        address_counts_leave(r->addresses, &peer);
}

static void on_closed(void *owner, const struct conn_end *end)
{
    struct client *c = owner;

    log_end(c, end);
    timer_clear(c->relay->loop, &c->timer);
    c->conn = NULL;
    h1_server_free(c->h1); /* an exchange under way hears `aborted` */
    c->h1 = NULL;
    unlink_client(c);
    loop_defer(c->relay->loop, &c->destroy);
    listener_resume(c->relay);
}

static const struct conn_handler HANDLER = {
    .opened = on_opened,
    .wants_input = on_wants_input,
    .input = on_input,
    .eof = on_eof,
    .writable = on_writable,
    .closed = on_closed,
    .plain_http_reply = PLAIN_HTTP_REPLY,
    .flush_ms = UINT32_MAX, /* by on_timer, as the rest of a response */
};

static void link_client(struct client *c)
{
    struct relay *r = c->relay;

    c->next = r->clients;
    if (c->next)
        c->next->prev = c;
    r->clients = c;
    r->client_count++;
    relay_count(r, COUNT_CONNECTIONS);
    relay_count(r, COUNT_CONNECTIONS_OPEN);
}

bool client_accept(struct relay *r, int fd, const struct addr *peer, bool tls, bool counted)
{
    struct client *c = mem_zalloc(sizeof *c);
    struct tls *engine = tls ? tls_server_new(&r->tls) : NULL;

    if (!c || (tls && !engine)) {
        tls_free(engine);
        socket_reset(fd);
        mem_free(c);
        return false;
    }
    c->relay = r;
    memcpy(&c->peer, peer, sizeof c->peer);
    c->tls = c->handshaking = tls;
    c->timer.fired = on_timer;
    c->destroy.run = on_destroy;
    c->conf = conf_ref(r->conf);
    take_limits(c);
    c->since = loop_now(r->loop);
    char text[ADDR_TEXT];
    snprintf(c->peer_ip, sizeof c->peer_ip, "%.47s", addr_format_ip(peer, text));
    struct http_sink sink = {c, sink_lend, sink_commit, sink_put, sink_resume, sink_close};
    c->h1 = h1_server_new(&sink, &c->limits, &SESSION, c);
    if (c->h1 && timer_set(r->loop, &c->timer,
                           c->since + (tls ? c->conf->timeouts.handshake : c->conf->timeouts.head))) {
        c->conn = conn_new(r->loop, fd, engine, false, &HANDLER, c);
        if (c->conn) {
            c->counted = counted;
            link_client(c);
            return true;
        }
        timer_clear(r->loop, &c->timer);
    } else {
        tls_free(engine);
        socket_reset(fd);
    }
    h1_server_free(c->h1);
    conf_unref(c->conf);
    mem_free(c);
    return false;
}

void client_drain(struct client *c)
{
    if (c->handshaking)
        conn_reset(c->conn);
    else
        h1_server_drain(c->h1);
}

void client_close(struct client *c)
{
    if (c->conn)
        conn_close(c->conn);
}
