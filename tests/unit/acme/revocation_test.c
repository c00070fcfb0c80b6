/* SPDX-License-Identifier: MIT
 *
 * What revokes a certificate, and for which reasons.
 */
#include "tests/unit/test.h"

#include "acme/revocation.h"

TEST(reasons)
{
    CHECK_EQ(revocation_reason(bytes_str("")), REVOCATION_NO_REASON);
    CHECK_EQ(revocation_reason(bytes_str("unspecified")), 0);
    CHECK_EQ(revocation_reason(bytes_str("keyCompromise")), 1);
    CHECK_EQ(revocation_reason(bytes_str("KEYCOMPROMISE")), 1);
    CHECK_EQ(revocation_reason(bytes_str("cessationOfOperation")), 5);
    /* The authority's own (RFC 5280 §5.3.1), a number, and none. */
    CHECK_EQ(revocation_reason(bytes_str("cACompromise")), REVOCATION_UNKNOWN);
    CHECK_EQ(revocation_reason(bytes_str("1")), REVOCATION_UNKNOWN);
    CHECK_EQ(revocation_reason(bytes_str("keyCompromise ")), REVOCATION_UNKNOWN);
}

static void check_payload(int reason, const char *expected)
{
    char text[64];
    struct writer w = writer_of(text, sizeof text);

    CHECK(revocation_put(&w, bytes_of("\x30\x82\xff", 3), reason));
    CHECK(bytes_is(bytes_of(text, writer_len(&w)), expected));
}

TEST(payloads)
{
    char small[20];
    struct writer w = writer_of(small, sizeof small);

    check_payload(1, "{\"certificate\":\"MIL_\",\"reason\":1}");
    check_payload(REVOCATION_NO_REASON, "{\"certificate\":\"MIL_\"}");
    CHECK(!revocation_put(&w, bytes_of("\x30\x82\xff", 3), 1));
}

TEST_MAIN(RUN(reasons), RUN(payloads))
