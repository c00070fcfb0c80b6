/* SPDX-License-Identifier: MIT
 *
 * Two clocks. Monotonic milliseconds for timeouts; wall-clock seconds for certificates and logs, with a
 * floor: boards boot in 1970, so what the clock says below the floor (build time at first, raised by what
 * is found on disk) is known to be wrong. Seconds are 64-bit everywhere.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/bytes.h"

uint64_t time_mono_ms(void);
uint64_t time_mono_us(void);

int64_t time_wall(void); /* seconds since 1970 UTC, as the system says */
int64_t time_wall_ms(void);

/* The same clocks as the kernel read them at its last tick, up to 10 ms ago: a few loads, where the others ask the
 * processor's counter, or the hypervisor. For what is done for each request and each record. One of these is only ever
 * held against another of its kind. */
uint64_t time_mono_coarse_ms(void);
int64_t time_wall_coarse(void);

void time_raise_floor(int64_t s); /* the floor only rises */
int64_t time_floor(void);
bool time_is_sane(void); /* the wall clock is at or above the floor */

/* Proleptic Gregorian, UTC. */
struct civil {
    int year, month, day, hour, minute, second, weekday; /* month 1-12, weekday 0 is Sunday */
};
struct civil time_civil(int64_t s);
int64_t time_from_civil(const struct civil *c); /* fields in range; leap seconds count as :59 */

void time_put_iso(struct writer *w, int64_t ms); /* 2026-11-21T02:16:09.123Z */
void time_put_date(struct writer *w, int64_t s); /* 2026-11-21 */
void time_put_http(struct writer *w, int64_t s); /* Sat, 21 Nov 2026 02:16:09 GMT (RFC 9110 §5.6.7) */
void time_put_clf(struct writer *w, int64_t s);  /* 21/Nov/2026:02:16:09 +0000 */

#endif
