/* SPDX-License-Identifier: MIT
 *
 * The command line, in the conventions of GNU tools. Parsing it only takes it apart; it is applied to each
 * configuration that is loaded, so that a reload has it over the new file again. Every directive that may stand at
 * the top of a file is an option of its name, with the directive's own setter.
 */
#include "conf/grammar.h"

#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* clang-format off */
const struct option options[] = {
    {"config", 'c', OPTION_CONFIG, "FILE", "Reads this configuration; without, and with no service named, "
     "/etc/proxy.conf, ./proxy.conf or /proxy.conf."},
    {"backend", 0, OPTION_BACKEND, "ADDR", "Serves what no site answers for from this service; may be repeated. Also --upstream."},
    {"upstream", 0, OPTION_BACKEND, "ADDR", NULL},
    {"cert", 0, OPTION_CERT, "FILE", "The certificate of that site, a PEM chain; without, a self-signed one."},
    {"key", 0, OPTION_KEY, "FILE", "Its private key, in PEM."},
    {"demo", 0, OPTION_DEMO, NULL, "Runs the demo with its built-in page, whatever files there are."},
    {"small", 0, OPTION_SMALL, NULL,
     "For a router of 32 MB: 200 connections, 40 of them of TLS 1.2, 6 MB, where nothing else is said."},
    {"validate", 0, OPTION_VALIDATE, NULL, "Checks the configuration and says what would be served."},
    {"health", 0, OPTION_HEALTH, NULL, "Asks the running proxy whether it is well; exits with 0 if so."},
    {"check", 0, OPTION_CHECK, "NAME", "Looks at what would keep a certificate for this name from coming, without asking for one."},
    {"bench-crypto", 0, OPTION_BENCH_CRYPTO, NULL, "Shows how fast this machine encrypts and signs, beside BearSSL's own code."},
    {"help", 'h', OPTION_HELP, NULL, "Shows this."},
    {"help-config", 0, OPTION_HELP_CONFIG, NULL, "Shows all directives of the configuration."},
    {"version", 'V', OPTION_VERSION, NULL, "Shows the version, and those of the libraries inside."},
};
/* clang-format on */

const unsigned option_count = sizeof options / sizeof options[0];

/* --listen ADDR */
struct setting {
    const struct directive *directive;
    const char *text;
};

/* UPSTREAM or NAME=UPSTREAM */
struct argument {
    const char *name; /* NULL: none */
    const char *upstream;
    struct conf_place place;
};

struct conf_options {
    struct arena *arena;
    struct conf_errors *errors; /* while parsing */
    enum conf_command command;
    bool demo, small, done, by_root;
    const char **words; /* behind acme or keygen, or the name of --check */
    unsigned word_count;
    const char *config, *cert, *key;
    const char **backends;
    unsigned backend_count;
    struct setting *settings;
    unsigned setting_count;
    struct argument *arguments;
    unsigned argument_count;
};

static const struct conf_place on_command_line = {.file = ""};

static bool is_setting(const struct directive *d)
{
    return (d->where & (SCOPE_GLOBAL | SCOPE_ACME)) != 0 && !d->block;
}

bool option_exists(const char *name)
{
    const struct directive *d = directive_find(name);

    for (unsigned i = 0; i < option_count; i++)
        if (strcmp(options[i].name, name) == 0)
            return true;
    return d != NULL && is_setting(d);
}

/* --- taking it apart --- */

static bool add_setting(struct conf_options *o, const struct directive *d, const char *text)
{
    struct setting *more = arena_more(o->arena, o->settings, o->setting_count, sizeof *more);

    if (more == NULL)
        return false;
    o->settings = more;
    o->settings[o->setting_count++] = (struct setting){d, text};
    return true;
}

static bool add_backend(struct conf_options *o, const char *text)
{
    const char **more = arena_more(o->arena, o->backends, o->backend_count, sizeof *more);

    if (more == NULL)
        return false;
    o->backends = more;
    o->backends[o->backend_count++] = text;
    return true;
}

static void add_argument(struct conf_options *o, const char *text, struct conf_place place)
{
    struct argument *more = arena_more(o->arena, o->arguments, o->argument_count, sizeof *more);
    const char *equals = strncmp(text, "unix:", 5) == 0 ? NULL : strchr(text, '=');
    struct argument *a;

    if (more == NULL)
        return;
    o->arguments = more;
    a = &o->arguments[o->argument_count++];
    *a = (struct argument){.upstream = arena_text(o->arena, bytes_str(text)), .place = place};
    if (equals != NULL) {
        a->name = arena_text(o->arena, bytes_of(text, (size_t)(equals - text)));
        a->upstream = arena_text(o->arena, bytes_str(equals + 1));
    }
}

static void add_word(struct conf_options *o, const char *text)
{
    const char **words = arena_more(o->arena, o->words, o->word_count, sizeof *words);

    if (words == NULL)
        return;
    words[o->word_count++] = arena_text(o->arena, bytes_str(text));
    o->words = words;
}

/* What is said in words, in place of services. */
static const struct {
    const char *name;
    enum conf_command command;
} verbs[] = {
    {"acme",   CONF_ACME  },
    {"keygen", CONF_KEYGEN}
};

/* True if it is one. */
static bool take_verb(struct conf_options *o, const char *text)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(text, verbs[i].name) == 0) {
            o->command = verbs[i].command;
            return true;
        }
    return false;
}

static void set_option(struct conf_options *o, const struct option *option, const char *value)
{
    switch (option->kind) {
    case OPTION_CONFIG: o->config = value; break;
    case OPTION_BACKEND: add_backend(o, value); break;
    case OPTION_CERT: o->cert = value; break;
    case OPTION_KEY: o->key = value; break;
    case OPTION_DEMO: o->demo = true; break;
    case OPTION_SMALL: o->small = true; break;
    case OPTION_VALIDATE: o->command = CONF_VALIDATE; break;
    case OPTION_HEALTH: o->command = CONF_HEALTH; break;
    case OPTION_CHECK:
        o->command = CONF_CHECK;
        o->word_count = 0;
        add_word(o, value);
        break;
    case OPTION_BENCH_CRYPTO: o->command = CONF_BENCH_CRYPTO; break;
    case OPTION_HELP: o->command = CONF_HELP; break;
    case OPTION_HELP_CONFIG: o->command = CONF_HELP_CONFIG; break;
    case OPTION_VERSION: o->command = CONF_VERSION; break;
    }
    /* These answer at once, whatever comes behind them. */
    o->done = o->command == CONF_BENCH_CRYPTO || o->command == CONF_HELP || o->command == CONF_HELP_CONFIG ||
              o->command == CONF_VERSION;
}

static void unknown_option(struct conf_options *o, const char *name)
{
    const char *nearest = NULL, *shown = arena_printf(o->arena, "--%s", name);
    unsigned least = UINT_MAX, distance;

    for (unsigned i = 0; i < option_count + directive_count; i++) {
        const char *known = i < option_count ? options[i].name : directives[i - option_count].name;

        if (i >= option_count && !is_setting(&directives[i - option_count]))
            continue;
        distance = word_distance(name, known);
        if (distance < least) {
            least = distance;
            nearest = known;
        }
    }
    if (nearest != NULL)
        conf_error(o->errors, on_command_line, shown, "unknown option; did you mean '--%s'?", nearest);
    else
        conf_error(o->errors, on_command_line, shown, "unknown option");
}

/* `--name`, `--name=value`, `--name value`: *next is the argument behind it, NULL if there is none, and NULL when it
 * was used. */
static void parse_long(struct conf_options *o, const char *text, const char **next)
{
    const char *equals = strchr(text, '='), *arg = NULL, *value;
    const char *name = arena_text(o->arena, bytes_of(text, equals ? (size_t)(equals - text) : strlen(text)));
    const struct option *option = NULL;
    const struct directive *d;

    if (name == NULL)
        return;
    d = directive_find(name);
    for (unsigned i = 0; i < option_count; i++)
        if (strcmp(options[i].name, name) == 0)
            option = &options[i];
    if (option == NULL && (d == NULL || !is_setting(d))) {
        unknown_option(o, name);
        return;
    }
    arg = option != NULL ? option->arg : d->args;
    value = equals != NULL ? equals + 1 : NULL;
    if (arg == NULL && value != NULL) {
        conf_error(o->errors, on_command_line, name, "takes no value");
        return;
    }
    if (arg != NULL && value == NULL) {
        value = *next;
        *next = NULL;
        if (value == NULL) {
            conf_error(o->errors, on_command_line, name, "a value is missing; --%s %s", name, arg);
            return;
        }
    }
    if (value != NULL)
        value = arena_text(o->arena, bytes_str(value));
    if (option != NULL)
        set_option(o, option, value);
    else
        add_setting(o, d, value);
}

/* `-h`, `-cFILE`, `-c FILE`, and letters without a value in one bundle. */
static void parse_letters(struct conf_options *o, const char *text, const char **next)
{
    for (; *text != 0 && !o->done; text++) {
        const struct option *option = NULL;
        const char *value = NULL;
        char shown[] = {'-', *text, 0};

        for (unsigned i = 0; i < option_count; i++)
            if (options[i].letter == *text)
                option = &options[i];
        if (option == NULL) {
            conf_error(o->errors, on_command_line, shown, "unknown option");
            return;
        }
        if (option->arg != NULL) {
            value = text[1] != 0 ? text + 1 : *next;
            if (text[1] == 0)
                *next = NULL;
            if (value == NULL) {
                conf_error(o->errors, on_command_line, shown, "a value is missing; %s %s", shown,
                           option->arg);
                return;
            }
            value = arena_text(o->arena, bytes_str(value));
        }
        set_option(o, option, value);
        if (value != NULL)
            return;
    }
}

static void parse_all(struct conf_options *o, int argc, char *const *argv)
{
    bool only_arguments = false;

    for (int i = 1; i < argc && argv[i] != NULL && !o->done; i++) {
        const char *text = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool has_next = next != NULL;

        if ((o->command == CONF_ACME || o->command == CONF_KEYGEN) && text[0] != '-')
            add_word(o, text);
        else if (!only_arguments && o->argument_count == 0 && take_verb(o, text))
            continue;
        else if (only_arguments || text[0] != '-' || text[1] == 0)
            add_argument(o, text, (struct conf_place){.file = "", .line = (unsigned)i});
        else if (strcmp(text, "--") == 0)
            only_arguments = true;
        else if (text[1] == '-')
            parse_long(o, text + 2, &next);
        else
            parse_letters(o, text + 1, &next);
        if (has_next && next == NULL)
            i++;
    }
}

/* --- the environment, which is all that a container may be given --- */

/* PROXY_SITES holds services as arguments do, where there are none; between blanks, commas or line ends. */
static void take_sites(struct conf_options *o)
{
    static const struct conf_place place = {.file = "PROXY_SITES"};
    static const char ends[] = " ,\t\r\n";
    const char *text = getenv("PROXY_SITES");

    if (text == NULL || o->config != NULL || o->demo || o->argument_count > 0 || o->backend_count > 0)
        return;
    for (text += strspn(text, ends); *text != 0; text += strspn(text, ends)) {
        size_t n = strcspn(text, ends);
        const char *word = arena_text(o->arena, bytes_of(text, n));

        if (word == NULL)
            return;
        add_argument(o, word, place);
        text += n;
    }
}

/* Gives a directive a value where neither the file nor an option does. `from` is what an error names. */
static void apply_default(struct draft *d, const char *from, const char *name, const char *text)
{
    const struct directive *directive = directive_find(name);

    if (text != NULL && text[0] != 0 && scope_of(d, directive)->seen[directive_index(directive)].file == NULL)
        statement_run_text(d, directive, (struct conf_place){.file = from}, text);
}

static void apply_environment(struct draft *d)
{
    apply_default(d, "ACME_EMAIL", "email", getenv("ACME_EMAIL"));
    apply_default(d, "ACME_CA", "ca", getenv("ACME_CA"));
}

/* For a machine of 32 MB, that has other things to do as well. */
static void apply_small(struct draft *d)
{
    static const struct {
        const char *directive, *text;
    } small[] = {
        {"max-connections",             "200"},
        {"max-connections-per-address", "32" },
        {"max-memory",                  "6M" },
        {"max-tls12-connections",       "40" },
        {"session-cache",               "64" },
    };

    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        apply_default(d, "--small", small[i].directive, small[i].text);
}

/* How many words each command takes. */
static void check_words(struct conf_options *o)
{
    static const struct {
        enum conf_command command;
        const char *first; /* NULL: any */
        unsigned least, most;
    } forms[] = {
        {CONF_ACME,   "status", 1, 1},
        {CONF_ACME,   "issue",  1, 2},
        {CONF_ACME,   "renew",  2, 2},
        {CONF_ACME,   "revoke", 2, 3},
        {CONF_KEYGEN, NULL,     1, 2},
    };

    if (o->command != CONF_ACME && o->command != CONF_KEYGEN)
        return;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i].command == o->command && o->word_count >= forms[i].least &&
            o->word_count <= forms[i].most &&
            (forms[i].first == NULL || strcmp(forms[i].first, o->words[0]) == 0))
            return;
    if (o->command == CONF_KEYGEN)
        conf_error(o->errors, on_command_line, NULL, "write keygen TYPE, or keygen TYPE NAME");
    else
        conf_error(o->errors, on_command_line, NULL,
                   "write acme status, acme issue [NAME], acme renew NAME, or acme revoke NAME [REASON]");
}

/* What does not go together. */
static void check_usage(struct conf_options *o)
{
    const struct argument *bare = NULL, *named = NULL;

    for (unsigned i = 0; i < o->argument_count; i++) {
        const struct argument *a = &o->arguments[i];

        if (a->name == NULL && bare != NULL)
            conf_error(o->errors, a->place, NULL,
                       "'%s' is a second service; write NAME=UPSTREAM for sites of several", a->upstream);
        if (a->name == NULL && bare == NULL)
            bare = a;
        if (a->name != NULL)
            named = a;
    }
    check_words(o);
    if ((o->cert != NULL) != (o->key != NULL))
        conf_error(o->errors, on_command_line, o->cert != NULL ? "cert" : "key", "needs --%s FILE too",
                   o->cert != NULL ? "key" : "cert");
    if (bare != NULL && named != NULL)
        conf_error(o->errors, bare->place, NULL, "'%s' has no name; beside other sites write NAME=%s",
                   bare->upstream, bare->upstream);
    else if (bare != NULL && (o->config != NULL || o->backend_count > 0))
        conf_error(o->errors, bare->place, NULL, "'%s' beside %s; write --backend %s, or NAME=%s",
                   bare->upstream, o->config != NULL ? "--config" : "--backend", bare->upstream,
                   bare->upstream);
    if (o->demo && (o->config != NULL || named != NULL || o->backend_count > 0))
        conf_error(o->errors, on_command_line, "demo", "does not go with %s",
                   o->config != NULL ? "--config"
                   : named != NULL   ? "NAME=UPSTREAM"
                                     : "--backend");
}

struct conf_options *conf_options_parse(int argc, char *const *argv, struct conf_errors *e)
{
    struct conf_options *o = mem_zalloc(sizeof *o);
    unsigned before = conf_errors_count(e);

    if (o != NULL)
        o->arena = arena_new();
    if (o == NULL || o->arena == NULL) {
        conf_error(e, (struct conf_place){0}, NULL, "out of memory");
        conf_options_free(o);
        return NULL;
    }
    o->errors = e;
    o->by_root = geteuid() == 0;
    parse_all(o, argc, argv);
    take_sites(o);
    if (arena_failed(o->arena))
        conf_error(e, (struct conf_place){0}, NULL, "out of memory");
    else if (!o->done)
        check_usage(o);
    o->errors = NULL;
    if (conf_errors_count(e) > before) {
        conf_error(e, (struct conf_place){0}, NULL, "try 'proxy --help'");
        conf_options_free(o);
        return NULL;
    }
    return o;
}

void conf_options_free(struct conf_options *o)
{
    if (o == NULL)
        return;
    arena_free(o->arena);
    mem_free(o);
}

const char *const *conf_options_words(const struct conf_options *o, unsigned *n)
{
    *n = o->word_count;
    return o->words;
}

enum conf_command conf_options_command(const struct conf_options *o)
{
    return o->command;
}

const char *options_file(const struct conf_options *o)
{
    static const char *const places[] = {"/etc/proxy.conf", "proxy.conf", "/proxy.conf"};

    if (o->config != NULL || o->demo || o->argument_count > 0 || o->backend_count > 0)
        return o->config;
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], F_OK) == 0)
            return places[i];
    return NULL;
}

/* --- applying it --- */

static void apply_settings(const struct conf_options *o, struct draft *d)
{
    for (unsigned i = 0; i < o->setting_count; i++)
        if (o->settings[i].directive->clear != NULL)
            o->settings[i].directive->clear(d);
    for (unsigned i = 0; i < o->setting_count; i++) {
        const struct directive *directive = o->settings[i].directive;
        struct conf_place *seen = &scope_of(d, directive)->seen[directive_index(directive)];

        /* Instead of what the file says; of an option given twice the last one holds. */
        *seen = on_command_line;
        if (!directive->many)
            seen->file = NULL;
        statement_run_text(d, directive, on_command_line, o->settings[i].text);
    }
}

static void add_upstream(struct draft *d, struct site_draft *site, struct conf_place place, const char *text)
{
    struct word word = {.place = place, .text = text};
    struct statement s = {.draft = d,
                          .scope = &site->scope,
                          .directive = directive_find("upstream"),
                          .place = place,
                          .args = &word,
                          .n = 1};

    statement_run(&s);
    d->global.broken |= site->scope.broken;
}

static void add_name(struct draft *d, struct site_draft *site, struct conf_place place, const char *text)
{
    struct word word = {.place = place, .text = text};
    struct statement s = {
        .draft = d, .scope = &site->scope, .directive = directive_find("site"), .place = place};

    site_draft_add_name(&s, site, &word);
    d->global.broken |= site->scope.broken;
}

/* The demo: one site for this machine, which answers for every name. */
static struct site_draft *add_demo(struct draft *d)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    struct site_draft *site = site_draft_new(d, on_command_line);

    if (site == NULL)
        return NULL;
    d->conf->demo = true;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        add_name(d, site, on_command_line, names[i]);
    site->site.tls = CONF_TLS_SELF_SIGNED;
    return site;
}

/* One site for each NAME, with all the upstreams that are given for it. */
static void add_named(const struct conf_options *o, struct draft *d)
{
    struct site_draft **sites = arena_alloc(d->scratch, o->argument_count * sizeof *sites);

    if (sites == NULL)
        return;
    for (unsigned i = 0; i < o->argument_count; i++) {
        const struct argument *a = &o->arguments[i];

        for (unsigned k = 0; k < i && sites[i] == NULL; k++)
            if (strcasecmp(a->name, o->arguments[k].name) == 0)
                sites[i] = sites[k];
        if (sites[i] == NULL) {
            sites[i] = site_draft_new(d, a->place);
            if (sites[i] == NULL)
                return;
            add_name(d, sites[i], a->place, a->name);
        }
        add_upstream(d, sites[i], a->place, a->upstream);
    }
}

/* The default site, or the only one; NULL when there is none. */
static struct site_draft *default_site(const struct draft *d)
{
    for (struct site_draft *s = d->sites; s != NULL; s = s->next)
        if (s->site.is_default)
            return s;
    return d->sites != NULL && d->sites->next == NULL ? d->sites : NULL;
}

static void apply_backends(const struct conf_options *o, struct draft *d)
{
    struct site_draft *site = default_site(d);

    /* A file's only site is overruled; one that is named beside it on the command line is meant as it is. */
    if (site != NULL && !site->site.is_default && o->argument_count > 0)
        site = NULL;
    if (site == NULL) {
        site = site_draft_new(d, on_command_line);
        if (site == NULL)
            return;
        site->site.is_default = true;
        site->default_place = on_command_line;
        site->site.tls = CONF_TLS_SELF_SIGNED;
    }
    site->root.upstream = (struct conf_upstream){0};
    site->scope.action = NULL;
    for (unsigned i = 0; i < o->backend_count; i++)
        add_upstream(d, site, on_command_line, o->backends[i]);
}

static void apply_certificate(const struct conf_options *o, struct draft *d)
{
    struct site_draft *site = default_site(d);

    if (site == NULL) {
        if (!d->global.broken)
            conf_error(d->errors, on_command_line, "cert",
                       "none of the sites is the default one; write tls cert FILE key FILE in its site");
        return;
    }
    site->site.tls = CONF_TLS_FILES;
    site->site.tls_place = on_command_line;
    site->site.cert_file = arena_text(d->conf->arena, bytes_str(o->cert));
    site->site.key_file = arena_text(d->conf->arena, bytes_str(o->key));
}

void options_apply(const struct conf_options *o, struct draft *d)
{
    struct site_draft *site;
    bool bare = o->argument_count > 0 && o->arguments[0].name == NULL;

    d->by_root = o->by_root;
    apply_settings(o, d);
    apply_environment(d);
    if (o->small)
        apply_small(d);
    if (o->demo || bare || (d->conf->file == NULL && o->argument_count == 0 && o->backend_count == 0)) {
        site = add_demo(d);
        if (site != NULL && bare) {
            add_upstream(d, site, o->arguments[0].place, o->arguments[0].upstream);
        } else if (site != NULL) {
            site->root.action = CONF_ACTION_BUILTIN;
            site->scope.action = "demo";
        }
    } else if (o->argument_count > 0) {
        add_named(o, d);
    }
    if (o->backend_count > 0)
        apply_backends(o, d);
    if (o->cert != NULL)
        apply_certificate(o, d);
}
