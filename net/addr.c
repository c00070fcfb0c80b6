/* SPDX-License-Identifier: MIT
 *
 * Socket addresses and networks as text and as bytes. One form for each address: an IPv4 address is always
 * AF_INET here, never v4-mapped, so that two ways in (a dual-stack listener, a plain one) compare equal.
 * Where one form for both families is wanted (networks, client keys), it is 16 bytes with IPv4 as v4-mapped.
 */
#include "net/addr.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* The longest an IP address may be as text is INET6_ADDRSTRLEN - 1; 16 bytes, IPv4 as v4-mapped. */
static bool ip_parse(struct bytes text, uint8_t ip[16], bool *v4)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *v4 = memchr(copy, ':', text.n) == NULL;
    if (*v4) {
        memcpy(ip, mapped_prefix, sizeof mapped_prefix);
        return inet_pton(AF_INET, copy, ip + sizeof mapped_prefix) == 1;
    }
    return inet_pton(AF_INET6, copy, ip) == 1;
}

/* The 16 bytes of an IP address; false for a Unix socket. */
static bool ip_of(const struct addr *a, uint8_t ip[16])
{
    if (a->any.sa_family == AF_INET) {
        memcpy(ip, mapped_prefix, sizeof mapped_prefix);
        memcpy(ip + sizeof mapped_prefix, &a->v4.sin_addr, 4);
        return true;
    }
    if (a->any.sa_family == AF_INET6) {
        memcpy(ip, &a->v6.sin6_addr, 16);
        return true;
    }
    return false;
}

static bool is_mapped(const uint8_t ip[16])
{
    return memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0;
}

static void set_v4(struct addr *a, const void *ip, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};

    memcpy(&v4.sin_addr, ip, 4);
    memset(a, 0, sizeof *a);
    a->v4 = v4;
    a->len = sizeof a->v4;
}

bool addr_from_ip(struct addr *a, struct bytes text, uint16_t port)
{
    uint8_t ip[16];
    bool v4, bracketed = false;

    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
        text = bytes_of(text.p + 1, text.n - 2);
        bracketed = true;
    }
    if (!ip_parse(text, ip, &v4) || (bracketed && v4))
        return false;
    if (is_mapped(ip)) {
        set_v4(a, ip + sizeof mapped_prefix, port);
        return true;
    }
    memset(a, 0, sizeof *a);
    a->v6.sin6_family = AF_INET6;
    a->v6.sin6_port = htons(port);
    memcpy(&a->v6.sin6_addr, ip, 16);
    a->len = sizeof a->v6;
    return true;
}

bool addr_from_unix(struct addr *a, struct bytes path)
{
    if (path.n == 0 || path.n >= sizeof a->un.sun_path || memchr(path.p, 0, path.n) != NULL)
        return false;
    memset(a, 0, sizeof *a);
    a->un.sun_family = AF_UNIX;
    memcpy(a->un.sun_path, path.p, path.n);
    a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
    return true;
}

void addr_normalise(struct addr *a)
{
    uint8_t ip[16];

    if (a->any.sa_family == AF_INET6 && ip_of(a, ip) && is_mapped(ip))
        set_v4(a, ip + sizeof mapped_prefix, ntohs(a->v6.sin6_port));
}

uint16_t addr_port(const struct addr *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohs(a->v4.sin_port);
    if (a->any.sa_family == AF_INET6)
        return ntohs(a->v6.sin6_port);
    return 0;
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET)
        a->v4.sin_port = htons(port);
    else if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
}

/* The path of a Unix socket; empty for one without a name, which is what a client's end has. */
static struct bytes unix_path(const struct addr *a)
{
    size_t at = offsetof(struct sockaddr_un, sun_path);
    size_t n = a->len > at ? a->len - at : 0;

    if (n > sizeof a->un.sun_path)
        n = sizeof a->un.sun_path;
    return bytes_of(a->un.sun_path, strnlen(a->un.sun_path, n));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    uint8_t ip_a[16], ip_b[16];

    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_UNIX)
        return bytes_equal(unix_path(a), unix_path(b));
    if (!ip_of(a, ip_a) || !ip_of(b, ip_b) || memcmp(ip_a, ip_b, sizeof ip_a) != 0)
        return false;
    if (a->any.sa_family == AF_INET6 && a->v6.sin6_scope_id != b->v6.sin6_scope_id)
        return false;
    return addr_port(a) == addr_port(b);
}

bool addr_is_any(const struct addr *a)
{
    return (a->any.sa_family == AF_INET && a->v4.sin_addr.s_addr == 0) ||
           (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr));
}

bool addr_overlaps(const struct addr *a, const struct addr *b)
{
    return addr_port(a) == addr_port(b) && (addr_is_any(a) || addr_is_any(b) || addr_equal(a, b));
}

bool addr_is_loopback(const struct addr *a)
{
    switch (a->any.sa_family) {
    case AF_INET: return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    case AF_UNIX: return true;
    default: return false;
    }
}

const char *addr_format_ip(const struct addr *a, char out[ADDR_TEXT])
{
    const char *done = NULL;

    if (a->any.sa_family == AF_INET)
        done = inet_ntop(AF_INET, &a->v4.sin_addr, out, ADDR_TEXT);
    else if (a->any.sa_family == AF_INET6)
        done = inet_ntop(AF_INET6, &a->v6.sin6_addr, out, ADDR_TEXT);
    else if (a->any.sa_family == AF_UNIX)
        return addr_format(a, out);
    if (done == NULL)
        snprintf(out, ADDR_TEXT, "unknown");
    return out;
}

const char *addr_format(const struct addr *a, char out[ADDR_TEXT])
{
    char ip[ADDR_TEXT];
    struct bytes path;

    switch (a->any.sa_family) {
    case AF_INET:
        snprintf(out, ADDR_TEXT, "%.*s:%u", INET6_ADDRSTRLEN, addr_format_ip(a, ip), addr_port(a));
        break;
    case AF_INET6:
        snprintf(out, ADDR_TEXT, "[%.*s]:%u", INET6_ADDRSTRLEN, addr_format_ip(a, ip), addr_port(a));
        break;
    case AF_UNIX:
        path = unix_path(a);
        snprintf(out, ADDR_TEXT, "unix:%.*s", (int)path.n, (const char *)path.p);
        break;
    default: snprintf(out, ADDR_TEXT, "unknown"); break;
    }
    return out;
}

void addr_client_key(const struct addr *a, uint8_t key[16])
{
    if (!ip_of(a, key))
        memset(key, 0xff, 16); /* all Unix clients are one; no client has a multicast address */
    else if (!is_mapped(key))
        memset(key + 8, 0, 8);
}

bool cidr_parse(struct cidr *c, struct bytes text)
{
    struct bytes ip = text;
    const uint8_t *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
    uint64_t bits;
    bool v4;

    if (slash != NULL)
        ip.n = (size_t)(slash - text.p);
    if (!ip_parse(ip, c->ip, &v4))
        return false;
    bits = v4 ? 32 : 128;
    if (slash != NULL && !text_u64(bytes_of(slash + 1, text.n - ip.n - 1), bits, &bits))
        return false;
    c->bits = (uint8_t)(v4 ? bits + 96 : bits);
    /* 192.0.2.7/24 is taken as its network. */
    for (unsigned bit = c->bits; bit < 128; bit++)
        c->ip[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    return true;
}

bool cidr_contains(const struct cidr *c, const struct addr *a)
{
    uint8_t ip[16];
    unsigned whole = c->bits / 8, rest = c->bits % 8;

    if (!ip_of(a, ip))
        return false;
    /* Mapping is how IPv4 is written here, it does not make it a part of ::/0. */
    if (c->bits < 96 && is_mapped(ip))
        return false;
    if (memcmp(ip, c->ip, whole) != 0)
        return false;
    return rest == 0 || ((ip[whole] ^ c->ip[whole]) >> (8 - rest)) == 0;
}

bool networks_contain(const struct networks *n, const struct addr *a)
{
    for (unsigned i = 0; i < n->count; i++)
        if (cidr_contains(&n->of[i], a))
            return true;
    return false;
}
