/* SPDX-License-Identifier: MIT
 *
 * PEM files of any content, as chain and as key. What loads is held to what its users rely on.
 */
#include "certs/pem.h"
#include "certs/x509.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_identity *id = tls_identity_new("fuzz");

    if (pem_load_chain(id, bytes_of(data, size)) == NULL &&
        (id->chain_len < 1 || id->chain_len > PEM_MAX_CHAIN))
        abort();
    if (pem_load_key(id, bytes_of(data, size)) == NULL) {
        if (id->key_data == NULL)
            abort();
        if (id->key_type == TLS_KEY_RSA && (id->key.rsa.n_bitlen < 2048 || id->key.rsa.n_bitlen > 4096))
            abort();
        if (id->key_type != TLS_KEY_RSA && id->key.ec.xlen != id->key_data_len)
            abort();
    } else if (id->key_data != NULL) {
        abort();
    }
    struct x509 x;
    if (id->chain_len > 0 && id->key_data != NULL &&
        x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)))
        x509_matches_key(&x, id);
    tls_identity_unref(id);
    return 0;
}
