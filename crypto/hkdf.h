/* SPDX-License-Identifier: MIT
 *
 * HKDF (RFC 5869) over BearSSL's HMAC and any of its hash classes, and TLS 1.3's labels on it (RFC 8446 §7.1).
 * Constant time in the secrets as HMAC is; lengths are public. Nothing can fail.
 */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include <bearssl.h>
#include <stddef.h>
#include <stdint.h>

#define HKDF_HASH_MAX 64u /* bytes of the longest hash's output, SHA-512's */

/* The hash's output length in bytes. */
size_t hkdf_hash_len(const br_hash_class *hash);

/* HMAC (RFC 2104), whole; `out` takes the hash's length. */
void hkdf_hmac(const br_hash_class *hash, const void *key, size_t key_len, const void *data, size_t len,
               void *out);

/* HKDF-Extract: `out` takes the hash's length, and may be any of the inputs. */
void hkdf_extract(const br_hash_class *hash, const void *salt, size_t salt_len, const void *secret,
                  size_t secret_len, void *out);

/* HKDF-Expand: `len` is at most 255 times the hash's length; `prk` has the hash's length. */
void hkdf_expand(const br_hash_class *hash, const void *prk, const void *info, size_t info_len, void *out,
                 size_t len);

/* HKDF-Expand-Label(secret, label, context, len), RFC 8446 §7.1; "tls13 " is put before the label, which is at most
 * 32 bytes, the context at most 64. `out` may be the secret. */
void hkdf_expand_label(const br_hash_class *hash, const void *secret, const char *label, const void *context,
                       size_t context_len, void *out, size_t len);

#endif
