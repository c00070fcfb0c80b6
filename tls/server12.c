/* SPDX-License-Identifier: MIT
 *
 * The TLS 1.2 server: BearSSL's handshake with our choice of suites, key and session. What BearSSL 0.6 would get
 * wrong is settled from the parsed ClientHello before it sees a byte.
 */
#include "tls/alert.h"
#include "tls/bear12.h"
#include "tls/suites.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

enum { FALLBACK_SCSV = 0x5600 };

struct server12 {
    struct bear12 bear; /* first: a tls_engine */
    br_ssl_server_context server;
    struct tls_session_view sessions;
};

static void server12_free(struct tls_engine *e)
{
    struct server12 *s = (struct server12 *)(void *)e;

    bear12_release(&s->bear);
    mem_wipe_free(s, sizeof *s);
}

static const struct tls_engine_class server12_class = {
    .free = server12_free,
    .recv = bear12_recv,
    .data = bear12_data,
    .consume = bear12_consume,
    .hold = bear12_hold,
    .lend = bear12_lend,
    .commit = bear12_commit,
    .seal = bear12_seal,
    .alert = bear12_alert,
    .idle = bear12_idle,
    .info = bear12_info,
};

/* 0, or why the hello is refused. */
static uint8_t check(const struct client_hello *hello, const struct tls_server *server, const char **text)
{
    /* RFC 8446 §4.2.1: supported_versions, where it is sent, is what counts. */
    if (server->only_13 || hello->legacy_version < BR_TLS12 ||
        (hello->supported_versions.n && !client_hello_lists(hello->supported_versions, BR_TLS12))) {
        *text = "no common TLS version";
        return ALERT_PROTOCOL_VERSION;
    }
    /* RFC 7507 §3: BearSSL does not know that we speak 1.3. */
    if (client_hello_lists(hello->cipher_suites, FALLBACK_SCSV)) {
        *text = "the client fell back to TLS 1.2";
        return ALERT_INAPPROPRIATE_FALLBACK;
    }
    /* BearSSL checks it only in a full handshake; in a resumed one it would send the name at index 0xFFFE. */
    if (!client_hello_alpn(hello, server->alpn.names, server->alpn.n)) {
        *text = "no common application protocol";
        return ALERT_NO_APPLICATION_PROTOCOL;
    }
    return 0;
}

static void set_key(struct server12 *s, const struct tls_identity *id, const struct crypto_impl *impl)
{
    if (id->key_type == TLS_KEY_RSA)
        br_ssl_server_set_single_rsa(&s->server, id->chain, id->chain_len, &id->key.rsa, BR_KEYTYPE_SIGN, 0,
                                     impl->rsa_sign);
    else
        br_ssl_server_set_single_ec(&s->server, id->chain, id->chain_len, &id->key.ec, BR_KEYTYPE_SIGN,
                                    id->issuer_key_type, impl->ec, impl->ecdsa_sign);
}

static struct server12 *server12_make(struct tls_core *core, const struct tls_server *server,
                                      const struct client_hello *hello, const struct tls_identity *identity)
{
    const struct crypto_impl *impl = crypto_impl();
    uint16_t suites[SERVER_SUITES_MAX];
    struct server12 *s = mem_zalloc(sizeof *s);

    if (!s) {
        tls_core_plain_alert(core, 2, ALERT_INTERNAL_ERROR);
        tls_core_fail(core, ALERT_INTERNAL_ERROR, false, "out of memory");
        return NULL;
    }
    br_ssl_engine_context *eng = &s->server.eng;
    s->bear.engine.vtable = &server12_class;
    suites_set_impl(eng, impl);
    br_ssl_engine_set_ec(eng, impl->ecdhe);
    unsigned n = suites_for_server(suites, hello, identity->key_type == TLS_KEY_RSA, impl->fast_aes);
    br_ssl_engine_set_suites(eng, suites, n);
    br_ssl_engine_add_flags(eng, BR_OPT_ENFORCE_SERVER_PREFERENCES | BR_OPT_NO_RENEGOTIATION |
                                     BR_OPT_FAIL_ON_ALPN_MISMATCH);
    /* BearSSL lacks a const: it only reads. */
    br_ssl_engine_set_protocol_names(eng, (const char **)(uintptr_t)server->alpn.names, server->alpn.n);
    set_key(s, identity, impl);
    if (server->sessions) {
        tls_session_view_init(&s->sessions, server->sessions, identity->name);
        br_ssl_server_set_cache(&s->server, &s->sessions.vtable);
    }
    if (hello->session_id.n == sizeof s->bear.offered) {
        memcpy(s->bear.offered, hello->session_id.p, sizeof s->bear.offered);
        s->bear.has_offered = true;
    }
    return s;
}

struct tls_engine *tls_server12_new(struct tls_core *core, const struct tls_server *server,
                                    const struct client_hello *hello, struct span records,
                                    const struct tls_identity *identity)
{
    const char *text;
    uint8_t alert = check(hello, server, &text);

    if (alert) {
        tls_core_plain_alert(core, 2, alert);
        tls_core_fail(core, alert, false, text);
        return NULL;
    }
    struct server12 *s = server12_make(core, server, hello, identity);
    if (!s)
        return NULL;
    if (!bear12_begin(&s->bear, core, &s->server.eng)) {
        mem_wipe_free(s, sizeof *s);
        return NULL;
    }
    (void)br_ssl_server_reset(&s->server); /* a failure shows in the engine's state */
    bear12_started(&s->bear);
    if (core->status != TLS_FAILED) {
        size_t took = bear12_recv(&s->bear.engine, records.p, records.n);
        assert(took == records.n || core->status == TLS_FAILED);
        (void)took;
    }
    if (core->status == TLS_FAILED) {
        server12_free(&s->bear.engine);
        return NULL;
    }
    return &s->bear.engine;
}
