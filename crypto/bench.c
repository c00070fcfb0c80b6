/* SPDX-License-Identifier: MIT
 *
 * Owns the table of what is measured. A row is one operation, run by either side: ours is what crypto_impl() chose,
 * BearSSL's the fastest that its manual would pick on this processor. The keys here are for measuring alone.
 */
#include "crypto/bench.h"

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/impl.h"

#include <string.h>
#include <time.h>

#ifdef __SIZEOF_INT128__
#define POLY1305 br_poly1305_ctmulq_run
#else
#define POLY1305 br_poly1305_ctmul_run
#endif

enum { RECORD = 16384, SHORT = 1024, SLICE_US = 50 * 1000, SLICES = 4 };

/* One side's implementations. */
struct side {
    bool ours;
    const br_ec_impl *ec, *ecdhe;
    br_ecdsa_sign ecdsa_sign;
    br_ecdsa_vrfy ecdsa_vrfy;
    br_rsa_pkcs1_sign rsa_sign;
    const br_hash_class *sha256;
};

/* What the operations work on. */
struct work {
    const struct side *side;
    uint8_t text[RECORD], tag[AEAD_TAG], nonce[AEAD_NONCE], key[AEAD_KEY_MAX];
    uint8_t scalar[32], hash[32], point[65], signature[256];
    size_t signature_len;
    uint64_t aead[128];      /* ours, expanded */
    br_aes_gen_ctr_keys aes; /* BearSSL's */
};

/* A fresh key of 2048 bits that nothing else uses. */
static const uint8_t rsa_numbers[5 * 128] = {
    /* p, q, dp, dq, iq */
    0xfd, 0xf6, 0x94, 0xbf, 0x58, 0x95, 0xfe, 0x15, 0x68, 0x47, 0x4e, 0xca, 0xd0, 0x1c, 0x53, 0x75, 0x74,
    0xdd, 0xd5, 0x3d, 0x33, 0xc6, 0x67, 0xbb, 0xd5, 0xab, 0xa9, 0xce, 0xb6, 0x6c, 0x5c, 0x01, 0x97, 0x17,
    0x80, 0x43, 0xb8, 0x11, 0xb4, 0xc3, 0xe8, 0xbc, 0x3e, 0x92, 0x56, 0x4a, 0xb4, 0xf7, 0x5f, 0x73, 0xf0,
    0xbe, 0x8f, 0x88, 0xcf, 0x7f, 0x32, 0xed, 0xa3, 0xb7, 0xf8, 0x1b, 0x0e, 0x71, 0x64, 0x43, 0x55, 0xaf,
    0x70, 0xe9, 0x82, 0x55, 0x50, 0x25, 0xe9, 0x05, 0xe7, 0xc3, 0xc7, 0xb1, 0xcc, 0xb2, 0x68, 0x53, 0xbd,
    0x96, 0x13, 0x99, 0xd0, 0x94, 0x34, 0x78, 0xbd, 0xe0, 0x94, 0x7a, 0x58, 0x1e, 0x5c, 0xca, 0x0e, 0x17,
    0xcb, 0xa2, 0xc2, 0xe5, 0x75, 0x6d, 0xcb, 0x57, 0xf1, 0xf1, 0x34, 0x85, 0x18, 0xaa, 0xf4, 0x64, 0xe1,
    0x91, 0xeb, 0xa9, 0x4e, 0xfd, 0x11, 0xe0, 0xea, 0x87, 0xec, 0xe6, 0x77, 0xe4, 0xa8, 0x59, 0xc7, 0x06,
    0xfc, 0xda, 0xb2, 0x90, 0xde, 0x28, 0x96, 0x47, 0x13, 0xe0, 0xde, 0xa5, 0x11, 0x24, 0x81, 0xd5, 0x7d,
    0x3b, 0xc1, 0xee, 0x21, 0x90, 0x2b, 0x4e, 0xfa, 0x8f, 0x92, 0x17, 0xeb, 0x2f, 0x1c, 0x8c, 0x9b, 0x11,
    0x50, 0x19, 0x3a, 0x3b, 0x8b, 0xce, 0x9c, 0xcf, 0x8b, 0xd1, 0xa2, 0x09, 0x2c, 0x35, 0xd7, 0x3c, 0x79,
    0x7d, 0x1c, 0x9e, 0xc1, 0xe9, 0x1c, 0xe2, 0x8b, 0xce, 0xb3, 0x91, 0xb6, 0x04, 0xdd, 0x21, 0x8c, 0x0d,
    0xb3, 0xb3, 0xd5, 0xb5, 0x61, 0xed, 0xe7, 0xc7, 0x9e, 0xa4, 0x15, 0x7c, 0x4c, 0xce, 0x12, 0x75, 0x4c,
    0x28, 0x1e, 0xd0, 0x44, 0x99, 0xd0, 0xdc, 0x28, 0x26, 0x76, 0x19, 0xff, 0x48, 0xd5, 0xae, 0x4d, 0x13,
    0xe9, 0xe8, 0xdb, 0x0b, 0x94, 0x8b, 0x91, 0x89, 0x01, 0xbe, 0x6d, 0x20, 0x05, 0xda, 0xff, 0xf8, 0x49,
    0xe7, 0x71, 0x1a, 0x57, 0x06, 0x9c, 0xaa, 0x38, 0x3d, 0x4a, 0x72, 0xaf, 0x79, 0x8d, 0x93, 0x7f, 0xeb,
    0xc8, 0x7f, 0x5f, 0x0f, 0x61, 0xb6, 0x93, 0xce, 0x48, 0x8b, 0xaa, 0x15, 0x60, 0x93, 0x03, 0xaa, 0xc5,
    0xa2, 0x76, 0xc2, 0x32, 0x00, 0xd8, 0xb3, 0x83, 0x3c, 0x0a, 0xd5, 0xdb, 0x4e, 0x6c, 0x27, 0xdb, 0x3f,
    0xe4, 0x50, 0xc9, 0xd5, 0xd1, 0x2b, 0x42, 0x00, 0x29, 0xb0, 0xad, 0xf3, 0x46, 0xcc, 0x63, 0x2d, 0xc5,
    0xc4, 0x5b, 0x91, 0xf3, 0x34, 0x91, 0x7c, 0x40, 0xba, 0x1b, 0x8c, 0xca, 0xab, 0xb9, 0x91, 0x1e, 0xfb,
    0x64, 0x6c, 0xa9, 0x10, 0x10, 0x9f, 0x60, 0x7b, 0x01, 0x7d, 0x3a, 0x42, 0xfe, 0x69, 0x8f, 0x43, 0x81,
    0x61, 0x41, 0x94, 0x9c, 0x1d, 0xda, 0xdd, 0x69, 0xf9, 0x21, 0xcc, 0x1d, 0x6a, 0xc5, 0x20, 0xa5, 0xb5,
    0x23, 0xec, 0x7b, 0xba, 0xac, 0x6d, 0xf2, 0x7f, 0x6b, 0x93, 0x63, 0x56, 0x4c, 0xe5, 0xf3, 0xf6, 0x19,
    0x70, 0x03, 0xad, 0x4c, 0xfd, 0x54, 0x3a, 0xde, 0xb1, 0x15, 0x53, 0xd0, 0xe8, 0x94, 0xa4, 0xa3, 0x50,
    0xbb, 0x3f, 0xc8, 0x95, 0x2b, 0x3b, 0xc1, 0xfd, 0x4f, 0x31, 0xce, 0xc7, 0xfa, 0xd5, 0x79, 0x7a, 0x38,
    0x37, 0xed, 0x47, 0x76, 0xd4, 0xab, 0x4e, 0x4b, 0x10, 0xf8, 0x87, 0x42, 0x13, 0xe8, 0x96, 0xf7, 0x17,
    0x23, 0xb6, 0x63, 0xbe, 0xea, 0x7e, 0xee, 0x9e, 0xcc, 0x93, 0x33, 0x57, 0x21, 0x65, 0x2e, 0xb8, 0xb7,
    0x7a, 0xb3, 0x64, 0xf0, 0x73, 0x2b, 0x8a, 0x50, 0x0b, 0xb3, 0xa9, 0x08, 0x5d, 0x63, 0xf3, 0x71, 0x68,
    0x00, 0x34, 0x3e, 0x9f, 0x84, 0x74, 0x9f, 0x51, 0x02, 0x01, 0x06, 0xba, 0xe6, 0x02, 0x4b, 0x9f, 0xd8,
    0x30, 0x46, 0x80, 0x5f, 0x01, 0x9f, 0x1b, 0x5b, 0x3e, 0x81, 0x1d, 0xb1, 0xb2, 0xa0, 0xe1, 0xf1, 0x3d,
    0xd2, 0xf7, 0x99, 0x06, 0x2f, 0x36, 0x1b, 0x23, 0xfb, 0xf2, 0x9f, 0xfa, 0x5d, 0xc5, 0x1e, 0x9e, 0x62,
    0x11, 0xb2, 0xae, 0x91, 0xfc, 0x20, 0xf4, 0x62, 0xd5, 0xf5, 0x9c, 0xad, 0x96, 0xed, 0xf3, 0x59, 0x76,
    0x05, 0x35, 0x98, 0xd7, 0x52, 0xcb, 0x21, 0x13, 0x15, 0x83, 0xaf, 0x86, 0x31, 0xb2, 0x18, 0xe0, 0x7d,
    0x6f, 0x5d, 0x17, 0x89, 0xf4, 0x61, 0x5f, 0xed, 0x5b, 0x7c, 0x6c, 0xb9, 0xc8, 0x48, 0xe4, 0xce, 0x60,
    0x75, 0xc9, 0x2c, 0xdc, 0x35, 0x51, 0x10, 0x55, 0x61, 0x5e, 0xc8, 0x08, 0xf0, 0xf4, 0xb4, 0xe0, 0xca,
    0xc8, 0x88, 0x8d, 0x53, 0xe9, 0x34, 0x87, 0x1c, 0xb0, 0xc6, 0x39, 0xb1, 0x75, 0x64, 0x3b, 0x51, 0xa5,
    0x9b, 0x02, 0x9c, 0xda, 0x9a, 0x3a, 0xcf, 0x26, 0x0d, 0xe7, 0xaf, 0x2f, 0xa1, 0x43, 0x5f, 0x6c, 0x86,
    0x66, 0xbb, 0xd3, 0x54, 0x85, 0x2b, 0x4c, 0x9d, 0xf6, 0x9e, 0x48,
};

/* --- the operations --- */

static void ecdsa_sign(struct work *w)
{
    br_ec_private_key key = {.curve = BR_EC_secp256r1, .x = w->scalar, .xlen = sizeof w->scalar};

    w->signature_len = w->side->ecdsa_sign(w->side->ec, &br_sha256_vtable, w->hash, &key, w->signature);
}

static void ecdsa_verify(struct work *w)
{
    br_ec_public_key key = {.curve = BR_EC_secp256r1, .q = w->point, .qlen = sizeof w->point};

    if (!w->signature_len) {
        ecdsa_sign(w);
        w->side->ec->mulgen(w->point, w->scalar, sizeof w->scalar, BR_EC_secp256r1);
    }
    (void)w->side->ecdsa_vrfy(w->side->ec, w->hash, sizeof w->hash, &key, w->signature, w->signature_len);
}

static void share(struct work *w, int curve)
{
    w->side->ecdhe->mulgen(w->point, w->scalar, sizeof w->scalar, curve);
}

static void agree(struct work *w, int curve, size_t n)
{
    if (!w->point[1])
        share(w, curve);
    /* The result is the next point; on P-256 its first byte stays 4. */
    w->side->ecdhe->mul(w->point, n, w->scalar, sizeof w->scalar, curve);
}

static void p256_share(struct work *w)
{
    share(w, BR_EC_secp256r1);
}

static void p256_agree(struct work *w)
{
    agree(w, BR_EC_secp256r1, 65);
}

static void x25519_share(struct work *w)
{
    share(w, BR_EC_curve25519);
}

static void x25519_agree(struct work *w)
{
    agree(w, BR_EC_curve25519, 32);
}

static void rsa_sign(struct work *w)
{
    /* BearSSL's pointers are not const; it only reads. */
    uint8_t *n = (uint8_t *)(uintptr_t)rsa_numbers;
    const br_rsa_private_key key = {2048, n, 128, n + 128, 128, n + 256, 128, n + 384, 128, n + 512, 128};

    (void)w->side->rsa_sign(BR_HASH_OID_SHA256, w->hash, sizeof w->hash, &key, w->signature);
}

static void sha256(struct work *w)
{
    br_hash_compat_context c;

    w->side->sha256->init(&c.vtable);
    w->side->sha256->update(&c.vtable, w->text, RECORD);
    w->side->sha256->out(&c.vtable, w->hash);
}

static void seal(struct work *w, enum aead_algorithm algorithm, size_t n)
{
    const struct crypto_impl *impl = crypto_impl();
    br_gcm_context gcm;

    if (w->side->ours) {
        aead_seal((struct aead *)(void *)w->aead, w->nonce, w->tag, 5, w->text, n, w->tag);
    } else if (algorithm == AEAD_CHACHA20_POLY1305) {
        POLY1305(w->key, w->nonce, w->text, n, w->tag, 5, w->tag,
                 br_chacha20_sse2_get() ? br_chacha20_sse2_get() : br_chacha20_ct_run, 1);
    } else {
        br_gcm_init(&gcm, &w->aes.vtable, impl->ghash);
        br_gcm_reset(&gcm, w->nonce, sizeof w->nonce);
        br_gcm_aad_inject(&gcm, w->tag, 5);
        br_gcm_flip(&gcm);
        br_gcm_run(&gcm, 1, w->text, n);
        br_gcm_get_tag(&gcm, w->tag);
    }
}

static void begin_seal(struct work *w, enum aead_algorithm algorithm)
{
    aead_init((struct aead *)(void *)w->aead, algorithm, w->key);
    crypto_impl()->aes_ctr->init(&w->aes.vtable, w->key, aead_key_len(algorithm));
}

static void aes128(struct work *w)
{
    seal(w, AEAD_AES_128_GCM, RECORD);
}

static void aes128_short(struct work *w)
{
    seal(w, AEAD_AES_128_GCM, SHORT);
}

static void aes256(struct work *w)
{
    seal(w, AEAD_AES_256_GCM, RECORD);
}

static void chacha20(struct work *w)
{
    seal(w, AEAD_CHACHA20_POLY1305, RECORD);
}

static void chacha20_short(struct work *w)
{
    seal(w, AEAD_CHACHA20_POLY1305, SHORT);
}

/* --- measuring --- */

static const struct {
    const char *name;
    void (*run)(struct work *w);
    size_t bytes; /* 0: operations are counted */
    enum aead_algorithm aead;
} rows[] = {
    {"ECDSA P-256 sign",          ecdsa_sign,     0,      0                     },
    {"ECDSA P-256 verify",        ecdsa_verify,   0,      0                     },
    {"P-256 key share",           p256_share,     0,      0                     },
    {"P-256 ECDH",                p256_agree,     0,      0                     },
    {"X25519 key share",          x25519_share,   0,      0                     },
    {"X25519",                    x25519_agree,   0,      0                     },
    {"RSA-2048 sign",             rsa_sign,       0,      0                     },
    {"SHA-256, 16 KiB",           sha256,         RECORD, 0                     },
    {"AES-128-GCM, 16 KiB",       aes128,         RECORD, AEAD_AES_128_GCM      },
    {"AES-128-GCM, 1 KiB",        aes128_short,   SHORT,  AEAD_AES_128_GCM      },
    {"AES-256-GCM, 16 KiB",       aes256,         RECORD, AEAD_AES_256_GCM      },
    {"ChaCha20-Poly1305, 16 KiB", chacha20,       RECORD, AEAD_CHACHA20_POLY1305},
    {"ChaCha20-Poly1305, 1 KiB",  chacha20_short, SHORT,  AEAD_CHACHA20_POLY1305},
};

/* The process's own time, so that other work on the machine does not count; a unikernel has the clock's alone. */
static uint64_t now_us(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
        return time_mono_us();
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Runs a second. To ask for the time costs as much as to seal a short record, so it is asked ever less often. */
static double rate(void (*run)(struct work *w), struct work *w)
{
    uint64_t began = now_us(), before = began, now, n = 0, batch = 1;

    do {
        for (uint64_t i = 0; i < batch; i++)
            run(w);
        n += batch;
        now = now_us();
        if (now - before < SLICE_US / 32)
            batch *= 2;
        before = now;
    } while (now - began < SLICE_US);
    return (double)n * 1e6 / (double)(now - began);
}

/* With one decimal (ten) or two (a hundred): base/printf.c has none. */
static void print_decimal(FILE *out, int width, unsigned scale, double v, const char *unit)
{
    unsigned long long n = (unsigned long long)(v * scale + 0.5);

    fprintf(out, "  %*llu.%0*llu%s", width, n / scale, scale == 10 ? 1 : 2, n % scale, unit);
}

static void print_rate(FILE *out, double per_second, size_t bytes)
{
    if (bytes)
        print_decimal(out, 6, 100, per_second * (double)bytes / 1e9, " GB/s");
    else
        fprintf(out, "  %12llu/s", (unsigned long long)(per_second + 0.5));
}

static void begin(struct work *w, const struct side *side, enum aead_algorithm algorithm)
{
    memset(w, 0, sizeof *w);
    w->side = side;
    memset(w->scalar, 0x5a, sizeof w->scalar);
    memset(w->key, 0x33, sizeof w->key);
    begin_seal(w, algorithm);
}

void crypto_bench(FILE *out)
{
    const struct crypto_impl *impl = crypto_impl();
    const struct side sides[2] = {
        {true,  impl->ec,            impl->ecdhe,         impl->ecdsa_sign,                 impl->ecdsa_vrfy, impl->rsa_sign,                  impl->sha256     },
        {false, br_ec_get_default(), br_ec_get_default(), br_ecdsa_sign_asn1_get_default(),
         br_ecdsa_vrfy_asn1_get_default(),                                                                    br_rsa_pkcs1_sign_get_default(), &br_sha256_vtable},
    };
    struct work work[2];

    fprintf(out, "%-26s  %14s  %14s\n", "", "proxy", "BearSSL");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double best[2] = {0};

        for (int s = 0; s < 2; s++)
            begin(&work[s], &sides[s], rows[i].aead);
        /* In turns, so that what else the machine does falls on both. */
        for (int slice = 0; slice < 2 * SLICES; slice++) {
            double r = rate(rows[i].run, &work[slice % 2]);
            best[slice % 2] = r > best[slice % 2] ? r : best[slice % 2];
        }
        fprintf(out, "%-26s", rows[i].name);
        print_rate(out, best[0], rows[i].bytes);
        print_rate(out, best[1], rows[i].bytes);
        print_decimal(out, 3, 10, best[0] / best[1], " x\n");
        fflush(out);
    }
}
