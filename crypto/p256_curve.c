/* SPDX-License-Identifier: MIT
 *
 * Owns multiples of points of P-256.
 *
 * Multipliers are taken apart into digits that are never 0: odd ones, for a multiplier that is odd itself (the order
 * n is odd, so of k and n - k one is). So what is added is never the point at infinity; and what it is added to is
 * never the same point or its negative, but where said: both are multiples of the point by numbers that differ, and
 * whose sum and difference stay below n.
 */
#include "crypto/p256_curve.h"

#ifdef __SIZEOF_INT128__

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/inverse256.h"
#include "crypto/p256_table.h"

#include <string.h>

/* ---- the field -------------------------------------------------------------------------------------------------- */

static const struct inverse256_modulus p = {
    .m = {UINT64_MAX, P256_P1, 0, P256_P3},
      .inverse = UINT64_MAX
};

/* In Montgomery's form 1, b, and 2^256 and 2^512, which bring others into it. */
static const struct p256_fe one = {
    {0x0000000000000001, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe}
};
static const struct p256_fe curve_b = {
    {0xd89cdf6229c4bddf, 0xacf005cd78843090, 0xe5a220abf7212ed6, 0xdc30061d04874834}
};
static const struct p256_fe r2 = {
    {0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe, 0x00000004fffffffd}
};
static const struct p256_fe r3 = {
    {0xfffffffd0000000a, 0xffffffedfffffff7, 0x00000005fffffffc, 0x0000001800000001}
};

static const struct p256_fe zero;

static uint64_t is_zero(const struct p256_fe *a)
{
    return p256_mask_zero(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

/* All ones if the words are below p, else 0. */
static uint64_t is_below_p(const uint64_t w[4])
{
    uint64_t borrow = 0;

    for (unsigned i = 0; i < 4; i++)
        p256_sub_borrow(w[i], p.m[i], &borrow);
    return 0 - borrow;
}

/* From 32 bytes of network order; returns all ones if they were below p, else 0. */
static uint64_t read_fe(const struct p256_ops *ops, struct p256_fe *r, const uint8_t *from)
{
    uint64_t good;

    p256_read(r->w, from);
    good = is_below_p(r->w);
    ops->fe_mul(r, r, &r2);
    return good;
}

static void write_fe(const struct p256_ops *ops, uint8_t *to, const struct p256_fe *a)
{
    static const struct p256_fe plain_one = {{1}};
    struct p256_fe plain;

    ops->fe_mul(&plain, a, &plain_one);
    p256_write(to, plain.w);
}

/* ---- points ----------------------------------------------------------------------------------------------------- */

/* Returns all ones if there is a point of the curve in these bytes, else 0. */
static uint64_t read_point(const struct p256_ops *ops, struct p256_point *r, const uint8_t from[P256_POINT])
{
    struct p256_fe left, right, three = one;
    uint64_t good = p256_mask_zero(from[0] ^ 0x04u);

    good &= read_fe(ops, &r->x, from + 1);
    good &= read_fe(ops, &r->y, from + 33);
    r->z = one;
    /* (x^2 - 3) * x + b */
    ops->fe_add(&three, &three, &one);
    ops->fe_add(&three, &three, &one);
    ops->fe_sqr(&right, &r->x);
    ops->fe_sub(&right, &right, &three);
    ops->fe_mul(&right, &right, &r->x);
    ops->fe_add(&right, &right, &curve_b);
    ops->fe_sqr(&left, &r->y);
    ops->fe_sub(&left, &left, &right);
    return good & is_zero(&left);
}

/* The point at infinity has 0 for the inverse of z. */
static void write_point(const struct p256_ops *ops, uint8_t to[P256_POINT], const struct p256_point *a)
{
    struct p256_fe z1, z2, t;

    inverse256(z1.w, a->z.w, &p);
    ops->fe_mul(&z1, &z1, &r3);
    ops->fe_sqr(&z2, &z1);
    to[0] = 0x04;
    ops->fe_mul(&t, &a->x, &z2);
    write_fe(ops, to + 1, &t);
    ops->fe_mul(&t, &a->y, &z1);
    ops->fe_mul(&t, &t, &z2);
    write_fe(ops, to + 33, &t);
}

/* r = a where mask is all ones, r where it is 0. */
static void select_point(struct p256_point *r, const struct p256_point *a, uint64_t mask)
{
    for (unsigned i = 0; i < 4; i++) {
        r->x.w[i] ^= (r->x.w[i] ^ a->x.w[i]) & mask;
        r->y.w[i] ^= (r->y.w[i] ^ a->y.w[i]) & mask;
        r->z.w[i] ^= (r->z.w[i] ^ a->z.w[i]) & mask;
    }
}

static void negate_point(const struct p256_ops *ops, struct p256_point *r, uint64_t mask)
{
    struct p256_point negative = *r;

    ops->fe_sub(&negative.y, &zero, &r->y);
    select_point(r, &negative, mask);
}

static void set_addend(const struct p256_ops *ops, struct p256_addend *r, const struct p256_point *a)
{
    r->x = a->x;
    r->y = a->y;
    r->z = a->z;
    ops->fe_sqr(&r->zz, &a->z);
    ops->fe_mul(&r->zzz, &r->zz, &a->z);
}

/* a, 3a, 5a and so on. */
static void odd_multiples(const struct p256_ops *ops, struct p256_addend *table, size_t n,
                          const struct p256_point *a)
{
    struct p256_point twice, multiple = *a;
    struct p256_addend step;

    ops->twice(&twice, a);
    set_addend(ops, &step, &twice);
    set_addend(ops, &table[0], &multiple);
    for (size_t i = 1; i < n; i++) {
        ops->add(&multiple, &multiple, &step, 0);
        set_addend(ops, &table[i], &multiple);
    }
}

/* ---- multiples of any point ------------------------------------------------------------------------------------- */

/* The odd one of k and n - k; returns all ones if it is n - k, else 0. */
static uint64_t odd_scalar(struct p256_scalar *r, const struct p256_scalar *k)
{
    uint64_t even = (k->w[0] & 1) - 1, borrow = 0, order[4];

    p256_read(order, p256_order);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t difference = p256_sub_borrow(order[i], k->w[i], &borrow);

        r->w[i] = k->w[i] ^ ((k->w[i] ^ difference) & even);
    }
    return even;
}

enum { WINDOW = 5, ODD_MULTIPLES = 1 << (WINDOW - 1), WINDOWS = 51 };

/* Digits of five bits, odd and between -31 and 31. The bits of an odd number above any place, with a 1 for the lowest
 * of them, are an odd number again; the digit is what this is modulo 64, less 32. Above the 51st digit 1 is left. */
static void multiply(const struct p256_ops *ops, struct p256_point *r, const struct p256_point *a,
                     const struct p256_scalar *k)
{
    struct p256_addend table[ODD_MULTIPLES] BYTES_UNSET, q BYTES_UNSET;
    struct p256_scalar odd;
    uint64_t negative = odd_scalar(&odd, k);
    struct p256_point sum = *a;

    odd_multiples(ops, table, ODD_MULTIPLES, a);
    for (unsigned i = WINDOWS; i-- > 0;) {
        unsigned at = WINDOW * i + 1, word = at / 64, bit = at % 64;
        uint64_t digit = odd.w[word] >> bit, minus;

        if (bit > 64 - WINDOW && word < 3)
            digit |= odd.w[word + 1] << (64 - bit);
        minus = (digit >> (WINDOW - 1) & 1) - 1;
        for (unsigned j = 0; j < WINDOW; j++)
            ops->twice(&sum, &sum);
        ops->pick(&q, table, ODD_MULTIPLES, (uint32_t)((digit ^ minus) & (ODD_MULTIPLES - 1)));
        ops->add(&sum, &sum, &q, minus);
    }
    negate_point(ops, &sum, negative);
    *r = sum;
    mem_wipe(&odd, sizeof odd);
    mem_wipe(&q, sizeof q);
    mem_wipe(table, sizeof table);
    mem_wipe(&sum, sizeof sum);
}

/* ---- multiples of the generator --------------------------------------------------------------------------------- */

/* The digits -1 and 1 of an odd number, as p256_table.py says: its bits above the lowest, and a 1 at the top. By
 * blocks, of up to 8 bytes. */
struct comb {
    uint64_t block[P256_BLOCKS];
};

enum { ROUNDS = 8 };

static void set_comb(struct comb *c, const struct p256_scalar *odd)
{
    uint64_t w[5] = {0};
    unsigned bit = 0;

    for (unsigned i = 0; i < 4; i++)
        w[i] = odd->w[i] >> 1 | (i < 3 ? odd->w[i + 1] : 1) << 63;
    for (unsigned i = 0; i < P256_BLOCKS; i++) {
        unsigned word = bit / 64, at = bit % 64, bits = 8 * p256_table_blocks[i];

        c->block[i] = w[word] >> at | (at > 0 ? w[word + 1] << (64 - at) : 0);
        if (bits < 64)
            c->block[i] &= (UINT64_C(1) << bits) - 1;
        bit += bits;
    }
    mem_wipe(w, sizeof w);
}

/* The index of a round's entry for a block of n bytes, and all ones in *minus if it is to be negated, else 0. */
static uint32_t comb_index(uint64_t block, unsigned n, unsigned round, uint64_t *minus)
{
    /* Moves the lowest bit of each byte into the highest byte. */
    uint64_t digits = (block >> round & 0x0101010101010101) * 0x0102040810204080 >> 56;

    *minus = (digits >> (n - 1)) - 1;
    return (uint32_t)(digits ^ *minus) & ((1u << (n - 1)) - 1);
}

/* Only the very last addition may find the point to be added the same as the sum so far: for one k. */
static void multiply_generator(const struct p256_ops *ops, struct p256_point *r, const struct p256_scalar *k)
{
    struct p256_affine q BYTES_UNSET;
    struct p256_scalar odd;
    uint64_t negative = odd_scalar(&odd, k), minus, same = 0;
    struct p256_point sum = {.z = one}, twice = {.z = one};
    struct comb c;

    set_comb(&c, &odd);
    for (unsigned round = ROUNDS; round-- > 0;) {
        const struct p256_affine *table = p256_table;

        if (round < ROUNDS - 1)
            ops->twice(&sum, &sum);
        for (unsigned i = 0; i < P256_BLOCKS; i++) {
            unsigned n = p256_table_blocks[i];
            size_t entries = (size_t)1 << (n - 1);

            ops->pick_affine(&q, table, entries, comb_index(c.block[i], n, round, &minus));
            table += entries;
            if (round == ROUNDS - 1 && i == 0) {
                sum.x = q.x;
                sum.y = q.y;
                negate_point(ops, &sum, minus);
                continue;
            }
            if (round == 0 && i == P256_BLOCKS - 1)
                ops->twice(&twice, &sum);
            same = ops->add_affine(&sum, &sum, &q, minus);
        }
    }
    select_point(&sum, &twice, same);
    negate_point(ops, &sum, negative);
    *r = sum;
    mem_wipe(&odd, sizeof odd);
    mem_wipe(&c, sizeof c);
    mem_wipe(&q, sizeof q);
    mem_wipe(&sum, sizeof sum);
    mem_wipe(&twice, sizeof twice);
}

/* ---- from bytes to bytes ---------------------------------------------------------------------------------------- */

uint32_t p256_mul(const struct p256_ops *ops, uint8_t point[P256_POINT], const struct p256_scalar *k)
{
    struct p256_point a;
    uint64_t good = read_point(ops, &a, point);

    multiply(ops, &a, &a, k);
    write_point(ops, point, &a);
    mem_wipe(&a, sizeof a);
    return (uint32_t)good & 1;
}

void p256_mulgen(const struct p256_ops *ops, uint8_t point[P256_POINT], const struct p256_scalar *k)
{
    struct p256_point a;

    multiply_generator(ops, &a, k);
    write_point(ops, point, &a);
    mem_wipe(&a, sizeof a);
}

uint32_t p256_muladd(const struct p256_ops *ops, uint8_t a[P256_POINT], const uint8_t *b,
                     const struct p256_scalar *x, const struct p256_scalar *y)
{
    struct p256_point sum, other, twice;
    struct p256_addend addend;
    uint64_t good = read_point(ops, &sum, a), infinite, same;

    multiply(ops, &sum, &sum, x);
    if (b == NULL) {
        multiply_generator(ops, &other, y);
    } else {
        good &= read_point(ops, &other, b);
        multiply(ops, &other, &other, y);
    }
    set_addend(ops, &addend, &other);
    ops->twice(&twice, &other);
    /* Where one of them is at infinity, the sum is the other one. */
    infinite = is_zero(&sum.z) | is_zero(&other.z);
    select_point(&other, &sum, is_zero(&other.z));
    same = ops->add(&sum, &sum, &addend, 0);
    select_point(&sum, &twice, same);
    select_point(&sum, &other, infinite);
    good &= ~is_zero(&sum.z);
    write_point(ops, a, &sum);
    mem_wipe(&sum, sizeof sum);
    mem_wipe(&other, sizeof other);
    mem_wipe(&twice, sizeof twice);
    mem_wipe(&addend, sizeof addend);
    return (uint32_t)good & 1;
}

/* ---- verification: of public numbers, and not constant-time ----------------------------------------------------- */

enum { NAF_WIDTH = 5, NAF_MULTIPLES = 1 << (NAF_WIDTH - 2), NAF_DIGITS = 257 };

/* Digits of a number, the lowest first: 0, or odd and between -15 and 15 with at least four times 0 behind it. */
static void set_naf(int8_t naf[NAF_DIGITS], const struct p256_scalar *k)
{
    uint64_t w[5] = {k->w[0], k->w[1], k->w[2], k->w[3], 0}, carry = 0;

    memset(naf, 0, NAF_DIGITS);
    for (unsigned i = 0; i < NAF_DIGITS;) {
        unsigned word = i / 64, bit = i % 64;
        uint64_t bits = w[word] >> bit;
        int digit;

        if (bit > 64 - NAF_WIDTH && word < 4)
            bits |= w[word + 1] << (64 - bit);
        if ((bits & 1) == carry) {
            i++;
            continue;
        }
        digit = (int)((bits & ((1u << NAF_WIDTH) - 1)) + carry);
        carry = (uint64_t)digit >> (NAF_WIDTH - 1);
        naf[i] = (int8_t)(digit - (int)(carry << NAF_WIDTH));
        i += NAF_WIDTH;
    }
}

static void variable_add(const struct p256_ops *ops, struct p256_point *sum, const struct p256_addend *q,
                         uint64_t minus)
{
    struct p256_point before = *sum;

    if (is_zero(&sum->z)) {
        *sum = (struct p256_point){q->x, q->y, q->z};
        negate_point(ops, sum, minus);
    } else if (ops->add(sum, &before, q, minus)) {
        ops->twice(sum, &before);
    }
}

static void variable_add_affine(const struct p256_ops *ops, struct p256_point *sum,
                                const struct p256_affine *q, uint64_t minus)
{
    struct p256_point before = *sum;

    if (is_zero(&sum->z)) {
        *sum = (struct p256_point){q->x, q->y, one};
        negate_point(ops, sum, minus);
    } else if (ops->add_affine(sum, &before, q, minus)) {
        ops->twice(sum, &before);
    }
}

/* u * G + v * q, doubling for both at once: what a round adds for u counts 2^round times. */
static void variable_muladd(const struct p256_ops *ops, struct p256_point *sum, const struct p256_point *q,
                            const struct p256_scalar *u, const struct p256_scalar *v)
{
    struct p256_addend multiples[NAF_MULTIPLES];
    int8_t naf[NAF_DIGITS];
    struct p256_scalar odd;
    uint64_t negative = odd_scalar(&odd, u), minus;
    unsigned rounds = p256_scalar_is_zero(u) ? 0 : ROUNDS;
    struct comb c;

    set_comb(&c, &odd);
    set_naf(naf, v);
    odd_multiples(ops, multiples, NAF_MULTIPLES, q);
    *sum = (struct p256_point){.x = one, .y = one};
    for (unsigned i = NAF_DIGITS; i-- > 0;) {
        const struct p256_affine *table = p256_table;

        if (!is_zero(&sum->z))
            ops->twice(sum, sum);
        if (naf[i] > 0)
            variable_add(ops, sum, &multiples[naf[i] / 2], 0);
        else if (naf[i] < 0)
            variable_add(ops, sum, &multiples[-naf[i] / 2], UINT64_MAX);
        for (unsigned j = 0; j < P256_BLOCKS && i < rounds; j++) {
            unsigned n = p256_table_blocks[j];
            uint32_t index = comb_index(c.block[j], n, i, &minus);

            variable_add_affine(ops, sum, &table[index], minus ^ negative);
            table += (size_t)1 << (n - 1);
        }
    }
}

/* The first coordinate, x / z^2, is this number below p. */
static bool is_x(const struct p256_ops *ops, const struct p256_point *a, const uint64_t x[4])
{
    struct p256_fe t = {
        {x[0], x[1], x[2], x[3]}
    };

    ops->fe_mul(&t, &t, &r2);
    ops->fe_mul(&t, &t, &a->z);
    ops->fe_mul(&t, &t, &a->z);
    ops->fe_sub(&t, &t, &a->x);
    return is_zero(&t);
}

bool p256_verify(const struct p256_ops *ops, const uint8_t q[P256_POINT], const struct p256_scalar *u,
                 const struct p256_scalar *v, const struct p256_scalar *r)
{
    struct p256_point a, sum;
    uint64_t order[4], carry = 0;

    if (!read_point(ops, &a, q))
        return false;
    variable_muladd(ops, &sum, &a, u, v);
    if (is_zero(&sum.z))
        return false;
    if (is_x(ops, &sum, r->w))
        return true;
    /* A coordinate may also be above n, for there are numbers between n and p: r + n is below p for few r. */
    p256_read(order, p256_order);
    for (unsigned i = 0; i < 4; i++)
        order[i] = p256_add_carry(order[i], r->w[i], &carry);
    return carry == 0 && is_below_p(order) && is_x(ops, &sum, order);
}

#endif
