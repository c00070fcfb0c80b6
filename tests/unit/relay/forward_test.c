/* SPDX-License-Identifier: MIT
 *
 * What is taken off and put on a message that is passed on.
 */
#include "relay/forward.h"

#include "base/mem.h"
#include "tests/unit/test.h"

static struct conf_path path = {.prefix = "/"};

static struct http_head *request(const char *host)
{
    struct http_head *h = http_head_request("GET", bytes_str("/x"), bytes_str(host));
    h->minor = 1;
    h->has_host = true;
    return h;
}

static void add(struct http_head *h, const char *name, const char *value)
{
    CHECK(http_head_add(h, bytes_str(name), bytes_str(value)));
}

/* All values of a field as one text; "-" when there is none. */
static const char *value(const struct http_head *h, const char *name)
{
    static char text[4096];
    size_t len = 0;

    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct http_field *f = &h->fields[i];
        if (f->dropped || !bytes_equal_nocase(http_field_name(h, f), bytes_str(name)))
            continue;
        struct bytes v = http_field_value(h, f);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", len ? "|" : "", (int)v.n,
                                (const char *)v.p);
    }
    return len ? text : "-";
}

static void forward(struct http_head *h, bool trusted)
{
    struct forward f = {"203.0.113.9", trusted, true, &path};
    CHECK(forward_request(h, &f));
}

TEST(client_cannot_say_who_it_is)
{
    static const char *const SPOOFS[] = {"X-Forwarded-For", "x-forwarded-proto", "X_Forwarded_Host",
                                         "X-FORWARDED_FOR", "X-Real-IP",         "X_Real_IP",
                                         "Forwarded",       "X-Forwarded-Port",  "X-Forwarded-User"};
    struct http_head *h = request("example.com:8443");

    for (size_t i = 0; i < sizeof SPOOFS / sizeof *SPOOFS; i++)
        add(h, SPOOFS[i], "spoof");
    forward(h, false);
    for (size_t i = 0; i < sizeof SPOOFS / sizeof *SPOOFS; i++)
        CHECK(strstr(value(h, SPOOFS[i]), "spoof") == NULL);
    CHECK_STR(value(h, "X-Forwarded-For"), "203.0.113.9");
    CHECK_STR(value(h, "X-Forwarded-Proto"), "https");
    CHECK_STR(value(h, "X-Forwarded-Host"), "example.com:8443");
    CHECK_STR(value(h, "X-Real-IP"), "203.0.113.9");
    CHECK_STR(value(h, "Via"), "1.1 proxy");
    http_head_free(h);
}

TEST(trusted_proxy_is_believed_and_added_to)
{
    struct http_head *h = request("example.com");

    add(h, "X-Forwarded-For", "198.51.100.1");
    add(h, "X-Forwarded-For", "198.51.100.2");
    add(h, "X-Forwarded-Proto", "http");
    add(h, "X-Real-IP", "198.51.100.1");
    forward(h, true);
    CHECK_STR(value(h, "X-Forwarded-For"), "198.51.100.1, 198.51.100.2, 203.0.113.9");
    CHECK_STR(value(h, "X-Forwarded-Proto"), "http");
    CHECK_STR(value(h, "X-Real-IP"), "198.51.100.1");
    http_head_free(h);
}

TEST(connection_fields_end_here)
{
    struct http_head *h = request("example.com");

    add(h, "Connection", "close, X-Secret ,, x-forwarded-for, Host");
    add(h, "X-Secret", "1");
    add(h, "Keep-Alive", "timeout=5");
    add(h, "Proxy-Connection", "keep-alive");
    add(h, "TE", "trailers");
    add(h, "HTTP2-Settings", "AAMAAABkAAQ");
    add(h, "Upgrade", "h2c");
    add(h, "Cookie", "stays");
    forward(h, false);
    CHECK_STR(value(h, "Connection"), "-");
    CHECK_STR(value(h, "X-Secret"), "-");
    CHECK_STR(value(h, "Keep-Alive"), "-");
    CHECK_STR(value(h, "Proxy-Connection"), "-");
    CHECK_STR(value(h, "TE"), "-");
    CHECK_STR(value(h, "HTTP2-Settings"), "-");
    CHECK_STR(value(h, "Upgrade"), "-");
    CHECK_STR(value(h, "Cookie"), "stays");
    CHECK_STR(value(h, "X-Forwarded-For"), "203.0.113.9");
    CHECK(http_head_host(h).n == strlen("example.com"));
    http_head_free(h);
}

TEST(operations_are_applied_in_order)
{
    static struct conf_header ops[] = {
        {CONF_HEADER_REMOVE, "Server", NULL },
        {CONF_HEADER_SET,    "X-A",    "1"  },
        {CONF_HEADER_ADD,    "X-A",    "2"  },
        {CONF_HEADER_SET,    "X-B",    "new"},
    };
    struct conf_path with = {
        .prefix = "/", .response_headers = {ops, 4}
    };
    struct http_head *h = http_head_response(200);

    add(h, "Server", "old");
    add(h, "X-B", "old");
    add(h, "Connection", "close");
    CHECK(forward_response(h, &with));
    CHECK_STR(value(h, "Server"), "-");
    CHECK_STR(value(h, "X-A"), "1|2");
    CHECK_STR(value(h, "X-B"), "new");
    CHECK_STR(value(h, "Connection"), "-");
    CHECK(strcmp(value(h, "Date"), "-") != 0);
    http_head_free(h);
}

TEST(max_forwards_counts_down_for_options_alone)
{
    struct http_head *h = request("example.com");
    h->method = HTTP_OPTIONS;
    add(h, "Max-Forwards", "10");
    forward(h, false);
    CHECK_STR(value(h, "Max-Forwards"), "9");
    http_head_free(h);

    h = request("example.com");
    add(h, "Max-Forwards", "10");
    forward(h, false);
    CHECK_STR(value(h, "Max-Forwards"), "10");
    http_head_free(h);
}

TEST(memory_running_out_is_told)
{
    struct forward f = {"203.0.113.9", false, true, &path};

    for (long n = 0; n < 4; n++) {
        struct http_head *h = request("example.com");
        for (int i = 0; i < 20; i++) /* use up the spare room */
            add(h, "X-Fill", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
        mem_fail_at(n, 1000);
        bool done = forward_request(h, &f);
        mem_fail_at(-1, 0);
        CHECK(!done || value(h, "X-Real-IP")[0] == '2');
        http_head_free(h);
    }
    CHECK_EQ(mem_blocks(), 0);
}

TEST_MAIN(RUN(client_cannot_say_who_it_is), RUN(trusted_proxy_is_believed_and_added_to),
          RUN(connection_fields_end_here), RUN(operations_are_applied_in_order),
          RUN(max_forwards_counts_down_for_options_alone), RUN(memory_running_out_is_told))
