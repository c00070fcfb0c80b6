/* SPDX-License-Identifier: MIT
 *
 * The count of the heap, the cap, and failures on demand.
 */
#include "tests/unit/test.h"

#include "base/mem.h"

#include <stdint.h>

TEST(what_is_freed_is_no_longer_counted)
{
    size_t used = mem_used(), blocks = mem_blocks();
    char *p = mem_alloc(1000), *q = mem_zalloc(500);

    CHECK(p != NULL && q != NULL);
    CHECK(mem_used() >= used + 1500);
    CHECK(mem_used() < used + 4000);
    CHECK_EQ(mem_blocks(), blocks + 2);
    mem_free(p);
    mem_free(q);
    mem_free(NULL);
    CHECK_EQ(mem_used(), used);
    CHECK_EQ(mem_blocks(), blocks);
}

TEST(sized_free_counts_the_same)
{
    size_t used = mem_used(), blocks = mem_blocks();

    for (unsigned round = 0; round < 2; round++) {
        for (size_t n = 0; n < 7000; n += n < 2100 ? 1 : 97) {
            void *p = mem_alloc(n), *q = mem_zalloc(n);

            CHECK_EQ(mem_blocks(), blocks + 2);
            mem_free_sized(p, n);
            mem_free(q);
            CHECK_EQ(mem_used(), used);
        }
    }
    mem_free_sized(NULL, 10);
    CHECK_EQ(mem_used(), used);
    CHECK_EQ(mem_blocks(), blocks);
}

TEST(zalloc_clears)
{
    static const char zeros[300];
    char *p = mem_alloc(sizeof zeros);

    if (!CHECK(p != NULL))
        return;
    memset(p, 0xff, sizeof zeros);
    mem_free(p);
    p = mem_zalloc(sizeof zeros);
    if (CHECK(p != NULL))
        CHECK_MEM(p, sizeof zeros, zeros, sizeof zeros);
    mem_free(p);
}

TEST(nothing_asked_for_is_still_a_block)
{
    void *p = mem_alloc(0), *q = mem_zalloc(0);

    CHECK(p != NULL);
    CHECK(q != NULL);
    mem_free(p);
    mem_free(q);
}

TEST(realloc_counts_the_difference)
{
    size_t used = mem_used(), blocks = mem_blocks();
    char *p = mem_realloc(NULL, 10);

    if (!CHECK(p != NULL))
        return;
    memcpy(p, "123456789", 10);
    p = mem_realloc(p, 100000);
    CHECK_STR(p, "123456789");
    CHECK(mem_used() >= used + 100000);
    p = mem_realloc(p, 10);
    CHECK_STR(p, "123456789");
    CHECK(mem_used() < used + 100000);
    CHECK_EQ(mem_blocks(), blocks + 1);
    mem_free(p);
    CHECK_EQ(mem_used(), used);
    CHECK_EQ(mem_blocks(), blocks);
}

TEST(cap_refuses_and_recovers)
{
    size_t used = mem_used();
    char *p = mem_alloc(4000), *q;

    mem_set_cap(mem_used() + 10000);
    CHECK(mem_alloc(10001) == NULL);
    CHECK(mem_alloc(SIZE_MAX) == NULL);
    CHECK(mem_zalloc(SIZE_MAX - 100) == NULL);
    CHECK(mem_realloc(p, 20000) == NULL);
    q = mem_alloc(9000);
    CHECK(q != NULL);
    CHECK(mem_alloc(4000) == NULL);
    mem_free(q);
    /* A block that grows is measured without what it was. */
    q = mem_realloc(p, 13000);
    CHECK(q != NULL);
    mem_free(q);
    /* A cap below what is in use refuses all, and takes nothing away. */
    p = mem_alloc(1000);
    mem_set_cap(1);
    CHECK(mem_alloc(1) == NULL);
    mem_set_cap(0);
    mem_free(p);
    CHECK_EQ(mem_used(), used);
}

TEST(realloc_that_fails_leaves_the_block)
{
    char *p = mem_strdup("still here");

    mem_fail_at(0, 1);
    CHECK(mem_realloc(p, 100000) == NULL);
    CHECK_STR(p, "still here");
    mem_free(p);
}

TEST(failure_at_the_asked_place)
{
    size_t before = mem_allocations(), blocks = mem_blocks();
    void *p[6];

    mem_fail_at(2, 2);
    for (int i = 0; i < 6; i++) {
        p[i] = mem_alloc(10);
        CHECK_EQ(p[i] == NULL, i == 2 || i == 3);
    }
    CHECK_EQ(mem_allocations(), before + 6);
    for (int i = 0; i < 6; i++)
        mem_free(p[i]);
    CHECK_EQ(mem_blocks(), blocks);
    /* Turned off before its turn comes. */
    mem_fail_at(0, 100);
    mem_fail_at(-1, 0);
    p[0] = mem_zalloc(10);
    CHECK(p[0] != NULL);
    mem_free(p[0]);
}

TEST(strings)
{
    char *p = mem_strdup(""), *q = mem_strndup("a\0bc", 3), *none = mem_strndup(NULL, 0);

    CHECK_STR(p, "");
    CHECK_MEM(q, 4, "a\0b", 4);
    CHECK_STR(none, "");
    CHECK(mem_strndup("x", SIZE_MAX) == NULL);
    mem_fail_at(0, 2);
    CHECK(mem_strdup("x") == NULL);
    CHECK(mem_strndup("x", 1) == NULL);
    mem_free(p);
    mem_free(q);
    mem_free(none);
}

TEST(wiping)
{
    char secret[8] = "secret!";

    mem_wipe(secret + 2, 3);
    CHECK_MEM(secret, 8, "se\0\0\0t!", 8);
    mem_wipe(NULL, 0);
    mem_wipe_free(NULL, 5);
    mem_wipe_free(mem_strdup("secret"), 6);
}

TEST_MAIN(RUN(what_is_freed_is_no_longer_counted), RUN(sized_free_counts_the_same), RUN(zalloc_clears),
          RUN(nothing_asked_for_is_still_a_block), RUN(realloc_counts_the_difference),
          RUN(cap_refuses_and_recovers), RUN(realloc_that_fails_leaves_the_block),
          RUN(failure_at_the_asked_place), RUN(strings), RUN(wiping))
