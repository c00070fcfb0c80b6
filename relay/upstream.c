/* SPDX-License-Identifier: MIT
 *
 * Owns the upstream hosts (one for each endpoint as written), their idle connections, and attempts. Hosts outlive
 * configurations: they are keyed by the endpoint's text. A connection released while its own input is being handled
 * goes to the pool only after that, so that bytes behind a response are never taken for the next one's.
 */
#include "relay/upstream.h"

#include "base/mem.h"
#include "conn/conn.h"
#include "http/h1.h"
#include "net/socket.h"
#include "relay/state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IDLE_MAX  256u  /* idle connections kept for one host */
#define TRIES_MAX 8u    /* connects of one attempt */
#define AVOID_MS  2000u /* an address that failed comes last for so long */

static const struct http_limits LIMITS = {.line = 8192, .fields = 65536, .count = 200};

struct upstream_host {
    struct upstream_host *next;
    char *text;
    struct upstream_conn *idle; /* most recently used first */
    unsigned idle_count;
    uint64_t picked; /* r->picks when it was last chosen */
    unsigned next_addr;
    struct {
        struct addr addr;
        uint64_t failed_at;
    } failed[4]; /* recent failures */
};

struct upstream_conn {
    struct relay *relay;
    struct upstream_host *host;
    struct upstream_conn *prev, *next;         /* in the idle list */
    struct upstream_conn *all_prev, *all_next; /* in the relay's */
    struct conn *conn;
    struct h1_client *h1;
    struct upstream_attempt *attempt; /* while connecting */
    struct timer timer;               /* connect, or idle in the pool; runs on while it is lent */
    struct task destroy;
    uint64_t idle_ms;
    bool idle, in_input, released, reused, lent, dead;
    char text[ADDR_TEXT];
};

struct upstream_attempt {
    struct relay *relay;
    struct conf_upstream up; /* the arrays are the conf's, which the owner holds */
    const struct conf_timeouts *timeouts;
    const struct upstream_events *events;
    void *owner;
    struct task step;
    struct task destroy;
    unsigned endpoint, endpoints_left, tries;
    struct addr addrs[DNS_ADDRESSES];
    unsigned addr_count, addr_next;
    struct dns_query *query;
    struct upstream_conn *connecting;
    bool over;
    unsigned status;
    char why[200];
};

#define OF(type, member, p) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* --- hosts --- */

static struct upstream_host *host_of(struct relay *r, const struct conf_endpoint *ep)
{
    for (struct upstream_host *h = r->hosts; h; h = h->next)
        if (strcmp(h->text, ep->text) == 0)
            return h;
    struct upstream_host *h = mem_zalloc(sizeof *h);
    if (h && !(h->text = mem_strdup(ep->text))) {
        mem_free(h);
        h = NULL;
    }
    if (h) {
        h->next = r->hosts;
        r->hosts = h;
    }
    return h;
}

/* The endpoint whose turn it is: the one chosen the longest ago. */
static unsigned pick(struct relay *r, const struct conf_upstream *up)
{
    unsigned best = 0;
    uint64_t best_picked = UINT64_MAX;

    for (unsigned i = 0; i < up->n && up->n > 1; i++) {
        struct upstream_host *h = host_of(r, &up->endpoints[i]);
        uint64_t picked = h ? h->picked : UINT64_MAX;
        if (picked < best_picked) {
            best = i;
            best_picked = picked;
        }
    }
    return best;
}

static bool avoided(const struct upstream_host *h, const struct addr *a, uint64_t now)
{
    for (size_t i = 0; i < sizeof h->failed / sizeof *h->failed; i++)
        if (h->failed[i].failed_at && now - h->failed[i].failed_at < AVOID_MS &&
            addr_equal(&h->failed[i].addr, a))
            return true;
    return false;
}

static void note_failure(struct upstream_host *h, const struct addr *a, uint64_t now)
{
    size_t oldest = 0;
    for (size_t i = 0; i < sizeof h->failed / sizeof *h->failed; i++) {
        if (addr_equal(&h->failed[i].addr, a)) {
            oldest = i;
            break;
        }
        if (h->failed[i].failed_at < h->failed[oldest].failed_at)
            oldest = i;
    }
    h->failed[oldest].addr = *a;
    h->failed[oldest].failed_at = now ? now : 1;
}

/* --- one connection --- */

static void unlink_idle(struct upstream_conn *uc)
{
    if (!uc->idle)
        return;
    if (uc->prev)
        uc->prev->next = uc->next;
    else
        uc->host->idle = uc->next;
    if (uc->next)
        uc->next->prev = uc->prev;
    uc->prev = uc->next = NULL;
    uc->host->idle_count--;
    uc->idle = false;
}

static void attempt_connected(struct upstream_attempt *a, struct upstream_conn *uc);
static void attempt_connect_failed(struct upstream_attempt *a, const char *why, bool timeout);

static void uc_opened(void *owner)
{
    struct upstream_conn *uc = owner;
    timer_clear(uc->relay->loop, &uc->timer);
    relay_count(uc->relay, COUNT_UPSTREAM_CONNECTS);
    if (uc->attempt)
        attempt_connected(uc->attempt, uc);
}

static bool uc_wants_input(const void *owner)
{
    const struct upstream_conn *uc = owner;
    return h1_client_wants_recv(uc->h1);
}

/* To the pool or to its end. Called outside of the connection's own input. */
static void put_back(struct upstream_conn *uc)
{
    uc->released = false;
    if (uc->dead)
        return;
    if (!conn_is_open(uc->conn) || !h1_client_is_idle(uc->h1) || uc->host->idle_count >= IDLE_MAX ||
        uc->relay->draining || !uc->idle_ms ||
        !timer_set(uc->relay->loop, &uc->timer, loop_now(uc->relay->loop) + uc->idle_ms)) {
        timer_clear(uc->relay->loop, &uc->timer);
        conn_close(uc->conn); /* no more than that if the stream was aborted: then it is being reset */
        return;
    }
    uc->idle = true;
    uc->reused = true;
    uc->next = uc->host->idle;
    if (uc->next)
        uc->next->prev = uc;
    uc->host->idle = uc;
    uc->host->idle_count++;
}

static void after_input(struct upstream_conn *uc)
{
    uc->in_input = false;
    if (uc->released)
        put_back(uc);
    if (uc->idle && !h1_client_is_idle(uc->h1)) { /* an idle upstream spoke */
        unlink_idle(uc);
        conn_reset(uc->conn);
    }
}

static size_t uc_input(void *owner, const uint8_t *p, size_t n)
{
    struct upstream_conn *uc = owner;
    uc->in_input = true;
    size_t took = h1_client_recv(uc->h1, p, n);
    after_input(uc);
    return took;
}

static struct span uc_room(void *owner)
{
    struct upstream_conn *uc = owner;
    return h1_client_room(uc->h1);
}

static void uc_filled(void *owner, size_t n)
{
    struct upstream_conn *uc = owner;
    uc->in_input = true;
    h1_client_filled(uc->h1, n);
    after_input(uc);
}

static void uc_eof(void *owner, bool clean)
{
    struct upstream_conn *uc = owner;
    (void)clean;
    unlink_idle(uc);
    uc->in_input = true;
    h1_client_eof(uc->h1);
    after_input(uc);
    if (!uc->lent)
        conn_reset(uc->conn);
}

static void uc_writable(void *owner)
{
    struct upstream_conn *uc = owner;
    h1_client_writable(uc->h1);
}

static void uc_destroy(struct task *task)
{
    struct upstream_conn *uc = OF(struct upstream_conn, destroy, task);
    h1_client_free(uc->h1);
    if (uc->all_prev)
        uc->all_prev->all_next = uc->all_next;
    else
        uc->relay->upstream_conns = uc->all_next;
    if (uc->all_next)
        uc->all_next->all_prev = uc->all_prev;
    mem_free(uc);
}

static void uc_closed(void *owner, const struct conn_end *end)
{
    struct upstream_conn *uc = owner;
    struct relay *r = uc->relay;

    bool lent = uc->lent;

    uc->dead = true;
    uc->conn = NULL;
    timer_clear(r->loop, &uc->timer);
    unlink_idle(uc);
    if (uc->attempt) {
        struct upstream_attempt *a = uc->attempt;
        uc->attempt = NULL;
        a->connecting = NULL;
        attempt_connect_failed(a, end->reason == CONN_RESET ? NULL : socket_reason(end->error), false);
    } else if (lent) {
        h1_client_abort(uc->h1, end->error ? socket_reason(end->error) : "connection closed");
        /* The exchange has heard of it and released, which destroys. */
    }
    if (!lent)
        loop_defer(r->loop, &uc->destroy);
}

static const struct conn_handler HANDLER = {
    .opened = uc_opened,
    .wants_input = uc_wants_input,
    .input = uc_input,
    .room = uc_room,
    .filled = uc_filled,
    .eof = uc_eof,
    .writable = uc_writable,
    .closed = uc_closed,
};

static struct span sink_lend(void *ctx, size_t want)
{
    struct upstream_conn *uc = ctx;
    return uc->dead ? (struct span){NULL, 0} : conn_lend(uc->conn, want);
}

static void sink_commit(void *ctx, size_t n)
{
    struct upstream_conn *uc = ctx;
    if (!uc->dead)
        conn_commit(uc->conn, n);
}

static bool sink_put(void *ctx, const void *p, size_t n)
{
    struct upstream_conn *uc = ctx;
    return !uc->dead && conn_put(uc->conn, p, n);
}

static void sink_resume(void *ctx)
{
    struct upstream_conn *uc = ctx;
    if (!uc->dead)
        conn_resume(uc->conn);
}

static void sink_close(void *ctx, bool clean)
{
    struct upstream_conn *uc = ctx;
    if (uc->dead)
        return;
    unlink_idle(uc);
    if (clean)
        conn_close(uc->conn);
    else
        conn_reset(uc->conn);
}

static void uc_timer(struct timer *timer)
{
    struct upstream_conn *uc = OF(struct upstream_conn, timer, timer);
    struct upstream_attempt *a = uc->attempt;

    if (uc->lent) /* taken from the pool before its time, and not back yet */
        return;
    unlink_idle(uc);
    uc->attempt = NULL;
    conn_reset(uc->conn);
    if (a) { /* the connect took too long */
        a->connecting = NULL;
        attempt_connect_failed(a, NULL, true);
    }
}

static struct upstream_conn *uc_new(struct upstream_attempt *a, struct upstream_host *host,
                                    const struct addr *addr)
{
    struct relay *r = a->relay;
    int fd = socket_connect(addr);
    if (fd < 0)
        return NULL;
    struct upstream_conn *uc = mem_zalloc(sizeof *uc);
    if (!uc) {
        socket_close(fd);
        errno = ENOMEM;
        return NULL;
    }
    uc->relay = r;
    uc->host = host;
    uc->timer.fired = uc_timer;
    uc->destroy.run = uc_destroy;
    addr_format(addr, uc->text);
    struct http_sink sink = {uc, sink_lend, sink_commit, sink_put, sink_resume, sink_close};
    uc->h1 = h1_client_new(&sink, &LIMITS);
    if (uc->h1 && timer_set(r->loop, &uc->timer, loop_now(r->loop) + a->timeouts->connect)) {
        uc->conn = conn_new(r->loop, fd, NULL, true, &HANDLER, uc);
        if (uc->conn) {
            uc->all_next = r->upstream_conns;
            if (uc->all_next)
                uc->all_next->all_prev = uc;
            r->upstream_conns = uc;
            return uc;
        }
        timer_clear(r->loop, &uc->timer); /* conn_new has closed fd */
    } else {
        socket_close(fd);
    }
    h1_client_free(uc->h1);
    mem_free(uc);
    errno = ENOMEM;
    return NULL;
}

struct upstream_conn *upstream_take(struct relay *r, const struct conf_upstream *up, bool careful)
{
    /* Round robin goes before reuse: of several endpoints, only the one whose turn it is. */
    struct upstream_host *h = host_of(r, &up->endpoints[pick(r, up)]);

    while (h && h->idle) {
        struct upstream_conn *uc = h->idle;
        unlink_idle(uc);
        if (!conn_is_open(uc->conn) || !h1_client_is_idle(uc->h1) || (careful && !conn_is_quiet(uc->conn))) {
            conn_reset(uc->conn);
            continue;
        }
        uc->lent = true;
        h->picked = ++r->picks;
        relay_count(r, COUNT_UPSTREAM_REUSES);
        return uc;
    }
    return NULL;
}

struct http_stream *upstream_request(struct upstream_conn *uc)
{
    return uc->dead ? NULL : h1_client_request(uc->h1);
}

bool upstream_was_reused(const struct upstream_conn *uc)
{
    return uc->reused;
}

bool upstream_got_response(const struct upstream_conn *uc)
{
    return h1_client_got_response(uc->h1);
}

const char *upstream_text(const struct upstream_conn *uc)
{
    return uc->text;
}

void upstream_release(struct upstream_conn *uc, uint64_t idle_ms)
{
    assert(uc->lent);
    uc->lent = false;
    uc->idle_ms = idle_ms;
    if (uc->dead)
        loop_defer(uc->relay->loop, &uc->destroy);
    else if (uc->in_input)
        uc->released = true;
    else
        put_back(uc);
}

bool upstream_is_blocked(const struct upstream_conn *uc)
{
    return !uc->dead && conn_unsent(uc->conn) > 0;
}

void upstream_end_all(struct relay *r)
{
    for (struct upstream_conn *uc = r->upstream_conns; uc; uc = uc->all_next) {
        unlink_idle(uc);
        if (!uc->dead)
            conn_reset(uc->conn);
    }
}

void upstream_free_all(struct relay *r)
{
    assert(!r->upstream_conns);
    while (r->hosts) {
        struct upstream_host *h = r->hosts;
        r->hosts = h->next;
        mem_free(h->text);
        mem_free(h);
    }
}

/* --- attempts --- */

static void attempt_destroy(struct task *task)
{
    mem_free(OF(struct upstream_attempt, destroy, task));
}

static void attempt_over(struct upstream_attempt *a)
{
    a->over = true;
    loop_unpost(a->relay->loop, &a->step);
    loop_defer(a->relay->loop, &a->destroy);
}

static void attempt_connected(struct upstream_attempt *a, struct upstream_conn *uc)
{
    uc->attempt = NULL;
    uc->lent = true;
    attempt_over(a);
    a->events->ready(a->owner, uc);
}

/* A 504 stays a 504: the last cause is told, a timeout outweighs a refusal. */
static void note(struct upstream_attempt *a, unsigned status, const char *what)
{
    if (a->status != 504)
        a->status = status;
    snprintf(a->why, sizeof a->why, "%s: %s", a->up.endpoints[a->endpoint].text, what);
}

static void attempt_connect_failed(struct upstream_attempt *a, const char *why, bool timeout)
{
    struct upstream_host *h = host_of(a->relay, &a->up.endpoints[a->endpoint]);
    char text[64];

    if (h && a->addr_next)
        note_failure(h, &a->addrs[a->addr_next - 1], loop_now(a->relay->loop));
    if (timeout) {
        snprintf(text, sizeof text, "connect timeout after %llu ms",
                 (unsigned long long)a->timeouts->connect);
        why = text;
    }
    note(a, timeout ? 504 : 502, why ? why : "connection closed");
    loop_post(a->relay->loop, &a->step);
}

/* Addresses that failed lately go last; the first one moves on by one each time. */
static void order_addresses(struct upstream_attempt *a, struct upstream_host *h)
{
    struct addr sorted[DNS_ADDRESSES];
    unsigned n = 0, start = h->next_addr++;
    uint64_t now = loop_now(a->relay->loop);

    for (int late = 0; late < 2; late++)
        for (unsigned i = 0; i < a->addr_count; i++) {
            const struct addr *x = &a->addrs[(start + i) % a->addr_count];
            if (avoided(h, x, now) == (late == 1))
                sorted[n++] = *x;
        }
    memcpy(a->addrs, sorted, n * sizeof *sorted);
    a->addr_next = 0;
}

static void on_resolved(void *owner, enum dns_status status, const struct addr *addresses, unsigned n)
{
    struct upstream_attempt *a = owner;
    const struct conf_endpoint *ep = &a->up.endpoints[a->endpoint];

    a->query = NULL;
    a->addr_count = n < DNS_ADDRESSES ? n : DNS_ADDRESSES;
    a->addr_next = 0;
    if (status != DNS_OK || !n) {
        a->addr_count = 0;
        note(a, status == DNS_TIMEOUT ? 504 : 502, dns_status_text(status));
    } else {
        for (unsigned i = 0; i < a->addr_count; i++) {
            a->addrs[i] = addresses[i];
            addr_set_port(&a->addrs[i], ep->port);
        }
        struct upstream_host *h = host_of(a->relay, ep);
        if (h)
            order_addresses(a, h);
    }
    loop_post(a->relay->loop, &a->step);
}

/* The next endpoint's addresses; false when there is none left. */
static bool next_endpoint(struct upstream_attempt *a)
{
    if (!a->endpoints_left)
        return false;
    a->endpoints_left--;
    if (a->endpoints_left + 1 < a->up.n)
        a->endpoint = (a->endpoint + 1) % a->up.n;
    const struct conf_endpoint *ep = &a->up.endpoints[a->endpoint];
    struct upstream_host *h = host_of(a->relay, ep);
    if (h)
        h->picked = ++a->relay->picks;
    a->addr_count = a->addr_next = 0;
    if (ep->host) {
        struct dns_query *q = dns_resolve(a->relay->dns, ep->host, on_resolved, a);
        if (q)
            a->query = q;
        return true; /* on_resolved posts the next step */
    }
    a->addrs[0] = ep->addr;
    a->addr_count = 1;
    loop_post(a->relay->loop, &a->step);
    return true;
}

static void attempt_step(struct task *task)
{
    struct upstream_attempt *a = OF(struct upstream_attempt, step, task);

    while (a->addr_next < a->addr_count && a->tries < TRIES_MAX) {
        const struct addr *addr = &a->addrs[a->addr_next++];
        struct upstream_host *h = host_of(a->relay, &a->up.endpoints[a->endpoint]);
        a->tries++;
        errno = ENOMEM;
        struct upstream_conn *uc = h ? uc_new(a, h, addr) : NULL;
        if (uc) {
            uc->attempt = a;
            a->connecting = uc;
            return;
        }
        if (h && errno != ENOMEM && errno != EMFILE && errno != ENFILE)
            note_failure(h, addr, loop_now(a->relay->loop));
        note(a, errno == EMFILE || errno == ENFILE || errno == ENOMEM ? 503 : 502, socket_reason(errno));
    }
    if (next_endpoint(a))
        return;
    relay_count(a->relay, COUNT_UPSTREAM_FAILURES);
    attempt_over(a);
    a->events->failed(a->owner, a->status ? a->status : 502, a->why);
}

struct upstream_attempt *upstream_open(struct relay *r, const struct conf_upstream *up,
                                       const struct conf_timeouts *timeouts,
                                       const struct upstream_events *events, void *owner)
{
    struct upstream_attempt *a = mem_zalloc(sizeof *a);
    if (!a)
        return NULL;
    a->relay = r;
    a->up = *up;
    a->timeouts = timeouts;
    a->events = events;
    a->owner = owner;
    a->step.run = attempt_step;
    a->destroy.run = attempt_destroy;
    a->endpoint = pick(r, up);
    a->endpoints_left = up->n;
    loop_post(r->loop, &a->step);
    return a;
}

void upstream_cancel(struct upstream_attempt *a)
{
    if (a->over)
        return;
    if (a->query)
        dns_cancel(a->query);
    if (a->connecting) {
        a->connecting->attempt = NULL;
        conn_reset(a->connecting->conn);
    }
    attempt_over(a);
}
