/* SPDX-License-Identifier: MIT
 *
 * Link fields: whatever is taken lies in the value, and each link takes some of it.
 */
#include "acme/link.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct bytes part, const uint8_t *data, size_t size)
{
    return part.n == 0 || (part.p >= data && part.p + part.n <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes value = bytes_of(data, size), url, rel;
    size_t before = size + 1;

    while (link_next(&value, &url, &rel)) {
        if (!lies_in(url, data, size) || !lies_in(rel, data, size) || value.n >= before)
            abort();
        before = value.n;
    }
    return 0;
}
