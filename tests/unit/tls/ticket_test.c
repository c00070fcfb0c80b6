/* SPDX-License-Identifier: MIT
 *
 * Session tickets: what is sealed opens, at its own site alone, while it is young, under keys of our own that turn
 * over and under keys of a file; and no bit of one may change. The clock is the test's.
 */
#include "tests/unit/test.h"
#include "tests/unit/tls/clock.h"

#include "base/mem.h"
#include "tls/ticket.h"

#include <stdlib.h>

enum { HOUR = 3600 * 1000, DAY = 24 * HOUR, SKEW = 10 * 1000 };

struct sealed {
    struct ticket ticket;
    uint8_t bytes[TICKET_MAX];
    size_t n;
};

static struct sealed seal_at(struct tls_tickets *t, const char *site, uint8_t psk_len)
{
    struct sealed s = {
        .ticket = {.suite = psk_len == 48 ? 0x1302 : 0x1301, .age_add = 0xfffffff0, .psk_len = psk_len}
    };

    for (uint8_t i = 0; i < psk_len; i++)
        s.ticket.psk[i] = (uint8_t)(0x80 + i);
    memset(s.bytes, 0xee, sizeof s.bytes);
    s.n = ticket_seal(t, &s.ticket, site, s.bytes);
    CHECK(s.n > 0 && s.n <= TICKET_MAX);
    return s;
}

static struct sealed seal(struct tls_tickets *t)
{
    return seal_at(t, "site", 32);
}

/* Is it taken, offered so many milliseconds after it was made? */
static bool opens_at(struct tls_tickets *t, const struct sealed *s, const char *site, uint32_t age)
{
    struct ticket got;
    uint8_t zeros[sizeof got] = {0};
    uint8_t *copy = malloc(s->n ? s->n : 1); /* memory of just this size */

    memcpy(copy, s->bytes, s->n);
    memset(&got, 0x55, sizeof got);
    bool opened = ticket_open(t, (struct bytes){copy, s->n}, site, age + s->ticket.age_add, &got);
    free(copy);
    if (opened) {
        CHECK_EQ(got.suite, s->ticket.suite);
        CHECK_EQ(got.age_add, s->ticket.age_add);
        CHECK_MEM(got.psk, got.psk_len, s->ticket.psk, s->ticket.psk_len);
    } else if (got.psk_len != 0x55) { /* nothing is left of what was not taken */
        CHECK_MEM(&got, sizeof got, zeros, sizeof got);
    }
    return opened;
}

static bool opens(struct tls_tickets *t, const struct sealed *s)
{
    return opens_at(t, s, "site", 0);
}

TEST(what_is_sealed_opens)
{
    struct tls_tickets *t = tls_tickets_new();
    struct sealed a = seal(t), b = seal(t), c = seal_at(t, "site", 48), d = seal_at(t, "", 32);

    CHECK(opens(t, &a) && opens(t, &b) && opens(t, &c) && opens_at(t, &d, "", 0));
    CHECK(opens(t, &a)); /* as often as it is offered */
    /* Of the same length whatever is in it, so that nothing shows; and never the same twice. */
    CHECK_EQ(a.n, c.n);
    CHECK_EQ(a.n, d.n);
    CHECK(memcmp(a.bytes + 16, b.bytes + 16, 12) != 0);
    CHECK(memcmp(a.bytes + 28, b.bytes + 28, a.n - 28) != 0);
    tls_tickets_free(t);
}

TEST(no_bit_may_change)
{
    struct tls_tickets *t = tls_tickets_new();
    struct sealed s = seal(t);

    for (size_t bit = 0; bit < 8 * s.n; bit++) {
        s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!CHECK(!opens(t, &s)))
            printf("    bit %zu\n", bit);
        s.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    size_t whole = s.n;
    for (s.n = 0; s.n <= TICKET_MAX; s.n++)
        CHECK_EQ(opens(t, &s), s.n == whole);
    tls_tickets_free(t);
}

TEST(a_site_takes_its_own)
{
    static const char *const others[] = {"", "sit", "sites", "Site", "site.", "other"};
    struct tls_tickets *t = tls_tickets_new();
    struct sealed s = seal(t);

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(!opens_at(t, &s, others[i], 0));
    CHECK(opens_at(t, &s, "site", 0));
    tls_tickets_free(t);
}

TEST(another_process_has_other_keys)
{
    struct tls_tickets *t = tls_tickets_new(), *other = tls_tickets_new();
    struct sealed s = seal(t);

    CHECK(!opens(other, &s));
    CHECK(opens(t, &s));
    tls_tickets_free(t);
    tls_tickets_free(other);
}

/* --- ages --- */

TEST(lifetime_is_twice_the_rotation_and_a_week_at_most)
{
    struct tls_tickets *t = tls_tickets_new();

    CHECK_EQ(tls_tickets_lifetime(t), 24 * 60 * 60);
    tls_tickets_set_rotation(t, 1000);
    CHECK_EQ(tls_tickets_lifetime(t), 2);
    tls_tickets_set_rotation(t, 3 * DAY);
    CHECK_EQ(tls_tickets_lifetime(t), 6 * 24 * 60 * 60);
    tls_tickets_set_rotation(t, 30ull * DAY);
    CHECK_EQ(tls_tickets_lifetime(t), 7 * 24 * 60 * 60);
    tls_tickets_set_rotation(t, UINT64_MAX / 4);
    CHECK_EQ(tls_tickets_lifetime(t), 7 * 24 * 60 * 60);
    tls_tickets_free(t);
}

/* By our clock, and by what the client says. */
TEST(old_tickets)
{
    struct tls_tickets *t = tls_tickets_new();

    tls_tickets_set_rotation(t, HOUR);
    struct sealed s = seal(t);
    clock_wall += 2 * HOUR;
    CHECK(opens(t, &s));
    clock_wall += 1;
    CHECK(!opens(t, &s));
    clock_wall -= 1;
    CHECK(opens_at(t, &s, "site", 2 * HOUR));
    CHECK(opens_at(t, &s, "site", 2 * HOUR + SKEW));
    CHECK(!opens_at(t, &s, "site", 2 * HOUR + SKEW + 1));
    CHECK(!opens_at(t, &s, "site", UINT32_MAX)); /* older than it can be, or from the future */
    clock_wall -= 2 * HOUR;
    tls_tickets_free(t);
}

/* What is resumed again and again began with a handshake, and a week after that it ends. */
TEST(a_line_of_tickets_ends)
{
    struct tls_tickets *t = tls_tickets_new();
    struct ticket ticket = {.suite = 0x1301, .psk_len = 32}, got;
    uint64_t began = (uint64_t)clock_wall;
    uint8_t sealed[TICKET_MAX];
    size_t n = ticket_seal(t, &ticket, "site", sealed);

    CHECK(ticket_open(t, (struct bytes){sealed, n}, "site", 0, &got));
    CHECK_EQ(got.authenticated_ms, began); /* its own time, where it is the first */
    clock_wall += 7ll * DAY - 1;
    ticket.authenticated_ms = began;
    n = ticket_seal(t, &ticket, "site", sealed);
    clock_wall += 1;
    CHECK(ticket_open(t, (struct bytes){sealed, n}, "site", 0, &got));
    CHECK_EQ(got.authenticated_ms, began);
    clock_wall += 1;
    CHECK(!ticket_open(t, (struct bytes){sealed, n}, "site", 0, &got));
    tls_tickets_free(t);
}

/* A replica's clock may be ahead of ours, by a little. */
TEST(tickets_from_the_future)
{
    struct tls_tickets *t = tls_tickets_new();
    struct sealed s = seal(t);

    clock_wall -= SKEW;
    CHECK(opens(t, &s));
    clock_wall -= 1;
    CHECK(!opens(t, &s));
    clock_wall += SKEW + 1;
    CHECK(opens(t, &s));
    tls_tickets_free(t);
}

/* At boot a board's clock may say 1970, or less. */
TEST(a_clock_of_1970)
{
    struct tls_tickets *t = tls_tickets_new();
    int64_t now = clock_wall;

    for (int64_t ms = -5000; ms <= 5000; ms += 5000) {
        clock_wall = ms;
        struct sealed s = seal(t);
        if (ms >= 0)
            CHECK(opens(t, &s));
        clock_wall = now;
        CHECK(!opens(t, &s));
    }
    tls_tickets_free(t);
}

/* --- keys that turn over --- */

TEST(keys_turn_over)
{
    struct tls_tickets *t = tls_tickets_new();

    tls_tickets_set_rotation(t, HOUR);
    struct sealed first = seal(t), second, third;
    clock_mono += HOUR - 1; /* the wall clock stands still: that the key is gone is what ends a ticket here */
    second = seal(t);
    CHECK_MEM(first.bytes, 16, second.bytes, 16);
    clock_mono += 1;
    second = seal(t);
    CHECK(memcmp(first.bytes, second.bytes, 16) != 0);
    CHECK(opens(t, &first) && opens(t, &second));
    clock_mono += HOUR;
    third = seal(t);
    CHECK(memcmp(second.bytes, third.bytes, 16) != 0);
    CHECK(opens(t, &first) && opens(t, &second) && opens(t, &third));
    clock_mono += HOUR;
    CHECK(!opens(t, &first));
    CHECK(opens(t, &second) && opens(t, &third));
    clock_mono += 2 * HOUR - 1;
    CHECK(!opens(t, &second));
    CHECK(opens(t, &third)); /* till the end of the third rotation after its own */
    clock_mono += 1;
    CHECK(!opens(t, &third));
    tls_tickets_free(t);
}

/* Nothing is to do while nobody asks, and after a long time all are new. */
TEST(a_long_pause)
{
    static const int64_t pauses[] = {3 * HOUR, 3 * HOUR + 1, 100ll * DAY, 1ll << 50};

    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        struct tls_tickets *t = tls_tickets_new();
        tls_tickets_set_rotation(t, HOUR);
        struct sealed s = seal(t);
        clock_mono += pauses[i];
        CHECK(!opens(t, &s));
        s = seal(t);
        CHECK(opens(t, &s));
        clock_mono += HOUR + 1;
        struct sealed next = seal(t);
        CHECK(memcmp(s.bytes, next.bytes, 16) != 0);
        CHECK(opens(t, &s));
        tls_tickets_free(t);
    }
}

TEST(another_rotation)
{
    struct tls_tickets *t = tls_tickets_new();

    tls_tickets_set_rotation(t, DAY);
    struct sealed s = seal(t);
    clock_mono += HOUR;
    tls_tickets_set_rotation(t, HOUR);
    struct sealed next = seal(t);
    CHECK(memcmp(s.bytes, next.bytes, 16) != 0);
    CHECK(opens(t, &s));
    tls_tickets_free(t);
}

/* --- keys of a file --- */

static void keys_of(uint8_t keys[TICKET_KEYS][TICKET_KEY], uint8_t from)
{
    for (size_t i = 0; i < TICKET_KEYS; i++)
        memset(keys[i], (int)(from + i), TICKET_KEY);
}

TEST(given_keys)
{
    struct tls_tickets *t = tls_tickets_new(), *replica = tls_tickets_new();
    uint8_t keys[TICKET_KEYS][TICKET_KEY];
    struct sealed own = seal(t), by[TICKET_KEYS];

    keys_of(keys, 1);
    for (size_t i = 0; i < TICKET_KEYS; i++) {
        tls_tickets_set_keys(t, (const uint8_t(*)[TICKET_KEY])keys + i, 1);
        by[i] = seal(t);
        CHECK_MEM(by[i].bytes, 16, keys[i], 16);
        CHECK(opens(t, &by[i]));
    }
    CHECK(!opens(t, &own));
    CHECK(!opens(t, &by[0])); /* no longer among them */
    /* All open, the first seals; at a replica, too. */
    for (size_t n = 1; n <= TICKET_KEYS; n++) {
        tls_tickets_set_keys(replica, (const uint8_t(*)[TICKET_KEY])keys, n);
        for (size_t i = 0; i < TICKET_KEYS; i++)
            CHECK_EQ(opens(replica, &by[i]), i < n);
        own = seal(replica);
        CHECK_MEM(own.bytes, 16, keys[0], 16);
    }
    /* They do not turn over; a ticket's age counts as ever. */
    clock_mono += 100ll * DAY;
    CHECK(opens(replica, &by[7]));
    own = seal(replica);
    CHECK_MEM(own.bytes, 16, keys[0], 16);
    clock_wall += DAY + 1;
    CHECK(!opens(replica, &by[7]));
    clock_wall -= DAY + 1;
    tls_tickets_free(t);
    tls_tickets_free(replica);
}

/* The name in a ticket is authenticated: under one name, the key of another. */
TEST(the_name_is_part_of_it)
{
    struct tls_tickets *t = tls_tickets_new();
    uint8_t keys[2][TICKET_KEY];

    memset(keys, 9, sizeof keys);
    memset(keys[1], 8, 16); /* the same key by another name */
    tls_tickets_set_keys(t, (const uint8_t(*)[TICKET_KEY])keys, 2);
    struct sealed s = seal(t);
    memset(s.bytes, 8, 16);
    CHECK(!opens(t, &s));
    memset(s.bytes, 9, 16);
    CHECK(opens(t, &s));
    tls_tickets_free(t);
}

TEST(own_keys_again)
{
    struct tls_tickets *t = tls_tickets_new();
    uint8_t keys[TICKET_KEYS][TICKET_KEY];

    keys_of(keys, 1);
    tls_tickets_set_keys(t, NULL, 0); /* a reload that changes nothing: keys survive it */
    struct sealed own = seal(t);
    tls_tickets_set_keys(t, NULL, 0);
    CHECK(opens(t, &own));
    tls_tickets_set_keys(t, (const uint8_t(*)[TICKET_KEY])keys, 3);
    struct sealed given = seal(t);
    tls_tickets_set_keys(t, NULL, 0);
    CHECK(!opens(t, &own) && !opens(t, &given));
    own = seal(t);
    CHECK(opens(t, &own));
    CHECK(memcmp(own.bytes, keys[0], 16) != 0);
    tls_tickets_free(t);
}

TEST(without_memory)
{
    size_t blocks = mem_blocks();

    for (long n = 0;; n++) {
        mem_fail_at(n, 1);
        struct tls_tickets *t = tls_tickets_new();
        mem_fail_at(-1, 0);
        tls_tickets_free(t);
        CHECK_EQ(mem_blocks(), blocks);
        if (t) {
            CHECK_EQ(n, 1 + TICKET_KEYS);
            break;
        }
    }
    tls_tickets_free(NULL);
}

TEST_MAIN(RUN(what_is_sealed_opens), RUN(no_bit_may_change), RUN(a_site_takes_its_own),
          RUN(another_process_has_other_keys), RUN(lifetime_is_twice_the_rotation_and_a_week_at_most),
          RUN(old_tickets), RUN(a_line_of_tickets_ends), RUN(tickets_from_the_future), RUN(a_clock_of_1970),
          RUN(keys_turn_over), RUN(a_long_pause), RUN(another_rotation), RUN(given_keys),
          RUN(the_name_is_part_of_it), RUN(own_keys_again), RUN(without_memory))
