/* SPDX-License-Identifier: MIT
 *
 * Owns the way through a block of 8 limbs by MULX, ADCX and ADOX, which keep two chains of carries apart: the lower
 * halves of products are added along one, the upper halves along the other. The sum under way stays in registers and
 * moves through them by one at each row, so that its lowest limb, when it is done, makes room for the one above the
 * highest. Compilers make nothing like it of C.
 */
#include "crypto/mont64.h"

#if defined __SIZEOF_INT128__ && defined __x86_64__

#include "crypto/cpu_x86.h"

/* The formatter knows nothing of assembly. */
/* clang-format off */

#define TEXT(x) #x
#define LINE(x) x "\n\t"

/* Of a row: the product of the limb in rdx and the limb at `offset`, onto two limbs of the sum. */
#define STEP(offset, low, high)                                 \
    LINE("mulxq " TEXT(offset) "(%[a]), %%rax, %%rbx")          \
    LINE("adcxq %%rax, %%" low)                                 \
    LINE("adoxq %%rbx, %%" high)

/* Its last: `high` is new, and both carries end in it. rcx is 0. */
#define LAST(low, high)                                         \
    LINE("mulxq 56(%[a]), %%rax, %%" high)                      \
    LINE("adcxq %%rax, %%" low)                                 \
    LINE("adoxq %%rcx, %%" high)                                \
    LINE("adcxq %%rcx, %%" high)

/* 8 limbs by the limb in rdx. At `between` r0 is done; after that, it is the sum's ninth limb. */
#define ROW(between, r0, r1, r2, r3, r4, r5, r6, r7)            \
    LINE("xorl %%eax, %%eax")                                   \
    STEP(0, r0, r1)                                             \
    between                                                     \
    STEP(8, r1, r2)                                             \
    STEP(16, r2, r3)                                            \
    STEP(24, r3, r4)                                            \
    STEP(32, r4, r5)                                            \
    STEP(40, r5, r6)                                            \
    STEP(48, r6, r7)                                            \
    LAST(r7, r0)

#define MULTIPLY_ROW(i, r0, r1, r2, r3, r4, r5, r6, r7)         \
    LINE("movq %[b], %%rdx")                                    \
    LINE("movq 8*" TEXT(i) "(%%rdx), %%rdx")                    \
    ROW(LINE("movq %%" r0 ", 8*" TEXT(i) "(%[t])"), r0, r1, r2, r3, r4, r5, r6, r7)

#define REDUCE_ROW(i, r0, r1, r2, r3, r4, r5, r6, r7)           \
    LINE("movq %[b], %%rdx")                                    \
    LINE("imulq %%" r0 ", %%rdx")                               \
    LINE("movq %%rdx, 8*" TEXT(i) "(%[t])")                     \
    ROW(, r0, r1, r2, r3, r4, r5, r6, r7)

#define LOAD(i, r)                                              \
    LINE("movq 8*" TEXT(i) "(%[t]), %%" r)

/* The sum's upper half, the carry that came in and what was in t. */
#define STORE(i, r)                                             \
    LINE("adoxq 64+8*" TEXT(i) "(%[t]), %%" r)                  \
    LINE("movq %%" r ", 64+8*" TEXT(i) "(%[t])")
#define CARRY_AND_STORE(i, r)                                   \
    LINE("adcxq %%rcx, %%" r)                                   \
    STORE(i, r)

#define BLOCK(KIND)                                             \
    LOAD(0, "r8")                                               \
    LOAD(1, "r9")                                               \
    LOAD(2, "r10")                                              \
    LOAD(3, "r11")                                              \
    LOAD(4, "r12")                                              \
    LOAD(5, "r13")                                              \
    LOAD(6, "r14")                                              \
    LOAD(7, "r15")                                              \
    LINE("xorl %%ecx, %%ecx")                                   \
    KIND(0, "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15") \
    KIND(1, "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r8") \
    KIND(2, "r10", "r11", "r12", "r13", "r14", "r15", "r8", "r9") \
    KIND(3, "r11", "r12", "r13", "r14", "r15", "r8", "r9", "r10") \
    KIND(4, "r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11") \
    KIND(5, "r13", "r14", "r15", "r8", "r9", "r10", "r11", "r12") \
    KIND(6, "r14", "r15", "r8", "r9", "r10", "r11", "r12", "r13") \
    KIND(7, "r15", "r8", "r9", "r10", "r11", "r12", "r13", "r14") \
    LINE("xorl %%eax, %%eax")                                   \
    LINE("adcxq %[carry], %%r8")                                \
    STORE(0, "r8")                                              \
    CARRY_AND_STORE(1, "r9")                                    \
    CARRY_AND_STORE(2, "r10")                                   \
    CARRY_AND_STORE(3, "r11")                                   \
    CARRY_AND_STORE(4, "r12")                                   \
    CARRY_AND_STORE(5, "r13")                                   \
    CARRY_AND_STORE(6, "r14")                                   \
    CARRY_AND_STORE(7, "r15")                                   \
    LINE("movl $0, %%eax")                                      \
    LINE("adoxq %%rcx, %%rax")                                  \
    LINE("adcxq %%rcx, %%rax")

#define CLOBBERS "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory"

/* In both, `b` and `carry` lie in memory, for there are no more registers; and so that the stack pointer
 * reaches them, the address sanitizer moves no variables here. */
#define SHORT_OF_REGISTERS __attribute__((noinline, no_sanitize_address))

SHORT_OF_REGISTERS static uint64_t adx_multiply(uint64_t *t, const uint64_t *a, const uint64_t *b, uint64_t carry)
{
    uint64_t out;

    __asm__ volatile(BLOCK(MULTIPLY_ROW)
                     : "=&a"(out)
                     : [t] "r"(t), [a] "r"(a), [b] "m"(b), [carry] "m"(carry)
                     : CLOBBERS);
    return out;
}

SHORT_OF_REGISTERS static uint64_t adx_reduce(uint64_t *t, const uint64_t *n, uint64_t n0, uint64_t carry)
{
    uint64_t out;

    __asm__ volatile(BLOCK(REDUCE_ROW)
                     : "=&a"(out)
                     : [t] "r"(t), [a] "r"(n), [b] "m"(n0), [carry] "m"(carry)
                     : CLOBBERS);
    return out;
}

#define BEGIN(i)                                                \
    LINE("movq 8*" TEXT(i) "(%[a]), %%rdx")                     \
    LINE("xorl %%eax, %%eax")
/* Of the first row, where nothing is to be added to yet. */
#define FIRST(offset, low, high)                                \
    LINE("mulxq " TEXT(offset) "(%[a]), %%rax, %%" high)        \
    LINE("adcxq %%rax, %%" low)
/* A limb that is done; its register is free. */
#define KEEP(i, r)                                              \
    LINE("movq %%" r ", 8*" TEXT(i) "(%[t])")

/* Limb 1 of the sum is in r8, 2 in r9, ..., 8 in r15, 9 in r8 again. */
static void adx_triangle(uint64_t *t, const uint64_t *a)
{
    __asm__ volatile(
        LINE("xorl %%ecx, %%ecx")
        LINE("movq (%[a]), %%rdx")
        LINE("mulxq 8(%[a]), %%r8, %%r9")
        LINE("xorl %%eax, %%eax")
        FIRST(16, "r9", "r10") FIRST(24, "r10", "r11") FIRST(32, "r11", "r12") FIRST(40, "r12", "r13")
        FIRST(48, "r13", "r14") FIRST(56, "r14", "r15")
        LINE("adcxq %%rcx, %%r15")
        KEEP(0, "rcx") KEEP(1, "r8") KEEP(2, "r9")
        BEGIN(1) STEP(16, "r10", "r11") STEP(24, "r11", "r12") STEP(32, "r12", "r13") STEP(40, "r13", "r14")
        STEP(48, "r14", "r15") LAST("r15", "r8")
        KEEP(3, "r10") KEEP(4, "r11")
        BEGIN(2) STEP(24, "r12", "r13") STEP(32, "r13", "r14") STEP(40, "r14", "r15") STEP(48, "r15", "r8")
        LAST("r8", "r9")
        KEEP(5, "r12") KEEP(6, "r13")
        BEGIN(3) STEP(32, "r14", "r15") STEP(40, "r15", "r8") STEP(48, "r8", "r9") LAST("r9", "r10")
        KEEP(7, "r14") KEEP(8, "r15")
        BEGIN(4) STEP(40, "r8", "r9") STEP(48, "r9", "r10") LAST("r10", "r11")
        KEEP(9, "r8") KEEP(10, "r9")
        BEGIN(5) STEP(48, "r10", "r11") LAST("r11", "r12")
        KEEP(11, "r10") KEEP(12, "r11")
        BEGIN(6) LAST("r12", "r13")
        KEEP(13, "r12") KEEP(14, "r13") KEEP(15, "rcx")
        :
        : [t] "r"(t), [a] "r"(a)
        : "rax", CLOBBERS);
}

/* A loop over blocks; what ends it leaves the carries alone. */
#define LOOP(body, advance)                                     \
    LINE("xorl %%eax, %%eax")                                   \
    LINE("1:")                                                  \
    body(0) body(1) body(2) body(3) body(4) body(5) body(6) body(7) \
    advance                                                     \
    LINE("leaq -1(%[blocks]), %[blocks]")                       \
    LINE("jrcxz 2f")                                            \
    LINE("jmp 1b")                                              \
    LINE("2:")

/* One limb of a, two of t; carries of the doubling along one chain, of the sum along the other. */
#define SQUARE(i)                                               \
    LINE("movq 8*" TEXT(i) "(%[a]), %%rdx")                     \
    LINE("mulxq %%rdx, %%rax, %%rbx")                           \
    LINE("movq 16*" TEXT(i) "(%[t]), %%r8")                     \
    LINE("movq 16*" TEXT(i) "+8(%[t]), %%r9")                   \
    LINE("adcxq %%r8, %%r8")                                    \
    LINE("adcxq %%r9, %%r9")                                    \
    LINE("adoxq %%rax, %%r8")                                   \
    LINE("adoxq %%rbx, %%r9")                                   \
    LINE("movq %%r8, 16*" TEXT(i) "(%[t])")                     \
    LINE("movq %%r9, 16*" TEXT(i) "+8(%[t])")

static void adx_complete(uint64_t *t, const uint64_t *a, size_t limbs)
{
    size_t blocks = limbs / MONT64_BLOCK;

    __asm__ volatile(LOOP(SQUARE, LINE("leaq 64(%[a]), %[a]") LINE("leaq 128(%[t]), %[t]"))
                     : [t] "+r"(t), [a] "+r"(a), [blocks] "+c"(blocks)
                     :
                     : "rax", "rbx", "rdx", "r8", "r9", "cc", "memory");
}

#define SUBTRACT(i)                                             \
    LINE("movq 8*" TEXT(i) "(%[a]), %%rax")                     \
    LINE("sbbq 8*" TEXT(i) "(%[b]), %%rax")                     \
    LINE("movq %%rax, 8*" TEXT(i) "(%[r])")

static uint64_t adx_subtract(uint64_t *r, const uint64_t *a, const uint64_t *b, size_t limbs)
{
    size_t blocks = limbs / MONT64_BLOCK;
    uint64_t borrows;

    __asm__ volatile(LOOP(SUBTRACT, LINE("leaq 64(%[a]), %[a]") LINE("leaq 64(%[b]), %[b]")
                                    LINE("leaq 64(%[r]), %[r]"))
                     LINE("sbbq %%rax, %%rax")
                     : [r] "+r"(r), [a] "+r"(a), [b] "+r"(b), [blocks] "+c"(blocks), "=&a"(borrows)
                     :
                     : "cc", "memory");
    return borrows;
}

/* clang-format on */

const struct mont64_kernel mont64_adx = {
    .multiply = adx_multiply,
    .reduce = adx_reduce,
    .triangle = adx_triangle,
    .complete = adx_complete,
    .subtract = adx_subtract,
};

bool mont64_has_adx(void)
{
    return cpu_x86_has(CPU_X86_ADX | CPU_X86_BMI2);
}

#endif
