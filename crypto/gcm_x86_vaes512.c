/* SPDX-License-Identifier: MIT
 *
 * Owns the groups of AES-GCM by VAES and VPCLMULQDQ in AVX-512: four registers of four blocks. As the group
 * of 8 in gcm_x86.c, to be read first. Lanes of 128 bits know nothing of each other until a group's hash is
 * added up.
 */
#include "crypto/gcm_x86_wide.h"

#ifdef __x86_64__

#define TARGET "aes,pclmul,avx2,vaes,vpclmulqdq,avx512f,avx512bw,avx512dq,avx512vl"
#define INLINE GCM_X86_INLINE(TARGET)

enum { VECTOR = 64, GROUP = 4 * VECTOR };

INLINE __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* The same block in each lane. */
INLINE __m512i load_block(const uint8_t *p)
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)p));
}

INLINE __m512i reverse(__m512i v)
{
    return _mm512_shuffle_epi8(
        v, _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

struct four {
    __m512i v0, v1, v2, v3;
};

INLINE void four_round(struct four *f, const uint8_t *round_key)
{
    __m512i k = load_block(round_key);

    f->v0 = _mm512_aesenc_epi128(f->v0, k);
    f->v1 = _mm512_aesenc_epi128(f->v1, k);
    f->v2 = _mm512_aesenc_epi128(f->v2, k);
    f->v3 = _mm512_aesenc_epi128(f->v3, k);
}

INLINE __m512i next_counters(__m512i *counters)
{
    __m512i blocks = reverse(*counters);

    *counters = _mm512_add_epi32(*counters, _mm512_broadcast_i32x4(_mm_set_epi32(0, 0, 0, 4)));
    return blocks;
}

INLINE void four_start(struct four *f, __m512i *counters, __m512i k)
{
    f->v0 = _mm512_xor_si512(next_counters(counters), k);
    f->v1 = _mm512_xor_si512(next_counters(counters), k);
    f->v2 = _mm512_xor_si512(next_counters(counters), k);
    f->v3 = _mm512_xor_si512(next_counters(counters), k);
}

INLINE void last_round(uint8_t *p, __m512i v, __m512i k)
{
    _mm512_storeu_si512(p, _mm512_aesenclast_epi128(v, _mm512_xor_si512(k, load(p))));
}

INLINE void four_finish(const struct four *f, uint8_t *p, __m512i k)
{
    last_round(p, f->v0, k);
    last_round(p + VECTOR, f->v1, k);
    last_round(p + 2 * VECTOR, f->v2, k);
    last_round(p + 3 * VECTOR, f->v3, k);
}

struct products {
    __m512i low, middle, high;
};

INLINE struct products no_products(void)
{
    return (struct products){_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
}

/* 0x96: the exclusive or of three. */
INLINE void add_product(struct products *sum, __m512i a, __m512i b)
{
    sum->low = _mm512_xor_si512(sum->low, _mm512_clmulepi64_epi128(a, b, 0x00));
    sum->middle = _mm512_ternarylogic_epi64(sum->middle, _mm512_clmulepi64_epi128(a, b, 0x01),
                                            _mm512_clmulepi64_epi128(a, b, 0x10), 0x96);
    sum->high = _mm512_xor_si512(sum->high, _mm512_clmulepi64_epi128(a, b, 0x11));
}

INLINE __m512i swap_halves(__m512i v)
{
    return _mm512_shuffle_epi32(v, 0x4e);
}

/* Each lane by itself. */
INLINE __m512i reduce_lanes(struct products sum)
{
    __m512i polynomial = _mm512_set1_epi64(GCM_X86_POLYNOMIAL);
    __m512i middle = _mm512_ternarylogic_epi64(sum.middle, swap_halves(sum.low),
                                               _mm512_clmulepi64_epi128(sum.low, polynomial, 0x00), 0x96);

    return _mm512_ternarylogic_epi64(sum.high, swap_halves(middle),
                                     _mm512_clmulepi64_epi128(middle, polynomial, 0x00), 0x96);
}

INLINE __m512i multiply(__m512i a, __m512i b)
{
    struct products sum = no_products();

    add_product(&sum, a, b);
    return reduce_lanes(sum);
}

/* The sum of the lanes. */
INLINE __m128i reduce(struct products sum)
{
    __m512i lanes = reduce_lanes(sum);
    __m256i two = _mm256_xor_si256(_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64(lanes, 1));

    return _mm_xor_si128(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
}

struct state {
    __m128i hash;
    __m512i counters;
};

INLINE void hash_nth(const __m512i powers[4], struct products *sum, const uint8_t *p, size_t n,
                     __m128i before)
{
    __m512i blocks = reverse(load(p + n * VECTOR));

    if (n == 0)
        blocks = _mm512_xor_si512(blocks, _mm512_zextsi128_si512(before));
    add_product(sum, blocks, powers[n]);
}

INLINE void both(const struct gcm_x86_key *key, const __m512i powers[4], struct state *s, uint8_t *data,
                 const uint8_t *hashed)
{
    const uint8_t(*rk)[16] = key->round_keys;
    struct products sum = no_products();
    struct four f;

    four_start(&f, &s->counters, load_block(rk[0]));
    four_round(&f, rk[1]);
    hash_nth(powers, &sum, hashed, 1, s->hash);
    four_round(&f, rk[2]);
    four_round(&f, rk[3]);
    hash_nth(powers, &sum, hashed, 2, s->hash);
    four_round(&f, rk[4]);
    four_round(&f, rk[5]);
    hash_nth(powers, &sum, hashed, 3, s->hash);
    four_round(&f, rk[6]);
    hash_nth(powers, &sum, hashed, 0, s->hash);
    four_round(&f, rk[7]);
    four_round(&f, rk[8]);
    s->hash = reduce(sum);
    four_round(&f, rk[9]);
    for (unsigned i = 10; i < key->rounds; i += 2) {
        four_round(&f, rk[i]);
        four_round(&f, rk[i + 1]);
    }
    four_finish(&f, data, load_block(rk[key->rounds]));
}

INLINE void encrypt_group(const struct gcm_x86_key *key, struct state *s, uint8_t *data)
{
    struct four f;

    four_start(&f, &s->counters, load_block(key->round_keys[0]));
    for (unsigned i = 1; i < key->rounds; i++)
        four_round(&f, key->round_keys[i]);
    four_finish(&f, data, load_block(key->round_keys[key->rounds]));
}

INLINE void hash_group(const __m512i powers[4], struct state *s, const uint8_t *data)
{
    struct products sum = no_products();

    hash_nth(powers, &sum, data, 0, s->hash);
    hash_nth(powers, &sum, data, 1, s->hash);
    hash_nth(powers, &sum, data, 2, s->hash);
    hash_nth(powers, &sum, data, 3, s->hash);
    s->hash = reduce(sum);
}

INLINE struct state enter(const struct gcm_x86_state *state)
{
    return (struct state){
        .hash = state->hash,
        .counters = _mm512_add_epi32(_mm512_broadcast_i32x4(state->counter),
                                     _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0)),
    };
}

/* The code that follows is SSE: the upper halves must be clean, or each of its instructions waits. */
INLINE void leave(struct gcm_x86_state *state, const struct state *s)
{
    state->hash = s->hash;
    state->counter = _mm512_castsi512_si128(s->counters);
    _mm256_zeroupper();
}

INLINE void run_groups(const struct gcm_x86_key *key, const __m512i powers[4], struct gcm_x86_state *state,
                       uint8_t *data, size_t groups, bool seal)
{
    struct state s = enter(state);
    uint8_t *hashed = data;

    if (seal) {
        encrypt_group(key, &s, data);
        data += GROUP;
        groups--;
    }
    for (; groups > 0; groups--, data += GROUP, hashed += GROUP)
        both(key, powers, &s, data, hashed);
    if (seal)
        hash_group(powers, &s, hashed);
    leave(state, &s);
}

__attribute__((target(TARGET))) void gcm_x86_groups_vaes512(const struct gcm_x86_key *key,
                                                            struct gcm_x86_state *state, uint8_t *data,
                                                            size_t groups, bool seal)
{
    __m512i powers[4]; /* H^16 first, all in registers: nothing to wipe */

    powers[3] = load(key->powers);
    powers[2] = multiply(powers[3], load_block(key->powers[0]));
    powers[1] = multiply(powers[2], load_block(key->powers[0]));
    powers[0] = multiply(powers[2], _mm512_shuffle_i64x2(powers[2], powers[2], 0));
    run_groups(key, powers, state, data, groups, seal);
}

#endif
