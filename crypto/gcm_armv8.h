/* SPDX-License-Identifier: MIT
 *
 * AES-GCM (NIST SP 800-38D) for TLS, sealed and opened in place and in one pass, by ARMv8's AES and PMULL
 * instructions: while eight blocks are encrypted, eight others are hashed. The nonce has 96 bits and the tag 128,
 * as everywhere in TLS (RFC 5288 §3, RFC 8446 §5.3).
 *
 * Constant time: the instructions that do the work are; branches and addresses depend on lengths and the key's
 * size, never on a byte of key, nonce, text or tag.
 */
#ifndef CRYPTO_GCM_ARMV8_H
#define CRYPTO_GCM_ARMV8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GCM_ARMV8_NONCE = 12,
    GCM_ARMV8_TAG = 16,
    GCM_ARMV8_POWERS = 4,
};

/* What an idle connection keeps: so no more than what is dear to make anew. Higher powers of H are made for
 * each text that is long enough to use them. Any alignment, and it may be moved. A secret: gcm_armv8_wipe() it. */
struct gcm_armv8_key {
    uint8_t powers[GCM_ARMV8_POWERS][16]; /* of the hash key H: H^4 first */
    uint8_t rounds;                       /* 10, 12 or 14 */
    uint8_t round_keys[15][16]; /* one more than rounds; what lies behind these is neither read nor written */
};

#ifdef __AARCH64EL__

/* The bytes of a struct gcm_armv8_key that a key of `len` bytes uses: all that needs to be there, or be moved. */
size_t gcm_armv8_key_size(size_t len);
/* `len` is 16, 24 or 32 bytes. The processor must have the instructions: aes_armv8_has(). */
void gcm_armv8_init(struct gcm_armv8_key *key, const void *aes_key, size_t len);
/* Fine on a key of zeros, which it leaves as it is. */
void gcm_armv8_wipe(struct gcm_armv8_key *key);

/* Encrypts `len` bytes at `data` in place and writes the tag over them and `aad`. A nonce is never used
 * twice with the same key: that is the caller's to see to, as is a length below 2^36 - 32 bytes. */
void gcm_armv8_seal(const struct gcm_armv8_key *key, const uint8_t nonce[GCM_ARMV8_NONCE], const void *aad,
                    size_t aad_len, void *data, size_t len, uint8_t tag[GCM_ARMV8_TAG]);
/* Decrypts in place. When it answers false, the tag was not that of key, nonce, aad and data: what then is
 * at `data` must not be used. */
bool gcm_armv8_open(const struct gcm_armv8_key *key, const uint8_t nonce[GCM_ARMV8_NONCE], const void *aad,
                    size_t aad_len, void *data, size_t len, const uint8_t tag[GCM_ARMV8_TAG]);

#endif
#endif
