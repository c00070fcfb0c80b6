/* SPDX-License-Identifier: MIT
 *
 * CAA records: the line that is said of any has room, is visible, and is good where the decision is.
 */
#include "acme/caa.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each record is its flags, the lengths of tag and value, and both. */
static unsigned read_records(struct reader *r, struct dns_caa_record out[DNS_CAA_RECORDS])
{
    unsigned n = 0;

    while (n < DNS_CAA_RECORDS && reader_left(r) > 0) {
        size_t tag, value;

        out[n].flags = reader_u8(r);
        tag = reader_u8(r);
        value = reader_u16(r) % (DNS_CAA_VALUE + 1);
        out[n].tag = reader_take(r, tag);
        out[n].value = reader_take(r, value);
        if (r->failed)
            break;
        n++;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const identities[] = {"letsencrypt.org", "ca.test"};
    struct reader r = reader_of(data, size);
    struct dns_caa_record records[DNS_CAA_RECORDS];
    const unsigned known = reader_u8(&r) % 3, n = read_records(&r, records);
    struct caa_finding f = caa_decide(records, n, identities, known);
    char line[CAA_LINE];
    struct writer w = writer_of(line, sizeof line - 1);
    bool good = caa_describe(&w, "a.test", records, n, identities, known);

    if (w.failed || good != (f.verdict <= CAA_UNKNOWN))
        abort();
    for (size_t i = 0; i < writer_len(&w); i++)
        if (line[i] < ' ' || line[i] > '~')
            abort();
    return 0;
}
