/* SPDX-License-Identifier: MIT
 *
 * The field in five limbs.
 */
#include "crypto/fe25519_m64.h"

#ifdef __SIZEOF_INT128__

#define FE_LIMB_BITS 51

#define TIGHT (((uint64_t)1 << 51) + (1 << 15) - 1)
#define LOOSE (((uint64_t)1 << 53) - 1)
#define FE_TIGHT                          \
    {                                     \
        TIGHT, TIGHT, TIGHT, TIGHT, TIGHT \
    }
#define FE_TIGHT_CARRY FE_TIGHT
#define FE_LOOSE                          \
    {                                     \
        LOOSE, LOOSE, LOOSE, LOOSE, LOOSE \
    }
#include "tests/unit/crypto/fe25519_check.h"

TEST_MAIN(FE25519_TESTS)

#else

#include "tests/unit/test.h"

TEST(nothing_on_this_architecture) {}
TEST_MAIN(RUN(nothing_on_this_architecture))

#endif
