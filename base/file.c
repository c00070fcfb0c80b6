/* SPDX-License-Identifier: MIT
 *
 * Owns how files are read and replaced. The invariant: at every moment a name in the state holds one whole
 * version of its content. So a file is never opened for writing under its own name: it is made under another
 * that no one else uses, brought to the disk, and renamed; the folder is brought to the disk last, for the
 * rename to last. Plain paths and calls alone (open, rename, fsync): unikernels have no O_TMPFILE and may
 * lack *at() calls.
 */
#include "base/file.h"

#include "base/mem.h"
#include "base/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define CHUNK           4096u
#define LEFTOVER_MIN_S  3600 /* no write takes this long */
#define TEMPORARY_START ".new-"

static ssize_t read_some(int fd, uint8_t *p, size_t n)
{
    ssize_t got;

    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end; the size that fstat said is a hint alone (a FIFO and some file systems say 0). */
static int read_all(int fd, size_t hint, size_t max, struct span *out)
{
    size_t cap = (hint < max ? hint : max) + 1; /* the one more byte tells the end, and holds the NUL */
    uint8_t *p = mem_alloc(cap);
    size_t n = 0;
    int error = p == NULL ? ENOMEM : 0;

    while (error == 0) {
        if (n == cap) {
            /* Secrets pass here: what is outgrown is wiped, so no realloc. */
            size_t larger = cap > max / 2 ? max + 1 : cap + (cap > CHUNK ? cap : CHUNK);
            uint8_t *q;

            if (n > max) {
                error = EFBIG;
                break;
            }
            if (larger > max + 1)
                larger = max + 1;
            q = mem_alloc(larger);
            if (q == NULL) {
                error = ENOMEM;
                break;
            }
            memcpy(q, p, n);
            mem_wipe_free(p, cap);
            p = q;
            cap = larger;
        }
        ssize_t got = read_some(fd, p + n, cap - n);
        if (got < 0)
            error = errno;
        else if (got == 0)
            break;
        else
            n += (size_t)got;
    }
    if (error == 0 && n > max)
        error = EFBIG;
    if (error != 0) {
        if (p != NULL)
            mem_wipe_free(p, cap);
        return error;
    }
    p[n] = 0;
    *out = (struct span){p, n};
    return 0;
}

int file_read(const char *path, size_t max, struct file *out)
{
    struct stat st;
    int fd, error;

    memset(out, 0, sizeof *out);
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) < 0) {
        error = errno;
    } else if (S_ISDIR(st.st_mode)) {
        error = EISDIR;
    } else if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > max) {
        error = EFBIG;
    } else {
        out->mode = (unsigned)st.st_mode & 07777;
        out->mtime = st.st_mtime;
        error = read_all(fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, max, &out->content);
    }
    close(fd);
    return error;
}

void file_release(struct file *file)
{
    if (file->content.p != NULL)
        mem_wipe_free(file->content.p, file->content.n);
    file->content = (struct span){NULL, 0};
}

/* Some file systems (9p, FAT by some drivers) have no fsync for a folder or for a file: nothing more can
 * be done there, and the write is no failure. */
static int sync_fd(int fd)
{
    int r;

    do
        r = fsync(fd);
    while (r < 0 && errno == EINTR);
    if (r == 0 || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EROFS)
        return 0;
    return errno;
}

static int sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error;

    if (fd < 0)
        return errno == EACCES || errno == EINVAL || errno == EISDIR ? 0 : errno;
    error = sync_fd(fd);
    /* Folders that cannot be synced say so in more ways. */
    if (error == EBADF || error == EISDIR)
        error = 0;
    close(fd);
    return error;
}

/* There is room behind the path for four bytes more. */
static int make_one_folder(char *path, size_t n, unsigned mode)
{
    struct stat st;

    if (mkdir(path, (mode_t)mode) == 0) {
        memcpy(path + n, "/..", 4); /* where its name is, which is to last as well */
        return sync_folder(path);
    }
    if (errno != EEXIST) {
        /* A read-only file system may say so before it looks: what counts is whether the folder is there. */
        int error = errno;
        return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : error;
    }
    if (stat(path, &st) < 0)
        return errno;
    return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

int file_make_folder(const char *path, unsigned mode)
{
    char part[PATH_MAX + 4];
    size_t n = strlen(path);
    int error;

    if (n == 0)
        return ENOENT;
    if (n >= PATH_MAX)
        return ENAMETOOLONG;
    /* Nearly always it is there. */
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    for (size_t i = 0; i <= n; i++) {
        if (i > 0 && (path[i] == '/' || path[i] == '\0')) {
            part[i] = '\0';
            if (path[i - 1] != '/' && (error = make_one_folder(part, i, mode)) != 0)
                return error;
        }
        part[i] = path[i];
    }
    return 0;
}

/* Writes whose process was killed leave their temporary file. It is old by the clock that stamped both
 * files, so a wrong clock does no harm. */
static void clear_old(const char *dir, const char *start, int64_t now)
{
    DIR *d = opendir(dir);
    struct dirent *entry;

    if (d == NULL)
        return;
    while ((entry = readdir(d)) != NULL) {
        char path[PATH_MAX];
        struct stat st;

        if (strncmp(entry->d_name, start, strlen(start)) != 0)
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (n > 0 && (size_t)n < sizeof path && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            now - st.st_mtime >= LEFTOVER_MIN_S)
            unlink(path);
    }
    closedir(d);
}

void state_clear_old(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path && lstat(path, &st) == 0)
        clear_old(dir, "", st.st_mtime);
}

static int write_all(int fd, struct bytes content)
{
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return EIO;
        content.p += n;
        content.n -= (size_t)n;
    }
    return 0;
}

int state_write(const char *dir, const char *name, unsigned mode, struct bytes content)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    uint8_t unique[8];
    uint64_t u;
    struct stat st;
    int fd, n, error;

    n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return ENAMETOOLONG;
    random_bytes(unique, sizeof unique);
    memcpy(&u, unique, sizeof u);
    n = snprintf(temporary, sizeof temporary, "%s/" TEMPORARY_START "%016llx", dir, (unsigned long long)u);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return ENAMETOOLONG;
    if ((error = file_make_folder(dir, 0700)) != 0)
        return error;

    /* Born 0600, so that a key is never readable by others, not for an instant. */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    if ((error = write_all(fd, content)) != 0)
        goto out;
    /* FAT and 9p know no modes; where they are known, the file gets the one asked for. */
    if (fchmod(fd, (mode_t)mode) < 0 && errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP) {
        error = errno;
        goto out;
    }
    if (fstat(fd, &st) == 0)
        clear_old(dir, TEMPORARY_START, st.st_mtime);
    error = sync_fd(fd);
out:
    if (close(fd) < 0 && error == 0 && errno != EINTR)
        error = errno;
    if (error == 0 && rename(temporary, path) < 0)
        error = errno;
    if (error != 0) {
        unlink(temporary);
        return error;
    }
    return sync_folder(dir);
}

int state_rename(const char *dir, const char *from, const char *to)
{
    char before[PATH_MAX], after[PATH_MAX];

    if (snprintf(before, sizeof before, "%s/%s", dir, from) >= (int)sizeof before ||
        snprintf(after, sizeof after, "%s/%s", dir, to) >= (int)sizeof after)
        return ENAMETOOLONG;
    return rename(before, after) == 0 ? sync_folder(dir) : errno;
}

/* A router's overlay is on its flash; a container's goes with it. Alone in its world is who is the first process. */
static bool in_container(void)
{
    return getpid() == 1 || access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0;
}

const char *file_why_lost(const char *folder)
{
    enum { TMPFS = 0x01021994, RAMFS = 0x858458f6, OVERLAYFS = 0x794c7630 };
    struct statfs fs;

    if (file_make_folder(folder, 0700) != 0)
        return "cannot be made";
    if (access(folder, W_OK | X_OK) < 0)
        return "cannot be written";
    if (statfs(folder, &fs) < 0) /* a machine that does not say */
        return NULL;
    if ((unsigned long)fs.f_type == TMPFS || (unsigned long)fs.f_type == RAMFS)
        return "is in memory";
    if ((unsigned long)fs.f_type == OVERLAYFS && in_container())
        return "is in the container's own layer";
    return NULL;
}
