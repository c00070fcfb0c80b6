/* SPDX-License-Identifier: MIT
 *
 * The path of a request: listener -> client -> exchange -> route -> upstream -> reply, each a file beside this one.
 * This header is what main() and admin/ see of it: start, swap the configuration, stop, and what is going on.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "acme/acme.h"
#include "base/counters.h"
#include "certs/certs.h"
#include "conf/conf.h"
#include "net/inherit.h"
#include "net/loop.h"

struct relay;

/* NULL when out of memory. */
struct relay *relay_new(struct loop *loop);
/* Ends everything at once; safe at any stage. */
void relay_free(struct relay *r);

/* Who knows what challenges are answered with (acme_challenge); borrowed. NULL, as at first: nobody does. */
void relay_set_acme(struct relay *r, struct acme *acme);
/* Listening sockets that relay_apply takes before it binds any; borrowed, NULL takes it back. */
void relay_set_inherited(struct relay *r, struct inherited *inherited);

/* Makes conf and certs (NULL: no TLS site) the current ones. At first it binds the listeners; later it binds those
 * that are new and closes those that are gone. All or nothing: false with what is wrong in e, and the relay goes on
 * as it was; conf and certs are then still the caller's. On success the relay owns certs and holds a reference of
 * conf. Connections under way take the new conf at their next request. */
bool relay_apply(struct relay *r, struct conf *conf, struct certs *certs, struct conf_errors *e);

/* Stops accepting, lets what is in flight finish within conf's shutdown timeout, then ends the rest. */
void relay_drain(struct relay *r);
bool relay_is_draining(const struct relay *r);
/* Draining is over: no connection is left. */
bool relay_is_done(const struct relay *r);

const struct conf *relay_conf(const struct relay *r);
struct certs *relay_certs(const struct relay *r);
const struct counters *relay_counters(const struct relay *r);
unsigned relay_max_connections(const struct relay *r);
/* One of conf's listeners: is it there? Those that are optional may not be. */
bool relay_listens(const struct relay *r, const struct conf_listen *want);

#endif
