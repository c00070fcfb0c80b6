/* SPDX-License-Identifier: MIT
 *
 * c-ares on the loop. c-ares asks for sockets, tells which of them it waits for, and wants to be called when
 * one is ready or a time has come; it knows the protocol, the servers, retries and search domains. The
 * invariant: every descriptor that c-ares holds is in `sockets` with a watch that lives as long, and after
 * each call into c-ares the timer is set to what it then waits for. c-ares is never entered from inside one
 * of its callbacks.
 */
#include "net/dns_channel.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/time.h"
#include "net/socket.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 2000, TRIES = 3 };
/* c-ares reads on as long as there are datagrams: a flood of them must not hold up the loop. */
enum { READS_AT_ONCE = 64 };

struct dns_socket {
    struct watch watch;
    struct dns_channel *channel;
    struct dns_socket *next;
};

struct dns_channel {
    ares_channel ares;
    struct loop *loop;
    struct dns_socket *sockets;
    struct timer timer;
    dns_ended *ended;
    int hints;
    unsigned reads;
};

/* What c-ares calls for in place of rand(): the build renames it. */
int proxy_ares_rand(void);
int proxy_ares_rand(void)
{
    return (int)random_below((uint32_t)RAND_MAX);
}

/* As its own default does; a length of 0 comes from the wire. */
static void *ares_alloc(size_t n)
{
    return n == 0 ? NULL : mem_alloc(n);
}

/* ---- sockets ---- */

static void update_timer(struct dns_channel *channel)
{
    struct timeval wait, *next = ares_timeout(channel->ares, NULL, &wait);
    uint64_t ms;

    /* The timer is always set, if to never: so it has its place in the heap and this cannot fail. */
    if (next == NULL) {
        (void)timer_set(channel->loop, &channel->timer, UINT64_MAX);
        return;
    }
    /* c-ares cuts the rest of a millisecond off. */
    ms = (uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1;
    (void)timer_set(channel->loop, &channel->timer, time_mono_ms() + ms);
}

static void process(struct dns_channel *channel, int read_fd, int write_fd)
{
    channel->reads = 0;
    ares_process_fd(channel->ares, read_fd, write_fd);
    update_timer(channel);
}

static void on_timer(struct timer *timer)
{
    struct dns_channel *channel = (struct dns_channel *)((char *)timer - offsetof(struct dns_channel, timer));

    process(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct dns_socket *s = (struct dns_socket *)((char *)watch - offsetof(struct dns_socket, watch));
    int fd = watch->fd;

    /* The socket may be closed and freed in there. */
    process(s->channel, (events & ~(uint32_t)EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD,
            (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
}

static struct dns_socket **find(struct dns_channel *channel, int fd)
{
    struct dns_socket **at = &channel->sockets;

    while (*at != NULL && (*at)->watch.fd != fd)
        at = &(*at)->next;
    return at;
}

static ares_socket_t on_socket(int family, int type, int protocol, void *owner)
{
    struct dns_channel *channel = owner;
    struct dns_socket *s = mem_zalloc(sizeof *s);

    (void)protocol; /* follows from the type */
    if (s == NULL) {
        errno = ENOMEM;
        return ARES_SOCKET_BAD;
    }
    s->watch.fd = socket_open(family, type);
    if (s->watch.fd < 0) {
        mem_free(s);
        return ARES_SOCKET_BAD;
    }
    s->watch.ready = on_ready;
    s->channel = channel;
    s->next = channel->sockets;
    channel->sockets = s;
    return s->watch.fd;
}

static int on_close(ares_socket_t fd, void *owner)
{
    struct dns_channel *channel = owner;
    struct dns_socket **at = find(channel, fd), *s = *at;

    if (s == NULL)
        return -1;
    *at = s->next;
    loop_unwatch(channel->loop, &s->watch);
    socket_close(fd);
    mem_free(s);
    return 0;
}

/* The watch is registered here and not when c-ares first says what it waits for, since here a failure can be
 * told: the question then goes to the next server, or ends. */
static int on_connect(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len, void *owner)
{
    struct dns_channel *channel = owner;
    struct dns_socket *s = *find(channel, fd);

    if (socket_connect_fd(fd, to, len) != 0 && errno != EINPROGRESS)
        return -1;
    if (s == NULL || loop_watch(channel->loop, &s->watch, EPOLLIN) != 0) {
        errno = ENOBUFS;
        return -1;
    }
    return 0;
}

static ares_ssize_t on_receive(ares_socket_t fd, void *p, size_t n, int flags, struct sockaddr *from,
                               ares_socklen_t *len, void *owner)
{
    struct dns_channel *channel = owner;

    (void)flags; /* c-ares passes none */
    if (channel->reads++ >= READS_AT_ONCE) {
        errno = EAGAIN;
        return -1;
    }
    return socket_receive_from(fd, (struct span){.p = p, .n = n}, from, len);
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *iov, int n, void *owner)
{
    (void)owner;
    return socket_send(fd, iov, n);
}

static void on_state(void *owner, ares_socket_t fd, int readable, int writable)
{
    struct dns_channel *channel = owner;
    struct dns_socket *s = *find(channel, fd);

    if (s == NULL || (readable == 0 && writable == 0))
        return; /* about to be closed */
    (void)loop_watch(channel->loop, &s->watch,
                     (readable != 0 ? (uint32_t)EPOLLIN : 0) | (writable != 0 ? (uint32_t)EPOLLOUT : 0));
}

/* ---- questions ---- */

struct question {
    struct dns_channel *channel;
    void *question;
};

static enum dns_status status_of(int ares_status)
{
    switch (ares_status) {
    case ARES_SUCCESS: return DNS_OK;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME: return DNS_NOT_FOUND;
    case ARES_ETIMEOUT: return DNS_TIMEOUT;
    default: return DNS_FAILED;
    }
}

static uint32_t smaller_ttl(uint32_t ttl, int other)
{
    uint32_t seconds = other < 0 ? 0 : (uint32_t)other; /* RFC 2181 §8: the top bit set is 0 */

    return seconds < ttl ? seconds : ttl;
}

static void take_family(struct dns_answer *answer, const struct ares_addrinfo_node *node, int family,
                        uint32_t *ttl)
{
    for (; node != NULL && answer->n < DNS_ADDRESSES; node = node->ai_next) {
        struct dns_host *host = &answer->hosts[answer->n];

        if (node->ai_family != family)
            continue;
        if (family == AF_INET) {
            struct sockaddr_in v4;

            memcpy(&v4, node->ai_addr, sizeof v4);
            memcpy(host->ip, &v4.sin_addr, 4);
        } else {
            struct sockaddr_in6 v6;

            memcpy(&v6, node->ai_addr, sizeof v6);
            memcpy(host->ip, &v6.sin6_addr, 16);
            host->v6 = true;
        }
        *ttl = smaller_ttl(*ttl, node->ai_ttl);
        answer->n++;
    }
}

static enum dns_end end_of(int ares_status)
{
    switch (ares_status) {
    case ARES_ENOMEM: return DNS_NO_MEMORY;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: return DNS_CHANNEL_GONE;
    default: return DNS_ANSWERED;
    }
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct question q = *(struct question *)arg;
    struct dns_answer answer = {.status = status_of(status)};
    uint32_t ttl = UINT32_MAX;

    (void)timeouts;
    mem_free(arg);
    if (info != NULL) {
        take_family(&answer, info->nodes, AF_INET, &ttl);
        take_family(&answer, info->nodes, AF_INET6, &ttl);
        for (const struct ares_addrinfo_cname *c = info->cnames; c != NULL; c = c->next)
            ttl = smaller_ttl(ttl, c->ttl);
        ares_freeaddrinfo(info);
    }
    if (answer.status == DNS_OK && answer.n == 0)
        answer.status = DNS_NOT_FOUND;
    q.channel->ended(q.question, end_of(status), &answer, ttl);
}

void channel_ask(struct dns_channel *channel, const char *name, void *question)
{
    /* The order is our own (net/dns.h); c-ares would open a socket for each address to find one. */
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT | channel->hints};
    struct question *q = mem_alloc(sizeof *q);

    if (q == NULL) {
        struct dns_answer none = {.status = DNS_FAILED};

        channel->ended(question, DNS_NO_MEMORY, &none, 0);
        return;
    }
    *q = (struct question){.channel = channel, .question = question};
    channel->reads = 0;
    ares_getaddrinfo(channel->ares, name, NULL, &hints, on_answer, q);
    update_timer(channel);
}

struct message_question {
    dns_message_ended *ended;
    void *question;
};

static void on_message(void *arg, int status, int timeouts, unsigned char *p, int n)
{
    struct message_question q = *(struct message_question *)arg;

    (void)timeouts;
    mem_free(arg);
    q.ended(q.question, end_of(status), status_of(status), bytes_of(p, p != NULL && n > 0 ? (size_t)n : 0));
}

void channel_query(struct dns_channel *channel, const char *name, int type, dns_message_ended *ended,
                   void *question)
{
    struct message_question *q = mem_alloc(sizeof *q);

    if (q == NULL) {
        ended(question, DNS_NO_MEMORY, DNS_FAILED, bytes_of(NULL, 0));
        return;
    }
    *q = (struct message_question){.ended = ended, .question = question};
    channel->reads = 0;
    ares_query(channel->ares, name, 1, type, on_message, q);
    update_timer(channel);
}

/* ---- construction ---- */

static int init(struct dns_channel *channel, const struct dns_options *options)
{
    static const struct ares_socket_functions functions = {
        .asocket = on_socket,
        .aclose = on_close,
        .aconnect = on_connect,
        .arecvfrom = on_receive,
        .asendv = on_send,
    };
    char lookups[] =
        "fb"; /* the hosts file, then servers; given here, nsswitch.conf and its like are not read */
    struct ares_options o = {
        .flags = ARES_FLAG_NOALIASES, /* HOSTALIASES is a user's, not a service's */
        .timeout = options->timeout_ms != 0 ? (int)options->timeout_ms : TIMEOUT_MS,
        .tries = options->tries != 0 ? (int)options->tries : TRIES,
        .lookups = lookups,
        .sock_state_cb = on_state,
        .sock_state_cb_data = channel,
    };
    int mask =
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    int status;

    if (options->resolv_conf != NULL) {
        /* c-ares copies it. */
        o.resolvconf_path = mem_strdup(options->resolv_conf);
        if (o.resolvconf_path == NULL)
            return ARES_ENOMEM;
        mask |= ARES_OPT_RESOLVCONF;
    }
    status = ares_init_options(&channel->ares, &o, mask);
    mem_free(o.resolvconf_path);
    if (status != ARES_SUCCESS) {
        channel->ares = NULL;
        return status;
    }
    ares_set_socket_functions(channel->ares, &functions, channel);
    if (options->servers_csv != NULL)
        status = ares_set_servers_ports_csv(channel->ares, options->servers_csv);
    return status;
}

struct dns_channel *channel_new(struct loop *loop, const struct dns_options *options, dns_ended *ended)
{
    struct dns_channel *channel = mem_zalloc(sizeof *channel);

    if (channel == NULL)
        return NULL;
    channel->loop = loop;
    channel->ended = ended;
    channel->timer.fired = on_timer;
    channel->hints = options->hosts != NULL ? ARES_AI_ENVHOSTS : 0;
    /* Counted inside c-ares: each channel takes it and gives it back. */
    if (ares_library_init_mem(ARES_LIB_INIT_ALL, ares_alloc, mem_free, mem_realloc) != ARES_SUCCESS) {
        mem_free(channel);
        return NULL;
    }
    if (!timer_set(loop, &channel->timer, UINT64_MAX) || init(channel, options) != ARES_SUCCESS) {
        channel_free(channel);
        return NULL;
    }
    return channel;
}

void channel_free(struct dns_channel *channel)
{
    if (channel == NULL)
        return;
    if (channel->ares != NULL)
        ares_destroy(channel->ares);
    timer_clear(channel->loop, &channel->timer);
    ares_library_cleanup();
    mem_free(channel);
}
