/* SPDX-License-Identifier: MIT
 *
 * The protocol has three variables and a first descriptor. The names that LISTEN_FDNAMES gives are not needed: the
 * address says which socket is for what.
 */
#include "net/inherit.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 3

static uint64_t number(const char *name, uint64_t max)
{
    const char *text = getenv(name);
    uint64_t value;

    return text != NULL && text_u64(bytes_str(text), max, &value) ? value : 0;
}

static bool is_listener(int fd, struct addr *addr)
{
    int listens = 0, type = 0;
    socklen_t n = sizeof listens, m = sizeof type;

    memset(addr, 0, sizeof *addr);
    addr->len = offsetof(struct addr, len);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && listens != 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM &&
           getsockname(fd, &addr->any, &addr->len) == 0 && addr->len <= offsetof(struct addr, len) &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

void inherited_find(struct inherited *in)
{
    uint64_t n =
        number("LISTEN_PID", UINT32_MAX) == (uint64_t)getpid() ? number("LISTEN_FDS", INHERITED_MAX) : 0;

    in->n = 0;
    for (int fd = FIRST; fd < FIRST + (int)n; fd++) {
        if (is_listener(fd, &in->sockets[in->n].addr))
            in->sockets[in->n++].fd = fd;
        else
            (void)close(fd);
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

int inherited_take(struct inherited *in, const struct addr *addr)
{
    for (unsigned i = 0; i < in->n; i++) {
        const struct addr *a = &in->sockets[i].addr;
        int fd = in->sockets[i].fd;

        if (fd >= 0 && (addr_equal(a, addr) ||
                        (addr_is_any(a) && addr_is_any(addr) && addr_port(a) == addr_port(addr)))) {
            in->sockets[i].fd = -1;
            return fd;
        }
    }
    return -1;
}

void inherited_close(struct inherited *in, void (*unused)(const struct addr *addr))
{
    for (unsigned i = 0; i < in->n; i++)
        if (in->sockets[i].fd >= 0) {
            if (unused != NULL)
                unused(&in->sockets[i].addr);
            (void)close(in->sockets[i].fd);
        }
    in->n = 0;
}
