/* SPDX-License-Identifier: MIT
 *
 * What a request may be, to the byte: the cases of RFC 9112 §11 and of the published research on request smuggling.
 * Each case goes in in one piece, byte by byte and in small pieces, and has to end the same way.
 */
#include "tests/unit/http/rig.h"
#include "tests/unit/test.h"

struct bad_case {
    const char *in;
    size_t n;
    unsigned status;
    const char *why;
};

#define H "Host: a\r\n"
#define BAD(t, s, w)                 \
    {                                \
        (t), sizeof(t) - 1, (s), (w) \
    }
/* A field line in an otherwise good request. */
#define FIELD(t, w) BAD("GET / HTTP/1.1\r\n" H t "\r\n\r\n", 400, w)
#define LINE(t, w)  BAD(t "\r\n" H "\r\n", 400, w)
#define NOT_CHUNKED "Transfer-Encoding is not chunked"
#define BOTH        "Content-Length with Transfer-Encoding"
#define TWO_LENGTHS "two Content-Length fields"
#define NO_NUMBER   "Content-Length is not a number"
#define NO_TOKEN    "field name is not a token"
#define BAD_TARGET  "forbidden byte in the request target"
#define BAD_HOST    "malformed Host"
#define BAD_VERSION "malformed HTTP version"
#define NO_FORM     "request target in no known form"
#define BAD_AUTH    "malformed authority in the request target"
#define BAD_CONNECT "CONNECT without host and port"
#define AMBIGUOUS   "field name that can be taken for one of framing"

/* clang-format off */
static const struct bad_case heads[] = {
    /* Content-Length */
    FIELD("Content-Length: 5\r\nContent-Length: 5", TWO_LENGTHS),
    FIELD("Content-Length: 5\r\nContent-Length: 6", TWO_LENGTHS),
    FIELD("Content-Length: 0\r\ncontent-length: 44", TWO_LENGTHS),
    FIELD("Content-Length: 5, 5", NO_NUMBER),
    FIELD("Content-Length: 5,6", NO_NUMBER),
    FIELD("Content-Length: 5,", NO_NUMBER),
    FIELD("Content-Length: ,5", NO_NUMBER),
    FIELD("Content-Length: +5", NO_NUMBER),
    FIELD("Content-Length: -5", NO_NUMBER),
    FIELD("Content-Length: -0", NO_NUMBER),
    FIELD("Content-Length: 0x5", NO_NUMBER),
    FIELD("Content-Length: 5 5", NO_NUMBER),
    FIELD("Content-Length: 5\t5", NO_NUMBER),
    FIELD("Content-Length: 5.0", NO_NUMBER),
    FIELD("Content-Length: 5e1", NO_NUMBER),
    FIELD("Content-Length: 5_0", NO_NUMBER),
    FIELD("Content-Length: \"5\"", NO_NUMBER),
    FIELD("Content-Length: 5;a", NO_NUMBER),
    FIELD("Content-Length: chunked", NO_NUMBER),
    FIELD("Content-Length: \xb2", NO_NUMBER),
    FIELD("Content-Length: \xef\xbc\x95", NO_NUMBER),
    FIELD("Content-Length:", "empty Content-Length"),
    FIELD("Content-Length: \t ", "empty Content-Length"),
    FIELD("Content-Length: 9223372036854775808", "Content-Length too large"),
    FIELD("Content-Length: 18446744073709551615", "Content-Length too large"),
    FIELD("Content-Length: 18446744073709551616", "Content-Length too large"),
    FIELD("Content-Length: 18446744073709551621", "Content-Length too large"),
    FIELD("Content-Length: 99999999999999999999999999999999999", "Content-Length too large"),
    FIELD("Content_Length: 5", AMBIGUOUS),
    FIELD("content_length: 5", AMBIGUOUS),
    FIELD("Transfer_Encoding: chunked", AMBIGUOUS),
    FIELD("TRANSFER_ENCODING: identity", AMBIGUOUS),
    /* Transfer-Encoding */
    FIELD("Transfer-Encoding: chunked\r\nContent-Length: 5", BOTH),
    FIELD("Content-Length: 5\r\nTransfer-Encoding: chunked", BOTH),
    FIELD("Content-Length: 0\r\nTransfer-Encoding: chunked", BOTH),
    FIELD("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "two Transfer-Encoding fields"),
    FIELD("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "two Transfer-Encoding fields"),
    FIELD("Transfer-Encoding: chunked\r\nTransfer-encoding: x", "two Transfer-Encoding fields"),
    FIELD("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: identity", NOT_CHUNKED),
    FIELD("Transfer-Encoding: gzip, chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked, gzip", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked, chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked,", NOT_CHUNKED),
    FIELD("Transfer-Encoding: ,chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked, identity", NOT_CHUNKED),
    FIELD("Transfer-Encoding: identity, chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: xchunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunkedx", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunke", NOT_CHUNKED),
    FIELD("Transfer-Encoding: \"chunked\"", NOT_CHUNKED),
    FIELD("Transfer-Encoding: 'chunked'", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked;q=1", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked ;", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chun ked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked foo", NOT_CHUNKED),
    FIELD("Transfer-Encoding: \xa0" "chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: chunked\xa0", NOT_CHUNKED),
    FIELD("Transfer-Encoding:", NOT_CHUNKED),
    FIELD("Transfer-Encoding: ", NOT_CHUNKED),
    FIELD("Transfer-Encoding: cow", NOT_CHUNKED),
    BAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "Transfer-Encoding in HTTP/1.0"),
    BAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, BOTH),
    /* names that some take for Transfer-Encoding */
    FIELD("Transfer-Encoding : chunked", "whitespace before the colon of a field"),
    FIELD("Transfer-Encoding\t: chunked", "whitespace before the colon of a field"),
    FIELD("Transfer-Encoding\v: chunked", NO_TOKEN),
    FIELD("Transfer-Encoding\f: chunked", NO_TOKEN),
    FIELD("Transfer-Encoding\0: chunked", NO_TOKEN),
    FIELD("Transfer-Encoding\xa0: chunked", NO_TOKEN),
    FIELD("Transfer-Encoding\x85: chunked", NO_TOKEN),
    FIELD("\vTransfer-Encoding: chunked", NO_TOKEN),
    FIELD("\0Transfer-Encoding: chunked", NO_TOKEN),
    FIELD("\"Transfer-Encoding\": chunked", NO_TOKEN),
    FIELD("Transfer Encoding: chunked", "whitespace before the colon of a field"),
    FIELD("Transfer-\r\n Encoding: chunked", "field line without a colon"),
    FIELD("X: y\r\n Transfer-Encoding: chunked", "folded field line"),
    FIELD("X: y\rTransfer-Encoding: chunked", "bare CR"),
    FIELD("X: y\nTransfer-Encoding: chunked", "bare LF in a field line"),
    FIELD("X: y\n\rTransfer-Encoding: chunked", "bare LF in a field line"),
    FIELD("Transfer-Encoding:\r\n chunked", NOT_CHUNKED),
    FIELD("Transfer-Encoding: \r chunked", "bare CR"),
    FIELD("Transfer-Encoding: \x0b" "chunked", "control byte in a field value"),
    FIELD("Transfer-Encoding: chunked\x0b", "control byte in a field value"),
    FIELD("Transfer-Encoding: chunked\0", "NUL in a field value"),
    FIELD("Transfer-Encoding: \0chunked", "NUL in a field value"),
    /* field lines */
    FIELD(": x", "empty field name"),
    FIELD(":", "empty field name"),
    FIELD("x", "field line without a colon"),
    FIELD("x y", "whitespace before the colon of a field"),
    FIELD("X: a\r\n b", "folded field line"),
    FIELD("X: a\r\n\tb", "folded field line"),
    FIELD("X: a\r\n ", "folded field line"),
    FIELD("X: a\r\n \r\n", "folded field line"),
    FIELD("X: \0", "NUL in a field value"),
    FIELD("X: a\0b", "NUL in a field value"),
    FIELD("X: \x01", "control byte in a field value"),
    FIELD("X: \x08", "control byte in a field value"),
    FIELD("X: \x0b", "control byte in a field value"),
    FIELD("X: \x0c", "control byte in a field value"),
    FIELD("X: \x1b[2J", "control byte in a field value"),
    FIELD("X: \x1f", "control byte in a field value"),
    FIELD("X: \x7f", "control byte in a field value"),
    FIELD("X: 01234567\x7f", "control byte in a field value"),
    FIELD("X: 0123456789\x01zzzzzzzzzzz", "control byte in a field value"),
    FIELD("X: a\r", "bare CR"),
    FIELD("X: a\rb: c", "bare CR"),
    FIELD("X: a\r\r\n", "bare CR"),
    FIELD("X: a\n", "bare LF in a field line"),
    FIELD("X\n: a", "field line without a colon"),
    FIELD("X\r: a", "field line without a colon"),
    FIELD("X(y): a", NO_TOKEN),
    FIELD("X/y: a", NO_TOKEN),
    FIELD("X@y: a", NO_TOKEN),
    FIELD("X[0]: a", NO_TOKEN),
    FIELD("X\x80: a", NO_TOKEN),
    FIELD("X\xc3\xa9: a", NO_TOKEN),
    FIELD("{x}: a", NO_TOKEN),
    FIELD(";x: a", NO_TOKEN),
    BAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded field line"),
    BAD("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", 400, "folded field line"),
    BAD("GET / HTTP/1.1\r\n" H "\n", 400, "bare LF in a field line"),
    BAD("GET / HTTP/1.1\r\n" H "\r\r\n", 400, "bare CR"),
    BAD("GET / HTTP/1.1\r\n" H "\rX", 400, "bare CR"),
    BAD("GET / HTTP/1.1\r\nHost: a\n\n", 400, "bare LF in a field line"),
    /* Host */
    BAD("GET / HTTP/1.1\r\n\r\n", 400, "no Host field"),
    BAD("GET / HTTP/1.1\r\nX: y\r\n\r\n", 400, "no Host field"),
    BAD("GET http://a/ HTTP/1.1\r\n\r\n", 400, "no Host field"),
    BAD("GET / HTTP/1.9\r\n\r\n", 400, "no Host field"),
    FIELD("Host: a", "two Host fields"),
    FIELD("hOST: b", "two Host fields"),
    BAD("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "two Host fields"),
#define HOST(t) BAD("GET / HTTP/1.1\r\nHost:" t "\r\n\r\n", 400, BAD_HOST)
    HOST(""), HOST(" "), HOST(" a b"), HOST(" a,b"), HOST(" a, b"), HOST(" a/b"), HOST(" a?b"), HOST(" a#b"),
    HOST(" u@a"), HOST(" u:p@a"), HOST(" http://a"), HOST(" a:b"), HOST(" a:99999"), HOST(" a:65536"),
    HOST(" a:-1"), HOST(" a:0"), HOST(" a:80:80"), HOST(" :80"), HOST(" ."), HOST(" .a"), HOST(" a..b"),
    HOST(" a%20b"), HOST(" %61"), HOST(" a\\b"), HOST(" \"a\""), HOST(" <a>"), HOST(" a\xc3\xa9"), HOST(" a;b"),
    HOST(" a=b"), HOST(" a&b"), HOST(" a'b"), HOST(" a(b"), HOST(" a*b"), HOST(" [::1"), HOST(" ::1"), HOST(" []"),
    HOST(" [::1]x"), HOST(" [::1]:x"), HOST(" [::g]"), HOST(" [v1.a]"), HOST(" [fe80::1%25eth0]"),
    HOST(" [fe80::1%eth0]"), HOST(" [127.0.0.1]"), HOST(" a\tb"), HOST(" a:80 "  "b"),
    /* the request line */
    LINE("GET / HTTP/1.1 ", BAD_VERSION),
    LINE("GET /  HTTP/1.1", BAD_VERSION),
    LINE("GET  / HTTP/1.1", "empty request target"),
    LINE("GET\t/ HTTP/1.1", "method is not a token"),
    LINE("GET /\tHTTP/1.1", BAD_TARGET),
    LINE(" GET / HTTP/1.1", "method is not a token"),
    LINE("\tGET / HTTP/1.1", "method is not a token"),
    LINE("G@T / HTTP/1.1", "method is not a token"),
    LINE("GET\0 / HTTP/1.1", "method is not a token"),
    LINE("G\xc3\x89T / HTTP/1.1", "method is not a token"),
    LINE("\x16\x03\x01", "method is not a token"),
    LINE("GET: / HTTP/1.1", "method is not a token"),
    LINE("GET", "request line without a version"),
    LINE("GET ", "request line without a version"),
    LINE("GET /", "request line without a version"),
    LINE("GET / ", BAD_VERSION),
    LINE("GET / a HTTP/1.1", BAD_VERSION),
    LINE("GET / HTTP/1.1\r", "bare CR"),
    LINE("GET / HTTP/1.1\rX", "bare CR"),
    LINE("GET / HTTP/1", BAD_VERSION),
    LINE("GET / HTTP/1.", BAD_VERSION),
    LINE("GET / HTTP/1.10", BAD_VERSION),
    LINE("GET / HTTP/01.1", BAD_VERSION),
    LINE("GET / HTTP/ 1.1", BAD_VERSION),
    LINE("GET / HTTP/1 .1", BAD_VERSION),
    LINE("GET / HTTP/+1.1", BAD_VERSION),
    LINE("GET / HTTP/1,1", BAD_VERSION),
    LINE("GET / http/1.1", BAD_VERSION),
    LINE("GET / HTTPS/1.1", BAD_VERSION),
    LINE("GET / HTTP\\1.1", BAD_VERSION),
    LINE("GET / XTTP/1.1", BAD_VERSION),
    LINE("GET / HTTP/1.1\0", BAD_VERSION),
    LINE("GET / HTTP/1.1\x0b", BAD_VERSION),
    BAD("GET / HTTP/1.1\n" H "\r\n", 400, "bare LF in the request line"),
    BAD("GET /\n" H "\r\n", 400, "bare LF in the request line"),
    BAD("GET\n", 400, "bare LF in the request line"),
    BAD("\n" "GET / HTTP/1.1\r\n", 400, "bare LF in the request line"),
    BAD("\r\r\nGET / HTTP/1.1\r\n", 400, "bare CR"),
    BAD("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", 400, "empty lines before the request line"),
    BAD("GET / HTTP/2.0\r\n" H "\r\n", 505, "HTTP version not supported"),
    BAD("GET / HTTP/0.9\r\n" H "\r\n", 505, "HTTP version not supported"),
    BAD("GET / HTTP/3.0\r\n\r\n", 505, "HTTP version not supported"),
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP version not supported"),
    LINE("PRI * HTTP/1.1", NO_FORM),
    /* the target */
    LINE("GET /a#b HTTP/1.1", BAD_TARGET),
    LINE("GET /\0 HTTP/1.1", BAD_TARGET),
    LINE("GET /\x01 HTTP/1.1", BAD_TARGET),
    LINE("GET /\x7f HTTP/1.1", BAD_TARGET),
    LINE("GET /\x80 HTTP/1.1", BAD_TARGET),
    LINE("GET /\xc3\xa9 HTTP/1.1", BAD_TARGET),
    LINE("GET /\x0b HTTP/1.1", BAD_TARGET),
    LINE("GET a HTTP/1.1", NO_FORM),
    LINE("GET ? HTTP/1.1", NO_FORM),
    LINE("GET * HTTP/1.1", NO_FORM),
    LINE("OPTIONS ** HTTP/1.1", NO_FORM),
    LINE("OPTIONS *? HTTP/1.1", NO_FORM),
    LINE("GET a:80 HTTP/1.1", NO_FORM),
    LINE("GET \\ HTTP/1.1", NO_FORM),
    LINE("GET @a/ HTTP/1.1", NO_FORM),
    LINE("GET ftp://a/ HTTP/1.1", NO_FORM),
    LINE("GET file:///etc/passwd HTTP/1.1", NO_FORM),
    LINE("GET javascript:x HTTP/1.1", NO_FORM),
    LINE("GET http:/a/ HTTP/1.1", NO_FORM),
    LINE("GET http:a HTTP/1.1", NO_FORM),
    LINE("GET http:// HTTP/1.1", BAD_AUTH),
    LINE("GET http:///x HTTP/1.1", BAD_AUTH),
    LINE("GET http://?x HTTP/1.1", BAD_AUTH),
    LINE("GET http://u@a/ HTTP/1.1", "userinfo in the request target"),
    LINE("GET http://u:p@a/ HTTP/1.1", "userinfo in the request target"),
    LINE("GET http://@a/ HTTP/1.1", "userinfo in the request target"),
    LINE("GET http://a:x/ HTTP/1.1", BAD_AUTH),
    LINE("GET http://a:99999/ HTTP/1.1", BAD_AUTH),
    LINE("GET http://a,b/ HTTP/1.1", BAD_AUTH),
    LINE("GET http://a\\b/ HTTP/1.1", BAD_AUTH),
    LINE("GET http://a%2fb/ HTTP/1.1", BAD_AUTH),
    LINE("GET http://[::1/ HTTP/1.1", BAD_AUTH),
    LINE("CONNECT / HTTP/1.1", BAD_CONNECT),
    LINE("CONNECT a HTTP/1.1", BAD_CONNECT),
    LINE("CONNECT a: HTTP/1.1", BAD_CONNECT),
    LINE("CONNECT http://a:80/ HTTP/1.1", BAD_CONNECT),
    LINE("CONNECT u@a:80 HTTP/1.1", BAD_CONNECT),
    LINE("CONNECT * HTTP/1.1", BAD_CONNECT),
    /* a good absolute-form does not excuse its Host */
    BAD("GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, BAD_HOST),
    BAD("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "two Host fields"),
};

/* Bodies: chunks that others read differently. Behind them waits a request that must never be seen. */
#define CHUNKS(t, w) BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n" t \
                         "GET /smuggled HTTP/1.1\r\n" H "\r\n", 0, w)
#define NOT_HEX      "chunk size is not a hexadecimal number"
#define NO_SIZE      "chunk without a size"
#define NO_CRLF      "chunk data without CRLF behind it"
#define CHUNK_LF     "bare LF in a chunk-size line"

static const struct bad_case bodies[] = {
    CHUNKS("x\r\n", NO_SIZE),
    CHUNKS("\r\n", NO_SIZE),
    CHUNKS(" 5\r\nhello\r\n0\r\n\r\n", NO_SIZE),
    CHUNKS("\t5\r\n", NO_SIZE),
    CHUNKS("-1\r\n", NO_SIZE),
    CHUNKS("+5\r\n", NO_SIZE),
    CHUNKS(";a=b\r\n", NO_SIZE),
    CHUNKS("\n", NO_SIZE),
    CHUNKS("0x5\r\nhello\r\n0\r\n\r\n", NOT_HEX),
    CHUNKS("0X5\r\n", NOT_HEX),
    CHUNKS("5 \r\nhello\r\n0\r\n\r\n", NOT_HEX),
    CHUNKS("5\t\r\nhello\r\n", NOT_HEX),
    CHUNKS("5 ;a\r\nhello\r\n", NOT_HEX),
    CHUNKS("5_0\r\n", NOT_HEX),
    CHUNKS("5,6\r\n", NOT_HEX),
    CHUNKS("5g\r\n", NOT_HEX),
    CHUNKS("5.0\r\n", NOT_HEX),
    CHUNKS("5\0\r\n", NOT_HEX),
    CHUNKS("5\x0b\r\n", NOT_HEX),
    CHUNKS("5\xa0\r\n", NOT_HEX),
    CHUNKS("5\nhello\r\n0\r\n\r\n", CHUNK_LF),
    CHUNKS("5;a\nhello\r\n0\r\n\r\n", CHUNK_LF),
    CHUNKS("5;\n\r\nhello\r\n0\r\n\r\n", CHUNK_LF),
    CHUNKS("5\r\rhello", "bare CR in a chunk-size line"),
    CHUNKS("5\rhello", "bare CR in a chunk-size line"),
    CHUNKS("5;a\rb\r\nhello", "bare CR in a chunk-size line"),
    CHUNKS("5;a=\"\r\nx\"\r\n", NO_CRLF), /* no quoted string spans lines */
    CHUNKS("5;a\0b\r\n", "control byte in a chunk extension"),
    CHUNKS("5;a\x0b\r\n", "control byte in a chunk extension"),
    CHUNKS("5;\x7f\r\n", "control byte in a chunk extension"),
    CHUNKS("10000000000000000\r\n", "chunk size too large"),
    CHUNKS("ffffffffffffffff\r\n", "chunk size too large"),
    CHUNKS("8000000000000000\r\n", "chunk size too large"),
    CHUNKS("00000000000000005\r\nhello", "chunk size too large"),
    CHUNKS("fffffffffffffffff5\r\n", "chunk size too large"),
    CHUNKS("5\r\nhelloX\r\n", NO_CRLF),
    CHUNKS("5\r\nhello\n0\r\n\r\n", NO_CRLF),
    CHUNKS("5\r\nhello\rX", NO_CRLF),
    CHUNKS("5\r\nhello0\r\n\r\n", NO_CRLF),
    CHUNKS("5\r\nhello\r\r\n", NO_CRLF),
    CHUNKS("4\r\nhello\r\n0\r\n\r\n", NO_CRLF),
    CHUNKS("0\n\r\n", CHUNK_LF),
    CHUNKS("0\r\n\n", "bare LF in a field line"),
    CHUNKS("0\r\n\r\r\n", "bare CR"),
    CHUNKS("0\r\n\rX", "bare CR"),
    CHUNKS("0\r\n X: y\r\n\r\n", "folded field line"),
    CHUNKS("0\r\nX : y\r\n\r\n", "whitespace before the colon of a field"),
    CHUNKS("0\r\nX: y\n\r\n", "bare LF in a field line"),
    CHUNKS("0\r\nX: y\r\n z\r\n\r\n", "folded field line"),
    CHUNKS("0\r\nX: \0\r\n\r\n", "NUL in a field value"),
    CHUNKS("0\r\nX\r\n\r\n", "field line without a colon"),
    CHUNKS("0\r\n: y\r\n\r\n", "empty field name"),
};

/* What is fine, and how it is understood. */
static const struct {
    const char *in, *log;
} good[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 [a] none\n  Host: a\nend\n"},
    {"GET / HTTP/1.1\r\nHost:a\r\n\r\n", "GET / 1.1 [a] none\n  Host: a\nend\n"},
    {"GET / HTTP/1.1\r\nHost:\t a:8080 \t\r\n\r\n", "GET / 1.1 [a:8080] none\n  Host: a:8080\nend\n"},
    {"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "GET / 1.1 [[::1]:8080] none\n  Host: [::1]:8080\nend\n"},
    {"GET / HTTP/1.1\r\nHost: A.b_c-d.\r\n\r\n", "GET / 1.1 [A.b_c-d.] none\n  Host: A.b_c-d.\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET / 1.1 [a:] none\n  Host: a:\nend\n"},
    {"GET / HTTP/1.0\r\n\r\n", "GET / 1.0 [] none close\nend\n"},
    {"GET / HTTP/1.7\r\nHost: a\r\n\r\n", "GET / 1.1 [a] none\n  Host: a\nend\n"},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 [a] none\n  Host: a\nend\n"},
    {"get /x HTTP/1.1\r\nHost: a\r\n\r\n", "get /x 1.1 [a] none\n  Host: a\nend\n"},
    {"!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: a\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ / 1.1 [a] none\n  Host: a\nend\n"},
    {"GET /%zz/../?a=\"<>\\^`{|}[] HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET /%zz/../?a=\"<>\\^`{|}[] 1.1 [a] none\n  Host: a\nend\n"},
    {"GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n", "GET //b/c 1.1 [a] none\n  Host: a\nend\n"},
    {"GET HTTP://B:80/c?d HTTP/1.1\r\nHost: a\r\n\r\n", "GET /c?d 1.1 [B:80] none\n  Host: a\nend\n"},
    {"GET https://b HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 [b] none\n  Host: a\nend\n"},
    {"GET http://b?c/d HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?c/d 1.1 [b] none\n  Host: a\nend\n"},
    {"GET http://b/c@d HTTP/1.1\r\nHost: a\r\n\r\n", "GET /c@d 1.1 [b] none\n  Host: a\nend\n"},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 [a] none\n  Host: a\nend\n"},
    {"OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 [b] none\n  Host: a\nend\n"},
    {"OPTIONS http://b?c HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /?c 1.1 [b] none\n  Host: a\nend\n"},
    {"OPTIONS http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS / 1.1 [b] none\n  Host: a\nend\n"},
    {"CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT  1.1 [b:443] none\n  Host: a\nend\n"},
    {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE / 1.1 [a] none\n  Host: a\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t\r\nZ: \"a\tb\" \xe9\xff\r\n\r\n",
     "GET / 1.1 [a] none\n  Host: a\n  X: \n  Y: \n  Z: \"a\tb\" \xe9\xff\nend\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
     "POST / 1.1 [a] length 3\n  Host: a\n  Content-Length: 3\ndata abc\nend\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\ncontent-length:  00003\t\r\n\r\nabc",
     "POST / 1.1 [a] length 3\n  Host: a\n  content-length: 00003\ndata abc\nend\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     "POST / 1.1 [a] none\n  Host: a\n  Content-Length: 0\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     "GET / 1.1 [a] length 1\n  Host: a\n  Content-Length: 1\ndata x\nend\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
     "POST / 1.1 [a] chunked\n  Host: a\n  Transfer-Encoding: CHUNKED\nend\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000aB;x=\"y;\\\"\";z\r\n"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789a\r\n00;\r\n\r\n",
     "POST / 1.1 [a] chunked\n  Host: a\n  Transfer-Encoding: chunked\n"
     "data 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789a\nend\n"},
    /* a trailer says nothing that belongs into the head */
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\nHost: x\r\n"
     "Transfer-Encoding: y\r\nX-Forwarded-For: z\r\nX_Real_IP: z\r\nConnection: close\r\nContent_Length: 1\r\n"
     "Checksum: 1\r\n\r\n",
     "POST / 1.1 [a] chunked\n  Host: a\n  Transfer-Encoding: chunked\nend\n  Checksum: 1\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\nx",
     "POST / 1.1 [a] length 1 expects\n  Host: a\n  Content-Length: 1\n  Expect: 100-Continue\ndata x\nend\n"},
    {"POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
     "POST / 1.0 [] length 1 close\n  Content-Length: 1\n  Expect: 100-continue\ndata x\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
     "GET / 1.1 [a] none\n  Host: a\n  Expect: 100-continue\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
     "GET / 1.1 [a] none close\n  Host: a\n  Connection: close\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: ,,CLOSE,\r\n\r\n",
     "GET / 1.1 [a] none close\n  Host: a\n  Connection: keep-alive\n  Connection: ,,CLOSE,\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, \"close\"\r\n\r\n",
     "GET / 1.1 [a] none\n  Host: a\n  Connection: closed, \"close\"\nend\n"},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 1.0 [] none\n  Connection: Keep-Alive\nend\n"},
    {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
     "GET / 1.0 [] none close\n  Connection: keep-alive, close\nend\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n",
     "GET / 1.1 [a] none upgrade\n  Host: a\n  Connection: Upgrade\n  Upgrade: h2c, websocket\nend\n"},
};
/* clang-format on */

/* The record of `in`, pushed in pieces; what a bad request was answered with is checked here. */
static void record(const char *in, size_t n, size_t piece, struct rig_text *log, struct rig_text *out)
{
    struct rig_server r;

    CHECK(rig_server_open(&r));
    r.o.answer = true;
    (void)rig_server_push(&r, in, n, piece);
    rig_line(&r.o);
    rig_put(log, r.o.log.p, r.o.log.n);
    rig_put(out, r.sink.out.p, r.sink.out.n);
    rig_server_close(&r);
}

/* In all the ways of cutting it up: the same record as `log`, which is of the first. */
static void check_pieces(const char *in, size_t n, struct rig_text *log, struct rig_text *out)
{
    record(in, n, SIZE_MAX, log, out);
    for (size_t piece = 1; piece < 8; piece++) {
        struct rig_text log2 = {0}, out2 = {0};

        record(in, n, piece, &log2, &out2);
        if (!CHECK_STR(rig_str(&log2), rig_str(log)) || !CHECK_MEM(out2.p, out2.n, out->p, out->n))
            printf("    in pieces of %zu\n", piece);
        free(log2.p);
        free(out2.p);
    }
}

TEST(bad_heads_are_refused)
{
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct rig_text log = {0}, out = {0}, answer = {0};
        char expected[256];

        snprintf(expected, sizeof expected, "bad %u %s\nend\n", heads[i].status, heads[i].why);
        rig_printf(&answer, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                   heads[i].status, http_reason(heads[i].status));
        check_pieces(heads[i].in, heads[i].n, &log, &out);
        if (!CHECK_STR(rig_str(&log), expected) || !CHECK_STR(rig_str(&out), answer.p))
            printf("    case %zu: %s\n", i, heads[i].in);
        free(log.p);
        free(out.p);
        free(answer.p);
    }
}

TEST(bad_bodies_are_refused)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct rig_text log = {0}, out = {0};
        char expected[256];

        snprintf(expected, sizeof expected, "aborted %d %s\n", (int)HTTP_ERROR_PROTOCOL, bodies[i].why);
        check_pieces(bodies[i].in, bodies[i].n, &log, &out);
        if (!CHECK(strstr(rig_str(&log), expected) != NULL) || !CHECK(strstr(log.p, "smuggled") == NULL) ||
            !CHECK(strstr(log.p, "end\n") == NULL) ||
            !CHECK(strncmp(rig_str(&out), "HTTP/1.1 400 ", 13) == 0))
            printf("    case %zu: %s\n    gave %s\n", i, bodies[i].in, log.p);
        free(log.p);
        free(out.p);
    }
}

TEST(good_requests_are_understood)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct rig_text log = {0}, out = {0};

        check_pieces(good[i].in, strlen(good[i].in), &log, &out);
        if (!CHECK_STR(rig_str(&log), good[i].log))
            printf("    case %zu\n", i);
        free(log.p);
        free(out.p);
    }
}

/* Every byte value at every place of interest: accepted only where the grammar has it. */
TEST(every_byte_in_every_element)
{
    static const struct {
        const char *before, *after;
        const char *fine; /* besides letters and digits */
        bool obs_text;
    } places[] = {
#define BEFORE "GET / HTTP/1.1\r\nHost: a"
#define TEXT   "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
        {"G",                        "T / HTTP/1.1\r\nHost: a\r\n\r\n", "!#$%&'*+-.^_`|~",                   false},
        {"GET /a",                   "b HTTP/1.1\r\nHost: a\r\n\r\n",   "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~", false},
        {BEFORE "\r\nX",             "y: z\r\n\r\n",                    "!#$%&'*+-.^_`|~:",                  false},
        {BEFORE "\r\nNam",           "e-Of-A-Field: z\r\n\r\n",         "!#$%&'*+-.^_`|~:",                  false},
        {BEFORE "\r\nLonger-Name-",  "of-1-field: z\r\n\r\n",           "!#$%&'*+-.^_`|~:",                  false},
        {BEFORE "\r\nX: y",          "z\r\n\r\n",                       TEXT,                                true },
        {BEFORE "\r\nX: 0123456",    "89abcdefghijk\r\n\r\n",           TEXT,                                true },
        {BEFORE "\r\nX: 0123456789", "abcdefghijklmnopqrstuvw\r\n\r\n", TEXT,                                true },
        {BEFORE "\r\nX: a\tb\tcd",   "e\tfghijklmnopqrstuvwx\r\n\r\n",  TEXT,                                true },
        {BEFORE "\r\nX: 01234567",   "\r\n\r\n",                        TEXT,                                true },
        {BEFORE,                     "b\r\n\r\n",                       "-._",                               false},
#undef BEFORE
#undef TEXT
    };

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (int c = 0; c < 256; c++) {
            struct rig_text in = {0}, log = {0}, out = {0};
            bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= 0x80 && places[i].obs_text) || (c != 0 && strchr(places[i].fine, c) != NULL);
            uint8_t byte = (uint8_t)c;

            rig_put(&in, places[i].before, strlen(places[i].before));
            rig_put(&in, &byte, 1);
            rig_put(&in, places[i].after, strlen(places[i].after));
            record(in.p, in.n, SIZE_MAX, &log, &out);
            if (!CHECK_EQ(strncmp(rig_str(&log), "bad ", 4) != 0, fine))
                printf("    place %zu, byte 0x%02x: %s\n", i, (unsigned)c, log.p);
            free(in.p);
            free(log.p);
            free(out.p);
        }
    }
}

static void fill(struct rig_text *t, char c, size_t n)
{
    while (n-- > 0)
        rig_put(t, &c, 1);
}

/* A request line and field section of exactly that many bytes, fields of that number. */
static void limit_case(size_t line, size_t fields, size_t count, const char *expected)
{
    struct rig_text in = {0}, log = {0}, out = {0};
    size_t left = fields - 9, filler = count - 1;

    rig_put(&in, "GET /", 5);
    fill(&in, 'x', line - 14);
    rig_put(&in, " HTTP/1.1\r\nHost: a\r\n", 20);
    for (size_t i = 0; i < filler; i++) {
        size_t n = i + 1 < filler ? 5 : left;

        rig_put(&in, "X:", 2);
        fill(&in, 'y', n - 4);
        rig_put(&in, "\r\n", 2);
        left -= n;
    }
    rig_put(&in, "\r\n", 2);
    check_pieces(in.p, in.n, &log, &out);
    CHECK(strncmp(rig_str(&log), expected, strlen(expected)) == 0 || !CHECK_STR(log.p, expected));
    free(in.p);
    free(log.p);
    free(out.p);
}

TEST(limits_are_exact)
{
    limit_case(8192, 100, 2, "GET /xxx");
    limit_case(8193, 100, 2, "bad 414 request line too long\n");
    limit_case(20, 32768, 2, "GET /xxxxxx 1.1");
    limit_case(20, 32769, 2, "bad 431 field lines too long\n");
    limit_case(20, 32768, 100, "GET /xxxxxx 1.1");
    limit_case(20, 2000, 101, "bad 431 too many fields\n");
}

/* A head without an end takes no more memory than the limits say. */
TEST(endless_head_is_bounded)
{
    static const char *const starts[] = {"GET /", "", "GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\n"};

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct rig_server r;
        size_t before, most = 0;

        CHECK(rig_server_open(&r));
        before = mem_used();
        rig_server_push(&r, starts[i], strlen(starts[i]), 1);
        for (size_t n = 0; n < 100000 && h1_server_state(r.s) != H1_SERVER_CLOSED; n++) {
            rig_server_push(&r, "x", 1, 1);
            most = mem_used() - before > most ? mem_used() - before : most;
        }
        CHECK_EQ(h1_server_state(r.s), H1_SERVER_CLOSED);
        if (!CHECK(most < 4 * 32768))
            printf("    %zu bytes\n", most);
        rig_server_close(&r);
    }
}

TEST(finished_head_is_one_allocation_with_room)
{
    static const char in[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    struct rig_server r;
    size_t blocks;

    CHECK(rig_server_open(&r));
    r.o.answer = false;
    blocks = mem_blocks();
    rig_server_push(&r, in, sizeof in - 1, SIZE_MAX);
    CHECK_EQ(mem_blocks(), blocks + 1);
    for (int i = 0; i < 12; i++)
        CHECK(http_head_add(r.o.head, bytes_str("X-Forwarded-Something"), bytes_str("0123456789012345678")));
    CHECK_EQ(mem_blocks(), blocks + 1);
    rig_server_close(&r);
}

TEST_MAIN(RUN(bad_heads_are_refused), RUN(bad_bodies_are_refused), RUN(good_requests_are_understood),
          RUN(every_byte_in_every_element), RUN(limits_are_exact), RUN(endless_head_is_bounded),
          RUN(finished_head_is_one_allocation_with_room))
