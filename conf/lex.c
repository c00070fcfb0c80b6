/* SPDX-License-Identifier: MIT
 *
 * Cuts a configuration file into words. A word ends at a blank, `;`, or a brace that is a block's; `{name}` within a
 * word belongs to it, so that a redirect's {uri} needs no quotes. ${NAME} is the environment's, in quotes or not,
 * and never makes more than one word. Every byte that has no business in a text file is an error.
 */
#include "conf/lex.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX       8192u
#define NAME_MAX_BYTES 255u

bool lexer_init(struct lexer *lx, const char *file, struct bytes text, struct arena *arena,
                struct conf_errors *errors)
{
    static const uint8_t byte_order_mark[] = {0xef, 0xbb, 0xbf};

    if (text.n >= sizeof byte_order_mark && memcmp(text.p, byte_order_mark, sizeof byte_order_mark) == 0)
        text = bytes_of(text.p + sizeof byte_order_mark, text.n - sizeof byte_order_mark);
    *lx = (struct lexer){
        .in = reader_of(text.p, text.n),
        .line_start = text.p,
        .line = 1,
        .file = file,
        .arena = arena,
        .errors = errors,
        .room = {arena_alloc(arena, WORD_MAX), WORD_MAX},
    };
    return lx->room.p != NULL;
}

/* The byte that is `ahead` of the next; -1 behind the end. */
static int peek(const struct lexer *lx, size_t ahead)
{
    return ahead < reader_left(&lx->in) ? lx->in.p[ahead] : -1;
}

static struct conf_place here(const struct lexer *lx)
{
    return (struct conf_place){lx->file, lx->line, (unsigned)(lx->in.p - lx->line_start) + 1};
}

static void next_line(struct lexer *lx)
{
    lx->line++;
    lx->line_start = lx->in.p;
}

static bool is_name_byte(int c, bool first)
{
    return c > 0 && (text_is_alpha((uint8_t)c) || c == '_' || (!first && text_is_digit((uint8_t)c)));
}

/* How long the `{name}` is that begins here; 0 when this brace is a block's. */
static size_t placeholder_length(const struct lexer *lx)
{
    size_t n = 1;

    if (peek(lx, 0) != '{')
        return 0;
    while (is_name_byte(peek(lx, n), n == 1))
        n++;
    return n > 1 && peek(lx, n) == '}' ? n + 1 : 0;
}

/* A control byte ends the reading: what follows is hardly text. True when there was one. */
static bool refuse_control(struct lexer *lx)
{
    int c = peek(lx, 0);

    if (c < 0 || (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || (c == '\r' && peek(lx, 1) == '\n'))
        return false;
    if (c == '\r')
        conf_error(lx->errors, here(lx), NULL, "a carriage return without a line feed");
    else
        conf_error(lx->errors, here(lx), NULL, "a byte %02x; this is not a text file", (unsigned)c);
    reader_skip(&lx->in, reader_left(&lx->in));
    return true;
}

/* ${NAME}, at its `$`. False when it was reported. */
static bool expand(struct lexer *lx, struct writer *out)
{
    struct conf_place place = here(lx);
    char name[NAME_MAX_BYTES + 1];
    const char *value;
    size_t n = 0;

    while (n < NAME_MAX_BYTES && is_name_byte(peek(lx, 2 + n), n == 0)) {
        name[n] = (char)peek(lx, 2 + n);
        n++;
    }
    name[n] = 0;
    if (n == 0 || peek(lx, 2 + n) != '}') {
        reader_skip(&lx->in, 2);
        conf_error(lx->errors, place, NULL, "'${' without a name and '}' after it; write ${NAME}");
        return false;
    }
    reader_skip(&lx->in, n + 3);
    value = getenv(name);
    if (value == NULL) {
        conf_error(lx->errors, place, NULL, "${%s} is not set in the environment", name);
        return false;
    }
    writer_str(out, value);
    return true;
}

static struct token finish_word(struct lexer *lx, struct conf_place place, struct writer *out, bool good)
{
    struct token t = {.kind = TOKEN_WORD, .word = {.place = place}};

    if (out->failed) {
        conf_error(lx->errors, place, NULL, "a word of more than %u bytes", WORD_MAX);
        good = false;
    }
    if (good)
        t.word.text = arena_text(lx->arena, bytes_of(out->start, writer_len(out)));
    if (t.word.text == NULL)
        t.kind = TOKEN_BAD;
    return t;
}

/* May this byte follow the closing quote? */
static bool ends_word(const struct lexer *lx)
{
    int c = peek(lx, 0);

    return c < 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';' || c == '{' || c == '}';
}

/* What stands behind a backslash, at the backslash. False when it was reported. */
static bool unescape(struct lexer *lx, struct writer *out)
{
    int c = peek(lx, 1);

    if (c == '"' || c == '\\' || c == '$') {
        writer_u8(out, (uint8_t)c);
    } else if (c == 'n') {
        writer_u8(out, '\n');
    } else {
        conf_error(lx->errors, here(lx), NULL, "an unknown escape; there are \\\" \\\\ \\n and \\$");
        reader_skip(&lx->in, 1);
        return false;
    }
    reader_skip(&lx->in, 2);
    return true;
}

static struct token quoted(struct lexer *lx)
{
    struct writer out = writer_of(lx->room.p, lx->room.n);
    struct conf_place place = here(lx);
    bool good = true;

    reader_skip(&lx->in, 1);
    for (;;) {
        int c = peek(lx, 0);

        if (refuse_control(lx))
            return finish_word(lx, place, &out, false);
        if (c < 0 || c == '\n' || c == '\r') {
            conf_error(lx->errors, place, NULL,
                       "a string without its closing quote on the same line; a line break in it is \\n");
            return finish_word(lx, place, &out, false);
        }
        if (c == '"')
            break;
        if (c == '\\') {
            good &= unescape(lx, &out);
        } else if (c == '$' && peek(lx, 1) == '{') {
            good &= expand(lx, &out);
        } else {
            writer_u8(&out, reader_u8(&lx->in));
        }
    }
    reader_skip(&lx->in, 1);
    if (!ends_word(lx)) {
        conf_error(lx->errors, here(lx), NULL,
                   "no blank after the string; the quotes go around the whole word");
        good = false;
    }
    return finish_word(lx, place, &out, good);
}

static struct token unquoted(struct lexer *lx)
{
    struct writer out = writer_of(lx->room.p, lx->room.n);
    struct conf_place place = here(lx);
    bool good = true;

    for (;;) {
        int c = peek(lx, 0);
        size_t placeholder = placeholder_length(lx);

        if (refuse_control(lx))
            return finish_word(lx, place, &out, false);
        if (placeholder > 0) {
            writer_bytes(&out, reader_take(&lx->in, placeholder));
            continue;
        }
        if (ends_word(lx))
            break;
        if (c == '"' && good) {
            conf_error(lx->errors, here(lx), NULL,
                       "a quote inside a word; the quotes go around the whole word");
            good = false;
        }
        if (c == '$' && peek(lx, 1) == '{')
            good &= expand(lx, &out);
        else
            writer_u8(&out, reader_u8(&lx->in));
    }
    return finish_word(lx, place, &out, good);
}

/* A backslash that ends its line: the statement goes on in the next. How many bytes it takes; 0 when it is not. */
static size_t continuation_length(const struct lexer *lx)
{
    if (peek(lx, 0) != '\\')
        return 0;
    if (peek(lx, 1) == '\n')
        return 2;
    return peek(lx, 1) == '\r' && peek(lx, 2) == '\n' ? 3 : 0;
}

/* Blanks, comments, continued lines; a comment reaches to the end of its line. */
static void skip_blanks(struct lexer *lx)
{
    for (;;) {
        int c = peek(lx, 0);
        size_t continuation = continuation_length(lx);

        if (c == ' ' || c == '\t' || (c == '\r' && peek(lx, 1) == '\n')) {
            reader_skip(&lx->in, 1);
        } else if (continuation > 0) {
            reader_skip(&lx->in, continuation);
            next_line(lx);
        } else if (c == '#') {
            const uint8_t *end = memchr(lx->in.p, '\n', reader_left(&lx->in));

            reader_skip(&lx->in, end != NULL ? (size_t)(end - lx->in.p) : reader_left(&lx->in));
        } else {
            return;
        }
    }
}

static struct token punctuation(struct lexer *lx, enum token_kind kind)
{
    struct token t = {.kind = kind, .word = {.place = here(lx)}};

    reader_skip(&lx->in, 1);
    if (kind == TOKEN_LINE)
        next_line(lx);
    return t;
}

struct token lexer_next(struct lexer *lx)
{
    skip_blanks(lx);
    switch (peek(lx, 0)) {
    case -1: return (struct token){.kind = TOKEN_END, .word = {.place = here(lx)}};
    case '\n': return punctuation(lx, TOKEN_LINE);
    case ';': return punctuation(lx, TOKEN_SEMICOLON);
    case '}': return punctuation(lx, TOKEN_CLOSE);
    case '"': return quoted(lx);
    case '{': return placeholder_length(lx) > 0 ? unquoted(lx) : punctuation(lx, TOKEN_OPEN);
    default: return unquoted(lx);
    }
}
