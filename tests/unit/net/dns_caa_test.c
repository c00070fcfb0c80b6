/* SPDX-License-Identifier: MIT
 *
 * Searches for CAA records: what is found where, what an answer may look like, and how searches end.
 */
#include "net/dns_caa.h"
#include "tests/unit/net/dns_world.h"

/* Data as on the wire, of string literals: flags, the tag's length, tag and value. */
#define CAA(fake, name, data) fake_dns_caa(fake, name, data, sizeof(data) - 1)
#define LETSENCRYPT           "\0\5issueletsencrypt.org"

struct searcher {
    struct world *world;
    struct dns_caa_search *search;
    /* What it does when it is told. */
    struct searcher *cancels, *searches;
    bool frees_all;
    /* What it was told. */
    unsigned calls, n;
    enum dns_status status;
    char at[300];
    char text[2000]; /* "0 issue ca.test|128 iodef x|" */
};

static void search(struct searcher *s, const char *name);

static void found(void *owner, enum dns_status status, const char *at, const struct dns_caa_record *records,
                  unsigned n)
{
    struct searcher *s = owner;
    struct writer w = writer_of(s->text, sizeof s->text - 1);

    s->calls++;
    s->status = status;
    s->n = n;
    CHECK(n <= DNS_CAA_RECORDS);
    CHECK((status == DNS_OK) == (n > 0) && (at != NULL) == (n > 0));
    snprintf(s->at, sizeof s->at, "%s", at != NULL ? at : "");
    for (unsigned i = 0; i < n; i++)
        writer_printf(&w, "%u %.*s %.*s|", records[i].flags, (int)records[i].tag.n,
                      (const char *)records[i].tag.p, (int)records[i].value.n,
                      (const char *)records[i].value.p);
    s->text[writer_len(&w)] = 0;
    if (s->cancels != NULL) {
        dns_cancel_caa(s->cancels->search);
        s->cancels->search = NULL;
    }
    if (s->searches != NULL)
        search(s->searches, "a.test");
    if (s->frees_all) {
        dns_free(s->world->dns);
        s->world->dns = NULL;
    }
}

static void search(struct searcher *s, const char *name)
{
    struct dns_caa_search *handle = dns_find_caa(s->world->dns, name, found, s);

    CHECK_EQ(s->calls, handle == NULL ? 1 : 0);
    s->search = handle;
}

static void until_found(struct searcher *s)
{
    uint64_t give_up = loop_now(s->world->loop) + 20000;

    while (s->calls == 0 && loop_now(s->world->loop) < give_up)
        CHECK_EQ(loop_turn(s->world->loop, 1000), 0);
    CHECK_EQ(s->calls, 1);
}

static struct searcher find(struct world *w, const char *name)
{
    struct searcher s = {.world = w};

    search(&s, name);
    until_found(&s);
    s.search = NULL;
    return s;
}

/* ---- where ---- */

TEST(of_the_name_itself)
{
    struct world w;
    struct searcher s;

    world_up(&w);
    CAA(w.fake, "www.a.test", LETSENCRYPT);
    CAA(w.fake, "www.a.test", "\x80\5iodefmailto:x@a.test");
    CAA(w.fake, "www.a.test", "\0\5ISSUE");
    CAA(w.fake, "a.test", "\0\5issue;");
    s = find(&w, "WWW.a.Test");
    CHECK_EQ(s.status, DNS_OK);
    CHECK_STR(s.at, "www.a.test");
    CHECK_STR(s.text, "0 issue letsencrypt.org|128 iodef mailto:x@a.test|0 ISSUE |");
    CHECK_STR(fake_dns_asked_caa(w.fake), "www.a.test ");
    s = find(&w, "a.test."); /* absolute as it is */
    CHECK_STR(s.text, "0 issue ;|");
    world_down(&w);
}

TEST(of_the_nearest_parent)
{
    static const enum fake_mood moods[] = {FAKE_NODATA, FAKE_NXDOMAIN, FAKE_ANSWER};

    for (size_t i = 0; i < sizeof moods / sizeof moods[0]; i++) {
        struct world w;
        struct searcher s;

        world_up(&w);
        fake_dns_mood(w.fake, moods[i]);
        CAA(w.fake, "a.test", LETSENCRYPT);
        CAA(w.fake, "test", "\0\5issue;");
        s = find(&w, "x.y.a.test");
        CHECK_EQ(s.status, DNS_OK);
        CHECK_STR(s.at, "a.test");
        CHECK_STR(s.text, "0 issue letsencrypt.org|");
        CHECK_STR(fake_dns_asked_caa(w.fake), "x.y.a.test y.a.test a.test ");
        s = find(&w, "b.test"); /* of the top, too */
        CHECK_STR(s.at, "test");
        world_down(&w);
    }
}

/* Neither the root nor the search domains are asked. */
TEST(nowhere)
{
    struct world w;
    struct searcher s;

    world_up(&w);
    CAA(w.fake, "one.test", "\0\5issue;");
    s = find(&w, "b.example");
    CHECK_EQ(s.status, DNS_NOT_FOUND);
    s = find(&w, "app");
    CHECK_EQ(s.status, DNS_NOT_FOUND);
    CHECK_STR(fake_dns_asked_caa(w.fake), "b.example example app ");
    world_down(&w);
}

TEST(an_alias)
{
    struct world w;
    struct searcher s;

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_CNAME);
    CAA(w.fake, "www.a.test", LETSENCRYPT);
    s = find(&w, "www.a.test");
    CHECK_EQ(s.status, DNS_OK);
    CHECK_STR(s.at, "www.a.test");
    CHECK_STR(s.text, "0 issue letsencrypt.org|");
    /* Its target has none: the parents of the alias are asked, not those of the target. */
    CAA(w.fake, "c.test", "\0\5issueca.test");
    s = find(&w, "b.c.test");
    CHECK_STR(s.at, "c.test");
    world_down(&w);
}

TEST(names_that_have_none)
{
    static const char *const names[] = {
        "192.0.2.1",
        "2001:db8::1",
        "localhost",
        "app.localhost",
        "localhost.",
        "",
        ".",
        ".test",
        "a..test",
        "a.test..",
        "a\\.test",
        "a b.test",
        "1234567890123456789012345678901234567890123456789012345678901234.test",
    };
    struct world w;
    char long_name[300];

    world_up(&w);
    CAA(w.fake, "test", LETSENCRYPT);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (find(&w, names[i]).status != DNS_NOT_FOUND)
            FAIL(names[i]);
    for (size_t i = 0; i < sizeof long_name; i++)
        long_name[i] = i % 2 == 0 ? 'a' : '.';
    long_name[254] = 0; /* 253 characters and a dot, then 255 */
    CHECK_EQ(find(&w, long_name).status, DNS_NOT_FOUND);
    CHECK(strlen(fake_dns_asked_caa(w.fake)) > 253);
    long_name[254] = 'a';
    long_name[255] = 0;
    CHECK_EQ(find(&w, long_name).status, DNS_NOT_FOUND);
    CHECK_EQ(find(&w, "notlocalhost.test").n, 1);
    world_down(&w);
}

/* ---- what goes wrong ---- */

TEST(it_cannot_be_found_out)
{
    struct world w;

    world_begin(&w);
    w.options.timeout_ms = 20;
    w.dns = dns_new_with(w.loop, &w.options);
    CAA(w.fake, "test", LETSENCRYPT);
    fake_dns_mood(w.fake, FAKE_SERVFAIL);
    CHECK_EQ(find(&w, "a.test").status, DNS_FAILED); /* and nothing above is taken for the answer */
    CHECK_STR(fake_dns_asked_caa(w.fake), "a.test a.test ");
    fake_dns_mood(w.fake, FAKE_SILENT);
    CHECK_EQ(find(&w, "a.test").status, DNS_TIMEOUT);
    fake_dns_mood(w.fake, FAKE_CLOSE);
    CHECK(find(&w, "a.test").status != DNS_OK);
    fake_dns_mood(w.fake, FAKE_NODATA);
    CHECK_EQ(find(&w, "a.test").status, DNS_OK); /* nothing was kept */
    world_down(&w);
}

TEST(over_tcp)
{
    struct world w;
    struct searcher s;

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_TRUNCATED);
    for (int i = 0; i < DNS_CAA_RECORDS; i++)
        CAA(w.fake, "a.test", LETSENCRYPT);
    s = find(&w, "a.test");
    CHECK_EQ(s.n, DNS_CAA_RECORDS);
    CAA(w.fake, "a.test", LETSENCRYPT); /* one that is not taken might forbid it */
    CHECK_EQ(find(&w, "a.test").status, DNS_FAILED);
    world_down(&w);
}

TEST(records_that_are_none)
{
    static const struct {
        const char *data;
        size_t n;
    } bad[] = {
        {"",               0 },
        {"\0",             1 },
        {"\0\0",           2 },
        {"\0\0value",      7 },
        {"\0\6issue",      7 },
        {"\0\377issuex.y", 10},
    };
    static char long_value[2 + 5 + DNS_CAA_VALUE + 1] = "\0\5issue";

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct world w;

        world_up(&w);
        CAA(w.fake, "a.test", LETSENCRYPT);
        fake_dns_caa(w.fake, "a.test", bad[i].data, bad[i].n);
        if (find(&w, "a.test").status != DNS_FAILED)
            FAIL(bad[i].data);
        world_down(&w);
    }
    for (size_t i = 0; i < 2; i++) {
        struct world w;

        world_up(&w);
        fake_dns_mood(w.fake, FAKE_TRUNCATED);
        fake_dns_caa(w.fake, "a.test", long_value, sizeof long_value - i);
        CHECK_EQ(find(&w, "a.test").status, i == 0 ? DNS_FAILED : DNS_OK);
        world_down(&w);
    }
}

TEST(hostile_answers)
{
    static const enum fake_mood moods[] = {FAKE_GARBAGE, FAKE_CUT, FAKE_LOOP};
    struct world w;

    world_begin(&w);
    w.options.timeout_ms = 2;
    w.options.tries = 1;
    w.dns = dns_new_with(w.loop, &w.options);
    CAA(w.fake, "a.test", LETSENCRYPT);
    CAA(w.fake, "a.test", "\0\5issueca.test");
    for (int i = 0; i < 300; i++) {
        fake_dns_mood(w.fake, moods[i % 3]);
        find(&w, "a.test"); /* whatever comes of it, it ends */
    }
    world_down(&w);
}

/* A message of one question and one answer; each place where it may be cut is a failure, and nothing is read behind. */
TEST(messages)
{
    static const char whole[] =
        "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" /* id, flags, one question, one answer */
        "\1a\4test\0\1\1\0\1"              /* a.test CAA IN */
        "\300\14\1\1\0\1\0\0\0\74\0\13"    /* its name again, CAA IN, a minute, 11 bytes */
        "\0\5issueca.xy";
    const size_t n = sizeof whole - 2; /* without the last letter: no value ends where memory does */
    struct dns_caa_record records[DNS_CAA_RECORDS];
    unsigned count;
    char text[sizeof whole];

    CHECK(caa_parse(bytes_of(whole, n), records, &count));
    CHECK_EQ(count, 1);
    CHECK(bytes_is(records[0].tag, "issue") && bytes_is(records[0].value, "ca.x"));
    for (size_t i = 0; i < n; i++) {
        char *cut = mem_alloc(i + 1); /* so that the sanitiser sees its end */

        memcpy(cut, whole, i);
        CHECK(!caa_parse(bytes_of(cut, i), records, &count));
        mem_free(cut);
    }
    memcpy(text, whole, sizeof text);
    text[3] = 2; /* SERVFAIL */
    CHECK(!caa_parse(bytes_of(text, n), records, &count));
    text[3] = 0;
    text[23] =
        0x41; /* a label of a kind that there is not: behind the question, where the answer's name begins */
    memcpy(text, whole, sizeof text);
    text[24] = 0x41;
    CHECK(!caa_parse(bytes_of(text, n), records, &count));
    memcpy(text, whole, sizeof text);
    text[29] = 3; /* another class: not looked at */
    CHECK(caa_parse(bytes_of(text, n), records, &count));
    CHECK_EQ(count, 0);
}

/* ---- cancelled, freed, asked again ---- */

TEST(cancelled)
{
    struct world w;
    struct searcher a, b;

    world_up(&w);
    CAA(w.fake, "a.test", LETSENCRYPT);
    a = b = (struct searcher){.world = &w};
    search(&a, "a.test");
    search(&b, "a.test");
    dns_cancel_caa(a.search);
    dns_cancel_caa(NULL);
    until_found(&b);
    pass(&w, 2);
    CHECK_EQ(a.calls, 0);
    CHECK_EQ(b.n, 1);

    /* With the question under way when all is freed. */
    a = (struct searcher){.world = &w};
    search(&a, "a.test");
    dns_cancel_caa(a.search);
    dns_free(w.dns);
    w.dns = NULL;
    world_down(&w);
}

TEST(callbacks_may_cancel_and_search)
{
    struct world w;
    struct searcher a, b, c;

    world_up(&w);
    CAA(w.fake, "a.test", LETSENCRYPT);
    a = b = c = (struct searcher){.world = &w};
    a.cancels = &a; /* itself: does nothing */
    a.searches = &c;
    search(&a, "a.test");
    until_found(&a);
    until_found(&c);
    CHECK_EQ(c.n, 1);
    a = b = (struct searcher){.world = &w};
    a.cancels = &b;
    b.cancels = &a;
    search(&a, "a.test");
    search(&b, "a.test");
    pass(&w, 20);
    while (a.calls + b.calls == 0)
        CHECK_EQ(loop_turn(w.loop, 100), 0);
    pass(&w, 5);
    CHECK_EQ(a.calls + b.calls, 1);
    world_down(&w);
}

TEST(freed_with_searches_under_way)
{
    struct world w;
    struct searcher s[4];

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_SILENT);
    for (int i = 0; i < 4; i++) {
        s[i] = (struct searcher){.world = &w};
        search(&s[i], "a.test");
    }
    CHECK_EQ(loop_turn(w.loop, 0), 0);
    dns_free(w.dns);
    w.dns = NULL;
    pass(&w, 5);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(s[i].calls, 0);
    world_down(&w);
}

TEST(freed_inside_a_callback)
{
    struct world w;
    struct searcher a, b;
    struct asker c;

    world_up(&w);
    a = b = (struct searcher){.world = &w};
    a.frees_all = true;
    search(&a, "a.test");
    search(&b, "b.test");
    until_found(&a);
    pass(&w, 5);
    CHECK(b.calls <= 1);
    world_down(&w);

    /* One that is called before dns_find_caa returns. */
    world_up(&w);
    a = (struct searcher){.world = &w, .frees_all = true};
    CHECK(dns_find_caa(w.dns, "192.0.2.1", found, &a) == NULL);
    CHECK_EQ(a.calls, 1);
    world_down(&w);

    /* One of another kind. */
    world_up(&w);
    a = (struct searcher){.world = &w};
    c = (struct asker){.world = &w, .frees_all = true};
    search(&a, "a.test");
    ask(&c, "inhosts");
    pass(&w, 5);
    CHECK_EQ(a.calls, 0);
    world_down(&w);
}

TEST(reload_asks_again_what_is_under_way)
{
    struct world w;
    struct searcher s, t;

    world_up(&w);
    CAA(w.fake, "a.test", LETSENCRYPT);
    fake_dns_mood(w.fake, FAKE_SILENT);
    s = t = (struct searcher){.world = &w};
    search(&s, "a.test");
    search(&t, "a.test");
    CHECK_EQ(loop_turn(w.loop, 100), 0);
    dns_cancel_caa(t.search);
    fake_dns_mood(w.fake, FAKE_ANSWER);
    dns_reload(w.dns);
    until_found(&s);
    CHECK_EQ(s.n, 1);
    CHECK_EQ(t.calls, 0);

    /* Again and again: it ends. */
    fake_dns_mood(w.fake, FAKE_SILENT);
    s = (struct searcher){.world = &w};
    search(&s, "a.test");
    for (int i = 0; i < 10 && s.calls == 0; i++) {
        dns_reload(w.dns);
        CHECK_EQ(loop_turn(w.loop, 0), 0);
    }
    CHECK_EQ(s.calls, 1);
    CHECK_EQ(s.status, DNS_FAILED);
    world_down(&w);
}

TEST(too_many_at_once)
{
    struct world w;
    struct searcher s[40];
    unsigned told = 0;

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_SILENT);
    for (int i = 0; i < 40; i++) {
        s[i] = (struct searcher){.world = &w};
        search(&s[i], "a.test");
        told += s[i].calls;
    }
    CHECK_EQ(told, 8);
    CHECK_EQ(s[39].status, DNS_FAILED);
    world_down(&w);
}

/* ---- out of memory ---- */

static void live(struct world *w)
{
    struct searcher s, t;

    w->dns = dns_new_with(w->loop, &w->options);
    if (w->dns == NULL)
        return;
    s = find(w, "www.a.test");
    CHECK(s.status == DNS_OK || s.status == DNS_FAILED || s.status == DNS_TIMEOUT);
    fake_dns_mood(w->fake, FAKE_TRUNCATED);
    t = (struct searcher){.world = w};
    search(&t, "a.test");
    dns_reload(w->dns);
    if (t.calls == 0)
        until_found(&t);
    fake_dns_mood(w->fake, FAKE_NXDOMAIN);
    dns_free(w->dns);
    w->dns = NULL;
}

static void fail_each(long count)
{
    struct world w;

    world_begin(&w);
    w.options.timeout_ms = 2;
    w.options.tries = 1;
    fake_dns_mood(w.fake, FAKE_NXDOMAIN);
    CAA(w.fake, "a.test", LETSENCRYPT);
    world_fail_each(&w, count, live, FAKE_NXDOMAIN, 30);
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

TEST_MAIN(RUN(of_the_name_itself), RUN(of_the_nearest_parent), RUN(nowhere), RUN(an_alias),
          RUN(names_that_have_none), RUN(it_cannot_be_found_out), RUN(over_tcp), RUN(records_that_are_none),
          RUN(hostile_answers), RUN(messages), RUN(cancelled), RUN(callbacks_may_cancel_and_search),
          RUN(freed_with_searches_under_way), RUN(freed_inside_a_callback),
          RUN(reload_asks_again_what_is_under_way), RUN(too_many_at_once), RUN(each_allocation_fails),
          RUN(all_allocations_fail_from_there))
