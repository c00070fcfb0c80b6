/* SPDX-License-Identifier: MIT
 *
 * Requests for certificates (PKCS #10, RFC 2986).
 */
#ifndef ACME_CSR_H
#define ACME_CSR_H

#include "base/bytes.h"
#include "tls/identity.h"

/* For these DNS names and IP addresses (RFC 8738), as subject alternative names; the subject is empty: which of the names
 * becomes a common name, if any, is the authority's to say (RFC 8555 §7.4). Signed with the key. False when the key cannot sign,
 * or there is no room: 2 KiB, and 16 bytes more than the text for each name. */
bool csr_write(struct writer *w, const struct tls_identity *key, const char *const *names, unsigned n);

#endif
