/* SPDX-License-Identifier: MIT
 *
 * Takes a URL apart. It may come from an authority's answer, so whatever could mean two things is refused.
 */
#include "acme/url.h"

#include "base/text.h"
#include "net/addr.h"

#include <stdio.h>
#include <string.h>

static bool starts(struct bytes text, const char *with)
{
    size_t n = strlen(with);

    return text.n >= n && bytes_is_nocase(bytes_of(text.p, n), with);
}

/* Where the authority ends. */
static size_t authority_len(struct bytes text)
{
    size_t i = 0;

    while (i < text.n && text.p[i] != '/' && text.p[i] != '?' && text.p[i] != '#')
        i++;
    return i;
}

/* Behind the host: nothing, or ":443". */
static bool take_port(struct bytes rest, uint16_t otherwise, uint16_t *port)
{
    uint64_t number;

    *port = otherwise;
    if (rest.n == 0)
        return true;
    if (rest.p[0] != ':' || !text_u64(bytes_of(rest.p + 1, rest.n - 1), 65535, &number) || number == 0)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool is_number(const char *label)
{
    bool is_hex = label[0] == '0' && label[1] == 'x';

    label += is_hex ? 2 : 0;
    return (is_hex || label[0] != '\0') &&
           label[strspn(label, is_hex ? "0123456789abcdef" : "0123456789")] == '\0';
}

/* What ends in a number is an IPv4 address or nothing: some take 127.1 for one, too. */
static bool is_host_name(const char *host)
{
    const char *last = strrchr(host, '.');
    struct addr ip;

    for (const char *c = host; *c != '\0'; c++)
        if (!text_is_alpha((uint8_t)*c) && !text_is_digit((uint8_t)*c) && *c != '-' && *c != '.' && *c != '_')
            return false;
    if (host[0] == '\0' || host[0] == '.' || host[0] == '-' || strstr(host, "..") != NULL)
        return false;
    return addr_from_ip(&ip, bytes_str(host), 0) || !is_number(last != NULL ? last + 1 : host);
}

/* Its end in *end. */
static bool take_host(struct url *u, struct bytes a, size_t *end, bool *is_ipv6)
{
    struct bytes host;
    struct addr ip;
    size_t i = 0;

    *is_ipv6 = a.n > 0 && a.p[0] == '[';
    while (i < a.n && a.p[i] != (*is_ipv6 ? ']' : ':'))
        i++;
    host = *is_ipv6 ? bytes_of(a.p + 1, i > 0 ? i - 1 : 0) : bytes_of(a.p, i);
    *end = *is_ipv6 ? i + 1 : i;
    if (*end > a.n || host.n == 0 || host.n >= sizeof u->host)
        return false;
    for (size_t k = 0; k < host.n; k++)
        u->host[k] = (char)text_lower(host.p[k]);
    u->host[host.n] = '\0';
    /* Brackets are IPv6's alone (RFC 3986 §3.2.2). */
    if (*is_ipv6)
        return strchr(u->host, ':') != NULL && addr_from_ip(&ip, bytes_str(u->host), 0);
    return is_host_name(u->host);
}

const char *url_parse(struct url *u, struct bytes text)
{
    struct bytes authority;
    bool is_ipv6;
    size_t end;

    memset(u, 0, sizeof *u);
    if (text.n > URL_MAX)
        return "a URL that is too long";
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f || text.p[i] == '"' || text.p[i] == '\\')
            return "a URL with characters that none has";
    u->is_https = starts(text, "https://");
    if (!u->is_https && !starts(text, "http://"))
        return "a URL that is not https://";
    end = u->is_https ? 8 : 7;
    text = bytes_of(text.p + end, text.n - end);
    authority = bytes_of(text.p, authority_len(text));
    u->path = bytes_of(text.p + authority.n, text.n - authority.n);
    if (authority.n > 0 && memchr(authority.p, '@', authority.n) != NULL)
        return "a URL with a user's name";
    if (u->path.n > 0 && memchr(u->path.p, '#', u->path.n) != NULL)
        return "a URL with a fragment";
    if (u->path.n == 0)
        u->path = bytes_str("/");
    if (u->path.p[0] != '/')
        return "a URL without a path";
    if (!take_host(u, authority, &end, &is_ipv6) ||
        !take_port(bytes_of(authority.p + end, authority.n - end), u->is_https ? 443 : 80, &u->port))
        return "a URL without a host that can be one";
    snprintf(u->authority, sizeof u->authority, is_ipv6 ? "[%s]" : "%s", u->host);
    if (u->port != (u->is_https ? 443 : 80))
        snprintf(u->authority + strlen(u->authority), sizeof u->authority - strlen(u->authority), ":%u",
                 u->port);
    return NULL;
}
