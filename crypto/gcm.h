/* SPDX-License-Identifier: MIT
 *
 * AES-GCM in one pass by this processor's instructions, whichever they are: crypto/gcm_x86.h and
 * crypto/gcm_armv8.h say what each of these does. Where the compiler's target has neither, all that is here is
 * a gcm_has() that answers no, and GCM_BY_INSTRUCTIONS is 0.
 */
#ifndef CRYPTO_GCM_H
#define CRYPTO_GCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GCM_NONCE = 12, GCM_TAG = 16 };

#if defined __x86_64__

#include "crypto/gcm_x86.h"

#define GCM_BY_INSTRUCTIONS 1

struct gcm_key {
    struct gcm_x86_key by;
};

/* May the rest be used on this processor? Where crypto_impl()->fast_aes, yes. */
static inline bool gcm_has(void)
{
    return gcm_x86_best() != GCM_X86_NONE;
}

static inline size_t gcm_key_size(size_t len)
{
    return gcm_x86_key_size(len);
}

static inline void gcm_init(struct gcm_key *key, const void *aes_key, size_t len)
{
    gcm_x86_init(&key->by, gcm_x86_best(), aes_key, len);
}

static inline void gcm_wipe(struct gcm_key *key)
{
    gcm_x86_wipe(&key->by);
}

static inline void gcm_seal(const struct gcm_key *key, const uint8_t nonce[GCM_NONCE], const void *aad,
                            size_t aad_len, void *data, size_t len, uint8_t tag[GCM_TAG])
{
    gcm_x86_seal(&key->by, nonce, aad, aad_len, data, len, tag);
}

static inline bool gcm_open(const struct gcm_key *key, const uint8_t nonce[GCM_NONCE], const void *aad,
                            size_t aad_len, void *data, size_t len, const uint8_t tag[GCM_TAG])
{
    return gcm_x86_open(&key->by, nonce, aad, aad_len, data, len, tag);
}

#elif defined __AARCH64EL__

#include "crypto/aes_armv8.h"
#include "crypto/gcm_armv8.h"

#define GCM_BY_INSTRUCTIONS 1

struct gcm_key {
    struct gcm_armv8_key by;
};

static inline bool gcm_has(void)
{
    return aes_armv8_has();
}

static inline size_t gcm_key_size(size_t len)
{
    return gcm_armv8_key_size(len);
}

static inline void gcm_init(struct gcm_key *key, const void *aes_key, size_t len)
{
    gcm_armv8_init(&key->by, aes_key, len);
}

static inline void gcm_wipe(struct gcm_key *key)
{
    gcm_armv8_wipe(&key->by);
}

static inline void gcm_seal(const struct gcm_key *key, const uint8_t nonce[GCM_NONCE], const void *aad,
                            size_t aad_len, void *data, size_t len, uint8_t tag[GCM_TAG])
{
    gcm_armv8_seal(&key->by, nonce, aad, aad_len, data, len, tag);
}

static inline bool gcm_open(const struct gcm_key *key, const uint8_t nonce[GCM_NONCE], const void *aad,
                            size_t aad_len, void *data, size_t len, const uint8_t tag[GCM_TAG])
{
    return gcm_armv8_open(&key->by, nonce, aad, aad_len, data, len, tag);
}

#else

#define GCM_BY_INSTRUCTIONS 0

static inline bool gcm_has(void)
{
    return false;
}

#endif
#endif
