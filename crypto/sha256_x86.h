/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4) by the SHA extensions of x86, as a class that BearSSL takes in the place of
 * br_sha256_vtable: it has the same id and sizes, and its context is a br_sha256_context of which both make the same
 * use, so that a hash begun by one may be ended by the other.
 *
 * Constant time: the instructions that do the work are; branches and addresses depend on lengths alone.
 */
#ifndef CRYPTO_SHA256_X86_H
#define CRYPTO_SHA256_X86_H

#include <bearssl.h>
#include <stdbool.h>

#if defined __x86_64__ || defined __i386__

/* May sha256_x86 be used on this processor? A few loads, as CPUID was asked before main. */
bool sha256_x86_works(void);
extern const br_hash_class sha256_x86;

#endif
#endif
