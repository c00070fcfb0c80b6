/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/p256: multiples of the generator, computed by p256_table.py, which says of what they are.
 */
#ifndef CRYPTO_P256_TABLE_H
#define CRYPTO_P256_TABLE_H

#include "crypto/p256_point.h"

#ifdef __SIZEOF_INT128__

enum { P256_BLOCKS = 6, P256_TABLE = 128 };

/* How many of a multiplier's 32 bytes a block has, of which each but one doubles its entries in the table. */
extern const uint8_t p256_table_blocks[P256_BLOCKS];
extern const struct p256_affine p256_table[P256_TABLE];

#endif
#endif
