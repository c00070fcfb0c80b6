/* SPDX-License-Identifier: MIT
 *
 * A name server for tests, on loopback and on the test's own loop: UDP and TCP on one port. What it answers
 * is its mood, which a test may change at any time.
 */
#ifndef TESTS_UNIT_NET_FAKE_DNS_H
#define TESTS_UNIT_NET_FAKE_DNS_H

#include "net/loop.h"

enum fake_mood {
    FAKE_ANSWER, /* A 192.0.2.1 and 192.0.2.2, AAAA 2001:db8::1 */
    FAKE_NXDOMAIN,
    FAKE_NODATA,
    FAKE_SERVFAIL,
    FAKE_SILENT,
    FAKE_TRUNCATED, /* over UDP; whole over TCP */
    FAKE_MANY,      /* 40 addresses of each kind, truncated over UDP */
    FAKE_CNAME,     /* an alias with a short TTL before the address */
    FAKE_LOOP,      /* a compressed name that points at itself */
    FAKE_GARBAGE,   /* the right id and question, then random bytes */
    FAKE_CUT,       /* a good answer, cut at a random place */
    FAKE_WRONG_ID,
    FAKE_WRONG_NAME,
    FAKE_CLOSE, /* truncated over UDP, and TCP is closed at once */
    FAKE_HALF,  /* truncated over UDP, and TCP closed in the middle of the answer */
};

struct fake_dns;

struct fake_dns *fake_dns_new(struct loop *loop);
void fake_dns_free(struct fake_dns *fake);
const char *fake_dns_csv(const struct fake_dns *fake); /* "127.0.0.1:PORT" */
void fake_dns_mood(struct fake_dns *fake, enum fake_mood mood);
void fake_dns_ttl(struct fake_dns *fake, uint32_t ttl);
void fake_dns_last_octet(struct fake_dns *fake, uint8_t octet); /* of the first A record; 1 at first */
/* Names that do not end so are NXDOMAIN; NULL is none. */
void fake_dns_only(struct fake_dns *fake, const char *name);
unsigned fake_dns_asked(const struct fake_dns *fake); /* questions for A */

/* The name has this CAA record, too: its data as on the wire (RFC 8659 §4.1), borrowed. What has any is answered with it
 * also where the mood is FAKE_NXDOMAIN or FAKE_NODATA. */
void fake_dns_caa(struct fake_dns *fake, const char *name, const void *data, size_t n);
/* The names for whose CAA records it was asked, each with a space behind it. */
const char *fake_dns_asked_caa(const struct fake_dns *fake);

#endif
