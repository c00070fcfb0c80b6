/* SPDX-License-Identifier: MIT
 *
 * Sites by name and actions by path. The conf has its paths sorted, longest prefix first, and "/" last.
 */
#include "relay/route.h"

#include "http/path.h"

#include <string.h>

/* *.example.com answers a.example.com, neither example.com nor a.b.example.com (RFC 9525 §6.3, as certificates do). */
static bool wildcard_matches(const char *pattern, const char *host)
{
    const char *dot = strchr(host, '.');
    return pattern[0] == '*' && dot && dot != host && strcmp(pattern + 1, dot) == 0;
}

const struct conf_site *route_site(const struct conf *conf, const char *host)
{
    const struct conf_site *wildcard = NULL, *fallback = NULL;

    for (unsigned i = 0; i < conf->site_count; i++) {
        const struct conf_site *site = &conf->sites[i];
        for (unsigned k = 0; k < site->name_count; k++) {
            if (strcmp(site->names[k].text, host) == 0)
                return site;
            if (!wildcard && wildcard_matches(site->names[k].text, host))
                wildcard = site;
        }
        if (site->is_default)
            fallback = site;
    }
    if (wildcard)
        return wildcard;
    return conf->site_count == 1 ? &conf->sites[0] : fallback;
}

const struct conf_path *route_path(const struct conf_site *site, struct bytes path)
{
    for (unsigned i = 0; i + 1 < site->path_count; i++)
        if (http_path_has_prefix(path, bytes_str(site->paths[i].prefix)))
            return &site->paths[i];
    return &site->paths[site->path_count - 1];
}
