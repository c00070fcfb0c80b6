/* SPDX-License-Identifier: MIT
 *
 * Drives BearSSL's record engine without giving it buffers to own. It leans on what ssl_engine.c of BearSSL 0.6
 * does, and nothing else (the unit tests hold it to that):
 *   - the engine touches ibuf only while it is given record bytes and while data of a record is unread, and it
 *     wants one record at a time; so ibuf is set to one whole record, and NULL when that record is used up;
 *   - it touches obuf when payload is written, when a record is sealed, and when its handshake processor runs; that
 *     is on a record that is no application data, and on the acknowledgement of a record sent while
 *     application_data is not 1; so obuf is there then, and else only from lend to seal;
 *   - registers (ixa, oxa and so on) are offsets, and stay right when a pointer changes.
 * Between two calls `in` is NULL unless it holds a part of a record or unread data, `out` is NULL unless committed
 * bytes wait to be sealed, or a span was lent that has not been committed.
 */
#include "tls/bear12.h"
#include "tls/alert.h"
#include "tls/suites.h"

#include "base/mem.h"
#include "base/random.h"

#include <assert.h>
#include <string.h>

enum {
    HEADER = 5,
    RECORD_ALERT = 21, /* ContentType (RFC 5246 §6.2.1) */
    RECORD_DATA = 23,
    /* TLS 1.2 allows 2048 bytes above the plaintext; our suites add 24 at most. */
    RECORD_MAX = 16384 + 256,
    /* A sealed record this large moves into the output queue with its buffer; a smaller one is copied behind what
     * is there. */
    MOVE_MIN = 2048,
    /* Alerts and renegotiation attempts that are put up with. */
    STRAYS_MAX = 8,
};

static_assert(BUF_LARGE >= 16384 + 325 && BUF_LARGE >= HEADER + RECORD_MAX, "a buffer takes any record");

static struct bear12 *of(struct tls_engine *e)
{
    return (struct bear12 *)(void *)e;
}

static const struct bear12 *of_const(const struct tls_engine *e)
{
    return (const struct bear12 *)(const void *)e;
}

/* --- buffers --- */

static bool waits_to_be_sealed(const struct bear12 *b)
{
    return b->eng->oxa != b->eng->oxc;
}

static bool attach_out(struct bear12 *b)
{
    if (b->out)
        return true;
    b->out = pool_get(b->engine.core->pool, BUF_LARGE);
    if (!b->out)
        return false;
    b->eng->obuf = b->out->data;
    return true;
}

static void detach_out(struct bear12 *b)
{
    b->eng->obuf = NULL;
    pool_put(b->engine.core->pool, b->out);
    b->out = NULL;
}

static void detach_in(struct bear12 *b)
{
    b->eng->ibuf = NULL;
    pool_put(b->engine.core->pool, b->in);
    b->in = NULL;
    b->head_len = 0;
}

void bear12_release(struct bear12 *b)
{
    detach_in(b);
    detach_out(b);
}

/* A sealed record leaves the engine: with its buffer, or as a copy. */
static bool take_record(struct bear12 *b, const uint8_t *p, size_t n)
{
    struct tls_core *core = b->engine.core;
    /* The engine's handshake processor will not run on the acknowledgement of this one, so obuf may go. */
    bool quiet = b->eng->record_type_out == RECORD_DATA && b->eng->application_data == 1;

    if (!quiet || (n < MOVE_MIN && core->out.bytes))
        return bufq_put(&core->out, p, n);
    assert(b->out); /* the record lies in it */
    b->out->pos = (uint32_t)(p - b->out->data);
    b->out->end = b->out->pos + (uint32_t)n;
    bufq_append(&core->out, b->out);
    b->out = NULL;
    b->eng->obuf = NULL;
    return true;
}

static bool drain(struct bear12 *b)
{
    for (;;) {
        size_t n;
        const uint8_t *p = br_ssl_engine_sendrec_buf(b->eng, &n);
        if (!p)
            return true;
        if (!take_record(b, p, n))
            return false;
        br_ssl_engine_sendrec_ack(b->eng, n);
    }
}

/* --- alerts and the end --- */

/* Seals two bytes by BearSSL's record class, past its handshake processor, which sends alerts only where it sees
 * fit and never once it has failed. */
static void put_alert(struct bear12 *b, uint8_t level, uint8_t alert)
{
    br_ssl_engine_context *eng = b->eng;
    uint8_t record[64];
    size_t start = HEADER, end = sizeof record, n = 2;
    unsigned version = eng->version_out ? eng->version_out : BR_TLS12;

    eng->out.vtable->max_plaintext(&eng->out.vtable, &start, &end);
    record[start] = level;
    record[start + 1] = alert;
    const uint8_t *p = eng->out.vtable->encrypt(&eng->out.vtable, RECORD_ALERT, version, record + start, &n);
    (void)bufq_put(&b->engine.core->out, p, n); /* without memory, the peer sees the connection close */
}

static bool has_data(const struct bear12 *b)
{
    size_t n;
    return b->eng->ibuf && br_ssl_engine_recvapp_buf(b->eng, &n);
}

/* Who was given data may be reading it: it failed in sending the answer. */
static void give_up(struct bear12 *b)
{
    detach_out(b);
    if (!has_data(b))
        detach_in(b);
}

static void fail(struct bear12 *b, uint8_t alert, const char *text)
{
    put_alert(b, 2, alert);
    tls_core_fail(b->engine.core, alert, false, text);
    give_up(b);
}

static void fail_memory(struct bear12 *b)
{
    fail(b, ALERT_INTERNAL_ERROR, "out of memory");
}

/* BearSSL has ended: by the peer's close_notify (it has answered with its own), or by an error. */
static void ended(struct bear12 *b)
{
    struct tls_core *core = b->engine.core;
    int err = br_ssl_engine_last_error(b->eng);

    if (err == BR_ERR_OK && core->status == TLS_OPEN) {
        core->status = TLS_PEER_CLOSED;
        bear12_release(b);
    } else if (err == BR_ERR_OK) {
        tls_core_fail(core, ALERT_CLOSE_NOTIFY, true, "connection closed in the handshake");
        bear12_release(b);
    } else if (err >= BR_ERR_SEND_FATAL_ALERT) {
        uint8_t alert = (uint8_t)(err - BR_ERR_SEND_FATAL_ALERT);
        tls_core_fail(core, alert, false, bear12_sent_text(alert));
        bear12_release(b);
    } else if (err >= BR_ERR_RECV_FATAL_ALERT) {
        uint8_t alert = (uint8_t)(err - BR_ERR_RECV_FATAL_ALERT);
        tls_core_fail(core, alert, true, alert_received_text(alert));
        bear12_release(b);
    } else {
        struct bear12_error e = bear12_error_of(err);
        fail(b, e.alert, e.text);
    }
}

void bear12_alert(struct tls_engine *e, uint8_t alert)
{
    struct bear12 *b = of(e);

    if (alert == ALERT_CLOSE_NOTIFY)
        bear12_seal(e);
    if (b->engine.core->status == TLS_FAILED)
        return;
    put_alert(b, alert == ALERT_CLOSE_NOTIFY ? 1 : 2, alert);
    if (alert == ALERT_CLOSE_NOTIFY)
        bear12_release(b);
    else
        give_up(b);
}

/* --- beginning --- */

bool bear12_begin(struct bear12 *b, struct tls_core *core, br_ssl_engine_context *eng)
{
    uint8_t seed[48];

    b->engine.core = core;
    b->eng = eng;
    b->out = pool_get(core->pool, BUF_LARGE);
    if (!b->out) {
        tls_core_plain_alert(core, 2, ALERT_INTERNAL_ERROR);
        tls_core_fail(core, ALERT_INTERNAL_ERROR, false, "out of memory");
        return false;
    }
    /* The input pointer is for show: it must be another than the output's, and nothing is read before it is set. */
    br_ssl_engine_set_buffers_bidi(eng, b->head, BUF_LARGE, b->out->data, BUF_LARGE);
    /* BearSSL 0.6 would be content with RDRAND alone, or open /dev/urandom each time: it gets the kernel's bytes, and
     * is told that the system was asked already. */
    random_bytes(seed, sizeof seed);
    br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
    mem_wipe(seed, sizeof seed);
    eng->rng_os_rand_done = 1;
    return true;
}

void bear12_started(struct bear12 *b)
{
    b->eng->ibuf = NULL;
    if (!drain(b)) {
        fail_memory(b);
    } else if (br_ssl_engine_current_state(b->eng) == BR_SSL_CLOSED) {
        ended(b);
    } else if (!waits_to_be_sealed(b)) {
        detach_out(b);
    }
}

/* --- receiving --- */

static void check_open(struct bear12 *b)
{
    struct tls_core *core = b->engine.core;

    if (core->status != TLS_HANDSHAKE || b->eng->application_data != 1)
        return;
    core->status = TLS_OPEN;
    /* A server that resumes answers with the id it was offered; else BearSSL has drawn a new one. */
    b->resumed = b->has_offered && memcmp(b->offered, b->eng->session.session_id, sizeof b->offered) == 0;
}

/* Gives the engine one whole record, which it may decrypt where it is. */
static void process(struct bear12 *b, uint8_t *record, size_t n)
{
    br_ssl_engine_context *eng = b->eng;
    struct tls_core *core = b->engine.core;

    assert(eng->ixa == 0 && eng->ixb == 0 && eng->ixc == HEADER);
    if (record[0] != RECORD_DATA || eng->application_data != 1) {
        if (core->status == TLS_OPEN && ++b->strays > STRAYS_MAX) {
            fail(b, ALERT_UNEXPECTED_MESSAGE, "too many alerts or renegotiations");
            return;
        }
        if (!attach_out(b)) {
            fail_memory(b);
            return;
        }
    }
    eng->ibuf = record;
    eng->ibuf_len = n;
    br_ssl_engine_recvrec_ack(eng, HEADER);
    if (n > HEADER && br_ssl_engine_last_error(eng) == BR_ERR_OK)
        br_ssl_engine_recvrec_ack(eng, n - HEADER);
    if (!drain(b)) {
        fail_memory(b);
        return;
    }
    if (br_ssl_engine_current_state(eng) == BR_SSL_CLOSED) {
        ended(b);
        return;
    }
    check_open(b);
    if (b->out && !waits_to_be_sealed(b))
        detach_out(b);
    if (has_data(b))
        return;
    if (eng->ixa != eng->ixb) /* more in the record than its message: the engine would wait for ever */
        fail(b, ALERT_UNEXPECTED_MESSAGE, "unexpected message");
    else
        eng->ibuf = NULL;
}

static bool over(const struct bear12 *b)
{
    return b->engine.core->status > TLS_OPEN;
}

static size_t body_length(const uint8_t *head)
{
    return (size_t)head[3] << 8 | head[4];
}

/* What can be refused before the record is there. In the handshake that is also what another protocol says of itself,
 * whose text would make a length to wait for. */
static bool header_is_good(struct bear12 *b, const uint8_t *head)
{
    if (b->engine.core->status == TLS_HANDSHAKE && head[1] != 3) {
        fail(b, ALERT_PROTOCOL_VERSION, "the peer does not speak TLS");
        return false;
    }
    if (body_length(head) <= RECORD_MAX)
        return true;
    fail(b, ALERT_RECORD_OVERFLOW, "record too large");
    return false;
}

/* Takes bytes of a record that comes in pieces. Returns how many it took. */
static size_t collect(struct bear12 *b, const uint8_t *p, size_t n)
{
    size_t used = 0;

    while (b->head_len < HEADER && used < n)
        b->head[b->head_len++] = p[used++];
    if (b->head_len < HEADER)
        return used;
    size_t size = HEADER + body_length(b->head);
    if (!b->in && !header_is_good(b, b->head))
        return used;
    size_t there = b->in ? b->in->end : HEADER;
    size_t k = size - there < n - used ? size - there : n - used;
    /* For what has come, not for what the header announces. */
    bool begins = !b->in;
    if (!pool_widen(b->engine.core->pool, &b->in, there + k)) {
        fail_memory(b);
        return used;
    }
    if (begins) {
        memcpy(b->in->data, b->head, HEADER);
        b->in->end = HEADER;
    }
    memcpy(b->in->data + b->in->end, p + used, k);
    b->in->end += (uint32_t)k;
    used += k;
    if (b->in->end == size) {
        b->head_len = 0;
        process(b, b->in->data, size);
        if (!b->eng->ibuf)
            detach_in(b);
    }
    return used;
}

size_t bear12_recv(struct tls_engine *e, uint8_t *p, size_t n)
{
    struct bear12 *b = of(e);
    size_t used = 0;

    while (used < n && !over(b) && !has_data(b)) {
        uint8_t *at = p + used;
        size_t left = n - used;
        if (!b->in && b->head_len == 0 && left >= HEADER && left - HEADER >= body_length(at)) {
            size_t size = HEADER + body_length(at);
            used += size;
            if (header_is_good(b, at))
                process(b, at, size);
        } else {
            used += collect(b, at, left);
        }
    }
    return used;
}

struct bytes bear12_data(const struct tls_engine *e)
{
    const struct bear12 *b = of_const(e);
    struct bytes data = {NULL, 0};

    if (b->eng->ibuf)
        data.p = br_ssl_engine_recvapp_buf(b->eng, &data.n);
    return data;
}

void bear12_consume(struct tls_engine *e, size_t n)
{
    struct bear12 *b = of(e);

    br_ssl_engine_recvapp_ack(b->eng, n);
    if (!has_data(b))
        detach_in(b);
}

bool bear12_hold(struct tls_engine *e)
{
    struct bear12 *b = of(e);
    struct bytes data = bear12_data(e);

    if (!data.n || b->in)
        return true;
    b->in = pool_get(b->engine.core->pool, data.n);
    if (!b->in) {
        fail_memory(b);
        return false;
    }
    memcpy(b->in->data, data.p, data.n);
    b->in->end = (uint32_t)data.n;
    b->eng->ibuf = b->in->data;
    b->eng->ixa = 0;
    b->eng->ixb = data.n;
    return true;
}

/* --- sending --- */

struct span bear12_lend(struct tls_engine *e)
{
    struct bear12 *b = of(e);
    struct span room = {NULL, 0};

    if (!attach_out(b)) {
        fail_memory(b);
        return room;
    }
    room.p = br_ssl_engine_sendapp_buf(b->eng, &room.n);
    return room;
}

void bear12_commit(struct tls_engine *e, size_t n)
{
    struct bear12 *b = of(e);

    assert(n == 0 || b->out);
    if (!b->out)
        return;
    br_ssl_engine_sendapp_ack(b->eng, n); /* seals by itself when the record is full */
    if (!drain(b))
        fail_memory(b);
}

void bear12_seal(struct tls_engine *e)
{
    struct bear12 *b = of(e);

    if (!b->out)
        return;
    br_ssl_engine_flush(b->eng, 0);
    if (!drain(b))
        fail_memory(b);
    else if (b->out)
        detach_out(b);
}

bool bear12_idle(const struct tls_engine *e)
{
    const struct bear12 *b = of_const(e);
    return !b->in && !b->out && !b->eng->ibuf && b->head_len == 0;
}

struct tls_info bear12_info(const struct tls_engine *e)
{
    const struct bear12 *b = of_const(e);
    const char *alpn = br_ssl_engine_get_selected_protocol(b->eng);

    return (struct tls_info){
        .version = "TLSv1.2",
        .cipher = suites_name(b->eng->session.cipher_suite),
        .alpn = alpn ? alpn : "",
        .resumed = b->resumed,
    };
}
