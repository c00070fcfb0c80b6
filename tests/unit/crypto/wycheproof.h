/* SPDX-License-Identifier: MIT
 *
 * Reads the files of Project Wycheproof in tests/vectors/wycheproof/, one test after the other:
 *
 *     struct wycheproof *w = wycheproof_open("x25519_test.json");
 *     uint8_t public[32], ...;
 *
 *     while (wycheproof_next(w)) {
 *         if (wycheproof_hex(w, "public", public, sizeof public) != sizeof public)
 *             continue;
 *         ...
 *         if (!CHECK(same == (wycheproof_result(w) == WYCHEPROOF_VALID)))
 *             printf("    test %u\n", wycheproof_id(w));
 *     }
 *     wycheproof_close(w);
 *
 * A value is looked for in the test, and then in the group that the test belongs to (`keySize`, the `uncompressed`
 * of its `publicKey`). It leans on how the files are laid out and is no parser of JSON. What cannot be (no such
 * file, a value longer than the room for it) ends the program with a message.
 */
#ifndef TESTS_UNIT_CRYPTO_WYCHEPROOF_H
#define TESTS_UNIT_CRYPTO_WYCHEPROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wycheproof_result { WYCHEPROOF_INVALID, WYCHEPROOF_VALID, WYCHEPROOF_ACCEPTABLE };

struct wycheproof *wycheproof_open(const char *name);
void wycheproof_close(struct wycheproof *w);

/* The next test, at first the first; false when there is none, and then it checked that there were as many as the
 * file says. */
bool wycheproof_next(struct wycheproof *w);

unsigned wycheproof_id(const struct wycheproof *w);
enum wycheproof_result wycheproof_result(const struct wycheproof *w);
/* The flags of the test contain this one. */
bool wycheproof_flag(const struct wycheproof *w, const char *flag);
bool wycheproof_has(const struct wycheproof *w, const char *name);
/* The bytes of a value in hexadecimal digits; returns how many, 0 too when there is no such value. */
size_t wycheproof_hex(const struct wycheproof *w, const char *name, uint8_t *to, size_t room);
/* 0 when there is no such value. */
unsigned long wycheproof_number(const struct wycheproof *w, const char *name);
/* The value is there and is exactly this text. */
bool wycheproof_is(const struct wycheproof *w, const char *name, const char *text);

#endif
