/* SPDX-License-Identifier: MIT
 *
 * Reads JSON (RFC 8259) that a stranger sent, over jsmn's tokens. Whatever is not exactly one object or array is refused
 * as a whole, as is an object that has a name twice, written alike, since its readers would not agree on it (§4). Values
 * are numbers of tokens; -1 is none, and every function may be asked about it.
 */
#ifndef ACME_JSON_H
#define ACME_JSON_H

#include "base/bytes.h"

struct json;

enum { JSON_ROOT = 0 };
#define JSON_DEPTH  16u   /* values inside each other */
#define JSON_TOKENS 4096u /* values and names in all */

/* The text is borrowed until json_free. NULL when it is not JSON, or more of it than the bounds allow, or out of memory:
 * *why says which (static). */
struct json *json_parse(struct bytes text, const char **why);
void json_free(struct json *j); /* NULL is fine */

bool json_is_object(const struct json *j, int v);
/* The value of an object's member, its name written without escapes; -1: no such member, or no object. */
int json_member(const struct json *j, int object, const char *name);
/* Of an array; 0 for anything else. */
unsigned json_count(const struct json *j, int array);
int json_element(const struct json *j, int array, unsigned i); /* -1: not so many */

/* A string's text in UTF-8, unescaped, with a NUL; allocated. NULL when it is none, has a NUL in it, or out of memory. */
char *json_string(const struct json *j, int v);
/* Is it this string, written without escapes? */
bool json_is(const struct json *j, int v, const char *text);

/* A string with its quotes (§7); bytes that are not UTF-8 pass as they are. */
void json_put_string(struct writer *w, struct bytes text);

#endif
