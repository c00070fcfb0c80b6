/* SPDX-License-Identifier: MIT
 *
 * The AEADs of TLS 1.3 (RFC 8446 §9.1, RFC 5116) as one: a key that seals and opens in place, by the fastest that
 * crypto_impl() offers. All have nonces of 96 bits and tags of 128. Constant time as the implementations are: lengths
 * and the algorithm are public, nothing else decides a branch or an address.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aead_algorithm { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305, AEAD_ALGORITHMS };

enum { AEAD_NONCE = 12, AEAD_TAG = 16, AEAD_KEY_MAX = 32 };

/* Bytes of a key: 16 or 32. */
size_t aead_key_len(enum aead_algorithm algorithm);

/* One direction's key, expanded: as many bytes as the algorithm takes on this processor, at any address that malloc
 * gives. It holds no pointer and needs no end but being wiped by who owns the memory. */
struct aead;
size_t aead_size(enum aead_algorithm algorithm);
void aead_init(struct aead *a, enum aead_algorithm algorithm, const uint8_t *key);

/* Encrypts `len` bytes at `data` in place and writes the tag over them and `aad`. A nonce is never used twice with
 * the same key: the caller sees to that. */
void aead_seal(const struct aead *a, const uint8_t nonce[AEAD_NONCE], const void *aad, size_t aad_len,
               void *data, size_t len, uint8_t tag[AEAD_TAG]);
/* Decrypts in place. False: the tag does not fit; what then is at `data` must not be used. */
bool aead_open(const struct aead *a, const uint8_t nonce[AEAD_NONCE], const void *aad, size_t aad_len,
               void *data, size_t len, const uint8_t tag[AEAD_TAG]);

#endif
