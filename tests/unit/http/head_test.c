/* SPDX-License-Identifier: MIT
 *
 * Heads: their memory, their fields, and the tables of names.
 */
#include "http/head.h"

#include "base/mem.h"
#include "base/text.h"
#include "tests/unit/test.h"

#include <stdlib.h>

static bool field_is(const struct http_head *h, const char *name, const char *value)
{
    const struct http_field *f = http_head_find_name(h, bytes_str(name));

    return f != NULL && bytes_is(http_field_value(h, f), value);
}

TEST(fields_are_added_found_and_dropped)
{
    struct http_head *h = http_head_new(0, 0);

    CHECK(http_head_add(h, bytes_str("Host"), bytes_str("a")));
    CHECK(http_head_add(h, bytes_str("X"), bytes_str("1")));
    CHECK(http_head_add(h, bytes_str("x"), bytes_str("2")));
    CHECK(http_head_add(h, bytes_str("Empty"), bytes_str("")));
    CHECK_EQ(h->field_count, 4);
    CHECK(field_is(h, "hOST", "a"));
    CHECK(field_is(h, "X", "1"));
    CHECK(field_is(h, "empty", ""));
    CHECK(http_head_find(h, HTTP_FIELD_HOST) == &h->fields[0]);
    CHECK(http_head_find(h, HTTP_FIELD_DATE) == NULL);
    h->fields[1].dropped = true;
    CHECK(field_is(h, "X", "2"));
    http_head_drop_name(h, bytes_str("X"));
    CHECK(http_head_find_name(h, bytes_str("x")) == NULL);
    http_head_drop(h, HTTP_FIELD_BIT(HTTP_FIELD_HOST));
    CHECK(http_head_find(h, HTTP_FIELD_HOST) == NULL);
    CHECK(http_head_add(h, bytes_str("host"), bytes_str("b")));
    CHECK(field_is(h, "Host", "b"));
    http_head_free(h);
}

TEST(what_is_added_may_be_the_heads_own)
{
    struct http_head *h = http_head_new(8, 1);

    CHECK(http_head_add(h, bytes_str("Name"), bytes_str("valu")));
    /* both grow, and move what is borrowed */
    for (unsigned i = 0; i < 200; i++)
        CHECK(http_head_add(h, http_field_name(h, &h->fields[i]), http_field_value(h, &h->fields[i])));
    for (unsigned i = 0; i < 201; i++) {
        CHECK(bytes_is(http_field_name(h, &h->fields[i]), "Name"));
        CHECK(bytes_is(http_field_value(h, &h->fields[i]), "valu"));
    }
    http_head_free(h);
}

TEST(copy_is_whole_and_apart)
{
    struct http_head *h = http_head_request("PUT", bytes_str("/a?b"), bytes_str("h:1")), *copy;
    size_t blocks;

    CHECK(http_head_add(h, bytes_str("X"), bytes_str("1")));
    blocks = mem_blocks();
    copy = http_head_copy(h, 100, 3);
    CHECK_EQ(mem_blocks(), blocks + 1);
    http_head_free(h);
    CHECK(bytes_is(http_head_method(copy), "PUT") && copy->method == HTTP_PUT);
    CHECK(bytes_is(http_head_path(copy), "/a?b") && bytes_is(http_head_target(copy), "/a?b"));
    CHECK(bytes_is(http_head_host(copy), "h:1") && copy->has_host);
    CHECK(field_is(copy, "x", "1"));
    blocks = mem_blocks();
    for (int i = 0; i < 3; i++)
        CHECK(http_head_add(copy, bytes_str("Y"), bytes_str("2")));
    CHECK_EQ(mem_blocks(), blocks);
    http_head_free(copy);
}

TEST(growing_fails_without_harm)
{
    struct http_head *h = http_head_new(4, 1);
    size_t blocks = mem_blocks();

    CHECK(http_head_add(h, bytes_str("A"), bytes_str("1")));
    for (long n = 0; n < 2; n++) {
        mem_fail_at(n, 1);
        CHECK(!http_head_add(h, bytes_str("Longer-Name"), bytes_str("2")));
        mem_fail_at(-1, 0);
        CHECK_EQ(h->field_count, 1);
        CHECK(field_is(h, "A", "1"));
    }
    CHECK(http_head_add(h, bytes_str("Longer-Name"), bytes_str("2")));
    CHECK(field_is(h, "longer-name", "2"));
    http_head_free(h);
    CHECK_EQ(mem_blocks(), blocks - 1);
    mem_fail_at(0, 1);
    CHECK(http_head_response(200) == NULL);
    mem_fail_at(-1, 0);
    CHECK(http_head_new(SIZE_MAX - 10, 1) == NULL);
    CHECK(http_head_new(1, SIZE_MAX / 8) == NULL);
    http_head_free(NULL);
}

TEST(names_have_their_ids)
{
    static const struct {
        const char *name;
        enum http_field_id id;
    } cases[] = {
        {"Host",                              HTTP_FIELD_HOST               },
        {"CONNECTION",                        HTTP_FIELD_CONNECTION         },
        {"content-length",                    HTTP_FIELD_CONTENT_LENGTH     },
        {"Transfer-Encoding",                 HTTP_FIELD_TRANSFER_ENCODING  },
        {"te",                                HTTP_FIELD_TE                 },
        {"Trailer",                           HTTP_FIELD_TRAILER            },
        {"Upgrade",                           HTTP_FIELD_UPGRADE            },
        {"Keep-Alive",                        HTTP_FIELD_KEEP_ALIVE         },
        {"Proxy-Connection",                  HTTP_FIELD_PROXY_CONNECTION   },
        {"Proxy-Authenticate",                HTTP_FIELD_PROXY_AUTHENTICATE },
        {"Proxy-Authorization",               HTTP_FIELD_PROXY_AUTHORIZATION},
        {"HTTP2-Settings",                    HTTP_FIELD_HTTP2_SETTINGS     },
        {"Expect",                            HTTP_FIELD_EXPECT             },
        {"Date",                              HTTP_FIELD_DATE               },
        {"Server",                            HTTP_FIELD_SERVER             },
        {"Via",                               HTTP_FIELD_VIA                },
        {"Max-Forwards",                      HTTP_FIELD_MAX_FORWARDS       },
        {"User-Agent",                        HTTP_FIELD_USER_AGENT         },
        {"Referer",                           HTTP_FIELD_REFERER            },
        {"Forwarded",                         HTTP_FIELD_FORWARDED          },
        {"X-Forwarded-For",                   HTTP_FIELD_X_FORWARDED_FOR    },
        {"X_Forwarded_For",                   HTTP_FIELD_X_FORWARDED_FOR    },
        {"x-forwarded_proto",                 HTTP_FIELD_X_FORWARDED_PROTO  },
        {"X-Forwarded-Host",                  HTTP_FIELD_X_FORWARDED_HOST   },
        {"X-Forwarded-Port",                  HTTP_FIELD_X_FORWARDED_OTHER  },
        {"X_FORWARDED_",                      HTTP_FIELD_X_FORWARDED_OTHER  },
        {"X-Forwarded-For-A-Very-Long-While", HTTP_FIELD_X_FORWARDED_OTHER  },
        {"X-Real-IP",                         HTTP_FIELD_X_REAL_IP          },
        {"x_real_ip",                         HTTP_FIELD_X_REAL_IP          },
        {"X-Forwarded",                       HTTP_FIELD_UNKNOWN            },
        {"XForwardedFor",                     HTTP_FIELD_UNKNOWN            },
        {"Content_Length",                    HTTP_FIELD_UNKNOWN            },
        {"Hos",                               HTTP_FIELD_UNKNOWN            },
        {"Hosts",                             HTTP_FIELD_UNKNOWN            },
        {"",                                  HTTP_FIELD_UNKNOWN            },
        {"Proxy-Authorizations",              HTTP_FIELD_UNKNOWN            },
    };
    bool seen[HTTP_FIELD_ID_MAX] = {false};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!CHECK_EQ(http_field_id_of(bytes_str(cases[i].name)), cases[i].id))
            printf("    %s\n", cases[i].name);
        seen[cases[i].id] = true;
    }
    for (size_t i = 0; i < HTTP_FIELD_ID_MAX; i++)
        CHECK(seen[i]);

    /* A name with any byte for any of its own is the same one only where that is the same letter. */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].name);

        if (cases[i].id == HTTP_FIELD_UNKNOWN || cases[i].id == HTTP_FIELD_X_FORWARDED_OTHER)
            continue;
        for (size_t at = 0; at < n; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                uint8_t own = text_lower((uint8_t)cases[i].name[at]), *name = malloc(n);
                bool loose = text_lower((uint8_t)cases[i].name[0]) == 'x' && (own == '-' || own == '_');
                bool same = text_lower((uint8_t)byte) == own || (loose && (byte == '-' || byte == '_'));

                memcpy(name, cases[i].name, n);
                name[at] = (uint8_t)byte;
                CHECK_EQ(http_field_id_of(bytes_of(name, n)) == cases[i].id, same);
                free(name);
            }
    }
}

TEST(tokens_and_values)
{
    CHECK(http_is_token(bytes_str("a!#$%&'*+-.^_`|~Z9")));
    CHECK(!http_is_token(bytes_str("")));
    CHECK(!http_is_token(bytes_str("a b")));
    CHECK(!http_is_token(bytes_str("a:")));
    CHECK(!http_is_token(bytes_of("a\0", 2)));
    CHECK(!http_is_token(bytes_str("\xe9")));
    CHECK(http_is_field_value(bytes_str("")));
    CHECK(http_is_field_value(bytes_str("a \t\xe9~")));
    CHECK(!http_is_field_value(bytes_str("a\r\nb")));
    CHECK(!http_is_field_value(bytes_str("a\nb")));
    CHECK(!http_is_field_value(bytes_str("\x7f")));
    CHECK(!http_is_field_value(bytes_of("\0", 1)));
}

TEST(lists_are_taken_apart)
{
    struct bytes list = bytes_str(" a,, b ,\"c,\\\"d\", ,e f,"), member;

    CHECK(http_list_next(&list, &member) && bytes_is(member, "a"));
    CHECK(http_list_next(&list, &member) && bytes_is(member, "b"));
    CHECK(http_list_next(&list, &member) && bytes_is(member, "\"c,\\\"d\""));
    CHECK(http_list_next(&list, &member) && bytes_is(member, "e f"));
    CHECK(!http_list_next(&list, &member));
    CHECK(!http_list_next(&list, &member));
    CHECK(http_list_has(bytes_str("keep-alive, CLOSE"), "close"));
    CHECK(!http_list_has(bytes_str("closed, not-close, \"close\""), "close"));
    CHECK(!http_list_has(bytes_str(""), "close"));
    list = bytes_str("\"open, a");
    CHECK(http_list_next(&list, &member) && bytes_is(member, "\"open, a"));
    list = bytes_str("\"\\");
    CHECK(http_list_next(&list, &member) && bytes_is(member, "\"\\"));
    CHECK(!http_list_next(&list, &member));
}

TEST(methods_and_reasons)
{
    CHECK_EQ(http_method_of(bytes_str("GET")), HTTP_GET);
    CHECK_EQ(http_method_of(bytes_str("PATCH")), HTTP_PATCH);
    CHECK_EQ(http_method_of(bytes_str("get")), HTTP_OTHER);
    CHECK_EQ(http_method_of(bytes_str("GETS")), HTTP_OTHER);
    CHECK(http_method_is_idempotent(HTTP_GET) && http_method_is_idempotent(HTTP_PUT));
    CHECK(!http_method_is_idempotent(HTTP_POST) && !http_method_is_idempotent(HTTP_PATCH));
    CHECK(!http_method_is_idempotent(HTTP_OTHER) && !http_method_is_idempotent(HTTP_CONNECT));
    CHECK_STR(http_reason(404), "Not Found");
    CHECK_STR(http_reason(431), "Request Header Fields Too Large");
    CHECK_STR(http_reason(451), "Unavailable For Legal Reasons");
    CHECK_STR(http_reason(299), "");
    CHECK_STR(http_reason(0), "");
    CHECK_STR(http_reason(99999), "");
    for (unsigned s = 0; s < 700; s++)
        CHECK(http_is_field_value(bytes_str(http_reason(s))));
}

TEST_MAIN(RUN(fields_are_added_found_and_dropped), RUN(what_is_added_may_be_the_heads_own),
          RUN(copy_is_whole_and_apart), RUN(growing_fails_without_harm), RUN(names_have_their_ids),
          RUN(tokens_and_values), RUN(lists_are_taken_apart), RUN(methods_and_reasons))
