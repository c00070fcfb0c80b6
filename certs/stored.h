/* SPDX-License-Identifier: MIT
 *
 * Certificates from an authority as the state keeps them, in the layout of uacme, so that either finds what the other
 * has obtained: STATE/NAME/cert.pem is the chain, STATE/private/NAME/key.pem its key. NAME is the site's first name.
 */
#ifndef CERTS_STORED_H
#define CERTS_STORED_H

#include "tls/identity.h"

/* "STATE/NAME", or "STATE/private/NAME", with a NUL. False when it does not fit, or the name could be a path. */
bool stored_folder(char *out, size_t size, const char *state, const char *name, bool is_private);

/* The certificate with its key. NULL when there is none, or none that can be served (the key is another's, the chain
 * not in order): the log says why. It may be expired and not cover all of the site's names: that is for whoever renews
 * it to see. */
struct tls_identity *stored_load(const char *state, const char *name);

/* Why stored_load would refuse id's chain beside that key, `key`'s; NULL: it would not. Static. */
const char *stored_problem(const struct tls_identity *id, const struct tls_identity *key);

/* Puts the certificate and its key away, as uacme would: STATE/NAME/revoked-NOW.pem, STATE/private/NAME/key-NOW.pem, with
 * `now` in seconds since 1970. The next one gets a new key. 0 (also when there is none), or errno. */
int stored_put_away(const char *state, const char *name, int64_t now);

/* The site's key alone, in an identity without a chain; with name NULL the account's, STATE/private/key.pem. Where there
 * is none it is made now, a P-256 key, and is on the disk before this returns; *was_there says which. NULL with the
 * reason in `why`, an errno's or a static text. */
struct tls_identity *stored_key(const char *state, const char *name, bool *was_there, const char **why);

#endif
