/* SPDX-License-Identifier: MIT
 *
 * The heap behind timer_set and timer_clear. Between net/loop.c and net/timer.c alone; users include
 * net/loop.h.
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include "net/loop.h"

/* A zeroed one is empty. heap[0] is never used, so that slot 0 can say "not set". */
struct timers {
    struct timer **heap;
    uint32_t count, cap;
    uint64_t firing; /* while handlers are called, the time up to which timers are due; else 0 */
};

/* The heap that lives in a loop. */
struct timers *loop_timers(struct loop *loop);

/* When to look next: never later than the first timer is due, earlier if that one was set to a later time
 * since. UINT64_MAX when no timer is set. */
uint64_t timers_next(const struct timers *timers);
/* Takes out a timer that is due at `now`; NULL when none is. */
struct timer *timers_take(struct timers *timers, uint64_t now);
/* Frees the heap; the timers still in it are not set any more. */
void timers_free(struct timers *timers);

#endif
