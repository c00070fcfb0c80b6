/* SPDX-License-Identifier: MIT
 *
 * The documents: every directive is in --help-config, in --help if it is an option, and in proxy.conf, which is a
 * good configuration as it stands and with everything in it switched on.
 */
#include "tests/unit/conf/support.h"

#include "base/file.h"
#include "conf/grammar.h"

#include <stdlib.h>

static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (!CHECK(out != NULL))
        return NULL;
    print(out);
    fclose(out);
    return text;
}

/* As a word at the beginning of a line, behind blanks and `sign`. */
static bool begins_a_line(const char *text, const char *sign, const char *word)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n'), line += line != NULL) {
        const char *p = line + strspn(line, " ");
        size_t n = strlen(word);

        if (strncmp(p, sign, strlen(sign)) != 0)
            continue;
        p += strlen(sign);
        if (strncmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\n'))
            return true;
    }
    return false;
}

static void fits_80_columns(const char *text)
{
    for (const char *line = text; *line != 0; line += strcspn(line, "\n") + 1) {
        if (!CHECK(strcspn(line, "\n") < 80))
            printf("    %.*s\n", (int)strcspn(line, "\n"), line);
        CHECK(line[0] == '\n' || line[strcspn(line, "\n") - 1] != ' ');
    }
}

TEST(help_config_has_every_directive)
{
    char *text = printed(conf_print_help_config);

    for (unsigned i = 0; i < directive_count; i++)
        if (!CHECK(begins_a_line(text, "", directives[i].name)))
            printf("    %s\n", directives[i].name);
    fits_80_columns(text);
    free(text);
}

TEST(help_has_every_option)
{
    char *text = printed(conf_print_help);

    for (unsigned i = 0; i < directive_count; i++) {
        bool is_option = (directives[i].where & (SCOPE_GLOBAL | SCOPE_ACME)) != 0 && !directives[i].block;

        /* --upstream is another spelling of --backend. */
        CHECK_EQ(option_exists(directives[i].name), is_option || strcmp(directives[i].name, "upstream") == 0);
        if (!CHECK_EQ(begins_a_line(text, "--", directives[i].name), is_option))
            printf("    %s\n", directives[i].name);
    }
    for (unsigned i = 0; i < option_count; i++) {
        char letter[] = {'-', options[i].letter, ',', ' ', '-', '-', 0};

        if (options[i].help != NULL)
            CHECK(begins_a_line(text, options[i].letter != 0 ? letter : "--", options[i].name));
    }
    fits_80_columns(text);
    free(text);
}

TEST(the_table_is_in_order)
{
    for (unsigned i = 0; i < directive_count; i++) {
        const struct directive *d = &directives[i];

        CHECK(d->name != NULL && d->args != NULL && d->help != NULL && d->set != NULL && d->where != 0);
        CHECK(directive_find(d->name) == d);
        CHECK(d->max == 0 || d->max >= d->min);
        CHECK(i == 0 || directives[i - 1].group <= d->group);
        /* A list that an option sets anew has to be cleared first. */
        if ((d->where & SCOPE_GLOBAL) != 0 && d->many && !d->block)
            CHECK(d->clear != NULL);
        if (d->site_at > 0)
            CHECK(d->width > 0 && (d->where & SCOPE_SITE) != 0);
    }
}

/* With every directive that is switched off by a # and no blank after it. */
static void switch_on(char *text)
{
    bool at_start = true;

    for (char *p = text; *p != 0; p++) {
        if (at_start && p[0] == '#' && p[1] >= 'a' && p[1] <= 'z')
            *p = ' ';
        at_start = *p == '\n' || (at_start && *p == ' ');
    }
}

TEST(proxy_conf_has_every_directive)
{
    struct file file = {0};
    struct conf *c;

    if (!CHECK_EQ(file_read("proxy.conf", 1 << 20, &file), 0))
        return;
    c = conf_of((const char *)file.content.p);
    CHECK(c != NULL && c->site_count == 3);
    /* What it shows as defaults are the defaults. */
    if (c != NULL) {
        struct conf *defaults = conf_of("site { respond 200 }");

        CHECK(memcmp(&c->timeouts, &defaults->timeouts, sizeof c->timeouts) == 0);
        CHECK_EQ(c->limits.request_line, defaults->limits.request_line);
        CHECK_EQ(c->limits.header_bytes, defaults->limits.header_bytes);
        CHECK_EQ(c->limits.header_count, defaults->limits.header_count);
        CHECK_EQ(c->limits.body, defaults->limits.body);
        CHECK_EQ(c->limits.min_rate, defaults->limits.min_rate);
        CHECK_EQ(c->limits.min_rate_grace, defaults->limits.min_rate_grace);
        CHECK_EQ(c->max_per_address, defaults->max_per_address);
        CHECK_EQ(c->max_connections, defaults->max_connections);
        CHECK_EQ(c->session_cache, defaults->session_cache);
        CHECK_EQ(c->trusted.count, 0);
        conf_unref(defaults);
    }
    conf_unref(c);
    switch_on((char *)file.content.p);
    for (unsigned i = 0; i < directive_count; i++)
        if (!CHECK(begins_a_line((const char *)file.content.p, "", directives[i].name)))
            printf("    %s\n", directives[i].name);
    c = conf_of((const char *)file.content.p);
    CHECK(c != NULL && c->trusted.count > 0 && c->sites[1].tls == CONF_TLS_FILES);
    conf_unref(c);
    file_release(&file);
}

TEST_MAIN(RUN(help_config_has_every_directive), RUN(help_has_every_option), RUN(the_table_is_in_order),
          RUN(proxy_conf_has_every_directive))
