/* SPDX-License-Identifier: MIT
 *
 * Input for tests that hold one implementation against another: the same numbers at every run, and memory that
 * ends where touching more of it ends the program, for code and machines that AddressSanitizer does not see.
 */
#ifndef TESTS_UNIT_CRYPTO_INPUT_H
#define TESTS_UNIT_CRYPTO_INPUT_H

#include <stddef.h>
#include <stdint.h>

uint64_t input_number(void);
size_t input_below(size_t n);
void input_bytes(void *p, size_t n);

/* How many inputs to try: the second number under `./build.sh test --all`. */
size_t input_count(size_t everyday, size_t all);

/* The address behind `room` bytes, which are the caller's for the life of the program: from there on, a page that
 * can be neither read nor written. */
uint8_t *input_fence(size_t room);

#endif
