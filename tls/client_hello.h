/* SPDX-License-Identifier: MIT
 *
 * The ClientHello (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2), collected from records in whatever pieces they come and
 * parsed once, before an engine is chosen.
 */
#ifndef TLS_CLIENT_HELLO_H
#define TLS_CLIENT_HELLO_H

#include "base/bytes.h"

#define CLIENT_HELLO_MAX 16384u /* of one handshake message; larger is refused */

/* Everything borrows from the message. Vectors of 16-bit values are left as bytes, even in number. */
struct client_hello {
    uint16_t legacy_version;
    struct bytes random;     /* 32 */
    struct bytes session_id; /* 0 to 32 */
    struct bytes cipher_suites;
    struct bytes compression_methods;
    bool has_extensions;
    struct bytes server_name; /* host_name, as sent; empty if none */
    struct bytes alpn;        /* the ProtocolNameList's content */
    struct bytes supported_versions;
    struct bytes supported_groups;
    struct bytes signature_algorithms;
    struct bytes signature_algorithms_cert;
    bool has_key_share;     /* with no share in it, it asks for a HelloRetryRequest */
    struct bytes key_share; /* client_shares' content */
    struct bytes psk_modes;
    struct bytes pre_shared_key; /* the extension's content */
    struct bytes cookie;
    size_t binders_offset; /* of the binders list in the message; 0 if there is none */
    bool early_data, extended_master_secret, has_psk, psk_is_last;
    bool has_renegotiation_info;
    bool has_misplaced_extension; /* one that is known and belongs in another message (RFC 8446 §4.2) */
    uint16_t record_size_limit;   /* 0 if not sent */
};

/* Parses one whole handshake message, header included (type, uint24 length). 0, or the alert to send:
 * decode_error, illegal_parameter (duplicate extension, RFC 8446 §4.2; what an extension must not say),
 * unexpected_message. */
uint8_t client_hello_parse(struct client_hello *hello, struct bytes message);

/* Does a vector of 16-bit values hold v? */
bool client_hello_lists(struct bytes vector, uint16_t v);

/* The first of `names` that the client's ALPN list holds; "" when it sent none (or we have none); NULL: none fits. */
const char *client_hello_alpn(const struct client_hello *hello, const char *const *names, unsigned n);

/* SHA-256 of all that may not change in a second hello after a HelloRetryRequest (RFC 8446 §4.1.2): everything but
 * key_share, early_data, cookie, pre_shared_key, padding and encrypted_client_hello. `message` has been parsed. */
void client_hello_digest(struct bytes message, uint8_t digest[32]);

/* Looks at the start of a connection's bytes: 0 needs more, > 0 the length of the record(s) that hold the whole
 * ClientHello, < 0 it is none (see the enum). `message` receives the handshake message, put together from its
 * records into `scratch` (CLIENT_HELLO_MAX + 4) when it came in several, else pointing into `in`. */
enum {
    CLIENT_HELLO_PLAIN_HTTP = -1,
    CLIENT_HELLO_BAD_RECORD = -2,
    CLIENT_HELLO_TOO_LARGE = -3,
    CLIENT_HELLO_BAD_VERSION = -4,
    CLIENT_HELLO_UNEXPECTED = -5,
    CLIENT_HELLO_OVERFLOW = -6, /* a record longer than one may be (RFC 8446 §5.1) */
};
long client_hello_collect(struct bytes in, struct bytes *message, uint8_t *scratch);

#endif
