/* SPDX-License-Identifier: MIT
 *
 * URLs that an authority's answer may hold: their parts, and what is refused.
 */
#include "tests/unit/test.h"

#include "acme/url.h"

TEST(parts)
{
    static const struct {
        const char *text, *host, *authority, *path;
        uint16_t port;
        bool is_https;
    } cases[] = {
        {"https://acme.example/directory",  "acme.example",     "acme.example",         "/directory",     443,   true },
        {"HTTPS://Acme.EXAMPLE/A?b=C",      "acme.example",     "acme.example",         "/A?b=C",         443,   true },
        {"https://acme.example",            "acme.example",     "acme.example",         "/",              443,   true },
        {"https://acme.example:443/",       "acme.example",     "acme.example",         "/",              443,   true },
        {"https://acme.example:80/",        "acme.example",     "acme.example:80",      "/",              80,    true },
        {"https://acme.example:65535",      "acme.example",     "acme.example:65535",   "/",              65535, true },
        {"http://acme.example/",            "acme.example",     "acme.example",         "/",              80,    false},
        {"http://acme.example:443/",        "acme.example",     "acme.example:443",     "/",              443,   false},
        {"https://192.0.2.1:14000/dir",     "192.0.2.1",        "192.0.2.1:14000",      "/dir",           14000, true },
        {"https://[2001:DB8::1]/",          "2001:db8::1",      "[2001:db8::1]",        "/",              443,   true },
        {"https://[::ffff:192.0.2.1]:8/",   "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:8", "/",              8,     true },
        {"https://a_b-c.d1/",               "a_b-c.d1",         "a_b-c.d1",             "/",              443,   true },
        {"https://4.in-addr.arpa/",         "4.in-addr.arpa",   "4.in-addr.arpa",       "/",              443,   true },
        {"https://localhost//../%2e?/@:[]", "localhost",        "localhost",            "//../%2e?/@:[]", 443,   true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url u;

        CHECK_STR(url_parse(&u, bytes_str(cases[i].text)), NULL);
        CHECK_STR(u.host, cases[i].host);
        CHECK_STR(u.authority, cases[i].authority);
        CHECK_MEM(u.path.p, u.path.n, cases[i].path, strlen(cases[i].path));
        CHECK_EQ(u.port, cases[i].port);
        CHECK_EQ(u.is_https, cases[i].is_https);
    }
}

TEST(what_is_refused)
{
    static const char *const texts[] = {
        "",
        "/",
        "https",
        "https:/a/",
        "https//a/",
        "ftp://a/",
        "https://",
        "https:///a",
        "https://:443/",
        "https://a:/",
        "https://a:0/",
        "https://a:65536/",
        "https://a:99999999999999999999/",
        "https://a:-1/",
        "https://a:+1/",
        "https://a:44 3/",
        "https://a:443:443/",
        "https://a:0x1/",
        "https://user@a/",
        "https://user:word@a/",
        "https://@a/",
        "https://a/#fragment",
        "https://a#fragment",
        "https://a?query",
        "https://a /",
        " https://a/",
        "https://a/ ",
        "https://a/\t",
        "https://a/\r\nHost: b",
        "https://a/\x7f",
        "https://a/\xc3\xa4",
        "https://\xc3\xa4/",
        "https://a\\b/",
        "https://a/\\b",
        "https://a/\"",
        "https://.a/",
        "https://-a/",
        "https://a..b/",
        "https://a,b/",
        "https://a%2eb/",
        "https://[::1/",
        "https://[/",
        "https://[]/",
        "https://::1/",
        "https://[::1]a/",
        "https://[[::1]]/",
        "https://[127.0.0.1]/",
        "https://[a]/",
        "https://[fe80::1%25eth0]/",
        "https://[:]/",
        "https://127.1/",
        "https://256.0.0.1/",
        "https://1.2.3.4.5/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://a.0x/",
        "https://99999999999999999999999999/",
        "https://0x7f.1/",
        "https://1.2.3.0x4/",
        "https://a.1/",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct url u;

        if (!CHECK(url_parse(&u, bytes_str(texts[i])) != NULL))
            printf("    %s\n", texts[i]);
    }
}

TEST(a_zero_byte_ends_nothing)
{
    static const char text[] = "https://a\0.b/";
    struct url u;

    CHECK(url_parse(&u, bytes_of(text, sizeof text - 1)) != NULL);
}

TEST(lengths)
{
    char text[URL_MAX + 2];
    struct url u;

    /* Of all. */
    memset(text, 'x', sizeof text);
    memcpy(text, "https://a/", 10);
    CHECK_STR(url_parse(&u, bytes_of(text, URL_MAX)), NULL);
    CHECK_EQ(u.path.n, URL_MAX - 9);
    CHECK(url_parse(&u, bytes_of(text, URL_MAX + 1)) != NULL);
    /* Of the host. */
    memset(text, 'x', sizeof text);
    memcpy(text, "https://", 8);
    memcpy(text + 8 + 255, ":65535/", 7);
    CHECK_STR(url_parse(&u, bytes_of(text, 8 + 255 + 7)), NULL);
    CHECK_EQ(strlen(u.host), 255);
    CHECK_EQ(strlen(u.authority), 255 + 6);
    memcpy(text + 8 + 255, "x:65535/", 8);
    CHECK(url_parse(&u, bytes_of(text, 8 + 256 + 7)) != NULL);
}

TEST_MAIN(RUN(parts), RUN(what_is_refused), RUN(a_zero_byte_ends_nothing), RUN(lengths))
