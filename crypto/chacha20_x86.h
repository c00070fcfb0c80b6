/* SPDX-License-Identifier: MIT
 *
 * ChaCha20 (RFC 8439 §2.4) and ChaCha20-Poly1305 (§2.8) by vectors, on x86-64 alone. Where a
 * text is longer than a group of blocks, one is hashed while another is encrypted.
 *
 * Constant time: additions, rotations and multiplications of whole words; branches and addresses depend on lengths
 * and the processor, never on a byte of key, nonce, text or tag.
 */
#ifndef CRYPTO_CHACHA20_X86_H
#define CRYPTO_CHACHA20_X86_H

#ifdef __x86_64__

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chacha20_x86_path {
    CHACHA20_X86_NONE,   /* BearSSL's, by SSE2 and block by block, and Poly1305 by crypto/poly1305_m64 */
    CHACHA20_X86_AVX2,   /* 8 blocks at a time */
    CHACHA20_X86_AVX512, /* AVX-512 (F): 16 blocks */
};

/* The fastest that the processor can and the system lets us; a few loads, as CPUID was asked before main. */
enum chacha20_x86_path chacha20_x86_best(void);
/* Any of the paths works: those up to chacha20_x86_best(). */
bool chacha20_x86_has(enum chacha20_x86_path path);

/* Adds the key stream from block `counter` on to `len` bytes at `data`, in place, and answers the number of the block
 * after the last that was used. The key has 32 bytes, the nonce 12. The counter has 32 bits and wraps. */
uint32_t chacha20_x86_add(enum chacha20_x86_path path, const void *key, const void *nonce, uint32_t counter,
                          void *data, size_t len);
/* Encrypts or decrypts `len` bytes at `data` in place and writes the tag, 16 bytes, that belongs to the ciphertext and
 * the additional data: who decrypts compares it, in constant time. A nonce is never used twice with the same key,
 * and a length is below 2^38 - 64. */
void chacha20_x86_aead(enum chacha20_x86_path path, const void *key, const void *nonce, void *data,
                       size_t len, const void *aad, size_t aad_len, void *tag, bool encrypt);

/* The two by the best path, in BearSSL's types. `ichacha` goes unused. */
uint32_t chacha20_x86_run(const void *key, const void *nonce, uint32_t counter, void *data, size_t len);
void chacha20_x86_poly1305_run(const void *key, const void *nonce, void *data, size_t len, const void *aad,
                               size_t aad_len, void *tag, br_chacha20_run ichacha, int encrypt);

#endif
#endif
