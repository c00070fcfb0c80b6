/* SPDX-License-Identifier: MIT
 *
 * Reads the ClientHello: finds where it ends among its records, and takes it apart. Nothing is copied but a message
 * that came in several records. The parser is strict in form (every vector is whole, no extension comes twice) and
 * open in content: values it does not know, GREASE among them (RFC 8701), are passed over.
 */
#include "tls/client_hello.h"
#include "tls/alert.h"

#include <bearssl.h>
#include <string.h>

enum { RECORD_HANDSHAKE = 22, RECORD_HEADER = 5, RECORD_MAX = 16384, MESSAGE_HEADER = 4, CLIENT_HELLO = 1 };

/* --- collecting --- */

/* The first bytes of every method that a browser or a tool would begin a request in the clear with. */
static const char methods[][5] = {"GET ", "POST", "HEAD", "PUT ", "OPTI",
                                  "DELE", "PATC", "CONN", "TRAC", "PRI "};

/* What begins a connection and is no handshake record. 0: cannot be told yet. */
static long classify(struct bytes in)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        size_t n = in.n < 4 ? in.n : 4;
        if (memcmp(in.p, methods[i], n) == 0)
            return n == 4 ? CLIENT_HELLO_PLAIN_HTTP : 0;
    }
    /* An SSLv2 hello (RFC 5246 Appendix E.2): a length with its top bit set, then msg_type 1. */
    if (in.p[0] & 0x80) {
        if (in.n < 3)
            return 0;
        return in.p[2] == CLIENT_HELLO ? CLIENT_HELLO_BAD_VERSION : CLIENT_HELLO_BAD_RECORD;
    }
    return in.p[0] >= 20 && in.p[0] <= 24 ? CLIENT_HELLO_UNEXPECTED : CLIENT_HELLO_BAD_RECORD;
}

/* Checks a record's header (RFC 5246 §6.2.1) as far as it is there; `*len` is 0 until it is whole. */
static long check_header(struct bytes in, size_t *len)
{
    *len = 0;
    if (in.n >= 1 && in.p[0] != RECORD_HANDSHAKE)
        return CLIENT_HELLO_UNEXPECTED;
    if (in.n >= 2 && in.p[1] != 3)
        return CLIENT_HELLO_BAD_VERSION;
    if (in.n < RECORD_HEADER)
        return 0;
    *len = (size_t)in.p[3] << 8 | in.p[4];
    if (*len > RECORD_MAX)
        return CLIENT_HELLO_OVERFLOW;
    /* An empty fragment of a handshake message is not allowed. */
    return *len == 0 ? CLIENT_HELLO_BAD_RECORD : 0;
}

static void assemble(struct bytes in, size_t size, uint8_t *scratch)
{
    size_t pos = 0, at = 0;

    while (at < size) {
        size_t len = (size_t)in.p[pos + 3] << 8 | in.p[pos + 4];
        memcpy(scratch + at, in.p + pos + RECORD_HEADER, len);
        at += len;
        pos += RECORD_HEADER + len;
    }
}

long client_hello_collect(struct bytes in, struct bytes *message, uint8_t *scratch)
{
    uint8_t header[MESSAGE_HEADER];
    size_t pos = 0, got = 0, size = 0, records = 0;

    if (in.n == 0)
        return 0;
    if (in.p[0] != RECORD_HANDSHAKE)
        return classify(in);
    for (;;) {
        struct bytes rest = {in.p + pos, in.n - pos};
        size_t len;
        long bad = check_header(rest, &len);
        if (bad || len == 0)
            return bad;
        size_t there = rest.n - RECORD_HEADER < len ? rest.n - RECORD_HEADER : len;
        for (size_t i = 0; i < there && got + i < MESSAGE_HEADER; i++)
            header[got + i] = rest.p[RECORD_HEADER + i];
        if (got + there >= 1 && header[0] != CLIENT_HELLO)
            return CLIENT_HELLO_UNEXPECTED;
        if (got + there >= MESSAGE_HEADER) {
            size = MESSAGE_HEADER + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
            if (size > MESSAGE_HEADER + CLIENT_HELLO_MAX)
                return CLIENT_HELLO_TOO_LARGE;
            /* The client waits for our answer now: nothing follows in this record. */
            if (got + len > size)
                return CLIENT_HELLO_UNEXPECTED;
        }
        if (there < len)
            return 0;
        got += len;
        pos += RECORD_HEADER + len;
        records++;
        if (size && got == size)
            break;
    }
    if (records == 1) {
        *message = (struct bytes){in.p + RECORD_HEADER, size};
    } else {
        assemble(in, size, scratch);
        *message = (struct bytes){scratch, size};
    }
    return (long)pos;
}

/* --- parsing --- */

enum extension {
    EXT_SERVER_NAME = 0,
    EXT_SUPPORTED_GROUPS = 10,
    EXT_SIGNATURE_ALGORITHMS = 13,
    EXT_ALPN = 16,
    EXT_PADDING = 21,
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_RECORD_SIZE_LIMIT = 28,
    EXT_PRE_SHARED_KEY = 41,
    EXT_EARLY_DATA = 42,
    EXT_SUPPORTED_VERSIONS = 43,
    EXT_COOKIE = 44,
    EXT_PSK_KEY_EXCHANGE_MODES = 45,
    EXT_OID_FILTERS = 48, /* of a CertificateRequest */
    EXT_SIGNATURE_ALGORITHMS_CERT = 50,
    EXT_KEY_SHARE = 51,
    EXT_ENCRYPTED_CLIENT_HELLO = 0xfe0d, /* not ours to read: RFC 9849 §6.1.5 makes it anew */
    EXT_RENEGOTIATION_INFO = 0xff01,
};

/* What a reader of a whole vector has left, as bytes. */
static struct bytes rest_of(struct reader *r)
{
    return reader_take(r, reader_left(r));
}

/* A non-empty list of 16-bit values, which is all of `r`. */
static uint8_t values16(struct reader *list, struct reader *r, struct bytes *out)
{
    *out = rest_of(list);
    return list->failed || !reader_done(r) || out->n == 0 || out->n % 2 ? ALERT_DECODE_ERROR : 0;
}

static uint8_t list16(struct reader *r, struct bytes *out)
{
    struct reader list = reader_vec16(r);
    return values16(&list, r, out);
}

/* RFC 6066 §3 */
static uint8_t server_name(struct client_hello *h, struct reader *r)
{
    struct reader list = reader_vec16(r);

    if (!reader_done(r) || reader_left(&list) == 0)
        return ALERT_DECODE_ERROR;
    while (!list.failed && reader_left(&list)) {
        uint8_t type = reader_u8(&list);
        struct reader value = reader_vec16(&list);
        struct bytes name = rest_of(&value);
        if (list.failed || name.n == 0)
            return ALERT_DECODE_ERROR;
        if (type != 0)
            continue;
        if (h->server_name.n || name.n > 255)
            return ALERT_ILLEGAL_PARAMETER;
        for (size_t i = 0; i < name.n; i++)
            if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
                return ALERT_ILLEGAL_PARAMETER;
        h->server_name = name;
    }
    return list.failed ? ALERT_DECODE_ERROR : 0;
}

/* RFC 7301 §3.1 */
static uint8_t alpn(struct client_hello *h, struct reader *r)
{
    struct reader list = reader_vec16(r), names = list;

    h->alpn = rest_of(&list);
    if (!reader_done(r) || h->alpn.n == 0)
        return ALERT_DECODE_ERROR;
    while (!names.failed && reader_left(&names)) {
        struct reader name = reader_vec8(&names);
        if (reader_left(&name) == 0)
            return ALERT_DECODE_ERROR;
    }
    return names.failed ? ALERT_DECODE_ERROR : 0;
}

/* RFC 8446 §4.2.8 */
static uint8_t key_share(struct client_hello *h, struct reader *r)
{
    struct reader list = reader_vec16(r), shares = list;

    h->has_key_share = true;
    h->key_share = rest_of(&list);
    if (!reader_done(r))
        return ALERT_DECODE_ERROR;
    while (!shares.failed && reader_left(&shares)) {
        reader_u16(&shares);
        struct reader key = reader_vec16(&shares);
        if (reader_left(&key) == 0)
            return ALERT_DECODE_ERROR;
    }
    return shares.failed ? ALERT_DECODE_ERROR : 0;
}

/* An identity has a byte at least and an age behind it, a binder 32 bytes, and each belongs to one of the other. */
static uint8_t psks(struct reader identities, struct reader binders)
{
    while (reader_left(&identities) && reader_left(&binders)) {
        struct reader identity = reader_vec16(&identities), binder = reader_vec8(&binders);
        reader_u32(&identities);
        if (identities.failed || binders.failed || !reader_left(&identity) || reader_left(&binder) < 32)
            return ALERT_DECODE_ERROR;
    }
    return reader_left(&identities) || reader_left(&binders) ? ALERT_ILLEGAL_PARAMETER : 0;
}

/* RFC 8446 §4.2.11 */
static uint8_t pre_shared_key(struct client_hello *h, struct reader *r, const uint8_t *message)
{
    h->has_psk = true;
    h->pre_shared_key = (struct bytes){r->p, reader_left(r)};
    struct reader identities = reader_vec16(r);
    if (r->failed || reader_left(&identities) == 0)
        return ALERT_DECODE_ERROR;
    h->binders_offset = (size_t)(r->p - message);
    struct reader binders = reader_vec16(r);
    if (!reader_done(r) || reader_left(&binders) == 0)
        return ALERT_DECODE_ERROR;
    return psks(identities, binders);
}

static uint8_t empty(struct reader *r, bool *flag)
{
    *flag = true;
    return reader_done(r) ? 0 : ALERT_DECODE_ERROR;
}

static uint8_t extension(struct client_hello *h, uint16_t type, struct reader *r, const uint8_t *message)
{
    struct reader v;

    switch (type) {
    case EXT_SERVER_NAME: return server_name(h, r);
    case EXT_ALPN: return alpn(h, r);
    case EXT_KEY_SHARE: return key_share(h, r);
    case EXT_PRE_SHARED_KEY: return pre_shared_key(h, r, message);
    case EXT_SUPPORTED_GROUPS: return list16(r, &h->supported_groups);
    case EXT_SIGNATURE_ALGORITHMS: return list16(r, &h->signature_algorithms);
    case EXT_SIGNATURE_ALGORITHMS_CERT: return list16(r, &h->signature_algorithms_cert);
    case EXT_EARLY_DATA: return empty(r, &h->early_data);
    case EXT_EXTENDED_MASTER_SECRET: return empty(r, &h->extended_master_secret);
    case EXT_SUPPORTED_VERSIONS: v = reader_vec8(r); return values16(&v, r, &h->supported_versions);
    case EXT_PSK_KEY_EXCHANGE_MODES:
        v = reader_vec8(r);
        h->psk_modes = rest_of(&v);
        return !reader_done(r) || h->psk_modes.n == 0 ? ALERT_DECODE_ERROR : 0;
    case EXT_COOKIE:
        v = reader_vec16(r);
        h->cookie = rest_of(&v);
        return !reader_done(r) || h->cookie.n == 0 ? ALERT_DECODE_ERROR : 0;
    case EXT_OID_FILTERS: h->has_misplaced_extension = true; return 0;
    case EXT_RECORD_SIZE_LIMIT: /* RFC 8449 §4 */
        h->record_size_limit = reader_u16(r);
        if (!reader_done(r))
            return ALERT_DECODE_ERROR;
        return h->record_size_limit < 64 ? ALERT_ILLEGAL_PARAMETER : 0;
    case EXT_RENEGOTIATION_INFO: /* RFC 5746 §3.6: empty in a first handshake */
        h->has_renegotiation_info = true;
        v = reader_vec8(r);
        if (!reader_done(r))
            return ALERT_DECODE_ERROR;
        return reader_left(&v) ? ALERT_HANDSHAKE_FAILURE : 0;
    default: return 0;
    }
}

static uint8_t extensions(struct client_hello *h, struct reader *r, const uint8_t *message)
{
    uint32_t seen[65536 / 32] = {
        0}; /* one bit for each type: 8 KiB, cheaper than any search of a hostile list */
    uint16_t type = 0;

    while (!r->failed && reader_left(r)) {
        type = reader_u16(r);
        struct reader value = reader_vec16(r);
        if (r->failed)
            break;
        if (seen[type / 32] >> type % 32 & 1)
            return ALERT_ILLEGAL_PARAMETER;
        seen[type / 32] |= (uint32_t)1 << type % 32;
        uint8_t alert = extension(h, type, &value, message);
        if (alert)
            return alert;
    }
    if (r->failed)
        return ALERT_DECODE_ERROR;
    h->psk_is_last = h->has_psk && type == EXT_PRE_SHARED_KEY;
    /* RFC 8446 §4.2.11: it MUST be the last. */
    return h->has_psk && !h->psk_is_last ? ALERT_ILLEGAL_PARAMETER : 0;
}

uint8_t client_hello_parse(struct client_hello *h, struct bytes message)
{
    struct reader r = reader_of(message.p, message.n);

    *h = (struct client_hello){0};
    if (reader_u8(&r) != CLIENT_HELLO)
        return r.failed ? ALERT_DECODE_ERROR : ALERT_UNEXPECTED_MESSAGE;
    struct reader body = reader_vec24(&r);
    if (!reader_done(&r))
        return ALERT_DECODE_ERROR;
    h->legacy_version = reader_u16(&body);
    h->random = reader_take(&body, 32);
    struct reader id = reader_vec8(&body), suites = reader_vec16(&body), methods8 = reader_vec8(&body);
    h->session_id = rest_of(&id);
    h->cipher_suites = rest_of(&suites);
    h->compression_methods = rest_of(&methods8);
    if (body.failed || h->session_id.n > 32 || h->cipher_suites.n == 0 || h->cipher_suites.n % 2 ||
        h->compression_methods.n == 0)
        return ALERT_DECODE_ERROR;
    if (reader_left(&body) == 0)
        return 0;
    struct reader list = reader_vec16(&body);
    if (!reader_done(&body))
        return ALERT_DECODE_ERROR;
    h->has_extensions = true;
    return extensions(h, &list, message.p);
}

bool client_hello_lists(struct bytes vector, uint16_t v)
{
    for (size_t i = 0; i + 1 < vector.n; i += 2)
        if (vector.p[i] == v >> 8 && vector.p[i + 1] == (v & 0xff))
            return true;
    return false;
}

const char *client_hello_alpn(const struct client_hello *hello, const char *const *names, unsigned n)
{
    if (!hello->alpn.n || !n)
        return "";
    for (unsigned i = 0; i < n; i++) {
        struct reader list = reader_of(hello->alpn.p, hello->alpn.n);
        while (!list.failed && reader_left(&list)) {
            struct reader name = reader_vec8(&list);
            if (bytes_is(rest_of(&name), names[i]))
                return names[i];
        }
    }
    return NULL;
}

static bool may_change(uint16_t type)
{
    return type == EXT_KEY_SHARE || type == EXT_EARLY_DATA || type == EXT_COOKIE ||
           type == EXT_PRE_SHARED_KEY || type == EXT_PADDING || type == EXT_ENCRYPTED_CLIENT_HELLO;
}

void client_hello_digest(struct bytes message, uint8_t digest[32])
{
    struct reader r = reader_of(message.p + MESSAGE_HEADER, message.n - MESSAGE_HEADER);
    const uint8_t *start = r.p;
    br_sha256_context sha;

    br_sha256_init(&sha);
    reader_skip(&r, 2 + 32);
    reader_vec8(&r);  /* session id */
    reader_vec16(&r); /* cipher suites */
    reader_vec8(&r);  /* compression methods */
    br_sha256_update(&sha, start, (size_t)(r.p - start));
    struct reader list = reader_vec16(&r);
    while (!list.failed && reader_left(&list)) {
        const uint8_t *at = list.p;
        uint16_t type = reader_u16(&list);
        reader_vec16(&list);
        if (!may_change(type))
            br_sha256_update(&sha, at, (size_t)(list.p - at));
    }
    br_sha256_out(&sha, digest);
}
