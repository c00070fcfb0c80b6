/* SPDX-License-Identifier: MIT
 *
 * The whole relay in one process and over one loop: a service that answers by a script, and visitors over plain sockets
 * or TLS. Service and plain visitors use malloc alone, so that a failing mem_alloc is the relay's own.
 */
#ifndef TESTS_UNIT_RELAY_RIG_H
#define TESTS_UNIT_RELAY_RIG_H

#include "base/log.h"
#include "relay/relay.h"
#include "tests/unit/conn/rig.h"

#include <ctype.h>
#include <strings.h>
#include <sys/stat.h>

/* --- the service behind --- */

enum then { THEN_KEEP, THEN_CLOSE, THEN_RESET };

struct script {
    const char *response; /* head and body; NULL: none */
    size_t cut;           /* bytes of it that are sent at all */
    uint64_t body;        /* bytes of the pattern behind it */
    enum then then;
    bool early;  /* answers the head, without waiting for a body */
    bool hold;   /* waits for service_release */
    bool tunnel; /* after the response, echoes */
    bool deaf;   /* reads no more after the head */
};

struct service;

struct served {
    struct watch watch; /* first */
    struct service *service;
    struct served *prev, *next;
    struct sink in;
    uint64_t sent; /* of the response and what is behind it */
    struct sink echo;
    unsigned number; /* of its requests */
    bool answering;
    struct script script;
};

struct service {
    struct watch watch; /* first */
    struct loop *loop;
    struct addr addr;
    struct served *all;
    struct script script; /* for each request that begins from now on */
    struct script second; /* for a connection's second and later ones, if has_second */
    bool has_second;
    unsigned accepted, requests, open;
    struct sink last; /* the last request, whole */
};

RIG void served_end(struct served *c, bool reset)
{
    loop_unwatch(c->service->loop, &c->watch);
    if (reset)
        socket_reset(c->watch.fd);
    else
        socket_close(c->watch.fd);
    if (c->prev)
        c->prev->next = c->next;
    else
        c->service->all = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->service->open--;
    sink_free(&c->in);
    sink_free(&c->echo);
    free(c);
}

/* The length of the request at the front: 0 is not whole yet. `head`: its head is enough. */
RIG size_t request_len(const struct sink *in, bool head)
{
    const char *p = (const char *)in->p, *end = in->n ? memmem(p, in->n, "\r\n\r\n", 4) : NULL;
    size_t n = end ? (size_t)(end - p) + 4 : 0;

    if (!end || head)
        return n;
    for (const char *line = p; line < end;
         line = (const char *)memchr(line, '\n', (size_t)(end + 4 - line)) + 1) {
        if (strncasecmp(line, "content-length:", 15) == 0) {
            size_t length = strtoul(line + 15, NULL, 10);
            return in->n >= n + length ? n + length : 0;
        }
        if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
            const char *last = memmem(p + n - 2, in->n - n + 2, "\r\n0\r\n", 5);
            last =
                last ? memmem(last + 3, in->n - (size_t)(last + 3 - p), "\r\n\r\n", 4) : NULL; /* trailers */
            return last ? (size_t)(last - p) + 4 : 0;
        }
    }
    return n;
}

/* False when the connection has ended. */
RIG bool served_write(struct served *c)
{
    const struct script *s = &c->script;
    size_t len = s->response ? strlen(s->response) : 0;
    uint64_t total = s->cut < len ? s->cut : len + s->body;

    while (c->sent < total) {
        uint8_t bytes[16384];
        size_t n = 0;
        while (n < sizeof bytes && c->sent + n < total) {
            uint64_t at = c->sent + n;
            bytes[n++] = at < len ? (uint8_t)s->response[at] : pattern(at - len);
        }
        ssize_t sent = write(c->watch.fd, bytes, n);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0) {
            served_end(c, true);
            return false;
        }
        c->sent += (uint64_t)sent;
    }
    if (c->sent == total && s->then != THEN_KEEP) {
        served_end(c, s->then == THEN_RESET);
        return false;
    }
    while (c->sent == total && s->tunnel && c->echo.n) {
        ssize_t sent = write(c->watch.fd, c->echo.p, c->echo.n);
        if (sent <= 0)
            break;
        memmove(c->echo.p, c->echo.p + sent, c->echo.n - (size_t)sent);
        c->echo.n -= (size_t)sent;
    }
    if (c->sent == total && !s->tunnel)
        c->answering = false;
    bool more = c->sent < total || c->echo.n;
    (void)loop_watch(c->service->loop, &c->watch, (s->deaf ? 0 : EPOLLIN) | (more ? EPOLLOUT : 0));
    return true;
}

RIG bool served_answer(struct served *c)
{
    struct service *s = c->service;

    while (!c->answering) {
        c->script = c->number && s->has_second ? s->second : s->script;
        size_t n = request_len(&c->in, c->script.early || c->script.deaf);
        if (!n)
            return true;
        s->requests++;
        c->number++;
        s->last.n = 0;
        sink_add(&s->last, c->in.p, n);
        sink_add(&s->last, "", 1);
        s->last.n--;
        memmove(c->in.p, c->in.p + n, c->in.n - n);
        c->in.n -= n;
        c->answering = true;
        c->sent = 0;
        if (c->script.hold)
            return true;
        if (!served_write(c))
            return false;
    }
    return true;
}

RIG void served_ready(struct watch *watch, uint32_t events)
{
    struct served *c = (struct served *)watch;
    uint8_t bytes[16384];

    while (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = read(watch->fd, bytes, sizeof bytes);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            served_end(c, false);
            return;
        }
        if (n < 0)
            break;
        if (c->answering && c->script.tunnel)
            sink_add(&c->echo, bytes, (size_t)n);
        else if (!c->answering || !c->script.early)
            sink_add(&c->in, bytes, (size_t)n);
        if (c->answering && c->script.deaf)
            break;
    }
    if (c->answering ? c->script.hold || served_write(c) : true)
        (void)served_answer(c);
}

RIG void service_ready(struct watch *watch, uint32_t events)
{
    struct service *s = (struct service *)watch;
    struct addr peer;
    int fd;

    (void)events;
    while ((fd = socket_accept(watch->fd, &peer)) >= 0) {
        struct served *c = calloc(1, sizeof *c);
        c->watch = (struct watch){.fd = fd, .ready = served_ready};
        c->service = s;
        c->next = s->all;
        if (c->next)
            c->next->prev = c;
        s->all = c;
        s->accepted++;
        s->open++;
        (void)loop_watch(s->loop, &c->watch, EPOLLIN);
    }
}

RIG void service_init(struct service *s, struct loop *loop, const char *path)
{
    memset(s, 0, sizeof *s);
    s->loop = loop;
    s->script.cut = SIZE_MAX;
    if (path ? !addr_from_unix(&s->addr, bytes_str(path))
             : !addr_from_ip(&s->addr, bytes_str("127.0.0.1"), 0))
        abort();
    s->watch = (struct watch){.fd = socket_listen(&s->addr, 1024), .ready = service_ready};
    if (s->watch.fd < 0)
        abort();
    if (!path)
        (void)getsockname(s->watch.fd, &s->addr.any, &s->addr.len);
    (void)loop_watch(loop, &s->watch, EPOLLIN);
}

RIG void service_say(struct service *s, const char *response)
{
    s->script = (struct script){.response = response, .cut = SIZE_MAX};
    s->has_second = false;
}

/* What was held is answered now. */
RIG void service_release(struct service *s)
{
    s->script.hold = false;
    for (struct served *c = s->all, *next; c; c = next) {
        next = c->next;
        if (c->answering && c->script.hold) {
            c->script.hold = false;
            (void)served_write(c);
        }
    }
}

RIG void service_end(struct service *s)
{
    for (struct served *c = s->all, *next; c; c = next) {
        next = c->next;
        served_end(c, false);
    }
    loop_unwatch(s->loop, &s->watch);
    close(s->watch.fd);
    sink_free(&s->last);
}

RIG bool service_saw(const struct service *s, const char *text)
{
    return s->last.n && memmem(s->last.p, s->last.n, text, strlen(text));
}

/* --- the house --- */

struct house {
    struct ledger ledger;
    struct loop *loop;
    struct relay *relay;
    struct service service;
    struct tls_trust trust;
    struct pool *pool; /* the visitors' */
    struct addr http, https;
};

RIG struct addr free_address(void)
{
    struct addr a;
    int fd;

    if (!addr_from_ip(&a, bytes_str("127.0.0.1"), 0) || (fd = socket_listen(&a, 1)) < 0 ||
        getsockname(fd, &a.any, &a.len) != 0)
        abort();
    close(fd);
    return a;
}

/* `more` stands before the sites, `site` in each of them. True when it was taken. */
RIG bool house_apply(struct house *h, const char *upstream, const char *more, const char *site)
{
    char text[4096], http[ADDR_TEXT], https[ADDR_TEXT];
    struct conf_errors *e = conf_errors_new();

    snprintf(text, sizeof text,
             "listen %s\nlisten-http %s\nstate /tmp\nadmin off\nlog off\nlog-level error\n%s\n"
             "site p256.test { tls cert tests/vectors/certs/p256.pem key tests/vectors/certs/p256.key\n"
             " upstream %s\n %s\n}\n"
             "site plain.test { tls off\n upstream %s\n %s\n"
             " path /text { respond 200 \"some text\" }\n path /none { respond 204 }\n}\n",
             addr_format(&h->https, https), addr_format(&h->http, http), more, upstream, site, upstream,
             site);
    struct conf *conf = conf_parse("test", bytes_str(text), NULL, e);
    struct certs *certs = conf ? certs_new(conf, true, e) : NULL;
    bool applied = certs && relay_apply(h->relay, conf, certs, e);
    for (unsigned i = 0; i < conf_errors_count(e); i++)
        printf("    %s\n", conf_errors_text(e, i));
    if (!applied)
        certs_free(certs);
    conf_unref(conf);
    conf_errors_free(e);
    return applied;
}

RIG void house_open_at(struct house *h, const char *path, const char *more, const char *site)
{
    char upstream[ADDR_TEXT];

    memset(h, 0, sizeof *h);
    log_set_fd(-1);
    h->ledger = ledger_open();
    h->loop = h->ledger.loop;
    h->trust = rig_trust("p256.pem");
    h->pool = loop_pool(h->loop);
    service_init(&h->service, h->loop, path);
    h->relay = relay_new(h->loop);
    h->http = free_address();
    h->https = free_address();
    if (!CHECK(house_apply(h, addr_format(&h->service.addr, upstream), more, site)))
        abort();
}

RIG void house_open(struct house *h)
{
    house_open_at(h, NULL, "", "");
}

RIG uint64_t house_count(const struct house *h, enum counter c)
{
    return relay_counters(h->relay)->value[c];
}

RIG void house_close(struct house *h)
{
    mem_fail_at(-1, 0);
    CHECK_EQ(house_count(h, COUNT_REQUESTS_OPEN), 0);
    relay_free(h->relay);
    service_end(&h->service);
    rig_trust_free(&h->trust);
    mem_set_cap(0);
    ledger_close(&h->ledger);
}

/* --- visitors --- */

enum over { OVER_NOT, OVER_CLEAN, OVER_BROKEN };

struct visitor {
    struct house *house;
    int fd; /* plain; -1 with TLS */
    struct conn *conn;
    struct sink in;
    enum over over;
    size_t taken; /* of `in`, by answers */
    unsigned opened;
};

RIG void visitor_opened(void *owner)
{
    ((struct visitor *)owner)->opened++;
}

RIG bool visitor_wants(const void *owner)
{
    (void)owner;
    return true;
}

RIG size_t visitor_input(void *owner, const uint8_t *p, size_t n)
{
    sink_add(&((struct visitor *)owner)->in, p, n);
    return n;
}

RIG void visitor_eof(void *owner, bool clean)
{
    struct visitor *v = owner;
    if (!v->over)
        v->over = clean ? OVER_CLEAN : OVER_BROKEN;
    conn_close(v->conn);
}

RIG void visitor_writable(void *owner)
{
    (void)owner;
}

RIG void visitor_closed(void *owner, const struct conn_end *end)
{
    struct visitor *v = owner;
    if (!v->over)
        v->over = end->reason == CONN_ENDED ? OVER_CLEAN : OVER_BROKEN;
    v->conn = NULL;
}

static const struct conn_handler VISITOR_HANDLER = {
    .opened = visitor_opened,
    .wants_input = visitor_wants,
    .input = visitor_input,
    .eof = visitor_eof,
    .writable = visitor_writable,
    .closed = visitor_closed,
};

RIG bool visit(struct house *h, struct visitor *v, bool tls)
{
    static const char *const NAMES[] = {"http/1.1"};

    *v = (struct visitor){.house = h, .fd = socket_connect(tls ? &h->https : &h->http)};
    if (v->fd < 0) {
        v->over = OVER_BROKEN;
        return false;
    }
    if (!tls)
        return true;
    struct tls *t = tls_client_new(&h->trust, "p256.test", (struct tls_alpn){NAMES, 1}, h->pool);
    if (t)
        v->conn = conn_new(h->loop, v->fd, t, true, &VISITOR_HANDLER, v);
    else
        close(v->fd);
    v->fd = -1;
    if (!v->conn)
        v->over = OVER_BROKEN;
    return v->conn != NULL;
}

RIG void hear(struct visitor *v, size_t max)
{
    uint8_t bytes[16384];

    while (v->fd >= 0 && !v->over && max) {
        ssize_t n = read(v->fd, bytes, max < sizeof bytes ? max : sizeof bytes);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
            return;
        if (n <= 0) {
            v->over = n == 0 ? OVER_CLEAN : OVER_BROKEN;
            return;
        }
        sink_add(&v->in, bytes, (size_t)n);
        max -= (size_t)n;
    }
}

/* Turns the loop until all of it has gone, or nobody takes it. */
RIG bool say_bytes(struct visitor *v, const void *p, size_t n)
{
    const uint8_t *from = p;
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;

    if (v->fd < 0) {
        while (v->conn && !v->opened && time_mono_ms() < deadline)
            (void)loop_turn(v->house->loop, 5);
        return v->conn && conn_put(v->conn, p, n);
    }
    while (n && time_mono_ms() < deadline) {
        ssize_t sent = write(v->fd, from, n);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0) {
            from += sent;
            n -= (size_t)sent;
        } else {
            (void)loop_turn(v->house->loop, 1);
        }
    }
    return n == 0;
}

RIG bool say(struct visitor *v, const char *text)
{
    return say_bytes(v, text, strlen(text));
}

RIG void leave(struct visitor *v, bool reset)
{
    if (v->fd >= 0) {
        if (reset)
            socket_reset(v->fd);
        else
            close(v->fd);
    }
    v->fd = -1;
    if (v->conn) {
        if (reset)
            conn_reset(v->conn);
        else
            conn_close(v->conn);
        RUN_UNTIL(v->house->loop, !v->conn);
    }
    sink_free(&v->in);
}

/* One response of those that came. */
struct answer {
    unsigned status;
    char head[2048];
    struct sink body;
};

RIG bool answer_field(const struct answer *a, const char *name, char *value, size_t cap)
{
    const char *at = strcasestr(a->head, name);

    if (!at)
        return false;
    at += strlen(name);
    while (*at == ' ' || *at == ':')
        at++;
    snprintf(value, cap, "%.*s", (int)strcspn(at, "\r"), at);
    return true;
}

/* Takes the chunks off; true when the last one is there. *used: bytes of p that it took. */
RIG bool take_chunks(struct answer *a, const uint8_t *p, size_t n, size_t *used)
{
    size_t at = 0;

    for (;;) {
        const uint8_t *end = n > at ? memchr(p + at, '\n', n - at) : NULL;
        if (!end)
            return false;
        size_t size = strtoul((const char *)p + at, NULL, 16), start = (size_t)(end - p) + 1;
        if (size && n < start + size + 2)
            return false;
        if (size == 0) { /* trailers are passed over */
            const uint8_t *last = memmem(p + start - 2, n - start + 2, "\r\n\r\n", 4);
            if (last)
                *used = (size_t)(last - p) + 4;
            return last != NULL;
        }
        sink_add(&a->body, p + start, size);
        CHECK(memcmp(p + start + size, "\r\n", 2) == 0);
        at = start + size + 2;
    }
}

/* Takes the next response off what came; false when it is not whole. */
RIG bool take_answer(struct visitor *v, struct answer *a, bool is_head)
{
    const uint8_t *p = v->in.p + v->taken;
    size_t n = v->in.n - v->taken, used = 0;
    const uint8_t *end = n ? memmem(p, n < sizeof a->head ? n : sizeof a->head, "\r\n\r\n", 4) : NULL;
    char value[64];

    a->body.n = 0;
    a->status = 0;
    if (!end)
        return false;
    size_t head = (size_t)(end - p) + 4;
    snprintf(a->head, sizeof a->head, "%.*s", (int)head, (const char *)p);
    a->status = (unsigned)strtoul(a->head + 9, NULL, 10);
    if (is_head || a->status < 200 || a->status == 204 || a->status == 304) {
        v->taken += head;
        return true;
    }
    if (answer_field(a, "\r\ncontent-length", value, sizeof value)) {
        size_t length = strtoul(value, NULL, 10);
        if (n < head + length)
            return false;
        sink_add(&a->body, p + head, length);
        v->taken += head + length;
        return true;
    }
    if (!strcasestr(a->head, "\r\ntransfer-encoding: chunked")) { /* ends with the connection */
        if (v->over != OVER_CLEAN)
            return false;
        sink_add(&a->body, p + head, n - head);
        v->taken += n;
        return true;
    }
    if (!take_chunks(a, p + head, n - head, &used))
        return false;
    v->taken += head + used;
    return true;
}

/* Waits for the next response; false when the connection ended before it was whole. */
RIG bool get_answer(struct visitor *v, struct answer *a, bool is_head)
{
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;

    for (;;) {
        enum over over = v->over;
        if (take_answer(v, a, is_head))
            return true;
        if (over)
            return false;
        if (time_mono_ms() > deadline)
            return FAIL("no answer and no end");
        (void)loop_turn(v->house->loop, 5);
        hear(v, SIZE_MAX);
    }
}

RIG bool body_is(const struct answer *a, const char *text)
{
    return a->body.n == strlen(text) && (!a->body.n || memcmp(a->body.p, text, a->body.n) == 0);
}

/* A whole visit: true when it was answered with this status and body. */
RIG bool visit_works(struct house *h, bool tls, const char *text)
{
    struct visitor v;
    struct answer a = {0};
    bool good;

    (void)visit(h, &v, tls);
    good = say(&v, tls ? "GET /w HTTP/1.1\r\nHost: p256.test\r\n\r\n"
                       : "GET /w HTTP/1.1\r\nHost: plain.test\r\n\r\n") &&
           get_answer(&v, &a, false) && a.status == 200 && body_is(&a, text);
    sink_free(&a.body);
    leave(&v, false);
    return good;
}

#define OK_RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define GET(path)   "GET " path " HTTP/1.1\r\nHost: plain.test\r\n\r\n"

/* Nobody is left of those who came. */
RIG void all_gone(struct house *h)
{
    RUN_UNTIL(h->loop,
              house_count(h, COUNT_CONNECTIONS_OPEN) == 0 && house_count(h, COUNT_REQUESTS_OPEN) == 0);
}

#endif
