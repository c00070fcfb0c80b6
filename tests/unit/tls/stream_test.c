/* SPDX-License-Identifier: MIT
 *
 * An open connection: bytes both ways, buffers that are there only while they are needed, and every way it ends.
 */
#include "tests/unit/test.h"
#include "tests/unit/tls/rig.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct scene {
    struct rig rig;
    struct tls_trust trust;
    struct peer peer;
    struct tls *tls;
    struct sink got;
    struct wire wire;
};

static void scene_open(struct scene *s, uint16_t suite)
{
    memset(s, 0, sizeof *s);
    rig_init(&s->rig, rig_identity("default", "p256.pem", "p256.key"));
    s->trust = rig_trust("p256.pem");
    peer_init(&s->peer, &s->trust);
    if (suite)
        br_ssl_engine_set_suites(&s->peer.cc.eng, &suite, 1);
    s->wire = (struct wire){.piece = SIZE_MAX, .got = &s->got};
    s->tls = tls_server_new(&s->rig.server);
    assert(s->tls);
    peer_start(&s->peer, "p256.test", false);
    wire_pump(&s->wire, &s->peer, s->tls);
    CHECK_EQ(tls_status(s->tls), TLS_OPEN);
}

static void scene_free(struct scene *s)
{
    tls_free(s->tls);
    peer_free(&s->peer);
    sink_free(&s->got);
    CHECK_EQ(pool_lent(s->rig.pool), 0);
    rig_release(&s->rig);
    rig_trust_free(&s->trust);
}

static void pump(struct scene *s)
{
    wire_pump(&s->wire, &s->peer, s->tls);
}

/* What a caller does to send n bytes, a span at a time. */
static bool send_all(struct tls *t, const uint8_t *p, size_t n)
{
    while (n) {
        struct span room = tls_lend(t);
        if (!room.n)
            return false;
        size_t k = room.n < n ? room.n : n;
        memcpy(room.p, p, k);
        tls_commit(t, k);
        p += k;
        n -= k;
    }
    return true;
}

static bool is_bare(struct scene *s)
{
    return CHECK(tls_is_idle(s->tls)) & CHECK_EQ(pool_lent(s->rig.pool), 0);
}

static void fill(uint8_t *p, size_t n, unsigned seed)
{
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (uint8_t)(x >> 24);
    }
}

/* --- idle --- */

TEST(holds_no_buffer_when_idle)
{
    static const size_t sizes[] = {1, 3, 100, 2047, 2048, 5000, 16383, 16384};
    struct scene s;
    uint8_t data[16384];

    scene_open(&s, 0);
    is_bare(&s);
    CHECK_EQ(tls_wants(s.tls), TLS_WANTS_RECV | TLS_CAN_LEND);
    for (unsigned turn = 0; turn < 200; turn++) {
        size_t n = sizes[turn % 8];
        fill(data, n, turn);
        s.got.n = s.peer.got.n = 0;
        s.wire.piece = turn % 3 ? SIZE_MAX : 1 + turn;
        s.wire.hold = turn % 2;
        peer_write(&s.peer, data, n);
        pump(&s);
        CHECK_MEM(s.got.p, s.got.n, data, n);
        if (!is_bare(&s))
            break;
        CHECK(send_all(s.tls, data, n));
        tls_seal(s.tls);
        CHECK(tls_wants(s.tls) & TLS_WANTS_SEND);
        CHECK(!tls_is_idle(s.tls));
        pump(&s);
        CHECK_MEM(s.peer.got.p, s.peer.got.n, data, n);
        if (!is_bare(&s))
            break;
    }
    scene_free(&s);
}

/* Up to the whole header, a record under way is five bytes in the struct; from then on, one buffer. */
TEST(part_of_a_record)
{
    struct scene s;
    size_t n;

    scene_open(&s, 0);
    for (size_t cut = 1; cut < 40; cut++) {
        s.got.n = 0;
        peer_write(&s.peer, "hello", 5);
        uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
        if (cut >= n) {
            CHECK_EQ(wire_push(&s.wire, s.tls, p, n), n);
            break;
        }
        CHECK_EQ(wire_push(&s.wire, s.tls, p, cut), cut);
        CHECK_EQ(pool_lent(s.rig.pool), cut < 5 ? 0 : 1);
        CHECK(!tls_is_idle(s.tls));
        CHECK_EQ(s.got.n, 0);
        CHECK_EQ(tls_data(s.tls).n, 0);
        /* The other direction does not mind. */
        CHECK(send_all(s.tls, (const uint8_t *)"x", 1));
        tls_seal(s.tls);
        CHECK_EQ(wire_push(&s.wire, s.tls, p + cut, n - cut), n - cut);
        br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
        CHECK_MEM(s.got.p, s.got.n, "hello", 5);
        pump(&s);
        is_bare(&s);
    }
    scene_free(&s);
}

TEST(an_unsealed_commit_keeps_its_buffer_and_nothing_else)
{
    struct scene s;

    scene_open(&s, 0);
    CHECK(send_all(s.tls, (const uint8_t *)"ab", 2));
    CHECK_EQ(pool_lent(s.rig.pool), 1);
    CHECK_EQ(tls_output(s.tls)->bytes, 0);
    /* Input in between takes its own way. */
    peer_write(&s.peer, "request", 7);
    pump(&s);
    CHECK_MEM(s.got.p, s.got.n, "request", 7);
    CHECK_EQ(pool_lent(s.rig.pool), 1);
    CHECK(send_all(s.tls, (const uint8_t *)"cd", 2));
    tls_seal(s.tls);
    pump(&s);
    CHECK_MEM(s.peer.got.p, s.peer.got.n, "abcd", 4);
    is_bare(&s);
    /* Lent and thought better of. */
    CHECK(tls_lend(s.tls).n > 0);
    tls_seal(s.tls);
    is_bare(&s);
    CHECK_EQ(tls_output(s.tls)->bytes, 0);
    scene_free(&s);
}

TEST(data_is_offered_until_it_is_consumed)
{
    struct scene s;
    size_t n;
    uint8_t wire[200];

    scene_open(&s, 0);
    peer_write(&s.peer, "one", 3);
    uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
    memcpy(wire, p, n);
    size_t first = n;
    br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
    peer_write(&s.peer, "two", 3);
    p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
    memcpy(wire + first, p, n);
    br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
    size_t total = first + n;

    CHECK_EQ(tls_recv(s.tls, wire, total), first); /* stops at the first data */
    CHECK_MEM(tls_data(s.tls).p, tls_data(s.tls).n, "one", 3);
    CHECK(tls_wants(s.tls) & TLS_HAS_DATA);
    CHECK(!(tls_wants(s.tls) & TLS_WANTS_RECV));
    CHECK_EQ(tls_recv(s.tls, wire + first, n), 0);
    CHECK_EQ(pool_lent(s.rig.pool), 0); /* it lies in the caller's memory */
    CHECK(tls_data(s.tls).p > wire && tls_data(s.tls).p < wire + first);
    tls_consume(s.tls, 1);
    CHECK(tls_hold(s.tls));
    CHECK_EQ(pool_lent(s.rig.pool), 1);
    memset(wire, 0xee, first);
    CHECK_MEM(tls_data(s.tls).p, tls_data(s.tls).n, "ne", 2);
    CHECK(tls_hold(s.tls)); /* again: nothing */
    tls_consume(s.tls, 2);
    CHECK_EQ(tls_data(s.tls).n, 0);
    is_bare(&s);
    CHECK_EQ(tls_recv(s.tls, wire + first, n), n);
    CHECK_MEM(tls_data(s.tls).p, tls_data(s.tls).n, "two", 3);
    tls_consume(s.tls, 3);
    is_bare(&s);
    scene_free(&s);
}

/* --- output --- */

TEST(commits_collect_in_one_record)
{
    struct scene s;

    scene_open(&s, 0);
    for (int i = 0; i < 100; i++)
        CHECK(send_all(s.tls, (const uint8_t *)"0123456789", 10));
    CHECK_EQ(tls_output(s.tls)->bytes, 0);
    tls_seal(s.tls);
    struct bytes out = bufq_front(tls_output(s.tls));
    CHECK_EQ(out.n, tls_output(s.tls)->bytes);
    CHECK_EQ(out.p[0], 23);
    CHECK_EQ((size_t)out.p[3] * 256 + out.p[4] + 5, out.n);
    size_t before = tls_output(s.tls)->bytes;
    tls_seal(s.tls); /* nothing new: no empty record */
    CHECK_EQ(tls_output(s.tls)->bytes, before);
    scene_free(&s);
}

TEST(small_records_share_a_buffer_and_large_ones_move)
{
    struct scene s;
    static uint8_t data[100000];

    scene_open(&s, 0);
    for (int i = 0; i < 50; i++) {
        CHECK(send_all(s.tls, data, 100));
        tls_seal(s.tls);
    }
    CHECK_EQ(tls_output(s.tls)->buffers, 1);
    CHECK_EQ(pool_lent(s.rig.pool), 1);
    pump(&s);
    CHECK_EQ(s.peer.got.n, 5000);

    /* Lend always gives room: the engine seals what is full by itself. */
    CHECK(send_all(s.tls, data, sizeof data));
    CHECK_EQ(tls_output(s.tls)->buffers, sizeof data / 16384);
    CHECK_EQ(pool_lent(s.rig.pool), sizeof data / 16384 + 1);
    tls_seal(s.tls);
    pump(&s);
    CHECK_EQ(s.peer.got.n, 5000 + sizeof data);
    is_bare(&s);
    scene_free(&s);
}

TEST(max_fragment_length_is_honoured)
{
    struct scene s;
    static uint8_t data[5000];

    memset(&s, 0, sizeof s);
    rig_init(&s.rig, rig_identity("default", "p256.pem", "p256.key"));
    s.trust = rig_trust("p256.pem");
    peer_init(&s.peer, &s.trust);
    /* A client with a buffer for records of 1024 bytes asks for them (RFC 6066 §4). */
    br_ssl_engine_set_buffers_bidi(&s.peer.cc.eng, s.peer.buffer, 1024 + 325, s.peer.buffer + 8192,
                                   1024 + 85);
    s.wire = (struct wire){.piece = SIZE_MAX, .got = &s.got};
    s.tls = tls_server_new(&s.rig.server);
    peer_start(&s.peer, "p256.test", false);
    pump(&s);
    CHECK_EQ(tls_status(s.tls), TLS_OPEN);
    fill(data, sizeof data, 1);
    CHECK(tls_lend(s.tls).n <= 1024);
    CHECK(send_all(s.tls, data, sizeof data));
    tls_seal(s.tls);
    pump(&s);
    CHECK_MEM(s.peer.got.p, s.peer.got.n, data, sizeof data);
    CHECK_EQ(peer_error(&s.peer), 0);
    is_bare(&s);
    scene_free(&s);
}

/* --- bulk --- */

static size_t below(uint32_t *x, size_t bound)
{
    *x = *x * 1664525u + 1013904223u;
    return (size_t)((uint64_t)(*x >> 8) * bound >> 24);
}

static void bulk(uint16_t suite, unsigned seed)
{
    enum { TOTAL = 2 * 1024 * 1024 };
    uint8_t *up = malloc(TOTAL), *down = malloc(TOTAL);
    size_t sent_up = 0, sent_down = 0;
    uint32_t x = seed;
    struct scene s;

    assert(up && down);
    fill(up, TOTAL, seed);
    fill(down, TOTAL, seed + 1);
    scene_open(&s, suite);
    while (sent_up < TOTAL || sent_down < TOTAL) {
        size_t room;
        if (sent_up < TOTAL && br_ssl_engine_sendapp_buf(&s.peer.cc.eng, &room)) {
            size_t n = 1 + below(&x, below(&x, 3) ? 16384 : 64);
            n = n < room ? n : room;
            n = n < TOTAL - sent_up ? n : TOTAL - sent_up;
            peer_write(&s.peer, up + sent_up, n);
            sent_up += n;
        }
        if (sent_down < TOTAL) {
            size_t n = 1 + below(&x, below(&x, 3) ? 40000 : 64);
            n = n < TOTAL - sent_down ? n : TOTAL - sent_down;
            if (!CHECK(send_all(s.tls, down + sent_down, n)))
                break;
            sent_down += n;
            if (below(&x, 2))
                tls_seal(s.tls);
        }
        s.wire.piece = 1 + below(&x, below(&x, 2) ? 20000 : 300);
        s.wire.hold = below(&x, 2);
        pump(&s);
    }
    tls_seal(s.tls);
    pump(&s);
    CHECK_EQ(tls_status(s.tls), TLS_OPEN);
    CHECK(s.got.n == TOTAL && memcmp(s.got.p, up, TOTAL) == 0);
    CHECK(s.peer.got.n == TOTAL && memcmp(s.peer.got.p, down, TOTAL) == 0);
    is_bare(&s);
    scene_free(&s);
    free(up);
    free(down);
}

TEST(bulk_aes128)
{
    bulk(BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 1);
}
TEST(bulk_aes256)
{
    bulk(BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, 2);
}
TEST(bulk_chacha20)
{
    bulk(BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 3);
}

/* --- the end --- */

TEST(peer_closes)
{
    struct scene s;

    scene_open(&s, 0);
    peer_write(&s.peer, "last", 4);
    pump(&s);
    CHECK(send_all(s.tls, (const uint8_t *)"committed", 9)); /* not sealed */
    br_ssl_engine_close(&s.peer.cc.eng);
    pump(&s);
    CHECK_EQ(tls_status(s.tls), TLS_PEER_CLOSED);
    CHECK_STR(tls_failure(s.tls).text, "");
    CHECK_EQ(tls_lend(s.tls).n, 0);
    CHECK_EQ(tls_wants(s.tls), 0);
    CHECK_EQ(peer_error(&s.peer), 0); /* it got our close_notify */
    CHECK_EQ(br_ssl_engine_current_state(&s.peer.cc.eng), BR_SSL_CLOSED);
    CHECK_EQ(pool_lent(s.rig.pool), 0);
    tls_recv_eof(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_PEER_CLOSED);
    uint8_t more[5] = {23, 3, 3, 0, 30};
    CHECK_EQ(tls_recv(s.tls, more, 5), 0);
    tls_close(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_CLOSED);
    CHECK_EQ(tls_output(s.tls)->bytes, 0);
    scene_free(&s);
}

/* RFC 5246 §7.2.1: what was committed before still leaves. */
TEST(data_before_the_answer_to_close_notify)
{
    struct scene s;
    size_t n;

    scene_open(&s, 0);
    CHECK(send_all(s.tls, (const uint8_t *)"committed", 9));
    br_ssl_engine_close(&s.peer.cc.eng);
    uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
    wire_push(&s.wire, s.tls, p, n);
    struct sink out = rig_take_output(s.tls);
    CHECK_EQ(out.n > 30 ? out.p[0] : 0, 23);
    size_t first = out.n > 5 ? 5 + (size_t)out.p[3] * 256 + out.p[4] : 0;
    CHECK(first < out.n && out.p[first] == 21);
    sink_free(&out);
    scene_free(&s);
}

TEST(we_close)
{
    struct scene s;

    scene_open(&s, 0);
    CHECK(send_all(s.tls, (const uint8_t *)"bye", 3));
    tls_close(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_CLOSED);
    CHECK_EQ(tls_wants(s.tls), TLS_WANTS_SEND);
    CHECK_EQ(tls_lend(s.tls).n, 0);
    size_t bytes = tls_output(s.tls)->bytes;
    tls_close(s.tls);
    tls_abort(s.tls, 80);
    tls_seal(s.tls);
    CHECK_EQ(tls_output(s.tls)->bytes, bytes);
    pump(&s);
    CHECK_MEM(s.peer.got.p, s.peer.got.n, "bye", 3);
    CHECK_EQ(peer_error(&s.peer), 0);
    CHECK_EQ(br_ssl_engine_current_state(&s.peer.cc.eng), BR_SSL_CLOSED);
    tls_recv_eof(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_CLOSED);
    scene_free(&s);
}

TEST(we_close_with_data_unread)
{
    for (int hold = 0; hold < 2; hold++) {
        struct scene s;
        size_t n;
        scene_open(&s, 0);
        peer_write(&s.peer, "unread", 6);
        uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
        CHECK_EQ(tls_recv(s.tls, p, n), n);
        CHECK_EQ(tls_data(s.tls).n, 6);
        br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
        if (hold)
            CHECK(tls_hold(s.tls));
        tls_close(s.tls);
        CHECK_EQ(tls_status(s.tls), TLS_CLOSED);
        CHECK_EQ(tls_data(s.tls).n, 0);
        pump(&s);
        CHECK_EQ(peer_error(&s.peer), 0);
        scene_free(&s);
    }
}

/* Who was given data answers at once, and there is no memory to answer in: the data stays until it is consumed. */
TEST(no_memory_for_an_answer_to_data_unread)
{
    for (int hold = 0; hold < 2; hold++) {
        struct scene s;
        size_t n;
        scene_open(&s, 0);
        peer_write(&s.peer, "unread", 6);
        uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
        CHECK_EQ(tls_recv(s.tls, p, n), n);
        br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
        if (hold)
            CHECK(tls_hold(s.tls));
        struct bytes data = tls_data(s.tls);
        pool_trim(s.rig.pool);
        mem_fail_at(0, 1000);
        CHECK_EQ(tls_lend(s.tls).n, 0);
        mem_fail_at(-1, 0);
        CHECK_EQ(tls_status(s.tls), TLS_FAILED);
        CHECK_MEM(data.p, data.n, "unread", 6);
        tls_consume(s.tls, 6);
        CHECK_EQ(tls_data(s.tls).n, 0);
        scene_free(&s);
    }
}

TEST(truncation_is_told)
{
    struct scene s;

    scene_open(&s, 0);
    tls_recv_eof(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 0);
    CHECK(!tls_failure(s.tls).received);
    CHECK_STR(tls_failure(s.tls).text, "closed without close_notify");
    scene_free(&s);
}

TEST(abort_is_sealed)
{
    struct scene s;

    scene_open(&s, 0);
    CHECK(send_all(s.tls, (const uint8_t *)"never", 5));
    tls_abort(s.tls, 80);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 80);
    CHECK_STR(tls_failure(s.tls).text, "sent alert internal_error");
    pump(&s);
    CHECK_EQ(s.peer.got.n, 0);
    CHECK_EQ(peer_error(&s.peer), BR_ERR_RECV_FATAL_ALERT + 80);
    scene_free(&s);
}

TEST(bad_records)
{
    static const struct {
        size_t at; /* which byte is changed */
        uint8_t flip, alert;
        const char *text;
    } cases[] = {
        {0,  23 ^ 22, 20, "record does not authenticate" }, /* another type */
        {0,  23 ^ 99, 20, "record does not authenticate" },
        {1,  1,       70, "no common TLS version"        },
        {2,  1,       70, "record of another TLS version"},
        {6,  1,       20, "record does not authenticate" }, /* the explicit nonce */
        {20, 0x80,    20, "record does not authenticate" },
        {28, 1,       20, "record does not authenticate" },
        {3,  0x80,    22, "record too large"             },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 0; piece < 2; piece++) {
            struct scene s;
            uint8_t record[100];
            size_t n;
            scene_open(&s, BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
            s.wire.piece = piece ? 1 : SIZE_MAX;
            peer_write(&s.peer, "x", 1);
            uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
            assert(n < sizeof record);
            memcpy(record, p, n);
            record[cases[i].at] ^= cases[i].flip;
            br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
            wire_push(&s.wire, s.tls, record, n);
            CHECK_EQ(tls_status(s.tls), TLS_FAILED);
            CHECK_EQ(tls_failure(s.tls).alert, cases[i].alert);
            CHECK_STR(tls_failure(s.tls).text, cases[i].text);
            CHECK_EQ(s.got.n, 0);
            s.wire.piece = SIZE_MAX;
            pump(&s);
            CHECK_EQ(peer_error(&s.peer), BR_ERR_RECV_FATAL_ALERT + cases[i].alert);
            scene_free(&s);
        }
    }
}

TEST(replayed_record)
{
    struct scene s;
    uint8_t record[100], again[100];
    size_t n;

    scene_open(&s, 0);
    peer_write(&s.peer, "pay", 3);
    uint8_t *p = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
    memcpy(record, p, n);
    memcpy(again, p, n);
    CHECK_EQ(wire_push(&s.wire, s.tls, record, n), n);
    wire_push(&s.wire, s.tls, again, n);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 20);
    CHECK_EQ(s.got.n, 3);
    scene_free(&s);
}

/* The peer's side of the keys seals records of our choice. */
static size_t seal(struct scene *s, uint8_t *out, int type, const void *p, size_t n)
{
    br_ssl_engine_context *eng = &s->peer.cc.eng;
    size_t start = 5, end = 200, len = n;

    eng->out.vtable->max_plaintext(&eng->out.vtable, &start, &end);
    memcpy(out + start, p, n);
    const uint8_t *record = eng->out.vtable->encrypt(&eng->out.vtable, type, BR_TLS12, out + start, &len);
    memmove(out, record, len);
    return len;
}

TEST(renegotiation_is_refused_and_not_for_ever)
{
    struct scene s;
    uint8_t record[256];
    int answered = 0;

    scene_open(&s, 0);
    for (int i = 0; i < 20 && tls_status(s.tls) == TLS_OPEN; i++) {
        /* A ClientHello that is empty is as good as any: it is skipped. */
        size_t n = seal(&s, record, 22, "\x01\x00\x00\x00", 4);
        CHECK_EQ(tls_recv(s.tls, record, n), n);
        if (tls_status(s.tls) == TLS_OPEN && tls_output(s.tls)->bytes)
            answered++;
        bufq_drop(tls_output(s.tls), tls_output(s.tls)->bytes);
    }
    CHECK_EQ(answered, 8);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 10);
    scene_free(&s);
}

TEST(warnings_are_put_up_with)
{
    struct scene s;
    uint8_t record[256];

    scene_open(&s, 0);
    size_t n = seal(&s, record, 21, "\x01\x5a", 2); /* user_canceled */
    CHECK_EQ(tls_recv(s.tls, record, n), n);
    CHECK_EQ(tls_status(s.tls), TLS_OPEN);
    is_bare(&s);
    peer_write(&s.peer, "still", 5);
    pump(&s);
    CHECK_MEM(s.got.p, s.got.n, "still", 5);
    n = seal(&s, record, 21, "\x02\x5a", 2);
    CHECK_EQ(tls_recv(s.tls, record, n), n);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK(tls_failure(s.tls).received);
    CHECK_STR(tls_failure(s.tls).text, "peer sent alert user_canceled");
    scene_free(&s);
}

TEST(stray_messages_are_fatal)
{
    static const struct {
        int type;
        const char *bytes;
        size_t n;
    } cases[] = {
        {22, "\x14\x00\x00\x00",                 4}, /* Finished */
        {20, "\x01",                             1}, /* ChangeCipherSpec */
        {99, "\x01",                             1}, /* no such type */
        {22, "\x01\x00\x00\x00\x01\x00\x00\x00", 8}, /* two hellos in one record */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        uint8_t record[256];
        scene_open(&s, 0);
        size_t n = seal(&s, record, cases[i].type, cases[i].bytes, cases[i].n);
        CHECK_EQ(tls_recv(s.tls, record, n), n);
        CHECK_EQ(tls_status(s.tls), TLS_FAILED);
        CHECK_EQ(tls_failure(s.tls).alert, 10);
        pump(&s);
        /* The last was answered with no_renegotiation first, which is fatal to BearSSL's client. */
        CHECK_EQ(peer_error(&s.peer), BR_ERR_RECV_FATAL_ALERT + (i < 3 ? 10 : 100));
        scene_free(&s);
    }
}

TEST(empty_data_records_are_nothing)
{
    struct scene s;
    uint8_t record[256];

    scene_open(&s, 0);
    for (int i = 0; i < 20; i++) {
        size_t n = seal(&s, record, 23, "", 0);
        CHECK_EQ(tls_recv(s.tls, record, n), n);
        CHECK_EQ(tls_data(s.tls).n, 0);
    }
    CHECK_EQ(tls_status(s.tls), TLS_OPEN);
    is_bare(&s);
    scene_free(&s);
}

TEST(alert_names)
{
    CHECK_STR(tls_alert_name(0), "close_notify");
    CHECK_STR(tls_alert_name(40), "handshake_failure");
    CHECK_STR(tls_alert_name(120), "no_application_protocol");
    CHECK_STR(tls_alert_name(255), "unknown");
}

TEST_MAIN(RUN(holds_no_buffer_when_idle), RUN(part_of_a_record),
          RUN(an_unsealed_commit_keeps_its_buffer_and_nothing_else),
          RUN(data_is_offered_until_it_is_consumed), RUN(commits_collect_in_one_record),
          RUN(small_records_share_a_buffer_and_large_ones_move), RUN(max_fragment_length_is_honoured),
          RUN(bulk_aes128), RUN(bulk_aes256), RUN(bulk_chacha20), RUN(peer_closes),
          RUN(data_before_the_answer_to_close_notify), RUN(we_close), RUN(we_close_with_data_unread),
          RUN(no_memory_for_an_answer_to_data_unread), RUN(truncation_is_told), RUN(abort_is_sealed),
          RUN(bad_records), RUN(replayed_record), RUN(renegotiation_is_refused_and_not_for_ever),
          RUN(warnings_are_put_up_with), RUN(stray_messages_are_fatal), RUN(empty_data_records_are_nothing),
          RUN(alert_names))
