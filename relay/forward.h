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
/* `header` operations for a response made here. */
bool forward_apply(struct http_head *h, const struct conf_headers *ops);

#endif
