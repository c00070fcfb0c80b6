/* SPDX-License-Identifier: MIT
 *
 * Landlock (Linux 5.13): from a point on, files can be opened only below the folders that were named.
 */
#ifndef ADMIN_LANDLOCK_H
#define ADMIN_LANDLOCK_H

#include <stdbool.h>

struct landlock {
    int fd; /* -1: the kernel has none */
    int abi;
};

/* False with errno when the kernel has none. */
bool landlock_begin(struct landlock *l);
/* Lets a file or folder be read, or read and written. What is not there is passed over. */
void landlock_allow(struct landlock *l, const char *path, bool writable);
/* From here on (no-new-privileges must be set). False with errno. */
bool landlock_enforce(struct landlock *l);

#endif
