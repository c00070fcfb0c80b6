/* SPDX-License-Identifier: MIT
 *
 * Paths and authorities in their comparable form, and what has none.
 */
#include "http/path.h"

#include "tests/unit/test.h"

#include <stdlib.h>

TEST(paths_are_normalised)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } cases[] = {
        {"/",                    "/"                   },
        {"/a",                   "/a"                  },
        {"/a/",                  "/a/"                 },
        {"/a?b/../c",            "/a"                  },
        {"/?",                   "/"                   },
        {"/.?",                  "/"                   },
        {"/a/b/c/./../../g",     "/a/g"                },
        {"/mid/content=5/../6",  "/mid/6"              },
        {"/a/.",                 "/a/"                 },
        {"/a/./",                "/a/"                 },
        {"/a/..",                "/"                   },
        {"/a/../",               "/"                   },
        {"/a/b/..",              "/a/"                 },
        {"/./a",                 "/a"                  },
        {"/...",                 "/..."                },
        {"/.a",                  "/.a"                 },
        {"/..a",                 "/..a"                },
        {"/a..",                 "/a.."                },
        {"//",                   "/"                   },
        {"//a",                  "/a"                  },
        {"/a//b///c",            "/a/b/c"              },
        {"/a//../b",             "/b"                  },
        {"/a/.//b",              "/a/b"                },
        {"/%61%2Db%2e%5F%7E",    "/a-b._~"             },
        {"/%2e",                 "/"                   },
        {"/a/%2e%2E/b",          "/b"                  },
        {"/a/.%2e",              "/"                   },
        {"/a/%2e./",             "/"                   },
        {"/%2f",                 "/%2F"                },
        {"/a%2fb%5cc%2f",        "/a%2Fb%5Cc%2F"       },
        {"/a%2f..b%2f...%2f.",   "/a%2F..b%2F...%2F."  },
        {"/a%252f..%252fb",      "/a%252f..%252fb"     },
        {"/a%2f..%2fb",          NULL                  },
        {"/a%2F%2e%2E/b",        NULL                  },
        {"/..%2fb",              NULL                  },
        {"/a/..%5cb",            NULL                  },
        {"/a%5C..",              NULL                  },
        {"/a\\b",                "/a\\b"               },
        {"/%c3%a9",              "/%C3%A9"             },
        {"/%252e%252e/",         "/%252e%252e/"        },
        {"/%25",                 "/%25"                },
        {"/%0a%0d%20%3f%23",     "/%0A%0D%20%3F%23"    },
        {"/a;b=c,d@e:f!$&'()*+", "/a;b=c,d@e:f!$&'()*+"},
        {"/a\\..\\b",            NULL                  },
        {"/..\\b",               NULL                  },
        {"",                     NULL                  },
        {"a",                    NULL                  },
        {"*",                    NULL                  },
        {"?",                    NULL                  },
        {"/..",                  NULL                  },
        {"/../",                 NULL                  },
        {"/../a",                NULL                  },
        {"/a/../..",             NULL                  },
        {"/a/../../b",           NULL                  },
        {"//..",                 NULL                  },
        {"/./..",                NULL                  },
        {"/%2e%2e",              NULL                  },
        {"/%2e%2e/a",            NULL                  },
        {"/a/%2e%2e/%2E%2E/b",   NULL                  },
        {"/%",                   NULL                  },
        {"/%2",                  NULL                  },
        {"/%2?",                 NULL                  },
        {"/%g0",                 NULL                  },
        {"/%0g",                 NULL                  },
        {"/%%30",                NULL                  },
        {"/%u0041",              NULL                  },
        {"/%00",                 NULL                  },
        {"/a%00.html",           NULL                  },
        {"/a b",                 NULL                  },
        {"/a#b",                 NULL                  },
        {"/a\tb",                NULL                  },
        {"/\xc3\xa9",            NULL                  },
        {"/\x7f",                NULL                  },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        struct writer w = writer_of(out, sizeof out - 1);
        bool fine = http_path_normalise(bytes_str(cases[i].in), &w);

        out[writer_len(&w)] = 0;
        if (!CHECK_STR(fine ? out : NULL, cases[i].out))
            printf("    of %s\n", cases[i].in);
    }
}

TEST(path_that_does_not_fit_is_refused)
{
    static const char in[] = "/abc/../def%20/x";

    for (size_t room = 0; room < 16; room++) {
        char *out = malloc(room + 1); /* of its own, so that a byte too many is seen */
        struct writer w = writer_of(out, room);

        CHECK_EQ(http_path_normalise(bytes_str(in), &w), room >= 9);
        free(out);
    }
}

/* Into a writer that holds something already. */
TEST(path_never_climbs_into_what_was_written_before)
{
    char out[64];
    struct writer w = writer_of(out, sizeof out);

    writer_str(&w, "/before");
    CHECK(http_path_normalise(bytes_str("/a/../b"), &w));
    CHECK_MEM(out, writer_len(&w), "/before/b", 9);
    CHECK(!http_path_normalise(bytes_str("/../b"), &w));
}

TEST(prefixes_end_with_a_segment)
{
    static const struct {
        const char *path, *prefix;
        bool is;
    } cases[] = {
        {"/api",      "/api",  true },
        {"/api/x",    "/api",  true },
        {"/apix",     "/api",  false},
        {"/ap",       "/api",  false},
        {"/api/",     "/api/", true },
        {"/api/x",    "/api/", true },
        {"/api",      "/api/", false},
        {"/",         "/",     true },
        {"/anything", "/",     true },
        {"/API",      "/api",  false},
        {"/api?x",    "/api",  true },
        {"/api%2Fx",  "/api",  false},
        {"/a/b/c",    "/a/b",  true },
        {"/a/bc",     "/a/b",  false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQ(http_path_has_prefix(bytes_str(cases[i].path), bytes_str(cases[i].prefix)),
                      cases[i].is))
            printf("    %s of %s\n", cases[i].prefix, cases[i].path);
}

TEST(authorities_are_taken_apart)
{
    static const struct {
        const char *in, *host; /* NULL: refused */
        uint16_t port;
        bool ipv6;
    } cases[] = {
        {"example.com",                                                       "example.com",      0,     false},
        {"EXAMPLE.Com.",                                                      "example.com",      0,     false},
        {"example.com:443",                                                   "example.com",      443,   false},
        {"example.com.:65535",                                                "example.com",      65535, false},
        {"example.com:",                                                      "example.com",      0,     false},
        {"a_b-c.d",                                                           "a_b-c.d",          0,     false},
        {"127.0.0.1:80",                                                      "127.0.0.1",        80,    false},
        {"[::1]",                                                             "::1",              0,     true },
        {"[::1]:8080",                                                        "::1",              8080,  true },
        {"[::1]:",                                                            "::1",              0,     true },
        {"[2001:0DB8:0:0:0:0:0:1]",                                           "2001:db8::1",      0,     true },
        {"[::ffff:127.0.0.1]",                                                "::ffff:127.0.0.1", 0,     true },
        {"",                                                                  NULL,               0,     false},
        {".",                                                                 NULL,               0,     false},
        {":80",                                                               NULL,               0,     false},
        {"a..",                                                               NULL,               0,     false},
        {"a..b",                                                              NULL,               0,     false},
        {".a",                                                                NULL,               0,     false},
        {"a:0",                                                               NULL,               0,     false},
        {"a:000000",                                                          NULL,               0,     false},
        {"a:65536",                                                           NULL,               0,     false},
        {"a:+1",                                                              NULL,               0,     false},
        {"a: 1",                                                              NULL,               0,     false},
        {"a:1 ",                                                              NULL,               0,     false},
        {"a:1:2",                                                             NULL,               0,     false},
        {"a b",                                                               NULL,               0,     false},
        {"u@a",                                                               NULL,               0,     false},
        {"a/b",                                                               NULL,               0,     false},
        {"a%41",                                                              NULL,               0,     false},
        {"a,b",                                                               NULL,               0,     false},
        {"a\"b",                                                              NULL,               0,     false},
        {"\xc3\xa9",                                                          NULL,               0,     false},
        {"::1",                                                               NULL,               0,     false},
        {"[",                                                                 NULL,               0,     false},
        {"[]",                                                                NULL,               0,     false},
        {"[::1",                                                              NULL,               0,     false},
        {"[::1]]",                                                            NULL,               0,     false},
        {"[::1]80",                                                           NULL,               0,     false},
        {"[::1]:0",                                                           NULL,               0,     false},
        {"[::1%lo]",                                                          NULL,               0,     false},
        {"[1.2.3.4]",                                                         NULL,               0,     false},
        {"[v7.x]",                                                            NULL,               0,     false},
        {"[1:2:3:4:5:6:7:8:9]",                                               NULL,               0,     false},
        {"[0000000000000000000000000000000000000000000000000000000000001::]", NULL,               0,     false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_authority a;
        bool fine = http_authority_parse(bytes_str(cases[i].in), &a);

        if (!CHECK_STR(fine ? a.host : NULL, cases[i].host) ||
            (fine && (!CHECK_EQ(a.port, cases[i].port) || !CHECK_EQ(a.is_ipv6, cases[i].ipv6))))
            printf("    of %s\n", cases[i].in);
    }
}

TEST(long_names)
{
    char name[400];
    struct http_authority a;

    for (size_t n = 1; n < sizeof name; n++) {
        memset(name, 'a', n);
        CHECK_EQ(http_authority_parse(bytes_of(name, n), &a), n <= 253);
        if (n <= 253)
            CHECK_EQ(strlen(a.host), n);
        name[n - 1] = '.';
        CHECK_EQ(http_authority_parse(bytes_of(name, n), &a), n > 1 && n <= 254);
    }
    CHECK(!http_authority_parse(bytes_of("a\0b", 3), &a));
    CHECK(!http_authority_parse(bytes_of("[::1\0]", 6), &a));
}

TEST(path_called_normal_is_normal)
{
    static const char *const targets[] = {
        "/",   "/a",   "/a/b?x=/../y",   "/?", "/a/", "//", "/./a", "/a/..", "/%61",
        "/a%", "/a//", "/.well-known/x", "*",  "x",   "",   "/a?%", "/...",  "/a.b/c."};
    unsigned normal = 0;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct bytes target = bytes_str(targets[i]);
        uint8_t room[64];
        struct writer w = writer_of(room, sizeof room);
        size_t len;
        if (!http_path_is_normal(target, &len))
            continue;
        normal++;
        CHECK(http_path_normalise(target, &w));
        CHECK_MEM(room, writer_len(&w), target.p, len);
    }
    CHECK_EQ(normal, 7);
}

TEST_MAIN(RUN(paths_are_normalised), RUN(path_called_normal_is_normal),
          RUN(path_that_does_not_fit_is_refused), RUN(path_never_climbs_into_what_was_written_before),
          RUN(prefixes_end_with_a_segment), RUN(authorities_are_taken_apart), RUN(long_names))
