/* SPDX-License-Identifier: MIT
 *
 * Makes a struct conf: defaults, then the file, then the command line, then the checks. All that it points to is in
 * its arena; the draft and what belongs to it is gone when this returns. One error anywhere and there is no conf.
 */
#include "conf/grammar.h"

#include "base/file.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)

static struct conf *conf_new(void)
{
    struct conf *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        return NULL;
    c->refs = 1;
    c->arena = arena_new();
    if (c->arena == NULL) {
        mem_free(c);
        return NULL;
    }
    return c;
}

struct conf *conf_ref(struct conf *c)
{
    assert(c->refs > 0);
    c->refs++;
    return c;
}

void conf_unref(struct conf *c)
{
    if (c == NULL)
        return;
    assert(c->refs > 0);
    if (--c->refs > 0)
        return;
    arena_free(c->arena);
    mem_free(c);
}

/* "/etc/" of "/etc/proxy.conf"; "" when it stands in the working folder. */
static const char *folder_of(struct arena *arena, const char *file)
{
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;

    return arena_text(arena, slash != NULL ? bytes_of(file, (size_t)(slash + 1 - file)) : bytes_of("", 0));
}

/* file NULL: none is read. */
static void fill(struct draft *d, const char *file, struct bytes text, const struct conf_options *o)
{
    if (!scope_init(d, &d->global, SCOPE_GLOBAL, NULL) || !scope_init(d, &d->acme, SCOPE_ACME, &d->global))
        return;
    d->folder = folder_of(d->scratch, file);
    if (file != NULL)
        d->conf->file = arena_text(d->conf->arena, bytes_str(file));
    if (d->folder == NULL || (file != NULL && d->conf->file == NULL))
        return;
    draft_defaults(d);
    if (file != NULL)
        parse_text(d, d->conf->file, text);
    if (o != NULL)
        options_apply(o, d);
    draft_finish(d);
}

static struct conf *make(const char *file, struct bytes text, const struct conf_options *o,
                         struct conf_errors *e)
{
    struct draft d = {.conf = conf_new(), .scratch = arena_new(), .errors = e, .by_root = geteuid() == 0};
    unsigned before = conf_errors_count(e);
    bool good = d.conf != NULL && d.scratch != NULL;

    d.sites_end = &d.sites;
    if (good)
        fill(&d, file, text, o);
    if (!good || arena_failed(d.scratch) || arena_failed(d.conf->arena))
        conf_error(e, (struct conf_place){0}, NULL, "out of memory");
    arena_free(d.scratch);
    if (conf_errors_count(e) > before) {
        conf_unref(d.conf);
        return NULL;
    }
    return d.conf;
}

struct conf *conf_parse(const char *name, struct bytes text, const struct conf_options *o,
                        struct conf_errors *e)
{
    return make(name, text.p != NULL ? text : bytes_of("", 0), o, e);
}

struct conf *conf_load(const struct conf_options *o, struct conf_errors *e)
{
    const char *path = options_file(o);
    struct file file = {0};
    struct conf *conf;
    int error;

    if (path == NULL)
        return make(NULL, bytes_of("", 0), o, e);
    error = file_read(path, FILE_MAX, &file);
    if (error != 0) {
        conf_error(e, (struct conf_place){.file = path}, NULL, "%s",
                   error == EFBIG ? "larger than 1 MiB; this is no configuration" : strerror(error));
        return NULL;
    }
    conf = make(path, bytes_of(file.content.p, file.content.n), o, e);
    file_release(&file);
    return conf;
}
