/* SPDX-License-Identifier: MIT
 *
 * When a site's certificate is asked for: by its lifetime, by the authority's wish, by hand, and after failures.
 */
#include "tests/unit/test.h"

#include "acme/job.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/time.h"
#include "certs/x509.h"
#include "tests/unit/scratch.h"

#define DAY INT64_C(86400)

static const char *state;
static struct conf *conf;

/* The job of `site NAMES`, on an empty state. */
static struct job *begin(const char *names)
{
    struct conf_errors *e = conf_errors_new();
    char text[500];

    state = folder_new();
    snprintf(text, sizeof text, "state %s; listen-http 80; site %s { tls acme; upstream 1 }", state, names);
    conf = conf_parse("test", bytes_str(text), NULL, e);
    CHECK(conf != NULL);
    conf_errors_free(e);
    return job_new(conf, 0);
}

static void end(struct job *job)
{
    jobs_free(job);
    conf_unref(conf);
    folder_remove(state);
    CHECK_EQ(mem_blocks(), 0);
}

/* A certificate for a.test and b.test that an authority could have given, from `start` for `days`. */
static struct tls_identity *identity(int64_t start, int64_t days)
{
    static const char *const names[] = {"a.test", "b.test"};
    struct tls_identity *id = tls_identity_new("a.test");
    char key[1000], cert[2000];
    struct writer k = writer_of(key, sizeof key), c = writer_of(cert, sizeof cert);

    CHECK(x509_self_sign(id, names, 2, time_wall(), &k, &c));
    id->self_signed = false;
    id->not_before = start;
    id->not_after = start + days * DAY;
    return id;
}

TEST(nothing_there_is_due_at_once)
{
    struct job *job = begin("a.test");

    job_set_due(job, NULL);
    CHECK_EQ(job->due, 0);
    CHECK_EQ(job->not_after, 0);
    CHECK_EQ(job_next_try(job, time_wall()), 0);
    end(job);
}

TEST(a_third_of_the_lifetime_before_its_end)
{
    struct job *job = begin("a.test b.test");
    int64_t now = time_wall(), due;
    struct tls_identity *id = identity(now, 90);

    job_set_due(job, id);
    due = job->due;
    CHECK(due <= now + 60 * DAY && due > now + 58 * DAY);
    job_set_due(job, id); /* and it stays */
    CHECK_EQ(job->due, due);
    CHECK_EQ(job_next_try(job, now), due);
    tls_identity_unref(id);
    end(job);
}

/* Another certificate that ends at the same second, as those of an authority that ends then do. */
TEST(another_certificate_has_another_moment)
{
    struct job *job = begin("a.test");
    int64_t now = time_wall();
    struct tls_identity *id = identity(now - 80 * DAY, 90);

    job_set_due(job, id);
    CHECK(job->due < now);
    id->not_before = now;
    job_succeeded(job);
    job_set_due(job, id);
    CHECK(job->due > now);
    tls_identity_unref(id);
    end(job);
}

TEST(one_that_does_not_cover_is_none)
{
    struct job *job = begin("a.test c.test");
    struct tls_identity *id = identity(time_wall(), 90);

    job_set_due(job, id);
    CHECK_EQ(job->due, 0);
    tls_identity_unref(id);
    end(job);
}

TEST(the_authoritys_wish)
{
    struct job *job = begin("a.test");
    int64_t now = time_wall(), at;
    struct tls_identity *id = identity(now, 90);
    struct ari_window window = {now + 10 * DAY, now + 11 * DAY};

    job_set_due(job, id);
    log_take();
    job_take_window(job, &window, "https://ca.test/why");
    CHECK(strstr(log_taken(), "by the authority's wish: https://ca.test/why") != NULL);
    at = job->due;
    CHECK(at >= window.start && at <= window.end);
    window.end += DAY;
    job_take_window(job, &window, NULL); /* it is still in there */
    CHECK_EQ(job->due, at);
    CHECK_EQ(job_save(job, state), 0);
    jobs_free(job);
    job = job_new(conf, 0); /* and outlives the process */
    job_set_due(job, id);
    CHECK_EQ(job->due, at);
    tls_identity_unref(id);
    end(job);
}

TEST(a_window_behind_the_end_is_not_followed)
{
    struct job *job = begin("a.test");
    int64_t now = time_wall(), due;
    struct tls_identity *id = identity(now, 90);
    struct ari_window window = {now + 90 * DAY, now + 91 * DAY};

    job_set_due(job, id);
    due = job->due;
    job_take_window(job, &window, NULL);
    CHECK_EQ(job->due, due);
    for (unsigned i = 0; i < 50; i++) { /* one that goes beyond it is cut */
        window = (struct ari_window){now + 90 * DAY - 60, now + 900 * DAY};
        job_take_window(job, &window, NULL);
        CHECK(job->due <= now + 90 * DAY);
        job->schedule.renew_at = 0;
    }
    tls_identity_unref(id);
    end(job);
}

TEST(failures_and_wishes)
{
    struct job *job = begin("a.test");
    int64_t now = time_wall();

    job_failed(job, "no", 0);
    CHECK_STR(job->problem, "no");
    CHECK(job_next_try(job, now) >= now + 60);
    job_failed(job, "no", now + 5 * DAY);
    CHECK_EQ(job_next_try(job, now), now + 5 * DAY);
    job->schedule.next_try = 0;
    job->due = now + DAY;
    CHECK_EQ(job_next_try(job, now), now + DAY);
    job->wish = WISH_ORDER; /* whatever is due */
    CHECK_EQ(job_next_try(job, now), 0);
    job_failed(job, "no", 0);
    CHECK(job_next_try(job, now) >= now + 60);
    job->wish = WISH_REVOKE; /* whatever has failed: it is no order */
    CHECK_EQ(job_next_try(job, now), 0);
    job_succeeded(job);
    CHECK(job->problem == NULL);
    CHECK_EQ(job->schedule.failures, 0);
    end(job);
}

TEST(pause_after_a_success)
{
    struct job *job = begin("a.test");
    int64_t now = time_wall();

    job->due = now - DAY;
    job->schedule.next_try = now + 3600;
    CHECK_EQ(job_next_try(job, now), now + 3600);
    job->due = 0; /* it is gone */
    CHECK_EQ(job_next_try(job, now), 0);
    end(job);
}

TEST(put_off)
{
    struct job *job = begin("a.test");
    int64_t now = time_wall();
    struct tls_identity *id = identity(now, 90);

    job_put_off(job, now + DAY);
    CHECK_EQ(job_next_try(job, now), now + DAY);
    CHECK_EQ(job_save(job, state), 0);
    jobs_free(job);
    job = job_new(conf, 0);
    job_set_due(job, NULL);
    CHECK_EQ(job_next_try(job, now), now + DAY);
    job_set_due(job, id); /* that was for none */
    CHECK(job->due > now + 50 * DAY);
    job_put_off(job, now + DAY);
    job_set_due(job, id);
    CHECK_EQ(job->due, now + DAY);
    job_set_due(job, NULL);
    CHECK_EQ(job->due, 0);
    tls_identity_unref(id);
    end(job);
}

TEST(what_another_process_kept)
{
    struct job *job = begin("a.test"), *other = job_new(conf, 0);
    int64_t now = time_wall();

    job_failed(other, "no", now + 2 * DAY);
    CHECK_EQ(job_save(other, state), 0);
    job->wish = WISH_ORDER;
    job_reload(job, state);
    CHECK_EQ(job->schedule.failures, 0);
    job->wish = WISH_NONE;
    job_reload(job, state);
    CHECK_EQ(job->schedule.failures, 1);
    CHECK_EQ(job_next_try(job, now), now + 2 * DAY);
    job_failed(job, "no", now + 3 * DAY); /* and could not be kept */
    job_reload(job, state);
    CHECK_EQ(job->schedule.failures, 2);
    jobs_free(other);
    end(job);
}

TEST(lists)
{
    struct job *a = begin("a.test b.test"), *list;
    struct conf_site other = conf->sites[0];

    list = a;
    CHECK(jobs_find(list, bytes_str("B.Test")) == a);
    CHECK(jobs_find(list, bytes_str("c.test")) == NULL);
    CHECK(jobs_find(NULL, bytes_str("a.test")) == NULL);
    other.name_count = 1; /* other names are another certificate */
    CHECK(jobs_take(&list, &other) == NULL);
    CHECK(jobs_take(&list, &conf->sites[0]) == a);
    CHECK(list == NULL);
    end(a);
}

TEST(files)
{
    struct job *job = begin("a.test");
    char folder[200];

    snprintf(folder, sizeof folder, "%s/a.test", state);
    CHECK(!job_has_changed(job, state));
    CHECK_EQ(state_write(folder, "cert.pem", 0644, bytes_str("one")), 0);
    CHECK(job_has_changed(job, state));
    CHECK(!job_has_changed(job, state));
    CHECK_EQ(state_write(folder, "cert.pem", 0644, bytes_str("two")), 0);
    CHECK(job_has_changed(job, state));
    CHECK_EQ(state_rename(folder, "cert.pem", "revoked-1.pem"), 0);
    CHECK(job_has_changed(job, state));
    end(job);
}

static const char *status_of(const struct job *job, const char *doing)
{
    static char text[1000];
    struct writer w = writer_of(text, sizeof text - 1);

    job_put_status(&w, job, doing);
    text[writer_len(&w)] = '\0';
    return text;
}

TEST(what_is_told)
{
    struct job *job = begin("a.test");

    CHECK_STR(status_of(job, NULL), "{\"name\":\"a.test\",\"state\":\"waiting\"}");
    CHECK_STR(status_of(job, "ordering"), "{\"name\":\"a.test\",\"state\":\"ordering\"}");
    job->not_after = 1795685400;
    job->due = 1795685399;
    CHECK_STR(status_of(job, NULL),
              "{\"name\":\"a.test\",\"state\":\"valid\",\"not_after\":\"2026-11-26T09:30:00.000Z\","
              "\"renewal\":\"2026-11-26T09:29:59.000Z\"}");
    job->due = 0;
    job_failed(job, "\"no\"", 0);
    job->schedule.next_try = 1795685400;
    CHECK_STR(status_of(job, NULL),
              "{\"name\":\"a.test\",\"state\":\"failing\",\"not_after\":\"2026-11-26T09:30:00.000Z\","
              "\"next_try\":\"2026-11-26T09:30:00.000Z\",\"failures\":1,\"problem\":\"\\\"no\\\"\"}");
    end(job);
}

TEST(out_of_memory)
{
    struct job *job = begin("a.test b.test");

    for (long n = 0; n < 100; n++) {
        struct job *other;

        mem_fail_at(n, 1);
        other = job_new(conf, 0);
        mem_fail_at(-1, 0);
        if (other != NULL) {
            jobs_free(other);
            CHECK(n > 2);
            break;
        }
    }
    end(job);
}

TEST_MAIN(RUN(nothing_there_is_due_at_once), RUN(a_third_of_the_lifetime_before_its_end),
          RUN(another_certificate_has_another_moment), RUN(one_that_does_not_cover_is_none),
          RUN(the_authoritys_wish), RUN(a_window_behind_the_end_is_not_followed), RUN(failures_and_wishes),
          RUN(pause_after_a_success), RUN(put_off), RUN(what_another_process_kept), RUN(lists), RUN(files),
          RUN(what_is_told), RUN(out_of_memory))
