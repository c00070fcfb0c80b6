/* SPDX-License-Identifier: MIT
 *
 * Every system call on a socket. What a small kernel does differently is met here, so that no one above need
 * know: O_NONBLOCK is set with fcntl whatever the flags of socket and accept4 promised, options are wishes,
 * an address comes back in the form of net/addr.h. Each function either gives a descriptor that is wholly set
 * up, or none.
 */
#include "net/socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How many connections that died in the queue are passed over in one socket_accept. */
enum { ACCEPT_TRIES = 16 };

static void close_keeping_errno(int fd)
{
    int error = errno;

    close(fd);
    errno = error;
}

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

/* Not by F_GETFL and F_SETFL: a new descriptor has no other flag to keep. */
static bool set_up(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int socket_open(int family, int type)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && !set_up(fd)) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

/* ---- listening ---- */

/* A socket file that nobody listens on any more, left by a process that was killed. */
static bool is_stale(const struct addr *a)
{
    struct stat st;
    int fd, error = 0;

    if (lstat(a->un.sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode))
        return false;
    fd = socket_open(AF_UNIX, SOCK_STREAM);
    if (fd < 0)
        return false;
    if (connect(fd, &a->any, a->len) != 0)
        error = errno;
    close(fd);
    return error == ECONNREFUSED;
}

static int bind_to(int fd, const struct addr *a)
{
    if (bind(fd, &a->any, a->len) == 0)
        return 0;
    if (a->any.sa_family != AF_UNIX || errno != EADDRINUSE)
        return -1;
    if (!is_stale(a) || (unlink(a->un.sun_path) != 0 && errno != ENOENT)) {
        errno = EADDRINUSE;
        return -1;
    }
    return bind(fd, &a->any, a->len);
}

static bool is_any_v6(const struct addr *a)
{
    return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

int socket_listen(const struct addr *a, int backlog)
{
    struct addr any;
    int fd = socket_open(a->any.sa_family, SOCK_STREAM);

    if (fd < 0 && is_any_v6(a) && errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS) {
        if (!addr_from_ip(&any, bytes_str("0.0.0.0"), addr_port(a)))
            return -1;
        a = &any;
        fd = socket_open(AF_INET, SOCK_STREAM);
    }
    if (fd < 0)
        return -1;
    if (a->any.sa_family != AF_UNIX)
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (a->any.sa_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_any_v6(a) ? 0 : 1);
    if (bind_to(fd, a) != 0 || listen(fd, backlog) != 0) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

/* The connection was gone before it was taken, or the network had an error of its own waiting on it
 * (accept(2) lists them): the next one may be fine. */
static bool accept_again(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH: return true;
    default: return false;
    }
}

int socket_accept(int fd, struct addr *peer)
{
    for (int tries = 0; tries < ACCEPT_TRIES; tries++) {
        int conn;

        memset(peer, 0, sizeof *peer);
        peer->len = offsetof(struct addr, len);
        conn = accept4(fd, &peer->any, &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (conn >= 0) {
            if (!set_up(conn)) {
                close_keeping_errno(conn);
                return SOCKET_ERROR;
            }
            if (peer->len > offsetof(struct addr, len))
                peer->len = offsetof(struct addr, len); /* cut off, and said so */
            if (peer->any.sa_family != AF_UNIX)
                set_option(conn, IPPROTO_TCP, TCP_NODELAY, 1);
            addr_normalise(peer);
            return conn;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return SOCKET_AGAIN;
        if (!accept_again(errno))
            return SOCKET_ERROR;
    }
    return SOCKET_AGAIN; /* level-triggered: the rest is reported again */
}

/* ---- connecting ---- */

int socket_connect_fd(int fd, const struct sockaddr *to, socklen_t len)
{
    return connect(fd, to, len);
}

int socket_connect(const struct addr *a)
{
    int fd = socket_open(a->any.sa_family, SOCK_STREAM);

    if (fd < 0)
        return -1;
    if (a->any.sa_family != AF_UNIX)
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    /* Interrupted, it goes on by itself (POSIX). EAGAIN is a failure: a Unix socket's queue is full. */
    if (socket_connect_fd(fd, &a->any, a->len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    return error;
}

/* ---- bytes ---- */

static ssize_t outcome(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? SOCKET_AGAIN : SOCKET_ERROR;
}

ssize_t socket_read(int fd, struct span into)
{
    ssize_t n;

    assert(into.n > 0); /* 0 would read as the end */
    do                  /* cheaper than read and write, which look first at what kind of file it is */
        n = recv(fd, into.p, into.n, 0);
    while (n < 0 && errno == EINTR);
    return outcome(n);
}

ssize_t socket_readv(int fd, const struct iovec *iov, int count)
{
    ssize_t n;

    do
        n = readv(fd, iov, count);
    while (n < 0 && errno == EINTR);
    return outcome(n);
}

ssize_t socket_writev(int fd, const struct iovec *iov, int count)
{
    ssize_t n;

    do /* one run is the common case, and cheaper without the vector */
        n = count == 1 ? send(fd, iov->iov_base, iov->iov_len, 0) : writev(fd, iov, count);
    while (n < 0 && errno == EINTR);
    return n == 0 ? SOCKET_AGAIN : outcome(n);
}

ssize_t socket_receive_from(int fd, struct span into, struct sockaddr *from, socklen_t *len)
{
    ssize_t n;

    do
        n = recvfrom(fd, into.p, into.n, 0, from, len);
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t socket_send(int fd, const struct iovec *iov, int count)
{
    ssize_t n;

    do
        n = writev(fd, iov, count);
    while (n < 0 && errno == EINTR);
    return n;
}

/* ---- ending ---- */

size_t socket_unacknowledged(int fd)
{
    int n = 0;
    return ioctl(fd, TIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

bool socket_is_quiet(int fd)
{
    uint8_t byte;
    return recv(fd, &byte, 1, MSG_PEEK) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void socket_shutdown_write(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void socket_close(int fd)
{
    close(fd);
}

void socket_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

const char *socket_reason(int error)
{
    static const struct {
        int error;
        const char *text;
    } reasons[] = {
        {ECONNREFUSED,  "connection refused"               },
        {ECONNRESET,    "connection reset"                 },
        {ECONNABORTED,  "connection aborted"               },
        {ETIMEDOUT,     "connection timed out"             },
        {EHOSTUNREACH,  "no route to host"                 },
        {ENETUNREACH,   "network unreachable"              },
        {ENETDOWN,      "network is down"                  },
        {EHOSTDOWN,     "host is down"                     },
        {EADDRINUSE,    "address already in use"           },
        {EADDRNOTAVAIL, "no such address on this machine"  },
        {EAFNOSUPPORT,  "address family not supported"     },
        {EACCES,        "permission denied"                },
        {EPERM,         "not permitted"                    },
        {EPIPE,         "closed by the peer"               },
        {EMFILE,        "too many open files"              },
        {ENFILE,        "too many open files in the system"},
        {ENOMEM,        "out of memory"                    },
        {ENOBUFS,       "out of buffer space"              },
        {ENOENT,        "no such socket file"              },
        {ENOTDIR,       "no such socket file"              },
        {ENOTSOCK,      "not a socket"                     },
        {EAGAIN,        "its queue is full"                },
        {EPROTO,        "protocol error"                   },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].error == error)
            return reasons[i].text;
    return strerror(error);
}
