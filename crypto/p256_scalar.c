/* SPDX-License-Identifier: MIT
 *
 * Owns arithmetic modulo the order of P-256. There are but a handful of products in a signature, so they are plain:
 * Montgomery's, made up for by a second one with 2^512.
 */
#include "crypto/p256_scalar.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"
#include "crypto/inverse256.h"
#include "crypto/p256_words.h"

const uint8_t p256_order[P256_SCALAR] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

static const struct inverse256_modulus n = {
    .m = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000},
    .inverse = 0x332e375511ff43b1,
};

/* 2^512 modulo n. */
static const struct p256_scalar r_squared = {
    {0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59, 0x66e12d94f3d95620},
};

/* t + carry * 2^256, which is below 2n, modulo n; returns 1 if it was below n. */
static uint32_t reduce_once(struct p256_scalar *r, const uint64_t t[4], uint64_t carry)
{
    uint64_t d[4], borrow = 0, below;

    for (unsigned i = 0; i < 4; i++)
        d[i] = p256_sub_borrow(t[i], n.m[i], &borrow);
    below = borrow & (carry ^ 1);
    for (unsigned i = 0; i < 4; i++)
        r->w[i] = d[i] ^ ((d[i] ^ t[i]) & (0 - below));
    return (uint32_t)below;
}

/* a * b / 2^256. */
static void montgomery_mul(struct p256_scalar *r, const struct p256_scalar *a, const struct p256_scalar *b)
{
    uint64_t t[4] = {0}, top = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint64_t product = 0, multiple = 0, carry = 0, m;

        for (unsigned j = 0; j < 4; j++)
            t[j] = p256_mul_carry(t[j], a->w[j], b->w[i], &product);
        top = p256_add_carry(top, product, &carry);
        m = t[0] * (0 - n.inverse);
        p256_mul_carry(t[0], m, n.m[0], &multiple);
        for (unsigned j = 1; j < 4; j++)
            t[j - 1] = p256_mul_carry(t[j], m, n.m[j], &multiple);
        product = 0;
        t[3] = p256_add_carry(top, multiple, &product);
        top = carry + product;
    }
    reduce_once(r, t, top);
}

void p256_scalar_mul(struct p256_scalar *r, const struct p256_scalar *a, const struct p256_scalar *b)
{
    struct p256_scalar t;

    montgomery_mul(&t, a, &r_squared);
    montgomery_mul(r, &t, b);
    mem_wipe(&t, sizeof t);
}

void p256_scalar_add(struct p256_scalar *r, const struct p256_scalar *a, const struct p256_scalar *b)
{
    uint64_t t[4], carry = 0;

    for (unsigned i = 0; i < 4; i++)
        t[i] = p256_add_carry(a->w[i], b->w[i], &carry);
    reduce_once(r, t, carry);
}

void p256_scalar_inverse(struct p256_scalar *r, const struct p256_scalar *a)
{
    inverse256(r->w, a->w, &n);
}

uint32_t p256_scalar_is_zero(const struct p256_scalar *a)
{
    return (uint32_t)p256_mask_zero(a->w[0] | a->w[1] | a->w[2] | a->w[3]) & 1;
}

uint32_t p256_scalar_equal(const struct p256_scalar *a, const struct p256_scalar *b)
{
    uint64_t different = 0;

    for (unsigned i = 0; i < 4; i++)
        different |= a->w[i] ^ b->w[i];
    return (uint32_t)p256_mask_zero(different) & 1;
}

/* In pieces of 32 bytes, of which the first may be shorter: what was read so far counts 2^256 times when another
 * follows. */
uint32_t p256_scalar_read(struct p256_scalar *r, const void *from, size_t len)
{
    const uint8_t *p = from;
    uint8_t piece[P256_SCALAR] = {0};
    size_t size = len % P256_SCALAR;
    struct p256_scalar sum = {{0}}, part = {{0}};
    uint32_t below = 1;
    uint64_t w[4];

    for (; len > 0; p += size, len -= size, size = P256_SCALAR) {
        if (size == 0)
            size = P256_SCALAR;
        for (size_t i = 0; i < size; i++)
            piece[P256_SCALAR - size + i] = p[i];
        p256_read(w, piece);
        below &= p256_scalar_is_zero(&sum);
        below &= reduce_once(&part, w, 0);
        montgomery_mul(&sum, &sum, &r_squared);
        p256_scalar_add(&sum, &sum, &part);
    }
    *r = sum;
    mem_wipe(piece, sizeof piece);
    mem_wipe(w, sizeof w);
    mem_wipe(&sum, sizeof sum);
    mem_wipe(&part, sizeof part);
    return below;
}

void p256_scalar_write(uint8_t to[P256_SCALAR], const struct p256_scalar *a)
{
    p256_write(to, a->w);
}

#endif
