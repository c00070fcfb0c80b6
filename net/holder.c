/* SPDX-License-Identifier: MIT
 *
 * Which process listens on an address: /proc/net names the socket's inode, and the process is the one that
 * has a descriptor of it. Asked once, when a port cannot be bound; without /proc, or without the right to
 * look into other processes, the answer is that nobody knows. What is read comes from the kernel, but is
 * taken field by field all the same: a sandbox may put anything there.
 */
#include "net/socket.h"

#include "base/text.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATE_LISTEN = 0x0a };

/* The kernel prints the address as 32-bit words of its own byte order. */
static bool words_parse(struct bytes hex, size_t words, uint8_t ip[16])
{
    if (hex.n != words * 8)
        return false;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        uint32_t value;

        if (!text_hex_u64(bytes_of(hex.p + i * 8, 8), UINT32_MAX, &word))
            return false;
        value = (uint32_t)word;
        memcpy(ip + i * 4, &value, 4);
    }
    return true;
}

/* The i-th (from 0) word of the line that `line` begins with; what stands behind it is left. */
static struct bytes word_at(struct bytes *line, unsigned i)
{
    struct bytes word = text_word(line);

    while (i-- > 0)
        word = text_word(line);
    return word;
}

/* "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 ..." */
static bool parse_listener(struct bytes line, sa_family_t family, struct addr *held, uint64_t *inode)
{
    struct bytes local = word_at(&line, 1), state = word_at(&line, 1), port;
    const uint8_t *colon = local.n > 0 ? memchr(local.p, ':', local.n) : NULL;
    size_t digits = colon != NULL ? (size_t)(colon - local.p) : 0;
    uint64_t number;
    uint8_t ip[16];

    if (colon == NULL || !text_hex_u64(state, UINT8_MAX, &number) || number != STATE_LISTEN)
        return false;
    port = bytes_of(colon + 1, local.n - digits - 1);
    if (!words_parse(bytes_of(local.p, digits), family == AF_INET ? 1 : 4, ip) ||
        !text_hex_u64(port, UINT16_MAX, &number) || !text_u64(word_at(&line, 5), UINT64_MAX, inode))
        return false;
    memset(held, 0, sizeof *held);
    held->any.sa_family = family;
    if (family == AF_INET)
        memcpy(&held->v4.sin_addr, ip, 4);
    else
        memcpy(&held->v6.sin6_addr, ip, 16);
    addr_set_port(held, (uint16_t)number);
    addr_normalise(held);
    return true;
}

static uint64_t tcp_inode(const char *table, sa_family_t family, const struct addr *a)
{
    FILE *f = fopen(table, "re");
    char line[512];
    uint64_t inode, found = 0;
    struct addr held;

    if (f == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof line, f) != NULL)
        if (parse_listener(bytes_str(line), family, &held, &inode) && addr_overlaps(a, &held))
            found = inode;
    fclose(f);
    return found;
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/app.sock"; 0x10000: it listens. */
static uint64_t unix_inode(const char *path)
{
    FILE *f = fopen("/proc/net/unix", "re");
    char line[512];
    uint64_t flags, inode, found = 0;

    if (f == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof line, f) != NULL) {
        struct bytes rest = bytes_of(line, strcspn(line, "\n"));

        if (text_hex_u64(word_at(&rest, 3), UINT32_MAX, &flags) && (flags & 0x10000) != 0 &&
            text_u64(word_at(&rest, 2), UINT64_MAX, &inode) && rest.n > 0 &&
            bytes_is(bytes_of(rest.p + 1, rest.n - 1), path))
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
    uint64_t inode = 0;
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
    snprintf(want, sizeof want, "socket:[%llu]", (unsigned long long)inode);
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
