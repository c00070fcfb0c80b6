/* SPDX-License-Identifier: MIT
 *
 * An anchor is a name and a key. Its form in bytes, which is what a set holds: kind, hash of the name, key. The key is
 * without what its kind says: of RSA, the exponent when it is 65537 and the modulus is as long as most are; of EC, the
 * point's length. Kind and hash are together what validation takes for the name (tls/dn_hash.h).
 */
#include "certs/trust.h"

#include "base/file.h"
#include "base/mem.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/x509.h"
#include "tls/dn_hash.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX (1024u * 1024u)

/* A kind: DN_HASH_MADE, whether it issues no certificates, and of what form the key is. 1 to 22: RSA, the exponent is
 * 65537 and the modulus has so many units. 0: any other RSA key, modulus and exponent, each with its length in 16 bits.
 * Else it is the curve's number. */
enum {
    KIND_IS_NO_CA = 0x40,
    KIND_KEY = 0x3f,
    KIND_RSA = 0,
    KIND_RSA_UNITS = 22,
    KIND_P256 = BR_EC_secp256r1,
    KIND_P521 = BR_EC_secp521r1,
    RSA_UNIT = 128,
};

_Static_assert(KIND_P256 == KIND_RSA_UNITS + 1 && KIND_P521 == KIND_P256 + 2,
               "RSA's kinds end where curves begin");

static const uint8_t f4[] = {0x01, 0x00, 0x01};       /* 65537 */
static const uint8_t point_lengths[] = {65, 97, 133}; /* uncompressed, by curve */

struct trust {
    size_t n;
    uint8_t *bytes; /* what the anchors point into; NULL: not ours */
    br_x509_trust_anchor anchors[];
};

/* ---- to bytes ---- */

static void put_vector(struct writer *w, struct bytes b)
{
    if (b.n > UINT16_MAX)
        w->failed = true;
    writer_u16(w, (uint16_t)b.n);
    writer_bytes(w, b);
}

/* A server's own certificate may be named, too: then it is that server which is trusted, not whatever its key signs. Of
 * version 1, which has no way to say that it is an authority's, all are taken for such. */
static uint8_t flags_of(const struct x509 *x)
{
    return x->is_ca || x->version < 3 ? 0 : KIND_IS_NO_CA;
}

static void put_head(struct writer *w, const struct x509 *x, unsigned key)
{
    uint8_t hash[DN_HASH_LEN];

    dn_hash(x->subject, hash);
    writer_u8(w, (uint8_t)(DN_HASH_MADE | flags_of(x) | key));
    writer_put(w, hash, sizeof hash);
}

static void put_rsa(struct writer *w, const struct x509 *x)
{
    struct reader whole = reader_of(x->spki_key.p, x->spki_key.n);
    struct reader numbers = der_enter(&whole, DER_SEQUENCE);
    struct bytes n = der_unsigned(&numbers), e = der_unsigned(&numbers);
    size_t units = n.n / RSA_UNIT;

    if (!reader_done(&numbers) || !reader_done(&whole)) {
        w->failed = true;
    } else if (n.n % RSA_UNIT == 0 && units > 0 && units <= KIND_RSA_UNITS &&
               bytes_equal(e, bytes_of(f4, sizeof f4))) {
        put_head(w, x, (unsigned)units);
        writer_bytes(w, n);
    } else {
        put_head(w, x, KIND_RSA);
        put_vector(w, n);
        put_vector(w, e);
    }
}

void trust_put_anchor(struct writer *w, struct bytes certificate)
{
    struct x509 x;
    int curve;

    if (!x509_parse(&x, certificate)) {
        w->failed = true;
        return;
    }
    curve = key_curve_of_oid(x.spki_curve_oid);
    if (bytes_equal(x.spki_algorithm_oid, key_oid_rsa)) {
        put_rsa(w, &x);
    } else if (bytes_equal(x.spki_algorithm_oid, key_oid_ec) && curve != 0 &&
               x.spki_key.n == point_lengths[curve - KIND_P256]) {
        put_head(w, &x, (unsigned)curve);
        writer_bytes(w, x.spki_key);
    } else {
        w->failed = true;
    }
}

/* ---- from bytes ---- */

/* BearSSL lacks a const: it only reads. */
static unsigned char *lend(struct bytes b, size_t *n)
{
    *n = b.n;
    return (unsigned char *)(uintptr_t)b.p;
}

static void take_rsa(struct reader *r, unsigned units, br_rsa_public_key *key)
{
    key->n = lend(reader_take(r, units > 0 ? units * (size_t)RSA_UNIT : reader_u16(r)), &key->nlen);
    key->e = lend(units > 0 ? bytes_of(f4, sizeof f4) : reader_take(r, reader_u16(r)), &key->elen);
}

static br_x509_trust_anchor take_anchor(struct reader *r)
{
    struct bytes name = reader_take(r, 1 + DN_HASH_LEN);
    uint8_t kind = name.n > 0 ? name.p[0] : 0, key = kind & KIND_KEY;
    br_x509_trust_anchor a = {.flags = kind & KIND_IS_NO_CA ? 0 : BR_X509_TA_CA};

    a.dn.data = lend(name, &a.dn.len);
    if (!(kind & DN_HASH_MADE) || key > KIND_P521) {
        r->failed = true;
    } else if (key >= KIND_P256) {
        a.pkey.key_type = BR_KEYTYPE_EC;
        a.pkey.key.ec.curve = key;
        a.pkey.key.ec.q = lend(reader_take(r, point_lengths[key - KIND_P256]), &a.pkey.key.ec.qlen);
    } else {
        a.pkey.key_type = BR_KEYTYPE_RSA;
        take_rsa(r, key, &a.pkey.key.rsa);
    }
    return a;
}

struct trust *trust_from_anchors(struct bytes anchors)
{
    struct reader r = reader_of(anchors.p, anchors.n);
    struct trust *trust;
    size_t n = 0;

    while (reader_left(&r) > 0 && !r.failed) {
        (void)take_anchor(&r);
        n++;
    }
    if (r.failed)
        return NULL;
    trust = mem_zalloc(sizeof *trust + n * sizeof trust->anchors[0]);
    if (trust == NULL)
        return NULL;
    r = reader_of(anchors.p, anchors.n);
    for (; trust->n < n; trust->n++)
        trust->anchors[trust->n] = take_anchor(&r);
    return trust;
}

struct trust *trust_load(struct bytes pem, const char **why)
{
    size_t cap = pem.n / 4 * 3 + 16, blocks = 0;
    uint8_t *bytes = mem_alloc(cap);
    struct writer w = writer_of(bytes, bytes != NULL ? cap : 0);
    struct trust *trust = NULL;

    *why = bytes != NULL ? pem_each_certificate(pem, trust_put_anchor, &w, &blocks) : "out of memory";
    if (*why == NULL && w.failed)
        *why =
            "one of the certificates is damaged, or has a key that is neither RSA nor on P-256, P-384 or P-521";
    if (*why == NULL && blocks == 0)
        *why = "no certificate in this file; it should hold those of authorities in PEM";
    if (*why == NULL) {
        trust = trust_from_anchors(bytes_of(bytes, writer_len(&w)));
        *why = trust == NULL ? "out of memory" : NULL;
    }
    if (trust == NULL)
        mem_free(bytes);
    else
        trust->bytes = bytes;
    return trust;
}

struct trust *trust_load_file(const char *path, const char **why)
{
    struct file f = {0};
    int error = file_read(path, FILE_MAX, &f);
    struct trust *trust;

    if (error != 0) {
        *why = error == EFBIG ? "larger than 1 MiB; it should hold certificates in PEM" : strerror(error);
        return NULL;
    }
    trust = trust_load(bytes_of(f.content.p, f.content.n), why);
    file_release(&f);
    return trust;
}

void trust_free(struct trust *trust)
{
    if (trust == NULL)
        return;
    mem_free(trust->bytes);
    mem_free(trust);
}

struct tls_trust trust_of(const struct trust *trust)
{
    return (struct tls_trust){.anchors = trust->anchors, .n = trust->n};
}
