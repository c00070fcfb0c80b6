/* SPDX-License-Identifier: MIT
 *
 * Chains and keys from PEM: certificates in order, private keys as PKCS#8, SEC1 or PKCS#1 (RFC 7468).
 */
#ifndef CERTS_PEM_H
#define CERTS_PEM_H

#include "base/bytes.h"
#include "tls/identity.h"

#define PEM_MAX_FILE  (256u * 1024) /* bytes of a file worth reading */
#define PEM_MAX_CHAIN 16u           /* certificates */

/* Fills chain and chain_len, validity, fingerprint, issuer_key_type and self_signed from all CERTIFICATE
 * blocks; blocks of other kinds and text between blocks are passed over. NULL, or what is wrong (static);
 * then chain_len says how many certificates before the faulty one were good. */
const char *pem_load_chain(struct tls_identity *id, struct bytes pem);
/* Fills key_type, key and key_data from the first private key block. Encrypted keys, and types and curves
 * that are not supported, are named as such. NULL, or what is wrong (static). */
const char *pem_load_key(struct tls_identity *id, struct bytes pem);
/* Each CERTIFICATE block's DER to `take`, and how many there were. NULL, or what is wrong (static). */
const char *pem_each_certificate(struct bytes pem, void (*take)(struct writer *w, struct bytes der),
                                 struct writer *w, size_t *blocks);
/* A DER blob as a PEM block, lines of 64 characters. */
void pem_write(struct writer *w, const char *label, struct bytes der);

#endif
