/* SPDX-License-Identifier: MIT
 *
 * What each conversion takes, and, the larger part, what it must not.
 */
#include "tests/unit/test.h"

#include "base/text.h"

#include <stdlib.h>

#define UNTOUCHED 0x5555555555555555u

typedef bool convert(struct bytes in, uint64_t max, uint64_t *out);

/* The value, or UNTOUCHED when it was refused (and `out` left alone). */
static uint64_t value(convert *f, const char *text, uint64_t max)
{
    uint64_t v = UNTOUCHED;
    bool taken = f(bytes_str(text), max, &v);

    CHECK_EQ(taken, v != UNTOUCHED);
    return v;
}

static void refuses(convert *f, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!CHECK(value(f, texts[i], UINT64_MAX - 1) == UNTOUCHED))
            printf("    it took \"%s\"\n", texts[i]);
}

#define REFUSES(f, ...)                                    \
    do {                                                   \
        static const char *const texts[] = {__VA_ARGS__};  \
        refuses(f, texts, sizeof texts / sizeof texts[0]); \
    } while (0)

TEST(letters_and_digits)
{
    for (int c = 0; c < 256; c++) {
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';

        CHECK_EQ(text_is_alpha((uint8_t)c), upper || lower);
        CHECK_EQ(text_is_digit((uint8_t)c), c >= '0' && c <= '9');
        CHECK_EQ(text_lower((uint8_t)c), upper ? c + 32 : c);
    }
}

TEST(decimal)
{
    CHECK_EQ(value(text_u64, "0", UINT64_MAX), 0);
    CHECK_EQ(value(text_u64, "007", UINT64_MAX), 7);
    CHECK(value(text_u64, "18446744073709551615", UINT64_MAX) == UINT64_MAX);
    CHECK_EQ(value(text_u64, "65535", 65535), 65535);
    CHECK(value(text_u64, "65536", 65535) == UNTOUCHED);
    CHECK(value(text_u64, "1", 0) == UNTOUCHED);
    CHECK_EQ(value(text_u64, "0", 0), 0);
    CHECK(value(text_u64, "18446744073709551616", UINT64_MAX) == UNTOUCHED);
    CHECK(value(text_u64, "99999999999999999999", UINT64_MAX) == UNTOUCHED);
    CHECK(value(text_u64, "184467440737095516150", UINT64_MAX) == UNTOUCHED);
    REFUSES(text_u64, "", " 1", "1 ", "+1", "-1", "1.0", "0x1", "1_000", "a", "1a", "\xd9\xa1", "/", ":");
    CHECK(!text_u64(bytes_of("1\0", 2), 9, &(uint64_t){0}));
}

TEST(hexadecimal)
{
    CHECK_EQ(value(text_hex_u64, "0", UINT64_MAX), 0);
    CHECK_EQ(value(text_hex_u64, "aBcDeF09", UINT64_MAX), 0xabcdef09);
    CHECK(value(text_hex_u64, "ffffffffffffffff", UINT64_MAX) == UINT64_MAX);
    CHECK_EQ(value(text_hex_u64, "0000000000000000000001", UINT64_MAX), 1);
    CHECK(value(text_hex_u64, "10000000000000000", UINT64_MAX) == UNTOUCHED);
    CHECK(value(text_hex_u64, "100", 255) == UNTOUCHED);
    REFUSES(text_hex_u64, "", "0x1", "g", "1;", " 1", "-1", "@", "`", "G");
}

TEST(duration)
{
    CHECK_EQ(value(text_duration_ms, "10", 1000000), 10000);
    CHECK_EQ(value(text_duration_ms, "10s", 1000000), 10000);
    CHECK_EQ(value(text_duration_ms, "500ms", 1000000), 500);
    CHECK_EQ(value(text_duration_ms, "5m", 1000000), 300000);
    CHECK_EQ(value(text_duration_ms, "12h", UINT64_MAX), 43200000);
    CHECK_EQ(value(text_duration_ms, "7d", UINT64_MAX), 604800000);
    CHECK_EQ(value(text_duration_ms, "0", 0), 0);
    CHECK_EQ(value(text_duration_ms, "1s", 1000), 1000);
    CHECK(value(text_duration_ms, "1001ms", 1000) == UNTOUCHED);
    CHECK(value(text_duration_ms, "2s", 1999) == UNTOUCHED);
    /* The product would come round to something small. */
    CHECK(value(text_duration_ms, "213503982335d", UINT64_MAX) == UNTOUCHED);
    REFUSES(text_duration_ms, "", "s", "ms", "1S", "1M", "1 s", "1sec", "1.5s", "1h30m", "-1s", "1w", " 1s",
            "1s ");
}

TEST(size)
{
    CHECK_EQ(value(text_size, "16384", UINT64_MAX), 16384);
    CHECK_EQ(value(text_size, "16k", UINT64_MAX), 16384);
    CHECK_EQ(value(text_size, "16K", UINT64_MAX), 16384);
    CHECK_EQ(value(text_size, "16KiB", UINT64_MAX), 16384);
    CHECK_EQ(value(text_size, "10M", UINT64_MAX), 10485760);
    CHECK_EQ(value(text_size, "10MiB", UINT64_MAX), 10485760);
    CHECK_EQ(value(text_size, "1G", UINT64_MAX), 1073741824);
    CHECK_EQ(value(text_size, "1g", UINT64_MAX), 1073741824);
    CHECK_EQ(value(text_size, "1k", 1024), 1024);
    CHECK(value(text_size, "2k", 2047) == UNTOUCHED);
    CHECK(value(text_size, "17179869184G", UINT64_MAX) == UNTOUCHED); /* 2^64 */
    REFUSES(text_size, "", "k", "1kB", "1KB", "1KIB", "1kib", "1B", "1T", "1 k", "1.5k", "-1k", "1kk", "1Ki",
            "1iB", "1kiBx");
}

static void decodes(const char *text, const void *plain, size_t n)
{
    uint8_t *out = malloc(n > 0 ? n : 1); /* just enough: one byte more is seen */
    size_t len = 99;

    CHECK(text_base64_decode(bytes_str(text), out, n, &len));
    CHECK_MEM(out, len, plain, n);
    if (n > 0)
        CHECK(!text_base64_decode(bytes_str(text), out, n - 1, &len));
    free(out);
}

static void url_decodes(const char *text, const void *plain, size_t n)
{
    uint8_t *out = malloc(n > 0 ? n : 1);
    size_t len = 99;

    CHECK(text_base64url_decode(bytes_str(text), out, n, &len));
    CHECK_MEM(out, len, plain, n);
    if (n > 0)
        CHECK(!text_base64url_decode(bytes_str(text), out, n - 1, &len));
    free(out);
}

static void decodes_not(const char *text)
{
    uint8_t out[64];
    size_t len = 99;

    if (!CHECK(!text_base64_decode(bytes_str(text), out, sizeof out, &len)))
        printf("    it took \"%s\"\n", text);
    CHECK_EQ(len, 99);
}

/* RFC 4648 §10 */
static const struct {
    const char *plain, *text, *url;
} base64_vectors[] = {
    {"",       "",         ""        },
    {"f",      "Zg==",     "Zg"      },
    {"fo",     "Zm8=",     "Zm8"     },
    {"foo",    "Zm9v",     "Zm9v"    },
    {"foob",   "Zm9vYg==", "Zm9vYg"  },
    {"fooba",  "Zm9vYmE=", "Zm9vYmE" },
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

TEST(base64_vectors_of_the_rfc)
{
    for (size_t i = 0; i < sizeof base64_vectors / sizeof base64_vectors[0]; i++) {
        struct bytes plain = bytes_str(base64_vectors[i].plain);
        uint8_t out[16];
        struct writer w = writer_of(out, sizeof out);

        text_base64_encode(&w, plain);
        CHECK(bytes_is(bytes_of(out, writer_len(&w)), base64_vectors[i].text));
        w = writer_of(out, sizeof out);
        text_base64url_encode(&w, plain);
        CHECK(bytes_is(bytes_of(out, writer_len(&w)), base64_vectors[i].url));
        decodes(base64_vectors[i].text, plain.p, plain.n);
        url_decodes(base64_vectors[i].url, plain.p, plain.n);
    }
}

TEST(base64_whole_alphabet)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t plain[48], text[64];
    size_t len = 0;
    struct writer w = writer_of(text, sizeof text);

    CHECK(text_base64_decode(bytes_str(alphabet), plain, sizeof plain, &len));
    CHECK_EQ(len, sizeof plain);
    /* The digits stand in the order of their values. */
    for (unsigned i = 0; i < 64; i += 4) {
        const uint8_t *p = plain + i / 4 * 3;

        CHECK_EQ(p[0] << 16 | p[1] << 8 | p[2], i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3));
    }
    text_base64_encode(&w, bytes_of(plain, sizeof plain));
    CHECK_MEM(text, writer_len(&w), alphabet, 64);
    w = writer_of(text, sizeof text);
    text_base64url_encode(&w, bytes_of(plain, sizeof plain));
    CHECK_MEM(text + 60, 4, "89-_", 4);
}

TEST(base64_takes_no_byte_but_its_alphabet)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (int c = 0; c < 256; c++) {
        char text[4] = {'A', (char)c, 'A', 'A'};
        uint8_t out[3];
        size_t len;

        CHECK_EQ(text_base64_decode(bytes_of(text, 4), out, 3, &len), c != 0 && strchr(alphabet, c) != NULL);
    }
}

TEST(base64_refuses_what_is_not_exact)
{
    decodes_not("Z");
    decodes_not("Zg");
    decodes_not("Zg=");
    decodes_not("=");
    decodes_not("====");
    decodes_not("Z===");
    decodes_not("Zg==Zg==");
    decodes_not("Zm8=Zm8=");
    decodes_not("Zg=A");
    decodes_not("Zg==\n");
    decodes_not("Zm9v\nYg=");
    decodes_not(" m9v");
    decodes_not("Zm9-");
    decodes_not("Zm9_");
    /* Bits that belong to no byte are set. */
    decodes_not("Zh==");
    decodes_not("Zm9=");
}

/* Every text that begins with Z, of up to three bytes, is the one text of its value or refused. */
TEST(base64url_has_one_text_for_a_value)
{
    for (size_t n = 1; n <= 3; n++) {
        unsigned taken = 0;

        for (uint32_t v = 0; v < 1u << 8 * (n - 1); v++) {
            const uint8_t text[3] = {'Z', (uint8_t)v, (uint8_t)(v >> 8)};
            uint8_t out[2], again[4];
            struct writer w = writer_of(again, sizeof again);
            size_t len;

            if (!text_base64url_decode(bytes_of(text, n), out, sizeof out, &len))
                continue;
            taken++;
            CHECK_EQ(len, n - 1);
            text_base64url_encode(&w, bytes_of(out, len));
            CHECK_MEM(again, writer_len(&w), text, n);
        }
        CHECK_EQ(taken, n == 1 ? 0 : n == 2 ? 4 : 64 * 16);
    }
}

TEST(base64url_refuses_what_is_not_exact)
{
    static const char *const texts[] = {
        "Z",  "Zg=", "Zg==",  "Zm8=",   "=",    "====",  "Zm9vY",  "Zm9+",  "Zm9/",
        "Zh", "Zm9", "Zm9v=", "Zm9v\n", " m9v", "Zm 9v", "Zm9vYm", "Zg.Zg", "Zm9v\xc3\xa9"};
    uint8_t out[64];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t len = 99;

        if (!CHECK(!text_base64url_decode(bytes_str(texts[i]), out, sizeof out, &len)))
            printf("    it took \"%s\"\n", texts[i]);
        CHECK_EQ(len, 99);
    }
}

TEST(base64_encoding_into_too_little_room_fails)
{
    uint8_t out[7];
    struct writer w = writer_of(out, sizeof out);

    text_base64_encode(&w, bytes_str("foob"));
    CHECK(w.failed);
}

static unsigned distance(const char *a, const char *b)
{
    unsigned there = text_distance(bytes_str(a), bytes_str(b));

    CHECK_EQ(text_distance(bytes_str(b), bytes_str(a)), there);
    return there;
}

TEST(words)
{
    struct bytes line = bytes_str(" \ta  bc\td "), none = {NULL, 0};

    CHECK(bytes_is(text_word(&line), "a"));
    CHECK(bytes_is(text_word(&line), "bc"));
    CHECK(bytes_is(text_word(&line), "d"));
    CHECK_EQ(text_word(&line).n, 0);
    CHECK_EQ(text_word(&line).n, 0);
    CHECK_EQ(text_word(&none).n, 0);
}

TEST(distances)
{
    CHECK_EQ(distance("", ""), 0);
    CHECK_EQ(distance("", "abc"), 3);
    CHECK_EQ(distance("upstream", "upstream"), 0);
    CHECK_EQ(distance("upstream", "upstrem"), 1);
    CHECK_EQ(distance("upstream", "upsstream"), 1);
    CHECK_EQ(distance("upstream", "upstraem"), 1); /* neighbours swapped */
    CHECK_EQ(distance("upstream", "Upstream"), 1);
    CHECK_EQ(distance("kitten", "sitting"), 3);
    CHECK_EQ(distance("ca", "abc"), 2); /* swapped, then parted: 3 in the restricted kind */
    CHECK_EQ(distance("abc", "xyz"), 3);
}

TEST(distance_of_long_texts_is_cut)
{
    char a[500], b[500];

    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    CHECK_EQ(text_distance(bytes_of(a, sizeof a), bytes_of(b, sizeof b)), 63);
    CHECK_EQ(text_distance(bytes_of(a, sizeof a), bytes_of(a, 63)), 0);
    CHECK_EQ(text_distance(bytes_of(a, sizeof a), bytes_of(NULL, 0)), 63);
}

TEST_MAIN(RUN(letters_and_digits), RUN(decimal), RUN(hexadecimal), RUN(duration), RUN(size),
          RUN(base64_vectors_of_the_rfc), RUN(base64_whole_alphabet),
          RUN(base64_takes_no_byte_but_its_alphabet), RUN(base64_refuses_what_is_not_exact),
          RUN(base64url_has_one_text_for_a_value), RUN(base64url_refuses_what_is_not_exact),
          RUN(base64_encoding_into_too_little_room_fails), RUN(words), RUN(distances),
          RUN(distance_of_long_texts_is_cut))
