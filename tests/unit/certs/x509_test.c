/* SPDX-License-Identifier: MIT
 *
 * What is read from certificates: names, dates, keys.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "certs/x509.h"
#include "tests/unit/certs/vectors.h"

static struct tls_identity *identity;

/* The first certificate of a vector; it lives until the next call. */
static struct x509 certificate(const char *file)
{
    const char *problem;
    struct x509 x = {0};

    tls_identity_unref(identity);
    identity = vector_identity(file, NULL, &problem);
    if (CHECK_STR(problem, NULL))
        CHECK(x509_parse(&x, bytes_of(identity->chain[0].data, identity->chain[0].data_len)));
    return x;
}

static void done(void)
{
    tls_identity_unref(identity);
    identity = NULL;
}

TEST(names)
{
    struct x509 x = certificate("p256.pem");
    CHECK(x509_covers(&x, "p256.test"));
    CHECK(x509_covers(&x, "p256.test."));
    CHECK(x509_covers(&x, "www.p256.test"));
    CHECK(!x509_covers(&x, "test"));
    CHECK(!x509_covers(&x, "xp256.test"));
    CHECK(!x509_covers(&x, "a.p256.test"));
    CHECK(!x509_covers(&x, "p256.testx"));
    CHECK(!x509_covers(&x, ""));
    CHECK(!x509_covers(&x, "."));
    done();
}

/* RFC 9525 §6.3 */
TEST(a_wildcard_is_one_whole_label)
{
    struct x509 x = certificate("wildcard.pem");
    CHECK(x509_covers(&x, "a.example.test"));
    CHECK(x509_covers(&x, "xn--bcher-kva.example.test"));
    CHECK(x509_covers(&x, "*.example.test")); /* a site of that name */
    CHECK(x509_covers(&x, "example.test"));
    CHECK(!x509_covers(&x, "a.b.example.test"));
    CHECK(!x509_covers(&x, ".example.test"));
    CHECK(!x509_covers(&x, "aexample.test"));
    CHECK(!x509_covers(&x, "www.partial.test")); /* w*.partial.test */
    CHECK(!x509_covers(&x, "*.test"));
    CHECK(!x509_covers(&x, "wild")); /* the common name, beside a SAN */
    done();
}

TEST(ip_addresses)
{
    struct x509 x = certificate("ip.pem");
    CHECK(x509_covers(&x, "192.0.2.1"));
    CHECK(x509_covers(&x, "2001:db8::1"));
    CHECK(x509_covers(&x, "2001:db8:0:0::1"));
    CHECK(x509_covers(&x, "ip.test"));
    CHECK(!x509_covers(&x, "192.0.2.2"));
    CHECK(!x509_covers(&x, "2001:db8::2"));
    CHECK(!x509_covers(&x, "::1"));
    x = certificate("wildcard.pem");
    CHECK(!x509_covers(&x, "192.0.2.1"));
    done();
}

TEST(the_common_name_counts_without_a_san_alone)
{
    struct x509 x = certificate("no-san.pem");
    CHECK_EQ(x.san.n, 0);
    CHECK(x509_covers(&x, "old.test"));
    CHECK(!x509_covers(&x, "a.old.test"));
    /* A SAN without a server's name is a SAN. */
    x = certificate("email-san.pem");
    CHECK(!x509_covers(&x, "mail.test"));
    done();
}

TEST(sans_walk)
{
    struct x509 x = certificate("ip.pem");
    struct bytes san = x.san, value;
    unsigned kind;

    CHECK(x509_next_name(&san, &kind, &value));
    CHECK_EQ(kind, X509_NAME_IP);
    CHECK_MEM(value.p, value.n, "\xc0\x00\x02\x01", 4);
    CHECK(x509_next_name(&san, &kind, &value));
    CHECK_EQ(kind, X509_NAME_IP);
    CHECK_EQ(value.n, 16);
    CHECK(x509_next_name(&san, &kind, &value));
    CHECK_EQ(kind, X509_NAME_DNS);
    CHECK_MEM(value.p, value.n, "ip.test", 7);
    CHECK(!x509_next_name(&san, &kind, &value));
    CHECK(!x509_next_name(&san, &kind, &value));

    /* A torn one ends it. */
    san = bytes_of("\x82\x05"
                   "ab",
                   4);
    CHECK(!x509_next_name(&san, &kind, &value));
    CHECK(!x509_next_name(&san, &kind, &value));
    done();
}

TEST(parts)
{
    struct x509 x = certificate("leaf.pem");
    struct bytes name = x509_name_text(x.issuer);
    CHECK_MEM(name.p, name.n, "Test Intermediate", 17);
    CHECK_MEM(x.common_name.p, x.common_name.n, "leaf.test", 9);
    CHECK(!x.is_ca);
    CHECK_EQ(x.serial.n, 8);
    CHECK_EQ(x.authority_key_id.n, 20);
    CHECK_EQ(x.spki_key.n, 65);
    CHECK(!bytes_equal(x.issuer, x.subject));
    x = certificate("root.pem");
    CHECK(x.is_ca);
    CHECK(bytes_equal(x.issuer, x.subject));
    CHECK_EQ(x.authority_key_id.n, 20);
    done();
}

TEST(dates)
{
    struct x509 x = certificate("utctime.pem");
    CHECK_EQ(x.not_before, -631152000);
    CHECK_EQ(x.not_after, 2524607999);
    x = certificate("across-2050.pem");
    CHECK_EQ(x.not_before, 2524607999);
    CHECK_EQ(x.not_after, 2524608000);
    x = certificate("never-expires.pem");
    CHECK_EQ(x.not_before, 951782400);
    CHECK_EQ(x.not_after, 253402300799);
    CHECK_EQ(identity->not_after, 253402300799);
    done();
}

TEST(a_key_is_its_certificates_alone)
{
    static const char *const certificates[] = {"p256.pem",    "p384.pem",    "p521.pem",
                                               "rsa2048.pem", "rsa1024.pem", "ed25519.pem"};
    static const char *const keys[] = {"p256.key", "p384.key", "p521.key", "rsa2048.key"};
    const char *problem;

    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        struct tls_identity *key = vector_identity(NULL, keys[k], &problem);
        for (size_t c = 0; c < sizeof certificates / sizeof certificates[0]; c++) {
            struct x509 x = certificate(certificates[c]);
            if (!CHECK_EQ(x509_matches_key(&x, key), c == k))
                printf("    %s %s\n", certificates[c], keys[k]);
        }
        tls_identity_unref(key);
    }
    struct x509 x = certificate("p256.pem");
    CHECK(!x509_matches_key(&x, identity)); /* it has no key */
    done();
}

/* A key with the right modulus and a wrong part would give its primes away with the first signature. */
TEST(a_damaged_rsa_key_does_not_match)
{
    const char *problem;
    struct tls_identity *key = vector_identity("rsa2048.pem", "rsa2048.key", &problem);
    struct x509 x;

    CHECK(x509_parse(&x, bytes_of(key->chain[0].data, key->chain[0].data_len)));
    CHECK(x509_matches_key(&x, key));
    unsigned char *const parts[] = {key->key.rsa.p, key->key.rsa.q, key->key.rsa.dp, key->key.rsa.dq,
                                    key->key.rsa.iq};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i][5] ^= 4;
        CHECK(!x509_matches_key(&x, key));
        parts[i][5] ^= 4;
    }
    CHECK(x509_matches_key(&x, key));
    tls_identity_unref(key);
}

/* Every certificate cut at every place, and with bytes behind it, is none. */
TEST(a_certificate_is_whole)
{
    struct file f = vector_read("p256.pem.der");
    struct x509 x;
    uint8_t *copy;

    CHECK(x509_parse(&x, bytes_of(f.content.p, f.content.n)));
    for (size_t n = 0; n < f.content.n; n++) {
        copy = mem_alloc(n + 1);
        memcpy(copy, f.content.p, n);
        if (!CHECK(!x509_parse(&x, bytes_of(copy, n))))
            printf("    at %zu\n", n);
        mem_free(copy);
    }
    CHECK(!x509_parse(&x, bytes_of(f.content.p, f.content.n + 1))); /* the NUL behind it */
    file_release(&f);
    CHECK(!x509_parse(&x, bytes_of(NULL, 0)));
}

TEST_MAIN(RUN(names), RUN(a_wildcard_is_one_whole_label), RUN(ip_addresses),
          RUN(the_common_name_counts_without_a_san_alone), RUN(sans_walk), RUN(parts), RUN(dates),
          RUN(a_key_is_its_certificates_alone), RUN(a_damaged_rsa_key_does_not_match),
          RUN(a_certificate_is_whole))
