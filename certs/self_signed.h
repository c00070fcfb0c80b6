/* SPDX-License-Identifier: MIT
 *
 * Self-signed certificates as the state keeps them: STATE/self-signed/NAME/{key.pem,cert.pem}.
 */
#ifndef CERTS_SELF_SIGNED_H
#define CERTS_SELF_SIGNED_H

#include "tls/identity.h"

/* The identity for these names (at least one), named names[0]'s way `name`: from the state folder when
 * what is there is good for the same names and for 30 more days; else made anew, with the key that is
 * there if it is a good one, * and kept. Whatever is wrong with the folder is a warning: the certificate is then in memory alone, and *kept is
 * false. `state` may be NULL; `dry` writes nothing. NULL when out of memory. */
struct tls_identity *self_signed_load(const char *state, const char *name, const char *const *names,
                                      unsigned n, bool dry, bool *kept);
/* Is it time to make it again? */
bool self_signed_is_due(const struct tls_identity *id);

#endif
