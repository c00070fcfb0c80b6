/* SPDX-License-Identifier: MIT
 *
 * The TLS 1.2 client: BearSSL's handshake with our choice of suites and our validation of the server's chain. A
 * client without a name to check against is refused, not trusted.
 */
#include "tls/alert.h"
#include "tls/bear12.h"
#include "tls/client.h"
#include "tls/suites.h"
#include "tls/verify.h"

#include "base/mem.h"
#include "base/time.h"

#include <string.h>

struct client12 {
    struct bear12 bear; /* first: a tls_engine */
    br_ssl_client_context client;
    struct verify verify;
};

static void client12_free(struct tls_engine *e)
{
    struct client12 *c = (struct client12 *)(void *)e;

    bear12_release(&c->bear);
    verify_release(&c->verify);
    mem_wipe_free(c, sizeof *c);
}

static const struct tls_engine_class client12_class = {
    .free = client12_free,
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

static int64_t present(void)
{
    int64_t now = time_wall(), floor = time_floor();
    return now > floor ? now : floor;
}

static void configure(struct client12 *c, const struct tls_trust *trust, const char *name,
                      struct tls_alpn alpn)
{
    const struct crypto_impl *impl = crypto_impl();
    br_ssl_engine_context *eng = &c->client.eng;
    uint16_t suites[SUITES_MAX];

    c->bear.engine.vtable = &client12_class;
    suites_set_impl(eng, impl);
    br_ssl_engine_set_suites(eng, suites, suites_for_client(suites, impl->fast_aes));
    /* The server's key may be on any curve, so all are offered. */
    br_ssl_engine_set_ec(eng, impl->ec);
    br_ssl_engine_set_ecdsa(eng, impl->ecdsa_vrfy);
    br_ssl_engine_set_rsavrfy(eng, impl->rsa_vrfy);
    br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION);
    /* BearSSL lacks a const: it only reads. */
    br_ssl_engine_set_protocol_names(eng, (const char **)(uintptr_t)alpn.names, alpn.n);
    verify_init(&c->verify, trust, impl, name, present());
    br_ssl_engine_set_x509(eng, &c->verify.vtable);
}

struct tls_engine *tls_client12_new(struct tls_core *core, const struct tls_trust *trust, const char *name,
                                    struct tls_alpn alpn)
{
    struct client12 *c = *name ? mem_zalloc(sizeof *c) : NULL;

    if (!c) {
        tls_core_fail(core, ALERT_INTERNAL_ERROR, false, *name ? "out of memory" : "no name for the server");
        return NULL;
    }
    configure(c, trust, name, alpn);
    if (!bear12_begin(&c->bear, core, &c->client.eng)) {
        mem_wipe_free(c, sizeof *c);
        return NULL;
    }
    /* An IP address is not sent as SNI (RFC 6066 §3). A failure (a name too long) shows in the engine's state. */
    (void)br_ssl_client_reset(&c->client, verify_is_ip(&c->verify) ? NULL : name, 0);
    bear12_started(&c->bear);
    if (core->status == TLS_FAILED) {
        client12_free(&c->bear.engine);
        return NULL;
    }
    return &c->bear.engine;
}
