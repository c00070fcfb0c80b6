/* SPDX-License-Identifier: MIT
 *
 * One look after the other, in the order in which they depend on each other; a look that fails does not end the rest.
 */
#include "acme/check.h"

#include "acme/caa.h"
#include "acme/https.h"
#include "acme/json.h"
#include "acme/when.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "certs/trust.h"
#include "net/addr.h"
#include "version.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_TOLERANCE 300 /* seconds; an answer's Date is as old as the answer */

struct acme_check {
    struct loop *loop;
    const struct conf *conf;
    struct challenges *challenges;
    struct acme_check_hooks hooks;
    struct dns *dns;
    struct trust *trust;
    struct https_context https;
    struct https *request;
    struct dns_query *query;
    struct dns_caa_search *caa;
    char *identities[CAA_IDENTITIES]; /* what the authority is called in CAA records, as it says */
    unsigned identity_count;
    struct addr addresses[DNS_ADDRESSES];
    unsigned n, i, bad;
    char name[256], token[48], text[100];
    uint16_t port;
    struct timer start;
};

__attribute__((format(printf, 3, 4))) static void say(struct acme_check *c, bool good, const char *format,
                                                      ...)
{
    char line[CAA_LINE];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    c->bad += !good;
    c->hooks.say(c->hooks.ctx, good, line);
}

void acme_check_cancel(struct acme_check *c)
{
    if (c == NULL)
        return;
    timer_clear(c->loop, &c->start);
    https_cancel(c->request);
    if (c->query != NULL)
        dns_cancel(c->query);
    dns_cancel_caa(c->caa);
    while (c->identity_count > 0)
        mem_free(c->identities[--c->identity_count]);
    https_context_release(&c->https);
    if (c->challenges != NULL)
        challenges_remove(c->challenges, bytes_str(c->token));
    dns_free(c->dns);
    trust_free(c->trust);
    mem_free(c);
}

static void finish(struct acme_check *c)
{
    struct acme_check_hooks hooks = c->hooks;
    unsigned bad = c->bad;

    acme_check_cancel(c);
    hooks.done(hooks.ctx, bad);
}

static bool begin(struct acme_check *c, const struct https_request *rq, https_done *done)
{
    c->request = https_send(&c->https, rq, done, c);
    if (c->request == NULL)
        say(c, false, "out of memory");
    return c->request != NULL;
}

/* ---- who may issue ---- */

static void on_caa(void *owner, enum dns_status status, const char *at, const struct dns_caa_record *records,
                   unsigned n)
{
    struct acme_check *c = owner;
    const char *known = caa_identity_of(c->conf->acme.name);
    const char *const *identities = (const char *const *)c->identities;
    unsigned count = c->identity_count;
    char line[CAA_LINE];
    struct writer w = writer_of(line, sizeof line - 1);
    bool good;

    c->caa = NULL;
    if (count == 0 && known != NULL) {
        identities = &known;
        count = 1;
    }
    if (status == DNS_OK || status == DNS_NOT_FOUND) {
        good = caa_describe(&w, at, records, n, identities, count);
        line[writer_len(&w)] = '\0';
        say(c, good, "%s", line);
    } else {
        say(c, false,
            "CAA: %s; an authority that finds it so refuses. Do the name servers of %s answer such questions?",
            dns_status_text(status), c->name);
    }
    finish(c);
}

/* An address has no such records, and this machine's own name none that anyone else would see. */
static void ask_caa(struct acme_check *c)
{
    struct dns_caa_search *search;
    struct addr a;

    if (addr_from_ip(&a, bytes_str(c->name), 0) || strcmp(c->name, "localhost") == 0) {
        finish(c);
        return;
    }
    search = dns_find_caa(c->dns, c->name, on_caa, c);
    if (search != NULL)
        c->caa = search;
}

/* meta.caaIdentities (RFC 8555 §7.1.1) */
static void take_identities(struct acme_check *c, struct bytes body)
{
    const char *why;
    struct json *j = json_parse(body, &why);
    int all;

    if (j == NULL)
        return;
    all = json_member(j, json_member(j, JSON_ROOT, "meta"), "caaIdentities");
    for (unsigned i = 0; i < json_count(j, all) && c->identity_count < CAA_IDENTITIES; i++) {
        char *identity = json_string(j, json_element(j, all, i));

        if (identity != NULL && caa_is_issuer(bytes_str(identity)))
            c->identities[c->identity_count++] = identity;
        else
            mem_free(identity);
    }
    json_free(j);
}

/* ---- the authority, and the time ---- */

static void check_clock(struct acme_check *c, struct bytes date)
{
    int64_t now = time_wall(), theirs = when_http_date(date, now),
            off = theirs > now ? theirs - now : now - theirs;

    if (theirs == 0)
        say(c, true, "the clock cannot be compared: the authority sends no time");
    else if (off > CLOCK_TOLERANCE)
        say(c, false, "the clock of this machine is %lld seconds %s that of the authority; set it",
            (long long)off, theirs > now ? "behind" : "before");
    else
        say(c, true, "the clock is right");
}

static void on_directory(void *owner, const struct https_result *r)
{
    struct acme_check *c = owner;

    c->request = NULL;
    if (r->why != NULL)
        say(c, false, "the authority %s is not reached: %s", c->conf->acme.name, r->why);
    else if (r->status != 200)
        say(c, false, "the authority %s answers with status %u; is the URL of its directory right?",
            c->conf->acme.name, r->status);
    else
        say(c, true, "the authority %s is reached", c->conf->acme.name);
    if (r->why == NULL)
        check_clock(c, https_field(r, "Date"));
    if (r->status == 200)
        take_identities(c, r->body);
    ask_caa(c);
}

static void ask_directory(struct acme_check *c)
{
    const struct https_request rq = {.method = "GET", .url = c->conf->acme.directory};

    if (!begin(c, &rq, on_directory))
        finish(c);
}

/* ---- port 80 ---- */

static void next_address(struct acme_check *c);

static void on_token(void *owner, const struct https_result *r)
{
    struct acme_check *c = owner;
    char at[ADDR_TEXT];
    struct bytes server = https_field(r, "Server");

    c->request = NULL;
    addr_set_port(&c->addresses[c->i], c->port);
    addr_format(&c->addresses[c->i], at);
    if (r->why != NULL)
        say(c, false, "%s; port 80 has to be open there, and to lead to this proxy", r->why);
    else if (r->status != 200 || !bytes_is(r->body, c->text))
        say(c, false,
            "%s: another server answers there (status %u%s%.*s); point the name to this machine, or have "
            "/.well-known/acme-challenge/ passed on to it",
            at, r->status, server.n > 0 ? ", " : "", (int)(server.n < 64 ? server.n : 64),
            (const char *)server.p);
    else
        say(c, true, "%s leads here", at);
    c->i++;
    next_address(c);
}

static void next_address(struct acme_check *c)
{
    char url[512];
    struct https_request rq = {.method = "GET", .url = url, .plain = true};

    if (c->i == c->n) {
        ask_directory(c);
        return;
    }
    rq.address = &c->addresses[c->i];
    snprintf(url, sizeof url, "http://%s:%u/.well-known/acme-challenge/%s", c->name, c->port, c->token);
    if (!begin(c, &rq, on_token))
        finish(c);
}

/* ---- the name ---- */

static void on_resolved(void *owner, enum dns_status status, const struct addr *addresses, unsigned n)
{
    struct acme_check *c = owner;
    char all[600], ip[ADDR_TEXT];
    struct writer w = writer_of(all, sizeof all - 1);

    c->query = NULL;
    for (unsigned i = 0; status == DNS_OK && i < n && i < DNS_ADDRESSES; i++) {
        c->addresses[c->n++] = addresses[i];
        writer_printf(&w, "%s%s", i > 0 ? ", " : "", addr_format_ip(&addresses[i], ip));
    }
    all[writer_len(&w)] = '\0';
    if (c->n == 0)
        say(c, false, "%s: %s; make an A record, or an AAAA record, that points to this machine", c->name,
            dns_status_text(status));
    else
        say(c, true, "%s is %s", c->name, all);
    next_address(c);
}

static void on_start(struct timer *timer)
{
    struct acme_check *c = (struct acme_check *)(void *)((char *)timer - offsetof(struct acme_check, start));
    const char *lost = c->conf->state != NULL ? file_why_lost(c->conf->state) : "is not set";
    struct dns_query *query;

    if (lost != NULL)
        say(c, c->conf->state_is_ephemeral, "the state folder %s %s%s",
            c->conf->state != NULL ? c->conf->state : "", lost,
            c->conf->state_is_ephemeral ? ", as the configuration says"
                                        : "; give one that lasts, or say state ephemeral");
    else
        say(c, true, "the state folder %s lasts", c->conf->state);
    query = dns_resolve(c->dns, c->name, on_resolved, c);
    if (query != NULL)
        c->query = query;
}

/* ---- */

/* A token like an authority's, and an answer that nobody else can give. */
static bool make_token(struct acme_check *c)
{
    uint8_t random[32], answer[32];
    struct writer t = writer_of(c->token, sizeof c->token), w = writer_of(c->text, sizeof c->text);

    random_bytes(random, sizeof random);
    random_bytes(answer, sizeof answer);
    text_base64url_encode(&t, bytes_of(random, sizeof random));
    writer_u8(&t, '\0');
    writer_str(&w, c->token);
    writer_u8(&w, '.');
    text_base64url_encode(&w, bytes_of(answer, sizeof answer));
    writer_u8(&w, '\0');
    return !t.failed && !w.failed && challenges_add(c->challenges, bytes_str(c->token), bytes_str(c->text));
}

struct acme_check *acme_check_new(struct loop *loop, const struct conf *conf, struct challenges *challenges,
                                  const char *name, uint16_t port, const struct acme_check_hooks *hooks,
                                  const char **why)
{
    struct acme_check *c = mem_zalloc(sizeof *c);

    *why = "out of memory";
    if (c == NULL)
        return NULL;
    c->loop = loop;
    c->conf = conf;
    c->hooks = *hooks;
    c->port = port;
    c->start.fired = on_start;
    c->dns = dns_new(loop);
    if (c->dns != NULL)
        c->trust = conf->acme.ca_roots != NULL ? trust_load_file(conf->acme.ca_roots, why) : trust_builtin();
    if (c->trust != NULL && strlen(name) < sizeof c->name) {
        snprintf(c->name, sizeof c->name, "%s", name);
        c->https = (struct https_context){
            .loop = loop, .dns = c->dns, .trust = trust_of(c->trust), .user_agent = "proxy/" PROXY_VERSION};
        c->challenges = challenges;
        if (make_token(c) && timer_set(loop, &c->start, loop_now(loop)))
            return c;
    }
    acme_check_cancel(c);
    return NULL;
}
