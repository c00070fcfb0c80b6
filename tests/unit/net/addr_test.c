/* SPDX-License-Identifier: MIT
 *
 * Addresses and networks, from text and back.
 */
#include "tests/unit/test.h"

#include "net/addr.h"

static struct addr ip(const char *text, uint16_t port)
{
    struct addr a;

    CHECK(addr_from_ip(&a, bytes_str(text), port));
    return a;
}

TEST(from_ip_and_back)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"127.0.0.1",             "127.0.0.1:80"        },
        {"0.0.0.0",               "0.0.0.0:80"          },
        {"255.255.255.255",       "255.255.255.255:80"  },
        {"::1",                   "[::1]:80"            },
        {"[::1]",                 "[::1]:80"            },
        {"::",                    "[::]:80"             },
        {"2001:DB8::1",           "[2001:db8::1]:80"    },
        {"2001:0db8:0:0:0:0:0:1", "[2001:db8::1]:80"    },
        {"::ffff:192.0.2.1",      "192.0.2.1:80"        },
        {"[::ffff:c000:201]",     "192.0.2.1:80"        },
        {"1:2:3:4:5:6:7:8",       "[1:2:3:4:5:6:7:8]:80"},
    };
    char text[ADDR_TEXT];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct addr a = ip(good[i].in, 80);

        CHECK_STR(addr_format(&a, text), good[i].out);
        CHECK_EQ(addr_port(&a), 80);
        addr_set_port(&a, 65535);
        CHECK_EQ(addr_port(&a), 65535);
    }
}

TEST(what_is_no_ip)
{
    static const char *const bad[] = {
        "",
        "[",
        "]",
        "[]",
        "127.0.0",
        "127.0.0.1.",
        "127.0.0.256",
        "0127.0.0.1",
        "127.0.0.1 ",
        " 127.0.0.1",
        "127.0.0.1:80",
        "[127.0.0.1]",
        "::1]",
        "[::1",
        "[[::1]]",
        ":::",
        "1::2::3",
        "12345::",
        "1:2:3:4:5:6:7",
        "fe80::1%lo",
        "example.com",
        "0x7f.1",
        "2130706433",
        "1:2:3:4:5:6:7:8:9",
        "::1/128",
        "g::1",
        "1111:2222:3333:4444:5555:6666:255.255.255.2555555555555555555555555555555555555",
    };
    struct addr a;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (addr_from_ip(&a, bytes_str(bad[i]), 0))
            FAIL(bad[i]);
    CHECK(!addr_from_ip(&a, bytes_of("127.0.0.1\0", 10), 0));
    CHECK(!addr_from_ip(&a, bytes_of("::1\0x", 5), 0));
    CHECK(!addr_from_ip(&a, bytes_of(NULL, 0), 0));
}

TEST(unix_sockets)
{
    char long_path[200], text[ADDR_TEXT];
    struct addr a, b, none = {.any.sa_family = AF_UNIX, .len = sizeof(sa_family_t)};

    CHECK(addr_from_unix(&a, bytes_str("/run/app.sock")));
    CHECK_STR(addr_format(&a, text), "unix:/run/app.sock");
    CHECK_STR(addr_format_ip(&a, text), "unix:/run/app.sock");
    CHECK_EQ(addr_port(&a), 0);
    addr_set_port(&a, 5);
    CHECK(addr_is_loopback(&a));
    CHECK(addr_from_unix(&b, bytes_str("/run/app.sock")));
    CHECK(addr_equal(&a, &b));
    CHECK(addr_from_unix(&b, bytes_str("/run/app.soc")));
    CHECK(!addr_equal(&a, &b));
    CHECK_STR(addr_format(&none, text), "unix:"); /* a client's end */

    memset(long_path, 'x', sizeof long_path);
    CHECK(addr_from_unix(&a, bytes_of(long_path, sizeof a.un.sun_path - 1)));
    CHECK_EQ(strlen(addr_format(&a, text)), 5 + sizeof a.un.sun_path - 1);
    CHECK(!addr_from_unix(&a, bytes_of(long_path, sizeof a.un.sun_path)));
    CHECK(!addr_from_unix(&a, bytes_of("", 0)));
    CHECK(!addr_from_unix(&a, bytes_of("/a\0b", 4)));
}

TEST(mapped_becomes_v4)
{
    struct addr a = {0}, b = ip("192.0.2.9", 443);

    a.v6.sin6_family = AF_INET6;
    a.v6.sin6_port = htons(443);
    memcpy(&a.v6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x09", 16);
    a.len = sizeof a.v6;
    addr_normalise(&a);
    CHECK_EQ(a.any.sa_family, AF_INET);
    CHECK_EQ(a.len, sizeof a.v4);
    CHECK(addr_equal(&a, &b));
    addr_normalise(&a);
    CHECK(addr_equal(&a, &b));
}

TEST(equal)
{
    struct addr a = ip("192.0.2.1", 1), b = ip("192.0.2.1", 2), c = ip("192.0.2.2", 1), d = ip("::1", 1);
    struct addr e = ip("fe80::1", 1), f = e;

    CHECK(addr_equal(&a, &a));
    CHECK(!addr_equal(&a, &b));
    CHECK(!addr_equal(&a, &c));
    CHECK(!addr_equal(&a, &d));
    f.v6.sin6_scope_id = 2;
    CHECK(!addr_equal(&e, &f));
}

TEST(loopback)
{
    struct addr a = ip("127.255.0.1", 0), b = ip("::1", 0), c = ip("128.0.0.1", 0), d = ip("::2", 0);
    struct addr e = ip("126.255.255.255", 0);

    CHECK(addr_is_loopback(&a) && addr_is_loopback(&b));
    CHECK(!addr_is_loopback(&c) && !addr_is_loopback(&d) && !addr_is_loopback(&e));
}

TEST(client_keys)
{
    struct addr a = ip("192.0.2.1", 1), b = ip("192.0.2.2", 1), v6a = ip("2001:db8::1", 1);
    struct addr v6b = ip("2001:db8::ffff:0:0:1", 9), v6c = ip("2001:db8:0:1::1", 1), un;
    uint8_t ka[16], kb[16];

    addr_client_key(&a, ka);
    CHECK_MEM(ka, 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
    addr_client_key(&b, kb);
    CHECK(memcmp(ka, kb, 16) != 0); /* each IPv4 address is a client */
    addr_client_key(&v6a, ka);
    addr_client_key(&v6b, kb);
    CHECK_MEM(ka, 16, kb, 16); /* one /64 is */
    addr_client_key(&v6c, kb);
    CHECK(memcmp(ka, kb, 16) != 0);
    CHECK(addr_from_unix(&un, bytes_str("/x")));
    addr_client_key(&un, kb);
    CHECK(memcmp(ka, kb, 16) != 0);
}

static bool in(const char *net, const char *address)
{
    struct addr a = ip(address, 7);
    struct cidr c;

    return CHECK(cidr_parse(&c, bytes_str(net))) && cidr_contains(&c, &a);
}

TEST(networks)
{
    struct cidr c;
    struct addr un;

    CHECK(in("192.0.2.0/24", "192.0.2.0") && in("192.0.2.0/24", "192.0.2.255"));
    CHECK(!in("192.0.2.0/24", "192.0.3.0") && !in("192.0.2.0/24", "192.0.1.255"));
    CHECK(in("192.0.2.77/24", "192.0.2.1"));
    CHECK(in("10.0.0.0/9", "10.127.255.255") && !in("10.0.0.0/9", "10.128.0.0"));
    CHECK(in("0.0.0.0/0", "203.0.113.1") && !in("0.0.0.0/0", "2001:db8::1"));
    CHECK(in("127.0.0.1", "127.0.0.1") && !in("127.0.0.1", "127.0.0.2"));
    CHECK(in("127.0.0.1/32", "127.0.0.1") && !in("127.0.0.1/32", "127.0.0.0"));
    CHECK(in("2001:db8::/32", "2001:db8:ffff::1") && !in("2001:db8::/32", "2001:db9::"));
    CHECK(in("::1", "::1") && !in("::1", "::2") && in("::1/128", "::1"));
    CHECK(in("::/0", "2001:db8::1"));
    CHECK(!in("::/0", "192.0.2.1")); /* IPv6 alone */
    CHECK(in("::ffff:192.0.2.0/120", "192.0.2.3"));
    CHECK(cidr_parse(&c, bytes_str("::/0")) && addr_from_unix(&un, bytes_str("/x")) &&
          !cidr_contains(&c, &un));
}

TEST(what_is_no_network)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "::/129",
                                      "10/8",
                                      "10.0.0.0/8/8",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/ 8",
                                      "[::1]/128",
                                      "10.0.0.0/8x",
                                      "example.com/8",
                                      "10.0.0.0/99999999999999999999"};
    struct cidr c;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (cidr_parse(&c, bytes_str(bad[i])))
            FAIL(bad[i]);
    CHECK(!cidr_parse(&c, bytes_of(NULL, 0)));
}

TEST_MAIN(RUN(from_ip_and_back), RUN(what_is_no_ip), RUN(unix_sockets), RUN(mapped_becomes_v4), RUN(equal),
          RUN(loopback), RUN(client_keys), RUN(networks), RUN(what_is_no_network))
