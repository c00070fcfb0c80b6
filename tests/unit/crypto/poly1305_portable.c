/* SPDX-License-Identifier: MIT
 *
 * Owns nothing: the macro chooses in the header that both include.
 */
#define POLY1305_M64_PORTABLE

#include "tests/unit/crypto/poly1305_portable.h"

#ifdef __SIZEOF_INT128__

void poly1305_portable_block(struct poly1305_m64_number *h, const struct poly1305_m64 *p,
                             const uint8_t *block)
{
    poly1305_m64_block(h, p, block);
}

#endif
