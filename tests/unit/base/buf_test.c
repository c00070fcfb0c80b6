/* SPDX-License-Identifier: MIT
 *
 * The pool gives and takes back, and a queue is the bytes that went in, in order, however they went in and came out;
 * an empty queue holds no buffer. Every allocation is failed in turn.
 */
#include "tests/unit/test.h"

#include "base/buf.h"
#include "base/mem.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* The i-th byte of the stream that the tests send through. */
static uint8_t stream_byte(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void stream_fill(uint8_t *p, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = stream_byte(from + i);
}

/* The queue's content is the stream from `from` on, and its sums are right. */
static void check_content(const struct bufq *q, size_t from)
{
    size_t bytes = 0;
    unsigned buffers = 0;

    for (const struct buf *b = q->head; b != NULL; b = b->next) {
        for (size_t i = b->pos; i < b->end; i++, bytes++)
            if (b->data[i] != stream_byte(from + bytes)) {
                FAIL("a byte of the stream is not what went in");
                return;
            }
        buffers++;
        CHECK(b->next != NULL || b == q->tail);
        CHECK(b->pos < b->end);
    }
    CHECK_EQ(bytes, q->bytes);
    CHECK_EQ(buffers, q->buffers);
    if (q->bytes == 0)
        CHECK(q->head == NULL && q->tail == NULL);
}

TEST(pool_picks_the_size)
{
    struct pool *pool = pool_new(1, 1);
    static const struct {
        size_t min, cap;
    } cases[] = {
        {0,             BUF_SMALL},
        {1,             BUF_SMALL},
        {BUF_SMALL,     BUF_SMALL},
        {BUF_SMALL + 1, BUF_LARGE},
        {BUF_LARGE,     BUF_LARGE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf *b = pool_get(pool, cases[i].min);

        if (!CHECK(b != NULL))
            continue;
        CHECK_EQ(b->cap, cases[i].cap);
        CHECK_EQ(b->pos, 0);
        CHECK_EQ(b->end, 0);
        CHECK(b->next == NULL);
        memset(b->data, 1, b->cap);
        CHECK_EQ(pool_lent(pool), 1);
        pool_put(pool, b);
    }
    pool_put(pool, NULL);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

TEST(pool_keeps_no_more_than_asked)
{
    size_t used = mem_used(), blocks = mem_blocks();
    struct pool *pool = pool_new(2, 1);
    struct buf *large[4], *small[4];
    size_t allocations;

    for (int i = 0; i < 4; i++) {
        large[i] = pool_get(pool, BUF_LARGE);
        small[i] = pool_get(pool, 1);
    }
    CHECK_EQ(pool_lent(pool), 8);
    for (int i = 0; i < 4; i++) {
        pool_put(pool, large[i]);
        pool_put(pool, small[i]);
    }
    CHECK_EQ(mem_blocks(), blocks + 1 + 2 + 1);

    /* What is kept is given again, empty, without the allocator. */
    allocations = mem_allocations();
    large[0] = pool_get(pool, BUF_LARGE);
    large[0]->pos = 5;
    large[0]->end = 9;
    large[0]->next = large[0];
    pool_put(pool, large[0]);
    large[0] = pool_get(pool, BUF_LARGE);
    CHECK_EQ(large[0]->pos, 0);
    CHECK_EQ(large[0]->end, 0);
    CHECK(large[0]->next == NULL);
    pool_put(pool, large[0]);
    CHECK_EQ(mem_allocations(), allocations);

    pool_trim(pool);
    CHECK_EQ(mem_blocks(), blocks + 1);
    pool_put(pool, pool_get(pool, 1)); /* and goes on after */
    pool_free(pool);
    CHECK_EQ(mem_used(), used);
}

TEST(pool_out_of_memory)
{
    struct pool *pool;

    mem_fail_at(0, 1);
    CHECK(pool_new(1, 1) == NULL);
    pool_free(NULL);
    pool = pool_new(0, 0);
    mem_fail_at(0, 2);
    CHECK(pool_get(pool, 1) == NULL);
    CHECK(pool_get(pool, BUF_LARGE) == NULL);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

/* How a child that does this ends: the signal, or 0. */
static int signal_of(void (*misuse)(struct pool *pool), struct pool *pool)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(2); /* the assertion's text is no news */
        misuse(pool);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void drop_too_much(struct pool *pool)
{
    struct bufq q = {.pool = pool};

    if (bufq_put(&q, "ab", 2))
        bufq_drop(&q, 3);
}

static void commit_too_much(struct pool *pool)
{
    struct bufq q = {.pool = pool};

    bufq_commit(&q, bufq_lend(&q, 1).n + 1);
}

TEST(misuse_stops_the_program)
{
    struct pool *pool = pool_new(1, 1);
    struct buf *out = pool_get(pool, 1);

    CHECK_EQ(signal_of(pool_free, pool), SIGABRT); /* with a buffer out */
    CHECK_EQ(signal_of(drop_too_much, pool), SIGABRT);
    CHECK_EQ(signal_of(commit_too_much, pool), SIGABRT);
    pool_put(pool, out);
    pool_free(pool);
}

TEST(lent_room_is_contiguous_and_enough)
{
    struct pool *pool = pool_new(4, 4);
    struct bufq q = {.pool = pool};
    struct span s = bufq_lend(&q, 100);
    uint8_t *first = s.p;

    CHECK_EQ(s.n, BUF_SMALL);
    stream_fill(s.p, 0, 100);
    bufq_commit(&q, 100);
    CHECK_EQ(q.bytes, 100);

    /* The tail's free end is used as long as it is enough. */
    s = bufq_lend(&q, BUF_SMALL - 100);
    CHECK(s.p == first + 100);
    CHECK_EQ(s.n, BUF_SMALL - 100);
    bufq_commit(&q, 0);
    CHECK_EQ(q.buffers, 1);

    s = bufq_lend(&q, BUF_SMALL - 99);
    CHECK_EQ(q.buffers, 2);
    CHECK(s.n >= BUF_SMALL - 99);
    stream_fill(s.p, 100, 1);
    bufq_commit(&q, 1);
    check_content(&q, 0);

    s = bufq_lend(&q, BUF_LARGE);
    CHECK_EQ(s.n, BUF_LARGE);
    memset(s.p, 0, s.n);
    bufq_commit(&q, 0);
    CHECK_EQ(q.buffers, 2); /* unused, so it went back */
    check_content(&q, 0);
    bufq_clear(&q);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

TEST(lend_without_commit_leaves_no_hole)
{
    struct pool *pool = pool_new(4, 4);
    struct bufq q = {.pool = pool};
    struct iovec iov[4];

    /* A small tail lent in vain, then more is needed: it must not stand empty in the middle. */
    bufq_lend(&q, 1);
    bufq_lend(&q, BUF_LARGE);
    CHECK_EQ(q.buffers, 1);
    CHECK_EQ(bufq_front(&q).n, 0);
    CHECK_EQ(bufq_iov(&q, iov, 4), 0);
    bufq_drop(&q, 0);
    CHECK_EQ(q.buffers, 0);
    CHECK_EQ(pool_lent(pool), 0);

    CHECK(bufq_put(&q, "\0", 1));
    bufq_lend(&q, BUF_SMALL);
    CHECK_EQ(q.buffers, 2);
    CHECK_EQ(bufq_iov(&q, iov, 4), 1);
    bufq_lend(&q, BUF_LARGE);
    CHECK_EQ(q.buffers, 2);
    bufq_append(&q, pool_get(pool, 1)); /* empty: nothing to queue */
    CHECK_EQ(q.buffers, 1);
    check_content(&q, 0);
    bufq_lend(&q, BUF_LARGE);
    bufq_drop(&q, 1); /* all content gone: the empty tail as well */
    check_content(&q, 1);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

TEST(put_spans_buffers)
{
    static uint8_t in[3 * BUF_LARGE];
    struct pool *pool = pool_new(2, 2);
    struct bufq q = {.pool = pool};
    struct iovec iov[8];
    int n;

    stream_fill(in, 0, sizeof in);
    CHECK(bufq_put(&q, NULL, 0));
    CHECK_EQ(q.buffers, 0);
    CHECK(bufq_put(&q, in, 10));
    CHECK(bufq_put(&q, in + 10, sizeof in - 10));
    check_content(&q, 0);
    CHECK_EQ(bufq_iov(&q, iov, 2), 2);
    n = bufq_iov(&q, iov, 8);
    CHECK_EQ(n, q.buffers);
    for (int i = 0, at = 0; i < n; at += (int)iov[i].iov_len, i++)
        CHECK_MEM(iov[i].iov_base, iov[i].iov_len, in + at, iov[i].iov_len);
    bufq_drop(&q, 11);
    CHECK_MEM(bufq_front(&q).p, 16, in + 11, 16);
    check_content(&q, 11);
    bufq_drop(&q, q.bytes);
    CHECK_EQ(q.buffers, 0);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

TEST(append_takes_over)
{
    struct pool *pool = pool_new(2, 2);
    struct bufq q = {.pool = pool};
    struct buf *b = pool_get(pool, 100);

    /* What was read of it before does not count. */
    b->end = 50;
    b->pos = 20;
    stream_fill(b->data + 20, 0, 30);
    bufq_append(&q, b);
    CHECK_EQ(q.bytes, 30);
    check_content(&q, 0);
    bufq_drop(&q, 30);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

TEST(put_is_all_or_nothing)
{
    static uint8_t in[4 * BUF_LARGE];
    size_t blocks = mem_blocks();

    stream_fill(in, 0, sizeof in);
    for (long fail = 0;; fail++) {
        struct pool *pool = pool_new(0, 0);
        struct bufq q = {.pool = pool};
        bool put;

        CHECK(bufq_put(&q, in, 100));
        mem_fail_at(fail, 1);
        put = bufq_put(&q, in + 100, sizeof in - 100);
        mem_fail_at(-1, 0);
        CHECK_EQ(q.bytes, put ? sizeof in : 100);
        check_content(&q, 0);
        bufq_clear(&q);
        CHECK_EQ(pool_lent(pool), 0);
        pool_free(pool);
        CHECK_EQ(mem_blocks(), blocks);
        if (put) {
            CHECK(fail >= 4);
            break;
        }
    }
}

TEST(lend_out_of_memory_changes_nothing)
{
    struct pool *pool = pool_new(0, 0);
    struct bufq q = {.pool = pool};
    struct span s;

    mem_fail_at(0, 1);
    s = bufq_lend(&q, 1);
    CHECK(s.p == NULL && s.n == 0);
    bufq_commit(&q, 0);
    stream_fill(bufq_lend(&q, 5).p, 0, 5);
    bufq_commit(&q, 5);
    mem_fail_at(0, 1);
    s = bufq_lend(&q, BUF_LARGE);
    CHECK(s.p == NULL && s.n == 0);
    check_content(&q, 0);
    bufq_clear(&q);
    pool_free(pool);
}

/* A long run of all that changes a queue, in an order drawn from a fixed seed. */
TEST(a_queue_is_a_stream)
{
    static uint8_t in[2 * BUF_LARGE];
    struct pool *pool = pool_new(3, 3);
    struct bufq q = {.pool = pool};
    size_t sent = 0, got = 0;
    uint32_t seed = 1;

    for (int i = 0; i < 20000; i++) {
        uint32_t draw = (seed = seed * 1664525 + 1013904223) >> 8;
        size_t n = draw >> 4;

        if (i % 50 == 49) {
            got += q.bytes;
            bufq_drop(&q, q.bytes);
        }
        if (draw % 4 == 0) {
            struct span s = bufq_lend(&q, n % (BUF_LARGE + 1));

            CHECK(s.n >= n % (BUF_LARGE + 1));
            n %= s.n + 1;
            stream_fill(s.p, sent, n);
            bufq_commit(&q, n);
            sent += n;
        } else if (draw % 4 == 1) {
            n %= draw & 8 ? sizeof in : 300;
            stream_fill(in, sent, n);
            CHECK(bufq_put(&q, in, n));
            sent += n;
        } else {
            n %= q.bytes + 1;
            bufq_drop(&q, n);
            got += n;
        }
        CHECK_EQ(q.bytes, sent - got);
        if (i % 16 == 0)
            check_content(&q, got);
        CHECK_EQ(pool_lent(pool), q.buffers);
    }
    bufq_clear(&q);
    CHECK_EQ(pool_lent(pool), 0);
    pool_free(pool);
}

TEST_MAIN(RUN(pool_picks_the_size), RUN(pool_keeps_no_more_than_asked), RUN(pool_out_of_memory),
          RUN(misuse_stops_the_program), RUN(lent_room_is_contiguous_and_enough),
          RUN(lend_without_commit_leaves_no_hole), RUN(put_spans_buffers), RUN(append_takes_over),
          RUN(put_is_all_or_nothing), RUN(lend_out_of_memory_changes_nothing), RUN(a_queue_is_a_stream))
