/* SPDX-License-Identifier: MIT
 *
 * Random bytes from the kernel (getrandom), drawn in small blocks and wiped as they are handed out. There
 * is no other source and no fallback: without one the program ends and says so.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t n);
uint32_t random_below(uint32_t bound); /* uniform in [0, bound), bound > 0 */

#endif
