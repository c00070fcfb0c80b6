/* SPDX-License-Identifier: MIT
 *
 * Private to http/h1_*: takes the framing off a message's body (RFC 9112 §6, §7.1). Pulled, without a callback: a
 * session asks for the next step on the bytes it has, offers what is payload to the stream's owner, and says how
 * much of that was taken. So an owner may do anything to the session in between.
 */
#ifndef HTTP_H1_BODY_H
#define HTTP_H1_BODY_H

#include "http/h1_parse.h"

enum h1_step {
    H1_STEP_MORE, /* all bytes are used and the message goes on */
    H1_STEP_DATA, /* payload begins at p + used; see `data` */
    H1_STEP_END,  /* the message is complete; trailers as below */
    H1_STEP_BAD,  /* malformed: see why */
    H1_STEP_MEMORY,
};

struct h1_body {
    uint64_t left;  /* payload bytes to come: of the message, or of the chunk */
    uint16_t line;  /* bytes of the chunk-size line so far */
    uint8_t digits; /* of the chunk size */
    uint8_t kind;   /* enum http_body */
    uint8_t state;
    const char *why;
    struct http_head *trailers; /* at the end; NULL for none. Whoever took the end frees it. */
};

void h1_body_start(struct h1_body *b, enum http_body kind, uint64_t length);
void h1_body_stop(struct h1_body *b); /* frees trailers nobody took */
/* The next step on n bytes: *used of them were framing, then `*data` is a run of payload in them. `parser` is the
 * session's, free while a body is under way; trailers are parsed by it. */
enum h1_step h1_body_next(struct h1_body *b, struct h1_parser *parser, const struct http_limits *limits,
                          const uint8_t *p, size_t n, size_t *used, struct bytes *data);
/* n bytes of the run of payload were taken. */
void h1_body_took(struct h1_body *b, size_t n);
/* How many bytes that come next are surely payload; 0 when framing comes next. SIZE_MAX: without end. */
size_t h1_body_payload(const struct h1_body *b);
/* Nothing more belongs to it. */
bool h1_body_is_complete(const struct h1_body *b);
/* Would the end of the connection be this body's proper end? */
bool h1_body_ends_by_close(const struct h1_body *b);

#endif
