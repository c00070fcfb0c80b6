/* SPDX-License-Identifier: MIT
 *
 * Answers made here: error pages, redirects, fixed texts, the demo's page. Each gives a head and a body; the
 * exchange sends them.
 */
#ifndef RELAY_REPLY_H
#define RELAY_REPLY_H

#include "conf/conf.h"
#include "http/head.h"
#include "tls/tls.h"

struct reply {
    struct http_head *head;
    char *body; /* of mem_alloc; NULL if there is none */
    size_t body_len;
};

/* Each: false when out of memory. The caller frees what the reply holds. */

/* A short page that names the status and the request's id. */
bool reply_error(struct reply *out, unsigned status, const char *request_id);
/* Location: `target`, where {uri} stands for the request's path and query. */
bool reply_redirect(struct reply *out, unsigned status, const char *target, const struct http_head *request);
/* The same host, path and query on HTTPS at `port` (308). */
bool reply_to_https(struct reply *out, const char *host, bool is_ipv6, uint16_t port,
                    const struct http_head *request);
bool reply_text(struct reply *out, unsigned status, const char *text);
/* A challenge's key authorization (RFC 8555 §8.3). */
bool reply_challenge(struct reply *out, struct bytes text);
/* What arrived, as the upstream would see it. */
bool reply_page(struct reply *out, const struct http_head *request, const char *peer,
                const struct tls_info *tls, const char *server_name);
void reply_clear(struct reply *r);

#endif
