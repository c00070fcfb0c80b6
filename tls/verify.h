/* SPDX-License-Identifier: MIT
 *
 * BearSSL's chain validation, and what it lacks: a server named by its IP address (RFC 5280 §4.2.1.6, RFC 6125
 * §1.7.2 leaves it to us; RFC 2818 §3.1). Private to tls/.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include "base/bytes.h"
#include "crypto/impl.h"
#include "tls/client.h"

/* One of BearSSL's error numbers that is free: memory ran out, which says nothing about the chain. */
enum { VERIFY_ERR_MEMORY = 63 };

/* A br_x509_class of its own around br_x509_minimal. */
struct verify {
    const br_x509_class *vtable; /* first */
    br_x509_minimal_context minimal;
    uint8_t ip[16];
    size_t ip_len; /* 4 or 16: the leaf must name this address; 0: the name given to start_chain decides */
    uint8_t *leaf; /* its DER, kept while the chain is read when ip_len is set */
    size_t leaf_len, leaf_cap;
    uint32_t leaf_length; /* as announced */
    unsigned certificates;
};

/* `name` is what the server must be: an IP address in text form, or a DNS name. `now`: seconds since 1970. */
void verify_init(struct verify *v, const struct tls_trust *trust, const struct crypto_impl *impl,
                 const char *name, int64_t now);
void verify_release(struct verify *v);
bool verify_is_ip(const struct verify *v);

/* Does the certificate have this address as an iPAddress in its SubjectAltName? False on any malformed DER. */
bool verify_names_ip(struct bytes certificate, struct bytes ip);

#endif
