/* SPDX-License-Identifier: MIT
 *
 * Owns the client side of an HTTP/1.1 connection: one request after the other on the one stream. Invariants: `state`
 * changes in set_state alone. The stream is the owner's while `lent` is set: from h1_client_request until `aborted`,
 * abort, or both ends. A connection is taken for another request only when the response to the last one ended by its
 * own framing, with nothing behind it, and the request had ended before; else it is closed, since what would be read
 * next might belong to the wrong response. Every event is the last thing done before the state is looked at afresh.
 */
#include "http/h1.h"

#include "base/mem.h"
#include "http/h1_body.h"
#include "http/h1_write.h"

#include <assert.h>

#define INTERIM_MAX   100 /* interim responses to one request: they are passed on without backpressure */
#define INTERIM_BYTES (128u * 1024u) /* of their heads */
#define DIRECT_MIN    2048           /* payload that surely comes for a direct read to be worth it */

enum state {
    IDLE,    /* may carry a request */
    REQUEST, /* the owner has the stream and has not sent the head */
    HEAD,    /* awaits the head of the response */
    BODY,
    ANSWERED, /* the response has ended, the request has not */
    TUNNEL,
    CLOSED,
};

struct h1_client {
    struct http_stream stream; /* first: the stream is the session */
    struct http_sink sink;
    const struct http_limits *limits;
    struct h1_parser parser;
    struct h1_body in;
    struct h1_out out;
    size_t direct; /* lent by the owner to read into */
    uint32_t interim_bytes;
    uint8_t state;
    uint8_t busy;    /* inside a function that calls events */
    uint8_t interim; /* interim responses so far */
    bool receiving;  /* inside recv */
    bool lent;       /* the owner has the stream */
    bool in_ended;   /* of a tunnel: the peer's side */
    bool out_ended;  /* the request, or our side of a tunnel */
    bool blocked;    /* the owner took less than it was offered */
    bool reopened;   /* ...and has room again since it was asked */
    bool keep;       /* the connection may be used again */
    bool expects;    /* the request waits for a 100 that has not come */
    bool is_head, wants_upgrade, got_response;
};

static struct h1_client *client_of(struct http_stream *stream)
{
    return (struct h1_client *)stream;
}

static void set_state(struct h1_client *c, enum state next)
{
    static const uint8_t from[] = {
        /* the states that each may follow, as bits */
        [IDLE] = 1 << BODY,
        [REQUEST] = 1 << IDLE,
        [HEAD] = 1 << REQUEST,
        [BODY] = 1 << HEAD,
        [ANSWERED] = 1 << BODY,
        [TUNNEL] = 1 << HEAD,
        [CLOSED] = 1 << IDLE | 1 << REQUEST | 1 << HEAD | 1 << BODY | 1 << ANSWERED | 1 << TUNNEL,
    };

    assert((from[next] >> c->state & 1) != 0);
    c->state = (uint8_t)next;
}

/* Nothing is taken or sent any more. True if that is new: the sink is to be told, after the owner was. */
static bool retire(struct h1_client *c)
{
    if (c->state == CLOSED)
        return false;
    set_state(c, CLOSED);
    h1_parser_stop(&c->parser);
    return true;
}

static void shut(struct h1_client *c, bool clean)
{
    if (retire(c))
        c->sink.close(c->sink.ctx, clean);
}

static void fail(struct h1_client *c, enum http_error error, const char *why)
{
    bool lent = c->lent, new = retire(c);

    c->lent = false;
    if (lent)
        c->stream.events->aborted(c->stream.owner, error, why);
    if (new)
        c->sink.close(c->sink.ctx, false);
}

/* --- receiving --- */

/* The response (or the peer's side of a tunnel) is complete. `more`: bytes follow that nobody asked for. */
static void in_end(struct h1_client *c, bool more)
{
    const struct http_stream_events *events = c->stream.events;
    void *owner = c->stream.owner;
    struct http_head *trailers = c->in.trailers;
    bool over = c->out_ended, close = false;

    c->in.trailers = NULL;
    c->in_ended = true;
    if (!over || more)
        c->keep = false;
    if (over) {
        c->lent = false;
        if (c->keep && c->state == BODY)
            set_state(c, IDLE);
        else
            close = retire(c);
    } else if (c->state == BODY) {
        set_state(c, ANSWERED);
    }
    events->end(owner, trailers);
    http_head_free(trailers);
    if (close)
        c->sink.close(c->sink.ctx, true);
}

static void take_interim(struct h1_client *c, struct http_head *head)
{
    h1_parser_start(&c->parser, H1_RESPONSE);
    if (head->status == 100)
        c->expects = false;
    c->interim_bytes += head->text_len;
    if (++c->interim > INTERIM_MAX || c->interim_bytes > INTERIM_BYTES) {
        http_head_free(head);
        fail(c, HTTP_ERROR_PROTOCOL, "too many interim responses");
        return;
    }
    head->body = HTTP_BODY_NONE;
    if (c->stream.events->interim != NULL)
        c->stream.events->interim(c->stream.owner, head);
    else
        http_head_free(head);
}

static void take_switch(struct h1_client *c, struct http_head *head)
{
    const char *why = NULL;

    if (!c->wants_upgrade)
        why = "101 to a request that did not ask for it";
    else if (!head->upgrade)
        why = "101 without Connection: upgrade and a protocol";
    else if (!c->out_ended)
        why = "101 before the request had ended";
    if (why != NULL) {
        http_head_free(head);
        fail(c, HTTP_ERROR_PROTOCOL, why);
        return;
    }
    head->body = HTTP_BODY_TUNNEL;
    set_state(c, TUNNEL);
    c->keep = c->out_ended = c->in_ended = false;
    h1_body_start(&c->in, HTTP_BODY_TUNNEL, 0);
    h1_out_start(&c->out, H1_FRAME_RAW, 0);
    c->stream.events->head(c->stream.owner, head);
}

/* RFC 9112 §6.3, the part that depends on the request. */
static void take_response(struct h1_client *c, struct http_head *head, bool more)
{
    if (head->status == 101) {
        take_switch(c, head);
        return;
    }
    if (head->status < 200) {
        take_interim(c, head);
        return;
    }
    /* A 204 that announces a body (RFC 9110 §15.3.5) may be followed by it, and a final response in place of a 100
     * (§10.1.1) by whatever the peer takes the request's body for. */
    if ((head->status == 204 && head->body != HTTP_BODY_NONE && head->body != HTTP_BODY_CLOSE) || c->expects)
        c->keep = false;
    if (c->is_head || head->status == 204 || head->status == 304)
        head->body = HTTP_BODY_NONE;
    if (!head->keep_alive || head->body == HTTP_BODY_CLOSE)
        c->keep = false;
    h1_body_start(&c->in, head->body, head->length);
    set_state(c, BODY);
    c->stream.events->head(c->stream.owner, head);
    if (c->state == BODY && h1_body_is_complete(&c->in))
        in_end(c, more);
}

static size_t recv_head(struct h1_client *c, const uint8_t *p, size_t n)
{
    struct http_head *head;
    size_t used;

    switch (h1_parser_recv(&c->parser, c->limits, p, n, &used, &head)) {
    case H1_MORE: break;
    case H1_DONE: take_response(c, head, used < n); break;
    case H1_BAD:
        http_head_free(head);
        fail(c, HTTP_ERROR_PROTOCOL, c->parser.why);
        break;
    case H1_MEMORY: fail(c, HTTP_ERROR_MEMORY, "out of memory"); break;
    }
    return used;
}

static size_t recv_payload(struct h1_client *c, struct bytes data)
{
    size_t took;

    c->reopened = false;
    took = c->stream.events->data(c->stream.owner, data.p, data.n);
    assert(took <= data.n);
    if (c->state == CLOSED)
        return data.n;
    h1_body_took(&c->in, took);
    c->blocked = took < data.n;
    return took;
}

static size_t recv_body(struct h1_client *c, const uint8_t *p, size_t n)
{
    struct bytes data;
    size_t used;

    switch (h1_body_next(&c->in, &c->parser, c->limits, p, n, &used, &data)) {
    case H1_STEP_MORE: break;
    case H1_STEP_DATA:
        used += recv_payload(c, data);
        if (c->state == BODY && h1_body_is_complete(&c->in))
            in_end(c, used < n);
        break;
    case H1_STEP_END: in_end(c, used < n); break;
    case H1_STEP_BAD: fail(c, HTTP_ERROR_PROTOCOL, c->in.why); break;
    case H1_STEP_MEMORY: fail(c, HTTP_ERROR_MEMORY, "out of memory"); break;
    }
    return used;
}

/* One step on n > 0 bytes; false when it has to wait or there is nothing to be had from them. */
static bool recv_some(struct h1_client *c, const uint8_t *p, size_t n, size_t *used)
{
    *used = 0;
    switch ((enum state)c->state) {
    case IDLE: shut(c, false); return false;
    case REQUEST: fail(c, HTTP_ERROR_PROTOCOL, "response before the request"); return false;
    case HEAD:
        c->got_response = true;
        *used = recv_head(c, p, n);
        return true;
    case BODY:
    case TUNNEL:
        if (c->blocked || c->in_ended)
            return false;
        *used = recv_body(c, p, n);
        if (!c->blocked || !c->reopened)
            return true;
        c->blocked = false; /* asked for already: soon, not now */
        return false;
    case ANSWERED:
    case CLOSED: break;
    }
    return false;
}

size_t h1_client_recv(struct h1_client *c, const uint8_t *p, size_t n)
{
    size_t used = 0;
    bool more = true;

    assert(!c->receiving);
    c->busy++;
    c->receiving = true;
    while (more && used < n) {
        size_t took;

        more = recv_some(c, p + used, n - used, &took);
        used += took;
    }
    c->receiving = false;
    c->busy--;
    /* What comes behind a response, or on a connection that is over, is nobody's. */
    return c->state == BODY || c->state == TUNNEL ? used : n;
}

struct span h1_client_room(struct h1_client *c)
{
    const struct span none = {NULL, 0};
    size_t payload;
    struct span span;

    if ((c->state != BODY && c->state != TUNNEL) || c->blocked || c->in_ended ||
        c->stream.events->room == NULL)
        return none;
    payload = h1_body_payload(&c->in);
    if (payload < DIRECT_MIN)
        return none;
    c->busy++;
    span = c->stream.events->room(c->stream.owner, payload);
    c->busy--;
    assert(span.n <= payload);
    c->direct = span.p != NULL ? span.n : 0;
    return span;
}

void h1_client_filled(struct h1_client *c, size_t n)
{
    assert(n <= c->direct);
    c->direct = 0;
    if (c->state != BODY && c->state != TUNNEL) /* given up in between */
        return;
    c->busy++;
    h1_body_took(&c->in, n);
    c->stream.events->filled(c->stream.owner, n);
    if (c->state == BODY && h1_body_is_complete(&c->in))
        in_end(c, false);
    c->busy--;
}

void h1_client_eof(struct h1_client *c)
{
    c->busy++;
    switch ((enum state)c->state) {
    case IDLE: shut(c, true); break;
    case REQUEST:
    case HEAD:
        fail(c, HTTP_ERROR_CLOSED,
             c->got_response ? "connection closed before the response was complete"
                             : "connection closed before a response");
        break;
    case BODY:
        c->keep = false;
        if (h1_body_ends_by_close(&c->in))
            in_end(c, false);
        else
            fail(c, HTTP_ERROR_CLOSED, "connection closed before the response was complete");
        break;
    case ANSWERED: fail(c, HTTP_ERROR_CLOSED, "connection closed before the request was complete"); break;
    case TUNNEL:
        if (!c->in_ended)
            in_end(c, false);
        break;
    case CLOSED: break;
    }
    c->busy--;
}

void h1_client_abort(struct h1_client *c, const char *why)
{
    c->busy++;
    fail(c, HTTP_ERROR_CLOSED, why);
    c->busy--;
}

void h1_client_writable(struct h1_client *c)
{
    if (!c->lent || !c->out.starved)
        return;
    c->out.starved = false;
    c->busy++;
    if (c->stream.events->writable != NULL)
        c->stream.events->writable(c->stream.owner);
    c->busy--;
}

bool h1_client_wants_recv(const struct h1_client *c)
{
    return c->state != CLOSED && !c->blocked && !(c->state == TUNNEL && c->in_ended);
}

bool h1_client_is_idle(const struct h1_client *c)
{
    return c->state == IDLE;
}

bool h1_client_got_response(const struct h1_client *c)
{
    return c->got_response;
}

/* --- the stream's verbs --- */

/* RFC 9112 §6; a method that is expected to have a body says so when it has none (RFC 9110 §8.6). */
static enum h1_framing choose_framing(const struct http_head *head)
{
    switch (head->body) {
    case HTTP_BODY_NONE: break;
    case HTTP_BODY_LENGTH: return H1_FRAME_LENGTH;
    case HTTP_BODY_CHUNKED:
    case HTTP_BODY_CLOSE:
    case HTTP_BODY_TUNNEL: return H1_FRAME_CHUNKED;
    }
    return head->method == HTTP_POST || head->method == HTTP_PUT || head->method == HTTP_PATCH
               ? H1_FRAME_EMPTY
               : H1_FRAME_NOTHING;
}

/* Content in a request whose method has no use for it (RFC 9110 §9.3.1): a server that does not look for it takes it
 * for the next request, so there must not be one. */
static bool is_unexpected_body(const struct http_head *head)
{
    return head->body != HTTP_BODY_NONE && (head->method == HTTP_GET || head->method == HTTP_HEAD ||
                                            head->method == HTTP_DELETE || head->method == HTTP_OPTIONS);
}

static void abort_quietly(struct h1_client *c)
{
    c->lent = false;
    shut(c, false);
}

static bool stream_head(struct http_stream *stream, const struct http_head *head)
{
    struct h1_client *c = client_of(stream);
    enum h1_framing framing = choose_framing(head);
    const char *connection = NULL;

    assert(c->lent && c->state == REQUEST);
    c->is_head = head->method == HTTP_HEAD;
    c->wants_upgrade = head->upgrade && head->body == HTTP_BODY_NONE;
    c->keep = head->keep_alive && !is_unexpected_body(head);
    c->expects = head->expect_continue && http_head_find(head, HTTP_FIELD_EXPECT) != NULL;
    if (c->wants_upgrade)
        connection = "upgrade";
    else if (!c->keep)
        connection = "close";
    set_state(c, HEAD);
    h1_out_start(&c->out, framing, head->length);
    if (h1_write_request(&c->sink, head, framing, connection, c->wants_upgrade))
        return true;
    abort_quietly(c);
    return false;
}

static struct span stream_lend(struct http_stream *stream, size_t want)
{
    struct h1_client *c = client_of(stream);

    assert(c->lent);
    return h1_out_lend(&c->out, &c->sink, want);
}

static void stream_commit(struct http_stream *stream, size_t n)
{
    struct h1_client *c = client_of(stream);

    assert(c->lent);
    h1_out_commit(&c->out, &c->sink, n);
}

static bool stream_end(struct http_stream *stream, const struct http_head *trailers)
{
    struct h1_client *c = client_of(stream);

    assert(c->lent && !c->out_ended);
    if (!h1_out_end(&c->out, &c->sink, trailers)) {
        abort_quietly(c);
        return false;
    }
    c->out_ended = true;
    if (c->state == ANSWERED || (c->state == TUNNEL && c->in_ended)) {
        c->lent = false;
        shut(c, true);
    }
    return true;
}

static void stream_abort(struct http_stream *stream, enum http_error error)
{
    struct h1_client *c = client_of(stream);

    (void)error; /* HTTP/1.1 has no way to tell */
    assert(c->lent);
    abort_quietly(c);
}

static void stream_consumed(struct http_stream *stream, size_t n)
{
    struct h1_client *c = client_of(stream);

    if ((!c->blocked && !c->receiving) || n == 0)
        return;
    c->blocked = false;
    c->reopened = true;
    c->sink.resume(c->sink.ctx);
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

struct h1_client *h1_client_new(const struct http_sink *sink, const struct http_limits *limits)
{
    struct h1_client *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        return NULL;
    c->stream.vtable = &stream_class;
    c->sink = *sink;
    c->limits = limits;
    return c;
}

void h1_client_free(struct h1_client *c)
{
    bool lent;

    if (c == NULL)
        return;
    assert(c->busy == 0);
    lent = c->lent;
    c->lent = false;
    c->state = CLOSED; /* the sink is not told: it may be gone */
    if (lent && c->stream.events != NULL)
        c->stream.events->aborted(c->stream.owner, HTTP_ERROR_CLOSED, "connection closed");
    h1_parser_stop(&c->parser);
    h1_body_stop(&c->in);
    mem_free(c);
}

struct http_stream *h1_client_request(struct h1_client *c)
{
    if (c->state != IDLE)
        return NULL;
    set_state(c, REQUEST);
    h1_parser_start(&c->parser, H1_RESPONSE);
    c->out = (struct h1_out){.state = H1_OUT_HEAD};
    c->lent = true;
    c->interim = 0;
    c->interim_bytes = 0;
    c->in_ended = c->out_ended = c->blocked = c->got_response = false;
    c->stream.events = NULL;
    c->stream.owner = NULL;
    return &c->stream;
}
