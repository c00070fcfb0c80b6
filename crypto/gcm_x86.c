/* SPDX-License-Identifier: MIT
 *
 * Owns AES-GCM on x86-64: keys, the choice of a path, whole messages, and the path that every processor with
 * AES has. A message is its additional data, groups of blocks (by the path), and what is left, less than a
 * group, block by block: these are independent of each other until hashed, so the processor overlaps them by
 * itself.
 */
#include "crypto/gcm_x86.h"

#ifdef __x86_64__

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/cpu_x86.h"
#include "crypto/gcm_x86_wide.h"

#include <assert.h>
#include <bearssl.h>
#include <string.h>

#define TARGET   "aes,pclmul,sse4.1"
#define FUNCTION __attribute__((target(TARGET))) static
#define INLINE   GCM_X86_INLINE(TARGET)

enum { BLOCK = 16, GROUP = 8 * BLOCK, WIDEST_GROUP = 16 * BLOCK };

/* ---- AES and GHASH of one block ---------------------------------------------------------------------- */

INLINE __m128i load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

INLINE void store(void *p, __m128i v)
{
    _mm_storeu_si128((__m128i *)p, v);
}

INLINE __m128i reverse(__m128i v)
{
    return _mm_shuffle_epi8(v, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

INLINE __m128i encrypt(const struct gcm_x86_key *key, __m128i b)
{
    const uint8_t(*rk)[16] = key->round_keys;

    b = _mm_xor_si128(b, load(rk[0]));
    b = _mm_aesenc_si128(b, load(rk[1]));
    b = _mm_aesenc_si128(b, load(rk[2]));
    b = _mm_aesenc_si128(b, load(rk[3]));
    b = _mm_aesenc_si128(b, load(rk[4]));
    b = _mm_aesenc_si128(b, load(rk[5]));
    b = _mm_aesenc_si128(b, load(rk[6]));
    b = _mm_aesenc_si128(b, load(rk[7]));
    b = _mm_aesenc_si128(b, load(rk[8]));
    b = _mm_aesenc_si128(b, load(rk[9]));
    for (unsigned i = 10; i < key->rounds; i += 2) {
        b = _mm_aesenc_si128(b, load(rk[i]));
        b = _mm_aesenc_si128(b, load(rk[i + 1]));
    }
    return _mm_aesenclast_si128(b, load(rk[key->rounds]));
}

/* Counter blocks are kept reversed, so that the 32 bits that count are a lane's. */
INLINE __m128i next_counter(__m128i *counter)
{
    __m128i block = reverse(*counter);

    *counter = _mm_add_epi32(*counter, _mm_set_epi32(0, 0, 0, 1));
    return block;
}

/* A sum of products of 256 bits: `middle` is 64 bits above `low` and 64 below `high`. */
struct products {
    __m128i low, middle, high;
};

INLINE struct products no_products(void)
{
    return (struct products){_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
}

INLINE void add_product(struct products *sum, __m128i a, __m128i b)
{
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(a, b, 0x00));
    sum->middle = _mm_xor_si128(sum->middle, _mm_clmulepi64_si128(a, b, 0x01));
    sum->middle = _mm_xor_si128(sum->middle, _mm_clmulepi64_si128(a, b, 0x10));
    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(a, b, 0x11));
}

INLINE __m128i swap_halves(__m128i v)
{
    return _mm_shuffle_epi32(v, 0x4e);
}

INLINE __m128i reduce(struct products sum)
{
    __m128i polynomial = _mm_set_epi64x(0, GCM_X86_POLYNOMIAL);
    __m128i middle = _mm_xor_si128(sum.middle, swap_halves(sum.low));

    middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(sum.low, polynomial, 0x00));
    sum.high = _mm_xor_si128(sum.high, swap_halves(middle));
    return _mm_xor_si128(sum.high, _mm_clmulepi64_si128(middle, polynomial, 0x00));
}

INLINE __m128i multiply(__m128i a, __m128i b)
{
    struct products sum = no_products();

    add_product(&sum, a, b);
    return reduce(sum);
}

INLINE __m128i power(const struct gcm_x86_key *key, size_t n)
{
    return load(key->powers[GCM_X86_POWERS - n]);
}

/* ---- groups of 8 blocks ------------------------------------------------------------------------------ */

struct eight {
    __m128i b0, b1, b2, b3, b4, b5, b6, b7;
};

INLINE void eight_round(struct eight *e, const uint8_t *round_key)
{
    __m128i k = load(round_key);

    e->b0 = _mm_aesenc_si128(e->b0, k);
    e->b1 = _mm_aesenc_si128(e->b1, k);
    e->b2 = _mm_aesenc_si128(e->b2, k);
    e->b3 = _mm_aesenc_si128(e->b3, k);
    e->b4 = _mm_aesenc_si128(e->b4, k);
    e->b5 = _mm_aesenc_si128(e->b5, k);
    e->b6 = _mm_aesenc_si128(e->b6, k);
    e->b7 = _mm_aesenc_si128(e->b7, k);
}

INLINE void eight_start(struct eight *e, __m128i *counter, __m128i k)
{
    e->b0 = _mm_xor_si128(next_counter(counter), k);
    e->b1 = _mm_xor_si128(next_counter(counter), k);
    e->b2 = _mm_xor_si128(next_counter(counter), k);
    e->b3 = _mm_xor_si128(next_counter(counter), k);
    e->b4 = _mm_xor_si128(next_counter(counter), k);
    e->b5 = _mm_xor_si128(next_counter(counter), k);
    e->b6 = _mm_xor_si128(next_counter(counter), k);
    e->b7 = _mm_xor_si128(next_counter(counter), k);
}

INLINE void last_round(uint8_t *p, __m128i b, __m128i k)
{
    store(p, _mm_aesenclast_si128(b, _mm_xor_si128(k, load(p))));
}

INLINE void eight_finish(const struct eight *e, uint8_t *p, __m128i k)
{
    last_round(p, e->b0, k);
    last_round(p + 16, e->b1, k);
    last_round(p + 32, e->b2, k);
    last_round(p + 48, e->b3, k);
    last_round(p + 64, e->b4, k);
    last_round(p + 80, e->b5, k);
    last_round(p + 96, e->b6, k);
    last_round(p + 112, e->b7, k);
}

/* The n-th of the group at p; what was hashed before belongs to the first. */
INLINE void hash_nth(const __m128i powers[8], struct products *sum, const uint8_t *p, size_t n,
                     __m128i before)
{
    __m128i block = reverse(load(p + n * BLOCK));

    if (n == 0)
        block = _mm_xor_si128(block, before);
    add_product(sum, block, powers[n]);
}

/* Encrypts the group at `data` and hashes that at `hashed`: the two streams of instructions share nothing,
 * and each waits where the other works. The first block is hashed last: it alone needs what was hashed
 * before. */
INLINE void both(const struct gcm_x86_key *key, const __m128i powers[8], struct gcm_x86_state *s,
                 uint8_t *data, const uint8_t *hashed)
{
    const uint8_t(*rk)[16] = key->round_keys;
    struct products sum = no_products();
    struct eight e;

    eight_start(&e, &s->counter, load(rk[0]));
    eight_round(&e, rk[1]);
    hash_nth(powers, &sum, hashed, 1, s->hash);
    eight_round(&e, rk[2]);
    hash_nth(powers, &sum, hashed, 2, s->hash);
    eight_round(&e, rk[3]);
    hash_nth(powers, &sum, hashed, 3, s->hash);
    eight_round(&e, rk[4]);
    hash_nth(powers, &sum, hashed, 4, s->hash);
    eight_round(&e, rk[5]);
    hash_nth(powers, &sum, hashed, 5, s->hash);
    eight_round(&e, rk[6]);
    hash_nth(powers, &sum, hashed, 6, s->hash);
    eight_round(&e, rk[7]);
    hash_nth(powers, &sum, hashed, 7, s->hash);
    eight_round(&e, rk[8]);
    hash_nth(powers, &sum, hashed, 0, s->hash);
    eight_round(&e, rk[9]);
    s->hash = reduce(sum);
    for (unsigned i = 10; i < key->rounds; i += 2) {
        eight_round(&e, rk[i]);
        eight_round(&e, rk[i + 1]);
    }
    eight_finish(&e, data, load(rk[key->rounds]));
}

/* Block by block, as what begins and ends a long message need not be fast. */
INLINE void encrypt_group(const struct gcm_x86_key *key, struct gcm_x86_state *s, uint8_t *data)
{
    for (size_t n = 0; n < 8; n++, data += BLOCK)
        store(data, _mm_xor_si128(load(data), encrypt(key, next_counter(&s->counter))));
}

INLINE void hash_group(const __m128i powers[8], struct gcm_x86_state *s, const uint8_t *data)
{
    struct products sum = no_products();

    for (size_t n = 0; n < 8; n++)
        hash_nth(powers, &sum, data, n, s->hash);
    s->hash = reduce(sum);
}

__attribute__((noinline)) FUNCTION void run_groups(const struct gcm_x86_key *key, const __m128i powers[8],
                                                   struct gcm_x86_state *state, uint8_t *data, size_t groups,
                                                   bool seal)
{
    struct gcm_x86_state s = *state;
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
FUNCTION void groups_aesni(const struct gcm_x86_key *key, struct gcm_x86_state *state, uint8_t *data,
                           size_t groups, bool seal)
{
    BYTES_UNSET __m128i powers[8]; /* H^8 first */

    for (size_t n = 0; n < 4; n++) {
        powers[4 + n] = load(key->powers[n]);
        powers[n] = multiply(powers[4 + n], power(key, 4));
    }
    run_groups(key, powers, state, data, groups, seal);
    mem_wipe(powers, sizeof powers);
}

static const struct path {
    size_t group; /* bytes */
    gcm_x86_groups *run;
} paths[] = {
    [GCM_X86_AESNI] = {GROUP,        groups_aesni          },
    [GCM_X86_VAES256] = {GROUP,        gcm_x86_groups_vaes256},
    [GCM_X86_VAES512] = {WIDEST_GROUP, gcm_x86_groups_vaes512},
};

/* ---- whole messages ---------------------------------------------------------------------------------- */

/* A block of 1 to 16 bytes and zeros. */
INLINE __m128i load_part(const uint8_t *p, size_t n)
{
    uint8_t block[BLOCK] = {0};

    if (n == BLOCK)
        return load(p);
    memcpy(block, p, n);
    return load(block);
}

/* Writes the first n bytes of v, and answers them with zeros behind. */
INLINE __m128i store_part(uint8_t *p, size_t n, __m128i v)
{
    uint8_t block[BLOCK];

    if (n == BLOCK) {
        store(p, v);
        return v;
    }
    store(block, v);
    memcpy(p, block, n);
    memset(block + n, 0, sizeof block - n);
    return load(block);
}

FUNCTION void hash_aad(const struct gcm_x86_key *key, struct gcm_x86_state *s, const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t n = len < BLOCK ? len : BLOCK;

        s->hash = multiply(_mm_xor_si128(s->hash, reverse(load_part(p, n))), power(key, 1));
        p += n;
        len -= n;
    }
}

/* The last bytes, less than a group, and the block of lengths that ends what is hashed; one reduction for each
 * GCM_X86_POWERS blocks, counted from the end. */
INLINE void finish(const struct gcm_x86_key *key, struct gcm_x86_state *s, uint8_t *p, size_t len,
                   __m128i lengths, bool seal)
{
    struct products sum = no_products();
    __m128i before = s->hash;
    size_t left = (len + BLOCK - 1) / BLOCK; /* blocks to hash before that of lengths */

    for (; left > 0; left--) {
        size_t n = len < BLOCK ? len : BLOCK;
        __m128i in = load_part(p, n);
        __m128i out = store_part(p, n, _mm_xor_si128(in, encrypt(key, next_counter(&s->counter))));

        add_product(&sum, _mm_xor_si128(before, reverse(seal ? out : in)),
                    power(key, left % GCM_X86_POWERS + 1));
        before = _mm_setzero_si128();
        if (left % GCM_X86_POWERS == 0) {
            before = reduce(sum);
            sum = no_products();
        }
        p += n;
        len -= n;
    }
    add_product(&sum, _mm_xor_si128(before, lengths), power(key, 1));
    s->hash = reduce(sum);
}

/* Both ways: writes the tag that belongs to the ciphertext. */
FUNCTION void run(const struct gcm_x86_key *key, const uint8_t *nonce, const void *aad, size_t aad_len,
                  void *data, size_t len, uint8_t *tag, bool seal)
{
    const struct path *path = &paths[key->path];
    struct gcm_x86_state s = {.hash = _mm_setzero_si128()};
    __m128i lengths = _mm_set_epi64x((long long)aad_len << 3, (long long)len << 3);
    size_t groups = len / path->group;
    uint8_t block[BLOCK] = {[BLOCK - 1] = 1};
    __m128i mask;

    memcpy(block, nonce, GCM_X86_NONCE);
    s.counter = reverse(load(block));
    mask = encrypt(key, next_counter(&s.counter));
    hash_aad(key, &s, aad, aad_len);
    if (groups > 0)
        path->run(key, &s, data, groups, seal);
    finish(key, &s, (uint8_t *)data + groups * path->group, len - groups * path->group, lengths, seal);
    store(tag, _mm_xor_si128(mask, reverse(s.hash)));
}

void gcm_x86_seal(const struct gcm_x86_key *key, const uint8_t nonce[GCM_X86_NONCE], const void *aad,
                  size_t aad_len, void *data, size_t len, uint8_t tag[GCM_X86_TAG])
{
    run(key, nonce, aad, aad_len, data, len, tag, true);
}

bool gcm_x86_open(const struct gcm_x86_key *key, const uint8_t nonce[GCM_X86_NONCE], const void *aad,
                  size_t aad_len, void *data, size_t len, const uint8_t tag[GCM_X86_TAG])
{
    uint8_t expected[GCM_X86_TAG];

    run(key, nonce, aad, aad_len, data, len, expected, false);
    return bytes_equal_secret(expected, tag, sizeof expected);
}

/* ---- keys -------------------------------------------------------------------------------------------- */

bool gcm_x86_has(enum gcm_x86_path path)
{
    bool aesni = cpu_x86_has(CPU_X86_AES | CPU_X86_PCLMUL | CPU_X86_SSE41);
    bool wide = aesni && cpu_x86_has(CPU_X86_VAES | CPU_X86_VPCLMUL | CPU_X86_AVX2);

    switch (path) {
    case GCM_X86_NONE: return true;
    case GCM_X86_AESNI: return aesni;
    case GCM_X86_VAES256: return wide;
    case GCM_X86_VAES512: return wide && cpu_x86_has(CPU_X86_AVX512);
    }
    return false;
}

enum gcm_x86_path gcm_x86_best(void)
{
    enum gcm_x86_path path = GCM_X86_VAES512;

    while (!gcm_x86_has(path))
        path--;
    return path;
}

/* Multiplies by x in the field of reversed blocks: a shift, and the polynomial when a bit falls out. */
FUNCTION __m128i times_x(const uint8_t h[BLOCK])
{
    uint64_t high = 0, low = 0, out;

    for (size_t i = 0; i < 8; i++) {
        high = high << 8 | h[i];
        low = low << 8 | h[i + 8];
    }
    out = 0 - (high >> 63);
    high = (high << 1 | low >> 63) ^ (out & (uint64_t)GCM_X86_POLYNOMIAL);
    low = (low << 1) ^ (out & 1);
    return _mm_set_epi64x((long long)high, (long long)low);
}

__attribute__((target(TARGET))) void gcm_x86_init(struct gcm_x86_key *key, enum gcm_x86_path path,
                                                  const void *aes_key, size_t len)
{
    br_aes_x86ni_ctr_keys schedule;
    uint8_t h[BLOCK];
    __m128i h1, hn;

    assert(path != GCM_X86_NONE && gcm_x86_has(path));
    br_aes_x86ni_ctr_init(&schedule, aes_key, len);
    key->rounds = (uint8_t)schedule.num_rounds;
    key->path = (uint8_t)path;
    memcpy(key->round_keys, schedule.skey.skni, (key->rounds + 1u) * BLOCK);

    store(h, encrypt(key, _mm_setzero_si128()));
    h1 = times_x(h);
    hn = h1;
    store(key->powers[GCM_X86_POWERS - 1], h1);
    for (size_t n = 2; n <= GCM_X86_POWERS; n++) {
        hn = multiply(hn, h1);
        store(key->powers[GCM_X86_POWERS - n], hn);
    }
    mem_wipe(h, sizeof h);
    mem_wipe(&schedule, sizeof schedule);
}

static size_t size_of_rounds(size_t rounds)
{
    return offsetof(struct gcm_x86_key, round_keys) + (rounds + 1) * BLOCK;
}

size_t gcm_x86_key_size(size_t len)
{
    return size_of_rounds(6 + len / 4);
}

void gcm_x86_wipe(struct gcm_x86_key *key)
{
    mem_wipe(key, size_of_rounds(key->rounds));
}

#endif
