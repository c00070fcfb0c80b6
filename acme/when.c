/* SPDX-License-Identifier: MIT
 *
 * Dates, strictly: each form is a pattern that has to fit whole, and each field is held against its range.
 */
#include "acme/when.h"

#include "base/text.h"
#include "base/time.h"

#include <string.h>

#define YEAR_OF_SECONDS (365 * (int64_t)86400)
#define LAST_SECOND     INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The next n digits, not below `least` nor above `most`. */
static int take_number(struct reader *r, size_t n, int least, int most)
{
    uint64_t value = 0;

    if (!text_u64(reader_take(r, n), (uint64_t)most, &value) || (int)value < least)
        r->failed = true;
    return (int)value;
}

static void take_text(struct reader *r, const char *text)
{
    if (!bytes_is(reader_take(r, strlen(text)), text))
        r->failed = true;
}

static int take_month(struct reader *r)
{
    struct bytes name = reader_take(r, 3);

    for (int i = 0; i < 12; i++)
        if (bytes_is(name, months[i]))
            return i + 1;
    r->failed = true;
    return 1;
}

static void take_clock(struct reader *r, struct civil *c)
{
    c->hour = take_number(r, 2, 0, 23);
    take_text(r, ":");
    c->minute = take_number(r, 2, 0, 59);
    take_text(r, ":");
    c->second = take_number(r, 2, 0, 60);
    if (c->second == 60)
        c->second = 59;
}

/* The day has to be one that the month has. */
static int64_t seconds(const struct reader *r, const struct civil *c)
{
    int64_t s;

    if (!reader_done(r))
        return 0;
    s = time_from_civil(c);
    return s > 0 && time_civil(s).day == c->day ? s : 0;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static int64_t imf_fixdate(struct bytes value)
{
    struct reader r = reader_of(value.p, value.n);
    struct civil c = {0};

    reader_skip(&r, 3);
    take_text(&r, ", ");
    c.day = take_number(&r, 2, 1, 31);
    take_text(&r, " ");
    c.month = take_month(&r);
    take_text(&r, " ");
    c.year = take_number(&r, 4, 1970, 9999);
    take_text(&r, " ");
    take_clock(&r, &c);
    take_text(&r, " GMT");
    return seconds(&r, &c);
}

/* Sunday, 06-Nov-94 08:49:37 GMT; a year that seems over 50 years ahead is one that is past. */
static int64_t rfc850_date(struct bytes value, int64_t now)
{
    const uint8_t *comma = value.n > 0 ? memchr(value.p, ',', value.n) : NULL;
    size_t skipped = comma != NULL ? (size_t)(comma - value.p) : 0;
    struct reader r = reader_of(value.p, value.n);
    struct civil c = {0};
    int this_year = time_civil(now).year;

    reader_skip(&r, skipped);
    take_text(&r, ", ");
    c.day = take_number(&r, 2, 1, 31);
    take_text(&r, "-");
    c.month = take_month(&r);
    take_text(&r, "-");
    c.year = this_year / 100 * 100 + take_number(&r, 2, 0, 99);
    if (c.year > this_year + 50)
        c.year -= 100;
    take_text(&r, " ");
    take_clock(&r, &c);
    take_text(&r, " GMT");
    return skipped >= 6 && skipped <= 9 ? seconds(&r, &c) : 0;
}

/* Sun Nov  6 08:49:37 1994 */
static int64_t asctime_date(struct bytes value)
{
    struct reader r = reader_of(value.p, value.n);
    struct civil c = {0};
    bool one_digit = value.n > 8 && value.p[8] == ' ';

    reader_skip(&r, 3);
    take_text(&r, " ");
    c.month = take_month(&r);
    take_text(&r, one_digit ? "  " : " ");
    c.day = take_number(&r, one_digit ? 1 : 2, 1, 31);
    take_text(&r, " ");
    take_clock(&r, &c);
    take_text(&r, " ");
    c.year = take_number(&r, 4, 1970, 9999);
    return seconds(&r, &c);
}

int64_t when_http_date(struct bytes value, int64_t now)
{
    int64_t s = imf_fixdate(value);

    if (s == 0)
        s = rfc850_date(value, now);
    return s != 0 ? s : asctime_date(value);
}

int64_t when_retry_after(struct bytes value, int64_t now)
{
    uint64_t delay;

    if (value.n == 0)
        return 0;
    if (text_is_digit(value.p[0])) {
        /* Longer than any date here; a number that does not fit is one that is too large. */
        for (size_t i = 0; i < value.n; i++)
            if (!text_is_digit(value.p[i]))
                return 0;
        return now + (text_u64(value, (uint64_t)YEAR_OF_SECONDS, &delay) ? (int64_t)delay : YEAR_OF_SECONDS);
    }
    return when_http_date(value, now);
}

/* Z, or +02:00; seconds to take off. */
static int64_t take_offset(struct reader *r)
{
    struct bytes sign = reader_take(r, 1);
    int64_t offset;

    if (bytes_is(sign, "Z") || bytes_is(sign, "z"))
        return 0;
    offset = take_number(r, 2, 0, 23) * 3600;
    take_text(r, ":");
    offset += take_number(r, 2, 0, 59) * 60;
    if (!bytes_is(sign, "+") && !bytes_is(sign, "-"))
        r->failed = true;
    return bytes_is(sign, "-") ? -offset : offset;
}

int64_t when_rfc3339(struct bytes value)
{
    struct reader r = reader_of(value.p, value.n);
    struct civil c = {0};
    int64_t offset, s;

    c.year = take_number(&r, 4, 1970, 9999);
    take_text(&r, "-");
    c.month = take_number(&r, 2, 1, 12);
    take_text(&r, "-");
    c.day = take_number(&r, 2, 1, 31);
    if (reader_left(&r) > 0 && (*r.p | 0x20) != 't' && *r.p != ' ')
        return 0;
    reader_skip(&r, 1);
    take_clock(&r, &c);
    if (reader_left(&r) > 1 && *r.p == '.') {
        reader_skip(&r, 1);
        take_number(&r, 1, 0, 9);
        while (reader_left(&r) > 0 && text_is_digit(*r.p))
            reader_skip(&r, 1);
    }
    offset = take_offset(&r);
    s = seconds(&r, &c);
    if (s == 0)
        return 0;
    s -= offset; /* which may lead out of the years that can be written */
    return s > 0 && s <= LAST_SECOND ? s : 0;
}
