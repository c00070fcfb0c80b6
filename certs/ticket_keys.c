/* SPDX-License-Identifier: MIT
 *
 * Reads ticket keys. The file is small and every line of it is a key or nothing.
 */
#include "certs/ticket_keys.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024 };

#define HOW "openssl rand -base64 48 makes one"

static struct bytes trim(struct bytes line)
{
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
        line.n--;
    return line;
}

static struct bytes next_line(struct bytes *text)
{
    const uint8_t *end = memchr(text->p, '\n', text->n);
    struct bytes line = {text->p, end ? (size_t)(end - text->p) : text->n};
    size_t used = line.n + (end ? 1 : 0);

    text->p += used;
    text->n -= used;
    return trim(line);
}

static bool parse(struct ticket_keys *keys, struct bytes text, const struct conf *conf, struct conf_errors *e)
{
    for (unsigned number = 1; text.n; number++) {
        struct bytes line = next_line(&text);
        uint8_t key[TICKET_KEY + 3];
        size_t len;

        if (!line.n || line.p[0] == '#')
            continue;
        bool is_key = text_base64_decode(line, key, sizeof key, &len) && len == TICKET_KEY;
        if (is_key && keys->n < TICKET_KEYS)
            memcpy(keys->keys[keys->n], key, TICKET_KEY);
        mem_wipe(key, sizeof key);
        if (!is_key) {
            conf_error(e, conf->ticket_keys_place, "ticket-keys", "%s:%u: not a key; " HOW, conf->ticket_keys,
                       number);
            return false;
        }
        if (keys->n++ == TICKET_KEYS) {
            conf_error(e, conf->ticket_keys_place, "ticket-keys",
                       "%s:%u: more than %u keys; the first seals, so take out the last", conf->ticket_keys,
                       number, TICKET_KEYS);
            return false;
        }
    }
    if (!keys->n)
        conf_error(e, conf->ticket_keys_place, "ticket-keys", "%s: no key in it; " HOW, conf->ticket_keys);
    return keys->n > 0;
}

bool ticket_keys_load(struct ticket_keys *keys, const struct conf *conf, struct conf_errors *e)
{
    struct file f;
    int failed = file_read(conf->ticket_keys, FILE_MAX, &f);

    keys->n = 0;
    if (failed) {
        conf_error(e, conf->ticket_keys_place, "ticket-keys", "%s: %s", conf->ticket_keys, strerror(failed));
        return false;
    }
    if (f.mode & 077)
        log_warn(
            "ticket-keys: %s: others than its owner may read these keys (mode %04o), and with them the sessions "
            "of clients; chmod 600 makes them private",
            conf->ticket_keys, f.mode);
    bool good = parse(keys, (struct bytes){f.content.p, f.content.n}, conf, e);
    file_release(&f);
    return good;
}
