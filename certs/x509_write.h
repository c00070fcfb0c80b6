/* SPDX-License-Identifier: MIT
 *
 * The parts that certificates (RFC 5280) and requests for them (RFC 2986) are written with: a public key, names, a
 * signature. Keys of P-256, P-384, P-521 and RSA.
 */
#ifndef CERTS_X509_WRITE_H
#define CERTS_X509_WRITE_H

#include "base/bytes.h"
#include "tls/identity.h"

/* SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of the identity's key. */
void x509_put_public_key(struct writer *w, const struct tls_identity *id);

/* An extension (§4.2) id-ce-`number`; its value's content is written between open and close. */
struct x509_extension {
    size_t sequence, value;
};
struct x509_extension x509_open_extension(struct writer *w, uint8_t number, bool critical);
void x509_close_extension(struct writer *w, struct x509_extension e);
/* subjectAltName (§4.2.1.6) with these DNS names and IP addresses. */
void x509_put_alternative_names(struct writer *w, const char *const *names, unsigned n);

/* The AlgorithmIdentifier of the signatures that the identity's key makes here: with SHA-256. */
void x509_put_signature_algorithm(struct writer *w, const struct tls_identity *id);
/* Behind what was written since `start`: that algorithm, and the signature over it. */
void x509_put_signature(struct writer *w, const struct tls_identity *id, size_t start);

#endif
