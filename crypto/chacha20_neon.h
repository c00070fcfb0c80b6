/* SPDX-License-Identifier: MIT
 *
 * ChaCha20 (RFC 8439 §2.4) by NEON, which every 64-bit ARM processor has, as BearSSL takes it: a
 * br_chacha20_run.
 *
 * Constant time: additions, rotations and exclusive ors; branches depend on the length alone.
 */
#ifndef CRYPTO_CHACHA20_NEON_H
#define CRYPTO_CHACHA20_NEON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __AARCH64EL__

/* Encrypts or decrypts `len` bytes in place, with a key of 32 bytes, a nonce of 12, and `cc` as the first block's
 * counter. Answers the counter after the last block, a part of one counted as one. */
uint32_t chacha20_neon_run(const void *key, const void *iv, uint32_t cc, void *data, size_t len);

#endif
#endif
