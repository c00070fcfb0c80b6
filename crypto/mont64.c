/* SPDX-License-Identifier: MIT
 *
 * Owns Montgomery arithmetic over blocks of 8 limbs, and the portable way through a block. The invariant: every
 * number that a function leaves behind is below its modulus, so that one conditional subtraction ends each product.
 */
#include "crypto/mont64.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"
#include "crypto/declassify.h"

#include <string.h>

typedef unsigned __int128 uint128_t;

/* Two limbs in a vector register, where there are any. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));

enum { BLOCK = MONT64_BLOCK };

/* ---- the portable kernel ------------------------------------------------------------------------------- */

/* *t += a * b + carry; the upper half. Sums are compared rather than made in 128 bits: gcc makes one addition with
 * carry of a comparison, and wins by it. */
static inline uint64_t step(uint64_t *t, uint64_t a, uint64_t b, uint64_t carry)
{
    uint128_t product = (uint128_t)a * b;
    uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);

    low += *t;
    high += low < *t;
    low += carry;
    high += low < carry;
    *t = low;
    return high;
}

/* t (9 limbs) += a * b, as far as 8 limbs go; what is above them. */
static inline uint64_t row(uint64_t *t, const uint64_t *a, uint64_t b)
{
    uint64_t carry = step(t, a[0], b, 0);

    carry = step(t + 1, a[1], b, carry);
    carry = step(t + 2, a[2], b, carry);
    carry = step(t + 3, a[3], b, carry);
    carry = step(t + 4, a[4], b, carry);
    carry = step(t + 5, a[5], b, carry);
    carry = step(t + 6, a[6], b, carry);
    return step(t + 7, a[7], b, carry);
}

static inline uint64_t add(uint64_t *t, uint64_t a, uint64_t b)
{
    uint128_t sum = (uint128_t)*t + a + b;

    *t = (uint64_t)sum;
    return (uint64_t)(sum >> 64);
}

static uint64_t portable_multiply(uint64_t *t, const uint64_t *a, const uint64_t *b, uint64_t carry)
{
    for (size_t i = 0; i < BLOCK; i++)
        carry = add(t + i + BLOCK, row(t + i, a, b[i]), carry);
    return carry;
}

static uint64_t portable_reduce(uint64_t *t, const uint64_t *n, uint64_t n0, uint64_t carry)
{
    for (size_t i = 0; i < BLOCK; i++) {
        uint64_t m = t[i] * n0;

        carry = add(t + i + BLOCK, row(t + i, n, m), carry);
        t[i] = m;
    }
    return carry;
}

static void portable_triangle(uint64_t *t, const uint64_t *a)
{
    memset(t, 0, 2 * BLOCK * sizeof *t);
    for (size_t i = 0; i < BLOCK; i++) {
        uint64_t carry = 0;

        for (size_t j = i + 1; j < BLOCK; j++)
            carry = step(t + i + j, a[i], a[j], carry);
        t[i + BLOCK] = carry;
    }
}

static void portable_complete(uint64_t *t, const uint64_t *a, size_t limbs)
{
    uint64_t carry = 0, shifted_out = 0;

    for (size_t i = 0; i < limbs; i++) {
        uint128_t square = (uint128_t)a[i] * a[i];
        uint64_t low = t[2 * i], high = t[2 * i + 1];

        t[2 * i] = low << 1 | shifted_out;
        t[2 * i + 1] = high << 1 | low >> 63;
        shifted_out = high >> 63;
        carry = add(t + 2 * i, (uint64_t)square, carry);
        carry = add(t + 2 * i + 1, (uint64_t)(square >> 64), carry);
    }
}

static uint64_t portable_subtract(uint64_t *r, const uint64_t *a, const uint64_t *b, size_t limbs)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < limbs; i++) {
        uint128_t difference = (uint128_t)a[i] - b[i] - borrow;

        r[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return -borrow;
}

const struct mont64_kernel mont64_portable = {
    .multiply = portable_multiply,
    .reduce = portable_reduce,
    .triangle = portable_triangle,
    .complete = portable_complete,
    .subtract = portable_subtract,
};

/* ---- numbers of any length ----------------------------------------------------------------------------- */

/* r = mask ? a : b */
static void choose(uint64_t *r, uint64_t mask, const uint64_t *a, const uint64_t *b, size_t limbs)
{
    pair masks = {mask, mask};

    for (size_t i = 0; i < limbs; i += 2) {
        pair x = *(const pair *)(a + i), y = *(const pair *)(b + i);

        *(pair *)(r + i) = y ^ (masks & (x ^ y));
    }
}

uint64_t mont64_below(const uint64_t *a, const uint64_t *b, size_t limbs)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < limbs; i++)
        borrow = (uint64_t)(((uint128_t)a[i] - b[i] - borrow) >> 64) & 1;
    return -borrow;
}

uint8_t mont64_decode(uint64_t *r, size_t limbs, const uint8_t *bytes, size_t len)
{
    uint8_t excess = 0;

    memset(r, 0, limbs * sizeof *r);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = bytes[len - 1 - i];

        if (i / 8 < limbs)
            r[i / 8] |= (uint64_t)byte << i % 8 * 8;
        else
            excess |= byte;
    }
    return excess;
}

void mont64_encode(uint8_t *bytes, size_t len, const uint64_t *a, size_t limbs)
{
    for (size_t i = 0; i < len; i++)
        bytes[len - 1 - i] = i / 8 < limbs ? (uint8_t)(a[i / 8] >> i % 8 * 8) : 0;
}

void mont64_product(const struct mont64_kernel *kernel, uint64_t *r, const uint64_t *a, const uint64_t *b,
                    size_t limbs)
{
    memset(r, 0, 2 * limbs * sizeof *r);
    for (size_t i = 0; i < limbs; i += BLOCK) {
        uint64_t carry = 0;

        for (size_t j = 0; j < limbs; j += BLOCK)
            carry = kernel->multiply(r + i + j, a + j, b + i, carry);
    }
}

/* ---- modulo n ------------------------------------------------------------------------------------------ */

/* r = a, or a - n when a >= n; `above` is the limb above a, and a < 2 * n. `room` is not n, a or r. */
static void reduce_once(const struct mont64 *m, uint64_t *r, const uint64_t *a, uint64_t above,
                        uint64_t *room)
{
    uint64_t borrows = m->kernel->subtract(room, a, m->n, m->limbs);

    choose(r, borrows & (above - 1), a, room, m->limbs);
}

/* r = m->t / R, which is below n * R. The multiples of n that are added make the lower half zero, block by block; the
 * carry out of a row stands where the next row ends. */
static void reduce(struct mont64 *m, uint64_t *r)
{
    uint64_t *t = m->t, above = 0;

    for (size_t i = 0; i < m->limbs; i += BLOCK) {
        uint64_t carry = m->kernel->reduce(t + i, m->n, m->n0, 0);

        for (size_t j = BLOCK; j < m->limbs; j += BLOCK) {
            if (j + BLOCK == m->limbs)
                carry += above;
            carry = m->kernel->multiply(t + i + j, m->n + j, t + i, carry);
        }
        above = carry;
    }
    reduce_once(m, r, t + m->limbs, above, t);
}

void mont64_multiply(struct mont64 *m, uint64_t *r, const uint64_t *a, const uint64_t *b)
{
    mont64_product(m->kernel, m->t, a, b, m->limbs);
    reduce(m, r);
}

/* Half of the products of two different limbs, doubled, and the squares. */
void mont64_square(struct mont64 *m, uint64_t *r, const uint64_t *b)
{
    uint64_t *t = m->t, above = 0;
    size_t limbs = m->limbs;

    for (size_t i = 0; i < limbs; i += BLOCK)
        m->kernel->triangle(t + 2 * i, b + i);
    for (size_t i = 0; i + BLOCK < limbs; i += BLOCK) {
        uint64_t carry = 0;

        for (size_t j = i + BLOCK; j < limbs; j += BLOCK) {
            if (j + BLOCK == limbs)
                carry += above;
            carry = m->kernel->multiply(t + i + j, b + j, b + i, carry);
        }
        above = carry;
    }
    for (size_t i = 2 * limbs - BLOCK; i < 2 * limbs; i++)
        above = add(t + i, above, 0);
    m->kernel->complete(t, b, limbs);
    reduce(m, r);
}

void mont64_enter(struct mont64 *m, uint64_t *r, const uint64_t *a)
{
    mont64_multiply(m, r, a, m->square);
}

void mont64_leave(struct mont64 *m, uint64_t *r, const uint64_t *a)
{
    memcpy(m->t, a, m->limbs * sizeof *a);
    memset(m->t + m->limbs, 0, m->limbs * sizeof *a);
    reduce(m, r);
}

void mont64_reduce_wide(struct mont64 *m, uint64_t *r, const uint64_t *wide)
{
    memcpy(m->t, wide, 2 * m->limbs * sizeof *wide);
    reduce(m, r);
    mont64_enter(m, r, r);
}

void mont64_subtract(const struct mont64 *m, uint64_t *r, const uint64_t *a, const uint64_t *b)
{
    uint64_t borrows = m->kernel->subtract(r, a, b, m->limbs), carry = 0;

    for (size_t i = 0; i < m->limbs; i++)
        carry = add(r + i, m->n[i] & borrows, carry);
}

void mont64_reduce_once(struct mont64 *m, uint64_t *a)
{
    reduce_once(m, a, a, 0, m->t);
}

void mont64_double(struct mont64 *m, uint64_t *b)
{
    uint64_t above = 0;

    for (size_t i = 0; i < m->limbs; i++) {
        uint64_t limb = b[i];

        b[i] = limb << 1 | above;
        above = limb >> 63;
    }
    reduce_once(m, b, b, above, m->t);
}

/* A power of two that is surely below n is doubled until it is 2^k * R, which squaring makes R^2 when k is R's bits
 * halved a number of times: squaring in Montgomery form doubles what stands before R. */
static void find_square(struct mont64 *m, size_t len)
{
    size_t bits = 64 * m->limbs, k = bits;

    while (k > 16)
        k /= 2; /* exactly: R has at most 5 * 2^9 bits */
    memset(m->square, 0, m->limbs * sizeof *m->square);
    m->square[(len - 1) / 8] = (uint64_t)1 << (len - 1) % 8 * 8;
    for (size_t i = 8 * (len - 1); i < bits + k; i++)
        mont64_double(m, m->square);
    for (; k < bits; k *= 2)
        mont64_square(m, m->square, m->square);
}

bool mont64_init(struct mont64 *m, const struct mont64_kernel *kernel, const uint8_t *n, size_t len,
                 size_t limbs)
{
    uint64_t inverse;

    if (len == 0 || len > 8 * limbs || limbs > MONT64_MAX || limbs % BLOCK != 0 ||
        declassify_bool((n[len - 1] & 1) == 0) || (len == 1 && n[0] == 1))
        return false;
    m->kernel = kernel;
    m->limbs = limbs;
    mont64_decode(m->n, limbs, n, len);
    /* An odd number is its own inverse modulo 8; each step doubles the bits for which that holds. */
    inverse = m->n[0];
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - m->n[0] * inverse;
    m->n0 = -inverse;
    find_square(m, len);
    return true;
}

/* ---- powers -------------------------------------------------------------------------------------------- */

unsigned mont64_window(const uint8_t *e, size_t e_len, size_t at)
{
    size_t i = at / 8;
    unsigned low = e[e_len - 1 - i], high = i + 1 < e_len ? e[e_len - 2 - i] : 0;

    return (high << 8 | low) >> at % 8 & (MONT64_POWERS - 1);
}

/* r = powers[index], having read all of them. */
static void pick(uint64_t *r, const uint64_t *powers, size_t limbs, unsigned index)
{
    for (size_t j = 0; j < limbs; j += BLOCK) {
        pair block[BLOCK / 2] = {
            {0, 0}
        };

        for (unsigned i = 0; i < MONT64_POWERS; i++) {
            uint64_t other = i ^ index, same = -(((other - 1) & ~other) >> 63);
            const pair *power = (const pair *)(powers + i * limbs + j), mask = {same, same};

            block[0] |= power[0] & mask;
            block[1] |= power[1] & mask;
            block[2] |= power[2] & mask;
            block[3] |= power[3] & mask;
        }
        memcpy(r + j, block, sizeof block);
    }
}

void mont64_pow(struct mont64 *m, uint64_t *r, const uint64_t *b, const uint8_t *e, size_t e_len)
{
    size_t limbs = m->limbs, at = (8 * e_len + MONT64_WINDOW - 1) / MONT64_WINDOW * MONT64_WINDOW;
    MONT64_UNSET uint64_t powers[MONT64_POWERS * MONT64_MAX], factor[MONT64_MAX];

    mont64_leave(m, powers, m->square);
    memcpy(powers + limbs, b, limbs * sizeof *b);
    for (size_t i = 2; i < MONT64_POWERS; i += 2) {
        mont64_square(m, powers + i * limbs, powers + i / 2 * limbs);
        mont64_multiply(m, powers + (i + 1) * limbs, powers + i * limbs, b);
    }
    memcpy(r, powers, limbs * sizeof *r);
    while (at > 0) {
        at -= MONT64_WINDOW;
        for (unsigned i = 0; i < MONT64_WINDOW; i++)
            mont64_square(m, r, r);
        pick(factor, powers, limbs, mont64_window(e, e_len, at));
        mont64_multiply(m, r, r, factor);
    }
    mont64_leave(m, r, r);
    mem_wipe(powers, sizeof powers);
    mem_wipe(factor, sizeof factor);
}

void mont64_pow_fermat(struct mont64 *m, uint64_t *r, const uint64_t *b, unsigned k)
{
    memcpy(r, b, m->limbs * sizeof *r);
    while (k-- > 0)
        mont64_square(m, r, r);
    mont64_multiply(m, r, r, b);
    mont64_leave(m, r, r);
}

#endif
