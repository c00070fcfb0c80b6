/* SPDX-License-Identifier: MIT
 *
 * Formats are written by hand rather than from a template: three are all there are, and each is checked by eye.
 */
#include "relay/access_log.h"

#include "base/time.h"

#include <string.h>

/* How long what others have written may be in a line, escaped; longer is cut, so that a line is always whole. */
enum { METHOD_MAX = 64, TARGET_MAX = 2048, HOST_MAX = 320, FIELD_MAX = 1024, WHY_MAX = 512 };

#define LINE 5120u
_Static_assert(LINE <= LOG_LINE_MAX, "the log does not cut a line");
_Static_assert(METHOD_MAX + TARGET_MAX + HOST_MAX + WHY_MAX + 1280 < LINE,
               "text and JSON, with names and numbers");
_Static_assert(METHOD_MAX + TARGET_MAX + 2 * FIELD_MAX + 512 < LINE, "combined, with an address and numbers");

typedef void escape_fn(struct writer *w, struct bytes in);

/* Escaped, and as much of it as fits max. */
static void put_cut(struct writer *w, struct bytes b, size_t max, escape_fn *escape)
{
    size_t n = b.n < max ? b.n : max;

    for (;;) {
        struct writer before = *w;
        escape(w, bytes_of(b.p, n));
        size_t len = writer_len(w) - writer_len(&before);
        if (len <= max && !w->failed)
            return;
        *w = before;
        if (n == 0)
            return;
        n = len > max ? n * max / len : n / 2;
    }
}

static struct bytes field(const struct access_entry *e, enum http_field_id id)
{
    const struct http_field *f = e->request ? http_head_find(e->request, id) : NULL;
    return f ? http_field_value(e->request, f) : bytes_of(NULL, 0);
}

static uint64_t total_us(const struct access_entry *e)
{
    return e->done_us - e->began_us;
}

static uint64_t first_us(const struct access_entry *e)
{
    return e->first_byte_us ? e->first_byte_us - e->began_us : 0;
}

static void put_request_line(struct writer *w, const struct access_entry *e)
{
    if (!e->request || !http_head_method(e->request).n) {
        writer_str(w, "-");
        return;
    }
    put_cut(w, http_head_method(e->request), METHOD_MAX, log_escape);
    writer_str(w, " ");
    put_cut(w, http_head_target(e->request), TARGET_MAX, log_escape);
    writer_str(w, e->request->minor ? " HTTP/1.1" : " HTTP/1.0");
}

/* 1234 us as "1.234ms". */
static void put_ms(struct writer *w, uint64_t us)
{
    unsigned rest = (unsigned)(us % 1000);
    uint8_t digits[] = {(uint8_t)('0' + rest / 100), (uint8_t)('0' + rest / 10 % 10),
                        (uint8_t)('0' + rest % 10)};

    writer_dec(w, us / 1000);
    writer_str(w, ".");
    writer_put(w, digits, sizeof digits);
    writer_str(w, "ms");
}

static void put_pair(struct writer *w, const char *before, const char *text)
{
    writer_str(w, before);
    writer_str(w, text);
}

static void as_text(struct writer *w, const struct access_entry *e)
{
    time_put_iso(w, time_wall_ms());
    put_pair(w, " ", e->peer_ip);
    put_pair(w, " ", e->site ? e->site : "-");
    writer_str(w, " \"");
    put_request_line(w, e);
    writer_str(w, "\" ");
    writer_dec(w, e->status);
    writer_str(w, " in=");
    writer_dec(w, e->bytes_in);
    writer_str(w, " out=");
    writer_dec(w, e->bytes_out);
    writer_str(w, " time=");
    put_ms(w, total_us(e));
    if (e->upstream) {
        put_pair(w, " upstream=", e->upstream);
        if (e->first_byte_us) {
            writer_str(w, " first=");
            put_ms(w, first_us(e));
        }
    }
    if (e->tls.version) {
        put_pair(w, " tls=", e->tls.version);
        put_pair(w, " cipher=", e->tls.cipher);
    }
    put_pair(w, " id=", e->id);
    if (e->aborted)
        writer_str(w, " aborted");
    if (e->why && e->why[0]) {
        writer_str(w, " error=\"");
        put_cut(w, bytes_str(e->why), WHY_MAX, log_escape);
        writer_str(w, "\"");
    }
}

static void json_cut(struct writer *w, const char *key, struct bytes value, size_t max)
{
    put_pair(w, ",\"", key);
    writer_str(w, "\":\"");
    put_cut(w, value, max, log_escape_json);
    writer_str(w, "\"");
}

static void json_text(struct writer *w, const char *key, const char *value)
{
    json_cut(w, key, bytes_str(value), HOST_MAX);
}

static void json_number(struct writer *w, const char *key, uint64_t value)
{
    put_pair(w, ",\"", key);
    writer_str(w, "\":");
    writer_dec(w, value);
}

static void as_json(struct writer *w, const struct access_entry *e)
{
    const struct http_head *h = e->request;

    writer_str(w, "{\"time\":\"");
    time_put_iso(w, time_wall_ms());
    writer_str(w, "\"");
    json_text(w, "client", e->peer_ip);
    json_text(w, "site", e->site ? e->site : "");
    json_cut(w, "method", h ? http_head_method(h) : bytes_of(NULL, 0), METHOD_MAX);
    json_cut(w, "target", h ? http_head_target(h) : bytes_of(NULL, 0), TARGET_MAX);
    json_text(w, "protocol", !h || h->minor ? "HTTP/1.1" : "HTTP/1.0");
    json_cut(w, "host", h && h->has_host ? http_head_host(h) : bytes_of(NULL, 0), HOST_MAX);
    json_number(w, "status", e->status);
    json_number(w, "bytes_in", e->bytes_in);
    json_number(w, "bytes_out", e->bytes_out);
    json_number(w, "time_us", total_us(e));
    if (e->upstream) {
        json_text(w, "upstream", e->upstream);
        if (e->first_byte_us)
            json_number(w, "first_byte_us", first_us(e));
    }
    if (e->tls.version) {
        json_text(w, "tls", e->tls.version);
        json_text(w, "cipher", e->tls.cipher);
        put_pair(w, ",\"resumed\":", e->tls.resumed ? "true" : "false");
    }
    json_text(w, "id", e->id);
    if (e->aborted)
        writer_str(w, ",\"aborted\":true");
    if (e->why && e->why[0])
        json_cut(w, "error", bytes_str(e->why), WHY_MAX);
    writer_str(w, "}");
}

/* Apache's and nginx's "combined". */
static void as_combined(struct writer *w, const struct access_entry *e)
{
    put_pair(w, e->peer_ip, " - - [");
    time_put_clf(w, time_wall_coarse());
    writer_str(w, "] \"");
    put_request_line(w, e);
    writer_str(w, "\" ");
    writer_dec(w, e->status);
    writer_str(w, " ");
    writer_dec(w, e->bytes_out);
    writer_str(w, " \"");
    struct bytes referer = field(e, HTTP_FIELD_REFERER), agent = field(e, HTTP_FIELD_USER_AGENT);
    put_cut(w, referer.n ? referer : bytes_str("-"), FIELD_MAX, log_escape);
    writer_str(w, "\" \"");
    put_cut(w, agent.n ? agent : bytes_str("-"), FIELD_MAX, log_escape);
    writer_str(w, "\"");
}

void access_log(const struct access_entry *e, enum conf_log_format format)
{
    BYTES_UNSET uint8_t room[LINE];
    struct writer w = writer_of(room, sizeof room);

    switch (format) {
    case CONF_LOG_TEXT: as_text(&w, e); break;
    case CONF_LOG_JSON: as_json(&w, e); break;
    case CONF_LOG_COMBINED: as_combined(&w, e); break;
    case CONF_LOG_OFF: return;
    }
    log_raw(bytes_of(room, writer_len(&w)));
}
