/* SPDX-License-Identifier: MIT
 *
 * Listening sockets that whoever started the process has opened for it (systemd's socket activation, sd_listen_fds(3)):
 * LISTEN_FDS of them, from descriptor 3, if LISTEN_PID is this process.
 */
#ifndef NET_INHERIT_H
#define NET_INHERIT_H

#include "net/addr.h"

#define INHERITED_MAX 16u

struct inherited {
    unsigned n;
    struct {
        int fd; /* -1: taken */
        struct addr addr;
    } sockets[INHERITED_MAX];
};

/* Finds them, makes them non-blocking and keeps them from programs that are started later; the variables are unset. What
 * listens on no address is closed. */
void inherited_find(struct inherited *in);
/* The one that listens on the address, which is the caller's from then on; -1: there is none. [::] and 0.0.0.0 stand for
 * each other: which of them it is was decided by who opened it. */
int inherited_take(struct inherited *in, const struct addr *addr);
/* Closes what nobody took. `unused` gets the address of each, for the log; may be NULL. */
void inherited_close(struct inherited *in, void (*unused)(const struct addr *addr));

#endif
