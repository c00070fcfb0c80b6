/* SPDX-License-Identifier: MIT
 *
 * The errors of a configuration, in the order of the places that they are about. Their number is bounded, and so is
 * each one's length; running out of memory is an error too, and is told without any.
 */
#include "conf/grammar.h"

#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

#define ERRORS_MAX 100u
#define ERROR_MAX  1024u

struct entry {
    struct conf_place place; /* its file is compared by its address alone, and only to sort */
    char *text;
};

struct conf_errors {
    struct entry *entries;
    unsigned n, cap;
    bool more;          /* there were more than are kept */
    bool out_of_memory; /* some could not be kept */
};

struct conf_errors *conf_errors_new(void)
{
    return mem_zalloc(sizeof(struct conf_errors));
}

void conf_errors_free(struct conf_errors *e)
{
    if (e == NULL)
        return;
    for (unsigned i = 0; i < e->n; i++)
        mem_free(e->entries[i].text);
    mem_free(e->entries);
    mem_free(e);
}

unsigned conf_errors_count(const struct conf_errors *e)
{
    return e->n + (e->more ? 1 : 0) + (e->out_of_memory ? 1 : 0);
}

const char *conf_errors_text(const struct conf_errors *e, unsigned i)
{
    if (i < e->n)
        return e->entries[i].text;
    return i == e->n && e->more ? "there are more errors; these are the first" : "out of memory";
}

static bool make_room(struct conf_errors *e)
{
    unsigned cap = e->cap == 0 ? 8 : e->cap * 2;
    struct entry *entries;

    if (e->n < e->cap)
        return true;
    entries = mem_realloc(e->entries, cap * sizeof *entries);
    if (entries == NULL)
        return false;
    e->entries = entries;
    e->cap = cap;
    return true;
}

/* Does a stand before b in one file? Errors about different files keep the order in which they were found. */
static bool stands_before(const struct conf_place *a, const struct conf_place *b)
{
    if (a->file == NULL || a->file != b->file)
        return false;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Values of the environment and the command line may hold anything; an error is one line. */
static void make_printable(char *text)
{
    for (; *text != 0; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void put_place(struct writer *w, struct conf_place place, const char *directive)
{
    bool is_option = false;

    if (place.file != NULL && place.file[0] == 0) {
        /* The command line: an option, or the argument of that number. */
        is_option = place.line == 0;
        if (!is_option)
            writer_printf(w, "argument %u: ", place.line);
    } else if (place.file != NULL && place.line > 0) {
        writer_printf(w, "%s:%u:%u: ", place.file, place.line, place.column);
    } else if (place.file != NULL) {
        writer_printf(w, "%s: ", place.file);
    }
    if (directive != NULL)
        writer_printf(w, "%s%s: ", is_option && option_exists(directive) ? "--" : "", directive);
}

void conf_error(struct conf_errors *e, struct conf_place place, const char *directive, const char *format,
                ...)
{
    char text[ERROR_MAX], message[ERROR_MAX];
    struct writer w = writer_of(text, sizeof text - 1);
    struct entry entry = {.place = place};
    unsigned at;
    va_list args;

    if (e->n == ERRORS_MAX) {
        e->more = true;
        return;
    }
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    put_place(&w, place, directive);
    /* What is too long is cut, place and beginning stay. */
    writer_put(&w, message, strnlen(message, writer_room(&w)));
    text[writer_len(&w)] = 0;
    make_printable(text);
    entry.text = mem_strdup(text);
    if (entry.text == NULL || !make_room(e)) {
        mem_free(entry.text);
        e->out_of_memory = true;
        return;
    }
    for (at = e->n; at > 0 && stands_before(&place, &e->entries[at - 1].place); at--)
        e->entries[at] = e->entries[at - 1];
    e->entries[at] = entry;
    e->n++;
}
