/* SPDX-License-Identifier: MIT
 *
 * Two processes and a socket between them. The proxy sends the words of a command line, with NULs between them, behind
 * their length; the first is the folder for the hook, the others are for uacme: what is run is fixed when the helper is
 * forked. It answers with lines: `O` and what uacme said, `E` and how it ended.
 */
#include "acme/uacme.h"

#include "acme/challenges.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX  130u /* options and 100 names */
#define BYTES_MAX  (64u * 1024u)
#define LINE_MAX_  1000u
#define RUN_MAX    600u /* seconds, as for an order of ours: an authority may accept and never answer */
#define HOOK_STATE "PROXY_ACME_STATE" /* says to the hook where the state is, and that it is one */

struct uacme {
    struct loop *loop;
    struct watch watch;
    pid_t pid;
    char line[LINE_MAX_ + 2], said[LINE_MAX_];
    size_t len;
    uacme_done *done;
    void *owner;
    char *self;                       /* this program, which is the hook */
    bool is_busy;                     /* it runs, whether anyone waits for it or not */
    bool is_account;                  /* what runs makes the account: the certificate comes next */
    bool was_made;                    /* the account, in this run */
    struct span account, certificate; /* the words for each, behind their length; ours */
};

/* ---- the helper ---- */

struct helper {
    int socket;
    const char *program;
    bool (*become)(const void *ctx);
    const void *ctx;
};

static bool read_all(int fd, void *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t more = read(fd, (char *)p + got, n - got);

        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

static bool write_all(int fd, const void *p, size_t n)
{
    for (size_t put = 0; put < n;) {
        ssize_t more = write(fd, (const char *)p + put, n - put);

        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return false;
        put += (size_t)more;
    }
    return true;
}

static bool tell(const struct helper *h, char kind, const char *text)
{
    char line[LINE_MAX_ + 4];
    int n = snprintf(line, sizeof line, "%c%.*s\n", kind, (int)LINE_MAX_, text);

    return write_all(h->socket, line, (size_t)n);
}

/* The words of the next run; false when the proxy is gone. */
static bool take_words(const struct helper *h, char *bytes, char *argv[WORDS_MAX + 2])
{
    uint32_t n;
    unsigned words = 0;

    if (!read_all(h->socket, &n, sizeof n) || n == 0 || n > BYTES_MAX || !read_all(h->socket, bytes, n) ||
        bytes[n - 1] != '\0')
        return false;
    for (size_t at = 0; at < n && words <= WORDS_MAX; at += strlen(bytes + at) + 1)
        argv[words++] = bytes + at;
    argv[words] = NULL;
    return true;
}

/* The first word is the hook's: where the proxy looks for what it writes. */
static void become_uacme(const struct helper *h, char **argv, int output)
{
    int null = open("/dev/null", O_RDWR);
    const char *state = argv[0];

    argv[0] = (char *)(uintptr_t)h->program;
    if (null >= 0)
        dup2(null, 0);
    dup2(output, 1);
    dup2(output, 2);
    (void)alarm(RUN_MAX); /* which outlives exec, and ends uacme */
    if (setenv(HOOK_STATE, state, 1) == 0 && h->become(h->ctx))
        execvp(h->program, argv);
    dprintf(2, "%s: %s\n", h->program, strerror(errno));
    _exit(127);
}

/* Its lines as they come. False when the proxy is gone. */
static bool pass_on(const struct helper *h, int from)
{
    FILE *lines = fdopen(from, "r");
    char text[LINE_MAX_];
    bool heard = lines != NULL;

    while (heard && fgets(text, sizeof text, lines) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        heard = text[0] == '\0' || tell(h, 'O', text);
    }
    if (lines != NULL)
        fclose(lines);
    else
        close(from);
    return heard;
}

static bool run(const struct helper *h, char **argv)
{
    char code[32];
    int out[2], status = 0;
    bool heard;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        return tell(h, 'E', "127");
    if (pid == 0)
        become_uacme(h, argv, out[1]);
    close(out[1]);
    heard = pass_on(h, out[0]);
    if (!heard)
        kill(pid, SIGKILL); /* it ignores the signals that we do */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (heard && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        heard = tell(h, 'O', "uacme took longer than ten minutes, and was ended");
    snprintf(code, sizeof code, "%d", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    return heard && tell(h, 'E', code);
}

static void help(const struct helper *h)
{
    char *bytes = mem_alloc(BYTES_MAX), *argv[WORDS_MAX + 2];

    (void)prctl(PR_SET_NAME, "proxy-uacme");
    (void)signal(SIGINT, SIG_IGN); /* the terminal's is for the proxy, whose end is ours */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    while (bytes != NULL && take_words(h, bytes, argv) && run(h, argv))
        ;
    _exit(0);
}

/* The path of this program, while it may still be asked for. */
static char *find_self(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    return n > 0 ? mem_strndup(path, (size_t)n) : NULL;
}

struct uacme *uacme_fork(const char *program, bool (*become)(const void *ctx), const void *ctx)
{
    struct uacme *u = mem_zalloc(sizeof *u);
    int pair[2];

    if (u == NULL || (u->self = find_self()) == NULL ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        if (u != NULL)
            mem_free(u->self);
        mem_free(u);
        return NULL;
    }
    log_flush(); /* or both would write it */
    u->pid = fork();
    if (u->pid == 0) {
        close(pair[0]);
        help(&(struct helper){pair[1], program, become, ctx});
    }
    close(pair[1]);
    u->watch.fd = pair[0];
    if (u->pid > 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0)
        return u;
    close(pair[0]);
    mem_free(u->self);
    mem_free(u);
    return NULL;
}

static void forget_words(struct span *words)
{
    mem_wipe_free(words->p, words->n); /* with the key of an external account */
    *words = (struct span){0};
}

void uacme_free(struct uacme *u)
{
    if (u == NULL)
        return;
    if (u->loop != NULL)
        loop_unwatch(u->loop, &u->watch);
    close(u->watch.fd); /* which ends the helper */
    forget_words(&u->account);
    forget_words(&u->certificate);
    mem_free(u->self);
    mem_free(u);
}

/* ---- the proxy's side ---- */

/* The helper is waiting for it: it fits into the socket's buffer. */
static bool send_words(struct uacme *u, bool is_account)
{
    const struct span *words = is_account ? &u->account : &u->certificate;

    u->is_account = is_account;
    u->was_made = u->was_made || is_account;
    return write(u->watch.fd, words->p, words->n) == (ssize_t)words->n;
}

static void finish(struct uacme *u, enum uacme_end end, const char *said)
{
    uacme_done *done = u->done;

    u->done = NULL;
    if (done != NULL)
        done(u->owner, end, said);
}

/* The key of an account is made before the authority hears of it, and it may be of an account with another one. */
static bool is_without_account(const struct uacme *u)
{
    return !u->was_made && strstr(u->said, "no account associated with ") != NULL;
}

/* The account was made, or the certificate was. */
static void on_end(struct uacme *u, int code)
{
    if (u->is_account && code == 0 && send_words(u, false))
        return;
    if (!u->is_account && code != 0 && is_without_account(u) && send_words(u, true))
        return;
    u->is_busy = false;
    finish(u,
           code == 0   ? UACME_ISSUED
           : code == 1 ? UACME_NOT_DUE
                       : UACME_FAILED,
           u->said[0] != '\0' ? u->said : "uacme failed and did not say why");
}

static void on_line(struct uacme *u, const char *line)
{
    if (line[0] == 'O') {
        log_info("acme: %s", line + 1);
        snprintf(u->said, sizeof u->said, "%s", line + 1);
    } else {
        on_end(u, (int)strtol(line + 1, NULL, 10));
    }
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct uacme *u = (struct uacme *)(void *)((char *)watch - offsetof(struct uacme, watch));
    ssize_t got = read(watch->fd, u->line + u->len, sizeof u->line - 1 - u->len);
    char *end;
    (void)events;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        loop_unwatch(u->loop, watch);
        finish(u, UACME_GONE, "the helper that runs uacme has ended; restart the proxy");
        return;
    }
    u->len += (size_t)got;
    u->line[u->len] = '\0';
    while ((end = memchr(u->line, '\n', u->len)) != NULL) {
        size_t n = (size_t)(end - u->line) + 1;

        *end = '\0';
        on_line(u, u->line);
        memmove(u->line, u->line + n, u->len - n);
        u->len -= n;
    }
    if (u->len == sizeof u->line - 1) /* no helper of ours sends such a line */
        u->len = 0;
}

bool uacme_watch(struct uacme *u, struct loop *loop)
{
    u->loop = loop;
    u->watch.ready = on_ready;
    return loop_watch(loop, &u->watch, EPOLLIN) == 0;
}

static void put_word(struct writer *w, const char *word)
{
    writer_put(w, word, strlen(word) + 1);
}

/* What both runs begin with; the hook's word comes first, the helper relies on it. */
static void put_options(struct writer *w, const struct uacme_request *rq, const char *self)
{
    char eab[1024];

    put_word(w, rq->answers);
    put_word(w, "-c");
    put_word(w, rq->state);
    put_word(w, "-a");
    put_word(w, rq->directory);
    put_word(w, "-h");
    put_word(w, self);
    put_word(w, "-y");
    put_word(w, "-t");
    put_word(w, "EC");
    if (rq->acme->account_id != NULL) {
        snprintf(eab, sizeof eab, "%s:%s", rq->acme->account_id, rq->acme->hmac_key);
        put_word(w, "-e");
        put_word(w, eab);
        mem_wipe(eab, sizeof eab);
    }
}

static void put_account(struct writer *w, const struct uacme_request *rq, const char *self)
{
    put_options(w, rq, self);
    put_word(w, "new");
    if (rq->acme->email != NULL)
        put_word(w, rq->acme->email);
}

/* When is ours to say: -f. */
static void put_certificate(struct writer *w, const struct uacme_request *rq, const char *self)
{
    put_options(w, rq, self);
    put_word(w, "-f");
    put_word(w, "-o"); /* whether what is there was revoked is not asked */
    put_word(w, "issue");
    for (unsigned i = 0; i < rq->n; i++)
        put_word(w, rq->names[i]);
}

/* The words behind their length, in place of those before. False when out of memory. */
static bool take_words_of(struct span *words, const struct uacme_request *rq, const char *self,
                          void (*put)(struct writer *w, const struct uacme_request *rq, const char *self))
{
    uint8_t *scratch = mem_alloc(BYTES_MAX);
    struct writer w = writer_of(scratch, BYTES_MAX);
    uint32_t len = 0;

    forget_words(words);
    if (scratch == NULL)
        return false;
    writer_put(&w, &len, sizeof len);
    put(&w, rq, self);
    len = (uint32_t)(writer_len(&w) - sizeof len);
    if (!w.failed && (words->p = mem_alloc(writer_len(&w))) != NULL) {
        words->n = writer_len(&w);
        memcpy(words->p, scratch, words->n);
        memcpy(words->p, &len, sizeof len);
    }
    mem_wipe_free(scratch, writer_len(&w));
    return words->p != NULL;
}

static bool has_account(const char *state)
{
    char path[PATH_MAX];
    struct stat st;

    return snprintf(path, sizeof path, "%s/private/key.pem", state) < (int)sizeof path &&
           stat(path, &st) == 0;
}

bool uacme_run(struct uacme *u, const struct uacme_request *rq, uacme_done *done, void *owner)
{
    if (u->is_busy || !take_words_of(&u->account, rq, u->self, put_account) ||
        !take_words_of(&u->certificate, rq, u->self, put_certificate))
        return false;
    u->said[0] = '\0';
    u->was_made = false;
    if (!send_words(u, !has_account(rq->state)))
        return false;
    u->is_busy = true;
    u->done = done;
    u->owner = owner;
    return true;
}

void uacme_cancel(struct uacme *u)
{
    u->done = NULL;
}

/* ---- the hook ---- */

/* begin|done|failed TYPE IDENT TOKEN AUTH: status 0 accepts the challenge, 1 asks for another type's. */
int uacme_hook(int argc, char *const *argv)
{
    const char *state = getenv(HOOK_STATE);
    char path[PATH_MAX];
    struct bytes token;
    int error;

    if (state == NULL || argc != 6)
        return -1;
    token = bytes_str(argv[4]);
    if (strcmp(argv[2], "http-01") != 0 || !challenge_token_is_good(token))
        return 1;
    if (snprintf(path, sizeof path, "%s/challenge", state) >= (int)sizeof path)
        return 2;
    if (strcmp(argv[1], "begin") == 0) {
        error = state_write(path, argv[4], 0644, bytes_str(argv[5]));
        if (error != 0)
            fprintf(stderr, "%s: %s\n", path, strerror(error));
        return error != 0 ? 2 : 0;
    }
    if (strcmp(argv[1], "done") != 0 && strcmp(argv[1], "failed") != 0)
        return 2;
    if (snprintf(path, sizeof path, "%s/challenge/%s", state, argv[4]) < (int)sizeof path)
        (void)unlink(path);
    return 0;
}
