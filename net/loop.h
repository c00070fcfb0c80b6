/* SPDX-License-Identifier: MIT
 *
 * The event loop: level-triggered epoll, a heap of timers, and tasks that run right after the event that
 * asked for them. One thread. A watch or timer lives in its owner's struct; the owner keeps it until it is
 * unwatched or cleared. What an event handler frees goes through loop_defer, which runs when the batch of
 * events is over; an unwatched descriptor's event still in the batch is never delivered.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/buf.h"
#include "base/bytes.h"

#include <sys/epoll.h>

struct loop;

#define LOOP_SCRATCH (64u * 1024u)

struct loop *loop_new(void); /* NULL with errno */
void loop_free(struct loop *loop);

/* One turn: waits for events (at most max_wait_ms; negative is without limit), handles them, then timers due,
 * then deferred frees. Returns 0, or -1 with errno when epoll itself failed. */
int loop_turn(struct loop *loop, int max_wait_ms);

uint64_t loop_now(const struct loop *loop);    /* monotonic ms, taken once a turn */
uint64_t loop_now_us(const struct loop *loop); /* the same in microseconds */
/* The large buffer that reads go to; its content is valid until the handler returns or anyone reads again. */
struct span loop_scratch(struct loop *loop);
struct pool *loop_pool(struct loop *loop);

/* Work that is costly and that strangers may ask for without end (a handshake) has a bounded share of a turn, so that
 * a flood of it leaves the others theirs. Who finds the share used up leaves the event where it is: it comes again in
 * the next turn. */
bool loop_may_work(const struct loop *loop);
void loop_worked(struct loop *loop, uint64_t us); /* so long it took */

struct watch {
    int fd;
    uint32_t
        events; /* the loop's own: what epoll was told, with EPOLLERR while it is watched; 0 is not watched */
    void (*ready)(struct watch *watch, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP */
};

/* Makes the kernel's interest `events` (0 keeps it registered for errors alone); no system call if it is
 * already. First call registers; fd, ready are set by the caller before. 0, or -1 with errno. What is
 * reported is what is wanted when the handler is called, with EPOLLERR and EPOLLHUP always: EPOLLHUP comes
 * again each turn until the watch is gone. */
int loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
/* Forgets the watch; the caller closes the descriptor. Safe when never watched. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* A task runs once after the current event handler (or timer, or task) returns, in the order posted; posting
 * a posted task does nothing. */
struct task {
    struct task *next;
    bool posted;
    void (*run)(struct task *task);
};
void loop_post(struct loop *loop, struct task *task);
void loop_unpost(struct loop *loop, struct task *task);

/* Runs after the batch of events; for destructors. Cannot be undone. */
void loop_defer(struct loop *loop, struct task *task);

/* Timers: a binary heap. Setting a running timer to a later time costs nothing until it would have fired. */
struct timer {
    uint64_t due;   /* ms on loop_now's clock */
    uint64_t keyed; /* the heap's own */
    uint32_t slot;  /* the heap's own; 0 is not set */
    void (*fired)(struct timer *timer);
};
/* Fires once, not before `due`; in a later turn when it is set inside a timer's handler. False when out of
 * memory (only when the timer was not set before). */
bool timer_set(struct loop *loop, struct timer *timer, uint64_t due);
void timer_clear(struct loop *loop, struct timer *timer);
bool timer_is_set(const struct timer *timer);

#endif
