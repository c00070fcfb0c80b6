/* SPDX-License-Identifier: MIT
 *
 * Owns the expanded keys of the AEADs. Where the processor has instructions for AES-GCM (crypto/gcm.h), its key is
 * theirs; elsewhere it is the round keys of the block cipher that crypto_impl() chose, and the rest of GCM is BearSSL's,
 * set up anew for each record: that is one block more, and much less to hold.
 */
#include "crypto/aead.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/gcm.h"
#include "crypto/impl.h"

#include <assert.h>
#include <string.h>

struct aead {
    uint8_t algorithm;
    bool fused; /* crypto/gcm.h */
    union {
        uint8_t chacha20[32];
        br_aes_gen_ctr_keys aes;
#if GCM_BY_INSTRUCTIONS
        struct gcm_key gcm;
#endif
    } key;
};

size_t aead_key_len(enum aead_algorithm algorithm)
{
    return algorithm == AEAD_AES_128_GCM ? 16 : 32;
}

size_t aead_size(enum aead_algorithm algorithm)
{
    size_t head = offsetof(struct aead, key);

    if (algorithm == AEAD_CHACHA20_POLY1305)
        return head + 32;
#if GCM_BY_INSTRUCTIONS
    if (gcm_has())
        return head + gcm_key_size(aead_key_len(algorithm));
#endif
    return head + crypto_impl()->aes_ctr->context_size;
}

void aead_init(struct aead *a, enum aead_algorithm algorithm, const uint8_t *key)
{
    a->algorithm = (uint8_t)algorithm;
    a->fused = false;
    if (algorithm == AEAD_CHACHA20_POLY1305) {
        memcpy(a->key.chacha20, key, sizeof a->key.chacha20);
        return;
    }
#if GCM_BY_INSTRUCTIONS
    if (gcm_has()) {
        a->fused = true;
        gcm_init(&a->key.gcm, key, aead_key_len(algorithm));
        return;
    }
#endif
    const br_block_ctr_class *aes = crypto_impl()->aes_ctr;
    aes->init(&a->key.aes.vtable, key, aead_key_len(algorithm));
}

/* BearSSL's GCM over the implementations that were chosen (NIST SP 800-38D). */
static void gcm(const struct aead *a, const uint8_t *nonce, const void *aad, size_t aad_len, void *data,
                size_t len, uint8_t *tag, int encrypt)
{
    br_gcm_context ctx;

    /* BearSSL's pointer to the keys is not const; it only reads them. */
    br_gcm_init(&ctx, (const br_block_ctr_class **)(uintptr_t)&a->key.aes.vtable, crypto_impl()->ghash);
    br_gcm_reset(&ctx, nonce, AEAD_NONCE);
    br_gcm_aad_inject(&ctx, aad, aad_len);
    br_gcm_flip(&ctx);
    br_gcm_run(&ctx, encrypt, data, len);
    br_gcm_get_tag(&ctx, tag);
    mem_wipe(&ctx, sizeof ctx);
}

/* RFC 8439 §2.8 */
static void chacha20_poly1305(const struct aead *a, const uint8_t *nonce, const void *aad, size_t aad_len,
                              void *data, size_t len, uint8_t *tag, int encrypt)
{
    const struct crypto_impl *impl = crypto_impl();

    impl->poly1305(a->key.chacha20, nonce, data, len, aad, aad_len, tag, impl->chacha20, encrypt);
}

void aead_seal(const struct aead *a, const uint8_t nonce[AEAD_NONCE], const void *aad, size_t aad_len,
               void *data, size_t len, uint8_t tag[AEAD_TAG])
{
    if (a->algorithm == AEAD_CHACHA20_POLY1305)
        chacha20_poly1305(a, nonce, aad, aad_len, data, len, tag, 1);
#if GCM_BY_INSTRUCTIONS
    else if (a->fused)
        gcm_seal(&a->key.gcm, nonce, aad, aad_len, data, len, tag);
#endif
    else
        gcm(a, nonce, aad, aad_len, data, len, tag, 1);
}

bool aead_open(const struct aead *a, const uint8_t nonce[AEAD_NONCE], const void *aad, size_t aad_len,
               void *data, size_t len, const uint8_t tag[AEAD_TAG])
{
    uint8_t computed[AEAD_TAG];

#if GCM_BY_INSTRUCTIONS
    if (a->fused)
        return gcm_open(&a->key.gcm, nonce, aad, aad_len, data, len, tag);
#endif
    if (a->algorithm == AEAD_CHACHA20_POLY1305)
        chacha20_poly1305(a, nonce, aad, aad_len, data, len, computed, 0);
    else
        gcm(a, nonce, aad, aad_len, data, len, computed, 0);
    return bytes_equal_secret(computed, tag, AEAD_TAG);
}
