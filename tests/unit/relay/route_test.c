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

TEST_MAIN(RUN(exact_goes_before_wildcard_before_default), RUN(sole_site_answers_every_host),
          RUN(longest_prefix_wins_at_a_segments_end))
