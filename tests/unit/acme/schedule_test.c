/* SPDX-License-Identifier: MIT
 *
 * The file of a schedule: what was kept is there again, and what is no schedule does no harm.
 */
#include "tests/unit/test.h"

#include "acme/schedule.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1795685400)
#define DAY INT64_C(86400)

static const char *state;

static void begin(void)
{
    state = folder_new();
}

static void end(void)
{
    folder_remove(state);
    CHECK_EQ(mem_blocks(), 0);
}

static void put_file(struct bytes content)
{
    char folder[100];

    snprintf(folder, sizeof folder, "%s/a.test", state);
    CHECK_EQ(state_write(folder, "schedule", 0644, content), 0);
}

static struct schedule load(void)
{
    struct schedule s;

    memset(&s, 0xa5, sizeof s);
    schedule_load(&s, state, "a.test");
    return s;
}

static struct schedule load_text(const char *text)
{
    put_file(bytes_str(text));
    return load();
}

static bool is_empty(const struct schedule *s)
{
    return s->failures == 0 && s->next_try == 0 && s->renew_at == 0 && s->ask_at == 0 && s->not_after == 0 &&
           s->limited[0] == 0 && s->limited[1] == 0;
}

static void check_same(const struct schedule *a, const struct schedule *b)
{
    CHECK_EQ(a->failures, b->failures);
    CHECK_EQ(a->next_try, b->next_try);
    CHECK_EQ(a->renew_at, b->renew_at);
    CHECK_EQ(a->ask_at, b->ask_at);
    CHECK_EQ(a->not_after, b->not_after);
    CHECK_EQ(a->limited[0], b->limited[0]);
    CHECK_EQ(a->limited[1], b->limited[1]);
}

TEST(round_trips)
{
    static const struct schedule cases[] = {
        {0                   },
        {                         .failures = 1                   },
        {           .next_try = NOW     },
        { .renew_at = NOW,          .not_after = NOW + 1},
        {               .ask_at = 1                   },
        {                             .limited = {NOW, NOW + 9}},
        {        .failures = 1000,                    .next_try = NOW + 1, .renew_at = NOW + 2, .ask_at = NOW + 3, .not_after = NOW + 4},
        {           .not_after = INT64_C(253402300799),                    .renew_at = INT64_C(253402300799)},
    };

    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_EQ(schedule_save(&cases[i], state, "a.test"), 0);
        struct schedule s = load();
        check_same(&s, &cases[i]);
    }
    end();
}

/* A person can read it. */
TEST(the_file)
{
    static const struct schedule s = {.failures = 2, .next_try = NOW, .not_after = 7};
    static const char text[] = "failures 2\nnext-try 1795685400\nnot-after 7\n";
    char path[100];
    struct file f;

    begin();
    CHECK_EQ(schedule_save(&s, state, "a.test"), 0);
    snprintf(path, sizeof path, "%s/a.test/schedule", state);
    CHECK_EQ(file_read(path, 1000, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, text, sizeof text - 1);
    CHECK_EQ(f.mode, 0644);
    file_release(&f);
    end();
}

TEST(garbage)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
#define CASE(text) {text, sizeof text - 1}
        CASE(""),
        CASE("\n\n\n"),
        CASE("\0failures 3\n"),
        CASE("failures\n"),
        CASE("failures \n3"),
        CASE("failures -3\n"),
        CASE("failures x\n"),
        CASE("failures3\n"),
        CASE("FAILURES 3\n"),
        CASE("xfailures 3\n"),
        CASE("next-try -1\nrenew-at -9223372036854775808\n"),
        CASE("next-try next-try\n"),
        CASE("next-try-and-more 5\n"),
        CASE("{\"failures\":3}\n"),
        CASE("%s%n%d 3\n"),
        CASE("\xff\xfe\x00\x01"),
        CASE("5 failures\n"),
        CASE("# failures 3\n"),
#undef CASE
    };
    static char large[5000];
    struct schedule s;
    char path[100];

    begin();
    s = load(); /* no folder */
    CHECK(is_empty(&s));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_file(bytes_of(cases[i].text, cases[i].n));
        s = load();
        if (!CHECK(is_empty(&s)))
            printf("    case %zu\n", i);
    }
    memset(large, '\n', sizeof large);
    memcpy(large, "failures 3", 10);
    put_file(bytes_of(large, sizeof large));
    s = load();
    CHECK(is_empty(&s));
    snprintf(path, sizeof path, "%s/a.test/schedule", state);
    unlink(path);
    mkdir(path, 0700);
    s = load();
    CHECK(is_empty(&s));
    rmdir(path);
    end();
}

/* What a person writes is taken. */
TEST(by_hand)
{
    struct schedule s;

    begin();
    s = load_text("failures 3\r\nnext-try 5\r\n");
    CHECK(s.failures == 3 && s.next_try == 5);
    s = load_text("  failures   3");
    CHECK_EQ(s.failures, 3);
    s = load_text("failures 3\nfailures 4\n");
    CHECK_EQ(s.failures, 4);
    s = load_text("not known 3\nfailures 4\nsome-other 5\n");
    CHECK_EQ(s.failures, 4);
    s = load_text("failures 4294967297\n");
    CHECK_EQ(s.failures, 1000);
    end();
}

/* A moment that is years ahead, left by a clock that was wrong or by a slip of a hand, keeps nothing from being tried: an
 * authority's own wish is believed for a week, our pauses are of a day. */
TEST(moments_that_never_come)
{
    struct schedule s = {.failures = 4};

    CHECK_EQ(schedule_next(&s, NOW), 0);
    schedule_failed(&s, NOW, 0, UINT32_MAX);
    CHECK_EQ(schedule_next(&s, NOW), s.next_try);
    CHECK_EQ(schedule_next(&s, s.next_try + DAY), s.next_try);
    schedule_failed(&s, NOW, NOW + 7 * DAY, 0);
    CHECK_EQ(schedule_next(&s, NOW), NOW + 7 * DAY);
    s.next_try = NOW + 400 * DAY;
    CHECK_EQ(schedule_next(&s, NOW), 0);
    CHECK_EQ(schedule_next(&s, NOW + 399 * DAY), NOW + 400 * DAY);
    begin();
    s = load_text("failures 2\nnext-try 9223372036854775807\n");
    CHECK_EQ(s.failures, 2);
    CHECK_EQ(schedule_next(&s, NOW), 0);
    s = load_text("next-try 99999999999999999999999999\n");
    CHECK_EQ(schedule_next(&s, NOW), 0);
    end();
}

TEST(where_it_cannot_be_kept)
{
    static const struct schedule s = {.failures = 1};
    static const char *const names[] = {"", ".", "..", "../x", "a/b", "/x", ".hidden"};
    char *name = malloc(6001);
    struct schedule t;

    begin();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_EQ(schedule_save(&s, state, names[i]), EINVAL);
        t = (struct schedule){.failures = 5};
        schedule_load(&t, state, names[i]);
        CHECK(is_empty(&t));
    }
    CHECK_EQ(schedule_save(&s, "/dev/null/x", "a.test"), ENOTDIR);
    memset(name, 'x', 6000);
    name[6000] = '\0';
    CHECK(schedule_save(&s, state, name) != 0);
    schedule_load(&t, state, name);
    CHECK(is_empty(&t));
    for (size_t n = 4000; n < 4110; n++) { /* about PATH_MAX, where one part fits and not the next */
        name[n] = '\0';
        CHECK(schedule_save(&s, state, name) != 0);
        schedule_load(&t, state, name);
        CHECK(is_empty(&t));
        name[n] = 'x';
    }
    free(name);
    end();
}

TEST(pauses)
{
    static const int64_t pauses[] = {60, 600, 6000, DAY};

    for (unsigned failures = 0; failures < 4; failures++) {
        int64_t least = INT64_MAX, most = 0;

        for (uint32_t i = 0; i < 20000; i++) {
            struct schedule s = {.failures = failures, .renew_at = 5};

            schedule_failed(&s, NOW, 0, i * 2654435761u);
            least = s.next_try - NOW < least ? s.next_try - NOW : least;
            most = s.next_try - NOW > most ? s.next_try - NOW : most;
            CHECK_EQ(s.renew_at, 5);
        }
        CHECK(least >= pauses[failures] && least <= pauses[failures] + 5);
        CHECK(most <= pauses[failures] * 5 / 4 && most >= pauses[failures] * 5 / 4 - 5);
    }
    struct schedule s = {.failures = 0};
    schedule_failed(&s, NOW, NOW - 1, UINT32_MAX);
    CHECK(s.next_try >= NOW + 60 && s.next_try <= NOW + 75);
    schedule_succeeded(&s);
    CHECK(is_empty(&s));
}

/* Of two authorities the one that sets no limit is asked, whoever's turn it were; what both set is obeyed. */
TEST(limits)
{
    struct schedule s = {.failures = 0};

    CHECK(!schedule_is_others_turn(&s, NOW));
    CHECK_EQ(schedule_limit(&s, false, NOW + 9), 0);
    CHECK(schedule_is_others_turn(&s, NOW));
    CHECK(schedule_is_others_turn(&s, NOW + 8));
    CHECK(!schedule_is_others_turn(&s, NOW + 9));
    s.failures = 2;
    CHECK(schedule_is_others_turn(&s, NOW));
    CHECK_EQ(schedule_limit(&s, false, 0), 0); /* one that says nothing takes nothing back */
    CHECK(schedule_is_others_turn(&s, NOW));
    CHECK_EQ(schedule_limit(&s, true, NOW + 5), NOW + 5);
    CHECK(!schedule_is_others_turn(&s, NOW));
    s.failures = 3;
    CHECK(schedule_is_others_turn(&s, NOW));
    CHECK(schedule_is_others_turn(&s, NOW + 5));
    schedule_succeeded(&s); /* with the other: what was said holds */
    CHECK(s.failures == 0 && s.limited[0] == NOW + 9 && s.limited[1] == NOW + 5);
    s.limited[0] = NOW + 400 * DAY; /* left by a clock that was wrong */
    CHECK(!schedule_is_others_turn(&s, NOW + 5));
}

TEST(renewals)
{
    static const int64_t days[] = {1, 6, 9, 10, 47, 90, 365, 398, 825};

    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        int64_t life = days[i] * DAY, latest = NOW + life - (days[i] < 10 ? life / 2 : life / 3);
        int64_t least = INT64_MAX, most = 0;

        for (uint32_t r = 0; r < 20000; r++) {
            int64_t at = schedule_renewal(NOW, NOW + life, r * 2654435761u);

            least = at < least ? at : least;
            most = at > most ? at : most;
        }
        CHECK(most <= latest && most >= latest - life / 600);
        CHECK(least >= latest - life / 60 && least <= latest - life / 60 + life / 600);
    }
    CHECK_EQ(schedule_renewal(0, 1, UINT32_MAX), 1);
    CHECK(schedule_renewal(0, INT64_C(253402300799), UINT32_MAX) < INT64_C(253402300799)); /* no known end */
    CHECK_EQ(schedule_renewal(NOW, 0, UINT32_MAX), 0);
}

TEST_MAIN(RUN(round_trips), RUN(the_file), RUN(garbage), RUN(by_hand), RUN(moments_that_never_come),
          RUN(where_it_cannot_be_kept), RUN(pauses), RUN(limits), RUN(renewals))
