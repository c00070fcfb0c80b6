/* SPDX-License-Identifier: MIT
 *
 * Holds a field's functions against slow arithmetic, with limbs at and near their bounds, which random points hardly
 * ever have. Two test programs include this, each after its field, whose two kinds of numbers they define:
 *
 *     FE_LIMB_BITS             bits from limb to limb
 *     FE_TIGHT, FE_LOOSE       the largest limbs of a number of either kind, an initialiser
 *     FE_TIGHT_CARRY           of a tight number that is more than FE_TIGHT allows, the largest limbs
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "tests/unit/crypto/slow25519.h"

enum { LIMBS = sizeof(struct fe) / sizeof(uint64_t) };

/* A limb up to `bound`: 0, the bound, close to one of them, around a power of two, or anything. */
static uint64_t random_limb(uint64_t bound)
{
    uint64_t r = input_number() >> 16, power = (uint64_t)1 << input_number() % 64;
    uint64_t limb;

    switch (input_number() >> 32 & 7) {
    case 0: return 0;
    case 1: return bound;
    case 2: limb = bound - r % 64; break;
    case 3: limb = r % 64; break;
    case 4: limb = power - 1; break;
    case 5: limb = power; break;
    default: limb = input_number(); break;
    }
    return bound == UINT64_MAX ? limb : limb % (bound + 1);
}

static const struct fe tight = {FE_TIGHT}, tight_carry = {FE_TIGHT_CARRY}, loose = {FE_LOOSE};

static struct fe random_fe(const struct fe *bound)
{
    struct fe a;

    for (unsigned i = 0; i < LIMBS; i++)
        a.v[i] = random_limb(bound->v[i]);
    return a;
}

static struct fe random_tight(void)
{
    struct fe a;

    if (input_number() >> 60 != 0)
        return random_fe(&tight);
    a = tight_carry;
    a.v[0] = random_limb(a.v[0]);
    return a;
}

static struct slow slow_of(const struct fe *a)
{
    struct slow sum = slow_small(0), base = slow_small((uint64_t)1 << (FE_LIMB_BITS / 2));

    base = slow_mul(base, slow_small((uint64_t)1 << (FE_LIMB_BITS - FE_LIMB_BITS / 2)));
    for (unsigned i = LIMBS; i-- > 0;)
        sum = slow_add(slow_mul(sum, base), slow_of_words(&a->v[i], 1));
    return sum;
}

static bool within(const struct fe *a, const struct fe *bound)
{
    for (unsigned i = 0; i < LIMBS; i++)
        if (a->v[i] > bound->v[i])
            return false;
    return true;
}

/* The result stands for the number, and is of its kind. */
static bool is(const char *what, const struct fe *r, struct slow expected, bool its_kind)
{
    if (CHECK(slow_equal(slow_of(r), expected)) & CHECK(its_kind))
        return true;
    printf("    %s\n", what);
    return false;
}

static bool is_tight(const char *what, const struct fe *r, struct slow expected)
{
    return is(what, r, expected, within(r, &tight) || within(r, &tight_carry));
}

static bool takes_loose(const struct fe *a, const struct fe *b)
{
    struct slow x = slow_of(a), y = slow_of(b);
    struct fe r;
    bool good;

    fe_mul(&r, a, b);
    good = is_tight("mul", &r, slow_mul(x, y));
    fe_sqr(&r, a);
    good &= is_tight("sqr", &r, slow_mul(x, x));
    fe_mul_small(&r, a, b, 121665);
    good &= is_tight("mul_small", &r, slow_add(x, slow_mul(y, slow_small(121665))));
    fe_tighten(&r, a);
    good &= is_tight("tighten", &r, x);
    fe_select(&r, a, b, 0);
    good &= CHECK(memcmp(&r, a, sizeof r) == 0);
    fe_select(&r, a, b, 1);
    return good & CHECK(memcmp(&r, b, sizeof r) == 0);
}

static bool takes_tight(const struct fe *a, const struct fe *b)
{
    struct slow x = slow_of(a), y = slow_of(b), stored;
    struct fe r;
    bool good;

    fe_add(&r, a, b);
    good = is("add", &r, slow_add(x, y), within(&r, &loose));
    fe_sub(&r, a, b);
    good &= is("sub", &r, slow_sub(x, y), within(&r, &loose));
    fe_store(stored.w, a);
    good &= CHECK(slow_equal(stored, x));
    fe_load(&r, x.w);
    return good & is_tight("load", &r, x);
}

TEST(loose_operands)
{
    for (size_t i = 0; i < input_count(30000, 1000000); i++) {
        struct fe a = random_fe(&loose), b = random_fe(&loose);

        if (!takes_loose(&a, &b))
            return;
    }
}

TEST(tight_operands)
{
    for (size_t i = 0; i < input_count(30000, 1000000); i++) {
        struct fe a = random_tight(), b = random_tight();

        if (!takes_tight(&a, &b))
            return;
    }
}

/* All pairs of 0, p, 2p and their neighbours. */
TEST(numbers_around_p)
{
    struct fe near[40];
    struct slow p_less_1 = slow_sub(slow_small(0), slow_small(1));
    unsigned n = 0;

    for (uint64_t i = 0; i < 20; i++) {
        uint64_t words[4] = {p_less_1.w[0] - 10 + i, p_less_1.w[1], p_less_1.w[2], p_less_1.w[3]};

        fe_load(&near[n++], words);
        fe_load(&near[n++], (const uint64_t[4]){i});
    }
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n; j++)
            if (!takes_tight(&near[i], &near[j]) || !takes_loose(&near[i], &near[j]))
                return;
}

/* As the curve's code does it all the time. */
TEST(result_over_operands)
{
    struct fe a = random_tight(), b = random_tight(), r, t;

#define OVER(f)                           \
    do {                                  \
        f(&r, &a, &b);                    \
        t = a;                            \
        f(&t, &t, &b);                    \
        CHECK(!memcmp(&t, &r, sizeof r)); \
        t = b;                            \
        f(&t, &a, &t);                    \
        CHECK(!memcmp(&t, &r, sizeof r)); \
        f(&r, &a, &a);                    \
        t = a;                            \
        f(&t, &t, &t);                    \
        CHECK(!memcmp(&t, &r, sizeof r)); \
    } while (0)
    OVER(fe_mul);
    OVER(fe_add);
    OVER(fe_sub);
    fe_sqr(&r, &a);
    t = a;
    fe_sqr(&t, &t);
    CHECK(!memcmp(&t, &r, sizeof r));
    fe_mul_small(&r, &a, &b, 121665);
    t = a;
    fe_mul_small(&t, &t, &b, 121665);
    CHECK(!memcmp(&t, &r, sizeof r));
}

#define FE25519_TESTS \
    RUN(loose_operands), RUN(tight_operands), RUN(numbers_around_p), RUN(result_over_operands)
