/* SPDX-License-Identifier: MIT
 *
 * A whole TLS server. The first byte says whether the rest is what it hears from the start, or what happens after a
 * handshake: bytes on the wire, records sealed with the right keys, and the owner's calls, in any order. The same
 * input does the same each time: random_bytes is replaced, and the handshake is a resumption, which is fast.
 */
#include "tls/tls.h"

#include "base/mem.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* --- a generator in place of base/random.c --- */

static uint64_t state;

void random_bytes(void *out, size_t n)
{
    uint8_t *p = out;

    while (n--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        *p++ = (uint8_t)(state >> 56);
    }
}

uint32_t random_below(uint32_t bound)
{
    uint32_t x;

    random_bytes(&x, sizeof x);
    return x % bound;
}

/* --- the two sides --- */

static struct tls_identity *identity;
static struct tls_server server;

/* The server reads neither its certificate nor, when it resumes, its key: any will do. */
static void set_up(void)
{
    static const char *const names[] = {"http/1.1"};

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
    server.alpn = (struct tls_alpn){names, 1};
}

static struct tls_identity *choose(void *ctx, const struct client_hello *hello)
{
    (void)ctx;
    return hello->server_name.n == 1 ? NULL : identity;
}

struct peer {
    br_ssl_client_context cc;
    br_x509_minimal_context x509;
    uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
};

static void save_session(struct peer *p)
{
    struct tls_session_view view;
    br_ssl_session_parameters s = {.session_id_len = 32, .version = BR_TLS12};

    memset(s.session_id, 7, sizeof s.session_id);
    memset(s.master_secret, 9, sizeof s.master_secret);
    s.cipher_suite = BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    tls_session_view_init(&view, server.sessions, "site");
    view.vtable->save(&view.vtable, NULL, &s);
    br_ssl_engine_set_session_parameters(&p->cc.eng, &s);
}

/* All of one piece of memory into the connection. Data is consumed, in part after it was held. */
static void push(struct tls *t, const uint8_t *bytes, size_t n, bool hold)
{
    uint8_t *mine = malloc(n ? n : 1);
    size_t used = 0;

    if (n)
        memcpy(mine, bytes, n);
    while (used < n) {
        size_t took = tls_recv(t, mine + used, n - used);
        struct bytes data = tls_data(t);
        used += took;
        if (!took && !data.n) {
            if (tls_status(t) <= TLS_OPEN)
                abort();
            break;
        }
        if (data.n && hold && tls_hold(t)) {
            data = tls_data(t);
            tls_consume(t, data.n / 2);
        }
        data = tls_data(t);
        tls_consume(t, data.n);
    }
    free(mine);
    if (tls_data(t).n)
        abort();
}

static void handshake(struct peer *p, struct tls *t)
{
    br_ssl_engine_context *eng = &p->cc.eng;

    br_ssl_client_init_full(&p->cc, &p->x509, NULL, 0);
    br_ssl_engine_set_buffer(eng, p->buffer, sizeof p->buffer, 1);
    save_session(p);
    br_ssl_engine_inject_entropy(eng, "0123456789abcdef", 16);
    eng->rng_os_rand_done = 1;
    if (!br_ssl_client_reset(&p->cc, "site", 1))
        abort();
    for (int i = 0; i < 20; i++) {
        size_t n;
        uint8_t *at = br_ssl_engine_sendrec_buf(eng, &n);
        if (at) {
            push(t, at, n, false);
            br_ssl_engine_sendrec_ack(eng, n);
        }
        while (tls_output(t)->bytes && (at = br_ssl_engine_recvrec_buf(eng, &n))) {
            struct bytes out = bufq_front(tls_output(t));
            n = n < out.n ? n : out.n;
            memcpy(at, out.p, n);
            bufq_drop(tls_output(t), n);
            br_ssl_engine_recvrec_ack(eng, n);
        }
    }
    if (tls_status(t) != TLS_OPEN || !tls_info(t).resumed)
        abort();
}

static void push_sealed(struct peer *p, struct tls *t, uint8_t type, struct bytes payload, bool hold)
{
    br_ssl_engine_context *eng = &p->cc.eng;
    uint8_t record[512];
    size_t start = 5, end = sizeof record, n = payload.n;

    eng->out.vtable->max_plaintext(&eng->out.vtable, &start, &end);
    if (n)
        memcpy(record + start, payload.p, n);
    uint8_t *sealed = eng->out.vtable->encrypt(&eng->out.vtable, type, BR_TLS12, record + start, &n);
    push(t, sealed, n, hold);
}

static void write_some(struct tls *t, size_t n)
{
    struct span room = tls_lend(t);

    if (!room.n)
        return;
    n = n < room.n ? n : room.n;
    memset(room.p, 'x', n);
    tls_commit(t, n);
}

static void act(struct peer *p, struct tls *t, struct reader *r)
{
    uint8_t op = reader_u8(r);
    struct reader rest = reader_vec8(r);
    struct bytes bytes = reader_take(&rest, reader_left(&rest));

    if (r->failed)
        return;
    switch (op & 7) {
    case 0: push(t, bytes.p, bytes.n, op & 8); break;
    case 1: push_sealed(p, t, 23, bytes, op & 8); break;
    case 2: push_sealed(p, t, (uint8_t)(20 + (op >> 4 & 3)), bytes, op & 8); break;
    case 3: write_some(t, op & 8 ? 40000 : bytes.n); break;
    case 4: tls_seal(t); break;
    case 5: bufq_drop(tls_output(t), tls_output(t)->bytes / 2); break;
    case 6: op & 8 ? tls_close(t) : tls_recv_eof(t); break;
    default: op & 8 ? tls_abort(t, op) : bufq_clear(tls_output(t)); break;
    }
    if (tls_is_idle(t) && pool_lent(server.pool))
        abort();
    (void)tls_wants(t);
    (void)tls_info(t);
    if (tls_status(t) == TLS_FAILED && !*tls_failure(t).text)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    static struct peer peer;
    struct tls *t;

    state = 1;
    if (!identity)
        set_up();
    server.select = choose;
    server.pool = pool_new(2, 2);
    server.sessions = tls_session_cache_new(8);
    t = tls_server_new(&server);
    uint8_t mode = reader_u8(&r);
    if (mode & 1) {
        handshake(&peer, t);
        while (!r.failed && reader_left(&r))
            act(&peer, t, &r);
    } else {
        size_t piece = mode & 2 ? 1 + mode / 4 : SIZE_MAX;
        while (reader_left(&r) && tls_status(t) <= TLS_OPEN) {
            struct bytes part = reader_take(&r, piece < reader_left(&r) ? piece : reader_left(&r));
            push(t, part.p, part.n, false);
        }
        tls_recv_eof(t);
    }
    tls_free(t);
    if (pool_lent(server.pool))
        abort();
    pool_free(server.pool);
    tls_session_cache_free(server.sessions);
    return 0;
}
