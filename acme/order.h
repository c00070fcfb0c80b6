/* SPDX-License-Identifier: MIT
 *
 * One order for one certificate (RFC 8555 §7.4 to §7.5, §8.3): from newOrder to the chain on the disk. The key is the
 * site's, made and kept before the authority hears of it; the chain is looked at before it takes the place of the one
 * before (certs/stored.h says where).
 */
#ifndef ACME_ORDER_H
#define ACME_ORDER_H

#include "acme/challenges.h"
#include "acme/session.h"
#include "net/loop.h"

struct acme_order;

/* How it ended. All of it is gone when the callback returns. */
struct acme_outcome {
    const char
        *why; /* NULL: the certificate is on the disk. Else in plain words, the authority's detail in full */
    const char *problem; /* the authority's type of problem ("rateLimited"), or "" */
    const char *name;    /* the name it was about; NULL: none in particular */
    const char *address; /* that the authority tried for that name; NULL when it did not say */
    unsigned asked;      /* how often its challenge was asked for here */
    int64_t retry_after; /* not before; 0: not said */
};
typedef void acme_order_done(void *owner, const struct acme_outcome *outcome);

struct acme_order_request {
    const char *const *names; /* at least one; borrowed until the order ends */
    unsigned n;
    const char *state;   /* the folder; copied, as what follows */
    const char *profile; /* NULL: none */
    bool is_trial;       /* then without the profile, where that is not listed */
    const char *
        preferred_chain; /* the name that the topmost certificate's issuer has; NULL: the authority's choice */
    const char *replaces; /* the certificate id (RFC 9773 §5) of the one that this renews; NULL: none */
};

/* Begins; `done` comes later, once, and the order frees itself after it. The session and the challenges are its alone
 * until then. NULL when out of memory. */
struct acme_order *acme_order_new(struct loop *loop, struct acme_session *session,
                                  struct challenges *challenges, const struct acme_order_request *rq,
                                  acme_order_done *done, void *owner);
/* Ends it without `done`. NULL is fine. */
void acme_order_cancel(struct acme_order *o);

#endif
