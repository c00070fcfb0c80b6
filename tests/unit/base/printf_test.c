/* SPDX-License-Identifier: MIT
 *
 * The printf family of the static build, held against this machine's: each directive that it has, in any room.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef __GLIBC__ /* in a static build they are the library's own */
#define small_vsnprintf vsnprintf
#define small_vfprintf  vfprintf
#endif
int small_vsnprintf(char *restrict s, size_t size, const char *restrict f, va_list list);
int small_vfprintf(FILE *restrict file, const char *restrict f, va_list list);

enum { ROOM = 2000 };

static int into(char *s, size_t size, const char *f, ...)
{
    va_list list;
    int n;

    va_start(list, f);
    n = small_vsnprintf(s, size, f, list);
    va_end(list);
    return n;
}

/* Every size of the room that cuts it, and one that does not. */
__attribute__((format(printf, 1, 2))) static void same(const char *f, ...)
{
    char ours[ROOM], theirs[ROOM];
    va_list list;
    int n;

    va_start(list, f);
    n = vsnprintf(theirs, sizeof theirs, f, list);
    va_end(list);
    for (size_t size = 0; size <= (size_t)n + 2 && size < ROOM; size++) {
        memset(ours, 'x', sizeof ours);
        va_start(list, f);
        CHECK_EQ(small_vsnprintf(ours, size, f, list), n);
        va_end(list);
        CHECK(ours[size] == 'x');
        if (size == 0)
            continue;
        size_t fits = size - 1 < (size_t)n ? size - 1 : (size_t)n;
        CHECK_MEM(ours, fits, theirs, fits);
        CHECK_EQ(ours[fits], 0);
    }
}

TEST(text)
{
    same("%%");
    same("nothing");
    same("%s", "");
    same("a %s b %s c", "one", "two");
    same("%10s|%-10s|%3s|%-3s", "text", "text", "text", "text");
    same("%.2s|%.0s|%.20s|%7.3s|%-7.3s", "text", "text", "text", "text", "text");
    same("%.*s|%.*s|%*s|%*s|%-*s", 2, "text", -1, "text", 7, "text", -7, "text", 7, "text");
    same("%c%c|%3c|%-3c", 'a', 'b', 'c', 'd');
}

/* A precision may end a string that has no end. */
TEST(text_without_an_end)
{
    const char open[3] = {'a', 'b', 'c'};

    same("%.3s", open);
    same("%.*s", 2, open);
}

/* As sprintf says it, and more than memory can hold: no end to count from. */
TEST(room_without_a_known_end)
{
    static const size_t sizes[] = {INT_MAX, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    char ours[ROOM];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(ours, 'x', sizeof ours);
        CHECK_EQ(into(ours, sizes[i], "%5d|%-5s|%05u.", 42, "text", 7), 18);
        CHECK_STR(ours, "   42|text |00007.");
    }
}

/* A caller's mistake; and what is longer than an int can say. */
TEST(text_that_is_not_there)
{
    const char *volatile none = NULL; /* the compiler need not know */
    const char *text = none;

    same("%s|%10s", text, text);
}

TEST(more_than_an_int_can_say)
{
    CHECK_EQ(into(NULL, 0, "%*s", 1000, ""), 1000);
    CHECK_EQ(into(NULL, 0, "%*s%s", INT_MAX, "", "x"), -1);
    CHECK_EQ(errno, EOVERFLOW);
}

TEST(numbers)
{
    static const intmax_t v[] = {0,         1,         -1,         9,          10,
                                 -10,       255,       256,        INT_MAX,    INT_MIN,
                                 INT64_MAX, INT64_MIN, 4294967295, 4294967296, 1000000007};

    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        same("%d|%5d|%-5d|%02d.", (int)v[i], (int)v[i], (int)v[i], (int)v[i]);
        same("%u|%x|%o|%04x|%016llx", (unsigned)v[i], (unsigned)v[i], (unsigned)v[i], (unsigned)v[i],
             (unsigned long long)v[i]);
        same("%ld|%lld|%jd|%zu|%lu|%llu|%ju", (long)v[i], (long long)v[i], v[i], (size_t)v[i],
             (unsigned long)v[i], (unsigned long long)v[i], (uintmax_t)v[i]);
        same("%*d|%-*d|%0*d|%*d", 12, (int)v[i], 12, (int)v[i], 12, (int)v[i], -12, (int)v[i]);
        same("%lo|%04o|%zx|%20ju|%-20ju|%020ju", (unsigned long)v[i], (unsigned)v[i], (size_t)v[i],
             (uintmax_t)v[i], (uintmax_t)v[i], (uintmax_t)v[i]);
    }
}

TEST(what_it_does_not_have_is_printed_as_it_stands)
{
    char out[100];
    const char *volatile f = "%s and %g, %s", *volatile cut = "50%"; /* the compiler need not know */
    struct {
        va_list list;
    } none;

    memset(&none, 0, sizeof none);
    CHECK_EQ(small_vsnprintf(out, sizeof out, f + 7, none.list), 6);
    CHECK_STR(out, "%g, %s");
    CHECK_EQ(small_vsnprintf(out, sizeof out, cut, none.list), 3);
    CHECK_STR(out, "50%");
}

__attribute__((format(printf, 2, 3))) static int print(FILE *file, const char *f, ...)
{
    va_list list;
    int n;

    va_start(list, f);
    n = small_vfprintf(file, f, list);
    va_end(list);
    return n;
}

TEST(a_file)
{
    char in[4000], out[4096] = {0};
    FILE *file = tmpfile();
    int n;

    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (char)('a' + i % 26);
    in[sizeof in - 1] = '\0';
    n = print(file, "<%s> %d\n", in, 42);
    CHECK_EQ(n, 3999 + 6);
    rewind(file);
    CHECK_EQ(fread(out, 1, sizeof out, file), n);
    CHECK(out[0] == '<' && memcmp(out + 1, in, 3999) == 0);
    CHECK_STR(out + 4000, "> 42\n");
    fclose(file);
}

TEST(a_file_that_is_full)
{
    FILE *file = fopen("/dev/full", "w");

    setvbuf(file, NULL, _IONBF, 0);
    CHECK(print(file, "%s", "text") < 0);
    fclose(file);
}

TEST_MAIN(RUN(text), RUN(text_without_an_end), RUN(room_without_a_known_end), RUN(text_that_is_not_there),
          RUN(more_than_an_int_can_say), RUN(numbers), RUN(what_it_does_not_have_is_printed_as_it_stands),
          RUN(a_file), RUN(a_file_that_is_full))
