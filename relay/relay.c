/* SPDX-License-Identifier: MIT
 *
 * Owns what lives longer than a configuration: the loop's users, the TLS sessions, the counters. relay_apply is the
 * one place where a configuration becomes the current one.
 */
#include "relay/relay.h"

#include "base/mem.h"
#include "relay/address_counts.h"
#include "relay/client.h"
#include "relay/listener.h"
#include "relay/state.h"
#include "relay/upstream.h"

#include <string.h>
#include <sys/resource.h>

#define OF(member, p) ((struct relay *)(void *)((char *)(p)-offsetof(struct relay, member)))

static struct tls_identity *select_identity(void *ctx, const struct client_hello *hello)
{
    struct relay *r = ctx;
    return r->certs ? certs_select(r->certs, hello->server_name) : NULL;
}

static void on_accept_again(struct timer *timer)
{
    struct relay *r = OF(accept_again, timer);
    if (r->client_count < r->max_clients)
        listener_resume(r);
    else
        (void)timer_set(r->loop, timer, loop_now(r->loop) + 1000);
}

static void end_clients(struct relay *r)
{
    for (struct client *c = r->clients; c; c = c->next)
        conn_reset(c->conn);
}

static void on_shutdown(struct timer *timer)
{
    struct relay *r = OF(shutdown, timer);
    log_warn("shutdown-timeout reached: ending %u connections", r->client_count);
    end_clients(r);
}

struct relay *relay_new(struct loop *loop)
{
    static const char *const PROTOCOLS[] = {"http/1.1"};
    struct relay *r = mem_zalloc(sizeof *r);

    if (!r)
        return NULL;
    r->loop = loop;
    r->shutdown.fired = on_shutdown;
    r->accept_again.fired = on_accept_again;
    r->dns = dns_new(loop);
    r->addresses = address_counts_new();
    r->tickets = tls_tickets_new();
    if (!r->dns || !r->addresses || !r->tickets) {
        relay_free(r);
        return NULL;
    }
    r->tls = (struct tls_server){
        .select = select_identity,
        .ctx = r,
        .tickets = r->tickets,
        .alpn = {PROTOCOLS, 1},
        .pool = loop_pool(loop),
    };
    return r;
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    r->draining = true;
    listeners_close(r);
    /* Clients first, whose exchanges give back what they have of the upstreams. Each turn runs a part of what was
     * posted, and all that was deferred. */
    end_clients(r);
    while (r->clients)
        (void)loop_turn(r->loop, 0);
    upstream_end_all(r);
    while (r->upstream_conns)
        (void)loop_turn(r->loop, 0);
    (void)loop_turn(r->loop, 0);
    upstream_free_all(r);
    timer_clear(r->loop, &r->shutdown);
    timer_clear(r->loop, &r->accept_again);
    dns_free(r->dns);
    address_counts_free(r->addresses);
    tls_session_cache_free(r->sessions);
    tls_tickets_free(r->tickets);
    certs_free(r->certs);
    conf_unref(r->conf);
    mem_free(r);
}

void relay_set_acme(struct relay *r, struct acme *acme)
{
    r->acme = acme;
}

void relay_set_inherited(struct relay *r, struct inherited *inherited)
{
    r->inherited = inherited;
}

/* A proxied connection takes two descriptors; some are needed for ourselves. */
static unsigned clients_for(const struct conf *conf)
{
    struct rlimit limit = {0};
    unsigned own = 32;

    if (conf->max_connections)
        return conf->max_connections;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return 4096;
    if (limit.rlim_cur <= 2 * own)
        return limit.rlim_cur < 8 ? 1 : (unsigned)limit.rlim_cur / 4;
    return (unsigned)((limit.rlim_cur - own) / 2 < 1000000 ? (limit.rlim_cur - own) / 2 : 1000000);
}

/* The cache is never freed before the relay: a handshake under way may hold a view of it. */
static void apply_sessions(struct relay *r, const struct conf *conf)
{
    if (!r->sessions && conf->session_cache)
        r->sessions = tls_session_cache_new(conf->session_cache);
    else if (r->sessions)
        tls_session_cache_resize(r->sessions, conf->session_cache ? conf->session_cache : 1);
    r->tls.sessions = conf->session_cache ? r->sessions : NULL;
}

static void apply_tls(struct relay *r, const struct conf *conf, const struct certs *certs)
{
    size_t n = 0;
    const uint8_t(*keys)[TICKET_KEY] = certs ? certs_ticket_keys(certs, &n) : NULL;

    apply_sessions(r, conf);
    tls_tickets_set_rotation(r->tickets, conf->ticket_rotation);
    tls_tickets_set_keys(r->tickets, keys, n);
    r->tls.only_13 = conf->tls_min_13;
    r->tls.max_12 = conf->max_tls12;
    r->tls.open_12 = &r->open_12;
}

bool relay_apply(struct relay *r, struct conf *conf, struct certs *certs, struct conf_errors *e)
{
    if (!listeners_prepare(r, conf, e))
        return false;
    struct conf *before = r->conf;
    struct certs *certs_before = r->certs;
    r->conf = conf_ref(conf);
    r->certs = certs;
    r->max_clients = clients_for(conf);
    apply_tls(r, conf, certs);
    mem_set_cap((size_t)conf->max_memory);
    log_set_level(conf->log_level);
    log_set_json(conf->log_format == CONF_LOG_JSON);
    if (before) {
        dns_reload(r->dns);
        relay_count(r, COUNT_RELOADS);
    }
    listeners_commit(r, conf);
    conf_unref(before);
    certs_free(certs_before);
    return true;
}

void relay_drain(struct relay *r)
{
    if (r->draining)
        return;
    r->draining = true;
    listeners_close(r);
    for (struct client *c = r->clients; c; c = c->next)
        client_drain(c);
    if (!timer_set(r->loop, &r->shutdown, loop_now(r->loop) + r->conf->timeouts.shutdown))
        end_clients(r); /* nobody would end them later */
}

bool relay_is_draining(const struct relay *r)
{
    return r->draining;
}

bool relay_is_done(const struct relay *r)
{
    return r->draining && !r->clients;
}

const struct conf *relay_conf(const struct relay *r)
{
    return r->conf;
}

struct certs *relay_certs(const struct relay *r)
{
    return r->certs;
}

const struct counters *relay_counters(const struct relay *r)
{
    return &r->counters;
}

unsigned relay_max_connections(const struct relay *r)
{
    return r->max_clients;
}
