/* SPDX-License-Identifier: MIT
 *
 * ECDSA (FIPS 186-5 §6) as BearSSL takes it: keys of P-256 by crypto/p256, those of every other curve by BearSSL's own
 * br_ecdsa_i31_sign_asn1() and br_ecdsa_i31_vrfy_asn1(), with the implementation of the curves that is passed. Of
 * P-256 that implementation is asked for nothing but that it has the curve.
 *
 * As bearssl_ec.h says. A signature is the same, byte for byte, as that of BearSSL's function: its nonce is made of
 * key and hash as RFC 6979 says, with the hash function that is passed. The time that signing takes depends
 * on the lengths of key and hash, on whether the key is one, on how many nonces come out at or above the order (one in
 * 2^32, and they are thrown away), and on the signature that it gives. The time that verifying takes depends on the
 * signature, the key and the hash: they are public.
 *
 * Where BearSSL is not exact: a signature must be DER, r must not be 0, and the hash may be 0 modulo the order.
 */
#ifndef CRYPTO_ECDSA_P256_H
#define CRYPTO_ECDSA_P256_H

#include <bearssl.h>

#ifdef __SIZEOF_INT128__

/* Returns the length of the signature, of P-256 at most 72 bytes, or 0 if the key is not between 1 and the order. */
size_t ecdsa_p256_sign_asn1(const br_ec_impl *impl, const br_hash_class *hf, const void *hash_value,
                            const br_ec_private_key *sk, void *sig);
/* Returns 1 if the signature is good, else 0. */
uint32_t ecdsa_p256_vrfy_asn1(const br_ec_impl *impl, const void *hash, size_t hash_len,
                              const br_ec_public_key *pk, const void *sig, size_t sig_len);

#endif
#endif
