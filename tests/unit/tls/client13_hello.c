/* SPDX-License-Identifier: MIT
 *
 * See client13.h: writes the ClientHello, extension by extension, and the binders over it.
 */
#include "tests/unit/tls/client13.h"

#include "crypto/hkdf.h"

#include <assert.h>
#include <string.h>

/* --- key shares --- */

enum { X25519 = 29, P256 = 23, P384 = 24 };

static int curve_of(uint16_t group)
{
    return group == P256 ? BR_EC_secp256r1 : group == P384 ? BR_EC_secp384r1 : BR_EC_curve25519;
}

/* A secret that everybody may know. */
static const uint8_t scalar[32] = {[0] = 0x20, [7] = 0x13, [31] = 0x40};

size_t client13_share(uint16_t group, uint8_t out[65])
{
    if (group != X25519 && group != P256) { /* of any other, what looks like one */
        memset(out, 0x42, 32);
        return 32;
    }
    return br_ec_all_m31.mulgen(out, scalar, sizeof scalar, curve_of(group));
}

size_t client13_agree(uint16_t group, struct bytes share, uint8_t out[32])
{
    uint8_t point[65];
    size_t len;

    if (share.n > sizeof point || share.n != (group == P256 ? 65u : 32u))
        return 0;
    memcpy(point, share.p, share.n);
    if (!br_ec_all_m31.mul(point, share.n, scalar, sizeof scalar, curve_of(group)))
        return 0;
    memcpy(out, point + br_ec_all_m31.xoff(curve_of(group), &len), 32);
    return len;
}

/* --- extensions --- */

static size_t open_extension(struct writer *w, uint16_t type)
{
    writer_u16(w, type);
    return writer_open(w, 2);
}

static void put_list(struct writer *w, uint16_t type, const struct values13 *list, unsigned width)
{
    if (!list->n)
        return;
    size_t extension = open_extension(w, type), vector = writer_open(w, width);
    for (unsigned i = 0; i < list->n; i++)
        writer_u16(w, list->v[i]);
    writer_close(w, vector, width);
    writer_close(w, extension, 2);
}

static void put_name(struct writer *w, const char *name)
{
    if (!name)
        return;
    size_t extension = open_extension(w, 0), list = writer_open(w, 2);
    writer_u8(w, 0);
    size_t text = writer_open(w, 2);
    writer_str(w, name);
    writer_close(w, text, 2);
    writer_close(w, list, 2);
    writer_close(w, extension, 2);
}

static void put_alpn(struct writer *w, const char *name)
{
    if (!name)
        return;
    size_t extension = open_extension(w, 16), list = writer_open(w, 2), text = writer_open(w, 1);
    writer_str(w, name);
    writer_close(w, text, 1);
    writer_close(w, list, 2);
    writer_close(w, extension, 2);
}

static void put_shares(struct writer *w, const struct hello13 *h)
{
    uint8_t share[65];

    if (h->no_key_share)
        return;
    size_t extension = open_extension(w, 51), list = writer_open(w, 2);
    for (unsigned i = 0; i < h->shares.n; i++) {
        writer_u16(w, h->shares.v[i]);
        size_t key = writer_open(w, 2);
        writer_put(w, share, client13_share(h->shares.v[i], share));
        writer_close(w, key, 2);
    }
    writer_close(w, list, 2);
    writer_close(w, extension, 2);
}

static size_t binder_len(const struct offer13 *o)
{
    return o->binder_len ? o->binder_len : hkdf_hash_len(o->psk->hash);
}

/* Binders are zeros for now. Returns where they begin. */
static uint8_t *put_offers(struct writer *w, const struct hello13 *h)
{
    static const uint8_t zeros[255];

    if (!h->offers_n)
        return NULL;
    size_t extension = open_extension(w, 41), list = writer_open(w, 2);
    for (unsigned i = 0; i < h->offers_n; i++) {
        size_t ticket = writer_open(w, 2);
        writer_put(w, h->offers[i].psk->ticket, h->offers[i].psk->ticket_n);
        writer_close(w, ticket, 2);
        writer_u32(w, h->offers[i].age + h->offers[i].psk->age_add);
    }
    writer_close(w, list, 2);
    uint8_t *binders = w->p;
    list = writer_open(w, 2);
    for (unsigned i = 0; i < (h->binders_n ? h->binders_n : h->offers_n); i++) {
        size_t binder = writer_open(w, 1);
        writer_put(w, zeros, binder_len(&h->offers[i < h->offers_n ? i : 0]));
        writer_close(w, binder, 1);
    }
    writer_close(w, list, 2);
    writer_close(w, extension, 2);
    return binders;
}

/* §4.2.11.2 */
static void make_binders(const struct client13 *c, struct writer *w, uint8_t *binders)
{
    struct bytes truncated = {w->start, (size_t)(binders - w->start)};
    uint8_t *at = binders + 2;

    for (unsigned i = 0; i < c->hello.offers_n && at < w->p; i++) {
        const struct offer13 *o = &c->hello.offers[i];
        uint8_t messages[KEY_SCHEDULE_MAX], binder[KEY_SCHEDULE_MAX];
        struct key_schedule early;
        size_t n = *at++;

        key_schedule_init(&early, o->psk->hash, o->psk->key);
        client13_transcript_hash(c, o->psk->hash, truncated, messages);
        key_schedule_binder(&early, messages, binder);
        binder[0] ^= o->wrong_binder;
        memcpy(at, binder, n < sizeof binder ? n : sizeof binder);
        at += n;
    }
}

/* Returns where the binders are, NULL if there are none. */
static uint8_t *put_extensions(struct writer *w, const struct hello13 *h)
{
    put_name(w, h->name);
    put_list(w, 43, &h->versions, 1);
    put_list(w, 10, &h->groups, 2);
    put_list(w, 13, &h->signatures, 2);
    put_alpn(w, h->alpn);
    put_shares(w, h);
    if (h->modes.n) {
        size_t extension = open_extension(w, 45), list = writer_open(w, 1);
        writer_bytes(w, h->modes);
        writer_close(w, list, 1);
        writer_close(w, extension, 2);
    }
    if (h->record_size_limit) {
        writer_u16(w, 28);
        writer_u16(w, 2);
        writer_u16(w, h->record_size_limit);
    }
    if (h->early_data) {
        writer_u16(w, 42);
        writer_u16(w, 0);
    }
    writer_bytes(w, h->extra);
    uint8_t *binders = put_offers(w, h);
    writer_bytes(w, h->extra_last);
    return binders;
}

void client13_make_hello(struct client13 *c, struct sink *message)
{
    const struct hello13 *h = &c->hello;
    static uint8_t text[70000];
    uint8_t random[32];
    struct writer w = writer_of(text, sizeof text);

    memset(random, 0x5a, sizeof random);
    writer_u8(&w, 1);
    size_t body = writer_open(&w, 3);
    writer_u16(&w, h->legacy_version);
    writer_put(&w, random, sizeof random);
    size_t vector = writer_open(&w, 1);
    writer_bytes(&w, h->session_id);
    writer_close(&w, vector, 1);
    vector = writer_open(&w, 2);
    for (unsigned i = 0; i < h->suites.n; i++)
        writer_u16(&w, h->suites.v[i]);
    writer_close(&w, vector, 2);
    vector = writer_open(&w, 1);
    writer_bytes(&w, h->compression);
    writer_close(&w, vector, 1);
    vector = writer_open(&w, 2);
    uint8_t *binders = put_extensions(&w, h);
    writer_close(&w, vector, 2);
    writer_close(&w, body, 3);
    assert(!w.failed);
    if (binders)
        make_binders(c, &w, binders);
    message->n = 0;
    sink_add(message, text, writer_len(&w));
}

void client13_sent_hello(struct client13 *c, const struct sink *message)
{
    sink_add(&c->transcript, message->p, message->n);
    c->waits = WAITS_SERVER_HELLO;
}

void client13_hello(struct client13 *c)
{
    client13_make_hello(c, &c->last_hello);
    client13_plain(c, RECORD_HANDSHAKE, c->last_hello.p, c->last_hello.n);
    client13_sent_hello(c, &c->last_hello);
}
