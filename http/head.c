/* SPDX-License-Identifier: MIT
 *
 * Owns the head of a message: its one block of memory, and the tables of methods, field names and reasons.
 * Invariant: every offset lies in text[0, text_len), so text and fields may move when they grow. They begin inside
 * the head's own block; once one has grown it is an allocation of its own (its pointer no longer the block's). What is
 * added lies in the text as a line, `Name: value` and CRLF.
 */
#include "http/head.h"

#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

struct block {
    struct http_head head;
    uint8_t *text; /* where the block's own text is */
    size_t size;   /* of the block */
    struct http_field fields[];
};

static struct block *block_of(const struct http_head *h)
{
    return (struct block *)(uintptr_t)h;
}

struct http_head *http_head_new(size_t text_cap, size_t field_cap)
{
    struct block *b;
    size_t size;

    if (text_cap >= UINT32_MAX / 2 || field_cap >= UINT32_MAX / (2 * sizeof(struct http_field)))
        return NULL;
    size = sizeof *b + field_cap * sizeof(struct http_field) + text_cap;
    b = mem_alloc(size);
    if (b == NULL)
        return NULL;
    b->size = size;
    b->text = (uint8_t *)(b->fields + field_cap);
    b->head = (struct http_head){
        .keep_alive = true,
        .minor = 1,
        .field_cap = (uint32_t)field_cap,
        .text_cap = (uint32_t)text_cap,
        .fields = b->fields,
        .text = b->text,
    };
    return &b->head;
}

void http_head_free(struct http_head *head)
{
    if (head == NULL)
        return;
    if (head->text != block_of(head)->text)
        mem_free(head->text);
    if (head->fields != block_of(head)->fields)
        mem_free(head->fields);
    mem_free_sized(block_of(head), block_of(head)->size);
}

struct http_head *http_head_copy(const struct http_head *from, size_t spare_text, size_t spare_fields)
{
    struct http_head *to = http_head_new(from->text_len + spare_text, from->field_count + spare_fields);
    uint8_t *text;
    struct http_field *fields;
    uint32_t text_cap, field_cap;

    if (to == NULL)
        return NULL;
    text = to->text;
    text_cap = to->text_cap;
    fields = to->fields;
    field_cap = to->field_cap;
    *to = *from;
    to->text = text;
    to->text_cap = text_cap;
    to->fields = fields;
    to->field_cap = field_cap;
    if (from->text_len > 0)
        memcpy(to->text, from->text, from->text_len);
    if (from->field_count > 0)
        memcpy(to->fields, from->fields, from->field_count * sizeof(struct http_field));
    return to;
}

/* The same bytes with room for `cap`, out of the block if they were in it. NULL when out of memory: nothing changed. */
static void *grow(void *p, bool in_block, size_t used, size_t cap)
{
    void *grown;

    if (!in_block)
        return mem_realloc(p, cap);
    grown = mem_alloc(cap);
    if (grown != NULL && used > 0)
        memcpy(grown, p, used);
    return grown;
}

static bool grow_text(struct http_head *h, size_t more)
{
    size_t cap;
    uint8_t *text;

    if (more >= UINT32_MAX / 4 || h->text_len >= UINT32_MAX / 4)
        return false;
    cap = (size_t)h->text_len + more + h->text_cap;
    text = grow(h->text, h->text == block_of(h)->text, h->text_len, cap);
    if (text == NULL)
        return false;
    h->text = text;
    h->text_cap = (uint32_t)cap;
    return true;
}

static bool grow_fields(struct http_head *h, size_t more)
{
    size_t cap, size = sizeof(struct http_field);
    struct http_field *fields;

    if (more >= UINT32_MAX / 64 || h->field_count >= UINT32_MAX / 64)
        return false;
    cap = (size_t)h->field_count + more + h->field_cap;
    fields = grow(h->fields, h->fields == block_of(h)->fields, h->field_count * size, cap * size);
    if (fields == NULL)
        return false;
    h->fields = fields;
    h->field_cap = (uint32_t)cap;
    return true;
}

bool http_head_reserve_text(struct http_head *h, size_t more)
{
    return h->text_cap - h->text_len >= more || grow_text(h, more);
}

bool http_head_reserve_fields(struct http_head *h, size_t more)
{
    return h->field_cap - h->field_count >= more || grow_fields(h, more);
}

/* --- reading --- */

struct bytes http_head_method(const struct http_head *h)
{
    return http_head_text(h, h->method_off, h->method_len);
}

struct bytes http_head_target(const struct http_head *h)
{
    return http_head_text(h, h->target_off, h->target_len);
}

struct bytes http_head_path(const struct http_head *h)
{
    return http_head_text(h, h->path_off, h->path_len);
}

struct bytes http_head_host(const struct http_head *h)
{
    return http_head_text(h, h->host_off, h->host_len);
}

struct bytes http_head_reason(const struct http_head *h)
{
    return http_head_text(h, h->reason_off, h->reason_len);
}

struct http_field *http_head_find(const struct http_head *h, enum http_field_id id)
{
    if ((h->ids & HTTP_FIELD_BIT(id)) == 0)
        return NULL;
    for (uint32_t i = 0; i < h->field_count; i++)
        if (h->fields[i].id == id && !h->fields[i].dropped)
            return &h->fields[i];
    return NULL;
}

struct http_field *http_head_find_name(const struct http_head *h, struct bytes name)
{
    for (uint32_t i = 0; i < h->field_count; i++)
        if (!h->fields[i].dropped && bytes_equal_nocase(http_field_name(h, &h->fields[i]), name))
            return &h->fields[i];
    return NULL;
}

/* --- changing --- */

void http_head_drop(struct http_head *h, uint32_t ids)
{
    if ((h->ids & ids) == 0)
        return;
    for (uint32_t i = 0; i < h->field_count; i++)
        if ((HTTP_FIELD_BIT(h->fields[i].id) & ids) != 0)
            h->fields[i].dropped = true;
}

void http_head_drop_name(struct http_head *h, struct bytes name)
{
    for (uint32_t i = 0; i < h->field_count; i++)
        if (h->fields[i].name_len == name.n && bytes_equal_nocase(http_field_name(h, &h->fields[i]), name))
            h->fields[i].dropped = true;
}

/* More room for text; where `a` and `b` lie in the text there was, they follow it to where it is now. Compared as
 * numbers: they may be anyone's. */
static bool grow_text_under(struct http_head *h, size_t more, struct bytes *a, struct bytes *b)
{
    uintptr_t own = (uintptr_t)h->text;
    uint32_t own_len = h->text_len;

    if (!grow_text(h, more))
        return false;
    if ((uintptr_t)a->p - own < own_len)
        a->p = h->text + ((uintptr_t)a->p - own);
    if ((uintptr_t)b->p - own < own_len)
        b->p = h->text + ((uintptr_t)b->p - own);
    return true;
}

uint32_t http_head_store(struct http_head *h, struct bytes text)
{
    struct bytes none = {NULL, 0};
    uint32_t off = h->text_len;

    if (h->text_cap - h->text_len < text.n && !grow_text_under(h, text.n, &text, &none))
        return UINT32_MAX;
    (void)bytes_copy(h->text + off, text);
    h->text_len += (uint32_t)text.n;
    return off;
}

bool http_head_add(struct http_head *h, struct bytes name, struct bytes value)
{
    return http_head_add_known(h, http_field_id_of(name), name, value);
}

bool http_head_add_known(struct http_head *h, enum http_field_id id, struct bytes name, struct bytes value)
{
    const struct bytes colon = bytes_str(": "), end = bytes_str("\r\n");
    size_t n = name.n + colon.n + value.n + end.n;
    struct http_field *f;
    uint8_t *p;

    assert(name.n > 0 && name.n <= UINT16_MAX && value.n < UINT32_MAX / 4);
    if (h->field_cap == h->field_count && !grow_fields(h, 1))
        return false;
    if (h->text_cap - h->text_len < n && !grow_text_under(h, n, &name, &value))
        return false;
    f = &h->fields[h->field_count++];
    *f = (struct http_field){
        .name = h->text_len,
        .name_len = (uint16_t)name.n,
        .value = h->text_len + (uint32_t)(name.n + colon.n),
        .value_len = (uint32_t)value.n,
        .id = (uint8_t)id,
    };
    p = h->text + h->text_len;
    (void)bytes_copy(bytes_copy(bytes_copy(bytes_copy(p, name), colon), value), end);
    h->text_len += (uint32_t)n;
    h->ids |= HTTP_FIELD_BIT(id);
    return true;
}

struct http_head *http_head_response(uint16_t status)
{
    struct http_head *h = http_head_new(256, 8);
    struct bytes reason = bytes_str(http_reason(status));

    if (h == NULL)
        return NULL;
    h->status = status;
    h->reason_off = http_head_store(h, reason);
    h->reason_len = (uint32_t)reason.n;
    return h;
}

struct http_head *http_head_request(const char *method, struct bytes path, struct bytes host)
{
    struct bytes token = bytes_str(method);
    struct http_head *h = http_head_new(token.n + path.n + host.n + 256, 8);

    if (h == NULL)
        return NULL;
    /* There is room for all three. */
    h->method = http_method_of(token);
    h->method_off = http_head_store(h, token);
    h->method_len = (uint32_t)token.n;
    h->target_off = h->path_off = http_head_store(h, path);
    h->target_len = h->path_len = (uint32_t)path.n;
    h->host_off = http_head_store(h, host);
    h->host_len = (uint32_t)host.n;
    h->has_host = true;
    return h;
}
