/* SPDX-License-Identifier: MIT
 *
 * Names to addresses without blocking: c-ares over the loop's own sockets and timers, /etc/hosts and search
 * domains included. Answers are kept for their TTL (within 1 s to 1 h), failures for a short while; an answer
 * that has expired is still given when asking again fails. /etc/resolv.conf is read again when it changed.
 * (RFC 1035, RFC 8767 for serving stale answers, RFC 8659 for who may issue certificates.)
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/addr.h"
#include "net/loop.h"

struct dns;
struct dns_query;
struct dns_caa_search;

#define DNS_ADDRESSES   16
#define DNS_CAA_RECORDS 16
#define DNS_CAA_VALUE   1024u /* bytes of a record's value */

struct dns *dns_new(struct loop *loop); /* NULL when out of memory */
/* Queries under way end without their callback, and their handles are gone. Fine inside a callback. */
void dns_free(struct dns *dns);

/* What tests set apart from the system; NULL and 0 are the default. */
struct dns_options {
    const char *resolv_conf;  /* in place of /etc/resolv.conf */
    const char *hosts;        /* in place of /etc/hosts; process-wide (the environment's CARES_HOSTS) */
    const char *servers_csv;  /* "127.0.0.1:5353,[::1]:53", in place of the file's */
    unsigned timeout_ms;      /* of the first try; each further one takes twice as long (2000) */
    unsigned tries;           /* per server (3) */
    unsigned min_ttl_ms;      /* an answer is kept at least so long (1000) */
    unsigned negative_ttl_ms; /* how long a failure is (2000) */
    unsigned patience_ms;     /* for a new answer where there is a stale one (1800) */
};
struct dns *dns_new_with(struct loop *loop, const struct dns_options *options);

enum dns_status { DNS_OK, DNS_NOT_FOUND, DNS_TIMEOUT, DNS_FAILED };
const char *dns_status_text(enum dns_status s); /* "name not found", ... */

/* Addresses have port 0, IPv4 before IPv6: no socket is opened to find out which of them has a route, a
 * connect that has none fails at once. They are the callee's only until it returns. The callee may resolve,
 * cancel (its own query too, which does nothing) and free. */
typedef void dns_done(void *owner, enum dns_status status, const struct addr *addresses, unsigned n);

/* Resolves a name (no port; an IP address is its own answer) to IPv4 and IPv6 addresses. An answer that is at
 * hand calls `done` before this returns, and NULL is returned; else a handle to cancel with, which is gone
 * when `done` has returned. Out of memory is DNS_FAILED through `done`. */
struct dns_query *dns_resolve(struct dns *dns, const char *name, dns_done *done, void *owner);
void dns_cancel(struct dns_query *query); /* `done` is not called any more */

/* One property of who may issue certificates (RFC 8659 §4). Tag and value are a stranger's bytes. */
struct dns_caa_record {
    uint8_t flags; /* 0x80: critical */
    struct bytes tag, value;
};
/* DNS_OK: these records hold for the name; they are those of `at`, the name itself or a parent. DNS_NOT_FOUND: there are
 * none there nor above. Anything else: it could not be found out. All of it is the callee's as in dns_done, and it may do
 * the same. */
typedef void dns_caa_done(void *owner, enum dns_status status, const char *at,
                          const struct dns_caa_record *records, unsigned n);
/* Finds the relevant records of a name (RFC 8659 §3), from itself upward until one has any; no search domains, no hosts
 * file, and nothing is kept. More records than DNS_CAA_RECORDS, or a longer value, is DNS_FAILED. What can be no name of
 * the DNS has none: an IP address, localhost. Called and cancelled as dns_resolve is. */
struct dns_caa_search *dns_find_caa(struct dns *dns, const char *name, dns_caa_done *done, void *owner);
void dns_cancel_caa(struct dns_caa_search *search);

/* Reads the resolver's configuration again (called on reload). */
void dns_reload(struct dns *dns);

#endif
