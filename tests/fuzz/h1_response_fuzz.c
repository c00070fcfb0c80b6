/* SPDX-License-Identifier: MIT
 *
 * Responses. The first byte says which request they answer. However the bytes are cut, and read directly or not, the
 * stream's owner sees the same; and a head that is taken, written for a client and read again, is that head again.
 */
#include "tests/unit/http/rig.h"

enum { BYTE_HEAD = 1, BYTE_UPGRADE = 2, BYTE_ABORT = 4 };

static void expect(bool held, const char *what)
{
    if (held)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* The response as a client gets it, whole. */
static void write_on(const struct http_head *head, bool is_head, struct rig_text *out)
{
    static const char *const requests[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                           "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"};
    struct rig_server s;
    struct http_head *copy = http_head_copy(head, 0, 0);

    expect(rig_server_open(&s) && copy != NULL, "memory");
    copy->keep_alive = true;
    s.o.answer = false;
    rig_server_push(&s, requests[is_head], strlen(requests[is_head]), SIZE_MAX);
    expect(rig_send_head(&s.o, copy), "the head is written");
    rig_put(out, s.sink.out.p, s.sink.out.n);
    http_head_free(copy);
    rig_server_close(&s);
}

static void check_again(const struct http_head *head, bool is_head)
{
    struct rig_text first = {0}, second = {0};
    struct rig_client c;
    enum http_body body = head->body == HTTP_BODY_CLOSE ? HTTP_BODY_CHUNKED : head->body;

    if (head->status < 200)
        return;
    write_on(head, is_head, &first);
    expect(rig_client_open(&c), "memory");
    c.limits = (struct http_limits){.line = 100000, .fields = 200000, .count = 300};
    expect(rig_client_ask(&c, is_head ? "HEAD" : "GET", false), "memory");
    rig_client_push(&c, first.p, first.n, SIZE_MAX);
    expect(c.o.head != NULL, "what is sent on is a response");
    expect(c.o.head->status == head->status && c.o.head->body == body &&
               (head->body != HTTP_BODY_LENGTH || c.o.head->length == head->length),
           "it is the same response");
    expect(bytes_equal(http_head_reason(head), http_head_reason(c.o.head)), "it has the same reason");
    write_on(c.o.head, is_head, &second);
    expect(first.n == second.n && memcmp(first.p, second.p, first.n) == 0, "it is written the same way");
    rig_client_close(&c);
    free(first.p);
    free(second.p);
}

/* Pushes all of it, or lets it be read directly where that is possible. */
static void feed(struct rig_client *r, const uint8_t *p, size_t n, size_t piece)
{
    while (n > 0) {
        size_t some = n < piece ? n : piece, took;
        struct span span = h1_client_room(r->c);

        if (span.p != NULL) {
            took = span.n < some ? span.n : some;
            memcpy(span.p, p, took);
            h1_client_filled(r->c, took);
        } else {
            took = rig_client_push(r, p, some, SIZE_MAX);
            if (took == 0)
                break;
        }
        p += took;
        n -= took;
    }
}

struct result {
    struct rig_text log;
    bool idle, got;
};

static struct result run(const uint8_t *p, size_t n, uint8_t how, size_t piece, bool direct, bool checked)
{
    static uint8_t room[5000];
    struct rig_client r;
    struct result result = {.idle = false};

    expect(rig_client_open(&r), "memory");
    r.o.room = direct ? room : NULL;
    r.o.room_n = sizeof room;
    r.o.abort_in_data = (how & BYTE_ABORT) != 0;
    expect(rig_client_ask(&r, (how & BYTE_HEAD) != 0 ? "HEAD" : "GET", (how & BYTE_UPGRADE) != 0), "memory");
    feed(&r, p, n, piece);
    result.got = h1_client_got_response(r.c);
    result.idle = h1_client_is_idle(r.c);
    h1_client_eof(r.c);
    expect(!h1_client_is_idle(r.c), "nothing is idle behind its end");
    if (checked && r.o.head != NULL)
        check_again(r.o.head, (how & BYTE_HEAD) != 0);
    expect(r.o.in_ended || r.o.aborts == 1 || r.o.abort_in_data, "every response has an end");
    rig_line(&r.o);
    rig_put(&result.log, r.o.log.p, r.o.log.n);
    rig_client_close(&r);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 7, 3000};
    struct result first;
    size_t blocks = mem_blocks();

    if (size == 0)
        return 0;
    first = run(data + 1, size - 1, data[0], SIZE_MAX, false, true);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct result again = run(data + 1, size - 1, data[0], pieces[i], i % 2 == 1, false);

        expect(first.log.n == again.log.n &&
                   memcmp(rig_str(&first.log), rig_str(&again.log), first.log.n) == 0,
               "the same events in pieces");
        expect(first.idle == again.idle && first.got == again.got, "the same connection in pieces");
        free(again.log.p);
    }
    free(first.log.p);
    expect(mem_blocks() == blocks, "all memory is given back");
    return 0;
}
