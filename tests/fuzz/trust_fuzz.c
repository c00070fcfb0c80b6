/* SPDX-License-Identifier: MIT
 *
 * A file of authorities' certificates, and the same bytes as a set in the compiled form: whatever they are, every anchor
 * made of them can be read, and has a name that validation takes for a hash.
 */
#include "certs/trust.h"
#include "tls/dn_hash.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t sum_of(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;

    while (n-- > 0)
        sum = (uint8_t)(sum + p[n]);
    return sum;
}

/* The bytes that they take in all. */
static size_t read_all(struct tls_trust trust)
{
    volatile uint8_t sum = 0;
    size_t total = 0;

    for (size_t i = 0; i < trust.n; i++) {
        const br_x509_trust_anchor *a = &trust.anchors[i];
        const br_x509_pkey *key = &a->pkey;

        if (a->dn.len != 1 + DN_HASH_LEN || !(a->dn.data[0] & DN_HASH_MADE))
            abort();
        sum = sum_of(a->dn.data, a->dn.len);
        total += a->dn.len;
        if (key->key_type == BR_KEYTYPE_RSA) {
            sum = sum_of(key->key.rsa.n, key->key.rsa.nlen);
            sum = sum_of(key->key.rsa.e, key->key.rsa.elen);
            total += key->key.rsa.nlen;
        } else if (key->key_type == BR_KEYTYPE_EC) {
            sum = sum_of(key->key.ec.q, key->key.ec.qlen);
            total += key->key.ec.qlen;
        } else {
            abort();
        }
    }
    (void)sum;
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    struct trust *trust = trust_load(bytes_of(data, size), &why);

    if ((trust == NULL) != (why != NULL))
        abort();
    if (trust != NULL && read_all(trust_of(trust)) > size)
        abort();
    trust_free(trust);
    trust = trust_from_anchors(bytes_of(data, size));
    if (trust != NULL && read_all(trust_of(trust)) > size)
        abort();
    trust_free(trust);
    return 0;
}
