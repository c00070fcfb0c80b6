/* SPDX-License-Identifier: MIT
 *
 * What the files of relay/ share: the one struct relay, and the lists that hang off it. Private to this folder.
 */
#ifndef RELAY_STATE_H
#define RELAY_STATE_H

#include "net/dns.h"
#include "relay/relay.h"
#include "tls/tls.h"

struct listener;
struct client;
struct upstream_host;
struct upstream_conn;
struct address_counts;

struct relay {
    struct loop *loop;
    struct dns *dns;
    struct conf *conf;
    struct certs *certs;
    struct acme *acme;           /* NULL: no challenges */
    struct inherited *inherited; /* listening sockets to take; NULL: none */
    struct tls_session_cache *sessions;
    struct tls_tickets *tickets;
    struct tls_server tls; /* shared by all TLS connections */
    unsigned open_12;      /* connections of TLS 1.2 */
    struct listener *listeners;
    struct client *clients; /* all, in no order */
    unsigned client_count;
    unsigned max_clients;
    struct address_counts *addresses;
    struct upstream_host *hosts;
    struct upstream_conn *upstream_conns; /* all there are, lent and idle and on their way */
    struct counters counters;
    struct timer shutdown;
    struct timer accept_again; /* after EMFILE */
    struct log_gate refused_gate;
    uint64_t picks; /* counts choices of an upstream, for round robin */
    bool accept_paused;
    bool draining;
};

static inline void relay_count(struct relay *r, enum counter c)
{
    r->counters.value[c]++;
}

#endif
