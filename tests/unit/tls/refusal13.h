/* SPDX-License-Identifier: MIT
 *
 * Tables of what a TLS 1.3 client may do wrong, each with the alert that RFC 8446 has for it: one step that spoils a
 * client that is otherwise right, at one stage of a handshake, in pieces of several sizes. Static, as scene13.h is.
 */
#ifndef TESTS_UNIT_TLS_REFUSAL13_H
#define TESTS_UNIT_TLS_REFUSAL13_H

#include "tests/unit/tls/scene13.h"

struct refusal {
    const char *what;
    void (*spoil)(struct scene13 *s);
    uint8_t alert;
    const char *text; /* NULL: any */
};

/* How far the handshake has come when it goes wrong. */
enum stage { FIRST_HELLO, SECOND_HELLO, BEFORE_FINISHED, OPEN };

static struct psk13 psk; /* a ticket of the present server */

static void advance(struct scene13 *s, enum stage stage)
{
    psk = scene13_ticket(s, 0x1301, NULL);
    scene13_begin(s);
    if (stage == SECOND_HELLO)
        s->client.hello.shares.n = 0;
    if (stage == FIRST_HELLO)
        return;
    client13_hello(&s->client);
    scene13_turn(s);
    if (stage == OPEN) {
        client13_finish(&s->client);
        scene13_turn(s);
    }
    CHECK_EQ(tls_status(s->tls), stage == OPEN ? TLS_OPEN : TLS_HANDSHAKE);
    CHECK_STR(s->client.error, "");
}

static void refuse_each(enum stage stage, const struct refusal *cases, size_t n)
{
    static const size_t pieces[] = {1, 3, SIZE_MAX};

    for (size_t i = 0; i < 3 * n; i++) {
        const struct refusal *r = &cases[i / 3];
        struct scene13 s;
        scene13_init(&s, "p256.pem", "p256.key");
        advance(&s, stage);
        s.wire.piece = pieces[i % 3];
        s.wire.hold = i & 1;
        r->spoil(&s);
        scene13_turn(&s);
        if (!scene13_refused(&s, r->alert, stage < BEFORE_FINISHED ? KEYS_NONE : KEYS_APPLICATION, r->text))
            printf("    %s, in pieces of %zu\n", r->what, pieces[i % 3]);
        CHECK(tls_is_idle(s.tls) || stage == SECOND_HELLO || stage == BEFORE_FINISHED);
        scene13_free(&s);
    }
}

#define REFUSE_EACH(stage, cases) refuse_each((stage), (cases), sizeof(cases) / sizeof(cases)[0])

/* Offers the ticket. */
static struct offer13 *offer(struct scene13 *s)
{
    struct hello13 *h = &s->client.hello;

    h->offers[h->offers_n] = (struct offer13){.psk = &psk};
    return &h->offers[h->offers_n++];
}

#endif
