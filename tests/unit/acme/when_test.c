/* SPDX-License-Identifier: MIT
 *
 * Dates as RFC 9110 and RFC 3339 show them, and what only looks like one.
 */
#include "tests/unit/test.h"

#include "acme/when.h"

#define NOW INT64_C(1795685400) /* 2026-11-26T09:30:00Z */

TEST(http_dates)
{
    static const struct {
        const char *text;
        int64_t s;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT",    784111777            },
        {"Sunday, 06-Nov-94 08:49:37 GMT",   784111777            },
        {"Sun Nov  6 08:49:37 1994",         784111777            },
        {"Sun Nov 16 08:49:37 1994",         784975777            },
        {"Thu, 26 Nov 2026 09:30:00 GMT",    NOW                  },
        {"Thursday, 26-Nov-26 09:30:00 GMT", NOW                  },
        {"Sun, 06 Nov 1994 08:49:60 GMT",    784111799            },
        {"Fri, 31 Dec 9999 23:59:59 GMT",    INT64_C(253402300799)},
        {"",                                 0                    },
        {"Sun, 06 Nov 1994 08:49:37 UTC",    0                    },
        {"Sun, 6 Nov 1994 08:49:37 GMT",     0                    },
        {"Sun, 31 Feb 1994 08:49:37 GMT",    0                    },
        {"Sun, 06 nov 1994 08:49:37 GMT",    0                    },
        {"Sun, 06 Nov 1994 24:49:37 GMT",    0                    },
        {"Sun, 06 Nov 1994 08:49:37 GMT ",   0                    },
        {"Sun, 06 Nov 1969 08:49:37 GMT",    0                    },
        {"Thu, 01 Jan 1970 00:00:00 GMT",    0                    },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQ(when_http_date(bytes_str(cases[i].text), NOW), cases[i].s))
            printf("    %s\n", cases[i].text);
}

TEST(retry_after)
{
    CHECK_EQ(when_retry_after(bytes_str("120"), NOW), NOW + 120);
    CHECK_EQ(when_retry_after(bytes_str("0"), NOW), NOW);
    CHECK_EQ(when_retry_after(bytes_str("Thu, 26 Nov 2026 09:31:00 GMT"), NOW), NOW + 60);
    CHECK_EQ(when_retry_after(bytes_str("99999999999999999999999"), NOW), NOW + 365 * 86400);
    CHECK_EQ(when_retry_after(bytes_str(""), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("-1"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("12s"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("soon"), NOW), 0);
}

TEST(rfc_3339)
{
    static const struct {
        const char *text;
        int64_t s;
    } cases[] = {
        {"2026-11-26T09:30:00Z",           NOW                  },
        {"2026-11-26t09:30:00z",           NOW                  },
        {"2026-11-26T09:30:00.123456789Z", NOW                  },
        {"2026-11-26T11:30:00+02:00",      NOW                  },
        {"2026-11-26T07:00:00-02:30",      NOW                  },
        {"1985-04-12T23:20:50.52Z",        482196050            },
        {"1990-12-31T23:59:60Z",           662687999            },
        {"9999-12-31T23:59:59Z",           INT64_C(253402300799)},
        {"9999-12-31T23:59:59+23:59",      INT64_C(253402214459)},
        {"9999-12-31T23:59:59-00:01",      0                    },
        {"9999-12-31T23:59:59-23:59",      0                    },
        {"1970-01-01T00:00:01Z",           1                    },
        {"1970-01-01T00:00:00Z",           0                    },
        {"1970-01-01T00:30:00+00:30",      0                    },
        {"1970-01-02T00:00:00+23:59",      60                   },
        {"2026-11-26T09:30:00",            0                    },
        {"2026-11-26T09:30:00.Z",          0                    },
        {"2026-11-26T09:30:00+0200",       0                    },
        {"2026-11-31T09:30:00Z",           0                    },
        {"2026-13-26T09:30:00Z",           0                    },
        {"26-11-26T09:30:00Z",             0                    },
        {"2026-11-26T09:30Z",              0                    },
        {"2026-11-26",                     0                    },
        {"2026-11-26T09:30:00Z ",          0                    },
        {"",                               0                    },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQ(when_rfc3339(bytes_str(cases[i].text)), cases[i].s))
            printf("    %s\n", cases[i].text);
}

/* RFC 3339 §5.8. */
TEST(rfc_3339_examples)
{
    CHECK_EQ(when_rfc3339(bytes_str("1985-04-12T23:20:50.52Z")), 482196050);
    CHECK_EQ(when_rfc3339(bytes_str("1996-12-19T16:39:57-08:00")), 851042397);
    CHECK_EQ(when_rfc3339(bytes_str("1990-12-31T23:59:60Z")), 662687999);
    CHECK_EQ(when_rfc3339(bytes_str("1990-12-31T15:59:60-08:00")), 662687999);
    CHECK_EQ(when_rfc3339(bytes_str("1937-01-01T12:00:27.87+00:20")), 0); /* before all that matters here */
    /* RFC 9773 §4.2 */
    CHECK_EQ(when_rfc3339(bytes_str("2025-01-02T04:00:00Z")), 1735790400);
    CHECK_EQ(when_rfc3339(bytes_str("2025-01-03T04:00:00Z")), 1735876800);
}

TEST(leap_years)
{
    static const struct {
        const char *day, *month;
        int number, year;
        bool exists;
    } cases[] = {
        {"29", "Feb", 2,  2024, true },
        {"29", "Feb", 2,  2026, false},
        {"29", "Feb", 2,  2000, true },
        {"29", "Feb", 2,  2100, false},
        {"30", "Feb", 2,  2024, false},
        {"29", "Feb", 2,  2400, true },
        {"31", "Apr", 4,  2026, false},
        {"30", "Apr", 4,  2026, true },
        {"31", "Dec", 12, 2026, true },
        {"32", "Dec", 12, 2026, false},
        {"00", "Jan", 1,  2026, false},
        {"28", "Feb", 2,  2100, true },
    };
    char text[64];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t a, b, c;

        snprintf(text, sizeof text, "Sun, %s %s %d 12:00:00 GMT", cases[i].day, cases[i].month,
                 cases[i].year);
        a = when_http_date(bytes_str(text), NOW);
        snprintf(text, sizeof text, "Sun %s %s 12:00:00 %d", cases[i].month, cases[i].day, cases[i].year);
        b = when_http_date(bytes_str(text), NOW);
        snprintf(text, sizeof text, "%d-%02d-%sT12:00:00Z", cases[i].year, cases[i].number, cases[i].day);
        c = when_rfc3339(bytes_str(text));
        if (!CHECK_EQ(a > 0, cases[i].exists) || !CHECK_EQ(a, b) || !CHECK_EQ(b, c))
            printf("    %s\n", text);
    }
}

/* RFC 9110 §5.6.7: two digits of a year that seem over 50 years ahead are of the century before. */
TEST(years_of_two_digits)
{
    CHECK_EQ(when_http_date(bytes_str("Wednesday, 01-Jan-76 00:00:00 GMT"), NOW),
             INT64_C(3345062400));                                                           /* 2076 */
    CHECK_EQ(when_http_date(bytes_str("Saturday, 01-Jan-77 00:00:00 GMT"), NOW), 220924800); /* 1977 */
    CHECK_EQ(when_http_date(bytes_str("Friday, 31-Dec-99 23:59:59 GMT"), NOW), 946684799);
    CHECK_EQ(when_http_date(bytes_str("Monday, 01-Jan-70 00:00:01 GMT"), 0), 1); /* a clock that is not set */
    CHECK_EQ(when_http_date(bytes_str("Thursday, 26-Nov-26 09:30:00 GMT"), 0), 0);
    CHECK_EQ(when_http_date(bytes_str("Sun, 06-Nov-94 08:49:37 GMT"), NOW), 0);
    CHECK_EQ(when_http_date(bytes_str("Sunday, 06-Nov-1994 08:49:37 GMT"), NOW), 0);
    CHECK_EQ(when_http_date(bytes_str("Sunday 06-Nov-94 08:49:37 GMT"), NOW), 0);
}

/* Cut anywhere, or with a byte that is another, a date is none, or one like it: never far out. */
TEST(damaged_dates)
{
    static const char *const texts[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z",
                                        "1994-11-06T10:49:37.5+02:00"};
    static const char others[] = {'0', '9', ' ', ':', '-', '+', ',', 'x', 'Z', '\0', '\x7f', '\xff'};
    char text[64];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t len = strlen(texts[i]);

        CHECK_EQ(i < 3 ? when_http_date(bytes_str(texts[i]), NOW) : when_rfc3339(bytes_str(texts[i])),
                 784111777);
        for (size_t n = 0; n < len; n++) {
            CHECK_EQ(when_http_date(bytes_of(texts[i], n), NOW), 0);
            CHECK_EQ(when_rfc3339(bytes_of(texts[i], n)), 0);
        }
        for (size_t n = 0; n < len; n++)
            for (size_t k = 0; k < sizeof others; k++) {
                memcpy(text, texts[i], len);
                text[n] = others[k];
                int64_t a = when_http_date(bytes_of(text, len), NOW), b = when_rfc3339(bytes_of(text, len));

                CHECK(a >= 0 && a < INT64_C(253402300800));
                CHECK(b >= 0 && b < INT64_C(253402300800) + 86400);
            }
    }
}

TEST(retry_after_bounds)
{
    CHECK_EQ(when_retry_after(bytes_str("31536000"), NOW), NOW + 31536000);
    CHECK_EQ(when_retry_after(bytes_str("31536001"), NOW), NOW + 31536000);
    CHECK_EQ(when_retry_after(bytes_str("18446744073709551615"), NOW), NOW + 31536000);
    CHECK_EQ(when_retry_after(bytes_str("18446744073709551616"), NOW), NOW + 31536000);
    CHECK_EQ(when_retry_after(bytes_str("00000000000000000000000000000007"), NOW), NOW + 7);
    CHECK_EQ(when_retry_after(bytes_str("+7"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str(" 7"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("7 "), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("7, 8"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("1.5"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_str("1e3"), NOW), 0);
    CHECK_EQ(when_retry_after(bytes_of("7\0", 2), NOW), 0);
    CHECK_EQ(when_retry_after((struct bytes){NULL, 0}, NOW), 0);
    CHECK_EQ(when_http_date((struct bytes){NULL, 0}, NOW), 0);
    CHECK_EQ(when_rfc3339((struct bytes){NULL, 0}), 0);
    CHECK_EQ(when_retry_after(bytes_str("Fri, 31 Dec 1999 23:59:59 GMT"), NOW),
             946684799); /* RFC 9110 §10.2.3 */
    CHECK_EQ(when_retry_after(bytes_str("120"), 0), 120);
}

TEST_MAIN(RUN(http_dates), RUN(retry_after), RUN(retry_after_bounds), RUN(rfc_3339), RUN(rfc_3339_examples),
          RUN(leap_years), RUN(years_of_two_digits), RUN(damaged_dates))
