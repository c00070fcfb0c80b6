/* SPDX-License-Identifier: MIT
 *
 * The life of requests and of the connection that is kept between them: which one is taken, how long all of it may last,
 * how it ends from our side, and each allocation of it failing in turn.
 */
#include "tests/unit/acme/server.h"
#include "tests/unit/scratch.h"

#include <unistd.h>

#define OK "HTTP/1.1 200 OK\r\n"

static void begin(struct visit *v, struct server *s)
{
    visit_open(v, "p256.pem", NULL);
    server_open(s, v->loop, "127.0.0.1", 0, "p256.pem", "p256.key");
}

static void end(struct visit *v, struct server *s)
{
    server_close(s);
    visit_close(v);
}

/* ---- the connection that is kept ---- */

TEST(one_connection_serves_many)
{
    struct visit v;
    struct server s;

    begin(&v, &s);
    for (unsigned i = 1; i <= 12; i++) {
        visit_send(&v, "p256.test", s.port, i % 2 ? "a body" : NULL);
        visit_wait(&v, i, 0);
        CHECK_EQ(v.status, 200);
        CHECK(v.context.idle != NULL);
        visit_pass(&v, 5000);
    }
    CHECK_EQ(s.accepted, 1);
    CHECK_EQ(s.requests, 12);
    end(&v, &s);
}

TEST(it_is_kept_for_ten_seconds)
{
    struct visit v;
    struct server s;

    begin(&v, &s);
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 1, 0);
    visit_pass(&v, 9900);
    CHECK(v.context.idle != NULL && s.peers[0].conn != NULL);
    visit_pass(&v, 200);
    CHECK(v.context.idle == NULL);
    visit_pass(&v, 200);
    CHECK(s.peers[0].server == NULL); /* it saw the end */
    end(&v, &s);
}

TEST(what_ends_it)
{
    static const struct {
        enum script script;
        const char *answer;
    } cases[] = {
        {CLOSE, OK "Content-Length: 2\r\n\r\nhi"                     },
        {CUT,   OK "Content-Length: 2\r\n\r\nhi"                     },
        {RESET, OK "Content-Length: 2\r\n\r\nhi"                     },
        {KEEP,  OK "Connection: close\r\nContent-Length: 2\r\n\r\nhi"},
        {KEEP,  OK "Content-Length: 2\r\n\r\nhi, and more"           },
        {KEEP,  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"     },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct visit v;
        struct server s;

        begin(&v, &s);
        s.script = cases[i].script;
        s.answer = cases[i].answer;
        for (unsigned k = 1; k <= 2; k++) {
            visit_send(&v, "p256.test", s.port, NULL);
            visit_wait(&v, k, 0);
            /* The reset may overtake the answer. */
            CHECK(v.status == 200 || (s.script == RESET && v.kind == HTTPS_PROTOCOL));
            visit_pass(&v, 200);
            if (!CHECK(v.context.idle == NULL))
                printf("    case %zu\n", i);
        }
        CHECK_EQ(s.accepted, 2);
        end(&v, &s);
    }
}

/* The server may close it in the very moment in which it is taken. */
TEST(a_request_it_did_not_answer_is_sent_once_more)
{
    struct visit v;
    struct server s;

    begin(&v, &s);
    s.last = 2;
    for (unsigned i = 1; i <= 5; i++) {
        visit_send(&v, "p256.test", s.port, "a body");
        visit_wait(&v, i, 0);
        CHECK_EQ(v.status, 200);
    }
    CHECK_EQ(s.accepted, 5);
    CHECK_EQ(s.requests, 9);
    /* Once: a server that hangs up on everything is not asked for ever. */
    s.last = 1;
    visit_send(&v, "p256.test", s.port, "a body");
    visit_wait(&v, 6, 0);
    CHECK_EQ(v.kind, HTTPS_PROTOCOL);
    CHECK_EQ(s.accepted, 6);
    end(&v, &s);
}

/* Nor is one of which a byte of the answer has come: it was seen. */
TEST(a_request_it_began_to_answer_is_not)
{
    struct visit v;
    struct server s;

    begin(&v, &s);
    visit_send(&v, "p256.test", s.port, "a body");
    visit_wait(&v, 1, 0);
    s.script = CLOSE;
    s.answer = "H";
    visit_send(&v, "p256.test", s.port, "a body");
    visit_wait(&v, 2, 0);
    CHECK_EQ(v.kind, HTTPS_PROTOCOL);
    CHECK_EQ(s.accepted, 1);
    CHECK_EQ(s.requests, 2);
    end(&v, &s);
}

TEST(it_leads_to_one_server_alone)
{
    struct visit v;
    struct server s, other;

    visit_open(&v, "p256.pem", NULL);
    server_open(&s, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
    server_open(&other, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 1, 0);
    visit_send(&v, "p256.test", other.port, NULL); /* another port */
    visit_wait(&v, 2, 0);
    CHECK_EQ(other.accepted, 1);
    visit_send(&v, "www.p256.test", other.port, NULL); /* another name: its certificate is looked at */
    visit_wait(&v, 3, 0);
    CHECK_EQ(other.accepted, 2);
    v.is_plain = true; /* without TLS */
    visit_send(&v, "www.p256.test", other.port, NULL);
    visit_wait(&v, 4, 0);
    CHECK_EQ(other.accepted, 3);
    CHECK_EQ(other.requests, 2);
    server_close(&s);
    server_close(&other);
    visit_close(&v);
}

/* Who asks what is at an address must not be told what is at another one. */
TEST(it_leads_to_one_address_alone)
{
    struct visit v;
    struct server s, other;

    visit_open(&v, "p256.pem", NULL);
    v.is_plain = true;
    server_open(&s, v.loop, "127.0.0.1", 0, NULL, NULL);
    server_open(&other, v.loop, "127.0.0.2", s.port, NULL, NULL);
    other.answer = OK "Content-Length: 5\r\n\r\nother";
    for (unsigned i = 1; i <= 4; i++) {
        v.ip = i % 2 ? "127.0.0.1" : "127.0.0.2";
        visit_send(&v, "localhost", s.port, NULL);
        visit_wait(&v, i, 0);
        CHECK_MEM(v.body, v.body_len, i % 2 ? "hello" : "other", 5);
    }
    /* Nor who asks where a name leads, what is at an address somebody gave. */
    v.ip = NULL;
    visit_send(&v, "localhost", s.port, NULL);
    visit_wait(&v, 5, 0);
    CHECK_MEM(v.body, v.body_len, "hello", 5);
    CHECK_EQ(s.accepted, 3);
    /* Then what that found is as good as the address itself. */
    v.ip = "127.0.0.1";
    visit_send(&v, "localhost", s.port, NULL);
    visit_wait(&v, 6, 0);
    CHECK_EQ(s.accepted, 3);
    server_close(&s);
    server_close(&other);
    visit_close(&v);
}

static void send_again(struct visit *v)
{
    if (v->done < 5)
        v->then = send_again;
    visit_send(v, "p256.test", (uint16_t)atoi(strrchr(v->body, ' ') + 1), NULL);
}

/* The connection is free by then. */
TEST(the_next_one_from_within_done)
{
    struct visit v;
    struct server s;
    char answer[100];

    begin(&v, &s);
    snprintf(answer, sizeof answer, OK "Content-Length: 10\r\n\r\nport %5u", s.port);
    s.answer = answer;
    v.then = send_again;
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 6, 0);
    CHECK_EQ(v.status, 200);
    CHECK_EQ(s.accepted, 1);
    CHECK_EQ(s.requests, 6);
    end(&v, &s);
}

/* ---- addresses ---- */

/* A port where nobody listens. */
static uint16_t closed_port(struct visit *v)
{
    struct server s;

    server_open(&s, v->loop, "127.0.0.1", 0, NULL, NULL);
    server_close(&s);
    return s.port;
}

TEST(each_address_has_its_turn)
{
    char hosts[SCRATCH_PATH];
    struct visit v;
    struct server s;

    file_new(hosts, "127.0.0.2 p256.test\n127.0.0.3 p256.test\n127.0.0.1 p256.test\n");
    visit_open(&v, "p256.pem", hosts);
    server_open(&s, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
    v.ip = NULL;
    for (unsigned i = 1; i <= 2; i++) {
        visit_send(&v, "p256.test", s.port, NULL);
        visit_wait(&v, i, 0);
        CHECK_EQ(v.status, 200);
    }
    CHECK_EQ(s.accepted, 1);
    end(&v, &s);
    unlink(hosts);
}

/* IPv6 without a route, on a machine that has none, is not why the name was not reached. */
TEST(what_is_told_of_several_addresses)
{
    char hosts[SCRATCH_PATH];
    struct visit v;
    char expected[100];
    uint16_t port;

    file_new(hosts, "127.0.0.1 both.test\nff02::1 both.test\nff02::1 six.test\n");
    visit_open(&v, "p256.pem", hosts);
    v.ip = NULL;
    port = closed_port(&v);
    visit_send(&v, "both.test", port, NULL);
    visit_wait(&v, 1, 0);
    CHECK_EQ(v.kind, HTTPS_CONNECT);
    snprintf(expected, sizeof expected, "both.test:%u: connection refused (127.0.0.1:%u)", port, port);
    CHECK_STR(v.why, expected);
    visit_send(&v, "six.test", port, NULL);
    visit_wait(&v, 2, 0);
    CHECK_EQ(v.kind, HTTPS_CONNECT);
    CHECK(strstr(v.why, "([ff02::1]:") != NULL);
    visit_close(&v);
    unlink(hosts);
}

TEST(names_that_lead_nowhere)
{
    struct visit v;

    visit_open(&v, "p256.pem", NULL);
    v.ip = NULL;
    visit_send(&v, "nothing.invalid", 443, NULL);
    visit_wait(&v, 1, 20);
    CHECK(v.kind == HTTPS_NOT_FOUND || v.kind == HTTPS_DNS);
    CHECK_EQ(strncmp(v.why, "nothing.invalid: ", 17), 0);
    visit_close(&v);
}

/* ---- time ---- */

/* Waits in steps of 50 ms; how long it took. */
static int64_t time_until_done(struct visit *v)
{
    int64_t began = clock_mono;

    while (v->done == 0 && clock_mono - began < 100000)
        visit_pass(v, 50);
    CHECK_EQ(v->done, 1);
    return clock_mono - began;
}

TEST(no_more_than_its_time)
{
    static const struct {
        enum script script;
        int64_t from, to;
        const char *why;
    } cases[] = {
        {MUTE,    10000, 10200, "no connection within 10 seconds (127.0.0.1:"},
        {SILENT,  29900, 60000, "no byte within 30 seconds (127.0.0.1:"      },
        {TRICKLE, 59900, 60200, "no answer within a minute (127.0.0.1:"      },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct visit v;
        struct server s;
        int64_t took;

        begin(&v, &s);
        s.script = cases[i].script;
        visit_send(&v, "p256.test", s.port, "a body");
        took = time_until_done(&v);
        CHECK_EQ(v.kind, HTTPS_TIMEOUT);
        if (!CHECK(took >= cases[i].from && took <= cases[i].to))
            printf("    case %zu: %d ms\n", i, (int)took);
        if (!CHECK(strstr(v.why, cases[i].why) != NULL))
            printf("    %s\n", v.why);
        end(&v, &s);
    }
}

/* A slow answer is an answer. */
TEST(slow_but_in_time)
{
    struct visit v;
    struct server s;

    begin(&v, &s);
    s.script = TRICKLE;
    s.answer = "HTTP/1.1 2"; /* 45 seconds */
    visit_send(&v, "p256.test", s.port, NULL);
    visit_pass(&v, 50000);
    CHECK_EQ(v.done, 0);
    server_hang_up(&s);
    visit_wait(&v, 1, 0);
    CHECK_EQ(v.kind, HTTPS_PROTOCOL);
    end(&v, &s);
}

/* ---- our side ends it ---- */

/* Turns until a request is over, each of them a state to cancel it in. */
static unsigned cancel_at(unsigned turns, bool on_a_kept_one, enum script script)
{
    struct visit v;
    struct server s;
    unsigned i;

    begin(&v, &s);
    if (on_a_kept_one) {
        visit_send(&v, "p256.test", s.port, NULL);
        visit_wait(&v, 1, 0);
    }
    s.script = script;
    visit_send(&v, "p256.test", s.port, "a body");
    for (i = 0; i < turns && v.request != NULL; i++)
        (void)loop_turn(v.loop, 5);
    https_cancel(v.request);
    v.request = NULL;
    v.done = 0;
    visit_pass(&v, 500);
    CHECK_EQ(v.done, 0); /* nothing is said after it */
    end(&v, &s);
    return i;
}

TEST(cancelled_at_any_turn)
{
    for (int kept = 0; kept < 2; kept++)
        for (int script = KEEP; script <= PIECES; script++) {
            unsigned turns = 0;

            while (turns < 200 && cancel_at(turns, kept, (enum script)script) == turns)
                turns++;
            CHECK(turns > 1 && turns < 200);
        }
    for (unsigned turns = 0; turns < 10; turns++) {
        (void)cancel_at(turns, false, MUTE);
        (void)cancel_at(turns, true, SILENT);
    }
}

static void release_context(struct visit *v)
{
    https_context_release(&v->context);
}

TEST(the_context_goes_in_done)
{
    struct visit v;
    struct server s;

    begin(&v, &s);
    v.then = release_context;
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 1, 0);
    CHECK_EQ(v.status, 200);
    CHECK(v.context.idle == NULL);
    end(&v, &s);
}

/* ---- memory ---- */

/* Two requests on one connection, of which allocation `at` fails, and `count` from there on: on both sides, since they are one
 * process. Attempts in all. */
static size_t live(long at, long count, unsigned *good)
{
    struct visit v;
    struct server s;
    size_t before, made;

    begin(&v, &s);
    s.answer = OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    before = mem_allocations();
    mem_fail_at(at, count);
    *good = 0;
    for (unsigned i = 1; i <= 2; i++) {
        v.done = 0;
        visit_send(&v, "p256.test", s.port, "a body");
        if (v.request == NULL)
            continue;
        visit_wait(&v, 1, 25);
        *good += v.kind == HTTPS_OK && v.status == 200 && v.body_len == 5;
    }
    mem_fail_at(-1, 0);
    made = mem_allocations() - before;
    end(&v, &s);
    return made;
}

TEST(memory_that_runs_out)
{
    unsigned good;
    size_t made = live(-1, 0, &good);

    CHECK_EQ(good, 2);
    CHECK(made > 20);
    for (long at = 0; at < (long)made; at++) {
        (void)live(at, 1, &good);
        if (!CHECK(good >= 1)) /* the other one is not concerned */
            printf("    allocation %ld\n", at);
        (void)live(at, 5, &good);
    }
}

TEST_MAIN(RUN(one_connection_serves_many), RUN(it_is_kept_for_ten_seconds), RUN(what_ends_it),
          RUN(a_request_it_did_not_answer_is_sent_once_more), RUN(a_request_it_began_to_answer_is_not),
          RUN(it_leads_to_one_server_alone), RUN(it_leads_to_one_address_alone),
          RUN(the_next_one_from_within_done), RUN(each_address_has_its_turn),
          RUN(what_is_told_of_several_addresses), RUN(names_that_lead_nowhere), RUN(no_more_than_its_time),
          RUN(slow_but_in_time), RUN(cancelled_at_any_turn), RUN(the_context_goes_in_done),
          RUN(memory_that_runs_out))
