/* SPDX-License-Identifier: MIT
 *
 * The loop: what is delivered, in which order, and what must not be.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* One end of a pipe with what happens when it is ready. */
struct end {
    struct watch watch; /* first */
    struct loop *loop;
    int other;
    unsigned calls;
    uint32_t last;
    struct end *unwatches; /* and closes */
    struct task *posts;
    bool frees;
    struct task free;
};

static char order[64];

static void note(char c)
{
    size_t n = strlen(order);

    if (n + 1 < sizeof order) {
        order[n] = c;
        order[n + 1] = 0;
    }
}

static void ready(struct watch *watch, uint32_t events)
{
    struct end *e = (struct end *)watch;
    char byte;

    e->calls++;
    e->last = events;
    note('e');
    if ((events & EPOLLIN) != 0 && read(watch->fd, &byte, 1) < 0)
        FAIL("ready, and nothing to read");
    if (e->unwatches != NULL)
        loop_unwatch(e->loop, &e->unwatches->watch);
    if (e->posts != NULL)
        loop_post(e->loop, e->posts);
    if (e->frees) {
        loop_unwatch(e->loop, watch);
        loop_defer(e->loop, &e->free);
    }
}

static struct end end_of_pipe(struct loop *loop)
{
    int fds[2] = {-1, -1};

    CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    return (struct end){
        .watch = {.fd = fds[0], .ready = ready},
          .loop = loop, .other = fds[1]
    };
}

static void end_close(struct end *e)
{
    loop_unwatch(e->loop, &e->watch);
    close(e->watch.fd);
    close(e->other);
}

static void poke(const struct end *e)
{
    CHECK_EQ(write(e->other, "x", 1), 1);
}

TEST(delivers_while_there_is_something)
{
    struct loop *loop = loop_new();
    struct end e = end_of_pipe(loop);

    CHECK_EQ(loop_watch(loop, &e.watch, EPOLLIN), 0);
    CHECK_EQ(loop_turn(loop, 0), 0);
    CHECK_EQ(e.calls, 0);
    poke(&e);
    poke(&e);
    CHECK_EQ(loop_turn(loop, -1), 0); /* level-triggered: one byte is read, one stays */
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(loop_turn(loop, 0), 0);
    CHECK_EQ(e.calls, 2);
    CHECK_EQ(e.last, EPOLLIN);
    end_close(&e);
    loop_free(loop);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(interest_of_nothing_hears_of_errors_alone)
{
    struct loop *loop = loop_new();
    struct end e = end_of_pipe(loop);

    CHECK_EQ(loop_watch(loop, &e.watch, 0), 0);
    CHECK(e.watch.events != 0); /* it is watched */
    poke(&e);
    CHECK_EQ(loop_turn(loop, 0), 0);
    CHECK_EQ(e.calls, 0);
    close(e.other);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(e.calls, 1);
    CHECK_EQ(e.last, EPOLLHUP);
    loop_unwatch(loop, &e.watch);
    CHECK_EQ(e.watch.events, 0);
    loop_unwatch(loop, &e.watch); /* once more does nothing */
    close(e.watch.fd);
    loop_free(loop);
}

TEST(unwatched_in_the_batch_is_not_delivered)
{
    struct loop *loop = loop_new();
    struct end a = end_of_pipe(loop), b = end_of_pipe(loop);

    CHECK_EQ(loop_watch(loop, &a.watch, EPOLLIN), 0);
    CHECK_EQ(loop_watch(loop, &b.watch, EPOLLIN), 0);
    a.unwatches = &b;
    b.unwatches = &a;
    poke(&a);
    poke(&b);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(a.calls + b.calls, 1);
    CHECK_EQ(loop_turn(loop, 0), 0);
    CHECK_EQ(a.calls + b.calls, 1);
    end_close(&a);
    end_close(&b);
    loop_free(loop);
}

/* The second of two takes its interest back while its event waits in the batch. */
static struct end *calmed;

static void calm(struct watch *watch, uint32_t events)
{
    struct end *e = (struct end *)watch;

    (void)events;
    e->calls++;
    CHECK_EQ(loop_watch(e->loop, &calmed[0].watch, 0), 0);
    CHECK_EQ(loop_watch(e->loop, &calmed[1].watch, 0), 0);
}

struct unwatcher {
    struct task task; /* first */
    struct end *end;
};

static void run_unwatcher(struct task *task)
{
    struct unwatcher *u = (struct unwatcher *)task;

    loop_unwatch(u->end->loop, &u->end->watch);
}

/* Tasks that were posted between two turns run before the batch's first event, and it has begun by then. */
TEST(unwatched_by_a_task_before_the_batch_is_not_delivered)
{
    struct loop *loop = loop_new();
    struct end e = end_of_pipe(loop);
    struct unwatcher u = {.task.run = run_unwatcher, .end = &e};

    CHECK_EQ(loop_watch(loop, &e.watch, EPOLLIN), 0);
    close(e.other); /* EPOLLHUP, which comes whatever is watched for */
    e.other = -1;
    loop_post(loop, &u.task);
    CHECK_EQ(loop_turn(loop, 0), 0);
    CHECK_EQ(e.calls, 0);
    end_close(&e);
    loop_free(loop);
}

TEST(interest_dropped_in_the_batch_is_not_delivered)
{
    struct loop *loop = loop_new();
    struct end e[2] = {end_of_pipe(loop), end_of_pipe(loop)};

    calmed = e;
    for (int i = 0; i < 2; i++) {
        e[i].watch.ready = calm;
        CHECK_EQ(loop_watch(loop, &e[i].watch, EPOLLIN), 0);
        poke(&e[i]);
    }
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(e[0].calls + e[1].calls, 1);
    end_close(&e[0]);
    end_close(&e[1]);
    loop_free(loop);
}

TEST(a_descriptor_that_was_closed_behind_our_back)
{
    struct loop *loop = loop_new();
    struct end e = end_of_pipe(loop);
    int fds[2];

    CHECK_EQ(loop_watch(loop, &e.watch, EPOLLIN), 0);
    CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    CHECK_EQ(dup2(fds[0], e.watch.fd), e.watch.fd); /* another pipe under the same number */
    close(fds[0]);
    CHECK_EQ(loop_watch(loop, &e.watch, 0), 0);
    CHECK_EQ(loop_watch(loop, &e.watch, EPOLLIN), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(e.calls, 1);

    e.watch.events = 0; /* forgotten here and known to the kernel */
    CHECK_EQ(loop_watch(loop, &e.watch, EPOLLIN), 0);
    close(fds[1]);
    end_close(&e);
    loop_free(loop);
}

TEST(a_file_cannot_be_watched)
{
    struct loop *loop = loop_new();
    struct watch w = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC), .ready = ready};

    CHECK_EQ(loop_watch(loop, &w, EPOLLIN), -1);
    CHECK_EQ(errno, EPERM);
    CHECK_EQ(w.events, 0);
    close(w.fd);
    loop_free(loop);
}

/* ---- tasks ---- */

struct job {
    struct task task; /* first */
    struct loop *loop;
    char name;
    unsigned runs;
    struct job *posts, *unposts;
};

static void run(struct task *task)
{
    struct job *j = (struct job *)task;

    j->runs++;
    if (j->name != 0)
        note(j->name);
    if (j->posts != NULL)
        loop_post(j->loop, &j->posts->task);
    if (j->unposts != NULL)
        loop_unpost(j->loop, &j->unposts->task);
}

TEST(tasks_run_after_their_event)
{
    struct loop *loop = loop_new();
    struct end a = end_of_pipe(loop), b = end_of_pipe(loop);
    struct job second = {.task.run = run, .loop = loop, .name = '2'};
    struct job first = {.task.run = run, .loop = loop, .name = '1', .posts = &second};

    order[0] = 0;
    a.posts = b.posts = &first.task;
    CHECK_EQ(loop_watch(loop, &a.watch, EPOLLIN), 0);
    CHECK_EQ(loop_watch(loop, &b.watch, EPOLLIN), 0);
    poke(&a);
    poke(&b);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_STR(order, "e12e12");
    end_close(&a);
    end_close(&b);
    loop_free(loop);
}

TEST(tasks_in_order_once_each)
{
    struct loop *loop = loop_new();
    struct job c = {.task.run = run, .loop = loop, .name = 'c'};
    struct job b = {.task.run = run, .loop = loop, .name = 'b'};
    struct job d = {.task.run = run, .loop = loop, .name = 'd'};
    struct job a = {.task.run = run, .loop = loop, .name = 'a', .posts = &d, .unposts = &c};

    order[0] = 0;
    loop_post(loop, &a.task);
    loop_post(loop, &b.task);
    loop_post(loop, &a.task);
    loop_post(loop, &c.task);
    loop_unpost(loop, &d.task);       /* is not posted */
    CHECK_EQ(loop_turn(loop, -1), 0); /* does not wait */
    CHECK_STR(order, "abd");
    CHECK(!a.task.posted && !c.task.posted);

    /* The last in the queue taken out, and others put behind what is left. */
    order[0] = 0;
    a.posts = a.unposts = NULL;
    loop_post(loop, &a.task);
    loop_post(loop, &b.task);
    loop_unpost(loop, &b.task);
    loop_post(loop, &c.task);
    loop_unpost(loop, &a.task);
    loop_post(loop, &d.task);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_STR(order, "cd");
    loop_free(loop);
}

TEST(a_task_that_posts_itself_starves_nobody)
{
    struct loop *loop = loop_new();
    struct end e = end_of_pipe(loop);
    struct job j = {.task.run = run, .loop = loop};

    j.posts = &j;
    CHECK_EQ(loop_watch(loop, &e.watch, EPOLLIN), 0);
    poke(&e);
    loop_post(loop, &j.task);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(e.calls, 1);
    CHECK(j.runs > 1);
    poke(&e);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(e.calls, 2);
    j.posts = NULL;
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK(!j.task.posted);
    end_close(&e);
    loop_free(loop);
}

static void post_from_timer(struct timer *timer);
struct ringer {
    struct timer timer;
    struct loop *loop;
    struct task *task;
};
static void post_from_timer(struct timer *timer)
{
    struct ringer *r = (struct ringer *)timer;

    note('t');
    loop_post(r->loop, r->task);
}

TEST(tasks_run_after_their_timer)
{
    struct loop *loop = loop_new();
    struct job j = {.task.run = run, .loop = loop, .name = 'j'};
    struct ringer r[2] = {
        {.timer.fired = post_from_timer, .loop = loop, .task = &j.task},
        {.timer.fired = post_from_timer, .loop = loop, .task = &j.task},
    };

    order[0] = 0;
    CHECK(timer_set(loop, &r[0].timer, 1));
    CHECK(timer_set(loop, &r[1].timer, 1));
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_STR(order, "tjtj");
    loop_free(loop);
}

/* ---- deferred ---- */

static void free_end(struct task *task)
{
    struct end *e = (struct end *)((char *)task - offsetof(struct end, free));

    note('f');
    close(e->watch.fd);
    close(e->other);
    mem_free(e);
}

TEST(deferred_after_the_batch)
{
    struct loop *loop = loop_new();
    struct end *e[3];

    order[0] = 0;
    for (int i = 0; i < 3; i++) {
        e[i] = mem_alloc(sizeof *e[i]);
        *e[i] = end_of_pipe(loop);
        e[i]->frees = true;
        e[i]->free.run = free_end;
        CHECK_EQ(loop_watch(loop, &e[i]->watch, EPOLLIN), 0);
        poke(e[i]);
    }
    /* Each frees itself, and takes its neighbour's event away: still each is freed after all. */
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_STR(order, "eeefff");
    loop_free(loop);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(deferred_cannot_be_undone_and_runs_once)
{
    struct loop *loop = loop_new();
    struct job j = {.task.run = run, .loop = loop};
    struct job left = {.task.run = run, .loop = loop};

    loop_post(loop, &j.task);
    loop_defer(loop, &j.task); /* from the one queue into the other */
    loop_defer(loop, &j.task);
    loop_unpost(loop, &j.task);
    loop_post(loop, &j.task);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(j.runs, 1);
    CHECK_EQ(loop_turn(loop, 0), 0);
    CHECK_EQ(j.runs, 1);

    loop_defer(loop, &left.task);
    loop_free(loop);
    CHECK_EQ(left.runs, 1);
}

/* ---- the rest ---- */

static void on_alarm(int signal)
{
    (void)signal;
}

TEST(a_signal_ends_the_wait_and_nothing_else)
{
    struct loop *loop = loop_new();
    struct sigaction action = {.sa_handler = on_alarm}, before;
    /* Again and again, in case the first comes before the wait. */
    struct itimerval soon = {.it_value.tv_usec = 1000, .it_interval.tv_usec = 1000}, off = {0};

    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &soon, NULL);
    CHECK_EQ(loop_turn(loop, -1), 0);
    setitimer(ITIMER_REAL, &off, NULL);
    sigaction(SIGALRM, &before, NULL);
    loop_free(loop);
}

enum { COMPANY = 8, ROUNDS = 3000 };

/* Another process that, for each byte it is asked with, makes all ends ready. */
static pid_t answers(const struct end *ends, int asked)
{
    pid_t pid = fork();
    char byte;

    if (pid != 0)
        return pid;
    while (read(asked, &byte, 1) == 1)
        for (int i = 0; i < COMPANY; i++)
            (void)!write(ends[i].other, "x", 1);
    _exit(0);
}

/* So many turns that the loop lets events gather in some of them: all are delivered, once each. */
TEST(events_that_come_while_others_gather)
{
    struct loop *loop = loop_new();
    struct end ends[COMPANY];
    int ask[2];
    pid_t pid;

    CHECK(pipe2(ask, O_CLOEXEC) == 0);
    for (int i = 0; i < COMPANY; i++) {
        ends[i] = end_of_pipe(loop);
        CHECK_EQ(loop_watch(loop, &ends[i].watch, EPOLLIN), 0);
    }
    pid = answers(ends, ask[0]);
    CHECK(pid > 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        CHECK_EQ(write(ask[1], "x", 1), 1);
        for (int i = 0; i < COMPANY; i++) {
            while (ends[i].calls < round)
                CHECK_EQ(loop_turn(loop, -1), 0);
            CHECK_EQ(ends[i].calls, round);
        }
    }
    close(ask[0]);
    close(ask[1]);
    kill(pid, SIGKILL);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < COMPANY; i++)
        end_close(&ends[i]);
    loop_free(loop);
}

TEST(waits_no_longer_than_told)
{
    struct loop *loop = loop_new();
    uint64_t before = loop_now(loop);

    CHECK_EQ(loop_turn(loop, 3), 0);
    CHECK(loop_now(loop) >= before + 2);
    CHECK_EQ(loop_scratch(loop).n, LOOP_SCRATCH);
    CHECK(loop_pool(loop) != NULL);
    loop_free(loop);
    loop_free(NULL);
}

TEST(out_of_memory)
{
    size_t before = mem_allocations(), n;

    loop_free(loop_new());
    n = mem_allocations() - before;
    CHECK(n >= 3);
    for (size_t i = 0; i < n; i++) {
        struct loop *loop;

        mem_fail_at((long)i, 1);
        loop = loop_new();
        mem_fail_at(-1, 0);
        CHECK(loop == NULL);
        CHECK_EQ(errno, ENOMEM);
        CHECK_EQ(mem_blocks(), 0);
    }
}

TEST_MAIN(RUN(delivers_while_there_is_something), RUN(interest_of_nothing_hears_of_errors_alone),
          RUN(unwatched_in_the_batch_is_not_delivered),
          RUN(unwatched_by_a_task_before_the_batch_is_not_delivered),
          RUN(interest_dropped_in_the_batch_is_not_delivered),
          RUN(a_descriptor_that_was_closed_behind_our_back), RUN(a_file_cannot_be_watched),
          RUN(tasks_run_after_their_event), RUN(tasks_in_order_once_each),
          RUN(a_task_that_posts_itself_starves_nobody), RUN(tasks_run_after_their_timer),
          RUN(deferred_after_the_batch), RUN(deferred_cannot_be_undone_and_runs_once),
          RUN(a_signal_ends_the_wait_and_nothing_else), RUN(events_that_come_while_others_gather),
          RUN(waits_no_longer_than_told), RUN(out_of_memory))
