/* SPDX-License-Identifier: MIT
 *
 * Owns the life of an identity: made with one reference, wiped and freed with the last. A half-filled one (a chain
 * that failed to load) frees as well as a whole one.
 */
#include "tls/identity.h"

#include "base/mem.h"
#include "base/random.h"

#include <assert.h>
#include <string.h>

struct tls_identity *tls_identity_new(const char *name)
{
    struct tls_identity *id = mem_zalloc(sizeof *id);

    if (!id)
        return NULL;
    id->name = mem_strdup(name);
    if (!id->name) {
        mem_free(id);
        return NULL;
    }
    id->refs = 1;
    random_bytes(&id->id, sizeof id->id); /* 64 bits: no two of a process meet */
    return id;
}

struct tls_identity *tls_identity_ref(struct tls_identity *id)
{
    if (id)
        id->refs++;
    return id;
}

void tls_identity_unref(struct tls_identity *id)
{
    if (!id)
        return;
    assert(id->refs > 0);
    if (--id->refs)
        return;
    for (size_t i = 0; i < id->chain_len; i++)
        mem_free(id->chain[i].data);
    mem_free(id->chain);
    mem_free(id->certificate.p);
    if (id->key_data)
        mem_wipe_free(id->key_data, id->key_data_len);
    mem_free(id->name);
    mem_wipe_free(id, sizeof *id);
}

struct bytes tls_identity_certificate(struct tls_identity *id)
{
    enum { CERTIFICATE = 11 };
    size_t n = 4 + 1 + 3;

    if (id->certificate.n)
        return (struct bytes){id->certificate.p, id->certificate.n};
    for (size_t i = 0; i < id->chain_len; i++)
        n += 3 + id->chain[i].data_len + 2;
    uint8_t *p = mem_alloc(n);
    if (!p)
        return (struct bytes){NULL, 0};
    struct writer w = writer_of(p, n);
    writer_u8(&w, CERTIFICATE);
    size_t message = writer_open(&w, 3);
    writer_u8(&w, 0); /* certificate_request_context */
    size_t list = writer_open(&w, 3);
    for (size_t i = 0; i < id->chain_len; i++) {
        size_t entry = writer_open(&w, 3);
        writer_put(&w, id->chain[i].data, id->chain[i].data_len);
        writer_close(&w, entry, 3);
        writer_u16(&w, 0); /* extensions */
    }
    writer_close(&w, list, 3);
    writer_close(&w, message, 3);
    assert(!w.failed && writer_len(&w) == n);
    id->certificate = (struct span){w.start, n};
    return (struct bytes){w.start, n};
}
