/* SPDX-License-Identifier: MIT
 *
 * The one interface of a machine whose first process we are (admin/init.h): its address, route and name servers, given by
 * whoever started the machine or by DHCP. It waits for the server, for a few seconds at most, and must not be called where
 * others wait for the loop. What fails is said in the log.
 */
#ifndef ADMIN_NETWORK_H
#define ADMIN_NETWORK_H

#include "net/dhcp.h"

#include <net/if.h>

struct network {
    char name[IFNAMSIZ];
    struct dhcp_client client;
    struct dhcp_lease lease; /* address 0: none */
    uint64_t since;          /* when it was asked for; ms, as the next */
    uint64_t due;            /* when to ask again; UINT64_MAX: never */
};

/* `ip`: as dhcp_lease_from_text takes it; "dhcp", or NULL, which is the same; "off". An interface that has an address already
 * keeps it. */
void network_start(struct network *n, const char *ip);
/* Asks for a lease, or for more time, if it is time to. Returns how many ms to wait until the next call, a day at most. */
uint64_t network_turn(struct network *n);

#endif
