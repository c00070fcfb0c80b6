/* SPDX-License-Identifier: MIT
 *
 * One client connection: a conn and its HTTP session, and the timeouts of what it waits for. Private to relay/.
 */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include "conn/conn.h"
#include "http/h1.h"
#include "relay/state.h"

struct exchange;

struct client {
    struct relay *relay;
    struct client *prev, *next; /* of the relay's list */
    struct conn *conn;          /* NULL once it has closed */
    struct h1_server *h1;
    struct conf *conf;            /* a reference: the one its requests began with */
    const struct conf_site *site; /* of that conf: whose timeouts and rate hold; NULL: the conf's own */
    struct http_limits limits;    /* of that conf */
    struct sockaddr_in6 peer;     /* or a sockaddr_in: see client_peer */
    bool tls;                     /* came by a TLS listener */
    bool handshaking;             /* ...and is not open yet */
    bool counted;                 /* in the relay's table of addresses */
    bool waiting;                 /* for the client, at the last look at its rate */
    struct timer timer;
    struct task destroy;
    uint64_t since;      /* when it last became idle, or was accepted */
    uint64_t head_since; /* when the head under way began; 0: none is */
    /* The rate of the exchange under way. Bytes moved at min-rate earn as many milliseconds as waiting for the client
     * spends; what a fast stretch earns is bounded by the time a stall may take. */
    uint64_t looked_at, looked_bytes, moved_at;
    int64_t allowance_ms;
    unsigned requests;
    char peer_ip[48];
};

/* Its address. Clients come over TCP, and an idle one has no room for a Unix socket's path. */
struct addr client_peer(const struct client *c);
/* With its port, for people. */
struct client_name {
    char text[56];
};
struct client_name client_name(const struct client *c);

/* Takes over fd. False when out of memory (fd is closed). */
bool client_accept(struct relay *r, int fd, const struct addr *peer, bool tls, bool counted);
/* Ends it after the request under way, or at once when idle. */
void client_drain(struct client *c);
/* Sends what is queued and closes: the end of a tunnel. */
void client_close(struct client *c);
/* The exchange tells: a request began, which of c->conf's sites it is for (NULL: none), its response is complete. */
void client_began(struct client *c);
void client_asks(struct client *c, const struct conf_site *site);
void client_finished(struct client *c);

#endif
