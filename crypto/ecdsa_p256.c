/* SPDX-License-Identifier: MIT
 *
 * Owns ECDSA on P-256: the nonce, the two equations, and the way from and to DER, which is BearSSL's.
 */
#include "crypto/ecdsa_p256.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"
#include "crypto/declassify.h"
#include "crypto/p256.h"

#include <string.h>

/* The leftmost 256 bits of the hash (FIPS 186-5 §6.4.1), modulo the order. */
static void hash_to_scalar(struct p256_scalar *r, const void *hash, size_t len)
{
    p256_scalar_read(r, hash, len < P256_SCALAR ? len : P256_SCALAR);
}

/* ---- RFC 6979 §3.2 ---------------------------------------------------------------------------------------------- */

/* HMAC_DRBG, with its K as a context that has taken in the key already. */
struct drbg {
    br_hmac_key_context key;
    uint8_t v[64];
    size_t len; /* of the hash */
};

static void drbg_key(struct drbg *d, const br_hash_class *hf, const void *k)
{
    br_hmac_key_init(&d->key, hf, k, d->len);
}

/* HMAC(K, V || what follows), where a first byte below 0 stands for nothing. */
static void drbg_hmac(const struct drbg *d, uint8_t *to, int first, const void *rest, size_t len)
{
    br_hmac_context hmac;
    uint8_t byte = (uint8_t)first;

    br_hmac_init(&hmac, &d->key, 0);
    br_hmac_update(&hmac, d->v, d->len);
    if (first >= 0)
        br_hmac_update(&hmac, &byte, 1);
    br_hmac_update(&hmac, rest, len);
    br_hmac_out(&hmac, to);
    mem_wipe(&hmac, sizeof hmac);
}

/* K = HMAC(K, V || byte || seed), V = HMAC(K, V). */
static void drbg_mix(struct drbg *d, const br_hash_class *hf, uint8_t byte, const void *seed, size_t len)
{
    uint8_t k[64];

    drbg_hmac(d, k, byte, seed, len);
    drbg_key(d, hf, k);
    drbg_hmac(d, d->v, -1, NULL, 0);
    mem_wipe(k, sizeof k);
}

/* Steps b to g. */
static void drbg_init(struct drbg *d, const br_hash_class *hf, const struct p256_scalar *x,
                      const struct p256_scalar *hash)
{
    uint8_t seed[2 * P256_SCALAR], zero[64] = {0};

    d->len = hf->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
    p256_scalar_write(seed, x);
    p256_scalar_write(seed + P256_SCALAR, hash);
    memset(d->v, 1, sizeof d->v);
    drbg_key(d, hf, zero);
    drbg_mix(d, hf, 0, seed, sizeof seed);
    drbg_mix(d, hf, 1, seed, sizeof seed);
    mem_wipe(seed, sizeof seed);
}

/* Step h, up to the check; the next one begins with what a failed check asks for. */
static uint32_t drbg_candidate(struct drbg *d, struct p256_scalar *k)
{
    uint8_t t[P256_SCALAR];
    uint32_t good;

    for (size_t n = 0; n < sizeof t; n += d->len) {
        drbg_hmac(d, d->v, -1, NULL, 0);
        memcpy(t + n, d->v, d->len < sizeof t - n ? d->len : sizeof t - n);
    }
    good = p256_scalar_read(k, t, sizeof t) & (p256_scalar_is_zero(k) ^ 1);
    mem_wipe(t, sizeof t);
    return good;
}

static void nonce(struct p256_scalar *k, const br_hash_class *hf, const struct p256_scalar *x,
                  const struct p256_scalar *hash)
{
    struct drbg d;

    drbg_init(&d, hf, x, hash);
    while (!declassify_bool(drbg_candidate(&d, k))) /* what is thrown away says nothing of what is kept */
        drbg_mix(&d, hf, 0, NULL, 0);
    mem_wipe(&d, sizeof d);
}

/* ---- signing ---------------------------------------------------------------------------------------------------- */

/* r is 0 for one nonce, and s for one that depends on key and hash: neither can be found. */
static void sign(struct p256_scalar *r, struct p256_scalar *s, const struct p256_scalar *x,
                 const struct p256_scalar *hash, struct p256_scalar *k)
{
    uint8_t point[P256_POINT];

    p256_mulgen(p256_best(), point, k);
    p256_scalar_read(r, point + 1, P256_SCALAR);
    p256_scalar_mul(s, r, x);
    p256_scalar_add(s, s, hash);
    p256_scalar_inverse(k, k);
    p256_scalar_mul(s, s, k);
    mem_wipe(point, sizeof point); /* its y tells k from -k */
}

size_t ecdsa_p256_sign_asn1(const br_ec_impl *impl, const br_hash_class *hf, const void *hash_value,
                            const br_ec_private_key *sk, void *sig)
{
    struct p256_scalar x, hash, k, r, s;
    uint8_t raw[2 * P256_SCALAR + 12]; /* with room for what DER adds */
    size_t len = 0;

    if (sk->curve != BR_EC_secp256r1)
        return br_ecdsa_i31_sign_asn1(impl, hf, hash_value, sk, sig);
    if ((impl->supported_curves >> BR_EC_secp256r1 & 1) == 0)
        return 0;
    if (declassify_bool(p256_scalar_read(&x, sk->x, sk->xlen) & (p256_scalar_is_zero(&x) ^ 1))) {
        hash_to_scalar(&hash, hash_value, hf->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK);
        nonce(&k, hf, &x, &hash);
        sign(&r, &s, &x, &hash, &k);
        p256_scalar_write(raw, &r);
        p256_scalar_write(raw + P256_SCALAR, &s);
        declassify(raw, 2 * P256_SCALAR); /* the signature */
        len = br_ecdsa_raw_to_asn1(raw, 2 * P256_SCALAR);
        memcpy(sig, raw, len);
        mem_wipe(&k, sizeof k);
    }
    mem_wipe(&x, sizeof x);
    return len;
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

/* BearSSL's parser forgives what is not DER: the signature must be what its two numbers are written as. */
static bool read_signature(struct p256_scalar *r, struct p256_scalar *s, const void *sig, size_t sig_len)
{
    uint8_t raw[2 * P256_SCALAR + 12];
    size_t len;

    if (sig_len > sizeof raw)
        return false;
    memcpy(raw, sig, sig_len);
    len = br_ecdsa_asn1_to_raw(raw, sig_len) / 2;
    if (!p256_scalar_read(r, raw, len) || !p256_scalar_read(s, raw + len, len))
        return false;
    if (p256_scalar_is_zero(r) || p256_scalar_is_zero(s))
        return false;
    p256_scalar_write(raw, r);
    p256_scalar_write(raw + P256_SCALAR, s);
    return br_ecdsa_raw_to_asn1(raw, 2 * P256_SCALAR) == sig_len && memcmp(raw, sig, sig_len) == 0;
}

uint32_t ecdsa_p256_vrfy_asn1(const br_ec_impl *impl, const void *hash, size_t hash_len,
                              const br_ec_public_key *pk, const void *sig, size_t sig_len)
{
    struct p256_scalar r, s, u, v;

    if (pk->curve != BR_EC_secp256r1)
        return br_ecdsa_i31_vrfy_asn1(impl, hash, hash_len, pk, sig, sig_len);
    if ((impl->supported_curves >> BR_EC_secp256r1 & 1) == 0 || pk->qlen != P256_POINT)
        return 0;
    if (!read_signature(&r, &s, sig, sig_len))
        return 0;
    hash_to_scalar(&u, hash, hash_len);
    p256_scalar_inverse(&s, &s);
    p256_scalar_mul(&u, &u, &s);
    p256_scalar_mul(&v, &r, &s);
    return p256_verify(p256_best(), pk->q, &u, &v, &r);
}

#endif
