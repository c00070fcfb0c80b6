/* SPDX-License-Identifier: MIT
 *
 * Keys that are made here are keys that are taken here, of the type that was asked for. That other programs take them is
 * tested from outside.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "certs/key.h"
#include "certs/keygen.h"
#include "certs/pem.h"

/* The key, parsed back. */
static struct tls_identity *made(const char *type)
{
    static char pem[KEYGEN_PEM];
    struct writer w = writer_of(pem, sizeof pem);
    struct tls_identity *id = tls_identity_new("key");

    CHECK(keygen(&w, type) == NULL);
    CHECK(pem_load_key(id, bytes_of(pem, writer_len(&w))) == NULL);
    return id;
}

TEST(elliptic_curves)
{
    struct tls_identity *a = made("p256"), *b = made("p256"), *c = made("p384");

    CHECK_EQ(a->key_type, TLS_KEY_EC_P256);
    CHECK_EQ(c->key_type, TLS_KEY_EC_P384);
    CHECK(memcmp(a->key.ec.x, b->key.ec.x, 32) != 0);
    tls_identity_unref(a);
    tls_identity_unref(b);
    tls_identity_unref(c);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(rsa)
{
    struct tls_identity *id = made("rsa2048");
    uint8_t modulus[KEY_RSA_MAX];

    CHECK_EQ(id->key_type, TLS_KEY_RSA);
    CHECK_EQ(id->key.rsa.n_bitlen, 2048);
    CHECK_EQ(key_rsa_modulus(&id->key.rsa, modulus).n, 256);
    CHECK_EQ(key_rsa_exponent(&id->key.rsa), 65537);
    tls_identity_unref(id);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(other_types)
{
    char pem[KEYGEN_PEM];

    for (size_t i = 0; i < 4; i++) {
        static const char *const types[] = {"", "rsa", "rsa1024", "P256"};
        struct writer w = writer_of(pem, sizeof pem);

        CHECK_STR(keygen(&w, types[i]), "no such type of key; one of " KEYGEN_TYPES);
        CHECK_EQ(writer_len(&w), 0);
    }
}

TEST(no_room)
{
    char small[40];
    struct writer w = writer_of(small, sizeof small);

    CHECK(keygen(&w, "p256") != NULL);
}

TEST_MAIN(RUN(elliptic_curves), RUN(rsa), RUN(other_types), RUN(no_room))
