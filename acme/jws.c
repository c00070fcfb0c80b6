/* SPDX-License-Identifier: MIT
 *
 * Writes signatures and public keys. The invariant: a JWK has its members in the order of RFC 7638 §3.3 and nothing
 * between them, so the same text serves as a key in a header and for its thumbprint.
 */
#include "acme/jws.h"

#include "acme/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "certs/der.h"
#include "certs/key.h"
#include "crypto/impl.h"

#include <assert.h>
#include <bearssl.h>
#include <string.h>

#define HEADER_MAX   8192u /* a URL of 2 KiB, a nonce, an RSA key of 4096 bits */
#define HMAC_KEY_MAX 384u

/* ---- algorithms ---- */

struct algorithm {
    const char *name, *curve;
    size_t coordinate; /* bytes; half of a signature (RFC 7518 §3.4) */
    const br_hash_class *hash;
};

/* NULL: none for this key. */
static const struct algorithm *algorithm_of(const struct tls_identity *key)
{
    static const struct algorithm es256 = {"ES256", "P-256", 32, &br_sha256_vtable},
                                  es384 = {"ES384", "P-384", 48, &br_sha384_vtable},
                                  rs256 = {"RS256", NULL, 0, &br_sha256_vtable};

    switch (key->key_type) {
    case TLS_KEY_EC_P256: return &es256;
    case TLS_KEY_EC_P384: return &es384;
    case TLS_KEY_RSA: return &rs256;
    case TLS_KEY_EC_P521: break;
    }
    return NULL;
}

/* The next number of a signature in DER, padded to its fixed length. */
static bool take_number(struct reader *r, uint8_t *out, size_t n)
{
    struct bytes number = der_unsigned(r);

    if (r->failed || number.n > n)
        return false;
    memset(out, 0, n - number.n);
    memcpy(out + (n - number.n), number.p, number.n);
    return true;
}

static bool sign_ec(const struct algorithm *a, const struct tls_identity *key, const uint8_t *hash,
                    uint8_t *out)
{
    const struct crypto_impl *impl = crypto_impl();
    uint8_t der[160];
    size_t len = impl->ecdsa_sign(impl->ec, a->hash, hash, &key->key.ec, der);
    struct reader whole = reader_of(der, len), r = der_enter(&whole, DER_SEQUENCE);

    return len > 0 && take_number(&r, out, a->coordinate) &&
           take_number(&r, out + a->coordinate, a->coordinate) && reader_done(&r);
}

/* The signature over `text`, in base64url. */
static bool put_signature(struct writer *w, const struct tls_identity *key, struct bytes text)
{
    const struct algorithm *a = algorithm_of(key);
    uint8_t hash[64], signature[KEY_RSA_MAX];
    br_hash_compat_context c;
    size_t len;

    a->hash->init(&c.vtable);
    a->hash->update(&c.vtable, text.p, text.n);
    a->hash->out(&c.vtable, hash);
    if (a->curve != NULL) {
        len = 2 * a->coordinate;
        if (!sign_ec(a, key, hash, signature))
            return false;
    } else {
        len = (key->key.rsa.n_bitlen + 7) / 8;
        if (len > sizeof signature ||
            crypto_impl()->rsa_sign(BR_HASH_OID_SHA256, hash, 32, &key->key.rsa, signature) != 1)
            return false;
    }
    text_base64url_encode(w, bytes_of(signature, len));
    return true;
}

/* ---- the public key (RFC 7517, RFC 7518 §6) ---- */

static void put_member(struct writer *w, const char *before, struct bytes value, const char *after)
{
    writer_str(w, before);
    text_base64url_encode(w, value);
    writer_str(w, after);
}

static bool put_rsa_key(struct writer *w, const br_rsa_private_key *key)
{
    uint8_t buffer[KEY_RSA_MAX], exponent[4];
    struct bytes modulus = key_rsa_modulus(key, buffer);
    uint32_t e = key_rsa_exponent(key);
    size_t zeros = 0;

    if (modulus.n == 0 || e == 0)
        return false;
    for (unsigned i = 0; i < 4; i++)
        exponent[i] = (uint8_t)(e >> (24 - 8 * i));
    while (exponent[zeros] == 0)
        zeros++;
    put_member(w, "{\"e\":\"", bytes_of(exponent + zeros, sizeof exponent - zeros), "\",\"kty\":\"RSA\"");
    put_member(w, ",\"n\":\"", modulus, "\"}");
    return true;
}

static bool put_jwk(struct writer *w, const struct tls_identity *key)
{
    const struct algorithm *a = algorithm_of(key);
    uint8_t buffer[KEY_POINT_MAX];
    struct bytes point;

    if (a == NULL)
        return false;
    if (a->curve == NULL)
        return put_rsa_key(w, &key->key.rsa);
    point = key_public_point(key, buffer); /* 04, x, y */
    if (point.n != 1 + 2 * a->coordinate)
        return false;
    writer_str(w, "{\"crv\":\"");
    writer_str(w, a->curve);
    put_member(w, "\",\"kty\":\"EC\",\"x\":\"", bytes_of(point.p + 1, a->coordinate), "\"");
    put_member(w, ",\"y\":\"", bytes_of(point.p + 1 + a->coordinate, a->coordinate), "\"}");
    return true;
}

bool jws_thumbprint(const struct tls_identity *key, char out[JWS_THUMBPRINT + 1])
{
    uint8_t jwk[1024], hash[32];
    struct writer k = writer_of(jwk, sizeof jwk), w = writer_of(out, JWS_THUMBPRINT + 1);
    br_sha256_context c;

    if (!put_jwk(&k, key) || k.failed)
        return false;
    br_sha256_init(&c);
    br_sha256_update(&c, jwk, writer_len(&k));
    br_sha256_out(&c, hash);
    text_base64url_encode(&w, bytes_of(hash, sizeof hash));
    writer_u8(&w, 0);
    assert(!w.failed);
    return true;
}

bool jws_key_authorization(struct writer *w, const struct tls_identity *key, struct bytes token)
{
    char thumbprint[JWS_THUMBPRINT + 1];

    if (!jws_thumbprint(key, thumbprint))
        return false;
    writer_bytes(w, token);
    writer_u8(w, '.');
    writer_str(w, thumbprint);
    return !w->failed;
}

/* ---- whole signatures ---- */

/* What is signed: header '.' payload, both in base64url, in a buffer of its own. NULL when out of memory. */
static char *signing_input(struct bytes header, struct bytes payload, size_t *header_len, size_t *len)
{
    size_t cap = (header.n + payload.n) / 3 * 4 + 16;
    char *text = mem_alloc(cap);
    struct writer w = writer_of(text, text != NULL ? cap : 0);

    text_base64url_encode(&w, header);
    *header_len = writer_len(&w);
    writer_u8(&w, '.');
    text_base64url_encode(&w, payload);
    *len = writer_len(&w);
    if (text != NULL && !w.failed)
        return text;
    mem_free(text);
    return NULL;
}

static void put_parts(struct writer *w, const char *input, size_t header_len, size_t len)
{
    writer_str(w, "{\"protected\":\"");
    writer_put(w, input, header_len);
    writer_str(w, "\",\"payload\":\"");
    writer_put(w, input + header_len + 1, len - header_len - 1);
    writer_str(w, "\",\"signature\":\"");
}

bool jws_sign(struct writer *w, const struct tls_identity *key, const char *account, const char *nonce,
              const char *url, struct bytes payload)
{
    BYTES_UNSET char header[HEADER_MAX];
    struct writer h = writer_of(header, sizeof header);
    const struct algorithm *a = algorithm_of(key);
    size_t header_len, len;
    char *input;
    bool good;

    if (a == NULL)
        return false;
    writer_str(&h, "{\"alg\":\"");
    writer_str(&h, a->name);
    writer_str(&h, account != NULL ? "\",\"kid\":" : "\",\"jwk\":");
    if (account != NULL)
        json_put_string(&h, bytes_str(account));
    else if (!put_jwk(&h, key))
        return false;
    writer_str(&h, ",\"nonce\":");
    json_put_string(&h, bytes_str(nonce));
    writer_str(&h, ",\"url\":");
    json_put_string(&h, bytes_str(url));
    writer_u8(&h, '}');
    if (h.failed ||
        (input = signing_input(bytes_of(header, writer_len(&h)), payload, &header_len, &len)) == NULL)
        return false;
    put_parts(w, input, header_len, len);
    good = put_signature(w, key, bytes_of(input, len));
    writer_str(w, "\"}");
    mem_free(input);
    return good && !w->failed;
}

bool jws_external_account(struct writer *w, const struct tls_identity *key, const char *key_id,
                          const char *hmac_key, const char *url)
{
    uint8_t secret[HMAC_KEY_MAX], jwk[1024], mac[32];
    BYTES_UNSET char header[HEADER_MAX];
    struct writer h = writer_of(header, sizeof header), k = writer_of(jwk, sizeof jwk);
    br_hmac_key_context kc;
    br_hmac_context hc;
    size_t secret_len, header_len, len;
    char *input = NULL;

    if (!text_base64url_decode(bytes_str(hmac_key), secret, sizeof secret, &secret_len) || secret_len == 0)
        goto out;
    writer_str(&h, "{\"alg\":\"HS256\",\"kid\":");
    json_put_string(&h, bytes_str(key_id));
    writer_str(&h, ",\"url\":");
    json_put_string(&h, bytes_str(url));
    writer_u8(&h, '}');
    if (!put_jwk(&k, key) || k.failed || h.failed)
        goto out;
    input = signing_input(bytes_of(header, writer_len(&h)), bytes_of(jwk, writer_len(&k)), &header_len, &len);
    if (input == NULL)
        goto out;
    br_hmac_key_init(&kc, &br_sha256_vtable, secret, secret_len);
    br_hmac_init(&hc, &kc, 0);
    br_hmac_update(&hc, input, len);
    br_hmac_out(&hc, mac);
    put_parts(w, input, header_len, len);
    text_base64url_encode(w, bytes_of(mac, sizeof mac));
    writer_str(w, "\"}");
    mem_wipe(&kc, sizeof kc);
    mem_wipe(&hc, sizeof hc);
out:
    mem_wipe(secret, sizeof secret);
    mem_free(input);
    return input != NULL && !w->failed;
}
