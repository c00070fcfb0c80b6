/* SPDX-License-Identifier: MIT
 *
 * Host and path to site and action. Pure: no state, no side effect.
 */
#ifndef RELAY_ROUTE_H
#define RELAY_ROUTE_H

#include "conf/conf.h"

/* The site for a host (lower case, no port; "" if the client named none): exact, then wildcard (one label), then
 * the default. NULL if none answers. A sole site answers every host. */
const struct conf_site *route_site(const struct conf *conf, const char *host);
/* The longest prefix that holds the normalised path; the site's own "/" at last. */
const struct conf_path *route_path(const struct conf_site *site, struct bytes path);

/* Is there nothing in the target's path that services read in several ways: no `;`, `\`, %2F, %5C, %3B? */
bool route_is_plain(struct bytes target);
/* Has the target's path a dot segment, before it is normalised? Beside such bytes, it is not said what it takes back. */
bool route_has_dots(struct bytes target);
/* A normalised path as the most liberal of services might read it: `\`, %2F and %5C for a slash, segments without
 * `;parameters`. False when that has a dot segment (`..;/`, `..%2F`), or it does not fit: as long as the path
 * is enough, and may be its own bytes. */
bool route_read_loosely(struct bytes path, struct writer *out);

#endif
