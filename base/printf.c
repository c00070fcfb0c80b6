/* SPDX-License-Identifier: MIT
 *
 * The printf family for the static build, as far as this program uses it. musl's comes whole, with numbers of floating
 * point: 10 KB, and as much again where the machine has no such numbers of 128 bits. It is replaced from below: what
 * libc has above these two (snprintf, fprintf, inet_ntop) calls them.
 *
 * ISO C 7.21.6.1 with d, u, x, o, c, s and %; flags - and 0; a width; a precision, of strings alone; lengths l, ll, j
 * and z. Whatever else stands in a format is printed as it stands, with all that follows, and takes no
 * argument: check_formats in tests/check.sh sees to it that nothing else does.
 */
#include <errno.h>
#include <features.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __GLIBC__ /* here it is only tested, under other names */
#define vfprintf  small_vfprintf
#define vsnprintf small_vsnprintf
int vfprintf(FILE *restrict file, const char *restrict f, va_list list);
int vsnprintf(char *restrict s, size_t size, const char *restrict f, va_list list);
#endif

/* Where it goes: into room for a string, or by a buffer, so that a message of a usual length is one write, into a file. */
struct out {
    FILE *file; /* NULL: a string */
    char *start;
    size_t used, room; /* room may be more than there is memory: sprintf says INT_MAX */
    size_t n;          /* all of it, whether there was room or not */
    bool failed;
};

static void flush(struct out *o)
{
    if (fwrite(o->start, 1, o->used, o->file) != o->used)
        o->failed = true;
    o->used = 0;
}

static void put(struct out *o, const char *text, size_t n)
{
    o->n += n;
    while (n > 0) {
        size_t room = o->room - o->used, some = n < room ? n : room;

        if (some > 0)
            memcpy(o->start + o->used, text, some);
        o->used += some;
        text += some;
        n -= some;
        if (n > 0 && o->file == NULL)
            return;
        if (n > 0)
            flush(o);
    }
}

static void repeat(struct out *o, char c, size_t n)
{
    for (; n > 0 && (o->file != NULL || o->used < o->room); n--)
        put(o, &c, 1);
    o->n += n; /* for which a string has no room */
}

struct directive {
    bool left, zeros;
    size_t width;
    size_t precision; /* SIZE_MAX: none */
    enum { LENGTH_INT, LENGTH_LONG, LENGTH_LONG_LONG, LENGTH_MAX, LENGTH_SIZE } length;
};

static void put_padded(struct out *o, const struct directive *d, const char *sign, const char *text, size_t n)
{
    size_t all = strlen(sign) + n, pad = d->width > all ? d->width - all : 0;

    if (!d->left && !d->zeros)
        repeat(o, ' ', pad);
    put(o, sign, strlen(sign));
    if (!d->left && d->zeros)
        repeat(o, '0', pad);
    put(o, text, n);
    if (d->left)
        repeat(o, ' ', pad);
}

static void put_number(struct out *o, const struct directive *d, const char *sign, uintmax_t v, unsigned base)
{
    char digits[sizeof v * 8 / 3 + 1];
    size_t i = sizeof digits;

    do
        digits[--i] = "0123456789abcdef"[v % base];
    while (v /= base);
    put_padded(o, d, sign, digits + i, sizeof digits - i);
}

/* A va_list that is handed on must be one of a structure's, or it may be lost with the call (7.16). */
struct arguments {
    va_list list;
};

static uintmax_t unsigned_argument(struct arguments *a, const struct directive *d)
{
    switch (d->length) {
    case LENGTH_LONG: return va_arg(a->list, unsigned long);
    case LENGTH_LONG_LONG: return va_arg(a->list, unsigned long long);
    case LENGTH_MAX: return va_arg(a->list, uintmax_t);
    case LENGTH_SIZE: return va_arg(a->list, size_t);
    default: return va_arg(a->list, unsigned);
    }
}

static intmax_t signed_argument(struct arguments *a, const struct directive *d)
{
    switch (d->length) {
    case LENGTH_LONG: return va_arg(a->list, long);
    case LENGTH_LONG_LONG: return va_arg(a->list, long long);
    case LENGTH_MAX: return va_arg(a->list, intmax_t);
    case LENGTH_SIZE: return (intmax_t)va_arg(a->list, size_t);
    default: return va_arg(a->list, int);
    }
}

/* A number or *, whose negative value is no precision, and as a width one to the left. */
static size_t size_of(const char **f, struct arguments *a, bool *negative)
{
    size_t n = 0;

    if (**f == '*') {
        int v = va_arg(a->list, int);
        (*f)++;
        if (v < 0)
            *negative = true;
        return v < 0 ? 0 - (size_t)v : (size_t)v;
    }
    for (; **f >= '0' && **f <= '9'; (*f)++)
        n = n * 10 + (size_t)(**f - '0');
    return n;
}

static struct directive parse(const char **f, struct arguments *a)
{
    struct directive d = {.precision = SIZE_MAX};
    bool negative = false;

    for (; **f == '-' || **f == '0'; (*f)++)
        *(**f == '-' ? &d.left : &d.zeros) = true;
    d.width = size_of(f, a, &d.left);
    if (**f == '.') {
        ++*f;
        d.precision = size_of(f, a, &negative);
        if (negative)
            d.precision = SIZE_MAX;
    }
    switch (**f) {
    case 'j': d.length = LENGTH_MAX; break;
    case 'z': d.length = LENGTH_SIZE; break;
    case 'l': d.length = (*f)[1] == 'l' ? LENGTH_LONG_LONG : LENGTH_LONG; break;
    default: return d;
    }
    *f += d.length == LENGTH_LONG_LONG ? 2 : 1;
    return d;
}

/* False: it is none. */
static bool put_directive(struct out *o, const struct directive *d, char conversion, struct arguments *a)
{
    const char *text;
    intmax_t v;
    char c;

    switch (conversion) {
    case '%': put(o, "%", 1); return true;
    case 'c':
        c = (char)va_arg(a->list, int);
        put_padded(o, d, "", &c, 1);
        return true;
    case 's':
        text = va_arg(a->list, const char *);
        if (text == NULL) /* a mistake, and better seen in a log than as a crash */
            text = "(null)";
        put_padded(o, d, "", text, strnlen(text, d->precision));
        return true;
    case 'd':
        v = signed_argument(a, d);
        put_number(o, d, v < 0 ? "-" : "", v < 0 ? 0 - (uintmax_t)v : (uintmax_t)v, 10);
        return true;
    case 'u': put_number(o, d, "", unsigned_argument(a, d), 10); return true;
    case 'x': put_number(o, d, "", unsigned_argument(a, d), 16); return true;
    case 'o': put_number(o, d, "", unsigned_argument(a, d), 8); return true;
    default: return false;
    }
}

static void format(struct out *o, const char *f, struct arguments *a)
{
    for (;;) {
        const char *percent = strchr(f, '%'), *end;
        struct directive d;

        if (percent == NULL)
            break;
        put(o, f, (size_t)(percent - f));
        end = percent + 1;
        d = parse(&end, a);
        f = percent;
        if (!put_directive(o, &d, *end, a))
            break;
        f = end + 1;
    }
    put(o, f, strlen(f));
}

static int length_of(const struct out *o)
{
    if (o->n <= INT_MAX)
        return (int)o->n;
    errno = EOVERFLOW;
    return -1;
}

int vsnprintf(char *restrict s, size_t size, const char *restrict f, va_list list)
{
    struct out o = {.start = s, .room = size > 0 ? size - 1 : 0};
    struct arguments a;

    va_copy(a.list, list);
    format(&o, f, &a);
    va_end(a.list);
    if (size > 0)
        s[o.used] = '\0';
    return length_of(&o);
}

int vfprintf(FILE *restrict file, const char *restrict f, va_list list)
{
    char buffer[512];
    struct out o = {.file = file, .start = buffer, .room = sizeof buffer};
    struct arguments a;

    va_copy(a.list, list);
    format(&o, f, &a);
    va_end(a.list);
    flush(&o);
    return o.failed ? -1 : length_of(&o);
}
