/* SPDX-License-Identifier: MIT
 *
 * The hash by which validation compares distinguished names (br_x509_minimal_init's), and the form of a name of which
 * nothing but that hash is kept. Of a set of trust anchors the names are a quarter, and they are only compared.
 *
 * It is the beginning of SHA-256. Two names of one hash would be taken for one, between certificates of a chain and at
 * its anchor; yet a name opens nothing. What follows each comparison is a signature by the key that is of that name, or
 * the comparison of the key itself: who could use the wrong name holds the key and may use the right one. So names that
 * someone has made to collide (48 bits) gain nothing; and another name for one that is given (96 bits) nobody finds.
 */
#ifndef TLS_DN_HASH_H
#define TLS_DN_HASH_H

#include "base/bytes.h"

#include <bearssl.h>

enum {
    DN_HASH_LEN = 12,
    /* A "name" of 1 + DN_HASH_LEN bytes whose first has this bit is a hash already, its other bytes. A name in DER begins
     * with 0x30: br_x509_minimal refuses one that does not before it asks for its hash, so no peer can present such. */
    DN_HASH_MADE = 0x80,
};

/* For br_x509_minimal: its context is a br_sha256_context. It has no state, and no number of a hash function. */
extern const br_hash_class dn_hash_class;

/* `name` in DER. */
void dn_hash(struct bytes name, uint8_t to[DN_HASH_LEN]);

#endif
