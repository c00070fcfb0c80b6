/* SPDX-License-Identifier: MIT
 *
 * Makes paths and hosts comparable. Invariant: what http_path_normalise writes begins with `/`, has no dot segment,
 * no doubled slash, no percent-encoding of an unreserved character and hexadecimal digits in upper case alone, so
 * normalising it again changes nothing.
 */
#include "http/path.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_MAX 253 /* RFC 1035 §2.3.4, as text */

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = text_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_unreserved(uint8_t c)
{
    return text_is_alpha(c) || text_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* The next character of a path as it is written in normal form: one byte, or three of an encoding that has to stay.
 * Returns how many bytes of `in` it was; 0 when it cannot be in a path. */
static size_t next_char(struct bytes in, uint8_t out[3], size_t *len)
{
    static const char digits[] = "0123456789ABCDEF";
    int high, low;
    uint8_t c;

    *len = 1;
    out[0] = in.p[0];
    if (in.p[0] != '%')
        return in.p[0] > 0x20 && in.p[0] < 0x7f && in.p[0] != '#' ? 1 : 0;
    if (in.n < 3)
        return 0;
    high = hex_value(in.p[1]);
    low = hex_value(in.p[2]);
    if (high < 0 || low < 0)
        return 0;
    c = (uint8_t)(high * 16 + low);
    if (c == 0)
        return 0;
    if (is_unreserved(c)) {
        out[0] = c;
        return 3;
    }
    out[1] = (uint8_t)digits[high];
    out[2] = (uint8_t)digits[low];
    *len = 3;
    return 3;
}

/* The length of what some services take for a slash: `\`, %2F, %5C; 0 when it is something else. */
static size_t hidden_slash(const uint8_t *p, size_t n)
{
    if (p[0] == '\\')
        return 1;
    return n >= 3 && p[0] == '%' && ((p[1] == '2' && p[2] == 'F') || (p[1] == '5' && p[2] == 'C')) ? 3 : 0;
}

/* Is there a `..` between such slashes? A service that takes them for real ones would climb out of the prefix that
 * has decided here. */
static bool climbs_hidden(const uint8_t *p, size_t n)
{
    size_t part = 0;
    bool hidden = false;

    for (size_t i = 0, skip; i < n; i += skip) {
        skip = hidden_slash(p + i, n - i);
        if (skip == 0) {
            skip = 1;
            continue;
        }
        if (i - part == 2 && p[part] == '.' && p[part + 1] == '.')
            return true;
        hidden = true;
        part = i + skip;
    }
    return hidden && n - part == 2 && p[part] == '.' && p[part + 1] == '.';
}

/* Takes back the segment that begins at `segment` (after its slash) if it is a dot segment, with the one before it
 * for `..`. False when that climbs above the root, which is the `/` at `root`. */
static bool close_segment(struct writer *out, const uint8_t *root, const uint8_t *segment)
{
    size_t n = (size_t)(out->p - segment);

    if (n == 1 && segment[0] == '.') {
        out->p = out->start + (segment - out->start);
    } else if (n == 2 && segment[0] == '.' && segment[1] == '.') {
        if (segment == root + 1)
            return false;
        out->p -= 3; /* the two dots and the slash before them */
        while (out->p[-1] != '/')
            out->p--;
    } else if (climbs_hidden(segment, n)) {
        return false;
    }
    return true;
}

bool http_path_normalise(struct bytes target, struct writer *out)
{
    const uint8_t *root = out->p, *segment;
    bool end = false;

    if (target.n == 0 || target.p[0] != '/')
        return false;
    writer_u8(out, '/');
    segment = out->p;
    target.p++;
    target.n--;
    while (!end) {
        uint8_t c[3];
        size_t len, used;

        if (out->failed)
            return false;
        end = target.n == 0 || target.p[0] == '?';
        if (end || target.p[0] == '/') {
            if (!close_segment(out, root, segment))
                return false;
            if (!end) {
                if (out->p[-1] != '/')
                    writer_u8(out, '/');
                target.p++;
                target.n--;
            }
            segment = out->p;
            continue;
        }
        used = next_char(target, c, &len);
        if (used == 0)
            return false;
        writer_put(out, c, len);
        target.p += used;
        target.n -= used;
    }
    return !out->failed;
}

bool http_path_is_normal(struct bytes target, size_t *path_len)
{
    size_t i;

    if (target.n == 0 || target.p[0] != '/')
        return false;
    for (i = 1; i < target.n && target.p[i] != '?'; i++)
        if (target.p[i] == '%' || target.p[i] == '\\' ||
            (target.p[i - 1] == '/' && (target.p[i] == '/' || target.p[i] == '.')))
            return false;
    *path_len = i;
    return true;
}

bool http_path_has_prefix(struct bytes path, struct bytes prefix)
{
    if (prefix.n > path.n || !bytes_equal((struct bytes){path.p, prefix.n}, prefix))
        return false;
    return prefix.n == path.n || prefix.n == 0 || prefix.p[prefix.n - 1] == '/' || path.p[prefix.n] == '/' ||
           path.p[prefix.n] == '?';
}

/* ":443", ":" or nothing. Port 0 cannot be asked for. */
static bool parse_port(struct bytes in, uint16_t *port)
{
    uint64_t value;

    *port = 0;
    if (in.n == 0)
        return true;
    if (in.p[0] != ':')
        return false;
    if (in.n == 1)
        return true;
    if (in.n > 6 || !text_u64((struct bytes){in.p + 1, in.n - 1}, 65535, &value) || value == 0)
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool parse_ipv6(struct bytes in, struct http_authority *out)
{
    const uint8_t *close = memchr(in.p, ']', in.n);
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ip;
    size_t n;

    if (close == NULL)
        return false;
    n = (size_t)(close - in.p) - 1;
    if (n == 0 || n >= sizeof text || memchr(in.p + 1, 0, n) != NULL)
        return false;
    memcpy(text, in.p + 1, n);
    text[n] = 0;
    if (inet_pton(AF_INET6, text, &ip) != 1 || inet_ntop(AF_INET6, &ip, out->host, sizeof out->host) == NULL)
        return false;
    out->is_ipv6 = true;
    return parse_port((struct bytes){close + 1, in.n - n - 2}, &out->port);
}

bool http_authority_parse(struct bytes in, struct http_authority *out)
{
    size_t n = 0, len;

    out->is_ipv6 = false;
    if (in.n == 0)
        return false;
    if (in.p[0] == '[')
        return parse_ipv6(in, out);
    /* The names that DNS carries, and `_`, which service names in container networks have: no userinfo, no
     * percent-encoding, nothing that a log or a redirect would have to escape. */
    for (; n < in.n && in.p[n] != ':'; n++) {
        uint8_t c = in.p[n];

        if (!text_is_alpha(c) && !text_is_digit(c) && c != '-' && c != '.' && c != '_')
            return false;
        if (c == '.' && (n == 0 || in.p[n - 1] == '.'))
            return false;
        if (n < sizeof out->host - 1)
            out->host[n] = (char)text_lower(c);
    }
    len = n > 0 && in.p[n - 1] == '.' ? n - 1 : n;
    if (len == 0 || len > HOST_MAX)
        return false;
    out->host[len] = 0;
    return parse_port((struct bytes){in.p + n, in.n - n}, &out->port);
}
