/* SPDX-License-Identifier: MIT
 *
 * Request paths and hosts made comparable, so that a prefix or a name decides on what the upstream will see.
 */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include "base/bytes.h"

/* The path of a target without its query, normalised (RFC 3986 §6.2.2): unreserved percent-encodings decoded, dot
 * segments removed (also as %2e), doubled slashes folded. False, for a 400: no leading `/`, a broken
 * percent-encoding, an encoded NUL, segments that climb above the root, a `..` between what some services take for
 * slashes (%2F, `\`, %5C); or it does not fit. */
bool http_path_normalise(struct bytes target, struct writer *out);
/* Is there nothing to normalise? Then the first *path_len bytes are the path; what it is not sure of it denies. */
bool http_path_is_normal(struct bytes target, size_t *path_len);
/* Is `prefix` a prefix of `path` at a segment's end? "/api" takes "/api" and "/api/x", not "/apix". */
bool http_path_has_prefix(struct bytes path, struct bytes prefix);

/* A Host field or authority (RFC 9110 §7.2, RFC 3986 §3.2.2) taken apart: name or IP in lower case without a
 * trailing dot, IPv6 without brackets, and the port (0: none given). False when malformed or over 253 bytes: then it says
 * nothing. */
struct http_authority {
    char host[256];
    uint16_t port;
    bool is_ipv6;
};
bool http_authority_parse(struct bytes in, struct http_authority *out);

#endif
