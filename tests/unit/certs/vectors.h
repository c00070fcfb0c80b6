/* SPDX-License-Identifier: MIT
 *
 * What the tests of certs/ share: files from tests/vectors/certs.
 */
#ifndef TESTS_UNIT_CERTS_VECTORS_H
#define TESTS_UNIT_CERTS_VECTORS_H

#include "base/file.h"
#include "tls/identity.h"

#define VECTORS "tests/vectors/certs/"

/* A vector's content; the program ends when it cannot be read. file_release it. */
struct file vector_read(const char *name);
/* pem_load_chain and pem_load_key from vectors, into a new identity (NULL names are left out). *problem is
 * the first problem, or NULL. */
struct tls_identity *vector_identity(const char *chain, const char *key, const char **problem);

#endif
