/* SPDX-License-Identifier: MIT
 *
 * Owns which implementation a curve has. What a curve needs from the processor is asked by its own implementation.
 */
#include "crypto/ec.h"
#include "crypto/p256.h"
#include "crypto/x25519.h"

#ifdef __SIZEOF_INT128__
#define P256 p256_m64
#else
#define P256 br_ec_p256_m31
#endif

static const br_ec_impl *curve25519(void)
{
#ifdef __x86_64__
    if (x25519_adx_works())
        return &x25519_adx;
#endif
#ifdef __SIZEOF_INT128__
    return &x25519_m64;
#else
    return &br_ec_c25519_m31;
#endif
}

static const br_ec_impl *impl_of(int curve)
{
    switch (curve) {
    case BR_EC_secp256r1: return &P256;
    case BR_EC_curve25519: return curve25519();
    default: return &br_ec_prime_i31;
    }
}

static const unsigned char *generator(int curve, size_t *len)
{
    return impl_of(curve)->generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
    return impl_of(curve)->order(curve, len);
}

static size_t xoff(int curve, size_t *len)
{
    return impl_of(curve)->xoff(curve, len);
}

static uint32_t mul(unsigned char *g, size_t glen, const unsigned char *x, size_t xlen, int curve)
{
    return impl_of(curve)->mul(g, glen, x, xlen, curve);
}

static size_t mulgen(unsigned char *r, const unsigned char *x, size_t xlen, int curve)
{
    return impl_of(curve)->mulgen(r, x, xlen, curve);
}

static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
                       size_t xlen, const unsigned char *y, size_t ylen, int curve)
{
    return impl_of(curve)->muladd(a, b, len, x, xlen, y, ylen, curve);
}

#define CURVE(id) ((uint32_t)1 << (id))

const br_ec_impl ec_all = {
    .supported_curves =
        CURVE(BR_EC_secp256r1) | CURVE(BR_EC_secp384r1) | CURVE(BR_EC_secp521r1) | CURVE(BR_EC_curve25519),
    .generator = generator,
    .order = order,
    .xoff = xoff,
    .mul = mul,
    .mulgen = mulgen,
    .muladd = muladd,
};

const br_ec_impl ec_ecdhe = {
    .supported_curves = CURVE(BR_EC_secp256r1) | CURVE(BR_EC_curve25519),
    .generator = generator,
    .order = order,
    .xoff = xoff,
    .mul = mul,
    .mulgen = mulgen,
    .muladd = muladd,
};
