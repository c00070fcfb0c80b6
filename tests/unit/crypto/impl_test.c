/* SPDX-License-Identifier: MIT
 *
 * What is chosen for this processor does what its portable counterpart does, each by one input: that the right
 * function stands in the right place. How well each does it is for its own test.
 */
#include "tests/unit/test.h"
#include "tests/unit/crypto/input.h"
#include "crypto/gcm.h"
#include "crypto/impl.h"

#ifdef __AARCH64EL__
#include "crypto/aes_armv8.h"
#include "crypto/chacha20_neon.h"
#include "crypto/sha256_armv8.h"
#endif

enum { LEN = 1000 };

static uint8_t key[32], iv[12], text[LEN], a[LEN], b[LEN];

static void new_input(void)
{
    input_bytes(key, sizeof key);
    input_bytes(iv, sizeof iv);
    input_bytes(text, sizeof text);
    memcpy(a, text, sizeof a);
    memcpy(b, text, sizeof b);
}

TEST(the_choice_fits_the_processor)
{
    const struct crypto_impl *impl = crypto_impl();

    printf("fast AES: %s\n", impl->fast_aes ? "yes" : "no");
    CHECK(!crypto_impl_portable()->fast_aes);
    CHECK(crypto_impl() == impl);
    CHECK_EQ(impl->fast_aes && GCM_BY_INSTRUCTIONS, gcm_has());
#ifdef __AARCH64EL__
    CHECK(impl->chacha20 == chacha20_neon_run);
    CHECK_EQ(impl->fast_aes, impl->aes_ctr == &aes_armv8_ctr);
    CHECK_EQ(impl->fast_aes, impl->ghash == aes_armv8_ghash);
    CHECK_EQ(impl->fast_aes, impl->sha256 == &sha256_armv8);
#endif
}

static uint32_t ctr(const struct crypto_impl *impl, uint8_t *data)
{
    br_aes_gen_ctr_keys keys;

    if (!CHECK(impl->aes_ctr->context_size <= sizeof keys))
        return 0;
    impl->aes_ctr->init(&keys.vtable, key, sizeof key);
    return impl->aes_ctr->run(&keys.vtable, iv, 7, data, LEN / 16 * 16);
}

TEST(aes_gcm)
{
    uint8_t y[16] = {1}, model_y[16] = {1};

    new_input();
    CHECK_EQ(ctr(crypto_impl(), a), ctr(crypto_impl_portable(), b));
    CHECK_MEM(a, LEN, b, LEN);
    crypto_impl()->ghash(y, key, text, LEN);
    crypto_impl_portable()->ghash(model_y, key, text, LEN);
    CHECK_MEM(y, sizeof y, model_y, sizeof model_y);
}

TEST(chacha20_poly1305)
{
    uint8_t tag[16], model_tag[16];

    new_input();
    crypto_impl()->poly1305(key, iv, a, LEN, iv, sizeof iv, tag, crypto_impl()->chacha20, 1);
    br_poly1305_ctmul_run(key, iv, b, LEN, iv, sizeof iv, model_tag, br_chacha20_ct_run, 1);
    CHECK_MEM(a, LEN, b, LEN);
    CHECK_MEM(tag, sizeof tag, model_tag, sizeof model_tag);
}

TEST(sha256)
{
    br_sha256_context c, model;
    uint8_t out[32], model_out[32];

    new_input();
    CHECK_EQ(crypto_impl()->sha256->context_size, sizeof c);
    crypto_impl()->sha256->init(&c.vtable);
    c.vtable->update(&c.vtable, text, LEN);
    c.vtable->out(&c.vtable, out);
    br_sha256_init(&model);
    br_sha256_update(&model, text, LEN);
    br_sha256_out(&model, model_out);
    CHECK_MEM(out, sizeof out, model_out, sizeof model_out);
}

/* Both sides of an exchange, by the two. */
static void exchange(int curve)
{
    const br_ec_impl *ec = crypto_impl()->ecdhe, *model = &br_ec_all_m31;
    uint8_t secret[32], model_secret[32], point[65], model_point[65];
    size_t len, model_len, at, n;

    input_bytes(secret, sizeof secret);
    input_bytes(model_secret, sizeof model_secret);
    secret[0] &= 0x7f, model_secret[0] &= 0x7f; /* below the order of P-256 */
    len = ec->mulgen(point, secret, sizeof secret, curve);
    model_len = model->mulgen(model_point, model_secret, sizeof model_secret, curve);
    CHECK_EQ(len, model_len);
    CHECK_EQ(ec->mul(model_point, model_len, secret, sizeof secret, curve), 1);
    CHECK_EQ(model->mul(point, len, model_secret, sizeof model_secret, curve), 1);
    at = ec->xoff(curve, &n);
    CHECK_MEM(point + at, n, model_point + at, n);
}

TEST(key_exchange)
{
    exchange(BR_EC_curve25519);
    exchange(BR_EC_secp256r1);
}

TEST_MAIN(RUN(the_choice_fits_the_processor), RUN(aes_gcm), RUN(chacha20_poly1305), RUN(sha256),
          RUN(key_exchange))
