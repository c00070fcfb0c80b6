/* SPDX-License-Identifier: MIT
 *
 * DHCP's messages (RFC 2131, RFC 2132), as a client reads and writes them: bytes in, bytes out. Who sends them, and when, is
 * admin/network.c. Addresses are numbers: 0x7f000001 is 127.0.0.1, and 0 is none.
 */
#ifndef NET_DHCP_H
#define NET_DHCP_H

#include "base/bytes.h"

enum { DHCP_DNS = 3, DHCP_MESSAGE = 548 }; /* bytes: what every client must take is 576 with the headers */
#define DHCP_FOREVER UINT32_MAX

struct dhcp_lease {
    uint32_t address, router, server;
    uint8_t prefix; /* 1 to 32 */
    uint32_t dns[DHCP_DNS];
    unsigned dns_count;
    uint32_t seconds, renew,
        rebind; /* how long it holds, and when to ask again: renew <= rebind <= seconds */
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
};

struct dhcp_client {
    uint8_t mac[6];
    uint32_t xid;
};

/* Writes a DISCOVER, or a REQUEST: of what was offered (`lease`, RFC 2131 §4.3.2, SELECTING), or with `holds`, of more time
 * for what we have (RENEWING and REBINDING). */
void dhcp_put(struct writer *w, const struct dhcp_client *c, enum dhcp_type type,
              const struct dhcp_lease *lease, bool holds);

/* Reads an answer. False when it is none to us, or malformed, or an address, a mask, the server or (in an ACK) the time is
 * missing or senseless; of a NAK, only `server` is set. Options in the fields of other names (option 52) are not read. */
bool dhcp_parse(struct bytes message, const struct dhcp_client *c, enum dhcp_type *type,
                struct dhcp_lease *out);

/* "192.0.2.10/24,192.0.2.1,192.0.2.53": address, router and up to three name servers, of which both may be left out; it
 * holds forever. */
bool dhcp_lease_from_text(struct bytes text, struct dhcp_lease *out);

#endif
