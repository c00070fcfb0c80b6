/* SPDX-License-Identifier: MIT
 *
 * Link fields: the examples of RFC 8288 and RFC 8555, and what is none.
 */
#include "tests/unit/test.h"

#include "acme/link.h"
#include "base/mem.h"

/* All links of a value, as "URL rel|URL rel|". */
static const char *links_of(const char *text)
{
    static char out[1024];
    struct writer w = writer_of(out, sizeof out - 1);
    struct bytes value = bytes_str(text), url, rel;

    while (link_next(&value, &url, &rel)) {
        writer_bytes(&w, url);
        writer_u8(&w, ' ');
        writer_bytes(&w, rel);
        writer_u8(&w, '|');
    }
    out[writer_len(&w)] = '\0';
    return out;
}

TEST(links)
{
    CHECK_STR(links_of("<https://example.com/acme/directory>;rel=\"index\""),
              "https://example.com/acme/directory index|");
    CHECK_STR(links_of("<http://example.com/TheBook/chapter2>; rel=\"previous\"; title=\"previous chapter\""),
              "http://example.com/TheBook/chapter2 previous|");
    CHECK_STR(links_of("</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
                       "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"),
              "/TheBook/chapter2 previous|/TheBook/chapter4 next|");
    CHECK_STR(links_of("<http://example.org/>; rel=\"start http://example.net/relation/other\""),
              "http://example.org/ start http://example.net/relation/other|");
    CHECK_STR(links_of(",, <a>;rel=x,<b> ; REL = \"y\" ; rel=z , ,<c>"), "a x|b y|c |");
    CHECK_STR(links_of("<a,;\">;title=\"\\\",<z>\";rel=x"), "a,;\" x|");
    CHECK_STR(links_of("<a>;rel,<b>;=x;rel=\"\""), "a |b |");
}

TEST(what_is_none_ends_the_field)
{
    CHECK_STR(links_of(""), "");
    CHECK_STR(links_of("https://a/"), "");
    CHECK_STR(links_of("<https://a/"), "");
    CHECK_STR(links_of("<a>;rel=\"x"), "");
    CHECK_STR(links_of("<a>;rel=\"x\\"), "");
    CHECK_STR(links_of("<a> <b>"), "");
    CHECK_STR(links_of("<a>;rel=x<b>;rel=y"), "");
    CHECK_STR(links_of("<a>;rel=x, b, <c>"), "a x|");
}

static void add(struct http_head *head, const char *name, const char *value)
{
    CHECK(http_head_add(head, bytes_str(name), bytes_str(value)));
}

static void check_alternate(const struct http_head *head, unsigned i, const char *expected)
{
    CHECK(bytes_is(link_alternate(head, i), expected));
}

TEST(alternates)
{
    struct http_head *head = http_head_new(64, 1);

    add(head, "Link", "<https://ca.test/directory>;rel=\"index\"");
    add(head, "link", "<https://ca.test/cert/1>;rel=\"alternate\", <https://ca.test/up>;rel=up");
    add(head, "Linked", "<https://ca.test/no>;rel=\"alternate\"");
    add(head, "LINK", "<http://ca.test/plain>;rel=\"alternate\", </cert/x>;rel=alternate");
    add(head, "Link",
        "<https://ca.test/cert/2>;rel=\"up Alternate\", <https://ca.test/cert/3>;rel=alternate");
    check_alternate(head, 0, "https://ca.test/cert/1");
    check_alternate(head, 1, "https://ca.test/cert/2");
    check_alternate(head, 2, "https://ca.test/cert/3");
    check_alternate(head, 3, "");
    http_head_free(head);
    CHECK_EQ(mem_blocks(), 0);
}

TEST_MAIN(RUN(links), RUN(what_is_none_ends_the_field), RUN(alternates))
