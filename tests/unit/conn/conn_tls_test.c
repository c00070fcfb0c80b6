/* SPDX-License-Identifier: MIT
 *
 * The pump with TLS: both ends are conns over one loop, so each byte goes through both of its directions. And the ends
 * that TLS has: closed, cut off, refused, never begun.
 */
#include "tests/unit/conn/rig.h"

#include "tls/alert.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct scene {
    struct ledger ledger;
    struct loop *loop;
    struct tls_pair tls;
    struct owner client, server;
    int fds[2]; /* behind the conns' backs; the server's is 1 */
};

static void prepare(struct scene *s)
{
    s->ledger = ledger_open();
    s->loop = s->ledger.loop;
    tls_pair_init(&s->tls, s->loop);
    owner_init(&s->client, s->loop);
    owner_init(&s->server, s->loop);
}

/* A server on one end, nothing but the descriptor on the other. */
static void begin_raw(struct scene *s)
{
    prepare(s);
    tcp_pair(s->fds);
    CHECK(owner_take(&s->server, s->fds[1], tls_server_new(&s->tls.server), false));
    s->client.closes = 1;
}

static void connect_both(struct scene *s)
{
    tcp_pair(s->fds);
    CHECK(owner_take(&s->server, s->fds[1], tls_server_new(&s->tls.server), false));
    CHECK(owner_take(&s->client, s->fds[0], tls_pair_client(&s->tls), true));
}

static void begin(struct scene *s)
{
    prepare(s);
    connect_both(s);
    RUN_UNTIL(s->loop, s->client.opened && s->server.opened);
    CHECK_EQ(s->client.opened, 1);
    CHECK_EQ(s->server.opened, 1);
}

static void end(struct scene *s)
{
    if (s->client.conn)
        conn_reset(s->client.conn);
    if (s->server.conn)
        conn_reset(s->server.conn);
    RUN_UNTIL(s->loop, s->client.closes && s->server.closes);
    CHECK_EQ(s->client.closes, 1);
    CHECK_EQ(s->server.closes, 1);
    CHECK(!s->client.garbled && !s->server.garbled);
    tls_pair_release(&s->tls);
    ledger_close(&s->ledger);
}

TEST(echo_in_odd_sizes)
{
    static const struct {
        size_t want, take;
        uint64_t total;
    } CASES[] = {
        {0,     SIZE_MAX, 3u << 20},
        {1,     SIZE_MAX, 300     },
        {700,   1,        3000    },
        {5000,  999,      200000  },
        {16384, 16385,    500000  },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct scene s;
        begin(&s);
        CHECK_EQ(pool_lent(loop_pool(s.loop)), 0); /* idle: no buffer of either side */
        s.server.echo = true;
        s.server.take = CASES[i].take;
        s.client.want_room = CASES[i].want;
        owner_send(&s.client, CASES[i].total);
        RUN_UNTIL(s.loop, s.client.got == CASES[i].total);
        CHECK_EQ(s.server.got, CASES[i].total);
        CHECK_EQ(pool_lent(loop_pool(s.loop)), 0);
        CHECK(tls_is_idle(conn_tls(s.server.conn)));
        end(&s);
    }
}

TEST(unwanted_input_stays_with_the_peer)
{
    struct scene s;

    begin(&s);
    s.server.wants = false;
    owner_send(&s.client, 64u << 20);
    (void)turns_in(s.loop, 100);
    CHECK_EQ(s.server.inputs, 0);
    CHECK(s.client.sent < s.client.to_send);
    CHECK(conn_bytes_in(s.server.conn) < 40000); /* the handshake, a record, a little */
    CHECK(turns_in(s.loop, 100) <= 6);
    s.server.wants = true;
    s.server.limit = 100000;
    conn_resume(s.server.conn);
    RUN_UNTIL(s.loop, s.server.got == 100000);
    (void)turns_in(s.loop, 30);
    CHECK(turns_in(s.loop, 100) <= 6);
    s.server.limit = SIZE_MAX;
    conn_resume(s.server.conn);
    RUN_UNTIL(s.loop, s.server.got == s.client.to_send);
    end(&s);
}

/* Each side closes first in turn; what it had queued arrives before its close_notify. */
TEST(close_is_clean_for_both)
{
    for (int which = 0; which < 2; which++) {
        struct scene s;
        begin(&s);
        struct owner *first = which ? &s.client : &s.server, *other = which ? &s.server : &s.client;
        owner_send(first, 2u << 20);
        RUN_UNTIL(s.loop, first->sent == first->to_send);
        conn_close(first->conn);
        RUN_UNTIL(s.loop, other->eofs == 1);
        CHECK(other->eof_clean);
        CHECK_EQ(other->got, 2u << 20);
        RUN_UNTIL(s.loop, first->closes == 1 && other->closes == 1);
        CHECK_EQ(first->end.reason, CONN_ENDED);
        CHECK_EQ(other->end.reason, CONN_ENDED);
        CHECK_EQ(first->eofs, 0); /* it had asked for the end itself */
        end(&s);
    }
}

TEST(truncation_is_no_clean_end)
{
    struct scene s;

    begin(&s);
    s.server.limit = 100;
    owner_send(&s.client, 5000);
    RUN_UNTIL(s.loop, s.server.got == 100);
    CHECK_EQ(shutdown(s.fds[0], SHUT_WR), 0); /* FIN without close_notify */
    (void)turns_in(s.loop, 30);
    CHECK_EQ(s.server.eofs, 0);
    s.server.limit = SIZE_MAX;
    conn_resume(s.server.conn);
    RUN_UNTIL(s.loop, s.server.eofs == 1);
    CHECK(!s.server.eof_clean);
    CHECK_EQ(s.server.got, 5000);
    RUN_UNTIL(s.loop, s.server.closes == 1);
    CHECK_EQ(s.server.end.reason, CONN_TLS);
    CHECK_EQ(s.server.end.tls.alert, 0);
    CHECK(s.server.end.opened);
    end(&s);
}

TEST(truncation_does_not_spin_for_an_owner_that_stays)
{
    struct scene s;

    begin(&s);
    s.server.close_on_eof = false;
    CHECK_EQ(shutdown(s.fds[0], SHUT_WR), 0);
    RUN_UNTIL(s.loop, s.server.eofs == 1);
    CHECK(turns_in(s.loop, 100) <= 4);
    CHECK_EQ(s.server.eofs, 1);
    end(&s);
}

TEST(reset_inside_the_handshake)
{
    for (unsigned turns = 0; turns < 6; turns++) {
        struct scene s;
        prepare(&s);
        connect_both(&s);
        for (unsigned i = 0; i < turns; i++)
            (void)loop_turn(s.loop, 5);
        if (s.client.conn)
            conn_reset(s.client.conn);
        RUN_UNTIL(s.loop, s.server.closes == 1 && s.client.closes == 1);
        CHECK_EQ(s.server.end.opened, s.server.opened > 0);
        end(&s);
    }
}

TEST(refused_name_is_told_by_an_alert)
{
    struct scene s;

    prepare(&s);
    tcp_pair(s.fds);
    CHECK(owner_take(&s.server, s.fds[1], tls_server_new(&s.tls.server), false));
    CHECK(owner_take(&s.client, s.fds[0],
                     tls_client_new(&s.tls.trust, "unknown.test", s.tls.server.alpn, s.tls.server.pool),
                     true));
    RUN_UNTIL(s.loop, s.client.closes == 1 && s.server.closes == 1);
    CHECK_EQ(s.server.end.reason, CONN_TLS);
    CHECK_EQ(s.server.end.tls.alert, ALERT_UNRECOGNIZED_NAME);
    CHECK(!s.server.end.tls.received);
    CHECK(!s.server.end.opened);
    CHECK_EQ(s.client.end.reason, CONN_TLS);
    CHECK_EQ(s.client.end.tls.alert, ALERT_UNRECOGNIZED_NAME);
    CHECK(s.client.end.tls.received);
    CHECK_EQ(s.client.opened + s.server.opened + s.client.eofs + s.server.eofs, 0);
    end(&s);
}

/* The server hears why, also when the client resets right behind its alert. */
TEST(refused_certificate_is_told_by_an_alert)
{
    for (int reset = 0; reset < 2; reset++) {
        struct scene s;
        struct tls_trust other = rig_trust("p384.pem");
        prepare(&s);
        tcp_pair(s.fds);
        CHECK(owner_take(&s.server, s.fds[1], tls_server_new(&s.tls.server), false));
        CHECK(owner_take(&s.client, s.fds[0],
                         tls_client_new(&other, "p256.test", s.tls.server.alpn, s.tls.server.pool), true));
        if (reset) {
            /* Until the client has its alert out, without a turn for the server to read it. */
            while (s.client.conn && tls_status(conn_tls(s.client.conn)) != TLS_FAILED)
                (void)loop_turn(s.loop, 5);
            if (s.client.conn)
                conn_reset(s.client.conn);
        }
        RUN_UNTIL(s.loop, s.client.closes == 1 && s.server.closes == 1);
        CHECK_EQ(s.server.end.reason, CONN_TLS);
        CHECK(s.server.end.tls.received);
        CHECK(s.server.end.tls.alert != 0);
        if (!reset)
            CHECK_EQ(s.client.end.reason, CONN_TLS);
        end(&s);
        rig_trust_free(&other);
    }
}

static size_t read_all(struct scene *s, int fd, char *out, size_t cap, bool *clean)
{
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;
    size_t n = 0;

    *clean = false;
    while (time_mono_ms() < deadline) {
        ssize_t got = read(fd, out + n, cap - n);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            *clean = got == 0;
            break;
        }
        n += got > 0 ? (size_t)got : 0;
        (void)loop_turn(s->loop, 5);
    }
    return n;
}

TEST(plain_http_is_answered_in_the_clear)
{
    static const char *const REQUESTS[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /a HTTP/1.0\r\n"};

    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        struct scene s;
        char answer[256];
        bool clean;
        begin_raw(&s);
        CHECK(write(s.fds[0], REQUESTS[i], strlen(REQUESTS[i])) > 0);
        size_t n = read_all(&s, s.fds[0], answer, sizeof answer, &clean);
        CHECK_MEM(answer, n, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
        CHECK(clean);
        close(s.fds[0]);
        RUN_UNTIL(s.loop, s.server.closes == 1);
        CHECK_EQ(s.server.end.reason, CONN_TLS);
        CHECK(s.server.end.tls.plain_http);
        end(&s);
    }
}

TEST(garbage_is_answered_with_an_alert)
{
    struct scene s;
    char answer[256];
    bool clean;

    begin_raw(&s);
    CHECK(write(s.fds[0], "\x7f garbage that is no record", 27) > 0);
    size_t n = read_all(&s, s.fds[0], answer, sizeof answer, &clean);
    CHECK_EQ(n, 7);
    CHECK_EQ(answer[0], 21);
    CHECK(clean);
    close(s.fds[0]);
    RUN_UNTIL(s.loop, s.server.closes == 1);
    CHECK_EQ(s.server.end.reason, CONN_TLS);
    end(&s);
}

/* A hello that stops in the middle, ended in each way there is. */
TEST(end_inside_the_hello)
{
    uint8_t hello[512];
    size_t len = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);

    for (size_t n = 0; n < len; n += 1 + n / 3)
        for (int reset = 0; reset < 2; reset++) {
            struct scene s;
            begin_raw(&s);
            CHECK_EQ(write(s.fds[0], hello, n), (ssize_t)n);
            (void)turns_in(s.loop, 3);
            CHECK(turns_in(s.loop, 10) <= 3);
            if (reset)
                socket_reset(s.fds[0]);
            else
                close(s.fds[0]);
            RUN_UNTIL(s.loop, s.server.closes == 1);
            CHECK_EQ(s.server.end.reason, reset ? CONN_PEER_RESET : CONN_TLS);
            CHECK_EQ(s.server.opened, 0);
            CHECK_EQ(s.server.eofs, 0);
            end(&s);
        }
}

TEST(verbs_before_it_is_open)
{
    struct scene s;

    begin_raw(&s);
    CHECK(!conn_is_open(s.server.conn));
    CHECK(!conn_put(s.server.conn, "x", 1));
    CHECK_EQ(conn_lend(s.server.conn, 1).n, 0);
    conn_resume(s.server.conn);
    (void)loop_turn(s.loop, 0);
    conn_close(s.server.conn); /* nothing was said: a reset says it */
    RUN_UNTIL(s.loop, s.server.closes == 1);
    CHECK_EQ(s.server.end.reason, CONN_RESET);
    close(s.fds[0]);
    end(&s);
}

TEST(reset_from_input)
{
    struct scene s;

    begin(&s);
    s.server.reset_on_input = true;
    owner_send(&s.client, 100000);
    RUN_UNTIL(s.loop, s.server.closes == 1 && s.client.closes == 1);
    CHECK_EQ(s.server.inputs, 1);
    CHECK_EQ(s.server.end.reason, CONN_RESET);
    end(&s);
}

static bool echoes(struct loop *loop, struct owner *client, uint64_t n)
{
    uint64_t deadline = time_mono_ms() + PATIENCE_MS, want = client->to_send + n;

    owner_send(client, n);
    while (client->conn && client->got < want && time_mono_ms() < deadline)
        (void)loop_turn(loop, 5);
    return client->got == want;
}

/* A handshake, bytes both ways, a close; each allocation in turn fails. The bystanders never notice. */
TEST(no_allocation_is_one_too_many)
{
    struct scene s;

    begin(&s); /* the bystanders */
    s.server.echo = true;
    for (long n = 0;; n++) {
        struct owner client, server;
        size_t before, blocks;
        int fds[2];

        CHECK(echoes(s.loop, &s.client, 1000));
        pool_trim(loop_pool(s.loop));
        blocks = mem_blocks();
        owner_init(&client, s.loop);
        owner_init(&server, s.loop);
        server.echo = true;
        tcp_pair(fds);
        before = mem_allocations();
        mem_fail_at(n, 1);
        struct tls *tls = tls_server_new(&s.tls.server);
        if (!tls || !owner_take(&server, fds[1], tls, false)) {
            if (!tls)
                close(fds[1]);
            server.closes = 1;
        }
        tls = tls_pair_client(&s.tls);
        if (!tls || !owner_take(&client, fds[0], tls, true)) {
            if (!tls)
                close(fds[0]);
            client.closes = 1;
        }
        if (!client.closes) {
            uint64_t deadline = time_mono_ms() + PATIENCE_MS;
            client.to_send = 40000; /* from `opened` on */
            while (!client.closes && client.got < 40000 && time_mono_ms() < deadline)
                (void)loop_turn(s.loop, 5);
            CHECK(client.closes || client.got == 40000);
            if (client.conn)
                conn_close(client.conn);
        }
        RUN_UNTIL(s.loop, client.closes && server.closes);
        bool reached = mem_allocations() - before > (size_t)n;
        mem_fail_at(-1, 0);
        (void)loop_turn(s.loop, 0);
        pool_trim(loop_pool(s.loop));
        CHECK_EQ(mem_blocks(), blocks);
        CHECK(!client.garbled && !server.garbled);
        if (!reached) {
            CHECK(n > 10);
            CHECK_EQ(client.got, 40000);
            break;
        }
    }
    CHECK(echoes(s.loop, &s.client, 100000));
    end(&s);
}

TEST_MAIN(RUN(echo_in_odd_sizes), RUN(unwanted_input_stays_with_the_peer), RUN(close_is_clean_for_both),
          RUN(truncation_is_no_clean_end), RUN(truncation_does_not_spin_for_an_owner_that_stays),
          RUN(reset_inside_the_handshake), RUN(refused_name_is_told_by_an_alert),
          RUN(refused_certificate_is_told_by_an_alert), RUN(plain_http_is_answered_in_the_clear),
          RUN(garbage_is_answered_with_an_alert), RUN(end_inside_the_hello), RUN(verbs_before_it_is_open),
          RUN(reset_from_input), RUN(no_allocation_is_one_too_many))
