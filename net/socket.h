/* SPDX-License-Identifier: MIT
 *
 * Non-blocking stream sockets, under the rules that a unikernel sets: no EPOLLRDHUP, no MSG_DONTWAIT, no
 * flags trusted on accept4, setsockopt as a wish. SIGPIPE is ignored by main(), since sendmsg with
 * MSG_NOSIGNAL is not to be had everywhere.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/addr.h"

#include <sys/uio.h>

/* Results of socket_read and socket_writev besides a count. */
enum { SOCKET_AGAIN = -1, SOCKET_ERROR = -2 }; /* with errno */

/* A listening socket; -1 with errno. REUSEADDR set; a Unix socket's stale file is replaced if nobody answers
 * on it. [::] is dual-stack; where there is no IPv6 at all it becomes 0.0.0.0. */
int socket_listen(const struct addr *a, int backlog);
/* A connected socket and its peer; SOCKET_AGAIN when none waits, SOCKET_ERROR with errno (EMFILE, ENFILE,
 * ...). */
int socket_accept(int fd, struct addr *peer);
/* Starts to connect: the descriptor, or -1 with errno. Done when it is writable and socket_error gives 0. */
int socket_connect(const struct addr *a);
int socket_error(int fd); /* SO_ERROR: 0 or an errno */

/* > 0 bytes, 0 at the end of the stream, SOCKET_AGAIN, SOCKET_ERROR. EINTR is retried. */
ssize_t socket_read(int fd, struct span into);
ssize_t socket_readv(int fd, const struct iovec *iov, int n);
ssize_t socket_writev(int fd, const struct iovec *iov, int n);
/* Bytes written that the peer has not acknowledged; 0 where the kernel does not tell. */
size_t socket_unacknowledged(int fd);
/* The kernel holds no byte, no end and no error of this stream: a look that takes nothing. */
bool socket_is_quiet(int fd);
void socket_shutdown_write(int fd);
void socket_close(int fd);
void socket_reset(int fd); /* close with RST, so that the peer cannot take it for a clean end */

/* The calls that a library makes which brings its own protocol and not its own sockets (c-ares), as the
 * system's: -1 with errno. socket_open's descriptor is non-blocking and closed on exec; type is SOCK_DGRAM or
 * SOCK_STREAM. */
int socket_open(int family, int type);
int socket_connect_fd(int fd, const struct sockaddr *to, socklen_t len);
ssize_t socket_receive_from(int fd, struct span into, struct sockaddr *from, socklen_t *len);
ssize_t socket_send(int fd, const struct iovec *iov, int n);

/* What a failed connect or listen means in words for the log: "connection refused", "no route to host". */
const char *socket_reason(int error);
/* "proxy (pid 123)" of who listens on the port, where /proc tells; false else. */
bool socket_holder(const struct addr *a, char *out, size_t cap);

#endif
