/* SPDX-License-Identifier: MIT
 *
 * Owns what leaves: heads, chunk sizes, ends. Invariant: between lend and commit `out->lent` points into the sink's
 * span behind the room that a chunk-size line takes; the line has a fixed width, so that body bytes stay where the
 * owner put them.
 */
#include "http/h1_write.h"

#include "http/h1_parse.h"

#include <assert.h>
#include <string.h>

#define CHUNK_BEFORE 6 /* "XXXX\r\n" */
#define CHUNK_AFTER  2 /* "\r\n" */
#define CHUNK_MAX    0xffff

/* --- a head, written into what the sink lends and, when that is full, through the stack --- */

struct out {
    const struct http_sink *sink;
    struct writer w;
    bool lent; /* the writer's bytes are the sink's */
    bool failed;
    uint8_t stack[512];
};

static void out_open(struct out *o, const struct http_sink *sink, size_t want)
{
    struct span span = sink->lend(sink->ctx, want);

    o->sink = sink;
    o->failed = false;
    o->lent = span.p != NULL;
    o->w = o->lent ? writer_of(span.p, span.n) : writer_of(o->stack, sizeof o->stack);
}

static void out_flush(struct out *o)
{
    size_t n = writer_len(&o->w);

    if (n > 0 && !o->failed) {
        if (o->lent)
            o->sink->commit(o->sink->ctx, n);
        else if (!o->sink->put(o->sink->ctx, o->stack, n))
            o->failed = true;
    }
    o->lent = false;
    o->w = writer_of(o->stack, sizeof o->stack);
}

static void out_bytes_over(struct out *o, struct bytes b)
{
    while (b.n > writer_room(&o->w)) {
        size_t n = writer_room(&o->w);

        writer_put(&o->w, b.p, n);
        b.p += n;
        b.n -= n;
        out_flush(o);
    }
    writer_bytes(&o->w, b);
}

/* Nearly always all of it fits. Inline, so that a literal is a few stores. */
static inline void out_bytes(struct out *o, struct bytes b)
{
    if (b.n <= writer_room(&o->w))
        o->w.p = bytes_copy(o->w.p, b);
    else
        out_bytes_over(o, b);
}

static inline void out_str(struct out *o, const char *text)
{
    out_bytes(o, bytes_str(text));
}

static void out_dec(struct out *o, uint64_t v)
{
    uint8_t digits[20];
    struct writer w;

    if (writer_room(&o->w) >= sizeof digits) {
        writer_dec(&o->w, v);
        return;
    }
    w = writer_of(digits, sizeof digits);
    writer_dec(&w, v);
    out_bytes(o, bytes_of(digits, writer_len(&w)));
}

static void out_field(struct out *o, struct bytes name, struct bytes value)
{
    struct bytes colon = bytes_str(": "), end = bytes_str("\r\n");

    if (name.n + colon.n + value.n + end.n <= writer_room(&o->w)) {
        o->w.p = bytes_copy(bytes_copy(bytes_copy(bytes_copy(o->w.p, name), colon), value), end);
        return;
    }
    out_bytes(o, name);
    out_bytes(o, colon);
    out_bytes(o, value);
    out_bytes(o, end);
}

/* --- fields --- */

#define BIT(id) HTTP_FIELD_BIT(HTTP_FIELD_##id)

/* Fields that are this connection's own, or the session's to make. */
#define OWN                                                                                    \
    (BIT(CONNECTION) | BIT(CONTENT_LENGTH) | BIT(TRANSFER_ENCODING) | BIT(TE) | BIT(UPGRADE) | \
     BIT(KEEP_ALIVE) | BIT(PROXY_CONNECTION) | BIT(HTTP2_SETTINGS))

static void out_upgrade(struct out *o, const struct http_head *head)
{
    bool first = true;

    for (uint32_t i = 0; i < head->field_count; i++) {
        const struct http_field *f = &head->fields[i];
        struct bytes list, member;

        if (f->id != HTTP_FIELD_UPGRADE || f->dropped)
            continue;
        list = http_field_value(head, f);
        while (http_list_next(&list, &member)) {
            if (h1_is_h2c(member))
                continue;
            out_str(o, first ? "Upgrade: " : ", ");
            out_bytes(o, member);
            first = false;
        }
    }
    if (!first)
        out_str(o, "\r\n");
}

/* How long the line is, if the field lies in the text as one, just as it is written here: what was received mostly
 * does, and what was added does. Else 0. */
static uint32_t line_of(const struct http_head *head, const struct http_field *f)
{
    uint32_t colon = f->name + f->name_len, end = f->value + f->value_len;

    if (f->value != colon + 2 || end + 2 > head->text_len || memcmp(head->text + colon, ": ", 2) != 0 ||
        memcmp(head->text + end, "\r\n", 2) != 0)
        return 0;
    return end + 2 - f->name;
}

/* Lines that lie one behind the other go as one run. */
static void out_fields(struct out *o, const struct http_head *head, uint32_t skip)
{
    uint32_t run = 0, run_len = 0;

    for (uint32_t i = 0; i < head->field_count; i++) {
        const struct http_field *f = &head->fields[i];
        uint32_t line;

        if (f->dropped || (HTTP_FIELD_BIT(f->id) & skip) != 0)
            continue;
        line = line_of(head, f);
        if (line == 0 || f->name != run + run_len) {
            out_bytes(o, http_head_text(head, run, run_len));
            run = f->name;
            run_len = 0;
        }
        if (line == 0)
            out_field(o, http_field_name(head, f), http_field_value(head, f));
        run_len += line;
    }
    out_bytes(o, http_head_text(head, run, run_len));
}

static bool out_rest(struct out *o, const struct http_head *head, enum h1_framing framing,
                     const char *connection, bool upgrade)
{
    if (upgrade)
        out_upgrade(o, head);
    if (connection != NULL)
        out_field(o, bytes_str("Connection"), bytes_str(connection));
    if (framing == H1_FRAME_LENGTH || framing == H1_FRAME_EMPTY) {
        out_str(o, "Content-Length: ");
        out_dec(o, framing == H1_FRAME_LENGTH ? head->length : 0);
        out_str(o, "\r\n");
    } else if (framing == H1_FRAME_CHUNKED) {
        out_str(o, "Transfer-Encoding: chunked\r\n");
    }
    out_str(o, "\r\n");
    out_flush(o);
    return !o->failed;
}

bool h1_write_request(const struct http_sink *sink, const struct http_head *head, enum h1_framing framing,
                      const char *connection, bool upgrade)
{
    BYTES_UNSET struct out o;

    out_open(&o, sink, (size_t)head->text_len + 256);
    out_bytes(&o, http_head_method(head));
    out_str(&o, " ");
    out_bytes(&o, http_head_path(head));
    out_str(&o, " HTTP/1.1\r\n");
    out_field(&o, bytes_str("Host"), http_head_host(head));
    out_fields(&o, head, OWN | BIT(HOST));
    return out_rest(&o, head, framing, connection, upgrade);
}

bool h1_write_response(const struct http_sink *sink, const struct http_head *head, enum h1_framing framing,
                       const char *connection, bool upgrade, bool *full)
{
    BYTES_UNSET struct out o;

    out_open(&o, sink, (size_t)head->text_len + 256);
    if (!o.lent)
        *full = true;
    out_str(&o, "HTTP/1.1 ");
    out_dec(&o, head->status);
    out_str(&o, " ");
    out_bytes(&o, http_head_reason(head));
    out_str(&o, "\r\n");
    out_fields(&o, head, OWN);
    return out_rest(&o, head, framing, connection, upgrade);
}

/* --- the body --- */

void h1_out_start(struct h1_out *out, enum h1_framing framing, uint64_t length)
{
    static const uint8_t states[] = {
        [H1_FRAME_NOTHING] = H1_OUT_NOBODY, [H1_FRAME_EMPTY] = H1_OUT_NOBODY,
        [H1_FRAME_LENGTH] = H1_OUT_LENGTH,  [H1_FRAME_CHUNKED] = H1_OUT_CHUNKED,
        [H1_FRAME_RAW] = H1_OUT_RAW,
    };

    *out = (struct h1_out){.state = states[framing], .left = framing == H1_FRAME_LENGTH ? length : 0};
}

struct span h1_out_lend(struct h1_out *out, const struct http_sink *sink, size_t want)
{
    const struct span none = {NULL, 0};
    bool chunked = out->state == H1_OUT_CHUNKED;
    size_t around = chunked ? CHUNK_BEFORE + CHUNK_AFTER : 0, max = chunked ? CHUNK_MAX : UINT32_MAX;
    struct span span;

    assert(out->state == H1_OUT_LENGTH || chunked || out->state == H1_OUT_RAW);
    out->lent = NULL;
    if (out->state == H1_OUT_LENGTH && max > out->left)
        max = (size_t)out->left;
    if (want > max)
        want = max;
    if (want == 0)
        return none;
    span = sink->lend(sink->ctx, want + around);
    if (span.p == NULL || span.n <= around) {
        out->starved = true;
        return none;
    }
    span.n -= around;
    if (span.n > want)
        span.n = want;
    out->lent = span.p + (chunked ? CHUNK_BEFORE : 0);
    out->lent_n = (uint32_t)span.n;
    return (struct span){out->lent, span.n};
}

void h1_out_commit(struct h1_out *out, const struct http_sink *sink, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *p = out->lent;

    assert(n == 0 || (p != NULL && n <= out->lent_n));
    out->lent = NULL;
    if (n == 0) /* an empty chunk would be the last one */
        return;
    if (out->state == H1_OUT_LENGTH)
        out->left -= n;
    if (out->state == H1_OUT_CHUNKED) {
        memcpy(p + n, "\r\n", CHUNK_AFTER);
        p -= CHUNK_BEFORE;
        for (unsigned i = 0; i < 4; i++)
            p[i] = (uint8_t)digits[(n >> (12 - 4 * i)) & 15];
        memcpy(p + 4, "\r\n", 2);
        n += CHUNK_BEFORE + CHUNK_AFTER;
    }
    sink->commit(sink->ctx, n);
}

bool h1_out_end(struct h1_out *out, const struct http_sink *sink, const struct http_head *trailers)
{
    uint8_t state = out->state;
    BYTES_UNSET struct out o;

    assert(state != H1_OUT_HEAD && state != H1_OUT_ENDED);
    out->state = H1_OUT_ENDED;
    out->lent = NULL;
    if (state == H1_OUT_LENGTH && out->left > 0)
        return false;
    if (state != H1_OUT_CHUNKED)
        return true;
    if (trailers == NULL)
        return sink->put(sink->ctx, "0\r\n\r\n", 5);
    out_open(&o, sink, (size_t)trailers->text_len + 64);
    out_str(&o, "0\r\n");
    out_fields(&o, trailers, OWN | BIT(HOST));
    out_str(&o, "\r\n");
    out_flush(&o);
    return !o.failed;
}
