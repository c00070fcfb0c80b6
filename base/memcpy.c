/* SPDX-License-Identifier: MIT
 *
 * memcpy and memmove for the static build on x86-64. musl's begins a string instruction for every copy, which costs some 30
 * cycles before the first byte moves, and heads are written in pieces of ten bytes: that was a tenth of the cost of a
 * request. Pieces up to 64 bytes go by overlapping words and vectors, longer ones by a vector loop, and those of a
 * record's size by the string instruction, which is the fastest there.
 */
#include <features.h>

#if defined __x86_64__

#ifdef __GLIBC__ /* which has good ones: here they are only tested, under other names */
#define memcpy  fast_memcpy
#define memmove fast_memmove
#endif

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

#define STRING_MIN 1536u

static inline void copy16(uint8_t *d, const uint8_t *s)
{
    _mm_storeu_si128((__m128i *)(void *)d, _mm_loadu_si128((const __m128i *)(const void *)s));
}

/* Both ends, each half the size or more: they meet or overlap in the middle. */
#define COPY_ENDS(type)                                            \
    do {                                                           \
        type first, last;                                          \
        __builtin_memcpy(&first, s, sizeof first);                 \
        __builtin_memcpy(&last, s + n - sizeof last, sizeof last); \
        __builtin_memcpy(d, &first, sizeof first);                 \
        __builtin_memcpy(d + n - sizeof last, &last, sizeof last); \
    } while (0)

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);

/* Or the compiler would take the loops for what they are, and call them. */
#define NO_CALLS __attribute__((optimize("no-tree-loop-distribute-patterns")))

/* Fewer than 16 bytes, overlapping or not: all is read before anything is written. */
static inline void copy_short(uint8_t *d, const uint8_t *s, size_t n)
{
    if (n >= 8)
        COPY_ENDS(uint64_t);
    else if (n >= 4)
        COPY_ENDS(uint32_t);
    else if (n >= 2)
        COPY_ENDS(uint16_t);
    else if (n)
        *d = *s;
}

/* 16 bytes or more to a place that is not inside of them; the last vector is read first, as the loop may write
 * over it when the place is just before them. */
static inline void copy_up(uint8_t *d, const uint8_t *s, size_t n)
{
    __m128i last = _mm_loadu_si128((const __m128i *)(const void *)(s + n - 16));

    for (size_t i = 0; i + 16 < n; i += 16)
        copy16(d + i, s + i);
    _mm_storeu_si128((__m128i *)(void *)(d + n - 16), last);
}

static inline void copy_down(uint8_t *d, const uint8_t *s, size_t n)
{
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)s);

    for (size_t i = n - 16; i > 0 && i<n; i = i> 16 ? i - 16 : 0)
        copy16(d + i, s + i);
    _mm_storeu_si128((__m128i *)(void *)d, first);
}

NO_CALLS void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    if (n < 16) {
        copy_short(to, from, n);
    } else if (n < STRING_MIN) {
        copy_up(to, from, n);
    } else {
        void *d = to;
        const void *s = from;
        __asm__ __volatile__("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    }
    return to;
}

NO_CALLS void *memmove(void *to, const void *from, size_t n)
{
    if (n < 16)
        copy_short(to, from, n);
    else if ((uintptr_t)to - (uintptr_t)from >= n) /* before it, or behind its end */
        copy_up(to, from, n);
    else
        copy_down(to, from, n);
    return to;
}

#else
typedef int memcpy_is_libcs; /* a file with no declaration is not C */
#endif
