/* SPDX-License-Identifier: MIT
 *
 * Private keys in DER: PKCS#8 (RFC 5958), SEC1 (RFC 5915) and PKCS#1 (RFC 8017 §A.1.2). EC keys on P-256,
 * P-384 and P-521, RSA keys of 2048 to 4096 bits.
 */
#ifndef CERTS_KEY_H
#define CERTS_KEY_H

#include "base/bytes.h"
#include "tls/identity.h"

/* PKCS#8 holds either of the others. */
enum key_format { KEY_PKCS8, KEY_SEC1, KEY_PKCS1 };

/* Fills key_type, key and key_data, which the identity must not have yet. NULL, or what is wrong (static). */
const char *key_parse(struct tls_identity *id, enum key_format format, struct bytes der);
/* Fills them with a fresh key on the curve (BR_EC_secp256r1, BR_EC_secp384r1). False when out of memory. */
bool key_generate(struct tls_identity *id, int curve);
/* An EC key as PKCS#8, with its public half. */
void key_write(struct writer *w, const struct tls_identity *id);

/* The public point of an EC key, uncompressed; {NULL, 0} when the curve is not known. */
#define KEY_POINT_MAX 145
struct bytes key_public_point(const struct tls_identity *id, uint8_t out[KEY_POINT_MAX]);
/* The public half of an RSA key: its modulus, without leading zeros; {NULL, 0} when the parts do not fit each other. And
 * its exponent, if it is one that people use; else 0. Takes as long as a signature. */
#define KEY_RSA_MAX 512
struct bytes key_rsa_modulus(const br_rsa_private_key *key, uint8_t out[KEY_RSA_MAX]);
uint32_t key_rsa_exponent(const br_rsa_private_key *key);

/* The OID of one of BearSSL's curves; empty when it is none of the three. */
struct bytes key_oid_of_curve(int curve);
/* BearSSL's number of a named curve's OID, 0 when it is none of the three. */
int key_curve_of_oid(struct bytes oid);

/* Object identifiers, content alone. */
extern const struct bytes key_oid_ec, key_oid_rsa, key_oid_p256;

#endif
