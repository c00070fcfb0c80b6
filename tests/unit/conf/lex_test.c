/* SPDX-License-Identifier: MIT
 *
 * Words: quotes, escapes, comments, braces, the environment, and what is no text.
 */
#include "tests/unit/conf/support.h"

#include "conf/lex.h"

#include <stdlib.h>

/* The tokens of a text as one text: words in [], others by their sign, bad ones as !. */
static const char *tokens(struct bytes text, struct conf_errors *e)
{
    static char out[16384];
    struct writer w = writer_of(out, sizeof out - 1);
    struct arena *a = arena_new();
    struct lexer lx;

    CHECK(lexer_init(&lx, "t", text, a, e));
    for (;;) {
        struct token t = lexer_next(&lx);
        static const char signs[] = {[TOKEN_OPEN] = '{',
                                     [TOKEN_CLOSE] = '}',
                                     [TOKEN_SEMICOLON] = ';',
                                     [TOKEN_LINE] = '/',
                                     [TOKEN_BAD] = '!'};

        if (t.kind == TOKEN_END)
            break;
        if (t.kind == TOKEN_WORD)
            writer_printf(&w, "[%s]", t.word.text);
        else
            writer_u8(&w, (uint8_t)signs[t.kind]);
    }
    out[writer_len(&w)] = 0;
    arena_free(a);
    return out;
}

TEST(cuts_words)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"",                                 ""                                 },
        {"\xef\xbb\xbf"
         "a",                       "[a]"                              },
        {"a b\tc",                           "[a][b][c]"                        },
        {"a\r\nb\n\n",                       "[a]/[b]//"                        },
        {"a;b ; c;",                         "[a];[b];[c];"                     },
        {"site a {upstream b}",              "[site][a]{[upstream][b]}"         },
        {"site a{\nb}\n",                    "[site][a]{/[b]}/"                 },
        {"a # b { } \" ;\nc",                "[a]/[c]"                          },
        {"a#b",                              "[a#b]"                            },
        {"#",                                ""                                 },
        {"\"a b\" \"\" \"#;{}\"",            "[a b][][#;{}]"                    },
        {"\"a \\\"b\\\" \\\\ \\n \\${X}\"",  "[a \"b\" \\ \n ${X}]"             },
        {"\"a\"{\"b\";}",                    "[a]{[b];}"                        },
        {"https://x{uri} {uri} a{b_1}c{",    "[https://x{uri}][{uri}][a{b_1}c]{"},
        {"a{1}",                             "[a]{[1]}"                         },
        {"a \\\n  b \\\r\n c\nd",            "[a][b][c]/[d]"                    },
        {"a\\b $ $x $",                      "[a\\b][$][$x][$]"                 },
        {"${LEX_A} x${LEX_A}y${LEX_EMPTY}z", "[two words][xtwo wordsyz]"        },
        {"\"<${LEX_A}>\" ${LEX_EMPTY}",      "[<two words>][]"                  },
        {"m\xc3\xbcnchen",                   "[m\xc3\xbcnchen]"                 },
    };
    struct conf_errors *e = conf_errors_new();

    setenv("LEX_A", "two words", 1);
    setenv("LEX_EMPTY", "", 1);
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK_STR(tokens(bytes_str(good[i].in), e), good[i].out);
    CHECK_STR(errors_text(e), "");
    conf_errors_free(e);
}

TEST(says_what_is_no_word)
{
    static const struct {
        const char *in, *out, *errors;
    } bad[] = {
        {"a \"b\nc",      "[a]!/[c]",
         "t:1:3: a string without its closing quote on the same line; a line break in it is \\n"                             },
        {"\"a",           "!",        "t:1:1: a string without its closing quote on the same line; a line break in it is \\n"},
        {"\"a\"b c",      "![b][c]",  "t:1:4: no blank after the string; the quotes go around the whole word"                },
        {"a\"b\" c\"d\"", "!!",
         "t:1:2: a quote inside a word; the quotes go around the whole word\n"
         "t:1:7: a quote inside a word; the quotes go around the whole word"                                                 },
        {"\"\\t\\x\"",    "!",
         "t:1:2: an unknown escape; there are \\\" \\\\ \\n and \\$\n"
         "t:1:4: an unknown escape; there are \\\" \\\\ \\n and \\$"                                                         },
        {"x${LEX_NONE}",  "!",        "t:1:2: ${LEX_NONE} is not set in the environment"                                     },
        {"${} ${1A}",     "!}!}",
         "t:1:1: '${' without a name and '}' after it; write ${NAME}\n"
         "t:1:5: '${' without a name and '}' after it; write ${NAME}"                                                        },
        {"${LEX",         "!",        "t:1:1: '${' without a name and '}' after it; write ${NAME}"                           },
        {"a\rb\nc",       "!",        "t:1:2: a carriage return without a line feed"                                         },
        {"a\n\x01 b\nc",  "[a]/!",    "t:2:1: a byte 01; this is not a text file"                                            },
        {"\"\x7f\"",      "!",        "t:1:2: a byte 7f; this is not a text file"                                            },
    };

    unsetenv("LEX_NONE");
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct conf_errors *e = conf_errors_new();

        CHECK_STR(tokens(bytes_str(bad[i].in), e), bad[i].out);
        CHECK_STR(errors_text(e), bad[i].errors);
        conf_errors_free(e);
    }
}

TEST(a_nul_is_no_text)
{
    struct conf_errors *e = conf_errors_new();

    CHECK_STR(tokens(bytes_of("a\0b c", 5), e), "!");
    CHECK_STR(errors_text(e), "t:1:2: a byte 00; this is not a text file");
    conf_errors_free(e);
}

TEST(a_word_has_a_length)
{
    static char text[8200];
    struct conf_errors *e = conf_errors_new();

    memset(text, 'a', sizeof text - 1);
    CHECK_STR(tokens(bytes_of(text, 8193), e), "!");
    CHECK_STR(errors_text(e), "t:1:1: a word of more than 8192 bytes");
    CHECK_EQ(strlen(tokens(bytes_of(text, 8192), e)), 8194);
    conf_errors_free(e);
}

TEST(counts_lines_and_columns)
{
    static const struct {
        unsigned line, column;
    } places[] = {
        {1, 1},
        {1, 3},
        {1, 5},
        {2, 2},
        {2, 3},
        {2, 4},
        {4, 1}
    };
    struct conf_errors *e = conf_errors_new();
    struct arena *a = arena_new();
    struct lexer lx;

    CHECK(lexer_init(&lx, "t", bytes_str("a b # c\n\td;\n\\\ne"), a, e));
    for (size_t i = 0; i < COUNT(places); i++) {
        struct token t = lexer_next(&lx);

        if (i == 2)
            CHECK_EQ(t.kind, TOKEN_LINE);
        else
            CHECK_EQ(t.word.place.column, places[i].column);
        CHECK_EQ(t.word.place.line, places[i].line);
    }
    arena_free(a);
    conf_errors_free(e);
}

TEST_MAIN(RUN(cuts_words), RUN(says_what_is_no_word), RUN(a_nul_is_no_text), RUN(a_word_has_a_length),
          RUN(counts_lines_and_columns))
