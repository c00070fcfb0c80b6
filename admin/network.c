/* SPDX-License-Identifier: MIT
 *
 * By ioctl, and DHCP over a UDP socket that is there while a question is: an answer that goes to everybody is received
 * before there is an address. A lease that has run out is given up, as RFC 2131 §4.4.5 wants it: the address may be another
 * machine's by then.
 */
#include "admin/network.h"

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SERVER_PORT = 67, CLIENT_PORT = 68 };
enum {
    TRIES = 4, /* of a question; the first waits a second, the others twice as long as the one before */
    AGAIN_MS = 10 * 1000,
    RENEW_MS = 60 * 1000, /* between questions for more time (RFC 2131 §4.4.5) */
    DAY_MS = 24 * 3600 * 1000,
};
#define RESOLV_CONF "/etc/resolv.conf"

/* --- the interface --- */

static struct ifreq request_for(const struct network *n)
{
    struct ifreq r = {0};

    memcpy(r.ifr_name, n->name, sizeof r.ifr_name);
    return r;
}

static void put_address(struct sockaddr *to, uint32_t address)
{
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};

    memcpy(to, &in, sizeof in);
}

static bool set_up(int fd, const char *name)
{
    struct ifreq r = {0};

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
        return false;
    r.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &r) == 0;
}

/* The first Ethernet there is. Indices are given in the order of finding. */
static bool find(struct network *n, int fd)
{
    for (int i = 1; i < 64; i++) {
        struct ifreq r = {.ifr_ifindex = i};
        if (ioctl(fd, SIOCGIFNAME, &r) < 0 || ioctl(fd, SIOCGIFHWADDR, &r) < 0 ||
            r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
            continue;
        memcpy(n->name, r.ifr_name, sizeof n->name);
        memcpy(n->client.mac, r.ifr_hwaddr.sa_data, sizeof n->client.mac);
        return true;
    }
    return false;
}

static bool set_address(const struct network *n, int fd, uint32_t address, uint32_t mask)
{
    struct ifreq r = request_for(n);

    put_address(&r.ifr_addr, address);
    if (ioctl(fd, SIOCSIFADDR, &r) < 0)
        return false;
    if (address == 0) /* the interface has none now */
        return true;
    put_address(&r.ifr_netmask, mask);
    return ioctl(fd, SIOCSIFNETMASK, &r) == 0;
}

/* A router outside the network is one that is reached without another, as some clouds have it. */
static bool set_router(const struct network *n, int fd, uint32_t mask)
{
    const struct dhcp_lease *l = &n->lease;
    char name[IFNAMSIZ];
    struct rtentry route = {.rt_flags = RTF_UP | RTF_HOST, .rt_dev = name};

    memcpy(name, n->name, sizeof name);
    put_address(&route.rt_dst, l->router);
    if ((l->router ^ l->address) & mask && ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
        return false;
    route.rt_flags = RTF_UP | RTF_GATEWAY;
    put_address(&route.rt_dst, 0);
    put_address(&route.rt_genmask, 0);
    put_address(&route.rt_gateway, l->router);
    return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST;
}

#define OCTETS(a) (unsigned)(a) >> 24, (unsigned)(a) >> 16 & 255, (unsigned)(a) >> 8 & 255, (unsigned)(a)&255

/* In place, since the proxy may read this file and no other that comes under its name; and only if it says something else,
 * since it is then read anew. */
static void write_resolver(const struct dhcp_lease *l)
{
    char text[DHCP_DNS * 32];
    struct writer w = writer_of(text, sizeof text);
    struct file old = {0};
    int fd;

    for (unsigned i = 0; i < l->dns_count; i++)
        writer_printf(&w, "nameserver %u.%u.%u.%u\n", OCTETS(l->dns[i]));
    if (file_read(RESOLV_CONF, 65536, &old) != 0 ||
        !bytes_equal(bytes_of(old.content.p, old.content.n), bytes_of(text, writer_len(&w)))) {
        fd = open(RESOLV_CONF, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, text, writer_len(&w)) < 0)
            log_warn("network: " RESOLV_CONF ": %s", strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    file_release(&old);
}

static void apply(const struct network *n)
{
    const struct dhcp_lease *l = &n->lease;
    uint32_t mask = UINT32_MAX << (32 - l->prefix);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    /* With the address go its routes, among them the one to another router. */
    if (fd < 0 || !set_address(n, fd, 0, 0) || !set_address(n, fd, l->address, mask) ||
        (l->router != 0 && !set_router(n, fd, mask)))
        log_error("network: %s cannot be set up: %s", n->name, strerror(errno));
    else
        log_info("network: %s is %u.%u.%u.%u/%u, router %u.%u.%u.%u", n->name, OCTETS(l->address), l->prefix,
                 OCTETS(l->router));
    if (fd >= 0)
        close(fd);
    write_resolver(l);
}

/* --- DHCP --- */

static int open_socket(const struct network *n)
{
    const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(CLIENT_PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, n->name, (socklen_t)(strlen(n->name) + 1)) == 0 &&
        bind(fd, (const struct sockaddr *)&own, sizeof own) == 0)
        return fd;
    log_error("dhcp: no socket: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The first answer of the `wanted` type, or a NAK, within so many ms. */
static bool await(const struct network *n, int fd, enum dhcp_type wanted, uint64_t ms, enum dhcp_type *type,
                  struct dhcp_lease *out)
{
    uint64_t until = time_mono_ms() + ms;
    uint8_t in[2048];

    for (uint64_t now = time_mono_ms(); now < until; now = time_mono_ms()) {
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, (int)(until - now)) <= 0)
            continue;
        ssize_t len = recv(fd, in, sizeof in, 0);
        if (len > 0 && dhcp_parse(bytes_of(in, (size_t)len), &n->client, type, out) &&
            (*type == wanted || (*type == DHCP_NAK && wanted == DHCP_ACK)))
            return true;
    }
    return false;
}

/* Sends, and waits; `to` is the server, or 0 for whoever is there. A later try has the same number, so that what comes late
 * is an answer too. */
static bool ask(struct network *n, int fd, enum dhcp_type type, const struct dhcp_lease *lease, bool holds,
                enum dhcp_type *answer, struct dhcp_lease *out)
{
    const bool one = holds && time_mono_ms() - n->since < (uint64_t)lease->rebind * 1000;
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(SERVER_PORT),
                                   .sin_addr.s_addr = htonl(one ? lease->server : INADDR_BROADCAST)};
    uint8_t message[DHCP_MESSAGE];
    struct writer w = writer_of(message, sizeof message);

    dhcp_put(&w, &n->client, type, lease, holds);
    for (unsigned i = 0; i < (holds ? 2 : TRIES); i++) {
        if (sendto(fd, message, writer_len(&w), 0, (const struct sockaddr *)&to, sizeof to) < 0)
            log_warn("dhcp: cannot send: %s", strerror(errno));
        if (await(n, fd, type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK, 1000u << i, answer, out))
            return true;
    }
    return false;
}

/* DHCP_ACK with the lease, DHCP_NAK, or 0 when nobody answers. Of what we have, more time; else an address. */
static int acquire(struct network *n, struct dhcp_lease *out)
{
    const bool holds = n->lease.address != 0;
    struct dhcp_lease offer = n->lease;
    enum dhcp_type type;
    int fd = open_socket(n);
    bool answered;

    if (fd < 0)
        return 0;
    random_bytes(&n->client.xid, sizeof n->client.xid);
    answered = (holds || ask(n, fd, DHCP_DISCOVER, &n->lease, false, &type, &offer)) &&
               ask(n, fd, DHCP_REQUEST, &offer, holds, &type, out);
    close(fd);
    return answered ? (int)type : 0;
}

static uint64_t end_of(const struct network *n)
{
    return n->since + (uint64_t)n->lease.seconds * 1000;
}

static void give_up(struct network *n, const char *why)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    log_error("dhcp: %u.%u.%u.%u is given up: %s", OCTETS(n->lease.address), why);
    if (fd >= 0) {
        (void)set_address(n, fd, 0, 0);
        close(fd);
    }
    n->lease.address = 0;
}

static void take(struct network *n, const struct dhcp_lease *lease, uint64_t asked)
{
    const struct dhcp_lease before = n->lease;

    n->lease = *lease;
    n->since = asked;
    n->due = lease->seconds == DHCP_FOREVER
                 ? UINT64_MAX
                 : asked + (lease->renew > 0 ? (uint64_t)lease->renew * 1000 : 1000);
    if (lease->address != before.address || lease->prefix != before.prefix || lease->router != before.router)
        apply(n);
    else
        write_resolver(lease);
}

/* Nobody has answered. What we have may be given us by another server towards its end, and ends then. */
static uint64_t next_try(const struct network *n, uint64_t now)
{
    uint64_t next = now + RENEW_MS, rebind = n->since + (uint64_t)n->lease.rebind * 1000, over = end_of(n);

    if (n->lease.address == 0)
        return now + AGAIN_MS;
    if (now < rebind)
        return next < rebind ? next : rebind;
    return next < over ? next : over;
}

uint64_t network_turn(struct network *n)
{
    uint64_t now = time_mono_ms();
    struct dhcp_lease lease;

    if (now >= n->due) {
        if (n->lease.address != 0 && now >= end_of(n))
            give_up(n, "its time is over");
        switch (acquire(n, &lease)) {
        case DHCP_ACK: take(n, &lease, now); break;
        case DHCP_NAK:
            n->due = n->lease.address != 0 ? now : now + AGAIN_MS;
            if (n->lease.address != 0)
                give_up(n, "the server says so");
            break;
        default: log_warn("dhcp: nobody answers on %s", n->name); n->due = next_try(n, time_mono_ms());
        }
        now = time_mono_ms();
    }
    return n->due <= now ? 0 : n->due - now < DAY_MS ? n->due - now : DAY_MS;
}

/* --- at start --- */

void network_start(struct network *n, const char *ip)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r;

    memset(n, 0, sizeof *n);
    n->due = UINT64_MAX;
    write_resolver(&n->lease); /* there must be one that the proxy may read, whenever it is filled */
    (void)set_up(fd, "lo");
    if (ip && strcmp(ip, "off") == 0)
        goto out;
    if (!find(n, fd) || !set_up(fd, n->name)) {
        log_error("network: there is no interface");
        goto out;
    }
    r = request_for(n);
    if (ioctl(fd, SIOCGIFADDR, &r) == 0) { /* by the kernel itself */
        log_info("network: %s has its address already", n->name);
    } else if (!ip || strcmp(ip, "dhcp") == 0) {
        n->due = 0;
        (void)network_turn(n);
    } else if (dhcp_lease_from_text(bytes_str(ip), &n->lease)) {
        apply(n);
    } else {
        log_error("network: ip=%s is not ADDRESS/PREFIX,ROUTER,NAMESERVER, dhcp or off", ip);
    }
out:
    if (fd >= 0)
        close(fd);
}
