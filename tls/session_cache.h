/* SPDX-License-Identifier: MIT
 *
 * TLS 1.2 sessions by session id (RFC 5246 §7.4.1.2), bounded, least recently used goes first, each bound to the
 * site it was made at: a session of one site is never resumed at another. Survives a reload.
 */
#ifndef TLS_SESSION_CACHE_H
#define TLS_SESSION_CACHE_H

#include <bearssl.h>
#include <stddef.h>

struct tls_session_cache;

/* NULL when out of memory or sessions is 0. A session takes about 140 bytes, allocated as they come. */
struct tls_session_cache *tls_session_cache_new(unsigned sessions);
void tls_session_cache_free(struct tls_session_cache *cache); /* wipes the secrets */
void tls_session_cache_resize(struct tls_session_cache *cache, unsigned sessions);
unsigned tls_session_cache_count(const struct tls_session_cache *cache);

/* The view that one connection gives to BearSSL: bound to `site` (a name that outlives the connection). */
struct tls_session_view {
    const br_ssl_session_cache_class *vtable;
    struct tls_session_cache *cache;
    const char *site;
};
void tls_session_view_init(struct tls_session_view *view, struct tls_session_cache *cache, const char *site);

#endif
