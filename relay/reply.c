/* SPDX-License-Identifier: MIT
 *
 * Bodies are made whole in memory: the largest is the demo's page, bounded by the size of a request's head.
 */
#include "relay/reply.h"

#include "base/mem.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

void reply_clear(struct reply *r)
{
    http_head_free(r->head);
    mem_free(r->body);
    *r = (struct reply){NULL, NULL, 0};
}

static bool add(struct http_head *h, const char *name, const char *value)
{
    return http_head_add(h, bytes_str(name), bytes_str(value));
}

/* The head with what every answer of ours has. */
static bool begin(struct reply *out, unsigned status)
{
    uint8_t date[40] = {0};
    struct writer w = writer_of(date, sizeof date - 1);

    reply_clear(out);
    out->head = http_head_response((uint16_t)status);
    if (!out->head)
        return false;
    if (!time_is_sane()) /* RFC 9110 §6.6.1: no Date without a clock */
        return true;
    time_put_http(&w, time_wall());
    return add(out->head, "Date", (const char *)date);
}

static bool body(struct reply *out, const char *type, const void *text, size_t n)
{
    out->body = mem_alloc(n ? n : 1);
    if (!out->body || !add(out->head, "Content-Type", type))
        return false;
    memcpy(out->body, text, n);
    out->body_len = n;
    return true;
}

bool reply_error(struct reply *out, unsigned status, const char *request_id)
{
    char page[512];
    int n = snprintf(
        page, sizeof page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>%u %s</title></head>\n"
        "<body><h1>%u %s</h1><p>Request id: <code>%s</code></p></body></html>\n",
        status, http_reason(status), status, http_reason(status), request_id);

    if (!begin(out, status) || !body(out, "text/html; charset=utf-8", page, (size_t)n))
        return false;
    if (status == 405 && !add(out->head, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        return false;
    if (status < 500 && status != 404 && status != 405 && status != 421)
        out->head->keep_alive = false; /* what follows on this connection cannot be trusted */
    return add(out->head, "Cache-Control", "no-store");
}

bool reply_text(struct reply *out, unsigned status, const char *text)
{
    if (!begin(out, status))
        return false;
    return !text || status == 204 || status == 304 ||
           body(out, "text/plain; charset=utf-8", text, strlen(text));
}

bool reply_challenge(struct reply *out, struct bytes text)
{
    return begin(out, 200) && body(out, "application/octet-stream", (const char *)text.p, text.n) &&
           add(out->head, "Cache-Control", "no-store");
}

static bool reply_location(struct reply *out, unsigned status, struct writer *location)
{
    static const char TEXT[] = "Redirecting.\n";

    if (location->failed)
        return reply_error(out, 414, "-");
    return begin(out, status) &&
           http_head_add(out->head, bytes_str("Location"), bytes_of(location->start, writer_len(location))) &&
           body(out, "text/plain; charset=utf-8", TEXT, sizeof TEXT - 1);
}

/* Path and query as they came; `*` has none. */
static struct bytes uri(const struct http_head *request)
{
    struct bytes path = http_head_path(request);
    return bytes_is(path, "*") ? bytes_str("/") : path;
}

bool reply_redirect(struct reply *out, unsigned status, const char *target, const struct http_head *request)
{
    BYTES_UNSET uint8_t room[10240];
    struct writer w = writer_of(room, sizeof room);

    for (const char *at = target; *at;) {
        const char *mark = strstr(at, "{uri}");
        writer_put(&w, at, mark ? (size_t)(mark - at) : strlen(at));
        if (!mark)
            break;
        writer_bytes(&w, uri(request));
        at = mark + 5;
    }
    return reply_location(out, status, &w);
}

bool reply_to_https(struct reply *out, const char *host, bool is_ipv6, uint16_t port,
                    const struct http_head *request)
{
    BYTES_UNSET uint8_t room[10240];
    struct writer w = writer_of(room, sizeof room);

    writer_printf(&w, is_ipv6 ? "https://[%s]" : "https://%s", host);
    if (port != 443)
        writer_printf(&w, ":%u", port);
    writer_bytes(&w, uri(request));
    return reply_location(out, 308, &w);
}

/* --- the demo's page --- */

static void put_html(struct writer *w, struct bytes in)
{
    for (size_t i = 0; i < in.n; i++) {
        switch (in.p[i]) {
        case '&': writer_str(w, "&amp;"); break;
        case '<': writer_str(w, "&lt;"); break;
        case '>': writer_str(w, "&gt;"); break;
        case '"': writer_str(w, "&quot;"); break;
        default: writer_u8(w, in.p[i] < 0x80 ? in.p[i] : '?'); break;
        }
    }
}

static void row(struct writer *w, struct bytes name, struct bytes value)
{
    writer_str(w, "<tr><th>");
    put_html(w, name);
    writer_str(w, "</th><td>");
    put_html(w, value);
    writer_str(w, "</td></tr>\n");
}

static const char PAGE_TOP[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>It works</title>\n<style>\n"
    ":root { color-scheme: light dark }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }\n"
    "h1 { margin-bottom: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }\n"
    "table { border-collapse: collapse; width: 100% }\n"
    "th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; "
    "border-bottom: 1px solid #8884; overflow-wrap: anywhere }\n"
    "th { width: 12rem; font-weight: 600 } code { background: #8882; padding: .1rem .3rem }\n"
    "</style></head><body>\n<h1>It works</h1>\n"
    "<p>This page is built in: it stands where your service will be, and shows what the service would get. "
    "To put HTTPS in front of one: <code>proxy 127.0.0.1:8000</code></p>\n";

bool reply_page(struct reply *out, const struct http_head *request, const char *peer,
                const struct tls_info *tls, const char *server_name)
{
    /* Each byte of the head may become six. */
    size_t room = sizeof PAGE_TOP + 4096 + 6 * (size_t)request->text_len + 64 * (size_t)request->field_count;
    uint8_t *text = mem_alloc(room);
    if (!text)
        return false;
    struct writer w = writer_of(text, room);

    writer_str(&w, PAGE_TOP);
    writer_str(&w, "<h2>Connection</h2>\n<table>\n");
    row(&w, bytes_str("Client"), bytes_str(peer));
    if (tls) {
        row(&w, bytes_str("TLS version"), bytes_str(tls->version));
        row(&w, bytes_str("Cipher"), bytes_str(tls->cipher));
        row(&w, bytes_str("Session"), bytes_str(tls->resumed ? "resumed" : "new"));
        row(&w, bytes_str("Server name (SNI)"), bytes_str(server_name[0] ? server_name : "(none)"));
        row(&w, bytes_str("Protocol (ALPN)"), bytes_str(tls->alpn && tls->alpn[0] ? tls->alpn : "(none)"));
    }
    writer_str(&w, "</table>\n<h2>Request, as the upstream would see it</h2>\n<table>\n");
    row(&w, bytes_str("Method"), http_head_method(request));
    row(&w, bytes_str("Target"), http_head_path(request));
    for (uint32_t i = 0; i < request->field_count; i++)
        if (!request->fields[i].dropped)
            row(&w, http_field_name(request, &request->fields[i]),
                http_field_value(request, &request->fields[i]));
    writer_str(&w, "</table>\n</body></html>\n");
    bool made = begin(out, 200) && body(out, "text/html; charset=utf-8", text, writer_len(&w)) &&
                add(out->head, "Cache-Control", "no-store");
    mem_free(text);
    return made;
}
