/* SPDX-License-Identifier: MIT
 *
 * A configuration's life: references, files, and every allocation that can fail while it is made.
 */
#include "tests/unit/conf/support.h"

#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

TEST(is_counted)
{
    size_t blocks = mem_blocks();
    struct conf *c = conf_of("site { respond 200 }");

    if (c == NULL)
        return;
    CHECK(conf_ref(c) == c);
    conf_unref(c);
    CHECK_EQ(c->sites[0].paths[0].status, 200);
    conf_unref(c);
    conf_unref(NULL);
    CHECK_EQ(mem_blocks(), blocks);
}

TEST(is_read_from_a_file)
{
    char folder[] = "/tmp/conf-test-XXXXXX", path[64];
    char *argv[] = {"proxy", "--config", path};
    struct conf_errors *e = conf_errors_new();
    struct conf_options *o;
    struct conf *c;

    if (!CHECK(mkdtemp(folder) != NULL))
        return;
    snprintf(path, sizeof path, "%s/proxy.conf", folder);
    CHECK_EQ(
        state_write(folder, "proxy.conf", 0600, bytes_str("state st\nsite { upstream 1; tls cert c key k }")),
        0);
    o = conf_options_parse(3, argv, e);
    c = o != NULL ? conf_load(o, e) : NULL;
    CHECK_STR(errors_text(e), "");
    if (CHECK(c != NULL)) {
        char expected[64];

        snprintf(expected, sizeof expected, "%s/c", folder);
        CHECK_STR(c->file, path);
        CHECK_STR(c->sites[0].cert_file, expected);
        snprintf(expected, sizeof expected, "%s/st", folder);
        CHECK_STR(c->state, expected);
    }
    conf_unref(c);
    /* Reading it again is a reload; an error in it gives none. */
    CHECK_EQ(state_write(folder, "proxy.conf", 0600, bytes_str("site { upstream x }")), 0);
    CHECK(o == NULL || conf_load(o, e) == NULL);
    CHECK_EQ(conf_errors_count(e), 1);
    conf_options_free(o);
    conf_errors_free(e);
    unlink(path);
    rmdir(folder);
}

TEST(every_allocation_may_fail)
{
    static const char text[] =
        "listen 1 2 3; listen-http 4\ntrusted-proxies 10.0.0.0/8 ::1\nadmin 2019; user x; state s\n"
        "site a.example b.example { upstream app:1 http://b 3; header set A b; tls cert c key k\n"
        "  path /a { redirect /b{uri}; header add C d; request-header remove E } path /x { respond 200 y } }\n"
        "site default { respond 404 }\n";
    char *argv[] = {"proxy", "--listen", "5", "c.example=app:1", "--cert", "c", "--key", "k", "--log", "off"};
    size_t blocks = mem_blocks();
    unsigned failures = 0;
    bool done = false;

    for (long at = 0; !done && at < 100000; at++) {
        struct conf_errors *e = conf_errors_new();
        struct conf_options *o;
        struct conf *c = NULL;

        mem_fail_at(at, 1);
        o = conf_options_parse(10, argv, e);
        if (o != NULL)
            c = conf_parse("t", bytes_str(text), o, e);
        mem_fail_at(-1, 0);
        done = c != NULL;
        if (!done) {
            failures++;
            CHECK(conf_errors_count(e) > 0);
            CHECK(strstr(errors_text(e), "out of memory") != NULL);
        } else {
            CHECK_EQ(c->site_count, 3);
        }
        conf_unref(c);
        conf_options_free(o);
        conf_errors_free(e);
    }
    CHECK(done && failures > 5);
    CHECK_EQ(mem_blocks(), blocks);
}

/* Errors are told without memory too. */
TEST(every_allocation_of_an_error_may_fail)
{
    static const char text[] = "x y; listen z 99999\nsite a { upstream b }\nlog \"";
    size_t blocks = mem_blocks();

    for (long at = 0; at < 40; at++) {
        struct conf_errors *e = conf_errors_new();

        mem_fail_at(at, 3);
        CHECK(conf_parse("t", bytes_str(text), NULL, e) == NULL);
        mem_fail_at(-1, 0);
        CHECK(conf_errors_count(e) > 0);
        CHECK(errors_text(e)[0] != 0);
        conf_errors_free(e);
    }
    CHECK_EQ(mem_blocks(), blocks);
}

TEST_MAIN(RUN(is_counted), RUN(is_read_from_a_file), RUN(every_allocation_may_fail),
          RUN(every_allocation_of_an_error_may_fail))
