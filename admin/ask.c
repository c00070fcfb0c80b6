/* SPDX-License-Identifier: MIT
 *
 * The other end of the admin socket, for the command line. It blocks: there is nothing else to do meanwhile.
 */
#include "admin/admin.h"

#include "base/time.h"
#include "net/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 5000u

static bool wait_for(int fd, short events, uint64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    uint64_t now = time_mono_ms();
    return now < deadline && poll(&p, 1, (int)(deadline - now)) > 0;
}

static int connect_to(const char *address, uint64_t deadline)
{
    struct addr addr;
    const char *colon = strrchr(address, ':');
    bool known = strncmp(address, "unix:", 5) == 0
                     ? addr_from_unix(&addr, bytes_str(address + 5))
                     : colon && addr_from_ip(&addr, bytes_of(address, (size_t)(colon - address)),
                                             (uint16_t)strtoul(colon + 1, NULL, 10));
    if (!known) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket_connect(&addr);
    if (fd < 0)
        return -1;
    int error = wait_for(fd, POLLOUT, deadline) ? socket_error(fd) : ETIMEDOUT;
    if (error) {
        socket_close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

enum admin_answer admin_ask(const char *address, const char *request, char *answer, size_t cap)
{
    uint64_t deadline = time_mono_ms() + PATIENCE_MS;
    size_t len = 0;
    bool is_line = strncmp(request, "GET ", 4) != 0;
    int fd = connect_to(address, deadline);

    if (fd < 0) {
        bool is_nobody = errno == ENOENT || errno == ECONNREFUSED;

        snprintf(answer, cap, "cannot reach %s: %s; is it running?", address, socket_reason(errno));
        return is_nobody ? ADMIN_NOBODY : ADMIN_FAILED;
    }
    struct iovec iov = {(void *)(uintptr_t)request, strlen(request)};
    if (socket_writev(fd, &iov, 1) == (ssize_t)iov.iov_len) {
        while (len + 1 < cap && wait_for(fd, POLLIN, deadline)) {
            ssize_t got = socket_read(fd, (struct span){(uint8_t *)answer + len, cap - 1 - len});
            if (got <= 0 && got != SOCKET_AGAIN)
                break;
            len += got > 0 ? (size_t)got : 0;
            if (is_line && len > 0 && answer[len - 1] == '\n')
                break;
        }
    }
    socket_close(fd);
    answer[len] = 0;
    if (!len)
        snprintf(answer, cap, "no answer from %s", address);
    return len ? ADMIN_ANSWERED : ADMIN_FAILED;
}
