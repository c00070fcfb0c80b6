/* SPDX-License-Identifier: MIT
 *
 * EC keys by certs/key.c, RSA keys by BearSSL: two primes, the exponent 65537.
 */
#include "certs/keygen.h"

#include "base/mem.h"
#include "base/random.h"
#include "certs/key.h"
#include "certs/pem.h"

#include <string.h>

#define DER_MAX 2500u /* of an RSA key of 4096 bits: 2376 */

static const struct {
    const char *name;
    int curve; /* 0: RSA */
    unsigned bits;
} types[] = {
    {"p256",    BR_EC_secp256r1, 0   },
    {"p384",    BR_EC_secp384r1, 0   },
    {"rsa2048", 0,               2048},
    {"rsa3072", 0,               3072},
    {"rsa4096", 0,               4096},
};

/* Both write the key in DER and return its length; 0: out of memory. */
static size_t make_ec(uint8_t out[DER_MAX], int curve)
{
    struct tls_identity *id = tls_identity_new("key");
    struct writer w = writer_of(out, DER_MAX);
    bool good = id != NULL && key_generate(id, curve);

    if (good)
        key_write(&w, id);
    tls_identity_unref(id);
    return good && !w.failed ? writer_len(&w) : 0;
}

static size_t make_rsa(uint8_t out[DER_MAX], unsigned bits)
{
    uint8_t seed[48], private[BR_RSA_KBUF_PRIV_SIZE(4096)], public[BR_RSA_KBUF_PUB_SIZE(4096)], d[512];
    br_hmac_drbg_context random;
    br_rsa_private_key sk;
    br_rsa_public_key pk;
    size_t d_len = 0, n = 0;

    random_bytes(seed, sizeof seed);
    br_hmac_drbg_init(&random, &br_sha256_vtable, seed, sizeof seed);
    if (br_rsa_keygen_get_default()(&random.vtable, &sk, private, &pk, public, bits, 65537) == 1)
        d_len = br_rsa_compute_privexp_get_default()(d, &sk, 65537);
    if (d_len > 0 && br_encode_rsa_pkcs8_der(NULL, &sk, &pk, d, d_len) <= DER_MAX)
        n = br_encode_rsa_pkcs8_der(out, &sk, &pk, d, d_len);
    mem_wipe(seed, sizeof seed);
    mem_wipe(private, sizeof private);
    mem_wipe(d, sizeof d);
    mem_wipe(&random, sizeof random);
    return n;
}

const char *keygen(struct writer *pem, const char *type)
{
    uint8_t der[DER_MAX];
    size_t i = 0, n;

    while (i < sizeof types / sizeof types[0] && strcmp(type, types[i].name) != 0)
        i++;
    if (i == sizeof types / sizeof types[0])
        return "no such type of key; one of " KEYGEN_TYPES;
    n = types[i].curve != 0 ? make_ec(der, types[i].curve) : make_rsa(der, types[i].bits);
    if (n > 0)
        pem_write(pem, "PRIVATE KEY", bytes_of(der, n));
    mem_wipe(der, sizeof der);
    return n > 0 && !pem->failed ? NULL : "out of memory";
}
