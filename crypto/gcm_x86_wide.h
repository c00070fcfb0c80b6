/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/gcm_x86: whole groups of blocks, one implementation for each path. GHASH follows Gueron
 * and Kounavis ("Carry-Less Multiplication and Its Usage for Computing the GCM Mode"): blocks and powers are
 * byte-reversed and the powers carry a factor x, so that a product needs no shift; the products of a group
 * are added up before they are reduced once.
 */
#ifndef CRYPTO_GCM_X86_WIDE_H
#define CRYPTO_GCM_X86_WIDE_H

#ifdef __x86_64__

#include "crypto/gcm_x86.h"

#include <immintrin.h>

/* What passes from group to group, both byte-reversed. */
struct gcm_x86_state {
    __m128i hash;    /* GHASH of all before */
    __m128i counter; /* the next counter block */
};

/* Does `groups` groups of the path's size, at least one, in place. Of a message that is sealed, what is
 * hashed is there only a group later: its first is encrypted alone and its last hashed alone. */
typedef void gcm_x86_groups(const struct gcm_x86_key *key, struct gcm_x86_state *s, uint8_t *data,
                            size_t groups, bool seal);

gcm_x86_groups gcm_x86_groups_vaes256, gcm_x86_groups_vaes512;

/* The field's polynomial as reduction multiplies by it. */
#define GCM_X86_POLYNOMIAL ((long long)0xc200000000000000)

#define GCM_X86_INLINE(features) __attribute__((always_inline, target(features))) static inline

#endif
#endif
