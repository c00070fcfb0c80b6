/* SPDX-License-Identifier: MIT
 *
 * Connections to the services behind: a pool of idle keep-alive ones for each endpoint, and attempts to make new
 * ones: name, address by address, endpoint by endpoint, round robin.
 */
#ifndef RELAY_UPSTREAM_H
#define RELAY_UPSTREAM_H

#include "conf/conf.h"
#include "http/stream.h"

struct relay;
struct upstream_conn; /* one connection, idle in the pool or lent to an exchange */
struct upstream_attempt;

struct upstream_events {
    void (*ready)(void *owner, struct upstream_conn *uc);
    /* No endpoint could be reached: 502, 503 or 504, and why ("app:8080: connection refused"; valid for the call). */
    void (*failed)(void *owner, unsigned status, const char *why);
};

/* An idle connection to one of the endpoints, whose turn it is; NULL if none. `careful`: the request may not be
 * repeated, so look once more that the peer has not closed it. */
struct upstream_conn *upstream_take(struct relay *r, const struct conf_upstream *up, bool careful);
/* Opens a new one; one of the events follows, never inside this call. NULL when out of memory. */
struct upstream_attempt *upstream_open(struct relay *r, const struct conf_upstream *up,
                                       const struct conf_timeouts *timeouts,
                                       const struct upstream_events *events, void *owner);
void upstream_cancel(struct upstream_attempt *a); /* no event any more */

/* A stream for one request; the caller sets its events. NULL when the connection has just died. */
struct http_stream *upstream_request(struct upstream_conn *uc);
bool upstream_was_reused(const struct upstream_conn *uc);
bool upstream_got_response(const struct upstream_conn *uc);
const char *upstream_text(const struct upstream_conn *uc); /* "127.0.0.1:8080", ADDR_TEXT bytes of it */
/* The exchange is done with it: back to the pool if it can carry another request, else closed. A stream still under
 * way must have been aborted. */
void upstream_release(struct upstream_conn *uc, uint64_t idle_ms);
/* Bytes wait for the upstream to take them. */
bool upstream_is_blocked(const struct upstream_conn *uc);

/* Ends all connections, which takes turns of the loop; none is lent any more. */
void upstream_end_all(struct relay *r);
/* Forgets the hosts; attempts and connections must be gone. */
void upstream_free_all(struct relay *r);

#endif
