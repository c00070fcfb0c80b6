/* SPDX-License-Identifier: MIT
 *
 * Owns P-256 as BearSSL sees it, and the choice of its arithmetic.
 */
#include "crypto/p256.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"
#include "crypto/cpu_x86.h"

const struct p256_ops *p256_best(void)
{
#ifdef __x86_64__
    if (cpu_x86_has(CPU_X86_ADX | CPU_X86_BMI2 | CPU_X86_AVX2))
        return &p256_adx;
    return &p256_x86;
#else
    return &p256_portable;
#endif
}

static const unsigned char *generator(int curve, size_t *len)
{
    static const uint8_t g[P256_POINT] = {
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
        0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
        0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
        0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    };

    (void)curve;
    *len = sizeof g;
    return g;
}

static const unsigned char *order(int curve, size_t *len)
{
    (void)curve;
    *len = sizeof p256_order;
    return p256_order;
}

static size_t xoff(int curve, size_t *len)
{
    (void)curve;
    *len = 32;
    return 1;
}

static uint32_t mul(unsigned char *g, size_t glen, const unsigned char *x, size_t xlen, int curve)
{
    struct p256_scalar k;
    uint32_t good;

    (void)curve;
    if (glen != P256_POINT)
        return 0;
    p256_scalar_read(&k, x, xlen);
    good = p256_mul(p256_best(), g, &k);
    mem_wipe(&k, sizeof k);
    return good;
}

static size_t mulgen(unsigned char *r, const unsigned char *x, size_t xlen, int curve)
{
    struct p256_scalar k;

    (void)curve;
    p256_scalar_read(&k, x, xlen);
    p256_mulgen(p256_best(), r, &k);
    mem_wipe(&k, sizeof k);
    return P256_POINT;
}

static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
                       size_t xlen, const unsigned char *y, size_t ylen, int curve)
{
    struct p256_scalar u, v;
    uint32_t good;

    (void)curve;
    if (len != P256_POINT)
        return 0;
    p256_scalar_read(&u, x, xlen);
    p256_scalar_read(&v, y, ylen);
    good = p256_muladd(p256_best(), a, b, &u, &v);
    good &= (p256_scalar_is_zero(&u) | p256_scalar_is_zero(&v)) ^ 1;
    mem_wipe(&u, sizeof u);
    mem_wipe(&v, sizeof v);
    return good;
}

const br_ec_impl p256_m64 = {
    .supported_curves = (uint32_t)1 << BR_EC_secp256r1,
    .generator = generator,
    .order = order,
    .xoff = xoff,
    .mul = mul,
    .mulgen = mulgen,
    .muladd = muladd,
};

#endif
