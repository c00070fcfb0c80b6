/* SPDX-License-Identifier: MIT
 *
 * The unit tests' harness, whole. A test file is tests/unit/FOLDER/MODULE_test.c:
 *
 *     #include "tests/unit/test.h"
 *     #include "base/buf.h"
 *
 *     TEST(empty_buffer_has_no_bytes)
 *     {
 *         struct buf *b = buf_new();
 *         if (!CHECK(b != NULL))
 *             return;
 *         CHECK_EQ(buf_len(b), 0);
 *         buf_free(b);
 *     }
 *
 *     TEST_MAIN(RUN(empty_buffer_has_no_bytes))
 *
 * A failed check prints one line with its place and the values, and the test goes on: every CHECK answers whether
 * it held, for where going on makes no sense. Each test prints `ok NAME` or `FAIL NAME`; the last line is
 * `N passed, N failed`, and the exit code 1 if any failed. With arguments, the program runs only those tests whose
 * name contains one of them.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

/* Checks that failed in the test that is running; the harness is the one writer. */
static unsigned test_failures;

#define TEST(name) static void test_##name(void)
/* The formatter takes these braces for a block. */
/* clang-format off */
#define RUN(name) {#name, test_##name}
/* clang-format on */

#define CHECK(cond) test_check((cond), #cond, __FILE__, __LINE__)
/* Integers of any type up to 64 bits. */
#define CHECK_EQ(a, b) test_check_eq((intmax_t)(a), (intmax_t)(b), #a, #b, __FILE__, __LINE__)
/* C strings; NULL equals NULL alone. */
#define CHECK_STR(a, b)             test_check_str((a), (b), #a, #b, __FILE__, __LINE__)
#define CHECK_MEM(a, alen, b, blen) test_check_mem((a), (alen), (b), (blen), #a, #b, __FILE__, __LINE__)
/* Fails where it stands: what cannot be reached in a test that works. */
#define FAIL(why) test_check(false, (why), __FILE__, __LINE__)

#define TEST_MAIN(...)                                                          \
    int main(int argc, char **argv)                                             \
    {                                                                           \
        static const struct test_case cases[] = {__VA_ARGS__};                  \
        return test_run_all(cases, sizeof cases / sizeof cases[0], argc, argv); \
    }

__attribute__((unused)) static bool test_check(bool held, const char *what, const char *file, int line)
{
    if (held)
        return true;
    test_failures++;
    printf("%s:%d: check failed: %s\n", file, line, what);
    return false;
}

__attribute__((unused)) static bool test_check_eq(intmax_t a, intmax_t b, const char *ta, const char *tb,
                                                  const char *file, int line)
{
    if (a == b)
        return true;
    test_failures++;
    printf("%s:%d: %s is %" PRIdMAX " (0x%" PRIxMAX "), but %s is %" PRIdMAX " (0x%" PRIxMAX ")\n", file,
           line, ta, a, (uintmax_t)a, tb, b, (uintmax_t)b);
    return false;
}

static void test_print_bytes(const char *what, const void *p, size_t len)
{
    const unsigned char *s = p;

    printf("    %s (%zu bytes): ", what, len);
    if (s == NULL) {
        printf("NULL\n");
        return;
    }
    putchar('"');
    for (size_t i = 0; i < len && i < 256; i++) {
        if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
            putchar(s[i]);
        else
            printf("\\x%02x", s[i]);
    }
    printf("\"%s\n", len > 256 ? " ..." : "");
}

__attribute__((unused)) static bool test_check_mem(const void *a, size_t alen, const void *b, size_t blen,
                                                   const char *ta, const char *tb, const char *file, int line)
{
    size_t at = 0;

    if (alen == blen && (alen == 0 || (a != NULL && b != NULL && memcmp(a, b, alen) == 0)))
        return true;
    test_failures++;
    if (a != NULL && b != NULL)
        while (at < alen && at < blen && ((const char *)a)[at] == ((const char *)b)[at])
            at++;
    printf("%s:%d: %s and %s differ at byte %zu\n", file, line, ta, tb, at);
    test_print_bytes(ta, a, alen);
    test_print_bytes(tb, b, blen);
    return false;
}

__attribute__((unused)) static bool test_check_str(const char *a, const char *b, const char *ta,
                                                   const char *tb, const char *file, int line)
{
    if (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
        return true;
    test_failures++;
    printf("%s:%d: %s and %s differ\n", file, line, ta, tb);
    test_print_bytes(ta, a, a != NULL ? strlen(a) : 0);
    test_print_bytes(tb, b, b != NULL ? strlen(b) : 0);
    return false;
}

static bool test_is_chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]) != NULL)
            return true;
    return argc < 2;
}

static int test_run_all(const struct test_case *cases, size_t n, int argc, char **argv)
{
    unsigned passed = 0, failed = 0;

    /* A test that crashes must not take with it what was printed before. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n; i++) {
        if (!test_is_chosen(cases[i].name, argc, argv))
            continue;
        test_failures = 0;
        cases[i].run();
        printf("%s %s\n", test_failures == 0 ? "ok" : "FAIL", cases[i].name);
        if (test_failures == 0)
            passed++;
        else
            failed++;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

#endif
