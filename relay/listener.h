/* SPDX-License-Identifier: MIT
 *
 * Listening sockets: which there are, accepting, and the caps. Private to relay/.
 */
#ifndef RELAY_LISTENER_H
#define RELAY_LISTENER_H

#include "relay/state.h"

/* Binds what conf asks for and is not there yet. Nothing is closed and nothing accepts until listeners_commit; on
 * failure what was bound is given back. Errors name the port, its holder where that can be known, and what would
 * give the right to bind it. */
bool listeners_prepare(struct relay *r, const struct conf *conf, struct conf_errors *e);
/* Makes what listeners_prepare bound accept, and closes what conf no longer has. */
void listeners_commit(struct relay *r, const struct conf *conf);
void listeners_close(struct relay *r);
/* A connection has closed: accept again if we had paused. */
void listener_resume(struct relay *r);

#endif
