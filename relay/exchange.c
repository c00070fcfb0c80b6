/* SPDX-License-Identifier: MIT
 *
 * A state machine whose states are named by what they wait for; set_state is the one place that changes it. The
 * exchange ends when both messages of the client's stream are over, or either side breaks off; it logs its line
 * then, and is freed after the event. Nothing of a body is held here: what one side cannot take stays in the other.
 */
#include "relay/exchange.h"

#include "base/mem.h"
#include "base/random.h"
#include "relay/dispatch.h"
#include "relay/forward.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OF(member, p) ((struct exchange *)(void *)((char *)(p)-offsetof(struct exchange, member)))

static void set_state(struct exchange *x, enum exchange_state next)
{
    /* Forward only, but for a retry. */
    assert(x->state != EXCHANGE_OVER);
    assert(next > x->state || (next == EXCHANGE_CONNECT && x->state == EXCHANGE_RESPONSE));
    x->state = next;
}

/* --- the end --- */

static void on_destroy(struct task *task)
{
    struct exchange *x = OF(destroy, task);
    http_head_free(x->request);
    reply_clear(&x->reply);
    conf_unref(x->conf);
    mem_free_sized(x, sizeof *x);
}

/* A stream that goes on without us, until its connection has ended. */
static void nobody_aborted(void *owner, enum http_error error, const char *why)
{
    (void)owner, (void)error, (void)why;
}

static void nobody_end(void *owner, const struct http_head *trailers)
{
    (void)owner, (void)trailers;
}

static size_t nobody_data(void *owner, const uint8_t *p, size_t n)
{
    (void)owner, (void)p;
    return n;
}

static const struct http_stream_events NOBODY = {
    .data = nobody_data,
    .end = nobody_end,
    .aborted = nobody_aborted,
};

static void let_go_upstream(struct exchange *x)
{
    if (x->attempt)
        upstream_cancel(x->attempt);
    x->attempt = NULL;
    if (x->up)
        http_stream_abort(x->up, HTTP_ERROR_CANCELLED);
    x->up = NULL;
    assert(!x->uc || x->site);
    if (x->uc)
        upstream_release(x->uc, x->site->timeouts.upstream_idle);
    x->uc = NULL;
    timer_clear(x->relay->loop, &x->timer);
}

/* The request's name in the log and on our pages, made when the first of them asks. */
static const char *request_id(struct exchange *x)
{
    uint8_t id[8];
    struct writer w = writer_of(x->log.id, sizeof x->log.id - 1);

    if (!x->log.id[0]) {
        random_bytes(id, sizeof id);
        writer_hex(&w, id, sizeof id);
    }
    return x->log.id;
}

static void finish(struct exchange *x)
{
    if (x->state == EXCHANGE_OVER)
        return;
    set_state(x, EXCHANGE_OVER);
    let_go_upstream(x);
    x->relay->counters.value[COUNT_REQUESTS_OPEN]--;
    if (x->log.status >= 100 && x->log.status < 600)
        x->relay->counters.value[COUNT_STATUS_1XX + x->log.status / 100 - 1]++;
    x->log.why = x->why;
    if (!x->log.done_us)
        x->log.done_us = loop_now_us(x->relay->loop);
    if (x->conf->log_format != CONF_LOG_OFF) {
        request_id(x);
        access_log(&x->log, x->conf->log_format);
    }
    client_finished(x->client);
    loop_defer(x->relay->loop, &x->destroy);
}

/* Breaks off toward the client, so that it cannot take what it has for the whole. */
static void break_off(struct exchange *x, enum http_error error, const char *why)
{
    if (!x->why[0])
        snprintf(x->why, sizeof x->why, "%s", why);
    x->log.aborted = true;
    if (x->down)
        http_stream_abort(x->down, error);
    x->down = NULL;
    finish(x);
}

/* The client's two messages are over. */
static void check_over(struct exchange *x)
{
    if (x->state == EXCHANGE_REST && x->request_ended) {
        x->down = NULL;
        finish(x);
    }
}

/* A tunnel lives as long as both of its sides: what has come is still sent on, and then both are closed. */
static void end_tunnel(struct exchange *x)
{
    x->log.done_us = loop_now_us(x->relay->loop);
    x->up->events = &NOBODY;
    x->up = NULL;
    upstream_release(x->uc, 0);
    x->uc = NULL;
    client_close(x->client); /* down_aborted follows */
}

static void response_done(struct exchange *x)
{
    x->log.done_us = loop_now_us(x->relay->loop);
    set_state(x, EXCHANGE_REST);
    let_go_upstream(x);
    check_over(x);
}

/* --- answers made here --- */

static void send_reply(struct exchange *x)
{
    while (x->reply_sent < x->reply.body_len) {
        struct span room = http_stream_lend(x->down, x->reply.body_len - x->reply_sent);
        if (!room.n)
            return; /* down_writable goes on */
        size_t n = x->reply.body_len - x->reply_sent;
        n = n < room.n ? n : room.n;
        memcpy(room.p, x->reply.body + x->reply_sent, n);
        http_stream_commit(x->down, n);
        x->reply_sent += n;
        x->log.bytes_out += n;
    }
    if (!http_stream_end(x->down, NULL)) {
        x->down = NULL;
        break_off(x, HTTP_ERROR_MEMORY, "out of memory");
    } else {
        response_done(x);
    }
}

void exchange_reply(struct exchange *x, bool made)
{
    if (!made || (x->path && !forward_apply(x->reply.head, &x->path->response_headers))) {
        break_off(x, HTTP_ERROR_MEMORY, "out of memory");
        return;
    }
    let_go_upstream(x);
    set_state(x, EXCHANGE_REPLY);
    x->response_begun = true;
    x->log.status = x->reply.head->status;
    bool is_head = x->request && x->request->method == HTTP_HEAD;
    if (x->reply.body_len) {
        x->reply.head->body = HTTP_BODY_LENGTH;
        x->reply.head->length = x->reply.body_len;
    }
    if (is_head)
        x->reply.body_len = 0;
    if (!http_stream_head(x->down, x->reply.head)) {
        x->down = NULL;
        break_off(x, HTTP_ERROR_MEMORY, "out of memory");
        return;
    }
    send_reply(x);
}

/* An error of ours: a page if nothing was sent yet, else a break. */
void exchange_fail(struct exchange *x, unsigned status, const char *why)
{
    if (!x->why[0])
        snprintf(x->why, sizeof x->why, "%s", why);
    if (x->response_begun) {
        break_off(x, HTTP_ERROR_CLOSED, why);
        return;
    }
    exchange_reply(x, reply_error(&x->reply, status, request_id(x)));
}

/* --- the upstream's side --- */

static const struct http_stream_events UP;

static void touch(struct exchange *x)
{
    uint64_t ms = x->site->timeouts.response;
    if (!timer_set(x->relay->loop, &x->timer, loop_now(x->relay->loop) + ms))
        exchange_fail(x, 503, "out of memory");
}

/* The request is complete: so is what goes to the upstream. */
static void end_request(struct exchange *x, const struct http_head *trailers)
{
    x->request_sent = true;
    if (trailers != NULL && forward_names_fields(x->request))
        trailers = NULL;
    if (http_stream_end(x->up, forward_trailers(trailers, &x->path->request_headers)))
        return;
    x->up = NULL;
    exchange_fail(x, 502, "the request could not be completed");
}

static void send_request(struct exchange *x)
{
    x->up = upstream_request(x->uc);
    if (!x->up) {
        exchange_fail(x, 502, "the upstream closed the connection");
        return;
    }
    x->up->events = &UP;
    x->up->owner = x;
    set_state(x, EXCHANGE_RESPONSE);
    memcpy(x->upstream_text, upstream_text(x->uc), sizeof x->upstream_text);
    x->log.upstream = x->upstream_text;
    touch(x);
    if (x->state != EXCHANGE_RESPONSE)
        return;
    if (!http_stream_head(x->up, x->request)) {
        x->up = NULL;
        exchange_fail(x, 503, "out of memory");
        return;
    }
    if (x->request_ended)
        end_request(x, NULL);
    else
        http_stream_consumed(x->down, 1);
}

static void on_upstream_ready(void *owner, struct upstream_conn *uc)
{
    struct exchange *x = owner;
    x->attempt = NULL;
    x->uc = uc;
    send_request(x);
}

static void on_upstream_failed(void *owner, unsigned status, const char *why)
{
    struct exchange *x = owner;
    x->attempt = NULL;
    exchange_fail(x, status, why);
}

static const struct upstream_events CONNECT = {.ready = on_upstream_ready, .failed = on_upstream_failed};

void exchange_connect(struct exchange *x, bool fresh)
{
    const struct conf_upstream *up = &x->path->upstream;

    if (!fresh)
        x->uc = upstream_take(x->relay, up, !http_method_is_idempotent(x->request->method));
    if (x->uc) {
        send_request(x);
        return;
    }
    x->attempt = upstream_open(x->relay, up, &x->site->timeouts, &CONNECT, x);
    if (!x->attempt)
        exchange_fail(x, 503, "out of memory");
}

/* A kept connection that died before it answered: the upstream had closed it before our request came (RFC 9112
 * §9.3.1). Once more on a new one, if the method is idempotent and nothing of the body has been consumed. */
static bool retry(struct exchange *x)
{
    if (x->retried || x->response_begun || !upstream_was_reused(x->uc) || upstream_got_response(x->uc) ||
        !http_method_is_idempotent(x->request->method) || x->log.bytes_in)
        return false;
    x->retried = true;
    x->request_sent = false;
    relay_count(x->relay, COUNT_UPSTREAM_RETRIES);
    upstream_release(x->uc, 0);
    x->uc = NULL;
    set_state(x, EXCHANGE_CONNECT);
    exchange_connect(x, true);
    return true;
}

static void up_aborted(void *owner, enum http_error error, const char *why)
{
    struct exchange *x = owner;

    x->up = NULL;
    if (x->state == EXCHANGE_RESPONSE && error == HTTP_ERROR_CLOSED && retry(x))
        return;
    exchange_fail(x, 502, why);
}

static void up_head(void *owner, struct http_head *head)
{
    struct exchange *x = owner;

    x->log.first_byte_us = loop_now_us(x->relay->loop);
    x->log.status = head->status;
    x->response_begun = true;
    touch(x);
    if (x->state != EXCHANGE_RESPONSE) {
        http_head_free(head);
        return;
    }
    if (!forward_response(head, x->path)) {
        http_head_free(head);
        break_off(x, HTTP_ERROR_MEMORY, "out of memory");
        return;
    }
    bool sent = http_stream_head(x->down, head);
    x->bare_response = head->body == HTTP_BODY_CHUNKED && forward_names_fields(head);
    bool tunnel = head->body == HTTP_BODY_TUNNEL;
    http_head_free(head);
    if (!sent) {
        x->down = NULL; /* aborted by itself */
        break_off(x, HTTP_ERROR_MEMORY, "out of memory");
    } else if (tunnel) {
        set_state(x, EXCHANGE_TUNNEL);
        timer_clear(x->relay->loop, &x->timer); /* silence is a tunnel's right */
        x->request_ended = false;
        http_stream_consumed(x->down, 1);
    } else {
        set_state(x, EXCHANGE_BODY);
    }
}

static void up_interim(void *owner, struct http_head *head)
{
    struct exchange *x = owner;
    touch(x);
    bool forwarded = x->state != EXCHANGE_RESPONSE || forward_response(head, x->path);
    if (forwarded && x->state == EXCHANGE_RESPONSE && !http_stream_head(x->down, head)) {
        x->down = NULL;
        forwarded = false;
    }
    http_head_free(head);
    if (!forwarded)
        break_off(x, HTTP_ERROR_MEMORY, "out of memory");
}

static struct span up_room(void *owner, size_t max)
{
    struct exchange *x = owner;
    struct span room = http_stream_lend(x->down, max);
    x->starved = !room.n;
    return room.n > max ? (struct span){room.p, max} : room;
}

static void up_filled(void *owner, size_t n)
{
    struct exchange *x = owner;
    http_stream_commit(x->down, n);
    x->log.bytes_out += n;
    if (x->state != EXCHANGE_TUNNEL)
        touch(x);
}

static size_t up_data(void *owner, const uint8_t *p, size_t n)
{
    struct exchange *x = owner;
    size_t done = 0;

    while (done < n && x->state != EXCHANGE_OVER) {
        struct span room = up_room(x, n - done);
        if (!room.n)
            break;
        memcpy(room.p, p + done, room.n);
        up_filled(x, room.n);
        done += room.n;
    }
    return done;
}

static void up_end(void *owner, const struct http_head *trailers)
{
    struct exchange *x = owner;

    if (x->state == EXCHANGE_TUNNEL) {
        end_tunnel(x);
        return;
    }
    if (x->request_sent)
        x->up = NULL; /* over for us: both messages are complete */
    if (!http_stream_end(x->down,
                         x->bare_response ? NULL : forward_trailers(trailers, &x->path->response_headers))) {
        x->down = NULL;
        break_off(x, HTTP_ERROR_CLOSED, "the response could not be completed");
    } else {
        response_done(x);
    }
}

static void up_writable(void *owner)
{
    struct exchange *x = owner;
    if (x->down)
        http_stream_consumed(x->down, 1);
}

static const struct http_stream_events UP = {
    .head = up_head,
    .interim = up_interim,
    .data = up_data,
    .room = up_room,
    .filled = up_filled,
    .end = up_end,
    .aborted = up_aborted,
    .writable = up_writable,
};

/* The upstream was silent for too long, unless it was not its turn. */
static void on_timer(struct timer *timer)
{
    struct exchange *x = OF(timer, timer);
    bool clients_turn =
        x->starved || (x->state == EXCHANGE_RESPONSE && !x->request_ended && !upstream_is_blocked(x->uc));
    char why[240];

    if (clients_turn) { /* the client has timeouts of its own */
        touch(x);
        return;
    }
    relay_count(x->relay, COUNT_TIMEOUTS);
    snprintf(why, sizeof why, "%s: no %s within %llu ms", x->upstream_text,
             x->state == EXCHANGE_BODY ? "more of the response" : "response",
             (unsigned long long)x->site->timeouts.response);
    exchange_fail(x, 504, why);
}

/* --- the client's side --- */

bool exchange_body_too_large(const struct exchange *x, uint64_t bytes)
{
    return x->site && x->site->limits.body && bytes > x->site->limits.body;
}

static size_t down_data(void *owner, const uint8_t *p, size_t n)
{
    struct exchange *x = owner;
    size_t done = 0;

    if (x->state == EXCHANGE_REPLY || x->state == EXCHANGE_REST)
        return n; /* answered already: the session bounds how much of this there may be */
    if (x->state == EXCHANGE_TUNNEL && !x->up)
        return n;
    if (x->state == EXCHANGE_CONNECT || !x->up)
        return 0;
    if (x->state != EXCHANGE_TUNNEL && exchange_body_too_large(x, x->log.bytes_in + n)) {
        exchange_fail(x, 413, "request body above max-body");
        return n;
    }
    while (done < n) {
        struct span room = http_stream_lend(x->up, n - done);
        if (!room.n)
            break;
        size_t k = n - done < room.n ? n - done : room.n;
        memcpy(room.p, p + done, k);
        http_stream_commit(x->up, k);
        done += k;
    }
    x->log.bytes_in += done;
    if (done && x->state != EXCHANGE_TUNNEL)
        touch(x);
    return done;
}

static void down_end(void *owner, const struct http_head *trailers)
{
    struct exchange *x = owner;

    x->request_ended = true;
    switch (x->state) {
    case EXCHANGE_TUNNEL:
        if (x->up)
            end_tunnel(x);
        break;
    case EXCHANGE_RESPONSE:
    case EXCHANGE_BODY:
        touch(x);
        if (x->up)
            end_request(x, trailers);
        break;
    default: check_over(x); break;
    }
}

static void down_aborted(void *owner, enum http_error error, const char *why)
{
    struct exchange *x = owner;

    x->down = NULL;
    if (x->state != EXCHANGE_TUNNEL && x->state != EXCHANGE_REST) {
        bool ours = error == HTTP_ERROR_PROTOCOL || error == HTTP_ERROR_MEMORY;
        if (!x->why[0])
            snprintf(x->why, sizeof x->why, "%s", ours ? why : "client closed the connection");
        if (!x->response_begun) /* 499: nginx's number for a client that did not wait */
            x->log.status = error == HTTP_ERROR_PROTOCOL ? 400 : 499;
        x->log.aborted = true;
    }
    finish(x);
}

static void down_writable(void *owner)
{
    struct exchange *x = owner;

    x->starved = false;
    if (x->state == EXCHANGE_REPLY)
        send_reply(x);
    else if (x->up)
        http_stream_consumed(x->up, 1);
}

static const struct http_stream_events DOWN = {
    .data = down_data,
    .end = down_end,
    .aborted = down_aborted,
    .writable = down_writable,
};

/* --- the beginning --- */

static struct exchange *exchange_new(struct client *c, struct http_stream *stream, struct http_head *head)
{
    struct exchange *x = mem_zalloc(sizeof *x);

    if (!x) {
        http_head_free(head);
        http_stream_abort(stream, HTTP_ERROR_MEMORY);
        return NULL;
    }
    x->relay = c->relay;
    x->client = c;
    x->conf = conf_ref(c->conf);
    x->down = stream;
    x->request = head;
    x->timer.fired = on_timer;
    x->destroy.run = on_destroy;
    stream->events = &DOWN;
    stream->owner = x;
    x->log.began_us = loop_now_us(x->relay->loop);
    x->log.peer_ip = c->peer_ip;
    x->log.request = head;
    if (c->tls && x->conf->log_format != CONF_LOG_OFF) /* now, as the connection may be gone by the end */
        x->log.tls = tls_info(conn_tls(c->conn));
    relay_count(c->relay, COUNT_REQUESTS);
    relay_count(c->relay, COUNT_REQUESTS_OPEN);
    client_began(c);
    return x;
}

void exchange_refuse(struct client *c, struct http_stream *stream, struct http_head *head, unsigned status,
                     const char *why)
{
    struct exchange *x = exchange_new(c, stream, head);
    if (!x)
        return;
    x->request_ended = true; /* whatever follows is not a body */
    exchange_fail(x, status, why);
}

void exchange_start(struct client *c, struct http_stream *stream, struct http_head *head)
{
    struct exchange *x = exchange_new(c, stream, head);
    if (x)
        dispatch(x);
}
