/* SPDX-License-Identifier: MIT
 *
 * The way to ask a running proxy how it is, and to tell it to reload or stop, without a signal: a Unix socket, or a
 * TCP port where there are no Unix sockets, for this machine and the networks that the directive names. On the same socket:
 *
 *     GET /health          over HTTP: 200 while it serves, 503 while it drains
 *     status|reload|stop   a line; the answer is a line of JSON, {"ok":true,...} or {"ok":false,"error":"..."}
 *     acme status          certificates from an authority: what there is, what comes next, what failed
 *     acme issue [NAME]    asks for what is due now, whatever pause there is after failures
 *     acme renew NAME      asks for another one now, due or not
 *     acme revoke NAME [REASON]
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "relay/relay.h"

struct admin;

struct admin_hooks {
    void *ctx;
    bool (*reload)(void *ctx, struct conf_errors *e);
    void (*stop)(void *ctx);
    struct acme *acme;
};

/* NULL when out of memory. hooks is copied. */
struct admin *admin_new(struct loop *loop, struct relay *relay, const struct admin_hooks *hooks);
void admin_free(struct admin *a); /* NULL is fine; removes the Unix socket's file */
/* Listens where `address` says ("unix:PATH", "127.0.0.1:2019", "off"), and no longer where it did. False with the
 * reason in e; it listens on as before then. Not being able to have a Unix socket is only a warning. */
bool admin_listen(struct admin *a, const char *address, struct conf_errors *e);

/* Asks the process that listens at `address`: sends `request`, HTTP or one line, and gives its whole answer
 * (NUL-terminated, cut at cap), or else a reason, in `answer`. Blocks, for five seconds at most. */
enum admin_answer {
    ADMIN_ANSWERED,
    ADMIN_NOBODY, /* no process listens there */
    ADMIN_FAILED, /* one may, but it cannot be asked */
};
enum admin_answer admin_ask(const char *address, const char *request, char *answer, size_t cap);

#endif
