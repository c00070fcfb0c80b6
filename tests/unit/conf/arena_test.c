/* SPDX-License-Identifier: MIT
 *
 * The arena: aligned, cleared, freed at once, and a failure that sticks.
 */
#include "tests/unit/conf/support.h"

#include "conf/arena.h"

TEST(gives_cleared_and_aligned_memory)
{
    struct arena *a = arena_new();

    for (size_t n = 0; n < 3000; n += 7) {
        uint8_t *p = arena_alloc(a, n);

        if (!CHECK(p != NULL))
            break;
        CHECK_EQ((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            if (p[i] != 0)
                FAIL("not cleared");
        memset(p, 0xff, n);
    }
    CHECK(!arena_failed(a));
    arena_free(a);
}

TEST(takes_more_than_a_chunk)
{
    struct arena *a = arena_new();
    uint8_t *small = arena_alloc(a, 1), *large = arena_alloc(a, 1 << 20);

    CHECK(small != NULL && large != NULL);
    if (large != NULL)
        memset(large, 1, 1 << 20);
    CHECK_EQ(small[0], 0);
    arena_free(a);
}

TEST(copies_text)
{
    struct arena *a = arena_new();

    CHECK_STR(arena_text(a, bytes_of("abc", 2)), "ab");
    CHECK_STR(arena_text(a, bytes_of(NULL, 0)), "");
    CHECK_STR(arena_printf(a, "%s-%u", "x", 7u), "x-7");
    arena_free(a);
}

TEST(grows_arrays)
{
    struct arena *a = arena_new();
    unsigned *items = NULL;

    for (unsigned n = 0; n < 1000; n++) {
        unsigned *more = arena_more(a, items, n, sizeof *items);

        if (!CHECK(more != NULL))
            break;
        items = more;
        items[n] = n;
    }
    for (unsigned n = 0; items != NULL && n < 1000; n++)
        if (items[n] != n)
            FAIL("an item was lost");
    arena_free(a);
}

TEST(fails_once_and_for_all)
{
    struct arena *a = arena_new();
    size_t blocks = mem_blocks();

    mem_fail_at(0, 1);
    CHECK(arena_alloc(a, 10) == NULL);
    mem_fail_at(-1, 0);
    CHECK(arena_failed(a));
    CHECK(arena_alloc(a, 10) != NULL); /* what comes after may have memory, and yet */
    CHECK(arena_failed(a));
    CHECK(arena_alloc(a, SIZE_MAX) == NULL);
    CHECK(arena_more(a, a, SIZE_MAX / 4 + 1, 64) == NULL);
    CHECK_EQ(mem_blocks(), blocks + 1);
    arena_free(a);
    CHECK_EQ(mem_blocks(), blocks - 1);
    arena_free(NULL);
}

TEST_MAIN(RUN(gives_cleared_and_aligned_memory), RUN(takes_more_than_a_chunk), RUN(copies_text),
          RUN(grows_arrays), RUN(fails_once_and_for_all))
