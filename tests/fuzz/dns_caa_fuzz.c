/* SPDX-License-Identifier: MIT
 *
 * CAA records in a name server's message: all that is found lies in it, and within the bounds.
 */
#include "net/dns_caa.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct bytes part, const uint8_t *data, size_t size)
{
    if (part.n > 0 && (part.p < data || part.n > size || part.p > data + size - part.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_caa_record records[DNS_CAA_RECORDS];
    unsigned n;

    if (!caa_parse(bytes_of(data, size), records, &n))
        return 0;
    if (n > DNS_CAA_RECORDS)
        abort();
    for (unsigned i = 0; i < n; i++) {
        if (records[i].tag.n == 0 || records[i].tag.n > 255 || records[i].value.n > DNS_CAA_VALUE)
            abort();
        check_inside(records[i].tag, data, size);
        check_inside(records[i].value, data, size);
    }
    return 0;
}
