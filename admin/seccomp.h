/* SPDX-License-Identifier: MIT
 *
 * The system calls a running proxy makes; every other one answers EPERM. In particular: no exec, no fork, no
 * ptrace, no mount, no module.
 */
#ifndef ADMIN_SECCOMP_H
#define ADMIN_SECCOMP_H

#include <stdbool.h>

/* Installs the filter (no-new-privileges must be set). False with errno when the kernel has none. */
bool seccomp_install(void);

#endif
