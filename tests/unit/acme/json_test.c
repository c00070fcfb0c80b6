/* SPDX-License-Identifier: MIT
 *
 * JSON that is taken and JSON that is not, in the manner of the well-known collections of cases.
 */
#include "tests/unit/test.h"

#include "acme/json.h"
#include "acme/problem.h"
#include "base/mem.h"

#include <stdlib.h>

static bool is_taken(const char *text, size_t n)
{
    const char *why;
    struct json *j = json_parse(bytes_of(text, n), &why);
    bool taken = j != NULL;

    json_free(j);
    return taken;
}

TEST(what_is_taken)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " [ ] ",
        "[[]]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[1,2]}}",
        "[0]",
        "[-0]",
        "[-1.5e-3]",
        "[1E+2]",
        "[1e2]",
        "[123456789012345678901234567890]",
        "[true]",
        "[false]",
        "[null]",
        "[\"\"]",
        "[\" a\"]",
        "[\"\\u00e9\\ud83d\\ude00\"]",
        "[\"/\"]",
        "[\"\\/\"]",
        "[\"\x7f\"]",
        "[\"\xc3\xa9\"]",
        "[1,\n\t2\r ]",
        "{\"\":\"\"}",
        "{\"a\":1,\"b\":1}",
        "[{\"a\":1},{\"a\":1}]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!CHECK(is_taken(texts[i], strlen(texts[i]))))
            printf("    %s\n", texts[i]);
}

TEST(what_is_not)
{
    static const char *const texts[] = {
        "",
        " ",
        "1",
        "\"a\"",
        "null",
        "{",
        "[",
        "]",
        "{]",
        "[}",
        "[1,]",
        "[,1]",
        "[1,,2]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{,}",
        "{1:1}",
        "{a:1}",
        "{'a':1}",
        "[01]",
        "[-]",
        "[+1]",
        "[.5]",
        "[1.]",
        "[1e]",
        "[1e+]",
        "[0x1]",
        "[-01]",
        "[Infinity]",
        "[nul]",
        "[nulll]",
        "[True]",
        "[\"a]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\u12g4\"]",
        "[\"\t\"]",
        "[\"\n\"]",
        "[] []",
        "[]a",
        "a[]",
        "[1]]",
        "{\"a\":1}}",
        "[\"\\\"]",
        "[\"\\ud800\"]",
        "[\"\\udc00\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\xff\"]",
        "[\"\xc0\xaf\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\xf5\x80\x80\x80\"]",
        "[\"\xe2\x82\"]",
        "{\"a\":1,\"a\":2}",
        "{\"b\":{\"a\":1,\"c\":2,\"a\":3}}",
        "\xef\xbb\xbf[]",
        "[/**/]",
        "{\"a\":\"b\"\"c\"}",
        "[\"a\" \"b\"]",
        "[1:2]",
    };
    char deep[100];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!CHECK(!is_taken(texts[i], strlen(texts[i]))))
            printf("    %s\n", texts[i]);
    CHECK(!is_taken("[\"a\0b\"]", 7));
    CHECK(!is_taken("[]\0", 3));
    for (unsigned depth = 1; depth <= 40; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        CHECK_EQ(is_taken(deep, 2 * (size_t)depth), depth <= JSON_DEPTH + 1);
    }
}

/* Cut anywhere it is not JSON. */
TEST(truncated)
{
    static const char text[] = "{\"a\":[1,{\"b\":\"c\\n\"},true],\"d\":-1.5e3}";

    for (size_t n = 0; n < sizeof text - 1; n++)
        CHECK(!is_taken(text, n));
    CHECK(is_taken(text, sizeof text - 1));
}

TEST(looking_up)
{
    static const char text[] = "{\"a\":{\"x\":[{\"y\":1},\"two\"]},\"b\":\"v\",\"x\":\"outer\"}";
    const char *why;
    struct json *j = json_parse(bytes_str(text), &why);
    int x = json_member(j, json_member(j, JSON_ROOT, "a"), "x");

    CHECK(json_is(j, json_member(j, JSON_ROOT, "b"), "v"));
    CHECK(json_is(j, json_member(j, JSON_ROOT, "x"), "outer"));
    CHECK_EQ(json_member(j, JSON_ROOT, "y"), -1);
    CHECK_EQ(json_member(j, json_member(j, JSON_ROOT, "b"), "v"), -1);
    CHECK_EQ(json_count(j, x), 2);
    CHECK(json_is_object(j, json_element(j, x, 0)));
    CHECK(json_is(j, json_element(j, x, 1), "two"));
    CHECK_EQ(json_element(j, x, 2), -1);
    CHECK_EQ(json_count(j, JSON_ROOT), 0);
    CHECK_EQ(json_count(j, -1), 0);
    CHECK(json_string(j, JSON_ROOT) == NULL);
    json_free(j);
}

TEST(strings)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"[\"\"]",                                    ""                                     },
        {"[\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"]",        "a\"\\/\b\f\n\r\tz"                    },
        {"[\"\\u0041\\u00e9\\u20ac\\ud83d\\uDE00\"]", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"[\"\xe2\x82\xac\"]",                        "\xe2\x82\xac"                         },
        {"[\"a\\u0000b\"]",                           NULL                                   },
        {"[1]",                                       NULL                                   },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why;
        struct json *j = json_parse(bytes_str(cases[i].text), &why);
        char *value = json_string(j, json_element(j, JSON_ROOT, 0));

        CHECK_STR(value, cases[i].value);
        mem_free(value);
        json_free(j);
    }
}

/* What was written is read as it was. */
TEST(writing)
{
    static const char value[] = "a\"\\\x01\n\x1f\xc3\xa9/";
    char text[100];
    struct writer w = writer_of(text, sizeof text);
    const char *why;
    struct json *j;
    char *back;

    writer_u8(&w, '[');
    json_put_string(&w, bytes_str(value));
    writer_u8(&w, ']');
    j = json_parse(bytes_of(text, writer_len(&w)), &why);
    back = json_string(j, json_element(j, JSON_ROOT, 0));
    CHECK_STR(back, value);
    mem_free(back);
    json_free(j);
}

TEST(more_than_any_answer_has)
{
    static char text[3 * JSON_TOKENS];
    const char *why = NULL;
    size_t n = 0;

    text[n++] = '[';
    for (unsigned i = 0; i < JSON_TOKENS; i++) {
        text[n++] = '1';
        text[n++] = ',';
    }
    text[n - 1] = ']';
    CHECK(json_parse(bytes_of(text, n), &why) == NULL);
    CHECK_STR(why, "more JSON than any answer should have");
}

TEST(problems)
{
    static const struct {
        const char *text, *type, *line;
    } cases[] = {
        {"{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"CAA forbids\"}",                                          "caa",      "CAA forbids"                        },
        {"{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"some failed\",\"subproblems\":["
         "{\"detail\":\"no A record\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"}},{\"detail\":\"x\"}]}",
         "compound",                                                                                                                      "some failed; a.test: no A record; x"},
        {"{\"type\":\"about:blank\"}",                                                                                        "",         "a problem without a detail"         },
        {"{\"type\":\"urn:ietf:params:acme:error:badNonce\"}",                                                                "badNonce", "badNonce"                           },
        {"{\"detail\":\"a\\u0007b\\nc\"}",                                                                                    "",         "a b c"                              },
        {"{\"detail\":7}",                                                                                                    "",         "a problem without a detail"         },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why;
        struct json *j = json_parse(bytes_str(cases[i].text), &why);
        char type[64], *line = acme_problem_text(j, JSON_ROOT, type, sizeof type);

        CHECK_STR(line, cases[i].line);
        CHECK_STR(type, cases[i].type);
        mem_free(line);
        json_free(j);
    }
}

TEST_MAIN(RUN(what_is_taken), RUN(what_is_not), RUN(truncated), RUN(looking_up), RUN(strings), RUN(writing),
          RUN(more_than_any_answer_has), RUN(problems))
