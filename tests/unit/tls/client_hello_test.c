/* SPDX-License-Identifier: MIT
 *
 * The ClientHello's parser: what it takes apart, what it must refuse, and that it never depends on how the bytes came.
 */
#include "tests/unit/test.h"
#include "tests/unit/tls/rig.h"

#include <stdlib.h>

enum { DECODE_ERROR = 50, ILLEGAL_PARAMETER = 47, UNEXPECTED_MESSAGE = 10, HANDSHAKE_FAILURE = 40 };

/* The message of a hello with these extensions (whole, type and length included). */
static size_t message_with(uint8_t *out, size_t cap, const char *extensions, size_t n)
{
    static const uint8_t suites[] = {0x1a, 0x1a, 0x13, 0x01, 0xc0, 0x2b};
    uint8_t random[32] = {1, 2, 3};
    struct writer w = writer_of(out, cap);

    writer_u8(&w, 1);
    size_t message = writer_open(&w, 3);
    writer_u16(&w, 0x0303);
    writer_put(&w, random, 32);
    writer_u8(&w, 2);
    writer_u16(&w, 0xabcd);
    writer_u16(&w, sizeof suites);
    writer_put(&w, suites, sizeof suites);
    writer_u8(&w, 1);
    writer_u8(&w, 0);
    writer_u16(&w, (uint16_t)n);
    writer_put(&w, extensions, n);
    writer_close(&w, message, 3);
    return writer_len(&w);
}

static uint8_t parse_with(struct client_hello *h, const char *extensions, size_t n)
{
    static uint8_t message[2048];
    size_t len = message_with(message, sizeof message, extensions, n);
    uint8_t alert;
    /* Memory of exactly this size, so that reading past it is seen. */
    uint8_t *mine = malloc(len);

    memcpy(mine, message, len);
    alert = client_hello_parse(h, (struct bytes){mine, len});
    free(mine);
    return client_hello_parse(h, (struct bytes){message, len}) == alert ? alert : 255;
}
#define PARSE(h, s) parse_with((h), (s), sizeof(s) - 1)

TEST(a_hello_without_extensions)
{
    uint8_t bytes[256];
    struct client_hello h;
    size_t n = rig_hello(bytes, sizeof bytes, 0x0303, NULL);

    CHECK_EQ(client_hello_parse(&h, bytes_of(bytes + 5, n - 5)), 0);
    CHECK_EQ(h.legacy_version, 0x0303);
    CHECK_EQ(h.random.n, 32);
    CHECK_EQ(h.session_id.n, 0);
    CHECK_EQ(h.cipher_suites.n, 8);
    CHECK(client_hello_lists(h.cipher_suites, 0xc02f));
    CHECK(!client_hello_lists(h.cipher_suites, 0x2fc0));
    CHECK(!client_hello_lists(h.cipher_suites, 0x2bc0)); /* across two values */
    CHECK(!h.has_extensions);
    CHECK_EQ(h.server_name.n, 0);
}

TEST(every_extension_we_know)
{
    struct client_hello h;
    static const char extensions[] =
        "\x0a\x0a\x00\x00" /* GREASE */
        "\x00\x00\x00\x0b\x00\x09\x00\x00\x06"
        "a.Test"                                                           /* server_name */
        "\x00\x17\x00\x00"                                                 /* extended_master_secret */
        "\xff\x01\x00\x01\x00"                                             /* renegotiation_info */
        "\x00\x0a\x00\x06\x00\x04\x1a\x1a\x00\x1d"                         /* supported_groups */
        "\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1"                       /* ALPN */
        "\x00\x0d\x00\x04\x00\x02\x04\x03"                                 /* signature_algorithms */
        "\x00\x32\x00\x04\x00\x02\x08\x04"                                 /* signature_algorithms_cert */
        "\x00\x2b\x00\x05\x04\x0a\x0a\x03\x04"                             /* supported_versions */
        "\x00\x33\x00\x0c\x00\x0a\x1a\x1a\x00\x01\x00\x00\x1d\x00\x01\x55" /* key_share */
        "\x00\x2d\x00\x02\x01\x01"                                         /* psk_key_exchange_modes */
        "\x00\x1c\x00\x02\x40\x00"                                         /* record_size_limit */
        "\x00\x2c\x00\x05\x00\x03"
        "abc"              /* cookie */
        "\x00\x2a\x00\x00" /* early_data */
        "\x12\x34\x00\x03"
        "xyz" /* none that we know */
        "\x00\x29\x00\x2c\x00\x07\x00\x01"
        "i\x00\x00\x00\x00"
        "\x00\x21\x20"
        "0123456789abcdef0123456789abcdef"; /* pre_shared_key */

    if (!CHECK_EQ(PARSE(&h, extensions), 0))
        return;
    CHECK(h.has_extensions && h.extended_master_secret && h.has_renegotiation_info && h.early_data);
    CHECK(bytes_is(h.server_name, "a.Test"));
    CHECK(bytes_is(h.alpn, "\x02h2\x08http/1.1"));
    CHECK(client_hello_lists(h.supported_groups, 0x1d));
    CHECK(client_hello_lists(h.signature_algorithms, 0x0403));
    CHECK(client_hello_lists(h.signature_algorithms_cert, 0x0804));
    CHECK(client_hello_lists(h.supported_versions, 0x0304));
    CHECK(!client_hello_lists(h.supported_versions, 0x0303));
    CHECK_EQ(h.key_share.n, 10);
    CHECK_EQ(h.psk_modes.n, 1);
    CHECK_EQ(h.record_size_limit, 0x4000);
    CHECK(bytes_is(h.cookie, "abc"));
    CHECK(h.has_psk && h.psk_is_last);
    CHECK_EQ(h.pre_shared_key.n, 44);
    CHECK_EQ(h.session_id.n, 2);
    /* The binders begin behind the identities. */
    CHECK_EQ(h.pre_shared_key.p + 9 - (h.random.p - 6), h.binders_offset);
}

TEST(what_an_extension_must_not_be)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint8_t alert;
    } cases[] = {
#define E(s, a) {(s), sizeof(s) - 1, (a)}
        E("\x00\x17\x00\x00\x00\x17\x00\x00", ILLEGAL_PARAMETER),  /* twice */
        E("\x0a\x0a\x00\x00\x0a\x0a\x00\x01x", ILLEGAL_PARAMETER), /* twice, whatever it is */
        E("\x00\x17\x00", DECODE_ERROR),
        E("\x00\x17\x00\x01", DECODE_ERROR),
        E("\x00\x17\x00\x01x", DECODE_ERROR),
        E("\x00\x00\x00\x00", DECODE_ERROR),
        E("\x00\x00\x00\x02\x00\x00", DECODE_ERROR),
        E("\x00\x00\x00\x05\x00\x03\x00\x00\x00", DECODE_ERROR), /* an empty name */
        E("\x00\x00\x00\x06\x00\x04\x00\x00\x02"
          "a",
          DECODE_ERROR), /* longer than there is */
        E("\x00\x00\x00\x07\x00\x04\x00\x00\x01"
          "ax",
          DECODE_ERROR), /* something behind */
        E("\x00\x00\x00\x0a\x00\x08\x00\x00\x01"
          "a\x00\x00\x01"
          "b",
          ILLEGAL_PARAMETER), /* two names */
        E("\x00\x00\x00\x07\x00\x05\x00\x00\x02"
          "a\x00",
          ILLEGAL_PARAMETER),
        E("\x00\x00\x00\x07\x00\x05\x00\x00\x02"
          "a\n",
          ILLEGAL_PARAMETER),
        E("\x00\x00\x00\x07\x00\x05\x00\x00\x02"
          "\xc3\xa4",
          ILLEGAL_PARAMETER),
        E("\x00\x10\x00\x02\x00\x00", DECODE_ERROR),
        E("\x00\x10\x00\x03\x00\x01\x00", DECODE_ERROR),
        E("\x00\x10\x00\x05\x00\x03\x03h2", DECODE_ERROR),
        E("\x00\x0a\x00\x02\x00\x00", DECODE_ERROR),
        E("\x00\x0a\x00\x03\x00\x01\x00", DECODE_ERROR), /* odd */
        E("\x00\x0a\x00\x05\x00\x02\x00\x1d\x00", DECODE_ERROR),
        E("\x00\x0d\x00\x02\x00\x00", DECODE_ERROR),
        E("\x00\x2b\x00\x01\x00", DECODE_ERROR),
        E("\x00\x2b\x00\x02\x01\x03", DECODE_ERROR),
        E("\x00\x33\x00\x06\x00\x04\x00\x1d\x00\x00", DECODE_ERROR),
        E("\x00\x33\x00\x05\x00\x03\x00\x1d\x00", DECODE_ERROR),
        E("\x00\x2d\x00\x01\x00", DECODE_ERROR),
        E("\x00\x1c\x00\x02\x00\x3f", ILLEGAL_PARAMETER),
        E("\x00\x1c\x00\x01\x40", DECODE_ERROR),
        E("\x00\x2c\x00\x02\x00\x00", DECODE_ERROR),
        E("\x00\x2a\x00\x01x", DECODE_ERROR),
        E("\xff\x01\x00\x02\x01x", HANDSHAKE_FAILURE),
        E("\xff\x01\x00\x00", DECODE_ERROR),
        E("\x00\x29\x00\x02\x00\x00", DECODE_ERROR),
        E("\x00\x29\x00\x04\x00\x00\x00\x00", DECODE_ERROR),
        E("\x00\x29\x00\x05\x00\x01x\x00\x00", DECODE_ERROR),
        E("\x00\x29\x00\x2b\x00\x06\x00\x00"
          "\x00\x00\x00\x00\x00\x21\x20"
          "0123456789abcdef0123456789abcdef",
          DECODE_ERROR), /* an empty identity */
        E("\x00\x29\x00\x2b\x00\x06\x00\x01x"
          "\x00\x00\x00\x00\x21\x20"
          "0123456789abcdef0123456789abcdef",
          DECODE_ERROR), /* an age cut short */
        E("\x00\x29\x00\x2b\x00\x07\x00\x01x"
          "\x00\x00\x00\x00\x00\x20\x1f"
          "0123456789abcdef0123456789abcde",
          DECODE_ERROR), /* a short binder */
        E("\x00\x29\x00\x33\x00\x0e\x00\x01x"
          "\x00\x00\x00\x00\x00\x01x\x00\x00\x00\x00\x00\x21\x20"
          "0123456789abcdef0123456789abcdef",
          ILLEGAL_PARAMETER), /* one binder for two */
        /* Not the last. */
        E("\x00\x29\x00\x2c\x00\x07\x00\x01x"
          "\x00\x00\x00\x00\x00\x21\x20"
          "0123456789abcdef0123456789abcdef\x00\x17\x00\x00",
          ILLEGAL_PARAMETER),
#undef E
    };
    struct client_hello h;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t alert = parse_with(&h, cases[i].bytes, cases[i].n);
        if (!CHECK_EQ(alert, cases[i].alert))
            printf("    in case %zu\n", i);
    }
    /* Those are fine. */
    CHECK_EQ(PARSE(&h, "\x00\x33\x00\x02\x00\x00"), 0);              /* no share: asks for a retry */
    CHECK_EQ(PARSE(&h, "\x00\x00\x00\x06\x00\x04\x07\x00\x01x"), 0); /* a name of another type */
    CHECK_EQ(h.server_name.n, 0);
}

TEST(every_truncation_is_refused)
{
    uint8_t bytes[512], cut[512];
    struct client_hello h;
    size_t n = message_with(bytes, sizeof bytes, "\x00\x17\x00\x00\x00\x0a\x00\x04\x00\x02\x00\x1d", 12);

    CHECK_EQ(client_hello_parse(&h, bytes_of(bytes, n)), 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t *mine = malloc(i ? i : 1);
        memcpy(mine, bytes, i);
        CHECK(client_hello_parse(&h, bytes_of(mine, i)) != 0);
        /* The same with a length that says so. */
        if (i >= 4) {
            mine[1] = 0;
            mine[2] = (uint8_t)((i - 4) >> 8);
            mine[3] = (uint8_t)(i - 4);
            uint8_t alert = client_hello_parse(&h, bytes_of(mine, i));
            /* Up to the compression methods it is whole: extensions are optional. */
            CHECK(alert == DECODE_ERROR || (alert == 0 && !h.has_extensions));
        }
        free(mine);
    }
    memcpy(cut, bytes, n);
    cut[n] = 0;
    CHECK_EQ(client_hello_parse(&h, bytes_of(cut, n + 1)), DECODE_ERROR);
    cut[0] = 2;
    CHECK_EQ(client_hello_parse(&h, bytes_of(cut, n)), UNEXPECTED_MESSAGE);
}

/* --- collecting --- */

TEST(collect_says_more_until_it_is_whole)
{
    uint8_t bytes[512], scratch[CLIENT_HELLO_MAX + 4];
    size_t n = rig_hello(bytes, sizeof bytes, 0x0303, rig_ordinary);
    struct bytes message = {0};

    for (size_t i = 0; i < n; i++)
        CHECK_EQ(client_hello_collect(bytes_of(bytes, i), &message, scratch), 0);
    CHECK(message.p == NULL);
    CHECK_EQ(client_hello_collect(bytes_of(bytes, n), &message, scratch), n);
    CHECK(message.p == bytes + 5);
    CHECK_EQ(message.n, n - 5);
    bytes[n] = 22; /* what comes behind is not looked at */
    CHECK_EQ(client_hello_collect(bytes_of(bytes, n + 1), &message, scratch), n);
}

TEST(collect_puts_records_together)
{
    uint8_t bytes[512], many[4096], scratch[CLIENT_HELLO_MAX + 4];
    size_t n = rig_hello(bytes, sizeof bytes, 0x0303, rig_ordinary);

    for (size_t part = 1; part < n; part++) {
        size_t at = 0;
        struct bytes message = {0};
        for (size_t i = 5; i < n; i += part) {
            size_t k = n - i < part ? n - i : part;
            memcpy(many + at, "\x16\x03\x03\x00", 4);
            many[at + 4] = (uint8_t)k;
            memcpy(many + at + 5, bytes + i, k);
            at += 5 + k;
        }
        for (size_t i = 0; i < at; i += 1 + part)
            CHECK_EQ(client_hello_collect(bytes_of(many, i), &message, scratch), 0);
        CHECK_EQ(client_hello_collect(bytes_of(many, at), &message, scratch), at);
        CHECK_MEM(message.p, message.n, bytes + 5, n - 5);
    }
}

TEST(collect_takes_the_largest_and_no_larger)
{
    static uint8_t bytes[2 * 16384], scratch[CLIENT_HELLO_MAX + 4];
    struct bytes message = {0};

    /* 16384 bytes and the header, in two records. */
    memcpy(bytes, "\x16\x03\x01\x40\x00\x01\x00\x40\x00", 9);
    memcpy(bytes + 5 + 16384, "\x16\x03\x01\x00\x04", 5);
    CHECK_EQ(client_hello_collect(bytes_of(bytes, 16384 + 14), &message, scratch), 16384 + 14);
    CHECK_EQ(message.n, 16384 + 4);
    bytes[8] = 1;
    CHECK_EQ(client_hello_collect(bytes_of(bytes, 9), &message, scratch), CLIENT_HELLO_TOO_LARGE);
}

TEST(collect_tells_what_is_no_hello)
{
    static const struct {
        const char *bytes;
        size_t n;
        long result;
    } cases[] = {
        {"G",                                                    1,  0                       },
        {"GET",                                                  3,  0                       },
        {"GET ",                                                 4,  CLIENT_HELLO_PLAIN_HTTP },
        {"GETX",                                                 4,  CLIENT_HELLO_BAD_RECORD },
        {"get ",                                                 4,  CLIENT_HELLO_BAD_RECORD },
        {"P",                                                    1,  0                       },
        {"PRI ",                                                 4,  CLIENT_HELLO_PLAIN_HTTP },
        {"PR",                                                   2,  0                       },
        {"PX",                                                   2,  CLIENT_HELLO_BAD_RECORD },
        {"\x80",                                                 1,  0                       },
        {"\x80\x2e",                                             2,  0                       },
        {"\x80\x2e\x01",                                         3,  CLIENT_HELLO_BAD_VERSION},
        {"\x80\x2e\x02",                                         3,  CLIENT_HELLO_BAD_RECORD },
        {"\x15",                                                 1,  CLIENT_HELLO_UNEXPECTED },
        {"\x16",                                                 1,  0                       },
        {"\x16\x02",                                             2,  CLIENT_HELLO_BAD_VERSION},
        {"\x16\x03\x09",                                         3,  0                       },
        {"\x16\x03\x01\x00\x00",                                 5,  CLIENT_HELLO_BAD_RECORD },
        {"\x16\x03\x01\x40\x01",                                 5,  CLIENT_HELLO_OVERFLOW   },
        {"\x16\x03\x01\x00\x05\x02",                             6,  CLIENT_HELLO_UNEXPECTED },
        {"\x16\x03\x01\x00\x05\x01\x00\x00\x00",                 9,  CLIENT_HELLO_UNEXPECTED }, /* more in the record */
        {"\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00\x17", 13, CLIENT_HELLO_UNEXPECTED },
        {"\x16\x03\x01\x00\x01\x01\x16\x02",                     8,  CLIENT_HELLO_BAD_VERSION},
        {"",                                                     0,  0                       },
    };
    uint8_t scratch[CLIENT_HELLO_MAX + 4];
    struct bytes message;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!CHECK_EQ(client_hello_collect(bytes_of(cases[i].bytes, cases[i].n), &message, scratch),
                      cases[i].result))
            printf("    in case %zu\n", i);
}

TEST_MAIN(RUN(a_hello_without_extensions), RUN(every_extension_we_know), RUN(what_an_extension_must_not_be),
          RUN(every_truncation_is_refused), RUN(collect_says_more_until_it_is_whole),
          RUN(collect_puts_records_together), RUN(collect_takes_the_largest_and_no_larger),
          RUN(collect_tells_what_is_no_hello))
