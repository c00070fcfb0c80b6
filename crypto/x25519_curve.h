/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/x25519: the two multiplications, written once over the field's functions (crypto/fe25519_m64.h says
 * what they take and give) and compiled once with each field. A file that includes this has included its field and
 * defined
 *
 *   X25519_TARGET        the attribute of functions that may use what the processor has beyond its architecture
 *   X25519_VECTOR_BYTES  16 or 32: what the table is read by
 */
#ifndef CRYPTO_X25519_CURVE_H
#define CRYPTO_X25519_CURVE_H

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/declassify.h"
#include "crypto/x25519_table.h"

#include <bearssl.h>
#include <string.h>

enum { X25519_BYTES = 32, X25519_A24 = 121665 };

/* ---- inversion --------------------------------------------------------------------------------------------------- */

/* r = a^(2^n) */
static void fe_sqr_times(struct fe *r, const struct fe *a, unsigned n)
{
    struct fe t = *a;

    for (; n > 0; n--)
        fe_sqr(&t, &t);
    *r = t;
}

/* r = a^(p - 2), which is 1/a, and 0 for 0. pN is a^(2^N - 1). */
static void fe_invert(struct fe *r, const struct fe *a)
{
    struct {
        struct fe a9, a11, p5, p10, p20, p50, p100, t;
    } s BYTES_UNSET;

    fe_sqr(&s.a11, a);
    fe_sqr_times(&s.t, &s.a11, 2);
    fe_mul(&s.a9, &s.t, a);
    fe_mul(&s.a11, &s.a9, &s.a11);
    fe_sqr(&s.t, &s.a11);
    fe_mul(&s.p5, &s.t, &s.a9);
    fe_sqr_times(&s.t, &s.p5, 5);
    fe_mul(&s.p10, &s.t, &s.p5);
    fe_sqr_times(&s.t, &s.p10, 10);
    fe_mul(&s.p20, &s.t, &s.p10);
    fe_sqr_times(&s.t, &s.p20, 20);
    fe_mul(&s.t, &s.t, &s.p20);
    fe_sqr_times(&s.t, &s.t, 10);
    fe_mul(&s.p50, &s.t, &s.p10);
    fe_sqr_times(&s.t, &s.p50, 50);
    fe_mul(&s.p100, &s.t, &s.p50);
    fe_sqr_times(&s.t, &s.p100, 100);
    fe_mul(&s.t, &s.t, &s.p100);
    fe_sqr_times(&s.t, &s.t, 50);
    fe_mul(&s.t, &s.t, &s.p50);
    fe_sqr_times(&s.t, &s.t, 5);
    fe_mul(r, &s.t, &s.a11);
    mem_wipe(&s, sizeof s);
}

/* ---- any point: the Montgomery ladder (RFC 7748 §5) --------------------------------------------------------------- */

struct ladder {
    struct fe x1;     /* the point's u */
    struct fe x2, z2; /* what was doubled last */
    struct fe x3, z3; /* the sum, which differs from the former by the point */
    struct fe a, b, c, d, aa, bb, da, cb, e;
};

/* x2, z2 = 2(aa, bb), when these are the squares of a sum and a difference. */
static void ladder_double(struct ladder *l)
{
    fe_sub(&l->e, &l->aa, &l->bb);
    fe_mul(&l->x2, &l->aa, &l->bb);
    fe_mul_small(&l->aa, &l->aa, &l->e, X25519_A24);
    fe_mul(&l->z2, &l->e, &l->aa);
}

/* Doubles the first point, or the second when `second` is 1, and makes their sum. The RFC swaps the points before and
 * after; but the sum is the same for both orders, so to choose what is doubled is enough. */
static void ladder_step(struct ladder *l, uint64_t second)
{
    fe_add(&l->a, &l->x2, &l->z2);
    fe_sub(&l->b, &l->x2, &l->z2);
    fe_add(&l->c, &l->x3, &l->z3);
    fe_sub(&l->d, &l->x3, &l->z3);
    fe_mul(&l->da, &l->d, &l->a);
    fe_mul(&l->cb, &l->c, &l->b);
    fe_select(&l->a, &l->a, &l->c, second);
    fe_select(&l->b, &l->b, &l->d, second);
    fe_sqr(&l->aa, &l->a);
    fe_sqr(&l->bb, &l->b);
    fe_add(&l->x3, &l->da, &l->cb);
    fe_sub(&l->z3, &l->da, &l->cb);
    fe_sqr(&l->x3, &l->x3);
    fe_sqr(&l->z3, &l->z3);
    ladder_double(l);
    fe_mul(&l->z3, &l->z3, &l->x1);
}

static void ladder_only_double(struct ladder *l)
{
    fe_add(&l->a, &l->x2, &l->z2);
    fe_sub(&l->b, &l->x2, &l->z2);
    fe_sqr(&l->aa, &l->a);
    fe_sqr(&l->bb, &l->b);
    ladder_double(l);
}

FE_INLINE uint64_t bit(const uint64_t words[4], unsigned i)
{
    return words[i / 64] >> i % 64 & 1;
}

/* u = k * u; k is clamped. So its bit 254 is known, from which the ladder starts at once with the point and its
 * double, and so are the lowest three, which only double. */
X25519_TARGET static void multiply(uint64_t u[4], const uint64_t k[4])
{
    struct ladder l BYTES_UNSET;
    uint64_t last = 1;

    fe_load(&l.x1, u);
    l.x2 = l.x3 = l.x1;
    l.z2 = l.z3 = (struct fe){{1}};
    ladder_only_double(&l);
    for (unsigned i = 253; i >= 3; i--) {
        uint64_t next = bit(k, i);

        ladder_step(&l, last ^ next);
        last = next;
    }
    fe_select(&l.x2, &l.x2, &l.x3, last);
    fe_select(&l.z2, &l.z2, &l.z3, last);
    for (unsigned i = 0; i < 3; i++)
        ladder_only_double(&l);
    fe_invert(&l.z2, &l.z2);
    fe_mul(&l.x2, &l.x2, &l.z2);
    fe_store(u, &l.x2);
    mem_wipe(&l, sizeof l);
}

/* ---- the generator: a comb on the Edwards curve (crypto/x25519_table.h) ------------------------------------------- */

/* Extended coordinates (Hisil, Wong, Carter and Dawson, "Twisted Edwards curves revisited"): x = X/Z, y = Y/Z,
 * xy = T/Z. All tight. Their addition is complete on this curve: it has no special cases. */
struct point {
    struct fe x, y, z, t;
};

struct comb {
    struct point p;
    struct x25519_entry entry;
    struct fe sum, difference, product; /* the entry's, of the digit's sign */
    struct fe a, b, c, e, f, g, h;
    uint64_t signs[4]; /* bit i is 1 for +2^i */
};

typedef uint64_t vector __attribute__((vector_size(X25519_VECTOR_BYTES), may_alias));

enum { VECTORS = sizeof(struct x25519_entry) / sizeof(vector) };

/* Reads the whole table, whatever the index. */
X25519_TARGET static void comb_read(struct x25519_entry *entry, const struct x25519_entry *table,
                                    uint64_t index)
{
    vector sum[VECTORS] = {{0}};

    for (uint64_t i = 0; i < X25519_ENTRIES; i++) {
        const vector *from = (const vector *)&table[i];
        /* All ones where they are equal: only of 0 does taking 1 away leave bit 63. */
        uint64_t equal = 0 - (((i ^ index) - 1) >> 63);
        vector mask = (vector){0} + equal;

#pragma GCC unroll 6
        for (unsigned j = 0; j < VECTORS; j++)
            sum[j] |= from[j] & mask;
    }
#pragma GCC unroll 6
    for (unsigned j = 0; j < VECTORS; j++)
        ((vector *)entry)[j] = sum[j];
}

/* The multiple of the point that column c says, from the table for its row 0. */
X25519_TARGET static void comb_choose(struct comb *m, unsigned table, unsigned column)
{
    static const struct fe zero = {{0}};
    uint64_t index = 0, minus;

    for (unsigned i = 0; i < X25519_TEETH; i++)
        index |= bit(m->signs, column + X25519_COLUMNS * i) << i;
    minus = 1 - (index >> (X25519_TEETH - 1));
    index = (index ^ (0 - minus)) & (X25519_ENTRIES - 1);
    comb_read(&m->entry, x25519_table[table], index);
    fe_load(&m->a, m->entry.sum);
    fe_load(&m->b, m->entry.difference);
    fe_load(&m->product, m->entry.product);
    fe_select(&m->sum, &m->a, &m->b, minus);
    fe_select(&m->difference, &m->b, &m->a, minus);
    fe_sub(&m->c, &zero, &m->product);
    fe_select(&m->product, &m->product, &m->c, minus);
}

static void comb_start(struct comb *m)
{
    fe_sub(&m->p.x, &m->sum, &m->difference);
    fe_add(&m->p.y, &m->sum, &m->difference);
    fe_mul(&m->p.t, &m->p.x, &m->p.y);
    fe_tighten(&m->p.x, &m->p.x);
    fe_tighten(&m->p.y, &m->p.y);
    m->p.z = (struct fe){{1}};
}

/* §3.1, with a, b and c halved by the table, and so all four coordinates a quarter. */
static void comb_add(struct comb *m)
{
    struct point *p = &m->p;

    fe_sub(&m->a, &p->y, &p->x);
    fe_add(&m->b, &p->y, &p->x);
    fe_mul(&m->a, &m->a, &m->difference);
    fe_mul(&m->b, &m->b, &m->sum);
    fe_mul(&m->c, &p->t, &m->product);
    fe_sub(&m->e, &m->b, &m->a);
    fe_add(&m->h, &m->b, &m->a);
    fe_sub(&m->f, &p->z, &m->c);
    fe_add(&m->g, &p->z, &m->c);
    fe_mul(&p->x, &m->e, &m->f);
    fe_mul(&p->y, &m->g, &m->h);
    fe_mul(&p->t, &m->e, &m->h);
    fe_mul(&p->z, &m->f, &m->g);
}

/* §3.3, with 2xy as a product and all signs turned. */
static void comb_double(struct comb *m)
{
    struct point *p = &m->p;

    fe_mul(&m->e, &p->x, &p->y);
    fe_sqr(&m->a, &p->x);
    fe_sqr(&m->b, &p->y);
    fe_sqr(&m->c, &p->z);
    fe_add(&m->e, &m->e, &m->e);
    fe_add(&m->h, &m->b, &m->a);
    fe_sub(&m->g, &m->b, &m->a);
    fe_add(&m->c, &m->c, &m->c);
    fe_tighten(&m->g, &m->g);
    fe_tighten(&m->c, &m->c);
    fe_sub(&m->f, &m->c, &m->g);
    fe_mul(&p->x, &m->e, &m->f);
    fe_mul(&p->y, &m->g, &m->h);
    fe_mul(&p->t, &m->e, &m->h);
    fe_mul(&p->z, &m->f, &m->g);
}

/* The 255 signs that make k/8, or k/8 less the group's order if k/8 is even: of the digits d, which are 0 and 1, the
 * signs 2d - 1 make 2D - (2^255 - 1). Below 2^252, neither leaves the 255 signs' range. */
static void comb_signs(uint64_t signs[4], const uint64_t k[4])
{
    static const uint64_t order[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};
    static const uint64_t ones[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1};
    uint64_t even = (~k[0] >> 3 & 1) * UINT64_MAX;
    __int128 carry = 0;

    for (unsigned i = 0; i < 4; i++) {
        carry += k[i] >> 3 | (i < 3 ? k[i + 1] << 61 : 0);
        carry += ones[i];
        carry -= order[i] & even;
        signs[i] = (uint64_t)carry;
        carry >>= 64;
    }
    for (unsigned i = 0; i < 4; i++)
        signs[i] = signs[i] >> 1 | (i < 3 ? signs[i + 1] << 63 : 0);
}

/* u = k * 9; k is clamped. u = (1 + y) / (1 - y) (RFC 7748 §4.1), and y is not 1: k/8 is no multiple of the order. */
X25519_TARGET static void multiply_generator(uint64_t u[4], const uint64_t k[4])
{
    struct comb m BYTES_UNSET;

    comb_signs(m.signs, k);
    for (unsigned row = X25519_ROWS; row-- > 0;) {
        if (row == X25519_ROWS - 1) {
            comb_choose(&m, 0, row);
            comb_start(&m);
        } else {
            comb_double(&m);
        }
        for (unsigned table = row == X25519_ROWS - 1; table < X25519_TABLES; table++) {
            unsigned column = table * X25519_ROWS + row;

            if (column < X25519_COLUMNS) {
                comb_choose(&m, table, column);
                comb_add(&m);
            }
        }
    }
    fe_add(&m.a, &m.p.z, &m.p.y);
    fe_sub(&m.b, &m.p.z, &m.p.y);
    fe_invert(&m.b, &m.b);
    fe_mul(&m.a, &m.a, &m.b);
    fe_store(u, &m.a);
    mem_wipe(&m, sizeof m);
}

/* ---- bytes, and BearSSL's functions ------------------------------------------------------------------------------- */

static void words_of_bytes(uint64_t words[4], const uint8_t bytes[X25519_BYTES])
{
    for (unsigned i = 0; i < X25519_BYTES; i++)
        words[i / 8] = (i % 8 == 0 ? 0 : words[i / 8]) | (uint64_t)bytes[i] << i % 8 * 8;
}

static void bytes_of_words(uint8_t bytes[X25519_BYTES], const uint64_t words[4])
{
    for (unsigned i = 0; i < X25519_BYTES; i++)
        bytes[i] = (uint8_t)(words[i / 8] >> i % 8 * 8);
}

/* decodeScalar25519 of RFC 7748 §5, of a scalar that may be short of its highest bytes, as BearSSL takes it. */
static void clamp(uint64_t k[4], const uint8_t *x, size_t len)
{
    uint8_t bytes[X25519_BYTES] = {0};

    memcpy(bytes, x, len);
    bytes[0] &= 0xf8;
    bytes[31] = (bytes[31] & 0x7f) | 0x40;
    words_of_bytes(k, bytes);
    mem_wipe(bytes, sizeof bytes);
}

static uint32_t mul(unsigned char *g, size_t glen, const unsigned char *x, size_t xlen, int curve)
{
    uint64_t k[4], u[4], any;

    (void)curve;
    if (glen != X25519_BYTES || xlen > X25519_BYTES)
        return 0;
    clamp(k, x, xlen);
    words_of_bytes(u, g);
    u[3] &= UINT64_MAX >> 1;
    multiply(u, k);
    bytes_of_words(g, u);
    any = u[0] | u[1] | u[2] | u[3];
    any = (any | (0 - any)) >> 63;
    mem_wipe(k, sizeof k);
    mem_wipe(u, sizeof u);
    declassify(&any, sizeof any);
    return (uint32_t)any;
}

static size_t mulgen(unsigned char *r, const unsigned char *x, size_t xlen, int curve)
{
    uint64_t k[4], u[4];

    (void)curve;
    if (xlen > X25519_BYTES)
        return 0;
    clamp(k, x, xlen);
    multiply_generator(u, k);
    bytes_of_words(r, u);
    mem_wipe(k, sizeof k);
    mem_wipe(u, sizeof u);
    return X25519_BYTES;
}

/* In crypto/x25519.c. */
const unsigned char *x25519_generator(int curve, size_t *len);
const unsigned char *x25519_order(int curve, size_t *len);
size_t x25519_xoff(int curve, size_t *len);
uint32_t x25519_muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
                       size_t xlen, const unsigned char *y, size_t ylen, int curve);

#define X25519_METHODS                                                                                     \
    {                                                                                                      \
        .supported_curves = (uint32_t)1 << BR_EC_curve25519, .generator = x25519_generator,                \
        .order = x25519_order, .xoff = x25519_xoff, .mul = mul, .mulgen = mulgen, .muladd = x25519_muladd, \
    }

#endif
