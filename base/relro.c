/* SPDX-License-Identifier: MIT */
#include "base/relro.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* Whole pages alone, and the linker aligns the end to pages of the smallest size. The first that is told of is the
 * program; another would be a loader's work. */
static int protect(struct dl_phdr_info *info, size_t size, void *ctx)
{
    uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ);

    (void)size;
    (void)ctx;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        uintptr_t start = (info->dlpi_addr + h->p_vaddr) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + h->p_vaddr + h->p_memsz) & ~(page - 1);

        if (h->p_type == PT_GNU_RELRO && start < end)
            (void)mprotect((void *)start, end - start, PROT_READ);
    }
    return 1;
}

void relro_protect(void)
{
    (void)dl_iterate_phdr(protect, NULL);
}
