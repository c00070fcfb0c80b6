/* SPDX-License-Identifier: MIT
 *
 * The server side of HTTP/1.1: exchanges, framing of what is sent, backpressure, the ways an exchange ends.
 */
#include "tests/unit/http/rig.h"
#include "tests/unit/test.h"

#define GET     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LOG "GET / 1.1 [a] none\n  Host: a\nend\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static size_t push(struct rig_server *r, const char *text)
{
    return rig_server_push(r, text, strlen(text), SIZE_MAX);
}

/* What was recorded and sent since the last look. */
static const char *seen(struct rig_server *r)
{
    rig_line(&r->o);
    return rig_str(&r->o.log);
}

static const char *sent(struct rig_server *r)
{
    return rig_str(&r->sink.out);
}

static void forget(struct rig_server *r)
{
    r->o.log.n = r->sink.out.n = 0;
    r->o.in_data = false;
}

/* A final response whose body is to be written. */
static bool begin(struct rig_server *r, uint16_t status, enum http_body body, uint64_t length)
{
    struct http_head *head = http_head_response(status);
    bool done;

    head->body = body;
    head->length = length;
    done = rig_send_head(&r->o, head);
    http_head_free(head);
    return done;
}

TEST(request_is_answered_and_the_connection_kept)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_IDLE);
    CHECK_EQ(push(&r, GET), strlen(GET));
    CHECK_STR(seen(&r), GET_LOG);
    CHECK_STR(sent(&r), OK);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_IDLE);
    CHECK_EQ(r.sink.closes, 0);
    forget(&r);
    CHECK_EQ(push(&r, GET), strlen(GET));
    CHECK_STR(sent(&r), OK);
    rig_server_close(&r);
}

TEST(request_in_any_pieces_is_the_same_request)
{
    static const char in[] =
        "\r\nPOST /x?y HTTP/1.1\r\nHost: a\r\nX: \t 1 2\t\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nT: 1\r\nHost: evil\r\n\r\n" GET;

    for (size_t piece = 1; piece < sizeof in; piece++) {
        struct rig_server r;

        CHECK(rig_server_open(&r));
        CHECK_EQ(rig_server_push(&r, in, sizeof in - 1, piece), sizeof in - 1);
        if (!CHECK_STR(seen(&r),
                       "POST /x?y 1.1 [a] chunked\n  Host: a\n  X: 1 2\n  Transfer-Encoding: chunked\n"
                       "data abc0123456789\nend\n  T: 1\n" GET_LOG))
            printf("    in pieces of %zu\n", piece);
        CHECK_STR(sent(&r), OK OK);
        rig_server_close(&r);
    }
}

TEST(pipelined_requests_wait_for_the_response)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    CHECK_EQ(push(&r, GET GET), strlen(GET));
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_EXCHANGE);
    CHECK(!h1_server_wants_recv(r.s));
    CHECK_EQ(push(&r, GET), 0);
    CHECK_EQ(r.sink.resumes, 0);
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK_EQ(r.sink.resumes, 1);
    CHECK(h1_server_wants_recv(r.s));
    CHECK_EQ(push(&r, GET), strlen(GET));
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK_STR(sent(&r), OK OK);
    CHECK_STR(seen(&r), GET_LOG GET_LOG);
    rig_server_close(&r);
}

TEST(response_of_unknown_length_is_chunked)
{
    struct rig_server r;
    struct http_head *trailers = http_head_new(64, 2);

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    CHECK(begin(&r, 200, HTTP_BODY_CLOSE, 0));
    CHECK_EQ(rig_send_body(&r.o, "hello", 5), 5);
    CHECK(http_stream_lend(r.o.stream, 100).p != NULL);
    http_stream_commit(r.o.stream, 0);
    CHECK(http_head_add(trailers, bytes_str("T"), bytes_str("1")));
    CHECK(rig_send_end(&r.o, trailers));
    CHECK_STR(sent(&r),
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n0\r\nT: 1\r\n\r\n");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_IDLE);
    http_head_free(trailers);
    rig_server_close(&r);
}

TEST(http_1_0_gets_no_chunks)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(begin(&r, 200, HTTP_BODY_CHUNKED, 0));
    CHECK_EQ(rig_send_body(&r.o, "hello", 5), 5);
    CHECK(rig_send_end(&r.o, NULL));
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    CHECK(r.sink.closes == 1 && r.sink.clean);
    rig_server_close(&r);
}

TEST(http_1_0_keeps_alive_when_asked)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    push(&r, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_IDLE);
    forget(&r);
    push(&r, "GET / HTTP/1.0\r\n\r\n");
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    rig_server_close(&r);
}

TEST(connection_close_is_honoured_and_told)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    push(&r, "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n" GET);
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    CHECK(r.sink.closes == 1 && r.sink.clean);
    CHECK(strstr(seen(&r), "end\nGET") == NULL);
    rig_server_close(&r);
}

TEST(head_and_304_have_no_body_but_say_its_length)
{
    struct rig_server r;
    struct http_head *head;

    CHECK(rig_server_open(&r));
    push(&r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    forget(&r);
    r.o.answer = false;
    /* of unknown length: nothing is said */
    push(&r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(begin(&r, 200, HTTP_BODY_CHUNKED, 0));
    CHECK(rig_send_end(&r.o, NULL));
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\n\r\n");
    forget(&r);
    /* as it comes from a client session: no body, and the field */
    push(&r, GET);
    head = http_head_response(304);
    CHECK(http_head_add(head, bytes_str("Content-Length"), bytes_str("77")));
    head->length = 77;
    CHECK(rig_send_head(&r.o, head));
    CHECK(rig_send_end(&r.o, NULL));
    CHECK_STR(sent(&r), "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n");
    http_head_free(head);
    forget(&r);
    push(&r, GET);
    CHECK(rig_answer(&r.o, 204, NULL));
    CHECK_STR(sent(&r), "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_IDLE);
    rig_server_close(&r);
}

TEST(framing_fields_of_the_head_are_not_copied)
{
    struct rig_server r;
    struct http_head *head = http_head_response(200);
    static const char *const own[] = {"Connection",       "Transfer-Encoding", "Content-Length",
                                      "Keep-Alive",       "Upgrade",           "TE",
                                      "Proxy-Connection", "HTTP2-Settings"};

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        CHECK(http_head_add(head, bytes_str(own[i]), bytes_str("evil")));
    CHECK(http_head_add(head, bytes_str("X"), bytes_str("y")));
    CHECK(http_head_add(head, bytes_str("Gone"), bytes_str("y")));
    http_head_drop_name(head, bytes_str("gone"));
    CHECK(rig_send_head(&r.o, head));
    CHECK(rig_send_end(&r.o, NULL));
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\n\r\n");
    http_head_free(head);
    rig_server_close(&r);
}

TEST(interim_responses_come_before_and_only_to_http_1_1)
{
    struct rig_server r;
    struct http_head *head = http_head_response(103);

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    CHECK(http_head_add(head, bytes_str("Link"), bytes_str("<x>")));
    push(&r, GET);
    CHECK(rig_send_head(&r.o, head));
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK_STR(sent(&r), "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" OK);
    forget(&r);
    push(&r, "GET / HTTP/1.0\r\n\r\n");
    CHECK(rig_send_head(&r.o, head));
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK(strstr(sent(&r), "103") == NULL);
    http_head_free(head);
    rig_server_close(&r);
}

TEST(expect_without_100_ends_the_connection)
{
    static const char put[] =
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n";
    struct http_head *go = http_head_response(100);
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, put);
    CHECK(rig_answer(&r.o, 417, NULL));
    CHECK_STR(sent(&r), "HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    CHECK(r.sink.closes == 1 && r.sink.clean);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    CHECK_EQ(r.o.aborts, 0);
    rig_server_close(&r);

    CHECK(rig_server_open(&r));
    push(&r, put);
    CHECK(rig_send_head(&r.o, go));
    push(&r, "abc");
    CHECK_STR(sent(&r), "HTTP/1.1 100 Continue\r\n\r\n" OK);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_IDLE);
    http_head_free(go);
    rig_server_close(&r);
}

TEST(body_that_is_not_taken_is_offered_again)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.take = 2;
    CHECK_EQ(push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"), 48);
    CHECK(!h1_server_wants_recv(r.s));
    CHECK_EQ(push(&r, "cde"), 0);
    r.o.take = SIZE_MAX;
    http_stream_consumed(r.o.stream, 2);
    CHECK_EQ(r.sink.resumes, 1);
    CHECK(h1_server_wants_recv(r.s));
    CHECK_EQ(push(&r, "cde"), 3);
    CHECK(strstr(seen(&r), "data abcde\nend\n") != NULL);
    rig_server_close(&r);
}

TEST(room_that_opens_inside_data_is_not_lost)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.take = 2;
    r.o.reopen = true;
    CHECK_EQ(push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"), 48);
    CHECK_EQ(r.sink.resumes, 1);
    CHECK(h1_server_wants_recv(r.s));
    CHECK_EQ(push(&r, "cde"), 3);
    CHECK(strstr(seen(&r), "data abcde\nend\n") != NULL);
    rig_server_close(&r);
}

TEST(early_response_drops_the_rest_of_a_small_request)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK(r.o.stream != NULL);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_EXCHANGE);
    CHECK(h1_server_wants_recv(r.s));
    CHECK_EQ(push(&r, "cde" GET), 3 + strlen(GET));
    CHECK(strstr(seen(&r), "data ab\nend\n"
                           "GET / 1.1") != NULL);
    CHECK_EQ(r.sink.closes, 0);
    rig_server_close(&r);
}

TEST(early_response_closes_on_a_large_request)
{
    struct rig_server r;
    char *more = calloc(1, 100000);

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK_EQ(rig_server_push(&r, more, 100000, 1000), 100000);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    CHECK(r.sink.closes == 1 && r.sink.clean);
    CHECK_EQ(r.o.aborts, 1);
    CHECK(strstr(seen(&r), "data") == NULL);
    free(more);
    rig_server_close(&r);
}

TEST(abort_after_the_response_does_it_no_harm)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    CHECK(rig_answer(&r.o, 200, "ok"));
    rig_abort(&r.o);
    CHECK_EQ(r.sink.closes, 0);
    forget(&r);
    r.o.answer = true;
    CHECK_EQ(push(&r, "cde" GET), 3 + strlen(GET));
    CHECK_STR(seen(&r), GET_LOG);
    CHECK_STR(sent(&r), OK);
    rig_server_close(&r);
}

TEST(abort_breaks_the_connection)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    CHECK(begin(&r, 200, HTTP_BODY_LENGTH, 10));
    CHECK_EQ(rig_send_body(&r.o, "hello", 5), 5);
    rig_abort(&r.o);
    CHECK(r.sink.closes == 1 && !r.sink.clean);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    CHECK_EQ(push(&r, GET), strlen(GET)); /* taken and thrown away */
    CHECK_EQ(r.o.aborts, 0);
    rig_server_close(&r);
}

TEST(end_short_of_the_length_is_an_abort)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    CHECK(begin(&r, 200, HTTP_BODY_LENGTH, 10));
    CHECK_EQ(rig_send_body(&r.o, "hello", 5), 5);
    CHECK(!rig_send_end(&r.o, NULL));
    CHECK(r.sink.closes == 1 && !r.sink.clean);
    CHECK_EQ(r.o.aborts, 0);
    rig_server_close(&r);
}

TEST(no_more_than_the_length_can_be_written)
{
    struct rig_server r;
    struct span span;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    CHECK(begin(&r, 200, HTTP_BODY_LENGTH, 10));
    span = http_stream_lend(r.o.stream, 4096);
    CHECK_EQ(span.n, 10);
    memset(span.p, 'x', 10);
    http_stream_commit(r.o.stream, 10);
    CHECK(http_stream_lend(r.o.stream, 1).p == NULL);
    h1_server_writable(r.s);
    CHECK_EQ(r.o.writables, 0);
    CHECK(rig_send_end(&r.o, NULL));
    rig_server_close(&r);
}

TEST(want_of_room_is_told_once_there_is)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    CHECK(begin(&r, 200, HTTP_BODY_CHUNKED, 10));
    h1_server_writable(r.s);
    CHECK_EQ(r.o.writables, 0);
    r.sink.room = 0;
    CHECK(http_stream_lend(r.o.stream, 100).p == NULL);
    r.sink.room = 10000;
    h1_server_writable(r.s);
    h1_server_writable(r.s);
    CHECK_EQ(r.o.writables, 1);
    CHECK_EQ(rig_send_body(&r.o, "hello", 5), 5);
    CHECK(rig_send_end(&r.o, NULL));
    rig_server_close(&r);
}

TEST(upgrade_makes_a_tunnel)
{
    struct http_head *go = http_head_response(101);
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    CHECK(http_head_add(go, bytes_str("Upgrade"), bytes_str("websocket")));
    push(&r, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    CHECK(strstr(seen(&r), "[a] none upgrade\n") != NULL);
    CHECK(r.o.in_ended);
    CHECK(rig_send_head(&r.o, go));
    r.o.in_ended = r.o.out_ended = false;
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_TUNNEL);
    CHECK_STR(sent(&r),
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
    forget(&r);
    CHECK_EQ(push(&r, "GET / HTTP/1.1\r\n\r\n"), 18);
    CHECK_EQ(rig_send_body(&r.o, "bytes", 5), 5);
    CHECK_STR(seen(&r), "data GET / HTTP/1.1\r\n\r\n\n");
    CHECK_STR(sent(&r), "bytes");
    /* each side ends apart from the other */
    CHECK(rig_send_end(&r.o, NULL));
    CHECK_EQ(r.sink.closes, 0);
    forget(&r);
    CHECK_EQ(push(&r, "more"), 4);
    h1_server_eof(r.s);
    CHECK_STR(seen(&r), "data more\nend\n");
    CHECK(r.sink.closes == 1 && r.sink.clean);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    http_head_free(go);
    rig_server_close(&r);
}

TEST(upgrade_that_cannot_be)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: H2C\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
    };

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct rig_server r;

        CHECK(rig_server_open(&r));
        push(&r, requests[i]);
        if (!CHECK(r.o.head != NULL && !r.o.head->upgrade))
            printf("    of %s\n", requests[i]);
        rig_server_close(&r);
    }
}

TEST(eof_where_it_matters)
{
    struct rig_server r;

    CHECK(rig_server_open(&r)); /* idle */
    h1_server_eof(r.s);
    CHECK(r.sink.closes == 1 && r.sink.clean);
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
    rig_server_close(&r);

    CHECK(rig_server_open(&r)); /* in a head */
    push(&r, "GET");
    CHECK_EQ(h1_server_state(r.s), H1_SERVER_HEAD);
    h1_server_eof(r.s);
    CHECK_EQ(r.sink.closes, 1);
    CHECK_STR(seen(&r), "");
    rig_server_close(&r);

    CHECK(rig_server_open(&r)); /* in a body */
    push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    h1_server_eof(r.s);
    CHECK(strstr(seen(&r), "aborted 1 connection closed before the request was complete") != NULL);
    CHECK(r.sink.closes == 1 && !r.sink.clean);
    rig_server_close(&r);

    CHECK(rig_server_open(&r)); /* behind a request: it is still answered */
    r.o.answer = false;
    push(&r, GET);
    h1_server_eof(r.s);
    CHECK_EQ(r.sink.closes, 0);
    CHECK(rig_answer(&r.o, 200, "ok"));
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK(r.sink.closes == 1 && r.sink.clean);
    rig_server_close(&r);
}

TEST(free_tells_the_owner)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    push(&r, GET);
    h1_server_free(r.s);
    r.s = NULL;
    CHECK_EQ(r.o.aborts, 1);
    CHECK_EQ(r.sink.closes, 0);
    rig_server_close(&r);
}

TEST(drain_ends_after_the_request_under_way)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    h1_server_drain(r.s);
    CHECK(r.sink.closes == 1 && r.sink.clean);
    rig_server_close(&r);

    CHECK(rig_server_open(&r));
    push(&r, "GET / HT");
    h1_server_drain(r.s);
    CHECK_EQ(r.sink.closes, 0);
    push(&r, "TP/1.1\r\nHost: a\r\n\r\n" GET);
    CHECK_STR(sent(&r), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK_EQ(r.sink.closes, 1);
    rig_server_close(&r);
}

TEST(malformed_body_is_refused)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n");
    CHECK(strstr(seen(&r), "data x\naborted 2 chunk data without CRLF behind it\n") != NULL);
    CHECK_STR(sent(&r), "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    CHECK(r.sink.closes == 1 && r.sink.clean);
    rig_server_close(&r);

    CHECK(rig_server_open(&r)); /* with the response under way there is nothing to say */
    r.o.answer = false;
    push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(begin(&r, 200, HTTP_BODY_LENGTH, 3));
    push(&r, "zz");
    CHECK(r.sink.closes == 1 && !r.sink.clean);
    CHECK(strstr(sent(&r), "400") == NULL);
    rig_server_close(&r);
}

TEST(abort_inside_events)
{
    for (int where = 0; where < 3; where++) {
        struct rig_server r;

        CHECK(rig_server_open(&r));
        r.o.abort_in_head = where == 0;
        r.o.abort_in_data = where == 1;
        r.o.abort_in_end = where == 2;
        push(&r, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab" GET);
        CHECK(r.sink.closes == 1 && !r.sink.clean);
        CHECK_EQ(r.o.aborts, 0);
        CHECK_STR(sent(&r), "");
        CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
        rig_server_close(&r);
    }
}

TEST(large_body_in_small_and_large_spans)
{
    static char body[200000];

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 26);
    for (size_t span = 512; span < 400000; span *= 3) {
        struct rig_server r;
        struct rig_client c;

        CHECK(rig_server_open(&r) && rig_client_open(&c));
        r.sink.span = span;
        r.o.answer = false;
        push(&r, GET);
        CHECK(begin(&r, 200, HTTP_BODY_CHUNKED, 0));
        CHECK_EQ(rig_send_body(&r.o, body, sizeof body), sizeof body);
        CHECK(rig_send_end(&r.o, NULL));
        /* and read back by the other side */
        CHECK(rig_client_ask(&c, "GET", false));
        CHECK_EQ(rig_client_push(&c, r.sink.out.p, r.sink.out.n, 777), r.sink.out.n);
        CHECK_MEM(c.o.body.p, c.o.body.n, body, sizeof body);
        CHECK(h1_client_is_idle(c.c));
        rig_server_close(&r);
        rig_client_close(&c);
    }
}

/* Every allocation of a request's life failed in turn: the connection may end, nothing else may. */
TEST(out_of_memory_anywhere)
{
    static const char in[] =
        "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\nT: 1\r\n\r\nGET http://h?q HTTP/1.1\r\nHost: a\r\n\r\nGET / X\r\n";

    for (size_t piece = 1; piece <= sizeof in; piece += piece < 4 ? 1 : 60) {
        size_t blocks = mem_blocks(), before = mem_allocations(), count;
        struct rig_server r;

        CHECK(rig_server_open(&r));
        rig_server_push(&r, in, sizeof in - 1, piece);
        rig_server_close(&r);
        count = mem_allocations() - before;
        CHECK(count > 6);
        for (size_t i = 0; i < count; i++) {
            mem_fail_at((long)i, 1);
            if (rig_server_open(&r))
                rig_server_push(&r, in, sizeof in - 1, piece);
            mem_fail_at(-1, 0);
            if (r.s != NULL)
                rig_server_close(&r);
            CHECK_EQ(mem_blocks(), blocks);
        }
    }
}

TEST_MAIN(RUN(request_is_answered_and_the_connection_kept), RUN(request_in_any_pieces_is_the_same_request),
          RUN(pipelined_requests_wait_for_the_response), RUN(response_of_unknown_length_is_chunked),
          RUN(http_1_0_gets_no_chunks), RUN(http_1_0_keeps_alive_when_asked),
          RUN(connection_close_is_honoured_and_told), RUN(head_and_304_have_no_body_but_say_its_length),
          RUN(framing_fields_of_the_head_are_not_copied),
          RUN(interim_responses_come_before_and_only_to_http_1_1),
          RUN(expect_without_100_ends_the_connection), RUN(body_that_is_not_taken_is_offered_again),
          RUN(room_that_opens_inside_data_is_not_lost), RUN(early_response_drops_the_rest_of_a_small_request),
          RUN(early_response_closes_on_a_large_request), RUN(abort_after_the_response_does_it_no_harm),
          RUN(abort_breaks_the_connection), RUN(end_short_of_the_length_is_an_abort),
          RUN(no_more_than_the_length_can_be_written), RUN(want_of_room_is_told_once_there_is),
          RUN(upgrade_makes_a_tunnel), RUN(upgrade_that_cannot_be), RUN(eof_where_it_matters),
          RUN(free_tells_the_owner), RUN(drain_ends_after_the_request_under_way),
          RUN(malformed_body_is_refused), RUN(abort_inside_events), RUN(large_body_in_small_and_large_spans),
          RUN(out_of_memory_anywhere))
