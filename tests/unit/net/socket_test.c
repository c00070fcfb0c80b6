/* SPDX-License-Identifier: MIT
 *
 * Sockets on loopback and in a folder of their own.
 */
#include "tests/unit/test.h"

#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct addr loopback(const char *ip, uint16_t port)
{
    struct addr a;

    CHECK(addr_from_ip(&a, bytes_str(ip), port));
    return a;
}

static bool wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, 10000) == 1;
}

/* Listens on a free port and says where. */
static int listen_at(const char *ip, struct addr *a)
{
    int fd;

    *a = loopback(ip, 0);
    fd = socket_listen(a, 16);
    if (CHECK(fd >= 0)) {
        a->len = offsetof(struct addr, len);
        CHECK_EQ(getsockname(fd, &a->any, &a->len), 0);
    }
    return fd;
}

static bool is_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static int accept_one(int listener, struct addr *peer)
{
    CHECK(wait_for(listener, POLLIN));
    return socket_accept(listener, peer);
}

static void pass_bytes(int client, int server)
{
    uint8_t buffer[32];
    struct iovec out[2] = {
        {.iov_base = "hello ", .iov_len = 6},
        {.iov_base = "there",  .iov_len = 5}
    };
    struct iovec in[2] = {
        {.iov_base = buffer,     .iov_len = 3 },
        {.iov_base = buffer + 3, .iov_len = 29}
    };

    CHECK_EQ(socket_read(server, (struct span){buffer, sizeof buffer}), SOCKET_AGAIN);
    CHECK_EQ(socket_readv(server, in, 2), SOCKET_AGAIN);
    CHECK_EQ(socket_writev(client, out, 2), 11);
    CHECK(wait_for(server, POLLIN));
    CHECK_EQ(socket_readv(server, in, 2), 11);
    CHECK_MEM(buffer, 11, "hello there", 11);
    CHECK_EQ(socket_writev(server, out, 1), 6);
    CHECK(wait_for(client, POLLIN));
    CHECK_EQ(socket_read(client, (struct span){buffer, 3}), 3);
    CHECK_EQ(socket_read(client, (struct span){buffer, 32}), 3);
    socket_shutdown_write(client);
    CHECK(wait_for(server, POLLIN));
    CHECK_EQ(socket_read(server, (struct span){buffer, 32}), 0);
}

static void round_trip(const char *ip)
{
    struct addr at, peer, own = {.len = offsetof(struct addr, len)};
    int listener = listen_at(ip, &at), client, server, nodelay = 0;
    socklen_t len = sizeof nodelay;
    char text[ADDR_TEXT];

    CHECK(is_nonblocking(listener));
    CHECK_EQ(socket_accept(listener, &peer), SOCKET_AGAIN);
    client = socket_connect(&at);
    CHECK(client >= 0 && is_nonblocking(client));
    CHECK(wait_for(client, POLLOUT));
    CHECK_EQ(socket_error(client), 0);
    server = accept_one(listener, &peer);
    CHECK(server >= 0 && is_nonblocking(server));
    CHECK_EQ(getsockname(client, &own.any, &own.len), 0);
    CHECK(addr_equal(&own, &peer));
    CHECK_STR(addr_format_ip(&peer, text), ip);
    CHECK(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len) == 0 && nodelay != 0);
    CHECK(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len) == 0 && nodelay != 0);
    pass_bytes(client, server);
    socket_close(client);
    socket_close(server);
    socket_close(listener);
}

TEST(tcp_v4)
{
    round_trip("127.0.0.1");
}

static bool has_v6(void)
{
    struct addr a = loopback("::1", 0);
    int fd = socket_open(AF_INET6, SOCK_STREAM);
    bool there = fd >= 0 && bind(fd, &a.any, a.len) == 0;

    if (fd >= 0)
        close(fd);
    return there;
}

TEST(tcp_v6)
{
    if (has_v6())
        round_trip("::1");
}

TEST(any_v6_takes_v4_too)
{
    struct addr at, peer;
    int listener = listen_at("::", &at), client, server;
    char text[ADDR_TEXT];

    at = loopback("127.0.0.1", addr_port(&at));
    client = socket_connect(&at);
    CHECK(client >= 0);
    server = accept_one(listener, &peer);
    CHECK(server >= 0);
    CHECK_EQ(peer.any.sa_family, AF_INET); /* not v4-mapped */
    CHECK_STR(addr_format_ip(&peer, text), "127.0.0.1");
    socket_close(client);
    socket_close(server);
    socket_close(listener);
}

TEST(refused)
{
    struct addr at;
    int listener = listen_at("127.0.0.1", &at), fd;

    socket_close(listener);
    fd = socket_connect(&at);
    if (fd < 0) {
        CHECK_EQ(errno, ECONNREFUSED);
        return;
    }
    CHECK(wait_for(fd, POLLOUT));
    CHECK_STR(socket_reason(socket_error(fd)), "connection refused");
    socket_close(fd);
}

/* As the kernel has it: an emulator is the program then. */
static bool own_name(char *name, size_t size)
{
    FILE *f = fopen("/proc/self/comm", "r");
    bool read = f != NULL && fgets(name, (int)size, f) != NULL;

    if (read)
        name[strcspn(name, "\n")] = 0;
    if (f != NULL)
        fclose(f);
    return read;
}

TEST(port_in_use)
{
    struct addr at;
    int listener = listen_at("127.0.0.1", &at), second = socket_listen(&at, 1);
    char holder[64], want[32], name[32];

    CHECK_EQ(second, -1);
    CHECK_STR(socket_reason(errno), "address already in use");
    snprintf(want, sizeof want, "(pid %d)", (int)getpid());
    if (access("/proc/net/tcp", R_OK) == 0) {
        CHECK(socket_holder(&at, holder, sizeof holder));
        CHECK(strstr(holder, want) != NULL);
        CHECK(own_name(name, sizeof name) && strncmp(holder, name, strlen(name)) == 0);
        at = loopback("0.0.0.0", addr_port(&at)); /* stands in the way of that as well */
        CHECK(socket_holder(&at, holder, sizeof holder));
        at = loopback("127.0.0.2", addr_port(&at)); /* and not of this */
        CHECK(!socket_holder(&at, holder, sizeof holder));
        at = loopback("127.0.0.1", addr_port(&at));
        CHECK(socket_holder(&at, holder, 8)); /* cut, not overrun */
        CHECK_EQ(strlen(holder), 7);
    }
    socket_close(listener);
    CHECK(!socket_holder(&at, holder, sizeof holder));
}

TEST(reset_is_no_clean_end)
{
    struct addr at, peer;
    int listener = listen_at("127.0.0.1", &at), client = socket_connect(&at), server;
    uint8_t byte;

    server = accept_one(listener, &peer);
    socket_reset(client);
    CHECK(wait_for(server, POLLIN));
    CHECK_EQ(socket_read(server, (struct span){&byte, 1}), SOCKET_ERROR);
    CHECK_EQ(errno, ECONNRESET);
    socket_close(server);
    socket_close(listener);
}

TEST(a_full_pipe_says_again)
{
    struct addr at, peer;
    int listener = listen_at("127.0.0.1", &at), client = socket_connect(&at), server;
    static uint8_t block[65536];
    struct iovec iov = {.iov_base = block, .iov_len = sizeof block};
    ssize_t n;

    server = accept_one(listener, &peer);
    do
        n = socket_writev(client, &iov, 1);
    while (n > 0);
    CHECK_EQ(n, SOCKET_AGAIN);
    socket_reset(server);
    CHECK(wait_for(client, POLLIN));
    signal(SIGPIPE, SIG_IGN);
    CHECK_EQ(socket_writev(client, &iov, 1), SOCKET_ERROR);
    socket_close(client);
    socket_close(listener);
}

TEST(died_in_the_queue)
{
    struct addr at, peer;
    int listener = listen_at("127.0.0.1", &at), gone = socket_connect(&at), client, server;

    CHECK(wait_for(listener, POLLIN));
    socket_reset(gone);
    client = socket_connect(&at);
    CHECK(client >= 0);
    do
        server = socket_accept(listener, &peer);
    while (server == SOCKET_AGAIN && wait_for(listener, POLLIN));
    CHECK(server >= 0);
    socket_close(server);
    socket_close(client);
    socket_close(listener);
}

TEST(descriptors_ran_out)
{
    struct addr at, peer;
    int listener = listen_at("127.0.0.1", &at), client = socket_connect(&at), all[1024], n = 0;

    CHECK(wait_for(listener, POLLIN));
    while (n < 1024 && (all[n] = dup(listener)) >= 0)
        n++;
    if (n < 1024) { /* else the limit is too far away to reach */
        CHECK_EQ(socket_accept(listener, &peer), SOCKET_ERROR);
        CHECK(errno == EMFILE || errno == ENFILE);
        CHECK_EQ(socket_listen(&at, 1), -1);
        CHECK(errno == EMFILE || errno == ENFILE);
        CHECK_EQ(socket_connect(&at), -1);
    }
    while (n > 0)
        close(all[--n]);
    n = socket_accept(listener, &peer);
    CHECK(n >= 0);
    socket_close(n);
    socket_close(client);
    socket_close(listener);
}

/* ---- Unix sockets ---- */

static char folder[64];

static struct addr in_folder(const char *name)
{
    char path[100];
    struct addr a;

    if (folder[0] == 0) {
        snprintf(folder, sizeof folder, "/tmp/socket_test.XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(addr_from_unix(&a, bytes_str(path)));
    return a;
}

static void clean_up(const struct addr *a)
{
    unlink(a->un.sun_path);
    rmdir(folder);
    folder[0] = 0;
}

TEST(unix_round_trip)
{
    struct addr at = in_folder("a.sock"), peer;
    int listener = socket_listen(&at, 4), client = socket_connect(&at), server;
    char holder[64], text[ADDR_TEXT];

    CHECK(listener >= 0 && client >= 0);
    server = accept_one(listener, &peer);
    CHECK(server >= 0);
    CHECK_STR(addr_format(&peer, text), "unix:");
    pass_bytes(client, server);
    if (access("/proc/net/unix", R_OK) == 0)
        CHECK(socket_holder(&at, holder, sizeof holder));
    socket_close(client);
    socket_close(server);

    /* Somebody answers: it stays his. */
    CHECK_EQ(socket_listen(&at, 4), -1);
    CHECK_EQ(errno, EADDRINUSE);
    CHECK_EQ(access(at.un.sun_path, F_OK), 0);

    /* Nobody does any more: it is replaced. */
    socket_close(listener);
    client = socket_connect(&at);
    CHECK_EQ(client, -1);
    CHECK_STR(socket_reason(errno), "connection refused");
    listener = socket_listen(&at, 4);
    CHECK(listener >= 0);
    client = socket_connect(&at);
    CHECK(client >= 0);
    socket_close(client);
    socket_close(listener);
    clean_up(&at);
}

TEST(unix_full_queue_is_not_stale)
{
    struct addr at = in_folder("b.sock");
    int listener = socket_listen(&at, 0), clients[64], n = 0;

    while (n < 64 && (clients[n] = socket_connect(&at)) >= 0)
        n++;
    CHECK(n < 64);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(socket_listen(&at, 1), -1);
    CHECK_EQ(errno, EADDRINUSE);
    CHECK_EQ(access(at.un.sun_path, F_OK), 0);
    while (n > 0)
        socket_close(clients[--n]);
    socket_close(listener);
    clean_up(&at);
}

TEST(unix_leaves_other_files_alone)
{
    struct addr at = in_folder("c.sock");
    int fd = open(at.un.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    struct stat st;

    close(fd);
    CHECK_EQ(socket_listen(&at, 1), -1);
    CHECK_EQ(errno, EADDRINUSE);
    CHECK(stat(at.un.sun_path, &st) == 0 && S_ISREG(st.st_mode));
    unlink(at.un.sun_path);
    CHECK_EQ(socket_connect(&at), -1);
    CHECK_STR(socket_reason(errno), "no such socket file");
    clean_up(&at);
}

TEST(reasons)
{
    CHECK_STR(socket_reason(EHOSTUNREACH), "no route to host");
    CHECK_STR(socket_reason(ETIMEDOUT), "connection timed out");
    CHECK(strlen(socket_reason(12345)) > 0);
    CHECK(socket_error(-1) == EBADF);
}

TEST_MAIN(RUN(tcp_v4), RUN(tcp_v6), RUN(any_v6_takes_v4_too), RUN(refused), RUN(port_in_use),
          RUN(reset_is_no_clean_end), RUN(a_full_pipe_says_again), RUN(died_in_the_queue),
          RUN(descriptors_ran_out), RUN(unix_round_trip), RUN(unix_full_queue_is_not_stale),
          RUN(unix_leaves_other_files_alone), RUN(reasons))
