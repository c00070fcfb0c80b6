/* SPDX-License-Identifier: MIT
 *
 * Our memcpy and memmove against a loop over bytes: every small size, every small distance, and larger ones.
 */
#include "tests/unit/test.h"

#include <stdint.h>
#include <stdlib.h>

#if defined __x86_64__

void *fast_memcpy(void *restrict to, const void *restrict from, size_t n);
void *fast_memmove(void *to, const void *from, size_t n);

enum { ROOM = 8192 };

static uint8_t ours[ROOM], model[ROOM], copy[ROOM];

static void fill(unsigned seed)
{
    for (size_t i = 0; i < ROOM; i++)
        ours[i] = model[i] = (uint8_t)((i + seed) * 2654435761u >> 13);
}

static bool moves(size_t to, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        copy[i] = model[from + i];
    for (size_t i = 0; i < n; i++)
        model[to + i] = copy[i];
    return fast_memmove(ours + to, ours + from, n) == ours + to && memcmp(ours, model, ROOM) == 0;
}

TEST(move_of_every_size_and_distance)
{
    for (size_t n = 0; n <= 80; n++)
        for (size_t from = 60; from <= 180; from++) {
            fill((unsigned)n);
            if (!CHECK(moves(120, from, n)))
                return;
        }
}

TEST(move_of_large_sizes)
{
    static const size_t sizes[] = {127, 128, 1023, 1535, 1536, 1537, 3000, 4000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t from = 0; from < 4000; from += 97) {
            fill((unsigned)from);
            if (!CHECK(moves(2000, from, sizes[i])))
                return;
        }
}

TEST(copy_of_every_size)
{
    for (size_t n = 0; n <= 3000; n += n < 200 ? 1 : 61) {
        fill((unsigned)n);
        for (size_t i = 0; i < n; i++)
            model[4003 + i] = model[7 + i];
        CHECK(fast_memcpy(ours + 4003, ours + 7, n) == ours + 4003);
        CHECK_MEM(ours, ROOM, model, ROOM);
    }
}

TEST_MAIN(RUN(move_of_every_size_and_distance), RUN(move_of_large_sizes), RUN(copy_of_every_size))

#else
TEST(nothing_of_ours_here)
{
    CHECK(true);
}
TEST_MAIN(RUN(nothing_of_ours_here))
#endif
