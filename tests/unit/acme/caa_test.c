/* SPDX-License-Identifier: MIT
 *
 * Who may issue, by records as zones have them: the examples of RFC 8659 and RFC 8657, and what is none.
 */
#include "tests/unit/test.h"

#include "acme/caa.h"

static const char *const LETSENCRYPT[] = {"letsencrypt.org"};
static const char *const SECTIGO[] = {"sectigo.com", "trust-provider.com"};

struct zone {
    struct dns_caa_record records[DNS_CAA_RECORDS];
    unsigned n;
};

static struct zone zone(void)
{
    return (struct zone){.n = 0};
}

static struct zone with(struct zone z, uint8_t flags, const char *tag, const char *value)
{
    z.records[z.n++] = (struct dns_caa_record){flags, bytes_str(tag), bytes_str(value)};
    return z;
}

static struct zone issue(const char *value)
{
    return with(zone(), 0, "issue", value);
}

static enum caa_verdict for_letsencrypt(struct zone z)
{
    return caa_decide(z.records, z.n, LETSENCRYPT, 1).verdict;
}

static void says(struct zone z, const char *const *identities, unsigned n, bool good, const char *text)
{
    char line[CAA_LINE];
    struct writer w = writer_of(line, sizeof line - 1);

    CHECK_EQ(caa_describe(&w, "a.test", z.records, z.n, identities, n), good);
    CHECK(!w.failed);
    line[writer_len(&w)] = 0;
    CHECK_STR(line, text);
}

TEST(who_may)
{
    CHECK_EQ(for_letsencrypt(zone()), CAA_OPEN);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue("ca1.example.net")), CAA_OTHERS);
    CHECK_EQ(for_letsencrypt(with(issue("ca1.example.net"), 0, "issue", "letsencrypt.org")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(with(issue("letsencrypt.org"), 0, "issue", "ca1.example.net")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue(";")), CAA_NOBODY);
    CHECK_EQ(for_letsencrypt(issue("")), CAA_NOBODY);
    CHECK_EQ(for_letsencrypt(with(issue(";"), 0, "issue", "letsencrypt.org")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(with(issue(";"), 0, "issue", "ca1.example.net")), CAA_OTHERS);
    CHECK_EQ(for_letsencrypt(issue("sub.letsencrypt.org")), CAA_OTHERS);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org.test")), CAA_OTHERS);
    CHECK_EQ(for_letsencrypt(issue("LetsEncrypt.ORG")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue(" \tletsencrypt.org ")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(with(zone(), 0, "ISSUE", "letsencrypt.org")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(with(zone(), 0x80, "Issue", "ca1.example.net")), CAA_OTHERS);
}

/* Of these none restricts certificates for names without a wildcard (RFC 8659 §4.2, §4.3). */
TEST(nothing_is_said)
{
    CHECK_EQ(for_letsencrypt(with(zone(), 0, "iodef", "mailto:x@a.test")), CAA_OPEN);
    CHECK_EQ(for_letsencrypt(with(zone(), 0x80, "issuewild", ";")), CAA_OPEN);
    CHECK_EQ(for_letsencrypt(with(zone(), 0x80, "issuemail", ";")), CAA_OPEN);
    CHECK_EQ(for_letsencrypt(with(zone(), 0, "tbs", "Unknown")), CAA_OPEN);
    CHECK_EQ(for_letsencrypt(with(zone(), 0x01, "tbs", "Unknown")), CAA_OPEN); /* bit 0 is the highest */
}

TEST(critical)
{
    const struct caa_finding f =
        caa_decide(with(issue("letsencrypt.org"), 0x80, "tbs", "Unknown").records, 2, LETSENCRYPT, 1);

    CHECK_EQ(f.verdict, CAA_CRITICAL);
    CHECK(bytes_is(f.detail, "tbs"));
    CHECK_EQ(for_letsencrypt(with(issue("letsencrypt.org"), 0xff, "issues", "")), CAA_CRITICAL);
    CHECK_EQ(for_letsencrypt(with(issue("letsencrypt.org"), 0x80, "iodef", "")), CAA_ALLOWED);
}

TEST(parameters)
{
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org;")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org ; ")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org; policy=ev; x=")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org; validationmethods=http-01")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org;ValidationMethods = dns-01,HTTP-01")), CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org; validationmethods=dns-01,tls-alpn-01")), CAA_METHOD);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org; validationmethods=")), CAA_METHOD);
    CHECK_EQ(for_letsencrypt(issue("letsencrypt.org; validationmethods=http-011")), CAA_METHOD);
    CHECK_EQ(for_letsencrypt(issue("other.test; validationmethods=dns-01")), CAA_OTHERS);
    /* One that lets us is enough, in any order. */
    CHECK_EQ(for_letsencrypt(
                 with(issue("letsencrypt.org; validationmethods=dns-01"), 0, "issue", "letsencrypt.org")),
             CAA_ALLOWED);
    CHECK_EQ(for_letsencrypt(
                 with(issue("letsencrypt.org"), 0, "issue", "letsencrypt.org; validationmethods=dns-01")),
             CAA_ALLOWED);
    CHECK_EQ(
        for_letsencrypt(with(issue("other.test"), 0, "issue", "letsencrypt.org; validationmethods=dns-01")),
        CAA_METHOD);
    CHECK_EQ(
        for_letsencrypt(with(issue("letsencrypt.org; validationmethods=dns-01"), 0, "issue", "other.test")),
        CAA_METHOD);
}

TEST(accounts)
{
    const char *const bound = "letsencrypt.org; accounturi=https://ca.test/acct/1";
    struct zone z = issue(bound);
    struct caa_finding f = caa_decide(z.records, z.n, LETSENCRYPT, 1);

    CHECK_EQ(f.verdict, CAA_ALLOWED);
    CHECK(bytes_is(f.detail, "https://ca.test/acct/1"));
    z = with(z, 0, "issue", "letsencrypt.org");
    f = caa_decide(z.records, z.n, LETSENCRYPT, 1);
    CHECK_EQ(f.verdict, CAA_ALLOWED);
    CHECK_EQ(f.detail.n, 0);
    z = with(issue("letsencrypt.org"), 0, "issue", bound);
    CHECK_EQ(caa_decide(z.records, z.n, LETSENCRYPT, 1).detail.n, 0);
}

/* As if there were no issuer (RFC 8659 §4.2). */
TEST(values_that_are_none)
{
    static const char *const bad[] = {
        "letsencrypt.org; x",
        "letsencrypt.org; x=1;; y=2",
        "letsencrypt.org; =1",
        "letsencrypt.org; a_b=1",
        "letsencrypt.org; x=a b",
        "letsencrypt.org; x=\x7f",
        "letsencrypt.org x=1",
        "letsencrypt.org.",
        ".letsencrypt.org",
        "lets..encrypt.org",
        "-letsencrypt.org",
        "letsencrypt-.org",
        "letsencrypt.org, a.test",
        "letsencrypt.org; x=\xc3\xa9",
        "\"letsencrypt.org\"",
        "*",
        "letsencrypt.org; x=1;",
        "letsencrypt.org;;",
        "letsencrypt.org; validationmethods=http-01; validationmethods=http-01",
        "letsencrypt.org; accounturi=a; accounturi=a",
        "letsencrypt.org; accounturi=",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (for_letsencrypt(issue(bad[i])) != CAA_NOBODY)
            FAIL(bad[i]);
}

TEST(several_names_of_an_authority_and_none)
{
    struct zone z = issue("trust-provider.com");

    CHECK_EQ(caa_decide(z.records, z.n, SECTIGO, 2).verdict, CAA_ALLOWED);
    CHECK_EQ(caa_decide(z.records, z.n, NULL, 0).verdict, CAA_UNKNOWN);
    z = issue(";");
    CHECK_EQ(caa_decide(z.records, z.n, NULL, 0).verdict, CAA_NOBODY);
    z = issue("a.test; validationmethods=dns-01");
    CHECK_EQ(caa_decide(z.records, z.n, NULL, 0).verdict, CAA_METHOD);
    z = with(z, 0, "issue", "b.test");
    CHECK_EQ(caa_decide(z.records, z.n, NULL, 0).verdict, CAA_UNKNOWN);
    z = with(z, 0, "issue", "c.test; validationmethods=dns-01");
    CHECK_EQ(caa_decide(z.records, z.n, NULL, 0).verdict, CAA_UNKNOWN);
}

TEST(lines)
{
    says(zone(), LETSENCRYPT, 1, true, "CAA: none, any authority may issue");
    says(with(zone(), 0, "iodef", "x"), LETSENCRYPT, 1, true, "CAA: any authority may issue (at a.test)");
    says(issue("letsencrypt.org"), LETSENCRYPT, 1, true, "CAA: letsencrypt.org is allowed (at a.test)");
    says(issue("trust-provider.com"), SECTIGO, 2, true, "CAA: trust-provider.com is allowed (at a.test)");
    says(issue("letsencrypt.org; accounturi=https://ca.test/1"), LETSENCRYPT, 1, true,
         "CAA: letsencrypt.org is allowed (at a.test), for the account https://ca.test/1 alone");
    says(
        with(issue("x.test"), 0, "issue", "y.test"), LETSENCRYPT, 1, false,
        "CAA at a.test allows only x.test, y.test; add `a.test. CAA 0 issue \"letsencrypt.org\"` or take another "
        "authority");
    says(
        issue(";"), SECTIGO, 2, false,
        "CAA at a.test allows no authority; add `a.test. CAA 0 issue \"sectigo.com\"` or take another authority");
    says(issue("letsencrypt.org; validationmethods=dns-01"), LETSENCRYPT, 1, false,
         "CAA at a.test allows letsencrypt.org, but not http-01 (validationmethods=dns-01); add it there");
    says(
        with(zone(), 0x80, "t\x1b[b\xffs", ""), LETSENCRYPT, 1, false,
        "CAA at a.test has the critical property t?[b?s, and an authority that does not know it refuses; remove it, or "
        "make its flags 0");
    says(issue("x.test"), NULL, 0, true,
         "CAA at a.test allows only x.test; what this authority is called there, it does not say");
}

/* The longest that there can be, of each kind, has room. */
TEST(long_lines)
{
    char name[254], value[DNS_CAA_VALUE + 1];
    const char *identities[] = {"letsencrypt.org", name};

    for (size_t i = 0; i < sizeof name - 1; i++)
        name[i] = i % 64 == 63 ? '.' : 'a';
    name[sizeof name - 1] = 0;
    snprintf(value, sizeof value, "%s; validationmethods=%0700d", name, 1);
    for (enum caa_verdict kind = CAA_OPEN; kind <= CAA_CRITICAL; kind++) {
        char line[CAA_LINE];
        struct writer w = writer_of(line, sizeof line - 1);
        struct zone z = kind == CAA_OPEN ? with(zone(), 0, "iodef", value) : zone();

        if (kind == CAA_ALLOWED)
            z = issue(name);
        else if (kind == CAA_METHOD)
            z = issue(value);
        else if (kind == CAA_CRITICAL)
            z.records[z.n++] = (struct dns_caa_record){.flags = 0x80, .tag = bytes_of(value, 255)};
        while (kind == CAA_OTHERS && z.n < DNS_CAA_RECORDS)
            z = with(z, 0, "issue", name);
        if (kind == CAA_NOBODY)
            z = issue(";");
        else if (kind == CAA_UNKNOWN)
            z = with(issue(name), 0, "issue", name);
        /* An authority with the long name, but for the one that others stand before. */
        identities[0] = kind == CAA_OTHERS ? "letsencrypt.org" : name;
        CHECK_EQ(caa_decide(z.records, z.n, identities, kind == CAA_UNKNOWN ? 0 : 1).verdict, kind);
        caa_describe(&w, name, z.records, z.n, identities, kind == CAA_UNKNOWN ? 0 : 1);
        CHECK(!w.failed);
    }
}

TEST(what_authorities_are_called)
{
    CHECK_STR(caa_identity_of("letsencrypt"), "letsencrypt.org");
    CHECK_STR(caa_identity_of("letsencrypt-staging"), "letsencrypt.org");
    CHECK_STR(caa_identity_of("zerossl"), "sectigo.com");
    CHECK(caa_identity_of("https://ca.test/dir") == NULL);
}

TEST_MAIN(RUN(who_may), RUN(nothing_is_said), RUN(critical), RUN(parameters), RUN(accounts),
          RUN(values_that_are_none), RUN(several_names_of_an_authority_and_none), RUN(lines), RUN(long_lines),
          RUN(what_authorities_are_called))
