/* SPDX-License-Identifier: MIT
 *
 * A connection: a socket, optional TLS over it, and the one pump that moves bytes between them and the owner.
 * What it waits for in epoll is derived from its buffers and from what the owner wants, at one place; no caller
 * ever sets it. Backpressure is that same rule: an owner that wants no input is not read for (but for a little,
 * so that its peer's end is noticed), and lend gives nothing while too much waits to be sent.
 *
 * Every verb only queues; the pump runs once after the current event handler, so what one turn has written leaves
 * in one write. A conn ends by calling `closed`, once, as the last thing; it frees itself after that.
 */
#ifndef CONN_CONN_H
#define CONN_CONN_H

#include "base/bytes.h"
#include "net/loop.h"
#include "tls/tls.h"

struct conn;

enum conn_reason {
    CONN_ENDED,      /* we closed it, all was sent */
    CONN_RESET,      /* we gave it up */
    CONN_PEER_RESET, /* ECONNRESET, EPIPE */
    CONN_FAILED,     /* another errno; a connect that failed */
    CONN_TLS,        /* conn_end.tls says why */
    CONN_MEMORY,
};

struct conn_end {
    enum conn_reason reason;
    int error; /* errno with CONN_FAILED and CONN_PEER_RESET */
    struct tls_failure tls;
    bool opened; /* it had been open before */
};

/* Calls to the owner, each from the pump. Any verb may be used in them. */
struct conn_handler {
    /* Connected, and the TLS handshake is done. Not called for an accepted plain connection. */
    void (*opened)(void *owner);
    /* Would input be taken now? Pure. */
    bool (*wants_input)(const void *owner);
    /* Input, decrypted. Returns how many bytes were taken; the rest is offered again after conn_resume. */
    size_t (*input)(void *owner, const uint8_t *p, size_t n);
    /* Optional, for connections without TLS: where the next bytes may be read directly. {NULL, 0}: by input. */
    struct span (*room)(void *owner);
    void (*filled)(void *owner, size_t n);
    /* The peer sends no more. clean: TCP's FIN without TLS, or close_notify with it. All input came before. A TLS 1.3
     * peer may go on reading after its close_notify (RFC 8446 §6.1; conn_is_half_closed); when its FIN follows, this
     * is called once more. */
    void (*eof)(void *owner, bool clean);
    /* Bytes have left after lend had given none: there is room again. */
    void (*writable)(void *owner);
    void (*closed)(void *owner, const struct conn_end *end);
    /* Sent in the clear before closing when the first bytes on a TLS connection are an HTTP request; or NULL. */
    const char *plain_http_reply;
    /* conn_close gives what is queued so long, in ms, and again as long as it gets on at 240 bytes a second. 0: 30 s;
     * UINT32_MAX: the owner sees to it. */
    uint32_t flush_ms;
};

/* Takes over fd (closed at the end) and tls (NULL: none; freed at the end). connecting: socket_connect has begun.
 * NULL when out of memory: fd and tls are closed then too. */
struct conn *conn_new(struct loop *loop, int fd, struct tls *tls, bool connecting,
                      const struct conn_handler *handler, void *owner);

/* Room to write in, of at least min(want, 512) bytes; {NULL, 0}: too much is waiting, `writable` follows. */
struct span conn_lend(struct conn *c, size_t want);
void conn_commit(struct conn *c, size_t n);
/* Queues a copy, whatever is waiting already. False when out of memory or no longer open. */
bool conn_put(struct conn *c, const void *p, size_t n);
/* The owner may want input again, or something else that the pump derives from has changed. */
void conn_resume(struct conn *c);

/* Sends what is queued, close_notify and FIN, waits a little for the peer's end (so that no reset takes away what
 * it has not read yet, RFC 9112 §9.6), then `closed`. No input any more. */
void conn_close(struct conn *c);
/* Ends it at once so that the peer can tell: no close_notify, a TCP reset; then `closed` after this event. */
void conn_reset(struct conn *c);

/* Open, nothing waits, and the kernel has neither bytes nor the peer's end for us: one system call. */
bool conn_is_quiet(const struct conn *c);
struct tls *conn_tls(const struct conn *c); /* NULL: none */
/* The peer has sent close_notify and no FIN, and bytes can still be sent to it. */
bool conn_is_half_closed(const struct conn *c);
/* What is left to be sent leaves, or the peer's end is waited for; it has a time of its own for that. */
bool conn_is_ending(const struct conn *c);
bool conn_is_open(const struct conn *c);  /* connected, handshake done, not being closed */
size_t conn_unsent(const struct conn *c); /* bytes that wait to be written */
/* Wire bytes so far: progress, for timeouts. */
uint64_t conn_bytes_in(const struct conn *c);
uint64_t conn_bytes_out(const struct conn *c);
/* Of those out, how many the peer has: what the kernel still holds is not counted. One system call. */
uint64_t conn_bytes_acknowledged(const struct conn *c);

#endif
