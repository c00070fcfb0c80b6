/* SPDX-License-Identifier: MIT
 *
 * A bump arena: a list of chunks, newest first, of which the newest alone has room. Nothing is given back before
 * the whole is. Invariant: what is handed out is cleared, and aligned as malloc's is.
 */
#include "conf/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_FIRST 1024u /* a demo's configuration fits */
#define CHUNK_MAX   16384u
#define ALIGN       _Alignof(max_align_t)

struct chunk {
    struct chunk *next;
    size_t used, cap;
    _Alignas(max_align_t) uint8_t data[];
};

struct arena {
    struct chunk *chunks;
    size_t next_cap;
    bool failed;
};

struct arena *arena_new(void)
{
    struct arena *a = mem_zalloc(sizeof *a);

    if (a != NULL)
        a->next_cap = CHUNK_FIRST;
    return a;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    for (struct chunk *c = a->chunks, *next; c != NULL; c = next) {
        next = c->next;
        mem_free(c);
    }
    mem_free(a);
}

bool arena_failed(const struct arena *a)
{
    return a->failed;
}

static struct chunk *add_chunk(struct arena *a, size_t min)
{
    size_t cap = a->next_cap > min ? a->next_cap : min;
    struct chunk *c = mem_zalloc(sizeof *c + cap);

    if (c == NULL)
        return NULL;
    c->cap = cap;
    c->next = a->chunks;
    a->chunks = c;
    if (a->next_cap < CHUNK_MAX)
        a->next_cap *= 2;
    return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct chunk *c = a->chunks;
    void *p;

    if (n > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    n = (n + ALIGN - 1) / ALIGN * ALIGN;
    if (c == NULL || c->cap - c->used < n) {
        c = add_chunk(a, n);
        if (c == NULL) {
            a->failed = true;
            return NULL;
        }
    }
    p = c->data + c->used;
    c->used += n;
    return p;
}

char *arena_text(struct arena *a, struct bytes text)
{
    char *copy = arena_alloc(a, text.n + 1);

    if (copy != NULL && text.n > 0)
        memcpy(copy, text.p, text.n);
    return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0)
        text = arena_alloc(a, (size_t)n + 1);
    if (text == NULL) {
        a->failed = true;
        return NULL;
    }
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

/* Capacities are the powers of two, so that n alone tells when an array is full. */
void *arena_more(struct arena *a, void *items, size_t n, size_t size)
{
    size_t cap = n == 0 ? 1 : n * 2;
    void *larger;

    if (n != 0 && (n & (n - 1)) != 0)
        return items;
    if (cap > SIZE_MAX / 4 / size) {
        a->failed = true;
        return NULL;
    }
    larger = arena_alloc(a, cap * size);
    if (larger != NULL && n > 0)
        memcpy(larger, items, n * size);
    return larger;
}
