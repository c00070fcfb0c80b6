/* SPDX-License-Identifier: MIT
 *
 * Names, against a name server of our own that answers, fails, lies and keeps silent.
 */
#include "tests/unit/net/dns_world.h"

/* ---- answers ---- */

TEST(both_families_and_the_cache)
{
    struct world w;
    struct asker a;
    char text[ADDR_TEXT];
    unsigned before;

    world_up(&w);
    before = descriptors();
    a = resolve(&w, "App.Test");
    CHECK_EQ(a.status, DNS_OK);
    CHECK_EQ(a.n, 3);
    CHECK_STR(first(&a), "192.0.2.1");
    CHECK_STR(addr_format(&a.addresses[1], text), "192.0.2.2:0");
    CHECK_STR(addr_format(&a.addresses[2], text), "[2001:db8::1]:0");
    CHECK_EQ(fake_dns_asked(w.fake), 1);
    CHECK_EQ(descriptors(), before); /* nothing is held open */

    /* From what is known, before dns_resolve returns; a name has no case. */
    a = (struct asker){.world = &w};
    CHECK(dns_resolve(w.dns, "app.TEST", told, &a) == NULL);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(a.n, 3);
    CHECK_EQ(fake_dns_asked(w.fake), 1);
    world_down(&w);
}

TEST(ip_addresses_are_their_own_answer)
{
    struct world w;
    struct asker a;

    world_up(&w);
    a = resolve(&w, "203.0.113.5");
    CHECK_STR(first(&a), "203.0.113.5");
    a = resolve(&w, "::1");
    CHECK_STR(first(&a), "::1");
    CHECK_EQ(fake_dns_asked(w.fake), 0);
    world_down(&w);
}

TEST(hosts_file)
{
    struct world w;
    struct asker a;

    world_up(&w);
    a = (struct asker){.world = &w};
    CHECK(dns_resolve(w.dns, "inhosts", told, &a) == NULL); /* at once */
    CHECK_EQ(a.calls, 1);
    CHECK_STR(first(&a), "192.0.2.77");
    a = resolve(&w, "localhost");
    CHECK_EQ(a.n, 2);
    CHECK_STR(first(&a), "127.0.0.1");
    CHECK_EQ(fake_dns_asked(w.fake), 0);
    world_down(&w);
}

TEST(search_domains)
{
    struct world w;
    struct asker a;

    world_up(&w);
    fake_dns_only(w.fake, "app.two.test");
    a = resolve(&w, "app");
    CHECK_EQ(a.status, DNS_OK);
    CHECK_EQ(fake_dns_asked(w.fake), 2); /* app.one.test, app.two.test */
    a = resolve(&w, "app.");             /* absolute */
    CHECK_EQ(a.status, DNS_NOT_FOUND);
    CHECK_EQ(fake_dns_asked(w.fake), 3);
    world_down(&w);
}

TEST(no_such_name)
{
    struct world w;
    struct asker a;
    unsigned asked;

    world_begin(&w);
    w.options.negative_ttl_ms = 10;
    w.dns = dns_new_with(w.loop, &w.options);
    fake_dns_mood(w.fake, FAKE_NXDOMAIN);
    a = resolve(&w, "nowhere.test");
    CHECK_EQ(a.status, DNS_NOT_FOUND);
    asked = fake_dns_asked(w.fake);
    a = resolve(&w, "nowhere.test"); /* is known for a while */
    CHECK_EQ(a.status, DNS_NOT_FOUND);
    CHECK_EQ(fake_dns_asked(w.fake), asked);
    pass(&w, 11);
    fake_dns_mood(w.fake, FAKE_ANSWER);
    a = resolve(&w, "nowhere.test");
    CHECK_EQ(a.status, DNS_OK);
    fake_dns_mood(w.fake, FAKE_NODATA);
    a = resolve(&w, "nothing.test");
    CHECK_EQ(a.status, DNS_NOT_FOUND);
    world_down(&w);
}

TEST(names_that_cannot_be)
{
    static const char *const bad[] = {
        "",
        ".",
        "a b",
        "a\\046b",
        "a/b",
        "tab\t",
        "\xc3\xa9.test",
        "..",
        "a..b",
        "%lo",
        "1234567890123456789012345678901234567890123456789012345678901234.test"};
    char long_name[400];
    struct world w;

    world_up(&w);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct asker a = resolve(&w, bad[i]);

        if (a.status != DNS_NOT_FOUND && a.status != DNS_FAILED)
            FAIL(bad[i]);
    }
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    CHECK_EQ(resolve(&w, long_name).status, DNS_NOT_FOUND);
    CHECK_EQ(fake_dns_asked(w.fake), 0);
    world_down(&w);
}

TEST(silence_is_a_timeout)
{
    struct world w;
    struct asker a;

    world_begin(&w);
    w.options.timeout_ms = 20;
    w.dns = dns_new_with(w.loop, &w.options);
    fake_dns_mood(w.fake, FAKE_SILENT);
    a = resolve(&w, "app.test");
    CHECK_EQ(a.status, DNS_TIMEOUT);
    CHECK_EQ(fake_dns_asked(w.fake), 2); /* each try */
    world_down(&w);
}

TEST(a_server_that_fails)
{
    struct world w;
    struct asker a;

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_SERVFAIL);
    a = resolve(&w, "app.test");
    CHECK_EQ(a.status, DNS_FAILED);
    CHECK(strlen(dns_status_text(a.status)) > 0);
    CHECK_STR(dns_status_text(DNS_NOT_FOUND), "name not found");
    world_down(&w);
}

TEST(no_server_there)
{
    struct world w;
    struct asker a;

    world_begin(&w);
    w.options.servers_csv = "127.0.0.1:1"; /* refused */
    w.dns = dns_new_with(w.loop, &w.options);
    a = resolve(&w, "app.test");
    CHECK(a.status == DNS_FAILED || a.status == DNS_TIMEOUT);
    world_down(&w);
}

TEST(over_tcp)
{
    struct world w;
    struct asker a;
    unsigned before, v4 = 0;

    world_up(&w);
    before = descriptors();
    fake_dns_mood(w.fake, FAKE_TRUNCATED);
    a = resolve(&w, "long.test");
    CHECK_EQ(a.status, DNS_OK);
    CHECK_EQ(a.n, 3);

    /* More than there is room for: cut, never overrun. */
    fake_dns_mood(w.fake, FAKE_MANY);
    a = resolve(&w, "many.test");
    CHECK_EQ(a.n, DNS_ADDRESSES);
    for (unsigned i = 0; i < a.n; i++)
        v4 += a.addresses[i].any.sa_family == AF_INET ? 1 : 0;
    CHECK_EQ(v4, DNS_ADDRESSES);
    fake_dns_mood(w.fake, FAKE_CLOSE);
    a = resolve(&w, "close.test");
    CHECK(a.status != DNS_OK);
    fake_dns_mood(w.fake, FAKE_HALF);
    a = resolve(&w, "half.test");
    CHECK(a.status != DNS_OK);
    fake_dns_mood(w.fake, FAKE_ANSWER);
    a = resolve(&w, "good.test");
    CHECK_EQ(a.status, DNS_OK);
    pass(&w, 1); /* the server sees its ends closed */
    CHECK_EQ(descriptors(), before);
    world_down(&w);
}

TEST(hostile_answers)
{
    static const enum fake_mood moods[] = {FAKE_LOOP, FAKE_WRONG_ID, FAKE_WRONG_NAME};
    struct world w;
    char name[32];

    world_begin(&w);
    w.options.timeout_ms = 2;
    w.options.tries = 1;
    w.dns = dns_new_with(w.loop, &w.options);
    for (size_t i = 0; i < sizeof moods / sizeof moods[0]; i++) {
        fake_dns_mood(w.fake, moods[i]);
        snprintf(name, sizeof name, "bad%zu.test", i);
        CHECK(resolve(&w, name).status != DNS_OK);
    }
    /* Cut and random ones: whatever comes of each, it ends. */
    for (int i = 0; i < 200; i++) {
        fake_dns_mood(w.fake, i % 2 == 0 ? FAKE_GARBAGE : FAKE_CUT);
        snprintf(name, sizeof name, "bad%d.test", i + 100);
        resolve(&w, name);
    }
    fake_dns_mood(w.fake, FAKE_ANSWER);
    CHECK_EQ(resolve(&w, "good.test").status, DNS_OK);
    world_down(&w);
}

/* ---- time ---- */

TEST(ttl_is_honoured_within_bounds)
{
    struct world w;

    world_begin(&w);
    w.options.min_ttl_ms = 20;
    w.dns = dns_new_with(w.loop, &w.options);
    fake_dns_ttl(w.fake, 0);
    resolve(&w, "short.test");
    resolve(&w, "short.test");
    CHECK_EQ(fake_dns_asked(w.fake), 1); /* 0 is not taken at its word */
    pass(&w, 21);
    resolve(&w, "short.test");
    CHECK_EQ(fake_dns_asked(w.fake), 2);

    fake_dns_ttl(w.fake, 0xffffffff); /* RFC 2181 §8: as 0 */
    resolve(&w, "negative.test");
    pass(&w, 21);
    resolve(&w, "negative.test");
    CHECK_EQ(fake_dns_asked(w.fake), 4);

    fake_dns_ttl(w.fake, 3000);
    resolve(&w, "long.test");
    pass(&w, 21);
    resolve(&w, "long.test");
    CHECK_EQ(fake_dns_asked(w.fake), 5);
    world_down(&w);
}

TEST(an_alias_with_a_short_ttl)
{
    struct world w;
    struct asker a;

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_CNAME);
    a = resolve(&w, "alias.of.test");
    CHECK_EQ(a.status, DNS_OK);
    CHECK_STR(first(&a), "192.0.2.1");
    pass(&w, 1001); /* the alias' TTL is 1, the address' 60 */
    resolve(&w, "alias.of.test");
    CHECK_EQ(fake_dns_asked(w.fake), 2);
    world_down(&w);
}

TEST(stale_when_the_server_is_silent)
{
    struct world w;
    struct asker a;
    unsigned asked;

    stale_world(&w);
    fake_dns_mood(w.fake, FAKE_SILENT);
    a = resolve(&w, "app.test"); /* after patience_ms, not after the timeouts */
    CHECK_EQ(a.status, DNS_OK);
    CHECK_STR(first(&a), "192.0.2.1");

    /* From now on at once, while it is asked behind the scenes. */
    a = (struct asker){.world = &w};
    CHECK(dns_resolve(w.dns, "app.test", told, &a) == NULL);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(a.status, DNS_OK);
    pass(&w, 320); /* both tries */
    asked = fake_dns_asked(w.fake);
    a = (struct asker){.world = &w};
    CHECK(dns_resolve(w.dns, "app.test", told, &a) == NULL);
    CHECK_EQ(a.status, DNS_OK);
    fake_dns_mood(w.fake, FAKE_ANSWER);
    fake_dns_last_octet(w.fake, 9);
    fake_dns_ttl(w.fake, 60);
    while (fake_dns_asked(w.fake) == asked || strcmp(first(&a), "192.0.2.9") != 0) {
        CHECK_EQ(loop_turn(w.loop, 10), 0);
        a = resolve(&w, "app.test");
        if (!CHECK_EQ(a.status, DNS_OK))
            break;
    }
    world_down(&w);
}

TEST(stale_when_the_server_fails)
{
    struct world w;
    struct asker a;

    stale_world(&w);
    fake_dns_mood(w.fake, FAKE_SERVFAIL);
    a = resolve(&w, "app.test");
    CHECK_EQ(a.status, DNS_OK);
    CHECK_STR(first(&a), "192.0.2.1");
    world_down(&w);
}

TEST(not_stale_when_the_name_is_gone)
{
    struct world w;

    stale_world(&w);
    fake_dns_mood(w.fake, FAKE_NXDOMAIN);
    CHECK_EQ(resolve(&w, "app.test").status, DNS_NOT_FOUND);
    pass(&w, 6);
    fake_dns_mood(w.fake, FAKE_SILENT);
    CHECK_EQ(resolve(&w, "app.test").status, DNS_TIMEOUT);
    world_down(&w);
}

TEST(more_names_than_are_kept)
{
    struct world w;
    char name[32];
    unsigned asked;

    world_up(&w);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "n%d.test", i);
        CHECK_EQ(resolve(&w, name).status, DNS_OK);
        CHECK_EQ(resolve(&w, "n0.test").status, DNS_OK); /* stays, as it is used */
        if (i % 50 == 0)
            pass(&w, 2);
    }
    asked = fake_dns_asked(w.fake);
    CHECK_EQ(resolve(&w, "n299.test").status, DNS_OK);
    CHECK_EQ(fake_dns_asked(w.fake), asked);
    CHECK_EQ(resolve(&w, "n1.test").status, DNS_OK);
    CHECK_EQ(fake_dns_asked(w.fake), asked + 1);
    world_down(&w);
}

/* ---- the configuration ---- */

TEST(resolv_conf_changed)
{
    struct world w;
    struct asker a;

    world_up(&w);
    fake_dns_only(w.fake, "app.three.test");
    a = resolve(&w, "app");
    CHECK_EQ(a.status, DNS_NOT_FOUND);
    write_file(w.resolv_conf, "nameserver 127.0.0.1\nsearch three.test\n");
    pass(&w, 1001); /* it is looked at once a second */
    resolve(&w, "notice.test");
    a = resolve(&w, "app");
    CHECK_EQ(a.status, DNS_OK); /* what was known before is asked again, too */
    unlink(w.resolv_conf);
    pass(&w, 1001);
    a = resolve(&w, "app.three.test");
    CHECK_EQ(a.status, DNS_OK); /* none at all: c-ares' defaults, and no crash */
    world_down(&w);
}

TEST(reload_asks_again_what_is_under_way)
{
    struct world w;
    struct asker a, b;

    world_up(&w);
    fake_dns_mood(w.fake, FAKE_SILENT);
    a = b = (struct asker){.world = &w};
    ask(&a, "app.test");
    ask(&b, "other.test");
    CHECK_EQ(loop_turn(w.loop, 100), 0);
    fake_dns_mood(w.fake, FAKE_ANSWER);
    dns_reload(w.dns);
    until_told(&a);
    until_told(&b);
    CHECK_EQ(a.status, DNS_OK);
    CHECK_EQ(b.status, DNS_OK);

    /* Again and again: it ends. */
    fake_dns_mood(w.fake, FAKE_SILENT);
    a = (struct asker){.world = &w};
    ask(&a, "third.test");
    for (int i = 0; i < 10 && a.calls == 0; i++) {
        dns_reload(w.dns);
        CHECK_EQ(loop_turn(w.loop, 0), 0);
    }
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(a.status, DNS_FAILED);
    world_down(&w);
}

TEST(reload_keeps_what_is_known_for_bad_times)
{
    struct world w;
    struct asker a;

    world_up(&w);
    resolve(&w, "app.test");
    dns_reload(w.dns);
    resolve(&w, "app.test");
    CHECK_EQ(fake_dns_asked(w.fake), 2);
    fake_dns_mood(w.fake, FAKE_SERVFAIL);
    dns_reload(w.dns);
    a = resolve(&w, "app.test");
    CHECK_EQ(a.status, DNS_OK);
    world_down(&w);
}

TEST_MAIN(RUN(both_families_and_the_cache), RUN(ip_addresses_are_their_own_answer), RUN(hosts_file),
          RUN(search_domains), RUN(no_such_name), RUN(names_that_cannot_be), RUN(silence_is_a_timeout),
          RUN(a_server_that_fails), RUN(no_server_there), RUN(over_tcp), RUN(hostile_answers),
          RUN(ttl_is_honoured_within_bounds), RUN(an_alias_with_a_short_ttl),
          RUN(stale_when_the_server_is_silent), RUN(stale_when_the_server_fails),
          RUN(not_stale_when_the_name_is_gone), RUN(more_names_than_are_kept), RUN(resolv_conf_changed),
          RUN(reload_asks_again_what_is_under_way), RUN(reload_keeps_what_is_known_for_bad_times))
