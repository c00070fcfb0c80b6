/* SPDX-License-Identifier: MIT
 *
 * Owns the free buffers and the queues' order. Two invariants. Of the pool: `lent` counts the buffers that are out,
 * and none of them is on a free list. Of a queue: every buffer in it has content, but for the tail between
 * bufq_lend and the next call; so an empty queue holds no buffer, and `bytes` is the sum of all contents. Where
 * AddressSanitizer runs, the data of a free buffer is poisoned, so that use after pool_put shows at once.
 */
#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_FREE 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_FREE 1
#endif

#ifdef POISON_FREE
#include <sanitizer/asan_interface.h>
#define poison(buf)   ASAN_POISON_MEMORY_REGION((buf)->data, (buf)->cap)
#define unpoison(buf) ASAN_UNPOISON_MEMORY_REGION((buf)->data, (buf)->cap)
#else
#define poison(buf)   ((void)(buf))
#define unpoison(buf) ((void)(buf))
#endif

enum size { SMALL, LARGE, SIZES };

static const uint32_t caps[] = {[SMALL] = BUF_SMALL, [LARGE] = BUF_LARGE};
_Static_assert(sizeof caps / sizeof caps[0] == SIZES, "a capacity for each size");

struct shelf {
    struct buf *free;
    unsigned count, keep;
};

struct pool {
    struct shelf shelves[SIZES];
    size_t lent;
};

struct pool *pool_new(unsigned keep_large, unsigned keep_small)
{
    struct pool *pool = mem_zalloc(sizeof *pool);

    if (pool == NULL)
        return NULL;
    pool->shelves[SMALL].keep = keep_small;
    pool->shelves[LARGE].keep = keep_large;
    return pool;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->lent == 0);
    pool_trim(pool);
    mem_free(pool);
}

struct buf *pool_get(struct pool *pool, size_t min)
{
    enum size size = min <= BUF_SMALL ? SMALL : LARGE;
    struct shelf *shelf = &pool->shelves[size];
    struct buf *buf = shelf->free;

    assert(min <= BUF_LARGE);
    if (buf != NULL) {
        shelf->free = buf->next;
        shelf->count--;
        unpoison(buf);
    } else {
        buf = mem_alloc(sizeof *buf + caps[size]);
        if (buf == NULL)
            return NULL;
        buf->cap = caps[size];
    }
    buf->next = NULL;
    buf->pos = buf->end = 0;
    pool->lent++;
    return buf;
}

bool pool_widen(struct pool *pool, struct buf **buf, size_t cap)
{
    struct buf *old = *buf, *wider;

    if (old != NULL && old->cap >= cap)
        return true;
    wider = pool_get(pool, cap);
    if (wider == NULL)
        return false;
    if (old != NULL) {
        memcpy(wider->data, old->data, old->end);
        wider->pos = old->pos;
        wider->end = old->end;
        pool_put(pool, old);
    }
    *buf = wider;
    return true;
}

void pool_put(struct pool *pool, struct buf *buf)
{
    struct shelf *shelf;

    if (buf == NULL)
        return;
    assert(pool->lent > 0);
    pool->lent--;
    shelf = &pool->shelves[buf->cap == BUF_SMALL ? SMALL : LARGE];
    if (shelf->count >= shelf->keep) {
        mem_free(buf);
        return;
    }
    buf->next = shelf->free;
    shelf->free = buf;
    shelf->count++;
    poison(buf);
}

void pool_trim(struct pool *pool)
{
    for (enum size size = SMALL; size < SIZES; size++) {
        struct shelf *shelf = &pool->shelves[size];

        while (shelf->free != NULL) {
            struct buf *buf = shelf->free;

            shelf->free = buf->next;
            unpoison(buf);
            mem_free(buf);
        }
        shelf->count = 0;
    }
}

size_t pool_lent(const struct pool *pool)
{
    return pool->lent;
}

/* ---- queues ---- */

static bool is_empty(const struct buf *buf)
{
    return buf->pos == buf->end;
}

static void link_tail(struct bufq *q, struct buf *buf)
{
    buf->next = NULL;
    if (q->tail != NULL)
        q->tail->next = buf;
    else
        q->head = buf;
    q->tail = buf;
    q->buffers++;
}

/* A tail that was lent and got nothing goes back. Queues are a few buffers long, so the walk is short. */
static void drop_empty_tail(struct bufq *q)
{
    struct buf *before = NULL, *tail = q->tail;

    if (tail == NULL || !is_empty(tail))
        return;
    for (struct buf *b = q->head; b != tail; b = b->next)
        before = b;
    if (before != NULL)
        before->next = NULL;
    else
        q->head = NULL;
    q->tail = before;
    q->buffers--;
    pool_put(q->pool, tail);
}

struct span bufq_lend(struct bufq *q, size_t min)
{
    struct buf *tail = q->tail;

    assert(min <= BUF_LARGE);
    if (min == 0)
        min = 1;
    if (tail != NULL && is_empty(tail))
        tail->pos = tail->end = 0;
    if (tail == NULL || tail->cap - tail->end < min) {
        drop_empty_tail(q);
        tail = pool_get(q->pool, min);
        if (tail == NULL)
            return (struct span){NULL, 0};
        link_tail(q, tail);
    }
    return (struct span){tail->data + tail->end, tail->cap - tail->end};
}

void bufq_commit(struct bufq *q, size_t n)
{
    if (n == 0) {
        drop_empty_tail(q);
        return;
    }
    assert(q->tail != NULL && n <= q->tail->cap - q->tail->end);
    q->tail->end += (uint32_t)n;
    q->bytes += n;
}

/* Appends up to n bytes to a buffer's content; how many went in. */
static size_t fill(struct buf *buf, const uint8_t *p, size_t n)
{
    size_t room = buf->cap - buf->end;

    if (n > room)
        n = room;
    if (n > 0)
        memcpy(buf->data + buf->end, p, n);
    buf->end += (uint32_t)n;
    return n;
}

bool bufq_put(struct bufq *q, const void *p, size_t n)
{
    struct bufq more = {.pool = q->pool};
    const uint8_t *from = p;
    size_t room = q->tail == NULL ? 0 : q->tail->cap - q->tail->end;
    size_t done = 0;

    if (n == 0)
        return true;
    /* All the buffers first, so that a failure changes nothing. */
    for (size_t left = n > room ? n - room : 0; left > 0;) {
        struct buf *buf = pool_get(q->pool, left < BUF_LARGE ? left : BUF_LARGE);

        if (buf == NULL) {
            bufq_clear(&more);
            return false;
        }
        link_tail(&more, buf);
        left -= left < buf->cap ? left : buf->cap;
    }
    if (room > 0)
        done = fill(q->tail, from, n);
    while (more.head != NULL) {
        struct buf *buf = more.head;

        more.head = buf->next;
        done += fill(buf, from + done, n - done);
        link_tail(q, buf);
    }
    assert(done == n);
    q->bytes += n;
    return true;
}

void bufq_append(struct bufq *q, struct buf *buf)
{
    drop_empty_tail(q);
    if (is_empty(buf)) {
        pool_put(q->pool, buf);
        return;
    }
    link_tail(q, buf);
    q->bytes += buf->end - buf->pos;
}

int bufq_iov(const struct bufq *q, struct iovec *iov, int max)
{
    int n = 0;

    for (struct buf *b = q->head; b != NULL && n < max && !is_empty(b); b = b->next)
        iov[n++] = (struct iovec){b->data + b->pos, b->end - b->pos};
    return n;
}

struct bytes bufq_front(const struct bufq *q)
{
    if (q->bytes == 0)
        return (struct bytes){NULL, 0};
    return bytes_of(q->head->data + q->head->pos, q->head->end - q->head->pos);
}

void bufq_drop(struct bufq *q, size_t n)
{
    assert(n <= q->bytes);
    q->bytes -= n;
    while (n > 0) {
        struct buf *head = q->head;
        size_t has;

        assert(head != NULL);
        has = head->end - head->pos;
        if (n < has) {
            head->pos += (uint32_t)n;
            return;
        }
        n -= has;
        q->head = head->next;
        if (q->head == NULL)
            q->tail = NULL;
        q->buffers--;
        pool_put(q->pool, head);
    }
    drop_empty_tail(q);
}

void bufq_clear(struct bufq *q)
{
    while (q->head != NULL) {
        struct buf *head = q->head;

        q->head = head->next;
        pool_put(q->pool, head);
    }
    q->tail = NULL;
    q->bytes = 0;
    q->buffers = 0;
}
