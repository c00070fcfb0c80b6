/* SPDX-License-Identifier: MIT
 *
 * Owns the admin listener and its few connections. A connection that begins like HTTP is HTTP to its end, so that
 * no web page can have a browser send us a command.
 */
#include "admin/admin.h"

#include "acme/revocation.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "conn/conn.h"
#include "net/socket.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_MAX  4096u
#define SESSIONS_MAX 16u
#define ASK_MS       10000u
#define AGAIN_MS     250u /* after an accept for which there was no descriptor */

struct admin {
    struct loop *loop;
    struct relay *relay;
    struct admin_hooks hooks;
    struct watch watch;
    struct addr addr;
    struct timer again; /* to accept */
    struct log_gate refused;
    bool listening;
    struct admin_session *sessions;
    unsigned session_count;
    uint64_t began;
};

struct admin_session {
    struct admin *admin;
    struct admin_session *prev, *next;
    struct conn *conn;
    struct timer timer;
    struct task destroy;
    bool done; /* nothing more is taken from it */
    size_t len;
    uint8_t text[REQUEST_MAX];
};

#define OF(type, member, p) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* --- answers --- */

static void put(struct admin_session *s, const struct writer *w)
{
    if (!conn_put(s->conn, w->start, writer_len(w)))
        conn_reset(s->conn);
}

static void answer_error(struct admin_session *s, const char *text)
{
    uint8_t room[2 * REQUEST_MAX];
    struct writer w = writer_of(room, sizeof room);

    writer_str(&w, "{\"ok\":false,\"error\":\"");
    log_escape_json(&w, bytes_str(text));
    writer_str(&w, "\"}\n");
    put(s, &w);
}

/* NULL: it was taken. */
static void answer(struct admin_session *s, const char *why)
{
    static const char OK[] = "{\"ok\":true}\n";

    if (why)
        answer_error(s, why);
    else
        (void)conn_put(s->conn, OK, sizeof OK - 1);
}

static void put_sites(struct writer *w, const struct admin *a)
{
    const struct conf *conf = relay_conf(a->relay);

    writer_str(w, ",\"sites\":[");
    for (unsigned i = 0; i < conf->site_count; i++) {
        const struct conf_site *site = &conf->sites[i];
        struct certs *certs = relay_certs(a->relay);
        const struct tls_identity *id = certs ? certs_of_site(certs, i) : NULL;
        writer_str(w, i ? ",{\"name\":\"" : "{\"name\":\"");
        log_escape_json(w, bytes_str(site->name_count ? site->names[0].text : "default"));
        writer_str(w, "\"");
        if (id) {
            writer_str(w, ",\"certificate\":{\"not_after\":\"");
            time_put_iso(w, id->not_after * 1000);
            writer_printf(w, "\",\"self_signed\":%s,\"sha256\":\"", id->self_signed ? "true" : "false");
            writer_hex(w, id->fingerprint, sizeof id->fingerprint);
            writer_str(w, "\"}");
        }
        writer_str(w, "}");
    }
    writer_str(w, "]");
}

static void do_status(struct admin_session *s)
{
    const struct admin *a = s->admin;
    const struct counters *counters = relay_counters(a->relay);
    uint8_t room[16384];
    struct writer w = writer_of(room, sizeof room);

    writer_printf(&w, "{\"ok\":true,\"version\":\"%s\",\"pid\":%ld,\"state\":\"%s\",\"uptime_s\":%llu",
                  PROXY_VERSION, (long)getpid(), relay_is_draining(a->relay) ? "draining" : "serving",
                  (unsigned long long)((loop_now(a->loop) - a->began) / 1000));
    writer_printf(&w, ",\"memory_bytes\":%zu,\"max_connections\":%u", mem_used(),
                  relay_max_connections(a->relay));
    put_sites(&w, a);
    writer_str(&w, ",\"counters\":{");
    for (unsigned i = 0; i < COUNTER_MAX; i++)
        writer_printf(&w, "%s\"%s\":%llu", i ? "," : "", counter_name(i),
                      (unsigned long long)counters->value[i]);
    writer_str(&w, "}}\n");
    if (w.failed)
        answer_error(s, "the status does not fit");
    else
        put(s, &w);
}

static void do_reload(struct admin_session *s)
{
    struct conf_errors *e = conf_errors_new();
    uint8_t room[REQUEST_MAX];
    struct writer w = writer_of(room, sizeof room - 1);

    if (e && s->admin->hooks.reload(s->admin->hooks.ctx, e)) {
        answer(s, NULL);
    } else {
        for (unsigned i = 0; e && i < conf_errors_count(e); i++)
            writer_printf(&w, "%s%s", i ? "\n" : "", conf_errors_text(e, i));
        room[writer_len(&w)] = 0;
        answer_error(s, e ? (const char *)room : "out of memory");
    }
    conf_errors_free(e);
}

static void do_stop(struct admin_session *s)
{
    answer(s, NULL);
    s->admin->hooks.stop(s->admin->hooks.ctx);
}

static void do_acme_status(struct admin_session *s)
{
    uint8_t room[16384];
    struct writer w = writer_of(room, sizeof room);

    writer_str(&w, "{\"ok\":true,\"certificates\":");
    acme_put_status(s->admin->hooks.acme, &w);
    writer_str(&w, "}\n");
    if (w.failed)
        answer_error(s, "the status does not fit");
    else
        put(s, &w);
}

static void do_acme_issue(struct admin_session *s, struct bytes name)
{
    answer(s, acme_issue(s->admin->hooks.acme, name));
}

static void do_acme_renew(struct admin_session *s, struct bytes name)
{
    answer(s, acme_renew(s->admin->hooks.acme, name));
}

/* NAME, or NAME REASON. */
static void do_acme_revoke(struct admin_session *s, struct bytes words)
{
    const uint8_t *blank = words.n ? memchr(words.p, ' ', words.n) : NULL;
    size_t n = blank ? (size_t)(blank - words.p) : words.n;
    int reason = revocation_reason(blank ? bytes_of(blank + 1, words.n - n - 1) : bytes_str(""));

    answer(s, reason == REVOCATION_UNKNOWN ? "no such reason; " REVOCATION_REASONS
                                           : acme_revoke(s->admin->hooks.acme, bytes_of(words.p, n), reason));
}

static const struct {
    const char *name;
    void (*run)(struct admin_session *s);
    void (*run_for)(struct admin_session *s, struct bytes words);
} COMMANDS[] = {
    {"status",      do_status,      NULL          },
    {"reload",      do_reload,      NULL          },
    {"stop",        do_stop,        NULL          },
    {"acme status", do_acme_status, NULL          },
    {"acme issue",  NULL,           do_acme_issue },
    {"acme renew",  NULL,           do_acme_renew },
    {"acme revoke", NULL,           do_acme_revoke},
};

/* An unknown line is the last one: a browser can be made to send bytes of an attacker's choice to a local port inside
 * of another protocol (a TLS session ticket, say), and a command may stand on a line of its own among them. */
static void command(struct admin_session *s, struct bytes line)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        size_t n = strlen(COMMANDS[i].name);
        bool is_whole = line.n == n;

        if (line.n < n || memcmp(line.p, COMMANDS[i].name, n) != 0)
            continue;
        if (is_whole && COMMANDS[i].run) {
            COMMANDS[i].run(s);
            return;
        }
        if (COMMANDS[i].run_for && (is_whole || line.p[n] == ' ')) {
            COMMANDS[i].run_for(s, is_whole ? bytes_str("") : bytes_of(line.p + n + 1, line.n - n - 1));
            return;
        }
    }
    answer_error(
        s,
        "unknown command; known are: status, reload, stop, acme status, acme issue [NAME], acme renew NAME, "
        "acme revoke NAME [REASON]");
    s->done = true;
    conn_close(s->conn);
}

static void answer_http(struct admin_session *s, struct bytes line)
{
    bool head = line.n > 5 && memcmp(line.p, "HEAD ", 5) == 0;
    const char *path = (const char *)line.p + (head ? 5 : 4);
    bool known = line.n > 12 && memcmp(path, "/health ", 8) == 0;
    bool up = !relay_is_draining(s->admin->relay);
    const char *text = !known ? "not found; there is /health\n" : up ? "ok\n" : "draining\n";
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);

    writer_printf(
        &w,
        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n%s",
        !known ? "404 Not Found"
        : up   ? "200 OK"
               : "503 Service Unavailable",
        strlen(text), head ? "" : text);
    put(s, &w);
    s->done = true;
    conn_close(s->conn);
}

/* --- sessions --- */

static bool looks_like_http(const struct admin_session *s)
{
    const uint8_t *end = memchr(s->text, '\n', s->len);
    return end && memmem(s->text, (size_t)(end - s->text), " HTTP/", 6) != NULL;
}

/* Takes what is whole off the text; false when the rest needs more bytes. */
static bool step(struct admin_session *s)
{
    uint8_t *end = memchr(s->text, '\n', s->len);

    if (!end)
        return false;
    size_t n = (size_t)(end - s->text) + 1, line = n - 1;
    if (looks_like_http(s)) {
        if (!memmem(s->text, s->len, "\r\n\r\n", 4))
            return false;
        struct bytes first = bytes_of(s->text, line);
        if (line > 5 && (memcmp(s->text, "GET ", 4) == 0 || memcmp(s->text, "HEAD ", 5) == 0))
            answer_http(s, first);
        else
            conn_reset(s->conn);
        s->len = 0;
        return false;
    }
    if (line && s->text[line - 1] == '\r')
        line--;
    command(s, bytes_of(s->text, line));
    if (s->done) {
        s->len = 0;
        return false;
    }
    memmove(s->text, s->text + n, s->len - n);
    s->len -= n;
    return true;
}

static bool on_wants_input(const void *owner)
{
    const struct admin_session *s = owner;
    return !s->done && s->len < REQUEST_MAX;
}

static size_t on_input(void *owner, const uint8_t *p, size_t n)
{
    struct admin_session *s = owner;
    size_t took = n < REQUEST_MAX - s->len ? n : REQUEST_MAX - s->len;

    memcpy(s->text + s->len, p, took);
    s->len += took;
    while (step(s))
        ;
    if (s->len == REQUEST_MAX)
        conn_reset(s->conn); /* no command is that long */
    return took;
}

static void on_eof(void *owner, bool clean)
{
    struct admin_session *s = owner;
    (void)clean;
    conn_close(s->conn);
}

static void on_writable(void *owner)
{
    (void)owner;
}

static void on_destroy(struct task *task)
{
    mem_free(OF(struct admin_session, destroy, task));
}

static void on_closed(void *owner, const struct conn_end *end)
{
    struct admin_session *s = owner;
    (void)end;

    timer_clear(s->admin->loop, &s->timer);
    if (s->prev)
        s->prev->next = s->next;
    else
        s->admin->sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
    s->admin->session_count--;
    loop_defer(s->admin->loop, &s->destroy);
}

static void on_timer(struct timer *timer)
{
    conn_reset(OF(struct admin_session, timer, timer)->conn);
}

static const struct conn_handler HANDLER = {
    .wants_input = on_wants_input,
    .input = on_input,
    .eof = on_eof,
    .writable = on_writable,
    .closed = on_closed,
};

static void welcome(struct admin *a, int fd)
{
    struct admin_session *s = a->session_count < SESSIONS_MAX ? mem_zalloc(sizeof *s) : NULL;

    if (!s) {
        socket_reset(fd);
        return;
    }
    s->admin = a;
    s->timer.fired = on_timer;
    s->destroy.run = on_destroy;
    if (!timer_set(a->loop, &s->timer, loop_now(a->loop) + ASK_MS)) {
        socket_reset(fd);
        mem_free(s);
        return;
    }
    s->conn = conn_new(a->loop, fd, NULL, false, &HANDLER, s);
    if (!s->conn) {
        timer_clear(a->loop, &s->timer);
        mem_free(s);
        return;
    }
    s->next = a->sessions;
    if (s->next)
        s->next->prev = s;
    a->sessions = s;
    a->session_count++;
}

static bool may_speak(struct admin *a, const struct addr *peer)
{
    char text[ADDR_TEXT];

    if (addr_is_loopback(peer) || networks_contain(&relay_conf(a->relay)->admins, peer))
        return true;
    log_gated(&a->refused, LOG_WARN, "admin: %s is in none of the networks that may speak to it",
              addr_format_ip(peer, text));
    return false;
}

static void on_again(struct timer *timer)
{
    struct admin *a = OF(struct admin, again, timer);
    (void)loop_watch(a->loop, &a->watch, EPOLLIN);
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct admin *a = OF(struct admin, watch, watch);
    struct addr peer;
    (void)events;

    int fd = socket_accept(watch->fd, &peer);
    if (fd >= 0 && !may_speak(a, &peer))
        socket_reset(fd);
    else if (fd >= 0)
        welcome(a, fd);
    else if (fd == SOCKET_ERROR && timer_set(a->loop, &a->again, loop_now(a->loop) + AGAIN_MS))
        (void)loop_watch(a->loop, &a->watch, 0); /* it would be told each turn of who waits */
}

/* --- the listener --- */

struct admin *admin_new(struct loop *loop, struct relay *relay, const struct admin_hooks *hooks)
{
    struct admin *a = mem_zalloc(sizeof *a);

    if (!a)
        return NULL;
    a->loop = loop;
    a->relay = relay;
    a->hooks = *hooks;
    a->began = loop_now(loop);
    a->watch = (struct watch){.fd = -1, .ready = on_ready};
    a->again.fired = on_again;
    return a;
}

static void stop_listening(struct admin *a)
{
    if (!a->listening)
        return;
    timer_clear(a->loop, &a->again);
    loop_unwatch(a->loop, &a->watch);
    socket_close(a->watch.fd);
    if (a->addr.any.sa_family == AF_UNIX)
        (void)unlink(a->addr.un.sun_path);
    a->listening = false;
}

void admin_free(struct admin *a)
{
    if (!a)
        return;
    stop_listening(a);
    for (struct admin_session *s = a->sessions; s; s = s->next)
        conn_reset(s->conn);
    while (a->sessions) /* a turn has an end to the tasks it runs, and these may not be the first */
        (void)loop_turn(a->loop, 0);
    mem_free(a);
}

/* "unix:PATH" or "IP:PORT". */
static bool parse_address(const char *text, struct addr *out)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (strncmp(text, "unix:", 5) == 0)
        return addr_from_unix(out, bytes_str(text + 5));
    if (!colon || !text_u64(bytes_str(colon + 1), 65535, &port))
        return false;
    return addr_from_ip(out, bytes_of(text, (size_t)(colon - text)), (uint16_t)port);
}

bool admin_listen(struct admin *a, const char *address, struct conf_errors *e)
{
    const struct conf_place nowhere = {"", 0, 0};
    struct addr addr;

    if (strcmp(address, "off") == 0) {
        stop_listening(a);
        return true;
    }
    if (!parse_address(address, &addr)) {
        conf_error(e, nowhere, "admin", "%s is no address; unix:PATH or 127.0.0.1:PORT", address);
        return false;
    }
    if (a->listening && addr_equal(&addr, &a->addr))
        return true;
    mode_t mask = umask(0177); /* the socket's file is ours alone */
    int fd = socket_listen(&addr, 16);
    umask(mask);
    if (fd < 0 && addr.any.sa_family == AF_UNIX) {
        log_warn("admin: no control socket at %s: %s; reload and stop by signal, or set admin", address + 5,
                 errno == ENOENT ? "its folder is not there" : socket_reason(errno));
        return true;
    }
    if (fd < 0) {
        conf_error(e, nowhere, "admin", "cannot listen on %s: %s", address, socket_reason(errno));
        return false;
    }
    stop_listening(a);
    a->addr = addr;
    a->watch.fd = fd;
    a->watch.events = 0;
    a->listening = true;
    if (loop_watch(a->loop, &a->watch, EPOLLIN) == 0)
        return true;
    conf_error(e, nowhere, "admin", "cannot listen on %s: %s", address, socket_reason(errno));
    stop_listening(a);
    return false;
}
