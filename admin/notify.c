/* SPDX-License-Identifier: MIT
 *
 * A connected socket, so that what is confined later needs no path. That nobody listens any more is not our affair.
 */
#include "admin/notify.h"

#include "net/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A path, or @ and a name in Linux's abstract space. */
static bool parse(const char *text, struct addr *out)
{
    size_t n = strlen(text);

    memset(out, 0, sizeof *out);
    if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof out->un.sun_path)
        return false;
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path, text, n + 1);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    if (text[0] == '@') {
        out->un.sun_path[0] = '\0';
        out->len--;
    }
    return true;
}

void notify_open(struct notify *n)
{
    const char *text = getenv("NOTIFY_SOCKET");
    struct addr addr;

    n->fd = -1;
    if (text != NULL && parse(text, &addr)) {
        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (n->fd >= 0 && connect(n->fd, &addr.any, addr.len) < 0)
            notify_close(n);
    }
    (void)unsetenv("NOTIFY_SOCKET");
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

void notify_tell(const struct notify *n, enum notify_state state)
{
    char text[64];
    struct timespec now = {0};

    if (n->fd < 0)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    switch (state) {
    case NOTIFY_READY: snprintf(text, sizeof text, "READY=1"); break;
    case NOTIFY_RELOADING: /* with the time: systemd tells it from an earlier one's by that */
        snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
        break;
    case NOTIFY_STOPPING: snprintf(text, sizeof text, "STOPPING=1"); break;
    }
    (void)!send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}
