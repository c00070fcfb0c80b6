/* SPDX-License-Identifier: MIT
 *
 * After start the process gives up what it no longer needs: root, new privileges, system calls it never makes, and
 * files outside of its folders. Each step is taken where the kernel has it and is one log line either way; a
 * unikernel has none of them.
 */
#ifndef ADMIN_CONFINE_H
#define ADMIN_CONFINE_H

#include "conf/conf.h"

/* Call once, after listeners are bound and keys are read, before the first client. False when a step that is there
 * failed in a way that leaves us with more rights than the configuration says (root stayed root): the reason is
 * in e and the program should end. */
bool confine(const struct conf *conf, struct conf_errors *e);

/* What confine would refuse, found out without doing anything: the user to become does not exist. */
bool confine_check(const struct conf *conf, struct conf_errors *e);

/* Becomes the user that confine becomes, with none of root's rights left: for a program that is started beside the proxy.
 * True also where there is nothing to give up; false with errno. */
bool confine_become_user(const struct conf *conf);

#endif
