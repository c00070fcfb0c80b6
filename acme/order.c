/* SPDX-License-Identifier: MIT
 *
 * The state machine of an order: each state is named by what it waits for, `ask` sends what the state asks for, `on_reply`
 * takes the answer, and `enter` alone changes the state. What an authority says is believed for this order alone: its
 * URLs are asked, its names compared with ours, its chain checked against our key and names.
 */
#include "acme/order.h"

#include "acme/csr.h"
#include "acme/link.h"
#include "acme/problem.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "certs/certs.h"
#include "certs/pem.h"
#include "certs/stored.h"
#include "certs/x509.h"
#include "net/addr.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DEADLINE   (10u * 60u * 1000u) /* ms for the whole order */
#define TOO_LONG   "the authority wants more time than the ten minutes that an order has"
#define WAIT_MIN   500u /* ms between two looks at the same thing */
#define WAIT_MAX   15000u
#define KEEP_MAX   60000u /* between two tries to write the chain */
#define NAMES_MAX  100u   /* what authorities allow */
#define CHAINS_MAX 8u     /* other chains that are looked at */

enum state {
    DIRECTORY,     /* what the authority offers */
    NEW_ORDER,     /* the order itself */
    AUTHORIZATION, /* what is to be proved for the i-th name */
    CHALLENGE,     /* that the i-th challenge may be looked at */
    VALIDATION,    /* that the i-th name is proved */
    READY,         /* that the order is */
    FINALIZED,     /* the answer to our certificate request */
    ISSUED,        /* the URL of the certificate */
    CERTIFICATE,   /* the chain */
    ALTERNATE,     /* the i-th other chain (§7.4.2) */
    KEPT,          /* that the chain is on the disk */
    ENDED,
};

struct authorization {
    char *url;
    char *name;      /* once known */
    char *challenge; /* URL; NULL: nothing to prove */
    char *token;
};

struct acme_order {
    struct loop *loop;
    struct acme_session *session;
    struct challenges *challenges;
    struct acme_order_request rq;
    acme_order_done *done;
    void *owner;
    enum state state;
    struct authorization *authorizations;
    unsigned n, i;                                       /* how many; the one under way */
    char *folder, *profile, *replaces, *preferred_chain; /* copies of the request's */
    char *url, *finalize, *certificate;
    char *alternates[CHAINS_MAX];
    unsigned alternate_count;
    struct span chain; /* that is taken, if none is better */
    bool said;         /* that it cannot be written */
    struct tls_identity *key;
    struct timer wait;
    struct task free;
    uint64_t deadline, pause; /* ms */
    bool asking;
};

static void ask(struct acme_order *o);

/* ---- ending ---- */

static void free_order(struct task *task)
{
    struct acme_order *o = (struct acme_order *)(void *)((char *)task - offsetof(struct acme_order, free));

    for (unsigned i = 0; i < o->n; i++) {
        mem_free(o->authorizations[i].url);
        mem_free(o->authorizations[i].name);
        mem_free(o->authorizations[i].challenge);
        mem_free(o->authorizations[i].token);
    }
    mem_free(o->authorizations);
    mem_free(o->folder);
    mem_free(o->profile);
    mem_free(o->replaces);
    mem_free(o->preferred_chain);
    mem_free(o->url);
    mem_free(o->finalize);
    mem_free(o->certificate);
    for (unsigned i = 0; i < o->alternate_count; i++)
        mem_free(o->alternates[i]);
    mem_free(o->chain.p);
    tls_identity_unref(o->key);
    mem_free(o);
}

static void enter(struct acme_order *o, enum state state)
{
    /* Forward, but for a look again at an order that was not ready after all. */
    assert(o->state != ENDED && (state >= o->state || (o->state == FINALIZED && state == READY)));
    o->state = state;
    o->pause = WAIT_MIN;
}

static void end(struct acme_order *o)
{
    if (o->asking)
        acme_session_cancel(o->session);
    o->asking = false;
    timer_clear(o->loop, &o->wait);
    for (unsigned i = 0; i < o->n; i++)
        if (o->authorizations[i].token != NULL)
            challenges_remove(o->challenges, bytes_str(o->authorizations[i].token));
    enter(o, ENDED);
    loop_defer(o->loop, &o->free);
}

void acme_order_cancel(struct acme_order *o)
{
    if (o != NULL && o->state != ENDED)
        end(o);
}

static void finish(struct acme_order *o, const struct acme_outcome *outcome)
{
    o->done(o->owner, outcome);
    if (o->state != ENDED)
        end(o);
}

static void fail(struct acme_order *o, const char *why)
{
    finish(o, &(struct acme_outcome){.why = why, .problem = ""});
}

/* ---- the answers ---- */

/* A URL of ours to ask is kept; anything else is no answer to go on with. */
static bool take_text(char **to, const struct json *j, int value)
{
    char *text = value >= 0 ? json_string(j, value) : NULL;

    if (text == NULL)
        return false;
    mem_free(*to);
    *to = text;
    return true;
}

static bool has_status(const struct json *j, int object, const char *status)
{
    int v = json_member(j, object, "status");

    return v >= 0 && json_is(j, v, status);
}

static bool take_authorizations(struct acme_order *o, const struct json *j)
{
    int list = json_member(j, JSON_ROOT, "authorizations");
    unsigned n = list >= 0 ? json_count(j, list) : 0;

    if (n == 0 || n > NAMES_MAX)
        return false;
    o->authorizations = mem_zalloc(n * sizeof *o->authorizations);
    if (o->authorizations == NULL)
        return false;
    for (; o->n < n; o->n++)
        if (!take_text(&o->authorizations[o->n].url, j, json_element(j, list, o->n)))
            return false;
    return true;
}

static void on_order(struct acme_order *o, const struct acme_reply *r)
{
    mem_free(o->url);
    o->url = mem_strdup(r->location);
    if (o->url == NULL || o->url[0] == '\0' || r->json == NULL || !take_authorizations(o, r->json) ||
        !take_text(&o->finalize, r->json, json_member(r->json, JSON_ROOT, "finalize"))) {
        fail(o,
             "the authority's answer to a new order has no URL, no authorizations or no way to finalize it");
        return;
    }
    enter(o, AUTHORIZATION);
    ask(o);
}

static bool is_ours(const struct acme_order *o, const char *name)
{
    for (unsigned i = 0; i < o->rq.n; i++)
        if (strcmp(name, o->rq.names[i]) == 0)
            return true;
    return false;
}

/* The HTTP-01 challenge of an authorization; -1: none. */
static int find_challenge(const struct json *j)
{
    int list = json_member(j, JSON_ROOT, "challenges");

    for (unsigned i = 0; list >= 0 && i < json_count(j, list); i++) {
        int challenge = json_element(j, list, i), type = json_member(j, challenge, "type");

        if (type >= 0 && json_is(j, type, "http-01"))
            return challenge;
    }
    return -1;
}

static const char *take_challenge(struct acme_order *o, const struct json *j)
{
    struct authorization *a = &o->authorizations[o->i];
    int challenge = find_challenge(j);
    char text[CHALLENGE_TEXT_MAX];
    struct writer w = writer_of(text, sizeof text);

    if (challenge < 0)
        return "the authority does not offer HTTP-01 for this name";
    if (!take_text(&a->challenge, j, json_member(j, challenge, "url")) ||
        !take_text(&a->token, j, json_member(j, challenge, "token")) ||
        !challenge_token_is_good(bytes_str(a->token)))
        return "the authority's challenge has no URL, or a token that cannot be one";
    if (!acme_session_key_authorization(o->session, bytes_str(a->token), &w) || w.failed ||
        !challenges_add(o->challenges, bytes_str(a->token), bytes_of(text, writer_len(&w))))
        return "no room for another challenge";
    return NULL;
}

/* Then all challenges are made known at once, and looked after one by one. */
static void next_authorization(struct acme_order *o, enum state after)
{
    if (++o->i == o->n) {
        o->i = 0;
        enter(o, after);
    }
    ask(o);
}

static void on_authorization(struct acme_order *o, const struct json *j)
{
    struct authorization *a = &o->authorizations[o->i];
    int identifier = json_member(j, JSON_ROOT, "identifier");
    const char *why = NULL;

    if (identifier < 0 || !take_text(&a->name, j, json_member(j, identifier, "value")) ||
        !is_ours(o, a->name))
        why = "the authority asks about a name that was not ordered";
    else if (!has_status(j, JSON_ROOT, "valid"))
        why = has_status(j, JSON_ROOT, "pending") ? take_challenge(o, j)
                                                  : "the authorization is neither valid nor pending";
    if (why != NULL)
        finish(o, &(struct acme_outcome){.why = why, .problem = "", .name = a->name});
    else
        next_authorization(o, CHALLENGE);
}

/* Where the deadline does not hold what the authority asks for, the next order waits for that. */
static void look_again(struct acme_order *o, const struct acme_reply *r)
{
    uint64_t now = loop_now(o->loop), pause = o->pause;

    if (r->retry_after > time_wall())
        pause = (uint64_t)(r->retry_after - time_wall()) * 1000;
    o->pause = o->pause * 2 < WAIT_MAX ? o->pause * 2 : WAIT_MAX;
    if (now + pause > o->deadline)
        finish(o, &(struct acme_outcome){.why = r->why != NULL ? r->why : TOO_LONG,
                                         .problem = r->problem,
                                         .retry_after = r->retry_after});
    else if (!timer_set(o->loop, &o->wait, now + pause))
        fail(o, "out of memory");
}

/* The last of the validation records says which address was tried (§8.3, "addressUsed" is what Boulder and Pebble
 * write). NULL: not said. */
static char *address_used(const struct json *j, int challenge)
{
    int records = json_member(j, challenge, "validationRecord");
    unsigned n = records >= 0 ? json_count(j, records) : 0;
    int used = n > 0 ? json_member(j, json_element(j, records, n - 1), "addressUsed") : -1;

    return used >= 0 ? json_string(j, used) : NULL;
}

/* The CA's own words are worth more than ours. */
static void on_invalid(struct acme_order *o, const struct json *j)
{
    struct authorization *a = &o->authorizations[o->i];
    int challenge = find_challenge(j), error = challenge >= 0 ? json_member(j, challenge, "error") : -1;
    char problem[64] = "", *detail = error >= 0 ? acme_problem_text(j, error, problem, sizeof problem) : NULL;
    char *address = challenge >= 0 ? address_used(j, challenge) : NULL;

    finish(o, &(struct acme_outcome){.why = detail != NULL ? detail : "the authority does not say why",
                                     .problem = problem,
                                     .name = a->name,
                                     .address = address,
                                     .asked = challenges_asked(o->challenges, bytes_str(a->token))});
    mem_free(detail);
    mem_free(address);
}

static void on_validation(struct acme_order *o, const struct acme_reply *r)
{
    struct authorization *a = &o->authorizations[o->i];

    if (has_status(r->json, JSON_ROOT, "valid")) {
        if (a->token != NULL)
            challenges_remove(o->challenges, bytes_str(a->token));
        next_authorization(o, READY);
    } else if (has_status(r->json, JSON_ROOT, "pending")) {
        look_again(o, r);
    } else {
        on_invalid(o, r->json);
    }
}

/* What was not offered is not to be asked for (RFC 9773 §5). */
static void on_directory(struct acme_order *o)
{
    if (!acme_session_offers(o->session, ACME_RENEWAL_INFO))
        o->rq.replaces = NULL;
    if (o->rq.is_trial && !acme_session_lists_profile(o->session))
        o->rq.profile = NULL;
    enter(o, NEW_ORDER);
    ask(o);
}

/* READY, FINALIZED and ISSUED all look at the order (§7.1.6). */
static void on_order_status(struct acme_order *o, const struct acme_reply *r)
{
    int error = json_member(r->json, JSON_ROOT, "error");
    char problem[64] = "", *detail;

    if (has_status(r->json, JSON_ROOT, "valid")) {
        if (!take_text(&o->certificate, r->json, json_member(r->json, JSON_ROOT, "certificate"))) {
            fail(o, "the authority says that the certificate is there, and not where");
            return;
        }
        enter(o, CERTIFICATE);
        ask(o);
    } else if (has_status(r->json, JSON_ROOT, "ready") && o->state == READY) {
        enter(o, FINALIZED);
        ask(o);
    } else if (has_status(r->json, JSON_ROOT, "pending") || has_status(r->json, JSON_ROOT, "ready") ||
               has_status(r->json, JSON_ROOT, "processing")) {
        if (o->state == FINALIZED)
            enter(o, ISSUED);
        look_again(o, r);
    } else {
        detail = error >= 0 ? acme_problem_text(r->json, error, problem, sizeof problem) : NULL;
        finish(o, &(struct acme_outcome){.why = detail != NULL ? detail : "the authority gave the order up",
                                         .problem = problem});
        mem_free(detail);
    }
}

/* ---- the chain ---- */

/* What the store would refuse must not take the place of what is there; and the chain must be for all names, and not over
 * yet. */
static const char *check_chain(const struct acme_order *o, const struct tls_identity *id)
{
    const char *why = stored_problem(id, o->key);

    if (why != NULL)
        return why;
    if (time_is_sane() && id->not_after <= time_wall())
        return "the certificate is over already; is the clock right?";
    for (unsigned i = 0; i < o->rq.n; i++)
        if (!certs_covers(id, o->rq.names[i]))
            return "the certificate does not cover all names";
    return NULL;
}

/* Is it the one that is wished for? */
static bool is_preferred(const struct acme_order *o, const struct tls_identity *id)
{
    const br_x509_certificate *top = &id->chain[id->chain_len - 1];
    struct x509 x;

    return o->preferred_chain == NULL || (x509_parse(&x, bytes_of(top->data, top->data_len)) &&
                                          bytes_is(x509_name_text(x.issuer), o->preferred_chain));
}

static bool take_chain(struct acme_order *o, struct bytes pem)
{
    uint8_t *copy = mem_alloc(pem.n);

    if (copy == NULL)
        return false;
    memcpy(copy, pem.p, pem.n);
    mem_free(o->chain.p);
    o->chain = (struct span){copy, pem.n};
    return true;
}

static void take_alternates(struct acme_order *o, const struct http_head *head)
{
    struct bytes url;

    while (o->alternate_count < CHAINS_MAX && (url = link_alternate(head, o->alternate_count)).n > 0 &&
           (o->alternates[o->alternate_count] = mem_strndup(url.p, url.n)) != NULL)
        o->alternate_count++;
}

/* An order is not given up for a disk that is full for a while: another would count at the authority. */
static void keep(struct acme_order *o)
{
    char folder[PATH_MAX];
    int error;

    if (!stored_folder(folder, sizeof folder, o->rq.state, o->rq.names[0], false)) {
        fail(o, "not a name that a folder can have");
        return;
    }
    error = state_write(folder, "cert.pem", 0644, bytes_of(o->chain.p, o->chain.n));
    if (error == 0) {
        finish(o, &(struct acme_outcome){.why = NULL, .problem = ""});
        return;
    }
    if (!o->said)
        log_error(
            "acme: %s: the new certificate cannot be written to %s: %s; it is kept in memory, tried again every "
            "minute, and not used before it is there",
            o->rq.names[0], folder, strerror(error));
    o->said = true;
    if (!timer_set(o->loop, &o->wait, loop_now(o->loop) + o->pause))
        fail(o, "out of memory");
    o->pause = o->pause * 2 < KEEP_MAX ? o->pause * 2 : KEEP_MAX;
}

static void next_chain(struct acme_order *o)
{
    if (o->state == CERTIFICATE) {
        o->i = 0;
        enter(o, ALTERNATE);
    } else {
        o->i++;
    }
    if (o->i < o->alternate_count) {
        ask(o);
        return;
    }
    log_warn("acme: %s: the authority has no chain from %s; its own choice is taken", o->rq.names[0],
             o->preferred_chain);
    enter(o, KEPT);
    keep(o);
}

/* The authority's own choice, or one of the others: that it cannot be taken ends the order, or does no harm. */
static void on_chain(struct acme_order *o, const struct acme_reply *r)
{
    struct tls_identity *id = tls_identity_new(o->rq.names[0]);
    const char *why = id == NULL ? "out of memory" : r->why != NULL ? r->why : pem_load_chain(id, r->body);
    bool is_first = o->state == CERTIFICATE, good, is_last;

    if (why == NULL)
        why = check_chain(o, id);
    good = why == NULL;
    is_last = good && is_preferred(o, id);
    tls_identity_unref(id);
    if (good && (is_first || is_last) && !take_chain(o, r->body)) {
        fail(o, "out of memory");
    } else if (!good && is_first) {
        finish(o, &(struct acme_outcome){.why = why, .problem = r->problem, .retry_after = r->retry_after});
    } else if (is_last) {
        enter(o, KEPT);
        keep(o);
    } else {
        if (is_first)
            take_alternates(o, r->head);
        next_chain(o);
    }
}

/* ---- each answer to its state ---- */

/* When all is proved, another order would count at the authority: one that cannot be reached, or is not well, is asked
 * once more. Had it taken a certificate request whose answer was lost, it says orderNotReady to the next. */
static bool may_pass(const struct acme_order *o, const struct acme_reply *r)
{
    return o->state >= READY && o->state <= CERTIFICATE && r->why != NULL &&
           (r->status == 0 || r->status >= 500);
}

static void on_reply(void *owner, const struct acme_reply *r)
{
    struct acme_order *o = owner;

    o->asking = false;
    /* §7.4: the authority may be behind its own answers. */
    if (o->state == FINALIZED && strcmp(r->problem, "orderNotReady") == 0) {
        enter(o, READY);
        look_again(o, r);
    } else if (may_pass(o, r)) {
        look_again(o, r);
    } else if (o->state == NEW_ORDER && o->rq.replaces != NULL && r->status >= 400 && r->status < 500 &&
               strcmp(r->problem, "rateLimited") != 0) {
        log_info("acme: %s: the authority does not take this order as a renewal; once more as a new one: %s",
                 o->rq.names[0], r->why);
        o->rq.replaces = NULL;
        ask(o);
    } else if (o->state == CERTIFICATE || o->state == ALTERNATE) {
        on_chain(o, r);
    } else if (r->why != NULL) {
        finish(o,
               &(struct acme_outcome){.why = r->why, .problem = r->problem, .retry_after = r->retry_after});
    } else if (o->state == DIRECTORY) {
        on_directory(o);
    } else if (r->json == NULL) {
        fail(o, "the authority's answer is not JSON");
    } else {
        switch (o->state) {
        case NEW_ORDER: on_order(o, r); break;
        case AUTHORIZATION: on_authorization(o, r->json); break;
        case CHALLENGE: next_authorization(o, VALIDATION); break;
        case VALIDATION: on_validation(o, r); break;
        case READY:
        case FINALIZED:
        case ISSUED: on_order_status(o, r); break;
        case CERTIFICATE:
        case ALTERNATE:
        case KEPT:
        case DIRECTORY:
        case ENDED: assert(false);
        }
    }
}

/* ---- the questions ---- */

static void post(struct acme_order *o, const char *url, struct bytes payload)
{
    o->asking = true;
    acme_session_post(o->session, url, payload, on_reply, o);
}

static size_t names_len(const struct acme_order *o)
{
    size_t n = 0;

    for (unsigned i = 0; i < o->rq.n; i++)
        n += strlen(o->rq.names[i]);
    return n;
}

static void ask_order(struct acme_order *o)
{
    size_t cap = 512 + names_len(o) + 40 * (size_t)o->rq.n;
    char *text = mem_alloc(cap);
    struct writer w = writer_of(text, text != NULL ? cap : 0);

    writer_str(&w, "{\"identifiers\":[");
    for (unsigned i = 0; i < o->rq.n; i++) {
        struct addr ip;
        bool is_ip = addr_from_ip(&ip, bytes_str(o->rq.names[i]), 0);

        writer_str(&w, i > 0 ? ",{\"type\":\"" : "{\"type\":\"");
        writer_str(&w, is_ip ? "ip\",\"value\":" : "dns\",\"value\":"); /* RFC 8738 §3 */
        json_put_string(&w, bytes_str(o->rq.names[i]));
        writer_u8(&w, '}');
    }
    writer_u8(&w, ']');
    if (o->rq.profile != NULL) {
        writer_str(&w, ",\"profile\":");
        json_put_string(&w, bytes_str(o->rq.profile));
    }
    if (o->rq.replaces != NULL) {
        writer_str(&w, ",\"replaces\":");
        json_put_string(&w, bytes_str(o->rq.replaces));
    }
    writer_u8(&w, '}');
    if (w.failed) {
        mem_free(text);
        fail(o, "out of memory");
        return;
    }
    o->asking = true;
    acme_session_call(o->session, ACME_NEW_ORDER, bytes_of(text, writer_len(&w)), on_reply, o);
    mem_free(text);
}

static void ask_certificate_request(struct acme_order *o)
{
    size_t cap = 2048 + names_len(o) + 16 * (size_t)o->rq.n, text_cap = cap * 4 / 3 + 64;
    uint8_t *der = mem_alloc(cap);
    char *text = mem_alloc(text_cap);
    struct writer w = writer_of(der, der != NULL ? cap : 0), t = writer_of(text, text != NULL ? text_cap : 0);
    bool good = der != NULL && text != NULL && csr_write(&w, o->key, o->rq.names, o->rq.n);

    writer_str(&t, "{\"csr\":\"");
    if (good)
        text_base64url_encode(&t, bytes_of(der, writer_len(&w)));
    writer_str(&t, "\"}");
    if (good && !t.failed)
        post(o, o->finalize, bytes_of(text, writer_len(&t)));
    else
        fail(o, "out of memory");
    mem_free(der);
    mem_free(text);
}

/* The one under way. */
static const struct authorization *current(const struct acme_order *o)
{
    assert(o->authorizations != NULL && o->i < o->n);
    return &o->authorizations[o->i];
}

/* Sends what the state waits for an answer to. */
static void ask(struct acme_order *o)
{
    static const struct bytes as_get = {NULL, 0};

    if (o->state < CERTIFICATE && loop_now(o->loop) > o->deadline) {
        fail(o, TOO_LONG);
        return;
    }
    switch (o->state) {
    case DIRECTORY:
        o->asking = true;
        acme_session_call(o->session, ACME_DIRECTORY, as_get, on_reply, o);
        break;
    case NEW_ORDER: ask_order(o); break;
    case AUTHORIZATION: post(o, current(o)->url, as_get); break;
    case CHALLENGE:
        if (current(o)->challenge != NULL)
            post(o, current(o)->challenge, bytes_str("{}"));
        else
            next_authorization(o, VALIDATION);
        break;
    case VALIDATION:
        if (current(o)->challenge != NULL)
            post(o, current(o)->url, as_get);
        else
            next_authorization(o, READY);
        break;
    case READY:
    case ISSUED: post(o, o->url, as_get); break;
    case FINALIZED: ask_certificate_request(o); break;
    case CERTIFICATE: post(o, o->certificate, as_get); break;
    case ALTERNATE: post(o, o->alternates[o->i], as_get); break;
    case KEPT: keep(o); break;
    case ENDED: assert(false);
    }
}

static void on_wait(struct timer *timer)
{
    ask((struct acme_order *)(void *)((char *)timer - offsetof(struct acme_order, wait)));
}

/* The first step is taken from the loop, so that `done` never comes from within acme_order_new. */
static void on_start(struct timer *timer)
{
    struct acme_order *o = (struct acme_order *)(void *)((char *)timer - offsetof(struct acme_order, wait));
    const char *why;
    bool was_there;

    timer->fired = on_wait;
    o->key = stored_key(o->rq.state, o->rq.names[0], &was_there, &why);
    if (o->key == NULL) {
        char text[PATH_MAX + 128];

        snprintf(text, sizeof text, "%s/private/%s/key.pem: %s", o->rq.state, o->rq.names[0], why);
        fail(o, text);
    } else {
        ask(o);
    }
}

struct acme_order *acme_order_new(struct loop *loop, struct acme_session *session,
                                  struct challenges *challenges, const struct acme_order_request *rq,
                                  acme_order_done *done, void *owner)
{
    struct acme_order *o = mem_zalloc(sizeof *o);

    if (o == NULL)
        return NULL;
    o->loop = loop;
    o->session = session;
    o->challenges = challenges;
    o->rq = *rq;
    o->rq.state = o->folder = mem_strdup(rq->state);
    o->rq.profile = o->profile = rq->profile != NULL ? mem_strdup(rq->profile) : NULL;
    o->rq.replaces = o->replaces = rq->replaces != NULL ? mem_strdup(rq->replaces) : NULL;
    o->preferred_chain = rq->preferred_chain != NULL ? mem_strdup(rq->preferred_chain) : NULL;
    o->done = done;
    o->owner = owner;
    o->free.run = free_order;
    o->pause = WAIT_MIN;
    o->deadline = loop_now(loop) + DEADLINE;
    o->wait.fired = on_start;
    if (o->folder == NULL || (rq->profile != NULL && o->profile == NULL) ||
        (rq->replaces != NULL && o->replaces == NULL) ||
        (rq->preferred_chain != NULL && o->preferred_chain == NULL) ||
        !timer_set(loop, &o->wait, loop_now(loop))) {
        free_order(&o->free);
        return NULL;
    }
    return o;
}
