/* SPDX-License-Identifier: MIT
 *
 * DER out of keys and names. Errors stick in the writer, those of a key too.
 */
#include "certs/x509_write.h"

#include "certs/der.h"
#include "certs/key.h"
#include "certs/x509.h"
#include "crypto/impl.h"
#include "net/addr.h"

#include <bearssl.h>

#define OID(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put_rsa_key(struct writer *w, const br_rsa_private_key *key)
{
    uint8_t modulus[KEY_RSA_MAX], exponent[4];
    struct bytes n = key_rsa_modulus(key, modulus);
    uint32_t e = key_rsa_exponent(key);

    for (unsigned i = 0; i < sizeof exponent; i++)
        exponent[i] = (uint8_t)(e >> (24 - 8 * i));
    size_t bits = der_open(w, DER_BIT_STRING);
    writer_u8(w, 0); /* unused bits */
    size_t numbers = der_open(w, DER_SEQUENCE);
    der_put_unsigned(w, n);
    der_put_unsigned(w, bytes_of(exponent, sizeof exponent));
    der_close(w, numbers);
    der_close(w, bits);
    if (n.n == 0 || e == 0)
        w->failed = true;
}

void x509_put_public_key(struct writer *w, const struct tls_identity *id)
{
    uint8_t buffer[KEY_POINT_MAX];
    struct bytes point = key_public_point(id, buffer);
    size_t spki = der_open(w, DER_SEQUENCE), algorithm = der_open(w, DER_SEQUENCE);

    if (id->key_type == TLS_KEY_RSA) {
        der_put(w, DER_OID, key_oid_rsa);
        der_put(w, DER_NULL, (struct bytes){NULL, 0});
        der_close(w, algorithm);
        put_rsa_key(w, &id->key.rsa);
    } else {
        der_put(w, DER_OID, key_oid_ec);
        der_put(w, DER_OID, key_oid_of_curve(id->key.ec.curve));
        der_close(w, algorithm);
        der_put_bits(w, point);
        if (point.n == 0)
            w->failed = true;
    }
    der_close(w, spki);
}

struct x509_extension x509_open_extension(struct writer *w, uint8_t number, bool critical)
{
    struct x509_extension e;

    e.sequence = der_open(w, DER_SEQUENCE);
    der_put(w, DER_OID, OID(0x55, 0x1d, number));
    if (critical)
        der_put(w, DER_BOOLEAN, OID(0xff));
    e.value = der_open(w, DER_OCTET_STRING);
    return e;
}

void x509_close_extension(struct writer *w, struct x509_extension e)
{
    der_close(w, e.value);
    der_close(w, e.sequence);
}

void x509_put_alternative_names(struct writer *w, const char *const *names, unsigned n)
{
    struct x509_extension e = x509_open_extension(w, 17, false);
    size_t list = der_open(w, DER_SEQUENCE);

    for (unsigned i = 0; i < n; i++) {
        struct addr ip;
        bool is_ip = addr_from_ip(&ip, bytes_str(names[i]), 0);

        if (is_ip && ip.any.sa_family == AF_INET)
            der_put(w, DER_CONTEXT + X509_NAME_IP, bytes_of(&ip.v4.sin_addr, 4));
        else if (is_ip)
            der_put(w, DER_CONTEXT + X509_NAME_IP, bytes_of(&ip.v6.sin6_addr, 16));
        else
            der_put(w, DER_CONTEXT + X509_NAME_DNS, bytes_str(names[i]));
    }
    der_close(w, list);
    x509_close_extension(w, e);
}

/* ecdsa-with-SHA256 (RFC 5758 §3.2) has no parameters, sha256WithRSAEncryption (RFC 4055 §5) a NULL. */
void x509_put_signature_algorithm(struct writer *w, const struct tls_identity *id)
{
    size_t algorithm = der_open(w, DER_SEQUENCE);

    if (id->key_type == TLS_KEY_RSA) {
        der_put(w, DER_OID, OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b));
        der_put(w, DER_NULL, (struct bytes){NULL, 0});
    } else {
        der_put(w, DER_OID, OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
    }
    der_close(w, algorithm);
}

void x509_put_signature(struct writer *w, const struct tls_identity *id, size_t start)
{
    const struct crypto_impl *impl = crypto_impl();
    uint8_t hash[32], signature[KEY_RSA_MAX];
    br_sha256_context sha;
    size_t len = 0;

    br_sha256_init(&sha);
    br_sha256_update(&sha, w->start + start, writer_len(w) - start);
    br_sha256_out(&sha, hash);
    if (id->key_type != TLS_KEY_RSA)
        len = impl->ecdsa_sign(impl->ec, &br_sha256_vtable, hash, &id->key.ec, signature);
    else if (impl->rsa_sign(BR_HASH_OID_SHA256, hash, sizeof hash, &id->key.rsa, signature) == 1)
        len = (id->key.rsa.n_bitlen + 7) / 8;
    x509_put_signature_algorithm(w, id);
    der_put_bits(w, bytes_of(signature, len));
    if (len == 0)
        w->failed = true;
}
