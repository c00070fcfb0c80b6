/* SPDX-License-Identifier: MIT
 *
 * The first process of a machine that has nothing else: a microVM's /init, out of an initramfs that image/initramfs.py
 * writes. It mounts, loads modules, brings up the network (admin/network.h) and starts the proxy as another process, which
 * gives up its rights as anywhere. What stays is root, with no socket that a stranger reaches: it waits for the proxy's end
 * and then turns the machine off, since a kernel whose first process ends panics.
 */
#ifndef ADMIN_INIT_H
#define ADMIN_INIT_H

#include <stdbool.h>

/* Are we that process? Not a container's first: there is no /modules/order in it. */
bool init_needed(void);
/* Returns in the process that is to be the proxy, and there alone. What goes wrong before is said, and the machine turned
 * off. */
void init_start(void);

#endif
