/* SPDX-License-Identifier: MIT
 *
 * Owns the groups of ChaCha20 in AVX2: 8 blocks. As chacha20_x86_avx512.c, to be read first, with half as many
 * registers of half the size: the state fills them all, so that some of it is in memory at any time.
 */
#include "crypto/chacha20_x86_wide.h"

#ifdef __x86_64__

#define TARGET "avx2"
#define INLINE CHACHA20_X86_INLINE(TARGET)

enum { BLOCK = 64, BLOCKS = 8, GROUP = BLOCKS * BLOCK, HALF = GROUP / 2 };

/* Four words of the state. */
struct row {
    __m256i x, y, z, w;
};

INLINE void add(struct row *to, const struct row *r)
{
    to->x = _mm256_add_epi32(to->x, r->x);
    to->y = _mm256_add_epi32(to->y, r->y);
    to->z = _mm256_add_epi32(to->z, r->z);
    to->w = _mm256_add_epi32(to->w, r->w);
}

INLINE void exclusive_or(struct row *to, const struct row *r)
{
    to->x = _mm256_xor_si256(to->x, r->x);
    to->y = _mm256_xor_si256(to->y, r->y);
    to->z = _mm256_xor_si256(to->z, r->z);
    to->w = _mm256_xor_si256(to->w, r->w);
}

INLINE __m256i rotate_word(__m256i v, int n)
{
    return _mm256_or_si256(_mm256_slli_epi32(v, n), _mm256_srli_epi32(v, 32 - n));
}

INLINE void rotate(struct row *r, int n)
{
    r->x = rotate_word(r->x, n);
    r->y = rotate_word(r->y, n);
    r->z = rotate_word(r->z, n);
    r->w = rotate_word(r->w, n);
}

/* A rotation by whole bytes. */
struct bytes_moved {
    _Alignas(32) uint8_t from[32];
};

#define WORD(n, a, b, c, d) n + a, n + b, n + c, n + d
#define LANE(a, b, c, d)    WORD(0, a, b, c, d), WORD(4, a, b, c, d), WORD(8, a, b, c, d), WORD(12, a, b, c, d)

static const struct bytes_moved by_16 = {
    {LANE(2, 3, 0, 1), LANE(2, 3, 0, 1)}
};
static const struct bytes_moved by_8 = {
    {LANE(3, 0, 1, 2), LANE(3, 0, 1, 2)}
};

/* The intrinsic, but for the operand in memory, on which the compiler would spend a register. */
INLINE __m256i move_bytes(__m256i v, const struct bytes_moved *b)
{
    __asm__("vpshufb %1, %0, %0" : "+x"(v) : "m"(*b));
    return v;
}

INLINE void rotate_bytes(struct row *r, const struct bytes_moved *b)
{
    r->x = move_bytes(r->x, b);
    r->y = move_bytes(r->y, b);
    r->z = move_bytes(r->z, b);
    r->w = move_bytes(r->w, b);
}

/* Into memory, where it is added to: the compiler, when it has to choose, chooses worse. */
INLINE void put_away(__m256i *v)
{
    __asm__("" : "+m"(*v));
}

struct state {
    struct row a, b, c, d;
};

INLINE void quarter_rounds(struct state *s)
{
    add(&s->a, &s->b);
    exclusive_or(&s->d, &s->a);
    put_away(&s->a.x);
    rotate_bytes(&s->d, &by_16);
    add(&s->c, &s->d);
    exclusive_or(&s->b, &s->c);
    rotate(&s->b, 12);
    add(&s->a, &s->b);
    exclusive_or(&s->d, &s->a);
    put_away(&s->a.x);
    rotate_bytes(&s->d, &by_8);
    add(&s->c, &s->d);
    exclusive_or(&s->b, &s->c);
    rotate(&s->b, 7);
}

INLINE struct row turn(struct row r)
{
    return (struct row){r.y, r.z, r.w, r.x};
}

/* Down the columns, then down the diagonals. */
INLINE void double_round(struct state *s)
{
    quarter_rounds(s);
    s->b = turn(s->b);
    s->c = turn(turn(s->c));
    s->d = turn(turn(turn(s->d)));
    quarter_rounds(s);
    s->b = turn(turn(turn(s->b)));
    s->c = turn(turn(s->c));
    s->d = turn(s->d);
}

INLINE struct row start(const uint32_t words[4])
{
    return (struct row){_mm256_set1_epi32((int)words[0]), _mm256_set1_epi32((int)words[1]),
                        _mm256_set1_epi32((int)words[2]), _mm256_set1_epi32((int)words[3])};
}

INLINE struct row start_last(const struct chacha20_x86 *s)
{
    struct row r = start(s->words + 12);

    r.x = _mm256_add_epi32(r.x, _mm256_loadu_si256((const __m256i *)s->lanes));
    return r;
}

INLINE struct row transpose(struct row r)
{
    __m256i xy = _mm256_unpacklo_epi32(r.x, r.y), xy2 = _mm256_unpackhi_epi32(r.x, r.y);
    __m256i zw = _mm256_unpacklo_epi32(r.z, r.w), zw2 = _mm256_unpackhi_epi32(r.z, r.w);

    return (struct row){_mm256_unpacklo_epi64(xy, zw), _mm256_unpackhi_epi64(xy, zw),
                        _mm256_unpacklo_epi64(xy2, zw2), _mm256_unpackhi_epi64(xy2, zw2)};
}

INLINE struct row finish_row(struct row r, struct row initial)
{
    add(&r, &initial);
    return transpose(r);
}

INLINE void put(uint8_t *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, _mm256_xor_si256(v, _mm256_loadu_si256((const __m256i *)p)));
}

/* The quarters of a block and of the fourth after it. */
INLINE void finish_blocks(uint8_t *p, __m256i a, __m256i b, __m256i c, __m256i d)
{
    put(p, _mm256_permute2x128_si256(a, b, 0x20));
    put(p + BLOCK / 2, _mm256_permute2x128_si256(c, d, 0x20));
    put(p + 4 * BLOCK, _mm256_permute2x128_si256(a, b, 0x31));
    put(p + 4 * BLOCK + BLOCK / 2, _mm256_permute2x128_si256(c, d, 0x31));
}

INLINE void group(const struct chacha20_x86 *initial, uint8_t *data, struct chacha20_x86_hashing *h)
{
    struct state s = {start(initial->words), start(initial->words + 4), start(initial->words + 8),
                      start_last(initial)};

    for (unsigned i = 0; i < 5; i++) {
        double_round(&s);
        chacha20_x86_hash_first(h, 0);
        chacha20_x86_hash_second(h, 0);
        chacha20_x86_hash_first(h, 1);
        double_round(&s);
        chacha20_x86_hash_second(h, 1);
        chacha20_x86_hash_first(h, 2);
        chacha20_x86_hash_second(h, 2);
        chacha20_x86_hash_onward(h, 3);
    }
    /* Loaded anew, or the compiler would keep the key in places of its own. */
    __asm__("" : "+r"(initial));
    s.a = finish_row(s.a, start(initial->words));
    chacha20_x86_hash_first(h, 0);
    s.b = finish_row(s.b, start(initial->words + 4));
    s.c = finish_row(s.c, start(initial->words + 8));
    chacha20_x86_hash_second(h, 0);
    s.d = finish_row(s.d, start_last(initial));
    finish_blocks(data, s.a.x, s.b.x, s.c.x, s.d.x);
    finish_blocks(data + BLOCK, s.a.y, s.b.y, s.c.y, s.d.y);
    finish_blocks(data + 2 * BLOCK, s.a.z, s.b.z, s.c.z, s.d.z);
    finish_blocks(data + 3 * BLOCK, s.a.w, s.b.w, s.c.w, s.d.w);
}

__attribute__((target(TARGET))) void chacha20_x86_groups_avx2(struct chacha20_x86 *s, uint8_t *data,
                                                              size_t groups, struct poly1305_m64 *hash,
                                                              const uint8_t *hashed)
{
    if (hash == NULL) {
        for (; groups > 0; groups--, data += GROUP, s->words[12] += BLOCKS)
            group(s, data, NULL);
    } else {
        for (; groups > 0; groups--, data += GROUP, hashed += GROUP, s->words[12] += BLOCKS) {
            struct chacha20_x86_hashing h = chacha20_x86_hash_start(hash, hashed, HALF);

            group(s, data, &h);
            chacha20_x86_hash_end(hash, &h);
        }
    }
    _mm256_zeroupper();
}

#endif
