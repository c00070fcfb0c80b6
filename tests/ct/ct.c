/* SPDX-License-Identifier: MIT
 *
 * Proof of constant time, after Adam Langley's ctgrind: each primitive runs once with its secrets marked as
 * undefined memory, under valgrind's memcheck, which follows them bit by bit and reports every branch and every
 * address that depends on one. `ct NAME` runs one, `ct` alone lists the names; valgrind's exit code is the verdict.
 * `leak_branch` and `leak_address` must be reported, or the check sees nothing.
 *
 * What memcheck does not know (AVX-512, SHA-NI, the wide AES) it hides from CPUID: the paths it can follow run.
 */
#include "crypto/aead.h"
#include "crypto/declassify.h"
#include "crypto/hkdf.h"
#include "crypto/impl.h"
#include "crypto/x25519.h"
#include "tests/unit/crypto/rsa_keys.h"
#include "tls/negotiate13.h"

#include "base/random.h"

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#define SECRET(x) (void)VALGRIND_MAKE_MEM_UNDEFINED((x), sizeof(x))

static uint8_t secret[64], text[2000];

/* In place of base/random.c: what is drawn is secret. */
void random_bytes(void *out, size_t n)
{
    uint8_t *p = out;

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(0x5a + 77 * i);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(out, n);
}

uint32_t random_below(uint32_t bound)
{
    (void)bound;
    return 0;
}

/* --- what has to be reported --- */

static int sink;

static void leak_branch(void)
{
    SECRET(secret);
    if (secret[0] & 1)
        sink++;
}

static void leak_address(void)
{
    static const volatile uint8_t table[256] = {1, 2, 3};

    SECRET(secret);
    sink += table[secret[0]];
}

/* --- and what must not --- */

static void aead(enum aead_algorithm algorithm)
{
    uint64_t memory[128];
    struct aead *a = (struct aead *)(void *)memory;
    static const uint8_t nonce[AEAD_NONCE] = {1}, aad[5] = {2};
    uint8_t tag[AEAD_TAG];

    SECRET(secret);
    SECRET(text);
    aead_init(a, algorithm, secret);
    /* Lengths of all kinds: none, a part of a block, many. */
    static const size_t lengths[] = {0, 1, 15, 16, 63, 64, 255, 256, 1024, 2000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        aead_seal(a, nonce, aad, sizeof aad, text, lengths[i], tag);
        if (!declassify_bool(aead_open(a, nonce, aad, sizeof aad, text, lengths[i], tag)))
            puts("does not open");
    }
}

static void aes_128_gcm(void)
{
    aead(AEAD_AES_128_GCM);
}

static void aes_256_gcm(void)
{
    aead(AEAD_AES_256_GCM);
}

static void chacha20_poly1305(void)
{
    aead(AEAD_CHACHA20_POLY1305);
}

static void hkdf(const br_hash_class *hash)
{
    uint8_t out[HKDF_HASH_MAX];

    SECRET(secret);
    hkdf_extract(hash, NULL, 0, secret, 48, out);
    hkdf_expand_label(hash, out, "key", NULL, 0, out, 32);
}

static void hkdf_sha256(void)
{
    hkdf(crypto_impl()->sha256);
}

static void hkdf_sha384(void)
{
    hkdf(&br_sha384_vtable);
}

/* The client's share is a point of its curve: the generator. */
static void group(const struct group13 *g)
{
    uint8_t ours[GROUP13_SHARE_MAX], shared[GROUP13_SECRET];
    size_t len;
    const uint8_t *generator = crypto_impl()->ecdhe->generator(g->curve, &len);

    if (!group13_agree(g, (struct bytes){generator, len}, ours, shared))
        puts("no agreement");
}

static void x25519(void)
{
    group(&(const struct group13){29, BR_EC_curve25519, 32});
}

/* What CPUID as memcheck gives it does not choose, though memcheck follows it. */
static void x25519_by(const br_ec_impl *ec)
{
    uint8_t point[32] = {9};

    SECRET(secret);
    ec->mulgen(point, secret, 32, BR_EC_curve25519);
    SECRET(point);
    ec->mul(point, sizeof point, secret, 32, BR_EC_curve25519);
}

#ifdef __SIZEOF_INT128__
static void x25519_by_m64(void)
{
    x25519_by(&x25519_m64);
}
#endif

#ifdef __x86_64__
static void x25519_by_adx(void)
{
    x25519_by(&x25519_adx);
}
#endif

static void p256(void)
{
    group(&(const struct group13){23, BR_EC_secp256r1, 65});
}

static void ecdsa_p256(void)
{
    br_ec_private_key key = {.curve = BR_EC_secp256r1, .x = secret, .xlen = 32};
    static const uint8_t hash[32] = {3};
    uint8_t signature[80];

    memset(secret, 0x11, sizeof secret);
    SECRET(secret);
    size_t n = crypto_impl()->ecdsa_sign(crypto_impl()->ec, crypto_impl()->sha256, hash, &key, signature);
    declassify(&n, sizeof n);
    if (!n)
        puts("no signature");
}

/* The numbers of a key that are secret; any hash, any salt. */
static void rsa(bool pss)
{
    static const uint8_t hash[32] = {3}, salt[32] = {4};
    struct rsa_key k;
    uint8_t signature[256];

    rsa_key_load(&k, "2048");
    for (int i = 0; i < RSA_KEY_PARTS; i++)
        SECRET(k.part[i]);
    uint32_t good = pss ? crypto_impl()->rsa_pss_sign(crypto_impl()->sha256, hash, salt, &k.sk, signature)
                        : crypto_impl()->rsa_sign(BR_HASH_OID_SHA256, hash, sizeof hash, &k.sk, signature);
    if (!declassify_bool(good))
        puts("no signature");
}

static void rsa_pkcs1(void)
{
    rsa(false);
}

static void rsa_pss(void)
{
    rsa(true);
}

static const struct {
    const char *name;
    void (*run)(void);
} checks[] = {
    {"leak_branch",       leak_branch      },
    {"leak_address",      leak_address     },
    {"aes_128_gcm",       aes_128_gcm      },
    {"aes_256_gcm",       aes_256_gcm      },
    {"chacha20_poly1305", chacha20_poly1305},
    {"hkdf_sha256",       hkdf_sha256      },
    {"hkdf_sha384",       hkdf_sha384      },
    {"x25519",            x25519           },
#ifdef __SIZEOF_INT128__
    {"x25519_m64",        x25519_by_m64    },
#endif
#ifdef __x86_64__
    {"x25519_adx",        x25519_by_adx    },
#endif
    {"p256",              p256             },
    {"ecdsa_p256",        ecdsa_p256       },
    {"rsa_pkcs1",         rsa_pkcs1        },
    {"rsa_pss",           rsa_pss          },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (argc < 2)
            puts(checks[i].name);
        else if (strcmp(argv[1], checks[i].name) == 0) {
            checks[i].run();
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}
