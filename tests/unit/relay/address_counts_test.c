/* SPDX-License-Identifier: MIT
 *
 * Counts by address against a plain array.
 */
#include "relay/address_counts.h"

#include "base/mem.h"
#include "base/random.h"
#include "tests/unit/test.h"

static struct addr address(unsigned i)
{
    struct addr a;
    char text[32];

    snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
    (void)addr_from_ip(&a, bytes_str(text), (uint16_t)random_below(65536));
    return a;
}

TEST(cap_holds_for_each_address)
{
    struct address_counts *t = address_counts_new();
    struct addr a = address(1), b = address(2);

    for (int i = 0; i < 3; i++)
        CHECK(address_counts_enter(t, &a, 3));
    CHECK(!address_counts_enter(t, &a, 3));
    CHECK(address_counts_enter(t, &b, 3));
    address_counts_leave(t, &a);
    CHECK(address_counts_enter(t, &a, 3));
    address_counts_free(t);
}

TEST(one_ipv6_network_is_one_client)
{
    struct address_counts *t = address_counts_new();
    struct addr a, b, c;

    (void)addr_from_ip(&a, bytes_str("2001:db8:1:2::1"), 1);
    (void)addr_from_ip(&b, bytes_str("2001:db8:1:2:ffff::9"), 2);
    (void)addr_from_ip(&c, bytes_str("2001:db8:1:3::1"), 3);
    CHECK(address_counts_enter(t, &a, 1));
    CHECK(!address_counts_enter(t, &b, 1));
    CHECK(address_counts_enter(t, &c, 1));
    address_counts_free(t);
}

TEST(agrees_with_an_array_over_random_steps)
{
    enum { ADDRESSES = 700 };
    static unsigned model[ADDRESSES];
    struct address_counts *t = address_counts_new();

    for (int step = 0; step < 60000; step++) {
        unsigned i = random_below(ADDRESSES);
        struct addr a = address(i);
        if (random_below(100) < (step < 30000 ? 60u : 40u)) {
            bool entered = address_counts_enter(t, &a, 5);
            CHECK_EQ(entered, model[i] < 5);
            model[i] += entered;
        } else if (model[i]) {
            address_counts_leave(t, &a);
            model[i]--;
        }
        if (step % 997 == 0)
            for (unsigned k = 0; k < ADDRESSES; k++) {
                struct addr x = address(k);
                CHECK_EQ(address_counts_of(t, &x), model[k]);
            }
    }
    address_counts_free(t);
}

TEST(memory_running_out_refuses_and_keeps_the_rest)
{
    struct address_counts *t = address_counts_new();
    unsigned entered = 0;

    mem_fail_at(0, 1000);
    for (unsigned i = 0; i < 100; i++) {
        struct addr a = address(i);
        entered += address_counts_enter(t, &a, 5);
    }
    mem_fail_at(-1, 0);
    CHECK_EQ(entered, 32); /* half of the first table */
    for (unsigned i = 0; i < 32; i++) {
        struct addr a = address(i);
        CHECK_EQ(address_counts_of(t, &a), 1);
    }
    address_counts_free(t);
    CHECK_EQ(mem_blocks(), 0);
}

TEST_MAIN(RUN(cap_holds_for_each_address), RUN(one_ipv6_network_is_one_client),
          RUN(agrees_with_an_array_over_random_steps), RUN(memory_running_out_refuses_and_keeps_the_rest))
