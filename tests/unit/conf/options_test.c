/* SPDX-License-Identifier: MIT
 *
 * The command line: its forms, what it makes of itself, and what it does to a file.
 */
#include "tests/unit/conf/support.h"

#include <stdlib.h>
#include <unistd.h>

#define ARGS_MAX 24

/* The command line after `proxy`, its arguments parted by blanks; %20 is a blank inside one. */
static struct conf_options *options_of(const char *line, struct conf_errors *e)
{
    char text[1024], *argv[ARGS_MAX] = {"proxy"}, *rest = text, *blank;
    int argc = 1;

    snprintf(text, sizeof text, "%s", line);
    for (char *arg; *rest != 0 && argc < ARGS_MAX && (arg = strsep(&rest, " ")) != NULL;) {
        while ((blank = strstr(arg, "%20")) != NULL) {
            *blank = ' ';
            memmove(blank + 1, blank + 3, strlen(blank + 3) + 1);
        }
        argv[argc++] = arg;
        if (rest == NULL)
            break;
    }
    return conf_options_parse(argc, argv, e);
}

/* What listens and which sites there are, as one text. */
static const char *shown(const struct conf *c)
{
    static char text[4096];
    struct writer w = writer_of(text, sizeof text - 1);
    char addr[ADDR_TEXT];

    if (c->demo)
        writer_str(&w, "demo ");
    for (unsigned i = 0; i < c->listen_count; i++)
        writer_printf(&w, "%s%s%s ", addr_format(&c->listens[i].addr, addr), c->listens[i].tls ? "s" : "",
                      c->listens[i].optional ? "?" : "");
    for (unsigned i = 0; i < c->site_count; i++) {
        const struct conf_site *s = &c->sites[i];
        static const char *const tls[] = {"auto", "self-signed", "acme", "files", "off"};

        writer_printf(&w, "| %s%s", s->is_default ? "*" : "", tls[s->tls]);
        for (unsigned k = 0; k < s->name_count; k++)
            writer_printf(&w, " %s", s->names[k].text);
        if (s->cert_file != NULL)
            writer_printf(&w, " %s %s", s->cert_file, s->key_file);
        for (unsigned k = 0; k < s->path_count; k++) {
            const struct conf_path *p = &s->paths[k];

            writer_printf(&w, " %s=", p->prefix);
            if (p->action == CONF_ACTION_BUILTIN)
                writer_str(&w, "page");
            for (unsigned j = 0; j < p->upstream.n; j++)
                writer_printf(&w, "%s%s", j > 0 ? "," : "", p->upstream.endpoints[j].text);
        }
        writer_str(&w, " ");
    }
    text[writer_len(&w)] = 0;
    return text;
}

/* A command line over a file's text (NULL: no file), and what comes of it: what is shown, or the errors. */
struct line_case {
    const char *line, *file, *result;
};

static void check_lines(const struct line_case *cases, size_t n)
{
    size_t blocks = mem_blocks();

    for (size_t i = 0; i < n; i++) {
        struct conf_errors *e = conf_errors_new();
        struct conf_options *o = options_of(cases[i].line, e);
        struct conf *c = NULL;
        bool held;

        if (o != NULL)
            c = cases[i].file != NULL ? conf_parse("t", bytes_str(cases[i].file), o, e) : conf_load(o, e);
        held = CHECK_STR(c != NULL ? shown(c) : errors_text(e), cases[i].result);
        if (!held)
            printf("    in: proxy %s\n", cases[i].line);
        CHECK((c != NULL) == (conf_errors_count(e) == 0));
        conf_unref(c);
        conf_options_free(o);
        conf_errors_free(e);
    }
    CHECK_EQ(mem_blocks(), blocks);
}

#define DEMO_LISTENS "127.0.0.1:8443s [::1]:8443s? 127.0.0.1:8080? [::1]:8080? "

TEST(demos)
{
    static const struct line_case cases[] = {
        {"--demo",                           NULL, "demo " DEMO_LISTENS "| *self-signed localhost 127.0.0.1 ::1 /=page "          },
        {"127.0.0.1:8000",                   NULL,
         "demo " DEMO_LISTENS "| *self-signed localhost 127.0.0.1 ::1 /=127.0.0.1:8000 "                                          },
        {"8000",                             NULL, "demo " DEMO_LISTENS "| *self-signed localhost 127.0.0.1 ::1 /=127.0.0.1:8000 "},
        {"app:8080 --demo",                  NULL, "demo " DEMO_LISTENS "| *self-signed localhost 127.0.0.1 ::1 /=app:8080 "      },
        {"unix:/a=b",                        NULL, "demo " DEMO_LISTENS "| *self-signed localhost 127.0.0.1 ::1 /=unix:/a=b "     },
        {"8000 --listen 127.0.0.1:9",        NULL,
         "demo 127.0.0.1:9s | *self-signed localhost 127.0.0.1 ::1 /=127.0.0.1:8000 "                                             },
        {"--demo --listen-http 127.0.0.1:9", NULL,
         "demo 127.0.0.1:9 127.0.0.1:8443s [::1]:8443s? | *self-signed localhost 127.0.0.1 ::1 /=page "                           },
        {"8000 --cert c.pem --key k.pem",    NULL,
         "demo " DEMO_LISTENS "| *files localhost 127.0.0.1 ::1 c.pem k.pem /=127.0.0.1:8000 "                                    },
    };
    check_lines(cases, COUNT(cases));
}

TEST(sites)
{
    static const struct line_case cases[] = {
        {"example.com=app:8080",                                                              NULL, "[::]:443s [::]:80 | *self-signed example.com /=app:8080 " },
        {"Example.com=app:1 b.example=2 example.com=app:3 default=unix:/x",                   NULL,
         "[::]:443s [::]:80 | self-signed example.com /=app:1,app:3 | self-signed b.example /=127.0.0.1:2 | *self-signed /=unix:/x "                           },
        {"--listen 0.0.0.0:8443 --backend 127.0.0.1:8000 --cert server.crt --key server.key", NULL,
         "0.0.0.0:8443s | *files server.crt server.key /=127.0.0.1:8000 "                                                                                      },
        {"--listen=8443 --upstream=8000 --backend 8001",                                      NULL,
         "[::]:8443s | *self-signed /=127.0.0.1:8000,127.0.0.1:8001 "                                                                                          },
        {"--backend 8000",                                                                    NULL, "[::]:443s [::]:80 | *self-signed /=127.0.0.1:8000 "       },
        {"a.example=1 --backend 2 b.example=3",                                               NULL,
         "[::]:443s [::]:80 | self-signed a.example /=127.0.0.1:1 | self-signed b.example /=127.0.0.1:3 | *self-signed "
         "/=127.0.0.1:2 "                                                                                                                                      },
        {"a.example=1 --backend 2",                                                           NULL,
         "[::]:443s [::]:80 | self-signed a.example /=127.0.0.1:1 | *self-signed /=127.0.0.1:2 "                                                               },
        {"-- a.example=1",                                                                    NULL, "[::]:443s [::]:80 | *self-signed a.example /=127.0.0.1:1 "},
        {"a.example=1 --cert c --key k",                                                      NULL, "[::]:443s [::]:80 | *files a.example c k /=127.0.0.1:1 "  },
    };
    check_lines(cases, COUNT(cases));
}

TEST(over_a_file)
{
    static const char file[] = "listen 1 2; listen-http 3\nsite a.example { upstream 1 }";
    static const struct line_case cases[] = {
        {"--config t",                              file,                                                           "[::]:1s [::]:2s [::]:3 | *self-signed a.example /=127.0.0.1:1 "   },
        {"--config t --listen 5 --listen=6%207",    file,
         "[::]:3 [::]:5s [::]:6s [::]:7s | *self-signed a.example /=127.0.0.1:1 "                                                                                                      },
        {"-ct --listen-http 5",                     file,                                                           "[::]:1s [::]:2s [::]:5 | *self-signed a.example /=127.0.0.1:1 "   },
        {"-c t b.example=2",                        file,
         "[::]:1s [::]:2s [::]:3 | self-signed a.example /=127.0.0.1:1 | self-signed b.example /=127.0.0.1:2 "                                                                         },
        {"--config=t --backend 9 --cert c --key k", file,
         "[::]:1s [::]:2s [::]:3 | *files a.example c k /=127.0.0.1:9 "                                                                                                                },
        {"--config=t --backend 9",                  "site a.example { respond 200 } site b.example { upstream 1 }",
         "[::]:443s [::]:80 | self-signed a.example /= | self-signed b.example /=127.0.0.1:1 | *self-signed /=127.0.0.1:9 "                                                            },
        {"--config=t --cert c --key k",             "site a.example { respond 200 } site b.example { upstream 1 }",
         "--cert: none of the sites is the default one; write tls cert FILE key FILE in its site"                                                                                      },
        {"--config=t a.example=2",                  file,                                                           "argument 2: site: a.example is given twice; the first is at t:2:6"},
        {"--config=t --listen x",                   file,
         "--listen: 'x' is not an address; write :443, 0.0.0.0:443 or [::1]:443"                                                                                                       },
        {"--config=t --listen 3",                   file,
         "--listen: 3 is taken already by listen-http; the first is at t:1:25"                                                                                                         },
    };
    check_lines(cases, COUNT(cases));
}

TEST(values_win_over_the_file)
{
    static const char file[] =
        "log json; state /s; trusted-proxies 10.0.0.0/8; min-rate 1\nsite a.example { upstream "
        "1 }";
    struct conf_errors *e = conf_errors_new();
    struct conf_options *o =
        options_of("--log text --log=off --state /my%20state --trusted-proxies ::1%20::2 "
                   "--min-rate 7%202s --config t --max-connections-per-address=5 --confine off",
                   e);
    struct conf *c = o != NULL ? conf_parse("t", bytes_str(file), o, e) : NULL;

    CHECK_STR(errors_text(e), "");
    if (CHECK(c != NULL)) {
        CHECK_EQ(c->log_format, CONF_LOG_OFF);
        CHECK_STR(c->state, "/my state");
        CHECK_EQ(c->trusted.count, 2);
        CHECK_EQ(c->limits.min_rate, 7);
        CHECK_EQ(c->limits.min_rate_grace, 2000);
        CHECK_EQ(c->sites[0].limits.min_rate, 7);
        CHECK(c->per_address_given && !c->confine);
    }
    conf_unref(c);
    /* A reload: the same options over another file. */
    c = o != NULL ? conf_parse("t", bytes_str("site { respond 200 }"), o, e) : NULL;
    CHECK(c != NULL && c->log_format == CONF_LOG_OFF && c->trusted.count == 2);
    conf_unref(c);
    conf_options_free(o);
    conf_errors_free(e);
}

TEST(usage_errors)
{
#define TRY "\ntry 'proxy --help'"
    static const struct line_case cases[] = {
        {"--lissen 1",                       NULL, "--lissen: unknown option; did you mean '--listen'?" TRY                },
        {"--xyzzy=1",                        NULL, "--xyzzy: unknown option" TRY                                           },
        {"--site x",                         NULL, "--site: unknown option; did you mean '--state'?" TRY                   },
        {"-x",                               NULL, "-x: unknown option" TRY                                                },
        {"--listen",                         NULL, "--listen: a value is missing; --listen ADDR..." TRY                    },
        {"-c",                               NULL, "-c: a value is missing; -c FILE" TRY                                   },
        {"--demo=yes",                       NULL, "--demo: takes no value" TRY                                            },
        {"--cert c --backend 1",             NULL, "--cert: needs --key FILE too" TRY                                      },
        {"--key k --backend 1",              NULL, "--key: needs --cert FILE too" TRY                                      },
        {"8000 8001",                        NULL,
         "argument 2: '8001' is a second service; write NAME=UPSTREAM for sites of several" TRY                            },
        {"8000 a.example=1",                 NULL, "argument 1: '8000' has no name; beside other sites write NAME=8000" TRY},
        {"8000 --config t",                  NULL,
         "argument 1: '8000' beside --config; write --backend 8000, or NAME=8000" TRY                                      },
        {"--demo --config t",                NULL, "--demo: does not go with --config" TRY                                 },
        {"--demo a.example=1",               NULL, "--demo: does not go with NAME=UPSTREAM" TRY                            },
        {"--demo --backend 1",               NULL, "--demo: does not go with --backend" TRY                                },
 /* These come when it is applied. */
        {"--log xml --demo",                 NULL, "--log: 'xml' is none of [format] text|json|combined|off"               },
        {"--backend app",                    NULL, "--upstream: 'app' has no port; write app:8080"                         },
        {"app",                              NULL, "argument 1: upstream: 'app' has no port; write app:8080"               },
        {"a.example=1 https://b.example=2",  NULL,
         "argument 2: site: 'https://b.example' is a URL; write its host name alone"                                       },
        {"--config /nonexistent/proxy.conf", NULL, "/nonexistent/proxy.conf: No such file or directory"                    },
        {"--config /",                       NULL, "/: Is a directory"                                                     },
    };
    check_lines(cases, COUNT(cases));
}

TEST(commands)
{
    static const struct {
        const char *line;
        enum conf_command command;
    } cases[] = {
        {"--demo",                                 CONF_RUN        },
        {"--validate --config x",                  CONF_VALIDATE   },
        {"--health",                               CONF_HEALTH     },
        {"--help",                                 CONF_HELP       },
        {"-h",                                     CONF_HELP       },
        {"-V",                                     CONF_VERSION    },
        {"-hV",                                    CONF_HELP       },
        {"--help-config",                          CONF_HELP_CONFIG},
        {"--version",                              CONF_VERSION    },
 /* At once, whatever follows. */
        {"--help --nonsense",                      CONF_HELP       },
        {"--demo --config x --version --nonsense", CONF_VERSION    },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_errors *e = conf_errors_new();
        struct conf_options *o = options_of(cases[i].line, e);

        if (CHECK(o != NULL))
            CHECK_EQ(conf_options_command(o), cases[i].command);
        conf_options_free(o);
        conf_errors_free(e);
    }
    conf_options_free(NULL);
}

TEST(words)
{
    static const struct {
        const char *line;
        enum conf_command command;
        unsigned n;
        const char *last; /* NULL: an error, in text */
        const char *text;
    } cases[] = {
        {"acme status",                          CONF_ACME,   1, "status",        NULL               },
        {"--config x acme issue",                CONF_ACME,   1, "issue",         NULL               },
        {"acme issue a.test --log off",          CONF_ACME,   2, "a.test",        NULL               },
        {"acme renew a.test",                    CONF_ACME,   2, "a.test",        NULL               },
        {"acme revoke a.test keyCompromise",     CONF_ACME,   3, "keyCompromise", NULL               },
        {"keygen rsa2048",                       CONF_KEYGEN, 1, "rsa2048",       NULL               },
        {"keygen p384 a.test",                   CONF_KEYGEN, 2, "a.test",        NULL               },
        {"--check a.test:81",                    CONF_CHECK,  1, "a.test:81",     NULL               },
        {"acme",                                 CONF_ACME,   0, NULL,            "write acme status"},
        {"acme renew",                           CONF_ACME,   0, NULL,            "write acme status"},
        {"acme status a.test",                   CONF_ACME,   0, NULL,            "write acme status"},
        {"acme revoke a.test superseded b.test", CONF_ACME,   0, NULL,            "write acme status"},
        {"acme order a.test",                    CONF_ACME,   0, NULL,            "write acme status"},
        {"keygen",                               CONF_KEYGEN, 0, NULL,            "write keygen TYPE"},
        {"keygen p256 a.test b.test",            CONF_KEYGEN, 0, NULL,            "write keygen TYPE"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_errors *e = conf_errors_new();
        struct conf_options *o = options_of(cases[i].line, e);
        const char *const *words;
        unsigned n;

        if (cases[i].last == NULL) {
            CHECK(o == NULL && strstr(conf_errors_text(e, 0), cases[i].text) != NULL);
        } else if (CHECK(o != NULL)) {
            words = conf_options_words(o, &n);
            CHECK_EQ(conf_options_command(o), cases[i].command);
            CHECK_EQ(n, cases[i].n);
            CHECK_STR(words[n - 1], cases[i].last);
        }
        conf_options_free(o);
        conf_errors_free(e);
    }
}

static void check_environment(const char *sites, const char *email, const char *line, const char *text,
                              const char *expected, const char *mail)
{
    struct conf_errors *e = conf_errors_new();
    struct conf_options *o;
    struct conf *c = NULL;

    setenv("PROXY_SITES", sites, 1);
    setenv("ACME_EMAIL", email, 1);
    o = options_of(line, e);
    if (o != NULL)
        c = conf_parse("test", bytes_str(text), o, e);
    if (CHECK(c != NULL)) {
        if (!CHECK(strstr(shown(c), expected) != NULL))
            printf("    %s\n", shown(c));
        CHECK_STR(c->acme.email != NULL ? c->acme.email : "", mail);
    }
    conf_unref(c);
    conf_options_free(o);
    conf_errors_free(e);
    unsetenv("PROXY_SITES");
    unsetenv("ACME_EMAIL");
}

TEST(environment)
{
    struct conf_errors *e = conf_errors_new();

    check_environment(" a.test=127.0.0.1:1,\n\tb.test=127.0.0.1:2 ", "a@b.test", "--log off", "",
                      "a.test /=127.0.0.1:1", "a@b.test");
    check_environment("a.test=127.0.0.1:1, b.test=127.0.0.1:2", "", "--log off", "", "b.test /=127.0.0.1:2",
                      "");
    /* Whatever is said elsewhere counts more. */
    check_environment("a.test=127.0.0.1:1", "a@b.test", "c.test=127.0.0.1:3 --email c@d.test", "",
                      "c.test /=127.0.0.1:3", "c@d.test");
    check_environment("", "a@b.test", "--log off",
                      "acme { email e@f.test }; site c.test { upstream 127.0.0.1:4 }", "c.test /=127.0.0.1:4",
                      "e@f.test");
    setenv("PROXY_SITES", "a.test=127.0.0.1:1 127.0.0.1:2", 1);
    CHECK(options_of("--log off", e) == NULL);
    CHECK_STR(conf_errors_text(e, 0),
              "PROXY_SITES: '127.0.0.1:2' has no name; beside other sites write NAME=127.0.0.1:2");
    unsetenv("PROXY_SITES");
    conf_errors_free(e);
}

TEST(small)
{
    struct conf_errors *e = conf_errors_new();
    struct conf_options *o = options_of("--small --max-connections 300", e);
    struct conf *c = o != NULL
                         ? conf_parse("test", bytes_str("max-memory 9M; site { upstream 127.0.0.1:1 }"), o, e)
                         : NULL;

    if (CHECK(c != NULL)) {
        CHECK_EQ(c->max_connections, 300); /* what is said elsewhere counts more */
        CHECK_EQ(c->max_memory, 9u << 20);
        CHECK_EQ(c->session_cache, 64);
        CHECK_EQ(c->max_per_address, 32);
    }
    conf_unref(c);
    conf_options_free(o);
    conf_errors_free(e);
}

/* A process that root started is someone else when it reads its file anew. */
TEST(state_is_that_of_who_started)
{
    static const char file[] = "state ephemeral\nsite a.example { respond 200 }";
    struct conf_errors *e = conf_errors_new();
    struct conf_options *o = options_of("--config t", e);
    struct conf *first = o != NULL ? conf_parse("t", bytes_str(file), o, e) : NULL, *second;

    if (geteuid() == 0 && CHECK_EQ(seteuid(65534), 0)) {
        second = o != NULL ? conf_parse("t", bytes_str(file), o, e) : NULL;
        CHECK_EQ(seteuid(0), 0);
        if (CHECK(first != NULL && second != NULL))
            CHECK_STR(second->state, first->state);
        conf_unref(second);
    }
    conf_unref(first);
    conf_options_free(o);
    conf_errors_free(e);
}

TEST_MAIN(RUN(demos), RUN(sites), RUN(over_a_file), RUN(values_win_over_the_file), RUN(usage_errors),
          RUN(commands), RUN(words), RUN(environment), RUN(small), RUN(state_is_that_of_who_started))
