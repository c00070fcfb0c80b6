/* SPDX-License-Identifier: MIT
 *
 * Borrowed runs of bytes, and the one bounds-checked reader and writer that all parsing and all
 * serialising goes through. Neither ever touches a byte outside what it was given. The first error
 * sticks: a failed reader gives zeros and empty runs, a failed writer writes nothing more, so a parser
 * may check once at the end.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For a large buffer on the stack that is written before it is read: spares it the zeros that the build gives to every
 * automatic variable. */
#define BYTES_UNSET __attribute__((uninitialized))

/* A borrowed, read-only run of bytes; {NULL, 0} is the empty one. */
struct bytes {
    const uint8_t *p;
    size_t n;
};

/* A borrowed, writable run of bytes. */
struct span {
    uint8_t *p;
    size_t n;
};

static inline struct bytes bytes_of(const void *p, size_t n)
{
    return (struct bytes){p, n};
}
/* Without the NUL. Inline, as the next ones: of a literal the compiler knows the length. */
static inline struct bytes bytes_str(const char *text)
{
    return bytes_of(text, strlen(text));
}
static inline bool bytes_equal(struct bytes a, struct bytes b) /* not constant-time */
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool bytes_is(struct bytes a, const char *text) /* exactly text */
{
    return bytes_equal(a, bytes_str(text));
}
/* Copies b to where there is room for it and nothing of b; returns the place behind. What heads are made of is short:
 * up to 32 bytes go by two words of which each has an end, without a call. */
static inline uint8_t *bytes_copy(uint8_t *to, struct bytes b)
{
    if (b.n >= 8 && b.n < 16) {
        memcpy(to, b.p, 8);
        memcpy(to + b.n - 8, b.p + b.n - 8, 8);
    } else if (b.n >= 16 && b.n <= 32) {
        memcpy(to, b.p, 16);
        memcpy(to + b.n - 16, b.p + b.n - 16, 16);
    } else if (b.n > 0) {
        memcpy(to, b.p, b.n);
    }
    return to + b.n;
}
bool bytes_equal_nocase(struct bytes a, struct bytes b); /* ASCII letters fold */
static inline bool bytes_is_nocase(struct bytes a, const char *text)
{
    return bytes_equal_nocase(a, bytes_str(text));
}
/* All of n bytes are the same; time does not depend on their values. */
bool bytes_equal_secret(const void *a, const void *b, size_t n);

struct reader {
    const uint8_t *p, *end;
    bool failed;
};

struct reader reader_of(const void *p, size_t n);
size_t reader_left(const struct reader *r);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r); /* network order, as the next two */
uint32_t reader_u24(struct reader *r);
uint32_t reader_u32(struct reader *r);
struct bytes reader_take(struct reader *r, size_t n);
void reader_skip(struct reader *r, size_t n);
/* A vector with its length before it in 1, 2 or 3 bytes (RFC 8446 §3.4), as a reader of its own, failed if the vector
 * is cut short. Its own failures later do not reach r: each is checked. */
struct reader reader_vec8(struct reader *r);
struct reader reader_vec16(struct reader *r);
struct reader reader_vec24(struct reader *r);
/* Nothing failed and nothing is left. */
bool reader_done(const struct reader *r);

struct writer {
    uint8_t *start, *p, *end;
    bool failed; /* something did not fit; what was written before stays */
};

static inline struct writer writer_of(void *p, size_t n)
{
    uint8_t *start = p;

    return (struct writer){start, start, n > 0 ? start + n : start, false};
}
static inline size_t writer_len(const struct writer *w)
{
    return w->p == w->start ? 0 : (size_t)(w->p - w->start);
}
static inline size_t writer_room(const struct writer *w)
{
    return w->failed || w->p == w->end ? 0 : (size_t)(w->end - w->p);
}
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u24(struct writer *w, uint32_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_put(struct writer *w, const void *p, size_t n);
void writer_bytes(struct writer *w, struct bytes b);
static inline void writer_str(struct writer *w, const char *text)
{
    writer_put(w, text, strlen(text));
}
void writer_dec(struct writer *w, uint64_t v);
void writer_hex(struct writer *w, const void *p, size_t n); /* lower case, two digits a byte */
/* Fails also when the text fits but its NUL would not: a byte more than the text is needed, though not used. */
void writer_printf(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Opens a vector whose length takes `width` bytes (1 to 3) and returns the mark to close it with; closing fails when
 * the content is longer than the width can say. */
size_t writer_open(struct writer *w, unsigned width);
void writer_close(struct writer *w, size_t mark, unsigned width);

#endif
