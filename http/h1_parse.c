/* SPDX-License-Identifier: MIT
 *
 * Owns the syntax of a head: start line and field lines, byte by byte (RFC 9112 §2 to §5). Invariant: text[0, at)
 * is parsed and never looked at again but to trim a value or check an element once it is whole; every offset kept
 * is at or below `at`. Limits cut what may be looked at before the bytes are looked at, so that an error does not
 * depend on how the bytes came.
 *
 * The text is either the caller's bytes (a head that fits in one piece; its fields on the stack) or the head under
 * construction; the same code runs on both.
 */
#include "http/h1_parse.h"

#include "base/text.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define EMPTY_LINES    4                        /* before a request line (RFC 9112 §2.2) */
#define DIRECT_FIELDS  40                       /* a head with more fields is collected */
#define SPARE_TEXT     (512 + 4 * SPARE_FIELDS) /* room in a finished head for what a proxy adds */
#define SPARE_FIELDS   12
#define COLLECT_TEXT   1024 /* the least room of a head under construction */
#define COLLECT_FIELDS 24
#define SLICE          1024 /* a head is collected in pieces of this size: what follows it is not copied */

/* What the next byte belongs to. */
enum state {
    START,
    START_LF, /* of an empty line before the request line */
    METHOD,
    TARGET,
    VERSION, /* of a request, to its CR */
    RESPONSE_VERSION,
    STATUS,
    STATUS_END,
    REASON,
    LINE_LF,
    FIELD,
    NAME,
    VALUE_START,
    VALUE,
    VALUE_LF,
    END_LF,
    DONE,
};

enum run { RUN_MORE, RUN_DONE, RUN_BAD, RUN_FIELDS /* no room for another field */ };

void h1_parser_start(struct h1_parser *ps, enum h1_kind kind)
{
    *ps = (struct h1_parser){.kind = (uint8_t)kind};
    ps->state = kind == H1_REQUEST ? START : kind == H1_RESPONSE ? RESPONSE_VERSION : FIELD;
}

void h1_parser_stop(struct h1_parser *ps)
{
    http_head_free(ps->head);
    ps->head = NULL;
}

bool h1_parser_bad(struct h1_parser *ps, unsigned status, const char *why)
{
    ps->status = (uint16_t)status;
    ps->why = why;
    return false;
}

static bool is_value_byte(uint8_t c)
{
    return c >= 0x20 ? c != 0x7f : c == '\t';
}

/* The bytes from p that can stand in a value or a reason, as far as `end`. */
static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;

    /* Eight at a time, looking for those below 0x20 and 0x7f. A borrow raises false alarms, but only behind a byte
     * that is one: the first is right. */
    while ((size_t)(end - p) >= 8) {
        uint64_t word, del, found;

        memcpy(&word, p, 8);
        word = le64toh(word);
        del = word ^ (0x7f * ones);
        found = (((word - 0x20 * ones) & ~word) | ((del - ones) & ~del)) & high;
        if (found == 0) {
            p += 8;
            continue;
        }
        p += __builtin_ctzll(found) / 8;
        if (*p != '\t')
            return p;
        p++;
    }
    while (p < end && is_value_byte(*p))
        p++;
    return p;
}

/* The bytes from p that can stand in a token. With a pointer of its own, as `at` would be written for each byte; so
 * do the next ones. */
static const uint8_t *skip_token(const uint8_t *p, const uint8_t *end)
{
    while (p < end && http_tchar[*p])
        p++;
    return p;
}

/* The bytes from p that can stand in a request target. */
static const uint8_t *skip_target(const uint8_t *p, const uint8_t *end)
{
    while (end > p && *p > 0x20 && *p < 0x7f && *p != '#')
        p++;
    return p;
}

/* The blanks from p. */
static const uint8_t *skip_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* The bytes from p that are no space and no control. */
static const uint8_t *skip_word(const uint8_t *p, const uint8_t *end)
{
    while (end > p && *p > 0x20)
        p++;
    return p;
}

/* --- the start line --- */

/* `HTTP/1.1` and its like: eight bytes, checked when they are whole (RFC 9112 §2.3). */
static bool parse_version(struct h1_parser *ps, struct http_head *h, const uint8_t *p, size_t n)
{
    if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || !text_is_digit(p[5]) || p[6] != '.' || !text_is_digit(p[7]))
        return h1_parser_bad(ps, 400, "malformed HTTP version");
    if (p[5] != '1')
        return h1_parser_bad(ps, 505, "HTTP version not supported");
    h->minor = p[7] == '0' ? 0 : 1; /* a higher one than ours is read as ours (RFC 9110 §2.5) */
    return true;
}

/* An element of the request line ended by `c` instead of a space. */
static bool bad_line(struct h1_parser *ps, uint8_t c, const char *why)
{
    if (c == '\n')
        return h1_parser_bad(ps, 400, "bare LF in the request line");
    if (c == '\r')
        return h1_parser_bad(ps, 400, "request line without a version");
    return h1_parser_bad(ps, 400, why);
}

/* Both return with `at` behind what they took; true to go on. */
static bool parse_method(struct h1_parser *ps, struct http_head *h, uint32_t end)
{
    const uint8_t *text = h->text;

    ps->at = (uint32_t)(skip_token(text + ps->at, text + end) - text);
    if (ps->at == end)
        return true;
    if (text[ps->at] != ' ' || ps->at == ps->mark)
        return bad_line(ps, text[ps->at], "method is not a token");
    h->method_off = ps->mark;
    h->method_len = ps->at - ps->mark;
    h->method = http_method_of((struct bytes){text + h->method_off, h->method_len});
    ps->mark = ++ps->at;
    ps->state = TARGET;
    return true;
}

static bool parse_target(struct h1_parser *ps, struct http_head *h, uint32_t end)
{
    const uint8_t *text = h->text;

    ps->at = (uint32_t)(skip_target(text + ps->at, text + end) - text);
    if (ps->at == end)
        return true;
    if (text[ps->at] != ' ')
        return bad_line(ps, text[ps->at], "forbidden byte in the request target");
    if (ps->at == ps->mark)
        return h1_parser_bad(ps, 400, "empty request target");
    h->target_off = ps->mark;
    h->target_len = ps->at - ps->mark;
    h->text_len = ps->at;
    if (!h1_target_seen(ps, h))
        return false;
    ps->mark = ++ps->at;
    ps->state = VERSION;
    return true;
}

static bool parse_request_version(struct h1_parser *ps, struct http_head *h, uint32_t end)
{
    const uint8_t *text = h->text;
    uint32_t longest = end - ps->mark < 9 ? end : ps->mark + 9;

    ps->at = (uint32_t)(skip_word(text + ps->at, text + longest) - text);
    if (ps->at == end)
        return true;
    if (text[ps->at] == '\n')
        return h1_parser_bad(ps, 400, "bare LF in the request line");
    if (text[ps->at] != '\r')
        return h1_parser_bad(ps, 400, "malformed HTTP version");
    if (!parse_version(ps, h, text + ps->mark, ps->at - ps->mark))
        return false;
    ps->at++;
    ps->state = LINE_LF;
    return true;
}

static bool parse_status(struct h1_parser *ps, struct http_head *h, uint32_t end)
{
    const uint8_t *text = h->text;

    while (ps->at < end && ps->at - ps->mark < 3 && text_is_digit(text[ps->at]))
        ps->at++;
    if (ps->at == end)
        return true;
    if (ps->at - ps->mark < 3)
        return h1_parser_bad(ps, 400, "status is not three digits");
    for (uint32_t i = ps->mark; i < ps->at; i++)
        h->status = (uint16_t)(h->status * 10 + (text[i] - '0'));
    if (h->status < 100 || h->status > 599)
        return h1_parser_bad(ps, 400, "status is not between 100 and 599");
    ps->state = STATUS_END;
    return true;
}

/* --- fields --- */

static bool parse_name(struct h1_parser *ps, const uint8_t *text, uint32_t end)
{
    uint8_t c;

    ps->at = (uint32_t)(skip_token(text + ps->at, text + end) - text);
    if (ps->at == end)
        return true;
    c = text[ps->at];
    if (c == ' ' || c == '\t')
        return h1_parser_bad(ps, 400, "whitespace before the colon of a field");
    if (c == '\r' || c == '\n')
        return h1_parser_bad(ps, 400, "field line without a colon");
    if (c != ':')
        return h1_parser_bad(ps, 400, "field name is not a token");
    if (ps->at == ps->mark)
        return h1_parser_bad(ps, 400, "empty field name");
    if (ps->at - ps->mark > UINT16_MAX)
        return h1_parser_bad(ps, 431, "field name too long");
    ps->name = ps->mark;
    ps->name_len = ps->at++ - ps->name;
    ps->state = VALUE_START;
    return true;
}

static bool parse_value(struct h1_parser *ps, const uint8_t *text, uint32_t end)
{
    ps->at = (uint32_t)(skip_value(text + ps->at, text + end) - text);
    if (ps->at == end)
        return true;
    if (text[ps->at] == '\n')
        return h1_parser_bad(ps, 400, "bare LF in a field line");
    if (text[ps->at] == 0)
        return h1_parser_bad(ps, 400, "NUL in a field value");
    if (text[ps->at] != '\r')
        return h1_parser_bad(ps, 400, "control byte in a field value");
    ps->at++;
    ps->state = VALUE_LF;
    return true;
}

/* Behind the LF of a field line. There is room for the field. */
static bool add_field(struct h1_parser *ps, struct http_head *h)
{
    struct http_field *f = &h->fields[h->field_count];
    uint32_t end = ps->at - 2; /* its CR */

    while (end > ps->mark && (h->text[end - 1] == ' ' || h->text[end - 1] == '\t'))
        end--;
    *f = (struct http_field){
        .name = ps->name,
        .name_len = (uint16_t)ps->name_len,
        .value = ps->mark,
        .value_len = end - ps->mark,
    };
    h->text_len = ps->at;
    h->field_count++;
    f->id = (uint8_t)http_field_id_of(http_field_name(h, f));
    h->ids |= HTTP_FIELD_BIT(f->id);
    return h1_field_seen(ps, h, f);
}

/* The first byte of a line in the field section. */
static bool parse_field(struct h1_parser *ps, const struct http_limits *limits, const struct http_head *h)
{
    uint8_t c = h->text[ps->at];

    ps->mark = ps->at;
    if (c == '\r') {
        ps->at++;
        ps->state = END_LF;
        return true;
    }
    if (c == ' ' || c == '\t')
        return h1_parser_bad(ps, 400, "folded field line");
    if (c == '\n')
        return h1_parser_bad(ps, 400, "bare LF in a field line");
    if (h->field_count >= limits->count)
        return h1_parser_bad(ps, 431, "too many fields");
    ps->state = NAME;
    return true;
}

static bool expect_lf(struct h1_parser *ps, const struct http_head *h, enum state next)
{
    if (h->text[ps->at] != '\n')
        return h1_parser_bad(ps, 400, "bare CR");
    ps->at++;
    ps->state = (uint8_t)next;
    return true;
}

/* --- the machine --- */

/* Behind the start line, where the other limit holds. */
static bool in_fields(const struct h1_parser *ps)
{
    return ps->state > LINE_LF;
}

/* How much of `len` bytes the limits let the state look at; false when it has used them up. */
static bool within_limits(struct h1_parser *ps, const struct http_limits *limits, uint32_t len, uint32_t *end)
{
    uint64_t max;

    if (in_fields(ps))
        max = (uint64_t)ps->fields + limits->fields + 2;
    else
        max = (uint64_t)limits->line + 2;
    *end = max < len ? (uint32_t)max : len;
    if (ps->at < max)
        return true;
    if (in_fields(ps))
        return h1_parser_bad(ps, 431, "field lines too long");
    return h1_parser_bad(ps, 414, ps->kind == H1_REQUEST ? "request line too long" : "status line too long");
}

static bool step(struct h1_parser *ps, const struct http_limits *limits, struct http_head *h, uint32_t end)
{
    const uint8_t *text = h->text;

    switch ((enum state)ps->state) {
    case METHOD: return parse_method(ps, h, end);
    case TARGET: return parse_target(ps, h, end);
    case VERSION: return parse_request_version(ps, h, end);
    case RESPONSE_VERSION:
        ps->at = (uint32_t)(skip_word(text + ps->at, text + (end < 8 ? end : 8)) - text);
        if (ps->at == end)
            return true;
        if (text[ps->at] != ' ')
            return h1_parser_bad(ps, 400, "malformed HTTP version");
        if (!parse_version(ps, h, text, ps->at))
            return false;
        ps->mark = ++ps->at;
        ps->state = STATUS;
        return true;
    case STATUS: return parse_status(ps, h, end);
    case STATUS_END:
        if (text[ps->at] != ' ' && text[ps->at] != '\r')
            return h1_parser_bad(ps, 400, "status is not three digits");
        if (text[ps->at] == ' ') /* which RFC 9112 §4 wants even before an empty reason; not all send it */
            ps->at++;
        ps->mark = ps->at;
        ps->state = REASON;
        return true;
    case REASON:
        ps->at = (uint32_t)(skip_value(text + ps->at, text + end) - text);
        if (ps->at == end)
            return true;
        if (text[ps->at] != '\r')
            return h1_parser_bad(ps, 400, "control byte in the status line");
        h->reason_off = ps->mark;
        h->reason_len = ps->at++ - ps->mark;
        ps->state = LINE_LF;
        return true;
    case LINE_LF:
        if (!expect_lf(ps, h, FIELD))
            return false;
        ps->fields = ps->at;
        return true;
    case FIELD: return parse_field(ps, limits, h);
    case NAME: return parse_name(ps, text, end);
    case VALUE_START:
        ps->at = (uint32_t)(skip_blanks(text + ps->at, text + end) - text);
        if (ps->at == end)
            return true;
        ps->mark = ps->at;
        ps->state = VALUE;
        return true;
    case VALUE: return parse_value(ps, text, end);
    case VALUE_LF: return expect_lf(ps, h, FIELD) && add_field(ps, h);
    case END_LF: return expect_lf(ps, h, DONE);
    case START:
    case START_LF:
    case DONE: break;
    }
    assert(false && "a state that step does not know");
    return false;
}

/* Parses h->text[at, len). */
static enum run run(struct h1_parser *ps, const struct http_limits *limits, struct http_head *h, uint32_t len)
{
    while (ps->at < len) {
        enum state stop = in_fields(ps) ? DONE : FIELD; /* where the limit or the text ends */
        uint32_t end;

        if (!within_limits(ps, limits, len, &end))
            return RUN_BAD;
        while (ps->at < end && ps->state != stop) {
            if (ps->state == VALUE_LF && h->field_count == h->field_cap && h->text[ps->at] == '\n')
                return RUN_FIELDS;
            if (!step(ps, limits, h, end))
                return RUN_BAD;
        }
        if (ps->state == DONE) {
            h->text_len = ps->at;
            return ps->kind == H1_TRAILERS || h1_head_seen(ps, h) ? RUN_DONE : RUN_BAD;
        }
    }
    return RUN_MORE;
}

/* --- where the text is --- */

/* Gives the head up to the caller: finished, or as far as it was understood. */
static enum h1_parse finish(struct h1_parser *ps, enum run result, struct http_head *h,
                            struct http_head **head)
{
    bool keep = ps->kind != H1_TRAILERS || (result == RUN_DONE && h->field_count > 0);

    h->text_len = ps->at;
    if (h == ps->head)
        ps->head = NULL;
    else
        h = keep ? http_head_copy(h, SPARE_TEXT, SPARE_FIELDS) : NULL;
    if (!keep && h != NULL) {
        http_head_free(h);
        h = NULL;
    }
    if (result == RUN_DONE && h != NULL && !h1_target_finish(h)) {
        http_head_free(h);
        h = NULL;
    }
    *head = h;
    if (result == RUN_BAD)
        return H1_BAD;
    return keep && h == NULL ? H1_MEMORY : H1_DONE;
}

/* Goes on in the head under construction, a slice of the input at a time. */
static enum h1_parse collect(struct h1_parser *ps, const struct http_limits *limits, const uint8_t *p,
                             size_t n, size_t *used, struct http_head **head)
{
    struct http_head *h = ps->head;

    while (*used < n) {
        size_t slice = n - *used < SLICE ? n - *used : SLICE;
        uint32_t before = ps->at;
        enum run result;

        if (!http_head_reserve_text(h, slice))
            return H1_MEMORY;
        memcpy(h->text + before, p + *used, slice);
        while ((result = run(ps, limits, h, before + (uint32_t)slice)) == RUN_FIELDS)
            if (!http_head_reserve_fields(h, COLLECT_FIELDS))
                return H1_MEMORY;
        *used += ps->at - before;
        h->text_len = ps->at;
        if (result != RUN_MORE)
            return finish(ps, result, h, head);
    }
    return H1_MORE;
}

/* Empty lines before a request line are skipped, a few (RFC 9112 §2.2); they are no part of the head's text. */
static enum run skip_empty_lines(struct h1_parser *ps, const uint8_t *p, size_t n, size_t *used)
{
    while (*used < n && (ps->state == START || ps->state == START_LF)) {
        uint8_t c = p[*used];

        if (ps->state == START && c != '\r') {
            ps->state = METHOD;
            return RUN_DONE;
        }
        if ((ps->state == START_LF && c != '\n') || ps->skipped == EMPTY_LINES) {
            (void)h1_parser_bad(ps, 400,
                                ps->state == START_LF ? "bare CR" : "empty lines before the request line");
            return RUN_BAD;
        }
        ++*used;
        if (ps->state == START_LF)
            ps->skipped++;
        ps->state = ps->state == START ? START_LF : START;
    }
    return *used < n ? RUN_DONE : RUN_MORE;
}

enum h1_parse h1_parser_recv(struct h1_parser *ps, const struct http_limits *limits, const uint8_t *p,
                             size_t n, size_t *used, struct http_head **head)
{
    BYTES_UNSET struct http_field fields[DIRECT_FIELDS];
    BYTES_UNSET struct http_head direct;
    enum run result;

    *used = 0;
    *head = NULL;
    if (ps->head != NULL)
        return collect(ps, limits, p, n, used, head);
    direct = (struct http_head){.fields = fields, .field_cap = DIRECT_FIELDS, .minor = 1, .keep_alive = true};
    result = skip_empty_lines(ps, p, n, used);
    if (result == RUN_BAD)
        return finish(ps, RUN_BAD, &direct, head);
    if (result == RUN_MORE)
        return H1_MORE;
    p += *used;
    n -= *used;
    if (n > UINT32_MAX / 4)
        n = UINT32_MAX / 4;
    direct.text = (uint8_t *)(uintptr_t)p; /* only read while it is the caller's */
    result = run(ps, limits, &direct, (uint32_t)n);
    if (result == RUN_DONE || result == RUN_BAD) {
        *used += ps->at;
        return finish(ps, result, &direct, head);
    }
    /* It goes on in the next piece, or has many fields: from here on it is collected. */
    direct.text_len = ps->at;
    ps->head = http_head_copy(&direct, direct.text_len < COLLECT_TEXT ? COLLECT_TEXT : direct.text_len,
                              COLLECT_FIELDS);
    if (ps->head == NULL)
        return H1_MEMORY;
    {
        size_t skipped = *used, more = ps->at;
        enum h1_parse answer = collect(ps, limits, p, n, &more, head);

        *used = skipped + more;
        return answer;
    }
}
