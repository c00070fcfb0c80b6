/* SPDX-License-Identifier: MIT
 *
 * See client13.h: the messages of a server, each taken apart by the letter of RFC 8446 §4. What is not expected, an
 * extension that was not asked for, what is too long or too short, is an error.
 */
#include "tests/unit/tls/client13.h"

#include <assert.h>
#include <string.h>

static bool offers(const struct values13 *list, uint16_t v)
{
    for (unsigned i = 0; i < list->n; i++)
        if (list->v[i] == v)
            return true;
    return false;
}

static void set_psk(struct client13 *c, struct reader r)
{
    uint16_t psk = reader_u16(&r);

    if (!reader_done(&r) || psk >= c->hello.offers_n)
        client13_fail(c, "ServerHello: not a PSK that was offered");
    else if (c->hello.offers[psk].psk->hash != suite13_hash(c->suite))
        client13_fail(c, "ServerHello: a PSK of another hash than the suite's");
    else
        c->psk = psk;
}

static void enter_handshake(struct client13 *c, struct bytes share)
{
    uint8_t shared[32], messages[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX];

    if (!client13_agree(c->group, share, shared)) {
        client13_fail(c, "ServerHello: bad key share");
        return;
    }
    key_schedule_init(&c->schedule, suite13_hash(c->suite),
                      c->psk >= 0 ? c->hello.offers[c->psk].psk->key : NULL);
    key_schedule_advance(&c->schedule, (struct bytes){shared, sizeof shared});
    client13_messages_hash(c, messages);
    key_schedule_derive(&c->schedule, "s hs traffic", messages, secret);
    client13_read_with(c, KEYS_HANDSHAKE, secret);
    key_schedule_derive(&c->schedule, "c hs traffic", messages, secret);
    client13_write_with(c, KEYS_HANDSHAKE, c->suite, secret);
    c->waits = WAITS_ENCRYPTED_EXTENSIONS;
}

/* §4.1.4 */
static void take_retry(struct client13 *c, struct bytes message, bool has_share, struct bytes share)
{
    uint8_t hash[KEY_SCHEDULE_MAX];
    const uint8_t head[] = {254, 0, 0, (uint8_t)suite13_hash_len(c->suite)};

    if (c->retried || !has_share || share.n || offers(&c->hello.shares, c->group))
        client13_fail(c, "HelloRetryRequest: changes nothing, or a second one");
    c->retried = true;
    client13_messages_hash(c, hash);
    c->transcript.n = 0;
    sink_add(&c->transcript, head, sizeof head);
    sink_add(&c->transcript, hash, head[3]);
    sink_add(&c->transcript, message.p, message.n);
    c->hello.shares = (struct values13){{c->group}, 1};
    c->hello.early_data = false;
}

static void take_server_hello(struct client13 *c, struct bytes message, struct reader r)
{
    static const uint8_t retry_random[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};
    const struct suite13 *before = c->suite;
    struct bytes share = {NULL, 0};
    bool versions = false, has_share = false;

    if (reader_u16(&r) != 0x0303)
        client13_fail(c, "ServerHello: legacy_version");
    struct bytes random = reader_take(&r, 32);
    struct reader id = reader_vec8(&r);
    if (!bytes_equal(reader_take(&id, reader_left(&id)), c->hello.session_id))
        client13_fail(c, "ServerHello: legacy_session_id_echo");
    uint16_t number = reader_u16(&r);
    c->suite = suite13_find(number);
    if (!c->suite || !offers(&c->hello.suites, number) || (before && before != c->suite)) {
        client13_fail(c, "ServerHello: cipher suite");
        c->suite = suite13_find(0x1301);
    }
    if (reader_u8(&r))
        client13_fail(c, "ServerHello: compression");
    bool retry = random.n && memcmp(random.p, retry_random, sizeof retry_random) == 0;
    struct reader list = reader_vec16(&r);
    if (!reader_done(&r))
        client13_fail(c, "ServerHello: malformed");
    while (!list.failed && reader_left(&list)) {
        uint16_t type = reader_u16(&list);
        struct reader value = reader_vec16(&list);
        if (type == 43 && !versions) {
            versions = reader_u16(&value) == 0x0304 && reader_done(&value);
        } else if (type == 51 && !has_share) {
            has_share = true;
            c->group = reader_u16(&value);
            struct reader key = reader_vec16(&value);
            if (!retry)
                share = reader_take(&key, reader_left(&key));
        } else if (type == 41 && !retry && c->psk < 0) {
            set_psk(c, value);
        } else {
            client13_fail(c, "ServerHello: unexpected extension");
        }
    }
    if (list.failed || !versions || !has_share || !offers(&c->hello.groups, c->group))
        client13_fail(c, "ServerHello: extensions");
    if (retry) {
        take_retry(c, message, has_share, share);
        return;
    }
    if (!offers(&c->hello.shares, c->group))
        client13_fail(c, "ServerHello: a group without a share");
    sink_add(&c->transcript, message.p, message.n);
    enter_handshake(c, share);
}

static void take_encrypted_extensions(struct client13 *c, struct reader r)
{
    struct reader list = reader_vec16(&r);
    uint32_t seen = 0;

    if (!reader_done(&r))
        client13_fail(c, "EncryptedExtensions: malformed");
    while (!list.failed && reader_left(&list)) {
        uint16_t type = reader_u16(&list);
        struct reader value = reader_vec16(&list);
        if (type > 28 || seen >> type & 1) {
            client13_fail(c, "EncryptedExtensions: unexpected extension");
            return;
        }
        seen |= (uint32_t)1 << type;
        if (type == 0 && c->hello.name) {
            c->name_heard = true;
        } else if (type == 16 && c->hello.alpn) {
            struct reader names = reader_vec16(&value), name = reader_vec8(&names);
            struct bytes text = reader_take(&name, reader_left(&name));
            if (!reader_done(&names) || !bytes_is(text, c->hello.alpn))
                client13_fail(c, "EncryptedExtensions: ALPN");
            memcpy(c->alpn, c->hello.alpn, strlen(c->hello.alpn) + 1);
        } else if (type == 28 && c->hello.record_size_limit) {
            c->record_size_limit = reader_u16(&value);
        } else {
            client13_fail(c, "EncryptedExtensions: unexpected extension");
        }
        if (!reader_done(&value))
            client13_fail(c, "EncryptedExtensions: malformed extension");
    }
    if (list.failed)
        client13_fail(c, "EncryptedExtensions: malformed");
    /* RFC 6066 §3: not when a session is resumed; RFC 8449 §4: both or none. */
    if (c->name_heard != (c->hello.name && c->psk < 0))
        client13_fail(c, "EncryptedExtensions: server_name");
    if (!c->record_size_limit != !c->hello.record_size_limit)
        client13_fail(c, "EncryptedExtensions: record_size_limit");
    c->waits = c->psk >= 0 ? WAITS_FINISHED : WAITS_CERTIFICATE;
}

static void take_certificate(struct client13 *c, struct reader r)
{
    if (reader_u8(&r))
        client13_fail(c, "Certificate: has a context");
    struct reader list = reader_vec24(&r);
    if (!reader_done(&r) || !reader_left(&list))
        client13_fail(c, "Certificate: malformed");
    while (!list.failed && reader_left(&list)) {
        struct reader data = reader_vec24(&list), extensions = reader_vec16(&list);
        if (!reader_left(&data) || reader_left(&extensions))
            client13_fail(c, "Certificate: malformed entry");
        if (!c->certificate.n)
            sink_add(&c->certificate, data.p, reader_left(&data));
    }
    if (list.failed)
        client13_fail(c, "Certificate: malformed");
    c->waits = WAITS_CERTIFICATE_VERIFY;
}

static void take_certificate_verify(struct client13 *c, struct reader r)
{
    static const char context[] = "TLS 1.3, server CertificateVerify";
    uint8_t text[64 + sizeof context + KEY_SCHEDULE_MAX];

    c->signature = reader_u16(&r);
    struct reader vector = reader_vec16(&r);
    struct bytes signature = reader_take(&vector, reader_left(&vector));
    if (!reader_done(&r) || !offers(&c->hello.signatures, c->signature))
        client13_fail(c, "CertificateVerify: malformed, or an algorithm that was not offered");
    memset(text, ' ', 64);
    memcpy(text + 64, context, sizeof context);
    client13_messages_hash(c, text + 64 + sizeof context);
    size_t n = 64 + sizeof context + suite13_hash_len(c->suite);
    if (!c->trusting && !client13_verify(c, (struct bytes){text, n}, signature))
        client13_fail(c, "CertificateVerify: does not verify");
    c->waits = WAITS_FINISHED;
}

static void enter_application(struct client13 *c)
{
    uint8_t messages[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX];

    key_schedule_advance(&c->schedule, (struct bytes){NULL, 0});
    client13_messages_hash(c, messages);
    key_schedule_derive(&c->schedule, "c ap traffic", messages, c->application_secret);
    key_schedule_derive(&c->schedule, "s ap traffic", messages, secret);
    client13_read_with(c, KEYS_APPLICATION, secret);
    c->waits = WAITS_NOTHING;
}

static void take_finished(struct client13 *c, struct reader r)
{
    uint8_t messages[KEY_SCHEDULE_MAX], expected[KEY_SCHEDULE_MAX];
    size_t n = suite13_hash_len(c->suite);
    struct bytes got = reader_take(&r, n);

    client13_messages_hash(c, messages);
    key_schedule_finished(suite13_hash(c->suite), c->read_secret, messages, expected);
    if (!reader_done(&r) || memcmp(got.p, expected, n) != 0)
        client13_fail(c, "Finished: does not verify");
}

static void take_ticket(struct client13 *c, struct reader r)
{
    uint8_t messages[KEY_SCHEDULE_MAX], resumption[KEY_SCHEDULE_MAX];
    struct psk13 psk = {.hash = suite13_hash(c->suite)};

    psk.lifetime = reader_u32(&r);
    psk.age_add = reader_u32(&r);
    struct reader nonce = reader_vec8(&r), ticket = reader_vec16(&r), extensions = reader_vec16(&r);
    psk.ticket_n = reader_left(&ticket);
    if (!reader_done(&r) || psk.lifetime > 604800 || !psk.ticket_n || psk.ticket_n > sizeof psk.ticket ||
        reader_left(&extensions) || c->tickets_n == 4) {
        client13_fail(c, "NewSessionTicket: malformed, or too many");
        return;
    }
    memcpy(psk.ticket, ticket.p, psk.ticket_n);
    client13_messages_hash(c, messages);
    key_schedule_derive(&c->schedule, "res master", messages, resumption);
    key_schedule_ticket(suite13_hash(c->suite), resumption, (struct bytes){nonce.p, reader_left(&nonce)},
                        psk.key);
    c->tickets[c->tickets_n++] = psk;
}

static void take_key_update(struct client13 *c, struct reader r)
{
    if (reader_u8(&r) || !reader_done(&r))
        client13_fail(c, "KeyUpdate: malformed, or asks for one");
    key_schedule_update(suite13_hash(c->suite), c->read_secret);
    client13_read_with(c, KEYS_APPLICATION, c->read_secret);
    c->key_updates++;
}

/* A whole message; `last`: nothing follows it in its record. */
void client13_message(struct client13 *c, struct bytes message, bool last)
{
    static const uint8_t expected[] = {[WAITS_SERVER_HELLO] = 2,
                                       [WAITS_ENCRYPTED_EXTENSIONS] = 8,
                                       [WAITS_CERTIFICATE] = 11,
                                       [WAITS_CERTIFICATE_VERIFY] = 15,
                                       [WAITS_FINISHED] = 20};
    struct reader r = reader_of(message.p + 4, message.n - 4);
    uint8_t type = message.p[0];
    bool changes_key = type == 2 || type == 20 || type == 24;

    if (changes_key && !last)
        client13_fail(c, "a key changes within a record");
    if (c->waits == WAITS_NOTHING) {
        if (type == 4 && c->write_keys == KEYS_APPLICATION)
            take_ticket(c, r);
        else if (type == 24)
            take_key_update(c, r);
        else
            client13_fail(c, "unexpected message");
        return;
    }
    if (type != expected[c->waits]) {
        client13_fail(c, "unexpected message");
        return;
    }
    switch (c->waits) {
    case WAITS_SERVER_HELLO: take_server_hello(c, message, r); return;
    case WAITS_ENCRYPTED_EXTENSIONS: take_encrypted_extensions(c, r); break;
    case WAITS_CERTIFICATE: take_certificate(c, r); break;
    case WAITS_CERTIFICATE_VERIFY: take_certificate_verify(c, r); break;
    default: take_finished(c, r); break;
    }
    sink_add(&c->transcript, message.p, message.n);
    if (type == 20)
        enter_application(c);
}
