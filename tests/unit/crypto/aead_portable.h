/* SPDX-License-Identifier: MIT
 *
 * crypto/aead.c a second time, as it is on a processor without instructions for AES: what runs there can be tested
 * here.
 */
#ifndef TESTS_UNIT_CRYPTO_AEAD_PORTABLE_H
#define TESTS_UNIT_CRYPTO_AEAD_PORTABLE_H

#include "crypto/aead.h"

size_t aead_portable_size(enum aead_algorithm algorithm);
void aead_portable_init(struct aead *a, enum aead_algorithm algorithm, const uint8_t *key);
void aead_portable_seal(const struct aead *a, const uint8_t nonce[AEAD_NONCE], const void *aad,
                        size_t aad_len, void *data, size_t len, uint8_t tag[AEAD_TAG]);
bool aead_portable_open(const struct aead *a, const uint8_t nonce[AEAD_NONCE], const void *aad,
                        size_t aad_len, void *data, size_t len, const uint8_t tag[AEAD_TAG]);

#endif
