/* SPDX-License-Identifier: MIT
 *
 * The keys of tests/vectors/rsa/, in memory that a test may damage.
 */
#ifndef TESTS_UNIT_CRYPTO_RSA_KEYS_H
#define TESTS_UNIT_CRYPTO_RSA_KEYS_H

#include <bearssl.h>
#include <stddef.h>
#include <stdint.h>

enum { RSA_KEY_P, RSA_KEY_Q, RSA_KEY_DP, RSA_KEY_DQ, RSA_KEY_IQ, RSA_KEY_PARTS };

/* sk and pk point into the rest: not to be moved. */
struct rsa_key {
    br_rsa_private_key sk;
    br_rsa_public_key pk;
    uint8_t n[520], e[8], part[RSA_KEY_PARTS][272];
};

/* "2048" is 2048.der; ends the program when there is none. */
void rsa_key_load(struct rsa_key *k, const char *name);
/* Any hash function of BearSSL's, of a message. */
void rsa_key_hash(const br_hash_class *hash_class, const void *message, size_t len, uint8_t *hash);

#endif
