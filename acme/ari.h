/* SPDX-License-Identifier: MIT
 *
 * Renewal information (RFC 9773): when the authority would like a certificate to be renewed.
 */
#ifndef ACME_ARI_H
#define ACME_ARI_H

#include "acme/json.h"

/* What the authority knows a certificate by (§4.1): its authority key identifier and its serial number. False when it
 * has no identifier, or there is no room. */
bool ari_certificate_id(struct writer *w, struct bytes certificate);

struct ari_window {
    int64_t start, end; /* seconds since 1970; start < end */
};
/* From an answer (§4.2). False when there is no window in it that can be one: one that ends when it starts is none. */
bool ari_parse(const struct json *j, struct ari_window *out);
/* The URL of a page that says why the window is what it is (§4.2), for people: visible ASCII characters, fit for a log;
 * allocated. NULL when the answer names none that can be one, or out of memory. */
char *ari_explanation(const struct json *j);
/* When to ask again (§4.3.2): as the answer's Retry-After says, but within a minute and a day of `now`; 0: it does not, then
 * in six hours. */
int64_t ari_ask_at(int64_t retry_after, int64_t now);
/* A moment in the window, all equally likely for equally likely `random`. */
int64_t ari_moment(const struct ari_window *window, uint64_t random);

#endif
