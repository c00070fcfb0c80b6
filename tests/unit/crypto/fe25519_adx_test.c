/* SPDX-License-Identifier: MIT
 *
 * The field in four limbs, by MULX and ADX.
 */
#include "crypto/fe25519_adx.h"
#include "crypto/x25519.h"

#ifdef __x86_64__

#define FE_LIMB_BITS 64

/* Tight is below 2^255 + 2^24: 255 bits, or a carry out of them. */
#define FE_TIGHT                                            \
    {                                                       \
        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1 \
    }
#define FE_TIGHT_CARRY                                   \
    {                                                    \
        ((uint64_t)1 << 24) - 1, 0, 0, (uint64_t)1 << 63 \
    }
#define FE_LOOSE                                       \
    {                                                  \
        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX \
    }
#include "tests/unit/crypto/fe25519_check.h"

static const struct test_case cases[] = {FE25519_TESTS};

int main(int argc, char **argv)
{
    if (!x25519_adx_works()) {
        printf("not on this processor\n");
        return test_run_all(cases, 0, argc, argv);
    }
    return test_run_all(cases, sizeof cases / sizeof cases[0], argc, argv);
}

#else

#include "tests/unit/test.h"

TEST(nothing_on_this_architecture) {}
TEST_MAIN(RUN(nothing_on_this_architecture))

#endif
