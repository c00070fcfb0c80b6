/* SPDX-License-Identifier: MIT
 *
 * The TLS 1.3 server's records: what comes is opened where it lies and sorted; what leaves is built at the end of the
 * output queue and sealed there. The invariants: `record` is set only while a lent span or text that is not sealed
 * lies behind the queue's last byte, so whatever else wants into the queue flushes first; `in` is NULL unless it
 * holds a part of a record or unread data; an idle connection has neither.
 */
#include "tls/server13.h"
#include "tls/alert.h"

#include "base/mem.h"
#include "base/time.h"

#include <assert.h>
#include <string.h>

enum {
    /* Records that bring nothing, in a row, that are put up with: empty ones, KeyUpdates, user_canceled. */
    STRAYS_MAX = 32,
    /* Keys are cheap to ask for and dear to make: so many may have opened fewer than so many records in so few ms. */
    HASTY = 16,
    HASTY_MS = 1000,
    HASTY_MAX = 64,
    /* A response begins in records that fit one TCP segment, so that its first bytes can be used when they arrive:
     * 1500 less the headers of IPv6 and TCP with timestamps, less a record's own. */
    UNIT_SMALL = 1400,
    BURST = 64 * 1024, /* after so many bytes, in whole records, */
    BURST_IDLE = 1000, /* until none was begun for so many ms. */
    LEND_LEAST = 1024,
};

/* RFC 8446 §5.5 allows 2^24.5 full records under one AES-GCM key. */
#define KEY_UPDATE_AFTER ((uint64_t)1 << 23)

static struct server13 *of(struct tls_engine *e)
{
    return (struct server13 *)(void *)e;
}

static const struct server13 *of_const(const struct tls_engine *e)
{
    return (const struct server13 *)(const void *)e;
}

void server13_set_state(struct server13 *s, enum server13_state next)
{
    assert(next >= s->state && s->state != CONNECTED);
    s->state = (uint8_t)next;
}

/* --- keys --- */

/* The expanded keys lie behind the struct, where malloc could have put them: the one to read with, then the other. */
static size_t aead_room(const struct suite13 *suite)
{
    return (aead_size(suite->aead) + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
}

static size_t engine_size(const struct suite13 *suite)
{
    return sizeof(struct server13) + 2 * aead_room(suite);
}

static struct aead *read_aead(struct server13 *s)
{
    return (struct aead *)(void *)(s + 1);
}

static struct aead *write_aead(struct server13 *s)
{
    return (struct aead *)(void *)((uint8_t *)(s + 1) + aead_room(s->suite));
}

void server13_read_with(struct server13 *s, const uint8_t *secret)
{
    memmove(s->read_secret, secret, sizeof s->read_secret);
    record13_set_key(&s->read, read_aead(s), s->suite, secret);
}

void server13_write_with(struct server13 *s, const uint8_t *secret)
{
    memmove(s->write_secret, secret, sizeof s->write_secret);
    record13_set_key(&s->write, write_aead(s), s->suite, secret);
}

static void next_key(struct server13 *s, struct record13 *r, uint8_t *secret)
{
    key_schedule_update(suite13_hash(s->suite), secret);
    record13_set_key(r, r->aead, s->suite, secret);
}

/* --- sending --- */

static void release_in(struct server13 *s)
{
    pool_put(s->engine.core->pool, s->in);
    s->in = NULL;
    s->head_len = 0;
    s->data = (struct bytes){NULL, 0};
}

/* Gives up what is not sealed. */
static void drop_record(struct server13 *s)
{
    if (s->record)
        bufq_commit(&s->engine.core->out, 0);
    s->record = NULL;
    s->pending = 0;
}

/* The text that `room` bytes take when each `unit` of it becomes a record. */
static size_t text_for(size_t room, size_t unit)
{
    size_t whole = room / (unit + RECORD_OVERHEAD), rest = room % (unit + RECORD_OVERHEAD);
    size_t text = whole * unit + (rest > RECORD_OVERHEAD ? rest - RECORD_OVERHEAD : 0);

    return text < RECORD_TEXT_MAX ? text : RECORD_TEXT_MAX;
}

static uint16_t choose_unit(struct server13 *s, uint8_t type)
{
    if (type == RECORD_DATA) {
        uint32_t now = (uint32_t)time_mono_coarse_ms();
        if (now - s->begun_at > BURST_IDLE)
            s->burst = 0;
        s->begun_at = now; /* it is sealed in the same turn */
        if (s->burst < BURST && UNIT_SMALL < s->limit)
            return UNIT_SMALL;
    }
    return s->limit;
}

static bool begin_record(struct server13 *s, uint8_t type)
{
    struct bufq *out = &s->engine.core->out;

    assert(!s->record);
    s->type = type;
    s->unit = choose_unit(s, type);
    bool fits = out->tail && out->tail->cap - out->tail->end >= LEND_LEAST;
    struct span room = bufq_lend(out, fits ? LEND_LEAST : BUF_LARGE);
    if (!room.n)
        return false;
    s->record = room.p;
    s->room = (uint32_t)text_for(room.n, s->unit);
    return true;
}

/* Parts the text into records from the last to the first, each moved to where its header leaves room, then seals
 * them in their order. */
static void seal_record(struct server13 *s)
{
    size_t step = (size_t)s->unit + RECORD_OVERHEAD, n = s->pending, done = 0;

    for (size_t i = (s->pending - 1) / s->unit; i > 0; i--) { /* divides 32 bits */
        size_t at = i * s->unit, k = n - at < s->unit ? n - at : s->unit;
        memmove(s->record + i * step + RECORD_HEADER, s->record + RECORD_HEADER + at, k);
    }
    for (size_t at = 0; at < n; at += s->unit) {
        size_t k = n - at < s->unit ? n - at : s->unit;
        done += record13_seal(&s->write, s->type, s->record + done, k);
    }
    bufq_commit(&s->engine.core->out, done);
    if (s->type == RECORD_DATA)
        s->burst += s->burst < BURST ? s->pending : 0;
    s->record = NULL;
    s->pending = 0;
}

void server13_flush(struct server13 *s)
{
    if (s->pending)
        seal_record(s);
    else
        drop_record(s);
}

bool server13_put(struct server13 *s, uint8_t type, const void *p, size_t n)
{
    const uint8_t *from = p;

    if (s->record && s->type != type)
        server13_flush(s);
    while (n) {
        if (!s->record && !begin_record(s, type)) {
            server13_fail(s, ALERT_INTERNAL_ERROR, "out of memory");
            return false;
        }
        size_t k = s->room - s->pending < n ? s->room - s->pending : n;
        memcpy(s->record + RECORD_HEADER + s->pending, from, k);
        s->pending += (uint32_t)k;
        from += k;
        n -= k;
        if (s->pending == s->room)
            seal_record(s);
    }
    return true;
}

static void put_alert(struct server13 *s, uint8_t alert)
{
    uint8_t record[RECORD_OVERHEAD + 2];

    record[RECORD_HEADER] = alert == ALERT_CLOSE_NOTIFY ? 1 : 2;
    record[RECORD_HEADER + 1] = alert;
    /* Without memory, the peer sees the connection close. */
    (void)bufq_put(&s->engine.core->out, record, record13_seal(&s->write, RECORD_ALERT, record, 2));
}

/* Nothing is sealed or opened any more: what is not sent goes, and so do the keys (§6.2). */
static void give_up(struct server13 *s)
{
    drop_record(s);
    if (!s->data.n) /* who was given it may be reading it: it failed in sending the answer */
        release_in(s);
    mem_wipe(s->read_secret, sizeof s->read_secret);
    mem_wipe(s->write_secret, sizeof s->write_secret);
    mem_wipe(s + 1, 2 * aead_room(s->suite));
    if (s->handshake)
        handshake13_forget(s->handshake);
}

static void end(struct server13 *s, uint8_t alert)
{
    if (alert == ALERT_CLOSE_NOTIFY)
        server13_flush(s);
    drop_record(s);
    put_alert(s, alert);
    give_up(s);
    if (alert == ALERT_CLOSE_NOTIFY)
        release_in(s);
}

void server13_fail(struct server13 *s, uint8_t alert, const char *why)
{
    if (s->engine.core->status >= TLS_CLOSED)
        return;
    end(s, alert);
    tls_core_fail(s->engine.core, alert, false, why);
}

static void fail_memory(struct server13 *s)
{
    server13_fail(s, ALERT_INTERNAL_ERROR, "out of memory");
}

/* The last record under the old key says so (§4.6.3). */
static void update_write_key(struct server13 *s)
{
    static const uint8_t message[] = {KEY_UPDATE, 0, 0, 1, 0 /* update_not_requested */};

    s->key_update_owed = false;
    if (!server13_put(s, RECORD_HANDSHAKE, message, sizeof message))
        return;
    server13_flush(s);
    next_key(s, &s->write, s->write_secret);
}

static struct span server13_lend(struct tls_engine *e)
{
    struct server13 *s = of(e);
    uint64_t most = s->server->key_update_after ? s->server->key_update_after : KEY_UPDATE_AFTER;

    if (!s->record && (s->key_update_owed || s->write.seq >= most))
        update_write_key(s);
    if (e->core->status == TLS_FAILED)
        return (struct span){NULL, 0};
    if (!s->record && !begin_record(s, RECORD_DATA)) {
        fail_memory(s);
        return (struct span){NULL, 0};
    }
    return (struct span){s->record + RECORD_HEADER + s->pending, s->room - s->pending};
}

static void server13_commit(struct tls_engine *e, size_t n)
{
    struct server13 *s = of(e);

    assert(n == 0 || (s->record && n <= s->room - s->pending));
    s->pending += (uint32_t)n;
    if (s->record && s->pending == s->room)
        seal_record(s);
}

static void server13_seal(struct tls_engine *e)
{
    struct server13 *s = of(e);

    server13_flush(s);
    /* At most one waits: a client that asks and does not read gets no more. */
    if (s->key_update_owed && !e->core->out.bytes)
        update_write_key(s);
}

static void server13_alert(struct tls_engine *e, uint8_t alert)
{
    end(of(e), alert);
}

/* --- receiving --- */

static void take_alert(struct server13 *s, struct bytes text)
{
    struct tls_core *core = s->engine.core;

    if (text.n != 2) {
        if (text.n)
            server13_fail(s, ALERT_DECODE_ERROR, "malformed alert");
        else /* §5.4 */
            server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "empty alert record");
        return;
    }
    uint8_t alert = text.p[1];
    if (alert == ALERT_USER_CANCELED) /* close_notify follows (§6.1) */
        return;
    if (alert == ALERT_CLOSE_NOTIFY && core->status == TLS_OPEN) {
        core->status = TLS_PEER_CLOSED;
        release_in(s);
        return;
    }
    tls_core_fail(core, alert, true,
                  alert == ALERT_CLOSE_NOTIFY ? "connection closed in the handshake"
                                              : alert_received_text(alert));
    give_up(s);
}

static void take_key_update(struct server13 *s, uint8_t request)
{
    if (request > 1) {
        server13_fail(s, ALERT_ILLEGAL_PARAMETER, "malformed KeyUpdate");
        return;
    }
    uint32_t now = (uint32_t)time_mono_ms();
    if (s->read.seq < HASTY && now - s->updated_at < HASTY_MS && ++s->hasty_updates > HASTY_MAX) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "too many KeyUpdates");
        return;
    }
    s->updated_at = now;
    next_key(s, &s->read, s->read_secret);
    if (request) {
        server13_flush(s); /* what was written before it was asked for; all after it goes under the new key */
        s->key_update_owed = true;
    }
}

/* The length that a message has to have in this state; 0: it has no place here. */
static size_t expected_length(const struct server13 *s, uint8_t type)
{
    if (s->state == WAIT_FINISHED && type == FINISHED)
        return suite13_hash_len(s->suite);
    return s->state == CONNECTED && type == KEY_UPDATE ? 1 : 0;
}

/* Handshake messages after the hello are small, and each changes a key: it ends its record (§5.1). */
static void take_handshake(struct server13 *s, struct bytes text)
{
    uint8_t *message = s->handshake ? s->handshake->message : s->message;
    size_t expected;

    if (!text.n) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "empty handshake record");
        return;
    }
    expected = expected_length(s, s->message_len ? message[0] : text.p[0]);
    if (!expected) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "unexpected message");
        return;
    }
    size_t room = MESSAGE_HEADER + expected - s->message_len, k = text.n < room ? text.n : room;
    memcpy(message + s->message_len, text.p, k);
    s->message_len += (uint8_t)k;
    if (s->message_len >= MESSAGE_HEADER && (message[1] || message[2] || message[3] != expected)) {
        server13_fail(s, ALERT_DECODE_ERROR, "malformed handshake message");
        return;
    }
    if (k < text.n) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "more behind a message that changes the key");
        return;
    }
    if (s->message_len < MESSAGE_HEADER + expected)
        return;
    s->message_len = 0;
    if (++s->strays > STRAYS_MAX)
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "too many records without data");
    else if (s->state == WAIT_FINISHED)
        handshake13_finished(s, (struct bytes){message, MESSAGE_HEADER + expected});
    else
        take_key_update(s, message[MESSAGE_HEADER]);
}

/* Text of an opened record. */
static void take_text(struct server13 *s, uint8_t type, struct bytes text)
{
    if (s->message_len && type != RECORD_HANDSHAKE) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "record between the parts of a message");
        return;
    }
    /* The parts of a message are bounded by its length. */
    if (type == RECORD_DATA && text.n)
        s->strays = 0;
    else if (type != RECORD_HANDSHAKE && ++s->strays > STRAYS_MAX) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "too many records without data");
        return;
    }
    if (type == RECORD_DATA && s->state == CONNECTED)
        s->data = text;
    else if (type == RECORD_HANDSHAKE)
        take_handshake(s, text);
    else if (type == RECORD_ALERT)
        take_alert(s, text);
    else
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "unexpected record");
}

/* Early data, which we never take, goes by unread, as far as its allowance reaches (§4.2.10). */
static bool skips(struct server13 *s, size_t n)
{
    if (!s->handshake || !s->handshake->early_left)
        return false;
    if (n > s->handshake->early_left) {
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "too much early data");
        return true;
    }
    s->handshake->early_left -= n;
    return true;
}

static void take_protected(struct server13 *s, uint8_t *record, size_t n)
{
    struct bytes text;
    uint8_t type, alert;

    alert = record13_open(&s->read, record, n, &type, &text);
    if (alert == ALERT_BAD_RECORD_MAC && skips(s, n))
        return;
    if (alert) {
        server13_fail(s, alert,
                      alert == ALERT_BAD_RECORD_MAC    ? "record does not decrypt"
                      : alert == ALERT_RECORD_OVERFLOW ? "record too large"
                                                       : "record without a type");
        return;
    }
    if (s->handshake)
        s->handshake->early_left = 0;
    take_text(s, type, text);
}

static bool in_a_message(const struct server13 *s)
{
    return s->message_len || (s->handshake && s->handshake->hello);
}

/* Before the client's Finished, a change_cipher_spec of one byte 1 means nothing and is dropped (§5, §D.4). */
static void take_change_cipher_spec(struct server13 *s, const uint8_t *record, size_t n)
{
    if (s->state == CONNECTED || n != RECORD_HEADER + 1 || record[RECORD_HEADER] != 1 || in_a_message(s) ||
        ++s->strays > STRAYS_MAX)
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "unexpected change_cipher_spec");
}

/* One whole record, which may be decrypted where it is. */
static void process(struct server13 *s, uint8_t *record, size_t n)
{
    struct bytes text = {record + RECORD_HEADER, n - RECORD_HEADER};

    switch (record[0]) {
    case RECORD_CHANGE_CIPHER_SPEC: take_change_cipher_spec(s, record, n); return;
    case RECORD_DATA:
        if (s->read.aead)
            take_protected(s, record, n);
        else if (in_a_message(s) || !skips(s, n))
            server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "unexpected record");
        return;
    case RECORD_ALERT:
        /* A client that cannot follow us to the keys says so in the clear. */
        if (s->state != CONNECTED && s->read.seq == 0 && !in_a_message(s) && ++s->strays <= STRAYS_MAX) {
            take_alert(s, text);
            return;
        }
        break;
    case RECORD_HANDSHAKE:
        if (s->state == WAIT_CLIENT_HELLO) {
            handshake13_hello_bytes(s, text);
            return;
        }
        break;
    default: break;
    }
    server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "unexpected record");
}

static bool over(const struct server13 *s)
{
    return s->engine.core->status > TLS_OPEN;
}

static size_t body_length(const uint8_t *head)
{
    return (size_t)head[3] << 8 | head[4];
}

/* What can be refused before the record is there. */
static bool header_is_good(struct server13 *s, const uint8_t *head)
{
    size_t most = head[0] == RECORD_DATA ? RECORD_CIPHERTEXT_MAX : RECORD_TEXT_MAX;

    if (head[0] < RECORD_CHANGE_CIPHER_SPEC || head[0] > RECORD_DATA)
        server13_fail(s, ALERT_UNEXPECTED_MESSAGE, "not a TLS record");
    else if (body_length(head) > most)
        server13_fail(s, ALERT_RECORD_OVERFLOW, "record too large");
    return !over(s);
}

/* Takes bytes of a record that comes in pieces. Returns how many it took. */
static size_t collect(struct server13 *s, const uint8_t *p, size_t n)
{
    size_t used = 0;

    while (s->head_len < RECORD_HEADER && used < n)
        s->head[s->head_len++] = p[used++];
    if (s->head_len < RECORD_HEADER)
        return used;
    size_t size = RECORD_HEADER + body_length(s->head);
    if (!s->in && !header_is_good(s, s->head))
        return used;
    size_t there = s->in ? s->in->end : RECORD_HEADER;
    size_t k = size - there < n - used ? size - there : n - used;
    /* For what has come, not for what the header announces. */
    bool begins = !s->in;
    if (!pool_widen(s->engine.core->pool, &s->in, there + k)) {
        fail_memory(s);
        return used;
    }
    if (begins) {
        memcpy(s->in->data, s->head, RECORD_HEADER);
        s->in->end = RECORD_HEADER;
    }
    memcpy(s->in->data + s->in->end, p + used, k);
    s->in->end += (uint32_t)k;
    used += k;
    if (s->in->end == size) {
        s->head_len = 0;
        process(s, s->in->data, size);
        if (!s->data.n)
            release_in(s);
    }
    return used;
}

static size_t server13_recv(struct tls_engine *e, uint8_t *p, size_t n)
{
    struct server13 *s = of(e);
    size_t used = 0;

    while (used < n && !over(s) && !s->data.n) {
        uint8_t *at = p + used;
        size_t left = n - used;
        if (!s->in && s->head_len == 0 && left >= RECORD_HEADER && left - RECORD_HEADER >= body_length(at)) {
            size_t size = RECORD_HEADER + body_length(at);
            used += size;
            if (header_is_good(s, at))
                process(s, at, size);
        } else {
            used += collect(s, at, left);
        }
    }
    return used;
}

static struct bytes server13_data(const struct tls_engine *e)
{
    return of_const(e)->data;
}

static void server13_consume(struct tls_engine *e, size_t n)
{
    struct server13 *s = of(e);

    s->data.p += n;
    s->data.n -= n;
    if (!s->data.n)
        release_in(s);
}

static bool server13_hold(struct tls_engine *e)
{
    struct server13 *s = of(e);

    if (!s->data.n || s->in)
        return true;
    s->in = pool_get(e->core->pool, s->data.n);
    if (!s->in) {
        s->data = (struct bytes){NULL, 0};
        fail_memory(s);
        return false;
    }
    memcpy(s->in->data, s->data.p, s->data.n);
    s->data.p = s->in->data;
    return true;
}

/* --- the engine --- */

static bool server13_idle(const struct tls_engine *e)
{
    const struct server13 *s = of_const(e);

    return !s->record && !s->in && !s->data.n && s->head_len == 0 && !s->handshake;
}

static struct tls_info server13_info(const struct tls_engine *e)
{
    const struct server13 *s = of_const(e);

    return (struct tls_info){
        .version = "TLSv1.3", .cipher = s->suite->name, .alpn = s->alpn, .resumed = s->resumed};
}

static void server13_free(struct tls_engine *e)
{
    struct server13 *s = of(e);

    drop_record(s);
    release_in(s);
    handshake13_free(s);
    mem_wipe_free(s, engine_size(s->suite));
}

static const struct tls_engine_class server13_class = {
    .free = server13_free,
    .recv = server13_recv,
    .data = server13_data,
    .consume = server13_consume,
    .hold = server13_hold,
    .lend = server13_lend,
    .commit = server13_commit,
    .seal = server13_seal,
    .alert = server13_alert,
    .idle = server13_idle,
    .info = server13_info,
    .half_close = true,
};

static struct server13 *make(struct tls_core *core, const struct tls_server *server,
                             const struct negotiated13 *n, struct tls_identity *identity)
{
    struct server13 *s = mem_zalloc(engine_size(n->suite));

    if (!s)
        return NULL;
    s->suite = n->suite;
    s->handshake = mem_zalloc(sizeof *s->handshake);
    if (!s->handshake) {
        mem_free(s);
        return NULL;
    }
    s->engine.vtable = &server13_class;
    s->engine.core = core;
    s->server = server;
    s->alpn = n->alpn;
    s->limit = RECORD_TEXT_MAX;
    s->handshake->identity = identity;
    return s;
}

struct tls_engine *tls_server13_new(struct tls_core *core, const struct tls_server *server,
                                    const struct client_hello *hello, struct bytes message,
                                    struct tls_identity *identity)
{
    struct negotiated13 n;
    const char *why = "out of memory";
    uint8_t alert = negotiate13(&n, hello, server, identity, &why);
    struct server13 *s = alert ? NULL : make(core, server, &n, identity);

    if (!s) {
        alert = alert ? alert : ALERT_INTERNAL_ERROR;
        tls_core_plain_alert(core, 2, alert);
        tls_core_fail(core, alert, false, alert == ALERT_INTERNAL_ERROR ? "out of memory" : why);
        return NULL;
    }
    handshake13_begin(s, hello, message);
    if (core->status == TLS_FAILED) {
        server13_free(&s->engine);
        return NULL;
    }
    return &s->engine;
}
