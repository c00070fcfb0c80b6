/* SPDX-License-Identifier: MIT
 *
 * Owns the form of a protected record: the nonce made of IV and sequence number, the header as additional data, the
 * content type behind the text.
 */
#include "tls/record13.h"
#include "tls/alert.h"

#include "base/mem.h"
#include "tls/key_schedule.h"

#include <string.h>

void record13_set_key(struct record13 *r, struct aead *aead, const struct suite13 *suite,
                      const uint8_t *secret)
{
    uint8_t key[AEAD_KEY_MAX];

    key_schedule_traffic(suite13_hash(suite), secret, key, aead_key_len(suite->aead), r->iv, sizeof r->iv);
    aead_init(aead, suite->aead, key);
    mem_wipe(key, sizeof key);
    r->aead = aead;
    r->seq = 0;
}

/* §5.3 */
static void make_nonce(const struct record13 *r, uint8_t nonce[AEAD_NONCE])
{
    memcpy(nonce, r->iv, AEAD_NONCE);
    for (size_t i = 0; i < 8; i++)
        nonce[AEAD_NONCE - 1 - i] ^= (uint8_t)(r->seq >> 8 * i);
}

static void put_header(uint8_t *record, uint8_t type, size_t n)
{
    record[0] = type;
    record[1] = 3;
    record[2] = 3;
    record[3] = (uint8_t)(n >> 8);
    record[4] = (uint8_t)n;
}

size_t record13_seal(struct record13 *r, uint8_t type, uint8_t *record, size_t n)
{
    uint8_t nonce[AEAD_NONCE], *text = record + RECORD_HEADER;

    if (!r->aead) {
        put_header(record, type, n);
        return RECORD_HEADER + n;
    }
    text[n++] = type;
    put_header(record, RECORD_DATA, n + AEAD_TAG);
    make_nonce(r, nonce);
    r->seq++;
    aead_seal(r->aead, nonce, record, RECORD_HEADER, text, n, text + n);
    return RECORD_HEADER + n + AEAD_TAG;
}

uint8_t record13_open(struct record13 *r, uint8_t *record, size_t n, uint8_t *type, struct bytes *text)
{
    uint8_t nonce[AEAD_NONCE], *p = record + RECORD_HEADER;

    if (n > RECORD_HEADER + RECORD_CIPHERTEXT_MAX)
        return ALERT_RECORD_OVERFLOW;
    if (n < RECORD_HEADER + AEAD_TAG)
        return ALERT_BAD_RECORD_MAC;
    size_t left = n - RECORD_HEADER - AEAD_TAG;
    make_nonce(r, nonce);
    if (!aead_open(r->aead, nonce, record, RECORD_HEADER, p, left, p + left))
        return ALERT_BAD_RECORD_MAC;
    r->seq++;
    if (left > RECORD_TEXT_MAX + 1)
        return ALERT_RECORD_OVERFLOW;
    /* How much of it is padding shows in how long this takes, as §5.4 allows. */
    while (left && p[left - 1] == 0)
        left--;
    if (!left)
        return ALERT_UNEXPECTED_MESSAGE;
    *type = p[left - 1];
    *text = (struct bytes){p, left - 1};
    return 0;
}
