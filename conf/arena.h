/* SPDX-License-Identifier: MIT
 *
 * Memory that is freed all at once: what a configuration is made of, and what making it needs. A failed
 * allocation sticks (arena_failed), so a parser may go on and check once at the end.
 */
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include "base/bytes.h"

struct arena;

struct arena *arena_new(void);    /* NULL when out of memory */
void arena_free(struct arena *a); /* NULL is fine; everything taken from it is gone */
bool arena_failed(const struct arena *a);

/* Cleared, aligned for any type. NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy with a NUL behind it. NULL when out of memory. */
char *arena_text(struct arena *a, struct bytes text);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for one more in an array of n items of `size` bytes (NULL when n is 0) that only ever grew by this call:
 * `items` itself or a larger copy of it. NULL when out of memory; `items` is then as it was. */
void *arena_more(struct arena *a, void *items, size_t n, size_t size);

#endif
