/* SPDX-License-Identifier: MIT
 *
 * Owns modular powers by IFMA, which multiplies 52 bits by 52. The invariant: two numbers, one for each
 * modulus, always go together and alternate in memory and in registers, limb by limb. A unit of 128 bits is a
 * limb of both, so that what a step does for one it does for the other, and four limbs of each are in a
 * register.
 *
 * A modulus of 64 * n bits has 5/4 * n limbs of 52, which is n bits more: R here is that of crypto/mont64.h
 * doubled n times. Four times a modulus is below R, and numbers are kept below twice the modulus, which
 * spares the comparison after a product (Walter, "Montgomery exponentiation needs no final subtractions").
 */
#include "crypto/mont52.h"

#if defined __SIZEOF_INT128__ && defined __x86_64__

#include "base/mem.h"
#include "crypto/cpu_x86.h"

#include <immintrin.h>
#include <string.h>

#define TARGET "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma"
#define INLINE static inline __attribute__((always_inline, target(TARGET)))
#define UNROLL _Pragma("GCC unroll 10")

enum {
    BITS = 52,
    LIMBS_MAX = 40,
    LANES = 8, /* of a register */
    REGISTERS_MAX = 2 * LIMBS_MAX / LANES,
    /* Whole registers, and a unit of zeros past the last limb, which is read. */
    ROOM = LANES * (REGISTERS_MAX + 1),
};

typedef __m512i vector;
typedef uint64_t numbers[ROOM];

static const uint64_t limb_max = ((uint64_t)1 << BITS) - 1;

/* ---- one product
 * ----------------------------------------------------------------------------------------------- */

/* A unit in all four places. */
INLINE vector unit(const uint64_t *p)
{
    return _mm512_broadcast_i64x2(_mm_loadu_si128((const __m128i *)p));
}

INLINE vector load(const uint64_t *p)
{
    return _mm512_loadu_si512(p);
}

/* Bits for the limbs of up to 10 registers. Not one number of 128 bits, which gcc 12 makes of a mask without
 * clearing its upper part. */
struct bits {
    uint64_t low, high;
};

INLINE void set_bits(struct bits *b, unsigned i, __mmask8 mask)
{
    uint64_t bits = _cvtmask8_u32(mask);

    if (i < 8)
        b->low |= bits << 8 * i;
    else
        b->high |= bits << 8 * (i - 8);
}

/* Which limbs of one number a carry goes into, when the limbs in `over` carry out and those that are `full`
 * pass it on: that is what a sum does. In `mine` are the bits of the number; the other's, between them, are
 * set so that carries get by. */
INLINE struct bits carries_into(struct bits over, struct bits full, uint64_t mine)
{
    struct bits sum;

    over.low &= mine;
    over.high &= mine;
    full.low |= ~mine;
    full.high |= ~mine;
    sum.low = (over.low << 2) + full.low;
    sum.high = (over.high << 2 | over.low >> 62) + full.high + (sum.low < full.low);
    return (struct bits){(sum.low ^ full.low) & mine, (sum.high ^ full.high) & mine};
}

/* Makes limbs of 52 bits of those in x, and stores them. When each has got what its lower neighbour has above 52
 * bits, at most one is left for it to carry out. */
INLINE void carry_and_store(uint64_t *to, vector x[REGISTERS_MAX], unsigned n)
{
    const uint64_t first = 0x5555555555555555, second = ~first;
    const vector max = _mm512_set1_epi64((long long)limb_max), minus_one = _mm512_set1_epi64(-1);
    MONT64_UNSET vector above[REGISTERS_MAX + 1];
    struct bits over = {0, 0}, full = {0, 0}, a, b;

    above[0] = _mm512_setzero_si512();
    UNROLL for (unsigned i = 0; i < n; i++)
    {
        above[i + 1] = _mm512_srli_epi64(x[i], BITS);
        x[i] = _mm512_and_si512(x[i], max);
        x[i] = _mm512_add_epi64(x[i], _mm512_alignr_epi64(above[i + 1], above[i], LANES - 2));
        set_bits(&over, i, _mm512_cmpgt_epu64_mask(x[i], max));
        set_bits(&full, i, _mm512_cmpeq_epu64_mask(x[i], max));
    }
    a = carries_into(over, full, first);
    b = carries_into(over, full, second);
    UNROLL for (unsigned i = 0; i < n; i++)
    {
        uint64_t into = i < 8 ? (a.low | b.low) >> 8 * i : (a.high | b.high) >> 8 * (i - 8);

        x[i] = _mm512_mask_sub_epi64(x[i], _cvtu32_mask8((uint8_t)into), x[i], minus_one);
        x[i] = _mm512_and_si512(x[i], max);
        _mm512_storeu_si512(to + LANES * i, x[i]);
    }
}

/* One limb of the second factor further. `sum` holds all that stands at this limb and above but for the
 * multiple of the modulus that makes its lowest limb zero; with that, it moves down by one. Upper halves of
 * products, and the lower ones with the next limb, stand at the same place; they are collected beside the
 * sum, so that what waits for the multiple is short. A limb of the sum gets four halves at each of at most 40
 * steps: it stays far below 64 bits. */
INLINE void step(vector sum[REGISTERS_MAX], const vector x[REGISTERS_MAX], vector limb, vector next_limb,
                 const uint64_t *modulus, __m128i n0, unsigned n)
{
    const vector zero = _mm512_setzero_si512();
    MONT64_UNSET vector beside[REGISTERS_MAX];
    vector multiple;

    multiple =
        _mm512_broadcast_i64x2(_mm_madd52lo_epu64(_mm_setzero_si128(), _mm512_castsi512_si128(sum[0]), n0));
    UNROLL for (unsigned i = 0; i < n; i++)
    {
        beside[i] = _mm512_madd52hi_epu64(zero, x[i], limb);
        beside[i] = _mm512_madd52lo_epu64(beside[i], x[i], next_limb);
    }
    UNROLL for (unsigned i = 0; i < n; i++) sum[i] =
        _mm512_madd52lo_epu64(sum[i], load(modulus + LANES * i), multiple);
    beside[0] = _mm512_add_epi64(beside[0], _mm512_maskz_srli_epi64(3, sum[0], BITS));
    UNROLL for (unsigned i = 0; i < n; i++) beside[i] =
        _mm512_madd52hi_epu64(beside[i], load(modulus + LANES * i), multiple);
    UNROLL for (unsigned i = 0; i < n; i++) sum[i] =
        _mm512_add_epi64(beside[i], _mm512_alignr_epi64(i + 1 < n ? sum[i + 1] : zero, sum[i], 2));
}

/* `times` times, x = x * y / R, where y may be x. */
INLINE void multiply(uint64_t *x, const uint64_t *y, const uint64_t *modulus, const uint64_t *n0,
                     unsigned times, unsigned n, unsigned limbs)
{
    __m128i inverse = _mm_loadu_si128((const __m128i *)n0);
    MONT64_UNSET vector factor[REGISTERS_MAX];

    UNROLL for (unsigned i = 0; i < n; i++) factor[i] = load(x + LANES * i);
    for (; times > 0; times--) {
        MONT64_UNSET vector sum[REGISTERS_MAX];
        vector limb = unit(y);

        UNROLL for (unsigned i = 0; i < n; i++) sum[i] =
            _mm512_madd52lo_epu64(_mm512_setzero_si512(), factor[i], limb);
        for (unsigned i = 1; i <= limbs; i++) {
            vector next_limb = unit(y + 2 * i);

            step(sum, factor, limb, next_limb, modulus, inverse, n);
            limb = next_limb;
        }
        carry_and_store(x, sum, n);
        UNROLL for (unsigned i = 0; i < n; i++) factor[i] = sum[i];
    }
}

/* r = the power index[0] of the first number and index[1] of the second, having read all. */
INLINE void pick(uint64_t *r, const uint64_t *powers, const unsigned index[2], unsigned n)
{
    MONT64_UNSET vector x[REGISTERS_MAX];
    vector wanted = _mm512_broadcast_i64x2(_mm_set_epi64x(index[1], index[0]));

    UNROLL for (unsigned i = 0; i < n; i++) x[i] = _mm512_setzero_si512();
    for (unsigned power = 0; power < MONT64_POWERS; power++, powers += LANES * n) {
        __mmask8 mask = _mm512_cmpeq_epi64_mask(_mm512_set1_epi64(power), wanted);

        UNROLL for (unsigned i = 0; i < n; i++) x[i] =
            _mm512_mask_mov_epi64(x[i], mask, load(powers + LANES * i));
    }
    UNROLL for (unsigned i = 0; i < n; i++) _mm512_storeu_si512(r + LANES * i, x[i]);
}

/* ---- for each size
 * --------------------------------------------------------------------------------------------- */

struct code {
    unsigned limbs;
    unsigned width; /* of two numbers, in whole registers */
    void (*multiply)(uint64_t *x, const uint64_t *y, const uint64_t *modulus, const uint64_t *n0,
                     unsigned times);
    void (*pick)(uint64_t *r, const uint64_t *powers, const unsigned index[2]);
};

#define CODE(limbs_, registers)                                                                      \
    __attribute__((target(TARGET))) static void multiply_##limbs_(                                   \
        uint64_t *x, const uint64_t *y, const uint64_t *modulus, const uint64_t *n0, unsigned times) \
    {                                                                                                \
        multiply(x, y, modulus, n0, times, registers, limbs_);                                       \
    }                                                                                                \
    __attribute__((target(TARGET))) static void pick_##limbs_(uint64_t *r, const uint64_t *powers,   \
                                                              const unsigned index[2])               \
    {                                                                                                \
        pick(r, powers, index, registers);                                                           \
    }                                                                                                \
    static const struct code code_##limbs_ = {                                                       \
        .limbs = (limbs_), .width = (registers)*LANES, .multiply = multiply_##limbs_, .pick = pick_##limbs_}

CODE(20, 5);
CODE(30, 8);
CODE(40, 10);

static const struct code *code_for(size_t limbs)
{
    switch (limbs) {
    case 16: return &code_20;
    case 24: return &code_30;
    case 32: return &code_40;
    default: return NULL;
    }
}

bool mont52_fits(size_t limbs)
{
    return code_for(limbs) != NULL;
}

bool mont52_has(void)
{
    return cpu_x86_has(CPU_X86_AVX512 | CPU_X86_IFMA);
}

/* ---- in and out
 * ------------------------------------------------------------------------------------------------ */

/* Everything that must be wiped. */
struct work {
    const struct code *code;
    struct mont64 *const *m;
    _Alignas(vector) numbers modulus, x, y;
    uint64_t n0[2];
    uint64_t a[MONT64_MAX];
};

static void to_52(uint64_t *r, const uint64_t *a, size_t limbs)
{
    for (size_t i = 0; i < limbs * 5 / 4; i++) {
        size_t at = BITS * i / 64, bit = BITS * i % 64;
        uint64_t limb = a[at] >> bit;

        if (bit > 64 - BITS && at + 1 < limbs)
            limb |= a[at + 1] << (64 - bit);
        r[2 * i] = limb & limb_max;
    }
}

static void from_52(uint64_t *r, const uint64_t *a, size_t limbs)
{
    memset(r, 0, limbs * sizeof *r);
    for (size_t i = 0; i < limbs * 5 / 4; i++) {
        size_t at = BITS * i / 64, bit = BITS * i % 64;

        r[at] |= a[2 * i] << bit;
        if (bit > 64 - BITS && at + 1 < limbs)
            r[at + 1] |= a[2 * i] >> (64 - bit);
    }
}

static void start(struct work *w, struct mont64 *const m[2])
{
    w->code = code_for(m[0]->limbs);
    w->m = m;
    memset(w->modulus, 0, sizeof w->modulus);
    memset(w->x, 0, sizeof w->x);
    memset(w->y, 0, sizeof w->y);
    for (size_t i = 0; i < 2; i++) {
        w->n0[i] = m[i]->n0 & limb_max;
        to_52(w->modulus + i, m[i]->n, m[i]->limbs);
    }
}

/* Of the modulus `i`, from Montgomery form there to Montgomery form here. */
static void enter(struct work *w, uint64_t *r, size_t i, const uint64_t *b)
{
    struct mont64 *m = w->m[i];

    memcpy(w->a, b, m->limbs * sizeof *b);
    for (size_t k = 0; k < m->limbs; k++)
        mont64_double(m, w->a);
    to_52(r + i, w->a, m->limbs);
}

/* What is in w->x, out of Montgomery form: x * 1 / R is at most the modulus. */
static void finish(struct work *w, uint64_t *const r[2])
{
    memset(w->y, 0, sizeof w->y);
    w->y[0] = w->y[1] = 1;
    w->code->multiply(w->x, w->y, w->modulus, w->n0, 1);
    for (size_t i = 0; i < 2; i++) {
        from_52(r[i], w->x + i, w->m[i]->limbs);
        mont64_reduce_once(w->m[i], r[i]);
    }
    mem_wipe(w, sizeof *w);
}

/* ---- powers ------------------------------------------------------------------------------------------------ */

/* The powers of y. The first, which is 1, is in x. */
static void make_powers(struct work *w, uint64_t *powers)
{
    size_t width = w->code->width, size = width * sizeof *powers;

    memcpy(powers, w->x, size);
    for (size_t i = 1; i < MONT64_POWERS; i++) {
        w->code->multiply(w->x, w->y, w->modulus, w->n0, 1);
        memcpy(powers + i * width, w->x, size);
    }
    memcpy(w->x, powers, size);
}

static unsigned window(const uint8_t *e, size_t e_len, size_t at)
{
    return at < 8 * e_len ? mont64_window(e, e_len, at) : 0;
}

void mont52_pow(struct mont64 *const m[2], uint64_t *const r[2], uint64_t *const b[2],
                const uint8_t *const e[2], const size_t e_len[2])
{
    size_t longer = e_len[0] > e_len[1] ? e_len[0] : e_len[1];
    size_t at = (8 * longer + MONT64_WINDOW - 1) / MONT64_WINDOW * MONT64_WINDOW;
    MONT64_UNSET _Alignas(vector) uint64_t powers[MONT64_POWERS * 2 * LIMBS_MAX];
    MONT64_UNSET struct work w;

    start(&w, m);
    for (size_t i = 0; i < 2; i++) {
        mont64_leave(m[i], r[i], m[i]->square); /* 1 in Montgomery form */
        enter(&w, w.x, i, r[i]);
        enter(&w, w.y, i, b[i]);
    }
    make_powers(&w, powers);
    while (at > 0) {
        unsigned index[2];

        at -= MONT64_WINDOW;
        w.code->multiply(w.x, w.x, w.modulus, w.n0, MONT64_WINDOW);
        for (size_t i = 0; i < 2; i++)
            index[i] = window(e[i], e_len[i], at);
        w.code->pick(w.y, powers, index);
        w.code->multiply(w.x, w.y, w.modulus, w.n0, 1);
    }
    finish(&w, r);
    mem_wipe(powers, sizeof powers);
}

void mont52_pow_fermat(struct mont64 *const m[2], uint64_t *const r[2], uint64_t *const b[2], unsigned k)
{
    MONT64_UNSET struct work w;

    start(&w, m);
    for (size_t i = 0; i < 2; i++)
        enter(&w, w.y, i, b[i]);
    memcpy(w.x, w.y, sizeof w.x);
    w.code->multiply(w.x, w.x, w.modulus, w.n0, k);
    w.code->multiply(w.x, w.y, w.modulus, w.n0, 1);
    finish(&w, r);
}

#endif
