/* SPDX-License-Identifier: MIT
 *
 * SHA-256 (FIPS 180-4) by ARMv8's SHA2 instructions, as a class that BearSSL takes in the place of
 * br_sha256_vtable: it has the same id and sizes, and its context is a br_sha256_context, of which the two
 * make the same use.
 *
 * Constant time: branches depend on lengths alone.
 */
#ifndef CRYPTO_SHA256_ARMV8_H
#define CRYPTO_SHA256_ARMV8_H

#include <bearssl.h>
#include <stdbool.h>

#ifdef __AARCH64EL__

/* May sha256_armv8 be used on this processor? */
bool sha256_armv8_has(void);
extern const br_hash_class sha256_armv8;

#endif
#endif
