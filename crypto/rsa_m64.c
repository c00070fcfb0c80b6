/* SPDX-License-Identifier: MIT
 *
 * Owns RSA's private operation over Montgomery arithmetic. The invariant: both primes have the same number of
 * limbs, that of the larger, so that a number modulo one may be multiplied modulo the other, and n and every x
 * below it fit in twice that.
 */
#include "crypto/rsa_m64.h"

#ifdef __SIZEOF_INT128__

#include "base/mem.h"
#include "crypto/declassify.h"
#include "crypto/mont52.h"
#include "crypto/mont64.h"

#include <string.h>

enum {
    PRIME_MIN = 16, /* bytes */
    PRIME_MAX = MONT64_MAX,
};

/* ---- the ways ------------------------------------------------------------------------------------------ */

bool rsa_m64_has(enum rsa_m64_path path)
{
    switch (path) {
    case RSA_M64_PORTABLE: return true;
#ifdef __x86_64__
    case RSA_M64_ADX: return mont64_has_adx();
    case RSA_M64_IFMA: return mont64_has_adx() && mont52_has();
#else
    case RSA_M64_ADX:
    case RSA_M64_IFMA: return false;
#endif
    }
    return false;
}

static enum rsa_m64_path best_path(void)
{
    enum rsa_m64_path path = RSA_M64_IFMA;

    while (!rsa_m64_has(path))
        path--;
    return path;
}

static const struct mont64_kernel *kernel_of(enum rsa_m64_path path)
{
#ifdef __x86_64__
    if (path != RSA_M64_PORTABLE)
        return &mont64_adx;
#endif
    (void)path;
    return &mont64_portable;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

struct number {
    const unsigned char *p;
    size_t len;
};

/* Without leading zeros. How many there are is no secret: lengths are not. */
static struct number number(const unsigned char *p, size_t len)
{
    while (len > 0 && declassify_bool(*p == 0)) {
        p++;
        len--;
    }
    return (struct number){p, len};
}

/* As many as `bytes` need, in whole blocks. */
static size_t limbs_for(size_t bytes)
{
    return (bytes + 8 * MONT64_BLOCK - 1) / (8 * MONT64_BLOCK) * MONT64_BLOCK;
}

static size_t byte_length(const uint64_t *a, size_t limbs)
{
    size_t len = 8 * limbs;

    while (len > 0 && declassify_bool((a[(len - 1) / 8] >> (len - 1) % 8 * 8 & 0xff) == 0))
        len--;
    return len;
}

/* ---- the private operation ----------------------------------------------------------------------------- */

enum { P, Q };

/* All of it is wiped. */
struct work {
    size_t limbs; /* of a prime */
    struct mont64 prime[2];
    uint64_t n[2 * PRIME_MAX], x[2 * PRIME_MAX];
    uint64_t b[2][PRIME_MAX], r[2][PRIME_MAX]; /* what a power is of, and the power, modulo each prime */
    uint64_t inverse[PRIME_MAX];
};

/* The key's numbers and x. 0 when they cannot be: lengths that are not the key's, an even prime, x >= n. */
static uint32_t load(struct work *w, const struct mont64_kernel *kernel, const unsigned char *x,
                     const br_rsa_private_key *sk)
{
    struct number p = number(sk->p, sk->plen), q = number(sk->q, sk->qlen);
    size_t limbs = limbs_for(p.len > q.len ? p.len : q.len), len = (sk->n_bitlen + 7) / 8;

    if (p.len < PRIME_MIN || q.len < PRIME_MIN || limbs > PRIME_MAX || len > RSA_MAX)
        return 0;
    if (!mont64_init(&w->prime[P], kernel, p.p, p.len, limbs) ||
        !mont64_init(&w->prime[Q], kernel, q.p, q.len, limbs))
        return 0;
    w->limbs = limbs;
    mont64_product(kernel, w->n, w->prime[P].n, w->prime[Q].n, limbs);
    if (byte_length(w->n, 2 * limbs) != len)
        return 0;
    mont64_decode(w->x, 2 * limbs, x, len);
    return declassify_bool(mont64_decode(w->inverse, limbs, sk->iq, sk->iqlen) == 0 &&
                           mont64_below(w->x, w->n, 2 * limbs) != 0);
}

#ifdef __x86_64__
#define PAIR(name) ((uint64_t *const[2]){w->name[P], w->name[Q]})
#define PRIMES     ((struct mont64 *const[2]){&w->prime[P], &w->prime[Q]})
#endif

/* w->r = w->b to the powers dp and dq. */
static void power(struct work *w, enum rsa_m64_path path, const br_rsa_private_key *sk)
{
#ifdef __x86_64__
    if (path == RSA_M64_IFMA && mont52_fits(w->limbs)) {
        mont52_pow(PRIMES, PAIR(r), PAIR(b), (const uint8_t *const[2]){sk->dp, sk->dq},
                   (const size_t[2]){sk->dplen, sk->dqlen});
        return;
    }
#endif
    (void)path;
    mont64_pow(&w->prime[P], w->r[P], w->b[P], sk->dp, sk->dplen);
    mont64_pow(&w->prime[Q], w->r[Q], w->b[Q], sk->dq, sk->dqlen);
}

/* w->r = w->b to the power 2^k + 1 */
static void power_fermat(struct work *w, enum rsa_m64_path path, unsigned k)
{
#ifdef __x86_64__
    if (path == RSA_M64_IFMA && mont52_fits(w->limbs)) {
        mont52_pow_fermat(PRIMES, PAIR(r), PAIR(b), k);
        return;
    }
#endif
    (void)path;
    for (size_t i = 0; i < 2; i++)
        mont64_pow_fermat(&w->prime[i], w->r[i], w->b[i], k);
}

/* From the powers modulo p and q the one modulo n, by Garner: r = r_q + q * ((r_p - r_q) / q mod p), below n without
 * a reduction. */
static void recombine(struct work *w)
{
    struct mont64 *p = &w->prime[P];
    size_t limbs = w->limbs;
    uint64_t carry = 0;

    mont64_enter(p, w->b[Q], w->r[Q]); /* r_q may be above p */
    mont64_enter(p, w->r[P], w->r[P]);
    mont64_subtract(p, w->b[P], w->r[P], w->b[Q]);
    mont64_multiply(p, w->b[P], w->inverse, w->b[P]);
    mont64_product(p->kernel, w->x, w->prime[Q].n, w->b[P], limbs);
    for (size_t i = 0; i < 2 * limbs; i++) {
        unsigned __int128 sum = (unsigned __int128)w->x[i] + (i < limbs ? w->r[Q][i] : 0) + carry;

        w->x[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

/* ---- verified ------------------------------------------------------------------------------------------ */

/* Modulo both primes, the bytes at x to the power of some public exponent are those at `message`. That is so
 * if, and only if, it is so modulo n, which would take twice the time. Both are read anew: what was computed
 * from the message may be what is wrong. */
static uint32_t leads_back(struct work *w, enum rsa_m64_path path, const unsigned char *x,
                           const unsigned char *message, size_t len)
{
    MONT64_UNSET uint64_t wanted[2][PRIME_MAX];

    mont64_decode(w->x, 2 * w->limbs, message, len);
    for (size_t i = 0; i < 2; i++)
        mont64_reduce_wide(&w->prime[i], wanted[i], w->x);
    mont64_decode(w->x, 2 * w->limbs, x, len);
    for (size_t i = 0; i < 2; i++) {
        mont64_reduce_wide(&w->prime[i], w->b[i], w->x);
        mont64_enter(&w->prime[i], w->b[i], w->b[i]);
    }
    for (size_t e = 0; e < RSA_FERMATS; e++) {
        uint64_t different = 0;

        power_fermat(w, path, rsa_fermats[e]);
        for (size_t i = 0; i < w->limbs; i++)
            different |= (w->r[P][i] ^ wanted[P][i]) | (w->r[Q][i] ^ wanted[Q][i]);
        if (declassify_bool(different == 0))
            return 1;
    }
    return 0;
}

uint32_t rsa_m64_private_by(enum rsa_m64_path path, bool verified, unsigned char *x,
                            const br_rsa_private_key *sk)
{
    size_t len = (sk->n_bitlen + 7) / 8;
    MONT64_UNSET unsigned char message[RSA_MAX];
    MONT64_UNSET struct work w;
    uint32_t good;

    if (len > RSA_MAX)
        return 0;
    memcpy(message, x, len);
    good = load(&w, kernel_of(path), x, sk);
    if (good) {
        for (size_t i = 0; i < 2; i++) {
            mont64_reduce_wide(&w.prime[i], w.b[i], w.x);
            mont64_enter(&w.prime[i], w.b[i], w.b[i]);
        }
        power(&w, path, sk);
        recombine(&w);
        mont64_encode(x, len, w.x, 2 * w.limbs);
        good = !verified || leads_back(&w, path, x, message, len);
    }
    if (!good)
        mem_wipe(x, len);
    mem_wipe(&w, sizeof w);
    return good;
}

uint32_t rsa_m64_private(unsigned char *x, const br_rsa_private_key *sk)
{
    return rsa_m64_private_by(best_path(), true, x, sk);
}

uint32_t rsa_m64_pkcs1_sign(const unsigned char *hash_oid, const unsigned char *hash, size_t hash_len,
                            const br_rsa_private_key *sk, unsigned char *x)
{
    return rsa_pkcs1_encode(hash_oid, hash, hash_len, sk->n_bitlen, x) && rsa_m64_private(x, sk);
}

uint32_t rsa_m64_pss_sign(const br_hash_class *hash_class, const unsigned char *hash,
                          const unsigned char *salt, const br_rsa_private_key *sk, unsigned char *x)
{
    return rsa_pss_encode(hash_class, hash, salt, sk->n_bitlen, x) && rsa_m64_private(x, sk);
}

#endif
