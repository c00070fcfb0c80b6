/* SPDX-License-Identifier: MIT
 *
 * The pump without TLS: bytes whole and in order at any pace, nothing read for who wants nothing, no turn of the loop
 * for nothing, and every end told once.
 */
#include "tests/unit/conn/rig.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_AHEAD_MAX 4096u /* what an owner that wants nothing may be read for */

/* A conn on one end of a pair, the test itself on the other. */
struct scene {
    struct ledger ledger;
    struct loop *loop;
    struct owner o;
    struct raw raw;
};

static void begin_on(struct scene *s, void (*pair)(int fds[2]))
{
    int fds[2];

    s->ledger = ledger_open();
    s->loop = s->ledger.loop;
    pair(fds);
    owner_init(&s->o, s->loop);
    s->raw = (struct raw){.fd = fds[0]};
    CHECK(owner_take(&s->o, fds[1], NULL, false));
}

static void begin(struct scene *s)
{
    begin_on(s, tcp_pair);
}

static void reset_raw(struct scene *s)
{
    socket_reset(s->raw.fd);
    s->raw.fd = -1;
}

static void close_raw(struct scene *s)
{
    if (s->raw.fd >= 0)
        close(s->raw.fd);
    s->raw.fd = -1;
}

static void end(struct scene *s)
{
    close_raw(s);
    if (s->o.conn)
        conn_reset(s->o.conn);
    RUN_UNTIL(s->loop, s->o.closes > 0);
    CHECK_EQ(s->o.closes, 1);
    CHECK(!s->o.garbled && !s->raw.garbled);
    ledger_close(&s->ledger);
}

static void echo_bytes(struct scene *s, size_t total, size_t piece)
{
    while (s->raw.got < total) {
        size_t n = piece < total - s->raw.sent ? piece : (size_t)(total - s->raw.sent);
        (void)raw_write(&s->raw, n);
        (void)loop_turn(s->loop, 5);
        raw_read(&s->raw, SIZE_MAX);
        if (s->raw.last == 0 || s->raw.last == -2)
            break;
    }
    CHECK_EQ(s->raw.got, total);
    CHECK_EQ(s->o.got, total);
}

TEST(echo)
{
    struct scene s;

    begin(&s);
    s.o.echo = true;
    echo_bytes(&s, 100, 1);
    echo_bytes(&s, 4u << 20, 70000);
    CHECK_EQ(s.o.opened, 0); /* accepted and plain: open from the start */
    end(&s);
}

TEST(owner_takes_a_little_each_time)
{
    static const size_t TAKES[] = {1, 7, 1000, 4099};

    for (size_t i = 0; i < sizeof TAKES / sizeof *TAKES; i++) {
        struct scene s;
        begin(&s);
        s.o.take = TAKES[i];
        s.o.echo = true;
        echo_bytes(&s, 20000 * (i + 1), 9000);
        end(&s);
    }
}

TEST(reads_go_where_the_owner_says)
{
    struct scene s;

    begin(&s);
    s.o.direct = true;
    while (s.o.got < 1u << 20) {
        (void)raw_write(&s.raw, (size_t)((1u << 20) - s.raw.sent));
        (void)loop_turn(s.loop, 5);
    }
    CHECK_EQ(pool_lent(loop_pool(s.loop)), 0); /* nothing of it was kept */
    end(&s);
}

/* The peer sends all that the kernels take; the owner is told of none of it, and the process holds next to none. */
TEST(unwanted_input_stays_with_the_peer)
{
    struct scene s;

    begin(&s);
    s.o.wants = false;
    while (raw_write(&s.raw, 1u << 20))
        (void)loop_turn(s.loop, 0);
    (void)turns_in(s.loop, 20);
    CHECK_EQ(s.o.inputs, 0);
    CHECK(conn_bytes_in(s.o.conn) <= READ_AHEAD_MAX);
    CHECK(turns_in(s.loop, 100) <= 4); /* no spinning on what nobody wants */
    CHECK(pool_lent(loop_pool(s.loop)) <= 1);

    s.o.wants = true;
    conn_resume(s.o.conn);
    RUN_UNTIL(s.loop, s.o.got == s.raw.sent);
    CHECK_EQ(pool_lent(loop_pool(s.loop)), 0);
    end(&s);
}

TEST(wanted_for_a_while_again_and_again)
{
    struct scene s;

    begin(&s);
    s.o.limit = 0;
    for (unsigned i = 0; i < 200; i++) {
        (void)raw_write(&s.raw, 30000);
        (void)loop_turn(s.loop, 0);
        s.o.limit += 1 + i * 37 % 20000;
        if (i % 3)
            conn_resume(s.o.conn);
        (void)loop_turn(s.loop, 0);
        CHECK(s.o.got <= s.o.limit);
    }
    s.o.limit = SIZE_MAX;
    conn_resume(s.o.conn);
    RUN_UNTIL(s.loop, s.o.got == s.raw.sent);
    end(&s);
}

/* An owner with input it does not want yet still hears at once that the peer is gone. */
TEST(reset_is_noticed_while_input_is_unwanted)
{
    struct scene s;

    begin(&s);
    s.o.wants = false;
    (void)raw_write(&s.raw, 100);
    (void)turns_in(s.loop, 20);
    reset_raw(&s);
    RUN_UNTIL(s.loop, s.o.closes == 1);
    CHECK_EQ(s.o.end.reason, CONN_PEER_RESET);
    CHECK(s.o.end.opened);
    end(&s);
}

TEST(end_is_noticed_while_nothing_is_wanted)
{
    struct scene s;

    begin(&s);
    s.o.wants = false;
    s.o.close_on_eof = false;
    CHECK_EQ(shutdown(s.raw.fd, SHUT_WR), 0);
    RUN_UNTIL(s.loop, s.o.eofs == 1);
    CHECK(s.o.eof_clean);
    CHECK(turns_in(s.loop, 100) <= 4);
    CHECK_EQ(s.o.eofs, 1);
    end(&s);
}

/* ...but not before what came before it was taken. */
TEST(eof_comes_after_all_input)
{
    struct scene s;

    begin(&s);
    s.o.limit = 10;
    s.o.close_on_eof = false;
    (void)raw_write(&s.raw, 1000);
    CHECK_EQ(shutdown(s.raw.fd, SHUT_WR), 0);
    (void)turns_in(s.loop, 50);
    CHECK_EQ(s.o.got, 10);
    CHECK_EQ(s.o.eofs, 0);
    CHECK(turns_in(s.loop, 100) <= 4);
    s.o.limit = SIZE_MAX;
    conn_resume(s.o.conn);
    RUN_UNTIL(s.loop, s.o.eofs == 1);
    CHECK_EQ(s.o.got, 1000);
    end(&s);
}

TEST(half_closed_peer_still_gets_everything)
{
    struct scene s;

    begin(&s);
    s.o.close_on_eof = false;
    CHECK_EQ(shutdown(s.raw.fd, SHUT_WR), 0);
    RUN_UNTIL(s.loop, s.o.eofs == 1);
    owner_send(&s.o, 3u << 20);
    while (s.raw.got < 3u << 20 && s.o.conn) {
        (void)loop_turn(s.loop, 5);
        raw_read(&s.raw, 100000);
    }
    CHECK_EQ(s.raw.got, 3u << 20);
    CHECK_EQ(s.o.closes, 0);
    conn_close(s.o.conn);
    RUN_UNTIL(s.loop, s.o.closes == 1); /* no lingering: the peer's end is there */
    CHECK_EQ(s.o.end.reason, CONN_ENDED);
    raw_read(&s.raw, 1);
    CHECK_EQ(s.raw.last, 0);
    end(&s);
}

TEST(slow_reader_stops_the_writer)
{
    struct scene s;

    begin(&s);
    owner_send(&s.o, 64u << 20);
    (void)turns_in(s.loop, 50);
    CHECK(s.o.sent < s.o.to_send);
    CHECK(conn_unsent(s.o.conn) < 128u * 1024u);
    CHECK(turns_in(s.loop, 100) <= 4);
    /* The kernel may have taken a little more: then there is room, of which nobody is told before half of it is free. */
    CHECK(conn_unsent(s.o.conn) > 32u * 1024u);
    CHECK_EQ(conn_lend(s.o.conn, 1000).n == 0, conn_unsent(s.o.conn) >= 64u * 1024u);
    while (s.raw.got < s.o.to_send && s.o.conn) {
        raw_read(&s.raw, 700000);
        (void)loop_turn(s.loop, 5);
    }
    CHECK_EQ(s.raw.got, s.o.to_send);
    CHECK(s.o.writables > 0);
    end(&s);
}

TEST(odd_sizes_of_room)
{
    static const size_t WANTS[] = {1, 3, 511, 513, 5000, 17344, 100000};

    for (size_t i = 0; i < sizeof WANTS / sizeof *WANTS; i++) {
        struct scene s;
        begin(&s);
        s.o.want_room = WANTS[i];
        owner_send(&s.o, 300000);
        while (s.raw.got < 300000 && s.o.conn) {
            (void)loop_turn(s.loop, 5);
            raw_read(&s.raw, SIZE_MAX);
        }
        CHECK_EQ(s.raw.got, 300000);
        CHECK_EQ(pool_lent(loop_pool(s.loop)), 0);
        end(&s);
    }
}

TEST(room_that_is_not_used)
{
    struct scene s;

    begin(&s);
    CHECK(conn_lend(s.o.conn, 100).n >= 100);
    conn_commit(s.o.conn, 0);
    CHECK(conn_lend(s.o.conn, 8000).n >= 512);
    CHECK(conn_put(s.o.conn, "\0\x1f", 2)); /* pattern(0), pattern(1) */
    (void)loop_turn(s.loop, 0);
    raw_read(&s.raw, 2);
    CHECK_EQ(s.raw.got, 2);
    CHECK_EQ(pool_lent(loop_pool(s.loop)), 0);
    end(&s);
}

TEST(close_sends_what_is_queued_to_a_slow_reader)
{
    struct scene s;

    begin(&s);
    owner_send(&s.o, 8u << 20);
    while (s.o.sent < s.o.to_send) {
        raw_read(&s.raw, 300000);
        (void)loop_turn(s.loop, 5);
    }
    conn_close(s.o.conn);
    CHECK(!conn_put(s.o.conn, "x", 1)); /* nothing more, and not a byte of it may arrive */
    CHECK_EQ(conn_lend(s.o.conn, 1).n, 0);
    (void)turns_in(s.loop, 30);
    CHECK_EQ(s.o.closes, 0);
    while (s.raw.last != 0 && s.raw.last != -2) {
        raw_read(&s.raw, 200000);
        (void)loop_turn(s.loop, 1);
    }
    CHECK_EQ(s.raw.got, 8u << 20);
    CHECK_EQ(s.raw.last, 0); /* an end and no break */
    CHECK_EQ(s.o.closes, 0); /* it waits for ours */
    close_raw(&s);
    RUN_UNTIL(s.loop, s.o.closes == 1);
    CHECK_EQ(s.o.end.reason, CONN_ENDED);
    end(&s);
}

/* While it is sent there is time, as long as it gets on: one that reads little by little has what all of it takes. */
TEST(close_has_time_while_something_moves)
{
    struct conn_handler handler = OWNER_HANDLER;
    struct scene s;
    uint64_t began;

    begin(&s);
    conn_reset(s.o.conn);
    RUN_UNTIL(s.loop, s.o.closes == 1);
    close_raw(&s);
    handler.flush_ms = 300; /* the peer's kernel says in steps what it has taken */
    for (int reads = 0; reads < 2; reads++) {
        int fds[2], little = 4096;
        tcp_pair(fds);
        (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        (void)setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
        s.raw = (struct raw){.fd = fds[0], .last = -1};
        owner_init(&s.o, s.loop);
        s.o.conn = conn_new(s.loop, fds[1], NULL, false, &handler, &s.o);
        if (!CHECK(s.o.conn != NULL))
            break;
        owner_send(&s.o, 1u << 20);
        (void)turns_in(s.loop, 20); /* the kernels are full, and so is it */
        conn_close(s.o.conn);
        began = time_mono_ms();
        while (reads && s.raw.last != 0 && s.raw.last != -2 && time_mono_ms() - began < PATIENCE_MS) {
            (void)turns_in(s.loop, 40);
            raw_read(&s.raw, 5000);
        }
        if (reads) {
            CHECK_EQ(s.raw.got, s.o.sent);
            CHECK(time_mono_ms() - began > 900);
            close_raw(&s);
        }
        RUN_UNTIL(s.loop, s.o.closes == 1);
        CHECK_EQ(s.o.end.reason, reads ? CONN_ENDED : CONN_RESET);
        close_raw(&s);
    }
    end(&s);
}

TEST(close_lingers_while_the_peer_sends)
{
    struct scene s;
    uint64_t began = time_mono_ms();

    begin(&s);
    CHECK(conn_put(s.o.conn, "\0\x1f\x3e", 3));
    conn_close(s.o.conn);
    for (unsigned i = 0; i < 20; i++) { /* as a client that is still uploading when it is answered */
        (void)raw_write(&s.raw, 50000);
        (void)loop_turn(s.loop, 1);
    }
    raw_read(&s.raw, SIZE_MAX);
    CHECK_EQ(s.raw.got, 3);
    CHECK_EQ(s.raw.last, 0);
    CHECK_EQ(s.o.got, 0); /* no input any more */
    CHECK_EQ(s.o.closes, 0);
    RUN_UNTIL(s.loop, s.o.closes == 1); /* a peer that does not end is waited for for two seconds */
    CHECK(time_mono_ms() - began >= 1500);
    CHECK_EQ(s.o.end.reason, CONN_ENDED);
    end(&s);
}

TEST(reset_cannot_be_taken_for_an_end)
{
    struct scene s;

    begin(&s);
    CHECK(conn_put(s.o.conn, "\0", 1));
    conn_reset(s.o.conn);
    conn_reset(s.o.conn);
    conn_close(s.o.conn);
    CHECK_EQ(s.o.closes, 0); /* never inside the verb */
    RUN_UNTIL(s.loop, s.o.closes == 1);
    CHECK_EQ(s.o.end.reason, CONN_RESET);
    raw_read(&s.raw, 100);
    CHECK_EQ(s.raw.last, -2);
    end(&s);
}

TEST(reset_and_close_from_input)
{
    for (int reset = 0; reset < 2; reset++) {
        struct scene s;
        begin(&s);
        s.o.take = 10;
        s.o.reset_on_input = reset;
        s.o.close_on_input = !reset;
        (void)raw_write(&s.raw, 100000);
        (void)turns_in(s.loop, 10);
        CHECK_EQ(s.o.inputs, 1); /* nothing after it asked for the end */
        raw_read(&s.raw, 1);
        CHECK_EQ(s.raw.last, reset ? -2 : 0);
        close_raw(&s);
        RUN_UNTIL(s.loop, s.o.closes == 1);
        CHECK_EQ(s.o.inputs, 1);
        end(&s);
    }
}

TEST(peer_reset_while_output_waits)
{
    struct scene s;

    begin(&s);
    owner_send(&s.o, 64u << 20);
    (void)turns_in(s.loop, 20);
    reset_raw(&s);
    RUN_UNTIL(s.loop, s.o.closes == 1);
    CHECK_EQ(s.o.end.reason, CONN_PEER_RESET);
    end(&s);
}

/* An upstream that answers early and closes: what it said is read before the broken pipe ends it all. */
TEST(what_the_peer_said_before_it_reset)
{
    struct scene s;

    begin(&s);
    (void)raw_write(&s.raw, 5000);
    reset_raw(&s);
    owner_send(&s.o, 1u << 20); /* this is where we learn of it: the write comes before the event */
    RUN_UNTIL(s.loop, s.o.closes == 1);
    CHECK_EQ(s.o.got, 5000);
    CHECK_EQ(s.o.end.reason, CONN_PEER_RESET);
    end(&s);
}

/* Unix sockets say EPOLLHUP as soon as the peer has closed, whatever it left to be read. */
TEST(hang_up_with_input_that_is_not_wanted_yet)
{
    struct scene s;

    begin_on(&s, unix_pair);
    s.o.limit = 1000;
    (void)raw_write(&s.raw, 150000);
    close_raw(&s);
    (void)turns_in(s.loop, 20);
    CHECK_EQ(s.o.closes, 0);
    CHECK_EQ(s.o.got, 1000);
    CHECK(turns_in(s.loop, 100) <= 4); /* EPOLLHUP comes again each turn until the watch is gone */
    while (s.o.got + 20000 < s.raw.sent) {
        s.o.limit += 20000;
        conn_resume(s.o.conn);
        (void)turns_in(s.loop, 5);
        CHECK_EQ(s.o.got, s.o.limit);
        CHECK_EQ(s.o.eofs, 0);
    }
    CHECK(turns_in(s.loop, 100) <= 4);
    s.o.limit = SIZE_MAX;
    conn_resume(s.o.conn);
    RUN_UNTIL(s.loop, s.o.closes == 1);
    CHECK_EQ(s.o.got, s.raw.sent);
    CHECK_EQ(s.o.eofs, 1);
    CHECK_EQ(s.o.end.reason, CONN_ENDED);
    end(&s);
}

TEST(hang_up_of_an_idle_connection)
{
    struct scene s;

    begin_on(&s, unix_pair);
    s.o.wants = false;
    s.o.close_on_eof = false;
    (void)turns_in(s.loop, 5);
    close_raw(&s);
    RUN_UNTIL(s.loop, s.o.eofs == 1);
    CHECK(turns_in(s.loop, 100) <= 4);
    conn_close(s.o.conn);
    RUN_UNTIL(s.loop, s.o.closes == 1);
    end(&s);
}

TEST(connect_and_be_refused)
{
    struct ledger l = ledger_open();
    struct owner good, bad;
    struct addr a, peer;
    int listener, fd;

    CHECK(addr_from_ip(&a, bytes_str("127.0.0.1"), 0));
    listener = socket_listen(&a, 4);
    CHECK_EQ(getsockname(listener, &a.any, &a.len), 0);
    owner_init(&good, l.loop);
    CHECK(owner_take(&good, socket_connect(&a), NULL, true));
    CHECK(!conn_is_open(good.conn));
    CHECK_EQ(conn_lend(good.conn, 1).n, 0);
    CHECK(!conn_put(good.conn, "x", 1));
    RUN_UNTIL(l.loop, good.opened == 1);
    CHECK(conn_is_open(good.conn));
    CHECK(conn_is_quiet(good.conn));
    fd = socket_accept(listener, &peer);
    CHECK(fd >= 0);
    close(listener);

    owner_init(&bad, l.loop);
    fd = (close(fd), socket_connect(&a));
    CHECK(fd >= 0);
    CHECK(owner_take(&bad, fd, NULL, true));
    RUN_UNTIL(l.loop, bad.closes == 1);
    CHECK_EQ(bad.end.reason, CONN_FAILED);
    CHECK_EQ(bad.end.error, ECONNREFUSED);
    CHECK(!bad.end.opened);
    CHECK_EQ(bad.opened, 0);
    CHECK_EQ(bad.eofs, 0);

    RUN_UNTIL(l.loop, good.closes == 1); /* by its peer's end */
    CHECK(good.end.opened);
    ledger_close(&l);
}

TEST(quiet_only_when_nothing_has_come)
{
    struct scene s;

    begin(&s);
    (void)loop_turn(s.loop, 0);
    CHECK(conn_is_quiet(s.o.conn));
    (void)raw_write(&s.raw, 1);
    for (int i = 0; i < 1000 && conn_is_quiet(s.o.conn); i++)
        usleep(1000);
    CHECK(!conn_is_quiet(s.o.conn));
    RUN_UNTIL(s.loop, s.o.got == 1);
    CHECK(conn_is_quiet(s.o.conn));
    close_raw(&s);
    for (int i = 0; i < 1000 && conn_is_quiet(s.o.conn); i++)
        usleep(1000);
    CHECK(!conn_is_quiet(s.o.conn));
    end(&s);
}

/* Many at once, ended in one turn by their peers, by us, and by each other's events. */
TEST(many_end_in_one_batch)
{
    enum { N = 200 };
    struct ledger l = ledger_open();
    static struct owner owners[N];
    int raws[N];

    for (unsigned i = 0; i < N; i++) {
        int fds[2];
        tcp_pair(fds);
        owner_init(&owners[i], l.loop);
        raws[i] = fds[0];
        CHECK(owner_take(&owners[i], fds[1], NULL, false));
        CHECK_EQ(write(raws[i], "\0", 1), 1);
    }
    for (unsigned i = 0; i < N; i++) {
        if (i % 3 == 0)
            socket_reset(raws[i]);
        else if (i % 3 == 1)
            close(raws[i]);
        if (i % 5 == 0)
            conn_reset(owners[i].conn);
        if (i % 5 == 1)
            conn_close(owners[i].conn);
    }
    for (unsigned i = 0; i < N; i++)
        if (i % 3 == 2)
            close(raws[i]);
    for (unsigned i = 0; i < N; i++) {
        RUN_UNTIL(l.loop, owners[i].closes > 0);
        CHECK_EQ(owners[i].closes, 1);
    }
    ledger_close(&l);
}

/* Each allocation fails in turn while two connections are at work; the one that it hits ends, both never. */
TEST(no_allocation_is_one_too_many)
{
    for (long n = 0;; n++) {
        struct ledger l = ledger_open();
        struct owner o[2];
        struct raw raw[2];
        size_t before;
        bool reached;

        for (int i = 0; i < 2; i++) {
            int fds[2];
            tcp_pair(fds);
            owner_init(&o[i], l.loop);
            o[i].echo = true;
            o[i].take = 5000;
            raw[i] = (struct raw){.fd = fds[0]};
            if (i == 1) {
                before = mem_allocations();
                mem_fail_at(n, 1);
            }
            if (!owner_take(&o[i], fds[1], NULL, false))
                o[i].closes = 1;
        }
        for (unsigned i = 0; i < 40; i++) {
            for (int k = 0; k < 2; k++)
                if (!o[k].closes)
                    (void)raw_write(&raw[k], 20000);
            (void)loop_turn(l.loop, 0);
            for (int k = 0; k < 2; k++)
                raw_read(&raw[k], 15000);
        }
        reached = mem_allocations() - before > (size_t)n;
        mem_fail_at(-1, 0);
        CHECK(o[0].closes + o[1].closes <= 1);
        for (int k = 0; k < 2; k++) {
            if (!o[k].closes) { /* goes on */
                uint64_t deadline = time_mono_ms() + PATIENCE_MS;
                while (raw[k].got < raw[k].sent && time_mono_ms() < deadline) {
                    (void)loop_turn(l.loop, 1);
                    raw_read(&raw[k], SIZE_MAX);
                }
                CHECK_EQ(raw[k].got, raw[k].sent);
                conn_close(o[k].conn);
            }
            close(raw[k].fd);
            RUN_UNTIL(l.loop, o[k].closes == 1);
            CHECK(!o[k].garbled && !raw[k].garbled);
        }
        ledger_close(&l);
        if (!reached) {
            CHECK(n > 3);
            break;
        }
    }
}

TEST_MAIN(RUN(echo), RUN(owner_takes_a_little_each_time), RUN(reads_go_where_the_owner_says),
          RUN(unwanted_input_stays_with_the_peer), RUN(wanted_for_a_while_again_and_again),
          RUN(reset_is_noticed_while_input_is_unwanted), RUN(end_is_noticed_while_nothing_is_wanted),
          RUN(eof_comes_after_all_input), RUN(half_closed_peer_still_gets_everything),
          RUN(slow_reader_stops_the_writer), RUN(odd_sizes_of_room), RUN(room_that_is_not_used),
          RUN(close_sends_what_is_queued_to_a_slow_reader), RUN(close_has_time_while_something_moves),
          RUN(close_lingers_while_the_peer_sends), RUN(reset_cannot_be_taken_for_an_end),
          RUN(reset_and_close_from_input), RUN(peer_reset_while_output_waits),
          RUN(what_the_peer_said_before_it_reset), RUN(hang_up_with_input_that_is_not_wanted_yet),
          RUN(hang_up_of_an_idle_connection), RUN(connect_and_be_refused),
          RUN(quiet_only_when_nothing_has_come), RUN(many_end_in_one_batch),
          RUN(no_allocation_is_one_too_many))
