/* SPDX-License-Identifier: MIT
 *
 * Problem documents of authorities: whatever they say, what people and the log get of it is one line of bounded length,
 * in UTF-8 and without controls, and the type is a word.
 */
#include "acme/problem.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of the character at c, if it is one that a line may have (RFC 3629 §4); 0: it is not. */
static size_t character(const uint8_t *c)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t code = c[0];
    size_t more = code < 0x80 ? 0 : code < 0xc2 ? 9 : code < 0xe0 ? 1 : code < 0xf0 ? 2 : code < 0xf5 ? 3 : 9;

    if (more == 9)
        return 0;
    if (more > 0)
        code &= 0x3fu >> more;
    for (size_t i = 1; i <= more; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (c[i] & 0x3fu);
    }
    return code < least[more] || code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : more + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why;
    struct json *j = json_parse(bytes_of(data, size), &why);
    char type[64], *line;
    size_t n;

    if (j == NULL)
        return 0;
    for (int v = JSON_ROOT; v < 8; v++) {
        line = acme_problem_text(j, v, type, sizeof type);
        if (line == NULL || line[0] == '\0' || strlen(line) >= 2048)
            abort();
        for (const uint8_t *c = (const uint8_t *)line; *c != 0; c += n)
            if ((n = character(c)) == 0)
                abort();
        if (strspn(type, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(type))
            abort();
        mem_free(line);
    }
    json_free(j);
    return 0;
}
