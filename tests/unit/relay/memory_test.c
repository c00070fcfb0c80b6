/* SPDX-License-Identifier: MIT
 *
 * Memory that runs out on one connection ends that connection alone: each allocation over the life of a request fails
 * in turn, those of the TLS handshake too. And connections that are opened and closed at every stage of their life
 * leave the heap where it was.
 */
#include "tests/unit/relay/rig.h"

static const char *host(bool tls)
{
    return tls ? "p256.test" : "plain.test";
}

/* --- each allocation in turn --- */

struct errand {
    const char *method, *rest; /* what follows the Host field */
    const char *response;
    uint64_t body;
    enum then then;
    bool tunnel;
    const char *later; /* said once the answer's head is there */
};

static const struct errand ERRANDS[] = {
    {"GET",  "\r\n",                                                                                  OK_RESPONSE,                                         0,      THEN_KEEP,  false, NULL},
    {"GET",  "\r\n",                                                                                  "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", 300000, THEN_KEEP,  false, NULL},
    {"GET",  "\r\n",                                                                                  "HTTP/1.1 200 OK\r\n\r\n",                           100000, THEN_CLOSE, false, NULL},
    {"POST", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nfghij\r\n0\r\nX-Trailer: 1\r\n\r\n",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n",
     0,                                                                                                                                                            THEN_KEEP,  false, NULL},
    {"GET",  "Connection: upgrade\r\nUpgrade: echo\r\n\r\n",
     "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",                                                                   0,      THEN_KEEP,  true,
     "ping"                                                                                                                                                                               },
    {"GET",  "Host: twice\r\n\r\n",                                                                   OK_RESPONSE,                                         0,      THEN_KEEP,  false, NULL}, /* 400 */
};

/* The one visit; true when it got all that it came for. */
static bool run_errand(struct house *h, const struct errand *e, bool tls, bool twice)
{
    struct visitor v;
    struct answer a = {0};
    char text[1024];
    bool good = visit(h, &v, tls);

    for (int i = 0; good && i <= twice; i++) {
        snprintf(text, sizeof text, "%s /path?query HTTP/1.1\r\nHost: %s\r\nCookie: c=%0400d\r\n%s",
                 e->method, host(tls), 1, e->rest);
        good = say(&v, text);
        do
            good = good && get_answer(&v, &a, false);
        while (good && a.status == 100);
        if (good && e->later && a.status == 101) {
            size_t want = v.taken + strlen(e->later);
            uint64_t deadline = time_mono_ms() + PATIENCE_MS;
            good = say(&v, e->later);
            while (good && v.in.n < want && time_mono_ms() < deadline) {
                if (v.over)
                    good = false;
                (void)loop_turn(h->loop, 5);
                hear(&v, SIZE_MAX);
            }
            twice = false; /* what follows is not HTTP any more */
        }
        good = good && a.status < 500; /* a page that says 503 is an answer, but not what it came for */
        if (a.status >= 400)
            twice = false;
    }
    sink_free(&a.body);
    leave(&v, false);
    return good;
}

static void fail_each(const struct errand *e, bool tls)
{
    struct house h;
    struct visitor bystander;
    struct answer a = {0};
    char get[256];

    house_open(&h);
    snprintf(get, sizeof get, "GET /by HTTP/1.1\r\nHost: %s\r\n\r\n", host(tls));
    CHECK(visit(&h, &bystander, tls));
    for (long n = 0;; n++) {
        /* One who is there all the time, with a connection of his own to the service. */
        service_say(&h.service, OK_RESPONSE);
        if (!CHECK(say(&bystander, get) && get_answer(&bystander, &a, false) && body_is(&a, "hello")))
            break;
        while (h.service.all) /* kept connections would be used without an allocation */
            served_end(h.service.all, false);
        (void)turns_in(h.loop, 2);
        service_say(&h.service, e->response);
        h.service.script.body = e->body;
        h.service.script.then = e->then;
        h.service.script.tunnel = e->tunnel;
        pool_trim(h.pool);
        size_t before = mem_allocations();
        mem_fail_at(n, 1);
        bool good = run_errand(&h, e, tls, true);
        bool reached = mem_allocations() - before > (size_t)n;
        mem_fail_at(-1, 0);
        RUN_UNTIL(h.loop,
                  house_count(&h, COUNT_CONNECTIONS_OPEN) == 1 && house_count(&h, COUNT_REQUESTS_OPEN) == 0);
        if (!reached) {
            CHECK(good);
            CHECK(n > 5);

            break;
        }
    }
    leave(&bystander, false);
    sink_free(&a.body);
    all_gone(&h);
    house_close(&h);
}

TEST(each_allocation_of_a_request_fails)
{
    for (size_t i = 0; i < sizeof ERRANDS / sizeof *ERRANDS; i++)
        fail_each(&ERRANDS[i], false);
}

TEST(each_allocation_of_a_request_over_tls_fails)
{
    for (size_t i = 0; i < sizeof ERRANDS / sizeof *ERRANDS; i++)
        fail_each(&ERRANDS[i], true);
}

/* Not one but all from the n-th on, for a while: nobody is served, nobody is harmed, and then all goes on. */
TEST(famine)
{
    struct house h;

    house_open(&h);
    for (long n = 0; n < 60; n += 3) {
        service_say(&h.service, OK_RESPONSE);
        mem_fail_at(n, 1000000);
        (void)run_errand(&h, &ERRANDS[0], n % 2, false);
        mem_fail_at(-1, 0);
        all_gone(&h);
        CHECK(visit_works(&h, false, "hello"));
    }
    CHECK(visit_works(&h, true, "hello"));
    all_gone(&h);
    house_close(&h);
}

/* A reload that runs out of memory changes nothing. */
TEST(each_allocation_of_a_reload_fails)
{
    struct house h;
    struct service other;
    char upstream[ADDR_TEXT];

    house_open(&h);
    service_init(&other, h.loop, NULL);
    service_say(&h.service, OK_RESPONSE);
    service_say(&other, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
    addr_format(&other.addr, upstream);
    for (long n = 0;; n++) {
        char text[1024], http[ADDR_TEXT];
        struct conf_errors *e = conf_errors_new();
        struct addr more = free_address();
        snprintf(text, sizeof text,
                 "listen-http %s %s\nstate /tmp\nadmin off\nlog off\nlog-level error\n"
                 "site plain.test { tls off\n upstream %s\n}\n",
                 addr_format(&h.http, http), addr_format(&more, (char[ADDR_TEXT]){0}), upstream);
        struct conf *conf = conf_parse("test", bytes_str(text), NULL, e);
        if (!CHECK(conf != NULL))
            break;
        size_t before = mem_allocations();
        mem_fail_at(n, 1);
        bool applied = relay_apply(h.relay, conf, NULL, e);
        bool reached = mem_allocations() - before > (size_t)n;
        mem_fail_at(-1, 0);
        conf_unref(conf);
        conf_errors_free(e);
        CHECK(visit_works(&h, false, applied ? "other" : "hello"));
        if (!reached) {
            CHECK(applied);
            break;
        }
        if (applied)
            CHECK(house_apply(&h, addr_format(&h.service.addr, text), "", ""));
    }
    all_gone(&h);
    service_end(&other);
    house_close(&h);
}

/* --- every stage of a life --- */

/* What a visitor does before it goes, each with a way to go: closing, resetting, or nothing said at all. */
static void one_life(struct house *h, unsigned stage, bool tls, bool reset, const uint8_t *hello,
                     size_t hello_len)
{
    static const char REST[] = "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
    struct visitor v;
    struct answer a = {0};
    char text[512];
    size_t n = (size_t)snprintf(text, sizeof text, "POST /a HTTP/1.1\r\nHost: %s\r\n%s", host(tls), REST);

    if (stage <= 1 && tls) { /* no TLS of the visitor's: a piece of a hello */
        v = (struct visitor){.house = h, .fd = socket_connect(&h->https)};
        if (stage == 1)
            (void)say_bytes(&v, hello, hello_len / 2);
        (void)loop_turn(h->loop, 0);
        leave(&v, reset);
        return;
    }
    if (!CHECK(visit(h, &v, tls)))
        return;
    switch (stage) {
    case 0: break;
    case 1: (void)loop_turn(h->loop, 0); break;
    case 2: (void)say(&v, ""); break; /* after the handshake */
    case 3: (void)say_bytes(&v, text, 20); break;
    case 4: (void)say_bytes(&v, text, n - 10); break;
    case 5: (void)say_bytes(&v, text, n); break;
    default: /* during the response; behind it */
        (void)say_bytes(&v, text, n);
        if (stage == 6)
            while (!v.over && v.in.n < 20000) {
                (void)loop_turn(h->loop, 5);
                hear(&v, 20000);
            }
        else
            CHECK(get_answer(&v, &a, false));
        break;
    }
    (void)loop_turn(h->loop, 0);
    leave(&v, reset);
    sink_free(&a.body);
}

static void lives(struct house *h, unsigned count, bool tls)
{
    uint8_t hello[512];
    size_t len = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);

    for (unsigned i = 0; i < count; i++) {
        unsigned stage = i % 8;
        service_say(&h->service, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        h->service.script.body = 100000;
        h->service.script.then = i % 5 == 4 ? THEN_CLOSE : THEN_KEEP;
        if (stage == 5 && i % 3 == 0)
            h->service.script = (struct script){.response = "HTTP/1.1 200 OK\r\nContent-Le",
                                                .cut = SIZE_MAX,
                                                .then = i % 2 ? THEN_RESET : THEN_CLOSE};
        one_life(h, stage, tls, i / 8 % 2, hello, len);
    }
    all_gone(h);
    RUN_UNTIL(h->loop, house_count(h, COUNT_CONNECTIONS_OPEN) == 0);
    /* What is kept of upstreams goes as their time comes; here they end it. */
    while (h->service.all)
        served_end(h->service.all, false);
    (void)turns_in(h->loop, 20);
    pool_trim(h->pool);
}

static void no_growth(bool tls, unsigned everyday, unsigned all)
{
    struct house h;
    unsigned count = getenv("PROXY_TEST_ALL") ? all : everyday;

    house_open_at(&h, NULL, "session-cache 8", ""); /* full after the first few */
    lives(&h, 64, tls);                             /* what is made once and stays: hosts, tables */
    size_t blocks = mem_blocks(), used = mem_used();
    lives(&h, count, tls);
    CHECK_EQ(mem_blocks(), blocks);
    CHECK_EQ(mem_used(), used);
    house_close(&h);
}

TEST(connections_leave_the_heap_where_it_was)
{
    no_growth(false, 4000, 80000);
}

TEST(tls_connections_leave_the_heap_where_it_was)
{
    no_growth(true, 400, 20000);
}

TEST_MAIN(RUN(each_allocation_of_a_request_fails), RUN(each_allocation_of_a_request_over_tls_fails),
          RUN(famine), RUN(each_allocation_of_a_reload_fails), RUN(connections_leave_the_heap_where_it_was),
          RUN(tls_connections_leave_the_heap_where_it_was))
