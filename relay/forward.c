/* SPDX-License-Identifier: MIT
 *
 * Fields are dropped first and added last, so nothing the client says can take away what we add.
 */
#include "relay/forward.h"

#include "base/text.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define BIT(id) HTTP_FIELD_BIT(HTTP_FIELD_##id)

/* Of one connection only (RFC 9110 §7.6.1), in requests and responses alike. */
#define HOP_BY_HOP                                                                                  \
    (BIT(CONNECTION) | BIT(KEEP_ALIVE) | BIT(PROXY_CONNECTION) | BIT(TE) | BIT(TRANSFER_ENCODING) | \
     BIT(HTTP2_SETTINGS) | BIT(PROXY_AUTHENTICATE) | BIT(PROXY_AUTHORIZATION))

/* What a client may not say of itself unless it is a trusted proxy. */
#define FORWARDING                                                                            \
    (BIT(FORWARDED) | BIT(X_FORWARDED_FOR) | BIT(X_FORWARDED_PROTO) | BIT(X_FORWARDED_HOST) | \
     BIT(X_FORWARDED_OTHER) | BIT(X_REAL_IP))

/* A message may not name these away: the framing and the routing hang on them. Upgrade has its own rule below. */
#define END_TO_END (BIT(HOST) | BIT(CONTENT_LENGTH) | BIT(DATE) | BIT(UPGRADE) | BIT(EXPECT))

static void drop_hop_by_hop(struct http_head *h)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct http_field *f = &h->fields[i];
        if (f->id != HTTP_FIELD_CONNECTION || f->dropped)
            continue;
        struct bytes list = http_field_value(h, f), name;
        while (http_list_next(&list, &name)) /* the fields of one connection go below */
            if ((HTTP_FIELD_BIT(http_field_id_of(name)) & (END_TO_END | HOP_BY_HOP)) == 0)
                http_head_drop_name(h, name);
    }
    http_head_drop(h, HOP_BY_HOP);
    if (!h->upgrade && h->body != HTTP_BODY_TUNNEL)
        http_head_drop(h, BIT(UPGRADE));
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

/* Host is written from where the head has it (http/head.h). */
static void take_host(struct http_head *h)
{
    const struct http_field *f = &h->fields[h->field_count - 1];

    h->host_off = f->value;
    h->host_len = f->value_len;
    h->has_host = true;
}

bool forward_apply(struct http_head *h, const struct conf_headers *ops)
{
    for (unsigned i = 0; i < ops->n; i++) {
        const struct conf_header *op = &ops->ops[i];
        struct bytes name = bytes_str(op->name);
        if (op->verb != CONF_HEADER_ADD)
            drop_every_spelling(h, name);
        if (op->verb == CONF_HEADER_REMOVE)
            continue;
        if (!http_head_add(h, name, bytes_str(op->value)))
            return false;
        if (http_field_id_of(name) == HTTP_FIELD_HOST)
            take_host(h);
    }
    return true;
}

#define ADD(h, id, name, value) http_head_add_known(h, HTTP_FIELD_##id, bytes_str(name), value)

/* All values of a list field as one, with ours at its end. */
static bool append_for(struct http_head *h, struct bytes ip)
{
    BYTES_UNSET uint8_t room[2048];
    struct writer w = writer_of(room, sizeof room);

    if (!http_head_find(h, HTTP_FIELD_X_FORWARDED_FOR))
        return ADD(h, X_FORWARDED_FOR, "X-Forwarded-For", ip);
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
    writer_bytes(&w, ip);
    if (w.failed) /* longer than anyone reads: start again with what we know ourselves */
        w = writer_of(room, sizeof room), writer_bytes(&w, ip);
    http_head_drop(h, BIT(X_FORWARDED_FOR));
    return ADD(h, X_FORWARDED_FOR, "X-Forwarded-For", bytes_of(room, writer_len(&w)));
}

static bool add_forwarding(struct http_head *h, const struct forward *f)
{
    struct bytes ip = bytes_str(f->peer_ip);

    if (!f->trusted)
        http_head_drop(h, FORWARDING);
    return append_for(h, ip) &&
           (http_head_find(h, HTTP_FIELD_X_FORWARDED_PROTO) ||
            ADD(h, X_FORWARDED_PROTO, "X-Forwarded-Proto", bytes_str(f->tls ? "https" : "http"))) &&
           (http_head_find(h, HTTP_FIELD_X_FORWARDED_HOST) || !h->has_host ||
            ADD(h, X_FORWARDED_HOST, "X-Forwarded-Host", http_head_host(h))) &&
           (http_head_find(h, HTTP_FIELD_X_REAL_IP) || ADD(h, X_REAL_IP, "X-Real-IP", ip));
}

/* A gateway adds itself to Via in requests (RFC 9110 §7.6.3). */
static bool add_via(struct http_head *h)
{
    return ADD(h, VIA, "Via", bytes_str(h->minor ? "1.1 proxy" : "1.0 proxy"));
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
    http_head_drop(h, BIT(MAX_FORWARDS));
    snprintf(text, sizeof text, "%llu", (unsigned long long)(n ? n - 1 : 0));
    return ADD(h, MAX_FORWARDS, "Max-Forwards", bytes_str(text));
}

/* A request of HTTP/1.0 may come without a Host, ours of HTTP/1.1 has one (RFC 9112 §3.2): the service's own. */
static bool add_host(struct http_head *h, const struct conf_upstream *up)
{
    const struct conf_endpoint *to = up->endpoints;

    if (h->has_host || up->n == 0)
        return true;
    if (!ADD(h, HOST, "Host",
             bytes_str(to->host != NULL || to->addr.any.sa_family != AF_UNIX ? to->text : "localhost")))
        return false;
    take_host(h);
    return true;
}

bool forward_request(struct http_head *h, const struct forward *f)
{
    drop_hop_by_hop(h);
    /* What is not to be met by us is not to be met behind us: HTTP/1.0 has no expectations (RFC 9110 §10.1.1), and an
     * upstream that answered one would leave the body on its connection as a request of the next client's. */
    if (!h->expect_continue)
        http_head_drop(h, BIT(EXPECT));
    h->keep_alive = true; /* the client's connection ending says nothing about the upstream's */
    return count_forwards(h) && add_forwarding(h, f) && add_via(h) && add_host(h, &f->path->upstream) &&
           forward_apply(h, &f->path->request_headers);
}

/* A recipient with a clock adds it where it is missing (RFC 9110 §6.6.1). */
static bool add_date(struct http_head *h)
{
    uint8_t date[40];
    struct writer w = writer_of(date, sizeof date);
    int64_t now;

    if (http_head_find(h, HTTP_FIELD_DATE))
        return true;
    now = time_wall_coarse();
    if (now < time_floor())
        return true;
    time_put_http(&w, now);
    return ADD(h, DATE, "Date", bytes_of(date, writer_len(&w)));
}

bool forward_names_fields(const struct http_head *h)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct http_field *f = &h->fields[i];
        struct bytes list, name;

        if (f->id != HTTP_FIELD_CONNECTION)
            continue;
        list = http_field_value(h, f);
        while (http_list_next(&list, &name))
            if (http_field_id_of(name) == HTTP_FIELD_UNKNOWN && !bytes_is_nocase(name, "close"))
                return true;
    }
    return false;
}

const struct http_head *forward_trailers(const struct http_head *trailers, const struct conf_headers *ops)
{
    for (uint32_t i = 0; trailers != NULL && i < trailers->field_count; i++)
        for (unsigned k = 0; k < ops->n; k++)
            if (is_same_name(http_field_name(trailers, &trailers->fields[i]), bytes_str(ops->ops[k].name)))
                return NULL;
    return trailers;
}

bool forward_response(struct http_head *h, const struct conf_path *path)
{
    drop_hop_by_hop(h);
    h->keep_alive = true; /* nor the upstream's about the client's */
    if (h->status < 200)
        return true;
    return add_date(h) && forward_apply(h, &path->response_headers);
}
