/* SPDX-License-Identifier: MIT
 *
 * Owns points of P-256 for x86-64 with ADX, BMI2 and AVX2: Intel's since 2014, AMD's since 2017.
 */
#define P256_ADX
#include "crypto/p256_field_x86.h"

#ifdef __x86_64__

#define P256_OPS p256_adx
#include "crypto/p256_formulas.h"

#endif
