/* SPDX-License-Identifier: MIT
 *
 * When a certificate is to be asked for, and what must not be forgotten over a restart: failures, and the time before
 * which nothing is tried (an authority counts tries, RFC 8555 §6.6). Seconds since 1970.
 */
#ifndef ACME_SCHEDULE_H
#define ACME_SCHEDULE_H

#include "base/bytes.h"

/* Of one site, in STATE/NAME/schedule; a zeroed one has nothing against a try. */
struct schedule {
    unsigned failures; /* in a row */
    int64_t next_try;  /* not before: after failures, or an hour after a success */
    /* By renewal information (RFC 9773), or after a trial; of the certificate that ends at `not_after`, which is 0 where
     * there is none. 0: nothing is said. */
    int64_t renew_at;
    int64_t ask_at; /* when to ask for it again */
    int64_t not_after;
    /* Until when the authority (0), and the one to fall back on (1), want to be left alone. Of no account where there is
     * none to fall back on: then next_try says it. */
    int64_t limited[2];
};

/* What cannot be read is as if nothing had been kept. */
void schedule_load(struct schedule *s, const char *state, const char *name);
/* 0, or errno; what could not be kept is said by the caller. */
int schedule_save(const struct schedule *s, const char *state, const char *name);

/* After a failure: one more, and the next try after 1, 10, 100 minutes, then a day, each up to a quarter longer; not
 * before `retry_after` (0: the authority did not say). `random` is any 32 bits. */
void schedule_failed(struct schedule *s, int64_t now, int64_t retry_after, uint32_t random);
void schedule_succeeded(struct schedule *s); /* the limits stay: the other authority's may be among them */
/* Where there are two: the one that was tried, the other or not, wants to be left alone until then (0: it does not say).
 * Returns until when neither can be asked. */
int64_t schedule_limit(struct schedule *s, bool other, int64_t until);
/* Is the next try the other's? Each has every other one, but for one that wants to be left alone. */
bool schedule_is_others_turn(const struct schedule *s, int64_t now);
/* Before when nothing is tried, if the clock is right: next_try, but for one further ahead than any pause can be. A clock
 * that was wrong left it, and there would be no try for years; it counts as none. */
int64_t schedule_next(const struct schedule *s, int64_t now);

/* When to renew without renewal information: with a third of the lifetime left, half of one below ten days; earlier by up
 * to a sixtieth of it, as `random` says, so that not all come at once. */
int64_t schedule_renewal(int64_t not_before, int64_t not_after, uint32_t random);

#endif
