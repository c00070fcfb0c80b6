/* SPDX-License-Identifier: MIT
 *
 * Any bytes at the start of a connection: what collecting says of them must not change when more come, and what
 * parsing points to must lie in the message. What TLS 1.3 would choose from it must be in it.
 */
#include "tls/client_hello.h"
#include "tls/negotiate13.h"

#include <stdlib.h>
#include <string.h>

static void inside(struct bytes part, struct bytes message)
{
    if (part.n && (part.p < message.p || part.p + part.n > message.p + message.n))
        abort();
}

/* What a TLS 1.3 server makes of it: what it chooses was offered, and what it goes on with is there. */
static void negotiate(const struct client_hello *h, struct bytes message)
{
    static const char *const names[] = {"http/1.1"};
    const struct tls_server server = {
        .alpn = {names, 1}
    };
    const struct tls_identity identity = {.key_type = TLS_KEY_EC_P256};
    struct negotiated13 n;
    const char *why = NULL;
    uint8_t digest[32];

    client_hello_digest(message, digest);
    if (negotiate13(&n, h, &server, &identity, &why)) {
        if (!why || !*why)
            abort();
        return;
    }
    if (!n.suite || !client_hello_lists(h->cipher_suites, n.suite->number) || !n.group ||
        !client_hello_lists(h->supported_groups, n.group->number) || !n.alpn ||
        (n.signature && !client_hello_lists(h->signature_algorithms, n.signature->number)))
        abort();
    inside(n.share, message);
    if (n.share.n && n.share.n != n.group->share_len)
        abort();
    (void)negotiate13_retried(h, digest, digest, n.group);
}

static void parse(struct bytes message)
{
    struct client_hello h;
    /* Memory of exactly this size, so that reading past it is seen. */
    uint8_t *mine = malloc(message.n ? message.n : 1);

    memcpy(mine, message.p, message.n);
    message.p = mine;
    if (client_hello_parse(&h, message) == 0) {
        const struct bytes parts[] = {h.random,
                                      h.session_id,
                                      h.cipher_suites,
                                      h.compression_methods,
                                      h.server_name,
                                      h.alpn,
                                      h.supported_versions,
                                      h.supported_groups,
                                      h.signature_algorithms,
                                      h.signature_algorithms_cert,
                                      h.key_share,
                                      h.psk_modes,
                                      h.pre_shared_key,
                                      h.cookie};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            inside(parts[i], message);
        if (h.random.n != 32 || h.session_id.n > 32 || h.cipher_suites.n % 2 || h.server_name.n > 255 ||
            h.binders_offset >= message.n || h.has_psk != (h.binders_offset != 0))
            abort();
        negotiate(&h, message);
    }
    free(mine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[CLIENT_HELLO_MAX + 4];
    struct bytes message = {NULL, 0}, part;
    long whole = client_hello_collect((struct bytes){data, size}, &message, scratch);

    if (whole > (long)size || (whole > 0 && message.n < 4) || message.n > sizeof scratch)
        abort();
    if (whole > 0)
        parse(message);
    /* The message as it is, too: the corpus is shared. */
    parse((struct bytes){data, size});
    for (size_t n = 0; n < size; n += 1 + n / 8) {
        long before = client_hello_collect((struct bytes){data, n}, &part, scratch);
        if (before && before != whole)
            abort();
    }
    return 0;
}
