/* SPDX-License-Identifier: MIT
 *
 * Reads a site's certificate and key, and says what is wrong with them in words that tell what to do. The
 * invariant: what leaves here works in a handshake (the key is the certificate's, the chain is in order);
 * what a client thinks of it is the operator's to know, so that is a warning.
 */
#include "certs/files.h"

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "certs/certs.h"
#include "certs/pem.h"
#include "certs/x509.h"
#include "net/addr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_NAMES 8u

struct loading {
    const struct conf_site *site;
    struct conf_errors *errors;
    struct tls_identity *id;
};

__attribute__((format(printf, 2, 3))) static void warn(const struct loading *l, const char *format, ...)
{
    char text[1024];
    const struct conf_place *at = &l->site->tls_place;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (at->file != NULL && at->file[0] != '\0')
        log_warn("%s:%u:%u: tls: %s", at->file, at->line, at->column, text);
    else
        log_warn("tls: %s", text);
}

#define error(l, ...) conf_error((l)->errors, (l)->site->tls_place, "tls", __VA_ARGS__)

/* At most 256 KiB of it. */
static bool read_file(const struct loading *l, const char *path, struct file *f)
{
    int failed = file_read(path, PEM_MAX_FILE, f);

    if (failed == 0)
        return true;
    if (failed == EFBIG)
        error(l, "%s: larger than 256 KiB; it should hold one chain or one key in PEM", path);
    else if (failed == EACCES)
        error(l, "%s: permission denied; let the user that starts the proxy read it", path);
    else
        error(l, "%s: %s", path, strerror(failed));
    return false;
}

static bool load_chain(const struct loading *l, const char *path)
{
    struct file f;
    const char *problem;

    if (!read_file(l, path, &f))
        return false;
    problem = pem_load_chain(l->id, bytes_of(f.content.p, f.content.n));
    file_release(&f);
    if (problem == NULL)
        return true;
    if (l->id->chain_len > 0)
        error(l, "%s: certificate %zu: %s", path, l->id->chain_len + 1, problem);
    else
        error(l, "%s: %s", path, problem);
    return false;
}

static bool load_key(const struct loading *l, const char *path)
{
    struct file f;
    const char *problem;

    if (!read_file(l, path, &f))
        return false;
    if ((f.mode & 077) != 0)
        warn(l, "%s: others than its owner may read this private key (mode %04o); chmod 600 makes it private",
             path, f.mode);
    problem = pem_load_key(l->id, bytes_of(f.content.p, f.content.n));
    file_release(&f);
    if (problem != NULL)
        error(l, "%s: %s", path, problem);
    return problem == NULL;
}

static struct x509 certificate(const struct loading *l, size_t i)
{
    struct x509 x;

    /* It parsed when it was loaded. */
    x509_parse(&x, bytes_of(l->id->chain[i].data, l->id->chain[i].data_len));
    return x;
}

/* The key may belong to a certificate further on, when the file is in the wrong order. */
static bool check_key(const struct loading *l, const char *cert_path, const char *key_path)
{
    struct x509 x = certificate(l, 0);

    if (x509_matches_key(&x, l->id))
        return true;
    for (size_t i = 1; i < l->id->chain_len; i++) {
        x = certificate(l, i);
        if (x509_matches_key(&x, l->id)) {
            error(l, "%s: the key belongs to certificate %zu; put the leaf first, then each issuer",
                  cert_path, i + 1);
            return false;
        }
    }
    x = certificate(l, 0);
    struct bytes name = x509_name_text(x.subject);
    error(
        l,
        "%s: this key does not match the certificate in %s (\"%.*s\"); give the two that were made together",
        key_path, cert_path, name.n < 64 ? (int)name.n : 64, (const char *)name.p);
    return false;
}

static bool check_order(const struct loading *l, const char *path)
{
    for (size_t i = 0; i + 1 < l->id->chain_len; i++) {
        struct x509 x = certificate(l, i), next = certificate(l, i + 1);

        if (!bytes_equal(x.issuer, next.subject)) {
            error(l,
                  "%s: certificate %zu does not sign certificate %zu; put the leaf first, then each issuer",
                  path, i + 2, i + 1);
            return false;
        }
    }
    return true;
}

static void check_validity(const struct loading *l, const char *path)
{
    if (!time_is_sane())
        return;
    for (size_t i = 0; i < l->id->chain_len; i++) {
        struct x509 x = certificate(l, i);
        bool expired = x.not_after < time_wall();
        char date[32];
        struct writer w = writer_of(date, sizeof date);

        if (!expired && x.not_before <= time_wall())
            continue;
        time_put_date(&w, expired ? x.not_after : x.not_before);
        writer_u8(&w, '\0');
        if (expired)
            warn(l, "%s: certificate %zu expired on %s and clients will refuse it; renew it", path, i + 1,
                 date);
        else
            warn(l,
                 "%s: certificate %zu is not valid before %s and clients will refuse it; is the clock right?",
                 path, i + 1, date);
    }
}

/* What the certificate is for, in one line. */
static void put_names(struct writer *w, const struct x509 *x)
{
    struct bytes san = x->san, value;
    unsigned kind, n = 0;

    if (san.n == 0)
        writer_bytes(w, x->common_name);
    while (x509_next_name(&san, &kind, &value)) {
        char text[ADDR_TEXT];
        struct addr ip = {0};

        if (kind != X509_NAME_DNS && kind != X509_NAME_IP)
            continue;
        if (n++ >= SHOWN_NAMES)
            continue;
        if (n > 1)
            writer_str(w, ", ");
        if (kind == X509_NAME_DNS) {
            writer_bytes(w, value);
        } else if (value.n == 4) {
            ip.v4.sin_family = AF_INET;
            ip.len = sizeof ip.v4;
            memcpy(&ip.v4.sin_addr, value.p, 4);
            writer_str(w, addr_format_ip(&ip, text));
        } else if (value.n == 16) {
            ip.v6.sin6_family = AF_INET6;
            ip.len = sizeof ip.v6;
            memcpy(&ip.v6.sin6_addr, value.p, 16);
            writer_str(w, addr_format_ip(&ip, text));
        }
    }
    if (n > SHOWN_NAMES)
        writer_printf(w, " and %u more", n - SHOWN_NAMES);
}

static void check_names(const struct loading *l, const char *path)
{
    struct x509 x = certificate(l, 0);
    char names[640];
    struct writer w = writer_of(names, sizeof names - 1);

    put_names(&w, &x);
    names[writer_len(&w)] = '\0';
    if (x.san.n == 0)
        warn(
            l,
            "%s: the certificate has no subject alternative name, and browsers refuse it; its common name \"%s\" "
            "is taken for one",
            path, names);
    for (unsigned i = 0; i < l->site->name_count; i++)
        if (!x509_covers(&x, l->site->names[i].text))
            warn(l, "%s: the certificate does not cover %s; it is for %s", path, l->site->names[i].text,
                 names[0] != '\0' ? names : "no name");
}

/* The commonest slip: cert.pem where fullchain.pem was meant. It may be right, with a CA of one's own. */
static void check_issuer(const struct loading *l, const char *path)
{
    struct x509 x = certificate(l, 0);
    struct bytes issuer = x509_name_text(x.issuer);

    if (l->id->chain_len == 1 && !l->id->self_signed)
        log_info(
            "%s: the certificate comes alone; clients that do not know its issuer \"%.*s\" will refuse it",
            path, issuer.n < 64 ? (int)issuer.n : 64, (const char *)issuer.p);
}

struct tls_identity *files_load(const struct conf_site *site, const char *name, struct conf_errors *e)
{
    struct loading l = {.site = site, .errors = e, .id = tls_identity_new(name)};
    const char *cert = site->cert_file, *key = site->key_file != NULL ? site->key_file : cert;

    if (l.id == NULL) {
        error(&l, "out of memory");
        return NULL;
    }
    /* Both are read even if one is wrong, so that one run tells all. */
    bool has_chain = load_chain(&l, cert), has_key = load_key(&l, key);
    if (!has_chain || !has_key || !check_key(&l, cert, key) || !check_order(&l, cert)) {
        tls_identity_unref(l.id);
        return NULL;
    }
    check_validity(&l, cert);
    check_names(&l, cert);
    check_issuer(&l, cert);
    return l.id;
}
