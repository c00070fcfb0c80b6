/* SPDX-License-Identifier: MIT
 *
 * Addresses and networks as text. What was taken is written and read back to the same, and an address is in the
 * network that it is alone in.
 */
#include "net/addr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    char out[ADDR_TEXT];
    struct addr a, b;
    struct cidr net;
    uint8_t key[16];

    if (addr_from_ip(&a, text, 443)) {
        addr_format(&a, out);
        if (strlen(out) < 4 || strcmp(out + strlen(out) - 4, ":443") != 0)
            abort();
        addr_format_ip(&a, out);
        if (!addr_from_ip(&b, bytes_str(out), 443) || !addr_equal(&a, &b))
            abort();
        if (!cidr_parse(&net, bytes_str(out)) || net.bits != 128 || !cidr_contains(&net, &a))
            abort();
        addr_client_key(&a, key);
        (void)addr_is_loopback(&a);
    }
    if (addr_from_unix(&a, text)) {
        addr_format(&a, out);
        if (strncmp(out, "unix:", 5) != 0 || strlen(out) != 5 + size || memcmp(out + 5, data, size) != 0)
            abort();
    }
    if (cidr_parse(&net, text)) {
        struct cidr again;

        if (net.bits > 128)
            abort();
        if (addr_from_ip(&a, text, 0) && !cidr_contains(&net, &a))
            abort();
        again = net;
        for (unsigned bit = net.bits; bit < 128; bit++)
            again.ip[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
        if (memcmp(&again, &net, sizeof net) != 0)
            abort(); /* a network has no host's bits */
    }
    return 0;
}
