/* SPDX-License-Identifier: MIT
 *
 * Lines for people. The authority's words come first; ours add to them, and have their room in the line
 * however long those are.
 */
#include "acme/report.h"

#include "base/log.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define NAMES_SHOWN 5u
#define WHY_MAX \
    640 /* what a line of the log has room for beside all else; more goes on in lines of its own */

const char *report_time(int64_t s, char out[REPORT_TIME])
{
    struct writer w = writer_of(out, REPORT_TIME - 1);

    time_put_iso(&w, s * 1000);
    out[writer_len(&w)] = '\0';
    return out;
}

const char *report_names(const char *const *names, unsigned n, char out[REPORT_NAMES])
{
    struct writer w = writer_of(out, REPORT_NAMES - 1);

    for (unsigned i = 0; i < n && i < NAMES_SHOWN; i++)
        writer_printf(&w, "%s%s", i > 0 ? ", " : "", names[i]);
    if (n > NAMES_SHOWN)
        writer_printf(&w, " and %u more", n - NAMES_SHOWN);
    out[writer_len(&w)] = '\0';
    return out;
}

/* The likeliest cause among those that we can tell. */
static const char *likely_cause(const struct acme_outcome *o)
{
    bool is_v6 = o->address != NULL && strchr(o->address, ':') != NULL;

    if (o->problem[0] == '\0' && strstr(o->why, "expired or not yet valid") != NULL)
        return "the clock of this machine is wrong";
    if (strcmp(o->problem, "rateLimited") == 0)
        return "the authority limits how often it is asked";
    if (strcmp(o->problem, "caa") == 0)
        return "a CAA record of the name or of a parent forbids this authority, or could not be looked up; proxy --check "
               "NAME says where and what to add there, or take another ca";
    if (strcmp(o->problem, "dns") == 0)
        return "the name does not resolve as it should; look at its A and AAAA records";
    if (strcmp(o->problem, "rejectedIdentifier") == 0)
        return "the authority does not issue for this name";
    if (strcmp(o->problem, "externalAccountRequired") == 0)
        return "the authority wants external-account KEY-ID HMAC-KEY in acme { }";
    if (o->name != NULL && o->asked > 0)
        return "it asked here and got the right answer, so another of its requests went to another server: is there a "
               "second address (AAAA) for the name?";
    if (o->name == NULL && o->address == NULL) /* not about a challenge: an account may be unauthorized too */
        return NULL;
    if (strcmp(o->problem, "connection") == 0)
        return is_v6
                   ? "nothing that asked for the challenge reached this proxy by IPv6: port 80 of that address must "
                     "lead here, or the name's AAAA record must go"
                   : "nothing that asked for the challenge reached this proxy: port 80 of that address must lead here";
    if (strcmp(o->problem, "unauthorized") == 0 || strcmp(o->problem, "incorrectResponse") == 0)
        return is_v6
                   ? "another server answered at that address: does the name's AAAA record point to this machine?"
                   : "another server answered at that address: does the name point to this machine?";
    return NULL;
}

void report_failure(const char *name, const struct acme_outcome *o, const struct schedule *schedule)
{
    const char *cause = likely_cause(o);
    const char *about = o->name != NULL ? o->name : name;
    size_t n = strlen(o->why);
    char next[REPORT_TIME], tried[80] = "";

    if (o->address != NULL)
        snprintf(tried, sizeof tried, " (address tried: %.45s)", o->address);
    log_error("acme: %s: %.*s%s%s%s%s; try %u failed, the next is not before %s", about, WHY_MAX, o->why,
              n > WHY_MAX ? "..." : "", tried, cause != NULL ? "; likely: " : "", cause != NULL ? cause : "",
              schedule->failures, report_time(schedule->next_try, next));
    for (size_t at = WHY_MAX; at < n; at += WHY_MAX)
        log_error("acme: %s: ...%.*s", about, WHY_MAX, o->why + at);
}
