/* SPDX-License-Identifier: MIT
 *
 * Small conversions between text and values, each strict: all of the input is the value, or it fails.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/* ASCII only, whatever the locale. */
static inline bool text_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}
static inline uint8_t text_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}
static inline bool text_is_alpha(uint8_t c)
{
    return text_lower(c) >= 'a' && text_lower(c) <= 'z';
}

/* Decimal digits alone; false on an empty run, any other byte, or a value above max. */
bool text_u64(struct bytes in, uint64_t max, uint64_t *out);
/* Hexadecimal digits alone. */
bool text_hex_u64(struct bytes in, uint64_t max, uint64_t *out);
/* `10`, `10s`, `500ms`, `5m`, `12h`, `7d`: milliseconds; a bare number is seconds. */
bool text_duration_ms(struct bytes in, uint64_t max_ms, uint64_t *out);
/* `16384`, `16k`, `10M`, `1G`, also `16KiB`: bytes; powers of 1024. */
bool text_size(struct bytes in, uint64_t max, uint64_t *out);

/* Base64 (RFC 4648 §4) of all of `in`; false when it is not valid or does not fit. `*len` is its length. */
bool text_base64_decode(struct bytes in, uint8_t *out, size_t cap, size_t *len);
/* With padding; writes to w. */
struct writer;
void text_base64_encode(struct writer *w, struct bytes in);
/* Base64url without padding (RFC 4648 §5; JOSE), as the two above. A text has one value and a value one text: padding,
 * the other alphabet, and bits that belong to no byte but are set are refused. */
bool text_base64url_decode(struct bytes in, uint8_t *out, size_t cap, size_t *len);
void text_base64url_encode(struct writer *w, struct bytes in);

/* Takes the next run of bytes without blanks (space, tab, CR) off `line`; empty at its end. */
struct bytes text_word(struct bytes *line);

/* The Damerau-Levenshtein distance, for suggestions; lengths are cut at 63. */
unsigned text_distance(struct bytes a, struct bytes b);

#endif
