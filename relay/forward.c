/* SPDX-License-Identifier: MIT
 *
 * Fields are dropped first and added last, so nothing the client says can take away what we add.
 */
#include "relay/forward.h"

#include "base/text.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

/* Of one connection only (RFC 9110 §7.6.1), in requests and responses alike. */
static const enum http_field_id HOP_BY_HOP[] = {
    HTTP_FIELD_CONNECTION,         HTTP_FIELD_KEEP_ALIVE,
    HTTP_FIELD_PROXY_CONNECTION,   HTTP_FIELD_TE,
    HTTP_FIELD_TRANSFER_ENCODING,  HTTP_FIELD_HTTP2_SETTINGS,
    HTTP_FIELD_PROXY_AUTHENTICATE, HTTP_FIELD_PROXY_AUTHORIZATION,
};

/* What a client may not say of itself unless it is a trusted proxy. */
static const enum http_field_id FORWARDING[] = {
    HTTP_FIELD_FORWARDED,        HTTP_FIELD_X_FORWARDED_FOR,   HTTP_FIELD_X_FORWARDED_PROTO,
    HTTP_FIELD_X_FORWARDED_HOST, HTTP_FIELD_X_FORWARDED_OTHER, HTTP_FIELD_X_REAL_IP,
};

/* A message may not name these away: the framing and the routing hang on them. */
static bool is_end_to_end(enum http_field_id id)
{
    return id == HTTP_FIELD_HOST || id == HTTP_FIELD_CONTENT_LENGTH || id == HTTP_FIELD_DATE ||
           id == HTTP_FIELD_UPGRADE; /* its own rule below */
}

static void drop_hop_by_hop(struct http_head *h)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct http_field *f = &h->fields[i];
        if (f->id != HTTP_FIELD_CONNECTION || f->dropped)
            continue;
        struct bytes list = http_field_value(h, f), name;
        while (http_list_next(&list, &name))
            if (!is_end_to_end(http_field_id_of(name)) && http_field_id_of(name) != HTTP_FIELD_CONNECTION)
                http_head_drop_name(h, name);
    }
    for (size_t i = 0; i < sizeof HOP_BY_HOP / sizeof *HOP_BY_HOP; i++)
        http_head_drop(h, HOP_BY_HOP[i]);
    if (!h->upgrade && h->body != HTTP_BODY_TUNNEL)
        http_head_drop(h, HTTP_FIELD_UPGRADE);
}

/* Services behind that speak CGI or WSGI see X-User and X_User as one, so both spellings go. */
static bool is_same_name(struct bytes a, struct bytes b)
{
    bool same = a.n == b.n;

    for (size_t i = 0; same && i < a.n; i++)
        same = (a.p[i] == '_' ? '-' : text_lower(a.p[i])) == (b.p[i] == '_' ? '-' : text_lower(b.p[i]));
    return same;
}

static void drop_every_spelling(struct http_head *h, struct bytes name)
{
    for (uint32_t i = 0; i < h->field_count; i++)
        if (is_same_name(http_field_name(h, &h->fields[i]), name))
            h->fields[i].dropped = true;
}

bool forward_apply(struct http_head *h, const struct conf_headers *ops)
{
    for (unsigned i = 0; i < ops->n; i++) {
        const struct conf_header *op = &ops->ops[i];
        struct bytes name = bytes_str(op->name);
        if (op->verb != CONF_HEADER_ADD)
            drop_every_spelling(h, name);
        if (op->verb != CONF_HEADER_REMOVE && !http_head_add(h, name, bytes_str(op->value)))
            return false;
    }
    return true;
}

static bool add(struct http_head *h, const char *name, struct bytes value)
{
    return http_head_add(h, bytes_str(name), value);
}

/* All values of a list field as one, with ours at its end. */
static bool append_for(struct http_head *h, const char *ip)
{
    BYTES_UNSET uint8_t room[2048];
    struct writer w = writer_of(room, sizeof room);

    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct http_field *f = &h->fields[i];
        if (f->id != HTTP_FIELD_X_FORWARDED_FOR || f->dropped)
            continue;
        if (writer_len(&w))
            writer_str(&w, ", ");
        writer_bytes(&w, http_field_value(h, f));
    }
    if (writer_len(&w))
        writer_str(&w, ", ");
    writer_str(&w, ip);
    if (w.failed) /* longer than anyone reads: start again with what we know ourselves */
        w = writer_of(room, sizeof room), writer_str(&w, ip);
    http_head_drop(h, HTTP_FIELD_X_FORWARDED_FOR);
    return add(h, "X-Forwarded-For", bytes_of(room, writer_len(&w)));
}

static bool add_forwarding(struct http_head *h, const struct forward *f)
{
    const char *ip = f->peer_ip;

    if (!f->trusted)
        for (size_t i = 0; i < sizeof FORWARDING / sizeof *FORWARDING; i++)
            http_head_drop(h, FORWARDING[i]);
    return append_for(h, ip) &&
           (http_head_find(h, HTTP_FIELD_X_FORWARDED_PROTO) ||
            add(h, "X-Forwarded-Proto", bytes_str(f->tls ? "https" : "http"))) &&
           (http_head_find(h, HTTP_FIELD_X_FORWARDED_HOST) || !h->has_host ||
            add(h, "X-Forwarded-Host", http_head_host(h))) &&
           (http_head_find(h, HTTP_FIELD_X_REAL_IP) || add(h, "X-Real-IP", bytes_str(ip)));
}

/* A gateway adds itself to Via in requests (RFC 9110 §7.6.3). */
static bool add_via(struct http_head *h)
{
    return add(h, "Via", bytes_str(h->minor ? "1.1 proxy" : "1.0 proxy"));
}

/* Max-Forwards counts down for OPTIONS (RFC 9110 §7.6.2); zero never gets here: the exchange answers it. */
static bool count_forwards(struct http_head *h)
{
    struct http_field *f = http_head_find(h, HTTP_FIELD_MAX_FORWARDS);
    char text[24];
    uint64_t n = 0;

    if (h->method != HTTP_OPTIONS || !f)
        return true;
    struct bytes value = http_field_value(h, f);
    for (size_t i = 0; i < value.n && i < 18; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return true;
        n = n * 10 + (value.p[i] - '0');
    }
    http_head_drop(h, HTTP_FIELD_MAX_FORWARDS);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(n ? n - 1 : 0));
    return add(h, "Max-Forwards", bytes_str(text));
}

bool forward_request(struct http_head *h, const struct forward *f)
{
    drop_hop_by_hop(h);
    h->keep_alive = true; /* the client's connection ending says nothing about the upstream's */
    return count_forwards(h) && add_forwarding(h, f) && add_via(h) &&
           forward_apply(h, &f->path->request_headers);
}

bool forward_response(struct http_head *h, const struct conf_path *path)
{
    drop_hop_by_hop(h);
    h->keep_alive = true; /* nor the upstream's about the client's */
    if (!http_head_find(h, HTTP_FIELD_DATE) && time_is_sane() && h->status >= 200) {
        uint8_t date[40];
        struct writer w = writer_of(date, sizeof date);
        time_put_http(&w, time_wall());
        if (!add(h, "Date", bytes_of(date, writer_len(&w))))
            return false;
    }
    return h->status < 200 || forward_apply(h, &path->response_headers);
}
