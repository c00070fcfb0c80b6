/* SPDX-License-Identifier: MIT
 *
 * ChaCha20-Poly1305 (RFC 8439 §2.8) with Poly1305 on 64-bit limbs, for machines that multiply 64 bits by 64. As
 * BearSSL's br_poly1305_ctmulq_run(), with which it may be exchanged.
 */
#ifndef CRYPTO_POLY1305_M64_H
#define CRYPTO_POLY1305_M64_H

#ifdef __SIZEOF_INT128__

#include <bearssl.h>
#include <stddef.h>

/* Encrypts (`encrypt` is 1) or decrypts (0) `len` bytes at `data` in place by `ichacha` and writes the tag, 16 bytes,
 * that belongs to the ciphertext and the additional data: who decrypts compares it, in constant time. The key has 32
 * bytes, the nonce 12; a nonce is never used twice with the same key, and a length is below 2^38 - 64. */
void poly1305_m64_run(const void *key, const void *iv, void *data, size_t len, const void *aad,
                      size_t aad_len, void *tag, br_chacha20_run ichacha, int encrypt);

#endif
#endif
