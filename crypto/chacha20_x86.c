/* SPDX-License-Identifier: MIT
 *
 * Owns ChaCha20 and ChaCha20-Poly1305 on x86-64: the choice of a path, and whole texts, which are cut into groups of
 * the path's size and a rest. A group takes the same time however few of its blocks are used: so the rest goes with
 * the block that makes the key of the hash, and to the smallest group that does it.
 */
#include "crypto/chacha20_x86.h"

#ifdef __x86_64__

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/chacha20_x86_wide.h"
#include "crypto/cpu_x86.h"
#include "crypto/poly1305_m64.h"

#include <string.h>

enum { BLOCK = 64, WIDEST_GROUP = 1024 };

static const struct path {
    size_t group; /* bytes */
    chacha20_x86_groups *run;
} paths[] = {
    [CHACHA20_X86_AVX2] = {512,          chacha20_x86_groups_avx2  },
    [CHACHA20_X86_AVX512] = {WIDEST_GROUP, chacha20_x86_groups_avx512},
};

bool chacha20_x86_has(enum chacha20_x86_path path)
{
    switch (path) {
    case CHACHA20_X86_NONE: return true;
    case CHACHA20_X86_AVX2: return cpu_x86_has(CPU_X86_AVX2);
    case CHACHA20_X86_AVX512: return cpu_x86_has(CPU_X86_AVX512 | CPU_X86_AVX2);
    }
    return false;
}

enum chacha20_x86_path chacha20_x86_best(void)
{
    enum chacha20_x86_path path = CHACHA20_X86_AVX512;

    while (!chacha20_x86_has(path))
        path--;
    return path;
}

static const struct chacha20_x86 initial = {
    .words = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574},
    .lanes = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

/* RFC 8439 §2.3 */
static void start(struct chacha20_x86 *s, const void *key, const void *nonce, uint32_t counter)
{
    *s = initial;
    memcpy(s->words + 4, key, 32);
    s->words[12] = counter;
    memcpy(s->words + 13, nonce, 12);
}

/* At most a group. What there is behind it up to the end of its group changes too: answers where that is. */
static size_t add_part(const struct path *path, struct chacha20_x86 *s, uint8_t *p, size_t len)
{
    if (len <= paths[CHACHA20_X86_AVX2].group)
        path = &paths[CHACHA20_X86_AVX2];
    path->run(s, p, 1, NULL, NULL);
    return path->group;
}

/* ---- ChaCha20 ---------------------------------------------------------------------------------------- */

uint32_t chacha20_x86_add(enum chacha20_x86_path path_id, const void *key, const void *nonce,
                          uint32_t counter, void *data, size_t len)
{
    BYTES_UNSET uint8_t room[WIDEST_GROUP];
    BYTES_UNSET struct chacha20_x86 s;
    const struct path *path = &paths[path_id];
    size_t groups, rest, used;
    uint8_t *p = data;

    if (path_id == CHACHA20_X86_NONE || len <= BLOCK)
        return br_chacha20_sse2_run(key, nonce, counter, data, len);
    start(&s, key, nonce, counter);
    groups = len / path->group;
    rest = len % path->group;
    if (groups > 0)
        path->run(&s, p, groups, NULL, NULL);
    if (rest > 0) {
        p += len - rest;
        memcpy(room, p, rest);
        used = add_part(path, &s, room, rest);
        memcpy(p, room, rest);
        mem_wipe(room, used);
    }
    mem_wipe(&s, sizeof s);
    return counter + (uint32_t)((len + BLOCK - 1) / BLOCK);
}

uint32_t chacha20_x86_run(const void *key, const void *nonce, uint32_t counter, void *data, size_t len)
{
    return chacha20_x86_add(chacha20_x86_best(), key, nonce, counter, data, len);
}

/* ---- with Poly1305 ----------------------------------------------------------------------------------- */

struct aead {
    const struct path *path;
    struct chacha20_x86 stream;
    struct poly1305_m64 hash;
    bool encrypt;
};

/* What is hashed is what was encrypted, and of a text that is encrypted that is there only a group later: its first is
 * encrypted alone and its last hashed alone. */
static void run_groups(struct aead *a, uint8_t *p, size_t n)
{
    size_t group = a->path->group;

    if (n > 1 || !a->encrypt)
        poly1305_m64_prepare(&a->hash, (unsigned)(group / 2 / POLY1305_M64_BLOCK));
    a->stream.words[12] = 1;
    if (!a->encrypt) {
        a->path->run(&a->stream, p, n, &a->hash, p);
        return;
    }
    a->path->run(&a->stream, p, 1, NULL, NULL);
    if (n > 1)
        a->path->run(&a->stream, p + group, n - 1, &a->hash, p);
    poly1305_m64_update(&a->hash, p + (n - 1) * group, group);
}

/* The key of the hash is the beginning of block 0 (RFC 8439 §2.6), and the rest comes after it and `before` blocks.
 * Both are in `room`, a block apart, and one group encrypts both if it has room for both. Answers what of `room`
 * was used. */
static size_t run_key_and_rest(struct aead *a, uint32_t before, uint8_t *room, size_t rest)
{
    struct chacha20_x86 *s = &a->stream;
    size_t used;

    if (BLOCK + rest <= a->path->group && (rest > 0 || before == 0)) {
        s->words[12] = before;
        s->lanes[0] = 0 - before;
        used = add_part(a->path, s, room, BLOCK + rest);
        s->lanes[0] = 0;
        return used;
    }
    br_chacha20_sse2_run(s->words + 4, s->words + 13, 0, room, BLOCK);
    s->words[12] = before + 1;
    return BLOCK + (rest > 0 ? add_part(a->path, s, room + BLOCK, rest) : 0);
}

static void run_text(struct aead *a, const void *aad, size_t aad_len, uint8_t *p, size_t len)
{
    BYTES_UNSET uint8_t room[BLOCK + WIDEST_GROUP];
    size_t group = a->path->group, n = len / group, rest = len % group, used;
    uint8_t *end = p + n * group;

    memset(room, 0, BLOCK);
    if (rest > 0)
        memcpy(room + BLOCK, end, rest);
    used = run_key_and_rest(a, (uint32_t)(n * (group / BLOCK)), room, rest);

    poly1305_m64_init(&a->hash, room);
    poly1305_m64_update(&a->hash, aad, aad_len);
    if (n > 0)
        run_groups(a, p, n);
    if (!a->encrypt)
        poly1305_m64_update(&a->hash, end, rest);
    if (rest > 0)
        memcpy(end, room + BLOCK, rest);
    if (a->encrypt)
        poly1305_m64_update(&a->hash, end, rest);
    mem_wipe(room, used);
}

void chacha20_x86_aead(enum chacha20_x86_path path, const void *key, const void *nonce, void *data,
                       size_t len, const void *aad, size_t aad_len, void *tag, bool encrypt)
{
    uint64_t lengths[2] = {aad_len, len};
    BYTES_UNSET struct aead a;

    if (path == CHACHA20_X86_NONE) {
        poly1305_m64_run(key, nonce, data, len, aad, aad_len, tag, br_chacha20_sse2_run, encrypt);
        return;
    }
    a.path = &paths[path];
    start(&a.stream, key, nonce, 0);
    a.encrypt = encrypt;
    run_text(&a, aad, aad_len, data, len);
    poly1305_m64_update(&a.hash, lengths, sizeof lengths);
    poly1305_m64_tag(&a.hash, tag);
    mem_wipe(&a, sizeof a);
}

void chacha20_x86_poly1305_run(const void *key, const void *nonce, void *data, size_t len, const void *aad,
                               size_t aad_len, void *tag, br_chacha20_run ichacha, int encrypt)
{
    (void)ichacha;
    chacha20_x86_aead(chacha20_x86_best(), key, nonce, data, len, aad, aad_len, tag, encrypt != 0);
}

#endif
