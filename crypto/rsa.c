/* SPDX-License-Identifier: MIT
 *
 * Owns what RSA signatures are beside arithmetic: how a hash is encoded, and that the result is verified. The
 * invariant: what is at `x` after a failure is zeros, or the public encoding of the hash.
 */
#include "crypto/rsa.h"

#include "base/mem.h"

#include <string.h>

/* ---- on BearSSL's 31-bit arithmetic, verified ---------------------------------------------------------- */

const unsigned char rsa_fermats[RSA_FERMATS] = {16, 1, 2, 4, 8};

/* n = p * q in `len` bytes; 0 when it has more. BearSSL's own function has too little room for 4096 bits. */
static uint32_t modulus(unsigned char *n, size_t len, const br_rsa_private_key *sk)
{
    unsigned excess = 0;

    memset(n, 0, len);
    for (size_t i = 0; i < sk->plen; i++) {
        unsigned carry = 0;

        for (size_t j = 0; j <= sk->qlen; j++) {
            unsigned q = j < sk->qlen ? sk->q[sk->qlen - 1 - j] : 0;

            carry += sk->p[sk->plen - 1 - i] * q;
            if (i + j < len) {
                carry += n[len - 1 - i - j];
                n[len - 1 - i - j] = (unsigned char)carry;
            } else {
                excess |= carry & 0xff;
            }
            carry >>= 8;
        }
    }
    return excess == 0;
}

/* Some public exponent leads from x back to `message`. */
static uint32_t leads_back(const unsigned char *x, const unsigned char *message, unsigned char *n, size_t len)
{
    unsigned char back[RSA_MAX];

    for (size_t i = 0; i < RSA_FERMATS; i++) {
        uint32_t exponent = ((uint32_t)1 << rsa_fermats[i]) + 1;
        unsigned char e[3] = {(unsigned char)(exponent >> 16), (unsigned char)(exponent >> 8),
                              (unsigned char)exponent};
        const br_rsa_public_key pk = {.n = n, .nlen = len, .e = e, .elen = sizeof e};

        memcpy(back, x, len);
        if (br_rsa_i31_public(back, len, &pk) && memcmp(back, message, len) == 0)
            return 1;
    }
    return 0;
}

uint32_t rsa_i31_private(unsigned char *x, const br_rsa_private_key *sk)
{
    unsigned char n[RSA_MAX], message[RSA_MAX];
    size_t len = (sk->n_bitlen + 7) / 8;

    if (len > RSA_MAX)
        return 0;
    memcpy(message, x, len);
    if (modulus(n, len, sk) && br_rsa_i31_private(x, sk) && leads_back(x, message, n, len))
        return 1;
    mem_wipe(x, len);
    return 0;
}

/* ---- encodings ----------------------------------------------------------------------------------------- */

/* 00 01 FF ... FF 00, and a DigestInfo: SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING }, or, of TLS 1.0, the hash
 * alone. */
uint32_t rsa_pkcs1_encode(const unsigned char *hash_oid, const unsigned char *hash, size_t hash_len,
                          uint32_t n_bitlen, unsigned char *x)
{
    size_t len = (n_bitlen + 7) / 8, oid_len = hash_oid != NULL ? (size_t)hash_oid[0] + 1 : 0;
    size_t info_len = hash_oid != NULL ? oid_len + 9 : 0;

    if (len < hash_len + info_len + 11)
        return 0;
    *x++ = 0;
    *x++ = 1;
    memset(x, 0xff, len - hash_len - info_len - 3);
    x += len - hash_len - info_len - 3;
    *x++ = 0;
    if (hash_oid != NULL) {
        *x++ = 0x30;
        *x++ = (unsigned char)(oid_len + hash_len + 7);
        *x++ = 0x30;
        *x++ = (unsigned char)(oid_len + 3);
        *x++ = 0x06;
        memcpy(x, hash_oid, oid_len);
        x += oid_len;
        *x++ = 0x05;
        *x++ = 0;
        *x++ = 0x04;
        *x++ = (unsigned char)hash_len;
    }
    memcpy(x, hash, hash_len);
    return 1;
}

/* RFC 8017 §B.2.1: x ^= MGF1(seed) */
static void mask(const br_hash_class *hash_class, unsigned char *x, size_t len, const unsigned char *seed,
                 size_t seed_len)
{
    br_hash_compat_context context;
    unsigned char hash[64];

    for (uint32_t counter = 0; len > 0; counter++) {
        unsigned char number[4] = {(unsigned char)(counter >> 24), (unsigned char)(counter >> 16),
                                   (unsigned char)(counter >> 8), (unsigned char)counter};
        size_t n = len < seed_len ? len : seed_len;

        hash_class->init(&context.vtable);
        hash_class->update(&context.vtable, seed, seed_len);
        hash_class->update(&context.vtable, number, sizeof number);
        hash_class->out(&context.vtable, hash);
        for (size_t i = 0; i < n; i++)
            x[i] ^= hash[i];
        x += n;
        len -= n;
    }
}

/* PS || 01 || salt, masked, then H, then BC; H is the hash of eight zeros, the message's hash and the salt. */
uint32_t rsa_pss_encode(const br_hash_class *hash_class, const unsigned char *hash, const unsigned char *salt,
                        uint32_t n_bitlen, unsigned char *x)
{
    static const unsigned char zeros[8] = {0};
    size_t hash_len = hash_class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
    uint32_t bits = n_bitlen > 0 ? n_bitlen - 1 : 0;
    size_t len = (bits + 7) / 8, masked_len = len - hash_len - 1;
    br_hash_compat_context context;

    if (len < 2 * hash_len + 2)
        return 0;
    if (bits % 8 == 0)
        *x++ = 0;
    memset(x, 0, masked_len - hash_len - 1);
    x[masked_len - hash_len - 1] = 1;
    memcpy(x + masked_len - hash_len, salt, hash_len);
    hash_class->init(&context.vtable);
    hash_class->update(&context.vtable, zeros, sizeof zeros);
    hash_class->update(&context.vtable, hash, hash_len);
    hash_class->update(&context.vtable, salt, hash_len);
    hash_class->out(&context.vtable, x + masked_len);
    x[len - 1] = 0xbc;
    mask(hash_class, x, masked_len, x + masked_len, hash_len);
    x[0] &= (unsigned char)(0xff >> (8 * len - bits));
    return 1;
}

/* ---- signatures ---------------------------------------------------------------------------------------- */

uint32_t rsa_i31_pkcs1_sign(const unsigned char *hash_oid, const unsigned char *hash, size_t hash_len,
                            const br_rsa_private_key *sk, unsigned char *x)
{
    return rsa_pkcs1_encode(hash_oid, hash, hash_len, sk->n_bitlen, x) && rsa_i31_private(x, sk);
}

uint32_t rsa_i31_pss_sign(const br_hash_class *hash_class, const unsigned char *hash,
                          const unsigned char *salt, const br_rsa_private_key *sk, unsigned char *x)
{
    return rsa_pss_encode(hash_class, hash, salt, sk->n_bitlen, x) && rsa_i31_private(x, sk);
}
