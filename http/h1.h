/* SPDX-License-Identifier: MIT
 *
 * HTTP/1.1 (RFC 9112) sessions over one connection's bytes, server and client side. Strict in what they take:
 * framing is decided once, and whatever is ambiguous is refused. Strict in what they send: framing is generated
 * here, never copied.
 */
#ifndef HTTP_H1_H
#define HTTP_H1_H

#include "http/stream.h"

struct http_limits {
    uint32_t line;   /* bytes of a request or status line; 414 above */
    uint32_t fields; /* bytes of all field lines together; 431 above */
    uint32_t count;  /* fields; 431 above */
};
#define HTTP_LIMITS_DEFAULT                         \
    {                                               \
        .line = 8192, .fields = 32768, .count = 100 \
    }

/* --- server --- */

struct h1_server;

struct h1_server_events {
    /* A request: the owner sets stream->events and stream->owner, then gets `head` (already complete) by this
     * call and body and end by the stream's events. */
    void (*request)(void *owner, struct http_stream *stream, struct http_head *head);
    /* A request that cannot be: answer `status` (400, 414, 431, 501, 505) on the stream (events set as above); the
     * connection ends after it. The request counts as one without a body: `end` follows. `head` holds what was
     * understood, for the log (may be empty, owner's). `why` is static: "two Content-Length fields". */
    void (*bad_request)(void *owner, struct http_stream *stream, struct http_head *head, unsigned status,
                        const char *why);
};

/* Where a server session is, for timeouts and for closing idle connections. */
enum h1_server_state {
    H1_SERVER_IDLE,     /* between requests, nothing received */
    H1_SERVER_HEAD,     /* part of a head received */
    H1_SERVER_EXCHANGE, /* a request under way */
    H1_SERVER_TUNNEL,
    H1_SERVER_CLOSED, /* no further request will be taken; the sink was told to close */
};

/* limits is borrowed and read at each request. NULL when out of memory. */
struct h1_server *h1_server_new(const struct http_sink *sink, const struct http_limits *limits,
                                const struct h1_server_events *events, void *owner);
void h1_server_free(struct h1_server *s); /* a stream under way gets `aborted` first; NULL is fine */
void h1_server_set_limits(struct h1_server *s, const struct http_limits *limits);
/* Pushes bytes; returns how many were taken. Less than n: the rest is to be pushed again after sink->resume (a
 * request's body is not wanted now, or the response of the request before is still under way). */
size_t h1_server_recv(struct h1_server *s, const uint8_t *p, size_t n);
/* The peer sends no more; to be called once all that it sent was taken, or will not be. Under way: HTTP_ERROR_CLOSED to the stream unless its request is complete. */
void h1_server_eof(struct h1_server *s);
void h1_server_writable(struct h1_server *s);         /* the sink has room again */
bool h1_server_wants_recv(const struct h1_server *s); /* pure */
enum h1_server_state h1_server_state(const struct h1_server *s);
/* No keep-alive after the request under way; at once if idle. For shutdown. */
void h1_server_drain(struct h1_server *s);

/* --- client --- */

struct h1_client;

/* limits is borrowed. NULL when out of memory. */
/* The sink is told to close when the connection cannot be used again: after a stream's last event, so that its owner
 * sees the stream's end first. */
struct h1_client *h1_client_new(const struct http_sink *sink, const struct http_limits *limits);
void h1_client_free(struct h1_client *c); /* a stream under way gets `aborted` first; NULL is fine */
/* A stream for one request on an idle connection; NULL if one is under way or the connection cannot be reused.
 * The caller sets events and owner, then http_stream_head with the request. */
struct http_stream *h1_client_request(struct h1_client *c);
size_t h1_client_recv(struct h1_client *c, const uint8_t *p, size_t n);
/* Bytes read directly: h1_client_room asks the stream's owner for a place for the next body bytes, at most as many
 * as surely are payload; {NULL, 0} if they have to go through recv. */
struct span h1_client_room(struct h1_client *c);
void h1_client_filled(struct h1_client *c, size_t n);
void h1_client_eof(struct h1_client *c);
/* The connection broke (a reset, say): what had come is not complete, however it is framed. */
void h1_client_abort(struct h1_client *c, const char *why);
void h1_client_writable(struct h1_client *c);
bool h1_client_wants_recv(const struct h1_client *c); /* pure; true when idle (to see EOF) */
/* Nothing under way and the connection may carry another request. */
bool h1_client_is_idle(const struct h1_client *c);
/* Has a byte of the response to the request under way been seen? (decides whether it may be retried) */
bool h1_client_got_response(const struct h1_client *c);

#endif
