/* SPDX-License-Identifier: MIT
 *
 * Dates as RFC 9110 and RFC 3339 show them, and what only looks like one; when to try and to renew.
 */
#include "tests/unit/test.h"

#include "acme/schedule.h"
#include "acme/url.h"
#include "acme/when.h"
#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

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

/* ---- the schedule ---- */

TEST(pauses_after_failures)
{
    static const int64_t pauses[] = {60, 600, 6000, 86400, 86400};
    struct schedule s = {0};

    for (unsigned i = 0; i < 5; i++) {
        schedule_failed(&s, NOW, 0, i * 0x12345679u);
        CHECK(s.next_try >= NOW + pauses[i] && s.next_try <= NOW + pauses[i] * 5 / 4);
        CHECK_EQ(s.failures, i + 1);
    }
    schedule_failed(&s, NOW, NOW + 200000, 0);
    CHECK_EQ(s.next_try, NOW + 200000);
    schedule_failed(&s, NOW, NOW + 10, 0);
    CHECK_EQ(s.next_try, NOW + 86400);
    for (unsigned i = 0; i < 2000; i++)
        schedule_failed(&s, NOW, 0, i);
    CHECK_EQ(s.failures, 1000);
    schedule_succeeded(&s);
    CHECK_EQ(s.failures, 0);
    CHECK_EQ(s.next_try, 0);
}

TEST(renewals)
{
    const int64_t day = 86400;

    for (uint32_t random = 0; random < 100; random++) {
        uint32_t r = random * 0x9e3779b9u;
        int64_t long_one = schedule_renewal(NOW, NOW + 90 * day, r),
                short_one = schedule_renewal(NOW, NOW + 6 * day, r);

        CHECK(long_one <= NOW + 60 * day && long_one >= NOW + 60 * day - 90 * day / 60);
        CHECK(short_one <= NOW + 3 * day && short_one >= NOW + 3 * day - 6 * day / 60);
    }
    CHECK_EQ(schedule_renewal(NOW, NOW, 5), NOW);
    CHECK_EQ(schedule_renewal(NOW, NOW - 5, 5), NOW - 5);
}

TEST(what_is_kept)
{
    char folder[] = "/tmp/schedule-test-XXXXXX", path[100];
    struct schedule s = {.failures = 3, .next_try = NOW, .renew_at = NOW + 1, .ask_at = 5, .not_after = 7}, t;

    CHECK(mkdtemp(folder) != NULL);
    schedule_load(&t, folder, "a.test");
    CHECK_EQ(t.failures, 0);
    CHECK_EQ(t.next_try, 0);
    CHECK_EQ(schedule_save(&s, folder, "a.test"), 0);
    schedule_load(&t, folder, "a.test");
    CHECK_MEM(&t, sizeof t, &s, sizeof s);
    snprintf(path, sizeof path, "%s/a.test", folder);
    CHECK_EQ(state_write(
                 path, "schedule", 0600,
                 bytes_str("failures x\nnext-try -5\nfailures 99999\nrenew-at 9\n\xff\n what 7\nrenew-at")),
             0);
    schedule_load(&t, folder, "a.test");
    CHECK_EQ(t.failures, 1000);
    CHECK_EQ(t.next_try, 0);
    CHECK_EQ(t.renew_at, 9);
    CHECK(schedule_save(&s, folder, "../x") != 0);
    snprintf(path, sizeof path, "%s/a.test/schedule", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/a.test", folder);
    rmdir(path);
    rmdir(folder);
}

/* ---- URLs ---- */

TEST(urls)
{
    static const struct {
        const char *text, *host, *authority, *path;
        uint16_t port;
    } cases[] = {
        {"https://a.test/directory",    "a.test",      "a.test",        "/directory", 443  },
        {"HTTPS://A.Test",              "a.test",      "a.test",        "/",          443  },
        {"https://a.test:8443/d?x=1&y", "a.test",      "a.test:8443",   "/d?x=1&y",   8443 },
        {"https://[2001:DB8::1]/",      "2001:db8::1", "[2001:db8::1]", "/",          443  },
        {"https://[::1]:14000/dir",     "::1",         "[::1]:14000",   "/dir",       14000},
        {"http://192.0.2.1/",           "192.0.2.1",   "192.0.2.1",     "/",          80   },
        {"http://a.test:443/",          "a.test",      "a.test:443",    "/",          443  },
    };
    static const char *const bad[] = {
        "",
        "a.test",
        "ftp://a.test/",
        "https:a.test",
        "https://",
        "https:///x",
        "https://user@a.test/",
        "https://a.test/#x",
        "https://a.test:0/",
        "https://a.test:65536/",
        "https://a.test:/",
        "https://a.test:8x/",
        "https://a test/",
        "https://a.test/\n",
        "https://[::1/",
        "https://[a.test]/",
        "https://[]/",
        "https://a.test?x",
        "https://-a.test/",
        "https://.a/",
        "https://a%2e.test/",
        "https://a.test/\"",
        "https://a\\b/",
        "https://[::1]x/",
    };
    struct url u;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!CHECK_STR(url_parse(&u, bytes_str(cases[i].text)), NULL))
            continue;
        CHECK_STR(u.host, cases[i].host);
        CHECK_STR(u.authority, cases[i].authority);
        CHECK_EQ(u.port, cases[i].port);
        CHECK_MEM(u.path.p, u.path.n, cases[i].path, strlen(cases[i].path));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!CHECK(url_parse(&u, bytes_str(bad[i])) != NULL))
            printf("    %s\n", bad[i]);
}

TEST_MAIN(RUN(http_dates), RUN(retry_after), RUN(rfc_3339), RUN(pauses_after_failures), RUN(renewals),
          RUN(what_is_kept), RUN(urls))
