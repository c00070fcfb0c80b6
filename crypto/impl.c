/* SPDX-License-Identifier: MIT
 *
 * Owns the choice of implementations. What depends on the word size is settled by the compiler, what depends on the
 * processor when the program runs: crypto/cpu_x86.c asks once (CPUID traps in a virtual machine, so BearSSL's own *_get
 * functions would cost every connection dearly).
 */
#include "crypto/impl.h"
#include "crypto/aes_armv8.h"
#include "crypto/chacha20_neon.h"
#include "crypto/chacha20_x86.h"
#include "crypto/cpu_x86.h"
#include "crypto/ec.h"
#include "crypto/ecdsa_p256.h"
#include "crypto/gcm_record.h"
#include "crypto/poly1305_m64.h"
#include "crypto/rsa_m64.h"
#include "crypto/sha256_armv8.h"
#include "crypto/sha256_x86.h"

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

#if GCM_BY_INSTRUCTIONS
#define GCM_IN  gcm_record_in
#define GCM_OUT gcm_record_out
#else
#define GCM_IN  br_sslrec_in_gcm_vtable
#define GCM_OUT br_sslrec_out_gcm_vtable
#endif

/* SSE2 is part of x86-64, and NEON of 64-bit ARM; on the older 32-bit machines they may be missing. */
#if defined __x86_64__
#define CHACHA20 br_chacha20_sse2_run
#elif defined __AARCH64EL__
#define CHACHA20 chacha20_neon_run
#else
#define CHACHA20 br_chacha20_ct_run
#endif

/* clang-format off */
#ifdef __SIZEOF_INT128__
#define POLY1305 poly1305_m64_run
#define PUBLIC_KEYS                      \
    .ec = &ec_all,                       \
    .ecdhe = &ec_ecdhe,                  \
    .ecdsa_sign = ecdsa_p256_sign_asn1,  \
    .ecdsa_vrfy = ecdsa_p256_vrfy_asn1,  \
    .rsa_sign = rsa_m64_pkcs1_sign,      \
    .rsa_pss_sign = rsa_m64_pss_sign,    \
    .rsa_vrfy = br_rsa_i62_pkcs1_vrfy
#else
#define POLY1305 br_poly1305_ctmul_run
#define PUBLIC_KEYS                      \
    .ec = &ec_all,                       \
    .ecdhe = &ec_ecdhe,                  \
    .ecdsa_sign = br_ecdsa_i31_sign_asn1, \
    .ecdsa_vrfy = br_ecdsa_i31_vrfy_asn1, \
    .rsa_sign = rsa_i31_pkcs1_sign,      \
    .rsa_pss_sign = rsa_i31_pss_sign,    \
    .rsa_vrfy = br_rsa_i31_pkcs1_vrfy
#endif

static const struct crypto_impl portable = {
    .fast_aes = false,
    .aes_ctr = &AES_CTR,
    .ghash = GHASH,
    .gcm_in = &br_sslrec_in_gcm_vtable,
    .gcm_out = &br_sslrec_out_gcm_vtable,
    .sha256 = &br_sha256_vtable,
    .chacha20 = CHACHA20,
    .poly1305 = POLY1305,
    PUBLIC_KEYS,
};

#if HAVE_AESNI
/* Of what has AES, all but the oldest has AVX2 too; and all has SSE2. */
#ifdef __x86_64__
#define CHACHA20_AND_POLY1305 .chacha20 = chacha20_x86_run, .poly1305 = chacha20_x86_poly1305_run
#else
#define CHACHA20_AND_POLY1305 .chacha20 = br_chacha20_sse2_run, .poly1305 = POLY1305
#endif

#define AESNI                             \
    .fast_aes = true,                     \
    .aes_ctr = &br_aes_x86ni_ctr_vtable,  \
    .ghash = br_ghash_pclmul,             \
    .gcm_in = &GCM_IN,                    \
    .gcm_out = &GCM_OUT,                  \
    CHACHA20_AND_POLY1305,                \
    PUBLIC_KEYS

/* Of processors with AES, those of Intel before Ice Lake have no SHA. */
static const struct crypto_impl aesni = {AESNI, .sha256 = &br_sha256_vtable};
static const struct crypto_impl aesni_sha = {AESNI, .sha256 = &sha256_x86};
#endif

#ifdef __AARCH64EL__
static const struct crypto_impl armv8 = {
    .fast_aes = true,
    .aes_ctr = &aes_armv8_ctr,
    .ghash = aes_armv8_ghash,
    .gcm_in = &gcm_record_in,
    .gcm_out = &gcm_record_out,
    .sha256 = &sha256_armv8,
    .chacha20 = CHACHA20,
    .poly1305 = POLY1305,
    PUBLIC_KEYS,
};
#endif
/* clang-format on */

const struct crypto_impl *crypto_impl_portable(void)
{
    return &portable;
}

const struct crypto_impl *crypto_impl(void)
{
#if HAVE_AESNI
    if (cpu_x86_has(CPU_X86_AES | CPU_X86_PCLMUL | CPU_X86_SSE41))
        return sha256_x86_works() ? &aesni_sha : &aesni;
#endif
#ifdef __AARCH64EL__
    if (aes_armv8_has() && sha256_armv8_has()) /* what has one has the others */
        return &armv8;
#endif
    return &portable;
}
