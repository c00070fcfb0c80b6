/* SPDX-License-Identifier: MIT
 *
 * What the program needs no more to write after its start.
 */
#ifndef BASE_RELRO_H
#define BASE_RELRO_H

/* Makes read-only the pages of tables with addresses in them (PT_GNU_RELRO): a dynamic program's loader does so,
 * a static one has none. Call it first. Where the system cannot, they stay as they are. */
void relro_protect(void);

#endif
