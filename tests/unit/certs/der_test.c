/* SPDX-License-Identifier: MIT
 *
 * DER: what it allows and, more, what it does not.
 */
#include "tests/unit/test.h"

#include "base/time.h"
#include "certs/der.h"

#define READER(...) reader_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

TEST(lengths_are_the_shortest)
{
    struct reader r = READER(0x04, 0x02, 'a', 'b');
    struct bytes b = der_take(&r, DER_OCTET_STRING);
    CHECK_MEM(b.p, b.n, "ab", 2);
    CHECK(reader_done(&r));

    /* The same in a longer form, indefinite, and a length that leads out of the bytes. */
    r = READER(0x04, 0x81, 0x02, 'a', 'b');
    CHECK_EQ(der_take(&r, DER_OCTET_STRING).n, 0);
    CHECK(r.failed);
    r = READER(0x04, 0x82, 0x00, 0x02, 'a', 'b');
    der_take(&r, DER_OCTET_STRING);
    CHECK(r.failed);
    r = READER(0x30, 0x80, 0x00, 0x00);
    der_take(&r, DER_SEQUENCE);
    CHECK(r.failed);
    r = READER(0x04, 0x03, 'a', 'b');
    der_take(&r, DER_OCTET_STRING);
    CHECK(r.failed);
    r = READER(0x04, 0x84, 0x00, 0x00, 0x00, 0x01, 'a');
    der_take(&r, DER_OCTET_STRING);
    CHECK(r.failed);
    r = READER(0x04);
    der_take(&r, DER_OCTET_STRING);
    CHECK(r.failed);
}

TEST(tags_are_one_byte_and_the_expected)
{
    struct reader r = READER(0x1f, 0x81, 0x01, 0x00);
    uint8_t tag;

    der_any(&r, &tag);
    CHECK(r.failed);
    CHECK_EQ(tag, 0);
    r = READER(0x02, 0x01, 0x00);
    der_take(&r, DER_OCTET_STRING);
    CHECK(r.failed);
    r = reader_of(NULL, 0);
    CHECK_EQ(der_peek(&r), 0);
    der_any(&r, &tag);
    CHECK(r.failed);
}

TEST(an_error_sticks_to_what_is_inside)
{
    struct reader r = READER(0x04, 0x00), inner = der_enter(&r, DER_SEQUENCE);

    CHECK(r.failed);
    CHECK(inner.failed);
    CHECK(!reader_done(&inner));
}

TEST(numbers_are_positive_and_short)
{
    struct reader r = READER(0x02, 0x02, 0x00, 0x80);
    struct bytes n = der_unsigned(&r);
    CHECK_MEM(n.p, n.n, "\x80", 1);

    r = READER(0x02, 0x01, 0x00);
    n = der_unsigned(&r);
    CHECK_MEM(n.p, n.n, "\0", 1);
    r = READER(0x02, 0x01, 0x80); /* -128 */
    der_unsigned(&r);
    CHECK(r.failed);
    r = READER(0x02, 0x02, 0x00, 0x7f); /* a zero too many */
    der_unsigned(&r);
    CHECK(r.failed);
    r = READER(0x02, 0x00);
    der_unsigned(&r);
    CHECK(r.failed);
}

TEST(booleans_and_bit_strings)
{
    struct reader r = READER(0x01, 0x01, 0xff, 0x04, 0x00);
    CHECK(der_boolean(&r));
    CHECK(!der_boolean(&r)); /* another value is next: the default */
    CHECK(!r.failed);
    r = READER(0x01, 0x01, 0x01);
    CHECK(!der_boolean(&r));
    CHECK(r.failed);

    r = READER(0x03, 0x02, 0x00, 0xaa);
    struct bytes b = der_bits(&r);
    CHECK_MEM(b.p, b.n, "\xaa", 1);
    r = READER(0x03, 0x02, 0x01, 0xaa); /* seven bits */
    der_bits(&r);
    CHECK(r.failed);
    r = READER(0x03, 0x00);
    der_bits(&r);
    CHECK(r.failed);
}

static int64_t parse_time(uint8_t tag, const char *text, bool *failed)
{
    uint8_t buffer[64];
    struct writer w = writer_of(buffer, sizeof buffer);

    der_put(&w, tag, bytes_str(text));
    struct reader r = reader_of(buffer, writer_len(&w));
    int64_t t = der_time(&r);
    *failed = r.failed;
    return t;
}

static const struct {
    uint8_t tag;
    const char *text;
    int64_t time;
} good_times[] = {
    {DER_UTC_TIME,         "700101000000Z",   0           },
    {DER_UTC_TIME,         "491231235959Z",   2524607999  },
    {DER_UTC_TIME,         "500101000000Z",   -631152000  }, /* 1950 */
    {DER_UTC_TIME,         "991231235959Z",   946684799   },
    {DER_UTC_TIME,         "000229120000Z",   951825600   },
    {DER_GENERALIZED_TIME, "20500101000000Z", 2524608000  },
    {DER_GENERALIZED_TIME, "99991231235959Z", 253402300799},
    {DER_GENERALIZED_TIME, "19700101000000Z", 0           },
};

TEST(times)
{
    bool failed;

    for (size_t i = 0; i < sizeof good_times / sizeof good_times[0]; i++) {
        if (!CHECK_EQ(parse_time(good_times[i].tag, good_times[i].text, &failed), good_times[i].time) ||
            !CHECK(!failed))
            printf("    %s\n", good_times[i].text);
    }
}

TEST(times_that_are_none)
{
    static const char *const utc[] = {
        "",
        "7001010000Z",
        "700101000000",
        "700101000000+0000",
        "701301000000Z",
        "700001000000Z",
        "700100000000Z",
        "700132000000Z",
        "700431000000Z",
        "700101240000Z",
        "700101006000Z",
        "700101000060Z",
        "010229000000Z",
        "70010100000 Z",
        "-10101000000Z",
        "700101000000z",
        "7001010000000",
        "19700101000000Z",
    };
    static const char *const generalized[] = {
        "20500101000000",      "20500101000000.5Z", "205001010000Z",
        "20500101000000+0100", "21000229000000Z",   "700101000000Z",
    };
    bool failed;

    for (size_t i = 0; i < sizeof utc / sizeof utc[0]; i++) {
        parse_time(DER_UTC_TIME, utc[i], &failed);
        if (!CHECK(failed))
            printf("    %s\n", utc[i]);
    }
    for (size_t i = 0; i < sizeof generalized / sizeof generalized[0]; i++) {
        parse_time(DER_GENERALIZED_TIME, generalized[i], &failed);
        if (!CHECK(failed))
            printf("    %s\n", generalized[i]);
    }
    parse_time(DER_OCTET_STRING, "700101000000Z", &failed);
    CHECK(failed);
}

TEST(what_is_written_reads_back)
{
    static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    static uint8_t content[65536], buffer[65600];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct writer w = writer_of(buffer, sizeof buffer);
        size_t outer = der_open(&w, DER_SEQUENCE);
        der_put(&w, DER_OCTET_STRING, bytes_of(content, sizes[i]));
        der_close(&w, outer);
        CHECK(!w.failed);

        struct reader r = reader_of(buffer, writer_len(&w)), in = der_enter(&r, DER_SEQUENCE);
        CHECK_EQ(der_take(&in, DER_OCTET_STRING).n, sizes[i]);
        CHECK(reader_done(&in));
        CHECK(reader_done(&r));

        /* One byte of room less is none at all. */
        w = writer_of(buffer, writer_len(&w) - 1);
        outer = der_open(&w, DER_SEQUENCE);
        der_put(&w, DER_OCTET_STRING, bytes_of(content, sizes[i]));
        der_close(&w, outer);
        CHECK(w.failed);
    }
}

TEST(times_and_numbers_written)
{
    uint8_t buffer[64];
    struct writer w = writer_of(buffer, sizeof buffer);

    der_put_time(&w, 2524607999);
    CHECK_MEM(buffer, writer_len(&w),
              "\x17\x0d"
              "491231235959Z",
              15);
    w = writer_of(buffer, sizeof buffer);
    der_put_time(&w, 2524608000);
    CHECK_MEM(buffer, writer_len(&w),
              "\x18\x0f"
              "20500101000000Z",
              17);
    w = writer_of(buffer, sizeof buffer);
    der_put_unsigned(&w, bytes_of("\x00\x00\x80", 3));
    der_put_unsigned(&w, bytes_of("\x00\x00", 2));
    CHECK_MEM(buffer, writer_len(&w), "\x02\x02\x00\x80\x02\x01\x00", 7);
}

TEST_MAIN(RUN(lengths_are_the_shortest), RUN(tags_are_one_byte_and_the_expected),
          RUN(an_error_sticks_to_what_is_inside), RUN(numbers_are_positive_and_short),
          RUN(booleans_and_bit_strings), RUN(times), RUN(times_that_are_none),
          RUN(what_is_written_reads_back), RUN(times_and_numbers_written))
