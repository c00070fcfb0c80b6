/* SPDX-License-Identifier: MIT
 *
 * Certificates of any content: parsed, walked, and asked what they cover.
 */
#include "certs/x509.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct bytes part, const uint8_t *data, size_t size)
{
    if (part.n > 0 && (part.p < data || part.n > size || (size_t)(part.p - data) > size - part.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"example.test", "a.example.test", "192.0.2.1", "2001:db8::1",
                                        "*.example.test"};
    struct x509 x;
    struct bytes san, value;
    unsigned kind;

    if (!x509_parse(&x, bytes_of(data, size)))
        return 0;
    inside(x.tbs, data, size);
    inside(x.serial, data, size);
    inside(x.spki_key, data, size);
    inside(x.signature_oid, data, size);
    inside(x.common_name, data, size);
    inside(x.authority_key_id, data, size);
    inside(x509_name_text(x.issuer), data, size);
    if (x.issuer.n < 2 || x.subject.n < 2)
        abort();
    for (san = x.san; x509_next_name(&san, &kind, &value);)
        inside(value, data, size);
    /* What parsed walks to its end. */
    if (x.san.n > 0 && (san.p != x.san.p + x.san.n || san.n != 0))
        abort();
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        x509_covers(&x, hosts[i]);
    return 0;
}
