/* SPDX-License-Identifier: MIT
 *
 * An anchor is a name and a key. Its form in bytes, for the set that is compiled in: kind, name in DER with its length
 * in 16 bits, then for RSA modulus and exponent, for EC the point, each with its length too.
 */
#include "certs/trust.h"

#include "base/file.h"
#include "base/mem.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/x509.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX (1024u * 1024u)

/* Kinds: 0 is RSA, others are the curves' numbers; the bit says that it issues no certificates. */
enum { KIND_RSA = 0, KIND_IS_NO_CA = 0x80 };

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

void trust_put_anchor(struct writer *w, struct bytes certificate)
{
    struct x509 x;
    struct reader whole, numbers;
    int curve;

    if (!x509_parse(&x, certificate)) {
        w->failed = true;
        return;
    }
    curve = key_curve_of_oid(x.spki_curve_oid);
    if (bytes_equal(x.spki_algorithm_oid, key_oid_rsa)) {
        whole = reader_of(x.spki_key.p, x.spki_key.n);
        numbers = der_enter(&whole, DER_SEQUENCE);
        writer_u8(w, KIND_RSA | flags_of(&x));
        put_vector(w, x.subject);
        put_vector(w, der_unsigned(&numbers));
        put_vector(w, der_unsigned(&numbers));
        if (!reader_done(&numbers) || !reader_done(&whole))
            w->failed = true;
    } else if (bytes_equal(x.spki_algorithm_oid, key_oid_ec) && curve != 0) {
        writer_u8(w, (uint8_t)((unsigned)curve | flags_of(&x)));
        put_vector(w, x.subject);
        put_vector(w, x.spki_key);
    } else {
        w->failed = true;
    }
}

/* ---- from bytes ---- */

/* BearSSL lacks a const: it only reads. */
static unsigned char *take_vector(struct reader *r, size_t *n)
{
    struct bytes b = reader_take(r, reader_u16(r));

    *n = b.n;
    return (unsigned char *)(uintptr_t)b.p;
}

static br_x509_trust_anchor take_anchor(struct reader *r)
{
    uint8_t kind = reader_u8(r);
    br_x509_trust_anchor a = {.flags = kind & KIND_IS_NO_CA ? 0 : BR_X509_TA_CA};

    kind &= (uint8_t)~KIND_IS_NO_CA;
    a.dn.data = take_vector(r, &a.dn.len);
    if (kind == KIND_RSA) {
        a.pkey.key_type = BR_KEYTYPE_RSA;
        a.pkey.key.rsa.n = take_vector(r, &a.pkey.key.rsa.nlen);
        a.pkey.key.rsa.e = take_vector(r, &a.pkey.key.rsa.elen);
    } else {
        a.pkey.key_type = BR_KEYTYPE_EC;
        a.pkey.key.ec.curve = kind;
        a.pkey.key.ec.q = take_vector(r, &a.pkey.key.ec.qlen);
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
