/* SPDX-License-Identifier: MIT
 *
 * Requests through the whole relay: each framing both ways, each end of each side at each byte, tunnels, the pool,
 * reloading and stopping.
 */
#include "tests/unit/relay/rig.h"

static void each_way(void (*run)(struct house *h, bool tls))
{
    for (int tls = 0; tls < 2; tls++) {
        struct house h;
        house_open(&h);
        run(&h, tls);
        house_close(&h);
    }
}

static const char *host(bool tls)
{
    return tls ? "p256.test" : "plain.test";
}

static bool ask(struct visitor *v, bool tls, const char *method, const char *path, const char *rest)
{
    char text[2048];

    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, host(tls), rest);
    return say(v, text);
}

static void framings(struct house *h, bool tls)
{
    static const struct {
        const char *response, *body;
        unsigned status;
        enum then then;
    } CASES[] = {
        {OK_RESPONSE,                                                                              "hello", 200, THEN_KEEP },
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",  "hello",
         200,                                                                                                    THEN_KEEP },
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n", NULL,    200,
         THEN_KEEP                                                                                                         },
        {"HTTP/1.1 200 OK\r\n\r\nhello",                                                           "hello", 200, THEN_CLOSE},
        {"HTTP/1.0 200 OK\r\n\r\nhello",                                                           "hello", 200, THEN_CLOSE},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",                 "hello", 200, THEN_CLOSE},
        {"HTTP/1.1 204 No Content\r\n\r\n",                                                        "",      204, THEN_KEEP },
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",                                 "",      304, THEN_KEEP },
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",                                           "",      200, THEN_KEEP },
    };
    struct visitor v;
    struct answer a = {0};

    CHECK(visit(h, &v, tls)); /* one connection for all */
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        service_say(&h->service, CASES[i].response);
        h->service.script.then = CASES[i].then;
        CHECK(ask(&v, tls, "GET", "/a", "\r\n"));
        if (CASES[i].body) {
            CHECK(get_answer(&v, &a, false));
            CHECK(body_is(&a, CASES[i].body));
        } else {
            RUN_UNTIL(h->loop, (hear(&v, SIZE_MAX),
                                v.in.n > 12 && memcmp(v.in.p + v.in.n - 12, "X-T: 1\r\n\r\n", 10) != 0 &&
                                    memmem(v.in.p, v.in.n, "0\r\nX-T: 1\r\n\r\n", 13)));
            v.taken = v.in.n;
            a.status = 200;
        }
        CHECK_EQ(a.status, CASES[i].status);
        CHECK(service_saw(&h->service, "GET /a HTTP/1.1\r\n"));
        CHECK(service_saw(&h->service, tls ? "X-Forwarded-Proto: https" : "X-Forwarded-Proto: http"));
    }
    CHECK_EQ(v.over, OVER_NOT);
    leave(&v, false);
    sink_free(&a.body);
    all_gone(h);
}

TEST(each_framing_of_a_response)
{
    each_way(framings);
}

static void bodies(struct house *h, bool tls)
{
    struct visitor v;
    struct answer a = {0};

    service_say(&h->service, OK_RESPONSE);
    CHECK(visit(h, &v, tls));
    CHECK(ask(&v, tls, "POST", "/b", "Content-Length: 4\r\n\r\nbody"));
    CHECK(get_answer(&v, &a, false) && a.status == 200);
    CHECK(service_saw(&h->service, "\r\n\r\nbody"));
    CHECK(ask(&v, tls, "POST", "/b", "Transfer-Encoding: chunked\r\n\r\n4\r\nbo"));
    (void)turns_in(h->loop, 10);
    CHECK(say(&v, "dy\r\n2;ext=1\r\nxx\r\n0\r\n\r\n"));
    CHECK(get_answer(&v, &a, false) && a.status == 200);
    CHECK(service_saw(&h->service, "Transfer-Encoding: chunked\r\n"));
    CHECK(!service_saw(&h->service, "ext=1"));
    CHECK(ask(&v, tls, "PUT", "/b", "Content-Length: 0\r\n\r\n"));
    CHECK(get_answer(&v, &a, false) && a.status == 200);
    CHECK(ask(&v, tls, "HEAD", "/b", "\r\n"));
    service_say(&h->service, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    CHECK(get_answer(&v, &a, true) && a.status == 200);
    service_say(&h->service, OK_RESPONSE);
    CHECK(ask(&v, tls, "GET", "/b", "\r\n"));
    CHECK(get_answer(&v, &a, false) && body_is(&a, "hello"));
    CHECK_EQ(h->service.accepted, 1); /* all of it over one upstream connection */
    leave(&v, false);
    sink_free(&a.body);
    all_gone(h);
}

TEST(each_framing_of_a_request)
{
    each_way(bodies);
}

static void pipeline(struct house *h, bool tls)
{
    struct visitor v;
    struct answer a = {0};
    char text[1024];

    service_say(&h->service, OK_RESPONSE);
    CHECK(visit(h, &v, tls));
    snprintf(text, sizeof text,
             "GET /1 HTTP/1.1\r\nHost: %s\r\n\r\nPOST /2 HTTP/1.1\r\nHost: %s\r\nContent-Length: 3\r\n\r\nabc"
             "HEAD /3 HTTP/1.1\r\nHost: %s\r\n\r\nGET /4 HTTP/1.1\r\nHost: %s\r\n\r\nGET /5 HTT",
             host(tls), host(tls), host(tls), host(tls));
    CHECK(say(&v, text));
    CHECK(get_answer(&v, &a, false) && body_is(&a, "hello"));
    CHECK(get_answer(&v, &a, false) && body_is(&a, "hello"));
    h->service.script.response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    leave(&v, false);
    sink_free(&a.body);
    all_gone(h);
}

TEST(pipelined_requests)
{
    each_way(pipeline);
}

static void large(struct house *h, bool tls)
{
    static const char *const HEADS[] = {"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\n\r\n"};

    for (int i = 0; i < 2; i++) {
        struct visitor v;
        struct answer a = {0};
        service_say(&h->service, HEADS[i]);
        h->service.script.body = 3000000;
        h->service.script.then = i ? THEN_CLOSE : THEN_KEEP;
        CHECK(visit(h, &v, tls));
        CHECK(ask(&v, tls, "GET", "/", "\r\n"));
        CHECK(get_answer(&v, &a, false));
        CHECK_EQ(a.body.n, 3000000);
        bool good = true;
        for (size_t k = 0; k < a.body.n; k++)
            good = good && a.body.p[k] == pattern(k);
        CHECK(good);
        leave(&v, false);
        sink_free(&a.body);
        all_gone(h);
    }
}

TEST(large_responses_come_whole)
{
    each_way(large);
}

/* The upstream stops after each byte of what it had to say. The client either gets an error of ours, or something that
 * cannot be taken for a whole response; and what comes next is not touched by it. */
TEST(upstream_ends_at_each_byte)
{
    static const struct {
        const char *response;
        size_t whole; /* from here on a clean close makes it whole; 0: only all of it does */
    } CASES[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",                                          0 },
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",               0 },
        {"HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello",                                                       25},
        {"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 0 },
    };
    struct house h;

    house_open(&h);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (size_t cut = 0; cut <= strlen(CASES[i].response); cut++)
            for (int reset = 0; reset < 2; reset++) {
                struct visitor v;
                struct answer a = {0};
                bool all = cut == strlen(CASES[i].response);
                bool may = all && (!CASES[i].whole || !reset);
                service_say(&h.service, CASES[i].response);
                h.service.script.cut = cut;
                h.service.script.then = reset ? THEN_RESET : THEN_CLOSE;
                CHECK(visit(&h, &v, false));
                CHECK(say(&v, GET("/")));
                bool whole = get_answer(&v, &a, false);
                while (whole && a.status == 103)
                    whole = get_answer(&v, &a, false);
                if (whole && a.status == 200)
                    CHECK(may || (!reset && CASES[i].whole && cut >= CASES[i].whole));
                else if (whole)
                    CHECK_EQ(a.status, 502);
                else
                    CHECK(v.over != OVER_NOT);
                if (may && !reset)
                    CHECK(whole && a.status == 200);
                leave(&v, false);
                sink_free(&a.body);
                all_gone(&h);
            }
    service_say(&h.service, OK_RESPONSE);
    CHECK(visit_works(&h, false, "hello"));
    CHECK(visit_works(&h, true, "hello"));
    house_close(&h);
}

/* The client goes after each byte of its request, and while the response is under way. */
static void client_goes(struct house *h, bool tls)
{
    char text[512];

    snprintf(text, sizeof text,
             "POST /x HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
             host(tls));
    for (size_t n = 0; n <= strlen(text); n += tls ? 5 : 1)
        for (int reset = 0; reset < 2; reset++)
            for (int hold = 0; hold < 2; hold++) {
                struct visitor v;
                service_say(&h->service, OK_RESPONSE);
                h->service.script.hold = hold;
                CHECK(visit(h, &v, tls));
                CHECK(say_bytes(&v, text, n));
                (void)loop_turn(h->loop, 1);
                (void)loop_turn(h->loop, 1);
                leave(&v, reset);
                all_gone(h);
                service_release(&h->service);
            }
    service_say(&h->service, OK_RESPONSE);
    CHECK(visit_works(h, tls, "hello"));
}

TEST(client_goes_at_each_byte)
{
    each_way(client_goes);
}

static void client_goes_later(struct house *h, bool tls)
{
    for (size_t read = 0; read < 400000; read = read * 3 + 1)
        for (int reset = 0; reset < 2; reset++) {
            struct visitor v;
            service_say(&h->service, "HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n");
            h->service.script.body = 20000000;
            CHECK(visit(h, &v, tls));
            CHECK(ask(&v, tls, "GET", "/", "\r\n"));
            uint64_t deadline = time_mono_ms() + PATIENCE_MS;
            while (v.in.n < read && time_mono_ms() < deadline) {
                (void)loop_turn(h->loop, 5);
                hear(&v, read - v.in.n);
            }
            leave(&v, reset);
            all_gone(h);
        }
    RUN_UNTIL(h->loop, h->service.open == 0); /* nothing more is drawn from the upstream */
}

TEST(client_goes_during_the_response)
{
    each_way(client_goes_later);
}

static const char SWITCH[] =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

static bool open_tunnel(struct house *h, struct visitor *v, bool tls)
{
    struct answer a = {0};

    return CHECK(visit(h, v, tls)) &&
           CHECK(ask(v, tls, "GET", "/", "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")) &&
           CHECK(get_answer(v, &a, false)) && CHECK_EQ(a.status, 101);
}

static void tunnel(struct house *h, bool tls)
{
    for (int who = 0; who < 4; who++) {
        struct visitor v;
        service_say(&h->service, SWITCH);
        h->service.script.tunnel = true;
        if (!open_tunnel(h, &v, tls))
            return;
        CHECK(say(&v, "ping"));
        RUN_UNTIL(h->loop, (hear(&v, SIZE_MAX), v.in.n - v.taken == 4));
        uint8_t *much = malloc(1u << 20);
        for (size_t i = 0; i < 1u << 20; i++)
            much[i] = pattern(i);
        v.taken = v.in.n;
        CHECK(say_bytes(&v, much, 1u << 20));
        RUN_UNTIL(h->loop, (hear(&v, SIZE_MAX), v.in.n - v.taken == 1u << 20));
        CHECK(memcmp(v.in.p + v.taken, much, 1u << 20) == 0);
        free(much);
        CHECK_EQ(house_count(h, COUNT_REQUESTS_OPEN), 1);
        if (who < 2) {
            leave(&v, who);
        } else {
            served_end(h->service.all, who == 3);
            RUN_UNTIL(h->loop, (hear(&v, SIZE_MAX), v.over));
            if (who == 2)
                CHECK_EQ(v.over, OVER_CLEAN);
            leave(&v, false);
        }
        all_gone(h);
        RUN_UNTIL(h->loop, h->service.open == 0);
    }
}

TEST(tunnels)
{
    each_way(tunnel);
}

/* What an upstream had sent before it ended a tunnel reaches a slow client, whatever timers go off meanwhile. */
TEST(end_of_a_tunnel_waits_for_a_slow_client)
{
    struct house h;
    struct visitor v;

    house_open_at(&h, NULL, "response-timeout 200ms\nbody-timeout 200ms\nmin-rate off", "");
    service_say(&h.service, SWITCH);
    h.service.script.body = 6000000;
    h.service.script.then = THEN_CLOSE;
    if (open_tunnel(&h, &v, false)) {
        size_t want = v.taken + 6000000;
        uint64_t deadline = time_mono_ms() + PATIENCE_MS;
        while (v.in.n < want && !v.over && time_mono_ms() < deadline) {
            (void)turns_in(h.loop, 30);
            hear(&v, 300000);
        }
        CHECK_EQ(v.in.n, want);
        RUN_UNTIL(h.loop, (hear(&v, 1), v.over));
        CHECK_EQ(v.over, OVER_CLEAN);
    }
    leave(&v, false);
    all_gone(&h);
    house_close(&h);
}

/* Answered before the request was whole: the answer arrives whole though the rest of the request never comes. */
TEST(early_answer_to_a_slow_client)
{
    struct house h;
    struct visitor v;
    struct answer a = {0};

    house_open_at(&h, NULL, "response-timeout 200ms\nbody-timeout 200ms\nmin-rate off", "");
    service_say(&h.service, "HTTP/1.1 413 Too Large\r\nContent-Length: 6000000\r\n\r\n");
    h.service.script.body = 6000000;
    h.service.script.early = true;
    CHECK(visit(&h, &v, false));
    CHECK(say(
        &v,
        "POST / HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\nsome"));
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;
    while (v.in.n < 6000000 && !v.over && time_mono_ms() < deadline) {
        (void)turns_in(h.loop, 30);
        hear(&v, 300000);
    }
    CHECK(get_answer(&v, &a, false));
    CHECK_EQ(a.status, 413);
    CHECK_EQ(a.body.n, 6000000);
    leave(&v, false);
    sink_free(&a.body);
    all_gone(&h);
    house_close(&h);
}

/* A kept upstream connection that dies when it is used again. */
TEST(dead_kept_connection_is_tried_once_more)
{
    static const struct {
        const char *request;
        unsigned status;
    } CASES[] = {
        {GET("/"),                                                             200},
        {"PUT / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 0\r\n\r\n",    200},
        {"POST / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 2\r\n\r\nab", 502},
        {"PUT / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 2\r\n\r\nab",  502},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int reset = 0; reset < 2; reset++) {
            struct house h;
            struct visitor v;
            struct answer a = {0};
            house_open(&h);
            service_say(&h.service, OK_RESPONSE);
            h.service.has_second = true;
            h.service.second = (struct script){.cut = 0, .then = reset ? THEN_RESET : THEN_CLOSE};
            CHECK(visit(&h, &v, false));
            CHECK(say(&v, GET("/")));
            CHECK(get_answer(&v, &a, false) && a.status == 200);
            CHECK(say(&v, CASES[i].request));
            CHECK(get_answer(&v, &a, false));
            CHECK_EQ(a.status, CASES[i].status);
            CHECK_EQ(h.service.accepted, a.status == 200 ? 2 : 1);
            leave(&v, false);
            sink_free(&a.body);
            all_gone(&h);
            house_close(&h);
        }
}

/* The upstream closes what is kept: that is seen before it is used, even for what cannot be repeated. */
TEST(closed_kept_connection_is_not_used)
{
    struct house h;
    struct visitor v;
    struct answer a = {0};

    house_open(&h);
    service_say(&h.service, OK_RESPONSE);
    CHECK(visit(&h, &v, false));
    CHECK(say(&v, GET("/")));
    CHECK(get_answer(&v, &a, false) && a.status == 200);
    served_end(h.service.all, false);
    CHECK(say(&v, "POST / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 2\r\n\r\nab"));
    CHECK(get_answer(&v, &a, false));
    CHECK_EQ(a.status, 200);
    CHECK_EQ(h.service.accepted, 2);
    CHECK_EQ(house_count(&h, COUNT_UPSTREAM_RETRIES), 0);
    leave(&v, false);
    sink_free(&a.body);
    house_close(&h);
}

/* An upstream that says more than it was asked for: nobody else may get it. */
TEST(what_an_upstream_says_unasked_is_nobodys)
{
    struct house h;
    struct visitor v;
    struct answer a = {0};

    house_open(&h);
    for (int i = 0; i < 5; i++) {
        service_say(&h.service, OK_RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        CHECK(visit(&h, &v, i % 2));
        CHECK(ask(&v, i % 2, "GET", "/", "\r\n"));
        CHECK(get_answer(&v, &a, false) && body_is(&a, "hello"));
        CHECK(ask(&v, i % 2, "GET", "/", "\r\n"));
        CHECK(get_answer(&v, &a, false) && body_is(&a, "hello"));
        leave(&v, false);
    }
    sink_free(&a.body);
    all_gone(&h);
    house_close(&h);
}

/* Over a Unix socket the upstream's close is a hang-up at once, with most of its response still to be read. */
TEST(unix_upstream_closes_before_a_slow_client_has_read)
{
    struct house h;
    struct visitor v;
    struct answer a = {0};
    char path[64];

    snprintf(path, sizeof path, "/tmp/relay-test-%ld.sock", (long)getpid());
    house_open_at(&h, path, "", "");
    service_say(&h.service, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8000000\r\n\r\n");
    h.service.script.body = 8000000;
    h.service.script.then = THEN_CLOSE;
    CHECK(visit(&h, &v, false));
    CHECK(say(&v, GET("/")));
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;
    while (v.in.n < 8000000 && !v.over && time_mono_ms() < deadline) {
        (void)turns_in(h.loop, 3);
        hear(&v, 100000);
    }
    CHECK(get_answer(&v, &a, false));
    CHECK_EQ(a.body.n, 8000000);
    leave(&v, false);
    sink_free(&a.body);
    all_gone(&h);
    house_close(&h);
    unlink(path);
}

TEST(upstream_that_cannot_be_reached)
{
    struct house h;
    struct visitor v;
    struct answer a = {0};
    struct addr nowhere = free_address();
    char text[ADDR_TEXT];

    house_open(&h);
    CHECK(house_apply(&h, addr_format(&nowhere, text), "", ""));
    for (int i = 0; i < 3; i++) {
        CHECK(visit(&h, &v, i == 2));
        CHECK(ask(&v, i == 2, i ? "POST" : "GET", "/", i ? "Content-Length: 3\r\n\r\nabc" : "\r\n"));
        CHECK(get_answer(&v, &a, false));
        CHECK_EQ(a.status, 502);
        leave(&v, false);
    }
    sink_free(&a.body);
    all_gone(&h);
    house_close(&h);
}

TEST(upstream_that_says_nothing)
{
    struct house h;
    struct visitor v;
    struct answer a = {0};

    house_open_at(&h, NULL, "response-timeout 150ms", "");
    service_say(&h.service, NULL);
    CHECK(visit(&h, &v, false));
    CHECK(say(&v, GET("/")));
    CHECK(get_answer(&v, &a, false));
    CHECK_EQ(a.status, 504);
    service_say(&h.service, OK_RESPONSE);
    CHECK(say(&v, GET("/")));
    CHECK(get_answer(&v, &a, false) && a.status == 200);
    leave(&v, false);
    sink_free(&a.body);
    all_gone(&h);
    house_close(&h);
}

/* One who asks and asks and never reads is not answered without end. */
TEST(asking_without_reading_is_bounded)
{
    static const char *const REQUESTS[] = {"HEAD /text HTTP/1.1\r\nHost: plain.test\r\n\r\n",
                                           "GET /none HTTP/1.1\r\nHost: plain.test\r\n\r\n",
                                           "GET /text HTTP/1.1\r\nHost: plain.test\r\n\r\n"};

    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        struct house h;
        struct visitor v;
        struct sink many = {0};
        house_open_at(&h, NULL, "header-timeout 60s", "");
        size_t len = strlen(REQUESTS[i]);
        while (many.n < 65536)
            sink_add(&many, REQUESTS[i], len);
        CHECK(visit(&h, &v, false));
        size_t before = mem_used(), most = 0, at = 0, asked = 0;
        for (unsigned turns = 0, still = 0; turns < 4000 && still < 30; turns++) {
            ssize_t n = write(v.fd, many.p + at, many.n - at);
            still = n > 0 ? 0 : still + 1;
            asked += n > 0 ? (size_t)n : 0;
            at = (at + (n > 0 ? (size_t)n : 0)) % many.n;
            (void)loop_turn(h.loop, 1);
            if (mem_used() - before > most)
                most = mem_used() - before;
        }
        CHECK(most < 2u << 20);
        /* ...and as soon as it reads, it goes on. */
        size_t answers = 0;
        struct answer a = {0};
        uint64_t deadline = time_mono_ms() + 3 * PATIENCE_MS;
        while (answers < asked / len && !v.over && time_mono_ms() < deadline) {
            (void)loop_turn(h.loop, 1);
            hear(&v, 262144);
            while (take_answer(&v, &a, i == 0))
                answers++;
            memmove(v.in.p, v.in.p + v.taken, v.in.n - v.taken);
            v.in.n -= v.taken;
            v.taken = 0;
        }
        CHECK_EQ(answers, asked / len);
        leave(&v, false);
        sink_free(&many);
        sink_free(&a.body);
        all_gone(&h);
        house_close(&h);
    }
}

TEST(reload_under_way)
{
    struct house h;
    struct service other;
    struct visitor v, w;
    struct answer a = {0};
    char text[ADDR_TEXT];

    house_open(&h);
    service_init(&other, h.loop, NULL);
    service_say(&other, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
    service_say(&h.service, OK_RESPONSE);
    h.service.script.hold = true;
    CHECK(visit(&h, &v, true));
    CHECK(ask(&v, true, "GET", "/", "\r\n"));
    CHECK(visit(&h, &w, false));
    CHECK(say(&w, "POST / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 4\r\n\r\nab"));
    RUN_UNTIL(h.loop, h.service.requests == 1 && h.service.accepted == 2);
    CHECK(house_apply(&h, addr_format(&other.addr, text), "", ""));
    CHECK(house_apply(&h, addr_format(&other.addr, text), "max-header-fields 50", ""));
    (void)turns_in(h.loop, 10);
    CHECK(say(&w, "cd"));
    RUN_UNTIL(h.loop, h.service.requests == 2);
    service_release(&h.service);
    CHECK(get_answer(&v, &a, false) && body_is(&a, "hello"));
    CHECK(get_answer(&w, &a, false) && body_is(&a, "hello"));
    CHECK(ask(&v, true, "GET", "/", "\r\n")); /* the next one is under the new one */
    CHECK(get_answer(&v, &a, false) && body_is(&a, "other"));
    leave(&v, false);
    leave(&w, false);
    all_gone(&h);
    service_end(&other);
    sink_free(&a.body);
    house_close(&h);
}

/* Stopping waits for the request under way and for what a slow reader has not read, and for nobody idle. */
TEST(drain)
{
    struct house h;
    struct visitor busy, idle, slow;
    struct answer a = {0};

    house_open(&h);
    service_say(&h.service, OK_RESPONSE);
    CHECK(visit(&h, &idle, true));
    CHECK(ask(&idle, true, "GET", "/", "\r\n"));
    CHECK(get_answer(&idle, &a, false));
    service_say(&h.service, "HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n");
    h.service.script.body = 6000000;
    CHECK(visit(&h, &slow, false));
    CHECK(say(&slow, "GET / HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n"));
    while (house_count(&h, COUNT_REQUESTS_OPEN) || slow.in.n < 3000000) { /* until conn alone has the rest */
        (void)loop_turn(h.loop, 1);
        if (house_count(&h, COUNT_REQUESTS_OPEN) || slow.in.n == 0)
            hear(&slow, 20000);
        else
            break;
    }
    service_say(&h.service, OK_RESPONSE);
    h.service.script.hold = true;
    CHECK(visit(&h, &busy, false));
    CHECK(say(&busy, GET("/")));
    RUN_UNTIL(h.loop, h.service.requests == 3);
    relay_drain(h.relay);
    relay_drain(h.relay);
    CHECK(relay_is_draining(h.relay));
    (void)turns_in(h.loop, 30);
    CHECK(!relay_is_done(h.relay));
    CHECK_EQ(idle.over, OVER_CLEAN);
    service_release(&h.service);
    CHECK(get_answer(&busy, &a, false) && body_is(&a, "hello"));

    CHECK(get_answer(&slow, &a, false));
    CHECK_EQ(a.body.n, 6000000);
    leave(&busy, false);
    leave(&slow, false);
    leave(&idle, false);
    RUN_UNTIL(h.loop, relay_is_done(h.relay));
    sink_free(&a.body);
    house_close(&h);
}

/* relay_free is fine at any moment, with more connections than one turn has tasks for. */
TEST(free_with_everything_under_way)
{
    enum { N = 1300 };
    static struct visitor visitors[N];
    struct house h;

    house_open(&h);
    service_say(&h.service, OK_RESPONSE);
    CHECK(visit_works(&h, false, "hello"));
    h.service.script.hold = true;
    for (unsigned i = 0; i < N; i++) {
        CHECK(visit(&h, &visitors[i], false));
        if (i % 64 == 0)
            (void)turns_in(h.loop, 1);
        if (i % 3 == 1)
            CHECK(say(&visitors[i], GET("/")));
        if (i % 3 == 2)
            CHECK(say(&visitors[i], "GET / HTTP/1.1\r\nHo"));
    }
    for (unsigned i = 0; i < 40; i++)
        (void)loop_turn(h.loop, 1);
    relay_free(h.relay);
    h.relay = relay_new(h.loop);
    for (unsigned i = 0; i < N; i++)
        leave(&visitors[i], false);
    house_close(&h);
}

TEST_MAIN(RUN(each_framing_of_a_response), RUN(each_framing_of_a_request), RUN(pipelined_requests),
          RUN(large_responses_come_whole), RUN(upstream_ends_at_each_byte), RUN(client_goes_at_each_byte),
          RUN(client_goes_during_the_response), RUN(tunnels), RUN(end_of_a_tunnel_waits_for_a_slow_client),
          RUN(early_answer_to_a_slow_client), RUN(dead_kept_connection_is_tried_once_more),
          RUN(closed_kept_connection_is_not_used), RUN(what_an_upstream_says_unasked_is_nobodys),
          RUN(unix_upstream_closes_before_a_slow_client_has_read), RUN(upstream_that_cannot_be_reached),
          RUN(upstream_that_says_nothing), RUN(asking_without_reading_is_bounded), RUN(reload_under_way),
          RUN(drain), RUN(free_with_everything_under_way))
