/* SPDX-License-Identifier: MIT
 *
 * The list of sites that want certificates, and when each does. Nothing here asks anyone.
 */
#include "acme/job.h"

#include "acme/json.h"
#include "acme/report.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/time.h"
#include "certs/certs.h"
#include "certs/stored.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- the list ---- */

static void job_free(struct job *job)
{
    for (unsigned i = 0; i < job->n; i++)
        mem_free(job->names[i]);
    mem_free(job->names);
    mem_free(job->problem);
    mem_free(job);
}

void jobs_free(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
}

struct job *job_new(const struct conf *conf, unsigned index)
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

struct job *jobs_take(struct job **list, const struct conf_site *site)
{
    for (; *list != NULL; list = &(*list)->next)
        if (has_names(*list, site)) {
            struct job *job = *list;

            *list = job->next;
            job->next = NULL;
            return job;
        }
    return NULL;
}

bool jobs_of(const struct conf *conf, struct job **before, struct job **jobs)
{
    struct job **end = jobs;

    *jobs = NULL;
    for (unsigned i = 0; i < conf->site_count; i++) {
        struct job *job;

        if (conf->sites[i].tls != CONF_TLS_ACME)
            continue;
        job = jobs_take(before, &conf->sites[i]);
        if (job == NULL && (job = job_new(conf, i)) == NULL)
            return false;
        job->site = i;
        *end = job;
        end = &job->next;
    }
    return true;
}

bool jobs_have(const struct job *list, const struct job *job)
{
    while (list != NULL && list != job)
        list = list->next;
    return list != NULL;
}

struct job *jobs_find(struct job *list, struct bytes name)
{
    for (struct job *job = list; job != NULL; job = job->next)
        for (unsigned i = 0; i < job->n; i++)
            if (bytes_is_nocase(name, job->names[i]))
                return job;
    return NULL;
}

/* ---- when ---- */

static uint32_t any(void)
{
    uint32_t random;

    random_bytes(&random, sizeof random);
    return random;
}

/* A moment that was chosen stays, until there is another certificate. */
void job_set_due(struct job *job, const struct tls_identity *id)
{
    const struct schedule *s = &job->schedule;
    bool covers = id != NULL && !id->self_signed;

    for (unsigned i = 0; covers && i < job->n; i++)
        covers = certs_covers(id, job->names[i]);
    if (!covers) {
        job->not_after = 0;
        job->due = s->not_after == 0 ? s->renew_at : 0;
    } else if (job->not_after != id->not_after) {
        job->not_after = id->not_after;
        job->due = schedule_renewal(id->not_before, id->not_after, any());
        if (s->not_after == id->not_after && s->renew_at > 0)
            job->due = s->renew_at;
    }
}

void job_put_off(struct job *job, int64_t until)
{
    job->schedule.not_after = job->not_after;
    job->schedule.renew_at = job->due = until;
}

void job_take_window(struct job *job, const struct ari_window *window, const char *explanation)
{
    struct schedule *s = &job->schedule;
    struct ari_window in_time = *window;
    bool is_kept =
        s->not_after == job->not_after && s->renew_at >= window->start && s->renew_at <= window->end;
    uint64_t random;
    char at[REPORT_TIME];

    if (is_kept || window->start >= job->not_after)
        return;
    if (in_time.end > job->not_after)
        in_time.end = job->not_after;
    random_bytes(&random, sizeof random);
    job_put_off(job, ari_moment(&in_time, random));
    log_info("acme: %s: to be renewed at %s, by the authority's wish%s%s", job->names[0],
             report_time(s->renew_at, at), explanation != NULL ? ": " : "",
             explanation != NULL ? explanation : "");
}

int64_t job_next_try(const struct job *job, int64_t now)
{
    const struct schedule *s = &job->schedule;
    /* The pause after a success is of no account once its certificate is gone, or the site has other names. */
    int64_t next = s->failures > 0 || job->due > 0 ? schedule_next(s, now) : 0;

    if (job->wish == WISH_REVOKE) /* no order, which alone has to pause; and it is tried once */
        return 0;
    return job->wish == WISH_NONE && job->due > next ? job->due : next;
}

/* ---- how it went ---- */

void job_failed(struct job *job, const char *why, int64_t retry_after)
{
    schedule_failed(&job->schedule, time_wall(), retry_after, any());
    mem_free(job->problem);
    job->problem = mem_strdup(why);
}

void job_succeeded(struct job *job)
{
    schedule_succeeded(&job->schedule);
    mem_free(job->problem);
    job->problem = NULL;
    job->not_after = 0; /* when to renew is found out anew */
}

void job_reload(struct job *job, const char *state)
{
    struct schedule kept;

    schedule_load(&kept, state, job->names[0]);
    if (job->wish == WISH_NONE && kept.next_try > job->schedule.next_try)
        job->schedule = kept;
}

int job_save(const struct job *job, const char *state)
{
    return schedule_save(&job->schedule, state, job->names[0]);
}

/* Reading the chain, and trying its key, costs more than asking for this. */
bool job_has_changed(struct job *job, const char *state)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct stat was = job->file;
    const struct stat *is = &job->file;

    memset(&job->file, 0, sizeof job->file); /* and so it stays if it is not there */
    if (stored_folder(folder, sizeof folder, state, job->names[0], false) &&
        snprintf(path, sizeof path, "%s/cert.pem", folder) < (int)sizeof path)
        (void)stat(path, &job->file);
    return was.st_ino != is->st_ino || was.st_mtim.tv_sec != is->st_mtim.tv_sec ||
           was.st_mtim.tv_nsec != is->st_mtim.tv_nsec || was.st_size != is->st_size;
}

/* ---- what the control socket says ---- */

static void put_moment(struct writer *w, const char *name, int64_t s)
{
    if (s == 0)
        return;
    writer_printf(w, ",\"%s\":\"", name);
    time_put_iso(w, s * 1000);
    writer_u8(w, '"');
}

void job_put_status(struct writer *w, const struct job *job, const char *doing)
{
    const char *state = doing != NULL                ? doing
                        : job->schedule.failures > 0 ? "failing"
                        : job->not_after > 0         ? "valid"
                                                     : "waiting";

    writer_str(w, "{\"name\":");
    json_put_string(w, bytes_str(job->names[0]));
    writer_printf(w, ",\"state\":\"%s\"", state);
    put_moment(w, "not_after", job->not_after);
    put_moment(w, "renewal", job->due);
    if (job->schedule.failures > 0 || job->schedule.next_try > job->due)
        put_moment(w, "next_try", job->schedule.next_try);
    if (job->schedule.failures > 0)
        writer_printf(w, ",\"failures\":%u", job->schedule.failures);
    if (job->problem != NULL) {
        writer_str(w, ",\"problem\":");
        json_put_string(w, bytes_str(job->problem));
    }
    writer_u8(w, '}');
}
