/* SPDX-License-Identifier: MIT
 *
 * Elliptic curves as BearSSL takes them, each by the fastest implementation that this architecture has. Both speak
 * exactly as bearssl_ec.h says; they differ in the curves that they offer, for a TLS engine offers to its peer every
 * curve that its implementation names.
 */
#ifndef CRYPTO_EC_H
#define CRYPTO_EC_H

#include <bearssl.h>

extern const br_ec_impl ec_all;   /* P-256, P-384, P-521, X25519: for signatures and for a client */
extern const br_ec_impl ec_ecdhe; /* X25519 and P-256 alone: what a server agrees on keys with */

#endif
