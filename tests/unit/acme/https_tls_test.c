/* SPDX-License-Identifier: MIT
 *
 * What TLS adds to a request: whom it trusts, what it says of whom it does not, and ends that nobody but the server can
 * have made.
 */
#include "tests/unit/acme/server.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* "NAME:PORT: WHAT (IP:PORT)" */
static void check_why(const struct visit *v, const char *host, uint16_t port, const char *what)
{
    char expected[700];

    if (what[0] == '\0')
        snprintf(expected, sizeof expected, "%s", "");
    else
        snprintf(expected, sizeof expected, "%s:%u: %s (127.0.0.1:%u)", host, port, what, port);
    CHECK_STR(v->why, expected);
}

TEST(whom_it_trusts)
{
    static const char name[] = "certificate is for another name",
                      date[] = "certificate expired or not yet valid",
                      chain[] = "certificate chain ends at no known CA";
    static const struct {
        const char *cert, *key, *anchors, *host, *why;
    } cases[] = {
        {"p256.pem",     "p256.key",    "p256.pem",     "p256.test",        ""   },
        {"p256.pem",     "p256.key",    "p256.pem",     "www.P256.test",    ""   },
        {"rsa2048.pem",  "rsa2048.key", "rsa2048.pem",  "rsa.test",         ""   },
        {"p384.pem",     "p384.key",    "p384.pem",     "p384.test",        ""   },
        {"wildcard.pem", "p256.key",    "wildcard.pem", "a.example.test",   ""   },
        {"chain.pem",    "p256.key",    "root.pem",     "leaf.test",        ""   },
        {"leaf.pem",     "p256.key",    "leaf.pem",     "leaf.test",        ""   },
        {"ip.pem",       "p256.key",    "ip.pem",       "192.0.2.1",        ""   },
        {"ip.pem",       "p256.key",    "ip.pem",       "[2001:db8::1]",    ""   },
        {"p256.pem",     "p256.key",    "p256.pem",     "other.test",       name },
        {"wildcard.pem", "p256.key",    "wildcard.pem", "a.b.example.test", name },
        {"ip.pem",       "p256.key",    "ip.pem",       "192.0.2.2",        name },
        {"ip.pem",       "p256.key",    "ip.pem",       "[2001:db8::2]",    name },
        {"p256.pem",     "p256.key",    "p256.pem",     "127.0.0.1",        name },
        {"expired.pem",  "p256.key",    "expired.pem",  "dates.test",       date },
        {"future.pem",   "p256.key",    "future.pem",   "dates.test",       date },
        {"p256.pem",     "p256.key",    "p384.pem",     "p256.test",        chain},
        {"leaf.pem",     "p256.key",    "root.pem",     "leaf.test",        chain},
        {"by-leaf.pem",  "p384.key",    "leaf.pem",     "other.test",       chain},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct visit v;
        struct server s;
        char host[64];

        visit_open(&v, cases[i].anchors, NULL);
        server_open(&s, v.loop, "127.0.0.1", 0, cases[i].cert, cases[i].key);
        visit_send(&v, cases[i].host, s.port, NULL);
        visit_wait(&v, 1, 0);
        CHECK_EQ(v.kind, cases[i].why[0] != '\0' ? HTTPS_TLS : HTTPS_OK);
        CHECK_EQ(s.requests, cases[i].why[0] == '\0'); /* nothing is said to a stranger */
        for (size_t k = 0; k <= strlen(cases[i].host); k++)
            host[k] = cases[i].host[k] == 'P' ? 'p' : cases[i].host[k];
        check_why(&v, host, s.port, cases[i].why);
        server_close(&s);
        visit_close(&v);
    }
}

TEST(what_is_sent)
{
    static const char *const lines[] = {
        "User-Agent: test/1\r\n",  "Accept: */*\r\n",
        "Accept-Language: en\r\n", "Content-Type: application/jose+json\r\n",
        "Content-Length: 6\r\n",   "\r\n\r\na body",
    };
    struct visit v;
    struct server s;
    char line[100];

    visit_open(&v, "p256.pem", NULL);
    server_open(&s, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
    visit_send(&v, "p256.test", s.port, "a body");
    visit_wait(&v, 1, 0);
    CHECK_EQ(v.status, 200);
    CHECK_MEM(v.body, v.body_len, "hello", 5);
    CHECK_EQ(strncmp(s.request, "POST /path?query HTTP/1.1\r\n", 27), 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!CHECK(strstr(s.request, lines[i]) != NULL))
            printf("    %s", lines[i]);
    snprintf(line, sizeof line, "\r\nHost: p256.test:%u\r\n", s.port);
    CHECK(strstr(s.request, line) != NULL);
    CHECK(strstr(s.request, "Transfer-Encoding") == NULL);
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 2, 0);
    CHECK_EQ(strncmp(s.request, "GET /path?query HTTP/1.1\r\n", 26), 0);
    CHECK(strstr(s.request, "Content-") == NULL);
    server_close(&s);
    visit_close(&v);
}

/* Without a length the end of the body is the connection's, and anyone can make a FIN. */
TEST(ends)
{
    static const char broke[] = "the connection broke",
                      early[] = "connection closed before the response was complete",
                      reset[] = "connection reset";
    static const struct {
        enum script script;
        const char *answer, *body, *why;
    } cases[] = {
        {KEEP,   OK "Content-Length: 5\r\n\r\nhello",                                                      "hello", ""                                   },
        {CLOSE,  OK "Content-Length: 5\r\n\r\nhello",                                                      "hello", ""                                   },
        {CUT,    OK "Content-Length: 5\r\n\r\nhello",                                                      "hello", ""                                   },
        {PIECES, OK "Content-Length: 5\r\n\r\nhello",                                                      "hello", ""                                   },
        {PIECES, OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",          "hello",
         ""                                                                                                                                              },
        {KEEP,   OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",                           "hello", ""                                   },
        {KEEP,
         "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi",
         "hi",                                                                                                      ""                                   },
        {CLOSE,  OK "\r\nhello",                                                                           "hello", ""                                   },
        {CUT,    OK "\r\nhello",                                                                           "",      broke                                },
        {CLOSE,  OK "Content-Length: 6\r\n\r\nhello",                                                      "",      early                                },
        {CUT,    OK "Content-Length: 6\r\n\r\nhello",                                                      "",      broke                                },
        {CUT,    OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",                                    "",      broke                                },
        {CLOSE,  OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",                               "",      early                                },
        {CLOSE,  "",                                                                                       "",      "connection closed before a response"},
        {CUT,    "",                                                                                       "",      broke                                },
        {RESET,  "",                                                                                       "",      reset                                },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct visit v;
        struct server s;

        visit_open(&v, "p256.pem", NULL);
        server_open(&s, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
        s.script = cases[i].script;
        s.answer = cases[i].answer;
        visit_send(&v, "p256.test", s.port, "a body");
        visit_wait(&v, 1, 0);
        CHECK_EQ(v.kind, cases[i].why[0] != '\0' ? HTTPS_PROTOCOL : HTTPS_OK);
        check_why(&v, "p256.test", s.port, cases[i].why);
        if (!CHECK_MEM(v.body, v.body_len, cases[i].body, strlen(cases[i].body)))
            printf("    case %zu\n", i);
        CHECK_EQ(s.requests, 1); /* a first connection's request is not sent twice */
        server_close(&s);
        visit_close(&v);
    }
}

/* Redirects are an answer like others; so is a refusal. */
TEST(redirects_are_not_followed)
{
    struct visit v;
    struct server s;

    visit_open(&v, "p256.pem", NULL);
    server_open(&s, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
    s.answer = "HTTP/1.1 301 Moved Permanently\r\nLocation: https://p256.test/\r\nContent-Length: 0\r\n\r\n";
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 1, 0);
    CHECK_EQ(v.status, 301);
    CHECK_EQ(s.requests, 1);
    server_close(&s);
    visit_close(&v);
}

/* A server that speaks something else on that port, and says so before it is asked, as SMTP's do, or then. */
TEST(no_tls_there)
{
    static const char *const texts[] = {"220 mail.test ESMTP\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
                                        "HTTP/1.1 400 Bad Request\r\n\r\n"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct visit v;
        struct server s;

        visit_open(&v, "p256.pem", NULL);
        server_open(&s, v.loop, "127.0.0.1", 0, NULL, NULL);
        visit_send(&v, "p256.test", s.port, NULL);
        for (int k = 0; k < 50 && s.accepted == 0; k++)
            (void)loop_turn(v.loop, 5);
        if (CHECK(s.peers[0].conn != NULL))
            (void)conn_put(s.peers[0].conn, texts[i], strlen(texts[i]));
        visit_wait(&v, 1, 0);
        CHECK_EQ(v.kind, HTTPS_TLS);
        check_why(&v, "p256.test", s.port, "the peer does not speak TLS");
        server_close(&s);
        visit_close(&v);
    }
}

/* And the other way around: http:// to a port where TLS is spoken. */
TEST(tls_where_there_should_be_none)
{
    struct visit v;
    struct server s;

    visit_open(&v, "p256.pem", NULL);
    server_open(&s, v.loop, "127.0.0.1", 0, "p256.pem", "p256.key");
    v.is_plain = true;
    visit_send(&v, "p256.test", s.port, NULL);
    visit_wait(&v, 1, 0);
    CHECK_EQ(v.kind, HTTPS_PROTOCOL);
    CHECK(v.why[0] != '\0');
    server_close(&s);
    visit_close(&v);
}

TEST_MAIN(RUN(whom_it_trusts), RUN(what_is_sent), RUN(ends), RUN(redirects_are_not_followed),
          RUN(no_tls_there), RUN(tls_where_there_should_be_none))
