/* SPDX-License-Identifier: MIT
 *
 * Which token is answered with what: of ours, of another replica that shares the folder, and of nobody.
 */
#include "tests/unit/test.h"

#include "acme/challenges.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define TOKEN      "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"

static const char *state;

static void begin(void)
{
    state = folder_new();
}

/* Nothing is left over: not in the folder, not in memory. */
static void end(void)
{
    char folder[100];

    snprintf(folder, sizeof folder, "%s/challenge", state);
    rmdir(folder);
    CHECK_EQ(rmdir(state), 0);
    CHECK_EQ(mem_blocks(), 0);
}

static const char *path_of(const char *token)
{
    static char path[400];

    snprintf(path, sizeof path, "%s/challenge/%s", state, token);
    return path;
}

static bool is_file(const char *token)
{
    return access(path_of(token), F_OK) == 0;
}

/* As another replica writes it. */
static void put_file(const char *token, struct bytes content)
{
    char folder[100];

    snprintf(folder, sizeof folder, "%s/challenge", state);
    CHECK_EQ(state_write(folder, token, 0644, content), 0);
}

static bool add(struct challenges *c, const char *token, const char *text)
{
    return challenges_add(c, bytes_str(token), bytes_str(text));
}

static const char *find(struct challenges *c, const char *token)
{
    static char text[CHALLENGE_TEXT_MAX + 1];
    char out[CHALLENGE_TEXT_MAX];
    struct bytes found = challenges_find(c, bytes_str(token), out);

    if (found.n == 0)
        return NULL;
    memcpy(text, found.p, found.n);
    text[found.n] = '\0';
    return text;
}

TEST(tokens)
{
    static const char *const good[] = {TOKEN, "a", "-", "_", "0", "DGyRejmCefe7v4NfDGDKfA"};
    static const char *const bad[] = {"",         ".",    "..",    "a.b",  "a/b", "../x", "/etc/passwd",
                                      "a b",      "a\n",  "a%2eb", "a\\b", "a=",  "a+b",  "a:b",
                                      "\xc3\xa9", "\x7f", "a~",    "a*",   "@",   ".new-"};
    char text[CHALLENGE_TOKEN_MAX + 2];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(challenge_token_is_good(bytes_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!CHECK(!challenge_token_is_good(bytes_str(bad[i]))))
            printf("    %s\n", bad[i]);
    CHECK(!challenge_token_is_good((struct bytes){NULL, 0}));
    CHECK(!challenge_token_is_good(bytes_of("a\0b", 3)));
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t b = (uint8_t)byte;
        bool expected =
            byte != 0 &&
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", (int)byte) != NULL;

        CHECK_EQ(challenge_token_is_good(bytes_of(&b, 1)), expected);
    }
    memset(text, 'x', sizeof text);
    CHECK(challenge_token_is_good(bytes_of(text, CHALLENGE_TOKEN_MAX)));
    CHECK(!challenge_token_is_good(bytes_of(text, CHALLENGE_TOKEN_MAX + 1)));
}

TEST(in_memory)
{
    struct challenges *c = challenges_new(NULL);

    CHECK(find(c, TOKEN) == NULL);
    CHECK_EQ(challenges_asked(c, bytes_str(TOKEN)), 0);
    CHECK(add(c, TOKEN, TOKEN "." THUMBPRINT));
    CHECK(add(c, "other", "other." THUMBPRINT));
    CHECK_EQ(challenges_asked(c, bytes_str(TOKEN)), 0);
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    CHECK_STR(find(c, "other"), "other." THUMBPRINT);
    CHECK_EQ(challenges_asked(c, bytes_str(TOKEN)), 2);
    CHECK_EQ(challenges_asked(c, bytes_str("other")), 1);
    CHECK(find(c, "othe") == NULL);
    CHECK(find(c, "others") == NULL);
    CHECK(find(c, "Other") == NULL);
    CHECK(find(c, "") == NULL);
    CHECK(find(c, "../other") == NULL);
    /* Anew: what it is answered with is the new one, and nobody has asked. */
    CHECK(add(c, TOKEN, TOKEN ".x"));
    CHECK_EQ(challenges_asked(c, bytes_str(TOKEN)), 0);
    CHECK_STR(find(c, TOKEN), TOKEN ".x");
    challenges_remove(c, bytes_str("never-there"));
    challenges_remove(c, bytes_str(TOKEN));
    CHECK(find(c, TOKEN) == NULL);
    CHECK_EQ(challenges_asked(c, bytes_str(TOKEN)), 0);
    CHECK_STR(find(c, "other"), "other." THUMBPRINT);
    challenges_free(c);
    challenges_free(NULL);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(what_is_not_added)
{
    struct challenges *c = challenges_new(NULL);
    char text[CHALLENGE_TEXT_MAX + 1], out[CHALLENGE_TEXT_MAX];

    memset(text, 'x', sizeof text);
    text[1] = '.';
    CHECK(!add(c, "../x", "../x." THUMBPRINT));
    CHECK(!add(c, "", "." THUMBPRINT));
    CHECK(!challenges_add(c, bytes_str("x"), bytes_of(text, CHALLENGE_TEXT_MAX)));
    CHECK(find(c, "x") == NULL);
    CHECK(challenges_add(c, bytes_str("x"), bytes_of(text, CHALLENGE_TEXT_MAX - 1)));
    CHECK_EQ(challenges_find(c, bytes_str("x"), out).n, CHALLENGE_TEXT_MAX - 1);
    challenges_free(c);
}

/* An order has 100 names at most; there is an end, and room again after it. */
TEST(no_room)
{
    struct challenges *c = challenges_new(NULL);
    char token[16], text[100];
    unsigned n = 0;

    for (;; n++) {
        snprintf(token, sizeof token, "token-%u", n);
        snprintf(text, sizeof text, "%s." THUMBPRINT, token);
        if (n >= 1000 || !add(c, token, text))
            break;
    }
    CHECK(n >= 100 && n < 1000);
    CHECK(add(c, "token-7", "token-7.y")); /* is there already */
    challenges_remove(c, bytes_str("token-3"));
    CHECK(add(c, token, text));
    CHECK(find(c, "token-3") == NULL);
    CHECK_STR(find(c, token), text);
    for (unsigned i = 0; i < n; i++) {
        snprintf(token, sizeof token, "token-%u", i);
        challenges_remove(c, bytes_str(token));
    }
    CHECK_STR(find(c, "token-128"), n == 128 ? "token-128." THUMBPRINT : NULL);
    challenges_free(c);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(files)
{
    struct challenges *c;
    struct file f;
    struct stat st;

    begin();
    c = challenges_new(state);
    CHECK(add(c, TOKEN, TOKEN "." THUMBPRINT));
    CHECK(add(c, "two", "two." THUMBPRINT));
    CHECK(add(c, "three", "three." THUMBPRINT));
    CHECK_EQ(file_read(path_of(TOKEN), 1000, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, TOKEN "." THUMBPRINT, strlen(TOKEN "." THUMBPRINT));
    file_release(&f);
    CHECK(stat(path_of(TOKEN), &st) == 0 && (st.st_mode & 0777) == 0644);
    challenges_remove(c, bytes_str(TOKEN));
    CHECK(!is_file(TOKEN));
    CHECK(is_file("two") && is_file("three"));
    CHECK(find(c, TOKEN) == NULL);
    /* We answer from memory: a file that goes takes nothing with it. */
    unlink(path_of("two"));
    CHECK_STR(find(c, "two"), "two." THUMBPRINT);
    challenges_free(c);
    CHECK(!is_file("two") && !is_file("three"));
    end();
}

TEST(another_replicas)
{
    struct challenges *c;

    begin();
    c = challenges_new(state);
    CHECK(find(c, TOKEN) == NULL); /* no folder yet */
    put_file(TOKEN, bytes_str(TOKEN "." THUMBPRINT));
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    CHECK_EQ(challenges_asked(c, bytes_str(TOKEN)), 0); /* its order is not ours */
    put_file(TOKEN, bytes_str(TOKEN "." THUMBPRINT "\n"));
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    put_file(TOKEN, bytes_str(TOKEN "." THUMBPRINT "\r\n"));
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    challenges_remove(c, bytes_str(TOKEN));
    CHECK(is_file(TOKEN)); /* nor is its file */
    challenges_free(c);
    CHECK(is_file(TOKEN));
    unlink(path_of(TOKEN));
    end();
}

/* A process that was killed has left it; another that is under way elsewhere is younger. */
TEST(old_files)
{
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct challenges *c;

    begin();
    put_file("old", bytes_str("old." THUMBPRINT));
    put_file("young", bytes_str("young." THUMBPRINT));
    CHECK_EQ(utimensat(AT_FDCWD, path_of("old"), old, 0), 0);
    c = challenges_new(state);
    CHECK(add(c, TOKEN, TOKEN "." THUMBPRINT));
    CHECK(!is_file("old") && is_file("young") && is_file(TOKEN));
    challenges_free(c);
    unlink(path_of("young"));
    end();
}

/* What lies in the folder and is no key authorization is sent to nobody. */
TEST(what_is_no_authorization)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
#define CASE(text) {text, sizeof text - 1}
        CASE(""),
        CASE("\n"),
        CASE("t"),
        CASE("t."),
        CASE("t.\n"),
        CASE("u." THUMBPRINT),
        CASE("tt." THUMBPRINT),
        CASE("t" THUMBPRINT),
        CASE(" t." THUMBPRINT),
        CASE("t. " THUMBPRINT),
        CASE("t." THUMBPRINT " and more"),
        CASE("t." THUMBPRINT "\nroot:x:0:0"),
        CASE("t.<script>alert(1)</script>"),
        CASE("t." THUMBPRINT "\0"),
        CASE("t.\xc3\xa9"),
        CASE("t." THUMBPRINT "." THUMBPRINT),
        CASE("-----BEGIN PRIVATE KEY-----\n"),
#undef CASE
    };
    struct challenges *c;
    char large[CHALLENGE_TEXT_MAX + 1];

    begin();
    c = challenges_new(state);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_file("t", bytes_of(cases[i].text, cases[i].n));
        if (!CHECK_STR(find(c, "t"), NULL))
            printf("    case %zu\n", i);
    }
    memset(large, 'x', sizeof large);
    large[0] = 't', large[1] = '.';
    put_file("t", bytes_of(large, sizeof large));
    CHECK(find(c, "t") == NULL);
    unlink(path_of("t"));
    CHECK_EQ(mkdir(path_of("t"), 0700), 0);
    CHECK(find(c, "t") == NULL);
    rmdir(path_of("t"));
    challenges_free(c);
    end();
}

/* Whatever is asked for, no file beside the folder is read. */
TEST(paths)
{
    static const char *const tokens[] = {"../secret", "..%2fsecret", "./t", "challenge/../../secret", "..",
                                         "."};
    struct challenges *c;
    char path[100];

    begin();
    CHECK_EQ(state_write(state, "secret", 0600, bytes_str("secret." THUMBPRINT)), 0);
    c = challenges_new(state);
    put_file("t", bytes_str("t." THUMBPRINT));
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        CHECK(find(c, tokens[i]) == NULL);
    CHECK_STR(find(c, "t"), "t." THUMBPRINT);
    unlink(path_of("t"));
    challenges_free(c);
    snprintf(path, sizeof path, "%s/secret", state);
    unlink(path);
    end();
}

/* The folder cannot be written: this replica still answers. */
TEST(without_a_folder)
{
    struct challenges *c = challenges_new("/dev/null/nowhere");
    char *long_path = malloc(5001);

    log_set_fd(-1);
    CHECK(add(c, TOKEN, TOKEN "." THUMBPRINT));
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    CHECK(find(c, "other") == NULL);
    challenges_free(c);
    memset(long_path, 'x', 5000);
    long_path[5000] = '\0';
    c = challenges_new(long_path);
    CHECK(add(c, TOKEN, TOKEN "." THUMBPRINT));
    CHECK_STR(find(c, TOKEN), TOKEN "." THUMBPRINT);
    CHECK(find(c, "other") == NULL);
    challenges_free(c);
    log_flush();
    log_set_fd(1);
    free(long_path);
    CHECK_EQ(mem_blocks(), 0);
}

TEST(out_of_memory)
{
    size_t before = mem_allocations();
    struct challenges *c;
    bool worked = false;

    begin();
    c = challenges_new(state);
    CHECK(add(c, "t", "t." THUMBPRINT));
    challenges_free(c);
    for (long n = 0, all = (long)(mem_allocations() - before); n <= all; n++) {
        mem_fail_at(n, 1);
        c = challenges_new(state);
        worked = c != NULL && add(c, "t", "t." THUMBPRINT);
        mem_fail_at(-1, 0);
        CHECK_EQ(worked, n == all);
        if (c != NULL)
            CHECK_EQ(find(c, "t") != NULL, worked);
        challenges_free(c);
        CHECK_EQ(mem_blocks(), 0);
    }
    end();
}

TEST_MAIN(RUN(tokens), RUN(in_memory), RUN(what_is_not_added), RUN(no_room), RUN(files),
          RUN(another_replicas), RUN(old_files), RUN(what_is_no_authorization), RUN(paths),
          RUN(without_a_folder), RUN(out_of_memory))
