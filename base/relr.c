/* SPDX-License-Identifier: MIT
 *
 * Where the process starts on x86. Addresses in the program's data must have its place added to them; musl 1.2.3 does
 * so for tables of the older kind (DT_REL, DT_RELA), 24 bytes an address, while a table of DT_RELR, which it would
 * leave alone, is a bitmap: 0.3 KB where the other is 27 KB. So this table is read here, before musl's own start.
 * Of Debian's linkers only x86's writes it (-z pack-relative-relocs); others start at _start.
 *
 * Nothing is set up yet here, and no address in the data is right: no call, no protector's canary, no global but by a
 * distance from here, which is what hidden visibility makes of those two. A musl that knows the table too finds it empty.
 */
#if defined __x86_64__ || defined __i386__

#include <link.h>
#include <stddef.h>

/* gABI, "Relocation"; not yet in musl's headers. */
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR   36
#endif

#define HIDDEN __attribute__((visibility("hidden")))

extern HIDDEN ElfW(Dyn) _DYNAMIC[];
extern HIDDEN char __ehdr_start[]; /* the program's place: it is linked to address 0 */

/* An even entry is the place of an address. An odd one is a bitmap: its bit i, from 1, is the word that lies i - 1
 * words behind the last place. */
__attribute__((no_stack_protector, used)) static void relr_apply(void)
{
    size_t *word, *next = (size_t *)(void *)__ehdr_start;
    const size_t *entry = next;
    size_t n = 0;

    for (ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELR)
            entry = (const size_t *)(const void *)(__ehdr_start + d->d_un.d_ptr);
        if (d->d_tag == DT_RELRSZ) {
            n = d->d_un.d_val / sizeof *entry;
            d->d_un.d_val = 0;
        }
    }
    for (; n > 0; n--, entry++) {
        if ((*entry & 1) == 0) {
            next = (size_t *)(void *)(__ehdr_start + *entry);
            *next++ += (size_t)__ehdr_start;
            continue;
        }
        word = next;
        for (size_t bits = *entry >> 1; bits != 0; bits >>= 1, word++)
            if (bits & 1)
                *word += (size_t)__ehdr_start;
        next += 8 * sizeof *entry - 1;
    }
}

/* The stack is as the kernel left it, and aligned for a call (System V ABI, "Process Initialization"). On i386 what is
 * called pushes its own registers. */
__asm__(".pushsection .text.relr_start, \"ax\", @progbits\n"
        ".globl relr_start\n"
        ".hidden relr_start\n"
        ".type relr_start, @function\n"
        "relr_start:\n"
        "	call relr_apply\n"
        "	jmp _start\n"
        ".popsection\n");

#endif
