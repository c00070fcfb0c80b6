/* SPDX-License-Identifier: MIT
 *
 * Statements and blocks: what goes on after an error, and that everything wrong is told in one run.
 */
#include "tests/unit/conf/support.h"

#define SITE "site a.example { upstream 1 }\n"

TEST(shapes)
{
    static const struct conf_case cases[] = {
        {"site a.example\n{\n  upstream 1\n}",                                    ""},
        {"site a.example\n\n# and then\n{ upstream 1 }",                          ""},
        {"site a.example{upstream 1;}",                                           ""},
        {"site a.example {upstream 1} site b.example {upstream 1}",               ""},
        {";;site a.example { ; upstream 1 ; ; };",                                ""},
        {"site a.example { upstream 1 \\\n 2 \\\r\n 3 }",                         ""},
        {"site a.example { path /a { respond 200 } upstream 1 }\r\nlog json\r\n", ""},
        {"\"site\" \"a.example\" { \"upstream\" \"1\" }",                         ""},
        {SITE "log text #}",                                                      ""},
    };
    check_cases(cases, COUNT(cases));
}

TEST(wrong_shapes)
{
    static const struct conf_case cases[] = {
        {"site a.example { upstream 1",                               "t:1:16: site: its block has no '}'"                                           },
        {"site a.example { path / { upstream 1 }",                    "t:1:16: site: its block has no '}'"                                           },
        {SITE "}",                                                    "t:2:1: '}' without its '{'"                                                   },
        {SITE "{ log text\n{ } }\nlog xml",                           "t:2:1: a block without a directive before it\n"
                                            "t:4:5: log: 'xml' is none of [format] text|json|combined|off"},
        {"site a.example",                                            "t:1:1: site: its block is missing; site NAME... { ... }"                      },
        {SITE "log text { x }\nlog xml",                              "t:2:10: log: takes no block; log [format] text|json|combined|off\n"
                                         "t:3:5: log: 'xml' is none of [format] text|json|combined|off"      },
        {"site a.example { upstream 1; path { respond 200 } }",
         "t:1:30: path: a value is missing; path /PREFIX { ... }"                                                                                    },
        {"site a.example { upstream 1; path /a /b { respond 200 } }",
         "t:1:38: path: '/b' is too much; path /PREFIX { ... }"                                                                                      },
        {SITE "log a\"b c\nlog-level x",                              "t:2:6: a quote inside a word; the quotes go around the whole word\n"
                                         "t:3:11: log-level: 'x' is none of error|warn|info|debug"           },
    };
    check_cases(cases, COUNT(cases));
}

TEST(unknown_directives)
{
    static const struct conf_case cases[] = {
        {SITE "lisen 443",                                         "t:2:1: lisen: unknown directive; did you mean 'listen'?"                  },
        {SITE "max-conections 443",
         "t:2:1: max-conections: unknown directive; did you mean 'max-connections'?"                                                          },
        {SITE "proxy_pass x",                                      "t:2:1: proxy_pass: unknown directive; --help-config lists those there are"},
        {SITE "x y",                                               "t:2:1: x: unknown directive; --help-config lists those there are"         },
 /* Blocks of unknown directives are passed over, */
        {SITE "server {\n location / { a \"}\" ; # }\n } } lgo x",
         "t:2:1: server: unknown directive; --help-config lists those there are\n"
         "t:4:6: lgo: unknown directive; did you mean 'log'?"                                                                                 },
        {SITE "server { {",                                        "t:2:1: server: unknown directive; --help-config lists those there are"    },
 /* but not those of misspelt ones. */
        {"sit a.example {\n upstrem 1\n respond x\n}",
         "t:1:1: sit: unknown directive; did you mean 'site'?\n"
         "t:2:2: upstrem: unknown directive; did you mean 'upstream'?\n"
         "t:3:10: respond: 'x' is not a status; write a number such as 404"                                                                   },
 /* One that exists elsewhere. */
        {"site a.example { upstream 1; lissten 443 }",
         "t:1:30: lissten: unknown directive; did you mean 'listen'?"                                                                         },
    };
    check_cases(cases, COUNT(cases));
}

TEST(wrong_places)
{
    static const struct conf_case cases[] = {
        {SITE "upstream 1",
         "t:2:1: upstream: cannot stand at the top of the file; it belongs in a site or a path"        },
        {SITE "path /a {\n upstream x }\nlog x",
         "t:2:1: path: cannot stand at the top of the file; it belongs in a site\n"
         "t:4:5: log: 'x' is none of [format] text|json|combined|off"                                  },
        {"site a.example { upstream 1; listen 1 }",
         "t:1:30: listen: cannot stand in a site; it belongs at the top of the file"                   },
        {"site a.example { upstream 1; site b.example { } }",
         "t:1:30: site: cannot stand in a site; it belongs at the top of the file"                     },
        {"site a.example { upstream 1; path /a { respond 200; idle-timeout 1 } }",
         "t:1:53: idle-timeout: cannot stand in a path; it belongs at the top of the file or in a site"},
        {"site a.example { upstream 1; path /a { path /b { respond 200 } } }",
         "t:1:40: path: cannot stand in a path; it belongs in a site"                                  },
    };
    check_cases(cases, COUNT(cases));
}

TEST(twice)
{
    static const struct conf_case cases[] = {
        {SITE "log text\nlog json",                                                                      "t:3:1: log: is given twice; the first is at t:2:1"},
        {"site a.example { upstream 1; tls off; tls off }",
         "t:1:39: tls: is given twice; the first is at t:1:30"                                                                                              },
        {"site a.example { idle-timeout 1; upstream 1; idle-timeout 1 }",
         "t:1:46: idle-timeout: is given twice; the first is at t:1:18"                                                                                     },
        {"site a.example { respond 200; respond 200 }",
         "t:1:31: respond: is given twice; the first is at t:1:18"                                                                                          },
        {"site a.example { upstream 1; redirect /a }",
         "t:1:30: redirect: there is upstream at t:1:18 already; one of them is enough"                                                                     },
        {"site a.example { respond 200; upstream 1\nupstream 2 }",
         "t:1:31: upstream: there is respond at t:1:18 already; one of them is enough\n"
         "t:2:1: upstream: there is respond at t:1:18 already; one of them is enough"                                                                       },
 /* Both of these add up. */
        {"site a.example { upstream 1; upstream 2 3; header set A b; header set A b }",                  ""                                                 },
        {"site a.example { idle-timeout 1; upstream 1 }\nsite b.example { idle-timeout 1; upstream 1 }", ""                                                 },
    };
    check_cases(cases, COUNT(cases));
}

TEST(hostile_nesting_costs_no_stack)
{
    static char text[1 << 19];
    struct conf_errors *e = conf_errors_new();

    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, i == 0 ? "x " : "{ ", 2);
    CHECK(conf_parse("t", bytes_of(text, sizeof text - 2), NULL, e) == NULL);
    CHECK_STR(errors_text(e), "t:1:1: x: unknown directive; --help-config lists those there are");
    conf_errors_free(e);
}

TEST(errors_have_an_end)
{
    static char text[1 << 16];
    struct conf_errors *e = conf_errors_new();

    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "x\n", 2);
    CHECK(conf_parse("t", bytes_of(text, sizeof text - 2), NULL, e) == NULL);
    CHECK_EQ(conf_errors_count(e), 101);
    CHECK_STR(conf_errors_text(e, 99), "t:100:1: x: unknown directive; --help-config lists those there are");
    CHECK_STR(conf_errors_text(e, 100), "there are more errors; these are the first");
    conf_errors_free(e);
}

/* Places in several files, options, arguments, and none. */
TEST(errors_say_where)
{
    struct conf_errors *e = conf_errors_new();

    conf_error(e, (struct conf_place){"f", 2, 1}, "tls", "a");
    conf_error(e, (struct conf_place){"f", 1, 9}, NULL, "b %d", 7);
    conf_error(e, (struct conf_place){"f", 0, 0}, NULL, "c");
    conf_error(e, (struct conf_place){"", 0, 0}, "listen", "d");
    conf_error(e, (struct conf_place){"", 0, 0}, "tls", "e\x1b[31m");
    conf_error(e, (struct conf_place){"", 3, 0}, "upstream", "g");
    conf_error(e, (struct conf_place){NULL, 0, 0}, "listen", "h");
    CHECK_STR(errors_text(e), "f: c\nf:1:9: b 7\nf:2:1: tls: a\n--listen: d\ntls: e?[31m\n"
                              "argument 3: upstream: g\nlisten: h");
    conf_errors_free(e);
    conf_errors_free(NULL);
}

TEST_MAIN(RUN(shapes), RUN(wrong_shapes), RUN(unknown_directives), RUN(wrong_places), RUN(twice),
          RUN(hostile_nesting_costs_no_stack), RUN(errors_have_an_end), RUN(errors_say_where))
