/* SPDX-License-Identifier: MIT
 *
 * Every counter has a name of its own, of the form that is promised.
 */
#include "tests/unit/test.h"

#include "base/counters.h"

TEST(each_has_its_own_name)
{
    for (enum counter c = 0; c < COUNTER_MAX; c++) {
        const char *name = counter_name(c);

        if (!CHECK(name != NULL && name[0] != 0))
            continue;
        CHECK_EQ(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        for (enum counter other = 0; other < c; other++)
            CHECK(strcmp(name, counter_name(other)) != 0);
    }
    CHECK_STR(counter_name(COUNT_CONNECTIONS_OPEN), "connections_open");
    CHECK_STR(counter_name(COUNT_STATUS_5XX), "status_5xx");
}

TEST_MAIN(RUN(each_has_its_own_name))
