/* SPDX-License-Identifier: MIT
 *
 * Owns a socket, its TLS, the bytes read too early and the bytes not yet written. The invariant: between two turns
 * of the loop, epoll's interest equals interest(), and whatever can move without the peer has moved.
 */
#include "conn/conn.h"

#include "base/mem.h"
#include "base/time.h"
#include "net/socket.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Output above HIGH lends nothing; below LOW there is room again. HIGH is four TLS records: one writev. */
#define HIGH     (64u * 1024u)
#define LOW      (HIGH / 2)
#define LEND_MIN 512u
/* How much one pump reads, so that one busy connection does not starve the others. */
#define TURN_MAX (256u * 1024u)
#define READ_MIN (16u * 1024u + 512u) /* a whole TLS record */
/* Read for an owner that wants nothing now, to notice the peer's end. */
#define READ_AHEAD 2048u
/* A client that was answered early may still send its whole request before it looks (RFC 9112 §9.6): it has this
 * long for the next bytes, this many times. How many bytes is not ours to say. */
#define LINGER_MS  2000u
#define LINGER_MAX 15u
/* For what is queued at close, and as long again if in that time the peer has taken so much a second. */
#define FLUSH_MS   30000u
#define FLUSH_RATE 240u

enum conn_state {
    CONN_CONNECTING, /* waits for the socket to be writable */
    CONN_HANDSHAKE,  /* waits for TLS to be open */
    CONN_OPEN,
    CONN_FLUSHING,  /* closing: waits for the queue to empty */
    CONN_LINGERING, /* closing: waits for the peer's end */
    CONN_CLOSED,
};

struct conn {
    struct watch watch;
    struct task pump, destroy;
    struct timer timer; /* of closing */
    struct loop *loop;
    struct tls *tls;
    const struct conn_handler *handler;
    void *owner;
    enum conn_state state;
    enum conn_reason reason;
    int error;
    bool connected_once; /* was open */
    bool peer_ended;     /* FIN seen */
    bool half_told;      /* the peer's close_notify, */
    bool eof_told;       /* the end of all */
    bool blocked;        /* the socket took less than we had */
    bool starved;        /* lend gave none: the owner waits for `writable` */
    bool
        close_asked; /* conn_close: begins once the handler has returned, as it may be in the midst of input */
    bool give_up;    /* conn_reset */
    bool deaf;       /* the socket is dead but what came before is still wanted: epoll forgets it */
    bool unwanted;   /* readable, but nobody wants it: interest is dropped until somebody does */
    uint32_t read_size;
    bool drained;      /* bytes came since the lingering timer was set */
    unsigned lingered; /* how often it was set again for that */
    uint64_t flushed;  /* what the peer had when the timer of flushing was set; 0: nobody looked */
    struct bufq out;   /* without TLS */
    struct bufq inbox; /* read from the wire, not taken yet */
    uint64_t bytes_in, bytes_out;
};

static void on_ready(struct watch *watch, uint32_t events);
static void on_pump(struct task *task);
static void on_destroy(struct task *task);
static void on_timer(struct timer *timer);

#define OF(member, p) ((struct conn *)(void *)((char *)(p)-offsetof(struct conn, member)))

struct conn *conn_new(struct loop *loop, int fd, struct tls *tls, bool connecting,
                      const struct conn_handler *handler, void *owner)
{
    struct conn *c = mem_zalloc(sizeof *c);
    if (!c) {
        tls_free(tls);
        socket_close(fd);
        return NULL;
    }
    c->loop = loop;
    c->tls = tls;
    c->handler = handler;
    c->owner = owner;
    c->watch = (struct watch){.fd = fd, .ready = on_ready};
    c->pump.run = on_pump;
    c->destroy.run = on_destroy;
    c->timer.fired = on_timer;
    c->state = connecting ? CONN_CONNECTING : tls ? CONN_HANDSHAKE : CONN_OPEN;
    c->connected_once = c->state == CONN_OPEN;
    c->read_size = READ_MIN;
    c->out.pool = c->inbox.pool = loop_pool(loop);
    if (loop_watch(loop, &c->watch, connecting ? EPOLLOUT : EPOLLIN) < 0) {
        tls_free(tls);
        socket_close(fd);
        mem_free(c);
        return NULL;
    }
    if (tls && !connecting)
        loop_post(loop, &c->pump); /* a client's first flight */
    return c;
}

/* How long flushing or lingering may take before somebody looks. */
static uint64_t closing_ms(const struct conn *c)
{
    if (c->state == CONN_LINGERING)
        return LINGER_MS;
    return c->handler->flush_ms ? c->handler->flush_ms : FLUSH_MS;
}

static void set_state(struct conn *c, enum conn_state next)
{
    /* Only forward; an accepted connection skips CONNECTING, a plain one HANDSHAKE. */
    assert(next > c->state && c->state != CONN_CLOSED);
    c->state = next;
    if (next == CONN_OPEN)
        c->connected_once = true;
    if (next == CONN_FLUSHING || next == CONN_LINGERING) {
        timer_clear(c->loop, &c->timer);
        if (!timer_set(c->loop, &c->timer, loop_now(c->loop) + closing_ms(c))) {
            c->give_up = true;
            loop_post(c->loop, &c->pump);
        }
    }
}

static struct bufq *output(struct conn *c)
{
    return c->tls ? tls_output(c->tls) : &c->out;
}

static size_t unsent(const struct conn *c)
{
    return c->tls ? tls_output(c->tls)->bytes : c->out.bytes;
}

/* --- the end --- */

static void finish(struct conn *c, enum conn_reason reason, int error)
{
    struct conn_end end = {.reason = reason, .error = error, .opened = c->connected_once};
    bool clean = c->state == CONN_LINGERING || (c->state == CONN_FLUSHING && c->peer_ended && !unsent(c));

    if (c->tls)
        end.tls = tls_failure(c->tls);
    set_state(c, CONN_CLOSED);
    timer_clear(c->loop, &c->timer);
    loop_unpost(c->loop, &c->pump);
    loop_unwatch(c->loop, &c->watch);
    if (clean)
        socket_close(c->watch.fd);
    else
        socket_reset(c->watch.fd);
    c->watch.fd = -1;
    loop_defer(c->loop, &c->destroy);
    c->handler->closed(c->owner, &end);
}

static void on_destroy(struct task *task)
{
    struct conn *c = OF(destroy, task);
    tls_free(c->tls);
    bufq_clear(&c->out);
    bufq_clear(&c->inbox);
    mem_free(c);
}

static void finish_socket(struct conn *c, int error)
{
    bool reset = error == ECONNRESET || error == EPIPE;
    /* The first error sticks: a peer that resets after its alert has failed in TLS. */
    finish(c, c->reason != CONN_ENDED ? c->reason : reset ? CONN_PEER_RESET : CONN_FAILED, error);
}

/* By conn_reset, or without memory. */
static void finish_given_up(struct conn *c)
{
    finish(c, c->error == ENOMEM ? CONN_MEMORY : c->reason != CONN_ENDED ? c->reason : CONN_RESET, c->error);
}

/* Has closing got on since the timer was set? A slow peer makes room in the kernel in large steps, so that is asked
 * what it has got. */
static bool gets_on(struct conn *c)
{
    if (c->state == CONN_LINGERING) {
        bool drained = c->drained;
        c->drained = false;
        return drained && c->lingered++ < LINGER_MAX;
    }
    uint64_t before = c->flushed;
    c->flushed = conn_bytes_acknowledged(c);
    return c->flushed - before >= closing_ms(c) * FLUSH_RATE / 1000;
}

static void on_timer(struct timer *timer)
{
    struct conn *c = OF(timer, timer);
    if (gets_on(c) && timer_set(c->loop, timer, loop_now(c->loop) + closing_ms(c)))
        return;
    finish(c, c->reason != CONN_ENDED || c->state == CONN_LINGERING ? c->reason : CONN_RESET, 0);
}

/* --- writing --- */

static bool wants_input(const struct conn *c);
static bool fill(struct conn *c, bool readable);

/* Writes what the socket takes. False when the connection is over. */
static bool flush(struct conn *c)
{
    if (c->state == CONN_CONNECTING)
        return true;
    if (c->tls)
        tls_seal(c->tls);
    struct bufq *q = output(c);
    while (q->bytes && !c->blocked) {
        struct iovec iov[8];
        int n = bufq_iov(q, iov, 8);
        size_t asked = 0;
        for (int i = 0; i < n; i++)
            asked += iov[i].iov_len;
        ssize_t sent = socket_writev(c->watch.fd, iov, n);
        if (sent == SOCKET_ERROR) {
            int error = errno;
            /* What the peer said before it went may be its answer to what it would not take. */
            if (wants_input(c) && !fill(c, true))
                return false;
            finish_socket(c, error);
            return false;
        }
        if (sent < 0 || (size_t)sent < asked)
            c->blocked = true;
        if (sent > 0) {
            bufq_drop(q, (size_t)sent);
            c->bytes_out += (uint64_t)sent;
        }
    }
    return true;
}

static bool can_lend(const struct conn *c)
{
    return !c->tls || tls_wants(c->tls) & TLS_CAN_LEND;
}

struct span conn_lend(struct conn *c, size_t want)
{
    struct span none = {NULL, 0}, room;

    if (!conn_is_open(c) || !can_lend(c))
        return none;
    if (unsent(c) >= HIGH) {
        c->starved = true;
        return none;
    }
    if (c->tls) {
        room = tls_lend(c->tls);
        if (room.n < LEND_MIN && room.n < want && can_lend(c)) {
            tls_seal(c->tls); /* the rest of this record is too small to be of use */
            room = tls_lend(c->tls);
        }
    } else {
        room = bufq_lend(&c->out, want < LEND_MIN ? LEND_MIN : want > BUF_LARGE ? BUF_LARGE : want);
    }
    if (!room.n) {
        c->error = ENOMEM;
        c->give_up = true;
        loop_post(c->loop, &c->pump);
    }
    return room;
}

void conn_commit(struct conn *c, size_t n)
{
    if (c->tls)
        tls_commit(c->tls, n);
    else
        bufq_commit(&c->out, n);
    loop_post(c->loop, &c->pump);
}

bool conn_put(struct conn *c, const void *p, size_t n)
{
    const uint8_t *from = p;

    if (!conn_is_open(c))
        return false;
    loop_post(c->loop, &c->pump);
    if (!c->tls)
        return bufq_put(&c->out, p, n);
    while (n) {
        struct span room = tls_lend(c->tls);
        if (!room.n)
            return false;
        size_t k = n < room.n ? n : room.n;
        memcpy(room.p, from, k);
        tls_commit(c->tls, k);
        from += k;
        n -= k;
    }
    return true;
}

/* --- reading --- */

static bool wants_input(const struct conn *c)
{
    return c->state == CONN_OPEN && !c->close_asked && c->handler->wants_input(c->owner);
}

/* Being closed: what still comes is nobody's. */
static bool discards(const struct conn *c)
{
    return c->close_asked || c->give_up || c->state >= CONN_FLUSHING;
}

/* Decrypted bytes or, without TLS, bytes to the owner. Returns how many were taken. */
static size_t deliver(struct conn *c, const uint8_t *p, size_t n)
{
    return wants_input(c) ? c->handler->input(c->owner, p, n) : 0;
}

/* Gives what TLS holds decrypted to the owner; false when some of it stays. */
static bool deliver_tls(struct conn *c)
{
    for (;;) {
        struct bytes data = tls_data(c->tls);
        if (!data.n)
            return true;
        size_t took = discards(c) ? data.n : deliver(c, data.p, data.n);
        if (!took)
            return false;
        tls_consume(c->tls, took);
    }
}

static void check_open(struct conn *c)
{
    if (c->state == CONN_HANDSHAKE && tls_status(c->tls) != TLS_HANDSHAKE &&
        tls_status(c->tls) != TLS_FAILED) {
        set_state(c, CONN_OPEN);
        if (c->handler->opened)
            c->handler->opened(c->owner);
    }
}

/* Pushes bytes from the wire; returns how many found a place. */
static size_t push(struct conn *c, uint8_t *p, size_t n)
{
    size_t done = 0;

    if (!c->tls) {
        while (done < n) {
            size_t took = discards(c) ? n - done : deliver(c, p + done, n - done);
            if (!took)
                break;
            done += took;
        }
        return done;
    }
    for (;;) {
        if (!deliver_tls(c))
            return done;
        if (done == n || tls_status(c->tls) == TLS_PEER_CLOSED) /* what follows is nobody's (RFC 8446 §6.1) */
            return n;
        size_t took = tls_recv(c->tls, p + done, n - done);
        done += took;
        check_open(c);
        if (tls_status(c->tls) == TLS_FAILED || (!took && !tls_data(c->tls).n))
            return done;
    }
}

/* What was read and not taken, first. False when some of it still stays. */
static bool push_inbox(struct conn *c)
{
    if (c->tls && !deliver_tls(c))
        return false;
    while (c->inbox.bytes) {
        struct buf *front = c->inbox.head;
        size_t took = push(c, front->data + front->pos, front->end - front->pos);
        /* TLS may have decrypted in place and left data there: it must be out of this buffer before we drop it. */
        if (c->tls && tls_data(c->tls).n && !tls_hold(c->tls))
            return false;
        if (!took)
            return false;
        bufq_drop(&c->inbox, took);
    }
    return !(c->tls && tls_data(c->tls).n);
}

/* One read and what follows from it. True when there may be more to read now. */
static bool read_once(struct conn *c, size_t max)
{
    struct span into = {NULL, 0};
    bool direct = false;

    if (!c->tls && c->handler->room && wants_input(c)) {
        into = c->handler->room(c->owner);
        direct = into.n > 0;
        if (c->state != CONN_OPEN)
            return false;
    }
    if (!direct) {
        into = loop_scratch(c->loop);
        into.n = into.n < c->read_size ? into.n : c->read_size;
    }
    if (into.n > max)
        into.n = max;
    ssize_t got = socket_read(c->watch.fd, into);
    if (got == SOCKET_AGAIN)
        return false;
    if (got == SOCKET_ERROR) {
        finish_socket(c, errno);
        return false;
    }
    if (got == 0) {
        c->peer_ended = true;
        return false;
    }
    if (!c->half_told) /* what comes after close_notify is no progress */
        c->bytes_in += (uint64_t)got;
    if (direct) {
        c->handler->filled(c->owner, (size_t)got);
        return (size_t)got == into.n;
    }
    size_t took = push(c, into.p, (size_t)got);
    if (c->state == CONN_CLOSED)
        return false;
    bool left = took < (size_t)got;
    if ((c->tls && tls_data(c->tls).n && !tls_hold(c->tls)) ||
        (left && !(c->tls && tls_status(c->tls) == TLS_FAILED) &&
         !bufq_put(&c->inbox, into.p + took, (size_t)got - took))) {
        finish(c, CONN_MEMORY, ENOMEM);
        return false;
    }
    bool full = (size_t)got == into.n;
    c->read_size = left ? READ_MIN : full && c->read_size < LOOP_SCRATCH ? LOOP_SCRATCH : c->read_size;
    return full && !left;
}

static bool holds_input(const struct conn *c)
{
    return c->inbox.bytes || (c->tls && tls_data(c->tls).n);
}

/* Reads while the owner wants it and the turn's share lasts. False when the connection is over. */
static bool fill(struct conn *c, bool readable)
{
    uint64_t before = c->bytes_in;

    if (!push_inbox(c)) {
        if (c->state == CONN_CLOSED)
            return false;
        if (readable)
            c->unwanted = true;
        return true;
    }
    while (readable && !c->peer_ended && !discards(c)) {
        bool wanted = c->state != CONN_OPEN || wants_input(c);
        if (!wanted && holds_input(c)) {
            c->unwanted = true;
            break;
        }
        readable = read_once(c, wanted ? SIZE_MAX : READ_AHEAD);
        if (c->state == CONN_CLOSED)
            return false;
        if (c->bytes_in - before > TURN_MAX || c->half_told)
            break;
    }
    return true;
}

/* Closing: reads and drops. */
static void drain(struct conn *c)
{
    struct span into = loop_scratch(c->loop);
    ssize_t got = socket_read(c->watch.fd, into);
    if (got > 0) {
        c->drained = true;
    } else if (got != SOCKET_AGAIN) {
        c->peer_ended = true;
    }
}

/* --- the pump --- */

static uint32_t interest(const struct conn *c)
{
    uint32_t events = 0;

    if (c->state == CONN_CONNECTING)
        return EPOLLOUT;
    if (c->blocked && unsent(c))
        events |= EPOLLOUT;
    if (!c->peer_ended && !c->unwanted)
        events |= EPOLLIN;
    return events;
}

static void start_flushing(struct conn *c)
{
    if (c->tls)
        tls_close(c->tls);
    set_state(c, CONN_FLUSHING);
}

/* The TLS engine failed: its alert still leaves, an HTTP request in the clear is answered in the clear. */
static void fail_tls(struct conn *c)
{
    struct tls_failure f = tls_failure(c->tls);
    struct bufq *q = tls_output(c->tls);

    c->reason = CONN_TLS;
    if (f.plain_http && c->handler->plain_http_reply)
        (void)bufq_put(q, c->handler->plain_http_reply, strlen(c->handler->plain_http_reply));
    set_state(c, CONN_FLUSHING);
}

static void tell_eof(struct conn *c)
{
    bool tls_ended = c->tls && tls_status(c->tls) >= TLS_PEER_CLOSED && tls_status(c->tls) != TLS_FAILED;

    if (c->eof_told || !(c->peer_ended || tls_ended))
        return;
    bool half = conn_is_half_closed(c);
    if ((half && c->half_told) || holds_input(c) || c->state >= CONN_FLUSHING)
        return;
    if (c->tls && !tls_ended)
        tls_recv_eof(c->tls);
    if (c->state != CONN_OPEN)
        return; /* in the handshake that is a failure, told by closed */
    c->half_told = half;
    c->eof_told = !half;
    if (c->tls && !tls_ended)
        c->reason = CONN_TLS;
    c->handler->eof(c->owner, !c->tls || tls_ended);
}

static void close_step(struct conn *c)
{
    if (c->state == CONN_FLUSHING && !unsent(c)) {
        if (c->peer_ended) {
            finish(c, c->reason, 0);
            return;
        }
        socket_shutdown_write(c->watch.fd);
        set_state(c, CONN_LINGERING);
    } else if (c->state == CONN_LINGERING && c->peer_ended) {
        finish(c, c->reason, 0);
    }
}

/* The kernel says the socket is dead, and will say so for ever. What it still holds is read first, now if it is wanted
 * or once it is; what has been read already stays for the owner. */
static void check_dead(struct conn *c)
{
    int error = 0;

    if (!c->peer_ended && wants_input(c) && !c->unwanted)
        return;
    if (!c->peer_ended || unsent(c) || c->state >= CONN_FLUSHING)
        error = socket_error(c->watch.fd);
    if (c->state == CONN_LINGERING && !error)
        return; /* both have ended: what came before its end is read first, as a close upon unread bytes is a reset */
    if (error || unsent(c) || c->state != CONN_OPEN)
        finish_socket(c, error ? error : ECONNRESET);
    else
        c->deaf = true; /* a Unix socket whose peer has closed: what it sent is still to be had */
}

static void pump(struct conn *c, uint32_t events)
{
    bool readable = events & (EPOLLIN | EPOLLHUP | EPOLLERR);

    if (c->state == CONN_CONNECTING && events) {
        int error = socket_error(c->watch.fd);
        if (error || !(events & EPOLLOUT)) {
            finish(c, CONN_FAILED, error ? error : ECONNRESET);
            return;
        }
        set_state(c, c->tls ? CONN_HANDSHAKE : CONN_OPEN);
        if (c->state == CONN_OPEN && c->handler->opened)
            c->handler->opened(c->owner);
    }
    if (events & (EPOLLOUT | EPOLLERR))
        c->blocked = false;
    if (c->give_up) {
        finish_given_up(c);
        return;
    }
    if (c->state < CONN_FLUSHING && c->state != CONN_CONNECTING && !fill(c, readable))
        return;
    if (c->give_up) { /* by what came */
        finish_given_up(c);
        return;
    }
    if (c->close_asked && c->state == CONN_OPEN)
        start_flushing(c);
    if (c->tls && tls_status(c->tls) == TLS_FAILED && c->state < CONN_FLUSHING && !c->eof_told)
        fail_tls(c);
    tell_eof(c);
    if (c->tls && tls_status(c->tls) == TLS_FAILED && c->state < CONN_FLUSHING && !c->eof_told)
        fail_tls(c);
    if (!flush(c))
        return;
    if (c->starved && c->state == CONN_OPEN && unsent(c) <= LOW) {
        c->starved = false;
        c->handler->writable(c->owner);
        if (!flush(c))
            return;
    }
    if (c->tls && tls_status(c->tls) == TLS_FAILED && c->state == CONN_OPEN && !c->eof_told)
        loop_post(c->loop, &c->pump); /* without memory to seal in */
    if (c->state == CONN_LINGERING && readable)
        drain(c);
    else if (c->state == CONN_FLUSHING && readable && !c->peer_ended)
        drain(c);
    close_step(c);
    if (c->state != CONN_CLOSED && (events & (EPOLLERR | EPOLLHUP)))
        check_dead(c);
}

/* Level-triggered: what is not wanted any more must be told to epoll, or it would fire for ever; what is wanted
 * again likewise. An interest that is merely not needed for now stays: it costs no system call. */
static void settle(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    if (c->unwanted && (c->state >= CONN_FLUSHING || (wants_input(c) && !holds_input(c))))
        c->unwanted = false;
    if (c->deaf && !c->peer_ended && (c->state >= CONN_FLUSHING || (wants_input(c) && !holds_input(c))))
        c->deaf = false;
    if (c->deaf)
        loop_unwatch(c->loop, &c->watch);
    else if (loop_watch(c->loop, &c->watch, interest(c)) < 0)
        finish(c, CONN_FAILED, errno);
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct conn *c = OF(watch, watch);

    if (c->state != CONN_HANDSHAKE) {
        pump(c, events);
    } else if (loop_may_work(c->loop)) {
        uint64_t began = time_mono_us();
        pump(c, events);
        loop_worked(c->loop, time_mono_us() - began);
    } else {
        return; /* it is told again */
    }
    settle(c);
}

static void on_pump(struct task *task)
{
    struct conn *c = OF(pump, task);
    if (c->state == CONN_CLOSED)
        return;
    pump(c, 0);
    settle(c);
}

void conn_resume(struct conn *c)
{
    if (c->state != CONN_CLOSED)
        loop_post(c->loop, &c->pump);
}

void conn_close(struct conn *c)
{
    if (c->state >= CONN_FLUSHING)
        return;
    if (c->state != CONN_OPEN) {
        conn_reset(c);
        return;
    }
    c->close_asked = true;
    loop_post(c->loop, &c->pump);
}

void conn_reset(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    c->give_up = true;
    loop_post(c->loop, &c->pump);
}

bool conn_is_quiet(const struct conn *c)
{
    return c->state == CONN_OPEN && !c->peer_ended && !holds_input(c) && !unsent(c) &&
           socket_is_quiet(c->watch.fd);
}

struct tls *conn_tls(const struct conn *c)
{
    return c->tls;
}

bool conn_is_ending(const struct conn *c)
{
    return c->state >= CONN_FLUSHING;
}

bool conn_is_open(const struct conn *c)
{
    return c->state == CONN_OPEN && !c->give_up && !c->close_asked;
}

bool conn_is_half_closed(const struct conn *c)
{
    return c->tls && !c->peer_ended && tls_status(c->tls) == TLS_PEER_CLOSED && can_lend(c);
}

size_t conn_unsent(const struct conn *c)
{
    return unsent(c);
}

uint64_t conn_bytes_in(const struct conn *c)
{
    return c->bytes_in;
}

uint64_t conn_bytes_out(const struct conn *c)
{
    return c->bytes_out;
}

uint64_t conn_bytes_acknowledged(const struct conn *c)
{
    size_t held = c->state == CONN_CLOSED ? 0 : socket_unacknowledged(c->watch.fd);
    return held < c->bytes_out ? c->bytes_out - held : 0;
}
