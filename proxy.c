/* SPDX-License-Identifier: MIT
 *
 * main(): options -> conf -> certificates -> listeners -> confinement -> loop. The map of the program:
 *
 *     base/    bytes, memory, time, log, random, counters
 *     crypto/  which implementation of each primitive this CPU gets
 *     net/     sockets, the loop, timers, DNS
 *     tls/     TLS as bytes in, bytes out
 *     conn/    a socket, optional TLS, and the one pump between them
 *     http/    HTTP/1.1 as bytes in, bytes out
 *     conf/    text -> plain structs
 *     certs/   which key and chain answers for which name
 *     acme/    obtains and renews certificates
 *     relay/   the path of a request: listener, client, exchange, route, upstream, reply
 *     admin/   control socket, health, confinement, and the first process of a microVM
 *
 * docs/architecture.md follows a request through them.
 */
#include "acme/acme.h"
#include "acme/uacme.h"
#include "admin/admin.h"
#include "admin/command.h"
#include "admin/confine.h"
#include "admin/init.h"
#include "admin/notify.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/relro.h"
#include "base/time.h"
#include "crypto/bench.h"
#include "net/inherit.h"
#include "net/socket.h"
#include "relay/relay.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct program {
    struct conf_options *options;
    struct loop *loop;
    struct relay *relay;
    struct uacme *uacme; /* NULL: the built-in client */
    struct acme *acme;
    struct admin *admin;
    struct watch signals; /* the read end of a pipe that the handler writes to */
    struct timer daily;
    struct inherited inherited; /* until the first configuration is applied */
    struct notify notify;
};

static int signal_pipe[2] = {-1, -1};

/* --- what it says --- */

static void print_errors(const struct conf_errors *e)
{
    for (unsigned i = 0; i < conf_errors_count(e); i++)
        fprintf(stderr, "proxy: %s\n", conf_errors_text(e, i));
}

static void print_version(void)
{
    printf("proxy %s\n"
           "BearSSL %s (MIT), c-ares %s (MIT), jsmn %s (MIT), musl %s (MIT)\n"
           "Mozilla's CA certificates, of Debian's ca-certificates %s (MPL 2.0)\n"
           "MIT licence. There is no warranty.\n",
           PROXY_VERSION, PROXY_BEARSSL_VERSION, PROXY_CARES_VERSION, PROXY_JSMN_VERSION, PROXY_MUSL_VERSION,
           PROXY_ROOTS_VERSION);
}

static void put_upstreams(struct writer *w, const struct conf_path *p)
{
    switch (p->action) {
    case CONF_ACTION_UPSTREAM:
        for (unsigned i = 0; i < p->upstream.n; i++)
            writer_printf(w, "%s%s", i ? ", " : "", p->upstream.endpoints[i].text);
        break;
    case CONF_ACTION_REDIRECT: writer_printf(w, "redirect %u to %s", p->status, p->text); break;
    case CONF_ACTION_RESPOND: writer_printf(w, "respond %u", p->status); break;
    case CONF_ACTION_BUILTIN: writer_str(w, "the built-in page"); break;
    }
}

static void put_site(struct writer *w, const struct conf_site *site, struct certs *certs, unsigned index)
{
    const struct tls_identity *id = certs ? certs_of_site(certs, index) : NULL;

    writer_str(w, site->name_count ? "" : "any name");
    for (unsigned i = 0; i < site->name_count; i++)
        writer_printf(w, "%s%s", i ? ", " : "", site->names[i].text);
    writer_str(w, " -> ");
    put_upstreams(w, &site->paths[site->path_count - 1]);
    for (unsigned i = 0; i + 1 < site->path_count; i++) {
        writer_printf(w, "; %s -> ", site->paths[i].prefix);
        put_upstreams(w, &site->paths[i]);
    }
    if (!id) {
        writer_str(w, " (no TLS)");
    } else {
        writer_str(w, !id->self_signed              ? " (certificate until "
                      : certs_is_acme(certs, index) ? " (self-signed until an authority gives its own: "
                                                    : " (self-signed certificate until ");
        time_put_date(w, id->not_after);
        writer_str(w, ")");
    }
}

/* One line for each site and each address; relay is NULL when nothing is bound. */
static void describe(const struct conf *conf, struct certs *certs, const struct relay *relay,
                     void (*say)(const char *line))
{
    char line[2048], addr[ADDR_TEXT];

    for (unsigned i = 0; i < conf->site_count; i++) {
        struct writer w = writer_of(line, sizeof line - 1);
        put_site(&w, &conf->sites[i], certs, i);
        line[writer_len(&w)] = 0;
        say(line);
    }
    for (unsigned i = 0; i < conf->listen_count; i++) {
        const struct conf_listen *l = &conf->listens[i];
        if (relay && !relay_listens(relay, l))
            continue;
        snprintf(line, sizeof line, "%s on %s", l->tls ? "HTTPS" : "HTTP", addr_format(&l->addr, addr));
        say(line);
    }
}

static void say_log(const char *line)
{
    log_info("%s", line);
}

static void say_stdout(const char *line)
{
    puts(line);
}

/* The demo's first words: where it is, how to know it, how to try it, how to stop it. */
static void print_banner(const struct conf *conf, const struct relay *relay)
{
    struct certs *certs = relay_certs(relay);
    const struct tls_identity *id = certs ? certs_of_site(certs, 0) : NULL;
    char fingerprint[CERTS_FINGERPRINT_TEXT];
    unsigned https = 443, http = 0;

    if (!id)
        return;
    for (unsigned i = 0; i < conf->listen_count; i++)
        if (conf->listens[i].tls)
            https = addr_port(&conf->listens[i].addr);
        else if (relay_listens(relay, &conf->listens[i]))
            http = addr_port(&conf->listens[i].addr);
    if (conf->log_format == CONF_LOG_JSON) { /* whose reader takes nothing else */
        log_info("https://localhost:%u, certificate SHA-256 %s", https,
                 certs_fingerprint_text(id, fingerprint));
        return;
    }
    printf("\n  https://localhost:%u\n", https);
    if (http)
        printf("  http://localhost:%u redirects there\n", http);
    printf("\n  Certificate (self-signed), SHA-256:\n  %s\n"
           "\n  Try:   curl -k https://localhost:%u/\n  Stop:  Ctrl-C\n\n",
           certs_fingerprint_text(id, fingerprint), https);
    fflush(stdout);
}

/* --- commands that do not serve --- */

static int validate(const struct conf *conf, struct conf_errors *e)
{
    struct certs *certs = certs_new(conf, true, e);
    bool good = confine_check(conf, e) && acme_check(conf, e) && certs;

    log_flush();
    if (!good) {
        print_errors(e);
        certs_free(certs);
        return 1;
    }
    describe(conf, certs, NULL, say_stdout);
    printf("%s: valid\n", conf->file ? conf->file : "command line");
    certs_free(certs);
    return 0;
}

/* --- signals --- */

static void on_signal(int number)
{
    uint8_t byte = (uint8_t)number;
    int error = errno;
    (void)!write(signal_pipe[1], &byte, 1);
    errno = error;
}

static bool reload(void *ctx, struct conf_errors *e);
static void stop(void *ctx);

static void reload_by_signal(struct program *p)
{
    struct conf_errors *e = conf_errors_new();

    if (!e || !reload(p, e))
        for (unsigned i = 0; e && i < conf_errors_count(e); i++)
            log_error("reload: %s", conf_errors_text(e, i));
    conf_errors_free(e);
}

static void on_signal_byte(struct watch *watch, uint32_t events)
{
    struct program *p = (struct program *)(void *)((char *)watch - offsetof(struct program, signals));
    uint8_t byte;
    (void)events;

    while (read(watch->fd, &byte, 1) == 1) {
        if (byte == SIGHUP)
            reload_by_signal(p);
        else
            stop(p);
    }
}

/* A machine that has no signals never calls the handler: then the admin listener is the way. */
static bool catch_signals(struct program *p)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    if (pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        return false;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    p->signals = (struct watch){.fd = signal_pipe[0], .ready = on_signal_byte};
    return loop_watch(p->loop, &p->signals, EPOLLIN) == 0;
}

/* --- serving --- */

/* A process that runs for months renews what it has signed itself. */
static void on_daily(struct timer *timer)
{
    struct program *p = (struct program *)(void *)((char *)timer - offsetof(struct program, daily));
    const uint64_t day = 24u * 3600u * 1000u;

    if (relay_certs(p->relay) && certs_renew(relay_certs(p->relay)))
        log_info("renewed self-signed certificates");
    (void)timer_set(p->loop, timer, loop_now(p->loop) + day);
}

/* --- certificates from an authority --- */

static bool adopt(void *ctx, unsigned site)
{
    struct program *p = ctx;

    return certs_adopt(relay_certs(p->relay), site);
}

static const struct tls_identity *identity(void *ctx, unsigned site)
{
    struct program *p = ctx;

    return certs_of_site(relay_certs(p->relay), site);
}

static void apply_acme(struct program *p, struct conf *conf)
{
    if (!acme_apply(p->acme, conf))
        log_error("acme: out of memory; no certificate is renewed until the next reload");
}

/* What cannot change in a process that has given up its rights; each names what to do. */
static bool may_reload(const struct conf *now, const struct conf *next, struct conf_errors *e)
{
    const struct conf_place nowhere = {next->file ? next->file : "", 1, 1};
    unsigned before = conf_errors_count(e);

    if ((now->state == NULL) != (next->state == NULL) || (now->state && strcmp(now->state, next->state) != 0))
        conf_error(e, nowhere, "state", "cannot change in a running process; restart it");
    if ((now->acme.uacme == NULL) != (next->acme.uacme == NULL) ||
        (now->acme.uacme && strcmp(now->acme.uacme, next->acme.uacme) != 0))
        conf_error(e, nowhere, "client", "cannot change in a running process; restart it");
    if (strcmp(now->user, next->user) != 0)
        conf_error(e, nowhere, "user", "cannot change in a running process; restart it");
    if (now->confine != next->confine)
        conf_error(e, nowhere, "confine", "cannot change in a running process; restart it");
    return conf_errors_count(e) == before;
}

static bool mentions(const struct conf_errors *e, const char *words)
{
    for (unsigned i = 0; i < conf_errors_count(e); i++)
        if (strstr(conf_errors_text(e, i), words))
            return true;
    return false;
}

/* All of the new configuration or nothing. */
static bool reload(void *ctx, struct conf_errors *e)
{
    struct program *p = ctx;
    struct conf *conf;
    struct certs *certs = NULL;
    bool done = false;

    notify_tell(&p->notify, NOTIFY_RELOADING);
    conf = conf_load(p->options, e);
    if (relay_is_draining(p->relay)) {
        conf_error(e, (struct conf_place){"", 0, 0}, "reload", "the process is stopping");
    } else if (conf && may_reload(relay_conf(p->relay), conf, e) && (certs = certs_new(conf, false, e)) &&
               acme_check(conf, e) && admin_listen(p->admin, conf->admin ? conf->admin : "off", e)) {
        if (relay_certs(p->relay))
            certs_inherit(certs, relay_certs(p->relay));
        done = relay_apply(p->relay, conf, certs, e);
        if (!done)
            (void)admin_listen(p->admin, relay_conf(p->relay)->admin ? relay_conf(p->relay)->admin : "off",
                               e);
    }
    if (done) {
        log_info("reloaded %s", conf->file ? conf->file : "the command line");
        apply_acme(p, conf);
        describe(conf, certs, p->relay, say_log);
    } else {
        certs_free(certs);
    }
    if (!done && relay_conf(p->relay)->confine && mentions(e, "ermission denied"))
        conf_error(e, (struct conf_place){"", 0, 0}, "reload",
                   "a running process reaches only the folders it was started with; others need a restart");
    conf_unref(conf);
    notify_tell(&p->notify, NOTIFY_READY);
    return done;
}

static void stop(void *ctx)
{
    struct program *p = ctx;

    if (relay_is_draining(p->relay))
        return;
    log_info("stopping: waiting for requests in flight");
    notify_tell(&p->notify, NOTIFY_STOPPING);
    relay_drain(p->relay);
}

/* Each client may need two descriptors; what the hard limit allows is ours to use. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* What is on disk was written when the clock was right: it cannot be earlier now. */
static void raise_clock_floor(const struct conf *conf)
{
    struct stat st;

    if (conf->state && stat(conf->state, &st) == 0 && st.st_mtime <= time_wall())
        time_raise_floor(st.st_mtime);
    if (!time_is_sane())
        log_warn(
            "the clock says a time before this program was built: certificates will not be judged by it");
}

/* The control socket stands in it, and what a reload makes. Where it cannot be made, those who need it say so. */
static void make_state_folder(const struct conf *conf)
{
    bool needed = conf->admin && strcmp(conf->admin, "off") != 0;

    for (unsigned i = 0; i < conf->site_count; i++)
        needed |= conf->sites[i].tls == CONF_TLS_ACME;
    if (conf->state && needed)
        (void)file_make_folder(conf->state, 0700);
}

static void say_unused(const struct addr *addr)
{
    char text[ADDR_TEXT];

    log_warn("a socket that listens on %s was handed over, and no listen or listen-http asks for it",
             addr_format(addr, text));
}

static bool start(struct program *p, struct conf *conf, struct conf_errors *e)
{
    const struct conf_place nowhere = {"", 0, 0};
    const struct acme_hooks acme_hooks = {.ctx = p, .uacme = p->uacme, .adopt = adopt, .identity = identity};
    struct certs *certs = certs_new(conf, false, e);

    if (!certs)
        return false;
    p->loop = loop_new();
    p->relay = p->loop ? relay_new(p->loop) : NULL;
    if (p->relay)
        relay_set_inherited(p->relay, &p->inherited);
    if (p->loop && p->uacme && !uacme_watch(p->uacme, p->loop))
        conf_error(e, nowhere, "acme", "uacme: %s", strerror(errno));
    p->acme = p->relay ? acme_new(p->loop, &acme_hooks) : NULL;
    const struct admin_hooks hooks = {p, reload, stop, p->acme};
    p->admin = p->acme ? admin_new(p->loop, p->relay, &hooks) : NULL;
    if (!p->admin || !catch_signals(p)) {
        conf_error(e, nowhere, "start", "%s", strerror(errno));
        certs_free(certs);
        return false;
    }
    if (!acme_check(conf, e) || !relay_apply(p->relay, conf, certs, e)) {
        certs_free(certs);
        return false;
    }
    relay_set_inherited(p->relay, NULL);
    inherited_close(&p->inherited, say_unused);
    make_state_folder(conf);
    relay_set_acme(p->relay, p->acme);
    apply_acme(p, conf);
    return admin_listen(p->admin, conf->admin ? conf->admin : "off", e) && confine(conf, e);
}

/* --- uacme --- */

static bool become_user(const void *conf)
{
    return confine_become_user(conf);
}

/* Before anything is open that uacme must not have. */
static bool fork_uacme(struct program *p, struct conf *conf, struct conf_errors *e)
{
    if (!conf->acme.uacme)
        return true;
    p->uacme = uacme_fork(conf->acme.uacme, become_user, conf);
    if (!p->uacme)
        conf_error(e, (struct conf_place){"", 0, 0}, "client", "uacme cannot be helped: %s", strerror(errno));
    return p->uacme != NULL;
}

static int serve(struct program *p, struct conf *conf, struct conf_errors *e)
{
    int status = 0;

    inherited_find(&p->inherited);
    notify_open(&p->notify);
    raise_descriptor_limit();
    raise_clock_floor(conf);
    if (!fork_uacme(p, conf, e) || !start(p, conf, e)) {
        log_flush();
        print_errors(e);
        return 1;
    }
    if (conf->demo)
        print_banner(conf, p->relay);
    describe(conf, relay_certs(p->relay), p->relay, say_log);
    log_info("proxy %s started, pid %ld", PROXY_VERSION, (long)getpid());
    p->daily.fired = on_daily;
    on_daily(&p->daily);
    notify_tell(&p->notify, NOTIFY_READY);
    while (!relay_is_done(p->relay)) {
        log_flush();
        if (loop_turn(p->loop, -1) < 0) {
            log_error("epoll: %s", strerror(errno));
            status = 1;
            break;
        }
    }
    log_info("stopped");
    return status;
}

static void close_down(struct program *p)
{
    admin_free(p->admin);
    if (p->relay)
        relay_set_acme(p->relay, NULL);
    acme_free(p->acme);
    uacme_free(p->uacme);
    relay_free(p->relay);
    inherited_close(&p->inherited, NULL);
    notify_close(&p->notify);
    if (p->loop) {
        timer_clear(p->loop, &p->daily);
        loop_unwatch(p->loop, &p->signals);
        loop_free(p->loop);
    }
    log_flush();
}

static int run(struct program *p, struct conf_errors *e)
{
    enum conf_command command = conf_options_command(p->options);

    switch (command) {
    case CONF_VERSION: print_version(); return 0;
    case CONF_BENCH_CRYPTO: crypto_bench(stdout); return 0;
    case CONF_HELP: conf_print_help(stdout); return 0;
    case CONF_HELP_CONFIG: conf_print_help_config(stdout); return 0;
    default: break;
    }
    struct conf *conf = conf_load(p->options, e);
    const char *const *words;
    unsigned n;
    int status;
    if (!conf) {
        print_errors(e);
        return 1;
    }
    log_set_level(conf->log_level);
    log_set_json(conf->log_format == CONF_LOG_JSON);
    words = conf_options_words(p->options, &n);
    switch (command) {
    case CONF_VALIDATE: status = validate(conf, e); break;
    case CONF_HEALTH: status = command_health(conf); break;
    case CONF_CHECK: status = command_check(conf, words[0]); break;
    case CONF_ACME: status = command_acme(conf, words, n); break;
    case CONF_KEYGEN: status = command_keygen(conf, words, n); break;
    default: status = serve(p, conf, e);
    }
    close_down(p);
    conf_unref(conf);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {.signals = {.fd = -1}, .notify = {.fd = -1}};
    struct conf_errors *e;
    int status = 2, hook;

    relro_protect();
    if (init_needed())
        init_start();
    e = conf_errors_new();
    hook = uacme_hook(argc, argv);
    if (hook >= 0) {
        conf_errors_free(e);
        return hook;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (!e) {
        fputs("proxy: out of memory\n", stderr);
        return 1;
    }
    program.options = conf_options_parse(argc, argv, e);
    if (program.options)
        status = run(&program, e);
    else
        print_errors(e);
    conf_options_free(program.options);
    conf_errors_free(e);
    return status;
}
