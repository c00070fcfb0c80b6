/* SPDX-License-Identifier: MIT
 *
 * TLS 1.2 records under AES-GCM (RFC 5288 §3) by crypto/gcm.h, as BearSSL's engine takes them:
 * br_ssl_engine_set_gcm(). The explicit nonce is the record's sequence number. The implementations of AES-CTR
 * and GHASH that the engine passes on go unused.
 */
#ifndef CRYPTO_GCM_RECORD_H
#define CRYPTO_GCM_RECORD_H

#include "crypto/gcm.h"

#include <bearssl.h>

#if GCM_BY_INSTRUCTIONS

/* gcm_has() must be so. */
extern const br_sslrec_in_gcm_class gcm_record_in;
extern const br_sslrec_out_gcm_class gcm_record_out;

#endif
#endif
