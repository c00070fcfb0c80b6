/* SPDX-License-Identifier: MIT
 *
 * Owns the conversions between text and values. The invariant: a function that answers false has not touched what
 * its caller asked for (base64 alone may have written some of `out`). Base64 is done without tables or branches on
 * the data, since private keys pass through it.
 */
#include "base/text.h"

#include <string.h>

/* 0 to 15, or 16 and more for what is no digit. */
static unsigned digit_value(uint8_t c)
{
    if (text_is_digit(c))
        return c - (unsigned)'0';
    c = text_lower(c);
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
}

static bool number(struct bytes in, unsigned base, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (in.n == 0)
        return false;
    for (size_t i = 0; i < in.n; i++) {
        unsigned digit = digit_value(in.p[i]);

        if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v) ||
            v > max)
            return false;
    }
    *out = v;
    return true;
}

bool text_u64(struct bytes in, uint64_t max, uint64_t *out)
{
    return number(in, 10, max, out);
}

bool text_hex_u64(struct bytes in, uint64_t max, uint64_t *out)
{
    return number(in, 16, max, out);
}

/* Decimal digits and the unit behind them. */
static struct bytes unit_after(struct bytes *digits)
{
    size_t n = 0;
    struct bytes unit;

    while (n < digits->n && text_is_digit(digits->p[n]))
        n++;
    unit = bytes_of(n > 0 ? digits->p + n : digits->p, digits->n - n);
    digits->n = n;
    return unit;
}

static bool scaled(struct bytes digits, uint64_t scale, uint64_t max, uint64_t *out)
{
    uint64_t v;

    /* v <= max / scale, so the product cannot pass max. */
    if (!text_u64(digits, max / scale, &v))
        return false;
    *out = v * scale;
    return true;
}

bool text_duration_ms(struct bytes in, uint64_t max_ms, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {
        {"",   1000    },
        {"ms", 1       },
        {"s",  1000    },
        {"m",  60000   },
        {"h",  3600000 },
        {"d",  86400000},
    };
    struct bytes unit = unit_after(&in);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (bytes_is(unit, units[i].name))
            return scaled(in, units[i].ms, max_ms, out);
    return false;
}

bool text_size(struct bytes in, uint64_t max, uint64_t *out)
{
    struct bytes unit = unit_after(&in);
    unsigned shift;

    if (unit.n == 0)
        return text_u64(in, max, out);
    switch (text_lower(unit.p[0])) {
    case 'k': shift = 10; break;
    case 'm': shift = 20; break;
    case 'g': shift = 30; break;
    default: return false;
    }
    /* `kB` is left out: it is 1000 to one and 1024 to another. */
    if (unit.n != 1 && !bytes_is(bytes_of(unit.p + 1, unit.n - 1), "iB"))
        return false;
    return scaled(in, (uint64_t)1 << shift, max, out);
}

/* ---- Base64 ---- */

/* All ones when lo <= c <= hi, else 0. */
static int in_range(int c, int lo, int hi)
{
    return ((lo - 1 - c) & (c - hi - 1)) >> 8;
}

/* The value of a digit, or -1. */
static int base64_value(uint8_t digit, char d62, char d63)
{
    int c = digit, v = -1;

    v += in_range(c, 'A', 'Z') & (c - 'A' + 1);
    v += in_range(c, 'a', 'z') & (c - 'a' + 26 + 1);
    v += in_range(c, '0', '9') & (c - '0' + 52 + 1);
    v += in_range(c, d62, d62) & (62 + 1);
    v += in_range(c, d63, d63) & (63 + 1);
    return v;
}

static uint8_t base64_digit(unsigned value, char d62, char d63)
{
    int v = (int)(value & 63), c = 0;

    c += in_range(v, 0, 25) & (v + 'A');
    c += in_range(v, 26, 51) & (v - 26 + 'a');
    c += in_range(v, 52, 61) & (v - 52 + '0');
    c += in_range(v, 62, 62) & d62;
    c += in_range(v, 63, 63) & d63;
    return (uint8_t)c;
}

/* Of text without padding. */
static bool base64_decode(struct bytes in, char d62, char d63, uint8_t *out, size_t cap, size_t *len)
{
    size_t rest = in.n % 4, n = in.n / 4 * 3 + (rest > 0 ? rest - 1 : 0);
    int bad = 0;

    if (rest == 1 || n > cap)
        return false;
    for (size_t i = 0, at = 0; i < in.n; i += 4) {
        size_t digits = in.n - i < 4 ? rest : 4;
        uint32_t bits = 0;

        for (size_t j = 0; j < 4; j++) {
            int v = j < digits ? base64_value(in.p[i + j], d62, d63) : 0;

            bad |= v;
            bits = bits << 6 | ((uint32_t)v & 63);
        }
        for (size_t j = 0; j < 3; j++) {
            uint8_t byte = (uint8_t)(bits >> (16 - 8 * j));

            if (j < digits - 1)
                out[at++] = byte;
            else if (byte != 0) /* bits that no byte takes are zero, or two texts would be one value (§3.5) */
                return false;
        }
    }
    if (bad < 0)
        return false;
    *len = n;
    return true;
}

bool text_base64_decode(struct bytes in, uint8_t *out, size_t cap, size_t *len)
{
    size_t padding = 0;

    if (in.n % 4 != 0)
        return false;
    while (padding < 2 && padding < in.n && in.p[in.n - 1 - padding] == '=')
        padding++;
    return base64_decode(bytes_of(in.p, in.n - padding), '+', '/', out, cap, len);
}

bool text_base64url_decode(struct bytes in, uint8_t *out, size_t cap, size_t *len)
{
    return base64_decode(in, '-', '_', out, cap, len);
}

static void base64_encode(struct writer *w, struct bytes in, char d62, char d63, bool pad)
{
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i < 3 ? in.n - i : 3;
        uint32_t bits = 0;
        uint8_t digits[4];

        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < left ? in.p[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            digits[j] = j <= left ? base64_digit(bits >> (18 - 6 * j), d62, d63) : '=';
        writer_put(w, digits, pad ? 4 : left + 1);
    }
}

void text_base64_encode(struct writer *w, struct bytes in)
{
    base64_encode(w, in, '+', '/', true);
}

void text_base64url_encode(struct writer *w, struct bytes in)
{
    base64_encode(w, in, '-', '_', false);
}

/* ---- distance ---- */

#define DISTANCE_MAX 63u

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct bytes text_word(struct bytes *line)
{
    size_t start = 0, end;

    while (start < line->n && is_blank(line->p[start]))
        start++;
    for (end = start; end < line->n && !is_blank(line->p[end]);)
        end++;
    struct bytes word = bytes_of(line->p + start, end - start);
    *line = bytes_of(line->p + end, line->n - end);
    return word;
}

/* Lowrance and Wagner's: insert, delete, replace, and swap two neighbours that may have been parted by inserts. Row
 * and column 0 of the matrix stand before the empty prefix and hold more than any distance. */
unsigned text_distance(struct bytes a, struct bytes b)
{
    uint8_t d[DISTANCE_MAX + 2][DISTANCE_MAX + 2];
    uint8_t last_row[256] = {0}; /* where each byte was last seen in a, from 1 */
    unsigned an = a.n < DISTANCE_MAX ? (unsigned)a.n : DISTANCE_MAX;
    unsigned bn = b.n < DISTANCE_MAX ? (unsigned)b.n : DISTANCE_MAX;

    d[0][0] = (uint8_t)(an + bn);
    for (unsigned i = 0; i <= an; i++) {
        d[i + 1][0] = (uint8_t)(an + bn);
        d[i + 1][1] = (uint8_t)i;
    }
    for (unsigned j = 0; j <= bn; j++) {
        d[0][j + 1] = (uint8_t)(an + bn);
        d[1][j + 1] = (uint8_t)j;
    }
    for (unsigned i = 1; i <= an; i++) {
        unsigned last_column = 0; /* where a's byte was last seen in b */

        for (unsigned j = 1; j <= bn; j++) {
            unsigned row = last_row[b.p[j - 1]], column = last_column;
            unsigned replaced = d[i][j], best;

            if (a.p[i - 1] == b.p[j - 1])
                last_column = j;
            else
                replaced++;
            best = least(replaced, least(d[i + 1][j], d[i][j + 1]) + 1u);
            best = least(best, d[row][column] + (i - row - 1) + 1 + (j - column - 1));
            d[i + 1][j + 1] = (uint8_t)best;
        }
        last_row[a.p[i - 1]] = (uint8_t)i;
    }
    return d[an + 1][bn + 1];
}
