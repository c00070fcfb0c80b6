/* SPDX-License-Identifier: MIT
 *
 * Reads what an authority gave and uacme, or acme/ here, has written. The invariant: what leaves here works in a
 * handshake, as with files that a configuration names.
 */
#include "certs/stored.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/x509.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define KEY_PEM 512u /* bytes of a P-256 key in PEM, with room to spare */

bool stored_folder(char *out, size_t size, const char *state, const char *name, bool is_private)
{
    int n = snprintf(out, size, "%s/%s%s", state, is_private ? "private/" : "", name);

    return n > 0 && (size_t)n < size && name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* ENOENT when there is none; EINVAL when it is no good, which was said. */
static int load(struct tls_identity *id, const char *folder, const char *file,
                const char *(*parse)(struct tls_identity *, struct bytes))
{
    char path[PATH_MAX];
    struct file f = {0};
    const char *problem;
    int n = snprintf(path, sizeof path, "%s/%s", folder, file), error;

    error = n < 0 || (size_t)n >= sizeof path ? ENAMETOOLONG : file_read(path, PEM_MAX_FILE, &f);
    if (error == ENOTDIR)
        error = ENOENT;
    if (error != 0 && error != ENOENT)
        log_warn("%s: %s", path, strerror(error));
    if (error != 0)
        return error;
    /* A board without a clock learns from it that it is not 1970. */
    if (!time_is_sane())
        time_raise_floor(f.mtime);
    problem = parse(id, bytes_of(f.content.p, f.content.n));
    file_release(&f);
    if (problem == NULL)
        return 0;
    log_warn("%s: %s", path, problem);
    return strcmp(problem, "out of memory") == 0 ? ENOMEM : EINVAL;
}

const char *stored_problem(const struct tls_identity *id, const struct tls_identity *key)
{
    struct bytes issuer = {NULL, 0};

    for (size_t i = 0; i < id->chain_len; i++) {
        struct x509 x;

        /* It parsed when it was loaded. */
        x509_parse(&x, bytes_of(id->chain[i].data, id->chain[i].data_len));
        if (i == 0 && !x509_matches_key(&x, key))
            return "the certificate is for another key";
        if (i > 0 && !bytes_equal(x.subject, issuer))
            return "the chain is not in order";
        issuer = x.issuer;
    }
    return NULL;
}

struct tls_identity *stored_load(const char *state, const char *name)
{
    char folder[PATH_MAX], private[PATH_MAX];
    struct tls_identity *id = tls_identity_new(name);
    const char *problem;
    int error;

    if (id == NULL)
        return NULL;
    if (stored_folder(folder, sizeof folder, state, name, false) &&
        stored_folder(private, sizeof private, state, name, true) &&
        load(id, folder, "cert.pem", pem_load_chain) == 0) {
        error = load(id, private, "key.pem", pem_load_key);
        problem = error == 0 ? stored_problem(id, id) : NULL;
        if (error == 0 && problem == NULL) {
            time_raise_floor(id->not_before);
            return id;
        }
        if (error == ENOENT)
            log_warn("%s/key.pem: %s", private, strerror(error));
        if (problem != NULL)
            log_warn("%s/cert.pem: %s", folder, problem);
    }
    tls_identity_unref(id);
    return NULL;
}

/* The key goes first: what is left half done is a site without one, which gets a new pair. The other way round the next
 * certificate would be for the key that was revoked. */
int stored_put_away(const char *state, const char *name, int64_t now)
{
    char folder[PATH_MAX], private[PATH_MAX], to[64];
    int error;

    if (!stored_folder(folder, sizeof folder, state, name, false) ||
        !stored_folder(private, sizeof private, state, name, true))
        return EINVAL;
    snprintf(to, sizeof to, "key-%lld.pem", (long long)now);
    error = state_rename(private, "key.pem", to);
    if (error != 0 && error != ENOENT)
        return error;
    snprintf(to, sizeof to, "revoked-%lld.pem", (long long)now);
    error = state_rename(folder, "cert.pem", to);
    return error == ENOENT ? 0 : error;
}

/* On the disk before anyone learns of it: a certificate whose key is lost is a try wasted. */
static const char *make_key(struct tls_identity *id, const char *folder)
{
    uint8_t der[256];
    char pem[KEY_PEM];
    struct writer w = writer_of(der, sizeof der), text = writer_of(pem, sizeof pem);
    const char *problem = NULL;
    int error;

    if (!key_generate(id, BR_EC_secp256r1))
        return "out of memory";
    key_write(&w, id);
    pem_write(&text, "PRIVATE KEY", bytes_of(der, writer_len(&w)));
    if (w.failed || text.failed)
        problem = "out of memory";
    else if ((error = state_write(folder, "key.pem", 0600, bytes_of(pem, writer_len(&text)))) != 0)
        problem = strerror(error);
    mem_wipe(der, sizeof der);
    mem_wipe(pem, sizeof pem);
    return problem;
}

struct tls_identity *stored_key(const char *state, const char *name, bool *was_there, const char **why)
{
    char folder[PATH_MAX];
    struct tls_identity *id = tls_identity_new(name != NULL ? name : "account");
    bool fits;
    int error;

    *why = "out of memory";
    *was_there = false;
    if (id == NULL)
        return NULL;
    if (name != NULL)
        fits = stored_folder(folder, sizeof folder, state, name, true);
    else
        fits = snprintf(folder, sizeof folder, "%s/private", state) < (int)sizeof folder;
    if (!fits) {
        *why = "not a name that a folder can have";
    } else if ((error = load(id, folder, "key.pem", pem_load_key)) == 0) {
        *was_there = true;
        *why = NULL;
    } else if (error != ENOENT) {
        *why = error == EINVAL ? "the key that is there is no good; move it away for a new one"
                               : strerror(error);
    } else {
        *why = make_key(id, folder);
    }
    if (*why == NULL)
        return id;
    tls_identity_unref(id);
    return NULL;
}
