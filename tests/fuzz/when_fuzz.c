/* SPDX-License-Identifier: MIT
 *
 * Retry-After, HTTP dates and RFC 3339: no value leads out of the times there are, and what is a date is written as it
 * was read.
 */
#include "acme/when.h"
#include "base/time.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t now = 1800000000, end = INT64_C(253402300800); /* the year 10000 */
    struct bytes value = bytes_of(data, size);
    int64_t a = when_retry_after(value, now), b = when_http_date(value, now), c = when_rfc3339(value);
    char text[64];
    struct writer w = writer_of(text, sizeof text);

    if (a < 0 || b < 0 || c < 0 || a > end || b > end || c > end)
        abort();
    if (b > 0) {
        time_put_http(&w, b);
        if (when_http_date(bytes_of(text, writer_len(&w)), now) != b)
            abort();
    }
    return 0;
}
