/* SPDX-License-Identifier: MIT
 *
 * Owns the list of sites that want certificates, and the one errand that is under way: sites take turns, so that one that
 * fails holds up no other for longer than its order. `look` is the one place that decides what is next; it runs when an
 * errand ends, when something is due, and once a minute, for what other programs do in the folder and to the clock.
 */
#include "acme/acme.h"

#include "acme/ari.h"
#include "acme/job.h"
#include "acme/lock.h"
#include "acme/order.h"
#include "acme/report.h"
#include "acme/revocation.h"
#include "acme/session.h"
#include "acme/uacme.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "certs/stored.h"
#include "certs/trust.h"
#include "net/dns.h"
#include "version.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MS    (60u * 1000u) /* between two looks when nothing is due */
#define ASK_NONE   86400         /* seconds to the next question to one that has no renewal information */
#define LOCKED_MS  (10u * 1000u) /* while another process issues */
#define CLAIM_MS   2000u         /* for others who claim the same lease to be seen */
#define ISSUED_MIN 3600          /* seconds between two certificates, whatever the authority wishes */
#define RETRIAL    86400         /* seconds between two trials, while the state will be lost */
#define TRIAL      "/.trial"     /* the state of trials, below the state */
#define FAILURES   3u            /* in a row, after which a trial has to pass first */

/* What is under way, for `current`. */
enum errand {
    ERRAND_NONE,
    ERRAND_INFORMATION, /* a question for renewal information */
    ERRAND_ORDER,
    ERRAND_UACME, /* in place of an order */
    ERRAND_REVOCATION,
};

struct acme {
    struct loop *loop;
    struct acme_hooks hooks;
    struct conf *conf; /* NULL until applied */
    struct dns *dns;
    char *trial_state;   /* the folder of trials */
    struct trust *roots; /* of ca-roots, or the compiled in */
    struct trust *named; /* the compiled in, for a fallback that is named; NULL: as the others */
    struct https_context https;
    struct acme_session *session; /* while there is something to do */
    struct challenges *challenges;
    struct job *jobs;
    enum errand errand;
    struct job *current;
    struct acme_order *order; /* of ERRAND_ORDER */
    bool is_trial;            /* the order is one */
    bool is_other;            /* else: it is with the authority to fall back on */
    struct lock lock;
    struct timer timer;
    const char *lost; /* why the state will be lost (file_why_lost); NULL: it will not */
    bool said_clock, said_lock, said_lost;
    bool is_stale; /* conf was applied during an errand: prepare is still to come */
};

static void look(struct acme *a);
static const char *prepare(struct acme *a);

static void begin(struct acme *a, struct job *job, enum errand errand)
{
    assert(a->errand == ERRAND_NONE && errand != ERRAND_NONE);
    a->errand = errand;
    a->current = job;
}

/* Whose errand it was. */
static struct job *end(struct acme *a)
{
    struct job *job = a->current;

    assert(a->errand != ERRAND_NONE);
    a->errand = ERRAND_NONE;
    a->current = NULL;
    a->order = NULL;
    return job;
}

/* Nothing outlasts the process, and nobody said that it should be so: then certificates are for trial alone. */
static bool is_ephemeral(const struct acme *a)
{
    return a->lost != NULL && !a->conf->state_is_ephemeral;
}

static void wait(struct acme *a, uint64_t ms)
{
    (void)timer_set(a->loop, &a->timer, loop_now(a->loop) + ms);
}

static void save(const struct acme *a, const struct job *job)
{
    int error = job_save(job, a->conf->state);

    if (error != 0)
        log_error("acme: %s/%s/schedule: %s; after a restart it would be tried again at once", a->conf->state,
                  job->names[0], strerror(error));
}

/* What was asked for by hand is done, or given up. */
static void end_wish(struct acme *a, struct job *job, bool good)
{
    if (job->wish != WISH_NONE && a->hooks.ended != NULL)
        a->hooks.ended(a->hooks.ctx, job->site, good);
    job->wish = WISH_NONE;
}

/* The one of an authority's that the site has; NULL: none. */
static const struct tls_identity *certificate(const struct acme *a, const struct job *job)
{
    const struct tls_identity *id = a->hooks.identity(a->hooks.ctx, job->site);

    return id != NULL && !id->self_signed ? id : NULL;
}

/* ---- orders ---- */

/* The session with that authority. False when out of memory. */
static bool use_session(struct acme *a, const char *directory, const char *state)
{
    if (a->session != NULL && !acme_session_is_with(a->session, directory)) {
        acme_session_free(a->session);
        a->session = NULL;
    }
    if (a->session == NULL) {
        https_context_release(&a->https); /* that server was known by other roots, perhaps */
        a->https.trust =
            trust_of(directory == a->conf->acme.fallback && a->named != NULL ? a->named : a->roots);
        a->session = acme_session_new(a->loop, &a->https, a->conf, directory, state);
    }
    return a->session != NULL;
}

static void set_due(struct acme *a, struct job *job)
{
    job_set_due(job, certificate(a, job));
}

/* The site has another certificate, whoever obtained it. No authority is asked in a circle, whatever it says of when to
 * renew; but half of a very short lifetime goes before. */
static void take_new(struct acme *a, struct job *job)
{
    int64_t now = time_wall(), pause;

    job_succeeded(job);
    set_due(a, job);
    pause = job->due - now;
    job->schedule.next_try = now + (pause > 0 && pause < ISSUED_MIN ? pause : ISSUED_MIN);
}

/* Where the certificate itself would be lost it is not ordered; one for trial would be in its place for months. */
static void on_trial(struct acme *a, struct job *job)
{
    bool is_all = is_ephemeral(a);

    log_info("acme: %s: the trial passed; %s", job->names[0],
             is_all ? "the state folder has to last for more" : "now the certificate itself");
    job->is_tested = !is_all;
    job->schedule.next_try = 0;
    if (is_all) {
        take_new(a, job);
        job_put_off(job, time_wall() + RETRIAL);
        end_wish(a, job, false);
    }
}

/* A process that serves goes on trying; one that was started for this alone is to end. */
static void on_failed(struct acme *a, struct job *job, const struct acme_outcome *outcome)
{
    bool is_of_two = a->conf->acme.fallback != NULL && !a->is_trial;
    int64_t until = outcome->retry_after;

    job_failed(job, outcome->why, is_of_two ? schedule_limit(&job->schedule, a->is_other, until) : until);
    report_failure(job->names[0], outcome, &job->schedule);
    if (a->hooks.by_hand)
        end_wish(a, job, false);
}

static void fail(struct acme *a, struct job *job, const char *why)
{
    on_failed(a, job, &(struct acme_outcome){.why = why, .problem = ""});
}

/* What cannot be used is no success, or it would be ordered again and again. Another certificate has to be there, for all
 * names; but what uacme obtained may have been found before uacme has ended. */
static void on_issued(struct acme *a, struct job *job)
{
    bool is_new = a->hooks.adopt(a->hooks.ctx, job->site);
    char until[REPORT_TIME];

    set_due(a, job);
    if (job->not_after == 0 || !(is_new || (a->hooks.uacme != NULL && job->due > time_wall()))) {
        fail(a, job, "the certificate came, and cannot be used");
        return;
    }
    take_new(a, job);
    log_info("acme: %s: a new certificate, until %s", job->names[0], report_time(job->not_after, until));
    end_wish(a, job, true);
}

static void on_order(void *owner, const struct acme_outcome *outcome)
{
    struct acme *a = owner;
    struct job *job = end(a);

    if (outcome->why != NULL)
        on_failed(a, job, outcome);
    else if (a->is_trial)
        on_trial(a, job);
    else
        on_issued(a, job);
    save(a, job);
    look(a);
}

/* What uacme said last stands for the authority's words, which it repeats. */
static void on_uacme(void *owner, enum uacme_end end, const char *said)
{
    bool good = end == UACME_ISSUED || end == UACME_NOT_DUE;

    on_order(owner, &(struct acme_outcome){.why = good ? NULL : said, .problem = ""});
}

/* ---- renewal information ---- */

/* "" when the site has no certificate of an authority's. */
static const char *certificate_id(struct acme *a, const struct job *job, char *out, size_t size)
{
    const struct tls_identity *id = certificate(a, job);
    struct writer w = writer_of(out, size - 1);
    bool good = id != NULL && ari_certificate_id(&w, bytes_of(id->chain[0].data, id->chain[0].data_len));

    out[good ? writer_len(&w) : 0] = '\0';
    return out;
}

static void on_information(void *owner, const struct acme_reply *r)
{
    struct acme *a = owner;
    struct job *job = end(a);
    int64_t now = time_wall(), ask_at = ari_ask_at(r->retry_after, now);
    struct ari_window window;

    job_reload(job, a->conf->state); /* or what another process has kept would be written over */
    if (r->why == NULL && r->json != NULL && ari_parse(r->json, &window)) {
        char *explanation = ari_explanation(r->json);

        job_take_window(job, &window, explanation);
        mem_free(explanation);
    } else {
        ask_at = now + ASK_NONE; /* this authority has none, or none today */
    }
    job->schedule.ask_at = ask_at;
    save(a, job);
    look(a);
}

/* True when it asks now. */
static bool ask_information(struct acme *a, struct job *job)
{
    char id[256];

    if (job->due == 0 || job->wish != WISH_NONE || job->schedule.ask_at > time_wall() || is_ephemeral(a) ||
        a->hooks.uacme != NULL || a->hooks.by_hand || certificate_id(a, job, id, sizeof id)[0] == '\0' ||
        !use_session(a, a->conf->acme.directory, a->conf->state))
        return false;
    begin(a, job, ERRAND_INFORMATION);
    acme_session_call(a->session, ACME_RENEWAL_INFO, bytes_str(id), on_information, a);
    return true;
}

/* ---- revocation ---- */

/* The next certificate gets another key. What is served stays until it is here: it is as good as any for the time
 * being, and most clients do not ask. */
static void on_revoked(void *owner, const struct acme_reply *r)
{
    struct acme *a = owner;
    struct job *job = end(a);
    bool good = r->why == NULL || strcmp(r->problem, "alreadyRevoked") == 0;
    int error = good ? stored_put_away(a->conf->state, job->names[0], time_wall()) : 0;

    if (!good)
        log_error("acme: %s: the certificate was not revoked: %s", job->names[0], r->why);
    else if (error != 0)
        log_error("acme: %s: revoked, but its files cannot be put away: %s; move them yourself",
                  job->names[0], strerror(error));
    else
        log_info("acme: %s: the certificate is revoked, and put away with its key", job->names[0]);
    end_wish(a, job, good && error == 0);
    if (good && error == 0) {
        job->due = 0;
        job->schedule.next_try = 0;
        save(a, job);
    }
    look(a);
}

/* False when out of memory. RFC 8555 §7.6, with the account's key. */
static bool ask_revocation(struct acme *a, struct job *job, struct bytes certificate)
{
    size_t cap = certificate.n * 4 / 3 + 64;
    char *text = mem_alloc(cap);
    struct writer w = writer_of(text, text != NULL ? cap : 0);
    const char *directory = a->conf->acme.directory;
    bool good = revocation_put(&w, certificate, job->reason) && use_session(a, directory, a->conf->state);

    if (good) {
        begin(a, job, ERRAND_REVOCATION);
        log_info("acme: %s: revoking the certificate at %s", job->names[0], directory);
        acme_session_call(a->session, ACME_REVOKE_CERT, bytes_of(text, writer_len(&w)), on_revoked, a);
    }
    mem_free(text);
    return good;
}

/* A reload may have taken the certificate away since it was asked for. */
static void revoke(struct acme *a, struct job *job)
{
    const struct tls_identity *id = certificate(a, job);

    if (id != NULL && ask_revocation(a, job, bytes_of(id->chain[0].data, id->chain[0].data_len)))
        return;
    log_error("acme: %s: the certificate was not revoked: %s", job->names[0],
              id != NULL ? "out of memory" : "it is not there any more");
    end_wish(a, job, false);
    wait(a, LOOK_MS);
}

/* ---- beginning an order ---- */

/* Where an order is made: after failures in a row at the staging directory, where the next ones count for nothing, until
 * one passes, and always where the state will be lost; its state is apart. Where there is another authority to fall back
 * on, it has its turns. */
static const char *choose_directory(struct acme *a, const struct job *job)
{
    const struct conf_acme *ca = &a->conf->acme;
    bool has_failed = job->schedule.failures >= FAILURES && !job->is_tested;

    a->is_trial = ca->staging != NULL && (has_failed || is_ephemeral(a));
    a->is_other = ca->fallback != NULL && schedule_is_others_turn(&job->schedule, time_wall());
    return a->is_trial ? ca->staging : a->is_other ? ca->fallback : ca->directory;
}

/* A try that cannot be remembered would be made again at each start, and its certificate could not be kept either. */
static bool can_keep(struct acme *a, struct job *job)
{
    int error = job_save(job, a->conf->state);
    char why[PATH_MAX + 128];

    if (error == 0)
        return true;
    snprintf(why, sizeof why, "%s/%s/schedule: %s; nothing is ordered before it can be written",
             a->conf->state, job->names[0], strerror(error));
    fail(a, job, why);
    wait(a, 0);
    return false;
}

static void start(struct acme *a, struct job *job)
{
    const struct conf_acme *ca = &a->conf->acme;
    const char *directory = choose_directory(a, job);
    struct acme_order_request rq = {.names = (const char *const *)job->names,
                                    .n = job->n,
                                    .state = a->is_trial ? a->trial_state : a->conf->state,
                                    .profile = directory != ca->fallback ? ca->profile : NULL,
                                    .is_trial = a->is_trial,
                                    .preferred_chain = ca->preferred_chain};
    char names[REPORT_NAMES], id[256];
    bool runs = false;

    if (!can_keep(a, job))
        return;
    if (!a->is_trial && job->schedule.renew_at > 0 && job->schedule.not_after == job->not_after &&
        job->due > 0)
        rq.replaces = certificate_id(a, job, id, sizeof id)[0] != '\0' ? id : NULL;
    if (a->hooks.uacme != NULL)
        runs = uacme_run(a->hooks.uacme,
                         &(struct uacme_request){.acme = ca,
                                                 .directory = directory,
                                                 .state = rq.state,
                                                 .answers = a->conf->state,
                                                 .names = rq.names,
                                                 .n = rq.n},
                         on_uacme, a);
    else if (use_session(a, directory, rq.state))
        a->order = acme_order_new(a->loop, a->session, a->challenges, &rq, on_order, a);
    if (!runs && a->order == NULL) {
        log_error("acme: an order cannot be begun: %s",
                  a->hooks.uacme ? "uacme is busy, or its helper gone" : "out of memory");
        wait(a, LOOK_MS);
        return;
    }
    begin(a, job, runs ? ERRAND_UACME : ERRAND_ORDER);
    job->is_tested = false;
    log_info("acme: ordering a certificate for %s from %s%s", report_names(rq.names, rq.n, names),
             directory == ca->directory ? ca->name : directory,
             a->is_trial && !is_ephemeral(a) ? ", as a trial after failures" : "");
}

/* ---- what is next ---- */

/* What another program put into the folder. */
static void adopt(struct acme *a, struct job *job)
{
    char until[REPORT_TIME];

    if (!job_has_changed(job, a->conf->state) || !a->hooks.adopt(a->hooks.ctx, job->site))
        return;
    take_new(a, job);
    log_info("acme: %s: the certificate in %s was renewed by another program, until %s", job->names[0],
             a->conf->state, report_time(job->not_after, until));
}

/* Nothing is issued by a clock that is known to be wrong: validity and tries would be counted by it. */
static bool clock_is_wrong(struct acme *a)
{
    if (time_is_sane()) {
        if (a->said_clock)
            log_info("acme: the clock is right now");
        a->said_clock = false;
        return false;
    }
    if (!a->said_clock)
        log_warn(
            "acme: the clock is wrong (it is before what this machine has seen already); no certificate is "
            "ordered until it is set");
    a->said_clock = true;
    return true;
}

static void rest(struct acme *a, uint64_t ms)
{
    acme_session_free(a->session); /* its directory is read anew next time */
    a->session = NULL;
    lock_drop(&a->lock, a->conf->state);
    wait(a, ms);
}

/* The one whose turn is first; NULL: there is none. */
static struct job *first_job(const struct acme *a, int64_t now)
{
    struct job *first = NULL;

    for (struct job *job = a->jobs; job != NULL; job = job->next)
        if ((job->wish != WISH_NONE || !a->hooks.by_hand) &&
            (first == NULL || job_next_try(job, now) < job_next_try(first, now)))
            first = job;
    return first;
}

/* What this process knew before it had the lock may be old: another one may have issued it, or failed and have to pause. */
static void proceed(struct acme *a, struct job *job)
{
    int64_t now = time_wall();

    adopt(a, job);
    job_reload(job, a->conf->state);
    if (job_next_try(job, now) > now)
        wait(a, 0);
    else if (job->wish == WISH_REVOKE)
        revoke(a, job);
    else
        start(a, job);
}

static void take_turn(struct acme *a, struct job *job)
{
    switch (lock_take(&a->lock, a->conf->state, time_wall())) {
    case LOCK_HELD:
        a->said_lock = false;
        proceed(a, job);
        break;
    case LOCK_CLAIMED: wait(a, CLAIM_MS); break;
    case LOCK_BUSY:
        if (!a->said_lock)
            log_info("acme: another process issues for %s; waiting for it", a->conf->state);
        a->said_lock = true;
        rest(a, LOCKED_MS);
    }
}

static void look(struct acme *a)
{
    struct job *first;
    int64_t now = time_wall(), pause;
    const char *why;

    if (a->errand != ERRAND_NONE)
        return;
    if (a->is_stale && (why = prepare(a)) != NULL) {
        log_error("acme: ca-roots: %s; nothing is ordered before that can be used", why);
        rest(a, LOOK_MS);
        return;
    }
    if (clock_is_wrong(a)) {
        rest(a, LOCKED_MS);
        return;
    }
    for (struct job *job = a->jobs; job != NULL; job = job->next)
        if (ask_information(a, job))
            return;
    first = first_job(a, now);
    pause = first != NULL ? job_next_try(first, now) - now : LOOK_MS / 1000;
    if (pause > 0)
        rest(a, pause < (int64_t)(LOOK_MS / 1000) ? (uint64_t)pause * 1000 : LOOK_MS);
    else
        take_turn(a, first);
}

static void on_timer(struct timer *timer)
{
    struct acme *a = (struct acme *)(void *)((char *)timer - offsetof(struct acme, timer));

    for (struct job *job = a->jobs; job != NULL && a->errand == ERRAND_NONE; job = job->next)
        adopt(a, job);
    look(a);
}

/* ---- the face ---- */

struct acme *acme_new(struct loop *loop, const struct acme_hooks *hooks)
{
    struct acme *a = mem_zalloc(sizeof *a);

    if (a == NULL)
        return NULL;
    a->loop = loop;
    a->hooks = *hooks;
    a->timer.fired = on_timer;
    lock_init(&a->lock);
    return a;
}

static void stop_errand(struct acme *a)
{
    switch (a->errand) {
    case ERRAND_NONE: return;
    case ERRAND_INFORMATION:
    case ERRAND_REVOCATION: acme_session_cancel(a->session); break;
    case ERRAND_ORDER: acme_order_cancel(a->order); break;
    case ERRAND_UACME: uacme_cancel(a->hooks.uacme); break;
    }
    (void)end(a);
}

void acme_free(struct acme *a)
{
    if (a == NULL)
        return;
    stop_errand(a);
    timer_clear(a->loop, &a->timer);
    acme_session_free(a->session);
    https_context_release(&a->https);
    challenges_free(a->challenges);
    dns_free(a->dns);
    trust_free(a->roots);
    trust_free(a->named);
    mem_free(a->trial_state);
    jobs_free(a->jobs);
    if (a->conf != NULL)
        lock_drop(&a->lock, a->conf->state);
    conf_unref(a->conf);
    mem_free(a);
}

static bool wants_any(const struct conf *conf)
{
    for (unsigned i = 0; i < conf->site_count; i++)
        if (conf->sites[i].tls == CONF_TLS_ACME)
            return true;
    return false;
}

bool acme_check(const struct conf *conf, struct conf_errors *e)
{
    const char *why = NULL;
    struct trust *trust;

    if (conf->acme.ca_roots == NULL || !wants_any(conf))
        return true;
    trust = trust_load_file(conf->acme.ca_roots, &why);
    if (trust == NULL)
        conf_error(e, conf->acme.ca_roots_place, "ca-roots", "%s: %s", conf->acme.ca_roots, why);
    trust_free(trust);
    return trust != NULL;
}

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 1;
    char *path = mem_alloc(size);

    if (path != NULL)
        snprintf(path, size, "%s%s", folder, name);
    return path;
}

/* Where nothing outlasts the process, each start would cost a certificate, and an authority gives few of the same. */
static void say_if_ephemeral(struct acme *a)
{
    if (is_ephemeral(a) && !a->said_lost)
        log_error(
            "acme: the state folder %s %s: a restart would order all certificates anew, which authorities "
            "soon refuse; %smount a volume there, or say `state ephemeral`",
            a->conf->state, a->lost,
            a->conf->acme.staging != NULL ? "until then orders are trials, at staging; " : "");
    a->said_lost = is_ephemeral(a);
}

/* Everything that asks an authority, as conf says it now. NULL, or why not: out of memory, or what is wrong with ca-roots. */
static const char *prepare(struct acme *a)
{
    const struct conf_acme *ca = &a->conf->acme;
    bool is_named = ca->ca_roots != NULL && ca->fallback_is_named;
    const char *why = NULL;

    acme_session_free(a->session);
    a->session = NULL;
    https_context_release(&a->https);
    trust_free(a->roots);
    trust_free(a->named);
    a->roots = a->named = NULL;
    if (a->dns == NULL)
        a->dns = dns_new(a->loop);
    (void)acme_challenges(a, a->conf->state);
    if (a->trial_state == NULL) {
        /* Once: the folder never changes, and a confined process may not ask. */
        a->lost = file_why_lost(a->conf->state);
        a->trial_state = join(a->conf->state, TRIAL);
    }
    a->roots = ca->ca_roots != NULL ? trust_load_file(ca->ca_roots, &why) : trust_builtin();
    if (is_named)
        a->named = trust_builtin();
    if (a->roots == NULL || (is_named && a->named == NULL) || a->dns == NULL || a->challenges == NULL ||
        a->trial_state == NULL)
        return why != NULL ? why : "out of memory";
    say_if_ephemeral(a);
    dns_reload(a->dns);
    a->https = (struct https_context){.loop = a->loop, .dns = a->dns, .user_agent = "proxy/" PROXY_VERSION};
    a->is_stale = false;
    return NULL;
}

/* Its certificate is still wanted from there. A question is not worth it. */
static bool goes_on(const struct acme *a, const struct job *jobs, const struct conf *conf)
{
    return a->errand > ERRAND_INFORMATION && jobs_have(jobs, a->current) &&
           strcmp(conf->acme.directory, a->conf->acme.directory) == 0;
}

bool acme_apply(struct acme *a, struct conf *conf)
{
    struct job *before = a->jobs, *jobs;
    bool enough = jobs_of(conf, &before, &jobs), is_kept = enough && goes_on(a, jobs, conf);

    if (!is_kept)
        stop_errand(a);
    jobs_free(before);
    a->jobs = jobs;
    conf_ref(conf);
    conf_unref(a->conf);
    a->conf = conf;
    timer_clear(a->loop, &a->timer);
    a->is_stale = is_kept;
    if (enough && jobs != NULL && !is_kept)
        enough = prepare(a) == NULL;
    if (!enough) {
        stop_errand(a);
        jobs_free(a->jobs);
        a->jobs = NULL;
    }
    for (struct job *job = a->jobs; job != NULL; job = job->next) {
        set_due(a, job);
        if (job->not_after == 0 && !is_ephemeral(a)) /* it was put off while the state was to be lost */
            job->due = job->schedule.renew_at = 0;
    }
    if (a->jobs != NULL)
        wait(a, 0);
    return enough;
}

struct challenges *acme_challenges(struct acme *a, const char *state)
{
    if (a->challenges == NULL)
        a->challenges = challenges_new(state);
    return a->challenges;
}

struct bytes acme_challenge(struct acme *a, struct bytes token, char out[CHALLENGE_TEXT_MAX])
{
    if (a->challenges == NULL)
        return (struct bytes){NULL, 0};
    return challenges_find(a->challenges, token, out);
}

/* ---- by hand ---- */

static const char *wish(struct acme *a, struct job *job, enum wish wish, int reason)
{
    const struct tls_identity *id = certificate(a, job);

    if (job == a->current || (job->wish != WISH_NONE && job->wish != wish))
        return "something else is under way for it; acme status says more";
    if (wish == WISH_REVOKE && id == NULL)
        return "there is no certificate from an authority to revoke";
    job->wish = wish;
    job->reason = reason;
    if (wish == WISH_ORDER)
        job->schedule.next_try = 0;
    if (a->errand == ERRAND_NONE)
        wait(a, 0);
    return NULL;
}

static const char *NO_SITE =
    "no site of that name gets its certificate from an authority; acme status lists them";

const char *acme_issue(struct acme *a, struct bytes name)
{
    const struct job *only = name.n > 0 ? jobs_find(a->jobs, name) : NULL;
    const char *why = only != NULL ? "its certificate is not due; acme renew asks for one all the same"
                      : name.n > 0 ? NO_SITE
                                   : "no certificate is due";

    for (struct job *job = a->jobs; job != NULL; job = job->next)
        if ((name.n == 0 || job == only) && job->due <= time_wall()) {
            const char *problem = wish(a, job, WISH_ORDER, -1);

            why = why != NULL ? problem : NULL; /* one is enough */
        }
    return why;
}

const char *acme_renew(struct acme *a, struct bytes name)
{
    struct job *job = jobs_find(a->jobs, name);

    return job != NULL ? wish(a, job, WISH_ORDER, -1) : NO_SITE;
}

const char *acme_revoke(struct acme *a, struct bytes name, int reason)
{
    struct job *job = jobs_find(a->jobs, name);

    return job != NULL ? wish(a, job, WISH_REVOKE, reason) : NO_SITE;
}

bool acme_is_idle(const struct acme *a)
{
    for (const struct job *job = a->jobs; job != NULL; job = job->next)
        if (job->wish != WISH_NONE)
            return false;
    return a->errand == ERRAND_NONE;
}

void acme_put_status(const struct acme *a, struct writer *w)
{
    writer_u8(w, '[');
    for (const struct job *job = a->jobs; job != NULL; job = job->next) {
        const char *doing = job != a->current                ? NULL
                            : a->errand == ERRAND_REVOCATION ? "revoking"
                            : a->errand > ERRAND_INFORMATION ? "ordering"
                                                             : NULL;

        if (job != a->jobs)
            writer_u8(w, ',');
        job_put_status(w, job, doing);
    }
    writer_u8(w, ']');
}
