/* SPDX-License-Identifier: MIT
 *
 * The configuration as plain structs: what a file, the command line and the environment said, all defaults filled
 * in, every value checked by itself. Immutable once made and counted by reference: an exchange keeps the one it
 * began with. Whatever lives longer (sockets, pools, certificates) lives elsewhere, keyed by identity.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/bytes.h"
#include "base/log.h"
#include "net/addr.h"

#include <stdio.h>

/* Where a directive stands; file "" is the command line ("proxy.conf:7:12"). */
struct conf_place {
    const char *file;
    unsigned line, column;
};

/* An endpoint to connect to: an IP address or Unix path (addr), or a name to resolve and a port. */
struct conf_endpoint {
    struct conf_place place;
    const char *text; /* "app:8080", "127.0.0.1:8000" where 8000 was written; one text for each endpoint */
    const char *host; /* the name; NULL when addr is set */
    uint16_t port;
    struct addr addr; /* with its port */
};

struct conf_upstream {
    struct conf_endpoint *endpoints;
    unsigned n;
};

enum conf_header_verb { CONF_HEADER_SET, CONF_HEADER_ADD, CONF_HEADER_REMOVE };
struct conf_header {
    enum conf_header_verb verb;
    const char *name, *value;
};
struct conf_headers {
    struct conf_header *ops;
    unsigned n;
};

enum conf_action {
    CONF_ACTION_UPSTREAM,
    CONF_ACTION_REDIRECT,
    CONF_ACTION_RESPOND,
    CONF_ACTION_BUILTIN, /* the demo's page */
};

/* What a path of a site does. */
struct conf_path {
    struct conf_place place;
    const char *prefix; /* "/" is the site's own */
    enum conf_action action;
    struct conf_upstream upstream;
    unsigned status;  /* redirect, respond */
    const char *text; /* respond: the body; redirect: the target, {uri} stands for path and query */
    struct conf_headers response_headers, request_headers;
};

enum conf_tls_mode {
    CONF_TLS_AUTO, /* nothing said; a finished conf has one of the two below in its place */
    CONF_TLS_SELF_SIGNED,
    CONF_TLS_ACME,
    CONF_TLS_FILES,
    CONF_TLS_OFF, /* plain HTTP, on the listen-http addresses */
};

/* Milliseconds; bytes. A site may have its own of those that act once it is known: not of a handshake, nor of a head's
 * time and size. */
struct conf_timeouts {
    uint64_t handshake; /* 10 s */
    uint64_t head;      /* 10 s for a whole request head */
    uint64_t body;      /* 60 s between bytes of a request body */
    uint64_t
        response;  /* 60 s until the upstream's response begins and between its bytes, and between writes */
    uint64_t idle; /* 75 s keep-alive */
    uint64_t connect;       /* 5 s to an upstream */
    uint64_t upstream_idle; /* 4 s: shorter than Node's 5 s */
    uint64_t shutdown;      /* 30 s */
};
struct conf_limits {
    uint32_t request_line;   /* 8 KiB */
    uint32_t header_bytes;   /* 32 KiB */
    uint32_t header_count;   /* 100 */
    uint64_t body;           /* 0: no limit; 413 above */
    uint32_t min_rate;       /* 240 bytes/s, 0: none */
    uint64_t min_rate_grace; /* ms: 10 s */
};

struct conf_name {
    struct conf_place place;
    const char *text; /* lower case; "*.example.com" as written; an IP without brackets */
};

struct conf_site {
    struct conf_place place;
    struct conf_name *names;
    unsigned name_count; /* 0 for a sole nameless site */
    bool is_default;     /* answers what no other site does */
    enum conf_tls_mode tls;
    const char *cert_file, *key_file;
    struct conf_place tls_place;
    struct conf_path *paths; /* longest prefix first; the last is "/" */
    unsigned path_count;
    struct conf_timeouts timeouts;
    struct conf_limits limits;
};

/* The certificate authority (RFC 8555). */
struct conf_acme {
    const char *directory;  /* URL */
    const char *name;       /* as it was written: letsencrypt, or the URL */
    const char *staging;    /* its directory for trials, which count for nothing; NULL: none known */
    const char *fallback;   /* another authority's, that has every other try after a failure; NULL: none */
    bool fallback_is_named; /* or its URL was given */
    const char *email;      /* NULL: none given */
    const char *ca_roots; /* file, for all but a fallback that is named; NULL: the set that is compiled in */
    struct conf_place ca_roots_place;
    const char *uacme;           /* the program that does it; NULL: acme/ itself */
    const char *profile;         /* NULL: the authority's own choice */
    const char *preferred_chain; /* whom its topmost certificate is issued by; NULL: as above */
    const char *account_id,
        *hmac_key; /* external account binding (§7.3.4), the key in base64url; NULL: none */
};

struct conf_listen {
    struct conf_place place;
    struct addr addr;
    bool tls;
    bool optional; /* a demo does without it: [::1] where there is no IPv6, a redirect whose port is taken */
};

enum conf_log_format { CONF_LOG_TEXT, CONF_LOG_JSON, CONF_LOG_COMBINED, CONF_LOG_OFF };

struct conf {
    unsigned refs;
    const char *file; /* NULL: none read */
    bool demo;        /* the one-shot demo: prints its banner */
    struct conf_listen *listens;
    unsigned listen_count;
    struct conf_site *sites;
    unsigned site_count;
    const char *state;       /* folder; NULL: none could be found and none is needed */
    bool state_is_ephemeral; /* it may go with the process, and that is meant so */
    const char *user;        /* to become when root; default "nobody" (65534) when there is no such */
    bool confine;            /* default true */
    const char *admin;       /* "unix:STATE/control.sock", "127.0.0.1:2019" or "off" */
    struct networks admins;  /* who may speak to it over TCP, beside this machine */
    enum log_level log_level;
    enum conf_log_format log_format;
    struct networks trusted;  /* trusted-proxies */
    unsigned max_connections; /* 0: from RLIMIT_NOFILE */
    unsigned max_per_address; /* 256; loopback counts only when the directive was given; 0: none */
    bool per_address_given;
    uint64_t max_memory;      /* 0: none */
    bool tls_min_13;          /* tls-min 1.3 */
    unsigned max_tls12;       /* connections of TLS 1.2 at once; 0: no bound of their own */
    unsigned session_cache;   /* TLS 1.2 sessions: 2048 */
    uint64_t ticket_rotation; /* ms: 12 h */
    const char *ticket_keys;  /* file; NULL: keys of our own */
    struct conf_place ticket_keys_place;
    struct conf_acme acme;
    struct conf_timeouts timeouts;
    struct conf_limits limits;
    struct arena *arena; /* everything above */
};

/* Errors of a file, all of them: "file:line:column: directive: what is wrong; what would be right". */
struct conf_errors;
struct conf_errors *conf_errors_new(void);
void conf_errors_free(struct conf_errors *e);
unsigned conf_errors_count(const struct conf_errors *e);
const char *conf_errors_text(const struct conf_errors *e, unsigned i);
void conf_error(struct conf_errors *e, struct conf_place place, const char *directive, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* What the command line asks for. */
enum conf_command {
    CONF_RUN,
    CONF_VALIDATE,
    CONF_VERSION,
    CONF_HELP,
    CONF_HELP_CONFIG,
    CONF_HEALTH,
    CONF_ACME,   /* conf_options_words says what */
    CONF_KEYGEN, /* conf_options_words says of which type, and for whom */
    CONF_CHECK,  /* conf_options_words says which name */
    CONF_BENCH_CRYPTO
};

struct conf_options; /* the parsed command line; kept, since a reload applies it again over the new file */

/* Parses argv. NULL with errors in e (usage errors end with "try 'proxy --help'"). */
struct conf_options *conf_options_parse(int argc, char *const *argv, struct conf_errors *e);
void conf_options_free(struct conf_options *o);
enum conf_command conf_options_command(const struct conf_options *o);
/* The words behind `proxy acme` or `proxy keygen`, as many as these take; for --check its name, with its port if one was
 * given. */
const char *const *conf_options_words(const struct conf_options *o, unsigned *n);

/* Reads the file the options name (or finds one, or none), applies the options, checks everything that can be
 * checked without side effects. NULL with every error in e. One reference. */
struct conf *conf_load(const struct conf_options *o, struct conf_errors *e);
/* The same from text in memory, for tests and fuzzing; `name` stands in the errors. */
struct conf *conf_parse(const char *name, struct bytes text, const struct conf_options *o,
                        struct conf_errors *e);
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c); /* NULL is fine */

/* The documents that the grammar table writes. */
void conf_print_help(FILE *out);        /* --help */
void conf_print_help_config(FILE *out); /* --help-config */

#endif
