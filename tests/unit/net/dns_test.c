/* SPDX-License-Identifier: MIT
 *
 * Names, against a name server of our own that answers, fails, lies and keeps silent.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "net/dns.h"
#include "tests/unit/net/fake_dns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct fake_dns *fake;
    struct dns *dns;
    struct dns_options options;
    char resolv_conf[64], hosts[64];
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

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!CHECK(f != NULL))
        return;
    fputs(text, f);
    fclose(f);
}

static void temporary(char path[64], const char *text)
{
    int fd;

    snprintf(path, 64, "/tmp/dns_test.XXXXXX");
    fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    write_file(path, text);
}

/* Everything but the resolver itself. */
static void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    signal(SIGPIPE, SIG_IGN); /* as main() does */
    w->loop = loop_new();
    w->fake = fake_dns_new(w->loop);
    temporary(w->resolv_conf, "nameserver 127.0.0.1\nsearch one.test two.test\n");
    temporary(w->hosts, "127.0.0.1 localhost\n::1 localhost\n192.0.2.77 inhosts\n");
    w->options = (struct dns_options){
        .resolv_conf = w->resolv_conf,
        .hosts = w->hosts,
        .servers_csv = fake_dns_csv(w->fake),
        .tries = 2, /* after 2 s, so that a busy machine is not taken for a silent server */
        .patience_ms = 5,
    };
}

static void world_up(struct world *w)
{
    world_begin(w);
    w->dns = dns_new_with(w->loop, &w->options);
    CHECK(w->dns != NULL);
}

static unsigned descriptors(void)
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

static void world_down(struct world *w)
{
    dns_free(w->dns);
    fake_dns_free(w->fake);
    loop_free(w->loop);
    unlink(w->resolv_conf);
    unlink(w->hosts);
    CHECK_EQ(mem_blocks(), 0);
}

static void ask(struct asker *a, const char *name);

static void told(void *owner, enum dns_status status, const struct addr *addresses, unsigned n)
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

static void ask(struct asker *a, const char *name)
{
    struct dns_query *q = dns_resolve(a->world->dns, name, told, a);

    if (a->calls == 0)
        a->query = q;
}

static void until_told(struct asker *a)
{
    uint64_t give_up = loop_now(a->world->loop) + 20000;

    while (a->calls == 0 && loop_now(a->world->loop) < give_up)
        CHECK_EQ(loop_turn(a->world->loop, 1000), 0);
    CHECK_EQ(a->calls, 1);
}

static struct asker resolve(struct world *w, const char *name)
{
    struct asker a = {.world = w};

    ask(&a, name);
    until_told(&a);
    a.query = NULL;
    return a;
}

static const char *first(const struct asker *a)
{
    static char text[ADDR_TEXT];

    return a->n > 0 ? addr_format_ip(&a->addresses[0], text) : "none";
}

/* Lets the clock run on by so much. */
static void pass(struct world *w, uint64_t ms)
{
    uint64_t until = loop_now(w->loop) + ms;

    while (loop_now(w->loop) < until)
        CHECK_EQ(loop_turn(w->loop, (int)(until - loop_now(w->loop))), 0);
}

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

static void stale_world(struct world *w)
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
    size_t before, blocks, n;
    unsigned fds;

    world_begin(&w);
    w.options.timeout_ms = 2;
    w.options.tries = 1;
    w.options.min_ttl_ms = 1;
    w.options.negative_ttl_ms = 1;
    live(&w); /* the loop's heap of timers grows to what it needs */
    pass(&w, 2);
    blocks = mem_blocks();
    fds = descriptors();
    before = mem_allocations();
    live(&w);
    n = mem_allocations() - before + 8;
    CHECK(n > 50);
    for (size_t i = 0; i < n; i++) {
        mem_fail_at((long)i, count);
        live(&w);
        mem_fail_at(-1, 0);
        fake_dns_mood(w.fake, FAKE_ANSWER);
        for (int turns = 0; turns < 3; turns++)
            CHECK_EQ(loop_turn(w.loop, 0), 0); /* the server sees its connections closed */
        if (!CHECK_EQ(mem_blocks(), blocks))
            printf("    after allocation %zu of %zu failed\n", i, n);
        blocks = mem_blocks();
    }
    CHECK_EQ(descriptors(), fds);
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

TEST_MAIN(RUN(both_families_and_the_cache), RUN(ip_addresses_are_their_own_answer), RUN(hosts_file),
          RUN(search_domains), RUN(no_such_name), RUN(names_that_cannot_be), RUN(silence_is_a_timeout),
          RUN(a_server_that_fails), RUN(no_server_there), RUN(over_tcp), RUN(hostile_answers),
          RUN(ttl_is_honoured_within_bounds), RUN(an_alias_with_a_short_ttl),
          RUN(stale_when_the_server_is_silent), RUN(stale_when_the_server_fails),
          RUN(not_stale_when_the_name_is_gone), RUN(more_names_than_are_kept),
          RUN(one_question_for_all_who_ask), RUN(cancelled_is_not_told), RUN(callbacks_may_cancel),
          RUN(callbacks_may_ask), RUN(freed_with_questions_under_way), RUN(freed_inside_a_callback),
          RUN(resolv_conf_changed), RUN(reload_asks_again_what_is_under_way),
          RUN(reload_keeps_what_is_known_for_bad_times), RUN(each_allocation_fails),
          RUN(all_allocations_fail_from_there), RUN(memory_comes_back))
