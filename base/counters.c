/* SPDX-License-Identifier: MIT
 *
 * Owns the counters' names, which are part of what admin/ shows and so do not change. The counts themselves belong
 * to the program.
 */
#include "base/counters.h"

static const char *const names[] = {
    [COUNT_CONNECTIONS] = "connections",
    [COUNT_CONNECTIONS_OPEN] = "connections_open",
    [COUNT_CONNECTIONS_REFUSED] = "connections_refused",
    [COUNT_HANDSHAKES] = "handshakes",
    [COUNT_HANDSHAKES_RESUMED] = "handshakes_resumed",
    [COUNT_HANDSHAKES_FAILED] = "handshakes_failed",
    [COUNT_REQUESTS] = "requests",
    [COUNT_REQUESTS_OPEN] = "requests_open",
    [COUNT_STATUS_1XX] = "status_1xx",
    [COUNT_STATUS_2XX] = "status_2xx",
    [COUNT_STATUS_3XX] = "status_3xx",
    [COUNT_STATUS_4XX] = "status_4xx",
    [COUNT_STATUS_5XX] = "status_5xx",
    [COUNT_UPSTREAM_CONNECTS] = "upstream_connects",
    [COUNT_UPSTREAM_REUSES] = "upstream_reuses",
    [COUNT_UPSTREAM_RETRIES] = "upstream_retries",
    [COUNT_UPSTREAM_FAILURES] = "upstream_failures",
    [COUNT_TIMEOUTS] = "timeouts",
    [COUNT_RELOADS] = "reloads",
};
_Static_assert(sizeof names / sizeof names[0] == COUNTER_MAX, "a name for each counter");

const char *counter_name(enum counter c)
{
    return names[c];
}
