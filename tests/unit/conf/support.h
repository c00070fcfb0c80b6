/* SPDX-License-Identifier: MIT
 *
 * A configuration from text, and what is wrong with it as one text: for the tests of conf/.
 */
#ifndef TESTS_UNIT_CONF_SUPPORT_H
#define TESTS_UNIT_CONF_SUPPORT_H

#include "tests/unit/test.h"

#include "base/mem.h"
#include "conf/conf.h"

/* All errors, a line each. */
__attribute__((unused)) static const char *errors_text(const struct conf_errors *e)
{
    static char text[65536];
    struct writer w = writer_of(text, sizeof text - 1);

    for (unsigned i = 0; i < conf_errors_count(e); i++)
        writer_printf(&w, "%s%s", i > 0 ? "\n" : "", conf_errors_text(e, i));
    text[writer_len(&w)] = 0;
    return text;
}

/* Of a text that is good; NULL and a failed check when it is not. */
__attribute__((unused)) static struct conf *conf_of(const char *text)
{
    struct conf_errors *e = conf_errors_new();
    struct conf *c = conf_parse("t", bytes_str(text), NULL, e);

    CHECK_STR(errors_text(e), "");
    CHECK(c != NULL);
    conf_errors_free(e);
    return c;
}

/* A text, and what is wrong with it: "" for nothing. */
struct conf_case {
    const char *text, *errors;
};

__attribute__((unused)) static void check_cases(const struct conf_case *cases, size_t n)
{
    size_t blocks = mem_blocks();

    for (size_t i = 0; i < n; i++) {
        struct conf_errors *e = conf_errors_new();
        struct conf *c = conf_parse("t", bytes_str(cases[i].text), NULL, e);

        if (!CHECK_STR(errors_text(e), cases[i].errors))
            printf("    in: %s\n", cases[i].text);
        CHECK((c == NULL) == (cases[i].errors[0] != 0));
        conf_unref(c);
        conf_errors_free(e);
    }
    CHECK_EQ(mem_blocks(), blocks);
}

/* What follows a directive in an otherwise good configuration, and the message for it without place and directive:
 * the global one on line 2, or the one inside a site. */
__attribute__((unused)) static void check_values(const char *before, const char *after, unsigned column,
                                                 const struct conf_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char text[1024], expected[1024] = "";
        struct conf_case one = {text, expected};
        const char *name = strrchr(before, '\n') != NULL ? strrchr(before, '\n') + 1 : before;

        snprintf(text, sizeof text, "%s%s%s", before, cases[i].text, after);
        name += strspn(name, " ");
        if (cases[i].errors[0] != 0)
            snprintf(expected, sizeof expected, "t:2:%u: %.*s: %s", column, (int)strcspn(name, " "), name,
                     cases[i].errors);
        check_cases(&one, 1);
    }
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

#endif
