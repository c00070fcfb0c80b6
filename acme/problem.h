/* SPDX-License-Identifier: MIT
 *
 * Problem documents (RFC 7807) as ACME has them (RFC 8555 §6.7).
 */
#ifndef ACME_PROBLEM_H
#define ACME_PROBLEM_H

#include "acme/json.h"

/* The problem in one line for people: its detail, or its type where it has none, and those of its subproblems with the
 * names they are about. The type without its prefix goes to `type` ("" when it is no ACME type). Allocated; NULL when
 * out of memory. Bytes that no line should have are left out. */
char *acme_problem_text(const struct json *j, int problem, char *type, size_t size);

#endif
