/* SPDX-License-Identifier: MIT
 *
 * Buffers that come from a pool when bytes arrive and go back when they are drained, and queues of them.
 * Two sizes: large takes a whole TLS record of either version with all that goes around it, small takes a
 * head or a handshake message. The pool keeps a bounded number of each for the next to come.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

#include <sys/uio.h>

#define BUF_LARGE 17344u /* bytes of data; a TLS 1.2 record in and out (BearSSL wants 16709), 1.3 likewise */
#define BUF_SMALL 4032u

struct pool;

/* Bytes [pos, end) of data are content. */
struct buf {
    struct buf *next;
    uint32_t pos, end, cap;
    uint8_t data[];
};

/* keep_large, keep_small: how many free buffers to hold on to. NULL when out of memory. */
struct pool *pool_new(unsigned keep_large, unsigned keep_small);
void pool_free(struct pool *pool); /* all buffers are back, or it asserts */
struct buf *pool_get(struct pool *pool,
                     size_t min); /* cap >= min (<= BUF_LARGE), empty; NULL when out of memory */
/* Makes *buf take `cap` bytes in all (<= BUF_LARGE): a wider one takes over its content; NULL becomes an empty one. False
 * when out of memory: it is as it was. */
bool pool_widen(struct pool *pool, struct buf **buf, size_t cap);
void pool_put(struct pool *pool, struct buf *buf); /* NULL is fine; content is not wiped */
/* Frees what the pool holds on to. */
void pool_trim(struct pool *pool);
size_t pool_lent(const struct pool *pool); /* buffers out now */

/* A first-in first-out queue of bytes in pool buffers. Zero-initialise with its pool. */
struct bufq {
    struct pool *pool;
    struct buf *head, *tail;
    size_t bytes;     /* content in all */
    unsigned buffers; /* how many it holds */
};

/* Room of at least min bytes (<= BUF_LARGE) at the tail, takes a buffer of that size if need be; {NULL, 0} when
 * out of memory. What is written there counts after bufq_commit; the room is valid until the next call that changes
 * the queue. A caller that wrote nothing commits 0, which gives an unused buffer back. */
struct span bufq_lend(struct bufq *q, size_t min);
void bufq_commit(struct bufq *q, size_t n);
/* Copies all of it in, or nothing: false when out of memory. */
bool bufq_put(struct bufq *q, const void *p, size_t n);
/* Appends a buffer with its content; the queue owns it now. */
void bufq_append(struct bufq *q, struct buf *buf);
/* The first bytes as at most `max` vectors for writev; returns how many. */
int bufq_iov(const struct bufq *q, struct iovec *iov, int max);
/* The first run of contiguous content. */
struct bytes bufq_front(const struct bufq *q);
/* Drops n bytes from the front; empty buffers go back to the pool. */
void bufq_drop(struct bufq *q, size_t n);
void bufq_clear(struct bufq *q);

#endif
