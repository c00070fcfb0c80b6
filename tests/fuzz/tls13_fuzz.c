/* SPDX-License-Identifier: MIT
 *
 * A whole TLS 1.3 server and a client that can make all keys (tests/unit/tls/client13.h). The input is a program: what
 * hellos say, what is sent in which record under which keys, what is spoilt of it, how it is cut into pieces, what the
 * owner of the connection does, which allocation fails. The same input does the same each time: random bytes and
 * both clocks are replaced.
 *
 * As long as nothing that the client does not know of was changed in its hellos, the client must find nothing wrong in
 * what the server sends, and data must come through as it was sent, both ways.
 */
#include "tests/unit/tls/client13.h"

#include "base/mem.h"
#include "base/random.h"
#include "tls/server13.h"

/* The face's own struct: to look at the engine behind it. */
#include "tls/tls.c"

/* A unit test that includes this file links the client, and looks at the connection after each step. */
#ifndef TLS13_LOOK
#define TLS13_LOOK(t) ((void)(t))
#include "tests/unit/tls/client13.c"
#include "tests/unit/tls/client13_hello.c"
#include "tests/unit/tls/client13_messages.c"
#include "tests/unit/tls/client13_verify.c"
#include "tests/unit/tls/rig.c"
#endif

#include <stdlib.h>
#include <time.h>

/* --- in place of base/random.c and base/time.c --- */

static uint64_t generator;
static uint64_t now;

void random_bytes(void *out, size_t n)
{
    uint8_t *p = out;

    while (n--) {
        generator = generator * 6364136223846793005u + 1442695040888963407u;
        *p++ = (uint8_t)(generator >> 56);
    }
}

uint32_t random_below(uint32_t bound)
{
    uint32_t x;

    random_bytes(&x, sizeof x);
    return x % bound;
}

static int fuzz_clock(clockid_t clock, struct timespec *ts)
{
    uint64_t ms = now + (clock == CLOCK_REALTIME ? 1800000000000 : 0);

    *ts = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * 1000000)};
    return 0;
}

#define clock_gettime fuzz_clock
#include "base/time.c"
#undef clock_gettime

/* --- the two sides --- */

enum { PSKS = 6 };

struct fuzz13 {
    struct tls_server server;
    struct tls *tls;
    struct client13 client;
    struct psk13 psks[PSKS];
    bool honest;    /* the client knows all that it has sent */
    bool deaf;      /* the client does not read */
    bool hello_due; /* it is its turn to say hello, */
    bool second;    /* for the second time */
    bool finished;
    uint64_t sent, got;   /* bytes of data from the client, */
    uint64_t lent, heard; /* and from the server */
};

static struct tls_identity *identity;

/* The certificate is not looked at. */
static void make_identity(void)
{
    identity = tls_identity_new("site");
    identity->chain = mem_zalloc(sizeof *identity->chain);
    identity->chain->data = mem_zalloc(300);
    identity->chain->data_len = 300;
    identity->chain_len = 1;
    identity->key_data = mem_alloc(32);
    identity->key_data_len = 32;
    memset(identity->key_data, 0x11, 32);
    identity->key_type = TLS_KEY_EC_P256;
    identity->key.ec = (br_ec_private_key){.curve = BR_EC_secp256r1, .x = identity->key_data, .xlen = 32};
    (void)tls_identity_certificate(identity);
}

static struct tls_identity *choose_identity(void *ctx, const struct client_hello *hello)
{
    (void)ctx;
    return hello->server_name.n == 1 ? NULL : identity;
}

/* Tickets without handshakes: both hashes, another site's, a spoilt one, one of no length that we know. */
static void make_psks(struct fuzz13 *f)
{
    for (unsigned i = 0; i < PSKS; i++) {
        struct psk13 *p = &f->psks[i];
        struct ticket t = {.suite = i == 1 ? 0x1302 : 0x1301, .age_add = 77 * i, .psk_len = i == 1 ? 48 : 32};
        memset(t.psk, (int)i, sizeof t.psk);
        memcpy(p->key, t.psk, sizeof t.psk);
        p->hash = suite13_hash(suite13_find(i == 1 ? 0x1302 : 0x1301));
        p->age_add = t.age_add;
        if (i == 5)
            t.suite = 0x1399;
        p->ticket_n = ticket_seal(f->server.tickets, &t, i == 2 ? "other" : "site", p->ticket);
    }
    f->psks[3].ticket[40] ^= 1;
    f->psks[4].ticket_n = 7;
}

static void begin(struct fuzz13 *f)
{
    static const char *const names[] = {"h2", "http/1.1"};

    if (!identity)
        make_identity();
    *f = (struct fuzz13){.honest = true, .hello_due = true};
    generator = 1;
    now = 1000000;
    f->server = (struct tls_server){
        .select = choose_identity,
        .only_13 = true,
        .tickets = tls_tickets_new(),
        .alpn = {names, 2},
        .pool = pool_new(2, 2),
    };
    make_psks(f);
    f->tls = tls_server_new(&f->server);
    client13_init(&f->client);
    f->client.trusting = true;
}

static void end_run(struct fuzz13 *f)
{
    mem_fail_at(-1, 0);
    tls_free(f->tls);
    client13_free(&f->client);
    if (pool_lent(f->server.pool))
        abort();
    pool_free(f->server.pool);
    tls_tickets_free(f->server.tickets);
}

/* --- bytes both ways --- */

/* The n-th byte of data of either side. */
static uint8_t data_byte(uint64_t n)
{
    return (uint8_t)(n * 2654435761u >> 24);
}

static void take_data(struct fuzz13 *f, bool hold)
{
    struct bytes data = tls_data(f->tls);

    if (data.n && hold) {
        if (!tls_hold(f->tls))
            return;
        data = tls_data(f->tls);
    }
    while (data.n) {
        size_t part = hold ? (data.n + 1) / 2 : data.n;
        for (size_t i = 0; i < part; i++)
            if (data.p[i] != data_byte(f->got++))
                abort();
        tls_consume(f->tls, part);
        data = tls_data(f->tls);
    }
}

static void answer(struct fuzz13 *f)
{
    struct client13 *c = &f->client;

    if (f->deaf)
        return;
    tls_seal(f->tls);
    struct sink out = rig_take_output(f->tls);
    if (f->honest) {
        client13_take(c, out.p, out.n);
        if (*c->error) {
            fprintf(stderr, "the client: %s\n", c->error);
            abort();
        }
        for (size_t i = 0; i < c->data.n; i++)
            if (c->data.p[i] != data_byte(f->heard++))
                abort();
        c->data.n = 0;
        if (c->retried && !f->second && c->waits == WAITS_SERVER_HELLO)
            f->second = f->hello_due = true;
    }
    sink_free(&out);
}

/* Each piece in memory of its own. */
static void deliver(struct fuzz13 *f, size_t piece, bool hold)
{
    struct sink out = f->client.out;
    size_t used = 0;

    f->client.out = (struct sink){0};
    while (used < out.n) {
        size_t k = piece < out.n - used ? piece : out.n - used, took = 0;
        uint8_t *mine = malloc(k);
        memcpy(mine, out.p + used, k);
        while (took < k) {
            size_t more = tls_recv(f->tls, mine + took, k - took);
            TLS13_LOOK(f->tls);
            took += more;
            if (!more && !tls_data(f->tls).n) {
                if (tls_status(f->tls) <= TLS_OPEN)
                    abort();
                break;
            }
            take_data(f, hold);
        }
        free(mine);
        if (tls_data(f->tls).n)
            abort();
        used += k;
        if (took < k)
            break;
    }
    sink_free(&out);
    answer(f);
}

/* --- the program --- */

/* Bytes of the input's own, which may be a hello. */
static void forge(struct fuzz13 *f)
{
    if (!f->client.suite || f->client.waits == WAITS_SERVER_HELLO)
        f->honest = false;
}

/* What the operation still has of bytes. */
static struct bytes rest(struct reader *r)
{
    return reader_take(r, reader_left(r));
}

static void set_values(struct values13 *list, struct reader *r)
{
    static const uint16_t known[] = {29,     23,     24,     0x0403, 0x0804, 0x1301,
                                     0x1302, 0x1303, 0x0304, 0x0303, 0x2a2a};

    list->n = 0;
    while (reader_left(r) && list->n < HELLO13_LIST) {
        uint8_t v = reader_u8(r);
        list->v[list->n++] = v < sizeof known / sizeof known[0] ? known[v] : (uint16_t)(v << 8 | v);
    }
}

static struct bytes of_static(unsigned which)
{
    static const uint8_t bytes[34] = {1, 0};
    static const struct bytes some[] = {
        {bytes,     0 },
        {bytes,     1 },
        {bytes + 1, 1 },
        {bytes,     2 },
        {bytes + 1, 32},
        {bytes + 1, 33},
    };

    return some[which % (sizeof some / sizeof some[0])];
}

/* What the next hello says. */
static void say(struct fuzz13 *f, struct reader *r)
{
    static const char *const names[] = {NULL, "site", "x", "other.site"};
    static const char *const protocols[] = {NULL, "http/1.1", "h2", "spdy/3"};
    struct hello13 *h = &f->client.hello;
    uint8_t what = reader_u8(r);

    f->honest = f->honest && f->hello_due; /* it speaks of a hello that is to come */
    switch (what % 16) {
    case 0: set_values(&h->suites, r); break;
    case 1: set_values(&h->groups, r); break;
    case 2: set_values(&h->shares, r); break;
    case 3: set_values(&h->signatures, r); break;
    case 4: set_values(&h->versions, r); break;
    case 5: h->name = names[reader_u8(r) % 4]; break;
    case 6: h->alpn = protocols[reader_u8(r) % 4]; break;
    case 7: h->record_size_limit = reader_u16(r); break;
    case 8: h->early_data = reader_u8(r) & 1; break;
    case 9: h->session_id = of_static(reader_u8(r)); break;
    case 10: h->compression = of_static(reader_u8(r)); break;
    case 11: h->legacy_version = reader_u16(r); break;
    case 12: h->modes = of_static(reader_u8(r)); break;
    case 13:
        if (h->offers_n < 4) {
            uint8_t psk = reader_u8(r), flags = reader_u8(r), len = reader_u8(r);
            h->offers[h->offers_n++] = (struct offer13){.psk = &f->psks[psk % PSKS],
                                                        .age = (uint32_t)(flags >> 1) << 24,
                                                        .wrong_binder = flags & 1,
                                                        .binder_len = len};
        } else {
            h->offers_n = 0;
        }
        break;
    case 14:
        h->no_key_share = what & 16;
        h->binders_n = what >> 5;
        break;
    default: /* the client does not know what is in them */
        f->honest = false;
        if (what & 16)
            h->extra_last = rest(r);
        else
            h->extra = rest(r);
        break;
    }
}

/* A hello, with some of its bytes changed, in one record or several. */
static void send_hello(struct fuzz13 *f, struct reader *r)
{
    struct client13 *c = &f->client;
    uint8_t flags = reader_u8(r);
    size_t part = flags ? flags * (size_t)8 : 70000;

    f->honest = f->honest && f->hello_due;
    f->hello_due = false;
    client13_make_hello(c, &c->last_hello);
    while (reader_left(r) >= 3) {
        size_t at = reader_u16(r);
        c->last_hello.p[at % c->last_hello.n] ^= reader_u8(r);
        f->honest = false;
    }
    for (size_t at = 0; at < c->last_hello.n; at += part)
        client13_plain(c, RECORD_HANDSHAKE, c->last_hello.p + at,
                       part < c->last_hello.n - at ? part : c->last_hello.n - at);
    client13_sent_hello(c, &c->last_hello);
}

/* The Finished, or what looks like it. */
static void send_finished(struct fuzz13 *f, struct reader *r)
{
    struct client13 *c = &f->client;
    uint8_t flags = reader_u8(r), message[4 + KEY_SCHEDULE_MAX + 8] = {0};

    if (c->waits != WAITS_NOTHING || f->finished)
        return;
    f->finished = true;
    if (!flags) {
        client13_finish(c);
        return;
    }
    size_t n = client13_make_finished(c, message);
    if (flags & 2)
        message[4] ^= 1;
    if (flags & 4)
        client13_finished_sent(c);
    size_t cut = flags >> 4;
    client13_record(c, RECORD_HANDSHAKE, message, cut);
    if (flags & 8)
        client13_plain(c, RECORD_CHANGE_CIPHER_SPEC, "\1", 1);
    client13_record(c, RECORD_HANDSHAKE, message + cut, n - cut + (flags & 1));
    sink_add(&c->transcript, message, n);
    if (!(flags & 4))
        client13_finished_sent(c);
}

static void send_data(struct fuzz13 *f, size_t n, size_t padding)
{
    uint8_t *data = malloc(n + 1);

    for (size_t i = 0; i < n; i++)
        data[i] = data_byte(f->sent + i);
    if (f->client.write.aead) {
        client13_padded(&f->client, RECORD_DATA, data, n, padding);
        if (f->client.write_keys == KEYS_APPLICATION)
            f->sent += n;
    }
    free(data);
}

static void write_some(struct fuzz13 *f, size_t n)
{
    while (n) {
        struct span room = tls_lend(f->tls);
        size_t k = room.n < n ? room.n : n;
        if (!room.n)
            return;
        for (size_t i = 0; i < k; i++)
            room.p[i] = data_byte(f->lent++);
        tls_commit(f->tls, k);
        n -= k;
        if (tls_status(f->tls) == TLS_FAILED)
            return;
    }
}

static void send_early(struct fuzz13 *f, size_t n)
{
    struct client13 *c = &f->client;
    uint8_t *data = calloc(1, n + 1);

    if (c->hello.offers_n && !c->suite)
        client13_early(c);
    if (c->write.aead && c->write_keys == KEYS_NONE)
        client13_record(c, RECORD_DATA, data, n);
    else
        client13_plain(c, RECORD_DATA, data, n);
    free(data);
}

static void act(struct fuzz13 *f, struct reader *all)
{
    uint8_t op = reader_u8(all), flags = op >> 4;
    struct reader args = reader_vec8(all), *r = &args;
    struct client13 *c = &f->client;
    struct bytes b;

    if (all->failed)
        return;
    switch (op & 15) {
    case 0: say(f, r); break;
    case 1: send_hello(f, r); break;
    case 2: send_finished(f, r); break;
    case 3: /* any record but data, under the keys of the moment */
        b = rest(r);
        forge(f);
        if (flags % 5 != 3)
            client13_record(c, (uint8_t)(20 + flags % 5), b.p, b.n);
        else if (c->write.aead) /* nothing but padding */
            client13_padded(c, 0, NULL, 0, b.n);
        break;
    case 4:
        b = rest(r);
        forge(f);
        client13_plain(c, (uint8_t)(20 + flags % 6), b.p, b.n);
        break;
    case 5:
        send_data(f, reader_left(r) > 1 ? reader_u16(r) % 16640 : reader_left(r), flags * (size_t)1100);
        break;
    case 6:
        if (c->suite && c->write.aead && f->finished)
            for (unsigned i = 0; i <= flags / 2 * 5u; i++)
                client13_key_update(c, flags & 1);
        break;
    case 7:
        b = rest(r);
        forge(f);
        sink_add(&c->out, b.p, b.n);
        break;
    case 8:
        forge(f);
        if (c->out.n)
            c->out.p[reader_u16(r) % c->out.n] ^= reader_u8(r);
        break;
    case 9: deliver(f, flags < 8 ? SIZE_MAX : (size_t)1 << (flags - 8) * 2, reader_u8(r) & 1); break;
    case 10: write_some(f, flags & 8 ? reader_u16(r) : reader_left(r)); break;
    case 11:
        tls_seal(f->tls);
        if (flags & 1)
            answer(f);
        f->deaf = flags & 2;
        break;
    case 12:
        if (flags & 1)
            tls_close(f->tls);
        else if (flags & 2)
            tls_abort(f->tls, reader_u8(r));
        else
            tls_recv_eof(f->tls);
        break;
    case 13: send_early(f, reader_u16(r) % 16640); break;
    case 14: mem_fail_at(flags & 1 ? -1 : reader_u8(r), flags & 2 ? 1000 : 1); break;
    default:
        now += (uint64_t)reader_u16(r) << flags;
        f->server.key_update_after = flags;
        break;
    }
}

static void check(struct fuzz13 *f)
{
    if (tls_is_idle(f->tls) && pool_lent(f->server.pool))
        abort();
    (void)tls_wants(f->tls);
    (void)tls_info(f->tls);
    if (tls_status(f->tls) == TLS_FAILED && !*tls_failure(f->tls).text)
        abort();
    TLS13_LOOK(f->tls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    static struct fuzz13 f;

    begin(&f);
    for (unsigned i = 0; i < 64 && !r.failed && reader_left(&r); i++) {
        act(&f, &r);
        check(&f);
    }
    end_run(&f);
    return 0;
}
