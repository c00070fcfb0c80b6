/* SPDX-License-Identifier: MIT
 *
 * One line for each request: as text, as JSON, or in the Combined Log Format. Bytes of the client are escaped.
 */
#ifndef RELAY_ACCESS_LOG_H
#define RELAY_ACCESS_LOG_H

#include "conf/conf.h"
#include "http/head.h"
#include "tls/tls.h"

struct access_entry {
    char id[17]; /* NUL-terminated hex */
    const char *peer_ip;
    const struct http_head *request; /* NULL or empty when it could not be understood */
    const char *site;                /* NULL: none answered */
    const char *upstream;            /* NULL: answered here */
    const char *why;                 /* the cause of an error; "" if none */
    struct tls_info tls;             /* version NULL on a plain connection */
    unsigned status;
    uint64_t bytes_in, bytes_out;              /* of the bodies */
    uint64_t began_us, first_byte_us, done_us; /* of the loop's clock; first_byte_us 0: never */
    bool aborted;                              /* the client did not get all of it */
};

void access_log(const struct access_entry *e, enum conf_log_format format);

#endif
