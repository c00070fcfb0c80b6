/* SPDX-License-Identifier: MIT
 *
 * Questions and their ends: several who ask for one name, callbacks that cancel, ask and free, each allocation failing
 * in turn.
 */
#include "tests/unit/net/dns_world.h"

/* ---- many at once, cancelled, freed ---- */

TEST(one_question_for_all_who_ask)
{
    struct world w;
    struct asker a[20];

    world_up(&w);
    for (int i = 0; i < 20; i++) {
        a[i] = (struct asker){.world = &w};
        ask(&a[i], i % 2 == 0 ? "app.test" : "APP.test");
        CHECK(a[i].query != NULL);
    }
    until_told(&a[19]);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(a[i].calls, 1);
        CHECK_EQ(a[i].n, 3);
    }
    CHECK_EQ(fake_dns_asked(w.fake), 1);
    world_down(&w);
}

TEST(cancelled_is_not_told)
{
    struct world w;
    struct asker a, b;

    world_up(&w);
    a = b = (struct asker){.world = &w};
    ask(&a, "app.test");
    ask(&b, "app.test");
    dns_cancel(a.query);
    dns_cancel(NULL);
    until_told(&b);
    CHECK_EQ(a.calls, 0);

    /* The only one: the answer is kept all the same. */
    a = (struct asker){.world = &w};
    ask(&a, "other.test");
    dns_cancel(a.query);
    while (fake_dns_asked(w.fake) < 2)
        CHECK_EQ(loop_turn(w.loop, 100), 0);
    b = resolve(&w, "other.test");
    CHECK_EQ(b.status, DNS_OK);
    CHECK_EQ(fake_dns_asked(w.fake), 2);
    CHECK_EQ(a.calls, 0);
    world_down(&w);
}

TEST(callbacks_may_cancel)
{
    struct world w;
    struct asker a, b, c, d;

    world_up(&w);
    a = b = c = d = (struct asker){.world = &w};
    a.cancels = &a; /* itself: does nothing */
    b.cancels = &c; /* the next in the same list */
    ask(&a, "app.test");
    ask(&b, "app.test");
    ask(&c, "app.test");
    ask(&d, "app.test");
    until_told(&d);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(c.calls, 0);

    a = b = (struct asker){.world = &w};
    a.cancels = &b; /* of another name, under way */
    ask(&a, "one.test");
    ask(&b, "two.test");
    until_told(&a);
    pass(&w, 5);
    CHECK(b.calls == 0 || b.calls == 1); /* whichever was first */
    world_down(&w);
}

TEST(callbacks_may_ask)
{
    struct world w;
    struct asker a, b, c;

    world_up(&w);
    a = b = c = (struct asker){.world = &w};
    a.asks = &b;
    b.asks = &c; /* which is at hand by then */
    ask(&a, "app.test");
    until_told(&a);
    until_told(&b);
    CHECK_EQ(c.calls, 1);
    CHECK_EQ(c.status, DNS_OK);
    world_down(&w);
}

TEST(freed_with_questions_under_way)
{
    struct world w;
    struct asker a[5];
    char name[32];

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_SILENT);
    for (int i = 0; i < 5; i++) {
        a[i] = (struct asker){.world = &w};
        snprintf(name, sizeof name, "n%d.test", i / 2);
        ask(&a[i], name);
    }
    CHECK_EQ(loop_turn(w.loop, 0), 0);
    dns_free(w.dns);
    w.dns = NULL;
    pass(&w, 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(a[i].calls, 0);
    dns_free(NULL);
    world_down(&w);
}

TEST(freed_inside_a_callback)
{
    struct world w;
    struct asker a, b, c;

    world_up(&w);
    a = b = c = (struct asker){.world = &w};
    a.frees_all = true;
    ask(&a, "app.test");
    ask(&b, "app.test");
    ask(&c, "other.test");
    until_told(&a);
    pass(&w, 5);
    CHECK_EQ(b.calls, 0);
    CHECK(c.calls <= 1);
    world_down(&w);

    /* One that is called before dns_resolve returns. */
    world_up(&w);
    a = (struct asker){.world = &w, .frees_all = true};
    CHECK(dns_resolve(w.dns, "inhosts", told, &a) == NULL);
    CHECK_EQ(a.calls, 1);
    world_down(&w);
    world_up(&w);
    resolve(&w, "app.test");
    a = (struct asker){.world = &w, .frees_all = true};
    CHECK(dns_resolve(w.dns, "app.test", told, &a) == NULL);
    world_down(&w);

    /* One that is told what is stale. */
    stale_world(&w);
    fake_dns_mood(w.fake, FAKE_SILENT);
    a = (struct asker){.world = &w, .frees_all = true};
    ask(&a, "app.test");
    until_told(&a);
    world_down(&w);
}

/* ---- out of memory ---- */

/* All that needs memory, once through; what fails must fail cleanly. */
static void live(struct world *w)
{
    struct asker a, b, c;

    w->dns = dns_new_with(w->loop, &w->options);
    if (w->dns == NULL)
        return;
    a = b = c = (struct asker){.world = w};
    ask(&a, "app.test");
    ask(&b, "app.test");
    ask(&c, "inhosts");
    until_told(&a);
    until_told(&b);
    until_told(&c);
    fake_dns_mood(w->fake, FAKE_TRUNCATED);
    dns_reload(w->dns);
    resolve(w, "tcp");
    fake_dns_mood(w->fake, FAKE_CNAME);
    resolve(w, "alias.test");
    fake_dns_mood(w->fake, FAKE_ANSWER);
    dns_free(w->dns);
    w->dns = NULL;
}

static void fail_each(long count)
{
    struct world w;

    world_begin(&w);
    w.options.timeout_ms = 2;
    w.options.tries = 1;
    w.options.min_ttl_ms = 1;
    w.options.negative_ttl_ms = 1;
    world_fail_each(&w, count, live, FAKE_ANSWER, 50);
    world_down(&w);
}

TEST(each_allocation_fails)
{
    fail_each(1);
}

TEST(all_allocations_fail_from_there)
{
    fail_each(1000000);
}

TEST(memory_comes_back)
{
    struct world w;

    world_up(&w);
    mem_fail_at(0, 1000000);
    CHECK_EQ(resolve(&w, "app.test").status, DNS_FAILED);
    mem_fail_at(-1, 0);
    CHECK_EQ(resolve(&w, "app.test").status, DNS_OK); /* that was no answer, so it is not kept */
    world_down(&w);
}

TEST_MAIN(RUN(one_question_for_all_who_ask), RUN(cancelled_is_not_told), RUN(callbacks_may_cancel),
          RUN(callbacks_may_ask), RUN(freed_with_questions_under_way), RUN(freed_inside_a_callback),
          RUN(each_allocation_fails), RUN(all_allocations_fail_from_there), RUN(memory_comes_back))
