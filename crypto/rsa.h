/* SPDX-License-Identifier: MIT
 *
 * RSA signatures (RFC 8017): RSASSA-PKCS1-v1_5 for TLS 1.2, RSASSA-PSS for TLS 1.3. Lengths and answers are
 * BearSSL's (bearssl_rsa.h): a signature is as long as the modulus, and 1 says that it was made, 0 that it was
 * not.
 *
 * No signature leaves that was not verified: of a wrong one, made by a memory error or by a damaged key, anyone
 * who sees it computes the private key (Boneh, DeMillo and Lipton, "On the Importance of Checking Cryptographic
 * Protocols for Faults"). A br_rsa_private_key does not hold the public exponent, and it is cheaper to try than
 * to compute it from the others: 65537 first, which is everyone's, then the other Fermat primes 3, 5, 17, 257.
 * A key with none of these makes no signatures; who loads keys finds out by a trial signature, which finds
 * damaged keys as well.
 */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include <bearssl.h>

/* The longest modulus, in bytes. */
enum { RSA_MAX = 512 };

/* RSASSA-PSS (RFC 8017 §8.1.1) as TLS 1.3 has it (RFC 8446 §4.2.3): MGF1 by the same hash function, and a salt
 * as long as a hash. `hash` is what the message hashes to; `salt` is fresh random bytes from the caller, and no
 * secret. */
typedef uint32_t (*rsa_pss_sign)(const br_hash_class *hash_class, const unsigned char *hash,
                                 const unsigned char *salt, const br_rsa_private_key *sk, unsigned char *x);

/* Public exponents are 2^k + 1 for one of these k, the likeliest first. */
enum { RSA_FERMATS = 5 };
extern const unsigned char rsa_fermats[RSA_FERMATS];

/* The encoded message of `n_bitlen` bits, as long as the modulus (RFC 8017 §9.2, §9.1.1). 0 when the modulus is
 * too short for it. `hash_oid` is as in br_rsa_pkcs1_sign. */
uint32_t rsa_pkcs1_encode(const unsigned char *hash_oid, const unsigned char *hash, size_t hash_len,
                          uint32_t n_bitlen, unsigned char *x);
uint32_t rsa_pss_encode(const br_hash_class *hash_class, const unsigned char *hash, const unsigned char *salt,
                        uint32_t n_bitlen, unsigned char *x);

/* Of types br_rsa_private, br_rsa_pkcs1_sign and rsa_pss_sign, on BearSSL's 31-bit arithmetic: what machines
 * have that crypto/rsa_m64.h is not for. */
uint32_t rsa_i31_private(unsigned char *x, const br_rsa_private_key *sk);
uint32_t rsa_i31_pkcs1_sign(const unsigned char *hash_oid, const unsigned char *hash, size_t hash_len,
                            const br_rsa_private_key *sk, unsigned char *x);
uint32_t rsa_i31_pss_sign(const br_hash_class *hash_class, const unsigned char *hash,
                          const unsigned char *salt, const br_rsa_private_key *sk, unsigned char *x);

#endif
