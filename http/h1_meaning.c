/* SPDX-License-Identifier: MIT
 *
 * Decides once what a head means: the target's form and authority (RFC 9112 §3.2), how the body is delimited (§6),
 * whether the connection goes on (§9.3). Whatever two recipients might read in two ways is refused here, so nobody
 * behind has to look at Content-Length, Transfer-Encoding, Host or Connection again.
 */
#include "http/h1_parse.h"

#include "base/text.h"
#include "http/path.h"

#include <assert.h>
#include <string.h>

#define OPTIONS_MAX 100 /* of all Connection fields together */

/* --- fields --- */

/* An application may read `Content_Length` as Content-Length (CGI has one spelling for both). */
static bool looks_like(struct bytes name, struct bytes known)
{
    size_t at = 0;

    if (name.n != known.n)
        return false;
    while (at < known.n && (name.p[at] == '_' ? '-' : text_lower(name.p[at])) == known.p[at])
        at++;
    return at == known.n;
}

static bool looks_like_framing(struct bytes name)
{
    return looks_like(name, bytes_str("content-length")) || looks_like(name, bytes_str("transfer-encoding"));
}

/* What says how to treat the message, beside the fields that have a number here: request modifiers, authentication,
 * response control, content (RFC 9110 §6.5.1). Who merges trailers into the head must not be told such things late. */
static bool belongs_in_head(struct bytes name)
{
    static const char *const fields[] = {
        "authorization",
        "cookie",
        "set-cookie",
        "www-authenticate",
        "cache-control",
        "range",
        "age",
        "expires",
        "location",
        "vary",
        "pragma",
        "warning",
        "retry-after",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-range",
        "origin",
        "if-unmodified-since",
        "content-type",
        "content-encoding",
        "content-language",
        "content-range",
        "content-location",
        "accept-encoding",
        "content-disposition",
    };

    if (looks_like_framing(name))
        return true;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (looks_like(name, bytes_str(fields[i])))
            return true;
    return false;
}

static bool host_seen(struct h1_parser *ps, struct http_head *h, const struct http_field *f)
{
    BYTES_UNSET struct http_authority authority;

    if ((ps->seen & H1_SEEN_HOST) != 0)
        return h1_parser_bad(ps, 400, "two Host fields");
    ps->seen |= H1_SEEN_HOST;
    if (!http_authority_parse(http_field_value(h, f), &authority))
        return h1_parser_bad(ps, 400, "malformed Host");
    if (!h->has_host) { /* the target's own authority wins (RFC 9112 §3.2.2) */
        h->has_host = true;
        h->host_off = f->value;
        h->host_len = f->value_len;
    }
    return true;
}

static bool length_seen(struct h1_parser *ps, struct bytes value)
{
    if ((ps->seen & H1_SEEN_LENGTH) != 0)
        return h1_parser_bad(ps, 400, "two Content-Length fields");
    ps->seen |= H1_SEEN_LENGTH;
    for (size_t i = 0; i < value.n; i++)
        if (!text_is_digit(value.p[i]))
            return h1_parser_bad(ps, 400, "Content-Length is not a number");
    if (value.n == 0)
        return h1_parser_bad(ps, 400, "empty Content-Length");
    if (!text_u64(value, INT64_MAX, &ps->length))
        return h1_parser_bad(ps, 400, "Content-Length too large");
    return true;
}

static bool transfer_encoding_seen(struct h1_parser *ps, struct bytes value)
{
    if ((ps->seen & H1_SEEN_TRANSFER_ENCODING) != 0)
        return h1_parser_bad(ps, 400, "two Transfer-Encoding fields");
    ps->seen |= H1_SEEN_TRANSFER_ENCODING;
    if (!bytes_is_nocase(value, "chunked"))
        return h1_parser_bad(ps, 400, "Transfer-Encoding is not chunked");
    return true;
}

/* Each option may name a field, and is held against all of them by whoever forwards the message. */
static bool connection_seen(struct h1_parser *ps, struct bytes value)
{
    struct bytes option;

    while (http_list_next(&value, &option)) {
        if (++ps->options > OPTIONS_MAX)
            return h1_parser_bad(ps, 400, "too many connection options");
        if (bytes_is_nocase(option, "close"))
            ps->seen |= H1_SEEN_CLOSE;
        else if (bytes_is_nocase(option, "keep-alive"))
            ps->seen |= H1_SEEN_KEEP_ALIVE;
        else if (bytes_is_nocase(option, "upgrade"))
            ps->seen |= H1_SEEN_UPGRADE;
    }
    return true;
}

bool h1_is_h2c(struct bytes protocol)
{
    const uint8_t *slash = protocol.n ? memchr(protocol.p, '/', protocol.n) : NULL;

    return bytes_is_nocase(bytes_of(protocol.p, slash ? (size_t)(slash - protocol.p) : protocol.n), "h2c");
}

static void upgrade_seen(struct h1_parser *ps, struct bytes value)
{
    struct bytes member;

    while (http_list_next(&value, &member))
        if (!h1_is_h2c(member))
            ps->seen |= H1_SEEN_PROTOCOL;
}

bool h1_field_seen(struct h1_parser *ps, struct http_head *h, struct http_field *f)
{
    if (ps->kind == H1_TRAILERS) {
        /* No trailer field may say what belongs into the head (RFC 9110 §6.5.1). */
        f->dropped = f->id != HTTP_FIELD_UNKNOWN || belongs_in_head(http_field_name(h, f));
        return true;
    }
    switch ((enum http_field_id)f->id) {
    case HTTP_FIELD_HOST: return ps->kind != H1_REQUEST || host_seen(ps, h, f);
    case HTTP_FIELD_CONTENT_LENGTH: return length_seen(ps, http_field_value(h, f));
    case HTTP_FIELD_TRANSFER_ENCODING: return transfer_encoding_seen(ps, http_field_value(h, f));
    case HTTP_FIELD_CONNECTION: return connection_seen(ps, http_field_value(h, f));
    case HTTP_FIELD_UPGRADE: upgrade_seen(ps, http_field_value(h, f)); return true;
    case HTTP_FIELD_EXPECT:
        if (bytes_is_nocase(http_field_value(h, f), "100-continue"))
            ps->seen |= H1_SEEN_CONTINUE;
        return true;
    case HTTP_FIELD_UNKNOWN:
        if (looks_like_framing(http_field_name(h, f)))
            return h1_parser_bad(ps, 400, "field name that can be taken for one of framing");
        return true;
    default: return true;
    }
}

/* --- the target --- */

static bool begins_nocase(struct bytes b, const char *text)
{
    size_t n = strlen(text);

    return b.n >= n && bytes_is_nocase((struct bytes){b.p, n}, text);
}

/* RFC 9112 §3.2.2. The path is what follows the authority; made later when it does not begin with a slash. */
static bool absolute_form(struct h1_parser *ps, struct http_head *h, struct bytes target, size_t scheme)
{
    BYTES_UNSET struct http_authority authority;
    size_t end = scheme;

    while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
        end++;
    if (memchr(target.p + scheme, '@', end - scheme) != NULL)
        return h1_parser_bad(ps, 400, "userinfo in the request target");
    if (!http_authority_parse((struct bytes){target.p + scheme, end - scheme}, &authority))
        return h1_parser_bad(ps, 400, "malformed authority in the request target");
    h->has_host = true;
    h->host_off = h->target_off + (uint32_t)scheme;
    h->host_len = (uint32_t)(end - scheme);
    h->path_off = h->target_off + (uint32_t)end;
    h->path_len = (uint32_t)(target.n - end);
    return true;
}

/* RFC 9112 §3.2.3 */
static bool authority_form(struct h1_parser *ps, struct http_head *h, struct bytes target)
{
    BYTES_UNSET struct http_authority authority;

    if (!http_authority_parse(target, &authority) || authority.port == 0)
        return h1_parser_bad(ps, 400, "CONNECT without host and port");
    h->has_host = true;
    h->host_off = h->target_off;
    h->host_len = h->target_len;
    return true;
}

bool h1_target_seen(struct h1_parser *ps, struct http_head *h)
{
    struct bytes target = http_head_target(h);

    if (h->method == HTTP_CONNECT)
        return authority_form(ps, h, target);
    if (target.p[0] == '/' || (h->method == HTTP_OPTIONS && bytes_is(target, "*"))) {
        h->path_off = h->target_off;
        h->path_len = h->target_len;
        return true;
    }
    if (begins_nocase(target, "http://"))
        return absolute_form(ps, h, target, 7);
    if (begins_nocase(target, "https://"))
        return absolute_form(ps, h, target, 8);
    /* HTTP/2's preface is refused for its version (RFC 9113 §3.4), and here if it says another. */
    if (bytes_is(target, "*") && bytes_is(http_head_method(h), "PRI")) {
        h->path_off = h->target_off;
        h->path_len = h->target_len;
        return true;
    }
    return h1_parser_bad(ps, 400, "request target in no known form");
}

bool h1_target_finish(struct http_head *h)
{
    struct bytes path = http_head_path(h);
    uint32_t slash;

    if (h->target_len == 0 || h->method == HTTP_CONNECT || (path.n > 0 && path.p[0] != '?'))
        return true;
    /* An OPTIONS of a server as a whole becomes `*` here (RFC 9112 §3.2.4). */
    slash = http_head_store(h, bytes_str(path.n == 0 && h->method == HTTP_OPTIONS ? "*" : "/"));
    if (slash == UINT32_MAX)
        return false;
    path = http_head_path(h);
    if (http_head_store(h, path) == UINT32_MAX)
        return false;
    h->path_off = slash;
    h->path_len++;
    return true;
}

/* --- the whole --- */

/* RFC 9112 §6.3; what the request was is the session's to know. */
static bool framing(struct h1_parser *ps, struct http_head *h)
{
    bool coded = (ps->seen & H1_SEEN_TRANSFER_ENCODING) != 0, counted = (ps->seen & H1_SEEN_LENGTH) != 0;

    if (coded && counted)
        return h1_parser_bad(ps, 400, "Content-Length with Transfer-Encoding");
    if (coded && h->minor == 0)
        return h1_parser_bad(ps, 400, "Transfer-Encoding in HTTP/1.0");
    if (coded) {
        h->body = HTTP_BODY_CHUNKED;
    } else if (counted) {
        h->length = ps->length;
        h->body = h->length > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    } else {
        h->body = ps->kind == H1_REQUEST ? HTTP_BODY_NONE : HTTP_BODY_CLOSE;
    }
    return true;
}

bool h1_head_seen(struct h1_parser *ps, struct http_head *h)
{
    if (ps->kind == H1_REQUEST && h->minor >= 1 && (ps->seen & H1_SEEN_HOST) == 0)
        return h1_parser_bad(ps, 400, "no Host field");
    if (h->method == HTTP_OTHER && bytes_is(http_head_target(h), "*"))
        return h1_parser_bad(ps, 400, "request target in no known form");
    if (!framing(ps, h))
        return false;
    h->keep_alive =
        (ps->seen & H1_SEEN_CLOSE) == 0 && (h->minor >= 1 || (ps->seen & H1_SEEN_KEEP_ALIVE) != 0);
    h->expect_continue = (ps->seen & H1_SEEN_CONTINUE) != 0 && h->minor >= 1 && h->body != HTTP_BODY_NONE;
    /* A server may ignore Upgrade (RFC 9110 §7.8); it does where a body comes first. */
    h->upgrade = (ps->seen & H1_SEEN_UPGRADE) != 0 && (ps->seen & H1_SEEN_PROTOCOL) != 0 && h->minor >= 1 &&
                 (ps->kind == H1_RESPONSE || h->body == HTTP_BODY_NONE);
    return true;
}
