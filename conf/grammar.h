/* SPDX-License-Identifier: MIT
 *
 * Private to conf/: the grammar as data, and what its setters work on. One table (grammar.c) says of each directive
 * where it may stand, what it takes, its default, what it is for and who sets it. The parser, the command line,
 * --help, --help-config and the defaults all come from it; to add a directive is to add a line and a setter.
 */
#ifndef CONF_GRAMMAR_H
#define CONF_GRAMMAR_H

#include "conf/arena.h"
#include "conf/conf.h"
#include "conf/lex.h"

enum scope_kind { SCOPE_GLOBAL = 1, SCOPE_SITE = 2, SCOPE_PATH = 4, SCOPE_ACME = 8 };

/* A block under way: the file itself, a site, a path, acme. */
struct site_draft;
struct scope {
    enum scope_kind kind;
    struct scope *outer;     /* NULL: this is the file */
    struct site_draft *site; /* NULL in the file */
    struct conf_path
        *path; /* what upstream, redirect, respond and header ops here are for; NULL in the file */
    struct conf_place *seen; /* where each directive was given first; file NULL: nowhere */
    const char *action;      /* which of upstream, redirect, respond was given; NULL: none */
    struct conf_place action_place;
    bool broken; /* had an error: what seems to be missing may be what was wrong */
};

struct path_draft {
    struct scope scope;
    struct conf_path path;
    struct path_draft *next;
};

struct site_draft {
    struct scope scope;
    struct conf_site site;
    struct conf_path root;           /* what it does itself */
    struct conf_place default_place; /* of the word `default`; file NULL: not given */
    struct path_draft *paths, **paths_end;
    struct site_draft *next;
};

/* A configuration in the making. What lasts goes into conf->arena, the rest into scratch. */
struct draft {
    struct conf *conf;
    struct arena *scratch;
    struct conf_errors *errors;
    const char *folder; /* of the file, with its final slash; "" is the working folder */
    bool by_root;       /* who started the program; it may be someone else by now */
    struct scope global, acme;
    struct site_draft *sites, **sites_end;
};

/* One directive with its arguments. */
struct statement {
    struct draft *draft;
    struct scope *scope;
    const struct directive *directive;
    struct conf_place place;
    const struct word *args;
    unsigned n;
    struct scope *inner; /* set by the setter of a directive that opens a block */
};

enum group {
    GROUP_LISTEN,
    GROUP_PROCESS,
    GROUP_TLS,
    GROUP_ACME,
    GROUP_LOG,
    GROUP_TIMEOUT,
    GROUP_LIMIT,
    GROUP_SITE,
    GROUP_MAX
};

struct directive {
    const char *name;
    uint8_t where;    /* of enum scope_kind */
    uint8_t group;    /* enum group */
    uint8_t min, max; /* arguments; max 0: any number */
    bool many;        /* may be given more than once, and adds up */
    bool block;       /* opens a block */
    bool off;         /* `off` stands for 0 */
    /* Numbers, sizes, durations: where they go and what they may be. */
    uint8_t width;
    uint16_t global_at, site_at;
    uint64_t least, most;
    const char *args;  /* as shown */
    const char *value; /* the default, for the same setter; NULL: none, or see note */
    const char *note;  /* the default in words, when it is no fixed value */
    const char *help;
    bool (*set)(struct statement *s); /* false: reported, or out of memory */
    void (*clear)(struct draft *d);   /* a list that an option sets anew */
};

extern const struct directive directives[];
extern const unsigned directive_count;
extern const char *const group_names[GROUP_MAX];

const struct directive *directive_find(const char *name); /* NULL: none */
unsigned directive_index(const struct directive *d);
/* The nearest to a misspelt name that may stand in `where`; NULL when none is near. */
const struct directive *directive_near(const char *name, unsigned where);
/* Is `word` so near to `name` that it may be meant? Less is nearer; UINT_MAX: no. */
unsigned word_distance(const char *word, const char *name);

/* --- statement.c --- */
bool scope_init(struct draft *d, struct scope *scope, enum scope_kind kind, struct scope *outer);
/* One statement: checks that it may stand here and its number of arguments, and sets it. */
bool statement_run(struct statement *s);
/* Where an option of that name stands: the file's top, or acme. */
struct scope *scope_of(struct draft *d, const struct directive *directive);
/* The same from one text: a default, an option. A directive with one argument takes it whole, others have their
 * words parted by blanks. */
bool statement_run_text(struct draft *d, const struct directive *directive, struct conf_place place,
                        const char *text);
/* Reports what is wrong with a word of the statement and returns false. */
bool statement_fail(const struct statement *s, const struct word *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool statement_fail_at(const struct statement *s, struct conf_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A word's text for keeps; NULL when out of memory. */
const char *statement_keep(const struct statement *s, const char *text);
/* The path of a file or folder for keeps: relative to the folder of the file that names it. NULL: reported (it is
 * empty: `what` is missing), or out of memory. */
const char *statement_path(const struct statement *s, const struct word *word, const char *what);
/* Adds the arguments from `first` on. */
bool statement_networks(struct statement *s, unsigned first, struct networks *networks);
/* "proxy.conf:3:5", or what else says where; in scratch, never NULL. */
const char *place_text(struct draft *d, struct conf_place place);

/* --- values.c --- */
bool set_duration(struct statement *s);
bool set_size(struct statement *s);
bool set_number(struct statement *s);
bool set_min_rate(struct statement *s);
bool set_log(struct statement *s);
bool set_log_level(struct statement *s);
bool set_tls_min(struct statement *s);
bool set_ticket_keys(struct statement *s);
bool set_confine(struct statement *s);
bool set_user(struct statement *s);
bool set_state(struct statement *s);
void clear_state(struct draft *d);
bool set_trusted_proxies(struct statement *s);
void clear_trusted_proxies(struct draft *d);

/* --- address.c --- */
bool set_listen(struct statement *s);
void clear_listen(struct draft *d);
bool set_listen_http(struct statement *s);
void clear_listen_http(struct draft *d);
bool set_admin(struct statement *s);
bool set_upstream(struct statement *s);
/* A host name in DNS's letters, with underscores, without its final dot; lower case into out. */
#define HOST_TEXT 256
bool host_name_parse(const char *text, char out[HOST_TEXT]);

/* --- site.c --- */
bool set_site(struct statement *s);
bool set_path(struct statement *s);
bool set_tls(struct statement *s);
bool set_redirect(struct statement *s);
bool set_respond(struct statement *s);
bool set_header(struct statement *s);
bool set_request_header(struct statement *s);
/* The statement gives its scope what to do; one is enough. */
bool take_action(struct statement *s, enum conf_action action);
/* A site without names; NULL when out of memory. */
struct site_draft *site_draft_new(struct draft *d, struct conf_place place);
/* Adds a name as `site` takes it. */
bool site_draft_add_name(struct statement *s, struct site_draft *site, const struct word *word);

/* --- acme.c --- */
bool set_acme(struct statement *s);
bool set_email(struct statement *s);
bool set_ca(struct statement *s);
bool set_staging(struct statement *s);
bool set_fallback(struct statement *s);
bool set_ca_roots(struct statement *s);
bool set_profile(struct statement *s);
bool set_preferred_chain(struct statement *s);
bool set_client(struct statement *s);
bool set_external_account(struct statement *s);
/* Which of the sites that say nothing of their certificate get it from the authority; what hinders those that ask for
 * it. Once the listeners are known. */
void finish_acme(struct draft *d);

/* --- parse.c --- */
/* All statements of a file into the draft. */
void parse_text(struct draft *d, const char *file, struct bytes text);

/* --- check.c --- */
/* The defaults that are fixed values, before anything else. */
void draft_defaults(struct draft *d);
/* What is missing or does not go together; then the draft's sites become the conf's. */
void draft_finish(struct draft *d);

/* --- options.c --- */
/* The command line over what the file said. */
void options_apply(const struct conf_options *o, struct draft *d);
/* The file it names or that is found; NULL: none is to be read. */
const char *options_file(const struct conf_options *o);

/* An option that is no directive. */
enum option_kind {
    OPTION_CONFIG,
    OPTION_BACKEND,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_DEMO,
    OPTION_SMALL,
    OPTION_VALIDATE,
    OPTION_HEALTH,
    OPTION_CHECK,
    OPTION_BENCH_CRYPTO,
    OPTION_HELP,
    OPTION_HELP_CONFIG,
    OPTION_VERSION
};
struct option {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    const char *arg;  /* NULL: takes none */
    const char *help; /* NULL: another spelling of the one before */
};
/* Is there an option of that name, a directive's included? */
bool option_exists(const char *name);
extern const struct option options[];
extern const unsigned option_count;

#endif
