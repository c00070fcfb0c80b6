/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"
#include "certs/ticket_keys.h"

#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

/* Two keys as openssl rand -base64 48 prints them: of the bytes 0 to 47, and 48 to 95. */
#define ONE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
#define TWO "MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f"

/* Loads a file with this content (NULL: there is none). Returns the error without the file's name, or "". */
static const char *load(const char *content, struct ticket_keys *keys)
{
    static char text[512];
    char folder[] = "/tmp/ticket-keys-XXXXXX", path[64];
    struct conf conf = {
        .ticket_keys = path, .ticket_keys_place = {"proxy.conf", 3, 1}
    };
    struct conf_errors *e = conf_errors_new();

    *text = 0;
    if (!CHECK(mkdtemp(folder) != NULL) || !CHECK(e != NULL))
        return text;
    snprintf(path, sizeof path, "%s/keys", folder);
    if (content)
        CHECK_EQ(state_write(folder, "keys", 0600, bytes_str(content)), 0);
    bool good = ticket_keys_load(keys, &conf, e);
    CHECK_EQ(good, conf_errors_count(e) == 0);
    if (!good) {
        const char *error = conf_errors_text(e, 0), *at = strstr(error, path);
        CHECK(strncmp(error, "proxy.conf:3:1: ticket-keys: ", 29) == 0);
        snprintf(text, sizeof text, "%s", at ? at + strlen(path) : error);
    }
    conf_errors_free(e);
    unlink(path);
    rmdir(folder);
    return text;
}

TEST(keys_in_their_order)
{
    struct ticket_keys keys;
    uint8_t counted[2 * TICKET_KEY];

    for (size_t i = 0; i < sizeof counted; i++)
        counted[i] = (uint8_t)i;
    CHECK_STR(load(ONE "\n", &keys), "");
    CHECK_EQ(keys.n, 1);
    CHECK_MEM(keys.keys[0], TICKET_KEY, counted, TICKET_KEY);
    CHECK_STR(load("# of May\r\n\n" ONE "\r\n  \n" TWO, &keys), "");
    CHECK_EQ(keys.n, 2);
    CHECK_MEM(keys.keys, sizeof counted, counted, sizeof counted);
}

TEST(what_is_wrong)
{
    struct ticket_keys keys;
    char many[9 * (sizeof ONE)] = "";

    for (int i = 0; i < 8; i++)
        strcat(many, ONE "\n");
    CHECK_STR(load(many, &keys), "");
    CHECK_EQ(keys.n, 8);
    strcat(many, TWO);
    CHECK_STR(load(many, &keys), ":9: more than 8 keys; the first seals, so take out the last");
    CHECK_STR(load(ONE "\nsecret\n", &keys), ":2: not a key; openssl rand -base64 48 makes one");
    CHECK_STR(load("AAEC\n", &keys), ":1: not a key; openssl rand -base64 48 makes one");
    CHECK_STR(load(ONE "AAAA\n", &keys), ":1: not a key; openssl rand -base64 48 makes one");
    CHECK_STR(load("# none\n", &keys), ": no key in it; openssl rand -base64 48 makes one");
    CHECK_STR(load("", &keys), ": no key in it; openssl rand -base64 48 makes one");
    CHECK_STR(load(NULL, &keys), ": No such file or directory");
}

TEST_MAIN(RUN(keys_in_their_order), RUN(what_is_wrong))
