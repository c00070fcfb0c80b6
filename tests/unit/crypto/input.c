/* SPDX-License-Identifier: MIT
 *
 * Owns the state of the generator (xorshift64*).
 */
#include "tests/unit/crypto/input.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t state = 0x9e3779b97f4a7c15;

uint64_t input_number(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d;
}

size_t input_below(size_t n)
{
    return (size_t)(input_number() >> 32) % n;
}

void input_bytes(void *p, size_t n)
{
    uint8_t *to = p;

    while (n > 0) {
        uint64_t r = input_number();
        size_t part = n < sizeof r ? n : sizeof r;

        memcpy(to, &r, part);
        to += part;
        n -= part;
    }
}

size_t input_count(size_t everyday, size_t all)
{
    return getenv("PROXY_TEST_ALL") != NULL ? all : everyday;
}

uint8_t *input_fence(size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (room + page - 1) / page * page;
    uint8_t *p = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + pages, page, PROT_NONE) != 0)
        abort();
    return p + pages;
}
