/* SPDX-License-Identifier: MIT
 *
 * Trust anchors, held against what BearSSL's own decoder says of the same certificates, and against what its validation
 * makes of chains with them.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "certs/pem.h"
#include "certs/trust.h"
#include "certs/x509.h"
#include "tests/unit/certs/vectors.h"

#include <dirent.h>
#include <stdlib.h>

#define MOZILLA      "/usr/share/ca-certificates/mozilla/"
#define DAYS_TO_1970 719528
#define IN_2030      (DAYS_TO_1970 + 22000) /* March, as BearSSL counts days */

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

static bool is_same(const struct certificate *c, const br_x509_trust_anchor *a, const br_x509_pkey *key)
{
    bool good =
        CHECK_MEM(a->dn.data, a->dn.len, c->dn, c->dn_len) & CHECK_EQ(a->pkey.key_type, key->key_type & 0xf);

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
TEST(the_builtin_set_is_the_packages)
{
    struct dirent **names = NULL;
    int n = scandir(MOZILLA, &names, is_certificate, by_bytes);
    struct trust *trust = trust_builtin();

    if (!CHECK(trust != NULL) || !CHECK(n > 100) || !CHECK_EQ(trust_of(trust).n, n))
        n = 0;
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
        if (!holds(&trust_of(trust).anchors[i], bytes_of(der, writer_len(&w)), false))
            printf("    %s\n", path);
        file_release(&f);
        free(names[i]);
    }
    free(names);
    trust_free(trust);
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
    struct trust *trust = trust_builtin();

    CHECK(trust != NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned found = 0;

        for (size_t k = 0; trust != NULL && k < trust_of(trust).n; k++) {
            const br_x500_name *dn = &trust_of(trust).anchors[k].dn;

            found += bytes_is(x509_name_text(bytes_of(dn->data, dn->len)), names[i]);
        }
        if (!CHECK_EQ(found, 1))
            printf("    %s\n", names[i]);
    }
    trust_free(trust);
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

/* ---- what they mean ---- */

/* BearSSL's error for the certificates of a file as a server's chain. */
static unsigned validate(const char *anchors, const char *chain, const char *name)
{
    const char *why, *problem;
    struct trust *trust = load(anchors, &why);
    struct tls_identity *id = vector_identity(chain, NULL, &problem);
    br_x509_minimal_context m;
    unsigned error;

    br_x509_minimal_init_full(&m, trust_of(trust).anchors, trust_of(trust).n);
    br_x509_minimal_set_time(&m, IN_2030, 0);
    m.vtable->start_chain(&m.vtable, name);
    for (size_t i = 0; i < id->chain_len; i++) {
        m.vtable->start_cert(&m.vtable, (uint32_t)id->chain[i].data_len);
        m.vtable->append(&m.vtable, id->chain[i].data, id->chain[i].data_len);
        m.vtable->end_cert(&m.vtable);
    }
    error = m.vtable->end_chain(&m.vtable);
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
          RUN(anchors_in_bytes_cut_at_any_place), RUN(authorities_are_trusted_for_what_they_sign),
          RUN(a_server_is_trusted_for_itself_alone), RUN(memory_that_runs_out))
