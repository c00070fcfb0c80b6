/* SPDX-License-Identifier: MIT
 *
 * Nothing here is freed early or late: each helper says who owns what.
 */
#include "tests/unit/scratch.h"

#include "base/log.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPLATE "/tmp/proxy-unit-XXXXXX"

const char *folder_new(void)
{
    static char path[SCRATCH_PATH];

    snprintf(path, sizeof path, "%s", TEMPLATE);
    if (mkdtemp(path) == NULL) {
        perror(path);
        exit(1);
    }
    return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void file_new(char path[SCRATCH_PATH], const char *text)
{
    size_t n = strlen(text);
    int fd;

    snprintf(path, SCRATCH_PATH, "%s", TEMPLATE);
    fd = mkstemp(path);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n) {
        perror(path);
        exit(1);
    }
    close(fd);
}

static FILE *taken;

void log_take(void)
{
    taken = tmpfile();
    if (taken == NULL) {
        perror("tmpfile");
        exit(1);
    }
    log_flush();
    log_set_fd(fileno(taken));
}

const char *log_taken(void)
{
    static char text[16384];
    size_t n;

    log_flush();
    log_set_fd(1);
    rewind(taken);
    n = fread(text, 1, sizeof text - 1, taken);
    text[n] = '\0';
    fclose(taken);
    return text;
}
