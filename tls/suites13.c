/* SPDX-License-Identifier: MIT
 *
 * Owns the table of TLS 1.3's cipher suites.
 */
#include "tls/suites13.h"

#include "crypto/hkdf.h"
#include "crypto/impl.h"

#include <stddef.h>

enum { AES128, AES256, CHACHA20, SUITES };

static const struct suite13 table[SUITES] = {
    [AES128] = {0x1301, AEAD_AES_128_GCM,       br_sha256_ID, "TLS_AES_128_GCM_SHA256"      },
    [AES256] = {0x1302, AEAD_AES_256_GCM,       br_sha384_ID, "TLS_AES_256_GCM_SHA384"      },
    [CHACHA20] = {0x1303, AEAD_CHACHA20_POLY1305, br_sha256_ID, "TLS_CHACHA20_POLY1305_SHA256"},
};

static const uint8_t aes_first[SUITES] = {AES128, AES256, CHACHA20};
static const uint8_t chacha_first[SUITES] = {CHACHA20, AES128, AES256};

const struct suite13 *suite13_find(uint16_t number)
{
    for (size_t i = 0; i < SUITES; i++)
        if (table[i].number == number)
            return &table[i];
    return NULL;
}

/* The first of ours in the client's list. */
static const struct suite13 *client_first(struct bytes cipher_suites)
{
    for (size_t i = 0; i + 1 < cipher_suites.n; i += 2) {
        const struct suite13 *s = suite13_find((uint16_t)(cipher_suites.p[i] << 8 | cipher_suites.p[i + 1]));
        if (s)
            return s;
    }
    return NULL;
}

const struct suite13 *suite13_choose(struct bytes cipher_suites, bool fast_aes)
{
    const struct suite13 *first = client_first(cipher_suites);
    const uint8_t *order = fast_aes && first != &table[CHACHA20] ? aes_first : chacha_first;

    for (size_t i = 0; first && i < SUITES; i++)
        if (client_hello_lists(cipher_suites, table[order[i]].number))
            return &table[order[i]];
    return NULL;
}

const br_hash_class *suite13_hash(const struct suite13 *suite)
{
    return suite->hash == br_sha384_ID ? &br_sha384_vtable : crypto_impl()->sha256;
}

size_t suite13_hash_len(const struct suite13 *suite)
{
    return hkdf_hash_len(suite13_hash(suite));
}
