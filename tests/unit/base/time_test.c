/* SPDX-License-Identifier: MIT
 *
 * The calendar against known dates, against the libc's over many years, and at its ends; the formats; the floor.
 */
#include "tests/unit/test.h"

#include "base/time.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct {
    int64_t s;
    struct civil c;
} known[] = {
    {0,            {1970, 1, 1, 0, 0, 0, 4}     },
    {-1,           {1969, 12, 31, 23, 59, 59, 3}},
    {784111777,    {1994, 11, 6, 8, 49, 37, 0}  }, /* RFC 9110 §5.6.7 */
    {951782400,    {2000, 2, 29, 0, 0, 0, 2}    },
    {1795227369,   {2026, 11, 21, 2, 16, 9, 6}  },
    {2147483648,   {2038, 1, 19, 3, 14, 8, 2}   },
    {4107542399,   {2100, 2, 28, 23, 59, 59, 0} },
    {4107542400,   {2100, 3, 1, 0, 0, 0, 1}     }, /* no leap year */
    {253402300799, {9999, 12, 31, 23, 59, 59, 5}},
    {-62167219200, {0, 1, 1, 0, 0, 0, 6}        },
    {-62162035201, {0, 2, 29, 23, 59, 59, 2}    },
};

static void check_same(struct civil a, struct civil b)
{
    CHECK_EQ(a.year, b.year);
    CHECK_EQ(a.month, b.month);
    CHECK_EQ(a.day, b.day);
    CHECK_EQ(a.hour, b.hour);
    CHECK_EQ(a.minute, b.minute);
    CHECK_EQ(a.second, b.second);
    CHECK_EQ(a.weekday, b.weekday);
}

TEST(known_dates)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        check_same(time_civil(known[i].s), known[i].c);
        CHECK_EQ(time_from_civil(&known[i].c), known[i].s);
    }
}

TEST(as_the_libc_says)
{
    /* Steps that share no factor with a day, over years -4000 to 16000. */
    for (int64_t s = -188000000000; s < 442000000000; s += 86400 * 13 + 12347) {
        time_t t = (time_t)s;
        struct tm tm;
        struct civil c = time_civil(s);

        if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 != c.year || tm.tm_mon + 1 != c.month ||
            tm.tm_mday != c.day || tm.tm_hour != c.hour || tm.tm_min != c.minute || tm.tm_sec != c.second ||
            tm.tm_wday != c.weekday || time_from_civil(&c) != s) {
            CHECK_EQ(s, 0);
            return;
        }
    }
}

TEST(every_day_follows_the_one_before)
{
    struct civil before = time_civil(-62167219200 - 86400);

    for (int64_t day = -719528; day < 2932897; day++) { /* years 0 to 9999 */
        struct civil c = time_civil(day * 86400);
        bool next = c.day == before.day + 1 && c.month == before.month && c.year == before.year;
        bool new_month =
            c.day == 1 && c.month == before.month + 1 && c.year == before.year && before.day >= 28;
        bool new_year = c.day == 1 && c.month == 1 && before.month == 12 && before.day == 31;

        if (!(next || new_month || new_year) || c.weekday != (before.weekday + 1) % 7 || c.day > 31) {
            CHECK_EQ(day, 0);
            return;
        }
        before = c;
    }
}

TEST(leap_second_counts_as_59)
{
    struct civil c = {2016, 12, 31, 23, 59, 60, 6};

    CHECK_EQ(time_from_civil(&c), 1483228799);
}

TEST(ends_of_the_range_do_not_overflow)
{
    CHECK(time_civil(INT64_MAX).year > 1000000000);
    CHECK(time_civil(INT64_MIN).year < -1000000000);
    for (int i = 0; i < 64; i++) {
        struct civil c = time_civil((int64_t)((uint64_t)1 << i));

        CHECK(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31 && c.weekday >= 0 && c.weekday <= 6);
    }
}

typedef void put(struct writer *w, int64_t t);

/* Checks the text, that just its length is enough, and that one byte less fails. */
static void check_text(put *f, int64_t t, const char *text)
{
    uint8_t out[64];
    struct writer w = writer_of(out, strlen(text));

    f(&w, t);
    CHECK(!w.failed);
    if (!CHECK(bytes_is(bytes_of(out, writer_len(&w)), text)))
        printf("    it is %.*s\n", (int)writer_len(&w), (char *)out);
    w = writer_of(out, strlen(text) - 1);
    f(&w, t);
    CHECK(w.failed);
}

TEST(formats)
{
    check_text(time_put_iso, 1795227369123, "2026-11-21T02:16:09.123Z");
    check_text(time_put_iso, 0, "1970-01-01T00:00:00.000Z");
    check_text(time_put_iso, -1, "1969-12-31T23:59:59.999Z");
    check_text(time_put_iso, 253402300800000, "10000-01-01T00:00:00.000Z");
    check_text(time_put_date, 1795227369, "2026-11-21");
    check_text(time_put_date, -62167219201, "-0001-12-31");
    check_text(time_put_http, 784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    check_text(time_put_http, 1795227369, "Sat, 21 Nov 2026 02:16:09 GMT");
    check_text(time_put_clf, 1795227369, "21/Nov/2026:02:16:09 +0000");
    check_text(time_put_date, INT64_MAX, "1141709097-06-13");
}

/* In place of the libc's, to be a kernel without coarse clocks. */
static bool no_coarse;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (no_coarse && (clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_REALTIME_COARSE)) {
        errno = EINVAL;
        return -1;
    }
#ifdef SYS_clock_gettime64 /* 32-bit machines, where timespec is as wide as there */
    return (int)syscall(SYS_clock_gettime64, clock, ts);
#else
    return (int)syscall(SYS_clock_gettime, clock, ts);
#endif
}

TEST(coarse_clocks_follow_the_others)
{
    for (unsigned i = 0; i < 2; i++) {
        no_coarse = i;
        uint64_t mono = time_mono_ms();
        int64_t wall = time_wall();

        CHECK(time_mono_coarse_ms() + 1000 >= mono);
        CHECK(time_mono_coarse_ms() <= time_mono_ms());
        CHECK(time_wall_coarse() + 1 >= wall);
        CHECK(time_wall_coarse() <= time_wall());
    }
    no_coarse = false;
}

TEST(clocks_go_forward)
{
    uint64_t ms = time_mono_ms(), us = time_mono_us();

    CHECK(us / 1000 >= ms);
    CHECK(us / 1000 - ms < 60000);
    CHECK(time_mono_us() >= us);
    CHECK(time_wall() > 1700000000);
    CHECK(time_wall_ms() / 1000 - time_wall() <= 1);
}

TEST(floor_only_rises)
{
    int64_t first = time_floor();

    CHECK(time_is_sane());
    time_raise_floor(first - 1);
    CHECK_EQ(time_floor(), first);
    time_raise_floor(first + 1);
    CHECK_EQ(time_floor(), first + 1);
    time_raise_floor(INT64_MIN);
    CHECK_EQ(time_floor(), first + 1);
    CHECK(time_is_sane());
    time_raise_floor(time_wall() + 3600);
    CHECK(!time_is_sane());
}

TEST_MAIN(RUN(known_dates), RUN(as_the_libc_says), RUN(every_day_follows_the_one_before),
          RUN(leap_second_counts_as_59), RUN(ends_of_the_range_do_not_overflow), RUN(formats),
          RUN(coarse_clocks_follow_the_others), RUN(clocks_go_forward), RUN(floor_only_rises))
