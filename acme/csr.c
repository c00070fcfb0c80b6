/* SPDX-License-Identifier: MIT
 *
 * A CertificationRequest: version, subject, key, and one attribute, the extensions asked for (RFC 2985 §5.4.2).
 */
#include "acme/csr.h"

#include "certs/der.h"
#include "certs/x509_write.h"

static void put_info(struct writer *w, const struct tls_identity *key, const char *const *names, unsigned n)
{
    static const uint8_t version_1 = 0;
    static const uint8_t extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
    size_t info = der_open(w, DER_SEQUENCE);

    der_put_unsigned(w, bytes_of(&version_1, 1));
    der_put(w, DER_SEQUENCE, (struct bytes){NULL, 0}); /* the subject */
    x509_put_public_key(w, key);
    size_t attributes = der_open(w, DER_CONTEXT_CONSTRUCTED + 0), attribute = der_open(w, DER_SEQUENCE);
    der_put(w, DER_OID, bytes_of(extension_request, sizeof extension_request));
    size_t set = der_open(w, DER_SET), extensions = der_open(w, DER_SEQUENCE);
    x509_put_alternative_names(w, names, n);
    der_close(w, extensions);
    der_close(w, set);
    der_close(w, attribute);
    der_close(w, attributes);
    der_close(w, info);
}

bool csr_write(struct writer *w, const struct tls_identity *key, const char *const *names, unsigned n)
{
    size_t request = der_open(w, DER_SEQUENCE), start = writer_len(w);

    put_info(w, key, names, n);
    x509_put_signature(w, key, start);
    der_close(w, request);
    return !w->failed;
}
