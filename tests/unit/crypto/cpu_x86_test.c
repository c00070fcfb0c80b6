/* SPDX-License-Identifier: MIT
 *
 * Held against what the compiler's runtime says.
 */
#include "crypto/cpu_x86.h"
#include "tests/unit/test.h"

#if defined __x86_64__ || defined __i386__

#define SUPPORTS(name) (__builtin_cpu_supports(name) != 0)

TEST(what_the_runtime_says)
{
    CHECK_EQ(cpu_x86_has(CPU_X86_PCLMUL), SUPPORTS("pclmul"));
    CHECK_EQ(cpu_x86_has(CPU_X86_SSE41), SUPPORTS("sse4.1"));
    CHECK_EQ(cpu_x86_has(CPU_X86_AES), SUPPORTS("aes"));
    CHECK_EQ(cpu_x86_has(CPU_X86_AVX2), SUPPORTS("avx2"));
    CHECK_EQ(cpu_x86_has(CPU_X86_BMI2), SUPPORTS("bmi2"));
    CHECK_EQ(cpu_x86_has(CPU_X86_ADX), SUPPORTS("adx"));
    CHECK_EQ(cpu_x86_has(CPU_X86_SHA), SUPPORTS("sha"));
    CHECK_EQ(cpu_x86_has(CPU_X86_VAES), SUPPORTS("vaes"));
    CHECK_EQ(cpu_x86_has(CPU_X86_VPCLMUL), SUPPORTS("vpclmulqdq"));
    CHECK_EQ(cpu_x86_has(CPU_X86_AVX512),
             SUPPORTS("avx512f") && SUPPORTS("avx512bw") && SUPPORTS("avx512dq") && SUPPORTS("avx512vl"));
    CHECK_EQ(cpu_x86_has(CPU_X86_IFMA), SUPPORTS("avx512ifma"));
}

TEST(all_of_several)
{
    for (unsigned both = 0; both < 1u << 11; both++) {
        bool each = true;

        for (unsigned bit = 1; bit < 1u << 11; bit <<= 1)
            each &= (both & bit) == 0 || cpu_x86_has(bit);
        CHECK_EQ(cpu_x86_has(both), each);
    }
}

TEST_MAIN(RUN(what_the_runtime_says), RUN(all_of_several))

#else

TEST(nothing_on_this_architecture) {}
TEST_MAIN(RUN(nothing_on_this_architecture))

#endif
