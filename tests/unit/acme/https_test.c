/* SPDX-License-Identifier: MIT
 *
 * Requests to a server of another process that answers by a script, over plain HTTP. What TLS adds is in https_tls_test,
 * what time and other requests do in https_life_test.
 */
#include "tests/unit/test.h"

#include "acme/https.h"
#include "base/mem.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000u

/* ---- the server ---- */

enum script {
    WHOLE,   /* then close */
    PIECES,  /* a byte at a time */
    KEEP,    /* then the next request on the same connection */
    REFUSED, /* the port is closed */
};

struct server {
    pid_t pid;
    uint16_t port;
};

static bool read_head(int fd)
{
    char buffer[65536];
    size_t n = 0;

    while (n < sizeof buffer - 1) {
        ssize_t got = read(fd, buffer + n, sizeof buffer - 1 - n);
        char *end, *length;

        if (got <= 0)
            return false;
        n += (size_t)got;
        buffer[n] = 0;
        end = strstr(buffer, "\r\n\r\n");
        length = strstr(buffer, "Content-Length: ");
        if (end && n >= (size_t)(end - buffer) + 4 + (length ? (size_t)atoi(length + 16) : 0))
            return true;
    }
    return false;
}

static void answer(int fd, enum script script, const char *text, size_t n)
{
    while (read_head(fd)) {
        for (size_t at = 0; at < n; at += script == PIECES ? 1 : n)
            if (write(fd, text + at, script == PIECES ? 1 : n) < 0)
                return;
        if (script == WHOLE || script == PIECES)
            return;
    }
}

static struct server serve(enum script script, const char *text, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct server s;

    CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    s.port = ntohs(a.sin_port);
    s.pid = script == REFUSED ? 0 : fork();
    if (s.pid == 0 && script != REFUSED) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int c = accept(fd, NULL, NULL);

            answer(c, script, text, n);
            close(c);
        }
    }
    close(fd);
    return s;
}

static void stop(const struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
}

/* ---- the client ---- */

struct visit {
    struct https_context context;
    unsigned done, status;
    enum https_failure kind;
    char body[4096], why[600], field[100];
    size_t body_len;
};

static void on_done(void *owner, const struct https_result *r)
{
    struct visit *v = owner;
    struct bytes field = https_field(r, "x-field");

    v->done++;
    v->status = r->status;
    v->kind = r->kind;
    v->body_len = r->body.n;
    CHECK_EQ(r->why == NULL, r->status != 0);
    if (r->body.n > 0)
        memcpy(v->body, r->body.p, r->body.n < sizeof v->body ? r->body.n : sizeof v->body);
    snprintf(v->why, sizeof v->why, "%s", r->why ? r->why : "");
    snprintf(v->field, sizeof v->field, "%.*s", (int)field.n, (const char *)field.p);
}

static bool open_visit(struct visit *v)
{
    *v = (struct visit){.done = 0};
    v->context.loop = loop_new();
    v->context.dns = v->context.loop ? dns_new(v->context.loop) : NULL;
    v->context.user_agent = "test";
    return v->context.dns != NULL;
}

static void settle(struct loop *loop)
{
    for (int i = 0; i < 5; i++)
        (void)loop_turn(loop, 0);
}

static void close_visit(struct visit *v)
{
    https_context_release(&v->context);
    if (v->context.loop)
        settle(v->context.loop);
    dns_free(v->context.dns);
    if (v->context.loop) {
        settle(v->context.loop);
        loop_free(v->context.loop);
    }
}

static struct https *send_to(struct visit *v, uint16_t port, const char *method, const char *body)
{
    char url[100];
    struct https_request rq = {.method = method, .url = url, .plain = true};

    snprintf(url, sizeof url, "http://127.0.0.1:%u/path?query", port);
    if (body) {
        rq.body = bytes_str(body);
        rq.content_type = "text/plain";
    }
    return https_send(&v->context, &rq, on_done, v);
}

static void wait_for(struct visit *v, unsigned done)
{
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;

    while (v->done < done && time_mono_ms() < deadline)
        (void)loop_turn(v->context.loop, 50);
    CHECK_EQ(v->done, done);
}

#define OK "HTTP/1.1 200 OK\r\n"

TEST(answers)
{
    static const struct {
        enum script script;
        const char *text;
        unsigned status;
        const char *body, *why;
        enum https_failure kind;
    } cases[] = {
        {WHOLE,   OK "Content-Length: 5\r\n\r\nhello",                                              200, "hello", "",                               HTTPS_OK      },
        {PIECES,  OK "Content-Length: 5\r\n\r\nhello",                                              200, "hello", "",                               HTTPS_OK      },
        {WHOLE,   OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",          200, "hello", "",
         HTTPS_OK                                                                                                                                                 },
        {PIECES,  OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",          200, "hello", "",
         HTTPS_OK                                                                                                                                                 },
        {WHOLE,   OK "\r\nhello",                                                                   200, "hello", "",                               HTTPS_OK      },
        {WHOLE,   "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi",                 200, "hi",    "",                               HTTPS_OK      },
        {WHOLE,   "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",                        404, "none",  "",                               HTTPS_OK      },
        {WHOLE,   "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", 302, "",      "",
         HTTPS_OK                                                                                                                                                 },
        {WHOLE,   "HTTP/1.1 204 No Content\r\n\r\n",                                                204, "",      "",                               HTTPS_OK      },
        {WHOLE,   OK "Content-Length: 6\r\n\r\nhello",                                              0,   "",      "127.0.0.1:",                     HTTPS_PROTOCOL},
        {WHOLE,   OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",                         0,   "",
         "127.0.0.1:",                                                                                                                              HTTPS_PROTOCOL},
        {WHOLE,   OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n",                               0,   "",      "127.0.0.1:",                     HTTPS_PROTOCOL},
        {WHOLE,   "SSH-2.0-OpenSSH_9.2\r\n",                                                        0,   "",      "127.0.0.1:",                     HTTPS_PROTOCOL},
        {WHOLE,   "",                                                                               0,   "",      "127.0.0.1:",                     HTTPS_PROTOCOL},
        {REFUSED, "",                                                                               0,   "",      "connection refused (127.0.0.1:", HTTPS_CONNECT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server s = serve(cases[i].script, cases[i].text, strlen(cases[i].text));
        struct visit v;

        CHECK(open_visit(&v));
        CHECK(send_to(&v, s.port, "GET", NULL) != NULL);
        wait_for(&v, 1);
        CHECK_EQ(v.status, cases[i].status);
        CHECK_EQ(v.kind, cases[i].kind);
        CHECK_MEM(v.body, v.body_len, cases[i].body, strlen(cases[i].body));
        if (!CHECK(strstr(v.why, cases[i].why) != NULL && (v.why[0] == 0) == (cases[i].why[0] == 0)))
            printf("    case %zu: %s\n", i, v.why);
        close_visit(&v);
        stop(&s);
    }
}

TEST(fields_and_methods)
{
    static const char text[] = OK "X-Field: one\r\nContent-Length: 5\r\n\r\nhello",
                      head[] = OK "Content-Length: 5\r\n\r\n";
    struct server s = serve(KEEP, text, sizeof text - 1), h = serve(KEEP, head, sizeof head - 1);
    struct visit v;

    CHECK(open_visit(&v));
    send_to(&v, s.port, "POST", "a body");
    wait_for(&v, 1);
    CHECK_STR(v.field, "one");
    CHECK_EQ(v.body_len, 5);
    send_to(&v, h.port, "HEAD", NULL);
    wait_for(&v, 2);
    CHECK_EQ(v.status, 200);
    CHECK_EQ(v.body_len, 0);
    close_visit(&v);
    stop(&s);
    stop(&h);
}

/* An answer larger than its bound ends there; nothing of it is kept. */
TEST(too_long)
{
    size_t n = HTTPS_ANSWER_MAX + 100000;
    char *text = malloc(n);
    struct server s;
    struct visit v;

    memset(text, 'x', n);
    memcpy(text, OK "\r\n", sizeof OK + 1);
    s = serve(WHOLE, text, n);
    CHECK(open_visit(&v));
    send_to(&v, s.port, "GET", NULL);
    wait_for(&v, 1);
    CHECK_EQ(v.kind, HTTPS_PROTOCOL);
    CHECK(strstr(v.why, "longer than 1 MiB") != NULL);
    close_visit(&v);
    stop(&s);
    free(text);
}

TEST(urls_that_cannot_be_asked)
{
    static const char *const urls[] = {"", "http://127.0.0.1/", "ftp://a/", "https://", "https://a b/"};
    struct visit v;

    CHECK(open_visit(&v));
    for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const struct https_request rq = {.method = "GET", .url = urls[i]};

        CHECK(https_send(&v.context, &rq, on_done, &v) != NULL);
        CHECK_EQ(v.done, i); /* never from within */
        wait_for(&v, i + 1);
        CHECK_EQ(v.kind, HTTPS_URL);
    }
    close_visit(&v);
}

TEST_MAIN(RUN(answers), RUN(fields_and_methods), RUN(too_long), RUN(urls_that_cannot_be_asked))
