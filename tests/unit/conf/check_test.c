/* SPDX-License-Identifier: MIT
 *
 * What statements do to each other: names and paths given twice, what is missing, TLS and where it is listened.
 */
#include "tests/unit/conf/support.h"

#include <stdlib.h>
#include <unistd.h>

TEST(names_twice)
{
    static const struct conf_case cases[] = {
        {"site a.example b.example { upstream 1 }\nsite B.example { upstream 1 }",
         "t:2:6: site: b.example is given twice; the first is at t:1:16"                 },
        {"site a.example a.example { upstream 1 }",
         "t:1:16: site: a.example is given twice; the first is at t:1:6"                 },
        {"site ::1 { upstream 1 }\nsite [0::1] { upstream 1 }",
         "t:2:6: site: ::1 is given twice; the first is at t:1:6"                        },
        {"site *.a.example { upstream 1 }\nsite a.example b.a.example { upstream 1 }", ""},
        {"site a.example default { upstream 1 }\nsite default { upstream 1 }",
         "t:2:6: site: default is given twice; the first is at t:1:16"                   },
        {"site { upstream 1 }\nsite a.example { upstream 1 }",
         "t:1:1: site: no name, and it is not the only site; write its names, or default"},
    };
    check_cases(cases, COUNT(cases));
}

TEST(the_default_site)
{
    struct conf *c = conf_of("site a.example { upstream 1 }");

    CHECK(c != NULL && c->sites[0].is_default);
    conf_unref(c);
    c = conf_of("site { upstream 1 }");
    CHECK(c != NULL && c->sites[0].is_default && c->sites[0].name_count == 0);
    conf_unref(c);
    c = conf_of("site a.example { upstream 1 }\nsite b.example { upstream 1 }");
    CHECK(c != NULL && !c->sites[0].is_default && !c->sites[1].is_default);
    conf_unref(c);
    c = conf_of("site a.example { upstream 1 }\nsite default b.example { upstream 1 }");
    CHECK(c != NULL && !c->sites[0].is_default && c->sites[1].is_default);
    conf_unref(c);
}

TEST(what_is_missing)
{
    static const struct conf_case cases[] = {
        {"",                                                          "t: no site; add one: site example.com { upstream 127.0.0.1:8000 }"},
        {"log text",                                                  "t: no site; add one: site example.com { upstream 127.0.0.1:8000 }"},
 /* What was wrong may be what is missing. */
        {"log x",                                                     "t:1:5: log: 'x' is none of [format] text|json|combined|off"       },
        {"site a.example { }",
         "t:1:1: site: nothing to do; it needs upstream ADDR, redirect TARGET or respond STATUS"                                         },
        {"site a.example { path /a { respond 200 } }",
         "t:1:1: site: nothing to do; it needs upstream ADDR, redirect TARGET or respond STATUS"                                         },
        {"site a.example { path / { header set A b } }",
         "t:1:18: path: nothing to do for /; it needs upstream, redirect or respond, or its site does"                                   },
        {"site a.example { respond 200; path / { header set A b } }", ""                                                                 },
        {"site a.example { upstream x }",                             "t:1:27: upstream: 'x' has no port; write x:8080"                  },
    };
    check_cases(cases, COUNT(cases));
}

TEST(paths_twice)
{
    static const struct conf_case cases[] = {
        {"site { upstream 1; path /a { respond 200 } path /b { respond 200 }\npath /%61 { respond 201 } }",
         "t:2:1: path: /a is given twice; the first is at t:1:20"                                             },
        {"site { upstream 1; path / { respond 200 } }",
         "t:1:20: path: / is all of the site, and it has upstream at t:1:8 already; one of them is enough"    },
        {"site { upstream 1; path /a { respond 200 } path /a/ { respond 200 } }",                           ""},
    };
    check_cases(cases, COUNT(cases));
}

TEST(tls_and_where_it_is_listened)
{
    static const struct conf_case cases[] = {
        {"listen 443\nsite a.example { upstream 1; tls off }\nsite b.example { upstream 1 }",
         "t:2:30: tls: a site with tls off, and no address for plain HTTP; add listen-http :80" },
        {"listen 443\nlisten-http 80\nsite a.example { upstream 1; tls off }",
         "t:1:1: listen: HTTPS, and all sites have tls off; write listen-http"                  },
        {"listen-http 80\nsite a.example { upstream 1; tls off }",                            ""},
    };
    check_cases(cases, COUNT(cases));
}

TEST(the_state_folder)
{
    const char *home = getenv("HOME");
    char kept[256], expected[300];
    struct conf *c;

    snprintf(kept, sizeof kept, "%s", home != NULL ? home : "/");
    setenv("XDG_STATE_HOME", "/x/state", 1);
    c = conf_of("site { upstream 1 }");
    if (access("/state", F_OK) == 0)
        CHECK_STR(c->state, "/state");
    else
        CHECK_STR(c->state, geteuid() == 0 ? "/var/lib/proxy" : "/x/state/proxy");
    snprintf(expected, sizeof expected, "unix:%s/control.sock", c->state);
    CHECK_STR(c->admin, expected);
    conf_unref(c);

    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "/h", 1);
    c = conf_of("site { upstream 1 }");
    if (access("/state", F_OK) != 0 && geteuid() != 0)
        CHECK_STR(c->state, "/h/.local/state/proxy");
    conf_unref(c);

    unsetenv("HOME");
    c = conf_of("site { upstream 1 }");
    if (access("/state", F_OK) != 0 && geteuid() != 0) {
        CHECK_STR(c->state, NULL);
        CHECK_STR(c->admin, "off");
    }
    conf_unref(c);
    setenv("HOME", kept, 1);

    /* Too long for a socket. */
    c = conf_of(
        "state /1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
        "567890\nsite { upstream 1 }");
    CHECK_STR(c->admin, "off");
    conf_unref(c);
}

TEST(many_sites)
{
    static char text[1 << 18];
    struct conf_errors *e = conf_errors_new();
    struct conf *c;
    size_t n = 0;

    for (unsigned i = 0; i < 4000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "site s%u.example { upstream 1 }\n", 3999 - i);
    c = conf_parse("t", bytes_of(text, n), NULL, e);
    CHECK(c != NULL && c->site_count == 4000);
    if (c != NULL)
        CHECK_STR(c->sites[3999].names[0].text, "s0.example");
    conf_unref(c);
    conf_errors_free(e);
}

TEST_MAIN(RUN(names_twice), RUN(the_default_site), RUN(what_is_missing), RUN(paths_twice),
          RUN(tls_and_where_it_is_listened), RUN(the_state_folder), RUN(many_sites))
