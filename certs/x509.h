/* SPDX-License-Identifier: MIT
 *
 * The parts of a certificate (RFC 5280) that a server needs to know of its own: validity, subject, issuer,
 * public key, alternative names. Chains are not validated here: that is BearSSL's, on the client side.
 */
#ifndef CERTS_X509_H
#define CERTS_X509_H

#include "base/bytes.h"
#include "tls/identity.h"

/* Borrows from the DER. */
struct x509 {
    struct bytes tbs, serial, issuer, subject, spki, spki_algorithm_oid,
        spki_key;                /* DER; issuer, subject: Names */
    struct bytes spki_curve_oid; /* of an EC key with a named curve; empty else */
    struct bytes signature_oid;
    struct bytes san;              /* SubjectAltName's GeneralNames content; empty if none */
    struct bytes common_name;      /* of the subject; empty if none */
    struct bytes authority_key_id; /* keyIdentifier, for ARI later */
    int64_t not_before, not_after;
    unsigned version; /* 1 to 3 */
    bool is_ca;       /* it says so, which version 3 alone can */
};
/* False when it is not one whole certificate in DER of version 1 to 3. */
bool x509_parse(struct x509 *x, struct bytes der);
enum { X509_NAME_DNS = 2, X509_NAME_IP = 7 }; /* GeneralName's choices that name a server */
/* Walks SANs: takes the next name off `san`; false at the end. `kind` is GeneralName's number: 2 dNSName,
 * 7 iPAddress (RFC 5280 §4.2.1.6). */
bool x509_next_name(struct bytes *san, unsigned *kind, struct bytes *value);
/* Does the leaf cover the host (lower case name, or IP text)? Wildcards match one whole left-most label. */
bool x509_covers(const struct x509 *x, const char *host);
/* Is it the public half of the identity's private key, and does that key work? */
bool x509_matches_key(const struct x509 *x, const struct tls_identity *id);
/* What a name is in text: the common name of a Name in DER, or else its organisation, or "". Borrows. */
struct bytes x509_name_text(struct bytes name);

/* Appends a certificate to the identity's chain, as a copy. The first, the leaf, fills validity,
 * fingerprint, issuer_key_type (0 when its issuer's key is neither RSA nor EC) and self_signed (which a
 * leaf that signs itself is). NULL, or what is wrong (static). */
const char *x509_append(struct tls_identity *id, struct bytes der);

/* A self-signed P-256 certificate for these names and IP addresses, v3, SAN, valid from one day before
 * `now` to 90 days after it (the caller sees to a `now` that is not below the clock's floor). With a fresh
 * key, or, for an id that has a P-256 key and no chain, with that. Fills id whole; key_pem and cert_pem
 * receive the PEM (writers). False when out of memory or room. */
bool x509_self_sign(struct tls_identity *id, const char *const *names, unsigned n, int64_t now,
                    struct writer *key_pem, struct writer *cert_pem);

#endif
