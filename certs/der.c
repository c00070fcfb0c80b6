/* SPDX-License-Identifier: MIT
 *
 * DER in and out. The reader takes what DER allows and no more, in particular one encoding for each length,
 * so that a value compared byte for byte (an issuer with a subject) cannot be the same in two spellings.
 */
#include "certs/der.h"

#include "base/time.h"

#include <string.h>

uint8_t der_peek(const struct reader *r)
{
    return !r->failed && r->p < r->end ? *r->p : 0;
}

static struct bytes fail(struct reader *r)
{
    r->failed = true;
    return (struct bytes){NULL, 0};
}

static size_t read_length(struct reader *r)
{
    uint8_t first = reader_u8(r);
    size_t n = 0;

    if (first < 0x80)
        return first;
    /* Indefinite (0x80) is not DER; more than three bytes is more than any file that is read. */
    if (first < 0x81 || first > 0x83) {
        r->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < (first & 0x7fu); i++) {
        n = n << 8 | reader_u8(r);
        if (n == 0) /* a leading zero byte */
            r->failed = true;
    }
    if (n < 0x80)
        r->failed = true;
    return r->failed ? 0 : n;
}

struct bytes der_any(struct reader *r, uint8_t *tag)
{
    *tag = reader_u8(r);
    if (*tag == 0 || (*tag & 0x1f) == 0x1f) {
        *tag = 0;
        return fail(r);
    }
    size_t n = read_length(r);
    struct bytes content = reader_take(r, n);
    if (r->failed)
        *tag = 0;
    return content;
}

struct bytes der_take(struct reader *r, uint8_t tag)
{
    uint8_t found;
    struct bytes content;

    if (der_peek(r) != tag)
        return fail(r);
    content = der_any(r, &found);
    return r->failed ? fail(r) : content;
}

struct bytes der_whole(struct reader *r, uint8_t tag)
{
    const uint8_t *start = r->p;

    der_take(r, tag);
    return r->failed ? fail(r) : bytes_of(start, (size_t)(r->p - start));
}

struct reader der_enter(struct reader *r, uint8_t tag)
{
    struct bytes content = der_take(r, tag);
    struct reader inner = reader_of(content.p, content.n);

    inner.failed = r->failed;
    return inner;
}

bool der_boolean(struct reader *r)
{
    struct bytes b;

    if (der_peek(r) != DER_BOOLEAN)
        return false;
    b = der_take(r, DER_BOOLEAN);
    if (b.n != 1 || (b.p[0] != 0x00 && b.p[0] != 0xff)) {
        fail(r);
        return false;
    }
    return b.p[0] != 0;
}

struct bytes der_unsigned(struct reader *r)
{
    struct bytes b = der_take(r, DER_INTEGER);

    if (b.n == 0 || (b.p[0] & 0x80) != 0)
        return fail(r);
    if (b.n > 1 && b.p[0] == 0) {
        if ((b.p[1] & 0x80) == 0)
            return fail(r);
        b.p++;
        b.n--;
    }
    return b;
}

struct bytes der_bits(struct reader *r)
{
    struct bytes b = der_take(r, DER_BIT_STRING);

    if (b.n == 0 || b.p[0] != 0)
        return fail(r);
    return bytes_of(b.p + 1, b.n - 1);
}

/* `digits` decimal digits at *p; -1 if there are others. */
static int number(const uint8_t **p, unsigned digits)
{
    int v = 0;

    for (unsigned i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        v = v * 10 + (**p - '0');
    }
    return v;
}

static int days_in_month(int year, int month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

int64_t der_time(struct reader *r)
{
    uint8_t tag;
    struct bytes b = der_any(r, &tag);
    const uint8_t *p = b.p;
    struct civil c = {0};

    if (r->failed)
        return 0;
    if (tag == DER_UTC_TIME && b.n == 13) {
        c.year = number(&p, 2);
        if (c.year >= 0)
            c.year += c.year < 50 ? 2000 : 1900;
    } else if (tag == DER_GENERALIZED_TIME && b.n == 15) {
        c.year = number(&p, 4);
    } else {
        fail(r);
        return 0;
    }
    if (c.year >= 0 && (c.month = number(&p, 2)) >= 1 && c.month <= 12 && (c.day = number(&p, 2)) >= 1 &&
        c.day <= days_in_month(c.year, c.month) && (c.hour = number(&p, 2)) >= 0 && c.hour <= 23 &&
        (c.minute = number(&p, 2)) >= 0 && c.minute <= 59 && (c.second = number(&p, 2)) >= 0 &&
        c.second <= 59 && *p == 'Z')
        return time_from_civil(&c);
    fail(r);
    return 0;
}

size_t der_open(struct writer *w, uint8_t tag)
{
    writer_u8(w, tag);
    writer_u8(w, 0);
    return writer_len(w);
}

/* The header was left two bytes; a longer length moves the content up. */
void der_close(struct writer *w, size_t mark)
{
    size_t n, more;
    uint8_t *content;

    if (w->failed)
        return;
    n = writer_len(w) - mark;
    content = w->start + mark;
    if (n < 0x80) {
        content[-1] = (uint8_t)n;
        return;
    }
    more = n < 0x100 ? 1 : n < 0x10000 ? 2 : 3;
    if (n > 0xffffff || writer_room(w) < more) {
        w->failed = true;
        return;
    }
    memmove(content + more, content, n);
    content[-1] = (uint8_t)(0x80 | more);
    for (size_t i = 0; i < more; i++)
        content[i] = (uint8_t)(n >> (8 * (more - 1 - i)));
    w->p += more;
}

void der_put(struct writer *w, uint8_t tag, struct bytes content)
{
    size_t mark = der_open(w, tag);

    writer_bytes(w, content);
    der_close(w, mark);
}

void der_put_unsigned(struct writer *w, struct bytes value)
{
    size_t mark = der_open(w, DER_INTEGER);

    while (value.n > 1 && value.p[0] == 0) {
        value.p++;
        value.n--;
    }
    if (value.n == 0 || (value.p[0] & 0x80) != 0)
        writer_u8(w, 0);
    writer_bytes(w, value);
    der_close(w, mark);
}

void der_put_bits(struct writer *w, struct bytes content)
{
    size_t mark = der_open(w, DER_BIT_STRING);

    writer_u8(w, 0); /* unused bits */
    writer_bytes(w, content);
    der_close(w, mark);
}

void der_put_time(struct writer *w, int64_t s)
{
    struct civil c = time_civil(s);
    bool utc = c.year >= 1950 && c.year <= 2049;
    size_t mark = der_open(w, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME);

    if (utc)
        writer_printf(w, "%02d", c.year % 100);
    else
        writer_printf(w, "%04d", c.year);
    writer_printf(w, "%02d%02d%02d%02d%02dZ", c.month, c.day, c.hour, c.minute, c.second);
    der_close(w, mark);
}
