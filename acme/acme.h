/* SPDX-License-Identifier: MIT
 *
 * Certificates from an authority, for the sites of a configuration that want them (CONF_TLS_ACME): obtained, kept in the
 * state, renewed in time, by a client of ACME (RFC 8555) in the program's own loop.
 *
 *     challenges  what HTTP-01 is answered with
 *     https       one HTTPS request
 *     session     directory, nonces, account, signed requests
 *     order       one order, from newOrder to the chain on the disk
 *     job         one site's certificate: when it is due, how the tries went; schedule is what is kept of it
 *     lock        one process for a folder
 *     revocation  what revokes a certificate
 *     uacme       the program of that name, in place of session and order
 *     json, jws, csr, ari, when, url, problem: what they are made of
 */
#ifndef ACME_ACME_H
#define ACME_ACME_H

#include "acme/challenges.h"
#include "certs/certs.h"
#include "conf/conf.h"
#include "net/loop.h"

struct acme;

struct uacme;

struct acme_hooks {
    void *ctx;
    struct uacme *uacme; /* NULL: there is no such helper, the client is the built-in one */
    /* The certificate of site number i may be another one: serve what is in the state (certs_adopt). True if it was. */
    bool (*adopt)(void *ctx, unsigned site);
    /* The identity that site number i has now. */
    const struct tls_identity *(*identity)(void *ctx, unsigned site);
    bool
        by_hand; /* nothing is done but what acme_issue, acme_renew and acme_revoke ask for, each tried once */
    /* What was asked for by hand for site number i is done, or has failed; the log says how. May be NULL. */
    void (*ended)(void *ctx, unsigned site, bool good);
};

/* Costs nothing to speak of until a site wants a certificate. hooks is copied. NULL when out of memory. */
struct acme *acme_new(struct loop *loop, const struct acme_hooks *hooks);
void acme_free(struct acme *a); /* an order under way is given up; NULL is fine */

/* Before the configuration is applied: can the authority be asked as it says (ca-roots)? False with the reason in e. */
bool acme_check(const struct conf *conf, struct conf_errors *e);
/* The sites are those of conf from now on (the hooks speak of its numbers). An order for a site that is still there with
 * the same names goes on. False when out of memory; then no site is looked after. */
bool acme_apply(struct acme *a, struct conf *conf);

/* By hand, for the site with this name: done as soon as nothing else is under way. NULL, or why not (static). */
/* A certificate, if one is due, whatever pause there is after failures; an empty name: for all sites. */
const char *acme_issue(struct acme *a, struct bytes name);
/* Another certificate, due or not. */
const char *acme_renew(struct acme *a, struct bytes name);
/* The one that is served is revoked, for a reason (acme/revocation.h), and put away with its key; another is ordered. */
const char *acme_revoke(struct acme *a, struct bytes name, int reason);
/* Nothing that was asked for by hand is left to do, and nothing is under way. */
bool acme_is_idle(const struct acme *a);
/* Of each such site, as JSON: [{"name":"a.example","state":"valid",...}]. */
void acme_put_status(const struct acme *a, struct writer *w);

/* The challenges that acme_challenge answers from: for a check, that has one of its own. NULL when out of memory. */
struct challenges *acme_challenges(struct acme *a, const char *state);
/* The key authorization that a challenge's token is answered with (RFC 8555 §8.3); empty: not one of ours. */
struct bytes acme_challenge(struct acme *a, struct bytes token, char out[CHALLENGE_TEXT_MAX]);

#endif
