/* SPDX-License-Identifier: MIT
 *
 * Owns the log's buffer. The invariant: it holds whole lines, but for the first, of which a part may have been written
 * already (`begun` says how much of it is left); what cannot be written is dropped by lines, never that rest, so the
 * reader sees no torn line. Nothing here waits: a descriptor that may block is asked by poll first, and given no more
 * than a pipe or terminal with room surely takes. The descriptor is not made non-blocking, since that would change it
 * for every process it is shared with (the shell, for one).
 */
#include "base/log.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 16384u
#define MESSAGE_MAX 1280u /* longer ones are cut; escaped as JSON it is six times as long at most */
#define CUT         "..."

_Static_assert(6 * MESSAGE_MAX + 128 <= LOG_LINE_MAX, "a message fits a line however it is escaped");
_Static_assert(LOG_LINE_MAX < BUFFER_SIZE, "a line fits the buffer");

enum kind { KIND_UNKNOWN, KIND_READY, KIND_MAY_BLOCK };

/* Apart from the rest, which is initialised: zeros need no room in the file. */
static uint8_t buffer[BUFFER_SIZE];

static struct {
    int fd;
    enum kind kind; /* of fd; looked up at the first write */
    enum log_level level;
    bool json;
    size_t len, begun;
    uint64_t dropped, told; /* lines; how many of them a line told of */
    uint8_t *buffer;
} sink = {.fd = 1, .level = LOG_INFO, .buffer = buffer};

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
    sink.level = level;
}

enum log_level log_level(void)
{
    return sink.level;
}

void log_set_json(bool json)
{
    sink.json = json;
}

uint64_t log_dropped(void)
{
    return sink.dropped;
}

/* ---- escaping ---- */

/* Writes the bytes that stand for themselves in any format, up to the first that may not, and takes them off. */
static void put_plain(struct writer *w, struct bytes *in)
{
    size_t n = 0;

    while (n < in->n && in->p[n] >= 0x20 && in->p[n] < 0x7f && in->p[n] != '"' && in->p[n] != '\\')
        n++;
    writer_put(w, in->p, n);
    in->p += n;
    in->n -= n;
}

void log_escape(struct writer *w, struct bytes in)
{
    while (in.n > 0) {
        put_plain(w, &in);
        if (in.n == 0)
            break;
        writer_str(w, "\\x");
        writer_hex(w, in.p, 1);
        in.p++;
        in.n--;
    }
}

/* A whole message: its own quotes and backslashes stand, so that what went through log_escape stays as it is. */
static void escape_controls(struct writer *w, struct bytes in)
{
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '"' || in.p[i] == '\\')
            writer_u8(w, in.p[i]);
        else
            log_escape(w, bytes_of(in.p + i, 1));
    }
}

/* The length of the UTF-8 character at the start of in (RFC 3629 §4), 0 when there is none. */
static size_t utf8_length(struct bytes in)
{
    uint8_t c = in.p[0];
    size_t n = c < 0x80                 ? 1
               : c >= 0xc2 && c <= 0xdf ? 2
               : c >= 0xe0 && c <= 0xef ? 3
               : c >= 0xf0 && c <= 0xf4 ? 4
                                        : 0;

    if (n == 0 || n > in.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((in.p[i] & 0xc0) != 0x80)
            return 0;
    /* Longer than need be, a surrogate, or above U+10FFFF. */
    if ((c == 0xe0 && in.p[1] < 0xa0) || (c == 0xed && in.p[1] > 0x9f) || (c == 0xf0 && in.p[1] < 0x90) ||
        (c == 0xf4 && in.p[1] > 0x8f))
        return 0;
    return n;
}

void log_escape_json(struct writer *w, struct bytes in)
{
    while (in.n > 0) {
        uint8_t c;
        size_t n;
        bool is_control;

        put_plain(w, &in);
        if (in.n == 0)
            break;
        c = in.p[0];
        n = utf8_length(in);
        is_control = c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2 && in.p[1] < 0xa0);
        if (n == 0 || is_control) {
            if (n < 2)
                n = 1;
            writer_str(w, "\\u00");
            writer_hex(w, in.p + n - 1, 1); /* U+0080 to U+009F are C2 and their own number */
        } else if (c == '"' || c == '\\') {
            writer_u8(w, '\\');
            writer_u8(w, c);
        } else {
            writer_put(w, in.p, n);
        }
        in.p += n;
        in.n -= n;
    }
}

/* ---- writing ---- */

static enum kind kind_of(int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);

    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        return KIND_READY;
    return flags >= 0 && (flags & O_NONBLOCK) != 0 ? KIND_READY : KIND_MAY_BLOCK;
}

static bool would_block(void)
{
    struct pollfd p = {.fd = sink.fd, .events = POLLOUT};

    if (sink.kind == KIND_UNKNOWN)
        sink.kind = kind_of(sink.fd);
    /* An error of poll, or of what it looks at, is for write to report. */
    return sink.kind == KIND_MAY_BLOCK && poll(&p, 1, 0) == 0;
}

/* How much to write in one go: whole lines, and no more than PIPE_BUF where it may block. */
static size_t chunk(void)
{
    const uint8_t *last;

    if (sink.kind != KIND_MAY_BLOCK || sink.len <= PIPE_BUF)
        return sink.len;
    last = memrchr(sink.buffer, '\n', PIPE_BUF);
    return last == NULL ? PIPE_BUF : (size_t)(last - sink.buffer) + 1;
}

/* Takes n written bytes off the front, and notes how much of the line at the cut is left. */
static void written(size_t n)
{
    const uint8_t *end;

    if (n == 0)
        return;
    sink.begun = 0;
    if (sink.buffer[n - 1] != '\n') {
        end = memchr(sink.buffer + n, '\n', sink.len - n);
        sink.begun = end == NULL ? sink.len - n : (size_t)(end - sink.buffer) + 1 - n;
    }
    sink.len -= n;
    memmove(sink.buffer, sink.buffer + n, sink.len);
}

/* All whole lines go; the rest of a line that was begun stays for when writing works again. */
static void drop_lines(void)
{
    for (size_t i = sink.begun; i < sink.len; i++)
        if (sink.buffer[i] == '\n')
            sink.dropped++;
    sink.len = sink.begun;
}

void log_flush(void)
{
    while (sink.len > 0) {
        ssize_t n;

        if (would_block())
            return;
        n = write(sink.fd, sink.buffer, chunk());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            drop_lines();
            return;
        }
        written((size_t)n);
    }
    if (sink.told < sink.dropped) {
        uint64_t since = sink.dropped - sink.told;

        /* It works again: the line about it leaves with the next flush. */
        sink.told = sink.dropped;
        log_warn("%llu lines of the log were lost: its reader was slow or its disk full",
                 (unsigned long long)since);
    }
}

void log_set_fd(int fd)
{
    int error = errno;

    if (sink.fd >= 0)
        log_flush();
    /* The rest of a line belongs where it began. */
    if (sink.begun > 0)
        sink.dropped++;
    drop_lines();
    sink.len = sink.begun = 0;
    sink.fd = fd;
    sink.kind = KIND_UNKNOWN;
    errno = error;
}

/* A writer on the free end of the buffer, for one line. */
static struct writer line_begin(void)
{
    size_t room = BUFFER_SIZE - sink.len;

    return writer_of(sink.buffer + sink.len, room < LOG_LINE_MAX ? room : LOG_LINE_MAX);
}

/* Ends the line; false when it did not fit. */
static bool line_end(struct writer *w)
{
    writer_u8(w, '\n');
    if (w->failed)
        return false;
    sink.len += writer_len(w);
    return true;
}

static bool put_raw(struct bytes line)
{
    struct writer w = line_begin();

    if (line.n >= LOG_LINE_MAX) {
        writer_put(&w, line.p, LOG_LINE_MAX - sizeof CUT);
        writer_str(&w, CUT);
    } else {
        writer_bytes(&w, line);
    }
    return line_end(&w);
}

void log_raw(struct bytes line)
{
    int error = errno;

    if (sink.fd < 0)
        return;
    if (!put_raw(line)) {
        log_flush();
        if (!put_raw(line))
            sink.dropped++;
    }
    errno = error;
}

static bool put_message(enum log_level level, struct bytes message)
{
    struct writer w = line_begin();

    if (sink.json)
        writer_str(&w, "{\"time\":\"");
    time_put_iso(&w, time_wall_ms());
    writer_str(&w, sink.json ? "\",\"level\":\"" : " ");
    writer_str(&w, level_names[level]);
    writer_str(&w, sink.json ? "\",\"msg\":\"" : " ");
    if (sink.json)
        log_escape_json(&w, message);
    else
        escape_controls(&w, message);
    if (sink.json)
        writer_str(&w, "\"}");
    return line_end(&w);
}

static void log_message(enum log_level level, unsigned held, const char *format, va_list args)
{
    char message[MESSAGE_MAX];
    int error = errno; /* a caller that logs and then looks at errno finds it */
    int n = vsnprintf(message, sizeof message, format, args);
    struct bytes text;

    if (n < 0)
        return;
    if ((size_t)n >= sizeof message) {
        n = (int)sizeof message - 1;
        memcpy(message + n - (sizeof CUT - 1), CUT, sizeof CUT - 1);
    }
    if (held > 0) {
        char more[32];
        int tail = snprintf(more, sizeof more, " (and %u more)", held);

        if (n + tail > (int)sizeof message)
            n = (int)sizeof message - tail;
        memcpy(message + n, more, (size_t)tail);
        n += tail;
    }
    text = bytes_of(message, (size_t)n);
    if (!put_message(level, text)) {
        log_flush();
        if (!put_message(level, text))
            sink.dropped++;
    }
    errno = error;
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;

    if (level > sink.level || sink.fd < 0)
        return;
    va_start(args, format);
    log_message(level, 0, format, args);
    va_end(args);
}

void log_gated(struct log_gate *gate, enum log_level level, const char *format, ...)
{
    uint64_t now = time_mono_ms();
    va_list args;

    if (level > sink.level || sink.fd < 0)
        return;
    if (gate->last_ms != 0 && now - gate->last_ms < 1000) {
        gate->held++;
        return;
    }
    va_start(args, format);
    log_message(level, gate->held, format, args);
    va_end(args);
    gate->held = 0;
    gate->last_ms = now > 0 ? now : 1; /* 0 says never */
}
