/* SPDX-License-Identifier: MIT
 *
 * The one place that chooses implementations: what BearSSL has and what this folder adds, by what the processor
 * can do. Everything here is constant-time. Tables are constant; choosing costs a few loads.
 */
#ifndef CRYPTO_IMPL_H
#define CRYPTO_IMPL_H

#include "crypto/rsa.h"

#include <bearssl.h>
#include <stdbool.h>

struct crypto_impl {
    bool fast_aes; /* AES and GHASH by instructions: AES-GCM beats ChaCha20-Poly1305 */
    const br_block_ctr_class *aes_ctr;
    br_ghash ghash;
    const br_sslrec_in_gcm_class *gcm_in; /* TLS 1.2 records; take aes_ctr and ghash when initialised */
    const br_sslrec_out_gcm_class *gcm_out;
    const br_hash_class *sha256; /* on a br_sha256_context */
    br_chacha20_run chacha20;
    br_poly1305_run poly1305;
    const br_ec_impl *ec;    /* every curve we know: for signatures */
    const br_ec_impl *ecdhe; /* X25519 and P-256 alone: what a server agrees on keys with */
    br_ecdsa_sign ecdsa_sign;
    br_ecdsa_vrfy ecdsa_vrfy;
    br_rsa_pkcs1_sign rsa_sign; /* both make verified signatures alone: crypto/rsa.h */
    rsa_pss_sign rsa_pss_sign;
    br_rsa_pkcs1_vrfy rsa_vrfy;
};

/* Never NULL; the same for the life of the process. */
const struct crypto_impl *crypto_impl(void);
/* What runs on any processor of this architecture: for tests to hold the fast one against. */
const struct crypto_impl *crypto_impl_portable(void);

#endif
