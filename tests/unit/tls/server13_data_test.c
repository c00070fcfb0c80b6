/* SPDX-License-Identifier: MIT
 *
 * An open TLS 1.3 connection: data both ways in records of any size and limit, how large the server makes its own, key
 * updates of either side, and every way to end.
 */
#include "tests/unit/tls/clock.h"
#include "tests/unit/tls/scene13.h"

#include "base/mem.h"

enum { MUCH = 200000 };

static const size_t pieces[] = {1, 2, 5, 1000, 17000, SIZE_MAX};

static uint8_t *pattern(void)
{
    static uint8_t bytes[MUCH];

    for (uint32_t i = 0; i < MUCH; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    return bytes;
}

static void begin_open(struct scene13 *s, uint16_t suite)
{
    scene13_init(s, "p256.pem", "p256.key");
    scene13_begin(s);
    if (suite)
        s->client.hello.suites = (struct values13){{suite}, 1};
    scene13_handshake(s);
    scene13_is_open(s);
}

/* --- from the client --- */

TEST(data_of_a_client)
{
    static const size_t sizes[] = {1, 2, 31, 1400, RECORD_TEXT_MAX - 1, RECORD_TEXT_MAX};
    const uint8_t *bytes = pattern();

    for (unsigned i = 0; i < 2 * sizeof pieces / sizeof pieces[0]; i++) {
        for (uint16_t suite = 0x1301; suite <= 0x1303; suite++) {
            struct scene13 s;
            size_t sent = 0;
            begin_open(&s, suite);
            s.wire.piece = pieces[i / 2];
            s.wire.hold = i & 1;
            for (unsigned k = 0; k < 12; k++) {
                size_t n = sizes[k % 6];
                client13_padded(&s.client, RECORD_DATA, bytes + sent, n,
                                k < 6 ? 0 : RECORD_TEXT_MAX - n); /* as much as may be, too */
                sent += n;
                client13_data(&s.client, NULL, 0);
            }
            scene13_turn(&s);
            CHECK_MEM(s.got.p, s.got.n, bytes, sent);
            CHECK_EQ(s.client.records, s.client.tickets_n ? 4 : 3);
            CHECK(tls_is_idle(s.tls));
            CHECK_EQ(pool_lent(s.rig.pool), 0);
            scene13_exchange(&s);
            scene13_free(&s);
        }
    }
}

TEST(part_of_a_record_is_not_idle)
{
    struct scene13 s;

    begin_open(&s, 0);
    CHECK(tls_is_idle(s.tls));
    client13_data(&s.client, "ping", 4);
    struct sink record = s.client.out;
    s.client.out = (struct sink){0};
    for (size_t i = 0; i < record.n; i++) {
        CHECK_EQ(tls_recv(s.tls, record.p + i, 1), 1);
        CHECK(!tls_is_idle(s.tls));
        CHECK_EQ(tls_wants(s.tls), TLS_CAN_LEND | (i + 1 < record.n ? TLS_WANTS_RECV : TLS_HAS_DATA));
    }
    CHECK_MEM(tls_data(s.tls).p, tls_data(s.tls).n, "ping", 4);
    tls_consume(s.tls, 1);
    CHECK(!tls_is_idle(s.tls));
    tls_consume(s.tls, 3);
    CHECK(tls_is_idle(s.tls));
    CHECK_EQ(pool_lent(s.rig.pool), 0);
    sink_free(&record);
    scene13_free(&s);
}

/* --- to the client --- */

TEST(record_size_limits)
{
    static const uint16_t limits[] = {64,   65,   100,   255,   511,   1399,  1400,
                                      1401, 1402, 16383, 16384, 16385, 16386, 65535};
    const uint8_t *bytes = pattern();

    for (size_t i = 0; i < 2 * sizeof limits / sizeof limits[0]; i++) {
        struct scene13 s;
        size_t most = limits[i / 2] < 16385 ? limits[i / 2] - 1 : RECORD_TEXT_MAX;
        scene13_init(&s, "p256.pem", "p256.key");
        scene13_begin(&s);
        s.client.hello.record_size_limit = limits[i / 2]; /* the client looks that all keep it */
        s.client.hello.shares.n = i % 2;
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK_EQ(s.client.record_size_limit, RECORD_TEXT_MAX + 1);
            scene13_write(&s, bytes, MUCH);
            scene13_answer(&s);
            CHECK_STR(s.client.error, "");
            CHECK_MEM(s.client.data.p, s.client.data.n, bytes, MUCH);
            CHECK_EQ(s.client.sizes[0], most < 1400 ? most : 1400);
            /* And it uses what there is, once it is under way. */
            size_t largest = 0;
            for (unsigned k = 0; k < s.client.sizes_n; k++)
                largest = s.client.sizes[k] > largest ? s.client.sizes[k] : largest;
            CHECK_EQ(largest, most);
            scene13_exchange(&s);
        }
        scene13_free(&s);
    }
}

/* Small at first, so that the first bytes can be used when they arrive, then as large as may be. */
TEST(records_grow_in_a_burst)
{
    const uint8_t *bytes = pattern();
    struct scene13 s;

    begin_open(&s, 0);
    for (unsigned round = 0; round < 3; round++) {
        s.client.sizes_n = 0;
        s.client.data.n = 0;
        scene13_write(&s, bytes, 160000);
        scene13_answer(&s);
        CHECK_MEM(s.client.data.p, s.client.data.n, bytes, 160000);
        unsigned small = 0;
        size_t bytes_in_small = 0;
        while (small < s.client.sizes_n && s.client.sizes[small] <= 1400)
            bytes_in_small += s.client.sizes[small++];
        if (round == 1) { /* a pause, but a short one */
            CHECK_EQ(small, 0);
        } else {
            CHECK(bytes_in_small >= 64 * 1024 && bytes_in_small < 64 * 1024 + BUF_LARGE);
            CHECK_EQ(s.client.sizes[0], 1400);
        }
        for (unsigned k = small; k + 1 < s.client.sizes_n; k++)
            CHECK_EQ(s.client.sizes[k], RECORD_TEXT_MAX);
        clock_pass(round ? 1001 : 900);
    }
    scene13_free(&s);
}

TEST(what_is_committed_leaves_in_one_record)
{
    struct scene13 s;

    begin_open(&s, 0);
    unsigned before = s.client.records;
    for (unsigned i = 0; i < 10; i++) {
        struct span room = tls_lend(s.tls);
        memset(room.p, 'x', 10);
        tls_commit(s.tls, 10);
    }
    tls_commit(s.tls, 0);
    tls_seal(s.tls);
    tls_seal(s.tls);
    scene13_answer(&s);
    CHECK_EQ(s.client.records, before + 1);
    CHECK_EQ(s.client.data.n, 100);
    /* A span that nobody fills leaves nothing. */
    CHECK(tls_lend(s.tls).n > 0);
    tls_commit(s.tls, 0);
    tls_seal(s.tls);
    CHECK_EQ(tls_output(s.tls)->bytes, 0);
    CHECK(tls_is_idle(s.tls));
    scene13_free(&s);
}

/* --- key updates --- */

TEST(key_update_of_a_client)
{
    for (unsigned i = 0; i < 6; i++) {
        struct scene13 s;
        bool asks = i % 2;
        begin_open(&s, (uint16_t)(0x1301 + i / 2));
        for (unsigned k = 1; k <= 40; k++) {
            client13_key_update(&s.client, asks);
            client13_data(&s.client, "x", 1);
            scene13_turn(&s);
            CHECK_EQ(s.client.key_updates,
                     asks ? k - 1 : 0); /* with what it has to send, or when its turn ends */
            tls_seal(s.tls);
            scene13_answer(&s);
            CHECK_EQ(s.client.key_updates, asks ? k : 0);
        }
        CHECK_EQ(s.got.n, 40);
        scene13_exchange(&s);
        scene13_free(&s);
    }
}

/* The answer to a request stands before the next data (§4.6.3), and one is enough for many. */
TEST(key_update_goes_before_data)
{
    struct scene13 s;

    begin_open(&s, 0);
    for (unsigned k = 0; k < 20; k++)
        client13_key_update(&s.client, true);
    scene13_turn(&s);
    unsigned before = s.client.records;
    scene13_write(&s, "pong", 4);
    scene13_answer(&s);
    CHECK_EQ(s.client.key_updates, 1);
    CHECK_EQ(s.client.records, before + 2);
    CHECK_MEM(s.client.data.p, s.client.data.n, "pong", 4);
    scene13_exchange(&s);

    /* A client that does not read: what waits for it does not grow. */
    scene13_write(&s, "pong", 4);
    size_t waits = tls_output(s.tls)->bytes;
    for (unsigned k = 0; k < 20; k++) {
        client13_key_update(&s.client, true);
        struct sink out = s.client.out;
        s.client.out = (struct sink){0};
        wire_push(&s.wire, s.tls, out.p, out.n);
        sink_free(&out);
        tls_seal(s.tls);
        CHECK_EQ(tls_output(s.tls)->bytes, waits);
    }
    scene13_answer(&s);
    tls_seal(s.tls);
    scene13_answer(&s);
    CHECK_EQ(s.client.key_updates, 2);
    scene13_exchange(&s);
    scene13_free(&s);
}

/* As many as one likes, if each key is used for a while. */
TEST(key_updates_without_haste)
{
    struct scene13 s;

    begin_open(&s, 0);
    for (unsigned k = 0; k < 200; k++) {
        for (unsigned i = 0; i < 16; i++)
            client13_data(&s.client, "x", 1);
        client13_key_update(&s.client, false);
        scene13_turn(&s);
    }
    CHECK_EQ(s.got.n, 200 * 16);
    scene13_exchange(&s);
    scene13_free(&s);
}

TEST(key_update_in_pieces)
{
    static const uint8_t message[] = {24, 0, 0, 1, 1};

    for (unsigned cut = 1; cut < sizeof message; cut++) {
        struct scene13 s;
        begin_open(&s, 0);
        client13_record(&s.client, RECORD_HANDSHAKE, message, cut);
        client13_record(&s.client, RECORD_HANDSHAKE, message + cut, sizeof message - cut);
        key_schedule_update(suite13_hash(s.client.suite), s.client.write_secret);
        client13_write_with(&s.client, KEYS_APPLICATION, s.client.suite, s.client.write_secret);
        scene13_exchange(&s);
        CHECK_EQ(s.client.key_updates, 1);
        scene13_free(&s);
    }
}

TEST(key_update_of_ours)
{
    static const unsigned after[] = {1, 2, 3, 10};
    const uint8_t *bytes = pattern();

    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        s.rig.server.key_update_after = after[i];
        scene13_begin(&s);
        scene13_handshake(&s);
        scene13_is_open(&s);
        for (unsigned k = 0; k < 30; k++)
            scene13_exchange(&s);
        /* A KeyUpdate is a record, too. */
        CHECK(s.client.key_updates >= 29 / after[i]);
        s.client.data.n = 0;
        scene13_write(&s, bytes, MUCH);
        scene13_answer(&s);
        CHECK_MEM(s.client.data.p, s.client.data.n, bytes, MUCH);
        CHECK_STR(s.client.error, "");
        scene13_free(&s);
    }
}

/* --- ends --- */

TEST(half_close)
{
    const uint8_t *bytes = pattern();

    for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct scene13 s;
        begin_open(&s, 0);
        s.wire.piece = pieces[i];
        client13_data(&s.client, "ping", 4);
        client13_key_update(&s.client, true);
        client13_alert(&s.client, 0);
        scene13_turn(&s);
        CHECK_MEM(s.got.p, s.got.n, "ping", 4);
        CHECK_EQ(tls_status(s.tls), TLS_PEER_CLOSED);
        CHECK_EQ(tls_wants(s.tls), TLS_CAN_LEND);
        CHECK_STR(tls_failure(s.tls).text, "");
        /* What comes behind it is ignored (§6.1). */
        client13_data(&s.client, "more", 4);
        CHECK_EQ(tls_recv(s.tls, s.client.out.p, s.client.out.n), 0);
        tls_recv_eof(s.tls);
        CHECK_EQ(tls_status(s.tls), TLS_PEER_CLOSED);
        scene13_write(&s, bytes, MUCH);
        scene13_answer(&s);
        CHECK_EQ(s.client.key_updates, 1);
        CHECK_MEM(s.client.data.p, s.client.data.n, bytes, MUCH);
        tls_close(s.tls);
        CHECK_EQ(tls_status(s.tls), TLS_CLOSED);
        scene13_answer(&s);
        CHECK(s.client.has_alert && s.client.alert == 0 && s.client.alert_keys == KEYS_APPLICATION);
        CHECK_STR(s.client.error, "");
        CHECK_EQ(tls_wants(s.tls), 0);
        CHECK(tls_is_idle(s.tls));
        tls_close(s.tls);
        tls_abort(s.tls, 80);
        CHECK_EQ(tls_output(s.tls)->bytes, 0);
        scene13_free(&s);
    }
}

TEST(close_seals_what_is_committed)
{
    struct scene13 s;

    begin_open(&s, 0);
    struct span room = tls_lend(s.tls);
    memcpy(room.p, "bye", 3);
    tls_commit(s.tls, 3);
    tls_close(s.tls);
    scene13_answer(&s);
    CHECK_MEM(s.client.data.p, s.client.data.n, "bye", 3);
    CHECK(s.client.has_alert && s.client.alert == 0);
    CHECK_EQ(tls_status(s.tls), TLS_CLOSED);
    CHECK_EQ(tls_lend(s.tls).n, 0);
    scene13_free(&s);
}

TEST(abort_drops_what_is_committed)
{
    for (unsigned half = 0; half < 2; half++) {
        struct scene13 s;
        begin_open(&s, 0);
        if (half)
            client13_alert(&s.client, 0);
        scene13_turn(&s);
        memcpy(tls_lend(s.tls).p, "bye", 3);
        tls_commit(s.tls, 3);
        tls_abort(s.tls, 80);
        scene13_answer(&s);
        CHECK_EQ(s.client.data.n, 0);
        scene13_refused(&s, 80, KEYS_APPLICATION, "sent alert internal_error");
        scene13_free(&s);
    }
}

TEST(truncation)
{
    struct scene13 s;

    begin_open(&s, 0);
    tls_recv_eof(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 0);
    CHECK_STR(tls_failure(s.tls).text, "closed without close_notify");
    CHECK_EQ(tls_output(s.tls)->bytes, 0);
    scene13_free(&s);
}

/* Any other alert is an error, whatever its level says (§6). */
TEST(alerts_of_a_client)
{
    static const struct {
        uint8_t alert;
        const char *text;
    } cases[] = {
        {48,  "peer sent alert unknown_ca"      },
        {20,  "peer sent alert bad_record_mac"  },
        {100, "peer sent alert no_renegotiation"},
        {200, "peer sent alert unknown"         },
    };

    for (unsigned i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct scene13 s;
        const uint8_t text[] = {(uint8_t)(1 + i % 2), cases[i / 2].alert};
        begin_open(&s, 0);
        memcpy(tls_lend(s.tls).p, "bye", 3);
        tls_commit(s.tls, 3);
        client13_record(&s.client, RECORD_ALERT, text, sizeof text);
        client13_data(&s.client, "more", 4);
        scene13_turn(&s);
        CHECK_EQ(s.got.n, 0);
        CHECK_EQ(tls_status(s.tls), TLS_FAILED);
        CHECK(tls_failure(s.tls).received);
        CHECK_EQ(tls_failure(s.tls).alert, cases[i / 2].alert);
        CHECK_STR(tls_failure(s.tls).text, cases[i / 2].text);
        CHECK(!s.client.has_alert);
        CHECK(tls_is_idle(s.tls));
        CHECK_EQ(tls_wants(s.tls), 0);
        scene13_free(&s);
    }
}

TEST(user_canceled_is_not_the_end)
{
    struct scene13 s;

    begin_open(&s, 0);
    client13_alert(&s.client, 90);
    scene13_exchange(&s);
    client13_alert(&s.client, 90);
    client13_alert(&s.client, 0);
    scene13_turn(&s);
    CHECK_EQ(tls_status(s.tls), TLS_PEER_CLOSED);
    scene13_free(&s);
}

/* In the handshake: after a HelloRetryRequest, and before the client's Finished; in the clear, or not. */
TEST(ends_of_a_handshake)
{
    for (unsigned i = 0; i < 8; i++) {
        struct scene13 s;
        bool retry = i & 1, clear = i & 2, closed = i & 4;
        scene13_init(&s, "p256.pem", "p256.key");
        scene13_begin(&s);
        s.client.hello.shares.n = !retry;
        client13_hello(&s.client);
        scene13_turn(&s);
        CHECK_EQ(tls_status(s.tls), TLS_HANDSHAKE);
        const uint8_t text[] = {2, closed ? 0 : 42};
        if (clear)
            client13_plain(&s.client, RECORD_ALERT, text, 2);
        else
            client13_record(&s.client, RECORD_ALERT, text, 2);
        scene13_turn(&s);
        CHECK_EQ(tls_status(s.tls), TLS_FAILED);
        CHECK(tls_failure(s.tls).received);
        CHECK_EQ(tls_failure(s.tls).alert, closed ? 0 : 42);
        CHECK_STR(tls_failure(s.tls).text,
                  closed ? "connection closed in the handshake" : "peer sent alert bad_certificate");
        CHECK(!s.client.has_alert);
        scene13_free(&s);
    }
}

TEST(ours_of_a_handshake)
{
    for (unsigned i = 0; i < 6; i++) {
        struct scene13 s;
        bool retry = i & 1;
        scene13_init(&s, "p256.pem", "p256.key");
        scene13_begin(&s);
        s.client.hello.shares.n = !retry;
        client13_hello(&s.client);
        scene13_turn(&s);
        CHECK_EQ(tls_lend(s.tls).n, 0);
        if (i / 2 == 0)
            tls_close(s.tls);
        else if (i / 2 == 1)
            tls_abort(s.tls, 80);
        else
            tls_recv_eof(s.tls);
        scene13_answer(&s);
        CHECK_STR(s.client.error, "");
        CHECK_EQ(s.client.has_alert, i / 2 < 2);
        CHECK_EQ(s.client.alert, i / 2 == 1 ? 80 : 0);
        CHECK_EQ(s.client.alert_keys, retry || i / 2 == 2 ? KEYS_NONE : KEYS_APPLICATION);
        CHECK_EQ(tls_status(s.tls), i / 2 ? TLS_FAILED : TLS_CLOSED);
        scene13_free(&s);
    }
}

/* Who was given data answers at once, and there is no memory to answer in: the data stays until it is consumed. */
TEST(no_memory_for_an_answer_to_data_unread)
{
    for (int hold = 0; hold < 2; hold++) {
        struct scene13 s;

        scene13_init(&s, "p256.pem", "p256.key");
        scene13_begin(&s);
        scene13_handshake(&s);
        scene13_is_open(&s);
        client13_data(&s.client, "unread", 6);
        CHECK_EQ(tls_recv(s.tls, s.client.out.p, s.client.out.n), s.client.out.n);
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
        scene13_free(&s);
    }
}

/* What was written before the request goes under the old key, what is written after it under the new one
 * (RFC 8446 §4.6.3). */
TEST(key_update_between_what_is_committed_and_what_follows)
{
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    scene13_begin(&s);
    scene13_handshake(&s);
    if (scene13_is_open(&s)) {
        struct span room = tls_lend(s.tls);
        memcpy(room.p, "before", 6);
        tls_commit(s.tls, 6);
        client13_key_update(&s.client, true);
        wire_push(&s.wire, s.tls, s.client.out.p, s.client.out.n);
        s.client.out.n = 0;
        scene13_write(&s, "after", 5);
        struct sink out = rig_take_output(s.tls);
        /* Data, KeyUpdate, data. */
        CHECK_EQ(out.n, 22 + 6 + 22 + 5 + 22 + 5);
        client13_take(&s.client, out.p, out.n);
        CHECK_STR(s.client.error, "");
        CHECK_MEM(s.client.data.p, s.client.data.n, "beforeafter", 11);
        sink_free(&out);
    }
    scene13_free(&s);
}

/* New keys all the time, with a byte of data between two. */
TEST(hasty_key_updates)
{
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    scene13_begin(&s);
    scene13_handshake(&s);
    for (unsigned i = 0; i < 66; i++) { /* the first has none before it */
        CHECK_EQ(tls_status(s.tls), TLS_OPEN);
        client13_key_update(&s.client, false);
        client13_data(&s.client, "x", 1);
        scene13_turn(&s);
    }
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_STR(tls_failure(s.tls).text, "too many KeyUpdates");
    scene13_free(&s);
}

/* RFC 8446 §5.1: a message may come in as many records as it has bytes. */
TEST(finished_in_records_of_one_byte)
{
    struct scene13 s;
    uint8_t message[64];

    scene13_init(&s, "p256.pem", "p256.key");
    scene13_begin(&s);
    client13_hello(&s.client);
    scene13_turn(&s);
    size_t n = client13_make_finished(&s.client, message);
    for (size_t i = 0; i < n; i++)
        client13_record(&s.client, RECORD_HANDSHAKE, message + i, 1);
    client13_finished_sent(&s.client);
    scene13_turn(&s);
    if (scene13_is_open(&s))
        scene13_exchange(&s);
    scene13_free(&s);
}

TEST_MAIN(RUN(no_memory_for_an_answer_to_data_unread),
          RUN(key_update_between_what_is_committed_and_what_follows), RUN(hasty_key_updates),
          RUN(finished_in_records_of_one_byte), RUN(data_of_a_client), RUN(part_of_a_record_is_not_idle),
          RUN(record_size_limits), RUN(records_grow_in_a_burst), RUN(what_is_committed_leaves_in_one_record),
          RUN(key_update_of_a_client), RUN(key_update_goes_before_data), RUN(key_updates_without_haste),
          RUN(key_update_in_pieces), RUN(key_update_of_ours), RUN(half_close),
          RUN(close_seals_what_is_committed), RUN(abort_drops_what_is_committed), RUN(truncation),
          RUN(alerts_of_a_client), RUN(user_canceled_is_not_the_end), RUN(ends_of_a_handshake),
          RUN(ours_of_a_handshake))
