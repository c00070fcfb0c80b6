/* SPDX-License-Identifier: MIT
 *
 * Owns points of P-256 for every x86-64.
 */
#include "crypto/p256_field_x86.h"

#ifdef __x86_64__

#define P256_OPS p256_x86
#include "crypto/p256_formulas.h"

#endif
