/* SPDX-License-Identifier: MIT
 *
 * The URLs that an ACME client follows (RFC 3986 §3): absolute, https or http, with a name or an address, without user
 * and fragment.
 */
#ifndef ACME_URL_H
#define ACME_URL_H

#include "base/bytes.h"

#define URL_MAX 2048u

struct url {
    bool is_https;
    char host[256];      /* lower case; an IPv6 address without its brackets */
    char authority[272]; /* as Host has it: with brackets, with the port where it is not the scheme's own */
    uint16_t port;
    struct bytes path; /* with the query, "/" at least; borrowed from the text */
};

/* NULL, or what is wrong (static). */
const char *url_parse(struct url *u, struct bytes text);

#endif
