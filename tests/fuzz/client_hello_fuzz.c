/* SPDX-License-Identifier: MIT
 *
 * Any bytes at the start of a connection: what collecting says of them must not change when more come, and what
 * parsing points to must lie in the message.
 */
#include "tls/client_hello.h"

#include <stdlib.h>
#include <string.h>

static void inside(struct bytes part, struct bytes message)
{
    if (part.n && (part.p < message.p || part.p + part.n > message.p + message.n))
        abort();
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
        (void)client_hello_lists(h.cipher_suites, 0xc02b);
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
