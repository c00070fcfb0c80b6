/* SPDX-License-Identifier: MIT
 *
 * Formats are written by hand rather than from a template: three are all there are, and each is checked by eye.
 */
#include "relay/access_log.h"

#include "base/time.h"

#include <string.h>

#define LINE  4096u
#define SHOWN 1024u /* of a target or another client's text */

static struct bytes cut(struct bytes b)
{
    return bytes_of(b.p, b.n < SHOWN ? b.n : SHOWN);
}

static struct bytes field(const struct access_entry *e, enum http_field_id id)
{
    const struct http_field *f = e->request ? http_head_find(e->request, id) : NULL;
    return f ? cut(http_field_value(e->request, f)) : bytes_of(NULL, 0);
}

static uint64_t total_us(const struct access_entry *e)
{
    return (e->done_us ? e->done_us : time_mono_us()) - e->began_us;
}

static uint64_t first_us(const struct access_entry *e)
{
    return e->first_byte_us ? e->first_byte_us - e->began_us : 0;
}

static void put_request_line(struct writer *w, const struct access_entry *e,
                             void (*escape)(struct writer *, struct bytes))
{
    if (!e->request || !http_head_method(e->request).n) {
        writer_str(w, "-");
        return;
    }
    escape(w, cut(http_head_method(e->request)));
    writer_str(w, " ");
    escape(w, cut(http_head_target(e->request)));
    writer_str(w, e->request->minor ? " HTTP/1.1" : " HTTP/1.0");
}

/* 1234 us as "1.234ms". */
static void put_ms(struct writer *w, uint64_t us)
{
    writer_dec(w, us / 1000);
    writer_printf(w, ".%03u", (unsigned)(us % 1000));
}

static void as_text(struct writer *w, const struct access_entry *e)
{
    char peer[ADDR_TEXT];

    time_put_iso(w, time_wall_ms());
    writer_printf(w, " %s %s \"", addr_format_ip(e->peer, peer), e->site ? e->site : "-");
    put_request_line(w, e, log_escape);
    writer_str(w, "\" ");
    writer_dec(w, e->status);
    writer_str(w, " in=");
    writer_dec(w, e->bytes_in);
    writer_str(w, " out=");
    writer_dec(w, e->bytes_out);
    writer_str(w, " time=");
    put_ms(w, total_us(e));
    writer_str(w, "ms");
    if (e->upstream) {
        writer_printf(w, " upstream=%s", e->upstream);
        if (e->first_byte_us) {
            writer_str(w, " first=");
            put_ms(w, first_us(e));
            writer_str(w, "ms");
        }
    }
    if (e->tls.version)
        writer_printf(w, " tls=%s cipher=%s", e->tls.version, e->tls.cipher);
    writer_printf(w, " id=%s", e->id);
    if (e->aborted)
        writer_str(w, " aborted");
    if (e->why && e->why[0]) {
        writer_str(w, " error=\"");
        log_escape(w, bytes_str(e->why));
        writer_str(w, "\"");
    }
}

static void json_text(struct writer *w, const char *key, struct bytes value)
{
    writer_printf(w, ",\"%s\":\"", key);
    log_escape_json(w, value);
    writer_str(w, "\"");
}

static void json_number(struct writer *w, const char *key, uint64_t value)
{
    writer_printf(w, ",\"%s\":", key);
    writer_dec(w, value);
}

static void as_json(struct writer *w, const struct access_entry *e)
{
    char peer[ADDR_TEXT];
    const struct http_head *h = e->request;

    writer_str(w, "{\"time\":\"");
    time_put_iso(w, time_wall_ms());
    writer_str(w, "\"");
    json_text(w, "client", bytes_str(addr_format_ip(e->peer, peer)));
    json_text(w, "site", bytes_str(e->site ? e->site : ""));
    json_text(w, "method", h ? cut(http_head_method(h)) : bytes_of(NULL, 0));
    json_text(w, "target", h ? cut(http_head_target(h)) : bytes_of(NULL, 0));
    json_text(w, "protocol", bytes_str(!h || h->minor ? "HTTP/1.1" : "HTTP/1.0"));
    json_text(w, "host", h && h->has_host ? cut(http_head_host(h)) : bytes_of(NULL, 0));
    json_number(w, "status", e->status);
    json_number(w, "bytes_in", e->bytes_in);
    json_number(w, "bytes_out", e->bytes_out);
    json_number(w, "time_us", total_us(e));
    if (e->upstream) {
        json_text(w, "upstream", bytes_str(e->upstream));
        if (e->first_byte_us)
            json_number(w, "first_byte_us", first_us(e));
    }
    if (e->tls.version) {
        json_text(w, "tls", bytes_str(e->tls.version));
        json_text(w, "cipher", bytes_str(e->tls.cipher));
        writer_printf(w, ",\"resumed\":%s", e->tls.resumed ? "true" : "false");
    }
    json_text(w, "id", bytes_str(e->id));
    if (e->aborted)
        writer_str(w, ",\"aborted\":true");
    if (e->why && e->why[0])
        json_text(w, "error", bytes_str(e->why));
    writer_str(w, "}");
}

/* Apache's and nginx's "combined". */
static void as_combined(struct writer *w, const struct access_entry *e)
{
    char peer[ADDR_TEXT];

    writer_printf(w, "%s - - [", addr_format_ip(e->peer, peer));
    time_put_clf(w, time_wall());
    writer_str(w, "] \"");
    put_request_line(w, e, log_escape);
    writer_printf(w, "\" %u %llu \"", e->status, (unsigned long long)e->bytes_out);
    struct bytes referer = field(e, HTTP_FIELD_REFERER), agent = field(e, HTTP_FIELD_USER_AGENT);
    log_escape(w, referer.n ? referer : bytes_str("-"));
    writer_str(w, "\" \"");
    log_escape(w, agent.n ? agent : bytes_str("-"));
    writer_str(w, "\"");
}

void access_log(const struct access_entry *e, enum conf_log_format format)
{
    /* Escapes make four or six bytes of one; a line that is cut is still a line, but JSON would not be JSON. */
    uint8_t room[LINE * 5];
    struct writer w = writer_of(room, sizeof room);

    switch (format) {
    case CONF_LOG_TEXT: as_text(&w, e); break;
    case CONF_LOG_JSON: as_json(&w, e); break;
    case CONF_LOG_COMBINED: as_combined(&w, e); break;
    case CONF_LOG_OFF: return;
    }
    log_raw(bytes_of(room, writer_len(&w)));
}
