/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/poly1305_m64 and of what hashes while it encrypts: Poly1305 (RFC 8439 §2.5) of whole blocks in
 * two limbs of 64 bits and a small third.
 *
 * The upper limb of r is a multiple of 4, so what passes 2^128 in a product comes back as 5/4 of it: 2^130 is 5.
 * That makes a block six multiplications, but each waits for the one before. So a run of blocks is cut into two
 * halves that are hashed side by side; the first half's hash is then multiplied by r to the number of blocks in
 * the second.
 *
 * Constant time: branches and addresses depend on lengths alone.
 */
#ifndef CRYPTO_POLY1305_M64_INNER_H
#define CRYPTO_POLY1305_M64_INNER_H

#ifdef __SIZEOF_INT128__

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { POLY1305_M64_BLOCK = 16, POLY1305_M64_KEY = 32, POLY1305_M64_TAG = 16 };

/* A residue modulo 2^130 - 5, not always the smallest: h2 is up to 5. */
struct poly1305_m64_number {
    uint64_t h0, h1, h2;
};

struct poly1305_m64 {
    uint64_t r0, r1, s1; /* r, and 5/4 of r1 */
    uint64_t half;       /* blocks in half a run; 0: there are none yet */
    struct poly1305_m64_number hash;
    struct poly1305_m64_number power; /* r to the half */
    uint64_t pad0, pad1;              /* what is added in the end */
};

/* A secret: whoever has one wipes it. */
void poly1305_m64_init(struct poly1305_m64 *p, const uint8_t key[POLY1305_M64_KEY]);
/* From here on a run has two halves of `half` blocks, a power of 2. It pays from two runs on. */
void poly1305_m64_prepare(struct poly1305_m64 *p, unsigned half);
/* The last block is filled up with zeros (RFC 8439 §2.8), so only the last piece of an input may be cut. */
void poly1305_m64_update(struct poly1305_m64 *p, const void *data, size_t len);
/* After a run whose halves were hashed into *first, which began as p->hash, and *second, which began as 0. */
void poly1305_m64_join(struct poly1305_m64 *p, const struct poly1305_m64_number *first,
                       const struct poly1305_m64_number *second);
void poly1305_m64_tag(const struct poly1305_m64 *p, uint8_t tag[POLY1305_M64_TAG]);

static inline uint64_t poly1305_m64_load(const uint8_t *p)
{
    uint64_t v;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&v, p, sizeof v);
#else
    v = 0;
    for (unsigned i = 8; i > 0; i--)
        v = v << 8 | p[i - 1];
#endif
    return v;
}

/* h = (h + block + 2^128) * r. Of r, each limb is below 2^60, so that sums of products have room.
 *
 *     d0 = h0 r0 + h1 s1
 *     d1 = h0 r1 + h1 r0 + h2 s1     with the carries between
 *     d2 = h2 r0
 */
#if defined __x86_64__ && !defined POLY1305_M64_PORTABLE

/* By hand, as the compiler makes twice the instructions out of carries. */
static inline __attribute__((always_inline)) void poly1305_m64_block(struct poly1305_m64_number *h,
                                                                     const struct poly1305_m64 *p,
                                                                     const uint8_t *block)
{
    uint64_t h0 = h->h0, h1 = h->h1, h2 = h->h2, x, y, w;

    __asm__("addq %[m0], %[h0]\n\t"
            "adcq %[m1], %[h1]\n\t"
            "adcq $1, %[h2]\n\t"
            "movq %[h0], %%rax\n\t"
            "mulq %[r0]\n\t" /* y:x = h0 r0 */
            "movq %%rax, %[x]\n\t"
            "movq %%rdx, %[y]\n\t"
            "movq %[h0], %%rax\n\t"
            "mulq %[r1]\n\t" /* w:h0 = h0 r1 */
            "movq %%rax, %[h0]\n\t"
            "movq %%rdx, %[w]\n\t"
            "movq %[h1], %%rax\n\t"
            "mulq %[s1]\n\t" /* y:x += h1 s1 */
            "addq %%rax, %[x]\n\t"
            "adcq %%rdx, %[y]\n\t"
            "movq %[h1], %%rax\n\t"
            "mulq %[r0]\n\t" /* w:h0 += h1 r0 */
            "addq %%rax, %[h0]\n\t"
            "adcq %%rdx, %[w]\n\t"
            "movq %[h2], %%rax\n\t"
            "imulq %[s1], %[h2]\n\t" /* w:h0 += rax:h2 = h2 r0:h2 s1 + y, below 2^64 */
            "imulq %[r0], %%rax\n\t"
            "addq %[y], %[h2]\n\t"
            "addq %[h2], %[h0]\n\t"
            "adcq %%rax, %[w]\n\t"
            "movq %[w], %[h2]\n\t" /* what of w is above 2^130 comes back as 5 times it */
            "shrq $2, %[w]\n\t"
            "andq $3, %[h2]\n\t"
            "leaq (%[w], %[w], 4), %[w]\n\t"
            "addq %[w], %[x]\n\t"
            "adcq $0, %[h0]\n\t"
            "adcq $0, %[h2]"
            : [h0] "+&r"(h0), [h1] "+&r"(h1), [h2] "+&r"(h2), [x] "=&r"(x), [y] "=&r"(y), [w] "=&r"(w)
            : [m0] "m"(*(const uint8_t(*)[8])block), [m1] "m"(*(const uint8_t(*)[8])(block + 8)),
              [r0] "m"(p->r0), [r1] "m"(p->r1), [s1] "m"(p->s1)
            : "rax", "rdx", "cc");
    *h = (struct poly1305_m64_number){x, h0, h2};
}

#else

static inline __attribute__((always_inline)) void poly1305_m64_block(struct poly1305_m64_number *h,
                                                                     const struct poly1305_m64 *p,
                                                                     const uint8_t *block)
{
    typedef unsigned __int128 wide;
    uint64_t m0 = poly1305_m64_load(block), m1 = poly1305_m64_load(block + 8);
    uint64_t h0 = h->h0 + m0, carry = h0 < m0, h1 = h->h1 + carry, h2, fold;
    wide d0, d1;

    carry = h1 < carry;
    h1 += m1;
    h2 = h->h2 + 1 + carry + (h1 < m1);
    d0 = (wide)h0 * p->r0 + (wide)h1 * p->s1;
    d1 = (wide)h0 * p->r1 + (wide)h1 * p->r0 + (h2 * p->s1 + (uint64_t)(d0 >> 64));
    h2 = h2 * p->r0 + (uint64_t)(d1 >> 64);
    fold = (h2 >> 2) * 5;
    h0 = (uint64_t)d0 + fold;
    carry = h0 < fold;
    h1 = (uint64_t)d1 + carry;
    *h = (struct poly1305_m64_number){h0, h1, (h2 & 3) + (h1 < carry)};
}

#endif
#endif
#endif
