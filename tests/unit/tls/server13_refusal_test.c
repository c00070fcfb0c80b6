/* SPDX-License-Identifier: MIT
 *
 * Records and messages that a TLS 1.3 client must not send, at each stage of a handshake and on an open connection;
 * the alert for each, and the keys that it comes under. What may be wrong within a hello has a file of its own.
 */
#include "tests/unit/tls/refusal13.h"

/* --- in place of a hello --- */

static void finished_in_the_clear(struct scene13 *s)
{
    uint8_t message[4 + KEY_SCHEDULE_MAX];

    client13_plain(&s->client, RECORD_HANDSHAKE, message, client13_make_finished(&s->client, message));
}
static void data_in_the_clear(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_DATA, "some data that is as long as a record", 37);
}
static void empty_handshake_record(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_HANDSHAKE, NULL, 0);
}
static void empty_alert_record(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_ALERT, NULL, 0);
}
static void alert_of_a_byte(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_ALERT, "\2", 1);
}
static void two_alerts_in_a_record(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_ALERT, "\1\132\1\0", 4);
}
static void more_behind_the_hello(struct scene13 *s)
{
    client13_make_hello(&s->client, &s->client.last_hello);
    sink_add(&s->client.last_hello, "\0", 1);
    client13_plain(&s->client, RECORD_HANDSHAKE, s->client.last_hello.p, s->client.last_hello.n);
}
/* A hello in two parts with something between them. */
static void between(struct scene13 *s, uint8_t type, const void *p, size_t n)
{
    client13_make_hello(&s->client, &s->client.last_hello);
    client13_plain(&s->client, RECORD_HANDSHAKE, s->client.last_hello.p, 100);
    client13_plain(&s->client, type, p, n);
    client13_plain(&s->client, RECORD_HANDSHAKE, s->client.last_hello.p + 100, s->client.last_hello.n - 100);
}
static void ccs_in_the_hello(struct scene13 *s)
{
    between(s, RECORD_CHANGE_CIPHER_SPEC, "\1", 1);
}
static void alert_in_the_hello(struct scene13 *s)
{
    between(s, RECORD_ALERT, "\2\50", 2);
}
static void data_in_the_hello(struct scene13 *s)
{
    between(s, RECORD_DATA, "some data that is as long as a record", 37);
}
static void nothing_in_the_hello(struct scene13 *s)
{
    between(s, RECORD_HANDSHAKE, NULL, 0);
}
static void huge_hello(struct scene13 *s)
{
    static uint8_t part[RECORD_TEXT_MAX] = {1, 0, 0x40, 1};

    client13_plain(&s->client, RECORD_HANDSHAKE, part, sizeof part);
    client13_plain(&s->client, RECORD_HANDSHAKE, part, sizeof part);
}
static void large_record(struct scene13 *s, uint8_t type, size_t n)
{
    uint8_t *zeros = calloc(1, n);

    client13_plain(&s->client, type, zeros, n);
    free(zeros);
}
static void large_handshake_record(struct scene13 *s)
{
    large_record(s, RECORD_HANDSHAKE, RECORD_TEXT_MAX + 1);
}
static void large_ccs(struct scene13 *s)
{
    large_record(s, RECORD_CHANGE_CIPHER_SPEC, RECORD_TEXT_MAX + 1);
}
static void large_data_record(struct scene13 *s)
{
    large_record(s, RECORD_DATA, RECORD_CIPHERTEXT_MAX + 1);
}
static void header_of_a_huge_hello(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_HANDSHAKE, "\1\0\100\1", 4);
}
static void heartbeat(struct scene13 *s)
{
    client13_plain(&s->client, 24, "\1\0\0", 3);
}
static void type_0(struct scene13 *s)
{
    client13_plain(&s->client, 0, "\1\0\0", 3);
}
static void ccs_of_2(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_CHANGE_CIPHER_SPEC, "\2", 1);
}
static void long_ccs(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_CHANGE_CIPHER_SPEC, "\1\1", 2);
}
static void empty_ccs(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_CHANGE_CIPHER_SPEC, NULL, 0);
}
static void ccs(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_CHANGE_CIPHER_SPEC, "\1", 1);
}
static void many_ccs(struct scene13 *s)
{
    for (unsigned i = 0; i < 33; i++)
        ccs(s);
}
static void many_canceled_in_the_clear(struct scene13 *s)
{
    for (unsigned i = 0; i < 33; i++)
        client13_plain(&s->client, RECORD_ALERT, "\1\132", 2);
}

static const struct refusal instead_of_the_second_hello[] = {
    {"Finished",                   finished_in_the_clear,      10, "unexpected message"           },
    {"data",                       data_in_the_clear,          10, "unexpected record"            },
    {"empty handshake record",     empty_handshake_record,     10, "empty handshake record"       },
    {"empty alert record",         empty_alert_record,         10, "empty alert record"           },
    {"alert of a byte",            alert_of_a_byte,            50, "malformed alert"              },
    {"two alerts in a record",     two_alerts_in_a_record,     50, "malformed alert"              },
    {"more behind the hello",      more_behind_the_hello,      10, "unexpected message"           },
    {"CCS in the hello",           ccs_in_the_hello,           10, "unexpected change_cipher_spec"},
    {"alert in the hello",         alert_in_the_hello,         10, "unexpected record"            },
    {"data in the hello",          data_in_the_hello,          10, "unexpected record"            },
    {"nothing in the hello",       nothing_in_the_hello,       10, "empty handshake record"       },
    {"huge hello",                 huge_hello,                 47, "ClientHello too large"        },
    {"header of a huge hello",     header_of_a_huge_hello,     47, "ClientHello too large"        },
    {"handshake record too large", large_handshake_record,     22, "record too large"             },
    {"CCS too large",              large_ccs,                  22, "record too large"             },
    {"data record too large",      large_data_record,          22, "record too large"             },
    {"heartbeat",                  heartbeat,                  10, "not a TLS record"             },
    {"type 0",                     type_0,                     10, "not a TLS record"             },
    {"CCS of 2",                   ccs_of_2,                   10, "unexpected change_cipher_spec"},
    {"CCS of two bytes",           long_ccs,                   10, "unexpected change_cipher_spec"},
    {"empty CCS",                  empty_ccs,                  10, "unexpected change_cipher_spec"},
    {"33 CCS",                     many_ccs,                   10, "unexpected change_cipher_spec"},
    {"33 user_canceled",           many_canceled_in_the_clear, 10, "unexpected record"            },
};

TEST(instead_of_the_second_hello)
{
    REFUSE_EACH(SECOND_HELLO, instead_of_the_second_hello);
}

/* The first records that do not hold a hello. */
static const struct refusal first_records[] = {
    {"empty handshake record",     empty_handshake_record, 10, NULL                   },
    {"handshake record too large", large_handshake_record, 22, "record too large"     },
    {"more behind the hello",      more_behind_the_hello,  10, "unexpected message"   },
    {"CCS in the hello",           ccs_in_the_hello,       10, "unexpected message"   },
    {"nothing in the hello",       nothing_in_the_hello,   10, NULL                   },
    {"huge hello",                 huge_hello,             47, "ClientHello too large"},
    {"header of a huge hello",     header_of_a_huge_hello, 47, "ClientHello too large"},
    {"CCS",                        ccs,                    10, NULL                   },
    {"alert of a byte",            alert_of_a_byte,        10, NULL                   },
};

TEST(first_records)
{
    REFUSE_EACH(FIRST_HELLO, first_records);
}

/* --- before the client's Finished --- */

static void finished_with(struct scene13 *s, size_t n, uint8_t bits)
{
    uint8_t message[80] = {0};
    size_t len = client13_make_finished(&s->client, message);

    message[len - 1] ^= bits;
    message[3] = (uint8_t)(len - 4 + n);
    client13_record(&s->client, RECORD_HANDSHAKE, message, len + n);
}
static void wrong_finished(struct scene13 *s)
{
    finished_with(s, 0, 1);
}
static void short_finished(struct scene13 *s)
{
    finished_with(s, (size_t)-1, 0);
}
static void long_finished(struct scene13 *s)
{
    finished_with(s, 1, 0);
}
static void finished_and_more(struct scene13 *s)
{
    uint8_t message[80] = {0};
    size_t n = client13_make_finished(&s->client, message);

    client13_record(&s->client, RECORD_HANDSHAKE, message, n + 1);
}
/* The Finished in two records with something between them. */
static void in_the_finished(struct scene13 *s, uint8_t type, bool clear, const void *p, size_t n)
{
    uint8_t message[80];
    size_t len = client13_make_finished(&s->client, message);

    client13_record(&s->client, RECORD_HANDSHAKE, message, 2);
    if (clear)
        client13_plain(&s->client, type, p, n);
    else
        client13_record(&s->client, type, p, n);
    client13_record(&s->client, RECORD_HANDSHAKE, message + 2, len - 2);
}
static void ccs_in_the_finished(struct scene13 *s)
{
    in_the_finished(s, RECORD_CHANGE_CIPHER_SPEC, true, "\1", 1);
}
static void clear_alert_in_the_finished(struct scene13 *s)
{
    in_the_finished(s, RECORD_ALERT, true, "\2\50", 2);
}
/* In the clear says a client what it cannot say under keys: it had them already. */
static void clear_alert_after_keys(struct scene13 *s)
{
    client13_alert(&s->client, 90);
    client13_plain(&s->client, RECORD_ALERT, "\2\50", 2);
}
static void alert_in_the_finished(struct scene13 *s)
{
    in_the_finished(s, RECORD_ALERT, false, "\2\50", 2);
}
static void nothing_in_the_finished(struct scene13 *s)
{
    in_the_finished(s, RECORD_HANDSHAKE, false, NULL, 0);
}
static void data_under_handshake_keys(struct scene13 *s)
{
    client13_data(&s->client, "x", 1);
}
static void data_without_finished(struct scene13 *s)
{
    client13_finished_sent(&s->client);
    client13_data(&s->client, "x", 1);
}
static void finished_under_application_keys(struct scene13 *s)
{
    uint8_t message[80];
    size_t n = client13_make_finished(&s->client, message);

    client13_finished_sent(&s->client);
    client13_record(&s->client, RECORD_HANDSHAKE, message, n);
}
static void many_canceled(struct scene13 *s)
{
    for (unsigned i = 0; i < 33; i++)
        client13_alert(&s->client, 90);
}

/* --- in both states with keys --- */

static void key_update(struct scene13 *s)
{
    client13_key_update(&s->client, false);
}
static void hello_under_keys(struct scene13 *s)
{
    client13_make_hello(&s->client, &s->client.last_hello);
    client13_record(&s->client, RECORD_HANDSHAKE, s->client.last_hello.p, s->client.last_hello.n);
}
static void hello_in_the_clear(struct scene13 *s)
{
    client13_hello(&s->client);
}
static void certificate(struct scene13 *s)
{
    client13_record(&s->client, RECORD_HANDSHAKE, "\13\0\0\4\0\0\0\0", 8);
}
static void end_of_early_data(struct scene13 *s)
{
    client13_record(&s->client, RECORD_HANDSHAKE, "\5\0\0\0", 4);
}
static void type_byte_alone(struct scene13 *s)
{
    client13_record(&s->client, RECORD_HANDSHAKE, "\4", 1);
}
static void empty_handshake(struct scene13 *s)
{
    client13_padded(&s->client, RECORD_HANDSHAKE, NULL, 0, 100);
}
static void empty_alert(struct scene13 *s)
{
    client13_record(&s->client, RECORD_ALERT, NULL, 0);
}
static void short_alert(struct scene13 *s)
{
    client13_record(&s->client, RECORD_ALERT, "\2", 1);
}
static void long_alert(struct scene13 *s)
{
    client13_record(&s->client, RECORD_ALERT, "\2\50\0", 3);
}
static void protected_ccs(struct scene13 *s)
{
    client13_record(&s->client, RECORD_CHANGE_CIPHER_SPEC, "\1", 1);
}
static void protected_heartbeat(struct scene13 *s)
{
    client13_record(&s->client, 24, "\1\0\0", 3);
}
static void type_255(struct scene13 *s)
{
    client13_record(&s->client, 255, "x", 1);
}
static void padding_alone(struct scene13 *s)
{
    client13_padded(&s->client, 0, NULL, 0, 50);
}
static void one_zero(struct scene13 *s)
{
    client13_record(&s->client, 0, NULL, 0);
}
static void spoilt(struct scene13 *s, size_t at)
{
    client13_data(&s->client, "some data", 9);
    s->client.out.p[at] ^= 1;
}
static void spoilt_text(struct scene13 *s)
{
    spoilt(s, 5);
}
static void spoilt_tag(struct scene13 *s)
{
    spoilt(s, s->client.out.n + 5 + 9 + 1 + 15);
}
/* The header is what is authenticated, too (§5.2). */
static void spoilt_header(struct scene13 *s)
{
    spoilt(s, 2);
}
static void shorter_than_a_tag(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_DATA, "0123456789abcdef", 16);
}
static void no_bytes(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_DATA, NULL, 0);
}
static void large_text(struct scene13 *s)
{
    uint8_t *zeros = calloc(1, RECORD_TEXT_MAX + 1);

    client13_record(&s->client, RECORD_DATA, zeros, RECORD_TEXT_MAX + 1);
    free(zeros);
}
static void large_padding(struct scene13 *s)
{
    client13_padded(&s->client, RECORD_HANDSHAKE, "x", 1, RECORD_TEXT_MAX);
}
static void largest_record(struct scene13 *s)
{
    client13_padded(&s->client, RECORD_DATA, "x", 1, RECORD_CIPHERTEXT_MAX - 16 - 2);
}

#define WITH_KEYS                                                                       \
    {"ClientHello", hello_under_keys, 10, "unexpected message"},                        \
        {"ClientHello in the clear", hello_in_the_clear, 10, "unexpected record"},      \
        {"Certificate", certificate, 10, "unexpected message"},                         \
        {"EndOfEarlyData", end_of_early_data, 10, "unexpected message"},                \
        {"NewSessionTicket's first byte", type_byte_alone, 10, "unexpected message"},   \
        {"empty handshake record", empty_handshake, 10, "empty handshake record"},      \
        {"empty alert record", empty_alert, 10, "empty alert record"},                  \
        {"alert of a byte", short_alert, 50, "malformed alert"},                        \
        {"alert of three bytes", long_alert, 50, "malformed alert"},                    \
        {"protected CCS", protected_ccs, 10, "unexpected record"},                      \
        {"protected heartbeat", protected_heartbeat, 10, "unexpected record"},          \
        {"type 255", type_255, 10, "unexpected record"},                                \
        {"padding alone", padding_alone, 10, "record without a type"},                  \
        {"one zero", one_zero, 10, "record without a type"},                            \
        {"spoilt text", spoilt_text, 20, "record does not decrypt"},                    \
        {"spoilt tag", spoilt_tag, 20, "record does not decrypt"},                      \
        {"spoilt header", spoilt_header, 20, "record does not decrypt"},                \
        {"shorter than a tag", shorter_than_a_tag, 20, "record does not decrypt"},      \
        {"no bytes", no_bytes, 20, "record does not decrypt"},                          \
        {"data in the clear", data_in_the_clear, 20, "record does not decrypt"},        \
        {"text too large", large_text, 22, "record too large"},                         \
        {"padding too large", large_padding, 22, "record too large"},                   \
        {"the largest record", largest_record, 22, "record too large"},                 \
        {"record too large", large_data_record, 22, "record too large"},                \
        {"handshake record too large", large_handshake_record, 22, "record too large"}, \
        {"heartbeat", heartbeat, 10, "not a TLS record"},                               \
        {"CCS of 2", ccs_of_2, 10, "unexpected change_cipher_spec"},                    \
        {"CCS of two bytes", long_ccs, 10, "unexpected change_cipher_spec"},            \
    {                                                                                   \
        "empty CCS", empty_ccs, 10, "unexpected change_cipher_spec"                     \
    }

static const struct refusal before_finished[] = {
    WITH_KEYS,
    {"wrong Finished",                  wrong_finished,                  51, "the client's Finished does not verify"},
    {"short Finished",                  short_finished,                  50, "malformed handshake message"          },
    {"long Finished",                   long_finished,                   50, "malformed handshake message"          },
    {"Finished and more",               finished_and_more,               10, NULL                                   },
    {"Finished in the clear",           finished_in_the_clear,           10, "unexpected record"                    },
    {"CCS in the Finished",             ccs_in_the_finished,             10, "unexpected change_cipher_spec"        },
    {"alert in the clear in it",        clear_alert_in_the_finished,     10, "unexpected record"                    },
    {"alert in the clear after keys",   clear_alert_after_keys,          10, "unexpected record"                    },
    {"alert in it",                     alert_in_the_finished,           10, "record between the parts of a message"},
    {"nothing in it",                   nothing_in_the_finished,         10, "empty handshake record"               },
    {"data under handshake keys",       data_under_handshake_keys,       10, "unexpected record"                    },
    {"data without Finished",           data_without_finished,           20, "record does not decrypt"              },
    {"Finished under application keys", finished_under_application_keys, 20, "record does not decrypt"              },
    {"KeyUpdate",                       key_update,                      10, "unexpected message"                   },
    {"33 CCS",                          many_ccs,                        10, "unexpected change_cipher_spec"        },
    {"33 user_canceled",                many_canceled,                   10, "too many records without data"        },
    {"empty alert in the clear",        empty_alert_record,              10, "empty alert record"                   },
    {"alert of a byte in the clear",    alert_of_a_byte,                 50, "malformed alert"                      },
};

TEST(before_finished)
{
    REFUSE_EACH(BEFORE_FINISHED, before_finished);
}

/* --- an open connection --- */

static void message(struct scene13 *s, const char *bytes, size_t n)
{
    client13_record(&s->client, RECORD_HANDSHAKE, bytes, n);
}
static void key_update_of_2(struct scene13 *s)
{
    message(s, "\30\0\0\1\2", 5);
}
static void long_key_update(struct scene13 *s)
{
    message(s, "\30\0\0\2\0\0", 6);
}
static void empty_key_update(struct scene13 *s)
{
    message(s, "\30\0\0\0", 4);
}
static void two_key_updates(struct scene13 *s)
{
    message(s, "\30\0\0\1\0\30\0\0\1\0", 10);
}
static void finished_again(struct scene13 *s)
{
    uint8_t bytes[80];

    client13_record(&s->client, RECORD_HANDSHAKE, bytes, client13_make_finished(&s->client, bytes));
}
static void data_in_a_key_update(struct scene13 *s)
{
    message(s, "\30\0", 2);
    client13_data(&s->client, "x", 1);
}
static void no_data_in_a_key_update(struct scene13 *s)
{
    message(s, "\30\0", 2);
    client13_data(&s->client, NULL, 0);
}
static void close_in_a_key_update(struct scene13 *s)
{
    message(s, "\30\0", 2);
    client13_alert(&s->client, 0);
}
static void old_key_after_key_update(struct scene13 *s)
{
    message(s, "\30\0\0\1\0", 5);
    client13_data(&s->client, "x", 1);
}
static void alert_in_the_clear(struct scene13 *s)
{
    client13_plain(&s->client, RECORD_ALERT, "\1\0", 2);
}
static void many_key_updates(struct scene13 *s)
{
    for (unsigned i = 0; i < 33; i++)
        client13_key_update(&s->client, true);
}
static void many_empty_records(struct scene13 *s)
{
    for (unsigned i = 0; i < 33; i++)
        client13_padded(&s->client, RECORD_DATA, NULL, 0, i);
}
static void a_mixed_flood(struct scene13 *s)
{
    for (unsigned i = 0; i < 11; i++) {
        client13_data(&s->client, NULL, 0);
        client13_key_update(&s->client, false);
        client13_alert(&s->client, 90);
    }
}
static void record_twice(struct scene13 *s)
{
    client13_data(&s->client, "x", 1);
    s->client.write.seq--;
    client13_data(&s->client, "x", 1);
}
static void record_left_out(struct scene13 *s)
{
    s->client.write.seq++;
    client13_data(&s->client, "x", 1);
}

static const struct refusal open_connection[] = {
    WITH_KEYS,
    {"KeyUpdate of 2",           key_update_of_2,          47, "malformed KeyUpdate"                       },
    {"KeyUpdate of two bytes",   long_key_update,          50, "malformed handshake message"               },
    {"empty KeyUpdate",          empty_key_update,         50, "malformed handshake message"               },
    {"two KeyUpdates",           two_key_updates,          10, "more behind a message that changes the key"},
    {"Finished again",           finished_again,           10, "unexpected message"                        },
    {"data in a KeyUpdate",      data_in_a_key_update,     10, "record between the parts of a message"     },
    {"no data in a KeyUpdate",   no_data_in_a_key_update,  10, "record between the parts of a message"     },
    {"close in a KeyUpdate",     close_in_a_key_update,    10, "record between the parts of a message"     },
    {"old key after KeyUpdate",  old_key_after_key_update, 20, "record does not decrypt"                   },
    {"alert in the clear",       alert_in_the_clear,       10, "unexpected record"                         },
    {"empty alert in the clear", empty_alert_record,       10, "unexpected record"                         },
    {"CCS",                      ccs,                      10, "unexpected change_cipher_spec"             },
    {"33 KeyUpdates",            many_key_updates,         10, "too many records without data"             },
    {"33 empty records",         many_empty_records,       10, "too many records without data"             },
    {"33 user_canceled",         many_canceled,            10, "too many records without data"             },
    {"a mixed flood",            a_mixed_flood,            10, "too many records without data"             },
    {"a record twice",           record_twice,             20, "record does not decrypt"                   },
    {"a record left out",        record_left_out,          20, "record does not decrypt"                   },
};

TEST(open_connection)
{
    REFUSE_EACH(OPEN, open_connection);
}

/* --- early data --- */

enum { ALLOWANCE = 16384 + 4096 };

/* With n bytes of records of early data, then the rest of the handshake. */
static void with_early_data(struct scene13 *s, bool says_so, bool retry, size_t n)
{
    uint8_t *zeros = calloc(1, n);

    scene13_init(s, "p256.pem", "p256.key");
    psk = scene13_ticket(s, 0x1301, NULL);
    scene13_begin(s);
    s->client.hello.early_data = says_so;
    s->client.hello.shares.n = !retry;
    offer(s);
    client13_hello(&s->client);
    client13_early(&s->client);
    while (n > 1000) {
        client13_data(&s->client, zeros, 1000 - RECORD_OVERHEAD);
        n -= 1000;
    }
    client13_data(&s->client, zeros, n - RECORD_OVERHEAD);
    scene13_turn(s);
    free(zeros);
}

TEST(early_data_has_an_end)
{
    for (unsigned i = 0; i < 8; i++) {
        struct scene13 s;
        bool says_so = i & 1, retry = i & 2, more = i & 4;
        with_early_data(&s, says_so, retry, ALLOWANCE + more);
        if (says_so && !more) {
            CHECK_EQ(tls_status(s.tls), TLS_HANDSHAKE);
            CHECK_STR(s.client.error, "");
        } else if (retry) {
            scene13_refused(&s, 10, KEYS_NONE, says_so ? "too much early data" : "unexpected record");
        } else {
            scene13_refused(&s, says_so ? 10 : 20, KEYS_APPLICATION,
                            says_so ? "too much early data" : "record does not decrypt");
        }
        scene13_free(&s);
    }
}

/* Once a record was opened, or the second hello is there, nothing more goes by (§4.2.10). */
TEST(early_data_ends_where_the_client_goes_on)
{
    for (unsigned retry = 0; retry < 2; retry++) {
        struct scene13 s;
        with_early_data(&s, true, retry, 100);
        if (retry) {
            client13_hello(&s.client);
            scene13_turn(&s);
        } else {
            client13_alert(&s.client, 90); /* under the handshake keys, and not the end */
        }
        data_in_the_clear(&s);
        scene13_turn(&s);
        scene13_refused(&s, 20, KEYS_APPLICATION, "record does not decrypt");
        scene13_free(&s);
    }
}

TEST(early_data_is_no_part_of_a_hello)
{
    struct scene13 s;

    with_early_data(&s, true, true, 100);
    data_in_the_hello(&s);
    scene13_turn(&s);
    scene13_refused(&s, 10, KEYS_NONE, "unexpected record");
    scene13_free(&s);
}

/* 32 of what a flood is made of are no flood, and data between them makes them none. */
TEST(a_few_are_no_flood)
{
    struct scene13 s;

    scene13_init(&s, "p256.pem", "p256.key");
    scene13_begin(&s);
    client13_hello(&s.client);
    scene13_turn(&s);
    for (unsigned i = 0; i < 30; i++)
        ccs(&s);
    client13_finish(&s.client);
    scene13_turn(&s);
    scene13_is_open(&s);
    for (unsigned round = 0; round < 4; round++) {
        client13_data(&s.client, "x", 1);
        for (unsigned i = 0; i < 32; i++) {
            if (i % 2)
                client13_key_update(&s.client, true);
            else
                client13_padded(&s.client, RECORD_DATA, NULL, 0, 1000);
        }
        scene13_turn(&s);
        scene13_exchange(&s);
    }
    scene13_free(&s);
}

TEST_MAIN(RUN(instead_of_the_second_hello), RUN(first_records), RUN(before_finished), RUN(open_connection),
          RUN(early_data_has_an_end), RUN(early_data_ends_where_the_client_goes_on),
          RUN(early_data_is_no_part_of_a_hello), RUN(a_few_are_no_flood))
