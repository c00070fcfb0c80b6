/* SPDX-License-Identifier: MIT
 *
 * The session cache through the two functions that BearSSL calls: bound to its site, bounded, oldest out first.
 */
#include "tests/unit/test.h"
#include "tls/session_cache.h"

#include "base/mem.h"

static br_ssl_session_parameters session(unsigned n)
{
    br_ssl_session_parameters p;

    memset(&p, 0, sizeof p);
    p.session_id_len = 32;
    memcpy(p.session_id, &n, sizeof n);
    memset(p.master_secret, (int)n & 0xff, sizeof p.master_secret);
    p.version = BR_TLS12;
    p.cipher_suite = (uint16_t)n;
    return p;
}

static void save(struct tls_session_cache *c, const char *site, unsigned n)
{
    struct tls_session_view view;
    br_ssl_session_parameters p = session(n);

    tls_session_view_init(&view, c, site);
    view.vtable->save(&view.vtable, NULL, &p);
}

/* Is it there, and whole? */
static bool load(struct tls_session_cache *c, const char *site, unsigned n)
{
    struct tls_session_view view;
    br_ssl_session_parameters want = session(n), p = {.session_id_len = 32};

    memcpy(p.session_id, want.session_id, 32);
    tls_session_view_init(&view, c, site);
    if (!view.vtable->load(&view.vtable, NULL, &p))
        return false;
    CHECK_MEM(p.master_secret, 48, want.master_secret, 48);
    CHECK_EQ(p.version, want.version);
    CHECK_EQ(p.cipher_suite, want.cipher_suite);
    return true;
}

TEST(bound_to_the_site)
{
    struct tls_session_cache *c = tls_session_cache_new(10);

    save(c, "a.test", 1);
    CHECK(load(c, "a.test", 1));
    CHECK(!load(c, "b.test", 1));
    CHECK(!load(c, "a.tes", 1));
    CHECK(!load(c, "", 1));
    CHECK(!load(c, "a.test", 2));
    save(c, "b.test", 1);
    CHECK(load(c, "a.test", 1) && load(c, "b.test", 1));
    CHECK_EQ(tls_session_cache_count(c), 2);
    tls_session_cache_free(c);
}

TEST(least_recently_used_goes_first)
{
    struct tls_session_cache *c = tls_session_cache_new(3);

    for (unsigned i = 1; i <= 3; i++)
        save(c, "a", i);
    CHECK(load(c, "a", 1)); /* used now */
    save(c, "a", 4);
    CHECK(!load(c, "a", 2));
    CHECK(load(c, "a", 1) && load(c, "a", 3) && load(c, "a", 4));
    save(c, "a", 1); /* again: no second entry */
    CHECK_EQ(tls_session_cache_count(c), 3);
    tls_session_cache_free(c);
}

TEST(stays_within_its_bound)
{
    size_t before = mem_blocks();
    struct tls_session_cache *c = tls_session_cache_new(500);

    for (unsigned i = 0; i < 3000; i++) {
        save(c, "a", i);
        CHECK(tls_session_cache_count(c) <= 500);
        CHECK(load(c, "a", i));
    }
    for (unsigned i = 0; i < 3000; i++)
        if (load(c, "a", i) != (i >= 2500))
            FAIL("the last 500 are there, and no other");
    CHECK_EQ(mem_blocks() - before, 502);
    tls_session_cache_resize(c, 10);
    CHECK_EQ(tls_session_cache_count(c), 10);
    CHECK(load(c, "a", 2999) && !load(c, "a", 2989));
    tls_session_cache_resize(c, 0);
    CHECK_EQ(tls_session_cache_count(c), 0);
    save(c, "a", 1);
    CHECK_EQ(tls_session_cache_count(c), 0);
    tls_session_cache_resize(c, 2);
    save(c, "a", 1);
    CHECK(load(c, "a", 1));
    tls_session_cache_free(c);
    CHECK_EQ(mem_blocks(), before);
}

TEST(one_session)
{
    struct tls_session_cache *c = tls_session_cache_new(1);

    for (unsigned i = 0; i < 5; i++) {
        save(c, "a", i);
        CHECK(load(c, "a", i) && tls_session_cache_count(c) == 1);
    }
    tls_session_cache_free(c);
    CHECK(tls_session_cache_new(0) == NULL);
    tls_session_cache_free(NULL);
}

TEST(out_of_memory)
{
    struct tls_session_cache *c;
    size_t before = mem_blocks();

    for (long i = 0; i < 2; i++) {
        mem_fail_at(i, 1);
        CHECK(tls_session_cache_new(5) == NULL);
        mem_fail_at(-1, 0);
    }
    CHECK_EQ(mem_blocks(), before);
    c = tls_session_cache_new(1000);
    mem_fail_at(0, 1);
    save(c, "a", 1);
    mem_fail_at(-1, 0);
    CHECK(!load(c, "a", 1));
    CHECK_EQ(tls_session_cache_count(c), 0);
    /* The table cannot grow: still every session is found. */
    for (unsigned i = 0; i < 300; i++) {
        mem_fail_at(1, 1000);
        save(c, "a", i);
        mem_fail_at(-1, 0);
    }
    for (unsigned i = 0; i < 300; i++)
        CHECK(load(c, "a", i));
    tls_session_cache_free(c);
    CHECK_EQ(mem_blocks(), before);
}

TEST_MAIN(RUN(bound_to_the_site), RUN(least_recently_used_goes_first), RUN(stays_within_its_bound),
          RUN(one_session), RUN(out_of_memory))
