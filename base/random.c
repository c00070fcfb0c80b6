/* SPDX-License-Identifier: MIT
 *
 * Owns a block of the kernel's random bytes that are still to be handed out. The invariant: the first `left` bytes of
 * it have been given to nobody, and all behind them are zero. There is no other source: a proxy that went on with
 * guessable bytes would be worse than none, so a kernel that has none ends the program.
 *
 * A forked child would hand out the same bytes as its parent: a child that is to draw execs first.
 */
#include "base/random.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BLOCK 256u /* getrandom gives as many in one go, whatever signal comes */

static struct {
    uint8_t bytes[BLOCK];
    size_t left;
} block;

static _Noreturn void no_random(int error)
{
    char line[160];
    int n = snprintf(line, sizeof line, "proxy: the kernel gives no random bytes (getrandom: %s); stopping\n",
                     strerror(error));

    /* Straight to standard error: a log line might never be flushed. */
    if (n > 0 && write(2, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0)
        abort();
    abort();
}

static void draw(uint8_t *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            no_random(got < 0 ? errno : EIO);
        out += got;
        n -= (size_t)got;
    }
}

void random_bytes(void *out, size_t n)
{
    if (n >= BLOCK) {
        draw(out, n);
        return;
    }
    if (n == 0)
        return;
    if (block.left < n) {
        draw(block.bytes, BLOCK);
        block.left = BLOCK;
    }
    block.left -= n;
    memcpy(out, block.bytes + block.left, n);
    mem_wipe(block.bytes + block.left, n);
}

uint32_t random_below(uint32_t bound)
{
    /* The 2^32 mod bound lowest values are drawn again, so that a multiple of bound is left. */
    uint32_t skip = (0u - bound) % bound;
    uint32_t v;

    do
        random_bytes(&v, sizeof v);
    while (v < skip);
    return v % bound;
}
