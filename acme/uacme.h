/* SPDX-License-Identifier: MIT
 *
 * The other way to get certificates: the program uacme, run with the state folder as its own, for who ships it already. A
 * confined process cannot start programs, so a helper is forked before; it runs uacme and nothing else, as the user that
 * the proxy becomes. uacme calls this program as its hook, which leaves a challenge's answer in STATE/challenge/.
 */
#ifndef ACME_UACME_H
#define ACME_UACME_H

#include "conf/conf.h"
#include "net/loop.h"

struct uacme;

/* Forks the helper, before there are sockets or threads. `become` is called in the process that becomes uacme, to give up
 * what it must not have; false there ends it. NULL with errno. */
struct uacme *uacme_fork(const char *program, bool (*become)(const void *ctx), const void *ctx);
/* Lets the helper end, with what it runs. NULL is fine. */
void uacme_free(struct uacme *u);
/* From now on its words are heard. Before the first run; false when out of memory. */
bool uacme_watch(struct uacme *u, struct loop *loop);

enum uacme_end {
    UACME_ISSUED = 0,
    UACME_NOT_DUE = 1, /* what is in the folder is good, it says */
    UACME_FAILED = 2,
    UACME_GONE = -1, /* the helper has ended */
};
/* `said`: uacme's last line, or what went wrong else. */
typedef void uacme_done(void *owner, enum uacme_end end, const char *said);

struct uacme_request {
    const struct conf_acme *acme;
    const char *directory, *state;
    const char *answers; /* the state where the proxy looks for challenges, which is not that of a trial */
    const char *const *names;
    unsigned n;
};
/* Obtains a certificate, with an account made before if there is none. Its lines go into the log. One at a time; `done`
 * comes later. False when out of memory, when it cannot be told, or while a run that was cancelled goes on. */
bool uacme_run(struct uacme *u, const struct uacme_request *rq, uacme_done *done, void *owner);
void uacme_cancel(struct uacme *u); /* `done` is not called any more; what runs goes on to its end */

/* Is this program called as uacme's hook? Then its exit status, else -1. */
int uacme_hook(int argc, char *const *argv);

#endif
