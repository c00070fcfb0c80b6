/* SPDX-License-Identifier: MIT
 *
 * What may be wrong in a ClientHello, the first or the second, and the alert for it, which comes in the clear.
 */
#include "tests/unit/tls/refusal13.h"

/* --- what the first says --- */

static void extra(struct scene13 *s, const void *p, size_t n)
{
    s->client.hello.extra = (struct bytes){p, n};
    client13_hello(&s->client);
}

#define EXTRA(...)                                          \
    do {                                                    \
        static const uint8_t extra_bytes[] = {__VA_ARGS__}; \
        extra(s, extra_bytes, sizeof extra_bytes);          \
    } while (0)

static void compressed(struct scene13 *s, const char *methods, size_t n)
{
    s->client.hello.compression = (struct bytes){(const uint8_t *)methods, n};
    client13_hello(&s->client);
}

static void ssl3(struct scene13 *s)
{
    s->client.hello.legacy_version = 0x0300;
    client13_hello(&s->client);
}
static void compression_too(struct scene13 *s)
{
    compressed(s, "\0\1", 2);
}
static void compression_alone(struct scene13 *s)
{
    compressed(s, "\1", 1);
}
static void no_compression_method(struct scene13 *s)
{
    compressed(s, "", 0);
}
static void versions_twice(struct scene13 *s)
{
    EXTRA(0, 43, 0, 3, 2, 3, 4);
}
static void unknown_twice(struct scene13 *s)
{
    EXTRA(0x1a, 0x1a, 0, 0, 0x1a, 0x1a, 0, 1, 0);
}
static void oid_filters(struct scene13 *s)
{
    EXTRA(0, 48, 0, 2, 0, 0);
}
static void small_limit(struct scene13 *s)
{
    s->client.hello.record_size_limit = 63;
    client13_hello(&s->client);
}
static void long_limit(struct scene13 *s)
{
    EXTRA(0, 28, 0, 3, 64, 0, 0);
}
static void empty_cookie(struct scene13 *s)
{
    EXTRA(0, 44, 0, 2, 0, 0);
}
static void early_data_of_a_byte(struct scene13 *s)
{
    EXTRA(0, 42, 0, 1, 0);
}
static void extension_cut_short(struct scene13 *s)
{
    EXTRA(0x1a, 0x1a, 0, 9, 0);
}
static void no_groups(struct scene13 *s)
{
    s->client.hello.groups.n = 0;
    client13_hello(&s->client);
}
static void no_key_share(struct scene13 *s)
{
    s->client.hello.no_key_share = true;
    client13_hello(&s->client);
}
static void no_signatures(struct scene13 *s)
{
    s->client.hello.signatures.n = 0;
    client13_hello(&s->client);
}
static void no_suite_of_ours(struct scene13 *s)
{
    s->client.hello.suites = (struct values13){
        {0x1304, 0xc02b},
        2
    };
    client13_hello(&s->client);
}
static void no_suite(struct scene13 *s)
{
    s->client.hello.suites.n = 0;
    client13_hello(&s->client);
}
static void no_group_of_ours(struct scene13 *s)
{
    s->client.hello.groups = s->client.hello.shares = (struct values13){{24}, 1};
    client13_hello(&s->client);
}
static void no_signature_of_ours(struct scene13 *s)
{
    s->client.hello.signatures = (struct values13){
        {0x0804, 0x0401, 0x0503, 0x0807},
        4
    };
    client13_hello(&s->client);
}
static void no_version_of_ours(struct scene13 *s)
{
    s->client.hello.versions = (struct values13){
        {0x7f1c, 0x0305, 0x0302},
        3
    };
    client13_hello(&s->client);
}
static void no_protocol_of_ours(struct scene13 *s)
{
    s->client.hello.alpn = "spdy/3";
    client13_hello(&s->client);
}
static void no_such_name(struct scene13 *s)
{
    s->rig.fallback = (tls_identity_unref(s->rig.fallback), NULL);
    client13_hello(&s->client);
}

/* --- key shares --- */

static void share_of_group_not_offered(struct scene13 *s)
{
    s->client.hello.groups = (struct values13){
        {29, 24},
        2
    };
    s->client.hello.shares = (struct values13){
        {29, 23},
        2
    };
    client13_hello(&s->client);
}
static void two_shares_of_a_group(struct scene13 *s)
{
    s->client.hello.shares = (struct values13){
        {29, 29},
        2
    };
    client13_hello(&s->client);
}
static void two_shares_of_a_stranger(struct scene13 *s)
{
    s->client.hello.groups = (struct values13){
        {29, 24},
        2
    };
    s->client.hello.shares = (struct values13){
        {29, 24, 24},
        3
    };
    client13_hello(&s->client);
}

static void share(struct scene13 *s, uint16_t group, const uint8_t *key, size_t n)
{
    static uint8_t extension[1100];
    struct writer w = writer_of(extension, sizeof extension);

    writer_u16(&w, 51);
    size_t value = writer_open(&w, 2), list = writer_open(&w, 2);
    writer_u16(&w, group);
    size_t vector = writer_open(&w, 2);
    writer_put(&w, key, n);
    writer_close(&w, vector, 2);
    writer_close(&w, list, 2);
    writer_close(&w, value, 2);
    s->client.hello.no_key_share = true;
    extra(s, extension, writer_len(&w));
}

static void empty_share(struct scene13 *s)
{
    share(s, 29, NULL, 0);
}
static void short_x25519(struct scene13 *s)
{
    uint8_t key[65];
    share(s, 29, key, client13_share(29, key) - 1);
}
static void long_x25519(struct scene13 *s)
{
    uint8_t key[65] = {0};
    share(s, 29, key, client13_share(29, key) + 1);
}
static void huge_x25519(struct scene13 *s)
{
    static const uint8_t key[1000] = {9};
    share(s, 29, key, sizeof key);
}
static void short_p256(struct scene13 *s)
{
    uint8_t key[65];
    share(s, 23, key, client13_share(23, key) - 1);
}
static void compressed_p256(struct scene13 *s)
{
    uint8_t key[65];
    client13_share(23, key);
    key[0] = (uint8_t)(2 + (key[64] & 1));
    share(s, 23, key, 33);
}
static void hybrid_p256(struct scene13 *s)
{
    uint8_t key[65];
    client13_share(23, key);
    key[0] = (uint8_t)(6 + (key[64] & 1));
    share(s, 23, key, 65);
}
static void off_the_curve(struct scene13 *s)
{
    uint8_t key[65];
    client13_share(23, key);
    key[64] ^= 1;
    share(s, 23, key, 65);
}
static void infinity(struct scene13 *s)
{
    static const uint8_t key[65] = {4};
    share(s, 23, key, 65);
}
/* Points of small order: zero, one, and one of order 8. */
static void zero_x25519(struct scene13 *s)
{
    static const uint8_t key[32];
    share(s, 29, key, 32);
}
static void one_x25519(struct scene13 *s)
{
    static const uint8_t key[32] = {1};
    share(s, 29, key, 32);
}
static void order_8_x25519(struct scene13 *s)
{
    static const uint8_t key[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                                    0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                                    0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    share(s, 29, key, 32);
}

/* --- pre-shared keys --- */

static void psk_not_last(struct scene13 *s)
{
    static const uint8_t unknown[] = {0x1a, 0x1a, 0, 0};

    offer(s);
    s->client.hello.extra_last = (struct bytes){unknown, sizeof unknown};
    client13_hello(&s->client);
}
static void psk_without_modes(struct scene13 *s)
{
    offer(s);
    s->client.hello.modes.n = 0;
    client13_hello(&s->client);
}
/* Not taken, and then there is nothing to sign with. */
static void strange_psk_without_signatures(struct scene13 *s)
{
    psk.ticket[0] ^= 1;
    offer(s);
    no_signatures(s);
}
static void wrong_binder(struct scene13 *s)
{
    offer(s)->wrong_binder = true;
    client13_hello(&s->client);
}
static void wrong_key(struct scene13 *s)
{
    psk.key[31] ^= 1;
    offer(s);
    client13_hello(&s->client);
}
static void long_binder(struct scene13 *s)
{
    offer(s)->binder_len = 48;
    client13_hello(&s->client);
}
static void short_binder(struct scene13 *s)
{
    offer(s)->binder_len = 31;
    client13_hello(&s->client);
}
static void fewer_binders(struct scene13 *s)
{
    offer(s);
    offer(s);
    s->client.hello.binders_n = 1;
    client13_hello(&s->client);
}
static void more_binders(struct scene13 *s)
{
    offer(s);
    s->client.hello.binders_n = 2;
    client13_hello(&s->client);
}
static void empty_ticket(struct scene13 *s)
{
    offer(s);
    psk.ticket_n = 0;
    client13_hello(&s->client);
}
static void raw_psk(struct scene13 *s, const void *p, size_t n)
{
    s->client.hello.extra_last = (struct bytes){p, n};
    client13_hello(&s->client);
}
static void psk_of_nothing(struct scene13 *s)
{
    raw_psk(s, "\0\51\0\0", 4);
}
static void psk_without_age(struct scene13 *s)
{
    static const uint8_t bytes[4 + 2 + 5 + 2 + 33] = {0, 41, 0, 42, 0, 5, 0, 1, 'x', 0, 0, 0, 33, 32};
    raw_psk(s, bytes, sizeof bytes);
}
static void no_binders(struct scene13 *s)
{
    static const uint8_t bytes[] = {0, 41, 0, 11, 0, 7, 0, 1, 'x', 0, 0, 0, 0, 0, 0};
    raw_psk(s, bytes, sizeof bytes);
}
/* Where they are not looked at, they still have to have their form. */
static void bad_psk_before_a_retry(struct scene13 *s)
{
    s->client.hello.shares.n = 0;
    fewer_binders(s);
}
static void bad_psk_without_dhe(struct scene13 *s)
{
    static const uint8_t psk_ke[] = {0};

    s->client.hello.modes = (struct bytes){psk_ke, 1};
    short_binder(s);
}

/* --- the hello's form --- */

/* A hello, changed at one byte from its end (or its start), in one record. */
static void cut(struct scene13 *s, size_t n)
{
    client13_make_hello(&s->client, &s->client.last_hello);
    uint8_t *p = s->client.last_hello.p;
    s->client.last_hello.n -= n;
    size_t body = s->client.last_hello.n - 4;
    p[2] = (uint8_t)(body >> 8);
    p[3] = (uint8_t)body;
    client13_plain(&s->client, RECORD_HANDSHAKE, p, s->client.last_hello.n);
}

static void last_byte_missing(struct scene13 *s)
{
    cut(s, 1);
}
static void ends_in_the_random(struct scene13 *s)
{
    static const uint8_t hello[4 + 2 + 10] = {1, 0, 0, 12, 3, 3};
    client13_plain(&s->client, RECORD_HANDSHAKE, hello, sizeof hello);
}

static const struct refusal first_hello[] = {
    {"SSL 3",                           ssl3,                           70,  NULL                                        },
    {"compression too",                 compression_too,                47,  NULL                                        },
    {"compression alone",               compression_alone,              47,  NULL                                        },
    {"no compression method",           no_compression_method,          50,  NULL                                        },
    {"supported_versions twice",        versions_twice,                 47,  NULL                                        },
    {"unknown extension twice",         unknown_twice,                  47,  NULL                                        },
    {"oid_filters",                     oid_filters,                    47,  NULL                                        },
    {"record_size_limit 63",            small_limit,                    47,  NULL                                        },
    {"record_size_limit of 3 bytes",    long_limit,                     50,  NULL                                        },
    {"empty cookie",                    empty_cookie,                   50,  NULL                                        },
    {"early_data of a byte",            early_data_of_a_byte,           50,  NULL                                        },
    {"extension cut short",             extension_cut_short,            50,  NULL                                        },
    {"no supported_groups",             no_groups,                      109, "an extension is missing in the ClientHello"},
    {"no key_share",                    no_key_share,                   109, "an extension is missing in the ClientHello"},
    {"no signature_algorithms",         no_signatures,                  109, "an extension is missing in the ClientHello"},
    {"no suite of ours",                no_suite_of_ours,               40,  "no common cipher suite"                    },
    {"no suite",                        no_suite,                       50,  NULL                                        },
    {"no group of ours",                no_group_of_ours,               40,  "no common group"                           },
    {"no signature of ours",            no_signature_of_ours,           40,  "no common signature algorithm"             },
    {"no version of ours",              no_version_of_ours,             70,  "no common TLS version"                     },
    {"no protocol of ours",             no_protocol_of_ours,            120, "no common application protocol"            },
    {"no such name",                    no_such_name,                   112, "no certificate for this name"              },
    {"share of a group not offered",    share_of_group_not_offered,     47,  "bad key share"                             },
    {"two shares of a group",           two_shares_of_a_group,          47,  "bad key share"                             },
    {"two shares of a stranger",        two_shares_of_a_stranger,       47,  "bad key share"                             },
    {"empty share",                     empty_share,                    50,  NULL                                        },
    {"short X25519 share",              short_x25519,                   47,  "bad key share"                             },
    {"long X25519 share",               long_x25519,                    47,  "bad key share"                             },
    {"huge X25519 share",               huge_x25519,                    47,  "bad key share"                             },
    {"short P-256 share",               short_p256,                     47,  "bad key share"                             },
    {"compressed P-256 share",          compressed_p256,                47,  "bad key share"                             },
    {"hybrid P-256 share",              hybrid_p256,                    47,  "bad key share"                             },
    {"P-256 share off the curve",       off_the_curve,                  47,  "bad key share"                             },
    {"P-256 share of zeros",            infinity,                       47,  "bad key share"                             },
    {"X25519 share zero",               zero_x25519,                    47,  "bad key share"                             },
    {"X25519 share one",                one_x25519,                     47,  "bad key share"                             },
    {"X25519 share of order 8",         order_8_x25519,                 47,  "bad key share"                             },
    {"pre_shared_key not last",         psk_not_last,                   47,  NULL                                        },
    {"PSK without modes",               psk_without_modes,              109, NULL                                        },
    {"strange PSK, no signatures",      strange_psk_without_signatures, 109,
     "an extension is missing in the ClientHello"                                                                        },
    {"wrong binder",                    wrong_binder,                   51,  "a PSK binder does not verify"              },
    {"wrong key",                       wrong_key,                      51,  "a PSK binder does not verify"              },
    {"binder of another hash's length", long_binder,                    51,  "a PSK binder does not verify"              },
    {"binder of 31 bytes",              short_binder,                   50,  NULL                                        },
    {"fewer binders than identities",   fewer_binders,                  47,  NULL                                        },
    {"more binders than identities",    more_binders,                   47,  NULL                                        },
    {"empty identity",                  empty_ticket,                   50,  NULL                                        },
    {"empty pre_shared_key",            psk_of_nothing,                 50,  NULL                                        },
    {"identity without age",            psk_without_age,                50,  NULL                                        },
    {"no binders",                      no_binders,                     50,  NULL                                        },
    {"bad PSKs before a retry",         bad_psk_before_a_retry,         47,  NULL                                        },
    {"bad PSKs without psk_dhe_ke",     bad_psk_without_dhe,            50,  NULL                                        },
    {"last byte missing",               last_byte_missing,              50,  NULL                                        },
    {"ends in the random",              ends_in_the_random,             50,  NULL                                        },
};

TEST(first_hello)
{
    REFUSE_EACH(FIRST_HELLO, first_hello);
}

/* --- the second hello --- */

/* The right second hello, with one bit of it changed. */
static void flip(struct scene13 *s, size_t at, uint8_t bits)
{
    client13_make_hello(&s->client, &s->client.last_hello);
    s->client.last_hello.p[at] ^= bits;
    client13_plain(&s->client, RECORD_HANDSHAKE, s->client.last_hello.p, s->client.last_hello.n);
}

static void other_legacy_version(struct scene13 *s)
{
    flip(s, 5, 1);
}
static void other_random(struct scene13 *s)
{
    flip(s, 6 + 31, 0x80);
}
static void other_session_id(struct scene13 *s)
{
    flip(s, 4 + 2 + 32 + 1 + 31, 1);
}
static void no_session_id(struct scene13 *s)
{
    s->client.hello.session_id.n = 0;
    client13_hello(&s->client);
}
static void other_suites(struct scene13 *s)
{
    s->client.hello.suites.v[2] = 0x1304;
    client13_hello(&s->client);
}
static void other_name(struct scene13 *s)
{
    s->client.hello.name = "other";
    client13_hello(&s->client);
}
static void other_protocol(struct scene13 *s)
{
    s->client.hello.alpn = "http/1.1";
    client13_hello(&s->client);
}
static void other_groups(struct scene13 *s)
{
    s->client.hello.groups.n = 1;
    client13_hello(&s->client);
}
static void other_signatures(struct scene13 *s)
{
    s->client.hello.signatures.n--;
    client13_hello(&s->client);
}
static void other_versions(struct scene13 *s)
{
    s->client.hello.versions = (struct values13){
        {0x0304, 0x0303},
        2
    };
    client13_hello(&s->client);
}
static void other_modes(struct scene13 *s)
{
    s->client.hello.modes = (struct bytes){(const uint8_t *)"\1\0", 2};
    client13_hello(&s->client);
}
static void other_limit(struct scene13 *s)
{
    s->client.hello.record_size_limit = 100;
    client13_hello(&s->client);
}
static void unknown_extension(struct scene13 *s)
{
    EXTRA(0x1a, 0x1a, 0, 0);
}
static void a_cookie(struct scene13 *s)
{
    EXTRA(0, 44, 0, 3, 0, 1, 'x');
}
static void early_data_again(struct scene13 *s)
{
    s->client.hello.early_data = true;
    client13_hello(&s->client);
}
static void asks_again(struct scene13 *s)
{
    s->client.hello.shares.n = 0;
    client13_hello(&s->client);
}
static void another_group(struct scene13 *s)
{
    s->client.hello.shares.v[0] = 23;
    client13_hello(&s->client);
}
static void one_share_more(struct scene13 *s)
{
    s->client.hello.shares = (struct values13){
        {29, 23},
        2
    };
    client13_hello(&s->client);
}
/* Without supported_versions it would be a hello of TLS 1.2. */
static void no_versions(struct scene13 *s)
{
    s->client.hello.versions.n = 0;
    client13_hello(&s->client);
}

static const struct refusal second_hello[] = {
    {"other legacy_version",    other_legacy_version, 47,  "the second ClientHello differs from the first"},
    {"other random",            other_random,         47,  "the second ClientHello differs from the first"},
    {"other session id",        other_session_id,     47,  "the second ClientHello differs from the first"},
    {"no session id",           no_session_id,        47,  "the second ClientHello differs from the first"},
    {"other suites",            other_suites,         47,  "the second ClientHello differs from the first"},
    {"other name",              other_name,           47,  "the second ClientHello differs from the first"},
    {"other protocol",          other_protocol,       47,  "the second ClientHello differs from the first"},
    {"other groups",            other_groups,         47,  "the second ClientHello differs from the first"},
    {"other signatures",        other_signatures,     47,  "the second ClientHello differs from the first"},
    {"other versions",          other_versions,       47,  "the second ClientHello differs from the first"},
    {"other modes",             other_modes,          47,  "the second ClientHello differs from the first"},
    {"other limit",             other_limit,          47,  "the second ClientHello differs from the first"},
    {"unknown extension",       unknown_extension,    47,  "the second ClientHello differs from the first"},
    {"cookie",                  a_cookie,             47,  "the second ClientHello differs from the first"},
    {"early_data",              early_data_again,     47,  "the second ClientHello differs from the first"},
    {"asks again",              asks_again,           47,  "the second ClientHello differs from the first"},
    {"another group",           another_group,        47,  "the second ClientHello differs from the first"},
    {"one share more",          one_share_more,       47,  "the second ClientHello differs from the first"},
    {"no versions",             no_versions,          47,  "the second ClientHello differs from the first"},
    {"no signature_algorithms", no_signatures,        109, NULL                                           },
    {"X25519 share zero",       zero_x25519,          47,  "bad key share"                                },
    {"short X25519 share",      short_x25519,         47,  "bad key share"                                },
    {"wrong binder",            wrong_binder,         51,  "a PSK binder does not verify"                 },
    {"PSK not last",            psk_not_last,         47,  NULL                                           },
    {"fewer binders",           fewer_binders,        47,  NULL                                           },
    {"last byte missing",       last_byte_missing,    50,  NULL                                           },
};

TEST(second_hello)
{
    REFUSE_EACH(SECOND_HELLO, second_hello);
}

TEST_MAIN(RUN(first_hello), RUN(second_hello))
