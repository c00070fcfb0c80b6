/* SPDX-License-Identifier: MIT
 *
 * The TLS 1.3 server where it says yes: each suite, group and kind of key, in pieces of any size, a HelloRetryRequest,
 * resumption, early data that is not taken; and what is left of it when memory runs out.
 */
#include "tests/unit/tls/clock.h"
#include "tests/unit/tls/scene13.h"

#include "base/mem.h"
#include "crypto/impl.h"

static const size_t pieces[] = {1, 2, 5, 7, 100, 1000, SIZE_MAX};

enum { PIECES = sizeof pieces / sizeof pieces[0] };

/* --- what is agreed on --- */

static void with_key(const char *cert, const char *key, uint16_t signature)
{
    for (size_t i = 0; i < 2 * PIECES; i++) {
        struct scene13 s;
        scene13_init(&s, cert, key);
        s.wire.piece = pieces[i / 2];
        s.wire.hold = i % 2;
        scene13_begin(&s);
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK_STR(tls_info(s.tls).version, "TLSv1.3");
            CHECK_STR(tls_info(s.tls).alpn, "");
            CHECK(!tls_info(s.tls).resumed);
            CHECK(tls_identity_of(s.tls) == s.rig.fallback);
            CHECK_EQ(s.rig.selected, 1);
            CHECK_EQ(s.client.signature, signature);
            CHECK_MEM(s.client.certificate.p, s.client.certificate.n, s.rig.fallback->chain[0].data,
                      s.rig.fallback->chain[0].data_len);
            scene13_exchange(&s);
            CHECK(tls_is_idle(s.tls));
        }
        scene13_free(&s);
    }
}

TEST(p256_key)
{
    with_key("p256.pem", "p256.key", 0x0403);
}

TEST(p384_key)
{
    with_key("p384.pem", "p384.key", 0x0503);
}

TEST(p521_key)
{
    with_key("p521.pem", "p521.key", 0x0603);
}

TEST(rsa_key)
{
    struct scene13 s;

    with_key("rsa2048.pem", "rsa2048.key", 0x0804);
    for (uint16_t algorithm = 0x0804; algorithm <= 0x0806; algorithm++) {
        scene13_init(&s, "rsa2048.pem", "rsa2048.key");
        scene13_begin(&s);
        s.client.hello.signatures = (struct values13){
            {0x0403, algorithm},
            2
        };
        scene13_handshake(&s);
        if (scene13_is_open(&s))
            CHECK_EQ(s.client.signature, algorithm);
        scene13_free(&s);
    }
}

TEST(suites_and_their_order)
{
    bool aes = crypto_impl()->fast_aes;
    const struct {
        struct values13 offered;
        const char *cipher;
    } cases[] = {
        {{{0x1301}, 1},                         "TLS_AES_128_GCM_SHA256"                                       },
        {{{0x1302}, 1},                         "TLS_AES_256_GCM_SHA384"                                       },
        {{{0x1303}, 1},                         "TLS_CHACHA20_POLY1305_SHA256"                                 },
        {{{0x1302, 0x1301}, 2},                 "TLS_AES_128_GCM_SHA256"                                       },
        {{{0x1303, 0x1301}, 2},                 "TLS_CHACHA20_POLY1305_SHA256"                                 },
        {{{0x1301, 0x1303}, 2},                 aes ? "TLS_AES_128_GCM_SHA256" : "TLS_CHACHA20_POLY1305_SHA256"},
        {{{0x1a1a, 0xc02b, 0x1303, 0x1301}, 4}, "TLS_CHACHA20_POLY1305_SHA256"                                 },
        {{{0x1304, 0x1305, 0x1302}, 3},         "TLS_AES_256_GCM_SHA384"                                       },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        scene13_begin(&s);
        s.client.hello.suites = cases[i].offered;
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK_STR(tls_info(s.tls).cipher, cases[i].cipher);
            scene13_exchange(&s);
        }
        scene13_free(&s);
    }
}

TEST(groups_and_retries)
{
    static const struct {
        struct values13 groups, shares;
        uint16_t group;
        bool retried;
    } cases[] = {
        {{{29}, 1},             {{29}, 1},         29, false},
        {{{23}, 1},             {{23}, 1},         23, false},
        {{{23, 29}, 2},         {{23}, 1},         23, false}, /* a share there is better than the best group */
        {{{23, 29}, 2},         {{23, 29}, 2},     29, false},
        {{{29, 23}, 2},         {{29, 23}, 2},     29, false},
        {{{0x2a2a, 29, 23}, 3}, {{0x2a2a, 29}, 2}, 29, false},
        {{{29}, 1},             {{0}, 0},          29, true }, /* asks for a HelloRetryRequest (§4.2.8) */
        {{{23}, 1},             {{0}, 0},          23, true },
        {{{24, 23, 29}, 3},     {{24}, 1},         29, true },
        {{{24, 23}, 2},         {{24}, 1},         23, true },
    };

    for (size_t i = 0; i < PIECES * sizeof cases / sizeof cases[0]; i++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        s.wire.piece = pieces[i % PIECES];
        scene13_begin(&s);
        s.client.hello.groups = cases[i / PIECES].groups;
        s.client.hello.shares = cases[i / PIECES].shares;
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK_EQ(s.client.group, cases[i / PIECES].group);
            CHECK_EQ(s.client.retried, cases[i / PIECES].retried);
            CHECK(s.client.change_cipher_spec);
            scene13_exchange(&s);
        }
        scene13_free(&s);
    }
}

/* A chain longer than a record, and than a buffer: in records as small as may be, and in large ones. */
TEST(a_long_chain)
{
    static const uint16_t limits[] = {0, 64, 1000, 16385};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        struct tls_identity *id = s.rig.fallback;
        br_x509_certificate leaf = id->chain[0];
        id->chain = mem_realloc(id->chain, 200 * sizeof *id->chain);
        assert(id->chain);
        while (id->chain_len < 200) {
            br_x509_certificate *c = &id->chain[id->chain_len++];
            *c = (br_x509_certificate){.data = mem_alloc(leaf.data_len), .data_len = leaf.data_len};
            memcpy(c->data, leaf.data, leaf.data_len);
        }
        CHECK(200 * leaf.data_len > 4 * BUF_LARGE);
        scene13_begin(&s);
        s.client.hello.record_size_limit = limits[i];
        scene13_handshake(&s);
        if (scene13_is_open(&s))
            scene13_exchange(&s);
        scene13_free(&s);
    }
}

/* Without a session id there is no middlebox to please (§D.4). */
TEST(no_session_id_no_change_cipher_spec)
{
    for (unsigned retry = 0; retry < 2; retry++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        scene13_begin(&s);
        s.client.hello.session_id = (struct bytes){NULL, 0};
        s.client.hello.shares.n = !retry;
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK(!s.client.change_cipher_spec);
            scene13_exchange(&s);
        }
        scene13_free(&s);
    }
}

TEST(name_and_protocol)
{
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    for (unsigned retry = 0; retry < 2; retry++) {
        scene13_begin(&s);
        s.client.hello.name = "OTHER";
        s.client.hello.alpn = "http/1.1";
        s.client.hello.shares.n = !retry;
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK(s.client.name_heard);
            CHECK_STR(s.client.alpn, "http/1.1");
            CHECK_STR(tls_info(s.tls).alpn, "http/1.1");
            CHECK_STR(tls_server_name(s.tls), "other");
            CHECK(tls_identity_of(s.tls) == s.rig.named);
        }
    }
    scene13_free(&s);
}

/* Any second hello may change its padding, and drop what it offered by key. */
TEST(second_hello_may_change_what_the_rfc_lists)
{
    static const uint8_t padding[] = {0, 21, 0, 3, 0, 0, 0};
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    struct psk13 psk = scene13_ticket(&s, 0x1302, NULL);
    scene13_begin(&s);
    s.client.hello.shares.n = 0;
    s.client.hello.early_data = true;
    s.client.hello.offers[0] = (struct offer13){.psk = &psk};
    s.client.hello.offers_n = 1;
    s.client.hello.suites = (struct values13){
        {0x1301, 0x1302},
        2
    };
    client13_hello(&s.client);
    scene13_turn(&s);
    CHECK(s.client.retried);
    s.client.hello.offers_n = 0; /* not of the suite's hash (§4.1.4) */
    s.client.hello.extra = (struct bytes){padding, sizeof padding};
    client13_hello(&s.client);
    scene13_turn(&s);
    client13_finish(&s.client);
    scene13_turn(&s);
    if (scene13_is_open(&s))
        scene13_exchange(&s);
    scene13_free(&s);
}

/* --- resumption --- */

static void offer(struct client13 *c, const struct psk13 *psk)
{
    c->hello.offers[c->hello.offers_n++] = (struct offer13){.psk = psk};
}

TEST(resumes)
{
    for (size_t i = 0; i < 3 * PIECES; i++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        s.wire.piece = pieces[i % PIECES];
        struct psk13 psk = scene13_ticket(&s, (uint16_t)(0x1301 + i / PIECES), "other");
        CHECK_EQ(s.client.tickets_n, 2);
        CHECK_EQ(psk.lifetime, 7200);
        CHECK(memcmp(s.client.tickets[0].key, s.client.tickets[1].key, 32) != 0);
        CHECK(s.client.tickets[0].age_add != s.client.tickets[1].age_add);
        for (unsigned again = 0; again < 3; again++) {
            scene13_begin(&s);
            s.client.hello.name = "other";
            s.client.hello.suites = (struct values13){{(uint16_t)(0x1301 + i / PIECES)}, 1};
            offer(&s.client, &psk);
            scene13_handshake(&s);
            if (!scene13_is_open(&s))
                break;
            CHECK_EQ(s.client.psk, 0);
            CHECK(tls_info(s.tls).resumed);
            CHECK_EQ(s.client.certificate.n, 0);
            CHECK(!s.client.name_heard);
            CHECK_EQ(s.client.tickets_n, 1); /* in place of the one used */
            scene13_exchange(&s);
            psk = s.client.tickets[0];
        }
        scene13_free(&s);
    }
}

TEST(resumes_after_a_retry)
{
    for (uint16_t suite = 0x1301; suite <= 0x1303; suite++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        struct psk13 psk = scene13_ticket(&s, suite, NULL);
        scene13_begin(&s);
        s.client.hello.suites = (struct values13){{suite}, 1};
        s.client.hello.shares.n = 0;
        offer(&s.client, &psk);
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK(s.client.retried);
            CHECK_EQ(s.client.psk, 0);
            scene13_exchange(&s);
        }
        scene13_free(&s);
    }
}

/* A ticket of SHA-256 goes with both suites of it. */
TEST(resumes_with_another_suite_of_the_same_hash)
{
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    struct psk13 psk = scene13_ticket(&s, 0x1301, NULL);
    scene13_begin(&s);
    s.client.hello.suites = (struct values13){{0x1303}, 1};
    offer(&s.client, &psk);
    scene13_handshake(&s);
    if (scene13_is_open(&s)) {
        CHECK_EQ(s.client.psk, 0);
        CHECK_STR(tls_info(s.tls).cipher, "TLS_CHACHA20_POLY1305_SHA256");
        scene13_exchange(&s);
    }
    scene13_free(&s);
}

TEST(takes_the_first_that_fits)
{
    struct scene13 s;
    struct psk13 stranger = {.ticket_n = 100, .hash = &br_sha256_vtable}, sha384, sha256;

    scene13_init(&s, "p256.pem", "p256.key");
    sha384 = scene13_ticket(&s, 0x1302, NULL);
    sha256 = scene13_ticket(&s, 0x1301, NULL);
    scene13_begin(&s);
    s.client.hello.suites = (struct values13){{0x1301}, 1};
    offer(&s.client, &stranger);
    offer(&s.client, &sha384);
    offer(&s.client, &sha256);
    offer(&s.client, &sha256);
    scene13_handshake(&s);
    if (scene13_is_open(&s)) {
        CHECK_EQ(s.client.psk, 2);
        scene13_exchange(&s);
    }
    scene13_free(&s);
}

/* Signatures are not asked for where none is made (§4.2.3). */
TEST(resumes_without_signature_algorithms)
{
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    struct psk13 psk = scene13_ticket(&s, 0, NULL);
    scene13_begin(&s);
    s.client.hello.signatures.n = 0;
    offer(&s.client, &psk);
    scene13_handshake(&s);
    if (scene13_is_open(&s))
        CHECK_EQ(s.client.psk, 0);
    scene13_free(&s);
}

/* Each makes a full handshake of what would be a resumption. */
enum twist {
    OTHER_SITE,
    OTHER_HASH,
    NO_TICKETS,
    OTHER_KEYS,
    PSK_KE_ALONE,
    TOO_OLD,
    CHANGED_TICKET,
    SHORT_TICKET,
    TWISTS
};

static void twist(struct scene13 *s, struct psk13 *psk, enum twist how)
{
    static const uint8_t psk_ke[] = {0};
    static const uint8_t keys[1][TICKET_KEY] = {{1}};

    switch (how) {
    case OTHER_SITE: s->client.hello.name = "other"; break;
    case OTHER_HASH: s->client.hello.suites = (struct values13){{0x1302}, 1}; break;
    case NO_TICKETS:
        tls_tickets_free(s->rig.server.tickets);
        s->rig.server.tickets = NULL;
        break;
    case OTHER_KEYS: tls_tickets_set_keys(s->rig.server.tickets, keys, 1); break;
    case PSK_KE_ALONE: s->client.hello.modes = (struct bytes){psk_ke, 1}; break;
    case TOO_OLD: s->client.hello.offers[0].age = 8u * 24 * 60 * 60 * 1000; break;
    case CHANGED_TICKET: psk->ticket[psk->ticket_n - 1] ^= 1; break;
    default: psk->ticket_n--; break;
    }
}

TEST(does_not_resume)
{
    for (unsigned i = 0; i < 2 * TWISTS; i++) {
        struct scene13 s;
        enum twist how = (enum twist)(i / 2);
        scene13_init(&s, "p256.pem", "p256.key");
        struct psk13 psk = scene13_ticket(&s, 0x1301, NULL);
        scene13_begin(&s);
        s.client.hello.shares.n = i % 2; /* after a retry too */
        offer(&s.client, &psk);
        twist(&s, &psk, how);
        scene13_handshake(&s);
        if (scene13_is_open(&s)) {
            CHECK_EQ(s.client.psk, -1);
            CHECK(!tls_info(s.tls).resumed);
            CHECK_EQ(s.client.tickets_n, how == NO_TICKETS || how == PSK_KE_ALONE ? 0 : 2);
            scene13_exchange(&s);
        } else {
            printf("    twist %d\n", how);
        }
        scene13_free(&s);
    }
}

static bool resumes_now(struct scene13 *s, const struct psk13 *psk)
{
    scene13_begin(s);
    offer(&s->client, psk);
    scene13_handshake(s);
    return scene13_is_open(s) && scene13_exchange(s) && s->client.psk == 0;
}

/* A key seals for an hour here, opens for two more; a ticket lives for two. */
TEST(tickets_end_by_age_and_with_their_key)
{
    enum { HOUR = 3600 * 1000 };
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    struct psk13 first = scene13_ticket(&s, 0, NULL);
    clock_pass(HOUR);
    CHECK(resumes_now(&s, &first));
    struct psk13 second = s.client.tickets[0];
    CHECK(memcmp(first.ticket, second.ticket, 16) != 0);
    clock_pass(HOUR);
    CHECK(resumes_now(&s, &first));
    clock_pass(1);
    CHECK(!resumes_now(&s, &first));
    CHECK(resumes_now(&s, &second));
    clock_mono += 3 * HOUR; /* the wall clock was set back */
    CHECK(!resumes_now(&s, &second));
    scene13_free(&s);
}

/* Each resumption brings a ticket, but they do not carry a session past a week (§4.6.1). */
TEST(resumptions_do_not_go_on_for_ever)
{
    enum { HOUR = 3600 * 1000, WEEK_HOURS = 7 * 24 };
    struct scene13 s;
    unsigned hours = 0;

    scene13_init(&s, "p256.pem", "p256.key");
    struct psk13 last = scene13_ticket(&s, 0, NULL);
    do {
        clock_pass(HOUR);
        hours++;
        bool resumed = resumes_now(&s, &last);
        CHECK_EQ(resumed, hours <= WEEK_HOURS);
        last = s.client.tickets[0];
    } while (hours <= WEEK_HOURS);
    clock_pass(HOUR);
    CHECK(resumes_now(&s, &last)); /* that was a full handshake, and a new line begins */
    scene13_free(&s);
}

/* --- early data, which is not taken --- */

/* What a client may send before it hears from us, in records of `size`. */
static void send_early(struct client13 *c, size_t total, size_t size)
{
    static const uint8_t zeros[RECORD_TEXT_MAX];

    for (size_t n = 0; n < total; n += size)
        client13_data(c, zeros, total - n < size ? total - n : size);
}

TEST(early_data_goes_by)
{
    for (unsigned i = 0; i < 4 * PIECES; i++) {
        struct scene13 s;
        bool retry = i & 1, stranger = i & 2;
        scene13_init(&s, "p256.pem", "p256.key");
        s.wire.piece = pieces[i / 4];
        struct psk13 psk = scene13_ticket(&s, 0x1301, NULL);
        psk.ticket[0] ^= stranger;
        scene13_begin(&s);
        s.client.hello.shares.n = !retry;
        s.client.hello.early_data = true;
        offer(&s.client, &psk);
        client13_hello(&s.client);
        client13_early(&s.client);
        send_early(&s.client, 14000, 1000);
        client13_plain(&s.client, RECORD_CHANGE_CIPHER_SPEC, "\1", 1);
        send_early(&s.client, 200, 1);
        if (retry) { /* the client hears of it, and stops */
            scene13_turn(&s);
            CHECK(s.client.retried);
            client13_hello(&s.client);
        }
        scene13_turn(&s);
        if (CHECK_EQ(s.client.waits, WAITS_NOTHING)) {
            client13_finish(&s.client);
            scene13_turn(&s);
        }
        if (scene13_is_open(&s)) {
            CHECK_EQ(s.client.psk, stranger ? -1 : 0);
            CHECK_EQ(s.got.n, 0);
            scene13_exchange(&s);
        }
        scene13_free(&s);
    }
}

/* --- memory --- */

/* A retry, a resumption, data both ways, a key update, an end. False: it broke down on the way. */
static bool life(struct scene13 *s, const struct psk13 *psk)
{
    uint8_t much[40000] = {0};

    client13_init(&s->client);
    s->tls = tls_server_new(&s->rig.server);
    if (!s->tls)
        return false;
    s->client.hello.shares.n = 0;
    s->client.hello.name = "x";
    if (psk)
        offer(&s->client, psk);
    scene13_handshake(s);
    if (tls_status(s->tls) != TLS_OPEN)
        return false;
    client13_data(&s->client, "ping", 4);
    client13_key_update(&s->client, true);
    scene13_turn(s);
    for (size_t n = 0; n < sizeof much;) {
        struct span room = tls_lend(s->tls);
        if (!room.n)
            return false;
        size_t k = room.n < sizeof much - n ? room.n : sizeof much - n;
        memcpy(room.p, much + n, k);
        tls_commit(s->tls, k);
        n += k;
    }
    tls_seal(s->tls);
    tls_close(s->tls);
    scene13_answer(s);
    return tls_status(s->tls) == TLS_CLOSED && s->client.data.n == sizeof much;
}

/* Each allocation in turn, and all from there on. What the client hears then is an alert or nothing. */
static void fail_each(struct scene13 *s, const struct psk13 *psk, long count)
{
    for (long n = 0;; n++) {
        size_t blocks, before = mem_allocations();
        pool_trim(s->rig.pool);
        blocks = mem_blocks();
        mem_fail_at(n, count);
        bool whole = life(s, psk);
        bool reached = mem_allocations() - before > (size_t)n;
        mem_fail_at(-1, 0);
        CHECK_STR(s->client.error, "");
        if (whole) {
            CHECK(!s->client.has_alert || s->client.alert == 0);
        } else if (s->tls) {
            CHECK_EQ(tls_status(s->tls), TLS_FAILED);
            CHECK_EQ(tls_failure(s->tls).alert, 80);
            CHECK_STR(tls_failure(s->tls).text, "out of memory");
            CHECK(!s->client.has_alert || s->client.alert == 80);
        }
        tls_free(s->tls);
        s->tls = NULL;
        client13_free(&s->client);
        pool_trim(s->rig.pool);
        CHECK_EQ(mem_blocks(), blocks);
        if (!reached) {
            CHECK(whole);
            CHECK(n > 4);
            break;
        }
    }
}

TEST(no_allocation_is_one_too_many)
{
    static const size_t some[] = {1, 100, SIZE_MAX};

    for (size_t i = 0; i < 2 * sizeof some / sizeof some[0]; i++) {
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        s.wire.hold = true;
        s.wire.piece = some[i / 2];
        struct psk13 psk = scene13_ticket(&s, 0, NULL);
        tls_free(s.tls);
        s.tls = NULL;
        client13_free(&s.client);
        for (unsigned resume = 0; resume < 2; resume++)
            fail_each(&s, resume ? &psk : NULL, i % 2 ? 1 : 1000);
        scene13_free(&s);
    }
}

TEST_MAIN(RUN(p256_key), RUN(p384_key), RUN(p521_key), RUN(rsa_key), RUN(suites_and_their_order),
          RUN(groups_and_retries), RUN(a_long_chain), RUN(no_session_id_no_change_cipher_spec),
          RUN(name_and_protocol), RUN(second_hello_may_change_what_the_rfc_lists), RUN(resumes),
          RUN(resumes_after_a_retry), RUN(resumes_with_another_suite_of_the_same_hash),
          RUN(takes_the_first_that_fits), RUN(resumes_without_signature_algorithms), RUN(does_not_resume),
          RUN(tickets_end_by_age_and_with_their_key), RUN(resumptions_do_not_go_on_for_ever),
          RUN(early_data_goes_by), RUN(no_allocation_is_one_too_many))
