/* SPDX-License-Identifier: MIT
 *
 * Inside of crypto/sha256: the class (br_hash_class) around a function that hashes whole blocks, which the file that
 * includes this defines behind it:
 *
 *     #define SHA256_CLASS sha256_x86     the class's name
 *     #include "crypto/sha256_class.h"
 *     static void hash_blocks(uint32_t val[8], const uint8_t *p, size_t blocks) { ... }
 *
 * Its context is a br_sha256_context and, between calls, as BearSSL's own code leaves it: words in val, the bytes that
 * are no whole block yet in buf, and how many there were in all in count.
 */
#ifndef CRYPTO_SHA256_CLASS_H
#define CRYPTO_SHA256_CLASS_H

#include "base/mem.h"

#include <bearssl.h>
#include <string.h>

enum { BLOCK = 64, LENGTH = 8, OUT = 32 };

static const uint32_t initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const _Alignas(16) uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* `p` has any alignment. */
static void hash_blocks(uint32_t val[8], const uint8_t *p, size_t blocks);

static void put_words(uint8_t *to, const uint32_t *words)
{
    for (unsigned i = 0; i < 8; i++) {
        uint32_t reversed = __builtin_bswap32(words[i]);

        memcpy(to + 4 * i, &reversed, sizeof reversed);
    }
}

static void init(const br_hash_class **ctx)
{
    br_sha256_context *c = (br_sha256_context *)ctx;

    c->vtable = &SHA256_CLASS;
    memcpy(c->val, initial, sizeof c->val);
    c->count = 0;
}

static void update(const br_hash_class **ctx, const void *data, size_t len)
{
    br_sha256_context *c = (br_sha256_context *)ctx;
    size_t held = (size_t)c->count % BLOCK;
    const uint8_t *p = data;

    if (len == 0)
        return;
    c->count += len;
    if (held > 0) {
        size_t n = len < BLOCK - held ? len : BLOCK - held;

        memcpy(c->buf + held, p, n);
        if (held + n < BLOCK)
            return;
        hash_blocks(c->val, c->buf, 1);
        p += n;
        len -= n;
    }
    if (len >= BLOCK)
        hash_blocks(c->val, p, len / BLOCK);
    memcpy(c->buf, p + len / BLOCK * BLOCK, len % BLOCK);
}

static void out(const br_hash_class *const *ctx, void *to)
{
    const br_sha256_context *c = (const br_sha256_context *)ctx;
    size_t held = (size_t)c->count % BLOCK;
    size_t len = held + 1 + LENGTH <= BLOCK ? BLOCK : 2 * BLOCK;
    uint64_t bits = __builtin_bswap64(c->count << 3);
    uint8_t last[2 * BLOCK] = {0};
    uint32_t val[8];

    memcpy(last, c->buf, held);
    last[held] = 0x80;
    memcpy(last + len - LENGTH, &bits, LENGTH);
    memcpy(val, c->val, sizeof val);
    hash_blocks(val, last, len / BLOCK);
    put_words(to, val);
    mem_wipe(last, sizeof last);
    mem_wipe(val, sizeof val);
}

static uint64_t get_state(const br_hash_class *const *ctx, void *to)
{
    const br_sha256_context *c = (const br_sha256_context *)ctx;

    put_words(to, c->val);
    return c->count;
}

/* `count` is a whole number of blocks. */
static void set_state(const br_hash_class **ctx, const void *from, uint64_t count)
{
    br_sha256_context *c = (br_sha256_context *)ctx;

    memcpy(c->val, from, sizeof c->val);
    for (unsigned i = 0; i < 8; i++)
        c->val[i] = __builtin_bswap32(c->val[i]);
    c->count = count;
}

const br_hash_class SHA256_CLASS = {
    .context_size = sizeof(br_sha256_context),
    .desc = BR_HASHDESC_ID(br_sha256_ID) | BR_HASHDESC_OUT(OUT) | BR_HASHDESC_STATE(32) |
            BR_HASHDESC_LBLEN(6) | BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE,
    .init = init,
    .update = update,
    .out = out,
    .state = get_state,
    .set_state = set_state,
};

#endif
