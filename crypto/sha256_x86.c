/* SPDX-License-Identifier: MIT
 *
 * Owns SHA-256 by x86's SHA extensions (Intel since Ice Lake and Goldmont, AMD since Zen). One instruction makes two
 * rounds, with the state in two registers whose order is the instruction's, not the standard's: a, b, e, f and
 * c, d, g, h. What is around it is in crypto/sha256_class.h.
 */
#include "crypto/sha256_x86.h"

#if defined __x86_64__ || defined __i386__

#define SHA256_CLASS sha256_x86
#include "crypto/cpu_x86.h"
#include "crypto/sha256_class.h"

#include <immintrin.h>

#define TARGET   "sha,sse4.1"
#define FUNCTION __attribute__((target(TARGET))) static
#define INLINE   __attribute__((always_inline, target(TARGET))) static inline

/* From the highest 32 bits down. */
struct state {
    __m128i abef, cdgh;
};

/* Rounds n to n + 3. Two rounds turn c, d, g, h into what a, b, e, f are two rounds later, so the names change
 * places and after four stand as before. */
INLINE void rounds(struct state *s, __m128i words, unsigned n)
{
    __m128i sum = _mm_add_epi32(words, _mm_load_si128((const __m128i *)(constants + n)));

    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, sum);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* From 16 words in a row, the four after them. */
INLINE __m128i schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));

    return _mm_sha256msg2_epu32(sum, w3);
}

INLINE __m128i load_words(const uint8_t *p)
{
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p),
                            _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

/* The standard's order in memory to the instruction's, and back. */
INLINE struct state load_state(const uint32_t val[8])
{
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)val), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(val + 4)), 0x1b);

    return (struct state){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

INLINE void store_state(uint32_t val[8], struct state s)
{
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)val, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(val + 4), _mm_alignr_epi8(dchg, feba, 8));
}

FUNCTION void hash_blocks(uint32_t val[8], const uint8_t *p, size_t blocks)
{
    struct state s = load_state(val);

    for (; blocks > 0; blocks--, p += BLOCK) {
        struct state before = s;
        __m128i w0 = load_words(p), w1 = load_words(p + 16);
        __m128i w2 = load_words(p + 32), w3 = load_words(p + 48);

        for (unsigned n = 0; n < 48; n += 16) {
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
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    store_state(val, s);
}

bool sha256_x86_works(void)
{
    return cpu_x86_has(CPU_X86_SHA | CPU_X86_SSE41);
}

#endif
