/* SPDX-License-Identifier: MIT
 *
 * Owns the listening sockets. At the connection cap or out of descriptors, accepting pauses: those who come wait in
 * the kernel's queue, connections under way go on, and the end of one or a short timer starts it again.
 */
#include "relay/listener.h"

#include "base/mem.h"
#include "net/socket.h"
#include "relay/address_counts.h"
#include "relay/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BACKLOG  4096
#define ACCEPTS  64u /* of one event, so that those who are connected get their turn */
#define AGAIN_MS 250u

struct listener {
    struct listener *next;
    struct relay *relay;
    struct watch watch;
    struct addr addr;
    bool tls;
    bool active; /* accepts; else only prepared */
};

#define OF(member, p) ((struct listener *)(void *)((char *)(p)-offsetof(struct listener, member)))

/* --- accepting --- */

static void set_paused(struct relay *r, bool paused)
{
    /* Without the timer nobody might start it again: then rather be woken in vain for a while. */
    if (paused && !timer_set(r->loop, &r->accept_again, loop_now(r->loop) + AGAIN_MS))
        return;
    if (!paused)
        timer_clear(r->loop, &r->accept_again);
    r->accept_paused = paused;
    for (struct listener *l = r->listeners; l; l = l->next)
        if (l->active)
            (void)loop_watch(r->loop, &l->watch, paused ? 0 : EPOLLIN);
}

void listener_resume(struct relay *r)
{
    if (r->accept_paused && r->client_count < r->max_clients)
        set_paused(r, false);
}

static void pause_for(struct relay *r, const char *why)
{
    log_gated(&r->refused_gate, LOG_WARN, "not accepting for now: %s", why);
    set_paused(r, true);
}

/* Is this address under its cap? Loopback counts only if the cap was asked for: a local tunnel or proxy is one
 * address for all its clients. Trusted proxies never count. */
static bool admit(struct relay *r, const struct addr *peer, bool *counted)
{
    const struct conf *conf = r->conf;

    *counted = false;
    if (!conf->max_per_address || (addr_is_loopback(peer) && !conf->per_address_given) ||
        networks_contain(&conf->trusted, peer))
        return true;
    *counted = address_counts_enter(r->addresses, peer, conf->max_per_address);
    return *counted;
}

static void welcome(struct listener *l, int fd, const struct addr *peer)
{
    struct relay *r = l->relay;
    char text[ADDR_TEXT];
    bool counted;

    if (!admit(r, peer, &counted)) {
        relay_count(r, COUNT_CONNECTIONS_REFUSED);
        log_gated(&r->refused_gate, LOG_WARN, "%s: refused: it has max-connections-per-address %u already",
                  addr_format_ip(peer, text), r->conf->max_per_address);
        socket_reset(fd);
    } else if (!client_accept(r, fd, peer, l->tls, counted)) {
        relay_count(r, COUNT_CONNECTIONS_REFUSED);
        log_gated(&r->refused_gate, LOG_WARN, "%s: refused: out of memory", addr_format_ip(peer, text));
        if (counted)
            address_counts_leave(r->addresses, peer);
    }
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct listener *l = OF(watch, watch);
    struct relay *r = l->relay;
    (void)events;

    for (unsigned i = 0; i < ACCEPTS; i++) {
        struct addr peer;
        if (r->client_count >= r->max_clients) {
            pause_for(r, "max-connections reached");
            return;
        }
        int fd = socket_accept(watch->fd, &peer);
        if (fd == SOCKET_AGAIN)
            return;
        if (fd >= 0) {
            welcome(l, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_for(r, socket_reason(errno));
            return;
        } /* else the connection failed before it was accepted: the next one */
    }
}

/* --- which there are --- */

static struct listener *find(const struct relay *r, const struct conf_listen *want)
{
    for (struct listener *l = r->listeners; l; l = l->next)
        if (l->tls == want->tls && addr_equal(&l->addr, &want->addr))
            return l;
    return NULL;
}

/* One of ours that stands in the way; NULL. */
static const struct listener *ours(const struct relay *r, const struct addr *addr)
{
    const struct listener *l = r->listeners;

    while (l && !addr_overlaps(&l->addr, addr))
        l = l->next;
    return l;
}

static void explain(const struct relay *r, const struct conf_listen *want, int error, struct conf_errors *e)
{
    char text[ADDR_TEXT], holder[128];
    uint16_t port = addr_port(&want->addr);
    const char *directive = want->tls ? "listen" : "listen-http";
    const struct listener *own = error == EADDRINUSE ? ours(r, &want->addr) : NULL;

    if (own) {
        conf_error(e, want->place, directive,
                   "port %u is taken by this proxy's own %s; write one of them, or restart it to change over",
                   port, addr_format(&own->addr, text));
        return;
    }
    addr_format(&want->addr, text);
    if (error == EADDRINUSE) {
        if (socket_holder(&want->addr, holder, sizeof holder))
            conf_error(e, want->place, directive,
                       "port %u is in use by %s; stop that or choose another address", port, holder);
        else
            conf_error(e, want->place, directive,
                       "port %u is already in use; stop what uses it or choose another", port);
    } else if (error == EACCES || error == EPERM) {
        conf_error(
            e, want->place, directive,
            "no right to bind port %u; give the capability (setcap cap_net_bind_service=+ep proxy, or "
            "--cap-add NET_BIND_SERVICE), or lower sysctl net.ipv4.ip_unprivileged_port_start to %u, or "
            "listen on a port from 1024 up and map %u to it (-p %u:%u)",
            port, port, port, port, port + 8000u);
    } else {
        conf_error(e, want->place, directive, "cannot listen on %s: %s", text, socket_reason(error));
    }
}

/* What was opened for us is taken. A dual-stack [::] where the machine has no IPv6 becomes 0.0.0.0. */
static int bind_one(struct relay *r, const struct conf_listen *want)
{
    int fd = r->inherited ? inherited_take(r->inherited, &want->addr) : -1;
    if (fd >= 0)
        return fd;
    fd = socket_listen(&want->addr, BACKLOG);
    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) && want->addr.any.sa_family == AF_INET6 &&
        IN6_IS_ADDR_UNSPECIFIED(&want->addr.v6.sin6_addr)) {
        struct addr v4;
        (void)addr_from_ip(&v4, bytes_str("0.0.0.0"), addr_port(&want->addr));
        fd = socket_listen(&v4, BACKLOG);
    }
    return fd;
}

static void forget(struct relay *r, struct listener *l)
{
    struct listener **at = &r->listeners;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    loop_unwatch(r->loop, &l->watch);
    socket_close(l->watch.fd);
    mem_free(l);
}

static void drop_prepared(struct relay *r)
{
    for (struct listener *l = r->listeners, *next; l; l = next) {
        next = l->next;
        if (!l->active)
            forget(r, l);
    }
}

/* A demo does without its redirect, whose port may well be the service's own. True when that was said. */
static bool is_spared(const struct conf_listen *want, int error)
{
    char holder[128];

    if (!want->optional || want->tls || error != EADDRINUSE)
        return false;
    bool known = socket_holder(&want->addr, holder, sizeof holder);
    log_warn("no redirect to HTTPS: port %u is in use%s%s", addr_port(&want->addr), known ? " by " : "",
             known ? holder : "");
    return true;
}

bool listeners_prepare(struct relay *r, const struct conf *conf, struct conf_errors *e)
{
    unsigned before = conf_errors_count(e);
    bool spared = false;

    for (unsigned i = 0; i < conf->listen_count; i++) {
        const struct conf_listen *want = &conf->listens[i];
        if (find(r, want) || (spared && want->optional && !want->tls))
            continue; /* half a localhost would be worse than none */
        int fd = bind_one(r, want);
        if (fd < 0) {
            int error = errno;
            if (is_spared(want, error))
                spared = true;
            else if (!want->optional || error == EADDRINUSE)
                explain(r, want, error, e);
            continue;
        }
        struct listener *l = mem_zalloc(sizeof *l);
        if (!l) {
            socket_close(fd);
            conf_error(e, want->place, "listen", "out of memory");
            break;
        }
        *l = (struct listener){
            r->listeners, r, {.fd = fd, .ready = on_ready},
              want->addr, want->tls, false
        };
        r->listeners = l;
    }
    if (conf_errors_count(e) == before)
        return true;
    drop_prepared(r);
    return false;
}

bool relay_listens(const struct relay *r, const struct conf_listen *want)
{
    return find(r, want) != NULL;
}

static bool wanted(const struct conf *conf, const struct listener *l)
{
    for (unsigned i = 0; i < conf->listen_count; i++)
        if (conf->listens[i].tls == l->tls && addr_equal(&conf->listens[i].addr, &l->addr))
            return true;
    return false;
}

void listeners_commit(struct relay *r, const struct conf *conf)
{
    for (struct listener *l = r->listeners, *next; l; l = next) {
        next = l->next;
        if (!wanted(conf, l))
            forget(r, l);
        else
            l->active = true;
    }
    set_paused(r, false);
}

void listeners_close(struct relay *r)
{
    while (r->listeners)
        forget(r, r->listeners);
}
