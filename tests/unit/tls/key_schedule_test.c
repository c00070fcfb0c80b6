/* SPDX-License-Identifier: MIT
 *
 * The key schedule and the protection of records against the traces of RFC 8448, byte for byte: each secret, key, IV,
 * Finished, binder, and each record both ways.
 */
#include "tests/unit/test.h"

#include "tls/key_schedule.h"
#include "tls/record13.h"

#include <stdlib.h>

/* --- a trace --- */

enum { VALUES = 64, VALUE_MAX = 1024 };

struct trace {
    struct {
        char name[48];
        uint8_t bytes[VALUE_MAX];
        size_t n;
    } v[VALUES];
    size_t n;
    struct transcript transcript;
    struct key_schedule keys;
};

static void read_line(struct trace *t, const char *line)
{
    char digits[2 * VALUE_MAX + 1] = "";

    if (line[0] == '#' || t->n == VALUES)
        return;
    if (sscanf(line, "%47s = %2048s", t->v[t->n].name, digits) != 2)
        return;
    for (const char *d = digits; *d; d += 2) {
        unsigned byte;
        sscanf(d, "%2x", &byte);
        t->v[t->n].bytes[t->v[t->n].n++] = (uint8_t)byte;
    }
    t->n++;
}

static struct trace *trace_open(const char *name)
{
    struct trace *t = calloc(1, sizeof *t);
    char path[100], line[2 * VALUE_MAX + 100];
    FILE *f;

    snprintf(path, sizeof path, "tests/vectors/rfc8448/%s", name);
    f = fopen(path, "r");
    if (!t || !f) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof line, f))
        read_line(t, line);
    fclose(f);
    return t;
}

static struct bytes value(const struct trace *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->v[i].name, name) == 0)
            return (struct bytes){t->v[i].bytes, t->v[i].n};
    return (struct bytes){NULL, 0};
}

static struct bytes side_value(const struct trace *t, const char *side, const char *name)
{
    char whole[100];

    snprintf(whole, sizeof whole, "%s_%s", side, name);
    return value(t, whole);
}

/* It is what the trace has by this name. */
static void is(const struct trace *t, const char *name, const void *p, size_t n)
{
    struct bytes want = value(t, name);

    if (!CHECK(want.n > 0) || !CHECK_MEM(p, n, want.p, want.n))
        printf("    %s\n", name);
}

static void add(struct trace *t, const char *name)
{
    struct bytes message = value(t, name);

    CHECK(message.n > 4);
    transcript_add(&t->transcript, message.p, message.n);
}

/* --- what comes of it --- */

static const struct suite13 *suite(void)
{
    return suite13_find(0x1301);
}

/* A traffic secret of a side, with its key and IV. */
static void secret_is(const struct trace *t, const char *label, const char *name,
                      uint8_t secret[KEY_SCHEDULE_MAX])
{
    uint8_t messages[KEY_SCHEDULE_MAX], key[16], iv[12];
    char part[100];

    transcript_hash(&t->transcript, messages);
    key_schedule_derive(&t->keys, label, messages, secret);
    snprintf(part, sizeof part, "%s_traffic_secret", name);
    is(t, part, secret, 32);
    key_schedule_traffic(&br_sha256_vtable, secret, key, sizeof key, iv, sizeof iv);
    snprintf(part, sizeof part, "%s_key", name);
    is(t, part, key, sizeof key);
    snprintf(part, sizeof part, "%s_iv", name);
    is(t, part, iv, sizeof iv);
}

/* The record opens to this text, and the text makes this record. */
static void record_is(struct record13 *r, uint8_t type, struct bytes record, struct bytes text)
{
    uint8_t *copy = malloc(record.n + 1), got_type;
    struct record13 again = *r;
    struct bytes got;

    if (!CHECK(copy && record.n > RECORD_OVERHEAD))
        return;
    memcpy(copy, record.p, record.n);
    CHECK_EQ(record13_open(r, copy, record.n, &got_type, &got), 0);
    CHECK_EQ(got_type, type);
    CHECK_MEM(got.p, got.n, text.p, text.n);
    memcpy(copy + RECORD_HEADER, text.p, text.n);
    CHECK_EQ(record13_seal(&again, type, copy, text.n), record.n);
    CHECK_MEM(copy, record.n, record.p, record.n);
    CHECK_EQ(r->seq, again.seq);
    free(copy);
}

static struct record13 keyed(const uint8_t *secret)
{
    struct record13 r = {0};
    struct aead *aead = malloc(aead_size(AEAD_AES_128_GCM));

    record13_set_key(&r, aead, suite(), secret);
    return r;
}

static void finished_is(const struct trace *t, const char *side, const uint8_t *secret)
{
    uint8_t messages[KEY_SCHEDULE_MAX], verify_data[KEY_SCHEDULE_MAX];
    struct bytes message = side_value(t, side, "finished");

    transcript_hash(&t->transcript, messages);
    CHECK_MEM(messages, 32, side_value(t, side, "finished_hash").p, 32);
    key_schedule_finished(&br_sha256_vtable, secret, messages, verify_data);
    CHECK_MEM(verify_data, 32, message.p + 4, message.n - 4);
}

static void data_is(const struct trace *t, const char *side, struct record13 *r)
{
    if (side_value(t, side, "data").n)
        record_is(r, RECORD_DATA, side_value(t, side, "data_record"), side_value(t, side, "data"));
    record_is(r, RECORD_ALERT, side_value(t, side, "close_record"), side_value(t, side, "close"));
}

static void begin(struct trace *t)
{
    transcript_init(&t->transcript, &br_sha256_vtable);
    key_schedule_init(&t->keys, &br_sha256_vtable, value(t, "psk").p);
    is(t, "early_secret", t->keys.secret, 32);
    add(t, "client_hello");
    if (!value(t, "hello_retry_request").n)
        return;
    transcript_retry(&t->transcript);
    add(t, "hello_retry_request");
    add(t, "second_client_hello");
}

/* From the ServerHello to the server's Finished. Early data, where there is some, is the caller's. */
static void flight(struct trace *t, uint8_t client_secret[KEY_SCHEDULE_MAX])
{
    uint8_t messages[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX];
    struct bytes all = value(t, "server_flight");

    add(t, "server_hello");
    transcript_hash(&t->transcript, messages);
    is(t, "hello_hash", messages, 32);
    key_schedule_advance(&t->keys, value(t, "shared_secret"));
    is(t, "handshake_secret", t->keys.secret, 32);
    secret_is(t, "c hs traffic", "client_handshake", client_secret);
    secret_is(t, "s hs traffic", "server_handshake", secret);
    struct record13 r = keyed(secret);
    record_is(&r, RECORD_HANDSHAKE, value(t, "server_flight_record"), all);
    free(r.aead);
    transcript_add(&t->transcript, all.p, all.n - value(t, "server_finished").n);
    finished_is(t, "server", secret);
    add(t, "server_finished");
    transcript_hash(&t->transcript, messages);
    is(t, "server_finished_transcript_hash", messages, 32);
}

static void end(struct trace *t, const uint8_t *client_secret)
{
    uint8_t messages[KEY_SCHEDULE_MAX], client[KEY_SCHEDULE_MAX], server[KEY_SCHEDULE_MAX],
        more[KEY_SCHEDULE_MAX];

    key_schedule_advance(&t->keys, (struct bytes){NULL, 0});
    is(t, "master_secret", t->keys.secret, 32);
    secret_is(t, "c ap traffic", "client_application", client);
    secret_is(t, "s ap traffic", "server_application", server);
    transcript_hash(&t->transcript, messages);
    key_schedule_derive(&t->keys, "exp master", messages, more);
    is(t, "exporter_master_secret", more, 32);

    struct record13 r = keyed(client_secret);
    if (value(t, "end_of_early_data").n)
        transcript_add(&t->transcript, value(t, "end_of_early_data").p, 4);
    record_is(&r, RECORD_HANDSHAKE, value(t, "client_finished_record"), value(t, "client_finished"));
    free(r.aead);
    finished_is(t, "client", client_secret);
    add(t, "client_finished");
    transcript_hash(&t->transcript, messages);
    is(t, "client_finished_transcript_hash", messages, 32);
    key_schedule_derive(&t->keys, "res master", messages, more);
    is(t, "resumption_master_secret", more, 32);

    r = keyed(server);
    struct record13 c = keyed(client);
    if (value(t, "new_session_ticket").n) {
        record_is(&r, RECORD_HANDSHAKE, value(t, "new_session_ticket_record"),
                  value(t, "new_session_ticket"));
        key_schedule_ticket(&br_sha256_vtable, more, value(t, "ticket_nonce"), more);
        is(t, "resumption_psk", more, 32);
    }
    data_is(t, "client", &c);
    data_is(t, "server", &r);
    free(r.aead);
    free(c.aead);
}

static void whole(const char *name)
{
    struct trace *t = trace_open(name);
    uint8_t client_secret[KEY_SCHEDULE_MAX];

    begin(t);
    flight(t, client_secret);
    end(t, client_secret);
    free(t);
}

TEST(simple_1_rtt)
{
    whole("simple.txt");
}

TEST(hello_retry_request)
{
    whole("retry.txt");
}

TEST(compatibility_mode)
{
    whole("compat.txt");
}

TEST(resumed_0_rtt)
{
    struct trace *t = trace_open("resumed.txt");
    uint8_t client_secret[KEY_SCHEDULE_MAX], secret[KEY_SCHEDULE_MAX], messages[KEY_SCHEDULE_MAX];
    struct bytes hello = value(t, "client_hello");
    struct transcript truncated;

    begin(t);
    transcript_init(&truncated, &br_sha256_vtable);
    transcript_add(&truncated, hello.p, hello.n - 2 - 1 - 32);
    transcript_hash(&truncated, messages);
    is(t, "binder_hash", messages, 32);
    key_schedule_binder(&t->keys, messages, secret);
    is(t, "binder", secret, 32);

    secret_is(t, "c e traffic", "client_early", secret);
    struct record13 r = keyed(secret);
    transcript_hash(&t->transcript, messages);
    key_schedule_derive(&t->keys, "e exp master", messages, secret);
    is(t, "early_exporter_master_secret", secret, 32);
    record_is(&r, RECORD_DATA, value(t, "early_record"), value(t, "early_data"));
    record_is(&r, RECORD_HANDSHAKE, value(t, "end_of_early_data_record"), value(t, "end_of_early_data"));
    free(r.aead);

    flight(t, client_secret);
    end(t, client_secret);
    free(t);
}

/* A resumption starts from what the session before it left. */
TEST(the_ticket_of_one_is_the_psk_of_the_other)
{
    struct trace *one = trace_open("simple.txt"), *other = trace_open("resumed.txt");

    CHECK_MEM(value(one, "resumption_psk").p, 32, value(other, "psk").p, value(other, "psk").n);
    free(one);
    free(other);
}

/* --- what the traces do not show: worked out with Python's hmac --- */

TEST(key_update)
{
    static const struct {
        const br_hash_class *hash;
        size_t n;
        const char *next;
    } cases[] = {
        {&br_sha256_vtable, 32,
         "\x2c\xec\xd0\xa1\x75\x06\xef\x5f\xa7\x3e\xdc\x06\x2d\x6e\x7b\x53"
         "\x97\xcf\x07\x4e\xc1\xb4\xd8\xf9\x9a\x12\x07\x72\x93\x2f\x0b\x45"},
        {&br_sha384_vtable, 48,
         "\x40\x13\x31\xb6\x3e\x9d\x59\xf2\x02\xe8\xf0\x41\x04\x2d\x95\x16"
         "\xf4\xcd\x7f\xa2\xe2\xee\x14\x63\x1d\x3b\x49\xfc\x34\x0d\x7a\xf3"
         "\x7f\xc2\xc0\xc9\xf2\x52\xd8\x03\x6f\x81\xec\x5b\x85\xcb\xe5\xdb"},
    };

    for (size_t i = 0; i < 2; i++) {
        uint8_t secret[KEY_SCHEDULE_MAX];
        for (size_t k = 0; k < sizeof secret; k++)
            secret[k] = (uint8_t)k;
        key_schedule_update(cases[i].hash, secret);
        CHECK_MEM(secret, cases[i].n, cases[i].next, cases[i].n);
    }
}

/* With SHA-384, from a PSK to the Finished: everything that depends on the hash's length. */
TEST(sha384)
{
    uint8_t psk[48], shared[32], messages[48], secret[48], out[48], key[32], iv[12];
    struct transcript t;
    struct key_schedule k;

    memset(psk, 1, sizeof psk);
    memset(shared, 2, sizeof shared);
    transcript_init(&t, &br_sha384_vtable);
    transcript_add(&t, "first hello", 11);
    transcript_retry(&t);
    transcript_add(&t, "more", 4);
    transcript_hash(&t, messages);
    CHECK_MEM(messages, 48,
              "\x1b\xa3\xaf\xc6\x42\xdd\xb9\x9d\x3e\x90\xc8\xab\x7a\xe4\x75\x39"
              "\xa2\xb6\x14\x97\x85\x73\xeb\x35\x11\x29\xad\x3c\x65\x12\x2c\x61"
              "\xc3\x91\xf0\xf7\xcd\xae\x8d\x55\x24\xd9\x3f\xeb\xb0\xb5\x88\xd8",
              48);
    key_schedule_init(&k, &br_sha384_vtable, psk);
    key_schedule_binder(&k, messages, out);
    CHECK_MEM(out, 48,
              "\x14\x53\x4f\xbd\x20\x0d\xe9\x0a\xc4\xc8\x4f\x48\x29\x8d\x75\x8d"
              "\x9b\x22\x84\x77\x43\x8b\x7a\x97\xb6\xaf\x71\x46\x66\xc0\x71\xf2"
              "\x07\x27\x20\x26\x03\xf9\xb8\x23\xa1\xca\x26\x8c\xd3\xfe\x63\x6a",
              48);
    key_schedule_advance(&k, (struct bytes){shared, sizeof shared});
    key_schedule_derive(&k, "c hs traffic", messages, secret);
    CHECK_MEM(secret, 48,
              "\xb5\xb9\x16\xdb\x2b\x42\x6e\xa7\x0b\x80\x75\xd4\xd2\x43\x1e\xba"
              "\x95\xd4\xeb\xf6\xf3\xac\x82\xda\x08\xc0\x88\x0a\xce\xf3\xce\xb6"
              "\x98\x76\x03\x4e\xb8\x3d\x2a\x5f\xa7\x6d\x62\xf4\x01\xd4\x23\xa1",
              48);
    key_schedule_traffic(&br_sha384_vtable, secret, key, sizeof key, iv, sizeof iv);
    CHECK_MEM(key, 32,
              "\xb3\xe0\xba\x41\xfe\x88\x61\xa2\xf5\x7a\x70\x1a\x16\xc7\x43\xd8"
              "\x69\x0c\xf1\x4a\x70\x20\x59\x32\xbc\x03\x99\x29\x5f\x9e\xbd\x58",
              32);
    CHECK_MEM(iv, 12, "\x36\x9f\xec\x88\x2d\x8c\xb0\x82\xa5\x7f\x84\x06", 12);
    key_schedule_finished(&br_sha384_vtable, secret, messages, out);
    CHECK_MEM(out, 48,
              "\x5f\x85\xf6\x22\x59\x06\x6b\x2d\xae\x20\xcd\x01\x2d\x48\x20\xa8"
              "\xb2\x93\x09\x14\xad\xb4\xb8\x85\x72\x48\x6f\x3c\x89\x24\xe7\x10"
              "\xee\x42\xcc\x70\x89\xc8\x08\x13\x34\x61\x05\x8b\x7c\x29\x12\x4c",
              48);
    key_schedule_advance(&k, (struct bytes){NULL, 0});
    key_schedule_derive(&k, "res master", messages, secret);
    key_schedule_ticket(&br_sha384_vtable, secret, (struct bytes){(const uint8_t *)"\1", 1}, out);
    CHECK_MEM(out, 48,
              "\x46\x76\x7c\xa0\xd5\x1b\xdc\xe0\xdf\x3b\x2c\x90\xf8\x81\xf4\x15"
              "\xa9\xe4\xd2\x8c\x39\xf6\xe7\x23\xda\x8c\x36\xf7\xd2\x26\x00\x1e"
              "\xbb\xd4\xee\x5b\x94\xd6\xe6\x0b\x96\x26\x2b\xb2\xc3\xa1\xdb\x73",
              48);
    key_schedule_init(&k, &br_sha384_vtable, NULL);
    CHECK_MEM(k.secret, 48,
              "\x7e\xe8\x20\x6f\x55\x70\x02\x3e\x6d\xc7\x51\x9e\xb1\x07\x3b\xc4"
              "\xe7\x91\xad\x37\xb5\xc3\x82\xaa\x10\xba\x18\xe2\x35\x7e\x71\x69"
              "\x71\xf9\x36\x2f\x2c\x2f\xe2\xa7\x6b\xfd\x78\xdf\xec\x4e\xa9\xb5",
              48);
}

/* --- records: padding and limits, opened by hand --- */

TEST(what_a_record_may_be)
{
    static const struct {
        size_t text, padding, left_out;
        uint8_t type, alert;
    } cases[] = {
        {0,                   0,                          0,  RECORD_DATA,      0 },
        {1,                   0,                          0,  RECORD_DATA,      0 },
        {5,                   100,                        0,  RECORD_HANDSHAKE, 0 },
        {RECORD_TEXT_MAX,     0,                          0,  RECORD_DATA,      0 },
        {0,                   RECORD_TEXT_MAX,            0,  RECORD_DATA,      0 },
        {RECORD_TEXT_MAX + 1, 0,                          0,  RECORD_DATA,      22},
        {1,                   RECORD_TEXT_MAX,            0,  RECORD_DATA,      22},
        {0,                   RECORD_TEXT_MAX + 255 - 16, 0,  RECORD_DATA,      22},
        {0,                   RECORD_TEXT_MAX + 256 - 16, 0,  RECORD_DATA,      22},
        {0,                   0,                          0,  0,                10},
        {0,                   RECORD_TEXT_MAX,            0,  0,                10},
        {1,                   0,                          1,  RECORD_DATA,      20},
        {0,                   0,                          1,  RECORD_DATA,      20},
        {0,                   0,                          17, RECORD_DATA,      20},
    };
    uint8_t *record = malloc(20000), secret[KEY_SCHEDULE_MAX] = {7};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct record13 out = keyed(secret), in = keyed(secret);
        size_t inner = cases[i].text + (cases[i].padding ? 1 + cases[i].padding : 0);
        uint8_t type;
        struct bytes text;
        memset(record, 0, 20000);
        memset(record + RECORD_HEADER, 'x', cases[i].text);
        if (cases[i].padding) {
            record[RECORD_HEADER + cases[i].text] = cases[i].type;
            inner--;
        }
        size_t n =
            record13_seal(&out, cases[i].padding ? 0 : cases[i].type, record, inner) - cases[i].left_out;
        if (!CHECK_EQ(record13_open(&in, record, n, &type, &text), cases[i].alert))
            printf("    case %zu\n", i);
        CHECK_EQ(in.seq, cases[i].alert != 20 && n <= RECORD_HEADER + RECORD_CIPHERTEXT_MAX);
        if (!cases[i].alert) {
            CHECK_EQ(type, cases[i].type);
            CHECK_EQ(text.n, cases[i].text);
        }
        free(out.aead);
        free(in.aead);
    }
    free(record);
}

/* Sealed as it should be, but with nothing in it (§5.4); and what is shorter than a tag. */
TEST(a_record_of_nothing)
{
    uint8_t record[RECORD_HEADER + AEAD_TAG] = {RECORD_DATA, 3, 3, 0, AEAD_TAG},
                                   secret[KEY_SCHEDULE_MAX] = {7}, type;
    struct record13 r = keyed(secret);
    struct bytes text;

    aead_seal(r.aead, r.iv, record, RECORD_HEADER, record + RECORD_HEADER, 0, record + RECORD_HEADER);
    CHECK_EQ(record13_open(&r, record, sizeof record, &type, &text), 10);
    CHECK_EQ(r.seq, 1);
    for (size_t n = RECORD_HEADER; n < sizeof record; n++)
        CHECK_EQ(record13_open(&r, record, n, &type, &text), 20);
    free(r.aead);
}

/* Its bytes go into the nonce at the end of the IV (§5.3). */
TEST(sequence_numbers)
{
    static const uint64_t numbers[] = {
        0, 1, 255, 256, 0xffffffff, 0x100000000, 0x0102030405060708, UINT64_MAX - 1};
    uint8_t record[RECORD_OVERHEAD + 1], plain[RECORD_OVERHEAD + 1] = {[5] = 'x', [6] = RECORD_DATA},
                                                                 secret[KEY_SCHEDULE_MAX] = {9};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct record13 r = keyed(secret);
        uint8_t nonce[12], tag[16], text[2] = {'x', RECORD_DATA};
        r.seq = numbers[i];
        memcpy(nonce, r.iv, 12);
        for (unsigned k = 0; k < 8; k++)
            nonce[4 + k] ^= (uint8_t)(numbers[i] >> (56 - 8 * k));
        memcpy(record, plain, sizeof plain);
        CHECK_EQ(record13_seal(&r, RECORD_DATA, record, 1), sizeof record);
        CHECK_EQ(r.seq, numbers[i] + 1);
        aead_seal(r.aead, nonce, "\x17\x03\x03\x00\x12", 5, text, 2, tag);
        CHECK_MEM(record, 5, "\x17\x03\x03\x00\x12", 5);
        CHECK_MEM(record + 5, 2, text, 2);
        CHECK_MEM(record + 7, 16, tag, 16);
        free(r.aead);
    }
}

TEST_MAIN(RUN(simple_1_rtt), RUN(hello_retry_request), RUN(compatibility_mode), RUN(resumed_0_rtt),
          RUN(the_ticket_of_one_is_the_psk_of_the_other), RUN(key_update), RUN(sha384),
          RUN(what_a_record_may_be), RUN(a_record_of_nothing), RUN(sequence_numbers))
