/* SPDX-License-Identifier: MIT
 *
 * The chunked coding alone. However the bytes are cut, the payload, the trailers, the verdict and where it stopped
 * are the same; and what was read, written by us and read again, is the same payload.
 */
#include "http/h1_body.h"
#include "http/h1_write.h"
#include "tests/unit/http/rig.h"

struct result {
    enum h1_step step;
    const char *why;
    size_t used;
    struct rig_text payload, trailers;
};

static void expect(bool held, const char *what)
{
    if (held)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void add_trailers(struct result *r, const struct http_head *h)
{
    for (uint32_t i = 0; h != NULL && i < h->field_count; i++) {
        if (h->fields[i].dropped)
            continue;
        rig_bytes(&r->trailers, http_field_name(h, &h->fields[i]));
        rig_put(&r->trailers, ":", 1);
        rig_bytes(&r->trailers, http_field_value(h, &h->fields[i]));
        rig_put(&r->trailers, "\n", 1);
    }
}

/* `again`: where to write what was read, chunked by us; NULL: nowhere. */
static struct result run(const uint8_t *p, size_t n, size_t piece, struct rig_text *again)
{
    const struct http_limits limits = HTTP_LIMITS_DEFAULT;
    struct result r = {.step = H1_STEP_MORE};
    struct rig_sink k = {.room = SIZE_MAX, .span = 700};
    struct http_sink sink = rig_sink_of(&k);
    struct h1_parser parser;
    struct h1_body body;
    struct h1_out out;

    h1_parser_start(&parser, H1_TRAILERS);
    h1_body_start(&body, HTTP_BODY_CHUNKED, 0);
    h1_out_start(&out, H1_FRAME_CHUNKED, 0);
    while (r.used < n && (r.step == H1_STEP_MORE || r.step == H1_STEP_DATA)) {
        size_t some = n - r.used < piece ? n - r.used : piece, used;
        uint8_t *copy = malloc(some);
        struct bytes data = {NULL, 0};

        expect(copy != NULL, "memory");
        memcpy(copy, p + r.used, some);
        r.step = h1_body_next(&body, &parser, &limits, copy, some, &used, &data);
        expect(used <= some, "no more is used than was given");
        r.used += used;
        if (r.step == H1_STEP_DATA) {
            expect(data.n > 0 && data.p == copy + used && data.n <= some - used, "payload lies in the input");
            rig_bytes(&r.payload, data);
            h1_body_took(&body, data.n);
            r.used += data.n;
            while (again != NULL && data.n > 0) {
                struct span span = h1_out_lend(&out, &sink, data.n);

                memcpy(span.p, data.p, span.n);
                h1_out_commit(&out, &sink, span.n);
                data.p += span.n;
                data.n -= span.n;
            }
        }
        free(copy);
    }
    expect(r.step != H1_STEP_MEMORY, "memory");
    if (r.step == H1_STEP_BAD)
        r.why = body.why;
    if (r.step == H1_STEP_END)
        add_trailers(&r, body.trailers);
    if (again != NULL && r.step == H1_STEP_END) {
        expect(h1_out_end(&out, &sink, body.trailers), "memory");
        rig_put(again, k.out.p, k.out.n);
    }
    h1_parser_stop(&parser);
    h1_body_stop(&body);
    rig_sink_clear(&k);
    return r;
}

static bool same(struct rig_text *a, struct rig_text *b)
{
    return strlen(rig_str(a)) == strlen(rig_str(b)) && a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static void clear(struct result *r)
{
    free(r->payload.p);
    free(r->trailers.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 3, 16};
    struct rig_text written = {0};
    size_t blocks = mem_blocks();
    struct result first = run(data, size, SIZE_MAX, &written);

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct result r = run(data, size, pieces[i], NULL);
        bool over = first.step == H1_STEP_END || first.step == H1_STEP_BAD;

        expect(!over || r.step == first.step, "the same verdict in pieces");
        expect(r.why == first.why && r.used == first.used, "the same place in pieces");
        expect(same(&r.payload, &first.payload) && same(&r.trailers, &first.trailers),
               "the same body in pieces");
        clear(&r);
    }
    if (first.step == H1_STEP_END) {
        struct result r = run((const uint8_t *)written.p, written.n, SIZE_MAX, NULL);

        expect(r.step == H1_STEP_END && r.used == written.n, "what we write we take");
        expect(same(&r.payload, &first.payload) && same(&r.trailers, &first.trailers),
               "and it is the same body");
        clear(&r);
    }
    clear(&first);
    free(written.p);
    expect(mem_blocks() == blocks, "all memory is given back");
    return 0;
}
