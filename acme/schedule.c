/* SPDX-License-Identifier: MIT
 *
 * Arithmetic of times, and its file: lines of a word and a number, which a person can read, and remove.
 */
#include "acme/schedule.h"

#include "base/file.h"
#include "base/text.h"
#include "certs/stored.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX 1024u
#define DAY      86400
#define FAR \
    (8 * DAY) /* seconds; an authority's Retry-After is believed for seven days, a pause of ours is shorter */

static const struct {
    const char *name;
    size_t at;
} numbers[] = {
    {"next-try",         offsetof(struct schedule, next_try)  },
    {"renew-at",         offsetof(struct schedule, renew_at)  },
    {"ask-at",           offsetof(struct schedule, ask_at)    },
    {"not-after",        offsetof(struct schedule, not_after) },
    {"limited",          offsetof(struct schedule, limited[0])},
    {"fallback-limited", offsetof(struct schedule, limited[1])},
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static int64_t *number(const struct schedule *s, size_t i)
{
    return (int64_t *)((uintptr_t)s + numbers[i].at);
}

static void take_line(struct schedule *s, const char *line)
{
    struct bytes rest = bytes_str(line), name = text_word(&rest);
    uint64_t value;

    if (!text_u64(text_word(&rest), INT64_MAX, &value))
        return;
    if (bytes_is(name, "failures"))
        s->failures = value < 1000 ? (unsigned)value : 1000;
    for (size_t i = 0; i < NUMBERS; i++)
        if (bytes_is(name, numbers[i].name))
            *number(s, i) = (int64_t)value;
}

void schedule_load(struct schedule *s, const char *state, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX], *line, *rest;
    struct file f = {0};

    *s = (struct schedule){.failures = 0};
    if (!stored_folder(folder, sizeof folder, state, name, false) ||
        snprintf(path, sizeof path, "%s/schedule", folder) >= (int)sizeof path)
        return;
    if (file_read(path, FILE_MAX, &f) != 0)
        return;
    for (rest = (char *)f.content.p; (line = strsep(&rest, "\n")) != NULL;)
        take_line(s, line);
    file_release(&f);
}

int schedule_save(const struct schedule *s, const char *state, const char *name)
{
    char folder[PATH_MAX], text[FILE_MAX];
    struct writer w = writer_of(text, sizeof text);

    if (!stored_folder(folder, sizeof folder, state, name, false))
        return EINVAL;
    writer_printf(&w, "failures %u\n", s->failures);
    for (size_t i = 0; i < NUMBERS; i++)
        if (*number(s, i) != 0)
            writer_printf(&w, "%s %" PRId64 "\n", numbers[i].name, *number(s, i));
    return state_write(folder, "schedule", 0644, bytes_of(text, writer_len(&w)));
}

void schedule_failed(struct schedule *s, int64_t now, int64_t retry_after, uint32_t random)
{
    static const int64_t pauses[] = {60, 600, 6000, DAY};
    const size_t last = sizeof pauses / sizeof pauses[0] - 1;
    int64_t pause = pauses[s->failures < last ? s->failures : last];

    s->failures += s->failures < 1000;
    s->next_try = now + pause + (int64_t)random % (pause / 4 + 1);
    if (s->next_try < retry_after)
        s->next_try = retry_after;
}

void schedule_succeeded(struct schedule *s)
{
    *s = (struct schedule){
        .limited = {s->limited[0], s->limited[1]}
    };
}

int64_t schedule_limit(struct schedule *s, bool other, int64_t until)
{
    if (until > 0)
        s->limited[other] = until;
    return s->limited[s->limited[1] < s->limited[0]];
}

static bool is_limited(const struct schedule *s, bool other, int64_t now)
{
    return s->limited[other] > now && s->limited[other] - now <= FAR;
}

bool schedule_is_others_turn(const struct schedule *s, int64_t now)
{
    bool first = is_limited(s, false, now);

    return first != is_limited(s, true, now) ? first : s->failures % 2 == 1;
}

int64_t schedule_next(const struct schedule *s, int64_t now)
{
    return s->next_try - now > FAR ? 0 : s->next_try;
}

int64_t schedule_renewal(int64_t not_before, int64_t not_after, uint32_t random)
{
    int64_t lifetime = not_after > not_before ? not_after - not_before : 0;
    int64_t left = lifetime < 10 * (int64_t)DAY ? lifetime / 2 : lifetime / 3;

    return not_after - left - (int64_t)random % (lifetime / 60 + 1);
}
