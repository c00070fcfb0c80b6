/* SPDX-License-Identifier: MIT
 *
 * RSA by 64-bit arithmetic (crypto/mont64.h), on x86-64 by AVX-512 IFMA where the processor has it
 * (crypto/mont52.h); with the Chinese remainder theorem, and constant-time. Keys are BearSSL's, used as they
 * are: nothing is kept between signatures, as what could be (R^2 modulo each prime, in the main) costs a
 * hundredth of one.
 *
 * Moduli of up to 4096 bits, of two odd primes of 128 to 2560 bits, either of them the larger. Primes of 1024,
 * 1536 or 2048 bits are fast, others are rounded up to the next 512 bits of the larger one. Takes up to 32 KB
 * of stack.
 */
#ifndef CRYPTO_RSA_M64_H
#define CRYPTO_RSA_M64_H

#include "crypto/rsa.h"

#ifdef __SIZEOF_INT128__

#include <stdbool.h>

/* Of type br_rsa_private, and verified: 0, and zeros at x, when x is not below the modulus, when the key is not
 * of such a size, or when the result is not right (crypto/rsa.h). */
uint32_t rsa_m64_private(unsigned char *x, const br_rsa_private_key *sk);
/* Of types br_rsa_pkcs1_sign and rsa_pss_sign. */
uint32_t rsa_m64_pkcs1_sign(const unsigned char *hash_oid, const unsigned char *hash, size_t hash_len,
                            const br_rsa_private_key *sk, unsigned char *x);
uint32_t rsa_m64_pss_sign(const br_hash_class *hash_class, const unsigned char *hash,
                          const unsigned char *salt, const br_rsa_private_key *sk, unsigned char *x);

/* For tests: each way of computing, and the private operation by it, verified or not. */
enum rsa_m64_path {
    RSA_M64_PORTABLE,
    RSA_M64_ADX,  /* MULX, ADCX, ADOX */
    RSA_M64_IFMA, /* AVX-512 IFMA; as ADX for primes of other sizes */
};

bool rsa_m64_has(enum rsa_m64_path path);
uint32_t rsa_m64_private_by(enum rsa_m64_path path, bool verified, unsigned char *x,
                            const br_rsa_private_key *sk);

#endif
#endif
