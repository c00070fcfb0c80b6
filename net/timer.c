/* SPDX-License-Identifier: MIT
 *
 * Timers: a binary heap of pointers, ordered by `keyed`. The invariant is keyed <= due for each timer: most
 * timeouts are only ever moved further away (each byte of a connection does it) and never fire, so that move
 * writes `due` alone, and the heap puts the timer in its place when its old time has come. A timer's slot is
 * its place in the heap, which makes removal direct. The one exception: what a handler sets to a time that
 * has come is keyed a millisecond ahead, else a timer that sets itself anew would hold up its turn for ever.
 */
#include "net/timer.h"

#include "base/mem.h"

#include <assert.h>

enum { HEAP_FIRST = 64 };

static void place(struct timers *ts, uint32_t slot, struct timer *t)
{
    ts->heap[slot] = t;
    t->slot = slot;
}

static void sift_up(struct timers *ts, struct timer *t)
{
    uint32_t slot = t->slot;

    while (slot > 1 && ts->heap[slot / 2]->keyed > t->keyed) {
        place(ts, slot, ts->heap[slot / 2]);
        slot /= 2;
    }
    place(ts, slot, t);
}

static void sift_down(struct timers *ts, struct timer *t)
{
    uint32_t slot = t->slot;

    while (slot <= ts->count / 2) {
        uint32_t child = slot * 2;

        if (child < ts->count && ts->heap[child + 1]->keyed < ts->heap[child]->keyed)
            child++;
        if (ts->heap[child]->keyed >= t->keyed)
            break;
        place(ts, slot, ts->heap[child]);
        slot = child;
    }
    place(ts, slot, t);
}

static bool grow(struct timers *ts)
{
    uint32_t cap = ts->cap == 0 ? HEAP_FIRST : ts->cap * 2;
    struct timer **heap;

    /* More timers than 2^30 would not fit into memory before. */
    if (cap > UINT32_MAX / 4)
        return false;
    heap = mem_realloc(ts->heap, cap * sizeof(struct timer *));
    if (heap == NULL)
        return false;
    ts->heap = heap;
    ts->cap = cap;
    return true;
}

static void take_out(struct timers *ts, struct timer *t)
{
    uint32_t slot = t->slot;
    struct timer *last = ts->heap[ts->count--];

    t->slot = 0;
    if (last == t)
        return;
    place(ts, slot, last);
    if (slot > 1 && ts->heap[slot / 2]->keyed > last->keyed)
        sift_up(ts, last);
    else
        sift_down(ts, last);
}

bool timer_set(struct loop *loop, struct timer *t, uint64_t due)
{
    struct timers *ts = loop_timers(loop);
    uint64_t key = due <= ts->firing ? ts->firing + 1 : due;

    if (t->slot != 0) {
        assert(t->slot <= ts->count && ts->heap[t->slot] == t);
        t->due = due;
        if (key < t->keyed) {
            t->keyed = key;
            sift_up(ts, t);
        }
        return true;
    }
    if (ts->count + 1 >= ts->cap && !grow(ts))
        return false;
    t->due = due;
    t->keyed = key;
    t->slot = ++ts->count;
    sift_up(ts, t);
    return true;
}

void timer_clear(struct loop *loop, struct timer *t)
{
    struct timers *ts = loop_timers(loop);

    if (t->slot == 0)
        return;
    assert(t->slot <= ts->count && ts->heap[t->slot] == t);
    take_out(ts, t);
}

bool timer_is_set(const struct timer *t)
{
    return t->slot != 0;
}

uint64_t timers_next(const struct timers *ts)
{
    return ts->count == 0 ? UINT64_MAX : ts->heap[1]->keyed;
}

struct timer *timers_take(struct timers *ts, uint64_t now)
{
    while (ts->count > 0 && ts->heap[1]->keyed <= now) {
        struct timer *t = ts->heap[1];

        if (t->due <= now) {
            take_out(ts, t);
            return t;
        }
        t->keyed = t->due;
        sift_down(ts, t);
    }
    return NULL;
}

void timers_free(struct timers *ts)
{
    for (uint32_t slot = 1; slot <= ts->count; slot++)
        ts->heap[slot]->slot = 0;
    mem_free(ts->heap);
    *ts = (struct timers){0};
}
