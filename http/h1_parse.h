/* SPDX-License-Identifier: MIT
 *
 * Private to http/h1_*: the incremental parser of heads (RFC 9112 §2 to §6) and of trailer sections (§7.1.2).
 * Bytes are pushed; each is looked at once, however small the pieces. A head that lies complete in what is pushed
 * is parsed where it lies and then copied into one allocation; else it is collected in the head under
 * construction. Where it stops, in pieces or not, and with what error, does not depend on how the bytes are cut.
 */
#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

#include "http/h1.h"

enum h1_kind { H1_REQUEST, H1_RESPONSE, H1_TRAILERS };

enum h1_parse {
    H1_MORE, /* all was taken and the section goes on */
    H1_DONE,
    H1_BAD,    /* see status and why */
    H1_MEMORY, /* out of memory */
};

/* What the fields said so far; each is seen at most once unless it is said otherwise. */
enum h1_seen {
    H1_SEEN_HOST = 1,
    H1_SEEN_LENGTH = 2,
    H1_SEEN_TRANSFER_ENCODING = 4,
    H1_SEEN_CLOSE = 8,       /* Connection: close, any number of times, as the next */
    H1_SEEN_KEEP_ALIVE = 16, /* Connection: keep-alive */
    H1_SEEN_UPGRADE = 32,    /* Connection: upgrade */
    H1_SEEN_PROTOCOL = 64,   /* an Upgrade field that names more than h2c */
    H1_SEEN_CONTINUE = 128,  /* Expect: 100-continue */
};

struct h1_parser {
    struct http_head *head; /* under construction; NULL while nothing had to be kept */
    const char *why;        /* what was wrong; static */
    uint64_t length;        /* Content-Length's value */
    uint32_t at;            /* bytes of the section that are parsed */
    uint32_t mark;          /* where the element under way began */
    uint32_t name_len;      /* of the field under way; its name began at `name` */
    uint32_t name;
    uint32_t fields; /* where the field lines began */
    uint16_t status; /* the answer to a bad request */
    uint8_t kind, state;
    uint8_t options; /* members of Connection so far */
    uint8_t skipped; /* empty lines before the request line */
    uint8_t seen;    /* enum h1_seen */
};

void h1_parser_start(struct h1_parser *ps, enum h1_kind kind);
void h1_parser_stop(struct h1_parser *ps); /* frees the head under construction */
/* Takes bytes: *used of them. On H1_DONE *head is complete and the caller's: NULL for trailers without a field. On
 * H1_BAD it is what was understood, or NULL when out of memory for that too. */
enum h1_parse h1_parser_recv(struct h1_parser *ps, const struct http_limits *limits, const uint8_t *p,
                             size_t n, size_t *used, struct http_head **head);

/* --- h1_meaning.c, for the parser alone: each returns false having called h1_parser_bad --- */

/* An Upgrade member that asks for HTTP/2 in the clear, with a version or without: never passed on. */
bool h1_is_h2c(struct bytes protocol);
bool h1_parser_bad(struct h1_parser *ps, unsigned status, const char *why);
/* A field line is complete. */
bool h1_field_seen(struct h1_parser *ps, struct http_head *h, struct http_field *f);
/* The request's target is complete: its form, path and authority (RFC 9112 §3.2). */
bool h1_target_seen(struct h1_parser *ps, struct http_head *h);
/* The head is complete: framing (§6), persistence (§9.3), upgrade. */
bool h1_head_seen(struct h1_parser *ps, struct http_head *h);
/* A target's path that is no part of its text (`http://host?q`) is made, once the head is its own. */
bool h1_target_finish(struct http_head *h);

#endif
