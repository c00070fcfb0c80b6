/* SPDX-License-Identifier: MIT
 *
 * The downgrade sentinel (RFC 8446 §4.1.3). A server that knows TLS 1.3 and answers in 1.2 says so at the end of its
 * random, under its signature, so that a client that was made to ask for 1.2 by someone in between notices. BearSSL
 * draws that random in the middle of its handshake program, where there is no hook, so the linker puts this function
 * in the place of its generator (--wrap in build.mk). It adds to what was drawn in exactly that case: 28 bytes into the
 * server_random of the engine that the generator is a part of. All else passes through.
 */
#include <bearssl.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

void __real_br_hmac_drbg_generate(br_hmac_drbg_context *ctx, void *out, size_t len);
void __wrap_br_hmac_drbg_generate(br_hmac_drbg_context *ctx, void *out, size_t len);

/* What BearSSL draws: the first 4 bytes of server_random stay zero. */
enum { DRAWN = 28 };

static int is_server_random(const br_hmac_drbg_context *ctx, const void *out, size_t len)
{
    return len == DRAWN && (uintptr_t)out - (uintptr_t)ctx == offsetof(br_ssl_engine_context, server_random) +
                                                                  32 - DRAWN -
                                                                  offsetof(br_ssl_engine_context, rng);
}

void __wrap_br_hmac_drbg_generate(br_hmac_drbg_context *ctx, void *out, size_t len)
{
    static const uint8_t sentinel[8] = {'D', 'O', 'W', 'N', 'G', 'R', 'D', 1};

    __real_br_hmac_drbg_generate(ctx, out, len);
    if (is_server_random(ctx, out, len))
        memcpy((uint8_t *)out + DRAWN - sizeof sentinel, sentinel, sizeof sentinel);
}
