/* SPDX-License-Identifier: MIT
 *
 * Paths and authorities. What is normalised is in normal form: once more changes nothing, it has no dot segment and
 * no doubled slash, and is no longer than it was. An authority that is taken is, written from its parts, the same.
 */
#include "http/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(bool held, const char *what)
{
    if (held)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_path(struct bytes in)
{
    uint8_t *out = malloc(in.n + 1), *again = malloc(in.n + 1);
    struct writer w = writer_of(out, in.n), w2 = writer_of(again, in.n);

    if (http_path_normalise(in, &w)) {
        struct bytes path = bytes_of(out, writer_len(&w));
        size_t segment = 1;

        expect(path.n > 0 && path.p[0] == '/' && path.n <= in.n,
               "a path begins with a slash and only shrinks");
        for (size_t i = 1; i <= path.n; i++) {
            if (i < path.n && path.p[i] != '/')
                continue;
            expect(i == path.n || i > segment, "no doubled slash");
            expect(!(i - segment == 1 && path.p[segment] == '.') &&
                       !(i - segment == 2 && path.p[segment] == '.' && path.p[segment + 1] == '.'),
                   "no dot segment");
            segment = i + 1;
        }
        expect(memchr(path.p, '?', path.n) == NULL && memchr(path.p, '#', path.n) == NULL, "a path alone");
        expect(http_path_normalise(path, &w2), "a normal path is a path");
        expect(bytes_equal(path, bytes_of(again, writer_len(&w2))), "once more changes nothing");
        expect(http_path_has_prefix(path, path), "a path is its own prefix");
        expect(http_path_has_prefix(path, bytes_str("/")), "the root is a prefix of all");
    }
    free(out);
    free(again);
}

static void check_authority(struct bytes in)
{
    struct http_authority a, b;
    char text[300];

    if (!http_authority_parse(in, &a))
        return;
    expect(a.host[0] != 0 && memchr(a.host, 0, sizeof a.host) != NULL, "a host is text");
    snprintf(text, sizeof text, a.is_ipv6 ? "[%s]:%u" : "%s:%u", a.host, a.port);
    if (a.port == 0)
        *strrchr(text, ':') = 0;
    expect(http_authority_parse(bytes_str(text), &b), "its parts make an authority");
    expect(strcmp(a.host, b.host) == 0 && a.port == b.port && a.is_ipv6 == b.is_ipv6, "and the same one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    size_t cut = size > 0 ? data[0] : 0;

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    check_path(bytes_of(copy, size));
    check_authority(bytes_of(copy, size));
    if (cut < size)
        (void)http_path_has_prefix(bytes_of(copy, size), bytes_of(copy + cut, size - cut));
    free(copy);
    return 0;
}
