/* SPDX-License-Identifier: MIT
 *
 * Owns the list of TLS 1.2 cipher suites, their order and their names.
 */
#include "tls/suites.h"

#include <stddef.h>
#include <string.h>

enum cipher { AES128, AES256, CHACHA20, CIPHERS };

_Static_assert((int)CIPHERS <= (int)SERVER_SUITES_MAX, "the engine has a place for each");

static const struct {
    uint16_t number[2]; /* ECDSA, RSA */
    const char *name[2];
} suites_table[CIPHERS] = {
    [AES128] = {{BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
                {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}},
    [AES256] = {{BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
                {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}},
    [CHACHA20] = {{BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                   BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256},
                {"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"}},
};

static const enum cipher aes_first[CIPHERS] = {AES128, AES256, CHACHA20};
static const enum cipher chacha_first[CIPHERS] = {CHACHA20, AES128, AES256};

/* Is ChaCha20 the first that the client lists of those we could agree on? */
static bool client_prefers_chacha(const struct client_hello *hello, bool rsa)
{
    for (size_t i = 0; i + 1 < hello->cipher_suites.n; i += 2) {
        unsigned suite = (unsigned)hello->cipher_suites.p[i] << 8 | hello->cipher_suites.p[i + 1];
        for (size_t c = 0; c < CIPHERS; c++)
            if (suite == suites_table[c].number[rsa])
                return c == CHACHA20;
    }
    return false;
}

unsigned suites_for_server(uint16_t suites[SERVER_SUITES_MAX], const struct client_hello *hello, bool rsa,
                           bool fast_aes)
{
    const enum cipher *order = fast_aes && !client_prefers_chacha(hello, rsa) ? aes_first : chacha_first;

    for (size_t i = 0; i < CIPHERS; i++)
        suites[i] = suites_table[order[i]].number[rsa];
    return CIPHERS;
}

unsigned suites_for_client(uint16_t suites[SUITES_MAX], bool fast_aes)
{
    const enum cipher *order = fast_aes ? aes_first : chacha_first;
    unsigned n = 0;

    for (size_t i = 0; i < CIPHERS; i++)
        for (size_t rsa = 0; rsa < 2; rsa++)
            suites[n++] = suites_table[order[i]].number[rsa];
    return n;
}

const char *suites_name(uint16_t suite)
{
    for (size_t i = 0; i < CIPHERS; i++)
        for (size_t rsa = 0; rsa < 2; rsa++)
            if (suites_table[i].number[rsa] == suite)
                return suites_table[i].name[rsa];
    return "";
}

/* Of BearSSL's inside (src/inner.h): P_hash of RFC 5246 §5 with any hash, added to `dst`. */
void br_tls_phash(void *dst, size_t len, const br_hash_class *dig, const void *secret, size_t secret_len,
                  const char *label, size_t seed_num, const br_tls_prf_seed_chunk *seed);

/* br_tls12_sha256_prf() knows BearSSL's own SHA-256 alone. */
static void prf_sha256(void *dst, size_t len, const void *secret, size_t secret_len, const char *label,
                       size_t seed_num, const br_tls_prf_seed_chunk *seed)
{
    memset(dst, 0, len);
    br_tls_phash(dst, len, crypto_impl()->sha256, secret, secret_len, label, seed_num, seed);
}

void suites_set_impl(br_ssl_engine_context *eng, const struct crypto_impl *impl)
{
    br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_hash(eng, br_sha256_ID, impl->sha256);
    br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf_sha256(eng, prf_sha256);
    br_ssl_engine_set_prf_sha384(eng, br_tls12_sha384_prf);
    br_ssl_engine_set_aes_ctr(eng, impl->aes_ctr);
    br_ssl_engine_set_ghash(eng, impl->ghash);
    br_ssl_engine_set_gcm(eng, impl->gcm_in, impl->gcm_out);
    br_ssl_engine_set_chacha20(eng, impl->chacha20);
    br_ssl_engine_set_poly1305(eng, impl->poly1305);
    br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
}
