/* SPDX-License-Identifier: MIT
 *
 * Setters of what stands in a site: its names and paths, what it does, its certificate, header operations. A site is
 * a draft until the whole file is read, since what is global may come after it.
 */
#include "conf/grammar.h"

#include "base/text.h"
#include "http/head.h"
#include "http/path.h"

#include <string.h>

struct site_draft *site_draft_new(struct draft *d, struct conf_place place)
{
    struct site_draft *site = arena_alloc(d->scratch, sizeof *site);

    if (site == NULL || !scope_init(d, &site->scope, SCOPE_SITE, &d->global))
        return NULL;
    site->scope.site = site;
    site->scope.path = &site->root;
    site->site.place = place;
    site->root.place = place;
    site->root.prefix = "/";
    site->paths_end = &site->paths;
    *d->sites_end = site;
    d->sites_end = &site->next;
    return site;
}

/* --- names --- */

/* A name that is a URL, or has a port, means well. */
static bool fail_name(struct statement *s, const struct word *word)
{
    const char *text = word->text;

    if (strstr(text, "://") != NULL)
        return statement_fail(s, word, "'%s' is a URL; write its host name alone", text);
    if (strcmp(text, "*") == 0 || strcmp(text, "_") == 0)
        return statement_fail(s, word, "'%s' is not a name; the site for all other names is default", text);
    if (strchr(text, '*') != NULL)
        return statement_fail(s, word, "'%s' has its * in the wrong place; write *.example.com", text);
    if (strchr(text, ':') != NULL)
        return statement_fail(s, word, "'%s' is not a name; a port belongs to listen", text);
    if (strchr(text, '/') != NULL)
        return statement_fail(s, word, "'%s' is not a name; a path belongs inside the site", text);
    for (const char *p = text; *p != 0; p++)
        if ((unsigned char)*p >= 0x80)
            return statement_fail(s, word, "'%s' is not in DNS's letters; write it as xn--...", text);
    return statement_fail(s, word, "'%s' is neither a host name nor an IP address", text);
}

static bool parse_name(struct statement *s, const struct word *word, const char **out)
{
    char name[HOST_TEXT], ip[ADDR_TEXT];
    const char *text = word->text;
    struct addr addr;

    if (addr_from_ip(&addr, bytes_str(text), 0))
        *out = statement_keep(s, addr_format_ip(&addr, ip));
    else if (strncmp(text, "*.", 2) == 0 && host_name_parse(text + 2, name))
        *out = arena_printf(s->draft->conf->arena, "*.%s", name);
    else if (strcmp(text, "_") != 0 && host_name_parse(text, name))
        *out = statement_keep(s, name);
    else
        return fail_name(s, word);
    return *out != NULL;
}

bool site_draft_add_name(struct statement *s, struct site_draft *site, const struct word *word)
{
    struct conf_name *more;
    const char *text;

    if (strcmp(word->text, "default") == 0) {
        site->site.is_default = true;
        site->default_place = word->place;
        return true;
    }
    if (!parse_name(s, word, &text))
        return false;
    more = arena_more(s->draft->conf->arena, site->site.names, site->site.name_count, sizeof *more);
    if (more == NULL)
        return false;
    site->site.names = more;
    site->site.names[site->site.name_count++] = (struct conf_name){.place = word->place, .text = text};
    return true;
}

bool set_site(struct statement *s)
{
    struct site_draft *site = site_draft_new(s->draft, s->place);
    bool good = true;

    if (site == NULL)
        return false;
    for (unsigned i = 0; i < s->n; i++)
        good &= site_draft_add_name(s, site, &s->args[i]);
    site->scope.broken = !good;
    s->inner = &site->scope;
    return good;
}

/* --- paths --- */

static bool parse_prefix(struct statement *s, const struct word *word, const char **out)
{
    const char *text = word->text;
    size_t n = strlen(text);
    struct writer w;
    uint8_t *room;

    if (text[0] != '/')
        return statement_fail(s, word, "'%s' does not begin with /; write /%s", text, text);
    if (strpbrk(text, "?#*") != NULL)
        return statement_fail(s, word, "'%s' is not a path; a prefix has no ?, # or *", text);
    room = arena_alloc(s->draft->conf->arena, n + 2);
    if (room == NULL)
        return false;
    /* As the paths of requests that it is compared with. */
    w = writer_of(room, n + 1);
    if (!http_path_normalise(bytes_str(text), &w))
        return statement_fail(s, word, "'%s' is not a path that a request can have", text);
    *out = (const char *)room;
    return true;
}

bool set_path(struct statement *s)
{
    struct site_draft *site = s->scope->site;
    struct path_draft *path = arena_alloc(s->draft->scratch, sizeof *path);
    bool good;

    if (path == NULL || !scope_init(s->draft, &path->scope, SCOPE_PATH, s->scope))
        return false;
    path->scope.site = site;
    path->scope.path = &path->path;
    path->path.place = s->place;
    s->inner = &path->scope;
    good = s->n == 1 && parse_prefix(s, &s->args[0], &path->path.prefix);
    path->scope.broken = !good;
    if (!good)
        return false;
    *site->paths_end = path;
    site->paths_end = &path->next;
    return true;
}

/* --- what is done --- */

bool take_action(struct statement *s, enum conf_action action)
{
    struct scope *scope = s->scope;

    if (scope->action != NULL && (scope->path->action != action || !s->directive->many))
        return statement_fail_at(s, s->place, "there is %s at %s already; one of them is enough",
                                 scope->action, place_text(s->draft, scope->action_place));
    if (scope->action == NULL)
        scope->action_place = s->place;
    scope->action = s->directive->name;
    scope->path->action = action;
    return true;
}

static bool status_parse(struct statement *s, const struct word *word, uint64_t least, uint64_t most,
                         unsigned *out)
{
    uint64_t status;

    if (!text_u64(bytes_str(word->text), 999, &status) || strlen(word->text) != 3)
        return statement_fail(s, word, "'%s' is not a status; write a number such as %u", word->text,
                              least == 300 ? 308 : 404);
    if (status < least || status > most)
        return statement_fail(s, word, "status %s is not between %u and %u", word->text, (unsigned)least,
                              (unsigned)most);
    *out = (unsigned)status;
    return true;
}

static bool target_parse(struct statement *s, const struct word *word, const char **out)
{
    const char *text = word->text;

    if (text[0] != '/' && strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
        return statement_fail(
            s, word, "'%s' is no target; write https://example.com{uri}, or a path with its /", text);
    for (const char *p = text; *p != 0; p++) {
        if (strncmp(p, "{uri}", 5) == 0)
            p += 4;
        else if (*p == '{' || *p == '}')
            return statement_fail(s, word, "'%s' has a brace that is not of {uri}, the one placeholder",
                                  text);
        else if ((uint8_t)*p <= 0x20 || (uint8_t)*p >= 0x7f || strchr("\"<>\\^`|", *p) != NULL)
            return statement_fail(s, word, "'%s' holds what no URL may; percent-encode it", text);
    }
    *out = statement_keep(s, text);
    return *out != NULL;
}

bool set_redirect(struct statement *s)
{
    struct conf_path *path = s->scope->path;
    bool good = take_action(s, CONF_ACTION_REDIRECT);

    path->status = 308;
    if (s->n == 2) {
        if (!status_parse(s, &s->args[0], 300, 399, &path->status))
            good = false;
        else if (strchr("12378", s->args[0].text[2]) == NULL || s->args[0].text[1] != '0')
            good = statement_fail(
                s, &s->args[0], "status %u redirects nobody; write 301, 302, 303, 307 or 308", path->status);
    }
    return target_parse(s, &s->args[s->n - 1], &path->text) && good;
}

bool set_respond(struct statement *s)
{
    struct conf_path *path = s->scope->path;
    bool good = take_action(s, CONF_ACTION_RESPOND);

    path->text = s->n == 2 ? statement_keep(s, s->args[1].text) : "";
    if (!status_parse(s, &s->args[0], 200, 599, &path->status))
        return false;
    if ((path->status == 204 || path->status == 205 || path->status == 304) && s->n == 2)
        return statement_fail(s, &s->args[1], "a response with status %u has no text", path->status);
    return path->text != NULL && good;
}

/* --- tls --- */

static bool tls_files(struct statement *s)
{
    struct conf_site *site = &s->scope->site->site;

    for (unsigned i = 0; i < s->n; i += 2) {
        const struct word *what = &s->args[i];
        const char **where;

        if (strcmp(what->text, "cert") == 0)
            where = &site->cert_file;
        else if (strcmp(what->text, "key") == 0)
            where = &site->key_file;
        else
            return statement_fail(s, what, "'%s' is neither cert nor key; tls cert FILE key FILE",
                                  what->text);
        if (i + 1 == s->n)
            return statement_fail(s, what, "%s without its file; tls cert FILE key FILE", what->text);
        if (*where != NULL)
            return statement_fail(s, what, "%s is given twice; tls cert FILE key FILE", what->text);
        *where = statement_path(s, &s->args[i + 1], "file");
        if (*where == NULL)
            return false;
    }
    if (site->cert_file == NULL || site->key_file == NULL)
        return statement_fail_at(s, s->place, "a %s without its %s; tls cert FILE key FILE",
                                 site->cert_file != NULL ? "cert" : "key",
                                 site->cert_file != NULL ? "key" : "cert");
    site->tls = CONF_TLS_FILES;
    return true;
}

bool set_tls(struct statement *s)
{
    struct conf_site *site = &s->scope->site->site;
    const char *word = s->args[0].text;

    site->tls_place = s->place;
    if (strcmp(word, "cert") == 0 || strcmp(word, "key") == 0)
        return tls_files(s);
    if (strcmp(word, "self-signed") != 0 && strcmp(word, "off") != 0 && strcmp(word, "acme") != 0)
        return statement_fail(s, &s->args[0], "'%s' is none of %s", word, s->directive->args);
    if (s->n > 1)
        return statement_fail(s, &s->args[1], "'%s' is too much; tls %s", s->args[1].text, word);
    site->tls = strcmp(word, "off") == 0    ? CONF_TLS_OFF
                : strcmp(word, "acme") == 0 ? CONF_TLS_ACME
                                            : CONF_TLS_SELF_SIGNED;
    return true;
}

/* --- header operations --- */

/* Fields that frame a message or belong to one connection (RFC 9110 §7.6.1): they are made by the proxy. */
static bool is_ours(enum http_field_id id)
{
    switch (id) {
    case HTTP_FIELD_CONNECTION:
    case HTTP_FIELD_CONTENT_LENGTH:
    case HTTP_FIELD_TRANSFER_ENCODING:
    case HTTP_FIELD_TE:
    case HTTP_FIELD_TRAILER:
    case HTTP_FIELD_UPGRADE:
    case HTTP_FIELD_KEEP_ALIVE:
    case HTTP_FIELD_PROXY_CONNECTION:
    case HTTP_FIELD_HTTP2_SETTINGS:
    case HTTP_FIELD_EXPECT: return true;
    default: return false;
    }
}

static bool header_name(struct statement *s, const struct word *word, enum conf_header_verb verb,
                        bool request)
{
    struct bytes name = bytes_str(word->text);
    enum http_field_id id = http_field_id_of(name);

    if (name.n > 0 && name.p[name.n - 1] == ':')
        return statement_fail(s, word, "'%s' ends with a colon; write %.*s", word->text, (int)name.n - 1,
                              word->text);
    if (!http_is_token(name))
        return statement_fail(s, word, "'%s' is not the name of a header field", word->text);
    if (is_ours(id))
        return statement_fail(s, word, "%s frames the message; the proxy sets it itself", word->text);
    if (request && id == HTTP_FIELD_HOST && verb != CONF_HEADER_SET)
        return statement_fail(s, word, "a request has one Host; write request-header set Host NAME");
    return true;
}

static bool header_value(struct statement *s, const struct word *word)
{
    struct bytes value = bytes_str(word->text);

    if (!http_is_field_value(value))
        return statement_fail(s, word, "a header field's value has no line break or other control byte");
    if (value.n > 0 && (strchr(" \t", value.p[0]) != NULL || strchr(" \t", value.p[value.n - 1]) != NULL))
        return statement_fail(s, word, "a header field's value has no blank at its ends");
    return true;
}

static bool header_op(struct statement *s, struct conf_headers *headers, bool request)
{
    static const char *const verbs[] = {
        [CONF_HEADER_SET] = "set", [CONF_HEADER_ADD] = "add", [CONF_HEADER_REMOVE] = "remove"};
    struct conf_header *more, op = {.value = ""};
    unsigned verb = 0;

    while (verb < 3 && strcmp(s->args[0].text, verbs[verb]) != 0)
        verb++;
    if (verb == 3)
        return statement_fail(s, &s->args[0], "'%s' is none of set, add, remove", s->args[0].text);
    op.verb = (enum conf_header_verb)verb;
    if (op.verb == CONF_HEADER_REMOVE && s->n == 3)
        return statement_fail(s, &s->args[2], "'%s' is too much; remove takes a name alone", s->args[2].text);
    if (op.verb != CONF_HEADER_REMOVE && s->n == 2)
        return statement_fail_at(s, s->place, "%s without a value; %s %s NAME VALUE", verbs[verb],
                                 s->directive->name, verbs[verb]);
    if (!header_name(s, &s->args[1], op.verb, request) || (s->n == 3 && !header_value(s, &s->args[2])))
        return false;
    op.name = statement_keep(s, s->args[1].text);
    if (s->n == 3)
        op.value = statement_keep(s, s->args[2].text);
    more = arena_more(s->draft->conf->arena, headers->ops, headers->n, sizeof *more);
    if (more == NULL || op.name == NULL || op.value == NULL)
        return false;
    headers->ops = more;
    headers->ops[headers->n++] = op;
    return true;
}

bool set_header(struct statement *s)
{
    return header_op(s, &s->scope->path->response_headers, false);
}

bool set_request_header(struct statement *s)
{
    return header_op(s, &s->scope->path->request_headers, true);
}
