/* SPDX-License-Identifier: MIT
 *
 * --help and --help-config, written from the tables so that neither can miss a directive. Both fit a terminal of 80
 * columns.
 */
#include "conf/grammar.h"

#include <string.h>

#define COLUMNS     79
#define OPTION_TEXT 30 /* the column that the help of options begins at */

/* Text in lines that begin at `indent`; the first begins at `column`. */
static void put_wrapped(FILE *out, const char *text, int column, int indent)
{
    bool first = true;

    while (*text != 0) {
        int n = (int)strcspn(text, " ");

        if (!first && column + 1 + n > COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            putc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", n, text);
        column += n;
        first = false;
        text += n;
        text += strspn(text, " ");
    }
    putc('\n', out);
}

/* --- --help --- */

/* The first sentence. */
static void put_option_help(FILE *out, const char *help, bool whole, int column)
{
    char text[512];
    const char *end = strchr(help, '.');

    while (end != NULL && end[1] != ' ' && end[1] != 0)
        end = strchr(end + 1, '.');
    snprintf(text, sizeof text, "%.*s", whole || end == NULL ? (int)strlen(help) : (int)(end + 1 - help),
             help);
    if (column + 2 > OPTION_TEXT)
        fprintf(out, "\n%*s", OPTION_TEXT, "");
    else
        fprintf(out, "%*s", OPTION_TEXT - column, "");
    put_wrapped(out, text, OPTION_TEXT, OPTION_TEXT);
}

static void put_option(FILE *out, const struct option *o)
{
    char letter[8] = "    ";
    int column;

    if (o->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    column = fprintf(out, "  %s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "",
                     o->arg != NULL ? o->arg : "");
    put_option_help(out, o->help, true, column);
}

static void put_settings(FILE *out, enum group group)
{
    bool any = false;

    for (unsigned i = 0; i < directive_count; i++) {
        const struct directive *d = &directives[i];
        int column;

        if (d->group != group || d->block || (d->where & (SCOPE_GLOBAL | SCOPE_ACME)) == 0)
            continue;
        if (!any)
            fprintf(out, "\n%s:\n", group_names[group]);
        any = true;
        column = fprintf(out, "      --%s %s", d->name, d->args);
        put_option_help(out, d->help, false, column);
    }
}

void conf_print_help(FILE *out)
{
    fputs("Usage: proxy [OPTION...] [UPSTREAM | NAME=UPSTREAM...]\n"
          "  or:  proxy [OPTION...] acme COMMAND [NAME]\n"
          "  or:  proxy [OPTION...] keygen TYPE [NAME]\n"
          "Puts HTTPS in front of an HTTP service.\n"
          "\n"
          "  proxy 127.0.0.1:8000\n"
          "        a demo: https://localhost:8443, self-signed, in front of a service\n"
          "  proxy example.com=app:8080\n"
          "        a site on ports 443 and 80\n"
          "  proxy --listen 0.0.0.0:8443 --backend 127.0.0.1:8000 --cert FILE --key FILE\n"
          "        whatever name is asked for\n"
          "  proxy --config /etc/proxy.conf\n"
          "        sites from a file; see --help-config\n"
          "  proxy acme status | issue [NAME] | renew NAME | revoke NAME [REASON]\n"
          "        certificates from an authority: what there is; those that are due;\n"
          "        another one now; no longer this one. By the proxy that runs, or without\n"
          "  proxy keygen rsa2048 example.com\n"
          "        a key of another type than p256 for the site's next certificate, or\n"
          "        without a name on standard output\n"
          "\n"
          "Without a file or a service, a demo with a page of its own.\n"
          "\n"
          "What to do:\n",
          out);
    for (unsigned i = 0; i < option_count; i++)
        if (options[i].help != NULL)
            put_option(out, &options[i]);
    for (unsigned group = 0; group < GROUP_MAX; group++)
        put_settings(out, (enum group)group);
    fputs("\nThese are directives of the configuration; an option wins over the file.\n"
          "Several values are one argument: --min-rate \"240 10s\".\n"
          "\n"
          "From the environment, where nothing else says it:\n"
          "  PROXY_SITES  NAME=UPSTREAM ..., as arguments\n"
          "  ACME_EMAIL, ACME_CA  email and ca\n",
          out);
}

/* --- --help-config --- */

static const char *where_it_stands(unsigned where)
{
    switch (where) {
    case SCOPE_GLOBAL: return "at the top";
    case SCOPE_SITE: return "in a site";
    case SCOPE_ACME: return "in acme";
    case SCOPE_GLOBAL | SCOPE_SITE: return "at the top, in a site";
    case SCOPE_SITE | SCOPE_PATH: return "in a site, in a path";
    default: return "in a path";
    }
}

static void put_directive(FILE *out, const struct directive *d)
{
    const char *value = d->note != NULL ? d->note : d->value;
    char line[512];

    fprintf(out, "\n  %s %s\n", d->name, d->args);
    snprintf(line, sizeof line, "(%s%s%s)", where_it_stands(d->where), value != NULL ? "; default: " : "",
             value != NULL ? value : "");
    fprintf(out, "%*s", 6, "");
    put_wrapped(out, line, 6, 6);
    fprintf(out, "%*s", 6, "");
    put_wrapped(out, d->help, 6, 6);
}

void conf_print_help_config(FILE *out)
{
    fputs("The configuration of proxy: one directive a line, or several parted by `;`.\n"
          "\n"
          "  state /state                    # a comment\n"
          "  site example.com www.example.com {\n"
          "      upstream app:8080\n"
          "      path /old { respond 410 \"gone for good\"; header set X-From proxy }\n"
          "  }\n"
          "\n"
          "Words with blanks, `;`, `#` or braces in them stand in \"quotes\", where \\\" \\\\ \\n\n"
          "and \\$ are escapes. ${NAME} is the environment's, in quotes or not. A line that\n"
          "ends in \\ goes on in the next.\n"
          "\n"
          "Durations: 500ms, 10s, 5m, 12h; a bare number is seconds. Sizes: 16384, 16k,\n"
          "10M, 1G. What is set at the top holds for every site that does not set it\n"
          "itself. All that stands at the top or in acme, but site, is an option as well:\n"
          "--log json.\n",
          out);
    for (unsigned group = 0; group < GROUP_MAX; group++) {
        fprintf(out, "\n\n%s\n", group_names[group]);
        for (unsigned i = 0; i < directive_count; i++)
            if (directives[i].group == group)
                put_directive(out, &directives[i]);
    }
}
