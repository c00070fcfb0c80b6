/* SPDX-License-Identifier: MIT
 *
 * One process at a time issues for a state folder: others that share it wait, and pick up what it obtained. By flock of
 * STATE/.lock; where the folder knows no locks (a network's, a unikernel's), by a lease in STATE/.lease that runs out by
 * itself. Two who take a lease at the same moment may both believe that they have it: that costs a second order, and
 * tears nothing.
 */
#ifndef ACME_LOCK_H
#define ACME_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#define LOCK_LEASE 900 /* seconds: longer than any order */

enum lock_state {
    LOCK_HELD,
    LOCK_CLAIMED, /* a lease was written; whoever else wrote one at the same time is seen when this is asked again */
    LOCK_BUSY,
};

struct lock {
    int fd;        /* -1: not by flock */
    bool is_lease; /* held, or claimed */
    char id[33];   /* whose lease it is */
};

void lock_init(struct lock *l);
/* Takes it, or keeps it: a lease that is held begins anew. Where the folder cannot be written the lock is held: an order
 * says better what is wrong. `now` is in seconds since 1970. */
enum lock_state lock_take(struct lock *l, const char *state, int64_t now);
/* The way of the lease alone. */
enum lock_state lock_take_lease(struct lock *l, const char *state, int64_t now);
void lock_drop(struct lock *l, const char *state); /* fine when it is not held */

#endif
