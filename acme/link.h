/* SPDX-License-Identifier: MIT
 *
 * Links in a response's head (RFC 8288 §3): where an authority offers other chains (RFC 8555 §7.4.2).
 */
#ifndef ACME_LINK_H
#define ACME_LINK_H

#include "base/bytes.h"
#include "http/head.h"

/* Takes the next link off a Link field's value: what stands in <>, and the value of its first `rel` ("" when it has
 * none), without quotes. False at the end, and at what is no link. All borrow. */
bool link_next(struct bytes *value, struct bytes *url, struct bytes *rel);

/* The i-th (from 0) https URL with the relation "alternate" in the head's Link fields; empty when there is none. */
struct bytes link_alternate(const struct http_head *head, unsigned i);

#endif
