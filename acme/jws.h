/* SPDX-License-Identifier: MIT
 *
 * JSON Web Signatures as ACME has them (RFC 8555 §6.2; RFC 7515 §7.2.2, flattened), with keys of P-256 (ES256), P-384
 * (ES384) and RSA (RS256) as certs/ loads them (RFC 7518 §3.3, §3.4).
 */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include "base/bytes.h"
#include "tls/identity.h"

/* A request to `url` with `nonce`, signed by the account's key. account: its URL (kid), or NULL: the public key goes
 * along (jwk). An empty payload is POST-as-GET. False when the key is of a kind that has no algorithm here (P-521), or
 * there is no room. */
bool jws_sign(struct writer *w, const struct tls_identity *key, const char *account, const char *nonce,
              const char *url, struct bytes payload);

/* The binding to an account that one has with the authority already (RFC 8555 §7.3.4), under its HMAC key in base64url
 * (HS256; 384 bytes at most). False when that is none, or there is no room. */
bool jws_external_account(struct writer *w, const struct tls_identity *key, const char *key_id,
                          const char *hmac_key, const char *url);

/* The thumbprint of the public key (RFC 7638 §3, SHA-256) in base64url, with a NUL. False when the key is of a kind that
 * has no algorithm here. */
#define JWS_THUMBPRINT 43
bool jws_thumbprint(const struct tls_identity *key, char out[JWS_THUMBPRINT + 1]);

/* token '.' thumbprint of the account's key (RFC 8555 §8.1). False as above, or when there is no room. */
bool jws_key_authorization(struct writer *w, const struct tls_identity *key, struct bytes token);

#endif
