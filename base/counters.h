/* SPDX-License-Identifier: MIT
 *
 * What the program counts. One table of names; each counter only rises, each gauge goes both ways. Owned by
 * the program, passed to those who count, shown by admin/.
 */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

enum counter {
    COUNT_CONNECTIONS,         /* accepted */
    COUNT_CONNECTIONS_OPEN,    /* gauge */
    COUNT_CONNECTIONS_REFUSED, /* at a cap, or for want of descriptors or memory */
    COUNT_HANDSHAKES,
    COUNT_HANDSHAKES_RESUMED,
    COUNT_HANDSHAKES_FAILED,
    COUNT_REQUESTS,
    COUNT_REQUESTS_OPEN, /* gauge */
    COUNT_STATUS_1XX,
    COUNT_STATUS_2XX,
    COUNT_STATUS_3XX,
    COUNT_STATUS_4XX,
    COUNT_STATUS_5XX,
    COUNT_UPSTREAM_CONNECTS,
    COUNT_UPSTREAM_REUSES,
    COUNT_UPSTREAM_RETRIES,
    COUNT_UPSTREAM_FAILURES,
    COUNT_TIMEOUTS,
    COUNT_RELOADS,
    COUNTER_MAX
};

struct counters {
    uint64_t value[COUNTER_MAX];
};

const char *counter_name(enum counter c); /* `connections_open` */

#endif
