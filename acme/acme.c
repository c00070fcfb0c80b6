/* SPDX-License-Identifier: MIT
 *
 * Owns the list of sites that want certificates, and the one order that is under way: sites take turns, so that one that
 * fails holds up no other for longer than its order. `look` is the one place that decides what is next; it runs when an
 * order ends, when something is due, and once a minute, for what other programs do in the folder and to the clock.
 */
#include "acme/acme.h"

#include "acme/ari.h"
#include "acme/order.h"
#include "acme/report.h"
#include "acme/schedule.h"
#include "acme/session.h"
#include "acme/uacme.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/time.h"
#include "certs/stored.h"
#include "certs/trust.h"
#include "net/dns.h"
#include "version.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS   (60u * 1000u) /* between two looks when nothing is due */
#define ASK_MIN   60            /* seconds between two questions for renewal information */
#define ASK_MAX   86400
#define ASK_USUAL (6 * 3600)
#define LOCKED_MS (10u * 1000u) /* while another process issues */
#define TRIAL     "/.trial"     /* the state of trials, below the state */
#define FAILURES  3u            /* in a row, after which a trial has to pass first */

/* One site's certificate. */
struct job {
    struct job *next;
    char **names;
    unsigned n;
    unsigned site; /* its number in the configuration */
    struct schedule schedule;
    int64_t due;       /* when its certificate is to be asked for, were there no failures; 0: at once */
    int64_t not_after; /* of the certificate that `due` is about */
    char *problem;     /* of the last try; NULL: none */
    struct stat file;  /* the chain's, as it was looked at last; zeros: not there */
    bool is_tested;    /* a trial passed: the next try is a real one */
};

struct acme {
    struct loop *loop;
    struct acme_hooks hooks;
    struct conf *conf; /* NULL until applied */
    struct dns *dns;
    char *trial_state;   /* the folder of trials */
    struct trust *roots; /* of ca-roots, or the compiled in */
    struct https_context https;
    struct acme_session *session; /* while there is something to do */
    struct challenges *challenges;
    struct job *jobs;
    struct job *current; /* whose order, or question, is under way */
    struct acme_order *order;
    bool runs_uacme; /* in place of an order */
    int lock;        /* -1: not held */
    struct timer timer;
    const char *lost; /* why the state will be lost (file_why_lost); NULL: it will not */
    bool is_judged;
    bool is_ephemeral; /* it will, and nobody said that it should: staging alone */
    bool is_trial;     /* the order under way is one */
    bool said_clock, said_lock;
};

static void look(struct acme *a);

/* ---- the list ---- */

static void job_free(struct job *job)
{
    for (unsigned i = 0; i < job->n; i++)
        mem_free(job->names[i]);
    mem_free(job->names);
    mem_free(job->problem);
    mem_free(job);
}

static void free_jobs(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
}

static struct job *job_new(const struct conf *conf, unsigned index)
{
    const struct conf_site *site = &conf->sites[index];
    struct job *job = mem_zalloc(sizeof *job);

    if (job == NULL || (job->names = mem_zalloc(site->name_count * sizeof *job->names)) == NULL) {
        mem_free(job);
        return NULL;
    }
    job->site = index;
    for (; job->n < site->name_count; job->n++)
        if ((job->names[job->n] = mem_strdup(site->names[job->n].text)) == NULL) {
            job_free(job);
            return NULL;
        }
    schedule_load(&job->schedule, conf->state, job->names[0]);
    return job;
}

static bool has_names(const struct job *job, const struct conf_site *site)
{
    if (job->n != site->name_count)
        return false;
    for (unsigned i = 0; i < job->n; i++)
        if (strcmp(job->names[i], site->names[i].text) != 0)
            return false;
    return true;
}

/* Takes the job with the site's names out of the list; NULL: there is none. */
static struct job *take_job(struct job **list, const struct conf_site *site)
{
    for (; *list != NULL; list = &(*list)->next)
        if (has_names(*list, site)) {
            struct job *job = *list;

            *list = job->next;
            return job;
        }
    return NULL;
}

/* ---- when ---- */

/* Of what the site has now. */
static void set_due(struct acme *a, struct job *job)
{
    const struct tls_identity *id = a->hooks.identity(a->hooks.ctx, job->site);
    struct schedule *s = &job->schedule;
    bool covers = id != NULL && !id->self_signed;

    for (unsigned i = 0; covers && i < job->n; i++)
        covers = certs_covers(id, job->names[i]);
    if (!covers) {
        job->due = 0;
        job->not_after = 0;
    } else if (job->not_after != id->not_after || job->due == 0) {
        uint32_t random;

        random_bytes(&random, sizeof random);
        job->not_after = id->not_after;
        job->due = schedule_renewal(id->not_before, id->not_after, random);
        if (s->not_after == id->not_after && s->renew_at > 0)
            job->due = s->renew_at;
    }
}

static int64_t next_try(const struct job *job)
{
    int64_t next = schedule_next(&job->schedule, time_wall());

    return job->due > next ? job->due : next;
}

static void wait(struct acme *a, uint64_t ms)
{
    (void)timer_set(a->loop, &a->timer, loop_now(a->loop) + ms);
}

static void save(const struct acme *a, const struct job *job)
{
    int error = schedule_save(&job->schedule, a->conf->state, job->names[0]);

    if (error != 0)
        log_error("acme: %s/%s/schedule: %s; after a restart it would be tried again at once", a->conf->state,
                  job->names[0], strerror(error));
}

/* ---- one process for a folder ---- */

/* True also where the folder knows no locks: two orders are better than none. */
static bool take_lock(struct acme *a)
{
    char path[PATH_MAX];

    if (a->lock >= 0 || snprintf(path, sizeof path, "%s/.lock", a->conf->state) >= (int)sizeof path)
        return true;
    (void)file_make_folder(a->conf->state, 0700);
    a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock < 0 || flock(a->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    close(a->lock);
    a->lock = -1;
    return false;
}

static void drop_lock(struct acme *a)
{
    if (a->lock >= 0)
        close(a->lock);
    a->lock = -1;
}

/* ---- orders ---- */

/* The session with that authority. False when out of memory. */
static bool use_session(struct acme *a, const char *directory, const char *state)
{
    if (a->session != NULL && !acme_session_is_with(a->session, directory)) {
        acme_session_free(a->session);
        a->session = NULL;
    }
    if (a->session == NULL)
        a->session = acme_session_new(a->loop, &a->https, a->conf, directory, state);
    return a->session != NULL;
}

static void on_trial(struct job *job)
{
    job->is_tested = true;
    job->schedule.next_try = 0;
    log_info("acme: %s: the trial passed; now the certificate itself", job->names[0]);
}

static void on_issued(struct acme *a, struct job *job)
{
    char until[REPORT_TIME];

    schedule_succeeded(&job->schedule);
    mem_free(job->problem);
    job->problem = NULL;
    (void)a->hooks.adopt(a->hooks.ctx, job->site);
    set_due(a, job);
    log_info("acme: %s: a new certificate, until %s", job->names[0], report_time(job->not_after, until));
}

static void on_failed(struct job *job, const struct acme_outcome *outcome)
{
    uint32_t random;

    random_bytes(&random, sizeof random);
    schedule_failed(&job->schedule, time_wall(), outcome->retry_after, random);
    mem_free(job->problem);
    job->problem = mem_strdup(outcome->why);
    report_failure(job->names[0], outcome, &job->schedule);
}

static void on_order(void *owner, const struct acme_outcome *outcome)
{
    struct acme *a = owner;
    struct job *job = a->current;

    a->order = NULL;
    a->current = NULL;
    if (outcome->why != NULL)
        on_failed(job, outcome);
    else if (a->is_trial)
        on_trial(job);
    else
        on_issued(a, job);
    save(a, job);
    look(a);
}

/* What uacme said last stands for the authority's words, which it repeats. */
static void on_uacme(void *owner, enum uacme_end end, const char *said)
{
    struct acme *a = owner;
    bool good = end == UACME_ISSUED || end == UACME_NOT_DUE;

    a->runs_uacme = false;
    on_order(a, &(struct acme_outcome){.why = good ? NULL : said, .problem = ""});
}

/* ---- renewal information ---- */

/* "" when the site has no certificate of an authority's. */
static const char *certificate_id(struct acme *a, const struct job *job, char *out, size_t size)
{
    const struct tls_identity *id = a->hooks.identity(a->hooks.ctx, job->site);
    struct writer w = writer_of(out, size - 1);
    bool good = id != NULL && !id->self_signed && id->chain_len > 0 &&
                ari_certificate_id(&w, bytes_of(id->chain[0].data, id->chain[0].data_len));

    out[good ? writer_len(&w) : 0] = '\0';
    return out;
}

/* A moment chosen before stays as long as it is in the window. */
static void take_window(struct job *job, const struct ari_window *window, const char *explanation)
{
    struct schedule *s = &job->schedule;
    bool is_kept =
        s->not_after == job->not_after && s->renew_at >= window->start && s->renew_at <= window->end;
    uint64_t random;
    char at[REPORT_TIME];

    if (is_kept)
        return;
    random_bytes(&random, sizeof random);
    s->not_after = job->not_after;
    s->renew_at = job->due = ari_moment(window, random);
    log_info("acme: %s: to be renewed at %s, by the authority's wish%s%s", job->names[0],
             report_time(s->renew_at, at), explanation != NULL ? ": " : "",
             explanation != NULL ? explanation : "");
}

static void on_information(void *owner, const struct acme_reply *r)
{
    struct acme *a = owner;
    struct job *job = a->current;
    int64_t now = time_wall(), pause = r->retry_after > now ? r->retry_after - now : ASK_USUAL;
    struct ari_window window;

    a->current = NULL;
    if (r->why == NULL && r->json != NULL && ari_parse(r->json, &window)) {
        char *explanation = ari_explanation(r->json);

        take_window(job, &window, explanation);
        mem_free(explanation);
    } else {
        pause = ASK_MAX; /* this authority has none, or none today */
    }
    job->schedule.ask_at = now + (pause < ASK_MIN ? ASK_MIN : pause > ASK_MAX ? ASK_MAX : pause);
    save(a, job);
    look(a);
}

/* True when it asks now. */
static bool ask_information(struct acme *a, struct job *job)
{
    char id[256];

    if (job->due == 0 || job->schedule.ask_at > time_wall() || a->is_ephemeral || a->hooks.uacme != NULL ||
        certificate_id(a, job, id, sizeof id)[0] == '\0' ||
        !use_session(a, a->conf->acme.directory, a->conf->state))
        return false;
    a->current = job;
    acme_session_call(a->session, ACME_RENEWAL_INFO, bytes_str(id), on_information, a);
    return true;
}

/* ---- beginning an order ---- */

/* After failures in a row the next ones shall count for nothing, until one passes; its state is apart. Where there is
 * another authority to fall back on, it has every other try. */
static void start(struct acme *a, struct job *job)
{
    const struct conf_acme *ca = &a->conf->acme;
    bool is_trial =
        job->schedule.failures >= FAILURES && !job->is_tested && ca->staging != NULL && !a->is_ephemeral;
    bool is_other = ca->fallback != NULL && job->schedule.failures % 2 == 1;
    const char *directory = ca->staging != NULL && (is_trial || a->is_ephemeral) ? ca->staging
                            : is_other                                           ? ca->fallback
                                                                                 : ca->directory;
    struct acme_order_request rq = {.names = (const char *const *)job->names,
                                    .n = job->n,
                                    .state = is_trial ? a->trial_state : a->conf->state,
                                    .profile = ca->profile};
    char names[REPORT_NAMES], id[256];

    if (!is_trial && job->schedule.renew_at > 0 && job->schedule.not_after == job->not_after && job->due > 0)
        rq.replaces = certificate_id(a, job, id, sizeof id)[0] != '\0' ? id : NULL;
    if (a->hooks.uacme != NULL)
        a->runs_uacme = uacme_run(
            a->hooks.uacme,
            &(struct uacme_request){
                .acme = ca, .directory = directory, .state = rq.state, .names = rq.names, .n = rq.n},
            on_uacme, a);
    else if (use_session(a, directory, rq.state))
        a->order = acme_order_new(a->loop, a->session, a->challenges, &rq, on_order, a);
    if (a->order == NULL && !a->runs_uacme) {
        log_error("acme: an order cannot be begun: %s",
                  a->hooks.uacme ? "uacme is busy, or its helper gone" : "out of memory");
        wait(a, LOOK_MS);
        return;
    }
    a->current = job;
    a->is_trial = is_trial;
    job->is_tested = false;
    log_info("acme: ordering a certificate for %s from %s%s", report_names(rq.names, rq.n, names),
             directory == ca->directory ? ca->name : directory,
             is_trial ? ", as a trial after failures" : "");
}

/* Is the chain another file than at the last look? Reading it, and trying its key, costs more than asking for this. */
static bool has_changed(const struct acme *a, struct job *job)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct stat before = job->file;

    job->file = (struct stat){.st_ino = 0};
    if (!stored_folder(folder, sizeof folder, a->conf->state, job->names[0], false) ||
        snprintf(path, sizeof path, "%s/cert.pem", folder) >= (int)sizeof path)
        return false;
    if (stat(path, &job->file) < 0)
        job->file = (struct stat){.st_ino = 0};
    return before.st_ino != job->file.st_ino || before.st_mtim.tv_sec != job->file.st_mtim.tv_sec ||
           before.st_mtim.tv_nsec != job->file.st_mtim.tv_nsec || before.st_size != job->file.st_size;
}

/* What another program put into the folder. */
static void adopt(struct acme *a, struct job *job)
{
    char until[REPORT_TIME];

    if (!has_changed(a, job) || !a->hooks.adopt(a->hooks.ctx, job->site))
        return;
    set_due(a, job);
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
    drop_lock(a);
    wait(a, ms);
}

static void look(struct acme *a)
{
    struct job *first = NULL;
    int64_t now = time_wall(), until;

    if (a->current != NULL) /* under way */
        return;
    if (a->jobs == NULL || clock_is_wrong(a)) {
        rest(a, LOCKED_MS);
        return;
    }
    for (struct job *job = a->jobs; job != NULL; job = job->next)
        if (ask_information(a, job))
            return;
    for (struct job *job = a->jobs; job != NULL; job = job->next)
        if (first == NULL || next_try(job) < next_try(first))
            first = job;
    assert(first != NULL); /* there are jobs */
    until = next_try(first) - now;
    if (until > 0) {
        rest(a, until < (int64_t)(LOOK_MS / 1000) ? (uint64_t)until * 1000 : LOOK_MS);
    } else if (!take_lock(a)) {
        if (!a->said_lock)
            log_info("acme: another process issues for %s; waiting for it", a->conf->state);
        a->said_lock = true;
        rest(a, LOCKED_MS);
    } else {
        a->said_lock = false;
        start(a, first);
    }
}

static void on_timer(struct timer *timer)
{
    struct acme *a = (struct acme *)(void *)((char *)timer - offsetof(struct acme, timer));

    for (struct job *job = a->jobs; job != NULL && a->current == NULL; job = job->next)
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
    a->lock = -1;
    a->timer.fired = on_timer;
    return a;
}

static void stop_order(struct acme *a)
{
    if (a->runs_uacme)
        uacme_cancel(a->hooks.uacme);
    else if (a->current != NULL && a->order == NULL && a->session != NULL)
        acme_session_cancel(a->session); /* a question */
    a->runs_uacme = false;
    acme_order_cancel(a->order);
    a->order = NULL;
    a->current = NULL;
}

void acme_free(struct acme *a)
{
    if (a == NULL)
        return;
    stop_order(a);
    timer_clear(a->loop, &a->timer);
    acme_session_free(a->session);
    https_context_release(&a->https);
    challenges_free(a->challenges);
    dns_free(a->dns);
    trust_free(a->roots);
    mem_free(a->trial_state);
    free_jobs(a->jobs);
    drop_lock(a);
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
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s%s", folder, name) < (int)sizeof path ? mem_strdup(path) : NULL;
}

/* Where nothing outlasts the process, each start would cost a certificate, and an authority gives few of the same. */
static void judge_state(struct acme *a)
{
    const char *problem, *where = a->conf->acme.staging;

    /* Once: the folder never changes, and a confined process may not ask. */
    if (!a->is_judged)
        a->lost = file_why_lost(a->conf->state);
    a->is_judged = true;
    problem = a->conf->state_is_ephemeral ? NULL : a->lost;
    if (problem != NULL && !a->is_ephemeral)
        log_error(
            "acme: the state folder %s %s: after a restart all certificates would be ordered anew, which authorities "
            "soon refuse; %smount a volume there, or say `ephemeral on` if that is meant",
            a->conf->state, problem,
            where != NULL ? "they come from the staging directory, which no browser trusts; " : "");
    a->is_ephemeral = problem != NULL;
}

/* Everything that asks an authority, as conf says it now. False when out of memory, or ca-roots cannot be read. */
static bool prepare(struct acme *a)
{
    const char *why;

    acme_session_free(a->session);
    a->session = NULL;
    https_context_release(&a->https);
    trust_free(a->roots);
    a->roots = NULL;
    if (a->dns == NULL)
        a->dns = dns_new(a->loop);
    (void)acme_challenges(a, a->conf->state);
    if (a->trial_state == NULL)
        a->trial_state = join(a->conf->state, TRIAL);
    a->roots =
        a->conf->acme.ca_roots != NULL ? trust_load_file(a->conf->acme.ca_roots, &why) : trust_builtin();
    if (a->roots == NULL || a->dns == NULL || a->challenges == NULL || a->trial_state == NULL)
        return false;
    judge_state(a);
    dns_reload(a->dns);
    a->https = (struct https_context){
        .loop = a->loop, .dns = a->dns, .trust = trust_of(a->roots), .user_agent = "proxy/" PROXY_VERSION};
    return true;
}

static bool same_authority(const struct conf_acme *x, const struct conf_acme *y)
{
    return strcmp(x->directory, y->directory) == 0;
}

bool acme_apply(struct acme *a, struct conf *conf)
{
    struct job *before = a->jobs, *jobs = NULL, **end = &jobs;
    bool is_kept = false, enough = true, goes_on;

    for (unsigned i = 0; i < conf->site_count && enough; i++) {
        struct job *job;

        if (conf->sites[i].tls != CONF_TLS_ACME)
            continue;
        job = take_job(&before, &conf->sites[i]);
        is_kept |= job != NULL && job == a->current && (a->order != NULL || a->runs_uacme);
        if (job == NULL)
            job = job_new(conf, i);
        enough = job != NULL;
        if (job != NULL) {
            job->site = i;
            job->next = NULL;
            *end = job;
            end = &job->next;
        }
    }
    goes_on = enough && is_kept && same_authority(&conf->acme, &a->conf->acme);
    if (!goes_on)
        stop_order(a);
    free_jobs(before);
    a->jobs = jobs;
    conf_ref(conf);
    conf_unref(a->conf);
    a->conf = conf;
    timer_clear(a->loop, &a->timer);
    if (enough && jobs != NULL && !goes_on)
        enough = prepare(a);
    if (!enough) {
        stop_order(a);
        free_jobs(a->jobs);
        a->jobs = NULL;
    }
    for (struct job *job = a->jobs; job != NULL; job = job->next)
        set_due(a, job);
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

bool acme_renew(struct acme *a, struct bytes name)
{
    for (struct job *job = a->jobs; job != NULL; job = job->next)
        for (unsigned i = 0; i < job->n; i++)
            if (bytes_is_nocase(name, job->names[i])) {
                job->due = 0;
                job->schedule.next_try = 0;
                if (job != a->current)
                    wait(a, 0);
                return true;
            }
    return false;
}

static void put_moment(struct writer *w, const char *name, int64_t s)
{
    if (s == 0)
        return;
    writer_printf(w, ",\"%s\":\"", name);
    time_put_iso(w, s * 1000);
    writer_u8(w, '"');
}

void acme_put_status(const struct acme *a, struct writer *w)
{
    writer_u8(w, '[');
    for (const struct job *job = a->jobs; job != NULL; job = job->next) {
        const char *state = job == a->current && (a->order != NULL || a->runs_uacme) ? "ordering"
                            : job->schedule.failures > 0                             ? "failing"
                            : job->not_after > 0                                     ? "valid"
                                                                                     : "waiting";

        writer_str(w, job == a->jobs ? "{\"name\":" : ",{\"name\":");
        json_put_string(w, bytes_str(job->names[0]));
        writer_printf(w, ",\"state\":\"%s\"", state);
        put_moment(w, "not_after", job->not_after);
        put_moment(w, "renewal", job->due);
        put_moment(w, "not_before", job->schedule.next_try);
        if (job->schedule.failures > 0)
            writer_printf(w, ",\"failures\":%u", job->schedule.failures);
        if (job->problem != NULL) {
            writer_str(w, ",\"problem\":");
            json_put_string(w, bytes_str(job->problem));
        }
        writer_u8(w, '}');
    }
    writer_u8(w, ']');
}
