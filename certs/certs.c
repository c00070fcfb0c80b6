/* SPDX-License-Identifier: MIT
 *
 * The store: one identity for each TLS site of a configuration, found by name. The invariant: it is complete
 * once made and its names never change; what may change is which certificate a self-signed site has
 * (certs_renew). Names are kept sorted, so that a lookup costs the same with one site as with a thousand.
 */
#include "certs/certs.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/log.h"
#include "certs/files.h"
#include "certs/self_signed.h"
#include "certs/stored.h"
#include "certs/ticket_keys.h"
#include "certs/x509.h"
#include "net/addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 253u /* RFC 1035 §2.3.4, in text without the final dot */

/* What a site without a name answers to until someone gives it one. */
static const char *const local_names[] = {"localhost", "127.0.0.1", "::1"};

struct site {
    struct tls_identity *id; /* NULL: its TLS is off */
    char **names;            /* in the conf's order */
    unsigned name_count;
    bool is_acme;        /* an authority's, by acme/ */
    bool is_self_signed; /* made here; of an ACME site until it has its own */
    bool is_kept;        /* in the state: after a restart it is the same */
};

/* Where a name leads. */
struct entry {
    const char *name; /* a site's own */
    unsigned site;
};

struct certs {
    struct site *sites;
    unsigned site_count;
    struct entry *entries; /* sorted by name */
    size_t entry_count;
    struct tls_identity **fallback; /* for unknown names; NULL: none */
    struct tls_identity **unnamed;  /* for no name; NULL: no TLS site at all */
    char *state;
    struct ticket_keys ticket_keys;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    /* The first site that has a name keeps it. */
    return order != 0 ? order : (x->site > y->site) - (x->site < y->site);
}

static bool copy_names(struct site *to, const struct conf_site *from)
{
    if (from->name_count == 0)
        return true;
    to->names = mem_zalloc(from->name_count * sizeof *to->names);
    if (to->names == NULL)
        return false;
    for (; to->name_count < from->name_count; to->name_count++) {
        char *name = mem_strdup(from->names[to->name_count].text);

        if (name == NULL)
            return false;
        to->names[to->name_count] = name;
    }
    return true;
}

static struct tls_identity *make_self_signed(const struct certs *certs, struct site *site, bool dry)
{
    if (site->name_count == 0)
        return self_signed_load(certs->state, "default", local_names,
                                sizeof local_names / sizeof local_names[0], dry, &site->is_kept);
    return self_signed_load(certs->state, site->names[0], (const char *const *)site->names, site->name_count,
                            dry, &site->is_kept);
}

/* Without memory this says so; with bad files it has said what. */
static void load_site(struct certs *certs, struct site *site, const struct conf_site *conf, bool dry,
                      struct conf_errors *e)
{
    if (!copy_names(site, conf)) {
        conf_error(e, conf->place, "site", "out of memory");
        return;
    }
    site->is_acme = conf->tls == CONF_TLS_ACME;
    if (site->is_acme)
        site->id = stored_load(certs->state, site->names[0]);
    if (site->id != NULL)
        return;
    switch (conf->tls) {
    case CONF_TLS_OFF: return;
    case CONF_TLS_FILES:
        site->id = files_load(conf, site->name_count > 0 ? site->names[0] : "default", e);
        return;
    case CONF_TLS_AUTO:
    case CONF_TLS_ACME:
    case CONF_TLS_SELF_SIGNED:
        site->is_self_signed = true;
        site->id = make_self_signed(certs, site, dry);
        if (site->id == NULL)
            conf_error(e, conf->place, "site", "out of memory");
    }
}

static bool has_ip_name(const struct site *site)
{
    struct addr ip;

    for (unsigned i = 0; i < site->name_count; i++)
        if (addr_from_ip(&ip, bytes_str(site->names[i]), 0))
            return true;
    return false;
}

/* Everything by which identities are found. False when out of memory. */
static bool index_sites(struct certs *certs, const struct conf *conf)
{
    size_t n = 0;
    bool unnamed_has_ip = false;

    for (unsigned i = 0; i < certs->site_count; i++)
        n += certs->sites[i].name_count;
    certs->entries = mem_alloc((n > 0 ? n : 1) * sizeof *certs->entries);
    if (certs->entries == NULL)
        return false;
    for (unsigned i = 0; i < certs->site_count; i++) {
        struct site *site = &certs->sites[i];

        if (site->id == NULL)
            continue;
        for (unsigned k = 0; k < site->name_count; k++)
            certs->entries[certs->entry_count++] = (struct entry){.name = site->names[k], .site = i};
        if (conf->sites[i].is_default || conf->site_count == 1)
            certs->fallback = &site->id;
        if (certs->unnamed == NULL || (!unnamed_has_ip && has_ip_name(site))) {
            certs->unnamed = &site->id;
            unnamed_has_ip = has_ip_name(site);
        }
    }
    if (certs->fallback != NULL)
        certs->unnamed = certs->fallback;
    qsort(certs->entries, certs->entry_count, sizeof *certs->entries, compare_entries);
    return true;
}

struct certs *certs_new(const struct conf *conf, bool dry, struct conf_errors *e)
{
    struct certs *certs = mem_zalloc(sizeof *certs);
    unsigned errors = conf_errors_count(e);
    bool enough = certs != NULL;

    if (enough && conf->state != NULL)
        enough = (certs->state = mem_strdup(conf->state)) != NULL;
    if (enough && conf->site_count > 0)
        enough = (certs->sites = mem_zalloc(conf->site_count * sizeof *certs->sites)) != NULL;
    if (enough) {
        /* All sites, so that one run tells all that is wrong. */
        for (; certs->site_count < conf->site_count; certs->site_count++)
            load_site(certs, &certs->sites[certs->site_count], &conf->sites[certs->site_count], dry, e);
        enough = index_sites(certs, conf);
        if (conf->ticket_keys != NULL)
            (void)ticket_keys_load(&certs->ticket_keys, conf, e);
    }
    if (!enough)
        conf_error(e, (struct conf_place){.file = conf->file != NULL ? conf->file : ""}, "tls",
                   "out of memory");
    if (enough && conf_errors_count(e) == errors)
        return certs;
    certs_free(certs);
    return NULL;
}

void certs_free(struct certs *certs)
{
    if (certs == NULL)
        return;
    for (unsigned i = 0; i < certs->site_count; i++) {
        struct site *site = &certs->sites[i];

        for (unsigned k = 0; k < site->name_count; k++)
            mem_free(site->names[k]);
        mem_free(site->names);
        tls_identity_unref(site->id);
    }
    mem_free(certs->sites);
    mem_free(certs->entries);
    mem_free(certs->state);
    mem_wipe_free(certs, sizeof *certs);
}

static struct tls_identity *find(const struct certs *certs, const char *name)
{
    size_t low = 0, high = certs->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(certs->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == certs->entry_count || strcmp(certs->entries[low].name, name) != 0)
        return NULL;
    return certs->sites[certs->entries[low].site].id;
}

struct tls_identity *certs_select(struct certs *certs, struct bytes server_name)
{
    char buffer[NAME_MAX_LENGTH + 2], *name = buffer + 1, *dot; /* one before, for the star */
    struct tls_identity *id;

    if (server_name.n > 0 && server_name.p[server_name.n - 1] == '.')
        server_name.n--;
    if (server_name.n == 0)
        return certs->unnamed != NULL ? *certs->unnamed : NULL;
    if (server_name.n <= NAME_MAX_LENGTH && memchr(server_name.p, '\0', server_name.n) == NULL) {
        for (size_t i = 0; i < server_name.n; i++)
            name[i] = (char)text_lower(server_name.p[i]);
        name[server_name.n] = '\0';
        if ((id = find(certs, name)) != NULL)
            return id;
        dot = strchr(name, '.');
        if (dot != NULL && dot != name) {
            dot[-1] = '*';
            if ((id = find(certs, dot - 1)) != NULL)
                return id;
        }
    }
    return certs->fallback != NULL ? *certs->fallback : NULL;
}

struct tls_identity *certs_of_site(struct certs *certs, unsigned site)
{
    return site < certs->site_count ? certs->sites[site].id : NULL;
}

bool certs_covers(const struct tls_identity *id, const char *host)
{
    struct x509 x;

    return id->chain_len > 0 && x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)) &&
           x509_covers(&x, host);
}

const uint8_t (*certs_ticket_keys(const struct certs *certs, size_t *n))[TICKET_KEY]
{
    *n = certs->ticket_keys.n;
    return *n > 0 ? certs->ticket_keys.keys : NULL;
}

static bool same_names(const struct site *a, const struct site *b)
{
    if (a->name_count != b->name_count)
        return false;
    for (unsigned i = 0; i < a->name_count; i++)
        if (strcmp(a->names[i], b->names[i]) != 0)
            return false;
    return true;
}

void certs_inherit(struct certs *certs, const struct certs *before)
{
    for (unsigned i = 0; i < certs->site_count; i++) {
        struct site *site = &certs->sites[i];

        if (!site->is_self_signed || site->is_kept)
            continue;
        for (unsigned k = 0; k < before->site_count; k++) {
            const struct site *old = &before->sites[k];

            if (!old->is_self_signed || !same_names(site, old) || self_signed_is_due(old->id))
                continue;
            tls_identity_unref(site->id);
            site->id = tls_identity_ref(old->id);
            break;
        }
    }
}

bool certs_renew(struct certs *certs)
{
    bool renewed = false;

    for (unsigned i = 0; i < certs->site_count; i++) {
        struct site *site = &certs->sites[i];
        struct tls_identity *id;

        if (!site->is_self_signed || site->id == NULL || !self_signed_is_due(site->id))
            continue;
        id = make_self_signed(certs, site, false);
        if (id == NULL)
            continue;
        log_info("%s: the self-signed certificate was renewed", id->name);
        tls_identity_unref(site->id);
        site->id = id;
        renewed = true;
    }
    return renewed;
}

bool certs_is_acme(const struct certs *certs, unsigned site)
{
    return site < certs->site_count && certs->sites[site].is_acme;
}

bool certs_adopt(struct certs *certs, unsigned index)
{
    struct site *site = &certs->sites[index];
    struct tls_identity *id;

    assert(certs_is_acme(certs, index));
    id = stored_load(certs->state, site->names[0]);
    if (id == NULL)
        return false;
    if (!site->is_self_signed &&
        memcmp(id->fingerprint, site->id->fingerprint, sizeof id->fingerprint) == 0) {
        tls_identity_unref(id);
        return false;
    }
    tls_identity_unref(site->id);
    site->id = id;
    site->is_self_signed = false;
    return true;
}

const char *certs_fingerprint_text(const struct tls_identity *id, char out[CERTS_FINGERPRINT_TEXT])
{
    static const char digits[] = "0123456789ABCDEF";
    char *p = out;

    _Static_assert(CERTS_FINGERPRINT_TEXT == 3 * sizeof id->fingerprint, "two digits and a colon or the NUL");
    for (size_t i = 0; i < sizeof id->fingerprint; i++) {
        *p++ = digits[id->fingerprint[i] >> 4];
        *p++ = digits[id->fingerprint[i] & 15];
        *p++ = i + 1 < sizeof id->fingerprint ? ':' : '\0';
    }
    return out;
}
