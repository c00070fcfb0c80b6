/* SPDX-License-Identifier: MIT
 *
 * The lines of the access log to the byte, in each format: with all that can be in one, with nothing, and with what has
 * to be escaped or cut.
 */
#include "relay/access_log.h"

#include "base/log.h"
#include "base/mem.h"
#include "tests/unit/test.h"
#include "tests/unit/tls/clock.h"

#include <unistd.h>

/* The line that is written, without its end. */
static const char *line_of(const struct access_entry *e, enum conf_log_format format)
{
    static char text[LOG_LINE_MAX + 1];
    int ends[2];
    ssize_t n;

    if (!CHECK(pipe(ends) == 0))
        return "";
    log_set_fd(ends[1]);
    access_log(e, format);
    log_flush();
    log_set_fd(-1);
    close(ends[1]);
    n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[n > 0 ? n - 1 : 0] = 0;
    return text;
}

static struct access_entry whole(struct http_head *h)
{
    CHECK(http_head_add(h, bytes_str("Referer"), bytes_str("https://r.test/\"")));
    CHECK(http_head_add(h, bytes_str("User-Agent"), bytes_str("test/1 \x80")));
    return (struct access_entry){
        .id = "0123456789abcdef",
        .peer_ip = "203.0.113.9",
        .request = h,
        .site = "example.com",
        .upstream = "10.0.0.1:8080",
        .why = "said \"no\"",
        .tls = {.version = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256", .resumed = true},
        .status = 502,
        .bytes_in = 12345,
        .bytes_out = UINT64_MAX,
        .began_us = 1000000,
        .first_byte_us = 1001007,
        .done_us = 63000089,
        .aborted = true,
    };
}

TEST(lines_with_everything)
{
    struct http_head *h = http_head_request("GET", bytes_str("/a\\b?\xc3\xa4"), bytes_str("example.com"));
    struct access_entry e = whole(h);

    clock_wall = 1795227369123;
    CHECK_STR(
        line_of(&e, CONF_LOG_TEXT),
        "2026-11-21T02:16:09.123Z 203.0.113.9 example.com \"GET /a\\x5cb?\\xc3\\xa4 HTTP/1.1\" 502 in=12345 "
        "out=18446744073709551615 time=62000.089ms upstream=10.0.0.1:8080 first=1.007ms tls=TLSv1.3 "
        "cipher=TLS_AES_128_GCM_SHA256 id=0123456789abcdef aborted error=\"said \\x22no\\x22\"");
    CHECK_STR(
        line_of(&e, CONF_LOG_JSON),
        "{\"time\":\"2026-11-21T02:16:09.123Z\",\"client\":\"203.0.113.9\",\"site\":\"example.com\","
        "\"method\":\"GET\",\"target\":\"/a\\\\b?\xc3\xa4\",\"protocol\":\"HTTP/1.1\",\"host\":\"example.com\","
        "\"status\":502,\"bytes_in\":12345,\"bytes_out\":18446744073709551615,\"time_us\":62000089,"
        "\"upstream\":\"10.0.0.1:8080\",\"first_byte_us\":1007,\"tls\":\"TLSv1.3\","
        "\"cipher\":\"TLS_AES_128_GCM_SHA256\",\"resumed\":true,\"id\":\"0123456789abcdef\",\"aborted\":true,"
        "\"error\":\"said \\\"no\\\"\"}");
    CHECK_STR(line_of(&e, CONF_LOG_COMBINED),
              "203.0.113.9 - - [21/Nov/2026:02:16:09 +0000] \"GET /a\\x5cb?\\xc3\\xa4 HTTP/1.1\" 502 "
              "18446744073709551615 \"https://r.test/\\x22\" \"test/1 \\x80\"");
    e.tls.resumed = false;
    CHECK(strstr(line_of(&e, CONF_LOG_JSON), ",\"resumed\":false,") != NULL);
    CHECK_STR(line_of(&e, CONF_LOG_OFF), "");
    http_head_free(h);
}

TEST(lines_with_nothing)
{
    struct access_entry e = {.id = "0", .peer_ip = "::1", .why = ""};

    clock_wall = 7;
    CHECK_STR(line_of(&e, CONF_LOG_TEXT),
              "1970-01-01T00:00:00.007Z ::1 - \"-\" 0 in=0 out=0 time=0.000ms id=0");
    CHECK_STR(
        line_of(&e, CONF_LOG_JSON),
        "{\"time\":\"1970-01-01T00:00:00.007Z\",\"client\":\"::1\",\"site\":\"\",\"method\":\"\",\"target\":\"\","
        "\"protocol\":\"HTTP/1.1\",\"host\":\"\",\"status\":0,\"bytes_in\":0,\"bytes_out\":0,\"time_us\":0,"
        "\"id\":\"0\"}");
    CHECK_STR(line_of(&e, CONF_LOG_COMBINED), "::1 - - [01/Jan/1970:00:00:00 +0000] \"-\" 0 0 \"-\" \"-\"");
}

TEST(times_follow_the_clock)
{
    struct access_entry e = {.id = "0", .peer_ip = "::1"};
    char began[64];

    for (int64_t ms = 1798761599990; ms < 1798761600010; ms++) {
        bool new_year = ms >= 1798761600000;

        clock_wall = ms;
        snprintf(began, sizeof began, "%s.%03dZ ", new_year ? "2027-01-01T00:00:00" : "2026-12-31T23:59:59",
                 (int)(ms % 1000));
        CHECK_MEM(line_of(&e, CONF_LOG_TEXT), strlen(began), began, strlen(began));
        CHECK(strstr(line_of(&e, CONF_LOG_COMBINED),
                     new_year ? "[01/Jan/2027:00:00:00 " : "[31/Dec/2026:23:59:59 ") != NULL);
    }
}

TEST(long_ones_are_cut)
{
    static char target[9000];
    struct http_head *h;
    struct access_entry e;

    memset(target, '"', sizeof target);
    target[0] = '/';
    h = http_head_request("GET", bytes_of(target, sizeof target), bytes_of(target, 2000));
    e = whole(h);
    for (enum conf_log_format format = CONF_LOG_TEXT; format <= CONF_LOG_COMBINED; format++) {
        const char *line = line_of(&e, format);

        CHECK(strlen(line) > 2000 && strlen(line) < 5000);
        CHECK(strstr(line, format == CONF_LOG_TEXT   ? " aborted error=\"said \\x22no\\x22\""
                           : format == CONF_LOG_JSON ? ",\"error\":\"said \\\"no\\\"\"}"
                                                     : "\" \"test/1 \\x80\"") != NULL);
    }
    http_head_free(h);
}

TEST_MAIN(RUN(lines_with_everything), RUN(lines_with_nothing), RUN(times_follow_the_clock),
          RUN(long_ones_are_cut))
