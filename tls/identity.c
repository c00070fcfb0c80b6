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
    if (id->key_data)
        mem_wipe_free(id->key_data, id->key_data_len);
    mem_free(id->name);
    mem_wipe_free(id, sizeof *id);
}
