/* SPDX-License-Identifier: MIT
 *
 * Private to http/h1_*: writes heads and frames bodies (RFC 9112 §3, §4, §6, §7.1). Framing is made here from what
 * the caller decided; of the head's own fields those that frame or name a connection are never copied.
 */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

#include "http/stream.h"

/* How the outgoing body is delimited. */
enum h1_framing {
    H1_FRAME_NOTHING, /* no body, and nothing is said about one */
    H1_FRAME_EMPTY,   /* no body: Content-Length: 0 */
    H1_FRAME_LENGTH,  /* Content-Length */
    H1_FRAME_CHUNKED,
    H1_FRAME_RAW, /* until the connection ends: nothing is said */
};

/* Where an outgoing message is. */
enum h1_out_state {
    H1_OUT_HEAD,   /* awaits its head */
    H1_OUT_NOBODY, /* awaits its end */
    H1_OUT_LENGTH,
    H1_OUT_CHUNKED,
    H1_OUT_RAW,
    H1_OUT_ENDED,
};

struct h1_out {
    uint64_t left; /* with H1_OUT_LENGTH: body bytes still to be written */
    uint8_t *lent; /* the span lent to the owner, behind the room for a chunk size; NULL if none */
    uint32_t lent_n;
    uint8_t state; /* enum h1_out_state */
    bool starved;  /* lend gave none: `writable` is due */
};

/* The head with its framing. `connection` is what the Connection field says, NULL for no such field; the Upgrade
 * field goes out with `upgrade` alone, without h2c. False when out of memory. `*full` is set when the sink lent nothing:
 * `writable` is due. */
bool h1_write_request(const struct http_sink *sink, const struct http_head *head, enum h1_framing framing,
                      const char *connection, bool upgrade);
bool h1_write_response(const struct http_sink *sink, const struct http_head *head, enum h1_framing framing,
                       const char *connection, bool upgrade, bool *full);

/* The body that follows such a head. */
void h1_out_start(struct h1_out *out, enum h1_framing framing, uint64_t length);
struct span h1_out_lend(struct h1_out *out, const struct http_sink *sink, size_t want);
void h1_out_commit(struct h1_out *out, const struct http_sink *sink, size_t n);
/* Ends the message. False when it is short of its length, or out of memory. */
bool h1_out_end(struct h1_out *out, const struct http_sink *sink, const struct http_head *trailers);

#endif
