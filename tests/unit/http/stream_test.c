/* SPDX-License-Identifier: MIT
 *
 * The stream interface does for a protocol with many streams on one connection, as HTTP/2 is: a small multiplexing
 * session with frames and a window for each stream stands in for it, and exchanges written against http/stream.h
 * alone join its streams to HTTP/1.1 upstreams, two at once.
 */
#include "tests/unit/http/rig.h"
#include "tests/unit/test.h"

/* --- the session: frames of id, type, length and payload, both ways --- */

enum { FRAME_HEAD = 'h', FRAME_DATA = 'd', FRAME_END = 'e', FRAME_RESET = 'r' };

#define STREAMS 4
#define FRAME   3 /* bytes before the payload */

struct mux;

struct mux_stream {
    struct http_stream stream;
    struct mux *mux;
    uint8_t id;
    bool live, in_ended, out_ended;
    size_t window; /* what may be sent */
    size_t credit; /* what was consumed: the peer may send as much again */
    bool starved;
    uint8_t lent[256 + FRAME];
};

struct mux {
    struct mux_stream streams[STREAMS];
    struct rig_text out; /* what was sent, frames as text: "1h200", "1dhello", "1e" */
    void (*request)(void *owner, struct http_stream *stream, struct http_head *head);
    void *owner;
};

static void mux_frame(struct mux_stream *s, char type, const void *p, size_t n)
{
    rig_printf(&s->mux->out, "%u%c", s->id, type);
    rig_put(&s->mux->out, p, n);
    rig_put(&s->mux->out, "\n", 1);
}

static void mux_maybe_over(struct mux_stream *s)
{
    if (s->in_ended && s->out_ended)
        s->live = false;
}

static bool mux_head(struct http_stream *stream, const struct http_head *head)
{
    char status[8];

    snprintf(status, sizeof status, "%u", head->status);
    mux_frame((struct mux_stream *)stream, FRAME_HEAD, status, strlen(status));
    return true;
}

static struct span mux_lend(struct http_stream *stream, size_t want)
{
    struct mux_stream *s = (struct mux_stream *)stream;
    size_t n = want < s->window ? want : s->window;

    if (n > sizeof s->lent - FRAME)
        n = sizeof s->lent - FRAME;
    s->starved = n == 0;
    return n == 0 ? (struct span){NULL, 0} : (struct span){s->lent + FRAME, n};
}

static void mux_commit(struct http_stream *stream, size_t n)
{
    struct mux_stream *s = (struct mux_stream *)stream;

    if (n == 0)
        return;
    s->window -= n;
    mux_frame(s, FRAME_DATA, s->lent + FRAME, n);
}

static bool mux_end(struct http_stream *stream, const struct http_head *trailers)
{
    struct mux_stream *s = (struct mux_stream *)stream;

    (void)trailers;
    mux_frame(s, FRAME_END, NULL, 0);
    s->out_ended = true;
    mux_maybe_over(s);
    return true;
}

static void mux_abort(struct http_stream *stream, enum http_error error)
{
    struct mux_stream *s = (struct mux_stream *)stream;

    (void)error;
    mux_frame(s, FRAME_RESET, NULL, 0);
    s->live = false;
}

static void mux_consumed(struct http_stream *stream, size_t n)
{
    ((struct mux_stream *)stream)->credit += n;
}

static const struct http_stream_class mux_class = {.head = mux_head,
                                                   .lend = mux_lend,
                                                   .commit = mux_commit,
                                                   .end = mux_end,
                                                   .abort = mux_abort,
                                                   .consumed = mux_consumed};

static void mux_open(struct mux *m, uint8_t id, const uint8_t *path, size_t n)
{
    struct mux_stream *s = &m->streams[id];
    struct http_head *head = http_head_request("POST", bytes_of(path, n), bytes_str("h"));

    *s = (struct mux_stream){.stream.vtable = &mux_class, .mux = m, .id = id, .live = true, .window = 8};
    head->body = HTTP_BODY_CHUNKED;
    m->request(m->owner, &s->stream, head);
}

static void mux_recv(struct mux *m, const uint8_t *p, size_t n)
{
    while (n >= FRAME) {
        struct mux_stream *s = &m->streams[p[0]];
        uint8_t type = p[1], len = p[2];

        p += FRAME;
        if (type == FRAME_HEAD) {
            mux_open(m, (uint8_t)(s - m->streams), p, len);
        } else if (!s->live) {
            /* too late */
        } else if (type == FRAME_DATA) {
            CHECK_EQ(s->stream.events->data(s->stream.owner, p, len), len);
        } else if (type == FRAME_END) {
            s->in_ended = true;
            mux_maybe_over(s);
            s->stream.events->end(s->stream.owner, NULL);
        } else {
            s->live = false;
            s->stream.events->aborted(s->stream.owner, HTTP_ERROR_CANCELLED, "reset");
        }
        p += len;
        n -= (size_t)len + FRAME;
    }
}

static void mux_window(struct mux *m, unsigned id, size_t more)
{
    struct mux_stream *s = &m->streams[id];

    s->window += more;
    if (s->live && s->starved) {
        s->starved = false;
        s->stream.events->writable(s->stream.owner);
    }
}

/* --- an exchange: knows streams, and nothing of what carries them --- */

struct exchange {
    struct http_stream *down, *up;
    bool down_over_in, down_over_out, up_over_in, up_over_out;
    struct rig_client upstream;
};

static void give_up(struct exchange *x)
{
    if (x->down != NULL && !(x->down_over_in && x->down_over_out))
        http_stream_abort(x->down, HTTP_ERROR_CANCELLED);
    if (x->up != NULL && !(x->up_over_in && x->up_over_out))
        http_stream_abort(x->up, HTTP_ERROR_CANCELLED);
    x->down = x->up = NULL;
}

static size_t pass(struct http_stream *to, const uint8_t *p, size_t n)
{
    size_t passed = 0;

    while (passed < n) {
        struct span span = http_stream_lend(to, n - passed);

        if (span.p == NULL)
            break;
        memcpy(span.p, p + passed, span.n);
        http_stream_commit(to, span.n);
        passed += span.n;
    }
    return passed;
}

static size_t request_data(void *owner, const uint8_t *p, size_t n)
{
    struct exchange *x = owner;
    size_t passed = pass(x->up, p, n);

    http_stream_consumed(x->down, passed);
    return passed;
}

static void request_end(void *owner, const struct http_head *trailers)
{
    struct exchange *x = owner;

    x->down_over_in = x->up_over_out = true;
    (void)http_stream_end(x->up, trailers);
}

static void client_aborted(void *owner, enum http_error error, const char *why)
{
    (void)error;
    (void)why;
    ((struct exchange *)owner)->down = NULL;
    give_up(owner);
}

static void client_writable(void *owner)
{
    struct exchange *x = owner;

    if (x->up != NULL)
        http_stream_consumed(x->up, 1);
}

static const struct http_stream_events down_events = {
    .data = request_data, .end = request_end, .aborted = client_aborted, .writable = client_writable};

static void response_head(void *owner, struct http_head *head)
{
    struct exchange *x = owner;

    (void)http_stream_head(x->down, head);
    http_head_free(head);
}

static size_t response_data(void *owner, const uint8_t *p, size_t n)
{
    return pass(((struct exchange *)owner)->down, p, n);
}

static void response_end(void *owner, const struct http_head *trailers)
{
    struct exchange *x = owner;

    x->up_over_in = x->down_over_out = true;
    (void)http_stream_end(x->down, trailers);
}

static void upstream_aborted(void *owner, enum http_error error, const char *why)
{
    (void)error;
    (void)why;
    ((struct exchange *)owner)->up = NULL;
    give_up(owner);
}

static const struct http_stream_events up_events = {
    .head = response_head, .data = response_data, .end = response_end, .aborted = upstream_aborted};

struct pair {
    struct mux mux;
    struct exchange x[2];
    unsigned n;
};

static void begin_exchange(void *owner, struct http_stream *stream, struct http_head *head)
{
    struct pair *pair = owner;
    struct exchange *x = &pair->x[pair->n++];

    CHECK(rig_client_open(&x->upstream));
    stream->events = &down_events;
    stream->owner = x;
    x->down = stream;
    x->up = h1_client_request(x->upstream.c);
    x->up->events = &up_events;
    x->up->owner = x;
    CHECK(http_stream_head(x->up, head));
    http_head_free(head);
}

static void pair_open(struct pair *pair)
{
    *pair = (struct pair){
        .mux = {.request = begin_exchange, .owner = pair}
    };
}

static void pair_close(struct pair *pair)
{
    for (unsigned i = 0; i < pair->n; i++)
        rig_client_close(&pair->x[i].upstream);
    free(pair->mux.out.p);
}

static size_t answer(struct exchange *x, const char *text)
{
    return rig_client_push(&x->upstream, text, strlen(text), SIZE_MAX);
}

static void send_requests(struct pair *pair)
{
    static const uint8_t frames[] = {1,   'h', 2,   '/', 'a', 2, 'h', 2,   '/', 'b', 2,
                                     'd', 3,   't', 'w', 'o', 1, 'd', 3,   'o', 'n', 'e',
                                     2,   'e', 0,   1,   'd', 2, '!', '!', 1,   'e', 0};

    mux_recv(&pair->mux, frames, sizeof frames);
}

TEST(two_exchanges_at_once_over_one_connection)
{
    struct pair pair;

    pair_open(&pair);
    send_requests(&pair);
    CHECK_EQ(pair.n, 2);
    CHECK_STR(rig_str(&pair.x[0].upstream.sink.out),
              "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
              "0003\r\none\r\n0002\r\n!!\r\n0\r\n\r\n");
    CHECK_STR(rig_str(&pair.x[1].upstream.sink.out),
              "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\ntwo\r\n0\r\n\r\n");
    CHECK_EQ(pair.mux.streams[1].credit, 5);
    CHECK_EQ(pair.mux.streams[2].credit, 3);
    /* the second is answered first, and both in turns */
    answer(&pair.x[1], "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nBB");
    answer(&pair.x[0], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nAAA\r\n");
    answer(&pair.x[1], "bb");
    answer(&pair.x[0], "1\r\na\r\n0\r\n\r\n");
    CHECK_STR(rig_str(&pair.mux.out), "2h201\n2dBB\n1h200\n1dAAA\n2dbb\n2e\n1da\n1e\n");
    CHECK(!pair.mux.streams[1].live && !pair.mux.streams[2].live);
    CHECK(h1_client_is_idle(pair.x[0].upstream.c) && h1_client_is_idle(pair.x[1].upstream.c));
    pair_close(&pair);
}

TEST(window_of_one_stream_holds_up_its_own_upstream_alone)
{
    static const char rest[] = "89";
    struct pair pair;

    pair_open(&pair);
    send_requests(&pair);
    CHECK_EQ(answer(&pair.x[0], "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"), 47);
    CHECK(!h1_client_wants_recv(pair.x[0].upstream.c));
    CHECK_EQ(answer(&pair.x[0], rest), 0);
    answer(&pair.x[1], "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz");
    CHECK_STR(rig_str(&pair.mux.out), "1h200\n1d01234567\n2h200\n2dxyz\n2e\n");
    mux_window(&pair.mux, 2, 100);
    CHECK_EQ(pair.x[0].upstream.sink.resumes, 0);
    mux_window(&pair.mux, 1, 100);
    CHECK_EQ(pair.x[0].upstream.sink.resumes, 1);
    CHECK(h1_client_wants_recv(pair.x[0].upstream.c));
    CHECK_EQ(answer(&pair.x[0], rest), 2);
    CHECK(strstr(rig_str(&pair.mux.out), "1d89\n1e\n") != NULL);
    pair_close(&pair);
}

TEST(end_of_one_exchange_is_none_of_the_others)
{
    static const uint8_t reset[] = {1, 'r', 0};
    struct pair pair;

    pair_open(&pair); /* the client gives one up */
    send_requests(&pair);
    mux_recv(&pair.mux, reset, sizeof reset);
    CHECK(pair.x[0].upstream.sink.closes == 1 && !pair.x[0].upstream.sink.clean);
    answer(&pair.x[1], "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz");
    CHECK_STR(rig_str(&pair.mux.out), "2h200\n2dxyz\n2e\n");
    pair_close(&pair);

    pair_open(&pair); /* an upstream lies to one */
    send_requests(&pair);
    answer(&pair.x[0], "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx");
    h1_client_eof(pair.x[0].upstream.c);
    answer(&pair.x[1], "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz");
    CHECK_STR(rig_str(&pair.mux.out), "1h200\n1dx\n1r\n2h200\n2dxyz\n2e\n");
    pair_close(&pair);
}

TEST_MAIN(RUN(two_exchanges_at_once_over_one_connection),
          RUN(window_of_one_stream_holds_up_its_own_upstream_alone),
          RUN(end_of_one_exchange_is_none_of_the_others))
