/* SPDX-License-Identifier: MIT
 *
 * See client13.h. What comes is taken apart here by the letter of RFC 8446: a message that is not expected, an
 * extension that was not asked for, a record that is longer than it may be, is an error, and the first one sticks.
 */
#include "tests/unit/tls/client13.h"

#include "tls/alert.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t compat_id[32] = {0x77, 0x77, 0x77};

void client13_init(struct client13 *c)
{
    static const uint8_t null_compression[] = {0}, psk_dhe_ke[] = {1};

    *c = (struct client13){.error = "", .psk = -1};
    c->hello = (struct hello13){
        .legacy_version = 0x0303,
        .session_id = {compat_id,                                        sizeof compat_id       },
        .compression = {null_compression,                                 sizeof null_compression},
        .suites = {{0x1301, 0x1302, 0x1303},                         3                      },
        .versions = {{0x0304},                                         1                      },
        .groups = {{29, 23},                                         2                      },
        .signatures = {{0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806}, 6                      },
        .shares = {{29},                                             1                      },
        .modes = {psk_dhe_ke,                                       sizeof psk_dhe_ke      },
    };
}

void client13_free(struct client13 *c)
{
    sink_free(&c->out);
    sink_free(&c->certificate);
    sink_free(&c->data);
    sink_free(&c->transcript);
    sink_free(&c->last_hello);
    sink_free(&c->in);
    sink_free(&c->handshake);
    free(c->read.aead);
    free(c->write.aead);
    c->read.aead = c->write.aead = NULL;
}

void client13_fail(struct client13 *c, const char *why)
{
    if (!*c->error)
        c->error = why;
}

/* --- keys --- */

static void set_key(struct record13 *r, const struct suite13 *suite, const uint8_t *secret)
{
    free(r->aead);
    r->aead = malloc(aead_size(suite->aead));
    assert(r->aead);
    record13_set_key(r, r->aead, suite, secret);
}

void client13_read_with(struct client13 *c, enum keys13 keys, const uint8_t *secret)
{
    memmove(c->read_secret, secret, sizeof c->read_secret);
    c->read_keys = keys;
    set_key(&c->read, c->suite, secret);
}

void client13_write_with(struct client13 *c, enum keys13 keys, const struct suite13 *suite,
                         const uint8_t *secret)
{
    memmove(c->write_secret, secret, sizeof c->write_secret);
    c->write_keys = keys;
    set_key(&c->write, suite, secret);
}

void client13_transcript_hash(const struct client13 *c, const br_hash_class *hash, struct bytes more,
                              uint8_t *out)
{
    struct transcript t;

    transcript_init(&t, hash);
    transcript_add(&t, c->transcript.p, c->transcript.n);
    transcript_add(&t, more.p, more.n);
    transcript_hash(&t, out);
}

void client13_messages_hash(const struct client13 *c, uint8_t *out)
{
    client13_transcript_hash(c, suite13_hash(c->suite), (struct bytes){NULL, 0}, out);
}

/* --- sending --- */

void client13_plain(struct client13 *c, uint8_t type, const void *p, size_t n)
{
    const uint8_t head[] = {type, 3, 3, (uint8_t)(n >> 8), (uint8_t)n};

    sink_add(&c->out, head, sizeof head);
    sink_add(&c->out, p, n);
}

/* `inner` is text, type and padding; at least one byte. */
static void put_protected(struct client13 *c, const struct sink *inner)
{
    uint8_t *record = malloc(inner->n + RECORD_OVERHEAD);

    assert(record && c->write.aead);
    memcpy(record + RECORD_HEADER, inner->p, inner->n - 1);
    sink_add(&c->out, record, record13_seal(&c->write, inner->p[inner->n - 1], record, inner->n - 1));
    free(record);
}

void client13_padded(struct client13 *c, uint8_t type, const void *p, size_t n, size_t padding)
{
    struct sink inner = {0};

    sink_add(&inner, p, n);
    sink_add(&inner, &type, 1);
    for (; padding; padding--)
        sink_add(&inner, "", 1);
    put_protected(c, &inner);
    sink_free(&inner);
}

void client13_record(struct client13 *c, uint8_t type, const void *p, size_t n)
{
    if (c->write.aead)
        client13_padded(c, type, p, n, 0);
    else
        client13_plain(c, type, p, n);
}

void client13_data(struct client13 *c, const void *p, size_t n)
{
    client13_record(c, RECORD_DATA, p, n);
}

void client13_alert(struct client13 *c, uint8_t alert)
{
    const uint8_t text[] = {alert == ALERT_CLOSE_NOTIFY || alert == ALERT_USER_CANCELED ? 1 : 2, alert};

    client13_record(c, RECORD_ALERT, text, sizeof text);
}

size_t client13_make_finished(struct client13 *c, uint8_t *out)
{
    uint8_t messages[KEY_SCHEDULE_MAX];
    size_t n = suite13_hash_len(c->suite);

    client13_messages_hash(c, messages);
    out[0] = 20;
    out[1] = out[2] = 0;
    out[3] = (uint8_t)n;
    key_schedule_finished(suite13_hash(c->suite), c->write_secret, messages, out + 4);
    return 4 + n;
}

void client13_finished_sent(struct client13 *c)
{
    client13_write_with(c, KEYS_APPLICATION, c->suite, c->application_secret);
}

void client13_finish(struct client13 *c)
{
    uint8_t message[4 + KEY_SCHEDULE_MAX];

    if (c->hello.session_id.n)
        client13_plain(c, RECORD_CHANGE_CIPHER_SPEC, "\1", 1);
    size_t n = client13_make_finished(c, message);
    client13_record(c, RECORD_HANDSHAKE, message, n);
    sink_add(&c->transcript, message, n);
    client13_finished_sent(c);
}

void client13_key_update(struct client13 *c, bool request)
{
    const uint8_t message[] = {24, 0, 0, 1, request};

    client13_record(c, RECORD_HANDSHAKE, message, sizeof message);
    key_schedule_update(suite13_hash(c->suite), c->write_secret);
    client13_write_with(c, KEYS_APPLICATION, c->suite, c->write_secret);
}

void client13_early(struct client13 *c)
{
    const struct psk13 *psk = c->hello.offers[0].psk;
    uint8_t messages[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX];
    struct key_schedule early;

    key_schedule_init(&early, psk->hash, psk->key);
    client13_transcript_hash(c, psk->hash, (struct bytes){NULL, 0}, messages);
    key_schedule_derive(&early, "c e traffic", messages, secret);
    client13_write_with(c, KEYS_NONE, suite13_find(psk->hash == &br_sha384_vtable ? 0x1302 : 0x1301), secret);
}

/* --- records --- */

static void take_handshake(struct client13 *c, struct bytes text)
{
    if (!text.n)
        client13_fail(c, "empty handshake record");
    sink_add(&c->handshake, text.p, text.n);
    while (c->handshake.n >= 4 && !*c->error) {
        uint8_t *p = c->handshake.p;
        size_t size = 4 + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (c->handshake.n < size)
            break;
        client13_message(c, (struct bytes){p, size}, c->handshake.n == size);
        memmove(p, p + size, c->handshake.n - size);
        c->handshake.n -= size;
    }
}

static void take_alert(struct client13 *c, struct bytes text, enum keys13 keys)
{
    if (text.n != 2 || text.p[0] != (text.p[1] == ALERT_CLOSE_NOTIFY ? 1 : 2) || c->has_alert)
        client13_fail(c, "alert: malformed, or a second one");
    c->has_alert = true;
    c->alert = text.n == 2 ? text.p[1] : 0;
    c->alert_keys = keys;
}

static void take_text(struct client13 *c, uint8_t type, struct bytes text, enum keys13 keys)
{
    if (c->has_alert)
        client13_fail(c, "a record after an alert");
    if (c->handshake.n && type != RECORD_HANDSHAKE)
        client13_fail(c, "a record between the parts of a message");
    if (type == RECORD_HANDSHAKE) {
        take_handshake(c, text);
    } else if (type == RECORD_ALERT) {
        take_alert(c, text, keys);
    } else if (type == RECORD_DATA && keys == KEYS_APPLICATION) {
        if (c->sizes_n < sizeof c->sizes / sizeof c->sizes[0])
            c->sizes[c->sizes_n++] = (uint16_t)text.n;
        sink_add(&c->data, text.p, text.n);
    } else {
        client13_fail(c, "unexpected record");
    }
}

static void take_record(struct client13 *c, uint8_t *record, size_t n)
{
    struct bytes text = {record + RECORD_HEADER, n - RECORD_HEADER};
    size_t most = c->hello.record_size_limit ? c->hello.record_size_limit : RECORD_TEXT_MAX + 1;
    uint8_t type = record[0];

    c->records++;
    if (record[1] != 3 || record[2] != 3)
        client13_fail(c, "legacy_record_version");
    if (type == RECORD_CHANGE_CIPHER_SPEC && !c->change_cipher_spec && text.n == 1 && text.p[0] == 1 &&
        c->hello.session_id.n && (c->retried || c->read_keys == KEYS_HANDSHAKE)) {
        c->change_cipher_spec = true;
        return;
    }
    if (c->read_keys == KEYS_NONE) {
        take_text(c, type, text, KEYS_NONE);
        return;
    }
    if (c->hello.session_id.n && !c->change_cipher_spec)
        client13_fail(c, "no change_cipher_spec behind the ServerHello");
    if (type != RECORD_DATA || record13_open(&c->read, record, n, &type, &text)) {
        client13_fail(c, "record does not decrypt");
        return;
    }
    if (n - RECORD_HEADER - AEAD_TAG > most)
        client13_fail(c, "record longer than the client takes");
    take_text(c, type, text, c->read_keys);
}

void client13_take(struct client13 *c, const void *p, size_t n)
{
    size_t used = 0;

    sink_add(&c->in, p, n);
    while (c->in.n - used >= RECORD_HEADER && !*c->error) {
        uint8_t *record = c->in.p + used;
        size_t size = RECORD_HEADER + ((size_t)record[3] << 8 | record[4]);
        if (size > RECORD_HEADER + RECORD_CIPHERTEXT_MAX)
            client13_fail(c, "record too large");
        if (c->in.n - used < size)
            break;
        take_record(c, record, size);
        used += size;
    }
    if (used)
        memmove(c->in.p, c->in.p + used, c->in.n - used);
    c->in.n -= used;
}
