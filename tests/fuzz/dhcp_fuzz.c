/* SPDX-License-Identifier: MIT
 *
 * A DHCP server's message: what is taken is an address that an interface can have, for a time whose parts are in order.
 */
#include "net/dhcp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dhcp_client client = {
        .mac = {2, 0, 0, 0, 0, 1},
          .xid = 0x01020304
    };
    enum dhcp_type type;
    struct dhcp_lease l;

    if (dhcp_lease_from_text(bytes_of(data, size), &l) &&
        (l.address == 0 || l.prefix == 0 || l.prefix > 32 || l.dns_count > DHCP_DNS))
        abort();
    if (!dhcp_parse(bytes_of(data, size), &client, &type, &l))
        return 0;
    if (l.server == 0 || (type != DHCP_OFFER && type != DHCP_ACK && type != DHCP_NAK))
        abort();
    if (type == DHCP_NAK)
        return 0;
    if (l.address == 0 || l.address >= 0xe0000000u || l.prefix == 0 || l.prefix > 32 ||
        l.dns_count > DHCP_DNS)
        abort();
    if (l.renew > l.rebind || l.rebind > l.seconds || (type == DHCP_ACK && l.seconds == 0))
        abort();
    return 0;
}
