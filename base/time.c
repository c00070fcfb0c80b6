/* SPDX-License-Identifier: MIT
 *
 * Owns the floor of the wall clock and the calendar. The calendar is arithmetic on days alone (no libc time zone, no
 * file), so it is right for any 64-bit second whose year fits an int. No clock is cached, what a turn of the loop keeps
 * is the loop's; but the text of the last second is, in each format that requests ask for.
 */
#include "base/time.h"

#include <time.h>

#if __has_include("version.h")
#include "version.h"
#endif
#ifndef PROXY_BUILD_TIME
#define PROXY_BUILD_TIME 0
#endif

#define DAY_S 86400

/* Seconds beyond which a year would not fit an int, with room to spare (about a thousand million years). */
#define CIVIL_MAX ((int64_t)1 << 55)

static int64_t clock_floor = PROXY_BUILD_TIME;

static struct timespec clock_read(clockid_t clock)
{
    struct timespec ts = {0};

    /* Can fail only for a clock that does not exist; these two do everywhere. */
    (void)clock_gettime(clock, &ts);
    return ts;
}

uint64_t time_mono_us(void)
{
    struct timespec ts = clock_read(CLOCK_MONOTONIC);

    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t time_mono_ms(void)
{
    struct timespec ts = clock_read(CLOCK_MONOTONIC);

    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int64_t time_wall(void)
{
    return clock_read(CLOCK_REALTIME).tv_sec;
}

int64_t time_wall_ms(void)
{
    struct timespec ts = clock_read(CLOCK_REALTIME);

    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A kernel that is not Linux may lack it. */
static struct timespec clock_read_coarse(clockid_t coarse, clockid_t clock)
{
    struct timespec ts;

    return clock_gettime(coarse, &ts) == 0 ? ts : clock_read(clock);
}

uint64_t time_mono_coarse_ms(void)
{
    struct timespec ts = clock_read_coarse(CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC);

    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int64_t time_wall_coarse(void)
{
    return clock_read_coarse(CLOCK_REALTIME_COARSE, CLOCK_REALTIME).tv_sec;
}

void time_raise_floor(int64_t s)
{
    if (s > clock_floor)
        clock_floor = s;
}

int64_t time_floor(void)
{
    return clock_floor;
}

bool time_is_sane(void)
{
    return time_wall() >= clock_floor;
}

/* ---- calendar ---- */

/* Division that rounds down. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Both ways count in eras of 400 years (146097 days) and in years that begin on 1 March, so that the leap day is the
 * last of its year and months are a line: (153 m + 2) / 5 days before month m. 719468 is 1 March 0000 to 1970. */

static int64_t days_from_date(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct civil time_civil(int64_t s)
{
    int64_t days, era, day_of_era, year_of_era, day_of_year, month, second;
    struct civil c;

    if (s > CIVIL_MAX)
        s = CIVIL_MAX;
    if (s < -CIVIL_MAX)
        s = -CIVIL_MAX;
    days = floor_div(s, DAY_S);
    second = s - days * DAY_S;
    c.hour = (int)(second / 3600);
    c.minute = (int)(second / 60 % 60);
    c.second = (int)(second % 60);
    c.weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7); /* 1970-01-01 was a Thursday */

    days += 719468;
    era = floor_div(days, 146097);
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    c.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = (int)(year_of_era + era * 400 + (c.month <= 2));
    return c;
}

int64_t time_from_civil(const struct civil *c)
{
    int second = c->second > 59 ? 59 : c->second;

    return days_from_date(c->year, c->month, c->day) * DAY_S + c->hour * 3600 + c->minute * 60 + second;
}

/* ---- text ---- */

static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* At least `width` digits. */
static void put_digits(struct writer *w, int v, int width)
{
    unsigned rest = v < 0 ? 0u - (unsigned)v : (unsigned)v;
    uint8_t digits[11];
    size_t at = sizeof digits;

    for (; rest > 0 || width > 0; rest /= 10, width--)
        digits[--at] = (uint8_t)('0' + rest % 10);
    if (v < 0)
        digits[--at] = '-';
    writer_put(w, digits + at, sizeof digits - at);
}

static void put_clock(struct writer *w, const struct civil *c)
{
    put_digits(w, c->hour, 2);
    writer_u8(w, ':');
    put_digits(w, c->minute, 2);
    writer_u8(w, ':');
    put_digits(w, c->second, 2);
}

static void put_date(struct writer *w, const struct civil *c)
{
    put_digits(w, c->year, 4);
    writer_u8(w, '-');
    put_digits(w, c->month, 2);
    writer_u8(w, '-');
    put_digits(w, c->day, 2);
}

/* What a second is in one format: made once, as nearly every response and every line of the log has one. */
struct made {
    uint8_t text[32];
    size_t len; /* 0: of none */
    int64_t s;
};

static void put_made(struct writer *w, struct made *made, int64_t s, void (*put)(struct writer *w, int64_t s))
{
    if (made->len == 0 || s != made->s) {
        struct writer text = writer_of(made->text, sizeof made->text);

        put(&text, s);
        made->len = text.failed ? 0 : writer_len(&text); /* a year of many digits: not kept */
        made->s = s;
    }
    if (made->len > 0)
        writer_put(w, made->text, made->len);
    else
        put(w, s);
}

static void put_iso(struct writer *w, int64_t s)
{
    struct civil c = time_civil(s);

    put_date(w, &c);
    writer_u8(w, 'T');
    put_clock(w, &c);
}

void time_put_iso(struct writer *w, int64_t ms)
{
    static struct made made;
    int64_t s = floor_div(ms, 1000);

    put_made(w, &made, s, put_iso);
    writer_u8(w, '.');
    put_digits(w, (int)(ms - s * 1000), 3);
    writer_u8(w, 'Z');
}

void time_put_date(struct writer *w, int64_t s)
{
    struct civil c = time_civil(s);

    put_date(w, &c);
}

static void put_http(struct writer *w, int64_t s)
{
    struct civil c = time_civil(s);

    writer_str(w, weekdays[c.weekday]);
    writer_str(w, ", ");
    put_digits(w, c.day, 2);
    writer_u8(w, ' ');
    writer_str(w, months[c.month - 1]);
    writer_u8(w, ' ');
    put_digits(w, c.year, 4);
    writer_u8(w, ' ');
    put_clock(w, &c);
    writer_str(w, " GMT");
}

void time_put_http(struct writer *w, int64_t s)
{
    static struct made made;

    put_made(w, &made, s, put_http);
}

static void put_clf(struct writer *w, int64_t s)
{
    struct civil c = time_civil(s);

    put_digits(w, c.day, 2);
    writer_u8(w, '/');
    writer_str(w, months[c.month - 1]);
    writer_u8(w, '/');
    put_digits(w, c.year, 4);
    writer_u8(w, ':');
    put_clock(w, &c);
    writer_str(w, " +0000");
}

void time_put_clf(struct writer *w, int64_t s)
{
    static struct made made;

    put_made(w, &made, s, put_clf);
}
