/* SPDX-License-Identifier: MIT
 *
 * Timers against a naive model: the same random sets, moves and clears on an array, and the same must fire.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "base/time.h"
#include "net/loop.h"
#include "net/timer.h"

#include <stdlib.h>

enum { MANY = 3000 };

struct counted {
    struct timer timer; /* first */
    struct loop *loop;
    unsigned fired;
    uint64_t again_at; /* set once more when it fires */
    struct counted *clears;
};

static void count(struct timer *timer)
{
    struct counted *c = (struct counted *)timer;

    c->fired++;
    if (c->again_at != 0) {
        uint64_t at = c->again_at;

        c->again_at = 0;
        CHECK(timer_set(c->loop, timer, at));
    }
    if (c->clears != NULL)
        timer_clear(c->loop, &c->clears->timer);
}

static uint32_t state = 12345;
static uint32_t random_u32(uint32_t bound)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % bound;
}

static void check_heap(const struct timers *ts)
{
    for (uint32_t slot = 1; slot <= ts->count; slot++) {
        const struct timer *t = ts->heap[slot];

        if (t->slot != slot || t->keyed > t->due || (slot > 1 && ts->heap[slot / 2]->keyed > t->keyed)) {
            FAIL("the heap is out of order");
            return;
        }
    }
}

TEST(random_against_a_model)
{
    struct loop *loop = loop_new();
    struct timers *ts = loop_timers(loop);
    static struct timer timers[MANY];
    static uint64_t model[MANY]; /* due, 0 is not set */
    uint64_t now = 1;

    memset(timers, 0, sizeof timers);
    memset(model, 0, sizeof model);
    for (int round = 0; round < 200000; round++) {
        uint32_t i = random_u32(MANY);

        switch (random_u32(8)) {
        case 0:
            timer_clear(loop, &timers[i]);
            model[i] = 0;
            break;
        case 1: {
            struct timer *t;

            now += random_u32(20);
            while ((t = timers_take(ts, now)) != NULL) {
                size_t k = (size_t)(t - timers);

                if (model[k] == 0 || model[k] > now)
                    FAIL("fired and was not due");
                model[k] = 0;
            }
            break;
        }
        default: model[i] = now + random_u32(2000); CHECK(timer_set(loop, &timers[i], model[i]));
        }
        if (timer_is_set(&timers[i]) != (model[i] != 0))
            FAIL("set and not set");
        if (round % 512 == 0) {
            uint32_t set = 0;

            check_heap(ts);
            for (size_t k = 0; k < MANY; k++)
                set += model[k] != 0 ? 1 : 0;
            CHECK_EQ(ts->count, set);
        }
    }
    for (size_t k = 0; k < MANY; k++)
        if (model[k] != 0 && model[k] < now)
            CHECK(model[k] + 2000 > now);
    loop_free(loop);
    for (size_t k = 0; k < MANY; k++)
        CHECK(!timer_is_set(&timers[k]));
    CHECK_EQ(mem_blocks(), 0);
}

TEST(nothing_is_missed)
{
    struct loop *loop = loop_new();
    struct timers *ts = loop_timers(loop);
    struct timer timers[100] = {0};
    uint64_t last = 0;
    unsigned n = 0;
    struct timer *t;

    for (unsigned i = 0; i < 100; i++)
        CHECK(timer_set(loop, &timers[i], 1000 + (i * 37) % 100));
    for (uint64_t now = 900; now < 1200; now++)
        while ((t = timers_take(ts, now)) != NULL) {
            CHECK_EQ(t->due, now);
            CHECK(t->due >= last);
            last = t->due;
            n++;
        }
    CHECK_EQ(n, 100);
    loop_free(loop);
}

TEST(later_costs_nothing_until_then)
{
    struct loop *loop = loop_new();
    struct timers *ts = loop_timers(loop);
    struct timer a = {0}, b = {0};

    CHECK(timer_set(loop, &a, 10));
    CHECK(timer_set(loop, &b, 20));
    CHECK(timer_set(loop, &a, 100));
    CHECK_EQ(a.slot, 1); /* not moved */
    CHECK_EQ(timers_next(ts), 10);
    CHECK(timers_take(ts, 15) == NULL);
    CHECK_EQ(timers_next(ts), 20); /* now it is */
    CHECK(timers_take(ts, 20) == &b);
    CHECK(timers_take(ts, 99) == NULL);
    CHECK(timer_set(loop, &a, 30)); /* earlier again: at once */
    CHECK_EQ(timers_next(ts), 30);
    CHECK(timers_take(ts, 30) == &a);
    CHECK_EQ(timers_next(ts), UINT64_MAX);
    loop_free(loop);
}

TEST(clear_of_what_is_not_set)
{
    struct loop *loop = loop_new();
    struct timer t = {0};

    timer_clear(loop, &t);
    CHECK(timer_set(loop, &t, 1));
    timer_clear(loop, &t);
    timer_clear(loop, &t);
    CHECK(!timer_is_set(&t));
    loop_free(loop);
}

TEST(fires_in_the_loop)
{
    struct loop *loop = loop_new();
    struct counted late = {.timer.fired = count}, cleared = {.timer.fired = count};
    struct counted first = {.timer.fired = count, .loop = loop, .clears = &cleared};
    struct counted again = {.timer.fired = count, .loop = loop, .again_at = 1};
    uint64_t start = loop_now(loop);

    CHECK(timer_set(loop, &first.timer, start));
    CHECK(timer_set(loop, &cleared.timer, start + 1));
    CHECK(timer_set(loop, &late.timer, start + 100000));
    while (first.fired == 0)
        CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(cleared.fired, 0);
    CHECK(!timer_is_set(&cleared.timer));

    /* Due at once when it fires: the next turn's, not the same one's for ever. */
    CHECK(timer_set(loop, &again.timer, 1));
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(again.fired, 1);
    CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK_EQ(again.fired, 2);

    /* Not before it is due. */
    CHECK(timer_set(loop, &again.timer, loop_now(loop) + 5));
    start = again.timer.due;
    while (again.fired == 2)
        CHECK_EQ(loop_turn(loop, -1), 0);
    CHECK(time_mono_ms() >= start);
    CHECK_EQ(late.fired, 0);
    loop_free(loop);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(out_of_memory)
{
    struct loop *loop = loop_new();
    struct timer t = {0};

    mem_fail_at(0, 1);
    CHECK(!timer_set(loop, &t, 1));
    mem_fail_at(-1, 0);
    CHECK(!timer_is_set(&t));
    CHECK(timer_set(loop, &t, 1));
    mem_fail_at(0, 1000);
    CHECK(timer_set(loop, &t, 2)); /* needs none when it is set */
    timer_clear(loop, &t);
    mem_fail_at(-1, 0);
    loop_free(loop);
}

TEST_MAIN(RUN(random_against_a_model), RUN(nothing_is_missed), RUN(later_costs_nothing_until_then),
          RUN(clear_of_what_is_not_set), RUN(fires_in_the_loop), RUN(out_of_memory))
