/* SPDX-License-Identifier: MIT
 *
 * What the log says of orders: for people, who have to know what to do.
 */
#ifndef ACME_REPORT_H
#define ACME_REPORT_H

#include "acme/order.h"
#include "acme/schedule.h"

#define REPORT_TIME  32u
#define REPORT_NAMES 512u

/* "2026-11-26T09:30:00.000Z"; returns out. */
const char *report_time(int64_t s, char out[REPORT_TIME]);
/* "a.example, b.example and 7 more"; returns out. */
const char *report_names(const char *const *names, unsigned n, char out[REPORT_NAMES]);
/* A try failed: which name, what the authority said, which address it tried, what is probably wrong, when the next try
 * is. `name` is the site's, for outcomes that are about none in particular. */
void report_failure(const char *name, const struct acme_outcome *outcome, const struct schedule *schedule);

#endif
