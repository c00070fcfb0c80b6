/* SPDX-License-Identifier: MIT
 *
 * What an x86 processor can do, and lets programs do: for wide registers the system has to agree, too.
 */
#ifndef CRYPTO_CPU_X86_H
#define CRYPTO_CPU_X86_H

#include <stdbool.h>

enum cpu_x86 {
    CPU_X86_PCLMUL = 1 << 0,
    CPU_X86_SSE41 = 1 << 1,
    CPU_X86_AES = 1 << 2,
    CPU_X86_AVX2 = 1 << 3,
    CPU_X86_BMI2 = 1 << 4,
    CPU_X86_ADX = 1 << 5,
    CPU_X86_SHA = 1 << 6,
    CPU_X86_VAES =
        1 << 7, /* and with 256 bits at least: as those that follow, not without AVX2's registers */
    CPU_X86_VPCLMUL = 1 << 8,
    CPU_X86_AVX512 = 1 << 9, /* F, BW, DQ and VL, which all have that have one, but for Knights Landing */
    CPU_X86_IFMA = 1 << 10,
};

/* Whether it has all of those (or of enum cpu_x86). CPUID is asked once: in a virtual machine it traps, and costs
 * thousands of times what another instruction does. */
bool cpu_x86_has(unsigned features);

#endif
