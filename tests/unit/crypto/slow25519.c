/* SPDX-License-Identifier: MIT
 *
 * Owns the slow arithmetic of edwards25519: products in 32-bit digits, reduced by 2^256 = 38 until they fit.
 */
#include "tests/unit/crypto/slow25519.h"

#include <string.h>

enum { DIGITS = 8 };

static const struct slow p = {
    {0xffffffffffffffed, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1}
};

struct slow slow_small(uint64_t v)
{
    return (struct slow){{v}};
}

static bool below(struct slow a, struct slow b)
{
    for (unsigned i = 4; i-- > 0;)
        if (a.w[i] != b.w[i])
            return a.w[i] < b.w[i];
    return false;
}

/* a - b, where a is not below b. */
static struct slow difference(struct slow a, struct slow b)
{
    uint64_t borrow = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint64_t w = a.w[i] - b.w[i];
        uint64_t out = a.w[i] < b.w[i] || w < borrow;

        a.w[i] = w - borrow;
        borrow = out;
    }
    return a;
}

/* Of 16 digits. */
static struct slow reduce(uint32_t digits[2 * DIGITS])
{
    struct slow r;
    uint64_t carry;
    bool high;

    do {
        carry = 0;
        high = false;
        for (unsigned i = 0; i < DIGITS; i++) {
            carry += digits[i] + (uint64_t)38 * digits[i + DIGITS];
            digits[i] = (uint32_t)carry;
            carry >>= 32;
        }
        memset(digits + DIGITS, 0, DIGITS * sizeof *digits);
        digits[DIGITS] = (uint32_t)carry;
        high = carry != 0;
    } while (high);
    for (unsigned i = 0; i < 4; i++)
        r.w[i] = digits[2 * i] | (uint64_t)digits[2 * i + 1] << 32;
    while (!below(r, p))
        r = difference(r, p);
    return r;
}

struct slow slow_of_words(const uint64_t *words, unsigned n)
{
    uint32_t digits[2 * DIGITS] = {0};

    for (unsigned i = 0; i < n; i++) {
        digits[2 * i] = (uint32_t)words[i];
        digits[2 * i + 1] = (uint32_t)(words[i] >> 32);
    }
    return reduce(digits);
}

struct slow slow_add(struct slow a, struct slow b)
{
    uint64_t sum[5] = {0}, carry = 0;

    for (unsigned i = 0; i < 4; i++) {
        sum[i] = a.w[i] + b.w[i];
        uint64_t out = sum[i] < a.w[i];
        sum[i] += carry;
        carry = out + (sum[i] < carry);
    }
    sum[4] = carry;
    return slow_of_words(sum, 5);
}

struct slow slow_sub(struct slow a, struct slow b)
{
    return slow_add(a, difference(p, b));
}

struct slow slow_mul(struct slow a, struct slow b)
{
    uint32_t digits[2 * DIGITS] = {0};

    for (unsigned i = 0; i < DIGITS; i++) {
        uint64_t carry = 0;

        for (unsigned j = 0; j < DIGITS; j++) {
            uint32_t x = (uint32_t)(a.w[i / 2] >> i % 2 * 32), y = (uint32_t)(b.w[j / 2] >> j % 2 * 32);

            carry += digits[i + j] + (uint64_t)x * y;
            digits[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        digits[i + DIGITS] = (uint32_t)carry;
    }
    return reduce(digits);
}

static struct slow power(struct slow a, struct slow exponent)
{
    struct slow r = slow_small(1);

    for (unsigned i = 256; i-- > 0;) {
        r = slow_mul(r, r);
        if (exponent.w[i / 64] >> i % 64 & 1)
            r = slow_mul(r, a);
    }
    return r;
}

struct slow slow_invert(struct slow a)
{
    return power(a, difference(p, slow_small(2)));
}

bool slow_equal(struct slow a, struct slow b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

struct slow slow_d(void)
{
    return slow_mul(slow_sub(slow_small(0), slow_small(121665)), slow_invert(slow_small(121666)));
}

/* The numbers of RFC 8032 §5.1. */
struct slow_point slow_base(void)
{
    return (struct slow_point){
        {{0xc9562d608f25d51a, 0x692cc7609525a7b2, 0xc0a4e231fdd6dc5c, 0x216936d3cd6e53fe}},
        {{0x6666666666666658, 0x6666666666666666, 0x6666666666666666, 0x6666666666666666}},
    };
}

struct slow_point slow_point_add(struct slow_point a, struct slow_point b)
{
    struct slow one = slow_small(1), ax_by = slow_mul(a.x, b.y), bx_ay = slow_mul(b.x, a.y);
    struct slow ay_by = slow_mul(a.y, b.y), ax_bx = slow_mul(a.x, b.x);
    struct slow t = slow_mul(slow_d(), slow_mul(ax_bx, ay_by));
    struct slow plus = slow_add(one, t), minus = slow_sub(one, t);
    struct slow both = slow_invert(slow_mul(plus, minus));

    return (struct slow_point){
        slow_mul(slow_add(ax_by, bx_ay), slow_mul(both, minus)),
        slow_mul(slow_add(ay_by, ax_bx), slow_mul(both, plus)),
    };
}

struct slow_point slow_point_negate(struct slow_point a)
{
    return (struct slow_point){slow_sub(slow_small(0), a.x), a.y};
}

struct slow_point slow_point_double(struct slow_point a, unsigned times)
{
    for (; times > 0; times--)
        a = slow_point_add(a, a);
    return a;
}

bool slow_point_on_curve(struct slow_point a)
{
    struct slow xx = slow_mul(a.x, a.x), yy = slow_mul(a.y, a.y);

    return slow_equal(slow_sub(yy, xx), slow_add(slow_small(1), slow_mul(slow_d(), slow_mul(xx, yy))));
}
