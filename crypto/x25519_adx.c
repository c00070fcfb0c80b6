/* SPDX-License-Identifier: MIT
 *
 * Owns X25519 for x86-64 processors with BMI2, ADX and AVX2. The arithmetic is in crypto/fe25519_adx.h, the
 * multiplications in crypto/x25519_curve.h.
 */
#include "crypto/x25519.h"

#ifdef __x86_64__

#include "crypto/fe25519_adx.h"

#include <cpuid.h>

#define X25519_TARGET       __attribute__((target("avx2")))
#define X25519_VECTOR_BYTES 32
#include "crypto/x25519_curve.h"

const br_ec_impl x25519_adx = X25519_METHODS;

static bool has_adx(void)
{
#if defined __clang__ && __clang_major__ < 15
    /* Its builtin does not know the name; what ships is made by gcc. */
    unsigned a, b = 0, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_ADX) != 0;
#else
    return __builtin_cpu_supports("adx");
#endif
}

bool x25519_adx_works(void)
{
    return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx2") && has_adx();
}

#endif
