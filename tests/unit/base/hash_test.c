/* SPDX-License-Identifier: MIT
 *
 * SipHash-2-4 against its authors' vectors: the key is 00 to 0f, the input 00, 01, 02 and so on.
 */
#include "tests/unit/test.h"

#include "base/hash.h"

#include <stdlib.h>

static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* For the lengths 0 to 15; the last is the one in the paper's appendix A. */
static const uint64_t vectors[] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
};

TEST(published_vectors)
{
    for (size_t n = 0; n < sizeof vectors / sizeof vectors[0]; n++) {
        uint8_t *in = malloc(n > 0 ? n : 1); /* just as long: a byte read beyond is seen */

        if (in == NULL)
            return;
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)i;
        CHECK(hash_keyed(key, in, n) == vectors[n]);
        free(in);
    }
    CHECK(hash_keyed(key, NULL, 0) == vectors[0]);
}

TEST(lengths_beyond_a_word_and_a_byte)
{
    uint8_t in[300];

    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    CHECK(hash_keyed(key, in, 63) == 0x958a324ceb064572); /* the last of the authors' vectors */
    CHECK(hash_keyed(key, in, 256) != hash_keyed(key, in, 0));
}

TEST(every_bit_matters)
{
    static const uint64_t other_low[2] = {0x0706050403020101, 0x0f0e0d0c0b0a0908};
    static const uint64_t other_high[2] = {0x0706050403020100, 0x8f0e0d0c0b0a0908};
    uint8_t in[21] = {0};
    uint64_t plain = hash_keyed(key, in, sizeof in);

    for (unsigned bit = 0; bit < 8 * sizeof in; bit++) {
        in[bit / 8] = (uint8_t)(1u << bit % 8);
        CHECK(hash_keyed(key, in, sizeof in) != plain);
        in[bit / 8] = 0;
    }
    CHECK(hash_keyed(key, in, sizeof in - 1) != plain); /* zeros at the end count */
    CHECK(hash_keyed(other_low, in, sizeof in) != plain);
    CHECK(hash_keyed(other_high, in, sizeof in) != plain);
}

TEST_MAIN(RUN(published_vectors), RUN(lengths_beyond_a_word_and_a_byte), RUN(every_bit_matters))
