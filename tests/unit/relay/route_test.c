/* SPDX-License-Identifier: MIT
 *
 * Host and path to site and action.
 */
#include "relay/route.h"

#include "tests/unit/test.h"

static struct conf_name exact[] = {
    {{"", 0, 0}, "example.com"    },
    {{"", 0, 0}, "www.example.com"}
};
static struct conf_name wild[] = {
    {{"", 0, 0}, "*.example.com"}
};
static struct conf_name other[] = {
    {{"", 0, 0}, "other.test"}
};

TEST(exact_goes_before_wildcard_before_default)
{
    struct conf_site sites[] = {
        {.names = wild,       .name_count = 1},
        {              .names = exact,    .name_count = 2               },
        { .names = other, .name_count = 1,                .is_default = true},
    };
    struct conf conf = {.sites = sites, .site_count = 3};

    CHECK(route_site(&conf, "example.com") == &sites[1]);
    CHECK(route_site(&conf, "www.example.com") == &sites[1]);
    CHECK(route_site(&conf, "api.example.com") == &sites[0]);
    CHECK(route_site(&conf, "a.b.example.com") == &sites[2]);
    CHECK(route_site(&conf, ".example.com") == &sites[2]);
    CHECK(route_site(&conf, "192.0.2.1") == &sites[2]);
    CHECK(route_site(&conf, "") == &sites[2]);
    sites[2].is_default = false;
    CHECK(route_site(&conf, "192.0.2.1") == NULL);
    CHECK(route_site(&conf, "") == NULL);
}

TEST(sole_site_answers_every_host)
{
    struct conf_site sites[] = {
        {.names = exact, .name_count = 2}
    };
    struct conf conf = {.sites = sites, .site_count = 1};

    CHECK(route_site(&conf, "192.0.2.1") == &sites[0]);
    CHECK(route_site(&conf, "") == &sites[0]);
}

TEST(longest_prefix_wins_at_a_segments_end)
{
    struct conf_path paths[] = {{.prefix = "/api/v2"}, {.prefix = "/api"}, {.prefix = "/"}};
    struct conf_site site = {.paths = paths, .path_count = 3};

    CHECK(route_path(&site, bytes_str("/api/v2/x")) == &paths[0]);
    CHECK(route_path(&site, bytes_str("/api/v2")) == &paths[0]);
    CHECK(route_path(&site, bytes_str("/api/v20")) == &paths[1]);
    CHECK(route_path(&site, bytes_str("/apix")) == &paths[2]);
    CHECK(route_path(&site, bytes_str("/")) == &paths[2]);
}

static const char *loosely(const char *path)
{
    static char text[128];
    struct writer w;

    snprintf(text, sizeof text, "%s", path);
    w = writer_of(text, strlen(path));
    if (!route_read_loosely(bytes_of(text, strlen(path)), &w))
        return "no";
    text[writer_len(&w)] = 0;
    return text;
}

TEST(every_slash_and_every_end_of_a_segment_counts_in_the_loose_reading)
{
    CHECK_STR(loosely("/"), "/");
    CHECK_STR(loosely("/a/b"), "/a/b");
    CHECK_STR(loosely("/a%2Fb%5Cc\\d"), "/a/b/c/d");
    CHECK_STR(loosely("/a;b/c%3Bd/e"), "/a/c/e");
    CHECK_STR(loosely("/%2F;/\\a%2F"), "/a");
    CHECK_STR(loosely("/;a"), "/");
    CHECK_STR(loosely("/a%252Fb"), "/a%252Fb");
    CHECK_STR(loosely("/..."), "/...");
    CHECK_STR(loosely("/a/..;b/c"), "no");
    CHECK_STR(loosely("/a%2F.."), "no");
    CHECK_STR(loosely("/a/.%3Bx"), "no");
    CHECK_STR(loosely("/a\\..\\b"), "no");
}

TEST(dots_and_plain_targets_are_told)
{
    CHECK(route_is_plain(bytes_str("/a/../b?c;d%2f")));
    CHECK(!route_is_plain(bytes_str("/a;b")) && !route_is_plain(bytes_str("/%2f")) &&
          !route_is_plain(bytes_str("/%5C")) && !route_is_plain(bytes_str("/%3B")) &&
          route_is_plain(bytes_str("/%41%2")) && !route_is_plain(bytes_str("/\\")));
    CHECK(route_has_dots(bytes_str("/a/../b")) && route_has_dots(bytes_str("/.")) &&
          route_has_dots(bytes_str("/%2E%2e?x")));
    CHECK(route_has_dots(bytes_str("/.%2e")) && route_has_dots(bytes_str("/./x")));
    CHECK(!route_has_dots(bytes_str("/...")) && !route_has_dots(bytes_str("/.a/b.")) &&
          !route_has_dots(bytes_str("/a?/../")));
    CHECK(!route_has_dots(bytes_str("/..;/a")) && !route_has_dots(bytes_str("/%2")) &&
          !route_has_dots(bytes_str("/%2f")));
}

TEST_MAIN(RUN(exact_goes_before_wildcard_before_default), RUN(sole_site_answers_every_host),
          RUN(longest_prefix_wins_at_a_segments_end),
          RUN(every_slash_and_every_end_of_a_segment_counts_in_the_loose_reading),
          RUN(dots_and_plain_targets_are_told))
