/* SPDX-License-Identifier: MIT
 *
 * The log into pipes and files that fill up, fail and come back: only whole lines may ever be read on the other end,
 * none may be forged, and every line that is missing is counted.
 */
#include "tests/unit/test.h"

#include "base/log.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 20];
static size_t text_len;

/* A pipe whose write end is the log; the read end never blocks. */
static int log_into_pipe(void)
{
    int ends[2];

    if (pipe(ends) != 0)
        abort();
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    log_set_fd(ends[1]);
    text_len = 0;
    return ends[0];
}

/* Appends what has come to `text`. */
static void take(int fd)
{
    ssize_t n;

    while ((n = read(fd, text + text_len, sizeof text - 1 - text_len)) > 0)
        text_len += (size_t)n;
    text[text_len] = 0;
}

static void log_to_nowhere(int read_end, int write_end)
{
    log_set_fd(-1);
    log_set_json(false);
    log_set_level(LOG_INFO);
    close(read_end);
    if (write_end >= 0)
        close(write_end);
}

/* The line's part behind its time, which is checked for its shape. */
static const char *after_time(const char *line)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z ";

    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool digit = line[i] >= '0' && line[i] <= '9';

        if (shape[i] == '0' ? !digit : line[i] != shape[i])
            return line;
    }
    return line + sizeof shape - 1;
}

TEST(a_line)
{
    int fd = log_into_pipe();

    log_info("listening on %s:%d", "127.0.0.1", 8443);
    take(fd);
    CHECK_EQ(text_len, 0); /* not before the flush */
    log_flush();
    take(fd);
    CHECK_STR(after_time(text), "info listening on 127.0.0.1:8443\n");
    log_to_nowhere(fd, -1);
}

TEST(levels)
{
    int fd = log_into_pipe();

    CHECK_EQ(log_level(), LOG_INFO);
    log_debug("not this");
    log_set_level(LOG_WARN);
    log_info("nor this");
    log_raw(bytes_str("raw lines have no level"));
    log_set_level(LOG_DEBUG);
    log_debug("but this");
    log_flush();
    take(fd);
    CHECK(strstr(text, "not this") == NULL);
    CHECK(strstr(text, "nor this") == NULL);
    CHECK(strncmp(text, "raw lines have no level\n", 24) == 0);
    CHECK_STR(after_time(text + 24), "debug but this\n");
    log_to_nowhere(fd, -1);
}

TEST(no_line_can_be_forged)
{
    int fd = log_into_pipe();

    log_info("path %s", "/\n2026-11-21T00:00:00.000Z error forged\r\x1b[2J\x7f\x9b \"q\" \\x0a");
    log_flush();
    take(fd);
    CHECK_STR(after_time(text), "info path /\\x0a2026-11-21T00:00:00.000Z error "
                                "forged\\x0d\\x1b[2J\\x7f\\x9b \"q\" \\x0a\n");
    log_to_nowhere(fd, -1);
}

TEST(json_lines)
{
    int fd = log_into_pipe();

    log_set_json(true);
    log_warn("a \"quoted\" \\ %s", "\n\xc3\xa4\xff");
    log_raw(bytes_str("{}"));
    log_flush();
    take(fd);
    CHECK(strncmp(text, "{\"time\":\"2", 10) == 0);
    CHECK(strstr(text, "Z\",\"level\":\"warn\",\"msg\":\"a \\\"quoted\\\" \\\\ "
                       "\\u000a\xc3\xa4\\u00ff\"}\n{}\n") != NULL);
    log_to_nowhere(fd, -1);
}

static const char *escaped(void (*escape)(struct writer *, struct bytes), const char *in, size_t n)
{
    static uint8_t out[128];
    struct writer w = writer_of(out, sizeof out - 1);

    escape(&w, bytes_of(in, n));
    out[writer_len(&w)] = 0;
    return (char *)out;
}

TEST(escaping_for_text)
{
    CHECK_STR(escaped(log_escape, "GET /a?b=c d~", 13), "GET /a?b=c d~");
    CHECK_STR(escaped(log_escape, "\"\\\n\0\x1f\x7f\x80\xff", 8), "\\x22\\x5c\\x0a\\x00\\x1f\\x7f\\x80\\xff");
    CHECK_STR(escaped(log_escape, NULL, 0), "");
}

TEST(escaping_for_json)
{
    CHECK_STR(escaped(log_escape_json, "a\"b\\c/\n\0\x7f", 9), "a\\\"b\\\\c/\\u000a\\u0000\\u007f");
    /* UTF-8 that is well formed stays: 2, 3 and 4 bytes, and the last of all. */
    CHECK_STR(escaped(log_escape_json, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 13),
              "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
    /* Controls of two bytes (C1) do not. */
    CHECK_STR(escaped(log_escape_json, "\xc2\x9b\xc2\xa0", 4), "\\u009b\xc2\xa0");
    /* Cut short, overlong, a surrogate, beyond the end, a stray tail: byte by byte. */
    CHECK_STR(escaped(log_escape_json, "\xe2\x82", 2), "\\u00e2\\u0082");
    CHECK_STR(escaped(log_escape_json, "\xe2\x82z", 3), "\\u00e2\\u0082z");
    CHECK_STR(escaped(log_escape_json, "\xc0\xaf\xc1\xbf", 4), "\\u00c0\\u00af\\u00c1\\u00bf");
    CHECK_STR(escaped(log_escape_json, "\xe0\x80\xaf", 3), "\\u00e0\\u0080\\u00af");
    CHECK_STR(escaped(log_escape_json, "\xed\xa0\x80", 3), "\\u00ed\\u00a0\\u0080");
    CHECK_STR(escaped(log_escape_json, "\xf0\x80\x80\xaf", 4), "\\u00f0\\u0080\\u0080\\u00af");
    CHECK_STR(escaped(log_escape_json, "\xf4\x90\x80\x80", 4), "\\u00f4\\u0090\\u0080\\u0080");
    CHECK_STR(escaped(log_escape_json, "\xf5\xbf", 2), "\\u00f5\\u00bf");
    CHECK_STR(escaped(log_escape_json, "\x80", 1), "\\u0080");
}

TEST(escaping_into_too_little_room_fails)
{
    uint8_t out[3];
    struct writer w = writer_of(out, sizeof out);

    log_escape(&w, bytes_str("\n"));
    CHECK(w.failed);
}

TEST(long_lines_are_cut)
{
    static char longer[20000];
    int fd = log_into_pipe();
    char *end;

    memset(longer, 'x', sizeof longer - 1);
    log_info("%s", longer);
    log_raw(bytes_str(longer));
    log_set_json(true);
    memset(longer, 1, sizeof longer - 1); /* each takes six */
    log_info("%s", longer);
    log_flush();
    log_flush();
    take(fd);
    end = strchr(text, '\n');
    if (CHECK(end != NULL && end - text > 1000 && (size_t)(end - text) < LOG_LINE_MAX))
        CHECK(strncmp(end - 4, "x...\n", 5) == 0);
    end = strchr(end + 1, '\n');
    if (CHECK(end != NULL))
        CHECK(strncmp(end - 4, "x...\n", 5) == 0);
    CHECK(text_len > 6000 && strcmp(text + text_len - 12, "\\u0001...\"}\n") == 0);
    CHECK_EQ(log_dropped(), 0);
    log_to_nowhere(fd, -1);
}

TEST(raw_lines_of_every_length_near_the_limit)
{
    static char line[LOG_LINE_MAX + 10];
    int fd = log_into_pipe();

    memset(line, 'y', sizeof line);
    for (size_t n = LOG_LINE_MAX - 5; n < sizeof line; n++) {
        size_t len = n < LOG_LINE_MAX ? n : LOG_LINE_MAX - 1;

        text_len = 0;
        log_raw(bytes_of(line, n));
        log_flush();
        take(fd);
        CHECK_EQ(text_len, len + 1);
        CHECK_EQ(text[len], '\n');
        CHECK_EQ(text[len - 1], n < LOG_LINE_MAX ? 'y' : '.');
    }
    log_to_nowhere(fd, -1);
}

/* Every line is `line NUMBER xxx` with numbers that rise, or the one about lost lines; returns how many lines of the
 * first kind there are. */
static unsigned check_numbered(void)
{
    unsigned lines = 0;
    long last = -1;
    char *line = text;

    CHECK(text_len == 0 || text[text_len - 1] == '\n');
    while (*line != 0) {
        char *end = strchr(line, '\n');
        long number;

        if (end == NULL)
            break;
        *end = 0;
        if (strncmp(line, "line ", 5) == 0) {
            char *rest;

            number = strtol(line + 5, &rest, 10);
            CHECK(number > last);
            CHECK_EQ(strspn(rest, " x"), (size_t)(number * 37 % 200) + 1);
            CHECK_EQ(rest + strspn(rest, " x") - end, 0);
            last = number;
            lines++;
        } else if (strstr(line, "lines of the log were lost") == NULL) {
            FAIL("a torn line");
            puts(line);
        }
        line = end + 1;
    }
    return lines;
}

static void log_numbered(unsigned number)
{
    static char xs[201];
    char line[256];
    int n;

    memset(xs, 'x', 200);
    n = snprintf(line, sizeof line, "line %u %.*s", number, (int)(number * 37 % 200), xs);
    log_raw(bytes_of(line, (size_t)n));
}

/* A reader that stops and goes on: nothing waits, nothing is torn, and what is lost is counted. */
static void slow_reader(int read_end)
{
    uint64_t dropped = log_dropped();
    unsigned sent = 0;

    text_len = 0;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 1500; i++) {
            log_numbered(sent++);
            if (i % 7 == 0)
                log_flush();
            /* Part of what is there is read, so that writes stop in the middle of lines. */
            if (i % 100 == 99 && round % 2 == 1)
                text_len += (size_t)(read(read_end, text + text_len, 777) == 777 ? 777 : 0);
        }
        CHECK(log_dropped() > dropped);
        take(read_end);
        log_flush();
        take(read_end);
        log_flush();
        log_flush();
        take(read_end);
    }
    CHECK_EQ(check_numbered() + log_dropped() - dropped, sent);
}

TEST(a_reader_that_is_slow_on_a_pipe)
{
    int fd = log_into_pipe();

    alarm(20); /* a write that waits never comes back */
    slow_reader(fd);
    alarm(0);
    log_to_nowhere(fd, -1);
}

TEST(a_reader_that_is_slow_on_a_nonblocking_pipe)
{
    int ends[2];

    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    log_set_fd(ends[1]);
    slow_reader(ends[0]);
    log_to_nowhere(ends[0], ends[1]);
}

TEST(a_reader_that_is_slow_on_a_socket)
{
    int ends[2];

    /* As a service manager gives: blocking, on our side. */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    log_set_fd(ends[1]);
    alarm(20);
    slow_reader(ends[0]);
    alarm(0);
    log_to_nowhere(ends[0], ends[1]);
}

TEST(lost_lines_are_told_of)
{
    int fd = log_into_pipe();
    uint64_t dropped = log_dropped();
    char told[64];

    for (unsigned i = 0; i < 2000; i++)
        log_numbered(i);
    log_flush();
    dropped = log_dropped() - dropped;
    CHECK(dropped > 0);
    for (int i = 0; i < 10; i++) {
        take(fd);
        log_flush();
    }
    take(fd);
    snprintf(told, sizeof told, "Z warn %llu lines of the log were lost", (unsigned long long)dropped);
    CHECK(strstr(text, told) != NULL);
    log_to_nowhere(fd, -1);
}

TEST(a_full_disk)
{
    int fd = open("/dev/full", O_WRONLY);
    uint64_t dropped = log_dropped();

    if (fd < 0)
        return;
    log_set_fd(fd);
    for (unsigned i = 0; i < 10; i++)
        log_numbered(i);
    errno = 0;
    log_flush();
    CHECK_EQ(log_dropped() - dropped, 10);
    for (unsigned i = 0; i < 5000; i++)
        log_numbered(i);
    log_flush();
    CHECK_EQ(log_dropped() - dropped, 5010);
    log_to_nowhere(-1, fd);
}

/* The file that the log goes to may grow to `size` bytes: the write that gets there is short, the next one fails. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = size;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(a_disk_that_fills_in_the_middle_of_a_line)
{
    FILE *file = tmpfile();
    uint64_t dropped = log_dropped();
    unsigned sent = 0;
    struct rlimit before;

    if (!CHECK(file != NULL && getrlimit(RLIMIT_FSIZE, &before) == 0))
        return;
    signal(SIGXFSZ, SIG_IGN);
    log_set_fd(fileno(file));
    limit_files(4000);
    while (sent < 1000)
        log_numbered(sent++);
    log_flush();
    CHECK(log_dropped() > dropped);
    text_len = (size_t)pread(fileno(file), text, sizeof text, 0);
    CHECK_EQ(text_len, 4000);
    CHECK(text[3999] != '\n');

    /* There is room again: the line is finished before anything else is written. */
    limit_files(before.rlim_cur);
    while (sent < 1010)
        log_numbered(sent++);
    log_flush();
    log_flush();
    text_len = (size_t)pread(fileno(file), text, sizeof text - 1, 0);
    text[text_len] = 0;
    CHECK_EQ(check_numbered() + log_dropped() - dropped, sent);
    signal(SIGXFSZ, SIG_DFL);
    log_set_fd(-1);
    fclose(file);
}

TEST(a_reader_that_goes_away_in_the_middle_of_a_line)
{
    int ends[2], fd;
    uint64_t dropped = log_dropped();

    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
    signal(SIGPIPE, SIG_IGN);
    log_set_fd(ends[1]);
    for (unsigned i = 0; i < 100; i++)
        log_numbered(i);
    log_flush();
    text_len = 0;
    take(ends[0]);
    CHECK(text_len > 0);
    CHECK(text[text_len - 1] != '\n');
    close(ends[0]);
    log_flush();
    for (unsigned i = 0; i < 1000; i++)
        log_numbered(i);
    log_flush();
    CHECK(log_dropped() - dropped > 1000);

    /* Another descriptor begins with a whole line; what belonged to the old is not sent to it. */
    fd = log_into_pipe();
    log_numbered(5);
    log_flush();
    take(fd);
    CHECK_EQ(check_numbered(), 1);
    log_to_nowhere(fd, ends[1]);
    signal(SIGPIPE, SIG_DFL);
}

TEST(nowhere)
{
    uint64_t dropped = log_dropped();

    log_set_fd(-1);
    log_error("unheard");
    log_raw(bytes_str("unheard"));
    log_flush();
    CHECK_EQ(log_dropped(), dropped); /* nobody asked for them */
}

TEST(a_closed_descriptor)
{
    int ends[2];
    uint64_t dropped = log_dropped();

    CHECK(pipe(ends) == 0);
    log_set_fd(ends[1]);
    close(ends[0]);
    close(ends[1]);
    log_error("unheard");
    log_flush();
    CHECK_EQ(log_dropped(), dropped + 1);
    log_to_nowhere(-1, -1);
}

TEST(gate_holds_back_and_counts)
{
    struct log_gate gate = {0};
    int fd = log_into_pipe();

    log_gated(&gate, LOG_DEBUG, "below the level: counts for nothing");
    for (int i = 0; i < 18; i++)
        log_gated(&gate, LOG_WARN, "no descriptors");
    log_flush();
    take(fd);
    CHECK_STR(after_time(text), "warn no descriptors\n");
    CHECK_EQ(gate.held, 17);

    gate.last_ms -= 1000; /* a second later */
    text_len = 0;
    log_gated(&gate, LOG_WARN, "no descriptors");
    gate.last_ms -= 1000;
    log_gated(&gate, LOG_WARN, "no descriptors");
    log_flush();
    take(fd);
    CHECK(strstr(text, "warn no descriptors (and 17 more)\n") != NULL);
    CHECK(strstr(text, "warn no descriptors\n") != NULL);
    log_to_nowhere(fd, -1);
}

TEST(gate_on_a_long_message_still_counts)
{
    static char longer[5000];
    struct log_gate gate = {.last_ms = 1, .held = 3};
    int fd = log_into_pipe();

    memset(longer, 'x', sizeof longer - 1);
    log_gated(&gate, LOG_WARN, "%s", longer);
    log_flush();
    take(fd);
    CHECK(strstr(text, " (and 3 more)\n") != NULL);
    log_to_nowhere(fd, -1);
}

TEST(errno_is_kept)
{
    int fd = log_into_pipe();

    errno = ENOTTY;
    for (unsigned i = 0; i < 3000; i++)
        log_numbered(i);
    log_info("x");
    CHECK_EQ(errno, ENOTTY);
    log_to_nowhere(fd, -1);
}

TEST_MAIN(RUN(a_line), RUN(levels), RUN(no_line_can_be_forged), RUN(json_lines), RUN(escaping_for_text),
          RUN(escaping_for_json), RUN(escaping_into_too_little_room_fails), RUN(long_lines_are_cut),
          RUN(raw_lines_of_every_length_near_the_limit), RUN(a_reader_that_is_slow_on_a_pipe),
          RUN(a_reader_that_is_slow_on_a_nonblocking_pipe), RUN(a_reader_that_is_slow_on_a_socket),
          RUN(lost_lines_are_told_of), RUN(a_full_disk), RUN(a_disk_that_fills_in_the_middle_of_a_line),
          RUN(a_reader_that_goes_away_in_the_middle_of_a_line), RUN(nowhere), RUN(a_closed_descriptor),
          RUN(gate_holds_back_and_counts), RUN(gate_on_a_long_message_still_counts), RUN(errno_is_kept))
