/* SPDX-License-Identifier: MIT
 *
 * A line for people out of a problem document. It is the authority's text: bounded, and without control characters.
 */
#include "acme/problem.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define PREFIX "urn:ietf:params:acme:error:"
enum { TEXT = 2048, SUBPROBLEMS = 20 };

/* By whole characters, of which the last that has no room is left out with all behind it. */
static void put_clean(struct writer *w, const char *text)
{
    for (size_t n; *text != '\0'; text += n) {
        const uint8_t *c = (const uint8_t *)text;

        for (n = 1; (c[n] & 0xc0) == 0x80;)
            n++;
        if (c[0] < 0x20 || c[0] == 0x7f ||
            (c[0] == 0xc2 && c[1] < 0xa0)) /* U+0080 to U+009F are controls too */
            writer_u8(w, ' ');
        else
            writer_put(w, c, n);
    }
}

/* True when there was one. */
static bool put_member(struct writer *w, const struct json *j, int object, const char *name)
{
    int v = json_member(j, object, name);
    char *text = v >= 0 ? json_string(j, v) : NULL;
    bool some = text != NULL && text[0] != '\0';

    if (some)
        put_clean(w, text);
    mem_free(text);
    return some;
}

static void put_subproblems(struct writer *w, const struct json *j, int problem)
{
    int list = json_member(j, problem, "subproblems");

    for (unsigned i = 0; list >= 0 && i < json_count(j, list) && i < SUBPROBLEMS; i++) {
        int sub = json_element(j, list, i), identifier = json_member(j, sub, "identifier");
        uint8_t *before = w->p;

        writer_str(w, "; ");
        if (identifier >= 0 && put_member(w, j, identifier, "value"))
            writer_str(w, ": ");
        if (!put_member(w, j, sub, "detail") && !put_member(w, j, sub, "type"))
            w->p = before; /* it says nothing */
    }
}

/* A word that fits, or "". */
static void take_type(const char *text, char *type, size_t size)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!text_is_alpha((uint8_t)*c) && !text_is_digit((uint8_t)*c) && *c != '-' && *c != '_')
            return;
    if (strlen(text) < size)
        memcpy(type, text, strlen(text) + 1);
}

char *acme_problem_text(const struct json *j, int problem, char *type, size_t size)
{
    int v = json_member(j, problem, "type");
    char *full = v >= 0 ? json_string(j, v) : NULL, *text = mem_alloc(TEXT);
    struct writer w = writer_of(text, text != NULL ? TEXT - 1 : 0);

    type[0] = '\0';
    if (full != NULL && strncmp(full, PREFIX, strlen(PREFIX)) == 0)
        take_type(full + strlen(PREFIX), type, size);
    mem_free(full);
    if (text == NULL)
        return NULL;
    if (!put_member(&w, j, problem, "detail"))
        writer_str(&w, type[0] != '\0' ? type : "a problem without a detail");
    put_subproblems(&w, j, problem);
    text[writer_len(&w)] = '\0';
    return text;
}
