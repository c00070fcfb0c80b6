/* SPDX-License-Identifier: MIT
 *
 * JSON that is taken and JSON that is not, in the manner of the well-known collections of cases.
 */
#include "tests/unit/test.h"

#include "acme/json.h"
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

/* ---- more of the same, by what goes wrong ---- */

#define CASE(text)            \
    {                         \
        text, sizeof text - 1 \
    }

struct text_case {
    const char *text;
    size_t n;
};

static void check_cases(const struct text_case *cases, size_t n, bool expected)
{
    for (size_t i = 0; i < n; i++)
        if (!CHECK_EQ(is_taken(cases[i].text, cases[i].n), expected))
            printf("    case %zu: %s\n", i, cases[i].text);
}

TEST(structure)
{
    static const struct text_case good[] = {
        CASE("[1,null,null,null,2]"),
        CASE("[[]   ]"),
        CASE("[\"\"]"),
        CASE("[]\n"),
        CASE("\r\n\t {} \r\n"),
        CASE("{\"a\":[]}"),
        CASE("{\"a\":[{}],\"b\":{\"a\":[[],{}]}}"),
        CASE("[[[[[[[[[[[[[[[[\"a\"]]]]]]]]]]]]]]]]"),
        CASE("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"),
        CASE("{\"min\": -1.0e+28, \"max\": 1.0e+28}"),
        CASE("{\n\"a\" :\t\"b\"\n}"),
        CASE("{\"a\":\"b\",\"a \":\"b\",\"A\":\"b\"}"),
    };
    static const struct text_case bad[] = {
        CASE("[1 true]"),
        CASE("[\"\": 1]"),
        CASE("[\"\"],"),
        CASE("[,]"),
        CASE("[,1]"),
        CASE("[\"x\",,]"),
        CASE("[3[4]]"),
        CASE("[1,]"),
        CASE("[1,,]"),
        CASE("[   , \"\"]"),
        CASE("[\"a\",\n4\n,1,"),
        CASE("[1,\n1\n,1"),
        CASE("[\"a\"\f]"),
        CASE("[\xc2\xa0]"),
        CASE("[\xe2\x81\xa0]"),
        CASE("[\xef\xbb\xbf]"),
        CASE("[\x00]"),
        CASE("[][]"),
        CASE("[]{}"),
        CASE("{}{}"),
        CASE("{},"),
        CASE(",{}"),
        CASE("[1]x"),
        CASE("[1]\x00"),
        CASE("<.>"),
        CASE("[<null>]"),
        CASE("{\"x\", null}"),
        CASE("{\"x\"::\"b\"}"),
        CASE("{:\"b\"}"),
        CASE("{\"a\" b}"),
        CASE("{\"a\"b\"c\"}"),
        CASE("{\"a\":\"a\" 123}"),
        CASE("{\"a\":1 \"b\":2}"),
        CASE("{\"a\":\"b\",,\"c\":\"d\"}"),
        CASE("{\"id\":0,,,,,}"),
        CASE("{\"id\":0}/**/"),
        CASE("{\"id\":0}//"),
        CASE("{\"a\":/*comment*/\"b\"}"),
        CASE("{\"a\":\"b\"}#"),
        CASE("{\"asd\":\"asd\""),
        CASE("{\"a\":\"a"),
        CASE("{\"a\"}"),
        CASE("{\"a\""),
        CASE("{\"a\":"),
        CASE("{\"a\":,\"b\":1}"),
        CASE("{\"a\":1,\"b\"}"),
        CASE("{\"a\",\"b\":1}"),
        CASE("{\"a\":{\"b\"}}"),
        CASE("{null:null}"),
        CASE("{true:1}"),
        CASE("{9999E9999:1}"),
        CASE("{[]:1}"),
        CASE("{{}:1}"),
        CASE("{[: \"x\"}"),
        CASE("{\"a\":\"b\":\"c\"}"),
        CASE("{\"a\":1:2}"),
        CASE("[\"a\":\"b\"]"),
        CASE("[{\"a\":1]}"),
        CASE("{\"a\":[1}]"),
        CASE("\"a\":1"),
        CASE("{(\"a\":1)}"),
        CASE("\""),
        CASE("\\"),
        CASE("*"),
    };
    static char deep[200000];

    check_cases(good, sizeof good / sizeof good[0], true);
    check_cases(bad, sizeof bad / sizeof bad[0], false);
    memset(deep, '[', sizeof deep);
    CHECK(!is_taken(deep, sizeof deep));
    memset(deep + sizeof deep / 2, ']', sizeof deep / 2);
    CHECK(!is_taken(deep, sizeof deep));
    for (size_t i = 0; i + 5 <= sizeof deep; i += 5)
        memcpy(deep + i, "{\"\":[", 5);
    CHECK(!is_taken(deep, sizeof deep));
}

TEST(numbers_and_words)
{
    static const struct text_case good[] = {
        CASE("[0e+1]"),
        CASE("[0e1]"),
        CASE("[0E-01]"),
        CASE("[0.0]"),
        CASE("[ 4]"),
        CASE("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
        CASE("[20e1]"),
        CASE("[-123]"),
        CASE("[1E22]"),
        CASE("[123.456e78]"),
        CASE("[1e9999]"),
        CASE("[true,false,null]"),
    };
    static const struct text_case bad[] = {
        CASE("[-]"),         CASE("[--1]"),
        CASE("[- 1]"),       CASE("[+1]"),
        CASE("[++1234]"),    CASE("[-01]"),
        CASE("[-1.0.]"),     CASE("[-2.]"),
        CASE("[.-1]"),       CASE("[.2e-3]"),
        CASE("[0.1.2]"),     CASE("[0.3e+]"),
        CASE("[0.3e]"),      CASE("[0.e1]"),
        CASE("[0e]"),        CASE("[0E+]"),
        CASE("[00]"),        CASE("[1.0e-]"),
        CASE("[1 000.0]"),   CASE("[1eE2]"),
        CASE("[1e1.5]"),     CASE("[2.e3]"),
        CASE("[9.e+]"),      CASE("[1+2]"),
        CASE("[1-]"),        CASE("[0x42]"),
        CASE("[1_000]"),     CASE("[1a]"),
        CASE("[-1x]"),       CASE("[1ea]"),
        CASE("[012]"),       CASE("[-012]"),
        CASE("[1e+-2]"),     CASE("[Inf]"),
        CASE("[NaN]"),       CASE("[-NaN]"),
        CASE("[-Infinity]"), CASE("[\xef\xbc\x91]"),
        CASE("[1\x00]"),     CASE("[1\xe5]"),
        CASE("[tru]"),       CASE("[truee]"),
        CASE("[fals]"),      CASE("[nul\x00]"),
        CASE("[TRUE]"),      CASE("[t]"),
        CASE("[n]"),         CASE("[f]"),
        CASE("[a]"),         CASE("[true false]"),
        CASE("[truefalse]"), CASE("[\\u0074rue]"),
        CASE("[1\"a\"]"),    CASE("[\"a\"1]"),
        CASE("[true\"a\"]"), CASE("[null[]]"),
        CASE("[[]1]"),       CASE("[{}1]"),
        CASE("[1{}]"),       CASE("{\"a\":01}"),
        CASE("{\"a\":tru}"), CASE("{\"a\":b}"),
        CASE("{\"a\":-}"),
    };

    check_cases(good, sizeof good / sizeof good[0], true);
    check_cases(bad, sizeof bad / sizeof bad[0], false);
}

TEST(characters)
{
    static const struct text_case good[] = {
        CASE("[\"\\u0060\\u012a\\u12AB\"]"),
        CASE("[\"\\uD801\\udc37\"]"),
        CASE("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
        CASE("[\"\\uDBFF\\uDFFF\"]"),
        CASE("[\"\\uFFFF\"]"),
        CASE("[\"\\u0000\"]"),
        CASE("[\"\\\\u0000\"]"),
        CASE("[\"\\\\a\"]"),
        CASE("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
        CASE("[\"a/*b*/c/*d//e\"]"),
        CASE("[\"asd \"]"),
        CASE("[\"\x7f\"]"),
        CASE("[\"\xc2\x80\"]"),
        CASE("[\"\xdf\xbf\"]"),
        CASE("[\"\xe0\xa0\x80\"]"),
        CASE("[\"\xe2\x80\xa8\xe2\x80\xa9\"]"),
        CASE("[\"\xed\x9f\xbf\"]"),
        CASE("[\"\xee\x80\x80\"]"),
        CASE("[\"\xef\xbf\xbf\"]"),
        CASE("[\"\xf0\x90\x80\x80\"]"),
        CASE("[\"\xf4\x8f\xbf\xbf\"]"),
        CASE("[\"\xef\xbb\xbf\"]"),
        CASE("[\"{}[],:\"]"),
    };
    static const struct text_case bad[] = {
        CASE("[\"\\uD800\\\"]"),
        CASE("[\"\\uD800\\u\"]"),
        CASE("[\"\\uD800\\u1\"]"),
        CASE("[\"\\uD800\\u1x\"]"),
        CASE("[\"\\uD834\\uDd\"]"),
        CASE("[\"\\uD800\\uD800\\n\"]"),
        CASE("[\"\\uDd1e\\uD834\"]"),
        CASE("[\"\\uD888\\u1234\"]"),
        CASE("[\"\\uD800abc\"]"),
        CASE("[\"\\uDFFF\"]"),
        CASE("[\"\\ud800\\\\udc00\"]"),
        CASE("[\"\\u\"]"),
        CASE("[\"\\u00A\"]"),
        CASE("[\"\\u 041\"]"),
        CASE("[\"\\u+041\"]"),
        CASE("[\"\\u-041\"]"),
        CASE("[\"\\u00G1\"]"),
        CASE("[\"\\U0041\"]"),
        CASE("[\"\\x00\"]"),
        CASE("[\"\\\\\\\"]"),
        CASE("[\"\\ \"]"),
        CASE("[\"\\\t\"]"),
        CASE("[\"\\\x00\"]"),
        CASE("[\"\\'\"]"),
        CASE("[\"\\0\"]"),
        CASE("[\"\\a\"]"),
        CASE("[\"\\\xe2\x82\xac\"]"),
        CASE("[\"\\\xe5\"]"),
        CASE("[\"a\x00"
             "a\"]"),
        CASE("[\"\x1f\"]"),
        CASE("[\"\r\"]"),
        CASE("['a']"),
        CASE("[\\n]"),
        CASE("[\xe9]"),
        CASE("[\"\x80\"]"),
        CASE("[\"\xbf\"]"),
        CASE("[\"\xc0\x80\"]"),
        CASE("[\"\xc1\xbf\"]"),
        CASE("[\"\xc2\"]"),
        CASE("[\"\xc2\x41\"]"),
        CASE("[\"\xc2\xc0\"]"),
        CASE("[\"\xe0\x80\x80\"]"),
        CASE("[\"\xe0\x9f\xbf\"]"),
        CASE("[\"\xe2\x28\xa1\"]"),
        CASE("[\"\xe2\x82\x28\"]"),
        CASE("[\"\xed\xbf\xbf\"]"),
        CASE("[\"\xf0\x80\x80\x80\"]"),
        CASE("[\"\xf0\x8f\xbf\xbf\"]"),
        CASE("[\"\xf0\x90\x80\"]"),
        CASE("[\"\xf4\x90\x80\x80\"]"),
        CASE("[\"\xf8\x88\x80\x80\x80\"]"),
        CASE("[\"\xfe\"]"),
        CASE("{\"\xff\":1}"),
        CASE("{\"\\ud800\":1}"),
        CASE("{\"\n\":1}"),
    };

    check_cases(good, sizeof good / sizeof good[0], true);
    check_cases(bad, sizeof bad / sizeof bad[0], false);
}

/* Names are what is written: nobody has a reason to escape one that is looked for here. */
TEST(names)
{
    static const struct text_case good[] = {
        CASE("{\"a\":1,\"\\u0041\":2}"),
        CASE("{\"a\\u0000b\":1,\"a\":2,\"a\\u0000c\":3}"),
        CASE("{\"a\":{\"a\":{\"a\":\"a\"}},\"b\":[{\"a\":1},{\"a\":\"a\"},\"a\",\"a\"]}"),
        CASE("{\"a\":\"b\",\"b\":\"a\"}"),
        CASE("{\"\":1,\" \":2}"),
        CASE("{\"a\":1,\"\\u0061\":2}"),
        CASE("{\"\\u0061\":1,\"a\":2}"),
        CASE("{\"\\u006A\":1,\"\\u006a\":2}"),
        CASE("{\"\xc3\xa9\":1,\"\\u00e9\":2}"),
        CASE("{\"\xe2\x82\xac\":1,\"\\u20AC\":2}"),
        CASE("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"),
        CASE("{\"/\":1,\"\\/\":2}"),
        CASE("{\"\\n\":1,\"\\u000a\":2}"),
        CASE("{\"\\\"\":1,\"\\u0022\":2}"),
    };
    static const struct text_case bad[] = {
        CASE("{\"\":1,\"\":2}"),
        CASE("{\"a\":1,\"b\":2,\"c\":[{\"a\":5}],\"a\":2}"),
        CASE("[[{\"x\":{},\"x\":{}}]]"),
    };
    const char *why;
    struct json *j = json_parse(
        bytes_str("{\"stat\\u0075s\":1,\"status\":\"valid\",\"a\":{\"status\":\"v\\u0061lid\"}}"), &why);

    check_cases(good, sizeof good / sizeof good[0], true);
    check_cases(bad, sizeof bad / sizeof bad[0], false);
    CHECK(json_is(j, json_member(j, JSON_ROOT, "status"), "valid"));
    CHECK(!json_is(j, json_member(j, JSON_ROOT, "status"), "vali"));
    CHECK(!json_is(j, json_member(j, JSON_ROOT, "status"), "valid "));
    CHECK(!json_is(j, json_member(j, JSON_ROOT, "a"), "status"));
    CHECK(!json_is(j, json_member(j, json_member(j, JSON_ROOT, "a"), "status"), "valid"));
    json_free(j);
}

/* Of every value everything may be asked, and of what is none. */
TEST(no_value)
{
    const char *why;
    struct json *j = json_parse(bytes_str("{\"a\":[1,\"b\",{}],\"n\":null}"), &why);
    const int other[] = {-1, -2, 1000, -2147483647 - 1};

    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        CHECK(!json_is_object(j, other[i]));
        CHECK(!json_is(j, other[i], ""));
        CHECK_EQ(json_member(j, other[i], "a"), -1);
        CHECK_EQ(json_count(j, other[i]), 0);
        CHECK_EQ(json_element(j, other[i], 0), -1);
        CHECK(json_string(j, other[i]) == NULL);
    }
    int a = json_member(j, JSON_ROOT, "a"), n = json_member(j, JSON_ROOT, "n");
    CHECK_EQ(json_count(j, a), 3);
    CHECK_EQ(json_element(j, a, 3), -1);
    CHECK_EQ(json_element(j, a, 4294967295u), -1);
    CHECK(!json_is(j, json_element(j, a, 0), "1"));
    CHECK(!json_is(j, n, "null"));
    CHECK(json_is_object(j, json_element(j, a, 2)));
    json_free(j);
    json_free(NULL);
}

/* ---- the bounds ---- */

TEST(as_much_as_there_may_be)
{
    static char text[8 * JSON_TOKENS];
    const char *why = NULL;
    size_t n = 1;
    struct json *j;

    text[0] = '[';
    for (unsigned i = 0; i < JSON_TOKENS - 1; i++, n += 2)
        memcpy(text + n, "1,", 2);
    text[n - 1] = ']';
    j = json_parse(bytes_of(text, n), &why);
    CHECK(j != NULL);
    CHECK_EQ(json_count(j, JSON_ROOT), JSON_TOKENS - 1);
    CHECK_EQ(json_element(j, JSON_ROOT, JSON_TOKENS - 2), (int)JSON_TOKENS - 1);
    json_free(j);
    /* Names are many too. */
    n = 1;
    text[0] = '{';
    for (unsigned i = 0; i < (JSON_TOKENS - 1) / 2; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "\"%04u\":1,", i);
    text[n - 1] = '}';
    j = json_parse(bytes_of(text, n), &why);
    CHECK(j != NULL);
    CHECK(json_member(j, JSON_ROOT, "2046") > 0);
    json_free(j);
}

TEST(reasons)
{
    const char *why = NULL;

    CHECK(json_parse(bytes_str("["), &why) == NULL);
    CHECK_STR(why, "not JSON");
    CHECK(json_parse((struct bytes){NULL, 0}, &why) == NULL);
    CHECK_STR(why, "not JSON");
    mem_fail_at(0, 1);
    CHECK(json_parse(bytes_str("[]"), &why) == NULL);
    mem_fail_at(-1, 0);
    CHECK_STR(why, "out of memory");
    struct json *j = json_parse(bytes_str("[\"a\"]"), &why);
    mem_fail_at(0, 1);
    CHECK(json_string(j, 1) == NULL);
    mem_fail_at(-1, 0);
    json_free(j);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(no_room)
{
    static const char value[] = "a\"\\\x01z";
    char text[32];
    struct writer whole = writer_of(text, sizeof text);

    json_put_string(&whole, bytes_str(value));
    CHECK_MEM(text, writer_len(&whole), "\"a\\\"\\\\\\u0001z\"", 14);
    for (size_t n = 0; n < writer_len(&whole); n++) {
        struct writer w = writer_of(text, n);

        memset(text, '~', sizeof text);
        json_put_string(&w, bytes_str(value));
        CHECK(w.failed);
        CHECK_EQ(text[n], '~');
    }
}

TEST_MAIN(RUN(what_is_taken), RUN(what_is_not), RUN(truncated), RUN(looking_up), RUN(strings), RUN(writing),
          RUN(more_than_any_answer_has), RUN(structure), RUN(numbers_and_words), RUN(characters), RUN(names),
          RUN(no_value), RUN(as_much_as_there_may_be), RUN(reasons), RUN(no_room))
