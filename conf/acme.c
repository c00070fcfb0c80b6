/* SPDX-License-Identifier: MIT
 *
 * The block `acme`, and which sites it is for: those that ask for it, and those that say nothing of their certificate
 * and have names that an authority can know.
 */
#include "conf/grammar.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

#define STAGING "https://acme-staging-v02.api.letsencrypt.org/directory"

static const struct {
    const char *name, *directory, *staging;
} authorities[] = {
    {"letsencrypt",         "https://acme-v02.api.letsencrypt.org/directory", STAGING},
    {"letsencrypt-staging", STAGING,                                          NULL   },
    {"zerossl",             "https://acme.zerossl.com/v2/DV90",               NULL   },
};

bool set_acme(struct statement *s)
{
    s->inner = &s->draft->acme;
    return true;
}

/* A control byte would end up in JSON, a comma would make two addresses of one. */
bool set_email(struct statement *s)
{
    const char *text = s->args[0].text, *at = strchr(text, '@');

    if (strncasecmp(text, "mailto:", 7) == 0)
        return statement_fail(s, &s->args[0], "'%s' is a URL; write %s", text, text + 7);
    if (at == NULL || at == text || strchr(at, '.') == NULL || strchr(at + 1, '@') != NULL ||
        strpbrk(text, " ,<>\"?&") != NULL || strlen(text) > 254)
        return statement_fail(s, &s->args[0], "'%s' is not an address; write admin@example.com", text);
    s->draft->conf->acme.email = statement_keep(s, text);
    return s->draft->conf->acme.email != NULL;
}

/* The directory of an authority by its name, or its URL. NULL: reported, or out of memory. */
static const char *directory_of(const struct statement *s, const char **staging)
{
    const char *text = s->args[0].text;

    *staging = NULL;
    for (size_t i = 0; i < sizeof authorities / sizeof authorities[0]; i++)
        if (strcmp(text, authorities[i].name) == 0) {
            *staging = authorities[i].staging;
            return authorities[i].directory;
        }
    if (strncasecmp(text, "http://", 7) == 0)
        statement_fail(s, &s->args[0], "'%s' is not encrypted; write the https:// URL", text);
    else if (strncasecmp(text, "https://", 8) != 0 || text[8] == 0)
        statement_fail(s, &s->args[0], "'%s' is none of %s", text, s->directive->args);
    else
        return statement_keep(s, text);
    return NULL;
}

bool set_ca(struct statement *s)
{
    struct conf_acme *acme = &s->draft->conf->acme;

    acme->directory = directory_of(s, &acme->staging);
    acme->name = statement_keep(s, s->args[0].text);
    return acme->directory != NULL && acme->name != NULL;
}

bool set_fallback(struct statement *s)
{
    struct conf_acme *acme = &s->draft->conf->acme;
    const char *staging;

    acme->fallback = directory_of(s, &staging);
    acme->fallback_is_named = strchr(s->args[0].text, ':') == NULL;
    return acme->fallback != NULL;
}

/* Another than the authority's own, or one for an authority of which none is known. */
bool set_staging(struct statement *s)
{
    const char *text = s->args[0].text;

    if (strncasecmp(text, "https://", 8) != 0 || text[8] == 0)
        return statement_fail(s, &s->args[0], "'%s' is no https:// URL", text);
    s->draft->conf->acme.staging = statement_keep(s, text);
    return s->draft->conf->acme.staging != NULL;
}

bool set_ca_roots(struct statement *s)
{
    struct conf_acme *acme = &s->draft->conf->acme;

    acme->ca_roots = statement_path(s, &s->args[0], "file");
    acme->ca_roots_place = s->place;
    return acme->ca_roots != NULL;
}

bool set_profile(struct statement *s)
{
    const char *text = s->args[0].text;

    for (const char *c = text; *c != 0; c++)
        if (!text_is_alpha((uint8_t)*c) && !text_is_digit((uint8_t)*c) && strchr("-_.", *c) == NULL)
            return statement_fail(s, &s->args[0], "'%s' is not the name of a profile", text);
    s->draft->conf->acme.profile = statement_keep(s, text);
    return s->draft->conf->acme.profile != NULL;
}

bool set_preferred_chain(struct statement *s)
{
    if (s->args[0].text[0] == 0)
        return statement_fail(s, &s->args[0], "an empty name; write \"ISRG Root X1\", say");
    s->draft->conf->acme.preferred_chain = statement_keep(s, s->args[0].text);
    return s->draft->conf->acme.preferred_chain != NULL;
}

bool set_client(struct statement *s)
{
    struct conf_acme *acme = &s->draft->conf->acme;
    const char *word = s->args[0].text;

    if (strcmp(word, "builtin") == 0 && s->n == 1) {
        acme->uacme = NULL;
        return true;
    }
    if (strcmp(word, "uacme") != 0)
        return statement_fail(s, &s->args[s->n - 1], "'%s' is none of %s", s->args[s->n - 1].text,
                              s->directive->args);
    acme->uacme = s->n > 1 ? statement_path(s, &s->args[1], "program") : "uacme";
    return acme->uacme != NULL;
}

bool set_external_account(struct statement *s)
{
    struct conf_acme *acme = &s->draft->conf->acme;
    const char *key = s->args[1].text;
    uint8_t bytes[512];
    size_t n;

    if (s->args[0].text[0] == 0)
        return statement_fail(s, &s->args[0], "an empty key id; the authority gives both words");
    if (!text_base64url_decode(bytes_str(key), bytes, sizeof bytes, &n))
        return statement_fail(
            s, &s->args[1],
            "the second word is not base64url (A-Z a-z 0-9 - _) of a key; the authority gives it so");
    mem_wipe(bytes, sizeof bytes);
    if (n < 12)
        return statement_fail(s, &s->args[1], "the second word has not the length of a key; was it cut?");
    acme->account_id = statement_keep(s, s->args[0].text);
    acme->hmac_key = statement_keep(s, key);
    return acme->account_id != NULL && acme->hmac_key != NULL;
}

/* ---- which sites ---- */

/* Names that no public authority knows: RFC 2606, RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what ICANN keeps for
 * private use. */
static bool is_reserved(const char *name)
{
    static const char *const endings[] = {
        "test",     "example", "invalid",     "localhost",   "local",       "onion",    "alt",
        "internal", "lan",     "example.com", "example.net", "example.org", "home.arpa"};
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t k = strlen(endings[i]);

        if (n >= k && strcmp(name + n - k, endings[i]) == 0 && (n == k || name[n - k - 1] == '.'))
            return true;
    }
    return false;
}

static bool is_ip(const char *name)
{
    struct addr addr;

    return addr_from_ip(&addr, bytes_str(name), 0);
}

/* Could an authority give a certificate for it without being told more? Addresses need a profile that the
 * authority has to offer: they are asked for in words. */
static bool is_for_the_authority(const struct conf *conf, const char *name)
{
    if (is_ip(name))
        return false;
    return strncmp(conf->acme.name, "https:", 6) == 0 || (strchr(name, '.') != NULL && !is_reserved(name));
}

static bool has_plain_listener(const struct conf *conf)
{
    for (unsigned i = 0; i < conf->listen_count; i++)
        if (!conf->listens[i].tls)
            return true;
    return false;
}

static void check_wildcards(struct draft *d, const struct conf_site *site)
{
    for (unsigned i = 0; i < site->name_count; i++)
        if (site->names[i].text[0] == '*')
            conf_error(
                d->errors, site->names[i].place, "site",
                "%s: no certificate for all names below one can be had over HTTP (that needs DNS-01); write tls "
                "self-signed or tls cert FILE key FILE, or the names one by one",
                site->names[i].text);
}

static void check_site(struct draft *d, const struct conf_site *site)
{
    check_wildcards(d, site);
    if (site->name_count == 0)
        conf_error(d->errors, site->tls_place, "tls",
                   "acme needs to know for which names; write them behind site");
    if (!has_plain_listener(d->conf))
        conf_error(d->errors, site->tls_place, "tls",
                   "acme needs an address for plain HTTP, where the authority looks; add listen-http :80");
    if (d->conf->state == NULL)
        conf_error(d->errors, site->tls_place, "tls",
                   "acme needs a folder for its certificates; add state DIR");
}

/* What uacme has no word for would be left out without a word; it knows other chains by their number or hash alone. */
static void check_client(struct draft *d)
{
    const struct conf_acme *acme = &d->conf->acme;
    const char *name = acme->profile != NULL           ? "profile"
                       : acme->preferred_chain != NULL ? "preferred-chain"
                                                       : NULL;

    if (acme->uacme != NULL && name != NULL)
        conf_error(d->errors, d->acme.seen[directive_index(directive_find(name))], name,
                   "uacme cannot ask for it; leave it out, or write client builtin");
}

void finish_acme(struct draft *d)
{
    struct conf *conf = d->conf;
    bool possible = conf->acme.name != NULL && has_plain_listener(conf) && conf->state != NULL;

    check_client(d);
    for (unsigned i = 0; i < conf->site_count; i++) {
        struct conf_site *site = &conf->sites[i];
        bool all = possible && site->name_count > 0;

        for (unsigned k = 0; k < site->name_count; k++) {
            const char *name = site->names[k].text;

            all = all && is_for_the_authority(conf, name[0] == '*' ? name + 2 : name);
        }
        if (site->tls == CONF_TLS_AUTO)
            site->tls = all && !conf->demo ? CONF_TLS_ACME : CONF_TLS_SELF_SIGNED;
        if (site->tls == CONF_TLS_ACME)
            check_site(d, site);
    }
}
