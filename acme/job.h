/* SPDX-License-Identifier: MIT
 *
 * One site's certificate: when it is to be asked for, how the last tries went, and what somebody asked for by hand.
 */
#ifndef ACME_JOB_H
#define ACME_JOB_H

#include "acme/ari.h"
#include "acme/schedule.h"
#include "conf/conf.h"
#include "tls/identity.h"

#include <sys/stat.h>

/* By hand: done as soon as nothing else is under way, whatever the schedule says. */
enum wish { WISH_NONE, WISH_ORDER, WISH_REVOKE };

struct job {
    struct job *next;
    char **names;
    unsigned n;
    unsigned site; /* its number in the configuration */
    struct schedule schedule;
    int64_t due;       /* when its certificate is to be asked for, were there no failures; 0: at once */
    int64_t not_after; /* of the certificate that `due` is about; 0: there is none */
    char *problem;     /* of the last try; NULL: none */
    struct stat file;  /* the chain's, as it was looked at last; zeros: not there */
    bool is_tested;    /* a trial passed: the next try is a real one */
    enum wish wish;
    int reason; /* of WISH_REVOKE (acme/revocation.h) */
};

/* For that site, with what the state keeps of it. NULL when out of memory. */
struct job *job_new(const struct conf *conf, unsigned site);
void jobs_free(struct job *list);
/* Takes the job with exactly the site's names out of the list. NULL: there is none. */
struct job *jobs_take(struct job **list, const struct conf_site *site);
/* One for each of conf's sites that are for an authority: those of `before` that are for the same names are taken from
 * there. False when out of memory; *jobs is freed by the caller either way. */
bool jobs_of(const struct conf *conf, struct job **before, struct job **jobs);
bool jobs_have(const struct job *list, const struct job *job);
/* The one that has this name among its own, in any case. */
struct job *jobs_find(struct job *list, struct bytes name);

/* Finds out when the certificate is to be renewed, by what the site has now: `id` (NULL: nothing). */
void job_set_due(struct job *job, const struct tls_identity *id);
/* Then it is due, as long as the site has what it has now (a certificate, or none), over a restart too. */
void job_put_off(struct job *job, int64_t until);
/* The authority's wish when to renew (RFC 9773 §4.2): a moment in the window is chosen, but one that was chosen before
 * stays while it is in there. A window that begins when the certificate has ended is not followed. `explanation` may be
 * NULL. */
void job_take_window(struct job *job, const struct ari_window *window, const char *explanation);
/* Not before; seconds since 1970. */
int64_t job_next_try(const struct job *job, int64_t now);

/* How a try went. */
void job_failed(struct job *job, const char *why, int64_t retry_after);
void job_succeeded(struct job *job);
/* Takes what the state keeps, where that says a later next try: another process was here. Not what was asked for by hand. */
void job_reload(struct job *job, const char *state);
/* Keeps the schedule in the state. 0, or errno. */
int job_save(const struct job *job, const char *state);
/* Is the chain in the state another file than at the last look? */
bool job_has_changed(struct job *job, const char *state);

/* As a JSON object. `doing` is its state, if something is under way; else NULL. */
void job_put_status(struct writer *w, const struct job *job, const char *doing);

#endif
