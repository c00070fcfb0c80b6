/* SPDX-License-Identifier: MIT
 *
 * Makes self-signed certificates (RFC 5280) and keeps them in the state. The invariant: the key outlives its
 * certificates, so it is on the disk before a certificate for it is; a certificate without its key is made
 * again.
 *
 * It is an end-entity certificate, not a CA: whoever trusts it trusts one server's key, not everything that
 * the key might sign.
 */
#include "certs/self_signed.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/x509.h"
#include "certs/x509_write.h"
#include "net/addr.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DAY        86400
#define VALID_DAYS 90
#define RENEW_DAYS 30
#define KEY_PEM    512u /* bytes of a P-256 key in PEM, with room to spare */

#define OID(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put_attribute(struct writer *w, uint8_t type, const char *value)
{
    size_t set = der_open(w, DER_SET), pair = der_open(w, DER_SEQUENCE);
    der_put(w, DER_OID, OID(0x55, 0x04, type));
    der_put(w, DER_UTF8_STRING, bytes_str(value));
    der_close(w, pair);
    der_close(w, set);
}

/* Subject and issuer. An issuer must not be empty, and a common name not be longer than 64. */
static void put_name(struct writer *w, const char *common_name)
{
    size_t name = der_open(w, DER_SEQUENCE);
    put_attribute(w, 10, "self-signed"); /* organizationName */
    if (strlen(common_name) <= 64)
        put_attribute(w, 3, common_name);
    der_close(w, name);
}

static void put_extensions(struct writer *w, const char *const *names, unsigned n, struct bytes point)
{
    uint8_t hash[32];
    br_sha256_context sha;
    struct x509_extension e;
    size_t outer = der_open(w, DER_CONTEXT_CONSTRUCTED + 3), list = der_open(w, DER_SEQUENCE), inner;

    e = x509_open_extension(w, 19, true); /* basicConstraints: not a CA, which is the default */
    der_put(w, DER_SEQUENCE, (struct bytes){NULL, 0});
    x509_close_extension(w, e);
    e = x509_open_extension(w, 15, true); /* keyUsage: digitalSignature */
    der_put(w, DER_BIT_STRING, OID(7, 0x80));
    x509_close_extension(w, e);
    e = x509_open_extension(w, 37, false); /* extKeyUsage: serverAuth */
    inner = der_open(w, DER_SEQUENCE);
    der_put(w, DER_OID, OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01));
    der_close(w, inner);
    x509_close_extension(w, e);
    br_sha256_init(&sha);
    br_sha256_update(&sha, point.p, point.n);
    br_sha256_out(&sha, hash);
    e = x509_open_extension(w, 14, false); /* subjectKeyIdentifier: 160 bits of SHA-256 (RFC 7093 §2) */
    der_put(w, DER_OCTET_STRING, bytes_of(hash, 20));
    x509_close_extension(w, e);
    x509_put_alternative_names(w, names, n);
    der_close(w, list);
    der_close(w, outer);
}

static void put_tbs(struct writer *w, const struct tls_identity *id, const char *const *names, unsigned n,
                    int64_t now)
{
    static const uint8_t version_3 = 2;
    uint8_t serial[16], buffer[KEY_POINT_MAX];
    struct bytes point = key_public_point(id, buffer);

    /* Positive, and always of the same length (RFC 5280 §4.1.2.2). */
    random_bytes(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);

    size_t tbs = der_open(w, DER_SEQUENCE), version = der_open(w, DER_CONTEXT_CONSTRUCTED + 0);
    der_put_unsigned(w, bytes_of(&version_3, 1));
    der_close(w, version);
    der_put_unsigned(w, bytes_of(serial, sizeof serial));
    x509_put_signature_algorithm(w, id);
    put_name(w, names[0]);
    size_t validity = der_open(w, DER_SEQUENCE);
    der_put_time(w, now - DAY);
    der_put_time(w, now + (int64_t)VALID_DAYS * DAY);
    der_close(w, validity);
    put_name(w, names[0]);
    x509_put_public_key(w, id);
    put_extensions(w, names, n, point);
    der_close(w, tbs);
}

static void put_certificate(struct writer *w, const struct tls_identity *id, const char *const *names,
                            unsigned n, int64_t now)
{
    size_t certificate = der_open(w, DER_SEQUENCE), start = writer_len(w);

    put_tbs(w, id, names, n, now);
    x509_put_signature(w, id, start);
    der_close(w, certificate);
}

bool x509_self_sign(struct tls_identity *id, const char *const *names, unsigned n, int64_t now,
                    struct writer *key_pem, struct writer *cert_pem)
{
    uint8_t key[256], *der;
    struct writer w;
    size_t cap = 1024;
    bool done = false;

    if (n == 0 || id->chain_len != 0)
        return false;
    if (id->key_data == NULL ? !key_generate(id, BR_EC_secp256r1) : id->key_type != TLS_KEY_EC_P256)
        return false;
    for (unsigned i = 0; i < n; i++)
        cap += strlen(names[i]) + 24;
    der = mem_alloc(cap);
    if (der == NULL)
        return false;
    w = writer_of(der, cap);
    put_certificate(&w, id, names, n, now);
    if (!w.failed && x509_append(id, bytes_of(der, writer_len(&w))) == NULL) {
        pem_write(cert_pem, "CERTIFICATE", bytes_of(der, writer_len(&w)));
        w = writer_of(key, sizeof key);
        key_write(&w, id);
        pem_write(key_pem, "PRIVATE KEY", bytes_of(key, writer_len(&w)));
        done = !w.failed && !key_pem->failed && !cert_pem->failed;
        mem_wipe(key, sizeof key);
    }
    mem_free(der);
    return done;
}

/* ---- in the state ---- */

/* The wall clock, or its floor when it is below that: what is made then is valid when the clock is set
 * right. */
static int64_t now(void)
{
    return time_is_sane() ? time_wall() : time_floor();
}

bool self_signed_is_due(const struct tls_identity *id)
{
    return id->not_after - now() < (int64_t)RENEW_DAYS * DAY || id->not_before > now();
}

/* "STATE/self-signed/NAME"; what could be a path or not a file name becomes `_`. False when too long. */
static bool folder_of(char *out, size_t size, const char *state, const char *name)
{
    struct writer w = writer_of(out, size);

    writer_str(&w, state);
    writer_str(&w, "/self-signed/");
    for (const char *c = name; *c != '\0'; c++) {
        bool plain = text_is_alpha((uint8_t)*c) || text_is_digit((uint8_t)*c) || *c == '-' || *c == '_' ||
                     (*c == '.' && c != name);
        writer_u8(&w, plain ? text_lower((uint8_t)*c) : '_');
    }
    writer_u8(&w, '\0');
    return !w.failed;
}

enum found {
    FOUND,
    NOT_FOUND,  /* not there, or no good: it is made anew */
    UNREADABLE, /* there, and may be good another time: it stays as it is */
};

/* The file's content loaded by `load`. */
static enum found load_file(struct tls_identity *id, const char *folder, const char *file,
                            const char *(*load)(struct tls_identity *, struct bytes))
{
    char path[PATH_MAX];
    struct writer w = writer_of(path, sizeof path);
    struct file f;
    const char *problem;
    int error;

    writer_str(&w, folder);
    writer_u8(&w, '/');
    writer_str(&w, file);
    writer_u8(&w, '\0');
    error = w.failed ? ENAMETOOLONG : file_read(path, PEM_MAX_FILE, &f);
    if (error == ENOENT || error == ENOTDIR)
        return NOT_FOUND;
    if (error != 0) {
        log_warn("%s: %s; the self-signed certificate will be another one after a restart", path,
                 strerror(error));
        return UNREADABLE;
    }
    /* What is on the disk tells a board without a clock that it is not 1970. */
    if (!time_is_sane())
        time_raise_floor(f.mtime);
    problem = load(id, bytes_of(f.content.p, f.content.n));
    file_release(&f);
    if (problem == NULL)
        return FOUND;
    if (strcmp(problem, "out of memory") == 0)
        return UNREADABLE;
    log_warn("%s: %s; it is made anew", path, problem);
    return NOT_FOUND;
}

/* Exactly these names, in this order: a name less is a change too. */
static bool has_names(const struct x509 *x, const char *const *names, unsigned n)
{
    struct bytes san = x->san, value;
    unsigned kind, i = 0;

    while (x509_next_name(&san, &kind, &value)) {
        struct addr ip;

        if (i == n)
            return false;
        bool is_ip = addr_from_ip(&ip, bytes_str(names[i]), 0);
        if (!is_ip && (kind != X509_NAME_DNS || !bytes_is(value, names[i])))
            return false;
        if (is_ip && (kind != X509_NAME_IP || !x509_covers(x, names[i])))
            return false;
        i++;
    }
    return i == n;
}

/* Of our making for this key and these names, and not to be renewed yet. */
static bool is_usable(const struct tls_identity *id, const char *folder, const char *const *names, unsigned n)
{
    struct x509 x;

    if (id->chain_len != 1 || !x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)))
        return false;
    if (!x509_matches_key(&x, id)) {
        log_warn("%s: cert.pem is not for the key in key.pem; it is made anew", folder);
        return false;
    }
    if (!time_is_sane())
        time_raise_floor(id->not_before);
    return has_names(&x, names, n) && !self_signed_is_due(id);
}

/* Makes one and keeps it. `id` has the key to keep, or none. */
static bool make(struct tls_identity *id, const char *folder, const char *const *names, unsigned n, bool dry,
                 bool *kept)
{
    char key_pem[KEY_PEM], *cert_pem;
    size_t cap = 2048;
    struct writer key, cert;
    bool had_key = id->key_data != NULL, made;
    int error = 0;

    for (unsigned i = 0; i < n; i++)
        cap += (strlen(names[i]) + 24) * 3 / 2;
    cert_pem = mem_alloc(cap);
    if (cert_pem == NULL)
        return false;
    key = writer_of(key_pem, sizeof key_pem);
    cert = writer_of(cert_pem, cap);
    made = x509_self_sign(id, names, n, now(), &key, &cert);
    if (made && folder != NULL && !dry) {
        if (!had_key)
            error = state_write(folder, "key.pem", 0600, bytes_of(key_pem, writer_len(&key)));
        if (error == 0)
            error = state_write(folder, "cert.pem", 0644, bytes_of(cert_pem, writer_len(&cert)));
        if (error != 0)
            log_warn(
                "%s: the self-signed certificate cannot be kept: %s; it will be another one after a restart",
                folder, strerror(error));
        *kept = error == 0;
    }
    mem_wipe(key_pem, sizeof key_pem);
    mem_free(cert_pem);
    return made;
}

struct tls_identity *self_signed_load(const char *state, const char *name, const char *const *names,
                                      unsigned n, bool dry, bool *kept)
{
    char buffer[PATH_MAX], *folder = NULL;
    struct tls_identity *id = tls_identity_new(name), *fresh;

    *kept = false;
    if (id == NULL)
        return NULL;
    if (state != NULL && folder_of(buffer, sizeof buffer, state, name))
        folder = buffer;
    else if (!dry)
        log_warn(
            "%s: there is no state folder for the self-signed certificate; it will be another one after a "
            "restart",
            name);
    if (folder != NULL) {
        enum found key = load_file(id, folder, "key.pem", pem_load_key), cert = NOT_FOUND;

        if (key == FOUND && id->key_type == TLS_KEY_EC_P256)
            cert = load_file(id, folder, "cert.pem", pem_load_chain);
        if (cert == FOUND && is_usable(id, folder, names, n)) {
            *kept = true;
            return id;
        }
        if (key == UNREADABLE || cert == UNREADABLE)
            folder = NULL;
    }
    /* What is kept of what was there is the key alone. */
    fresh = tls_identity_new(name);
    if (fresh != NULL && id->key_data != NULL && id->key_type == TLS_KEY_EC_P256) {
        fresh->key_type = id->key_type;
        fresh->key = id->key;
        fresh->key_data = id->key_data;
        fresh->key_data_len = id->key_data_len;
        id->key_data = NULL;
        id->key_data_len = 0;
    }
    tls_identity_unref(id);
    if (fresh != NULL && !make(fresh, folder, names, n, dry, kept)) {
        tls_identity_unref(fresh);
        return NULL;
    }
    return fresh;
}
