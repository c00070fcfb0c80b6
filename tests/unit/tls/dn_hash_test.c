/* SPDX-License-Identifier: MIT
 *
 * The hash of names, as validation calls it: in pieces, again and again in one context.
 */
#include "tests/unit/test.h"
#include "tls/dn_hash.h"

#define OUT_OF(class) ((class).desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK)

/* Hashes in pieces of so many bytes, in a context that has been used. */
static bool gives(const uint8_t *name, size_t n, size_t piece, const void *expected)
{
    br_hash_compat_context c;
    uint8_t got[64];

    memset(&c, 0x99, sizeof c);
    memset(got, 0x55, sizeof got);
    dn_hash_class.init(&c.vtable);
    CHECK(c.vtable == &dn_hash_class);
    for (size_t at = 0; at < n; at += piece) {
        c.vtable->update(&c.vtable, name + at, n - at < piece ? n - at : piece);
        c.vtable->update(&c.vtable, name, 0);
    }
    c.vtable->out(&c.vtable, got);
    for (size_t i = DN_HASH_LEN; i < sizeof got; i++)
        if (!CHECK_EQ(got[i], 0x55))
            return false;
    return memcmp(got, expected, DN_HASH_LEN) == 0;
}

static void sha256(const void *p, size_t n, uint8_t out[32])
{
    br_sha256_context c;

    br_sha256_init(&c);
    br_sha256_update(&c, p, n);
    br_sha256_out(&c, out);
}

TEST(fits_where_bearssl_has_it)
{
    CHECK(dn_hash_class.context_size <= sizeof(br_hash_compat_context));
    CHECK_EQ(OUT_OF(dn_hash_class), DN_HASH_LEN);
    /* What a mark can never be. */
    CHECK(!(0x30 & DN_HASH_MADE));
}

/* A name of any length, the hashed form's among them, is hashed. */
TEST(a_name_is_hashed)
{
    uint8_t name[300];

    for (size_t i = 0; i < sizeof name; i++)
        name[i] = (uint8_t)(0x30 + i * 5);
    for (size_t n = 0; n <= sizeof name; n++) {
        uint8_t whole[32], got[DN_HASH_LEN];

        sha256(name, n, whole);
        CHECK(gives(name, n, 1, whole) && gives(name, n, 7, whole) && gives(name, n, 1000, whole));
        dn_hash(bytes_of(name, n), got);
        CHECK_MEM(got, sizeof got, whole, DN_HASH_LEN);
    }
}

/* What is marked and has the right length is a hash; a byte more or less, and it is only bytes. */
TEST(a_hash_stays_what_it_is)
{
    uint8_t name[100];

    for (size_t i = 0; i < sizeof name; i++)
        name[i] = (uint8_t)(i * 5);
    for (unsigned first = 0; first < 256; first++)
        for (size_t n = 1; n <= sizeof name; n++) {
            uint8_t whole[32];
            const uint8_t *expected = name + 1;

            name[0] = (uint8_t)first;
            if (n != 1 + DN_HASH_LEN || !(first & DN_HASH_MADE)) {
                sha256(name, n, whole);
                expected = whole;
            }
            CHECK(gives(name, n, 1, expected) && gives(name, n, 5, expected) &&
                  gives(name, n, 1000, expected));
        }
}

TEST_MAIN(RUN(fits_where_bearssl_has_it), RUN(a_name_is_hashed), RUN(a_hash_stays_what_it_is))
