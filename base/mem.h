/* SPDX-License-Identifier: MIT
 *
 * The one allocator. It counts what is in use, refuses above a cap of our own (a unikernel that runs out
 * of memory crashes, it never answers NULL), and can be told to fail, so that tests walk every failure.
 * Process-wide, as malloc is. Every caller handles NULL.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);            /* not cleared; NULL at the cap, when out of memory, or told to fail */
void *mem_zalloc(size_t n);           /* cleared */
void *mem_realloc(void *p, size_t n); /* as realloc: on NULL, p stays as it was; n is never 0 */
void mem_free(void *p);               /* NULL is fine */
/* As mem_free, for what mem_alloc or mem_zalloc was asked for n bytes and mem_realloc has not seen: nobody has to look
 * up how large it is. For what each request frees. */
void mem_free_sized(void *p, size_t n);
void mem_wipe(void *p, size_t n);      /* clears in a way no compiler leaves out */
void mem_wipe_free(void *p, size_t n); /* for secrets */
char *mem_strdup(const char *text);
char *mem_strndup(const void *p, size_t n); /* n bytes and a NUL */

/* Gives libc back what was freed and is kept for those to come (256 KiB at most). Blocks kept here and there hold whole
 * pages each, so after a load what they cost is three times their size. */
void mem_trim(void);

/* Refuses allocations that would take mem_used() above `bytes`; 0 is no cap (the default). */
void mem_set_cap(size_t bytes);
size_t mem_used(void);   /* bytes of heap in use, as the allocator counts them */
size_t mem_blocks(void); /* allocations not freed yet */

/* Tests: the n-th allocation from now (0 is the next) and `count` in all from there fail; n < 0 turns it off.
 * mem_allocations() counts attempts since the process began, so that a test knows how many there are to fail. */
void mem_fail_at(long n, long count);
size_t mem_allocations(void);

#endif
