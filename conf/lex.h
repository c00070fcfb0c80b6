/* SPDX-License-Identifier: MIT
 *
 * Private to conf/: the words of a configuration file, each with its line and column (counted in bytes from 1).
 */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include "conf/arena.h"
#include "conf/conf.h"

struct word {
    struct conf_place place;
    const char
        *text; /* decoded: quotes, escapes and ${NAME} are gone; NUL-terminated, without a NUL inside */
};

enum token_kind {
    TOKEN_WORD,
    TOKEN_OPEN,      /* { */
    TOKEN_CLOSE,     /* } */
    TOKEN_SEMICOLON, /* ; */
    TOKEN_LINE,      /* the end of a line */
    TOKEN_BAD,       /* was reported; the statement it stands in is not to be used */
    TOKEN_END,
};

struct token {
    enum token_kind kind;
    struct word word; /* its place for all kinds */
};

struct lexer {
    struct reader in;
    const uint8_t *line_start;
    unsigned line;
    const char *file;
    struct arena *arena;
    struct conf_errors *errors;
    struct span room; /* for the word under way */
};

/* Words are made in `arena`, as must be `file`. False when out of memory. */
bool lexer_init(struct lexer *lx, const char *file, struct bytes text, struct arena *arena,
                struct conf_errors *errors);
struct token lexer_next(struct lexer *lx);

#endif
