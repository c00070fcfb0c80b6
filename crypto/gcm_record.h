/* SPDX-License-Identifier: MIT
 *
 * TLS 1.2 records under AES-GCM (RFC 5288 §3) by crypto/gcm_x86, as BearSSL's engine takes them:
 * br_ssl_engine_set_gcm(). The explicit nonce is the record's sequence number. The implementations of AES-CTR
 * and GHASH that the engine passes on go unused.
 */
#ifndef CRYPTO_GCM_RECORD_H
#define CRYPTO_GCM_RECORD_H

#include <bearssl.h>

#ifdef __x86_64__

/* By gcm_x86_best(), which must not be GCM_X86_NONE. */
extern const br_sslrec_in_gcm_class gcm_record_in;
extern const br_sslrec_out_gcm_class gcm_record_out;

#endif
#endif
