/* SPDX-License-Identifier: MIT
 *
 * Requests. However the bytes are cut, the session sees and sends the same; and what it takes for a request, written
 * for an upstream and read again, is that request again: no two readings of it.
 */
#include "tests/unit/http/rig.h"

static void expect(bool held, const char *what)
{
    if (held)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* The head as it goes to an upstream. */
static void write_on(const struct http_head *head, struct rig_text *out)
{
    struct rig_client c;
    struct http_head *copy = http_head_copy(head, 0, 0);

    expect(rig_client_open(&c) && copy != NULL, "memory");
    copy->keep_alive = true; /* as a proxy says: the client's wish is not the upstream's */
    rig_take(&c.o, h1_client_request(c.c));
    expect(rig_send_head(&c.o, copy), "the head is written");
    rig_put(out, c.sink.out.p, c.sink.out.n);
    rig_abort(&c.o);
    http_head_free(copy);
    rig_client_close(&c);
}

static void check_again(const struct http_head *head)
{
    struct rig_text first = {0}, second = {0};
    struct rig_server r;

    if (head->method == HTTP_CONNECT || head->host_len == 0)
        return; /* never sent on */
    write_on(head, &first);
    expect(rig_server_open(&r), "memory");
    r.limits = (struct http_limits){.line = 100000, .fields = 200000, .count = 300};
    r.o.answer = false;
    rig_server_push(&r, first.p, first.n, SIZE_MAX);
    expect(r.o.bads == 0 && r.o.head != NULL, "what is sent on is a request");
    expect(r.o.head->method == head->method && r.o.head->body == head->body &&
               r.o.head->length == head->length && r.o.head->upgrade == head->upgrade,
           "it is the same request");
    expect(bytes_equal(http_head_method(head), http_head_method(r.o.head)) &&
               bytes_equal(http_head_path(head), http_head_path(r.o.head)) &&
               bytes_equal(http_head_host(head), http_head_host(r.o.head)),
           "it has the same method, path and host");
    write_on(r.o.head, &second);
    expect(first.n == second.n && memcmp(first.p, second.p, first.n) == 0, "it is written the same way");
    rig_server_close(&r);
    free(first.p);
    free(second.p);
}

static void on_request(void *owner, struct http_stream *stream, struct http_head *head)
{
    check_again(head);
    rig_on_request(owner, stream, head);
}

static const struct h1_server_events events = {.request = on_request, .bad_request = rig_on_bad_request};

static void run(const uint8_t *p, size_t n, size_t piece, bool checked, struct rig_text *log,
                struct rig_text *out)
{
    struct rig_server r;
    struct http_sink sink;
    size_t at = 0;

    expect(rig_server_open(&r), "memory");
    if (checked) {
        sink = rig_sink_of(&r.sink);
        h1_server_free(r.s);
        r.s = h1_server_new(&sink, &r.limits, &events, &r);
        expect(r.s != NULL, "memory");
    }
    at = rig_server_push(&r, p, n, piece);
    expect(at == n, "all is taken when everything is answered");
    h1_server_eof(r.s);
    rig_line(&r.o);
    rig_put(log, r.o.log.p, r.o.log.n);
    rig_put(out, r.sink.out.p, r.sink.out.n);
    rig_server_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 7};
    struct rig_text log = {0}, out = {0};
    size_t blocks = mem_blocks();

    run(data, size, SIZE_MAX, true, &log, &out);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct rig_text log2 = {0}, out2 = {0};

        run(data, size, pieces[i], false, &log2, &out2);
        expect(log.n == log2.n && memcmp(rig_str(&log), rig_str(&log2), log.n) == 0,
               "the same events in pieces");
        expect(out.n == out2.n && memcmp(rig_str(&out), rig_str(&out2), out.n) == 0,
               "the same answers in pieces");
        free(log2.p);
        free(out2.p);
    }
    free(log.p);
    free(out.p);
    expect(mem_blocks() == blocks, "all memory is given back");
    return 0;
}
