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

/* What some services take for a slash: `/`, `\\`, and either one encoded. Returns its length, or 0. */
static size_t loose_slash(struct bytes in)
{
    if (in.p[0] == '/' || in.p[0] == '\\')
        return 1;
    return in.n >= 3 && (memcmp(in.p, "%2F", 3) == 0 || memcmp(in.p, "%5C", 3) == 0) ? 3 : 0;
}

static bool begins_parameters(struct bytes in)
{
    return in.p[0] == ';' || (in.n >= 3 && memcmp(in.p, "%3B", 3) == 0);
}

/* `%` and these two digits at i, the second in either case. */
static bool is_encoded(struct bytes in, size_t i, const char *digits)
{
    return in.n - i >= 3 && in.p[i] == '%' && in.p[i + 1] == (uint8_t)digits[0] &&
           (in.p[i + 2] | 0x20) == (uint8_t)digits[1];
}

bool route_is_plain(struct bytes target)
{
    for (size_t i = 0; i < target.n && target.p[i] != '?'; i++)
        if (target.p[i] == ';' || target.p[i] == '\\' || is_encoded(target, i, "2f") ||
            is_encoded(target, i, "5c") || is_encoded(target, i, "3b"))
            return false;
    return true;
}

bool route_has_dots(struct bytes target)
{
    unsigned dots = 0;

    for (size_t i = 0; i < target.n && target.p[i] != '?'; i++) {
        if (target.p[i] == '/') {
            if (dots == 1 || dots == 2)
                return true;
            dots = 0;
        } else if (target.p[i] == '.') {
            dots++;
        } else if (is_encoded(target, i, "2e")) {
            dots++;
            i += 2;
        } else {
            dots = 3;
        }
    }
    return dots == 1 || dots == 2;
}

bool route_read_loosely(struct bytes path, struct writer *out)
{
    while (path.n > 0) {
        size_t slash = loose_slash(path), n = 0;
        bool parameters = false;

        path.p += slash;
        path.n -= slash;
        const uint8_t *segment = path.p;
        for (size_t len = 0; path.n > 0 && loose_slash(path) == 0; path.p++, path.n--) {
            parameters = parameters || begins_parameters(path);
            len++;
            n = parameters ? n : len;
        }
        if (n == 0) /* folded, as doubled slashes are */
            continue;
        if (segment[0] == '.' && (n == 1 || (n == 2 && segment[1] == '.')))
            return false;
        writer_u8(out, '/');
        for (size_t i = 0; i < n; i++) /* forward, as `out` may be the same bytes */
            writer_u8(out, segment[i]);
    }
    if (writer_len(out) == 0)
        writer_u8(out, '/');
    return !out->failed;
}

const struct conf_path *route_path(const struct conf_site *site, struct bytes path)
{
    for (unsigned i = 0; i + 1 < site->path_count; i++)
        if (http_path_has_prefix(path, bytes_str(site->paths[i].prefix)))
            return &site->paths[i];
    return &site->paths[site->path_count - 1];
}
