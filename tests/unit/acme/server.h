/* SPDX-License-Identifier: MIT
 *
 * A server on the loop of the test itself, with TLS or without, that answers by a script; and the client's side: a
 * context, and what its requests came to. The clock is the test's own (tests/unit/tls/clock.h).
 */
#ifndef TESTS_UNIT_ACME_SERVER_H
#define TESTS_UNIT_ACME_SERVER_H

#include "acme/https.h"
#include "base/file.h"
#include "base/mem.h"
#include "certs/pem.h"
#include "certs/trust.h"
#include "conn/conn.h"
#include "net/socket.h"
#include "tests/unit/test.h"
#include "tests/unit/tls/clock.h"

#include <signal.h>
#include <stdlib.h>

/* All of it is compiled into each file that includes it. */
#define RIG __attribute__((unused)) static

enum script {
    KEEP,    /* answers each request */
    CLOSE,   /* answers, then ends as TLS wants it */
    CUT,     /* answers, then a FIN alone */
    RESET,   /* answers, then a TCP reset */
    PIECES,  /* answers, each byte in a record of its own */
    TRICKLE, /* a byte every five seconds */
    SILENT,  /* takes the request and says nothing */
    MUTE,    /* does not even shake hands */
};

#define TRICKLE_MS 5000u

struct peer {
    struct server *server; /* NULL: free */
    struct conn *conn;     /* NULL: MUTE */
    int fd;
    size_t n, sent;
    unsigned requests;
    struct task task;
    struct timer timer;
    char in[4096];
};

struct server {
    struct loop *loop;
    struct watch watch;
    uint16_t port;
    bool is_plain;
    struct tls_server tls;
    struct tls_identity *identity;
    enum script script;
    const char *answer;
    unsigned last; /* from this request of a connection on it hangs up without a word; 0: never */
    unsigned accepted, requests; /* so far */
    char request[4096];          /* the last one */
    struct peer peers[8];
};

/* Listens there (port 0: any). `cert` and `key` are vectors; NULL: without TLS. Ends the program when it cannot. */
RIG void server_open(struct server *s, struct loop *loop, const char *ip, uint16_t port, const char *cert,
                     const char *key);
RIG void server_hang_up(struct server *s); /* every connection, as TLS wants it */
RIG void server_close(struct server *s);   /* needs a turn of the loop to be over */

struct visit {
    struct loop *loop;
    struct dns *dns;
    struct trust *trust;
    struct https_context context;
    const char *ip; /* where servers are asked; NULL: where the name leads */
    bool is_plain;
    struct https *request; /* under way */
    unsigned done, status;
    enum https_failure kind;
    size_t body_len, blocks;
    char why[700], body[2048];
    void (*then)(struct visit *v); /* called by `done`, once */
};

/* `anchors` is a vector. `hosts`: a file in place of /etc/hosts, or NULL. */
RIG void visit_open(struct visit *v, const char *anchors, const char *hosts);
/* Asks for https://HOST:PORT/path?query; with a body, it is a POST. */
RIG void visit_send(struct visit *v, const char *host, uint16_t port, const char *body);
/* Turns the loop until so many are done, and checks that they are. Each turn lets `step` ms pass. */
RIG void visit_wait(struct visit *v, unsigned done, unsigned step);
RIG void visit_pass(struct visit *v, unsigned ms); /* lets so much time pass, in small steps */
/* Checks that all memory came back. Servers are closed before. */
RIG void visit_close(struct visit *v);

/* ---- the server ---- */

#define OF_PEER(member, p) ((struct peer *)(void *)((char *)(p)-offsetof(struct peer, member)))

static void peer_end(struct task *task)
{
    struct peer *p = OF_PEER(task, task);

    if (p->conn == NULL)
        return;
    switch (p->server->script) {
    case CLOSE: conn_close(p->conn); break;
    case CUT: (void)shutdown(p->fd, SHUT_WR); break;
    case RESET: conn_reset(p->conn); break;
    case PIECES:
        if (p->server->answer[p->sent] == '\0' || !conn_put(p->conn, p->server->answer + p->sent, 1))
            break;
        p->sent++;
        loop_post(p->server->loop, task); /* behind the pump, which seals that byte */
        break;
    case KEEP:
    case TRICKLE:
    case SILENT:
    case MUTE: break;
    }
}

static void peer_trickle(struct timer *timer)
{
    struct peer *p = OF_PEER(timer, timer);

    if (p->server->answer[p->sent] == '\0' || !conn_put(p->conn, p->server->answer + p->sent, 1))
        return;
    p->sent++;
    (void)timer_set(p->server->loop, timer, loop_now(p->server->loop) + TRICKLE_MS);
}

static void peer_answer(struct peer *p)
{
    struct server *s = p->server;

    s->requests++;
    memcpy(s->request, p->in, sizeof s->request);
    p->n = p->sent = 0;
    p->requests++;
    if (s->last > 0 && p->requests >= s->last) {
        conn_reset(p->conn);
        return;
    }
    if (s->script == TRICKLE)
        peer_trickle(&p->timer);
    else if (s->script <= RESET)
        (void)conn_put(p->conn, s->answer, strlen(s->answer));
    loop_post(s->loop, &p->task);
}

static bool peer_wants(const void *owner)
{
    return owner != NULL;
}

static size_t peer_input(void *owner, const uint8_t *bytes, size_t n)
{
    struct peer *p = owner;
    const char *end, *length;

    if (n > sizeof p->in - 1 - p->n) {
        conn_reset(p->conn);
        return n;
    }
    memcpy(p->in + p->n, bytes, n);
    p->n += n;
    p->in[p->n] = '\0';
    end = strstr(p->in, "\r\n\r\n");
    length = strstr(p->in, "Content-Length: ");
    if (end != NULL && p->n >= (size_t)(end + 4 - p->in) + (length != NULL ? (size_t)atoi(length + 16) : 0))
        peer_answer(p);
    return n;
}

static void peer_eof(void *owner, bool clean)
{
    (void)clean;
    conn_close(((struct peer *)owner)->conn);
}

static void peer_forget(struct peer *p)
{
    loop_unpost(p->server->loop, &p->task);
    timer_clear(p->server->loop, &p->timer);
    p->conn = NULL;
    p->server = NULL;
}

static void peer_closed(void *owner, const struct conn_end *end)
{
    (void)end;
    peer_forget(owner);
}

static const struct conn_handler PEER = {
    .wants_input = peer_wants,
    .input = peer_input,
    .eof = peer_eof,
    .closed = peer_closed,
};

static void peer_begin(struct server *s, int fd)
{
    struct peer *p = s->peers;
    struct tls *tls = NULL;

    while (p < s->peers + sizeof s->peers / sizeof s->peers[0] && p->server != NULL)
        p++;
    if (!CHECK(p < s->peers + sizeof s->peers / sizeof s->peers[0]))
        abort();
    memset(p, 0, sizeof *p);
    p->server = s;
    p->fd = fd;
    p->task.run = peer_end;
    p->timer.fired = peer_trickle;
    if (s->script == MUTE)
        return;
    if (!s->is_plain && (tls = tls_server_new(&s->tls)) == NULL)
        socket_close(fd);
    else
        p->conn = conn_new(s->loop, fd, tls, false, &PEER, p);
    if (p->conn == NULL)
        p->server = NULL;
}

static void server_ready(struct watch *watch, uint32_t events)
{
    struct server *s = (struct server *)(void *)((char *)watch - offsetof(struct server, watch));
    struct addr from;
    int fd;

    (void)events;
    while ((fd = socket_accept(watch->fd, &from)) >= 0) {
        s->accepted++;
        peer_begin(s, fd);
    }
}

static struct tls_identity *server_select(void *ctx, const struct client_hello *hello)
{
    (void)hello;
    return ((struct server *)ctx)->identity;
}

RIG struct file read_vector(const char *name)
{
    char path[256];
    struct file f;

    snprintf(path, sizeof path, "tests/vectors/certs/%s", name);
    if (file_read(path, PEM_MAX_FILE, &f) != 0) {
        perror(path);
        exit(1);
    }
    return f;
}

RIG void server_open(struct server *s, struct loop *loop, const char *ip, uint16_t port, const char *cert,
                     const char *key)
{
    static const char *const protocols[] = {"http/1.1"};
    struct addr a;

    memset(s, 0, sizeof *s);
    s->loop = loop;
    s->is_plain = cert == NULL;
    s->answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    s->tls = (struct tls_server){
        .select = server_select, .ctx = s, .alpn = {protocols, 1},
                .pool = loop_pool(loop)
    };
    if (!s->is_plain) {
        struct file c = read_vector(cert), k = read_vector(key);

        s->identity = tls_identity_new("test");
        CHECK_STR(pem_load_chain(s->identity, bytes_of(c.content.p, c.content.n)), NULL);
        CHECK_STR(pem_load_key(s->identity, bytes_of(k.content.p, k.content.n)), NULL);
        file_release(&c);
        file_release(&k);
    }
    s->watch.ready = server_ready;
    if (!addr_from_ip(&a, bytes_str(ip), port) || (s->watch.fd = socket_listen(&a, 16)) < 0 ||
        getsockname(s->watch.fd, &a.any, &a.len) != 0 || loop_watch(loop, &s->watch, EPOLLIN) != 0) {
        perror(ip);
        exit(1);
    }
    s->port = addr_port(&a);
}

RIG void server_hang_up(struct server *s)
{
    for (size_t i = 0; i < sizeof s->peers / sizeof s->peers[0]; i++)
        if (s->peers[i].conn != NULL)
            conn_close(s->peers[i].conn);
}

RIG void server_close(struct server *s)
{
    loop_unwatch(s->loop, &s->watch);
    socket_close(s->watch.fd);
    for (size_t i = 0; i < sizeof s->peers / sizeof s->peers[0]; i++) {
        struct peer *p = &s->peers[i];

        if (p->conn != NULL) {
            conn_reset(p->conn);
        } else if (p->server != NULL) {
            socket_close(p->fd);
            p->server = NULL;
        }
    }
    for (int i = 0; i < 5; i++)
        (void)loop_turn(s->loop, 0);
    tls_identity_unref(s->identity);
}

/* ---- the client ---- */

static void visit_done(void *owner, const struct https_result *r)
{
    struct visit *v = owner;
    void (*then)(struct visit *) = v->then;

    v->request = NULL;
    v->done++;
    v->status = r->status;
    v->kind = r->kind;
    v->body_len = r->body.n;
    CHECK_EQ(r->why == NULL, r->kind == HTTPS_OK);
    CHECK_EQ(r->why == NULL, r->status != 0);
    CHECK_EQ(r->why == NULL, r->head != NULL);
    if (r->body.n > 0 && CHECK(r->body.n <= sizeof v->body))
        memcpy(v->body, r->body.p, r->body.n);
    snprintf(v->why, sizeof v->why, "%s", r->why != NULL ? r->why : "");
    v->then = NULL;
    if (then != NULL)
        then(v);
}

RIG void visit_open(struct visit *v, const char *anchors, const char *hosts)
{
    const struct dns_options options = {.resolv_conf = "/dev/null", .hosts = hosts};
    struct file f = read_vector(anchors);
    const char *why;

    (void)signal(SIGPIPE, SIG_IGN);
    memset(v, 0, sizeof *v);
    v->blocks = mem_blocks() - 1; /* the file's */
    v->loop = loop_new();
    v->dns = v->loop != NULL ? dns_new_with(v->loop, &options) : NULL;
    v->trust = trust_load(bytes_of(f.content.p, f.content.n), &why);
    file_release(&f);
    if (v->dns == NULL || v->trust == NULL) {
        printf("no loop, no DNS, or no trust: %s\n", why);
        exit(1);
    }
    v->ip = "127.0.0.1";
    v->context = (struct https_context){
        .loop = v->loop, .dns = v->dns, .trust = trust_of(v->trust), .user_agent = "test/1"};
}

RIG void visit_send(struct visit *v, const char *host, uint16_t port, const char *body)
{
    char url[400];
    struct addr at;
    const struct https_request rq = {
        .method = body != NULL ? "POST" : "GET",
        .url = url,
        .content_type = body != NULL ? "application/jose+json" : NULL,
        .body = body != NULL ? bytes_str(body) : (struct bytes){NULL, 0},
        .plain = v->is_plain,
        .address = v->ip != NULL && addr_from_ip(&at, bytes_str(v->ip), 0) ? &at : NULL,
    };

    snprintf(url, sizeof url, "%s://%s:%u/path?query", v->is_plain ? "http" : "https", host, port);
    v->request = https_send(&v->context, &rq, visit_done, v);
}

RIG void visit_wait(struct visit *v, unsigned done, unsigned step)
{
    for (unsigned turns = 0; v->done < done && turns < 4000; turns++) {
        (void)loop_turn(v->loop, 5);
        clock_pass(step);
    }
    CHECK_EQ(v->done, done);
}

RIG void visit_pass(struct visit *v, unsigned ms)
{
    for (unsigned passed = 0; passed < ms; passed += 50) {
        clock_pass(50);
        for (int i = 0; i < 3; i++)
            (void)loop_turn(v->loop, 0);
    }
}

RIG void visit_close(struct visit *v)
{
    https_cancel(v->request);
    https_context_release(&v->context);
    for (int i = 0; i < 5; i++)
        (void)loop_turn(v->loop, 0);
    dns_free(v->dns);
    trust_free(v->trust);
    CHECK_EQ(pool_lent(loop_pool(v->loop)), 0);
    loop_free(v->loop);
    CHECK_EQ(mem_blocks(), v->blocks);
}

#endif
