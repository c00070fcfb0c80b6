/* SPDX-License-Identifier: MIT
 *
 * Owns the account. A request is a walk through the steps that it still needs, each one exchange over HTTPS: `advance`
 * picks the next, `on_https` takes its answer. The invariant: one exchange is under way at most, a nonce is used once,
 * and the request's own answer, or the first failure of a step before it, reaches `done` exactly once.
 */
#include "acme/session.h"

#include "acme/jws.h"
#include "acme/problem.h"
#include "acme/url.h"
#include "acme/when.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "certs/stored.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define NONCES_MAX 20u /* badNonce for one request, before the authority is taken at its word */
#define NONCE_MAX  256u
#define RETRY_MAX  (7 * 86400) /* seconds that a Retry-After is believed */

enum step { STEP_NONE, STEP_DIRECTORY, STEP_NONCE, STEP_FIND_ACCOUNT, STEP_NEW_ACCOUNT, STEP_REQUEST };

struct acme_session {
    struct loop *loop;
    struct https_context *https;
    struct conf *conf;
    char *directory, *state;
    struct https *exchange;                  /* under way */
    enum step step;                          /* what it is for */
    bool has_directory, is_account_known_of; /* the key was there before us: it may have an account */
    bool lists_profile;                      /* that of conf, among those that the directory has */
    char *urls[ACME_ENDPOINTS], *new_nonce, *new_account, *terms;
    struct tls_identity *key;
    char *account; /* its URL */
    char nonce[NONCE_MAX + 1];
    unsigned nonces; /* refused for this request, or for a step before it */
    /* The request. */
    enum acme_endpoint endpoint; /* ACME_ENDPOINTS: url */
    char *url;
    uint8_t *payload;
    size_t payload_len;
    bool is_get;
    acme_session_done *done; /* NULL: none */
    void *owner;
    struct task start;
};

static void advance(struct acme_session *s);

/* ---- ending a request ---- */

static void forget_request(struct acme_session *s)
{
    https_cancel(s->exchange);
    s->exchange = NULL;
    s->step = STEP_NONE;
    s->done = NULL;
    mem_free(s->url);
    mem_free(s->payload);
    s->url = NULL;
    s->payload = NULL;
    s->payload_len = 0;
}

static void answer(struct acme_session *s, const struct acme_reply *reply)
{
    acme_session_done *done = s->done;
    void *owner = s->owner;

    forget_request(s);
    done(owner, reply);
}

static void fail(struct acme_session *s, const char *why)
{
    answer(s, &(struct acme_reply){.location = "", .problem = "", .why = why});
}

/* ---- answers ---- */

static const char *field(const struct https_result *r, const char *name, char *out, size_t size)
{
    struct bytes value = https_field(r, name);

    if (value.n == 0 || value.n >= size)
        return NULL;
    memcpy(out, value.p, value.n);
    out[value.n] = '\0';
    return out;
}

static void take_nonce(struct acme_session *s, const struct https_result *r)
{
    struct bytes nonce = https_field(r, "Replay-Nonce");

    if (nonce.n == 0 || nonce.n > NONCE_MAX)
        return;
    for (size_t i = 0; i < nonce.n; i++) /* base64url (§6.5.1); it goes into JSON as it is */
        if (nonce.p[i] <= ' ' || nonce.p[i] >= 0x7f || nonce.p[i] == '"' || nonce.p[i] == '\\')
            return;
    memcpy(s->nonce, nonce.p, nonce.n);
    s->nonce[nonce.n] = '\0';
}

static bool take_url(char **to, const struct json *j, const char *name)
{
    int v = json_member(j, JSON_ROOT, name);

    mem_free(*to);
    *to = v >= 0 ? json_string(j, v) : NULL;
    return *to != NULL;
}

static void on_directory(struct acme_session *s, const struct json *j)
{
    int meta = j != NULL ? json_member(j, JSON_ROOT, "meta") : -1;
    int terms = meta >= 0 ? json_member(j, meta, "termsOfService") : -1;
    int profiles = meta >= 0 ? json_member(j, meta, "profiles") : -1;
    const char *profile = s->conf->acme.profile;

    if (j == NULL || !take_url(&s->new_nonce, j, "newNonce") || !take_url(&s->new_account, j, "newAccount") ||
        !take_url(&s->urls[ACME_NEW_ORDER], j, "newOrder")) {
        fail(s, "this is no ACME directory: newNonce, newAccount or newOrder is missing; is the URL right?");
        return;
    }
    (void)take_url(&s->urls[ACME_REVOKE_CERT], j, "revokeCert");
    (void)take_url(&s->urls[ACME_RENEWAL_INFO], j, "renewalInfo");
    mem_free(s->terms);
    s->terms = terms >= 0 ? json_string(j, terms) : NULL;
    s->lists_profile = profiles >= 0 && profile != NULL && json_member(j, profiles, profile) >= 0;
    s->has_directory = true;
    advance(s);
}

static void on_account(struct acme_session *s, const struct https_result *r)
{
    char url[URL_MAX];

    if (field(r, "Location", url, sizeof url) == NULL || (s->account = mem_strdup(url)) == NULL) {
        fail(s, "the authority does not say where the account is");
        return;
    }
    if (r->status == 201)
        log_info("acme: a new account at %s%s%s", s->directory, s->terms != NULL ? "; it agrees to " : "",
                 s->terms != NULL ? s->terms : "");
    advance(s);
}

/* Seconds since 1970, 0 when nothing sensible is asked for. */
static int64_t retry_after(const struct https_result *r)
{
    int64_t now = time_wall(), at = when_retry_after(https_field(r, "Retry-After"), now);

    return at <= now ? 0 : at > now + RETRY_MAX ? now + RETRY_MAX : at;
}

/* "newAccount: 403: detail" says more than the detail alone. */
static const char *step_name(const struct acme_session *s)
{
    switch (s->step) {
    case STEP_DIRECTORY: return "the directory: ";
    case STEP_NONCE: return "newNonce: ";
    case STEP_FIND_ACCOUNT:
    case STEP_NEW_ACCOUNT: return "the account: ";
    default: return "";
    }
}

static void on_problem(struct acme_session *s, const struct https_result *r, const struct json *j)
{
    char problem[64] = "", why[2300], location[URL_MAX];
    char *text = j != NULL ? acme_problem_text(j, JSON_ROOT, problem, sizeof problem) : NULL;

    if (strcmp(problem, "badNonce") == 0 && s->nonces++ < NONCES_MAX) {
        mem_free(text);
        advance(s); /* with the nonce that came with the problem, or another one */
        return;
    }
    if (s->step == STEP_FIND_ACCOUNT && strcmp(problem, "accountDoesNotExist") == 0) {
        mem_free(text);
        s->is_account_known_of = false;
        advance(s);
        return;
    }
    /* The account is gone at the authority: the next request looks for it, or makes it, anew. */
    if (strcmp(problem, "accountDoesNotExist") == 0) {
        mem_free(s->account);
        s->account = NULL;
    }
    if (text != NULL)
        snprintf(why, sizeof why, "%s%s", step_name(s), text);
    else
        snprintf(why, sizeof why, "%sHTTP status %u", step_name(s), r->status);
    mem_free(text);
    if (field(r, "Location", location, sizeof location) == NULL)
        location[0] = '\0';
    answer(s, &(struct acme_reply){.status = r->status,
                                   .body = r->body,
                                   .location = location,
                                   .retry_after = retry_after(r),
                                   .problem = problem,
                                   .why = why});
}

static void on_good(struct acme_session *s, const struct https_result *r, struct json *j)
{
    char location[URL_MAX];

    switch (s->step) {
    case STEP_DIRECTORY: on_directory(s, j); break;
    case STEP_NONCE:
        if (s->nonce[0] == '\0')
            fail(s, "newNonce: the authority sends no nonce");
        else
            advance(s);
        break;
    case STEP_FIND_ACCOUNT:
    case STEP_NEW_ACCOUNT: on_account(s, r); break;
    case STEP_REQUEST:
        if (field(r, "Location", location, sizeof location) == NULL)
            location[0] = '\0';
        answer(s, &(struct acme_reply){.status = r->status,
                                       .body = r->body,
                                       .head = r->head,
                                       .json = j,
                                       .location = location,
                                       .retry_after = retry_after(r),
                                       .problem = ""});
        break;
    case STEP_NONE: assert(false);
    }
}

static void on_https(void *owner, const struct https_result *r)
{
    struct acme_session *s = owner;
    struct json *j;
    const char *bad;

    s->exchange = NULL;
    if (r->why != NULL) {
        fail(s, r->why);
        return;
    }
    take_nonce(s, r);
    j = json_parse(r->body, &bad);
    if (r->status < 200 || r->status > 299)
        on_problem(s, r, j);
    else
        on_good(s, r, j);
    json_free(j);
}

/* ---- steps ---- */

static void exchange(struct acme_session *s, enum step step, const char *method, const char *url,
                     struct bytes body)
{
    struct https_request rq = {.method = method, .url = url, .body = body};

    if (body.n > 0)
        rq.content_type = "application/jose+json";
    s->step = step;
    s->exchange = https_send(s->https, &rq, on_https, s);
    if (s->exchange == NULL)
        fail(s, "out of memory");
}

/* A nonce is good for one request, whatever comes of it. */
static void send_signed(struct acme_session *s, enum step step, const char *url, struct bytes payload,
                        const char *account)
{
    size_t cap = payload.n * 4 / 3 + strlen(url) * 2 + 4096;
    uint8_t *body = mem_alloc(cap);
    struct writer w = writer_of(body, body != NULL ? cap : 0);
    bool good = body != NULL && jws_sign(&w, s->key, account, s->nonce, url, payload) && !w.failed;

    s->nonce[0] = '\0';
    if (good)
        exchange(s, step, "POST", url, bytes_of(body, writer_len(&w)));
    mem_free(body);
    if (!good)
        fail(s, "out of memory");
}

static void send_account(struct acme_session *s, bool find)
{
    const struct conf_acme *acme = &s->conf->acme;
    char payload[4096];
    struct writer w = writer_of(payload, sizeof payload);

    writer_str(&w, find ? "{\"onlyReturnExisting\":true" : "{\"termsOfServiceAgreed\":true");
    if (!find && acme->email != NULL) {
        char mail[300];

        snprintf(mail, sizeof mail, "mailto:%s", acme->email);
        writer_str(&w, ",\"contact\":[");
        json_put_string(&w, bytes_str(mail));
        writer_u8(&w, ']');
    }
    if (!find && acme->account_id != NULL) {
        writer_str(&w, ",\"externalAccountBinding\":");
        if (!jws_external_account(&w, s->key, acme->account_id, acme->hmac_key, s->new_account))
            w.failed = true;
    }
    writer_u8(&w, '}');
    if (w.failed)
        fail(s, "external-account: the key cannot be used; is it as the authority gave it?");
    else
        send_signed(s, find ? STEP_FIND_ACCOUNT : STEP_NEW_ACCOUNT, s->new_account,
                    bytes_of(payload, writer_len(&w)), NULL);
    mem_wipe(payload, sizeof payload);
}

static bool load_key(struct acme_session *s)
{
    const char *why;

    if (s->key != NULL)
        return true;
    s->key = stored_key(s->state, NULL, &s->is_account_known_of, &why);
    if (s->key == NULL) {
        char text[512];

        snprintf(text, sizeof text, "%s/private/key.pem, the account's key: %s", s->state, why);
        fail(s, text);
    }
    return s->key != NULL;
}

static void send_request(struct acme_session *s)
{
    const char *url = s->endpoint == ACME_ENDPOINTS ? s->url : s->urls[s->endpoint];
    char full[URL_MAX];

    if (url == NULL)
        fail(s, "the authority does not offer this");
    else if (!s->is_get)
        send_signed(s, STEP_REQUEST, url, bytes_of(s->payload, s->payload_len), s->account);
    else if (snprintf(full, sizeof full, "%s/%.*s", url, (int)s->payload_len, (const char *)s->payload) >=
             (int)sizeof full)
        fail(s, "a URL that is too long");
    else
        exchange(s, STEP_REQUEST, "GET", full, (struct bytes){NULL, 0});
}

/* The first step that the request still needs. */
static void advance(struct acme_session *s)
{
    const struct bytes none = {NULL, 0};

    if (!s->has_directory)
        exchange(s, STEP_DIRECTORY, "GET", s->directory, none);
    else if (s->endpoint == ACME_DIRECTORY)
        answer(s, &(struct acme_reply){.location = "", .problem = ""});
    else if (s->is_get)
        send_request(s);
    else if (!load_key(s))
        return;
    else if (s->nonce[0] == '\0')
        exchange(s, STEP_NONCE, "HEAD", s->new_nonce, none);
    else if (s->account == NULL)
        send_account(s, s->is_account_known_of);
    else
        send_request(s);
}

/* ---- the face ---- */

static void on_start(struct task *task)
{
    struct acme_session *s =
        (struct acme_session *)(void *)((char *)task - offsetof(struct acme_session, start));

    if ((s->endpoint == ACME_ENDPOINTS && s->url == NULL) || (s->payload_len > 0 && s->payload == NULL))
        fail(s, "out of memory");
    else
        advance(s);
}

struct acme_session *acme_session_new(struct loop *loop, struct https_context *https, struct conf *conf,
                                      const char *directory, const char *state)
{
    struct acme_session *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return NULL;
    s->loop = loop;
    s->https = https;
    s->conf = conf_ref(conf);
    s->start.run = on_start;
    s->directory = mem_strdup(directory);
    s->state = mem_strdup(state);
    if (s->directory != NULL && s->state != NULL)
        return s;
    acme_session_free(s);
    return NULL;
}

bool acme_session_is_with(const struct acme_session *s, const char *directory)
{
    return strcmp(s->directory, directory) == 0;
}

void acme_session_free(struct acme_session *s)
{
    if (s == NULL)
        return;
    acme_session_cancel(s);
    for (unsigned i = 0; i < ACME_ENDPOINTS; i++)
        mem_free(s->urls[i]);
    mem_free(s->new_nonce);
    mem_free(s->new_account);
    mem_free(s->terms);
    mem_free(s->account);
    mem_free(s->directory);
    mem_free(s->state);
    tls_identity_unref(s->key);
    conf_unref(s->conf);
    mem_free(s);
}

static void begin(struct acme_session *s, struct bytes payload, acme_session_done *done, void *owner)
{
    assert(s->done == NULL);
    s->done = done;
    s->owner = owner;
    s->nonces = 0;
    if (payload.n > 0) {
        s->payload = mem_alloc(payload.n);
        s->payload_len = payload.n;
        if (s->payload != NULL)
            memcpy(s->payload, payload.p, payload.n);
    }
    loop_post(s->loop, &s->start);
}

void acme_session_post(struct acme_session *s, const char *url, struct bytes payload, acme_session_done *done,
                       void *owner)
{
    s->endpoint = ACME_ENDPOINTS;
    s->is_get = false;
    s->url = mem_strdup(url);
    begin(s, payload, done, owner);
}

void acme_session_call(struct acme_session *s, enum acme_endpoint to, struct bytes payload,
                       acme_session_done *done, void *owner)
{
    s->endpoint = to;
    s->is_get = to == ACME_RENEWAL_INFO;
    begin(s, payload, done, owner);
}

bool acme_session_offers(const struct acme_session *s, enum acme_endpoint what)
{
    return s->urls[what] != NULL;
}

bool acme_session_lists_profile(const struct acme_session *s)
{
    return s->lists_profile;
}

void acme_session_cancel(struct acme_session *s)
{
    loop_unpost(s->loop, &s->start);
    forget_request(s);
}

bool acme_session_key_authorization(const struct acme_session *s, struct bytes token, struct writer *out)
{
    return s->key != NULL && jws_key_authorization(out, s->key, token);
}
