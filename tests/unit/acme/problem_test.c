/* SPDX-License-Identifier: MIT
 *
 * What people are told of an authority's problem: one line, whatever the document has in it.
 */
#include "tests/unit/test.h"

#include "acme/problem.h"
#include "base/mem.h"

#include <stdlib.h>

#define ACME "urn:ietf:params:acme:error:"

static char type[64];

/* The line, static until the next. */
static const char *text_of(const char *document)
{
    static char text[8192];
    const char *why;
    struct json *j = json_parse(bytes_str(document), &why);
    char *line = acme_problem_text(j, JSON_ROOT, type, sizeof type);

    CHECK(j != NULL);
    snprintf(text, sizeof text, "%s", line != NULL ? line : "(none)");
    mem_free(line);
    json_free(j);
    CHECK_EQ(mem_blocks(), 0);
    return text;
}

TEST(types)
{
    text_of("{\"type\":\"" ACME "rateLimited\",\"detail\":\"too many\"}");
    CHECK_STR(type, "rateLimited");
    text_of("{\"type\":\"urn:acme:error:rateLimited\"}");
    CHECK_STR(type, "");
    text_of("{\"type\":\"" ACME "\"}");
    CHECK_STR(type, "");
    text_of("{\"type\":7}");
    CHECK_STR(type, "");
    text_of("{\"type\":[\"" ACME "dns\"]}");
    CHECK_STR(type, "");
    text_of("[]");
    CHECK_STR(type, "");
    text_of("{}");
    CHECK_STR(type, "");
}

TEST(details)
{
    CHECK_STR(text_of("{\"type\":\"" ACME "dns\",\"detail\":\"no A record\",\"status\":400}"), "no A record");
    CHECK_STR(text_of("{\"type\":\"" ACME "dns\",\"detail\":\"\"}"), "dns");
    CHECK_STR(text_of("{\"type\":\"" ACME "dns\",\"detail\":null}"), "dns");
    CHECK_STR(text_of("{\"detail\":\"\\u00e9\\ud83d\\ude00\"}"), "\xc3\xa9\xf0\x9f\x98\x80");
    CHECK_STR(text_of("{\"detail\":\"a\\u0000b\"}"), "a problem without a detail");
    CHECK_STR(text_of("[]"), "a problem without a detail");
}

/* RFC 8555 §6.7.1's example. */
TEST(subproblems)
{
    CHECK_STR(text_of("{\"type\":\"" ACME "malformed\","
                      "\"detail\":\"Some of the identifiers requested were rejected\","
                      "\"subproblems\":[{"
                      "\"type\":\"" ACME "malformed\","
                      "\"detail\":\"Invalid underscore in DNS name \\\"_example.org\\\"\","
                      "\"identifier\":{\"type\":\"dns\",\"value\":\"_example.org\"}},{"
                      "\"type\":\"" ACME "rejectedIdentifier\","
                      "\"detail\":\"This CA will not issue for \\\"example.net\\\"\","
                      "\"identifier\":{\"type\":\"dns\",\"value\":\"example.net\"}}]}"),
              "Some of the identifiers requested were rejected; _example.org: Invalid underscore in DNS name "
              "\"_example.org\"; example.net: This CA will not issue for \"example.net\"");
    CHECK_STR(type, "malformed");
    CHECK_STR(text_of("{\"detail\":\"d\",\"subproblems\":\"x\"}"), "d");
    CHECK_STR(text_of("{\"detail\":\"d\",\"subproblems\":[]}"), "d");
    CHECK_STR(text_of("{\"detail\":\"d\",\"subproblems\":{\"detail\":\"x\"}}"), "d");
    CHECK_STR(text_of("{\"detail\":\"d\",\"subproblems\":[{\"identifier\":\"a.test\",\"detail\":\"x\"}]}"),
              "d; x");
    CHECK_STR(text_of("{\"detail\":\"d\",\"subproblems\":[{\"type\":\"" ACME "caa\"}]}"), "d; " ACME "caa");
    /* What says nothing leaves no mark. */
    CHECK_STR(text_of("{\"detail\":\"d\",\"subproblems\":[7,{},{\"detail\":\"x\"}]}"), "d; x");
}

TEST(control_characters)
{
    CHECK_STR(text_of("{\"detail\":\"a\\u0007b\\nc\\u001b[2J\\u007fd\"}"), "a b c [2J d");
    CHECK_STR(text_of("{\"detail\":\"a\\u0080b\\u009b2Jc\\u00a0d\"}"), "a b 2Jc\xc2\xa0"
                                                                       "d");
    CHECK_STR(text_of("{\"detail\":\"a\\nb\",\"subproblems\":[{\"detail\":\"c\\nd\","
                      "\"identifier\":{\"value\":\"e\\nf\"}},{\"type\":\"g\\nh\"}]}"),
              "a b; e f: c d; g h");
    /* A type is a word. */
    CHECK_STR(text_of("{\"type\":\"" ACME "dns\\nfake line\"}"), "a problem without a detail");
    CHECK_STR(type, "");
    CHECK_STR(text_of("{\"type\":\"" ACME "d\\u00e9\",\"detail\":\"x\"}"), "x");
    CHECK_STR(type, "");
}

/* A long one is cut, and between two characters. */
TEST(long_ones)
{
    static char document[8192];

    for (unsigned before = 0; before < 4; before++) {
        size_t n = (size_t)snprintf(document, sizeof document, "{\"detail\":\"%.*s", (int)before, "xxxx"),
               len;
        const char *text;

        for (unsigned i = 0; i < 1500; i++)
            n += (size_t)snprintf(document + n, sizeof document - n, "\xe2\x82\xac");
        snprintf(document + n, sizeof document - n, "\",\"subproblems\":[{\"detail\":\"more\"}]}");
        text = text_of(document);
        len = strlen(text);
        CHECK(len > 2000 && len < 2048);
        CHECK_EQ((len - before) % 3, 0);
        CHECK_MEM(text + len - 3, 3, "\xe2\x82\xac", 3);
    }
    /* A type that is too long is not half a type. */
    snprintf(document, sizeof document, "{\"type\":\"" ACME "%0100d\"}", 7);
    CHECK_STR(text_of(document), "a problem without a detail");
    CHECK_STR(type, "");
}

TEST(out_of_memory)
{
    static const char document[] =
        "{\"type\":\"" ACME "dns\",\"detail\":\"d\",\"subproblems\":[{\"detail\":\"x\"}]}";
    const char *why;
    struct json *j = json_parse(bytes_str(document), &why);
    size_t before = mem_allocations();

    mem_free(acme_problem_text(j, JSON_ROOT, type, sizeof type));
    for (long n = 0, all = (long)(mem_allocations() - before); n < all; n++) {
        mem_fail_at(n, 1000);
        char *line = acme_problem_text(j, JSON_ROOT, type, sizeof type);

        mem_fail_at(-1, 0);
        CHECK(n > 1 || line == NULL);
        mem_free(line);
    }
    json_free(j);
    CHECK_EQ(mem_blocks(), 0);
}

TEST_MAIN(RUN(types), RUN(details), RUN(subproblems), RUN(control_characters), RUN(long_ones),
          RUN(out_of_memory))
