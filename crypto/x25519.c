/* SPDX-License-Identifier: MIT
 *
 * Owns X25519 for any 64-bit machine, and what its two implementations share: the curve's constants as BearSSL has
 * them. The arithmetic is in crypto/fe25519_m64.h, the multiplications in crypto/x25519_curve.h.
 */
#include "crypto/x25519.h"

#ifdef __SIZEOF_INT128__

#include "crypto/fe25519_m64.h"

#define X25519_TARGET
#define X25519_VECTOR_BYTES 16
#include "crypto/x25519_curve.h"

const unsigned char *x25519_generator(int curve, size_t *len)
{
    static const unsigned char nine[X25519_BYTES] = {9};

    (void)curve;
    *len = sizeof nine;
    return nine;
}

/* Not the group's: a random number of this many bits is a scalar, once clamped. */
const unsigned char *x25519_order(int curve, size_t *len)
{
    static const unsigned char order[X25519_BYTES] = {
        0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };

    (void)curve;
    *len = sizeof order;
    return order;
}

size_t x25519_xoff(int curve, size_t *len)
{
    (void)curve;
    *len = X25519_BYTES;
    return 0;
}

uint32_t x25519_muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
                       size_t xlen, const unsigned char *y, size_t ylen, int curve)
{
    (void)a, (void)b, (void)len, (void)x, (void)xlen, (void)y, (void)ylen, (void)curve;
    return 0;
}

const br_ec_impl x25519_m64 = X25519_METHODS;

#endif
