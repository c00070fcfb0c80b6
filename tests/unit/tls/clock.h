/* SPDX-License-Identifier: MIT
 *
 * Both clocks in the hands of a test: this takes the place of the libc's function, so one file of a program includes
 * it. They stand still until they are moved.
 */
#ifndef TESTS_UNIT_TLS_CLOCK_H
#define TESTS_UNIT_TLS_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds. */
static int64_t clock_mono = 5000000, clock_wall = 1800000000000;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int64_t ms = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? clock_wall : clock_mono;

    ts->tv_sec = (time_t)(ms / 1000);
    ts->tv_nsec = (long)(ms % 1000 * 1000000);
    return 0;
}

__attribute__((unused)) static void clock_pass(int64_t ms)
{
    clock_mono += ms;
    clock_wall += ms;
}

#endif
