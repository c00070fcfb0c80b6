/* SPDX-License-Identifier: MIT
 *
 * What the tests of certs/ share. Nothing here is freed early or late: each helper says who owns what.
 */
#include "tests/unit/certs/vectors.h"

#include "certs/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
