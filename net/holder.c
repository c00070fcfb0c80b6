/* SPDX-License-Identifier: MIT
 *
 * Which process listens on an address: /proc/net names the socket's inode, and the process is the one that
 * has a descriptor of it. Asked once, when a port cannot be bound; without /proc, or without the right to
 * look into other processes, the answer is that nobody knows. What is read comes from the kernel, but is
 * taken field by field all the same: a sandbox may put anything there.
 */
#include "net/socket.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_LISTEN = 0x0a };

/* The kernel prints the address as 32-bit words of its own byte order. */
static bool words_parse(const char *hex, size_t words, uint8_t ip[16])
{
    if (strlen(hex) != words * 8)
        return false;
    for (size_t i = 0; i < words; i++) {
        char word[9] = {0};
        uint32_t value;

        memcpy(word, hex + i * 8, 8);
        value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(ip + i * 4, &value, 4);
    }
    return true;
}

static bool is_any(const struct addr *a)
{
    static const struct in6_addr any6 = IN6ADDR_ANY_INIT;

    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == 0;
    return a->any.sa_family == AF_INET6 && memcmp(&a->v6.sin6_addr, &any6, sizeof any6) == 0;
}

/* A listener on `held` stands in the way of one on `a`. */
static bool conflicts(const struct addr *a, const struct addr *held)
{
    return addr_port(a) == addr_port(held) && (is_any(a) || is_any(held) || addr_equal(a, held));
}

static unsigned long tcp_inode(const char *table, sa_family_t family, const struct addr *a)
{
    FILE *f = fopen(table, "re");
    char line[512], hex[40];
    unsigned long inode, found = 0;
    unsigned port, state;

    if (f == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof line, f) != NULL) {
        struct addr held;
        uint8_t ip[16];

        if (sscanf(line, " %*[0-9]: %36[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %lu",
                   hex, &port, &state, &inode) != 4 ||
            state != STATE_LISTEN)
            continue;
        if (!words_parse(hex, family == AF_INET ? 1 : 4, ip))
            continue;
        memset(&held, 0, sizeof held);
        held.any.sa_family = family;
        if (family == AF_INET)
            memcpy(&held.v4.sin_addr, ip, 4);
        else
            memcpy(&held.v6.sin6_addr, ip, 16);
        addr_set_port(&held, (uint16_t)port);
        addr_normalise(&held);
        if (conflicts(a, &held))
            found = inode;
    }
    fclose(f);
    return found;
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/app.sock"; 0x10000: it listens. */
static unsigned long unix_inode(const char *path)
{
    FILE *f = fopen("/proc/net/unix", "re");
    char line[512];
    unsigned long inode, found = 0;
    unsigned flags;
    int at;

    if (f == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof line, f) != NULL) {
        at = 0;
        if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %lu %n", &flags, &inode, &at) != 2 || at == 0 ||
            (flags & 0x10000) == 0)
            continue;
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line + at, path) == 0)
            found = inode;
    }
    fclose(f);
    return found;
}

static bool holds(const char *pid, const char *want)
{
    char path[64], link[64];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    dir = opendir(path);
    if (dir == NULL)
        return false;
    while (!found && (entry = readdir(dir)) != NULL) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);

        if (n <= 0)
            continue;
        link[n] = 0;
        found = strcmp(link, want) == 0;
    }
    closedir(dir);
    return found;
}

/* What a process calls itself is its own choice: only plain bytes go into the answer. */
static void read_name(const char *pid, char name[32])
{
    char path[64];
    FILE *f;

    name[0] = 0;
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    f = fopen(path, "re");
    if (f == NULL)
        return;
    if (fgets(name, 32, f) == NULL)
        name[0] = 0;
    fclose(f);
    name[strcspn(name, "\n")] = 0;
    for (char *c = name; *c != 0; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
}

bool socket_holder(const struct addr *a, char *out, size_t cap)
{
    unsigned long inode = 0;
    struct dirent *entry;
    char want[40], name[32];
    bool found = false;
    DIR *dir;

    if (a->any.sa_family == AF_UNIX)
        inode = unix_inode(a->un.sun_path);
    else {
        inode = tcp_inode("/proc/net/tcp", AF_INET, a);
        if (inode == 0)
            inode = tcp_inode("/proc/net/tcp6", AF_INET6, a);
    }
    if (inode == 0)
        return false;
    snprintf(want, sizeof want, "socket:[%lu]", inode);
    dir = opendir("/proc");
    if (dir == NULL)
        return false;
    while (!found && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[strspn(entry->d_name, "0123456789")] != 0 || !holds(entry->d_name, want))
            continue;
        read_name(entry->d_name, name);
        snprintf(out, cap, "%s (pid %s)", name[0] != 0 ? name : "a process", entry->d_name);
        found = true;
    }
    closedir(dir);
    return found;
}
