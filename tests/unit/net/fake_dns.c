/* SPDX-License-Identifier: MIT
 *
 * The fake name server. It uses plain malloc and system calls of its own, so that a test
 * that lets every allocation fail does not fail the server's.
 */
#include "tests/unit/net/fake_dns.h"

#include "net/addr.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    CONNECTIONS = 8,
    MESSAGE = 4096,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_AAAA = 28,
    TYPE_CAA = 257,
    RECORDS = 64
};

struct connection {
    struct watch watch; /* first */
    struct fake_dns *fake;
    uint8_t in[MESSAGE];
    size_t have;
};

struct caa_record {
    const char *name;
    const void *data;
    size_t n;
};

struct fake_dns {
    struct loop *loop;
    struct watch udp, tcp;
    struct connection connections[CONNECTIONS];
    enum fake_mood mood;
    uint32_t ttl, random;
    uint8_t octet;
    const char *only;
    unsigned asked;
    char csv[32];
    struct caa_record caa[RECORDS];
    unsigned caa_count;
    char asked_caa[1024];
};

struct message {
    uint8_t bytes[MESSAGE];
    size_t n;
};

static void put(struct message *m, const void *p, size_t n)
{
    if (n > sizeof m->bytes - m->n)
        abort();
    memcpy(m->bytes + m->n, p, n);
    m->n += n;
}

static void put16(struct message *m, unsigned v)
{
    put(m, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static uint8_t random_byte(struct fake_dns *fake)
{
    fake->random = fake->random * 1664525u + 1013904223u;
    return (uint8_t)(fake->random >> 24);
}

/* name: an offset into the message, where the owner's name stands. */
static void record(struct message *m, unsigned name, unsigned type, uint32_t ttl, const void *data, size_t n)
{
    put16(m, 0xc000 | name);
    put16(m, type);
    put16(m, 1);
    put16(m, ttl >> 16);
    put16(m, ttl & 0xffff);
    put16(m, (unsigned)n);
    put(m, data, n);
}

static void address(struct message *m, unsigned name, unsigned type, uint32_t ttl, uint8_t last)
{
    uint8_t v4[4] = {192, 0, 2, last};
    uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};

    if (type == TYPE_A)
        record(m, name, type, ttl, v4, 4);
    else
        record(m, name, type, ttl, v6, 16);
}

/* The text of the question's name, and where it ends; 0 when it is malformed. */
static size_t name_text(const uint8_t *q, size_t n, char *out, size_t cap)
{
    size_t at = 12, len = 0;

    while (at < n && q[at] != 0) {
        size_t label = q[at];

        if (label > 63 || at + 1 + label >= n || len + label + 2 > cap)
            return 0;
        if (len > 0)
            out[len++] = '.';
        memcpy(out + len, q + at + 1, label);
        len += label;
        at += 1 + label;
    }
    out[len] = 0;
    return at + 5 <= n ? at + 5 : 0;
}

static unsigned answers(struct fake_dns *fake, struct message *m, unsigned type, enum fake_mood mood)
{
    unsigned n = 0;

    switch (mood) {
    case FAKE_MANY:
        for (n = 0; n < 40; n++)
            address(m, 12, type, fake->ttl, (uint8_t)(n + 1));
        return n;
    case FAKE_CNAME: {
        unsigned alias = (unsigned)m->n + 12;

        record(m, 12, TYPE_CNAME, 1, "\5alias\4test", 12);
        address(m, alias, type, fake->ttl, fake->octet);
        return 2;
    }
    case FAKE_LOOP: record(m, (unsigned)m->n, type, fake->ttl, "\300\014\300\014", 4); return 1;
    case FAKE_GARBAGE:
        for (unsigned i = 0; i < 100; i++)
            put(m, (uint8_t[]){random_byte(fake)}, 1);
        return random_byte(fake);
    default:
        address(m, 12, type, fake->ttl, fake->octet);
        if (type == TYPE_A)
            address(m, 12, type, fake->ttl, 2);
        return type == TYPE_A ? 2 : 1;
    }
}

static bool has_caa(const struct fake_dns *fake, const char *name)
{
    for (unsigned i = 0; i < fake->caa_count; i++)
        if (strcasecmp(fake->caa[i].name, name) == 0)
            return true;
    return false;
}

static unsigned caa_answers(struct fake_dns *fake, struct message *m, const char *name, enum fake_mood mood)
{
    unsigned n = 0, owner = 12;

    if (mood == FAKE_GARBAGE || mood == FAKE_LOOP)
        return answers(fake, m, TYPE_CAA, mood);
    if (mood == FAKE_CNAME) {
        owner = (unsigned)m->n + 12;
        record(m, 12, TYPE_CNAME, 1, "\5alias\4test", 12);
        n++;
    }
    for (unsigned i = 0; i < fake->caa_count; i++)
        if (strcasecmp(fake->caa[i].name, name) == 0) {
            record(m, owner, TYPE_CAA, fake->ttl, fake->caa[i].data, fake->caa[i].n);
            n++;
        }
    return n;
}

static void note_caa(struct fake_dns *fake, const char *name)
{
    size_t n = strlen(fake->asked_caa);

    snprintf(fake->asked_caa + n, sizeof fake->asked_caa - n, "%s ", name);
}

/* False: no answer at all. */
static bool answer(struct fake_dns *fake, const uint8_t *q, size_t n, bool tcp, struct message *m)
{
    enum fake_mood mood = fake->mood;
    unsigned flags = 0x8180, count = 0, type;
    char name[256];
    size_t end;

    m->n = 0;
    if (n < 12 || (end = name_text(q, n, name, sizeof name)) == 0)
        return false;
    type = (unsigned)q[end - 4] << 8 | q[end - 3];
    if (type == TYPE_A)
        fake->asked++;
    if (type == TYPE_CAA) {
        note_caa(fake, name);
        if (has_caa(fake, name) && (mood == FAKE_NXDOMAIN || mood == FAKE_NODATA))
            mood = FAKE_ANSWER;
    } else if (fake->only != NULL && strcasecmp(name, fake->only) != 0) {
        mood = FAKE_NXDOMAIN;
    }
    if (mood == FAKE_SILENT)
        return false;
    put(m, q, end);
    if (mood == FAKE_NXDOMAIN || mood == FAKE_SERVFAIL) {
        flags |= mood == FAKE_NXDOMAIN ? 3 : 2;
    } else if (!tcp &&
               (mood == FAKE_TRUNCATED || mood == FAKE_MANY || mood == FAKE_CLOSE || mood == FAKE_HALF)) {
        flags |= 0x0200;
    } else if (mood != FAKE_NODATA) {
        count = type == TYPE_CAA ? caa_answers(fake, m, name, mood) : answers(fake, m, type, mood);
    }
    m->bytes[2] = (uint8_t)(flags >> 8);
    m->bytes[3] = (uint8_t)flags;
    m->bytes[4] = 0;
    m->bytes[5] = 1;
    m->bytes[6] = 0;
    m->bytes[7] = (uint8_t)count;
    memset(m->bytes + 8, 0, 4);
    if (mood == FAKE_WRONG_ID)
        m->bytes[0] ^= 0x40;
    else if (mood == FAKE_WRONG_NAME)
        m->bytes[13] ^= 1;
    else if (mood == FAKE_CUT)
        m->n = 3 + random_byte(fake) % (m->n - 3);
    return true;
}

static void on_udp(struct watch *watch, uint32_t events)
{
    struct fake_dns *fake = (struct fake_dns *)((char *)watch - offsetof(struct fake_dns, udp));
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    uint8_t q[512];
    struct message m;
    ssize_t n;

    (void)events;
    n = recvfrom(watch->fd, q, sizeof q, 0, (struct sockaddr *)&from, &len);
    if (n > 0 && answer(fake, q, (size_t)n, false, &m) &&
        sendto(watch->fd, m.bytes, m.n, 0, (struct sockaddr *)&from, len) < 0)
        return; /* the asker is gone */
}

static void connection_close(struct connection *c)
{
    loop_unwatch(c->fake->loop, &c->watch);
    if (c->watch.fd >= 0)
        close(c->watch.fd);
    c->watch.fd = -1;
    c->have = 0;
}

static void on_connection(struct watch *watch, uint32_t events)
{
    struct connection *c = (struct connection *)watch;
    ssize_t n = read(watch->fd, c->in + c->have, sizeof c->in - c->have);
    struct message m;
    size_t length;

    (void)events;
    if (n <= 0 || c->fake->mood == FAKE_CLOSE) {
        connection_close(c);
        return;
    }
    c->have += (size_t)n;
    while (c->have >= 2 && c->have >= 2 + (length = (size_t)c->in[0] << 8 | c->in[1])) {
        if (answer(c->fake, c->in + 2, length, true, &m)) {
            uint8_t prefix[2] = {(uint8_t)(m.n >> 8), (uint8_t)m.n};
            size_t part = c->fake->mood == FAKE_HALF ? m.n / 2 : m.n;

            if (write(watch->fd, prefix, 2) != 2 || write(watch->fd, m.bytes, part) != (ssize_t)part ||
                part != m.n) {
                connection_close(c);
                return;
            }
        }
        c->have -= 2 + length;
        memmove(c->in, c->in + 2 + length, c->have);
    }
}

static void on_tcp(struct watch *watch, uint32_t events)
{
    struct fake_dns *fake = (struct fake_dns *)((char *)watch - offsetof(struct fake_dns, tcp));
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &fake->connections[i];

        if (c->watch.fd >= 0)
            continue;
        c->watch.fd = fd;
        if (loop_watch(fake->loop, &c->watch, EPOLLIN) != 0)
            connection_close(c);
        return;
    }
    close(fd);
}

struct fake_dns *fake_dns_new(struct loop *loop)
{
    struct fake_dns *fake = calloc(1, sizeof *fake);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    if (fake == NULL)
        abort();
    fake->loop = loop;
    fake->ttl = 60;
    fake->octet = 1;
    for (int i = 0; i < CONNECTIONS; i++)
        fake->connections[i] = (struct connection){
            .watch = {.fd = -1, .ready = on_connection},
              .fake = fake
        };
    /* One port for both: the kernel gives one for TCP, which UDP may have lost meanwhile. */
    for (int tries = 0; tries < 100; tries++) {
        int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        at.sin_port = 0;
        if (bind(tcp, (struct sockaddr *)&at, sizeof at) == 0 && listen(tcp, 16) == 0 &&
            getsockname(tcp, (struct sockaddr *)&at, &len) == 0 &&
            bind(udp, (struct sockaddr *)&at, sizeof at) == 0) {
            fake->tcp = (struct watch){.fd = tcp, .ready = on_tcp};
            fake->udp = (struct watch){.fd = udp, .ready = on_udp};
            break;
        }
        close(tcp);
        close(udp);
    }
    if (fake->tcp.fd == 0 || loop_watch(loop, &fake->tcp, EPOLLIN) != 0 ||
        loop_watch(loop, &fake->udp, EPOLLIN) != 0)
        abort();
    snprintf(fake->csv, sizeof fake->csv, "127.0.0.1:%u", ntohs(at.sin_port));
    return fake;
}

void fake_dns_free(struct fake_dns *fake)
{
    for (int i = 0; i < CONNECTIONS; i++)
        connection_close(&fake->connections[i]);
    loop_unwatch(fake->loop, &fake->tcp);
    loop_unwatch(fake->loop, &fake->udp);
    close(fake->tcp.fd);
    close(fake->udp.fd);
    free(fake);
}

const char *fake_dns_csv(const struct fake_dns *fake)
{
    return fake->csv;
}

void fake_dns_mood(struct fake_dns *fake, enum fake_mood mood)
{
    fake->mood = mood;
}

void fake_dns_ttl(struct fake_dns *fake, uint32_t ttl)
{
    fake->ttl = ttl;
}

void fake_dns_last_octet(struct fake_dns *fake, uint8_t octet)
{
    fake->octet = octet;
}

void fake_dns_only(struct fake_dns *fake, const char *name)
{
    fake->only = name;
}

unsigned fake_dns_asked(const struct fake_dns *fake)
{
    return fake->asked;
}

void fake_dns_caa(struct fake_dns *fake, const char *name, const void *data, size_t n)
{
    if (fake->caa_count == RECORDS)
        abort();
    fake->caa[fake->caa_count++] = (struct caa_record){.name = name, .data = data, .n = n};
}

const char *fake_dns_asked_caa(const struct fake_dns *fake)
{
    return fake->asked_caa;
}
