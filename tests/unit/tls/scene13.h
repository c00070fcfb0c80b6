/* SPDX-License-Identifier: MIT
 *
 * What the tests of the TLS 1.3 server share: one server and one client13, and the wire between them. All of it is
 * static, since checks count in the file that makes them.
 */
#ifndef TESTS_UNIT_TLS_SCENE13_H
#define TESTS_UNIT_TLS_SCENE13_H

#include "tests/unit/test.h"
#include "tests/unit/tls/client13.h"

#include <assert.h>
#include <stdlib.h>

struct scene13 {
    struct rig rig;
    struct tls *tls;
    struct client13 client;
    struct sink got;
    struct wire wire;
};

/* Two sites with the same key: "default", and "other" by its name. */
__attribute__((unused)) static void scene13_init(struct scene13 *s, const char *cert, const char *key)
{
    memset(s, 0, sizeof *s);
    rig_init(&s->rig, rig_identity("default", cert, key));
    s->rig.named = rig_identity("other", cert, key);
    s->rig.server.tickets = tls_tickets_new();
    tls_tickets_set_rotation(s->rig.server.tickets, 3600 * 1000);
    assert(s->rig.server.tickets);
    s->wire = (struct wire){.piece = SIZE_MAX, .got = &s->got};
    client13_init(&s->client);
}

__attribute__((unused)) static void scene13_free(struct scene13 *s)
{
    tls_free(s->tls);
    client13_free(&s->client);
    sink_free(&s->got);
    CHECK_EQ(pool_lent(s->rig.pool), 0);
    tls_tickets_free(s->rig.server.tickets);
    rig_release(&s->rig);
}

/* A new connection on both sides. */
__attribute__((unused)) static void scene13_begin(struct scene13 *s)
{
    tls_free(s->tls);
    s->tls = tls_server_new(&s->rig.server);
    assert(s->tls);
    client13_free(&s->client);
    client13_init(&s->client);
    s->got.n = 0;
}

/* What the server has for the client. */
__attribute__((unused)) static void scene13_answer(struct scene13 *s)
{
    struct sink out = rig_take_output(s->tls);

    client13_take(&s->client, out.p, out.n);
    sink_free(&out);
}

/* What the client has to say, and the answer. */
__attribute__((unused)) static void scene13_turn(struct scene13 *s)
{
    struct sink out = s->client.out;

    s->client.out = (struct sink){0};
    wire_push(&s->wire, s->tls, out.p, out.n);
    sink_free(&out);
    scene13_answer(s);
}

/* From the client's first hello to the server's answer to its Finished. */
__attribute__((unused)) static void scene13_handshake(struct scene13 *s)
{
    struct client13 *c = &s->client;

    client13_hello(c);
    scene13_turn(s);
    if (c->retried && c->waits == WAITS_SERVER_HELLO && !*c->error) {
        client13_hello(c);
        scene13_turn(s);
    }
    if (c->waits != WAITS_NOTHING || *c->error)
        return;
    client13_finish(c);
    scene13_turn(s);
}

__attribute__((unused)) static bool scene13_is_open(struct scene13 *s)
{
    return CHECK_STR(s->client.error, "") & CHECK_EQ(s->client.waits, WAITS_NOTHING) &
           CHECK_EQ(tls_status(s->tls), TLS_OPEN) & CHECK_STR(tls_failure(s->tls).text, "");
}

__attribute__((unused)) static void scene13_write(struct scene13 *s, const void *p, size_t n)
{
    const uint8_t *from = p;

    while (n) {
        struct span room = tls_lend(s->tls);
        size_t k = room.n < n ? room.n : n;
        if (!CHECK(room.n > 0))
            return;
        memcpy(room.p, from, k);
        tls_commit(s->tls, k);
        from += k;
        n -= k;
    }
    tls_seal(s->tls);
}

/* A request and a reply: both directions' keys are right. */
__attribute__((unused)) static bool scene13_exchange(struct scene13 *s)
{
    s->got.n = s->client.data.n = 0;
    client13_data(&s->client, "ping", 4);
    scene13_turn(s);
    scene13_write(s, "pong", 4);
    scene13_answer(s);
    return CHECK_MEM(s->got.p, s->got.n, "ping", 4) & CHECK_STR(s->client.error, "") &
           CHECK_MEM(s->client.data.p, s->client.data.n, "pong", 4);
}

/* The connection has failed by an alert of the server's, which came under these keys. `text` NULL: any. */
__attribute__((unused)) static bool scene13_refused(struct scene13 *s, uint8_t alert, enum keys13 keys,
                                                    const char *text)
{
    uint8_t more[] = {22, 3, 1};

    return CHECK_EQ(tls_status(s->tls), TLS_FAILED) & CHECK_EQ(tls_failure(s->tls).alert, alert) &
           CHECK(!tls_failure(s->tls).received) & (!text || CHECK_STR(tls_failure(s->tls).text, text)) &
           CHECK_STR(s->client.error, "") & CHECK(s->client.has_alert) & CHECK_EQ(s->client.alert, alert) &
           CHECK_EQ(s->client.alert_keys, keys) & CHECK_EQ(tls_recv(s->tls, more, sizeof more), 0) &
           CHECK_EQ(tls_lend(s->tls).n, 0) & CHECK_EQ(tls_wants(s->tls), 0);
}

/* A ticket of a handshake with this suite (0: any), for later. */
__attribute__((unused)) static struct psk13 scene13_ticket(struct scene13 *s, uint16_t suite,
                                                           const char *name)
{
    struct psk13 none = {.hash = &br_sha256_vtable};

    scene13_begin(s);
    if (suite)
        s->client.hello.suites = (struct values13){{suite}, 1};
    s->client.hello.name = name;
    scene13_handshake(s);
    return scene13_is_open(s) & CHECK(s->client.tickets_n > 0) ? s->client.tickets[0] : none;
}

#endif
