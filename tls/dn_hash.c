/* SPDX-License-Identifier: MIT
 *
 * BearSSL's SHA-256 in a class of its own: init and update are the same, and what had been put in is looked at when the
 * hash is taken out. A hash that is made already is shorter than a block, so the context still has it as it came. Not
 * the fastest SHA-256: a chain has two names a certificate, and an anchor's is not hashed.
 */
#include "tls/dn_hash.h"

_Static_assert(1 + DN_HASH_LEN < 64, "still in the context's block");

static void init(const br_hash_class **ctx)
{
    br_sha256_init((br_sha256_context *)(void *)ctx);
    *ctx = &dn_hash_class;
}

static void update(const br_hash_class **ctx, const void *p, size_t n)
{
    br_sha256_update((br_sha256_context *)(void *)ctx, p, n);
}

static void out(const br_hash_class *const *ctx, void *to)
{
    const br_sha256_context *c = (const br_sha256_context *)(const void *)ctx;
    uint8_t whole[br_sha256_SIZE];

    if (c->count == 1 + DN_HASH_LEN && c->buf[0] & DN_HASH_MADE) {
        memcpy(to, c->buf + 1, DN_HASH_LEN);
    } else {
        br_sha256_out(c, whole);
        memcpy(to, whole, DN_HASH_LEN);
    }
}

const br_hash_class dn_hash_class = {
    .context_size = sizeof(br_sha256_context),
    .desc = BR_HASHDESC_OUT(DN_HASH_LEN),
    .init = init,
    .update = update,
    .out = out,
};

void dn_hash(struct bytes name, uint8_t to[DN_HASH_LEN])
{
    br_sha256_context c;

    init(&c.vtable);
    update(&c.vtable, name.p, name.n);
    out(&c.vtable, to);
}
