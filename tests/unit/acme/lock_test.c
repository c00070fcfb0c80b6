/* SPDX-License-Identifier: MIT
 *
 * One of two processes issues: by flock, and by leases, whose clock is given.
 */
#include "tests/unit/test.h"

#include "acme/lock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/unit/scratch.h"

#include <unistd.h>

#define NOW INT64_C(1795685400)

static const char *state;
static struct lock one, two;

static void begin(void)
{
    state = folder_new();
    lock_init(&one);
    lock_init(&two);
}

static void end(void)
{
    lock_drop(&one, state);
    lock_drop(&two, state);
    folder_remove(state);
    CHECK_EQ(mem_blocks(), 0);
}

static const char *lease_path(void)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/.lease", state);
    return path;
}

static void put_lease(const char *text)
{
    CHECK_EQ(state_write(state, ".lease", 0600, bytes_str(text)), 0);
}

TEST(one_has_the_lock)
{
    begin();
    CHECK_EQ(lock_take(&one, state, NOW), LOCK_HELD);
    CHECK_EQ(lock_take(&one, state, NOW), LOCK_HELD);
    CHECK_EQ(lock_take(&two, state, NOW), LOCK_BUSY);
    lock_drop(&one, state);
    CHECK_EQ(lock_take(&two, state, NOW), LOCK_HELD);
    CHECK(access(lease_path(), F_OK) < 0); /* no lease where there are locks */
    end();
}

TEST(a_folder_that_cannot_be_written_is_the_orders_affair)
{
    begin();
    CHECK_EQ(lock_take(&one, "/proc/nothing", NOW), LOCK_HELD);
    CHECK_EQ(lock_take_lease(&two, "/proc/nothing", NOW), LOCK_HELD);
    end();
}

TEST(a_lease_is_claimed_and_then_held)
{
    begin();
    CHECK_EQ(lock_take_lease(&one, state, NOW), LOCK_CLAIMED);
    CHECK_EQ(lock_take_lease(&one, state, NOW + 2), LOCK_HELD);
    CHECK_EQ(lock_take_lease(&two, state, NOW + 2), LOCK_BUSY);
    CHECK_EQ(lock_take(&one, state, NOW + 3), LOCK_HELD); /* and it stays with the lease */
    lock_drop(&two, state);                               /* not his to drop */
    CHECK_EQ(lock_take_lease(&two, state, NOW + 4), LOCK_BUSY);
    lock_drop(&one, state);
    CHECK(access(lease_path(), F_OK) < 0);
    CHECK_EQ(lock_take_lease(&two, state, NOW + 5), LOCK_CLAIMED);
    end();
}

TEST(whoever_claimed_last_has_it)
{
    begin();
    CHECK_EQ(lock_take_lease(&one, state, NOW), LOCK_CLAIMED);
    unlink(lease_path()); /* the other did not see it */
    CHECK_EQ(lock_take_lease(&two, state, NOW), LOCK_CLAIMED);
    CHECK_EQ(lock_take_lease(&one, state, NOW + 2), LOCK_BUSY);
    CHECK_EQ(lock_take_lease(&two, state, NOW + 2), LOCK_HELD);
    end();
}

TEST(a_lease_runs_out_unless_it_is_renewed)
{
    begin();
    (void)lock_take_lease(&one, state, NOW);
    CHECK_EQ(lock_take_lease(&one, state, NOW + LOCK_LEASE - 1), LOCK_HELD);
    CHECK_EQ(lock_take_lease(&two, state, NOW + LOCK_LEASE), LOCK_BUSY);
    CHECK_EQ(lock_take_lease(&two, state, NOW + 2 * LOCK_LEASE - 1), LOCK_CLAIMED);
    CHECK_EQ(lock_take_lease(&one, state, NOW + 2 * LOCK_LEASE), LOCK_BUSY);
    end();
}

/* A clock that ran ahead, another program's file, half a file. */
TEST(what_is_no_lease_blocks_nobody)
{
    static const char *const texts[] = {
        "",
        "\n",
        "0123456789abcdef0123456789abcdef 1795685400\n", /* over */
        "0123456789abcdef0123456789abcdef 1795686301\n", /* too far ahead */
        "0123456789abcdef0123456789abcdef 99999999999999999999\n",
        "0123456789abcdef0123456789abcdef -1\n",
        "0123456789abcdef0123456789abcdef 1795686000",
        "0123456789abcdef0123456789abcdef \n",
        "0123456789abcdef0123456789abcde 1795686000\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        begin();
        put_lease(texts[i]);
        CHECK_EQ(lock_take_lease(&one, state, NOW), LOCK_CLAIMED);
        end();
    }
    begin();
    put_lease("0123456789abcdef0123456789abcdef 1795686300\n");
    CHECK_EQ(lock_take_lease(&one, state, NOW), LOCK_BUSY);
    end();
}

TEST_MAIN(RUN(one_has_the_lock), RUN(a_folder_that_cannot_be_written_is_the_orders_affair),
          RUN(a_lease_is_claimed_and_then_held), RUN(whoever_claimed_last_has_it),
          RUN(a_lease_runs_out_unless_it_is_renewed), RUN(what_is_no_lease_blocks_nobody))
