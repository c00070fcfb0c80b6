/* SPDX-License-Identifier: MIT
 *
 * One request and its response: two streams, the client's and the upstream's, and the state between them. It sees
 * streams, never a connection or HTTP/1.1's framing. Private to relay/.
 */
#ifndef RELAY_EXCHANGE_H
#define RELAY_EXCHANGE_H

#include "http/stream.h"
#include "relay/client.h"

/* Begins the exchange of a request whose head is complete; owns head. */
void exchange_start(struct client *c, struct http_stream *stream, struct http_head *head);
/* Answers a request that could not be understood; owns head (may be NULL). */
void exchange_refuse(struct client *c, struct http_stream *stream, struct http_head *head, unsigned status,
                     const char *why);

#endif
