/* SPDX-License-Identifier: MIT
 *
 * c-ares on the loop: a channel is one reading of the resolver's configuration, with its sockets and its
 * timer. Part of net/dns.c.
 */
#ifndef NET_DNS_CHANNEL_H
#define NET_DNS_CHANNEL_H

#include "net/dns_cache.h"

struct dns_channel;

/* What became of a question besides the answer itself. */
enum dns_end {
    DNS_ANSWERED,
    DNS_CHANNEL_GONE, /* the channel was freed: ask the next one */
    DNS_NO_MEMORY,    /* says nothing about the name */
};

/* Each question ends in one call of `ended`, possibly inside channel_ask, and else from inside c-ares: it
 * must not call back into the channel, so it notes the answer and does the rest later. ttl is in seconds. */
typedef void dns_ended(void *question, enum dns_end end, const struct dns_answer *answer, uint32_t ttl);

/* NULL when out of memory. The options are only read here. */
struct dns_channel *channel_new(struct loop *loop, const struct dns_options *options, dns_ended *ended);
/* Ends each question under way with DNS_CHANNEL_GONE. NULL is fine. */
void channel_free(struct dns_channel *channel);
void channel_ask(struct dns_channel *channel, const char *name, void *question);

/* As dns_ended, with the whole message (RFC 1035 §4) where there is one. */
typedef void dns_message_ended(void *question, enum dns_end end, enum dns_status status,
                               struct bytes message);
/* Asks the name servers for records of that type, of exactly that name. */
void channel_query(struct dns_channel *channel, const char *name, int type, dns_message_ended *ended,
                   void *question);

#endif
