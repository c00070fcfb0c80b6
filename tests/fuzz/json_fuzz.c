/* SPDX-License-Identifier: MIT
 *
 * Authorities' JSON, held against a checker of its own: what is taken is JSON, what is JSON within the bounds and has
 * no name twice is taken, every value can be looked at, and a string that is written again is read as the same.
 */
#include "acme/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- RFC 8259's grammar once more, by descent ---- */

struct text {
    const uint8_t *p, *end;
    unsigned depth, values;
    bool has_twice;
    unsigned n; /* names of the objects that we are in */
};

static struct bytes names[JSON_TOKENS];

static void blanks(struct text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
        t->p++;
}

static bool is(struct text *t, char c)
{
    if (t->p == t->end || *t->p != (uint8_t)c)
        return false;
    t->p++;
    return true;
}

static unsigned digits(struct text *t)
{
    unsigned n = 0;

    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
        n++;
    return n;
}

static bool number(struct text *t)
{
    is(t, '-');
    if (!is(t, '0') && digits(t) == 0)
        return false;
    if (is(t, '.') && digits(t) == 0)
        return false;
    if (is(t, 'e') || is(t, 'E')) {
        if (!is(t, '+'))
            is(t, '-');
        return digits(t) > 0;
    }
    return true;
}

static int hex4(struct text *t)
{
    int v = 0;

    for (int i = 0; i < 4; i++, t->p++) {
        if (t->p == t->end)
            return -1;
        uint8_t c = *t->p;
        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            v = v * 16 + ((c | 32) - 'a' + 10);
        else
            return -1;
    }
    return v;
}

static bool utf8(struct text *t)
{
    uint32_t c = *t->p++;
    unsigned more = c < 0x80 ? 0 : c < 0xc0 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf8 ? 3 : 9;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

    if (more == 9)
        return false;
    if (more > 0)
        c &= 0x3fu >> more;
    for (unsigned i = 0; i < more; i++, t->p++) {
        if (t->p == t->end || (*t->p & 0xc0) != 0x80)
            return false;
        c = c << 6 | (*t->p & 0x3fu);
    }
    return c >= least[more] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

static bool string(struct text *t)
{
    if (!is(t, '"'))
        return false;
    while (t->p < t->end && *t->p != '"') {
        if (*t->p < 0x20)
            return false;
        if (!is(t, '\\')) {
            if (!utf8(t))
                return false;
        } else if (is(t, 'u')) {
            int high = hex4(t);
            if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
                return false;
            if (high >= 0xd800 && high <= 0xdbff) {
                int low = is(t, '\\') && is(t, 'u') ? hex4(t) : -1;
                if (low < 0xdc00 || low > 0xdfff)
                    return false;
            }
        } else if (t->p == t->end || *t->p == 0 || strchr("\"\\/bfnrt", *t->p++) == NULL) {
            return false;
        }
    }
    return is(t, '"');
}

static bool word(struct text *t, const char *w)
{
    for (; *w; w++)
        if (!is(t, *w))
            return false;
    return true;
}

/* Of the object whose names begin at `first`. */
static void add_name(struct text *t, unsigned first, struct bytes name)
{
    for (unsigned i = first; i < t->n; i++)
        if (bytes_equal(names[i], name))
            t->has_twice = true;
    if (t->n < JSON_TOKENS)
        names[t->n++] = name;
}

static bool value(struct text *t, unsigned depth)
{
    unsigned first = t->n;
    bool is_object;

    if (depth > t->depth)
        t->depth = depth;
    if (depth > 200)
        return false;
    t->values++;
    blanks(t);
    if (t->p == t->end)
        return false;
    switch (*t->p) {
    case '"': return string(t);
    case 't': return word(t, "true");
    case 'f': return word(t, "false");
    case 'n': return word(t, "null");
    case '{':
    case '[': break;
    default: return number(t);
    }
    is_object = *t->p++ == '{';
    blanks(t);
    if (is(t, is_object ? '}' : ']'))
        return true;
    do {
        if (is_object) {
            const uint8_t *name;

            t->values++;
            blanks(t);
            name = t->p;
            if (!string(t))
                return false;
            add_name(t, first, bytes_of(name, (size_t)(t->p - name)));
            blanks(t);
            if (!is(t, ':'))
                return false;
        }
        if (!value(t, depth + 1))
            return false;
        blanks(t);
    } while (is(t, ','));
    t->n = first;
    return is(t, is_object ? '}' : ']');
}

static bool is_json(const uint8_t *data, size_t size, struct text *t)
{
    *t = (struct text){.p = data, .end = data + size};
    blanks(t);
    if (t->p == t->end || (*t->p != '{' && *t->p != '[') || !value(t, 0))
        return false;
    blanks(t);
    return t->p == t->end;
}

/* ---- */

static void write_again(const char *value)
{
    size_t cap = 6 * strlen(value) + 8;
    char *text = malloc(cap), *back;
    struct writer w = writer_of(text, cap);
    const char *why;
    struct json *j;

    writer_u8(&w, '[');
    json_put_string(&w, bytes_str(value));
    writer_u8(&w, ']');
    j = json_parse(bytes_of(text, writer_len(&w)), &why);
    back = json_string(j, json_element(j, JSON_ROOT, 0));
    if (w.failed || back == NULL || strcmp(back, value) != 0)
        abort();
    mem_free(back);
    json_free(j);
    free(text);
}

static void look(const struct json *j, int values)
{
    for (int v = -1; v < values + 2; v++) {
        char *text = json_string(j, v);
        bool is_value = v >= 0 && v < values, is_object = json_is_object(j, v);
        unsigned n = json_count(j, v);

        if ((text != NULL || is_object || n > 0) && !is_value)
            abort();
        if (text != NULL && (is_object || n > 0))
            abort();
        if (text != NULL && v < 64)
            write_again(text);
        if (json_member(j, v, "type") >= 0 && !is_object)
            abort();
        if (json_element(j, v, n) != -1)
            abort();
        for (unsigned i = 0; i < n && i < 8; i++)
            if (json_element(j, v, i) <= v || json_element(j, v, i) >= values)
                abort();
        mem_free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    struct json *j = json_parse(bytes_of(data, size), &why);
    struct text t;
    bool good = is_json(data, size, &t) && t.depth <= JSON_DEPTH && t.values <= JSON_TOKENS && !t.has_twice;

    if ((j != NULL) != good || (j == NULL && why == NULL))
        abort();
    if (j != NULL)
        look(j, (int)t.values);
    json_free(j);
    return 0;
}
