/* SPDX-License-Identifier: MIT
 *
 * Owns the list of tokens, bounded, and their files. The invariant: a token is a file name only once it was seen to be
 * base64url of bounded length.
 */
#include "acme/challenges.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX 128u /* at a time: an order has at most 100 names */

struct challenge {
    char token[CHALLENGE_TOKEN_MAX + 1];
    char text[CHALLENGE_TEXT_MAX];
    unsigned asked;
};

struct challenges {
    char *folder; /* NULL: none */
    struct challenge *list;
    unsigned n;
};

struct challenges *challenges_new(const char *state)
{
    struct challenges *c = mem_zalloc(sizeof *c);
    char path[PATH_MAX];

    if (c == NULL || state == NULL || snprintf(path, sizeof path, "%s/challenge", state) >= (int)sizeof path)
        return c;
    c->folder = mem_strdup(path);
    if (c->folder == NULL) {
        mem_free(c);
        return NULL;
    }
    return c;
}

bool challenge_token_is_good(struct bytes token)
{
    if (token.n == 0 || token.n > CHALLENGE_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < token.n; i++)
        if (!text_is_alpha(token.p[i]) && !text_is_digit(token.p[i]) && token.p[i] != '-' &&
            token.p[i] != '_')
            return false;
    return true;
}

static struct challenge *find(const struct challenges *c, struct bytes token)
{
    for (unsigned i = 0; i < c->n; i++)
        if (bytes_is(token, c->list[i].token))
            return &c->list[i];
    return NULL;
}

/* False when the path is too long. */
static bool path_of(const struct challenges *c, struct bytes token, char path[PATH_MAX])
{
    return c->folder != NULL &&
           snprintf(path, PATH_MAX, "%s/%.*s", c->folder, (int)token.n, (const char *)token.p) < PATH_MAX;
}

static void forget(struct challenges *c, unsigned i)
{
    struct bytes token = bytes_str(c->list[i].token);
    char path[PATH_MAX];

    if (path_of(c, token, path))
        (void)unlink(path);
    c->list[i] = c->list[--c->n];
}

void challenges_free(struct challenges *c)
{
    if (c == NULL)
        return;
    while (c->n > 0)
        forget(c, c->n - 1);
    mem_free(c->list);
    mem_free(c->folder);
    mem_free(c);
}

bool challenges_add(struct challenges *c, struct bytes token, struct bytes key_authorization)
{
    struct challenge *entry = NULL;
    int error;

    if (!challenge_token_is_good(token) || key_authorization.n >= CHALLENGE_TEXT_MAX)
        return false;
    if (c->list == NULL && (c->list = mem_zalloc(MAX * sizeof *c->list)) == NULL)
        return false;
    entry = find(c, token);
    if (entry == NULL && c->n == MAX)
        return false;
    if (entry == NULL)
        entry = &c->list[c->n++];
    *entry = (struct challenge){.asked = 0};
    memcpy(entry->token, token.p, token.n);
    memcpy(entry->text, key_authorization.p, key_authorization.n);
    if (c->folder == NULL)
        return true;
    /* For the other replicas; we ourselves answer from memory. */
    error = state_write(c->folder, entry->token, 0644, key_authorization);
    if (error != 0)
        log_warn("%s: %s; other replicas cannot answer this challenge", c->folder, strerror(error));
    else
        state_clear_old(c->folder, entry->token); /* left by a process that was killed */
    return true;
}

void challenges_remove(struct challenges *c, struct bytes token)
{
    struct challenge *entry = find(c, token);

    if (entry != NULL)
        forget(c, (unsigned)(entry - c->list));
}

/* Another replica's. Its content is as good as its folder, but what is no key authorization of this token is not
 * sent to anyone. */
static struct bytes find_on_disk(const struct challenges *c, struct bytes token, char out[CHALLENGE_TEXT_MAX])
{
    struct bytes text = {NULL, 0};
    char path[PATH_MAX];
    struct file f = {0};
    struct reader r;
    size_t n;

    if (!path_of(c, token, path) || file_read(path, CHALLENGE_TEXT_MAX - 1, &f) != 0)
        return text;
    r = reader_of(f.content.p, f.content.n);
    while (r.p < r.end && (r.end[-1] == '\n' || r.end[-1] == '\r'))
        r.end--;
    n = reader_left(&r);
    /* A thumbprint is of the characters that a token is of. */
    if (bytes_equal(reader_take(&r, token.n), token) && reader_u8(&r) == '.' &&
        challenge_token_is_good(reader_take(&r, reader_left(&r)))) {
        memcpy(out, f.content.p, n);
        text = bytes_of(out, n);
    }
    file_release(&f);
    return text;
}

struct bytes challenges_find(struct challenges *c, struct bytes token, char out[CHALLENGE_TEXT_MAX])
{
    struct challenge *entry;

    if (!challenge_token_is_good(token))
        return (struct bytes){NULL, 0};
    entry = find(c, token);
    if (entry == NULL)
        return find_on_disk(c, token, out);
    entry->asked++;
    memcpy(out, entry->text, sizeof entry->text);
    return bytes_str(out);
}

unsigned challenges_asked(const struct challenges *c, struct bytes token)
{
    const struct challenge *entry = find(c, token);

    return entry != NULL ? entry->asked : 0;
}
