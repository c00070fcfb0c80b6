/* SPDX-License-Identifier: MIT
 *
 * Owns SHA-256 by ARMv8's SHA2 instructions. One instruction makes four rounds of half the state, one or two
 * make four words of the message schedule. Between calls the state is as BearSSL's own code leaves it: words in
 * val, the bytes that are no whole block yet in buf, and how many there were in all in count.
 */
#include "crypto/sha256_armv8.h"

#ifdef __AARCH64EL__

#include "base/mem.h"
#include "crypto/armv8.h"

#include <sys/auxv.h>

enum { BLOCK = 64, LENGTH = 8, OUT = 32 };

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

struct state {
    uint32x4_t abcd, efgh;
};

/* Rounds n to n + 3. */
ARMV8_INLINE void rounds(struct state *s, uint32x4_t words, size_t n)
{
    uint32x4_t sum = vaddq_u32(words, vld1q_u32(constants + n));
    uint32x4_t abcd = s->abcd;

    s->abcd = vsha256hq_u32(abcd, s->efgh, sum);
    s->efgh = vsha256h2q_u32(s->efgh, abcd, sum);
}

/* From 16 words in a row, the four after them. */
ARMV8_INLINE uint32x4_t schedule(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2, uint32x4_t w3)
{
    return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

ARMV8_INLINE uint32x4_t load_words(const uint8_t *p)
{
    return vreinterpretq_u32_u8(vrev32q_u8(armv8_load(p)));
}

ARMV8_CRYPTO static void hash_blocks(uint32_t val[8], const uint8_t *p, size_t blocks)
{
    struct state s = {vld1q_u32(val), vld1q_u32(val + 4)};

    for (; blocks > 0; blocks--, p += BLOCK) {
        struct state before = s;
        uint32x4_t w0 = load_words(p), w1 = load_words(p + 16);
        uint32x4_t w2 = load_words(p + 32), w3 = load_words(p + 48);

        for (size_t n = 0; n < 48; n += 16) {
            rounds(&s, w0, n);
            w0 = schedule(w0, w1, w2, w3);
            rounds(&s, w1, n + 4);
            w1 = schedule(w1, w2, w3, w0);
            rounds(&s, w2, n + 8);
            w2 = schedule(w2, w3, w0, w1);
            rounds(&s, w3, n + 12);
            w3 = schedule(w3, w0, w1, w2);
        }
        rounds(&s, w0, 48);
        rounds(&s, w1, 52);
        rounds(&s, w2, 56);
        rounds(&s, w3, 60);
        s.abcd = vaddq_u32(s.abcd, before.abcd);
        s.efgh = vaddq_u32(s.efgh, before.efgh);
    }
    vst1q_u32(val, s.abcd);
    vst1q_u32(val + 4, s.efgh);
}

static void put_words(uint8_t *to, const uint32_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < 4; j++)
            to[4 * i + j] = (uint8_t)(words[i] >> (24 - 8 * j));
}

/* ---- the class --------------------------------------------------------------------------------------- */

static void init(const br_hash_class **ctx)
{
    br_sha256_context *c = (br_sha256_context *)ctx;

    c->vtable = &sha256_armv8;
    memcpy(c->val, initial, sizeof c->val);
    c->count = 0;
}

static void update(const br_hash_class **ctx, const void *data, size_t len)
{
    br_sha256_context *c = (br_sha256_context *)ctx;
    size_t held = (size_t)c->count % BLOCK, blocks;
    const uint8_t *p = data;

    c->count += len;
    if (held > 0) {
        size_t n = len < BLOCK - held ? len : BLOCK - held;

        if (n > 0)
            memcpy(c->buf + held, p, n);
        if (held + n < BLOCK)
            return;
        hash_blocks(c->val, c->buf, 1);
        p += n;
        len -= n;
    }
    blocks = len / BLOCK;
    if (blocks > 0)
        hash_blocks(c->val, p, blocks);
    if (len % BLOCK > 0)
        memcpy(c->buf, p + blocks * BLOCK, len % BLOCK);
}

static void out(const br_hash_class *const *ctx, void *to)
{
    const br_sha256_context *c = (const br_sha256_context *)ctx;
    size_t held = (size_t)c->count % BLOCK;
    size_t blocks = held + 1 + LENGTH <= BLOCK ? 1 : 2;
    uint8_t last[2 * BLOCK] = {0};
    uint32_t val[8];

    memcpy(last, c->buf, held);
    last[held] = 0x80;
    for (size_t i = 0; i < LENGTH; i++)
        last[blocks * BLOCK - 1 - i] = (uint8_t)(c->count << 3 >> 8 * i);
    memcpy(val, c->val, sizeof val);
    hash_blocks(val, last, blocks);
    put_words(to, val, OUT / 4);
    mem_wipe(last, sizeof last);
    mem_wipe(val, sizeof val);
}

static uint64_t get_state(const br_hash_class *const *ctx, void *to)
{
    const br_sha256_context *c = (const br_sha256_context *)ctx;

    put_words(to, c->val, 8);
    return c->count;
}

/* `count` is a whole number of blocks. */
static void set_state(const br_hash_class **ctx, const void *from, uint64_t count)
{
    br_sha256_context *c = (br_sha256_context *)ctx;
    const uint8_t *p = from;

    for (size_t i = 0; i < 8; i++, p += 4)
        c->val[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    c->count = count;
}

const br_hash_class sha256_armv8 = {
    .context_size = sizeof(br_sha256_context),
    .desc = BR_HASHDESC_ID(br_sha256_ID) | BR_HASHDESC_OUT(OUT) | BR_HASHDESC_STATE(32) |
            BR_HASHDESC_LBLEN(6) | BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE,
    .init = init,
    .update = update,
    .out = out,
    .state = get_state,
    .set_state = set_state,
};

bool sha256_armv8_has(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

#endif
