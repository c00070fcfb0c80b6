/* SPDX-License-Identifier: MIT
 *
 * Owns Poly1305 for machines that multiply 64 bits by 64, and the AEAD of RFC 8439 §2.8 around it. Blocks are
 * hashed as poly1305_m64_inner.h says, to be read first.
 */
#include "crypto/poly1305_m64.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"
#include "crypto/poly1305_m64_inner.h"

enum { BLOCK = POLY1305_M64_BLOCK, HALF = 16 };

typedef unsigned __int128 wide;

/* Structs by value are passed in memory, where they wait. */
#define INLINE static inline __attribute__((always_inline))

#define LIMB (((uint64_t)1 << 44) - 1)

static void store(uint8_t *p, uint64_t v)
{
    for (size_t i = 0; i < 8; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

/* n is at most two limbs. */
INLINE struct poly1305_m64_number add(struct poly1305_m64_number h, uint64_t n0, uint64_t n1)
{
    uint64_t carry;

    h.h0 += n0;
    n0 = h.h0 < n0;
    h.h1 += n0;
    carry = h.h1 < n0;
    h.h1 += n1;
    h.h2 += carry + (h.h1 < n1);
    return h;
}

/* Takes what is above 2^130 down: of a third limb remain 2 bits and a carry. */
INLINE struct poly1305_m64_number fold(struct poly1305_m64_number h)
{
    return add((struct poly1305_m64_number){h.h0, h.h1, h.h2 & 3}, (h.h2 >> 2) * 5, 0);
}

/* In three limbs of 44, 44 and 42 bits or a few more, whose products can be added up without a thought of
 * carries. What is above 2^130 comes back five times; where limbs meet above 2^132, that is another 4 times. */
INLINE struct poly1305_m64_number multiply(struct poly1305_m64_number a, struct poly1305_m64_number b)
{
    uint64_t a0 = a.h0 & LIMB, a1 = (a.h0 >> 44 | a.h1 << 20) & LIMB, a2 = a.h1 >> 24 | a.h2 << 40;
    uint64_t b0 = b.h0 & LIMB, b1 = (b.h0 >> 44 | b.h1 << 20) & LIMB, b2 = b.h1 >> 24 | b.h2 << 40;
    wide d0 = (wide)a0 * b0 + (wide)a1 * (20 * b2) + (wide)a2 * (20 * b1);
    wide d1 = (wide)a0 * b1 + (wide)a1 * b0 + (wide)a2 * (20 * b2);
    wide d2 = (wide)a0 * b2 + (wide)a1 * b1 + (wide)a2 * b0;
    uint64_t l0 = (uint64_t)d0 & LIMB, l1, l2, above;

    d1 += (uint64_t)(d0 >> 44);
    l1 = (uint64_t)d1 & LIMB;
    d2 += (uint64_t)(d1 >> 44);
    l2 = (uint64_t)d2 & (LIMB >> 2);
    above = (uint64_t)(d2 >> 42);
    return add((struct poly1305_m64_number){l0 | l1 << 44, l1 >> 20 | l2 << 24, l2 >> 40}, above * 5, 0);
}

void poly1305_m64_init(struct poly1305_m64 *p, const uint8_t key[POLY1305_M64_KEY])
{
    *p = (struct poly1305_m64){
        .r0 = poly1305_m64_load(key) & 0x0ffffffc0fffffff,
        .r1 = poly1305_m64_load(key + 8) & 0x0ffffffc0ffffffc,
        .pad0 = poly1305_m64_load(key + 16),
        .pad1 = poly1305_m64_load(key + 24),
    };
    p->s1 = p->r1 + (p->r1 >> 2);
}

void poly1305_m64_prepare(struct poly1305_m64 *p, unsigned half)
{
    struct poly1305_m64_number power = {p->r0, p->r1, 0};

    p->half = half;
    for (; half > 1; half /= 2)
        power = multiply(power, power);
    p->power = power;
}

void poly1305_m64_join(struct poly1305_m64 *p, const struct poly1305_m64_number *first,
                       const struct poly1305_m64_number *second)
{
    struct poly1305_m64_number h = multiply(*first, p->power);

    h.h2 += second->h2;
    p->hash = fold(add(h, second->h0, second->h1));
}

static void update_run(struct poly1305_m64 *p, const uint8_t *data)
{
    struct poly1305_m64_number first = p->hash, second = {0, 0, 0};
    size_t half = p->half * BLOCK;

    for (const uint8_t *end = data + half; data < end; data += BLOCK) {
        poly1305_m64_block(&first, p, data);
        poly1305_m64_block(&second, p, data + half);
    }
    poly1305_m64_join(p, &first, &second);
}

void poly1305_m64_update(struct poly1305_m64 *p, const void *data, size_t len)
{
    const uint8_t *at = data;
    size_t run = 2 * p->half * BLOCK;
    struct poly1305_m64_number hash;

    for (; run != 0 && len >= run; len -= run, at += run)
        update_run(p, at);
    hash = p->hash;
    for (; len >= BLOCK; len -= BLOCK, at += BLOCK)
        poly1305_m64_block(&hash, p, at);
    if (len > 0) {
        uint8_t last[BLOCK] = {0};

        memcpy(last, at, len);
        poly1305_m64_block(&hash, p, last);
    }
    p->hash = hash;
}

void poly1305_m64_tag(const struct poly1305_m64 *p, uint8_t tag[POLY1305_M64_TAG])
{
    struct poly1305_m64_number h = p->hash, less = add(h, 5, 0);
    uint64_t mask = 0 - (less.h2 >> 2);

    /* Less 2^130 - 5, if that is not negative: then 5 more reach 2^130. Twice is never needed. */
    h.h0 ^= mask & (h.h0 ^ less.h0);
    h.h1 ^= mask & (h.h1 ^ less.h1);
    h = add(h, p->pad0, p->pad1);
    store(tag, h.h0);
    store(tag + 8, h.h1);
}

void poly1305_m64_run(const void *key, const void *iv, void *data, size_t len, const void *aad,
                      size_t aad_len, void *tag, br_chacha20_run ichacha, int encrypt)
{
    struct poly1305_m64 p;
    uint8_t block[POLY1305_M64_KEY] = {0};

    ichacha(key, iv, 0, block, sizeof block);
    poly1305_m64_init(&p, block);
    if (len >= 4 * HALF * BLOCK)
        poly1305_m64_prepare(&p, HALF);
    poly1305_m64_update(&p, aad, aad_len);
    if (encrypt)
        ichacha(key, iv, 1, data, len);
    poly1305_m64_update(&p, data, len);
    if (!encrypt)
        ichacha(key, iv, 1, data, len);
    store(block, aad_len);
    store(block + 8, len);
    poly1305_m64_update(&p, block, BLOCK);
    poly1305_m64_tag(&p, tag);
    mem_wipe(block, sizeof block);
    mem_wipe(&p, sizeof p);
}

#endif
