/* SPDX-License-Identifier: MIT
 *
 * Owns a chain's validation: everything is BearSSL's minimal engine, but the name when it is an IP address. Then the
 * leaf is kept while it passes by, and looked into only after the chain has been found good.
 */
#include "tls/verify.h"

#include "base/mem.h"
#include "tls/dn_hash.h"

#include <arpa/inet.h>
#include <string.h>

#define LEAF_MAX     65536u
#define DAYS_TO_1970 719528 /* from 1 January of the year 0, where BearSSL's calendar begins */

enum {
    DER_BOOLEAN = 0x01,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_EXTENSIONS = 0xa3, /* [3] of TBSCertificate */
    DER_IP_ADDRESS = 0x87, /* [7] of GeneralName */
};

/* The next element's content; `*tag` is 0 when there is none or it is malformed. Lengths up to three bytes. */
static struct reader element(struct reader *r, uint8_t *tag)
{
    *tag = reader_u8(r);
    size_t len = reader_u8(r);

    if (len == 0x81)
        len = reader_u8(r);
    else if (len == 0x82)
        len = reader_u16(r);
    else if (len == 0x83)
        len = reader_u24(r);
    else if (len >= 0x80)
        r->failed = true;
    struct bytes content = reader_take(r, len);
    if (r->failed)
        *tag = 0;
    return reader_of(content.p, content.n);
}

static bool san_has_ip(struct reader names, struct bytes ip)
{
    while (!names.failed && reader_left(&names)) {
        uint8_t tag;
        struct reader name = element(&names, &tag);
        if (tag == DER_IP_ADDRESS && bytes_equal((struct bytes){name.p, reader_left(&name)}, ip))
            return true;
    }
    return false;
}

/* One Extension; true if it is the SubjectAltName and holds the address. */
static bool extension_has_ip(struct reader extension, struct bytes ip)
{
    static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};
    uint8_t tag;
    struct reader oid = element(&extension, &tag);

    if (tag != DER_OID || !bytes_equal((struct bytes){oid.p, reader_left(&oid)},
                                       bytes_of(subject_alt_name, sizeof subject_alt_name)))
        return false;
    struct reader value = element(&extension, &tag);
    if (tag == DER_BOOLEAN) /* critical */
        value = element(&extension, &tag);
    if (tag != DER_OCTETS)
        return false;
    struct reader names = element(&value, &tag);
    return tag == DER_SEQUENCE && san_has_ip(names, ip);
}

bool verify_names_ip(struct bytes certificate, struct bytes ip)
{
    struct reader all = reader_of(certificate.p, certificate.n), part, list;
    uint8_t tag;

    part = element(&all, &tag);
    if (tag != DER_SEQUENCE)
        return false;
    struct reader tbs = element(&part, &tag);
    if (tag != DER_SEQUENCE)
        return false;
    do {
        if (reader_left(&tbs) == 0)
            return false;
        part = element(&tbs, &tag);
    } while (tag && tag != DER_EXTENSIONS);
    list = element(&part, &tag);
    if (tag != DER_SEQUENCE)
        return false;
    while (!list.failed && reader_left(&list)) {
        struct reader extension = element(&list, &tag);
        if (tag == DER_SEQUENCE && extension_has_ip(extension, ip))
            return true;
    }
    return false;
}

/* --- the class --- */

static struct verify *of(const br_x509_class **ctx)
{
    return (struct verify *)(void *)ctx;
}

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
    struct verify *v = of(ctx);

    v->certificates = 0;
    v->leaf_len = 0;
    v->minimal.vtable->start_chain(&v->minimal.vtable, v->ip_len ? NULL : server_name);
}

static void start_cert(const br_x509_class **ctx, uint32_t length)
{
    struct verify *v = of(ctx);

    if (v->certificates++ == 0 && v->ip_len) {
        verify_release(v);
        v->leaf_length = length;
        if (length && length <= LEAF_MAX)
            v->leaf = mem_alloc(length); /* missed in end_chain */
        v->leaf_cap = v->leaf ? length : 0;
    }
    v->minimal.vtable->start_cert(&v->minimal.vtable, length);
}

static void append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
    struct verify *v = of(ctx);

    if (v->certificates == 1 && n <= v->leaf_cap - v->leaf_len) {
        memcpy(v->leaf + v->leaf_len, p, n);
        v->leaf_len += n;
    }
    v->minimal.vtable->append(&v->minimal.vtable, p, n);
}

static void end_cert(const br_x509_class **ctx)
{
    struct verify *v = of(ctx);
    v->minimal.vtable->end_cert(&v->minimal.vtable);
}

static unsigned end_chain(const br_x509_class **ctx)
{
    struct verify *v = of(ctx);
    unsigned err = v->minimal.vtable->end_chain(&v->minimal.vtable);

    if (!err && v->ip_len && !v->leaf && v->leaf_length <= LEAF_MAX)
        err = VERIFY_ERR_MEMORY;
    else if (!err && v->ip_len &&
             !verify_names_ip((struct bytes){v->leaf, v->leaf_len}, (struct bytes){v->ip, v->ip_len}))
        err = BR_ERR_X509_BAD_SERVER_NAME;
    verify_release(v);
    return err;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
    const struct verify *v = (const struct verify *)(const void *)ctx;
    return v->minimal.vtable->get_pkey(&v->minimal.vtable, usages);
}

static const br_x509_class verify_class = {
    .context_size = sizeof(struct verify),
    .start_chain = start_chain,
    .start_cert = start_cert,
    .append = append,
    .end_cert = end_cert,
    .end_chain = end_chain,
    .get_pkey = get_pkey,
};

void verify_init(struct verify *v, const struct tls_trust *trust, const struct crypto_impl *impl,
                 const char *name, int64_t now)
{
    br_x509_minimal_context *m = &v->minimal;

    *v = (struct verify){.vtable = &verify_class};
    br_x509_minimal_init(m, &dn_hash_class, trust->anchors, trust->n);
    br_x509_minimal_set_hash(m, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_hash(m, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(m, br_sha512_ID, &br_sha512_vtable);
    br_x509_minimal_set_rsa(m, impl->rsa_vrfy);
    br_x509_minimal_set_ecdsa(m, impl->ec, impl->ecdsa_vrfy);
    br_x509_minimal_set_minrsa(m, 2048 / 8);
    if (now < 0)
        now = 0;
    br_x509_minimal_set_time(m, (uint32_t)(now / 86400 + DAYS_TO_1970), (uint32_t)(now % 86400));
    if (inet_pton(AF_INET, name, v->ip) == 1)
        v->ip_len = 4;
    else if (inet_pton(AF_INET6, name, v->ip) == 1)
        v->ip_len = 16;
}

void verify_release(struct verify *v)
{
    mem_free(v->leaf);
    v->leaf = NULL;
    v->leaf_len = v->leaf_cap = 0;
}

bool verify_is_ip(const struct verify *v)
{
    return v->ip_len > 0;
}
