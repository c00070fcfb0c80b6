/* SPDX-License-Identifier: MIT
 *
 * The store: which identity a name gets, and what is said of files before they are served.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "base/time.h"
#include "certs/certs.h"
#include "tests/unit/certs/vectors.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SITES 8

/* A configuration by hand. */
static struct conf conf;
static struct conf_site sites[MAX_SITES];
static struct conf_name names[MAX_SITES][4];
static struct conf_errors *errors;

static void begin(void)
{
    memset(sites, 0, sizeof sites);
    conf = (struct conf){.file = "proxy.conf", .sites = sites};
    errors = conf_errors_new();
}

static void end(void)
{
    conf_errors_free(errors);
    errors = NULL;
    CHECK_EQ(mem_blocks(), 0);
}

/* Names separated by spaces. */
static struct conf_site *add_site(const char *list, enum conf_tls_mode tls)
{
    static char text[MAX_SITES][128];
    unsigned i = conf.site_count++;
    struct conf_site *site = &sites[i];

    snprintf(text[i], sizeof text[i], "%s", list);
    site->names = names[i];
    for (char *name = strtok(text[i], " "); name != NULL; name = strtok(NULL, " "))
        names[i][site->name_count++] = (struct conf_name){.text = name};
    site->tls = tls;
    site->tls_place = (struct conf_place){.file = "proxy.conf", .line = 4, .column = 5};
    return site;
}

static struct conf_site *add_files(const char *list, const char *cert, const char *key)
{
    static char path[MAX_SITES][2][128];
    unsigned i = conf.site_count;
    struct conf_site *site = add_site(list, CONF_TLS_FILES);

    snprintf(path[i][0], sizeof path[i][0], VECTORS "%s", cert);
    site->cert_file = path[i][0];
    if (key != NULL) {
        snprintf(path[i][1], sizeof path[i][1], VECTORS "%s", key);
        site->key_file = path[i][1];
    }
    return site;
}

/* The store, with the warnings that it gave; mute NULL prints errors. */
static const char *warnings;

static struct certs *load(void)
{
    log_take();
    struct certs *certs = certs_new(&conf, true, errors);
    warnings = log_taken();
    return certs;
}

static bool says(const char *text, const char *what)
{
    if (strstr(text, what) != NULL)
        return true;
    printf("    no \"%s\" in:\n%s\n", what, text);
    return false;
}

static const char *selected(struct certs *certs, const char *name)
{
    struct tls_identity *id = certs_select(certs, bytes_str(name));

    return id != NULL ? id->name : "none";
}

TEST(names_select)
{
    begin();
    add_site("example.test www.example.test", CONF_TLS_SELF_SIGNED);
    add_site("*.example.test", CONF_TLS_AUTO);
    add_site("plain.test", CONF_TLS_OFF);
    add_site("fallback.test", CONF_TLS_SELF_SIGNED)->is_default = true;
    struct certs *certs = load();
    if (!CHECK(certs != NULL))
        return;
    CHECK_STR(selected(certs, "example.test"), "example.test");
    CHECK_STR(selected(certs, "www.example.test"), "example.test");
    CHECK_STR(selected(certs, "EXAMPLE.Test"), "example.test");
    CHECK_STR(selected(certs, "example.test."), "example.test");
    CHECK_STR(selected(certs, "a.example.test"), "*.example.test");
    CHECK_STR(selected(certs, "A.example.test."), "*.example.test");
    CHECK_STR(selected(certs, "a.b.example.test"), "fallback.test");
    CHECK_STR(selected(certs, ".example.test"), "fallback.test");
    CHECK_STR(selected(certs, "plain.test"), "fallback.test");
    CHECK_STR(selected(certs, "unknown.test"), "fallback.test");
    CHECK_STR(selected(certs, ""), "fallback.test");
    CHECK_STR(selected(certs, "."), "fallback.test");
    CHECK(certs_of_site(certs, 0) == certs_select(certs, bytes_str("example.test")));
    CHECK(certs_of_site(certs, 2) == NULL);
    CHECK(certs_of_site(certs, 4) == NULL);

    /* A NUL does not cut a name short, and length is no matter. */
    CHECK_STR(certs_select(certs, bytes_of("example.test\0.evil", 18))->name, "fallback.test");
    char longest[2000];
    memset(longest, 'a', sizeof longest);
    CHECK_STR(certs_select(certs, bytes_of(longest, sizeof longest))->name, "fallback.test");
    CHECK_STR(certs_select(certs, bytes_of(longest, 253))->name, "fallback.test");
    certs_free(certs);
    end();
}

TEST(without_a_default_unknown_names_get_none)
{
    begin();
    add_site("a.test", CONF_TLS_SELF_SIGNED);
    add_site("b.test 192.0.2.1", CONF_TLS_SELF_SIGNED);
    struct certs *certs = load();
    if (!CHECK(certs != NULL))
        return;
    CHECK_STR(selected(certs, "unknown.test"), "none");
    CHECK_STR(selected(certs, ""), "b.test"); /* who asks for an address sends no name */
    CHECK_STR(selected(certs, "192.0.2.1"), "b.test");
    certs_free(certs);
    end();

    begin();
    add_site("a.test", CONF_TLS_SELF_SIGNED);
    add_site("b.test", CONF_TLS_SELF_SIGNED);
    certs = load();
    CHECK_STR(selected(certs, ""), "a.test");
    certs_free(certs);
    end();
}

TEST(a_sole_site_answers_all)
{
    begin();
    add_site("", CONF_TLS_SELF_SIGNED);
    struct certs *certs = load();
    CHECK_STR(selected(certs, "unknown.test"), "default");
    CHECK_STR(selected(certs, ""), "default");
    CHECK(certs_covers(certs_of_site(certs, 0), "localhost"));
    CHECK(certs_covers(certs_of_site(certs, 0), "127.0.0.1"));
    CHECK(certs_covers(certs_of_site(certs, 0), "::1"));
    CHECK(!certs_covers(certs_of_site(certs, 0), "example.test"));
    certs_free(certs);
    end();
}

TEST(no_tls_site_at_all)
{
    begin();
    add_site("a.test", CONF_TLS_OFF);
    struct certs *certs = load();
    CHECK(certs != NULL);
    CHECK_STR(selected(certs, ""), "none");
    CHECK_STR(selected(certs, "a.test"), "none");
    certs_free(certs);
    conf.site_count = 0;
    certs = load();
    CHECK(certs != NULL);
    certs_free(certs);
    end();
}

TEST(good_files)
{
    begin();
    add_files("leaf.test", "chain.pem", "p256.key");
    add_files("rsa.test", "rsa2048.pem", "rsa2048.pkcs1.key");
    add_files("p384.test", "p384.pem", "p384.sec1.key");
    add_files("192.0.2.1 2001:db8::1", "ip.pem", "p256.key");
    add_files("*.example.test a.example.test", "wildcard.pem", "p256.key");
    add_files("rsa4096.test", "rsa4096.pem", "rsa4096.key"); /* the longest that is taken */
    struct certs *certs = load();
    if (!CHECK(certs != NULL)) {
        for (unsigned i = 0; i < conf_errors_count(errors); i++)
            printf("    %s\n", conf_errors_text(errors, i));
        return;
    }
    CHECK_EQ(certs_of_site(certs, 0)->chain_len, 3);
    CHECK_EQ(certs_of_site(certs, 1)->key_type, TLS_KEY_RSA);
    CHECK_EQ(certs_of_site(certs, 2)->key_type, TLS_KEY_EC_P384);
    CHECK(strstr(warnings, "does not cover") == NULL);
    CHECK(strstr(warnings, "expired") == NULL);
    certs_free(certs);
    end();
}

/* One site with these files is refused, and this is why. */
static void check_error(const char *cert, const char *key, const char *expected)
{
    char text[512];

    begin();
    add_files("leaf.test", cert, key);
    struct certs *certs = load();
    CHECK(certs == NULL);
    certs_free(certs);
    snprintf(text, sizeof text, "proxy.conf:4:5: tls: %s%s", expected[0] == '/' ? "" : VECTORS,
             expected[0] == '/' ? expected + 1 : expected);
    if (CHECK_EQ(conf_errors_count(errors), 1))
        CHECK_STR(conf_errors_text(errors, 0), text);
    end();
}

TEST(bad_files_are_named)
{
    check_error("none.pem", "p256.key", "none.pem: No such file or directory");
    check_error("chain.pem", "none.key", "none.key: No such file or directory");
    check_error("chain.pem", "p256.pem",
                "p256.pem: no private key in this file; it holds a CERTIFICATE block");
    check_error("chain.pem", NULL, "chain.pem: no private key in this file; it holds a CERTIFICATE block");
    check_error("p256.key", "p256.key",
                "p256.key: no certificate in this file; it holds a PRIVATE KEY block");
    check_error("chain.pem", "p256.encrypted-pkcs8.key",
                "p256.encrypted-pkcs8.key: the private key is encrypted; openssl pkey decrypts it");
    check_error(
        "rsa1024.pem", "rsa1024.key",
        "rsa1024.key: an RSA key of less than 2048 bits, which clients refuse; make a P-256 key or an RSA key "
        "of 2048 bits");
    check_error("chain.pem", "p384.key",
                "p384.key: this key does not match the certificate in " VECTORS
                "chain.pem (\"leaf.test\"); give the two that were made together");
    check_error(
        "chain-swapped.pem", "p256.key",
        "chain-swapped.pem: certificate 2 does not sign certificate 1; put the leaf first, then each issuer");
    check_error(
        "chain-stranger.pem", "p256.key",
        "chain-stranger.pem: certificate 2 does not sign certificate 1; put the leaf first, then each issuer");
    check_error("chain-reversed.pem", "p256.key",
                "chain-reversed.pem: the key belongs to certificate 3; put the leaf first, then each issuer");
}

TEST(all_errors_in_one_run)
{
    begin();
    add_files("a.test", "none.pem", "none.key");
    add_files("leaf.test", "chain.pem", "p384.key");
    CHECK(load() == NULL);
    CHECK_EQ(conf_errors_count(errors), 3);
    end();
}

static void check_warning(const char *list, const char *cert, const char *expected)
{
    begin();
    add_files(list, cert, "p256.key");
    struct certs *certs = load();
    CHECK(certs != NULL);
    certs_free(certs);
    CHECK(says(warnings, expected));
    end();
}

TEST(what_can_be_served_is_a_warning)
{
    check_warning("dates.test", "expired.pem",
                  "proxy.conf:4:5: tls: " VECTORS
                  "expired.pem: certificate 1 expired on 2001-01-01 and clients will refuse it; renew it");
    check_warning("dates.test", "future.pem",
                  "future.pem: certificate 1 is not valid before 2048-01-01 and clients");
    check_warning("other.test", "p256.pem",
                  "p256.pem: the certificate does not cover other.test; it is for p256.test, "
                  "www.p256.test");
    check_warning("192.0.2.9", "ip.pem",
                  "does not cover 192.0.2.9; it is for 192.0.2.1, 2001:db8::1, ip.test");
    check_warning("a.b.example.test", "wildcard.pem",
                  "does not cover a.b.example.test; it is for *.example.test");
    check_warning("old.test", "no-san.pem", "no subject alternative name");
    check_warning("x.test", "email-san.pem", "does not cover x.test; it is for no name");
    check_warning("leaf.test", "leaf.pem",
                  "clients that do not know its issuer \"Test Intermediate\" will refuse it");
}

TEST(a_key_readable_by_others_is_a_warning)
{
    const char *folder = folder_new();
    struct file key = vector_read("p256.key");
    char path[128];

    begin();
    CHECK_EQ(state_write(folder, "key.pem", 0640, bytes_of(key.content.p, key.content.n)), 0);
    snprintf(path, sizeof path, "%s/key.pem", folder);
    add_files("p256.test", "p256.pem", NULL)->key_file = path;
    struct certs *certs = load();
    CHECK(says(warnings, "key.pem: others than its owner may read this private key (mode 0640)"));
    certs_free(certs);
    CHECK_EQ(chmod(path, 0600), 0);
    certs = load();
    CHECK(strstr(warnings, "others than its owner") == NULL);
    certs_free(certs);
    file_release(&key);
    folder_remove(folder);
    end();
}

TEST(self_signed_are_kept_and_renewed)
{
    const char *folder = folder_new();
    char path[128];
    uint8_t fingerprint[32];

    begin();
    conf.state = folder;
    add_site("a.test", CONF_TLS_SELF_SIGNED);
    struct certs *certs = certs_new(&conf, false, errors);
    if (!CHECK(certs != NULL))
        return;
    memcpy(fingerprint, certs_of_site(certs, 0)->fingerprint, sizeof fingerprint);
    CHECK(!certs_renew(certs));
    certs_free(certs);
    certs = certs_new(&conf, false, errors);
    CHECK_MEM(certs_of_site(certs, 0)->fingerprint, 32, fingerprint, 32);

    /* A connection keeps what it began with. */
    struct tls_identity *held = tls_identity_ref(certs_of_site(certs, 0));
    held->not_after = time_wall() + 29 * 86400;
    snprintf(path, sizeof path, "%s/self-signed/a.test/cert.pem", folder);
    CHECK_EQ(unlink(path), 0);
    log_take();
    CHECK(certs_renew(certs));
    CHECK(says(log_taken(), "a.test: the self-signed certificate was renewed"));
    CHECK(certs_of_site(certs, 0) != held);
    CHECK_MEM(held->fingerprint, 32, fingerprint, 32);
    CHECK(certs_select(certs, bytes_str("a.test")) == certs_of_site(certs, 0));
    CHECK(certs_select(certs, bytes_str("")) == certs_of_site(certs, 0));
    certs_free(certs);
    CHECK_STR(held->name, "a.test");
    tls_identity_unref(held);
    folder_remove(folder);
    end();
}

TEST(a_reload_keeps_what_is_in_memory_alone)
{
    begin();
    add_site("a.test b.test", CONF_TLS_SELF_SIGNED);
    add_site("c.test", CONF_TLS_SELF_SIGNED);
    struct certs *before = load();
    names[1][0].text = "d.test";
    struct certs *after = load();
    if (!CHECK(before != NULL) || !CHECK(after != NULL))
        return;
    CHECK(certs_of_site(after, 0) != certs_of_site(before, 0));
    certs_inherit(after, before);
    CHECK(certs_of_site(after, 0) == certs_of_site(before, 0));
    CHECK(certs_select(after, bytes_str("b.test")) == certs_of_site(before, 0));
    CHECK(certs_of_site(after, 1) != certs_of_site(before, 1));
    certs_free(before);
    CHECK_STR(selected(after, "a.test"), "a.test");
    CHECK_STR(selected(after, "d.test"), "d.test");
    certs_free(after);
    end();
}

TEST(fingerprint_text)
{
    struct tls_identity id = {0};
    char text[CERTS_FINGERPRINT_TEXT];

    id.fingerprint[0] = 0xab;
    id.fingerprint[31] = 0x0f;
    CHECK_STR(certs_fingerprint_text(&id, text),
              "AB:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
              "00:00:00:00:00:00:00:00:0F");
}

TEST(memory_runs_out)
{
    struct certs *certs = NULL;

    begin();
    add_site("a.test *.a.test", CONF_TLS_SELF_SIGNED);
    add_files("leaf.test", "chain.pem", "p256.key");
    for (long n = 0; certs == NULL; n++) {
        log_take();
        mem_fail_at(n, 1);
        certs = certs_new(&conf, true, errors);
        mem_fail_at(-1, 0);
        log_taken();
        if (!CHECK(n < 200))
            break;
    }
    certs_free(certs);
    end();
}

TEST_MAIN(RUN(names_select), RUN(without_a_default_unknown_names_get_none), RUN(a_sole_site_answers_all),
          RUN(no_tls_site_at_all), RUN(good_files), RUN(bad_files_are_named), RUN(all_errors_in_one_run),
          RUN(what_can_be_served_is_a_warning), RUN(a_key_readable_by_others_is_a_warning),
          RUN(self_signed_are_kept_and_renewed), RUN(a_reload_keeps_what_is_in_memory_alone),
          RUN(fingerprint_text), RUN(memory_runs_out))
