/* SPDX-License-Identifier: MIT
 *
 * What no single statement can know: what is missing, what was said twice in different places, what does not go
 * together. Then the drafts of the sites become the sites, with what they inherit, their paths sorted as route_path
 * wants them. Where a scope had an error already, nothing is said to be missing in it.
 */
#include "conf/grammar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static bool was_given(const struct scope *scope, const char *name)
{
    return scope->seen[directive_index(directive_find(name))].file != NULL;
}

static struct conf_place place_of(const struct scope *scope, const char *name)
{
    return scope->seen[directive_index(directive_find(name))];
}

/* Where memory that runs out is a crash, not a refusal (a unikernel), the cap must be ours. 0, none, where the
 * machine does not say how much it has. */
static uint64_t half_of_memory(void)
{
    struct sysinfo info;

    return sysinfo(&info) == 0 ? (uint64_t)info.totalram * (info.mem_unit != 0 ? info.mem_unit : 1) / 2 : 0;
}

void draft_defaults(struct draft *d)
{
    static const struct conf_place nowhere = {0};

    d->conf->max_memory = half_of_memory();
    /* Lists have theirs later, if nothing was listed. */
    for (unsigned i = 0; i < directive_count; i++)
        if (directives[i].value != NULL && !directives[i].many)
            statement_run_text(d, &directives[i], nowhere, directives[i].value);
}

/* --- the process --- */

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void default_state(struct draft *d)
{
    struct conf *conf = d->conf;
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (conf->state != NULL)
        return;
    if (is_folder("/state"))
        conf->state = "/state";
    else if (d->by_root)
        conf->state = "/var/lib/proxy";
    else if (xdg != NULL && xdg[0] == '/') /* a relative one is to be ignored, says the XDG specification */
        conf->state = arena_printf(conf->arena, "%s/proxy", xdg);
    else if (home != NULL && home[0] == '/')
        conf->state = arena_printf(conf->arena, "%s/.local/state/proxy", home);
}

static void default_admin(struct draft *d)
{
    struct conf *conf = d->conf;
    struct addr addr;
    const char *path;

    if (conf->admin != NULL)
        return;
    conf->admin = "off";
    if (conf->state == NULL || conf->state[0] != '/')
        return;
    path = arena_printf(conf->arena, "unix:%s/control.sock", conf->state);
    if (path != NULL && addr_from_unix(&addr, bytes_str(path + 5)))
        conf->admin = path;
}

/* --- listening --- */

static unsigned count_listens(const struct conf *conf, bool tls)
{
    unsigned n = 0;

    for (unsigned i = 0; i < conf->listen_count; i++)
        n += conf->listens[i].tls == tls;
    return n;
}

/* One of the addresses that a demo listens on: that of IPv6 may be missing, and those of the redirect may be the
 * service's own. */
static void listen_demo(struct draft *d, const char *directive, const char *addr, bool optional)
{
    static const struct conf_place nowhere = {0};

    if (statement_run_text(d, directive_find(directive), nowhere, addr))
        d->conf->listens[d->conf->listen_count - 1].optional = optional;
}

static void default_listens(struct draft *d, bool uses_tls)
{
    static const struct conf_place nowhere = {0};
    bool tls_given = was_given(&d->global, "listen"), http_given = was_given(&d->global, "listen-http");

    if (d->conf->demo) {
        if (!tls_given) {
            listen_demo(d, "listen", "127.0.0.1:8443", false);
            listen_demo(d, "listen", "[::1]:8443", true);
        }
        if (!tls_given && !http_given) {
            listen_demo(d, "listen-http", "127.0.0.1:8080", true);
            listen_demo(d, "listen-http", "[::1]:8080", true);
        }
        return;
    }
    if (!tls_given && uses_tls)
        statement_run_text(d, directive_find("listen"), nowhere, directive_find("listen")->value);
    if (!tls_given && !http_given)
        statement_run_text(d, directive_find("listen-http"), nowhere, directive_find("listen-http")->value);
}

static void check_listens(struct draft *d)
{
    struct conf *conf = d->conf;
    const struct conf_site *plain = NULL;
    bool uses_tls = false;

    for (unsigned i = 0; i < conf->site_count; i++) {
        if (conf->sites[i].tls == CONF_TLS_OFF)
            plain = &conf->sites[i];
        else
            uses_tls = true;
    }
    if (d->global.broken)
        return;
    default_listens(d, uses_tls);
    if (plain != NULL && count_listens(conf, false) == 0)
        conf_error(d->errors, plain->tls_place, "tls",
                   "a site with tls off, and no address for plain HTTP; add listen-http :80");
    if (!uses_tls && count_listens(conf, true) > 0)
        conf_error(d->errors, place_of(&d->global, "listen"), "listen",
                   "HTTPS, and all sites have tls off; write listen-http");
}

/* --- sites --- */

static void merge_headers(struct draft *d, const struct conf_headers *outer, struct conf_headers *own)
{
    struct conf_header *ops;

    if (outer->n == 0)
        return;
    ops = arena_alloc(d->conf->arena, (outer->n + own->n) * sizeof *ops);
    if (ops == NULL)
        return;
    memcpy(ops, outer->ops, outer->n * sizeof *ops);
    if (own->n > 0)
        memcpy(ops + outer->n, own->ops, own->n * sizeof *ops);
    own->ops = ops;
    own->n += outer->n;
}

/* Of two places for one thing, the one that comes first; the command line comes after any file. */
static int compare_places(const struct conf_place *x, const struct conf_place *y)
{
    bool x_is_option = x->file == NULL || x->file[0] == 0, y_is_option = y->file == NULL || y->file[0] == 0;

    if (x_is_option != y_is_option)
        return x_is_option ? 1 : -1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* The longest first, so that the first that fits decides; else as written. */
static int compare_paths(const void *a, const void *b)
{
    const struct conf_path *x = a, *y = b;
    size_t xn = strlen(x->prefix), yn = strlen(y->prefix);
    int order;

    if (xn != yn)
        return xn > yn ? -1 : 1;
    order = strcmp(x->prefix, y->prefix);
    return order != 0 ? order : compare_places(&x->place, &y->place);
}

static void check_path_twice(struct draft *d, const struct conf_site *site)
{
    for (unsigned i = 1; i < site->path_count; i++)
        if (strcmp(site->paths[i].prefix, site->paths[i - 1].prefix) == 0)
            conf_error(d->errors, site->paths[i].place, "path", "%s is given twice; the first is at %s",
                       site->paths[i].prefix, place_text(d, site->paths[i - 1].place));
}

/* One path of the site: what it does not say itself is the site's. */
static void finish_path(struct draft *d, const struct site_draft *draft, const struct path_draft *from,
                        struct conf_path *path)
{
    *path = from->path;
    if (from->scope.action == NULL) {
        if (draft->scope.action == NULL && !from->scope.broken && !draft->scope.broken)
            conf_error(d->errors, path->place, "path",
                       "nothing to do for %s; it needs upstream, redirect or respond, or its site does",
                       path->prefix);
        path->action = draft->root.action;
        path->upstream = draft->root.upstream;
        path->status = draft->root.status;
        path->text = draft->root.text;
    }
    merge_headers(d, &draft->root.response_headers, &path->response_headers);
    merge_headers(d, &draft->root.request_headers, &path->request_headers);
}

static void finish_paths(struct draft *d, struct site_draft *draft, struct conf_site *site)
{
    const struct path_draft *whole = NULL;
    unsigned n = 1;

    for (const struct path_draft *p = draft->paths; p != NULL; p = p->next) {
        n++;
        if (strcmp(p->path.prefix, "/") == 0)
            whole = p;
    }
    if (whole != NULL)
        n--; /* stands for the site's own */
    site->paths = arena_alloc(d->conf->arena, n * sizeof *site->paths);
    if (site->paths == NULL)
        return;
    for (const struct path_draft *p = draft->paths; p != NULL; p = p->next)
        finish_path(d, draft, p, &site->paths[site->path_count++]);
    if (whole == NULL)
        site->paths[site->path_count++] = draft->root;
    qsort(site->paths, site->path_count, sizeof *site->paths, compare_paths);
    check_path_twice(d, site);
    if (draft->scope.broken)
        return;
    if (whole == NULL && draft->scope.action == NULL)
        conf_error(d->errors, draft->site.place, "site",
                   "nothing to do; it needs upstream ADDR, redirect TARGET or respond STATUS");
    else if (whole != NULL && draft->scope.action != NULL && whole->scope.action != NULL)
        conf_error(d->errors, whole->path.place, "path",
                   "/ is all of the site, and it has %s at %s already; one of them is enough",
                   draft->scope.action, place_text(d, draft->scope.action_place));
}

/* The program's numbers where the site has none of its own. */
static void inherit(struct draft *d, const struct site_draft *draft, struct conf_site *site)
{
    site->timeouts = d->conf->timeouts;
    site->limits = d->conf->limits;
    for (unsigned i = 0; i < directive_count; i++) {
        size_t at = directives[i].site_at, n = directives[i].width;

        if (at > 0 && draft->scope.seen[i].file != NULL)
            memcpy((uint8_t *)site + at, (const uint8_t *)&draft->site + at, n);
    }
}

static void finish_sites(struct draft *d)
{
    struct conf *conf = d->conf;
    unsigned n = 0;

    for (struct site_draft *s = d->sites; s != NULL; s = s->next)
        n++;
    if (n == 0)
        return;
    conf->sites = arena_alloc(conf->arena, n * sizeof *conf->sites);
    if (conf->sites == NULL)
        return;
    for (struct site_draft *s = d->sites; s != NULL; s = s->next) {
        struct conf_site *site = &conf->sites[conf->site_count++];

        *site = s->site;
        inherit(d, s, site);
        finish_paths(d, s, site);
    }
}

/* --- names --- */

static int compare_names(const void *a, const void *b)
{
    const struct conf_name *x = *(const struct conf_name *const *)a, *y = *(const struct conf_name *const *)b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : compare_places(&x->place, &y->place);
}

static void check_names_twice(struct draft *d)
{
    const struct conf *conf = d->conf;
    const struct conf_name **names;
    size_t n = 0;

    for (unsigned i = 0; i < conf->site_count; i++)
        n += conf->sites[i].name_count;
    names = arena_alloc(d->scratch, n * sizeof *names);
    if (n == 0 || names == NULL)
        return;
    n = 0;
    for (unsigned i = 0; i < conf->site_count; i++)
        for (unsigned k = 0; k < conf->sites[i].name_count; k++)
            names[n++] = &conf->sites[i].names[k];
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 1; i < n; i++)
        if (strcmp(names[i]->text, names[i - 1]->text) == 0)
            conf_error(d->errors, names[i]->place, "site", "%s is given twice; the first is at %s",
                       names[i]->text, place_text(d, names[i - 1]->place));
}

/* One site at most answers for all other names; a sole one does without being asked. */
static void check_default(struct draft *d)
{
    const struct site_draft *first = NULL;
    struct conf *conf = d->conf;

    for (const struct site_draft *s = d->sites; s != NULL; s = s->next) {
        if (s->site.is_default && first != NULL)
            conf_error(d->errors, s->default_place, "site", "default is given twice; the first is at %s",
                       place_text(d, first->default_place));
        if (s->site.is_default)
            first = first == NULL ? s : first;
        if (s->site.name_count == 0 && !s->site.is_default && conf->site_count > 1 && !s->scope.broken)
            conf_error(d->errors, s->site.place, "site",
                       "no name, and it is not the only site; write its names, or default");
    }
    if (conf->site_count == 1)
        conf->sites[0].is_default = true;
}

void draft_finish(struct draft *d)
{
    struct conf *conf = d->conf;

    default_state(d);
    default_admin(d);
    conf->per_address_given = was_given(&d->global, "max-connections-per-address");
    finish_sites(d);
    check_names_twice(d);
    check_default(d);
    if (conf->site_count == 0 && !d->global.broken)
        conf_error(d->errors, (struct conf_place){.file = conf->file}, NULL,
                   "no site; add one: site example.com { upstream 127.0.0.1:8000 }");
    else
        check_listens(d);
    finish_acme(d);
}
