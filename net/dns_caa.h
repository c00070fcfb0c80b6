/* SPDX-License-Identifier: MIT
 *
 * Searches for CAA records (net/dns.h, dns_find_caa). Part of net/dns.c.
 */
#ifndef NET_DNS_CAA_H
#define NET_DNS_CAA_H

#include "net/dns_channel.h"

/* Those under way. A zeroed one but for the loop has none; `channel` is the one that is asked from now on. */
struct caa_searches {
    struct loop *loop;
    struct dns_channel *channel;
    struct dns_caa_search *first;
    unsigned count;
};

/* dns_find_caa, of a name in lower case without a byte that has no place in one. */
struct dns_caa_search *caa_search(struct caa_searches *all, const char *name, dns_caa_done *done,
                                  void *owner);
/* Ends each without its callback. No channel has a question of theirs any more. */
void caa_free(struct caa_searches *all);

/* The CAA records in the answer section of a message (RFC 1035 §4, RFC 8659 §4.1), which they borrow; those of an alias's
 * target count (RFC 8659 §3). False when it is malformed, says of an error, or has more of them than are taken, or a
 * longer one. */
bool caa_parse(struct bytes message, struct dns_caa_record out[DNS_CAA_RECORDS], unsigned *n);

#endif
