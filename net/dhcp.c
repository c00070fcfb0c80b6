/* SPDX-License-Identifier: MIT
 *
 * The format is BOOTP's (RFC 951) with options behind a magic number. The invariant of what dhcp_parse gives: the address is
 * one that an interface can have, the prefix is not 0, and the times are in order.
 */
#include "net/dhcp.h"

#include "base/text.h"
#include "net/addr.h"

enum { BOOTREQUEST = 1, BOOTREPLY = 2, ETHERNET = 1, BROADCAST = 0x8000, MAGIC = 0x63825363 };
enum { CHADDR = 16, SNAME_AND_FILE = 64 + 128 };
enum { SHORTEST = 300 }; /* BOOTP's message: relays may drop a shorter one (RFC 1542 §2.1) */
enum {
    PAD = 0,
    MASK = 1,
    ROUTER = 3,
    DNS = 6,
    REQUESTED = 50,
    TIME = 51,
    TYPE = 53,
    SERVER = 54,
    PARAMETERS = 55,
    RENEW = 58,
    REBIND = 59,
    END = 255,
};

/* --- writing --- */

static void put_zeros(struct writer *w, size_t n)
{
    while (n-- > 0)
        writer_u8(w, 0);
}

static void put_address(struct writer *w, uint8_t option, uint32_t address)
{
    writer_u8(w, option);
    writer_u8(w, 4);
    writer_u32(w, address);
}

void dhcp_put(struct writer *w, const struct dhcp_client *c, enum dhcp_type type,
              const struct dhcp_lease *lease, bool holds)
{
    static const uint8_t WANTED[] = {PARAMETERS, 6, MASK, ROUTER, DNS, TIME, RENEW, REBIND};
    const size_t before = writer_len(w);

    writer_u8(w, BOOTREQUEST);
    writer_u8(w, ETHERNET);
    writer_u8(w, sizeof c->mac);
    writer_u8(w, 0);
    writer_u32(w, c->xid);
    writer_u16(w, 0);
    /* Before we have the address, nobody can send to it. */
    writer_u16(w, holds ? 0 : BROADCAST);
    writer_u32(w, holds ? lease->address : 0);
    put_zeros(w, 12); /* yiaddr, siaddr, giaddr */
    writer_put(w, c->mac, sizeof c->mac);
    put_zeros(w, CHADDR - sizeof c->mac + SNAME_AND_FILE);
    writer_u32(w, MAGIC);
    writer_u8(w, TYPE);
    writer_u8(w, 1);
    writer_u8(w, (uint8_t)type);
    if (type == DHCP_REQUEST && !holds) {
        put_address(w, REQUESTED, lease->address);
        put_address(w, SERVER, lease->server);
    }
    writer_put(w, WANTED, sizeof WANTED);
    writer_u8(w, END);
    put_zeros(w, SHORTEST - (writer_len(w) - before));
}

/* --- reading --- */

/* A netmask's prefix; 0 when its bits are not in one run from the left, or are none. */
static uint8_t prefix_of(uint32_t mask)
{
    uint8_t n = 0;

    while (n < 32 && mask & 0x80000000u >> n)
        n++;
    return n == 32 || mask << n == 0 ? n : 0;
}

/* Neither of this network nor loopback, multicast or reserved (RFC 1122 §3.2.1.3). */
static bool is_host(uint32_t address)
{
    return address >> 24 != 0 && address >> 24 != 127 && address < 0xe0000000u;
}

struct options {
    uint32_t type, mask;
    bool failed;
};

/* An option that is one number and nothing else. */
static uint32_t number(struct bytes value, size_t width, struct options *o)
{
    struct reader r = reader_of(value.p, value.n);
    uint32_t n = width == 1 ? reader_u8(&r) : reader_u32(&r);

    o->failed = o->failed || !reader_done(&r);
    return n;
}

/* One address or more: how many fit `out`. */
static unsigned addresses(struct bytes value, uint32_t *out, unsigned max, struct options *o)
{
    struct reader r = reader_of(value.p, value.n);
    unsigned n = 0;

    o->failed = o->failed || value.n == 0 || value.n % 4 != 0;
    while (n < max && reader_left(&r) >= 4)
        out[n++] = reader_u32(&r);
    return n;
}

static void read_option(uint8_t code, struct bytes value, struct options *o, struct dhcp_lease *out)
{
    switch (code) {
    case TYPE: o->type = number(value, 1, o); break;
    case MASK: o->mask = number(value, 4, o); break;
    case SERVER: out->server = number(value, 4, o); break;
    case TIME: out->seconds = number(value, 4, o); break;
    case RENEW: out->renew = number(value, 4, o); break;
    case REBIND: out->rebind = number(value, 4, o); break;
    case ROUTER: (void)addresses(value, &out->router, 1, o); break;
    case DNS: out->dns_count = addresses(value, out->dns, DHCP_DNS, o); break;
    default: break;
    }
}

static bool read_options(struct reader *r, struct options *o, struct dhcp_lease *out)
{
    uint8_t code;

    while ((code = reader_u8(r)) != END && !r->failed) {
        if (code == PAD)
            continue;
        size_t len = reader_u8(r);
        struct bytes value = reader_take(r, len);
        if (!r->failed)
            read_option(code, value, o, out);
    }
    return !r->failed && !o->failed;
}

/* What the server leaves out, or says without sense, is RFC 2131 §4.4.5's. */
static void set_times(struct dhcp_lease *l)
{
    if (l->rebind == 0 || l->rebind > l->seconds)
        l->rebind = l->seconds - l->seconds / 8;
    if (l->renew == 0 || l->renew > l->rebind)
        l->renew = l->rebind < l->seconds / 2 ? l->rebind : l->seconds / 2;
}

bool dhcp_parse(struct bytes message, const struct dhcp_client *c, enum dhcp_type *type,
                struct dhcp_lease *out)
{
    struct reader r = reader_of(message.p, message.n);
    struct options o = {0};
    bool ours;

    memset(out, 0, sizeof *out);
    ours = reader_u8(&r) == BOOTREPLY;
    ours = reader_u8(&r) == ETHERNET && ours;
    ours = reader_u8(&r) == sizeof c->mac && ours;
    reader_skip(&r, 1);
    ours = reader_u32(&r) == c->xid && ours;
    reader_skip(&r, 8);
    out->address = reader_u32(&r);
    reader_skip(&r, 8);
    ours = bytes_equal(reader_take(&r, sizeof c->mac), bytes_of(c->mac, sizeof c->mac)) && ours;
    reader_skip(&r, CHADDR - sizeof c->mac + SNAME_AND_FILE);
    ours = reader_u32(&r) == MAGIC && ours;
    if (!ours || !read_options(&r, &o, out) || !is_host(out->server))
        return false;
    *type = (enum dhcp_type)o.type;
    if (o.type == DHCP_NAK)
        return true;
    out->prefix = prefix_of(o.mask);
    set_times(out);
    return (o.type == DHCP_OFFER || (o.type == DHCP_ACK && out->seconds > 0)) && is_host(out->address) &&
           out->prefix > 0 && (out->router == 0 || is_host(out->router));
}

/* --- what stands on a command line --- */

/* What stands before `mark`, or all; taken off the text. */
static struct bytes part(struct bytes *text, uint8_t mark)
{
    struct bytes out = {text->p, 0};

    while (out.n < text->n && text->p[out.n] != mark)
        out.n++;
    text->p += out.n;
    text->n -= out.n;
    if (text->n > 0) {
        text->p++;
        text->n--;
    }
    return out;
}

static bool host_from_text(struct bytes text, uint32_t *out)
{
    struct addr a;

    if (!addr_from_ip(&a, text, 0) || a.any.sa_family != AF_INET)
        return false;
    *out = ntohl(a.v4.sin_addr.s_addr);
    return is_host(*out);
}

bool dhcp_lease_from_text(struct bytes text, struct dhcp_lease *out)
{
    struct bytes own = part(&text, ',');
    struct bytes address = part(&own, '/');
    uint64_t prefix;

    memset(out, 0, sizeof *out);
    if (!host_from_text(address, &out->address) || !text_u64(own, 32, &prefix) || prefix == 0)
        return false;
    out->prefix = (uint8_t)prefix;
    out->seconds = out->renew = out->rebind = DHCP_FOREVER;
    if (text.n > 0 && !host_from_text(part(&text, ','), &out->router))
        return false;
    while (text.n > 0)
        if (out->dns_count == DHCP_DNS || !host_from_text(part(&text, ','), &out->dns[out->dns_count++]))
            return false;
    return true;
}
