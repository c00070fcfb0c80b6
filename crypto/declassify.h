/* SPDX-License-Identifier: MIT
 *
 * Says where a secret ends: what a value made of secrets may show (a tag fits, a candidate is drawn again). It does
 * nothing but in the check of constant time (tests/ct), where secrets are marked and every branch and address that
 * depends on one is reported.
 */
#ifndef CRYPTO_DECLASSIFY_H
#define CRYPTO_DECLASSIFY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef CHECK_CONSTANT_TIME
#include <valgrind/memcheck.h>
static inline void declassify(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}
#else
static inline void declassify(const void *p, size_t n)
{
    (void)p, (void)n;
}
#endif

static inline bool declassify_bool(bool value)
{
    declassify(&value, sizeof value);
    return value;
}

#endif
