/* SPDX-License-Identifier: MIT
 *
 * Addresses to listen on and to connect to, in all the ways that people write them.
 */
#include "tests/unit/conf/support.h"

#define SITE "\nsite a.example { upstream 1 }\n"

TEST(listens)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"443",          "[::]:443"    },
        {":443",         "[::]:443"    },
        {"*:443",        "[::]:443"    },
        {"0.0.0.0:8443", "0.0.0.0:8443"},
        {"[::]:443",     "[::]:443"    },
        {"127.0.0.1:1",  "127.0.0.1:1" },
        {"[::1]:65535",  "[::1]:65535" },
    };
    char text[128], formatted[ADDR_TEXT];

    for (size_t i = 0; i < COUNT(good); i++) {
        struct conf *c;

        snprintf(text, sizeof text, "listen %s" SITE, good[i].in);
        c = conf_of(text);
        if (c == NULL)
            continue;
        CHECK_EQ(c->listen_count, 1);
        CHECK(c->listens[0].tls && !c->listens[0].optional);
        CHECK_EQ(c->listens[0].place.column, 8);
        CHECK_STR(addr_format(&c->listens[0].addr, formatted), good[i].out);
        conf_unref(c);
    }
}

TEST(what_is_no_address_to_listen_on)
{
    static const struct conf_case cases[] = {
        {"99999",           "port 99999 is not between 1 and 65535"                                   },
        {":0",              "port 0 is not between 1 and 65535"                                       },
        {":",               "'' is not a port"                                                        },
        {"1.2.3.4:https",   "'https' is not a port"                                                   },
        {"0.0.0.0",         "0.0.0.0 has no port; write 0.0.0.0:443"                                  },
        {"::1",             "::1 has no port; write [::1]:443"                                        },
        {"[::1]",           "[::1] has no port; write [::1]:443"                                      },
        {"::1:443",         "::1:443 has no port; write [::1:443]:443"                                },
        {"localhost:443",   "a name is not an address; write 127.0.0.1:443 or [::1]:443"              },
        {"example.com:443", "'example.com' is not an IP address; write :443, 0.0.0.0:443 or [::1]:443"},
        {"unix:/run/x",     "'/run/x' is not a port"                                                  },
        {"\"\"",            "'' is not an address; write :443, 0.0.0.0:443 or [::1]:443"              },
        {":-1",             "'-1' is not a port"                                                      },
    };
    static const struct conf_case twice[] = {
        {"listen 443\nlisten-http :80 443" SITE,
         "t:2:17: listen-http: 443 is taken already by listen; the first is at t:1:8"               },
        {"listen 443 1\nlisten 2 1" SITE,
         "t:2:10: listen: 1 is taken already by listen; the first is at t:1:12"                     },
        {"listen" SITE,                          "t:1:1: listen: a value is missing; listen ADDR..."},
    };
    check_values("\nlisten ", SITE, 8, cases, COUNT(cases));
    check_cases(twice, COUNT(twice));
}

TEST(default_listens)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"",                                        "[::]:443 tls [::]:80 "            },
        {"listen 1\nlisten 2 3",                    "[::]:1 tls [::]:2 tls [::]:3 tls "},
        {"listen-http 8",                           "[::]:8 [::]:443 tls "             },
        {"listen 1; listen-http 8",                 "[::]:1 tls [::]:8 "               },
        {"site b.example { respond 200; tls off }", "[::]:443 tls [::]:80 "            },
    };
    char text[256], out[256] = {0}, formatted[ADDR_TEXT];
    struct conf *c;

    for (size_t i = 0; i < COUNT(good); i++) {
        size_t n = 0;

        snprintf(text, sizeof text, "%s" SITE, good[i].in);
        c = conf_of(text);
        out[0] = 0;
        for (unsigned k = 0; c != NULL && k < c->listen_count; k++)
            n += (size_t)snprintf(out + n, sizeof out - n, "%s %s",
                                  addr_format(&c->listens[k].addr, formatted),
                                  c->listens[k].tls ? "tls " : "");
        CHECK_STR(out, good[i].out);
        conf_unref(c);
    }
    /* Nothing to do on 443 where nothing is TLS. */
    c = conf_of("site a.example { upstream 1; tls off }");
    CHECK(c != NULL && c->listen_count == 1 && !c->listens[0].tls && addr_port(&c->listens[0].addr) == 80);
    conf_unref(c);
}

TEST(admins)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"off",              "off"             },
        {"unix:/run/p.sock", "unix:/run/p.sock"},
        {"2019",             "127.0.0.1:2019"  },
        {":2019",            "127.0.0.1:2019"  },
        {"localhost:2019",   "127.0.0.1:2019"  },
        {"127.1.2.3:1",      "127.1.2.3:1"     },
        {"[::1]:2019",       "[::1]:2019"      },
    };
    static const struct conf_case bad[] = {
        {"on",              "'on' is none of unix:PATH, ADDRESS:PORT, off"                       },
        {"unix:run/p",      "the path of a Unix socket begins with /; write unix:/run/proxy.sock"},
        {"0.0.0.0:1",
         "'0.0.0.0' is not a loopback address; who may speak to it may stop the proxy, so write 127.0.0.1:1, or who "
         "may: admin 0.0.0.0:1 192.0.2.1"                                                        },
        {"app:1",           "'app' is not an address; write 127.0.0.1:1 or [::1]:1"              },
        {"app:1 10.0.0.1",  "'app' is not an address; write 127.0.0.1:1 or [::1]:1"              },
        {"127.0.0.1:70000", "port 70000 is not between 1 and 65535"                              },
    };
    char text[256];

    for (size_t i = 0; i < COUNT(good); i++) {
        struct conf *c;

        snprintf(text, sizeof text, "admin %s" SITE, good[i].in);
        c = conf_of(text);
        CHECK_STR(c != NULL ? c->admin : NULL, good[i].out);
        CHECK(c != NULL && c->admins.count == 0);
        conf_unref(c);
    }
    check_values("\nadmin ", SITE, 7, bad, COUNT(bad));
}

TEST(admins_from_elsewhere)
{
    static const struct conf_case network[] = {
        {"10.0.0.0/33", "'10.0.0.0/33' is not a network; write 10.0.0.0/8, 2001:db8::/32 or one address"},
    };
    static const struct conf_case off[] = {
        {"10.0.0.1", "networks are for an ADDRESS:PORT, not for off"},
    };
    static const struct conf_case path[] = {
        {"10.0.0.1", "networks are for an ADDRESS:PORT, not for unix:/a"},
    };
    struct conf *c = conf_of("admin [::]:2019 10.0.0.0/8 2001:db8::1" SITE);
    struct addr addr;

    CHECK_STR(c != NULL ? c->admin : NULL, "[::]:2019");
    CHECK(c != NULL && c->admins.count == 2);
    CHECK(addr_from_ip(&addr, bytes_str("10.1.2.3"), 1) && networks_contain(&c->admins, &addr));
    CHECK(addr_from_ip(&addr, bytes_str("2001:db8::2"), 1) && !networks_contain(&c->admins, &addr));
    conf_unref(c);
    check_values("\nadmin 0.0.0.0:1 ", SITE, 17, network, COUNT(network));
    check_values("\nadmin off ", SITE, 11, off, COUNT(off));
    check_values("\nadmin unix:/a ", SITE, 15, path, COUNT(path));
}

TEST(upstreams)
{
    static const struct {
        const char *in, *text, *host;
        unsigned port;
    } good[] = {
        {"8000",               "127.0.0.1:8000",     NULL,               8000},
        {":8000",              "127.0.0.1:8000",     NULL,               8000},
        {"10.0.0.2:80",        "10.0.0.2:80",        NULL,               80  },
        {"[::1]:8080",         "[::1]:8080",         NULL,               8080},
        {"App:8080",           "app:8080",           "app",              8080},
        {"a_b.example.com.:1", "a_b.example.com.:1", "a_b.example.com.", 1   },
        {"localhost:3000",     "localhost:3000",     "localhost",        3000},
        {"http://app:8080",    "app:8080",           "app",              8080},
        {"http://app:8080/",   "app:8080",           "app",              8080},
        {"http://app",         "app:80",             "app",              80  },
        {"http://app/",        "app:80",             "app",              80  },
        {"http://[::1]/",      "[::1]:80",           NULL,               80  },
        {"http://10.0.0.2",    "10.0.0.2:80",        NULL,               80  },
        {"unix:/run/app.sock", "unix:/run/app.sock", NULL,               0   },
    };
    char text[256];

    for (size_t i = 0; i < COUNT(good); i++) {
        const struct conf_endpoint *e;
        struct conf *c;

        snprintf(text, sizeof text, "site {\nupstream x:1 %s\n}", good[i].in);
        c = conf_of(text);
        if (c == NULL)
            continue;
        CHECK_EQ(c->sites[0].paths[0].upstream.n, 2);
        e = &c->sites[0].paths[0].upstream.endpoints[1];
        CHECK_STR(e->text, good[i].text);
        CHECK_STR(e->host, good[i].host);
        CHECK_EQ(e->port, good[i].port);
        CHECK_EQ(e->addr.len == 0, good[i].host != NULL);
        if (good[i].host == NULL)
            CHECK_EQ(addr_port(&e->addr), good[i].port);
        CHECK_EQ(e->place.line, 2);
        CHECK_EQ(e->place.column, 14);
        conf_unref(c);
    }
}

TEST(what_is_no_upstream)
{
    static const struct conf_case cases[] = {
        {"app",                      "'app' has no port; write app:8080"                                      },
        {"10.0.0.2",                 "'10.0.0.2' has no port; write 10.0.0.2:8080"                            },
        {"[::1]",                    "'[::1]' has no port; write [::1]:8080"                                  },
        {"::1",                      "an IPv6 address stands in brackets; write [::1]:8080"                   },
        {"a:b:1",                    "'a:b:1' is not an address; write app:8080, 10.0.0.2:8080 or [::1]:8080" },
        {"app:http",                 "'http' is not a port"                                                   },
        {"app:65536",                "port 65536 is not between 1 and 65535"                                  },
        {"app:18446744073709551616", "'18446744073709551616' is not a port"                                   },
        {"10.0.0.256:80",            "'10.0.0.256' is neither an IP address nor a host name"                  },
        {"-a:80",                    "'-a' is neither an IP address nor a host name"                          },
        {"a..b:80",                  "'a..b' is neither an IP address nor a host name"                        },
        {"[app]:80",                 "'[app]' is neither an IP address nor a host name"                       },
        {"https://app:443",          "https:// is not spoken to an upstream; write its address for plain HTTP"},
        {"http://app:80/base",       "the address of an upstream has no path; write app:80"                   },
        {"http://",                  "an empty address; write app:8080, 10.0.0.2:8080 or [::1]:8080"          },
        {"\"\"",                     "an empty address; write app:8080, 10.0.0.2:8080 or [::1]:8080"          },
        {"unix:app.sock",            "the path of a Unix socket begins with /; write unix:/run/app.sock"      },
        {"unix:/1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
         "12345678",        "the path of a Unix socket has at most 107 bytes"                        },
        {"",                         "a value is missing; upstream ADDR..."                                   },
    };
    check_values("site {\nupstream ", "\n}", 10, cases, COUNT(cases) - 1);
    check_values("site {\nupstream ", "\n}", 1, cases + COUNT(cases) - 1, 1);
}

TEST_MAIN(RUN(listens), RUN(what_is_no_address_to_listen_on), RUN(default_listens), RUN(admins),
          RUN(admins_from_elsewhere), RUN(upstreams), RUN(what_is_no_upstream))
