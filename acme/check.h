/* SPDX-License-Identifier: MIT
 *
 * What would keep a certificate from coming, found out without spending a try: `proxy --check NAME`.
 */
#ifndef ACME_CHECK_H
#define ACME_CHECK_H

#include "acme/challenges.h"
#include "conf/conf.h"
#include "net/loop.h"

struct acme_check;

struct acme_check_hooks {
    void *ctx;
    /* One thing that was looked at: how it is, and, if it is not good, what to do. */
    void (*say)(void *ctx, bool good, const char *line);
    void (*done)(void *ctx, unsigned bad); /* how many were not; the check is gone when this returns */
};

/* Looks at the state folder, the name's addresses, whether a token of ours is found at each of them on port 80 (or the
 * `port` that a test or a mapping has), whether the authority is reached and agrees about the time, and whether the name's
 * CAA records let it issue. The token is answered by whoever has `challenges`, or reads the state folder's. Everything is
 * borrowed until `done`. NULL with the reason in *why (static). */
struct acme_check *acme_check_new(struct loop *loop, const struct conf *conf, struct challenges *challenges,
                                  const char *name, uint16_t port, const struct acme_check_hooks *hooks,
                                  const char **why);
void acme_check_cancel(struct acme_check *c); /* NULL is fine; not inside a hook */

#endif
