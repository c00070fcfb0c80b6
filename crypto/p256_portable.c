/* SPDX-License-Identifier: MIT
 *
 * Owns points of P-256 for every 64-bit processor.
 */
#include "crypto/p256_field_portable.h"

#ifdef __SIZEOF_INT128__

#define P256_OPS p256_portable
#include "crypto/p256_formulas.h"

#endif
