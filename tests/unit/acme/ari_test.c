/* SPDX-License-Identifier: MIT
 *
 * The example of RFC 9773, answers as authorities give them and as they should not, and moments in a window.
 */
#include "tests/unit/test.h"

#include "acme/ari.h"
#include "base/mem.h"
#include "certs/pem.h"
#include "certs/x509.h"

/* ---- what a certificate is called ---- */

/* RFC 9773, Appendix A: its serial number has a leading zero byte, which is part of the name (§4.1). */
static const char example[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
                              "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
                              "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
                              "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
                              "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
                              "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
                              "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
                              "-----END CERTIFICATE-----\n";

static void take(struct writer *w, struct bytes der)
{
    writer_bytes(w, der);
}

static struct bytes certificate_of(const char *pem, uint8_t *out, size_t size)
{
    struct writer w = writer_of(out, size);
    size_t blocks;

    CHECK_STR(pem_each_certificate(bytes_str(pem), take, &w, &blocks), NULL);
    CHECK_EQ(blocks, 1);
    return bytes_of(out, writer_len(&w));
}

TEST(example_of_the_rfc)
{
    static const char expected[] = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    uint8_t buffer[1024];
    struct bytes der = certificate_of(example, buffer, sizeof buffer);
    char text[64];
    struct writer w = writer_of(text, sizeof text);

    CHECK(ari_certificate_id(&w, der));
    CHECK_MEM(text, writer_len(&w), expected, strlen(expected));
    for (size_t n = 0; n < strlen(expected); n++) {
        w = writer_of(text, n);
        CHECK(!ari_certificate_id(&w, der));
    }
    for (size_t n = 0; n < der.n; n++) {
        w = writer_of(text, sizeof text);
        CHECK(!ari_certificate_id(&w, bytes_of(der.p, n)));
    }
}

/* One that signs itself has no authority to name. */
TEST(without_an_authority)
{
    struct tls_identity *id = tls_identity_new("a.test");
    const char *name = "a.test";
    char text[64], key[1024], pem[2048];
    struct writer w = writer_of(text, sizeof text), k = writer_of(key, sizeof key),
                  p = writer_of(pem, sizeof pem);

    CHECK(x509_self_sign(id, &name, 1, 1795685400, &k, &p));
    CHECK(!ari_certificate_id(&w, bytes_of(id->chain[0].data, id->chain[0].data_len)));
    CHECK_EQ(writer_len(&w), 0);
    tls_identity_unref(id);
}

/* ---- answers ---- */

static bool parse(const char *text, struct ari_window *window, char **explanation)
{
    const char *why;
    struct json *j = json_parse(bytes_str(text), &why);
    bool good;

    if (!CHECK(j != NULL))
        return false;
    good = ari_parse(j, window);
    *explanation = ari_explanation(j);
    json_free(j);
    return good;
}

TEST(windows)
{
    static const struct {
        const char *text;
        int64_t start, end; /* 0: none */
        const char *explanation;
    } cases[] = {
        {"{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-03T04:00:00Z\"},"
         "\"explanationURL\":\"https://acme.example.com/docs/ari\"}",                          1735790400, 1735876800, "https://acme.example.com/docs/ari"},
        {"{\"explanationURL\":\"https:\\/\\/ca.test\\/why?x=1#y\",\"suggestedWindow\":"
         "{\"end\":\"2025-01-02T05:00:01.5+01:00\",\"start\":\"2025-01-02T04:00:00Z\"}}",      1735790400, 1735790401, "https://ca.test/why?x=1#y"        },
        {"{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-02T04:00:00Z\"}}", 0,          0,
         NULL                                                                                                                                                      },
        {"{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-02T03:59:59Z\"}}", 0,          0,
         NULL                                                                                                                                                      },
        {"{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\"}}",                                  0,          0,          NULL                               },
        {"{\"suggestedWindow\":{\"end\":\"2025-01-02T04:00:00Z\"}}",                                    0,          0,          NULL                               },
        {"{\"suggestedWindow\":{\"start\":\"soon\",\"end\":\"2025-01-02T04:00:00Z\"}}",                 0,          0,          NULL                               },
        {"{\"suggestedWindow\":{\"start\":1735790400,\"end\":1735876800}}",                             0,          0,          NULL                               },
        {"{\"suggestedWindow\":[\"2025-01-02T04:00:00Z\",\"2025-01-03T04:00:00Z\"]}",                   0,          0,          NULL                               },
        {"{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-03T04:00:00Z\"}",                       0,          0,          NULL                               },
        {"[]",                                                                                          0,          0,          NULL                               },
        {"{\"explanationURL\":7}",                                                                      0,          0,          NULL                               },
        {"{\"explanationURL\":\"\"}",                                                                   0,          0,          NULL                               },
        {"{\"explanationURL\":\"javascript:alert(1)\"}",                                                0,          0,          NULL                               },
        {"{\"explanationURL\":\"https://ca.test/\\u001b[2J\"}",                                         0,          0,          NULL                               },
        {"{\"explanationURL\":\"https://ca.test/#\\n\"}",                                               0,          0,          NULL                               },
        {"{\"explanationURL\":\"https://ca.test/#\\u00e4\"}",                                           0,          0,          NULL                               },
        {"{\"explanationURL\":\"#\"}",                                                                  0,          0,          NULL                               },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ari_window window;
        char *explanation = NULL;
        bool good = parse(cases[i].text, &window, &explanation);

        if (!CHECK_EQ(good, cases[i].start > 0) || !CHECK_STR(explanation, cases[i].explanation) ||
            (good && (!CHECK_EQ(window.start, cases[i].start) || !CHECK_EQ(window.end, cases[i].end))))
            printf("    %s\n", cases[i].text);
        mem_free(explanation);
    }
}

/* ---- when to ask again ---- */

TEST(pauses)
{
    static const int64_t now = 1735790400,
                         cases[][2] = {
                             {1,      60   },
                             {59,     60   },
                             {60,     60   },
                             {61,     61   },
                             {86399,  86399},
                             {86400,  86400},
                             {86401,  86400},
                             {604800, 86400},
                             {0,      21600},
                             {-1,     21600}, /* a moment that is past says nothing */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_EQ(ari_ask_at(now + cases[i][0], now) - now, cases[i][1]);
    CHECK_EQ(ari_ask_at(0, now) - now, 21600);
    CHECK_EQ(ari_ask_at(INT64_MAX, now) - now, 86400);
}

/* ---- moments ---- */

TEST(moments)
{
    const struct ari_window day = {1735790400, 1735876800}, short_one = {1000, 1003},
                            longest = {1, INT64_C(253402300799)};
    unsigned counts[4] = {0};
    uint64_t random = 1;

    CHECK_EQ(ari_moment(&day, 0), day.start);
    CHECK_EQ(ari_moment(&day, 86400), day.end);
    CHECK_EQ(ari_moment(&day, 86401), day.start);
    for (unsigned i = 0; i < 4000; i++) {
        int64_t a, b, c;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        a = ari_moment(&day, random), b = ari_moment(&longest, random),
        c = ari_moment(&short_one, random >> 32);
        CHECK(a >= day.start && a <= day.end);
        CHECK(b >= longest.start && b <= longest.end);
        if (CHECK(c >= short_one.start && c <= short_one.end))
            counts[c - short_one.start]++;
    }
    CHECK(ari_moment(&longest, UINT64_MAX) <= longest.end);
    for (unsigned i = 0; i < 4; i++)
        CHECK(counts[i] > 850 && counts[i] < 1150);
}

/* Each allocation may fail: then there is no window, and nothing is lost. */
TEST(out_of_memory)
{
    static const char text[] =
        "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-03T04:00:00Z\"},"
        "\"explanationURL\":\"https://a.test/\"}";
    const char *why;
    struct json *j = json_parse(bytes_str(text), &why);
    size_t blocks = mem_blocks();
    struct ari_window window;

    for (long n = 0; n < 2; n++) {
        mem_fail_at(n, 1);
        CHECK(!ari_parse(j, &window));
    }
    mem_fail_at(0, 1);
    CHECK(ari_explanation(j) == NULL);
    mem_fail_at(-1, 0);
    CHECK(ari_parse(j, &window));
    CHECK_EQ(mem_blocks(), blocks);
    json_free(j);
}

TEST_MAIN(RUN(example_of_the_rfc), RUN(without_an_authority), RUN(windows), RUN(pauses), RUN(moments),
          RUN(out_of_memory))
