/* SPDX-License-Identifier: MIT
 *
 * What stands in a site: names, paths, what is done, certificates, header operations.
 */
#include "tests/unit/conf/support.h"

TEST(names)
{
    struct conf *c =
        conf_of("site Example.COM www.example.com. *.Example.com 192.0.2.1 [2001:DB8::1] ::1 a_b localhost "
                "default xn--mnchen-3ya.de { upstream 1 }\nsite b.example { upstream 1 }");
    static const char *const good[] = {"example.com", "www.example.com", "*.example.com",
                                       "192.0.2.1",   "2001:db8::1",     "::1",
                                       "a_b",         "localhost",       "xn--mnchen-3ya.de"};

    if (c == NULL)
        return;
    CHECK_EQ(c->site_count, 2);
    CHECK_EQ(c->sites[0].name_count, COUNT(good));
    for (unsigned i = 0; i < COUNT(good) && i < c->sites[0].name_count; i++)
        CHECK_STR(c->sites[0].names[i].text, good[i]);
    CHECK(c->sites[0].is_default && !c->sites[1].is_default);
    CHECK_EQ(c->sites[0].place.column, 1);
    CHECK_EQ(c->sites[0].names[1].place.column, 18);
    conf_unref(c);
}

TEST(what_is_no_name)
{
    static const struct conf_case cases[] = {
        {"https://a.example",                                                  "'https://a.example' is a URL; write its host name alone"         },
        {"a.example:80",                                                       "'a.example:80' is not a name; a port belongs to listen"          },
        {"a.example/x",                                                        "'a.example/x' is not a name; a path belongs inside the site"     },
        {"*",                                                                  "'*' is not a name; the site for all other names is default"      },
        {"_",                                                                  "'_' is not a name; the site for all other names is default"      },
        {"a.*.b",                                                              "'a.*.b' has its * in the wrong place; write *.example.com"       },
        {"*.1",                                                                "'*.1' has its * in the wrong place; write *.example.com"         },
        {"*.*.a",                                                              "'*.*.a' has its * in the wrong place; write *.example.com"       },
        {"1.2.3",                                                              "'1.2.3' is neither a host name nor an IP address"                },
        {"m\xc3\xbcnchen.de",                                                  "'m\xc3\xbcnchen.de' is not in DNS's letters; write it as xn--..."},
        {"a-.b",                                                               "'a-.b' is neither a host name nor an IP address"                 },
        {".a",                                                                 "'.a' is neither a host name nor an IP address"                   },
        {"\"a b\"",                                                            "'a b' is neither a host name nor an IP address"                  },
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b",
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b' is neither a host name nor an IP "
         "address"                                                                                                                               },
        {"\"\"",                                                               "'' is neither a host name nor an IP address"                     },
    };
    check_values("\nsite ", " { upstream 1 }", 6, cases, COUNT(cases));
}

TEST(paths)
{
    struct conf *c =
        conf_of("site {\n upstream 1\n header set A 1\n request-header set R 1\n"
                " path /a { respond 200; header add B 2 }\n path /long/%7euser//x/./y { redirect /z }\n"
                " path /b { header remove C }\n header set A 9\n}");
    const struct conf_path *p;

    if (c == NULL)
        return;
    p = c->sites[0].paths;
    CHECK_EQ(c->sites[0].path_count, 4);
    CHECK_STR(p[0].prefix, "/long/~user/x/y");
    CHECK_EQ(p[0].action, CONF_ACTION_REDIRECT);
    CHECK_STR(p[1].prefix, "/a");
    CHECK_EQ(p[1].action, CONF_ACTION_RESPOND);
    /* The site's operations, all of them, then the path's. */
    CHECK_EQ(p[1].response_headers.n, 3);
    CHECK_STR(p[1].response_headers.ops[1].value, "9");
    CHECK_STR(p[1].response_headers.ops[2].name, "B");
    CHECK_EQ(p[1].response_headers.ops[2].verb, CONF_HEADER_ADD);
    CHECK_EQ(p[1].request_headers.n, 1);
    /* Without an action it does what the site does. */
    CHECK_STR(p[2].prefix, "/b");
    CHECK_EQ(p[2].action, CONF_ACTION_UPSTREAM);
    CHECK_EQ(p[2].upstream.n, 1);
    CHECK_EQ(p[2].response_headers.ops[2].verb, CONF_HEADER_REMOVE);
    CHECK_STR(p[3].prefix, "/");
    CHECK_EQ(p[3].response_headers.n, 2);
    conf_unref(c);
}

TEST(a_path_may_be_all_of_the_site)
{
    struct conf *c = conf_of("site { path / { respond 200 x } header set A 1; path /b { upstream 1 } }");

    if (c == NULL)
        return;
    CHECK_EQ(c->sites[0].path_count, 2);
    CHECK_STR(c->sites[0].paths[1].prefix, "/");
    CHECK_EQ(c->sites[0].paths[1].action, CONF_ACTION_RESPOND);
    CHECK_EQ(c->sites[0].paths[1].response_headers.n, 1);
    conf_unref(c);
}

TEST(what_is_no_path)
{
    static const struct conf_case cases[] = {
        {"api",      "'api' does not begin with /; write /api"        },
        {"/a?b",     "'/a?b' is not a path; a prefix has no ?, # or *"},
        {"/a/*",     "'/a/*' is not a path; a prefix has no ?, # or *"},
        {"/../a",    "'/../a' is not a path that a request can have"  },
        {"/%zz",     "'/%zz' is not a path that a request can have"   },
        {"\"/a b\"", "'/a b' is not a path that a request can have"   },
    };
    check_values("site { upstream 1\npath ", " { respond 200 } }", 6, cases, COUNT(cases));
}

TEST(redirects)
{
    static const struct conf_case cases[] = {
        {"https://b.example{uri}",           ""                                                            },
        {"301 /new",                         ""                                                            },
        {"307 http://b.example/?from={uri}", ""                                                            },
        {"305 /new",                         "status 305 redirects nobody; write 301, 302, 303, 307 or 308"},
        {"310 /new",                         "status 310 redirects nobody; write 301, 302, 303, 307 or 308"},
        {"200 /new",                         "status 200 is not between 300 and 399"                       },
        {"to /new",                          "'to' is not a status; write a number such as 308"            },
    };
    static const struct conf_case targets[] = {
        {"b.example",              "'b.example' is no target; write https://example.com{uri}, or a path with its /"},
        {"/{host}",                "'/{host}' has a brace that is not of {uri}, the one placeholder"               },
        {"\"/a b\"",               "'/a b' holds what no URL may; percent-encode it"                               },
        {"\"/a\\nSet-Cookie: x\"", "'/a?Set-Cookie: x' holds what no URL may; percent-encode it"                   },
        {"/\xc3\xa4",              "'/\xc3\xa4' holds what no URL may; percent-encode it"                          },
        {"\"\"",                   "'' is no target; write https://example.com{uri}, or a path with its /"         },
    };
    struct conf *c = conf_of("site { redirect https://b.example{uri} }");

    check_values("site {\nredirect ", "\n}", 10, cases, COUNT(cases));
    check_values("site {\nredirect ", "\n}", 10, targets, COUNT(targets));
    if (c == NULL)
        return;
    CHECK_EQ(c->sites[0].paths[0].status, 308);
    CHECK_STR(c->sites[0].paths[0].text, "https://b.example{uri}");
    conf_unref(c);
}

TEST(responses)
{
    static const struct conf_case cases[] = {
        {"200",                  ""                                                  },
        {"204",                  ""                                                  },
        {"503 \"back at noon\"", ""                                                  },
        {"199",                  "status 199 is not between 200 and 599"             },
        {"600",                  "status 600 is not between 200 and 599"             },
        {"0404",                 "'0404' is not a status; write a number such as 404"},
        {"ok",                   "'ok' is not a status; write a number such as 404"  },
    };
    static const struct conf_case texts[] = {
        {"204 x",    "a response with status 204 has no text"},
        {"304 \"\"", "a response with status 304 has no text"},
        {"200 a b",  "'b' is too much; respond STATUS [TEXT]"}
    };
    struct conf *c = conf_of("site { respond 200 }");

    check_values("site {\nrespond ", "\n}", 9, cases, COUNT(cases));
    check_values("site {\nrespond ", "\n}", 13, texts, 2);
    check_values("site {\nrespond ", "\n}", 15, texts + 2, 1);
    CHECK_STR(c != NULL ? c->sites[0].paths[0].text : NULL, "");
    conf_unref(c);
}

TEST(certificates)
{
    static const struct conf_case cases[] = {
        {"self-signed",     ""                                                             },
        {"off",             ""                                                             },
        {"key a cert b",    ""                                                             },
        {"on",              "'on' is none of acme | self-signed | off | cert FILE key FILE"},
        {"cert a key",      "key without its file; tls cert FILE key FILE"                 },
        {"cert a cert b",   "cert is given twice; tls cert FILE key FILE"                  },
        {"cert a chain b",  "'chain' is neither cert nor key; tls cert FILE key FILE"      },
        {"cert a",          "a cert without its key; tls cert FILE key FILE"               },
        {"key a",           "a key without its cert; tls cert FILE key FILE"               },
        {"cert \"\" key b", "an empty name; write the path of a file"                      },
        {"off on",          "'on' is too much; tls off"                                    },
    };
    static const unsigned columns[] = {5, 5, 5, 5, 12, 12, 12, 1, 1, 10, 9};

    for (size_t i = 0; i < COUNT(cases); i++)
        check_values("site { upstream 1\ntls ", "\n}", columns[i], &cases[i], 1);
}

TEST(certificate_files_are_beside_the_configuration)
{
    static const char text[] = "site { upstream 1; tls cert a/b.pem key /c.key }";
    static const struct {
        const char *file, *cert;
    } cases[] = {
        {"/etc/proxy.conf", "/etc/a/b.pem"},
        {"proxy.conf",      "a/b.pem"     },
        {"x/../p.conf",     "x/../a/b.pem"}
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_errors *e = conf_errors_new();
        struct conf *c = conf_parse(cases[i].file, bytes_str(text), NULL, e);

        if (CHECK(c != NULL)) {
            CHECK_EQ(c->sites[0].tls, CONF_TLS_FILES);
            CHECK_STR(c->sites[0].cert_file, cases[i].cert);
            CHECK_STR(c->sites[0].key_file, "/c.key");
            CHECK_EQ(c->sites[0].tls_place.column, 20);
            CHECK_STR(c->file, cases[i].file);
        }
        conf_unref(c);
        conf_errors_free(e);
    }
}

TEST(header_operations)
{
    static const struct {
        const char *text, *errors;
        unsigned column;
    } cases[] = {
        {"set X-A \"\"",             "",                                                               0 },
        {"set Host a",               "",                                                               0 },
        {"drop X",                   "'drop' is none of set, add, remove",                             8 },
        {"set X",                    "set without a value; header set NAME VALUE",                     1 },
        {"remove X y",               "'y' is too much; remove takes a name alone",                     17},
        {"set X: y",                 "'X:' ends with a colon; write X",                                12},
        {"set \"X Y\" y",            "'X Y' is not the name of a header field",                        12},
        {"set \"\" y",               "'' is not the name of a header field",                           12},
        {"set content-length 3",     "content-length frames the message; the proxy sets it itself",    12},
        {"remove Transfer-Encoding", "Transfer-Encoding frames the message; the proxy sets it itself", 15},
        {"add Connection close",     "Connection frames the message; the proxy sets it itself",        12},
        {"add Keep-Alive x",         "Keep-Alive frames the message; the proxy sets it itself",        12},
        {"add Upgrade x",            "Upgrade frames the message; the proxy sets it itself",           12},
        {"add Trailer x",            "Trailer frames the message; the proxy sets it itself",           12},
        {"add HTTP2-Settings x",     "HTTP2-Settings frames the message; the proxy sets it itself",    12},
        {"set X \"a\\nb\"",          "a header field's value has no line break or other control byte", 14},
        {"set X \" a\"",             "a header field's value has no blank at its ends",                14},
        {"set X a b",                "'b' is too much; header set|add NAME VALUE | remove NAME",       16},
        {"set",                      "a value is missing; header set|add NAME VALUE | remove NAME",    1 },
    };
    static const struct conf_case host[] = {
        {"add Host a", "a request has one Host; write request-header set Host NAME"}
    };
    static const struct conf_case no_host[] = {
        {"remove Host", "a request has one Host; write request-header set Host NAME"}
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_case one = {cases[i].text, cases[i].errors};

        check_values("site { upstream 1\nheader ", "\n}", cases[i].column, &one, 1);
    }
    check_values("site { upstream 1\nrequest-header ", "\n}", 20, host, 1);
    check_values("site { upstream 1\nrequest-header ", "\n}", 23, no_host, 1);
}

TEST_MAIN(RUN(names), RUN(what_is_no_name), RUN(paths), RUN(a_path_may_be_all_of_the_site),
          RUN(what_is_no_path), RUN(redirects), RUN(responses), RUN(certificates),
          RUN(certificate_files_are_beside_the_configuration), RUN(header_operations))
