/* SPDX-License-Identifier: MIT
 *
 * What the tests of names share: a loop, the fake name server, a resolver of its own configuration, and who asks.
 */
#ifndef TESTS_UNIT_NET_DNS_WORLD_H
#define TESTS_UNIT_NET_DNS_WORLD_H

#include "base/mem.h"
#include "net/dns.h"
#include "tests/unit/net/fake_dns.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* All of it is compiled into each file that includes it. */
#define RIG __attribute__((unused)) static

struct world {
    struct loop *loop;
    struct fake_dns *fake;
    struct dns *dns;
    struct dns_options options;
    char resolv_conf[SCRATCH_PATH], hosts[SCRATCH_PATH];
};

struct asker {
    struct world *world;
    struct dns_query *query;
    /* What it does when it is told. */
    struct asker *cancels, *asks;
    bool frees_all;
    /* What it was told. */
    unsigned calls, n;
    enum dns_status status;
    struct addr addresses[DNS_ADDRESSES];
};

RIG void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!CHECK(f != NULL))
        return;
    fputs(text, f);
    fclose(f);
}

/* Everything but the resolver itself. */
RIG void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    signal(SIGPIPE, SIG_IGN); /* as main() does */
    w->loop = loop_new();
    w->fake = fake_dns_new(w->loop);
    file_new(w->resolv_conf, "nameserver 127.0.0.1\nsearch one.test two.test\n");
    file_new(w->hosts, "127.0.0.1 localhost\n::1 localhost\n192.0.2.77 inhosts\n");
    w->options = (struct dns_options){
        .resolv_conf = w->resolv_conf,
        .hosts = w->hosts,
        .servers_csv = fake_dns_csv(w->fake),
        .tries = 2, /* after 2 s, so that a busy machine is not taken for a silent server */
        .patience_ms = 5,
    };
}

RIG void world_up(struct world *w)
{
    world_begin(w);
    w->dns = dns_new_with(w->loop, &w->options);
    CHECK(w->dns != NULL);
}

RIG unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

RIG void world_down(struct world *w)
{
    dns_free(w->dns);
    fake_dns_free(w->fake);
    loop_free(w->loop);
    unlink(w->resolv_conf);
    unlink(w->hosts);
    CHECK_EQ(mem_blocks(), 0);
}

RIG void ask(struct asker *a, const char *name);

RIG void told(void *owner, enum dns_status status, const struct addr *addresses, unsigned n)
{
    struct asker *a = owner;

    a->calls++;
    a->status = status;
    a->n = n;
    CHECK(n <= DNS_ADDRESSES);
    CHECK((status == DNS_OK) == (n > 0));
    if (n > 0)
        memcpy(a->addresses, addresses, n * sizeof addresses[0]);
    if (a->cancels != NULL) {
        dns_cancel(a->cancels->query);
        a->cancels->query = NULL;
    }
    if (a->asks != NULL)
        ask(a->asks, "another.test");
    if (a->frees_all) {
        dns_free(a->world->dns);
        a->world->dns = NULL;
    }
}

RIG void ask(struct asker *a, const char *name)
{
    struct dns_query *q = dns_resolve(a->world->dns, name, told, a);

    if (a->calls == 0)
        a->query = q;
}

RIG void until_told(struct asker *a)
{
    uint64_t give_up = loop_now(a->world->loop) + 20000;

    while (a->calls == 0 && loop_now(a->world->loop) < give_up)
        CHECK_EQ(loop_turn(a->world->loop, 1000), 0);
    CHECK_EQ(a->calls, 1);
}

RIG struct asker resolve(struct world *w, const char *name)
{
    struct asker a = {.world = w};

    ask(&a, name);
    until_told(&a);
    a.query = NULL;
    return a;
}

RIG const char *first(const struct asker *a)
{
    static char text[ADDR_TEXT];

    return a->n > 0 ? addr_format_ip(&a->addresses[0], text) : "none";
}

/* Lets the clock run on by so much. */
RIG void pass(struct world *w, uint64_t ms)
{
    uint64_t until = loop_now(w->loop) + ms;

    while (loop_now(w->loop) < until)
        CHECK_EQ(loop_turn(w->loop, (int)(until - loop_now(w->loop))), 0);
}

RIG void stale_world(struct world *w)
{
    world_begin(w);
    w->options.timeout_ms = 100;
    w->options.min_ttl_ms = 5;
    w->options.negative_ttl_ms = 5;
    w->dns = dns_new_with(w->loop, &w->options);
    fake_dns_ttl(w->fake, 0);
    CHECK_EQ(resolve(w, "app.test").status, DNS_OK);
    pass(w, 6);
}

/* A whole life, which ends with the server in that mood again, as each allocation fails, or, for a large count, all from there
 * on: it takes at least so many, and leaves nothing behind. */
RIG void world_fail_each(struct world *w, long count, void (*live)(struct world *w), enum fake_mood mood,
                         size_t least)
{
    size_t before, blocks, n;
    unsigned fds;

    live(w); /* the loop's heap of timers grows to what it needs */
    pass(w, 2);
    blocks = mem_blocks();
    fds = descriptors();
    before = mem_allocations();
    live(w);
    n = mem_allocations() - before + 8;
    CHECK(n > least);
    for (size_t i = 0; i < n; i++) {
        mem_fail_at((long)i, count);
        live(w);
        mem_fail_at(-1, 0);
        fake_dns_mood(w->fake, mood);
        for (int turns = 0; turns < 3; turns++)
            CHECK_EQ(loop_turn(w->loop, 0), 0); /* the server sees its connections closed */
        if (!CHECK_EQ(mem_blocks(), blocks))
            printf("    after allocation %zu of %zu failed\n", i, n);
        blocks = mem_blocks();
    }
    CHECK_EQ(descriptors(), fds);
}

#endif
