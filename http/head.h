/* SPDX-License-Identifier: MIT
 *
 * The head of a message, request or response, whatever protocol brought it (RFC 9110): method and target or
 * status, fields in order, and how its body is delimited. One allocation holds it and its text; fields are offsets
 * into that text, so it can be moved and grown. A field is dropped by a flag and added at the end: what is sent on
 * is what was received with that applied. The text of a field is often part of its line, `Name: value` and CRLF, as
 * HTTP/1 writes it; who writes it may look.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/bytes.h"

#include <assert.h>

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH,
    HTTP_OTHER /* any other token */
};

/* Fields that somebody here asks for by number. The table in names.c names them. */
enum http_field_id {
    HTTP_FIELD_UNKNOWN,
    HTTP_FIELD_HOST,
    HTTP_FIELD_CONNECTION,
    HTTP_FIELD_CONTENT_LENGTH,
    HTTP_FIELD_TRANSFER_ENCODING,
    HTTP_FIELD_TE,
    HTTP_FIELD_TRAILER,
    HTTP_FIELD_UPGRADE,
    HTTP_FIELD_KEEP_ALIVE,
    HTTP_FIELD_PROXY_CONNECTION,
    HTTP_FIELD_PROXY_AUTHENTICATE,
    HTTP_FIELD_PROXY_AUTHORIZATION,
    HTTP_FIELD_HTTP2_SETTINGS,
    HTTP_FIELD_EXPECT,
    HTTP_FIELD_DATE,
    HTTP_FIELD_SERVER,
    HTTP_FIELD_VIA,
    HTTP_FIELD_MAX_FORWARDS,
    HTTP_FIELD_USER_AGENT,
    HTTP_FIELD_REFERER,
    HTTP_FIELD_FORWARDED,
    HTTP_FIELD_X_FORWARDED_FOR, /* also recognised with underscores for hyphens, as the next */
    HTTP_FIELD_X_FORWARDED_PROTO,
    HTTP_FIELD_X_FORWARDED_HOST,
    HTTP_FIELD_X_FORWARDED_OTHER, /* X-Forwarded-anything-else */
    HTTP_FIELD_X_REAL_IP,
    HTTP_FIELD_ID_MAX
};

/* A set of ids has a bit for each. */
#define HTTP_FIELD_BIT(id) (UINT32_C(1) << (id))
static_assert(HTTP_FIELD_ID_MAX <= 32, "a set takes every id");

struct http_field {
    uint32_t name, value; /* offsets into text */
    uint32_t value_len;
    uint16_t name_len;
    uint8_t id;
    bool dropped;
};

/* How the body that follows is delimited (RFC 9112 §6.3), without saying how a version writes that. */
enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,  /* head->length bytes */
    HTTP_BODY_CHUNKED, /* unknown length, its end is marked */
    HTTP_BODY_CLOSE,   /* unknown length, ends with the connection (responses alone) */
    HTTP_BODY_TUNNEL,  /* after 101: bytes both ways until either closes */
};

struct http_head {
    /* request */
    enum http_method method;
    uint32_t method_off, method_len, target_off, target_len;
    uint32_t path_off, path_len; /* path and query of the target; `*` for OPTIONS * */
    uint32_t host_off,
        host_len; /* the authority the request is for: absolute-form's, else Host's; with port */
    bool has_host;
    /* response */
    uint16_t status;
    uint32_t reason_off, reason_len;
    /* both */
    uint8_t minor; /* of HTTP/1.x */
    enum http_body body;
    uint64_t length; /* with HTTP_BODY_LENGTH */
    bool keep_alive; /* what the message and its version say */
    bool expect_continue;
    bool upgrade; /* Connection: upgrade and an Upgrade field that is not h2c alone */
    uint32_t ids; /* of the fields, dropped ones too: what is not in it need not be looked for */
    uint32_t field_count, field_cap;
    uint32_t text_len, text_cap;
    struct http_field *fields;
    uint8_t *text;
};

/* Room for that many bytes and fields; both grow. NULL when out of memory. */
struct http_head *http_head_new(size_t text_cap, size_t field_cap);
void http_head_free(struct http_head *head); /* NULL is fine */
/* A copy in one allocation, with that much room to spare. NULL when out of memory. */
struct http_head *http_head_copy(const struct http_head *from, size_t spare_text, size_t spare_fields);
/* Room for that much more text, that many more fields; false when out of memory. */
bool http_head_reserve_text(struct http_head *h, size_t more);
bool http_head_reserve_fields(struct http_head *h, size_t more);

struct bytes http_head_method(const struct http_head *h);
struct bytes http_head_target(const struct http_head *h); /* as received */
struct bytes http_head_path(const struct http_head *h);   /* path and query */
struct bytes http_head_host(const struct http_head *h);   /* with its port */
struct bytes http_head_reason(const struct http_head *h);
static inline struct bytes http_head_text(const struct http_head *h, uint32_t off, uint32_t len)
{
    assert(off <= h->text_len && len <= h->text_len - off);
    return len == 0 ? (struct bytes){NULL, 0} : (struct bytes){h->text + off, len};
}
static inline struct bytes http_field_name(const struct http_head *h, const struct http_field *f)
{
    return http_head_text(h, f->name, f->name_len);
}
static inline struct bytes http_field_value(const struct http_head *h, const struct http_field *f)
{
    return http_head_text(h, f->value, f->value_len);
}

/* The first field of that id that is not dropped; NULL if none. */
struct http_field *http_head_find(const struct http_head *h, enum http_field_id id);
struct http_field *http_head_find_name(const struct http_head *h, struct bytes name); /* case-insensitive */
void http_head_drop(struct http_head *h, uint32_t ids); /* every one of an id in the set */
void http_head_drop_name(struct http_head *h, struct bytes name);
/* Adds a field at the end; name and value must be valid and may borrow from h. False when out of memory. */
bool http_head_add(struct http_head *h, struct bytes name, struct bytes value);
/* The same when the name's id is known. */
bool http_head_add_known(struct http_head *h, enum http_field_id id, struct bytes name, struct bytes value);
/* A copy of text into the head's own; offset, or UINT32_MAX when out of memory. */
uint32_t http_head_store(struct http_head *h, struct bytes text);

/* For heads made here. */
struct http_head *http_head_response(uint16_t status); /* length 0, HTTP_BODY_NONE, keep_alive */
struct http_head *http_head_request(const char *method, struct bytes path, struct bytes host);

enum http_field_id http_field_id_of(struct bytes name);
extern const bool http_tchar[256];        /* RFC 9110 §5.6.2 */
bool http_is_token(struct bytes b);       /* one or more of those */
bool http_is_field_value(struct bytes b); /* RFC 9110 §5.5: no NUL, CR, LF, other controls but HTAB */
/* Is `token` a member of the comma-separated list (RFC 9110 §5.6.1), case-insensitive? */
bool http_list_has(struct bytes list, const char *token);
/* Takes the next member off a list; false at its end. */
bool http_list_next(struct bytes *list, struct bytes *member);
const char *http_reason(unsigned status); /* "Not Found"; "" if unknown */
enum http_method http_method_of(struct bytes token);
bool http_method_is_idempotent(enum http_method m); /* RFC 9110 §9.2.2 */

#endif
