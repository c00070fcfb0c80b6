/* SPDX-License-Identifier: MIT
 *
 * Each curve through the one table: as BearSSL's own implementation has it.
 */
#include "tests/unit/test.h"
#include "crypto/ec.h"
#include "crypto/impl.h"

static const int curves[] = {BR_EC_secp256r1, BR_EC_secp384r1, BR_EC_secp521r1, BR_EC_curve25519};

enum { CURVES = sizeof curves / sizeof curves[0] };

static bool offers(const br_ec_impl *impl, int curve)
{
    return (impl->supported_curves >> curve & 1) != 0;
}

TEST(curves_that_are_offered)
{
    CHECK_EQ(ec_all.supported_curves, br_ec_all_m31.supported_curves);
    for (size_t i = 0; i < CURVES; i++)
        CHECK_EQ(offers(&ec_ecdhe, curves[i]), curves[i] == BR_EC_secp256r1 || curves[i] == BR_EC_curve25519);
    CHECK(crypto_impl()->ec == &ec_all && crypto_impl_portable()->ec == &ec_all);
    CHECK(crypto_impl()->ecdhe == &ec_ecdhe && crypto_impl_portable()->ecdhe == &ec_ecdhe);
}

static void agrees(const br_ec_impl *impl, int curve)
{
    uint8_t k[66], one[150], expected[150];
    size_t len, expected_len, k_len;
    const uint8_t *p, *q;

    p = impl->generator(curve, &len);
    q = br_ec_all_m31.generator(curve, &expected_len);
    CHECK_MEM(p, len, q, expected_len);
    p = impl->order(curve, &k_len);
    q = br_ec_all_m31.order(curve, &expected_len);
    CHECK_MEM(p, k_len, q, expected_len);
    CHECK_EQ(impl->xoff(curve, &len), br_ec_all_m31.xoff(curve, &expected_len));
    CHECK_EQ(len, expected_len);

    for (size_t i = 0; i < k_len; i++)
        k[i] = (uint8_t)(7 * i);
    len = impl->mulgen(one, k, k_len, curve);
    expected_len = br_ec_all_m31.mulgen(expected, k, k_len, curve);
    CHECK_MEM(one, len, expected, expected_len);
    CHECK_EQ(impl->mul(one, len, k, k_len, curve), 1);
    br_ec_all_m31.mul(expected, expected_len, k, k_len, curve);
    CHECK_MEM(one, len, expected, expected_len);
    if (curve == BR_EC_curve25519)
        return;
    CHECK_EQ(impl->muladd(one, NULL, len, k, k_len, k, k_len, curve), 1);
    br_ec_all_m31.muladd(expected, NULL, expected_len, k, k_len, k, k_len, curve);
    CHECK_MEM(one, len, expected, expected_len);
}

TEST(each_curve)
{
    for (size_t i = 0; i < CURVES; i++) {
        agrees(&ec_all, curves[i]);
        if (offers(&ec_ecdhe, curves[i]))
            agrees(&ec_ecdhe, curves[i]);
    }
}

TEST_MAIN(RUN(curves_that_are_offered), RUN(each_curve))
