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

#endif
