/* SPDX-License-Identifier: MIT
 *
 * Owns X25519 for x86-64 processors with BMI2, ADX and AVX2. The arithmetic is in crypto/fe25519_adx.h, the
 * multiplications in crypto/x25519_curve.h.
 */
#include "crypto/x25519.h"

#ifdef __x86_64__

#include "crypto/cpu_x86.h"
#include "crypto/fe25519_adx.h"

#define X25519_TARGET       __attribute__((target("avx2")))
#define X25519_VECTOR_BYTES 32
#include "crypto/x25519_curve.h"

const br_ec_impl x25519_adx = X25519_METHODS;

bool x25519_adx_works(void)
{
    return cpu_x86_has(CPU_X86_BMI2 | CPU_X86_AVX2 | CPU_X86_ADX);
}

#endif
