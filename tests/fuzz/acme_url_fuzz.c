/* SPDX-License-Identifier: MIT
 *
 * URLs of authorities: what is taken has the parts that the text has, and put together again it is taken as the same.
 */
#include "acme/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url u, again;
    char text[URL_MAX + 400];
    int n;

    if (url_parse(&u, bytes_of(data, size)) != NULL)
        return 0;
    if (u.port == 0 || u.host[0] == 0 || u.path.n == 0 || u.path.p[0] != '/' ||
        strpbrk(u.host, "/?#@ ") != NULL)
        abort();
    n = snprintf(text, sizeof text, "%s://%s%.*s", u.is_https ? "https" : "http", u.authority, (int)u.path.n,
                 (const char *)u.path.p);
    if (n <= (int)URL_MAX && (url_parse(&again, bytes_of(text, (size_t)n)) != NULL || again.port != u.port ||
                              strcmp(again.host, u.host) != 0 || !bytes_equal(again.path, u.path)))
        abort();
    return 0;
}
