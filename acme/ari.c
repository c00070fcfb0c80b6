/* SPDX-License-Identifier: MIT
 *
 * Names and windows of RFC 9773. What is absurd is as good as nothing: the schedule has a time of its own.
 */
#include "acme/ari.h"

#include "acme/url.h"
#include "acme/when.h"
#include "base/mem.h"
#include "base/text.h"
#include "certs/x509.h"

#include <string.h>

#define ASK_MIN   60 /* seconds between two questions */
#define ASK_MAX   86400
#define ASK_USUAL (6 * 3600)

bool ari_certificate_id(struct writer *w, struct bytes certificate)
{
    struct x509 x;

    if (!x509_parse(&x, certificate) || x.authority_key_id.n == 0 || x.serial.n == 0)
        return false;
    text_base64url_encode(w, x.authority_key_id);
    writer_u8(w, '.');
    text_base64url_encode(w, x.serial);
    return !w->failed;
}

static int64_t time_member(const struct json *j, int object, const char *name)
{
    char *text = json_string(j, json_member(j, object, name));
    int64_t s = text != NULL ? when_rfc3339(bytes_str(text)) : 0;

    mem_free(text);
    return s;
}

bool ari_parse(const struct json *j, struct ari_window *out)
{
    int window = json_member(j, JSON_ROOT, "suggestedWindow");

    out->start = time_member(j, window, "start");
    out->end = time_member(j, window, "end");
    return out->start > 0 && out->end > out->start;
}

/* What url_parse takes, and a fragment, which is for browsers alone. */
static bool is_page(const char *text)
{
    size_t n = strcspn(text, "#");
    struct url u;

    for (const char *c = text + n; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return false;
    return strlen(text) <= URL_MAX && url_parse(&u, bytes_of(text, n)) == NULL;
}

char *ari_explanation(const struct json *j)
{
    char *text = json_string(j, json_member(j, JSON_ROOT, "explanationURL"));

    if (text != NULL && is_page(text))
        return text;
    mem_free(text);
    return NULL;
}

int64_t ari_ask_at(int64_t retry_after, int64_t now)
{
    int64_t pause = retry_after > now ? retry_after - now : ASK_USUAL;

    return now + (pause < ASK_MIN ? ASK_MIN : pause > ASK_MAX ? ASK_MAX : pause);
}

int64_t ari_moment(const struct ari_window *window, uint64_t random)
{
    uint64_t seconds = (uint64_t)(window->end - window->start) + 1;

    /* The bias of a remainder of 64 bits by a span of days is below one in 2^40. */
    return window->start + (int64_t)(random % seconds);
}
