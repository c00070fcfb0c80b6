/* SPDX-License-Identifier: MIT
 *
 * What answers a request: refused, answered here, or passed to an upstream. Private to relay/.
 */
#ifndef RELAY_DISPATCH_H
#define RELAY_DISPATCH_H

struct exchange;

/* Decides by the request's head, and begins the answer. */
void dispatch(struct exchange *x);

#endif
