/* SPDX-License-Identifier: MIT
 *
 * The TLS 1.3 server's two halves: server13.c owns records and buffers, handshake13.c the messages. Between the two
 * alone.
 */
#ifndef TLS_SERVER13_H
#define TLS_SERVER13_H

#include "tls/engine.h"
#include "tls/key_schedule.h"
#include "tls/negotiate13.h"
#include "tls/record13.h"

/* Named by what it waits for (RFC 8446 §A.2; without early data and client certificates). */
enum server13_state {
    WAIT_CLIENT_HELLO, /* the first, or the second after a HelloRetryRequest */
    WAIT_FINISHED,
    CONNECTED,
};

enum { MESSAGE_HEADER = 4 };

/* HandshakeType (§4) */
enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    NEW_SESSION_TICKET = 4,
    ENCRYPTED_EXTENSIONS = 8,
    CERTIFICATE_VERIFY = 15,
    FINISHED = 20,
    KEY_UPDATE = 24,
};

/* What only the handshake needs; freed when it ends. */
struct handshake13 {
    struct tls_identity *identity;
    struct transcript transcript;
    struct key_schedule keys;
    uint8_t client_application[KEY_SCHEDULE_MAX]; /* the secret to read with after the client's Finished */
    uint8_t digest[32];                           /* of the first hello, */
    const struct group13 *asked; /* and the group that a HelloRetryRequest asked for; NULL: none */
    struct buf *hello;           /* the second, as far as it has come */
    uint8_t message[MESSAGE_HEADER + KEY_SCHEDULE_MAX]; /* the client's Finished, if it comes in pieces */
    size_t early_left;                                  /* bytes of early data that are still skipped */
    uint64_t authenticated_ms;                          /* of the ticket that was taken; 0: none */
    bool resumes;                                       /* the client can use tickets */
};

struct server13 {
    struct tls_engine engine; /* first */
    const struct tls_server *server;
    const struct suite13 *suite;
    struct handshake13 *handshake; /* NULL once connected */
    const char *alpn;
    struct record13 read, write;
    /* The secrets that `read` and `write` were made of. */
    uint8_t read_secret[KEY_SCHEDULE_MAX], write_secret[KEY_SCHEDULE_MAX];
    /* Receiving. */
    struct buf *in;    /* a record that comes in pieces, or what holds `data` */
    struct bytes data; /* not consumed yet */
    uint8_t head[RECORD_HEADER], head_len;
    uint8_t message_len;                 /* of a message that comes in pieces */
    uint8_t message[MESSAGE_HEADER + 1]; /* a KeyUpdate's; before, the handshake's is in use */
    uint8_t strays;                      /* records in a row that bring nothing */
    uint8_t hasty_updates;               /* KeyUpdates that came too soon after the one before */
    uint8_t state;
    bool resumed;
    /* Sending: a record under construction at the end of the output queue, of text of one type. */
    bool key_update_owed;
    uint8_t type;
    uint8_t *record;        /* NULL: none */
    uint32_t room, pending; /* bytes of text that it takes, and that are there */
    uint16_t unit;          /* text in each of the records that it becomes */
    uint16_t limit;         /* text that the client takes in a record (RFC 8449) */
    uint32_t burst;         /* bytes of data since the client was last idle, as far as it matters, */
    uint32_t begun_at;      /* and when its last record was begun: time_mono_coarse_ms, truncated */
    uint32_t updated_at;    /* when the client last took a new key: ms, truncated */
};

/* --- server13.c --- */

/* The one place where the state changes. */
void server13_set_state(struct server13 *s, enum server13_state next);
/* Queues an alert under the present keys and fails the connection; the first failure sticks. */
void server13_fail(struct server13 *s, uint8_t alert, const char *why);
/* Appends to the record under construction; what fills one is sealed. False when it failed: out of memory. */
bool server13_put(struct server13 *s, uint8_t type, const void *p, size_t n);
/* Seals the record under construction. */
void server13_flush(struct server13 *s);
/* The keys of a secret, which is copied to where it belongs. */
void server13_read_with(struct server13 *s, const uint8_t *secret);
void server13_write_with(struct server13 *s, const uint8_t *secret);

/* --- handshake13.c --- */

/* The first ClientHello, parsed and as it came: answers it. */
void handshake13_begin(struct server13 *s, const struct client_hello *hello, struct bytes message);
/* Bytes of the second, in the clear; `last` of them in their record. */
void handshake13_hello_bytes(struct server13 *s, struct bytes part);
/* The client's Finished, header included. */
void handshake13_finished(struct server13 *s, struct bytes message);
/* Wipes its secrets: the connection is over. */
void handshake13_forget(struct handshake13 *h);
void handshake13_free(struct server13 *s); /* wipes all */

#endif
