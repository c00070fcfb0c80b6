/* SPDX-License-Identifier: MIT
 *
 * Socket addresses: IPv4, IPv6 and, where there are such, Unix sockets.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/bytes.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

/* "127.0.0.1", "::1", "[::1]" and a port of its own. False when it is no IP address. A v4-mapped v6 address
 * becomes IPv4. */
bool addr_from_ip(struct addr *a, struct bytes ip, uint16_t port);
/* "/run/app.sock"; false when too long. */
bool addr_from_unix(struct addr *a, struct bytes path);
/* Takes what the kernel returned: v4-mapped becomes IPv4. */
void addr_normalise(struct addr *a);

uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
bool addr_equal(const struct addr *a, const struct addr *b); /* port included */
bool addr_is_loopback(const struct addr *a);                 /* 127/8, ::1, a Unix socket */
bool addr_is_any(const struct addr *a);                      /* 0.0.0.0, :: */
/* Does a listener on one stand in the way of one on the other? */
bool addr_overlaps(const struct addr *a, const struct addr *b);

#define ADDR_TEXT 128
/* "192.0.2.1:443", "[2001:db8::1]:443", "unix:/run/app.sock"; NUL-terminated, returns out. */
const char *addr_format(const struct addr *a, char out[ADDR_TEXT]);
const char *addr_format_ip(const struct addr *a, char out[ADDR_TEXT]); /* no brackets, no port */
/* 16 bytes that stand for the client: the address, IPv6 cut to its /64. */
void addr_client_key(const struct addr *a, uint8_t key[16]);

/* A network: 192.0.2.0/24, 2001:db8::/32, or one address. */
struct cidr {
    uint8_t ip[16]; /* IPv4 as v4-mapped */
    uint8_t bits;   /* of 128 */
};
bool cidr_parse(struct cidr *c, struct bytes text);
bool cidr_contains(const struct cidr *c, const struct addr *a);

struct networks {
    struct cidr *of;
    unsigned count;
};
bool networks_contain(const struct networks *n, const struct addr *a); /* one of them does */

#endif
