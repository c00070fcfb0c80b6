/* SPDX-License-Identifier: MIT
 *
 * Requests are taken apart again, each part held against RFC 2986, and their signatures verified by BearSSL's own
 * functions over the key that is in them; and once by openssl.
 */
#include "tests/unit/test.h"

#include "acme/csr.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/x509.h"

#include <bearssl.h>
#include <stdlib.h>

#define OID(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static struct tls_identity *key_of(const char *algorithm)
{
    struct tls_identity *id = tls_identity_new("k");
    char command[200];
    static char text[8192];
    FILE *f;
    size_t n;

    snprintf(command, sizeof command, "openssl genpkey -algorithm %s 2>/dev/null", algorithm);
    f = popen(command, "r");
    n = f != NULL ? fread(text, 1, sizeof text, f) : 0;
    if (f != NULL)
        pclose(f);
    CHECK_STR(pem_load_key(id, bytes_of(text, n)), NULL);
    return id;
}

/* ---- the parts ---- */

struct request {
    struct bytes info, version, subject, spki, algorithm, signature, san;
};

/* The extensions: subjectAltName alone (RFC 2985 §5.4.2). */
static void read_attributes(struct reader *info, struct request *q)
{
    struct reader attributes = der_enter(info, DER_CONTEXT_CONSTRUCTED + 0),
                  attribute = der_enter(&attributes, DER_SEQUENCE);

    CHECK(bytes_equal(der_take(&attribute, DER_OID),
                      OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e)));
    struct reader set = der_enter(&attribute, DER_SET), extensions = der_enter(&set, DER_SEQUENCE),
                  extension = der_enter(&extensions, DER_SEQUENCE);
    CHECK(bytes_equal(der_take(&extension, DER_OID), OID(0x55, 0x1d, 0x11)));
    struct reader value = der_enter(&extension, DER_OCTET_STRING);
    q->san = der_take(&value, DER_SEQUENCE);
    CHECK(reader_done(&value) && reader_done(&extension) && reader_done(&extensions) && reader_done(&set));
    CHECK(reader_done(&attribute) && reader_done(&attributes));
}

static struct request read_request(struct bytes der)
{
    struct request q;
    struct reader all = reader_of(der.p, der.n), request = der_enter(&all, DER_SEQUENCE), whole = request,
                  info = der_enter(&request, DER_SEQUENCE);

    q.info = der_whole(&whole, DER_SEQUENCE);
    q.version = der_take(&info, DER_INTEGER);
    q.subject = der_take(&info, DER_SEQUENCE);
    q.spki = der_take(&info, DER_SEQUENCE);
    read_attributes(&info, &q);
    q.algorithm = der_take(&request, DER_SEQUENCE);
    q.signature = der_bits(&request);
    CHECK(reader_done(&info) && reader_done(&request) && reader_done(&all));
    return q;
}

/* ---- the signature ---- */

static bool verifies_ec(struct reader *algorithm, struct bytes point, const uint8_t hash[32],
                        struct bytes signature)
{
    br_ec_public_key pk = {key_curve_of_oid(der_take(algorithm, DER_OID)), (uint8_t *)point.p, point.n};

    return br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), hash, 32, &pk, signature.p, signature.n) ==
           1;
}

static bool verifies_rsa(struct bytes key, const uint8_t hash[32], struct bytes signature)
{
    struct reader r = reader_of(key.p, key.n), numbers = der_enter(&r, DER_SEQUENCE);
    struct bytes n = der_unsigned(&numbers), e = der_unsigned(&numbers);
    br_rsa_public_key pk = {(uint8_t *)n.p, n.n, (uint8_t *)e.p, e.n};
    uint8_t out[32];

    CHECK(reader_done(&numbers) && reader_done(&r));
    return br_rsa_pkcs1_vrfy_get_default()(signature.p, signature.n, BR_HASH_OID_SHA256, 32, &pk, out) == 1 &&
           memcmp(out, hash, 32) == 0;
}

/* With the key that is in the request. */
static bool verifies(const struct request *q)
{
    struct reader spki = reader_of(q->spki.p, q->spki.n), algorithm = der_enter(&spki, DER_SEQUENCE);
    struct bytes oid = der_take(&algorithm, DER_OID), key = der_bits(&spki);
    uint8_t hash[32];
    br_sha256_context c;

    br_sha256_init(&c);
    br_sha256_update(&c, q->info.p, q->info.n);
    br_sha256_out(&c, hash);
    CHECK(reader_done(&spki));
    if (!bytes_equal(oid, key_oid_ec)) /* sha256WithRSAEncryption and a NULL (RFC 4055 §5) */
        return CHECK(bytes_equal(oid, key_oid_rsa)) &&
               CHECK(bytes_equal(q->algorithm, OID(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
                                                   0x0b, 0x05, 0x00))) &&
               verifies_rsa(key, hash, q->signature);
    /* ecdsa-with-SHA256 and nothing (RFC 5758 §3.2) */
    return CHECK(
               bytes_equal(q->algorithm, OID(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))) &&
           verifies_ec(&algorithm, key, hash, q->signature);
}

/* ---- */

static const char *const names[] = {"a.test", "192.0.2.1", "2001:db8::1", "*.b.a.test"};

static void check_names(struct bytes san)
{
    static const uint8_t v4[] = {192, 0, 2, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    const struct {
        unsigned kind;
        struct bytes value;
    } expected[] = {
        {X509_NAME_DNS, bytes_str(names[0])},
        {X509_NAME_IP,  bytes_of(v4,         sizeof v4)},
        {X509_NAME_IP,             bytes_of(v6,                     sizeof v6)},
        {X509_NAME_DNS,   bytes_str(names[3]) },
    };
    struct bytes value;
    unsigned kind;

    for (size_t i = 0; i < 4; i++) {
        CHECK(x509_next_name(&san, &kind, &value));
        CHECK_EQ(kind, expected[i].kind);
        CHECK_MEM(value.p, value.n, expected[i].value.p, expected[i].value.n);
    }
    CHECK(!x509_next_name(&san, &kind, &value));
}

static void check_openssl(struct bytes der)
{
    char pem[4096];
    struct writer p = writer_of(pem, sizeof pem);
    FILE *f = popen(
        "openssl req -verify -noout -text 2>&1 | grep -E 'verify OK|DNS:a.test, IP Address:192.0.2.1, IP "
        "Address:2001:DB8:0:0:0:0:0:1, DNS:\\*.b.a.test' | wc -l | grep -q '^2$'",
        "w");

    pem_write(&p, "CERTIFICATE REQUEST", der);
    fwrite(pem, 1, writer_len(&p), f);
    CHECK_EQ(pclose(f), 0);
}

static void check_request(const char *algorithm)
{
    struct tls_identity *key = key_of(algorithm);
    uint8_t der[2048], other[2048];
    struct writer w = writer_of(der, sizeof der);
    struct request q;
    size_t len;

    if (!CHECK(csr_write(&w, key, names, 4)))
        return;
    len = writer_len(&w);
    q = read_request(bytes_of(der, len));
    CHECK_MEM(q.version.p, q.version.n, "\0", 1);
    CHECK_EQ(q.subject.n, 0);
    check_names(q.san);
    CHECK(verifies(&q));
    check_openssl(bytes_of(der, len));

    memcpy(other, der, len);
    q = read_request(bytes_of(other, len));
    other[q.san.p - other + 2] ^= 1; /* "a.test" */
    CHECK(!verifies(&q));
    for (size_t n = 0; n < len; n += len / 16) {
        w = writer_of(other, n);
        memset(other, 0xa5, sizeof other);
        CHECK(!csr_write(&w, key, names, 4));
        CHECK_EQ(other[n], 0xa5);
    }
    tls_identity_unref(key);
}

TEST(p256)
{
    check_request("EC -pkeyopt ec_paramgen_curve:P-256");
}

TEST(p384)
{
    check_request("EC -pkeyopt ec_paramgen_curve:P-384");
}

TEST(rsa)
{
    check_request("RSA -pkeyopt rsa_keygen_bits:2048");
}

/* The longest key there is, and as many names as a certificate may have: in the room that the header asks for. */
TEST(room)
{
    static char text[100][64];
    static const char *many[100];
    static uint8_t der[2048 + 100 * (63 + 16)];
    struct tls_identity *key = key_of("RSA -pkeyopt rsa_keygen_bits:4096");
    struct writer w;
    struct request q;

    for (unsigned i = 0; i < 100; i++) {
        snprintf(text[i], sizeof text[i], "a-name-of-sixty-three-bytes-%034u.", i);
        text[i][62] = 'x';
        many[i] = text[i];
    }
    w = writer_of(der, sizeof der);
    CHECK(csr_write(&w, key, many, 100));
    q = read_request(bytes_of(der, writer_len(&w)));
    CHECK(verifies(&q));
    for (unsigned i = 0; i < 100; i++)
        many[i] = "::1"; /* three bytes of text, 18 of the request */
    w = writer_of(der, 2048 + 100 * (3 + 16));
    CHECK(csr_write(&w, key, many, 100));
    tls_identity_unref(key);
}

TEST_MAIN(RUN(p256), RUN(p384), RUN(rsa), RUN(room))
