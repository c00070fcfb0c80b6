/* SPDX-License-Identifier: MIT
 *
 * Owns how a body is told from what follows it. Invariant: `left` is the number of bytes that are certainly payload
 * and still to come; a byte is given out as payload only while it is above 0 (or the body ends with the connection).
 *
 * Chunked (RFC 9112 §7.1) is read strictly: a size of 1 to 16 hexadecimal digits, then CRLF or an extension. What
 * is lenient elsewhere (spaces behind the size, a bare LF, a missing CRLF behind the data) is what requests are
 * smuggled with.
 */
#include "http/h1_body.h"

#include "base/text.h"

#include <assert.h>

#define CHUNK_LINE_MAX 4096 /* bytes of a chunk-size line with its extensions */

enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    PAYLOAD,
    PAYLOAD_CR,
    PAYLOAD_LF,
    TRAILER_START,
    TRAILER_LF, /* of a trailer section without a field */
    TRAILERS,
    END,
};

void h1_body_start(struct h1_body *b, enum http_body kind, uint64_t length)
{
    *b = (struct h1_body){.kind = (uint8_t)kind, .state = PAYLOAD};
    switch (kind) {
    case HTTP_BODY_NONE: b->state = END; break;
    case HTTP_BODY_LENGTH:
        b->left = length;
        if (length == 0)
            b->state = END;
        break;
    case HTTP_BODY_CHUNKED: b->state = SIZE; break;
    case HTTP_BODY_CLOSE:
    case HTTP_BODY_TUNNEL: break;
    }
}

void h1_body_stop(struct h1_body *b)
{
    http_head_free(b->trailers);
    b->trailers = NULL;
}

bool h1_body_ends_by_close(const struct h1_body *b)
{
    return b->kind == HTTP_BODY_CLOSE || b->kind == HTTP_BODY_TUNNEL;
}

bool h1_body_is_complete(const struct h1_body *b)
{
    return b->state == END;
}

size_t h1_body_payload(const struct h1_body *b)
{
    if (b->state != PAYLOAD)
        return 0;
    if (h1_body_ends_by_close(b))
        return SIZE_MAX;
    return b->left < SIZE_MAX ? (size_t)b->left : SIZE_MAX;
}

void h1_body_took(struct h1_body *b, size_t n)
{
    assert(n <= h1_body_payload(b));
    if (h1_body_ends_by_close(b))
        return;
    b->left -= n;
    if (b->left == 0)
        b->state = b->kind == HTTP_BODY_CHUNKED ? PAYLOAD_CR : END;
}

static bool bad(struct h1_body *b, const char *why)
{
    b->why = why;
    return false;
}

static bool add_digit(struct h1_body *b, uint8_t c)
{
    unsigned value = text_is_digit(c) ? c - (unsigned)'0' : (unsigned)text_lower(c) - 'a' + 10;

    if (b->digits == 16 || b->left > (uint64_t)INT64_MAX >> 4)
        return bad(b, "chunk size too large");
    b->left = b->left * 16 + value;
    b->digits++;
    return true;
}

static bool end_size(struct h1_body *b, uint8_t c)
{
    if (b->digits == 0)
        return bad(b, "chunk without a size");
    if (c == '\r')
        b->state = SIZE_LF;
    else if (c == ';')
        b->state = EXTENSION;
    else
        return bad(b, c == '\n' ? "bare LF in a chunk-size line" : "chunk size is not a hexadecimal number");
    return true;
}

static bool expect(struct h1_body *b, uint8_t c, uint8_t wanted, enum state next, const char *why)
{
    if (c != wanted)
        return bad(b, why);
    b->state = (uint8_t)next;
    return true;
}

static bool is_hex(uint8_t c)
{
    return text_is_digit(c) || (text_lower(c) >= 'a' && text_lower(c) <= 'f');
}

/* One byte of framing. */
static bool framing_byte(struct h1_body *b, uint8_t c)
{
    switch ((enum state)b->state) {
    case SIZE: b->line++; return is_hex(c) ? add_digit(b, c) : end_size(b, c);
    case EXTENSION: /* passed over: nobody behind sees it (RFC 9112 §7.1.1) */
        if (++b->line > CHUNK_LINE_MAX)
            return bad(b, "chunk extensions too long");
        if (c == '\r')
            b->state = SIZE_LF;
        else if (c == '\n')
            return bad(b, "bare LF in a chunk-size line");
        else if ((c < 0x20 && c != '\t') || c == 0x7f)
            return bad(b, "control byte in a chunk extension");
        return true;
    case SIZE_LF:
        b->digits = 0;
        b->line = 0;
        return expect(b, c, '\n', b->left > 0 ? PAYLOAD : TRAILER_START, "bare CR in a chunk-size line");
    case PAYLOAD_CR: return expect(b, c, '\r', PAYLOAD_LF, "chunk data without CRLF behind it");
    case PAYLOAD_LF: return expect(b, c, '\n', SIZE, "chunk data without CRLF behind it");
    case TRAILER_LF: return expect(b, c, '\n', END, "bare CR");
    case TRAILER_START:
    case TRAILERS:
    case PAYLOAD:
    case END: break;
    }
    assert(false && "not a state of framing bytes");
    return false;
}

static enum h1_step trailers(struct h1_body *b, struct h1_parser *parser, const struct http_limits *limits,
                             const uint8_t *p, size_t n, size_t *used)
{
    size_t took;
    enum h1_parse result = h1_parser_recv(parser, limits, p, n, &took, &b->trailers);

    *used += took;
    switch (result) {
    case H1_MORE: return H1_STEP_MORE;
    case H1_DONE: b->state = END; return H1_STEP_END;
    case H1_BAD: b->why = parser->why; return H1_STEP_BAD;
    case H1_MEMORY: break;
    }
    return H1_STEP_MEMORY;
}

enum h1_step h1_body_next(struct h1_body *b, struct h1_parser *parser, const struct http_limits *limits,
                          const uint8_t *p, size_t n, size_t *used, struct bytes *data)
{
    *used = 0;
    while (b->state != END) {
        size_t rest = n - *used, payload = h1_body_payload(b);

        if (rest == 0)
            return H1_STEP_MORE;
        if (payload > 0) {
            *data = (struct bytes){p + *used, rest < payload ? rest : payload};
            return H1_STEP_DATA;
        }
        if (b->state == TRAILERS)
            return trailers(b, parser, limits, p + *used, rest, used);
        if (b->state == TRAILER_START) {
            if (p[*used] == '\r') {
                b->state = TRAILER_LF;
                ++*used;
            } else {
                h1_parser_start(parser, H1_TRAILERS);
                b->state = TRAILERS;
            }
            continue;
        }
        if (!framing_byte(b, p[*used]))
            return H1_STEP_BAD;
        ++*used;
    }
    return H1_STEP_END;
}
