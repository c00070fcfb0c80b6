/* SPDX-License-Identifier: MIT
 *
 * A TLS 1.3 client for tests, one step at a time: the test says what the next hello has in it, when it goes, when the
 * Finished goes, and may put any bytes between. It checks all that a server sends, strictly (RFC 8446 §4, §5), and
 * notes what it saw; `error` says what was wrong. Its keys come of tls/key_schedule and tls/record13, which are tested
 * by RFC 8448's traces; its curves and signatures are BearSSL's own.
 *
 *     client13_init(&c);
 *     client13_hello(&c);                 // now c.out goes to the server, its answer to client13_take
 *     if (c.retried) client13_hello(&c);  // with what the server asked for; again both ways
 *     client13_finish(&c);                // and again
 *     client13_data(&c, "ping", 4);
 *     client13_free(&c);
 */
#ifndef TESTS_UNIT_TLS_CLIENT13_H
#define TESTS_UNIT_TLS_CLIENT13_H

#include "tests/unit/tls/rig.h"

#include "tls/key_schedule.h"
#include "tls/record13.h"

/* What protects a record. */
enum keys13 { KEYS_NONE, KEYS_HANDSHAKE, KEYS_APPLICATION };

/* A ticket and the key that it stands for. */
struct psk13 {
    uint8_t ticket[256];
    size_t ticket_n;
    uint32_t lifetime, age_add;
    const br_hash_class *hash;
    uint8_t key[KEY_SCHEDULE_MAX];
};

/* One of the pre-shared keys that a hello offers. */
struct offer13 {
    const struct psk13 *psk;
    uint32_t age;       /* as said to the server, ms */
    uint8_t binder_len; /* 0: the hash's */
    bool wrong_binder;
};

enum { HELLO13_LIST = 8 };

/* A list of 16-bit values; with none in it, its extension is not sent. */
struct values13 {
    uint16_t v[HELLO13_LIST];
    unsigned n;
};

/* What the next hello says. client13_init makes one that any server likes. */
struct hello13 {
    uint16_t legacy_version;
    struct bytes session_id, compression;
    struct values13 suites, versions, groups, signatures;
    struct values13 shares; /* groups to send a key share of */
    bool no_key_share;      /* not even an empty list */
    const char *name;       /* SNI; NULL: none */
    const char *alpn;       /* one protocol; NULL: none */
    struct bytes modes;     /* psk_key_exchange_modes; empty: not sent */
    uint16_t record_size_limit;
    bool early_data;
    struct offer13 offers[4];
    unsigned offers_n;
    unsigned binders_n;             /* with other than 0, so many binders, whatever is offered */
    struct bytes extra, extra_last; /* whole extensions, before pre_shared_key and behind all */
};

enum client13_waits {
    WAITS_SERVER_HELLO,
    WAITS_ENCRYPTED_EXTENSIONS,
    WAITS_CERTIFICATE,
    WAITS_CERTIFICATE_VERIFY,
    WAITS_FINISHED,
    WAITS_NOTHING,
};

struct client13 {
    struct hello13 hello;
    struct sink out; /* for the server; the test takes it and sets n to 0 */
    bool trusting;   /* does not look at signatures, which takes time */

    /* What was seen. */
    const char *error; /* "" as long as the server did everything right */
    enum client13_waits waits;
    bool retried, change_cipher_spec;
    const struct suite13 *suite;
    uint16_t group;
    int psk; /* index of the offer taken; -1 */
    bool name_heard;
    char alpn[16];
    uint16_t record_size_limit, signature;
    struct sink certificate; /* the leaf */
    bool has_alert;
    uint8_t alert;
    enum keys13 alert_keys;
    struct psk13 tickets[4];
    unsigned tickets_n, key_updates;
    struct sink data;
    uint16_t sizes[256]; /* of the text in the records of data */
    unsigned sizes_n, records;

    /* Its keys, for tests that write with other ones than they should. */
    enum keys13 read_keys, write_keys;
    struct record13 read, write;
    uint8_t read_secret[KEY_SCHEDULE_MAX], write_secret[KEY_SCHEDULE_MAX];
    uint8_t application_secret[KEY_SCHEDULE_MAX]; /* to write with after Finished */
    struct key_schedule schedule;

    struct sink transcript, last_hello, in, handshake;
};

void client13_init(struct client13 *c);
void client13_free(struct client13 *c);

/* --- what it sends, into `out` --- */

/* A ClientHello, in one record in the clear. */
void client13_hello(struct client13 *c);
/* As client13_hello, but the message goes to `message`, for a test to change and to send by itself: with
 * client13_sent_hello, or as it likes. */
void client13_make_hello(struct client13 *c, struct sink *message);
void client13_sent_hello(struct client13 *c, const struct sink *message);
/* change_cipher_spec, then Finished under the handshake keys; from then on it writes with the application's. */
void client13_finish(struct client13 *c);
/* The Finished message, header included; returns its length. */
size_t client13_make_finished(struct client13 *c, uint8_t *out);
/* The application's keys to write with, and what tickets are made of: after the Finished. */
void client13_finished_sent(struct client13 *c);
/* A record as the present keys have it. */
void client13_record(struct client13 *c, uint8_t type, const void *p, size_t n);
/* A protected record with `padding` zeros behind the type. */
void client13_padded(struct client13 *c, uint8_t type, const void *p, size_t n, size_t padding);
/* A record in the clear, whatever the keys. */
void client13_plain(struct client13 *c, uint8_t type, const void *p, size_t n);
void client13_data(struct client13 *c, const void *p, size_t n);
void client13_alert(struct client13 *c, uint8_t alert);
/* A KeyUpdate, and the next key after it. */
void client13_key_update(struct client13 *c, bool request);
/* Writes with the early traffic key of the first offer, as after a hello (§7.1). */
void client13_early(struct client13 *c);
void client13_write_with(struct client13 *c, enum keys13 keys, const struct suite13 *suite,
                         const uint8_t *secret);

/* --- what it receives --- */

void client13_take(struct client13 *c, const void *p, size_t n);

/* --- between its files --- */

void client13_fail(struct client13 *c, const char *why); /* the first error sticks */
void client13_read_with(struct client13 *c, enum keys13 keys, const uint8_t *secret);
/* Of the transcript with `more` behind it, and as it is by the suite's hash. */
void client13_transcript_hash(const struct client13 *c, const br_hash_class *hash, struct bytes more,
                              uint8_t *out);
void client13_messages_hash(const struct client13 *c, uint8_t *out);
/* A whole message; `last`: nothing follows it in its record. */
void client13_message(struct client13 *c, struct bytes message, bool last);
/* Is this the signature over `text` by the key of c->certificate, with the algorithm c->signature? */
bool client13_verify(const struct client13 *c, struct bytes text, struct bytes signature);
/* The public key for a group, from the client's fixed secret; and what comes of the other side's. Their lengths; 0
 * from the second: no good. */
size_t client13_share(uint16_t group, uint8_t out[65]);
size_t client13_agree(uint16_t group, struct bytes share, uint8_t out[32]);

#endif
