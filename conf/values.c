/* SPDX-License-Identifier: MIT
 *
 * Setters of plain values: numbers, sizes, durations, choices, and those of the process. Each takes a statement whose
 * number of arguments was checked and says of a wrong word what would be right.
 */
#include "conf/grammar.h"

#include "base/text.h"

#include <string.h>

/* Where the directive's number is: the program's, or the site's that the statement stands in. */
static uint8_t *target(const struct statement *s)
{
    if (s->scope->kind == SCOPE_GLOBAL)
        return (uint8_t *)s->draft->conf + s->directive->global_at;
    return (uint8_t *)&s->scope->site->site + s->directive->site_at;
}

static void store(const struct statement *s, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    if (s->directive->width == sizeof narrow)
        memcpy(target(s), &narrow, sizeof narrow);
    else
        memcpy(target(s), &value, sizeof value);
}

static bool is_off(const struct statement *s)
{
    return s->directive->off && strcmp(s->args[0].text, "off") == 0;
}

static const char *or_off(const struct statement *s)
{
    return s->directive->off ? ", or off" : "";
}

/* A text for a size or a duration is as exact as one wrote it: 32768 is 32k. */
static const char *size_text(struct draft *d, uint64_t value)
{
    static const char units[] = "kMGT";
    unsigned unit = 0;
    const char *text;

    while (unit < 4 && value >= 1024 && value % 1024 == 0) {
        value /= 1024;
        unit++;
    }
    text = unit == 0 ? arena_printf(d->scratch, "%llu", (unsigned long long)value)
                     : arena_printf(d->scratch, "%llu%c", (unsigned long long)value, units[unit - 1]);
    return text != NULL ? text : "";
}

static const char *duration_text(struct draft *d, uint64_t ms)
{
    const char *text;

    if (ms % 1000 != 0)
        text = arena_printf(d->scratch, "%llums", (unsigned long long)ms);
    else if (ms > 0 && ms % (60 * 60 * 1000) == 0)
        text = arena_printf(d->scratch, "%lluh", (unsigned long long)ms / (60 * 60 * 1000));
    else
        text = arena_printf(d->scratch, "%llus", (unsigned long long)ms / 1000);
    return text != NULL ? text : "";
}

static bool in_range(const struct statement *s, uint64_t value)
{
    return value >= s->directive->least && value <= s->directive->most;
}

bool set_number(struct statement *s)
{
    const struct directive *d = s->directive;
    uint64_t value = 0;

    if (!is_off(s)) {
        if (!text_u64(bytes_str(s->args[0].text), UINT64_MAX, &value))
            return statement_fail(s, &s->args[0], "'%s' is not a number%s", s->args[0].text,
                                  d->off ? " and not off" : "");
        if (!in_range(s, value))
            return statement_fail(s, &s->args[0], "%s is not between %llu and %llu%s", s->args[0].text,
                                  (unsigned long long)d->least, (unsigned long long)d->most, or_off(s));
    }
    store(s, value);
    return true;
}

static bool size_of(struct statement *s, const struct word *word, uint64_t *value)
{
    const struct directive *d = s->directive;

    if (!text_size(bytes_str(word->text), UINT64_MAX, value))
        return statement_fail(s, word, "'%s' is not a size; write 16384, 16k, 10M or 1G%s", word->text,
                              or_off(s));
    if (!in_range(s, *value)) {
        if (d->most == UINT64_MAX)
            return statement_fail(s, word, "%s is below %s%s", word->text, size_text(s->draft, d->least),
                                  or_off(s));
        return statement_fail(s, word, "%s is not between %s and %s%s", word->text,
                              size_text(s->draft, d->least), size_text(s->draft, d->most), or_off(s));
    }
    return true;
}

static bool duration_of(struct statement *s, const struct word *word, uint64_t least, uint64_t most,
                        uint64_t *value)
{
    if (!text_duration_ms(bytes_str(word->text), UINT64_MAX, value))
        return statement_fail(s, word, "'%s' is not a duration; write 10s, 500ms, 5m or 12h", word->text);
    if (*value < least || *value > most)
        return statement_fail(s, word, "%s is not between %s and %s", word->text,
                              duration_text(s->draft, least), duration_text(s->draft, most));
    return true;
}

bool set_size(struct statement *s)
{
    uint64_t value = 0;

    if (!is_off(s) && !size_of(s, &s->args[0], &value))
        return false;
    store(s, value);
    return true;
}

bool set_duration(struct statement *s)
{
    uint64_t value = 0;

    if (!duration_of(s, &s->args[0], s->directive->least, s->directive->most, &value))
        return false;
    store(s, value);
    return true;
}

bool set_min_rate(struct statement *s)
{
    struct conf_limits *limits =
        s->scope->kind == SCOPE_GLOBAL ? &s->draft->conf->limits : &s->scope->site->site.limits;
    uint64_t rate = 0, grace = 10 * 1000;
    bool good = is_off(s) || size_of(s, &s->args[0], &rate);

    if (s->n > 1)
        good &= duration_of(s, &s->args[1], 0, 60 * 60 * 1000, &grace);
    limits->min_rate = (uint32_t)rate;
    limits->min_rate_grace = grace;
    return good;
}

/* The number of the word among `names`, which ends with NULL. */
static bool choose(const struct statement *s, const struct word *word, const char *const *names,
                   unsigned *out)
{
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (strcmp(word->text, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return statement_fail(s, word, "'%s' is none of %s", word->text, s->directive->args);
}

bool set_log(struct statement *s)
{
    static const char *const formats[] = {[CONF_LOG_TEXT] = "text",
                                          [CONF_LOG_JSON] = "json",
                                          [CONF_LOG_COMBINED] = "combined",
                                          [CONF_LOG_OFF] = "off",
                                          NULL};
    const struct word *word = &s->args[s->n - 1];
    unsigned format = 0;

    if (s->n == 2 && strcmp(s->args[0].text, "format") != 0)
        return statement_fail(s, &s->args[0], "'%s' is not format; %s %s", s->args[0].text,
                              s->directive->name, s->directive->args);
    if (!choose(s, word, formats, &format))
        return false;
    s->draft->conf->log_format = (enum conf_log_format)format;
    return true;
}

bool set_log_level(struct statement *s)
{
    static const char *const levels[] = {
        [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug", NULL};
    unsigned level = 0;

    if (!choose(s, &s->args[0], levels, &level))
        return false;
    s->draft->conf->log_level = (enum log_level)level;
    return true;
}

bool set_tls_min(struct statement *s)
{
    static const char *const versions[] = {"1.2", "1.3", NULL};
    unsigned version = 0;

    if (!choose(s, &s->args[0], versions, &version))
        return false;
    s->draft->conf->tls_min_13 = version == 1;
    return true;
}

bool set_ticket_keys(struct statement *s)
{
    struct conf *conf = s->draft->conf;

    conf->ticket_keys = statement_path(s, &s->args[0], "file");
    conf->ticket_keys_place = s->place;
    return conf->ticket_keys != NULL;
}

static const char *const off_on[] = {"off", "on", NULL};

bool set_confine(struct statement *s)
{
    unsigned on = 0;

    if (!choose(s, &s->args[0], off_on, &on))
        return false;
    s->draft->conf->confine = on == 1;
    return true;
}

bool set_user(struct statement *s)
{
    const char *name = s->args[0].text;

    if (name[0] == 0 || name[0] == '-' || strlen(name) > 32 || strpbrk(name, ":/ \t\n") != NULL)
        return statement_fail(s, &s->args[0], "'%s' is not the name of a user", name);
    s->draft->conf->user = statement_keep(s, name);
    return s->draft->conf->user != NULL;
}

/* Twice at most: which folder, and that it is ephemeral. */
bool set_state(struct statement *s)
{
    struct conf *conf = s->draft->conf;

    if (strcmp(s->args[0].text, "ephemeral") == 0) {
        conf->state_is_ephemeral = true;
        return true;
    }
    if (conf->state != NULL)
        return statement_fail(s, &s->args[0], "the folder is %s already", conf->state);
    conf->state = statement_path(s, &s->args[0], "folder");
    return conf->state != NULL;
}

void clear_state(struct draft *d)
{
    d->conf->state = NULL;
    d->conf->state_is_ephemeral = false;
}

bool statement_networks(struct statement *s, unsigned first, struct networks *networks)
{
    bool good = true;

    for (unsigned i = first; i < s->n; i++) {
        struct cidr *more, one;

        if (!cidr_parse(&one, bytes_str(s->args[i].text))) {
            good = statement_fail(s, &s->args[i],
                                  "'%s' is not a network; write 10.0.0.0/8, 2001:db8::/32 or one address",
                                  s->args[i].text);
            continue;
        }
        more = arena_more(s->draft->conf->arena, networks->of, networks->count, sizeof *more);
        if (more == NULL)
            return false;
        networks->of = more;
        networks->of[networks->count++] = one;
    }
    return good;
}

bool set_trusted_proxies(struct statement *s)
{
    return statement_networks(s, 0, &s->draft->conf->trusted);
}

void clear_trusted_proxies(struct draft *d)
{
    d->conf->trusted = (struct networks){0};
}
