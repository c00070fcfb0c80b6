/* SPDX-License-Identifier: MIT
 *
 * How many connections each client address has (IPv6 by its /64), for the cap. A hash table keyed at random, so
 * that nobody can choose addresses that collide; an address with none takes no room.
 */
#ifndef RELAY_ADDRESS_COUNTS_H
#define RELAY_ADDRESS_COUNTS_H

#include "net/addr.h"

struct address_counts;

struct address_counts *address_counts_new(void); /* NULL when out of memory */
void address_counts_free(struct address_counts *t);
/* One more from this address, unless it has `cap` already or memory is out: false then. */
bool address_counts_enter(struct address_counts *t, const struct addr *a, unsigned cap);
void address_counts_leave(struct address_counts *t, const struct addr *a);
unsigned address_counts_of(const struct address_counts *t, const struct addr *a);

#endif
