/* SPDX-License-Identifier: MIT
 *
 * jsmn finds the tokens; even its strict mode does not look at all that stands between them, nor into numbers and
 * literals. So what it found is held against the grammar once, right after parsing: `check` walks the tokens and the
 * bytes between them, and whatever passes is JSON.
 */
#include "acme/json.h"

#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#define JSMN_STRICT
#include <jsmn.h>

struct json {
    struct bytes text;
    int n;
    jsmntok_t tokens[];
};

/* ---- the grammar ---- */

struct check {
    const struct json *j;
    size_t at; /* the next byte to look at */
    int next;  /* the next token */
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte that comes next but for blanks; 0 at the end. */
static uint8_t peek(struct check *c)
{
    const struct bytes *text = &c->j->text;

    while (c->at < text->n && is_space(text->p[c->at]))
        c->at++;
    return c->at < text->n ? text->p[c->at] : 0;
}

static bool take(struct check *c, uint8_t byte)
{
    if (peek(c) != byte)
        return false;
    c->at++;
    return true;
}

static bool is_number(struct bytes t)
{
    size_t i = 0, digits;

#define DIGITS() for (digits = 0; i < t.n && text_is_digit(t.p[i]); i++, digits++)
    if (i < t.n && t.p[i] == '-')
        i++;
    if (i < t.n && t.p[i] == '0') {
        i++;
    } else {
        DIGITS();
        if (digits == 0)
            return false;
    }
    if (i < t.n && t.p[i] == '.') {
        i++;
        DIGITS();
        if (digits == 0)
            return false;
    }
    if (i < t.n && (t.p[i] | 0x20) == 'e') {
        i++;
        if (i < t.n && (t.p[i] == '+' || t.p[i] == '-'))
            i++;
        DIGITS();
        if (digits == 0)
            return false;
    }
#undef DIGITS
    return i == t.n;
}

static struct bytes content(const struct json *j, int v)
{
    const jsmntok_t *t = &j->tokens[v];

    return bytes_of(j->text.p + t->start, (size_t)(t->end - t->start));
}

/* The length of the UTF-8 character at p (RFC 3629 §4); 0: it is none. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        len = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        len = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f; /* no surrogates */
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (n < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return len;
}

/* Four hexadecimal digits; -1: they are none. */
static int32_t hex4(const uint8_t *p, size_t n)
{
    uint64_t value;

    return n >= 4 && text_hex_u64(bytes_of(p, 4), 0xffff, &value) ? (int32_t)value : -1;
}

/* One character of a string's content, an escape or not: its code point, and *n bytes of text. -1: neither. */
static int32_t character(const uint8_t *p, size_t left, size_t *n)
{
    static const char escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *known;
    int32_t high, low;

    *n = 1;
    if (p[0] != '\\') {
        *n = utf8_len(p, left);
        return p[0] < 0x20 || *n == 0 ? -1 : 0x80; /* its value is in its bytes */
    }
    if (left < 2)
        return -1;
    *n = 2;
    known = p[1] != 0 ? strchr(escapes, p[1]) : NULL;
    if (known != NULL)
        return (uint8_t)values[known - escapes];
    high = p[1] == 'u' ? hex4(p + 2, left - 2) : -1;
    *n = 6;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    low = left >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, left - 8) : -1;
    *n = 12;
    return high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff
               ? 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00)
               : -1;
}

static bool is_string(struct bytes t)
{
    size_t n;

    for (size_t i = 0; i < t.n; i += n)
        if (character(t.p + i, t.n - i, &n) < 0)
            return false;
    return true;
}

static bool check_value(struct check *c, unsigned depth);

static bool check_scalar(struct check *c, int v)
{
    const jsmntok_t *t = &c->j->tokens[v];
    struct bytes text = content(c->j, v);
    bool quoted = t->type == JSMN_STRING;

    if (quoted ? !take(c, '"') : peek(c) == 0)
        return false;
    if (c->at != (size_t)t->start || (!quoted && t->type != JSMN_PRIMITIVE))
        return false;
    c->at += text.n;
    if (quoted)
        return is_string(text) && c->at < c->j->text.n && c->j->text.p[c->at++] == '"';
    return bytes_is(text, "true") || bytes_is(text, "false") || bytes_is(text, "null") || is_number(text);
}

/* No name twice; few objects have many. */
static bool is_new_name(const struct check *c, int object, int name)
{
    for (int v = object + 1; v < name; v++)
        if (c->j->tokens[v].size == 1 && c->j->tokens[v].type == JSMN_STRING &&
            c->j->tokens[v].parent == object && bytes_equal(content(c->j, v), content(c->j, name)))
            return false;
    return true;
}

static bool check_members(struct check *c, int v, unsigned depth)
{
    bool is_object = c->j->tokens[v].type == JSMN_OBJECT;
    uint8_t close = is_object ? '}' : ']';

    if (!take(c, is_object ? '{' : '['))
        return false;
    for (int i = 0; i < c->j->tokens[v].size; i++) {
        if (i > 0 && !take(c, ','))
            return false;
        if (is_object) {
            int name = c->next++;

            if (name >= c->j->n || c->j->tokens[name].type != JSMN_STRING || c->j->tokens[name].size != 1 ||
                !check_scalar(c, name) || !is_new_name(c, v, name) || !take(c, ':'))
                return false;
        }
        if (!check_value(c, depth + 1))
            return false;
    }
    return take(c, close);
}

static bool check_value(struct check *c, unsigned depth)
{
    int v = c->next++;

    if (v >= c->j->n || depth > JSON_DEPTH)
        return false;
    if (c->j->tokens[v].type == JSMN_OBJECT || c->j->tokens[v].type == JSMN_ARRAY)
        return check_members(c, v, depth);
    return c->j->tokens[v].size == 0 && check_scalar(c, v);
}

/* ---- parsing ---- */

static bool fill(struct json *j, const char **why)
{
    struct check c = {.j = j};
    jsmn_parser parser;

    jsmn_init(&parser);
    *why = "not JSON";
    if (jsmn_parse(&parser, (const char *)j->text.p, j->text.n, j->tokens, (unsigned)j->n) != j->n)
        return false;
    if (j->tokens[0].type != JSMN_OBJECT && j->tokens[0].type != JSMN_ARRAY)
        return false;
    return check_value(&c, 0) && c.next == j->n && peek(&c) == 0 && c.at == j->text.n;
}

struct json *json_parse(struct bytes text, const char **why)
{
    jsmn_parser parser;
    struct json *j;
    int n;

    jsmn_init(&parser);
    *why = "not JSON";
    n = text.n == 0 || text.n > INT32_MAX ? 0 : jsmn_parse(&parser, (const char *)text.p, text.n, NULL, 0);
    if (n <= 0)
        return NULL;
    *why = "more JSON than any answer should have";
    if ((unsigned)n > JSON_TOKENS)
        return NULL;
    *why = "out of memory";
    j = mem_alloc(sizeof *j + (size_t)n * sizeof j->tokens[0]);
    if (j == NULL)
        return NULL;
    j->text = text;
    j->n = n;
    if (fill(j, why))
        return j;
    mem_free(j);
    return NULL;
}

void json_free(struct json *j)
{
    mem_free(j);
}

/* ---- looking things up ---- */

static bool has_type(const struct json *j, int v, jsmntype_t type)
{
    return v >= 0 && v < j->n && j->tokens[v].type == type;
}

bool json_is_object(const struct json *j, int v)
{
    return has_type(j, v, JSMN_OBJECT);
}

/* The token behind a value and all that is in it. */
static int behind(const struct json *j, int v)
{
    int end = j->tokens[v].end;

    while (++v < j->n && j->tokens[v].start < end)
        ;
    return v;
}

int json_member(const struct json *j, int object, const char *name)
{
    int v = object + 1;

    if (!json_is_object(j, object))
        return -1;
    for (int i = 0; i < j->tokens[object].size; i++, v = behind(j, v + 1))
        if (json_is(j, v, name))
            return v + 1;
    return -1;
}

unsigned json_count(const struct json *j, int array)
{
    return has_type(j, array, JSMN_ARRAY) ? (unsigned)j->tokens[array].size : 0;
}

int json_element(const struct json *j, int array, unsigned i)
{
    int v = array + 1;

    if (i >= json_count(j, array))
        return -1;
    while (i-- > 0)
        v = behind(j, v);
    return v;
}

bool json_is(const struct json *j, int v, const char *text)
{
    return has_type(j, v, JSMN_STRING) && bytes_is(content(j, v), text);
}

static void put_utf8(struct writer *w, uint32_t c)
{
    if (c < 0x80) {
        writer_u8(w, (uint8_t)c);
        return;
    }
    if (c >= 0x10000) {
        writer_u8(w, (uint8_t)(0xf0 | c >> 18));
        writer_u8(w, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
    } else if (c >= 0x800) {
        writer_u8(w, (uint8_t)(0xe0 | c >> 12));
    }
    if (c >= 0x800)
        writer_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    else
        writer_u8(w, (uint8_t)(0xc0 | c >> 6));
    writer_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
}

char *json_string(const struct json *j, int v)
{
    struct bytes t;
    struct writer w;
    char *out;
    size_t n;

    if (!has_type(j, v, JSMN_STRING))
        return NULL;
    t = content(j, v);
    out = mem_alloc(t.n + 1); /* no escape is shorter than what it stands for */
    if (out == NULL)
        return NULL;
    w = writer_of(out, t.n + 1);
    for (size_t i = 0; i < t.n; i += n) {
        int32_t c = character(t.p + i, t.n - i, &n);

        if (t.p[i] != '\\')
            writer_put(&w, t.p + i, n);
        else if (c == 0)
            w.failed = true;
        else
            put_utf8(&w, (uint32_t)c);
    }
    writer_u8(&w, 0);
    if (!w.failed)
        return out;
    mem_free(out);
    return NULL;
}

void json_put_string(struct writer *w, struct bytes text)
{
    writer_u8(w, '"');
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];

        if (c == '"' || c == '\\')
            writer_u8(w, '\\');
        if (c < 0x20)
            writer_printf(w, "\\u%04x", c);
        else
            writer_u8(w, c);
    }
    writer_u8(w, '"');
}
