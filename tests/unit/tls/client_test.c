/* SPDX-License-Identifier: MIT
 *
 * The client, against our own server: whom it trusts, by name and by address, and whom it must not. And the life of a
 * pair of connections with every allocation failed in turn.
 */
#include "tests/unit/test.h"
#include "tests/unit/tls/rig.h"
#include "tls/verify.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Moves bytes between two connections until neither has any, `piece` at a time. */
static void join(struct tls *a, struct tls *b, size_t piece, struct sink *to_a, struct sink *to_b)
{
    struct wire wa = {.piece = piece, .got = to_a}, wb = {.piece = piece, .got = to_b};

    for (bool moved = true; moved;) {
        moved = false;
        struct sink out = rig_take_output(a);
        moved |= out.n > 0;
        if (tls_status(b) <= TLS_OPEN)
            wire_push(&wb, b, out.p, out.n);
        sink_free(&out);
        out = rig_take_output(b);
        moved |= out.n > 0;
        if (tls_status(a) <= TLS_OPEN)
            wire_push(&wa, a, out.p, out.n);
        sink_free(&out);
    }
}

static bool say(struct tls *t, const char *text)
{
    struct span room = tls_lend(t);
    size_t n = strlen(text);

    if (room.n < n)
        return false;
    memcpy(room.p, text, n);
    tls_commit(t, n);
    tls_seal(t);
    return tls_status(t) == TLS_OPEN;
}

struct pair {
    struct rig rig;
    struct tls_trust trust;
    struct pool *pool;
    struct tls *server, *client;
    struct sink to_server, to_client;
};

static void pair_init(struct pair *p, const char *cert, const char *key, const char *anchor)
{
    memset(p, 0, sizeof *p);
    rig_init(&p->rig, rig_identity("site", cert, key));
    p->trust = rig_trust(anchor);
    p->pool = pool_new(0, 0);
    assert(p->pool);
}

static void pair_free(struct pair *p)
{
    tls_free(p->server);
    tls_free(p->client);
    sink_free(&p->to_server);
    sink_free(&p->to_client);
    CHECK_EQ(pool_lent(p->pool), 0);
    CHECK_EQ(pool_lent(p->rig.pool), 0);
    pool_free(p->pool);
    rig_release(&p->rig);
    rig_trust_free(&p->trust);
}

static void connect_pair(struct pair *p, const char *name, size_t piece)
{
    static const char *const names[] = {"http/1.1"};

    p->server = tls_server_new(&p->rig.server);
    p->client = tls_client_new(&p->trust, name, (struct tls_alpn){names, 1}, p->pool);
    if (CHECK(p->server && p->client))
        join(p->client, p->server, piece, &p->to_client, &p->to_server);
}

/* The name that a server with this certificate is asked for, and what comes of it: NULL is an open connection. */
static void meets(const char *cert, const char *key, const char *anchor, const char *name, const char *text)
{
    struct pair p;

    pair_init(&p, cert, key, anchor);
    connect_pair(&p, name, SIZE_MAX);
    if (!text) {
        CHECK_STR(tls_failure(p.client).text, "");
        CHECK_EQ(tls_status(p.client), TLS_OPEN);
        CHECK_EQ(tls_status(p.server), TLS_OPEN);
    } else {
        CHECK_EQ(tls_status(p.client), TLS_FAILED);
        CHECK_STR(tls_failure(p.client).text, text);
        CHECK_EQ(tls_status(p.server), TLS_FAILED);
        CHECK(tls_failure(p.server).received);
        CHECK_EQ(tls_failure(p.server).alert, tls_failure(p.client).alert);
    }
    pair_free(&p);
}

TEST(talks)
{
    static const size_t pieces[] = {1, 11, SIZE_MAX};

    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        pair_init(&p, "p256.pem", "p256.key", "p256.pem");
        connect_pair(&p, "p256.test", pieces[i]);
        CHECK_EQ(tls_status(p.client), TLS_OPEN);
        CHECK_STR(tls_info(p.client).alpn, "http/1.1");
        CHECK_STR(tls_info(p.client).cipher, tls_info(p.server).cipher);
        CHECK_STR(tls_server_name(p.server), "p256.test");
        CHECK(tls_is_idle(p.client) && tls_is_idle(p.server));
        CHECK_EQ(pool_lent(p.pool), 0);
        CHECK(say(p.client, "question"));
        join(p.client, p.server, pieces[i], &p.to_client, &p.to_server);
        CHECK_MEM(p.to_server.p, p.to_server.n, "question", 8);
        CHECK(say(p.server, "answer"));
        tls_close(p.server);
        join(p.client, p.server, pieces[i], &p.to_client, &p.to_server);
        CHECK_MEM(p.to_client.p, p.to_client.n, "answer", 6);
        CHECK_EQ(tls_status(p.client), TLS_PEER_CLOSED);
        CHECK_EQ(tls_status(p.server), TLS_CLOSED);
        pair_free(&p);
    }
}

TEST(trusts_by_name)
{
    meets("p256.pem", "p256.key", "p256.pem", "www.p256.test", NULL);
    meets("p256.pem", "p256.key", "p256.pem", "P256.TEST", NULL);
    meets("p384.pem", "p384.key", "p384.pem", "p384.test", NULL);
    meets("rsa2048.pem", "rsa2048.key", "rsa2048.pem", "rsa.test", NULL);
    meets("wildcard.pem", "p256.key", "wildcard.pem", "a.example.test", NULL);
    meets("chain.pem", "p256.key", "root.pem", "leaf.test", NULL);
}

TEST(does_not_trust)
{
    static const char name[] = "certificate is for another name",
                      anchor[] = "certificate chain ends at no known CA";

    meets("p256.pem", "p256.key", "p256.pem", "other.test", name);
    meets("p256.pem", "p256.key", "p256.pem", "xp256.test", name);
    meets("wildcard.pem", "p256.key", "wildcard.pem", "a.b.example.test", name);
    meets("p256.pem", "p256.key", "p384.pem", "p256.test", anchor);
    meets("chain.pem", "p256.key", "p256.pem", "leaf.test", anchor);
    meets("leaf.pem", "p256.key", "root.pem", "leaf.test", anchor);
    meets("expired.pem", "p256.key", "expired.pem", "dates.test", "certificate expired or not yet valid");
    meets("future.pem", "p256.key", "future.pem", "dates.test", "certificate expired or not yet valid");
    /* Whoever holds another key than the certificate's. */
    meets("p256.pem", "p384.key", "p256.pem", "p256.test", "bad signature");
}

TEST(trusts_by_address)
{
    static const char name[] = "certificate is for another name";

    meets("ip.pem", "p256.key", "ip.pem", "192.0.2.1", NULL);
    meets("ip.pem", "p256.key", "ip.pem", "2001:db8::1", NULL);
    meets("ip.pem", "p256.key", "ip.pem", "2001:0DB8:0:0::1", NULL);
    meets("ip.pem", "p256.key", "ip.pem", "ip.test", NULL);
    meets("ip.pem", "p256.key", "ip.pem", "192.0.2.2", name);
    meets("ip.pem", "p256.key", "ip.pem", "2001:db8::2", name);
    meets("p256.pem", "p256.key", "p256.pem", "192.0.2.1", name);
    meets("ip.pem", "p256.key", "p256.pem", "192.0.2.1", "certificate chain ends at no known CA");
}

TEST(an_address_is_not_sent_as_a_name)
{
    struct pair p;

    pair_init(&p, "ip.pem", "p256.key", "ip.pem");
    connect_pair(&p, "192.0.2.1", SIZE_MAX);
    CHECK_STR(tls_server_name(p.server), "");
    pair_free(&p);
}

TEST(a_client_must_know_whom_it_calls)
{
    struct pair p;
    char name[400];

    pair_init(&p, "p256.pem", "p256.key", "p256.pem");
    CHECK(tls_client_new(&p.trust, "", (struct tls_alpn){NULL, 0}, p.pool) == NULL);
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 0;
    CHECK(tls_client_new(&p.trust, name, (struct tls_alpn){NULL, 0}, p.pool) == NULL);
    pair_free(&p);
}

/* Whatever a server of another protocol says is refused at once, and not waited for as a long record. */
TEST(a_server_that_speaks_no_tls)
{
    static const char *const texts[] = {"220 mail.test ESMTP\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
                                        "SSH-2.0-x\r\n", "\0\0\0\0\0"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tls_trust trust = rig_trust("p256.pem");
        struct pool *pool = pool_new(0, 0);
        struct tls *t = tls_client_new(&trust, "p256.test", (struct tls_alpn){NULL, 0}, pool);
        struct wire w = {.piece = 1};
        struct sink got = {0};

        w.got = &got;
        CHECK_EQ(wire_push(&w, t, texts[i], 4), 4);
        CHECK_EQ(tls_status(t), TLS_HANDSHAKE);
        (void)wire_push(&w, t, texts[i] + 4, 1);
        CHECK_EQ(tls_status(t), TLS_FAILED);
        CHECK_STR(tls_failure(t).text, "the peer does not speak TLS");
        CHECK_EQ(tls_failure(t).alert, 70);
        tls_free(t);
        CHECK_EQ(pool_lent(pool), 0);
        pool_free(pool);
        rig_trust_free(&trust);
    }
}

/* Malformed DER is a certificate without that address, and nothing is read behind its end. */
TEST(addresses_in_malformed_certificates)
{
    static const uint8_t ip[4] = {192, 0, 2, 1};
    struct tls_identity *id = rig_identity("site", "ip.pem", "p256.key");
    struct bytes whole = {id->chain[0].data, id->chain[0].data_len};

    CHECK(verify_names_ip(whole, bytes_of(ip, 4)));
    CHECK(!verify_names_ip(whole, bytes_of(ip, 3)));
    CHECK(!verify_names_ip(whole, bytes_of(ip, 0)));
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *mine = malloc(n ? n : 1);
        memcpy(mine, whole.p, n);
        CHECK(!verify_names_ip(bytes_of(mine, n), bytes_of(ip, 4)));
        free(mine);
    }
    uint8_t *mine = malloc(whole.n);
    for (size_t i = 0; i < whole.n * 8; i++) {
        memcpy(mine, whole.p, whole.n);
        mine[i / 8] ^= (uint8_t)(1u << i % 8);
        (void)verify_names_ip(bytes_of(mine, whole.n), bytes_of(ip, 4));
    }
    free(mine);
    tls_identity_unref(id);
}

/* --- memory --- */

/* One life of a pair: handshake, both ways, held data, close. Whatever fails, it must end well. */
static void live(struct pair *p)
{
    static const char *const names[] = {"http/1.1"};
    static uint8_t data[40000];

    p->server = tls_server_new(&p->rig.server);
    p->client = tls_client_new(&p->trust, "192.0.2.1", (struct tls_alpn){names, 1}, p->pool);
    if (!p->server || !p->client)
        return;
    join(p->client, p->server, 7, &p->to_client, &p->to_server);
    for (int turn = 0; turn < 2; turn++) {
        struct wire hold = {.piece = 1000, .hold = true, .got = &p->to_server};
        (void)say(p->client, "question");
        struct sink out = rig_take_output(p->client);
        wire_push(&hold, p->server, out.p, out.n);
        sink_free(&out);
        for (size_t sent = 0; sent < sizeof data;) {
            struct span room = tls_lend(p->server);
            if (!room.n)
                break;
            size_t k = room.n < sizeof data - sent ? room.n : sizeof data - sent;
            memcpy(room.p, data + sent, k);
            tls_commit(p->server, k);
            sent += k;
        }
        tls_seal(p->server);
        join(p->client, p->server, 3000, &p->to_client, &p->to_server);
    }
    tls_close(p->client);
    join(p->client, p->server, SIZE_MAX, &p->to_client, &p->to_server);
    tls_close(p->server);
}

TEST(every_allocation_failed_in_turn)
{
    size_t made = 0;

    for (long at = -1; at < (long)made; at++) {
        struct pair p;
        pair_init(&p, "ip.pem", "p256.key", "ip.pem");
        p.rig.server.sessions = tls_session_cache_new(4);
        /* No buffer is kept, so that each is an allocation. */
        pool_free(p.rig.pool);
        p.rig.pool = p.rig.server.pool = pool_new(0, 0);
        size_t before = mem_allocations();
        mem_fail_at(at, 1);
        live(&p);
        mem_fail_at(-1, 0);
        if (at < 0) {
            made = mem_allocations() - before;
            CHECK(made > 20);
            CHECK_EQ(p.to_client.n, 80000);
            CHECK_EQ(p.to_server.n, 16);
            CHECK_EQ(tls_status(p.server), TLS_CLOSED);
        } else if (p.server && p.client && tls_status(p.server) == TLS_FAILED) {
            CHECK(tls_failure(p.server).alert == 80); /* ours, or the client's */
        }
        pair_free(&p);
    }
}

/* Memory that stays away: from each point on, nothing is to be had. */
TEST(memory_runs_out_for_good)
{
    for (long at = 0; at < 60; at++) {
        struct pair p;
        pair_init(&p, "ip.pem", "p256.key", "ip.pem");
        pool_free(p.rig.pool);
        p.rig.pool = p.rig.server.pool = pool_new(0, 0);
        mem_fail_at(at, 100000);
        live(&p);
        mem_fail_at(-1, 0);
        pair_free(&p);
    }
}

TEST_MAIN(RUN(talks), RUN(trusts_by_name), RUN(does_not_trust), RUN(trusts_by_address),
          RUN(an_address_is_not_sent_as_a_name), RUN(a_client_must_know_whom_it_calls),
          RUN(a_server_that_speaks_no_tls), RUN(addresses_in_malformed_certificates),
          RUN(every_allocation_failed_in_turn), RUN(memory_runs_out_for_good))
