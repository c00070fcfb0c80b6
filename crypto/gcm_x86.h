/* SPDX-License-Identifier: MIT
 *
 * AES-GCM (NIST SP 800-38D) for TLS, sealed and opened in place and in one pass: while one group of blocks is
 * encrypted, another is hashed. On x86-64 alone, by AES-NI and PCLMULQDQ, or their wide forms (VAES,
 * VPCLMULQDQ) with AVX2 or AVX-512. The nonce has 96 bits and the tag 128, as everywhere in TLS (RFC 5288 §3,
 * RFC 8446 §5.3).
 *
 * Constant time: the instructions that do the work are; branches and addresses depend on lengths, the key's
 * size and the processor, never on a byte of key, nonce, text or tag.
 */
#ifndef CRYPTO_GCM_X86_H
#define CRYPTO_GCM_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gcm_x86_path {
    GCM_X86_NONE,    /* not on this processor */
    GCM_X86_AESNI,   /* AES-NI, PCLMULQDQ, SSE4.1: 8 blocks at a time */
    GCM_X86_VAES256, /* VAES, VPCLMULQDQ, AVX2: 8 blocks in 4 registers */
    GCM_X86_VAES512, /* the same with AVX-512 (F, BW, DQ, VL): 16 blocks in 4 registers */
};

enum {
    GCM_X86_NONCE = 12,
    GCM_X86_TAG = 16,
    GCM_X86_POWERS = 4,
};

/* What an idle connection keeps: so no more than what is dear to make anew. Higher powers of H are made for
 * each text that is long enough to use them. Any alignment, and it may be moved. A secret: gcm_x86_wipe() it. */
struct gcm_x86_key {
    uint8_t powers[GCM_X86_POWERS][16]; /* of the hash key H: H^4 first */
    uint8_t rounds;                     /* 10, 12 or 14 */
    uint8_t path;
    uint8_t round_keys[15][16]; /* one more than rounds; what lies behind these is neither read nor written */
};

#ifdef __x86_64__

/* The fastest that the processor can and the system lets us; a few loads, as CPUID was asked before main. */
enum gcm_x86_path gcm_x86_best(void);
/* Any of the paths works: those up to gcm_x86_best(). */
bool gcm_x86_has(enum gcm_x86_path path);

/* The bytes of a struct gcm_x86_key that a key of `len` bytes uses: all that needs to be there, or be moved. */
size_t gcm_x86_key_size(size_t len);
/* `len` is 16, 24 or 32 bytes. The processor must have the path. */
void gcm_x86_init(struct gcm_x86_key *key, enum gcm_x86_path path, const void *aes_key, size_t len);
/* Fine on a key of zeros, which it leaves as it is. */
void gcm_x86_wipe(struct gcm_x86_key *key);

/* Encrypts `len` bytes at `data` in place and writes the tag over them and `aad`. A nonce is never used
 * twice with the same key: that is the caller's to see to, as is a length below 2^36 - 32 bytes. */
void gcm_x86_seal(const struct gcm_x86_key *key, const uint8_t nonce[GCM_X86_NONCE], const void *aad,
                  size_t aad_len, void *data, size_t len, uint8_t tag[GCM_X86_TAG]);
/* Decrypts in place. When it answers false, the tag was not that of key, nonce, aad and data: what then is
 * at `data` must not be used. */
bool gcm_x86_open(const struct gcm_x86_key *key, const uint8_t nonce[GCM_X86_NONCE], const void *aad,
                  size_t aad_len, void *data, size_t len, const uint8_t tag[GCM_X86_TAG]);

#endif
#endif
