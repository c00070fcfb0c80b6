/* SPDX-License-Identifier: MIT
 *
 * One request and its response: two streams, the client's and the upstream's, and the state between them. It sees
 * streams, never a connection or HTTP/1.1's framing. What answers a request is decided in dispatch.c. Private to
 * relay/.
 */
#ifndef RELAY_EXCHANGE_H
#define RELAY_EXCHANGE_H

#include "http/stream.h"
#include "relay/access_log.h"
#include "relay/client.h"
#include "relay/reply.h"
#include "relay/upstream.h"

enum exchange_state {
    EXCHANGE_CONNECT,  /* waits for an upstream connection */
    EXCHANGE_RESPONSE, /* waits for the upstream's response head */
    EXCHANGE_BODY,     /* waits for the rest of the response */
    EXCHANGE_TUNNEL,   /* waits for either side's bytes */
    EXCHANGE_REPLY,    /* waits for room to send our own answer */
    EXCHANGE_REST,     /* the response is complete; waits for the request's rest */
    EXCHANGE_OVER,
};

struct exchange {
    struct relay *relay;
    struct client *client;
    struct conf *conf;            /* a reference: all of it happens under this one */
    const struct conf_site *site; /* NULL: none answers */
    const struct conf_path *path;
    struct http_stream *down, *up; /* NULL when over for us */
    struct http_head *request;
    struct upstream_attempt *attempt;
    struct upstream_conn *uc;
    struct reply reply;
    size_t reply_sent;
    enum exchange_state state;
    bool request_ended;  /* all of the request has come */
    bool request_sent;   /* and has gone to the upstream */
    bool response_begun; /* a final head went to the client */
    bool starved;        /* the client takes no more for now: the upstream is not to blame */
    bool retried;
    bool bare_response; /* its trailers stop here */
    struct timer timer; /* waiting for the upstream */
    struct task destroy;
    struct access_entry log;
    char upstream_text[ADDR_TEXT];
    char why[200];
};

/* Begins the exchange of a request whose head is complete; owns head. */
void exchange_start(struct client *c, struct http_stream *stream, struct http_head *head);
/* Answers a request that could not be understood; owns head (may be NULL). */
void exchange_refuse(struct client *c, struct http_stream *stream, struct http_head *head, unsigned status,
                     const char *why);

/* --- for dispatch.c: exactly one of these answers --- */

/* Sends x->reply. made: the reply_ function's answer; false breaks the connection for want of memory. */
void exchange_reply(struct exchange *x, bool made);
/* An error of ours: a page if nothing was sent yet, else a break. why: for the log. */
void exchange_fail(struct exchange *x, unsigned status, const char *why);
/* Passes the request, as it is by now, to one of x->path's upstreams. fresh: not on a kept connection. */
void exchange_connect(struct exchange *x, bool fresh);
/* Is a request body of so many bytes above the site's max-body? */
bool exchange_body_too_large(const struct exchange *x, uint64_t bytes);

#endif
