/* SPDX-License-Identifier: MIT
 *
 * The admin listener: what it answers, what it does not, and that it takes no turn of the loop for nothing.
 */
#include "tests/unit/relay/rig.h"

#include "admin/admin.h"

#include <sys/resource.h>

struct scene {
    struct house h;
    struct admin *admin;
    struct addr addr;
    char address[ADDR_TEXT];
    unsigned reloads, stops;
    bool good;
};

static bool on_reload(void *ctx, struct conf_errors *e)
{
    struct scene *s = ctx;

    s->reloads++;
    if (!s->good)
        conf_error(e, (struct conf_place){"f", 1, 2}, "site", "is \"wrong\"");
    return s->good;
}

static void on_stop(void *ctx)
{
    ((struct scene *)ctx)->stops++;
}

static void begin(struct scene *s)
{
    struct admin_hooks hooks = {s, on_reload, on_stop, NULL};
    struct conf_errors *e;

    memset(s, 0, sizeof *s);
    house_open(&s->h);
    e = conf_errors_new();
    s->addr = free_address();
    s->admin = admin_new(s->h.loop, s->h.relay, &hooks);
    CHECK(s->admin && admin_listen(s->admin, addr_format(&s->addr, s->address), e));
    conf_errors_free(e);
}

static void end(struct scene *s)
{
    admin_free(s->admin);
    house_close(&s->h);
}

static bool call(struct scene *s, struct visitor *v)
{
    *v = (struct visitor){.house = &s->h, .fd = socket_connect(&s->addr)};
    return CHECK(v->fd >= 0);
}

/* Waits until so much has come, or the end. */
static bool heard(struct visitor *v, const char *text)
{
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;

    while (time_mono_ms() < deadline) {
        hear(v, SIZE_MAX);
        if (v->in.n && memmem(v->in.p, v->in.n, text, strlen(text)))
            return true;
        if (v->over)
            return false;
        (void)loop_turn(v->house->loop, 5);
    }
    return false;
}

TEST(commands)
{
    struct scene s;
    struct visitor v;

    begin(&s);
    CHECK(call(&s, &v));
    CHECK(say(&v, "sta"));
    (void)turns_in(s.h.loop, 5);
    CHECK(say(&v, "tus\r\nreload\n"));
    CHECK(heard(&v, "\"counters\":{"));
    CHECK(heard(&v, "{\"ok\":false,\"error\":\"f:1:2: site: is \\\"wrong\\\"\"}\n"));
    s.good = true;
    v.in.n = 0;
    CHECK(say(&v, "reload\n"));
    CHECK(heard(&v, "{\"ok\":true}\n"));
    CHECK_EQ(s.reloads, 2);
    CHECK_EQ(s.stops, 0);
    v.in.n = 0;
    CHECK(say(&v, "stop\n"));
    CHECK(heard(&v, "{\"ok\":true}\n"));
    CHECK_EQ(s.stops, 1);
    leave(&v, false);
    end(&s);
}

TEST(health)
{
    static const char *const REQUESTS[] = {"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
                                           "HEAD /health HTTP/1.0\r\n\r\n", "GET /other HTTP/1.1\r\n\r\n"};

    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        struct scene s;
        struct visitor v;
        begin(&s);
        CHECK(call(&s, &v));
        for (size_t k = 0; REQUESTS[i][k]; k++) { /* byte by byte */
            CHECK(say_bytes(&v, REQUESTS[i] + k, 1));
            (void)loop_turn(s.h.loop, 0);
        }
        CHECK(heard(&v, i == 2 ? "HTTP/1.1 404 " : "HTTP/1.1 200 OK\r\n"));
        RUN_UNTIL(s.h.loop, (hear(&v, SIZE_MAX), v.over));
        CHECK_EQ(v.over, OVER_CLEAN);
        leave(&v, false);
        end(&s);
    }
}

/* A page in a browser can send what it likes in a body: none of it is a command. */
TEST(http_is_no_command)
{
    struct scene s;
    struct visitor v;

    begin(&s);
    CHECK(call(&s, &v));
    CHECK(say(&v, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nstop\nstop\n"));
    RUN_UNTIL(s.h.loop, (hear(&v, SIZE_MAX), v.over));
    CHECK_EQ(s.stops, 0);
    leave(&v, false);
    end(&s);
}

TEST(ended_while_asking)
{
    struct scene s;
    struct visitor v[40];

    begin(&s);
    for (unsigned i = 0; i < 40; i++) {
        CHECK(call(&s, &v[i]));
        if (i % 2)
            (void)write(v[i].fd, "status\nsta", 10);
        (void)loop_turn(s.h.loop, 1);
    }
    end(&s); /* sixteen are being listened to */
    for (unsigned i = 0; i < 40; i++) {
        close(v[i].fd);
        sink_free(&v[i].in);
    }
}

/* Out of descriptors: whoever comes waits, without the loop turning on it, and is answered when there is one. */
TEST(no_spinning_without_descriptors)
{
    struct scene s;
    struct visitor v;
    struct rlimit before, low;

    begin(&s);
    CHECK(call(&s, &v));
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)v.fd + 1;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    CHECK(say(&v, "status\n"));
    CHECK(turns_in(s.h.loop, 300) < 20);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(heard(&v, "\"ok\":true"));
    leave(&v, false);
    end(&s);
}

TEST(each_allocation_fails)
{
    for (long n = 0;; n++) {
        struct scene s;
        struct visitor v;
        begin(&s);
        CHECK(call(&s, &v));
        size_t before = mem_allocations();
        mem_fail_at(n, 1);
        CHECK(say(&v, "status\nreload\nwhat\n"));
        bool good = heard(&v, "unknown command") || v.over;
        bool reached = mem_allocations() - before > (size_t)n;
        mem_fail_at(-1, 0);
        CHECK(good);
        leave(&v, false);
        CHECK(call(&s, &v));
        CHECK(say(&v, "status\n"));
        CHECK(heard(&v, "\"ok\":true"));
        leave(&v, false);
        end(&s);
        if (!reached)
            break;
    }
}

TEST_MAIN(RUN(commands), RUN(health), RUN(http_is_no_command), RUN(ended_while_asking),
          RUN(no_spinning_without_descriptors), RUN(each_allocation_fails))
