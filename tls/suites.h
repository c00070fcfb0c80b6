/* SPDX-License-Identifier: MIT
 *
 * The cipher suites of TLS 1.2 that we speak: ECDHE with an AEAD, nothing else. Private to tls/.
 */
#ifndef TLS_SUITES_H
#define TLS_SUITES_H

#include "crypto/impl.h"
#include "tls/client_hello.h"

/* Gives an engine its suites' implementations, hashes and PRFs, and TLS 1.2 as the only version. */
void suites_set_impl(br_ssl_engine_context *eng, const struct crypto_impl *impl);

enum {
    SUITES_MAX = 6,
    SERVER_SUITES_MAX = 3, /* more need more places in deps/bearssl/limits.h */
};
/* The suites for a server, in order of preference: AES first where it is fast, but ChaCha20 first for a client that
 * prefers it (a phone without AES instructions). `rsa`: what the key signs with. Returns how many. */
unsigned suites_for_server(uint16_t suites[SERVER_SUITES_MAX], const struct client_hello *hello, bool rsa,
                           bool fast_aes);
unsigned suites_for_client(uint16_t suites[SUITES_MAX], bool fast_aes);

/* OpenSSL's spelling, as logs show it: "ECDHE-ECDSA-AES128-GCM-SHA256"; "" if not one of ours. */
const char *suites_name(uint16_t suite);

#endif
