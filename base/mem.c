/* SPDX-License-Identifier: MIT
 *
 * Owns the count of the heap. The invariant: `used` is the sum of malloc_usable_size over the blocks that are out,
 * so what mem_free takes off is what mem_alloc put on, whatever the size that was asked for. Writable state of the
 * process, as malloc's is; one thread.
 */
#include "base/mem.h"

#include <assert.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct {
    size_t used, blocks, cap;
    size_t attempts;             /* since the process began */
    size_t fail_from, fail_left; /* the attempts that fail: from this one, as many */
} heap;

/* Blocks of a request's life (its head, its exchange) are given back to be taken again at once, and libc's allocator
 * maps and unmaps pages for each of them, and looks up a block's size slowly. As many of each size are kept as come
 * together in a turn, until mem_trim. Not under a sanitiser, which then sees every use after free. */
#if defined __SANITIZE_ADDRESS__
#define SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif
/* Is a block that was asked for in a class's size just that large? musl says of a block what was asked for, glibc what
 * there is room for. */
#ifdef __GLIBC__
#define EXACT false
#else
#define EXACT (!SANITIZED)
#endif
#define KEEP     (48u * 1024u)  /* bytes of each size */
#define KEEP_ALL (256u * 1024u) /* bytes */

/* A block is given out in one of these sizes, so that it fits the next that asks for about as much. Fine steps up to
 * a kibibyte, as a connection's structs are held for long; musl's slots are multiples of 16 less 4 bytes. Coarse ones
 * above, for what a request brings. */
#define FINE       16u
#define FINE_COUNT 64u
#define FINE_END   (FINE * FINE_COUNT)
#define STEP       256u
#define CLASSES    (FINE_COUNT + 16u) /* up to 5 KiB */

struct kept {
    struct kept *next;
};

static struct {
    struct {
        struct kept *first;
        size_t bytes;
    } of[CLASSES];
    size_t bytes;
} kept;

static size_t size_of(size_t class)
{
    size_t end = class < FINE_COUNT ? (class + 1) * FINE : FINE_END + (class - FINE_COUNT + 1) * STEP;

    return end - 4;
}

/* The smallest class that takes n bytes; CLASSES or more: none. Class 0 has no room for the link. */
static size_t class_for(size_t n)
{
    size_t class = n + 3 < FINE_END ? (n + 3) / FINE : FINE_COUNT + (n + 3 - FINE_END) / STEP;

    return class > 0 ? class : 1;
}

/* A block of at least n bytes, and how many it has. */
static void *take_block(size_t n, size_t *usable)
{
    size_t class = class_for(n);
    bool keeps = !SANITIZED && class < CLASSES;
    struct kept *block = keeps ? kept.of[class].first : NULL;
    void *p;

    if (block != NULL) {
        *usable = size_of(class);
        kept.of[class].first = block->next;
        kept.of[class].bytes -= *usable;
        kept.bytes -= *usable;
        return block;
    }
    p = malloc(keeps ? size_of(class) : n);
    *usable = malloc_usable_size(p);
    return p;
}

static void give_block(void *p, size_t class, size_t usable)
{
    struct kept *block = p;

    heap.used -= usable;
    heap.blocks--;
    /* One that realloc has made may be of a size between two classes. */
    if (SANITIZED || class >= CLASSES || size_of(class) != usable || kept.of[class].bytes + usable > KEEP ||
        kept.bytes + usable > KEEP_ALL) {
        free(p);
        return;
    }
    assert(kept.of[class].first != block); /* freed twice */
    block->next = kept.of[class].first;
    kept.of[class].first = block;
    kept.of[class].bytes += usable;
    kept.bytes += usable;
}

/* Whether one more attempt may go on, when it would take the place of `old` bytes. */
static bool may_allocate(size_t n, size_t old)
{
    size_t attempt = heap.attempts++;
    size_t rest = heap.used - old;

    if (n > PTRDIFF_MAX)
        return false;
    if (heap.fail_left > 0 && attempt >= heap.fail_from) {
        heap.fail_left--;
        return false;
    }
    return heap.cap == 0 || (rest <= heap.cap && n <= heap.cap - rest);
}

void *mem_alloc(size_t n)
{
    size_t usable;
    void *p;

    if (n == 0)
        n = 1; /* NULL says one thing alone */
    p = may_allocate(n, 0) ? take_block(n, &usable) : NULL;
    if (p != NULL) {
        heap.used += usable;
        heap.blocks++;
    }
    return p;
}

void *mem_zalloc(size_t n)
{
    void *p = mem_alloc(n);

    if (p != NULL)
        memset(p, 0, n);
    return p;
}

void *mem_realloc(void *p, size_t n)
{
    size_t old;
    void *q;

    if (p == NULL)
        return mem_alloc(n);
    if (n == 0)
        n = 1;
    old = malloc_usable_size(p);
    if (!may_allocate(n, old))
        return NULL;
    q = realloc(p, n);
    if (q != NULL)
        heap.used += malloc_usable_size(q) - old; /* unsigned: comes out right when it shrank, too */
    return q;
}

void mem_free(void *p)
{
    if (p == NULL)
        return;
    size_t usable = malloc_usable_size(p);
    give_block(p, class_for(usable), usable);
}

void mem_free_sized(void *p, size_t n)
{
    if (EXACT && p != NULL && class_for(n) < CLASSES) {
        give_block(p, class_for(n), size_of(class_for(n)));
        return;
    }
    assert(!SANITIZED || p == NULL || malloc_usable_size(p) == (n > 0 ? n : 1));
    mem_free(p);
}

void mem_wipe(void *p, size_t n)
{
    if (n == 0)
        return;
    memset(p, 0, n);
    /* Says that the memory is looked at here, so that the memset has to happen. */
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

void mem_wipe_free(void *p, size_t n)
{
    if (p == NULL)
        return;
    mem_wipe(p, n);
    mem_free(p);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const void *p, size_t n)
{
    char *copy = n == SIZE_MAX ? NULL : mem_alloc(n + 1);

    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = 0;
    return copy;
}

void mem_trim(void)
{
    for (size_t class = 0; class < CLASSES; class ++) {
        for (struct kept *block = kept.of[class].first, *next; block != NULL; block = next) {
            next = block->next;
            free(block);
        }
        kept.of[class].first = NULL;
        kept.of[class].bytes = 0;
    }
    kept.bytes = 0;
}

void mem_set_cap(size_t bytes)
{
    heap.cap = bytes;
}

size_t mem_used(void)
{
    return heap.used;
}

size_t mem_blocks(void)
{
    return heap.blocks;
}

void mem_fail_at(long n, long count)
{
    heap.fail_from = heap.attempts + (n < 0 ? 0 : (size_t)n);
    heap.fail_left = n < 0 || count < 0 ? 0 : (size_t)count;
}

size_t mem_allocations(void)
{
    return heap.attempts;
}
