/* SPDX-License-Identifier: MIT
 *
 * Owns a file of test vectors in memory, and where in it the current test and its group begin and end. In these
 * files a group's own values stand before its `"tests": [`, a test begins with its `tcId` and ends with its
 * `result`, and a quote within a text is escaped, so that `"name": ` is found at the value of that name alone.
 */
#include "tests/unit/crypto/wycheproof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wycheproof {
    char name[64];
    char *text;
    /* All of text[]: the group's values end where its tests begin. */
    const char *group, *group_end, *test, *test_end;
    unsigned long tests, seen;
};

static _Noreturn void fail(const struct wycheproof *w, const char *why, const char *what)
{
    fprintf(stderr, "%s, test %u: %s%s\n", w->name, w->test != NULL ? wycheproof_id(w) : 0, why, what);
    abort();
}

/* What follows `"name": `, if it stands before `end`. */
static const char *value_in(const char *from, const char *end, const char *name)
{
    char quoted[64];
    const char *at;

    snprintf(quoted, sizeof quoted, "\"%s\": ", name);
    at = from != NULL ? strstr(from, quoted) : NULL;
    return at != NULL && at < end ? at + strlen(quoted) : NULL;
}

static const char *value(const struct wycheproof *w, const char *name)
{
    const char *at = value_in(w->test, w->test_end, name);

    return at != NULL ? at : value_in(w->group, w->group_end, name);
}

struct wycheproof *wycheproof_open(const char *name)
{
    struct wycheproof *w = calloc(1, sizeof *w);
    char path[128];
    long size;
    FILE *f;

    if (w == NULL)
        abort();
    snprintf(w->name, sizeof w->name, "%s", name);
    snprintf(path, sizeof path, "tests/vectors/wycheproof/%s", name);
    f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
        fail(w, "no such file: ", path);
    w->text = calloc(1, (size_t)size + 1);
    if (w->text == NULL || fread(w->text, 1, (size_t)size, f) != (size_t)size)
        fail(w, "cannot read: ", path);
    fclose(f);
    w->group = strstr(w->text, "\"testGroups\": ");
    if (w->group == NULL)
        fail(w, "has no groups", "");
    w->tests = strtoul(value_in(w->text, w->group, "numberOfTests"), NULL, 10);
    w->group_end = w->group;
    w->test_end = w->group;
    return w;
}

void wycheproof_close(struct wycheproof *w)
{
    free(w->text);
    free(w);
}

bool wycheproof_next(struct wycheproof *w)
{
    const char *before = w->test_end;
    const char *tests = strstr(before, "\"tests\": [");
    const char *test = strstr(before, "\"tcId\": ");

    if (test == NULL) {
        if (w->seen != w->tests)
            fail(w, "the last, but more were promised", "");
        return false;
    }
    if (tests != NULL && tests < test) {
        w->group = before;
        w->group_end = tests;
    }
    w->test = test;
    w->test_end = strstr(test, "\"result\": ");
    w->test_end = w->test_end != NULL ? strchr(w->test_end, '\n') : NULL;
    if (w->test_end == NULL)
        fail(w, "has no result", "");
    w->seen++;
    return true;
}

unsigned wycheproof_id(const struct wycheproof *w)
{
    return (unsigned)wycheproof_number(w, "tcId");
}

enum wycheproof_result wycheproof_result(const struct wycheproof *w)
{
    if (wycheproof_is(w, "result", "valid"))
        return WYCHEPROOF_VALID;
    if (wycheproof_is(w, "result", "acceptable"))
        return WYCHEPROOF_ACCEPTABLE;
    if (!wycheproof_is(w, "result", "invalid"))
        fail(w, "unknown result", "");
    return WYCHEPROOF_INVALID;
}

bool wycheproof_flag(const struct wycheproof *w, const char *flag)
{
    const char *flags = value_in(w->test, w->test_end, "flags");
    char quoted[64];
    const char *at;

    if (flags == NULL)
        return false;
    snprintf(quoted, sizeof quoted, "\"%s\"", flag);
    at = strstr(flags, quoted);
    return at != NULL && at < strchr(flags, ']');
}

bool wycheproof_has(const struct wycheproof *w, const char *name)
{
    return value(w, name) != NULL;
}

static unsigned digit(const struct wycheproof *w, char c, const char *name)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c < 'a' || c > 'f')
        fail(w, "not hexadecimal: ", name);
    return (unsigned)(c - 'a' + 10);
}

size_t wycheproof_hex(const struct wycheproof *w, const char *name, uint8_t *to, size_t room)
{
    const char *at = value(w, name);
    size_t n = 0;

    if (at == NULL)
        return 0;
    if (*at++ != '"')
        fail(w, "not a text: ", name);
    for (; *at != '"'; at += 2) {
        if (n == room)
            fail(w, "longer than there is room for: ", name);
        to[n++] = (uint8_t)(digit(w, at[0], name) << 4 | digit(w, at[1], name));
    }
    return n;
}

unsigned long wycheproof_number(const struct wycheproof *w, const char *name)
{
    const char *at = value(w, name);

    return at != NULL ? strtoul(at, NULL, 10) : 0;
}

bool wycheproof_is(const struct wycheproof *w, const char *name, const char *text)
{
    const char *at = value(w, name);
    size_t n = strlen(text);

    return at != NULL && at[0] == '"' && strncmp(at + 1, text, n) == 0 && at[1 + n] == '"';
}
