/* SPDX-License-Identifier: MIT
 *
 * Whom we trust when we are the client: sets of trust anchors, from a file or compiled in.
 */
#ifndef CERTS_TRUST_H
#define CERTS_TRUST_H

#include "base/bytes.h"
#include "tls/client.h"

struct trust;

/* The CERTIFICATE blocks of a PEM file, each as an anchor (RSA keys, and EC keys on P-256, P-384 and P-521 whose point is
 * written whole); blocks of other kinds are passed over. One of a server, not an authority (RFC 5280 §4.2.1.9), is trusted as that server alone.
 * NULL with what is wrong in *why (static): one of them is damaged, none is there. */
struct trust *trust_load(struct bytes pem, const char **why);
/* The same of a file of at most 1 MiB; *why may be an errno's text. */
struct trust *trust_load_file(const char *path, const char **why);
/* Mozilla's set, as Debian's ca-certificates had it when this was built, but for those that had expired by then. NULL when out of memory. */
struct trust *trust_builtin(void);
void trust_free(struct trust *trust); /* NULL is fine */

/* Borrowed. Of names there is the hash alone (tls/dn_hash.h). */
struct tls_trust trust_of(const struct trust *trust);

/* --- how the compiled-in set is written (deps/ca-certificates) and read --- */

/* An anchor in bytes; an anchor that has no such form (a key of another kind) makes the writer fail. */
void trust_put_anchor(struct writer *w, struct bytes certificate);
/* The anchors in those bytes, which outlive the set. NULL when out of memory, or when they are not whole. */
struct trust *trust_from_anchors(struct bytes anchors);

#endif
