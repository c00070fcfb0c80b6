/* SPDX-License-Identifier: MIT
 *
 * Reads certificates that are ours to serve. Nothing here decides about trust; still every byte is read
 * through the strict reader, since files are damaged, and a state folder may be written by others. A
 * certificate that parsed has a SAN that walks cleanly to its end.
 */
#include "certs/x509.h"

#include "base/mem.h"
#include "certs/der.h"
#include "certs/key.h"
#include "net/addr.h"

#include <string.h>

/* id-ce (RFC 5280 §4.2.1): 2.5.29.n */
enum { EXTENSION_SAN = 17, EXTENSION_BASIC_CONSTRAINTS = 19, EXTENSION_AUTHORITY_KEY_ID = 35 };

/* Attribute types (X.520): 2.5.4.n */
enum { ATTRIBUTE_COMMON_NAME = 3, ATTRIBUTE_ORGANIZATION = 10 };

/* The last value of this attribute in a Name: the most specific (RFC 4514 §2.1 writes it first). */
static struct bytes find_attribute(struct bytes name, uint8_t attribute)
{
    struct reader r = reader_of(name.p, name.n), rdns = der_enter(&r, DER_SEQUENCE);
    struct bytes found = {NULL, 0};

    while (reader_left(&rdns) > 0 && !rdns.failed) {
        struct reader set = der_enter(&rdns, DER_SET);

        while (reader_left(&set) > 0 && !set.failed) {
            struct reader pair = der_enter(&set, DER_SEQUENCE);
            struct bytes oid = der_take(&pair, DER_OID);
            uint8_t tag;
            struct bytes value = der_any(&pair, &tag);

            if (!pair.failed && oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04 && oid.p[2] == attribute &&
                (tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING || tag == DER_IA5_STRING ||
                 tag == DER_T61_STRING))
                found = value;
        }
    }
    return found;
}

struct bytes x509_name_text(struct bytes name)
{
    struct bytes text = find_attribute(name, ATTRIBUTE_COMMON_NAME);

    return text.n > 0 ? text : find_attribute(name, ATTRIBUTE_ORGANIZATION);
}

/* Content of GeneralNames: every one a well-formed value. */
static bool names_are_whole(struct bytes san)
{
    struct reader r = reader_of(san.p, san.n);
    uint8_t tag;

    while (reader_left(&r) > 0 && !r.failed)
        der_any(&r, &tag);
    return !r.failed;
}

static bool read_extension(struct x509 *x, uint8_t number, struct bytes value)
{
    struct reader r = reader_of(value.p, value.n), inner;

    switch (number) {
    case EXTENSION_SAN:
        if (x->san.p != NULL)
            return false;
        x->san = der_take(&r, DER_SEQUENCE);
        return reader_done(&r) && x->san.n > 0 && names_are_whole(x->san);
    case EXTENSION_BASIC_CONSTRAINTS:
        inner = der_enter(&r, DER_SEQUENCE);
        x->is_ca = der_boolean(&inner);
        return !inner.failed && reader_done(&r);
    case EXTENSION_AUTHORITY_KEY_ID:
        inner = der_enter(&r, DER_SEQUENCE);
        if (der_peek(&inner) == DER_CONTEXT + 0)
            x->authority_key_id = der_take(&inner, DER_CONTEXT + 0);
        return !inner.failed && reader_done(&r);
    default: return true;
    }
}

static bool read_extensions(struct x509 *x, struct reader *tbs)
{
    struct reader outer = der_enter(tbs, DER_CONTEXT_CONSTRUCTED + 3), list = der_enter(&outer, DER_SEQUENCE);

    while (reader_left(&list) > 0 && !list.failed) {
        struct reader extension = der_enter(&list, DER_SEQUENCE);
        struct bytes oid = der_take(&extension, DER_OID), value;

        der_boolean(&extension); /* critical */
        value = der_take(&extension, DER_OCTET_STRING);
        if (!reader_done(&extension))
            return false;
        if (oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x1d && !read_extension(x, oid.p[2], value))
            return false;
    }
    return reader_done(&list) && reader_done(&outer);
}

static bool read_key(struct x509 *x)
{
    struct reader r = reader_of(x->spki.p, x->spki.n), spki = der_enter(&r, DER_SEQUENCE);
    struct reader algorithm = der_enter(&spki, DER_SEQUENCE);

    x->spki_algorithm_oid = der_take(&algorithm, DER_OID);
    if (bytes_equal(x->spki_algorithm_oid, key_oid_ec) && der_peek(&algorithm) == DER_OID)
        x->spki_curve_oid = der_take(&algorithm, DER_OID);
    x->spki_key = der_bits(&spki);
    return !algorithm.failed && reader_done(&spki);
}

static bool read_tbs(struct x509 *x, struct bytes *inner_algorithm)
{
    struct reader r = reader_of(x->tbs.p, x->tbs.n), tbs = der_enter(&r, DER_SEQUENCE), validity;
    unsigned version = 0; /* as written: one less */

    if (der_peek(&tbs) == DER_CONTEXT_CONSTRUCTED + 0) {
        struct reader outer = der_enter(&tbs, DER_CONTEXT_CONSTRUCTED + 0);
        struct bytes v = der_unsigned(&outer);
        if (!reader_done(&outer) || v.n != 1 || v.p[0] > 2)
            return false;
        version = v.p[0];
    }
    x->version = version + 1;
    x->serial = der_take(&tbs, DER_INTEGER);
    *inner_algorithm = der_whole(&tbs, DER_SEQUENCE);
    x->issuer = der_whole(&tbs, DER_SEQUENCE);
    validity = der_enter(&tbs, DER_SEQUENCE);
    x->not_before = der_time(&validity);
    x->not_after = der_time(&validity);
    x->subject = der_whole(&tbs, DER_SEQUENCE);
    x->spki = der_whole(&tbs, DER_SEQUENCE);
    if (tbs.failed || !reader_done(&validity) || !read_key(x))
        return false;
    x->common_name = find_attribute(x->subject, ATTRIBUTE_COMMON_NAME);
    /* The unique identifiers of version 2, which nobody uses. */
    for (unsigned n = 1; n <= 2; n++)
        if (version >= 1 && der_peek(&tbs) == DER_CONTEXT + n)
            der_take(&tbs, (uint8_t)(DER_CONTEXT + n));
    if (version == 2 && der_peek(&tbs) == DER_CONTEXT_CONSTRUCTED + 3 && !read_extensions(x, &tbs))
        return false;
    return reader_done(&tbs);
}

bool x509_parse(struct x509 *x, struct bytes der)
{
    struct reader r = reader_of(der.p, der.n), certificate = der_enter(&r, DER_SEQUENCE), algorithm;
    struct bytes inner, outer;

    memset(x, 0, sizeof *x);
    x->tbs = der_whole(&certificate, DER_SEQUENCE);
    outer = der_whole(&certificate, DER_SEQUENCE);
    der_bits(&certificate);
    if (!reader_done(&certificate) || !reader_done(&r) || !read_tbs(x, &inner) || !bytes_equal(inner, outer))
        return false;
    r = reader_of(outer.p, outer.n);
    algorithm = der_enter(&r, DER_SEQUENCE);
    x->signature_oid = der_take(&algorithm, DER_OID);
    return !algorithm.failed;
}

bool x509_next_name(struct bytes *san, unsigned *kind, struct bytes *value)
{
    struct reader r = reader_of(san->p, san->n);
    uint8_t tag;

    if (san->n == 0)
        return false;
    *value = der_any(&r, &tag);
    if (r.failed) {
        *san = (struct bytes){NULL, 0};
        return false;
    }
    *kind = tag & 0x1fu;
    *san = bytes_of(r.p, reader_left(&r));
    return true;
}

/* RFC 9525 §6.3: a wildcard is the whole left-most label and stands for exactly one. */
static bool name_matches(struct bytes pattern, struct bytes host)
{
    const uint8_t *dot;

    if (pattern.n > 0 && pattern.p[pattern.n - 1] == '.')
        pattern.n--;
    if (pattern.n == 0 || host.n == 0)
        return false;
    if (bytes_equal_nocase(pattern, host))
        return true;
    if (pattern.n < 3 || pattern.p[0] != '*' || pattern.p[1] != '.')
        return false;
    dot = memchr(host.p, '.', host.n);
    if (dot == NULL || dot == host.p)
        return false;
    return bytes_equal_nocase(bytes_of(pattern.p + 1, pattern.n - 1),
                              bytes_of(dot, host.n - (size_t)(dot - host.p)));
}

static bool ip_matches(struct bytes value, const struct addr *ip)
{
    if (ip->any.sa_family == AF_INET)
        return value.n == 4 && memcmp(value.p, &ip->v4.sin_addr, 4) == 0;
    return value.n == 16 && memcmp(value.p, &ip->v6.sin6_addr, 16) == 0;
}

bool x509_covers(const struct x509 *x, const char *host)
{
    struct bytes name = bytes_str(host), san = x->san, value;
    unsigned kind;
    struct addr ip;
    bool is_ip = addr_from_ip(&ip, name, 0);

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    /* Without a SAN, certificates of the past say it in the common name. */
    if (x->san.n == 0)
        return x->common_name.n > 0 &&
               (is_ip ? bytes_equal(x->common_name, name) : name_matches(x->common_name, name));
    while (x509_next_name(&san, &kind, &value)) {
        if (is_ip ? kind == X509_NAME_IP && ip_matches(value, &ip)
                  : kind == X509_NAME_DNS && name_matches(value, name))
            return true;
    }
    return false;
}

static bool matches_ec(const struct x509 *x, const struct tls_identity *id)
{
    uint8_t buffer[KEY_POINT_MAX];
    struct bytes point;

    if (!bytes_equal(x->spki_algorithm_oid, key_oid_ec) ||
        key_curve_of_oid(x->spki_curve_oid) != id->key.ec.curve)
        return false;
    point = key_public_point(id, buffer);
    return point.n > 0 && bytes_equal(point, x->spki_key);
}

/* The modulus is the product of the primes, but the other parts of the key could still be damaged, and a
 * wrong signature gives the primes away. So the key is tried once: what it makes of a number, the public
 * key undoes. */
static bool matches_rsa(const struct x509 *x, const struct tls_identity *id)
{
    struct reader r = reader_of(x->spki_key.p, x->spki_key.n), key = der_enter(&r, DER_SEQUENCE);
    struct bytes n = der_unsigned(&key), e = der_unsigned(&key);
    const br_rsa_private_key *sk = &id->key.rsa;
    uint8_t number[KEY_RSA_MAX] = {0}, modulus[KEY_RSA_MAX];
    br_rsa_public_key pk = {
        .n = (unsigned char *)(uintptr_t)n.p, .nlen = n.n, .e = (unsigned char *)(uintptr_t)e.p, .elen = e.n};

    if (!bytes_equal(x->spki_algorithm_oid, key_oid_rsa) || !reader_done(&key) || !reader_done(&r) ||
        n.n > sizeof number || !bytes_equal(n, key_rsa_modulus(sk, modulus)))
        return false;
    number[n.n - 1] = 2;
    if (br_rsa_private_get_default()(number, sk) == 0 || br_rsa_public_get_default()(number, n.n, &pk) == 0)
        return false;
    for (size_t i = 0; i + 1 < n.n; i++)
        if (number[i] != 0)
            return false;
    return number[n.n - 1] == 2;
}

bool x509_matches_key(const struct x509 *x, const struct tls_identity *id)
{
    if (id->key_data == NULL)
        return false;
    return id->key_type == TLS_KEY_RSA ? matches_rsa(x, id) : matches_ec(x, id);
}

/* The type of the key that made the signature, by the algorithm's family: 1.2.840.10045.4 is ECDSA,
 * 1.2.840.113549.1.1 is RSA. */
static unsigned issuer_key_type(struct bytes signature_oid)
{
    static const uint8_t ecdsa[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04};
    static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};

    if (signature_oid.n > sizeof ecdsa && memcmp(signature_oid.p, ecdsa, sizeof ecdsa) == 0)
        return BR_KEYTYPE_EC;
    if (signature_oid.n > sizeof rsa && memcmp(signature_oid.p, rsa, sizeof rsa) == 0)
        return BR_KEYTYPE_RSA;
    return 0;
}

const char *x509_append(struct tls_identity *id, struct bytes der)
{
    struct x509 x;
    br_x509_certificate *chain;
    uint8_t *copy;

    if (!x509_parse(&x, der))
        return "this is not a valid X.509 certificate";
    copy = mem_alloc(der.n);
    chain = mem_realloc(id->chain, (id->chain_len + 1) * sizeof *chain);
    if (chain != NULL)
        id->chain = chain;
    if (copy == NULL || chain == NULL) {
        mem_free(copy);
        return "out of memory";
    }
    memcpy(copy, der.p, der.n);
    chain[id->chain_len++] = (br_x509_certificate){.data = copy, .data_len = der.n};
    if (id->chain_len == 1) {
        br_sha256_context sha;

        br_sha256_init(&sha);
        br_sha256_update(&sha, der.p, der.n);
        br_sha256_out(&sha, id->fingerprint);
        id->not_before = x.not_before;
        id->not_after = x.not_after;
        id->issuer_key_type = issuer_key_type(x.signature_oid);
        id->self_signed = bytes_equal(x.issuer, x.subject);
    }
    return NULL;
}
