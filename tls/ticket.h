/* SPDX-License-Identifier: MIT
 *
 * Session tickets of TLS 1.3 (RFC 8446 §4.6.1, RFC 5077 §4): the state of a session, sealed for the client to keep, so
 * that the server keeps none. AES-256-GCM under keys of our own that rotate, or under keys of a file that replicas
 * share. A ticket is good for the site that it was made at, for its suite's hash and for its lifetime; that it is
 * used once is not claimed. Keys survive a reload.
 */
#ifndef TLS_TICKET_H
#define TLS_TICKET_H

#include "base/bytes.h"

struct tls_tickets;

enum {
    TICKET_KEY = 48,  /* of a key as a file has it: 16 bytes that name it, 32 of AES-256 */
    TICKET_KEYS = 8,  /* of a file, at most */
    TICKET_MAX = 192, /* bytes of a ticket */
    TICKET_PSK_MAX = 48,
};

/* With keys of our own. NULL when out of memory. */
struct tls_tickets *tls_tickets_new(void);
void tls_tickets_free(struct tls_tickets *t); /* wipes the keys; NULL is fine */
/* A new key each `rotation` milliseconds (more than 0; 12 hours unless set), with two before it still taken. Tickets
 * live for twice as long, a week at most. */
void tls_tickets_set_rotation(struct tls_tickets *t, uint64_t rotation);
/* From now on n keys from elsewhere: the first seals, all open. With n = 0, our own again. */
void tls_tickets_set_keys(struct tls_tickets *t, const uint8_t (*keys)[TICKET_KEY], size_t n);
/* Seconds. */
uint32_t tls_tickets_lifetime(const struct tls_tickets *t);

/* What a ticket stands for. The PSK has the length of the suite's hash. Secret. */
struct ticket {
    uint16_t suite;
    uint32_t age_add;
    uint64_t authenticated_ms; /* wall clock: the full handshake that its line began with; 0: now */
    uint8_t psk_len;
    uint8_t psk[TICKET_PSK_MAX];
};
/* Seals it for a site. Returns the ticket's length. */
size_t ticket_seal(struct tls_tickets *t, const struct ticket *ticket, const char *site,
                   uint8_t out[TICKET_MAX]);
/* Opens what a client offers, with the age that it says (§4.2.11.1). False: not ours, another site's, or too old. */
bool ticket_open(struct tls_tickets *t, struct bytes sealed, const char *site, uint32_t obfuscated_age,
                 struct ticket *ticket);

#endif
