/* SPDX-License-Identifier: MIT
 *
 * Each path of AES-GCM that this processor has: against Wycheproof's vectors, against BearSSL on random input
 * of every length and alignment, and with something changed, which must be refused.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/wycheproof.h"
#include "crypto/gcm_x86.h"

#include <bearssl.h>
#include <stdlib.h>

#ifdef __x86_64__

static const char *const path_names[] = {"none", "aesni", "vaes256", "vaes512"};

/* ---- Wycheproof -------------------------------------------------------------------------------------- */

struct vector {
    uint8_t key[32], iv[1024], aad[1024], msg[1024], ct[1024], tag[16];
    size_t key_len, iv_len, aad_len, msg_len, ct_len, tag_len;
    bool valid;
};

static void read_vector(const struct wycheproof *w, struct vector *v)
{
    v->key_len = wycheproof_hex(w, "key", v->key, sizeof v->key);
    v->iv_len = wycheproof_hex(w, "iv", v->iv, sizeof v->iv);
    v->aad_len = wycheproof_hex(w, "aad", v->aad, sizeof v->aad);
    v->msg_len = wycheproof_hex(w, "msg", v->msg, sizeof v->msg);
    v->ct_len = wycheproof_hex(w, "ct", v->ct, sizeof v->ct);
    v->tag_len = wycheproof_hex(w, "tag", v->tag, sizeof v->tag);
    v->valid = wycheproof_result(w) == WYCHEPROOF_VALID;
}

static bool vector_holds(const struct vector *v, enum gcm_x86_path path)
{
    struct gcm_x86_key key;
    uint8_t data[1024], tag[16];
    bool opened, same = true;

    gcm_x86_init(&key, path, v->key, v->key_len);
    memcpy(data, v->ct, v->ct_len);
    opened = gcm_x86_open(&key, v->iv, v->aad, v->aad_len, data, v->ct_len, v->tag);
    if (v->valid) {
        same = memcmp(data, v->msg, v->msg_len) == 0;
        memcpy(data, v->msg, v->msg_len);
        gcm_x86_seal(&key, v->iv, v->aad, v->aad_len, data, v->msg_len, tag);
        same = same && memcmp(data, v->ct, v->ct_len) == 0 && memcmp(tag, v->tag, sizeof tag) == 0;
    }
    gcm_x86_wipe(&key);
    return opened == v->valid && same;
}

TEST(wycheproof)
{
    struct wycheproof *w = wycheproof_open("aes_gcm_test.json");
    struct vector v;
    unsigned all = 0, used = 0, valid = 0;

    while (wycheproof_next(w)) {
        all++;
        read_vector(w, &v);
        if (v.iv_len != GCM_X86_NONCE || v.tag_len != GCM_X86_TAG)
            continue;
        used++;
        valid += v.valid;
        for (enum gcm_x86_path path = GCM_X86_AESNI; path <= GCM_X86_VAES512; path++)
            if (gcm_x86_has(path) && !CHECK(vector_holds(&v, path)))
                printf("    test %u, %s\n", wycheproof_id(w), path_names[path]);
    }
    wycheproof_close(w);
    printf("%u of %u vectors have a nonce of 96 bits, %u of them valid\n", used, all, valid);
    CHECK_EQ(all, 316);
    CHECK_EQ(used, 197);
}

/* ---- against BearSSL --------------------------------------------------------------------------------- */

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static size_t random_below(size_t n)
{
    return (size_t)(random_number() >> 32) % n;
}

static void random_bytes(void *p, size_t n)
{
    uint8_t *to = p;

    while (n > 0) {
        uint64_t r = random_number();
        size_t part = n < sizeof r ? n : sizeof r;

        memcpy(to, &r, part);
        to += part;
        n -= part;
    }
}

/* One input and what BearSSL's portable code makes of it. */
struct input {
    uint8_t key[32], nonce[GCM_X86_NONCE], tag[GCM_X86_TAG];
    size_t key_len, aad_len, len;
    uint8_t *aad, *text, *sealed;
    size_t aad_at, at; /* distance from where malloc() aligns to */
};

static void reference(const struct input *in)
{
    br_aes_ct64_ctr_keys aes;
    br_gcm_context gcm;

    br_aes_ct64_ctr_init(&aes, in->key, in->key_len);
    br_gcm_init(&gcm, &aes.vtable, br_ghash_ctmul64);
    br_gcm_reset(&gcm, in->nonce, sizeof in->nonce);
    br_gcm_aad_inject(&gcm, in->aad + in->aad_at, in->aad_len);
    br_gcm_flip(&gcm);
    br_gcm_run(&gcm, 1, in->sealed, in->len);
    br_gcm_get_tag(&gcm, (uint8_t *)in->tag);
}

/* The buffers end where their content does, so that AddressSanitizer sees a byte too many. */
static struct input input_new(size_t key_len, size_t len, size_t aad_len)
{
    struct input in = {.key_len = key_len, .len = len, .aad_len = aad_len};

    in.at = random_below(64);
    in.aad_at = random_below(16);
    in.aad = malloc(in.aad_at + aad_len + 1);
    in.text = malloc(len + 1);
    in.sealed = malloc(len + 1);
    if (in.aad == NULL || in.text == NULL || in.sealed == NULL)
        abort();
    in.aad = realloc(in.aad, in.aad_at + aad_len + (in.aad_at + aad_len == 0));
    random_bytes(in.key, sizeof in.key);
    random_bytes(in.nonce, sizeof in.nonce);
    random_bytes(in.aad, in.aad_at + aad_len);
    random_bytes(in.text, len);
    memcpy(in.sealed, in.text, len);
    reference(&in);
    return in;
}

static void input_free(struct input *in)
{
    free(in->aad);
    free(in->text);
    free(in->sealed);
}

enum change { CHANGE_NOTHING, CHANGE_TAG, CHANGE_DATA, CHANGE_AAD, CHANGE_NONCE, CHANGES };

static bool opens(const struct gcm_x86_key *key, const struct input *in, uint8_t *data, enum change change)
{
    uint8_t nonce[GCM_X86_NONCE], tag[GCM_X86_TAG], aad[80];
    uint8_t bit = (uint8_t)(1u << random_below(8));

    memcpy(nonce, in->nonce, sizeof nonce);
    memcpy(tag, in->tag, sizeof tag);
    memcpy(aad, in->aad + in->aad_at, in->aad_len);
    memcpy(data, in->sealed, in->len);
    if (change == CHANGE_TAG)
        tag[random_below(sizeof tag)] ^= bit;
    if (change == CHANGE_NONCE)
        nonce[random_below(sizeof nonce)] ^= bit;
    if (change == CHANGE_DATA && in->len > 0)
        data[random_below(in->len)] ^= bit;
    if (change == CHANGE_AAD && in->aad_len > 0)
        aad[random_below(in->aad_len)] ^= bit;
    return gcm_x86_open(key, nonce, aad, in->aad_len, data, in->len, tag);
}

/* Seals and opens as BearSSL does, and refuses one thing changed. */
static bool agrees(const struct input *in, enum gcm_x86_path path)
{
    uint8_t *start = malloc(in->at + in->len + (in->at + in->len == 0)), *data = start + in->at;
    enum change change = 1 + (enum change)random_below(CHANGES - 1);
    struct gcm_x86_key key;
    uint8_t tag[GCM_X86_TAG];
    bool ok = true;

    if (start == NULL)
        abort();
    gcm_x86_init(&key, path, in->key, in->key_len);
    memset(start, 0xa5, in->at);
    memcpy(data, in->text, in->len);

    gcm_x86_seal(&key, in->nonce, in->aad + in->aad_at, in->aad_len, data, in->len, tag);
    ok &= CHECK(memcmp(data, in->sealed, in->len) == 0);
    ok &= CHECK(memcmp(tag, in->tag, sizeof tag) == 0);
    ok &= CHECK(opens(&key, in, data, CHANGE_NOTHING));
    ok &= CHECK(memcmp(data, in->text, in->len) == 0);
    if ((change == CHANGE_DATA && in->len == 0) || (change == CHANGE_AAD && in->aad_len == 0))
        change = CHANGE_TAG;
    ok &= CHECK(!opens(&key, in, data, change));
    for (size_t i = 0; i < in->at; i++)
        ok &= start[i] == 0xa5;
    if (!CHECK(ok))
        printf("    %s: key of %zu, %zu bytes at %zu, %zu of additional data, change %d\n", path_names[path],
               in->key_len, in->len, in->at, in->aad_len, (int)change);
    free(start);
    return ok;
}

static bool all_agree(size_t key_len, size_t len, size_t aad_len)
{
    struct input in = input_new(key_len, len, aad_len);
    bool ok = true;

    for (enum gcm_x86_path path = GCM_X86_AESNI; path <= GCM_X86_VAES512; path++)
        if (gcm_x86_has(path))
            ok &= agrees(&in, path);
    input_free(&in);
    return ok;
}

static size_t random_key_len(void)
{
    return 16 + 8 * random_below(3);
}

TEST(every_short_length)
{
    for (size_t len = 0; len <= 600; len++)
        for (size_t key_len = 16; key_len <= 32; key_len += 8)
            if (!all_agree(key_len, len, 13) || !all_agree(key_len, len, random_below(65)))
                return;
}

TEST(every_length_of_additional_data)
{
    for (size_t aad_len = 0; aad_len <= 64; aad_len++)
        for (size_t len = 0; len < 40; len++)
            if (!all_agree(random_key_len(), len, aad_len))
                return;
}

TEST(random_inputs)
{
    for (size_t i = 0; i < 100000; i++)
        if (!all_agree(random_key_len(), random_below(601), random_below(65)))
            return;
}

TEST(long_random_inputs)
{
    for (size_t i = 0; i < 3000; i++)
        if (!all_agree(random_key_len(), random_below(17000), random_below(65)))
            return;
    CHECK(all_agree(16, 16384, 13));
    CHECK(all_agree(32, 16384 + 1, 5)); /* TLS 1.3: the type is sealed with the text */
    CHECK(all_agree(32, 16384 + 256, 5));
}

/* The counter's carry goes beyond 16 bits after 1 MiB. */
TEST(a_message_of_more_than_65536_blocks)
{
    CHECK(all_agree(16, (1 << 20) + 4711, 13));
}

TEST(each_bit_of_the_tag_counts)
{
    struct input in = input_new(16, 100, 13);
    uint8_t data[100];
    struct gcm_x86_key key;

    for (enum gcm_x86_path path = GCM_X86_AESNI; path <= GCM_X86_VAES512; path++) {
        if (!gcm_x86_has(path))
            continue;
        gcm_x86_init(&key, path, in.key, in.key_len);
        for (size_t bit = 0; bit < 128; bit++) {
            in.tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(!opens(&key, &in, data, CHANGE_NOTHING));
            in.tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CHECK(opens(&key, &in, data, CHANGE_NOTHING));
    }
    input_free(&in);
}

TEST(a_key_may_be_moved_and_is_wiped)
{
    struct input in = input_new(32, 5000, 13);
    uint8_t *room = malloc(sizeof(struct gcm_x86_key) + 64), *data = malloc(5000);
    struct gcm_x86_key key, *moved;
    size_t set = 0;

    if (room == NULL || data == NULL)
        abort();
    gcm_x86_init(&key, gcm_x86_best(), in.key, in.key_len);
    for (size_t at = 0; at < 64; at++) {
        moved = (struct gcm_x86_key *)(void *)(room + at);
        memcpy(moved, &key, sizeof key);
        CHECK(opens(moved, &in, data, CHANGE_NOTHING));
    }
    gcm_x86_wipe(&key);
    for (size_t i = 0; i < sizeof key; i++)
        set += ((uint8_t *)&key)[i] != 0;
    CHECK_EQ(set, 0);
    free(room);
    free(data);
    input_free(&in);
}

/* AddressSanitizer sees a byte too many. */
TEST(a_key_takes_the_room_that_its_size_needs)
{
    CHECK_EQ(gcm_x86_key_size(16), 242);
    CHECK_EQ(gcm_x86_key_size(24), 274);
    CHECK_EQ(gcm_x86_key_size(32), sizeof(struct gcm_x86_key));
    for (enum gcm_x86_path path = GCM_X86_AESNI; path <= GCM_X86_VAES512; path++) {
        for (size_t len = 16; gcm_x86_has(path) && len <= 32; len += 8) {
            struct input in = input_new(len, 1000, 13);
            struct gcm_x86_key *key = malloc(gcm_x86_key_size(len));
            uint8_t data[1000], wiped[sizeof *key] = {0};

            if (key == NULL)
                abort();
            gcm_x86_init(key, path, in.key, len);
            CHECK(opens(key, &in, data, CHANGE_NOTHING));
            gcm_x86_wipe(key);
            CHECK(memcmp(key, wiped, gcm_x86_key_size(len)) == 0);
            gcm_x86_wipe(key);
            free(key);
            input_free(&in);
        }
    }
}

TEST(the_best_path_is_one_that_there_is)
{
    enum gcm_x86_path best = gcm_x86_best();

    printf("paths:");
    for (enum gcm_x86_path path = GCM_X86_AESNI; path <= GCM_X86_VAES512; path++)
        printf(" %s%s", path_names[path], gcm_x86_has(path) ? "" : " (not here, not tested)");
    printf("\n");
    CHECK(gcm_x86_has(best));
    for (enum gcm_x86_path path = best + 1; path <= GCM_X86_VAES512; path++)
        CHECK(!gcm_x86_has(path));
}

TEST_MAIN(RUN(the_best_path_is_one_that_there_is), RUN(wycheproof), RUN(every_short_length),
          RUN(every_length_of_additional_data), RUN(random_inputs), RUN(long_random_inputs),
          RUN(a_message_of_more_than_65536_blocks), RUN(each_bit_of_the_tag_counts),
          RUN(a_key_may_be_moved_and_is_wiped), RUN(a_key_takes_the_room_that_its_size_needs))

#else

TEST(only_on_x86_64)
{
    CHECK(true);
}

TEST_MAIN(RUN(only_on_x86_64))

#endif
