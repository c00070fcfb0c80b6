/* SPDX-License-Identifier: MIT
 *
 * Owns SHA-256 by ARMv8's SHA2 instructions. One instruction makes four rounds of half the state, one or two
 * make four words of the message schedule. What is around it is in crypto/sha256_class.h.
 */
#include "crypto/sha256_armv8.h"

#ifdef __AARCH64EL__

#define SHA256_CLASS sha256_armv8
#include "crypto/sha256_class.h"
#include "crypto/armv8.h"

#include <sys/auxv.h>

struct state {
    uint32x4_t abcd, efgh;
};

/* Rounds n to n + 3. */
ARMV8_INLINE void rounds(struct state *s, uint32x4_t words, size_t n)
{
    uint32x4_t sum = vaddq_u32(words, vld1q_u32(constants + n));
    uint32x4_t abcd = s->abcd;

    s->abcd = vsha256hq_u32(abcd, s->efgh, sum);
    s->efgh = vsha256h2q_u32(s->efgh, abcd, sum);
}

/* From 16 words in a row, the four after them. */
ARMV8_INLINE uint32x4_t schedule(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2, uint32x4_t w3)
{
    return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

ARMV8_INLINE uint32x4_t load_words(const uint8_t *p)
{
    return vreinterpretq_u32_u8(vrev32q_u8(armv8_load(p)));
}

ARMV8_CRYPTO static void hash_blocks(uint32_t val[8], const uint8_t *p, size_t blocks)
{
    struct state s = {vld1q_u32(val), vld1q_u32(val + 4)};

    for (; blocks > 0; blocks--, p += BLOCK) {
        struct state before = s;
        uint32x4_t w0 = load_words(p), w1 = load_words(p + 16);
        uint32x4_t w2 = load_words(p + 32), w3 = load_words(p + 48);

        for (size_t n = 0; n < 48; n += 16) {
            rounds(&s, w0, n);
            w0 = schedule(w0, w1, w2, w3);
            rounds(&s, w1, n + 4);
            w1 = schedule(w1, w2, w3, w0);
            rounds(&s, w2, n + 8);
            w2 = schedule(w2, w3, w0, w1);
            rounds(&s, w3, n + 12);
            w3 = schedule(w3, w0, w1, w2);
        }
        rounds(&s, w0, 48);
        rounds(&s, w1, 52);
        rounds(&s, w2, 56);
        rounds(&s, w3, 60);
        s.abcd = vaddq_u32(s.abcd, before.abcd);
        s.efgh = vaddq_u32(s.efgh, before.efgh);
    }
    vst1q_u32(val, s.abcd);
    vst1q_u32(val + 4, s.efgh);
}

bool sha256_armv8_has(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

#endif
