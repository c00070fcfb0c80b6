/* SPDX-License-Identifier: MIT
 *
 * What the tests of conn/ share: a loop, pairs of connected sockets, and an owner of a conn that does what it is told
 * and counts what it is told. What is sent is a pattern by position, so that a byte lost, doubled or moved shows.
 */
#ifndef TESTS_UNIT_CONN_RIG_H
#define TESTS_UNIT_CONN_RIG_H

#include "base/mem.h"
#include "base/time.h"
#include "conn/conn.h"
#include "net/socket.h"
#include "tests/unit/test.h"
#include "tests/unit/tls/rig.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* The harness counts failures for each file, so all of this is compiled into each. */
#define RIG __attribute__((unused)) static

struct owner {
    struct loop *loop;
    struct conn *conn; /* NULL once it is closed */
    bool wants;        /* input at all */
    size_t limit;      /* ...and no more than this in all */
    size_t take;       /* at most, of each call */
    bool echo;         /* what comes is sent back */
    bool stuck;        /* echo: there was no room */
    bool direct;       /* read into `place` */
    bool close_on_eof, reset_on_input, close_on_input;
    uint64_t to_send, sent; /* of the pattern */
    size_t want_room;       /* of each lend; 0: all that is left */
    uint64_t got;
    bool garbled; /* the pattern was not kept */
    unsigned opened, inputs, eofs, writables, closes;
    bool eof_clean;
    struct conn_end end;
    uint8_t place[4096];
};

RIG uint8_t pattern(uint64_t at);
/* An owner that wants everything. */
RIG void owner_init(struct owner *o, struct loop *loop);
/* conn_new with it. */
RIG bool owner_take(struct owner *o, int fd, struct tls *tls, bool connecting);
/* Sends n more bytes of the pattern, as there is room. */
RIG void owner_send(struct owner *o, uint64_t n);

/* Both non-blocking; ends the program when it cannot. */
RIG void tcp_pair(int fds[2]);
RIG void unix_pair(int fds[2]);

/* The other end as a plain descriptor: all that is to be had now, held against the pattern. What read gave last: 0 is
 * the end, -1 nothing for now, -2 an error. */
struct raw {
    int fd;
    uint64_t got, sent;
    bool garbled;
    int last;
};
RIG void raw_read(struct raw *raw, size_t max);
/* As many bytes of the pattern as go, n at most; how many went. */
RIG size_t raw_write(struct raw *raw, size_t n);

#define PATIENCE_MS 10000u
/* Turns the loop until cond, and checks that it came. */
#define RUN_UNTIL(loop_, cond)                            \
    do {                                                  \
        uint64_t give_up_ = time_mono_ms() + PATIENCE_MS; \
        while (!(cond) && time_mono_ms() < give_up_)      \
            (void)loop_turn((loop_), 5);                  \
        CHECK(cond);                                      \
    } while (0)
/* How many turns the loop takes in that time with nothing to do but what it makes itself do. */
RIG unsigned turns_in(struct loop *loop, unsigned ms);

/* Of every test: what the heap and the pool had before. */
struct ledger {
    struct loop *loop;
    size_t blocks;
};
RIG struct ledger ledger_open(void);
/* Ends the loop; checks that all came back. */
RIG void ledger_close(struct ledger *l);

/* Both sides of TLS. */
struct tls_pair {
    struct tls_server server;
    struct tls_identity *identity;
    struct tls_trust trust;
};
RIG void tls_pair_init(struct tls_pair *p, struct loop *loop);
RIG void tls_pair_release(struct tls_pair *p);
RIG struct tls *tls_pair_client(struct tls_pair *p);

RIG uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

/* --- the owner --- */

static void fill_room(struct owner *o)
{
    while (o->sent < o->to_send) {
        uint64_t left = o->to_send - o->sent;
        size_t want = o->want_room ? o->want_room : left < SIZE_MAX ? (size_t)left : SIZE_MAX;
        struct span room = conn_lend(o->conn, want);
        if (!room.n)
            return;
        CHECK(room.n >= (want < 512 ? want : 512));
        size_t n = room.n < left ? room.n : (size_t)left;
        if (o->want_room && n > o->want_room)
            n = o->want_room;
        for (size_t i = 0; i < n; i++)
            room.p[i] = pattern(o->sent + i);
        conn_commit(o->conn, n);
        o->sent += n;
    }
}

RIG void owner_send(struct owner *o, uint64_t n)
{
    o->to_send += n;
    fill_room(o);
}

static void on_opened(void *owner)
{
    struct owner *o = owner;
    o->opened++;
    fill_room(o);
}

static bool on_wants_input(const void *owner)
{
    const struct owner *o = owner;
    return o->wants && !o->stuck && o->got < o->limit;
}

static void count(struct owner *o, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != pattern(o->got + i))
            o->garbled = true;
    o->got += n;
}

static size_t echo(struct owner *o, const uint8_t *p, size_t n)
{
    struct span room = conn_lend(o->conn, n);

    if (!room.n) {
        o->stuck = true;
        return 0;
    }
    n = n < room.n ? n : room.n;
    memcpy(room.p, p, n);
    conn_commit(o->conn, n);
    return n;
}

static size_t on_input(void *owner, const uint8_t *p, size_t n)
{
    struct owner *o = owner;

    CHECK(n > 0);
    o->inputs++;
    if (o->reset_on_input)
        conn_reset(o->conn);
    if (o->close_on_input)
        conn_close(o->conn);
    if (n > o->take)
        n = o->take;
    if (n > o->limit - o->got)
        n = (size_t)(o->limit - o->got);
    if (o->echo)
        n = echo(o, p, n);
    count(o, p, n);
    return n;
}

static struct span on_room(void *owner)
{
    struct owner *o = owner;
    return o->direct ? (struct span){o->place, sizeof o->place} : (struct span){NULL, 0};
}

static void on_filled(void *owner, size_t n)
{
    struct owner *o = owner;
    o->inputs++;
    count(o, o->place, n);
}

static void on_eof(void *owner, bool clean)
{
    struct owner *o = owner;
    o->eofs++;
    o->eof_clean = clean;
    if (o->close_on_eof)
        conn_close(o->conn);
}

static void on_writable(void *owner)
{
    struct owner *o = owner;
    o->writables++;
    if (o->stuck) {
        o->stuck = false;
        conn_resume(o->conn);
    }
    fill_room(o);
}

static void on_closed(void *owner, const struct conn_end *end)
{
    struct owner *o = owner;
    o->closes++;
    o->end = *end;
    o->conn = NULL;
}

static const struct conn_handler OWNER_HANDLER = {
    .opened = on_opened,
    .wants_input = on_wants_input,
    .input = on_input,
    .room = on_room,
    .filled = on_filled,
    .eof = on_eof,
    .writable = on_writable,
    .closed = on_closed,
    .plain_http_reply = "HTTP/1.1 400 Bad Request\r\n\r\n",
};

RIG void owner_init(struct owner *o, struct loop *loop)
{
    memset(o, 0, sizeof *o);
    o->loop = loop;
    o->wants = true;
    o->limit = SIZE_MAX;
    o->take = SIZE_MAX;
    o->close_on_eof = true;
}

RIG bool owner_take(struct owner *o, int fd, struct tls *tls, bool connecting)
{
    o->conn = conn_new(o->loop, fd, tls, connecting, &OWNER_HANDLER, o);
    return o->conn != NULL;
}

/* --- sockets --- */

RIG void tcp_pair(int fds[2])
{
    struct addr a, peer;
    int listener;

    if (!addr_from_ip(&a, bytes_str("127.0.0.1"), 0) || (listener = socket_listen(&a, 1)) < 0)
        abort();
    a.len = sizeof a.v4;
    if (getsockname(listener, &a.any, &a.len) != 0)
        abort();
    fds[0] = socket_connect(&a);
    do
        fds[1] = socket_accept(listener, &peer);
    while (fds[1] == SOCKET_AGAIN);
    if (fds[0] < 0 || fds[1] < 0)
        abort();
    close(listener);
}

RIG void unix_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        abort();
}

RIG void raw_read(struct raw *raw, size_t max)
{
    uint8_t bytes[16384];

    raw->last = -1;
    while (max) {
        ssize_t n = read(raw->fd, bytes, max < sizeof bytes ? max : sizeof bytes);
        if (n <= 0) {
            raw->last = n == 0 ? 0 : errno == EAGAIN ? -1 : -2;
            return;
        }
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != pattern(raw->got + (uint64_t)i))
                raw->garbled = true;
        raw->got += (uint64_t)n;
        max -= (size_t)n;
    }
}

RIG size_t raw_write(struct raw *raw, size_t n)
{
    size_t done = 0;

    while (done < n) {
        uint8_t bytes[16384];
        size_t k = n - done < sizeof bytes ? n - done : sizeof bytes;
        for (size_t i = 0; i < k; i++)
            bytes[i] = pattern(raw->sent + i);
        ssize_t sent = write(raw->fd, bytes, k);
        if (sent <= 0)
            break;
        raw->sent += (uint64_t)sent;
        done += (size_t)sent;
    }
    return done;
}

RIG unsigned turns_in(struct loop *loop, unsigned ms)
{
    uint64_t until = time_mono_ms() + ms, now;
    unsigned turns = 0;

    while ((now = time_mono_ms()) < until) {
        (void)loop_turn(loop, (int)(until - now));
        turns++;
    }
    return turns;
}

/* --- what is left --- */

RIG struct ledger ledger_open(void)
{
    struct ledger l;

    (void)signal(SIGPIPE, SIG_IGN);
    mem_fail_at(-1, 0);
    l.blocks = mem_blocks();
    l.loop = loop_new();
    struct timer timer = {.fired = NULL};
    if (!l.loop || !timer_set(l.loop, &timer, 0)) /* the heap of timers stays once it is there */
        abort();
    timer_clear(l.loop, &timer);
    return l;
}

RIG void ledger_close(struct ledger *l)
{
    mem_fail_at(-1, 0);
    for (int i = 0; i < 3; i++)
        (void)loop_turn(l->loop, 0);
    CHECK_EQ(pool_lent(loop_pool(l->loop)), 0);
    loop_free(l->loop);
    CHECK_EQ(mem_blocks(), l->blocks);
}

/* --- TLS --- */

static struct tls_identity *select_identity(void *ctx, const struct client_hello *hello)
{
    struct tls_pair *p = ctx;
    return bytes_is(hello->server_name, "unknown.test") ? NULL : p->identity;
}

RIG void tls_pair_init(struct tls_pair *p, struct loop *loop)
{
    static const char *const NAMES[] = {"http/1.1"};

    p->identity = rig_identity("p256.test", "p256.pem", "p256.key");
    p->trust = rig_trust("p256.pem");
    p->server = (struct tls_server){
        .select = select_identity,
        .ctx = p,
        .alpn = {NAMES, 1},
        .pool = loop_pool(loop),
    };
}

RIG void tls_pair_release(struct tls_pair *p)
{
    tls_identity_unref(p->identity);
    rig_trust_free(&p->trust);
}

RIG struct tls *tls_pair_client(struct tls_pair *p)
{
    return tls_client_new(&p->trust, "p256.test", p->server.alpn, p->server.pool);
}

#endif
