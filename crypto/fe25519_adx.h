/* SPDX-License-Identifier: MIT
 *
 * Numbers modulo p = 2^255 - 19 for crypto/x25519_adx.c: four limbs of 64 bits, for processors with MULX (BMI2) and
 * ADCX/ADOX (ADX). The compiler has no way to say two chains of carries at once, and that is what makes it fast, so
 * the arithmetic is assembly. The functions are those of crypto/fe25519_m64.h and keep its rule:
 *
 *   tight   below 2^255 + 2^24: what fe_mul, fe_sqr, fe_mul_small, fe_load and fe_tighten give
 *   loose   below 2^256: what fe_add and fe_sub give
 *
 * Everything takes loose numbers, but fe_add and fe_sub take tight ones; so a sum overflows 256 bits at most once,
 * and by less than 2^25, and a difference that is made positive again stays so. A result may stand where an operand
 * does. Constant-time: no branch and no address depends on a number; MULX takes the same time for all.
 */
#ifndef CRYPTO_FE25519_ADX_H
#define CRYPTO_FE25519_ADX_H

#ifdef __x86_64__

#include <stdint.h>

#define FE_INLINE __attribute__((always_inline)) static inline
/* Long ones; a call costs them nothing that could be measured. */
#define FE_CALLED __attribute__((noinline)) static

struct fe {
    uint64_t v[4]; /* the lowest first */
};

/* clang-format off */

/* z0..z4 += a * b[i], where z4 is new. One chain of carries adds the low halves of the products, one the high. */
#define FE_ROW(i, z0, z1, z2, z3, z4)                                                                     \
    "movq 8*" #i "(%[b]), %%rdx\n\t"                                                                      \
    "xorl %k[" #z4 "], %k[" #z4 "]\n\t"                                                                   \
    "mulxq   (%[a]), %[lo], %[hi]\n\t" "adcxq %[lo], %[" #z0 "]\n\t" "adoxq %[hi], %[" #z1 "]\n\t"        \
    "mulxq  8(%[a]), %[lo], %[hi]\n\t" "adcxq %[lo], %[" #z1 "]\n\t" "adoxq %[hi], %[" #z2 "]\n\t"        \
    "mulxq 16(%[a]), %[lo], %[hi]\n\t" "adcxq %[lo], %[" #z2 "]\n\t" "adoxq %[hi], %[" #z3 "]\n\t"        \
    "mulxq 24(%[a]), %[lo], %[hi]\n\t" "adcxq %[lo], %[" #z3 "]\n\t" "adoxq %[hi], %[" #z4 "]\n\t"        \
    "adcq $0, %[" #z4 "]\n\t"

/* z0..z3 = z0..z4 mod p, tight, when z4 < 2^18: the bits from 255 on come back 19-fold. */
#define FE_FOLD                                                                                           \
    "addq %[z3], %[z3]\n\t" "adcq %[z4], %[z4]\n\t" "shrq $1, %[z3]\n\t"                                  \
    "imulq $19, %[z4], %[z4]\n\t"                                                                         \
    "addq %[z4], %[z0]\n\t" "adcq $0, %[z1]\n\t" "adcq $0, %[z2]\n\t" "adcq $0, %[z3]\n\t"

/* z0..z3 = z0..z7 mod p, tight: 2^256 is 38. */
#define FE_REDUCE                                                                                         \
    "movl $38, %%edx\n\t"                                                                                 \
    "mulxq %[z4], %[lo], %[hi]\n\t"                                                                       \
    "xorl %k[z4], %k[z4]\n\t"                                                                             \
                                       "adcxq %[lo], %[z0]\n\t" "adoxq %[hi], %[z1]\n\t"                  \
    "mulxq %[z5], %[lo], %[hi]\n\t"    "adcxq %[lo], %[z1]\n\t" "adoxq %[hi], %[z2]\n\t"                  \
    "mulxq %[z6], %[lo], %[hi]\n\t"    "adcxq %[lo], %[z2]\n\t" "adoxq %[hi], %[z3]\n\t"                  \
    "mulxq %[z7], %[lo], %[hi]\n\t"    "adcxq %[lo], %[z3]\n\t" "adoxq %[hi], %[z4]\n\t"                  \
    "adcq $0, %[z4]\n\t"                                                                                  \
    FE_FOLD

FE_CALLED void fe_mul(struct fe *r, const struct fe *a, const struct fe *b)
{
    uint64_t z0, z1, z2, z3, z4, z5, z6, z7, lo, hi;

    __asm__("movq (%[b]), %%rdx\n\t"
            "mulxq   (%[a]), %[z0], %[z1]\n\t"
            "mulxq  8(%[a]), %[lo], %[z2]\n\t" "addq %[lo], %[z1]\n\t"
            "mulxq 16(%[a]), %[lo], %[z3]\n\t" "adcq %[lo], %[z2]\n\t"
            "mulxq 24(%[a]), %[lo], %[z4]\n\t" "adcq %[lo], %[z3]\n\t"
            "adcq $0, %[z4]\n\t"
            FE_ROW(1, z1, z2, z3, z4, z5)
            FE_ROW(2, z2, z3, z4, z5, z6)
            FE_ROW(3, z3, z4, z5, z6, z7)
            FE_REDUCE
            : [z0] "=&r"(z0), [z1] "=&r"(z1), [z2] "=&r"(z2), [z3] "=&r"(z3), [z4] "=&r"(z4), [z5] "=&r"(z5),
              [z6] "=&r"(z6), [z7] "=&r"(z7), [lo] "=&r"(lo), [hi] "=&r"(hi)
            : [a] "r"(a), [b] "r"(b), "m"(*a), "m"(*b)
            : "rdx", "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

/* The products of two different limbs are added up, doubled, and the squares added to them. */
FE_CALLED void fe_sqr(struct fe *r, const struct fe *a)
{
    uint64_t z0, z1, z2, z3, z4, z5, z6, z7, lo, hi;

    __asm__("movq (%[a]), %%rdx\n\t"
            "mulxq  8(%[a]), %[z1], %[z2]\n\t"
            "mulxq 16(%[a]), %[lo], %[z3]\n\t" "addq %[lo], %[z2]\n\t"
            "mulxq 24(%[a]), %[lo], %[z4]\n\t" "adcq %[lo], %[z3]\n\t"
            "adcq $0, %[z4]\n\t"
            "movq 8(%[a]), %%rdx\n\t"
            "xorl %k[z5], %k[z5]\n\t"
            "mulxq 16(%[a]), %[lo], %[hi]\n\t" "adcxq %[lo], %[z3]\n\t" "adoxq %[hi], %[z4]\n\t"
            "mulxq 24(%[a]), %[lo], %[hi]\n\t" "adcxq %[lo], %[z4]\n\t" "adoxq %[hi], %[z5]\n\t"
            "movq 16(%[a]), %%rdx\n\t"
            "mulxq 24(%[a]), %[lo], %[z6]\n\t" "adcxq %[lo], %[z5]\n\t"
            "adcq $0, %[z6]\n\t"
            "movq (%[a]), %%rdx\n\t"
            "xorl %k[z7], %k[z7]\n\t"
            "mulxq %%rdx, %[z0], %[hi]\n\t"    "adcxq %[z1], %[z1]\n\t" "adoxq %[hi], %[z1]\n\t"
            "movq 8(%[a]), %%rdx\n\t"
            "mulxq %%rdx, %[lo], %[hi]\n\t"    "adcxq %[z2], %[z2]\n\t" "adoxq %[lo], %[z2]\n\t"
                                               "adcxq %[z3], %[z3]\n\t" "adoxq %[hi], %[z3]\n\t"
            "movq 16(%[a]), %%rdx\n\t"
            "mulxq %%rdx, %[lo], %[hi]\n\t"    "adcxq %[z4], %[z4]\n\t" "adoxq %[lo], %[z4]\n\t"
                                               "adcxq %[z5], %[z5]\n\t" "adoxq %[hi], %[z5]\n\t"
            "movq 24(%[a]), %%rdx\n\t"
            "mulxq %%rdx, %[lo], %[hi]\n\t"    "adcxq %[z6], %[z6]\n\t" "adoxq %[lo], %[z6]\n\t"
                                               "adcxq %[z7], %[z7]\n\t" "adoxq %[hi], %[z7]\n\t"
            FE_REDUCE
            : [z0] "=&r"(z0), [z1] "=&r"(z1), [z2] "=&r"(z2), [z3] "=&r"(z3), [z4] "=&r"(z4), [z5] "=&r"(z5),
              [z6] "=&r"(z6), [z7] "=&r"(z7), [lo] "=&r"(lo), [hi] "=&r"(hi)
            : [a] "r"(a), "m"(*a)
            : "rdx", "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

/* r = a + small * b */
FE_INLINE void fe_mul_small(struct fe *r, const struct fe *a, const struct fe *b, uint32_t small)
{
    uint64_t z0 = a->v[0], z1 = a->v[1], z2 = a->v[2], z3 = a->v[3], z4, lo, hi;

    __asm__("xorl %k[z4], %k[z4]\n\t"
            "mulxq   (%[b]), %[lo], %[hi]\n\t" "adcxq %[lo], %[z0]\n\t" "adoxq %[hi], %[z1]\n\t"
            "mulxq  8(%[b]), %[lo], %[hi]\n\t" "adcxq %[lo], %[z1]\n\t" "adoxq %[hi], %[z2]\n\t"
            "mulxq 16(%[b]), %[lo], %[hi]\n\t" "adcxq %[lo], %[z2]\n\t" "adoxq %[hi], %[z3]\n\t"
            "mulxq 24(%[b]), %[lo], %[hi]\n\t" "adcxq %[lo], %[z3]\n\t" "adoxq %[hi], %[z4]\n\t"
            "adcq $0, %[z4]\n\t"
            FE_FOLD
            : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3), [z4] "=&r"(z4), [lo] "=&r"(lo),
              [hi] "=&r"(hi)
            : [b] "r"(b), "m"(*b), "d"((uint64_t)small)
            : "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

/* What is carried out comes back 38-fold; z0 is small then, and takes it without a carry. */
FE_INLINE void fe_add(struct fe *r, const struct fe *a, const struct fe *b)
{
    uint64_t z0 = a->v[0], z1 = a->v[1], z2 = a->v[2], z3 = a->v[3], carry;

    __asm__("addq   (%[b]), %[z0]\n\t"
            "adcq  8(%[b]), %[z1]\n\t"
            "adcq 16(%[b]), %[z2]\n\t"
            "adcq 24(%[b]), %[z3]\n\t"
            "sbbq %[carry], %[carry]\n\t"
            "andl $38, %k[carry]\n\t"
            "addq %[carry], %[z0]\n\t"
            : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3), [carry] "=&r"(carry)
            : [b] "r"(b), "m"(*b)
            : "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

FE_INLINE void fe_sub(struct fe *r, const struct fe *a, const struct fe *b)
{
    uint64_t z0 = a->v[0], z1 = a->v[1], z2 = a->v[2], z3 = a->v[3], borrow;

    __asm__("subq   (%[b]), %[z0]\n\t"
            "sbbq  8(%[b]), %[z1]\n\t"
            "sbbq 16(%[b]), %[z2]\n\t"
            "sbbq 24(%[b]), %[z3]\n\t"
            "sbbq %[borrow], %[borrow]\n\t"
            "andl $38, %k[borrow]\n\t"
            "subq %[borrow], %[z0]\n\t"
            "sbbq $0, %[z1]\n\t"
            "sbbq $0, %[z2]\n\t"
            "sbbq $0, %[z3]\n\t"
            : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3), [borrow] "=&r"(borrow)
            : [b] "r"(b), "m"(*b)
            : "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

FE_INLINE void fe_tighten(struct fe *r, const struct fe *a)
{
    uint64_t z0 = a->v[0], z1 = a->v[1], z2 = a->v[2], z3 = a->v[3], z4 = 0;

    __asm__(FE_FOLD : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3), [z4] "+&r"(z4) : : "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

/* r = choose ? b : a; choose is 0 or 1. */
FE_INLINE void fe_select(struct fe *r, const struct fe *a, const struct fe *b, uint64_t choose)
{
    uint64_t z0 = a->v[0], z1 = a->v[1], z2 = a->v[2], z3 = a->v[3];

    __asm__("testq %[choose], %[choose]\n\t"
            "cmovnzq   (%[b]), %[z0]\n\t"
            "cmovnzq  8(%[b]), %[z1]\n\t"
            "cmovnzq 16(%[b]), %[z2]\n\t"
            "cmovnzq 24(%[b]), %[z3]\n\t"
            : [z0] "+&r"(z0), [z1] "+&r"(z1), [z2] "+&r"(z2), [z3] "+&r"(z3)
            : [b] "r"(b), "m"(*b), [choose] "r"(choose)
            : "cc");
    *r = (struct fe){{z0, z1, z2, z3}};
}

/* clang-format on */

/* Of words, the lowest first; below 2^255. */
FE_INLINE void fe_load(struct fe *r, const uint64_t words[4])
{
    *r = (struct fe){
        {words[0], words[1], words[2], words[3]}
    };
}

/* The one below p that a tight number stands for: it is at least p when 19 more reach bit 255. */
FE_INLINE void fe_store(uint64_t words[4], const struct fe *a)
{
    struct fe t;
    unsigned __int128 sum;
    uint64_t carry;

    fe_tighten(&t, a);
    carry = 19;
    for (unsigned i = 0; i < 4; i++) {
        sum = (unsigned __int128)t.v[i] + carry;
        carry = (uint64_t)(sum >> 64);
        words[i] = (uint64_t)sum;
    }
    carry = words[3] >> 63;
    carry *= 19;
    for (unsigned i = 0; i < 4; i++) {
        sum = (unsigned __int128)t.v[i] + carry;
        carry = (uint64_t)(sum >> 64);
        words[i] = (uint64_t)sum;
    }
    words[3] &= UINT64_MAX >> 1;
}

#endif
#endif
