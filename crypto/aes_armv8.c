/* SPDX-License-Identifier: MIT
 *
 * Owns AES keys, counter mode and GHASH by ARMv8's instructions. A round takes a few cycles and another block's
 * can start in each, so eight blocks are under way at once; GHASH multiplies four blocks by four powers of H and
 * reduces their sum once.
 */
#include "crypto/aes_armv8.h"

#ifdef __AARCH64EL__

#include "base/mem.h"
#include "crypto/armv8.h"

#include <assert.h>
#include <sys/auxv.h>

enum { BLOCK = ARMV8_BLOCK, EIGHT = 8 * BLOCK, FOUR = 4 * BLOCK };

static_assert(sizeof(struct aes_armv8_ctr_keys) <= sizeof(br_aes_gen_ctr_keys),
              "must fit where BearSSL has room for its own");

bool aes_armv8_has(void)
{
    const unsigned long needed = HWCAP_AES | HWCAP_PMULL;

    return (getauxval(AT_HWCAP) & needed) == needed;
}

/* ---- keys -------------------------------------------------------------------------------------------- */

/* S-box on each byte. The instruction also shifts rows, which equal columns do not show. */
ARMV8_INLINE uint32_t substitute(uint32_t word)
{
    uint8x16_t columns = vreinterpretq_u8_u32(vdupq_n_u32(word));

    return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(columns, vdupq_n_u8(0))), 0);
}

/* Words are little-endian, so a rotation to the left by a byte is one to the right here. */
ARMV8_CRYPTO unsigned aes_armv8_expand(uint8_t round_keys[AES_ARMV8_ROUND_KEYS][16], const void *key,
                                       size_t len)
{
    uint32_t w[4 * AES_ARMV8_ROUND_KEYS], round_constant = 1;
    size_t key_words = len / 4, words = 4 * (key_words + 7);

    assert(len == 16 || len == 24 || len == 32);
    memcpy(w, key, len);
    for (size_t i = key_words; i < words; i++) {
        uint32_t t = w[i - 1];

        if (i % key_words == 0) {
            t = substitute(t >> 8 | t << 24) ^ round_constant;
            round_constant = round_constant << 1 ^ (round_constant >> 7) * 0x11b;
        } else if (key_words == 8 && i % 8 == 4) {
            t = substitute(t);
        }
        w[i] = w[i - key_words] ^ t;
    }
    memcpy(round_keys, w, words * 4);
    mem_wipe(w, sizeof w);
    return (unsigned)key_words + 6;
}

/* ---- counter mode ------------------------------------------------------------------------------------ */

ARMV8_CRYPTO static void init(const br_block_ctr_class **ctx, const void *key, size_t len)
{
    struct aes_armv8_ctr_keys *keys = (struct aes_armv8_ctr_keys *)ctx;

    keys->vtable = &aes_armv8_ctr;
    keys->rounds = aes_armv8_expand(keys->round_keys, key, len);
}

ARMV8_INLINE void xor_last(uint8_t *p, uint8x16_t b, uint8x16_t before_last, uint8x16_t last)
{
    armv8_store(p, veorq_u8(vaeseq_u8(b, before_last), veorq_u8(last, armv8_load(p))));
}

ARMV8_INLINE void eight_blocks(const struct aes_armv8_ctr_keys *keys, uint32x4_t *counter, uint8_t *p)
{
    const uint8_t(*rk)[16] = keys->round_keys;
    unsigned rounds = keys->rounds;
    uint8x16_t b0 = armv8_next_counter(counter), b1 = armv8_next_counter(counter);
    uint8x16_t b2 = armv8_next_counter(counter), b3 = armv8_next_counter(counter);
    uint8x16_t b4 = armv8_next_counter(counter), b5 = armv8_next_counter(counter);
    uint8x16_t b6 = armv8_next_counter(counter), b7 = armv8_next_counter(counter);
    uint8x16_t before_last = armv8_load(rk[rounds - 1]), last = armv8_load(rk[rounds]);

    for (unsigned i = 0; i < rounds - 1; i++) {
        uint8x16_t k = armv8_load(rk[i]);

        b0 = armv8_aes_round(b0, k);
        b1 = armv8_aes_round(b1, k);
        b2 = armv8_aes_round(b2, k);
        b3 = armv8_aes_round(b3, k);
        b4 = armv8_aes_round(b4, k);
        b5 = armv8_aes_round(b5, k);
        b6 = armv8_aes_round(b6, k);
        b7 = armv8_aes_round(b7, k);
    }
    xor_last(p, b0, before_last, last);
    xor_last(p + 16, b1, before_last, last);
    xor_last(p + 32, b2, before_last, last);
    xor_last(p + 48, b3, before_last, last);
    xor_last(p + 64, b4, before_last, last);
    xor_last(p + 80, b5, before_last, last);
    xor_last(p + 96, b6, before_last, last);
    xor_last(p + 112, b7, before_last, last);
}

/* Answers the counter after the last whole block, as BearSSL's own code does. */
ARMV8_CRYPTO static uint32_t run(const br_block_ctr_class *const *ctx, const void *iv, uint32_t cc,
                                 void *data, size_t len)
{
    const struct aes_armv8_ctr_keys *keys = (const struct aes_armv8_ctr_keys *)ctx;
    uint32x4_t counter = armv8_counter(iv, cc);
    uint8_t *p = data;

    cc += (uint32_t)(len / BLOCK);
    for (; len >= EIGHT; len -= EIGHT, p += EIGHT)
        eight_blocks(keys, &counter, p);
    while (len > 0) {
        size_t n = len < BLOCK ? len : BLOCK;
        uint8x16_t stream = armv8_aes(keys->round_keys, keys->rounds, armv8_next_counter(&counter));

        armv8_store_part(p, n, veorq_u8(stream, armv8_load_part(p, n)));
        p += n;
        len -= n;
    }
    return cc;
}

const br_block_ctr_class aes_armv8_ctr = {
    .context_size = sizeof(struct aes_armv8_ctr_keys),
    .block_size = BLOCK,
    .log_block_size = 4,
    .init = init,
    .run = run,
};

/* ---- GHASH ------------------------------------------------------------------------------------------- */

struct powers {
    struct armv8_factor h1, h2, h3, h4;
};

ARMV8_INLINE uint64x2_t hash_four(uint64x2_t y, const struct powers *h, const uint8_t *p)
{
    struct armv8_products sum = armv8_no_products();

    armv8_add_product(&sum, armv8_field(armv8_load(p + 48)), h->h1);
    armv8_add_product(&sum, armv8_field(armv8_load(p + 32)), h->h2);
    armv8_add_product(&sum, armv8_field(armv8_load(p + 16)), h->h3);
    armv8_add_product(&sum, veorq_u64(y, armv8_field(armv8_load(p))), h->h4);
    return armv8_reduce(sum);
}

ARMV8_CRYPTO void aes_armv8_ghash(void *y, const void *h, const void *data, size_t len)
{
    uint64x2_t hash = armv8_field(armv8_load(y));
    struct powers powers = {.h1 = armv8_factor(armv8_field(armv8_load(h)))};
    const uint8_t *p = data;

    if (len >= FOUR) {
        powers.h2 = armv8_factor(armv8_multiply(powers.h1.h, powers.h1));
        powers.h3 = armv8_factor(armv8_multiply(powers.h2.h, powers.h1));
        powers.h4 = armv8_factor(armv8_multiply(powers.h2.h, powers.h2));
        for (; len >= FOUR; len -= FOUR, p += FOUR)
            hash = hash_four(hash, &powers, p);
    }
    while (len > 0) {
        size_t n = len < BLOCK ? len : BLOCK;

        hash = armv8_multiply(veorq_u64(hash, armv8_field(armv8_load_part(p, n))), powers.h1);
        p += n;
        len -= n;
    }
    armv8_store(y, armv8_from_field(hash));
}

#endif
