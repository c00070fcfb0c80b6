/* SPDX-License-Identifier: MIT
 *
 * From words to statements and blocks. Everything wrong in a file is to be told in one run, so after an error the
 * reading goes on at the next statement, and inside a block whose head was wrong. Blocks that are unknown are
 * skipped by counting braces, so the depth of nesting costs no stack: the scopes are the file, a site, a path.
 */
#include "conf/grammar.h"

#include <string.h>

struct parser {
    struct draft *draft;
    struct lexer lexer;
    struct token token; /* the next, not used yet */
};

static void advance(struct parser *p)
{
    p->token = lexer_next(&p->lexer);
}

/* To behind the brace that closes the block whose `{` is the next token. */
static void skip_block(struct parser *p)
{
    unsigned depth = 0;

    do {
        if (p->token.kind == TOKEN_OPEN)
            depth++;
        else if (p->token.kind == TOKEN_CLOSE)
            depth--;
        else if (p->token.kind == TOKEN_END)
            return;
        advance(p);
    } while (depth > 0);
}

/* A statement's words, up to what ends it. False when one of them was bad. */
static bool collect_words(struct parser *p, struct statement *s)
{
    struct word *words = NULL, *more;
    bool good = true;

    for (; p->token.kind == TOKEN_WORD || p->token.kind == TOKEN_BAD; advance(p)) {
        if (p->token.kind == TOKEN_BAD) {
            good = false;
            continue;
        }
        more = arena_more(p->draft->scratch, words, s->n, sizeof *words);
        if (more == NULL)
            return false;
        words = more;
        words[s->n++] = p->token.word;
        s->args = words;
    }
    return good;
}

/* The directive of that name, or the one that was probably meant, which is then in *guess alone. */
static const struct directive *find(struct parser *p, const struct scope *scope, const struct word *name,
                                    const struct directive **guess)
{
    const struct directive *d = directive_find(name->text);

    *guess = d;
    if (d != NULL)
        return d;
    *guess = directive_near(name->text, scope->kind);
    if (*guess == NULL)
        *guess = directive_near(name->text, ~0u);
    if (*guess != NULL)
        conf_error(p->draft->errors, name->place, name->text, "unknown directive; did you mean '%s'?",
                   (*guess)->name);
    else
        conf_error(p->draft->errors, name->place, name->text,
                   "unknown directive; --help-config lists those there are");
    return NULL;
}

static void parse_block(struct parser *p, struct scope *scope, const struct directive *opener,
                        struct conf_place opened);

/* The block of a statement that was run: into its scope, or past it. */
static void parse_inner(struct parser *p, struct statement *s)
{
    struct conf_place opened = p->token.word.place;

    if (s->inner == NULL) {
        skip_block(p);
        return;
    }
    advance(p);
    parse_block(p, s->inner, s->directive, opened);
    if (s->inner->broken)
        s->scope->broken = true;
}

/* The opening brace may stand on the next line. */
static bool find_brace(struct parser *p)
{
    while (p->token.kind == TOKEN_LINE)
        advance(p);
    return p->token.kind == TOKEN_OPEN;
}

static void parse_statement(struct parser *p, struct scope *scope)
{
    struct word name = p->token.word;
    struct statement s = {.draft = p->draft, .scope = scope, .place = name.place};
    const struct directive *guess, *known = find(p, scope, &name, &guess);
    bool good, opens;

    advance(p);
    good = collect_words(p, &s) && known != NULL;
    s.directive = guess;
    if (!good)
        scope->broken = true;
    opens = guess != NULL && guess->block ? find_brace(p) : p->token.kind == TOKEN_OPEN;
    if (guess == NULL) {
        if (opens)
            skip_block(p);
        return;
    }
    if (guess->block && !opens && good) {
        statement_fail_at(&s, s.place, "its block is missing; %s %s", guess->name, guess->args);
        return;
    }
    if (!guess->block && opens && good) {
        statement_fail_at(&s, p->token.word.place, "takes no block; %s %s", guess->name, guess->args);
        good = false;
    }
    if (good)
        statement_run(&s);
    else if (opens && guess->block && (guess->where & scope->kind) != 0)
        guess->set(&s); /* to look for what else is wrong inside */
    if (s.inner != NULL && !good)
        s.inner->broken = true;
    if (opens)
        parse_inner(p, &s);
}

/* Statements up to the brace that closes the block, or to the end of the file. */
static void parse_block(struct parser *p, struct scope *scope, const struct directive *opener,
                        struct conf_place opened)
{
    struct conf_errors *errors = p->draft->errors;

    for (;;) {
        struct conf_place place = p->token.word.place;

        switch (p->token.kind) {
        case TOKEN_WORD: parse_statement(p, scope); break;
        case TOKEN_SEMICOLON:
        case TOKEN_LINE: advance(p); break;
        case TOKEN_BAD:
            /* A statement whose name cannot be read. */
            scope->broken = true;
            collect_words(p, &(struct statement){0});
            break;
        case TOKEN_OPEN:
            conf_error(errors, place, NULL, "a block without a directive before it");
            scope->broken = true;
            skip_block(p);
            break;
        case TOKEN_CLOSE:
            advance(p);
            if (opener != NULL)
                return;
            conf_error(errors, place, NULL, "'}' without its '{'");
            scope->broken = true;
            break;
        case TOKEN_END:
            if (opener != NULL) {
                conf_error(errors, opened, opener->name, "its block has no '}'");
                scope->broken = true;
            }
            return;
        }
    }
}

void parse_text(struct draft *d, const char *file, struct bytes text)
{
    struct parser p = {.draft = d};

    if (!lexer_init(&p.lexer, file, text, d->scratch, d->errors))
        return;
    advance(&p);
    parse_block(&p, &d->global, NULL, (struct conf_place){0});
}
