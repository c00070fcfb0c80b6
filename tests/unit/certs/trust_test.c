/* SPDX-License-Identifier: MIT
 *
 * Trust anchors, held against what BearSSL's own decoder says of the same certificates, and against what our validation
 * makes of chains with them. Certificates that no tool makes are made here from those that there are.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "base/time.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/trust.h"
#include "certs/x509.h"
#include "tests/unit/certs/vectors.h"
#include "tls/dn_hash.h"
#include "tls/verify.h"

#include <dirent.h>
#include <stdlib.h>

#define MOZILLA "/usr/share/ca-certificates/mozilla/"
#define IN_2030 (22000 * (int64_t)86400) /* March */

/* ---- BearSSL's view ---- */

struct certificate {
    br_x509_decoder_context decoder;
    uint8_t dn[2048];
    size_t dn_len;
};

static void take_dn(void *ctx, const void *p, size_t n)
{
    struct certificate *c = ctx;

    if (CHECK(n <= sizeof c->dn - c->dn_len)) {
        memcpy(c->dn + c->dn_len, p, n);
        c->dn_len += n;
    }
}

/* A mark, and the beginning of the name's SHA-256. */
static bool is_name(const br_x500_name *dn, const void *name, size_t n)
{
    br_sha256_context c;
    uint8_t hash[br_sha256_SIZE];

    br_sha256_init(&c);
    br_sha256_update(&c, name, n);
    br_sha256_out(&c, hash);
    return dn->len == 1 + DN_HASH_LEN && dn->data[0] & DN_HASH_MADE &&
           memcmp(dn->data + 1, hash, DN_HASH_LEN) == 0;
}

static bool is_same(const struct certificate *c, const br_x509_trust_anchor *a, const br_x509_pkey *key)
{
    bool good = CHECK(is_name(&a->dn, c->dn, c->dn_len)) & CHECK_EQ(a->pkey.key_type, key->key_type & 0xf);

    if (good && key->key_type == BR_KEYTYPE_RSA)
        return CHECK_MEM(a->pkey.key.rsa.n, a->pkey.key.rsa.nlen, key->key.rsa.n, key->key.rsa.nlen) &
               CHECK_MEM(a->pkey.key.rsa.e, a->pkey.key.rsa.elen, key->key.rsa.e, key->key.rsa.elen);
    return good && (CHECK_EQ(a->pkey.key.ec.curve, key->key.ec.curve) &
                    CHECK_MEM(a->pkey.key.ec.q, a->pkey.key.ec.qlen, key->key.ec.q, key->key.ec.qlen));
}

/* Does the anchor say what the decoder says of this certificate? But for the flag of one of version 1. */
static bool holds(const br_x509_trust_anchor *a, struct bytes der, bool is_version_1)
{
    struct certificate c = {.dn_len = 0};
    br_x509_pkey *key;

    br_x509_decoder_init(&c.decoder, take_dn, &c);
    br_x509_decoder_push(&c.decoder, der.p, der.n);
    key = br_x509_decoder_get_pkey(&c.decoder);
    return CHECK(key != NULL) && is_same(&c, a, key) &&
           CHECK_EQ(a->flags, br_x509_decoder_isCA(&c.decoder) || is_version_1 ? BR_X509_TA_CA : 0);
}

/* ---- Mozilla's ---- */

static int is_certificate(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 4 && strcmp(d->d_name + n - 4, ".crt") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void keep(struct writer *w, struct bytes der)
{
    writer_bytes(w, der);
}

/* Every file of Debian's package, in the order of their names as bytes, whatever the locale of who built. */
static void each_of_mozilla(void (*take)(void *ctx, size_t i, struct bytes der, const char *path), void *ctx)
{
    struct dirent **names = NULL;
    int n = scandir(MOZILLA, &names, is_certificate, by_bytes);

    CHECK(n > 100);
    for (int i = 0; i < n; i++) {
        char path[512];
        struct file f;
        uint8_t der[8192];
        struct writer w = writer_of(der, sizeof der);
        size_t blocks;

        snprintf(path, sizeof path, MOZILLA "%s", names[i]->d_name);
        if (!CHECK_EQ(file_read(path, PEM_MAX_FILE, &f), 0))
            break;
        CHECK_STR(pem_each_certificate(bytes_of(f.content.p, f.content.n), keep, &w, &blocks), NULL);
        CHECK(blocks == 1 && !w.failed);
        take(ctx, (size_t)i, bytes_of(der, writer_len(&w)), path);
        file_release(&f);
        free(names[i]);
    }
    free(names);
}

struct builtin {
    struct trust *trust;
    size_t n, found;
    const char *name;
};

static void look_at(void *ctx, size_t i, struct bytes der, const char *path)
{
    struct builtin *b = ctx;
    struct x509 x;

    (void)i;
    /* Of no use to anyone, and left out. */
    if (CHECK(x509_parse(&x, der)) && x.not_after < time_floor())
        return;
    if (!CHECK(b->n < trust_of(b->trust).n) || !holds(&trust_of(b->trust).anchors[b->n], der, false))
        printf("    %s\n", path);
    b->n++;
}

TEST(the_builtin_set_is_the_packages)
{
    struct builtin b = {.trust = trust_builtin()};

    if (CHECK(b.trust != NULL)) {
        each_of_mozilla(look_at, &b);
        CHECK_EQ(trust_of(b.trust).n, b.n);
    }
    trust_free(b.trust);
}

static void find(void *ctx, size_t i, struct bytes der, const char *path)
{
    struct builtin *b = ctx;
    struct x509 x;

    (void)i;
    (void)path;
    if (!CHECK(x509_parse(&x, der)) || !bytes_is(x509_name_text(x.subject), b->name))
        return;
    for (size_t k = 0; k < trust_of(b->trust).n; k++)
        b->found += is_name(&trust_of(b->trust).anchors[k].dn, x.subject.p, x.subject.n);
}

/* Those at whose ends the chains of ACME's authorities are. */
TEST(the_builtin_set_has_those_of_acme)
{
    static const char *const names[] = {
        "ISRG Root X1",
        "ISRG Root X2",
        "USERTrust RSA Certification Authority",
        "USERTrust ECC Certification Authority",
        "COMODO RSA Certification Authority",
        "COMODO ECC Certification Authority",
        "AAA Certificate Services",
        "GTS Root R1",
        "GTS Root R4",
        "DigiCert Global Root G2",
        "SSL.com Root Certification Authority RSA",
    };
    struct builtin b = {.trust = trust_builtin()};

    for (size_t i = 0; CHECK(b.trust != NULL) && i < sizeof names / sizeof names[0]; i++) {
        b.name = names[i];
        b.found = 0;
        each_of_mozilla(find, &b);
        if (!CHECK_EQ(b.found, 1))
            printf("    %s\n", names[i]);
    }
    trust_free(b.trust);
}

/* ---- files ---- */

static struct trust *load(const char *vector, const char **why)
{
    struct file f = vector_read(vector);
    struct trust *trust = trust_load(bytes_of(f.content.p, f.content.n), why);

    file_release(&f); /* nothing of it is kept */
    CHECK_EQ(trust == NULL, *why != NULL);
    return trust;
}

TEST(a_file_gives_what_the_decoder_says)
{
    static const char *const files[] = {
        "p256.pem",
        "p384.pem",
        "p521.pem",
        "rsa1024.pem",
        "rsa2048.pem",
        "rsa4096.pem",
        "ip.pem",
        "no-san.pem",
        "utctime.pem",
        "never-expires.pem",
        "v1.pem",
        "leaf.pem",
        "root.pem",
        "chain.pem",
        "chain-crlf.pem",
        "chain-bom-no-newline.pem",
        "chain-with-text.pem",
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *why, *problem;
        struct trust *trust = load(files[i], &why);
        struct tls_identity *id = vector_identity(files[i], NULL, &problem);
        bool good =
            CHECK_STR(why, NULL) && CHECK_STR(problem, NULL) && CHECK_EQ(trust_of(trust).n, id->chain_len);

        for (size_t k = 0; good && k < id->chain_len; k++)
            good = holds(&trust_of(trust).anchors[k], bytes_of(id->chain[k].data, id->chain[k].data_len),
                         strcmp(files[i], "v1.pem") == 0);
        if (!good)
            printf("    %s\n", files[i]);
        tls_identity_unref(id);
        trust_free(trust);
    }
}

TEST(files_that_are_refused)
{
    static const struct {
        const char *file, *why;
    } cases[] = {
        {"p256.key",     "no certificate in this file"  },
        {"p256.csr",     "no certificate in this file"  },
        {"p256.pem.der", "no certificate in this file"  },
        {"cut-off.pem",  "damaged or cut off"           },
        {"ed25519.pem",  "has a key that is neither RSA"},
    };
    const char *why;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trust *trust = load(cases[i].file, &why);

        if (!CHECK(trust == NULL && why != NULL && strstr(why, cases[i].why) != NULL))
            printf("    %s: %s\n", cases[i].file, why);
        trust_free(trust);
    }
    CHECK(trust_load(bytes_of(NULL, 0), &why) == NULL);
    CHECK(strstr(why, "no certificate") != NULL);
}

/* A file that is cut at any place gives the certificates before it, or is refused: never half of one. */
TEST(files_cut_at_any_place)
{
    struct file f = vector_read("chain.pem");

    for (size_t n = 0; n <= f.content.n; n += 7) {
        char *copy = malloc(n + 1);
        const char *why;
        struct trust *trust;

        memcpy(copy, f.content.p, n);
        trust = trust_load(bytes_of(copy, n), &why);
        free(copy);
        CHECK_EQ(trust == NULL, why != NULL);
        if (trust != NULL)
            CHECK(trust_of(trust).n >= 1 && trust_of(trust).n <= 3);
        trust_free(trust);
    }
    file_release(&f);
}

/* The compiled form is read by the same bounds as everything. */
TEST(anchors_in_bytes_cut_at_any_place)
{
    const char *problem;
    struct tls_identity *id = vector_identity("chain.pem", NULL, &problem);
    uint8_t all[2048];
    struct writer w = writer_of(all, sizeof all);
    size_t ends[4] = {0};

    CHECK_EQ(id->chain_len, 3);
    for (size_t i = 0; i < 3; i++) {
        trust_put_anchor(&w, bytes_of(id->chain[i].data, id->chain[i].data_len));
        ends[i + 1] = writer_len(&w);
    }
    CHECK(!w.failed);
    for (size_t n = 0; n <= ends[3]; n++) {
        uint8_t *copy = malloc(n + 1);
        struct trust *trust;
        size_t whole = SIZE_MAX;

        for (size_t i = 0; i < 4; i++)
            if (ends[i] == n)
                whole = i;
        memcpy(copy, all, n);
        trust = trust_from_anchors(bytes_of(copy, n));
        CHECK_EQ(trust != NULL, whole != SIZE_MAX);
        if (trust != NULL)
            CHECK_EQ(trust_of(trust).n, whole);
        trust_free(trust);
        free(copy);
    }
    /* No room. */
    for (size_t n = 0; n < ends[1]; n++) {
        w = writer_of(all, n);
        trust_put_anchor(&w, bytes_of(id->chain[0].data, id->chain[0].data_len));
        CHECK(w.failed);
    }
    tls_identity_unref(id);
}

/* Every first byte, with as many zeros behind its name as an anchor of that kind has, a byte less and a byte more. */
TEST(kinds_that_there_are_not)
{
    for (unsigned kind = 0; kind < 256; kind++) {
        static const size_t points[] = {65, 97, 133};
        unsigned key = kind & 0x3f;
        bool is_one = kind & DN_HASH_MADE && key <= BR_EC_secp521r1;
        size_t n = 1 + DN_HASH_LEN, zeros = key == 0 ? 2 + 2 : key * (size_t)128;

        if (key >= BR_EC_secp256r1)
            zeros = is_one ? points[key - BR_EC_secp256r1] : 0;
        n += zeros;
        for (size_t k = n - 1; k <= n + 1; k++) {
            uint8_t *copy = calloc(1, k);
            struct trust *trust;

            copy[0] = (uint8_t)kind;
            trust = trust_from_anchors(bytes_of(copy, k));
            CHECK_EQ(trust != NULL, is_one && k == n);
            trust_free(trust);
            free(copy);
        }
    }
}

/* ---- what they mean ---- */

/* The error of validation for these certificates as a server's chain. */
static unsigned validate_with(struct tls_trust anchors, const struct bytes *chain, size_t n, const char *name)
{
    struct verify v;
    unsigned error;

    verify_init(&v, &anchors, crypto_impl(), name, IN_2030);
    v.vtable->start_chain(&v.vtable, name);
    for (size_t i = 0; i < n; i++) {
        v.vtable->start_cert(&v.vtable, (uint32_t)chain[i].n);
        v.vtable->append(&v.vtable, chain[i].p, chain[i].n);
        v.vtable->end_cert(&v.vtable);
    }
    error = v.vtable->end_chain(&v.vtable);
    verify_release(&v);
    return error;
}

/* The same with those of files. */
static unsigned validate(const char *anchors, const char *chain, const char *name)
{
    const char *why, *problem;
    struct trust *trust = load(anchors, &why);
    struct tls_identity *id = vector_identity(chain, NULL, &problem);
    struct bytes certificates[4];
    unsigned error;

    for (size_t i = 0; i < id->chain_len; i++)
        certificates[i] = bytes_of(id->chain[i].data, id->chain[i].data_len);
    error = validate_with(trust_of(trust), certificates, id->chain_len, name);
    tls_identity_unref(id);
    trust_free(trust);
    return error;
}

TEST(authorities_are_trusted_for_what_they_sign)
{
    CHECK_EQ(validate("root.pem", "chain.pem", "leaf.test"), 0);
    CHECK_EQ(validate("chain.pem", "chain.pem", "leaf.test"), 0);
    CHECK_EQ(validate("intermediate.pem", "leaf.pem", "leaf.test"), 0);
    CHECK_EQ(validate("root.pem", "chain.pem", "other.test"), BR_ERR_X509_BAD_SERVER_NAME);
    CHECK_EQ(validate("root.pem", "leaf.pem", "leaf.test"), BR_ERR_X509_NOT_TRUSTED);
    CHECK_EQ(validate("p384.pem", "p256.pem", "p256.test"), BR_ERR_X509_NOT_TRUSTED);
}

/* A server's own certificate: itself, by its name, in its time, and nothing that its key has signed. */
TEST(a_server_is_trusted_for_itself_alone)
{
    CHECK_EQ(validate("leaf.pem", "leaf.pem", "leaf.test"), 0);
    CHECK_EQ(validate("leaf.pem", "leaf.pem", "other.test"), BR_ERR_X509_BAD_SERVER_NAME);
    CHECK_EQ(validate("leaf.pem", "by-leaf.pem", "other.test"), BR_ERR_X509_NOT_TRUSTED);
    CHECK_EQ(validate("expired.pem", "expired.pem", "dates.test"), BR_ERR_X509_EXPIRED);
    CHECK_EQ(validate("future.pem", "future.pem", "dates.test"), BR_ERR_X509_EXPIRED);
    CHECK_EQ(validate("utctime.pem", "utctime.pem", "dates.test"), 0);
}

/* ---- names ---- */

/* The certificate with something else in the place of `part`, which lies in its TBSCertificate; the signature is wrong. */
static struct bytes remade(struct bytes der, struct bytes part, struct bytes by, uint8_t *out, size_t cap)
{
    struct writer w = writer_of(out, cap);
    struct reader whole = reader_of(der.p, der.n), inside = der_enter(&whole, DER_SEQUENCE);
    struct reader tbs = der_enter(&inside, DER_SEQUENCE);
    size_t outer = der_open(&w, DER_SEQUENCE), inner = der_open(&w, DER_SEQUENCE);

    writer_put(&w, tbs.p, (size_t)(part.p - tbs.p));
    writer_bytes(&w, by);
    writer_put(&w, part.p + part.n, (size_t)(tbs.end - part.p) - part.n);
    der_close(&w, inner);
    writer_put(&w, inside.p, reader_left(&inside));
    der_close(&w, outer);
    CHECK(!w.failed && !inside.failed && !tbs.failed);
    return bytes_of(out, writer_len(&w));
}

/* A name that is off by one bit is another's. */
TEST(an_anchor_of_another_name_is_another)
{
    const char *problem;
    struct tls_identity *id = vector_identity("chain.pem", NULL, &problem);
    struct bytes chain[3];
    uint8_t all[1024];
    struct writer w = writer_of(all, sizeof all);
    struct trust *trust;

    for (size_t i = 0; i < 3; i++)
        chain[i] = bytes_of(id->chain[i].data, id->chain[i].data_len);
    trust_put_anchor(&w, chain[2]);
    trust = trust_from_anchors(bytes_of(all, writer_len(&w)));
    CHECK_EQ(validate_with(trust_of(trust), chain, 2, "leaf.test"), 0);
    for (size_t bit = 0; bit < DN_HASH_LEN * 8; bit++) {
        all[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQ(validate_with(trust_of(trust), chain, 2, "leaf.test"), BR_ERR_X509_NOT_TRUSTED);
        all[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    trust_free(trust);
    /* And in the middle of a chain. */
    trust = trust_from_anchors(bytes_of(all, writer_len(&w)));
    chain[1] = chain[2];
    CHECK_EQ(validate_with(trust_of(trust), chain, 2, "leaf.test"), BR_ERR_X509_DN_MISMATCH);
    trust_free(trust);
    tls_identity_unref(id);
}

/* Of a server that is trusted by itself nothing is compared but name and key: no signature stands in the way of one who
 * can present a name that passes for its hash. */
TEST(no_one_presents_a_hash_for_a_name)
{
    /* An empty common name. It happens to be as long as an anchor's. */
    uint8_t name[] = {0x30, 11, 0x31, 9, 0x30, 7, DER_OID, 3, 0x55, 4, 3, DER_UTF8_STRING, 0};
    const char *problem;
    struct tls_identity *id = vector_identity("leaf.pem", NULL, &problem);
    struct bytes leaf = bytes_of(id->chain[0].data, id->chain[0].data_len), presented;
    uint8_t der[2048], all[256];
    struct writer w = writer_of(all, sizeof all);
    struct trust *trust;
    struct x509 x;

    _Static_assert(sizeof name == 1 + DN_HASH_LEN, "as long as a hash with its mark");
    CHECK(x509_parse(&x, leaf));
    presented = remade(leaf, x.subject, bytes_of(name, sizeof name), der, sizeof der);
    trust_put_anchor(&w, presented);
    trust = trust_from_anchors(bytes_of(all, writer_len(&w)));
    if (CHECK(trust != NULL)) {
        CHECK(is_name(&trust_of(trust).anchors[0].dn, name, sizeof name));
        CHECK_EQ(validate_with(trust_of(trust), &presented, 1, "leaf.test"), 0);
        /* The anchor is of the name that a hash has when it is taken for one: mark, and a length that is right. */
        memcpy(all + 1, name + 1, DN_HASH_LEN);
        CHECK_EQ(validate_with(trust_of(trust), &presented, 1, "leaf.test"), BR_ERR_X509_NOT_TRUSTED);
        for (unsigned mark = 0; mark < 256; mark++) {
            name[0] = (uint8_t)mark;
            presented = remade(leaf, x.subject, bytes_of(name, sizeof name), der, sizeof der);
            CHECK(validate_with(trust_of(trust), &presented, 1, "leaf.test") != 0);
            presented = remade(leaf, x.issuer, bytes_of(name, sizeof name), der, sizeof der);
            CHECK(validate_with(trust_of(trust), &presented, 1, "leaf.test") != 0);
        }
        name[0] = all[0];
        presented = remade(leaf, x.subject, bytes_of(name, sizeof name), der, sizeof der);
        CHECK_EQ(validate_with(trust_of(trust), &presented, 1, "leaf.test"), BR_ERR_X509_BAD_TAG_CLASS);
    }
    trust_free(trust);
    tls_identity_unref(id);
}

/* ---- keys ---- */

/* An RSA key of a modulus of n bytes, whatever they are, in the place of a certificate's. */
static struct bytes with_rsa(struct bytes der, size_t n, struct bytes e, uint8_t *out, size_t cap)
{
    static uint8_t spki[8192], key[8192], modulus[4096];
    struct writer w = writer_of(key, sizeof key);
    struct x509 x;
    size_t outer, inner;

    for (size_t i = 0; i < n; i++)
        modulus[i] = (uint8_t)(0x81 + i * 7);
    outer = der_open(&w, DER_SEQUENCE);
    der_put_unsigned(&w, bytes_of(modulus, n));
    der_put_unsigned(&w, e);
    der_close(&w, outer);
    n = writer_len(&w);
    w = writer_of(spki, sizeof spki);
    outer = der_open(&w, DER_SEQUENCE);
    inner = der_open(&w, DER_SEQUENCE);
    der_put(&w, DER_OID, key_oid_rsa);
    der_put(&w, DER_NULL, bytes_of(NULL, 0));
    der_close(&w, inner);
    der_put_bits(&w, bytes_of(key, n));
    der_close(&w, outer);
    CHECK(!w.failed && x509_parse(&x, der));
    return remade(der, x.spki, bytes_of(spki, writer_len(&w)), out, cap);
}

/* Whatever the length of modulus and exponent: what has a short form, and what has none, side by side. */
TEST(rsa_keys_of_any_size)
{
    static const size_t sizes[] = {1,   127, 128,  129,  255,  256,  257, 384,
                                   512, 640, 2815, 2816, 2817, 2944, 3000};
    static const uint8_t f4[] = {1, 0, 1}, three[] = {3}, long_one[] = {1, 0, 1, 0, 1};
    static const struct bytes exponents[] = {
        {f4,       3},
        {three,    1},
        {long_one, 5},
    };
    const char *problem;
    struct tls_identity *id = vector_identity("leaf.pem", NULL, &problem);
    struct bytes leaf = bytes_of(id->chain[0].data, id->chain[0].data_len);
    static uint8_t der[8192], all[128 * 1024];
    struct writer w = writer_of(all, sizeof all);
    const size_t n = sizeof sizes / sizeof sizes[0];
    struct trust *trust;

    for (size_t i = 0; i < n * 3; i++) {
        size_t before = writer_len(&w);
        bool is_short = i % 3 == 0 && sizes[i / 3] % 128 == 0 && sizes[i / 3] <= 2816;

        trust_put_anchor(&w, with_rsa(leaf, sizes[i / 3], exponents[i % 3], der, sizeof der));
        CHECK_EQ(writer_len(&w) - before,
                 1 + DN_HASH_LEN + sizes[i / 3] + (is_short ? 0 : 2 + 2 + exponents[i % 3].n));
    }
    trust = trust_from_anchors(bytes_of(all, writer_len(&w)));
    if (CHECK(!w.failed && trust != NULL) && CHECK_EQ(trust_of(trust).n, n * 3))
        for (size_t i = 0; i < n * 3; i++) {
            const br_rsa_public_key *key = &trust_of(trust).anchors[i].pkey.key.rsa;

            CHECK_EQ(trust_of(trust).anchors[i].pkey.key_type, BR_KEYTYPE_RSA);
            CHECK_MEM(key->e, key->elen, exponents[i % 3].p, exponents[i % 3].n);
            CHECK_EQ(key->nlen, sizes[i / 3]);
            for (size_t k = 0; k < key->nlen; k++)
                if (!CHECK_EQ(key->n[k], (uint8_t)(0x81 + k * 7)))
                    break;
        }
    trust_free(trust);
    tls_identity_unref(id);
}

/* A point has the length that its curve says, and no anchor's key begins in the next one. */
TEST(points_of_another_length_are_refused)
{
    const char *problem;
    struct tls_identity *id = vector_identity("p256.pem", NULL, &problem);
    struct bytes whole = bytes_of(id->chain[0].data, id->chain[0].data_len);
    struct x509 x;

    CHECK(x509_parse(&x, whole) && x.spki_key.n == 65);
    for (size_t n = 0; n <= 65; n++) {
        uint8_t spki[128], der[2048], all[256];
        struct reader r = reader_of(x.spki.p, x.spki.n), key = der_enter(&r, DER_SEQUENCE);
        struct writer w = writer_of(spki, sizeof spki), anchors = writer_of(all, sizeof all);
        size_t mark = der_open(&w, DER_SEQUENCE);

        writer_bytes(&w, der_whole(&key, DER_SEQUENCE));
        der_put_bits(&w, bytes_of(x.spki_key.p, n));
        der_close(&w, mark);
        trust_put_anchor(&anchors, remade(whole, x.spki, bytes_of(spki, writer_len(&w)), der, sizeof der));
        CHECK_EQ(anchors.failed, n != 65);
    }
    tls_identity_unref(id);
}

/* ---- memory ---- */

TEST(memory_that_runs_out)
{
    size_t blocks = mem_blocks();
    struct file f = vector_read("chain.pem");
    struct trust *trust = NULL;
    const char *why;
    long n;

    for (n = 0; trust == NULL && n < 100; n++) {
        mem_fail_at(n, 1);
        trust = trust_load(bytes_of(f.content.p, f.content.n), &why);
        mem_fail_at(-1, 0);
        CHECK_STR(why, trust == NULL ? "out of memory" : NULL);
    }
    CHECK(n > 3 && n < 100);
    trust_free(trust);
    mem_fail_at(0, 1);
    CHECK(trust_builtin() == NULL);
    mem_fail_at(-1, 0);
    trust_free(NULL);
    file_release(&f);
    CHECK_EQ(mem_blocks(), blocks);
}

TEST_MAIN(RUN(the_builtin_set_is_the_packages), RUN(the_builtin_set_has_those_of_acme),
          RUN(a_file_gives_what_the_decoder_says), RUN(files_that_are_refused), RUN(files_cut_at_any_place),
          RUN(anchors_in_bytes_cut_at_any_place), RUN(kinds_that_there_are_not),
          RUN(authorities_are_trusted_for_what_they_sign), RUN(a_server_is_trusted_for_itself_alone),
          RUN(an_anchor_of_another_name_is_another), RUN(no_one_presents_a_hash_for_a_name),
          RUN(rsa_keys_of_any_size), RUN(points_of_another_length_are_refused), RUN(memory_that_runs_out))
