/* SPDX-License-Identifier: MIT
 *
 * Owns AES-GCM on 64-bit ARM: keys and whole messages. A message is its additional data, groups of eight blocks,
 * and what is left, less than a group, block by block: these are independent of each other until hashed, so a
 * processor that looks ahead overlaps them by itself.
 */
#include "crypto/gcm_armv8.h"

#ifdef __AARCH64EL__

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/aes_armv8.h"
#include "crypto/armv8.h"

#include <assert.h>

enum { BLOCK = ARMV8_BLOCK, GROUP = 8 * BLOCK };

static_assert(AES_ARMV8_ROUND_KEYS == sizeof(((struct gcm_armv8_key *)0)->round_keys) / 16,
              "as many as a key can have");

struct state {
    uint32x4_t counter;
    uint64x2_t hash;
};

ARMV8_INLINE struct armv8_factor power(const struct gcm_armv8_key *key, size_t n)
{
    return armv8_factor(vreinterpretq_u64_u8(armv8_load(key->powers[GCM_ARMV8_POWERS - n])));
}

ARMV8_INLINE uint8x16_t encrypt(const struct gcm_armv8_key *key, uint8x16_t block)
{
    return armv8_aes(key->round_keys, key->rounds, block);
}

/* ---- groups of 8 blocks ------------------------------------------------------------------------------ */

struct eight {
    uint8x16_t b0, b1, b2, b3, b4, b5, b6, b7;
};

ARMV8_INLINE void eight_start(struct eight *e, uint32x4_t *counter)
{
    e->b0 = armv8_next_counter(counter);
    e->b1 = armv8_next_counter(counter);
    e->b2 = armv8_next_counter(counter);
    e->b3 = armv8_next_counter(counter);
    e->b4 = armv8_next_counter(counter);
    e->b5 = armv8_next_counter(counter);
    e->b6 = armv8_next_counter(counter);
    e->b7 = armv8_next_counter(counter);
}

ARMV8_INLINE void eight_round(struct eight *e, const uint8_t *round_key)
{
    uint8x16_t k = armv8_load(round_key);

    e->b0 = armv8_aes_round(e->b0, k);
    e->b1 = armv8_aes_round(e->b1, k);
    e->b2 = armv8_aes_round(e->b2, k);
    e->b3 = armv8_aes_round(e->b3, k);
    e->b4 = armv8_aes_round(e->b4, k);
    e->b5 = armv8_aes_round(e->b5, k);
    e->b6 = armv8_aes_round(e->b6, k);
    e->b7 = armv8_aes_round(e->b7, k);
}

ARMV8_INLINE void last_round(uint8_t *p, uint8x16_t b, uint8x16_t before_last, uint8x16_t last)
{
    armv8_store(p, veorq_u8(vaeseq_u8(b, before_last), veorq_u8(last, armv8_load(p))));
}

ARMV8_INLINE void eight_finish(const struct eight *e, uint8_t *p, const uint8_t (*round_keys)[16])
{
    uint8x16_t before_last = armv8_load(round_keys[0]), last = armv8_load(round_keys[1]);

    last_round(p, e->b0, before_last, last);
    last_round(p + 16, e->b1, before_last, last);
    last_round(p + 32, e->b2, before_last, last);
    last_round(p + 48, e->b3, before_last, last);
    last_round(p + 64, e->b4, before_last, last);
    last_round(p + 80, e->b5, before_last, last);
    last_round(p + 96, e->b6, before_last, last);
    last_round(p + 112, e->b7, before_last, last);
}

/* The n-th of the group at p; what was hashed before belongs to the first. */
ARMV8_INLINE void hash_nth(const struct armv8_factor powers[8], struct armv8_products *sum, const uint8_t *p,
                           size_t n, uint64x2_t before)
{
    uint64x2_t block = armv8_field(armv8_load(p + n * BLOCK));

    if (n == 0)
        block = veorq_u64(block, before);
    armv8_add_product(sum, block, powers[n]);
}

/* Encrypts the group at `data` and hashes that at `hashed`: the two streams of instructions share nothing, so
 * compiler and processor may let each work where the other waits. The first block is hashed last: it alone needs
 * what was hashed before. */
ARMV8_INLINE void both(const struct gcm_armv8_key *key, const struct armv8_factor powers[8], struct state *s,
                       uint8_t *data, const uint8_t *hashed)
{
    const uint8_t(*rk)[16] = key->round_keys;
    struct armv8_products sum = armv8_no_products();
    struct eight e;

    eight_start(&e, &s->counter);
    eight_round(&e, rk[0]);
    hash_nth(powers, &sum, hashed, 1, s->hash);
    eight_round(&e, rk[1]);
    hash_nth(powers, &sum, hashed, 2, s->hash);
    eight_round(&e, rk[2]);
    hash_nth(powers, &sum, hashed, 3, s->hash);
    eight_round(&e, rk[3]);
    hash_nth(powers, &sum, hashed, 4, s->hash);
    eight_round(&e, rk[4]);
    hash_nth(powers, &sum, hashed, 5, s->hash);
    eight_round(&e, rk[5]);
    hash_nth(powers, &sum, hashed, 6, s->hash);
    eight_round(&e, rk[6]);
    hash_nth(powers, &sum, hashed, 7, s->hash);
    eight_round(&e, rk[7]);
    hash_nth(powers, &sum, hashed, 0, s->hash);
    eight_round(&e, rk[8]);
    s->hash = armv8_reduce(sum);
    for (unsigned i = 9; i < key->rounds - 1u; i++)
        eight_round(&e, rk[i]);
    eight_finish(&e, data, rk + key->rounds - 1);
}

/* Block by block, as what begins and ends a long message need not be fast. */
ARMV8_INLINE void encrypt_group(const struct gcm_armv8_key *key, struct state *s, uint8_t *data)
{
    for (size_t n = 0; n < 8; n++, data += BLOCK)
        armv8_store(data, veorq_u8(armv8_load(data), encrypt(key, armv8_next_counter(&s->counter))));
}

ARMV8_INLINE void hash_group(const struct armv8_factor powers[8], struct state *s, const uint8_t *data)
{
    struct armv8_products sum = armv8_no_products();

    for (size_t n = 0; n < 8; n++)
        hash_nth(powers, &sum, data, n, s->hash);
    s->hash = armv8_reduce(sum);
}

__attribute__((noinline)) ARMV8_CRYPTO static void groups_by_powers(const struct gcm_armv8_key *key,
                                                                    const struct armv8_factor powers[8],
                                                                    struct state *state, uint8_t *data,
                                                                    size_t groups, bool seal)
{
    struct state s = *state;
    uint8_t *hashed = data;

    if (seal) {
        encrypt_group(key, &s, data);
        data += GROUP;
        groups--;
    }
    for (; groups > 0; groups--, data += GROUP, hashed += GROUP)
        both(key, powers, &s, data, hashed);
    if (seal)
        hash_group(powers, &s, hashed);
    *state = s;
}

/* The powers are memory of the caller's, so that the compiler makes no copies of them that are not wiped. */
ARMV8_CRYPTO static void run_groups(const struct gcm_armv8_key *key, struct state *state, uint8_t *data,
                                    size_t groups, bool seal)
{
    BYTES_UNSET struct armv8_factor powers[8]; /* H^8 first */

    for (size_t n = 0; n < 4; n++) {
        powers[4 + n] = power(key, 4 - n);
        powers[n] = armv8_factor(armv8_multiply(powers[4 + n].h, power(key, 4)));
    }
    groups_by_powers(key, powers, state, data, groups, seal);
    mem_wipe(powers, sizeof powers);
}

/* ---- whole messages ---------------------------------------------------------------------------------- */

ARMV8_INLINE void hash_aad(const struct gcm_armv8_key *key, struct state *s, const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t n = len < BLOCK ? len : BLOCK;

        s->hash = armv8_multiply(veorq_u64(s->hash, armv8_field(armv8_load_part(p, n))), power(key, 1));
        p += n;
        len -= n;
    }
}

/* The block that ends what is hashed: both lengths in bits, big-endian. */
ARMV8_INLINE uint64x2_t lengths(size_t aad_len, size_t len)
{
    uint64x2_t bits = vcombine_u64(vcreate_u64((uint64_t)aad_len << 3), vcreate_u64((uint64_t)len << 3));

    return armv8_field(vrev64q_u8(vreinterpretq_u8_u64(bits)));
}

/* The last bytes, less than a group, and the block of lengths; one reduction for each GCM_ARMV8_POWERS blocks,
 * counted from the end. */
ARMV8_INLINE void finish(const struct gcm_armv8_key *key, struct state *s, uint8_t *p, size_t len,
                         uint64x2_t last, bool seal)
{
    struct armv8_products sum = armv8_no_products();
    uint64x2_t before = s->hash;

    /* `left` blocks to hash before the last. */
    for (size_t left = (len + BLOCK - 1) / BLOCK; left > 0; left--) {
        size_t n = len < BLOCK ? len : BLOCK;
        uint8x16_t in = armv8_load_part(p, n);
        uint8x16_t out = armv8_store_part(p, n, veorq_u8(in, encrypt(key, armv8_next_counter(&s->counter))));

        armv8_add_product(&sum, veorq_u64(before, armv8_field(seal ? out : in)),
                          power(key, left % GCM_ARMV8_POWERS + 1));
        before = vdupq_n_u64(0);
        if (left % GCM_ARMV8_POWERS == 0) {
            before = armv8_reduce(sum);
            sum = armv8_no_products();
        }
        p += n;
        len -= n;
    }
    armv8_add_product(&sum, veorq_u64(before, last), power(key, 1));
    s->hash = armv8_reduce(sum);
}

/* Both ways: writes the tag that belongs to the ciphertext. */
ARMV8_CRYPTO static void run(const struct gcm_armv8_key *key, const uint8_t *nonce, const void *aad,
                             size_t aad_len, void *data, size_t len, uint8_t *tag, bool seal)
{
    struct state s = {.counter = armv8_counter(nonce, 1), .hash = vdupq_n_u64(0)};
    uint8x16_t mask = encrypt(key, armv8_next_counter(&s.counter));
    size_t in_groups = len - len % GROUP;

    hash_aad(key, &s, aad, aad_len);
    if (in_groups > 0)
        run_groups(key, &s, data, in_groups / GROUP, seal);
    finish(key, &s, (uint8_t *)data + in_groups, len - in_groups, lengths(aad_len, len), seal);
    armv8_store(tag, veorq_u8(mask, armv8_from_field(s.hash)));
}

void gcm_armv8_seal(const struct gcm_armv8_key *key, const uint8_t nonce[GCM_ARMV8_NONCE], const void *aad,
                    size_t aad_len, void *data, size_t len, uint8_t tag[GCM_ARMV8_TAG])
{
    run(key, nonce, aad, aad_len, data, len, tag, true);
}

bool gcm_armv8_open(const struct gcm_armv8_key *key, const uint8_t nonce[GCM_ARMV8_NONCE], const void *aad,
                    size_t aad_len, void *data, size_t len, const uint8_t tag[GCM_ARMV8_TAG])
{
    uint8_t expected[GCM_ARMV8_TAG];

    run(key, nonce, aad, aad_len, data, len, expected, false);
    return bytes_equal_secret(expected, tag, sizeof expected);
}

/* ---- keys -------------------------------------------------------------------------------------------- */

ARMV8_CRYPTO void gcm_armv8_init(struct gcm_armv8_key *key, const void *aes_key, size_t len)
{
    struct armv8_factor h;
    uint64x2_t hn;
    uint8_t round_keys[AES_ARMV8_ROUND_KEYS][16];

    assert(aes_armv8_has());
    key->rounds = (uint8_t)aes_armv8_expand(round_keys, aes_key, len);
    memcpy(key->round_keys, round_keys, (key->rounds + 1u) * BLOCK);
    mem_wipe(round_keys, sizeof round_keys);

    hn = armv8_field(encrypt(key, vdupq_n_u8(0)));
    h = armv8_factor(hn);
    for (size_t n = 1; n <= GCM_ARMV8_POWERS; n++) {
        armv8_store(key->powers[GCM_ARMV8_POWERS - n], vreinterpretq_u8_u64(hn));
        hn = armv8_multiply(hn, h);
    }
}

static size_t size_of_rounds(size_t rounds)
{
    return offsetof(struct gcm_armv8_key, round_keys) + (rounds + 1) * BLOCK;
}

size_t gcm_armv8_key_size(size_t len)
{
    return size_of_rounds(6 + len / 4);
}

void gcm_armv8_wipe(struct gcm_armv8_key *key)
{
    mem_wipe(key, size_of_rounds(key->rounds));
}

#endif
