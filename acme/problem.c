/* SPDX-License-Identifier: MIT
 *
 * A line for people out of a problem document. It is the authority's text: bounded, and without control characters.
 */
#include "acme/problem.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "urn:ietf:params:acme:error:"
enum { TEXT = 2048, SUBPROBLEMS = 20 };

static void put_clean(struct writer *w, const char *text)
{
    for (; *text != '\0'; text++)
        writer_u8(w, (uint8_t)*text < 0x20 || *text == 0x7f ? ' ' : (uint8_t)*text);
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

        writer_str(w, "; ");
        if (identifier >= 0 && put_member(w, j, identifier, "value"))
            writer_str(w, ": ");
        if (!put_member(w, j, sub, "detail"))
            put_member(w, j, sub, "type");
    }
}

char *acme_problem_text(const struct json *j, int problem, char *type, size_t size)
{
    int v = json_member(j, problem, "type");
    char *full = v >= 0 ? json_string(j, v) : NULL, *text = mem_alloc(TEXT);
    struct writer w = writer_of(text, text != NULL ? TEXT - 1 : 0);

    type[0] = '\0';
    if (full != NULL && strncmp(full, PREFIX, strlen(PREFIX)) == 0)
        snprintf(type, size, "%s", full + strlen(PREFIX));
    mem_free(full);
    if (text == NULL)
        return NULL;
    if (!put_member(&w, j, problem, "detail"))
        writer_str(&w, type[0] != '\0' ? type : "a problem without a detail");
    put_subproblems(&w, j, problem);
    text[writer_len(&w)] = '\0';
    return text;
}
