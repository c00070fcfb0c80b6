/* SPDX-License-Identifier: MIT
 *
 * One HTTPS request at a time, over the loop and without ever waiting in it: the name is resolved, each of its addresses
 * tried, the server verified by the URL's host, the answer collected up to a bound. What fails is told in words for
 * whoever runs the proxy.
 */
#ifndef ACME_HTTPS_H
#define ACME_HTTPS_H

#include "http/head.h"
#include "net/dns.h"
#include "net/loop.h"
#include "tls/client.h"

#define HTTPS_ANSWER_MAX (1024u * 1024u) /* bytes of an answer's body */

struct https;
struct https_link;

/* What requests share; zeroed but for the first four. It keeps one connection for the next request to the same server (and
 * address, where one was given) for ten seconds: an ACME client makes a dozen in a row. */
struct https_context {
    struct loop *loop;
    struct dns *dns;
    struct tls_trust trust;
    const char *user_agent;
    struct https_link *idle;
};
/* Closes that connection. No request is under way. Safe on a zeroed context. */
void https_context_release(struct https_context *c);

struct https_request {
    const char *method, *url;
    const char *content_type;   /* of the body; NULL: none */
    struct bytes body;          /* empty: none */
    bool plain;                 /* http:// is good too */
    const struct addr *address; /* NULL: what the name resolves to; else this one, with the URL's port */
};

enum https_failure {
    HTTPS_OK,
    HTTPS_URL,       /* cannot be asked */
    HTTPS_NOT_FOUND, /* the name does not exist */
    HTTPS_DNS,       /* it could not be found out */
    HTTPS_CONNECT,
    HTTPS_TLS,
    HTTPS_PROTOCOL, /* no HTTP, too long, or cut short */
    HTTPS_TIMEOUT,
    HTTPS_MEMORY,
};

/* All of it is gone when the callback returns. */
struct https_result {
    unsigned status; /* 0: no answer */
    const struct http_head *head;
    struct bytes body;
    const char *
        why; /* NULL: there is an answer, whatever its status. Else "acme.example: connection refused (192.0.2.1:443)" */
    enum https_failure kind;
};
typedef void https_done(void *owner, const struct https_result *result);

/* All of rq is copied. `done` comes once, later, never from within; it may send the next one. NULL when out of memory: no
 * `done` then. Ten seconds for each connection, thirty without a byte, sixty in all. HEAD has no body; redirects are
 * not followed. A request that a kept connection took without a byte of an answer is sent once more on a new one. */
struct https *https_send(struct https_context *c, const struct https_request *rq, https_done *done,
                         void *owner);
void https_cancel(struct https *h); /* `done` is not called any more; NULL is fine */

/* The value of a field, by its name in any case; empty when there is none. */
struct bytes https_field(const struct https_result *result, const char *name);

#endif
