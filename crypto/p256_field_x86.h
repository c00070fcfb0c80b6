/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: the field by x86-64's own instructions, see p256_field.h. The compiler makes of carries
 * from word to word two to three times as many instructions as these. Who includes this defines P256_ADX for
 * processors with ADX and BMI2 (MULX, ADCX, ADOX: two carries at once), or not for all.
 *
 * Names in the assembly: w0 to w7 are words of a number, x and y are scratch.
 */
#ifndef CRYPTO_P256_FIELD_X86_H
#define CRYPTO_P256_FIELD_X86_H

#include "crypto/p256_field.h"

#ifdef __x86_64__

/* What the assembly takes from memory. */
static const uint64_t fe_p1 = P256_P1, fe_p3 = P256_P3;
#define FE_P [p1] "m"(fe_p1), [p3] "m"(fe_p3)

/* Subtracts p from the number in a, b, c, d with its carry in e if that leaves no borrow; s to v are scratch. */
#define FE_REDUCE_ONCE(a, b, c, d, e, s, t, u, v) \
    "mov %[" a "], %[" s "]\n\t"                  \
    "sub $-1, %[" a "]\n\t"                       \
    "mov %[" b "], %[" t "]\n\t"                  \
    "sbb %[p1], %[" b "]\n\t"                     \
    "mov %[" c "], %[" u "]\n\t"                  \
    "sbb $0, %[" c "]\n\t"                        \
    "mov %[" d "], %[" v "]\n\t"                  \
    "sbb %[p3], %[" d "]\n\t"                     \
    "sbb $0, %[" e "]\n\t"                        \
    "cmovc %[" s "], %[" a "]\n\t"                \
    "cmovc %[" t "], %[" b "]\n\t"                \
    "cmovc %[" u "], %[" c "]\n\t"                \
    "cmovc %[" v "], %[" d "]\n\t"

/* Adds p to w0 to w3 where x is all ones, nothing where it is 0; the carry is there when it ends. */
#define FE_ADD_P           \
    "mov %k[x], %k[y]\n\t" \
    "mov %[p3], %[z]\n\t"  \
    "and %[x], %[z]\n\t"   \
    "add %[x], %[w0]\n\t"  \
    "adc %[y], %[w1]\n\t"  \
    "adc $0, %[w2]\n\t"    \
    "adc %[z], %[w3]\n\t"

P256_INLINE void fe_add(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b)
{
    uint64_t w0 = a->w[0], w1 = a->w[1], w2 = a->w[2], w3 = a->w[3], w4, s0, s1, s2, s3;

    __asm__("xor %k[w4], %k[w4]\n\t"
            "add %[b0], %[w0]\n\t"
            "adc %[b1], %[w1]\n\t"
            "adc %[b2], %[w2]\n\t"
            "adc %[b3], %[w3]\n\t"
            "adc $0, %[w4]\n\t" FE_REDUCE_ONCE("w0", "w1", "w2", "w3", "w4", "s0", "s1", "s2", "s3")
            : [w0] "+&r"(w0), [w1] "+&r"(w1), [w2] "+&r"(w2), [w3] "+&r"(w3), [w4] "=&r"(w4), [s0] "=&r"(s0),
              [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3)
            : [b0] "m"(b->w[0]), [b1] "m"(b->w[1]), [b2] "m"(b->w[2]), [b3] "m"(b->w[3]), FE_P
            : "cc");
    p256_set(r->w, w0, w1, w2, w3);
}

P256_INLINE void fe_sub(struct p256_fe *r, const struct p256_fe *a, const struct p256_fe *b)
{
    uint64_t w0 = a->w[0], w1 = a->w[1], w2 = a->w[2], w3 = a->w[3], x, y, z;

    __asm__("sub %[b0], %[w0]\n\t"
            "sbb %[b1], %[w1]\n\t"
            "sbb %[b2], %[w2]\n\t"
            "sbb %[b3], %[w3]\n\t"
            "sbb %[x], %[x]\n\t" FE_ADD_P
            : [w0] "+&r"(w0), [w1] "+&r"(w1), [w2] "+&r"(w2), [w3] "+&r"(w3), [x] "=&r"(x), [y] "=&r"(y),
              [z] "=&r"(z)
            : [b0] "m"(b->w[0]), [b1] "m"(b->w[1]), [b2] "m"(b->w[2]), [b3] "m"(b->w[3]), FE_P
            : "cc");
    p256_set(r->w, w0, w1, w2, w3);
}

/* a / 2. */
P256_INLINE void fe_half(struct p256_fe *r, const struct p256_fe *a)
{
    uint64_t w0 = a->w[0], w1 = a->w[1], w2 = a->w[2], w3 = a->w[3], x = 0 - (w0 & 1), y, z;

    __asm__(FE_ADD_P "rcr %[w3]\n\t"
                     "rcr %[w2]\n\t"
                     "rcr %[w1]\n\t"
                     "rcr %[w0]\n\t"
            : [w0] "+&r"(w0), [w1] "+&r"(w1), [w2] "+&r"(w2), [w3] "+&r"(w3), [x] "+&r"(x), [y] "=&r"(y),
              [z] "=&r"(z)
            : FE_P
            : "cc");
    p256_set(r->w, w0, w1, w2, w3);
}

/* Takes the lowest word off the number in a, b, c, d: a becomes the highest. */
#ifdef P256_ADX
#define FE_REDUCE_WORD(a, b, c, d) \
    "mov %[" a "], %%rdx\n\t"      \
    "mov %[" a "], %[x]\n\t"       \
    "shl $32, %[x]\n\t"            \
    "mulx %[p3], %[y], %%rdx\n\t"  \
    "shr $32, %[" a "]\n\t"        \
    "add %[x], %[" b "]\n\t"       \
    "adc %[" a "], %[" c "]\n\t"   \
    "mov %%rdx, %[" a "]\n\t"      \
    "adc %[y], %[" d "]\n\t"       \
    "adc $0, %[" a "]\n\t"
#else
#define FE_REDUCE_WORD(a, b, c, d) \
    "mov %[" a "], %%rax\n\t"      \
    "mov %[" a "], %[x]\n\t"       \
    "shl $32, %[x]\n\t"            \
    "mulq %[p3]\n\t"               \
    "shr $32, %[" a "]\n\t"        \
    "add %[x], %[" b "]\n\t"       \
    "adc %[" a "], %[" c "]\n\t"   \
    "mov %%rdx, %[" a "]\n\t"      \
    "adc %%rax, %[" d "]\n\t"      \
    "adc $0, %[" a "]\n\t"
#endif

/* w0 to w7 / 2^256 modulo p, into w4 to w7. */
#define FE_REDUCE                          \
    FE_REDUCE_WORD("w0", "w1", "w2", "w3") \
    FE_REDUCE_WORD("w1", "w2", "w3", "w0") \
    FE_REDUCE_WORD("w2", "w3", "w0", "w1") \
    FE_REDUCE_WORD("w3", "w0", "w1", "w2") \
    "xor %k[x], %k[x]\n\t"                 \
    "add %[w0], %[w4]\n\t"                 \
    "adc %[w1], %[w5]\n\t"                 \
    "adc %[w2], %[w6]\n\t"                 \
    "adc %[w3], %[w7]\n\t"                 \
    "adc $0, %[x]\n\t" FE_REDUCE_ONCE("w4", "w5", "w6", "w7", "x", "w0", "w1", "w2", "w3")

#define FE_WORDS                                                                                    \
    [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3), [w4] "=&r"(w4), [w5] "=&r"(w5), \
        [w6] "=&r"(w6), [w7] "=&r"(w7), [x] "=&r"(x), [y] "=&r"(y)

#ifdef P256_ADX

/* Adds the product of a and the word of b at an offset to the words c to f, and makes g. */
#define FE_MUL_ROW(offset, c, d, e, f, g) \
    "mov " offset "(%[b]), %%rdx\n\t"     \
    "xor %k[" g "], %k[" g "]\n\t"        \
    "mulx (%[a]), %[x], %[y]\n\t"         \
    "adcx %[x], %[" c "]\n\t"             \
    "adox %[y], %[" d "]\n\t"             \
    "mulx 8(%[a]), %[x], %[y]\n\t"        \
    "adcx %[x], %[" d "]\n\t"             \
    "adox %[y], %[" e "]\n\t"             \
    "mulx 16(%[a]), %[x], %[y]\n\t"       \
    "adcx %[x], %[" e "]\n\t"             \
    "adox %[y], %[" f "]\n\t"             \
    "mulx 24(%[a]), %[x], %[y]\n\t"       \
    "adcx %[x], %[" f "]\n\t"             \
    "adox %[y], %[" g "]\n\t"             \
    "adc $0, %[" g "]\n\t"

static __attribute__((noinline)) void fe_mul(struct p256_fe *r, const struct p256_fe *a,
                                             const struct p256_fe *b)
{
    uint64_t w0, w1, w2, w3, w4, w5, w6, w7, x, y;

    /* clang-format off */
    __asm__("mov (%[b]), %%rdx\n\t"
            "mulx (%[a]), %[w0], %[w1]\n\t"
            "mulx 8(%[a]), %[x], %[w2]\n\t"
            "add %[x], %[w1]\n\t"
            "mulx 16(%[a]), %[y], %[w3]\n\t"
            "adc %[y], %[w2]\n\t"
            "mulx 24(%[a]), %[x], %[w4]\n\t"
            "adc %[x], %[w3]\n\t"
            "adc $0, %[w4]\n\t"
            FE_MUL_ROW("8", "w1", "w2", "w3", "w4", "w5")
            FE_MUL_ROW("16", "w2", "w3", "w4", "w5", "w6")
            FE_MUL_ROW("24", "w3", "w4", "w5", "w6", "w7")
            FE_REDUCE
            : FE_WORDS
            : [a] "r"(a->w), [b] "r"(b->w), "m"(*a), "m"(*b), FE_P
            : "rdx", "cc");
    /* clang-format on */
    p256_set(r->w, w4, w5, w6, w7);
}

/* The products of different words are added up, doubled, and the squares come in with that. */
static __attribute__((noinline)) void fe_sqr(struct p256_fe *r, const struct p256_fe *a)
{
    uint64_t w0, w1, w2, w3, w4, w5, w6, w7, x, y;

    /* clang-format off */
    __asm__("mov (%[a]), %%rdx\n\t"
            "mulx 8(%[a]), %[w1], %[w2]\n\t"
            "mulx 16(%[a]), %[x], %[w3]\n\t"
            "mulx 24(%[a]), %[y], %[w4]\n\t"
            "mov 8(%[a]), %%rdx\n\t"
            "add %[x], %[w2]\n\t"
            "adc %[y], %[w3]\n\t"
            "mulx 16(%[a]), %[x], %[y]\n\t"
            "adc $0, %[w4]\n\t"
            "xor %k[w5], %k[w5]\n\t"
            "adcx %[x], %[w3]\n\t"
            "adox %[y], %[w4]\n\t"
            "mulx 24(%[a]), %[x], %[y]\n\t"
            "mov 16(%[a]), %%rdx\n\t"
            "adcx %[x], %[w4]\n\t"
            "adox %[y], %[w5]\n\t"
            "mulx 24(%[a]), %[x], %[w6]\n\t"
            "adcx %[x], %[w5]\n\t"
            "mov (%[a]), %%rdx\n\t"
            "adc $0, %[w6]\n\t"
            "mulx %%rdx, %[w0], %[y]\n\t"
            "mov 8(%[a]), %%rdx\n\t"
            "xor %k[w7], %k[w7]\n\t"
            "adcx %[w1], %[w1]\n\t"
            "adox %[y], %[w1]\n\t"
            "mulx %%rdx, %[x], %[y]\n\t"
            "mov 16(%[a]), %%rdx\n\t"
            "adcx %[w2], %[w2]\n\t"
            "adox %[x], %[w2]\n\t"
            "adcx %[w3], %[w3]\n\t"
            "adox %[y], %[w3]\n\t"
            "mulx %%rdx, %[x], %[y]\n\t"
            "mov 24(%[a]), %%rdx\n\t"
            "adcx %[w4], %[w4]\n\t"
            "adox %[x], %[w4]\n\t"
            "adcx %[w5], %[w5]\n\t"
            "adox %[y], %[w5]\n\t"
            "mulx %%rdx, %[x], %[y]\n\t"
            "adcx %[w6], %[w6]\n\t"
            "adox %[x], %[w6]\n\t"
            "adcx %[w7], %[w7]\n\t"
            "adox %[y], %[w7]\n\t"
            FE_REDUCE
            : FE_WORDS
            : [a] "r"(a->w), "m"(*a), FE_P
            : "rdx", "cc");
    /* clang-format on */
    p256_set(r->w, w4, w5, w6, w7);
}

#else

/* The product of a and the word of b at an offset, in x, y, z, rax, rdx; h is scratch. */
#define FE_MUL_ROW(offset, h)        \
    "mov " offset "(%[b]), %[k]\n\t" \
    "mov (%[a]), %%rax\n\t"          \
    "mul %[k]\n\t"                   \
    "mov %%rax, %[x]\n\t"            \
    "mov %%rdx, %[y]\n\t"            \
    "mov 8(%[a]), %%rax\n\t"         \
    "mul %[k]\n\t"                   \
    "add %%rax, %[y]\n\t"            \
    "mov %%rdx, %[z]\n\t"            \
    "adc $0, %[z]\n\t"               \
    "mov 16(%[a]), %%rax\n\t"        \
    "mul %[k]\n\t"                   \
    "add %%rax, %[z]\n\t"            \
    "mov 24(%[a]), %%rax\n\t"        \
    "mov %%rdx, %[" h "]\n\t"        \
    "adc $0, %[" h "]\n\t"           \
    "mul %[k]\n\t"                   \
    "add %[" h "], %%rax\n\t"        \
    "adc $0, %%rdx\n\t"

/* Adds that to the words c to g, with the carry as h. */
#define FE_MUL_ADD(c, d, e, f, g, h) \
    "add %[x], %[" c "]\n\t"         \
    "adc %[y], %[" d "]\n\t"         \
    "adc %[z], %[" e "]\n\t"         \
    "adc %%rax, %[" f "]\n\t"        \
    "adc %%rdx, %[" g "]\n\t"        \
    "mov $0, %k[" h "]\n\t"          \
    "adc $0, %[" h "]\n\t"

/* Takes the lowest word, c, off the six. */
#define FE_MUL_REDUCE(c, d, e, f, g, h) \
    "mov %[" c "], %%rax\n\t"           \
    "mov %[" c "], %[x]\n\t"            \
    "shl $32, %[x]\n\t"                 \
    "mulq %[p3]\n\t"                    \
    "shr $32, %[" c "]\n\t"             \
    "add %[x], %[" d "]\n\t"            \
    "adc %[" c "], %[" e "]\n\t"        \
    "adc %%rax, %[" f "]\n\t"           \
    "adc %%rdx, %[" g "]\n\t"           \
    "adc $0, %[" h "]\n\t"

static __attribute__((noinline)) void fe_mul(struct p256_fe *r, const struct p256_fe *a,
                                             const struct p256_fe *b)
{
    uint64_t w0, w1, w2, w3, w4, w5, x, y, z, k;

    /* Fewer registers than with MULX: each row is reduced as it comes. */
    /* clang-format off */
    __asm__(FE_MUL_ROW("", "w5")
            "mov %[x], %[w0]\n\t"
            "mov %[y], %[w1]\n\t"
            "mov %[z], %[w2]\n\t"
            "mov %%rax, %[w3]\n\t"
            "mov %%rdx, %[w4]\n\t"
            "xor %k[w5], %k[w5]\n\t"
            FE_MUL_REDUCE("w0", "w1", "w2", "w3", "w4", "w5")
            FE_MUL_ROW("8", "w0")
            FE_MUL_ADD("w1", "w2", "w3", "w4", "w5", "w0")
            FE_MUL_REDUCE("w1", "w2", "w3", "w4", "w5", "w0")
            FE_MUL_ROW("16", "w1")
            FE_MUL_ADD("w2", "w3", "w4", "w5", "w0", "w1")
            FE_MUL_REDUCE("w2", "w3", "w4", "w5", "w0", "w1")
            FE_MUL_ROW("24", "w2")
            FE_MUL_ADD("w3", "w4", "w5", "w0", "w1", "w2")
            FE_MUL_REDUCE("w3", "w4", "w5", "w0", "w1", "w2")
            FE_REDUCE_ONCE("w4", "w5", "w0", "w1", "w2", "x", "y", "z", "k")
            : [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3), [w4] "=&r"(w4), [w5] "=&r"(w5),
              [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z), [k] "=&r"(k)
            : [a] "r"(a->w), [b] "r"(b->w), FE_P
            : "rax", "rdx", "cc", "memory");
    /* clang-format on */
    p256_set(r->w, w4, w5, w0, w1);
}

/* The product of two words of a. */
#define FE_SQR_WORD(i, j)        \
    "mov " i "(%[a]), %%rax\n\t" \
    "mulq " j "(%[a])\n\t"

static __attribute__((noinline)) void fe_sqr(struct p256_fe *r, const struct p256_fe *a)
{
    uint64_t w0, w1, w2, w3, w4, w5, w6, w7, x, y;

    /* clang-format off */
    /* The products of different words, ... */
    __asm__(FE_SQR_WORD("", "8")
            "mov %%rax, %[w1]\n\t"
            "mov %%rdx, %[w2]\n\t"
            FE_SQR_WORD("", "16")
            "add %%rax, %[w2]\n\t"
            "mov %%rdx, %[w3]\n\t"
            "adc $0, %[w3]\n\t"
            FE_SQR_WORD("", "24")
            "add %%rax, %[w3]\n\t"
            "mov %%rdx, %[w4]\n\t"
            "adc $0, %[w4]\n\t"
            FE_SQR_WORD("8", "16")
            "mov %%rax, %[x]\n\t"
            "mov %%rdx, %[y]\n\t"
            FE_SQR_WORD("8", "24")
            "add %[y], %%rax\n\t"
            "mov %%rdx, %[w5]\n\t"
            "adc $0, %[w5]\n\t"
            "add %[x], %[w3]\n\t"
            "adc %%rax, %[w4]\n\t"
            "adc $0, %[w5]\n\t"
            FE_SQR_WORD("16", "24")
            "add %%rax, %[w5]\n\t"
            "mov %%rdx, %[w6]\n\t"
            "adc $0, %[w6]\n\t"
            /* ... twice, ... */
            "xor %k[w7], %k[w7]\n\t"
            "add %[w1], %[w1]\n\t"
            "adc %[w2], %[w2]\n\t"
            "adc %[w3], %[w3]\n\t"
            "adc %[w4], %[w4]\n\t"
            "adc %[w5], %[w5]\n\t"
            "adc %[w6], %[w6]\n\t"
            "adc %[w7], %[w7]\n\t"
            /* ... and the squares. */
            FE_SQR_WORD("", "")
            "mov %%rax, %[w0]\n\t"
            "mov %%rdx, %[x]\n\t"
            FE_SQR_WORD("8", "8")
            "add %[x], %[w1]\n\t"
            "adc %%rax, %[w2]\n\t"
            "mov %%rdx, %[x]\n\t"
            "adc $0, %[x]\n\t"
            FE_SQR_WORD("16", "16")
            "add %[x], %[w3]\n\t"
            "adc %%rax, %[w4]\n\t"
            "mov %%rdx, %[x]\n\t"
            "adc $0, %[x]\n\t"
            FE_SQR_WORD("24", "24")
            "add %[x], %[w5]\n\t"
            "adc %%rax, %[w6]\n\t"
            "adc %%rdx, %[w7]\n\t"
            FE_REDUCE
            : FE_WORDS
            : [a] "r"(a->w), FE_P
            : "rax", "rdx", "cc", "memory");
    /* clang-format on */
    p256_set(r->w, w4, w5, w6, w7);
}

#endif

#endif
#endif
