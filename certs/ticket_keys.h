/* SPDX-License-Identifier: MIT
 *
 * `ticket-keys FILE`: the keys that replicas share, so that a TLS 1.3 session made at one is resumed at another.
 */
#ifndef CERTS_TICKET_KEYS_H
#define CERTS_TICKET_KEYS_H

#include "conf/conf.h"
#include "tls/ticket.h"

/* Secret: who owns it wipes it. */
struct ticket_keys {
    uint8_t keys[TICKET_KEYS][TICKET_KEY];
    size_t n;
};

/* Reads conf's file: one key a line, base64 of 48 bytes; empty lines and those that begin with # are passed over.
 * False with the error in e. That others may read the file is a warning in the log. */
bool ticket_keys_load(struct ticket_keys *keys, const struct conf *conf, struct conf_errors *e);

#endif
