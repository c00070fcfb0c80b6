/* SPDX-License-Identifier: MIT
 *
 * Owns the modular inversion. Numbers f and g, at first m and a, are led to ±1 and 0 by steps that look at the lowest
 * bit of g and at a counter alone, and halve g. Steps are taken on the lowest words only and gathered into a matrix,
 * which is then applied to the whole f and g, and to d and e, which go from 0 and 1 along with them so that always
 * f = d * a and g = e * a modulo m: at the end, the inverse is ±d.
 *
 * With the counter starting at 1/2 (here doubled and negated, to be an integer whose sign counts), 590 steps are
 * enough for 256 bits, as has been proved by computing the convex hull of all states.
 */
#include "crypto/inverse256.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"

/* Steps come in ten batches of 59, each of two halves, whose matrices have entries of up to 30 bits and a sign. */
enum { BATCHES = 10, HALF_1 = 30, HALF_2 = 29, BATCH = HALF_1 + HALF_2, LIMBS = 5 };

#define LIMB_MASK ((int64_t)((UINT64_C(1) << BATCH) - 1))

typedef __int128 wide;

/* Limbs of 59 bits, of which the highest has the sign. */
struct number {
    int64_t v[LIMBS];
};

/* What a batch does, times 2^59: f becomes u * f + v * g, and g becomes q * f + r * g. */
struct matrix {
    int64_t u, v, q, r;
};

/* n steps on the lowest words of f and g. The rows of the matrix stand packed in one word each, the first entry in
 * the low half: they are added, negated and doubled as one number, and taken apart at the end. */
static int64_t steps(int64_t counter, uint64_t *low_f, uint64_t *low_g, unsigned n, struct matrix *t)
{
    uint64_t f = *low_f, g = *low_g, row_f = 1, row_g = UINT64_C(1) << 32;

    for (unsigned i = 0; i < n; i++) {
        uint64_t swap = (uint64_t)(counter >> 63), odd = 0 - (g & 1);

        /* g plus f or minus f when it is odd, minus when f and g change places. */
        g += ((f ^ swap) - swap) & odd;
        row_g += ((row_f ^ swap) - swap) & odd;
        swap &= odd;
        counter = (counter ^ (int64_t)swap) - 1;
        /* The old g is the new one plus the old f. */
        f += g & swap;
        row_f += row_g & swap;
        g >>= 1;
        row_f <<= 1;
    }
    *low_f = f;
    *low_g = g;
    t->u = (int32_t)row_f;
    t->v = (int64_t)(row_f - (uint64_t)t->u) >> 32;
    t->q = (int32_t)row_g;
    t->r = (int64_t)(row_g - (uint64_t)t->q) >> 32;
    return counter;
}

/* A batch: its second half acts on what the first one leaves. */
static int64_t batch(int64_t counter, const struct number *f, const struct number *g, struct matrix *t)
{
    uint64_t low_f = (uint64_t)f->v[0], low_g = (uint64_t)g->v[0];
    struct matrix a, b;

    counter = steps(counter, &low_f, &low_g, HALF_1, &a);
    counter = steps(counter, &low_f, &low_g, HALF_2, &b);
    t->u = b.u * a.u + b.v * a.q;
    t->v = b.u * a.v + b.v * a.r;
    t->q = b.q * a.u + b.r * a.q;
    t->r = b.q * a.v + b.r * a.r;
    return counter;
}

/* The matrix on f and g: of both results the lowest limb is 0 and drops out. */
static void apply(struct number *f, struct number *g, const struct matrix *t)
{
    wide cf = (wide)t->u * f->v[0] + (wide)t->v * g->v[0];
    wide cg = (wide)t->q * f->v[0] + (wide)t->r * g->v[0];

    for (unsigned i = 1; i < LIMBS; i++) {
        int64_t fi = f->v[i], gi = g->v[i];

        cf = (cf >> BATCH) + (wide)t->u * fi + (wide)t->v * gi;
        cg = (cg >> BATCH) + (wide)t->q * fi + (wide)t->r * gi;
        f->v[i - 1] = (int64_t)cf & LIMB_MASK;
        g->v[i - 1] = (int64_t)cg & LIMB_MASK;
    }
    f->v[LIMBS - 1] = (int64_t)(cf >> BATCH);
    g->v[LIMBS - 1] = (int64_t)(cg >> BATCH);
}

/* The matrix on d and e, modulo m. Both stay above -2m and below m: a negative one counts as itself plus m, and of
 * what makes the lowest limb 0, m times less than 2^59 is taken away. */
static void apply_modulo(struct number *d, struct number *e, const struct matrix *t, const struct number *m,
                         uint64_t inverse)
{
    int64_t negative_d = d->v[LIMBS - 1] >> 63, negative_e = e->v[LIMBS - 1] >> 63;
    int64_t md = (t->u & negative_d) + (t->v & negative_e), me = (t->q & negative_d) + (t->r & negative_e);
    wide cd = (wide)t->u * d->v[0] + (wide)t->v * e->v[0];
    wide ce = (wide)t->q * d->v[0] + (wide)t->r * e->v[0];

    md -= (int64_t)(inverse * (uint64_t)cd + (uint64_t)md) & LIMB_MASK;
    me -= (int64_t)(inverse * (uint64_t)ce + (uint64_t)me) & LIMB_MASK;
    cd += (wide)m->v[0] * md;
    ce += (wide)m->v[0] * me;
    for (unsigned i = 1; i < LIMBS; i++) {
        int64_t di = d->v[i], ei = e->v[i];

        cd = (cd >> BATCH) + (wide)t->u * di + (wide)t->v * ei + (wide)m->v[i] * md;
        ce = (ce >> BATCH) + (wide)t->q * di + (wide)t->r * ei + (wide)m->v[i] * me;
        d->v[i - 1] = (int64_t)cd & LIMB_MASK;
        e->v[i - 1] = (int64_t)ce & LIMB_MASK;
    }
    d->v[LIMBS - 1] = (int64_t)(cd >> BATCH);
    e->v[LIMBS - 1] = (int64_t)(ce >> BATCH);
}

/* d plus m where it is negative, then negated where `negate` is all ones. */
static void normalize(struct number *d, const struct number *m, int64_t negate)
{
    int64_t add = d->v[LIMBS - 1] >> 63, carry = 0;

    for (unsigned i = 0; i < LIMBS; i++) {
        carry += ((d->v[i] + (m->v[i] & add)) ^ negate) - negate;
        d->v[i] = i < LIMBS - 1 ? carry & LIMB_MASK : carry;
        carry >>= BATCH;
    }
}

static struct number number_of(const uint64_t w[4])
{
    return (struct number){
        {
         (int64_t)w[0] & LIMB_MASK,
         (int64_t)(w[0] >> 59 | w[1] << 5) & LIMB_MASK,
         (int64_t)(w[1] >> 54 | w[2] << 10) & LIMB_MASK,
         (int64_t)(w[2] >> 49 | w[3] << 15) & LIMB_MASK,
         (int64_t)(w[3] >> 44),
         }
    };
}

void inverse256(uint64_t r[4], const uint64_t a[4], const struct inverse256_modulus *modulus)
{
    struct number m = number_of(modulus->m), f = m, g = number_of(a), d = {{0}}, e = {{1}};
    struct matrix t;
    int64_t counter = -1;

    for (unsigned i = 0; i < BATCHES; i++) {
        counter = batch(counter, &f, &g, &t);
        apply(&f, &g, &t);
        apply_modulo(&d, &e, &t, &m, modulus->inverse);
    }
    normalize(&d, &m, f.v[LIMBS - 1] >> 63);
    normalize(&d, &m, 0);
    r[0] = (uint64_t)d.v[0] | (uint64_t)d.v[1] << 59;
    r[1] = (uint64_t)d.v[1] >> 5 | (uint64_t)d.v[2] << 54;
    r[2] = (uint64_t)d.v[2] >> 10 | (uint64_t)d.v[3] << 49;
    r[3] = (uint64_t)d.v[3] >> 15 | (uint64_t)d.v[4] << 44;
    mem_wipe(&f, sizeof f);
    mem_wipe(&g, sizeof g);
    mem_wipe(&d, sizeof d);
    mem_wipe(&e, sizeof e);
    mem_wipe(&t, sizeof t);
}

#endif
