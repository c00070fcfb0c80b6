/* SPDX-License-Identifier: MIT
 *
 * Setters of addresses: what is listened on, what is connected to. People write addresses in many ways; each that
 * can mean one thing alone is taken, and each other is told how to be written.
 */
#include "conf/grammar.h"

#include "base/text.h"

#include <string.h>

#define LISTENS_MAX 256u

/* A port between 1 and 65535, or it is reported. */
static bool port_parse(const struct statement *s, const struct word *word, const char *text, uint16_t *port)
{
    uint64_t value;

    if (!text_u64(bytes_str(text), UINT64_MAX, &value))
        return statement_fail(s, word, "'%s' is not a port", text);
    if (value < 1 || value > 65535)
        return statement_fail(s, word, "port %s is not between 1 and 65535", text);
    *port = (uint16_t)value;
    return true;
}

static bool is_digits(const char *text)
{
    return text[0] != 0 && text[strspn(text, "0123456789")] == 0;
}

/* Where the port begins, behind its colon; NULL without one. An IPv6 address without brackets has none. */
static const char *port_of(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL || (text[0] == '[' && colon[-1] != ']'))
        return NULL;
    if (text[0] != '[' && strchr(text, ':') != colon)
        return NULL;
    return colon + 1;
}

static struct bytes host_of(const char *text, const char *port)
{
    return bytes_of(text, port != NULL ? (size_t)(port - 1 - text) : strlen(text));
}

/* --- listen --- */

static bool listen_add(struct statement *s, const struct word *word, const struct addr *addr, bool tls)
{
    struct conf *conf = s->draft->conf;
    struct conf_listen *more;

    for (unsigned i = 0; i < conf->listen_count; i++)
        if (addr_equal(&conf->listens[i].addr, addr))
            return statement_fail(s, word, "%s is taken already by %s; the first is at %s", word->text,
                                  conf->listens[i].tls ? "listen" : "listen-http",
                                  place_text(s->draft, conf->listens[i].place));
    if (conf->listen_count == LISTENS_MAX)
        return statement_fail(s, word, "more than %u addresses", LISTENS_MAX);
    more = arena_more(conf->arena, conf->listens, conf->listen_count, sizeof *more);
    if (more == NULL)
        return false;
    conf->listens = more;
    conf->listens[conf->listen_count++] =
        (struct conf_listen){.place = word->place, .addr = *addr, .tls = tls};
    return true;
}

/* `443`, `:443` and `*:443` are [::]:443, which takes IPv4 too. */
static bool listen_parse(struct statement *s, const struct word *word, struct addr *addr)
{
    const char *text = word->text, *port_text = is_digits(text) ? text : port_of(text);
    struct bytes host;
    uint16_t port = 0;

    if (port_text == NULL) {
        if (addr_from_ip(addr, bytes_str(text), 0))
            return statement_fail(s, word, "%s has no port; write %s%s%s:443", text,
                                  addr->any.sa_family == AF_INET6 && text[0] != '[' ? "[" : "", text,
                                  addr->any.sa_family == AF_INET6 && text[0] != '[' ? "]" : "");
        return statement_fail(s, word, "'%s' is not an address; write :443, 0.0.0.0:443 or [::1]:443", text);
    }
    if (!port_parse(s, word, port_text, &port))
        return false;
    host = port_text == text ? bytes_of(NULL, 0) : host_of(text, port_text);
    if (host.n == 0 || bytes_is(host, "*"))
        host = bytes_str("::");
    else if (bytes_is_nocase(host, "localhost"))
        return statement_fail(s, word, "a name is not an address; write 127.0.0.1:%s or [::1]:%s", port_text,
                              port_text);
    if (!addr_from_ip(addr, host, port))
        return statement_fail(s, word, "'%.*s' is not an IP address; write :443, 0.0.0.0:443 or [::1]:443",
                              (int)host.n, (const char *)host.p);
    return true;
}

static bool listen_all(struct statement *s, bool tls)
{
    bool good = true;

    for (unsigned i = 0; i < s->n; i++) {
        struct addr addr;

        good &= listen_parse(s, &s->args[i], &addr) && listen_add(s, &s->args[i], &addr, tls);
    }
    return good;
}

static void listen_clear(struct draft *d, bool tls)
{
    struct conf *conf = d->conf;
    struct conf_listen *kept = NULL;
    unsigned n = 0;

    /* Made anew, since arena_more knows an array's room by its count alone. */
    for (unsigned i = 0; i < conf->listen_count; i++) {
        if (conf->listens[i].tls == tls)
            continue;
        kept = arena_more(conf->arena, kept, n, sizeof *kept);
        if (kept == NULL) {
            n = 0;
            break;
        }
        kept[n++] = conf->listens[i];
    }
    conf->listens = kept;
    conf->listen_count = n;
}

bool set_listen(struct statement *s)
{
    return listen_all(s, true);
}

void clear_listen(struct draft *d)
{
    listen_clear(d, true);
}

bool set_listen_http(struct statement *s)
{
    return listen_all(s, false);
}

void clear_listen_http(struct draft *d)
{
    listen_clear(d, false);
}

/* --- admin --- */

bool set_admin(struct statement *s)
{
    const struct word *word = &s->args[0];
    const char *text = word->text, *port_text = is_digits(text) ? text : port_of(text);
    bool is_unix = strncmp(text, "unix:", 5) == 0, is_off = strcmp(text, "off") == 0;
    char formatted[ADDR_TEXT];
    struct networks *admins = &s->draft->conf->admins;
    struct addr addr;
    struct bytes host;
    uint16_t port = 0;

    *admins = (struct networks){0};
    if (!statement_networks(s, 1, admins))
        return false;
    if (s->n > 1 && (is_unix || is_off))
        return statement_fail(s, &s->args[1], "networks are for an ADDRESS:PORT, not for %s", text);
    if (is_unix) {
        if (text[5] != '/')
            return statement_fail(s, word,
                                  "the path of a Unix socket begins with /; write unix:/run/proxy.sock");
        if (!addr_from_unix(&addr, bytes_str(text + 5)))
            return statement_fail(s, word, "the path of a Unix socket has at most 107 bytes");
    } else if (!is_off) {
        if (port_text == NULL)
            return statement_fail(s, word, "'%s' is none of unix:PATH, ADDRESS:PORT, off", text);
        if (!port_parse(s, word, port_text, &port))
            return false;
        host = port_text == text ? bytes_of(NULL, 0) : host_of(text, port_text);
        if (host.n == 0 || bytes_is_nocase(host, "localhost"))
            host = bytes_str("127.0.0.1");
        if (!addr_from_ip(&addr, host, port))
            return statement_fail(s, word, "'%.*s' is not an address; write 127.0.0.1:%u or [::1]:%u",
                                  (int)host.n, (const char *)host.p, port, port);
        if (!addr_is_loopback(&addr) && admins->count == 0)
            return statement_fail(s, word,
                                  "'%.*s' is not a loopback address; who may speak to it may stop the "
                                  "proxy, so write 127.0.0.1:%u, or who may: admin %s 192.0.2.1",
                                  (int)host.n, (const char *)host.p, port, text);
        text = addr_format(&addr, formatted);
    }
    s->draft->conf->admin = statement_keep(s, text);
    return s->draft->conf->admin != NULL;
}

/* --- upstream --- */

bool host_name_parse(const char *text, char out[HOST_TEXT])
{
    size_t n = strlen(text), label = 0;
    bool all_digits = true;

    if (n > 0 && text[n - 1] == '.')
        n--;
    if (n == 0 || n > 253)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)text[i];

        if (c == '.') {
            if (label == 0 || text[i - 1] == '-')
                return false;
            label = 0;
            all_digits = true;
        } else {
            if (!text_is_alpha(c) && !text_is_digit(c) && c != '_' && (c != '-' || label == 0))
                return false;
            if (++label > 63)
                return false;
            all_digits &= text_is_digit(c);
        }
        out[i] = (char)text_lower(c);
    }
    out[n] = 0;
    /* A name whose last label is a number is a mistyped IP address (RFC 1123 §2.1). */
    return label > 0 && text[n - 1] != '-' && !all_digits;
}

/* Takes "http://" and a final slash off, and puts the port on that this stands for; *out may be in scratch. */
static bool strip_scheme(const struct statement *s, const struct word *word, const char **out)
{
    const char *text = word->text;
    size_t n;

    *out = text;
    if (strncmp(text, "https://", 8) == 0)
        return statement_fail(s, word,
                              "https:// is not spoken to an upstream; write its address for plain HTTP");
    if (strncmp(text, "http://", 7) != 0)
        return true;
    text += 7;
    n = strcspn(text, "/?#");
    if (text[n] != 0 && strcmp(text + n, "/") != 0)
        return statement_fail(s, word, "the address of an upstream has no path; write %.*s", (int)n, text);
    text = arena_text(s->draft->scratch, bytes_of(text, n));
    if (text != NULL && text[0] != 0 && port_of(text) == NULL &&
        (text[0] == '[' || strchr(text, ':') == NULL))
        text = arena_printf(s->draft->scratch, "%s:80", text);
    *out = text;
    return text != NULL;
}

static bool unix_parse(const struct statement *s, const struct word *word, const char *path,
                       struct conf_endpoint *e)
{
    if (path[0] != '/')
        return statement_fail(s, word, "the path of a Unix socket begins with /; write unix:/run/app.sock");
    if (!addr_from_unix(&e->addr, bytes_str(path)))
        return statement_fail(s, word, "the path of a Unix socket has at most 107 bytes");
    return true;
}

static bool fail_without_port(const struct statement *s, const struct word *word, const char *text)
{
    struct addr addr;

    if (text[0] != '[' && strchr(text, ':') != NULL) {
        if (addr_from_ip(&addr, bytes_str(text), 0))
            return statement_fail(s, word, "an IPv6 address stands in brackets; write [%s]:8080", text);
        return statement_fail(s, word, "'%s' is not an address; write app:8080, 10.0.0.2:8080 or [::1]:8080",
                              text);
    }
    if (text[0] == 0)
        return statement_fail(s, word, "an empty address; write app:8080, 10.0.0.2:8080 or [::1]:8080");
    return statement_fail(s, word, "'%s' has no port; write %s:8080", text, text);
}

/* A name, with the final dot that keeps search domains off it. */
static bool host_parse(const struct statement *s, const struct word *word, struct bytes host,
                       struct conf_endpoint *e)
{
    const char *text = arena_text(s->draft->scratch, host);
    char name[HOST_TEXT];

    if (text == NULL)
        return false;
    if (!host_name_parse(text, name))
        return statement_fail(s, word, "'%s' is neither an IP address nor a host name", text);
    e->host = arena_printf(s->draft->conf->arena, "%s%s", name, text[host.n - 1] == '.' ? "." : "");
    e->text = arena_printf(s->draft->conf->arena, "%s:%u", e->host != NULL ? e->host : "", e->port);
    return e->host != NULL && e->text != NULL;
}

static bool endpoint_parse(struct statement *s, const struct word *word, struct conf_endpoint *e)
{
    const char *text, *port_text;
    char formatted[ADDR_TEXT];
    struct bytes host;

    e->place = word->place;
    if (!strip_scheme(s, word, &text))
        return false;
    if (strncmp(text, "unix:", 5) == 0) {
        if (!unix_parse(s, word, text + 5, e))
            return false;
    } else {
        port_text = is_digits(text) ? text : port_of(text);
        if (port_text == NULL)
            return fail_without_port(s, word, text);
        if (!port_parse(s, word, port_text, &e->port))
            return false;
        host = port_text == text ? bytes_of(NULL, 0) : host_of(text, port_text);
        if (host.n == 0)
            host = bytes_str("127.0.0.1");
        if (!addr_from_ip(&e->addr, host, e->port))
            return host_parse(s, word, host, e);
    }
    e->text = statement_keep(s, addr_format(&e->addr, formatted));
    return e->text != NULL;
}

bool set_upstream(struct statement *s)
{
    struct conf_upstream *up = &s->scope->path->upstream;
    bool good = take_action(s, CONF_ACTION_UPSTREAM);

    for (unsigned i = 0; i < s->n; i++) {
        struct conf_endpoint *more;

        more = arena_more(s->draft->conf->arena, up->endpoints, up->n, sizeof *more);
        if (more == NULL)
            return false;
        up->endpoints = more;
        up->endpoints[up->n] = (struct conf_endpoint){0};
        if (endpoint_parse(s, &s->args[i], &up->endpoints[up->n]))
            up->n++;
        else
            good = false;
    }
    return good;
}
