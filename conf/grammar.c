/* SPDX-License-Identifier: MIT
 *
 * THE table of directives. Its order is the order of the documents that it writes. A default that is a fixed value
 * is text and goes through the directive's own setter, so that it cannot differ from what is documented.
 */
#include "conf/grammar.h"

#include "base/text.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#define EVERYWHERE (SCOPE_GLOBAL | SCOPE_SITE)
#define ACTION     (SCOPE_SITE | SCOPE_PATH)
#define DAY        (24 * 60 * 60 * 1000ull)

/* Where a number goes that is set for the whole program, or for it and for a site. */
#define IN_CONF(field) .global_at = offsetof(struct conf, field), .width = sizeof(((struct conf *)0)->field)
#define IN_BOTH(field) IN_CONF(field), .site_at = offsetof(struct conf_site, field)
/* Two numbers beside each other. */
#define RATE_WIDTH                                                                           \
    (offsetof(struct conf_limits, min_rate_grace) - offsetof(struct conf_limits, min_rate) + \
     sizeof(((struct conf_limits *)0)->min_rate_grace))

const char *const group_names[GROUP_MAX] = {
    [GROUP_LISTEN] = "Where it listens",
    [GROUP_PROCESS] = "The process",
    [GROUP_TLS] = "TLS",
    [GROUP_ACME] = "Certificates by ACME",
    [GROUP_LOG] = "The log",
    [GROUP_TIMEOUT] = "Timeouts",
    [GROUP_LIMIT] = "Limits",
    [GROUP_SITE] = "Sites",
};

/* clang-format off */
const struct directive directives[] = {
    {.name = "listen", .where = SCOPE_GLOBAL, .group = GROUP_LISTEN, .min = 1, .many = true,
     .args = "ADDR...", .value = ":443", .set = set_listen, .clear = clear_listen,
     .help = "Takes HTTPS here: 443 and :443 are all addresses of the machine, IPv6 and IPv4; "
             "127.0.0.1:8443 and [::1]:8443 are one."},
    {.name = "listen-http", .where = SCOPE_GLOBAL, .group = GROUP_LISTEN, .min = 1, .many = true,
     .args = "ADDR...", .value = ":80", .note = ":80; none when listen is given",
     .set = set_listen_http, .clear = clear_listen_http,
     .help = "Takes plain HTTP here: redirects to HTTPS, answers the challenges of a certificate authority, "
             "and serves the sites with tls off."},
    {.name = "trusted-proxies", .where = SCOPE_GLOBAL, .group = GROUP_LISTEN, .min = 1, .many = true,
     .args = "CIDR...", .note = "none", .set = set_trusted_proxies, .clear = clear_trusted_proxies,
     .help = "Clients in these networks are proxies themselves: what they say in X-Forwarded-For and the "
             "like is believed and passed on. From all others it is dropped."},

    {.name = "state", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1, .many = true,
     .args = "DIR|ephemeral",
     .note = "/state where it exists, else /var/lib/proxy as root, else $XDG_STATE_HOME/proxy or "
             "~/.local/state/proxy",
     .set = set_state, .clear = clear_state,
     .help = "The folder for certificates and keys that are made or obtained here. It has to outlive the process: an "
             "authority gives only so many. Where it lies in memory or in a container's own layer orders are "
             "trials at staging, unless a second state ephemeral says that this is meant."},
    {.name = "user", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1, .args = "NAME",
     .value = "nobody", .set = set_user,
     .help = "Started as root, the proxy becomes this user once its ports are open. A name or a number."},
    {.name = "confine", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1, .args = "on|off",
     .value = "on", .set = set_confine,
     .help = "Gives up every right that is not needed once it runs, as far as the kernel knows how: no new "
             "privileges, system calls (seccomp), files (Landlock)."},
    {.name = "admin", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1,
     .args = "unix:PATH|off|ADDR [CIDR...]", .note = "unix:STATE/control.sock", .set = set_admin,
     .help = "Where the running proxy answers about its health and is told to reload or stop: a Unix socket, "
             "or an address where there are none. Over it speaks who is on this machine, or in one of the networks behind "
             "it, and whoever does may stop the proxy."},
    {.name = "max-connections", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1, .args = "N",
     .note = "as many as the limit of open files allows", .set = set_number, IN_CONF(max_connections),
     .least = 1, .most = 10000000,
     .help = "Connections of clients at a time; more have to wait."},
    {.name = "max-connections-per-address", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1,
     .args = "N|off", .value = "256", .set = set_number, IN_CONF(max_per_address), .least = 1, .most = 10000000,
     .off = true,
     .help = "Connections at a time of one client address (IPv6: of one /64). Clients on this machine count "
             "only when the directive is given."},
    {.name = "max-memory", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1,
     .args = "SIZE|off", .note = "half of the machine's", .set = set_size, IN_CONF(max_memory), .least = 1 << 20,
     .most = 1ull << 50, .off = true,
     .help = "Heap of the whole process; at the cap new work is refused."},
    {.name = "shutdown-timeout", .where = SCOPE_GLOBAL, .group = GROUP_PROCESS, .min = 1, .max = 1,
     .args = "DURATION", .value = "30s", .set = set_duration, IN_CONF(timeouts.shutdown), .least = 1,
     .most = DAY,
     .help = "How long requests under way may take when the proxy is told to stop."},

    {.name = "tls-min", .where = SCOPE_GLOBAL, .group = GROUP_TLS, .min = 1, .max = 1, .args = "1.2|1.3",
     .value = "1.2", .set = set_tls_min,
     .help = "The oldest version of TLS that is spoken. 1.3 is what all current clients speak."},
    {.name = "max-tls12-connections", .where = SCOPE_GLOBAL, .group = GROUP_TLS, .min = 1, .max = 1,
     .args = "N|off", .value = "off", .set = set_number, IN_CONF(max_tls12), .least = 1, .most = 1000000,
     .off = true,
     .help = "How many connections of TLS 1.2 there may be at once; each takes 7 KB, and 40 while it works, where one of "
             "TLS 1.3 takes 2. Further ones are refused."},
    {.name = "session-cache", .where = SCOPE_GLOBAL, .group = GROUP_TLS, .min = 1, .max = 1,
     .args = "N|off", .value = "2048", .set = set_number, IN_CONF(session_cache), .least = 1, .most = 1000000,
     .off = true,
     .help = "TLS 1.2 sessions kept for clients that come back; those of TLS 1.3 the clients keep, in tickets."},
    {.name = "ticket-rotation", .where = SCOPE_GLOBAL, .group = GROUP_TLS, .min = 1, .max = 1,
     .args = "DURATION", .value = "12h", .set = set_duration, IN_CONF(ticket_rotation), .least = 60 * 1000,
     .most = 7 * DAY,
     .help = "How long one key seals the tickets of TLS 1.3 sessions. The two before it are still taken: a "
             "session can be resumed for twice as long, a week at most."},
    {.name = "ticket-keys", .where = SCOPE_GLOBAL, .group = GROUP_TLS, .min = 1, .max = 1, .args = "FILE",
     .note = "none: made here", .set = set_ticket_keys,
     .help = "Seals tickets with the keys of this file, so that replicas resume each other's sessions. One key a "
             "line, as openssl rand -base64 48 makes it: the first seals, all are taken. Read again on reload."},

    {.name = "acme", .where = SCOPE_GLOBAL, .group = GROUP_ACME, .block = true, .max = 1, .args = "{ ... }",
     .set = set_acme,
     .help = "How certificates are obtained and renewed for sites with public names that say nothing of tls, and "
             "those with tls acme. Not needed: without it they come from Let's Encrypt."},
    {.name = "email", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1, .args = "ADDRESS",
     .note = "none", .set = set_email,
     .help = "Where the authority writes to when it has to."},
    {.name = "ca", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1,
     .args = "letsencrypt|letsencrypt-staging|zerossl|URL", .value = "letsencrypt", .set = set_ca,
     .help = "The authority: one of these, or the URL of another one's ACME directory. With a URL, sites with names "
             "that are not public ask it too."},
    {.name = "staging", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1, .args = "URL",
     .note = "that of letsencrypt; none for others", .set = set_staging,
     .help = "The directory where tries are made that count for nothing: after failures, until one passes there."},
    {.name = "fallback", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1,
     .args = "letsencrypt|letsencrypt-staging|zerossl|URL", .note = "none", .set = set_fallback,
     .help = "Another authority, which is asked after one that failed."},
    {.name = "ca-roots", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1, .args = "FILE",
     .note = "Mozilla's, compiled in", .set = set_ca_roots,
     .help = "The certificates, in PEM, by which the servers of ca, staging and a fallback given as a URL are known. uacme "
             "goes by the system's."},
    {.name = "profile", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1, .args = "NAME",
     .note = "the authority's", .set = set_profile,
     .help = "What kind of certificate to ask for, of those that ca offers: shortlived, say; not of a fallback, and for "
             "client builtin."},
    {.name = "preferred-chain", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 1, .args = "NAME",
     .note = "the authority's", .set = set_preferred_chain,
     .help = "Of several chains that the authority offers, the one whose topmost certificate was issued by this name, "
             "\"ISRG Root X1\" say; for client builtin."},
    {.name = "client", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 1, .max = 2, .args = "builtin | uacme [PROGRAM]",
     .value = "builtin", .set = set_client,
     .help = "Who asks the authority: the proxy itself, or the program uacme, with the state folder as its own."},
    {.name = "external-account", .where = SCOPE_ACME, .group = GROUP_ACME, .min = 2, .max = 2,
     .args = "KEY-ID HMAC-KEY", .note = "none", .set = set_external_account,
     .help = "Binds the account to one that you have with the authority already; it gives both words (EAB)."},

    {.name = "log", .where = SCOPE_GLOBAL, .group = GROUP_LOG, .min = 1, .max = 2,
     .args = "[format] text|json|combined|off", .value = "text", .set = set_log,
     .help = "One line for each request, on standard output."},
    {.name = "log-level", .where = SCOPE_GLOBAL, .group = GROUP_LOG, .min = 1, .max = 1,
     .args = "error|warn|info|debug", .value = "info", .set = set_log_level,
     .help = "What else is told: from this level up."},

    {.name = "handshake-timeout", .where = SCOPE_GLOBAL, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "10s", .set = set_duration, IN_CONF(timeouts.handshake), .least = 1,
     .most = DAY,
     .help = "For a whole TLS handshake."},
    {.name = "header-timeout", .where = SCOPE_GLOBAL, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "10s", .set = set_duration, IN_CONF(timeouts.head), .least = 1, .most = DAY,
     .help = "For a whole request head."},
    {.name = "body-timeout", .where = EVERYWHERE, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "60s", .set = set_duration, IN_BOTH(timeouts.body), .least = 1, .most = DAY,
     .help = "Between bytes of a request's body."},
    {.name = "response-timeout", .where = EVERYWHERE, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "60s", .set = set_duration, IN_BOTH(timeouts.response), .least = 1,
     .most = DAY,
     .help = "Until the upstream's response begins, and between its bytes on both sides."},
    {.name = "idle-timeout", .where = EVERYWHERE, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "75s", .set = set_duration, IN_BOTH(timeouts.idle), .least = 1, .most = DAY,
     .help = "How long a client's connection is kept for its next request."},
    {.name = "connect-timeout", .where = EVERYWHERE, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "5s", .set = set_duration, IN_BOTH(timeouts.connect), .least = 1,
     .most = DAY,
     .help = "For a connection to an upstream."},
    {.name = "upstream-idle-timeout", .where = EVERYWHERE, .group = GROUP_TIMEOUT, .min = 1, .max = 1,
     .args = "DURATION", .value = "4s", .set = set_duration, IN_BOTH(timeouts.upstream_idle), .least = 1,
     .most = DAY,
     .help = "How long a connection to an upstream is kept for the next request; shorter than the upstream "
             "keeps it."},

    {.name = "max-request-line", .where = SCOPE_GLOBAL, .group = GROUP_LIMIT, .min = 1, .max = 1, .args = "SIZE",
     .value = "8k", .set = set_size, IN_CONF(limits.request_line), .least = 256, .most = 1 << 20,
     .help = "Method, target and version of a request; longer is answered with 414."},
    {.name = "max-header-size", .where = SCOPE_GLOBAL, .group = GROUP_LIMIT, .min = 1, .max = 1, .args = "SIZE",
     .value = "32k", .set = set_size, IN_CONF(limits.header_bytes), .least = 1024, .most = 1 << 20,
     .help = "All header fields of a message; more is answered with 431."},
    {.name = "max-header-fields", .where = SCOPE_GLOBAL, .group = GROUP_LIMIT, .min = 1, .max = 1, .args = "N",
     .value = "100", .set = set_number, IN_CONF(limits.header_count), .least = 10, .most = 10000,
     .help = "How many header fields; more is answered with 431."},
    {.name = "max-body", .where = EVERYWHERE, .group = GROUP_LIMIT, .min = 1, .max = 1, .args = "SIZE|off",
     .value = "off", .set = set_size, IN_BOTH(limits.body), .least = 1, .most = UINT64_MAX, .off = true,
     .help = "A request's body; larger is answered with 413."},
    {.name = "min-rate", .where = EVERYWHERE, .group = GROUP_LIMIT, .min = 1, .max = 2,
     .args = "SIZE [GRACE]|off", .value = "240 10s", .set = set_min_rate, .width = RATE_WIDTH,
     .global_at = offsetof(struct conf, limits.min_rate), .site_at = offsetof(struct conf_site, limits.min_rate),
     .least = 1, .most = UINT32_MAX, .off = true,
     .help = "Bytes a second that a body must move at either way, after a grace; a slower client is cut off."},

    {.name = "site", .where = SCOPE_GLOBAL, .group = GROUP_SITE, .many = true, .block = true,
     .args = "NAME... { ... }", .set = set_site,
     .help = "Answers for these names: example.com, *.example.com, an IP address, or default, which is "
             "whatever no other site answers for. A sole site answers for all names."},
    {.name = "upstream", .where = ACTION, .group = GROUP_SITE, .min = 1, .many = true, .args = "ADDR...",
     .set = set_upstream,
     .help = "Passes requests on to this service: app:8080, 10.0.0.2:8080, [::1]:8080, unix:/run/app.sock, or "
             "8000 for 127.0.0.1:8000. Several take turns."},
    {.name = "redirect", .where = ACTION, .group = GROUP_SITE, .min = 1, .max = 2, .args = "[STATUS] TARGET",
     .set = set_redirect,
     .help = "Sends the client elsewhere, with 308 unless told 301, 302, 303 or 307. {uri} in the target "
             "stands for the path and query that were asked for."},
    {.name = "respond", .where = ACTION, .group = GROUP_SITE, .min = 1, .max = 2, .args = "STATUS [TEXT]",
     .set = set_respond,
     .help = "Answers with this status and text."},
    {.name = "path", .where = SCOPE_SITE, .group = GROUP_SITE, .min = 1, .max = 1, .many = true, .block = true,
     .args = "/PREFIX { ... }", .set = set_path,
     .help = "What differs under this prefix; /api is /api and /api/x, not /apix. The longest that fits "
             "decides. Without upstream, redirect or respond it does what the site does."},
    {.name = "tls", .where = SCOPE_SITE, .group = GROUP_SITE, .min = 1, .max = 4,
     .args = "acme | self-signed | off | cert FILE key FILE",
     .note = "acme for public names where there is a listen-http address, else self-signed", .set = set_tls,
     .help = "The site's certificate: from a certificate authority, made here, or from PEM files (relative to the "
             "configuration's folder); off is plain HTTP, on the listen-http addresses."},
    {.name = "header", .where = ACTION, .group = GROUP_SITE, .min = 2, .max = 3, .many = true,
     .args = "set|add NAME VALUE | remove NAME", .set = set_header,
     .help = "Changes a field of the responses. A site's operations come before its path's."},
    {.name = "request-header", .where = ACTION, .group = GROUP_SITE, .min = 2, .max = 3, .many = true,
     .args = "set|add NAME VALUE | remove NAME", .set = set_request_header,
     .help = "Changes a field of the requests that are passed on."},
};
/* clang-format on */

const unsigned directive_count = sizeof directives / sizeof directives[0];

const struct directive *directive_find(const char *name)
{
    for (unsigned i = 0; i < directive_count; i++)
        if (strcmp(directives[i].name, name) == 0)
            return &directives[i];
    return NULL;
}

unsigned directive_index(const struct directive *d)
{
    return (unsigned)(d - directives);
}

unsigned word_distance(const char *word, const char *name)
{
    size_t n = strlen(name);
    unsigned distance = text_distance(bytes_str(word), bytes_str(name));

    /* A third of it may be wrong, and never all of it. */
    return distance <= (n + 2) / 3 && distance < n ? distance : UINT_MAX;
}

const struct directive *directive_near(const char *name, unsigned where)
{
    const struct directive *nearest = NULL;
    unsigned least = UINT_MAX;

    for (unsigned i = 0; i < directive_count; i++) {
        unsigned distance = word_distance(name, directives[i].name);

        if ((directives[i].where & where) != 0 && distance < least) {
            least = distance;
            nearest = &directives[i];
        }
    }
    return nearest;
}
