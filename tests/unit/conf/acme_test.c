/* SPDX-License-Identifier: MIT
 *
 * The block acme, and which sites get their certificate from an authority.
 */
#include "tests/unit/conf/support.h"

static enum conf_tls_mode tls_of(const char *text)
{
    struct conf *c = conf_of(text);
    enum conf_tls_mode mode = CONF_TLS_OFF;

    if (CHECK(c != NULL))
        mode = c->sites[0].tls;
    else
        printf("    %s\n", text);
    conf_unref(c);
    return mode;
}

TEST(values)
{
    static const struct {
        const char *before;
        unsigned column;
        struct conf_case value;
    } cases[] = {
        {"email ",            7, {"admin@a.test", ""}                                                                   },
        {"email ",            7, {"admin", "'admin' is not an address; write admin@example.com"}                        },
        {"email ",            7, {"mailto:a@b.test", "'mailto:a@b.test' is a URL; write a@b.test"}                      },
        {"email ",
         7,                      {"a@b.test,c@d.test", "'a@b.test,c@d.test' is not an address; write admin@example.com"}},
        {"ca ",               4, {"letsencrypt-staging", ""}                                                            },
        {"ca ",               4, {"https://ca.internal:9000/acme/acme/directory", ""}                                   },
        {"ca ",               4, {"http://a.test/d", "'http://a.test/d' is not encrypted; write the https:// URL"}      },
        {"ca ",               4, {"letsencript", "'letsencript' is none of letsencrypt|letsencrypt-staging|zerossl|URL"}},
        {"profile ",          9, {"short/lived", "'short/lived' is not the name of a profile"}                          },
        {"external-account ",
         18,                     {"\"\" abcdefghijklmnop", "an empty key id; the authority gives both words"}           },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char before[100];

        snprintf(before, sizeof before, "site { upstream 1 }; acme {\n%s", cases[i].before);
        check_values(before, "\n}", cases[i].column, &cases[i].value, 1);
    }
}

TEST(keys_of_external_accounts)
{
    static const struct conf_case cases[] = {
        {"abcdefghijklmnop",  ""                                                                 },
        {"abcdefghijklmno+",
         "the second word is not base64url (A-Z a-z 0-9 - _) of a key; the authority gives it so"},
        {"abcdefghijklmnopq",
         "the second word is not base64url (A-Z a-z 0-9 - _) of a key; the authority gives it so"},
        {"abcdefgh",          "the second word has not the length of a key; was it cut?"         },
    };

    check_values("site { upstream 1 }; acme {\nexternal-account kid ", "\n}", 22, cases, COUNT(cases));
}

TEST(what_is_said_is_kept)
{
    struct conf *c = conf_of("acme { email a@b.test; ca zerossl; ca-roots /r.pem; profile shortlived; "
                             "external-account kid abcdefghijklmnop }; site { upstream 1 }");

    if (!CHECK(c != NULL))
        return;
    CHECK_STR(c->acme.name, "zerossl");
    CHECK_STR(c->acme.directory, "https://acme.zerossl.com/v2/DV90");
    CHECK_STR(c->acme.email, "a@b.test");
    CHECK_STR(c->acme.ca_roots, "/r.pem");
    CHECK_STR(c->acme.profile, "shortlived");
    CHECK_STR(c->acme.account_id, "kid");
    CHECK_STR(c->acme.hmac_key, "abcdefghijklmnop");
    conf_unref(c);
}

TEST(directives_stand_in_their_block)
{
    struct conf_errors *e = conf_errors_new();

    CHECK(conf_parse("t", bytes_str("email a@b.test\nacme { listen 1 }\nsite { upstream 1 }"), NULL, e) ==
          NULL);
    CHECK_STR(errors_text(e), "t:1:1: email: cannot stand at the top of the file; it belongs in acme\n"
                              "t:2:8: listen: cannot stand in acme; it belongs at the top of the file");
    conf_errors_free(e);
}

/* Names that the world knows, where the world can look. */
TEST(sites_that_say_nothing)
{
    static const struct {
        const char *text;
        enum conf_tls_mode mode;
    } cases[] = {
        {"site a.com { upstream 1 }",                                           CONF_TLS_ACME       },
        {"site a.com www.a.com { upstream 1 }",                                 CONF_TLS_ACME       },
        {"site a.com { upstream 1; tls self-signed }",                          CONF_TLS_SELF_SIGNED},
        {"site a.com localhost { upstream 1 }",                                 CONF_TLS_SELF_SIGNED},
        {"site example.com { upstream 1 }",                                     CONF_TLS_SELF_SIGNED},
        {"site www.example.com { upstream 1 }",                                 CONF_TLS_SELF_SIGNED},
        {"site anexample.com { upstream 1 }",                                   CONF_TLS_ACME       },
        {"site a.test { upstream 1 }",                                          CONF_TLS_SELF_SIGNED},
        {"site host { upstream 1 }",                                            CONF_TLS_SELF_SIGNED},
        {"site 192.0.2.1 { upstream 1 }",                                       CONF_TLS_SELF_SIGNED},
        {"site { upstream 1 }",                                                 CONF_TLS_SELF_SIGNED},
        {"listen 443; site a.com { upstream 1 }",                               CONF_TLS_SELF_SIGNED},
        {"listen 443; listen-http 80; site a.com { upstream 1 }",               CONF_TLS_ACME       },
        {"acme { ca https://ca.internal/dir }; site a.internal { upstream 1 }", CONF_TLS_ACME       },
        {"acme { ca https://ca.internal/dir }; site host { upstream 1 }",       CONF_TLS_ACME       },
        {"acme { ca https://ca.internal/dir }; site 192.0.2.1 { upstream 1 }",  CONF_TLS_SELF_SIGNED},
        {"site a.test { upstream 1; tls acme }",                                CONF_TLS_ACME       },
        {"site 192.0.2.1 { upstream 1; tls acme }",                             CONF_TLS_ACME       },
        {"site *.a.test { upstream 1 }",                                        CONF_TLS_SELF_SIGNED},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[300];

        snprintf(text, sizeof text, "state /s; %s", cases[i].text);
        if (!CHECK_EQ(tls_of(text), cases[i].mode))
            printf("    %s\n", cases[i].text);
    }
}

TEST(what_hinders)
{
    static const struct {
        const char *text, *errors;
    } cases[] = {
        {"site *.a.com { upstream 1 }",
         "t:1:16: site: *.a.com: no certificate for all names below one can be had over HTTP (that needs DNS-01); "
         "write tls self-signed or tls cert FILE key FILE, or the names one by one"                         },
        {"listen 443; site a.com { upstream 1; tls acme }",
         "t:1:48: tls: acme needs an address for plain HTTP, where the authority looks; add listen-http :80"},
        {"site { upstream 1; tls acme }",
         "t:1:30: tls: acme needs to know for which names; write them behind site"                          },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct conf_errors *e = conf_errors_new();
        char text[300];

        snprintf(text, sizeof text, "state /s; %s", cases[i].text);
        CHECK(conf_parse("t", bytes_str(text), NULL, e) == NULL);
        CHECK_STR(errors_text(e), cases[i].errors);
        conf_errors_free(e);
    }
}

TEST_MAIN(RUN(values), RUN(keys_of_external_accounts), RUN(what_is_said_is_kept),
          RUN(directives_stand_in_their_block), RUN(sites_that_say_nothing), RUN(what_hinders))
