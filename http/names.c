/* SPDX-License-Identifier: MIT
 *
 * Owns the tables of field names, methods and reasons, and the grammar of tokens, values and lists that fields are
 * made of (RFC 9110 §5). Nothing here keeps anything. Invariant: the table of field names is ordered by length and
 * names_from[n] is its first row of length n, so that a name is held against the few of its own length.
 */
#include "http/head.h"

#include "base/text.h"

#include <string.h>

#define NAME_MAX_LEN 19

struct name {
    char text[NAME_MAX_LEN + 1]; /* in lower case */
    uint8_t len;
    uint8_t id;
};

#define NAME(t, i)                                              \
    {                                                           \
        .text = (t), .len = sizeof(t) - 1, .id = HTTP_FIELD_##i \
    }

static const struct name names[] = {
    NAME("te", TE),
    NAME("via", VIA),
    NAME("host", HOST),
    NAME("date", DATE),
    NAME("expect", EXPECT),
    NAME("server", SERVER),
    NAME("upgrade", UPGRADE),
    NAME("trailer", TRAILER),
    NAME("referer", REFERER),
    NAME("forwarded", FORWARDED),
    NAME("x-real-ip", X_REAL_IP),
    NAME("connection", CONNECTION),
    NAME("user-agent", USER_AGENT),
    NAME("keep-alive", KEEP_ALIVE),
    NAME("max-forwards", MAX_FORWARDS),
    NAME("content-length", CONTENT_LENGTH),
    NAME("http2-settings", HTTP2_SETTINGS),
    NAME("x-forwarded-for", X_FORWARDED_FOR),
    NAME("x-forwarded-host", X_FORWARDED_HOST),
    NAME("proxy-connection", PROXY_CONNECTION),
    NAME("x-forwarded-proto", X_FORWARDED_PROTO),
    NAME("transfer-encoding", TRANSFER_ENCODING),
    NAME("proxy-authenticate", PROXY_AUTHENTICATE),
    NAME("proxy-authorization", PROXY_AUTHORIZATION),
};

#define NAMES (sizeof names / sizeof names[0])

/* Every id but UNKNOWN and X_FORWARDED_OTHER, which is a prefix. */
_Static_assert(NAMES == HTTP_FIELD_ID_MAX - 2, "a field id without its name");

static const uint8_t names_from[NAME_MAX_LEN + 2] = {
    [0] = 0,   [1] = 0,   [2] = 0,   [3] = 1,   [4] = 2,   [5] = 4,   [6] = 4,
    [7] = 6,   [8] = 9,   [9] = 9,   [10] = 11, [11] = 14, [12] = 14, [13] = 15,
    [14] = 15, [15] = 17, [16] = 18, [17] = 20, [18] = 22, [19] = 23, [20] = 24,
};

/* Where eight bytes are not those of the table, in either case. A letter there has the bit 0x40, as hyphens and digits
 * have not, and what differs from it in the bit 0x20 alone is the same letter. */
static uint64_t differ(const uint8_t *p, const char *text)
{
    uint64_t in, known;

    memcpy(&in, p, sizeof in);
    memcpy(&known, text, sizeof known);
    return (in ^ known) & ~((known & 0x4040404040404040) >> 1);
}

/* Is `in`, of the row's length, its name? */
static bool is_name(const uint8_t *in, const struct name *row)
{
    size_t at = 0, len = row->len;

    if (len >= 8) { /* the last eight may have been looked at in part */
        for (; at + 8 < len; at += 8)
            if (differ(in + at, row->text + at) != 0)
                return false;
        return differ(in + len - 8, row->text + len - 8) == 0;
    }
    while (at < len && text_lower(in[at]) == (uint8_t)row->text[at])
        at++;
    return at == len;
}

/* `in` begins with `text` (lower case), where an underscore counts as a hyphen: an application behind may read both
 * spellings as one (CGI). */
static bool begins_loosely(struct bytes in, const char *text, size_t len)
{
    size_t at = 0;

    if (in.n < len)
        return false;
    while (at < len && (in.p[at] == '_' ? '-' : text_lower(in.p[at])) == (uint8_t)text[at])
        at++;
    return at == len;
}

enum http_field_id http_field_id_of(struct bytes name)
{
    static const char forwarded[] = "x-forwarded-";
    uint8_t first;

    if (name.n == 0)
        return HTTP_FIELD_UNKNOWN;
    first = text_lower(name.p[0]);
    if (name.n <= NAME_MAX_LEN)
        for (const struct name *row = names + names_from[name.n]; row < names + names_from[name.n + 1]; row++)
            if ((uint8_t)row->text[0] == first &&
                (first == 'x' ? begins_loosely(name, row->text, row->len) : is_name(name.p, row)))
                return (enum http_field_id)row->id;
    if (first == 'x' && begins_loosely(name, forwarded, sizeof forwarded - 1))
        return HTTP_FIELD_X_FORWARDED_OTHER;
    return HTTP_FIELD_UNKNOWN;
}

/* --- grammar --- */

/* tchar (RFC 9110 §5.6.2) */
const bool http_tchar[256] = {
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true,
    ['+'] = true, ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true,  ['|'] = true,
    ['~'] = true, ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true,  ['5'] = true,
    ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['A'] = true, ['B'] = true,  ['C'] = true,
    ['D'] = true, ['E'] = true, ['F'] = true, ['G'] = true, ['H'] = true, ['I'] = true,  ['J'] = true,
    ['K'] = true, ['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true,  ['Q'] = true,
    ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true,  ['X'] = true,
    ['Y'] = true, ['Z'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true,  ['e'] = true,
    ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true,  ['l'] = true,
    ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true,  ['s'] = true,
    ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true,  ['z'] = true,
};

bool http_is_token(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if (!http_tchar[b.p[i]])
            return false;
    return b.n > 0;
}

bool http_is_field_value(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if ((b.p[i] < 0x20 && b.p[i] != '\t') || b.p[i] == 0x7f)
            return false;
    return true;
}

static struct bytes trim(struct bytes b)
{
    while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t')) {
        b.p++;
        b.n--;
    }
    while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
        b.n--;
    return b;
}

bool http_list_next(struct bytes *list, struct bytes *member)
{
    while (list->n > 0) {
        size_t n = 0;
        bool quoted = false;

        /* A comma in a quoted string is none of the list's (RFC 9110 §5.6.4). */
        for (; n < list->n && (quoted || list->p[n] != ','); n++) {
            if (list->p[n] == '"')
                quoted = !quoted;
            else if (quoted && list->p[n] == '\\' && n + 1 < list->n)
                n++;
        }
        *member = trim((struct bytes){list->p, n});
        if (n < list->n)
            n++;
        list->p += n;
        list->n -= n;
        if (member->n > 0) /* empty members do not count (RFC 9110 §5.6.1.2) */
            return true;
    }
    return false;
}

bool http_list_has(struct bytes list, const char *token)
{
    struct bytes member;

    while (http_list_next(&list, &member))
        if (bytes_is_nocase(member, token))
            return true;
    return false;
}

/* --- methods and reasons --- */

static const struct {
    const char *token;
    bool idempotent; /* RFC 9110 §9.2.2 */
} methods[] = {
    [HTTP_GET] = {"GET",     true },
      [HTTP_HEAD] = {"HEAD",    true },
      [HTTP_POST] = {"POST",    false},
    [HTTP_PUT] = {"PUT",     true },
      [HTTP_DELETE] = {"DELETE",  true },
      [HTTP_CONNECT] = {"CONNECT", false},
    [HTTP_OPTIONS] = {"OPTIONS", true },
      [HTTP_TRACE] = {"TRACE",   true },
      [HTTP_PATCH] = {"PATCH",   false},
};

_Static_assert(sizeof methods / sizeof methods[0] == HTTP_OTHER, "a method without its token");

enum http_method http_method_of(struct bytes token)
{
    for (unsigned m = 0; m < HTTP_OTHER; m++)
        if (bytes_is(token, methods[m].token)) /* case-sensitive (RFC 9110 §9.1) */
            return (enum http_method)m;
    return HTTP_OTHER;
}

bool http_method_is_idempotent(enum http_method m)
{
    return m < HTTP_OTHER && methods[m].idempotent;
}

const char *http_reason(unsigned status)
{
    static const struct {
        uint16_t status;
        char phrase[32];
    } reasons[] = {
        {100, "Continue"                       },
        {101, "Switching Protocols"            },
        {102, "Processing"                     },
        {103, "Early Hints"                    },
        {200, "OK"                             },
        {201, "Created"                        },
        {202, "Accepted"                       },
        {203, "Non-Authoritative Information"  },
        {204, "No Content"                     },
        {205, "Reset Content"                  },
        {206, "Partial Content"                },
        {207, "Multi-Status"                   },
        {300, "Multiple Choices"               },
        {301, "Moved Permanently"              },
        {302, "Found"                          },
        {303, "See Other"                      },
        {304, "Not Modified"                   },
        {307, "Temporary Redirect"             },
        {308, "Permanent Redirect"             },
        {400, "Bad Request"                    },
        {401, "Unauthorized"                   },
        {402, "Payment Required"               },
        {403, "Forbidden"                      },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {406, "Not Acceptable"                 },
        {407, "Proxy Authentication Required"  },
        {408, "Request Timeout"                },
        {409, "Conflict"                       },
        {410, "Gone"                           },
        {411, "Length Required"                },
        {412, "Precondition Failed"            },
        {413, "Content Too Large"              },
        {414, "URI Too Long"                   },
        {415, "Unsupported Media Type"         },
        {416, "Range Not Satisfiable"          },
        {417, "Expectation Failed"             },
        {421, "Misdirected Request"            },
        {422, "Unprocessable Content"          },
        {423, "Locked"                         },
        {425, "Too Early"                      },
        {426, "Upgrade Required"               },
        {428, "Precondition Required"          },
        {429, "Too Many Requests"              },
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"  },
        {500, "Internal Server Error"          },
        {501, "Not Implemented"                },
        {502, "Bad Gateway"                    },
        {503, "Service Unavailable"            },
        {504, "Gateway Timeout"                },
        {505, "HTTP Version Not Supported"     },
        {507, "Insufficient Storage"           },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].phrase;
    return "";
}
