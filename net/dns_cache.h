/* SPDX-License-Identifier: MIT
 *
 * What is known of names, by name: answers with the time until which they are good, and failures. At most
 * DNS_CACHE names; the one that was asked for longest ago makes room. Part of net/dns.c.
 */
#ifndef NET_DNS_CACHE_H
#define NET_DNS_CACHE_H

#include "net/dns.h"

#define DNS_CACHE    256
#define DNS_STALE_MS (24u * 3600u * 1000u) /* RFC 8767 §5 suggests 1 to 3 days */

/* An address in the form it is kept in; a struct addr has room for a path and is seven times as large. */
struct dns_host {
    bool v6;
    uint8_t ip[16];
};

struct dns_answer {
    enum dns_status status;
    unsigned n; /* hosts, with DNS_OK alone */
    struct dns_host hosts[DNS_ADDRESSES];
};

struct dns_entry {
    struct dns_answer answer;
    uint64_t good_until;  /* ms: until then it is given without asking */
    uint64_t stale_until; /* until then it is given when asking fails */
    uint64_t used;
    bool failing; /* the last refresh failed: the answer is stale, and given at once */
    char name[];
};

/* A zeroed one is empty. Sorted by name. */
struct dns_cache {
    struct dns_entry **entries;
    unsigned count, cap;
};

/* The entry of a name, marked as used; NULL when there is none. It stays until the next cache_put. */
struct dns_entry *cache_find(struct dns_cache *cache, const char *name, uint64_t now);
/* Keeps an answer until `good_until`, in place of what was known. Out of memory it is not kept. */
void cache_put(struct dns_cache *cache, const char *name, const struct dns_answer *answer,
               uint64_t good_until, uint64_t now);
/* Everything is to be asked again; answers stay for when that fails. */
void cache_expire(struct dns_cache *cache, uint64_t now);
void cache_free(struct dns_cache *cache);

#endif
