/* SPDX-License-Identifier: MIT
 *
 * Owns the reader and the writer. The invariant: p never passes end, and once `failed` is set nothing is read or
 * written any more (a failed reader stands at its end, a failed writer stays where it was). Null pointers come in
 * with a length of 0 alone, and no arithmetic is done on them.
 */
#include "base/bytes.h"

#include "base/text.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (text_lower(a.p[i]) != text_lower(b.p[i]))
            return false;
    return true;
}

bool bytes_equal_secret(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    uint64_t differ = 0, p, q;
    size_t at = 0;

    /* What `differ` is nobody may know in the loops, or a compiler could end them at the first difference. */
    for (; n - at >= 8; at += 8) {
        memcpy(&p, x + at, 8);
        memcpy(&q, y + at, 8);
        differ |= p ^ q;
        __asm__("" : "+r"(differ));
    }
    for (; at < n; at++) {
        differ |= x[at] ^ y[at];
        __asm__("" : "+r"(differ));
    }
    return differ == 0;
}

/* ---- reader ---- */

struct reader reader_of(const void *p, size_t n)
{
    const uint8_t *start = p;

    return (struct reader){start, n > 0 ? start + n : start, false};
}

size_t reader_left(const struct reader *r)
{
    return r->p == r->end ? 0 : (size_t)(r->end - r->p);
}

/* The one place where a reader moves: n bytes that are there, or NULL and failed. n > 0. */
static const uint8_t *reader_advance(struct reader *r, size_t n)
{
    const uint8_t *at = r->p;

    if (r->failed || reader_left(r) < n) {
        r->failed = true;
        r->p = r->end;
        return NULL;
    }
    r->p += n;
    return at;
}

uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_advance(r, 1);

    return p == NULL ? 0 : p[0];
}

uint16_t reader_u16(struct reader *r)
{
    const uint8_t *p = reader_advance(r, 2);

    return (uint16_t)(p == NULL ? 0 : p[0] << 8 | p[1]);
}

uint32_t reader_u24(struct reader *r)
{
    const uint8_t *p = reader_advance(r, 3);

    return p == NULL ? 0 : (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

uint32_t reader_u32(struct reader *r)
{
    const uint8_t *p = reader_advance(r, 4);

    return p == NULL ? 0 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct bytes reader_take(struct reader *r, size_t n)
{
    const uint8_t *p;

    if (n == 0)
        return bytes_of(r->p, 0);
    p = reader_advance(r, n);
    return bytes_of(p, p == NULL ? 0 : n);
}

void reader_skip(struct reader *r, size_t n)
{
    if (n > 0)
        reader_advance(r, n);
}

static struct reader reader_vec(struct reader *r, size_t n)
{
    struct bytes content = reader_take(r, n);
    struct reader inner = reader_of(content.p, content.n);

    inner.failed = r->failed;
    return inner;
}

struct reader reader_vec8(struct reader *r)
{
    return reader_vec(r, reader_u8(r));
}

struct reader reader_vec16(struct reader *r)
{
    return reader_vec(r, reader_u16(r));
}

struct reader reader_vec24(struct reader *r)
{
    return reader_vec(r, reader_u24(r));
}

bool reader_done(const struct reader *r)
{
    return !r->failed && r->p == r->end;
}

/* ---- writer ---- */

/* The one place where a writer moves: room for n bytes, or NULL and failed. n > 0. */
static uint8_t *writer_advance(struct writer *w, size_t n)
{
    uint8_t *at = w->p;

    if (writer_room(w) < n) {
        w->failed = true;
        return NULL;
    }
    w->p += n;
    return at;
}

/* The low `width` bytes of v, network order. */
static void put_number(uint8_t *p, uint32_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        p[i] = (uint8_t)(v >> 8 * (width - 1 - i));
}

static void writer_number(struct writer *w, uint32_t v, unsigned width)
{
    uint8_t *p = writer_advance(w, width);

    if (p != NULL)
        put_number(p, v, width);
}

void writer_u8(struct writer *w, uint8_t v)
{
    writer_number(w, v, 1);
}

void writer_u16(struct writer *w, uint16_t v)
{
    writer_number(w, v, 2);
}

void writer_u24(struct writer *w, uint32_t v)
{
    if (v > 0xffffff)
        w->failed = true;
    writer_number(w, v, 3);
}

void writer_u32(struct writer *w, uint32_t v)
{
    writer_number(w, v, 4);
}

void writer_put(struct writer *w, const void *p, size_t n)
{
    uint8_t *to;

    if (n == 0)
        return;
    to = writer_advance(w, n);
    if (to != NULL)
        memcpy(to, p, n);
}

void writer_bytes(struct writer *w, struct bytes b)
{
    writer_put(w, b.p, b.n);
}

void writer_dec(struct writer *w, uint64_t v)
{
    char digits[20]; /* 2^64 - 1 has as many */
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    writer_put(w, digits + at, sizeof digits - at);
}

void writer_hex(struct writer *w, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = p;
    uint8_t *to;

    if (n == 0)
        return;
    if (n > SIZE_MAX / 2) {
        w->failed = true;
        return;
    }
    to = writer_advance(w, 2 * n);
    for (size_t i = 0; to != NULL && i < n; i++) {
        to[2 * i] = (uint8_t)digits[from[i] >> 4];
        to[2 * i + 1] = (uint8_t)digits[from[i] & 15];
    }
}

void writer_printf(struct writer *w, const char *format, ...)
{
    size_t room = writer_room(w);
    va_list args;
    int n;

    if (room == 0) {
        w->failed = true;
        return;
    }
    if (room > INT_MAX)
        room = INT_MAX;
    va_start(args, format);
    n = vsnprintf((char *)w->p, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        w->failed = true;
    else
        w->p += n;
}

size_t writer_open(struct writer *w, unsigned width)
{
    size_t mark = writer_len(w);

    assert(width >= 1 && width <= 3);
    writer_number(w, 0, width);
    return mark;
}

void writer_close(struct writer *w, size_t mark, unsigned width)
{
    size_t n;

    assert(width >= 1 && width <= 3);
    if (w->failed)
        return;
    assert(writer_len(w) >= mark + width);
    n = writer_len(w) - mark - width;
    if (n >> 8 * width != 0)
        w->failed = true;
    else
        put_number(w->start + mark, (uint32_t)n, width);
}
