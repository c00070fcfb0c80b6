/* SPDX-License-Identifier: MIT
 *
 * Owns the answer of CPUID (Intel SDM, volume 2; its bits by the names of the compiler's header), and of XGETBV, which
 * says what registers the system saves. The compiler's runtime would tell the same, and 150 features more, in 5 KB.
 */
#include "crypto/cpu_x86.h"

#if defined __x86_64__ || defined __i386__

#include <cpuid.h>
#include <stddef.h>

#define ASKED (1u << 31)

/* State components in XCR0 (volume 1, section 13.1). */
enum { XMM_YMM = 1 << 1 | 1 << 2, OPMASK_ZMM = 1 << 5 | 1 << 6 | 1 << 7 };

#define AVX512_BITS (bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL)

/* Which bits of which register mean it; which state it needs. */
static const struct {
    unsigned feature;
    enum { LEAF1_ECX, LEAF7_EBX, LEAF7_ECX } in;
    unsigned bits, state;
} table[] = {
    {CPU_X86_PCLMUL,  LEAF1_ECX, bit_PCLMUL,     0                   },
    {CPU_X86_SSE41,   LEAF1_ECX, bit_SSE4_1,     0                   },
    {CPU_X86_AES,     LEAF1_ECX, bit_AES,        0                   },
    {CPU_X86_AVX2,    LEAF7_EBX, bit_AVX2,       XMM_YMM             },
    {CPU_X86_BMI2,    LEAF7_EBX, bit_BMI2,       0                   },
    {CPU_X86_ADX,     LEAF7_EBX, bit_ADX,        0                   },
    {CPU_X86_SHA,     LEAF7_EBX, bit_SHA,        0                   },
    {CPU_X86_VAES,    LEAF7_ECX, bit_VAES,       XMM_YMM             },
    {CPU_X86_VPCLMUL, LEAF7_ECX, bit_VPCLMULQDQ, XMM_YMM             },
    {CPU_X86_AVX512,  LEAF7_EBX, AVX512_BITS,    XMM_YMM | OPMASK_ZMM},
    {CPU_X86_IFMA,    LEAF7_EBX, bit_AVX512IFMA, XMM_YMM | OPMASK_ZMM},
};

static unsigned saved_state(void)
{
    unsigned low, high;

    /* Not to be moved before the question whether there is such an instruction. */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static unsigned ask(void)
{
    unsigned a, b, d, reg[3] = {0}, state = 0, found = 0;

    if (__get_cpuid(1, &a, &b, &reg[LEAF1_ECX], &d) && (reg[LEAF1_ECX] & bit_OSXSAVE) != 0)
        state = saved_state();
    (void)__get_cpuid_count(7, 0, &a, &reg[LEAF7_EBX], &reg[LEAF7_ECX], &d);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((reg[table[i].in] & table[i].bits) == table[i].bits && (state & table[i].state) == table[i].state)
            found |= table[i].feature;
    return found;
}

bool cpu_x86_has(unsigned features)
{
    static unsigned known;

    if (known == 0)
        known = ask() | ASKED;
    return (known & features) == features;
}

#endif
