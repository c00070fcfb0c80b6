/* SPDX-License-Identifier: MIT
 *
 * Chains and keys from PEM, in every form that people have them, and what is said of the forms that do not
 * serve.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "certs/pem.h"
#include "certs/x509.h"
#include "tests/unit/certs/vectors.h"

static void check_key(const char *file, enum tls_key_type type, const char *chain)
{
    const char *problem;
    struct tls_identity *id = vector_identity(chain, file, &problem);
    struct x509 x;

    if (!CHECK_STR(problem, NULL))
        printf("    %s\n", file);
    if (problem == NULL) {
        CHECK_EQ(id->key_type, type);
        CHECK(x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)));
        if (!CHECK(x509_matches_key(&x, id)))
            printf("    %s\n", file);
    }
    tls_identity_unref(id);
}

TEST(keys_of_every_kind_and_format)
{
    check_key("p256.key", TLS_KEY_EC_P256, "p256.pem");
    check_key("p256.sec1.key", TLS_KEY_EC_P256, "p256.pem");
    check_key("p256.sec1-with-parameters.key", TLS_KEY_EC_P256, "p256.pem");
    check_key("p384.key", TLS_KEY_EC_P384, "p384.pem");
    check_key("p384.sec1.key", TLS_KEY_EC_P384, "p384.pem");
    check_key("p521.key", TLS_KEY_EC_P521, "p521.pem");
    check_key("rsa2048.key", TLS_KEY_RSA, "rsa2048.pem");
    check_key("rsa2048.pkcs1.key", TLS_KEY_RSA, "rsa2048.pem");
    /* A key behind certificates in one file. */
    check_key("chain-with-text.pem", TLS_KEY_EC_P256, "chain-with-text.pem");
}

static void check_key_problem(const char *file, const char *expected)
{
    const char *problem;
    struct tls_identity *id = vector_identity(NULL, file, &problem);

    if (!CHECK_STR(problem, expected))
        printf("    %s\n", file);
    CHECK(id->key_data == NULL);
    tls_identity_unref(id);
}

TEST(keys_that_do_not_serve_are_named)
{
    check_key_problem("p256.encrypted-pkcs8.key", "the private key is encrypted; openssl pkey decrypts it");
    check_key_problem("p256.encrypted-sec1.key", "the private key is encrypted; openssl pkey decrypts it");
    check_key_problem("p256.pem", "no private key in this file; it holds a CERTIFICATE block");
    check_key_problem("p256.public.pem", "no private key in this file; it holds a PUBLIC KEY block");
    check_key_problem("p256.key.der", "this is DER, not PEM; openssl pkey -inform DER converts it");
    check_key_problem("rsa1024.key",
                      "an RSA key of less than 2048 bits, which clients refuse; make a P-256 key or an "
                      "RSA key of 2048 bits");
    check_key_problem("ed25519.key",
                      "an Ed25519 key, which browsers do not take; make a P-256 or an RSA key");
    check_key_problem("secp256k1.key", "an EC key on secp256k1, which is not supported; use P-256 or P-384");
    check_key_problem("brainpool.key",
                      "an EC key on brainpoolP256r1, which is not supported; use P-256 or P-384");
    check_key_problem("p256.explicit.key",
                      "an EC key with explicit curve parameters; use the named curve P-256 or P-384");
}

static const char *key_problem(const char *text)
{
    struct tls_identity *id = tls_identity_new("text");
    const char *problem = pem_load_key(id, bytes_str(text));

    tls_identity_unref(id);
    return problem;
}

TEST(key_texts_that_hold_none)
{
    CHECK_STR(key_problem(""), "the file is empty");
    CHECK_STR(key_problem("hello\n"), "no PEM block in this file");
    CHECK_STR(key_problem("-----BEGIN PRIVATE KEY-----\n"), "the private key block is damaged or cut off");
    CHECK_STR(key_problem("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"),
              "the private key is damaged");
    CHECK_STR(key_problem("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
              "the private key is damaged");
    CHECK_STR(key_problem("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n"),
              "the private key block is damaged or cut off");
    CHECK_STR(key_problem("-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n"),
              "the private key is of a kind that is not supported; make a P-256 or an RSA key");
}

/* A SEC1 key on P-256 with this 32-byte value. */
static const char *load_value(struct tls_identity *id, const uint8_t value[32])
{
    uint8_t der[64];
    char pem[256];
    struct writer d = writer_of(der, sizeof der), w = writer_of(pem, sizeof pem);

    writer_put(&d, "\x30\x31\x02\x01\x01\x04\x20", 7);
    writer_put(&d, value, 32);
    writer_put(&d, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12);
    pem_write(&w, "EC PRIVATE KEY", bytes_of(der, writer_len(&d)));
    return pem_load_key(id, bytes_of(pem, writer_len(&w)));
}

TEST(an_ec_key_is_between_one_and_the_order)
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                      0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    static const struct {
        uint8_t last;
        bool is_order, good;
    } cases[] = {
        {0,    false, false},
        {1,    false, true },
        {0x50, true,  true },
        {0x51, true,  false},
        {0x52, true,  false}
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_identity *id = tls_identity_new("range");
        uint8_t value[32] = {0};

        if (cases[i].is_order)
            memcpy(value, order, sizeof value);
        value[31] = cases[i].last;
        CHECK_STR(load_value(id, value), cases[i].good ? NULL : "the private key is damaged");
        tls_identity_unref(id);
    }
}

TEST(chains)
{
    static const char *const files[] = {"chain.pem", "chain-crlf.pem", "chain-bom-no-newline.pem"};
    const char *problem;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct tls_identity *id = vector_identity(files[i], "p256.key", &problem);

        if (!CHECK_STR(problem, NULL) || !CHECK_EQ(id->chain_len, 3))
            printf("    %s\n", files[i]);
        CHECK_EQ(id->issuer_key_type, BR_KEYTYPE_RSA);
        CHECK(!id->self_signed);
        CHECK(id->not_before < id->not_after);
        tls_identity_unref(id);
    }
}

TEST(text_and_other_blocks_are_passed_over)
{
    const char *problem;
    struct tls_identity *id = vector_identity("chain-with-text.pem", NULL, &problem);

    CHECK_STR(problem, NULL);
    CHECK_EQ(id->chain_len, 2);
    tls_identity_unref(id);
}

TEST(fingerprint_is_the_leafs_sha256)
{
    const char *problem;
    struct tls_identity *id = vector_identity("p256.pem", NULL, &problem);
    struct file der = vector_read("p256.pem.der");
    br_sha256_context sha;
    uint8_t hash[32];

    br_sha256_init(&sha);
    br_sha256_update(&sha, der.content.p, der.content.n);
    br_sha256_out(&sha, hash);
    CHECK_MEM(id->fingerprint, 32, hash, 32);
    CHECK_MEM(id->chain[0].data, id->chain[0].data_len, der.content.p, der.content.n);
    CHECK_EQ(id->issuer_key_type, BR_KEYTYPE_EC);
    CHECK(id->self_signed);
    file_release(&der);
    tls_identity_unref(id);
}

static void check_chain_problem(const char *file, const char *expected, size_t good)
{
    const char *problem;
    struct tls_identity *id = vector_identity(file, NULL, &problem);

    if (!CHECK_STR(problem, expected))
        printf("    %s\n", file);
    CHECK_EQ(id->chain_len, good);
    tls_identity_unref(id);
}

TEST(chains_that_do_not_serve_are_named)
{
    check_chain_problem("cut-off.pem", "the CERTIFICATE block is damaged or cut off", 1);
    check_chain_problem("p256.key", "no certificate in this file; it holds a PRIVATE KEY block", 0);
    check_chain_problem("p256.csr", "no certificate in this file; it holds a CERTIFICATE REQUEST block", 0);
    check_chain_problem("p256.pem.der", "this is DER, not PEM; openssl x509 -inform DER converts it", 0);
    check_chain_problem(
        "p256.trusted.pem",
        "a TRUSTED CERTIFICATE block, which is OpenSSL's own; write it again with openssl x509", 0);
}

TEST(a_chain_has_an_end)
{
    struct file one = vector_read("p256.pem");
    size_t n = one.content.n;
    uint8_t *many = mem_alloc(n * 17);
    struct tls_identity *id = tls_identity_new("many");

    for (size_t i = 0; i < 17; i++)
        memcpy(many + i * n, one.content.p, n);
    CHECK_STR(pem_load_chain(id, bytes_of(many, n * 17)),
              "more than 16 certificates in one file; keep the leaf and its issuers");
    tls_identity_unref(id);
    id = tls_identity_new("sixteen");
    CHECK_STR(pem_load_chain(id, bytes_of(many, n * 16)), NULL);
    CHECK_EQ(id->chain_len, 16);
    tls_identity_unref(id);
    mem_free(many);
    file_release(&one);
}

TEST(what_is_written_reads_back)
{
    static const size_t sizes[] = {1, 2, 3, 47, 48, 49, 96, 100};
    uint8_t der[100];
    char text[512];

    memset(der, 0x5a, sizeof der);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct writer w = writer_of(text, sizeof text);
        char expected[512];

        pem_write(&w, "THING", bytes_of(der, sizes[i]));
        CHECK(!w.failed);
        size_t n = br_pem_encode(expected, der, sizes[i], "THING", BR_PEM_LINE64);
        CHECK_MEM(text, writer_len(&w), expected, n);
    }
}

/* Every allocation fails once: no crash, no leak, and the words for it. */
TEST(memory_runs_out)
{
    struct file chain = vector_read("chain.pem"), key = vector_read("rsa2048.key");
    bool failed = true;

    for (long n = 0; failed; n++) {
        struct tls_identity *id = tls_identity_new("memory");

        mem_fail_at(n, 1);
        const char *a = pem_load_chain(id, bytes_of(chain.content.p, chain.content.n));
        const char *b = a == NULL ? pem_load_key(id, bytes_of(key.content.p, key.content.n)) : NULL;
        mem_fail_at(-1, 0);
        failed = a != NULL || b != NULL;
        if (failed)
            CHECK_STR(a != NULL ? a : b, "out of memory");
        tls_identity_unref(id);
        if (!CHECK(n < 100))
            break;
    }
    file_release(&chain);
    file_release(&key);
    CHECK_EQ(mem_blocks(), 0);
}

TEST_MAIN(RUN(keys_of_every_kind_and_format), RUN(keys_that_do_not_serve_are_named),
          RUN(key_texts_that_hold_none), RUN(an_ec_key_is_between_one_and_the_order), RUN(chains),
          RUN(text_and_other_blocks_are_passed_over), RUN(fingerprint_is_the_leafs_sha256),
          RUN(chains_that_do_not_serve_are_named), RUN(a_chain_has_an_end), RUN(what_is_written_reads_back),
          RUN(memory_runs_out))
