/* SPDX-License-Identifier: MIT
 *
 * What the tests of certs/ share. Nothing here is freed early or late: each helper says who owns what.
 */
#include "tests/unit/certs/vectors.h"

#include "base/log.h"
#include "certs/pem.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file vector_read(const char *name)
{
    char path[256];
    struct file f;
    int error;

    snprintf(path, sizeof path, VECTORS "%s", name);
    error = file_read(path, 1u << 20, &f);
    if (error != 0) {
        printf("%s: %s; run this from the project's folder\n", path, strerror(error));
        exit(1);
    }
    return f;
}

struct tls_identity *vector_identity(const char *chain, const char *key, const char **problem)
{
    struct tls_identity *id = tls_identity_new("vector");
    struct file f;

    *problem = NULL;
    if (chain != NULL) {
        f = vector_read(chain);
        *problem = pem_load_chain(id, bytes_of(f.content.p, f.content.n));
        file_release(&f);
    }
    if (key != NULL && *problem == NULL) {
        f = vector_read(key);
        *problem = pem_load_key(id, bytes_of(f.content.p, f.content.n));
        file_release(&f);
    }
    return id;
}

const char *folder_new(void)
{
    static char path[64];

    strcpy(path, "/tmp/proxy-unit-XXXXXX");
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
