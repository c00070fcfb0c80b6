/* SPDX-License-Identifier: MIT
 *
 * Self-signed certificates: what OpenSSL says of them, and how they are kept.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "base/time.h"
#include "certs/pem.h"
#include "certs/self_signed.h"
#include "certs/x509.h"
#include "tests/unit/certs/vectors.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define NOW 1900000000

static const char *const names[] = {"example.test", "*.example.test", "192.0.2.7", "2001:db8::7"};
static bool kept;
enum { NAMES = sizeof names / sizeof names[0] };

/* The output of a command; static until the next. */
static const char *run(const char *command)
{
    static char out[16384];
    FILE *p = popen(command, "r");
    size_t n = p != NULL ? fread(out, 1, sizeof out - 1, p) : 0;

    out[n] = '\0';
    if (p != NULL)
        pclose(p);
    return out;
}

static bool says(const char *output, const char *what)
{
    if (strstr(output, what) != NULL)
        return true;
    printf("    no \"%s\" in:\n%s\n", what, output);
    return false;
}

static const char *in_folder(const char *folder, const char *format)
{
    static char command[1024];

    snprintf(command, sizeof command, "cd %s && %s 2>&1", folder, format);
    return run(command);
}

TEST(openssl_takes_it)
{
    char key[512], cert[4096];
    struct writer k = writer_of(key, sizeof key), c = writer_of(cert, sizeof cert);
    struct tls_identity *id = tls_identity_new("example.test");
    const char *folder = folder_new(), *text;

    CHECK(x509_self_sign(id, names, NAMES, NOW, &k, &c));
    CHECK_EQ(state_write(folder, "key.pem", 0600, bytes_of(key, writer_len(&k))), 0);
    CHECK_EQ(state_write(folder, "cert.pem", 0644, bytes_of(cert, writer_len(&c))), 0);
    CHECK(id->self_signed);
    CHECK_EQ(id->not_before, NOW - DAY);
    CHECK_EQ(id->not_after, NOW + 90 * DAY);

    text = in_folder(folder, "openssl x509 -in cert.pem -noout -text");
    CHECK(says(text, "Version: 3 (0x2)"));
    CHECK(says(text, "Signature Algorithm: ecdsa-with-SHA256"));
    CHECK(says(text, "Subject: O = self-signed, CN = example.test"));
    CHECK(says(
        text, "DNS:example.test, DNS:*.example.test, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7"));
    CHECK(says(text, "X509v3 Basic Constraints: critical\n                CA:FALSE"));
    CHECK(says(text, "X509v3 Key Usage: critical\n                Digital Signature\n"));
    CHECK(says(text, "TLS Web Server Authentication"));
    CHECK(says(text, "X509v3 Subject Key Identifier"));
    CHECK(says(text, "NIST CURVE: P-256"));
    CHECK(says(in_folder(folder,
                         "openssl verify -x509_strict -attime 1900000000 -verify_hostname a.example.test "
                         "-CAfile cert.pem cert.pem"),
               "cert.pem: OK"));
    CHECK(says(in_folder(folder,
                         "openssl verify -x509_strict -attime 1900000000 -verify_ip 2001:db8::7 -purpose "
                         "sslserver -CAfile cert.pem cert.pem"),
               "cert.pem: OK"));
    CHECK(says(in_folder(folder, "openssl pkey -in key.pem -check -noout"), "Key is valid"));
    CHECK(says(in_folder(folder, "openssl ec -in key.pem -check -noout"), "EC Key valid"));
    CHECK(says(in_folder(folder, "test \"$(openssl pkey -in key.pem -pubout)\" = "
                                 "\"$(openssl x509 -in cert.pem -pubkey -noout)\" && echo same"),
               "same"));
    folder_remove(folder);
    tls_identity_unref(id);
}

TEST(what_it_covers)
{
    char key[512], cert[4096];
    struct writer k = writer_of(key, sizeof key), c = writer_of(cert, sizeof cert);
    struct tls_identity *id = tls_identity_new("example.test"), *again = tls_identity_new("again");
    struct x509 x;

    CHECK(x509_self_sign(id, names, NAMES, NOW, &k, &c));
    CHECK(x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)));
    CHECK(x509_matches_key(&x, id));
    CHECK(!x.is_ca);
    CHECK_EQ(x.serial.n, 16);
    for (unsigned i = 0; i < NAMES; i++)
        CHECK(x509_covers(&x, names[i]));
    CHECK(!x509_covers(&x, "192.0.2.8"));
    /* The PEM is the same key and certificate. */
    CHECK_STR(pem_load_key(again, bytes_of(key, writer_len(&k))), NULL);
    CHECK_STR(pem_load_chain(again, bytes_of(cert, writer_len(&c))), NULL);
    CHECK_MEM(again->fingerprint, 32, id->fingerprint, 32);
    CHECK_MEM(again->key_data, again->key_data_len, id->key_data, id->key_data_len);
    tls_identity_unref(again);
    tls_identity_unref(id);
}

TEST(long_and_many_names)
{
    static char text[300][80];
    const char *many[300];
    char key[512], *cert = mem_alloc(100000);
    struct writer k = writer_of(key, sizeof key), c = writer_of(cert, 100000);
    struct tls_identity *id = tls_identity_new("many");
    struct x509 x;

    for (int i = 0; i < 300; i++) {
        snprintf(text[i], sizeof text[i],
                 "%d.a-label-that-makes-the-name-longer-than-sixty-four-characters.test", i);
        many[i] = text[i];
    }
    CHECK(x509_self_sign(id, many, 300, 2600000000, &k, &c)); /* 2052 */
    CHECK(x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)));
    CHECK_EQ(x.common_name.n, 0);
    CHECK_EQ(x.not_before, 2600000000 - DAY);
    CHECK(x509_covers(&x, many[299]));
    tls_identity_unref(id);

    /* No room for the PEM, or no names. */
    id = tls_identity_new("many");
    c = writer_of(cert, 1000);
    k = writer_of(key, sizeof key);
    CHECK(!x509_self_sign(id, many, 300, NOW, &k, &c));
    tls_identity_unref(id);
    id = tls_identity_new("none");
    CHECK(!x509_self_sign(id, many, 0, NOW, &k, &c));
    tls_identity_unref(id);
    mem_free(cert);
}

static unsigned mode_of(const char *folder, const char *file)
{
    char path[256];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    return stat(path, &st) == 0 ? st.st_mode & 0777u : 0;
}

TEST(it_outlives_a_restart)
{
    const char *folder = folder_new();
    struct tls_identity *a = self_signed_load(folder, names[1], names + 1, 1, false, &kept);
    struct tls_identity *b = self_signed_load(folder, names[1], names + 1, 1, false, &kept);

    CHECK_MEM(a->fingerprint, 32, b->fingerprint, 32);
    CHECK_MEM(a->key_data, a->key_data_len, b->key_data, b->key_data_len);
    CHECK_STR(b->name, "*.example.test");
    CHECK(kept);
    CHECK_EQ(mode_of(folder, "self-signed"), 0700);
    CHECK_EQ(mode_of(folder, "self-signed/_.example.test"), 0700);
    CHECK_EQ(mode_of(folder, "self-signed/_.example.test/key.pem"), 0600);
    CHECK_EQ(mode_of(folder, "self-signed/_.example.test/cert.pem"), 0644);
    tls_identity_unref(a);
    tls_identity_unref(b);

    /* An IPv6 name has no colon in a file's name; nothing leads out of the folder. */
    a = self_signed_load(folder, "::1", &names[3], 1, false, &kept);
    CHECK_EQ(mode_of(folder, "self-signed/__1/key.pem"), 0600);
    tls_identity_unref(a);
    a = self_signed_load(folder, "../../x", &names[0], 1, false, &kept);
    CHECK_EQ(mode_of(folder, "self-signed/_._.._x/key.pem"), 0600);
    tls_identity_unref(a);
    folder_remove(folder);
}

static void check_remade(const char *folder, const struct tls_identity *before, const char *const *now_names,
                         unsigned n, bool same_key, const char *warning)
{
    log_take();
    struct tls_identity *id = self_signed_load(folder, "example.test", now_names, n, false, &kept);
    const char *log = log_taken();
    struct x509 x;

    CHECK(memcmp(id->fingerprint, before->fingerprint, 32) != 0);
    CHECK_EQ(memcmp(id->key_data, before->key_data, 32) == 0, same_key);
    CHECK(x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)) && x509_matches_key(&x, id));
    CHECK_EQ(id->chain_len, 1);
    if (warning != NULL)
        CHECK(says(log, warning));
    else
        CHECK_STR(log, "");

    /* What was made is kept. */
    struct tls_identity *again = self_signed_load(folder, "example.test", now_names, n, false, &kept);
    CHECK_MEM(id->fingerprint, 32, again->fingerprint, 32);
    tls_identity_unref(again);
    tls_identity_unref(id);
}

static void put(const char *folder, const char *file, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/self-signed/example.test", folder);
    CHECK_EQ(state_write(path, file, 0600, bytes_str(text)), 0);
}

TEST(other_names_make_another_with_the_same_key)
{
    const char *folder = folder_new();
    struct tls_identity *id = self_signed_load(folder, "example.test", names, NAMES, false, &kept);

    check_remade(folder, id, names, 2, true, NULL);
    check_remade(folder, id, names, NAMES, true, NULL);
    tls_identity_unref(id);
    folder_remove(folder);
}

TEST(damaged_files_are_made_anew)
{
    const char *folder = folder_new();
    struct tls_identity *id = self_signed_load(folder, "example.test", names, NAMES, false, &kept);

    put(folder, "cert.pem", "");
    check_remade(folder, id, names, NAMES, true, "cert.pem: the file is empty; it is made anew");
    put(folder, "cert.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    check_remade(folder, id, names, NAMES, true, "cert.pem: the CERTIFICATE block is damaged or cut off");
    put(folder, "key.pem", "\0\0\0");
    check_remade(folder, id, names, NAMES, false, "key.pem: the file is empty");

    /* Another's key, and a kind that is not of our making. */
    struct file other = vector_read("p256.key");
    put(folder, "key.pem", (const char *)other.content.p);
    file_release(&other);
    check_remade(folder, id, names, NAMES, false, "cert.pem is not for the key in key.pem");
    other = vector_read("rsa2048.key");
    put(folder, "key.pem", (const char *)other.content.p);
    file_release(&other);
    check_remade(folder, id, names, NAMES, false, NULL);
    tls_identity_unref(id);
    folder_remove(folder);
}

/* Writes what would have been made at that time. */
static struct tls_identity *keep_old(const char *folder, int64_t when)
{
    char key[512], cert[4096], path[256];
    struct writer k = writer_of(key, sizeof key), c = writer_of(cert, sizeof cert);
    struct tls_identity *id = tls_identity_new("example.test");

    snprintf(path, sizeof path, "%s/self-signed/example.test", folder);
    CHECK(x509_self_sign(id, names, NAMES, when, &k, &c));
    CHECK_EQ(state_write(path, "key.pem", 0600, bytes_of(key, writer_len(&k))), 0);
    CHECK_EQ(state_write(path, "cert.pem", 0644, bytes_of(cert, writer_len(&c))), 0);
    return id;
}

TEST(renewed_with_less_than_thirty_days_left)
{
    const char *folder = folder_new();
    struct tls_identity *id = keep_old(folder, time_wall() - 61 * DAY), *same;

    CHECK(self_signed_is_due(id));
    check_remade(folder, id, names, NAMES, true, NULL);
    tls_identity_unref(id);
    id = keep_old(folder, time_wall() - 59 * DAY);
    CHECK(!self_signed_is_due(id));
    same = self_signed_load(folder, "example.test", names, NAMES, false, &kept);
    CHECK_MEM(id->fingerprint, 32, same->fingerprint, 32);
    tls_identity_unref(same);
    tls_identity_unref(id);
    /* One from a clock that was ahead. */
    id = keep_old(folder, time_wall() + 10 * DAY);
    check_remade(folder, id, names, NAMES, true, NULL);
    tls_identity_unref(id);
    folder_remove(folder);
}

TEST(without_a_state_it_is_in_memory)
{
    log_take();
    struct tls_identity *id = self_signed_load(NULL, "example.test", names, NAMES, false, &kept);
    CHECK(says(log_taken(), "there is no state folder"));
    CHECK(!kept);
    CHECK_EQ(id->chain_len, 1);
    tls_identity_unref(id);

    /* A file where the folder should be: what root cannot write either. */
    const char *folder = folder_new();
    CHECK_EQ(state_write(folder, "state", 0600, bytes_str("x")), 0);
    char path[256];
    snprintf(path, sizeof path, "%s/state", folder);
    log_take();
    id = self_signed_load(path, "example.test", names, NAMES, false, &kept);
    CHECK(says(log_taken(), "cannot be kept: Not a directory"));
    CHECK(!kept);
    CHECK_EQ(id->chain_len, 1);
    tls_identity_unref(id);
    folder_remove(folder);
}

/* A key that cannot be read now is not overwritten. */
TEST(an_unreadable_key_stays)
{
    const char *folder = folder_new();
    char path[256];
    struct stat st;

    snprintf(path, sizeof path, "%s/self-signed/example.test/key.pem", folder);
    CHECK_EQ(file_make_folder(path, 0700), 0); /* a folder: root can read all else */
    log_take();
    struct tls_identity *id = self_signed_load(folder, "example.test", names, NAMES, false, &kept);
    CHECK(says(log_taken(), "key.pem: Is a directory"));
    CHECK(!kept);
    CHECK_EQ(id->chain_len, 1);
    CHECK_EQ(stat(path, &st), 0);
    CHECK(S_ISDIR(st.st_mode));
    tls_identity_unref(id);

    id = self_signed_load(folder, "other.test", names, 1, false, &kept);
    CHECK(kept);
    mem_fail_at(1, 2); /* past the identity itself: the file's content */
    struct tls_identity *failed = self_signed_load(folder, "other.test", names, 1, false, &kept);
    mem_fail_at(-1, 0);
    tls_identity_unref(failed);
    failed = self_signed_load(folder, "other.test", names, 1, false, &kept);
    CHECK_MEM(failed->fingerprint, 32, id->fingerprint, 32);
    tls_identity_unref(failed);
    tls_identity_unref(id);
    folder_remove(folder);
}

TEST(a_dry_run_writes_nothing)
{
    const char *folder = folder_new();
    struct tls_identity *id = self_signed_load(folder, "example.test", names, NAMES, true, &kept);

    CHECK_EQ(id->chain_len, 1);
    CHECK_EQ(mode_of(folder, "self-signed"), 0);
    tls_identity_unref(id);
    folder_remove(folder);
}

TEST(memory_runs_out)
{
    const char *folder = folder_new();
    struct tls_identity *id = NULL;

    log_take();
    for (long n = 0; id == NULL; n++) {
        mem_fail_at(n, 1);
        id = self_signed_load(folder, "example.test", names, NAMES, false, &kept);
        mem_fail_at(-1, 0);
        if (!CHECK(n < 100))
            break;
    }
    log_taken();
    tls_identity_unref(id);
    folder_remove(folder);
    CHECK_EQ(mem_blocks(), 0);
}

/* A board that boots in 1970: the floor stands for the clock, and a certificate found raises it. Last,
 * since the floor never falls. */
TEST(the_clock_may_be_wrong)
{
    const char *folder = folder_new();
    int64_t floor = time_wall() + 1000 * (int64_t)DAY;

    time_raise_floor(floor);
    CHECK(!time_is_sane());
    struct tls_identity *id = self_signed_load(folder, "example.test", names, NAMES, false, &kept);
    CHECK_EQ(id->not_before, floor - DAY);
    tls_identity_unref(id);
    id = keep_old(folder, floor + 10 * DAY);
    struct tls_identity *same = self_signed_load(folder, "example.test", names, NAMES, false, &kept);
    CHECK_MEM(id->fingerprint, 32, same->fingerprint, 32);
    CHECK_EQ(time_floor(), floor + 9 * DAY);
    tls_identity_unref(same);
    tls_identity_unref(id);
    folder_remove(folder);
}

TEST_MAIN(RUN(openssl_takes_it), RUN(what_it_covers), RUN(long_and_many_names), RUN(it_outlives_a_restart),
          RUN(other_names_make_another_with_the_same_key), RUN(damaged_files_are_made_anew),
          RUN(renewed_with_less_than_thirty_days_left), RUN(without_a_state_it_is_in_memory),
          RUN(an_unreadable_key_stays), RUN(a_dry_run_writes_nothing), RUN(memory_runs_out),
          RUN(the_clock_may_be_wrong))
