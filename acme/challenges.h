/* SPDX-License-Identifier: MIT
 *
 * The HTTP-01 challenges under way (RFC 8555 §8.3): which token is answered with what. In memory, and in
 * STATE/challenge/ for replicas that share the folder: each answers for all.
 */
#ifndef ACME_CHALLENGES_H
#define ACME_CHALLENGES_H

#include "base/bytes.h"

#include <stdbool.h>

#define CHALLENGE_TOKEN_MAX 128u /* characters; RFC 8555 §8.3 asks for 22 at least, authorities take 43 */
#define CHALLENGE_TEXT_MAX  256u /* a key authorization: token, dot, thumbprint */

struct challenges;

/* state may be NULL: memory alone. NULL when out of memory. */
struct challenges *challenges_new(const char *state);
void challenges_free(struct challenges *c); /* takes its files away */

/* False when the token is none (not base64url, too long), or there is no room. */
bool challenges_add(struct challenges *c, struct bytes token, struct bytes key_authorization);
void challenges_remove(struct challenges *c, struct bytes token);
/* What a token is answered with, in `out`; empty: not known. Safe for any bytes. */
struct bytes challenges_find(struct challenges *c, struct bytes token, char out[CHALLENGE_TEXT_MAX]);
/* How often a token was asked for since it was added: 0 says that nobody reached us. */
unsigned challenges_asked(const struct challenges *c, struct bytes token);

bool challenge_token_is_good(struct bytes token);

#endif
