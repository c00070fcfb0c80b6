/* SPDX-License-Identifier: MIT
 *
 * What the state keeps of an authority's certificates: what is served from there, what is not and what the log says of
 * it, and keys that are made once.
 */
#include "tests/unit/test.h"

#include "base/mem.h"
#include "base/time.h"
#include "certs/key.h"
#include "certs/pem.h"
#include "certs/stored.h"
#include "certs/x509.h"
#include "tests/unit/certs/vectors.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *state;

static void begin(void)
{
    state = folder_new();
}

static void end(void)
{
    folder_remove(state);
    CHECK_EQ(mem_blocks(), 0);
}

/* STATE/FOLDER/FILE; the path is static until the next. */
static const char *path_of(const char *folder, const char *file)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/%s/%s", state, folder, file);
    return path;
}

static void put(const char *folder, const char *file, struct bytes content)
{
    char path[200];

    snprintf(path, sizeof path, "%s/%s", state, folder);
    CHECK_EQ(state_write(path, file, 0600, content), 0);
}

static void put_vector(const char *folder, const char *file, const char *vector)
{
    struct file f = vector_read(vector);

    put(folder, file, bytes_of(f.content.p, f.content.n));
    file_release(&f);
}

/* As the state has it after an order, NULL leaves one out. */
static void put_both(const char *chain, const char *key)
{
    unlink(path_of("a.test", "cert.pem"));
    unlink(path_of("private/a.test", "key.pem"));
    if (chain != NULL)
        put_vector("a.test", "cert.pem", chain);
    if (key != NULL)
        put_vector("private/a.test", "key.pem", key);
}

/* What the log says when it is loaded; "" and an identity in *id when it is good. */
static const char *load(struct tls_identity **id)
{
    log_take();
    *id = stored_load(state, "a.test");
    return log_taken();
}

static void check_refused(const char *chain, const char *key, const char *expected)
{
    struct tls_identity *id;
    const char *said;

    put_both(chain, key);
    said = load(&id);
    CHECK(id == NULL);
    if (!CHECK(expected == NULL ? said[0] == '\0' : strstr(said, expected) != NULL))
        printf("    %s with %s: \"%s\"\n", chain, key, said);
    tls_identity_unref(id);
}

TEST(folders)
{
    static const char *const bad[] = {"", ".", "..", ".x", "/", "/x", "x/", "a/b", "../x", "a/../b"};
    char out[64];

    CHECK(stored_folder(out, sizeof out, "/var/lib/proxy", "a.test", false));
    CHECK_STR(out, "/var/lib/proxy/a.test");
    CHECK(stored_folder(out, sizeof out, "/var/lib/proxy", "a.test", true));
    CHECK_STR(out, "/var/lib/proxy/private/a.test");
    CHECK(stored_folder(out, sizeof out, "state", "a..b", false));
    CHECK_STR(out, "state/a..b");
    CHECK(stored_folder(out, sizeof out, "s", "2001:db8::1", false));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int is_private = 0; is_private < 2; is_private++)
            CHECK(!stored_folder(out, sizeof out, "state", bad[i], is_private != 0));
    for (size_t n = 0; n < 12; n++) {
        memset(out, '~', sizeof out);
        CHECK_EQ(stored_folder(out, n, "state", "a.te", false), n > 10);
        CHECK_EQ(out[n], '~');
    }
}

TEST(what_is_served)
{
    static const struct {
        const char *chain, *key;
        size_t n;
    } cases[] = {
        {"chain.pem",           "p256.key",          3},
        {"leaf.pem",            "p256.key",          1},
        {"chain-crlf.pem",      "p256.sec1.key",     3},
        {"chain-with-text.pem", "p256.key",          2},
        {"p384.pem",            "p384.key",          1},
        {"rsa2048.pem",         "rsa2048.pkcs1.key", 1},
        {"rsa4096.pem",         "rsa4096.key",       1},
        {"expired.pem",         "p256.key",          1}, /* it is for others to see that it is renewed */
        {"no-san.pem",          "p256.key",          1},
    };

    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_identity *id;
        struct x509 x;
        const char *said;

        put_both(cases[i].chain, cases[i].key);
        said = load(&id);
        CHECK_STR(said, "");
        if (!CHECK(id != NULL)) {
            printf("    %s\n", cases[i].chain);
            continue;
        }
        CHECK_STR(id->name, "a.test");
        CHECK_EQ(id->chain_len, cases[i].n);
        CHECK(x509_parse(&x, bytes_of(id->chain[0].data, id->chain[0].data_len)) && x509_matches_key(&x, id));
        tls_identity_unref(id);
    }
    end();
}

TEST(what_is_not)
{
    begin();
    check_refused(NULL, NULL, NULL);
    check_refused(NULL, "p256.key", NULL);
    /* A certificate without its key is no use, and nothing that one expects. */
    check_refused("chain.pem", NULL, "private/a.test/key.pem: No such file");
    check_refused("chain.pem", "p384.key", "a.test/cert.pem: the certificate is for another key");
    check_refused("chain.pem", "rsa2048.key", "a.test/cert.pem: the certificate is for another key");
    check_refused("chain-reversed.pem", "p256.key", "the certificate is for another key");
    check_refused("chain-swapped.pem", "p256.key", "a.test/cert.pem: the chain is not in order");
    check_refused("chain-stranger.pem", "p256.key", "a.test/cert.pem: the chain is not in order");
    check_refused("cut-off.pem", "p256.key", "a.test/cert.pem: ");
    check_refused("p256.csr", "p256.key", "a.test/cert.pem: ");
    check_refused("p256.pem.der", "p256.key", "a.test/cert.pem: ");
    check_refused("p256.pem", "p256.key.der", "a.test/key.pem: ");
    check_refused("p256.pem", "p256.pem", "a.test/key.pem: ");
    check_refused("p256.pem", "p256.encrypted-pkcs8.key", "a.test/key.pem: ");
    end();
}

/* Where a file is to be, there is something else. */
TEST(other_things)
{
    static char large[PEM_MAX_FILE + 2];
    struct tls_identity *id;
    const char *said;

    begin();
    put_both(NULL, "p256.key");
    put("a.test", "other", bytes_str(""));
    mkdir(path_of("a.test", "cert.pem"), 0700);
    said = load(&id);
    CHECK(id == NULL && strstr(said, "a.test/cert.pem: Is a directory") != NULL);
    rmdir(path_of("a.test", "cert.pem"));
    memset(large, '\n', sizeof large);
    put("a.test", "cert.pem", bytes_of(large, sizeof large));
    said = load(&id);
    CHECK(id == NULL && strstr(said, "a.test/cert.pem: File too large") != NULL);
    put("a.test", "cert.pem", (struct bytes){NULL, 0});
    said = load(&id);
    CHECK(id == NULL && strstr(said, "a.test/cert.pem: ") != NULL);
    folder_remove(state);
    mkdir(state, 0700);
    put(".", "a.test", bytes_str("a file of that name")); /* as another site's, or a person's */
    said = load(&id);
    CHECK(id == NULL);
    CHECK_STR(said, "");
    CHECK(stored_load(state, "../etc") == NULL);
    CHECK(stored_load(state, "") == NULL);
    CHECK(stored_load("/nowhere/at/all", "a.test") == NULL);
    end();
}

/* ---- keys ---- */

static bool same_key(const struct tls_identity *a, const struct tls_identity *b)
{
    return a->key_type == b->key_type &&
           bytes_equal(bytes_of(a->key_data, a->key_data_len), bytes_of(b->key_data, b->key_data_len));
}

TEST(keys_are_made_once)
{
    static const char *const names[] = {"a.test", "b.test", NULL};
    struct tls_identity *made[3], *found;
    const char *why;
    bool was_there;
    struct stat st;

    begin();
    for (int i = 0; i < 3; i++) {
        made[i] = stored_key(state, names[i], &was_there, &why);
        if (!CHECK(made[i] != NULL))
            return;
        CHECK_STR(why, NULL);
        CHECK(!was_there);
        CHECK_EQ(made[i]->key_type, TLS_KEY_EC_P256);
        CHECK_EQ(made[i]->chain_len, 0);
    }
    CHECK(!same_key(made[0], made[1]) && !same_key(made[0], made[2]) && !same_key(made[1], made[2]));
    CHECK(stat(path_of("private/a.test", "key.pem"), &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(stat(path_of("private", "key.pem"), &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(stat(path_of("private", ""), &st) == 0 && (st.st_mode & 07777) == 0700);
    for (int i = 0; i < 3; i++) {
        found = stored_key(state, names[i], &was_there, &why);
        CHECK_STR(why, NULL);
        CHECK(was_there);
        CHECK(found != NULL && same_key(found, made[i]));
        tls_identity_unref(found);
        tls_identity_unref(made[i]);
    }
    end();
}

/* Keys of others, of any kind that can be served, stay. */
TEST(keys_that_are_there)
{
    static const char *const keys[] = {"p256.key", "p256.sec1.key",     "p384.key",
                                       "p521.key", "rsa2048.pkcs1.key", "rsa4096.key"};
    struct tls_identity *id, *vector;
    const char *why, *problem;
    bool was_there;

    begin();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        put_vector("private/a.test", "key.pem", keys[i]);
        id = stored_key(state, "a.test", &was_there, &why);
        vector = vector_identity(NULL, keys[i], &problem);
        CHECK_STR(why, NULL);
        CHECK(was_there);
        CHECK(id != NULL && same_key(id, vector));
        tls_identity_unref(id);
        tls_identity_unref(vector);
    }
    end();
}

/* What is there and no good is not written over: it may be somebody's only copy. */
TEST(keys_that_are_no_good)
{
    static const char *const vectors[] = {"p256.pem", "p256.encrypted-pkcs8.key", "ed25519.key",
                                          "rsa1024.key", "p256.key.der"};
    struct tls_identity *id;
    const char *why, *said;
    bool was_there;

    begin();
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct file vector = vector_read(vectors[i]), f;

        put("private/a.test", "key.pem", bytes_of(vector.content.p, vector.content.n));
        log_take();
        id = stored_key(state, "a.test", &was_there, &why);
        said = log_taken();
        CHECK(id == NULL && !was_there);
        CHECK_STR(why, "the key that is there is no good; move it away for a new one");
        CHECK(strstr(said, "private/a.test/key.pem: ") != NULL);
        CHECK_EQ(file_read(path_of("private/a.test", "key.pem"), 1u << 20, &f), 0);
        CHECK_MEM(f.content.p, f.content.n, vector.content.p, vector.content.n);
        file_release(&f);
        file_release(&vector);
    }
    unlink(path_of("private/a.test", "key.pem"));
    mkdir(path_of("private/a.test", "key.pem"), 0700);
    log_take();
    id = stored_key(state, "a.test", &was_there, &why);
    log_taken();
    CHECK(id == NULL && !was_there);
    CHECK_STR(why, strerror(EISDIR));
    end();
}

TEST(where_no_key_can_be)
{
    char *long_name = malloc(5001);
    const char *why;
    bool was_there = true;

    begin();
    CHECK(stored_key(state, "../x", &was_there, &why) == NULL);
    CHECK_STR(why, "not a name that a folder can have");
    CHECK(!was_there);
    CHECK(stored_key(state, "", &was_there, &why) == NULL);
    memset(long_name, 'x', 5000);
    long_name[5000] = '\0';
    CHECK(stored_key(state, long_name, &was_there, &why) == NULL);
    CHECK_STR(why, "not a name that a folder can have");
    CHECK(stored_key(long_name, NULL, &was_there, &why) == NULL);
    log_take();
    long_name[300] = '\0'; /* longer than a file system takes */
    CHECK(stored_key(state, long_name, &was_there, &why) == NULL);
    CHECK_STR(why, strerror(ENAMETOOLONG));
    CHECK(stored_key("/dev/null", "a.test", &was_there, &why) == NULL);
    CHECK_STR(why, strerror(ENOTDIR));
    log_taken();
    free(long_name);
    end();
}

/* Whenever memory runs out, either there is a key and it is on the disk, or the next try makes it. */
TEST(out_of_memory)
{
    struct tls_identity *id, *again;
    const char *why;
    bool was_there;

    begin();
    for (long n = 0; n < 100; n++) {
        log_take();
        mem_fail_at(n, 1);
        id = stored_key(state, "a.test", &was_there, &why);
        mem_fail_at(-1, 0);
        log_taken();
        CHECK_EQ(id == NULL, why != NULL);
        if (id == NULL)
            CHECK(strcmp(why, "out of memory") == 0 || strcmp(why, strerror(ENOMEM)) == 0);
        if (id != NULL) {
            again = stored_key(state, "a.test", &was_there, &why);
            CHECK(was_there && again != NULL && same_key(id, again));
            tls_identity_unref(again);
            tls_identity_unref(id);
            CHECK(n > 0);
            break;
        }
    }
    put_both("chain.pem", "p256.key");
    for (long n = 0;; n++) {
        log_take();
        mem_fail_at(n, 1);
        id = stored_load(state, "a.test");
        mem_fail_at(-1, 0);
        log_taken();
        if (id != NULL || !CHECK(n < 100))
            break;
    }
    tls_identity_unref(id);
    end();
}

TEST(put_away)
{
    const char *why;
    bool was_there;
    struct tls_identity *id;

    begin();
    CHECK_EQ(stored_put_away(state, "a.test", 7), 0); /* there is none */
    put_both("p256.pem", "p256.key");
    CHECK_EQ(stored_put_away(state, "a.test", 7), 0);
    CHECK_EQ(access(path_of("a.test", "revoked-7.pem"), F_OK), 0);
    CHECK_EQ(access(path_of("private/a.test", "key-7.pem"), F_OK), 0);
    CHECK(stored_load(state, "a.test") == NULL);
    id = stored_key(state, "a.test", &was_there, &why);
    CHECK(id != NULL && !was_there); /* another one */
    tls_identity_unref(id);
    CHECK_EQ(stored_put_away(state, "../a", 7), EINVAL);
    end();
}

/* A board without a clock learns the time from what it kept. Last, since the floor does not sink again. */
TEST(the_clock)
{
    struct tls_identity *id;

    begin();
    put_both("future.pem", "p256.key");
    log_take();
    id = stored_load(state, "a.test");
    log_taken();
    if (CHECK(id != NULL))
        CHECK_EQ(time_floor(), id->not_before);
    CHECK(!time_is_sane());
    tls_identity_unref(id);
    end();
}

TEST_MAIN(RUN(folders), RUN(what_is_served), RUN(what_is_not), RUN(other_things), RUN(keys_are_made_once),
          RUN(keys_that_are_there), RUN(keys_that_are_no_good), RUN(where_no_key_can_be), RUN(out_of_memory),
          RUN(put_away), RUN(the_clock))
