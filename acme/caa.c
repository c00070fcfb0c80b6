/* SPDX-License-Identifier: MIT
 *
 * A value is `issuer; tag=value; tag=value`. Nothing is guessed: an authority that cannot read a record refuses, so what is
 * not exactly that allows nobody here, too.
 */
#include "acme/caa.h"

#include "base/text.h"

#define CRITICAL 0x80u

struct issue {
    struct bytes issuer; /* empty: nobody */
    struct bytes methods, account;
    bool has_methods, has_account;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct bytes trim(struct bytes b)
{
    while (b.n > 0 && is_space(b.p[0])) {
        b.p++;
        b.n--;
    }
    while (b.n > 0 && is_space(b.p[b.n - 1]))
        b.n--;
    return b;
}

/* What stands before the separator, which goes with it; all of the rest when there is none. */
static struct bytes cut(struct bytes *rest, uint8_t separator)
{
    struct bytes part = *rest;

    if (rest->n == 0)
        return part;
    for (size_t i = 0; i < rest->n; i++)
        if (rest->p[i] == separator) {
            part.n = i;
            rest->p += i + 1;
            rest->n -= i + 1;
            return part;
        }
    rest->p += rest->n;
    rest->n = 0;
    return part;
}

static bool is_word(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if (!text_is_alpha(b.p[i]) && !text_is_digit(b.p[i]) && b.p[i] != '-')
            return false;
    return b.n > 0 && b.p[0] != '-' && b.p[b.n - 1] != '-';
}

bool caa_is_issuer(struct bytes text)
{
    if (text.n == 0 || text.n > 253 || text.p[text.n - 1] == '.')
        return false;
    while (text.n > 0)
        if (!is_word(cut(&text, '.')))
            return false;
    return true;
}

static bool is_visible(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] <= ' ' || b.p[i] > '~')
            return false;
    return true;
}

static bool parse_parameter(struct bytes text, struct issue *out)
{
    struct bytes value = text, tag = cut(&value, '=');

    if (tag.n == text.n) /* no sign at all */
        return false;
    tag = trim(tag);
    value = trim(value);
    if (!is_word(tag) || !is_visible(value))
        return false;
    /* Twice, or an account that is none: nothing can satisfy it (RFC 8657 §3, §4). */
    if (bytes_is_nocase(tag, "validationmethods")) {
        if (out->has_methods)
            return false;
        out->methods = value;
        out->has_methods = true;
    } else if (bytes_is_nocase(tag, "accounturi")) {
        if (out->has_account || value.n == 0)
            return false;
        out->account = value;
        out->has_account = true;
    }
    return true;
}

/* False: as if it had no issuer. */
static bool parse_issue(struct bytes value, struct issue *out)
{
    bool more = true;

    *out = (struct issue){0};
    out->issuer = trim(cut(&value, ';'));
    if (!caa_is_issuer(out->issuer))
        return false;
    if (trim(value).n == 0)
        return true;
    while (more) {
        struct bytes rest = value, parameter = cut(&value, ';');

        more = parameter.n < rest.n;
        if (!parse_parameter(parameter, out))
            return false;
    }
    return true;
}

static bool allows_http(const struct issue *issue)
{
    struct bytes methods = issue->methods;

    if (!issue->has_methods)
        return true;
    while (methods.n > 0)
        if (bytes_is_nocase(trim(cut(&methods, ',')), "http-01"))
            return true;
    return false;
}

static bool is_one_of(struct bytes issuer, const char *const *identities, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (bytes_is_nocase(issuer, identities[i]))
            return true;
    return false;
}

/* RFC 8659 §4, and RFC 9495 of mail, which does not concern a server. */
static bool is_known(struct bytes tag)
{
    static const char *const known[] = {"issue", "issuewild", "iodef", "issuemail"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (bytes_is_nocase(tag, known[i]))
            return true;
    return false;
}

/* What one of those that are read says, given what the others have said. */
static void weigh(struct caa_finding *f, const struct issue *issue, const char *const *identities, unsigned n)
{
    const bool is_ours = n == 0 || is_one_of(issue->issuer, identities, n);

    if (is_ours && allows_http(issue)) {
        if (f->verdict == CAA_ALLOWED && f->detail.n == 0)
            return; /* for any account, which is the better one */
        f->verdict = n > 0 ? CAA_ALLOWED : CAA_UNKNOWN;
        f->issuer = issue->issuer;
        f->detail = issue->account;
    } else if (f->verdict == CAA_ALLOWED || f->verdict == CAA_UNKNOWN) {
        return;
    } else if (is_ours) {
        f->verdict = CAA_METHOD;
        f->issuer = issue->issuer;
        f->detail = issue->methods;
    } else if (f->verdict == CAA_NOBODY) {
        f->verdict = CAA_OTHERS;
    }
}

struct caa_finding caa_decide(const struct dns_caa_record *records, unsigned n, const char *const *identities,
                              unsigned identity_count)
{
    struct caa_finding f = {.verdict = CAA_OPEN};

    for (unsigned i = 0; i < n; i++)
        if ((records[i].flags & CRITICAL) != 0 && !is_known(records[i].tag))
            return (struct caa_finding){.verdict = CAA_CRITICAL, .detail = records[i].tag};
    for (unsigned i = 0; i < n; i++) {
        struct issue issue;

        if (!bytes_is_nocase(records[i].tag, "issue"))
            continue;
        if (f.verdict == CAA_OPEN)
            f.verdict = CAA_NOBODY;
        if (parse_issue(records[i].value, &issue))
            weigh(&f, &issue, identities, identity_count);
    }
    return f;
}

/* ---- for people ---- */

static void put_clean(struct writer *w, struct bytes b)
{
    for (size_t i = 0; i < b.n && i < 253; i++)
        writer_u8(w, b.p[i] < ' ' || b.p[i] > '~' ? '?' : b.p[i]);
}

/* As many as a line has room for. */
static void put_issuers(struct writer *w, const struct dns_caa_record *records, unsigned n)
{
    size_t start = writer_len(w);

    for (unsigned i = 0; i < n; i++) {
        struct issue issue;

        if (!bytes_is_nocase(records[i].tag, "issue") || !parse_issue(records[i].value, &issue))
            continue;
        if (writer_len(w) - start > 100) {
            writer_str(w, " and others");
            return;
        }
        if (writer_len(w) > start)
            writer_str(w, ", ");
        put_clean(w, issue.issuer);
    }
}

static void put_advice(struct writer *w, const char *at, const char *const *identities, unsigned n)
{
    writer_str(w, "; add `");
    put_clean(w, bytes_str(at));
    writer_str(w, ". CAA 0 issue \"");
    put_clean(w, bytes_str(n > 0 ? identities[0] : "NAME-OF-THE-AUTHORITY"));
    writer_str(w, "\"` or take another authority");
}

static void put_bad(struct writer *w, const struct caa_finding *f, const struct dns_caa_record *records,
                    unsigned n)
{
    switch (f->verdict) {
    case CAA_UNKNOWN:
    case CAA_OTHERS:
        writer_str(w, " allows only ");
        put_issuers(w, records, n);
        break;
    case CAA_NOBODY: writer_str(w, " allows no authority"); break;
    case CAA_METHOD:
        writer_str(w, " allows ");
        put_clean(w, f->issuer);
        writer_str(w, ", but not http-01 (validationmethods=");
        put_clean(w, f->detail);
        writer_str(w, "); add it there");
        break;
    case CAA_CRITICAL:
        writer_str(w, " has the critical property ");
        put_clean(w, f->detail);
        writer_str(w, ", and an authority that does not know it refuses; remove it, or make its flags 0");
        break;
    case CAA_OPEN:
    case CAA_ALLOWED: break;
    }
}

bool caa_describe(struct writer *w, const char *at, const struct dns_caa_record *records, unsigned n,
                  const char *const *identities, unsigned identity_count)
{
    const struct caa_finding f = caa_decide(records, n, identities, identity_count);

    if (n == 0) {
        writer_str(w, "CAA: none, any authority may issue");
    } else if (f.verdict == CAA_OPEN || f.verdict == CAA_ALLOWED) {
        writer_str(w, "CAA: ");
        put_clean(w, f.verdict == CAA_OPEN ? bytes_str("any authority") : f.issuer);
        writer_str(w, f.verdict == CAA_OPEN ? " may issue (at " : " is allowed (at ");
        put_clean(w, bytes_str(at));
        writer_u8(w, ')');
        if (f.detail.n > 0) {
            writer_str(w, ", for the account ");
            put_clean(w, f.detail);
            writer_str(w, " alone");
        }
    } else {
        writer_str(w, "CAA at ");
        put_clean(w, bytes_str(at));
        put_bad(w, &f, records, n);
        if (f.verdict == CAA_OTHERS || f.verdict == CAA_NOBODY)
            put_advice(w, at, identities, identity_count);
        else if (f.verdict == CAA_UNKNOWN)
            writer_str(w, "; what this authority is called there, it does not say");
    }
    return f.verdict <= CAA_UNKNOWN;
}

const char *caa_identity_of(const char *ca)
{
    static const char *const known[][2] = {
        {"letsencrypt",         "letsencrypt.org"},
        {"letsencrypt-staging", "letsencrypt.org"},
        {"zerossl",             "sectigo.com"    },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(ca, known[i][0]) == 0)
            return known[i][1];
    return NULL;
}
