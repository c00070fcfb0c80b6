/* SPDX-License-Identifier: MIT
 *
 * Montgomery arithmetic: each kernel against schoolbook arithmetic on 32-bit digits, the functions on it against
 * division bit by bit, and the two powers at once against the single ones.
 */
#include "tests/unit/test.h"
#include "crypto/mont52.h"
#include "crypto/mont64.h"

#include <stdlib.h>

#ifdef __SIZEOF_INT128__

enum { BLOCK = MONT64_BLOCK, MAX = MONT64_MAX };

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

/* Limbs that are random, or with long runs of ones and zeros, which is where carries go wrong. */
static void fill(uint64_t *a, size_t limbs)
{
    uint64_t kind = random_number();

    for (size_t i = 0; i < limbs; i++)
        switch (kind & 3) {
        case 0: a[i] = random_number() % 3 - 1; break; /* all ones, 0, 1 */
        case 1: a[i] = random_number() & 1 ? ~(uint64_t)0 << random_number() % 64 : 0; break;
        default: a[i] = random_number(); break;
        }
}

static size_t rounds(size_t every_day, size_t all)
{
    return getenv("PROXY_TEST_ALL") != NULL ? all : every_day;
}

/* ---- schoolbook ---------------------------------------------------------------------------------------- */

static uint64_t digit(const uint64_t *a, size_t i)
{
    return i % 2 == 0 ? a[i / 2] & 0xffffffff : a[i / 2] >> 32;
}

static void set_digit(uint64_t *a, size_t i, uint64_t value)
{
    a[i / 2] =
        i % 2 == 0 ? (a[i / 2] & ~(uint64_t)0xffffffff) | value : (a[i / 2] & 0xffffffff) | value << 32;
}

/* t (t_limbs) += a * b, both of `limbs`; what is carried out. */
static uint64_t add_product(uint64_t *t, size_t t_limbs, const uint64_t *a, const uint64_t *b, size_t limbs)
{
    uint64_t out = 0;

    for (size_t i = 0; i < 2 * limbs; i++) {
        uint64_t carry = 0;

        for (size_t j = 0; i + j < 2 * t_limbs; j++) {
            carry += digit(t, i + j) + (j < 2 * limbs ? digit(a, i) * digit(b, j) : 0);
            set_digit(t, i + j, carry & 0xffffffff);
            carry >>= 32;
        }
        out += carry;
    }
    return out;
}

static bool below(const uint64_t *a, const uint64_t *b, size_t limbs)
{
    while (limbs-- > 0)
        if (a[limbs] != b[limbs])
            return a[limbs] < b[limbs];
    return false;
}

static uint64_t subtract(uint64_t *a, const uint64_t *b, size_t limbs)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < limbs; i++) {
        uint64_t difference = a[i] - b[i], more = (a[i] < b[i]) | (difference < borrow);

        a[i] = difference - borrow;
        borrow = more;
    }
    return borrow;
}

/* r (limbs) = a (a_limbs) modulo n, one bit after the other. */
static void divide(uint64_t *r, const uint64_t *a, size_t a_limbs, const uint64_t *n, size_t limbs)
{
    memset(r, 0, limbs * sizeof *r);
    for (size_t bit = 64 * a_limbs; bit-- > 0;) {
        uint64_t carry = a[bit / 64] >> bit % 64 & 1;

        for (size_t i = 0; i < limbs; i++) {
            uint64_t out = r[i] >> 63;

            r[i] = r[i] << 1 | carry;
            carry = out;
        }
        if (carry != 0 || !below(r, n, limbs))
            subtract(r, n, limbs);
    }
}

/* r = a * b modulo n */
static void multiply_modulo(uint64_t *r, const uint64_t *a, const uint64_t *b, const uint64_t *n,
                            size_t limbs)
{
    uint64_t t[2 * MAX] = {0};

    add_product(t, 2 * limbs, a, b, limbs);
    divide(r, t, 2 * limbs, n, limbs);
}

/* r = a * R modulo n */
static void shift_modulo(uint64_t *r, const uint64_t *a, const uint64_t *n, size_t limbs)
{
    uint64_t t[2 * MAX] = {0};

    memcpy(t + limbs, a, limbs * sizeof *a);
    divide(r, t, 2 * limbs, n, limbs);
}

/* ---- kernels ------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const struct mont64_kernel *kernel;
    bool (*has)(void);
} kernels[] = {
    {"portable", &mont64_portable, NULL          },
#ifdef __x86_64__
    {"adx",      &mont64_adx,      mont64_has_adx},
#endif
};

#define EACH_KERNEL(k)                                                \
    for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++)   \
        if (kernels[k].has != NULL && !kernels[k].has()) {            \
            printf("    no %s on this processor\n", kernels[k].name); \
        } else

static void check_same(const void *a, const void *b, size_t limbs, const char *what, size_t k)
{
    if (!CHECK_MEM(a, limbs * 8, b, limbs * 8))
        printf("    %s, %s\n", what, kernels[k].name);
}

TEST(blocks_are_multiplied)
{
    for (size_t round = rounds(3000, 100000); round > 0; round--) {
        uint64_t a[BLOCK], b[BLOCK], t[2 * BLOCK], carry = random_number() % 4 - 1, model[2 * BLOCK + 1];

        fill(a, BLOCK);
        fill(b, BLOCK);
        fill(t, 2 * BLOCK);
        EACH_KERNEL(k)
        {
            uint64_t got[2 * BLOCK + 1], one[1] = {1};

            memcpy(model, t, sizeof t);
            model[2 * BLOCK] = add_product(model, 2 * BLOCK, a, b, BLOCK);
            model[2 * BLOCK] += add_product(model + BLOCK, BLOCK, &carry, one, 1);
            memcpy(got, t, sizeof t);
            got[2 * BLOCK] = kernels[k].kernel->multiply(got, a, b, carry);
            check_same(got, model, 2 * BLOCK + 1, "multiply", k);
        }
    }
}

/* The multiple that it answers with makes the lower half zero, and is added right. */
TEST(blocks_are_reduced)
{
    for (size_t round = rounds(3000, 100000); round > 0; round--) {
        uint64_t n[BLOCK], t[2 * BLOCK], carry = random_number() % 4 - 1, model[2 * BLOCK + 1], n0;

        fill(n, BLOCK);
        fill(t, 2 * BLOCK);
        n[0] |= 1;
        n0 = n[0];
        while (n[0] * n0 != 1)
            n0 *= 2 - n[0] * n0;
        EACH_KERNEL(k)
        {
            uint64_t got[2 * BLOCK + 1], one[1] = {1}, m[BLOCK];

            memcpy(got, t, sizeof t);
            got[2 * BLOCK] = kernels[k].kernel->reduce(got, n, -n0, carry);
            memcpy(m, got, sizeof m);
            memset(got, 0, sizeof m);
            memcpy(model, t, sizeof t);
            model[2 * BLOCK] = add_product(model, 2 * BLOCK, m, n, BLOCK);
            model[2 * BLOCK] += add_product(model + BLOCK, BLOCK, &carry, one, 1);
            check_same(got, model, 2 * BLOCK + 1, "reduce", k);
        }
    }
}

TEST(blocks_are_squared)
{
    for (size_t round = rounds(3000, 100000); round > 0; round--) {
        uint64_t a[BLOCK], model[2 * BLOCK] = {0};

        fill(a, BLOCK);
        add_product(model, 2 * BLOCK, a, a, BLOCK);
        EACH_KERNEL(k)
        {
            uint64_t got[2 * BLOCK];

            kernels[k].kernel->triangle(got, a);
            kernels[k].kernel->complete(got, a, BLOCK);
            check_same(got, model, 2 * BLOCK, "square", k);
        }
    }
}

TEST(numbers_are_subtracted)
{
    for (size_t round = rounds(3000, 100000); round > 0; round--) {
        uint64_t a[MAX], b[MAX], model[MAX], borrow;
        size_t limbs = BLOCK * (1 + random_number() % (MAX / BLOCK));

        fill(a, limbs);
        fill(b, limbs);
        if (round % 5 == 0)
            memcpy(b, a, sizeof a);
        memcpy(model, a, sizeof a);
        borrow = subtract(model, b, limbs);
        CHECK_EQ(mont64_below(a, b, limbs), -borrow);
        EACH_KERNEL(k)
        {
            uint64_t got[MAX];

            CHECK_EQ(kernels[k].kernel->subtract(got, a, b, limbs), -borrow);
            check_same(got, model, limbs, "subtract", k);
            memcpy(got, a, sizeof a);
            kernels[k].kernel->subtract(got, got, b, limbs);
            check_same(got, model, limbs, "subtract in place", k);
        }
    }
}

/* ---- modulo n ------------------------------------------------------------------------------------------ */

/* An odd modulus of `limbs` limbs, its bytes, and how many; often it has far fewer than there is room for. */
static size_t make_modulus(uint64_t *n, uint8_t *bytes, size_t limbs)
{
    size_t len = random_number() % 3 == 0 ? 2 + random_number() % (8 * limbs - 1) : 8 * limbs;

    fill(n, limbs);
    mont64_encode(bytes, len, n, limbs);
    if (bytes[0] == 0)
        bytes[0] = 1;
    bytes[len - 1] |= 1;
    mont64_decode(n, limbs, bytes, len);
    return len;
}

/* A number below n: random, or near an end, or a power of two. */
static void make_number(uint64_t *a, const uint64_t *n, size_t limbs)
{
    uint64_t t[MAX], kind = random_number() % 8;

    memset(t, 0, sizeof t);
    switch (kind) {
    case 0: t[0] = random_number() % 3; break;
    case 1:
        memcpy(t, n, limbs * sizeof *t);
        t[0] -= 1 + random_number() % 2 * (n[0] > 2);
        break;
    case 2: t[random_number() % limbs] = (uint64_t)1 << random_number() % 64; break;
    default: fill(t, limbs); break;
    }
    divide(a, t, limbs, n, limbs);
}

TEST(products_modulo_n)
{
    static struct mont64 m;

    for (size_t round = rounds(150, 20000); round > 0; round--) {
        uint64_t n[MAX], a[MAX], b[MAX], r[MAX], shifted[MAX], model[MAX], wide[2 * MAX];
        uint8_t bytes[8 * MAX];
        size_t limbs = BLOCK * (1 + random_number() % (MAX / BLOCK)), len = make_modulus(n, bytes, limbs);

        EACH_KERNEL(k)
        {
            if (!CHECK(mont64_init(&m, kernels[k].kernel, bytes, len, limbs)))
                return;
            make_number(b, n, limbs);
            fill(a, limbs); /* anything below R */

            mont64_multiply(&m, r, a, b);
            shift_modulo(shifted, r, n, limbs);
            multiply_modulo(model, a, b, n, limbs);
            check_same(shifted, model, limbs, "multiply", k);
            CHECK(below(r, n, limbs));

            mont64_square(&m, r, b);
            shift_modulo(shifted, r, n, limbs);
            multiply_modulo(model, b, b, n, limbs);
            check_same(shifted, model, limbs, "square", k);
            CHECK(below(r, n, limbs));

            mont64_enter(&m, r, a);
            shift_modulo(model, a, n, limbs);
            check_same(r, model, limbs, "enter", k);

            mont64_leave(&m, r, a);
            CHECK(below(r, n, limbs));
            shift_modulo(shifted, r, n, limbs);
            divide(model, a, limbs, n, limbs);
            check_same(shifted, model, limbs, "leave", k);

            memset(wide, 0, sizeof wide);
            memcpy(wide, b, limbs * sizeof *b);
            add_product(wide, 2 * limbs, a, n, limbs);
            if (below(wide + limbs, n, limbs)) {
                mont64_reduce_wide(&m, r, wide);
                check_same(r, b, limbs, "reduce_wide", k);
            }

            divide(a, a, limbs, n, limbs);
        }
    }
}

TEST(sums_modulo_n)
{
    static struct mont64 m;

    for (size_t round = rounds(150, 20000); round > 0; round--) {
        uint64_t n[MAX], a[MAX], b[MAX], r[MAX], model[MAX], two[MAX] = {2};
        uint8_t bytes[8 * MAX];
        size_t limbs = BLOCK * (1 + random_number() % (MAX / BLOCK)), len = make_modulus(n, bytes, limbs);

        EACH_KERNEL(k)
        {
            if (!CHECK(mont64_init(&m, kernels[k].kernel, bytes, len, limbs)))
                return;
            make_number(a, n, limbs);
            make_number(b, n, limbs);

            memcpy(r, b, sizeof b);
            mont64_double(&m, r);
            multiply_modulo(model, b, two, n, limbs);
            check_same(r, model, limbs, "double", k);

            mont64_subtract(&m, r, a, b); /* r + b = a */
            CHECK(below(r, n, limbs));
            memset(model, 0, sizeof model);
            memcpy(model, r, limbs * sizeof *r);
            if (!below(a, b, limbs)) {
                memcpy(model, a, sizeof a);
                subtract(model, b, limbs);
            } else {
                memcpy(model, n, sizeof n);
                subtract(model, b, limbs);
                for (size_t i = 0, carry = 0; i < limbs; i++) {
                    uint64_t sum = model[i] + a[i];

                    model[i] = sum + carry;
                    carry = (sum < a[i]) | (model[i] < sum);
                }
            }
            check_same(r, model, limbs, "subtract", k);
        }
    }
}

TEST(powers)
{
    static struct mont64 m;

    for (size_t round = rounds(25, 2000); round > 0; round--) {
        uint64_t n[MAX], b[MAX], entered[MAX], r[MAX], model[MAX];
        uint8_t bytes[8 * MAX], e[9];
        size_t limbs = BLOCK * (1 + random_number() % (MAX / BLOCK)), len = make_modulus(n, bytes, limbs);
        size_t e_len = random_number() % (sizeof e + 1);

        for (size_t i = 0; i < sizeof e; i++)
            e[i] = (uint8_t)(random_number() & (random_number() & 1 ? 0xff : 0));
        make_number(b, n, limbs);
        memset(model, 0, sizeof model);
        model[0] = 1;
        for (size_t bit = 0; bit < 8 * e_len; bit++) {
            multiply_modulo(model, model, model, n, limbs);
            if ((e[bit / 8] >> (7 - bit % 8) & 1) != 0)
                multiply_modulo(model, model, b, n, limbs);
        }
        EACH_KERNEL(k)
        {
            mont64_init(&m, kernels[k].kernel, bytes, len, limbs);
            mont64_enter(&m, entered, b);
            mont64_pow(&m, r, entered, e, e_len);
            check_same(r, model, limbs, "pow", k);
        }
        for (unsigned power = 0; power < 5; power++) {
            memcpy(model, b, sizeof b);
            for (unsigned i = 0; i < power; i++)
                multiply_modulo(model, model, model, n, limbs);
            multiply_modulo(model, model, b, n, limbs);
            EACH_KERNEL(k)
            {
                mont64_init(&m, kernels[k].kernel, bytes, len, limbs);
                mont64_enter(&m, entered, b);
                mont64_pow_fermat(&m, r, entered, power);
                check_same(r, model, limbs, "pow_fermat", k);
            }
        }
    }
}

TEST(what_is_no_modulus)
{
    static struct mont64 m;
    uint8_t bytes[8 * MAX + 1];

    memset(bytes, 0xff, sizeof bytes);
    CHECK(mont64_init(&m, &mont64_portable, bytes, 8 * MAX, MAX));
    CHECK(!mont64_init(&m, &mont64_portable, bytes, 8 * MAX + 1, MAX));
    CHECK(!mont64_init(&m, &mont64_portable, bytes, 0, BLOCK));
    CHECK(!mont64_init(&m, &mont64_portable, bytes, 8, BLOCK - 1));
    bytes[63] = 0xfe;
    CHECK(!mont64_init(&m, &mont64_portable, bytes, 64, BLOCK));
    bytes[0] = 1;
    CHECK(!mont64_init(&m, &mont64_portable, bytes, 1, BLOCK));
    bytes[0] = 3;
    CHECK(mont64_init(&m, &mont64_portable, bytes, 1, BLOCK));
}

/* ---- two powers at once -------------------------------------------------------------------------------- */

#ifdef __x86_64__

static struct mont64 moduli[2];
static uint64_t bases[2][MAX];

static void make_pair(size_t limbs)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t n[MAX];
        uint8_t bytes[8 * MAX];
        size_t len = make_modulus(n, bytes, limbs);

        mont64_init(&moduli[i], &mont64_portable, bytes, len, limbs);
        make_number(bases[i], n, limbs);
    }
}

static void check_pair(const uint8_t *const e[2], const size_t e_len[2], unsigned k)
{
    struct mont64 *const m[2] = {&moduli[0], &moduli[1]};
    size_t limbs = moduli[0].limbs;
    uint64_t entered[2][MAX], got[2][MAX], model[2][MAX];

    for (size_t i = 0; i < 2; i++) {
        mont64_enter(m[i], entered[i], bases[i]);
        if (e != NULL)
            mont64_pow(m[i], model[i], entered[i], e[i], e_len[i]);
        else
            mont64_pow_fermat(m[i], model[i], entered[i], k);
    }
    if (e != NULL)
        mont52_pow(m, (uint64_t *const[2]){got[0], got[1]}, (uint64_t *const[2]){entered[0], entered[1]}, e,
                   e_len);
    else
        mont52_pow_fermat(m, (uint64_t *const[2]){got[0], got[1]},
                          (uint64_t *const[2]){entered[0], entered[1]}, k);
    for (size_t i = 0; i < 2; i++)
        CHECK_MEM(got[i], limbs * 8, model[i], limbs * 8);
}

TEST(two_powers_at_once)
{
    CHECK(!mont52_fits(8));
    CHECK(!mont52_fits(40));
    if (!mont52_has()) {
        printf("    no IFMA on this processor\n");
        return;
    }
    for (size_t limbs = 16; limbs <= 32; limbs += 8) {
        CHECK(mont52_fits(limbs));
        for (size_t round = rounds(150, 15000); round > 0; round--) {
            make_pair(limbs);
            check_pair(NULL, NULL, (unsigned)(random_number() % 4));
        }
        for (size_t round = rounds(30, 1000); round > 0; round--) {
            uint8_t e[2][40];
            const size_t e_len[2] = {random_number() % 41, random_number() % 41};

            for (size_t i = 0; i < sizeof e; i++)
                e[i / 40][i % 40] = (uint8_t)random_number();
            make_pair(limbs);
            check_pair((const uint8_t *const[2]){e[0], e[1]}, e_len, 0);
        }
    }
}

/* To the power of 1, for all that shows in the result: 2^i is zeros below it, which carries run through from limb to
 * limb; 2^i - 1 and n - 2^i are ones. */
TEST(carries_run_through_limbs_of_52_bits)
{
    static const uint8_t one[1] = {1};

    if (!mont52_has())
        return;
    for (size_t limbs = 16; limbs <= 32; limbs += 8)
        for (size_t i = 0; i < 64 * limbs - 2; i += getenv("PROXY_TEST_ALL") != NULL ? 1 : 43) {
            uint64_t power[MAX] = {0}, unit[MAX] = {1};

            power[i / 64] = (uint64_t)1 << i % 64;
            for (size_t kind = 0; kind < 3; kind++) {
                do
                    make_pair(limbs);
                while (!below(power, moduli[0].n, limbs));
                memcpy(bases[0], kind == 2 ? moduli[0].n : power, sizeof power);
                if (kind > 0)
                    subtract(bases[0], kind == 1 ? unit : power, limbs);
                check_pair((const uint8_t *const[2]){one, one}, (const size_t[2]){1, 1}, 0);
            }
        }
}

/* Modulo 3^646, which has 1024 bits, 3^400 to the power of 3 is 0, and not the modulus. */
TEST(powers_that_become_zero)
{
    uint64_t n[MAX] = {1}, b[MAX] = {1};
    uint8_t bytes[128];

    if (!mont52_has())
        return;
    for (unsigned power = 0; power < 646; power++) {
        uint64_t t[MAX] = {0}, three[MAX] = {3};

        add_product(t, 16, n, three, 16);
        memcpy(n, t, sizeof n);
        if (power == 399)
            memcpy(b, n, sizeof b);
    }
    mont64_encode(bytes, sizeof bytes, n, 16);
    for (size_t i = 0; i < 2; i++) {
        CHECK(mont64_init(&moduli[i], &mont64_portable, bytes, sizeof bytes, 16));
        memcpy(bases[i], b, sizeof b);
    }
    check_pair(NULL, NULL, 1);
}

#else

TEST(two_powers_at_once)
{
    CHECK(true);
}

TEST(carries_run_through_limbs_of_52_bits)
{
    CHECK(true);
}

TEST(powers_that_become_zero)
{
    CHECK(true);
}

#endif

TEST_MAIN(RUN(blocks_are_multiplied), RUN(blocks_are_reduced), RUN(blocks_are_squared),
          RUN(numbers_are_subtracted), RUN(products_modulo_n), RUN(sums_modulo_n), RUN(powers),
          RUN(what_is_no_modulus), RUN(two_powers_at_once), RUN(carries_run_through_limbs_of_52_bits),
          RUN(powers_that_become_zero))

#else

TEST(only_with_64_bit_multiplication)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_with_64_bit_multiplication))

#endif
