/* SPDX-License-Identifier: MIT
 *
 * AES in counter mode and GHASH by ARMv8's AES and PMULL instructions, as BearSSL takes them: a
 * br_block_ctr_class whose context fits a br_aes_gen_ctr_keys, and a br_ghash. crypto/gcm_armv8.h takes whole
 * AES-GCM messages in one pass.
 *
 * Constant time: branches and addresses depend on lengths and the key's size alone.
 */
#ifndef CRYPTO_AES_ARMV8_H
#define CRYPTO_AES_ARMV8_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AES_ARMV8_ROUND_KEYS = 15 };

/* A secret; its owner wipes it. */
struct aes_armv8_ctr_keys {
    const br_block_ctr_class *vtable;
    uint8_t round_keys[AES_ARMV8_ROUND_KEYS][16];
    unsigned rounds; /* 10, 12 or 14 */
};

#ifdef __AARCH64EL__

/* Has this processor both instructions? The rest may be used only then. */
bool aes_armv8_has(void);

extern const br_block_ctr_class aes_armv8_ctr;
void aes_armv8_ghash(void *y, const void *h, const void *data, size_t len);

/* The round keys of an AES key of 16, 24 or 32 bytes (FIPS 197 §5.2), and how many rounds they are for. */
unsigned aes_armv8_expand(uint8_t round_keys[AES_ARMV8_ROUND_KEYS][16], const void *key, size_t len);

#endif
#endif
