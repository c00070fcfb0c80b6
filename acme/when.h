/* SPDX-License-Identifier: MIT
 *
 * Times as answers carry them.
 */
#ifndef ACME_WHEN_H
#define ACME_WHEN_H

#include "base/bytes.h"

/* Retry-After (RFC 9110 §10.2.3): seconds from `now`, or an HTTP-date in any of its three forms (§5.6.7), as seconds since
 * 1970. 0 when it is empty or neither. */
int64_t when_retry_after(struct bytes value, int64_t now);
/* An HTTP-date alone; 0 when it is none. */
int64_t when_http_date(struct bytes value, int64_t now);
/* A time as JSON has it (RFC 3339): 2026-11-26T09:30:00Z, with fractions of a second or an offset. 0 when it is none, or
 * not after 1970-01-01T00:00:00Z, or in UTC beyond the year 9999. */
int64_t when_rfc3339(struct bytes value);

#endif
