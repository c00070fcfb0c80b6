/* SPDX-License-Identifier: MIT
 *
 * See rig.h. PEM is decoded here by BearSSL alone: certs/ is above tls/.
 */
#include "tests/unit/tls/rig.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS "tests/vectors/certs/"

void sink_add(struct sink *s, const void *p, size_t n)
{
    if (s->cap - s->n < n) {
        s->cap = (s->n + n) * 2;
        s->p = realloc(s->p, s->cap);
        assert(s->p);
    }
    if (n)
        memcpy(s->p + s->n, p, n);
    s->n += n;
}

void sink_free(struct sink *s)
{
    free(s->p);
    *s = (struct sink){0};
}

static void add(void *ctx, const void *p, size_t n)
{
    sink_add(ctx, p, n);
}

/* The next PEM object of a file as DER, in `der`; false at its end. */
static bool next_object(FILE *f, struct sink *der)
{
    br_pem_decoder_context pem;
    int c;

    der->n = 0;
    br_pem_decoder_init(&pem);
    while ((c = getc(f)) != EOF) {
        char byte = (char)c;
        while (!br_pem_decoder_push(&pem, &byte, 1)) {
            switch (br_pem_decoder_event(&pem)) {
            case BR_PEM_BEGIN_OBJ: br_pem_decoder_setdest(&pem, add, der); break;
            case BR_PEM_END_OBJ: return true;
            default: return false;
            }
        }
        int event = br_pem_decoder_event(&pem);
        if (event == BR_PEM_BEGIN_OBJ)
            br_pem_decoder_setdest(&pem, add, der);
        else if (event == BR_PEM_END_OBJ)
            return true;
    }
    return false;
}

static FILE *vector(const char *name)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, VECTORS "%s", name);
    f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

static size_t put(uint8_t *at, const unsigned char *p, size_t n, unsigned char **out, size_t *len)
{
    memcpy(at, p, n);
    *out = at;
    *len = n;
    return n;
}

static void load_key(struct tls_identity *id, const struct sink *der)
{
    br_skey_decoder_context d;

    br_skey_decoder_init(&d);
    br_skey_decoder_push(&d, der->p, der->n);
    assert(br_skey_decoder_last_error(&d) == 0);
    id->key_data = mem_alloc(4096);
    assert(id->key_data);
    id->key_data_len = 4096;
    if (br_skey_decoder_key_type(&d) == BR_KEYTYPE_EC) {
        const br_ec_private_key *k = br_skey_decoder_get_ec(&d);
        id->key.ec.curve = k->curve;
        put(id->key_data, k->x, k->xlen, &id->key.ec.x, &id->key.ec.xlen);
        id->key_type = k->curve == BR_EC_secp384r1   ? TLS_KEY_EC_P384
                       : k->curve == BR_EC_secp521r1 ? TLS_KEY_EC_P521
                                                     : TLS_KEY_EC_P256;
        return;
    }
    const br_rsa_private_key *k = br_skey_decoder_get_rsa(&d);
    br_rsa_private_key *r = &id->key.rsa;
    uint8_t *at = id->key_data;
    r->n_bitlen = k->n_bitlen;
    at += put(at, k->p, k->plen, &r->p, &r->plen);
    at += put(at, k->q, k->qlen, &r->q, &r->qlen);
    at += put(at, k->dp, k->dplen, &r->dp, &r->dplen);
    at += put(at, k->dq, k->dqlen, &r->dq, &r->dqlen);
    put(at, k->iq, k->iqlen, &r->iq, &r->iqlen);
    id->key_type = TLS_KEY_RSA;
}

struct tls_identity *rig_identity(const char *site, const char *cert, const char *key)
{
    struct tls_identity *id = tls_identity_new(site);
    struct sink der = {0};
    FILE *f = vector(cert);

    assert(id);
    while (next_object(f, &der)) {
        id->chain = mem_realloc(id->chain, (id->chain_len + 1) * sizeof *id->chain);
        assert(id->chain);
        br_x509_certificate *c = &id->chain[id->chain_len++];
        c->data = mem_alloc(der.n);
        assert(c->data);
        c->data_len = der.n;
        memcpy(c->data, der.p, der.n);
    }
    fclose(f);
    f = vector(key);
    if (!next_object(f, &der))
        abort();
    fclose(f);
    load_key(id, &der);
    id->issuer_key_type = id->key_type == TLS_KEY_RSA ? BR_KEYTYPE_RSA : BR_KEYTYPE_EC;
    sink_free(&der);
    return id;
}

static void *copy(const void *p, size_t n)
{
    void *out = malloc(n);

    assert(out);
    memcpy(out, p, n);
    return out;
}

struct tls_trust rig_trust(const char *cert)
{
    br_x509_trust_anchor *anchors = calloc(4, sizeof *anchors);
    struct tls_trust trust = {.anchors = anchors};
    struct sink der = {0};
    FILE *f = vector(cert);

    assert(anchors);
    while (trust.n < 4 && next_object(f, &der)) {
        br_x509_decoder_context d;
        struct sink dn = {0};
        br_x509_decoder_init(&d, add, &dn);
        br_x509_decoder_push(&d, der.p, der.n);
        br_x509_pkey *k = br_x509_decoder_get_pkey(&d);
        assert(k);
        br_x509_trust_anchor *a = &anchors[trust.n++];
        a->dn.data = dn.p;
        a->dn.len = dn.n;
        a->flags = br_x509_decoder_isCA(&d) ? BR_X509_TA_CA : 0;
        a->pkey = *k;
        if (k->key_type == BR_KEYTYPE_RSA) {
            a->pkey.key.rsa.n = copy(k->key.rsa.n, k->key.rsa.nlen);
            a->pkey.key.rsa.e = copy(k->key.rsa.e, k->key.rsa.elen);
        } else {
            a->pkey.key.ec.q = copy(k->key.ec.q, k->key.ec.qlen);
        }
    }
    fclose(f);
    sink_free(&der);
    return trust;
}

void rig_trust_free(struct tls_trust *trust)
{
    for (size_t i = 0; i < trust->n; i++) {
        const br_x509_trust_anchor *a = &trust->anchors[i];
        free(a->dn.data);
        if (a->pkey.key_type == BR_KEYTYPE_RSA) {
            free(a->pkey.key.rsa.n);
            free(a->pkey.key.rsa.e);
        } else {
            free(a->pkey.key.ec.q);
        }
    }
    free((void *)(uintptr_t)trust->anchors);
    *trust = (struct tls_trust){0};
}

/* --- a server --- */

static struct tls_identity *select_identity(void *ctx, const struct client_hello *hello)
{
    struct rig *r = ctx;

    r->selected++;
    if (r->named && bytes_is_nocase(hello->server_name, r->named->name))
        return r->named;
    return r->fallback;
}

void rig_init(struct rig *r, struct tls_identity *fallback)
{
    static const char *const names[] = {"http/1.1"};

    *r = (struct rig){.fallback = fallback, .pool = pool_new(4, 4)};
    assert(r->pool);
    r->server = (struct tls_server){
        .select = select_identity, .ctx = r, .alpn = {names, 1},
                .pool = r->pool
    };
}

void rig_release(struct rig *r)
{
    tls_session_cache_free(r->server.sessions);
    tls_identity_unref(r->named);
    tls_identity_unref(r->fallback);
    pool_free(r->pool);
}

/* --- a client --- */

void peer_init(struct peer *p, const struct tls_trust *trust)
{
    memset(p, 0, sizeof *p);
    br_ssl_client_init_full(&p->cc, &p->x509, trust->anchors, trust->n);
    br_x509_minimal_set_time(&p->x509, 719528 + 22000, 0); /* March 2030 */
    br_ssl_engine_set_buffer(&p->cc.eng, p->buffer, sizeof p->buffer, 1);
}

void peer_start(struct peer *p, const char *name, bool resume)
{
    if (!br_ssl_client_reset(&p->cc, name, resume))
        abort();
}

void peer_write(struct peer *p, const void *data, size_t n)
{
    size_t room;
    uint8_t *at = br_ssl_engine_sendapp_buf(&p->cc.eng, &room);

    assert(at && n <= room);
    memcpy(at, data, n);
    br_ssl_engine_sendapp_ack(&p->cc.eng, n);
    br_ssl_engine_flush(&p->cc.eng, 0);
}

int peer_error(const struct peer *p)
{
    return br_ssl_engine_last_error(&p->cc.eng);
}

void peer_free(struct peer *p)
{
    sink_free(&p->got);
}

/* --- the wire --- */

size_t wire_push(const struct wire *w, struct tls *t, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t used = 0;

    while (used < n) {
        size_t k = w->piece < n - used ? w->piece : n - used, took = 0;
        uint8_t *mine = copy(p + used, k);
        while (took < k) {
            size_t more = tls_recv(t, mine + took, k - took);
            took += more;
            struct bytes data = tls_data(t);
            if (!more && !data.n)
                break;
            if (data.n && w->hold) {
                /* What is not taken yet is offered again later: only data must outlive the memory. */
                if (!tls_hold(t))
                    break;
                data = tls_data(t);
            }
            while (data.n) {
                size_t part = w->hold ? (data.n + 1) / 2 : data.n;
                sink_add(w->got, data.p, part);
                tls_consume(t, part);
                data = tls_data(t);
            }
        }
        free(mine);
        used += took;
        if (took < k)
            break;
    }
    return used;
}

void wire_pump(const struct wire *w, struct peer *p, struct tls *t)
{
    br_ssl_engine_context *eng = &p->cc.eng;

    for (bool moved = true; moved;) {
        size_t n;
        uint8_t *at;
        moved = false;
        if ((at = br_ssl_engine_sendrec_buf(eng, &n))) {
            /* Once it is over, nobody reads. */
            size_t k = tls_status(t) <= TLS_OPEN ? wire_push(w, t, at, n) : n;
            moved = k > 0;
            br_ssl_engine_sendrec_ack(eng, k);
        }
        while (tls_output(t)->bytes && (at = br_ssl_engine_recvrec_buf(eng, &n))) {
            struct bytes out = bufq_front(tls_output(t));
            size_t k = out.n < n ? out.n : n;
            if (k > w->piece)
                k = w->piece;
            memcpy(at, out.p, k);
            bufq_drop(tls_output(t), k);
            br_ssl_engine_recvrec_ack(eng, k);
            moved = true;
            if ((at = br_ssl_engine_recvapp_buf(eng, &n))) {
                sink_add(&p->got, at, n);
                br_ssl_engine_recvapp_ack(eng, n);
            }
            if (br_ssl_engine_sendrec_buf(eng, &n))
                break;
        }
    }
}

struct sink rig_take_output(struct tls *t)
{
    struct sink all = {0};

    while (tls_output(t)->bytes) {
        struct bytes front = bufq_front(tls_output(t));
        sink_add(&all, front.p, front.n);
        bufq_drop(tls_output(t), front.n);
    }
    return all;
}

size_t rig_hello(uint8_t *out, size_t cap, uint16_t version, void (*extensions)(struct writer *w))
{
    static const uint8_t suites[] = {0x0a, 0x0a, 0xc0, 0x2b, 0xc0, 0x2f, 0x00, 0xff};
    uint8_t random[32];
    struct writer w = writer_of(out, cap);

    memset(random, 0x5a, sizeof random);
    writer_u8(&w, 22);
    writer_u16(&w, 0x0301);
    size_t record = writer_open(&w, 2);
    writer_u8(&w, 1);
    size_t message = writer_open(&w, 3);
    writer_u16(&w, version);
    writer_put(&w, random, sizeof random);
    writer_u8(&w, 0);
    writer_u16(&w, sizeof suites);
    writer_put(&w, suites, sizeof suites);
    writer_u8(&w, 1);
    writer_u8(&w, 0);
    if (extensions) {
        size_t list = writer_open(&w, 2);
        extensions(&w);
        writer_close(&w, list, 2);
    }
    writer_close(&w, message, 3);
    writer_close(&w, record, 2);
    assert(!w.failed);
    return writer_len(&w);
}

void rig_ordinary(struct writer *w)
{
    static const uint8_t algorithms[] = {0, 13, 0, 6, 0, 4, 4, 3, 4, 1};
    writer_put(w, algorithms, sizeof algorithms);
}
