/* SPDX-License-Identifier: MIT
 *
 * What the program does besides serving, and ends: asks the process that serves, or does without it. Each returns the
 * status to exit with (0: good, 1: not, 2: it cannot be asked for so) and says on standard output and error how it went.
 */
#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

#include "conf/conf.h"

/* proxy --health: does the process that serves say that it does? */
int command_health(const struct conf *conf);

/* proxy acme status|issue|renew|revoke ...: by the process that serves if there is one, by its control socket; else here,
 * with the same state and the ports for as long as it takes. */
int command_acme(struct conf *conf, const char *const *words, unsigned n);

/* proxy --check NAME[:PORT]: what would keep a certificate from coming (acme/check.h). */
int command_check(struct conf *conf, const char *name);

/* proxy keygen TYPE [NAME]: a private key, on standard output, or as the one that the site of that name gets its next
 * certificate for. */
int command_keygen(const struct conf *conf, const char *const *words, unsigned n);

#endif
