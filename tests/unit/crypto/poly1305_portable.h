/* SPDX-License-Identifier: MIT
 *
 * A block of Poly1305 as every machine but x86-64 does it, for the test to hold against what this machine does.
 */
#ifndef TESTS_UNIT_CRYPTO_POLY1305_PORTABLE_H
#define TESTS_UNIT_CRYPTO_POLY1305_PORTABLE_H

#include "crypto/poly1305_m64_inner.h"

#ifdef __SIZEOF_INT128__

void poly1305_portable_block(struct poly1305_m64_number *h, const struct poly1305_m64 *p,
                             const uint8_t *block);

#endif
#endif
