/* SPDX-License-Identifier: MIT
 *
 * Owns the server side of an HTTP/1.1 connection: one request after the other, each an exchange on the one stream.
 * Invariants: `state` changes in set_state alone. The stream is the owner's while `lent` is set: from request() until
 * `aborted`, abort, or both ends. Bytes behind a request are not looked at before its response has ended, so a
 * request's framing can never depend on what follows it. Every event is the last thing done before the state is
 * looked at afresh, as it may call any verb.
 */
#include "http/h1.h"

#include "base/mem.h"
#include "http/h1_body.h"
#include "http/h1_write.h"

#include <assert.h>

#define DISCARD_MAX (64u * 1024u) /* of a request's body that nobody wants, to keep the connection */

struct h1_server {
    struct http_stream stream; /* first: the stream is the session */
    struct http_sink sink;
    const struct http_limits *limits;
    const struct h1_server_events *events;
    void *owner;
    struct h1_parser parser;
    struct h1_body in;
    struct h1_out out;
    uint32_t discard; /* body bytes that may still be dropped once the response has ended */
    uint8_t state;    /* enum h1_server_state */
    uint8_t busy;     /* inside recv, eof or writable: events may be running */
    bool receiving;   /* inside recv, which goes on by itself */
    bool lent;        /* the owner has the stream */
    bool beginning;   /* request() or bad_request() is running */
    bool in_ended;    /* the request, in a tunnel the peer's side, is complete */
    bool out_ended;   /* the same of what we send */
    bool blocked;     /* the owner took less than it was offered */
    bool reopened;    /* ...and has room again since it was asked */
    bool full;        /* the sink lent nothing for a head: no further request until it does */
    bool closing;     /* no request after this one */
    bool is_head, can_upgrade, expects, got_body;
    uint8_t minor; /* of the request's version */
};

static const struct http_stream_class stream_class;

static struct h1_server *server_of(struct http_stream *stream)
{
    return (struct h1_server *)stream;
}

static void set_state(struct h1_server *s, enum h1_server_state next)
{
    static const uint8_t from[] = {
        /* the states that each may follow, as bits */
        [H1_SERVER_IDLE] = 1 << H1_SERVER_EXCHANGE,
        [H1_SERVER_HEAD] = 1 << H1_SERVER_IDLE,
        [H1_SERVER_EXCHANGE] = 1 << H1_SERVER_HEAD,
        [H1_SERVER_TUNNEL] = 1 << H1_SERVER_EXCHANGE,
        [H1_SERVER_CLOSED] =
            1 << H1_SERVER_IDLE | 1 << H1_SERVER_HEAD | 1 << H1_SERVER_EXCHANGE | 1 << H1_SERVER_TUNNEL,
    };

    assert((from[next] >> s->state & 1) != 0);
    s->state = (uint8_t)next;
}

/* No request will be taken any more. True if that is new: the sink is to be told, after the owner was. */
static bool retire(struct h1_server *s)
{
    if (s->state == H1_SERVER_CLOSED)
        return false;
    set_state(s, H1_SERVER_CLOSED);
    h1_parser_stop(&s->parser);
    return true;
}

/* `clean`: what was sent is whole. */
static void shut(struct h1_server *s, bool clean)
{
    if (retire(s))
        s->sink.close(s->sink.ctx, clean);
}

/* The owner's part is over without its end. */
static void tell_aborted(struct h1_server *s, enum http_error error, const char *why)
{
    if (!s->lent)
        return;
    s->lent = false;
    s->stream.events->aborted(s->stream.owner, error, why);
}

static void fail(struct h1_server *s, enum http_error error, const char *why, bool clean)
{
    bool new = retire(s);

    tell_aborted(s, error, why);
    if (new)
        s->sink.close(s->sink.ctx, clean);
}

/* --- the end of an exchange --- */

static void resume(struct h1_server *s)
{
    if (!s->receiving)
        s->sink.resume(s->sink.ctx);
}

/* Both sides are complete. True if the sink is to be told to close, after the owner was told. */
static bool exchange_over(struct h1_server *s)
{
    s->lent = false;
    if (s->closing)
        return retire(s);
    set_state(s, H1_SERVER_IDLE);
    h1_parser_start(&s->parser, H1_REQUEST);
    resume(s);
    return false;
}

/* The response has ended before the request: the rest of that is dropped, if it is little. */
static void begin_discard(struct h1_server *s)
{
    s->discard = DISCARD_MAX;
    s->blocked = false;
    if (s->closing)
        shut(s, true);
    else
        resume(s);
}

/* The request (or the peer's side of a tunnel) is complete. */
static void in_end(struct h1_server *s)
{
    const struct http_stream_events *events = s->stream.events;
    void *owner = s->stream.owner;
    struct http_head *trailers = s->in.trailers;
    bool lent = s->lent, close = false;

    s->in.trailers = NULL;
    s->in_ended = true;
    if (s->out_ended)
        close = exchange_over(s);
    if (lent)
        events->end(owner, trailers);
    http_head_free(trailers);
    if (close)
        s->sink.close(s->sink.ctx, true);
}

/* --- receiving --- */

static void begin_exchange(struct h1_server *s, const struct http_head *head)
{
    set_state(s, H1_SERVER_EXCHANGE);
    s->out = (struct h1_out){.state = H1_OUT_HEAD};
    s->lent = true;
    s->in_ended = s->out_ended = s->blocked = s->got_body = false;
    s->is_head = head->method == HTTP_HEAD;
    s->can_upgrade = head->upgrade;
    s->expects = head->expect_continue;
    s->minor = head->minor;
    s->stream.events = NULL;
    s->stream.owner = NULL;
    s->beginning = true;
}

/* request() or bad_request() has returned. */
static void begun(struct h1_server *s, enum http_body body)
{
    s->beginning = false;
    if (s->state == H1_SERVER_CLOSED) /* given up already */
        return;
    if (s->state == H1_SERVER_TUNNEL) /* answered with 101 already: what `in` is now has only begun */
        s->stream.events->end(s->stream.owner, NULL);
    else if (body == HTTP_BODY_NONE)
        in_end(s);
    else if (s->out_ended)
        begin_discard(s);
}

static void take_request(struct h1_server *s, struct http_head *head)
{
    enum http_body body = head->body;

    s->closing = s->closing || !head->keep_alive;
    h1_body_start(&s->in, body, head->length);
    begin_exchange(s, head);
    s->events->request(s->owner, &s->stream, head);
    begun(s, body);
}

static void take_bad_request(struct h1_server *s, struct http_head *head)
{
    unsigned status = s->parser.status;
    const char *why = s->parser.why;

    if (head == NULL) {
        shut(s, false);
        return;
    }
    s->closing = true;
    head->keep_alive = head->expect_continue = head->upgrade = false;
    head->body = HTTP_BODY_NONE;
    h1_body_start(&s->in, HTTP_BODY_NONE, 0);
    begin_exchange(s, head);
    s->events->bad_request(s->owner, &s->stream, head, status, why);
    begun(s, HTTP_BODY_NONE);
}

static size_t recv_head(struct h1_server *s, const uint8_t *p, size_t n)
{
    struct http_head *head;
    size_t used;

    if (s->state == H1_SERVER_IDLE)
        set_state(s, H1_SERVER_HEAD);
    switch (h1_parser_recv(&s->parser, s->limits, p, n, &used, &head)) {
    case H1_MORE: break;
    case H1_DONE: take_request(s, head); break;
    case H1_BAD: take_bad_request(s, head); break;
    case H1_MEMORY: shut(s, false); break;
    }
    return used;
}

/* Does anybody take the payload? In a tunnel the two sides end apart from each other. */
static bool is_wanted(const struct h1_server *s)
{
    return s->lent && (!s->out_ended || s->state == H1_SERVER_TUNNEL);
}

/* Payload to the owner, or away when nobody wants it. Returns how much was taken. */
static size_t recv_payload(struct h1_server *s, struct bytes data)
{
    size_t took;

    s->got_body = true;
    if (is_wanted(s)) {
        s->reopened = false;
        took = s->stream.events->data(s->stream.owner, data.p, data.n);
        assert(took <= data.n);
        if (s->state == H1_SERVER_CLOSED)
            return data.n;
        h1_body_took(&s->in, took);
        s->blocked = took < data.n && is_wanted(s);
        return took;
    }
    took = data.n < s->discard ? data.n : s->discard;
    s->discard -= (uint32_t)took;
    h1_body_took(&s->in, took);
    if (took == data.n)
        return took;
    fail(s, HTTP_ERROR_CANCELLED, "the response ended long before the request", true);
    return data.n;
}

/* The body is malformed: what comes next on the connection is anyone's guess. */
static void refuse_body(struct h1_server *s)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    bool answered = s->out_ended;

    if (s->lent && s->out.state == H1_OUT_HEAD)
        answered = s->sink.put(s->sink.ctx, answer, sizeof answer - 1);
    fail(s, HTTP_ERROR_PROTOCOL, s->in.why, answered);
}

static size_t recv_body(struct h1_server *s, const uint8_t *p, size_t n)
{
    struct bytes data;
    size_t used;

    switch (h1_body_next(&s->in, &s->parser, s->limits, p, n, &used, &data)) {
    case H1_STEP_MORE: break;
    case H1_STEP_DATA: used += recv_payload(s, data); break;
    case H1_STEP_END: in_end(s); break;
    case H1_STEP_BAD: refuse_body(s); break;
    case H1_STEP_MEMORY: fail(s, HTTP_ERROR_MEMORY, "out of memory", false); break;
    }
    return used;
}

/* A body whose last byte was taken has no further byte to show that it is complete. */
static void body_maybe_ended(struct h1_server *s)
{
    if (s->state == H1_SERVER_EXCHANGE && !s->in_ended && !s->blocked && h1_body_is_complete(&s->in))
        in_end(s);
}

size_t h1_server_recv(struct h1_server *s, const uint8_t *p, size_t n)
{
    size_t used = 0;

    assert(!s->receiving);
    s->busy++;
    s->receiving = true;
    while (used < n) {
        size_t took = 0;

        switch ((enum h1_server_state)s->state) {
        case H1_SERVER_IDLE:
            /* Else a client that never reads could ask for answers without a body, and have them pile up. */
            if (s->full)
                goto out;
            took = recv_head(s, p + used, n - used);
            break;
        case H1_SERVER_HEAD: took = recv_head(s, p + used, n - used); break;
        case H1_SERVER_EXCHANGE:
        case H1_SERVER_TUNNEL:
            if (s->in_ended || s->blocked)
                goto out;
            took = recv_body(s, p + used, n - used);
            body_maybe_ended(s);
            if (s->blocked && s->reopened) {
                s->blocked = false; /* asked for already: soon, not now */
                used += took;
                goto out;
            }
            break;
        case H1_SERVER_CLOSED: used = n; goto out; /* nobody reads it any more */
        }
        used += took;
    }
out:
    s->receiving = false;
    s->busy--;
    return used;
}

void h1_server_eof(struct h1_server *s)
{
    s->busy++;
    switch ((enum h1_server_state)s->state) {
    case H1_SERVER_IDLE:
    case H1_SERVER_HEAD: shut(s, true); break;
    case H1_SERVER_EXCHANGE:
        s->closing = true;
        if (!s->in_ended)
            fail(s, HTTP_ERROR_CLOSED, "connection closed before the request was complete", s->out_ended);
        break;
    case H1_SERVER_TUNNEL:
        if (!s->in_ended)
            in_end(s);
        break;
    case H1_SERVER_CLOSED: tell_aborted(s, HTTP_ERROR_CLOSED, "connection closed"); break;
    }
    s->busy--;
}

void h1_server_writable(struct h1_server *s)
{
    if (s->full) {
        s->full = false;
        s->sink.resume(s->sink.ctx);
    }
    if (!s->lent || !s->out.starved)
        return;
    s->out.starved = false;
    s->busy++;
    if (s->stream.events->writable != NULL)
        s->stream.events->writable(s->stream.owner);
    s->busy--;
}

bool h1_server_wants_recv(const struct h1_server *s)
{
    switch ((enum h1_server_state)s->state) {
    case H1_SERVER_IDLE: return !s->full;
    case H1_SERVER_HEAD: return true;
    case H1_SERVER_EXCHANGE:
    case H1_SERVER_TUNNEL: return !s->in_ended && !s->blocked;
    case H1_SERVER_CLOSED: break;
    }
    return false;
}

/* --- the stream's verbs --- */

/* How the body of the response is sent (RFC 9112 §6), and what the head says of it: not the same for HEAD and 304,
 * which say the length of what they do not send (RFC 9110 §8.6). */
static void choose_framing(const struct h1_server *s, const struct http_head *head, enum h1_framing *said,
                           enum h1_framing *done)
{
    if (head->status == 204 || head->status < 200) {
        *said = *done = H1_FRAME_NOTHING;
    } else if (s->is_head || head->status == 304) {
        bool known =
            head->body == HTTP_BODY_LENGTH || http_head_find(head, HTTP_FIELD_CONTENT_LENGTH) != NULL;

        *said = known ? H1_FRAME_LENGTH : H1_FRAME_NOTHING;
        *done = H1_FRAME_NOTHING;
    } else if (head->body == HTTP_BODY_NONE) {
        *said = *done = H1_FRAME_EMPTY;
    } else if (head->body == HTTP_BODY_LENGTH) {
        *said = *done = H1_FRAME_LENGTH;
    } else {
        *said = *done = s->minor >= 1 ? H1_FRAME_CHUNKED : H1_FRAME_RAW;
    }
}

static void abort_quietly(struct h1_server *s)
{
    s->lent = false;
    shut(s, false);
}

static bool send_switch(struct h1_server *s, const struct http_head *head)
{
    assert(s->can_upgrade);
    if (!h1_write_response(&s->sink, head, H1_FRAME_NOTHING, "upgrade", true, &s->full)) {
        abort_quietly(s);
        return false;
    }
    s->closing = true;
    set_state(s, H1_SERVER_TUNNEL);
    h1_out_start(&s->out, H1_FRAME_RAW, 0);
    h1_body_start(&s->in, HTTP_BODY_TUNNEL, 0);
    s->in_ended = false;
    resume(s);
    return true;
}

static bool send_interim(struct h1_server *s, const struct http_head *head)
{
    if (head->status == 100)
        s->expects = false;
    if (s->minor == 0 || h1_write_response(&s->sink, head, H1_FRAME_NOTHING, NULL, false, &s->full))
        return true; /* HTTP/1.0 knows no such responses (RFC 9110 §15.2) */
    abort_quietly(s);
    return false;
}

static bool stream_head(struct http_stream *stream, const struct http_head *head)
{
    struct h1_server *s = server_of(stream);
    enum h1_framing said, done;
    const char *connection = NULL;

    assert(s->lent && s->out.state == H1_OUT_HEAD);
    if (head->status == 101)
        return send_switch(s, head);
    if (head->status < 200)
        return send_interim(s, head);
    choose_framing(s, head, &said, &done);
    /* A client that waits for 100 may leave its body out now, or send it: what follows cannot be told apart. */
    if (!head->keep_alive || done == H1_FRAME_RAW || (s->expects && !s->in_ended && !s->got_body))
        s->closing = true;
    if (s->closing)
        connection = "close";
    else if (s->minor == 0)
        connection = "keep-alive";
    if (!h1_write_response(&s->sink, head, said, connection, false, &s->full)) {
        abort_quietly(s);
        return false;
    }
    h1_out_start(&s->out, done, head->length);
    return true;
}

static struct span stream_lend(struct http_stream *stream, size_t want)
{
    struct h1_server *s = server_of(stream);

    assert(s->lent);
    return h1_out_lend(&s->out, &s->sink, want);
}

static void stream_commit(struct http_stream *stream, size_t n)
{
    struct h1_server *s = server_of(stream);

    assert(s->lent);
    h1_out_commit(&s->out, &s->sink, n);
}

static bool stream_end(struct http_stream *stream, const struct http_head *trailers)
{
    struct h1_server *s = server_of(stream);

    assert(s->lent && !s->out_ended);
    if (!h1_out_end(&s->out, &s->sink, trailers)) {
        abort_quietly(s);
        return false;
    }
    s->out_ended = true;
    if (s->beginning) /* begun() goes on */
        return true;
    if (s->in_ended) {
        if (exchange_over(s))
            s->sink.close(s->sink.ctx, true);
    } else if (s->state == H1_SERVER_EXCHANGE) {
        begin_discard(s);
    }
    return true;
}

static void stream_abort(struct http_stream *stream, enum http_error error)
{
    struct h1_server *s = server_of(stream);

    (void)error; /* HTTP/1.1 has no way to tell */
    assert(s->lent);
    if (s->out_ended && s->state != H1_SERVER_TUNNEL)
        s->lent = false; /* the response is whole; the rest of the request goes its way */
    else
        abort_quietly(s);
}

static void stream_consumed(struct http_stream *stream, size_t n)
{
    struct h1_server *s = server_of(stream);

    if ((!s->blocked && !s->receiving) || s->beginning || n == 0) /* beginning: nothing was offered yet */
        return;
    s->blocked = false;
    s->reopened = true;
    s->sink.resume(s->sink.ctx);
}

static const struct http_stream_class stream_class = {
    .head = stream_head,
    .lend = stream_lend,
    .commit = stream_commit,
    .end = stream_end,
    .abort = stream_abort,
    .consumed = stream_consumed,
};

/* --- the session --- */

struct h1_server *h1_server_new(const struct http_sink *sink, const struct http_limits *limits,
                                const struct h1_server_events *events, void *owner)
{
    struct h1_server *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return NULL;
    s->stream.vtable = &stream_class;
    s->sink = *sink;
    s->limits = limits;
    s->events = events;
    s->owner = owner;
    h1_parser_start(&s->parser, H1_REQUEST);
    return s;
}

void h1_server_free(struct h1_server *s)
{
    if (s == NULL)
        return;
    assert(s->busy == 0 && !s->beginning);
    if (s->state != H1_SERVER_CLOSED) /* the sink is not told: it may be gone */
        set_state(s, H1_SERVER_CLOSED);
    tell_aborted(s, HTTP_ERROR_CLOSED, "connection closed");
    h1_parser_stop(&s->parser);
    h1_body_stop(&s->in);
    mem_free(s);
}

void h1_server_set_limits(struct h1_server *s, const struct http_limits *limits)
{
    s->limits = limits;
}

enum h1_server_state h1_server_state(const struct h1_server *s)
{
    return (enum h1_server_state)s->state;
}

void h1_server_drain(struct h1_server *s)
{
    s->closing = true;
    if (s->state == H1_SERVER_IDLE)
        shut(s, true);
}
