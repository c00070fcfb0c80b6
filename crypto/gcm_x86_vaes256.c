/* SPDX-License-Identifier: MIT
 *
 * Owns the groups of AES-GCM by VAES and VPCLMULQDQ in AVX2, for processors without AVX-512: four registers
 * of two blocks. As gcm_x86_vaes512.c, which is the same at twice the width.
 */
#include "crypto/gcm_x86_wide.h"

#ifdef __x86_64__

#include "base/bytes.h"

#define TARGET "aes,pclmul,avx2,vaes,vpclmulqdq"
#define INLINE GCM_X86_INLINE(TARGET)

enum { VECTOR = 32, GROUP = 4 * VECTOR };

INLINE __m256i load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* The same block in each lane. */
INLINE __m256i load_block(const uint8_t *p)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
}

INLINE __m256i reverse(__m256i v)
{
    return _mm256_shuffle_epi8(
        v, _mm256_broadcastsi128_si256(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

struct four {
    __m256i v0, v1, v2, v3;
};

INLINE void four_round(struct four *f, const uint8_t *round_key)
{
    __m256i k = load_block(round_key);

    f->v0 = _mm256_aesenc_epi128(f->v0, k);
    f->v1 = _mm256_aesenc_epi128(f->v1, k);
    f->v2 = _mm256_aesenc_epi128(f->v2, k);
    f->v3 = _mm256_aesenc_epi128(f->v3, k);
}

INLINE __m256i next_counters(__m256i *counters)
{
    __m256i blocks = reverse(*counters);

    *counters = _mm256_add_epi32(*counters, _mm256_broadcastsi128_si256(_mm_set_epi32(0, 0, 0, 2)));
    return blocks;
}

INLINE void four_start(struct four *f, __m256i *counters, __m256i k)
{
    f->v0 = _mm256_xor_si256(next_counters(counters), k);
    f->v1 = _mm256_xor_si256(next_counters(counters), k);
    f->v2 = _mm256_xor_si256(next_counters(counters), k);
    f->v3 = _mm256_xor_si256(next_counters(counters), k);
}

INLINE void last_round(uint8_t *p, __m256i v, __m256i k)
{
    _mm256_storeu_si256((__m256i *)p, _mm256_aesenclast_epi128(v, _mm256_xor_si256(k, load(p))));
}

INLINE void four_finish(const struct four *f, uint8_t *p, __m256i k)
{
    last_round(p, f->v0, k);
    last_round(p + VECTOR, f->v1, k);
    last_round(p + 2 * VECTOR, f->v2, k);
    last_round(p + 3 * VECTOR, f->v3, k);
}

struct products {
    __m256i low, middle, high;
};

INLINE struct products no_products(void)
{
    return (struct products){_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
}

INLINE void add_product(struct products *sum, __m256i a, __m256i b)
{
    sum->low = _mm256_xor_si256(sum->low, _mm256_clmulepi64_epi128(a, b, 0x00));
    sum->middle = _mm256_xor_si256(sum->middle, _mm256_clmulepi64_epi128(a, b, 0x01));
    sum->middle = _mm256_xor_si256(sum->middle, _mm256_clmulepi64_epi128(a, b, 0x10));
    sum->high = _mm256_xor_si256(sum->high, _mm256_clmulepi64_epi128(a, b, 0x11));
}

INLINE __m256i swap_halves(__m256i v)
{
    return _mm256_shuffle_epi32(v, 0x4e);
}

/* Each lane by itself. */
INLINE __m256i reduce_lanes(struct products sum)
{
    __m256i polynomial = _mm256_set1_epi64x(GCM_X86_POLYNOMIAL);
    __m256i middle = _mm256_xor_si256(sum.middle, swap_halves(sum.low));

    middle = _mm256_xor_si256(middle, _mm256_clmulepi64_epi128(sum.low, polynomial, 0x00));
    sum.high = _mm256_xor_si256(sum.high, swap_halves(middle));
    return _mm256_xor_si256(sum.high, _mm256_clmulepi64_epi128(middle, polynomial, 0x00));
}

INLINE __m256i multiply(__m256i a, __m256i b)
{
    struct products sum = no_products();

    add_product(&sum, a, b);
    return reduce_lanes(sum);
}

/* The sum of the lanes. */
INLINE __m128i reduce(struct products sum)
{
    __m256i lanes = reduce_lanes(sum);

    return _mm_xor_si128(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
}

struct state {
    __m128i hash;
    __m256i counters;
};

INLINE void hash_nth(const __m256i powers[4], struct products *sum, const uint8_t *p, size_t n,
                     __m128i before)
{
    __m256i blocks = reverse(load(p + n * VECTOR));

    if (n == 0)
        blocks = _mm256_xor_si256(blocks, _mm256_zextsi128_si256(before));
    add_product(sum, blocks, powers[n]);
}

INLINE void both(const struct gcm_x86_key *key, const __m256i powers[4], struct state *s, uint8_t *data,
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

INLINE void hash_group(const __m256i powers[4], struct state *s, const uint8_t *data)
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
        .counters = _mm256_add_epi32(_mm256_broadcastsi128_si256(state->counter),
                                     _mm256_set_epi32(0, 0, 0, 1, 0, 0, 0, 0)),
    };
}

/* The code that follows is SSE: the upper halves must be clean, or each of its instructions waits. */
INLINE void leave(struct gcm_x86_state *state, const struct state *s)
{
    state->hash = s->hash;
    state->counter = _mm256_castsi256_si128(s->counters);
    _mm256_zeroupper();
}

__attribute__((noinline, target(TARGET))) static void run_groups(const struct gcm_x86_key *key,
                                                                 const __m256i powers[4],
                                                                 struct gcm_x86_state *state, uint8_t *data,
                                                                 size_t groups, bool seal)
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

/* mem_wipe() would be a call that takes longer than the products did. */
INLINE void wipe(__m256i powers[4])
{
    powers[0] = powers[1] = powers[2] = powers[3] = _mm256_setzero_si256();
    __asm__ __volatile__("" : : "r"(powers) : "memory");
}

/* There are more powers than registers to hold them. They are memory of the caller's, so that the compiler makes
 * no copies of them that are not wiped. */
__attribute__((target(TARGET))) void gcm_x86_groups_vaes256(const struct gcm_x86_key *key,
                                                            struct gcm_x86_state *state, uint8_t *data,
                                                            size_t groups, bool seal)
{
    BYTES_UNSET __m256i powers[4]; /* H^8 first */
    __m256i fourth = load_block(key->powers[0]);

    powers[2] = load(key->powers[0]);
    powers[3] = load(key->powers[2]);
    powers[0] = multiply(powers[2], fourth);
    powers[1] = multiply(powers[3], fourth);
    run_groups(key, powers, state, data, groups, seal);
    wipe(powers);
}

#endif
