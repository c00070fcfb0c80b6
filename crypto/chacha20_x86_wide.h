/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/chacha20_x86: whole groups of blocks of ChaCha20 (RFC 8439 §2.3), one implementation for each
 * path. Each of the 16 words of the state is a vector, with a block in each lane, and a block's words are put
 * together in the end.
 *
 * Poly1305 on 64-bit limbs keeps the scalar half of the processor busy, which the vectors leave idle: so a group is
 * hashed while another, or the same, is encrypted.
 */
#ifndef CRYPTO_CHACHA20_X86_WIDE_H
#define CRYPTO_CHACHA20_X86_WIDE_H

#ifdef __x86_64__

#include "crypto/poly1305_m64_inner.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

struct chacha20_x86 {
    uint32_t words[16]; /* the state; the counter is words[12] */
    uint32_t lanes[16]; /* what each block of a group has added to the counter: 0, 1, 2 and so on */
};

/* Adds the key stream to `groups` groups of the path's size at `data`, in place, and advances the counter. With a
 * hash, prepared for halves of the group's size, also hashes as many bytes at `hashed`, each group before that of
 * the same number at data is changed: it may be the same place, or one before. */
typedef void chacha20_x86_groups(struct chacha20_x86 *s, uint8_t *data, size_t groups,
                                 struct poly1305_m64 *hash, const uint8_t *hashed);

chacha20_x86_groups chacha20_x86_groups_avx2, chacha20_x86_groups_avx512;

#define CHACHA20_X86_INLINE(features) __attribute__((always_inline, target(features))) static inline

/* What is hashed beside a group: the two halves of a run, in step. NULL hashes nothing. */
struct chacha20_x86_hashing {
    const struct poly1305_m64 *p;
    const uint8_t *at;
    size_t half; /* bytes: a constant, once all is inlined */
    struct poly1305_m64_number first, second;
};

/* Of a half, the n-th block from here. */
static inline __attribute__((always_inline)) void chacha20_x86_hash_first(struct chacha20_x86_hashing *h,
                                                                          size_t n)
{
    if (h != NULL)
        poly1305_m64_block(&h->first, h->p, h->at + n * POLY1305_M64_BLOCK);
}

static inline __attribute__((always_inline)) void chacha20_x86_hash_second(struct chacha20_x86_hashing *h,
                                                                           size_t n)
{
    if (h != NULL)
        poly1305_m64_block(&h->second, h->p, h->at + h->half + n * POLY1305_M64_BLOCK);
}

static inline __attribute__((always_inline)) void chacha20_x86_hash_onward(struct chacha20_x86_hashing *h,
                                                                           size_t n)
{
    if (h != NULL)
        h->at += n * POLY1305_M64_BLOCK;
}

static inline __attribute__((always_inline)) struct chacha20_x86_hashing chacha20_x86_hash_start(
    const struct poly1305_m64 *hash, const uint8_t *hashed, size_t half)
{
    return (struct chacha20_x86_hashing){
        .p = hash, .at = hashed, .half = half, .first = hash->hash, .second = {0, 0, 0}
    };
}

/* The copies, and not what was worked on, have addresses. */
static inline __attribute__((always_inline)) void chacha20_x86_hash_end(struct poly1305_m64 *hash,
                                                                        const struct chacha20_x86_hashing *h)
{
    struct poly1305_m64_number first = h->first, second = h->second;

    poly1305_m64_join(hash, &first, &second);
}

#endif
#endif
