/* SPDX-License-Identifier: MIT
 *
 * Owns the groups of ChaCha20 in AVX-512: 16 blocks, whose state fills half of the registers.
 */
#include "crypto/chacha20_x86_wide.h"

#ifdef __x86_64__

#define TARGET "avx2,avx512f"
#define INLINE CHACHA20_X86_INLINE(TARGET)

enum { BLOCK = 64, BLOCKS = 16, GROUP = BLOCKS * BLOCK, HALF = GROUP / 2 };

/* Four words of the state. */
struct row {
    __m512i x, y, z, w;
};

INLINE void add(struct row *to, const struct row *r)
{
    to->x = _mm512_add_epi32(to->x, r->x);
    to->y = _mm512_add_epi32(to->y, r->y);
    to->z = _mm512_add_epi32(to->z, r->z);
    to->w = _mm512_add_epi32(to->w, r->w);
}

/* The shift must be a constant of the instruction. */
#define XOR_ROTATE(to, r, n)                                                \
    do {                                                                    \
        (to)->x = _mm512_rol_epi32(_mm512_xor_si512((to)->x, (r)->x), (n)); \
        (to)->y = _mm512_rol_epi32(_mm512_xor_si512((to)->y, (r)->y), (n)); \
        (to)->z = _mm512_rol_epi32(_mm512_xor_si512((to)->z, (r)->z), (n)); \
        (to)->w = _mm512_rol_epi32(_mm512_xor_si512((to)->w, (r)->w), (n)); \
    } while (0)

INLINE struct row turn(struct row r)
{
    return (struct row){r.y, r.z, r.w, r.x};
}

struct state {
    struct row a, b, c, d;
};

/* RFC 8439 §2.3: four quarter rounds down the columns, four down the diagonals; and six blocks hashed, spread between
 * them, as the processor looks only so far ahead for what it could do meanwhile. */
INLINE void double_round(struct state *s, struct chacha20_x86_hashing *h)
{
    add(&s->a, &s->b);
    XOR_ROTATE(&s->d, &s->a, 16);
    chacha20_x86_hash_first(h, 0);
    add(&s->c, &s->d);
    XOR_ROTATE(&s->b, &s->c, 12);
    chacha20_x86_hash_second(h, 0);
    add(&s->a, &s->b);
    XOR_ROTATE(&s->d, &s->a, 8);
    chacha20_x86_hash_first(h, 1);
    add(&s->c, &s->d);
    XOR_ROTATE(&s->b, &s->c, 7);

    s->b = turn(s->b);
    s->c = turn(turn(s->c));
    s->d = turn(turn(turn(s->d)));
    add(&s->a, &s->b);
    XOR_ROTATE(&s->d, &s->a, 16);
    chacha20_x86_hash_second(h, 1);
    add(&s->c, &s->d);
    XOR_ROTATE(&s->b, &s->c, 12);
    chacha20_x86_hash_first(h, 2);
    add(&s->a, &s->b);
    XOR_ROTATE(&s->d, &s->a, 8);
    chacha20_x86_hash_second(h, 2);
    add(&s->c, &s->d);
    XOR_ROTATE(&s->b, &s->c, 7);
    s->b = turn(turn(turn(s->b)));
    s->c = turn(turn(s->c));
    s->d = turn(s->d);
    chacha20_x86_hash_onward(h, 3);
}

INLINE struct row start(const uint32_t words[4])
{
    return (struct row){_mm512_set1_epi32((int)words[0]), _mm512_set1_epi32((int)words[1]),
                        _mm512_set1_epi32((int)words[2]), _mm512_set1_epi32((int)words[3])};
}

INLINE struct row start_last(const struct chacha20_x86 *s)
{
    struct row r = start(s->words + 12);

    r.x = _mm512_add_epi32(r.x, _mm512_loadu_si512(s->lanes));
    return r;
}

/* From words by blocks to blocks by words: x has the four words of the blocks 0, 4, 8, 12, y of 1, 5, 9, 13. */
INLINE struct row transpose(struct row r)
{
    __m512i xy = _mm512_unpacklo_epi32(r.x, r.y), xy2 = _mm512_unpackhi_epi32(r.x, r.y);
    __m512i zw = _mm512_unpacklo_epi32(r.z, r.w), zw2 = _mm512_unpackhi_epi32(r.z, r.w);

    return (struct row){_mm512_unpacklo_epi64(xy, zw), _mm512_unpackhi_epi64(xy, zw),
                        _mm512_unpacklo_epi64(xy2, zw2), _mm512_unpackhi_epi64(xy2, zw2)};
}

INLINE struct row finish_row(struct row r, struct row initial)
{
    add(&r, &initial);
    return transpose(r);
}

INLINE void put(uint8_t *p, __m512i v)
{
    _mm512_storeu_si512(p, _mm512_xor_si512(v, _mm512_loadu_si512(p)));
}

/* The quarters of every fourth block. */
INLINE void finish_blocks(uint8_t *p, __m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_shuffle_i32x4(a, b, 0x44), ab2 = _mm512_shuffle_i32x4(a, b, 0xee);
    __m512i cd = _mm512_shuffle_i32x4(c, d, 0x44), cd2 = _mm512_shuffle_i32x4(c, d, 0xee);

    put(p, _mm512_shuffle_i32x4(ab, cd, 0x88));
    put(p + 4 * BLOCK, _mm512_shuffle_i32x4(ab, cd, 0xdd));
    put(p + 8 * BLOCK, _mm512_shuffle_i32x4(ab2, cd2, 0x88));
    put(p + 12 * BLOCK, _mm512_shuffle_i32x4(ab2, cd2, 0xdd));
}

INLINE void group(const struct chacha20_x86 *initial, uint8_t *data, struct chacha20_x86_hashing *h)
{
    struct state s = {start(initial->words), start(initial->words + 4), start(initial->words + 8),
                      start_last(initial)};

    for (unsigned i = 0; i < 10; i++)
        double_round(&s, h);
    /* Loaded anew, or the compiler would keep the key in places of its own. */
    __asm__("" : "+r"(initial));
    s.a = finish_row(s.a, start(initial->words));
    chacha20_x86_hash_first(h, 0);
    s.b = finish_row(s.b, start(initial->words + 4));
    chacha20_x86_hash_second(h, 0);
    s.c = finish_row(s.c, start(initial->words + 8));
    chacha20_x86_hash_first(h, 1);
    s.d = finish_row(s.d, start_last(initial));
    chacha20_x86_hash_second(h, 1);
    finish_blocks(data, s.a.x, s.b.x, s.c.x, s.d.x);
    finish_blocks(data + BLOCK, s.a.y, s.b.y, s.c.y, s.d.y);
    finish_blocks(data + 2 * BLOCK, s.a.z, s.b.z, s.c.z, s.d.z);
    finish_blocks(data + 3 * BLOCK, s.a.w, s.b.w, s.c.w, s.d.w);
}

__attribute__((target(TARGET))) void chacha20_x86_groups_avx512(struct chacha20_x86 *s, uint8_t *data,
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
