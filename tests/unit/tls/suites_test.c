/* SPDX-License-Identifier: MIT
 *
 * What suites_set_impl() gives an engine of BearSSL's, where a handshake between two of ours could not tell.
 */
#include "tests/unit/test.h"
#include "tls/suites.h"

#include <bearssl.h>

/* Of every length around the hash's, from secrets shorter and longer than its block. */
TEST(prf_as_bearssl)
{
    static br_ssl_client_context client;
    uint8_t secret[100], seed[64], expected[150], out[150];
    br_tls_prf_seed_chunk chunks[] = {
        {seed,      32},
        {seed + 32, 32}
    };

    for (unsigned i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(i * 7 + 1);
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(i * 13 + 5);
    suites_set_impl(&client.eng, crypto_impl());
    for (size_t len = 0; len <= sizeof out; len++) {
        for (size_t secret_len = 0; secret_len <= sizeof secret; secret_len += 20) {
            memset(out, 0xa5, sizeof out);
            memset(expected, 0xa5, sizeof expected);
            br_tls12_sha256_prf(expected, len, secret, secret_len, "key expansion", 2, chunks);
            client.eng.prf_sha256(out, len, secret, secret_len, "key expansion", 2, chunks);
            if (!CHECK_MEM(out, sizeof out, expected, sizeof expected))
                return;
        }
    }
}

TEST(sha256_of_the_choice)
{
    static br_ssl_client_context client;

    suites_set_impl(&client.eng, crypto_impl());
    CHECK(br_multihash_getimpl(&client.eng.mhash, br_sha256_ID) == crypto_impl()->sha256);
}

TEST_MAIN(RUN(prf_as_bearssl), RUN(sha256_of_the_choice))
