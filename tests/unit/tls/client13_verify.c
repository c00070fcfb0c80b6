/* SPDX-License-Identifier: MIT
 *
 * See client13.h: the signature of a CertificateVerify, checked with BearSSL's own curves and RSA, and with RSASSA-PSS
 * (RFC 8017 §8.1.2, §9.1.2) written out.
 */
#include "tests/unit/tls/client13.h"

#include "crypto/hkdf.h"

#include <string.h>

static void hash_two(const br_hash_class *hash, struct bytes a, struct bytes b, uint8_t *out)
{
    br_hash_compat_context ctx;

    hash->init(&ctx.vtable);
    hash->update(&ctx.vtable, a.p, a.n);
    hash->update(&ctx.vtable, b.p, b.n);
    hash->out(&ctx.vtable, out);
}

/* MGF1 (RFC 8017 §B.2.1) over data. */
static void unmask(const br_hash_class *hash, struct bytes seed, uint8_t *data, size_t n)
{
    uint8_t block[64], counter[4] = {0};
    size_t h = hkdf_hash_len(hash);

    for (size_t i = 0; i < n; i++) {
        if (i % h == 0) {
            counter[3] = (uint8_t)(i / h);
            hash_two(hash, seed, (struct bytes){counter, 4}, block);
        }
        data[i] ^= block[i % h];
    }
}

static bool verify_pss(const br_rsa_public_key *key, const br_hash_class *hash, const uint8_t *digest,
                       struct bytes signature)
{
    uint8_t em[1024], padded[8 + 64] = {0}, again[64];
    size_t h = hkdf_hash_len(hash), n = signature.n;

    if (n != key->nlen || n > sizeof em || n < 2 * h + 2 || !(key->n[0] & 0x80))
        return false;
    memcpy(em, signature.p, n);
    if (!br_rsa_i31_public(em, n, key) || em[n - 1] != 0xbc || em[0] & 0x80)
        return false;
    size_t db = n - h - 1;
    unmask(hash, (struct bytes){em + db, h}, em, db);
    em[0] &= 0x7f;
    for (size_t i = 0; i + h + 1 < db; i++)
        if (em[i])
            return false;
    if (em[db - h - 1] != 1)
        return false;
    memcpy(padded + 8, digest, h);
    hash_two(hash, (struct bytes){padded, 8 + h}, (struct bytes){em + db - h, h}, again);
    return memcmp(again, em + db, h) == 0;
}

bool client13_verify(const struct client13 *c, struct bytes text, struct bytes signature)
{
    static const struct {
        uint16_t number;
        int curve; /* 0: RSA */
        const br_hash_class *hash;
    } algorithms[] = {
        {0x0403, BR_EC_secp256r1, &br_sha256_vtable},
        {0x0503, BR_EC_secp384r1, &br_sha384_vtable},
        {0x0603, BR_EC_secp521r1, &br_sha512_vtable},
        {0x0804, 0,               &br_sha256_vtable},
        {0x0805, 0,               &br_sha384_vtable},
        {0x0806, 0,               &br_sha512_vtable},
    };
    br_x509_decoder_context x509;
    uint8_t digest[64];

    br_x509_decoder_init(&x509, NULL, NULL);
    br_x509_decoder_push(&x509, c->certificate.p, c->certificate.n);
    const br_x509_pkey *key = br_x509_decoder_get_pkey(&x509);
    if (!key)
        return false;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        const br_hash_class *hash = algorithms[i].hash;
        if (algorithms[i].number != c->signature)
            continue;
        hash_two(hash, text, (struct bytes){NULL, 0}, digest);
        if (!algorithms[i].curve)
            return key->key_type == BR_KEYTYPE_RSA && verify_pss(&key->key.rsa, hash, digest, signature);
        return key->key_type == BR_KEYTYPE_EC && key->key.ec.curve == algorithms[i].curve &&
               br_ecdsa_i31_vrfy_asn1(&br_ec_all_m31, digest, hkdf_hash_len(hash), &key->key.ec, signature.p,
                                      signature.n);
    }
    return false;
}
