/* SPDX-License-Identifier: MIT
 *
 * Owns ChaCha20 by NEON: four blocks at a time, each of the sixteen registers holding one word of all four. So a
 * round needs no shuffling, and its four quarter rounds overlap; the words are put in their places at the end.
 */
#include "crypto/chacha20_neon.h"

#ifdef __AARCH64EL__

#include "base/mem.h"

#include <arm_neon.h>
#include <string.h>

#define INLINE __attribute__((always_inline)) static inline

enum { BLOCK = 64, FOUR = 4 * BLOCK };

/* The words of RFC 8439 §2.3, each for four blocks that differ in the counter. */
struct four {
    uint32x4_t w[16];
};

INLINE uint32x4_t rotate_16(uint32x4_t v)
{
    return vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(v)));
}

INLINE uint32x4_t rotate_12(uint32x4_t v)
{
    return vsriq_n_u32(vshlq_n_u32(v, 12), v, 20);
}

INLINE uint32x4_t rotate_8(uint32x4_t v)
{
    static const uint8_t order[16] = {3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14};

    return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(v), vld1q_u8(order)));
}

INLINE uint32x4_t rotate_7(uint32x4_t v)
{
    return vsriq_n_u32(vshlq_n_u32(v, 7), v, 25);
}

INLINE void quarter_round(struct four *f, size_t a, size_t b, size_t c, size_t d)
{
    f->w[a] = vaddq_u32(f->w[a], f->w[b]);
    f->w[d] = rotate_16(veorq_u32(f->w[d], f->w[a]));
    f->w[c] = vaddq_u32(f->w[c], f->w[d]);
    f->w[b] = rotate_12(veorq_u32(f->w[b], f->w[c]));
    f->w[a] = vaddq_u32(f->w[a], f->w[b]);
    f->w[d] = rotate_8(veorq_u32(f->w[d], f->w[a]));
    f->w[c] = vaddq_u32(f->w[c], f->w[d]);
    f->w[b] = rotate_7(veorq_u32(f->w[b], f->w[c]));
}

INLINE void double_round(struct four *f)
{
    quarter_round(f, 0, 4, 8, 12);
    quarter_round(f, 1, 5, 9, 13);
    quarter_round(f, 2, 6, 10, 14);
    quarter_round(f, 3, 7, 11, 15);
    quarter_round(f, 0, 5, 10, 15);
    quarter_round(f, 1, 6, 11, 12);
    quarter_round(f, 2, 7, 8, 13);
    quarter_round(f, 3, 4, 9, 14);
}

INLINE void xor_to(uint8_t *p, uint64x2_t v)
{
    vst1q_u8(p, veorq_u8(vld1q_u8(p), vreinterpretq_u8_u64(v)));
}

/* Words n to n + 3, which are 16 bytes of each block. */
INLINE void xor_words(const struct four *f, size_t n, uint8_t *p)
{
    uint64x2_t ab_even = vreinterpretq_u64_u32(vtrn1q_u32(f->w[n], f->w[n + 1]));
    uint64x2_t ab_odd = vreinterpretq_u64_u32(vtrn2q_u32(f->w[n], f->w[n + 1]));
    uint64x2_t cd_even = vreinterpretq_u64_u32(vtrn1q_u32(f->w[n + 2], f->w[n + 3]));
    uint64x2_t cd_odd = vreinterpretq_u64_u32(vtrn2q_u32(f->w[n + 2], f->w[n + 3]));

    p += 4 * n;
    xor_to(p, vtrn1q_u64(ab_even, cd_even));
    xor_to(p + BLOCK, vtrn1q_u64(ab_odd, cd_odd));
    xor_to(p + 2 * BLOCK, vtrn2q_u64(ab_even, cd_even));
    xor_to(p + 3 * BLOCK, vtrn2q_u64(ab_odd, cd_odd));
}

/* Unrolled, so that all of `f` stays in registers. */
static void xor_four_blocks(const uint32_t words[16], uint8_t *p)
{
    static const uint32_t following[4] = {0, 1, 2, 3};
    struct four f;

#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++)
        f.w[i] = vdupq_n_u32(words[i]);
    f.w[12] = vaddq_u32(f.w[12], vld1q_u32(following));
    for (unsigned i = 0; i < 10; i++)
        double_round(&f);
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++)
        f.w[i] = vaddq_u32(f.w[i], vdupq_n_u32(words[i]));
    f.w[12] = vaddq_u32(f.w[12], vld1q_u32(following));
    xor_words(&f, 0, p);
    xor_words(&f, 4, p);
    xor_words(&f, 8, p);
    xor_words(&f, 12, p);
}

uint32_t chacha20_neon_run(const void *key, const void *iv, uint32_t cc, void *data, size_t len)
{
    uint32_t words[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint8_t *p = data;

    memcpy(words + 4, key, 32);
    words[12] = cc;
    memcpy(words + 13, iv, 12);
    for (; len >= FOUR; len -= FOUR, p += FOUR) {
        xor_four_blocks(words, p);
        words[12] += 4;
    }
    if (len > 0) {
        uint8_t rest[FOUR] = {0};

        memcpy(rest, p, len);
        xor_four_blocks(words, rest);
        memcpy(p, rest, len);
        words[12] += (uint32_t)((len + BLOCK - 1) / BLOCK);
        mem_wipe(rest, sizeof rest);
    }
    cc = words[12];
    mem_wipe(words, sizeof words);
    return cc;
}

#endif
