/* SPDX-License-Identifier: MIT
 *
 * Owns the keys that tickets are sealed with. A ticket is the key's name (16 bytes), a random nonce (12), the sealed
 * state and its tag, with the name as additional data. Keys turn over when one is needed and found too old, so an
 * idle process does nothing; each is expanded when it comes. Ages are told by the wall clock, as replicas share it:
 * when it jumps, tickets from before are refused, and the client makes a full handshake.
 */
#include "tls/ticket.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/aead.h"

#include <assert.h>
#include <bearssl.h>
#include <string.h>

enum {
    NAME = 16,
    KEPT = 3, /* keys of our own */
    VERSION = 1,
    SITE = 16, /* bytes of the site's hash */
    STATE = 1 + 2 + 8 + 8 + 4 + SITE + 1 + TICKET_PSK_MAX,
    WEEK = 7 * 24 * 60 * 60, /* §4.6.1 */
    SKEW_MS = 10 * 1000,     /* that the client's clock or a replica's may be wrong by */
};

static_assert(NAME + AEAD_NONCE + STATE + AEAD_TAG <= TICKET_MAX, "a ticket fits");

struct key {
    uint8_t name[NAME];
    struct aead *aead; /* NULL: none */
};

struct tls_tickets {
    struct key keys[TICKET_KEYS]; /* the first seals */
    bool given;                   /* from elsewhere: they do not turn over */
    uint64_t rotation, made;      /* ms */
};

static void set_key(struct key *k, const uint8_t key[TICKET_KEY])
{
    if (!k->aead)
        return;
    memcpy(k->name, key, NAME);
    aead_init(k->aead, AEAD_AES_256_GCM, key + NAME);
}

/* Memory for all that there may ever be, so that turning over cannot fail. */
static bool make_keys(struct tls_tickets *t)
{
    for (size_t i = 0; i < TICKET_KEYS; i++) {
        t->keys[i].aead = mem_zalloc(aead_size(AEAD_AES_256_GCM));
        if (!t->keys[i].aead)
            return false;
    }
    return true;
}

/* A name that nobody sends: what is not in use opens nothing. */
static void draw_key(struct key *k)
{
    uint8_t key[TICKET_KEY];

    random_bytes(key, sizeof key);
    set_key(k, key);
    mem_wipe(key, sizeof key);
}

static void draw_all(struct tls_tickets *t)
{
    for (size_t i = 0; i < TICKET_KEYS; i++)
        draw_key(&t->keys[i]);
    t->given = false;
    t->made = time_mono_ms();
}

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *t = mem_zalloc(sizeof *t);

    if (!t)
        return NULL;
    t->rotation = 12 * 60 * 60 * 1000;
    if (!make_keys(t)) {
        tls_tickets_free(t);
        return NULL;
    }
    draw_all(t);
    return t;
}

void tls_tickets_free(struct tls_tickets *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TICKET_KEYS; i++)
        if (t->keys[i].aead)
            mem_wipe_free(t->keys[i].aead, aead_size(AEAD_AES_256_GCM));
    mem_free(t);
}

void tls_tickets_set_rotation(struct tls_tickets *t, uint64_t rotation)
{
    t->rotation = rotation;
}

void tls_tickets_set_keys(struct tls_tickets *t, const uint8_t (*keys)[TICKET_KEY], size_t n)
{
    assert(n <= TICKET_KEYS);
    if (n || t->given)
        draw_all(t);
    for (size_t i = 0; i < n; i++)
        set_key(&t->keys[i], keys[i]);
    t->given = n > 0;
}

uint32_t tls_tickets_lifetime(const struct tls_tickets *t)
{
    uint64_t seconds = t->rotation * (KEPT - 1) / 1000;

    return seconds < WEEK ? (uint32_t)seconds : WEEK;
}

/* As many new keys as have become due, and no key older than those that are kept. */
static void turn_over(struct tls_tickets *t)
{
    uint64_t now = time_mono_ms();

    if (t->given)
        return;
    for (unsigned i = 0; i < KEPT && now - t->made >= t->rotation; i++) {
        struct key oldest = t->keys[KEPT - 1];
        memmove(&t->keys[1], &t->keys[0], (KEPT - 1) * sizeof t->keys[0]);
        t->keys[0] = oldest;
        draw_key(&t->keys[0]);
        t->made += t->rotation;
    }
    if (now - t->made >= t->rotation)
        t->made = now;
}

static void hash_site(const char *site, uint8_t out[SITE])
{
    uint8_t hash[br_sha256_SIZE];
    br_sha256_context sha;

    br_sha256_init(&sha);
    br_sha256_update(&sha, site, strlen(site));
    br_sha256_out(&sha, hash);
    memcpy(out, hash, SITE);
}

static void put_time(struct writer *w, uint64_t ms)
{
    writer_u32(w, (uint32_t)(ms >> 32));
    writer_u32(w, (uint32_t)ms);
}

static uint64_t take_time(struct reader *r)
{
    uint64_t high = reader_u32(r);

    return high << 32 | reader_u32(r);
}

size_t ticket_seal(struct tls_tickets *t, const struct ticket *ticket, const char *site,
                   uint8_t out[TICKET_MAX])
{
    struct writer w = writer_of(out, TICKET_MAX);
    uint8_t nonce[AEAD_NONCE], site_hash[SITE], psk[TICKET_PSK_MAX] = {0};
    uint64_t now = (uint64_t)time_wall_ms();

    turn_over(t);
    random_bytes(nonce, sizeof nonce);
    hash_site(site, site_hash);
    memcpy(psk, ticket->psk, ticket->psk_len);
    writer_put(&w, t->keys[0].name, NAME);
    writer_put(&w, nonce, sizeof nonce);
    uint8_t *state = w.p;
    writer_u8(&w, VERSION);
    writer_u16(&w, ticket->suite);
    put_time(&w, now);
    put_time(&w, ticket->authenticated_ms ? ticket->authenticated_ms : now);
    writer_u32(&w, ticket->age_add);
    writer_put(&w, site_hash, SITE);
    writer_u8(&w, ticket->psk_len);
    writer_put(&w, psk, sizeof psk);
    assert(!w.failed && w.p - state == STATE);
    aead_seal(t->keys[0].aead, nonce, t->keys[0].name, NAME, state, STATE, w.p);
    mem_wipe(psk, sizeof psk);
    return writer_len(&w) + AEAD_TAG;
}

static const struct key *find_key(const struct tls_tickets *t, const uint8_t *name)
{
    for (size_t i = 0; i < (t->given ? TICKET_KEYS : KEPT); i++)
        if (memcmp(t->keys[i].name, name, NAME) == 0)
            return &t->keys[i];
    return NULL;
}

/* It, and the line of resumptions that it stands in: a session is not carried on for ever (RFC 8446 §4.6.1). */
static bool is_young(const struct tls_tickets *t, uint64_t made, uint64_t authenticated, uint32_t claimed_age)
{
    uint64_t now = (uint64_t)time_wall_ms(), lifetime = (uint64_t)tls_tickets_lifetime(t) * 1000;

    return made <= now + SKEW_MS && now <= made + lifetime && now <= authenticated + (uint64_t)WEEK * 1000 &&
           claimed_age <= lifetime + SKEW_MS;
}

static bool read_state(const struct tls_tickets *t, const uint8_t *state, const char *site,
                       uint32_t obfuscated_age, struct ticket *ticket)
{
    struct reader r = reader_of(state, STATE);
    uint8_t site_hash[SITE];

    hash_site(site, site_hash);
    if (reader_u8(&r) != VERSION)
        return false;
    ticket->suite = reader_u16(&r);
    uint64_t made = take_time(&r);
    ticket->authenticated_ms = take_time(&r);
    ticket->age_add = reader_u32(&r);
    struct bytes made_at = reader_take(&r, SITE);
    ticket->psk_len = reader_u8(&r);
    memcpy(ticket->psk, reader_take(&r, TICKET_PSK_MAX).p, TICKET_PSK_MAX);
    return ticket->psk_len <= TICKET_PSK_MAX && memcmp(made_at.p, site_hash, SITE) == 0 &&
           is_young(t, made, ticket->authenticated_ms, obfuscated_age - ticket->age_add);
}

bool ticket_open(struct tls_tickets *t, struct bytes sealed, const char *site, uint32_t obfuscated_age,
                 struct ticket *ticket)
{
    uint8_t state[STATE + AEAD_TAG];
    bool good = false;

    turn_over(t);
    if (sealed.n != NAME + AEAD_NONCE + sizeof state)
        return false;
    const struct key *k = find_key(t, sealed.p);
    if (!k)
        return false;
    memcpy(state, sealed.p + NAME + AEAD_NONCE, sizeof state);
    if (aead_open(k->aead, sealed.p + NAME, k->name, NAME, state, STATE, state + STATE))
        good = read_state(t, state, site, obfuscated_age, ticket);
    mem_wipe(state, sizeof state);
    if (!good)
        mem_wipe(ticket, sizeof *ticket);
    return good;
}
