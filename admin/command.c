/* SPDX-License-Identifier: MIT
 *
 * Commands. The one thing to know: what is done without a process that serves is done by the same parts (relay, acme)
 * in a loop that ends when it is done.
 */
#include "admin/command.h"

#include "acme/acme.h"
#include "acme/check.h"
#include "acme/revocation.h"
#include "acme/uacme.h"
#include "acme/url.h"
#include "admin/admin.h"
#include "admin/confine.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "certs/keygen.h"
#include "certs/stored.h"
#include "relay/relay.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATUS_MAX 20000u /* bytes of an answer */

/* ---- health ---- */

static bool has_admin(const struct conf *conf)
{
    return conf->admin != NULL && strcmp(conf->admin, "off") != 0;
}

int command_health(const struct conf *conf)
{
    char answer[1024];
    const char *body;

    if (!has_admin(conf)) {
        fprintf(stderr, "proxy: --health: there is no admin listener to ask; set admin\n");
        return 1;
    }
    if (admin_ask(conf->admin, "GET /health HTTP/1.1\r\nHost: proxy\r\n\r\n", answer, sizeof answer) !=
        ADMIN_ANSWERED) {
        fprintf(stderr, "proxy: --health: %s\n", answer);
        return 1;
    }
    body = strstr(answer, "\r\n\r\n");
    fputs(body != NULL ? body + 4 : answer, stdout);
    return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 ? 0 : 1;
}

/* ---- without a process that serves ---- */

struct alone {
    struct loop *loop;
    struct relay *relay;
    struct uacme *uacme;
    struct acme *acme;
    struct certs *certs; /* the relay's, once it has taken them */
    bool failed;         /* something that was asked for */
};

static bool adopt(void *ctx, unsigned site)
{
    struct alone *a = ctx;

    return certs_adopt(a->certs, site);
}

static const struct tls_identity *identity(void *ctx, unsigned site)
{
    struct alone *a = ctx;

    return certs_of_site(a->certs, site);
}

static void ended(void *ctx, unsigned site, bool good)
{
    struct alone *a = ctx;
    (void)site;

    a->failed |= !good;
}

static bool become_user(const void *conf)
{
    return confine_become_user(conf);
}

static void close_alone(struct alone *a)
{
    struct certs *own = a->relay != NULL && relay_certs(a->relay) == a->certs ? NULL : a->certs;

    if (a->relay != NULL)
        relay_set_acme(a->relay, NULL);
    acme_free(a->acme);
    uacme_free(a->uacme);
    relay_free(a->relay);
    certs_free(own);
    if (a->loop != NULL)
        loop_free(a->loop);
    log_flush();
}

/* The order in which things are made is the one in which a process that serves makes them. False when out of memory, or
 * what a configuration needs is not there (e). */
static bool open_alone(struct alone *a, struct conf *conf, struct conf_errors *e)
{
    const struct acme_hooks hooks = {
        .ctx = a, .uacme = a->uacme, .adopt = adopt, .identity = identity, .by_hand = true, .ended = ended};

    a->certs = certs_new(conf, true, e);
    a->loop = loop_new();
    a->relay = a->loop != NULL ? relay_new(a->loop) : NULL;
    if (a->loop != NULL && a->uacme != NULL && !uacme_watch(a->uacme, a->loop))
        return false;
    a->acme = a->relay != NULL ? acme_new(a->loop, &hooks) : NULL;
    return a->certs != NULL && a->acme != NULL && acme_check(conf, e);
}

/* Challenges are answered here if the ports are free, else by whoever has them, through the state folder. */
static void listen_alone(struct alone *a, struct conf *conf)
{
    struct conf_errors *e = conf_errors_new();

    if (e != NULL && relay_apply(a->relay, conf, a->certs, e))
        relay_set_acme(a->relay, a->acme);
    else
        printf("     not listening here (%s): a proxy that runs on the same state folder has to answer\n",
               e != NULL && conf_errors_count(e) > 0 ? conf_errors_text(e, 0) : "out of memory");
    conf_errors_free(e);
}

static void run_alone(struct alone *a)
{
    while (!acme_is_idle(a->acme)) {
        log_flush();
        if (loop_turn(a->loop, -1) < 0)
            return;
    }
}

static int print_errors(const char *command, const struct conf_errors *e)
{
    log_flush();
    for (unsigned i = 0; i < conf_errors_count(e); i++)
        fprintf(stderr, "proxy: %s: %s\n", command, conf_errors_text(e, i));
    if (conf_errors_count(e) == 0)
        fprintf(stderr, "proxy: %s: out of memory\n", command);
    return 1;
}

/* ---- acme ---- */

/* As the control socket says it. */
static int print_answer(const char *why)
{
    char text[512];
    struct writer w = writer_of(text, sizeof text - 1);

    log_flush();
    if (why == NULL) {
        puts("{\"ok\":true}");
        return 0;
    }
    log_escape_json(&w, bytes_str(why));
    text[writer_len(&w)] = '\0';
    printf("{\"ok\":false,\"error\":\"%s\"}\n", text);
    return 1;
}

static int print_status(const struct alone *a)
{
    char text[STATUS_MAX];
    struct writer w = writer_of(text, sizeof text - 1);

    acme_put_status(a->acme, &w);
    if (w.failed)
        return print_answer("the status does not fit");
    text[writer_len(&w)] = '\0';
    printf("{\"ok\":true,\"certificates\":%s}\n", text);
    return 0;
}

static const char *ask_alone(struct alone *a, const char *const *words, unsigned n)
{
    struct bytes name = bytes_str(n > 1 ? words[1] : "");
    int reason = revocation_reason(bytes_str(n > 2 ? words[2] : ""));

    if (strcmp(words[0], "issue") == 0)
        return acme_issue(a->acme, name);
    if (strcmp(words[0], "renew") == 0)
        return acme_renew(a->acme, name);
    return reason == REVOCATION_UNKNOWN ? "no such reason; " REVOCATION_REASONS
                                        : acme_revoke(a->acme, name, reason);
}

static int acme_alone(struct alone *a, struct conf *conf, const char *const *words, unsigned n,
                      struct conf_errors *e)
{
    const char *why;

    if (!open_alone(a, conf, e) || !acme_apply(a->acme, conf))
        return print_errors("acme", e);
    if (strcmp(words[0], "status") == 0)
        return print_status(a);
    why = ask_alone(a, words, n);
    if (why != NULL)
        return print_answer(why);
    if (strcmp(words[0], "revoke") != 0)
        listen_alone(a, conf);
    if (!confine(conf, e))
        return print_errors("acme", e);
    run_alone(a);
    return print_answer(a->failed || !acme_is_idle(a->acme) ? "it failed; the lines above say why" : NULL);
}

/* True when there is somebody to ask, whatever came of it. */
static bool ask_running(const struct conf *conf, const char *const *words, unsigned n, int *status)
{
    char line[1024], answer[STATUS_MAX];
    struct writer w = writer_of(line, sizeof line - 1);
    enum admin_answer got;

    if (!has_admin(conf))
        return false;
    writer_str(&w, "acme");
    for (unsigned i = 0; i < n; i++) {
        writer_u8(&w, ' ');
        writer_str(&w, words[i]);
    }
    writer_u8(&w, '\n');
    line[writer_len(&w)] = '\0';
    *status = 2;
    if (w.failed || strchr(line, '\n') != line + writer_len(&w) - 1) {
        fprintf(stderr, "proxy: acme: that is no name\n");
        return true;
    }
    got = admin_ask(conf->admin, line, answer, sizeof answer);
    if (got == ADMIN_NOBODY)
        return false;
    if (got == ADMIN_ANSWERED)
        fputs(answer, stdout);
    else
        fprintf(stderr, "proxy: acme: %s\n", answer);
    *status = got == ADMIN_ANSWERED && strncmp(answer, "{\"ok\":true", 10) == 0 ? 0 : 1;
    return true;
}

int command_acme(struct conf *conf, const char *const *words, unsigned n)
{
    struct alone a = {.failed = false};
    struct conf_errors *e;
    bool orders; /* the one thing that uacme is for */
    int status;

    if (ask_running(conf, words, n, &status))
        return status;
    e = conf_errors_new();
    orders = strcmp(words[0], "issue") == 0 || strcmp(words[0], "renew") == 0;
    if (orders && conf->acme.uacme != NULL)
        a.uacme = uacme_fork(conf->acme.uacme, become_user, conf);
    if (e == NULL)
        status = print_answer("out of memory");
    else if (orders && conf->acme.uacme != NULL && a.uacme == NULL)
        status = print_answer("uacme cannot be run");
    else
        status = acme_alone(&a, conf, words, n, e);
    close_alone(&a);
    conf_errors_free(e);
    return status;
}

/* ---- check ---- */

static void say_check(void *ctx, bool good, const char *line)
{
    (void)ctx;
    printf("%s %s\n", good ? "ok  " : "BAD ", line);
    fflush(stdout);
}

static void check_done(void *ctx, unsigned bad)
{
    *(int *)ctx = bad > 0 ? 1 : 0;
}

static int check_alone(struct alone *a, struct conf *conf, const struct url *u, struct conf_errors *e)
{
    int status = -1;
    const struct acme_check_hooks hooks = {&status, say_check, check_done};
    const char *why = "out of memory";
    struct challenges *challenges;

    if (!open_alone(a, conf, e))
        return print_errors("--check", e);
    challenges = acme_challenges(a->acme, conf->state);
    listen_alone(a, conf);
    if (challenges == NULL ||
        acme_check_new(a->loop, conf, challenges, u->host, u->port, &hooks, &why) == NULL) {
        fprintf(stderr, "proxy: --check: %s\n", why);
        return 1;
    }
    while (status < 0 && loop_turn(a->loop, -1) == 0)
        ;
    return status < 0 ? 1 : status;
}

int command_check(struct conf *conf, const char *name)
{
    struct alone a = {.failed = false};
    struct conf_errors *e = conf_errors_new();
    char text[600];
    struct url u;
    int status;

    snprintf(text, sizeof text, "http://%s/", name);
    if (e == NULL || url_parse(&u, bytes_str(text)) != NULL || u.path.n != 1) {
        fprintf(stderr, "proxy: --check: '%s' is not a name\n", name);
        conf_errors_free(e);
        return 2;
    }
    log_set_fd(-1); /* its own lines say all */
    status = check_alone(&a, conf, &u, e);
    close_alone(&a);
    conf_errors_free(e);
    return status;
}

/* ---- keygen ---- */

/* A key that is there may have a certificate, which would be lost with it. */
static int keep_key(const struct conf *conf, const char *name, struct bytes pem)
{
    char folder[PATH_MAX], path[PATH_MAX];
    int error;

    if (conf->state == NULL) {
        fprintf(stderr, "proxy: keygen: there is no state folder; set state\n");
        return 1;
    }
    if (!stored_folder(folder, sizeof folder, conf->state, name, true) ||
        snprintf(path, sizeof path, "%s/key.pem", folder) >= (int)sizeof path) {
        fprintf(stderr, "proxy: keygen: '%s' is not a name\n", name);
        return 2;
    }
    if (!confine_become_user(conf)) {
        fprintf(stderr, "proxy: keygen: %s: %s\n", conf->user, strerror(errno));
        return 1;
    }
    error = access(path, F_OK) == 0 ? EEXIST : state_write(folder, "key.pem", 0600, pem);
    if (error != 0) {
        fprintf(stderr, "proxy: keygen: %s: %s\n", path,
                error == EEXIST ? "there is one; move it, and the certificate for it, away first"
                                : strerror(error));
        return 1;
    }
    printf("%s: the next certificate for %s is for this key\n", path, name);
    return 0;
}

int command_keygen(const struct conf *conf, const char *const *words, unsigned n)
{
    char pem[KEYGEN_PEM];
    struct writer w = writer_of(pem, sizeof pem);
    const char *why = keygen(&w, words[0]);
    int status = 0;

    if (why != NULL) {
        fprintf(stderr, "proxy: keygen: %s: %s\n", words[0], why);
        return 2;
    }
    if (n > 1)
        status = keep_key(conf, words[1], bytes_of(pem, writer_len(&w)));
    else if (fwrite(pem, 1, writer_len(&w), stdout) != writer_len(&w) || fflush(stdout) != 0)
        status = 1;
    mem_wipe(pem, sizeof pem);
    return status;
}
