/* SPDX-License-Identifier: MIT
 *
 * DER (X.690 §8, §10) over the reader and the writer: definite lengths in their shortest form and tags of one
 * byte, which is all that certificates and keys use. Errors stick in the reader or writer, as everywhere.
 */
#ifndef CERTS_DER_H
#define CERTS_DER_H

#include "base/bytes.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             /* [n]: DER_CONTEXT + n, primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* [n] with values inside */
};

/* The next value's tag, 0 if there is none. */
uint8_t der_peek(const struct reader *r);
/* The next value, whatever it is: its tag and its content. */
struct bytes der_any(struct reader *r, uint8_t *tag);
/* The content of the next value, which must have this tag. */
struct bytes der_take(struct reader *r, uint8_t tag);
/* The same with its header. */
struct bytes der_whole(struct reader *r, uint8_t tag);
/* The content as a reader of its own; failed when r is. */
struct reader der_enter(struct reader *r, uint8_t tag);
/* A BOOLEAN if one is next (exactly 00 or FF), else false. */
bool der_boolean(struct reader *r);
/* An INTEGER that is not negative, without its leading zero byte; 0 is one zero byte. */
struct bytes der_unsigned(struct reader *r);
/* A BIT STRING of whole bytes. */
struct bytes der_bits(struct reader *r);
/* UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has them: seconds, and Z. Seconds since 1970. */
int64_t der_time(struct reader *r);

/* Opens a value; everything until der_close is its content. The mark is for der_close. */
size_t der_open(struct writer *w, uint8_t tag);
void der_close(struct writer *w, size_t mark);
void der_put(struct writer *w, uint8_t tag, struct bytes content);
/* An INTEGER from an unsigned big-endian number. */
void der_put_unsigned(struct writer *w, struct bytes number);
void der_put_bits(struct writer *w, struct bytes content);
/* UTCTime through 2049, GeneralizedTime from then on. */
void der_put_time(struct writer *w, int64_t s);

#endif
