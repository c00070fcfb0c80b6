/* SPDX-License-Identifier: MIT
 *
 * The reader and the writer at their edges: every read and write that would pass the end fails, sticks, and touches
 * nothing (AddressSanitizer sees the heap blocks they are given).
 */
#include "tests/unit/test.h"

#include "base/bytes.h"

#include <stdlib.h>

/* A copy of n bytes in a heap block of just that size. */
static uint8_t *heap_copy(const void *p, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    if (copy != NULL && n > 0)
        memcpy(copy, p, n);
    return copy;
}

TEST(comparisons)
{
    struct bytes none = {NULL, 0};

    CHECK(bytes_equal(none, bytes_str("")));
    CHECK(bytes_is(none, ""));
    CHECK(!bytes_is(none, "a"));
    CHECK(bytes_is(bytes_str("host"), "host"));
    CHECK(!bytes_is(bytes_str("host"), "hos"));
    CHECK(!bytes_is(bytes_str("host"), "hosts"));
    CHECK(!bytes_is(bytes_str("Host"), "host"));
    CHECK(bytes_is_nocase(bytes_str("HoSt"), "hOsT"));
    CHECK(!bytes_is_nocase(bytes_str("host"), "hos"));
    /* Only letters fold: @ and `, [ and { are 32 apart as well. */
    CHECK(!bytes_is_nocase(bytes_str("@["), "`{"));
    CHECK(!bytes_is_nocase(bytes_str("\xc4"), "\xe4"));
    /* A NUL is a byte like another. */
    CHECK(!bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0c", 3)));
    CHECK(!bytes_is(bytes_of("a\0", 2), "a"));
}

TEST(copies_of_every_length)
{
    uint8_t text[80];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i + 1);
    for (size_t n = 0; n <= sizeof text; n++) {
        uint8_t *from = heap_copy(text, n), *to = malloc(n > 0 ? n : 1);

        CHECK(bytes_copy(to, bytes_of(n > 0 ? from : NULL, n)) == to + n);
        CHECK_MEM(to, n, text, n);
        free(from);
        free(to);
    }
}

TEST(secret_comparison)
{
    uint8_t a[32] = {0}, b[32] = {0};

    CHECK(bytes_equal_secret(a, b, sizeof a));
    CHECK(bytes_equal_secret(a, b, 0));
    for (unsigned bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] = (uint8_t)(1u << bit % 8);
        CHECK(!bytes_equal_secret(a, b, sizeof a));
        b[bit / 8] = 0;
    }
    /* A byte in every place of every length, and behind it. */
    for (size_t n = 0; n <= sizeof a; n++) {
        for (size_t at = 0; at < sizeof a; at++) {
            b[at] = 0x80;
            CHECK_EQ(bytes_equal_secret(a, b, n), at >= n);
            b[at] = 0;
        }
    }
}

TEST(reader_reads_network_order)
{
    static const uint8_t in[] = {0xff, 0x12, 0x34, 0x80, 0x00, 0x01, 0xff, 0xfe, 0xfd, 0xfc, 'x', 'y', 'z'};
    struct reader r = reader_of(in, sizeof in);

    CHECK_EQ(reader_left(&r), sizeof in);
    CHECK_EQ(reader_u8(&r), 0xff);
    CHECK_EQ(reader_u16(&r), 0x1234);
    CHECK_EQ(reader_u24(&r), 0x800001);
    CHECK_EQ(reader_u32(&r), 0xfffefdfc);
    reader_skip(&r, 1);
    CHECK(bytes_is(reader_take(&r, 2), "yz"));
    CHECK(reader_done(&r));
    CHECK_EQ(reader_take(&r, 0).n, 0);
    CHECK(reader_done(&r));
}

TEST(reader_never_passes_its_end)
{
    for (size_t n = 0; n < 5; n++) {
        uint8_t *in = heap_copy("\x01\x01\x01\x01\x01", n);
        struct reader r;

        r = reader_of(in, n);
        CHECK_EQ(reader_u32(&r), n >= 4 ? 0x01010101 : 0);
        CHECK_EQ(r.failed, n < 4);
        r = reader_of(in, n);
        CHECK_EQ(reader_u24(&r), n >= 3 ? 0x010101 : 0);
        CHECK_EQ(r.failed, n < 3);
        r = reader_of(in, n);
        CHECK_EQ(reader_u16(&r), n >= 2 ? 0x0101 : 0);
        CHECK_EQ(r.failed, n < 2);
        r = reader_of(in, n);
        CHECK_EQ(reader_u8(&r), n >= 1 ? 1 : 0);
        CHECK_EQ(r.failed, n < 1);
        r = reader_of(in, n);
        CHECK_EQ(reader_take(&r, n + 1).n, 0);
        CHECK(r.failed);
        r = reader_of(in, n);
        reader_skip(&r, SIZE_MAX);
        CHECK(r.failed);
        free(in);
    }
}

TEST(reader_error_sticks)
{
    struct reader r = reader_of("\x01\x02\x03", 3);

    CHECK_EQ(reader_u32(&r), 0);
    CHECK(r.failed);
    CHECK_EQ(reader_left(&r), 0);
    CHECK_EQ(reader_u8(&r), 0);
    CHECK_EQ(reader_take(&r, 1).n, 0);
    CHECK_EQ(reader_vec8(&r).failed, true);
    CHECK(!reader_done(&r));
}

TEST(reader_of_nothing)
{
    struct reader r = reader_of(NULL, 0);

    CHECK(reader_done(&r));
    CHECK_EQ(reader_left(&r), 0);
    reader_skip(&r, 0);
    CHECK_EQ(reader_take(&r, 0).n, 0);
    CHECK(reader_done(&r));
    CHECK_EQ(reader_u8(&r), 0);
    CHECK(r.failed);
}

TEST(reader_vectors)
{
    static const uint8_t in[] = {2, 'a', 'b', 0, 1, 'c', 0, 0, 0, 0, 3, 'd', 'e'};
    struct reader r = reader_of(in, sizeof in), v;

    v = reader_vec8(&r);
    CHECK(bytes_is(reader_take(&v, 2), "ab"));
    CHECK(reader_done(&v));
    v = reader_vec16(&r);
    CHECK_EQ(reader_u8(&v), 'c');
    /* What is beyond the vector is not the vector's, though the input goes on. */
    CHECK_EQ(reader_u8(&v), 0);
    CHECK(v.failed);
    CHECK(!r.failed);
    v = reader_vec24(&r);
    CHECK(reader_done(&v));
    v = reader_vec16(&r); /* says 3, has 2 */
    CHECK(v.failed);
    CHECK(r.failed);
}

TEST(writer_writes_network_order)
{
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);

    writer_u8(&w, 0xff);
    writer_u16(&w, 0x1234);
    writer_u24(&w, 0x800001);
    writer_u32(&w, 0xfffefdfc);
    writer_put(&w, "p", 1);
    writer_bytes(&w, bytes_str("q"));
    writer_bytes(&w, (struct bytes){NULL, 0});
    writer_str(&w, "r");
    CHECK(!w.failed);
    CHECK_MEM(out, writer_len(&w), "\xff\x12\x34\x80\x00\x01\xff\xfe\xfd\xfcpqr", 13);
    CHECK_EQ(writer_room(&w), sizeof out - 13);
}

TEST(writer_numbers_as_text)
{
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);

    writer_dec(&w, 0);
    writer_u8(&w, ' ');
    writer_dec(&w, 9);
    writer_u8(&w, ' ');
    writer_dec(&w, 10);
    writer_u8(&w, ' ');
    writer_dec(&w, UINT64_MAX);
    writer_u8(&w, ' ');
    writer_hex(&w, "\x00\x9a\xff", 3);
    writer_hex(&w, NULL, 0);
    writer_printf(&w, " %s-%d", "n", -7);
    CHECK(bytes_is(bytes_of(out, writer_len(&w)), "0 9 10 18446744073709551615 009aff n--7"));
    CHECK(!w.failed);
}

TEST(writer_never_passes_its_end)
{
    for (size_t n = 0; n < 8; n++) {
        uint8_t *out = malloc(n > 0 ? n : 1);
        struct writer w;

        w = writer_of(out, n);
        writer_u32(&w, 1);
        CHECK_EQ(w.failed, n < 4);
        w = writer_of(out, n);
        writer_u24(&w, 1);
        CHECK_EQ(w.failed, n < 3);
        w = writer_of(out, n);
        writer_u16(&w, 1);
        CHECK_EQ(w.failed, n < 2);
        w = writer_of(out, n);
        writer_u8(&w, 1);
        CHECK_EQ(w.failed, n < 1);
        w = writer_of(out, n);
        writer_str(&w, "12345");
        CHECK_EQ(w.failed, n < 5);
        CHECK_EQ(writer_len(&w), n < 5 ? 0 : 5);
        w = writer_of(out, n);
        writer_dec(&w, 12345);
        CHECK_EQ(w.failed, n < 5);
        w = writer_of(out, n);
        writer_hex(&w, "ab", 2);
        CHECK_EQ(w.failed, n < 4);
        w = writer_of(out, n);
        writer_printf(&w, "%d", 12345);
        CHECK_EQ(w.failed, n < 6); /* its NUL needs a place */
        CHECK_EQ(writer_len(&w), n < 6 ? 0 : 5);
        free(out);
    }
}

TEST(writer_error_sticks)
{
    uint8_t out[4];
    struct writer w = writer_of(out, sizeof out);

    writer_str(&w, "ab");
    writer_str(&w, "cde");
    CHECK(w.failed);
    CHECK_EQ(writer_room(&w), 0);
    /* It would fit, but what follows a hole must not be written. */
    writer_u8(&w, 'x');
    writer_dec(&w, 1);
    writer_hex(&w, "x", 1);
    writer_printf(&w, "x");
    CHECK_MEM(out, writer_len(&w), "ab", 2);
}

TEST(writer_refuses_what_its_width_cannot_say)
{
    uint8_t out[16];
    struct writer w = writer_of(out, sizeof out);

    writer_u24(&w, 0x1000000);
    CHECK(w.failed);
    CHECK_EQ(writer_len(&w), 0);
}

TEST(writer_vectors)
{
    uint8_t out[16];
    struct writer w = writer_of(out, sizeof out);
    size_t outer = writer_open(&w, 3), inner = writer_open(&w, 2), empty;

    writer_str(&w, "ab");
    writer_close(&w, inner, 2);
    empty = writer_open(&w, 1);
    writer_close(&w, empty, 1);
    writer_close(&w, outer, 3);
    CHECK(!w.failed);
    CHECK_MEM(out, writer_len(&w), "\0\0\5\0\2ab\0", 8);
}

TEST(writer_vector_too_long_for_its_length)
{
    uint8_t out[300] = {0};
    static const uint8_t content[256];
    struct writer w = writer_of(out, sizeof out);
    size_t mark = writer_open(&w, 1);

    writer_put(&w, content, 255);
    writer_close(&w, mark, 1);
    CHECK(!w.failed);
    CHECK_EQ(out[0], 255);
    w = writer_of(out, sizeof out);
    mark = writer_open(&w, 1);
    writer_put(&w, content, 256);
    writer_close(&w, mark, 1);
    CHECK(w.failed);
}

TEST(writer_vector_after_failure)
{
    uint8_t out[2];
    struct writer w = writer_of(out, sizeof out);
    size_t mark = writer_open(&w, 3);

    CHECK(w.failed);
    writer_close(&w, mark, 3);
    CHECK_EQ(writer_len(&w), 0);
}

TEST(writer_of_nothing)
{
    struct writer w = writer_of(NULL, 0);

    writer_put(&w, NULL, 0);
    writer_str(&w, "");
    CHECK(!w.failed);
    CHECK_EQ(writer_len(&w), 0);
    writer_u8(&w, 1);
    CHECK(w.failed);
}

TEST_MAIN(RUN(comparisons), RUN(copies_of_every_length), RUN(secret_comparison),
          RUN(reader_reads_network_order), RUN(reader_never_passes_its_end), RUN(reader_error_sticks),
          RUN(reader_of_nothing), RUN(reader_vectors), RUN(writer_writes_network_order),
          RUN(writer_numbers_as_text), RUN(writer_never_passes_its_end), RUN(writer_error_sticks),
          RUN(writer_refuses_what_its_width_cannot_say), RUN(writer_vectors),
          RUN(writer_vector_too_long_for_its_length), RUN(writer_vector_after_failure),
          RUN(writer_of_nothing))
