/* SPDX-License-Identifier: MIT
 *
 * The event loop. A turn is: wait, then for each event its handler and the tasks that it posted, then timers
 * likewise, then deferred destructors. The invariant that makes it safe to unwatch anything from anywhere:
 * the batch of events is kept here while it is handled, and what is unwatched is struck from the rest of it.
 * Work per turn is bounded (events by the batch, tasks by a budget, timers by those due when it began), since
 * one that posts itself for ever must not starve the others.
 */
#include "net/loop.h"

#include "base/mem.h"
#include "base/time.h"
#include "net/timer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, TASKS_PER_TURN = 1024, WORK_US = 1000 };
/* Free buffers that the pool holds on to: 416 KB and 258 KB at most, none at the start. */
enum { KEEP_LARGE = 24, KEEP_SMALL = 64 };
/* How often memory that is kept for the next to come is given back: under load most of it is taken again within
 * milliseconds, at the cost of a few hundred allocations. */
enum { TRIM_MS = 5000 };

/* To be woken costs as much as half a request, with caches gone cold and a hypervisor asked. Under load a turn that finds
 * nothing ready sleeps for a moment first, in which events gather: a moment that brings fewer than COMPANY of them, as
 * with a few clients that wait for each answer, is not tried again for the next APART turns. A kernel adds its own slack
 * to the moment, 50 us on Linux. */
enum { MOMENT_NS = 20 * 1000, SLACK_NS = 100 * 1000, COMPANY = 6, APART = 1000 };

/* Always on in what epoll reports, so it costs nothing to ask for; it keeps `events` of a registered watch
 * from being 0. */
#define REGISTERED ((uint32_t)EPOLLERR)

struct queue {
    struct task *head, *tail;
};

struct loop {
    int epoll;
    bool turning;
    uint64_t now_us, now; /* the clock in two units, as the turn began */
    uint64_t worked_us;   /* in this turn */
    bool coarse;          /* a moment would last as long as a tick */
    unsigned apart;       /* turns left in which events are taken as they come */
    uint64_t trim_at;     /* the clock in ms; UINT64_MAX: no turn since memory was given back */
    struct pool *pool;
    uint8_t *scratch;
    struct queue tasks, deferred;
    struct timers timers;
    struct epoll_event batch[BATCH];
    int batch_next, batch_count; /* events [next, count) are still to come */
};

/* ---- queues of tasks ---- */

static void queue_put(struct queue *q, struct task *t)
{
    t->next = NULL;
    t->posted = true;
    if (q->tail != NULL)
        q->tail->next = t;
    else
        q->head = t;
    q->tail = t;
}

static struct task *queue_take(struct queue *q)
{
    struct task *t = q->head;

    if (t == NULL)
        return NULL;
    q->head = t->next;
    if (q->head == NULL)
        q->tail = NULL;
    t->next = NULL;
    t->posted = false;
    return t;
}

static bool queue_remove(struct queue *q, struct task *t)
{
    struct task *before = NULL;

    for (struct task *at = q->head; at != NULL; before = at, at = at->next) {
        if (at != t)
            continue;
        if (before != NULL)
            before->next = t->next;
        else
            q->head = t->next;
        if (q->tail == t)
            q->tail = before;
        t->next = NULL;
        t->posted = false;
        return true;
    }
    return false;
}

void loop_post(struct loop *loop, struct task *task)
{
    if (!task->posted)
        queue_put(&loop->tasks, task);
}

void loop_unpost(struct loop *loop, struct task *task)
{
    if (task->posted)
        queue_remove(&loop->tasks, task); /* not there: it is deferred, which cannot be undone */
}

void loop_defer(struct loop *loop, struct task *task)
{
    if (task->posted && !queue_remove(&loop->tasks, task))
        return; /* deferred already */
    queue_put(&loop->deferred, task);
}

/* ---- watches ---- */

int loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
    bool known = watch->events != 0;
    struct epoll_event ev = {.events = events | REGISTERED, .data.ptr = watch};

    assert(watch->fd >= 0 && watch->ready != NULL);
    assert((events & ~(uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0);
    if (known && watch->events == ev.events)
        return 0;
    if (epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &ev) != 0) {
        /* The kernel's set follows the open file, not our watch: a descriptor that was closed and came back
         * is unknown there, one that was duplicated is still known. */
        if (known && errno == ENOENT) {
            if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &ev) != 0)
                return -1;
        } else if (!known && errno == EEXIST) {
            if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &ev) != 0)
                return -1;
        } else {
            return -1;
        }
    }
    watch->events = ev.events;
    return 0;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    struct epoll_event ev = {0};

    if (watch->events == 0)
        return;
    /* Fails where the descriptor is closed already: then there is nothing to do. */
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, &ev);
    watch->events = 0;
    for (int i = loop->batch_next; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

/* ---- a turn ---- */

static void take_time(struct loop *loop)
{
    loop->now_us = time_mono_us();
    loop->now = loop->now_us / 1000;
}

static void run_tasks(struct loop *loop, int *budget)
{
    while (*budget > 0) {
        struct task *t = queue_take(&loop->tasks);

        if (t == NULL)
            return;
        --*budget;
        t->run(t);
    }
}

static void run_timers(struct loop *loop, int *budget)
{
    struct timer *t;

    loop->timers.firing = loop->now;
    while ((t = timers_take(&loop->timers, loop->now)) != NULL) {
        t->fired(t);
        run_tasks(loop, budget);
    }
    loop->timers.firing = 0;
}

static void run_deferred(struct loop *loop)
{
    struct task *t;

    while ((t = queue_take(&loop->deferred)) != NULL)
        t->run(t);
}

/* After the last turn of a busy time there is one more, that gives back what is left. */
static void run_trim(struct loop *loop)
{
    if (loop->now >= loop->trim_at) {
        pool_trim(loop->pool);
        mem_trim();
        loop->trim_at = UINT64_MAX;
    } else if (loop->trim_at == UINT64_MAX) {
        loop->trim_at = loop->now + TRIM_MS;
    }
}

static int wait_ms(const struct loop *loop, int max_wait_ms)
{
    uint64_t next = timers_next(&loop->timers);
    uint64_t now, wait;

    if (next > loop->trim_at)
        next = loop->trim_at;
    if (loop->tasks.head != NULL || loop->deferred.head != NULL || max_wait_ms == 0)
        return 0;
    if (next == UINT64_MAX)
        return max_wait_ms;
    now = time_mono_ms(); /* the handlers of the turn before took their time */
    wait = next > now ? next - now : 0;
    if (max_wait_ms >= 0 && wait > (uint64_t)max_wait_ms)
        return max_wait_ms;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* Fills the batch: how many events it has, or -1 with errno. */
static int wait_for_events(struct loop *loop, int max_wait_ms)
{
    const struct timespec moment = {.tv_nsec = MOMENT_NS};
    int wait = wait_ms(loop, max_wait_ms);
    int n;

    if (wait == 0 || loop->coarse || loop->apart > 0) {
        if (loop->apart > 0)
            loop->apart--;
        return epoll_wait(loop->epoll, loop->batch, BATCH, wait);
    }
    n = epoll_wait(loop->epoll, loop->batch, BATCH, 0);
    if (n != 0)
        return n;
    if (nanosleep(&moment, NULL) != 0 && errno == EINTR)
        return -1; /* a signal ends the wait */
    n = epoll_wait(loop->epoll, loop->batch, BATCH, wait);
    if (n < COMPANY)
        loop->apart = APART;
    return n;
}

int loop_turn(struct loop *loop, int max_wait_ms)
{
    int budget = TASKS_PER_TURN;
    int n, error = 0;

    assert(!loop->turning);
    loop->turning = true;
    n = wait_for_events(loop, max_wait_ms);
    if (n < 0) {
        if (errno != EINTR)
            error = errno;
        n = 0;
    }
    take_time(loop);
    loop->worked_us = 0;
    /* Before any task: what it unwatches is struck from the batch. */
    loop->batch_next = 0;
    loop->batch_count = n;
    run_tasks(loop, &budget); /* posted outside of handlers, or left over */

    while (loop->batch_next < loop->batch_count) {
        struct epoll_event *ev = &loop->batch[loop->batch_next++];
        struct watch *watch = ev->data.ptr;
        uint32_t events;

        if (watch == NULL)
            continue;
        /* Less may be wanted by now than when the kernel was asked. */
        events = ev->events & (watch->events | EPOLLERR | EPOLLHUP);
        if (events == 0)
            continue;
        watch->ready(watch, events);
        run_tasks(loop, &budget);
    }
    loop->batch_next = loop->batch_count = 0;

    run_timers(loop, &budget);
    run_deferred(loop);
    run_trim(loop);
    loop->turning = false;
    errno = error;
    return error == 0 ? 0 : -1;
}

uint64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

uint64_t loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

struct span loop_scratch(struct loop *loop)
{
    return (struct span){.p = loop->scratch, .n = LOOP_SCRATCH};
}

bool loop_may_work(const struct loop *loop)
{
    return loop->worked_us < WORK_US;
}

void loop_worked(struct loop *loop, uint64_t us)
{
    loop->worked_us += us;
}

struct pool *loop_pool(struct loop *loop)
{
    return loop->pool;
}

struct timers *loop_timers(struct loop *loop)
{
    return &loop->timers;
}

/* A kernel without high-resolution timers says how long its tick is; slack is what whoever started us has set. */
static bool clock_is_coarse(void)
{
    struct timespec step;

    return clock_getres(CLOCK_MONOTONIC, &step) != 0 || step.tv_sec > 0 || step.tv_nsec > MOMENT_NS ||
           prctl(PR_GET_TIMERSLACK) > SLACK_NS;
}

struct loop *loop_new(void)
{
    struct loop *loop = mem_zalloc(sizeof *loop);

    if (loop == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    take_time(loop);
    loop->coarse = clock_is_coarse();
    loop->apart = APART;
    loop->trim_at = UINT64_MAX;
    loop->pool = pool_new(KEEP_LARGE, KEEP_SMALL);
    loop->scratch = mem_alloc(LOOP_SCRATCH);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->pool == NULL || loop->scratch == NULL || loop->epoll < 0) {
        int error = loop->epoll < 0 ? errno : ENOMEM;

        loop_free(loop);
        errno = error;
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    run_deferred(loop);
    while (queue_take(&loop->tasks) != NULL)
        ; /* they are not posted any more */
    timers_free(&loop->timers);
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->pool != NULL)
        pool_free(loop->pool);
    mem_free(loop->scratch);
    mem_free(loop);
}
