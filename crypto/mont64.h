/* SPDX-License-Identifier: MIT
 *
 * Arithmetic modulo an odd number of up to 2560 bits, by Montgomery's method on 64-bit limbs, the least significant
 * first: for RSA's primes. Only where the compiler multiplies 64 bits by 64 (`__int128`).
 *
 * A number has `limbs` limbs, a multiple of 8; R is 2^(64 * limbs), and the Montgomery form of a number x is x * R
 * modulo n. A modulus may have fewer bits than R has, even far fewer.
 *
 * Constant time: branches and addresses depend on the modulus' length in bytes, on `limbs`, on an exponent's length
 * in bytes and on the processor, never on the value of a modulus, an exponent or a number.
 */
#ifndef CRYPTO_MONT64_H
#define CRYPTO_MONT64_H

#ifdef __SIZEOF_INT128__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The build clears automatic variables; not large ones that are filled at once. */
#define MONT64_UNSET __attribute__((uninitialized))

enum {
    MONT64_BLOCK = 8,
    MONT64_MAX = 40, /* limbs */
    MONT64_WINDOW = 5,
    MONT64_POWERS = 1 << MONT64_WINDOW,
};

/* What the time goes into: steps on blocks of 8 limbs. Where `carry` is taken and answered, it is any number, and
 * stands 8 limbs above where `t` does when it goes in, 16 when it comes out. */
struct mont64_kernel {
    /* t (16 limbs) += a * b */
    uint64_t (*multiply)(uint64_t *t, const uint64_t *a, const uint64_t *b, uint64_t carry);
    /* t (16 limbs) += m * n, for the m that makes the lower 8 limbs zero; these become m instead. n0 is -1/n. */
    uint64_t (*reduce)(uint64_t *t, const uint64_t *n, uint64_t n0, uint64_t carry);
    /* t (16 limbs) = the sum of a[i] * a[j] * 2^(64 * (i + j)) over all i < j */
    void (*triangle)(uint64_t *t, const uint64_t *a);
    /* t (2 * limbs) = 2 * t + the sum of a[i]^2 * 2^(128 * i) */
    void (*complete)(uint64_t *t, const uint64_t *a, size_t limbs);
    /* r = a - b; all ones when that borrows, else 0. Any of them may be the same. */
    uint64_t (*subtract)(uint64_t *r, const uint64_t *a, const uint64_t *b, size_t limbs);
};

extern const struct mont64_kernel mont64_portable;
#ifdef __x86_64__
extern const struct mont64_kernel mont64_adx; /* by MULX, ADCX and ADOX */
bool mont64_has_adx(void);
#endif

/* A modulus with what is computed once from it; may be secret, so wipe it. */
struct mont64 {
    const struct mont64_kernel *kernel;
    size_t limbs;
    uint64_t n0; /* -1/n modulo 2^64 */
    uint64_t n[MONT64_MAX];
    uint64_t square[MONT64_MAX]; /* R^2 modulo n */
    uint64_t t[2 * MONT64_MAX];  /* the product under way */
};

/* `n` is big-endian and without leading zero bytes; `limbs` a multiple of 8 in which it fits. False when n is even
 * or 1. */
bool mont64_init(struct mont64 *m, const struct mont64_kernel *kernel, const uint8_t *n, size_t len,
                 size_t limbs);

/* In all of these, a is below R, b and the result are below n, and they may be the same number. */

void mont64_multiply(struct mont64 *m, uint64_t *r, const uint64_t *a, const uint64_t *b); /* a * b / R */
void mont64_square(struct mont64 *m, uint64_t *r, const uint64_t *b);                      /* b^2 / R */
void mont64_enter(struct mont64 *m, uint64_t *r, const uint64_t *a); /* a * R: the Montgomery form */
void mont64_leave(struct mont64 *m, uint64_t *r, const uint64_t *a); /* a / R: out of it */
void mont64_double(struct mont64 *m, uint64_t *b);
void mont64_reduce_once(struct mont64 *m, uint64_t *a); /* a below 2 * n (and R) becomes a modulo n */
/* r = a - b, both below n. */
void mont64_subtract(const struct mont64 *m, uint64_t *r, const uint64_t *a, const uint64_t *b);
/* r = wide modulo n, where `wide` has 2 * limbs and is below n * R. */
void mont64_reduce_wide(struct mont64 *m, uint64_t *r, const uint64_t *wide);

/* b to the power of the big-endian number at `e`, out of Montgomery form, where b is in. */
void mont64_pow(struct mont64 *m, uint64_t *r, const uint64_t *b, const uint8_t *e, size_t e_len);
/* The same for the exponent 2^k + 1. r and b are apart. */
void mont64_pow_fermat(struct mont64 *m, uint64_t *r, const uint64_t *b, unsigned k);
/* The number of MONT64_WINDOW bits that begins at the bit `at` of a big-endian number. */
unsigned mont64_window(const uint8_t *e, size_t e_len, size_t at);

/* r (2 * limbs) = a * b */
void mont64_product(const struct mont64_kernel *kernel, uint64_t *r, const uint64_t *a, const uint64_t *b,
                    size_t limbs);
/* All ones when a < b, else 0. */
uint64_t mont64_below(const uint64_t *a, const uint64_t *b, size_t limbs);

/* From and to big-endian bytes. Decoding answers the bytes that found no room, ored together; encoding leaves
 * off what does. */
uint8_t mont64_decode(uint64_t *r, size_t limbs, const uint8_t *bytes, size_t len);
void mont64_encode(uint8_t *bytes, size_t len, const uint64_t *a, size_t limbs);

#endif
#endif
