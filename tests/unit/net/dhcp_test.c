/* SPDX-License-Identifier: MIT
 *
 * DHCP's messages: what is sent, byte by byte; what is read, and what is refused; a lease on a command line.
 */
#include "net/dhcp.h"
#include "tests/unit/test.h"

static const struct dhcp_client US = {
    .mac = {2, 0, 0, 0, 0, 1},
      .xid = 0x01020304
};

enum { OPTIONS = 240 }; /* where they begin */

/* A server's answer for 192.0.2.10, with options of string literals. */
struct answer {
    uint8_t bytes[1024];
    size_t n;
};

static struct answer answer_of(const char *options, size_t n)
{
    static const uint8_t HEAD[] = {2, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 10};
    static const uint8_t MAGIC[] = {0x63, 0x82, 0x53, 0x63};
    struct answer a = {.n = OPTIONS + n};

    memcpy(a.bytes, HEAD, sizeof HEAD);
    memcpy(a.bytes + 28, US.mac, 6);
    memcpy(a.bytes + 236, MAGIC, sizeof MAGIC);
    memcpy(a.bytes + OPTIONS, options, n);
    return a;
}
#define ANSWER(options) answer_of(options, sizeof(options) - 1)

#define OFFER  "\65\1\2"
#define ACK    "\65\1\5"
#define NAK    "\65\1\6"
#define SERVER "\66\4\xc0\0\2\1"
#define MASK   "\1\4\xff\xff\xff\0"
#define TIME   "\63\4\0\0\16\20" /* 3600 */
#define END    "\xff"

static bool parse(const struct answer *a, enum dhcp_type *type, struct dhcp_lease *l)
{
    return dhcp_parse(bytes_of(a->bytes, a->n), &US, type, l);
}

static bool is_taken(struct answer a)
{
    enum dhcp_type type;
    struct dhcp_lease l;
    return parse(&a, &type, &l);
}

TEST(an_answer_is_read)
{
    struct answer a = ANSWER("\0" ACK SERVER TIME MASK "\3\10\xc0\0\2\1\xc0\0\2\2"
                             "\6\20\10\10\10\10\11\11\11\11\1\1\1\1\4\4\4\4"
                             "\14\4name" END "junk");
    enum dhcp_type type;
    struct dhcp_lease l;

    if (!CHECK(parse(&a, &type, &l)))
        return;
    CHECK_EQ(type, DHCP_ACK);
    CHECK_EQ(l.address, 0xc000020a);
    CHECK_EQ(l.server, 0xc0000201);
    CHECK_EQ(l.prefix, 24);
    CHECK_EQ(l.router, 0xc0000201);
    CHECK_EQ(l.dns_count, DHCP_DNS);
    CHECK_EQ(l.dns[0], 0x08080808);
    CHECK_EQ(l.dns[2], 0x01010101);
    CHECK_EQ(l.seconds, 3600);
    CHECK_EQ(l.renew, 1800);
    CHECK_EQ(l.rebind, 3150);
}

TEST(times_are_in_order)
{
    struct answer said = ANSWER(ACK SERVER TIME MASK "\72\4\0\0\0\12\73\4\0\0\0\24" END);
    struct answer senseless = ANSWER(ACK SERVER TIME MASK "\72\4\0\0\16\16\73\4\0\0\16\21" END);
    struct answer early = ANSWER(ACK SERVER TIME MASK "\73\4\0\0\0\24" END);
    struct answer forever = ANSWER(ACK SERVER MASK "\63\4\xff\xff\xff\xff" END);
    enum dhcp_type type;
    struct dhcp_lease l;

    CHECK(parse(&said, &type, &l) && l.renew == 10 && l.rebind == 20);
    CHECK(parse(&senseless, &type, &l) && l.renew == 1800 && l.rebind == 3150);
    CHECK(parse(&early, &type, &l) && l.renew == 20 && l.rebind == 20);
    CHECK(parse(&forever, &type, &l) && l.seconds == DHCP_FOREVER && l.renew <= l.rebind);
}

TEST(a_refusal_needs_no_more_than_its_server)
{
    struct answer a = ANSWER(NAK SERVER END);
    enum dhcp_type type;
    struct dhcp_lease l;

    CHECK(parse(&a, &type, &l) && type == DHCP_NAK);
    CHECK(!is_taken(ANSWER(NAK END)));
}

TEST(what_is_missing_or_senseless_is_refused)
{
    CHECK(is_taken(ANSWER(OFFER SERVER MASK END)));
    CHECK(!is_taken(ANSWER(SERVER MASK TIME END)));                      /* no type */
    CHECK(!is_taken(ANSWER("\65\1\1" SERVER MASK TIME END)));            /* a client's */
    CHECK(!is_taken(ANSWER(ACK MASK TIME END)));                         /* no server */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME END)));                       /* no mask */
    CHECK(!is_taken(ANSWER(ACK SERVER MASK END)));                       /* no time */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME "\1\4\xff\0\xff\0" END)));    /* a mask with a hole */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME "\1\4\0\0\0\0" END)));        /* of all the world */
    CHECK(is_taken(ANSWER(ACK SERVER TIME "\1\4\xff\xff\xff\xff" END))); /* of one address */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME MASK "\3\4\xe0\0\0\1" END))); /* a router for many */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME MASK "\3\0" END)));           /* of no router */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME MASK "\6\5\1\1\1\1\1" END))); /* an address and a bit */
    CHECK(!is_taken(ANSWER(ACK "\66\3\xc0\0\2" TIME MASK END)));         /* a short number */
    CHECK(!is_taken(ANSWER("\65\2\5\0" SERVER TIME MASK END)));          /* a long one */
    CHECK(!is_taken(ANSWER(ACK "\66\4\177\0\0\1" TIME MASK END)));       /* a server in here */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME MASK)));                      /* no end */
    CHECK(!is_taken(ANSWER(ACK SERVER TIME MASK "\14\4na")));            /* cut short */
}

TEST(what_is_not_for_us_is_refused)
{
    /* Where, and a byte that is wrong there: a request, no Ethernet, a longer address, another's number, another's card,
     * BOOTP without DHCP, and addresses that no interface has. */
    static const struct {
        size_t at;
        uint8_t byte;
    } WRONG[] = {
        {0,   1  },
        {1,   6  },
        {2,   7  },
        {7,   5  },
        {33,  2  },
        {239, 0  },
        {16,  0  },
        {16,  127},
        {16,  224},
        {16,  255}
    };

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct answer a = ANSWER(ACK SERVER TIME MASK END);
        CHECK(is_taken(a));
        a.bytes[WRONG[i].at] = WRONG[i].byte;
        CHECK(!is_taken(a));
    }
}

TEST(every_cut_is_refused)
{
    struct answer a = ANSWER(ACK SERVER TIME MASK END);

    while (a.n-- > 0)
        CHECK(!is_taken(a));
}

/* --- what is sent --- */

static size_t put(uint8_t *out, enum dhcp_type type, const struct dhcp_lease *l, bool holds)
{
    struct writer w = writer_of(out, DHCP_MESSAGE);

    memset(out, 0xee, DHCP_MESSAGE);
    dhcp_put(&w, &US, type, l, holds);
    CHECK(!w.failed);
    return writer_len(&w);
}

/* Behind the options stand zeros, up to the length that relays want. */
static void check_options(const uint8_t *out, size_t n, const char *want, size_t len)
{
    static const uint8_t WANTED[] = {55, 6, 1, 3, 6, 51, 58, 59, 255};

    CHECK_EQ(n, 300);
    CHECK_MEM(out + OPTIONS, len, want, len);
    CHECK_MEM(out + OPTIONS + len, sizeof WANTED, WANTED, sizeof WANTED);
    for (size_t i = OPTIONS + len + sizeof WANTED; i < n; i++)
        CHECK_EQ(out[i], 0);
}

TEST(a_question_for_whoever_is_there)
{
    static const uint8_t HEAD[] = {1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0, 0, 0, 0, 0};
    uint8_t out[DHCP_MESSAGE];
    size_t n = put(out, DHCP_DISCOVER, NULL, false);

    CHECK_MEM(out, sizeof HEAD, HEAD, sizeof HEAD);
    CHECK_MEM(out + 28, 6, US.mac, 6);
    check_options(out, n, "\65\1\1", 3);
    for (size_t i = 34; i < 236; i++)
        CHECK_EQ(out[i], 0);
}

TEST(a_request_names_what_was_offered)
{
    const struct dhcp_lease l = {.address = 0xc000020a, .server = 0xc0000201};
    uint8_t out[DHCP_MESSAGE];
    size_t n = put(out, DHCP_REQUEST, &l, false);

    CHECK_MEM(out + 12, 4, "\0\0\0\0", 4);
    check_options(out, n, "\65\1\3\62\4\xc0\0\2\12\66\4\xc0\0\2\1", 15);
}

TEST(more_time_is_asked_for_by_who_holds_the_address)
{
    const struct dhcp_lease l = {.address = 0xc000020a, .server = 0xc0000201};
    uint8_t out[DHCP_MESSAGE];
    size_t n = put(out, DHCP_REQUEST, &l, true);

    CHECK_MEM(out + 10, 6, "\0\0\xc0\0\2\12", 6);
    check_options(out, n, "\65\1\3", 3);
}

/* --- on a command line --- */

TEST(a_lease_from_text)
{
    struct dhcp_lease l;

    CHECK(dhcp_lease_from_text(bytes_str("192.0.2.10/24,192.0.2.1,9.9.9.9,1.1.1.1"), &l));
    CHECK_EQ(l.address, 0xc000020a);
    CHECK_EQ(l.prefix, 24);
    CHECK_EQ(l.router, 0xc0000201);
    CHECK_EQ(l.dns_count, 2);
    CHECK_EQ(l.dns[1], 0x01010101);
    CHECK_EQ(l.seconds, DHCP_FOREVER);
    CHECK(dhcp_lease_from_text(bytes_str("192.0.2.10/32"), &l) && l.router == 0 && l.dns_count == 0);
    static const char *const WRONG[] = {
        "",
        "192.0.2.10",
        "192.0.2.10/0",
        "192.0.2.10/33",
        "192.0.2.10/24/1",
        "192.0.2.10/24,,9.9.9.9",
        "192.0.2.10/24,192.0.2.1,x",
        "192.0.2.10/24,192.0.2.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
        "127.0.0.1/8",
        "224.0.0.1/4",
        "2001:db8::1/64",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        if (!CHECK(!dhcp_lease_from_text(bytes_str(WRONG[i]), &l)))
            printf("    of \"%s\"\n", WRONG[i]);
}

TEST_MAIN(RUN(an_answer_is_read), RUN(times_are_in_order), RUN(a_refusal_needs_no_more_than_its_server),
          RUN(what_is_missing_or_senseless_is_refused), RUN(what_is_not_for_us_is_refused),
          RUN(every_cut_is_refused), RUN(a_question_for_whoever_is_there),
          RUN(a_request_names_what_was_offered), RUN(more_time_is_asked_for_by_who_holds_the_address),
          RUN(a_lease_from_text))
