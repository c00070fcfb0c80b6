/* SPDX-License-Identifier: MIT
 *
 * One directive with its arguments, wherever it comes from: a file, the command line, a default. What holds for all
 * of them is checked here once (may it stand here, how often, with how many arguments), so that a setter sees only
 * statements of the right shape.
 */
#include "conf/grammar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool scope_init(struct draft *d, struct scope *scope, enum scope_kind kind, struct scope *outer)
{
    scope->kind = kind;
    scope->outer = outer;
    scope->seen = arena_alloc(d->scratch, directive_count * sizeof *scope->seen);
    return scope->seen != NULL;
}

__attribute__((format(printf, 3, 0))) static void report(const struct statement *s, struct conf_place place,
                                                         const char *format, va_list args)
{
    char text[1024];

    vsnprintf(text, sizeof text, format, args);
    conf_error(s->draft->errors, place, s->directive->name, "%s", text);
    s->scope->broken = true;
}

bool statement_fail(const struct statement *s, const struct word *word, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(s, word->place, format, args);
    va_end(args);
    return false;
}

bool statement_fail_at(const struct statement *s, struct conf_place place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(s, place, format, args);
    va_end(args);
    return false;
}

const char *statement_keep(const struct statement *s, const char *text)
{
    return arena_text(s->draft->conf->arena, bytes_str(text));
}

const char *place_text(struct draft *d, struct conf_place place)
{
    const char *text = NULL;

    if (place.file == NULL)
        return "the default";
    if (place.file[0] == 0 && place.line == 0)
        return "the command line";
    if (place.file[0] == 0)
        text = arena_printf(d->scratch, "argument %u", place.line);
    else
        text = arena_printf(d->scratch, "%s:%u:%u", place.file, place.line, place.column);
    return text != NULL ? text : "";
}

static const char *where_text(unsigned where)
{
    switch (where) {
    case SCOPE_GLOBAL: return "at the top of the file";
    case SCOPE_SITE: return "in a site";
    case SCOPE_PATH: return "in a path";
    case SCOPE_ACME: return "in acme";
    case SCOPE_GLOBAL | SCOPE_SITE: return "at the top of the file or in a site";
    default: return "in a site or a path";
    }
}

static bool may_stand_here(const struct statement *s)
{
    const struct directive *d = s->directive;
    const struct conf_place *seen = &s->scope->seen[directive_index(d)];

    if ((d->where & s->scope->kind) == 0)
        return statement_fail_at(s, s->place, "cannot stand %s; it belongs %s", where_text(s->scope->kind),
                                 where_text(d->where));
    if (seen->file != NULL && !d->many)
        return statement_fail_at(s, s->place, "is given twice; the first is at %s",
                                 place_text(s->draft, *seen));
    return true;
}

static bool has_right_number(const struct statement *s)
{
    const struct directive *d = s->directive;

    if (s->n < d->min)
        return statement_fail_at(s, s->place, "a value is missing; %s %s", d->name, d->args);
    if (d->max > 0 && s->n > d->max)
        return statement_fail(s, &s->args[d->max], "'%s' is too much; %s %s", s->args[d->max].text, d->name,
                              d->args);
    return true;
}

bool statement_run(struct statement *s)
{
    struct conf_place *seen = &s->scope->seen[directive_index(s->directive)];
    bool good = may_stand_here(s);

    if (good && seen->file == NULL)
        *seen = s->place;
    /* A block is opened even behind a wrong head, to find what is wrong inside. */
    if (!good || (!has_right_number(s) && !s->directive->block))
        return false;
    return s->directive->set(s);
}

struct scope *scope_of(struct draft *d, const struct directive *directive)
{
    return (directive->where & SCOPE_GLOBAL) != 0 ? &d->global : &d->acme;
}

bool statement_run_text(struct draft *d, const struct directive *directive, struct conf_place place,
                        const char *text)
{
    struct statement s = {
        .draft = d, .scope = scope_of(d, directive), .directive = directive, .place = place};
    struct word *words = NULL, *more;
    char *copy = arena_text(d->scratch, bytes_str(text)), *rest = copy;

    if (copy == NULL)
        return false;
    while (directive->max == 1 ? s.n == 0 : (rest += strspn(rest, " \t"), *rest != 0)) {
        size_t n = directive->max == 1 ? strlen(rest) : strcspn(rest, " \t");
        char *end = rest + n;

        more = arena_more(d->scratch, words, s.n, sizeof *words);
        if (more == NULL)
            return false;
        words = more;
        words[s.n++] = (struct word){.place = place, .text = rest};
        rest = *end != 0 ? end + 1 : end;
        *end = 0;
    }
    s.args = words;
    return statement_run(&s);
}

const char *statement_path(const struct statement *s, const struct word *word, const char *what)
{
    if (word->text[0] == 0) {
        statement_fail(s, word, "an empty name; write the path of a %s", what);
        return NULL;
    }
    if (word->text[0] == '/' || s->place.file == NULL || s->place.file[0] == 0)
        return statement_keep(s, word->text);
    return arena_printf(s->draft->conf->arena, "%s%s", s->draft->folder, word->text);
}
