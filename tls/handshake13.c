/* SPDX-License-Identifier: MIT
 *
 * The TLS 1.3 server's handshake, to be read beside RFC 8446 §2 and §4. A ClientHello is answered at once: with a
 * HelloRetryRequest, or with everything from ServerHello to Finished; then the client's Finished ends it and tickets
 * follow. No early data and no client certificates.
 */
#include "tls/server13.h"
#include "tls/alert.h"

#include "base/mem.h"
#include "base/random.h"
#include "crypto/hkdf.h"
#include "crypto/impl.h"
#include "tls/ticket.h"

#include <assert.h>
#include <string.h>

enum { /* ExtensionType (§4.2) */
       EXT_SERVER_NAME = 0,
       EXT_ALPN = 16,
       EXT_RECORD_SIZE_LIMIT = 28,
       EXT_PRE_SHARED_KEY = 41,
       EXT_SUPPORTED_VERSIONS = 43,
       EXT_KEY_SHARE = 51,
};

enum {
    VERSION_12 = 0x0303,
    VERSION_13 = 0x0304,
    /* Early data that a client may have sent by another server's ticket: what OpenSSL allows unless told otherwise,
     * and what its records add. */
    EARLY_DATA_MAX = 16384 + 4096,
    PSKS_TRIED = 4, /* of those that a hello offers: each costs a decryption */
    TICKETS = 2,    /* after a full handshake; one after a resumption, in place of the one used up */
    SIGNATURE_MAX = 512,
};

/* --- messages --- */

static bool put_message(struct server13 *s, const struct writer *w)
{
    assert(!w->failed);
    transcript_add(&s->handshake->transcript, w->start, writer_len(w));
    return server13_put(s, RECORD_HANDSHAKE, w->start, writer_len(w));
}

static bool put_plain(struct server13 *s, uint8_t type, const void *p, size_t n)
{
    uint8_t record[RECORD_HEADER + 256];

    assert(!s->write.aead && n <= sizeof record - RECORD_HEADER);
    memcpy(record + RECORD_HEADER, p, n);
    if (bufq_put(&s->engine.core->out, record, record13_seal(&s->write, type, record, n)))
        return true;
    server13_fail(s, ALERT_INTERNAL_ERROR, "out of memory");
    return false;
}

/* ServerHello (§4.1.3), and with `share` NULL a HelloRetryRequest (§4.1.4), which is one in form. */
static bool put_server_hello(struct server13 *s, const struct client_hello *hello,
                             const struct group13 *group, const uint8_t *share, int psk)
{
    static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                             0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                             0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    static const uint8_t change_cipher_spec[] = {1};
    uint8_t text[256], random[32];
    struct writer w = writer_of(text, sizeof text);

    random_bytes(random, sizeof random);
    writer_u8(&w, SERVER_HELLO);
    size_t message = writer_open(&w, 3);
    writer_u16(&w, VERSION_12);
    writer_put(&w, share ? random : retry_random, 32);
    size_t vector = writer_open(&w, 1);
    writer_bytes(&w, hello->session_id);
    writer_close(&w, vector, 1);
    writer_u16(&w, s->suite->number);
    writer_u8(&w, 0); /* legacy_compression_method */
    vector = writer_open(&w, 2);
    writer_u16(&w, EXT_SUPPORTED_VERSIONS);
    writer_u16(&w, 2);
    writer_u16(&w, VERSION_13);
    writer_u16(&w, EXT_KEY_SHARE);
    size_t extension = writer_open(&w, 2);
    writer_u16(&w, group->number);
    if (share) {
        size_t key = writer_open(&w, 2);
        writer_put(&w, share, group->share_len);
        writer_close(&w, key, 2);
    }
    writer_close(&w, extension, 2);
    if (psk >= 0) {
        writer_u16(&w, EXT_PRE_SHARED_KEY);
        writer_u16(&w, 2);
        writer_u16(&w, (uint16_t)psk);
    }
    writer_close(&w, vector, 2);
    writer_close(&w, message, 3);
    assert(!w.failed);
    transcript_add(&s->handshake->transcript, text, writer_len(&w));
    if (!put_plain(s, RECORD_HANDSHAKE, text, writer_len(&w)))
        return false;
    /* After the first of the two, for middleboxes that take it for TLS 1.2 (§D.4). */
    if (!hello->session_id.n || s->handshake->asked)
        return true;
    return put_plain(s, RECORD_CHANGE_CIPHER_SPEC, change_cipher_spec, sizeof change_cipher_spec);
}

static bool put_encrypted_extensions(struct server13 *s, const struct client_hello *hello)
{
    uint8_t text[300];
    struct writer w = writer_of(text, sizeof text);

    writer_u8(&w, ENCRYPTED_EXTENSIONS);
    size_t message = writer_open(&w, 3), list = writer_open(&w, 2);
    if (*s->alpn) {
        writer_u16(&w, EXT_ALPN);
        size_t extension = writer_open(&w, 2), names = writer_open(&w, 2), name = writer_open(&w, 1);
        writer_str(&w, s->alpn);
        writer_close(&w, name, 1);
        writer_close(&w, names, 2);
        writer_close(&w, extension, 2);
    }
    /* RFC 6066 §3: it was heard. That is not said when a session is resumed. */
    if (hello->server_name.n && !s->resumed) {
        writer_u16(&w, EXT_SERVER_NAME);
        writer_u16(&w, 0);
    }
    if (hello->record_size_limit) { /* RFC 8449 §4: ours is the most there can be */
        writer_u16(&w, EXT_RECORD_SIZE_LIMIT);
        writer_u16(&w, 2);
        writer_u16(&w, RECORD_TEXT_MAX + 1);
    }
    writer_close(&w, list, 2);
    writer_close(&w, message, 3);
    return put_message(s, &w);
}

static bool put_certificate(struct server13 *s)
{
    struct bytes message = tls_identity_certificate(s->handshake->identity);

    if (!message.n) {
        server13_fail(s, ALERT_INTERNAL_ERROR, "out of memory");
        return false;
    }
    transcript_add(&s->handshake->transcript, message.p, message.n);
    return server13_put(s, RECORD_HANDSHAKE, message.p, message.n);
}

static const br_hash_class *hash_of(const struct signature13 *signature)
{
    return signature->hash == br_sha256_ID   ? crypto_impl()->sha256
           : signature->hash == br_sha384_ID ? &br_sha384_vtable
                                             : &br_sha512_vtable;
}

/* Over the transcript so far (§4.4.3). Returns the signature's length; 0: the key cannot. */
static size_t sign(struct server13 *s, const struct signature13 *signature, uint8_t out[SIGNATURE_MAX])
{
    static const char context[] = "TLS 1.3, server CertificateVerify"; /* with its NUL */
    const struct crypto_impl *impl = crypto_impl();
    const struct tls_identity *id = s->handshake->identity;
    const br_hash_class *class = hash_of(signature);
    uint8_t blanks[64], transcript[KEY_SCHEDULE_MAX], hash[br_sha512_SIZE], salt[br_sha512_SIZE];
    br_hash_compat_context ctx;

    memset(blanks, ' ', sizeof blanks);
    transcript_hash(&s->handshake->transcript, transcript);
    class->init(&ctx.vtable);
    class->update(&ctx.vtable, blanks, sizeof blanks);
    class->update(&ctx.vtable, context, sizeof context);
    class->update(&ctx.vtable, transcript, suite13_hash_len(s->suite));
    class->out(&ctx.vtable, hash);
    if (id->key_type == TLS_KEY_RSA) {
        random_bytes(salt, hkdf_hash_len(class));
        return impl->rsa_pss_sign(class, hash, salt, &id->key.rsa, out) ? (id->key.rsa.n_bitlen + 7) / 8 : 0;
    }
    return impl->ecdsa_sign(impl->ec, class, hash, &id->key.ec, out);
}

static bool put_certificate_verify(struct server13 *s, const struct signature13 *signature)
{
    uint8_t text[MESSAGE_HEADER + 4 + SIGNATURE_MAX], signed_text[SIGNATURE_MAX];
    struct writer w = writer_of(text, sizeof text);
    size_t n = sign(s, signature, signed_text);

    if (!n) {
        server13_fail(s, ALERT_INTERNAL_ERROR, "the private key does not sign");
        return false;
    }
    writer_u8(&w, CERTIFICATE_VERIFY);
    size_t message = writer_open(&w, 3);
    writer_u16(&w, signature->number);
    size_t vector = writer_open(&w, 2);
    writer_put(&w, signed_text, n);
    writer_close(&w, vector, 2);
    writer_close(&w, message, 3);
    return put_message(s, &w);
}

/* verify_data over the transcript so far, by a side's handshake secret. */
static void finished(const struct server13 *s, const uint8_t *secret, uint8_t *out)
{
    uint8_t messages[KEY_SCHEDULE_MAX];

    transcript_hash(&s->handshake->transcript, messages);
    key_schedule_finished(suite13_hash(s->suite), secret, messages, out);
}

static bool put_finished(struct server13 *s)
{
    uint8_t text[MESSAGE_HEADER + KEY_SCHEDULE_MAX], verify_data[KEY_SCHEDULE_MAX];
    struct writer w = writer_of(text, sizeof text);

    finished(s, s->write_secret, verify_data);
    writer_u8(&w, FINISHED);
    size_t message = writer_open(&w, 3);
    writer_put(&w, verify_data, suite13_hash_len(s->suite));
    writer_close(&w, message, 3);
    return put_message(s, &w);
}

/* --- pre-shared keys --- */

/* Is this the binder of the ticket's key (§4.2.11.2)? `truncated` is the hello up to the binders. */
static bool binder_holds(const struct server13 *s, const struct key_schedule *early, struct bytes truncated,
                         struct bytes binder)
{
    struct transcript t = s->handshake->transcript;
    uint8_t messages[KEY_SCHEDULE_MAX], expected[KEY_SCHEDULE_MAX];
    size_t n = suite13_hash_len(s->suite);

    transcript_add(&t, truncated.p, truncated.n);
    transcript_hash(&t, messages);
    key_schedule_binder(early, messages, expected);
    return binder.n == n && bytes_equal_secret(binder.p, expected, n);
}

/* Looks for a ticket of ours among what is offered. Returns its index, and then the schedule begins with its key; or
 * -1, also when it has failed. */
static int choose_psk(struct server13 *s, const struct client_hello *hello, struct bytes message)
{
    struct reader r = reader_of(hello->pre_shared_key.p, hello->pre_shared_key.n);
    struct reader identities = reader_vec16(&r), binders = reader_vec16(&r);
    const br_hash_class *hash = suite13_hash(s->suite);
    struct ticket ticket;
    int found = -1;

    for (int i = 0; found < 0 && i < PSKS_TRIED && reader_left(&identities); i++) {
        struct reader name = reader_vec16(&identities), value = reader_vec8(&binders);
        uint32_t age = reader_u32(&identities);
        struct bytes sealed = reader_take(&name, reader_left(&name));
        struct bytes binder = reader_take(&value, reader_left(&value));

        if (!s->server->tickets ||
            !ticket_open(s->server->tickets, sealed, s->handshake->identity->name, age, &ticket))
            continue;
        const struct suite13 *made = suite13_find(ticket.suite);
        bool fits = made && made->hash == s->suite->hash;
        if (fits) {
            s->handshake->authenticated_ms = ticket.authenticated_ms;
            key_schedule_init(&s->handshake->keys, hash, ticket.psk);
        }
        mem_wipe(&ticket, sizeof ticket);
        if (!fits)
            continue;
        if (!binder_holds(s, &s->handshake->keys, (struct bytes){message.p, hello->binders_offset}, binder)) {
            server13_fail(s, ALERT_DECRYPT_ERROR, "a PSK binder does not verify");
            return -1;
        }
        found = i;
    }
    return found;
}

/* --- the answer to a ClientHello --- */

static void retry(struct server13 *s, const struct client_hello *hello, struct bytes message,
                  const struct group13 *group)
{
    struct handshake13 *h = s->handshake;

    transcript_retry(&h->transcript);
    if (!put_server_hello(s, hello, group, NULL, -1))
        return;
    h->asked = group;
    client_hello_digest(message, h->digest);
}

/* The secrets of the handshake, and its keys both ways (§7.1). */
static void start_handshake_keys(struct server13 *s, uint8_t shared[GROUP13_SECRET])
{
    struct handshake13 *h = s->handshake;
    uint8_t messages[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX];

    key_schedule_advance(&h->keys, (struct bytes){shared, GROUP13_SECRET});
    transcript_hash(&h->transcript, messages);
    key_schedule_derive(&h->keys, "c hs traffic", messages, secret);
    server13_read_with(s, secret);
    key_schedule_derive(&h->keys, "s hs traffic", messages, secret);
    server13_write_with(s, secret);
    mem_wipe(secret, sizeof secret);
}

/* After our Finished: we write with the application's key, and will read with it after the client's. */
static void start_application_keys(struct server13 *s)
{
    struct handshake13 *h = s->handshake;
    uint8_t messages[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX];

    key_schedule_advance(&h->keys, (struct bytes){NULL, 0});
    transcript_hash(&h->transcript, messages);
    key_schedule_derive(&h->keys, "c ap traffic", messages, h->client_application);
    key_schedule_derive(&h->keys, "s ap traffic", messages, secret);
    server13_write_with(s, secret);
    mem_wipe(secret, sizeof secret);
}

/* From ServerHello to Finished. */
static void answer(struct server13 *s, const struct client_hello *hello, const struct negotiated13 *n,
                   int psk)
{
    uint8_t share[GROUP13_SHARE_MAX], shared[GROUP13_SECRET];

    if (!group13_agree(n->group, n->share, share, shared)) {
        server13_fail(s, ALERT_ILLEGAL_PARAMETER, "bad key share");
        return;
    }
    if (put_server_hello(s, hello, n->group, share, psk)) {
        start_handshake_keys(s, shared);
        if (put_encrypted_extensions(s, hello) &&
            (psk >= 0 || (put_certificate(s) && put_certificate_verify(s, n->signature))) &&
            put_finished(s)) {
            server13_flush(s);
            start_application_keys(s);
            server13_set_state(s, WAIT_FINISHED);
        }
    }
    mem_wipe(shared, sizeof shared);
}

static void take_hello(struct server13 *s, const struct client_hello *hello, struct bytes message,
                       const struct negotiated13 *n)
{
    struct handshake13 *h = s->handshake;
    int psk = -1;

    h->early_left = hello->early_data ? EARLY_DATA_MAX : 0;
    h->resumes = n->resumes && s->server->tickets;
    s->limit = hello->record_size_limit && hello->record_size_limit <= RECORD_TEXT_MAX
                   ? (uint16_t)(hello->record_size_limit - 1)
                   : RECORD_TEXT_MAX;
    if (!n->share.n) {
        transcript_add(&h->transcript, message.p, message.n);
        retry(s, hello, message, n->group);
        return;
    }
    key_schedule_init(&h->keys, suite13_hash(s->suite), NULL);
    if (n->resumes && hello->has_psk)
        psk = choose_psk(s, hello, message);
    if (s->engine.core->status == TLS_FAILED)
        return;
    s->resumed = psk >= 0;
    if (!s->resumed && !n->signature) {
        bool none = !hello->signature_algorithms.n;
        server13_fail(s, none ? ALERT_MISSING_EXTENSION : ALERT_HANDSHAKE_FAILURE,
                      none ? "an extension is missing in the ClientHello" : "no common signature algorithm");
        return;
    }
    transcript_add(&h->transcript, message.p, message.n);
    answer(s, hello, n, psk);
}

void handshake13_begin(struct server13 *s, const struct client_hello *hello, struct bytes message)
{
    struct negotiated13 n;
    const char *why;
    uint8_t alert = negotiate13(&n, hello, s->server, s->handshake->identity, &why);

    assert(!alert); /* it made s */
    (void)alert;
    transcript_init(&s->handshake->transcript, suite13_hash(s->suite));
    take_hello(s, hello, message, &n);
}

static void second_hello(struct server13 *s, struct bytes message)
{
    struct client_hello hello;
    struct negotiated13 n;
    uint8_t digest[32];
    const char *why = "malformed ClientHello";
    uint8_t alert = client_hello_parse(&hello, message);

    if (!alert)
        alert = negotiate13(&n, &hello, s->server, s->handshake->identity, &why);
    if (!alert) {
        why = "the second ClientHello differs from the first";
        client_hello_digest(message, digest);
        alert = negotiate13_retried(&hello, digest, s->handshake->digest, s->handshake->asked);
    }
    if (alert)
        server13_fail(s, alert, why);
    else
        take_hello(s, &hello, message, &n);
}

/* The length of the message that begins here, header included; 0: not known yet. */
static size_t message_size(const struct buf *b)
{
    const uint8_t *p = b->data;

    return b->end < MESSAGE_HEADER ? 0 : MESSAGE_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

void handshake13_hello_bytes(struct server13 *s, struct bytes part)
{
    struct handshake13 *h = s->handshake;

    if (!part.n) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "empty handshake record");
        return;
    }
    size_t all = (h->hello ? h->hello->end : 0) + part.n;
    if (all > MESSAGE_HEADER + CLIENT_HELLO_MAX) {
        server13_fail(s, ALERT_ILLEGAL_PARAMETER, "ClientHello too large");
        return;
    }
    if (!pool_widen(s->engine.core->pool, &h->hello, all)) {
        server13_fail(s, ALERT_INTERNAL_ERROR, "out of memory");
        return;
    }
    memcpy(h->hello->data + h->hello->end, part.p, part.n);
    h->hello->end += (uint32_t)part.n;
    size_t size = message_size(h->hello);
    if (h->hello->data[0] != CLIENT_HELLO || (size && h->hello->end > size))
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "unexpected message");
    else if (size > MESSAGE_HEADER + CLIENT_HELLO_MAX)
        server13_fail(s, ALERT_ILLEGAL_PARAMETER, "ClientHello too large");
    else if (size && h->hello->end == size)
        second_hello(s, (struct bytes){h->hello->data, size});
    else
        return;
    pool_put(s->engine.core->pool, h->hello);
    h->hello = NULL;
}

/* --- the end of the handshake --- */

static bool put_ticket(struct server13 *s, const uint8_t *resumption, uint8_t number)
{
    uint8_t text[64 + TICKET_MAX], sealed[TICKET_MAX];
    struct writer w = writer_of(text, sizeof text);
    struct ticket ticket = {.suite = s->suite->number,
                            .authenticated_ms = s->handshake->authenticated_ms,
                            .psk_len = (uint8_t)suite13_hash_len(s->suite)};

    random_bytes(&ticket.age_add, sizeof ticket.age_add);
    key_schedule_ticket(suite13_hash(s->suite), resumption, (struct bytes){&number, 1}, ticket.psk);
    size_t n = ticket_seal(s->server->tickets, &ticket, s->handshake->identity->name, sealed);
    writer_u8(&w, NEW_SESSION_TICKET);
    size_t message = writer_open(&w, 3);
    writer_u32(&w, tls_tickets_lifetime(s->server->tickets));
    writer_u32(&w, ticket.age_add);
    writer_u8(&w, 1);
    writer_u8(&w, number); /* ticket_nonce */
    size_t vector = writer_open(&w, 2);
    writer_put(&w, sealed, n);
    writer_close(&w, vector, 2);
    writer_u16(&w, 0); /* extensions: no early data */
    writer_close(&w, message, 3);
    mem_wipe(&ticket, sizeof ticket);
    assert(!w.failed);
    return server13_put(s, RECORD_HANDSHAKE, text, writer_len(&w));
}

/* The transcript goes to the client's Finished now. */
static void put_tickets(struct server13 *s)
{
    uint8_t messages[KEY_SCHEDULE_MAX], resumption[KEY_SCHEDULE_MAX];

    transcript_hash(&s->handshake->transcript, messages);
    key_schedule_derive(&s->handshake->keys, "res master", messages, resumption);
    for (unsigned i = 0; i < (s->resumed ? 1u : TICKETS); i++)
        if (!put_ticket(s, resumption, (uint8_t)i))
            break;
    server13_flush(s);
    mem_wipe(resumption, sizeof resumption);
}

void handshake13_finished(struct server13 *s, struct bytes message)
{
    struct handshake13 *h = s->handshake;
    uint8_t expected[KEY_SCHEDULE_MAX];

    finished(s, s->read_secret, expected);
    if (!bytes_equal_secret(expected, message.p + MESSAGE_HEADER, message.n - MESSAGE_HEADER)) {
        server13_fail(s, ALERT_DECRYPT_ERROR, "the client's Finished does not verify");
        return;
    }
    transcript_add(&h->transcript, message.p, message.n);
    server13_read_with(s, h->client_application);
    server13_set_state(s, CONNECTED);
    s->engine.core->status = TLS_OPEN;
    if (h->resumes)
        put_tickets(s);
    handshake13_free(s);
}

void handshake13_forget(struct handshake13 *h)
{
    mem_wipe(h->keys.secret, sizeof h->keys.secret);
    mem_wipe(h->client_application, sizeof h->client_application);
}

void handshake13_free(struct server13 *s)
{
    struct handshake13 *h = s->handshake;

    if (!h)
        return;
    pool_put(s->engine.core->pool, h->hello);
    mem_wipe_free(h, sizeof *h);
    s->handshake = NULL;
}
