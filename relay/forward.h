/* SPDX-License-Identifier: MIT
 *
 * Header policy (RFC 9110 §7.6): what is taken off and what is put on a message that is passed on. Pure.
 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include "conf/conf.h"
#include "http/head.h"

struct forward {
    const char *peer_ip; /* the client's address */
    bool trusted;        /* the peer is a trusted proxy: what it says of its client is kept */
    bool tls;
    const struct conf_path *path;
};

/* Turns a client's request into the one for the upstream: hop-by-hop fields and those that Connection names go, the
 * forwarding fields are set, `request-header` operations are applied. False when out of memory. */
bool forward_request(struct http_head *h, const struct forward *f);
/* Turns the upstream's response into the client's: hop-by-hop fields go, Date is added if missing (RFC 9110 §6.6.1),
 * `header` operations are applied. */
bool forward_response(struct http_head *h, const struct conf_path *path);
/* Does Connection name fields of its own? Then trailers stop here, as there may be one among them (RFC 9110 §7.6.1; any
 * intermediary may drop them, §6.5.1). */
bool forward_names_fields(const struct http_head *h);
/* The trailers to send on behind a head with these operations: none when one of them has a name that is set, added or
 * removed there, since who merges them into the head would see it all the same. */
const struct http_head *forward_trailers(const struct http_head *trailers, const struct conf_headers *ops);
/* `header` operations for a response made here. */
bool forward_apply(struct http_head *h, const struct conf_headers *ops);

#endif
