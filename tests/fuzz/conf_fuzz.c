/* SPDX-License-Identifier: MIT
 *
 * A configuration and a command line over it: what comes before the first byte 0xff is the command line, an argument
 * on each line. Whatever was taken is what the rest of the program counts on; whatever was not has its errors, a
 * line each; and nothing is left behind.
 */
#include "base/mem.h"
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_path(const struct conf_path *p)
{
    must(p->prefix != NULL && p->prefix[0] == '/');
    switch (p->action) {
    case CONF_ACTION_UPSTREAM: must(p->upstream.n > 0); break;
    case CONF_ACTION_REDIRECT: must(p->status >= 301 && p->status <= 308 && p->text != NULL); break;
    case CONF_ACTION_RESPOND: must(p->status >= 200 && p->status <= 599 && p->text != NULL); break;
    case CONF_ACTION_BUILTIN: break;
    }
    for (unsigned i = 0; i < p->upstream.n; i++) {
        const struct conf_endpoint *e = &p->upstream.endpoints[i];

        must(e->text != NULL && e->text[0] != 0);
        must((e->host != NULL) != (e->addr.len > 0));
        must(e->port > 0 || e->addr.any.sa_family == AF_UNIX);
    }
    for (unsigned i = 0; i < p->response_headers.n; i++)
        must(p->response_headers.ops[i].name[0] != 0 &&
             strpbrk(p->response_headers.ops[i].value, "\r\n") == NULL);
    for (unsigned i = 0; i < p->request_headers.n; i++)
        must(p->request_headers.ops[i].name[0] != 0 &&
             strpbrk(p->request_headers.ops[i].value, "\r\n") == NULL);
}

static void check_site(const struct conf_site *s)
{
    must(s->path_count > 0 && strcmp(s->paths[s->path_count - 1].prefix, "/") == 0);
    for (unsigned i = 0; i < s->path_count; i++) {
        check_path(&s->paths[i]);
        must(i == 0 || strlen(s->paths[i - 1].prefix) >= strlen(s->paths[i].prefix));
        must(i == 0 || strcmp(s->paths[i - 1].prefix, s->paths[i].prefix) != 0);
    }
    for (unsigned i = 0; i < s->name_count; i++)
        for (const char *c = s->names[i].text; *c != 0; c++)
            must(*c > ' ' && (*c < 'A' || *c > 'Z'));
    must((s->tls == CONF_TLS_FILES) == (s->cert_file != NULL && s->key_file != NULL));
    must(s->timeouts.head > 0 && s->timeouts.idle > 0 && s->limits.header_count > 0);
}

static void check_conf(const struct conf *c)
{
    unsigned defaults = 0;

    must(c->refs == 1 && c->site_count > 0 && c->listen_count > 0);
    must(c->user != NULL && c->admin != NULL);
    for (unsigned i = 0; i < c->site_count; i++) {
        check_site(&c->sites[i]);
        defaults += c->sites[i].is_default;
    }
    must(defaults <= 1 && (c->site_count > 1 || defaults == 1));
    for (unsigned i = 0; i < c->listen_count; i++)
        must(addr_port(&c->listens[i].addr) > 0);
}

static struct conf_options *options_of(struct bytes line, struct conf_errors *e)
{
    char *text = mem_strndup(line.p, line.n), *argv[ARGS_MAX + 1] = {"proxy"}, *rest = text;
    struct conf_options *o;
    int argc = 1;

    must(text != NULL);
    while (argc < ARGS_MAX && rest != NULL)
        argv[argc++] = strsep(&rest, "\n");
    o = conf_options_parse(argc, argv, e);
    mem_free(text);
    return o;
}

static bool reads_configuration(const struct conf_options *o)
{
    enum conf_command command = conf_options_command(o);

    return command == CONF_RUN || command == CONF_VALIDATE || command == CONF_HEALTH;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
    struct conf_errors *e = conf_errors_new();
    struct conf_options *o = NULL;
    struct conf *c = NULL;

    must(e != NULL);
    if (end != NULL) {
        size_t n = (size_t)(end - data);

        o = options_of(bytes_of(data, n), e);
        must((o == NULL) == (conf_errors_count(e) > 0));
        data += n + 1;
        size -= n + 1;
    }
    /* --help and the like answer at once; what is behind them is not looked at, nor ever applied. */
    if (conf_errors_count(e) == 0 && (o == NULL || reads_configuration(o))) {
        c = conf_parse("f", bytes_of(data, size), o, e);
        must((c == NULL) == (conf_errors_count(e) > 0));
    }
    if (c != NULL)
        check_conf(c);
    for (unsigned i = 0; i < conf_errors_count(e); i++)
        must(conf_errors_text(e, i)[0] != 0 && strchr(conf_errors_text(e, i), '\n') == NULL);
    conf_unref(c);
    conf_options_free(o);
    conf_errors_free(e);
    must(mem_blocks() == 0);
    return 0;
}
