/* SPDX-License-Identifier: MIT
 *
 * Authorities' JSON, held against a checker of its own: what is taken is JSON, what is JSON within the bounds and has
 * no name twice is taken, and every value can be looked at.
 */
#include "acme/json.h"
#include "acme/problem.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- RFC 8259's grammar once more, by descent ---- */

struct text {
    const uint8_t *p, *end;
    unsigned depth, values;
};

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

static bool value(struct text *t, unsigned depth)
{
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
            t->values++;
            blanks(t);
            if (!string(t))
                return false;
            blanks(t);
            if (!is(t, ':'))
                return false;
        }
        if (!value(t, depth + 1))
            return false;
        blanks(t);
    } while (is(t, ','));
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

static void look(const struct json *j)
{
    char type[64];

    for (int v = -1; v < 64; v++) {
        char *text = json_string(j, v);

        mem_free(text);
        (void)json_is_object(j, v);
        (void)json_member(j, v, "type");
        for (unsigned i = 0; i < json_count(j, v) + 1 && i < 8; i++)
            if ((json_element(j, v, i) >= 0) != (i < json_count(j, v)))
                abort();
    }
    mem_free(acme_problem_text(j, JSON_ROOT, type, sizeof type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    struct json *j = json_parse(bytes_of(data, size), &why);
    struct text t;
    bool good = is_json(data, size, &t);

    if (j != NULL && !good)
        abort();
    /* A name twice cannot be told here, so what has names may be refused. */
    if (j == NULL && good && t.depth <= JSON_DEPTH && t.values <= JSON_TOKENS &&
        memchr(data, ':', size) == NULL)
        abort();
    if (j == NULL && why == NULL)
        abort();
    if (j != NULL)
        look(j);
    json_free(j);
    return 0;
}
