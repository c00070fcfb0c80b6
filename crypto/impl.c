/* SPDX-License-Identifier: MIT
 *
 * Owns the choice of implementations. What depends on the word size is settled by the compiler, what depends on the
 * processor when the program runs: the compiler's runtime has asked CPUID once, before main (CPUID traps in a
 * virtual machine, so BearSSL's own *_get functions would cost every connection dearly).
 */
#include "crypto/impl.h"
#include "crypto/gcm_record.h"

#include <stdint.h>

#if defined __x86_64__ || defined __i386__
#define HAVE_AESNI 1
#else
#define HAVE_AESNI 0
#endif

#if UINTPTR_MAX > 0xffffffffu
#define AES_CTR br_aes_ct64_ctr_vtable
#define GHASH   br_ghash_ctmul64
#else
#define AES_CTR br_aes_ct_ctr_vtable
#define GHASH   br_ghash_ctmul
#endif

#ifdef __x86_64__
#define GCM_IN  gcm_record_in
#define GCM_OUT gcm_record_out
#else
#define GCM_IN  br_sslrec_in_gcm_vtable
#define GCM_OUT br_sslrec_out_gcm_vtable
#endif

/* SSE2 is part of x86-64; on the older 32-bit machines it may be missing. */
#ifdef __x86_64__
#define CHACHA20 br_chacha20_sse2_run
#else
#define CHACHA20 br_chacha20_ct_run
#endif

#ifdef __SIZEOF_INT128__
#define POLY1305 br_poly1305_ctmulq_run
#define RSA_SIGN br_rsa_i62_pkcs1_sign
#define RSA_VRFY br_rsa_i62_pkcs1_vrfy
#else
#define POLY1305 br_poly1305_ctmul_run
#define RSA_SIGN br_rsa_i31_pkcs1_sign
#define RSA_VRFY br_rsa_i31_pkcs1_vrfy
#endif

/* br_ec_all_m31 offers every curve of its mask to a TLS peer; this one is the same with two of them. */

static const unsigned char *ecdhe_generator(int curve, size_t *len)
{
    return br_ec_all_m31.generator(curve, len);
}

static const unsigned char *ecdhe_order(int curve, size_t *len)
{
    return br_ec_all_m31.order(curve, len);
}

static size_t ecdhe_xoff(int curve, size_t *len)
{
    return br_ec_all_m31.xoff(curve, len);
}

static uint32_t ecdhe_mul(unsigned char *g, size_t glen, const unsigned char *x, size_t xlen, int curve)
{
    return br_ec_all_m31.mul(g, glen, x, xlen, curve);
}

static size_t ecdhe_mulgen(unsigned char *r, const unsigned char *x, size_t xlen, int curve)
{
    return br_ec_all_m31.mulgen(r, x, xlen, curve);
}

static uint32_t ecdhe_muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
                             size_t xlen, const unsigned char *y, size_t ylen, int curve)
{
    return br_ec_all_m31.muladd(a, b, len, x, xlen, y, ylen, curve);
}

static const br_ec_impl ecdhe = {
    .supported_curves = (uint32_t)1 << BR_EC_curve25519 | (uint32_t)1 << BR_EC_secp256r1,
    .generator = ecdhe_generator,
    .order = ecdhe_order,
    .xoff = ecdhe_xoff,
    .mul = ecdhe_mul,
    .mulgen = ecdhe_mulgen,
    .muladd = ecdhe_muladd,
};

static const struct crypto_impl portable = {
    .fast_aes = false,
    .aes_ctr = &AES_CTR,
    .ghash = GHASH,
    .gcm_in = &br_sslrec_in_gcm_vtable,
    .gcm_out = &br_sslrec_out_gcm_vtable,
    .chacha20 = CHACHA20,
    .poly1305 = POLY1305,
    .ec = &br_ec_all_m31,
    .ecdhe = &ecdhe,
    .ecdsa_sign = br_ecdsa_i31_sign_asn1,
    .ecdsa_vrfy = br_ecdsa_i31_vrfy_asn1,
    .rsa_sign = RSA_SIGN,
    .rsa_vrfy = RSA_VRFY,
};

#if HAVE_AESNI
static const struct crypto_impl aesni = {
    .fast_aes = true,
    .aes_ctr = &br_aes_x86ni_ctr_vtable,
    .ghash = br_ghash_pclmul,
    .gcm_in = &GCM_IN,
    .gcm_out = &GCM_OUT,
    .chacha20 = br_chacha20_sse2_run, /* whatever has AES has SSE2 */
    .poly1305 = POLY1305,
    .ec = &br_ec_all_m31,
    .ecdhe = &ecdhe,
    .ecdsa_sign = br_ecdsa_i31_sign_asn1,
    .ecdsa_vrfy = br_ecdsa_i31_vrfy_asn1,
    .rsa_sign = RSA_SIGN,
    .rsa_vrfy = RSA_VRFY,
};
#endif

const struct crypto_impl *crypto_impl_portable(void)
{
    return &portable;
}

const struct crypto_impl *crypto_impl(void)
{
#if HAVE_AESNI
    if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"))
        return &aesni;
#endif
    return &portable;
}
