/* SPDX-License-Identifier: MIT
 *
 * What an authority is sent to revoke a certificate (RFC 8555 §7.6).
 */
#ifndef ACME_REVOCATION_H
#define ACME_REVOCATION_H

#include "base/bytes.h"

#define REVOCATION_NO_REASON (-1)
#define REVOCATION_UNKNOWN   (-2)
#define REVOCATION_REASONS \
    "one of unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation"

/* The number of a reason by its name in RFC 5280 §5.3.1 ("keyCompromise"), in any case; REVOCATION_NO_REASON for an empty
 * word; REVOCATION_UNKNOWN for others, those among them that are not for the holder of a certificate to give. */
int revocation_reason(struct bytes word);

/* The payload; false when out of room. */
bool revocation_put(struct writer *w, struct bytes der, int reason);

#endif
