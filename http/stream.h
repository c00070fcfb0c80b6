/* SPDX-License-Identifier: MIT
 *
 * One message exchange as its two ends see it: a stream writes one outgoing message (on a server's side the
 * response, on a client's the request) and reports one incoming message by events. Which version of HTTP carries
 * it, and how bodies are framed there, cannot be seen from here. HTTP/1.1 gives one stream at a time, HTTP/2 many.
 *
 * A stream belongs to its session. It is over for its owner after `aborted`, or after both ends: the incoming
 * message's end event and the outgoing end() — then the session may reuse or free it, and calls nothing more.
 * An owner that goes away earlier calls abort.
 *
 * On a server's side an outgoing end() before the incoming end: the response is whole, and no `data` comes any more;
 * the session drops the rest of the request by itself. `end` or `aborted` still follows; an owner that does not want
 * to wait for it calls abort, which then does the response no harm.
 *
 * A 101 opens the stream anew in both directions: behind it bytes go both ways as they are (HTTP_BODY_TUNNEL), and
 * each direction has one more end: the `end` event when the peer closed, end() when no more is to be sent. The
 * request's own end() comes before the 101, on both sides. The stream is over after both.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "base/bytes.h"
#include "http/head.h"

enum http_error {
    HTTP_OK,
    HTTP_ERROR_CLOSED,   /* the peer's bytes ended too early */
    HTTP_ERROR_PROTOCOL, /* malformed, ambiguous, or over a limit */
    HTTP_ERROR_MEMORY,
    HTTP_ERROR_CANCELLED, /* the other end of the exchange went away */
    HTTP_ERROR_TIMEOUT,
};

struct http_stream;

/* What happens to the incoming message. Any of them may call the stream's verbs. */
struct http_stream_events {
    /* The head. It is the owner's now (http_head_free). body is HTTP_BODY_NONE when nothing follows: `end` is then
     * still called. For a client's stream also the final response; interim ones go to `interim`. */
    void (*head)(void *owner, struct http_head *head);
    /* A 1xx response other than 101 (RFC 9110 §15.2); the owner's too. */
    void (*interim)(void *owner, struct http_head *head);
    /* n body bytes; returns how many were taken. The rest is offered again after http_stream_consumed. */
    size_t (*data)(void *owner, const uint8_t *p, size_t n);
    /* Where the next body bytes (at most max) may be read directly; {NULL, 0} if nowhere: they come by `data`.
     * What was read there is told by `filled` at once. Optional, both or none. */
    struct span (*room)(void *owner, size_t max);
    void (*filled)(void *owner, size_t n);
    /* The message is complete. Trailer fields, or NULL; borrowed. */
    void (*end)(void *owner, const struct http_head *trailers);
    /* Over, incomplete: what was wrong, in words for the log (static). */
    void (*aborted)(void *owner, enum http_error error, const char *why);
    /* There is room again after lend gave none. */
    void (*writable)(void *owner);
};

struct http_stream_class {
    bool (*head)(struct http_stream *s, const struct http_head *head);
    struct span (*lend)(struct http_stream *s, size_t want);
    void (*commit)(struct http_stream *s, size_t n);
    bool (*end)(struct http_stream *s, const struct http_head *trailers);
    void (*abort)(struct http_stream *s, enum http_error error);
    void (*consumed)(struct http_stream *s, size_t n);
};

/* Embedded first in a session's own stream struct. The owner sets events and owner when it takes the stream. */
struct http_stream {
    const struct http_stream_class *vtable;
    const struct http_stream_events *events;
    void *owner;
};

/* Sends the head. The body that follows is head->body and head->length: LENGTH is sent as that length, CHUNKED
 * and CLOSE both mean "unknown" and the session picks the framing its peer understands. Interim responses (1xx)
 * may come before the final one. Field names and values are sent as they are; Connection, Transfer-Encoding,
 * Content-Length are the session's own and ignored in `head`, as are TE, Keep-Alive, Proxy-Connection and
 * HTTP2-Settings; Upgrade goes out with a 101 and with a request whose head->upgrade is set, alone. A response to HEAD
 * and a 304 have no body: end() follows at once, lend is an error; the length they speak of is head->length if body is
 * HTTP_BODY_LENGTH or a Content-Length field is there. head->keep_alive false asks for the connection to end
 * after this message. False when out of memory (the stream is aborted then). Borrows `head`. */
static inline bool http_stream_head(struct http_stream *s, const struct http_head *head)
{
    return s->vtable->head(s, head);
}
/* Room for up to `want` body bytes, in the bytes that will be sent; {NULL, 0} when there is none now: `writable`
 * follows. Valid until any other call on the session. */
static inline struct span http_stream_lend(struct http_stream *s, size_t want)
{
    return s->vtable->lend(s, want);
}
static inline void http_stream_commit(struct http_stream *s, size_t n)
{
    s->vtable->commit(s, n);
}
/* The outgoing message is complete. Short of its length, that is an abort. Trailers may be NULL. */
static inline bool http_stream_end(struct http_stream *s, const struct http_head *trailers)
{
    return s->vtable->end(s, trailers);
}
/* Gives the exchange up so that the peer cannot take what it has for complete: HTTP/1.1 closes the connection
 * (with a reset or without close_notify), HTTP/2 resets the stream. No event follows. */
static inline void http_stream_abort(struct http_stream *s, enum http_error error)
{
    s->vtable->abort(s, error);
}
/* There is room again for n or more bytes of the incoming body: what `data` refused is offered again soon, never
 * inside this call. What `data` took counts as consumed when it returns (HTTP/2 opens its window by it). */
static inline void http_stream_consumed(struct http_stream *s, size_t n)
{
    s->vtable->consumed(s, n);
}

/* Where a session's bytes go: the connection. */
struct http_sink {
    void *ctx;
    /* Room of at least min(want, 512) bytes, or {NULL, 0} when too much is already waiting to be sent. */
    struct span (*lend)(void *ctx, size_t want);
    void (*commit)(void *ctx, size_t n);
    /* Takes all of it, whatever is waiting already (heads, chunk ends); false when out of memory. */
    bool (*put)(void *ctx, const void *p, size_t n);
    /* The session has input to take again: recv it (again) soon, not inside this call. */
    void (*resume)(void *ctx);
    /* The connection must end: once all is sent (clean), or at once so that the peer sees a break. */
    void (*close)(void *ctx, bool clean);
};

#endif
