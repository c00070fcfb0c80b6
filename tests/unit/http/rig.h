/* SPDX-License-Identifier: MIT
 *
 * What the tests and the fuzz targets of http/ stand a session on: a sink that keeps what was sent, and an owner of
 * streams that writes down what happens, a line for each event. Runs of body bytes join, so that the record does not
 * depend on how the input was cut. The rig's own memory is malloc's: base/mem.h's failures are the session's alone.
 */
#ifndef TESTS_UNIT_HTTP_RIG_H
#define TESTS_UNIT_HTTP_RIG_H

#include "http/h1.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_UNUSED __attribute__((unused)) static

/* Text that grows; always ends with a NUL. */
struct rig_text {
    char *p;
    size_t n, cap;
};

RIG_UNUSED void rig_put(struct rig_text *t, const void *p, size_t n)
{
    if (t->cap - t->n <= n) {
        t->cap = (t->n + n + 1) * 2;
        t->p = realloc(t->p, t->cap);
        if (t->p == NULL)
            abort();
    }
    if (n > 0)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = 0;
}

RIG_UNUSED __attribute__((format(printf, 2, 3))) void rig_printf(struct rig_text *t, const char *format, ...)
{
    char line[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0)
        rig_put(t, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

RIG_UNUSED const char *rig_str(struct rig_text *t)
{
    rig_put(t, "", 0);
    return t->p;
}

/* --- the connection --- */

struct rig_sink {
    struct rig_text out;
    size_t room;   /* bytes that lend still gives in all; put takes none of it */
    size_t span;   /* the most that lend gives at once */
    uint8_t *lent; /* a fresh allocation each time, so that a write outside of it is seen */
    size_t lent_n;
    unsigned resumes, closes;
    bool clean;
};

RIG_UNUSED struct span rig_lend(void *ctx, size_t want)
{
    struct rig_sink *k = ctx;
    size_t n = want < k->span ? want : k->span;

    free(k->lent);
    k->lent = NULL;
    if (k->room == 0)
        return (struct span){NULL, 0};
    if (n < (want < 512 ? want : 512))
        n = want < 512 ? want : 512;
    k->lent = malloc(n);
    k->lent_n = n;
    if (k->lent == NULL)
        abort();
    return (struct span){k->lent, n};
}

RIG_UNUSED void rig_commit(void *ctx, size_t n)
{
    struct rig_sink *k = ctx;

    if (k->lent == NULL || n > k->lent_n)
        abort();
    rig_put(&k->out, k->lent, n);
    free(k->lent);
    k->lent = NULL;
    k->room -= n < k->room ? n : k->room;
}

RIG_UNUSED bool rig_sink_put(void *ctx, const void *p, size_t n)
{
    struct rig_sink *k = ctx;
    void *memory = mem_alloc(1);

    if (memory == NULL)
        return false;
    mem_free(memory);
    rig_put(&k->out, p, n);
    return true;
}

RIG_UNUSED void rig_resume(void *ctx)
{
    ((struct rig_sink *)ctx)->resumes++;
}

RIG_UNUSED void rig_close(void *ctx, bool clean)
{
    struct rig_sink *k = ctx;

    k->closes++;
    k->clean = clean;
}

RIG_UNUSED struct http_sink rig_sink_of(struct rig_sink *k)
{
    k->room = SIZE_MAX;
    k->span = 4096;
    return (struct http_sink){.ctx = k,
                              .lend = rig_lend,
                              .commit = rig_commit,
                              .put = rig_sink_put,
                              .resume = rig_resume,
                              .close = rig_close};
}

RIG_UNUSED void rig_sink_clear(struct rig_sink *k)
{
    free(k->out.p);
    free(k->lent);
    *k = (struct rig_sink){.room = SIZE_MAX, .span = 4096};
}

/* --- the owner of a stream --- */

struct rig_owner {
    struct http_stream *stream; /* NULL when it is over or there is none */
    struct http_head *head;     /* the last one */
    struct rig_text log;
    struct rig_text body; /* received, all of it */
    bool in_data;         /* the log's last line is body bytes */
    size_t take;          /* the most that `data` takes in all */
    bool in_ended, out_ended;
    bool answer; /* a server's: answers at the end of each request with 200 and "ok" */
    bool reopen; /* calls consumed inside data */
    bool abort_in_data, abort_in_head, abort_in_end;
    uint8_t *room; /* where `room` lets read to; NULL: it does not */
    size_t room_n;
    unsigned writables, aborts, bads;
    /* a further step of the test, at the end of the incoming message */
    void (*at_end)(struct rig_owner *o);
    void *arg;
};

RIG_UNUSED void rig_line(struct rig_owner *o)
{
    if (o->in_data)
        rig_put(&o->log, "\n", 1);
    o->in_data = false;
}

RIG_UNUSED void rig_bytes(struct rig_text *t, struct bytes b)
{
    rig_put(t, b.p, b.n);
}

RIG_UNUSED void rig_log_fields(struct rig_owner *o, const struct http_head *h)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (h->fields[i].dropped)
            continue;
        rig_put(&o->log, "  ", 2);
        rig_bytes(&o->log, http_field_name(h, &h->fields[i]));
        rig_put(&o->log, ": ", 2);
        rig_bytes(&o->log, http_field_value(h, &h->fields[i]));
        rig_put(&o->log, "\n", 1);
    }
}

RIG_UNUSED void rig_log_body(struct rig_owner *o, const struct http_head *h)
{
    static const char *const names[] = {[HTTP_BODY_NONE] = "none",
                                        [HTTP_BODY_LENGTH] = "length",
                                        [HTTP_BODY_CHUNKED] = "chunked",
                                        [HTTP_BODY_CLOSE] = "close",
                                        [HTTP_BODY_TUNNEL] = "tunnel"};

    rig_printf(&o->log, " %s", names[h->body]);
    if (h->body == HTTP_BODY_LENGTH)
        rig_printf(&o->log, " %llu", (unsigned long long)h->length);
    rig_printf(&o->log, "%s%s%s\n", h->keep_alive ? "" : " close", h->expect_continue ? " expects" : "",
               h->upgrade ? " upgrade" : "");
}

RIG_UNUSED void rig_log_request(struct rig_owner *o, const struct http_head *h)
{
    rig_line(o);
    rig_bytes(&o->log, http_head_method(h));
    rig_put(&o->log, " ", 1);
    rig_bytes(&o->log, http_head_path(h));
    rig_printf(&o->log, " 1.%u [", h->minor);
    rig_bytes(&o->log, http_head_host(h));
    rig_put(&o->log, "]", 1);
    rig_log_body(o, h);
    rig_log_fields(o, h);
}

RIG_UNUSED void rig_log_response(struct rig_owner *o, const struct http_head *h)
{
    rig_line(o);
    rig_printf(&o->log, "%u ", h->status);
    rig_bytes(&o->log, http_head_reason(h));
    rig_printf(&o->log, " 1.%u", h->minor);
    rig_log_body(o, h);
    rig_log_fields(o, h);
}

RIG_UNUSED void rig_keep_head(struct rig_owner *o, struct http_head *head)
{
    http_head_free(o->head);
    o->head = head;
}

RIG_UNUSED void rig_maybe_over(struct rig_owner *o)
{
    if (o->in_ended && o->out_ended)
        o->stream = NULL;
}

RIG_UNUSED void rig_abort(struct rig_owner *o)
{
    struct http_stream *stream = o->stream;

    o->stream = NULL;
    if (stream != NULL)
        http_stream_abort(stream, HTTP_ERROR_CANCELLED);
}

/* The verbs as an owner calls them: what is over is forgotten. */
RIG_UNUSED bool rig_send_head(struct rig_owner *o, const struct http_head *head)
{
    if (http_stream_head(o->stream, head))
        return true;
    o->stream = NULL;
    return false;
}

RIG_UNUSED bool rig_send_end(struct rig_owner *o, const struct http_head *trailers)
{
    struct http_stream *stream = o->stream;

    o->out_ended = true;
    rig_maybe_over(o);
    if (http_stream_end(stream, trailers))
        return true;
    o->stream = NULL;
    return false;
}

/* Sends body bytes as far as there is room; how many. */
RIG_UNUSED size_t rig_send_body(struct rig_owner *o, const void *p, size_t n)
{
    size_t sent = 0;

    while (sent < n) {
        struct span span = http_stream_lend(o->stream, n - sent);

        if (span.p == NULL)
            break;
        if (span.n > n - sent)
            abort();
        memcpy(span.p, (const uint8_t *)p + sent, span.n);
        http_stream_commit(o->stream, span.n);
        sent += span.n;
    }
    return sent;
}

/* A whole response (or, with status 0 and a request in `head`, what follows it). False when out of memory. */
RIG_UNUSED bool rig_answer(struct rig_owner *o, uint16_t status, const char *body)
{
    struct http_head *head = http_head_response(status);
    bool sent;

    if (head == NULL) {
        rig_abort(o);
        return false;
    }
    if (body != NULL) {
        head->body = HTTP_BODY_LENGTH;
        head->length = strlen(body);
    }
    sent = rig_send_head(o, head);
    http_head_free(head);
    if (!sent)
        return false;
    if (body != NULL && (o->head == NULL || o->head->method != HTTP_HEAD))
        (void)rig_send_body(o, body, strlen(body));
    return rig_send_end(o, NULL);
}

RIG_UNUSED void rig_on_head(void *owner, struct http_head *head)
{
    struct rig_owner *o = owner;

    rig_log_response(o, head);
    rig_keep_head(o, head);
    if (head->body == HTTP_BODY_TUNNEL)
        o->in_ended = o->out_ended = false;
    if (o->abort_in_head)
        rig_abort(o);
}

RIG_UNUSED void rig_on_interim(void *owner, struct http_head *head)
{
    struct rig_owner *o = owner;

    rig_put(&o->log, "interim ", 8);
    rig_log_response(o, head);
    http_head_free(head);
}

RIG_UNUSED size_t rig_on_data(void *owner, const uint8_t *p, size_t n)
{
    struct rig_owner *o = owner;
    size_t take = n < o->take ? n : o->take;

    if (o->abort_in_data) {
        rig_abort(o);
        return 0;
    }
    o->take -= take;
    if (!o->in_data && take > 0)
        rig_put(&o->log, "data ", 5);
    if (take > 0)
        o->in_data = true;
    rig_put(&o->log, p, take);
    rig_put(&o->body, p, take);
    if (o->reopen) {
        o->take = SIZE_MAX;
        http_stream_consumed(o->stream, 1);
    }
    return take;
}

RIG_UNUSED struct span rig_on_room(void *owner, size_t max)
{
    struct rig_owner *o = owner;

    return o->room == NULL ? (struct span){NULL, 0}
                           : (struct span){o->room, o->room_n < max ? o->room_n : max};
}

RIG_UNUSED void rig_on_filled(void *owner, size_t n)
{
    struct rig_owner *o = owner;

    o->take = SIZE_MAX;
    (void)rig_on_data(owner, o->room, n);
}

RIG_UNUSED void rig_on_end(void *owner, const struct http_head *trailers)
{
    struct rig_owner *o = owner;

    rig_line(o);
    rig_put(&o->log, "end\n", 4);
    if (trailers != NULL)
        rig_log_fields(o, trailers);
    o->in_ended = true;
    rig_maybe_over(o);
    if (o->abort_in_end)
        rig_abort(o);
    else if (o->at_end != NULL)
        o->at_end(o);
    else if (o->answer && o->stream != NULL && !o->out_ended)
        (void)rig_answer(o, 200, "ok");
}

RIG_UNUSED void rig_on_aborted(void *owner, enum http_error error, const char *why)
{
    struct rig_owner *o = owner;

    rig_line(o);
    rig_printf(&o->log, "aborted %d %s\n", (int)error, why);
    o->stream = NULL;
    o->aborts++;
}

RIG_UNUSED void rig_on_writable(void *owner)
{
    ((struct rig_owner *)owner)->writables++;
}

static const struct http_stream_events rig_stream_events = {
    .head = rig_on_head,
    .interim = rig_on_interim,
    .data = rig_on_data,
    .room = rig_on_room,
    .filled = rig_on_filled,
    .end = rig_on_end,
    .aborted = rig_on_aborted,
    .writable = rig_on_writable,
};

RIG_UNUSED void rig_take(struct rig_owner *o, struct http_stream *stream)
{
    stream->events = &rig_stream_events;
    stream->owner = o;
    o->stream = stream;
    o->in_ended = o->out_ended = false;
}

RIG_UNUSED void rig_owner_clear(struct rig_owner *o)
{
    http_head_free(o->head);
    free(o->log.p);
    free(o->body.p);
    *o = (struct rig_owner){.take = SIZE_MAX};
}

/* --- a server on it --- */

struct rig_server {
    struct rig_sink sink;
    struct rig_owner o;
    struct h1_server *s;
    struct http_limits limits;
};

RIG_UNUSED void rig_on_request(void *owner, struct http_stream *stream, struct http_head *head)
{
    struct rig_server *r = owner;

    rig_take(&r->o, stream);
    rig_log_request(&r->o, head);
    rig_keep_head(&r->o, head);
    if (r->o.abort_in_head)
        rig_abort(&r->o);
}

RIG_UNUSED void rig_on_bad_request(void *owner, struct http_stream *stream, struct http_head *head,
                                   unsigned status, const char *why)
{
    struct rig_server *r = owner;

    rig_take(&r->o, stream);
    r->o.bads++;
    rig_line(&r->o);
    rig_printf(&r->o.log, "bad %u %s\n", status, why);
    rig_keep_head(&r->o, head);
    (void)rig_answer(&r->o, (uint16_t)status, NULL);
}

static const struct h1_server_events rig_server_events = {.request = rig_on_request,
                                                          .bad_request = rig_on_bad_request};

/* False when out of memory. */
RIG_UNUSED bool rig_server_open(struct rig_server *r)
{
    struct http_sink sink;

    *r = (struct rig_server){
        .o = {.take = SIZE_MAX, .answer = true},
          .limits = HTTP_LIMITS_DEFAULT
    };
    sink = rig_sink_of(&r->sink);
    r->s = h1_server_new(&sink, &r->limits, &rig_server_events, r);
    return r->s != NULL;
}

RIG_UNUSED void rig_server_close(struct rig_server *r)
{
    h1_server_free(r->s);
    rig_owner_clear(&r->o);
    rig_sink_clear(&r->sink);
}

/* Pushes all of it in pieces of `piece` bytes, each a fresh allocation of its own size; how many were taken before it
 * took fewer than it was given. */
RIG_UNUSED size_t rig_server_push(struct rig_server *r, const void *p, size_t n, size_t piece)
{
    size_t at = 0;

    while (at < n) {
        size_t some = n - at < piece ? n - at : piece, took;
        uint8_t *copy = malloc(some);

        if (copy == NULL)
            abort();
        memcpy(copy, (const uint8_t *)p + at, some);
        took = h1_server_recv(r->s, copy, some);
        free(copy);
        if (took > some)
            abort();
        at += took;
        if (took < some)
            break;
    }
    return at;
}

/* --- a client on it --- */

struct rig_client {
    struct rig_sink sink;
    struct rig_owner o;
    struct h1_client *c;
    struct http_limits limits;
};

RIG_UNUSED bool rig_client_open(struct rig_client *r)
{
    struct http_sink sink;

    *r = (struct rig_client){.o = {.take = SIZE_MAX}, .limits = HTTP_LIMITS_DEFAULT};
    sink = rig_sink_of(&r->sink);
    r->c = h1_client_new(&sink, &r->limits);
    return r->c != NULL;
}

RIG_UNUSED void rig_client_close(struct rig_client *r)
{
    h1_client_free(r->c);
    rig_owner_clear(&r->o);
    rig_sink_clear(&r->sink);
}

/* Sends a whole request without a body. False when out of memory or the connection takes none. */
RIG_UNUSED bool rig_client_ask(struct rig_client *r, const char *method, bool upgrade)
{
    struct http_head *head = http_head_request(method, bytes_str("/"), bytes_str("h"));
    struct http_stream *stream = head == NULL ? NULL : h1_client_request(r->c);
    bool sent = false;

    if (stream != NULL) {
        rig_take(&r->o, stream);
        head->upgrade = upgrade;
        if (upgrade && !http_head_add(head, bytes_str("Upgrade"), bytes_str("h2c, websocket")))
            rig_abort(&r->o);
        else
            sent = rig_send_head(&r->o, head) && rig_send_end(&r->o, NULL);
    }
    http_head_free(head);
    return sent;
}

RIG_UNUSED size_t rig_client_push(struct rig_client *r, const void *p, size_t n, size_t piece)
{
    size_t at = 0;

    while (at < n) {
        size_t some = n - at < piece ? n - at : piece, took;
        uint8_t *copy = malloc(some);

        if (copy == NULL)
            abort();
        memcpy(copy, (const uint8_t *)p + at, some);
        took = h1_client_recv(r->c, copy, some);
        free(copy);
        if (took > some)
            abort();
        at += took;
        if (took < some)
            break;
    }
    return at;
}

#endif
