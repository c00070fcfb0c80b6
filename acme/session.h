/* SPDX-License-Identifier: MIT
 *
 * An account at a certificate authority (RFC 8555 §6 to §7.3): its directory, nonces, the account itself, and requests
 * signed with its key. What a request needs first (directory, nonce, account) is fetched by itself; a nonce that the
 * authority does not take is replaced and the request sent again (§6.5). One request at a time.
 */
#ifndef ACME_SESSION_H
#define ACME_SESSION_H

#include "acme/https.h"
#include "acme/json.h"
#include "conf/conf.h"
#include "tls/identity.h"

struct acme_session;

/* An answer, or why there is none. All of it is gone when the callback returns. */
struct acme_reply {
    unsigned status;              /* of HTTP; 0: none */
    struct bytes body;            /* as it came */
    struct json *json;            /* NULL when it is not JSON */
    const struct http_head *head; /* of the answer; NULL when there is none */
    const char *location;         /* Location's URL; "" when there is none */
    int64_t
        retry_after; /* the authority asks to be left alone until then; seconds since 1970; 0: it does not */
    const char *problem; /* "" or the problem type (RFC 8555 §6.7) without its prefix: "rateLimited" */
    const char *why; /* NULL: all is well (status 2xx). Else in plain words, the authority's detail in full */
};
typedef void acme_session_done(void *owner, const struct acme_reply *reply);

enum acme_endpoint { ACME_DIRECTORY, ACME_NEW_ORDER, ACME_REVOKE_CERT, ACME_RENEWAL_INFO, ACME_ENDPOINTS };

/* With the authority of that directory. The account's key is `state`/private/key.pem, made when the first request needs
 * it and there is none; conf (referenced) says what an account is made with. Both strings are copied; `https`
 * outlives the session. NULL when out of memory. */
struct acme_session *acme_session_new(struct loop *loop, struct https_context *https, struct conf *conf,
                                      const char *directory, const char *state);
/* Is it with this one? */
bool acme_session_is_with(const struct acme_session *s, const char *directory);
void acme_session_free(
    struct acme_session *s); /* a request under way ends without its callback; NULL is fine */

/* POST, signed; payload {NULL, 0} is POST-as-GET (§6.3). Only when none is under way. `url` and payload are copied.
 * done is called later, never from within, and may ask again. */
void acme_session_post(struct acme_session *s, const char *url, struct bytes payload, acme_session_done *done,
                       void *owner);
/* The same to one of the directory's URLs. ACME_RENEWAL_INFO is GET (RFC 9773 §4.1), with `payload` appended to the URL
 * behind a slash. An authority that does not have it: status 0 and `why`. ACME_DIRECTORY reads the directory, if that was
 * not done, and has no more to say than that it is there. */
void acme_session_call(struct acme_session *s, enum acme_endpoint to, struct bytes payload,
                       acme_session_done *done, void *owner);
/* Does the directory have that URL? Once it was read. */
bool acme_session_offers(const struct acme_session *s, enum acme_endpoint what);
/* And does it list the profile of conf? */
bool acme_session_lists_profile(const struct acme_session *s);
void acme_session_cancel(struct acme_session *s); /* `done` is not called any more */

/* The key authorization of a token (§8.1); false when out of room, or no request was answered yet. */
bool acme_session_key_authorization(const struct acme_session *s, struct bytes token, struct writer *out);

#endif
