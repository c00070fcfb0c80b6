/* SPDX-License-Identifier: MIT
 *
 * What the client side of TLS trusts (tls_client_new in tls/tls.h): a set of trust anchors, shared and constant.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <bearssl.h>
#include <stddef.h>

/* Borrowed; outlives the connections made with it. A chain must end at one of the anchors, be valid at the present
 * (or, with a clock known to be wrong, at the clock's floor), and its leaf must name the server: a dNSName (RFC 6125
 * §6.4, wildcards for one whole label) or, for an IP address, an iPAddress of exactly its bytes. An anchor's name is in
 * DER, or the hash of one as tls/dn_hash.h has it. */
struct tls_trust {
    const br_x509_trust_anchor *anchors;
    size_t n;
};

#endif
