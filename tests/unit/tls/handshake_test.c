/* SPDX-License-Identifier: MIT
 *
 * The server's handshake: with every kind of key, in pieces of any size, resumed and not, and each way it must fail.
 */
#include "tests/unit/test.h"
#include "tests/unit/tls/rig.h"

#include "base/mem.h"

#include <assert.h>

struct scene {
    struct rig rig;
    struct tls_trust trust;
    struct peer peer;
    struct tls *tls;
    struct sink got;
    struct wire wire;
};

static void scene_init(struct scene *s, const char *cert, const char *key)
{
    memset(s, 0, sizeof *s);
    rig_init(&s->rig, rig_identity("default", cert, key));
    s->trust = rig_trust(cert);
    peer_init(&s->peer, &s->trust);
    s->wire = (struct wire){.piece = SIZE_MAX, .got = &s->got};
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

static void handshake(struct scene *s, const char *name, bool resume)
{
    tls_free(s->tls);
    s->tls = tls_server_new(&s->rig.server);
    assert(s->tls);
    peer_start(&s->peer, name, resume);
    wire_pump(&s->wire, &s->peer, s->tls);
}

static bool is_open(struct scene *s)
{
    return CHECK_EQ(tls_status(s->tls), TLS_OPEN) & CHECK_STR(tls_failure(s->tls).text, "") &
           CHECK_EQ(peer_error(&s->peer), 0);
}

/* A request and a reply, so that both directions' keys are known to be right. */
static void exchange(struct scene *s)
{
    s->got.n = s->peer.got.n = 0;
    peer_write(&s->peer, "ping", 4);
    wire_pump(&s->wire, &s->peer, s->tls);
    CHECK_MEM(s->got.p, s->got.n, "ping", 4);
    struct span room = tls_lend(s->tls);
    if (!CHECK(room.n >= 4))
        return;
    memcpy(room.p, "pong", 4);
    tls_commit(s->tls, 4);
    tls_seal(s->tls);
    wire_pump(&s->wire, &s->peer, s->tls);
    CHECK_MEM(s->peer.got.p, s->peer.got.n, "pong", 4);
}

static void with_key(const char *cert, const char *key, const char *name, const char *cipher)
{
    static const size_t pieces[] = {1, 2, 5, 7, 100, 1000, SIZE_MAX};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct scene s;
        scene_init(&s, cert, key);
        s.wire.piece = pieces[i];
        handshake(&s, name, false);
        if (is_open(&s)) {
            CHECK_STR(tls_info(s.tls).version, "TLSv1.2");
            CHECK_STR(tls_info(s.tls).cipher, cipher);
            CHECK(!tls_info(s.tls).resumed);
            CHECK_STR(tls_server_name(s.tls), name);
            CHECK(tls_identity_of(s.tls) == s.rig.fallback);
            CHECK_EQ(s.rig.selected, 1);
            exchange(&s);
        }
        scene_free(&s);
    }
}

/* BearSSL's full client lists ChaCha20 first, and who does gets it. */
TEST(p256_key)
{
    with_key("p256.pem", "p256.key", "p256.test", "ECDHE-ECDSA-CHACHA20-POLY1305");
}
TEST(p384_key)
{
    with_key("p384.pem", "p384.key", "p384.test", "ECDHE-ECDSA-CHACHA20-POLY1305");
}
TEST(rsa_key)
{
    with_key("rsa2048.pem", "rsa2048.key", "rsa.test", "ECDHE-RSA-CHACHA20-POLY1305");
}

TEST(suites_and_their_order)
{
    static const struct {
        uint16_t offered[3];
        unsigned n;
        const char *cipher; /* NULL: handshake_failure */
    } cases[] = {
        {{BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},                                                   1, "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {{BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},                                                   1, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {{BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
         2,                                                                                                 "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {{BR_TLS_RSA_WITH_AES_128_GCM_SHA256},                                                           1, NULL                           },
        {{BR_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256},                                                   1, NULL                           },
        {{BR_TLS_ECDHE_ECDSA_WITH_AES_128_CCM},                                                          1, NULL                           },
        {{BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},                                                     1, NULL                           }, /* the key is EC */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        scene_init(&s, "p256.pem", "p256.key");
        br_ssl_engine_set_suites(&s.peer.cc.eng, cases[i].offered, cases[i].n);
        handshake(&s, "p256.test", false);
        if (cases[i].cipher) {
            if (is_open(&s)) {
                CHECK_STR(tls_info(s.tls).cipher, cases[i].cipher);
                exchange(&s);
            }
        } else {
            CHECK_EQ(tls_status(s.tls), TLS_FAILED);
            CHECK_EQ(tls_failure(s.tls).alert, 40);
            CHECK_STR(tls_failure(s.tls).text, "no common cipher suite");
            CHECK_EQ(peer_error(&s.peer), BR_ERR_RECV_FATAL_ALERT + 40);
        }
        scene_free(&s);
    }
}

TEST(aes_is_preferred_where_it_is_fast)
{
    static const uint16_t offered[] = {
        BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    };
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    br_ssl_engine_set_suites(&s.peer.cc.eng, offered, 3);
    handshake(&s, "p256.test", false);
    if (is_open(&s)) {
        bool aes = br_aes_x86ni_ctr_get_vtable() != NULL;
        CHECK_STR(tls_info(s.tls).cipher,
                  aes ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "ECDHE-ECDSA-CHACHA20-POLY1305");
    }
    scene_free(&s);
}

/* RFC 8446 §4.1.3: full handshakes and resumed ones alike. The client's own random has no such end. */
TEST(downgrade_sentinel)
{
    static const uint8_t sentinel[8] = {'D', 'O', 'W', 'N', 'G', 'R', 'D', 1};
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    s.rig.server.sessions = tls_session_cache_new(16);
    for (int resume = 0; resume < 2; resume++) {
        handshake(&s, "p256.test", resume);
        if (!is_open(&s))
            break;
        CHECK_EQ(tls_info(s.tls).resumed, resume);
        CHECK_MEM(s.peer.cc.eng.server_random + 24, 8, sentinel, 8);
        CHECK(memcmp(s.peer.cc.eng.server_random + 4, sentinel, 8) != 0);
        CHECK(memcmp(s.peer.cc.eng.client_random + 24, sentinel, 8) != 0);
    }
    scene_free(&s);
}

static uint32_t curves_of(const struct scene *s)
{
    return (uint32_t)1 << s->peer.cc.eng.ecdhe_curve;
}

TEST(curves)
{
    static br_ec_impl p384, p256;
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    handshake(&s, "p256.test", false);
    if (is_open(&s))
        CHECK_EQ(curves_of(&s), (uint32_t)1 << BR_EC_curve25519);
    scene_free(&s);

    p256 = br_ec_all_m31;
    p256.supported_curves = (uint32_t)1 << BR_EC_secp256r1;
    scene_init(&s, "p256.pem", "p256.key");
    br_ssl_engine_set_ec(&s.peer.cc.eng, &p256);
    handshake(&s, "p256.test", false);
    if (is_open(&s))
        CHECK_EQ(curves_of(&s), (uint32_t)1 << BR_EC_secp256r1);
    scene_free(&s);

    p384 = br_ec_all_m31;
    p384.supported_curves = (uint32_t)1 << BR_EC_secp384r1 | (uint32_t)1 << BR_EC_secp521r1;
    scene_init(&s, "p256.pem", "p256.key");
    br_ssl_engine_set_ec(&s.peer.cc.eng, &p384);
    handshake(&s, "p256.test", false);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 40);
    scene_free(&s);
}

TEST(alpn)
{
    static const char *ours[] = {"h2", "http/1.1"};
    static const char *theirs[] = {"h2", "spdy/3"};
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    br_ssl_engine_set_protocol_names(&s.peer.cc.eng, ours, 2);
    handshake(&s, "p256.test", false);
    if (is_open(&s))
        CHECK_STR(tls_info(s.tls).alpn, "http/1.1");
    CHECK_STR(br_ssl_engine_get_selected_protocol(&s.peer.cc.eng), "http/1.1");

    /* RFC 7301 §3.2; after a good one, too: BearSSL would not look when it resumes. */
    s.rig.server.sessions = tls_session_cache_new(4);
    handshake(&s, "p256.test", false);
    for (int resume = 0; resume < 2; resume++) {
        br_ssl_engine_set_protocol_names(&s.peer.cc.eng, theirs, 2);
        handshake(&s, "p256.test", resume);
        CHECK_EQ(tls_status(s.tls), TLS_FAILED);
        CHECK_EQ(tls_failure(s.tls).alert, 120);
        CHECK_STR(tls_failure(s.tls).text, "no common application protocol");
        CHECK_EQ(peer_error(&s.peer), BR_ERR_RECV_FATAL_ALERT + 120);
        s.peer.cc.eng.ibuf = s.peer.buffer; /* reset again below */
    }

    br_ssl_engine_set_protocol_names(&s.peer.cc.eng, NULL, 0);
    handshake(&s, "p256.test", false);
    if (is_open(&s))
        CHECK_STR(tls_info(s.tls).alpn, "");
    scene_free(&s);
}

TEST(no_name_gets_the_default)
{
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    s.rig.named = rig_identity("rsa.test", "rsa2048.pem", "rsa2048.key");
    handshake(&s, NULL, false);
    if (is_open(&s)) {
        CHECK_STR(tls_server_name(s.tls), "");
        CHECK(tls_identity_of(s.tls) == s.rig.fallback);
    }
    scene_free(&s);
}

TEST(name_selects)
{
    struct scene s;

    scene_init(&s, "rsa2048.pem", "rsa2048.key");
    s.rig.named = s.rig.fallback;
    s.rig.fallback = rig_identity("other", "p256.pem", "p256.key");
    mem_free(s.rig.named->name);
    s.rig.named->name = mem_strdup("rsa.test");
    handshake(&s, "RSA.test", false);
    if (is_open(&s)) {
        CHECK_STR(tls_server_name(s.tls), "rsa.test");
        CHECK(tls_identity_of(s.tls) == s.rig.named);
    }
    scene_free(&s);
}

TEST(unknown_name_is_refused)
{
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    tls_identity_unref(s.rig.fallback);
    s.rig.fallback = NULL;
    handshake(&s, "nobody.test", false);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 112);
    CHECK(!tls_failure(s.tls).received);
    CHECK_STR(tls_failure(s.tls).text, "no certificate for this name");
    CHECK_EQ(peer_error(&s.peer), BR_ERR_RECV_FATAL_ALERT + 112);
    CHECK_STR(tls_server_name(s.tls), "nobody.test");
    scene_free(&s);
}

TEST(identity_outlives_the_store)
{
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    handshake(&s, "p256.test", false);
    tls_identity_unref(s.rig.fallback); /* a reload */
    s.rig.fallback = NULL;
    if (is_open(&s))
        exchange(&s);
    scene_free(&s);
}

TEST(resumes_at_the_same_site_alone)
{
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    s.rig.named = rig_identity("www.p256.test", "p256.pem", "p256.key");
    s.rig.server.sessions = tls_session_cache_new(16);
    handshake(&s, "p256.test", true);
    if (is_open(&s))
        CHECK(!tls_info(s.tls).resumed);
    CHECK_EQ(tls_session_cache_count(s.rig.server.sessions), 1);
    for (int i = 0; i < 3; i++) {
        handshake(&s, "p256.test", true);
        if (is_open(&s)) {
            CHECK(tls_info(s.tls).resumed);
            exchange(&s);
        }
    }
    CHECK_EQ(tls_session_cache_count(s.rig.server.sessions), 1);

    /* The same certificate, another site: a full handshake, and the session is not spoilt for its own. */
    br_ssl_session_parameters session;
    br_ssl_engine_get_session_parameters(&s.peer.cc.eng, &session);
    handshake(&s, "www.p256.test", true);
    if (is_open(&s))
        CHECK(!tls_info(s.tls).resumed);
    CHECK_EQ(tls_session_cache_count(s.rig.server.sessions), 2);
    br_ssl_engine_set_session_parameters(&s.peer.cc.eng, &session);
    handshake(&s, "p256.test", true);
    if (is_open(&s))
        CHECK(tls_info(s.tls).resumed);

    /* Without a cache. */
    tls_session_cache_free(s.rig.server.sessions);
    s.rig.server.sessions = NULL;
    handshake(&s, "p256.test", true);
    if (is_open(&s))
        CHECK(!tls_info(s.tls).resumed);
    scene_free(&s);
}

TEST(does_not_resume_when_the_suite_is_not_offered)
{
    static const uint16_t aes[] = {BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    s.rig.server.sessions = tls_session_cache_new(16);
    handshake(&s, "p256.test", true);
    br_ssl_engine_set_suites(&s.peer.cc.eng, aes, 1);
    handshake(&s, "p256.test", true);
    if (is_open(&s)) {
        CHECK(!tls_info(s.tls).resumed);
        exchange(&s);
    }
    scene_free(&s);
}

/* --- failures --- */

static struct tls *server_given(struct rig *r, const void *bytes, size_t n, size_t piece)
{
    struct sink got = {0};
    struct wire wire = {.piece = piece, .got = &got};
    struct tls *t = tls_server_new(&r->server);

    assert(t);
    wire_push(&wire, t, bytes, n);
    CHECK_EQ(got.n, 0);
    sink_free(&got);
    return t;
}

/* These bytes at the start of a connection fail it with this alert, whether they come whole or one by one. */
static void refused(const void *bytes, size_t n, uint8_t alert, const char *text)
{
    static const size_t pieces[] = {1, 3, SIZE_MAX};
    const uint8_t record[] = {21, 3, 3, 0, 2, 2, alert};
    struct rig r;

    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    for (size_t i = 0; i < 3; i++) {
        struct tls *t = server_given(&r, bytes, n, pieces[i]);
        CHECK_EQ(tls_status(t), TLS_FAILED);
        CHECK_EQ(tls_failure(t).alert, alert);
        CHECK_STR(tls_failure(t).text, text);
        CHECK(!tls_failure(t).plain_http);
        struct sink out = rig_take_output(t);
        CHECK_MEM(out.p, out.n, record, sizeof record);
        sink_free(&out);
        uint8_t more[] = {22, 3, 1};
        CHECK_EQ(tls_recv(t, more, sizeof more), 0);
        CHECK_EQ(tls_lend(t).n, 0);
        CHECK_EQ(tls_wants(t), 0);
        tls_free(t);
        CHECK_EQ(pool_lent(r.pool), 0);
    }
    rig_release(&r);
}

TEST(what_is_no_hello)
{
    uint8_t hello[1024];
    size_t n;

    refused("SSH-2.0-OpenSSH_9.2\r\n", 21, 10, "not a TLS record");
    refused("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11, 70, "no common TLS version");
    refused("\x15\x03\x01\x00\x02\x02\x28", 7, 10, "unexpected message");
    refused("\x17\x03\x03\x00\x01\x00", 6, 10, "unexpected message");
    refused("\x16\x02\x00\x00\x05\x01", 6, 70, "no common TLS version");
    refused("\x16\x03\x01\x00\x00", 5, 10, "not a TLS record");
    refused("\x16\x03\x01\x40\x01", 5, 22, "record too large");
    refused("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, 10, "unexpected message");
    refused("\x16\x03\x01\x10\x00\x01\x00\x40\x01", 9, 47, "ClientHello too large");
    n = rig_hello(hello, sizeof hello, 0x0301, NULL);
    refused(hello, n, 70, "no common TLS version");
    n = rig_hello(hello, sizeof hello, 0x0302, NULL);
    refused(hello, n, 70, "no common TLS version");
    n = rig_hello(hello, sizeof hello, 0x0303, NULL);
    hello[5 + 4 + 2 + 32] = 33; /* session id */
    refused(hello, n, 50, "malformed ClientHello");
}

static void only_unknown_versions(struct writer *w)
{
    writer_u16(w, 43);
    writer_u16(w, 5);
    writer_u8(w, 4);
    writer_u16(w, 0x0a0a);
    writer_u16(w, 0x0305);
}

TEST(versions_that_we_do_not_speak)
{
    uint8_t hello[1024];
    size_t n = rig_hello(hello, sizeof hello, 0x0303, only_unknown_versions);

    refused(hello, n, 70, "no common TLS version");
}

/* RFC 7507: a client that tries again with less than it has. */
TEST(fallback_is_refused)
{
    uint8_t hello[1024];
    size_t n = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);

    /* In the place of the GREASE suite. */
    hello[5 + 4 + 2 + 32 + 1 + 2] = 0x56;
    hello[5 + 4 + 2 + 32 + 1 + 3] = 0;
    refused(hello, n, 86, "the client fell back to TLS 1.2");
}

TEST(plain_http)
{
    static const char *const requests[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                           "POST /",
                                           "HEAD /",
                                           "PUT /",
                                           "OPTIONS *",
                                           "DELETE /",
                                           "PATCH /",
                                           "CONNECT a:1",
                                           "TRACE /",
                                           "PRI * HTTP/2.0\r\n"};
    struct rig r;

    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        for (size_t piece = 1; piece < 6; piece++) {
            struct tls *t = server_given(&r, requests[i], strlen(requests[i]), piece);
            CHECK_EQ(tls_status(t), TLS_FAILED);
            CHECK(tls_failure(t).plain_http);
            CHECK_EQ(tls_failure(t).alert, 0);
            CHECK_STR(tls_failure(t).text, "plain HTTP request");
            CHECK_EQ(tls_output(t)->bytes, 0); /* the answer is the caller's, in the clear */
            tls_free(t);
        }
    rig_release(&r);
}

/* Splits one record's payload into records of `part` bytes. */
static size_t split(uint8_t *out, const uint8_t *record, size_t n, size_t part)
{
    size_t at = 0;

    for (size_t i = 5; i < n; i += part) {
        size_t k = n - i < part ? n - i : part;
        memcpy(out + at, record, 3);
        out[at + 3] = (uint8_t)(k >> 8);
        out[at + 4] = (uint8_t)k;
        memcpy(out + at + 5, record + i, k);
        at += 5 + k;
    }
    return at;
}

TEST(hello_over_several_records)
{
    static const size_t parts[] = {1, 2, 3, 4, 50};
    static const size_t pieces[] = {1, 4, SIZE_MAX};

    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 3; j++) {
            struct scene s;
            uint8_t bytes[16384];
            size_t n;
            scene_init(&s, "p256.pem", "p256.key");
            s.wire.piece = pieces[j];
            s.tls = tls_server_new(&s.rig.server);
            peer_start(&s.peer, "p256.test", false);
            uint8_t *at = br_ssl_engine_sendrec_buf(&s.peer.cc.eng, &n);
            size_t total = split(bytes, at, n, parts[i]);
            CHECK_EQ(wire_push(&s.wire, s.tls, bytes, total), total);
            br_ssl_engine_sendrec_ack(&s.peer.cc.eng, n);
            CHECK_EQ(s.rig.selected, 1);
            wire_pump(&s.wire, &s.peer, s.tls);
            if (is_open(&s))
                exchange(&s);
            scene_free(&s);
        }
}

TEST(hello_of_headers_alone_is_refused)
{
    uint8_t bytes[20000];
    size_t n = 0;
    struct rig r;

    /* One byte of the message in each record, and a message that is longer than that allows. */
    bytes[n++] = 22;
    memcpy(bytes + n, "\x03\x01\x00\x04\x01\x00\x30\x00", 8);
    n += 8;
    while (n + 6 <= sizeof bytes) {
        memcpy(bytes + n, "\x16\x03\x01\x00\x01\x00", 6);
        n += 6;
    }
    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    struct tls *t = server_given(&r, bytes, n, 1000);
    CHECK_EQ(tls_status(t), TLS_FAILED);
    CHECK_STR(tls_failure(t).text, "ClientHello too large");
    tls_free(t);
    CHECK_EQ(pool_lent(r.pool), 0);
    rig_release(&r);
}

TEST(end_in_the_handshake)
{
    struct scene s;

    scene_init(&s, "p256.pem", "p256.key");
    s.tls = tls_server_new(&s.rig.server);
    tls_recv_eof(s.tls);
    CHECK_EQ(tls_status(s.tls), TLS_FAILED);
    CHECK_EQ(tls_failure(s.tls).alert, 0);
    CHECK_STR(tls_failure(s.tls).text, "connection closed in the handshake");
    scene_free(&s);

    /* After the hello. */
    uint8_t hello[1024];
    size_t n = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);
    struct rig r;
    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    struct tls *t = server_given(&r, hello, n, 1);
    CHECK_EQ(tls_status(t), TLS_HANDSHAKE);
    CHECK(tls_output(t)->bytes > 100);
    tls_recv_eof(t);
    CHECK_EQ(tls_status(t), TLS_FAILED);
    CHECK_STR(tls_failure(t).text, "connection closed in the handshake");
    tls_free(t);
    CHECK_EQ(pool_lent(r.pool), 0);
    rig_release(&r);
}

TEST(alerts_in_the_handshake)
{
    static const struct {
        uint8_t record[7], status;
        uint8_t alert;
        const char *text;
    } cases[] = {
        {{21, 3, 3, 0, 2, 2, 48}, TLS_FAILED, 48, "peer sent alert unknown_ca"        },
        {{21, 3, 3, 0, 2, 2, 77}, TLS_FAILED, 77, "peer sent alert unknown"           },
        {{21, 3, 3, 0, 2, 1, 0},  TLS_FAILED, 0,  "connection closed in the handshake"},
    };
    uint8_t hello[1024];
    size_t n = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);
    struct rig r;

    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls *t = server_given(&r, hello, n, SIZE_MAX);
        uint8_t record[7];
        memcpy(record, cases[i].record, sizeof record);
        CHECK_EQ(tls_recv(t, record, sizeof record), sizeof record);
        CHECK_EQ(tls_status(t), cases[i].status);
        CHECK_EQ(tls_failure(t).alert, cases[i].alert);
        CHECK(tls_failure(t).received);
        CHECK_STR(tls_failure(t).text, cases[i].text);
        tls_free(t);
    }
    rig_release(&r);
}

/* More handshake bytes in a record than the message that is due: the engine must fail, not wait. */
TEST(surplus_in_a_handshake_record)
{
    uint8_t hello[1024];
    size_t n = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);
    uint8_t unexpected[] = {22, 3, 3, 0, 4, 14, 0, 0, 0};
    struct rig r;

    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    struct tls *t = server_given(&r, hello, n, SIZE_MAX);
    CHECK_EQ(tls_recv(t, unexpected, sizeof unexpected), sizeof unexpected);
    CHECK_EQ(tls_status(t), TLS_FAILED);
    CHECK_EQ(tls_failure(t).alert, 10);
    struct sink out = rig_take_output(t);
    CHECK(out.n > 7 && memcmp(out.p + out.n - 7, "\x15\x03\x03\x00\x02\x02\x0a", 7) == 0);
    sink_free(&out);
    tls_free(t);
    rig_release(&r);
}

/* Any byte of the client's second flight changed fails the handshake, and an alert leaves. */
TEST(tampering_is_noticed)
{
    for (size_t at = 0;; at += 3) {
        struct scene s;
        uint8_t bytes[1024];
        size_t total = 0, n;
        scene_init(&s, "p256.pem", "p256.key");
        s.tls = tls_server_new(&s.rig.server);
        peer_start(&s.peer, "p256.test", false);
        br_ssl_engine_context *eng = &s.peer.cc.eng;
        uint8_t *p = br_ssl_engine_sendrec_buf(eng, &n);
        wire_push(&s.wire, s.tls, p, n);
        br_ssl_engine_sendrec_ack(eng, n);
        while (tls_output(s.tls)->bytes && (p = br_ssl_engine_recvrec_buf(eng, &n))) {
            struct bytes out = bufq_front(tls_output(s.tls));
            n = n < out.n ? n : out.n;
            memcpy(p, out.p, n);
            bufq_drop(tls_output(s.tls), n);
            br_ssl_engine_recvrec_ack(eng, n);
        }
        while ((p = br_ssl_engine_sendrec_buf(eng, &n))) {
            memcpy(bytes + total, p, n);
            total += n;
            br_ssl_engine_sendrec_ack(eng, n);
        }
        bool last = at >= total;
        if (!last) {
            bytes[at] ^= 0x20;
            wire_push(&s.wire, s.tls, bytes, total);
            /* A record made longer waits for its rest. */
            if (tls_status(s.tls) == TLS_HANDSHAKE)
                tls_recv_eof(s.tls);
            else
                CHECK(tls_output(s.tls)->bytes >= 7 || tls_failure(s.tls).received);
            CHECK_EQ(tls_status(s.tls), TLS_FAILED);
        }
        scene_free(&s);
        if (last)
            break;
    }
}

TEST(abort_before_and_after_the_hello)
{
    uint8_t hello[1024];
    size_t n = rig_hello(hello, sizeof hello, 0x0303, rig_ordinary);
    struct rig r;

    rig_init(&r, rig_identity("default", "p256.pem", "p256.key"));
    for (size_t i = 0; i < 3; i++) {
        struct tls *t = server_given(&r, hello, i == 0 ? 0 : i == 1 ? 20 : n, SIZE_MAX);
        tls_abort(t, 90);
        CHECK_EQ(tls_status(t), TLS_FAILED);
        CHECK_EQ(tls_failure(t).alert, 90);
        CHECK_STR(tls_failure(t).text, "sent alert user_canceled");
        struct sink out = rig_take_output(t);
        CHECK(out.n >= 7 && memcmp(out.p + out.n - 7, "\x15\x03\x03\x00\x02\x02\x5a", 7) == 0);
        sink_free(&out);
        CHECK_EQ(pool_lent(r.pool), 0);
        tls_free(t);
    }
    rig_release(&r);
}

TEST_MAIN(RUN(p256_key), RUN(p384_key), RUN(rsa_key), RUN(suites_and_their_order),
          RUN(aes_is_preferred_where_it_is_fast), RUN(downgrade_sentinel), RUN(curves), RUN(alpn),
          RUN(no_name_gets_the_default), RUN(name_selects), RUN(unknown_name_is_refused),
          RUN(identity_outlives_the_store), RUN(resumes_at_the_same_site_alone),
          RUN(does_not_resume_when_the_suite_is_not_offered), RUN(what_is_no_hello),
          RUN(versions_that_we_do_not_speak), RUN(fallback_is_refused), RUN(plain_http),
          RUN(hello_over_several_records), RUN(hello_of_headers_alone_is_refused), RUN(end_in_the_handshake),
          RUN(alerts_in_the_handshake), RUN(surplus_in_a_handshake_record), RUN(tampering_is_noticed),
          RUN(abort_before_and_after_the_hello))
