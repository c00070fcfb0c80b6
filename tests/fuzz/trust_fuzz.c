/* SPDX-License-Identifier: MIT
 *
 * A file of authorities' certificates: whatever it is, every anchor made of it can be read.
 */
#include "certs/trust.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    struct trust *trust = trust_load(bytes_of(data, size), &why);
    volatile uint8_t sum = 0;

    if ((trust == NULL) != (why != NULL))
        abort();
    if (trust == NULL)
        return 0;
    for (size_t i = 0; i < trust_of(trust).n; i++) {
        const br_x509_trust_anchor *a = &trust_of(trust).anchors[i];

        for (size_t k = 0; k < a->dn.len; k++)
            sum = (uint8_t)(sum + a->dn.data[k]);
        if (a->pkey.key_type == BR_KEYTYPE_RSA && a->pkey.key.rsa.nlen > 0)
            sum = (uint8_t)(sum + a->pkey.key.rsa.n[a->pkey.key.rsa.nlen - 1]);
        if (a->pkey.key_type == BR_KEYTYPE_EC && a->pkey.key.ec.qlen > 0)
            sum = (uint8_t)(sum + a->pkey.key.ec.q[a->pkey.key.ec.qlen - 1]);
    }
    trust_free(trust);
    return 0;
}
