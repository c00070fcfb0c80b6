/* SPDX-License-Identifier: MIT
 *
 * The client side of HTTP/1.1: what a response may be, what it must not be, and when a connection may be used again.
 */
#include "tests/unit/http/rig.h"
#include "tests/unit/test.h"

#define OK     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define OK_LOG "200 OK 1.1 length 2\n  Content-Length: 2\ndata ok\nend\n"

static size_t push(struct rig_client *r, const char *text)
{
    return rig_client_push(r, text, strlen(text), SIZE_MAX);
}

static const char *seen(struct rig_client *r)
{
    rig_line(&r->o);
    return rig_str(&r->o.log);
}

static const char *sent(struct rig_client *r)
{
    return rig_str(&r->sink.out);
}

static void forget(struct rig_client *r)
{
    r->o.log.n = r->sink.out.n = r->o.body.n = 0;
    r->o.in_data = false;
}

static bool open_and_ask(struct rig_client *r, const char *method)
{
    return rig_client_open(r) && rig_client_ask(r, method, false);
}

/* --- requests --- */

/* A request with a body to come. */
static bool begin(struct rig_client *r, const char *method, enum http_body body, uint64_t length)
{
    struct http_head *head = http_head_request(method, bytes_str("/x"), bytes_str("h:8080"));
    struct http_stream *stream = h1_client_request(r->c);
    bool done;

    CHECK(stream != NULL);
    rig_take(&r->o, stream);
    head->body = body;
    head->length = length;
    done = rig_send_head(&r->o, head);
    http_head_free(head);
    return done;
}

TEST(request_is_written_with_its_framing)
{
    static const struct {
        const char *method;
        enum http_body body;
        const char *out;
        bool last; /* content that the method has no use for: nobody else's request comes behind it */
    } cases[] = {
        {"GET",    HTTP_BODY_NONE,    "GET /x HTTP/1.1\r\nHost: h:8080\r\n\r\n",                          false},
        {"DELETE", HTTP_BODY_NONE,    "DELETE /x HTTP/1.1\r\nHost: h:8080\r\n\r\n",                       false},
        {"POST",   HTTP_BODY_NONE,    "POST /x HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 0\r\n\r\n",    false},
        {"PUT",    HTTP_BODY_NONE,    "PUT /x HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 0\r\n\r\n",     false},
        {"PATCH",  HTTP_BODY_NONE,    "PATCH /x HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 0\r\n\r\n",   false},
        {"POST",   HTTP_BODY_LENGTH,  "POST /x HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 3\r\n\r\nabc", false},
        {"GET",    HTTP_BODY_LENGTH,
         "GET /x HTTP/1.1\r\nHost: h:8080\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",          true },
        {"DELETE", HTTP_BODY_CHUNKED,
         "DELETE /x HTTP/1.1\r\nHost: h:8080\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0003\r\nabc\r\n0\r\n\r\n",                                                                      true },
        {"FOO",    HTTP_BODY_CHUNKED,
         "FOO /x HTTP/1.1\r\nHost: h:8080\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0003\r\nabc\r\n0\r\n\r\n",                                                                      false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig_client r;

        CHECK(rig_client_open(&r));
        CHECK(begin(&r, cases[i].method, cases[i].body, 3));
        if (cases[i].body != HTTP_BODY_NONE)
            CHECK_EQ(rig_send_body(&r.o, "abc", 3), 3);
        CHECK(rig_send_end(&r.o, NULL));
        CHECK_STR(sent(&r), cases[i].out);
        CHECK_EQ(push(&r, OK), strlen(OK));
        CHECK_EQ(h1_client_is_idle(r.c), !cases[i].last);
        rig_client_close(&r);
    }
}

TEST(request_of_a_server_session_goes_on_without_its_connection)
{
    static const char in[] =
        "GET http://up.example/y?z HTTP/1.1\r\nHost: other\r\nConnection: keep-alive, X\r\n"
        "Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nA: b\r\n"
        "Content-Length: 0\r\nProxy-Connection: x\r\n\r\n";
    struct rig_client c;
    struct rig_server s;
    struct http_stream *stream;

    CHECK(rig_client_open(&c) && rig_server_open(&s));
    rig_server_push(&s, in, sizeof in - 1, SIZE_MAX);
    stream = h1_client_request(c.c);
    rig_take(&c.o, stream);
    CHECK(rig_send_head(&c.o, s.o.head));
    CHECK(rig_send_end(&c.o, NULL));
    CHECK_STR(sent(&c), "GET /y?z HTTP/1.1\r\nHost: up.example\r\nA: b\r\n\r\n");
    rig_client_close(&c);
    rig_server_close(&s);
}

/* Lines are copied as they came where they are as they would be written, in runs, and else written anew. */
TEST(fields_are_written_in_one_way_however_they_came)
{
    static const char in[] =
        "GET / HTTP/1.1\r\nA: 1\r\nB:2\r\nC:  3\r\nD: 4 \r\nE:\t5\r\nF:\r\nG: \r\nH: 8\r\nI: 9\r\nDrop: x\r\n"
        "J: 10\r\nHost: a\r\nK: : \r\nL:11\r\n\r\n";
    struct rig_client c;
    struct rig_server s;

    for (size_t piece = 1; piece <= sizeof in - 1; piece += sizeof in - 2) {
        CHECK(rig_client_open(&c) && rig_server_open(&s));
        rig_server_push(&s, in, sizeof in - 1, piece);
        rig_take(&c.o, h1_client_request(c.c));
        http_head_drop_name(s.o.head, bytes_str("drop"));
        CHECK(http_head_add(s.o.head, bytes_str("M"), bytes_str("")));
        CHECK(http_head_add(s.o.head, bytes_str("N"), bytes_str("12")));
        CHECK(rig_send_head(&c.o, s.o.head));
        CHECK(rig_send_end(&c.o, NULL));
        CHECK_STR(
            sent(&c),
            "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nG: \r\nH: 8\r\n"
            "I: 9\r\nJ: 10\r\nK: :\r\nL: 11\r\nM: \r\nN: 12\r\n\r\n");
        rig_client_close(&c);
        rig_server_close(&s);
    }
}

/* --- good responses --- */

static const struct {
    const char *method, *in, *log;
    bool idle; /* the connection can be used again */
    bool eof;  /* the response ends with the connection */
} good[] = {
    {"GET",  OK,                                                                                           OK_LOG,                                                                       true,  false},
    {"GET",  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
     "200 OK 1.1 chunked\n  Transfer-Encoding: chunked\ndata ok\nend\n",                                                                                                                 true,  false},
    {"GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0;y\r\nSum: 1\r\nHost: x\r\n\r\n", "200 OK 1.1 chunked\n  Transfer-Encoding: chunked\ndata ok\nend\n  Sum: 1\n", true,  false},
    {"GET",  "HTTP/1.1 200 OK\r\n\r\nto the end",                                                          "200 OK 1.1 close\ndata to the end\nend\n",                                   false, true },
    {"GET",  "HTTP/1.0 200 OK\r\n\r\n",                                                                    "200 OK 1.0 close close\nend\n",                                              false, true },
    {"GET",  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
     "200 OK 1.0 length 2 close\n  Content-Length: 2\ndata ok\nend\n",                                                                                                                   false, false},
    {"GET",  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
     "200 OK 1.0 length 2\n  Content-Length: 2\n  Connection: keep-alive\ndata ok\nend\n",                                                                                               true,  false},
    {"GET",  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
     "200 OK 1.1 length 2 close\n  Content-Length: 2\n  Connection: close\ndata ok\nend\n",                                                                                              false, false},
    {"GET",  "HTTP/1.1 204 No Content\r\n\r\n",                                                            "204 No Content 1.1 none\nend\n",                                             true,  false},
    {"GET",  "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
     "304 Not Modified 1.1 none\n  Content-Length: 99\nend\n",                                                                                                                           true,  false},
    {"GET",  "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",                                                 "404  1.1 none\n  Content-Length: 0\nend\n",                                  true,
     false                                                                                                                                                                                           },
    {"GET",  "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",                                                  "404  1.1 none\n  Content-Length: 0\nend\n",                                  true,
     false                                                                                                                                                                                           },
    {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",                                              "200 OK 1.1 none\n  Content-Length: 99\nend\n",
     true,                                                                                                                                                                                      false},
    {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "200 OK 1.1 none\n  Transfer-Encoding: chunked\nend\n",                                                                                                                             true,  false},
    {"HEAD", "HTTP/1.1 200 OK\r\n\r\n",                                                                    "200 OK 1.1 none\nend\n",                                                     true,  false},
    {"GET",  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK,
     "interim 100 Continue 1.1 none\ninterim 103 Early Hints 1.1 none\n  Link: x\n" OK_LOG,                                                                                              true,  false},
    {"GET",  "HTTP/1.1 200 \xe9t\xe9\tx\r\nContent-Length: 0\r\n\r\n",
     "200 \xe9t\xe9\tx 1.1 none\n  Content-Length: 0\nend\n",                                                                                                                            true,  false},
};

TEST(good_responses_are_understood)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (size_t piece = 0; piece < 6; piece++) {
            struct rig_client r;

            CHECK(open_and_ask(&r, good[i].method));
            CHECK(!h1_client_got_response(r.c));
            CHECK_EQ(rig_client_push(&r, good[i].in, strlen(good[i].in), piece == 0 ? SIZE_MAX : piece),
                     strlen(good[i].in));
            CHECK(h1_client_got_response(r.c));
            if (good[i].eof)
                h1_client_eof(r.c);
            if (!CHECK_STR(seen(&r), good[i].log) || !CHECK_EQ(h1_client_is_idle(r.c), good[i].idle))
                printf("    case %zu in pieces of %zu\n", i, piece);
            CHECK_EQ(r.sink.closes, good[i].idle ? 0 : 1);
            CHECK(r.o.stream == NULL);
            if (good[i].idle) {
                forget(&r);
                CHECK(rig_client_ask(&r, "GET", false));
                CHECK(!h1_client_got_response(r.c));
                push(&r, OK);
                CHECK_STR(seen(&r), OK_LOG);
            } else {
                CHECK(h1_client_request(r.c) == NULL);
            }
            rig_client_close(&r);
        }
    }
}

/* --- bad responses --- */

#define BOTH       "Content-Length with Transfer-Encoding"
#define CHUNKED(t) "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" t

static const struct {
    const char *in, *why;
} bad[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",                   "two Content-Length fields"             },
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",                   "two Content-Length fields"             },
    {"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",                                     "Content-Length is not a number"        },
    {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",                                       "Content-Length is not a number"        },
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",                     "Content-Length too large"              },
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",            BOTH                                    },
    {"HTTP/1.1 204 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",            BOTH                                    },
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",                                    "Transfer-Encoding is not chunked"      },
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",                           "Transfer-Encoding is not chunked"      },
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",                                "Transfer-Encoding is not chunked"      },
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",                                 "Transfer-Encoding in HTTP/1.0"         },
    {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",                                                 "folded field line"                     },
    {"HTTP/1.1 200 OK\nX: a\n\n",                                                             "control byte in the status line"       },
    {"HTTP/1.1 200 OK\r\nX: a\n\r\n",                                                         "bare LF in a field line"               },
    {"HTTP/1.1 200 OK\rX: a\r\n\r\n",                                                         "bare CR"                               },
    {"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",                                                      "whitespace before the colon of a field"},
    {"HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n",                                                    "control byte in a field value"         },
    {"HTTP/1.1 200 O\x01K\r\n\r\n",                                                           "control byte in the status line"       },
    {"HTTP/1.1 099 X\r\n\r\n",                                                                "status is not between 100 and 599"     },
    {"HTTP/1.1 000 X\r\n\r\n",                                                                "status is not between 100 and 599"     },
    {"HTTP/1.1 600 X\r\n\r\n",                                                                "status is not between 100 and 599"     },
    {"HTTP/1.1 2000 X\r\n\r\n",                                                               "status is not three digits"            },
    {"HTTP/1.1 20 X\r\n\r\n",                                                                 "status is not three digits"            },
    {"HTTP/1.1 20x X\r\n\r\n",                                                                "status is not three digits"            },
    {"HTTP/1.1 -20 X\r\n\r\n",                                                                "status is not three digits"            },
    {"HTTP/1.1  200 X\r\n\r\n",                                                               "status is not three digits"            },
    {"HTTP/1.1\t200 X\r\n\r\n",                                                               "malformed HTTP version"                },
    {"HTTP/1.1\r\n\r\n",                                                                      "malformed HTTP version"                },
    {"http/1.1 200 OK\r\n\r\n",                                                               "malformed HTTP version"                },
    {"HTTP/11 200 OK\r\n\r\n",                                                                "malformed HTTP version"                },
    {"HTTP/2.0 200 OK\r\n\r\n",                                                               "HTTP version not supported"            },
    {"HTTP/2 200 OK\r\n\r\n",                                                                 "malformed HTTP version"                },
    {"ICY 200 OK\r\n\r\n",                                                                    "malformed HTTP version"                },
    {"<html>no head at all",                                                                  "malformed HTTP version"                },
    {"\r\nHTTP/1.1 200 OK\r\n\r\n",                                                           "malformed HTTP version"                },
    {"\x15\x03\x01\x00\x02\x02\x46",                                                          "malformed HTTP version"                },
    {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
     "101 to a request that did not ask for it"                                                                                       },
    {CHUNKED("x\r\n"),                                                                        "chunk without a size"                  },
    {CHUNKED("2 \r\nok\r\n"),                                                                 "chunk size is not a hexadecimal number"},
    {CHUNKED("2\nok\r\n"),                                                                    "bare LF in a chunk-size line"          },
    {CHUNKED("2\r\nokk\r\n"),                                                                 "chunk data without CRLF behind it"     },
    {CHUNKED("ffffffffffffffff\r\n"),                                                         "chunk size too large"                  },
    {CHUNKED("0\r\nX: y\n"),                                                                  "bare LF in a field line"               },
};

TEST(bad_responses_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t piece = 0; piece < 6; piece++) {
            struct rig_client r;
            char expected[256];

            snprintf(expected, sizeof expected, "aborted %d %s\n", (int)HTTP_ERROR_PROTOCOL, bad[i].why);
            CHECK(open_and_ask(&r, "GET"));
            rig_client_push(&r, bad[i].in, strlen(bad[i].in), piece == 0 ? SIZE_MAX : piece);
            if (!CHECK(strstr(seen(&r), expected) != NULL) || !CHECK(strstr(seen(&r), "end\n") == NULL))
                printf("    case %zu: %s\n    gave %s\n", i, bad[i].in, seen(&r));
            CHECK(!h1_client_is_idle(r.c));
            CHECK(h1_client_request(r.c) == NULL);
            CHECK(r.sink.closes == 1 && !r.sink.clean);
            rig_client_close(&r);
        }
    }
}

TEST(response_cut_short_is_told_from_a_complete_one)
{
    static const struct {
        const char *in, *why;
    } cases[] = {
        {"",                                              "connection closed before a response"               },
        {"H",                                             "connection closed before the response was complete"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",      "connection closed before the response was complete"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
         "connection closed before the response was complete"                                                 },
        {CHUNKED(""),                                     "connection closed before the response was complete"},
        {CHUNKED("2\r\nok\r\n"),                          "connection closed before the response was complete"},
        {CHUNKED("2\r\nok\r\n0\r\n"),                     "connection closed before the response was complete"},
        {CHUNKED("2\r\nok\r\n0\r\n\r"),                   "connection closed before the response was complete"},
        {CHUNKED("2\r\nok\r\n0\r\nX: y\r\n"),             "connection closed before the response was complete"},
        {"HTTP/1.1 100 Continue\r\n\r\n",                 "connection closed before the response was complete"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig_client r;
        char expected[256];

        snprintf(expected, sizeof expected, "aborted %d %s\n", (int)HTTP_ERROR_CLOSED, cases[i].why);
        CHECK(open_and_ask(&r, "GET"));
        push(&r, cases[i].in);
        h1_client_eof(r.c);
        if (!CHECK(strstr(seen(&r), expected) != NULL))
            printf("    case %zu gave %s\n", i, seen(&r));
        CHECK_EQ(h1_client_got_response(r.c), cases[i].in[0] != 0);
        rig_client_close(&r);
    }
}

/* --- what follows a response --- */

TEST(bytes_behind_a_response_end_the_connection)
{
    struct rig_client r;

    CHECK(open_and_ask(&r, "GET")); /* with it */
    CHECK_EQ(push(&r, OK OK), strlen(OK OK));
    CHECK_STR(seen(&r), OK_LOG);
    CHECK(!h1_client_is_idle(r.c));
    CHECK_EQ(r.sink.closes, 1);
    rig_client_close(&r);

    CHECK(open_and_ask(&r, "HEAD")); /* a body to a HEAD */
    push(&r, OK);
    CHECK_STR(seen(&r), "200 OK 1.1 none\n  Content-Length: 2\nend\n");
    CHECK(!h1_client_is_idle(r.c));
    rig_client_close(&r);

    CHECK(open_and_ask(&r, "GET")); /* later */
    push(&r, OK);
    CHECK(h1_client_is_idle(r.c));
    CHECK(h1_client_wants_recv(r.c));
    CHECK_EQ(push(&r, "H"), 1);
    CHECK(!h1_client_is_idle(r.c));
    CHECK(h1_client_request(r.c) == NULL);
    CHECK_EQ(r.sink.closes, 1);
    rig_client_close(&r);

    CHECK(open_and_ask(&r, "GET")); /* EOF while idle */
    push(&r, OK);
    h1_client_eof(r.c);
    CHECK(!h1_client_is_idle(r.c));
    rig_client_close(&r);

    CHECK(rig_client_open(&r)); /* a response to nothing, the stream just taken */
    rig_take(&r.o, h1_client_request(r.c));
    push(&r, OK);
    CHECK_STR(seen(&r), "aborted 2 response before the request\n");
    rig_client_close(&r);
}

static void ask_again(struct rig_owner *o)
{
    struct rig_client *r = o->arg;

    o->at_end = NULL;
    CHECK(rig_client_ask(r, "GET", false));
}

TEST(next_request_from_inside_the_end)
{
    struct rig_client r;

    CHECK(open_and_ask(&r, "GET"));
    r.o.at_end = ask_again;
    r.o.arg = &r;
    CHECK_EQ(push(&r, OK), strlen(OK));
    CHECK(!h1_client_is_idle(r.c));
    CHECK(!h1_client_got_response(r.c));
    CHECK_EQ(push(&r, OK), strlen(OK));
    CHECK_STR(seen(&r), OK_LOG OK_LOG);
    CHECK(h1_client_is_idle(r.c));
    rig_client_close(&r);
}

TEST(response_before_the_request_has_ended)
{
    struct rig_client r;

    CHECK(rig_client_open(&r)); /* the rest is sent, and the connection ends */
    CHECK(begin(&r, "PUT", HTTP_BODY_LENGTH, 4));
    CHECK_EQ(rig_send_body(&r.o, "ab", 2), 2);
    push(&r, OK);
    CHECK_STR(seen(&r), OK_LOG);
    CHECK(r.o.stream != NULL);
    CHECK_EQ(r.sink.closes, 0);
    CHECK_EQ(rig_send_body(&r.o, "cd", 2), 2);
    CHECK(rig_send_end(&r.o, NULL));
    CHECK(!h1_client_is_idle(r.c));
    CHECK_EQ(r.sink.closes, 1);
    rig_client_close(&r);

    CHECK(rig_client_open(&r)); /* or it is given up */
    CHECK(begin(&r, "PUT", HTTP_BODY_CHUNKED, 0));
    push(&r, OK);
    rig_abort(&r.o);
    CHECK(!h1_client_is_idle(r.c));
    CHECK_EQ(r.o.aborts, 0);
    rig_client_close(&r);

    CHECK(rig_client_open(&r)); /* ended in between: all is well */
    CHECK(begin(&r, "PUT", HTTP_BODY_CHUNKED, 0));
    push(&r, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    CHECK(rig_send_end(&r.o, NULL));
    push(&r, "k");
    CHECK(h1_client_is_idle(r.c));
    rig_client_close(&r);
}

TEST(close_is_asked_for)
{
    struct rig_client r;
    struct http_head *head = http_head_request("GET", bytes_str("/"), bytes_str("h"));

    CHECK(rig_client_open(&r));
    head->keep_alive = false;
    rig_take(&r.o, h1_client_request(r.c));
    CHECK(rig_send_head(&r.o, head));
    CHECK(rig_send_end(&r.o, NULL));
    CHECK_STR(sent(&r), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    push(&r, OK);
    CHECK(!h1_client_is_idle(r.c));
    http_head_free(head);
    rig_client_close(&r);
}

TEST(interim_responses_are_bounded)
{
    struct rig_client r;

    CHECK(open_and_ask(&r, "GET"));
    for (int i = 0; i < 200; i++)
        push(&r, "HTTP/1.1 102 Processing\r\n\r\n");
    CHECK(strstr(seen(&r), "aborted 2 too many interim responses") != NULL);
    rig_client_close(&r);
}

/* --- upgrade --- */

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

TEST(upgrade_makes_a_tunnel)
{
    for (size_t piece = 1; piece < 200; piece += 7) {
        struct rig_client r;

        CHECK(rig_client_open(&r));
        CHECK(rig_client_ask(&r, "GET", true));
        CHECK_STR(sent(&r), "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
        forget(&r);
        CHECK_EQ(rig_client_push(&r, SWITCH "bytes", strlen(SWITCH "bytes"), piece), strlen(SWITCH "bytes"));
        CHECK_STR(seen(&r), "101 Switching Protocols 1.1 tunnel upgrade\n  Connection: Upgrade\n"
                            "  Upgrade: websocket\ndata bytes\n");
        CHECK_EQ(rig_send_body(&r.o, "more", 4), 4);
        CHECK_STR(sent(&r), "more");
        forget(&r);
        h1_client_eof(r.c);
        CHECK_STR(seen(&r), "end\n");
        CHECK_EQ(r.sink.closes, 0);
        CHECK_EQ(rig_send_body(&r.o, "more", 4), 4);
        CHECK(rig_send_end(&r.o, NULL));
        CHECK(r.sink.closes == 1 && r.sink.clean);
        CHECK(!h1_client_is_idle(r.c));
        rig_client_close(&r);
    }
}

TEST(upgrade_may_be_declined_but_not_misused)
{
    struct rig_client r;

    CHECK(rig_client_open(&r));
    CHECK(rig_client_ask(&r, "GET", true));
    push(&r, OK);
    CHECK_STR(seen(&r), OK_LOG);
    CHECK(h1_client_is_idle(r.c));
    rig_client_close(&r);

    CHECK(rig_client_open(&r));
    CHECK(rig_client_ask(&r, "GET", true));
    push(&r, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n");
    CHECK(strstr(seen(&r), "aborted 2 101 without Connection: upgrade and a protocol") != NULL);
    rig_client_close(&r);

    CHECK(rig_client_open(&r));
    CHECK(rig_client_ask(&r, "GET", true));
    push(&r, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
    CHECK(strstr(seen(&r), "aborted 2 101 without Connection: upgrade and a protocol") != NULL);
    rig_client_close(&r);
}

/* --- backpressure and direct reads --- */

TEST(body_that_is_not_taken_is_offered_again)
{
    struct rig_client r;

    CHECK(open_and_ask(&r, "GET"));
    r.o.take = 1;
    CHECK_EQ(push(&r, OK), strlen(OK) - 1);
    CHECK(!h1_client_wants_recv(r.c));
    CHECK_EQ(push(&r, "k"), 0);
    r.o.take = SIZE_MAX;
    http_stream_consumed(r.o.stream, 1);
    CHECK_EQ(r.sink.resumes, 1);
    CHECK_EQ(push(&r, "k"), 1);
    CHECK_STR(seen(&r), OK_LOG);
    rig_client_close(&r);
}

TEST(direct_reads_take_payload_alone)
{
    static uint8_t room[8192];
    struct rig_client r;
    struct span span;

    CHECK(open_and_ask(&r, "GET"));
    r.o.room = room;
    r.o.room_n = sizeof room;
    CHECK(h1_client_room(r.c).p == NULL); /* a head comes */
    push(&r, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    r.o.room_n = 4000;
    span = h1_client_room(r.c);
    CHECK(span.p == room && span.n == 4000);
    memset(span.p, 'x', span.n);
    h1_client_filled(r.c, 1000);
    CHECK_EQ(r.o.body.n, 1000);
    r.o.room_n = sizeof room;
    span = h1_client_room(r.c);
    CHECK_EQ(span.n, 4000); /* never more than belongs to the response */
    h1_client_filled(r.c, 3000);
    CHECK(h1_client_room(r.c).p == NULL); /* too little left to be worth it */
    CHECK(strstr(seen(&r), "end") == NULL);
    {
        uint8_t rest[1000] = {0};

        CHECK_EQ(rig_client_push(&r, rest, sizeof rest, SIZE_MAX), sizeof rest);
    }
    CHECK(h1_client_is_idle(r.c));
    rig_client_close(&r);

    CHECK(open_and_ask(&r, "GET")); /* filled to the last byte */
    r.o.room = room;
    r.o.room_n = sizeof room;
    push(&r, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
    CHECK_EQ(h1_client_room(r.c).n, 3000);
    h1_client_filled(r.c, 3000);
    CHECK(h1_client_is_idle(r.c));
    rig_client_close(&r);

    CHECK(open_and_ask(&r, "GET")); /* in a chunk, not beyond it */
    r.o.room = room;
    r.o.room_n = sizeof room;
    push(&r, CHUNKED("1000\r\n"));
    CHECK_EQ(h1_client_room(r.c).n, 4096);
    h1_client_filled(r.c, 4096);
    CHECK(h1_client_room(r.c).p == NULL);
    push(&r, "\r\n0\r\n\r\n");
    CHECK(h1_client_is_idle(r.c));
    CHECK_EQ(r.o.body.n, 4096);
    rig_client_close(&r);

    CHECK(open_and_ask(&r, "GET")); /* to the end of the connection */
    r.o.room = room;
    r.o.room_n = sizeof room;
    push(&r, "HTTP/1.1 200 OK\r\n\r\n");
    CHECK_EQ(h1_client_room(r.c).n, sizeof room);
    h1_client_filled(r.c, 10);
    h1_client_eof(r.c);
    CHECK(strstr(seen(&r), "end\n") != NULL);
    rig_client_close(&r);
}

/* --- the ways out --- */

TEST(abort_inside_events)
{
    for (int where = 0; where < 2; where++) {
        struct rig_client r;

        CHECK(open_and_ask(&r, "GET"));
        r.o.abort_in_head = where == 0;
        r.o.abort_in_data = where == 1;
        CHECK_EQ(push(&r, OK), strlen(OK));
        CHECK(r.sink.closes == 1 && !r.sink.clean);
        CHECK_EQ(r.o.aborts, 0);
        CHECK(strstr(seen(&r), "end") == NULL);
        rig_client_close(&r);
    }
}

TEST(free_tells_the_owner)
{
    struct rig_client r;

    CHECK(open_and_ask(&r, "GET"));
    h1_client_free(r.c);
    r.c = NULL;
    CHECK_STR(seen(&r), "aborted 1 connection closed\n");
    CHECK_EQ(r.sink.closes, 0);
    rig_client_close(&r);
}

TEST(out_of_memory_anywhere)
{
    static const char in[] =
        "HTTP/1.1 103 X\r\nLink: y\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nok\r\n0\r\nSum: 1\r\n\r\n";

    for (size_t piece = 1; piece <= sizeof in; piece += piece < 4 ? 1 : 40) {
        size_t blocks = mem_blocks(), before = mem_allocations(), count;
        struct rig_client r;

        CHECK(open_and_ask(&r, "GET"));
        rig_client_push(&r, in, sizeof in - 1, piece);
        CHECK(h1_client_is_idle(r.c));
        rig_client_close(&r);
        count = mem_allocations() - before;
        CHECK(count > 4);
        for (size_t i = 0; i < count; i++) {
            mem_fail_at((long)i, 1);
            if (open_and_ask(&r, "GET"))
                rig_client_push(&r, in, sizeof in - 1, piece);
            mem_fail_at(-1, 0);
            if (r.c != NULL) {
                CHECK(r.o.stream == NULL);
                rig_client_close(&r);
            }
            CHECK_EQ(mem_blocks(), blocks);
        }
    }
}

TEST_MAIN(RUN(request_is_written_with_its_framing),
          RUN(request_of_a_server_session_goes_on_without_its_connection),
          RUN(fields_are_written_in_one_way_however_they_came), RUN(good_responses_are_understood),
          RUN(bad_responses_are_refused), RUN(response_cut_short_is_told_from_a_complete_one),
          RUN(bytes_behind_a_response_end_the_connection), RUN(next_request_from_inside_the_end),
          RUN(response_before_the_request_has_ended), RUN(close_is_asked_for),
          RUN(interim_responses_are_bounded), RUN(upgrade_makes_a_tunnel),
          RUN(upgrade_may_be_declined_but_not_misused), RUN(body_that_is_not_taken_is_offered_again),
          RUN(direct_reads_take_payload_alone), RUN(abort_inside_events), RUN(free_tells_the_owner),
          RUN(out_of_memory_anywhere))
