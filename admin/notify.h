/* SPDX-License-Identifier: MIT
 *
 * Tells whoever started the process how it is (systemd's Type=notify, sd_notify(3)): a datagram to NOTIFY_SOCKET.
 */
#ifndef ADMIN_NOTIFY_H
#define ADMIN_NOTIFY_H

struct notify {
    int fd; /* -1: nobody wants to know */
};

/* Before the process is confined. The variable is unset: it is not for programs that are started later. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

enum notify_state { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING };
void notify_tell(const struct notify *n, enum notify_state state);

#endif
