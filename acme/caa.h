/* SPDX-License-Identifier: MIT
 *
 * What CAA records (RFC 8659, RFC 8657) say of an authority that validates by HTTP-01, as it would read them itself.
 */
#ifndef ACME_CAA_H
#define ACME_CAA_H

#include "net/dns.h"

#define CAA_IDENTITIES 8u
#define CAA_LINE       1200u /* bytes that a line may need at most */

enum caa_verdict {
    CAA_OPEN,     /* none of them says who may issue: any authority may */
    CAA_ALLOWED,  /* it is one of those that may */
    CAA_UNKNOWN,  /* some may, and what it is called there is not known */
    CAA_OTHERS,   /* others may */
    CAA_NOBODY,   /* none may */
    CAA_METHOD,   /* it may, but not by http-01 (RFC 8657 §4) */
    CAA_CRITICAL, /* there is a property that it must know and does not (RFC 8659 §4.1) */
};

/* Borrows from the records. */
struct caa_finding {
    enum caa_verdict verdict;
    struct bytes issuer; /* with CAA_ALLOWED, CAA_METHOD: what it is called there */
    struct bytes
        detail; /* with CAA_ALLOWED, the account alone for which it is (RFC 8657 §3), or nothing; with CAA_METHOD
                          * the methods; with CAA_CRITICAL the property */
};
/* Of an authority that is called so (identities[n]) in such records; n is 0 where that is not known. A record that is not
 * as its section has it allows nobody (§4.2). */
struct caa_finding caa_decide(const struct dns_caa_record *records, unsigned n, const char *const *identities,
                              unsigned identity_count);
/* The same in one line for people, and what to do; true if it is good. `at` is where the records are. Bytes that no line
 * should have become question marks. */
bool caa_describe(struct writer *w, const char *at, const struct dns_caa_record *records, unsigned n,
                  const char *const *identities, unsigned identity_count);

/* Can an authority be called so (RFC 8659 §4.2, issuer-domain-name)? */
bool caa_is_issuer(struct bytes text);
/* What the authority with that name in the configuration is called; NULL: not known. */
const char *caa_identity_of(const char *ca);

#endif
