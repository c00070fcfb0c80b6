/* SPDX-License-Identifier: MIT
 *
 * The grammar of RFC 8288 §3 as far as it says where a link leads and what it is for. What does not follow it ends the
 * field: nothing that stands behind is guessed.
 */
#include "acme/link.h"

#include "base/text.h"

#include <string.h>

static void skip_blanks(struct bytes *in)
{
    while (in->n > 0 && (in->p[0] == ' ' || in->p[0] == '\t')) {
        in->p++;
        in->n--;
    }
}

/* Takes the byte, with the blanks before it. */
static bool take(struct bytes *in, uint8_t byte)
{
    skip_blanks(in);
    if (in->n == 0 || in->p[0] != byte)
        return false;
    in->p++;
    in->n--;
    return true;
}

/* What stands before the byte, which goes too. */
static bool take_until(struct bytes *in, uint8_t byte, struct bytes *out)
{
    const uint8_t *end = in->n > 0 ? memchr(in->p, byte, in->n) : NULL;

    if (end == NULL)
        return false;
    *out = bytes_of(in->p, (size_t)(end - in->p));
    *in = bytes_of(end + 1, in->n - out->n - 1);
    return true;
}

static struct bytes take_word(struct bytes *in)
{
    struct bytes word;
    size_t n = 0;

    skip_blanks(in);
    while (n < in->n && strchr(" \t,;=\"<>", in->p[n]) == NULL)
        n++;
    word = bytes_of(in->p, n);
    *in = bytes_of(in->p + n, in->n - n);
    return word;
}

/* A quoted string with a backslash in it is taken as it is written: no relation has one. */
static bool take_quoted(struct bytes *in, struct bytes *out)
{
    size_t n = 0;

    while (n < in->n && in->p[n] != '"')
        n += in->p[n] == '\\' ? 2 : 1;
    if (n >= in->n)
        return false;
    *out = bytes_of(in->p, n);
    *in = bytes_of(in->p + n + 1, in->n - n - 1);
    return true;
}

bool link_next(struct bytes *value, struct bytes *url, struct bytes *rel)
{
    bool has_rel = false;

    *rel = bytes_str("");
    while (take(value, ',')) /* an empty element (RFC 9110 §5.6.1.2) */
        ;
    if (!take(value, '<') || !take_until(value, '>', url))
        return false;
    while (take(value, ';')) {
        struct bytes name = take_word(value), text = bytes_str("");

        if (take(value, '=')) {
            if (!take(value, '"'))
                text = take_word(value);
            else if (!take_quoted(value, &text))
                return false;
        }
        if (!has_rel && bytes_is_nocase(name, "rel")) {
            *rel = text;
            has_rel = true;
        }
    }
    skip_blanks(value);
    return value->n == 0 || value->p[0] == ',';
}

/* One of the words of `rel` (§3.3). */
static bool is_alternate(struct bytes rel)
{
    while (rel.n > 0) {
        struct bytes word = take_word(&rel);

        if (bytes_is_nocase(word, "alternate"))
            return true;
        if (word.n == 0)
            return false;
    }
    return false;
}

struct bytes link_alternate(const struct http_head *head, unsigned i)
{
    for (uint32_t f = 0; f < head->field_count; f++) {
        const struct http_field *field = &head->fields[f];
        struct bytes value, url, rel;

        if (!bytes_is_nocase(http_head_text(head, field->name, field->name_len), "link"))
            continue;
        value = http_field_value(head, field);
        while (link_next(&value, &url, &rel))
            if (is_alternate(rel) && url.n > 8 && memcmp(url.p, "https://", 8) == 0 && i-- == 0)
                return url;
    }
    return (struct bytes){NULL, 0};
}
