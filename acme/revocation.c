/* SPDX-License-Identifier: MIT
 *
 * The request of RFC 8555 §7.6, and the reasons that it can give.
 */
#include "acme/revocation.h"

#include "base/text.h"

static const struct {
    const char *word;
    int number;
} reasons[] = {
    {"unspecified",          0},
    {"keyCompromise",        1},
    {"affiliationChanged",   3},
    {"superseded",           4},
    {"cessationOfOperation", 5}
};

int revocation_reason(struct bytes word)
{
    if (word.n == 0)
        return REVOCATION_NO_REASON;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (bytes_is_nocase(word, reasons[i].word))
            return reasons[i].number;
    return REVOCATION_UNKNOWN;
}

bool revocation_put(struct writer *w, struct bytes der, int reason)
{
    writer_str(w, "{\"certificate\":\"");
    text_base64url_encode(w, der);
    if (reason >= 0)
        writer_printf(w, "\",\"reason\":%d}", reason);
    else
        writer_str(w, "\"}");
    return !w->failed;
}
