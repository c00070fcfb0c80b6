/* SPDX-License-Identifier: MIT
 *
 * The log: whole lines to standard output, kept in one buffer and written once for each turn of the loop
 * (log_flush) or when it is full. A write that would block or fails drops lines, counts them, and never
 * stops the program. Untrusted bytes go through log_escape so that no line can be forged (RFC 5424 §8.2
 * says why). Secrets are never passed here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"

/* A line, its end included; what is longer is cut. */
#define LOG_LINE_MAX 8192u

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_level(void);
void log_set_fd(int fd); /* default 1; -1 is nowhere */
/* `json`: log() lines become {"time":...,"level":...,"msg":...}. */
void log_set_json(bool json);

/* One line: time, level, message. The message may hold untrusted bytes: control bytes are escaped. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
/* A line made by the caller (the access log), without its end of line, already escaped. At LOG_LINE_MAX it is cut, and
 * "..." put in: who cares where bounds his fields before (JSON that is cut is no JSON). */
void log_raw(struct bytes line);
/* At most one line a second for each `gate`; what was held back is counted in the next ("(and 17 more)"). */
struct log_gate {
    uint64_t last_ms;
    unsigned held;
};
void log_gated(struct log_gate *gate, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes what is held, as far as it goes without waiting. Before exit, too: nothing else writes it. errno is kept by
 * all of log_*() but this. */
void log_flush(void);
uint64_t log_dropped(void);

/* Untrusted bytes for a quoted place in a text line: `"`, `\`, controls, DEL and bytes >= 0x80 as \xHH. */
void log_escape(struct writer *w, struct bytes in);
/* The same for a JSON string; bytes that are not valid UTF-8 as \u00HH. */
void log_escape_json(struct writer *w, struct bytes in);

#endif
