/* SPDX-License-Identifier: MIT
 *
 * What the server and the client of TLS 1.2 share: BearSSL's record engine behind our face. Private to tls/.
 *
 * BearSSL owns 33 KB of buffers per connection in the usual way of using it. Here its pointers are set only while
 * they are needed: input to one whole record, wherever it lies (the caller's memory or a pool buffer), until its
 * data is consumed; output from the first lent span to the sealed record.
 */
#ifndef TLS_BEAR12_H
#define TLS_BEAR12_H

#include "tls/engine.h"

struct bear12 {
    struct tls_engine engine;
    br_ssl_engine_context *eng;
    struct buf *in;   /* a record under collection, or one whose data is held */
    struct buf *out;  /* the record under construction */
    uint8_t head[5];  /* of the record under collection */
    uint8_t head_len; /* 5 from when `in` is there until the record is whole */
    uint8_t strays;   /* records that are no application data since the handshake */
    bool resumed;
    uint8_t offered[32]; /* the session id that the client offered, if any */
    bool has_offered;
};

/* Before BearSSL's reset: gives it an output buffer, the sizes, and random bytes. False when out of memory; the core
 * has failed then. The structs are cleared before. */
bool bear12_begin(struct bear12 *b, struct tls_core *core, br_ssl_engine_context *eng);
/* After the reset: collects what it has to say, gives back what it does not need. */
void bear12_started(struct bear12 *b);
/* Gives buffers back. The caller wipes and frees the struct. */
void bear12_release(struct bear12 *b);

/* What one of BearSSL's error numbers is to the peer and in words (static). */
struct bear12_error {
    uint8_t alert;
    const char *text;
};
struct bear12_error bear12_error_of(int err);
/* In words, an alert that BearSSL's handshake has sent by itself. */
const char *bear12_sent_text(uint8_t alert);

/* The engine class's functions. */
size_t bear12_recv(struct tls_engine *e, uint8_t *p, size_t n);
struct bytes bear12_data(const struct tls_engine *e);
void bear12_consume(struct tls_engine *e, size_t n);
bool bear12_hold(struct tls_engine *e);
struct span bear12_lend(struct tls_engine *e);
void bear12_commit(struct tls_engine *e, size_t n);
void bear12_seal(struct tls_engine *e);
void bear12_alert(struct tls_engine *e, uint8_t alert);
bool bear12_idle(const struct tls_engine *e);
struct tls_info bear12_info(const struct tls_engine *e);

#endif
