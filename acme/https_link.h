/* SPDX-License-Identifier: MIT
 *
 * A connection to a server with an HTTP/1.1 session on it. Private to https.c.
 */
#ifndef ACME_HTTPS_LINK_H
#define ACME_HTTPS_LINK_H

#include "acme/https.h"
#include "acme/url.h"
#include "http/stream.h"

struct https_link;

/* Calls to who uses it, never from within a call of his. */
struct https_link_events {
    void (*opened)(void *user);
    /* It is over, and gone when this returns. A stream under way has had its `aborted` before. */
    void (*closed)(void *user, enum https_failure kind, const char *why);
};

/* Begins to connect; is_given: to an address that is not the name's own. NULL with errno. */
struct https_link *https_link_new(struct https_context *c, const struct url *url, const struct addr *to,
                                  bool is_given, const struct https_link_events *events, void *user);
/* The kept one, if it leads there (`given`, or what the name resolves to) and is still good; NULL else. It is open. */
struct https_link *https_link_take(struct https_context *c, const struct url *url, const struct addr *given,
                                   const struct https_link_events *events, void *user);
/* The user is done with it: it is kept for the next, or closed. */
void https_link_give_back(struct https_link *l);
void https_link_reset(struct https_link *l); /* ends it at once, without events */

struct http_stream *https_link_request(struct https_link *l); /* NULL: it cannot carry one */
bool https_link_was_used(const struct https_link *l);         /* by an earlier request */
bool https_link_got_response(const struct https_link *l);     /* to the one under way: a byte at least */
uint64_t https_link_bytes_in(const struct https_link *l);
const char *https_link_address(const struct https_link *l); /* "192.0.2.1:443" */

#endif
